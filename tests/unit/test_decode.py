"""Perfect maps of overlapping people must give back every person: 2D, 3D, hidden limbs."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from posestream.estimate.decode import DecodeSettings, NetworkPeople, find_people, to_people2d
from posestream.estimate.humps import part
from posestream.estimate.kinship import Evidence
from posestream.estimate.limb_links import read_fields
from posestream.estimate.peaks import find_peaks
from posestream.estimate.untangle import untangle
from posestream.geometry.cells import SIGMA_CELLS, cells_to_px, px_to_cells
from posestream.lift.rrmp import LiftSettings, ReadOut, lift, read_out
from posestream.skeleton.joints import JOINT
from posestream.skeleton.network import JointSetName, network_skeleton
from posestream.training.random_people import are_apart, random_people
from posestream.training.targets import LabelledPeople, MapTargets, build_maps, heatmaps
from posestream.types import PoseMaps

SKELETON = network_skeleton()
SIZE = (448, 256)
STRIDE = 8
K = np.array([[400.0, 0.0, 223.5], [0.0, 400.0, 127.5], [0.0, 0.0, 1.0]])
CROWDED = 2.0  # cells: nearer joints of the same kind share one peak


class Scene(NamedTuple):
    truth: LabelledPeople
    maps: MapTargets
    found: NetworkPeople
    lifted: ReadOut
    row: np.ndarray  # (N,) the found person of each true one
    returned: np.ndarray  # (N,) bool


def scene(rng: np.random.Generator, count: int, **settings: object) -> Scene:
    truth = random_people(rng, count, SKELETON, K, SIZE)
    while not are_apart(truth, SKELETON, CROWDED * STRIDE):
        truth = random_people(rng, count, SKELETON, K, SIZE)
    return decoded(truth, **settings)


def decoded(truth: LabelledPeople, joints: JointSetName = "mupots17", **settings: object) -> Scene:
    skeleton = network_skeleton(joints)
    maps = build_maps(truth, SIZE, skeleton)
    found = find_people(
        maps.heatmaps, maps.pafs, skeleton, DecodeSettings(**settings), maps.locations
    )
    lifted = read_out(maps.locations, found.xy_cells, found.score, skeleton)
    near = error_cells(truth, found) < 0.1
    alone = stands_alone(truth)
    hits = (near & alone[:, None]).sum(axis=-1)
    true_row, row = linear_sum_assignment(-hits)
    best, count = np.full(len(alone), -1), np.zeros(len(alone))
    best[true_row], count[true_row] = row, hits[true_row, row]
    returned = (count >= 0.5 * alone.sum(axis=1)) & (best >= 0)
    return Scene(truth, maps, found, lifted, best, returned)


def error_cells(truth: LabelledPeople, found: NetworkPeople) -> np.ndarray:
    """(N, M, J) distances; NaN where a joint was not found or is not visible."""
    xy = px_to_cells(truth.xy_px, STRIDE)
    distance = np.linalg.norm(xy[:, None] - found.xy_cells[None], axis=-1)
    return np.where(truth.visible[:, None], distance, np.nan)


def stands_alone(truth: LabelledPeople) -> np.ndarray:
    """(N, J) visible joints that share no peak with another person's."""
    xy = px_to_cells(truth.xy_px, STRIDE)
    distance = np.linalg.norm(xy[:, None] - xy[None], axis=-1)
    distance[np.arange(len(xy)), np.arange(len(xy))] = np.inf
    distance = np.where(truth.visible[None], distance, np.inf)
    return truth.visible & (distance.min(axis=1) >= CROWDED)


def plain(truth: LabelledPeople) -> np.ndarray:
    """(N, J) joints that stand alone, as does everything between them and neck and pelvis."""
    alone = stands_alone(truth)
    out = alone & alone[:, [SKELETON.neck, SKELETON.pelvis, SKELETON.index["spine"]]].all(
        axis=1, keepdims=True
    )
    for group in SKELETON.groups:
        for place, joint in enumerate(group):
            out[:, joint] &= alone[:, list(group[:place])].all(axis=1)
    return out


class Faults(NamedTuple):
    """What the oracle counts in a scene. Joints of one's own are ``CROWDED`` cells from others'."""

    people: int
    lost: int  # people whom nobody found has at least half of the own joints of
    invented: int  # people found who are nobody
    own: int  # visible joints of one's own
    missing: int  # of these, not in their person's row
    exchanged: int  # of these, somebody else's is in that row, or they lie over 0.5 px off
    crowded: int  # visible joints within CROWDED cells of somebody else's
    crowded_missing: int
    crowded_off: int  # of these, over 0.5 px off
    crowded_foreign: int  # of these, CROWDED cells off and more: another's
    claimed: int  # invisible joints that a row has all the same
    read: int  # joints read where the map holds their own person's 3D
    misread: int  # of these, over 1 mm off
    overwritten: int  # joints read elsewhere


def faults(s: Scene) -> Faults:
    own, seen = stands_alone(s.truth), s.truth.visible
    here = np.arange(len(own))
    error = error_px_anywhere(s)[here, s.row]  # (N, J), NaN where missing
    error[s.row < 0] = np.nan
    missing = np.isnan(error)
    crowded = seen & ~own
    read = [read_from_own(s, i) for i in np.flatnonzero(s.row >= 0)]
    mine = np.array([r[0] for r in read])
    wrong = np.array([r[1] for r in read]) >= 1e-3
    with np.errstate(invalid="ignore"):
        off, foreign = error > 0.5, error >= CROWDED * STRIDE
    return Faults(
        len(own), int((~s.returned).sum()), len(s.found) - len(set(s.row[s.row >= 0].tolist())),
        int(own.sum()), int((own & missing).sum()), int((own & off).sum()),
        int(crowded.sum()), int((crowded & missing).sum()), int((crowded & off).sum()),
        int((crowded & foreign).sum()), int((~seen & ~missing).sum()),
        int(mine.sum()), int((mine & wrong).sum()), int((~mine).sum()),
    )  # fmt: skip


def error_px_anywhere(s: Scene) -> np.ndarray:
    """(N, M, J) pixels between true joints, visible or not, and found ones."""
    delta = px_to_cells(s.truth.xy_px, STRIDE)[:, None] - s.found.xy_cells[None]
    return np.linalg.norm(delta, axis=-1) * STRIDE


def total(counts: tuple[int, ...], seeds: int) -> Faults:
    """Over scenes of these sizes.

    The premise, and all of it: of any two people the necks or the pelvises are ``CROWDED`` cells
    apart. Anybody may share the neck with one and the pelvis with another, be cut by the
    picture's edge, or have every joint in somebody's way.
    """
    every = [
        faults(scene(np.random.default_rng([count, seed]), count))
        for count in counts
        for seed in range(seeds)
    ]
    return Faults(*np.sum(every, axis=0).tolist())


def assert_faultless(f: Faults) -> None:
    """Everybody back, nobody invented, no joint of one's own missing, inexact or exchanged."""
    assert (f.lost, f.invented, f.missing, f.exchanged, f.claimed, f.misread) == (0,) * 6
    assert f.crowded_foreign == 0
    assert f.own > 12 * f.people
    assert f.read > 0.99 * 17 * f.people
    assert f.crowded_missing + f.crowded_off <= 0.03 * f.crowded  # mostly exchanged in one hump


@pytest.mark.parametrize("count", range(1, 11))
def test_overlapping_people_come_back(count: int) -> None:
    assert_faultless(total((count,), 12))


@pytest.mark.slow
@pytest.mark.parametrize("count", range(1, 11))
def test_sixty_scenes_of_every_size_come_back(count: int) -> None:
    f = total((count,), 60)
    print(count, f)  # the figures in docs/networks.md: pytest -s -m slow -k sixty
    assert_faultless(f)


def read_from_own(s: Scene, person: int) -> tuple[np.ndarray, np.ndarray]:
    """(J,) whether the map held this person's 3D where it was read, and the error in metres."""
    row = s.row[person]
    place = s.lifted.place[row]
    cell = np.rint(np.nan_to_num(s.found.xy_cells[row][place])).astype(int)
    owner = s.maps.owner[np.arange(len(place)), cell[:, 1], cell[:, 0]]
    error = np.linalg.norm(s.lifted.xyz_root_m[row] - s.truth.xyz_root_m[person], axis=-1)
    return (owner == person) & (place >= 0), error


@pytest.mark.parametrize("reading", ["limb", "joint"])
def test_valid_places_hold_the_right_3d(reading: str) -> None:
    """Where all that overlaps is visible, a place that eq. 5 calls valid is never a stranger's."""
    wrong = checked = 0
    for seed in range(25):
        s = scene(np.random.default_rng([77, seed]), 4)
        if not (s.returned.all() and s.truth.visible.all() and stands_alone(s.truth).mean() > 0.9):
            continue
        out = read_out(
            s.maps.locations, s.found.xy_cells, s.found.score, SKELETON,
            LiftSettings(reading=reading),
        )  # fmt: skip
        valid = out.valid[s.row]
        error = np.linalg.norm(out.xyz_root_m[s.row] - s.truth.xyz_root_m, axis=-1)
        trusted = valid & plain(s.truth)
        checked += int(trusted.sum())
        wrong += int((error[trusted] > 1e-3).sum())
    assert checked > 300
    assert wrong <= 0.01 * checked


@pytest.mark.parametrize(
    ("hidden", "place"),
    [
        ((), "left_wrist"),
        (("left_wrist",), "left_elbow"),
        (("left_wrist", "left_elbow"), "left_shoulder"),
        (("left_wrist", "left_elbow", "left_shoulder"), "neck"),
        (("left_wrist", "left_elbow", "left_shoulder", "neck"), "pelvis"),
    ],
)
def test_a_hidden_wrist_is_read_further_in(hidden: tuple[str, ...], place: str) -> None:
    truth = random_people(np.random.default_rng(4), 1, SKELETON, K, SIZE, (3.0, 3.5))
    assert truth.visible.all()
    truth.visible[0, [SKELETON.index[name] for name in hidden]] = False
    s = decoded(truth)
    assert len(s.found) == 1
    missing = np.flatnonzero(np.isnan(s.found.xy_cells[0, :, 0]))
    assert {SKELETON.joints[j] for j in missing} == set(hidden)
    wrist = SKELETON.index["left_wrist"]
    assert s.lifted.place[0, wrist] == SKELETON.index[place]
    np.testing.assert_allclose(s.lifted.xyz_root_m[0], truth.xyz_root_m[0], atol=1e-3)


def two_side_by_side(gap_cells: float) -> LabelledPeople:
    """Two people of one pose; the second's neck and pelvis ``gap_cells`` beside the first's."""
    one = random_people(np.random.default_rng(21), 1, SKELETON, K, SIZE, (3.0, 3.2))
    xy = np.concatenate([one.xy_px, one.xy_px + np.array([gap_cells * STRIDE, 0.0])])
    xyz = np.concatenate([one.xyz_root_m, one.xyz_root_m * [-1.0, 1.0, 1.0]])
    return LabelledPeople(xy, np.ones((2, 17), dtype=bool), xyz, np.array([3.0, 2.5]))


def test_the_nearer_of_two_is_read_right_wherever_they_overlap() -> None:
    for gap in (2.0, 2.5, 3.2):
        s = decoded(two_side_by_side(gap))
        assert len(s.found) == 2
        error = np.linalg.norm(s.lifted.xyz_root_m[s.row[1]] - s.truth.xyz_root_m[1], axis=-1)
        assert (error < 1e-3).all()
        assert np.nanmax(error_cells(s.truth, s.found)[[0, 1], s.row]) * STRIDE < 0.5


def test_2d_validation_turns_away_from_a_stranger() -> None:
    """A nearer person's elbow on my wrist: eq. 5 reads my arm at the elbow instead."""
    truth = two_side_by_side(14.0)
    wrist, elbow = SKELETON.index["left_wrist"], SKELETON.index["left_elbow"]
    truth.xy_px[1, elbow] = truth.xy_px[0, wrist] + [2.0, 1.0]
    s = decoded(truth)
    me = s.row[0]
    assert s.lifted.place[me, wrist] == elbow
    np.testing.assert_allclose(
        s.lifted.xyz_root_m[me, wrist], truth.xyz_root_m[0, wrist], atol=1e-3
    )
    careless = read_out(
        s.maps.locations, s.found.xy_cells, s.found.score, SKELETON, LiftSettings(validate_2d=False)
    )
    assert careless.place[me, wrist] == wrist
    assert np.linalg.norm(careless.xyz_root_m[me, wrist] - truth.xyz_root_m[0, wrist]) > 0.05


def test_a_shared_neck_does_not_lose_anybody() -> None:
    truth = two_side_by_side(6.0)
    for gap_px in (0.0, 3.0):
        truth.xy_px[1, SKELETON.neck] = truth.xy_px[0, SKELETON.neck] + [gap_px, 0.0]
        s = decoded(truth)
        assert len(s.found) == 2
        assert s.returned.all()
        assert s.found.shared.sum() == (gap_px == 0.0)  # the other neck is told apart
        assert s.found.shared[:, SKELETON.neck].any() == (gap_px == 0.0)
        assert np.nanmax(error_cells(truth, s.found)[[0, 1], s.row]) * STRIDE < 0.5


def test_greedy_matching_and_the_larger_joint_set() -> None:
    skeleton = network_skeleton("avatar22")
    truth = random_people(np.random.default_rng(5), 1, skeleton, K, SIZE, (3.0, 3.5))
    maps = build_maps(truth, SIZE, skeleton)
    found = find_people(maps.heatmaps, maps.pafs, skeleton, DecodeSettings(matching="greedy"))
    assert len(found) == 1
    seen = truth.visible[0]
    np.testing.assert_allclose(
        cells_to_px(found.xy_cells[0], STRIDE)[seen], truth.xy_px[0][seen], atol=0.5
    )


def test_nobody_is_an_ordinary_answer() -> None:
    empty = np.zeros((18, 32, 56), np.float32)
    found = find_people(empty, np.zeros((2 * SKELETON.num_limbs, 32, 56), np.float32), SKELETON)
    assert len(found) == 0
    out = read_out(np.zeros((51, 32, 56), np.float32), found.xy_cells, found.score, SKELETON)
    assert out.xyz_root_m.shape == (0, 17, 3)
    assert len(to_people2d(found, SKELETON, 8.0)) == 0


def test_noise_alone_gives_no_crash_and_few_people() -> None:
    """An untrained network's maps."""
    rng = np.random.default_rng(0)
    heat = rng.normal(0.0, 0.1, (18, 32, 56)).astype(np.float32)
    pafs = rng.normal(0.0, 0.1, (2 * SKELETON.num_limbs, 32, 56)).astype(np.float32)
    found = find_people(heat, pafs, SKELETON, locations=np.zeros((51, 32, 56), np.float32))
    assert len(found) <= 2


def test_results_reach_the_other_stages() -> None:
    truth = random_people(np.random.default_rng(8), 1, SKELETON, K, SIZE, (3.0, 3.5))
    s = decoded(truth)
    scale = 2.5  # picture pixels per input pixel
    people = to_people2d(s.found, SKELETON, STRIDE * scale)
    expected = (truth.xy_px[0, SKELETON.neck] + 0.5) * scale - 0.5
    np.testing.assert_allclose(people.xy_px[0, JOINT["neck"]], expected, atol=0.5 * scale)
    assert np.isnan(people.xy_px[0, JOINT["left_heel"]]).all()
    assert people.score[0, JOINT["left_heel"]] == 0.0
    maps = PoseMaps(s.maps.heatmaps, s.maps.pafs, s.maps.locations, STRIDE * scale)
    xyz = lift(people, maps, SKELETON).xyz_root_m[0]
    wrist = SKELETON.index["left_wrist"]
    np.testing.assert_allclose(xyz[JOINT["left_wrist"]], truth.xyz_root_m[0, wrist], atol=1e-3)


@pytest.mark.parametrize("width", [0.7, SIGMA_CELLS, 1.4])
def test_lone_peaks_are_exact_whatever_their_width(width: float) -> None:
    rng = np.random.default_rng(3)
    for _ in range(50):
        xy = rng.uniform([4.0, 4.0], [15.0, 11.0])
        heat = heatmaps(xy[None, None], np.ones((1, 1), bool), (16, 20), width)
        peaks = find_peaks(heat[:1], 0.2, 5)
        np.testing.assert_allclose(peaks.xy, [xy], atol=0.02)


def test_peaks_a_little_over_two_cells_apart_are_two_and_exact() -> None:
    rng = np.random.default_rng(9)
    for _ in range(200):
        first = rng.uniform([6.0, 6.0], [10.0, 10.0])
        angle = rng.uniform(0.0, 2.0 * np.pi)
        second = first + rng.uniform(2.25, 3.0) * np.array([np.cos(angle), np.sin(angle)])
        xy = np.stack([first, second])[:, None]
        heat = heatmaps(xy, np.ones((2, 1), bool), (18, 18), SIGMA_CELLS)
        peaks = find_peaks(heat[:1], 0.2, 5)
        assert len(peaks.xy) == 2
        order = np.argsort(np.linalg.norm(peaks.xy - first, axis=1))
        np.testing.assert_allclose(peaks.xy[order], xy[:, 0], atol=0.0625)


def test_peaks_at_the_border() -> None:
    xy = np.array([[[-0.4, 7.3]], [[19.45, 0.2]]])
    heat = heatmaps(xy, np.ones((2, 1), bool), (16, 20), SIGMA_CELLS)
    peaks = find_peaks(heat[:1], 0.2, 5)
    order = np.argsort(peaks.xy[:, 0])
    np.testing.assert_allclose(peaks.xy[order], xy[:, 0], atol=0.02)


def test_limbs_go_back_to_whose_they_are() -> None:
    """Five people whose left legs and right elbows were dealt out in a circle."""
    truth = random_people(np.random.default_rng(31), 5, SKELETON, K, SIZE, (3.0, 3.5))
    for person in range(5):  # side by side, whole, apart
        centre = np.array([60.0 + 80.0 * person, 110.0])
        truth.xy_px[person] += centre - truth.xy_px[person, SKELETON.pelvis]
    truth.visible[:] = ((truth.xy_px >= 0.0) & (truth.xy_px < SIZE)).all(axis=-1)
    maps = build_maps(truth, SIZE, SKELETON)
    peaks = part(maps.heatmaps, find_peaks(maps.heatmaps[:17], 0.2, 20))
    right = np.full((5, 17), -1)
    for person, joint in np.argwhere(truth.visible):
        place = px_to_cells(truth.xy_px, STRIDE)[person, joint]
        distance = np.linalg.norm(peaks.xy - place, axis=1)
        distance[peaks.joint != joint] = np.inf
        right[person, joint] = distance.argmin() if distance.min() < 0.1 else -1
    moved = [SKELETON.index[n] for n in ("left_knee", "left_ankle", "right_elbow")]
    dealt = right.copy()
    dealt[:, moved] = np.roll(right[:, moved], 1, axis=0)
    assert (dealt != right).sum() > 10
    fields = read_fields(maps.pafs, peaks, SKELETON, 12)
    evidence = Evidence(peaks, fields, maps.locations, SKELETON, 0.25)
    nothing = np.zeros(right.shape, dtype=bool)
    for rows in (dealt, right):
        answer, shared = untangle(rows, nothing, evidence, 1.0, 4)
        np.testing.assert_array_equal(answer, right)
        assert not shared.any()


def test_two_peaks_in_one_hump_are_parted() -> None:
    rng = np.random.default_rng(5)
    lone = np.array([[3.2, 20.3], [20.1, 3.4], [21.7, 22.2], [12.6, 23.1]])
    for gap in (0.3, 0.6, 1.0, 1.5, 2.0):
        for _ in range(20):
            angle = rng.uniform(0.0, 2.0 * np.pi)
            first = rng.uniform(7.0, 8.0, 2)
            second = first + gap * np.array([np.cos(angle), np.sin(angle)])
            every = np.concatenate([[first, second], lone])[:, None]
            heat = heatmaps(every, np.ones(every.shape[:2], bool), (28, 28), SIGMA_CELLS)
            peaks = part(heat, find_peaks(heat[:1], 0.2, 20))
            assert len(peaks.xy) == len(every)
            distance = np.linalg.norm(peaks.xy[:, None] - every[:, 0], axis=-1)
            assert (distance.min(axis=0) < 0.02).all()


def test_humps_of_noisy_maps_are_left_alone() -> None:
    rng = np.random.default_rng(6)
    xy = rng.uniform(3.0, 24.0, (12, 1, 2))
    heat = heatmaps(xy, np.ones((12, 1), bool), (28, 28), 1.2)
    heat = np.clip(0.8 * heat + rng.normal(0.0, 0.03, heat.shape).astype(np.float32), 0.0, 1.0)
    peaks = find_peaks(heat[:1], 0.2, 20)
    assert part(heat, peaks) is peaks
