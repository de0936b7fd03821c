"""Our own networks: maps, people in 2D, and their distance if the network knows it.

The picture is shrunk to the network's input, padded right and below, so that one number leads
from cells to pixels of the picture. 3D is left to ``lift``, which reads the maps.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from posestream.arrays import F64, Image
from posestream.errors import BackendError
from posestream.estimate.backends.engine import F32, Engine, Maps
from posestream.estimate.decode import DecodeSettings, NetworkPeople, find_people, to_people2d
from posestream.estimate.input_size import InputSize
from posestream.geometry.camera import normalized_rays, scale_intrinsics
from posestream.geometry.cells import cells_to_px
from posestream.geometry.depth_bins import depth_from_logits, focal_px
from posestream.skeleton.network import network_skeleton
from posestream.types import Camera, Estimate, Frame, PoseMaps

_STRIDE = 8


class RrmpEstimator:
    """People of all sorts from one pass; nobody, if the weights know nobody."""

    def __init__(
        self,
        engine: Engine,
        settings: DecodeSettings | None = None,
        max_people: int = 16,
        name: str = "rrmp",
        latency_goal_ms: float = 0.0,
        clock_s: Callable[[], float] = time.perf_counter,
    ) -> None:
        """Raises BackendError where a goal is set for a network whose input has one size."""
        if latency_goal_ms and not engine.facts.free_size:
            raise BackendError(
                "This network takes pictures of one size, which cannot be shrunk for "
                "estimate.rrmp.latency_goal_ms: set it to 0, or export the network with free size."
            )
        self.name = name
        self._size = InputSize(engine.facts.size_px, latency_goal_ms)
        self._clock_s = clock_s
        self._engine = engine
        self._settings = (settings or DecodeSettings()).over(engine.facts.thresholds)
        self._max_people = max_people
        self._skeleton = network_skeleton(engine.facts.joints)

    def estimate(self, frame: Frame) -> Estimate:
        """Everybody in the picture, with maps. Raises BackendError if the engine fails."""
        started_s = self._clock_s()
        estimate = self._estimate(frame)
        self._size.took((self._clock_s() - started_s) * 1e3)
        return estimate

    @property
    def input_px(self) -> tuple[int, int]:
        """Width and height of what the network gets."""
        return self._size.size_px

    def _estimate(self, frame: Frame) -> Estimate:
        facts = self._engine.facts
        image, rays, scale = self.inputs(frame)
        maps = self._engine.maps(image, rays)
        found = find_people(
            maps.heatmaps, maps.pafs, self._skeleton, self._settings, maps.locations,
            self._max_people,
        )  # fmt: skip
        stride_px = _STRIDE / scale
        depth_m, std_m = self._depth(maps, found, focal_px(frame.camera.K_px) * scale)
        return Estimate(
            to_people2d(found, self._skeleton, stride_px),
            maps=PoseMaps(maps.heatmaps, maps.pafs, maps.locations, stride_px, joints=facts.joints),
            depth_m=depth_m,
            depth_std_m=std_m,
        )

    def inputs(self, frame: Frame) -> tuple[F32, F32 | None, float]:
        """The network's picture and rays, if it wants them; its pixels per picture pixel."""
        facts = self._engine.facts
        image, scale = network_input(frame.image, self.input_px)
        rays = _rays(frame.camera, scale, self.input_px) if facts.wants_rays else None
        return image, rays, scale

    def close(self) -> None:
        """Release the network."""
        self._engine.close()

    def _depth(
        self, maps: Maps, found: NetworkPeople, f_px: float
    ) -> tuple[F64 | None, F64 | None]:
        """(N,) where the depth head puts the pelvises, and how sure it is of that."""
        bins = self._engine.facts.bins
        if bins is None:
            return None, None
        if not len(found):
            return np.zeros(0), np.zeros(0)
        xy = np.nan_to_num(found.xy_cells).astype(np.float32)
        logits = self._engine.depth(maps, xy, found.score.astype(np.float32))
        return depth_from_logits(logits.astype(np.float64), f_px, bins)


def _rays(camera: Camera, scale: float, size_px: tuple[int, int]) -> F32:
    """(1, 2, h, w) ray coordinates of the cells' centres."""
    width, height = (n // _STRIDE for n in size_px)
    cells = np.stack(np.meshgrid(np.arange(width), np.arange(height)), axis=-1)
    K = scale_intrinsics(camera.K_px, scale, scale)
    rays = normalized_rays(cells_to_px(cells.astype(np.float64), _STRIDE), K)
    return np.ascontiguousarray(rays.transpose(2, 0, 1)[None], dtype=np.float32)


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
