"""Building blocks shared by the networks. Maps are (B, C, h, w)."""

from __future__ import annotations

from torch import Tensor, nn


def round_channels(channels: float, multiple: int = 8) -> int:
    """The nearest multiple, at least one: what int8 kernels like."""
    return max(multiple, int(channels / multiple + 0.5) * multiple)


class ConvBnAct(nn.Sequential):
    """Convolution, batch norm, ReLU; "same" padding."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int = 3,
        stride: int = 1,
        dilation: int = 1,
        groups: int = 1,
        act: bool = True,
    ) -> None:
        padding = dilation * (kernel - 1) // 2
        super().__init__(
            nn.Conv2d(
                inputs, outputs, kernel, stride, padding, dilation, groups=groups, bias=False
            ),
            nn.BatchNorm2d(outputs),
            *([nn.ReLU(inplace=True)] if act else []),
        )


class Separable(nn.Sequential):
    """Depthwise-separable convolution: one 3×3 filter per channel, then 1×1 across them."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1, dilation: int = 1) -> None:
        super().__init__(
            ConvBnAct(inputs, inputs, 3, stride, dilation, groups=inputs),
            ConvBnAct(inputs, outputs, 1),
        )


class ResidualSeparable(nn.Module):
    """Two separable convolutions beside the identity."""

    def __init__(self, channels: int, dilation: int = 1) -> None:
        super().__init__()
        self.body = nn.Sequential(
            Separable(channels, channels, dilation=dilation), Separable(channels, channels)
        )

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = x + self.body(x)
        return y


class Bottleneck(nn.Module):
    """ResNet's bottleneck: 1×1, 3×3, 1×1 with a shortcut; ``outputs`` is 4 × the middle."""

    def __init__(self, inputs: int, middle: int, stride: int = 1, dilation: int = 1) -> None:
        super().__init__()
        outputs = 4 * middle
        self.body = nn.Sequential(
            ConvBnAct(inputs, middle, 1),
            ConvBnAct(middle, middle, 3, stride, dilation),
            ConvBnAct(middle, outputs, 1, act=False),
        )
        changes = stride != 1 or inputs != outputs
        self.shortcut = (
            ConvBnAct(inputs, outputs, 1, stride, act=False) if changes else nn.Identity()
        )
        self.act = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.act(self.body(x) + self.shortcut(x))
        return y


class Head(nn.Sequential):
    """Two 1×1 convolutions to raw output maps; small initial outputs."""

    def __init__(self, inputs: int, hidden: int, outputs: int) -> None:
        last = nn.Conv2d(hidden, outputs, 1)
        nn.init.normal_(last.weight, std=0.01)
        if last.bias is not None:
            nn.init.zeros_(last.bias)
        super().__init__(ConvBnAct(inputs, hidden, 1), last)


def initialize(module: nn.Module) -> None:
    """He's initialisation for every convolution that is followed by batch norm."""
    for part in module.modules():
        if isinstance(part, nn.Conv2d) and part.bias is None:
            nn.init.kaiming_normal_(part.weight, mode="fan_out", nonlinearity="relu")
