"""Several processes that train one network: torchrun starts them, gradients are averaged."""

from __future__ import annotations

import datetime
import os
from collections.abc import Iterable

import torch
import torch.distributed as dist
from torch import Tensor, nn

from posestream.errors import TrainingError
from posestream.training.loader import Share

_PATIENCE = datetime.timedelta(minutes=30)  # rank 0 may validate meanwhile


class Ranks:
    """This process among those that torchrun started; alone without torchrun."""

    def __init__(self, cuda: bool) -> None:
        self.world = int(os.environ.get("WORLD_SIZE", "1"))
        self.rank = int(os.environ.get("RANK", "0"))
        self.local = int(os.environ.get("LOCAL_RANK", "0"))
        if self.world > 1:
            dist.init_process_group("nccl" if cuda else "gloo", timeout=_PATIENCE)

    @property
    def leads(self) -> bool:
        """Whether this process writes files and speaks."""
        return self.rank == 0

    @property
    def share(self) -> Share:
        """Which pictures are this process's."""
        return Share(self.world, self.rank)

    def check_batch(self, batch: int, accumulate: int) -> None:
        """Raises TrainingError if a batch cannot be dealt out evenly."""
        if batch % (accumulate * self.world):
            raise TrainingError(
                f"A batch of {batch} cannot be dealt out to {self.world} processes: "
                "change optimiser.batch."
            )

    def average(self, network: nn.Module, *flags: float) -> list[float]:
        """Average all gradients over the processes; returns the mean of each flag."""
        if self.world == 1:
            return list(flags)
        gradients = [p.grad for p in network.parameters() if p.grad is not None]
        device = gradients[0].device
        flat = torch.cat([*(g.reshape(-1) for g in gradients), torch.tensor(flags, device=device)])
        dist.all_reduce(flat)
        flat /= self.world
        _spread(flat, gradients)
        return [float(f) for f in flat[-len(flags) :]] if flags else []

    def same_start(self, tensors: Iterable[Tensor]) -> None:
        """Give every process rank 0's values."""
        if self.world > 1:
            for tensor in tensors:
                dist.broadcast(tensor, 0)

    def mean_buffers(self, network: nn.Module) -> None:
        """Average what batch norms have seen, before it is judged or saved."""
        if self.world > 1:
            for buffer in network.buffers():
                if buffer.is_floating_point():
                    dist.all_reduce(buffer)
                    buffer /= self.world

    def wait(self) -> None:
        """Until everybody is here."""
        if self.world > 1:
            dist.barrier()

    def close(self) -> None:
        """Part from the others."""
        if self.world > 1:
            dist.destroy_process_group()


def _spread(flat: Tensor, gradients: list[Tensor]) -> None:
    start = 0
    for gradient in gradients:
        end = start + gradient.numel()
        gradient.copy_(flat[start:end].view_as(gradient))
        start = end
