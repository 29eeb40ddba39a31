"""Whether the probabilities of a classifier can be believed.

Accuracy, precision, recall, F1 and the confusion matrix are taken from `sklearn.metrics` where they are needed.
"""

from typing import NamedTuple

import numpy as np

from course_utils.metrics.arrays import check_finite


class Reliability(NamedTuple):
    """How often predictions of a given confidence are right; one entry per bin, NaN where a bin is empty."""

    confidence: np.ndarray  # (bins,) mean probability of the predicted class
    accuracy: np.ndarray  # (bins,) share of right predictions
    count: np.ndarray  # (bins,) int64, predictions in the bin
    edges: np.ndarray  # (bins + 1,) from 0 to 1


def reliability(probabilities: np.ndarray, labels: np.ndarray, bins: int = 15) -> Reliability:
    """The data of a reliability diagram, over bins of equal width.

    probabilities: (n, classes), each row from 0 to 1 with sum 1. labels: (n,) integers under `classes`.
    A prediction's confidence is the largest number of its row; bin i holds edges[i] < confidence <= edges[i + 1].
    `sklearn.calibration.calibration_curve` leaves empty bins out and counts nothing; the rest agrees with it.
    Raises ValueError for an empty batch, NaN or infinity, rows that are no probabilities, labels out of range and
    bins < 1.
    Guo, Pleiss, Sun and Weinberger, "On calibration of modern neural networks", 2017, section 2.
    """
    probabilities, labels = _checked(probabilities, labels)
    if bins < 1:
        raise ValueError(f"bins must be 1 or more, got {bins}")
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    edges = np.linspace(0, 1, bins + 1)
    which = np.searchsorted(edges[1:-1], confidence)
    count = np.bincount(which, minlength=bins)
    with np.errstate(invalid="ignore"):
        mean_confidence = np.bincount(which, confidence, minlength=bins) / count
        accuracy = np.bincount(which, right, minlength=bins) / count
    return Reliability(mean_confidence, accuracy, count, edges)


def expected_calibration_error(probabilities: np.ndarray, labels: np.ndarray, bins: int = 15) -> float:
    """The mean distance between confidence and accuracy, weighted by the predictions in each bin; 0 is best.

    Arguments and errors as in `reliability`. ECE = sum over bins of count / n * |accuracy - confidence|:
    Naeini, Cooper and Hauskrecht, 2015; Guo et al., 2017, equation 3.
    """
    curve = reliability(probabilities, labels, bins)
    gap = np.abs(curve.accuracy - curve.confidence)
    return float(np.nansum(curve.count * gap) / curve.count.sum())


def _checked(probabilities: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    probabilities, labels = np.asarray(probabilities, dtype=np.float64), np.asarray(labels)
    if probabilities.ndim != 2 or labels.shape != probabilities.shape[:1]:
        raise ValueError(
            f"expected probabilities (n, classes) and labels (n,), got {probabilities.shape} and {labels.shape}"
        )
    if len(labels) == 0:
        raise ValueError("there are no predictions: got an empty batch")
    check_finite(probabilities, "probabilities")
    if probabilities.min() < 0 or np.abs(probabilities.sum(axis=1) - 1).max() > 1e-2:
        raise ValueError("each row must be probabilities from 0 to 1 with sum 1: apply a softmax to logits first")
    if not np.issubdtype(labels.dtype, np.integer) or labels.min() < 0 or labels.max() >= probabilities.shape[1]:
        raise ValueError(
            f"labels must be integers from 0 to {probabilities.shape[1] - 1}, "
            f"got {labels.dtype} from {labels.min()} to {labels.max()}"
        )
    return probabilities, labels
