"""What weights are worth: figures on held-out pictures, one score, the decoder's thresholds.

The score is a mean of what the sets allow, each from 0 to 1: the share of right joints in 2D on
real pictures (weight 4), in 3D on synthetic ones (2) and on composites (2), and how near the
distance is (1 - median error / 0.3, weight 1 where there is a depth head); less 0.1 for every
extra person per real picture, at most 0.2.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
import torch

from posestream.errors import TrainingError
from posestream.estimate.decode import DecodeSettings
from posestream.nn.hdnet import Hdnet
from posestream.nn.rrmp import Rrmp
from posestream.nn.thresholds import Thresholds
from posestream.nn.unified import Unified
from posestream.nn.weights import Network
from posestream.skeleton.network import NetworkSkeleton
from posestream.training.config import TrainConfig, ValidationSource
from posestream.training.held_out import Answer, Found, find, pictures, skeleton_of
from posestream.training.held_out import answers as network_answers
from posestream.training.judge import Tally, tally
from posestream.training.judge_patches import Patch, judge_patches, patches
from posestream.training.sample import Sample

Figures = dict[str, dict[str, float]]
"""By the name of the set."""

_GRID: Final[dict[str, tuple[float, ...]]] = {
    "min_joint": (0.1, 0.15, 0.2, 0.3, 0.4),
    "min_limb": (0.15, 0.25, 0.35, 0.45),
    "min_joints": (4, 5, 6, 8),
}
_GRID_PICTURES: Final = 100  # per set, when thresholds are chosen
_ROUNDS: Final = 2  # the thresholds depend on each other
_TIE: Final = 0.004  # scores this close are one
_WORST_DEPTH: Final = 0.3
_EXTRA_COST: Final = 0.1
_MOST_EXTRA: Final = 2.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """Result of one validation."""

    score: float
    figures: Figures
    per_joint: dict[str, dict[str, dict[str, float]]]
    decode: DecodeSettings

    @property
    def thresholds(self) -> Thresholds:
        """What the weights were judged with, to be stored beside them."""
        d = self.decode
        return Thresholds(min_joint=d.min_joint, min_limb=d.min_limb, min_joints=d.min_joints)

    def plain(self) -> dict[str, Any]:
        """For JSON; NaN as None."""
        return {
            "score": _finite(self.score),
            "figures": {k: {n: _finite(v) for n, v in f.items()} for k, f in self.figures.items()},
            "per_joint": {
                k: {j: {n: _finite(v) for n, v in f.items()} for j, f in joints.items()}
                for k, joints in self.per_joint.items()
            },
            "decode": msgspec.to_builtins(self.decode),
        }


class Validator:
    """Holds the held-out pictures; judges networks on them."""

    def __init__(self, config: TrainConfig) -> None:
        """Reads every picture. Raises TrainingError if a set is missing or damaged."""
        self._settings = config.validation
        folder = Path(config.data.folder)
        self._sets: list[tuple[ValidationSource, list[Sample]]] = []
        self._patches: list[tuple[ValidationSource, list[Patch]]] = []
        for source in self._settings.sources:
            if config.network.kind == "hdnet":
                self._patches.append((source, patches(source, folder, config.data.size_px)))
            else:
                self._sets.append((source, pictures(source, folder, self._settings.size_px)))

    def __len__(self) -> int:
        return len(self._settings.sources)

    def judge(self, network: Network, device: torch.device, bf16: bool) -> Verdict:
        """Figures of the network as it is. Raises TrainingError if it is of another kind."""
        if isinstance(network, Hdnet) != bool(self._patches):
            raise TrainingError(
                f"{type(network).__name__} is not the kind of network that the configuration names."
            )
        if isinstance(network, Hdnet):
            tallies = {
                source.name: judge_patches(network, people, device, bf16)
                for source, people in self._patches
            }
            return self._verdict(tallies, self._settings.decode.over())
        skeleton = skeleton_of(network)
        maps = [network_answers(network, samples, device, bf16) for _, samples in self._sets]
        settings = self._settings.decode.over()
        if self._settings.choose:
            settings = chosen(lambda s: self._rough_score(network, skeleton, maps, s), settings)
        return self._verdict(self._tallies(network, skeleton, maps, settings, None), settings)

    def finds(
        self, network: Rrmp | Unified, device: torch.device, bf16: bool, settings: DecodeSettings
    ) -> Iterator[tuple[Sample, Found]]:
        """Every held-out picture and who is found in it."""
        for _, samples in self._sets:
            maps = network_answers(network, samples, device, bf16)
            for sample, answer in zip(samples, maps, strict=True):
                yield sample, find(network, sample, answer, settings, self._settings.lift)

    def _verdict(self, tallies: dict[str, Tally], settings: DecodeSettings) -> Verdict:
        figures = {name: t.figures() for name, t in tallies.items()}
        per_joint = {name: t.per_joint() for name, t in tallies.items()}
        return Verdict(self._score(figures), figures, per_joint, settings)

    def _rough_score(
        self,
        network: Rrmp | Unified,
        skeleton: NetworkSkeleton,
        maps: list[list[Answer]],
        settings: DecodeSettings,
    ) -> float:
        tallies = self._tallies(network, skeleton, maps, settings, _GRID_PICTURES)
        return self._score({name: t.figures() for name, t in tallies.items()})

    def _tallies(
        self,
        network: Rrmp | Unified,
        skeleton: NetworkSkeleton,
        maps: list[list[Answer]],
        settings: DecodeSettings,
        most: int | None,
    ) -> dict[str, Tally]:
        out: dict[str, Tally] = {}
        for (source, samples), answers in zip(self._sets, maps, strict=True):
            step = 1 if most is None else max(1, len(samples) // most)
            chosen_samples, chosen_answers = samples[::step], answers[::step]
            found = (
                find(network, s, a, settings, self._settings.lift)
                for s, a in zip(chosen_samples, chosen_answers, strict=True)
            )
            out[source.name] = tally(chosen_samples, found, skeleton)
        return out

    def _score(self, figures: Figures) -> float:
        roles = {source.name: source.role for source in self._settings.sources}
        return score(figures, roles)


def score(figures: Figures, roles: Mapping[str, str]) -> float:
    """The one number that decides which weights are best; NaN if nothing could be judged."""
    wanted = {"real": ("pck_2d", 4.0), "synthetic": ("pck_3d", 2.0), "composite": ("pck_3d", 2.0)}
    parts: list[tuple[float, float]] = []
    for role, (figure, weight) in wanted.items():
        values = [figures[n][figure] for n, r in roles.items() if r == role]
        values = [v for v in values if np.isfinite(v)]
        parts += [(float(np.mean(values)), weight)] if values else []
    depth = [f["depth_error"] for f in figures.values() if np.isfinite(f["depth_error"])]
    parts += [(max(0.0, 1.0 - float(np.mean(depth)) / _WORST_DEPTH), 1.0)] if depth else []
    if not parts:
        return float("nan")
    judged = [n for n, r in roles.items() if r == "real"] or list(roles)
    extra = float(np.mean([figures[n]["extra"] for n in judged]))
    mean = np.average([v for v, _ in parts], weights=[w for _, w in parts])
    return float(mean - _EXTRA_COST * min(extra, _MOST_EXTRA))


def chosen(rate: Callable[[DecodeSettings], float], settings: DecodeSettings) -> DecodeSettings:
    """The decoder's thresholds that score best, one after the other on a small grid; then the
    strictest that score hardly less: false people disturb more than such a difference tells."""
    steps = [(name, value) for name, values in _GRID.items() for value in values]
    best, best_score = settings, rate(settings)
    for name, value in steps * _ROUNDS:
        trial = msgspec.structs.replace(best, **{name: value})
        if trial != best and (found := rate(trial)) > best_score:
            best, best_score = trial, found
    for name, value in steps:
        trial = msgspec.structs.replace(best, **{name: value})
        if value > getattr(best, name) and rate(trial) >= best_score - _TIE:
            best = trial
    return best


def table(verdict: Verdict) -> str:
    """A few lines to read."""
    names = (
        f"{'people':>7}{'recall':>8}{'extra':>7}{'2D':>7}{'OKS':>7}{'3D':>7}{'mm':>6}{'depth':>7}"
    )
    head = " " * 14 + names
    lines = [head]
    for name, f in verdict.figures.items():
        lines.append(
            f"{name:14}{f['people']:7.0f}{_percent(f['recall'], 8)}{f['extra']:7.2f}"
            f"{_percent(f['pck_2d'])}{_percent(f['oks'])}{_percent(f['pck_3d'])}"
            f"{_number(f['mpjpe_mm'], 6)}{_percent(f['depth_error'])}"
        )
    d = verdict.decode
    lines.append(
        f"score {verdict.score:.4f} · joints from {d.min_joint:g}, limbs from {d.min_limb:g}, "
        f"people of {d.min_joints}"
    )
    return "\n".join(lines)


def _percent(value: float, width: int = 7) -> str:
    return f"{100.0 * value:{width}.1f}" if np.isfinite(value) else f"{'–':>{width}}"


def _number(value: float, width: int) -> str:
    return f"{value:{width}.0f}" if np.isfinite(value) else f"{'–':>{width}}"


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
