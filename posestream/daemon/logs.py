"""What the program says while it runs: calm sentences, or a JSON object per line on request."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any, Final, Literal

LogFormat = Literal["text", "json"]
NOTICES: Final = logging.getLogger("posestream.notice")
"""Sentences to the user."""
STATUS: Final = logging.getLogger("posestream.status")
"""Figures at intervals."""

_LEVELS: Final = (logging.WARNING, logging.INFO, logging.DEBUG)
_DETAILED: Final = "%(asctime)s %(levelname)s %(name)s: %(message)s"
_LONGEST: Final = 16_384  # characters of one text, so that a line stays a line


class JsonLines(logging.Formatter):
    """One object per line: time (UTC), level, logger, thread, message, ``figures``, error."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "thread": record.threadName,
            "message": record.getMessage()[:_LONGEST],
        }
        figures = getattr(record, "figures", None)
        if figures is not None:
            line["figures"] = figures
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)[-_LONGEST:]
        return json.dumps(line, default=str)


def set_up(verbose: int, log_format: LogFormat = "text") -> None:
    """Configure logging to stderr once, for the whole process."""
    level = _LEVELS[min(verbose, len(_LEVELS) - 1)]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_formatter(verbose, log_format))
    logging.basicConfig(level=level, handlers=[handler])
    logging.getLogger("websockets").setLevel(max(level, logging.WARNING))
    for always in (NOTICES, STATUS):
        always.setLevel(min(level, logging.INFO))


def _formatter(verbose: int, log_format: LogFormat) -> logging.Formatter:
    if log_format == "json":
        return JsonLines()
    return logging.Formatter(_DETAILED if verbose else "posestream: %(message)s")


def as_json() -> bool:
    """Whether a program reads what is said rather than a person."""
    return any(isinstance(handler.formatter, JsonLines) for handler in logging.root.handlers)
