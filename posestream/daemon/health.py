"""Whether a run does its work: the answer at ``/healthz``."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from http import HTTPStatus

from posestream.daemon.figures import Figures
from posestream.publish.pages import Page

_STALLED_S = 5.0


@dataclass(slots=True)
class SourceHealth:
    """What is known of the source. Written by the capture thread, read by the event loop."""

    lost: bool = False
    losses: int = 0
    recoveries: int = 0
    step_failures: int = 0

    def note(self, kind: str) -> None:
        """Count a "lost" or "recovered"."""
        self.lost = kind == "lost"
        self.losses += kind == "lost"
        self.recoveries += kind != "lost"


def health(figures: Figures, source: SourceHealth, silent_s: float) -> Page:
    """200 while pictures come and frames leave, else 503; the body says what is wrong."""
    state = _state(figures, source, silent_s)
    body = {
        "status": state,
        "frames": figures.frames,
        "fps": round(figures.recent_fps(), 2),
        "people": figures.people_now,
        "source_losses": source.losses,
        "failed_frames": source.step_failures,
    }
    status = HTTPStatus.OK if state == "ok" else HTTPStatus.SERVICE_UNAVAILABLE
    return Page(json.dumps(body) + "\n", "application/json", status)


def _state(figures: Figures, source: SourceHealth, silent_s: float) -> str:
    if source.lost:
        return "source lost"
    if figures.ended_s is None:
        return "starting"
    if time.perf_counter() - figures.ended_s > _STALLED_S or silent_s > _STALLED_S:
        return "stalled"
    return "ok"
