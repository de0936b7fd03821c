"""Lift and locate joined: which distance counts, and where 3D comes from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from posestream.errors import BackendError, ShapeError
from posestream.geometry.camera import intrinsics_from_fov, project
from posestream.lift.rrmp import LiftSettings
from posestream.locate.geometric import LocateSettings
from posestream.placing import Placed, place_people
from posestream.skeleton.joints import NUM_JOINTS, ROOT
from posestream.skeleton.network import network_skeleton
from posestream.training.random_people import random_people
from posestream.training.targets import LabelledPeople, build_maps
from posestream.types import Camera, Estimate, People2D, PeopleRoot, PoseMaps

SIZE = (448, 256)
CAMERA = Camera(intrinsics_from_fov(SIZE, 60.0), SIZE)
SKELETON = network_skeleton()


@pytest.fixture(scope="module")
def people() -> LabelledPeople:
    rng = np.random.default_rng(5)
    return random_people(rng, 2, SKELETON, CAMERA.K_px, SIZE, (3.0, 4.0))


@pytest.fixture(scope="module")
def estimate(people: LabelledPeople) -> Estimate:
    """What perfect maps of two people, and perfect 2D, are to a back end."""
    t = build_maps(people, SIZE, SKELETON)
    xy = SKELETON.to_body(people.xy_px)
    score = np.isfinite(xy).all(axis=-1).astype(float)
    return Estimate(
        People2D(xy, score, np.ones(2)), maps=PoseMaps(t.heatmaps, t.pafs, t.locations, 8.0)
    )


def placed(estimate: Estimate, method: str = "auto") -> Placed:
    return place_people(estimate, CAMERA, "test", LiftSettings(), LocateSettings(method=method))


def test_maps_are_lifted_and_placed_by_geometry(people: LabelledPeople, estimate: Estimate) -> None:
    got = placed(estimate)
    assert got.by == "geometric"
    xyz = SKELETON.from_body(got.root3d.xyz_root_m)
    np.testing.assert_allclose(xyz, people.xyz_root_m, atol=1e-3)
    np.testing.assert_allclose(got.people.root_cam_m[:, 2], people.depth_m, rtol=0.02)


def test_a_learnt_distance_alone_counts_where_it_is_asked_for(
    people: LabelledPeople, estimate: Estimate
) -> None:
    learnt = replace(estimate, depth_m=people.depth_m * 1.1, depth_std_m=np.full(2, 0.1))
    got = placed(learnt, "hdnet")
    assert got.by == "hdnet"
    np.testing.assert_allclose(got.people.root_cam_m[:, 2], people.depth_m * 1.1)
    pelvis = project(got.people.root_cam_m, CAMERA.K_px)
    np.testing.assert_allclose(pelvis, estimate.people2d.xy_px[:, ROOT], atol=1e-6)
    assert (got.people.depth_std_m == 0.1).all()
    assert placed(learnt, "geometric").by == "geometric"


@pytest.mark.parametrize("relative_std", [0.05, 0.25, 1.0])
def test_learnt_and_measured_distance_are_weighed_by_how_sure_they_are(
    people: LabelledPeople, estimate: Estimate, relative_std: float
) -> None:
    learnt = people.depth_m * 1.4
    got = placed(replace(estimate, depth_m=learnt, depth_std_m=relative_std * learnt))
    measured = placed(estimate).people
    assert got.by == "hdnet+geometric"
    doubt = np.hypot(measured.depth_std_m / measured.root_cam_m[:, 2], 0.2)
    share = relative_std**-2 / (relative_std**-2 + doubt**-2)
    wanted = learnt**share * measured.root_cam_m[:, 2] ** (1.0 - share)
    np.testing.assert_allclose(got.people.root_cam_m[:, 2], wanted)
    relative = got.people.depth_std_m / wanted
    assert ((relative >= np.minimum(doubt, relative_std)) & (relative <= 1.0)).all()


def test_where_one_distance_is_unknown_the_other_counts(
    people: LabelledPeople, estimate: Estimate
) -> None:
    learnt = replace(estimate, depth_m=np.array([np.nan, 5.0]), depth_std_m=np.array([np.nan, 0.1]))
    auto, strict = placed(learnt), placed(learnt, "hdnet")
    assert auto.people.root_cam_m[0, 2] == pytest.approx(people.depth_m[0], rel=0.02)
    assert np.isfinite(auto.people.depth_std_m).all()
    assert np.isnan(strict.people.root_cam_m[0]).all()
    assert strict.people.depth_score[0] == 0.0
    pelvis = np.zeros((2, NUM_JOINTS))
    pelvis[:, ROOT] = 1.0  # nothing to measure
    alone = People2D(estimate.people2d.xy_px, pelvis, np.ones(2))
    got = placed(replace(learnt, people2d=alone)).people
    assert got.root_cam_m[1, 2] == pytest.approx(5.0)
    assert np.isnan(got.root_cam_m[0]).all()


def test_nobody_is_an_ordinary_answer() -> None:
    channels = 18, 2 * SKELETON.num_limbs, 51
    maps = PoseMaps(*(np.zeros((c, 8, 8), np.float32) for c in channels), 8.0)
    nobody = People2D(np.zeros((0, NUM_JOINTS, 2)), np.zeros((0, NUM_JOINTS)), np.zeros(0))
    for extra in ({}, {"depth_m": np.zeros(0), "depth_std_m": np.zeros(0)}):
        assert len(placed(Estimate(nobody, maps=maps, **extra)).people) == 0


def test_what_is_missing_is_one_sentence(estimate: Estimate) -> None:
    with pytest.raises(BackendError, match="test delivers no 3D joints"):
        placed(replace(estimate, maps=None))
    with pytest.raises(BackendError, match=r"learns no distances: set locate\.method"):
        placed(estimate, "hdnet")
    with pytest.raises(ShapeError):
        replace(estimate, depth_m=np.ones(3), depth_std_m=np.ones(3))


def test_the_truth_of_a_source_goes_before_all(estimate: Estimate, people: LabelledPeople) -> None:
    root = np.array([[0.0, 0.0, 7.0], [1.0, 0.0, 8.0]])
    exact = replace(
        estimate,
        root3d=PeopleRoot(SKELETON.to_body(people.xyz_root_m)),
        root_cam_m=root,
        depth_m=np.ones(2),
        depth_std_m=np.ones(2),
    )
    got = placed(exact)
    assert got.by == "exact"
    np.testing.assert_array_equal(got.people.root_cam_m, root)
