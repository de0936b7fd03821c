"""Writes the scenes and prefabs of the Unity package's samples, as Unity's own text format.

Each scene is complete: a camera, light, and objects with the package's components, an avatar
that builds itself included, so that Play shows something at once. With --check: only compares.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from tools.generate_unity_metas import PACKAGE, guid

SAMPLES = PACKAGE / "Samples~"
_HEAD = "%YAML 1.1\n%TAG !u! tag:unity3d.com,2011:\n"
_SCRIPTS = PACKAGE / "Runtime" / "Unity"
_NO_PREFAB = """\
  m_ObjectHideFlags: 0
  m_CorrespondingSourceObject: {fileID: 0}
  m_PrefabInstance: {fileID: 0}
  m_PrefabAsset: {fileID: 0}
"""
_SCENE_SETTINGS = """\
--- !u!29 &1
OcclusionCullingSettings:
  m_ObjectHideFlags: 0
  serializedVersion: 2
--- !u!104 &2
RenderSettings:
  m_ObjectHideFlags: 0
  serializedVersion: 9
  m_Fog: 0
  m_AmbientMode: 3
  m_AmbientSkyColor: {r: 0.45, g: 0.47, b: 0.5, a: 1}
--- !u!157 &3
LightmapSettings:
  m_ObjectHideFlags: 0
  serializedVersion: 12
"""

Value = str | int | float | bool | Sequence["Value"] | Mapping[str, "Value"]


@dataclass(frozen=True)
class Script:
    """A component of the package with the fields that differ from its defaults."""

    name: str
    fields: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True)
class Thing:
    """An object in a scene: ``native`` holds Unity's own components as (class id, name, text)."""

    name: str
    scripts: Sequence[Script] = ()
    position: tuple[float, float, float] = (0.0, 0.0, 0.0)
    rotation: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 1.0)
    native: Sequence[tuple[int, str, str]] = ()
    tag: str = "Untagged"


_CAMERA = (20, "Camera", """\
  m_Enabled: 1
  serializedVersion: 2
  m_ClearFlags: 2
  m_BackGroundColor: {r: 0.16, g: 0.18, b: 0.22, a: 1}
  m_NormalizedViewPortRect:
    serializedVersion: 2
    x: 0
    y: 0
    width: 1
    height: 1
  near clip plane: 0.1
  far clip plane: 100
  field of view: 45
  m_Depth: -1
""")  # fmt: skip
_LISTENER = (81, "AudioListener", "  m_Enabled: 1\n")
_LIGHT = (108, "Light", """\
  m_Enabled: 1
  serializedVersion: 10
  m_Type: 1
  m_Color: {r: 1, g: 0.96, b: 0.9, a: 1}
  m_Intensity: 1
  m_Shadows:
    m_Type: 2
""")  # fmt: skip
_SUN = Thing(
    "Light",
    native=[_LIGHT],
    position=(0.0, 3.0, 0.0),
    rotation=(0.10016, 0.88137, -0.35054, 0.30047),
)  # falls on whoever faces +Z


def _camera(position: tuple[float, float, float], *scripts: Script) -> Thing:
    """A camera that looks along -Z, as the real one does in posestream's world."""
    rotation = (0.0, 1.0, 0.0, 0.0)
    return Thing("Main Camera", scripts, position, rotation, [_CAMERA, _LISTENER], "MainCamera")


def _stream(picture: bool) -> dict[str, Value]:
    return {
        "Address": "ws://127.0.0.1:8765", "Token": "", "Packed": False, "Positions": False,
        "Picture": picture, "RateHz": 0, "SilenceMs": 2000, "ConnectMs": 2000,
    }  # fmt: skip


_SOURCE = Script("PosestreamSource", {"input": 0, "stream": _stream(picture=False)})
_FIGURE = Script("PosestreamFigure")
_FACE = Script("PosestreamFace")
_BEFORE = (0.0, 1.2, 3.2)  # sees somebody at the origin from the front


def _avatar(root_mode: int, **more: Value) -> Script:
    return Script("PosestreamAvatar", {"rootMode": root_mode, **more})


def _spawner(prefab: Path) -> Script:
    reference = f"{{fileID: 100, guid: {guid(prefab)}, type: 3}}"
    return Script("PosestreamSpawner", {"prefabs": [reference]})


def files() -> dict[Path, str]:
    """Every generated file of the samples with its text."""
    several, overlay = SAMPLES / "SeveralPeople", SAMPLES / "ArOverlay"
    person, over = several / "Person.prefab", overlay / "PersonInPicture.prefab"
    vmc = Script("PosestreamSource", {"input": 1})
    ar = Script(
        "PosestreamSource", {"input": 0, "stream": _stream(picture=True), "lockToPicture": True}
    )
    one = [_FIGURE, _avatar(1, slot=0), _FACE]
    metric = [_FIGURE, _avatar(3), _FACE, Script("PosestreamFootIk")]
    return {
        SAMPLES / "SingleAvatar" / "SingleAvatar.unity": scene(
            [_camera(_BEFORE), _SUN, Thing("posestream", [_SOURCE]), Thing("Avatar", one)]
        ),
        several / "SeveralPeople.unity": scene(
            [_camera((0.0, 1.5, 0.5)), _SUN, Thing("posestream", [_SOURCE, _spawner(person)])]
        ),
        person: prefab(Thing("Person", metric)),
        overlay / "ArOverlay.unity": scene([
            _camera((0.0, 1.5, 0.0), Script("PosestreamCamera", {"background": True})),
            _SUN,
            Thing("posestream", [ar, _spawner(over)]),
        ]),
        over: prefab(Thing("Person", [_FIGURE, _avatar(3, matchSize=True), _FACE])),
        SAMPLES / "VmcOnly" / "VmcOnly.unity": scene(
            [_camera(_BEFORE), _SUN, Thing("posestream", [vmc]), Thing("Avatar", one)]
        ),
    }  # fmt: skip


def scene(things: Sequence[Thing]) -> str:
    """A scene's text."""
    bodies = [_thing(thing, 100 * (i + 1), order=i) for i, thing in enumerate(things)]
    return _HEAD + _SCENE_SETTINGS + "".join(bodies)


def prefab(thing: Thing) -> str:
    """A prefab's text; its object has the number 100."""
    return _HEAD + _thing(thing, 100, order=0)


def _thing(thing: Thing, number: int, order: int) -> str:
    """GameObject ``number``, Transform ``number + 1``, then its components."""
    parts = [_transform(thing, number, order)]
    for kind, name, text in thing.native:
        head = f"--- !u!{kind} &{number + 1 + len(parts)}\n{name}:\n"
        parts.append(f"{head}{_NO_PREFAB}  m_GameObject: {{fileID: {number}}}\n{text}")
    for script in thing.scripts:
        parts.append(_script(script, number + 1 + len(parts), number))
    components = "".join(
        f"  - component: {{fileID: {number + 1 + i}}}\n" for i in range(len(parts))
    )
    return (
        f"--- !u!1 &{number}\nGameObject:\n{_NO_PREFAB}  serializedVersion: 6\n"
        f"  m_Component:\n{components}  m_Layer: 0\n  m_Name: {thing.name}\n"
        f"  m_TagString: {thing.tag}\n  m_Icon: {{fileID: 0}}\n  m_NavMeshLayer: 0\n"
        f"  m_StaticEditorFlags: 0\n  m_IsActive: 1\n" + "".join(parts)
    )


def _transform(thing: Thing, number: int, order: int) -> str:
    x, y, z = thing.position
    qx, qy, qz, qw = thing.rotation
    return (
        f"--- !u!4 &{number + 1}\nTransform:\n{_NO_PREFAB}  m_GameObject: {{fileID: {number}}}\n"
        f"  m_LocalRotation: {{x: {qx:g}, y: {qy:g}, z: {qz:g}, w: {qw:g}}}\n"
        f"  m_LocalPosition: {{x: {x:g}, y: {y:g}, z: {z:g}}}\n"
        "  m_LocalScale: {x: 1, y: 1, z: 1}\n  m_ConstrainProportionsScale: 0\n"
        f"  m_Children: []\n  m_Father: {{fileID: 0}}\n  m_RootOrder: {order}\n"
        "  m_LocalEulerAnglesHint: {x: 0, y: 0, z: 0}\n"
    )


def _script(script: Script, number: int, owner: int) -> str:
    reference = guid(_SCRIPTS / f"{script.name}.cs")
    head = (
        f"--- !u!114 &{number}\nMonoBehaviour:\n{_NO_PREFAB}  m_GameObject: {{fileID: {owner}}}\n"
    )
    return (
        f"{head}  m_Enabled: 1\n  m_EditorHideFlags: 0\n"
        f"  m_Script: {{fileID: 11500000, guid: {reference}, type: 3}}\n"
        "  m_Name: \n  m_EditorClassIdentifier: \n" + _fields(script.fields, "  ")
    )


def _fields(fields: Mapping[str, Value], indent: str) -> str:
    text = ""
    for name, value in fields.items():
        if isinstance(value, Mapping):
            text += f"{indent}{name}:\n" + _fields(value, indent + "  ")
        elif isinstance(value, Sequence) and not isinstance(value, str):
            text += f"{indent}{name}:\n" + "".join(f"{indent}- {item}\n" for item in value)
        else:
            text += f"{indent}{name}: {int(value) if isinstance(value, bool) else value}\n"
    return text


def main() -> int:
    """Write the files, or with --check report; 1 if something differs."""
    check, wrong = "--check" in sys.argv[1:], 0
    for path, text in files().items():
        if path.is_file() and path.read_text(encoding="utf-8") == text:
            continue
        wrong += 1
        if check:
            print(f"{path.relative_to(PACKAGE)} is wrong: run tools/generate_unity_samples.py.")
        else:
            path.write_text(text, encoding="utf-8", newline="\n")
    if not check:
        print(f"{wrong} files written.")
    return 1 if check and wrong else 0


if __name__ == "__main__":
    sys.exit(main())
