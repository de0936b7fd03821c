"""Configuration: where values come from, what is refused, and in which words."""

from __future__ import annotations

import os
import string
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from posestream import config
from posestream.errors import ConfigError
from posestream.settings import RESTART_SECTIONS, Settings

SECTIONS = Settings.__struct_fields__
KEYS = [key for key, *_ in config.describe()]
LISTS = ("vmc", "vrchat")


def refusal(*overrides: str, file: str | None = None) -> str:
    with pytest.raises(ConfigError) as refused:
        config.load(file, overrides)
    return one_sentence(refused.value)


def one_sentence(error: ConfigError) -> str:
    text = str(error)
    assert "\n" not in text and len(text) < 500
    assert text[-1] in ".?"
    assert error.exit_code == 2
    return text


def at(settings: Any, key: str) -> Any:
    for part in key.split("."):
        settings = settings[int(part)] if part.isdigit() else getattr(settings, part)
    return settings


@pytest.fixture
def toml(tmp_path: Path) -> Any:
    def write(text: str | bytes) -> str:
        path = tmp_path / "my.toml"
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return str(path)

    return write


def test_every_preset_loads_by_name_and_by_path() -> None:
    presets = config.preset_files()
    assert {"default", "vtuber-seated", "vrchat", "ar-multi-person", "game-low-latency"} <= set(
        presets
    )
    for name, path in presets.items():
        assert config.load(name) == config.load(str(path))


def test_presets_do_what_their_names_say() -> None:
    assert config.load("default") == config.load()
    seated = config.load("vtuber-seated")
    assert seated.retarget.mirror and seated.retarget.seated and len(seated.vmc) == 1
    vrchat = config.load("vrchat")
    assert (vrchat.vmc, vrchat.vrchat[0].port) == ((), 9000)
    several = config.load("ar-multi-person")
    assert not several.retarget.mirror
    assert several.estimate.max_people > 1 and several.vmc[0].scale == "metric"
    fast = config.load("game-low-latency")
    assert fast.smooth.smoothness < config.load().smooth.smoothness
    rrmp, hdnet = config.load("paper-rrmp"), config.load("paper-hdnet")
    assert (rrmp.estimate.rrmp.maps, rrmp.estimate.hdnet.weights) == ("paper-rrmp", "")
    assert (rrmp.locate.method, hdnet.locate.method) == ("geometric", "hdnet")
    assert hdnet.estimate.hdnet.weights == "paper-hdnet"
    assert rrmp.estimate.backend == hdnet.estimate.backend == "rrmp"


def test_an_override_beats_the_file_and_the_file_beats_the_defaults(toml: Any) -> None:
    file = toml("[smooth]\nsmoothness = 0.25\n[source]\nfps = 60.0\n")
    default = config.load()
    settings = config.load(file, ["smooth.smoothness=0.75"])
    assert default.smooth.smoothness not in (0.25, 0.75)
    assert settings.smooth.smoothness == 0.75
    assert settings.source.fps == 60.0
    assert settings.source.width == default.source.width
    assert (
        config.load(file, ["smooth.smoothness=0.1", "smooth.smoothness=1"]).smooth.smoothness == 1
    )


@pytest.mark.parametrize(
    ("text", "suggestion"),
    [
        ("[smoth]\nsmoothness = 0.5", "smooth"),
        ("[smooth]\nsmothness = 0.5", "smooth.smoothness"),
        ("smoothness = 0.5", "smooth.smoothness"),
        ("[smooth]\nmirror = true", "retarget.mirror"),
        ("[websocket]\nmax_people = 2", "estimate.max_people"),
        ("[[vmc]]\nprot = 39539", "vmc.0.port"),
        ("[[vmc]]\n[[vmc]]\nperset = 'warudo'", "vmc.1.preset"),
    ],
)
def test_an_unknown_key_is_answered_by_the_nearest_one(
    toml: Any, text: str, suggestion: str
) -> None:
    sentence = refusal(file=toml(text))
    assert f"did you mean {suggestion}?" in sentence and "my.toml" in sentence


def test_a_key_like_no_other_is_answered_by_those_that_exist() -> None:
    sentence = refusal("avatar.xyzzy=1")
    assert "avatar.xyzzy" in sentence and "valid keys are file" in sentence


@pytest.mark.parametrize(
    ("override", "key", "accepted"),
    [
        ("smooth.smoothness=2", "smooth.smoothness", "a number from 0 to 1"),
        ("smooth.smoothness=nan", "smooth.smoothness", "a number from 0 to 1"),
        ("smooth.smoothness=much", "smooth.smoothness", "a number from 0 to 1"),
        ("source.width=12.5", "source.width", "a whole number from 16 to 16384"),
        ("source.loop=1", "source.loop", "true or false"),
        ("source.fps=0", "source.fps", "a number above 0, at most 1000"),
        ("source.distortion=[0.1,nan]", "source.distortion.1", "a number from -1000 to 1000"),
        ("source.distortion=[1e300]", "source.distortion.0", "a number from -1000 to 1000"),
        ("source.pace=slow", "source.pace", "realtime or fast"),
        ("estimate.backend=foo", "estimate.backend", "auto, mediapipe, rrmp"),
        ("floor.camera_height_m=99", "floor.camera_height_m", "from -10 to 20 or auto"),
        ("vmc.0.port=70000", "vmc.0.port", "a whole number from 1 to 65535 or off"),
        ("vmc.0.preset=vrchat", "vmc.0.preset", "vseeface"),
        ('vrchat.trackers=["hip","tail"]', "vrchat.0.trackers", "elbows"),
        ("smooth=3", "smooth", "a table of settings"),
        ("vmc={port=1}", "vmc", "[[vmc]]"),
        ('vmc.bones=["Hops"]', "vmc.0", "did you mean Hips?"),
    ],
)
def test_a_wrong_value_is_answered_by_what_is_accepted(
    override: str, key: str, accepted: str
) -> None:
    sentence = refusal(override)
    assert sentence.startswith(key)
    assert accepted in sentence
    assert f"--set {override}"[:40] in sentence


def test_a_table_in_place_of_a_list_of_targets_is_explained(toml: Any) -> None:
    sentence = refusal(file=toml("[vmc]\nport = 39539\n"))
    assert "vmc must be a list of tables" in sentence and "[[vmc]]" in sentence


@pytest.mark.parametrize(
    "content",
    [
        "smooth = [",
        "[smooth]\nsmoothness 0.5",
        "a = " + "[" * 5000,
        "a = " + "9" * 5000,
        b"\x00\x01\x02",
        b"# caf\xe9\n",
        "#" * (1 << 21),
    ],
    ids=["bracket", "no equals", "deep", "long number", "binary", "latin-1", "huge"],
)
def test_a_file_that_is_no_toml_is_named(toml: Any, content: str | bytes) -> None:
    assert "my.toml" in refusal(file=toml(content))


def test_a_missing_file_and_a_near_preset_are_named(tmp_path: Path) -> None:
    assert "did you mean vrchat?" in refusal(file="vrchta")
    missing = refusal(file=str(tmp_path / "nothing-like-it.toml"))
    assert "presets are" in missing and "vtuber-seated" in missing
    refusal(file=str(tmp_path))
    refusal(file="x" * 5000)
    refusal(file="a\0b")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/proc is Linux's")
def test_a_file_that_cannot_be_read_is_named() -> None:
    sentence = refusal(file="/proc/self/mem")
    assert "/proc/self/mem cannot be read" in sentence and "Errno" not in sentence


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads all files")
def test_a_file_without_permission_is_named(toml: Any) -> None:
    file = toml("")
    Path(file).chmod(0)
    assert "ermission" in refusal(file=file)


def test_a_target_is_named_by_number_or_not_at_all_where_it_is_the_only_one(toml: Any) -> None:
    assert config.load(None, ["vmc.0.port=5000"]).vmc[0].port == 5000
    assert config.load(None, ["vmc.port=5000"]).vmc[0].port == 5000
    assert config.load(None, ["vmc.port=5000"]).vmc[0].people == config.load().vmc[0].people
    file = toml("[[vmc]]\nport = 1000\n[[vmc]]\nport = 2000\n")
    assert [t.port for t in config.load(file, ["vmc.1.port=3"]).vmc] == [1000, 3]
    assert "vmc.0.port" in refusal("vmc.port=3", file=file)


def test_a_target_can_be_added_behind_the_last_one() -> None:
    settings = config.load(None, ["vmc.1.port=6000", "vrchat.port=9100"])
    assert [t.port for t in settings.vmc] == [None, 6000]
    assert [t.port for t in settings.vrchat] == [9100]
    assert "too high" in refusal("vmc.7.port=6000")


@pytest.mark.parametrize(
    ("override", "value"),
    [
        ("avatar.file=my avatar.vrm", "my avatar.vrm"),
        ('avatar.file="my avatar.vrm"', "my avatar.vrm"),
        ("avatar.file='C:\\new\\tail.vrm'", "C:\\new\\tail.vrm"),
        ("avatar.file=C:\\new\\tail.vrm", "C:\\new\\tail.vrm"),
        ("avatar.file=123", "123"),
        ("avatar.file=2024-01-01", "2024-01-01"),
        ("avatar.file=a=b.vrm", "a=b.vrm"),
        ("avatar.file= spaced.vrm ", "spaced.vrm"),
        ("avatar.file=", ""),
        ("vmc.host=192.168.0.7", "192.168.0.7"),
        ("vmc.host='::1'", "::1"),
    ],
)
def test_text_needs_no_quotes(override: str, value: str) -> None:
    key = override.partition("=")[0].replace("vmc.", "vmc.0.")
    assert at(config.load(None, [override]), key) == value


@pytest.mark.parametrize("override", ["", "smooth.smoothness", "=3", " = 3"])
def test_an_override_without_key_or_value_is_refused(override: str) -> None:
    assert "key=value" in refusal(override)


def test_what_may_be_off_can_be_switched_off(toml: Any) -> None:
    file = toml("[[vmc]]\nport = 5000\n[smooth]\nroot_beta = 2.0\n")
    settings = config.load(file, ["vmc.port=off", "smooth.root_beta=off"])
    assert settings.vmc[0].port is None and settings.smooth.root_beta is None
    assert "smooth.smoothness" in refusal("smooth.smoothness=off")


def test_live_changes_obey_the_same_rules() -> None:
    settings = config.load()
    changed = config.change(settings, "smooth.smoothness", 0.2)
    assert changed == config.load(None, ["smooth.smoothness=0.2"])
    assert settings == config.load()
    assert config.change(settings, "vmc.0.port", 5000) == config.load(None, ["vmc.0.port=5000"])
    assert config.change(changed, "vmc", []).vmc == ()
    for key, value in [
        ("smooth.smoothness", 3), ("smooth.smoothness", "0.5"), ("smooth.smothness", 0.5),
        ("smooth", 1), ("vmc.0.port", True), ("vmc.9.port", 1), ("vmc", {}), ("", 1), ("..", 1),
        ("smooth.smoothness.deep.er", 1), ("a" * 3000, 1), (".".join("a" * 3000), 1),
    ]:  # fmt: skip
        with pytest.raises(ConfigError) as refused:
            config.change(settings, key, value)
        one_sentence(refused.value)


@pytest.mark.parametrize("section", sorted(RESTART_SECTIONS))
def test_sections_that_need_a_restart_say_so(section: str) -> None:
    key, _, default, _ = next(d for d in config.describe() if d[0].startswith(f"{section}."))
    with pytest.raises(ConfigError, match="restart") as refused:
        config.change(config.load(), key, default)
    assert key in one_sentence(refused.value)
    with pytest.raises(ConfigError, match=r"did you mean|valid keys"):
        config.change(config.load(), f"{section}.nonsense", 1)


def test_restart_sections_exist() -> None:
    assert set(SECTIONS) >= RESTART_SECTIONS


@pytest.mark.parametrize("key", KEYS)
def test_every_key_is_described_and_takes_its_own_default(key: str) -> None:
    _, kind, default, text = next(d for d in config.describe() if d[0] == key)
    assert len(text) > 5 and "<" not in kind and "typing" not in kind
    assert "\n" not in text
    concrete = key.replace(".N.", ".0.")
    value = "off" if default is None else msgspec.json.encode(default).decode()
    settings = config.load(None, [f"{concrete}={value}"])
    assert at(settings, concrete) == default


def test_descriptions_cover_every_section() -> None:
    assert {key.split(".")[0] for key in KEYS} == set(SECTIONS)
    assert len(set(KEYS)) == len(KEYS)


leaves = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12) | st.just("off")
)
field_names = sorted({part for key in KEYS for part in key.split(".")} | {"0", "1"})
names = st.sampled_from(field_names) | st.text(max_size=8)
values = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4),
    max_leaves=12,
)
sections = st.sampled_from(SECTIONS)


@given(st.dictionaries(sections | names, values, max_size=5))
def test_no_data_raises_anything_but_a_config_error(data: dict[str, Any]) -> None:
    try:
        settings = config.build(data, "somewhere")
    except ConfigError as error:
        one_sentence(error)
    else:
        assert isinstance(settings, Settings)


@given(st.lists(names | sections, max_size=5), values)
def test_no_change_raises_anything_but_a_config_error(path: list[str], value: Any) -> None:
    try:
        config.change(Settings(), ".".join(path), value)
    except ConfigError as error:
        one_sentence(error)


@given(st.lists(names | sections, max_size=4), st.text(string.printable, max_size=30))
def test_no_override_raises_anything_but_a_config_error(path: list[str], text: str) -> None:
    try:
        config.load(None, [".".join(path) + "=" + text])
    except ConfigError as error:
        one_sentence(error)
