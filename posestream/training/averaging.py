"""The learning rate's course, and the running average of weights that is judged and shipped."""

from __future__ import annotations

import copy
import math

import torch
from torch import Tensor, nn

from posestream.nn.weights import Network
from posestream.training.config import OptimiserSettings


def rate_at(step: int, settings: OptimiserSettings) -> float:
    """The learning rate of a step."""
    s = settings
    rising = min(1.0, (step + 1) / max(1, s.warm_up))
    if s.schedule == "steps":
        return s.rate * rising * s.decay ** (step // s.decay_every)
    done = min(1.0, max(0, step - s.warm_up) / max(1, s.steps - s.warm_up))
    falling = s.last_rate + (1.0 - s.last_rate) * 0.5 * (1.0 + math.cos(math.pi * done))
    return s.rate * rising * falling


def optimiser_for(network: nn.Module, settings: OptimiserSettings) -> torch.optim.AdamW:
    """AdamW; biases and the scales of batch norms do not decay."""
    weights = [p for p in network.parameters() if p.ndim > 1]
    rest = [p for p in network.parameters() if p.ndim <= 1]
    groups = [
        {"params": weights, "weight_decay": settings.weight_decay},
        {"params": rest, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=settings.rate, betas=settings.betas)


class Average:
    """A twin of a network that follows it slowly; fast at first, so that it forgets the start."""

    def __init__(self, network: Network, memory: float) -> None:
        self.network = copy.deepcopy(network).eval().requires_grad_(False)
        self._memory = memory
        self._pairs: list[tuple[Tensor, Tensor]] | None = None

    def follow(self, network: Network, step: int) -> None:
        """After step ``step`` (from 0) of the network."""
        if self._pairs is None:
            ours, theirs = self.network.state_dict(), network.state_dict()
            self._pairs = [(ours[k], theirs[k]) for k in ours]
        share = 1.0 - min(self._memory, (1.0 + step) / (10.0 + step))
        with torch.no_grad():
            real = [(a, b) for a, b in self._pairs if a.is_floating_point()]
            torch._foreach_lerp_([a for a, _ in real], [b for _, b in real], share)
            for a, b in self._pairs:
                if not a.is_floating_point():
                    a.copy_(b)
