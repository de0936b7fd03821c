"""Who may connect: origins, host names, tokens, options in the address."""

from __future__ import annotations

import stat
import sys
from http import HTTPStatus
from pathlib import Path

import pytest

from posestream.errors import PublishError
from posestream.publish import token
from posestream.publish.access import Admission, Opening, Policy, Refusal, is_loopback
from posestream.wire.messages import Axes, Rotations, Subscribe


def judge(
    policy: Policy, path: str = "/", origin: str | None = None, host: str = "localhost:8765",
    bearer: str | None = None, local_ip: str = "127.0.0.1",
) -> Admission | Refusal:  # fmt: skip
    return policy.judge(Opening(
        path, [] if origin is None else [origin], [host],
        [] if bearer is None else [f"Bearer {bearer}"], local_ip,
    ))  # fmt: skip


def status(verdict: Admission | Refusal) -> HTTPStatus | None:
    return verdict.status if isinstance(verdict, Refusal) else None


LOOPBACK = Policy(lambda offered: offered == "secret", True, ("https://app.example",), ("studio",))
OPEN = Policy(lambda offered: offered == "secret", False)


@pytest.mark.parametrize(
    ("host", "allowed"),
    [
        ("localhost", True), ("localhost:8765", True), ("LOCALHOST", True), ("127.0.0.1:1", True),
        ("127.9.9.9", True), ("[::1]:8765", True), ("[::1]", True), ("studio:8765", True),
        ("evil.example", False), ("evil.example:8765", False), ("192.168.0.9", False), ("", False),
        ("localhost@evil.example", False), ("localhost.evil.example", False), ("[::1", False),
        ("localhost:port", False), ("localhost/x", False), ("127.0.0.1.evil.example", False),
    ],
)  # fmt: skip
def test_hosts(host: str, allowed: bool) -> None:
    assert status(judge(LOOPBACK, host=host)) == (None if allowed else HTTPStatus.FORBIDDEN)


def test_the_address_that_was_reached_is_a_fine_host() -> None:
    verdict = judge(OPEN, host="192.168.0.5:8765", local_ip="192.168.0.5", bearer="secret")
    assert isinstance(verdict, Admission)


def test_host_must_be_there_once() -> None:
    for hosts in ([], ["localhost", "localhost"]):
        assert status(LOOPBACK.judge(Opening("/", [], hosts, []))) == HTTPStatus.FORBIDDEN


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        (None, True), ("https://app.example", True), ("https://app.example:443", True),
        ("https://APP.example", True), ("http://app.example", False), ("null", False),
        ("https://app.example.evil.example", False), ("https://app.example:8443", False),
        ("http://localhost:8765", False), ("", False), ("file://", False), ("http://[", False),
    ],
)  # fmt: skip
def test_origins(origin: str | None, allowed: bool) -> None:
    verdict = judge(LOOPBACK, origin=origin)
    assert status(verdict) == (None if allowed else HTTPStatus.FORBIDDEN)


def test_a_listed_null_origin_stays_forbidden() -> None:
    policy = Policy(lambda offered: False, True, ("null", "*", ""))
    for origin in ("null", "", "https://any.example"):
        assert status(judge(policy, origin=origin)) == HTTPStatus.FORBIDDEN


def test_tokens() -> None:
    assert judge(LOOPBACK) == Admission(Subscribe(), authorised=False)
    shown = judge(LOOPBACK, bearer="secret")
    assert isinstance(shown, Admission) and shown.authorised
    assert status(judge(LOOPBACK, bearer="wrong")) == HTTPStatus.UNAUTHORIZED
    assert status(judge(LOOPBACK, "/?token=wrong")) == HTTPStatus.UNAUTHORIZED
    assert status(judge(LOOPBACK, "/?picture=1")) == HTTPStatus.UNAUTHORIZED
    assert isinstance(judge(LOOPBACK, "/?picture=1&token=secret"), Admission)
    assert status(judge(OPEN)) == HTTPStatus.UNAUTHORIZED
    assert isinstance(judge(OPEN, "/?token=secret"), Admission)


def test_options() -> None:
    verdict = judge(LOOPBACK, "/?axes=gltf&rotations=packed&positions=true&rate=29.97")
    assert isinstance(verdict, Admission)
    assert verdict.wants == Subscribe(0, 29.97, Axes.GLTF, Rotations.PACKED, positions=True)
    for query, said in [
        ("axes=up", "unity or gltf"), ("rate=nan", "rate"), ("rate=-1", "rate"),
        ("positions=2", "0 or 1"), ("colour=red", "'colour'"), ("&" * 99 + "a=1" * 99, ""),
    ]:  # fmt: skip
        refused = judge(LOOPBACK, f"/?{query}")
        assert isinstance(refused, Refusal) and refused.status == HTTPStatus.BAD_REQUEST
        assert said in refused.reason


def test_loopback_names() -> None:
    for name in ("127.0.0.1", "::1", "localhost"):
        assert is_loopback(name)
    for name in ("0.0.0.0", "::", "", "192.168.1.1", "example.org"):
        assert not is_loopback(name)


def test_the_token_is_made_once_and_kept_private(tmp_path: Path) -> None:
    first = token.load_or_create(tmp_path / "new" / "posestream")
    path = tmp_path / "new" / "posestream" / "token"
    assert token.load_or_create(path.parent) == first == path.read_text().strip()
    assert len(first) >= 32
    assert [p.name for p in path.parent.iterdir()] == ["token"]
    if sys.platform != "win32":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        path.chmod(0o644)
        token.load_or_create(path.parent)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_an_unusable_token_file_is_a_clear_sentence(tmp_path: Path) -> None:
    path = tmp_path / "token"
    for content in (b"", b"short", b"\xff" * 40, b"x" * 4000):
        path.write_bytes(content)
        with pytest.raises(PublishError, match=str(path)):
            token.load_or_create(tmp_path)
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(PublishError, match="token"):
        token.load_or_create(blocked / "posestream")


def test_configuration_folders_of_the_platforms() -> None:
    home = Path("/home/me")
    assert token.config_folder("linux", {}, home) == home / ".config" / "posestream"
    assert token.config_folder("linux", {"XDG_CONFIG_HOME": "/x"}, home) == Path("/x/posestream")
    mac = home / "Library" / "Application Support" / "posestream"
    assert token.config_folder("darwin", {}, home) == mac
    assert token.config_folder("win32", {"APPDATA": "/r"}, home) == Path("/r/posestream")


def test_tokens_are_compared_whole() -> None:
    assert token.matches("a" * 32, "a" * 32)
    for offered in ("", "a" * 31, "a" * 33, "b" + "a" * 31, "ä" * 32, "\ud800"):
        assert not token.matches("a" * 32, offered)


def test_a_user_without_a_home_is_told_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", unknown)
    with pytest.raises(PublishError, match="set HOME"):
        token.load_or_create()
