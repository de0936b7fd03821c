"""Our own networks through ONNX Runtime: maps, people in 2D, and their distance if known.

The picture is shrunk to the network's input, padded right and below, so that one number leads
from cells to pixels of the picture. 3D is left to ``lift``, which reads the maps.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from posestream.arrays import F64, Image
from posestream.errors import BackendError
from posestream.estimate.decode import DecodeSettings, NetworkPeople, find_people, to_people2d
from posestream.geometry.camera import normalized_rays, scale_intrinsics
from posestream.geometry.cells import cells_to_px
from posestream.geometry.depth_bins import (
    DepthBins,
    depth_from_index,
    expected_index,
    focal_px,
    softmax,
)
from posestream.skeleton.network import JointSetName, network_skeleton
from posestream.types import Camera, Estimate, Frame, People2D, PoseMaps

F32 = NDArray[np.float32]
_STRIDE = 8


class RrmpSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Weight files and how they are run."""

    maps: Annotated[str, msgspec.Meta(description="ONNX file that gives the maps.")] = ""
    head: Annotated[str, msgspec.Meta(description="ONNX file of the depth head, or nothing.")] = ""
    threads: Annotated[
        int, msgspec.Meta(ge=0, le=64, description="Threads; 0: as many as there are cores.")
    ] = 0
    decode: Annotated[DecodeSettings, msgspec.Meta(description="From maps to people.")] = (
        DecodeSettings()
    )


class _RrmpShape(msgspec.Struct):
    joints: JointSetName = "mupots17"


class _Stored(msgspec.Struct):
    """What matters of the configuration in a file of either network."""

    joints: JointSetName | None = None
    rrmp: _RrmpShape = msgspec.field(default_factory=_RrmpShape)
    bins: DepthBins | None = None


class RrmpEstimator:
    """People of all sorts from one pass; nobody, if the weights know nobody."""

    name = "rrmp"

    def __init__(self, settings: RrmpSettings) -> None:
        self._settings = settings
        self._maps = _session(settings.maps, settings.threads)
        self._head = _session(settings.head, settings.threads) if settings.head else None
        stored = _stored(self._maps, settings.maps)
        self._skeleton = network_skeleton(stored.joints or stored.rrmp.joints)
        self._bins = stored.bins
        image = next(i for i in self._maps.get_inputs() if i.name == "image")
        height, width = image.shape[2:]
        free = not isinstance(height, int)
        self._size_px = (448, 256) if free else (int(width), int(height))
        self._wants_rays = any(i.name == "rays" for i in self._maps.get_inputs())
        self._outputs = [o.name for o in self._maps.get_outputs()]

    def estimate(self, frame: Frame) -> Estimate:
        """Everybody in the picture, with maps. Raises BackendError if the engine fails."""
        image, scale = network_input(frame.image, self._size_px)
        feed = {"image": image}
        if self._wants_rays:
            feed["rays"] = self._rays(frame.camera, scale)
        maps = dict(zip(self._outputs, _run(self._maps, feed), strict=True))
        heat, pafs, locations = (maps[n][0] for n in ("heatmaps", "pafs", "locations"))
        found = find_people(heat, pafs, self._skeleton, self._settings.decode, locations)
        people = to_people2d(found, self._skeleton, _STRIDE / scale)
        root = self._roots(found, people, maps, frame.camera, scale)
        return Estimate(people, None, PoseMaps(heat, pafs, locations, _STRIDE / scale), root)

    def close(self) -> None:
        """Release the models."""
        self._maps = self._head = None

    def _rays(self, camera: Camera, scale: float) -> F32:
        """(1, 2, h, w) ray coordinates of the cells' centres."""
        width, height = (n // _STRIDE for n in self._size_px)
        cells = np.stack(np.meshgrid(np.arange(width), np.arange(height)), axis=-1)
        K = scale_intrinsics(camera.K_px, scale, scale)
        rays = normalized_rays(cells_to_px(cells.astype(np.float64), _STRIDE), K)
        return np.ascontiguousarray(rays.transpose(2, 0, 1)[None], dtype=np.float32)

    def _roots(
        self, found: NetworkPeople, people: People2D, maps: dict[str, F32], camera: Camera,
        scale: float,
    ) -> F64 | None:  # fmt: skip
        """(N, 3) where the depth head puts the pelvises, NaN for those unseen; None without it."""
        if self._head is None or self._bins is None:
            return None
        if not len(found):
            return np.zeros((0, 3))
        feed = {
            "depth_features": maps["depth_features"],
            "heatmaps": maps["heatmaps"],
            "xy": np.nan_to_num(found.xy_cells).astype(np.float32),
            "score": found.score.astype(np.float32),
            "height": np.zeros((len(found), 2), np.float32),
        }
        wanted = {i.name for i in self._head.get_inputs()}
        (logits,) = _run(self._head, {k: v for k, v in feed.items() if k in wanted})
        index, _ = expected_index(softmax(logits.astype(np.float64)))
        depth_m = depth_from_index(index, focal_px(camera.K_px) * scale, self._bins)
        pelvis = people.xy_px[:, self._skeleton.body_index[self._skeleton.pelvis]]
        rays = normalized_rays(pelvis, camera.K_px, camera.distortion)
        return np.column_stack(
            [rays * depth_m[:, None], np.where(np.isfinite(rays[:, 0]), depth_m, np.nan)]
        )


def network_input(picture: Image, size_px: tuple[int, int]) -> tuple[F32, float]:
    """(1, 3, H, W) RGB in [-1, 1], padded right and below with grey; and the scale."""
    import cv2

    width, height = size_px
    scale = min(width / picture.shape[1], height / picture.shape[0])
    small = (
        min(width, round(picture.shape[1] * scale)),
        min(height, round(picture.shape[0] * scale)),
    )
    how = cv2.INTER_AREA if scale < 1.0 else cv2.INTER_LINEAR
    out = np.zeros((1, 3, height, width), dtype=np.float32)
    resized = cv2.resize(picture, small, interpolation=how)
    rgb = resized[..., ::-1].transpose(2, 0, 1)
    np.multiply(rgb, 1.0 / 127.5, out=out[0, :, : small[1], : small[0]], casting="unsafe")
    out[0, :, : small[1], : small[0]] -= 1.0
    return out, scale


def _session(path: str, threads: int) -> Any:
    try:
        import onnxruntime as ort
    except ImportError as error:
        raise BackendError("ONNX Runtime is missing: pip install onnxruntime.") from error
    if not Path(path).is_file():
        raise BackendError(f"There is no weight file at {path!r}: name one that exists.")
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    try:
        return ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise BackendError(f"{path} is not a model that ONNX Runtime can read.") from error


def _stored(session: Any, path: str) -> _Stored:
    """The configuration in the file."""
    text = session.get_modelmeta().custom_metadata_map.get("config", "")
    try:
        return msgspec.json.decode(text, type=_Stored)
    except msgspec.MsgspecError as error:
        raise BackendError(f"{path} is not one of our networks: export it anew.") from error


def _run(session: Any, feed: dict[str, F32]) -> list[F32]:
    try:
        answer: list[F32] = session.run(None, feed)
    except Exception as error:
        raise BackendError("The network failed on this picture: export its file anew.") from error
    return answer
