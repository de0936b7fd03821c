"""``posestream process`` as users call it: formats, avatars, recordings, a full disk."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from posestream.skeleton.bvh import read_bvh
from posestream.skeleton.gltf import read_document

SOURCE = "synthetic:people=1,seconds=2,size=64x36"


def test_formats_of_one_person_and_then_nothing_to_do(posestream: Any, tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = ("process", SOURCE, "--out", str(out), "--formats", "bvh, vrma", "--set",
               "export.bvh_unit=m")  # fmt: skip
    run = posestream(*command)
    assert run.wait(120.0) == 0, run.stderr
    names = [f"synthetic_person1_from0.00s.{kind}" for kind in ("bvh", "vrma")]
    assert sorted(p.name for p in out.iterdir()) == names
    assert "60 frames" in run.stderr and names[1] in run.stderr
    hips = read_bvh(out / names[0], metres_per_unit=1.0).position_local_m[:, 0, 1]
    assert 0.6 < hips.mean() < 1.2
    assert "VRMC_vrm_animation" in read_document(out / names[1])["extensionsUsed"]
    again = posestream(*command)
    assert again.wait(120.0) == 0 and "skipped" in again.stderr


@pytest.mark.skipif(os.name != "posix", reason="limits of files are POSIX's")
def test_a_disk_that_fills_leaves_nothing_half_done(posestream: Any, tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = ("process", SOURCE, "--out", str(out), "--formats", "glb")
    full = posestream(*command, preexec_fn=_small_files)
    assert full.wait(120.0) == 1
    (sentence,) = [line for line in full.stderr.splitlines() if line.startswith("posestream: ")]
    assert "_person1_from0.00s.glb cannot be written" in sentence
    assert "Traceback" not in full.stderr and list(out.iterdir()) == []
    again = posestream(*command)
    assert again.wait(120.0) == 0
    assert len(list(out.iterdir())) == 1


def _small_files() -> None:
    import resource
    import signal

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (16_000, 16_000))


def test_an_avatar_that_is_none_is_said_before_all_work(posestream: Any, tmp_path: Path) -> None:
    (tmp_path / "me.vrm").write_bytes(b"glTF")
    run = posestream(
        "process", SOURCE, "--out", str(tmp_path / "out"), "--formats", "glb", "--avatar",
        str(tmp_path / "me.vrm"),
    )  # fmt: skip
    assert run.wait(120.0) == 6
    assert "me.vrm" in run.lines[0] and "frames" not in run.stderr


def test_a_recording_of_a_run(posestream: Any, tmp_path: Path) -> None:
    take = tmp_path / "take.psrec"
    made = posestream(
        "run", SOURCE, "--pace", "fast", "--record", str(take), "--no-panel",
        "--set", "vmc=[]", "--set", "websocket.port=0",
    )  # fmt: skip
    assert made.wait(120.0) == 0, made.stderr
    run = posestream("process", f"replay:{take}", "--out", str(tmp_path), "--formats", "glb,jsonl")
    assert run.wait(120.0) == 0, run.stderr
    document = read_document(tmp_path / "take_person1_from0.00s.glb")
    assert document["animations"][0]["extras"]["frames"] > 30
    assert (tmp_path / "take.jsonl").stat().st_size > 10_000
