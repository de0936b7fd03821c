"""``posestream evaluate mupots | samples | video``: arguments, and what they call."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from posestream.settings import Settings

    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

_ALIGNMENTS = ("bones", "root", "procrustes")


def add_evaluate(commands: Commands) -> None:
    """Add ``evaluate`` and its three kinds; each parser's ``command`` default runs it."""
    parser = commands.add_parser("evaluate", help="accuracy on labelled or unlabelled material")
    kinds = parser.add_subparsers(required=True, metavar="KIND")
    _add_mupots(kinds)
    _add_samples(kinds)
    _add_video(kinds)


def _add_mupots(kinds: Commands) -> None:
    parser = kinds.add_parser("mupots", help="3D accuracy of several people on MuPoTS-3D")
    parser.add_argument("--gt", required=True, type=Path, metavar="FILE", help="truth, .npz")
    given = parser.add_mutually_exclusive_group(required=True)
    given.add_argument("--predictions", type=Path, metavar="FILE", help="saved predictions, .npz")
    given.add_argument(
        "--frames", type=Path, metavar="FOLDER", help="pictures in TSn/ with meta.json"
    )
    parser.add_argument(
        "--align", choices=_ALIGNMENTS, default="bones", help="protocol (default bones)"
    )
    _add_pictures(parser)
    _add_common(parser)
    parser.set_defaults(command=_mupots)


def _add_samples(kinds: Commands) -> None:
    parser = kinds.add_parser("samples", help="2D and 3D accuracy on labelled pictures")
    parser.add_argument(
        "folder", type=Path, metavar="DIR", help="a set with labels.json, or a folder of sets"
    )
    _add_pictures(parser)
    _add_common(parser)
    parser.set_defaults(command=_samples)


def _add_video(kinds: Commands) -> None:
    parser = kinds.add_parser("video", help="steadiness without truth: jitter, skate, identities")
    parser.add_argument("sources", nargs="+", metavar="SOURCE", help="videos or images:FOLDER")
    parser.add_argument(
        "--counts", type=Path, metavar="FOLDER", help="people counted by hand, NAME.json per video"
    )
    _add_common(parser)
    parser.set_defaults(command=_video)


def _add_pictures(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--pictures", type=Path, metavar="FILE", help="draw the worst pictures: .jpg or .png"
    )


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--backend", metavar="NAME", help="auto (default), mediapipe, rrmp, torch")
    parser.add_argument("-c", "--config", metavar="FILE", help="TOML file or preset name")
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="override one setting"
    )
    parser.add_argument("--json", action="store_true", help="every figure, as JSON")
    parser.add_argument("-v", "--verbose", action="count", default=0, help="logs; -vv: more")


def _mupots(arguments: argparse.Namespace) -> int:
    from posestream.errors import PosestreamError
    from posestream.evaluation.mupots_run import evaluate_frames, evaluate_predictions
    from posestream.evaluation.report import mupots_table

    if arguments.predictions is not None and arguments.pictures is not None:
        raise PosestreamError("--pictures needs --frames: saved predictions come without pictures.")
    if arguments.predictions is not None:
        result = evaluate_predictions(arguments.gt, arguments.predictions, arguments.align)
    else:
        backend, settings = _chosen(arguments)
        result = evaluate_frames(
            arguments.gt, arguments.frames, backend, arguments.align, settings, arguments.pictures
        )
    _print(arguments, result, mupots_table)
    return 0


def _samples(arguments: argparse.Namespace) -> int:
    from posestream.evaluation.report import flat_table
    from posestream.evaluation.samples import evaluate_samples

    result = evaluate_samples(arguments.folder, *_chosen(arguments), arguments.pictures)
    _print(arguments, result, lambda r: flat_table("set", r["sets"]))
    return 0


def _video(arguments: argparse.Namespace) -> int:
    from posestream.evaluation.report import video_table
    from posestream.evaluation.video import evaluate_videos

    backend, settings = _chosen(arguments)
    result = evaluate_videos(arguments.sources, backend, arguments.counts, settings)
    _print(arguments, result, video_table)
    return 0


def _chosen(arguments: argparse.Namespace) -> tuple[str, Settings]:
    """The back end and all settings, as for ``run``."""
    from posestream import config

    settings = config.load(arguments.config, arguments.set)
    return arguments.backend or settings.estimate.backend, settings


def _print(arguments: argparse.Namespace, result: dict[str, Any], as_text: Any) -> None:
    if not arguments.json:
        print(as_text(result))
        return
    from posestream.evaluation.mupots_figures import without_nan

    print(json.dumps(without_nan(result), indent=2))
