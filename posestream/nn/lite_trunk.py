"""EfficientNet-Lite0 as a trunk: depthwise-separable, and there are weights that know ImageNet.

Blocks 0 to 10 of it, that is down to stride 16; what they see is put beside the features of
stride 8. The layers and their order are the published ones, so that published weights fit.
"""

from __future__ import annotations

from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_STEM: Final = 32
_STAGES: Final = (  # channels, blocks, kernel, stride, expansion
    (16, 1, 3, 1, 1),
    (24, 2, 3, 2, 6),
    (40, 2, 5, 2, 6),
    (80, 3, 3, 2, 6),
    (112, 3, 5, 1, 6),
)
_FINE: Final = 2  # the last stage of stride 8
_EPS: Final = 1e-3  # of the batch norms in the published weights


class _Conv(nn.Sequential):
    """Convolution, batch norm, and ReLU6 where ``act``."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1,
        act: bool = True,
    ) -> None:  # fmt: skip
        super().__init__(
            nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False),
            nn.BatchNorm2d(outputs, eps=_EPS),
            *([nn.ReLU6(inplace=True)] if act else []),
        )


class Inverted(nn.Module):
    """Inverted bottleneck: wider by 1×1, one filter per channel, narrower by 1×1, a shortcut."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        wide = inputs * expansion
        self.body = nn.Sequential(
            *([_Conv(inputs, wide, 1)] if expansion > 1 else []),
            _Conv(wide, wide, kernel, stride, groups=wide),
            _Conv(wide, outputs, 1, act=False),
        )
        self.shortcut = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.body(x)
        return x + y if self.shortcut else y


class LiteTrunk(nn.Module):
    """Features (B, 152, h, w) at stride 8: 40 of stride 8 and 112 of stride 16, enlarged."""

    stride = 8

    def __init__(self) -> None:
        super().__init__()
        self.stem = _Conv(3, _STEM, 3, stride=2)
        inputs, self.stages = _STEM, nn.ModuleList()
        for outputs, count, kernel, stride, expansion in _STAGES:
            first = Inverted(inputs, outputs, kernel, stride, expansion)
            rest = [Inverted(outputs, outputs, kernel, 1, expansion) for _ in range(count - 1)]
            self.stages.append(nn.Sequential(first, *rest))
            inputs = outputs
        self.channels = _STAGES[_FINE][0] + inputs

    def hold(self, stages: int) -> None:
        """Keep the stem and the first stages as they are, their batch norms too."""
        for part in [self.stem, *self.stages][: stages + 1] if stages else []:
            part.eval().requires_grad_(False)

    def forward(self, image: Tensor) -> Tensor:
        x = self.stem(image)
        fine = x
        for number, stage in enumerate(self.stages):
            x = stage(x)
            fine = x if number == _FINE else fine
        h, w = fine.shape[-2:]
        return torch.cat([fine, F.interpolate(x, scale_factor=2.0)[..., :h, :w]], dim=1)


def published(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """State of a LiteTrunk from that of the published network, matched in order.

    Raises ValueError if they do not fit.
    """
    theirs = [v for k, v in weights.items() if k.startswith(("_conv_stem", "_bn0", "_blocks"))]
    ours = LiteTrunk().state_dict()
    pairs = list(zip(ours.items(), theirs, strict=False))
    if len(pairs) < len(ours) or any(a.shape != b.shape for (_, a), b in pairs):
        raise ValueError("not the weights of EfficientNet-Lite0")
    return {name: value.clone() for (name, _), value in pairs}
