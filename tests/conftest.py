"""Fixtures shared by all tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy, as the command line does

REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Third-party material that is not part of the repository (see docs/testing.md)."""
    folder = Path(os.environ.get("POSESTREAM_TEST_DATA", REPOSITORY.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"third-party test data is not at {folder}: set POSESTREAM_TEST_DATA")
    return folder
