"""Cut-out people before backgrounds, nearer over farther: real texture with labels in depth.

The owner map, the hidden joints, the 3D poses and the depths follow from where the people were
put. Everything is a pure function of the random numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import cv2
import msgspec
import numpy as np

from posestream.arrays import F64, Bool, Image
from posestream.errors import TrainingError
from posestream.skeleton.joints import ROOT
from posestream.training.composite_looks import background, paste, patterned_front
from posestream.training.composite_scene import (
    Outline,
    Place,
    Scene,
    SceneSettings,
    Share,
    draw_place,
    draw_scene,
    turned,
)
from posestream.training.real.conventions import MIRRORED
from posestream.training.real.posture import Posture, posture
from posestream.training.sample import IGNORED, Sample
from posestream.training.shards import ShardSet

_HIDDEN_SHARE = 0.1  # of a silhouette in the picture: of whom less is seen has no labels
_TRIES = 40


class PostureWeights(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How often people of each posture are taken, relative to each other."""

    upright: Share = 0.7
    seated: Share = 1.0
    gesturing: Share = 1.0
    acrobat: Share = 0.12

    def of(self, kind: Posture) -> float:
        """The weight of one posture."""
        return float(getattr(self, kind))


class CompositeSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How people are put together."""

    people: Annotated[
        tuple[float, ...],
        msgspec.Meta(min_length=1, description="Weights of pictures with 1, 2, 3 … people."),
    ] = (0.3, 0.3, 0.25, 0.15)
    postures: PostureWeights = PostureWeights()
    scene: SceneSettings = SceneSettings()
    flip_share: Share = 0.5
    match: Annotated[
        Share, msgspec.Meta(description="How far people take on the background's colours, at most.")
    ] = 0.5
    front_share: Annotated[
        Share, msgspec.Meta(description="Pictures with something like a desk in front.")
    ] = 0.15
    plain_share: Annotated[
        Share, msgspec.Meta(description="Backgrounds that are blurred though nobody is in them.")
    ] = 0.1


@dataclass(frozen=True, slots=True, eq=False)
class _Actor:
    """A cut-out with its place."""

    sample: Sample
    place: Place


class Compositor:
    """Makes pictures of people and backgrounds in shards. Raises TrainingError if one is empty."""

    def __init__(
        self, people: ShardSet, backgrounds: ShardSet, settings: CompositeSettings | None = None
    ) -> None:
        """People are cut-outs: one person a sample, with pose, depth, camera and silhouette."""
        if not len(people) or not len(backgrounds):
            raise TrainingError("There are no people, or no backgrounds, to make composites of.")
        self._people, self._backgrounds = people, backgrounds
        self.settings = settings or CompositeSettings()
        self._weight: dict[int, float] = {}

    def compose(self, rng: np.random.Generator, size_px: tuple[int, int]) -> Sample:
        """A picture of this width and height. Raises TrainingError if a sample is damaged."""
        s = self.settings
        scene = draw_scene(rng, size_px, s.scene)
        picture = self._background(rng, size_px)
        chances = np.array(s.people) / np.sum(s.people)
        count = 1 + int(rng.choice(len(chances), p=chances))
        actors = [self._actor(rng, scene) for _ in range(count)]
        actors.sort(key=lambda a: -a.place.depth_m)
        owner = np.zeros(picture.shape[:2], np.uint8)
        areas = [
            paste(picture, owner, number + 1, *_patch(actor), rng, s.match)
            for number, actor in enumerate(actors)
        ]
        covered = np.zeros(picture.shape[:2], np.bool_)
        if rng.random() < s.front_share:
            covered = patterned_front(rng, picture, self._background(rng, size_px))
            owner[covered] = 0
        return _labelled(picture, owner, covered, actors, np.array(areas), scene)

    def _background(self, rng: np.random.Generator, size_px: tuple[int, int]) -> Image:
        photo = self._backgrounds[int(rng.integers(len(self._backgrounds)))]
        peopled = len(photo) > 0 or (photo.owner is not None and bool((photo.owner > 0).any()))
        blur = rng.random() < self.settings.plain_share
        return background(rng, photo.picture, size_px, blurred=peopled or blur)

    def _actor(self, rng: np.random.Generator, scene: Scene) -> _Actor:
        sample = self._draw_person(rng)
        if rng.random() < self.settings.flip_share:
            sample = mirrored(sample)
        return _Actor(sample, draw_place(rng, scene, _outline(sample), self.settings.scene))

    def _draw_person(self, rng: np.random.Generator) -> Sample:
        """Any cut-out, accepted with its posture's weight; the last one if luck is bad."""
        heaviest = max(
            self.settings.postures.of(p) for p in ("upright", "seated", "gesturing", "acrobat")
        )
        for attempt in range(_TRIES):
            index = int(rng.integers(len(self._people)))
            wanted = float(rng.random()) * heaviest
            if index in self._weight and self._weight[index] < wanted and attempt < _TRIES - 1:
                continue
            sample = self._people[index]
            _check(sample)
            self._weight[index] = self.settings.postures.of(posture(sample.xyz_root_m[0]))
            if self._weight[index] >= wanted:
                break
        return sample


def mirrored(sample: Sample) -> Sample:
    """A cut-out seen in a mirror, with its sides exchanged."""
    last = sample.picture.shape[1] - 1.0
    K = None if sample.K_px is None else sample.K_px.copy()
    if K is not None:
        K[0, 2] = last - K[0, 2]
    return Sample(
        picture=np.ascontiguousarray(sample.picture[:, ::-1]),
        xy_px=(sample.xy_px * [-1.0, 1.0] + [last, 0.0])[:, MIRRORED],
        visible=sample.visible[:, MIRRORED],
        xyz_root_m=(sample.xyz_root_m * [-1.0, 1.0, 1.0])[:, MIRRORED],
        depth_m=sample.depth_m,
        height_m=sample.height_m,
        K_px=K,
        owner=None if sample.owner is None else np.ascontiguousarray(sample.owner[:, ::-1]),
        source=sample.source,
    )


def _check(sample: Sample) -> None:
    known = len(sample) == 1 and sample.owner is not None and sample.K_px is not None
    if not known or not np.isfinite(sample.depth_m[0]) or not np.isfinite(sample.xy_px[0, ROOT, 0]):
        raise TrainingError(
            f"{sample.source or 'A sample'} is no cut-out of one person: name shards that begin "
            "with cutouts_."
        )


def _outline(sample: Sample) -> Outline:
    assert sample.owner is not None and sample.K_px is not None
    u, v = sample.xy_px[0, ROOT]
    rows, columns = (np.flatnonzero(sample.owner.any(axis=axis)) for axis in (1, 0))
    last = sample.owner.shape[0] - 1
    cut = int(rows[-1]) == last and int(sample.owner[last].sum()) > 0.1 * (columns[-1] - columns[0])
    return Outline(
        left=float(columns[0] - u),
        right=float(columns[-1] - u),
        top=float(rows[0] - v),
        bottom=float(rows[-1] - v),
        m_per_px=float(sample.depth_m[0] / sample.K_px[0, 0]),
        height_m=float(sample.height_m[0]),
        cut_below=cut,
    )


def _patch(actor: _Actor) -> tuple[Image, Image, float, F64]:
    """Picture, silhouette, scale and where the patch's origin goes."""
    sample, place = actor.sample, actor.place
    assert sample.owner is not None
    return sample.picture, sample.owner, place.scale, _origin(actor)


def _origin(actor: _Actor) -> F64:
    """Where pixel 0, 0 of the patch lies; labels and pixels follow it alike."""
    place = actor.place
    pelvis = (actor.sample.xy_px[0, ROOT] + 0.5) * place.scale - 0.5
    return np.asarray(place.pelvis_px - pelvis)


def _labelled(
    picture: Image, owner: Image, covered: Bool, actors: list[_Actor], areas: F64, scene: Scene
) -> Sample:
    """The sample; people of whom almost nothing is seen are no people, their pixels unknown."""
    seen = np.bincount(owner.ravel(), minlength=IGNORED + 1)[1 : len(actors) + 1]
    kept = np.flatnonzero(seen >= np.maximum(_HIDDEN_SHARE * areas, 12.0))
    number = np.full(IGNORED + 1, IGNORED, np.uint8)
    number[0] = 0
    number[kept + 1] = np.arange(len(kept)) + 1
    owner = np.asarray(cv2.LUT(owner, number), dtype=np.uint8)
    people = [actors[k] for k in kept]
    xy = [(a.sample.xy_px[0] + 0.5) * a.place.scale - 0.5 + _origin(a) for a in people]
    xyz = [turned(a.sample.xyz_root_m[0], a.place.pelvis_px, scene.K_px) for a in people]
    joints = actors[0].sample.xy_px.shape[1]
    places = np.array(xy).reshape(-1, joints, 2)
    visible = np.array([a.sample.visible[0] for a in people], np.bool_).reshape(-1, joints)
    return Sample(
        picture=picture,
        xy_px=places,
        visible=visible & _uncovered(places, owner, covered),
        xyz_root_m=np.array(xyz).reshape(-1, joints, 3),
        depth_m=np.array([a.place.depth_m for a in people]),
        height_m=np.array([a.sample.height_m[0] for a in people]),
        K_px=scene.K_px,
        owner=owner,
        source="composite/" + "+".join(a.sample.source for a in people),
    )


def _uncovered(xy_px: F64, owner: Image, covered: Bool) -> Bool:
    """(N, BODY) whether a place lies in the picture and nobody nearer is there; far ones first."""
    height, width = owner.shape
    with np.errstate(invalid="ignore"):
        inside = ((xy_px >= 0.0) & (xy_px <= [width - 1.0, height - 1.0])).all(axis=-1)
    column, row = np.rint(np.where(inside[..., None], xy_px, 0.0)).astype(np.int64).T
    there = owner[row, column].T
    mine = np.arange(1, len(xy_px) + 1)[:, None]
    free = (there <= mine) & ~covered[row, column].T
    return np.asarray(inside & free)
