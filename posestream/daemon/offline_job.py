"""One video to its motion file, in whatever process: whole or not at all, and only once."""

from __future__ import annotations

import logging
import os
import secrets
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from posestream import __version__
from posestream.capture.base import Source
from posestream.capture.live import every_frame
from posestream.daemon.sources import backend_for, first_camera, open_for
from posestream.errors import PosestreamError
from posestream.estimate.registry import create
from posestream.export import jsonl
from posestream.pipeline import Pipeline
from posestream.settings import Settings
from posestream.types import AvatarFrame
from posestream.wire.messages import Hello

log = logging.getLogger(__name__)

Watch = Callable[[Iterable[AvatarFrame], int | None], Iterable[AvatarFrame]]
"""``watch(frames, total)``: the same frames, with somebody looking on."""


@dataclass(frozen=True, slots=True)
class Job:
    """What to do. Can be sent to another process or machine that sees the same files."""

    source: str
    target: str
    settings: Settings


@dataclass(frozen=True, slots=True)
class Done:
    """What came of a job."""

    target: str
    frames: int = 0
    seconds: float = 0.0
    skipped: bool = False  # the file was there already
    error: str = ""
    exit_code: int = 0


def work(job: Job, watch: Watch | None = None) -> Done:
    """Do the job; what goes wrong is told, not raised. Safe to do twice, even at once."""
    if Path(job.target).exists():
        return Done(job.target, skipped=True)
    started_s = time.perf_counter()
    try:
        frames = _write(job, watch)
    except PosestreamError as error:
        return Done(job.target, error=str(error), exit_code=error.exit_code)
    except Exception as error:
        log.exception("%s failed", job.source)
        sentence = f"{job.source} ended by an error of posestream itself ({error!r}): report it."
        return Done(job.target, error=sentence, exit_code=1)
    seconds = time.perf_counter() - started_s
    return Done(job.target, frames or 0, seconds, skipped=frames is None)


def _write(job: Job, watch: Watch | None) -> int | None:
    """How many frames; None if another finished the same job first."""
    target = Path(job.target)
    # Under a name of its own until whole: whoever is interrupted or killed leaves nothing that
    # looks finished, and two that do the same job do not write into one file.
    unfinished = target.with_name(f".{target.name}.{os.getpid()}-{secrets.token_hex(4)}.part")
    with closing(open_for(job.source, job.settings)) as opened:
        frames: Iterable[AvatarFrame] = _avatars(opened, job)
        if watch is not None:
            frames = watch(frames, getattr(opened, "frame_count", None))
        try:
            count = _fill(unfinished, opened, job, frames)
            return count if _place(unfinished, target) else None
        except OSError as error:
            raise PosestreamError(f"{target} cannot be written: {error.strerror}.") from None
        finally:
            unfinished.unlink(missing_ok=True)


def _fill(unfinished: Path, opened: Source, job: Job, frames: Iterable[AvatarFrame]) -> int:
    with unfinished.open("wb") as file:
        camera = first_camera(opened, job.source, job.settings)
        file.write(jsonl.header(Hello(__version__, camera, opened.fps)))
        count = sum(1 for frame in frames if file.write(jsonl.line(frame)))
        file.flush()
        os.fsync(file.fileno())
    return count


def _place(unfinished: Path, target: Path) -> bool:
    """Give the whole file its name; False if the name was taken meanwhile."""
    try:
        os.link(unfinished, target)
    except FileExistsError:
        return False
    except FileNotFoundError:  # another finished first and tidied up
        if target.exists():
            return False
        raise
    except OSError:  # a file system without hard links
        if target.exists():
            return False
        unfinished.replace(target)
    for abandoned in target.parent.glob(f".{_literal(target.name)}.*.part"):
        abandoned.unlink(missing_ok=True)
    return True


def _literal(name: str) -> str:
    """A name as a glob pattern for itself."""
    return "".join(f"[{c}]" if c in "*?[" else c for c in name)


def _avatars(opened: Source, job: Job) -> Iterator[AvatarFrame]:
    estimator = create(backend_for(job.source, job.settings), job.settings.estimate)
    try:
        pipeline = Pipeline(estimator, job.settings)
        for frame in every_frame(opened):
            yield pipeline.step(frame)
    finally:
        estimator.close()
