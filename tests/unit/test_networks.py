"""Shapes and switches of the networks, pooling per person, losses, export."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the networks need torch: pip install torch")

from posestream.errors import BackendError  # noqa: E402
from posestream.geometry.depth_bins import PAPER_BINS, PICTURE_BINS, soft_target  # noqa: E402
from posestream.nn import export, losses  # noqa: E402
from posestream.nn.cost import macs, parameters  # noqa: E402
from posestream.nn.graph import GraphConfig, GraphLayer  # noqa: E402
from posestream.nn.hdnet import (  # noqa: E402
    Hdnet,
    HdnetConfig,
    box_mask,
    masked_softmax,
    soft_argmax,
)
from posestream.nn.pooling import PersonPooling  # noqa: E402
from posestream.nn.rrmp import SECTION_IV, Rrmp, RrmpConfig  # noqa: E402
from posestream.nn.session import open_session  # noqa: E402
from posestream.nn.unified import People, Unified, UnifiedConfig, ray_maps  # noqa: E402
from posestream.skeleton.network import network_skeleton  # noqa: E402

pytestmark = pytest.mark.networks
SKELETON = network_skeleton()
TINY = 0.125


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def shaken(network: torch.nn.Module) -> torch.nn.Module:
    """As if trained: batch norms that do something."""
    torch.manual_seed(5)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm1d | torch.nn.BatchNorm2d):
            module.running_mean.normal_(0.0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
    return network.eval()


@pytest.mark.parametrize("residual", ["paper", "none"])
@pytest.mark.parametrize("refinements", [0, 2])
@pytest.mark.parametrize("joints", ["mupots17", "avatar22"])
def test_rrmp_maps_have_stride_8(residual: str, refinements: int, joints: str) -> None:
    config = RrmpConfig(width=TINY, residual=residual, refinements=refinements, joints=joints)
    out = Rrmp(config).eval()(torch.zeros(2, 3, 64, 96))
    s = network_skeleton(joints)
    assert out.maps.heatmaps.shape == (2, s.num_joints + 1, 8, 12)
    assert out.maps.pafs.shape == (2, 2 * s.num_limbs, 8, 12)
    assert out.maps.locations.shape == (2, 3 * s.num_joints, 8, 12)
    assert len(out.stages) == refinements + 1
    assert out.heatmaps_3d is None


def test_residual_adds_the_backbone() -> None:
    """R' - φ(F_b) is F_b (eq. 4), or nothing (eq. 3)."""
    network = shaken(Rrmp(RrmpConfig(width=TINY)))
    image = torch.rand(1, 3, 64, 64)
    backbone, rendered = network.features(image)
    torch.testing.assert_close(rendered - network.perspective(backbone), backbone)
    plain = Rrmp(RrmpConfig(width=TINY, residual="none")).eval()
    plain.load_state_dict(network.state_dict())
    backbone, rendered = plain.features(image)
    torch.testing.assert_close(rendered, plain.perspective(backbone))


def test_section_iv_has_two_streams() -> None:
    config = RrmpConfig(
        trunk="resnet", tails="streams", refinements=0, width=TINY, resnet_blocks=(1, 1, 1)
    )
    out = Rrmp(config).eval()(torch.zeros(1, 3, 64, 64))
    assert out.heatmaps_3d is not None
    assert out.heatmaps_3d.shape == out.maps.heatmaps.shape == (1, 18, 8, 8)
    assert SECTION_IV.tails == "streams"


def test_budget_of_the_full_width() -> None:
    """The size that DESIGN's frame rate stands on, and what the depth head adds to it."""
    image = torch.zeros(1, 3, 256, 448)
    rrmp = Rrmp().eval()
    assert 2.0e6 < parameters(rrmp) < 2.6e6
    assert 4.0e9 < macs(rrmp, lambda: rrmp(image)) < 4.7e9
    unified = Unified()
    assert parameters(unified) < 1.1 * parameters(rrmp)


@pytest.mark.parametrize(
    "switch",
    [
        {},
        {"target": "regression"},
        {"branches": "shared"},
        {"graph": GraphConfig(kind="fc")},
        {"pooling": "average"},
    ],
)
def test_hdnet_has_every_row_of_table_6(switch: dict) -> None:
    network = Hdnet(HdnetConfig(trunk="light", width=0.25, **switch)).eval()
    out = network(torch.rand(2, 3, 128, 128), torch.ones(2, 1, 32, 32))
    assert out.heatmaps.shape == (2, 17, 32, 32)
    assert out.uv.shape == (2, 17, 2)
    assert out.depth.shape == (2, 1 if "target" in switch else 71)
    full = parameters(Hdnet(HdnetConfig(trunk="light", width=0.25)))
    assert (parameters(network) < full) == bool(switch)


def test_hdnet_on_resnet_50() -> None:
    network = Hdnet(HdnetConfig(width=0.125)).eval()
    out = network(torch.rand(1, 3, 64, 64), torch.ones(1, 1, 16, 16))
    assert out.depth.shape == (1, 71)
    counts = [len(layer) for layer in network.trunk.layers]
    assert counts == [3, 4, 6, 3]


def test_heatmaps_stay_in_the_mask() -> None:
    torch.manual_seed(0)
    mask = box_mask(torch.tensor([[2.0, 3.0, 6.0, 9.0]]), (16, 16))
    heat = masked_softmax(torch.randn(1, 4, 16, 16) * 5.0, mask)
    torch.testing.assert_close(heat.sum((2, 3)), torch.ones(1, 4))
    assert float((heat * (1.0 - mask)).sum()) == 0.0
    uv = soft_argmax(heat)
    assert ((uv[..., 0] >= 2) & (uv[..., 0] <= 6)).all()
    assert ((uv[..., 1] >= 3) & (uv[..., 1] <= 9)).all()
    nobody = masked_softmax(torch.randn(1, 4, 16, 16), torch.zeros(1, 1, 16, 16))
    assert torch.isfinite(nobody).all()


def test_soft_argmax_by_hand() -> None:
    heat = torch.zeros(1, 1, 4, 5)
    heat[0, 0, 1, 2], heat[0, 0, 3, 4] = 0.75, 0.25
    torch.testing.assert_close(soft_argmax(heat), torch.tensor([[[2.5, 1.5]]]))


def test_graph_layer_is_equation_5() -> None:
    torch.manual_seed(0)
    layer = GraphLayer(3, 4, SKELETON).eval()
    x = torch.randn(2, 17, 3)
    a = SKELETON.adjacency
    expected = torch.zeros(2, 17, 4)
    for i, j in itertools.product(range(17), repeat=2):
        mapped = layer.own(x[:, i]) if i == j else layer.inter(x[:, j])
        expected[:, i] += float(a[i, j]) * mapped
    expected = torch.relu(expected / np.sqrt(1.0 + layer.norm.eps))
    torch.testing.assert_close(layer(x), expected)


def one_person(xy: dict[str, tuple[float, float]]) -> tuple[torch.Tensor, torch.Tensor]:
    cells, score = torch.full((1, 17, 2), float("nan")), torch.zeros(1, 17)
    for name, place in xy.items():
        cells[0, SKELETON.index[name]] = torch.tensor(place)
        score[0, SKELETON.index[name]] = 1.0
    return cells, score


def test_pooling_reads_at_the_joints_of_the_right_picture() -> None:
    pooling = PersonPooling(SKELETON, "none", reach=0)
    features = torch.arange(2 * 3 * 6 * 8, dtype=torch.float32).reshape(2, 3, 6, 8)
    xy, score = one_person({"neck": (3.2, 1.9), "left_wrist": (0.0, 5.0)})
    out = pooling(features, torch.ones(2, 18, 6, 8), xy, score, torch.tensor([1]))
    assert out.shape == (1, 17, 4)
    torch.testing.assert_close(out[0, SKELETON.neck, :3], features[1, :, 2, 3])
    torch.testing.assert_close(out[0, SKELETON.index["left_wrist"], :3], features[1, :, 5, 0])
    assert out[0, SKELETON.index["head"]].abs().sum() == 0.0


def test_masks_keep_strangers_out() -> None:
    """Another person's wrist beside mine: the limb mask alone does not see it."""
    heat = torch.zeros(1, 18, 16, 16)
    wrist = SKELETON.index["left_wrist"]
    heat[0, wrist, 8, 4] = heat[0, wrist, 8, 6] = 1.0  # mine, and theirs
    features = torch.zeros(1, 1, 16, 16)
    features[0, 0, 8, 6] = 1.0  # theirs
    xy, score = one_person(
        {"left_wrist": (4.0, 8.0), "left_elbow": (4.0, 3.0), "right_ankle": (12.0, 15.0)}
    )
    read = {
        kind: float(
            PersonPooling(SKELETON, kind)(features, heat, xy, score, torch.tensor([0]))[0, wrist, 0]
        )
        for kind in ("none", "box", "limb")
    }
    assert read["none"] == pytest.approx(0.5, abs=0.02)
    assert read["box"] == pytest.approx(0.5, abs=0.02)
    assert read["limb"] == 0.0
    narrow = PersonPooling(SKELETON, "box")
    xy, score = one_person({"left_wrist": (4.0, 8.0), "left_elbow": (4.0, 3.0)})
    assert float(narrow(features, heat, xy, score, torch.tensor([0]))[0, wrist, 0]) == 0.0


def test_depth_of_one_person_ignores_the_others() -> None:
    network = shaken(Unified(UnifiedConfig(rrmp=RrmpConfig(width=TINY))))
    torch.manual_seed(0)
    features, heat = torch.randn(2, network.depth_channels, 8, 12), torch.rand(2, 18, 8, 12)
    people = People(torch.rand(5, 17, 2) * 7.0, torch.rand(5, 17), torch.tensor([0, 1, 1, 0, 1]))
    together = network.depth(features, heat, people)
    assert together.shape == (5, PICTURE_BINS.count)
    for i in range(5):
        alone = People(*(v[i : i + 1] for v in people[:3]))
        torch.testing.assert_close(network.depth(features, heat, alone)[0], together[i])


def test_height_prior_moves_the_depth() -> None:
    network = shaken(Unified(UnifiedConfig(rrmp=RrmpConfig(width=TINY), height=True, camera=False)))
    out = network(torch.rand(1, 3, 64, 64))
    xy, score = torch.full((1, 17, 2), 4.0), torch.ones(1, 17)
    first = torch.tensor([0])
    answers = [
        network.depth(out.depth_features, out.rrmp.maps.heatmaps, People(xy, score, first, h))
        for h in (torch.tensor([[0.0, 0.0]]), torch.tensor([[-0.4, 1.0]]))
    ]
    assert (answers[0] - answers[1]).abs().max() > 1e-3


def test_rays_are_the_cells_centres() -> None:
    K = torch.tensor([[[100.0, 0.0, 31.5], [0.0, 120.0, 15.5], [0.0, 0.0, 1.0]]])
    rays = ray_maps(K, (4, 8))
    assert rays.shape == (1, 2, 4, 8)
    torch.testing.assert_close(rays[0, 0, 0, 0], torch.tensor((3.5 - 31.5) / 100.0))
    torch.testing.assert_close(rays[0, 1, 3, 0], torch.tensor((27.5 - 15.5) / 120.0))


def test_masked_losses_by_hand() -> None:
    target, mask = torch.zeros(1, 1, 1, 3), torch.tensor([[[[1.0, 1.0, 0.0]]]])
    predicted = torch.tensor([[[[1.0, 3.0, 100.0]]]])
    assert float(losses.masked_l2(predicted, target, mask)) == pytest.approx(5.0)
    locations = torch.zeros(1, 6, 1, 2)
    wrong = torch.tensor([[1.0, 0.0], [2.0, 0.0], [2.0, 0.0], [7.0, 7.0], [0.0, 0.0], [0.0, 0.0]])
    only_first = torch.tensor([[[[1.0, 0.0]], [[0.0, 0.0]]]])
    assert float(losses.orpm_loss(wrong[None, :, None], locations, only_first)) == pytest.approx(
        9.0
    )


def test_a_joint_far_off_pulls_less_by_distance() -> None:
    truth, mask = torch.zeros(1, 6, 1, 2), torch.ones(1, 2, 1, 2)
    wrong = torch.zeros(1, 2, 3, 1, 2)
    wrong[0, 0, :2, 0, 0] = torch.tensor([0.3, 0.4])  # half a metre
    far = losses.orpm_loss(wrong.reshape(1, 6, 1, 2), truth, mask, distance=True)
    assert float(far) == pytest.approx((np.hypot(0.5, 0.05) - 0.05) / 4.0, abs=1e-6)
    assert float(losses.orpm_loss(truth, truth, mask, distance=True)) == 0.0
    twice = losses.orpm_loss(2.0 * wrong.reshape(1, 6, 1, 2), truth, mask, distance=True)
    assert float(twice) < 2.2 * float(far)  # squared: four times


def test_bin_losses_are_least_at_the_truth() -> None:
    index = torch.tensor([10.0, 30.4])
    soft = torch.from_numpy(soft_target(index.numpy(), PAPER_BINS)).float()
    known = torch.tensor([1.0, 1.0])
    logits = torch.log(soft + 1e-9)
    entropy, distance = losses.bin_losses(logits, soft, index, known)
    assert float(distance) < 1e-4
    assert float(entropy) == pytest.approx(0.5 * -(0.6 * np.log(0.6) + 0.4 * np.log(0.4)), abs=1e-4)
    off = losses.bin_losses(torch.roll(logits, 7, 1), soft, index, known)
    assert float(off[0]) > 5.0
    assert float(off[1]) == pytest.approx(7.0 / 70.0, abs=1e-4)
    nothing = losses.bin_losses(torch.roll(logits, 7, 1), soft, index, torch.zeros(2))
    assert [float(v) for v in nothing] == [0.0, 0.0]


def test_authors_weights() -> None:
    assert losses.paper_weights(0) == (10.0, 1.0, 1e-3, 1.0)
    assert losses.paper_weights(20_000) == pytest.approx((5.0, 1.0, 5e-4, 1.0))


@pytest.fixture
def onnx_ready() -> None:
    for name in ("onnx", "onnxruntime"):
        pytest.importorskip(name, reason=f"export needs it: pip install {name}")


def randoms(**shapes: tuple[int, ...]) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(7)
    return {name: rng.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}


@pytest.mark.usefixtures("onnx_ready")
@pytest.mark.parametrize("free", [False, True])
def test_exported_rrmp_says_the_same(tmp_path: Path, free: bool) -> None:
    network, path = shaken(Rrmp(RrmpConfig(width=TINY))), tmp_path / "rrmp.onnx"
    export.export_rrmp(network, path, (96, 64), free_size=free)
    size = (1, 3, 128, 160) if free else (1, 3, 64, 96)
    difference = export.parity(export.RrmpGraph(network), path, randoms(image=size))
    assert max(difference.values()) < 1e-4
    stored = open_session(path).get_modelmeta().custom_metadata_map["config"]
    assert json.loads(stored)["width"] == TINY


@pytest.mark.usefixtures("onnx_ready")
@pytest.mark.parametrize("height", [False, True])
def test_exported_unified_says_the_same(tmp_path: Path, height: bool) -> None:
    network = shaken(Unified(UnifiedConfig(rrmp=RrmpConfig(width=TINY), height=height)))
    maps, head = tmp_path / "maps.onnx", tmp_path / "head.onnx"
    export.export_unified(network, maps, head, (96, 64))
    given = randoms(image=(1, 3, 64, 96), rays=(1, 2, 8, 12))
    assert max(export.parity(export.UnifiedGraph(network), maps, given).values()) < 1e-4
    for people in (1, 4):
        given = randoms(
            depth_features=(1, network.depth_channels, 8, 12), heatmaps=(1, 18, 8, 12),
            xy=(people, 17, 2), score=(people, 17),
        ) | (randoms(height=(people, 2)) if height else {})  # fmt: skip
        given["xy"] = given["xy"] * 3.0 + 5.0
        assert max(export.parity(export.DepthGraph(network), head, given).values()) < 1e-4


@pytest.mark.usefixtures("onnx_ready")
def test_exported_hdnet_says_the_same(tmp_path: Path) -> None:
    network = shaken(Hdnet(HdnetConfig(trunk="light", width=0.25)))
    export.export_hdnet(network, tmp_path / "hdnet.onnx", 64)
    given = randoms(image=(3, 3, 64, 64)) | {"mask": np.ones((3, 1, 16, 16), np.float32)}
    assert max(export.parity(network, tmp_path / "hdnet.onnx", given).values()) < 1e-4


@pytest.mark.usefixtures("onnx_ready")
def test_exported_hdnet_on_resnet_50_at_full_size(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = Hdnet(HdnetConfig(width=0.5))
    image = torch.rand(2, 3, 256, 256) * 2.0 - 1.0
    settle(network, image)
    export.export_hdnet(network, tmp_path / "hdnet.onnx")
    given = {"image": image.numpy(), "mask": np.ones((2, 1, 64, 64), np.float32)}
    assert max(export.parity(network, tmp_path / "hdnet.onnx", given).values()) < 1e-4


def settle(network: torch.nn.Module, image: torch.Tensor) -> None:
    """Batch norms of maps with the statistics of these pictures, as after training.

    Those of people stay: untrained, all people look the same, and their norms would blow up
    what is left of rounding.
    """
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm1d | torch.nn.BatchNorm2d):
            module.momentum = 1.0 if isinstance(module, torch.nn.BatchNorm2d) else 0.0
    with torch.no_grad():
        network.train()(image, torch.ones(len(image), 1, 64, 64))


@pytest.mark.usefixtures("onnx_ready")
def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bad.onnx"
    path.write_bytes(b"not a model")
    with pytest.raises(BackendError, match=r"bad\.onnx"):
        open_session(path)
