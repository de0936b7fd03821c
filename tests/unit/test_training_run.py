"""A training run: exact to the bit after any interruption, and clear about what it cannot use."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the networks need torch: pip install torch")

from posestream.errors import PosestreamError, TrainingError  # noqa: E402
from posestream.nn import weights  # noqa: E402
from posestream.training import checkpoint  # noqa: E402
from posestream.training.config import TrainConfig  # noqa: E402
from posestream.training.config_file import load  # noqa: E402
from posestream.training.loader import Recipe, Share, open_batches  # noqa: E402
from posestream.training.loop import train  # noqa: E402
from posestream.training.shards import ShardWriter  # noqa: E402
from tests.training_data import painted, write_shards  # noqa: E402

pytestmark = pytest.mark.networks
SIZE = (64, 64)
FILE = """
name = "tiny"
[network]
kind = "{kind}"
[network.rrmp]
joints = "avatar22"
width = 0.125
refinements = 0
[network.unified.rrmp]
joints = "avatar22"
width = 0.125
refinements = 0
[network.unified.graph]
hidden = 8
[network.hdnet]
joints = "avatar22"
trunk = "light"
width = 0.125
graph.hidden = 8
[data]
folder = "{folder}"
size_px = [64, 64]
[[data.sources]]
name = "painted"
shards = ["painted-*.tar"]
[optimiser]
batch = 4
steps = 4
warm_up = 2
precision = "fp32"
[validation]
every = 2
size_px = [64, 64]
choose = false
[[validation.sources]]
name = "held out"
role = "synthetic"
shards = ["held-*.tar"]
[machine]
device = "cpu"
workers = 0
threads = 1
log_every = 2
checkpoint_every = 1
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("shards")
    write_shards(place, "painted", 12, 3, SIZE)
    write_shards(place, "held", 4, 4, SIZE)
    return place


def config(folder: Path, *overrides: str, kind: str = "unified") -> TrainConfig:
    file = folder / f"{kind}.toml"
    file.write_text(FILE.format(kind=kind, folder=folder.as_posix()))
    return load(file, overrides)


def same(a: Path, b: Path, settings: TrainConfig) -> bool:
    """Whether two runs' checkpoints hold the same bits."""
    one, two = (checkpoint.load(p / checkpoint.NAME, settings) for p in (a, b))
    assert one is not None and two is not None and one.step == two.step
    pairs = [(one.network, two.network), (one.average, two.average)]
    pairs += [
        (one.optimiser["state"][i], two.optimiser["state"][i]) for i in one.optimiser["state"]
    ]
    return all(torch.equal(x[k], y[k]) for x, y in pairs for k in x)


@pytest.mark.parametrize(
    ("kind", "precision"), [("rrmp", "fp32"), ("unified", "bf16"), ("hdnet", "fp32")]
)
def test_pieces_give_the_bits_of_one_run(
    folder: Path, tmp_path: Path, kind: str, precision: str
) -> None:
    extra = (f"optimiser.precision={precision}",)
    whole = train(config(folder, *extra, kind=kind), tmp_path / "whole")
    assert whole.finished and whole.step == 4
    piece = config(folder, *extra, "machine.minutes=1e-9", kind=kind)  # ends after each step
    for step in range(1, 4):
        outcome = train(piece, tmp_path / "pieces")
        assert (outcome.step, outcome.finished) == (step, False)
    rest = config(folder, *extra, kind=kind)
    assert train(rest, tmp_path / "pieces").finished
    assert same(tmp_path / "whole", tmp_path / "pieces", rest)


def test_a_killed_run_goes_on_exactly(folder: Path, tmp_path: Path) -> None:
    settings = config(folder, "optimiser.steps=12", "validation.every=0", "machine.workers=1")
    train(settings, tmp_path / "whole")
    command = [sys.executable, "-m", "posestream", "train", str(folder / "unified.toml"),
               "--set", "optimiser.steps=12", "--set", "validation.every=0",
               "--run", str(tmp_path / "killed")]  # fmt: skip
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    while not (tmp_path / "killed" / checkpoint.NAME).exists() and process.poll() is None:
        time.sleep(0.01)
    process.kill()
    process.wait()
    stopped = checkpoint.load(tmp_path / "killed" / checkpoint.NAME, settings)
    assert stopped is not None and stopped.step >= 1
    assert train(settings, tmp_path / "killed").finished
    assert same(tmp_path / "whole", tmp_path / "killed", settings)
    rows = (tmp_path / "killed" / "curves.csv").read_text().splitlines()[1:]
    steps = [int(row.partition(",")[0]) for row in rows]
    assert steps == sorted(set(steps))


def test_a_signal_ends_the_run_after_a_step_and_saves(folder: Path, tmp_path: Path) -> None:
    settings = config(folder, "optimiser.steps=100000", "machine.checkpoint_every=100000")
    command = [sys.executable, "-m", "posestream", "train", str(folder / "unified.toml"),
               "--set", "optimiser.steps=100000", "--set", "machine.checkpoint_every=100000",
               "--set", "machine.log_every=1", "--set", "machine.workers=1",
               "--set", "validation.every=0", "--run", str(tmp_path / "run")]  # fmt: skip
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, stderr=subprocess.PIPE, start_new_session=True
    )
    curves = tmp_path / "run" / "curves.csv"
    while process.poll() is None:
        if curves.is_file() and len(curves.read_text().splitlines()) > 2:
            break
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGTERM)  # the workers, too, as a machine that shuts down does
    out, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    assert "Stopped at step" in out
    state = checkpoint.load(tmp_path / "run" / checkpoint.NAME, settings)
    assert state is not None and f"step {state.step}:" in out


def test_two_processes_train_as_one(folder: Path, tmp_path: Path) -> None:
    common = ("validation.sources=[]", "optimiser.rate=1e-3", "optimiser.steps=3")
    one = config(folder, *common, "optimiser.accumulate=2")
    train(one, tmp_path / "one")
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone",
               "--nproc-per-node", "2", "-m", "posestream", "train", str(folder / "unified.toml"),
               "--out", str(tmp_path / "two"),
               *(word for c in common for word in ("--set", c))]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True, timeout=200)
    a = checkpoint.load(tmp_path / "one" / checkpoint.NAME, one)
    b = checkpoint.load(tmp_path / "two" / checkpoint.NAME, config(folder, *common))
    assert a is not None and b is not None and a.step == b.step == 3
    for name, parameter in weights.build("unified", one.network.config).named_parameters():
        moved = (a.network[name] - b.network[name]).abs()
        assert float(moved.median()) < 1e-6, name
        assert float(moved.max()) < 1e-3, name  # Adam takes full steps for vanishing gradients
        assert parameter.shape == moved.shape


def test_any_number_of_workers_makes_the_same_pictures(folder: Path) -> None:
    batches = []
    for workers in (0, 1, 3):
        settings = config(folder, f"machine.workers={workers}")
        opened = open_batches(settings, Recipe(settings), 1, Share())
        batches.append(list(opened))
        opened.close()
    assert [len(b) for b in batches] == [3, 3, 3]
    for other in batches[1:]:
        for one, two in zip(batches[0], other, strict=True):
            assert all(torch.equal(one[k], two[k]) for k in one)
    again = Recipe(config(folder))
    assert np.array_equal(again.sample(9)[0].picture, again.sample(9)[0].picture)
    assert not np.array_equal(again.sample(9)[0].picture, again.sample(10)[0].picture)


def test_ranks_and_parts_share_every_batch_without_overlap(folder: Path) -> None:
    recipe = Recipe(config(folder))
    settings = config(folder, "optimiser.batch=8", "optimiser.accumulate=2")
    seen = []
    for rank in range(2):
        opened = open_batches(settings, recipe, 3, Share(2, rank))
        seen += [len(b["image"]) for b in opened]
    assert seen == [2, 2, 2, 2]


def test_a_missing_shard_is_named(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"'painted' finds no shard at .*nowhere-\*.tar"):
        train(config(folder, 'data.sources.0.shards=["nowhere-*.tar"]'), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def damaged(folder: Path, place: Path, suffix: str, data: bytes) -> None:
    """Copy the painted shard with one member of every sample replaced."""
    place.mkdir()
    with (
        tarfile.open(folder / "painted-00000.tar") as good,
        tarfile.open(place / "painted-00000.tar", "w") as bad,
    ):
        for member in good:
            file = good.extractfile(member)
            assert file is not None
            content = data if member.name.endswith(suffix) else file.read()
            info = tarfile.TarInfo(member.name)
            info.size = len(content)
            with (place / "part").open("wb") as part:
                part.write(content)
            with (place / "part").open("rb") as part:
                bad.addfile(info, part)


@pytest.mark.parametrize("workers", [0, 1])
@pytest.mark.parametrize(("suffix", "data"), [(".jpg", b"no picture"), (".msgpack", b"\x81\xa1x")])
def test_a_damaged_picture_or_label_is_named_and_overwrites_nothing(
    folder: Path, tmp_path: Path, suffix: str, data: bytes, workers: int
) -> None:
    settings = config(folder, "optimiser.steps=1", "validation.sources=[]")
    damaged(folder, tmp_path / "bad", suffix, data)
    held = f'data.folder="{(tmp_path / "bad").as_posix()}"'
    broken = config(
        folder, "optimiser.steps=1", held, "validation.sources=[]", f"machine.workers={workers}"
    )
    with pytest.raises(TrainingError, match=r"Sample \d+ in .*painted-00000.tar is damaged"):
        train(broken, tmp_path / "run")
    assert not (tmp_path / "run" / checkpoint.NAME).exists()
    assert train(settings, tmp_path / "other").finished


def test_labels_of_a_wrong_count_are_refused(folder: Path, tmp_path: Path) -> None:
    place = tmp_path / "wrong"
    with ShardWriter(place, "painted") as writer:
        sample = painted(np.random.default_rng(0), 2, SIZE)
        object.__setattr__(sample, "depth_m", np.zeros(3))
        writer.add(sample)
    bad = config(folder, f'data.folder="{place.as_posix()}"', "validation.sources=[]")
    with pytest.raises(TrainingError, match="depth_m has shape"):
        train(bad, tmp_path / "run")


def test_a_loss_that_is_not_finite_stops_and_keeps_the_checkpoint(
    folder: Path, tmp_path: Path
) -> None:
    place = tmp_path / "poisoned"
    rng = np.random.default_rng(5)
    with ShardWriter(place, "painted") as writer:
        for number in range(8):
            sample = painted(rng, 2, SIZE)
            poison = np.full((3, 3), np.nan) if number == 0 else sample.K_px
            writer.add(replace(sample, K_px=poison))
    settings = config(
        folder, f'data.folder="{place.as_posix()}"', "validation.sources=[]",
        "optimiser.batch=2", "optimiser.steps=40", "optimiser.seed=3",
    )  # fmt: skip
    with pytest.raises(TrainingError, match=r"not finite in step (\d+) \(pictures \d+ to") as info:
        train(settings, tmp_path / "run")
    step = int(str(info.value).partition("in step ")[2].split(" ")[0])
    state = checkpoint.load(tmp_path / "run" / checkpoint.NAME, settings)
    assert state is not None and state.step == step > 0
    assert all(torch.isfinite(v).all() for v in state.network.values())


def test_another_architecture_or_setting_is_refused(folder: Path, tmp_path: Path) -> None:
    train(config(folder, "optimiser.steps=1"), tmp_path / "run")
    before = {p: p.read_bytes() for p in (tmp_path / "run").iterdir() if p.is_file()}
    for override, key in [
        ("network.unified.rrmp.width=0.25", "network.config.rrmp.width is 0.125, not 0.25"),
        ("optimiser.rate=0.5", "optimiser.rate is 0.002, not 0.5"),
    ]:
        with pytest.raises(TrainingError, match=key):
            train(config(folder, "optimiser.steps=1", override), tmp_path / "run")
    assert {p: p.read_bytes() for p in before} == before
    (tmp_path / "run" / checkpoint.NAME).write_bytes(b"nothing of ours")
    with pytest.raises(TrainingError, match="not a checkpoint that can be read"):
        train(config(folder, "optimiser.steps=1"), tmp_path / "run")


@contextmanager
def files_up_to(size: int) -> Iterator[None]:
    """As on a disk that is almost full: no file grows beyond ``size``."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_leaves_the_last_checkpoint(folder: Path, tmp_path: Path) -> None:
    settings = config(folder, "validation.sources=[]", "machine.minutes=1e-9")
    train(settings, tmp_path / "run")
    before = (tmp_path / "run" / checkpoint.NAME).read_bytes()
    with files_up_to(20_000), pytest.raises(TrainingError, match="cannot be written"):
        train(settings, tmp_path / "run")
    assert (tmp_path / "run" / checkpoint.NAME).read_bytes() == before
    assert not list((tmp_path / "run").glob(".*"))
    assert train(settings, tmp_path / "run").step == 2


def test_a_run_may_begin_with_weights(folder: Path, tmp_path: Path) -> None:
    train(config(folder, "optimiser.steps=1", "validation.every=1"), tmp_path / "a")
    assert (tmp_path / "a" / "best.pt").is_file() and (tmp_path / "a" / "best.json").is_file()
    start = f'network.start="{(tmp_path / "a" / "best.pt").as_posix()}"'
    assert train(config(folder, "optimiser.steps=1", start), tmp_path / "b").finished
    other = config(folder, "network.unified.rrmp.width=0.25", start)
    with pytest.raises(PosestreamError, match="another architecture"):
        train(other, tmp_path / "c")
