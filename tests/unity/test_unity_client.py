"""The Unity client: generated files, package hygiene, and its own tests under mono."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import cv2
import numpy as np
import pytest

from posestream.assets import DEMO_CLIP
from tools import draw_unity_pictures, generate_csharp, generate_unity_metas

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "unity_client"
TOOLS = ("mcs", "mono", "nunit-console", "openssl")
# They differ between Unity 2021.3 and 6, or do not exist in one of them.
UNSTABLE_API = (
    "FindObjectsOfType", "FindObjectOfType", "FindFirstObjectByType", "FindObjectsByType",
    "FindAnyObjectByType", "destroyCancellationToken", "linearVelocity", "Awaitable",
)  # fmt: skip


def sources() -> Iterator[Path]:
    yield from sorted(PACKAGE.rglob("*.cs"))


def test_csharp_is_generated_from_the_schema() -> None:
    for path, text in generate_csharp.outputs().items():
        assert path.read_text(encoding="utf-8") == text, (
            f"{path.name}: run tools/generate_csharp.py"
        )


def test_the_documentation_shows_the_pictures_that_are_drawn() -> None:
    page = (PACKAGE / "Documentation~" / "index.md").read_text(encoding="utf-8")
    for path, drawn in draw_unity_pictures.pictures().items():
        assert path.read_text(encoding="utf-8") == drawn, "run tools/draw_unity_pictures.py"
        ElementTree.fromstring(drawn)
        assert f"(images/{path.name})" in page


def test_every_asset_has_its_meta_and_no_meta_is_left_over() -> None:
    expected = generate_unity_metas.expected()
    assert set(PACKAGE.rglob("*.meta")) == set(expected)
    for path, text in expected.items():
        assert path.read_text(encoding="utf-8") == text, path.name


def test_guids_are_unique() -> None:
    guids = [generate_unity_metas.guid(path) for path in generate_unity_metas.assets()]
    assert len(guids) > 100
    assert len(set(guids)) == len(guids)
    assert all(re.fullmatch("[0-9a-f]{32}", guid) for guid in guids)


def test_the_manifest_names_what_is_there() -> None:
    manifest = json.loads((PACKAGE / "package.json").read_text(encoding="utf-8"))
    assert manifest["name"] == "com.posestream.client"
    assert manifest["unity"] == "2021.3"
    changelog = (PACKAGE / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"## [{manifest['version']}]" in changelog
    folders = {path.name for path in (PACKAGE / "Samples~").iterdir()}
    assert {Path(sample["path"]).name for sample in manifest["samples"]} == folders
    for sample in manifest["samples"]:
        own = json.loads((PACKAGE / sample["path"] / ".sample.json").read_text(encoding="utf-8"))
        assert own["displayName"] == sample["displayName"]


def test_assemblies_refer_to_assemblies_that_exist() -> None:
    assemblies = {p: json.loads(p.read_text("utf-8")) for p in PACKAGE.rglob("*.asmdef")}
    names = {assembly["name"] for assembly in assemblies.values()}
    for path, assembly in assemblies.items():
        assert path.stem == assembly["name"]
        own = set(assembly["references"]) - {"VRM", "VRM10"}
        assert own <= names, path
        if "Tests" in path.parts:
            assert assembly["autoReferenced"] is False
            assert "UNITY_INCLUDE_TESTS" in assembly["defineConstraints"]
    core = next(a for a in assemblies.values() if a["name"] == "Posestream.Core")
    assert core["noEngineReferences"] is True
    assert core["references"] == []


@pytest.mark.parametrize("path", list(sources()), ids=lambda p: p.name)
def test_source_keeps_to_what_every_unity_has(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    used = [name for name in UNSTABLE_API if re.search(rf"\b{name}\b", text)]
    assert not used
    if "Core" in path.relative_to(PACKAGE).parts[:2]:
        assert "using Unity" not in text, "the core knows no engine"
    assert "\r" not in text
    assert len(text.splitlines()) < 360 or "Generated" in path.parts


def _mono() -> None:
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing:
        pytest.skip(
            f"{', '.join(missing)} not installed: apt-get install mono-mcs mono-runtime "
            "nunit-console libnunit-framework2.6.3-cil openssl"
        )


def _third_party() -> Path | None:
    """Avatars and datagrams of others; the tests do without where they are not there."""
    given = os.environ.get("POSESTREAM_TEST_DATA", str(ROOT.parent / "shared" / "data"))
    return Path(given) if (Path(given) / "vmc_packets").is_dir() else None


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the C# tests leave things."""
    return tmp_path_factory.mktemp("unity")


@pytest.fixture(scope="module")
def results(folder: Path) -> ElementTree.Element:
    """NUnit's report of all C# tests, with a real daemon and Python's kinematics beside them."""
    _mono()
    data = _third_party()
    command = [sys.executable, "tests/unity/conformance.py", str(folder / "conformance.bin")]
    own = os.environ | {
        "PYTHONPATH": str(ROOT),
        "POSESTREAM_PYTHON": sys.executable,
        "POSESTREAM_CONFORMANCE": str(folder / "conformance.bin"),
        "POSESTREAM_UNITY_OUT": str(folder / "out"),
        "XDG_CONFIG_HOME": str(folder / "config"),
        "POSESTREAM_AR_TRUTH": str(folder / "truth.txt"),
        "POSESTREAM_AR_CLIP": str(folder / "clip.txt"),
        "POSESTREAM_API": str(ROOT / "tests" / "unity" / "unity_api.txt"),
        "POSESTREAM_PACKETS": str(folder / "packets.txt"),
        "POSESTREAM_TLS": str(folder / "tls"),
    }
    command += [str(data / "avatars")] if data is not None else []
    subprocess.run(command, cwd=ROOT, env=own, check=True, stdout=subprocess.DEVNULL)
    command = [sys.executable, "tests/unity/tls_front.py", "make", own["POSESTREAM_TLS"]]
    subprocess.run(command, cwd=ROOT, env=own, check=True)
    truth = [sys.executable, "tests/unity/ar_truth.py"]
    for more in (
        ["synthetic", "people=2,size=448x252", "1500", own["POSESTREAM_AR_TRUTH"]],
        ["clip", own["POSESTREAM_AR_CLIP"]],
    ):
        subprocess.run([*truth, *more], cwd=ROOT, env=own, check=True)
    if data is not None:
        packets = str(data / "vmc_packets" / "packets.json")
        command = [sys.executable, "tests/unity/packets.py", packets, own["POSESTREAM_PACKETS"]]
        subprocess.run(command, cwd=ROOT, env=own, check=True)
    built = subprocess.run(
        ["tools/build_unity_tests.sh"], cwd=ROOT, env=own, capture_output=True, text=True
    )
    report = folder / "out" / "TestResult.xml"
    assert report.is_file(), built.stdout + built.stderr
    print(built.stdout)
    return ElementTree.parse(report).getroot()


@pytest.mark.unity
@pytest.mark.slow
def test_csharp_tests_pass_under_mono(results: ElementTree.Element) -> None:
    cases = list(results.iter("test-case"))
    bad = [
        f"{case.get('name')}: {''.join(case.itertext()).strip()[:2000]}"
        for case in cases
        if case.get("result") not in ("Success", "Ignored")
    ]
    assert not bad, "\n".join(bad)
    assert len(cases) > 100


@pytest.mark.unity
@pytest.mark.slow
def test_none_of_the_csharp_tests_was_left_out(results: ElementTree.Element) -> None:
    ignored = [str(c.get("name")) for c in results.iter("test-case") if c.get("executed") != "True"]
    if _third_party() is None:
        ignored.remove("Posestream.Tests.PacketTests.AreReadAsTheirAuthorsMeant")
    assert not ignored


@pytest.mark.unity
@pytest.mark.slow
def test_the_pictures_behind_the_avatars_are_the_clips_own(
    results: ElementTree.Element, folder: Path
) -> None:
    """Each is nearest to the clip's picture of its number, not to one of the six round it."""
    clip = _clip()
    shown = sorted((folder / "out" / "pictures").glob("*.jpg"))
    assert len(shown) > 40
    for path in shown:
        number = int(path.stem.split("_")[1])
        picture = cv2.imread(str(path)).astype(np.int16)
        size = picture.shape[1::-1]
        near = range(max(number - 3, 0), min(number + 4, len(clip)))
        far = {
            i: np.abs(cv2.resize(clip[i], size, interpolation=cv2.INTER_AREA) - picture).mean()
            for i in near
        }
        assert min(far, key=far.__getitem__) == number, path.name


def _clip() -> list[np.ndarray]:
    video, pictures = cv2.VideoCapture(str(DEMO_CLIP)), []
    while (answer := video.read())[0]:
        pictures.append(answer[1])
    return pictures
