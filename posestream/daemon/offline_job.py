"""One video or recording to its motion files, in whatever process: whole or not at all."""

from __future__ import annotations

import logging
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from posestream import __version__
from posestream.daemon.takes import Take, Watch, open_take
from posestream.errors import PosestreamError
from posestream.export import jsonl
from posestream.export.files import PERSONAL, Target, contents, file_name, read_target, written
from posestream.export.motion import Gatherer, PersonMotion
from posestream.settings import Settings
from posestream.wire.messages import Hello

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Job:
    """What to do. Can be sent to another process or machine that sees the same files."""

    source: str
    target: str  # FOLDER/STEM.jsonl; files of single people are named after it
    settings: Settings
    formats: tuple[str, ...] = ("jsonl",)

    def missing(self) -> tuple[str, ...]:
        """The formats that are still to be written."""
        path = Path(self.target)
        return tuple(f for f in self.formats if not written(path.parent, path.stem, f))


@dataclass(frozen=True, slots=True)
class Done:
    """What came of a job."""

    target: str
    frames: int = 0
    seconds: float = 0.0
    skipped: bool = False  # the files were there already
    error: str = ""
    exit_code: int = 0
    files: tuple[str, ...] = ()


def work(job: Job, watch: Watch | None = None) -> Done:
    """Do the job; what goes wrong is told, not raised. Safe to do twice, even at once."""
    formats = job.missing()
    if not formats:
        return Done(job.target, skipped=True)
    started_s = time.perf_counter()
    try:
        frames, files = _Writer(job, formats).write(watch)
    except PosestreamError as error:
        return Done(job.target, error=str(error), exit_code=error.exit_code)
    except Exception as error:
        log.exception("%s failed", job.source)
        sentence = f"{job.source} ended by an error of posestream itself ({error!r}): report it."
        return Done(job.target, error=sentence, exit_code=1)
    seconds = time.perf_counter() - started_s
    return Done(job.target, frames or 0, seconds, skipped=frames is None, files=files)


class _Writer:
    """Writes the files of one source."""

    def __init__(self, job: Job, formats: tuple[str, ...]) -> None:
        self._job, self._formats = job, formats
        self._personal = [f for f in PERSONAL if f in formats]
        self._target = Path(job.target)
        # Under a name of its own until whole: whoever is interrupted or killed leaves nothing that
        # looks finished, and two that do the same job do not write into one file.
        self._mark = f"{os.getpid()}-{secrets.token_hex(4)}.part"

    def write(self, watch: Watch | None) -> tuple[int | None, tuple[str, ...]]:
        """How many frames, None if another finished the same job first; names of the files."""
        job = self._job
        avatar = read_target(job.settings.avatar.file, self._personal)
        people = None
        with closing(open_take(job.source, job.settings)) as take:
            if self._personal:
                people = Gatherer(take.expressions)
            count, fresh = self._write_frames(take, people, watch)
            motions = people.motions(job.settings.export.min_s) if people else []
            names = [self._target.name] if "jsonl" in self._formats else []
            for format_ in self._personal:
                fresh = self._write_people(motions, format_, avatar, take.fps) or fresh
                names += [file_name(self._target.stem, m, format_) for m in motions]
        return (count if fresh else None), tuple(names)

    def _write_frames(
        self, take: Take, people: Gatherer | None, watch: Watch | None
    ) -> tuple[int, bool]:
        """All frames, to the file of all if it is wanted; whether that file is ours."""
        if "jsonl" not in self._formats:
            return _pass_on(take, people, watch, None), False
        with self._whole(self._target) as unfinished:
            with _synced(unfinished) as file:
                file.write(jsonl.header(Hello(__version__, take.camera, take.fps)))
                count = _pass_on(take, people, watch, file)
            return count, _place(unfinished, self._target)

    def _write_people(
        self, motions: list[PersonMotion], format_: str, avatar: Target, fps: float | None
    ) -> bool:
        """Everybody's files, the first person's last; whether that one is ours."""
        fresh = not motions
        for motion in reversed(motions):
            content = contents(motion, format_, avatar, self._job.settings.export, fps)
            path = self._target.with_name(file_name(self._target.stem, motion, format_))
            with self._whole(path) as unfinished:
                with _synced(unfinished) as file:
                    file.write(content)
                if motion.number > 1:
                    path.unlink(missing_ok=True)  # of an attempt that was not finished
                fresh = _place(unfinished, path)
        return fresh

    @contextmanager
    def _whole(self, path: Path) -> Iterator[Path]:
        """Another name for the file while it is not whole. Raises PosestreamError."""
        unfinished = path.with_name(f".{path.name}.{self._mark}")
        try:
            yield unfinished
        except OSError as error:
            raise PosestreamError(f"{path} cannot be written: {error.strerror}.") from None
        finally:
            unfinished.unlink(missing_ok=True)


@contextmanager
def _synced(path: Path) -> Iterator[BinaryIO]:
    """The file, to be written; afterwards it is on the disk."""
    with path.open("wb") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())


def _pass_on(
    take: Take, people: Gatherer | None, watch: Watch | None, file: BinaryIO | None
) -> int:
    """Hand every frame to the people and the file; how many there were."""
    count = 0
    for frame in take.frames(watch):
        if people is not None:
            people.add(frame)
        if file is not None:
            file.write(jsonl.line(frame))
        count += 1
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
