"""Weight files: what is saved comes back, and nothing else is taken."""

from __future__ import annotations

import pickle
import zipfile
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="the networks need torch: pip install torch")

from posestream.errors import BackendError, WeightsError  # noqa: E402
from posestream.geometry.depth_bins import DepthBins  # noqa: E402
from posestream.nn import weights  # noqa: E402
from posestream.nn.hdnet import Hdnet, HdnetConfig  # noqa: E402
from posestream.nn.rrmp import Rrmp, RrmpConfig  # noqa: E402
from posestream.nn.thresholds import Thresholds  # noqa: E402
from posestream.nn.unified import Unified, UnifiedConfig  # noqa: E402

pytestmark = pytest.mark.networks
TINY = RrmpConfig(width=0.125, joints="avatar22")
CONFIGS = {
    "rrmp": TINY,
    "hdnet": HdnetConfig(trunk="light", width=0.25, bins=DepthBins(near=2.0, far=9.0, count=33)),
    "unified": UnifiedConfig(rrmp=TINY, mask="box", height=True),
}


@pytest.mark.parametrize("kind", CONFIGS)
def test_what_is_saved_comes_back_in_half_precision(tmp_path: Path, kind: str) -> None:
    torch.manual_seed(3)
    network, path = weights.build(kind, CONFIGS[kind]), tmp_path / "new" / "a.pt"
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2.0)
    weights.save(path, network)
    back = weights.load(path)
    assert type(back) is type(network)
    assert back.config == CONFIGS[kind]
    assert not back.training
    for name, value in network.state_dict().items():
        torch.testing.assert_close(back.state_dict()[name], value, rtol=1e-3, atol=1e-6)
        assert back.state_dict()[name].dtype == value.dtype
    assert path.stat().st_size < 2.6 * sum(v.numel() for v in network.state_dict().values()) + 2e5
    assert list(path.parent.iterdir()) == [path]


def test_thresholds_lie_beside_the_weights(tmp_path: Path) -> None:
    path, network = tmp_path / "net.pt", weights.build("rrmp", TINY)
    weights.save(path, network)
    assert weights.load_thresholds(path) is None
    chosen = Thresholds(min_joint=0.3, min_limb=0.15, min_joints=8)
    weights.save(path, network, chosen)
    assert weights.load_thresholds(path) == chosen
    weights.load(path)


def test_saved_again_it_is_the_same(tmp_path: Path) -> None:
    weights.save(tmp_path / "a.pt", Rrmp(TINY))
    first = weights.load(tmp_path / "a.pt")
    weights.save(tmp_path / "b.pt", first)
    second = weights.load(tmp_path / "b.pt")
    for a, b in zip(first.state_dict().values(), second.state_dict().values(), strict=True):
        assert torch.equal(a, b)


def test_another_architecture_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "a.pt"
    weights.save(path, Rrmp(TINY))
    with pytest.raises(WeightsError, match=r"a\.pt holds a network of kind 'rrmp', not 'unified'"):
        weights.load(path, "unified")
    with pytest.raises(WeightsError, match="kind 'rrmp', not 'hdnet'"):
        weights.load_into(path, Hdnet(CONFIGS["hdnet"]))
    with pytest.raises(WeightsError, match=r"width 0\.125, not 0\.25") as caught:
        weights.load_into(path, Rrmp(RrmpConfig(width=0.25, joints="avatar22")))
    assert "\n" not in str(caught.value)
    target = Rrmp(TINY)
    weights.load_into(path, target)
    key = "trunk.0.0.weight"
    assert torch.equal(target.state_dict()[key], weights.load(path).state_dict()[key])


def test_kind_and_config_must_agree() -> None:
    assert isinstance(weights.build("unified", CONFIGS["unified"]), Unified)
    with pytest.raises(WeightsError, match="HdnetConfig"):
        weights.build("rrmp", CONFIGS["hdnet"])
    with pytest.raises(WeightsError, match="resnet"):
        weights.build("resnet", TINY)
    with pytest.raises(WeightsError, match="Linear"):
        weights.kind_of(torch.nn.Linear(2, 2))


def rewritten(path: Path, **changes: object) -> Path:
    content = torch.load(path, weights_only=True) | changes
    torch.save(content, path)
    return path


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"format": 2}, "format 2"),
        ({"kind": "yolo"}, "'yolo'"),
        ({"kind": ["rrmp"]}, "kind"),
        ({"config": "{"}, "describes no network"),
        ({"config": None}, "describes no network"),
        ({"config": '{"width": 99}'}, "describes no network"),
        ({"config": '{"width": 2.0}'}, "does not fit"),
        ({"config": '{"trunk": "resnet", "resnet_blocks": [1, 1, 1, 1000000000]}'}, "no network"),
        ({"config": '{"trunk":"resnet","width":2.0,"resnet_blocks":[48,48,48,48]}'}, "larger"),
        ({"state": {}}, "does not fit"),
        ({"state": [1]}, "not a weight file"),
        ({"state": {"a": "b"}}, "not a weight file"),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path: Path, changes: dict, says: str) -> None:
    path = tmp_path / "a.pt"
    weights.save(path, Rrmp(TINY))
    with pytest.raises(WeightsError, match=says) as caught:
        weights.load(rewritten(path, **changes))
    assert "\n" not in str(caught.value)
    assert isinstance(caught.value, BackendError)


def test_values_must_be_finite(tmp_path: Path) -> None:
    network, path = Rrmp(TINY), tmp_path / "a.pt"
    weights.save(path, network)
    state = torch.load(path, weights_only=True)["state"]
    state["align.0.weight"].view(-1)[0] = float("nan")
    with pytest.raises(WeightsError, match=r"not finite \(align"):
        weights.load(rewritten(path, state=state))
    network.align[0].weight.data[0] = 1e6  # beyond half precision
    with pytest.raises(WeightsError, match="diverged"):
        weights.save(tmp_path / "b.pt", network)
    assert not (tmp_path / "b.pt").exists()


class Evil:
    def __reduce__(self) -> tuple:
        return (Path.touch, (Path("evil"),))


def test_strangers_files_are_refused_and_never_run(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "a.pt"
    with pytest.raises(WeightsError, match="no weight file at"):
        weights.load(path)
    for content in (b"", b"PK\x03\x04", b"not a model" * 100, pickle.dumps(Evil())):
        path.write_bytes(content)
        with pytest.raises(WeightsError, match="not a weight file of ours"):
            weights.load(path)
    torch.save({"format": 1, "kind": Evil(), "config": "", "state": {}}, path)
    with pytest.raises(WeightsError, match="not a weight file of ours"):
        weights.load(path)
    assert not (tmp_path / "evil").exists()


def test_a_bomb_is_refused_unopened(tmp_path: Path) -> None:
    path = tmp_path / "a.pt"
    deflated = zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED)
    with deflated as archive, archive.open("archive/data/0", "w") as entry:
        for _ in range(700):
            entry.write(bytes(1_000_000))
    with pytest.raises(WeightsError, match="larger than any"):
        weights.load(path)


def test_cut_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.pt"
    weights.save(path, Rrmp(TINY))
    whole = path.read_bytes()
    for share in (0.1, 0.5, 0.99):
        path.write_bytes(whole[: int(len(whole) * share)])
        with pytest.raises(WeightsError):
            weights.load(path)


def test_nowhere_to_write_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(WeightsError, match="cannot be written"):
        weights.save(tmp_path / "file" / "a.pt", Rrmp(TINY))
