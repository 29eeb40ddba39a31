"""Recorded runs of lesson 10: what a network is to predict, on which schedule, and how many steps a sampler needs.

    python benchmarks/10_grid.py    writes benchmarks/10_grid.json (about 20 minutes of one core)

All in the 16 numbers of the shipped VAE, with the numbers of the lesson profile. Runs of a seed start from the same
weights and see the same batches, so that prediction and schedule alone differ. Times are drawn uniformly, which favours
none of the schedules. Frechet distances are of 3,000 samples, from the same noise in every run, to the 5,000 validation
images; Heun's 20 steps with every seed, what else "sampled" names with seed 0 alone. Runs that are already in the file
are kept, so an interrupted call goes on where it stopped.
"""

import itertools
import sys
import time
from functools import cache
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import keras
import numpy as np
import recording
from keras import ops

from course_utils import data, metrics, models, paths, training
from course_utils.models import diffusion, diffusion_networks
from course_utils.recipes import diffusion_latent

PATH = paths.BENCHMARKS / "10_grid.json"
SEEDS = (0, 1, 2)
SAMPLES = 3_000
ONE_WAY = {"heun": (20,)}
MANY_WAYS = {"heun": (2, 5, 10, 20, 50), "ddim": (2, 5, 10, 20, 50, 100), "ancestral": (5, 10, 20, 50, 100)}
# The pair of flow matching, and that of denoising diffusion.
SAMPLED_IN_MANY_WAYS = (("velocity", "linear"), ("noise", "cosine"))


def recipe() -> dict:
    """What all runs share: the numbers of the lesson profile."""
    kept = ("width", "blocks", "epochs", "batch_size", "learning_rate", "averaging")
    return {name: getattr(diffusion_latent.LESSON, name) for name in kept}


def settings() -> dict[str, dict]:
    shared, found = recipe(), {}
    for predicts, schedule in itertools.product(diffusion.PREDICTIONS, diffusion.SCHEDULES):
        ways = MANY_WAYS if (predicts, schedule) in SAMPLED_IN_MANY_WAYS else ONE_WAY
        sampled = {sampler: list(steps) for sampler, steps in ways.items()}
        found[f"{predicts}, {schedule}"] = {"predicts": predicts, "schedule": schedule} | shared | {"sampled": sampled}
    return found


@cache
def autoencoder():
    return models.load(diffusion_latent.AUTOENCODER)


@cache
def codes() -> tuple[np.ndarray, np.ndarray]:
    """The training images as the VAE's codes, float32 (n, 16), and their classes: encoded once for all runs."""
    images, labels = data.fashion_mnist("train")
    return autoencoder().encoder.predict(images, batch_size=1_000, verbose=0)[:, : autoencoder().latent_size], labels


@cache
def judge() -> metrics.Judge:
    return metrics.Judge(data.fashion_mnist("validation")[0], data.fashion_mnist("train")[0][-5_000:])


def network(s: dict, seed: int, labels: bool = True) -> diffusion.Diffusion:
    """The compiled network of a run, untrained; labels: whether it has an input for a class."""
    autoencoder()  # is built before the seed is set, or the first run of each call would start from other weights
    training.set_seed(seed)
    size, classes = autoencoder().latent_size, diffusion_latent.CLASSES if labels else None
    model = diffusion.Diffusion(
        diffusion_networks.dense_with_time(size, classes, width=s["width"], blocks=s["blocks"]),
        schedule=s["schedule"],
        predicts=s["predicts"],
        times="uniform",
        averaging=s["averaging"],
        encode=lambda codes: codes,
        decode=lambda codes: ops.sigmoid(autoencoder().decoder(codes, training=False)),
        seed=seed,
    )
    model.input_range = (-10.0, 10.0)  # what it is given are codes, not pictures
    steps = s["epochs"] * (len(codes()[0]) // s["batch_size"])
    model.compile(keras.optimizers.Adam(training.one_cycle(s["learning_rate"], steps)), jit_compile=False)
    return model


def first_steps(s: dict) -> dict:
    """The mark of a run, see `recording.first_steps`."""
    model = network(s, 0)
    seen = recording.FIRST_STEPS * s["batch_size"]
    return recording.first_steps(model, codes()[0][:seen], codes()[1][:seen], batch_size=s["batch_size"], seed=0)


def run(s: dict, seed: int) -> tuple[dict, dict]:
    model, start = network(s, seed), time.process_time()
    length = {"epochs": s["epochs"], "batch_size": s["batch_size"], "seed": seed}
    training.fit(model, *codes(), **length, progress=False)
    result = {"processor_seconds": round(time.process_time() - start, 1)}
    for sampler, counts in (s["sampled"] if seed == 0 else ONE_WAY).items():
        found = {}
        for steps in counts:
            samples = model.sample(SAMPLES, seed=1, steps=steps, sampler=sampler)
            found[str(steps)] = round(judge()(samples, "frechet_distance")["frechet_distance"].value, 2)
        result[sampler] = found
    return {"parameters": model.network.count_params()}, result


if __name__ == "__main__":
    recording.record(PATH, "python benchmarks/10_grid.py", settings(), SEEDS, first_steps, run)
