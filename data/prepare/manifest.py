"""Writes data/MANIFEST.sha256: one line "<sha256>  <name>" for every data file, sorted by name.

To add a trained network, put its files into data/weights/, then run this script and readme.py.
"""

import sys
from pathlib import Path

DATA = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(DATA.parent))

from course_utils.data_files import MANIFEST, sha256  # noqa: E402

# Written by hand; a hidden file is git's, a changed one was set aside by `course data restore`.
UNLISTED = {"README.md", MANIFEST, "prepare"}


def data_files(folder: Path = DATA) -> list[str]:
    """Names of the files that a manifest lists: all of `data/` but prepare/ and what is written by hand."""
    files = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return sorted(
        file.as_posix()
        for file in files
        if file.parts[0] not in UNLISTED and not file.name.startswith(".") and ".changed" not in file.suffix
    )


def write_manifest(folder: Path = DATA) -> None:
    lines = [f"{sha256(folder / name)}  {name}\n" for name in data_files(folder)]
    (folder / MANIFEST).write_text("".join(lines), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    write_manifest()
    print(f"data/MANIFEST.sha256: {len(data_files())} files")
