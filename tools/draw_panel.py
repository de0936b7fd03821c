"""Draws docs/images/panel.jpg: python tools/draw_panel.py [--at SECONDS] [--clip FILE] [OPTIONS].

Needs the test extras and Chromium. posestream plays the clip up to that second and then sees its
picture again and again, so that camera picture and scene come to show the same moment. OPTIONS go
to ``posestream run``. The figures are those of the machine at that time: draw in quiet.
"""

import argparse
import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "docs" / "images" / "panel.jpg"
CLIP = ROOT / "posestream" / "assets" / "demo.mp4"
VIEW_PX = {"width": 1360, "height": 800}
FPS = 30
STILL_S = 600.0  # for how long the last picture is there
SETTLED = 60  # pictures of the same moment until nothing moves any more
PAGE = "window.posestreamPanel"
WAIT_S = 300.0
MOST_BYTES = 200_000


def main(arguments: "list[str]") -> None:
    """Draw and save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--at", type=float, default=12.0, help="second of the clip")
    parser.add_argument("--clip", type=Path, default=CLIP)
    parser.add_argument("--out", type=Path, default=OUT)
    options, more = parser.parse_known_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        pictures = Path(folder) / options.clip.stem
        last = write_pictures(options.clip, pictures, round(options.at * FPS))
        run = start(pictures, Path(folder), more)
        try:
            options.out.write_bytes(small(photograph(address(run), last)))
        finally:
            run.kill()
    print(f"{options.out}: {options.out.stat().st_size / 1e3:.0f} kB")


def write_pictures(clip: Path, folder: Path, count: int) -> int:
    """The clip's first pictures, and then the last of them for long; the number of that one."""
    import cv2

    folder.mkdir()
    video = cv2.VideoCapture(str(clip))
    last = -1
    for index in range(count):
        there, picture = video.read()
        if not there:
            break
        cv2.imwrite(str(folder / f"{index:06}.png"), picture)
        last = index
    for index in range(last + 1, last + round(STILL_S * FPS)):
        os.link(folder / f"{last:06}.png", folder / f"{index:06}.png")
    return last


def start(pictures: Path, home: Path, more: "list[str]") -> "subprocess.Popen[str]":
    """posestream on the folder."""
    command = [sys.executable, "-m", "posestream", "run", f"images:{pictures}",
               "--set", f"source.fps={FPS}", "--set", "panel.port=0", "--set", "websocket.port=0",
               *more]  # fmt: skip
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(home)}
    return subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True, env=environment)


def address(run: "subprocess.Popen[str]") -> str:
    """The panel's."""
    assert run.stderr is not None
    for line in run.stderr:
        if found := re.match(r"Panel: (\S+)", line):
            return found[1]
    sys.exit("posestream did not start.")


def photograph(panel: str, last: int) -> bytes:
    """The page as PNG once picture and scene have long shown the last moment."""
    from playwright.sync_api import sync_playwright

    program = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program, args=["--enable-unsafe-swiftshader"]
        )
        page = browser.new_page(viewport=VIEW_PX)  # type: ignore[arg-type]
        page.add_init_script("localStorage.setItem('details', 'yes')")
        page.goto(panel)
        still = f"Math.min({PAGE}?.picture?.moment ?? -1, {PAGE}?.moment ?? -1) > {last + SETTLED}"
        wait_for(page, f"{still} && {PAGE}.scene.avatars.mesh !== null")
        page.click("#view-reset")
        page.evaluate(
            "document.getElementById('save-explain').textContent = 'Writes them to "
            "~/.config/posestream/posestream.toml; comments there are kept.'"
        )
        drawn = page.evaluate(f"{PAGE}.scene.drawn")
        wait_for(page, f"{PAGE}.scene.drawn > {drawn} + 3")
        picture: bytes = page.screenshot()
        browser.close()
    return picture


def wait_for(page: Any, condition: str) -> None:
    """The page's policy forbids Playwright's own way of waiting."""
    end_s = time.monotonic() + WAIT_S
    while not page.evaluate(condition):
        if time.monotonic() > end_s:
            sys.exit(f"Waited in vain for {condition}.")
        time.sleep(0.1)


def small(png: bytes) -> bytes:
    """As JPEG."""
    from PIL import Image

    for quality in range(90, 30, -5):
        jpeg = io.BytesIO()
        Image.open(io.BytesIO(png)).convert("RGB").save(jpeg, "JPEG", quality=quality)
        if jpeg.tell() < MOST_BYTES:
            break
    return jpeg.getvalue()


if __name__ == "__main__":
    main(sys.argv[1:])
