"""What operators get: the published package, the service file, the container's recipe."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from posestream.cli import _parser
from tools import check_package

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "tools" / "deploy"


@pytest.mark.slow
def test_the_package_is_whole_and_runs_from_its_wheel(capsys: pytest.CaptureFixture[str]) -> None:
    assert check_package.main(["--here"]) == 0
    assert "runs" in capsys.readouterr().out


def test_a_file_that_a_wheel_lacks_is_named(tmp_path: Path) -> None:
    import zipfile

    wheel = tmp_path / "posestream-0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for file in check_package.tracked("posestream"):
            if file != "posestream/preview/page/main.js":
                archive.writestr(file, "")
    missing = check_package.left_out(wheel)
    assert "posestream/preview/page/main.js" in missing
    assert "posestream/configs/default.toml" in missing


def test_the_service_starts_what_there_is_and_is_confined(tmp_path: Path) -> None:
    text = (DEPLOY / "posestream.service").read_text(encoding="utf-8")
    command = re.search(r"^ExecStart=(\S+) -m posestream (.+)$", text, re.M)
    assert command and command[1].startswith("/opt/posestream/.venv/")
    _parser().parse_args(command[2].split())
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed: the service file was read by us alone")
    unit = tmp_path / "posestream.service"
    unit.write_text(text.replace(command[1], sys.executable), encoding="utf-8")
    checked = subprocess.run(
        ["systemd-analyze", "verify", unit], capture_output=True, text=True, timeout=60
    )
    assert checked.returncode == 0 and checked.stderr == ""


def test_the_container_is_made_of_what_there_is() -> None:
    lines = (DEPLOY / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
    copied = [word for line in lines if line.startswith("COPY") for word in line.split()[1:-1]]
    assert "posestream" in copied and all((ROOT / name).exists() for name in copied)
    allowed = (DEPLOY / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    assert {f"!{name}" for name in copied} <= set(allowed) and allowed[0] == "*"
    started = {key: re.findall(r'"([^"]*)"', line) for line in lines
               for key in ("ENTRYPOINT", "CMD") if line.startswith(key)}  # fmt: skip
    assert started["ENTRYPOINT"] == ["posestream"]
    _parser().parse_args(started["CMD"])
    assert any(line.startswith("USER posestream") for line in lines)
