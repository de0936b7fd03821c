"""The daemon on weight files: untrained ones are honest about seeing nobody."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from posestream.assets import DEMO_CLIP
from posestream.capture.replay import ReplayReader
from posestream.config import PRESET_FOLDER as PRESETS
from posestream.daemon.doctor import examine
from posestream.settings import Settings
from posestream.skeleton.humanoid import BONE


@pytest.fixture(scope="module")
def untrained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("torch", reason="the networks need torch: pip install torch")
    pytest.importorskip("onnx", reason="export needs it: pip install onnx")
    import torch

    from posestream.nn import export, weights
    from posestream.nn.hdnet import Hdnet, HdnetConfig
    from posestream.nn.rrmp import RrmpConfig
    from posestream.nn.unified import Unified, UnifiedConfig

    folder = tmp_path_factory.mktemp("weights")
    network = Unified(UnifiedConfig(rrmp=RrmpConfig(width=0.125)))
    weights.save(folder / "u.pt", network)
    export.export_unified(network, folder / "u.maps.onnx", folder / "u.head.onnx", (128, 96))
    hdnet = Hdnet(HdnetConfig(trunk="light", width=0.125))
    weights.save(folder / "h.pt", hdnet)
    export.export_hdnet(hdnet, folder / "h.onnx", 64)
    last = [m for m in hdnet.depth.modules() if isinstance(m, torch.nn.Linear)][-1]
    torch.nn.init.zeros_(last.weight)
    torch.nn.init.zeros_(last.bias)
    export.export_hdnet(hdnet, folder / "even.onnx", 64)
    return folder


@pytest.mark.networks
@pytest.mark.parametrize("backend", ["rrmp", "torch"])
def test_untrained_weights_run_through_the_whole_daemon(posestream, tmp_path, untrained, backend):
    key = {
        "rrmp": f"maps={untrained / 'u.maps.onnx'}",
        "torch": f"weights={untrained / 'u.pt'}",
    }
    summary = tmp_path / "summary.json"
    daemon = posestream(
        "run", str(DEMO_CLIP), "--backend", backend, "--set", f"estimate.rrmp.{key[backend]}",
        "--set", "estimate.rrmp.width_px=128", "--set", "estimate.rrmp.height_px=96",
        "--set", "estimate.rrmp.threads=1", "--pace", "fast", "--max-frames", "20",
        "--summary", str(summary), "--set", "websocket.enabled=false",
    )  # fmt: skip
    assert daemon.wait(120.0) == 0, daemon.stderr
    figures = json.loads(summary.read_text(encoding="utf-8"))
    assert figures["frames"] == 20
    assert figures["people_max"] == 0
    assert figures["backend"] == backend


def test_without_weights_it_is_one_sentence(posestream):
    daemon = posestream("run", str(DEMO_CLIP), "--backend", "torch", "--max-frames", "1")
    assert daemon.wait() == 4
    assert "estimate.rrmp.weights" in daemon.stderr or "torch is missing" in daemon.stderr
    assert "Traceback" not in daemon.stderr


def test_doctor_says_why_a_back_end_cannot_be_used():
    by_topic = {finding.topic: asdict(finding) for finding in examine(Settings())}
    assert "estimate.rrmp.weights" in by_topic["back end torch"]["text"]
    assert by_topic["back end torch"]["verdict"] == "warning"
    assert "back end rrmp" in by_topic


def run_preset(posestream, tmp_path: Path, preset: str, *options: str) -> dict:
    summary = tmp_path / "summary.json"
    daemon = posestream(
        "run", str(DEMO_CLIP), "-c", str(PRESETS / f"{preset}.toml"), "--pace", "fast",
        "--max-frames", "12", "--summary", str(summary), "--set", "websocket.enabled=false",
        *options,
    )  # fmt: skip
    assert daemon.wait(180.0) == 0, daemon.stderr
    return json.loads(summary.read_text(encoding="utf-8"))


@pytest.mark.networks
@pytest.mark.parametrize(
    ("preset", "locate"), [("paper-rrmp", "geometric"), ("paper-hdnet", "hdnet")]
)
def test_the_papers_presets_run_from_what_ships(posestream, tmp_path, preset, locate):
    figures = run_preset(posestream, tmp_path, preset)
    assert (figures["frames"], figures["backend"], figures["locate"]) == (12, "rrmp", locate)
    assert figures["people_max"] >= 1


@pytest.mark.networks
def test_paper_rrmp_runs_from_an_untrained_file(posestream, tmp_path, untrained):
    figures = run_preset(
        posestream, tmp_path, "paper-rrmp", "--set",
        f"estimate.rrmp.maps={untrained / 'u.maps.onnx'}",
    )  # fmt: skip
    assert (figures["frames"], figures["people_max"]) == (12, 0)
    assert (figures["backend"], figures["locate"]) == ("rrmp", "geometric")


@pytest.mark.networks
@pytest.mark.parametrize("ending", ["onnx", "pt"])
def test_paper_hdnet_runs_from_an_untrained_file(posestream, tmp_path, untrained, ending):
    """Behind the clip's own truth, so that there are people to be placed."""
    figures = run_preset(
        posestream, tmp_path, "paper-hdnet", "--backend", "fake", "--set",
        f"estimate.hdnet.weights={untrained / f'h.{ending}'}",
        "--set", "estimate.hdnet.size_px=64", "--set", "estimate.hdnet.threads=1",
    )  # fmt: skip
    assert (figures["frames"], figures["people_max"]) == (12, 2)
    assert (figures["backend"], figures["locate"]) == ("fake", "hdnet")


@pytest.mark.networks
def test_people_stand_where_hdnet_says(posestream, tmp_path, untrained):
    """Even logits: everybody's d/f is the middle bin's of [1, 8], the root of 8 mm per pixel."""
    take = tmp_path / "take.psrec"
    figures = run_preset(
        posestream, tmp_path, "paper-hdnet", "--backend", "fake", "--record", str(take),
        "--set", f"estimate.hdnet.weights={untrained / 'even.onnx'}",
        "--set", "estimate.hdnet.patch=fixed", "--set", "estimate.hdnet.fixed_px=300",
        "--set", "smooth.smoothness=0", "--set", "ground.feet=off",
        "--set", "floor.camera_pitch_deg=0", "--set", "floor.camera_roll_deg=0",
    )  # fmt: skip
    assert (figures["people_max"], figures["locate"]) == (2, "hdnet")
    with np.load(DEMO_CLIP.with_name("demo_truth.npz")) as truth:
        f_px = float(truth["K_px"][0, 0])
    people = np.concatenate([frame.position_world_m for frame in ReplayReader(take)])
    assert len(people) >= 20
    pelvis_m = people[:, [BONE["LeftUpperLeg"], BONE["RightUpperLeg"]]].mean(axis=1)
    np.testing.assert_allclose(-pelvis_m[:, 2], np.sqrt(8.0) * f_px / 1000.0, atol=0.01)
