"""``posestream doctor``: can the main job run here, and if not, why."""

from __future__ import annotations

import json
import os
import platform
import socket
from dataclasses import asdict, dataclass
from importlib import metadata
from typing import Literal

from posestream import __version__, config
from posestream.assets import DEMO_CLIP
from posestream.settings import Settings

Verdict = Literal["ok", "warning", "failure"]
_MARK: dict[Verdict, str] = {"ok": "ok     ", "warning": "warning", "failure": "FAILURE"}
_LIBRARIES = (
    "numpy", "opencv-python", "opencv-python-headless", "opencv-contrib-python", "mediapipe",
    "onnxruntime", "torch", "websockets", "msgspec", "python-osc", "zeroconf", "lapx",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. ``text`` says what to do where the verdict is not ok."""

    topic: str
    verdict: Verdict
    text: str


def doctor(config_file: str | None, *, as_json: bool) -> int:
    """Print the findings; 1 if one of them keeps the main job from running."""
    settings = config.load(config_file)
    findings = examine(settings)
    failed = any(finding.verdict == "failure" for finding in findings)
    if as_json:
        print(json.dumps({"ok": not failed, "findings": [asdict(f) for f in findings]}, indent=2))
        return int(failed)
    for finding in findings:
        print(f"{_MARK[finding.verdict]}  {finding.topic}: {finding.text}")
    print("The main job cannot run: see FAILURE above." if failed else "The main job can run.")
    return int(failed)


def examine(settings: Settings) -> list[Finding]:
    """Everything that the main job needs, in the order in which the data flows."""
    return [
        Finding("version", "ok", _versions()),
        *_cameras(),
        _bundled_clip(),
        *_back_ends(settings),
        *_hdnet(settings),
        *_ports(settings),
    ]


def _versions() -> str:
    parts = [f"posestream {__version__}", f"Python {platform.python_version()}", platform.system()]
    for name in _LIBRARIES:
        try:
            parts.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            continue
    return ", ".join(parts)


def _cameras() -> list[Finding]:
    from posestream.capture import list_cameras

    cameras = list_cameras()
    if not cameras:
        text = "none found: `posestream run` plays the bundled clip; plug one in or name a video"
        return [Finding("camera", "warning", text)]
    return [Finding("camera", "ok", str(camera)) for camera in cameras]


def _bundled_clip() -> Finding:
    if DEMO_CLIP.is_file():
        return Finding("bundled clip", "ok", str(DEMO_CLIP))
    return Finding("bundled clip", "warning", f"{DEMO_CLIP} is missing: install again")


def _back_ends(settings: Settings) -> list[Finding]:
    from posestream.estimate.registry import available, resolve

    wanted = resolve(settings.estimate.backend)
    return [
        Finding(
            f"back end {item.name}",
            "ok" if item.ok else "failure" if item.name == wanted else "warning",
            item.reason,
        )
        for item in available(settings.estimate)
    ]


def _hdnet(settings: Settings) -> list[Finding]:
    from posestream.estimate.registry import check_hdnet

    found = check_hdnet(settings.estimate)
    if found is None:
        return []
    return [Finding("distances by HDNet", "ok" if found.ok else "failure", found.reason)]


def _ports(settings: Settings) -> list[Finding]:
    wanted = []
    if settings.websocket.enabled:
        port = settings.websocket.port
        wanted.append(("websocket.port", socket.SOCK_STREAM, settings.websocket.host, port))
    if settings.vmc_control.enabled:
        control = settings.vmc_control
        wanted.append(("vmc_control.port", socket.SOCK_DGRAM, control.host, control.port))
    return [_port(*each) for each in wanted]


def _port(option: str, kind: socket.SocketKind, host: str, port: int) -> Finding:
    topic = f"{'TCP' if kind == socket.SOCK_STREAM else 'UDP'} port {port}"
    try:
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, kind) as probe:
            # Windows would let this option share a port that is in use
            if kind == socket.SOCK_STREAM and os.name == "posix":
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        text = f"{reason}: another program has it; close that one or --set {option}=N"
        return Finding(topic, "failure", text)
    return Finding(topic, "ok", f"free on {host}")
