"""Floor, body and stored calibrations against scripted people, whose truth is exact."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest

from posestream.body_sizes import SlotSizes
from posestream.calibrate.applying import with_calibration
from posestream.calibrate.body_guide import BodyGuide
from posestream.calibrate.floor_guide import PeopleFloorGuide
from posestream.calibrate.stored import (
    StoredCamera,
    StoredFloor,
    StoredPerson,
    camera_file,
    read_camera,
    read_people,
    write_camera,
    write_person,
)
from posestream.capture.base import CaptureSettings, Lens, camera_for
from posestream.capture.synthetic import truth_of
from posestream.config import build
from posestream.errors import CaptureError, ConfigError
from posestream.geometry import rigid
from posestream.lift.rrmp import LiftSettings
from posestream.locate.floor import FloorEstimator, FloorSettings, camera_pose, up_from_tilt
from posestream.locate.geometric import LocateSettings, place
from posestream.placing import place_people
from posestream.settings import Settings
from posestream.skeleton.joints import NUM_JOINTS
from posestream.skeleton.scripted import ScriptedPeople
from posestream.types import Estimate, People2D, PeopleRoot, Tracks

LENS = Lens(width=1280, height=720, fx=1100.0, fy=1090.0, cx=650.0, cy=350.0,
            distortion=(-0.1, 0.02, 0.0, 0.0, 0.0), error_px=0.2)  # fmt: skip
FLOOR = StoredFloor(height_m=1.31, pitch_deg=-17.0, roll_deg=4.0)


def estimates(pitch_deg=-6.0, roll_deg=0.0, height_m=1.5, people=2, seconds=12.0, noise_m=0.0):
    """(time, estimate, camera) of scripted people before a camera in a known place."""
    scripted = ScriptedPeople(people, 0)
    T = camera_pose(up_from_tilt(np.radians(pitch_deg), np.radians(roll_deg)), height_m)
    camera = replace(camera_for((1280, 720), CaptureSettings(fov_deg=80.0)), T_world_cam=T)
    rng = np.random.default_rng(1)
    for t_s in np.arange(0.0, seconds, 0.1):
        xyz = rigid.apply(rigid.inverse(T), scripted.joints_world_m(t_s))
        exact = truth_of(xyz, camera)
        xyz_root = exact.root3d.xyz_root_m
        noisy = xyz_root + rng.normal(0.0, noise_m, xyz_root.shape)
        yield t_s, replace(exact, root3d=PeopleRoot(noisy)), camera


@pytest.mark.parametrize(
    ("pitch_deg", "roll_deg", "height_m"), [(-6, 0, 1.5), (-18, 3, 1.9), (4, -5, 1.0)]
)
def test_tilt_and_height_from_walking_people(pitch_deg, roll_deg, height_m) -> None:
    guide = PeopleFloorGuide()
    for t_s, estimate, _ in estimates(pitch_deg, roll_deg, height_m, noise_m=0.01):
        guide.offer(place(estimate.people2d, estimate.root3d, estimate.root_cam_m), t_s)
    found = guide.finish()
    assert found.floor.pitch_deg == pytest.approx(pitch_deg, abs=1.0)
    assert found.floor.roll_deg == pytest.approx(roll_deg, abs=1.0)
    assert found.floor.height_m == pytest.approx(height_m, abs=0.04)
    assert found.off_m < 0.05


def test_nobody_on_the_floor_is_one_sentence() -> None:
    with pytest.raises(CaptureError, match="Nobody was seen standing"):
        PeopleFloorGuide().finish()


def test_proportions_and_height_are_the_persons_own() -> None:
    guide = BodyGuide()
    for _, estimate, _ in estimates(people=1, noise_m=0.015):
        guide.offer(estimate.people2d, estimate.root3d)
    true_m = 1.70 * ScriptedPeople(1, 0).scale[0]
    fit = guide.finish()
    assert fit.scale == 1.0
    assert fit.estimated_m == pytest.approx(true_m, rel=0.03)
    assert guide.finish(1.1 * fit.estimated_m).scale == pytest.approx(1.1)
    with pytest.raises(CaptureError, match="cannot be"):
        guide.finish(0.9)
    with pytest.raises(CaptureError, match="nobody's"):
        guide.finish(172.0)


def test_an_unseen_body_is_refused() -> None:
    with pytest.raises(CaptureError, match="not seen for long enough"):
        BodyGuide().finish(1.7)


def test_a_known_size_takes_the_bias_out_of_the_distance() -> None:
    small = 0.9  # a back end whose bodies are a tenth too small
    for _, estimate, camera in estimates(people=1, seconds=2.0):
        shrunk = Estimate(estimate.people2d, PeopleRoot(small * estimate.root3d.xyz_root_m))
        true_m = estimate.root_cam_m[:, 2]
        stages = camera, "test", LiftSettings(), LocateSettings()
        plain = place_people(shrunk, *stages).people.root_cam_m[:, 2]
        sized = place_people(shrunk, *stages, np.full(1, 1 / small)).people.root_cam_m[:, 2]
        np.testing.assert_allclose(plain / true_m, small, rtol=0.02)
        np.testing.assert_allclose(sized / true_m, 1.0, rtol=0.02)


def seen(*middles_px):
    xy = np.array(middles_px)[:, None] + np.random.default_rng(0).uniform(-40, 40, (NUM_JOINTS, 2))
    score = np.ones((len(middles_px), NUM_JOINTS))
    return People2D(xy, score, np.ones(len(middles_px)))


def tracked(slots):
    n = len(slots)
    return Tracks(
        np.arange(n), np.array(slots), np.zeros(n, np.int64), np.ones(n),
        np.zeros((n, NUM_JOINTS, 3)), np.ones((n, NUM_JOINTS)), np.arange(n),
    )  # fmt: skip


def test_everybody_keeps_their_own_size_when_rows_change() -> None:
    sizes = SlotSizes((1.2, 0.8))
    both = seen((100, 100), (400, 100))
    np.testing.assert_allclose(sizes.of(both), [1.2, 0.8])  # newcomers: free slots in order
    sizes.remember(both, tracked([1, 0]))
    np.testing.assert_allclose(sizes.of(seen((405, 102), (96, 99))), [1.2, 0.8])
    np.testing.assert_allclose(sizes.of(seen((700, 100), (405, 102), (96, 99))), [1.0, 1.2, 0.8])
    empty = People2D(np.zeros((0, NUM_JOINTS, 2)), np.zeros((0, NUM_JOINTS)), np.zeros(0))
    assert sizes.of(empty).shape == (0,)
    assert SlotSizes(()).of(both) is None


def test_what_is_stored_is_read_again(tmp_path: Path) -> None:
    assert read_camera("camera C920", tmp_path) is None
    camera = StoredCamera(name="camera C920").with_lens(LENS)
    write_camera(msgspec.structs.replace(camera, floor=FLOOR), tmp_path)
    small = msgspec.structs.replace(LENS, width=640, height=480)
    kept = read_camera("camera C920", tmp_path)
    assert kept.floor == FLOOR
    write_camera(kept.with_lens(small), tmp_path)
    both = read_camera("camera C920", tmp_path)
    assert both.lenses == (LENS, small)
    assert both.floor == FLOOR
    assert both.with_lens(LENS).lenses == (small, LENS)
    assert read_camera("camera C921", tmp_path) is None
    anna = StoredPerson(
        name="anna", height_m=1.72, scale=1.1, backend="mediapipe", ratios=(1.0,) * 8
    )
    write_person(anna, tmp_path)
    assert read_people(tmp_path) == [anna]


@pytest.mark.parametrize(
    "text", ["name = ", "name = 'x'\nwrong = 1", "name = 3", "\x00", "name = 'x'\n[floor]\n"
             "height_m = nan\npitch_deg = 0.0\nroll_deg = 0.0"]
)  # fmt: skip
def test_a_damaged_file_is_told_and_neither_used_nor_lost(tmp_path, caplog, text) -> None:
    path = camera_file("synthetic", tmp_path)
    path.parent.mkdir(parents=True)
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match="damaged"):
        read_camera("synthetic", tmp_path)
    settings = Settings()
    assert with_calibration(settings, "synthetic:", "mediapipe", tmp_path) == settings
    assert "damaged" in caplog.text
    assert path.read_text(encoding="utf-8") == text


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "cameras").write_text("in the way", encoding="utf-8")
    with pytest.raises(ConfigError, match="cannot be kept"):
        write_camera(StoredCamera(name="x"), tmp_path)


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    write_camera(StoredCamera(name="synthetic", lenses=(LENS,), floor=FLOOR), tmp_path)
    write_person(
        StoredPerson(name="anna", slot=1, scale=1.1, backend="mediapipe", ratios=(0.9,) * 8),
        tmp_path,
    )
    return tmp_path


def test_a_run_takes_what_is_stored_and_the_user_wins(stored: Path) -> None:
    taken = with_calibration(Settings(), "synthetic:", "mediapipe", stored)
    assert camera_for((640, 360), taken.source).K_px[0, 0] == pytest.approx(550.0)
    assert taken.locate.body_scale == (1.0, 1.1)
    np.testing.assert_allclose(taken.retarget.bodies[1], 0.99)
    assert FloorEstimator(taken.floor).height_m == 1.31
    assert with_calibration(Settings(), "synthetic:", "rrmp", stored).locate.body_scale == ()

    own = build(
        {"source": {"fov_deg": 90.0}, "floor": {"initial_height_m": 2.0},
         "locate": {"body_scale": [1.3]}}, "test",
    )  # fmt: skip
    kept = with_calibration(own, "synthetic:", "mediapipe", stored)
    assert kept.source == own.source
    assert kept.floor.initial_height_m == 2.0
    assert kept.locate.body_scale == (1.3,)

    none = build({"source": {"calibration": "none"}}, "test")
    assert with_calibration(none, "synthetic:", "mediapipe", stored) == none
    named = build({"source": {"calibration": "synthetic"}}, "test")
    other = with_calibration(named, "/no/clip.mp4", "mediapipe", stored)
    assert camera_for((640, 360), other.source).K_px[0, 0] == pytest.approx(550.0)


def test_a_stored_floor_is_fixed_or_ignored_if_wanted(stored: Path) -> None:
    def floor(mode):
        settings = build({"floor": {"calibrated": mode}}, "test")
        return with_calibration(settings, "synthetic:", "mediapipe", stored).floor

    fixed = FloorEstimator(floor("fixed"))
    assert fixed.settled
    assert (fixed.height_m, fixed.pitch_deg) == (1.31, pytest.approx(-17.0))
    assert floor("ignored") == FloorSettings(calibrated="ignored")


def test_a_stored_floor_is_corrected_only_slowly() -> None:
    start = FloorSettings(initial_height_m=1.6, initial_pitch_deg=-9.0, initial_roll_deg=0.0)
    known, guessed = FloorEstimator(start), FloorEstimator(FloorSettings())
    assert known.pitch_deg == pytest.approx(-9.0)
    for t_s, estimate, _ in estimates(pitch_deg=-6.0, height_m=1.5, seconds=6.0):
        people = place(estimate.people2d, estimate.root3d, estimate.root_cam_m)
        known.update(people, t_s)
        guessed.update(people, t_s)
    assert guessed.pitch_deg == pytest.approx(-6.0, abs=1.0)
    assert -9.0 < known.pitch_deg < -7.5


def posestream(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "XDG_CONFIG_HOME": str(home), "HOME": str(home)}
    return subprocess.run(
        [sys.executable, "-m", "posestream", *arguments], env=environment, text=True,
        capture_output=True, timeout=300, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip


def test_from_the_command_line_into_a_run(tmp_path: Path) -> None:
    source = "synthetic:people=1,seconds=6,fps=10,size=640x360"
    done = posestream(tmp_path, "calibrate", "camera", source, "--fov", "70")
    assert done.returncode == 0, done.stderr
    assert "70.0 degrees wide at 640x360" in done.stderr
    floor = posestream(tmp_path, "calibrate", "floor", source)
    assert floor.returncode == 0, floor.stderr
    kept = read_camera("synthetic", tmp_path / "posestream" / "calibration")
    assert kept.floor.pitch_deg == pytest.approx(-6.0, abs=1.0)
    assert kept.floor.height_m == pytest.approx(1.5, abs=0.04)
    body = posestream(tmp_path, "calibrate", "body", source, "--height", "1.75")
    assert body.returncode == 0, body.stderr
    again = posestream(
        tmp_path, "process", "synthetic:people=1,seconds=0.2,size=1280x720", "--out", str(tmp_path)
    )
    assert again.returncode == 0, again.stderr
    header = json.loads((tmp_path / "synthetic.jsonl").read_text().splitlines()[0])
    focal_px = 640.0 / np.tan(np.radians(35.0))  # of the picture twice as large
    assert str(round(focal_px, 2)) in json.dumps(header)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("camera", "nowhere.mp4"), "nowhere.mp4"),
        (("camera", "synthetic:people=0,seconds=0.3"), "board was not seen"),
        (("floor", "synthetic:people=0,seconds=0.3"), "Nobody was seen standing"),
        (("floor", "synthetic:people=0,seconds=0.3", "--marker", "0.16"), "marker was not seen"),
        (("body", "synthetic:people=0,seconds=0.3", "--height", "172"), "nobody's"),
        (("camera", "--board", "/no/such/folder/board.pdf"), "cannot be written"),
    ],
)
def test_bad_input_is_one_sentence(tmp_path, arguments, sentence, capsys, monkeypatch) -> None:
    from posestream.cli import main

    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert main(["calibrate", *arguments]) in (2, 3)
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert error.startswith("posestream: ")
    assert sentence in error
    assert not list(tmp_path.rglob("*.toml"))
