"""Small pictures made from nothing: cloth, walls, floors, abstract backdrops. All from a seed."""

from __future__ import annotations

from typing import Final

import numpy as np

from posestream.arrays import F64, Image
from posestream.training.synth.scene import abstract, grain, planks, plaster

_SIZE: Final = 128


def opaque(rgb: F64) -> Image:
    """(H, W, 4) from colours in [0, 255]."""
    colour = np.clip(rgb, 0.0, 255.0).astype(np.uint8)
    return np.concatenate([colour, np.full((*colour.shape[:2], 1), 255, np.uint8)], axis=-1)


def random_colour(rng: np.random.Generator) -> F64:
    """A colour of cloth: often dark, grey or blue, sometimes loud."""
    import colorsys

    kind = rng.random()
    hue, value = rng.random(), rng.beta(1.6, 1.6)
    saturation = rng.beta(1.0, 6.0) if kind < 0.4 else rng.beta(2.0, 2.5)
    if kind > 0.85:
        hue = rng.normal(0.61, 0.03) % 1.0  # denim
    return np.array(colorsys.hsv_to_rgb(hue, saturation, 0.06 + 0.9 * value)) * 255.0


def smooth_noise(rng: np.random.Generator, size: int, cell: float) -> F64:
    """(size, size) tiling noise of unit deviation."""
    spectrum = np.fft.rfft2(rng.standard_normal((size, size)))
    fy, fx = np.fft.fftfreq(size)[:, None] * cell, np.fft.rfftfreq(size)[None] * cell
    field = np.fft.irfft2(spectrum * np.exp(-2.0 * (fy**2 + fx**2)), (size, size))
    return np.asarray(field / max(field.std(), 1e-9))


def cloth(rng: np.random.Generator) -> Image:
    """A tile of cloth: plain, striped, checked, dotted, mottled or printed."""
    y, x = np.mgrid[:_SIZE, :_SIZE] / _SIZE
    a, b = random_colour(rng), random_colour(rng)
    kind = rng.choice(["plain", "stripes", "checks", "dots", "mottled", "print"],
                      p=[0.45, 0.16, 0.11, 0.06, 0.12, 0.10])  # fmt: skip
    if kind == "stripes":
        along = y if rng.random() < 0.7 else x
        share = ((along * rng.integers(2, 12)) % 1.0 < rng.uniform(0.2, 0.7)).astype(float)
    elif kind == "checks":
        n = int(rng.integers(2, 10))
        share = 0.5 * ((x * n % 1.0 < 0.5).astype(float) + (y * n % 1.0 < 0.5))
    elif kind == "dots":
        n = int(rng.integers(3, 10))
        share = (np.hypot(x * n % 1.0 - 0.5, y * n % 1.0 - 0.5) < rng.uniform(0.15, 0.4)) * 1.0
    elif kind == "mottled":
        share = np.clip(0.5 + 0.6 * smooth_noise(rng, _SIZE, rng.uniform(4, 24)), 0.0, 1.0)
    elif kind == "print":
        share = (smooth_noise(rng, _SIZE, rng.uniform(5, 30)) > rng.uniform(0.3, 1.2)) * 1.0
    else:
        share = np.zeros_like(x)
    weave = 1.0 + 0.04 * smooth_noise(rng, _SIZE, 1.2) + 0.05 * smooth_noise(rng, _SIZE, 20.0)
    rgb = (a + (b - a) * np.asarray(share)[..., None]) * weave[..., None]
    return opaque(rgb)


def folds(rng: np.random.Generator) -> Image:
    """A tile of slopes (red, green; 128 is flat) that makes cloth look folded."""
    size = 256
    height = smooth_noise(rng, size, 22.0) + 0.4 * smooth_noise(rng, size, 9.0)
    ridged = -(np.abs(height) ** 0.8)
    slope_y, slope_x = np.gradient(ridged)
    scale = 42.0 / max(float(np.std(slope_x)), 1e-9)
    out = np.full((size, size, 4), 255.0)
    out[..., 0], out[..., 1], out[..., 2] = 128 + scale * slope_x, 128 + scale * slope_y, 128
    return np.clip(out, 0, 255).astype(np.uint8)


def surface(rng: np.random.Generator) -> Image:
    """A tile for walls and furniture."""
    kind = rng.random()
    tone = rng.uniform(60, 235) * (1.0 + rng.normal(0.0, 0.10, 3))
    colour = tuple(int(v) for v in np.clip(tone, 20, 245))
    rgb = (colour[0], colour[1], colour[2])
    if kind < 0.35:
        return plaster(rng, rgb)
    if kind < 0.55:
        return grain(rng, (int(rng.integers(70, 190)), int(rng.integers(50, 140)),
                           int(rng.integers(30, 110))))  # fmt: skip
    if kind < 0.75:
        return cloth(rng)
    return opaque(np.full((4, 4, 3), tone))


def floor(rng: np.random.Generator) -> Image:
    """A tile for floors."""
    if rng.random() < 0.45:
        return opaque(planks(rng)[..., :3] * rng.uniform(0.5, 1.2, 1) * rng.uniform(0.9, 1.1, 3))
    return surface(rng)


def artwork(rng: np.random.Generator) -> Image:
    """A picture for a wall or a screen."""
    if rng.random() < 0.5:
        return abstract(rng)
    return cluttered(rng, (160, 120))


def cluttered(rng: np.random.Generator, size_px: tuple[int, int]) -> Image:
    """A backdrop of shapes: no room, but edges, colours and shades of many sizes."""
    import cv2

    width, height = size_px
    y = np.linspace(0.0, 1.0, height)[:, None, None]
    top, bottom = random_colour(rng), random_colour(rng)
    picture = np.ascontiguousarray((top + (bottom - top) * y) * np.ones((1, width, 1)))
    for _ in range(int(rng.integers(3, 40))):
        colour = tuple(float(v) for v in random_colour(rng))
        x0, y0 = rng.uniform(-0.2, 1.0, 2) * size_px
        w, h = np.exp(rng.uniform(np.log(0.02), np.log(0.6), 2)) * size_px
        if rng.random() < 0.6:
            box = cv2.boxPoints(((x0 + w / 2, y0 + h / 2), (w, h), float(rng.normal(0, 12))))
            cv2.fillConvexPoly(picture, box.astype(np.int32), colour, cv2.LINE_AA)
        else:
            cv2.ellipse(picture, ((x0, y0), (w, h), float(rng.uniform(0, 180))), colour, -1)
    noise = smooth_noise(rng, 128, rng.uniform(1.0, 8.0)) * rng.uniform(0.0, 12.0)
    picture += cv2.resize(noise, size_px)[..., None]
    soft = cv2.GaussianBlur(picture, (0, 0), float(rng.uniform(0.3, 3.0)))
    return opaque(np.asarray(soft, dtype=np.float64))
