"""Video files: real ones decode completely with exact times; damaged ones say so or go on."""

from __future__ import annotations

import struct
from pathlib import Path

import cv2
import numpy as np
import pytest

from posestream.capture import open_source
from posestream.capture.base import CaptureSettings
from posestream.capture.live import every_frame
from posestream.capture.opencv import open_file
from posestream.capture.video import VideoSource
from posestream.errors import CaptureError

FAST = CaptureSettings(pace="fast")

# Width, height, rate and number of pictures as counted by the collection's own README.
VIDEOS = {
    "stgcn_ta_chi": (340, 256, 29.97, 300),
    "stgcn_clean_and_jerk": (340, 256, 29.97, 300),
    "ntu_S001C001P001R001A001": (1920, 1080, 30.0, 103),
    "intel_one_by_one": (768, 432, 10.0, 1394),
    "mmhuman3d_single_person": (1080, 1920, 12.0, 40),
    "mmhuman3d_multi_person": (1080, 1920, 12.0, 40),
    "sam2_bedroom": (960, 540, 30.0, 200),
    "mmaction2_test_video_structuralize": (426, 240, 29.97, 300),
    "mmaction2_demo": (340, 256, 28.0, 280),
}


class FakeTime:
    """A clock that moves only when somebody sleeps or works."""

    def __init__(self) -> None:
        self.now_ns = 5_000_000_000
        self.slept_s: list[float] = []

    def clock_ns(self) -> int:
        return self.now_ns

    def sleep(self, seconds: float) -> None:
        self.slept_s.append(seconds)
        self.now_ns += round(seconds * 1e9)

    def work(self, seconds: float) -> None:
        self.now_ns += round(seconds * 1e9)


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return write_clip(tmp_path / "clip.mp4", pictures=30)


def write_clip(path: Path, pictures: int, fps: float = 25.0) -> Path:
    """A clip whose picture k has brightness 8 k."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), fps, (64, 48))
    for k in range(pictures):
        writer.write(np.full((48, 64, 3), 8 * k % 256, dtype=np.uint8))
    writer.release()
    return path


@pytest.mark.parametrize("name", VIDEOS)
def test_real_video_is_read_completely_with_exact_times(shared_data: Path, name: str) -> None:
    width, height, fps, pictures = VIDEOS[name]
    source = open_source(str(shared_data / "videos" / f"{name}.mp4"), FAST)
    assert isinstance(source, VideoSource) and source.frame_count == pictures
    times_ns, indices = [], []
    for frame in every_frame(source):
        assert frame.image.shape == (height, width, 3)
        assert frame.camera.size_px == (width, height)
        times_ns.append(frame.t_capture_ns)
        indices.append(frame.index)
    assert indices == list(range(pictures))
    assert source.fps == pytest.approx(fps, abs=0.01)
    assert times_ns[0] == 0
    np.testing.assert_allclose(np.diff(times_ns) * 1e-9, 1.0 / source.fps, rtol=0.01)


def test_damage_in_the_middle_is_skipped_and_counted(
    shared_data: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    data = bytearray((shared_data / "videos" / "sam2_bedroom.mp4").read_bytes())
    middle = len(data) // 2
    data[middle : middle + 200_000] = bytes(200_000)
    path = tmp_path / "damaged.mp4"
    path.write_bytes(data)
    source = open_source(str(path), FAST)
    frames = [(f.index, f.t_capture_ns, float(f.image.mean())) for f in every_frame(source)]
    assert len(frames) >= 150
    assert 0 < source.counts.broken <= 50
    assert len(frames) + source.counts.broken == pytest.approx(200, abs=2)
    assert np.all(np.diff([t for _, t, _ in frames]) > 0)
    assert frames[-1][1] * 1e-9 == pytest.approx(199 / 30, abs=0.1)  # what follows is on time
    assert capfd.readouterr().err == ""  # the decoder's complaints stay inside


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is empty"),
        (b"hello, this is no video\n" * 100, "is not a video"),
        (b"#EXTM3U\n#EXT-X-VERSION:3\nhttp://127.0.0.1:9/a.ts\n", "is not a video"),
        (b"ffconcat version 1.0\nfile /etc/passwd\n", "is not a video"),
        (b"\0\0\0\x20ftypisom" + bytes(5000), "is damaged"),
    ],
)
def test_what_is_no_video_is_refused_in_one_sentence(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], content: bytes, sentence: str
) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(content)
    with pytest.raises(CaptureError, match=sentence) as caught:
        open_source(str(path), FAST)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert capfd.readouterr().err == ""


def test_video_cut_off_before_its_index_is_refused(shared_data: Path, tmp_path: Path) -> None:
    data = (shared_data / "videos" / "sam2_bedroom.mp4").read_bytes()
    path = tmp_path / "half.mp4"
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(CaptureError, match="damaged, cut off"):
        open_source(str(path), FAST)


def test_video_cut_off_behind_its_index_plays_as_far_as_it_goes(
    shared_data: Path, tmp_path: Path
) -> None:
    data = (shared_data / "videos" / "intel_one_by_one.mp4").read_bytes()
    path = tmp_path / "half.mp4"
    path.write_bytes(data[: len(data) // 4])
    source = open_source(str(path), FAST)
    frames = sum(1 for _ in every_frame(source))
    assert 100 < frames < 1394
    assert frames + source.counts.broken == pytest.approx(1394, abs=2)


def test_missing_file_and_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(CaptureError, match="There is no file"):
        open_source(str(tmp_path / "none.mp4"), FAST)
    with pytest.raises(CaptureError, match="images:"):
        open_source(str(tmp_path), FAST)


def test_phone_video_is_turned_upright(tmp_path: Path) -> None:
    clip = tmp_path / "phone.mp4"
    writer = cv2.VideoWriter(str(clip), cv2.VideoWriter.fourcc(*"mp4v"), 25.0, (64, 48))
    lying = np.zeros((48, 64, 3), dtype=np.uint8)
    lying[:, :32] = 255
    for _ in range(5):
        writer.write(lying)
    writer.release()
    data = bytearray(clip.read_bytes())
    quarter_turn = struct.pack(">9i", 0, 1 << 16, 0, -(1 << 16), 0, 0, 0, 0, 1 << 30)
    matrix = data.index(b"tkhd") + 4 + 40
    data[matrix : matrix + 36] = quarter_turn
    clip.write_bytes(data)
    source = open_source(str(clip), FAST)
    frame = source.read()
    assert frame is not None
    assert frame.image.shape == (64, 48, 3)
    assert frame.image[:28].mean() > 240  # a quarter turn clockwise brings left to top
    assert frame.image[36:].mean() < 15
    assert frame.camera.size_px == (48, 64)
    assert frame.camera.K_px[0, 2] == pytest.approx(23.5)


def test_own_pace_follows_the_clock_and_drops_nothing_when_in_time(clip: Path) -> None:
    time = FakeTime()
    source = _paced(clip, time)
    times_ns = [frame.t_capture_ns for frame in every_frame(source)]
    assert len(times_ns) == 30
    assert source.counts.late == 0
    assert times_ns[0] == 5_000_000_000
    np.testing.assert_allclose(np.diff(times_ns), 40e6, atol=1.0)
    assert sum(time.slept_s) == pytest.approx(29 * 0.04)


def test_a_late_reader_gets_the_picture_of_now(clip: Path) -> None:
    time = FakeTime()
    source = _paced(clip, time)
    assert source.read() is not None
    time.work(0.5)
    frame = source.read()
    assert frame is not None
    assert frame.index == pytest.approx(12, abs=1)  # 0.5 s at 25 pictures per second
    assert source.counts.late == frame.index - 1
    assert float(frame.image.mean()) == pytest.approx(8 * frame.index, abs=4)
    assert abs(time.now_ns - frame.t_capture_ns) <= 40_000_000


def test_a_machine_too_slow_to_keep_pace_still_sees_pictures(clip: Path) -> None:
    time = FakeTime()
    source = _paced(clip, time)
    seen = 0
    while source.read() is not None:
        seen += 1
        time.work(3.0)
    assert seen == 30


def test_loop_plays_on_with_rising_times(clip: Path) -> None:
    source = open_source(str(clip), CaptureSettings(pace="fast", loop=True))
    frames = [source.read() for _ in range(75)]
    source.close()
    present = [frame for frame in frames if frame is not None]
    assert [frame.index for frame in present] == list(range(75))
    np.testing.assert_allclose(np.diff([f.t_capture_ns for f in present]), 40e6, atol=2.0)
    assert float(present[31].image.mean()) == pytest.approx(8, abs=4)


def _paced(clip: Path, time: FakeTime) -> VideoSource:
    settings = CaptureSettings(pace="realtime")
    return VideoSource(lambda: open_file(clip), clip.name, settings, time.clock_ns, time.sleep)


@pytest.mark.parametrize("loop", [False, True])
def test_a_closed_file_has_no_damage_but_an_end(
    clip: Path, loop: bool, caplog: pytest.LogCaptureFixture
) -> None:
    source = open_source(str(clip), CaptureSettings(pace="fast", loop=loop))
    assert source.read() is not None
    source.close()
    assert source.read() is None
    assert source.counts.broken == 0
    assert caplog.text == ""
