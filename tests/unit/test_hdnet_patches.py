"""HDNet behind a back end: patches, focal lengths and bins, proven by a model that measures.

The model, made by hand, judges the distance of a white disc one metre wide by its area within the
mask: what it says is right only if crop, mask, scale, f and bins are.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="the models are made with it: pip install onnx")
pytest.importorskip("onnxruntime", reason="the back end needs it: pip install onnxruntime")

import msgspec  # noqa: E402
from onnx import TensorProto, helper, numpy_helper  # noqa: E402

from posestream.errors import BackendError, WeightsError  # noqa: E402
from posestream.estimate.backends.fake import FakeEstimator  # noqa: E402
from posestream.estimate.backends.hdnet import HdnetEstimator  # noqa: E402
from posestream.estimate.backends.hdnet_onnx import OnnxPatches  # noqa: E402
from posestream.estimate.base import EstimateSettings  # noqa: E402
from posestream.estimate.network_settings import HdnetSettings, RrmpSettings  # noqa: E402
from posestream.estimate.patches import box_masks, cut, squares, to_patch  # noqa: E402
from posestream.estimate.registry import check_hdnet, create  # noqa: E402
from posestream.estimate.weight_files import find, find_hdnet  # noqa: E402
from posestream.geometry.camera import project  # noqa: E402
from posestream.geometry.depth_bins import PAPER_BINS, PICTURE_BINS, DepthBins  # noqa: E402
from posestream.lift.rrmp import LiftSettings  # noqa: E402
from posestream.locate.geometric import LocateSettings  # noqa: E402
from posestream.placing import place_people  # noqa: E402
from posestream.skeleton.joints import NUM_JOINTS, ROOT  # noqa: E402
from posestream.types import Camera, Estimate, Frame, People2D, PeopleRoot  # noqa: E402

pytestmark = pytest.mark.networks
SIDE = 128
DISC_M = 1.0
CAMERA = Camera(np.array([[900.0, 0.0, 399.5], [0.0, 900.0, 299.5], [0.0, 0.0, 1.0]]), (800, 600))


def save(path: Path, nodes: list, constants: dict[str, np.ndarray], width: int, config: dict):
    """A model with the inputs and outputs of an exported HDNet."""
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["people", 3, SIDE, SIDE])
    cells = ["people", 1, SIDE // 4, SIDE // 4]
    mask = helper.make_tensor_value_info("mask", TensorProto.FLOAT, cells)
    depth = helper.make_tensor_value_info("depth", TensorProto.FLOAT, ["people", width])
    initial = [numpy_helper.from_array(np.asarray(v), k) for k, v in constants.items()]
    graph = helper.make_graph(nodes, "by_hand", [image, mask], [depth], initial)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(model, {"config": msgspec.json.encode(config).decode()})
    onnx.checker.check_model(model)
    onnx.save(model, str(path))
    return path


def measuring_model(path: Path, bins: DepthBins | None, per_patch_px: float = 1.0) -> Path:
    """d/f of a white disc in mm per pixel; ``per_patch_px``: pixels that count per patch pixel."""
    f = np.float32
    node = helper.make_node
    nodes = [
        node("Resize", ["mask", "", "four"], ["box"], mode="nearest", nearest_mode="floor",
             coordinate_transformation_mode="asymmetric"),
        node("Relu", ["image"], ["brightness"]),  # not the grey beyond the picture
        node("Mul", ["brightness", "box"], ["light"]),
        node("ReduceSum", ["light", "axes"], ["sum"], keepdims=1),  # (M, 1, 1, 1), 3 per pixel
        node("Reshape", ["sum", "flat"], ["area3"]),
        node("Mul", ["area3", "to_diameter2"], ["diameter2"]),
        node("Sqrt", ["diameter2"], ["diameter"]),
    ]  # fmt: skip
    constants = {
        "one": f(1.0), "four": np.array([1, 1, 4, 4], f),
        "axes": np.array([1, 2, 3]), "flat": np.array([-1, 1]),
        "to_diameter2": f(4.0 / np.pi / 3.0 * per_patch_px**2),
        "millimetres": f(1000.0 * DISC_M),
    }  # fmt: skip
    if bins is None:
        nodes.append(node("Div", ["millimetres", "diameter"], ["depth"]))
        return save(path, nodes, constants, 1, {"target": "regression"})
    step = np.log(bins.far / bins.near) / (bins.count - 1)
    constants |= {
        "near": f(np.log(bins.near)), "step": f(step), "tiny": f(1e-6),
        "numbers": np.arange(bins.count, dtype=f)[None],
    }  # fmt: skip
    nodes += [
        node("Div", ["millimetres", "diameter"], ["ratio"]),
        node("Log", ["ratio"], ["log"]),
        node("Sub", ["log", "near"], ["above"]),
        node("Div", ["above", "step"], ["index"]),
        node("Sub", ["numbers", "index"], ["away"]),
        node("Abs", ["away"], ["apart"]),
        node("Sub", ["one", "apart"], ["weight"]),
        node("Relu", ["weight"], ["share"]),
        node("Add", ["share", "tiny"], ["some"]),
        node("Log", ["some"], ["depth"]),
    ]
    return save(path, nodes, constants, bins.count, {"bins": msgspec.to_builtins(bins)})


def discs(places_m: np.ndarray) -> tuple[Frame, Estimate]:
    """White discs before black at places (N, 3), and joints all round them and in the middle."""
    y, x = np.mgrid[: CAMERA.size_px[1], : CAMERA.size_px[0]]
    middle = project(places_m, CAMERA.K_px)
    radius = CAMERA.K_px[0, 0] * DISC_M / 2.0 / places_m[:, 2]
    light = np.zeros(x.shape)
    for (u, v), r in zip(middle, radius, strict=True):
        light = np.maximum(light, np.clip(r + 0.5 - np.hypot(x - u, y - v), 0.0, 1.0))
    image = np.repeat(np.rint(255.0 * light)[..., None], 3, axis=2).astype(np.uint8)
    angle = np.linspace(0.0, 2.0 * np.pi, NUM_JOINTS, endpoint=False)
    rim = DISC_M / 2.0 * np.stack([np.cos(angle), np.sin(angle), 0.0 * angle], axis=1)
    xyz = np.tile(rim, (len(places_m), 1, 1))
    xyz[:, ROOT] = 0.0
    xy = project(places_m[:, None] + xyz, CAMERA.K_px)
    score = np.ones(xy.shape[:2])
    people = People2D(xy, score, np.ones(len(xy)))
    truth = Estimate(people, PeopleRoot(xyz), root_cam_m=places_m)
    return Frame(0, 0, image, CAMERA, truth), truth


PLACES = np.array([[-1.61, 0.4, 5.0], [0.1, -0.1, 3.2], [2.28, 0.9, 6.5]])


def estimator(model: Path, **settings: object) -> HdnetEstimator:
    return HdnetEstimator(FakeEstimator(), OnnxPatches(model, 1), HdnetSettings(**settings))


@pytest.mark.parametrize("bins", [PICTURE_BINS, None], ids=["bins", "regression"])
def test_distances_are_right_at_each_patchs_own_scale(tmp_path: Path, bins) -> None:
    """Three people of different size, off the middle; one patch reaches beyond the picture."""
    hdnet = estimator(measuring_model(tmp_path / "m.onnx", bins))
    frame, truth = discs(PLACES)
    got = hdnet.estimate(frame)
    np.testing.assert_allclose(got.depth_m, PLACES[:, 2], rtol=0.02)
    assert got.root_cam_m is None
    np.testing.assert_array_equal(got.people2d.xy_px, truth.people2d.xy_px)
    placed = place_people(got, CAMERA, "fake", LiftSettings(), LocateSettings(method="hdnet"))
    assert placed.by == "hdnet"
    np.testing.assert_allclose(placed.people.root_cam_m, PLACES, rtol=0.02, atol=0.01)


def test_fixed_patches_count_with_f_of_the_picture(tmp_path: Path) -> None:
    """As the paper: the picture's own scale, the paper's bins."""
    fixed_px = 360
    model = measuring_model(tmp_path / "m.onnx", PAPER_BINS, fixed_px / SIDE)
    hdnet = estimator(model, patch="fixed", fixed_px=fixed_px)
    for place in PLACES:  # alone: a neighbour's disc would be in the patch
        frame, _ = discs(place[None])
        np.testing.assert_allclose(hdnet.estimate(frame).depth_m, place[2:], rtol=0.02)


def test_the_same_person_in_a_picture_of_another_size_is_as_far_away(tmp_path: Path) -> None:
    model = measuring_model(tmp_path / "m.onnx", PICTURE_BINS)
    frame, truth = discs(PLACES[1:2])
    half = Frame(
        0, 0, np.ascontiguousarray(frame.image[::2, ::2]),
        Camera(CAMERA.K_px * [[0.5], [0.5], [1.0]], (400, 300)),
        Estimate(
            People2D(truth.people2d.xy_px / 2.0, truth.people2d.score, np.ones(1)), truth.root3d
        ),
    )  # fmt: skip
    depth = [estimator(model).estimate(f).depth_m[0] for f in (frame, half)]
    np.testing.assert_allclose(depth, PLACES[1, 2], rtol=0.02)


def test_nobody_and_the_unseen_have_no_distance(tmp_path: Path) -> None:
    hdnet = estimator(measuring_model(tmp_path / "m.onnx", PICTURE_BINS))
    frame, _ = discs(PLACES[:0])
    assert hdnet.estimate(frame).depth_m.shape == (0,)
    frame, truth = discs(PLACES)
    truth.people2d.score[1] = 0.0
    truth.people2d.xy_px[2] = np.nan
    got = hdnet.estimate(frame)
    assert np.isfinite(got.depth_m).tolist() == [True, False, False]
    strict = place_people(got, CAMERA, "fake", LiftSettings(), LocateSettings(method="hdnet"))
    assert np.isfinite(strict.people.root_cam_m[:, 2]).tolist() == [True, False, False]
    assert strict.people.depth_score[1:].tolist() == [0.0, 0.0]
    hdnet.close()
    hdnet.close()


def test_patches_are_those_of_training() -> None:
    """Corner, scale and mask of what the trainer cuts, to within half a pixel of the picture."""
    pytest.importorskip("torch", reason="training needs torch: pip install torch")
    from posestream.geometry.cells import px_to_cells
    from posestream.skeleton.network import network_skeleton
    from posestream.training.example import box_mask
    from posestream.training.judge_patches import _patch
    from posestream.training.sample import Sample

    rng = np.random.default_rng(5)
    coarse = rng.integers(0, 256, (8, 10, 3), dtype=np.uint8)
    picture = np.ascontiguousarray(np.kron(coarse, np.ones((50, 50, 1), np.uint8)))
    xy = rng.uniform([120.0, 60.0], [330.0, 350.0], (1, NUM_JOINTS, 2))
    seen = np.ones((1, NUM_JOINTS), dtype=bool)
    nothing = np.full(1, np.nan)
    sample = Sample(
        picture, xy, seen, np.full((1, NUM_JOINTS, 3), np.nan), nothing, nothing, CAMERA.K_px, None
    )
    theirs = _patch(sample, 0, (128, 128))
    where = squares(xy, seen)
    picture_px = where.side_px[0] / 128  # per patch pixel
    np.testing.assert_allclose(to_patch(xy, where, 128), theirs.xy_px, atol=1.5 / picture_px)
    np.testing.assert_allclose(
        CAMERA.K_px[0, 0] / picture_px, theirs.K_px[0, 0], rtol=0.5 / where.side_px[0]
    )
    ours = (cut(picture, where, 128)[0].transpose(1, 2, 0)[..., ::-1] + 1.0) * 127.5
    assert np.abs(ours - theirs.picture).mean() < 4.0
    joints = network_skeleton().body_index
    mask = box_masks(xy[:, joints], seen[:, joints], where, 128)
    cells = px_to_cells(theirs.xy_px[0, joints], 4)
    wanted = box_mask(cells, np.ones(len(joints), dtype=bool), (32, 32))
    assert np.abs(mask[0, 0] - wanted[0]).sum() <= 64  # one row or column, by rounding


def test_it_stands_behind_any_back_end(tmp_path: Path) -> None:
    model = measuring_model(tmp_path / "m.onnx", PICTURE_BINS)
    settings = EstimateSettings(hdnet=HdnetSettings(weights=str(model), threads=1))
    hdnet = create("fake", settings)
    assert hdnet.name == "fake"
    frame, _ = discs(PLACES)
    np.testing.assert_allclose(hdnet.estimate(frame).depth_m, PLACES[:, 2], rtol=0.02)
    found = check_hdnet(settings)
    assert found is not None and found.ok
    assert check_hdnet(EstimateSettings()) is None


def test_wrong_files_are_one_sentence(tmp_path: Path) -> None:
    def refused(weights: Path | str) -> str:
        with pytest.raises(BackendError) as caught:
            create("fake", EstimateSettings(hdnet=HdnetSettings(weights=str(weights), threads=1)))
        return str(caught.value)

    assert "no weight file at" in refused(tmp_path / "none.onnx")
    (tmp_path / "bad.onnx").write_bytes(b"\x00" * 100)
    assert "is not a model" in refused(tmp_path / "bad.onnx")
    other = measuring_model(tmp_path / "other.onnx", PICTURE_BINS)
    model = onnx.load(str(other))
    model.graph.input[0].name = "picture"
    next(n for n in model.graph.node if n.op_type == "Relu").input[0] = "picture"
    onnx.save(model, str(tmp_path / "inputs.onnx"))
    assert "holds no HDNet" in refused(tmp_path / "inputs.onnx")
    model = onnx.load(str(other))
    helper.set_model_props(model, {"config": '{"bins": {"near": 1, "far": 8, "count": 71}}'})
    onnx.save(model, str(tmp_path / "bins.onnx"))
    assert "holds no HDNet" in refused(tmp_path / "bins.onnx")
    helper.set_model_props(model, {"config": "nothing"})
    onnx.save(model, str(tmp_path / "config.onnx"))
    assert "export it anew" in refused(tmp_path / "config.onnx")
    assert "'nobody' ship with this version: name a file" in refused("nobody")


def test_networks_for_comparison_must_be_asked_for(tmp_path: Path) -> None:
    for name in ("paper-rrmp-2.maps", "paper-rrmp-10.maps", "paper-hdnet-3", "paper-hdnet-20"):
        (tmp_path / f"{name}.onnx").touch()
    with pytest.raises(WeightsError, match="No weights ship"):
        find(RrmpSettings(), tmp_path)
    (tmp_path / "own-1.maps.onnx").touch()
    assert find(RrmpSettings(), tmp_path).maps.name == "own-1.maps.onnx"
    assert find(RrmpSettings(maps="paper-rrmp"), tmp_path).maps.name == "paper-rrmp-10.maps.onnx"
    assert find_hdnet(HdnetSettings(weights="paper-hdnet"), tmp_path).name == "paper-hdnet-20.onnx"
    assert find_hdnet(HdnetSettings(), tmp_path) is None
    with pytest.raises(WeightsError, match=r"posestream train .*rrmp-half.*--name paper-rrmp"):
        find(RrmpSettings(maps="paper-rrmp"), tmp_path / "none")
    with pytest.raises(WeightsError, match=r"posestream train .*hdnet-half.*--name paper-hdnet"):
        find_hdnet(HdnetSettings(weights="paper-hdnet"), tmp_path / "none")


def test_torch_and_onnx_say_the_same(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="the networks need torch: pip install torch")
    from posestream.estimate.backends.hdnet_torch import TorchPatches
    from posestream.nn import export, weights
    from posestream.nn.hdnet import Hdnet, HdnetConfig

    torch.manual_seed(0)
    torch.set_num_threads(1)
    weights.save(tmp_path / "h.pt", Hdnet(HdnetConfig(trunk="light", width=0.125)))
    export.export_hdnet(weights.load(tmp_path / "h.pt", "hdnet"), tmp_path / "h.onnx", SIDE)
    by_torch = TorchPatches(tmp_path / "h.pt", "cpu", SIDE, 1)
    by_onnx = OnnxPatches(tmp_path / "h.onnx", 1)
    assert by_torch.facts == by_onnx.facts
    image = np.random.default_rng(1).uniform(-1.0, 1.0, (3, 3, SIDE, SIDE)).astype(np.float32)
    mask = np.ones((3, 1, SIDE // 4, SIDE // 4), np.float32)
    answers = [engine.depth(image, mask) for engine in (by_torch, by_onnx)]
    assert answers[0].shape == (3, 71)
    np.testing.assert_allclose(answers[0], answers[1], atol=1e-4)
    if not torch.cuda.is_available():
        with pytest.raises(BackendError, match=r"estimate\.hdnet\.device=cpu"):
            TorchPatches(tmp_path / "h.pt", "cuda", SIDE)
