"""Installs what would be published and tries it: python tools/check_package.py [--here].

Makes the source archive, the wheel out of that archive, and a new environment; installs the
wheel there with all that it asks for, from the package index; then runs the command from another
folder. With --here its dependencies are those of this environment, and no network is needed.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
_SDIST = (
    "import sys; from setuptools.build_meta import build_sdist; print(build_sdist(sys.argv[1]))"
)
_STEPS_S = 1200.0


def main(arguments: list[str] | None = None) -> int:
    """0 if everything works."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--here", action="store_true", help="with this environment's dependencies")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        wheel = build(folder)
        missing = left_out(wheel)
        if missing:
            print(f"The wheel lacks {', '.join(sorted(missing))}.")
            return 1
        print(f"{wheel.name}: {wheel.stat().st_size / 1e6:.1f} MB, nothing missing")
        try_out(install(wheel, folder / "env", options.here), folder)
    print("posestream, installed from its wheel, runs.")
    return 0


def build(folder: Path) -> Path:
    """The wheel, made from the source archive alone."""
    source = folder / "source"
    for file in tracked("."):
        if (ROOT / file).is_file():
            target = source / file
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes((ROOT / file).read_bytes())
    run([sys.executable, "-c", _SDIST, str(folder)], source)
    (archive,) = folder.glob("posestream-*.tar.gz")
    with tarfile.open(archive) as packed:
        packed.extractall(folder / "unpacked", filter="data")
    (unpacked,) = (folder / "unpacked").iterdir()
    pip = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation"]
    run([*pip, "-w", str(folder), str(unpacked)], folder)
    (wheel,) = folder.glob("posestream-*.whl")
    return wheel


def left_out(wheel: Path) -> set[str]:
    """Files of the package that the wheel does not hold."""
    with zipfile.ZipFile(wheel) as archive:
        there = set(archive.namelist())
    presets = {f"posestream/{file}" for file in tracked(":(glob)configs/*.toml")}
    wanted = {file for file in tracked("posestream") if (ROOT / file).is_file()} | presets
    return {file for file in wanted - there if not file.endswith("README.md")}


def tracked(pattern: str) -> list[str]:
    """Files of the checkout that are, or are about to be, under version control."""
    listed = run(["git", "ls-files", "-zco", "--exclude-standard", pattern], ROOT)
    return [name for name in listed.split("\0") if name]


def install(wheel: Path, place: Path, here: bool) -> Path:
    """The new environment's folder of programs."""
    venv.create(place, with_pip=not here, symlinks=os.name != "nt")
    programs = place / ("Scripts" if os.name == "nt" else "bin")
    if not here:
        run([str(programs / "python"), "-m", "pip", "install", "-q", str(wheel)], place)
        return programs
    paths = {"base": str(place), "platbase": str(place)}
    site = Path(sysconfig.get_path("purelib", "venv", paths))
    with_pip = [sys.executable, "-m", "pip", "--python", str(programs / "python")]
    run([*with_pip, "install", "-q", "--no-deps", "--no-index", str(wheel)], place)
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    return programs


def try_out(programs: Path, folder: Path) -> None:
    """A run from start to end, the presets and what the doctor says, in a home of its own."""
    posestream = str(programs / "posestream")
    home = {"HOME": str(folder), "XDG_CONFIG_HOME": str(folder), "APPDATA": str(folder)}
    where = run([str(programs / "python"), "-Pc", "import posestream; print(posestream.__file__)"],
                folder)  # fmt: skip
    if not Path(where.strip()).is_relative_to(programs.parent.resolve()):
        sys.exit(f"It was not the wheel that was tried, but {where.strip()}.")
    run([posestream, "config", "-c", "vtuber-seated"], folder, home)
    summary = folder / "summary.json"
    run([posestream, "run", "synthetic:people=2,fps=30", "--pace", "fast", "--max-frames", "30",
         "--no-panel", "--set", "websocket.port=0", "--summary", str(summary)],
        folder, home)  # fmt: skip
    figures = json.loads(summary.read_text(encoding="utf-8"))
    if figures["frames"] != 30 or figures["people_max"] != 2:
        sys.exit(f"The run was not what it should be: {figures}")


def run(command: list[str], folder: Path, more: dict[str, str] | None = None) -> str:
    """What it prints; ends with its own words if it fails."""
    names = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONHOME")}
    done = subprocess.run(
        command, cwd=folder, env={**names, **(more or {})}, capture_output=True, text=True,
        timeout=_STEPS_S, check=False,
    )  # fmt: skip
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stderr[-3000:]}")
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
