"""What operators see of a run: health, figures, logs that programs read, a timeline."""

from __future__ import annotations

import asyncio
import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from prometheus_client.parser import text_string_to_metric_families
from websockets.sync.client import connect

from posestream.publish.pages import Page
from posestream.publish.websocket import WebSocketSink
from posestream.publish.websocket_settings import WebSocketSettings
from posestream.types import Camera
from posestream.wire.messages import Hello

STAGES = ["estimate", "locate", "track", "retarget", "smooth", "ground"]


@dataclass
class Watched:
    """A daemon that is looked at from outside."""

    run: Any
    port: int

    def get(self, path: str, **headers: str) -> tuple[int, str]:
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=10.0) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def figures(self) -> dict[str, float]:
        families = text_string_to_metric_families(self.get("/metrics")[1])
        return {
            sample.name + "".join(f" {v}" for v in sample.labels.values()): sample.value
            for family in families
            for sample in family.samples
        }


@pytest.fixture(scope="module")
def watched(module_posestream: Any, free_port: Any, eventually: Any) -> Iterator[Watched]:
    port = free_port()
    run = module_posestream(
        "run", "synthetic:people=2", "--set", "vmc=[]", "--set", f"websocket.port={port}",
        "--log-format", "json",
    )  # fmt: skip
    daemon = Watched(run, port)

    def healthy() -> bool:
        try:
            return daemon.get("/healthz")[0] == 200
        except OSError:
            return False

    eventually(healthy, "health")
    yield daemon
    assert run.stop() == 0
    lines = [json.loads(line) for line in run.stderr.splitlines()]
    assert all({"time", "level", "logger", "message"} <= set(line) for line in lines)


def test_health_says_that_it_works(watched: Watched) -> None:
    status, text = watched.get("/healthz")
    body = json.loads(text)
    assert (status, body["status"], body["people"]) == (200, "ok", 2)
    assert body["frames"] > 0


def test_figures_parse_and_rise(watched: Watched, eventually: Any) -> None:
    before = watched.figures()
    with connect(f"ws://127.0.0.1:{watched.port}/") as client:
        client.recv(timeout=10.0)
        eventually(lambda: watched.figures()["posestream_clients websocket"] == 1.0, "a client")
        for _ in range(5):
            client.recv(timeout=10.0)
    after = watched.figures()
    assert after["posestream_frames_total"] > before["posestream_frames_total"]
    assert after["posestream_sent_messages_total websocket"] >= 5
    assert after["posestream_source_up"] == 1.0
    assert after["posestream_frames_rested_total"] == 0.0  # somebody is there
    for stage in STAGES:
        count = after[f"posestream_stage_seconds_count {stage}"]
        assert count > 0
        assert after[f"posestream_stage_seconds_sum {stage}"] > 0.0
    assert after["process_resident_memory_bytes"] > 2**20


@pytest.mark.parametrize("path", ["/healthz", "/metrics", "/"])
def test_pages_are_guarded_as_the_stream_is(watched: Watched, path: str) -> None:
    for headers in ({"Origin": "https://evil.example"}, {"Host": "evil.example"}):
        status, text = watched.get(path, **headers)
        assert status == 403 and "posestream_" not in text
    assert watched.get(path + "?token=wrong")[0] == 401
    assert watched.get(path, Authorization="Bearer wrong")[0] == 401
    if path != "/":
        assert watched.get(path, Authorization=f"Bearer {watched.run.token}")[0] == 200
        assert watched.get(f"{path}?token={watched.run.token}")[0] == 200


def test_there_are_no_other_pages(watched: Watched) -> None:
    for path in ("/metrics/", "/metrics/../healthz", "//metrics", "/HEALTHZ", "/%6detrics", "//["):
        assert watched.get(path)[0] in (400, 404, 426)


async def test_beyond_loopback_pages_need_the_token() -> None:
    sink = WebSocketSink(
        WebSocketSettings(host="0.0.0.0", port=0, max_clients=1),
        Hello("1", Camera(np.eye(3) * 500.0, (640, 480)), None),
        token="correct-horse-battery", pages={"/healthz": lambda: Page("fine")},
    )  # fmt: skip
    await sink.start()
    try:
        watched = Watched(None, sink.port)
        ask = lambda path: asyncio.to_thread(watched.get, path)  # noqa: E731
        assert (await ask("/healthz"))[0] == 401
        assert await ask("/healthz?token=correct-horse-battery") == (200, "fine")
    finally:
        await sink.close()


def test_a_timeline_opens_in_perfetto(posestream: Any, tmp_path: Path) -> None:
    trace = tmp_path / "trace.json"
    run = posestream(
        "run", "synthetic:people=1,seconds=2", "--set", "vmc=[]", "--set", "websocket.port=0",
        "--trace", str(trace), "--record", str(tmp_path / "take.psrec"),
    )  # fmt: skip
    assert (run.wait(), run.lines) == (0, [])
    events = json.loads(trace.read_text())["traceEvents"]
    spans = [event for event in events if event["ph"] == "X"]
    assert all(e["dur"] >= 0 and e["ts"] > 0 and isinstance(e["tid"], int) for e in spans)
    names = {e["args"]["name"]: e["tid"] for e in events if e["name"] == "thread_name"}
    assert set(names) == {"capture", "pipeline", "publish"}
    whole = {e["args"]["frame"]: e for e in spans if e["name"] == "frame"}
    assert len(whole) > 4
    for stage in STAGES:
        for e in (e for e in spans if e["name"] == stage):
            frame = whole[e["args"]["frame"]]
            assert e["tid"] == names["pipeline"]
            assert frame["ts"] - 1.0 <= e["ts"]
            assert e["ts"] + e["dur"] <= frame["ts"] + frame["dur"] + 1.0
    read = {e["args"]["frame"] for e in spans if e["tid"] == names["capture"]}
    published = {e["args"]["frame"] for e in spans if e["name"] == "record take.psrec"}
    assert set(whole) <= read
    assert len(published & set(whole)) > 2


def test_a_timeline_that_cannot_be_written_is_said_first(posestream: Any, tmp_path: Path) -> None:
    run = posestream("run", "synthetic:seconds=1", "--trace", str(tmp_path / "no" / "trace.json"))
    assert run.wait() == 1
    assert "trace cannot be written" in run.lines[0] and len(run.lines) == 1


def test_errors_in_json_are_one_object(posestream: Any) -> None:
    run = posestream("run", "no-such-clip.mp4", "--log-format", "json")
    assert run.wait() == 3
    (line,) = run.lines
    said = json.loads(line)
    assert (said["level"], said["figures"]) == ("error", {"exit_code": 3})
    assert "no-such-clip.mp4" in said["message"]
