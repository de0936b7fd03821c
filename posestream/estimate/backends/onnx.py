"""Our networks on ONNX Runtime."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import msgspec
import numpy as np

from posestream.errors import BackendError
from posestream.estimate.backends.engine import F32, Maps, NetworkFacts
from posestream.geometry.depth_bins import DepthBins
from posestream.nn.session import open_session
from posestream.nn.thresholds import Thresholds
from posestream.skeleton.network import JointSetName

_MAPS = ("heatmaps", "pafs", "locations")

Shape = TypeVar("Shape", bound=msgspec.Struct)


class _RrmpShape(msgspec.Struct):
    joints: JointSetName = "mupots17"


class Stored(msgspec.Struct):
    """What matters of the configuration in a file of either network."""

    joints: JointSetName | None = None
    rrmp: _RrmpShape = msgspec.field(default_factory=_RrmpShape)
    bins: DepthBins | None = None


class _Handle(NamedTuple):
    """What the depth head takes over from the maps' file, as (1, …)."""

    depth_features: F32
    heatmaps: F32


class OnnxEngine:
    """The maps' file and, if there is one, the depth head's."""

    def __init__(
        self, maps: Path, head: Path | None, threads: int, free_size_px: tuple[int, int]
    ) -> None:
        """Raises BackendError if ONNX Runtime is missing or a file is none of ours."""
        self._maps = open_session(maps, threads)
        # the head is over before a second thread has woken up
        self._head = open_session(head, 1) if head is not None else None
        inputs = {i.name: i.shape for i in self._maps.get_inputs()}
        self._outputs = [o.name for o in self._maps.get_outputs()]
        stored = read_config(self._maps, maps, Stored)
        if "image" not in inputs or not {*_MAPS} <= {*self._outputs}:
            raise BackendError(f"{maps} does not give maps: name the file that ends in .maps.onnx.")
        if head is not None and (stored.bins is None or "depth_features" not in self._outputs):
            raise BackendError(f"{maps} has no distances, so {head} cannot belong to it.")
        height, width = inputs["image"][2:]
        fixed = isinstance(height, int) and isinstance(width, int)
        self.facts = NetworkFacts(
            stored.joints or stored.rrmp.joints,
            (width, height) if fixed else free_size_px,
            "rays" in inputs,
            stored.bins if head is not None else None,
            read_thresholds(self._maps, maps),
            not fixed,
        )

    def maps(self, image: F32, rays: F32 | None) -> Maps:
        """See ``Engine``."""
        feed = {"image": image} if rays is None else {"image": image, "rays": rays}
        answer = dict(zip(self._outputs, answers(self._maps, feed), strict=True))
        deep = answer.get("depth_features", np.zeros(0, np.float32))
        heat, pafs, locations = (answer[name][0] for name in _MAPS)
        return Maps(heat, pafs, locations, _Handle(deep, answer["heatmaps"]))

    def depth(self, maps: Maps, xy_cells: F32, score: F32) -> F32:
        """See ``Engine``."""
        assert isinstance(maps.handle, _Handle)
        feed = {
            **maps.handle._asdict(),
            "xy": xy_cells,
            "score": score,
            "height": np.zeros((len(score), 2), np.float32),
        }
        wanted = {i.name for i in self._head.get_inputs()} if self._head is not None else {}
        return answers(self._head, {k: v for k, v in feed.items() if k in wanted})[0]

    def close(self) -> None:
        """Release the sessions."""
        self._maps = self._head = None


def read_config(session: Any, path: Path, shape: type[Shape]) -> Shape:
    """The configuration in the file. Raises BackendError if it is not one of ours."""
    text = session.get_modelmeta().custom_metadata_map.get("config", "")
    try:
        return msgspec.json.decode(text, type=shape)
    except msgspec.MsgspecError as error:
        raise BackendError(f"{path} is not one of our networks: export it anew.") from error


def read_thresholds(session: Any, path: Path) -> Thresholds | None:
    """What was chosen with the weights, if the file says. Raises BackendError for nonsense."""
    text = session.get_modelmeta().custom_metadata_map.get("thresholds")
    try:
        return None if text is None else msgspec.json.decode(text, type=Thresholds)
    except msgspec.MsgspecError as error:
        raise BackendError(f"{path} has thresholds that none can be: export it anew.") from error


def answers(session: Any, feed: dict[str, F32], outputs: list[str] | None = None) -> list[F32]:
    """The session's outputs, all by default. Raises BackendError if it fails."""
    if session is None:
        raise BackendError("The network is closed: this is a bug.")
    try:
        answer: list[F32] = session.run(outputs, feed)
    except Exception as error:
        raise BackendError("The network failed on this picture: export its file anew.") from error
    return answer
