"""From frames to files: who gets one, what it is called, what stands in it, when it is whole."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

from posestream import config
from posestream.daemon.offline_job import Job, work
from posestream.errors import AvatarError
from posestream.export.body import own_rig, placed
from posestream.export.files import read_target, written
from posestream.export.motion import Gatherer
from posestream.geometry import rotation as rot
from posestream.publish.recorder import RecordingWriter, open_new
from posestream.skeleton.bvh import read_bvh
from posestream.skeleton.gltf import read_document
from posestream.skeleton.humanoid import BONE, NUM_BONES, REST_OFFSET_M
from posestream.skeleton.rig import load_rig
from posestream.types import AvatarFrame, Camera, TrackState
from posestream.wire import codec
from posestream.wire.messages import Hello, stamped
from tests import motion_cases

STILL = rot.identity(NUM_BONES)
ALL = ("jsonl", "bvh", "glb", "vrma")


def job(folder: Path, formats: tuple[str, ...], *overrides: str, people: int = 2) -> Job:
    source = f"synthetic:people={people},size=64x36,seconds=1"
    settings = config.load(None, ['source.pace="fast"', *overrides])
    return Job(source, str(folder / "take.jsonl"), settings, formats)


def test_people_come_and_go_each_in_a_file_of_their_own() -> None:
    gatherer = Gatherer()
    for i in range(90):
        t = i / 30.0
        if i < 60:  # seen up to frame 40, then held until lost
            state = TrackState.TRACKED if i <= 40 else TrackState.HELD
            gatherer.add(motion_cases.frame(t, np.array([t, 1.0, 0.0]), STILL, state=state))
        if i >= 30:
            gatherer.add(motion_cases.frame(t, np.array([0.0, 1.0, t]), STILL, track_id=7))
        if 50 <= i < 55:
            gatherer.add(motion_cases.frame(t, np.zeros(3), STILL, track_id=9))
    first, second = gatherer.motions(min_s=0.5)
    assert (first.number, first.track_id, len(first), first.start_s) == (1, 0, 41, 0.0)
    assert (second.number, second.track_id, len(second)) == (2, 7, 60)
    assert second.start_s == pytest.approx(1.0)
    assert second.time_s[[0, -1]] == pytest.approx([0.0, 59 / 30])
    assert len(gatherer.motions(min_s=0.0)) == 3


def test_signs_are_continuous_and_rotations_unchanged() -> None:
    frames = motion_cases.tumbling(100)
    motion = motion_cases.motion(frames)
    given = np.array([f.quat_local_xyzw[0] for f in frames])
    assert (rot.dot(given[1:], given[:-1]) < 0).any()
    assert (rot.dot(motion.quat_local_xyzw[1:], motion.quat_local_xyzw[:-1]) >= 0).all()
    assert rot.angle_between(given, motion.quat_local_xyzw).max() < 1e-6


def test_frames_that_say_nothing_or_run_backwards_are_left_out() -> None:
    frames = motion_cases.tumbling(10)
    broken = motion_cases.frame(9.0, np.array([np.nan, 0.0, 0.0]), STILL)
    motion = motion_cases.motion([*frames, broken, frames[3]])
    assert len(motion) == 10 and (np.diff(motion.time_s) > 0).all()


def test_the_body_is_the_persons_own() -> None:
    frames = motion_cases.tumbling(30)
    motion = motion_cases.motion(frames)
    assert np.abs(motion.offset_m - REST_OFFSET_M).max() > 0.02
    rig = own_rig(motion)
    np.testing.assert_allclose(placed(motion, rig), motion.root_world_m, atol=1e-6)


def test_ways_and_heights_grow_with_the_avatar(shared_data: Path) -> None:
    rig = load_rig(shared_data / "avatars" / "debug_robot.vrm")
    motion = motion_cases.motion(motion_cases.tumbling())
    ratio = rig.hip_height_m / motion.offset_m[0, 1]
    np.testing.assert_allclose(placed(motion, rig), motion.root_world_m * ratio, rtol=1e-6)


def test_every_format_of_a_source(tmp_path: Path) -> None:
    done = work(job(tmp_path, ALL))
    assert done.error == "" and done.frames == 30
    names = {f"take_person{n}_from0.00s.{f}" for n in (1, 2) for f in ("bvh", "glb", "vrma")}
    assert {p.name for p in tmp_path.iterdir()} == names | {"take.jsonl"} == set(done.files)
    clip = read_bvh(tmp_path / "take_person1_from0.00s.bvh")
    assert (len(clip.quat_local_xyzw), clip.fps) == (30, pytest.approx(30.0, abs=1e-3))
    for name in (n for n in names if not n.endswith("bvh")):
        document = read_document(tmp_path / name)
        assert document["animations"][0]["extras"]["frames"] == 30
        assert load_rig(tmp_path / name).bones_present[BONE["LeftHand"]]
    again = work(job(tmp_path, ALL))
    assert again.skipped and not again.error


def test_only_what_is_missing_is_written(tmp_path: Path) -> None:
    assert work(job(tmp_path, ("bvh",))).files == tuple(
        f"take_person{n}_from0.00s.bvh" for n in (1, 2)
    )
    before = {p.name: p.stat().st_mtime_ns for p in tmp_path.iterdir()}
    (tmp_path / "take_person1_from0.00s.vrma").touch()
    assert set(work(job(tmp_path, ALL)).files) >= {"take.jsonl"}
    for name, time_ns in before.items():
        assert (tmp_path / name).stat().st_mtime_ns == time_ns


def test_an_interrupted_attempt_counts_as_none(tmp_path: Path) -> None:
    """The first person's file comes last: without it nothing is taken for finished."""
    (tmp_path / "take_person2_from0.00s.bvh").write_text("half")
    assert written(tmp_path, "take", "bvh") == []
    assert work(job(tmp_path, ("bvh",))).error == ""
    assert len(written(tmp_path, "take", "bvh")) == 2
    assert read_bvh(tmp_path / "take_person2_from0.00s.bvh").fps > 0


def test_names_with_odd_characters(tmp_path: Path) -> None:
    for stem in ("take[1]", "a.b*c"):
        made = Job("synthetic:people=1,size=64x36,seconds=1", str(tmp_path / f"{stem}.jsonl"),
                   config.load(None, ['source.pace="fast"']), ("bvh",))  # fmt: skip
        assert work(made).error == ""
        assert [p.name for p in written(tmp_path, stem, "bvh")] == [f"{stem}_person1_from0.00s.bvh"]


def test_nobody_in_view_is_no_file_and_no_error(tmp_path: Path) -> None:
    done = work(job(tmp_path, ("glb",), "export.min_s=30"))
    assert (done.error, done.frames, done.files) == ("", 30, ())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    done = work(job(tmp_path, ("bvh",)))
    tmp_path.chmod(0o700)
    assert done.exit_code == 1 and "cannot be written" in done.error


def test_a_folder_that_has_gone(tmp_path: Path) -> None:
    done = work(job(tmp_path / "gone", ("glb",)))
    assert done.exit_code == 1 and "cannot be written" in done.error and "\n" not in done.error


def test_written_for_avatars(shared_data: Path, tmp_path: Path) -> None:
    avatars = shared_data / "avatars"
    for name in ("cryptovoxels.vrm", "CesiumMan.glb"):
        (tmp_path / name).mkdir()
        override = f"avatar.file={avatars / name}"
        done = work(job(tmp_path / name, ("bvh", "glb"), override, people=1))
        assert done.error == ""
        document = read_document(tmp_path / name / "take_person1_from0.00s.glb")
        assert document["skins"] == read_document(avatars / name)["skins"]
        assert len(document["animations"][0]["channels"]) > 15


def test_what_an_avatar_cannot_be_is_said_first(shared_data: Path, tmp_path: Path) -> None:
    clip = str(shared_data / "motions" / "bandai" / "dataset-1_run_normal_001.bvh")
    with pytest.raises(AvatarError, match="no skin"):
        read_target(clip, ("bvh", "glb"))
    assert read_target(clip, ("bvh",)).bvh is not None
    with pytest.raises(AvatarError, match="neither"):
        read_target(str(_as_gltf(shared_data, tmp_path)), ("glb",))
    assert read_target("", ALL).rig is None


def _as_gltf(shared_data: Path, folder: Path) -> Path:
    path = folder / "me.gltf"
    path.write_text(json.dumps(read_document(shared_data / "avatars" / "debug_robot.vrm")))
    return path


def test_a_recording_becomes_the_same_motion(tmp_path: Path) -> None:
    frames = motion_cases.tumbling(40)
    path = tmp_path / "take.psrec"
    writer = RecordingWriter(open_new(path), 0)
    writer.write(Hello("test", Camera(np.eye(3), (64, 36)), 30.0))
    for frame in frames:
        writer.write(stamped(frame, frame.t_capture_ns, 0))
    writer.close()
    settings = config.load(None)
    done = work(Job(f"replay:{path}", str(tmp_path / "out.jsonl"), settings, ALL))
    assert done.error == "" and done.frames == 40
    lines = (tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()
    back = [codec.decode(line) for line in lines[1:]]
    assert isinstance(back[7], AvatarFrame)
    turns = rot.angle_between(back[7].quat_local_xyzw, frames[7].quat_local_xyzw)
    assert turns.max() < 1e-3
    motion = motion_cases.motion(frames)
    clip = read_bvh(tmp_path / "out_person1_from0.00s.bvh")
    assert len(clip.quat_local_xyzw) == round(motion.time_s[-1] * clip.fps) + 1
    np.testing.assert_allclose(
        clip.position_local_m[0, 0], motion.root_world_m[0], atol=1e-4
    )  # fmt: skip
    document = read_document(tmp_path / "out_person1_from0.00s.vrma")
    faces = document["extensions"]["VRMC_vrm_animation"]["expressions"]["preset"]
    assert "aa" in faces and "lookUp" not in faces


def test_a_recording_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "no.psrec").write_bytes(b"something else")
    settings = config.load(None)
    done = work(Job(f"replay:{tmp_path / 'no.psrec'}", str(tmp_path / "o.jsonl"), settings, ALL))
    assert done.exit_code == 7 and "no.psrec" in done.error
    assert [p.name for p in tmp_path.iterdir()] == ["no.psrec"]
