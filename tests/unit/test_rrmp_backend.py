"""The back end on weight files: untrained ones find nobody, damaged ones are refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from posestream.errors import BackendError
from posestream.estimate.backends.rrmp import RrmpEstimator, RrmpSettings, network_input
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


def test_a_missing_file_is_one_sentence() -> None:
    pytest.importorskip("onnxruntime", reason="the back end needs it: pip install onnxruntime")
    with pytest.raises(BackendError, match="no weight file"):
        RrmpEstimator(RrmpSettings(maps="nowhere.onnx"))


def test_a_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime", reason="the back end needs it: pip install onnxruntime")
    (tmp_path / "bad.onnx").write_bytes(b"\x00" * 100)
    with pytest.raises(BackendError, match=r"bad\.onnx is not a model"):
        RrmpEstimator(RrmpSettings(maps=str(tmp_path / "bad.onnx")))


@pytest.mark.networks
def test_untrained_weights_find_nobody(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="the networks need torch: pip install torch")
    pytest.importorskip("onnx", reason="export needs it: pip install onnx")
    pytest.importorskip("onnxruntime", reason="the back end needs it: pip install onnxruntime")
    from posestream.nn.export import export_rrmp, export_unified
    from posestream.nn.rrmp import Rrmp, RrmpConfig
    from posestream.nn.unified import Unified, UnifiedConfig

    config = RrmpConfig(width=0.125, joints="avatar22")
    maps, head, plain = (tmp_path / n for n in ("maps.onnx", "head.onnx", "rrmp.onnx"))
    export_unified(Unified(UnifiedConfig(rrmp=config)), maps, head, (128, 96))
    export_rrmp(Rrmp(config), plain, (128, 96), free_size=True)
    for settings in (RrmpSettings(maps=str(maps), head=str(head)), RrmpSettings(maps=str(plain))):
        estimator = RrmpEstimator(settings)
        estimate = estimator.estimate(frame())
        assert len(estimate.people2d) == 0
        assert estimate.maps is not None
        assert estimate.maps.heatmaps.shape[0] == 23
        estimator.close()
        estimator.close()
