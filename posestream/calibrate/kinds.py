"""``posestream calibrate camera | floor | body``: what each does."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from posestream.calibrate.advice import Advice
from posestream.calibrate.boards import board_picture, marker_picture
from posestream.calibrate.body_guide import BodyGuide, check_height
from posestream.calibrate.floor_guide import FloorFit, PeopleFloorGuide
from posestream.calibrate.lens_guide import LensGuide
from posestream.calibrate.marker_guide import MarkerFloorGuide
from posestream.calibrate.pages import write_page
from posestream.calibrate.session import Asked, Session, first_size, guide, opened, say
from posestream.calibrate.stored import StoredPerson, write_person
from posestream.capture.base import Lens
from posestream.errors import CaptureError, ConfigError
from posestream.estimate.registry import create
from posestream.geometry.camera import fov_of
from posestream.locate.geometric import LocateSettings
from posestream.placing import Placed, place_people
from posestream.settings import Settings
from posestream.types import Estimate, Frame

_MARKER_MM = (20.0, 190.0)


def print_board(file: Path) -> int:
    """Write the board's page."""
    write_page(file, *board_picture())
    say(f"{file}: print it on A4 at 100 %, and glue it to something stiff and flat.")
    return 0


def print_marker(file: Path, side_m: float) -> int:
    """Write the floor marker's page."""
    side_mm = 1000.0 * side_m
    if not _MARKER_MM[0] <= side_mm <= _MARKER_MM[1]:
        raise ConfigError("A marker on A4 is 0.02 to 0.19 m wide: choose --marker 0.16.")
    write_page(file, *marker_picture(side_mm))
    say(f"{file}: print it on A4 at 100 % and measure its black side: it should be {side_m:g} m.")
    return 0


def camera(asked: Asked) -> int:
    """The lens, guided by the board's views."""
    with opened(asked) as session:
        lens_guide = LensGuide(live=session.source.live)
        say("Show the printed board to the camera from many sides.")
        guide(session, asked, lambda frame: lens_guide.offer(frame.image))
        fit = lens_guide.finish()
        left_out = f", {fit.left_out} left out as contradicting" if fit.left_out else ""
        say(
            f"Lens from {fit.views} views{left_out}: error {fit.lens.error_px:.2f} px, "
            f"{_told(fit.lens)}, focal length sure to {100 * fit.focal_std:.1f} %."
        )
        session.store(session.stored().with_lens(fit.lens))
    return 0


def camera_by_number(asked: Asked, fov_deg: float | None, focal_px: float | None) -> int:
    """The lens from its horizontal angle of view or its focal length."""
    if fov_deg is not None and not 10.0 <= fov_deg <= 150.0:
        raise ConfigError("The angle of view must be 10 to 150 degrees: see the camera's data.")
    if focal_px is not None and not 10.0 <= focal_px <= 1e5:
        raise ConfigError("The focal length must be 10 to 100000 pixels.")
    with opened(asked) as session:
        width, height = first_size(session)
        if focal_px is None:
            focal_px = 0.5 * width / float(np.tan(np.radians(fov_deg or 0.0) / 2.0))
        lens = Lens(
            width=width, height=height, fx=focal_px, fy=focal_px,
            cx=(width - 1) / 2.0, cy=(height - 1) / 2.0,
        )  # fmt: skip
        say(f"Lens without distortion: {_told(lens)}.")
        session.store(session.stored().with_lens(lens))
    return 0


def floor(asked: Asked) -> int:
    """The camera's place from people."""
    with opened(asked) as session:
        people_guide = PeopleFloorGuide()
        eyes = _Eyes(session)
        say("Stand and walk about before the camera, with your feet in the picture.")

        def look(frame: Frame) -> Advice:
            return people_guide.offer(eyes.place(frame).people, frame.t_capture_ns * 1e-9)

        try:
            guide(session, asked, look)
        finally:
            eyes.close()
        _keep_floor(session, people_guide.finish(), "samples of people")
    return 0


def floor_by_marker(asked: Asked, side_m: float) -> int:
    """The camera's place from a marker on the floor."""
    if not 0.01 <= side_m <= 5.0:
        raise ConfigError("A marker is 0.01 to 5 m wide: give its black side, as in --marker 0.16.")
    with opened(asked) as session:
        marker_guide = MarkerFloorGuide(side_m)
        if not session.stored().lenses:
            say("The lens is a guess yet: posestream calibrate camera first makes this exact.")
        guide(session, asked, lambda frame: marker_guide.offer(frame.image, frame.camera))
        _keep_floor(session, marker_guide.finish(), "pictures of the marker")
    return 0


def body(asked: Asked, person: str, slot: int, height_m: float | None) -> int:
    """A person's proportions and size."""
    if height_m is None and sys.stdin.isatty():
        height_m = _ask_height()
    if height_m is not None:
        check_height(height_m)
    with opened(asked) as session:
        body_guide = BodyGuide()
        eyes = _Eyes(session)
        say("Stand alone before the camera in a T-pose, or turn and walk slowly.")

        def look(frame: Frame) -> Advice:
            estimate, placed = eyes.look(frame)
            return body_guide.offer(estimate.people2d, placed.root3d)

        try:
            guide(session, asked, look)
        finally:
            eyes.close()
        fit = body_guide.finish(height_m)
        stored = StoredPerson(
            name=person, slot=slot, height_m=height_m, scale=round(fit.scale, 4),
            backend=eyes.name, ratios=tuple(round(r, 4) for r in fit.ratios),
        )  # fmt: skip
        path = write_person(stored)
        if height_m is None:
            say("Proportions only: give --height 1.72 (metres) to make distances true, too.")
        else:
            say(f"{height_m:.2f} m tall, looked {fit.estimated_m:.2f} m: scale {fit.scale:.3f}.")
        say(f"Stored for {person}, person {slot} of a run, in {path}; every run takes it.")
    return 0


class _Eyes:
    """The back end and the placing of a run, without what is known of bodies' sizes."""

    def __init__(self, session: Session) -> None:
        self._settings: Settings = session.settings
        self._estimator = create(session.backend, session.settings.estimate)
        self.name = session.backend

    def look(self, frame: Frame) -> tuple[Estimate, Placed]:
        estimate = self._estimator.estimate(frame)
        locate: LocateSettings = self._settings.locate
        placed = place_people(
            estimate, frame.camera, self._estimator.name, self._settings.lift, locate
        )
        return estimate, placed

    def place(self, frame: Frame) -> Placed:
        return self.look(frame)[1]

    def close(self) -> None:
        self._estimator.close()


def _keep_floor(session: Session, fit: FloorFit, of_what: str) -> None:
    from msgspec.structs import replace

    say(
        f"Camera {fit.floor.height_m:.2f} m above the floor, pitch {fit.floor.pitch_deg:.1f}°, "
        f"roll {fit.floor.roll_deg:.1f}°, from {fit.samples} {of_what}, which agree to "
        f"{1000 * fit.off_m:.0f} mm."
    )
    session.store(replace(session.stored(), floor=fit.floor))


def _told(lens: Lens) -> str:
    fov_deg = fov_of(lens.width, lens.fx)
    return f"{fov_deg:.1f} degrees wide at {lens.width}x{lens.height}"


def _ask_height() -> float | None:
    try:
        text = input("How tall are you, in metres (Enter: unknown)? ").strip().replace(",", ".")
    except EOFError:
        return None
    try:
        return float(text) if text else None
    except ValueError:
        raise CaptureError(f"{text[:20]!r} is no height: give it in metres, as in 1.72.") from None
