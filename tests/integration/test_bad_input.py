"""Whatever is wrong is said in one clear sentence, and the rest goes on."""

from __future__ import annotations

import json
import os
import random
import socket
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from posestream.capture.replay import ReplayReader

ONE_PERSON = ("run", "synthetic:people=1,seconds=1")
ALONE = ("--set", "websocket.enabled=false")
posix = pytest.mark.skipif(sys.platform == "win32", reason="limits and signals are POSIX")


def only_sentence(run: Any) -> str:
    """What the user reads: one sentence from us, no traceback, nothing else."""
    assert len(run.lines) == 1, run.stderr
    (line,) = run.lines
    assert line.startswith("posestream: ") and line[-1] in ".?" and len(line) < 400
    assert "Traceback" not in line and "Errno" not in line
    return str(line.removeprefix("posestream: "))


def refused(run: Any, exit_code: int, *mentioned: str) -> None:
    assert run.wait() == exit_code, run.stderr
    sentence = only_sentence(run)
    for words in mentioned:
        assert words in sentence


def frames_sent(receivers: Any, port: int) -> int:
    return sum(m.address == "/VMC/Ext/Blend/Apply" for m in receivers.messages(port))


@pytest.fixture
def vmc(receivers: Any) -> tuple[str, ...]:
    """Options that send one person to a port that listens."""
    (port,) = receivers.open(1)
    return ("--set", f"vmc.port={port}", "--set", "vmc.people=1")


def port_of(vmc: tuple[str, ...]) -> int:
    return int(vmc[1].partition("=")[2])


def test_no_such_camera(posestream: Any) -> None:
    refused(posestream("run", "camera:7", *ALONE), 3, "camera 7", "plug")


def test_the_documented_exit_codes_are_the_ones_in_the_help(posestream: Any) -> None:
    run = posestream("--help")
    out, _ = run.process.communicate(timeout=20.0)
    assert run.process.returncode == 0
    for code in ("2 configuration", "3 camera", "4 back end", "5 network", "6 avatar",
                 "7 recording", "130 second Ctrl-C"):  # fmt: skip
        assert code in " ".join(out.decode().split())


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """A small video of nobody."""
    path = tmp_path / "nobody.mp4"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 30.0, (320, 240))
    rng = np.random.default_rng(0)
    room = cv2.resize(rng.integers(60, 200, (12, 16, 3), np.uint8), (320, 240))
    for _ in range(12):
        writer.write(room)
    writer.release()
    return path


def broken_files(folder: Path, clip: Path) -> dict[str, Path]:
    good = clip.read_bytes()
    contents = {
        "empty.mp4": b"",
        "text.mp4": b"Dear diary, today I renamed a file.\n" * 50,
        "noise.mp4": random.Random(1).randbytes(20_000),
        "head.mp4": good[:200],
        "cut.mp4": good[: len(good) // 2],
        "scrambled.mp4": bytes(255 - b for b in good),
    }
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return {name: folder / name for name in contents}


@pytest.mark.parametrize(
    "name", ["empty.mp4", "text.mp4", "noise.mp4", "head.mp4", "cut.mp4", "scrambled.mp4"]
)
def test_a_file_that_is_no_video(posestream: Any, tmp_path: Path, clip: Path, name: str) -> None:
    path = broken_files(tmp_path, clip)[name]
    refused(posestream("run", str(path), "--backend", "fake", *ALONE), 3, name)


def test_a_missing_video_and_a_folder_in_place_of_one(posestream: Any, tmp_path: Path) -> None:
    refused(posestream("run", str(tmp_path / "no.mp4"), *ALONE), 3, "no.mp4")
    refused(posestream("run", str(tmp_path), *ALONE), 3, "images:")


@pytest.mark.mediapipe
def test_a_video_without_people_is_an_ordinary_video(
    posestream: Any, clip: Path, tmp_path: Path, model_cache: Path
) -> None:
    summary = tmp_path / "summary.json"
    run = posestream(
        "run", str(clip), "--pace", "fast", "--backend", "mediapipe", *ALONE,
        "--summary", str(summary),
    )  # fmt: skip
    assert (run.wait(60.0), run.lines) == (0, [])
    figures = json.loads(summary.read_text())
    assert (figures["frames"], figures["people_max"]) == (12, 0)
    assert figures["exit_reason"] == "end of source"


def test_a_wrong_key(posestream: Any, tmp_path: Path) -> None:
    file = tmp_path / "my.toml"
    file.write_text("[smoth]\nsmoothness = 0.2\n")
    refused(posestream(*ONE_PERSON, "-c", str(file)), 2, "smoth", "my.toml", "mean smooth")
    refused(posestream(*ONE_PERSON, "--set", "smooth.smoothness=9"), 2, "from 0 to 1")
    refused(posestream(*ONE_PERSON, "-c", "vrchta"), 2, "vrchat")
    refused(posestream(*ONE_PERSON, "--backend", "magic"), 2, "estimate.backend", "mediapipe")


def test_the_stream_port_in_use(posestream: Any, receivers: Any, vmc: tuple[str, ...]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        run = posestream(*ONE_PERSON, *vmc, "--set", f"websocket.port={port}")
        refused(run, 0, str(port), "websocket.port")
    assert frames_sent(receivers, port_of(vmc)) > 15


def test_the_stream_port_in_use_where_there_is_no_other_output(posestream: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        run = posestream(*ONE_PERSON, "--set", "vmc=[]", "--set", f"websocket.port={port}")
        refused(run, 5, str(port), "websocket.port")


def test_the_control_port_in_use(posestream: Any, receivers: Any, vmc: tuple[str, ...]) -> None:
    (port,) = receivers.open(1)
    run = posestream(
        *ONE_PERSON, *vmc, *ALONE,
        "--set", "vmc_control.enabled=true", "--set", f"vmc_control.port={port}",
    )  # fmt: skip
    refused(run, 0, str(port), "vmc_control.port")
    assert frames_sent(receivers, port_of(vmc)) > 15


def test_a_home_in_which_no_token_can_be_kept(
    posestream: Any, receivers: Any, vmc: tuple[str, ...], tmp_path: Path
) -> None:
    (tmp_path / "config").write_bytes(b"a file where a folder should be")
    refused(posestream(*ONE_PERSON, *vmc, "--set", "websocket.port=0"), 0, "token")
    assert frames_sent(receivers, port_of(vmc)) > 15
    alone = posestream(*ONE_PERSON, "--set", "vmc=[]", "--set", "websocket.port=0")
    refused(alone, 5, "token")


@posix
def test_a_disk_that_fills_while_processing(posestream: Any, tmp_path: Path) -> None:
    out = tmp_path / "out"
    full = posestream(
        "process", "synthetic:people=1,seconds=2", "--out", str(out), preexec_fn=limit_file_size
    )
    refused(full, 1, "synthetic.jsonl", "cannot be written")
    assert not (out / "synthetic.jsonl").exists()
    again = posestream("process", "synthetic:people=1,seconds=2", "--out", str(out))
    assert again.wait() == 0
    assert "60 frames" in again.stderr
    assert len((out / "synthetic.jsonl").read_bytes().splitlines()) == 61


@pytest.mark.parametrize("content", [b"", b"glTF", b"glTF\2\0\0\0" + b"\xff" * 500, None])
def test_an_avatar_that_cannot_be_read(
    posestream: Any, tmp_path: Path, content: bytes | None
) -> None:
    avatar = tmp_path / "me.vrm"
    if content is not None:
        avatar.write_bytes(content)
    refused(posestream(*ONE_PERSON, "--avatar", str(avatar), *ALONE), 6, "me.vrm")


def test_a_summary_that_cannot_be_written(
    posestream: Any, receivers: Any, vmc: tuple[str, ...], tmp_path: Path
) -> None:
    summary = tmp_path / "no folder" / "summary.json"
    run = posestream(*ONE_PERSON, *vmc, *ALONE, "--summary", str(summary))
    refused(run, 1, "summary.json", "choose another")
    assert frames_sent(receivers, port_of(vmc)) == 0  # said before the run, not after hours of it


def test_a_recording_that_exists_is_not_overwritten(
    posestream: Any, receivers: Any, vmc: tuple[str, ...], tmp_path: Path
) -> None:
    take = tmp_path / "take.psrec"
    take.write_bytes(b"precious")
    run = posestream(*ONE_PERSON, *vmc, *ALONE, "--record", str(take))
    refused(run, 0, "take.psrec", "exists")
    assert take.read_bytes() == b"precious"
    assert frames_sent(receivers, port_of(vmc)) > 15


def test_something_that_is_no_recording(posestream: Any, tmp_path: Path) -> None:
    for name, content in (("empty", b""), ("text", b"hello " * 100)):
        path = tmp_path / f"{name}.psrec"
        path.write_bytes(content)
        refused(posestream("run", f"replay:{path}", *ALONE), 7, path.name)
    refused(posestream("run", f"replay:{tmp_path / 'none.psrec'}", *ALONE), 7, "none.psrec")


def limit_file_size() -> None:
    import resource
    import signal

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))


@posix
def test_a_disk_that_fills_keeps_what_was_recorded_and_the_run_goes_on(
    posestream: Any, receivers: Any, vmc: tuple[str, ...], tmp_path: Path
) -> None:
    take, again = tmp_path / "take.psrec", tmp_path / "again.psrec"
    summary = tmp_path / "summary.json"
    run = posestream(
        "run", "synthetic:people=4,seconds=2", *vmc, *ALONE, "--record", str(take),
        "--summary", str(summary), preexec_fn=limit_file_size,
    )  # fmt: skip
    assert run.wait() == 0
    assert "take.psrec" in only_sentence(run) and "kept" in only_sentence(run)
    recorded = list(ReplayReader(take))
    assert 50_000 < take.stat().st_size <= 100_000
    assert 10 < len(recorded) < json.loads(summary.read_text())["frames"]
    assert frames_sent(receivers, port_of(vmc)) > len(recorded)
    replay = posestream("run", f"replay:{take}", "--pace", "fast", *ALONE, "--record", str(again))
    assert replay.wait() == 0
    assert len(list(ReplayReader(again))) == len(recorded)


@posix
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_a_full_disk_from_the_start(
    posestream: Any, receivers: Any, vmc: tuple[str, ...], tmp_path: Path
) -> None:
    run = posestream(*ONE_PERSON, *vmc, *ALONE, "--record", str(tmp_path / "no" / "take.psrec"))
    refused(run, 0, "take.psrec")
    full = posestream(*ONE_PERSON, *vmc, *ALONE, "--summary", "/dev/full")
    refused(full, 1, "/dev/full")
    assert frames_sent(receivers, port_of(vmc)) > 30


@posix
def test_a_killed_daemon_leaves_a_recording_that_can_be_read(
    posestream: Any, eventually: Any, tmp_path: Path
) -> None:
    take = tmp_path / "take.psrec"
    run = posestream("run", "synthetic:people=1", *ALONE, "--set", "vmc=[]", "--record", str(take))
    eventually(lambda: take.is_file() and take.stat().st_size > 40_000, "a recording")
    run.process.kill()
    run.process.wait()
    assert len(list(ReplayReader(take))) > 10


@posix
def test_a_daemon_whose_stderr_is_gone_runs_on(posestream: Any, tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    summary = tmp_path / "summary.json"
    run = posestream(
        *ONE_PERSON, *ALONE, "--set", "vmc=[]", "--summary", str(summary),
        preexec_fn=lambda: os.dup2(writing, 2), pass_fds=[writing],
    )  # fmt: skip
    os.close(writing)
    assert run.wait() == 0
    assert json.loads(summary.read_text())["exit_reason"] == "end of source"
