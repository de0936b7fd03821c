"""Every network learns sixteen pictures by heart: targets, losses, decoding, read-out agree."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the networks need torch: pip install torch")

from posestream.estimate.base import EstimateSettings  # noqa: E402
from posestream.estimate.decode import DecodeSettings, find_people  # noqa: E402
from posestream.estimate.network_settings import RrmpSettings  # noqa: E402
from posestream.estimate.registry import create  # noqa: E402
from posestream.geometry.cells import px_to_cells  # noqa: E402
from posestream.geometry.depth_bins import PAPER_BINS, depth_from_index, expected_index  # noqa: E402
from posestream.lift.rrmp import lift, read_out  # noqa: E402
from posestream.nn.export import export_unified  # noqa: E402
from posestream.nn.hdnet import Hdnet, HdnetConfig  # noqa: E402
from posestream.nn.losses import (  # noqa: E402
    bin_losses,
    hdnet_losses,
    paper_weights,
    rrmp_losses,
    weighted,
)
from posestream.nn.rrmp import Rrmp, RrmpConfig  # noqa: E402
from posestream.nn.unified import People, Unified, UnifiedConfig, ray_maps  # noqa: E402
from posestream.skeleton.network import network_skeleton  # noqa: E402
from posestream.training.random_people import paint, random_people  # noqa: E402
from posestream.training.targets import (  # noqa: E402
    LabelledPeople,
    MapTargets,
    build_maps,
    depth_targets,
    probability_heatmaps,
)
from posestream.types import Camera, Frame  # noqa: E402

pytestmark = pytest.mark.networks
SKELETON = network_skeleton()
COUNT = 16
CHANNELS_LAST = torch.channels_last  # a third faster here
SIDE = 96
SIZE = (SIDE, SIDE)
FOCAL = 112.0
K = np.array([[FOCAL, 0.0, 47.5], [0.0, FOCAL, 47.5], [0.0, 0.0, 1.0]])


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Small tensors: more threads only wait for one another."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


class Samples(NamedTuple):
    people: list[LabelledPeople]
    images: torch.Tensor
    maps: dict[str, torch.Tensor]


def batch(targets: list[MapTargets]) -> dict[str, torch.Tensor]:
    names = ("heatmaps", "heat_mask", "pafs", "paf_mask", "locations", "location_mask")
    return {n: torch.from_numpy(np.stack([getattr(t, n) for t in targets])) for n in names}


@pytest.fixture(scope="module")
def samples() -> Samples:
    rng = np.random.default_rng(11)
    people = [random_people(rng, 1, SKELETON, K, SIZE, (2.6, 4.0)) for _ in range(COUNT)]
    images = np.stack([paint(p, SIZE, 2.25) for p in people]).astype(np.float32) * 2.0 - 1.0
    return Samples(
        people,
        torch.from_numpy(images).contiguous(memory_format=CHANNELS_LAST),
        batch([build_maps(p, SIZE, SKELETON) for p in people]),
    )


def train(module: torch.nn.Module, loss_of, steps: int, rate: float = 1e-2) -> None:
    """All pictures in every step; afterwards as it would be used, with statistics of its own."""
    torch.manual_seed(0)
    module.to(memory_format=CHANNELS_LAST).train()
    optimizer = torch.optim.Adam(module.parameters(), rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=steps)
    for _ in range(steps):
        optimizer.zero_grad()
        loss_of().backward()
        optimizer.step()
        schedule.step()
    module.eval()


def map_loss(output, maps: dict[str, torch.Tensor]) -> torch.Tensor:
    heat, paf, location = rrmp_losses(output, **maps)
    return 30.0 * heat + 30.0 * paf + 100.0 * location


def errors(maps, samples: Samples) -> tuple[float, float]:
    """Mean error in pixels and in metres of what decoding and read-out find in trained maps."""
    pixels, metres = [], []
    for i, truth in enumerate(samples.people):
        heat, paf, location = (m[i].detach().numpy() for m in maps)
        found = find_people(heat, paf, SKELETON, DecodeSettings(min_joint=0.3), location)
        assert len(found) == 1
        distance = np.linalg.norm(found.xy_cells[0] - px_to_cells(truth.xy_px[0], 8), axis=-1)
        assert np.isfinite(distance).sum() >= truth.visible[0].sum() - 2
        pixels.append(np.nanmean(distance) * 8)
        xyz = read_out(location, found.xy_cells, found.score, SKELETON).xyz_root_m[0]
        metres.append(np.nanmean(np.linalg.norm(xyz - truth.xyz_root_m[0], axis=-1)))
    return float(np.mean(pixels)), float(np.mean(metres))


def test_rrmp_learns_2d_and_3d(samples: Samples) -> None:
    torch.manual_seed(1)
    network = Rrmp(RrmpConfig(width=0.25))
    train(network, lambda: map_loss(network(samples.images), samples.maps), 180)
    pixels, metres = errors(network(samples.images).maps, samples)
    assert pixels < 3.0
    assert metres < 0.015


@pytest.fixture(scope="module")
def unified(samples: Samples) -> Unified:
    """Trained on the samples, with the true people given to the depth head."""
    torch.manual_seed(2)
    network = Unified(UnifiedConfig(rrmp=RrmpConfig(width=0.25)))
    people, rays = true_people(samples), sample_rays()
    target = depth_targets(depths(samples), FOCAL, network.config.bins)
    assert target.clamped == 0
    index, soft = torch.from_numpy(target.index).float(), torch.from_numpy(target.bins).float()

    def loss() -> torch.Tensor:
        out = network(samples.images, rays)
        logits = network.depth(out.depth_features, samples.maps["heatmaps"], people)
        entropy, distance = bin_losses(logits, soft, index, torch.ones(COUNT))
        return map_loss(out.rrmp, samples.maps) + entropy + 10.0 * distance

    train(network, loss, 180)
    return network


def true_people(samples: Samples) -> People:
    xy = np.concatenate([px_to_cells(p.xy_px, 8) for p in samples.people])
    score = np.concatenate([p.visible for p in samples.people]).astype(np.float32)
    return People(torch.from_numpy(xy).float(), torch.from_numpy(score), torch.arange(COUNT))


def sample_rays() -> torch.Tensor:
    return ray_maps(torch.from_numpy(K)[None].repeat(COUNT, 1, 1), (SIZE[1] // 8, SIZE[0] // 8))


def depths(samples: Samples) -> np.ndarray:
    return np.concatenate([p.depth_m for p in samples.people])


def test_unified_learns_distance_besides(samples: Samples, unified: Unified) -> None:
    out = unified(samples.images, sample_rays())
    assert errors(out.rrmp.maps, samples)[1] < 0.015
    logits = unified.depth(out.depth_features, out.rrmp.maps.heatmaps, true_people(samples))
    mean, _ = expected_index(torch.softmax(logits, 1).detach().numpy().astype(np.float64))
    found = depth_from_index(mean, FOCAL, unified.config.bins)
    assert np.abs(found / depths(samples) - 1.0).max() < 0.03


def test_exported_it_finds_people_through_the_back_end(
    samples: Samples, unified: Unified, tmp_path: Path
) -> None:
    """Picture in, people with 2D, 3D and distance out: no torch in between."""
    pytest.importorskip("onnx", reason="export needs it: pip install onnx")
    pytest.importorskip("onnxruntime", reason="the back end needs it: pip install onnxruntime")
    maps, head = tmp_path / "m.onnx", tmp_path / "h.onnx"
    export_unified(unified, maps, head, SIZE)
    rrmp = RrmpSettings(maps=str(maps), head=str(head), threads=1)
    estimator = create("rrmp", EstimateSettings(rrmp=rrmp))
    for picture, truth in zip(samples.images.numpy(), samples.people, strict=True):
        rgb = np.rint((picture + 1.0) * 127.5).astype(np.uint8).transpose(1, 2, 0)
        frame = Frame(0, 0, np.ascontiguousarray(rgb[..., ::-1]), Camera(K, SIZE))
        got = estimator.estimate(frame)
        assert len(got.people2d) == 1
        body = SKELETON.body_index
        error = np.linalg.norm(got.people2d.xy_px[0, body] - truth.xy_px[0], axis=-1)
        assert np.nanmean(np.where(truth.visible[0], error, np.nan)) < 6.0
        assert got.depth_m is not None
        assert got.depth_m[0] == pytest.approx(truth.depth_m[0], rel=0.05)
        assert got.maps is not None
        xyz = lift(got.people2d, got.maps, SKELETON).xyz_root_m[0, body]
        assert np.nanmean(np.linalg.norm(xyz - truth.xyz_root_m[0], axis=-1)) < 0.08


@pytest.mark.parametrize("target", ["bins", "regression"])
def test_hdnet_learns_pose_and_distance(samples: Samples, target: str) -> None:
    torch.manual_seed(3)
    network = Hdnet(HdnetConfig(trunk="light", width=0.5, target=target))
    focal = 1500.0  # of the original picture: d/f between 1 and 8 mm/px
    uv = np.concatenate([px_to_cells(p.xy_px, 4) for p in samples.people])
    known = np.concatenate([p.visible for p in samples.people])
    heat = torch.from_numpy(probability_heatmaps(uv, known, (SIDE // 4, SIDE // 4)))
    depth = np.concatenate([p.depth_m for p in samples.people])
    t = depth_targets(depth, focal, PAPER_BINS)
    assert t.clamped == 0
    args = (
        heat, torch.from_numpy(uv).float(), torch.from_numpy(known).float(),
        torch.full((COUNT,), 4.0 / FOCAL), torch.from_numpy(t.bins).float(),
        torch.from_numpy(t.index).float(), torch.ones(COUNT), PAPER_BINS,
    )  # fmt: skip
    mask = torch.ones(COUNT, 1, SIDE // 4, SIDE // 4)
    weights = paper_weights(0)._replace(bins=0.1, pose=10.0, bin_index=2.0)
    train(
        network, lambda: weighted(hdnet_losses(network(samples.images, mask), *args), weights), 150
    )
    out = network(samples.images, mask)
    error = np.linalg.norm(out.uv.detach().numpy() - uv, axis=-1)[known] * 4.0
    assert error.mean() < 1.5
    if target == "regression":
        found = out.depth.detach().numpy()[:, 0] * focal / 1000.0
    else:
        mean, _ = expected_index(torch.softmax(out.depth, 1).detach().numpy().astype(np.float64))
        found = depth_from_index(mean, focal, PAPER_BINS)
    assert np.abs(found / depth - 1.0).max() < 0.03
