"""A page in real, headless Chromium; whatever goes wrong in it fails the test.

Tests here are ordinary functions: Playwright's synchronous interface occupies the thread's event
loop, so a server under test runs in a process or a thread of its own.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, Response, sync_playwright

from tests.browser.panel_daemon import LIVE, Daemon, on_the_clip, opened, tab, until

TIMEOUT_MS = 120_000
NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
ARGUMENTS = (
    "--enable-unsafe-swiftshader",  # WebGL without a graphics card
    # what the product shows comes from the product alone
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
)
VIEW_PX = {"width": 1024, "height": 640}


@dataclass
class PageFaults:
    """What went wrong in a page, beyond what the test said it expects."""

    seen: list[str] = field(default_factory=list)
    allowed: list[str] = field(default_factory=list)

    def allow(self, pattern: str) -> None:
        """Expect faults whose text matches the regular expression ``pattern``."""
        self.allowed.append(pattern)

    def unexpected(self) -> list[str]:
        """What nobody allowed."""
        return [f for f in self.seen if not any(re.search(p, f) for p in self.allowed)]

    def check(self) -> None:
        """Fail for what nobody allowed."""
        if faults := self.unexpected():
            pytest.fail("in the page: " + "; ".join(faults), pytrace=False)

    def watch(self, page: Page) -> None:
        """Listen to everything that a page complains about."""
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.seen.append(f"exception: {error}"))
        page.on("crash", lambda _: self.seen.append("the page crashed"))
        page.on("requestfailed", self._failed)
        page.on("response", self._answered)

    def _console(self, message: ConsoleMessage) -> None:
        asked_by_itself = message.location["url"].endswith("/favicon.ico")
        if message.type == "error" and not asked_by_itself:
            self.seen.append(f"console: {message.text}")

    def _failed(self, request: Request) -> None:
        self.seen.append(f"not loaded: {request.url} ({request.failure})")

    def _answered(self, response: Response) -> None:
        if response.status >= 400:
            self.seen.append(f"not loaded: {response.url} (status {response.status})")


def chromium_program() -> Path | None:
    """The browser to test with: POSESTREAM_CHROMIUM, or the first one on the path."""
    given = os.environ.get("POSESTREAM_CHROMIUM")
    found = given or next(filter(None, map(shutil.which, NAMES)), None)
    return Path(found) if found else None


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Headless Chromium; skips where there is none."""
    program = chromium_program()
    if program is None:
        pytest.skip(
            "Chromium is not installed: apt-get install chromium, or set POSESTREAM_CHROMIUM"
        )
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, args=list(ARGUMENTS))
        yield started
        started.close()


@pytest.fixture
def page_faults() -> PageFaults:
    """The faults of ``browser_page``; a test that provokes one says so with ``allow``."""
    return PageFaults()


@contextmanager
def fresh_page(browser: Browser, faults: PageFaults) -> Iterator[Page]:
    """An empty page of a user of its own."""
    context = browser.new_context(viewport=VIEW_PX)
    context.set_default_timeout(TIMEOUT_MS)
    page = context.new_page()
    faults.watch(page)
    yield page
    context.close()


@pytest.fixture
def browser_page(browser: Browser, page_faults: PageFaults) -> Iterator[Page]:
    """An empty page; afterwards fails for every fault that was not allowed."""
    with fresh_page(browser, page_faults) as page:
        yield page
    page_faults.check()


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """On the bundled clip with its exact people, round and round."""
    made = on_the_clip(tmp_path_factory.mktemp("home"))
    yield made
    made.end()
    made.vmc.close()


@pytest.fixture(scope="module")
def watched_panel(browser: Browser, daemon: Daemon) -> Iterator[tuple[Page, PageFaults]]:
    """The open panel; without a graphics card opening it takes longer than most tests."""
    faults = PageFaults()
    with fresh_page(browser, faults) as page:
        yield opened(page, daemon), faults


@pytest.fixture
def panel(watched_panel: tuple[Page, PageFaults]) -> Iterator[Page]:
    """The open panel on its first tab, showing people; fails for every fault of its page."""
    page, faults = watched_panel
    faults.seen.clear()
    tab(page, "motion")
    page.check("#show-camera")
    page.evaluate("document.activeElement.blur()")
    until(page, f"{LIVE}.motion?.length > 0")
    yield page
    faults.check()
