"""What lenses, sensors and codecs of webcams do to a clean picture. Geometry stays as it is."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from posestream.arrays import Image

F32 = NDArray[np.float32]


def degrade(rng: np.random.Generator, picture: Image) -> Image:
    """Blur, colour cast, exposure, noise, low resolution and JPEG, each at random."""
    import cv2

    soft = picture.astype(np.float32)
    if rng.random() < 0.6:
        sigma = float(rng.uniform(0.3, 1.1))
        soft = np.asarray(cv2.GaussianBlur(soft, (0, 0), sigma), dtype=np.float32)
    if rng.random() < 0.12:
        soft = _shake(rng, soft)
    if rng.random() < 0.25:
        soft = _small_and_back(rng, soft)
    soft = _tone(rng, soft)
    soft = _noise(rng, soft)
    out = np.clip(np.rint(soft), 0, 255).astype(np.uint8)
    if rng.random() < 0.6:
        quality = int(rng.integers(25, 92))
        _, data = cv2.imencode(".jpg", out, [cv2.IMWRITE_JPEG_QUALITY, quality])
        out = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), dtype=np.uint8)
    return out


def _shake(rng: np.random.Generator, picture: F32) -> F32:
    import cv2

    length, angle = rng.uniform(2.0, 7.0), rng.uniform(0.0, np.pi)
    kernel = np.zeros((9, 9), dtype=np.float32)
    for t in np.linspace(-0.5, 0.5, 33) * length:
        x, y = 4 + t * np.cos(angle), 4 + t * np.sin(angle)
        kernel[round(y), round(x)] += 1.0
    return np.asarray(
        cv2.filter2D(picture, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REFLECT)
    )


def _small_and_back(rng: np.random.Generator, picture: F32) -> F32:
    import cv2

    height, width = picture.shape[:2]
    scale = float(rng.uniform(0.4, 0.9))
    small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR))


def _tone(rng: np.random.Generator, picture: F32) -> F32:
    cast = np.exp(rng.normal(0.0, 0.07, 3)).astype(np.float32)
    gain = float(np.exp(rng.normal(0.0, 0.18)))
    gamma = float(np.exp(rng.normal(0.0, 0.15)))
    out = 255.0 * np.clip(picture / 255.0, 0.0, 1.0) ** gamma * gain * cast
    if rng.random() < 0.3:
        grey = out.mean(axis=-1, keepdims=True)
        out = grey + (out - grey) * float(rng.uniform(0.0, 1.5))
    if rng.random() < 0.3:
        height, width = picture.shape[:2]
        y, x = np.mgrid[:height, :width]
        r2 = ((x / width - 0.5) ** 2 + (y / height - 0.5) ** 2)[..., None]
        out = out * (1.0 - float(rng.uniform(0.2, 0.9)) * r2)
    return np.asarray(out, dtype=np.float32)


def _noise(rng: np.random.Generator, picture: F32) -> F32:
    level = float(np.exp(rng.uniform(np.log(0.5), np.log(9.0))))
    grain = rng.standard_normal(picture.shape, dtype=np.float32) * level
    return np.asarray(picture + grain * (0.6 + 0.4 * np.sqrt(np.clip(picture, 0, 255) / 128.0)))
