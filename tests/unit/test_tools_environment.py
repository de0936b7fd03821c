"""The layer under the two commands, on the platforms that we cannot all sit at."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from posestream import cli
from tools import environment, pip_output, pythons
from tools import run as run_command
from tools import test as test_command
from tools.environment import RUN, TEST, Environment

ROOT = Path(__file__).resolve().parent.parent.parent


def made(root: Path, *, windows: bool = False, version: str = "3.12.1") -> Environment:
    """The files of an environment that is set up, without its contents."""
    place = Environment(root=root, windows=windows)
    (root / "requirements").mkdir(parents=True)
    for name in TEST:
        (root / "requirements" / f"{name}.txt").write_text(f"{name}==1\n")
    place.python.parent.mkdir(parents=True)
    place.python.touch()
    (place.folder / "pyvenv.cfg").write_text(f"home = /usr/bin\nversion = {version}\n")
    environment._write_stamps(place, RUN)
    return place


def test_interpreter_of_each_platform(tmp_path):
    assert Environment(tmp_path, windows=False).python == tmp_path / ".venv/bin/python"
    assert Environment(tmp_path, windows=True).python == tmp_path / ".venv/Scripts/python.exe"


@pytest.mark.parametrize("windows", [False, True])
def test_what_is_stamped_is_ready(tmp_path, windows):
    assert made(tmp_path / "checkout", windows=windows).is_ready(RUN)


def test_run_is_ready_without_the_test_extras_and_not_the_other_way_round(tmp_path):
    place = made(tmp_path / "checkout")
    assert not place.is_ready(TEST)
    environment._write_stamps(place, TEST)
    assert place.is_ready(TEST) and place.is_ready(RUN)


def test_a_changed_pin_is_noticed(tmp_path):
    place = made(tmp_path / "checkout")
    place.requirement_files(RUN)[0].write_text("run==2\n")
    assert not place.is_ready(RUN)


def test_an_upgraded_python_is_noticed(tmp_path):
    place = made(tmp_path / "checkout")
    (place.folder / "pyvenv.cfg").write_text("home = /usr/bin\nversion = 3.12.2\n")
    assert not place.is_ready(RUN)


def test_a_moved_checkout_is_noticed(tmp_path):
    made(tmp_path / "checkout")
    (tmp_path / "checkout").rename(tmp_path / "elsewhere")
    assert not Environment(tmp_path / "elsewhere", windows=False).is_ready(RUN)


def test_a_removed_interpreter_is_noticed(tmp_path):
    place = made(tmp_path / "checkout")
    place.python.unlink()
    place.python.symlink_to(tmp_path / "python that was uninstalled")
    assert not place.is_ready(RUN) and not place.is_sound()


def test_an_interrupted_install_is_noticed_and_not_mended_in_place(tmp_path):
    place = made(tmp_path / "checkout")
    (place.folder / environment._UNFINISHED).touch()
    assert not place.is_ready(RUN) and not place.is_sound()


@pytest.mark.parametrize("damage", [b"", b"\xff\xfe\x00", b"no settings here"])
def test_a_damaged_description_is_not_ready_and_not_sound(tmp_path, damage):
    place = made(tmp_path / "checkout")
    (place.folder / "pyvenv.cfg").write_bytes(damage)
    assert not place.is_ready(RUN) and not place.is_sound()


@pytest.mark.parametrize("version", ["3.10.13", "3.13.0", "3.1.5"])
def test_an_environment_of_another_python_is_not_kept(tmp_path, version):
    assert not made(tmp_path / "checkout", version=version).is_sound()


def test_the_launcher_is_asked_first_on_windows_only():
    assert pythons.candidates(windows=True)[:2] == [["py", "-3.12"], ["py", "-3.11"]]
    assert pythons.candidates(windows=False)[:2] == [["python3.12"], ["python3.11"]]


def put_program(folder: Path, name: str, script: str) -> None:
    folder.mkdir(exist_ok=True)
    program = folder / name
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)


@pytest.mark.skipif(os.name == "nt", reason="makes programs for a POSIX shell")
def test_a_version_shim_that_does_not_work_is_passed_over(tmp_path, monkeypatch):
    put_program(tmp_path, "python3.12", "echo 'python3.12: command not found' >&2; exit 127")
    put_program(tmp_path, "python3", "echo 3.11")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert pythons.find(windows=False) == ["python3"]


@pytest.mark.skipif(os.name == "nt", reason="makes programs for a POSIX shell")
def test_only_other_versions_are_none(tmp_path, monkeypatch):
    put_program(tmp_path, "python3", "echo 3.13")
    put_program(tmp_path, "py", "echo 3.10")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert pythons.find(windows=True) == []


@pytest.mark.parametrize("version", [(3, 10, 13), (3, 13, 0)])
def test_another_python_alone_gets_one_clear_sentence(tmp_path, monkeypatch, version):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "version_info", version)
    with pytest.raises(SystemExit) as stop:
        pythons.use_supported("run.py")
    text = str(stop.value)
    assert "Python 3.11 or 3.12 is needed" in text and f"Python 3.{version[1]}" in text
    assert text.count("\n") == 0


def test_a_supported_python_goes_on_by_itself(monkeypatch):
    monkeypatch.setattr(pythons, "replace_process", lambda *_: pytest.fail("must not start anew"))
    pythons.use_supported("run.py")


def test_the_tools_parse_on_old_pythons():
    import ast

    for name in ("pythons", "run", "test", "check"):
        ast.parse((ROOT / "tools" / f"{name}.py").read_text(), feature_version=(3, 7))


@pytest.mark.parametrize(
    ("given", "passed_on"),
    [
        ([], ["run"]),
        (["camera:1", "--no-panel"], ["run", "camera:1", "--no-panel"]),
        (["-c", "vrchat"], ["run", "-c", "vrchat"]),
        (["run", "clip with spaces.mp4"], ["run", "clip with spaces.mp4"]),
        (["doctor", "--json"], ["doctor", "--json"]),
        (["--help"], ["--help"]),
    ],
)
def test_arguments_passed_on(given, passed_on):
    assert run_command.with_command(given) == passed_on


def test_every_command_of_posestream_is_known():
    actions = cli._parser()._actions
    commands = next(a.choices for a in actions if isinstance(a, argparse._SubParsersAction))
    assert sorted(run_command.COMMANDS) == sorted(commands)


def test_waiting_leaves_ctrl_c_to_the_child_and_returns_its_code(tmp_path):
    """What Windows does instead of replacing the process, done here for real."""
    child = (
        "import signal, sys, time; signal.signal(signal.SIGINT, lambda *_: sys.exit(7));"
        "print('ready', flush=True); time.sleep(60)"
    )
    parent = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); from tools.pythons import wait_for;"
        f"sys.exit(wait_for([sys.executable, '-c', {child!r}]))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", parent], stdout=subprocess.PIPE, start_new_session=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == b"ready"
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(timeout=30) == 7


def test_a_termination_signal_reaches_the_child():
    parent = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); from tools.pythons import wait_for;"
        "child = 'import time; print(\"ready\", flush=True); time.sleep(60)';"
        "print(wait_for([sys.executable, '-c', child]))"
    )
    with subprocess.Popen([sys.executable, "-c", parent], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == b"ready"
        time.sleep(0.05)
        process.terminate()
        assert int(process.stdout.read()) == -signal.SIGTERM


def test_packages_are_counted_without_remarks(tmp_path):
    file = tmp_path / "run.txt"
    file.write_text(
        "# remark\n\n--extra-index-url https://x\na==1\nb==2; sys_platform == 'win32'\n"
    )
    assert pip_output.count([file]) == 2


def test_progress_counts_what_is_fetched_and_what_is_there():
    progress = pip_output.Progress(3)
    shown = [
        progress.after(line)
        for line in (
            "Collecting numpy==1.26.4 (from -r /home/a b/requirements/run.txt (line 5))\n",
            "  Downloading numpy-1.26.4.whl (18 MB)\n",
            "Requirement already satisfied: msgspec==0.22.0 in ./x (0.22.0)\n",
            "Processing /wheels/python_osc-1.10.2-py3-none-any.whl\n",
            "Installing collected packages: numpy\n",
        )
    ]
    assert shown == [
        "  fetching 1 of 3: numpy",
        "",
        "  fetching 2 of 3: msgspec",
        "  fetching 3 of 3: python_osc",
        "  installing ...",
    ]


@pytest.mark.parametrize(
    ("output", "says"),
    [
        ("WARNING: Retrying ... Failed to establish a new connection: [Errno 111]\n"
         "ERROR: No matching distribution found for numpy==1.26.4", "connect to the internet"),
        ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device",
         "disk is full"),
        ("ERROR: No matching distribution found for mediapipe==0.10.21",
         "no build of mediapipe==0.10.21 for this machine (Linux aarch64)"),
        ("ERROR: Hash mismatch.", "Hash mismatch"),
        ("", "no reason given"),
    ],
)  # fmt: skip
def test_a_failed_install_is_one_sentence_that_says_what_to_do(output, says):
    text = pip_output.problem(output, "Linux aarch64")
    assert says in text and "\n" not in text and text.endswith(".")


def test_a_python_without_pip_is_explained():
    debian = "The virtual environment was not created successfully because ensurepip is not\n..."
    assert "apt install python3." in environment.venv_problem(debian, "Linux")


REPORT = """<testsuites><testsuite>
<testcase name="a"/><testcase name="b"><failure/></testcase><testcase name="c"><skipped/></testcase>
<testcase name="d"><error/></testcase><testcase name="e"><system-out/></testcase>
</testsuite></testsuites>"""


def test_sums_of_a_report(tmp_path):
    (tmp_path / "report.xml").write_text(REPORT)
    expected = {"passed": 2, "failed": 2, "skipped": 1}
    assert test_command.sums(tmp_path / "report.xml", 1) == expected


def test_a_test_run_that_broke_off_has_failed(tmp_path):
    assert test_command.sums(tmp_path / "none.xml", 4)["failed"] == 1
    nothing = test_command.NOTHING_COLLECTED
    assert test_command.sums(tmp_path / "none.xml", nothing)["failed"] == 0


def test_the_parts_of_the_tests_leave_nothing_out():
    """Whatever is not fast belongs to a part that can be asked for."""
    left_out = test_command.MARKS["fast"].replace("not ", "").split(" and ")
    assert sorted(left_out) == sorted(set(test_command.MARKS) - {"fast"})


def test_the_file_for_a_double_click_asks_for_the_same_pythons():
    lines = (ROOT / "run.bat").read_bytes()
    assert lines.count(b"\r\n") == lines.count(b"\n")  # cmd.exe loses labels and lines otherwise
    asked = [word.split(b"-")[1] for word in lines.split(b'"') if word.startswith(b"py -")]
    assert [tuple(int(n) for n in word.split(b".")) for word in asked] == list(pythons.SUPPORTED)
