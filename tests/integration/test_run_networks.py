"""The daemon on weight files: untrained ones are honest about seeing nobody."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from posestream.assets import DEMO_CLIP
from posestream.daemon.doctor import examine
from posestream.settings import Settings


@pytest.fixture(scope="module")
def untrained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("torch", reason="the networks need torch: pip install torch")
    pytest.importorskip("onnx", reason="export needs it: pip install onnx")
    from posestream.nn import export, weights
    from posestream.nn.rrmp import RrmpConfig
    from posestream.nn.unified import Unified, UnifiedConfig

    folder = tmp_path_factory.mktemp("weights")
    network = Unified(UnifiedConfig(rrmp=RrmpConfig(width=0.125)))
    weights.save(folder / "u.pt", network)
    export.export_unified(network, folder / "u.maps.onnx", folder / "u.head.onnx", (128, 96))
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
