"""People in random poses before a camera, as labels: to examine targets, decoding and networks.

No pictures: ``paint`` only marks every joint with its own colour, enough for a network to show
that it can learn.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from posestream.arrays import F64
from posestream.geometry.camera import project
from posestream.skeleton.network import NetworkSkeleton
from posestream.training.targets import LabelledPeople

_REST: Final[dict[str, tuple[float, float, float]]] = {
    "spine": (0.0, -0.25, 0.0), "neck": (0.0, -0.26, 0.0), "head": (0.0, -0.16, -0.04),
    "head_top": (0.0, -0.14, 0.0), "nose": (0.0, 0.0, -0.11),
    "left_ear": (0.075, 0.0, 0.0), "right_ear": (-0.075, 0.0, 0.0),
    "left_shoulder": (0.18, 0.02, 0.0), "right_shoulder": (-0.18, 0.02, 0.0),
    "left_elbow": (0.05, 0.28, 0.0), "right_elbow": (-0.05, 0.28, 0.0),
    "left_wrist": (0.03, 0.25, -0.03), "right_wrist": (-0.03, 0.25, -0.03),
    "left_hip": (0.1, 0.03, 0.0), "right_hip": (-0.1, 0.03, 0.0),
    "left_knee": (0.02, 0.42, -0.02), "right_knee": (-0.02, 0.42, -0.02),
    "left_ankle": (0.0, 0.41, 0.03), "right_ankle": (0.0, 0.41, 0.03),
    "left_toe": (0.0, 0.05, -0.14), "right_toe": (0.0, 0.05, -0.14),
}  # fmt: skip
"""From each joint's parent, metres, camera axes, a person who faces the camera."""


def random_poses(rng: np.random.Generator, count: int, skeleton: NetworkSkeleton) -> F64:
    """(N, J, 3) root-relative joints: turned bodies, every bone swung at random."""
    xyz = np.zeros((count, skeleton.num_joints, 3))
    turn = _rotations(rng.normal(0.0, [0.2, 1.5, 0.2], (count, 3)))
    size = rng.uniform(0.75, 1.1, count)[:, None]
    for parent, child in skeleton.limbs[: skeleton.num_tree]:
        free = 0.15 if skeleton.group_of[child] in (-1, 0) else 0.6
        swing = _rotations(rng.normal(0.0, free, (count, 3)))
        bone = np.einsum("nij,njk,k->ni", turn, swing, _REST[skeleton.joints[child]])
        xyz[:, child] = xyz[:, parent] + bone * size
    return xyz


def random_people(
    rng: np.random.Generator,
    count: int,
    skeleton: NetworkSkeleton,
    K_px: F64,
    size_px: tuple[int, int],
    distance_m: tuple[float, float] = (2.5, 6.0),
) -> LabelledPeople:
    """``count`` people whose pelvises lie in the middle of the picture; all joints visible."""
    xyz = random_poses(rng, count, skeleton)
    depth = rng.uniform(*distance_m, count)
    centre = rng.uniform([0.2, 0.35], [0.8, 0.6], (count, 2)) * size_px
    root = np.column_stack([centre, np.ones(count)]) @ np.linalg.inv(K_px).T * depth[:, None]
    xy = project(root[:, None] + xyz, K_px)
    visible = np.all((xy >= 0.0) & (xy <= np.array(size_px) - 1.0), axis=-1)
    return LabelledPeople(xy, visible, xyz, depth)


def are_apart(people: LabelledPeople, skeleton: NetworkSkeleton, least_px: float) -> bool:
    """Whether of any two people the necks or the pelvises are ``least_px`` apart."""
    core = people.xy_px[:, [skeleton.neck, skeleton.pelvis]]
    distance = np.hypot(*(core[:, None] - core[None]).transpose(3, 0, 1, 2)).max(axis=-1)
    return bool((distance + np.diag(np.full(len(core), np.inf)) >= least_px).all())


def paint(people: LabelledPeople, size_px: tuple[int, int], radius_px: float = 5.0) -> F64:
    """(3, H, W) in [0, 1]: a soft dot per joint, coloured by joint, nearer people over farther."""
    picture = np.full((3, size_px[1], size_px[0]), 0.4)
    y, x = np.mgrid[: size_px[1], : size_px[0]]
    hue = np.linspace(0.0, 5.0, people.xy_px.shape[1])
    colour = 0.5 + 0.5 * np.cos(hue[:, None] + np.array([0.0, 2.1, 4.2]))
    for person in np.argsort(-people.depth_m):
        for joint in np.flatnonzero(people.visible[person]):
            u, v = people.xy_px[person, joint]
            cover = np.exp(-((x - u) ** 2 + (y - v) ** 2) / (2.0 * radius_px**2))
            picture += cover * (colour[joint][:, None, None] - picture)
    return picture


def _rotations(vector: F64) -> F64:
    """(N, 3, 3) from rotation vectors (N, 3)."""
    angle = np.maximum(np.linalg.norm(vector, axis=-1), 1e-12)
    x, y, z = (vector / angle[:, None]).T
    zero = np.zeros_like(x)
    k = np.stack([zero, -z, y, z, zero, -x, -y, x, zero], axis=-1).reshape(-1, 3, 3)
    sine, versine = np.sin(angle)[:, None, None], (1.0 - np.cos(angle))[:, None, None]
    return np.asarray(np.eye(3) + sine * k + versine * (k @ k))
