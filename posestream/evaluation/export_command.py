"""``posestream export``: its arguments and its report."""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from posestream.errors import BackendError, ConfigError

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

_SMALLEST, _LARGEST = 64, 4096
_NAME = re.compile(r"[\w-][\w.-]*")


def add_export(commands: Commands) -> None:
    """Add ``export``; the parser's ``command`` default runs it."""
    parser = commands.add_parser("export", help="weights to ONNX files for `run`")
    parser.add_argument("weights", type=Path, metavar="WEIGHTS", help="a .pt file of `train`")
    parser.add_argument("--out", required=True, type=Path, metavar="FOLDER")
    parser.add_argument(
        "--size",
        metavar="WxH",
        help="the network's input (default 448x256; hdnet: 256x256, as it was trained)",
    )
    parser.add_argument("--name", metavar="NAME", help="of the files (default: as WEIGHTS)")
    parser.add_argument("--int8", action="store_true", help="also in int8: faster on a CPU")
    parser.add_argument(
        "--calibrate", nargs="+", type=Path, default=[], metavar="FOLDER",
        help="folders of real pictures for --int8",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="the report as JSON")
    parser.add_argument("-v", "--verbose", action="count", default=0, help="logs; -vv: more")
    parser.set_defaults(command=_export)


def _export(arguments: argparse.Namespace) -> int:
    if arguments.int8 != bool(arguments.calibrate):
        raise ConfigError("--int8 and --calibrate FOLDER go together: give both or neither.")
    size_px = None if arguments.size is None else _size(arguments.size)
    name = arguments.name or arguments.weights.stem
    if not _NAME.fullmatch(name):
        raise ConfigError(f"--name {name!r} must be letters, digits, dots, - and _ alone.")
    try:
        import onnx  # noqa: F401
        import torch  # noqa: F401
    except ImportError as error:
        raise BackendError(
            'Exporting needs torch and onnx: pip install "posestream[train]".'
        ) from error
    from posestream.evaluation.exporting import export_weights

    report = export_weights(arguments.weights, arguments.out, size_px, arguments.calibrate, name)
    text = json.dumps(report, indent=2)
    (arguments.out / f"{name}.json").write_text(f"{text}\n", encoding="utf-8")
    print(text if arguments.json else as_text(report, arguments.out))
    return 0


def _size(text: str) -> tuple[int, int]:
    parts = text.lower().split("x")
    if len(parts) == 2 and all(part.isdecimal() and len(part) <= 4 for part in parts):
        width, height = (int(part) for part in parts)
        fits = all(_SMALLEST <= n <= _LARGEST and n % 8 == 0 for n in (width, height))
        if fits:
            return width, height
    raise ConfigError(
        f"--size {text!r} must be two multiples of 8 from {_SMALLEST} to {_LARGEST}, as 448x256."
    )


def as_text(report: dict[str, Any], folder: Path) -> str:
    """A few lines to read."""
    lines = [f"{report['weights']} ({report['kind']})"]
    lines += [f"  wrote {folder / name}" for name in report["files"]]
    worst = max(report["parity"].values())
    lines.append(f"  torch and ONNX differ by {worst:.1e} of the outputs' largest values at most")
    if "int8" in report:
        lines += _int8_lines(report["int8"])
    return "\n".join(lines)


def _int8_lines(report: dict[str, Any]) -> list[str]:
    lines = [
        f"  int8: calibrated on {report['calibrated_on']} inputs, judged on "
        f"{report['judged_on']} others; in fp32 stay: {', '.join(report['kept_in_fp32']) or '–'}"
    ]
    for name, loss in report["maps"].items():
        lines.append(
            f"    {name:15s} off by {loss['mean_abs']:.4f} in the mean, {loss['max_abs']:.3f} at "
            f"most; {loss['relative_rms']:.1%} of its size"
        )
    if "distance_apart" in report:
        return [*lines, f"    distances differ by {report['distance_apart']:.1%} in the mean"]
    people = report["people"]
    lines += [
        f"    {name}: {people[name]['people']} people, {people[name]['joints']} joints"
        for name in ("fp32", "int8")
    ]
    apart = {k: "–" if v is None else f"{v:.3g}" for k, v in people["apart"].items()}
    lines.append(
        f"    {people['people_in_both']} in both; apart {apart['xy_px']} px in 2D, "
        f"{apart['xyz_mm']} mm in 3D, {apart['depth']} of the distance"
    )
    return lines
