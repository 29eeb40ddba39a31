"""Checks for lesson 07, autoencoders and VAE."""

from typing import Any

import numpy as np
import scipy.special
import scipy.stats

from course_utils.checks import Attempt, exercise


@exercise("E7.1")
def e7_1(attempt: Attempt) -> None:
    """`kl_divergence(mean, log_variance)`: compared with the difference of SciPy's log-densities, integrated."""
    rng = np.random.default_rng(1)
    cases = [([[0.0, 0.0]], [[0.0, 0.0]]), ([[1.0, 0.0, -2.0]], [[0.0, 0.0, 0.0]]), ([[0.0, 0.0]], [[1.0, -2.0]])]
    cases += [(rng.normal(size=shape), rng.normal(size=shape)) for shape in [(1, 4), (5, 3), (4, 4), (30, 16)]]
    for mean, log_variance in cases:
        mean, log_variance = np.array(mean), np.array(log_variance)
        hint = "Compare with the equation of section 3 term by term; each row adds up its own latent numbers."
        attempt.compare(
            (mean, log_variance),
            _integrated_kl(mean, np.exp(log_variance / 2)).sum(axis=1),
            hint,
            mistakes=_kl_mistakes(mean, log_variance),
            tolerance=1e-4,
        )


def _integrated_kl(mean: np.ndarray, deviation: np.ndarray) -> np.ndarray:
    """E_q[log q - log p] of each entry by Gauss and Hermite's rule, which is exact for a parabola."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(8)
    z = mean[..., None] + deviation[..., None] * nodes
    difference = scipy.stats.norm.logpdf(z, mean[..., None], deviation[..., None]) - scipy.stats.norm.logpdf(z)
    return difference @ (weights / weights.sum())


def _kl_mistakes(mean: np.ndarray, log_variance: np.ndarray) -> dict[str, Any]:
    each = _integrated_kl(mean, np.exp(log_variance / 2))
    two = 2 * each
    rows = each.sum(axis=1)
    return {
        "This is twice as much as it should be: where is the one half?": two.sum(axis=1),
        "The sign is the wrong way round: a divergence is never below zero.": -rows,
        "The latent numbers of a picture are summed, not averaged: the bound needs all of them.": each.mean(axis=1),
        "One number for each picture is asked for: sum over its latent numbers.": each,
        "Keep the pictures apart: sum over the last axis only.": rows.sum(),
        "Keep the pictures apart: the mean over the batch comes later.": rows.mean(),
        "Go along the latent numbers of a picture, not down the batch.": each.sum(axis=0),
        "log_variance is the logarithm already; the variance is its exponential.": 0.5
        * (mean**2 + log_variance - 1 - log_variance).sum(axis=1),
        "exp(log_variance / 2) is the standard deviation; the formula holds the variance.": 0.5
        * (mean**2 + np.exp(log_variance / 2) - 1 - log_variance).sum(axis=1),
        "The mean enters by its square.": 0.5 * (mean + np.exp(log_variance) - 1 - log_variance).sum(axis=1),
        "What became of the -1? Without it, q = p would not give 0.": 0.5
        * (mean**2 + np.exp(log_variance) - log_variance).sum(axis=1),
        "log_variance is subtracted: a narrow q costs more, not less.": 0.5
        * (mean**2 + np.exp(log_variance) - 1 + log_variance).sum(axis=1),
    }


@exercise("E7.2")
def e7_2(attempt: Attempt) -> None:
    """`reparameterise(mean, log_variance, noise)`: compared with SciPy's quantiles of N(mean, variance)."""
    rng = np.random.default_rng(2)
    one = np.array([[0.0, 2.0]]), np.array([[np.log(4.0), np.log(9.0)]]), np.array([[1.0, -1.0]])
    cases = [one, *(tuple(rng.normal(size=(3, *shape))) for shape in [(1, 3), (6, 2), (5, 5)])]
    for mean, log_variance, noise in cases:
        deviation = np.exp(log_variance / 2)
        # The number of N(mean, deviation) that stands where `noise` stands in N(0, 1).
        expected = scipy.stats.norm.isf(scipy.stats.norm.sf(noise), mean, deviation)
        mistakes = {
            "This multiplies by the variance: which number tells how far a normal distribution spreads?": (
                mean + np.exp(log_variance) * noise
            ),
            "log_variance is a logarithm, and may be negative: what undoes it?": mean + log_variance * noise,
            "Half of log_variance is the logarithm of the standard deviation: one step is missing.": (
                mean + log_variance / 2 * noise
            ),
            "The square root of a logarithm is not the standard deviation.": mean + np.sqrt(log_variance) * noise,
            "This is the mean: without the noise it is a plain autoencoder.": mean,
            "The noise is stretched but not yet moved to the mean.": deviation * noise,
            "The noise is moved to the mean but not stretched.": mean + noise,
            "The mean moves the result; it is not stretched with the noise.": deviation * (mean + noise),
        }
        hint = "Stretch the noise by the standard deviation, then move it to the mean. Use the noise that is handed in."
        attempt.compare((mean, log_variance, noise), expected, hint, mistakes=mistakes, tolerance=1e-4)


@exercise("E7.3")
def e7_3(attempt: Attempt) -> None:
    """`reconstruction_nats(images, logits)`: compared with SciPy's log_expit, first on small logits, then on large."""
    rng = np.random.default_rng(3)
    one = np.array([[1.0, 0.0]]).reshape(1, 1, 2, 1), np.array([[0.5, -2.0]]).reshape(1, 1, 2, 1)
    cases = [(*one, _FORMULA)]
    for shape in [(1, 2, 2, 1), (3, 4, 2, 1), (8, 5, 5, 1)]:
        cases.append((rng.integers(0, 2, shape).astype(float), rng.normal(size=shape), _FORMULA))
    grey = rng.random((3, 4, 4, 1)), rng.normal(size=(3, 4, 4, 1))
    cases.append((*grey, "Grey pixels, between 0 and 1, need both terms: x log p and (1 - x) log(1 - p)."))
    large = np.array([800.0, -800.0, 40.0, -40.0]).reshape(1, 2, 2, 1)
    overflow = "Large logits: the exponential overflows, or p is rounded to 0 or 1. log(1 + e^a) can be had without."
    cases.append((np.array([1.0, 0, 1, 0]).reshape(1, 2, 2, 1), large, overflow))
    cases.append((np.array([0.0, 1, 1, 0]).reshape(1, 2, 2, 1), large, overflow))
    errors = {OverflowError: overflow, ValueError: overflow}
    for images, logits, hint in cases:
        expected = _pixel_nats(images, logits).sum(axis=(1, 2, 3)).mean()
        mistakes = {} if hint == overflow else _nats_mistakes(images, logits)
        attempt.compare(
            (images, logits), expected, hint, mistakes=mistakes, errors=errors if hint == overflow else None,
            tolerance=1e-4,
        )  # fmt: skip


_FORMULA = (
    "For each pixel -(x log p + (1 - x) log(1 - p)) with p = sigmoid(logit); sum over pixels, mean over pictures."
)


def _pixel_nats(images: np.ndarray, logits: np.ndarray) -> np.ndarray:
    return -(images * scipy.special.log_expit(logits) + (1 - images) * scipy.special.log_expit(-logits))


def _nats_mistakes(images: np.ndarray, logits: np.ndarray) -> dict[str, Any]:
    each = _pixel_nats(images, logits)
    right = each.sum(axis=(1, 2, 3)).mean()
    return {
        "This is the mean over the pixels: the bound needs their sum, or the KL term counts too much.": each.mean(),
        "This adds up the pictures too: take their mean.": each.sum(),
        "One number for the batch is asked for: take the mean over the pictures.": each.sum(axis=(1, 2, 3)),
        "The sign is the wrong way round: a loss should fall as the pictures get likelier.": -right,
        "This is in bits, by the logarithm to base 2; nats take the natural logarithm.": right / np.log(2),
        "This is the mean squared error, not a logarithm of a probability.": np.mean(
            (images - scipy.special.expit(logits)) ** 2
        ),
        "This is a squared error, not a logarithm of a probability.": np.sum(
            (images - scipy.special.expit(logits)) ** 2
        )
        / len(images),
        "The logits are no probabilities yet: the sigmoid makes them so.": -(
            images * np.log(np.clip(logits, 1e-7, 1 - 1e-7))
            + (1 - images) * np.log(1 - np.clip(logits, 1e-7, 1 - 1e-7))
        )
        .sum(axis=(1, 2, 3))
        .mean(),
        "Black pixels count too: where is (1 - x) log(1 - p)?": -(images * scipy.special.log_expit(logits))
        .sum(axis=(1, 2, 3))
        .mean(),
    }


@exercise("E7.4")
def e7_4(attempt: Attempt) -> None:
    """`importance_weighted_bound(log_weights)`: compared with SciPy's logsumexp."""
    rng = np.random.default_rng(4)
    cases = [(np.array([[0.0, 0.0]]), _BOUND), (np.log(np.array([[1.0, 3.0], [2.0, 2.0]])), _BOUND)]
    cases += [(rng.normal(size=shape), _BOUND) for shape in [(1, 5), (4, 3), (6, 6), (3, 1)]]
    far = (
        "Log weights of pictures lie near -200: their exponentials vanish. Subtract the largest first, and add it back."
    )
    own = "Each picture has its own largest log weight: subtract that one."
    cases += [(rng.normal(size=(3, 4)) * 5 - 900, far), (np.array([[-900.0, -901], [-10, -11]]), own)]
    cases += [(np.array([[900.0, 899.0]]), "The exponential of a large number overflows: subtract the largest first.")]
    for log_weights, hint in cases:
        expected = scipy.special.logsumexp(log_weights, axis=1, b=1 / log_weights.shape[1])
        mistakes = _bound_mistakes(log_weights)
        errors = {OverflowError: hint, ValueError: hint}
        attempt.compare((log_weights,), expected, hint, mistakes=mistakes, errors=errors, tolerance=1e-4)


_BOUND = "For each row: the logarithm of the mean of the exponentials."


def _bound_mistakes(log_weights: np.ndarray) -> dict[str, Any]:
    right = scipy.special.logsumexp(log_weights, axis=1, b=1 / log_weights.shape[1])
    return {
        "This is the mean of the logarithms, the evidence lower bound: here the mean is taken inside the logarithm.": (
            log_weights.mean(axis=1)
        ),
        "This is the logarithm of the sum: divide by the number of draws.": scipy.special.logsumexp(
            log_weights, axis=1
        ),
        "The largest that was subtracted must be added back.": right - log_weights.max(axis=1),
        "This is the largest log weight; the others count too.": log_weights.max(axis=1),
        "One number for each picture is asked for: go along its draws, not down the pictures.": scipy.special.logsumexp(
            log_weights, axis=0, b=1 / len(log_weights)
        ),
        "Keep the pictures apart: one bound for each.": right.mean(),
        "Keep the pictures apart: their draws are not to be mixed.": scipy.special.logsumexp(
            log_weights, b=1 / log_weights.size
        ),
        "This is the mean weight: its logarithm is asked for.": np.exp(right),
    }


@exercise("E7.5")
def e7_5(attempt: Attempt) -> None:
    """`spherical_path(start, end, steps)`: compared with rotations in the plane of the two vectors."""
    rng = np.random.default_rng(5)
    cases = [(np.array([1.0, 0.0]), np.array([0.0, 1.0]), 3), (np.array([2.0, 0.0]), np.array([0.0, 2.0]), 4)]
    for size, steps in [(2, 5), (16, 7), (64, 2), (5, 5)]:
        start, end = rng.normal(size=(2, size))
        cases.append((start, end * np.linalg.norm(start) / np.linalg.norm(end), steps))
    errors = {ZeroDivisionError: _COSINE_FOR_ANGLE, ValueError: _NO_COSINE}  # where `math` raises and NumPy gives NaN
    for start, end, steps in cases:
        hint = "Every point should be as long as start, and the angle from start should grow in even steps."
        attempt.compare(
            (start, end, steps), _rotated(start, end, np.linspace(0, 1, steps)), hint,
            mistakes=_path_mistakes(start, end, steps), errors=errors, tolerance=1e-4,
        )  # fmt: skip


_COSINE_FOR_ANGLE = "omega is the angle, not its cosine: np.arccos gives it."
_NO_COSINE = "There is no angle whose cosine is outside -1 to 1: divide the dot product by both lengths before arccos."


def _rotated(start: np.ndarray, end: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """start turned towards end by shares of the angle between them, (len(shares), size)."""
    across = end - start * (start @ end) / (start @ start)
    across *= np.linalg.norm(start) / np.linalg.norm(across)
    angle = np.arctan2(end @ across, end @ start)
    return np.cos(shares * angle)[:, None] * start + np.sin(shares * angle)[:, None] * across


def _path_mistakes(start: np.ndarray, end: np.ndarray, steps: int) -> dict[str, Any]:
    shares = np.linspace(0, 1, steps)[:, None]
    path = _rotated(start, end, shares[:, 0])
    straight = (1 - shares) * start + shares * end
    length = np.linalg.norm(start)
    without_end = np.linspace(0, 1, steps, endpoint=False)
    lengths = np.linalg.norm(straight, axis=1, keepdims=True)
    cosine = start @ end / length**2

    def by_formula(angle: float) -> np.ndarray:
        return (np.sin((1 - shares) * angle) * start + np.sin(shares * angle) * end) / np.sin(angle)

    with np.errstate(all="ignore"):  # a cosine of 0 as the angle, and one beyond 1, give NaN
        wide, beyond = by_formula(np.arccos(np.clip(start @ end, -1, 1))), by_formula(np.arccos(start @ end))
        turned, undone = by_formula(np.degrees(np.arccos(cosine))), by_formula(cosine)
    return {
        "This is the straight line: half-way it is nearer to zero than both ends.": straight,
        "This has the right length but not even steps: the angle should grow evenly.": straight / lengths * length,
        "The path runs backwards: it should begin at start.": path[::-1],
        "The last point should be end itself.": _rotated(start, end, without_end),
        _COSINE_FOR_ANGLE: undone,
        _NO_COSINE: beyond,
        "The cosine of the angle is the dot product divided by both lengths.": wide,
        "NumPy's sin and cos take radians.": turned,
        "One point a row is asked for: (steps, size).": path.T,
    }
