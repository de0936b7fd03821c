"""torch to ONNX, fp32, opset 17, and the proof that both say the same.

Files and their tensors (float32; pictures RGB in [-1, 1]; h = H / 8, w = W / 8):

- maps: ``image`` (1, 3, H, W) [, ``rays`` (1, 2, h, w)] → ``heatmaps`` (1, J+1, h, w), ``pafs``
  (1, 2L, h, w), ``locations`` (1, 3J, h, w) [, ``depth_features`` (1, D, h, w)]. H and W are
  fixed in the file unless ``free_size``.
- depth head of ``unified``: ``depth_features``, ``heatmaps`` as above, ``xy`` (N, J, 2) cells,
  ``score`` (N, J) [, ``height`` (N, 2)] → ``logits`` (N, N_B). N is free.
- ``hdnet``: ``image`` (N, 3, 256, 256), ``mask`` (N, 1, 64, 64) → ``heatmaps`` (N, J, 64, 64),
  ``uv`` (N, J, 2), ``depth`` (N, N_B). N is free.

The configuration is stored in the file's metadata as JSON under ``config``; in the maps' file also
the ``thresholds`` that were chosen with the weights.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from posestream.nn.hdnet import Hdnet
from posestream.nn.rrmp import Rrmp
from posestream.nn.session import open_session
from posestream.nn.unified import People, Unified
from posestream.skeleton.network import network_skeleton

_OPSET = 17
_TRACED_PEOPLE = 3


class RrmpGraph(nn.Module):
    """image → heatmaps, pafs, locations."""

    def __init__(self, network: Rrmp) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        heatmaps, pafs, locations = self.network(image).maps
        return heatmaps, pafs, locations


class UnifiedGraph(nn.Module):
    """image, rays → heatmaps, pafs, locations, depth_features."""

    def __init__(self, network: Unified) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor, rays: Tensor | None = None) -> tuple[Tensor, ...]:
        out = self.network(image, rays)
        return (*out.rrmp.maps, out.depth_features)


class DepthGraph(nn.Module):
    """depth_features, heatmaps, xy, score [, height] → logits, for the people of one picture."""

    def __init__(self, network: Unified) -> None:
        super().__init__()
        self.network = network

    def forward(
        self,
        depth_features: Tensor,
        heatmaps: Tensor,
        xy: Tensor,
        score: Tensor,
        height: Tensor | None = None,
    ) -> Tensor:
        picture = torch.zeros_like(score[:, 0]).to(torch.int64)
        return self.network.depth(depth_features, heatmaps, People(xy, score, picture, height))


def export_rrmp(
    network: Rrmp, path: Path, size_px: tuple[int, int] = (448, 256), free_size: bool = False
) -> None:
    """Write the maps' file for inputs of ``size_px`` (width, height)."""
    image = torch.zeros(1, 3, size_px[1], size_px[0])
    free = _free_maps(["image"], ["heatmaps", "pafs", "locations"]) if free_size else {}
    names = ["heatmaps", "pafs", "locations"]
    _write(RrmpGraph(network), {"image": image}, names, path, free, network.config)


def export_unified(
    network: Unified, maps: Path, head: Path, size_px: tuple[int, int] = (448, 256)
) -> None:
    """Write the maps' file and the depth head's file."""
    shape = size_px[1] // network.stride, size_px[0] // network.stride
    inputs = {"image": torch.zeros(1, 3, size_px[1], size_px[0])}
    if network.config.camera:
        inputs["rays"] = torch.zeros(1, 2, *shape)
    names = ["heatmaps", "pafs", "locations", "depth_features"]
    _write(UnifiedGraph(network), inputs, names, maps, {}, network.config)

    joints = network_skeleton(network.config.rrmp.joints).num_joints
    people = {
        "depth_features": torch.zeros(1, network.depth_channels, *shape),
        "heatmaps": torch.zeros(1, joints + 1, *shape),
        "xy": torch.ones(_TRACED_PEOPLE, joints, 2),
        "score": torch.ones(_TRACED_PEOPLE, joints),
    }
    if network.config.height:
        people["height"] = torch.zeros(_TRACED_PEOPLE, 2)
    free = {name: {0: "people"} for name in ("xy", "score", "height", "logits")}
    _write(DepthGraph(network), people, ["logits"], head, free, network.config)


def export_hdnet(network: Hdnet, path: Path, side_px: int = 256) -> None:
    """Write HDNet's file for square patches; the number of patches is free."""
    side = side_px // network.stride
    inputs = {"image": torch.zeros(2, 3, side_px, side_px), "mask": torch.ones(2, 1, side, side)}
    names = ["heatmaps", "uv", "depth"]
    free = {name: {0: "people"} for name in (*inputs, *names)}
    _write(network, inputs, names, path, free, network.config)


def random_people_feed(
    network: Unified, cells: tuple[int, int], rng: np.random.Generator
) -> dict[str, NDArray[np.float32]]:
    """Inputs of the depth head's file for three people anywhere on maps of (h, w) cells."""
    joints = network_skeleton(network.config.rrmp.joints).num_joints
    shapes = {
        "depth_features": (1, network.depth_channels, *cells), "heatmaps": (1, joints + 1, *cells),
        "xy": (_TRACED_PEOPLE, joints, 2), "score": (_TRACED_PEOPLE, joints),
    }  # fmt: skip
    if network.config.height:
        shapes["height"] = (_TRACED_PEOPLE, 2)
    feed = {name: rng.uniform(0.0, 1.0, shape) for name, shape in shapes.items()}
    feed["xy"] *= np.array(cells[::-1]) - 1.0
    return {name: values.astype(np.float32) for name, values in feed.items()}


def parity(
    module: nn.Module, path: Path, inputs: Mapping[str, NDArray[np.float32]]
) -> dict[str, float]:
    """Largest difference between torch and the file, per output, in shares of its largest value.

    Values below 1 count as 1. A share, because both round: an HDNet joint at cell 60 lies up to
    2e-4 cells off in torch itself, against double precision, and half as far off in the file.
    """
    run = open_session(path)
    names = [output.name for output in run.get_outputs()]
    wanted = {i.name for i in run.get_inputs()}
    answers = run.run(names, {k: v for k, v in inputs.items() if k in wanted})
    module.eval()
    with torch.no_grad():
        expected = module(*(torch.from_numpy(v) for v in inputs.values()))
    expected = (expected,) if isinstance(expected, Tensor) else tuple(expected)
    pairs = zip(names, answers, expected, strict=True)
    return {name: _share(got, want.numpy()) for name, got, want in pairs}


def _share(got: NDArray[np.float32], want: NDArray[np.float32]) -> float:
    return float(np.abs(got - want).max(initial=0.0) / max(1.0, np.abs(want).max(initial=0.0)))


def _free_maps(inputs: Sequence[str], outputs: Sequence[str]) -> dict[str, dict[int, str]]:
    """Free height and width of pictures and of their maps."""
    pictures = {name: {2: "H", 3: "W"} for name in inputs}
    return pictures | {name: {2: "h", 3: "w"} for name in outputs}


def _write(
    module: nn.Module,
    inputs: Mapping[str, Tensor],
    outputs: list[str],
    path: Path,
    free: dict[str, dict[int, str]],
    config: msgspec.Struct,
) -> None:
    names = [*inputs, *outputs]
    path.parent.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # tracing's remarks, about which parity() knows better
        torch.onnx.export(
            module.eval(), tuple(inputs.values()), str(path), input_names=list(inputs),
            output_names=outputs, opset_version=_OPSET, dynamo=False,
            dynamic_axes={k: v for k, v in free.items() if k in names},
        )  # fmt: skip
    describe(path, "config", config)


def describe(path: Path, key: str, value: msgspec.Struct) -> None:
    """Store a value in the file."""
    import onnx

    model = onnx.load(str(path))
    known = {entry.key: entry.value for entry in model.metadata_props}
    onnx.helper.set_model_props(model, known | {key: msgspec.json.encode(value).decode()})
    onnx.checker.check_model(model)
    onnx.save(model, str(path))
