"""Trunks: from a picture to features, at one scale or at four."""

from __future__ import annotations

from torch import Tensor, nn

from posestream.nn.blocks import Bottleneck, ConvBnAct, Separable, round_channels


class SeparableTrunk(nn.Sequential):
    """Depthwise-separable backbone of stride 8 with a dilated tail (RRMP section III).

    The tail has dilation instead of a fourth stride: a wide view at unchanged resolution.
    """

    stride = 8

    def __init__(self, width: float) -> None:
        c32, c64, c128, c256, c512 = (round_channels(c * width) for c in (32, 64, 128, 256, 512))
        super().__init__(
            ConvBnAct(3, c32, 3, stride=2),
            Separable(c32, c64),
            Separable(c64, c128, stride=2),
            Separable(c128, c128),
            Separable(c128, c256, stride=2),
            Separable(c256, c256),
            Separable(c256, c512),
            Separable(c512, c512, dilation=2),
            Separable(c512, c512, dilation=2),
            Separable(c512, c512),
        )
        self.channels = c512


def resnet_layer(
    inputs: int, middle: int, blocks: int, stride: int, dilation: int
) -> nn.Sequential:
    """One of ResNet's four layers; the first block strides."""
    first = Bottleneck(inputs, middle, stride, dilation)
    rest = [Bottleneck(4 * middle, middle, 1, dilation) for _ in range(blocks - 1)]
    return nn.Sequential(first, *rest)


class ResNet(nn.Module):
    """ResNet-50 by default: features (C2, C3, C4, C5) at strides 4, 8, 16, 32.

    ``dilated`` keeps C4 and C5 at stride 8; ``layers`` may leave out the last ones.
    """

    def __init__(
        self, width: float = 1.0, blocks: tuple[int, ...] = (3, 4, 6, 3), dilated: bool = False
    ) -> None:
        super().__init__()
        stem = round_channels(64 * width)
        self.stem = nn.Sequential(ConvBnAct(3, stem, 7, stride=2), nn.MaxPool2d(3, 2, padding=1))
        self.layers = nn.ModuleList()
        self.channels: list[int] = []
        inputs = stem
        for level, count in enumerate(blocks):
            middle = round_channels(64 * width * 2**level)
            late = dilated and level >= 2
            stride = 1 if level == 0 or late else 2
            dilation = 2 ** (level - 1) if late else 1
            self.layers.append(resnet_layer(inputs, middle, count, stride, dilation))
            inputs = 4 * middle
            self.channels.append(inputs)

    def forward(self, x: Tensor) -> list[Tensor]:
        x = self.stem(x)
        features: list[Tensor] = []
        for layer in self.layers:
            x = layer(x)
            features.append(x)
        return features


class LightPyramid(nn.Module):
    """Separable features at strides 4, 8, 16, 32: the light stand-in for ResNet-50."""

    def __init__(self, width: float = 1.0) -> None:
        super().__init__()
        stem, *levels = (round_channels(c * width) for c in (32, 64, 128, 256, 384))
        self.stem = ConvBnAct(3, stem, 3, stride=2)
        self.layers = nn.ModuleList()
        inputs = stem
        for outputs in levels:
            self.layers.append(
                nn.Sequential(Separable(inputs, outputs, stride=2), Separable(outputs, outputs))
            )
            inputs = outputs
        self.channels = levels

    def forward(self, x: Tensor) -> list[Tensor]:
        x = self.stem(x)
        features: list[Tensor] = []
        for layer in self.layers:
            x = layer(x)
            features.append(x)
        return features
