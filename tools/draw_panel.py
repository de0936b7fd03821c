"""Draws docs/images/panel.jpg: python tools/draw_panel.py [--at SECONDS] [SOURCE AND OPTIONS].

Needs the test extras and Chromium. Starts posestream on the bundled clip, opens its panel, and
takes the picture while posestream is held still, so that all parts show one moment.
"""

import argparse
import io
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "docs" / "images" / "panel.jpg"
WIDTH_PX, HEIGHT_PX = 1360, 800
GL = ("--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader")
SETTLE_S = 6.0
MOST_BYTES = 200_000


def main(arguments: "list[str]") -> None:
    """Draw and save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--at", type=float, default=20.0, help="seconds after the page opened")
    options, source = parser.parse_known_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        run = _start(source, Path(folder))
        try:
            OUT.write_bytes(_small(_photograph(_address(run), run, options.at)))
        finally:
            run.kill()
    print(f"{OUT}: {OUT.stat().st_size / 1e3:.0f} kB")


def _start(source: "list[str]", folder: Path) -> "subprocess.Popen[str]":
    source = source or ["posestream/assets/demo.mp4", "--set", "source.loop=true"]
    command = [sys.executable, "-m", "posestream", "run", *source, "--set", "panel.port=0",
               "--set", "websocket.port=0"]  # fmt: skip
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(folder)}
    return subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True, env=environment)


def _address(run: "subprocess.Popen[str]") -> str:
    assert run.stderr is not None
    for line in run.stderr:
        if found := re.match(r"Panel: (\S+)", line):
            return found[1]
    sys.exit("posestream did not start.")


def _photograph(address: str, run: "subprocess.Popen[str]", at_s: float) -> bytes:
    from playwright.sync_api import sync_playwright

    program = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(GL))
        page = browser.new_page(viewport={"width": WIDTH_PX, "height": HEIGHT_PX})
        page.goto(address)
        time.sleep(at_s)
        run.send_signal(signal.SIGSTOP)
        time.sleep(SETTLE_S)
        picture: bytes = page.screenshot()
        run.send_signal(signal.SIGCONT)
        browser.close()
    return picture


def _small(png: bytes) -> bytes:
    from PIL import Image

    for quality in range(90, 30, -5):
        jpeg = io.BytesIO()
        Image.open(io.BytesIO(png)).convert("RGB").save(jpeg, "JPEG", quality=quality)
        if jpeg.tell() < MOST_BYTES:
            break
    return jpeg.getvalue()


if __name__ == "__main__":
    main(sys.argv[1:])
