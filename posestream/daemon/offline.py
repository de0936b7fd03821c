"""``posestream process``: videos to motion files, every frame, the same result every time."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from tqdm import tqdm

from posestream import __version__, config
from posestream.capture.base import Source
from posestream.capture.live import every_frame
from posestream.daemon.sources import backend_for, first_camera, open_for
from posestream.errors import ConfigError, PosestreamError
from posestream.estimate.registry import create
from posestream.export import jsonl
from posestream.pipeline import Pipeline
from posestream.settings import Settings
from posestream.types import AvatarFrame
from posestream.wire.messages import Hello

FORMATS = ("jsonl",)


def process(
    sources: Sequence[str],
    out: str,
    formats: Sequence[str],
    config_file: str | None,
    overrides: Sequence[str],
) -> int:
    """Write one file per source and format; sources already done are skipped.

    A failing source is reported and the others go on; the exit code is that of the first
    failure. Raises ConfigError if nothing can be started.
    """
    _check(sources, formats)
    settings = config.load(config_file, [*overrides, 'source.pace="fast"', "source.loop=false"])
    folder = Path(out)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"--out {out} cannot be created: {error.strerror}.") from None
    exit_code = 0
    for source, target in zip(sources, _targets(sources, folder), strict=True):
        try:
            _process_one(source, target, settings)
        except PosestreamError as error:
            print(f"posestream: {error}", file=sys.stderr)
            exit_code = exit_code or error.exit_code
    return exit_code


def _check(sources: Sequence[str], formats: Sequence[str]) -> None:
    for name in formats:
        if name not in FORMATS:
            raise ConfigError(f"There is no format {name!r}: formats are {', '.join(FORMATS)}.")
    stems = [_stem(source) for source in sources]
    for stem in stems:
        if stems.count(stem) > 1:
            raise ConfigError(
                f"Two sources would both be written to {stem}.jsonl: process them into "
                "different folders."
            )


def _stem(source: str) -> str:
    kind, colon, rest = source.partition(":")
    return "synthetic" if kind == "synthetic" else Path(rest if colon else source).stem


def _targets(sources: Sequence[str], folder: Path) -> Iterator[Path]:
    return (folder / f"{_stem(source)}.jsonl" for source in sources)


def _process_one(source: str, target: Path, settings: Settings) -> None:
    if target.exists():
        print(f"{target} is there already: skipped", file=sys.stderr)
        return
    # Written under another name until whole: who is interrupted starts this one again.
    unfinished = target.with_suffix(".jsonl.part")
    opened = open_for(source, settings)
    total = getattr(opened, "frame_count", None)
    # disable=None: no bar where nobody watches a terminal
    frames = tqdm(
        _avatars(opened, source, settings),
        desc=target.name,
        total=total,
        unit=" frames",
        disable=None,
    )
    try:
        with unfinished.open("wb") as file:
            camera = first_camera(opened, source, settings)
            file.write(jsonl.header(Hello(__version__, camera, opened.fps)))
            count = sum(1 for frame in frames if file.write(jsonl.line(frame)))
    except OSError as error:
        raise PosestreamError(f"{target} cannot be written: {error.strerror}.") from None
    finally:
        opened.close()
    unfinished.replace(target)
    print(f"{target}: {count} frames", file=sys.stderr)


def _avatars(opened: Source, source: str, settings: Settings) -> Iterator[AvatarFrame]:
    estimator = create(backend_for(source, settings), settings.estimate)
    try:
        pipeline = Pipeline(estimator, settings)
        for frame in every_frame(opened):
            yield pipeline.step(frame)
    finally:
        estimator.close()
