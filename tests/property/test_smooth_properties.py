"""Smoothing obeys the groups it works on."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from posestream.arrays import F64
from posestream.geometry import rotation as so3
from posestream.smooth import tangent
from posestream.smooth.chain import SmoothingChain, SmoothingSettings

SEEDS = st.integers(0, 2**32 - 1)
FRAMES, PEOPLE, BONES = 25, 2, 3


def motion(seed: int) -> tuple[F64, F64, F64]:
    """Uneven times, random walks of roots and rotations."""
    rng = np.random.default_rng(seed)
    t_s = np.cumsum(rng.uniform(0.005, 0.12, FRAMES))
    root = np.cumsum(rng.normal(0.0, 0.05, (FRAMES, PEOPLE, 3)), axis=0)
    quat = so3.normalize(rng.normal(size=(1, PEOPLE, BONES, 4)))
    walk = np.cumsum(rng.normal(0.0, 0.1, (FRAMES, PEOPLE, BONES, 3)), axis=0)
    return t_s, root, so3.multiply(quat, so3.from_rotvec(walk))


def run(t_s: F64, root: F64, quat: F64, order: list[int] | None = None) -> tuple[F64, F64]:
    chain = SmoothingChain(SmoothingSettings(predict_ms=30.0))
    order = order or list(range(PEOPLE))
    ids, seen = np.array(order), np.ones(PEOPLE, dtype=np.bool_)
    outs = [chain.apply(ids, t, root[i][order], quat[i][order], seen) for i, t in enumerate(t_s)]
    return np.array([o[0] for o in outs]), np.array([o[1] for o in outs])


def same_rotation(a: F64, b: F64, tolerance_rad: float = 1e-6) -> bool:
    return bool(so3.angle_between(a, b).max() < tolerance_rad)


@settings(max_examples=40, deadline=None)
@given(SEEDS, SEEDS)
def test_turning_and_moving_everything_commutes_with_smoothing(seed: int, turn_seed: int) -> None:
    t_s, root, quat = motion(seed)
    rng = np.random.default_rng(turn_seed)
    turn, other = so3.normalize(rng.normal(size=(2, 4)))
    shift = rng.normal(size=3)
    out, smooth = run(t_s, root, quat)
    moved, turned = run(t_s, so3.rotate(turn, root) + shift, so3.multiply(turn, quat))
    assert np.allclose(moved, so3.rotate(turn, out) + shift, atol=1e-9)
    assert same_rotation(turned, so3.multiply(turn, smooth))
    _, turned = run(t_s, root, so3.multiply(quat, other))
    assert same_rotation(turned, so3.multiply(smooth, other))


@settings(max_examples=40, deadline=None)
@given(SEEDS)
def test_signs_of_quaternions_do_not_matter(seed: int) -> None:
    t_s, root, quat = motion(seed)
    signs = np.random.default_rng(seed).choice([-1.0, 1.0], quat.shape[:-1])[..., None]
    assert same_rotation(run(t_s, root, quat)[1], run(t_s, root, quat * signs)[1])


@settings(max_examples=40, deadline=None)
@given(SEEDS)
def test_output_is_finite_unit_and_continuous_in_sign(seed: int) -> None:
    t_s, root, quat = motion(seed)
    out, smooth = run(t_s, root, quat)
    assert np.isfinite(out).all()
    assert np.allclose(np.linalg.norm(smooth, axis=-1), 1.0, atol=1e-9)
    assert np.all(so3.dot(smooth[1:], smooth[:-1]) > 0.0)


@settings(max_examples=30, deadline=None)
@given(SEEDS)
def test_constant_input_stays_constant(seed: int) -> None:
    t_s, root, quat = motion(seed)
    root, quat = np.repeat(root[:1], FRAMES, axis=0), np.repeat(quat[:1], FRAMES, axis=0)
    out, smooth = run(t_s, root, quat)
    assert np.allclose(out, root, atol=1e-12)
    assert same_rotation(smooth, quat)


@settings(max_examples=30, deadline=None)
@given(SEEDS)
def test_people_do_not_know_of_each_other(seed: int) -> None:
    t_s, root, quat = motion(seed)
    out, smooth = run(t_s, root, quat)
    swapped, swapped_quat = run(t_s, root, quat, order=[1, 0])
    assert np.allclose(swapped[:, ::-1], out, atol=1e-12)
    assert same_rotation(swapped_quat[:, ::-1], smooth)


VECTORS = arrays(np.float64, (7, 3), elements=st.floats(-3.0, 3.0, allow_subnormal=False))
QUATS = st.builds(
    lambda seed: so3.normalize(np.random.default_rng(seed).normal(size=(7, 4))), SEEDS
)


@given(VECTORS)
def test_log_undoes_exp(rotvec_rad: F64) -> None:
    short = rotvec_rad * (3.0 / np.maximum(np.linalg.norm(rotvec_rad, axis=-1), 3.0))[:, None]
    assert np.allclose(tangent.log(tangent.exp(short.T)).T, short, atol=1e-7)


@given(QUATS, QUATS)
def test_columns_agree_with_rows(a: F64, b: F64) -> None:
    assert np.allclose(tangent.product(a.T, b.T).T, so3.multiply(a, b))
    assert np.allclose(tangent.difference(a.T, b.T).T, so3.multiply(so3.inverse(a), b))
    assert np.allclose(tangent.log(a.T).T, so3.to_rotvec(a))
    assert np.allclose(tangent.exp(b[:, :3].T).T, so3.from_rotvec(b[:, :3]))
