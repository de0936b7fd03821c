"""Stored calibrations into the settings of a run. What the user sets explicitly wins."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Final

import msgspec

from posestream.calibrate.naming import camera_name
from posestream.calibrate.stored import (
    StoredCamera,
    StoredFloor,
    StoredPerson,
    read_camera,
    read_people,
)
from posestream.capture.base import CalibratedCapture, CaptureSettings
from posestream.errors import ConfigError
from posestream.locate.floor import FloorSettings
from posestream.retarget.settings import KnownBodies, RetargetSettings
from posestream.settings import Settings

log = logging.getLogger(__name__)

_NONE: Final = "none"
_LENS_KEYS: Final = (
    "fov_deg", "fx", "fy", "cx", "cy", "calibrated_width", "calibrated_height", "distortion",
)  # fmt: skip


def with_calibration(
    settings: Settings, source: str, backend: str, folder: Path | None = None
) -> Settings:
    """Settings of a run of ``backend`` on ``source`` with what is stored of camera and people.

    A damaged file is told in one sentence and left out; the run goes on without it.
    """
    if settings.source.calibration == _NONE:
        return settings
    try:
        name = settings.source.calibration or camera_name(source)
        camera = None if name is None else read_camera(name, folder)
    except ConfigError as error:
        log.warning("%s", error)
        camera = None
    if camera is not None:
        settings = _with_camera(settings, camera)
    elif settings.source.calibration:
        log.warning(
            "No calibration is called %s: posestream calibrate camera --name %s makes one.",
            settings.source.calibration, settings.source.calibration,
        )  # fmt: skip
    try:
        return _with_people(settings, read_people(folder), backend)
    except ConfigError as error:
        log.warning("%s", error)
        return settings


def _with_camera(settings: Settings, camera: StoredCamera) -> Settings:
    capture = settings.source
    if camera.lenses and not _sets_lens(capture):
        values = {name: getattr(capture, name) for name in CaptureSettings.__struct_fields__}
        capture = CalibratedCapture(**values, lenses=camera.lenses)
    floor = settings.floor
    if camera.floor is not None:
        floor = _with_floor(floor, camera.floor)
    return msgspec.structs.replace(settings, source=capture, floor=floor)


def _sets_lens(capture: CaptureSettings) -> bool:
    default = CaptureSettings()
    return any(getattr(capture, key) != getattr(default, key) for key in _LENS_KEYS)


def _with_floor(floor: FloorSettings, stored: StoredFloor) -> FloorSettings:
    if floor.calibrated == "ignored":
        return floor
    values = {
        "height_m": stored.height_m, "pitch_deg": stored.pitch_deg, "roll_deg": stored.roll_deg,
    }  # fmt: skip
    if floor.calibrated == "fixed":
        fixed = {f"camera_{key}": value for key, value in values.items()}
        free = {key: v for key, v in fixed.items() if getattr(floor, key) == "auto"}
        return msgspec.structs.replace(floor, **free)
    default = FloorSettings()
    start = {f"initial_{key}": value for key, value in values.items()}
    free = {key: v for key, v in start.items() if getattr(floor, key) == getattr(default, key)}
    return msgspec.structs.replace(floor, **free)


def _with_people(settings: Settings, people: list[StoredPerson], backend: str) -> Settings:
    if not people:
        return settings
    by_slot = {person.slot: person for person in people}  # who was stored last wins
    scales = [1.0] * (max(by_slot) + 1)
    for slot, person in by_slot.items():
        if person.backend == backend:
            scales[slot] = person.scale
    locate, retarget = settings.locate, settings.retarget
    if not locate.body_scale and any(scale != 1.0 for scale in scales):
        locate = msgspec.structs.replace(locate, body_scale=tuple(scales))
    bodies = {slot: _true_ratios(person) for slot, person in by_slot.items() if person.ratios}
    if bodies:
        values = {name: getattr(retarget, name) for name in RetargetSettings.__struct_fields__}
        retarget = KnownBodies(**values, bodies=bodies)
    return msgspec.structs.replace(settings, locate=locate, retarget=retarget)


def _true_ratios(person: StoredPerson) -> tuple[float, ...]:
    return tuple(ratio * person.scale for ratio in person.ratios)
