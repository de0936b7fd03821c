"""``posestream process``: videos to motion files, every frame, the same result every time."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
from tqdm import tqdm

from posestream import config
from posestream.calibrate.applying import with_calibration
from posestream.daemon import logs
from posestream.daemon.offline_job import Done, Job, work
from posestream.daemon.sources import REPLAY, backend_for
from posestream.daemon.status import counted, notify
from posestream.daemon.takes import Watch
from posestream.errors import ConfigError
from posestream.export.files import FORMATS, read_target
from posestream.settings import Settings
from posestream.types import AvatarFrame


@dataclass(frozen=True, slots=True)
class Where:
    """Who does the work: this process, workers here, or a cluster."""

    workers: int | None = None
    scheduler: str | None = None


def process(
    sources: Sequence[str],
    out: str,
    formats: Sequence[str],
    config_file: str | None,
    overrides: Sequence[str],
    where: Where | None = None,
) -> int:
    """Write the files of every source and format; what is done already is skipped.

    A failing source is reported and the others go on; the exit code is that of the first
    failure. Raises ConfigError if nothing can be started.
    """
    _check(sources, formats)
    settings = config.load(config_file, [*overrides, 'source.pace="fast"', "source.loop=false"])
    folder = Path(out).resolve()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"--out {out} cannot be created: {error.strerror}.") from None
    read_target(settings.avatar.file, formats)  # what is wrong with it is said before all work
    jobs = [
        Job(s, str(t), _calibrated(settings, s), tuple(formats))
        for s, t in zip(sources, _targets(sources, folder), strict=True)
    ]
    exit_code = 0
    for done in _done(jobs, where or Where()):
        _report(done)
        exit_code = exit_code or done.exit_code
    return exit_code


def _calibrated(settings: Settings, source: str) -> Settings:
    """With what is stored of the source's camera and people; recordings need neither."""
    if source.startswith(REPLAY):
        return settings
    return with_calibration(settings, source, backend_for(source, settings))


def _done(jobs: list[Job], where: Where) -> Iterator[Done]:
    """Everything done, those with a file first."""
    todo = []
    for job in jobs:
        if job.missing():
            todo.append(job)
        else:
            yield Done(job.target, skipped=True)
    workers = _workers(len(todo), where)
    if todo and (where.scheduler is not None or workers > 1):
        yield from _spread(todo, workers, where.scheduler)
    else:
        yield from (work(job, _bar(job)) for job in todo)


def _workers(jobs: int, where: Where) -> int:
    """As many as asked for, else one per two cores, because a network uses more than one."""
    wanted = where.workers
    if wanted is None:
        from posestream.daemon import cluster

        wanted = max((os.cpu_count() or 1) // 2, 1) if cluster.available() else 1
    return min(wanted, jobs)


def _spread(jobs: list[Job], workers: int, scheduler: str | None) -> Iterator[Done]:
    from posestream.daemon import cluster

    started_s, frames = time.perf_counter(), 0
    jobs = [
        replace(j, source=_anywhere(j.source), settings=_shared(j.settings, workers)) for j in jobs
    ]
    done = cluster.spread(jobs, workers, scheduler)
    for each in tqdm(done, total=len(jobs), unit=" videos", disable=_no_bar()):
        frames += each.frames
        yield each
    seconds = time.perf_counter() - started_s
    who = counted(workers, "worker") if scheduler is None else scheduler
    notify(f"{counted(frames, 'frame')} in {seconds:.1f} s, {frames / seconds:.0f}/s, by {who}")


def _anywhere(source: str) -> str:
    """A file's or folder's name that holds in another working folder."""
    kind, colon, rest = source.partition(":")
    if colon and kind in ("images", "replay"):
        return f"{kind}:{Path(rest).resolve()}"
    return str(Path(source).resolve()) if Path(source).exists() else source


def _shared(settings: Settings, workers: int) -> Settings:
    """The cores shared out among the workers, where the user left that open."""
    avatar = settings.avatar
    if avatar.file:
        avatar = msgspec.structs.replace(avatar, file=str(Path(avatar.file).resolve()))
        settings = msgspec.structs.replace(settings, avatar=avatar)
    if settings.estimate.threads:
        return settings
    threads = max((os.cpu_count() or 1) // workers, 1)
    estimate = msgspec.structs.replace(settings.estimate, threads=min(threads, 16))
    return msgspec.structs.replace(settings, estimate=estimate)


def _bar(job: Job) -> Watch:
    """A progress bar over a job's frames."""

    def watch(frames: Iterable[AvatarFrame], total: int | None) -> Iterable[AvatarFrame]:
        name = Path(job.target).name if "jsonl" in job.formats else Path(job.target).stem
        yield from tqdm(frames, desc=name, total=total, unit=" frames", disable=_no_bar())

    return watch


def _no_bar() -> bool | None:
    """None: no bar where nobody watches a terminal."""
    return True if logs.as_json() else None


def _report(done: Done) -> None:
    if done.error:
        notify(f"posestream: {done.error}")
    elif done.skipped:
        notify(f"{done.target} is there already: skipped")
    elif done.files:
        folder, (first, *others) = Path(done.target).parent, done.files
        notify(f"{folder / first}: {done.frames} frames")
        for name in others:
            notify(f"{folder / name}")
    else:
        notify(f"{Path(done.target).stem}: {done.frames} frames, nobody in view for long enough")


def _check(sources: Sequence[str], formats: Sequence[str]) -> None:
    for name in formats:
        if name not in FORMATS:
            raise ConfigError(f"There is no format {name!r}: formats are {', '.join(FORMATS)}.")
    stems = [_stem(source) for source in sources]
    for stem in stems:
        if stems.count(stem) > 1:
            raise ConfigError(
                f"Two sources would both be written to {stem}.{formats[0]}: process them into "
                "different folders."
            )


def _stem(source: str) -> str:
    kind, colon, rest = source.partition(":")
    return "synthetic" if kind == "synthetic" else Path(rest if colon else source).stem


def _targets(sources: Sequence[str], folder: Path) -> Iterator[Path]:
    return (folder / f"{_stem(source)}.jsonl" for source in sources)
