"""Draws the pictures of the Unity client's documentation. With --check: only compares."""

from __future__ import annotations

import math
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "unity_client" / "Documentation~" / "images"
INK, SOFT, ACCENT = "#24292f", "#8c959f", "#0969da"


def svg(width: int, height: int, *parts: str) -> str:
    """A picture on white ground, so that it can be read on dark pages too."""
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
    style = f'font-family="sans-serif" font-size="13" fill="{INK}">'
    ground = f'<rect width="{width}" height="{height}" fill="#ffffff"/>'
    return "\n".join([head + style, ground, *parts, "</svg>", ""])


def text(x: float, y: float, words: str, anchor: str = "middle", colour: str = INK) -> str:
    return f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}" fill="{colour}">{words}</text>'


def box(x: float, y: float, title: str, below: str) -> str:
    frame = f'<rect x="{x:g}" y="{y:g}" width="150" height="52" rx="6" fill="none" stroke="{INK}"/>'
    return frame + text(x + 75, y + 23, title) + text(x + 75, y + 41, below, colour=SOFT)


def line(points: list[tuple[float, float]], colour: str, width: float = 1.5) -> str:
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{width:g}"/>'


def arrow(x0: float, y0: float, x1: float, y1: float) -> str:
    angle = math.atan2(y1 - y0, x1 - x0)
    wings = [(x1 - 9 * math.cos(angle + s), y1 - 9 * math.sin(angle + s)) for s in (0.4, -0.4)]
    return line([(x0, y0), (x1, y1)], INK) + line([wings[0], (x1, y1), wings[1]], INK)


def parts() -> str:
    """Which component hands what to which."""
    places = (
        ("Daemon", 10, 84, "or VMC, or a file"),
        ("Posestream Source", 200, 84, "steady playback"),
        ("Posestream Avatar", 430, 20, "one Humanoid"),
        ("Posestream Spawner", 430, 84, "everybody"),
        ("Posestream Camera", 430, 148, "the real camera"),
        ("Face, Foot IK", 620, 20, "after the avatar"),
    )
    boxes = [box(x, y, name, below) for name, x, y, below in places]
    arrows = [
        arrow(160, 110, 198, 110), arrow(350, 104, 428, 48), arrow(350, 110, 428, 110),
        arrow(350, 116, 428, 172), arrow(505, 84, 505, 74), arrow(580, 46, 618, 46),
    ]  # fmt: skip
    return svg(790, 220, *boxes, *arrows)


def stage() -> str:
    """Where the camera, the people and the avatar's object are, from the side."""
    floor = line([(30, 190), (560, 190)], SOFT)
    camera = line([(80, 70), (104, 58), (104, 82), (80, 70)], INK) + text(92, 48, "real camera")
    view = line([(104, 70), (540, 20)], SOFT, 0.8) + line([(104, 70), (540, 186)], SOFT, 0.8)
    person = "".join([
        '<circle cx="420" cy="80" r="11" fill="none" stroke="#24292f" stroke-width="1.5"/>',
        line([(420, 91), (420, 138)], INK), line([(420, 138), (412, 190)], INK),
        line([(420, 138), (430, 190)], INK), line([(420, 100), (404, 128)], INK),
    ])  # fmt: skip
    hips = f'<circle cx="420" cy="138" r="4" fill="{ACCENT}"/>'
    labels = (
        text(432, 142, "hips: root position", "start", ACCENT)
        + text(92, 232, "origin: the avatar’s object")
        + text(455, 210, "who faces the camera faces +Z of Unity", colour=SOFT)
    )  # fmt: skip
    axes = (
        line([(92, 82), (92, 190)], SOFT, 0.8) + arrow(92, 190, 92, 150) + arrow(92, 190, 52, 190)
    )
    names = text(100, 160, "Y", "start") + text(48, 208, "+Z")
    return svg(600, 245, floor, view, camera, person, hips, labels, axes, names)


def playback() -> str:
    """Frames that come irregularly, and how they are shown."""
    rows = {"captured": 40, "arrived": 90, "shown": 140}
    out = [text(70, y + 5, name, "end") for name, y in rows.items()]
    out += [line([(80, y), (580, y)], SOFT, 0.8) for y in rows.values()]
    late = (9, 26, 12, 44, 15, 7, 38, 11, 30, 10, 21, 13)
    for index, delay in enumerate(late):
        x = 90 + 36 * index
        dots = ((x, rows["captured"]), (x + delay, rows["arrived"]), (x + 58, rows["shown"]))
        out.append(line([*dots], ACCENT, 0.8))
        out += [
            f'<circle cx="{cx}" cy="{cy}" r="4" fill="{ACCENT}"/>' for cx, cy in dots if cx < 585
        ]
    out.append(
        text(330, 172, "a steady distance behind, as long as almost all frames took", colour=SOFT)
    )
    return svg(600, 185, *out)


def pictures() -> dict[Path, str]:
    """Every picture with its text."""
    drawn = {"parts": parts, "stage": stage, "playback": playback}
    return {FOLDER / f"{name}.svg": draw() for name, draw in drawn.items()}


def main() -> int:
    """Write the pictures, or with --check report; 1 if one differs."""
    different = [
        path
        for path, drawn in pictures().items()
        if not path.is_file() or path.read_text(encoding="utf-8") != drawn
    ]
    for path in different:
        if "--check" in sys.argv[1:]:
            print(f"{path.relative_to(ROOT)} differs: run tools/draw_unity_pictures.py.")
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(pictures()[path], encoding="utf-8", newline="\n")
    return 1 if different and "--check" in sys.argv[1:] else 0


if __name__ == "__main__":
    sys.exit(main())
