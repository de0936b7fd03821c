"""Videos that come with the exact truth about the people in them, as the bundled clip does."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from posestream.arrays import F64
from posestream.capture.base import Source, SourceCounts
from posestream.capture.synthetic import truth_of
from posestream.errors import CaptureError
from posestream.geometry import rigid
from posestream.skeleton.joints import BODY
from posestream.types import Camera, Frame

_FRAMES_MAX: Final = 1_000_000
_PEOPLE_MAX: Final = 64


@dataclass(frozen=True, slots=True, eq=False)
class ClipLabels:
    """Where everybody is in every picture of a video, and the camera that took it."""

    xyz_world_m: F64  # (T, N, J, 3)
    camera: Camera


def labels_of(video: Path) -> ClipLabels | None:
    """What ``NAME_truth.npz`` beside ``NAME.mp4`` says; None where there is no such file.

    ``posestream/assets/README.md`` describes its arrays. Raises CaptureError if it is damaged.
    """
    path = video.with_name(f"{video.stem}_truth.npz")
    if not path.is_file():
        return None
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            return _checked({name: arrays[name] for name in _NEEDED})
    except (OSError, ValueError, KeyError, EOFError, TypeError, zipfile.BadZipFile) as error:
        reason = str(error).strip("'\"").split("\n", 1)[0]
        raise CaptureError(
            f"{path} does not describe the people of {video.name} ({reason}): make it again, or "
            "choose another --backend."
        ) from None


class LabelledSource:
    """A video whose frames carry the truth. Its camera is the one that the labels name."""

    def __init__(self, video: Source, labels: ClipLabels) -> None:
        if video.camera.size_px != labels.camera.size_px:
            video.close()
            raise CaptureError(
                f"The labels beside {video.name} are for pictures of "
                "{}x{}, not {}x{}: ".format(*labels.camera.size_px, *video.camera.size_px)
                + "remove them, or choose another --backend."
            )
        self._video, self._labels = video, labels
        self._T_cam_world = rigid.inverse(labels.camera.T_world_cam)
        self.name, self.fps, self.live = video.name, video.fps, video.live
        self.camera = labels.camera
        self.counts: SourceCounts = video.counts

    @property
    def frame_count(self) -> int:
        """Pictures in the video."""
        return len(self._labels.xyz_world_m)

    def read(self) -> Frame | None:
        """The next frame with its people; None at the end."""
        frame = self._video.read()
        if frame is None:
            return None
        xyz_world_m = self._labels.xyz_world_m[frame.index % self.frame_count]
        truth = truth_of(rigid.apply(self._T_cam_world, xyz_world_m), self.camera)
        return replace(frame, camera=self.camera, truth=truth)

    def close(self) -> None:
        """Close the video."""
        self._video.close()


_NEEDED: Final = ("joints", "xyz_world_m", "K_px", "T_world_cam", "size_px")


def _checked(arrays: dict[str, Any]) -> ClipLabels:
    if tuple(map(str, arrays["joints"])) != BODY:
        raise ValueError("its joints are others")
    xyz = np.asarray(arrays["xyz_world_m"], dtype=np.float64)
    if xyz.ndim != 4 or xyz.shape[2:] != (len(BODY), 3) or not 0 < len(xyz) <= _FRAMES_MAX:
        raise ValueError(f"xyz_world_m has shape {xyz.shape}")
    if xyz.shape[1] > _PEOPLE_MAX:
        raise ValueError(f"it has {xyz.shape[1]} people")
    K, T = (np.asarray(arrays[name], dtype=np.float64) for name in ("K_px", "T_world_cam"))
    if not (np.isfinite(xyz).all() and np.isfinite(K).all() and np.isfinite(T).all()):
        raise ValueError("it has numbers that are not finite")
    width, height = (int(side) for side in arrays["size_px"])
    return ClipLabels(xyz, Camera(K, (width, height), T_world_cam=T))
