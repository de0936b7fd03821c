"""A rendered board with a known lens: what is measured against what is true."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from posestream.calibrate.boards import board_picture, find_board, marker_picture
from posestream.calibrate.coverage import Coverage, ViewShape
from posestream.calibrate.floor_guide import stored_floor
from posestream.calibrate.lens_fit import fit_lens, view_shape
from posestream.calibrate.lens_guide import LensGuide
from posestream.calibrate.marker_guide import MarkerFloorGuide
from posestream.calibrate.pages import write_page
from posestream.capture.base import CalibratedCapture, camera_for
from posestream.errors import CaptureError, ConfigError
from posestream.geometry.camera import normalized_rays, project, scale_intrinsics
from posestream.locate.floor import camera_pose, up_from_tilt
from posestream.types import Camera

SIZE_PX = (640, 360)
K_PX = np.array([[505.0, 0.0, 327.5], [0.0, 501.0, 174.0], [0.0, 0.0, 1.0]])
DISTORTION = np.array([-0.17, 0.05, 0.001, -0.0015, 0.0])
NOISE = 3.0  # grey levels


def rendered(texture, size_m, R_cam, t_cam, K=K_PX, distortion=DISTORTION, size_px=SIZE_PX, seed=0):
    """(H, W, 3) what a lens sees of a printed sheet: ``size_m`` (w, h), origin top left, x, y."""
    fine = 2
    big = size_px[0] * fine, size_px[1] * fine
    K_big = scale_intrinsics(K, fine, fine)
    u, v = np.meshgrid(np.arange(big[0], dtype=float), np.arange(big[1], dtype=float))
    rays = normalized_rays(np.stack([u, v], -1), K_big, distortion)
    d = np.concatenate([rays, np.ones((*rays.shape[:2], 1))], -1) @ R_cam
    o = -R_cam.T @ t_cam
    depth = -o[2] / np.where(np.abs(d[..., 2]) < 1e-9, 1e-9, d[..., 2])
    xy = o[:2] + depth[..., None] * d[..., :2]
    scale = np.array(texture.shape[::-1]) / np.array(size_m)
    at = (xy * scale - 0.5).astype(np.float32)
    at[depth <= 0.0] = -1e4
    seen = cv2.remap(
        texture, at[..., 0], at[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT,
        borderValue=200,
    )  # fmt: skip
    small = cv2.resize(seen, size_px, interpolation=cv2.INTER_AREA).astype(float)
    small += np.random.default_rng(seed).normal(0.0, NOISE, small.shape)
    return np.repeat(np.clip(small, 0, 255).astype(np.uint8)[..., None], 3, axis=-1)


def sheet(picture, px_per_mm, margin_mm=10.0, every=4):
    """A small copy of a printed picture with its white margin, and its size in metres."""
    picture = picture[every // 2 :: every, every // 2 :: every]
    pad = round(margin_mm * px_per_mm / every)
    picture = np.pad(picture, pad, constant_values=255)
    return picture, tuple(s * every / px_per_mm / 1000.0 for s in picture.shape[::-1])


def turned(rx_deg, ry_deg, rz_deg=0.0):
    parts = [cv2.Rodrigues(np.radians(v))[0] for v in
             ([rx_deg, 0.0, 0.0], [0.0, ry_deg, 0.0], [0.0, 0.0, rz_deg])]  # fmt: skip
    return parts[0] @ parts[1] @ parts[2]


def board_views():
    """Pictures of the board all over the picture, at slants, near and far."""
    texture, size_m = sheet(*board_picture())
    looks = [
        (0, 0, 0.0, 0.0, 0.33), (25, 0, 0.0, 0.0, 0.36), (-25, 0, 0.0, 0.0, 0.36),
        (0, 25, 0.0, 0.0, 0.36), (0, -25, 0.0, 0.0, 0.36), (20, 20, -0.12, -0.06, 0.48),
        (-20, 20, 0.12, -0.06, 0.48), (20, -20, -0.12, 0.05, 0.48), (-20, -20, 0.12, 0.05, 0.48),
        (0, 30, -0.15, 0.0, 0.55), (30, 0, 0.15, 0.0, 0.55), (10, -30, 0.0, -0.08, 0.5),
        (-30, 10, 0.0, 0.07, 0.5), (0, 15, 0.2, -0.1, 0.62), (15, 0, -0.2, 0.1, 0.62),
        (-15, 10, -0.2, -0.1, 0.62), (12, -22, 0.2, 0.1, 0.62), (0, 0, 0.0, 0.0, 0.75),
    ]  # fmt: skip
    for seed, (rx, ry, x, y, z) in enumerate(looks):
        R = turned(rx, ry, 4.0 * np.sin(seed))
        centre = np.array([x, y, z])
        t = centre - R @ np.array([size_m[0] / 2, size_m[1] / 2, 0.0])
        yield rendered(texture, size_m, R, t, seed=seed)


@pytest.fixture(scope="module")
def pictures():
    return list(board_views())


@pytest.fixture(scope="module")
def fit(pictures):
    guide = LensGuide()
    for picture in pictures:
        guide.offer(picture)
    return guide.finish()


def truth_px():
    """Points all over the view and where the true lens puts them."""
    xy = np.stack(np.meshgrid(np.linspace(15, 624, 15), np.linspace(15, 344, 11)), -1).reshape(
        -1, 2
    )
    rays = normalized_rays(xy, K_PX, DISTORTION)
    return xy, np.concatenate([rays, np.ones((len(rays), 1))], -1)


def test_a_lens_is_found_within_a_percent_and_half_a_pixel(fit) -> None:
    lens = fit.lens
    assert lens.fx == pytest.approx(K_PX[0, 0], rel=0.01)
    assert lens.fy == pytest.approx(K_PX[1, 1], rel=0.01)
    assert [lens.cx, lens.cy] == pytest.approx(K_PX[:2, 2].tolist(), abs=0.01 * K_PX[0, 0])
    assert lens.error_px < 0.5
    K = np.array([[lens.fx, 0, lens.cx], [0, lens.fy, lens.cy], [0, 0, 1.0]])
    xy, points = truth_px()
    off = project(points, K, np.array(lens.distortion)) - xy
    # a shift of all points alike is the optical centre's, which is judged above
    assert np.linalg.norm(off - np.median(off, axis=0), axis=-1).max() < 0.5
    assert np.linalg.norm(off, axis=-1).max() < 1.5


def test_the_found_lens_serves_every_size_of_picture(fit) -> None:
    settings = CalibratedCapture(lenses=(fit.lens,))
    for factor in (0.5, 1.0, 2.0, 3.0):
        size = round(SIZE_PX[0] * factor), round(SIZE_PX[1] * factor)
        camera = camera_for(size, settings)
        assert camera.K_px[0, 0] == pytest.approx(fit.lens.fx * factor)
        assert camera.K_px[1, 2] + 0.5 == pytest.approx((fit.lens.cy + 0.5) * factor)
        np.testing.assert_allclose(camera.distortion, fit.lens.distortion)


def test_other_proportions_are_told_and_not_stretched(fit, caplog) -> None:
    camera = camera_for((640, 480), CalibratedCapture(lenses=(fit.lens,)))
    assert "calibrate again at this size" in caplog.text
    assert camera.K_px[0, 0] == pytest.approx(camera.K_px[1, 1])


def test_guidance_ends_when_every_view_was_there(pictures) -> None:
    guide = LensGuide()
    nothing = guide.offer(np.full((*SIZE_PX[::-1], 3), 90, np.uint8))
    assert not nothing.seen
    assert nothing.text == "Show the whole board to the camera, flat and well lit."
    shares = [guide.offer(picture).share for picture in pictures]
    assert shares == sorted(shares)
    assert shares[0] < 0.5 < shares[-1]
    again = guide.offer(pictures[-1])
    assert guide.views == len(pictures)  # a view seen twice adds nothing
    assert again.points_px is not None


def test_a_live_view_counts_only_while_still(pictures) -> None:
    guide = LensGuide(live=True)
    assert guide.offer(pictures[0]).text == "Hold the board still for a moment."
    assert guide.views == 0
    guide.offer(pictures[0])
    assert guide.views == 1


@pytest.mark.parametrize(
    ("missing", "words"),
    [("cells", "Move the board to the top left"), ("tilts", "at a slant"),
     ("near", "nearer"), ("far", "farther")],
)  # fmt: skip
def test_what_is_missing_is_named(missing, words) -> None:
    coverage = Coverage(views=20)
    coverage.cells = {(y, x) for y in range(3) for x in range(3)}
    coverage.tilts = {"left", "right", "up", "down"}
    coverage.near = coverage.far = True
    assert coverage.complete
    setattr(coverage, missing, set() if missing in ("cells", "tilts") else False)
    assert words in (coverage.missing() or "")


def test_slants_are_named_as_the_holder_sees_them() -> None:
    texture, size_m = sheet(*board_picture())
    centre = np.array([size_m[0] / 2, size_m[1] / 2, 0.0])
    for rx, ry in ((25, 0), (-25, 0), (0, 25), (0, -25)):
        R = turned(rx, ry)
        # which edge is farther away, from the pose itself
        edge = {"up": (0, -0.1), "down": (0, 0.1), "left": (-0.1, 0), "right": (0.1, 0)}
        depth = {name: (R @ [*at, 0.0])[2] for name, at in edge.items()}
        farthest = max(depth, key=depth.__getitem__)
        view = find_board(rendered(texture, size_m, R, np.array([0, 0, 0.4]) - R @ centre))
        assert view is not None
        shape = view_shape(view, SIZE_PX)
        assert shape is not None
        coverage = Coverage()
        coverage.add(shape)
        assert coverage.tilts == {farthest}


def test_no_board_is_one_sentence() -> None:
    with pytest.raises(CaptureError, match="board was not seen"):
        LensGuide().finish()


def test_too_few_and_too_alike_views_are_refused(pictures) -> None:
    views = [find_board(picture) for picture in pictures]
    assert all(views)
    with pytest.raises(CaptureError, match="Only 3 different views"):
        fit_lens(views[:3], SIZE_PX)
    guide = LensGuide()
    guide.offer(pictures[0])
    guide.offer(pictures[-1])  # straight on, as the first
    assert guide.views == 2
    with pytest.raises(CaptureError, match="too alike"):
        guide.finish()


def test_contradictory_views_are_left_out_or_refused(pictures, fit) -> None:
    views = [find_board(picture) for picture in pictures]
    rng = np.random.default_rng(0)
    bent = type(views[0])(views[0].corner, views[0].xy_px + rng.normal(0, 8, views[0].xy_px.shape))
    found = fit_lens([*views, bent], SIZE_PX)
    assert found.left_out >= 1
    assert found.lens.fx == pytest.approx(fit.lens.fx, rel=0.01)
    wild = [type(v)(v.corner, v.xy_px + rng.normal(0, 6, v.xy_px.shape)) for v in views]
    with pytest.raises(CaptureError, match="contradict"):
        fit_lens(wild, SIZE_PX)


def test_pictures_of_two_sizes_are_refused(pictures) -> None:
    guide = LensGuide()
    guide.offer(pictures[0])
    with pytest.raises(CaptureError, match="differ in size"):
        guide.offer(pictures[1][::2, ::2])


@pytest.mark.parametrize(
    ("height_m", "pitch_deg", "roll_deg", "side_m"), [(1.5, -30, 2, 0.45), (0.9, -35, -8, 0.19)]
)
def test_a_marker_on_the_floor_tells_the_cameras_place(
    height_m, pitch_deg, roll_deg, side_m
) -> None:
    texture, size_m = sheet(*marker_picture(side_m * 1000.0), margin_mm=20.0)
    T = camera_pose(up_from_tilt(np.radians(pitch_deg), np.radians(roll_deg)), height_m)
    camera = Camera(K_px=K_PX, size_px=SIZE_PX, distortion=DISTORTION)
    guide = MarkerFloorGuide(side_m)
    for seed in range(4):
        yaw = np.radians(30 + 50 * seed)
        x, y = np.array([np.cos(yaw), 0, -np.sin(yaw)]), np.array([np.sin(yaw), 0, np.cos(yaw)])
        R_world = np.column_stack([x, y, np.cross(x, y)])
        ahead = -height_m / np.tan(np.radians(pitch_deg))
        at = np.array([0.05, 0.0, -ahead]) - R_world @ [size_m[0] / 2, size_m[1] / 2, 0]
        R, t = T[:3, :3].T @ R_world, T[:3, :3].T @ (at - T[:3, 3])
        guide.offer(rendered(texture, size_m, R, t, seed=seed), camera)
    found = guide.finish().floor
    assert found.height_m == pytest.approx(height_m, rel=0.03)
    assert found.pitch_deg == pytest.approx(pitch_deg, abs=1.5)
    assert found.roll_deg == pytest.approx(roll_deg, abs=1.5)


def test_no_marker_is_one_sentence() -> None:
    guide = MarkerFloorGuide(0.16)
    camera = Camera(K_px=K_PX, size_px=SIZE_PX)
    assert not guide.offer(np.zeros((360, 640, 3), np.uint8), camera).seen
    with pytest.raises(CaptureError, match="marker was not seen"):
        guide.finish()


def test_a_place_that_cannot_be_is_refused() -> None:
    with pytest.raises(CaptureError, match="field of view"):
        stored_floor(up_from_tilt(-0.2, 0.0), -3.0)


def test_pages_hold_the_board_in_true_size(tmp_path: Path) -> None:
    picture, px_per_mm = board_picture()
    write_page(tmp_path / "board.png", picture, px_per_mm)
    page = cv2.imread(str(tmp_path / "board.png"))
    small = cv2.resize(page, None, fx=0.3, fy=0.3, interpolation=cv2.INTER_AREA)
    assert find_board(small) is not None
    write_page(tmp_path / "board.pdf", picture, px_per_mm)
    pdf = (tmp_path / "board.pdf").read_bytes()
    assert pdf.startswith(b"%PDF-1.4")
    assert b"/MediaBox [0 0 841.890 595.276]" in pdf
    # 252 mm by 180 mm in points, in the middle of the page
    assert b"714.331 0 0 510.236 63.780 42.520 cm" in pdf
    with pytest.raises(ConfigError, match="must end in"):
        write_page(tmp_path / "board.docx", picture, px_per_mm)
    with pytest.raises(ConfigError, match="cannot be written"):
        write_page(tmp_path / "none" / "board.png", picture, px_per_mm)


def test_a_shape_has_all_it_needs() -> None:
    shape = ViewShape(np.full((8, 2), 0.5), np.array([0.0, 0.0, -1.0]), 0.5)
    coverage = Coverage()
    assert coverage.is_new(shape)
    coverage.add(shape)
    assert not coverage.is_new(shape)
