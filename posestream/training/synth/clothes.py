"""MakeHuman proxies (clothes, shoes, hair, eyebrows): fitting to a body, and its weights.

A proxy vertex is tied to three vertices of the base mesh: a weighted mean of them plus an
offset that scales with the body's local size.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from posestream.arrays import F64, I64
from posestream.training.synth.bodies import Body

_AXES = {"x_scale": 0, "y_scale": 1, "z_scale": 2}


@dataclass(frozen=True, slots=True, eq=False)
class Proxy:
    """How a garment's vertices follow the base mesh."""

    reference: I64  # (V, 3) base mesh vertices
    weight: F64  # (V, 3) may be negative, rows sum to about 1
    offset: F64  # (V, 3) in units of ``scale``
    scale: tuple[tuple[int, int, float] | None, ...]  # per axis: two vertices, their distance
    hidden: I64  # (H,) base mesh vertices under the garment


def parse_proxy(text: str) -> Proxy:
    """Read a ``.mhclo`` text."""
    scale: list[tuple[int, int, float] | None] = [None, None, None]
    rows: list[list[float]] = []
    hidden: list[int] = []
    section = ""
    for line in text.splitlines():
        word = line.split()
        if not word or word[0].startswith("#"):
            continue
        if word[0] in _AXES:
            scale[_AXES[word[0]]] = (int(word[1]), int(word[2]), float(word[3]))
        elif word[0] in ("verts", "delete_verts"):
            section = word[0]
        elif word[0][0].isalpha():
            section = "" if word[0] in ("weights", "faces") else section
        elif section == "verts":
            rows.append(_row([float(x) for x in word]))
        elif section == "delete_verts":
            hidden.extend(_ranges(line))
    table = np.array(rows)
    return Proxy(
        table[:, :3].astype(np.int64), table[:, 3:6], table[:, 6:9], tuple(scale),
        np.array(hidden, dtype=np.int64),
    )  # fmt: skip


def _row(values: list[float]) -> list[float]:
    if len(values) == 9:
        return values
    return [values[0]] * 3 + [1.0] + [0.0] * 5


def _ranges(line: str) -> list[int]:
    indices: list[int] = []
    for part in line.replace(" - ", "-").split():
        first, _, last = part.partition("-")
        indices.extend(range(int(first), int(last or first) + 1))
    return indices


def fit(proxy: Proxy, base_vertex: F64) -> F64:
    """Vertices (V, 3) of the proxy on a base mesh (19158, 3), in the base mesh's unit."""
    size = np.ones(3)
    for axis, entry in enumerate(proxy.scale):
        if entry is not None:
            a, b, distance = entry
            size[axis] = abs(base_vertex[a, axis] - base_vertex[b, axis]) / distance
    mean = np.einsum("vck,vc->vk", base_vertex[proxy.reference], proxy.weight)
    return np.asarray(mean + proxy.offset * size)


def weights(proxy: Proxy, body: Body) -> F64:
    """Skinning weights (V, K) of the proxy's vertices, from those they are tied to."""
    share = np.clip(proxy.weight, 0.0, None)
    share /= share.sum(axis=1, keepdims=True)
    dense = body.dense_weights()
    return np.asarray(np.einsum("vck,vc->vk", dense[proxy.reference], share))
