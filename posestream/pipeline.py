"""The middle of the program: one picture in, everybody's avatar out. No threads, no sockets.

``Pipeline.step`` joins the stages; nothing else does. It is deterministic: the same frames
and settings give the same avatar frames.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from operator import is_
from typing import Final, NamedTuple

import numpy as np

from posestream.arrays import F64, Image
from posestream.body_sizes import SlotSizes
from posestream.calming import Calmer
from posestream.estimate.appearance import describe
from posestream.estimate.base import Estimator
from posestream.geometry import rigid
from posestream.geometry import rotation as so3
from posestream.ground.legs import SHANKS
from posestream.ground.settings import GroundSettings
from posestream.ground.stage import Grounder
from posestream.locate.floor import FloorEstimator
from posestream.placing import place_people
from posestream.retarget.pose import Pose
from posestream.retarget.solve import Retargeter
from posestream.retarget.within import legs_within_limits
from posestream.settings import Settings
from posestream.skeleton.joints import NUM_JOINTS
from posestream.skeleton.kinematics import positions, world_rotations
from posestream.smooth.outliers import OutlierGate
from posestream.timing import StageTimes, monotonic_ns
from posestream.track.tracker import Tracker
from posestream.types import (
    AvatarFrame,
    Camera,
    Estimate,
    Frame,
    People2D,
    PeopleCam,
    Tracks,
    TrackState,
)

_TRACKED: Final = int(TrackState.TRACKED)  # numpy compares with an enumeration slowly
_UNMOVED: Final = np.eye(4)
"""From the world to the stage while nobody has been put at the origin."""


@dataclass(frozen=True, slots=True, eq=False)
class StepDetails:
    """What the stages made of the last frame: for previews, evaluation and tests."""

    frame: Frame
    people2d: People2D
    people_cam: PeopleCam
    tracks: Tracks
    pose: Pose


class Look(NamedTuple):
    """What an estimator made of a frame, and when."""

    estimate: Estimate
    start_ns: int
    end_ns: int


class Pipeline:
    """Joins the stages for one source. Owned by one thread."""

    def __init__(
        self, estimator: Estimator, settings: Settings, times: StageTimes | None = None
    ) -> None:
        self.times = times or StageTimes()
        self.details: StepDetails | None = None
        self.camera: Camera | None = None  # with the pose that is believed now
        self.locates_by = "geometric"
        self.calibrations = 0  # how often the camera's believed pose has moved noticeably
        self._estimator = estimator
        self._stage_from_world = _UNMOVED
        self._placed: tuple[object, ...] = ()  # what ``camera`` was made of
        self._settings = settings
        self._tracker = Tracker(settings.track)
        self._outliers = OutlierGate(settings.smooth.gates)
        self._retargeter = Retargeter(settings.retarget)
        self._smoothing = Calmer(settings.smooth, settings.retarget.limits)
        self._grounder = Grounder(_feet(settings))
        self._floor = FloorEstimator(settings.floor)
        self._sizes = SlotSizes(settings.locate.body_scale)

    def step(self, frame: Frame) -> AvatarFrame:
        """Everybody's avatar in this frame. Raises BackendError if the back end fails."""
        with self.times.measure("estimate"):
            estimate = self._estimator.estimate(frame)
        return self.finish(frame, estimate)

    def look(self, frame: Frame) -> Look:
        """The first half of ``step``, which may run ahead in a thread of its own.

        Raises BackendError if the back end fails.
        """
        start_ns = monotonic_ns()
        estimate = self._estimator.estimate(frame)
        return Look(estimate, start_ns, monotonic_ns())

    def follow(self, frame: Frame, look: Look) -> AvatarFrame:
        """The second half, in the order of the frames."""
        self.times.add_between("estimate", look.start_ns, look.end_ns)
        return self.finish(frame, look.estimate)

    def finish(self, frame: Frame, estimate: Estimate) -> AvatarFrame:
        """Everybody's avatar, once it is known who is in the picture."""
        with self.times.measure("locate"):
            people = self._locate(estimate, frame.camera)
            T_world_cam = self._believed_pose(estimate, people, frame)
            people2d = _with_look(estimate.people2d, frame.image)
        self.camera = self._placed_camera(frame.camera, T_world_cam)
        return self._move(frame, people2d, people, T_world_cam)

    def coast(self, frame: Frame) -> AvatarFrame:
        """A frame without a picture (the source is gone): people are held, fade and leave.

        ``frame`` is the last one with a newer capture time.
        """
        people = _nobody()
        camera = self.camera or frame.camera
        T_world_cam = rigid.inverse(self._stage_from_world) @ camera.T_world_cam
        return self._move(frame, _nobody_2d(), people, T_world_cam)

    def expect_latency(self, latency_s: float) -> None:
        """How long after the last picture was taken its people left the pipeline."""
        self._smoothing.expect_latency(latency_s)

    def configure(self, settings: Settings) -> None:
        """Take over changed settings of the stages without losing who is who."""
        before, self._settings = self._settings, settings
        if before.track != settings.track:
            self._tracker.configure(settings.track)
        if before.retarget != settings.retarget:
            self._retargeter = Retargeter(settings.retarget)
        self._smoothing.limits = settings.retarget.limits
        if before.smooth != settings.smooth:
            self._outliers.configure(settings.smooth.gates)
            self._smoothing.configure(settings.smooth)
        self._grounder.configure(_feet(settings))
        if before.locate != settings.locate:
            self._sizes = SlotSizes(settings.locate.body_scale)
        if before.floor != settings.floor:
            self._floor = FloorEstimator(settings.floor)

    def recalibrate(self) -> None:
        """Estimate floor, tilt and body proportions anew."""
        self._floor = FloorEstimator(self._settings.floor)
        self._retargeter = Retargeter(self._settings.retarget)

    def recentre(self, slot: int | None) -> bool:
        """Put that slot's person at the origin, facing +Z; None restores the camera's origin.

        False if nobody is in the slot.
        """
        if slot is None:
            self._stage_from_world = _UNMOVED
            return True
        if self.details is None or slot not in self.details.tracks.slot.tolist():
            return False
        row = self.details.tracks.slot.tolist().index(slot)
        pose = self.details.pose
        heading_rad = so3.yaw_about_y(pose.quat_local_xyzw[row, 0])
        turn = so3.to_matrix(so3.from_axis_angle(np.array([0.0, 1.0, 0.0]), -heading_rad))
        ground = pose.root_world_m[row] * [1.0, 0.0, 1.0]
        self._stage_from_world = rigid.make(turn, -turn @ ground)
        return True

    def _placed_camera(self, camera: Camera, T_world_cam: F64) -> Camera:
        """The camera where it stands on the stage; the same object while nothing has moved."""
        inputs = camera, self._stage_from_world, T_world_cam
        if self.camera is not None and all(map(is_, inputs, self._placed)):
            return self.camera
        self._placed = inputs
        return replace(camera, T_world_cam=self._stage_from_world @ T_world_cam)

    def _locate(self, estimate: Estimate, camera: Camera) -> PeopleCam:
        s = self._settings
        sizes = self._sizes.of(estimate.people2d)
        placed = place_people(estimate, camera, self._estimator.name, s.lift, s.locate, sizes)
        self.locates_by = placed.by
        return placed.people

    def _believed_pose(self, estimate: Estimate, people: PeopleCam, frame: Frame) -> F64:
        if estimate.root_cam_m is not None:
            return frame.camera.T_world_cam
        self.calibrations += self._floor.update(people, frame.t_capture_ns * 1e-9)
        return self._floor.T_world_cam

    def _move(
        self, frame: Frame, people2d: People2D, people: PeopleCam, T_world_cam: F64
    ) -> AvatarFrame:
        t_s = frame.t_capture_ns * 1e-9
        with self.times.measure("track"):
            tracks = self._tracker.update(people, people2d, T_world_cam, t_s)
            self._sizes.remember(people2d, tracks)
            tracks = self._outliers.apply(tracks, t_s)
        with self.times.measure("retarget"):
            pose = self._retargeter.solve(tracks, t_s)
        with self.times.measure("smooth"):
            smooth = self._smooth(tracks, pose, t_s)
        with self.times.measure("ground"):
            moved = self._ground(tracks, pose, smooth, T_world_cam[:3, 3], t_s)
        avatars = self._avatars(frame, tracks, pose, moved)
        self.details = StepDetails(frame, people2d, people, tracks, pose)
        return avatars

    def _smooth(self, tracks: Tracks, pose: Pose, t_s: float) -> tuple[F64, F64]:
        """Roots (N, 3) and local rotations (N, B, 4), calmed."""
        return self._smoothing.apply(
            tracks.track_id,
            t_s,
            pose.root_world_m,
            pose.quat_local_xyzw,
            tracks.state == _TRACKED,
            pose.solved_world_xyzw,
        )

    def _ground(
        self, tracks: Tracks, pose: Pose, smooth: tuple[F64, F64], camera_m: F64, t_s: float
    ) -> tuple[F64, F64]:
        """The same with feet on the floor."""
        known = pose.bone_valid[:, SHANKS] & (tracks.state == _TRACKED)[:, None]
        body = self._grounder.body_of(pose.offset_m, pose.hip_height_m)
        root, quat = self._grounder.apply(tracks.track_id, t_s, *smooth, body, known, camera_m)
        limits = self._settings.retarget.limits
        return root, legs_within_limits(quat) if limits else quat

    def _avatars(
        self, frame: Frame, tracks: Tracks, pose: Pose, moved: tuple[F64, F64]
    ) -> AvatarFrame:
        if len(tracks) == 0:
            return AvatarFrame.empty(frame.index, frame.t_capture_ns)
        root, quat = self._on_stage(*moved)
        return AvatarFrame(
            index=frame.index,
            t_capture_ns=frame.t_capture_ns,
            slot=tracks.slot,
            track_id=tracks.track_id,
            state=tracks.state,
            confidence=tracks.confidence,
            root_world_m=root,
            root_quat_world_xyzw=quat[:, 0],
            quat_local_xyzw=quat,
            places=lambda: positions(root, world_rotations(quat), pose.offset_m),
            bone_valid=pose.bone_valid,
            hip_height_m=pose.hip_height_m,
            expressions=np.zeros((len(tracks), 0)),
        )

    def _on_stage(self, root_m: F64, quat_xyzw: F64) -> tuple[F64, F64]:
        T = self._stage_from_world
        if T is _UNMOVED:
            return root_m, quat_xyzw
        turned = quat_xyzw.copy()
        turned[:, 0] = so3.multiply(so3.from_matrix(T[:3, :3]), quat_xyzw[:, 0])
        return rigid.apply(T, root_m), turned


def _feet(settings: Settings) -> GroundSettings:
    """Seated people's legs are made up: they are on the floor already."""
    return GroundSettings(feet="off") if settings.retarget.seated else settings.ground


def _with_look(people: People2D, image: Image) -> People2D:
    """The people with what finds the colours of their clothes in the picture."""
    look = partial(describe, image, people)
    return People2D(people.xy_px, people.score, people.person_score, look)


def _nobody() -> PeopleCam:
    none = np.zeros(0)
    return PeopleCam(
        np.zeros((0, 3)), np.zeros((0, NUM_JOINTS, 3)), np.zeros((0, NUM_JOINTS)), none, none
    )


def _nobody_2d() -> People2D:
    return People2D(np.zeros((0, NUM_JOINTS, 2)), np.zeros((0, NUM_JOINTS)), np.zeros(0))
