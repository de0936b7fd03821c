"""Who may open the panel, and that it is never open by accident."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import psutil
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

SOURCE = "synthetic:people=2,fps=30"


@dataclass
class Panel:
    run: Any
    port: int
    key: str

    def get(self, path: str = "/", **headers: str) -> tuple[int, dict[str, str], bytes]:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=20)
        connection.request("GET", path, headers={"Host": f"127.0.0.1:{self.port}", **headers})
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return answer.status, dict(answer.getheaders()), content

    def open(self, **headers: str) -> ClientConnection:
        return connect(f"ws://127.0.0.1:{self.port}/live", additional_headers=headers)

    def viewer(self) -> ClientConnection:
        connection = self.open()
        connection.send(self.key)
        return connection


def panel_line(run: Any) -> str | None:
    return next((line for line in run.lines if line.startswith("Panel: ")), None)


@pytest.fixture(scope="module")
def panel(module_posestream: Any, free_port: Callable[[], int], eventually: Any) -> Panel:
    port = free_port()
    run = module_posestream(
        "run", SOURCE, "--set", "websocket.port=0", "--set", "vmc=[]",
        "--set", f"panel.port={port}",
    )  # fmt: skip
    line = eventually(lambda: panel_line(run), "the panel's address", 60)
    return Panel(run, port, line.partition("#")[2])


def test_the_address_is_printed_and_opens_the_page(panel: Panel) -> None:
    line = panel_line(panel.run)
    assert line == f"Panel: http://127.0.0.1:{panel.port}/#{panel.key}"
    assert len(panel.key) == 24
    status, headers, content = panel.get()
    assert status == 200 and b"<title>posestream</title>" in content
    assert headers["Content-Type"].startswith("text/html")
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy and "http" not in policy


def test_the_key_is_not_the_token(panel: Panel) -> None:
    assert panel.key not in panel.run.token and panel.run.token not in panel.key


def test_it_listens_on_loopback_alone(panel: Panel) -> None:
    listening = [
        c.laddr
        for c in psutil.Process(panel.run.process.pid).net_connections("tcp")
        if c.status == psutil.CONN_LISTEN
    ]
    assert panel.port in {address.port for address in listening}
    assert {address.ip for address in listening} == {"127.0.0.1"}


@pytest.mark.parametrize("setting", ['panel.host="0.0.0.0"', "panel.open=true"])
def test_no_setting_opens_it_to_others(posestream: Any, setting: str) -> None:
    run = posestream("run", SOURCE, "--set", setting)
    assert run.wait(60.0) == 2
    assert "no setting panel." in run.stderr


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1",
             "192.168.1.5:{port}", "localhost.evil.example:{port}", "a@127.0.0.1:{port}",
             "127.0.0.1:{port}:1", ""],
)  # fmt: skip
def test_another_name_for_this_machine_gets_nothing(panel: Panel, host: str) -> None:
    status, _, content = panel.get(Host=host.format(port=panel.port))
    assert status == 403 and b"posestream</title>" not in content


def test_localhost_is_fine_as_through_a_tunnel(panel: Panel) -> None:
    assert panel.get(Host=f"localhost:{panel.port}")[0] == 200


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://127.0.0.1", "http://localhost:8766",
               "https://127.0.0.1:{port}", "file://", "http://127.0.0.1:{port}.evil.example"],
)  # fmt: skip
def test_another_web_page_cannot_connect(panel: Panel, origin: str) -> None:
    with pytest.raises(InvalidStatus, match="403"):
        panel.open(Origin=origin.format(port=panel.port))


@pytest.mark.parametrize("key", ["", "x", "0" * 24, "é" * 24, "x" * 100_000, b"\0\1", "token"])
def test_without_the_key_nothing_is_told(panel: Panel, key: str | bytes) -> None:
    with panel.open() as connection:
        connection.send(panel.run.token if key == "token" else key)
        with pytest.raises(ConnectionClosed) as closed:
            connection.recv(timeout=20)
    assert closed.value.rcvd is not None and closed.value.rcvd.code == 4401


def test_with_the_key_it_says_what_there_is(panel: Panel) -> None:
    with panel.viewer() as connection:
        welcome = json.loads(connection.recv(timeout=20))
        assert welcome["kind"] == "welcome" and len(welcome["bones"]) == 55
        kinds = set()
        while kinds < {"settings", "state", 1, 2, 3}:
            data = connection.recv(timeout=20)
            kinds.add(json.loads(data)["kind"] if isinstance(data, str) else data[0])


@pytest.mark.parametrize("path", [
    "/nothing", "/../settings.py", "/%2e%2e/settings.py", "/page/index.html", "//index.html",
    "/live", "/index.html/..",
])  # fmt: skip
def test_only_the_page_is_served(panel: Panel, path: str) -> None:
    status, _, content = panel.get(path)
    assert status in (404, 426) and b"import" not in content


def ask(connection: ClientConnection, name: str, **payload: Any) -> dict[str, Any]:
    connection.send(json.dumps({"name": name, "id": 7, "payload": payload}))
    return reply(connection)


def reply(connection: ClientConnection) -> dict[str, Any]:
    while True:
        data = connection.recv(timeout=20)
        if isinstance(data, str) and (message := json.loads(data))["kind"] == "reply":
            return dict(message)


@pytest.mark.parametrize(
    "text", ["{", "[]", "null", '{"name": 3}', '{"nam": "set"}', "[" * 5000,
             '{"name": "reboot"}', '{"name": "set", "payload": {"key": 1}}',
             '{"name": "source", "payload": {"spec": "/etc/passwd"}}',
             '{"name": "source", "payload": {"spec": "camera:99"}}',
             '{"name": "source", "payload": {"spec": ""}}', '{"name": "pause"}',
             '{"name": "seek", "payload": {"position_s": "x"}}',
             '{"name": "guide"}', '{"name": "guide", "payload": {"what": ["floor"]}}',
             '{"name": "guide", "payload": {"what": "body", "height_cm": true}}',
             '{"name": "guide", "payload": {"what": "floor", "marker_cm": -1e400}}',
             '{"name": "cancel_guide"}', '{"name": "neutral"}',
             '{"name": "pace", "payload": {"motion_hz": 1e9}}',
             '{"name": "pace", "payload": {"picture_px": "all"}}',
             '{"name": "upload", "payload": {"file": "a.vrm", "size": 99999999999}}',
             '{"name": "upload", "payload": {"file": "a.vrm", "size": true}}'],
)  # fmt: skip
def test_nonsense_is_refused_in_a_sentence(panel: Panel, text: str) -> None:
    with panel.viewer() as connection:
        connection.send(text)
        answer = reply(connection)
    assert not answer["ok"] and answer["reason"].endswith(".")
    assert "internal" not in answer["reason"]


def test_the_new_settings_come_before_the_answer(panel: Panel) -> None:
    with panel.viewer() as connection:
        for wanted in (0.31, 0.52, 0.73):
            payload = {"key": "smooth.smoothness", "value": wanted}
            connection.send(json.dumps({"name": "set", "id": 7, "payload": payload}))
            told, answered = None, False
            while not answered:
                data = connection.recv(timeout=60)
                message = json.loads(data) if isinstance(data, str) else {"kind": "binary"}
                if message["kind"] == "settings":
                    told = message["settings"]["smooth"]["smoothness"]
                answered = message["kind"] == "reply"
            assert told == wanted


def guidance(connection: ClientConnection) -> Any:
    """How the guided calibration stands, as every page is told."""
    while True:
        data = connection.recv(timeout=20)
        if isinstance(data, str) and (message := json.loads(data))["kind"] == "state":
            return message["guidance"]


def test_calibrations_are_started_with_the_key_alone_and_one_at_a_time(panel: Panel) -> None:
    begin = json.dumps({"name": "guide", "id": 1, "payload": {"what": "floor"}})
    for first in (panel.run.token, begin):  # neither the stream's token nor none at all
        with panel.open() as stranger:
            stranger.send(first)
            with pytest.raises(ConnectionClosed) as closed:
                stranger.send(begin)
                stranger.recv(timeout=20)
        assert closed.value.rcvd is not None and closed.value.rcvd.code == 4401
    with panel.viewer() as connection:
        assert guidance(connection) is None
        assert ask(connection, "guide", what="floor")["ok"]
        refused = ask(connection, "guide", what="lens")
        assert not refused["ok"] and "cancel it first" in refused["reason"]
        assert ask(connection, "cancel_guide")["ok"]
        now = guidance(connection)
    assert not now["running"] and not now["done"] and now["text"].startswith("Cancelled")
    assert not list(Path(panel.run.home).rglob("calibration/*/*.toml"))


@pytest.mark.parametrize("name", ["../evil.vrm", "a/b.vrm", "..", "x.exe", "a\\b.glb", ".vrm"])
def test_uploads_stay_in_their_folder(panel: Panel, name: str) -> None:
    with panel.viewer() as connection:
        connection.send(
            json.dumps({"name": "upload", "id": 3, "payload": {"file": name, "size": 4}})
        )
        connection.send(b"evil")
        answer = reply(connection)
    assert not answer["ok"] and answer["id"] == 3 and ".vrm" in answer["reason"]
    assert not list(Path(panel.run.home).rglob("*evil*"))


def test_a_file_that_is_no_avatar_is_refused_and_not_kept(panel: Panel) -> None:
    with panel.viewer() as connection:
        connection.send(json.dumps({"name": "upload", "id": 3,
                                    "payload": {"file": "a.vrm", "size": 4}}))  # fmt: skip
        connection.send(b"evil")
        answer = reply(connection)
        after = ask(connection, "settings")
    assert not answer["ok"] and "glTF" in answer["reason"]
    assert after["result"]["avatar"]["file"] == ""
    assert not list(Path(panel.run.home).rglob("*.vrm"))


def test_a_port_in_use_is_one_sentence_and_the_rest_goes_on(posestream: Any) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        run = posestream(
            "run", SOURCE + ",seconds=2", "--set", f"panel.port={port}",
            "--set", "websocket.port=0", "--set", "vmc=[]",
        )  # fmt: skip
        assert run.wait(60.0) == 0
    (line,) = run.lines
    assert line.startswith(f"posestream: Port {port} is already in use, so there is no panel")
    assert line.endswith("The rest goes on.")


@pytest.mark.parametrize("way", [["--no-panel"], ["--set", "panel.enabled=false"]])
def test_it_can_be_left_out(posestream: Any, free_port: Any, way: list[str]) -> None:
    port = free_port()
    run = posestream(
        "run", SOURCE + ",seconds=2", "--set", f"panel.port={port}", "--set", "websocket.port=0",
        "--set", "vmc=[]", *way,
    )  # fmt: skip
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", port), timeout=1.0)
    assert run.wait(60.0) == 0
    assert run.lines == []


def test_who_never_reads_changes_nothing_and_is_cut_off_at_the_end(panel: Panel) -> None:
    with panel.viewer() as watching:
        silent = [panel.viewer() for _ in range(4)]  # they read nothing from here on
        frames = 0
        while frames < 90:
            data = watching.recv(timeout=20)
            frames += isinstance(data, bytes) and data[0] == 1
        assert ask(watching, "settings")["ok"]
        for connection in silent:
            connection.socket.close()
        assert ask(watching, "settings")["ok"]
    assert panel.run.process.poll() is None


def binary(connection: ClientConnection) -> tuple[int, dict[str, Any]]:
    """Kind and head of the next movement, picture or mesh."""
    while isinstance(data := connection.recv(timeout=20), str):
        pass
    return data[0], json.loads(data[8 : 8 + int.from_bytes(data[4:8], "little")])


def test_a_page_gets_no_more_than_it_takes(panel: Panel) -> None:
    with panel.viewer() as page:
        pace = {"motion_hz": 2, "picture_px": 128}
        page.send(json.dumps({"name": "pace", "payload": pace}))
        assert ask(page, "settings")["ok"]  # what comes from here on obeys
        times_ms, pictures = [], 0
        while len(times_ms) < 8:
            kind, head = binary(page)
            pictures += kind == 2
            if kind == 1:
                times_ms.append(head["t_ms"])
        assert times_ms[-1] - times_ms[0] > 2400
        assert pictures <= 2  # it never said that it shows one
        page.send('{"name": "shown"}')
        while (answer := binary(page))[0] != 2:
            pass
        assert answer[1]["size"][0] == 128
