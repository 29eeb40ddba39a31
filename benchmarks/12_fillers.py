"""Recorded runs of lesson 12: the inpainter with the numbers of the lesson profile, beside what spreads heat.

    python benchmarks/12_fillers.py    writes benchmarks/12_fillers.json (about 8 minutes of one core)

Trained and scored as the deblurrer is by `12_restorers.py`. Runs that are already in the file are kept, so an
interrupted call goes on where it stopped.
"""

import importlib
import sys
from dataclasses import asdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import recording

from course_utils import paths, recipes

restorers = importlib.import_module("12_restorers")  # a name that starts with a digit
PATH, SEEDS = paths.BENCHMARKS / "12_fillers.json", (0, 1)
first_steps, run = restorers.first_steps, restorers.run


def settings() -> dict[str, dict]:
    return {"inpaint": {"network": "inpaint"} | asdict(recipes.find("inpaint").LESSON)}


if __name__ == "__main__":
    recording.record(PATH, "python benchmarks/12_fillers.py", settings(), SEEDS, first_steps, run)
