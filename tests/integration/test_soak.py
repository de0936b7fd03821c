"""Half a minute of ``tools/soak.py``: nothing leaks while clients come and go."""

from __future__ import annotations

import pytest

from posestream.assets import DEMO_CLIP
from tools.soak import Sample, figures, soak


@pytest.mark.slow
async def test_a_short_soak_of_a_looped_video_leaks_nothing(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("config")))
    report = await soak(str(DEMO_CLIP), 20.0, backend="fake")
    assert report["exit_code"] == 0
    assert report["run"]["exit_reason"] == "stopped"
    assert report["unhealthy_samples"] == 0
    assert report["flat_in"]["handles"] and report["flat_in"]["threads"], report
    assert report["rss_growth_percent"] < 5.0  # in hours: 2; caches are still filling here
    assert report["messages_to_the_client_that_stayed"] > 50
    assert report["clients_that_came_and_went"] > 5


def samples(**late: float) -> list[Sample]:
    def at(i: int) -> Sample:
        values = {"rss_mb": 100.0, "handles": 12, "threads": 5, "healthy": True, "age_ms": 20.0}
        return Sample(**(values | (late if i >= 80 else {})))  # type: ignore[arg-type]

    return [at(i) for i in range(100)]


@pytest.mark.parametrize(
    ("late", "broken"),
    [
        ({}, None), ({"rss_mb": 102.5}, "memory"), ({"handles": 14}, "handles"),
        ({"threads": 6}, "threads"), ({"age_ms": 26.0}, "latency"), ({"rss_mb": 101.5}, None),
        ({"age_ms": float("nan")}, "latency"),
    ],
)  # fmt: skip
def test_what_counts_as_flat(late: dict[str, float], broken: str | None) -> None:
    found = figures(samples(**late))
    assert found["flat"] is (broken is None)
    assert [name for name, flat in found["flat_in"].items() if not flat] == (
        [] if broken is None else [broken]
    )
