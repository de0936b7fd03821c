"""The panel in a browser without a graphics card: it leaves the processor to posestream."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.panel_daemon import LIVE, Daemon, opened, until

pytestmark = pytest.mark.browser

PACE = f"{LIVE}.pace"


def test_without_a_graphics_card_it_draws_and_takes_little(panel: Page) -> None:
    assert panel.evaluate(f"{PACE}.software && {PACE}.spare")
    expect(panel.locator("#details")).not_to_be_checked()
    assert panel.evaluate(f"{PACE}.hz") <= 6
    until(panel, f"{LIVE}.scene.avatars.mesh.light !== null")
    light, whole = panel.evaluate(
        f"[{LIVE}.scene.avatars.mesh.light.count, {LIVE}.scene.avatars.mesh.whole.count]"
    )
    assert 0.1 * whole < light < 0.5 * whole
    shown, sent = (
        f"document.getElementById('picture').{name}" for name in ("clientWidth", "width")
    )
    until(panel, f"{shown} <= {sent} && {sent} < {shown} + 33")  # the next picture has that width


def test_details_are_there_for_the_asking(panel: Page) -> None:
    panel.check("#details")
    try:
        drawn = panel.evaluate(f"{LIVE}.scene.drawn")
        until(panel, f"!{PACE}.spare && {LIVE}.scene.drawn > {drawn} + 1")
    finally:
        panel.uncheck("#details")
    assert panel.evaluate(f"{PACE}.spare && localStorage.getItem('details')") == "no"


def test_where_nothing_changes_nothing_is_drawn(browser_page: Page, daemon: Daemon) -> None:
    browser_page.add_init_script("""
        window.asked = 0;
        const real = window.requestAnimationFrame;
        window.requestAnimationFrame = (call) => { window.asked += 1; return real(call); };
    """)
    opened(browser_page, daemon)
    browser_page.evaluate(f"{PACE}.link.say('visible', {{ on: false }})")
    until(browser_page, f"!{LIVE}.scene.busy")
    browser_page.wait_for_timeout(2000)  # what was under way has come
    before = browser_page.evaluate(f"[{LIVE}.scene.drawn, {PACE}.ticks, window.asked]")
    browser_page.wait_for_timeout(1500)
    assert browser_page.evaluate(f"[{LIVE}.scene.drawn, {PACE}.ticks, window.asked]") == before
    browser_page.evaluate(f"{PACE}.link.say('visible', {{ on: true }})")
    until(browser_page, f"{LIVE}.scene.drawn > {before[0]}")


def test_a_hidden_tab_draws_nothing(browser_page: Page, daemon: Daemon) -> None:
    opened(browser_page, daemon)
    hidden = """on => {
        Object.defineProperty(document, "hidden", { configurable: true, get: () => on });
        document.dispatchEvent(new Event("visibilitychange"));
    }"""
    browser_page.evaluate(hidden, True)
    until(browser_page, f"!{LIVE}.scene.busy")
    browser_page.wait_for_timeout(2000)
    counts = f"[{LIVE}.scene.drawn, {LIVE}.picture.shown, {PACE}.ticks]"
    before = browser_page.evaluate(counts)
    browser_page.wait_for_timeout(1500)
    assert browser_page.evaluate(counts) == before
    browser_page.evaluate(hidden, False)
    until(browser_page, f"{LIVE}.picture.shown > {before[1]}")


def test_the_neutral_face_is_learnt_where_a_face_is_looked_at(panel: Page) -> None:
    expect(panel.locator("#neutral")).to_be_hidden()
    panel.evaluate(f"{LIVE}.pace.link.ask('set', {{ key: 'perform.face', value: true }})")
    try:
        panel.locator("#neutral").click()
        expect(panel.locator("#face-answer")).to_contain_text("look into the camera")
    finally:
        panel.evaluate(f"{LIVE}.pace.link.ask('set', {{ key: 'perform.face', value: false }})")
    expect(panel.locator("#neutral")).to_be_hidden()
