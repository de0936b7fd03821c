"""Crops, turns and mirrors: picture, labels, camera and owners stay together."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch", reason="training needs torch: pip install torch")

from posestream.geometry.camera import project
from posestream.skeleton.joints import BODY, JOINT, swap_sides
from posestream.training.appearance import covered, vary
from posestream.training.augment import letterboxed, moved, place
from posestream.training.config import AugmentSettings
from posestream.training.sample import IGNORED, Sample, unlabelled
from tests.training_data import painted

pytestmark = pytest.mark.networks
SIZE = (96, 96)
WILD = AugmentSettings(turn_deg=60.0, turn_share=1.0, shift=0.1)


def in_front(sample: Sample) -> np.ndarray:
    """(N, BODY, 3) joints in the camera, from pelvis, depth and K."""
    assert sample.K_px is not None
    pelvis = sample.xy_px[:, JOINT["pelvis"]]
    rays = np.column_stack([pelvis, np.ones(len(pelvis))]) @ np.linalg.inv(sample.K_px).T
    return (rays * sample.depth_m[:, None])[:, None] + sample.xyz_root_m


@pytest.mark.parametrize("seed", range(12))
def test_the_moved_3d_projects_onto_the_moved_2d(seed: int) -> None:
    rng = np.random.default_rng(seed)
    sample, _ = place(painted(rng, 2, (160, 120)), SIZE, WILD, rng)
    known = np.isfinite(sample.depth_m)
    assert sample.picture.shape == (96, 96, 3)
    seen = project(in_front(sample)[known], sample.K_px)
    np.testing.assert_allclose(seen, sample.xy_px[known], atol=1e-6)


def test_sides_are_swapped_in_a_mirror_and_twice_is_once() -> None:
    sample = painted(np.random.default_rng(1), 2, SIZE)
    assert sample.owner is not None
    sample.owner[:, :30] = 1
    A = np.array([[-1.0, 0.0, SIZE[0] - 1.0], [0.0, 1.0, 0.0]])
    once = moved(sample, A, SIZE, (0, 0, 0))
    twice = moved(once, A, SIZE, (0, 0, 0))
    for name in ("picture", "owner", "xy_px", "xyz_root_m", "visible", "K_px"):
        np.testing.assert_allclose(getattr(twice, name), getattr(sample, name), err_msg=name)
    wrist = JOINT["left_wrist"]
    assert swap_sides(BODY[wrist]) == "right_wrist"
    other = once.xy_px[0, JOINT["right_wrist"]]
    np.testing.assert_allclose(other, [95.0, 0.0] + sample.xy_px[0, wrist] * [-1.0, 1.0])
    assert once.owner is not None and (once.owner[:, 66:] == 1).all()


@pytest.mark.parametrize("seed", range(8))
def test_a_bright_dot_stays_under_its_joint(seed: int) -> None:
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:120, :160]
    at = rng.uniform([50.0, 40.0], [110.0, 80.0])
    dot = np.exp(-((x - at[0]) ** 2 + (y - at[1]) ** 2) / 18.0) * 255.0
    labels = unlabelled(1)
    labels["xy_px"][0, [0, 1]] = at
    labels["visible"][0, [0, 1]] = True
    picture = np.repeat(dot.astype(np.uint8)[..., None], 3, axis=2)
    A = np.column_stack([rng.uniform(0.4, 1.6) * np.linalg.qr(rng.normal(size=(2, 2)))[0], [0, 0]])
    A[:, 2] = 48.0 - A[:, :2] @ at + rng.uniform(-10.0, 10.0, 2)
    out = moved(Sample(picture, **labels), A, SIZE, (0, 0, 0))
    weight = out.picture[..., 0].astype(np.float64)
    v, u = np.mgrid[:96, :96]
    centre = np.array([(weight * u).sum(), (weight * v).sum()]) / weight.sum()
    np.testing.assert_allclose(centre, out.xy_px[0, 0], atol=0.35)


def test_the_letterbox_is_the_live_back_ends() -> None:
    import torch

    from posestream.estimate.backends.rrmp import network_input
    from posestream.training.objective import to_input

    sample = painted(np.random.default_rng(3), 1, (160, 120))
    live, scale = network_input(sample.picture, SIZE)
    ours = letterboxed(sample, SIZE)
    pixels = torch.from_numpy(ours.picture[None, ..., ::-1].transpose(0, 3, 1, 2).copy())
    difference = np.abs(to_input(pixels).numpy() - live)
    assert difference[:, :, :70].max() < 0.05 and difference.max() < 0.6  # the lower border blends
    np.testing.assert_allclose(ours.xy_px, (sample.xy_px + 0.5) * scale - 0.5)


def test_people_out_of_the_picture_lose_labels_and_their_pixels_are_ignored() -> None:
    sample = painted(np.random.default_rng(4), 2, SIZE)
    assert sample.owner is not None
    sample.owner[:, 90:] = 2
    xy = sample.xy_px.copy()
    xy[1] += 200.0
    A = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    out = moved(replace(sample, xy_px=xy), A, SIZE, (0, 0, 0))
    assert np.isnan(out.xy_px[1]).all() and np.isnan(out.depth_m[1])
    assert out.owner is not None and (out.owner[:, 90:] == IGNORED).all()
    np.testing.assert_array_equal(out.xy_px[0], sample.xy_px[0])


def test_what_is_put_in_front_hides_joints() -> None:
    sample = painted(np.random.default_rng(6), 2, SIZE)
    for seed in range(20):
        out = covered(sample, np.random.default_rng(seed))
        hidden = (out.picture != sample.picture).any(axis=-1)
        gone = sample.visible & ~out.visible
        assert not (out.visible & ~sample.visible).any()
        for person, joint in np.argwhere(gone & np.isfinite(out.xy_px).all(-1)):
            x, y = np.clip(np.rint(out.xy_px[person, joint]).astype(int), 0, 95)
            assert hidden[max(0, y - 1) : y + 2, max(0, x - 1) : x + 2].any()


def test_every_look_keeps_the_labels() -> None:
    always = AugmentSettings(
        colour=1.0, dim_share=1.0, blur_share=1.0, noise_share=1.0, jpeg_share=1.0,
        small_share=1.0, cover_share=0.0,
    )  # fmt: skip
    sample = painted(np.random.default_rng(7), 1, SIZE)
    out = vary(sample, always, np.random.default_rng(8))
    assert out.picture.dtype == np.uint8 and out.picture.shape == sample.picture.shape
    assert not np.array_equal(out.picture, sample.picture)
    np.testing.assert_array_equal(out.xy_px, sample.xy_px)
