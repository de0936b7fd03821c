"""Our GLB and VRMA files played by three.js and three-vrm: bones are where our kinematics say."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from posestream.arrays import F64
from posestream.export.avatar_glb import avatar_glb, read_avatar
from posestream.export.body import own_rig, placed
from posestream.export.glb import Glb
from posestream.export.motion import PersonMotion
from posestream.export.skeleton_glb import skeleton_glb, vrma
from posestream.geometry import rotation as rot
from posestream.skeleton.gltf import read_document
from posestream.skeleton.humanoid import BONE, BONES
from posestream.skeleton.rig import Rig, forward, load_rig
from tests import motion_cases
from tests.browser.three_site import ABOUT_Y, fill, served
from tests.browser.vrm_file import VRM_NAME, write_vrm
from tests.unity import conformance

pytestmark = pytest.mark.browser

WORST_MM, WORST_DEG = 0.1, 0.01


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fill(
        tmp_path_factory.mktemp("exports"), "three-vrm-animation", ("export.html", "export.js")
    )


@pytest.fixture(scope="module")
def site(folder: Path) -> Iterator[str]:
    with served(folder) as address:
        yield address


@pytest.fixture
def page(browser_page: Any, site: str) -> Any:
    browser_page.goto(f"{site}/export.html")
    browser_page.wait_for_function("window.ready")
    return browser_page


@pytest.fixture(scope="module")
def motion() -> PersonMotion:
    return motion_cases.motion(motion_cases.tumbling())


def instants(motion: PersonMotion) -> list[int]:
    """Frames at which bones are compared: the ends and some between."""
    return [0, 1, len(motion) // 3, len(motion) // 2, len(motion) - 2, len(motion) - 1]


def at(motion: PersonMotion, frames: list[int]) -> list[float]:
    return [float(t) for t in motion.time_s[frames]]


def far(found: Any, place: F64, turn: F64) -> tuple[float, float]:
    """The worst distance in mm and angle in degrees of (T, K, 7) from what is expected."""
    found = np.array(found)
    far_mm = 1e3 * np.linalg.norm(found[..., :3] - place, axis=-1)
    return float(far_mm.max()), float(np.degrees(rot.angle_between(found[..., 3:], turn)).max())


def play(page: Any, site: str, name: str, times: list[float], nodes: list[int], every: int) -> Any:
    asked = [f"{site}/{name}", times, nodes, every]
    return page.evaluate("asked => window.playGlb(...asked)", asked)


def own_nodes(path: Path) -> dict[int, int]:
    """Bone to node of a file of ours."""
    nodes = read_document(path)["nodes"]
    return {BONE[n["name"]]: i for i, n in enumerate(nodes) if n["name"] in BONE}


def test_a_persons_own_skeleton_moves_as_ours(page, site, folder, motion):
    path = folder / "own.glb"
    path.write_bytes(skeleton_glb(motion))
    rig, nodes, frames = own_rig(motion), own_nodes(path), instants(motion)
    assert set(nodes) == set(range(len(BONES)))
    answer = play(page, site, path.name, at(motion, frames), list(nodes.values()), 1)
    assert answer["duration"] == pytest.approx(motion.time_s[-1], abs=1e-6)
    place, turn = forward(rig, placed(motion, rig), motion.quat_local_xyzw)
    bones = list(nodes)
    far_mm, angle_deg = far(answer["poses"], place[frames][:, bones], turn[frames][:, bones])
    print(f"own skeleton: {far_mm:.5f} mm, {angle_deg:.6f} degrees")
    assert far_mm < WORST_MM and angle_deg < WORST_DEG
    for frame, corners in zip(frames, np.array(answer["skins"]), strict=True):
        gaps = np.linalg.norm(corners[:, None] - place[frame, bones][None], axis=-1)
        assert gaps.min(axis=0).max() < 2e-4  # every joint is a tip of the figure


def test_between_keys_bones_turn_the_short_way_at_even_speed(page, site, folder, motion):
    path = folder / "between.glb"
    path.write_bytes(skeleton_glb(motion))
    rig, nodes = own_rig(motion), own_nodes(path)
    frames = np.array([0, 7, 30, len(motion) - 2])
    t, q = motion.time_s, motion.quat_local_xyzw
    answer = play(page, site, path.name, ((t[frames] + t[frames + 1]) / 2).tolist(),
                  list(nodes.values()), 0)  # fmt: skip
    root = placed(motion, rig)
    half = rot.slerp(q[frames], q[frames + 1], np.full((1, 1), 0.5))
    place, turn = forward(rig, (root[frames] + root[frames + 1]) / 2, half)
    far_mm, angle_deg = far(answer["poses"], place[:, list(nodes)], turn[:, list(nodes)])
    assert far_mm < 1.0 and angle_deg < 0.1  # the two slerps differ in their last digits


@pytest.mark.parametrize("name", ["debug_robot.vrm", "cryptovoxels.vrm", "CesiumMan.glb"])
def test_avatars_move_as_ours(page, site, folder, shared_data, motion, name):
    rig = load_rig(shared_data / "avatars" / name)
    avatar = read_avatar(shared_data / "avatars" / name, rig)
    path = folder / f"{name}.glb"
    path.write_bytes(avatar_glb(motion, avatar))
    frames, bones = instants(motion), list(avatar.node)
    answer = play(page, site, path.name, at(motion, frames), list(avatar.node.values()), 0)
    assert answer["clips"] == 1 + len(avatar.document.get("animations", []))
    place, turn = forward(rig, placed(motion, rig), motion.quat_local_xyzw)
    if rig.generation == "vrm0":
        turn = rot.multiply(turn, ABOUT_Y)
    far_mm, angle_deg = far(answer["poses"], place[frames][:, bones], turn[frames][:, bones])
    print(f"{name}: {far_mm:.5f} mm, {angle_deg:.6f} degrees")
    assert far_mm < WORST_MM and angle_deg < WORST_DEG


@pytest.mark.parametrize("name", ["cryptovoxels.vrm", "CesiumMan.glb"])
def test_an_avatars_skin_goes_with_its_bones(page, site, folder, shared_data, name):
    """In mocap no corner of the skin strays further from the bones than it was at rest."""
    clip = shared_data / "motions" / "bandai" / "dataset-2_walk_masculine_007.bvh"
    walk = motion_cases.motion(motion_cases.mocap(clip))
    rig = load_rig(shared_data / "avatars" / name)
    avatar = read_avatar(shared_data / "avatars" / name, rig)
    path = folder / f"skin-{name}.glb"
    path.write_bytes(avatar_glb(walk, avatar))
    frames = instants(walk)
    answer = play(page, site, path.name, at(walk, frames), list(avatar.node.values()), 17)
    rest = load_rest(page, site, folder, shared_data / "avatars" / name)
    allowed = 1.3 * astray(np.array(rest["skins"][0]), rig.file_position_world_m[list(avatar.node)])
    for corners, pose in zip(answer["skins"], np.array(answer["poses"]), strict=True):
        assert astray(np.array(corners), pose[:, :3]) < allowed


def load_rest(page: Any, site: str, folder: Path, path: Path) -> Any:
    """The avatar as its file has it: an animation of one still instant."""
    rig = load_rig(path)
    still = read_avatar(path, rig)
    document = read_document(path)
    document["animations"] = [{"name": "none", "channels": [], "samplers": []}]
    (folder / "rest.glb").write_bytes(Glb(document, still.binary).to_bytes())
    return play(page, site, "rest.glb", [0.0], [0], 17)


def astray(corners: F64, bones: F64) -> float:
    """How far the furthest corner is from its nearest bone, whichever way the avatar faces."""
    ways = [bones, bones * [-1.0, 1.0, -1.0]]
    gaps = [np.linalg.norm(corners[:, None] - b[None], axis=-1).min(axis=1) for b in ways]
    return float(min(gap.max() for gap in gaps))


def test_vrm_animations_move_avatars_as_ours(page, site, folder, motion):
    (folder / "motion.vrma").write_bytes(vrma(motion))
    frames = instants(motion)
    for number, made in enumerate(conformance.made_up_rigs()):
        if made.rig.name not in ("identity", "arbitrary axes"):
            continue  # the others are not saved in the T-pose, as VRM wants it
        path = folder / f"avatar_{number}.vrm"
        write_vrm(path, made.rig.bones_present, made.place_m, made.quat_world_xyzw)
        answer = play_vrma(page, site, path, at(motion, frames), list(VRM_NAME.values()))
        far_mm, angle_deg = compared(
            motion, load_rig(path), frames, answer, [BONE[b] for b in VRM_NAME]
        )
        print(f"{made.rig.name}: {far_mm:.5f} mm, {angle_deg:.6f} degrees")
        assert far_mm < WORST_MM and angle_deg < WORST_DEG


def play_vrma(page: Any, site: str, avatar: Path, times: list[float], names: list[str]) -> Any:
    asked = [f"{site}/{avatar.name}", f"{site}/motion.vrma", times, names]
    return page.evaluate("asked => window.playVrma(...asked)", asked)


def compared(
    motion: PersonMotion, rig: Rig, frames: list[int], answer: Any, bones: list[int]
) -> tuple[float, float]:
    """Against our kinematics; ways scaled as VRM animations are, by the height of the hips."""
    quat = motion.quat_local_xyzw.copy()
    quat[:, [BONE["LeftEye"], BONE["RightEye"]]] = rot.IDENTITY
    scale = rig.rest_position_world_m[0, 1] / motion.offset_m[0, 1]
    place, turn = forward(rig, motion.root_world_m * scale, quat)
    return far(answer["poses"], place[frames][:, bones], turn[frames][:, bones])


def test_vrm_animations_say_what_they_hold(page, site, folder, motion):
    (folder / "motion.vrma").write_bytes(vrma(motion))
    made = conformance.made_up_rigs()[0]
    path = folder / "plain.vrm"
    write_vrm(path, made.rig.bones_present, made.place_m, made.quat_world_xyzw)
    answer = play_vrma(page, site, path, [0.0], ["hips"])
    assert answer["hips"] == pytest.approx([0.0, motion.offset_m[0, 1], 0.0], abs=1e-6)
    assert not {"leftEye", "rightEye"} & set(answer["bones"])
    assert len(answer["bones"]) == len(BONES) - 2
    values = dict(answer["expressions"])
    assert set(values) == {n for n in motion.expressions if not n.startswith("look")}
    for name, shown in values.items():
        np.testing.assert_allclose(shown, motion.expressions[name], atol=1e-6)


def test_files_are_the_same_each_time(motion):
    assert skeleton_glb(motion) == skeleton_glb(motion)
    size = int.from_bytes(vrma(motion)[12:16], "little")
    document = json.loads(vrma(motion)[20 : 20 + size])
    assert document["animations"][0]["extras"]["start_s"] == motion.start_s
