"""OpenGL without a window, and small helps for it."""

from __future__ import annotations

from typing import Any

import numpy as np

from posestream.arrays import Image
from posestream.errors import TrainingError


def open_context() -> Any:
    """An OpenGL context without a window. Raises TrainingError that says what to install."""
    try:
        import moderngl
    except ImportError:
        raise TrainingError(
            'Rendering needs the package moderngl: pip install "posestream[synth]".'
        ) from None
    try:
        return moderngl.create_context(standalone=True, backend="egl")
    except Exception as error:  # moderngl raises bare Exception
        raise TrainingError(
            "There is no OpenGL without a window (EGL) here: install libegl1, libegl-mesa0 and "
            f"libgl1-mesa-dri, or an NVIDIA driver with EGL ({error})."
        ) from None


def set_uniform(program: Any, name: str, value: object) -> None:
    """Set a uniform, unless the compiler found that it does not matter."""
    if name in program:
        program[name].value = value


def rgba(bgr: Image) -> Image:
    """(H, W, 4) RGBA of a picture (H, W, 3) BGR."""
    rgb = bgr[..., ::-1]
    return np.concatenate([rgb, np.full((*rgb.shape[:2], 1), 255, np.uint8)], axis=-1)
