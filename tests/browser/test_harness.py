"""The browser fixture itself: it really is a browser, and it really notices faults."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

pytestmark = pytest.mark.browser


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def site(tmp_path: Path) -> Iterator[str]:
    """A folder served over HTTP, with one page in it."""
    (tmp_path / "index.html").write_text("<title>here</title><canvas></canvas>")
    handler = partial(Quiet, directory=tmp_path)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_page_loads_and_draws_in_three_dimensions(browser_page, site):
    browser_page.goto(site)
    assert browser_page.title() == "here"
    script = "document.querySelector('canvas').getContext('webgl2') !== null"
    assert browser_page.evaluate(script)


def test_modules_workers_and_sockets_are_there(browser_page, site):
    browser_page.goto(site)
    assert browser_page.evaluate("typeof WebSocket + typeof Worker") == "functionfunction"


@pytest.mark.parametrize(
    ("script", "fault"),
    [
        ("console.error('said so')", "console: said so"),
        ("setTimeout(() => { throw new Error('thrown') })", "exception: thrown"),
        ("fetch('missing').then(a => a.text())", "status 404"),
        ("fetch('http://example.org/').catch(() => 0)", "not loaded: http://example.org/"),
        ("new Promise(d => new WebSocket('ws://127.0.0.1:9/').onclose = d)", "WebSocket"),
    ],
)
def test_every_fault_is_noticed(browser_page, page_faults, site, script, fault):
    browser_page.goto(site)
    assert page_faults.unexpected() == []
    browser_page.evaluate(script)
    browser_page.wait_for_timeout(100)
    assert any(fault in text for text in page_faults.unexpected())
    page_faults.allow(".")


def test_a_page_that_is_not_there_is_a_fault(browser_page, page_faults, site):
    browser_page.goto(f"{site}/no_such_page")
    assert any("status 404" in text for text in page_faults.unexpected())
    page_faults.allow("404")
    assert page_faults.unexpected() == []
