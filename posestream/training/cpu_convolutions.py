"""Depthwise convolutions that strain a CPU's kernels, computed another way while training.

The backward pass of bf16 depthwise kernels with dilation, stride or five taps a side is four to
ten times slower than that of plain ones. A dilated convolution is a plain one on each phase of
the map; the others are left to single precision. Weights, their names and the results stay.
"""

from __future__ import annotations

from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def ease(network: nn.Module) -> None:
    """Let the network's depthwise convolutions take the quick way; for CPUs."""
    for module in network.modules():
        if not isinstance(module, nn.Conv2d) or module.groups == 1:
            continue
        dilation, same = module.dilation[0], module.padding == module.dilation
        if module.stride != (1, 1) or module.kernel_size == (5, 5):
            module.forward = partial(_single, module)  # type: ignore[method-assign]
        elif dilation > 1 and same and module.kernel_size == (3, 3):
            module.forward = partial(_by_phases, module)  # type: ignore[method-assign]


def _single(module: nn.Conv2d, x: Tensor) -> Tensor:
    """In single precision, whatever autocast says."""
    plain = not module.weight.requires_grad and not x.requires_grad  # nothing goes back
    if plain or (x.dtype == torch.float32 and not torch.is_autocast_enabled(x.device.type)):
        return nn.Conv2d.forward(module, x)
    half = torch.get_autocast_dtype(x.device.type)
    with torch.autocast(x.device.type, enabled=False):
        return nn.Conv2d.forward(module, x.float()).to(half)


def _by_phases(module: nn.Conv2d, x: Tensor) -> Tensor:
    """As a plain convolution of the d × d maps of every d-th row and column."""
    d = module.dilation[0]
    b, c, h, w = x.shape
    if h % d or w % d:
        return nn.Conv2d.forward(module, x)
    phases = x.permute(0, 2, 3, 1).reshape(b, h // d, d, w // d, d, c).permute(0, 2, 4, 1, 3, 5)
    phases = phases.reshape(b * d * d, h // d, w // d, c).permute(0, 3, 1, 2)
    y = F.conv2d(phases, module.weight, module.bias, padding=1, groups=module.groups)
    y = y.permute(0, 2, 3, 1).reshape(b, d, d, h // d, w // d, c).permute(0, 3, 1, 4, 2, 5)
    return y.reshape(b, h, w, c).permute(0, 3, 1, 2)
