"""A run's curves: rows of a CSV file, drawn as PNG, and TensorBoard's if it is installed."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from posestream.errors import TrainingError

_DRAWN_ROWS = 600


class Curves:
    """Appends rows to ``curves.csv`` and verdicts to ``validation.jsonl``."""

    def __init__(self, folder: Path, columns: Sequence[str], last_step: int) -> None:
        """Rows after ``last_step``, which a killed run may have left, are dropped."""
        self.folder = folder
        self._path = folder / "curves.csv"
        self._columns = ["step", *columns]
        _cut(self._path, self._columns, last_step)
        self._board = _tensorboard(folder)

    def add(self, step: int, values: dict[str, float]) -> None:
        """One row. Raises TrainingError if the disk refuses."""
        row = [step, *(f"{values[name]:.6g}" for name in self._columns[1:])]
        _append(self._path, ",".join(map(str, row)))
        for name, value in values.items() if self._board is not None else ():
            self._board.add_scalar(name, value, step)

    def judged(self, step: int, verdict: dict[str, Any]) -> None:
        """One line of ``validation.jsonl``."""
        _append(self.folder / "validation.jsonl", json.dumps({"step": step, **verdict}))

    def draw(self, parts: Sequence[str]) -> None:
        """``curves.png`` of these columns and of the scores; nothing without matplotlib."""
        try:
            from matplotlib.backends.backend_agg import FigureCanvasAgg
            from matplotlib.figure import Figure
        except ImportError:
            return
        rows, scores = _rows(self._path), _scores(self.folder / "validation.jsonl")
        figure = Figure(figsize=(3.2 * (len(parts) + 1), 3.0))
        FigureCanvasAgg(figure)
        axes = figure.subplots(1, len(parts) + 1)
        figure.subplots_adjust(left=0.04, right=0.99, bottom=0.1, top=0.9, wspace=0.35)
        thin = rows[:: max(1, len(rows) // _DRAWN_ROWS)]
        for axis, name in zip(axes, parts, strict=False):
            axis.semilogy([float(r["step"]) for r in thin], [float(r[name]) for r in thin])
            axis.set_title(name)
        axes[-1].plot([s for s, _ in scores], [v for _, v in scores], "o-")
        axes[-1].set_title("validation score")
        try:
            figure.savefig(self.folder / "curves.png", dpi=80)
        except OSError as error:
            raise TrainingError(f"{self.folder} cannot be written ({error}).") from error


def _append(path: Path, line: str) -> None:
    try:
        with path.open("a", encoding="utf-8", newline="\n") as file:
            file.write(line + "\n")
    except OSError as error:
        raise TrainingError(
            f"{path} cannot be written ({error.strerror}): make room; the last checkpoint is kept."
        ) from error


def _cut(path: Path, columns: list[str], last_step: int) -> None:
    head = ",".join(columns)
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    kept = [
        line for line in lines[1:] if line.count(",") == len(columns) - 1
        and float(line.partition(",")[0]) <= last_step
    ] if lines[:1] == [head] else []  # fmt: skip
    try:
        path.write_text("\n".join([head, *kept]) + "\n", encoding="utf-8", newline="\n")
    except OSError as error:
        raise TrainingError(f"{path} cannot be written ({error.strerror}).") from error


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _scores(path: Path) -> list[tuple[int, float]]:
    if not path.is_file():
        return []
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [(v["step"], v["score"]) for v in lines if v["score"] is not None]


def _tensorboard(folder: Path) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except Exception:  # not installed, or not for this torch
        return None
    return SummaryWriter(str(folder / "tensorboard"))
