"""Figures of a run in Prometheus' text format: the answer at ``/metrics``.

Import this module lazily: prometheus_client is needed only where somebody asks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from posestream import __version__
from posestream.daemon.figures import Figures
from posestream.daemon.health import SourceHealth
from posestream.publish.base import SinkKind, SinkStats
from posestream.publish.pages import Page
from posestream.timing import Histogram

_KINDS: Final[tuple[SinkKind, ...]] = ("vmc", "vrchat", "websocket", "record")
_BOUNDS_MS: Final = (0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 35.0, 50.0, 75.0, 100.0, 200.0, 500.0, 1000.0)


Saved = tuple[int, tuple[int, int] | None]
"""Pictures that were passed over, and the network's input where it is one of ours."""


class RunCollector(Collector):
    """Reads the figures of one run whenever it is asked."""

    def __init__(
        self,
        figures: Figures,
        source: SourceHealth,
        stats: Callable[[SinkKind], SinkStats],
        dropped: Callable[[], int],
        backend: Callable[[], str],
        saved: Callable[[], Saved],
    ) -> None:
        self._figures, self._source = figures, source
        self._stats, self._dropped, self._backend = stats, dropped, backend
        self._saved = saved

    def collect(self) -> Iterator[Metric]:
        """Everything, as it is now."""
        info = {"version": __version__, "backend": self._backend()}
        yield InfoMetricFamily("posestream_build", "What runs.", value=info)
        yield from self._counts()
        yield from self._times()
        yield from self._sent()

    def _counts(self) -> Iterator[Metric]:
        figures, source = self._figures, self._source
        gauge, counter = GaugeMetricFamily, CounterMetricFamily
        yield counter("posestream_frames", "Frames that left the pipeline.", figures.frames)
        yield counter("posestream_frames_dropped", "Pictures left out.", self._dropped())
        rested, input_px = self._saved()
        yield counter("posestream_frames_rested", "Pictures of empty rooms passed over.", rested)
        if input_px is not None:
            pixels = input_px[0] * input_px[1]
            yield gauge("posestream_input_pixels", "What the network gets of a picture.", pixels)
        yield counter("posestream_frames_failed", "Steps that failed.", source.step_failures)
        yield gauge("posestream_fps", "Frames per second, last 2 s.", figures.recent_fps())
        yield gauge("posestream_people", "People tracked now.", figures.people_now)
        yield gauge("posestream_source_up", "0 while the source is lost.", not source.lost)
        yield counter("posestream_source_losses", "Times it was lost.", source.losses)
        yield counter("posestream_source_recoveries", "Times it came back.", source.recoveries)

    def _times(self) -> Iterator[Metric]:
        latency = HistogramMetricFamily(
            "posestream_latency_seconds", "From the picture's capture to its delivery.", labels=()
        )
        latency.add_metric([], *_buckets(self._figures.latency))
        yield latency
        stages = HistogramMetricFamily(
            "posestream_stage_seconds", "Time in each stage per frame.", labels=("stage",)
        )
        for name, histogram in self._figures.times.histograms().items():
            stages.add_metric([name], *_buckets(histogram))
        yield stages

    def _sent(self) -> Iterator[Metric]:
        messages = CounterMetricFamily("posestream_sent_messages", "Sent.", labels=("sink",))
        sizes = CounterMetricFamily("posestream_sent_bytes", "Payloads sent.", labels=("sink",))
        dropped = CounterMetricFamily("posestream_sent_dropped", "Not sent.", labels=("sink",))
        clients = GaugeMetricFamily("posestream_clients", "Clients or targets.", labels=("sink",))
        for kind in _KINDS:
            stats = self._stats(kind)
            messages.add_metric([kind], stats.messages)
            sizes.add_metric([kind], stats.bytes)
            dropped.add_metric([kind], stats.dropped)
            clients.add_metric([kind], stats.clients)
        yield from (messages, sizes, dropped, clients)


def _buckets(histogram: Histogram, bounds_ms: Sequence[float] = _BOUNDS_MS) -> tuple[
    list[tuple[str, float]], float
]:  # fmt: skip
    counts, sum_ms = histogram.cumulative([*bounds_ms, float("inf")])
    names = [*(f"{bound / 1e3:g}" for bound in bounds_ms), "+Inf"]
    return [(n, float(c)) for n, c in zip(names, counts, strict=True)], sum_ms / 1e3


class MetricsPage:
    """Makes the page; holds a registry of its own, so that two runs in a process do not mix."""

    def __init__(self, collector: Collector) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(collector)
        ProcessCollector(registry=self._registry)  # memory, CPU time, open files (Linux)

    def __call__(self) -> Page:
        """The figures as they are now."""
        return Page(generate_latest(self._registry).decode(), CONTENT_TYPE_LATEST)
