"""Writes the .meta file of everything in the Unity package. With --check: only compares.

GUIDs are derived from the path, so that a file keeps its own and no two files share one.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "unity_client"
_SCRIPT = """\
MonoImporter:
  externalObjects: {}
  serializedVersion: 2
  defaultReferences: []
  executionOrder: 0
  icon: {instanceID: 0}
"""
_PLAIN = "{importer}:\n  externalObjects: {{}}\n"
_IMPORTERS = {
    ".asmdef": "AssemblyDefinitionImporter",
    ".md": "TextScriptImporter",
    ".json": "TextScriptImporter",
    ".txt": "TextScriptImporter",
    ".prefab": "PrefabImporter",
}


def assets() -> Iterator[Path]:
    """Files and folders that Unity imports: not hidden, nothing in folders ending in ~.

    Except what lies in a sample's folder: it is copied into the project with its .meta files,
    by which scenes find their prefabs.
    """
    for path in sorted(PACKAGE.rglob("*")):
        parts = path.relative_to(PACKAGE).parts
        parts = parts[2:] if parts[0] == "Samples~" else parts
        hidden = any(part.startswith(".") or part.endswith("~") for part in parts)
        if parts and not hidden and path.suffix != ".meta":
            yield path


def guid(path: Path) -> str:
    """32 hexadecimal digits from the path in the package."""
    name = f"com.posestream.client/{path.relative_to(PACKAGE).as_posix()}"
    return hashlib.md5(name.encode(), usedforsecurity=False).hexdigest()


def meta(path: Path) -> str:
    """The text of an asset's .meta file."""
    head = f"fileFormatVersion: 2\nguid: {guid(path)}\n"
    tail = "  userData: \n  assetBundleName: \n  assetBundleVariant: \n"
    if path.is_dir():
        return head + "folderAsset: yes\n" + _PLAIN.format(importer="DefaultImporter") + tail
    if path.suffix == ".cs":
        return head + _SCRIPT + tail
    if path.name == "package.json":
        return head + _PLAIN.format(importer="PackageManifestImporter") + tail
    return head + _PLAIN.format(importer=_IMPORTERS.get(path.suffix, "DefaultImporter")) + tail


def expected() -> dict[Path, str]:
    """Every .meta file with its text."""
    return {path.with_name(path.name + ".meta"): meta(path) for path in assets()}


def main() -> int:
    """Write the files and remove orphans, or with --check report; 1 if something differs."""
    check, wanted = "--check" in sys.argv[1:], expected()
    orphans = [path for path in sorted(PACKAGE.rglob("*.meta")) if path not in wanted]
    wrong = [
        path
        for path, text in wanted.items()
        if not path.is_file() or path.read_text(encoding="utf-8") != text
    ]
    if check:
        for path in orphans + wrong:
            print(f"{path.relative_to(ROOT)} is wrong: run tools/generate_unity_metas.py.")
        return 1 if orphans or wrong else 0
    for path in orphans:
        path.unlink()
    for path in wrong:
        path.write_text(wanted[path], encoding="utf-8", newline="\n")
    print(f"{len(wrong)} .meta files written, {len(orphans)} removed.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
