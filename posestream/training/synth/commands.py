"""``posestream synth``: its arguments, and what they call."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

_MOST_PEOPLE = 10


def add_synth(commands: Commands) -> None:
    """Add ``synth``; the parser's ``command`` default runs it."""
    parser = commands.add_parser("synth", help="make labelled pictures of synthetic people")
    parser.add_argument("--out", required=True, type=Path, metavar="FOLDER", help="for the shards")
    parser.add_argument("--pictures", required=True, type=_count, metavar="N", help="in all")
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="default 0")
    parser.add_argument(
        "--name",
        default="train",
        help="of the shards (default train); one that ends in val shows only bodies, motion and "
        "backgrounds that no other name does",
    )
    parser.add_argument("--size", type=_size, default=(448, 256), metavar="WxH", help="448x256")
    parser.add_argument("--people", type=_people, default=(1, 10), metavar="1-10")
    parser.add_argument(
        "--shared", type=Path, default=Path("../shared/data"), metavar="FOLDER",
        help="motion, clothes, photos (default ../shared/data)",
    )  # fmt: skip
    parser.add_argument(
        "--permissive", action="store_true", help="show only material that is free for any use"
    )
    parser.add_argument(
        "--workers", type=_count, default=1, metavar="N", help="shards made at once (default 1)"
    )
    parser.add_argument("-v", "--verbose", action="count", default=0, help="logs; -vv: more")
    parser.set_defaults(command=_synth)


def _synth(arguments: argparse.Namespace) -> int:
    from posestream.training.synth.generate import SynthSettings, generate

    settings = SynthSettings(
        arguments.out, arguments.shared, arguments.pictures, arguments.name, arguments.seed,
        arguments.size, arguments.people, arguments.permissive,
    )  # fmt: skip
    done = generate(settings, arguments.workers)
    speed = f", {done.made / done.seconds:.1f} pictures/s" if done.made else ""
    print(f"{settings.out}: {settings.pictures} pictures, {done.made} of them new{speed}")
    return 0


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError("must be a whole number of at least 1")
    return int(text)


def _size(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"(\d{2,4})x(\d{2,4})", text)
    if found is None or not all(64 <= int(side) <= 2048 for side in found.groups()):
        raise argparse.ArgumentTypeError("must be WIDTHxHEIGHT, each from 64 to 2048")
    return int(found[1]), int(found[2])


def _people(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"(\d+)(?:-(\d+))?", text)
    low = int(found[1]) if found else 0
    high = int(found[2] or low) if found else 0
    if not 1 <= low <= high <= _MOST_PEOPLE:
        raise argparse.ArgumentTypeError(f"must be a number or range within 1-{_MOST_PEOPLE}")
    return low, high
