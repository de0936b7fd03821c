"""Hands and face joined to the body: whose they are, where they go in, how they come and go."""

from __future__ import annotations

import threading

import msgspec
import numpy as np
import pytest

from posestream import config
from posestream.capture import open_source
from posestream.errors import BackendError
from posestream.estimate.registry import create
from posestream.geometry import frames
from posestream.geometry import rotation as rot
from posestream.marks import FaceMarks, HandMarks, Marks, Side
from posestream.perform.blending import EYE_BONES, FINGER_BONES, Blender, mirrored, relaxed_fingers
from posestream.perform.expressions import face_model
from posestream.perform.settings import PerformSettings
from posestream.perform.solving import Performance, Solver, own_hands
from posestream.performing import Looker, Performing
from posestream.pipeline import Pipeline
from posestream.skeleton.humanoid import BONE, REST_OFFSET_M
from posestream.skeleton.kinematics import world_rotations
from posestream.types import EXPRESSIONS, AvatarFrame, Camera, Frame

ON = PerformSettings(hands=True, face=True, smooth_s=0.0)
CAMERA = Camera(np.array([[800.0, 0, 320], [0, 800.0, 240], [0, 0, 1]]), (640, 480))
UNKNOWN = np.full((2, 2), np.nan)
CAM_FROM_WORLD = np.array([1.0, -1.0, -1.0])


def a_frame(index: int = 0) -> Frame:
    image = np.zeros((480, 640, 3), dtype=np.uint8)
    return Frame(index, index * 33_000_000, image, CAMERA)


def a_hand(
    side: Side, at_px: tuple[float, float] = (320.0, 240.0), score: float = 0.9
) -> HandMarks:
    """A hand that points to the left of the picture's person, palm to the floor."""
    points = np.zeros((21, 3))
    name = side.capitalize()
    for finger, bones in enumerate(("Thumb", "Index", "Middle", "Ring", "Little")):
        place = np.zeros(3)
        for joint, part in enumerate(("Proximal", "Intermediate", "Distal")):
            place = place + REST_OFFSET_M[BONE[f"{name}{bones}{part}"]]
            points[4 * finger + joint + 1] = place
        points[4 * finger + 4] = place + REST_OFFSET_M[BONE[f"{name}{bones}Distal"]]
    points *= CAM_FROM_WORLD
    return HandMarks(side, score, points[:, :2] * 800.0 + np.array(at_px), points)


def a_face(turn_deg: float = 0.0) -> FaceMarks:
    point = face_model().canonical
    turned = rot.rotate(rot.from_rotvec(np.array([0.0, np.radians(turn_deg), 0.0])), point)
    return FaceMarks(90.0 * turned * CAM_FROM_WORLD + [320.0, 240.0, 0.0])


def performance(t_s: float, hands: tuple[bool, bool], values: float, face: bool) -> Performance:
    finger = rot.from_axis_angle(np.array([0.0, 0.0, -1.0]), np.full((2, 15), 1.0))
    finger[1] = frames.mirror_quat(finger[1])
    return Performance(
        t_s, np.array(hands), rot.identity(2), finger, face, rot.identity(),
        rot.from_axis_angle(np.array([0.0, 1.0, 0.0]), np.full(2, 0.3)),
        np.full(len(EXPRESSIONS), values),
    )  # fmt: skip


class FakeFinder:
    """Sees one turned face and a left hand in every picture; notes which thread asked."""

    def __init__(self, fails: bool = False) -> None:
        self.threads: set[str] = set()
        self.seen: list[int] = []
        self.closed = 0
        self.fails = fails

    def find(self, frame: Frame) -> Marks:
        if self.fails:
            raise BackendError("No hands today.")
        self.threads.add(threading.current_thread().name)
        self.seen.append(frame.index)
        return Marks(frame.t_capture_ns, (), a_face(30.0))

    def close(self) -> None:
        self.closed += 1


def test_hands_go_to_the_wrists_they_are_at_whatever_the_model_calls_them() -> None:
    wrists = np.array([[400.0, 300.0], [200.0, 300.0]])
    left, right = a_hand("right", (400.0, 300.0)), a_hand("right", (200.0, 300.0))
    assert own_hands((left, right), wrists) == [left, right]
    assert own_hands((right, left), wrists) == [left, right]
    assert own_hands((a_hand("left", (600.0, 60.0)),), wrists) == [None, None]  # somebody else's


def test_without_wrists_the_models_word_counts_and_one_hand_is_one() -> None:
    left, right = a_hand("left"), a_hand("right")
    assert own_hands((right, left), UNKNOWN) == [left, right]
    assert own_hands((left,), UNKNOWN) == [left, None]
    assert own_hands((right,), UNKNOWN) == [None, right]


def test_a_hand_of_the_t_pose_is_found_at_rest() -> None:
    marks = Marks(0, (a_hand("left", (320.0, 240.0)), a_hand("right", (320.0, 240.0))))
    seen = Solver(ON).solve(marks, CAMERA, UNKNOWN)
    assert seen.hand_seen.all()
    assert np.degrees(rot.angle_between(seen.finger_xyzw, rot.IDENTITY)).max() < 0.1
    turned = rot.rotate(seen.palm_cam_xyzw, np.array([0.0, 1.0, 0.0]))
    assert (turned[:, 1] < -0.98).all()  # the back of the hand up, but for the slanting ray


def test_lost_hands_hold_then_fade_to_rest() -> None:
    blender, settings = Blender(), changed(ON, hold_s=0.4, fade_s=0.5)
    seen = performance(1.0, (True, False), 0.8, face=True)
    at = [blender.show(t, seen, settings, mirror=False) for t in (1.0, 1.3, 1.65, 2.0)]
    turned = [float(rot.angle_between(s.finger_xyzw[0, 5], seen.finger_xyzw[0, 5])) for s in at]
    assert turned[0] < 1e-6
    assert turned[1] < 1e-6
    assert 0.1 < turned[2] < turned[3]
    assert np.allclose(at[3].finger_xyzw[0], relaxed_fingers()[0])
    assert [bool(s.hand_seen[0]) for s in at] == [True, True, True, False]
    assert not any(s.hand_seen[1] for s in at)
    assert [round(float(s.expressions[0]), 2) for s in at] == [0.8, 0.8, 0.4, 0.0]
    assert [s.face_seen for s in at] == [True, True, True, False]


def changed(settings: PerformSettings, **changes: float) -> PerformSettings:
    return msgspec.structs.replace(settings, **changes)


def test_smoothing_approaches_and_never_overshoots() -> None:
    blender, settings = Blender(), changed(ON, smooth_s=0.1, hold_s=5.0)
    seen = performance(0.0, (True, True), 1.0, face=True)
    values = [blender.show(t, seen, settings, False).expressions[0] for t in np.arange(30) / 30]
    assert (np.diff(values) > 0.0).all()
    assert 0.9 < values[-1] < 1.0


def test_the_mirror_swaps_sides_of_everything() -> None:
    shown = Blender().show(0.0, performance(0.0, (True, False), 0.0, face=True), ON, mirror=False)
    values = np.arange(len(EXPRESSIONS), dtype=float)
    shown = shown._replace(expressions=values)
    seen = mirrored(shown)
    assert seen.hand_seen.tolist() == [False, True]
    assert np.allclose(seen.finger_xyzw[1], frames.mirror_quat(shown.finger_xyzw[0]))
    for name, other in (("blinkLeft", "blinkRight"), ("lookLeft", "lookRight"),
                        ("eyeLookInLeft", "eyeLookInRight"), ("jawOpen", "jawOpen")):  # fmt: skip
        assert seen.expressions[EXPRESSIONS.index(name)] == EXPRESSIONS.index(other)
    back = mirrored(seen)
    assert np.allclose(back.finger_xyzw, shown.finger_xyzw)
    assert np.allclose(back.expressions, values)


def run(settings: PerformSettings, finder: FakeFinder, people: int = 1) -> list[AvatarFrame]:
    every = config.load(None, [f"estimate.max_people={people}"])
    source = open_source(f"synthetic:people={people},seconds=1", every.source)
    performing = Performing(settings, mirror=False, threaded=False, make=lambda _: finder)
    pipeline = Pipeline(performing.watched(create("fake", every.estimate)), every)
    shown = []
    while (frame := source.read()) is not None:
        avatars = pipeline.step(frame)
        assert pipeline.details is not None
        shown.append(performing.dressed(avatars, pipeline.details.pose.offset_m))
    performing.close()
    performing.close()
    source.close()
    return shown


def test_off_changes_nothing_and_looks_at_nothing() -> None:
    finder = FakeFinder()
    shown = run(PerformSettings(), finder)
    assert finder.seen == []
    assert all(frame.expressions.shape[1] == 0 for frame in shown)


def test_a_single_performer_gets_face_eyes_and_fingers() -> None:
    finder = FakeFinder()
    shown = run(changed(ON, neutral_s=0.3), finder)
    last = shown[-1]
    assert finder.seen == [frame.index for frame in shown]
    assert finder.closed == 1
    assert last.expressions.shape == (1, len(EXPRESSIONS))
    assert last.bone_valid[0, EYE_BONES].all()
    assert not last.bone_valid[0, FINGER_BONES].any()
    assert np.allclose(last.quat_local_xyzw[0, FINGER_BONES], relaxed_fingers())
    head = world_rotations(last.quat_local_xyzw)[0, BONE["Head"]]
    ahead = rot.rotate(head, np.array([0.0, 0.0, 1.0]))
    assert np.degrees(np.arctan2(ahead[0], ahead[2])) == pytest.approx(30.0, abs=8.0)
    places = last.position_world_m[0, FINGER_BONES]
    assert np.isfinite(places).all()


def test_several_people_keep_their_hands_and_faces_still() -> None:
    finder = FakeFinder()
    shown = run(ON, finder, people=2)
    assert finder.seen == []
    last = shown[-1]
    assert len(last) == 2
    assert not last.expressions.any()
    assert not last.bone_valid[:, FINGER_BONES].any()


def test_the_thread_looks_at_the_newest_frame_and_never_blocks() -> None:
    entered, go_on = threading.Event(), threading.Event()

    class Slow(FakeFinder):
        def find(self, frame: Frame) -> Marks:
            entered.set()
            assert go_on.wait(20.0)
            return super().find(frame)

    finder = Slow()
    looker = Looker(changed(ON, rate_hz=120.0), lambda _: finder, threaded=True)
    looker.offer(a_frame(0), UNKNOWN)
    assert entered.wait(20.0)
    for index in range(1, 50):
        looker.offer(a_frame(index), UNKNOWN)  # nobody waits, though the first is still looked at
    assert looker.newest is None
    go_on.set()
    for _ in range(2000):
        if len(finder.seen) == 2:
            break
        threading.Event().wait(0.01)
    looker.close()
    assert finder.seen == [0, 49]
    assert finder.threads == {"hands-and-face"}
    assert finder.closed == 1


def test_models_that_cannot_be_had_are_said_once_and_the_body_goes_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    shown = run(ON, FakeFinder(fails=True))
    assert len(shown) > 5
    assert [r.message for r in caplog.records] == ["Hands and face stay at rest: No hands today."]
    assert not shown[-1].expressions.any()


def test_settings_can_be_changed_while_running() -> None:
    finder = FakeFinder()
    performing = Performing(PerformSettings(), mirror=False, threaded=False, make=lambda _: finder)
    assert not performing.on
    performing.configure(ON, mirror=True)
    assert performing.on
    frame = AvatarFrame.empty(0, 0)
    assert performing.dressed(frame, None) is frame
    performing.configure(PerformSettings(), mirror=False)
    assert not performing.on
