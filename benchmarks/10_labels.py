"""Recorded runs of lesson 10: the same network trained with labels and without, each asked in every way it can be.

    python benchmarks/10_labels.py    writes benchmarks/10_labels.json (about 7 minutes of one core)

Codes, numbers and judge are those of benchmarks/10_grid.py, for the velocity on the straight way. A network with labels
has a tenth of them left out in training, and is asked with the classes in turn, with classes drawn at random, and told
nothing; one without them has no input for a class. Three seeds; samples of one seed are from the same noise. Runs that
are already in the file are kept, so an interrupted call goes on where it stopped.
"""

import importlib
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
import recording

from course_utils import paths, training
from course_utils.models import diffusion
from course_utils.recipes import diffusion_latent

grid = importlib.import_module("10_grid")

PATH = paths.BENCHMARKS / "10_labels.json"
SEEDS = (0, 1, 2)
METRICS = ("frechet_distance", "coverage", "effective_classes")


def settings() -> dict[str, dict]:
    return {name: {"labels": name == "with labels"} | grid.recipe() for name in ("with labels", "without labels")}


def examples(s: dict) -> tuple[np.ndarray, ...]:
    """What `fit` is given: codes, and classes for a network that is told them."""
    return grid.codes() if s["labels"] else grid.codes()[:1]


def network(s: dict, seed: int) -> diffusion.Diffusion:
    return grid.network({"predicts": "velocity", "schedule": "linear"} | s, seed, s["labels"])


def first_steps(s: dict) -> dict:
    """The mark of a run, see `recording.first_steps`."""
    seen = [array[: recording.FIRST_STEPS * s["batch_size"]] for array in examples(s)]
    images, labels = seen if s["labels"] else (*seen, None)
    return recording.first_steps(network(s, 0), images, labels, batch_size=s["batch_size"], seed=0)


def ways(s: dict, seed: int) -> dict[str, dict]:
    """What `sample` is told in each way."""
    if not s["labels"]:
        return {"untold": {}}
    at_random = np.random.default_rng(seed).integers(0, diffusion_latent.CLASSES, grid.SAMPLES)
    return {"in turn": {}, "labels at random": {"labels": at_random}, "untold": {"guidance": 0}}


def run(s: dict, seed: int) -> tuple[dict, dict]:
    model, start = network(s, seed), time.process_time()
    length = {"epochs": s["epochs"], "batch_size": s["batch_size"], "seed": seed}
    training.fit(model, *examples(s), **length, progress=False)
    result = {"processor_seconds": round(time.process_time() - start, 1), "scores": {}}
    for way, told in ways(s, seed).items():
        scores = grid.judge()(model.sample(grid.SAMPLES, seed=1 + seed, **told), METRICS)
        result["scores"][way] = {metric: round(score.value, 4) for metric, score in scores.items()}
    return {"parameters": model.network.count_params()}, result


if __name__ == "__main__":
    recording.record(PATH, "python benchmarks/10_labels.py", settings(), SEEDS, first_steps, run)
