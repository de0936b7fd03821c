"""The guides of ``posestream calibrate``, fed with what a run made of its own pictures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple, Protocol

import numpy as np
from msgspec.structs import replace

from posestream.calibrate.advice import Advice
from posestream.calibrate.body_guide import HEIGHT_M, BodyGuide
from posestream.calibrate.floor_guide import FloorFit, PeopleFloorGuide
from posestream.calibrate.stored import (
    StoredCamera,
    StoredPerson,
    read_camera,
    write_camera,
    write_person,
)
from posestream.errors import ConfigError
from posestream.geometry.camera import fov_of
from posestream.pipeline import StepDetails
from posestream.types import PeopleRoot

PERSON: Final = "me"
_MARKER_M: Final = (0.01, 5.0)

Scales = Callable[[], tuple[float, ...]]
"""True sizes of bodies by the estimated ones that distances rest on, by slot, as of now."""


class Found(NamedTuple):
    """A result that is not kept yet."""

    text: str  # one or two sentences for the user
    keep: Callable[[], object]  # raises ConfigError where it cannot be stored


class Guide(Protocol):
    """One guided calibration. One thread at a time."""

    begin: str  # how to get ready
    limit_s: float  # then what was seen must do
    at_once: bool  # whether the run takes the result without opening its source anew

    def offer(self, details: StepDetails) -> Advice:
        """Learn from one picture. Raises CaptureError."""

    def finish(self) -> Found:
        """The result. Raises CaptureError where what was seen does not tell it."""


class GuidedLens:
    """The lens from views of the printed board."""

    begin = "Hold the printed board ready."
    limit_s = 300.0
    at_once = False

    def __init__(self, camera: str, live: bool) -> None:
        from posestream.calibrate.lens_guide import LensGuide

        self._camera = camera
        self._guide = LensGuide(live)

    def offer(self, details: StepDetails) -> Advice:
        """See ``Guide``."""
        return self._guide.offer(details.frame.image)

    def finish(self) -> Found:
        """See ``Guide``."""
        lens = self._guide.finish().lens
        return Found(
            f"The lens is {fov_of(lens.width, lens.fx):.1f}° wide, to {lens.error_px:.2f} pixels. "
            "It is stored and counts when this camera is opened next.",
            lambda: write_camera(_stored(self._camera).with_lens(lens)),
        )


class _GuidedPlace:
    """The camera's place above the floor, however it is found."""

    limit_s = 30.0
    at_once = True

    def __init__(self, camera: str) -> None:
        self._camera = camera

    def _found(self, fit: FloorFit) -> Found:
        floor = fit.floor
        return Found(
            f"The camera is {floor.height_m:.2f} m above the floor and looks "
            f"{abs(floor.pitch_deg):.1f}° {'down' if floor.pitch_deg < 0.0 else 'up'}. "
            "It is stored and counts from now on.",
            lambda: write_camera(replace(_stored(self._camera), floor=floor)),
        )


class GuidedFloor(_GuidedPlace):
    """The camera's place from people who stand and walk."""

    begin = "Step back until you are seen whole."

    def __init__(self, camera: str) -> None:
        super().__init__(camera)
        self._guide = PeopleFloorGuide()

    def offer(self, details: StepDetails) -> Advice:
        """See ``Guide``."""
        return self._guide.offer(details.people_cam, details.frame.t_capture_ns * 1e-9)

    def finish(self) -> Found:
        """See ``Guide``."""
        return self._found(self._guide.finish())


class GuidedMarker(_GuidedPlace):
    """The camera's place from the printed marker on the floor."""

    begin = "Lay the marker flat on the floor, in full view."

    def __init__(self, camera: str, side_m: float) -> None:
        from posestream.calibrate.marker_guide import MarkerFloorGuide

        super().__init__(camera)
        self._guide = MarkerFloorGuide(side_m)

    def offer(self, details: StepDetails) -> Advice:
        """See ``Guide``."""
        return self._guide.offer(details.frame.image, details.frame.camera)

    def finish(self) -> Found:
        """See ``Guide``."""
        return self._found(self._guide.finish())


class GuidedBody:
    """Proportions and true size of who stands alone before the camera."""

    begin = "Stand alone in the picture, seen whole."
    limit_s = 30.0
    at_once = True

    def __init__(self, height_m: float, backend: str, scales: Scales) -> None:
        self._height_m, self._backend, self._scales = height_m, backend, scales
        self._guide = BodyGuide()

    def offer(self, details: StepDetails) -> Advice:
        """See ``Guide``."""
        return self._guide.offer(details.people2d, as_estimated(details, self._scales()))

    def finish(self) -> Found:
        """See ``Guide``."""
        fit = self._guide.finish(self._height_m)
        person = StoredPerson(
            name=PERSON, height_m=self._height_m, scale=round(fit.scale, 4),
            backend=self._backend, ratios=tuple(round(r, 4) for r in fit.ratios),
        )  # fmt: skip
        return Found(
            f"{self._height_m:.2f} m tall, looked {fit.estimated_m:.2f} m. It is stored for "
            "person 0 and counts from now on.",
            lambda: write_person(person),
        )


def guide_for(
    payload: dict[str, Any], camera: str, live: bool, backend: str, scales: Scales
) -> Guide:
    """The guide that a page asks for; ``camera`` is the name that it is stored under.

    Raises ConfigError where the request makes no sense.
    """
    what = payload.get("what")
    if what == "lens":
        return GuidedLens(camera, live)
    if what == "floor" and payload.get("marker_cm") is None:
        return GuidedFloor(camera)
    if what == "floor":
        wrong = "A marker is 1 to 500 cm wide: give its black side in cm, or leave it empty."
        return GuidedMarker(camera, _metres(payload["marker_cm"], _MARKER_M, wrong))
    if what == "body":
        wrong = "Say first how tall the person is, in cm: 40 to 260, such as 172."
        return GuidedBody(_metres(payload.get("height_cm"), HEIGHT_M, wrong), backend, scales)
    raise ConfigError('"guide" needs {"what": "lens"}, "floor" or "body".')


def as_estimated(details: StepDetails, scales: tuple[float, ...]) -> PeopleRoot:
    """Everybody's joints from the pelvis as the back end saw them, before sizes were corrected.

    NaN for who is in no slot while any size is known.
    """
    people, tracks = details.people_cam, details.tracks
    xyz_m = people.xyz_cam_m - people.root_cam_m[:, None]
    if not scales:
        return PeopleRoot(xyz_m)
    scale = np.full(len(people), np.nan)
    for row, slot in zip(tracks.detection.tolist(), tracks.slot.tolist(), strict=True):
        if 0 <= row < len(people):
            scale[row] = scales[slot] if slot < len(scales) else 1.0
    return PeopleRoot(xyz_m / scale[:, None, None])


def _metres(value_cm: object, ends_m: tuple[float, float], wrong: str) -> float:
    if isinstance(value_cm, bool) or not isinstance(value_cm, int | float):
        raise ConfigError(wrong)
    if not ends_m[0] <= 0.01 * value_cm <= ends_m[1]:
        raise ConfigError(wrong)
    return 0.01 * value_cm


def _stored(camera: str) -> StoredCamera:
    return read_camera(camera) or StoredCamera(name=camera)
