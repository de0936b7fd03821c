"""The panel in a real browser: sources, recordings and avatars."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.panel_daemon import (
    LIVE,
    Daemon,
    eventually,
    tab,
    until,
)

pytestmark = pytest.mark.browser


def test_record_replay_and_the_timeline(panel: Page, daemon: Daemon) -> None:
    tab(panel, "input")
    panel.fill("#take", "browser take")
    panel.click("#record-button")
    expect(panel.locator("#status")).to_have_text("Recording browser take")
    daemon.frames(60)
    panel.click("#record-button")
    expect(panel.locator("#input-answer")).to_contain_text("browser take.psrec")
    panel.locator("#recordings button", has_text="browser take").click()
    expect(panel.locator("#timeline")).to_be_visible()
    expect(panel.locator("#source")).to_have_text("browser take")
    panel.click("#play")
    expect(panel.locator("#play")).to_have_text("Play")
    last = float(panel.locator("#position").get_attribute("max") or 0)
    assert last > 0.5
    panel.locator("#position").focus()
    panel.keyboard.press("End")
    expect(panel.locator("#time")).to_contain_text(f"{last:.1f}"[:1])
    eventually(lambda: float(panel.locator("#position").input_value()) > 0.6 * last, "the end")
    panel.click("#play")
    panel.locator("#sources button", has_text="bundled clip").click()
    expect(panel.locator("#timeline")).to_be_hidden()
    expect(panel.locator("#source")).to_have_text("demo.mp4")
    until(panel, f"{LIVE}.motion?.length === 2")


def test_a_source_that_cannot_be_opened_is_explained_and_the_old_one_stays(panel: Page) -> None:
    tab(panel, "input")
    for spec in ("no such file.mp4", "camera:99"):
        panel.fill("#spec", spec)
        panel.locator("#open-source button").click()
        expect(panel.locator("#input-answer.bad")).to_contain_text(
            re.compile("camera|file|no such")
        )
    expect(panel.locator("#source")).to_have_text("demo.mp4")
    shown = panel.evaluate(f"{LIVE}.picture.shown")
    until(panel, f"{LIVE}.picture.shown > {shown} + 2")


@pytest.mark.parametrize("name", ["cryptovoxels.vrm", "CesiumMan.glb", "debug_robot.vrm"])
def test_a_users_avatar_is_worn_in_the_scene_and_in_what_is_sent(
    panel: Page, daemon: Daemon, shared_data: Path, name: str
) -> None:
    tab(panel, "avatar")
    own = panel.evaluate(f"{LIVE}.scene.avatars.mesh.triangles")
    panel.set_input_files("#avatar-file", shared_data / "avatars" / name)
    expect(panel.locator("#avatar-answer")).to_contain_text("is worn")
    expect(panel.locator("#avatar-name")).to_have_text(name.partition(".")[0])
    assert panel.evaluate(f"{LIVE}.scene.avatars.mesh.triangles") != own
    assert daemon.vmc.recv(65536)
    panel.click("#own-avatar")
    expect(panel.locator("#avatar-name")).to_have_text("posestream's own")


def test_what_is_no_avatar_is_refused(panel: Page, tmp_path: Path) -> None:
    tab(panel, "avatar")
    broken = tmp_path / "broken.vrm"
    broken.write_bytes(b"glTF" + bytes(60))
    panel.set_input_files("#avatar-file", broken)
    expect(panel.locator("#avatar-answer.bad")).to_contain_text("broken.vrm")
    expect(panel.locator("#avatar-name")).to_have_text("posestream's own")
