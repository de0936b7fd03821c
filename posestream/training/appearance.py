"""How a picture looks: light, colour, blur, noise, compression, and things in front."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from posestream.arrays import Image
from posestream.training.augment import without_unseen
from posestream.training.config import AugmentSettings
from posestream.training.sample import Sample


def vary(sample: Sample, settings: AugmentSettings, rng: np.random.Generator) -> Sample:
    """Another look of the same scene; where something is put in front, labels follow."""
    if rng.random() < settings.cover_share:
        sample = covered(sample, rng)
    picture = _coloured(sample.picture, settings, rng)
    if rng.random() < settings.small_share:
        picture = _coarse(picture, rng)
    if rng.random() < settings.blur_share:
        picture = _shaken(picture, rng)
    if rng.random() < settings.noise_share:
        picture = _noisy(picture, rng.uniform(2.0, 14.0), rng)
    if rng.random() < settings.jpeg_share:
        picture = _compressed(picture, int(rng.integers(20, 80)))
    return replace(sample, picture=picture)


def covered(sample: Sample, rng: np.random.Generator) -> Sample:
    """One to three plain or patched shapes in front of everybody."""
    height, width = sample.picture.shape[:2]
    mask = np.zeros((height, width), dtype=np.uint8)
    for _ in range(int(rng.integers(1, 4))):
        centre = rng.uniform(0.0, 1.0, 2) * (width, height)
        half = rng.uniform(0.04, 0.16, 2) * min(width, height)
        box = (centre.tolist(), (2.0 * half).tolist(), float(rng.uniform(0, 180)))
        if rng.random() < 0.5:
            cv2.ellipse(mask, box, (1,), -1)
        else:
            cv2.fillPoly(mask, [cv2.boxPoints(box).astype(np.int32)], (1,))
    hidden = mask.astype(np.bool_)
    picture = np.where(hidden[..., None], _stuff(sample.picture, rng), sample.picture)
    owner = sample.owner
    if owner is not None:
        owner = np.where(hidden, 0, owner).astype(np.uint8)
    cell = np.nan_to_num(sample.xy_px).round().astype(np.int64)
    column, row = np.clip(cell[..., 0], 0, width - 1), np.clip(cell[..., 1], 0, height - 1)
    visible = sample.visible & ~hidden[row, column]
    return without_unseen(replace(sample, picture=picture, owner=owner, visible=visible))


def _stuff(picture: Image, rng: np.random.Generator) -> Image:
    """One colour, or the picture itself from elsewhere."""
    colour, plain = rng.integers(0, 256, 3), rng.random() < 0.6
    steps = rng.integers(-max(picture.shape[:2]) // 2, max(picture.shape[:2]) // 2, 2)
    if plain:
        return np.broadcast_to(colour.astype(np.uint8), picture.shape)
    return np.asarray(np.roll(picture[::-1], steps, axis=(0, 1)), dtype=np.uint8)


def _coloured(picture: Image, settings: AugmentSettings, rng: np.random.Generator) -> Image:
    """Gain, contrast, gamma and colour cast in one look-up; saturation; grey; poor light."""
    c = settings.colour
    cast = rng.uniform(-0.4, 0.4, 3) * c
    gain, contrast = 1.0 + rng.uniform(-1.0, 1.0, 2) * c
    gamma, saturation = np.exp(rng.uniform(-1.0, 1.0) * c), 1.0 + rng.uniform(-1.0, 0.6) * c
    dim, darkness = rng.random() < settings.dim_share, rng.uniform(0.2, 0.6)
    grey = rng.random() < settings.grey_share
    level = np.linspace(0.0, 1.0, 256)[:, None] ** gamma
    table = (0.5 + (level - 0.5) * contrast) * gain * (1.0 + cast)
    if dim:
        table = np.clip(table, 0.0, 1.0) ** 1.2 * darkness
    table = np.clip(np.rint(table * 255.0), 0, 255).astype(np.uint8)
    out = np.asarray(cv2.LUT(picture, table[None]), dtype=np.uint8)
    plain = cv2.cvtColor(cv2.cvtColor(out, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    share = 0.0 if grey else float(saturation)
    out = np.asarray(cv2.addWeighted(out, share, plain, 1.0 - share, 0.0), dtype=np.uint8)
    return _noisy(out, 6.0, rng) if dim else out


def _coarse(picture: Image, rng: np.random.Generator) -> Image:
    height, width = picture.shape[:2]
    share = rng.uniform(0.35, 0.8)
    small = cv2.resize(picture, (int(width * share), int(height * share)), None, 0, 0, 3)
    return np.asarray(cv2.resize(small, (width, height)), dtype=np.uint8)


def _shaken(picture: Image, rng: np.random.Generator) -> Image:
    """Blurred along a line of 3 to 7 pixels."""
    length, angle = int(rng.integers(1, 4)), rng.uniform(0.0, np.pi)
    kernel = np.zeros((2 * length + 1, 2 * length + 1), dtype=np.float32)
    for t in np.linspace(-length, length, 4 * length + 1):
        kernel[round(length + t * np.sin(angle)), round(length + t * np.cos(angle))] = 1.0
    return np.asarray(cv2.filter2D(picture, -1, kernel / kernel.sum()), dtype=np.uint8)


def _noisy(picture: Image, deviation: float, rng: np.random.Generator) -> Image:
    noise = rng.standard_normal(picture.shape, dtype=np.float32)
    noise *= deviation
    noise += picture
    return np.asarray(np.clip(noise, 0.0, 255.0), dtype=np.uint8)


def _compressed(picture: Image, quality: int) -> Image:
    data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), dtype=np.uint8)
