"""The stages joined, on scripted people whose truth is known exactly."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest

from posestream import config
from posestream.capture.base import CaptureSettings
from posestream.capture.synthetic import SyntheticSource, parse_options, truth_of
from posestream.errors import BackendError
from posestream.estimate.backends.fake import FakeEstimator
from posestream.estimate.base import EstimateSettings
from posestream.geometry import rigid
from posestream.geometry import rotation as so3
from posestream.pipeline import Pipeline
from posestream.settings import Settings
from posestream.skeleton.humanoid import BONE
from posestream.skeleton.joints import JOINT
from posestream.skeleton.scripted import ScriptedPeople
from posestream.types import AvatarFrame, Camera, Estimate, Frame, People2D, TrackState

CAMERA: Camera = SyntheticSource(parse_options("people=0"), CaptureSettings(pace="fast")).camera
IMAGE = np.zeros((CAMERA.size_px[1], CAMERA.size_px[0], 3), np.uint8)
FPS = 30.0
EVERYBODY = EstimateSettings(max_people=16)
RAW = (
    "smooth.smoothness=0", "retarget.limits=false", "smooth.predict_ms=0", "ground.feet=off",
)  # fmt: skip

# Limbs by joints, and the bones that lie along them.
LIMBS = {
    ("left_shoulder", "left_elbow"): ("LeftUpperArm", "LeftLowerArm"),
    ("left_elbow", "left_wrist"): ("LeftLowerArm", "LeftHand"),
    ("right_shoulder", "right_elbow"): ("RightUpperArm", "RightLowerArm"),
    ("right_elbow", "right_wrist"): ("RightLowerArm", "RightHand"),
    ("left_hip", "left_knee"): ("LeftUpperLeg", "LeftLowerLeg"),
    ("left_knee", "left_ankle"): ("LeftLowerLeg", "LeftFoot"),
    ("right_hip", "right_knee"): ("RightUpperLeg", "RightLowerLeg"),
    ("right_knee", "right_ankle"): ("RightLowerLeg", "RightFoot"),
}


class Scene:
    """Scripted people before the camera; ``people`` of each frame says who is in which row."""

    def __init__(self, count: int, seed: int = 0) -> None:
        self._scripted = ScriptedPeople(count, seed)
        self.people: dict[int, list[int]] = {}
        self.joints_world_m: dict[int, np.ndarray] = {}

    def frame(self, index: int) -> Frame:
        t_s = index / FPS
        world = self._scripted.joints_world_m(t_s)
        cam = rigid.apply(rigid.inverse(CAMERA.T_world_cam), world)
        everyone = [len(truth_of(cam[i : i + 1], CAMERA).people2d) for i in range(len(cam))]
        self.people[index] = np.flatnonzero(everyone).tolist()
        self.joints_world_m[index] = world
        return Frame(index, round(t_s * 1e9), IMAGE, CAMERA, truth_of(cam, CAMERA))

    def frames(self, seconds: float) -> Iterator[Frame]:
        return (self.frame(i) for i in range(round(seconds * FPS)))


def make(*overrides: str, **worse: Any) -> Pipeline:
    settings = config.load(None, overrides)
    return Pipeline(FakeEstimator(EVERYBODY, **worse), settings)


def tracked(pipeline: Pipeline, scene: Scene, avatars: AvatarFrame) -> dict[int, int]:
    """Row of the avatar frame to scripted person, for everybody seen in this frame."""
    assert pipeline.details is not None
    rows = enumerate(pipeline.details.tracks.detection.tolist())
    return {row: scene.people[avatars.index][d] for row, d in rows if d >= 0}


def angles_deg(pipeline: Pipeline, scene: Scene, avatars: AvatarFrame) -> list[float]:
    """Between each limb of the truth and the same limb of the avatar, where it was in view."""
    assert pipeline.details is not None
    result = []
    for row, person in tracked(pipeline, scene, avatars).items():
        score = pipeline.details.tracks.score[row]
        truth = scene.joints_world_m[avatars.index][person]
        for (a, b), (c, d) in LIMBS.items():
            if min(score[JOINT[a]], score[JOINT[b]]) > 0.5:
                wanted = truth[JOINT[b]] - truth[JOINT[a]]
                place = avatars.position_world_m[row]
                got = place[BONE[d]] - place[BONE[c]]
                cosine = wanted @ got / np.linalg.norm(wanted) / np.linalg.norm(got)
                result.append(float(np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0)))))
    return result


def test_exact_joints_become_avatars_with_the_same_limbs() -> None:
    scene, pipeline = Scene(4), make(*RAW)
    angles: list[float] = []
    for frame in scene.frames(6.0):
        angles += angles_deg(pipeline, scene, pipeline.step(frame))
    assert len(angles) > 3000
    assert max(angles) < 2.0
    assert pipeline.locates_by == "exact"


def test_with_all_settings_at_their_defaults_limbs_follow_closely() -> None:
    scene, pipeline = Scene(4), make()
    angles: list[float] = []
    for frame in scene.frames(6.0):
        angles += angles_deg(pipeline, scene, pipeline.step(frame))
    assert np.median(angles) < 4.0
    assert np.percentile(angles, 99) < 30.0


def test_avatars_stand_where_the_people_stand() -> None:
    scene, pipeline = Scene(3), make(*RAW)
    for frame in scene.frames(3.0):
        avatars = pipeline.step(frame)
        for row, person in tracked(pipeline, scene, avatars).items():
            truth = scene.joints_world_m[frame.index][person]
            place = avatars.position_world_m[row]
            hips = (place[BONE["LeftUpperLeg"]] + place[BONE["RightUpperLeg"]]) / 2
            assert np.linalg.norm(hips - truth[JOINT["pelvis"]]) < 0.03
            assert abs(place[BONE["LeftFoot"], 1] - truth[JOINT["left_ankle"], 1]) < 0.08


def test_everybody_keeps_one_identity_and_one_slot_while_in_view() -> None:
    scene, pipeline = Scene(4), make()
    ids: dict[int, set[int]] = defaultdict(set)
    slots: dict[int, set[int]] = defaultdict(set)
    owners: dict[int, set[int]] = defaultdict(set)
    absent: dict[int, int] = defaultdict(int)
    for frame in scene.frames(20.0):
        avatars = pipeline.step(frame)
        for row, person in tracked(pipeline, scene, avatars).items():
            ids[person].add(int(avatars.track_id[row]))
            slots[person].add(int(avatars.slot[row]))
            owners[int(avatars.track_id[row])].add(person)
        for person in set(range(4)) - set(scene.people[frame.index]):
            absent[person] += 1
        assert len(set(avatars.slot.tolist())) == len(avatars)
    assert all(len(people) == 1 for people in owners.values())
    always = [person for person in range(4) if not absent[person]]
    assert len(always) >= 3 and sum(absent.values()) > 30  # the last one leaves and returns
    for person in always:
        assert len(ids[person]) == len(slots[person]) == 1


def test_zero_people_are_ordinary_frames() -> None:
    pipeline = make()
    for frame in Scene(0).frames(0.3):
        avatars = pipeline.step(frame)
        assert len(avatars) == 0
        assert (avatars.index, avatars.t_capture_ns) == (frame.index, frame.t_capture_ns)


def check_whole(avatars: AvatarFrame) -> None:
    """Nothing that leaves the pipeline is ever less than this."""
    assert np.isfinite(avatars.root_world_m).all() and np.isfinite(avatars.position_world_m).all()
    np.testing.assert_allclose(np.linalg.norm(avatars.quat_local_xyzw, axis=-1), 1.0, atol=1e-9)
    np.testing.assert_array_equal(avatars.root_quat_world_xyzw, avatars.quat_local_xyzw[:, 0])
    assert ((avatars.confidence >= 0.0) & (avatars.confidence <= 1.0)).all()
    assert (avatars.hip_height_m > 0.2).all()
    assert set(avatars.state.tolist()) <= set(TrackState)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("preset", sorted(config.preset_files()))
def test_whatever_is_missing_or_wrong_avatars_are_whole(preset: str, seed: int) -> None:
    estimator = FakeEstimator(EVERYBODY, noise_px=5, noise_m=0.1, dropout=0.4, miss=0.3, seed=seed)
    pipeline = Pipeline(estimator, config.load(preset))
    seen = 0
    for frame in Scene(4, seed).frames(1.5):
        avatars = pipeline.step(frame)
        check_whole(avatars)
        seen += len(avatars)
    assert seen > 50


def test_without_pictures_people_are_held_fade_and_leave_once() -> None:
    scene, pipeline = Scene(2), make("track.hold_s=1.0")
    for frame in scene.frames(1.0):
        before = pipeline.step(frame)
    assert len(before) == 2
    confidence: dict[int, list[float]] = defaultdict(list)
    left: list[int] = []
    for i in range(1, 60):
        later = replace(frame, t_capture_ns=frame.t_capture_ns + round(i / FPS * 1e9))
        avatars = pipeline.coast(later)
        check_whole(avatars)
        assert avatars.t_capture_ns == later.t_capture_ns
        assert TrackState.TRACKED not in avatars.state
        for track, state, sure in zip(
            avatars.track_id, avatars.state, avatars.confidence, strict=True
        ):
            confidence[int(track)].append(float(sure))
            if state == TrackState.LOST:
                left.append(int(track))
    assert sorted(left) == sorted(before.track_id.tolist())
    assert len(avatars) == 0
    for values in confidence.values():
        assert (np.diff(values) <= 1e-9).all()
        assert values[0] > 0.5 > values[-1]


def test_who_is_hidden_for_a_moment_is_the_same_again() -> None:
    scene, pipeline = Scene(2), make()
    for frame in scene.frames(1.0):
        before = pipeline.step(frame)
    for i in range(1, 16):
        pipeline.coast(replace(frame, t_capture_ns=frame.t_capture_ns + round(i / FPS * 1e9)))
    after = pipeline.step(scene.frame(frame.index + 16))
    assert dict(zip(after.track_id, after.slot, strict=True)) == dict(
        zip(before.track_id, before.slot, strict=True)
    )
    assert (after.state == TrackState.TRACKED).all()


@pytest.mark.parametrize(
    "change",
    ["smooth.smoothness=1.0", "retarget.mirror=true", "retarget.seated=true", "track.hold_s=0.2",
     "floor.initial_height_m=2.0", "locate.min_joints=6", "vmc.port=5000"],
)  # fmt: skip
def test_live_changes_keep_who_is_who(change: str) -> None:
    scene, pipeline = Scene(3), make()
    for frame in scene.frames(0.5):
        before = pipeline.step(frame)
    pipeline.configure(config.load(None, [change]))
    after = pipeline.step(scene.frame(frame.index + 1))
    check_whole(after)
    assert after.track_id.tolist() == before.track_id.tolist()
    assert after.slot.tolist() == before.slot.tolist()


def test_the_mirror_takes_effect_with_the_next_frame() -> None:
    scene, pipeline = Scene(2), make(*RAW)
    for frame in scene.frames(0.5):
        pipeline.step(frame)
    plain = pipeline.step(again := scene.frame(frame.index + 1))
    pipeline.configure(config.load(None, [*RAW, "retarget.mirror=true"]))
    mirrored = pipeline.step(replace(again, t_capture_ns=again.t_capture_ns + 1))
    expected = plain.root_world_m * [-1.0, 1.0, 1.0]
    np.testing.assert_allclose(mirrored.root_world_m, expected, atol=0.02)


@pytest.mark.parametrize("slot", [0, 1])
def test_recentre_puts_the_person_at_the_origin_facing_forward(slot: int) -> None:
    scene, pipeline = Scene(2), make(*RAW)
    for frame in scene.frames(1.0):
        before = pipeline.step(frame)
    assert pipeline.recentre(slot)
    after = pipeline.step(replace(frame, t_capture_ns=frame.t_capture_ns + 1))
    check_whole(after)
    row = after.slot.tolist().index(slot)
    np.testing.assert_allclose(after.root_world_m[row, [0, 2]], 0.0, atol=0.01)
    assert abs(np.degrees(so3.yaw_about_y(after.root_quat_world_xyzw[row]))) < 1.0
    apart = np.linalg.norm(before.root_world_m[0] - before.root_world_m[1])
    assert np.linalg.norm(after.root_world_m[0] - after.root_world_m[1]) == pytest.approx(
        apart, abs=0.01
    )
    np.testing.assert_allclose(after.root_world_m[:, 1], before.root_world_m[:, 1], atol=0.01)
    assert pipeline.recentre(None)
    restored = pipeline.step(replace(frame, t_capture_ns=frame.t_capture_ns + 2))
    np.testing.assert_allclose(restored.root_world_m, before.root_world_m, atol=0.01)


def test_the_camera_stays_where_it_stands_among_the_people() -> None:
    scene, pipeline = Scene(2), make(*RAW)
    for frame in scene.frames(1.0):
        pipeline.step(frame)
    for slot in (None, 0, 1):
        assert pipeline.recentre(slot)
        frame = replace(frame, t_capture_ns=frame.t_capture_ns + 1)
        avatars = pipeline.step(frame)
        assert pipeline.camera is not None and pipeline.details is not None
        people = pipeline.details.people_cam
        pelvis_m = rigid.apply(pipeline.camera.T_world_cam, people.root_cam_m)
        pelvis_m = pelvis_m[pipeline.details.tracks.detection]
        np.testing.assert_allclose(avatars.root_world_m[:, [0, 2]], pelvis_m[:, [0, 2]], atol=0.06)


def test_recentring_on_nobody_changes_nothing() -> None:
    scene, pipeline = Scene(1), make(*RAW)
    assert not pipeline.recentre(0)
    for frame in scene.frames(0.5):
        before = pipeline.step(frame)
    assert not pipeline.recentre(7)
    after = pipeline.step(replace(frame, t_capture_ns=frame.t_capture_ns + 1))
    np.testing.assert_allclose(after.root_world_m, before.root_world_m, atol=0.01)


def arrays(avatars: AvatarFrame) -> list[bytes]:
    avatars.position_world_m  # noqa: B018  (found only when somebody asks)
    return [np.asarray(getattr(avatars, f.name)).tobytes() for f in fields(AvatarFrame)]


def test_the_same_frames_and_settings_give_the_same_bytes() -> None:
    takes = []
    for _ in range(2):
        pipeline = make(noise_px=2.0, noise_m=0.02, dropout=0.1, miss=0.05)
        takes.append([arrays(pipeline.step(frame)) for frame in Scene(4, 5).frames(2.0)])
    assert takes[0] == takes[1]


def test_recalibrating_keeps_who_is_who() -> None:
    scene, pipeline = Scene(2), make()
    for frame in scene.frames(0.5):
        before = pipeline.step(frame)
    pipeline.recalibrate()
    after = pipeline.step(scene.frame(frame.index + 1))
    assert after.track_id.tolist() == before.track_id.tolist()
    check_whole(after)


def test_a_back_end_without_3d_is_named() -> None:
    class Flat:
        name = "flat"

        def estimate(self, frame: Frame) -> Estimate:
            nobody = np.zeros((0, len(JOINT)))
            return Estimate(People2D(np.zeros((0, len(JOINT), 2)), nobody, np.zeros(0)))

        def close(self) -> None:
            return

    with pytest.raises(BackendError, match="flat"):
        Pipeline(Flat(), Settings()).step(Scene(1).frame(0))


def test_every_stage_is_timed() -> None:
    pipeline = make()
    for frame in Scene(1).frames(0.2):
        pipeline.step(frame)
    assert list(pipeline.times.summary()) == [
        "estimate",
        "locate",
        "track",
        "retarget",
        "smooth",
        "ground",
    ]
