"""Validation: the truth's own maps score full marks; misses, extras, strangers are told apart."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs torch: pip install torch")

from posestream.errors import TrainingError  # noqa: E402
from posestream.estimate.decode import DecodeSettings  # noqa: E402
from posestream.lift.rrmp import LiftSettings  # noqa: E402
from posestream.nn.rrmp import Rrmp, RrmpConfig  # noqa: E402
from posestream.training.example import labelled_people  # noqa: E402
from posestream.training.held_out import Answer, Found, find  # noqa: E402
from posestream.training.judge import Tally, tally  # noqa: E402
from posestream.training.random_people import are_apart  # noqa: E402
from posestream.training.sample import IGNORED, Sample  # noqa: E402
from posestream.training.targets import build_maps  # noqa: E402
from posestream.training.validate import chosen, score  # noqa: E402
from posestream.training.worst import draw_cases, save, worst_cases  # noqa: E402
from tests.training_data import SKELETON, painted  # noqa: E402

pytestmark = pytest.mark.networks
SIZE = (256, 192)


@pytest.fixture(scope="module")
def samples() -> list[Sample]:
    """Pictures of two people who do not stand in each other's way."""
    rng, out = np.random.default_rng(11), []
    while len(out) < 6:
        sample = painted(rng, 2, SIZE)
        people = labelled_people(sample, SKELETON, True, 8)
        if sample.visible[:, SKELETON.body_index].all() and are_apart(people, SKELETON, 70.0):
            out.append(sample)
    return out


def truth(sample: Sample) -> Answer:
    """Maps as a perfect network would give them."""
    maps = build_maps(labelled_people(sample, SKELETON, True, 8), SIZE, SKELETON)
    half = (m.astype(np.float16) for m in (maps.heatmaps, maps.pafs, maps.locations))
    return Answer(*half, None)


@pytest.fixture(scope="module")
def found(samples: list[Sample]) -> list[Found]:
    network = Rrmp(RrmpConfig(joints="avatar22", width=0.125, refinements=0))
    return [find(network, s, truth(s), DecodeSettings(), LiftSettings()) for s in samples]


def test_true_maps_score_full_marks(samples: list[Sample], found: list[Found]) -> None:
    figures = tally(samples, found, SKELETON).figures()
    assert figures["people"] == 12 and figures["recall"] == 1.0 and figures["extra"] == 0.0
    assert figures["pck_2d"] == 1.0 and figures["oks"] > 0.99
    assert figures["pck_3d"] > 0.97 and figures["mpjpe_mm"] < 20.0
    assert np.isnan(figures["depth_error"])
    per_joint = tally(samples, found, SKELETON).per_joint()
    assert per_joint["left_wrist"]["pck_2d"] == 1.0


def without(found: Found, row: int) -> Found:
    return Found(*(np.delete(values, row, axis=0) for values in found))


def test_the_missed_are_wrong_in_every_joint(samples: list[Sample], found: list[Found]) -> None:
    figures = tally(samples, [without(f, 0) for f in found], SKELETON).figures()
    assert figures["recall"] == 0.5 and figures["extra"] == 0.0
    assert figures["pck_2d"] == 0.5 and 0.45 < figures["pck_3d"] <= 0.5
    assert figures["mpjpe_mm"] < 20.0  # of those who were found


def test_the_worst_pictures_come_first_and_faultless_ones_never(
    samples: list[Sample], found: list[Found], tmp_path: Path
) -> None:
    people = list(found)
    people[1] = without(found[1], 0)
    people[4] = without(without(found[4], 0), 0)
    cases = worst_cases(zip(samples, people, strict=True), SKELETON, 5)
    assert [case.sample is samples[i] for case, i in zip(cases, (4, 1), strict=True)] == [True] * 2
    assert (cases[0].tally.matched, cases[1].tally.matched) == (0, 1)
    sheet = draw_cases(cases)
    save(tmp_path / "worst.png", sheet)
    assert (cv2.imread(str(tmp_path / "worst.png")) == sheet).all()
    assert draw_cases([]).size
    with pytest.raises(TrainingError, match="folder that exists"):
        save(tmp_path / "nowhere" / "worst.png", sheet)


def test_the_same_person_twice_is_an_extra(samples: list[Sample], found: list[Found]) -> None:
    twice = [Found(*(np.concatenate([v, v[:1]]) for v in f)) for f in found]
    figures = tally(samples, twice, SKELETON).figures()
    assert figures["recall"] == 1.0 and figures["extra"] == 1.0


def test_nobody_is_extra_where_labels_do_not_tell(
    samples: list[Sample], found: list[Found]
) -> None:
    unknown = np.full(SIZE[::-1], IGNORED, np.uint8)
    alone = [
        replace(
            s, xy_px=s.xy_px[:0], visible=s.visible[:0], xyz_root_m=s.xyz_root_m[:0],
            depth_m=s.depth_m[:0], height_m=s.height_m[:0], owner=unknown,
        )
        for s in samples
    ]  # fmt: skip
    assert tally(alone, found, SKELETON).figures()["extra"] == 0.0
    empty = [replace(s, owner=np.zeros_like(unknown)) for s in alone]
    assert tally(empty, found, SKELETON).figures()["extra"] == 2.0


def test_distances_are_judged_by_share_of_the_true_one(
    samples: list[Sample], found: list[Found]
) -> None:
    judged = Tally(SKELETON)
    for sample, people in zip(samples, found, strict=True):
        nearest = np.linalg.norm(
            people.xy_px[:, None, 0] - sample.xy_px[None, :, 0], axis=-1
        ).argmin(axis=1)
        judged.add(sample, people._replace(depth_m=1.1 * sample.depth_m[nearest]))
    assert judged.figures()["depth_error"] == pytest.approx(0.1)


def test_the_score_weighs_real_pictures_most() -> None:
    perfect = {"pck_2d": 1.0, "pck_3d": 1.0, "extra": 0.0, "depth_error": 0.0}
    roles = {"photos": "real", "made": "synthetic", "pasted": "composite"}
    figures = {name: dict(perfect) for name in roles}
    assert score(figures, roles) == pytest.approx(1.0)
    figures["photos"]["pck_2d"] = 0.0
    assert score(figures, roles) == pytest.approx(1.0 - 4.0 / 9.0)
    figures["photos"]["extra"] = 30.0
    assert score(figures, roles) == pytest.approx(1.0 - 4.0 / 9.0 - 0.2)
    assert np.isnan(score({}, {}))


def test_thresholds_are_chosen_by_the_score() -> None:
    def rate(settings: DecodeSettings) -> float:
        return -abs(settings.min_joint - 0.3) - abs(settings.min_joints - 6)

    best = chosen(rate, DecodeSettings().over())
    assert (best.min_joint, best.min_joints, best.min_limb) == (0.3, 6, 0.45)


def test_of_thresholds_that_score_alike_the_strictest_are_chosen() -> None:
    def rate(settings: DecodeSettings) -> float:
        return 0.5 - 0.003 * (settings.min_limb > 0.2) - 0.003 * (settings.min_joints > 5)

    best = chosen(rate, DecodeSettings().over())
    assert (best.min_joint, best.min_limb, best.min_joints) == (0.4, 0.45, 5)  # not 0.006 less
    nothing = DecodeSettings().over()
    assert chosen(lambda _: float("nan"), nothing) == nothing
