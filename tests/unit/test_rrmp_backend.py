"""The back end on weight files: untrained ones find nobody, damaged ones are refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from posestream.errors import BackendError, WeightsError
from posestream.estimate.backends.rrmp import network_input
from posestream.estimate.base import EstimateSettings, Estimator
from posestream.estimate.network_settings import RrmpSettings
from posestream.estimate.registry import available, create
from posestream.estimate.weight_files import find, newest
from posestream.geometry.camera import intrinsics_from_fov
from posestream.types import Camera, Frame


def frame(width: int = 320, height: int = 240) -> Frame:
    image = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Frame(0, 0, image, Camera(intrinsics_from_fov((width, height), 60.0), (width, height)))


def test_the_picture_is_padded_right_and_below() -> None:
    picture = np.full((120, 100, 3), [255, 0, 128], dtype=np.uint8)  # BGR
    out, scale = network_input(picture, (96, 64))
    assert out.shape == (1, 3, 64, 96)
    assert scale == pytest.approx(64 / 120)
    np.testing.assert_allclose(out[0, :, 10, 10], [128 / 127.5 - 1.0, -1.0, 1.0], atol=1e-6)
    assert np.abs(out[0, :, :, 54:]).max() == 0.0


def make(maps: Path, head: str = "auto", **settings: object) -> Estimator:
    rrmp = RrmpSettings(maps=str(maps), head=head, threads=1, **settings)
    return create("rrmp", EstimateSettings(rrmp=rrmp))


def test_a_missing_file_is_one_sentence() -> None:
    with pytest.raises(WeightsError, match=r"no weight file at 'nowhere\.onnx'"):
        make(Path("nowhere.onnx"))


def test_a_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime", reason="the back end needs it: pip install onnxruntime")
    (tmp_path / "bad.onnx").write_bytes(b"\x00" * 100)
    with pytest.raises(BackendError, match=r"bad\.onnx is not a model"):
        make(tmp_path / "bad.onnx")


def test_the_newest_of_the_folder_is_taken(tmp_path: Path) -> None:
    assert newest(tmp_path) is None
    for name in ("unified-9", "unified-10", "unified-2"):
        (tmp_path / f"{name}.maps.onnx").touch()
    (tmp_path / "unified-11.head.onnx").touch()
    (tmp_path / "unified-10.head.onnx").touch()
    files = find(RrmpSettings(), tmp_path)
    assert files == (tmp_path / "unified-10.maps.onnx", tmp_path / "unified-10.head.onnx")
    assert find(RrmpSettings(head=""), tmp_path).head is None
    assert find(RrmpSettings(maps=str(tmp_path / "unified-9.maps.onnx")), tmp_path).head is None
    with pytest.raises(WeightsError, match="no weight file at 'gone'"):
        find(RrmpSettings(head="gone"), tmp_path)


def test_without_weights_it_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"posestream export.*--backend mediapipe") as caught:
        find(RrmpSettings(), tmp_path)
    assert caught.value.exit_code == 4
    with pytest.raises(BackendError, match=r"estimate\.rrmp\.weights|torch is missing"):
        create("torch", EstimateSettings())
    by_name = {item.name: item for item in available()}
    assert not by_name["torch"].ok
    named = EstimateSettings(rrmp=RrmpSettings(maps="nowhere.onnx"))
    rrmp = next(item for item in available(named) if item.name == "rrmp")
    assert not rrmp.ok and rrmp.reason


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Untrained networks: ``unified`` in two files and as .pt, ``rrmp`` in one of free size."""
    pytest.importorskip("torch", reason="the networks need torch: pip install torch")
    pytest.importorskip("onnx", reason="export needs it: pip install onnx")
    pytest.importorskip("onnxruntime", reason="the back end needs it: pip install onnxruntime")
    from posestream.nn import weights
    from posestream.nn.export import export_rrmp, export_unified
    from posestream.nn.rrmp import Rrmp, RrmpConfig
    from posestream.nn.unified import Unified, UnifiedConfig

    folder = tmp_path_factory.mktemp("exported")
    config = RrmpConfig(width=0.125, joints="avatar22")
    weights.save(folder / "u.pt", Unified(UnifiedConfig(rrmp=config)))
    unified = weights.load(folder / "u.pt", "unified")
    export_unified(unified, folder / "u.maps.onnx", folder / "u.head.onnx", (128, 96))
    export_rrmp(Rrmp(config), folder / "free.onnx", (128, 96), free_size=True)
    return folder


@pytest.mark.networks
def test_untrained_weights_find_nobody(exported: Path) -> None:
    small = {"width_px": 160, "height_px": 128}
    sizes = {"u.maps.onnx": (12, 16), "free.onnx": (16, 20)}
    for name, size in sizes.items():
        estimator = make(exported / name, **small)
        estimate = estimator.estimate(frame())
        assert len(estimate.people2d) == 0
        assert estimate.maps is not None
        assert estimate.maps.heatmaps.shape == (23, *size)
        assert (estimate.depth_m is not None) == (name == "u.maps.onnx")
        estimator.close()
        estimator.close()


@pytest.mark.networks
def test_a_head_needs_its_maps(exported: Path) -> None:
    with pytest.raises(BackendError, match="cannot belong to it"):
        make(exported / "free.onnx", str(exported / "u.head.onnx"))
    with pytest.raises(BackendError, match=r"\.maps\.onnx"):
        make(exported / "u.head.onnx")


@pytest.mark.networks
@pytest.mark.parametrize("half", [False, True])
def test_torch_and_onnx_are_one_estimator(exported: Path, half: bool) -> None:
    """The same weights say the same on either engine; in half precision nearly."""
    from posestream.estimate.backends.onnx import OnnxEngine
    from posestream.estimate.backends.torch import TorchEngine

    by_onnx = OnnxEngine(exported / "u.maps.onnx", exported / "u.head.onnx", 1, (0, 0))
    by_torch = TorchEngine(exported / "u.pt", "cpu", (128, 96), threads=1, half=half)
    assert by_torch.facts.free_size and not by_onnx.facts.free_size
    assert by_torch.facts._replace(free_size=False) == by_onnx.facts
    rng = np.random.default_rng(1)
    image = rng.uniform(-1.0, 1.0, (1, 3, 96, 128)).astype(np.float32)
    rays = rng.normal(0.0, 0.3, (1, 2, 12, 16)).astype(np.float32)
    answers = [engine.maps(image, rays) for engine in (by_onnx, by_torch)]
    tolerance = 0.02 if half else 1e-4
    for name in ("heatmaps", "pafs", "locations"):
        a, b = (getattr(answer, name) for answer in answers)
        assert a.dtype == b.dtype == np.float32
        assert np.abs(a - b).max() < tolerance
    xy = rng.uniform(0.0, 11.0, (3, 22, 2)).astype(np.float32)
    score = rng.uniform(0.0, 1.0, (3, 22)).astype(np.float32)
    pairs = zip((by_onnx, by_torch), answers, strict=True)
    logits = [engine.depth(maps, xy, score) for engine, maps in pairs]
    assert logits[0].shape == (3, 141)
    assert np.abs(logits[0] - logits[1]).max() < tolerance
    by_torch.close()
    by_torch.close()


@pytest.mark.networks
def test_the_torch_back_end_by_its_name(exported: Path) -> None:
    import torch

    rrmp = RrmpSettings(weights=str(exported / "u.pt"), width_px=128, height_px=96, device="cpu")
    estimator = create("torch", EstimateSettings(rrmp=rrmp))
    assert estimator.name == "torch"
    assert len(estimator.estimate(frame()).people2d) == 0
    if not torch.cuda.is_available():
        with pytest.raises(BackendError, match=r"device=cpu"):
            create("torch", EstimateSettings(rrmp=replace(rrmp, device="cuda")))


@pytest.mark.networks
def test_hdnet_is_no_back_end(tmp_path: Path) -> None:
    from posestream.estimate.backends.torch import TorchEngine
    from posestream.nn import weights
    from posestream.nn.hdnet import Hdnet, HdnetConfig

    weights.save(tmp_path / "h.pt", Hdnet(HdnetConfig(trunk="light", width=0.125)))
    with pytest.raises(WeightsError, match="hdnet, which finds nobody"):
        TorchEngine(tmp_path / "h.pt", "cpu", (128, 96))
