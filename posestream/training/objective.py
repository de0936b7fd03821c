"""From a batch to the loss that is to fall, for each kind of network."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from posestream.nn.hdnet import Hdnet
from posestream.nn.losses import bin_losses, hdnet_losses, rrmp_losses
from posestream.nn.rrmp import Rrmp, RrmpOutput
from posestream.nn.unified import People, Unified, ray_maps
from posestream.nn.weights import Network
from posestream.training.config import LossSettings
from posestream.training.example import Batch

Parts = dict[str, Tensor]
"""Unweighted losses by the name of their weight in ``LossSettings``."""

_LEAST_SCORE = 0.05  # of a joint that is there, however little heat the network gives it


def losses(network: Network, batch: Batch, settings: LossSettings, forward: Any = None) -> Parts:
    """All parts; ``forward`` is the network's compiled twin, if there is one."""
    run = network if forward is None else forward
    if isinstance(network, Hdnet):
        return _hdnet(run, batch, network)
    image = to_input(batch["image"])
    if isinstance(network, Rrmp):
        return _maps(run(image), batch, settings)
    out = run(image, ray_maps(batch["K"], _cells(batch)) if network.config.camera else None)
    return _maps(out.rrmp, batch, settings) | _depth(network, out, batch)


def total(parts: Parts, settings: LossSettings, step: int) -> Tensor:
    """The weighted sum."""
    fading = 0.5 ** (step / settings.halve_every) if settings.halve_every else 1.0
    weight = {name: getattr(settings, name) for name in parts}
    if "pose" in parts:
        weight["heatmaps"] *= fading
        weight["bins"] *= fading
    return torch.stack([weight[name] * part for name, part in parts.items()]).sum()


def to_input(image: Tensor) -> Tensor:
    """uint8 pictures to [-1, 1], as ``network_input`` of the live back end."""
    x = image.to(torch.float32) * (1.0 / 127.5) - 1.0
    return x.contiguous(memory_format=torch.channels_last)


def _cells(batch: Batch) -> tuple[int, int]:
    h, w = batch["image"].shape[-2:]
    return h // Rrmp.stride, w // Rrmp.stride


def _maps(out: RrmpOutput, batch: Batch, settings: LossSettings) -> Parts:
    out = RrmpOutput(
        [(h.float(), p.float()) for h, p in out.stages],
        out.locations.float(),
        None if out.heatmaps_3d is None else out.heatmaps_3d.float(),
        out.backbone,
        out.rendered,
    )
    heat, pafs = batch["heatmaps"].float(), batch["pafs"].float()
    heat_mask, paf_mask = batch["heat_mask"].float(), batch["paf_mask"].float()
    if settings.peaks > 0.0:
        present = torch.cat([heat[:, :-1], 1.0 - heat[:, -1:]], dim=1)
        heat_mask = heat_mask * (1.0 + settings.peaks * present)
        on_limb = torch.stack([pafs[:, 0::2], pafs[:, 1::2]], dim=2).abs().amax(dim=2)
        paf_mask = paf_mask * (1.0 + settings.peaks * on_limb)
    parts = rrmp_losses(
        out, heat, heat_mask, pafs, paf_mask,
        batch["locations"].float(), batch["location_mask"].float(),
        settings.location_error == "distance",
    )  # fmt: skip
    return {"heatmaps": parts.heatmaps, "pafs": parts.pafs, "locations": parts.locations}


def _depth(network: Unified, out: Any, batch: Batch) -> Parts:
    """Bins of the people whose depth is known; 0 where there is nobody."""
    features = out.depth_features.float()
    if len(batch["xy"]) < 2:  # batch norm needs two
        nothing = features.sum() * 0.0
        return {"bins": nothing, "bin_index": nothing}
    heatmaps = out.rrmp.stages[-1][0].detach().float()
    people = _found(heatmaps, batch)
    with torch.autocast(features.device.type, enabled=False):
        logits = network.depth(features, heatmaps, people)
    entropy, index = bin_losses(
        logits, batch["bins"], batch["index"], torch.ones_like(batch["index"])
    )
    return {"bins": entropy, "bin_index": index}


def _found(heatmaps: Tensor, batch: Batch) -> People:
    """True people with the scores that the network's own heat would give them."""
    h, w = heatmaps.shape[-2:]
    xy, there, picture = batch["xy"], batch["there"], batch["picture"]
    cell = xy.round().long()
    x, y = cell[..., 0].clamp(0, w - 1), cell[..., 1].clamp(0, h - 1)
    joint = torch.arange(xy.shape[1], device=xy.device)
    heat = heatmaps[picture[:, None], joint, y, x].clamp(_LEAST_SCORE, 1.0)
    return People(xy, heat * there, picture, batch["height"])


def _hdnet(run: Callable[..., Any], batch: Batch, network: Hdnet) -> Parts:
    out = run(to_input(batch["image"]), batch["mask"].float())
    out = type(out)(*(x.float() for x in out))
    parts = hdnet_losses(
        out, batch["heatmaps"].float(), batch["uv"], batch["joint_known"], batch["rays_per_cell"],
        batch["bins"], batch["index"], batch["depth_known"], network.config.bins,
    )  # fmt: skip
    return dict(zip(parts._fields, parts, strict=True))
