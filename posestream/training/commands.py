"""``posestream train``: its arguments, and what they call."""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]


_SPINS = "20000"
"""Of OpenMP's threads before they sleep: the usual number starves the process that makes pictures,
sleeping at once halves the speed. Heeded before torch is loaded only."""


def add_train(commands: Commands) -> None:
    """Add ``train``; the parser's ``command`` default runs it."""
    parser = commands.add_parser("train", help="train a network; goes on where it was stopped")
    parser.add_argument("config", metavar="CONFIG", help="TOML file, such as configs/train/….toml")
    parser.add_argument(
        "--out",
        "--run",  # torchrun takes this one for an option of its own
        type=Path,
        dest="run",
        metavar="FOLDER",
        help="checkpoints and curves (default runs/NAME)",
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="override one setting, such as optimiser.steps=500; may be repeated",
    )
    parser.add_argument(
        "--minutes",
        type=float,
        metavar="M",
        help="stop cleanly after this time; run again to go on",
    )
    parser.add_argument(
        "--validate", type=Path, metavar="WEIGHTS", help="only judge a weight file by this CONFIG"
    )
    parser.add_argument(
        "--worst", type=Path, metavar="FILE.jpg",
        help="draw the pictures with the most mistakes (--validate)",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="the verdict as JSON (--validate)")
    parser.add_argument("-v", "--verbose", action="count", default=0, help="logs; -vv: more")
    parser.set_defaults(command=_train)


def _train(arguments: argparse.Namespace) -> int:
    from posestream.errors import TrainingError
    from posestream.training.config_file import load

    overrides = list(arguments.set)
    if arguments.minutes is not None:
        overrides.append(f"machine.minutes={arguments.minutes!r}")
    os.environ.setdefault("GOMP_SPINCOUNT", _SPINS)
    try:
        import torch  # noqa: F401
    except ImportError as error:
        raise TrainingError('Training needs torch: pip install "posestream[train]".') from error
    config = load(arguments.config, overrides)
    if arguments.validate is not None:
        return _validate(arguments, config)
    from posestream.training.loop import train

    outcome = train(config, arguments.run or Path("runs") / config.name)
    if int(os.environ.get("RANK", "0")) == 0:
        best = "" if outcome.best_score is None else f", best score {outcome.best_score:.4f}"
        print(
            f"{'Finished' if outcome.finished else 'Stopped'} at step {outcome.step}: "
            f"{outcome.pictures_per_s:.1f} pictures/s, {outcome.waiting_share:.1%} of the time "
            f"waiting for pictures{best}."
        )
    return 0


def _validate(arguments: argparse.Namespace, config: object) -> int:
    from posestream.training.config import TrainConfig
    from posestream.training.judging import judge_file
    from posestream.training.validate import table

    assert isinstance(config, TrainConfig)
    verdict = judge_file(config, arguments.validate, arguments.worst)
    print(json.dumps(verdict.plain(), indent=1) if arguments.json else table(verdict))
    return 0
