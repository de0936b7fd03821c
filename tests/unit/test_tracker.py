"""Tracking: identities survive crossings, absences, noise and any frame rate."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import msgspec
import numpy as np
import pytest

from posestream.arrays import F64, I64
from posestream.geometry import rigid
from posestream.geometry.camera import intrinsics_from_fov, project
from posestream.skeleton.joints import NUM_JOINTS, ROOT
from posestream.skeleton.scripted import ScriptedPeople
from posestream.track.assign import assign, settled
from posestream.track.likeness import LOOK_SIZE
from posestream.track.tracker import Tracker, TrackSettings
from posestream.types import People2D, PeopleCam, Tracks, TrackState, level_camera_pose

K = intrinsics_from_fov((1280, 720), 63.0)
T_WORLD_CAM = level_camera_pose(1.3)
T_CAM_WORLD = rigid.inverse(T_WORLD_CAM)
Path = Callable[[float], tuple[float, float]]
Seen = tuple[PeopleCam, People2D, I64]


def line(x_m: float, z_m: float, vx: float, vz: float) -> Path:
    return lambda t: (x_m + vx * t, z_m + vz * t)


def stand(x_m: float, z_m: float) -> Path:
    return line(x_m, z_m, 0.0, 0.0)


@dataclass
class Scene:
    """Walking people on paths before a camera, measured with noise; the hidden are not seen."""

    paths: list[Path]
    seed: int = 0
    noise_px: float = 3.0
    noise_m: float = 0.02
    noise_depth: float = 0.03  # of the distance
    missed: float = 0.03
    false: float = 0.02
    hidden: Callable[[float], tuple[int, ...]] = lambda t: ()
    score: float = 0.85
    rng: np.random.Generator = field(init=False)

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng(self.seed)
        self.bodies = ScriptedPeople(len(self.paths), self.seed)

    def truth_cam_m(self, t_s: float) -> F64:
        joints = self.bodies.joints_world_m(t_s)
        joints -= joints[:, ROOT, None] * [1.0, 0.0, 1.0]
        joints[..., [0, 2]] += np.array([path(t_s) for path in self.paths])[:, None]
        return rigid.apply(T_CAM_WORLD, joints)

    def frame(self, t_s: float) -> Seen:
        """Measurements in random order, and who is who (-1: nobody)."""
        joints = self.truth_cam_m(t_s)
        who = [i for i in range(len(joints)) if self._is_seen(i, joints, t_s)]
        joints = joints[who]
        if self.rng.random() < self.false:
            joints, who = np.concatenate([joints, self._nobody()]), [*who, -1]
        order = self.rng.permutation(len(who))
        return self._measure(joints[order], np.array(who, dtype=np.int64)[order])

    def _is_seen(self, i: int, joints: F64, t_s: float) -> bool:
        root = joints[:, ROOT]
        aside = np.abs(root[:, 0] / root[:, 2] - root[i, 0] / root[i, 2]) * root[i, 2]
        behind = np.any((root[:, 2] < root[i, 2] - 0.2) & (aside < 0.3))
        return not (behind or i in self.hidden(t_s) or self.rng.random() < self.missed)

    def _nobody(self) -> F64:
        depth = self.rng.uniform(2.0, 6.0)
        middle = np.array([self.rng.uniform(-0.5, 0.5) * depth, 0.2, depth])
        return middle + 0.25 * self.rng.normal(size=(1, NUM_JOINTS, 3))

    def _measure(self, joints: F64, who: I64) -> Seen:
        n = len(who)
        root = joints[:, ROOT]
        relative = joints - root[:, None] + self.noise_m * self.rng.normal(size=joints.shape)
        measured = root * (1.0 + self.noise_depth * self.rng.normal(size=(n, 1)))
        xy_px = project(joints, K) + self.noise_px * self.rng.normal(size=(n, NUM_JOINTS, 2))
        score = np.full((n, NUM_JOINTS), 0.9)
        person = np.where(who < 0, self.rng.uniform(0.2, 0.7, n), self.score)
        std = 0.05 * measured[:, 2]
        people = PeopleCam(measured, relative + measured[:, None], score, np.full(n, 0.9), std)
        return people, People2D(xy_px, score, person), who


def follow(
    scene: Scene, fps: float, seconds: float, tracker: Tracker | None = None
) -> Iterator[tuple[float, Tracks, I64]]:
    tracker = tracker or Tracker()
    for i in range(int(seconds * fps)):
        t_s = i / fps
        people, people2d, who = scene.frame(t_s)
        yield t_s, tracker.update(people, people2d, T_WORLD_CAM, t_s), who


def identities(scene: Scene, fps: float, seconds: float) -> dict[int, set[int]]:
    """Every identity that each real person had."""
    had: dict[int, set[int]] = {i: set() for i in range(len(scene.paths))}
    for _, tracks, who in follow(scene, fps, seconds):
        for row in np.flatnonzero(tracks.detection >= 0):
            person = int(who[tracks.detection[row]])
            if person >= 0:
                had[person].add(int(tracks.track_id[row]))
    return had


def permuted(seen: Seen, order: I64) -> Seen:
    p, q, who = seen
    return (
        PeopleCam(
            p.root_cam_m[order],
            p.xyz_cam_m[order],
            p.score[order],
            p.depth_score[order],
            p.depth_std_m[order],
        ),
        People2D(q.xy_px[order], q.score[order], q.person_score[order]),
        who[order],
    )


def without_depth(seen: Seen) -> Seen:
    p, q, who = seen
    lost = np.full_like(p.xyz_cam_m, np.nan)
    n = len(p)
    return (
        PeopleCam(lost[:, ROOT], lost, p.score, np.zeros(n), np.full(n, np.inf)),
        q,
        who,
    )


def circle(phase: float) -> Path:
    return lambda t: (1.6 * np.cos(0.7 * t + phase), -5.0 + 1.2 * np.sin(0.7 * t + phase))


CROSSINGS: dict[str, tuple[list[Path], float]] = {
    "in the picture": ([line(-2.0, -4.0, 0.8, 0.0), line(2.0, -5.0, -0.8, 0.0)], 5.0),
    "fast": ([line(-2.5, -4.0, 1.6, 0.0), line(2.5, -4.8, -1.6, 0.0)], 3.0),
    "in depth": ([line(-0.3, -3.0, 0.05, -0.6), line(0.3, -6.0, -0.05, 0.6)], 5.0),
    "meet and turn back": (
        [
            lambda t: (-1.2 + np.sin(1.2 * t), -4.0),
            lambda t: (1.2 - np.sin(1.2 * t), -4.3),
        ],
        6.0,
    ),
    "three on circles": ([circle(0.0), circle(2.1), circle(4.2)], 9.0),
}


@pytest.mark.parametrize("fps", [10.0, 24.0, 60.0])
@pytest.mark.parametrize("name", CROSSINGS)
def test_identities_survive_crossings(name: str, fps: float) -> None:
    paths, seconds = CROSSINGS[name]
    had = identities(Scene(paths, seed=1, false=0.0), fps, seconds)
    assert all(len(ids) == 1 for ids in had.values())
    assert len(set.union(*had.values())) == len(paths)


@pytest.mark.parametrize("noise", [{"missed": 0.25}, {"noise_depth": 0.08, "noise_px": 5.0}])
def test_identities_survive_bad_measurements(noise: dict[str, float]) -> None:
    had = identities(Scene([circle(0.0), circle(3.1)], seed=2, false=0.05, **noise), 30.0, 8.0)  # type: ignore[arg-type]
    assert all(len(ids) == 1 for ids in had.values())


@pytest.mark.parametrize("fps", [10.0, 30.0, 60.0])
def test_a_second_of_absence_is_held_and_the_same_person_returns(fps: float) -> None:
    hidden = lambda t: (0,) if 2.0 <= t < 3.0 else ()  # noqa: E731
    scene = Scene([line(-1.5, -4.0, 0.7, 0.0), stand(2.0, -3.5)], 3, missed=0.0, false=0.0,
                  hidden=hidden)  # fmt: skip
    had, held = set(), []
    for t, tracks, who in follow(scene, fps, 4.0):
        if 2.0 <= t < 2.9:
            row = int(np.flatnonzero(tracks.state == TrackState.HELD)[0])
            held.append((tracks.confidence[row], tracks.xyz_world_m[row, ROOT, 0]))
            assert np.isfinite(tracks.xyz_world_m[row]).all()
        had |= {int(tracks.track_id[r]) for r in range(len(tracks))
                if tracks.detection[r] >= 0 and who[tracks.detection[r]] == 0}  # fmt: skip
        assert len(tracks) == 2 or t < 0.3
    confidence, x_m = np.array(held).T
    assert np.all(np.diff(confidence) < 0.0)
    assert confidence[-1] < 0.3
    assert x_m[-1] > x_m[0]  # goes on in his direction
    assert np.all(np.diff(x_m, n=2) < 1e-9)  # and slows down
    assert len(had) == 1


def test_who_stays_away_leaves_once_and_frees_the_slot() -> None:
    hidden = lambda t: (0,) if t >= 1.0 else (2,)  # noqa: E731
    paths = [stand(-1.5, -4.0), stand(0.5, -4.0), stand(1.8, -3.0)]
    seen: list[tuple[float, dict[int, tuple[int, int]]]] = []
    for t, tracks, _ in follow(Scene(paths, 4, missed=0.0, false=0.0, hidden=hidden), 20.0, 4.0):
        seen.append(
            (t, {int(i): (int(s), int(k)) for i, s, k in
                 zip(tracks.track_id, tracks.state, tracks.slot, strict=True)})
        )  # fmt: skip
    lost = [
        (t, i) for t, rows in seen for i, (state, _) in rows.items() if state == TrackState.LOST
    ]
    assert len(lost) == 1
    assert 1.9 < lost[0][0] < 2.2
    final = seen[-1][1]
    assert lost[0][1] not in final
    assert set(final) == {1 - lost[0][1], 2}  # a new person has a new identity
    assert {slot for _, slot in final.values()} == {1 - lost[0][1], 2}  # given before 0 was free


def test_return_soon_and_near_is_the_same_later_is_not() -> None:
    for away_s, same in ((3.0, True), (8.0, False)):
        hidden = lambda t, end=1.0 + away_s: (0,) if 1.0 <= t < end else ()  # noqa: E731
        scene = Scene([stand(0.0, -4.0)], 5, missed=0.0, false=0.0, hidden=hidden)
        had = identities(scene, 15.0, away_s + 2.0)
        assert (len(had[0]) == 1) == same


def test_return_elsewhere_is_somebody_else() -> None:
    jump: Path = lambda t: (-2.0, -4.0) if t < 2.0 else (2.0, -5.0)  # noqa: E731
    hidden = lambda t: (0,) if 1.0 <= t < 3.0 else ()  # noqa: E731
    scene = Scene([jump], 6, missed=0.0, false=0.0, hidden=hidden)
    assert len(identities(scene, 15.0, 4.0)[0]) == 2


def test_single_false_finds_are_never_shown() -> None:
    scene = Scene([stand(0.0, -4.0)], 7, missed=0.0, false=0.3)
    for _, tracks, who in follow(scene, 30.0, 6.0):
        assert len(tracks) <= 1
        found = tracks.detection[tracks.detection >= 0]
        assert np.all(who[found] == 0)


def test_a_second_find_of_one_body_gives_birth_to_nobody() -> None:
    scene, tracker = Scene([stand(0.0, -4.0)], 8, missed=0.0, false=0.0), Tracker()
    for i in range(40):
        p, q, _ = permuted(scene.frame(i / 20.0), np.array([0, 0]))
        xy_px = q.xy_px + scene.rng.normal(0.0, 4.0, q.xy_px.shape)
        tracks = tracker.update(p, People2D(xy_px, q.score, q.person_score), T_WORLD_CAM, i / 20.0)
        assert len(tracks) <= 1
    assert len(tracks) == 1


def test_a_flicker_of_confidence_keeps_somebody_known() -> None:
    weak, scene = Scene([stand(0.0, -4.0)], 9, score=0.2, missed=0.0, false=0.0), None
    assert all(len(tracks) == 0 for _, tracks, _ in follow(weak, 20.0, 2.0))
    scene, tracker = Scene([stand(0.0, -4.0)], 9, missed=0.0, false=0.0), Tracker()
    for i in range(60):
        people, people2d, _ = (scene if i < 30 else weak).frame(i / 20.0)
        tracks = tracker.update(people, people2d, T_WORLD_CAM, i / 20.0)
    assert tracks.state.tolist() == [TrackState.TRACKED]


def test_unknown_distance_holds_the_last_and_follows_the_picture() -> None:
    scene, tracker = Scene([line(-1.0, -4.0, 0.6, 0.0)], 10, 1.0, missed=0.0, false=0.0), Tracker()
    for i in range(90):
        seen = scene.frame(i / 30.0)
        people, people2d, _ = without_depth(seen) if i >= 40 else seen
        tracks = tracker.update(people, people2d, T_WORLD_CAM, i / 30.0)
    assert tracks.state.tolist() == [TrackState.TRACKED]
    assert tracks.track_id.tolist() == [0]
    root = tracks.xyz_world_m[0, ROOT]
    assert abs(root[0] - (-1.0 + 0.6 * 89 / 30.0)) < 0.25
    assert abs(root[2] - -4.0) < 0.4
    assert tracks.score.max() < 0.6


def test_distance_is_steadier_than_measured_and_direction_is_as_measured() -> None:
    scene = Scene([stand(0.4, -4.0)], 11, missed=0.0, false=0.0)
    raw, out = [], []
    tracker = Tracker()
    for i in range(150):
        people, people2d, _ = scene.frame(i / 30.0)
        tracks = tracker.update(people, people2d, T_WORLD_CAM, i / 30.0)
        if i > 30:
            raw.append(people.root_cam_m[0])
            out.append(rigid.apply(T_CAM_WORLD, tracks.xyz_world_m[0, ROOT]))
    raw_m, out_m = np.array(raw), np.array(out)
    assert out_m[:, 2].std() < 0.6 * raw_m[:, 2].std()
    assert abs(out_m[:, 2].mean() - 4.0) < 0.05
    aside = out_m[:, 0] / out_m[:, 2] - raw_m[:, 0] / raw_m[:, 2]
    assert np.abs(aside).max() < 0.02


def test_exact_distances_stay_exact() -> None:
    scene, tracker = Scene([circle(0.0)], 12, 0.0, 0.0, 0.0, missed=0.0, false=0.0), Tracker()
    for i in range(60):
        p, q, _ = scene.frame(i / 30.0)
        exact = PeopleCam(p.root_cam_m, p.xyz_cam_m, p.score, p.depth_score, np.zeros(1))
        tracks = tracker.update(exact, q, T_WORLD_CAM, i / 30.0)
        if len(tracks):
            truth = rigid.apply(T_WORLD_CAM, p.xyz_cam_m)
            assert np.abs(tracks.xyz_world_m - truth).max() < 2e-3


def test_missing_joints_stay_missing_while_seen() -> None:
    scene, tracker = Scene([stand(0.0, -4.0)], 13, missed=0.0, false=0.0), Tracker()
    for i in range(20):
        p, q, _ = scene.frame(i / 20.0)
        p.xyz_cam_m[0, 14], p.score[0, 14] = np.nan, 0.0
        tracks = tracker.update(p, q, T_WORLD_CAM, i / 20.0)
    assert np.isnan(tracks.xyz_world_m[0, 14]).all()
    assert tracks.score[0, 14] == 0.0
    assert np.isfinite(np.delete(tracks.xyz_world_m[0], 14, axis=0)).all()


def test_sure_people_are_shown_at_once() -> None:
    scene = Scene([stand(0.0, -4.0), stand(1.5, -4.0)], 14, score=1.0, missed=0.0, false=0.0)
    _, tracks, _ = next(follow(scene, 30.0, 1.0))
    assert tracks.slot.tolist() == [0, 1]


def test_time_may_jump_forward_stand_still_and_go_back() -> None:
    scene, tracker = Scene([stand(0.0, -4.0)], 15, score=1.0, missed=0.0, false=0.0), Tracker()
    ids = []
    for t_s in (0.0, 0.03, 0.03, 0.02, 0.8, 0.83, 2.0, 2.03):
        people, people2d, _ = scene.frame(t_s)
        tracks = tracker.update(people, people2d, T_WORLD_CAM, t_s)
        assert np.isfinite(tracks.xyz_world_m).all()
        ids.append(tracks.track_id.tolist())
    assert ids == [[0]] * 8
    tracks = tracker.update(*scene.frame(0.5)[:2], T_WORLD_CAM, 0.5)  # the video begins again
    assert dict(zip(tracks.track_id.tolist(), tracks.state.tolist(), strict=True)) == {
        0: TrackState.LOST,
        1: TrackState.TRACKED,
    }


def test_reset_lets_everybody_leave() -> None:
    scene, tracker = Scene([stand(0.0, -4.0)], 16, score=1.0, missed=0.0, false=0.0), Tracker()
    tracker.update(*scene.frame(0.0)[:2], T_WORLD_CAM, 0.0)
    tracker.reset()
    tracks = tracker.update(*scene.frame(0.1)[:2], T_WORLD_CAM, 0.1)
    assert sorted(tracks.track_id.tolist()) == [0, 1]
    assert tracks.state[tracks.track_id == 0].tolist() == [TrackState.LOST]


def test_nobody_is_an_ordinary_frame() -> None:
    scene, tracker = Scene([], missed=0.0, false=0.0), Tracker()
    for i in range(3):
        people = PeopleCam(np.zeros((0, 3)), np.zeros((0, NUM_JOINTS, 3)),
                           np.zeros((0, NUM_JOINTS)), np.zeros(0), np.zeros(0))  # fmt: skip
        empty = People2D(np.zeros((0, NUM_JOINTS, 2)), np.zeros((0, NUM_JOINTS)), np.zeros(0))
        assert len(tracker.update(people, empty, T_WORLD_CAM, i / 30.0)) == 0
    assert scene.paths == []


@pytest.mark.parametrize("seed", range(4))
def test_order_of_people_does_not_matter_and_runs_repeat(seed: int) -> None:
    paths = [circle(0.0), circle(1.6), circle(3.1), circle(4.7)]
    one, other, again = (Tracker() for _ in range(3))
    scene, rng = Scene(paths, seed, false=0.1), np.random.default_rng(seed)
    for i in range(120):
        seen = scene.frame(i / 30.0)
        shuffled = permuted(seen, rng.permutation(len(seen[2])))
        a, b, c = (
            tracker.update(*s[:2], T_WORLD_CAM, i / 30.0)
            for tracker, s in ((one, seen), (other, shuffled), (again, seen))
        )
        assert np.array_equal(a.track_id, b.track_id)
        assert np.array_equal(a.slot, b.slot)
        assert np.array_equal(a.state, b.state)
        assert np.allclose(a.xyz_world_m, b.xyz_world_m)
        assert a.xyz_world_m.tobytes() == c.xyz_world_m.tobytes()
        found = a.detection >= 0
        assert np.array_equal(seen[2][a.detection[found]], shuffled[2][b.detection[found]])


def test_slots_and_identities_are_unique_with_ten_people() -> None:
    paths = [stand(-2.4 + 0.55 * i, -5.0 - 0.1 * i) for i in range(10)]
    slot_of: dict[int, int] = {}
    for _, tracks, _ in follow(Scene(paths, 17, missed=0.1, false=0.1), 20.0, 3.0):
        assert len(set(tracks.track_id.tolist())) == len(tracks)
        assert len(set(tracks.slot.tolist())) == len(tracks)
        for track, slot in zip(tracks.track_id.tolist(), tracks.slot.tolist(), strict=True):
            assert slot_of.setdefault(track, slot) == slot
    assert len(tracks) == 10


@pytest.mark.parametrize("seed", range(40))
def test_what_is_settled_is_what_any_costs_between_would_say(seed: int) -> None:
    rng = np.random.default_rng(seed)
    shape = tuple(rng.integers(0, 5, 2))
    least = np.where(rng.random(shape) < 0.4, np.inf, rng.uniform(0.0, 0.5, shape))
    span, limit = 0.3 * rng.random(), 0.75
    pairs = settled(least, span, limit)
    answers = {
        tuple(zip(*(side.tolist() for side in assign(cost, limit)), strict=True))
        for cost in (least, *(least + span * rng.random(shape) for _ in range(50)))
    }
    if pairs is not None:
        assert answers == {tuple(zip(*(side.tolist() for side in pairs), strict=True))}
    if np.count_nonzero(np.isfinite(least)) == 0:
        assert pairs is not None


@dataclass
class Clothes:
    """A scene whose people are looked at only when the tracker asks; each wears another colour."""

    scene: Scene
    looked_s: list[float] = field(default_factory=list)

    def frame(self, t_s: float) -> Seen:
        people, p2d, who = self.scene.frame(t_s)

        def look() -> F64:
            self.looked_s.append(t_s)
            return np.repeat(0.3 * who[:, None].astype(np.float64), LOOK_SIZE, axis=1)

        return people, People2D(p2d.xy_px, p2d.score, p2d.person_score, look), who


def looks(paths: list[Path], seconds: float) -> list[float]:
    clothes = Clothes(Scene(paths, seed=3, missed=0.0, false=0.0))
    for _ in follow(clothes, 30.0, seconds):  # type: ignore[arg-type]
        pass
    return clothes.looked_s


def test_clothes_are_looked_at_now_and_then_while_it_is_clear_who_is_who() -> None:
    looked_s = looks([stand(-1.5, -4.0), stand(1.5, -4.0)], 6.0)
    assert 20 <= len(looked_s) <= 40
    assert max(np.diff(looked_s)) < 0.3


def test_clothes_are_looked_at_in_every_frame_in_which_people_are_close() -> None:
    looked_s = np.array(looks([line(-1.5, -4.0, 0.5, 0.0), line(1.5, -4.2, -0.5, 0.0)], 6.0))
    near = np.abs(looked_s - 3.0) < 0.2  # seen a body's width apart, before one hides the other
    assert len(looked_s) < 120
    assert np.count_nonzero(near) >= 10


def test_settings_are_checked_and_change_live() -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"hold_s": -1.0}, TrackSettings)
    scene = Scene([stand(0.0, -4.0)], 18, score=1.0, missed=0.0, false=0.0)
    tracker = Tracker(TrackSettings(hold_s=10.0))
    for i in range(10):
        tracker.update(*scene.frame(i / 10.0)[:2], T_WORLD_CAM, i / 10.0)
    tracker.configure(TrackSettings(hold_s=0.0))
    nobody = permuted(scene.frame(1.0), np.zeros(0, dtype=np.int64))
    tracks = tracker.update(*nobody[:2], T_WORLD_CAM, 1.0)
    assert tracks.state.tolist() == [TrackState.LOST]
    assert tracks.track_id.tolist() == [0]
