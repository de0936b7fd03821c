"""``posestream bench --start``: from the command to the first packet that leaves."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from statistics import median
from typing import Any, Final

from posestream.assets import DEMO_CLIP
from posestream.errors import BackendError

_TIMES: Final = 5
_PATIENCE_S: Final = 120.0


def bench_start(source: str = str(DEMO_CLIP), times: int = _TIMES) -> dict[str, Any]:
    """Seconds to the first VMC packet, of several starts; the first one reads files from the disk.

    Raises BackendError where nothing is sent.
    """
    seconds = [_start(source) for _ in range(times)]
    return {"first_s": seconds[0], "median_s": median(seconds), "seconds": seconds}


def _start(source: str) -> float:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(_PATIENCE_S)
        port = receiver.getsockname()[1]
        command = [
            sys.executable, "-m", "posestream", "run", source, "--no-panel",
            "--set", f"vmc.0.port={port}", "--set", "websocket.port=0",
        ]  # fmt: skip
        begun_s = time.perf_counter()
        process = subprocess.Popen(  # noqa: S603 - the command is ours
            command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        )
        try:
            receiver.recv(1 << 16)
            return round(time.perf_counter() - begun_s, 3)
        except TimeoutError:
            raise BackendError("Nothing was sent: does posestream run here?") from None
        finally:
            process.terminate()
            process.wait()
