"""RRMP: residual to render multi-level perspectives, one pass for all people.

Picture → backbone F_b → R = φ(F_b) (eq. 3) → R' = F_b + R (eq. 4) → initial stage → refinement
stages (heatmaps, part affinity fields) → location maps. Section III's depthwise-separable
backbone by default; section IV's ResNet with two tails as a configuration.
"""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple

import msgspec
import torch
from torch import Tensor, nn

from posestream.nn.blocks import (
    ConvBnAct,
    Head,
    ResidualSeparable,
    Separable,
    initialize,
    round_channels,
)
from posestream.nn.lite_trunk import LiteTrunk
from posestream.nn.trunks import ResNet, SeparableTrunk
from posestream.skeleton.network import JointSetName, network_skeleton

_WIDE = 192  # channels after the backbone, at width 1


class RrmpConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Shape of the network."""

    joints: Annotated[JointSetName, msgspec.Meta(description="Joint set.")] = "mupots17"
    width: Annotated[
        float, msgspec.Meta(gt=0.0, le=2.0, description="Multiplies all channel counts.")
    ] = 1.0
    trunk: Annotated[
        Literal["separable", "resnet", "lite0"],
        msgspec.Meta(description="Section III, section IV, or EfficientNet-Lite0's."),
    ] = "separable"
    residual: Annotated[
        Literal["paper", "none"],
        msgspec.Meta(description="R' = F_b + φ(F_b) (eq. 4), or φ(F_b) alone (eq. 3)."),
    ] = "paper"
    tails: Annotated[
        Literal["stages", "streams"],
        msgspec.Meta(description="2D stages that feed the 3D tail, or two parallel streams."),
    ] = "stages"
    refinements: Annotated[
        int, msgspec.Meta(ge=0, le=6, description="Refinement stages after the initial one.")
    ] = 1
    resnet_blocks: Annotated[
        tuple[Annotated[int, msgspec.Meta(ge=1, le=48)], ...],
        msgspec.Meta(
            min_length=1, max_length=4, description="Bottlenecks per layer of the ResNet trunk."
        ),
    ] = (3, 4, 6)


SECTION_IV = RrmpConfig(trunk="resnet", tails="streams", refinements=0)
"""ResNet trunk, a 2D + affinity stream and a 3D stream with heatmaps of its own."""


class RrmpMaps(NamedTuple):
    """Raw maps at stride 8."""

    heatmaps: Tensor  # (B, J+1, h, w)
    pafs: Tensor  # (B, 2L, h, w)
    locations: Tensor  # (B, 3J, h, w) metres


class RrmpOutput(NamedTuple):
    """What training sees: the maps of every stage, and the features F_b and R'."""

    stages: list[tuple[Tensor, Tensor]]  # heatmaps, pafs; the last is the answer
    locations: Tensor
    heatmaps_3d: Tensor | None  # of the 3D stream (section IV), else None
    backbone: Tensor  # F_b (B, C, h, w)
    rendered: Tensor  # R' (B, C, h, w)

    @property
    def maps(self) -> RrmpMaps:
        """The answer alone."""
        heatmaps, pafs = self.stages[-1]
        return RrmpMaps(heatmaps, pafs, self.locations)


class Perspective(nn.Sequential):
    """φ, the multi-level perspective block: separable convolutions that look ever wider."""

    def __init__(self, channels: int) -> None:
        super().__init__(
            Separable(channels, channels),
            Separable(channels, channels, dilation=2),
            Separable(channels, channels, dilation=4),
        )


class Stage2D(nn.Module):
    """Features to heatmaps (B, J+1, h, w) and affinity fields (B, 2L, h, w)."""

    def __init__(self, body: nn.Module, channels: int, joints: int, limbs: int) -> None:
        super().__init__()
        self.body = body
        self.heat = Head(channels, 2 * channels, joints + 1)
        self.paf = Head(channels, 2 * channels, 2 * limbs)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        x = self.body(x)
        return self.heat(x), self.paf(x)


def _refiner(inputs: int, channels: int, blocks: int) -> nn.Sequential:
    layers = [ResidualSeparable(channels, dilation=1 + i % 2) for i in range(blocks)]
    return nn.Sequential(ConvBnAct(inputs, channels, 1), *layers)


class Rrmp(nn.Module):
    """The network. Input (B, 3, H, W), H and W multiples of 8, values in [-1, 1]."""

    stride = 8

    def __init__(self, config: RrmpConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or RrmpConfig()
        skeleton = network_skeleton(config.joints)
        joints, limbs = skeleton.num_joints, skeleton.num_limbs
        c = self.channels = round_channels(_WIDE * config.width)
        self.trunk, deep = _trunk(config)
        self.align = ConvBnAct(deep, c, 1)
        self.perspective = Perspective(c)
        layers = [Separable(c, c) for _ in range(3)]
        self.initial = Stage2D(nn.Sequential(*layers), c, joints, limbs)
        maps = joints + 1 + 2 * limbs
        self.refinements = nn.ModuleList(
            Stage2D(_refiner(c + maps, c, 2), c, joints, limbs) for _ in range(config.refinements)
        )
        streams = config.tails == "streams"
        self.body_3d = _refiner(c if streams else c + maps, c, 2)
        self.location = Head(c, 2 * c, 3 * joints)
        self.heat_3d = Head(c, 2 * c, joints + 1) if streams else None
        initialize(self)

    def features(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """F_b and R' (eq. 3, 4), both (B, C, h, w)."""
        deep = self.trunk(image)
        backbone: Tensor = self.align(deep[-1] if isinstance(deep, list) else deep)
        rendered: Tensor = self.perspective(backbone)
        return backbone, rendered + backbone if self.config.residual == "paper" else rendered

    def forward(self, image: Tensor) -> RrmpOutput:
        """All stages; ``.maps`` of the result is the answer."""
        backbone, rendered = self.features(image)
        stages: list[tuple[Tensor, Tensor]] = [self.initial(rendered)]
        for stage in self.refinements:
            stages.append(stage(torch.cat([rendered, *stages[-1]], dim=1)))
        alone = self.heat_3d is not None
        deep = self.body_3d(rendered if alone else torch.cat([rendered, *stages[-1]], dim=1))
        heat_3d = self.heat_3d(deep) if self.heat_3d is not None else None
        return RrmpOutput(stages, self.location(deep), heat_3d, backbone, rendered)


def _trunk(config: RrmpConfig) -> tuple[nn.Module, int]:
    """The backbone and the number of its channels."""
    if config.trunk == "resnet":
        resnet = ResNet(config.width, config.resnet_blocks, dilated=True)
        return resnet, resnet.channels[-1]
    if config.trunk == "lite0":
        lite = LiteTrunk()
        return lite, lite.channels
    separable = SeparableTrunk(config.width)
    return separable, separable.channels
