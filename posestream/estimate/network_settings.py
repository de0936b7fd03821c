"""Settings of the back ends that run our own networks: ``rrmp`` and ``torch``."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from posestream.estimate.decode import DecodeSettings

Side = Annotated[int, Meta(ge=64, le=4096, multiple_of=8)]


class RrmpSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Weight files and how they are run."""

    maps: Annotated[
        str, Meta(description="ONNX file that gives the maps; empty: the newest that ships.")
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
    width_px: Annotated[Side, Meta(description="Input of networks that take any size.")] = 448
    height_px: Annotated[Side, Meta(description="Input of networks that take any size.")] = 256
    threads: Annotated[
        int, Meta(ge=0, le=64, description="Threads; 0: as many as there are cores.")
    ] = 0
    decode: DecodeSettings = DecodeSettings()
