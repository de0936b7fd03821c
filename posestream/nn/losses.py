"""Losses. Every one is a mean over what its mask or weight leaves in, 0 where that is nothing."""

from __future__ import annotations

from typing import Final, NamedTuple

import torch
from torch import Tensor

from posestream.geometry.depth_bins import DepthBins
from posestream.nn.hdnet import HdnetOutput
from posestream.nn.rrmp import RrmpOutput

_SMOOTH_M: Final = 0.05


class MapLosses(NamedTuple):
    """RRMP's parts, unweighted."""

    heatmaps: Tensor
    pafs: Tensor
    locations: Tensor


class DepthLosses(NamedTuple):
    """HDNet's parts (eq. 2, 3, 8), unweighted."""

    heatmaps: Tensor
    pose: Tensor
    bins: Tensor
    bin_index: Tensor


class Weights(NamedTuple):
    """λ of HDNet eq. 9."""

    heatmaps: float
    pose: float
    bins: float
    bin_index: float


def masked_l2(predicted: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    """Mean squared difference where mask (broadcastable, ≥ 0) is not 0."""
    mask = mask.expand_as(target)
    return (mask * (predicted - target) ** 2).sum() / mask.sum().clamp_min(1.0)


def orpm_loss(predicted: Tensor, target: Tensor, mask: Tensor, distance: bool = False) -> Tensor:
    """L2 of location maps (B, 3J, h, w) near the read-out places; mask (B, J, h, w).

    The mean is taken per joint first, so that joints with many places weigh no more.
    ``distance``: of the 3D distances instead of their squares, smooth below 5 cm.
    """
    b, channels, h, w = target.shape
    error = ((predicted - target) ** 2).reshape(b, channels // 3, 3, h, w).sum(dim=2)
    if distance:
        error = (error + _SMOOTH_M**2).sqrt() - _SMOOTH_M
    count = mask.sum(dim=(0, 2, 3))
    per_joint = (mask * error).sum(dim=(0, 2, 3)) / count.clamp_min(1.0)
    return per_joint.sum() / (count > 0).sum().clamp_min(1)


def rrmp_losses(
    output: RrmpOutput,
    heatmaps: Tensor,
    heat_mask: Tensor,
    pafs: Tensor,
    paf_mask: Tensor,
    locations: Tensor,
    location_mask: Tensor,
    location_distance: bool = False,
) -> MapLosses:
    """Losses of all stages, summed; targets and masks as in ``training.targets.MapTargets``."""
    paf_mask = paf_mask.repeat_interleave(2, dim=1)
    heat = sum((masked_l2(h, heatmaps, heat_mask) for h, _ in output.stages), torch.zeros(()))
    paf = sum((masked_l2(p, pafs, paf_mask) for _, p in output.stages), torch.zeros(()))
    if output.heatmaps_3d is not None:
        heat = heat + masked_l2(output.heatmaps_3d, heatmaps, heat_mask)
    place = orpm_loss(output.locations, locations, location_mask, location_distance)
    return MapLosses(heat, paf, place)


def bin_losses(
    logits: Tensor, target: Tensor, index: Tensor, known: Tensor
) -> tuple[Tensor, Tensor]:
    """Cross-entropy with the soft bins and L1 of the index on b / (N_B - 1) (HDNet eq. 8).

    ``logits`` and ``target`` (N, N_B), ``index`` and ``known`` (N,).
    """
    count = known.sum().clamp_min(1.0)
    log_p = torch.log_softmax(logits, dim=1)
    entropy = -(target * log_p).sum(dim=1)
    numbers = torch.arange(logits.shape[1], dtype=logits.dtype, device=logits.device)
    error = (log_p.exp() @ numbers - index).abs() / (logits.shape[1] - 1)
    return (entropy * known).sum() / count, (error * known).sum() / count


def depth_value_loss(predicted: Tensor, index: Tensor, known: Tensor, bins: DepthBins) -> Tensor:
    """L1 on d/f for the direct regression of table 6; ``predicted`` (N, 1) in mm/px."""
    ratio = torch.tensor(bins.far / bins.near, dtype=predicted.dtype, device=predicted.device)
    truth = bins.near * ratio ** (index / (bins.count - 1))
    return ((predicted[:, 0] - truth).abs() * known).sum() / known.sum().clamp_min(1.0)


def hdnet_losses(
    output: HdnetOutput,
    heatmaps: Tensor,
    uv: Tensor,
    joint_known: Tensor,
    rays_per_cell: Tensor,
    bins: Tensor,
    index: Tensor,
    depth_known: Tensor,
    settings: DepthBins,
) -> DepthLosses:
    """HDNet eq. 2, 3 and 8 for one patch per person.

    ``heatmaps`` (B, J, h, w) sum to 1; ``uv`` (B, J, 2) cells; ``joint_known`` (B, J);
    ``rays_per_cell`` (B,) = pixels per cell / f: it turns the pose L1 into (u - c)/f, the unit
    in which the authors' weights hold. With direct regression ``index`` is the L1 on d/f and
    ``bins`` is 0.
    """
    mask = joint_known[..., None, None].to(heatmaps.dtype)
    heat = masked_l2(output.heatmaps, heatmaps, mask)
    error = (output.uv - torch.where(joint_known[..., None] > 0, uv, output.uv)).abs().sum(dim=2)
    pose = (error * rays_per_cell[:, None]).sum() / joint_known.sum().clamp_min(1.0)
    if output.depth.shape[1] == 1:
        value = depth_value_loss(output.depth, index, depth_known, settings)
        return DepthLosses(heat, pose, torch.zeros_like(value), value)
    return DepthLosses(heat, pose, *bin_losses(output.depth, bins, index, depth_known))


def paper_weights(step: int, steps_per_epoch: int = 2000) -> Weights:
    """The authors' λ: 10·0.5^(epoch/10), 1, 1e-3·0.5^(epoch/10), 1."""
    decay = 0.5 ** (step / steps_per_epoch / 10.0)
    return Weights(10.0 * decay, 1.0, 1e-3 * decay, 1.0)


def weighted(losses: DepthLosses, weights: Weights) -> Tensor:
    """HDNet eq. 9."""
    parts = zip(weights, losses, strict=True)
    return sum((weight * loss for weight, loss in parts), torch.zeros_like(losses.pose))
