"""Writes data/MANIFEST.sha256: one line "<sha256>  <name>" for every data file, sorted by name.

To add a trained network, put its files into data/weights/, then run this script and readme.py.
"""

import sys
from pathlib import Path

DATA = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(DATA.parent))

from course_utils.cli.restore import present_files  # noqa: E402
from course_utils.data_files import MANIFEST, sha256  # noqa: E402


def write_manifest(folder: Path = DATA) -> None:
    lines = [f"{sha256(folder / name)}  {name}\n" for name in present_files(folder)]
    (folder / MANIFEST).write_text("".join(lines), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    write_manifest()
    print(f"data/MANIFEST.sha256: {len(present_files(DATA))} files")
