"""Our networks on torch, for graphics cards: half precision there, single on the CPU."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np
import torch
from torch import nn

from posestream.errors import BackendError, WeightsError
from posestream.estimate.backends.engine import F32, Maps, NetworkFacts
from posestream.nn import weights
from posestream.nn.rrmp import Rrmp
from posestream.nn.unified import People, Unified


class _Handle(NamedTuple):
    depth_features: torch.Tensor
    heatmaps: torch.Tensor


class TorchEngine:
    """A ``.pt`` file of kind ``rrmp`` or ``unified``."""

    def __init__(
        self,
        path: Path,
        device: str,
        size_px: tuple[int, int],
        threads: int = 0,
        half: bool | None = None,
    ) -> None:
        """``half`` precision: by default on graphics cards.

        Raises BackendError if the file is not of that sort or the device is not there.
        """
        self._device = pick_device(device, "estimate.rrmp.device")
        if threads and self._device.type == "cpu":
            torch.set_num_threads(threads)
        cuda = self._device.type == "cuda"
        self._type = torch.float16 if half or (half is None and cuda) else torch.float32
        network = weights.load(path)
        self.facts = _facts(network, size_px, path)._replace(
            thresholds=weights.load_thresholds(path), free_size=True
        )
        self._unified = isinstance(network, Unified)
        self._network = cast("Any", network)
        self._network.to(self._device, self._type)
        if cuda:
            self._network.to(memory_format=torch.channels_last)
        if self._unified:
            self._network.head.float()  # small, and places in cells need the precision

    @torch.inference_mode()
    def maps(self, image: F32, rays: F32 | None) -> Maps:
        """See ``Engine``."""
        picture = self._put(image)
        try:
            if not self._unified:
                out, deep = self._network(picture), picture
            else:
                both = self._network(picture, None if rays is None else self._put(rays))
                out, deep = both.rrmp, both.depth_features
            heat, pafs, locations = (_taken(m[0]) for m in out.maps)
        except RuntimeError as error:
            raise BackendError(why(error)) from error
        return Maps(heat, pafs, locations, _Handle(deep.float(), out.maps.heatmaps.float()))

    @torch.inference_mode()
    def depth(self, maps: Maps, xy_cells: F32, score: F32) -> F32:
        """See ``Engine``."""
        assert isinstance(maps.handle, _Handle)
        n = len(score)
        xy, seen = (torch.from_numpy(v).to(self._device) for v in (xy_cells, score))
        first = torch.zeros(n, dtype=torch.int64, device=self._device)
        people = People(xy, seen, first, torch.zeros(n, 2, device=self._device))
        try:
            return _taken(self._network.depth(*maps.handle, people))
        except RuntimeError as error:
            raise BackendError(why(error)) from error

    def close(self) -> None:
        """Release the network and its memory on the card."""
        self._network = None
        if self._device.type == "cuda":
            torch.cuda.empty_cache()

    def _put(self, values: F32) -> torch.Tensor:
        return torch.from_numpy(values).to(self._device, self._type)


def _facts(network: nn.Module, size_px: tuple[int, int], path: Path) -> NetworkFacts:
    if isinstance(network, Unified):
        c = network.config
        return NetworkFacts(c.rrmp.joints, size_px, c.camera, c.bins)
    if isinstance(network, Rrmp):
        return NetworkFacts(network.config.joints, size_px, False, None)
    raise WeightsError(f"{path} holds hdnet, which finds nobody: name rrmp or unified.")


def pick_device(name: str, setting: str) -> torch.device:
    """The device called ``name``; ``setting`` chose it. Raises BackendError if it is not there."""
    there = torch.cuda.is_available()
    if name == "cuda" and not there:
        raise BackendError(
            f"torch sees no graphics card with CUDA: set {setting}=cpu, or install torch's CUDA "
            "build and the card's driver."
        )
    return torch.device("cuda" if there and name != "cpu" else "cpu")


def _taken(values: torch.Tensor) -> F32:
    taken: F32 = values.float().cpu().numpy()
    return np.ascontiguousarray(taken)


def why(error: RuntimeError) -> str:
    """One sentence on a failure of torch's."""
    reason = str(error).strip().splitlines() or ["no reason given"]
    return f"The network failed on this picture ({reason[0]}): take another device or size."
