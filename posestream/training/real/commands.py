"""``posestream pack``: its arguments, and what they call."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]


def add_pack(commands: Commands) -> None:
    """Add ``pack``; the parser's ``command`` default runs it."""
    parser = commands.add_parser("pack", help="photos of people to training shards")
    parser.add_argument("names", nargs="+", metavar="NAME", help="lspet, ccp, coco_multi, …")
    parser.add_argument("--data", type=Path, required=True, metavar="FOLDER", help="of datasets")
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="of shards")
    parser.add_argument("--limit", type=int, metavar="N", help="only the first N pictures of each")
    parser.add_argument("-v", "--verbose", action="count", default=0, help="logs; -vv: more")
    parser.set_defaults(command=_pack)


def _pack(arguments: argparse.Namespace) -> int:
    from posestream.errors import TrainingError
    from posestream.training.real.packing import pack

    if arguments.limit is not None and arguments.limit < 1:
        raise TrainingError("--limit must be at least 1.")
    counts = pack(arguments.names, arguments.data, arguments.out, arguments.limit)
    for what, count in counts.items():
        print(f"{what}: {count}")
    if not counts:
        print("Every shard was there already.")
    return 0
