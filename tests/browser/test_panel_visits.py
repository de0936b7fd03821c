"""The panel in a real browser: who comes, goes, and finds real people there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.panel_daemon import (
    LIVE,
    Daemon,
    opened,
    until,
)

pytestmark = pytest.mark.browser


def test_without_the_key_it_asks_for_it(browser_page: Page, daemon: Daemon) -> None:
    plain, _, key = daemon.address.partition("#")
    browser_page.goto(plain)
    expect(browser_page.locator("#ask-key")).to_be_visible()
    browser_page.fill("#key", "wrong")
    browser_page.locator("#ask-key button").click()
    expect(browser_page.locator("#ask-key")).to_be_visible()
    browser_page.fill("#key", key)
    browser_page.locator("#ask-key button").click()
    expect(browser_page.locator("#status")).to_have_text("Running")
    assert key not in browser_page.url


def test_a_closed_tab_changes_nothing_for_others(
    browser_page: Page, browser: Any, daemon: Daemon
) -> None:
    other = browser.new_page()
    opened(other, daemon)
    opened(browser_page, daemon)
    other.close()
    shown = browser_page.evaluate(f"{LIVE}.picture.shown")
    until(browser_page, f"{LIVE}.picture.shown > {shown} + 5")
    assert len(daemon.frames(10)) == 10


def test_the_page_comes_back_when_the_daemon_does(
    browser_page: Page, page_faults: Any, tmp_path: Path
) -> None:
    made = Daemon(tmp_path, ("synthetic:people=1,fps=20",)).start()
    try:
        browser_page.goto(made.address)
        until(browser_page, f"{LIVE}.motion?.length > 0")
        page_faults.allow("ERR_CONNECTION_REFUSED|WebSocket|not loaded")
        made.end()
        expect(browser_page.locator("#status.bad")).to_contain_text("trying again")
        made.start()
        expect(browser_page.locator("#status")).to_have_text("Running", timeout=60_000)
        browser_page.evaluate(f"{LIVE}.motion = null")
        until(browser_page, f"{LIVE}.motion?.length > 0")
    finally:
        made.end(browser_page)
        made.vmc.close()


@pytest.mark.mediapipe
@pytest.mark.parametrize("name", ["mmhuman3d_multi_person.mp4", "stgcn_ta_chi.mp4"])
def test_real_people_in_a_real_video(
    browser_page: Page, shared_data: Path, tmp_path: Path, name: str
) -> None:
    video = shared_data / "videos" / name
    made = Daemon(tmp_path, (str(video), "--set", "source.loop=true")).start()
    try:
        opened(browser_page, made)
        places = browser_page.evaluate(f"JSON.stringify({LIVE}.motion.map(p => p.places))")
        shown = browser_page.evaluate(f"{LIVE}.picture.shown")
        until(browser_page, f"{LIVE}.picture.shown > {shown} + 4")
        now = f"JSON.stringify({LIVE}.motion.map(p => p.places))"
        until(browser_page, f"{LIVE}.motion.length > 0 && {now} !== '{places}'")
        expect(browser_page.locator("#engine")).to_contain_text("mediapipe")
    finally:
        made.end(browser_page)
        made.vmc.close()
