"""From a back end's answer to people before the camera: lift and locate, joined.

Shared by the pipeline and by the evaluators, so that what is measured is what runs.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from posestream.arrays import F64
from posestream.errors import BackendError
from posestream.lift.rrmp import LiftSettings, lift
from posestream.locate import geometric, hdnet
from posestream.locate.geometric import LocateSettings
from posestream.skeleton.network import network_skeleton
from posestream.types import Camera, Estimate, PeopleCam, PeopleRoot

_POSE_DOUBT: Final = 0.2
"""Of the measured distance: geometry does not know how wrong the pose is. Least error on held-out
people with ``unified-half-1``; from 0.1 to 0.2 hardly anything changes."""


class Placed(NamedTuple):
    """Everybody in camera coordinates."""

    root3d: PeopleRoot
    people: PeopleCam
    by: str  # "exact", "hdnet", "geometric" or "hdnet+geometric"


def place_people(
    estimate: Estimate,
    camera: Camera,
    name: str,
    lifting: LiftSettings,
    locating: LocateSettings,
    body_scale: F64 | None = None,
) -> Placed:
    """3D from the maps where the back end called ``name`` gives none; then the distance.

    ``body_scale`` (N,): true sizes by the estimated ones; back ends that are exact need none.
    Raises BackendError if it gives neither 3D nor maps, or no distance where one is demanded.
    """
    root3d = estimate.root3d
    if root3d is None:
        root3d = _lifted(estimate, name, lifting)
    people2d = estimate.people2d
    if estimate.root_cam_m is not None:
        people = geometric.place(people2d, root3d, estimate.root_cam_m)
        return Placed(root3d, people, "exact")
    depth_m, std_m = estimate.depth_m, estimate.depth_std_m
    if locating.method == "hdnet" and depth_m is None:
        raise BackendError(f"The back end {name} learns no distances: set locate.method=auto.")
    if locating.method == "geometric" or depth_m is None or std_m is None:
        people = geometric.locate(people2d, root3d, camera, locating, body_scale)
        return Placed(root3d, people, "geometric")
    by = "hdnet"
    if locating.method == "auto":
        measured = geometric.locate(people2d, root3d, camera, locating, body_scale)
        depth_m, std_m = _weighed(depth_m, std_m, measured)
        by = "hdnet+geometric"
    people = hdnet.place(people2d, _sized(root3d, body_scale), camera, depth_m, std_m)
    return Placed(root3d, people, by)


def _weighed(depth_m: F64, std_m: F64, measured: PeopleCam) -> tuple[F64, F64]:
    """(N,) mean of the learnt and the measured distance's logarithms, by how sure each is.

    Both err the same way where the pose is wrong, so the mean is no surer than its parts. Where
    one is unknown the other counts.
    """
    z = measured.root_cam_m[:, 2]
    log_z = np.log(np.stack([depth_m, z]))  # (2, N)
    doubt = np.stack([std_m / depth_m, np.hypot(measured.depth_std_m / z, _POSE_DOUBT)])
    known = np.isfinite(log_z) & np.isfinite(doubt)
    weight = np.where(known, 1.0 / np.where(known, doubt, 1.0) ** 2, 0.0)
    weight /= np.where(known.any(axis=0), weight.sum(axis=0), np.nan)
    together = np.exp((weight * np.where(known, log_z, 0.0)).sum(axis=0))
    variance = (weight * np.where(known, doubt, 0.0) ** 2).sum(axis=0)
    return together, together * np.sqrt(variance)


def _sized(root3d: PeopleRoot, body_scale: F64 | None) -> PeopleRoot:
    if body_scale is None:
        return root3d
    return PeopleRoot(root3d.xyz_root_m * body_scale[:, None, None])


def _lifted(estimate: Estimate, name: str, settings: LiftSettings) -> PeopleRoot:
    if estimate.maps is None:
        raise BackendError(f"The back end {name} delivers no 3D joints.")
    skeleton = network_skeleton(estimate.maps.joints)
    return lift(estimate.people2d, estimate.maps, skeleton, settings)
