"""The panel in a real browser beside the running daemon: what it shows, changes and refuses."""

from __future__ import annotations

import io
import os
import re
import socket
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect
from websockets.sync.client import connect

from posestream.capture.synthetic import CAMERA_HEIGHT_M, CAMERA_TILT_RAD
from posestream.skeleton.humanoid import BONE
from posestream.wire import codec
from posestream.wire.messages import StampedFrame

pytestmark = pytest.mark.browser

REPOSITORY = Path(__file__).resolve().parents[2]
CLIP = REPOSITORY / "posestream" / "assets" / "demo.mp4"
CONFIG = """# My own settings: keep this line.
[smooth]
smoothness = 0.2   # as I like it

[[vmc]]
port = {vmc}   # the app on this machine
people = 2
"""
LIVE = "window.posestreamPanel"
WAIT_S = 60.0

expect.set_options(timeout=30_000)


@dataclass
class Daemon:
    """``posestream run`` with a panel, a stream and one receiver of VMC."""

    home: Path
    arguments: tuple[str, ...]
    panel: int = 0
    stream: int = 0
    vmc: socket.socket = field(default_factory=lambda: _udp())
    process: Any = None

    def __post_init__(self) -> None:
        self.panel, self.stream = _free_port(), _free_port()
        self.config = self.home / "mine.toml"
        self.config.write_text(CONFIG.format(vmc=self.vmc_port), encoding="utf-8")

    def start(self) -> Daemon:
        self.log = self.home / f"log-{time.monotonic_ns()}.txt"
        command = [sys.executable, "-m", "posestream", "run", *self.arguments, "-c", self.config,
                   "--set", f"panel.port={self.panel}",
                   "--set", f"websocket.port={self.stream}"]  # fmt: skip
        home = {"HOME": str(self.home), "XDG_CONFIG_HOME": str(self.home / "config")}
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                command, stdout=log, stderr=log, cwd=self.home,
                env={**os.environ, **home, "PYTHONPATH": str(REPOSITORY)},
            )  # fmt: skip
        eventually(lambda: "Panel: " in self.text or self.process.poll() is not None, self)
        return self

    @property
    def text(self) -> str:
        return self.log.read_text(encoding="utf-8")

    @property
    def address(self) -> str:
        found = re.search(r"Panel: (\S+)", self.text)
        assert found, self.text
        return found[1]

    @property
    def vmc_port(self) -> int:
        return int(self.vmc.getsockname()[1])

    def frames(self, count: int) -> list[StampedFrame]:
        """What is published now."""
        got: list[StampedFrame] = []
        with connect(f"ws://127.0.0.1:{self.stream}/?axes=gltf") as stream:
            while len(got) < count:
                message = codec.decode(stream.recv(timeout=WAIT_S))
                if isinstance(message, StampedFrame):
                    got.append(message)
        return got

    def end(self, page: Page | None = None) -> None:
        if page is not None:
            page.goto("about:blank")  # else it would try to connect again
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(30)


def eventually(condition: Callable[[], Any], what: Any, seconds: float = WAIT_S) -> Any:
    end = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < end, what.text if isinstance(what, Daemon) else what
        time.sleep(0.05)
    return value


def _udp() -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.bind(("127.0.0.1", 0))
    made.settimeout(WAIT_S)
    return made


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """On the bundled clip with its exact people, round and round."""
    source = (str(CLIP), "--backend", "fake", "--set", "source.loop=true")
    made = Daemon(tmp_path_factory.mktemp("home"), source).start()
    yield made
    made.end()
    made.vmc.close()


@pytest.fixture
def panel(browser_page: Page, daemon: Daemon) -> Page:
    """The open page, once it shows people."""
    return opened(browser_page, daemon)


def opened(page: Page, daemon: Daemon) -> Page:
    page.goto(daemon.address)
    expect(page.locator("#status")).to_have_text("Running")
    until(page, f"{LIVE}.motion?.length > 0 && {LIVE}.picture.shown > 0")
    until(page, f"{LIVE}.scene.avatars.mesh !== null && {LIVE}.scene.drawn > 3")
    return page


def until(page: Page, condition: str) -> None:
    """Wait for a condition in the page, whose policy forbids Playwright's own way of waiting."""
    eventually(lambda: page.evaluate(condition), condition)


def pixels(place: Locator) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(place.screenshot())).convert("RGB")).astype(int)


def tab(page: Page, name: str) -> None:
    page.click(f"[data-tab={name}]")


def control(page: Page, key: str, inside: str = "#tab-motion") -> Locator:
    return page.locator(f"{inside} [data-key='{key}']")


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
    colours = panel.evaluate(f"{dots}.map(dot => dot.style.background)")
    assert len(set(colours)) == len(colours) > 0
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
    distances = panel.locator("#people tbody tr td:nth-child(3)").all_inner_texts()
    assert all(1.5 < float(text.removesuffix(" m")) < 8.0 for text in distances)
    stages = panel.locator("#stages li").all_inner_texts()
    assert {text.split()[0] for text in stages} >= {"estimate", "track", "retarget", "smooth"}
    expect(panel.locator("#engine")).to_contain_text("fake")
    expect(panel.locator("#source")).to_have_text("demo.mp4")


def _latency(page: Page) -> str | None:
    text = page.locator("#latency").inner_text()
    return text if text.endswith("ms") else None


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
    with _udp() as other:
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


def test_connected_clients_and_their_rates_are_listed(panel: Page, daemon: Daemon) -> None:
    tab(panel, "send")
    with connect(f"ws://127.0.0.1:{daemon.stream}/") as stream:
        row = panel.locator("#receivers tr", has_text="WebSocket 127.0.0.1")
        end = time.monotonic() + WAIT_S
        while not re.search(r"\b[1-9]\d* frames", row.inner_text() if row.count() else ""):
            assert time.monotonic() < end
            stream.recv(timeout=WAIT_S)
    expect(row).to_have_count(0)


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


def test_recentring_puts_somebody_at_the_origin(panel: Page) -> None:
    panel.locator("#recentre").scroll_into_view_if_needed()
    panel.click("#recentre")
    until(panel, f"{LIVE}.motion.some(p => Math.hypot(p.root[0], p.root[2]) < 0.35)")
    panel.click("#uncentre")
    expect(panel.locator("#place-answer")).to_have_text("Done.")


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


@pytest.fixture(scope="module")
def calibrated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """On scripted people, whose camera's place is known."""
    made = Daemon(tmp_path_factory.mktemp("calibrated"), ("synthetic:people=2,fps=20",)).start()
    yield made
    made.end()
    made.vmc.close()


def stored(daemon: Daemon, kind: str) -> list[dict[str, Any]]:
    """What calibrations of a kind lie in the user's folder."""
    folder = daemon.home / "config" / "posestream" / "calibration" / kind
    return [tomllib.loads(file.read_text(encoding="utf-8")) for file in folder.glob("*.toml")]


def test_the_floor_is_calibrated_with_countdown_and_guidance(
    browser_page: Page, calibrated: Daemon
) -> None:
    panel = opened(browser_page, calibrated)
    panel.click("#guide-floor")
    expect(panel.locator("#guide-count")).to_have_text(re.compile("^[1-5]$"))
    expect(panel.locator("#guide-text")).to_have_text("Step back until you are seen whole.")
    expect(panel.locator("#guide-body")).to_be_disabled()
    until(panel, "document.getElementById('guide-share').value > 0.1")
    expect(panel.locator("#guide-text.good")).to_contain_text("is stored", timeout=60_000)
    expect(panel.locator("#guide-running")).to_be_hidden()
    expect(panel.locator("#guide-body")).to_be_enabled()
    (camera,) = stored(calibrated, "cameras")
    assert camera["name"] == "synthetic"
    assert camera["floor"]["pitch_deg"] == pytest.approx(-np.degrees(CAMERA_TILT_RAD), abs=1.0)
    assert camera["floor"]["roll_deg"] == pytest.approx(0.0, abs=1.0)
    assert camera["floor"]["height_m"] == pytest.approx(CAMERA_HEIGHT_M, abs=0.05)


def test_a_calibration_is_cancelled_and_nothing_is_stored(
    browser_page: Page, calibrated: Daemon
) -> None:
    panel = opened(browser_page, calibrated)
    panel.fill("#height-cm", "172")
    panel.click("#guide-body")
    panel.click("#guide-cancel")
    expect(panel.locator("#guide-text")).to_have_text("Cancelled: nothing was stored.")
    expect(panel.locator("#guide-running")).to_be_hidden()
    assert stored(calibrated, "people") == []


@pytest.mark.parametrize("height", ["", "1.72", "tall"])
def test_a_calibration_that_makes_no_sense_does_not_begin(
    browser_page: Page, calibrated: Daemon, height: str
) -> None:
    panel = opened(browser_page, calibrated)
    panel.fill("#height-cm", height)
    panel.click("#guide-body")
    expect(panel.locator("#guide-answer.bad")).to_contain_text("how tall the person is, in cm")
    expect(panel.locator("#guide-running")).to_be_hidden()


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
        places = browser_page.evaluate(f"{LIVE}.motion.map(p => p.places)")
        shown = browser_page.evaluate(f"{LIVE}.picture.shown")
        until(browser_page, f"{LIVE}.picture.shown > {shown} + 4")
        assert browser_page.evaluate(f"{LIVE}.motion.map(p => p.places)") != places
        expect(browser_page.locator("#engine")).to_contain_text("mediapipe")
    finally:
        made.end(browser_page)
        made.vmc.close()
