"""Which cameras are connected, by number and, on Linux, by name."""

from __future__ import annotations

import os
import re
import struct
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from posestream.errors import CaptureError

SYSFS: Final = Path("/sys/class/video4linux")
DEV: Final = Path("/dev")
_PROBED: Final = 4

_VIDIOC_QUERYCAP: Final = 0x80685600
_CAPABILITY: Final = struct.Struct("16s32s32sIII12x")
_VIDEO_CAPTURE: Final = 0x1 | 0x1000  # single and multi-planar
_HAS_DEVICE_CAPS: Final = 0x80000000


@dataclass(frozen=True, slots=True)
class CameraInfo:
    """A connected camera: ``camera:INDEX`` opens it."""

    index: int
    name: str

    def __str__(self) -> str:
        return f"camera:{self.index} ({self.name})"


def list_cameras(
    platform: str = sys.platform,
    sysfs: Path = SYSFS,
    probe: Callable[[int], bool] | None = None,
) -> list[CameraInfo]:
    """Cameras in the order of their numbers.

    Linux knows them without touching them; elsewhere the first four are opened for a moment.
    """
    if platform.startswith("linux"):
        return _linux_cameras(sysfs)
    if probe is None:
        from posestream.capture.opencv import camera_answers

        probe = camera_answers
    return [CameraInfo(i, f"camera {i}") for i in range(_PROBED) if probe(i)]


def find_camera(text: str, platform: str = sys.platform, sysfs: Path = SYSFS) -> CameraInfo:
    """The camera meant by a number or a part of its name.

    Raises CaptureError if there is none, and on Windows and macOS for names.
    """
    if not platform.startswith("linux"):
        if text.isdecimal():
            return CameraInfo(int(text), f"camera {text}")
        raise CaptureError(
            f"Cameras go by number on this system: use camera:0 or camera:1 instead of "
            f"camera:{text}."
        )
    cameras = _linux_cameras(sysfs)
    if text.isdecimal():
        found = [c for c in cameras if c.index == int(text)]
    else:
        found = [c for c in cameras if text.lower() in c.name.lower()]
    if not found:
        raise CaptureError(_no_such_camera(text, cameras))
    return found[0]


def check_access(index: int, dev: Path = DEV) -> None:
    """Raises CaptureError if this user may not open a Linux camera."""
    node = dev / f"video{index}"
    if node.exists() and not os.access(node, os.R_OK | os.W_OK):
        raise CaptureError(
            f"Camera {index} is there but you may not use it: add yourself to the group that "
            f"owns {node} (usually: sudo usermod -aG video $USER) and log in again."
        )


def _no_such_camera(text: str, cameras: list[CameraInfo]) -> str:
    wanted = f"There is no camera {text}" if text.isdecimal() else f'No camera is named "{text}"'
    if not cameras:
        return f"{wanted}, nor any other: plug one in, or name a video file instead."
    return f"{wanted}: connected are {', '.join(map(str, cameras))}."


def _linux_cameras(sysfs: Path) -> list[CameraInfo]:
    found = []
    for node in sysfs.glob("video*"):
        number = re.fullmatch(r"video(\d+)", node.name)
        if number and _captures(DEV / node.name):
            found.append(CameraInfo(int(number[1]), _name_of(node)))
    return sorted(found, key=lambda c: c.index)


def _name_of(node: Path) -> str:
    try:
        name = (node / "name").read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return node.name
    return "".join(c for c in name if c.isprintable()) or node.name


def _captures(device: Path) -> bool:
    """Whether a node delivers pictures: webcams also have nodes for metadata only."""
    import fcntl

    try:
        file = os.open(device, os.O_RDWR | os.O_NONBLOCK)
    except OSError:  # not ours to open: let the attempt to use it say why
        return True
    try:
        answer = fcntl.ioctl(file, _VIDIOC_QUERYCAP, bytes(_CAPABILITY.size))
    except OSError:
        return True
    finally:
        os.close(file)
    *_, all_nodes, this_node = _CAPABILITY.unpack(answer)
    return bool((this_node if all_nodes & _HAS_DEVICE_CAPS else all_nodes) & _VIDEO_CAPTURE)
