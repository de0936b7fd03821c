"""The panel in a real browser: guided calibrations."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from posestream.capture.synthetic import CAMERA_HEIGHT_M, CAMERA_TILT_RAD
from tests.browser.conftest import PageFaults, fresh_page
from tests.browser.panel_daemon import (
    Daemon,
    opened,
    until,
)

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def calibrated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """On scripted people, whose camera's place is known."""
    made = Daemon(tmp_path_factory.mktemp("calibrated"), ("synthetic:people=2,fps=20",)).start()
    yield made
    made.end()
    made.vmc.close()


@pytest.fixture(scope="module")
def guided(browser: Browser, calibrated: Daemon) -> Iterator[Page]:
    """Its panel, open."""
    faults = PageFaults()
    with fresh_page(browser, faults) as page:
        yield opened(page, calibrated)
    faults.check()


def stored(daemon: Daemon, kind: str) -> list[dict[str, Any]]:
    """What calibrations of a kind lie in the user's folder."""
    folder = daemon.home / "config" / "posestream" / "calibration" / kind
    return [tomllib.loads(file.read_text(encoding="utf-8")) for file in folder.glob("*.toml")]


def test_the_floor_is_calibrated_with_countdown_and_guidance(
    guided: Page, calibrated: Daemon
) -> None:
    guided.click("#guide-floor")
    expect(guided.locator("#guide-count")).to_have_text(re.compile("^[1-5]$"))
    expect(guided.locator("#guide-text")).to_have_text("Step back until you are seen whole.")
    expect(guided.locator("#guide-body")).to_be_disabled()
    until(guided, "document.getElementById('guide-share').value > 0.1")
    expect(guided.locator("#guide-text.good")).to_contain_text("is stored", timeout=60_000)
    expect(guided.locator("#guide-running")).to_be_hidden()
    expect(guided.locator("#guide-body")).to_be_enabled()
    (camera,) = stored(calibrated, "cameras")
    assert camera["name"] == "synthetic"
    assert camera["floor"]["pitch_deg"] == pytest.approx(-np.degrees(CAMERA_TILT_RAD), abs=1.0)
    assert camera["floor"]["roll_deg"] == pytest.approx(0.0, abs=1.0)
    assert camera["floor"]["height_m"] == pytest.approx(CAMERA_HEIGHT_M, abs=0.05)


def test_a_calibration_is_cancelled_and_nothing_is_stored(guided: Page, calibrated: Daemon) -> None:
    guided.fill("#height-cm", "172")
    guided.click("#guide-body")
    guided.click("#guide-cancel")
    expect(guided.locator("#guide-text")).to_have_text("Cancelled: nothing was stored.")
    expect(guided.locator("#guide-running")).to_be_hidden()
    assert stored(calibrated, "people") == []


@pytest.mark.parametrize("height", ["", "1.72", "tall"])
def test_a_calibration_that_makes_no_sense_does_not_begin(guided: Page, height: str) -> None:
    guided.fill("#height-cm", height)
    guided.click("#guide-body")
    expect(guided.locator("#guide-answer.bad")).to_contain_text("how tall the person is, in cm")
    expect(guided.locator("#guide-running")).to_be_hidden()
