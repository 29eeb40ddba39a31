"""Recorded runs of lesson 12: the networks that a student need not train live, with the numbers of the lesson profile.

    python benchmarks/12_restorers.py    writes benchmarks/12_restorers.json (about 15 minutes of one core)

Scores are of the test photographs, whole, under the protocols of each network, as beside the weights that ship.
Runs that are already in the file are kept, so an interrupted call goes on where it stopped.
"""

import sys
import time
from dataclasses import asdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import recording

from course_utils import paths, recipes
from course_utils.recipes import _restorers

PATH = paths.BENCHMARKS / "12_restorers.json"
NETWORKS = ("deblur", "inpaint")
SEEDS = (0, 1, 2)


def settings() -> dict[str, dict]:
    return {name: {"network": name} | asdict(recipes.find(name).LESSON) for name in NETWORKS}


def _numbers(s: dict, seed: int):
    """The recipe of a run, and its numbers."""
    recipe = recipes.find(s["network"])
    return recipe, type(recipe.LESSON)(
        **{name: value for name, value in s.items() if name != "network"} | {"seed": seed}
    )


def first_steps(s: dict) -> dict:
    """The mark of a run, see `recording.first_steps`."""
    recipe, numbers = _numbers(s, 0)
    # Few patches, far apart: the first of them are all that is looked at.
    images = _restorers.patches("train", 96, 192)[: recording.FIRST_STEPS * numbers.batch_size]
    return recording.first_steps(recipe.model(numbers), images, None, batch_size=numbers.batch_size, seed=0)


def run(s: dict, seed: int) -> tuple[dict, dict]:
    recipe, numbers = _numbers(s, seed)
    model, start, processor = recipe.model(numbers), time.monotonic(), time.process_time()
    recipe.train(model, numbers, progress=False)
    result = {
        "seconds": round(time.monotonic() - start, 1),
        "processor_seconds": round(time.process_time() - processor, 1),
    }
    result |= {protocol: rows["network"] for protocol, rows in recipe.evaluate(model).items()}
    return {"parameters": model.count_params(), "steps": recipe.steps(numbers)}, result


if __name__ == "__main__":
    recording.record(PATH, "python benchmarks/12_restorers.py", settings(), SEEDS, first_steps, run)
