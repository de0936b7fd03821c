"""The quick way through depthwise convolutions gives what the usual way gives."""

from __future__ import annotations

import copy

import pytest

torch = pytest.importorskip("torch", reason="the networks need torch: pip install torch")

from posestream.nn.rrmp import Rrmp, RrmpConfig  # noqa: E402
from posestream.training.cpu_convolutions import ease  # noqa: E402

pytestmark = pytest.mark.networks


@pytest.mark.parametrize(
    ("size", "options"),
    [(12, {"dilation": 2, "padding": 2}), (12, {"dilation": 4, "padding": 4}),
     (13, {"dilation": 2, "padding": 2}), (12, {"stride": 2, "padding": 1}),
     (12, {"kernel_size": 5, "padding": 2})],
)  # fmt: skip
def test_values_and_gradients_are_the_same(size: int, options: dict[str, int]) -> None:
    torch.manual_seed(0)
    usual = torch.nn.Conv2d(6, 6, **{"kernel_size": 3, "groups": 6, "bias": False, **options})
    quick = copy.deepcopy(usual)
    ease(quick)
    assert "forward" in vars(quick)
    x, y = (torch.randn(2, 6, size, size, requires_grad=True) for _ in range(2))
    y.data.copy_(x.data)
    a, b = usual(x), quick(y)
    torch.testing.assert_close(a, b)
    weight = torch.randn_like(a)
    (a * weight).sum().backward()
    (b * weight).sum().backward()
    torch.testing.assert_close(x.grad, y.grad)
    torch.testing.assert_close(usual.weight.grad, quick.weight.grad)


def test_a_network_keeps_its_weights_names_and_kind() -> None:
    network = Rrmp(RrmpConfig(width=0.125))
    names = list(network.state_dict())
    image = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        network.eval()
        before = network(image).maps
        ease(network)
        after = network(image).maps
    assert type(network) is Rrmp and list(network.state_dict()) == names
    for a, b in zip(before, after, strict=True):
        torch.testing.assert_close(a, b, atol=1e-6, rtol=1e-4)
    with torch.autocast("cpu", torch.bfloat16):
        assert network(image).locations.dtype == torch.bfloat16
