"""Recorded runs of lesson 14: one network, one style, two normalisations.

    python benchmarks/14_normalisation.py    writes benchmarks/14_normalisation.json (about 7 minutes of one core)

Every run trains the network of `style_fast_auvers` from the same start on the same patches in the same order for as
many steps. What differs is whether each map is normalised by its own mean and variance, or by those of the batch in
training and by moving averages of these afterwards. Scores are means over validation photographs. Runs that are already
in the file are kept, so an interrupted call goes on where it stopped.
"""

import sys
from functools import cache
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import keras
import numpy as np
import recording
from keras import ops

from course_utils import paths, scoring, training
from course_utils.models import style
from course_utils.models.restorer import Restorer
from course_utils.recipes import _restorers, _style_fast, style_fast_auvers

PATH = paths.BENCHMARKS / "14_normalisation.json"
SEEDS = (0, 1, 2)
SIDE = 64  # pixels of a patch: half of the recipe's, so that a batch of four costs as much as one of its patches
PHOTOGRAPHS, JUDGED_SIDE = 10, 192


def settings() -> dict[str, dict]:
    shared = {"batch_size": 4, "learning_rate": 0.003, "steps": 160}
    return {name: {"normalisation": name} | shared for name in ("instance", "batch")}


def prepared(s: dict, seed: int) -> Restorer:
    """The compiled network of one run."""
    numbers = style_fast_auvers.LESSON
    loss = style.perceptual_loss(
        style_fast_auvers.painting(),
        content_weight=numbers.content_weight,
        variation_weight=numbers.variation_weight,
    )
    training.set_seed(seed)
    network = style.transfer_network(numbers.widths, numbers.blocks, s["normalisation"])
    model = Restorer(network)
    schedule = training.one_cycle(s["learning_rate"], s["steps"])
    model.compile(keras.optimizers.Adam(schedule, global_clipnorm=1.0), loss=loss, jit_compile=False)
    return model


@cache
def patches() -> np.ndarray:
    return _restorers.patches("train", SIDE, SIDE)


def first_steps(s: dict) -> dict:
    """The mark of a run, see `recording.first_steps`."""
    images = recording.spread(patches(), s["batch_size"])
    return recording.first_steps(prepared(s, 0), images, None, batch_size=s["batch_size"], seed=0)


def scores(model: Restorer) -> dict:
    """Style and content distance of painted validation photographs: means, and each photograph's."""
    distances = style.perceptual_distances(style_fast_auvers.painting())
    rows = []
    for picture in list(scoring.photographs("validation").values())[:PHOTOGRAPHS]:
        photograph = _style_fast.of_side(picture, JUDGED_SIDE)[np.newaxis]
        both = distances(photograph, ops.convert_to_numpy(model(photograph)))
        rows.append([round(float(ops.squeeze(distance)), 4) for distance in both])
    of_style, of_content = np.mean(rows, axis=0)
    means = {"style_distance": round(of_style, 4), "content_distance": round(of_content, 4)}
    return means | {"style_and_content_by_picture": rows}


def run(s: dict, seed: int) -> tuple[dict, dict]:
    model = prepared(s, seed)
    seconds = recording.fit_steps(model, patches(), steps=s["steps"], batch_size=s["batch_size"], seed=seed)
    return {"parameters": model.count_params()}, {"processor_seconds": seconds} | scores(model)


if __name__ == "__main__":
    recording.record(PATH, "python benchmarks/14_normalisation.py", settings(), SEEDS, first_steps, run)
