"""``posestream calibrate camera | floor | body``: arguments, and what they call."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from posestream.calibrate.session import Asked

    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

_SOURCE_HELP = "camera:0 (default), a video, a stream or images:FOLDER"


def add_calibrate(commands: Commands) -> None:
    """Add ``calibrate`` and its three kinds; each parser's ``command`` default runs it."""
    parser = commands.add_parser("calibrate", help="the lens, the camera's place, body proportions")
    kinds = parser.add_subparsers(required=True, metavar="KIND")
    _add_camera(kinds)
    _add_floor(kinds)
    _add_body(kinds)


def _add_camera(kinds: Commands) -> None:
    parser = kinds.add_parser("camera", help="the lens, by a printed board or a known angle")
    how = parser.add_mutually_exclusive_group()
    how.add_argument(
        "--board", type=Path, metavar="FILE", help="only write the board's page (.pdf or .png)"
    )
    how.add_argument("--fov", type=float, metavar="DEG", help="known horizontal angle of view")
    how.add_argument("--focal", type=float, metavar="PX", help="known focal length in pixels")
    _add_common(parser, seconds=300.0, countdown=0)
    parser.set_defaults(command=_camera)


def _add_floor(kinds: Commands) -> None:
    parser = kinds.add_parser("floor", help="the camera's tilt and height, by people or a marker")
    parser.add_argument(
        "--marker", type=float, metavar="METRES", help="black side of the marker on the floor"
    )
    parser.add_argument(
        "--print-marker", type=Path, metavar="FILE", help="only write its page (.pdf or .png)"
    )
    _add_common(parser, seconds=30.0, countdown=5)
    parser.set_defaults(command=_floor)


def _add_body(kinds: Commands) -> None:
    parser = kinds.add_parser("body", help="proportions and true size of a person")
    parser.add_argument("--height", type=float, metavar="METRES", help="how tall the person is")
    parser.add_argument("--person", default="me", metavar="NAME", help="whose (default: me)")
    parser.add_argument(
        "--slot", type=_slot, default=0, metavar="N", help="of a run, counted from 0 (default 0)"
    )
    _add_common(parser, seconds=30.0, countdown=5)
    parser.set_defaults(command=_body)


def _add_common(parser: argparse.ArgumentParser, seconds: float, countdown: int) -> None:
    parser.add_argument(
        "source", nargs="?", default="camera:0", metavar="SOURCE", help=_SOURCE_HELP
    )
    parser.add_argument("--name", metavar="NAME", help="of the camera (default: its own)")
    parser.add_argument("-c", "--config", metavar="FILE", help="TOML file or preset name")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--backend", metavar="NAME", help="as for run")
    parser.add_argument(
        "--seconds", type=float, default=seconds, metavar="S",
        help=f"of a camera at most (default {seconds:g})",
    )  # fmt: skip
    parser.add_argument(
        "--countdown", type=int, default=countdown, metavar="S",
        help=f"time to get into place before a camera (default {countdown})",
    )  # fmt: skip
    parser.add_argument("-v", "--verbose", action="count", default=0)


def _slot(text: str) -> int:
    if not text.isdecimal() or int(text) > 63:
        raise argparse.ArgumentTypeError("must be a whole number from 0 to 63")
    return int(text)


def _camera(arguments: argparse.Namespace) -> int:
    from posestream.calibrate import kinds

    if arguments.board is not None:
        return kinds.print_board(arguments.board)
    if arguments.fov is not None or arguments.focal is not None:
        return kinds.camera_by_number(_asked(arguments), arguments.fov, arguments.focal)
    return kinds.camera(_asked(arguments))


def _floor(arguments: argparse.Namespace) -> int:
    from posestream.calibrate import kinds

    if arguments.print_marker is not None:
        return kinds.print_marker(arguments.print_marker, arguments.marker or 0.16)
    if arguments.marker is not None:
        return kinds.floor_by_marker(_asked(arguments), arguments.marker)
    return kinds.floor(_asked(arguments))


def _body(arguments: argparse.Namespace) -> int:
    from posestream.calibrate import kinds

    return kinds.body(_asked(arguments), arguments.person, arguments.slot, arguments.height)


def _asked(arguments: argparse.Namespace) -> Asked:
    from posestream.calibrate.session import Asked

    overrides = list(arguments.set)
    if arguments.backend is not None:
        overrides.append(f'estimate.backend="{arguments.backend}"')
    return Asked(
        source=arguments.source, name=arguments.name, config=arguments.config,
        overrides=tuple(overrides), seconds=arguments.seconds, countdown=arguments.countdown,
    )  # fmt: skip
