"""The panel in a real browser beside the running daemon: what it shows, changes and refuses."""

from __future__ import annotations

import re
import subprocess
import sys
import time

import numpy as np
import pytest
from playwright.sync_api import Page, expect
from websockets.sync.client import connect

from posestream.skeleton.humanoid import BONE
from tests.browser.panel_daemon import (
    LIVE,
    REPOSITORY,
    WAIT_S,
    Daemon,
    control,
    eventually,
    pixels,
    tab,
    udp_socket,
    until,
)

pytestmark = pytest.mark.browser


def test_picture_and_skeletons_move(panel: Page) -> None:
    first_picture, first_scene = pixels(panel.locator("#picture")), pixels(panel.locator("#scene"))
    roots = panel.evaluate(f"{LIVE}.motion.map(p => p.places)")
    shown = panel.evaluate(f"{LIVE}.picture.shown")
    until(panel, f"{LIVE}.picture.shown > {shown} + 8")
    moved = panel.evaluate(f"{LIVE}.motion.map(p => p.places)")
    assert np.abs(np.array(moved[0]) - np.array(roots[0])).max() > 0.02
    for name, before in (("#picture", first_picture), ("#scene", first_scene)):
        changed = np.abs(pixels(panel.locator(name)) - before).max(axis=-1) > 40
        assert 0.0005 < changed.mean() < 0.6, name


def test_each_person_is_seen_in_their_colour_everywhere(panel: Page) -> None:
    panel.uncheck("#show-camera")  # its picture has those colours, too
    expect(panel.locator("#count")).to_have_text("2")
    scene, picture = pixels(panel.locator("#scene")), pixels(panel.locator("#picture"))
    dots = "[...document.querySelectorAll('#people tr:not(.gone) .dot')]"
    script = f"{dots}.map(dot => dot.style.background)"
    colours = eventually(lambda: panel.evaluate(script), "people in the list")
    assert len(set(colours)) == len(colours)
    for colour in colours:
        wanted = np.array(re.findall(r"\d+", colour), float)
        hue = wanted.astype(float) / np.linalg.norm(wanted.astype(float))
        for drawn in (scene, picture):
            bright = drawn[drawn.max(axis=-1) > 60].astype(float)
            alike = bright @ hue / np.linalg.norm(bright, axis=-1) > 0.968
            assert alike.sum() > 100


def test_figures_are_those_of_the_run(panel: Page) -> None:
    expect(panel.locator("#count")).to_have_text("2")
    until(panel, "parseFloat(document.getElementById('fps').textContent) > 1")
    assert re.fullmatch(r"\d+ ms", eventually(lambda: _latency(panel), "a latency"))
    distances = eventually(lambda: _distances(panel), "everybody in sight")
    assert all(1.5 < float(text.removesuffix(" m")) < 8.0 for text in distances)
    stages = panel.locator("#stages li").all_inner_texts()
    assert {text.split()[0] for text in stages} >= {"estimate", "track", "retarget", "smooth"}
    expect(panel.locator("#engine")).to_contain_text("fake")
    expect(panel.locator("#source")).to_have_text("demo.mp4")


def _distances(page: Page) -> list[str]:
    """Of everybody; none while somebody is out of sight."""
    texts = page.locator("#people tbody tr td:nth-child(3)").all_inner_texts()
    return texts if all(text.endswith(" m") for text in texts) else []


def _latency(page: Page) -> str | None:
    text = page.locator("#latency").inner_text()
    return text if text.endswith("ms") else None


def test_the_scene_turns_with_the_mouse_and_the_keys(panel: Page) -> None:
    eye = f"{LIVE}.scene.orbit.eye"
    before = panel.evaluate(eye)
    panel.mouse.move(500, 400)
    panel.mouse.down()
    panel.mouse.move(580, 420, steps=4)
    panel.mouse.up()
    dragged = panel.evaluate(eye)
    assert np.linalg.norm(np.subtract(dragged, before)) > 0.3
    panel.mouse.wheel(0, -300)
    until(panel, f"JSON.stringify({eye}) !== '{dragged}'")
    panel.click("#view-reset")


def test_a_changed_setting_takes_effect_in_what_is_published(panel: Page, daemon: Daemon) -> None:
    def thigh_deg() -> float:
        """How far thighs are turned forwards, in the median."""
        w = np.concatenate(
            [f.quat_local_xyzw[:, BONE["LeftUpperLeg"], 3] for f in daemon.frames(20)]
        )
        return float(np.degrees(2.0 * np.arccos(np.clip(np.abs(np.median(w)), 0.0, 1.0))))

    assert thigh_deg() < 40.0
    control(panel, "retarget.seated").check()
    eventually(lambda: thigh_deg() > 70.0, "people who sit")
    control(panel, "retarget.seated").uncheck()
    eventually(lambda: thigh_deg() < 40.0, "people who stand")


def test_a_refused_value_explains_itself_and_nothing_changes(panel: Page) -> None:
    predict = control(panel, "smooth.predict_ms")
    before = predict.input_value()
    predict.fill("5000")
    predict.press("Enter")
    box = panel.locator("#tab-motion .field:has([data-key='smooth.predict_ms'])")
    refusal = box.locator(".answer.bad")
    expect(refusal).to_contain_text("smooth.predict_ms must be a number from 0 to")
    expect(refusal).to_contain_text("It stays as it was.")
    panel.locator("h1").click()
    expect(predict).to_have_value(before)
    predict.fill("30")
    predict.press("Enter")
    expect(refusal).to_have_text("")
    predict.fill(before)
    predict.press("Enter")


def test_the_smoothing_knob_is_a_slider_that_the_daemon_follows(panel: Page) -> None:
    knob = control(panel, "smooth.smoothness")
    expect(knob).to_have_value("0.2")
    knob.focus()
    panel.keyboard.press("End")
    tab(panel, "all")
    panel.fill("#filter", "smoothness")
    expect(control(panel, "smooth.smoothness", "#tab-all")).to_have_value("1")
    tab(panel, "motion")
    knob.focus()
    panel.keyboard.press("Home")
    expect(panel.locator("output", has_text="0").first).to_be_visible()


def test_every_control_has_its_explanation(panel: Page) -> None:
    tab(panel, "send")
    missing = panel.evaluate(
        """[...document.querySelectorAll('.right input, .right select, .right button')]
        .filter(e => e.getAttribute('role') !== 'tab' && e.id !== 'filter')
        .filter(e => !e.title && !e.closest('.field, .tab, footer')?.querySelector('.explain'))
        .map(e => e.outerHTML)"""
    )
    assert missing == []
    silent = panel.evaluate(
        """[...document.querySelectorAll('.field')]
        .filter(f => f.querySelector('.explain').textContent.length < 8).map(f => f.innerText)"""
    )
    assert silent == []


def test_targets_are_switched_off_moved_added_and_removed(panel: Page, daemon: Daemon) -> None:
    tab(panel, "send")
    assert daemon.vmc.recv(65536)
    card = panel.locator("[data-target='vmc.0']")
    card.locator("input[type=checkbox]").uncheck()
    expect(panel.locator(".card.off")).to_have_count(1)
    daemon.vmc.settimeout(1.5)
    with pytest.raises(TimeoutError):
        while True:
            daemon.vmc.recv(65536)
    daemon.vmc.settimeout(WAIT_S)
    card.locator("input[type=checkbox]").check()
    assert daemon.vmc.recv(65536)
    with udp_socket() as other:
        port = card.locator("[data-key='vmc.0.port']")
        port.fill(str(other.getsockname()[1]))
        port.press("Enter")
        assert other.recv(65536)
    port.fill("99999")
    port.press("Enter")
    expect(panel.locator("#targets-answer")).to_contain_text("from 1 to 65535")
    port.fill(str(daemon.vmc_port))
    port.press("Enter")
    panel.click("#add-vrchat")
    expect(panel.locator("[data-target='vrchat.0']")).to_be_visible()
    expect(panel.locator("#receivers")).to_contain_text("vrchat")
    panel.locator("[data-target='vrchat.0'] button").click()
    expect(panel.locator("[data-target='vrchat.0']")).to_have_count(0)


def test_what_is_being_typed_survives_a_change_from_elsewhere(panel: Page) -> None:
    tab(panel, "send")
    host = panel.locator("[data-key='vmc.0.host']")
    host.fill("192.0.2.7")
    panel.evaluate(f"{LIVE}.targets.link.ask('set', {{key: 'vmc.0.people', value: 3}})")
    expect(panel.locator("[data-key='vmc.0.people']")).to_have_value("3")
    expect(host).to_be_focused()
    expect(host).to_have_value("192.0.2.7")
    host.press("Enter")
    until(panel, f"{LIVE}.targets.settings.vmc[0].host === '192.0.2.7'")
    host.fill("127.0.0.1")
    host.press("Enter")
    until(panel, f"{LIVE}.targets.settings.vmc[0].host === '127.0.0.1'")


def test_changes_in_quick_succession_are_all_kept(panel: Page) -> None:
    tab(panel, "send")
    panel.evaluate(
        """() => {
            const people = document.querySelector("[data-key='vmc.0.people']");
            people.value = '2';
            people.dispatchEvent(new Event('change'));
            document.getElementById('add-vmc').click();
            document.getElementById('add-vmc').click();
        }"""
    )
    until(panel, f"{LIVE}.targets.settings.vmc.length > 1")
    expect(panel.locator("#add-vmc")).to_be_enabled()
    vmc = panel.evaluate(f"{LIVE}.targets.settings.vmc")
    assert [target["people"] for target in vmc] == [2, 1]
    panel.locator("[data-target='vmc.1'] button").click()
    until(panel, f"{LIVE}.targets.settings.vmc.length === 1")


def test_connected_clients_and_their_rates_are_listed(panel: Page, daemon: Daemon) -> None:
    tab(panel, "send")
    with connect(f"ws://127.0.0.1:{daemon.stream}/") as stream:
        row = panel.locator("#receivers tr", has_text="WebSocket 127.0.0.1")
        end = time.monotonic() + WAIT_S
        while not re.search(r"\b[1-9]\d* frames", row.inner_text() if row.count() else ""):
            assert time.monotonic() < end
            stream.recv(timeout=WAIT_S)
    expect(row).to_have_count(0)


def test_saved_settings_keep_their_comments(panel: Page, daemon: Daemon) -> None:
    hold = control(panel, "track.hold_s")
    hold.fill("1.5")
    hold.press("Enter")
    until(panel, f"{LIVE}.forms.settings.track.hold_s === 1.5")
    panel.click("#save")
    expect(panel.locator("#save-answer")).to_contain_text(f"posestream run -c {daemon.config}")
    text = daemon.config.read_text(encoding="utf-8")
    for kept in (
        "# My own settings: keep this line.",
        "# as I like it",
        "# the app on this machine",
    ):
        assert kept in text
    assert re.search(r"^hold_s = 1.5$", text, re.MULTILINE)
    assert subprocess.run(
        [sys.executable, "-m", "posestream", "config", "-c", daemon.config],
        cwd=REPOSITORY, capture_output=True, check=False,
    ).returncode == 0  # fmt: skip


def test_recentring_puts_somebody_at_the_origin(panel: Page) -> None:
    panel.locator("#recentre").scroll_into_view_if_needed()
    panel.click("#recentre")
    until(panel, f"{LIVE}.motion.some(p => Math.hypot(p.root[0], p.root[2]) < 0.35)")
    panel.click("#uncentre")
    expect(panel.locator("#place-answer")).to_have_text("Done.")
