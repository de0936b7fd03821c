"""Many videos over real worker processes: every output once and whole, whoever dies."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from posestream import config
from posestream.daemon.offline_job import Job, work
from posestream.errors import ConfigError
from posestream.wire import codec
from posestream.wire.messages import StampedFrame

REPOSITORY = Path(__file__).resolve().parents[2]
SCRIPT = """
import json, sys
from posestream.daemon.cluster import spread
from posestream.daemon.offline_job import Job
from posestream import config

if __name__ == "__main__":
    out, seconds, count, workers, scheduler = json.loads(sys.argv[1])
    settings = config.load(None, ["source.pace=fast"])
    source = f"synthetic:people=1,size=64x36,seconds={seconds},seed="
    jobs = [Job(f"{source}{i}", f"{out}/{i}.jsonl", settings) for i in range(count)]
    for done in spread(jobs, workers, scheduler):
        print(json.dumps([done.target, done.frames, done.skipped, done.error]), flush=True)
"""


class Spread:
    """``cluster.spread`` in a process of its own."""

    def __init__(self, folder: Path, out: Path, seconds: float, count: int, workers: int) -> None:
        script = folder / "spread.py"
        script.write_text(SCRIPT)
        self.errors = folder / f"stderr-{workers}-{out.name}.txt"
        asked = json.dumps([str(out), seconds, count, workers, None])
        with self.errors.open("wb") as errors:
            self.process = subprocess.Popen(
                [sys.executable, str(script), asked], stdout=subprocess.PIPE, stderr=errors,
                env={**os.environ, "PYTHONPATH": str(REPOSITORY)}, text=True,
            )  # fmt: skip

    def workers(self) -> list[psutil.Process]:
        """The processes that do the work."""
        children = psutil.Process(self.process.pid).children(recursive=True)
        return [c for c in children if "spawn_main" in " ".join(c.cmdline())]

    def finish(self) -> list[list[Any]]:
        output, _ = self.process.communicate(timeout=120.0)
        assert self.process.returncode == 0, self.errors.read_text()
        return [json.loads(line) for line in output.splitlines()]


@pytest.fixture
def spread(tmp_path: Path) -> Iterator[Any]:
    started: list[Spread] = []

    def start(out: Path, seconds: float, count: int, workers: int) -> Spread:
        out.mkdir(exist_ok=True)
        started.append(Spread(tmp_path, out, seconds, count, workers))
        return started[-1]

    yield start
    for each in started:
        for process in each.workers() if each.process.poll() is None else []:
            process.kill()
        each.process.kill()
        each.process.communicate()


def job(out: Path, number: int, seconds: float) -> Job:
    source = f"synthetic:people=1,size=64x36,seconds={seconds},seed={number}"
    return Job(source, str(out / f"{number}.jsonl"), config.load(None, ["source.pace=fast"]))


def whole(path: Path) -> int:
    """How many frames; fails if one is missing."""
    messages = [codec.decode(line) for line in path.read_text(encoding="utf-8").splitlines()[1:]]
    indices = [m.index for m in messages if isinstance(m, StampedFrame)]
    assert indices == list(range(len(messages)))
    return len(indices)


def test_workers_make_what_one_process_makes(spread: Any, tmp_path: Path) -> None:
    done = spread(tmp_path / "spread", 1.0, 4, 2).finish()
    assert sorted(frames for _, frames, _, _ in done) == [30] * 4
    assert not any(skipped or error for *_, skipped, error in done)
    alone = tmp_path / "alone"
    alone.mkdir()
    for i in range(4):
        assert work(job(alone, i, 1.0)).frames == 30
        assert (tmp_path / "spread" / f"{i}.jsonl").read_bytes() == (
            alone / f"{i}.jsonl"
        ).read_bytes()
    assert sorted(p.name for p in (tmp_path / "spread").iterdir()) == [
        f"{i}.jsonl" for i in range(4)
    ]


def test_a_killed_worker_costs_nothing_but_time(
    spread: Any, eventually: Any, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    running = spread(out, 12.0, 3, 2)
    (part, *_) = eventually(lambda: sorted(out.glob(".*.part")), "somebody at work", 60.0)
    pid = int(part.name.removesuffix(".part").rpartition(".")[2].partition("-")[0])
    assert pid in {worker.pid for worker in running.workers()}
    psutil.Process(pid).kill()
    done = running.finish()
    assert [error for *_, error in done] == ["", "", ""]
    assert sorted(Path(target).name for target, *_ in done) == ["0.jsonl", "1.jsonl", "2.jsonl"]
    assert [whole(out / f"{i}.jsonl") for i in range(3)] == [360] * 3
    assert sorted(p.name for p in out.iterdir()) == ["0.jsonl", "1.jsonl", "2.jsonl"]


def test_workers_listen_to_this_machine_alone(spread: Any, eventually: Any, tmp_path: Path) -> None:
    running = spread(tmp_path / "out", 8.0, 2, 2)
    eventually(lambda: list((tmp_path / "out").glob(".*.part")), "somebody at work", 60.0)
    everybody = [psutil.Process(running.process.pid), *running.workers()]
    listening = [
        c.laddr.ip for p in everybody for c in p.net_connections("tcp") if c.status == "LISTEN"
    ]
    assert set(listening) == {"127.0.0.1"}
    running.finish()


def test_two_at_the_same_job_leave_one_output(tmp_path: Path) -> None:
    same = job(tmp_path, 0, 2.0)
    done: list[Any] = []
    threads = [threading.Thread(target=lambda: done.append(work(same))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(each.skipped for each in done) == [False, True, True, True]
    assert [each.error for each in done] == [""] * 4
    assert whole(tmp_path / "0.jsonl") == 60
    assert [p.name for p in tmp_path.iterdir()] == ["0.jsonl"]


def test_what_goes_wrong_is_told_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = work(Job(str(tmp_path / "no.mp4"), str(tmp_path / "no.jsonl"), config.load(None)))
    assert missing.exit_code == 3 and "no.mp4" in missing.error

    def breaks(*_: object) -> None:
        raise RuntimeError("out of luck")

    monkeypatch.setattr("posestream.estimate.backends.fake.FakeEstimator.estimate", breaks)
    broken = work(job(tmp_path, 1, 1.0))
    assert broken.exit_code == 1 and "out of luck" in broken.error
    assert list(tmp_path.iterdir()) == []


def test_a_cluster_of_ones_own(tmp_path: Path, posestream: Any, free_port: Any) -> None:
    address = f"tcp://127.0.0.1:{free_port()}"
    python = [sys.executable, "-m", "dask"]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    commands = [
        [*python, "scheduler", "--host", address, "--no-dashboard", "--no-show"],
        [*python, "worker", address, "--nthreads", "1", "--no-dashboard", "--no-nanny"],
    ]
    running = [
        subprocess.Popen(c, env=environment, stderr=subprocess.DEVNULL, cwd=tmp_path)
        for c in commands
    ]
    try:
        out = tmp_path / "out"
        run = posestream(
            "process", "synthetic:people=2,seconds=1", "--out", str(out), "--scheduler", address
        )
        assert run.wait(90.0) == 0, run.stderr
        assert whole(out / "synthetic.jsonl") == 30
        assert "30 frames" in run.stderr and address in run.stderr
    finally:
        for process in running:
            process.kill()
            process.wait()


def test_a_cluster_that_is_not_there(posestream: Any, free_port: Any, tmp_path: Path) -> None:
    address = f"tcp://127.0.0.1:{free_port()}"
    run = posestream(
        "process", "synthetic:seconds=1", "--out", str(tmp_path), "--scheduler", address
    )
    assert run.wait(60.0) == 2
    assert [line for line in run.lines if "does not answer" in line and address in line]
    assert "Traceback" not in run.stderr


def test_without_dask_one_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    from posestream.daemon import cluster

    def absent(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr("importlib.import_module", absent)
    with pytest.raises(ConfigError, match=r"posestream\[cluster\]"):
        list(cluster.spread([], 2, None))
