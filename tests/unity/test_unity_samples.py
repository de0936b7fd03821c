"""The samples' scenes and prefabs: every reference leads somewhere, every field exists in C#."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from tools import generate_unity_metas, generate_unity_samples

PACKAGE = generate_unity_metas.PACKAGE
SAMPLES = PACKAGE / "Samples~"
FILES = sorted([*SAMPLES.rglob("*.unity"), *SAMPLES.rglob("*.prefab")])
CLASSES = {
    "GameObject": 1, "Transform": 4, "Camera": 20, "OcclusionCullingSettings": 29,
    "AudioListener": 81, "RenderSettings": 104, "Light": 108, "MonoBehaviour": 114,
    "LightmapSettings": 157,
}  # fmt: skip
BUILT_IN = {"m_ObjectHideFlags", "m_CorrespondingSourceObject", "m_PrefabInstance", "m_PrefabAsset",
            "m_GameObject", "m_Enabled", "m_EditorHideFlags", "m_Script", "m_Name",
            "m_EditorClassIdentifier"}  # fmt: skip
REFERENCE = re.compile(r"\{fileID: (-?\d+)(?:, guid: ([0-9a-f]{32}), type: (\d))?\}")


@dataclass
class Document:
    kind: str
    number: int
    text: str

    def value(self, key: str) -> str:
        found = re.search(rf"^  {re.escape(key)}: (.*)$", self.text, re.M)
        assert found, f"{self.kind} has no {key}"
        return found[1]

    def owner(self) -> int:
        return int(REFERENCE.fullmatch(self.value("m_GameObject"))[1])

    def script(self) -> Path:
        number, guid, kind = REFERENCE.fullmatch(self.value("m_Script")).groups()
        assert (number, kind) == ("11500000", "3"), "what Unity calls the class in a script"
        return GUIDS[guid]


def guids() -> dict[str, Path]:
    """Asset by the GUID that its committed .meta file says."""
    table = {}
    for path in PACKAGE.rglob("*.meta"):
        table[re.search(r"^guid: ([0-9a-f]{32})$", path.read_text("utf-8"), re.M)[1]] = (
            path.with_suffix("")
        )
    return table


GUIDS = guids()


def documents(path: Path) -> list[Document]:
    text = path.read_text("utf-8")
    assert text.startswith("%YAML 1.1\n%TAG !u! tag:unity3d.com,2011:\n")
    found = []
    for part in text.split("\n--- ")[1:]:
        head, kind, body = re.fullmatch(r"(!u!\d+ &\d+)\n(\w+):\n(.*)", part, re.S).groups()
        class_id, number = map(int, re.fullmatch(r"!u!(\d+) &(\d+)", head).groups())
        assert CLASSES[kind] == class_id
        found.append(Document(kind, number, body))
    return found


def public_fields(source: str, name: str) -> dict[str, str]:
    """Type by name of a class's public fields, which are what Unity saves."""
    body = source[source.index(f"class {name}") :]
    public = r"^\s+(?:\[[^\n]*\]\s*)*public (?!const|static|readonly)([\w\[\].]+) (\w+)"
    pattern = public + r"\s*(?:=[^>][^;]*)?;"
    return {field: kind for kind, field in re.findall(pattern, body, re.M)}


def members(kind: str) -> list[str]:
    """Names in an enum of the client."""
    for path in PACKAGE.rglob("*.cs"):
        found = re.search(rf"enum {kind}\s*\{{(.*?)\}}", path.read_text("utf-8"), re.S)
        if found:
            return re.findall(r"\w+", re.sub("///.*", "", found[1]))
    raise AssertionError(f"no enum {kind}")


def test_they_are_as_generated() -> None:
    assert set(generate_unity_samples.files()) == set(FILES)
    for path, text in generate_unity_samples.files().items():
        assert path.read_text("utf-8") == text, "run tools/generate_unity_samples.py"


def test_every_sample_has_a_scene() -> None:
    assert {p.parent for p in FILES if p.suffix == ".unity"} == {
        p for p in SAMPLES.iterdir() if p.is_dir()
    }


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.name)
def test_every_reference_leads_somewhere(path: Path) -> None:
    found = documents(path)
    numbers = [document.number for document in found]
    assert len(set(numbers)) == len(numbers)
    for document in found:
        for number, guid, _ in REFERENCE.findall(document.text):
            if guid:
                assert GUIDS[guid].is_file()
                if GUIDS[guid].suffix == ".prefab":
                    assert GUIDS[guid].parent == path.parent, "samples are imported one by one"
                    there = {d.number: d for d in documents(GUIDS[guid])}
                    assert there[int(number)].kind == "GameObject"
            elif number != "0":
                assert int(number) in numbers
        assert document.text.count("fileID") == len(REFERENCE.findall(document.text))


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.name)
def test_objects_and_components_name_each_other(path: Path) -> None:
    found = {document.number: document for document in documents(path)}
    claimed = set()
    for document in found.values():
        if document.kind == "GameObject":
            listed = [int(n) for n in re.findall(r"component: \{fileID: (\d+)\}", document.text)]
            assert found[listed[0]].kind == "Transform"
            assert all(found[n].owner() == document.number for n in listed)
            claimed |= set(listed)
    owned = {n for n, d in found.items() if "m_GameObject" in d.text}
    assert owned == claimed


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.name)
def test_components_are_the_packages_with_fields_that_exist(path: Path) -> None:
    scripts = [d for d in documents(path) if d.kind == "MonoBehaviour"]
    assert scripts
    for document in scripts:
        script = document.script()
        source = script.read_text("utf-8")
        assert re.search(rf"class {script.stem} : MonoBehaviour", source)
        fields = public_fields(source, script.stem)
        for key, value in re.findall(r"^  (\w+):(.*)$", document.text, re.M):
            if key in BUILT_IN:
                continue
            kind = fields[key]
            if kind in ("bool", "int", "float"):
                float(value)
            elif kind in ("Input", "RootMode"):
                assert int(value) < len(members(kind))
            elif kind == "StreamSettings":
                own = (PACKAGE / "Runtime/Core/Net/StreamSettings.cs").read_text("utf-8")
                given = re.findall(r"^    (\w+):", document.text, re.M)
                assert set(given) == set(public_fields(own, kind))
            else:
                assert kind == "GameObject[]"


def test_the_scenes_say_what_their_samples_are_for() -> None:
    def settings(name: str) -> str:
        return (SAMPLES / name / f"{name}.unity").read_text("utf-8")

    assert members("Input").index("Vmc") == 1
    assert members("RootMode").index("InPlace") == 1
    assert members("RootMode").index("Metric") == 3
    assert "\n  input: 1\n" in settings("VmcOnly")
    assert "\n    Picture: 1\n" in settings("ArOverlay")
    assert "\n  lockToPicture: 1\n" in settings("ArOverlay")
    assert "\n  background: 1\n" in settings("ArOverlay")
    for name in ("SeveralPeople", "ArOverlay"):
        assert "  prefabs:\n  - {fileID: 100, guid: " in settings(name)
        assert "\n  rootMode: 3\n" in next((SAMPLES / name).glob("*.prefab")).read_text("utf-8")
