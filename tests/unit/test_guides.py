"""Guides on what a run made of its pictures, against scripted people."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from posestream.calibrate.stored import StoredCamera, read_camera, read_people, write_camera
from posestream.capture.base import CaptureSettings, Lens, camera_for
from posestream.capture.synthetic import truth_of
from posestream.daemon.guides import GuidedBody, as_estimated, guide_for
from posestream.errors import CaptureError, ConfigError
from posestream.geometry import rigid
from posestream.lift.rrmp import LiftSettings
from posestream.locate.floor import camera_pose, up_from_tilt
from posestream.locate.geometric import LocateSettings
from posestream.pipeline import StepDetails
from posestream.placing import place_people
from posestream.retarget.pose import Pose
from posestream.skeleton.joints import NUM_JOINTS
from posestream.skeleton.scripted import ScriptedPeople
from posestream.types import Estimate, Frame, PeopleRoot, Tracks

SIZES = (1.12, 0.93)  # that are known already, by slot
SLOTS = np.array([1, 0])  # of the rows
LENS = Lens(width=1280, height=720, fx=900.0, fy=900.0, cx=639.5, cy=359.5)


def steps(sizes: tuple[float, ...], people: int = 2, count: int = 120) -> Iterator[Any]:
    """(details, what the back end saw) of scripted people whom a run places with known sizes."""
    scripted = ScriptedPeople(people, 0)
    T = camera_pose(up_from_tilt(np.radians(-8.0), 0.0), 1.4)
    camera = replace(camera_for((1280, 720), CaptureSettings(fov_deg=80.0)), T_world_cam=T)
    slot = SLOTS[-people:]
    scale = np.array(sizes)[slot] if sizes else None
    for i in range(count):
        truth = truth_of(rigid.apply(rigid.inverse(T), scripted.joints_world_m(0.1 * i)), camera)
        seen = Estimate(truth.people2d, truth.root3d)
        placed = place_people(seen, camera, "test", LiftSettings(), LocateSettings(), scale)
        frame = Frame(i, i * 100_000_000, np.zeros((8, 8, 3), np.uint8), camera)
        none = np.zeros((people, NUM_JOINTS, 3))
        tracks = Tracks(
            np.arange(people), slot, np.zeros(people, int), np.ones(people), none,
            none[..., 0], np.arange(people),
        )  # fmt: skip
        nobody = cast(Pose, None)  # guides do not look at avatars
        yield StepDetails(frame, seen.people2d, placed.people, tracks, nobody), truth.root3d


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own for what is stored."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("APPDATA", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("sizes", [(), SIZES])
def test_bodies_are_taken_as_the_back_end_saw_them(sizes: tuple[float, ...]) -> None:
    for details, seen in steps(sizes, count=20):
        got = as_estimated(details, sizes).xyz_root_m
        placed = np.isfinite(details.people_cam.root_cam_m).all(axis=-1)
        assert placed.any()
        np.testing.assert_allclose(got[placed], seen.xyz_root_m[placed], atol=1e-9)


def test_who_is_in_no_slot_has_no_known_size() -> None:
    details, _ = next(steps(SIZES))
    lost = replace(details, tracks=replace(details.tracks, detection=np.array([0, -1])))
    got: PeopleRoot = as_estimated(lost, SIZES)
    assert np.isfinite(got.xyz_root_m[0]).all() and np.isnan(got.xyz_root_m[1]).all()


def test_a_body_measured_again_gives_the_same_size(folder: Path) -> None:
    found = []
    for sizes in ((), SIZES[:1]):
        guide = GuidedBody(1.8, "mediapipe", partial(tuple, sizes))
        for details, _ in steps(sizes, people=1, count=200):
            advice = guide.offer(details)
        assert advice.done
        guide.finish().keep()
        (person,) = read_people()
        found.append(person.scale)
        assert (person.backend, person.slot, person.height_m) == ("mediapipe", 0, 1.8)
    assert found[0] == pytest.approx(found[1], abs=2e-3)


def test_the_cameras_place_joins_the_lens_that_is_stored(folder: Path) -> None:
    write_camera(StoredCamera(name="mine", lenses=(LENS,)))
    guide = guide_for({"what": "floor"}, "mine", True, "test", tuple)
    for details, _ in steps(()):
        guide.offer(details)
    guide.finish().keep()
    camera = read_camera("mine")
    assert camera is not None and camera.lenses == (LENS,) and camera.floor is not None
    assert camera.floor.pitch_deg == pytest.approx(-8.0, abs=1.0)
    assert camera.floor.height_m == pytest.approx(1.4, abs=0.05)


@pytest.mark.parametrize(
    "payload", [{}, {"what": "knee"}, {"what": "body"}, {"what": "body", "height_cm": 1.72},
                {"what": "body", "height_cm": float("nan")}, {"what": "body", "height_cm": True},
                {"what": "floor", "marker_cm": "x"}, {"what": "floor", "marker_cm": 0}],
)  # fmt: skip
def test_nonsense_is_refused_before_it_begins(payload: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        guide_for(payload, "mine", True, "test", tuple)


@pytest.mark.parametrize(
    "payload", [{"what": "lens"}, {"what": "floor"}, {"what": "floor", "marker_cm": 16},
                {"what": "body", "height_cm": 172}],
)  # fmt: skip
def test_each_guide_says_how_to_begin_and_ends_without_a_result(payload: dict[str, Any]) -> None:
    guide = guide_for(payload, "mine", True, "test", tuple)
    assert guide.begin.endswith(".") and guide.limit_s >= 30.0
    with pytest.raises(CaptureError):
        guide.finish()
