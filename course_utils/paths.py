"""Where the parts of the course lie on disk; every other module takes its folders from here."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / "data"
WEIGHTS = DATA / "weights"
LESSONS = ROOT / "lessons"
NOTEBOOKS = ROOT / "notebooks"
BENCHMARKS = ROOT / "benchmarks"
WORK = ROOT / "work"
RUNS = ROOT / "runs"
