"""What a run begins with: the device, reproducible arithmetic, the network."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from posestream.errors import TrainingError, WeightsError
from posestream.nn import weights
from posestream.training.config import TrainConfig
from posestream.training.pretrained import begin_with_imagenet, lite_trunk
from posestream.training.ranks import Ranks


def device_for(config: TrainConfig) -> torch.device:
    """The device that the configuration names. Raises TrainingError if there is none."""
    wanted = config.machine.device
    if wanted == "cuda" and not torch.cuda.is_available():
        raise TrainingError('There is no CUDA device: set machine.device = "cpu".')
    return torch.device("cuda" if wanted != "cpu" and torch.cuda.is_available() else "cpu")


@contextmanager
def arithmetic(config: TrainConfig, device: torch.device, ranks: Ranks) -> Iterator[None]:
    """Threads, and on a CPU the same bits every time; afterwards as before."""
    if device.type == "cuda":
        torch.cuda.set_device(ranks.local)
        torch.backends.cudnn.benchmark = True
        yield
        return
    threads, exact = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    if config.machine.threads:
        torch.set_num_threads(config.machine.threads)
    torch.use_deterministic_algorithms(True)
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        torch.use_deterministic_algorithms(exact)


def new_network(config: TrainConfig) -> weights.Network:
    """A new network, the same for the same seed, or the one that the run begins with."""
    torch.manual_seed(config.optimiser.seed)
    network = weights.build(config.network.kind, config.network.config)
    if config.network.trunk_start:
        begin_with_imagenet(network)
    if config.network.start:
        try:
            weights.load_into(config.network.start, network)
        except WeightsError as error:
            raise TrainingError(f"network.start: {error}") from error
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return network


def learning(network: torch.nn.Module, held: int) -> None:
    """Training mode, but for the first ``held`` stages of the trunk."""
    network.train()
    trunk = lite_trunk(network)
    if trunk is not None:
        trunk.hold(held)


def clear_gradients(network: torch.nn.Module) -> None:
    """Zero gradients for every weight, whether this batch reaches it or not."""
    for parameter in network.parameters():
        if not parameter.requires_grad:
            continue
        if parameter.grad is None:
            parameter.grad = torch.zeros_like(parameter)
        else:
            parameter.grad.zero_()
