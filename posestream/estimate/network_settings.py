"""Settings of our own networks: the back ends ``rrmp`` and ``torch``, and HDNet behind any."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from posestream.estimate.decode import DecodeSettings

Side = Annotated[int, Meta(ge=64, le=4096, multiple_of=8)]


class RrmpSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Weight files and how they are run."""

    maps: Annotated[
        str,
        Meta(description="ONNX file that gives the maps, or a shipped name; empty: the newest."),
    ] = ""
    head: Annotated[
        str,
        Meta(description="ONNX file of the depth head; auto: the one beside the maps; empty: none"),
    ] = "auto"
    weights: Annotated[
        str, Meta(description="Back end torch: the .pt file that training saved.")
    ] = ""
    device: Annotated[
        Literal["auto", "cpu", "cuda"],
        Meta(description="Back end torch: where it runs; auto: on the graphics card if there is."),
    ] = "auto"
    latency_goal_ms: Annotated[
        float,
        Meta(ge=0.0, le=1000.0, description="Shrink a free input to take no longer; 0: never."),
    ] = 0.0
    width_px: Annotated[Side, Meta(description="Input of networks that take any size.")] = 448
    height_px: Annotated[Side, Meta(description="Input of networks that take any size.")] = 256
    threads: Annotated[
        int, Meta(ge=0, le=64, description="Threads; 0: as many as there are cores.")
    ] = 0
    decode: DecodeSettings = DecodeSettings()


class HdnetSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A network that judges everybody's distance from a patch; off unless a file is named."""

    weights: Annotated[
        str,
        Meta(description="ONNX or .pt file of an HDNet, or a shipped name; empty: off."),
    ] = ""
    patch: Annotated[
        Literal["person", "fixed"],
        Meta(description="Patches and f to each one's measure, or both the whole picture's."),
    ] = "person"
    fixed_px: Annotated[
        int, Meta(ge=32, le=8192, description="Side of fixed patches, in the picture's pixels.")
    ] = 1024
    size_px: Annotated[
        int,
        Meta(ge=64, le=1024, multiple_of=32, description="What .pt files see of a patch, pixels."),
    ] = 256
    min_joint_score: Annotated[
        float, Meta(ge=0.0, le=1.0, description="Joints less sure do not count for the patch.")
    ] = 0.2
    device: Annotated[
        Literal["auto", "cpu", "cuda"],
        Meta(description="Where a .pt file runs; auto: on the graphics card if there is one."),
    ] = "auto"
    threads: Annotated[
        int, Meta(ge=0, le=64, description="Threads; 0: as many as there are cores.")
    ] = 0
