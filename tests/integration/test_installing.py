"""Installing for real: a small package from a folder, and the wheel of this project."""

from __future__ import annotations

import base64
import hashlib
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tools import environment
from tools.environment import RUN, TEST, Environment, InstallError

ROOT = Path(__file__).resolve().parent.parent.parent


def make_wheel(folder: Path, version: str) -> None:
    """A package ``greeting`` that knows its version."""
    info = f"greeting-{version}.dist-info"
    files = {
        "greeting.py": f"version = {version!r}\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: greeting\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{name},{digest(text)},{len(text)}\n" for name, text in files.items())
    files[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n"
    with zipfile.ZipFile(folder / f"greeting-{version}-py3-none-any.whl", "w") as wheel:
        for name, text in files.items():
            wheel.writestr(name, text)


def digest(text: str) -> str:
    code = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest())
    return "sha256=" + code.decode().rstrip("=")


@pytest.fixture
def place(tmp_path, monkeypatch) -> Environment:
    """A checkout that needs ``greeting``, which only a folder on this machine has."""
    for version in ("1.0", "2.0"):
        make_wheel(tmp_path, version)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    root = tmp_path / "check out"
    (root / "requirements").mkdir(parents=True)
    (root / "requirements" / "run.txt").write_text("greeting==1.0\n")
    (root / "our_package.py").write_text("here = True\n")
    return Environment(root=root, modules=("greeting", "our_package"))


def version_in(place: Environment) -> str:
    code = "import our_package, greeting; print(greeting.version)"
    answer = subprocess.run(
        [place.python, "-c", code],
        cwd="/",
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return answer.stdout.strip()


@pytest.mark.slow
def test_the_life_of_an_environment(place, monkeypatch):
    environment.ensure(place, RUN)
    assert place.is_ready(RUN) and version_in(place) == "1.0"

    with monkeypatch.context() as broken:  # the second start does nothing at all
        broken.setattr(subprocess, "run", lambda *_, **__: pytest.fail("must not run anything"))
        environment.ensure(place, RUN)

    extra = place.folder / "a file of the user"
    extra.touch()
    place.requirement_files(RUN)[0].write_text("greeting==2.0\n")
    environment.ensure(place, RUN)  # a changed pin is brought in, and what else is there stays
    assert version_in(place) == "2.0" and extra.exists()

    place.requirement_files(RUN)[0].write_text("greeting==3.0\n")
    with pytest.raises(InstallError, match=r"no build of greeting==3\.0"):
        environment.ensure(place, RUN)
    assert not place.is_ready(RUN)

    place.requirement_files(RUN)[0].write_text("greeting==2.0\n")
    environment.ensure(place, RUN)  # made anew after the failure
    assert version_in(place) == "2.0" and not extra.exists()


@pytest.mark.slow
def test_no_network_is_said_in_one_sentence(place, monkeypatch):
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.setenv("PIP_FIND_LINKS", "")
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", "")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")  # nobody listens there
    with pytest.raises(InstallError, match="connect to the internet"):
        environment.ensure(place, RUN)


@pytest.mark.slow
def test_what_does_not_load_is_said_at_once(place):
    unloadable = Environment(root=place.root, modules=("greeting", "not_in_any_wheel"))
    with pytest.raises(InstallError, match="No module named 'not_in_any_wheel'"):
        environment.ensure(unloadable, RUN)
    assert not unloadable.is_ready(RUN)


@pytest.mark.slow
def test_the_wheel_brings_presets_and_command(tmp_path):
    pip = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation"]
    source = copy_of_the_sources(tmp_path / "source")
    subprocess.run([*pip, "-w", tmp_path, source], check=True, capture_output=True, timeout=600)
    (wheel,) = tmp_path.glob("posestream-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    code = "from posestream import config; print(*config.preset_files(), config.__file__)"
    answer = subprocess.run(
        [sys.executable, "-P", "-c", code],
        cwd=tmp_path, env={"PYTHONPATH": str(tmp_path / "site")},
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    *presets, file = answer.stdout.split()
    assert presets == sorted(path.stem for path in (ROOT / "configs").glob("*.toml"))
    assert Path(file).is_relative_to(tmp_path)
    (entry,) = (tmp_path / "site").glob("*.dist-info/entry_points.txt")
    assert "posestream = posestream.cli:main" in entry.read_text()


def copy_of_the_sources(folder: Path) -> Path:
    """The tracked files that a wheel is made of, so that building leaves the checkout clean."""
    listed = subprocess.run(
        ["git", "ls-files", "-zco", "--exclude-standard", "posestream", "configs", "*.cfg",
         "*.toml", "setup.py", "README.md", "LICENSE"],
        cwd=ROOT, capture_output=True, check=True, timeout=60,
    )  # fmt: skip
    for name in listed.stdout.decode().split("\0"):
        if name and (ROOT / name).is_file():
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes((ROOT / name).read_bytes())
    return folder


def test_the_pinned_lists_are_complete():
    """Everything that a pinned package needs is pinned too, except what is never imported."""
    from importlib import metadata

    from packaging.requirements import Requirement

    lines = "".join((ROOT / "requirements" / f"{n}.txt").read_text() for n in TEST)
    pinned = [Requirement(x) for x in lines.splitlines() if x and x[0] not in "#-"]
    names = {normal(r.name) for r in pinned}
    missing = set()
    for requirement in pinned:
        if requirement.marker is not None and not requirement.marker.evaluate():
            continue
        for needed in metadata.requires(requirement.name) or []:
            dependency = Requirement(needed)
            applies = dependency.marker is None or dependency.marker.evaluate({"extra": ""})
            if applies and normal(dependency.name) not in names:
                missing.add(normal(dependency.name))
    by_mediapipe = {"jax", "jaxlib", "sentencepiece", "sounddevice", "opencv-contrib-python"}
    by_torch = {"filelock", "networkx"}
    assert missing == by_mediapipe | by_torch


def normal(name: str) -> str:
    return name.lower().replace("_", "-")
