"""What runs a network of ours: ONNX Runtime or torch. The estimator knows no more than this."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from posestream.geometry.depth_bins import DepthBins
from posestream.nn.thresholds import Thresholds
from posestream.skeleton.network import JointSetName

F32 = NDArray[np.float32]


class NetworkFacts(NamedTuple):
    """What the estimator must know of a network."""

    joints: JointSetName
    size_px: tuple[int, int]  # width and height of its input, or of what it gets where it is free
    wants_rays: bool
    bins: DepthBins | None  # None: it knows no distances
    thresholds: Thresholds | None = None  # as chosen with the weights, if they say
    free_size: bool = False  # it takes pictures of any size


class Maps(NamedTuple):
    """The network's answer for one picture."""

    heatmaps: F32  # (J+1, h, w)
    pafs: F32  # (2L, h, w)
    locations: F32  # (3J, h, w)
    handle: object  # what the engine's own ``depth`` reads


class Engine(Protocol):
    """Runs one network. Not thread-safe."""

    facts: NetworkFacts

    def maps(self, image: F32, rays: F32 | None) -> Maps:
        """Maps of a picture (1, 3, H, W), given its cells' rays (1, 2, h, w) if it wants them.

        Raises BackendError if the engine fails.
        """
        ...

    def depth(self, maps: Maps, xy_cells: F32, score: F32) -> F32:
        """Bin logits (N, N_B) of N ≥ 1 people whose joints are at (N, J, 2), 0 where unseen.

        Only where ``facts.bins`` is not None. Raises BackendError if the engine fails.
        """
        ...

    def close(self) -> None:
        """Release the network. May be called twice."""
        ...
