"""From joint features to a person's depth: the skeleton's graph network and what it replaces."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Literal

import msgspec
import torch
from torch import Tensor, nn

from posestream.skeleton.network import NetworkSkeleton


class GraphConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Shape of the depth head."""

    layers: Annotated[int, msgspec.Meta(ge=1, le=8, description="Layers.")] = 2
    hidden: Annotated[int, msgspec.Meta(ge=4, le=1024, description="Features per joint.")] = 128
    kind: Annotated[
        Literal["graph", "fc"],
        msgspec.Meta(description="Neighbours speak (eq. 5), or as many plain layers (table 6)."),
    ] = "graph"


class GraphLayer(nn.Module):
    """X_i ← σ(ã_ii f_self(X_i) + Σ_{j≠i} ã_ij f_inter(X_j)) (HDNet eq. 5); X (N, J, C).

    ã is L1-normalised by rows and has self-loops, without which f_self would weigh nothing; σ
    is batch norm and ReLU. Without a graph, σ(f_self(X_i)) remains.
    """

    weight_own: Tensor
    weight_inter: Tensor

    def __init__(self, inputs: int, outputs: int, skeleton: NetworkSkeleton | None) -> None:
        super().__init__()
        self.own = nn.Linear(inputs, outputs)
        self.inter = nn.Linear(inputs, outputs) if skeleton is not None else None
        if skeleton is not None:
            a = torch.tensor(skeleton.adjacency, dtype=torch.float32)
            diagonal = torch.diagonal(a)
            self.register_buffer("weight_own", diagonal[:, None].clone(), persistent=False)
            self.register_buffer("weight_inter", a - torch.diag(diagonal), persistent=False)
        self.norm = nn.BatchNorm1d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        y = self.own(x)
        if self.inter is not None:
            y = self.weight_own * y + torch.matmul(self.weight_inter, self.inter(x))
        flat = self.norm(y.reshape(-1, y.shape[-1]))
        out: Tensor = torch.relu(flat).reshape(y.shape)
        return out


class DepthHead(nn.Module):
    """Joint features (N, J, C), or (N, 1, C) of the whole person, to outputs (N, K)."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        config: GraphConfig,
        skeleton: NetworkSkeleton | None,
        extra: int = 0,
    ) -> None:
        super().__init__()
        graph = skeleton if config.kind == "graph" else None
        sizes = [inputs] + [config.hidden] * config.layers
        self.layers = nn.Sequential(*(GraphLayer(a, b, graph) for a, b in pairwise(sizes)))
        self.out = nn.Linear(config.hidden + extra, outputs)

    def forward(self, x: Tensor, extra: Tensor | None = None) -> Tensor:
        """``extra`` (N, E) joins the mean over the joints."""
        pooled = self.layers(x).mean(dim=1)
        if extra is not None:
            pooled = torch.cat([pooled, extra], dim=1)
        out: Tensor = self.out(pooled)
        return out
