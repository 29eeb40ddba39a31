"""What the recipes of generators share: a preview of samples, and scores of many of them."""

from dataclasses import asdict

import numpy as np

from course_utils import metrics
from course_utils.image_files import sheet


def preview(model) -> np.ndarray:
    """Sixty samples, always of the same seed, in rows of ten: (6 * H, 10 * W, C) in [0, 1]."""
    return sheet(model.sample(60, seed=0), columns=10)


def judged(model, real: np.ndarray, others: np.ndarray, count: int) -> dict[str, dict]:
    """The scores of `count` samples of seed 1 against real pictures, by metric, fit for JSON.

    others: real pictures for the floor, see `metrics.Judge`.
    """
    scores = metrics.Judge(real, others)(model.sample(count, seed=1))
    return {name: asdict(score) for name, score in scores.items()}
