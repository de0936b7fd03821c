"""Real videos of people through MediaPipe, as users run them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from posestream.types import TrackState
from posestream.wire import codec
from posestream.wire.messages import Hello, StampedFrame

pytestmark = pytest.mark.mediapipe
FRAMES = 10


@pytest.fixture
def video(shared_data: Path, model_cache: Path) -> Path:
    """Two people who stay in view, 40 frames."""
    return shared_data / "videos" / "mmhuman3d_multi_person.mp4"


@pytest.fixture
def short(video: Path, tmp_path: Path) -> Path:
    """Its first frames alone, smaller."""
    reader, path = cv2.VideoCapture(str(video)), tmp_path / "short.mp4"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 12.0, (540, 960))
    for _ in range(FRAMES):
        writer.write(cv2.resize(reader.read()[1], (540, 960), interpolation=cv2.INTER_AREA))
    reader.release()
    writer.release()
    return path


def test_two_people_in_a_video_reach_two_vmc_ports(
    video: Path, posestream: Any, receivers: Any, tmp_path: Path
) -> None:
    summary = tmp_path / "summary.json"
    first, second = ports = receivers.open(2)
    run = posestream(
        "run", str(video), "--backend", "mediapipe", "--pace", "fast",
        "--set", f"vmc.port={first}", "--set", "vmc.people=2", "--set", "websocket.enabled=false",
        "--set", "vmc.rate_cap_hz=240", "--summary", str(summary), "--max-frames", "24",
    )  # fmt: skip
    assert (run.wait(120.0), run.lines) == (0, [])
    figures = json.loads(summary.read_text())
    assert (figures["frames"], figures["dropped"]) == (24, 0)
    assert figures["people_max"] >= 2 and figures["people_mean"] > 1.5
    assert (figures["backend"], figures["locate"]) == ("mediapipe", "geometric")
    assert second == first + 10
    for port in ports:
        assert max(map(len, receivers.datagrams(port))) <= 1500
        frames = list(receivers.messages(port))
        tracking = [m.params for m in frames if m.address == "/VMC/Ext/OK"]
        assert sum(m.address == "/VMC/Ext/Blend/Apply" for m in frames) == len(tracking)
        assert tracking.count([1, 3, 0, 1]) > 15
        bones = [m.params for m in frames if m.address == "/VMC/Ext/Bone/Pos"]
        turns = np.array([params[4:] for params in bones])
        np.testing.assert_allclose(np.linalg.norm(turns, axis=1), 1.0, atol=1e-5)
        assert {"Hips", "Spine", "Head"} <= {p[0] for p in bones}


def read(path: Path) -> tuple[Hello, list[StampedFrame]]:
    messages = [codec.decode(line) for line in path.read_text(encoding="utf-8").splitlines()]
    hello, *frames = messages
    assert isinstance(hello, Hello)
    assert all(isinstance(frame, StampedFrame) for frame in frames)
    return hello, frames  # type: ignore[return-value]


def test_processing_gives_every_frame_and_the_same_file_each_time_and_skips_what_is_broken(
    short: Path, posestream: Any, tmp_path: Path
) -> None:
    broken, files = tmp_path / "broken.mp4", []
    broken.write_bytes(b"no video")
    for name in ("a", "b"):
        run = posestream("process", str(broken), str(short), "--out", str(tmp_path / name))
        assert run.wait(120.0) == 3, run.stderr
        sentences = [line for line in run.stderr.splitlines() if line.startswith("posestream: ")]
        assert len(sentences) == 1 and "broken.mp4" in sentences[0]
        assert "Traceback" not in run.stderr
        assert [p.name for p in (tmp_path / name).iterdir()] == ["short.jsonl"]
        files.append(tmp_path / name / "short.jsonl")
    assert files[0].read_bytes() == files[1].read_bytes()
    hello, frames = read(files[0])
    assert hello.camera.size_px == (540, 960)
    assert [frame.index for frame in frames] == list(range(FRAMES))
    times_ms = np.diff([frame.t_capture_ns for frame in frames]) / 1e6
    np.testing.assert_allclose(times_ms, 1000.0 / 12.0, atol=1.0)
    assert max((frame.state == TrackState.TRACKED).sum() for frame in frames) == 2


def test_processing_takes_up_where_it_was_interrupted(
    short: Path, posestream: Any, eventually: Any, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    second = tmp_path / "second.mp4"
    second.write_bytes(short.read_bytes())
    run = posestream("process", str(short), str(second), "--out", str(out), "--workers", "1")
    eventually(lambda: (out / "short.jsonl").exists() or run.process.poll(), "the first", 60.0)
    run.process.kill()
    run.process.wait()
    finished = (out / "short.jsonl").stat()
    assert not (out / "second.jsonl").exists()
    again = posestream("process", str(short), str(second), "--out", str(out))
    assert again.wait(120.0) == 0
    assert (out / "short.jsonl").stat().st_mtime_ns == finished.st_mtime_ns
    assert len(read(out / "second.jsonl")[1]) == FRAMES
    assert sorted(p.name for p in out.iterdir()) == ["second.jsonl", "short.jsonl"]


def test_formats_and_names_that_cannot_be_written_are_refused_first(
    short: Path, posestream: Any, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    unknown = posestream("process", str(short), "--out", str(out), "--formats", "jsonl,fbx")
    assert unknown.wait() == 2
    assert unknown.lines[0].startswith("posestream: ") and "fbx" in unknown.lines[0]
    (tmp_path / "other").mkdir()
    twin = tmp_path / "other" / "short.mp4"
    twin.write_bytes(b"")
    same = posestream("process", str(short), str(twin), "--out", str(out))
    assert same.wait() == 2 and "short" in same.lines[0]
    (tmp_path / "file").write_bytes(b"")
    nowhere = posestream("process", str(short), "--out", str(tmp_path / "file"))
    assert nowhere.wait() == 2 and "file" in nowhere.lines[0]
    assert not out.exists()
