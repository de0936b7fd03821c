"""HDNet on ONNX Runtime."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

from posestream.errors import BackendError
from posestream.estimate.backends.engine import F32
from posestream.estimate.backends.hdnet import PatchFacts
from posestream.estimate.backends.onnx import answers, read_config
from posestream.geometry.depth_bins import PAPER_BINS, DepthBins
from posestream.nn.session import open_session
from posestream.skeleton.network import JointSetName

_STRIDE = 4


class _Stored(msgspec.Struct):
    """What matters of the configuration in the file."""

    joints: JointSetName = "mupots17"
    target: Literal["bins", "regression"] = "bins"
    bins: DepthBins = PAPER_BINS


class OnnxPatches:
    """See ``PatchEngine``."""

    def __init__(self, file: Path, threads: int) -> None:
        """Raises BackendError if ONNX Runtime is missing or the file holds no HDNet."""
        self._session = open_session(file, threads)
        inputs = {i.name: i.shape for i in self._session.get_inputs()}
        outputs = {o.name: o.shape for o in self._session.get_outputs()}
        stored = read_config(self._session, file, _Stored)
        bins = stored.bins if stored.target == "bins" else None
        width = outputs.get("depth", [None])[-1]
        side = inputs.get("image", [None])[-1]
        if (
            inputs.keys() != {"image", "mask"}
            or not isinstance(side, int)
            or inputs["image"][1:] != [3, side, side]
            or inputs["mask"][1:] != [1, side // _STRIDE, side // _STRIDE]
            or width != (1 if bins is None else bins.count)
        ):
            raise BackendError(
                f"{file} holds no HDNet: name the file that `posestream export` made of one."
            )
        self.facts = PatchFacts(stored.joints, side, bins)

    def depth(self, image: F32, mask: F32) -> F32:
        """See ``PatchEngine``."""
        return answers(self._session, {"image": image, "mask": mask}, ["depth"])[0]

    def close(self) -> None:
        """Release the session."""
        self._session = None
