"""HDNet on torch, for graphics cards: half precision there, single on the CPU."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import numpy as np
import torch

from posestream.errors import BackendError
from posestream.estimate.backends.engine import F32
from posestream.estimate.backends.hdnet import PatchFacts
from posestream.estimate.backends.torch import pick_device, why
from posestream.nn import weights
from posestream.nn.hdnet import Hdnet


class TorchPatches:
    """See ``PatchEngine``; a ``.pt`` file of kind ``hdnet``."""

    def __init__(self, file: Path, device: str, size_px: int, threads: int = 0) -> None:
        """Raises BackendError if the file is not of that kind or the device is not there."""
        self._device = pick_device(device, "estimate.hdnet.device")
        if threads and self._device.type == "cpu":
            torch.set_num_threads(threads)
        self._type = torch.float16 if self._device.type == "cuda" else torch.float32
        network = cast(Hdnet, weights.load(file, "hdnet"))
        config = network.config
        bins = config.bins if config.target == "bins" else None
        self.facts = PatchFacts(config.joints, size_px, bins)
        self._network: Any = network.to(self._device, self._type)

    @torch.inference_mode()
    def depth(self, image: F32, mask: F32) -> F32:
        """See ``PatchEngine``."""
        given = [torch.from_numpy(v).to(self._device, self._type) for v in (image, mask)]
        try:
            taken: F32 = self._network(*given).depth.float().cpu().numpy()
        except RuntimeError as error:
            raise BackendError(why(error)) from error
        return np.ascontiguousarray(taken)

    def close(self) -> None:
        """Release the network and its memory on the card."""
        self._network = None
        if self._device.type == "cuda":
            torch.cuda.empty_cache()
