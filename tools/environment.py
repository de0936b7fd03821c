"""The virtual environment: where it is, whether it is ready, and how it is made.

Ready means that the stamp of the wanted requirement files is in it. A stamp names the files'
content, the Python version and the folder, so that a changed pin, an upgraded Python or a
moved checkout is noticed, and nothing else costs anything at the second start.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tools import pip_output

ROOT = Path(__file__).resolve().parent.parent
RUN = ("run",)
TEST = ("run", "test", "torch")
_UNFINISHED = "posestream-unfinished"
_PATH_FILE = "posestream.pth"
_OPENCVS = (
    "opencv-python",
    "opencv-python-headless",
    "opencv-contrib-python",
    "opencv-contrib-python-headless",
)
_MODULES = ("cv2", "lap", "mediapipe", "msgspec", "psutil", "pythonosc", "websockets", "zeroconf")


class InstallError(Exception):
    """The environment cannot be made; the message is one sentence for the user."""


@dataclass(frozen=True, slots=True)
class Environment:
    """A virtual environment for the checkout at ``root``."""

    root: Path = ROOT
    windows: bool = os.name == "nt"
    modules: tuple[str, ...] = _MODULES  # that must load, so that an install counts as done

    @property
    def folder(self) -> Path:
        """Where it is."""
        return self.root / ".venv"

    @property
    def python(self) -> Path:
        """Its interpreter."""
        if self.windows:
            return self.folder / "Scripts" / "python.exe"
        return self.folder / "bin" / "python"

    def requirement_files(self, sets: Sequence[str]) -> list[Path]:
        """The pinned lists of the ``sets``."""
        return [self.root / "requirements" / f"{name}.txt" for name in sets]

    def stamp(self, sets: Sequence[str]) -> Path:
        """The file that says which requirements are installed."""
        return self.folder / f"posestream-{sets[-1]}.stamp"

    def digest(self, sets: Sequence[str]) -> str:
        """What the stamp holds if the environment is ready."""
        digest = hashlib.sha256(f"{self.folder}\n{self.version()}\n".encode())
        for file in self.requirement_files(sets):
            digest.update(file.read_bytes())
        return digest.hexdigest()

    def version(self) -> str:
        """The Python version that the environment was made with; empty if there is none."""
        try:
            lines = (self.folder / "pyvenv.cfg").read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError):
            return ""
        settings = dict(line.replace(" ", "").split("=", 1) for line in lines if "=" in line)
        return settings.get("version", "")

    def is_ready(self, sets: Sequence[str]) -> bool:
        """Whether nothing needs to be installed."""
        try:
            stamped = self.stamp(sets).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            return False
        unfinished = (self.folder / _UNFINISHED).exists()
        return self.python.exists() and not unfinished and stamped == self.digest(sets)

    def is_sound(self) -> bool:
        """Whether it can be brought up to date in place: no half-made or outdated one."""
        supported = any(self.version().startswith(f"{a}.{b}.") for a, b in _supported())
        if not supported or (self.folder / _UNFINISHED).exists() or not self.python.exists():
            return False
        answer = subprocess.run([self.python, "-m", "pip", "--version"], capture_output=True)
        return answer.returncode == 0


def ensure(environment: Environment, sets: Sequence[str]) -> None:
    """Make the environment ready; does nothing if it is. Raises InstallError."""
    if environment.is_ready(sets):
        return
    size = "two gigabytes" if sets == TEST else "half a gigabyte"
    print(f"posestream: setting up .venv (once, about {size}) ...", file=sys.stderr)
    try:
        sound = environment.is_sound()
        if not sound:
            _make_anew(environment)
        unfinished = environment.folder / _UNFINISHED
        unfinished.touch()
        if sound:  # they share one folder: two at once, or one removed, leave a broken one
            _pip(environment, ["uninstall", "--yes", *_OPENCVS], 0)
        _install(environment, sets)
        _write_path_file(environment)
        _try_to_load(environment)
        _write_stamps(environment, sets)
        unfinished.unlink()
    except OSError as error:
        raise InstallError(
            f"{environment.folder} cannot be written ({error.strerror}): make room, or move the "
            "checkout to a folder of your own."
        ) from error
    print("posestream: set up.", file=sys.stderr)


def command(environment: Environment, *arguments: str) -> list[str]:
    """The command line of a Python module in the environment."""
    return [str(environment.python), "-m", *arguments]


def _write_stamps(environment: Environment, sets: Sequence[str]) -> None:
    """Say that the ``sets`` are installed, and with them each shorter list of sets."""
    for number in range(1, len(sets) + 1):
        installed = sets[:number]
        environment.stamp(installed).write_text(environment.digest(installed), encoding="utf-8")


def _supported() -> Sequence[tuple[int, int]]:
    from tools.pythons import SUPPORTED

    return SUPPORTED


def _make_anew(environment: Environment) -> None:
    if environment.folder.is_symlink():
        environment.folder.unlink()
    elif environment.folder.exists():
        shutil.rmtree(environment.folder)
    made = subprocess.run(
        [sys.executable, "-m", "venv", environment.folder],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if made.returncode != 0:
        raise InstallError(venv_problem(made.stdout, platform.system()))


def venv_problem(output: str, system: str) -> str:
    """One sentence about why Python's own venv module failed."""
    if system == "Linux" and "ensurepip" in output:
        package = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
        return f"This Python comes without pip: install it (Debian: sudo apt install {package})."
    lines = output.strip().splitlines() or ["no reason given"]
    return f"The virtual environment cannot be made ({lines[-1]}): install Python 3.12 anew."


def _install(environment: Environment, sets: Sequence[str]) -> None:
    for file in environment.requirement_files(sets):  # one by one: each may name its own index
        _install_file(environment, file)


def _install_file(environment: Environment, file: Path) -> None:
    arguments = ["install", "--no-deps", "--only-binary=:all:", "--no-input", "--retries=2"]
    arguments += ["--timeout=30", "-r", str(file)]
    output, code = _pip(environment, arguments, pip_output.count([file]))
    if code != 0:
        raise InstallError(pip_output.problem(output, f"{platform.system()} {platform.machine()}"))


def _pip(environment: Environment, arguments: Sequence[str], packages: int) -> tuple[str, int]:
    full = command(environment, "pip", "--disable-pip-version-check", *arguments)
    with subprocess.Popen(
        full, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as process:
        assert process.stdout is not None
        try:
            output = "".join(_shown(process.stdout, packages))
        except BaseException:
            process.terminate()
            raise
    return output, process.returncode


def _shown(lines: Iterator[str], packages: int) -> Iterator[str]:
    """The lines as they are; progress goes to a terminal, if there is one."""
    progress = pip_output.Progress(packages)
    live = sys.stderr.isatty() and packages > 0
    for line in lines:
        if live and (text := progress.after(line)):
            print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)
        yield line
    if live:
        print("\r\033[K", end="", file=sys.stderr, flush=True)


def _write_path_file(environment: Environment) -> None:
    """Make ``import posestream`` find the checkout, from whatever folder it is started."""
    where = "import sysconfig; print(sysconfig.get_path('purelib'))"
    site = subprocess.run([environment.python, "-c", where], capture_output=True, text=True)
    if site.returncode != 0:
        raise InstallError("Python does not start in .venv: delete that folder and start again.")
    (Path(site.stdout.strip()) / _PATH_FILE).write_text(f"{environment.root}\n", encoding="utf-8")


def _try_to_load(environment: Environment) -> None:
    """Fail now, with a reason, rather than later; MediaPipe's font cache is made on the way."""
    tried = subprocess.run(
        [environment.python, "-c", "; ".join(f"import {name}" for name in environment.modules)],
        capture_output=True,
        text=True,
        errors="replace",
    )
    if tried.returncode != 0:
        reason = (tried.stderr.strip().splitlines() or ["it crashed"])[-1]
        raise InstallError(f"What was installed does not load on this machine ({reason}).")
