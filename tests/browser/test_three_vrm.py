"""The same avatars and poses through our kinematics and through three-vrm, in a browser.

tests/unity compares the Unity client with our kinematics on the same rigs and poses, so that
the three agree to the sum of what the two comparisons allow.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from posestream.arrays import F64
from posestream.geometry import rotation as rot
from posestream.skeleton.humanoid import BONES, NUM_BONES
from posestream.skeleton.kinematics import world_rotations
from posestream.skeleton.rig import Rig, fold, forward, load_rig, present_parents
from tests.browser.three_site import ABOUT_Y, fill, served
from tests.browser.vrm_file import VRM_NAME, write_vrm
from tests.unity import conformance

pytestmark = pytest.mark.browser

NAMES = [VRM_NAME[bone] for bone in BONES]
POSES = 500
WORST_MM, WORST_DEG = 0.05, 0.05  # half of 0.1: the other half is the Unity client's


@dataclass(frozen=True)
class Case:
    """An avatar's file and the world rotations (B, 4) from its saved pose to the T-pose."""

    name: str
    path: Path
    rig: Rig
    to_tpose: F64


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fill(tmp_path_factory.mktemp("three_vrm"), "three-vrm", ("page.html", "pose.js"))


@pytest.fixture(scope="module")
def site(folder: Path) -> Iterator[str]:
    with served(folder) as address:
        yield address


def made(folder: Path) -> Iterator[Case]:
    """Rigs whose T-pose is mostly known, because that is what they were turned from."""
    for number, made_up in enumerate(conformance.made_up_rigs()):
        path = folder / f"made_{number}.vrm"
        write_vrm(path, made_up.rig.bones_present, made_up.place_m, made_up.quat_world_xyzw)
        rig, known = load_rig(path), made_up.pose_world_xyzw
        to_tpose = own_tpose(rig) if known is None else rot.inverse(known)
        yield Case(made_up.rig.name, path, rig, to_tpose)


def of_others(folder: Path, data: Path, name: str) -> Case:
    """Somebody else's avatar, which our own reader turns into the T-pose."""
    (folder / name).unlink(missing_ok=True)
    (folder / name).symlink_to(data / "avatars" / name)
    rig = load_rig(folder / name)
    return Case(name, folder / name, rig, own_tpose(rig))


def own_tpose(rig: Rig) -> F64:
    """World rotations (B, 4) from the saved pose to what we take for the T-pose."""
    return rot.multiply(rig.rest_quat_world_xyzw, rot.inverse(conformance.world_of(rig)))


def relative_to_saved(case: Case, quat_local_xyzw: F64) -> F64:
    """Normalised rotations (P, B, 4) from the pose of the file, which three-vrm starts from."""
    folded = fold(case.rig.bones_present, quat_local_xyzw)
    world = rot.multiply(world_rotations(folded), case.to_tpose)
    local = world.copy()
    for bone, parent in enumerate(present_parents(case.rig.bones_present)):
        if parent >= 0:
            local[:, bone] = rot.multiply(rot.inverse(world[:, parent]), world[:, bone])
    return local


def by_three_vrm(page, site: str, case: Case, root: F64, pose: F64) -> tuple[str, list[str], F64]:
    """(VRM generation, bones that it found, (P, B, 7) places and world rotations)."""
    rows = np.concatenate([root, relative_to_saved(case, pose).reshape(len(root), -1)], axis=1)
    (case.path.parent / "poses.bin").write_bytes(rows.astype("<f4").tobytes())
    asked = [f"{site}/{case.path.name}", f"{site}/poses.bin", NAMES]
    answer = page.evaluate("asked => window.pose(...asked)", asked)
    found = np.frombuffer(base64.b64decode(answer["found"]), dtype="<f4").astype(np.float64)
    found = found.reshape(len(root), NUM_BONES, 7)
    if answer["generation"] == "0":  # our reader turns the bones' own axes round with the avatar
        found[..., 3:] = rot.multiply(found[..., 3:], ABOUT_Y)
    return answer["generation"], answer["bones"], found


def compare(page, site: str, case: Case, count: int = POSES) -> tuple[str, float, float]:
    """(VRM generation, worst distance mm, worst angle in degrees) over all bones and poses."""
    root, pose = conformance.poses(count)
    generation, bones, found = by_three_vrm(page, site, case, root, pose)
    there = case.rig.bones_present
    assert bones == [name for name, present in zip(NAMES, there, strict=True) if present]
    place, turn = forward(case.rig, root, pose)
    far_mm = 1e3 * np.linalg.norm(found[..., :3] - place, axis=-1)[:, there]
    angle_deg = np.degrees(rot.angle_between(found[..., 3:], turn))[:, there]
    print(f"{case.name}: {far_mm.max():.5f} mm, {angle_deg.max():.5f} degrees")
    return generation, float(far_mm.max()), float(angle_deg.max())


def test_rigs_of_every_kind_stand_as_three_vrm_poses_them(browser_page, site, folder):
    browser_page.goto(f"{site}/page.html")
    browser_page.wait_for_function("window.ready")
    cases = list(made(folder))
    assert len(cases) >= 5
    for case in cases:
        generation, far_mm, angle_deg = compare(browser_page, site, case)
        assert generation == "1"
        assert far_mm < WORST_MM and angle_deg < WORST_DEG, case.name


@pytest.mark.parametrize(("name", "kind"), [("cryptovoxels.vrm", "0"), ("debug_robot.vrm", "1")])
def test_avatars_of_others_stand_as_three_vrm_poses_them(
    browser_page, site, folder, shared_data, name, kind
):
    browser_page.goto(f"{site}/page.html")
    browser_page.wait_for_function("window.ready")
    generation, far_mm, angle_deg = compare(
        browser_page, site, of_others(folder, shared_data, name)
    )
    assert generation == kind
    assert far_mm < WORST_MM and angle_deg < WORST_DEG


def test_a_wrong_rest_pose_would_be_noticed(browser_page, site, folder):
    """The comparison itself can fail: an avatar in the A-pose, taken for one in the T-pose."""
    browser_page.goto(f"{site}/page.html")
    browser_page.wait_for_function("window.ready")
    slanted = list(made(folder))[1]
    wrong = Case(slanted.name, slanted.path, slanted.rig, rot.identity(NUM_BONES))
    _, far_mm, angle_deg = compare(browser_page, site, wrong, count=5)
    assert far_mm > 10.0 and angle_deg > 10.0
