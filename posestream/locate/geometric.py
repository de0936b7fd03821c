"""Distance from geometry alone: the translation that lays a person's 3D joints on its 2D ones.

With ray (x, y, 1) through a joint's pixel and the joint at (X, Y, Z) from the root, the root
(t_x, t_y, t_z) fulfils t_x - x t_z = x Z - X and t_y - y t_z = y Z - Y: linear in t. The
weighted least squares has a closed form; a fixed number of reweighted rounds turns metres
into reprojection errors and silences outliers.
"""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple

import msgspec
import numpy as np

from posestream.arrays import F64, I64, Bool
from posestream.geometry.camera import normalized_rays
from posestream.skeleton.joints import NUM_JOINTS
from posestream.types import Camera, People2D, PeopleCam, PeopleRoot

_ROUNDS = 6
_CUT = 2.0 * 1.4826  # robust width in medians: two standard deviations of a normal error
_FLOOR = 1e-3  # smallest robust width, as a share of the distance
_PAIRS = np.triu_indices(NUM_JOINTS, 1)
_MIN_SPREAD = 1e-3  # of the rays: smaller people have no measurable distance


_Scale = Annotated[float, msgspec.Meta(ge=0.2, le=3.0)]


class LocateSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How people are placed in front of the camera."""

    method: Annotated[
        Literal["auto", "hdnet", "geometric"],
        msgspec.Meta(
            description="Learnt distance or geometry; auto: both, weighed, if one is learnt."
        ),
    ] = "auto"
    min_joint_score: Annotated[
        float, msgspec.Meta(ge=0.0, le=1.0, description="Joints less sure are not measured.")
    ] = 0.2
    min_joints: Annotated[
        int, msgspec.Meta(ge=3, le=20, description="Fewer joints give no distance.")
    ] = 4
    min_depth_m: Annotated[
        float, msgspec.Meta(ge=0.01, le=1.0, description="Nobody is nearer than this.")
    ] = 0.1
    body_scale_std: Annotated[
        float,
        msgspec.Meta(ge=0.0, le=1.0, description="How much bodies differ from their 3D in size."),
    ] = 0.05
    body_scale: Annotated[
        tuple[_Scale, ...],
        msgspec.Meta(max_length=64, description="True size by the estimated, for each slot."),
    ] = ()


class _Fit(NamedTuple):
    root: F64  # (N, 3)
    spread: F64  # (N,) weighted sum of the squared distances of rays from their mean


def locate(
    people2d: People2D,
    root3d: PeopleRoot,
    camera: Camera,
    settings: LocateSettings | None = None,
    body_scale: F64 | None = None,
) -> PeopleCam:
    """Place every person; all at once, in closed form.

    ``body_scale`` (N,) enlarges the 3D bodies first (default 1): the distance grows with it.
    Where fewer than ``min_joints`` joints are known in both, where they subtend nearly
    nothing, or where the answer lies behind the camera, root and joints are NaN,
    ``depth_score`` is 0 and ``depth_std_m`` infinite.
    """
    settings = settings or LocateSettings()
    scale = np.ones(len(people2d)) if body_scale is None else body_scale
    xyz = root3d.xyz_root_m * scale[:, None, None]
    rays = normalized_rays(people2d.xy_px, camera.K_px, camera.distortion)
    known = np.all(np.isfinite(rays), axis=-1) & np.all(np.isfinite(xyz), axis=-1)
    known &= people2d.score >= max(settings.min_joint_score, 1e-9)
    score = np.where(known, people2d.score, 0.0)
    rays_0, xyz_0 = (np.where(known[..., None], v, 0.0) for v in (rays, xyz))

    fit, weight = _robust_fit(rays_0, xyz_0, score, settings.min_depth_m)
    std = _depth_std(fit, rays_0, xyz_0, weight)
    good = _is_measurable(fit, weight, score, known.sum(axis=1), settings)
    root = np.where(good[:, None], fit.root, np.nan)
    depth = np.where(good, fit.root[:, 2], 1.0)
    inliers = weight.sum(axis=1) / np.maximum(score.sum(axis=1), 1e-9)
    sureness = np.clip(inliers, 0.0, 1.0) / (1.0 + (std / (0.1 * depth)) ** 2)
    return PeopleCam(
        root_cam_m=root,
        xyz_cam_m=xyz + root[:, None],
        score=_known_scores(people2d.score, xyz),
        depth_score=np.where(good, sureness, 0.0),
        depth_std_m=np.where(good, np.hypot(std, settings.body_scale_std * depth), np.inf),
    )


def place(people2d: People2D, root3d: PeopleRoot, root_cam_m: F64) -> PeopleCam:
    """People whose roots (N, 3) the back end knows itself."""
    good = np.all(np.isfinite(root_cam_m), axis=-1)
    return PeopleCam(
        root_cam_m=root_cam_m,
        xyz_cam_m=root3d.xyz_root_m + root_cam_m[:, None],
        score=_known_scores(people2d.score, root3d.xyz_root_m),
        depth_score=good.astype(np.float64),
        depth_std_m=np.where(good, 0.0, np.inf),
    )


def _known_scores(score: F64, xyz: F64) -> F64:
    return np.where(np.isfinite(xyz).all(axis=-1) & (score > 0.0), score, 0.0)


def _robust_fit(rays: F64, xyz: F64, score: F64, min_depth_m: float) -> tuple[_Fit, F64]:
    """The fit and the weights (N, J) of its last round."""
    known = score > 0.0
    root = _rough_root(rays, xyz, known)
    for _ in range(_ROUNDS):
        depth = np.maximum(root[:, 2:] + xyz[..., 2], min_depth_m)
        error = _error_m(root, rays, xyz) / depth
        width = _CUT * np.maximum(_median_where(error, known), _FLOOR)
        # Geman-McClure, and metres to angles: nearer joints count more
        weight = score / (1.0 + (error / width[:, None]) ** 2) ** 2
        nearness = np.maximum(root[:, 2:], min_depth_m) / depth
        fit = _fit(rays, xyz, weight * nearness**2)
        root = fit.root
    return fit, weight


def _rough_root(rays: F64, xyz: F64, known: Bool) -> F64:
    """(N, 3) a start that outliers hardly move: medians, of ratios of distances between joints.

    Plain least squares would start far too near, since a wild joint spreads the rays.
    """
    a, b = _PAIRS
    apart = _length(xyz[:, a, :2] - xyz[:, b, :2])
    seen = _length(rays[:, a] - rays[:, b])
    depth = _median_where(apart / np.maximum(seen, 1e-9), known[:, a] & known[:, b])
    offset = rays * (depth[:, None, None] + xyz[..., 2:]) - xyz[..., :2]
    x, y = (_median_where(offset[..., axis], known) for axis in (0, 1))
    return np.column_stack([x, y, depth])


def _length(v: F64) -> F64:
    return np.asarray(np.hypot(v[..., 0], v[..., 1]))


def _fit(rays: F64, xyz: F64, weight: F64) -> _Fit:
    """Weighted least squares by elimination of t_x and t_y."""
    total = np.maximum(weight.sum(axis=1), 1e-12)
    w = weight[..., None]
    target = rays * xyz[..., 2:] - xyz[..., :2]
    mean_ray = (w * rays).sum(axis=1) / total[:, None]
    mean_target = (w * target).sum(axis=1) / total[:, None]
    d_ray = rays - mean_ray[:, None]
    spread = (w * d_ray**2).sum(axis=(1, 2))
    slope = (w * d_ray * (target - mean_target[:, None])).sum(axis=(1, 2))
    depth = -slope / np.maximum(spread, 1e-12)
    return _Fit(np.column_stack([mean_target + mean_ray * depth[:, None], depth]), spread)


def _error_m(root: F64, rays: F64, xyz: F64) -> F64:
    """(N, J) distance of each joint from its ray, in the plane of its own depth, metres."""
    there = root[:, None] + xyz
    off = there[..., :2] - rays * there[..., 2:]
    return _length(off)


def _median_where(values: F64, mask: Bool) -> F64:
    """(N,) median over the marked entries of each row; 0 for rows without any."""
    ordered = np.sort(np.where(mask, values, np.inf), axis=1)
    middle = np.maximum(mask.sum(axis=1) - 1, 0) // 2
    median = ordered[np.arange(len(values)), middle]
    return np.where(np.isfinite(median), median, 0.0)


def _depth_std(fit: _Fit, rays: F64, xyz: F64, weight: F64) -> F64:
    """(N,) standard deviation of t_z from the residuals of the joints that count."""
    squared = (weight * _error_m(fit.root, rays, xyz) ** 2).sum(axis=1)
    freedom = np.maximum(2.0 * weight.sum(axis=1) - 3.0, 1.0)
    return np.asarray(np.sqrt(squared / freedom / np.maximum(fit.spread, 1e-12)))


def _is_measurable(
    fit: _Fit, weight: F64, score: F64, joints: I64, settings: LocateSettings
) -> Bool:
    total = np.maximum(weight.sum(axis=1), 1e-12)
    return np.asarray(
        (joints >= settings.min_joints)
        & (score.sum(axis=1) > 0.0)
        & (np.sqrt(fit.spread / total) > _MIN_SPREAD)
        & (fit.root[:, 2] >= settings.min_depth_m)
        & np.all(np.isfinite(fit.root), axis=-1)
    )
