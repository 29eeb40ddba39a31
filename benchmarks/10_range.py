"""Recorded runs of lesson 10: what it costs to leave data in [0, 1], where noise has its mean at 0 and a spread of 1.

    python benchmarks/10_range.py    writes benchmarks/10_range.json (about 8 minutes of one core)

The lesson's spiral as it is, moved, made smaller, and both, which puts it into [0, 1]; batches, noise and network, the
package's `dense_with_time`, are the same. Samples are moved and scaled back before they are compared with 2,000 fresh
points: thousandths of the energy distance. Runs that are already in the file are kept, so an interrupted call goes on
where it stopped.
"""

import sys
from functools import cache
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import keras
import numpy as np
import recording

from course_utils import paths, training
from course_utils.models import diffusion, diffusion_networks, diffusion_samplers

PATH = paths.BENCHMARKS / "10_range.json"
SEEDS = (0, 1, 2)
SAMPLED = (("euler", 10), ("heun", 20), ("heun", 50))


def settings() -> dict[str, dict]:
    shared = {"width": 128, "blocks": 3, "steps": 3_000, "batch_size": 256, "learning_rate": 0.003, "averaging": 0.99}
    ranges = {
        "as in the lesson": {"smaller": 1.0, "moved": 0.0},
        "moved": {"smaller": 1.0, "moved": 2.5},
        "smaller": {"smaller": 0.2, "moved": 0.0},
        "in [0, 1]": {"smaller": 0.2, "moved": 0.5},
    }
    return {name: shared | numbers for name, numbers in ranges.items()}


@cache
def lesson() -> dict:
    """The functions of lesson 10: its `spiral` and `energy_distance`."""
    return recording.lesson_code("10")


def network(s: dict, seed: int) -> diffusion.Diffusion:
    """The compiled network of one run, untrained."""
    training.set_seed(seed)
    model = diffusion.Diffusion(
        diffusion_networks.dense_with_time(2, width=s["width"], blocks=s["blocks"]),
        times="uniform",
        averaging=s["averaging"],
        encode=lambda points: points * s["smaller"] + s["moved"],
        decode=lambda points: (points - s["moved"]) / s["smaller"],
        seed=seed,
    )
    model.input_range = (-4.0, 4.0)  # of the points as the lesson has them
    model.compile(keras.optimizers.Adam(training.one_cycle(s["learning_rate"], s["steps"])), jit_compile=False)
    return model


def points(s: dict, seed: int) -> np.ndarray:
    return lesson()["spiral"](64_000, np.random.default_rng(seed))


def first_steps(s: dict) -> dict:
    """The mark of a run, see `recording.first_steps`."""
    return recording.first_steps(network(s, 0), points(s, 0)[:1_000], None, batch_size=s["batch_size"], seed=0)


def run(s: dict, seed: int) -> tuple[dict, dict]:
    model = network(s, seed)
    length = {"steps": s["steps"], "batch_size": s["batch_size"], "seed": seed}
    seconds = recording.fit_steps(model, points(s, seed), **length)
    random = np.random.default_rng(100 + seed)
    fresh, start = lesson()["spiral"](2_000, random), random.standard_normal((2_000, 2)).astype(np.float32)
    ask, found = model.predictor(2_000), {}
    for sampler, steps in SAMPLED:
        samples = diffusion_samplers.run(ask, start, model.schedule, steps=steps, sampler=sampler)
        back = (samples - s["moved"]) / s["smaller"]
        found[f"{sampler}, {steps}"] = round(1000 * lesson()["energy_distance"](back, fresh), 2)
    return {"parameters": model.network.count_params()}, {"processor_seconds": seconds, "energy_distance": found}


if __name__ == "__main__":
    recording.record(PATH, "python benchmarks/10_range.py", settings(), SEEDS, first_steps, run)
