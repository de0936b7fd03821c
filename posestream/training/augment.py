"""Where a picture's parts land in the network's input: crop, scale, turn, mirror.

Turning a picture in its plane is rolling the camera, so the 3D joints turn with it; K follows.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import cv2
import numpy as np

from posestream.arrays import F64, I64, Image
from posestream.skeleton.joints import BODY, JOINT, swap_sides
from posestream.training.config import AugmentSettings
from posestream.training.sample import IGNORED, Sample

_MIRRORED: Final[I64] = np.array([JOINT[swap_sides(name)] for name in BODY])
_GREY: Final = (127, 127, 127)
_LEAST_SEEN: Final = 2  # joints, without which a person is only a place to ignore
_SMALLEST_FIT: Final = 0.75  # of the scale at which the whole picture fits
_VIEW_SHARE: Final = 0.6  # of a person that counts as in view at least, when scaled
_SLACK: Final = 0.06  # of the input, by which the picture may leave it without need
_LARGEST_SCALE: Final = 2.5  # beyond it, a picture is nothing but blur


def place(
    sample: Sample,
    size_px: tuple[int, int],
    settings: AugmentSettings,
    rng: np.random.Generator,
) -> tuple[Sample, int]:
    """A sample of exactly ``size_px``, and the person on whom it is centred, -1 for none."""
    who = _someone(sample, rng)
    scale = _scale(sample, who, size_px, settings, rng)
    angle = rng.uniform(-1.0, 1.0) * np.radians(settings.turn_deg)
    turn = angle if rng.random() < settings.turn_share else 0.0
    mirror = bool(rng.random() < settings.flip_share)
    shift = rng.uniform(-1.0, 1.0, 2) * settings.shift
    towards = rng.random()
    Q = _orthogonal(turn, mirror)
    middle = (np.array(sample.picture.shape[1::-1]) - 1.0) / 2.0
    focus = middle
    if who >= 0 and settings.fit == "person":
        focus = middle + towards**0.5 * (_middle(_in_view(sample, who)) - middle)
    centre = (np.array(size_px) - 1.0) / 2.0
    wanted = centre + shift * np.array(size_px) - scale * Q @ (focus - middle)
    slack = np.abs(scale * 2.0 * middle - 2.0 * centre) / 2.0 + _SLACK * np.array(size_px)
    goal = np.clip(wanted, centre - slack, centre + slack)  # of the picture's middle
    A = np.column_stack([scale * Q, goal - scale * Q @ middle])
    return moved(sample, A, size_px, _border(rng)), who


def letterboxed(sample: Sample, size_px: tuple[int, int]) -> Sample:
    """The whole picture, padded right and below, as the live back end does."""
    height, width = sample.picture.shape[:2]
    scale = min(size_px[0] / width, size_px[1] / height)
    offset = 0.5 * (scale - 1.0)
    return moved(sample, np.array([[scale, 0.0, offset], [0.0, scale, offset]]), size_px, _GREY)


def moved(sample: Sample, A: F64, size_px: tuple[int, int], border: tuple[int, int, int]) -> Sample:
    """The sample under x' = A x, where A (2, 3) is a similarity, mirrored or not."""
    scale = float(np.sqrt(abs(np.linalg.det(A[:, :2]))))
    Q = np.eye(3)
    Q[:2, :2] = A[:, :2] / scale
    mirrored = np.linalg.det(Q) < 0.0
    xy = sample.xy_px @ A[:, :2].T + A[:, 2]
    xyz = sample.xyz_root_m @ Q.T
    visible = sample.visible & _inside(xy, size_px)
    if mirrored:
        xy, xyz, visible = xy[:, _MIRRORED], xyz[:, _MIRRORED], visible[:, _MIRRORED]
    owner = sample.owner
    if owner is not None:
        owner = np.asarray(
            cv2.warpAffine(owner, A, size_px, flags=cv2.INTER_NEAREST, borderValue=(0,)), np.uint8
        )
    result = replace(
        sample,
        picture=_warped(sample.picture, A, scale, size_px, border),
        xy_px=xy,
        xyz_root_m=xyz,
        visible=visible,
        K_px=None if sample.K_px is None else _moved_camera(sample.K_px, A, Q),
        owner=owner,
    )
    return without_unseen(result)


def without_unseen(sample: Sample) -> Sample:
    """People of whom hardly a joint is left in the picture lose their labels.

    Their pixels are ignored; their rows stay, so that ``owner`` need not be numbered anew.
    """
    seen = (sample.visible & np.isfinite(sample.xy_px).all(axis=-1)).sum(axis=1)
    gone = seen < _LEAST_SEEN
    if not gone.any():
        return sample
    xy, xyz, depth = sample.xy_px.copy(), sample.xyz_root_m.copy(), sample.depth_m.copy()
    xy[gone], xyz[gone], depth[gone] = np.nan, np.nan, np.nan
    owner = sample.owner
    if owner is not None:
        owner = np.where(np.isin(owner, np.flatnonzero(gone) + 1), IGNORED, owner).astype(np.uint8)
    visible = sample.visible & ~gone[:, None]
    return replace(sample, xy_px=xy, xyz_root_m=xyz, depth_m=depth, visible=visible, owner=owner)


def _someone(sample: Sample, rng: np.random.Generator) -> int:
    """A person with labels in the picture, -1 if there is none."""
    number = rng.random()
    inside = _inside(sample.xy_px, (sample.picture.shape[1], sample.picture.shape[0]))
    known = inside & sample.visible
    people = np.flatnonzero(known.sum(axis=1) >= _LEAST_SEEN)
    return int(people[int(number * people.size)]) if people.size else -1


def _extent(xy_px: F64) -> float:
    """Longer side of the box of joints (K, 2)."""
    return float(np.max(np.nanmax(xy_px, axis=0) - np.nanmin(xy_px, axis=0)))


def _in_view(sample: Sample, who: int) -> F64:
    """(K, 2) places of a person's joints that lie in the picture."""
    xy = sample.xy_px[who]
    return np.asarray(xy[_inside(xy, (sample.picture.shape[1], sample.picture.shape[0]))])


def _scale(
    sample: Sample,
    who: int,
    size_px: tuple[int, int],
    settings: AugmentSettings,
    rng: np.random.Generator,
) -> float:
    height, width = sample.picture.shape[:2]
    fits = min(size_px[0] / width, size_px[1] / height)
    share = rng.random()
    if who < 0 or settings.fit == "picture":
        return fits * _between(settings.zoom, share)
    extent = max(_extent(_in_view(sample, who)), _VIEW_SHARE * _extent(sample.xy_px[who]))
    wanted = min(size_px) * _between(settings.person, share) / max(extent, 1.0)
    return float(np.clip(wanted, _SMALLEST_FIT * fits, max(fits, _LARGEST_SCALE)))


def _between(limits: tuple[float, float], share: float) -> float:
    """Evenly in logarithms."""
    low, high = np.log(limits)
    return float(np.exp(low + share * (high - low)))


def _orthogonal(angle: float, mirror: bool) -> F64:
    c, s = np.cos(angle), np.sin(angle)
    turn = np.array([[c, -s], [s, c]])
    return turn @ np.diag([-1.0, 1.0]) if mirror else turn


def _middle(xy: F64) -> F64:
    return np.asarray((np.nanmin(xy, axis=0) + np.nanmax(xy, axis=0)) / 2.0)


def _inside(xy: F64, size_px: tuple[int, int]) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    with np.errstate(invalid="ignore"):
        return np.asarray(((xy >= -0.5) & (xy < np.array(size_px) - 0.5)).all(axis=-1))


def _moved_camera(K_px: F64, A: F64, Q: F64) -> F64:
    """K of the rolled camera; pixels are square, or as good as."""
    K = np.vstack([A, [0.0, 0.0, 1.0]]) @ K_px @ Q.T
    K[0, 1] = K[1, 0] = 0.0
    return np.asarray(K)


def _warped(
    picture: Image, A: F64, scale: float, size_px: tuple[int, int], border: tuple[int, int, int]
) -> Image:
    """Shrunk by averaging, as the live back end does, then moved."""
    if scale < 0.95:
        height, width = picture.shape[:2]
        small = max(1, round(width * scale)), max(1, round(height * scale))
        picture = np.asarray(cv2.resize(picture, small, interpolation=cv2.INTER_AREA), np.uint8)
        ratio = np.array([small[0] / width, small[1] / height])
        back = np.column_stack([np.diag(1.0 / ratio), 0.5 / ratio - 0.5])
        A = np.column_stack([A[:, :2] @ back[:, :2], A[:, :2] @ back[:, 2] + A[:, 2]])
    out = cv2.warpAffine(picture, A, size_px, flags=cv2.INTER_LINEAR, borderValue=border)
    return np.asarray(out, dtype=np.uint8)


def _border(rng: np.random.Generator) -> tuple[int, int, int]:
    """Mostly the grey of the live back end's padding."""
    colour, usual = rng.integers(0, 256, 3), rng.random() < 0.6
    return _GREY if usual else (int(colour[0]), int(colour[1]), int(colour[2]))
