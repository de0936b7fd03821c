"""Painted people in shards, for tests of training."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from posestream.arrays import F64
from posestream.skeleton.joints import NUM_JOINTS
from posestream.skeleton.network import network_skeleton
from posestream.training.random_people import paint, random_people
from posestream.training.sample import Sample, unlabelled
from posestream.training.shards import ShardWriter

SKELETON = network_skeleton("avatar22")


def painted(rng: np.random.Generator, count: int, size_px: tuple[int, int]) -> Sample:
    """People in colours before grey, everything known of them."""
    width, height = size_px
    K = np.array([[1.1 * width, 0.0, (width - 1) / 2], [0.0, 1.1 * width, (height - 1) / 2],
                  [0.0, 0.0, 1.0]])  # fmt: skip
    people = random_people(rng, count, SKELETON, K, size_px, (2.8, 4.5))
    picture = np.clip(paint(people, size_px, 2.5) * 255.0, 0.0, 255.0).astype(np.uint8)
    labels = unlabelled(count)
    labels["xy_px"] = SKELETON.to_body(people.xy_px)
    labels["visible"][:, SKELETON.body_index] = people.visible
    labels["xyz_root_m"] = SKELETON.to_body(people.xyz_root_m)
    labels["depth_m"] = people.depth_m
    labels["height_m"] = np.full(count, 1.7)
    owner = np.zeros((height, width), np.uint8)
    picture = np.ascontiguousarray(picture.transpose(1, 2, 0)[..., ::-1])
    return Sample(picture, K_px=K, owner=owner, source="painted", **labels)


def write_shards(folder: Path, name: str, count: int, seed: int, size_px: tuple[int, int]) -> None:
    """``NAME-00000.tar`` of pictures with one or two people."""
    rng = np.random.default_rng(seed)
    with ShardWriter(folder, name) as writer:
        for number in range(count):
            writer.add(painted(rng, 1 + number % 2, size_px))


def spread(rng: np.random.Generator, count: int) -> F64:
    """(N, BODY, 3) joints in front of a camera."""
    return rng.normal(0.0, 0.4, (count, NUM_JOINTS, 3))
