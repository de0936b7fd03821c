"""What a training run is: one TOML file, strict keys, every number in it.

``[machine]`` and ``[validation]`` say how a run is carried out and watched; everything else
decides which weights come out, so a run cannot be continued after any of it has changed.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from posestream.estimate.decode import DecodeSettings
from posestream.lift.rrmp import LiftSettings
from posestream.nn.hdnet import HdnetConfig
from posestream.nn.rrmp import RrmpConfig
from posestream.nn.unified import UnifiedConfig
from posestream.nn.weights import Kind
from posestream.training.composite import CompositeSettings
from posestream.training.targets import TargetSettings

Range = tuple[float, float]
Share = Annotated[float, Meta(ge=0.0, le=1.0)]


class NetworkSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which network, and its shape: the table of its kind counts."""

    kind: Annotated[Kind, Meta(description="Network.")] = "unified"
    rrmp: RrmpConfig = RrmpConfig()
    hdnet: HdnetConfig = HdnetConfig()
    unified: UnifiedConfig = UnifiedConfig()
    start: Annotated[
        str, Meta(description="Weight file of the same architecture to begin with, or nothing.")
    ] = ""

    trunk_start: Annotated[
        Literal["", "imagenet"],
        Meta(description="Published weights that the trunk begins with (trunk lite0)."),
    ] = ""
    trunk_held: Annotated[
        int, Meta(ge=0, le=5, description="First stages of the trunk lite0 that do not learn.")
    ] = 0

    @property
    def config(self) -> RrmpConfig | HdnetConfig | UnifiedConfig:
        """The shape of the network of this kind."""
        if self.kind == "rrmp":
            return self.rrmp
        return self.hdnet if self.kind == "hdnet" else self.unified

    @property
    def joints(self) -> Any:
        """Name of the joint set."""
        config = self.config
        return config.rrmp.joints if isinstance(config, UnifiedConfig) else config.joints


class AugmentSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a picture is changed before the network sees it. Shares are of the pictures."""

    fit: Annotated[
        Literal["person", "picture"],
        Meta(description="Scale a chosen person to ``person``, or the whole picture by ``zoom``."),
    ] = "person"
    person: Annotated[
        Range, Meta(description="Longer side of the chosen person, by the input's shorter one.")
    ] = (0.25, 1.15)
    zoom: Annotated[
        Range, Meta(description="Scale, beside the one that fits the picture into the input.")
    ] = (0.7, 1.6)
    turn_deg: Annotated[float, Meta(ge=0.0, le=180.0, description="Turned by up to this.")] = 15.0
    turn_share: Share = 0.4
    shift: Annotated[
        float, Meta(ge=0.0, le=1.0, description="Moved by up to this share of the input.")
    ] = 0.15
    flip_share: Share = 0.5
    colour: Annotated[
        float, Meta(ge=0.0, le=1.0, description="Strength of changes of hue and contrast.")
    ] = 0.25
    dim_share: Annotated[float, Meta(ge=0.0, le=1.0, description="Poor light.")] = 0.1
    grey_share: Share = 0.05
    blur_share: Annotated[float, Meta(ge=0.0, le=1.0, description="Motion blur.")] = 0.1
    noise_share: Share = 0.2
    jpeg_share: Share = 0.2
    small_share: Annotated[
        float, Meta(ge=0.0, le=1.0, description="Made small and large again.")
    ] = 0.1
    cover_share: Annotated[float, Meta(ge=0.0, le=1.0, description="Something in front.")] = 0.2


class Source(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a share of the pictures comes from."""

    name: Annotated[str, Meta(min_length=1, description="Shown in messages and logs.")]
    kind: Annotated[
        Literal["shards", "composite"],
        Meta(description="Pictures as they are, or people put before backgrounds."),
    ] = "shards"
    ratio: Annotated[float, Meta(gt=0.0, description="Weight among the sources.")] = 1.0
    shards: Annotated[
        tuple[str, ...], Meta(description="Patterns of shard files: pictures, or cut-out people.")
    ]
    backgrounds: Annotated[
        tuple[str, ...], Meta(description="Patterns of shard files (kind composite).")
    ] = ()
    pictures: Annotated[
        int, Meta(ge=0, description="Only the first so many; 0: all (kind shards).")
    ] = 0
    composite: CompositeSettings = CompositeSettings()
    augment: Annotated[
        AugmentSettings | None, Meta(description="Instead of the common augmentation.")
    ] = None


class DataSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Pictures for the network."""

    folder: Annotated[
        str, Meta(description="Patterns of shards begin here; relative to where you are.")
    ] = "runs/data"
    size_px: Annotated[
        tuple[Annotated[int, Meta(ge=32, le=1024)], Annotated[int, Meta(ge=32, le=1024)]],
        Meta(description="Width and height of the network's input, multiples of 32."),
    ] = (192, 192)
    sources: Annotated[tuple[Source, ...], Meta(min_length=1)]
    augment: AugmentSettings = AugmentSettings()
    targets: TargetSettings = TargetSettings()
    self_hidden: Annotated[
        bool, Meta(description="Joints hidden by nobody but their owner are peaks, too.")
    ] = True
    jitter_cells: Annotated[
        float, Meta(ge=0.0, description="People are given to the depth head this inexactly.")
    ] = 0.4
    drop_joint: Annotated[
        float, Meta(ge=0.0, lt=1.0, description="Share of joints withheld from the depth head.")
    ] = 0.1
    forget_height: Annotated[
        float, Meta(ge=0.0, le=1.0, description="Share of people whose height is withheld.")
    ] = 0.5


class LossSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What each part of the loss weighs."""

    heatmaps: Annotated[float, Meta(ge=0.0)] = 1.0
    pafs: Annotated[float, Meta(ge=0.0)] = 1.0
    locations: Annotated[float, Meta(ge=0.0)] = 1.0
    location_error: Annotated[
        Literal["squared", "distance"],
        Meta(description="Of a 3D joint: distance lets those that are far off pull less."),
    ] = "squared"
    peaks: Annotated[
        float, Meta(ge=0.0, description="Cells on a peak or limb weigh 1 + this, times the target.")
    ] = 0.0
    bins: Annotated[float, Meta(ge=0.0, description="Cross-entropy of depth bins.")] = 0.001
    bin_index: Annotated[float, Meta(ge=0.0, description="L1 of the depth's index.")] = 1.0
    pose: Annotated[float, Meta(ge=0.0, description="L1 of hdnet's joints.")] = 1.0
    halve_every: Annotated[
        int, Meta(ge=0, description="Steps in which hdnet's heatmaps and bins lose half; 0: never.")
    ] = 0


class OptimiserSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """AdamW with warm-up and a cosine."""

    rate: Annotated[float, Meta(gt=0.0, description="Highest learning rate.")] = 2e-3
    last_rate: Annotated[
        float, Meta(ge=0.0, le=1.0, description="Share of the rate that the cosine ends at.")
    ] = 0.01
    warm_up: Annotated[int, Meta(ge=0, description="Steps in which the rate rises.")] = 200
    schedule: Annotated[
        Literal["cosine", "steps"], Meta(description="Cosine, or times decay every decay_every.")
    ] = "cosine"
    decay: Annotated[float, Meta(gt=0.0, le=1.0)] = 0.8
    decay_every: Annotated[int, Meta(ge=1)] = 20_000
    weight_decay: Annotated[float, Meta(ge=0.0)] = 1e-4
    betas: Range = (0.9, 0.999)
    clip: Annotated[float, Meta(gt=0.0, description="Greatest norm of the gradient.")] = 1.0
    ema: Annotated[float, Meta(ge=0.0, lt=1.0, description="Memory of the averaged weights.")] = (
        0.998
    )
    batch: Annotated[int, Meta(ge=1, le=4096, description="Pictures a step, all together.")] = 16
    accumulate: Annotated[
        int, Meta(ge=1, description="Parts in which a batch goes through the network.")
    ] = 1
    steps: Annotated[int, Meta(ge=1)] = 10_000
    seed: Annotated[int, Meta(ge=0)] = 0
    precision: Annotated[Literal["bf16", "fp32"], Meta(description="Of the forward pass.")] = "bf16"


class ValidationSource(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Labelled pictures that were never trained on."""

    name: Annotated[str, Meta(min_length=1)]
    role: Annotated[
        Literal["real", "synthetic", "composite"],
        Meta(description="real: judged in 2D; the others in 2D, 3D and distance."),
    ]
    shards: tuple[str, ...]
    backgrounds: Annotated[
        tuple[str, ...], Meta(description="If given, shards are people to put before them.")
    ] = ()
    pictures: Annotated[int, Meta(ge=1, description="At most this many.")] = 200
    first: Annotated[
        bool, Meta(description="The first ones, not those spread evenly over the shards.")
    ] = False


class ValidationSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How weights are judged."""

    every: Annotated[int, Meta(ge=0, description="Steps; 0: only at the end.")] = 1000
    size_px: Annotated[
        tuple[Annotated[int, Meta(ge=32)], Annotated[int, Meta(ge=32)]],
        Meta(description="Width and height of the input, multiples of 32."),
    ] = (256, 256)
    sources: tuple[ValidationSource, ...] = ()
    decode: DecodeSettings = DecodeSettings()
    lift: LiftSettings = LiftSettings()
    choose: Annotated[bool, Meta(description="Choose the decoder's thresholds, too.")] = True


class MachineSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the run uses the machine: may change between its pieces."""

    device: Annotated[Literal["auto", "cpu", "cuda"], Meta(description="Where.")] = "auto"
    workers: Annotated[int, Meta(ge=0, le=128, description="Processes that make pictures.")] = 1
    prefetch: Annotated[int, Meta(ge=1, le=64, description="Batches ahead, per worker.")] = 4
    threads: Annotated[int, Meta(ge=0, description="Of the network on a CPU; 0: all.")] = 0
    compile: Annotated[bool, Meta(description="torch.compile.")] = False
    minutes: Annotated[float, Meta(ge=0.0, description="Stop cleanly after these; 0: never.")] = 0.0
    checkpoint_every: Annotated[int, Meta(ge=1, description="Steps.")] = 500
    log_every: Annotated[int, Meta(ge=1, description="Steps per row of the curves.")] = 20


class TrainConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A run."""

    name: Annotated[str, Meta(min_length=1, max_length=80, pattern=r"^[A-Za-z0-9][\w.-]*$")]
    network: NetworkSettings = NetworkSettings()
    data: DataSettings
    loss: LossSettings = LossSettings()
    optimiser: OptimiserSettings = OptimiserSettings()
    validation: ValidationSettings = ValidationSettings()
    machine: MachineSettings = MachineSettings()
