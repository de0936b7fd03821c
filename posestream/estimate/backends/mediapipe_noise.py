"""Keep MediaPipe's log chatter off the user's terminal, and nothing else."""

from __future__ import annotations

import os
import re
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_CHATTER = re.compile(
    rb"^([IW]\d{4} [\d:.]+\s|WARNING: All log messages before absl|INFO: Created TensorFlow Lite)"
)

_ONE_AT_A_TIME = threading.RLock()


@contextmanager
def chatter_removed() -> Iterator[None]:
    """Hold back what is written to file descriptor 2 meanwhile; pass on all but the chatter.

    MediaPipe writes there from C++, past Python and before any log level can be set. It is
    the whole process's descriptor: keep the block short; one thread at a time is inside, which
    also keeps those who start MediaPipe's graphs, and point it to their models, apart.
    """
    sys.stderr.flush()
    with _ONE_AT_A_TIME, tempfile.TemporaryFile() as held:
        terminal = os.dup(2)
        try:
            os.dup2(held.fileno(), 2)
            yield
        finally:
            sys.stderr.flush()
            os.dup2(terminal, 2)
            held.seek(0)
            for line in held:
                if not _CHATTER.match(line):
                    os.write(2, line)
            os.close(terminal)
