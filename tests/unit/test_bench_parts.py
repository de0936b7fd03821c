"""The bench without its rivals: what is timed is what ships, and the figures add up."""

from __future__ import annotations

import pytest

from posestream import config
from posestream.errors import BackendError, CaptureError
from posestream.evaluation import bench_overlap, bench_scaling, bench_start
from posestream.evaluation.bench_chain import Chain, frames_of, machine, shares, timed
from posestream.timing import StageTimes
from posestream.types import Frame

SOURCE = "synthetic:people=2,seconds=1,fps=30,width=160,height=90"


@pytest.fixture(scope="module")
def frames() -> list[Frame]:
    return frames_of(SOURCE, 16)


def test_the_chain_is_timed_whole_and_its_shares_are_all_of_it(frames: list[Frame]) -> None:
    run = timed(frames, Chain("fake"))
    assert run["people_mean"] == 2.0
    assert {"estimate", "locate", "track", "retarget", "smooth", "encode"} <= {*run["stage_ms"]}
    assert sum(run["stage_share"].values()) == pytest.approx(1.0, abs=1e-3)
    assert run["cpu_ms_per_frame"] >= 0.0 and run["fps"] > 0.0


def test_shares_are_of_the_time_and_not_of_the_calls() -> None:
    times = StageTimes()
    times.add("slow", 90.0)
    for _ in range(10):
        times.add("quick", 1.0)
    assert shares(times) == pytest.approx({"slow": 0.9, "quick": 0.1}, abs=0.01)


def test_too_short_a_source_is_refused() -> None:
    with pytest.raises(CaptureError, match="too few to measure"):
        frames_of("synthetic:people=1,seconds=0.2", 16)


def test_every_preset_that_ships_is_run_or_says_why_not(
    frames: list[Frame], monkeypatch: pytest.MonkeyPatch
) -> None:
    def only_fake(backend: str, settings: object) -> Chain:
        if backend != "mediapipe":
            raise BackendError("No weights.")
        return Chain("fake")

    monkeypatch.setattr(bench_scaling, "frames_of", lambda *_: frames)
    monkeypatch.setattr(bench_scaling, "Chain", only_fake)
    presets = bench_scaling.bench_presets()
    assert {*presets} == {*config.preset_files()}
    assert presets["default"]["people_mean"] == 2.0
    assert presets["paper-rrmp"] == {"backend": "rrmp", "skipped": "No weights."}
    lines = bench_scaling.as_lines({"presets": presets})
    assert any("No weights." in line for line in lines)


def test_a_resized_picture_keeps_its_angle_of_view(frames: list[Frame]) -> None:
    (small, *_) = bench_scaling._resized(frames, 45)
    before, after = frames[0].camera, small.camera
    assert small.image.shape[:2] == (45, 80) and after.size_px == (80, 45)
    assert before.size_px[0] / before.K_px[0, 0] == pytest.approx(80 / after.K_px[0, 0], rel=1e-6)


@pytest.mark.parametrize("people", bench_scaling.CROWDS)
def test_a_crowd_is_really_worked_on(people: int) -> None:
    frames = frames_of(f"synthetic:people={people},seconds=1,width=160,height=90", 12)
    run = timed(frames, Chain("fake", bench_scaling._crowded(people)))
    assert run["people_mean"] == people


def test_the_machine_is_told() -> None:
    facts = machine()
    assert facts["cpu_cores"] >= 1 and facts["memory_gb"] > 0 and len(facts["load_before"]) == 3
    assert facts["libraries"]["numpy"]


@pytest.mark.slow
def test_whole_runs_are_compared_with_looking_ahead_and_without() -> None:
    paces = bench_overlap.bench_overlap("synthetic:people=2,seconds=20,width=160,height=90", 20)
    assert [run["pace"] for run in paces] == ["fast", "realtime"]
    for run in paces:
        assert run["off"]["fps"] > 0.0 and run["on"]["fps"] > 0.0
        assert run["off"]["cpu_ms_per_frame"] > 0.0
    live = paces[1]["on"]
    assert 0.0 < live["p50_ms"] <= live["p95_ms"] <= live["p99_ms"]
    assert len([*bench_overlap.as_lines({"overlap": paces})]) == 4


def test_a_run_that_fails_says_why_it_cannot_be_compared() -> None:
    with pytest.raises(BackendError, match=r"no file nothing\.mp4"):
        bench_overlap.bench_overlap("nothing.mp4", 5)


def test_a_start_is_timed_to_the_first_packet() -> None:
    start = bench_start.bench_start("synthetic:people=1,seconds=60", 1)
    assert 0.0 < start["median_s"] == start["first_s"] == start["seconds"][0]
