"""What the recipes of generators share: a preview of samples, and scores of many of them."""

from dataclasses import asdict

import numpy as np

from course_utils import data as data_sets
from course_utils import metrics
from course_utils.image_files import sheet


def preview(model) -> np.ndarray:
    """Sixty samples, always of the same seed, in rows of ten: (6 * H, 10 * W, C) in [0, 1]."""
    return sheet(model.sample(60, seed=0), columns=10)


def judged_on_fashion(model) -> dict[str, dict]:
    """10,000 samples against the 10,000 test images, the floor from the last 10,000 training images: see `_judged`."""
    return _judged(model, data_sets.fashion_mnist("test")[0], data_sets.fashion_mnist("train")[0][-10_000:], 10_000)


def judged_on_emoji(model) -> dict[str, dict]:
    """1,000 samples against the 370 emoji that were held out, the floor from the others: see `_judged`."""
    return _judged(model, data_sets.emoji_pictures("test")[0], data_sets.emoji_pictures("train")[0], 1_000)


def _judged(model, real: np.ndarray, others: np.ndarray, count: int) -> dict[str, dict]:
    """The scores of `count` samples of seed 1 against real pictures, by metric, fit for JSON.

    others: real pictures for the floor, see `metrics.Judge`.
    """
    scores = metrics.Judge(real, others)(model.sample(count, seed=1))
    return {name: asdict(score) for name, score in scores.items()}
