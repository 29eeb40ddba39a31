"""Where the parts of the course lie on disk; every other module takes its folders from here."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / "data"
WEIGHTS = DATA / "weights"
LESSONS = ROOT / "lessons"
NOTEBOOKS = ROOT / "notebooks"
BENCHMARKS = ROOT / "benchmarks"
WORK = ROOT / "work"
RUNS = ROOT / "runs"


def inside(folder: Path, name: str) -> Path:
    """Where a file or folder lies whose name, relative to `folder`, comes from outside: typed, or read in a file.

    name: words joined by slashes. Raises ValueError for a name that is empty or absolute, or leads out of the folder.
    """
    if not name or any(part in ("", ".", "..") for part in name.split("/")) or re.search(r"[\\:\0]", name):
        raise ValueError(f"a name must stay inside the folder {folder.name}: expected words joined by /, got {name!r}")
    return folder / name
