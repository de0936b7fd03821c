"""Short tables for people; ``--json`` has everything."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any


def table(heads: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Right-aligned columns, the first left-aligned."""
    cells = [list(heads)] + [[cell(value) for value in row] for row in rows]
    widths = [max(len(row[i]) for row in cells) for i in range(len(heads))]
    return "\n".join(
        "  ".join(
            text.ljust(width) if i == 0 else text.rjust(width)
            for i, (text, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in cells
    )


def cell(value: Any) -> str:
    """Numbers to four significant digits; what was not measured is a dash."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "-"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def mupots_table(figures: Mapping[str, Any]) -> str:
    """A line per sequence and the mean, then joints."""
    heads = (
        "", "people", "PCK", "matched", "AUC", "PCKabs", "matched", "recall", "extra/f",
        "AP25", "AR25", "MRPEz mm",
    )  # fmt: skip
    lines = [
        _mupots_row(name, one)
        for name, one in [*figures["per_sequence"].items(), ("mean", figures)]
    ]
    by_joint = figures["pck_rel_by_joint"]
    joints = "  ".join(f"{name} {cell(value)}" for name, value in by_joint.items())
    return (
        f"{table(heads, lines)}\n\n{figures['joints']} joints, align {figures['align']}\n"
        f"visible {cell(figures['pck_rel_visible'])}, "
        f"occluded {cell(figures['pck_rel_occluded'])}\n{joints}"
    )


def _mupots_row(name: str, one: Mapping[str, Any]) -> list[Any]:
    keys = (
        "people", "pck_rel", "pck_rel_matched", "auc_rel", "pck_abs", "pck_abs_matched",
        "recall", "extra_per_frame",
    )  # fmt: skip
    ends = [one["ap_root"]["25"], one["ar_root"]["25"], one["mrpe_mm"]["z"]]
    return [name, *(one[key] for key in keys), *ends]


def video_table(figures: Mapping[str, Any]) -> str:
    """A line per video; below, where people were counted by hand, their numbers and sums."""
    sources = figures["sources"]
    counted = {name: one["counts"] for name, one in sources.items() if one["counts"]["frames"]}
    text = flat_table("source", sources)
    if not counted:
        return text
    return f"{text}\n\n{flat_table('counted by hand', {**counted, 'all': figures['counts']})}"


def flat_table(name: str, parts: Mapping[str, Mapping[str, Any]]) -> str:
    """One line per part (a set, a video), a column per figure that is a plain number."""
    keys = list(
        dict.fromkeys(
            key for part in parts.values() for key, v in part.items() if not isinstance(v, dict)
        )
    )
    rows = [[part, *(values.get(key) for key in keys)] for part, values in parts.items()]
    return table([name, *keys], rows)
