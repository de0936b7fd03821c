"""From a back end's answer to people before the camera: lift and locate, joined.

Shared by the pipeline and by the evaluators, so that what is measured is what runs.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from posestream.arrays import F64, Bool
from posestream.errors import BackendError
from posestream.lift.rrmp import LiftSettings, lift
from posestream.locate import geometric, hdnet
from posestream.locate.geometric import LocateSettings
from posestream.skeleton.network import network_skeleton
from posestream.types import Camera, Estimate, PeopleCam, PeopleRoot


class Placed(NamedTuple):
    """Everybody in camera coordinates."""

    root3d: PeopleRoot
    people: PeopleCam
    by: str  # "exact", "hdnet" or "geometric"


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
    learnt = hdnet.place(people2d, _sized(root3d, body_scale), camera, depth_m, std_m)
    known = np.isfinite(learnt.root_cam_m).all(axis=-1)
    if not known.all() and locating.method == "auto":
        rest = geometric.locate(people2d, root3d, camera, locating, body_scale)
        learnt = _either(known, learnt, rest)
    return Placed(root3d, learnt, "hdnet")


def _sized(root3d: PeopleRoot, body_scale: F64 | None) -> PeopleRoot:
    if body_scale is None:
        return root3d
    return PeopleRoot(root3d.xyz_root_m * body_scale[:, None, None])


def _lifted(estimate: Estimate, name: str, settings: LiftSettings) -> PeopleRoot:
    if estimate.maps is None:
        raise BackendError(f"The back end {name} delivers no 3D joints.")
    skeleton = network_skeleton(estimate.maps.joints)
    return lift(estimate.people2d, estimate.maps, skeleton, settings)


def _either(first: Bool, a: PeopleCam, b: PeopleCam) -> PeopleCam:
    """Row by row a where ``first`` (N,), else b."""
    return PeopleCam(
        np.where(first[:, None], a.root_cam_m, b.root_cam_m),
        np.where(first[:, None, None], a.xyz_cam_m, b.xyz_cam_m),
        np.where(first[:, None], a.score, b.score),
        np.where(first, a.depth_score, b.depth_score),
        np.where(first, a.depth_std_m, b.depth_std_m),
    )
