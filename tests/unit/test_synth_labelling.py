"""Labels from a rendering: who is seen, who is too little of, and what is not known."""

from __future__ import annotations

import numpy as np

from posestream.geometry import rigid
from posestream.geometry.camera import project
from posestream.skeleton.joints import JOINT, NUM_JOINTS, ROOT
from posestream.training.real.conventions import SPINE_SHARE
from posestream.training.sample import IGNORED, Sample
from posestream.training.synth.labelling import label
from posestream.training.synth.shot import Rendered
from posestream.training.synth.staging import make_camera

SIZE_PX = (64, 48)
CAMERA = make_camera(SIZE_PX, 60.0, 1.2, 0.1, 0.02)


def at(column: float, row: float, depth_m: float) -> np.ndarray:
    """A world point seen at a pixel."""
    ray = np.linalg.inv(CAMERA.K_px) @ [column, row, 1.0]
    return rigid.apply(CAMERA.T_world_cam, ray * depth_m)


def person(depth_m: float, **places: tuple[float, float, float]) -> np.ndarray:
    """All joints in the middle of the picture but for those given."""
    xyz = np.tile(at(32, 24, depth_m), (NUM_JOINTS, 1))
    for name, place in places.items():
        xyz[JOINT[name]] = at(*place)
    return xyz


def labelled(owner: np.ndarray, depth_m: np.ndarray, *people: np.ndarray) -> Sample:
    rendered = Rendered(
        np.zeros((48, 64, 3), np.uint8), owner.astype(np.uint8), depth_m.astype(np.float32)
    )
    return label(rendered, CAMERA, people, [1.7] * len(people), "test")


def block(value: float, rows: slice, columns: slice, background: float) -> np.ndarray:
    out = np.full((48, 64), background)
    out[rows, columns] = value
    return out


def test_joints_under_the_own_surface_are_seen_and_deeper_ones_not() -> None:
    owner = block(1, slice(10, 40), slice(20, 44), 0)
    depth = block(2.0, slice(10, 40), slice(20, 44), 9.0)
    xyz = person(2.1, left_wrist=(30, 30, 2.05), right_wrist=(30, 30, 2.3), nose=(30, 20, 2.03))
    sample = labelled(owner, depth, xyz)
    assert sample.visible[0, JOINT["left_wrist"]]
    assert not sample.visible[0, JOINT["right_wrist"]]
    assert sample.visible[0, JOINT["nose"]]


def test_what_is_nearer_hides() -> None:
    owner = block(1, slice(10, 40), slice(20, 44), 0)
    depth = block(2.0, slice(10, 40), slice(20, 44), 9.0)
    owner[25:, :], depth[25:, :] = 0, 1.0  # a table before the person
    sample = labelled(owner, depth, person(2.1, left_knee=(30, 33, 2.05), neck=(30, 15, 2.1)))
    assert not sample.visible[0, JOINT["left_knee"]]
    assert sample.visible[0, JOINT["neck"]]


def test_a_joint_on_the_outline_is_seen_beside_its_person_only() -> None:
    owner = block(1, slice(10, 40), slice(20, 44), 0)
    depth = block(2.0, slice(10, 40), slice(20, 44), 9.0)
    xyz = person(2.1, left_ear=(45, 20, 2.1), right_ear=(50, 20, 2.1), head_top=(32, 8.4, 2.1))
    sample = labelled(owner, depth, xyz)
    assert sample.visible[0, JOINT["left_ear"]]
    assert not sample.visible[0, JOINT["right_ear"]]
    assert sample.visible[0, JOINT["head_top"]]


def test_outside_the_picture_has_a_place_but_is_not_seen() -> None:
    owner = block(1, slice(0, 48), slice(20, 64), 0)
    sample = labelled(owner, np.full((48, 64), 2.0), person(2.1, left_hip=(70, 20, 2.1)))
    assert not sample.visible[0, JOINT["left_hip"]]
    np.testing.assert_allclose(sample.xy_px[0, JOINT["left_hip"]], [70, 20], atol=1e-9)


def test_who_is_hardly_seen_becomes_unknown_and_the_rest_keep_their_order() -> None:
    owner = block(2, slice(10, 40), slice(20, 44), 0)
    owner[0:2, 0:5] = 1  # ten pixels of the first
    owner[42:48, 0:20] = 3
    depth = np.full((48, 64), 2.0)
    first, second = person(2.1), person(2.05)
    third = person(2.05, pelvis=(10, 45, 2.05), left_hip=(10, 45, 2.05))
    sample = labelled(owner, depth, first, second, third)
    assert len(sample) == 2
    assert set(np.unique(sample.owner)) == {0, 1, 2, IGNORED}
    assert (sample.owner[0:2, 0:5] == IGNORED).all()
    assert (sample.owner[15:30, 25:40] == 1).all()
    np.testing.assert_allclose(sample.xy_px[1, ROOT], [10, 45], atol=1e-9)


def test_depth_and_places_give_the_pixels_back() -> None:
    owner = block(1, slice(10, 40), slice(20, 44), 0)
    xyz = person(2.1, left_wrist=(11, 30, 1.7), head_top=(32, 6, 2.2), pelvis=(30, 25, 2.0))
    sample = labelled(owner, np.full((48, 64), 2.0), xyz)
    ray = np.linalg.inv(sample.K_px) @ np.append(sample.xy_px[0, ROOT], 1.0)
    xyz_cam = sample.xyz_root_m[0] + ray * sample.depth_m[0]
    np.testing.assert_allclose(project(xyz_cam, sample.K_px), sample.xy_px[0], atol=1e-9)


def test_the_spine_lies_where_real_labels_have_it() -> None:
    owner = block(1, slice(10, 40), slice(20, 44), 0)
    xyz = person(2.1, neck=(32, 12, 2.1), spine=(50, 40, 2.0))
    sample = labelled(owner, np.full((48, 64), 2.0), xyz)
    neck = sample.xyz_root_m[0, JOINT["neck"]]
    np.testing.assert_allclose(sample.xyz_root_m[0, JOINT["spine"]], SPINE_SHARE * neck, atol=1e-12)
