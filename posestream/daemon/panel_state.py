"""Figures of this moment for the panel: rates and percentiles since the panel last asked."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from posestream.daemon.figures import Figures
from posestream.daemon.outputs import Outputs
from posestream.daemon.switch import Switch
from posestream.publish.websocket import WebSocketSink
from posestream.timing import Histogram

_FADE_S = 1.0  # figures are of about so long


class Recent:
    """What was counted since about a second ago."""

    def __init__(self) -> None:
        self._copies: list[tuple[float, Histogram]] = []

    def of(self, histogram: Histogram) -> Histogram:
        """The latest part of what this one counts; ask about the same one each time."""
        now_s = time.perf_counter()
        self._copies.append((now_s, histogram.copy()))
        while len(self._copies) > 2 and now_s - self._copies[1][0] > _FADE_S:
            del self._copies[0]
        return self._copies[-1][1].since(self._copies[0][1])


class Rates:
    """How fast counts grow, per second, each over about a second."""

    def __init__(self) -> None:
        self._seen: dict[object, list[tuple[float, int]]] = {}

    def of(self, what: object, count: int) -> float:
        """The rate of one count."""
        now_s = time.perf_counter()
        seen = self._seen.setdefault(what, [])
        seen.append((now_s, count))
        while len(seen) > 2 and now_s - seen[1][0] > _FADE_S:
            del seen[0]
        first_s, first = seen[0]
        return round((count - first) / (now_s - first_s), 1) if now_s > first_s else 0.0

    def keep(self, wanted: set[object]) -> None:
        """Forget all others."""
        self._seen = {key: seen for key, seen in self._seen.items() if key in wanted}


class Moment:
    """Puts the state together, four times a second while somebody looks."""

    def __init__(self, figures: Figures, producer: Switch, outputs: Outputs) -> None:
        self._figures, self._producer, self._outputs = figures, producer, outputs
        self._latency = Recent()
        self._stages: dict[str, Recent] = {}
        self._rates = Rates()

    def state(self) -> dict[str, Any]:
        """Everything that changes from moment to moment."""
        figures, producer = self._figures, self._producer
        return {
            "fps": round(figures.recent_fps(), 1),
            "source_fps": producer.fps,
            "latency_ms": self._latency.of(figures.latency).summary(),
            "stage_ms": self._stage_times(),
            "people": self._people(),
            "receivers": self._receivers(),
            "source": producer.source,
            "live": producer.live,
            "backend": producer.backend,
            "locate": producer.locate,
            "dropped": producer.dropped,
            "failures": producer.failures,
            "input_px": producer.input_px,
            "camera": self._camera(),
            "replay": self._replay(),
        }

    def _stage_times(self) -> dict[str, float | None]:
        return {
            name: _number(self._stages.setdefault(name, Recent()).of(histogram).percentile(50))
            for name, histogram in self._figures.times.histograms().items()
        }

    def _people(self) -> list[dict[str, Any]]:
        details = self._producer.now.details
        if details is None:
            return []
        tracks, people = details.tracks, details.people_cam
        detection = tracks.detection.tolist()
        return [
            {
                "slot": int(tracks.slot[row]),
                "id": int(tracks.track_id[row]),
                "confidence": round(float(tracks.confidence[row]), 2),
                "seen": seen,
                "depth_m": _number(people.root_cam_m[d, 2]) if seen else None,
                "depth_std_m": _number(people.depth_std_m[d]) if seen else None,
                "depth_score": _number(people.depth_score[d]) if seen else None,
            }
            for row, d in enumerate(detection)
            for seen in [0 <= d < len(people)]
        ]

    def _receivers(self) -> list[dict[str, Any]]:
        rows = [row for sink in self._outputs.all for row in self._rows(sink)]
        self._rates.keep({row["key"] for row in rows})
        return rows

    def _rows(self, sink: Any) -> list[dict[str, Any]]:
        if sink.kind == "panel":
            return []
        if isinstance(sink, WebSocketSink):
            return [self._client(client) for client in sink.clients]
        stats = sink.stats()
        key = f"{sink.name}#{id(sink)}"
        rate = self._rates.of(key, stats.messages)
        return [{"key": key, "kind": sink.kind, "name": sink.name, "rate": rate,
                 "unit": "packets/s", "dropped": stats.dropped}]  # fmt: skip

    def _client(self, client: Any) -> dict[str, Any]:
        address = client.connection.remote_address or ("gone", 0)
        key = f"websocket {id(client)}"
        return {"key": key, "kind": "websocket", "name": f"WebSocket {address[0]}:{address[1]}",
                "rate": self._rates.of(key, client.frames), "unit": "frames/s",
                "dropped": client.dropped}  # fmt: skip

    def _camera(self) -> dict[str, Any]:
        camera = self._producer.camera
        return {
            "size": camera.size_px,
            "K": np.asarray(camera.K_px).tolist(),
            "T_world_cam": np.asarray(camera.T_world_cam).tolist(),
        }

    def _replay(self) -> dict[str, Any] | None:
        from posestream.daemon.replaying import ReplayProducer

        now = self._producer.now
        if not isinstance(now, ReplayProducer) or not now.live:
            return None
        return {"position_s": round(now.position_s, 2), "duration_s": now.duration_s,
                "paused": now.paused}  # fmt: skip


def _number(value: Any) -> float | None:
    return round(float(value), 3) if value is not None and np.isfinite(value) else None
