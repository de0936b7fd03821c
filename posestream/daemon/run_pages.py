"""What a run answers beside the stream: ``/healthz`` and ``/metrics``."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from posestream.daemon.figures import Figures
from posestream.daemon.health import SourceHealth, health
from posestream.daemon.switch import Switch
from posestream.publish.base import SinkKind, SinkStats
from posestream.publish.hub import Hub
from posestream.publish.pages import Page, Pages

if TYPE_CHECKING:
    from posestream.daemon.metrics import MetricsPage


class RunPages:
    """The pages of one run. Called in the event loop's thread."""

    def __init__(
        self,
        figures: Figures,
        source: SourceHealth,
        producer: Switch,
        hub: Hub,
        stats: Callable[[SinkKind], SinkStats],
    ) -> None:
        self._figures, self._source = figures, source
        self._producer, self._hub, self._stats = producer, hub, stats
        self._made: MetricsPage | None = None

    @property
    def all(self) -> Pages:
        """By path."""
        return {"/healthz": self.healthz, "/metrics": self.metrics}

    def healthz(self) -> Page:
        """200 while the run does its work."""
        self._source.step_failures = self._producer.failures
        return health(self._figures, self._source, self._producer.silent_s)

    def metrics(self) -> Page:
        """Prometheus' text format. What makes it is loaded when somebody asks first."""
        self._source.step_failures = self._producer.failures
        if self._made is None:
            self._made = self._metrics_page()
        return self._made()

    def _metrics_page(self) -> MetricsPage:
        from posestream.daemon.metrics import MetricsPage, RunCollector

        return MetricsPage(
            RunCollector(
                self._figures,
                self._source,
                self._stats,
                lambda: self._producer.dropped + self._hub.dropped,
                lambda: self._producer.backend,
                lambda: (self._producer.rested, self._producer.input_px),
            )
        )
