"""Weights to ONNX in fp32 and int8: the files, the report, and what is refused."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import cv2
import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="export needs it: pip install onnx")
torch = pytest.importorskip("torch", reason="the networks need torch: pip install torch")
pytest.importorskip("onnxruntime", reason="export needs it: pip install onnxruntime")

from posestream.assets import DEMO_CLIP  # noqa: E402
from posestream.errors import BackendError, CaptureError, ConfigError, WeightsError  # noqa: E402
from posestream.estimate.backends.hdnet_onnx import OnnxPatches  # noqa: E402
from posestream.estimate.backends.onnx import OnnxEngine  # noqa: E402
from posestream.estimate.backends.torch import TorchEngine  # noqa: E402
from posestream.estimate.decode import DecodeSettings  # noqa: E402
from posestream.estimate.network_settings import RrmpSettings  # noqa: E402
from posestream.estimate.weight_files import find  # noqa: E402
from posestream.evaluation.export_command import add_export  # noqa: E402
from posestream.evaluation.exporting import choose, export_weights, frames_of  # noqa: E402
from posestream.evaluation.int8_loss import compare_maps, compare_people, feeds_of  # noqa: E402
from posestream.evaluation.patch_feeds import distances_apart, patch_feeds  # noqa: E402
from posestream.nn import weights  # noqa: E402
from posestream.nn.hdnet import Hdnet, HdnetConfig  # noqa: E402
from posestream.nn.quantize import layer_groups  # noqa: E402
from posestream.nn.rrmp import RrmpConfig  # noqa: E402
from posestream.nn.session import open_session  # noqa: E402
from posestream.nn.thresholds import Thresholds  # noqa: E402
from posestream.nn.unified import Unified, UnifiedConfig  # noqa: E402

pytestmark = pytest.mark.networks
SIZE = (96, 64)
CHOSEN = Thresholds(min_joint=0.3, min_limb=0.15, min_joints=8)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    rng = np.random.default_rng(0)
    for i in range(6):
        coarse = rng.integers(0, 256, (6, 9, 3), dtype=np.uint8)
        cv2.imwrite(str(folder / f"{i}.png"), cv2.resize(coarse, (120, 80)))
    return folder


@pytest.fixture(scope="module")
def weight_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(1)
    path = tmp_path_factory.mktemp("weights") / "net-1.pt"
    network = Unified(UnifiedConfig(rrmp=RrmpConfig(width=0.125)))
    for module in network.modules():  # else what an untrained network says is nearly nothing
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0.0, 0.1)
            module.running_var.uniform_(0.1, 0.3)
    weights.save(path, network, CHOSEN)
    return path


@pytest.fixture(scope="module")
def exported(weight_file: Path, pictures: Path, tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("out")
    return folder, export_weights(weight_file, folder, SIZE, [pictures])


def test_all_files_are_there_and_belong_together(exported) -> None:
    folder, report = exported
    wanted = {f"net-1{kind}.{part}.onnx" for kind in ("", "-int8") for part in ("maps", "head")}
    assert {path.name for path in folder.iterdir()} == set(report["files"]) == wanted
    assert report["kind"] == "unified"
    assert max(report["parity"].values()) < 1e-4
    for kind in ("", "-int8"):
        files = find(RrmpSettings(maps=str(folder / f"net-1{kind}.maps.onnx")))
        assert files.head is not None
        stored = open_session(files.maps).get_modelmeta().custom_metadata_map["config"]
        assert json.loads(stored)["rrmp"]["width"] == 0.125


def test_thresholds_travel_with_the_weights_and_settings_overrule_them(
    exported, weight_file: Path
) -> None:
    folder, _ = exported
    for maps in sorted(folder.glob("*.maps.onnx")):
        engine = OnnxEngine(maps, None, 1, SIZE)
        assert engine.facts.thresholds == CHOSEN, maps
        engine.close()
    assert TorchEngine(weight_file, "cpu", SIZE, 1).facts.thresholds == CHOSEN
    own = DecodeSettings().over(CHOSEN)
    assert (own.min_joint, own.min_limb, own.min_joints) == (0.3, 0.15, 8)
    mine = DecodeSettings(min_joint=0.5, min_joints=3).over(CHOSEN)
    assert (mine.min_joint, mine.min_limb, mine.min_joints) == (0.5, 0.15, 3)


def test_int8_is_near_and_the_report_says_how_near(exported, pictures: Path) -> None:
    folder, report = exported
    int8 = report["int8"]
    assert int8["calibrated_on"] == int8["judged_on"] == 3
    assert set(int8["maps"]) == {"heatmaps", "pafs", "locations", "depth_features"}
    assert all(0.0 < loss["relative_rms"] < 0.15 for loss in int8["maps"].values())
    maps, small = (folder / f"net-1{kind}.maps.onnx" for kind in ("", "-int8"))
    kinds = [tensor.data_type for tensor in onnx.load(str(small)).graph.initializer]
    assert kinds.count(onnx.TensorProto.INT8) > 30  # the weights of most of its convolutions
    again = compare_maps(maps, small, feeds_of(maps, frames_of([pictures])[1::2]))
    for name, loss in again.items():
        assert loss.relative_rms == pytest.approx(int8["maps"][name]["relative_rms"], rel=1e-3)
    same = compare_maps(maps, maps, feeds_of(maps, frames_of([pictures])))
    assert all(loss.max_abs == 0.0 for loss in same.values())


def test_a_network_loses_nothing_against_itself(exported, pictures: Path) -> None:
    files = find(RrmpSettings(maps=str(exported[0] / "net-1.maps.onnx")))
    result = compare_people(files, files, frames_of([pictures]))
    assert result["fp32"] == result["int8"]
    assert result["people_in_both"] == result["fp32"]["people"]
    assert set(result["apart"].values()) <= {None, 0.0}


def test_groups_of_layers(exported) -> None:
    groups = layer_groups(exported[0] / "net-1.maps.onnx")
    assert [len(groups[name]) for name in ("first", "last", "heads")] == [1, 3, 3]
    assert not {*groups["last"]} & {*groups["heads"]}


def test_the_fewest_layers_that_are_nearly_best_are_kept() -> None:
    assert choose({(): 0.5, ("last",): 0.11, ("first", "last"): 0.1}) == ("last",)
    assert choose({(): 0.02, ("last",): 0.001}) == ()
    assert choose({(): 0.5, ("last",): 0.4, ("first", "last"): 0.1}) == ("first", "last")


def run(*words: object) -> int:
    parser = argparse.ArgumentParser(prog="posestream")
    add_export(parser.add_subparsers(required=True))
    arguments = parser.parse_args(["export", *(str(word) for word in words)])
    return arguments.command(arguments)


def test_the_command_writes_its_report(weight_file: Path, tmp_path: Path, capsys) -> None:
    assert run(weight_file, "--out", tmp_path, "--size", "96x64") == 0
    said = capsys.readouterr().out
    assert "net-1.maps.onnx" in said
    report = json.loads((tmp_path / "net-1.json").read_text())
    assert report["size_px"] == [96, 64]
    assert run(weight_file, "--out", tmp_path, "--size", "96x64", "--json") == 0
    assert json.loads(capsys.readouterr().out) == report


def test_an_hdnet_of_any_patch_under_any_name(tmp_path: Path, capsys) -> None:
    weights.save(tmp_path / "best.pt", Hdnet(HdnetConfig(trunk="light", width=0.125)))
    out = tmp_path / "out"
    assert run(tmp_path / "best.pt", "--out", out, "--size", "64x64", "--name", "mine-1") == 0
    assert {path.name for path in out.iterdir()} == {"mine-1.onnx", "mine-1.json"}
    assert "mine-1.onnx" in capsys.readouterr().out
    image, mask = open_session(out / "mine-1.onnx").get_inputs()
    assert (image.shape[1:], mask.shape[1:]) == ([3, 64, 64], [1, 16, 16])
    report = json.loads((out / "mine-1.json").read_text())
    assert report["kind"] == "hdnet" and max(report["parity"].values()) < 1e-4


@pytest.fixture(scope="module")
def clip_pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clip")
    clip = cv2.VideoCapture(str(DEMO_CLIP))
    for i in range(120):
        found, picture = clip.read()
        if found and i % 20 == 0:
            cv2.imwrite(str(folder / f"{i}.png"), picture)
    return folder


def test_an_hdnet_in_int8_gives_nearly_the_same_distances(
    clip_pictures: Path, tmp_path: Path, capsys
) -> None:
    torch.manual_seed(2)
    weights.save(tmp_path / "best.pt", Hdnet(HdnetConfig(trunk="light", width=0.125)))
    assert run(tmp_path / "best.pt", "--out", tmp_path, "--size", "64x64", "--int8",
               "--calibrate", clip_pictures) == 0  # fmt: skip
    assert "distances differ by" in capsys.readouterr().out
    report = json.loads((tmp_path / "best.json").read_text())
    assert report["files"] == ["best.onnx", "best-int8.onnx"]
    feeds = patch_feeds(tmp_path / "best.onnx", frames_of([clip_pictures]))
    assert report["int8"]["calibrated_on"] + report["int8"]["judged_on"] == len(feeds) >= 8
    assert {feed["image"].shape for feed in feeds} == {(1, 3, 64, 64)}
    assert all(0.0 < feed["mask"].mean() < 1.0 for feed in feeds)  # round a person
    plain, small = (tmp_path / name for name in report["files"])
    assert 0.0 < report["int8"]["distance_apart"] < 0.05
    assert distances_apart(plain, small, feeds[1::2]) == pytest.approx(
        report["int8"]["distance_apart"]
    )
    kinds = [tensor.data_type for tensor in onnx.load(str(small)).graph.initializer]
    assert kinds.count(onnx.TensorProto.INT8) > 10
    assert OnnxPatches(small, 1).facts == OnnxPatches(plain, 1).facts


def test_what_cannot_be_exported_is_one_sentence(
    weight_file: Path, pictures: Path, tmp_path: Path
) -> None:
    for size in ("96", "96x65", "0x64", "9600x64", "axb"):
        with pytest.raises(ConfigError, match="multiples of 8"):
            run(weight_file, "--out", tmp_path, "--size", size)
    with pytest.raises(ConfigError, match="go together"):
        run(weight_file, "--out", tmp_path, "--int8")
    with pytest.raises(WeightsError, match="no weight file"):
        run(tmp_path / "none.pt", "--out", tmp_path)
    with pytest.raises(CaptureError, match="no folder"):
        run(weight_file, "--out", tmp_path, "--int8", "--calibrate", tmp_path / "none")
    hdnet = tmp_path / "h.pt"
    weights.save(hdnet, Hdnet(HdnetConfig(trunk="light", width=0.125)))
    with pytest.raises(BackendError, match="squares whose side"):
        run(hdnet, "--out", tmp_path, "--size", "96x64")
    with pytest.raises(ConfigError, match="letters, digits"):
        run(weight_file, "--out", tmp_path, "--name", "a/b")
    with pytest.raises(CaptureError, match="at least two people"):
        run(hdnet, "--out", tmp_path, "--int8", "--calibrate", pictures)
