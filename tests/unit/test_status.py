"""What the status line says."""

import pytest

from posestream.daemon.status import counted


@pytest.mark.parametrize(("number", "said"), [(0, "0 people"), (1, "1 person"), (2, "2 people")])
def test_one_is_no_plural(number: int, said: str) -> None:
    assert counted(number, "person", "people") == said
    assert counted(number, "client") == f"{number} client" + "s" * (number != 1)
