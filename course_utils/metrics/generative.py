"""Numbers that judge generated pictures, from arrays alone.

`real` and `generated` are features, (n, d) and (m, d), any floating type: one row a picture, as a feature network
describes it. They are computed in float64. None of these numbers means anything alone: it depends on the feature
network and on both counts, so compare it with the same number between two sets of real pictures (`metrics.Judge`).

All functions raise ValueError for arrays of another shape, of no rows, with NaN or infinity, or of differing d.
"""

import math
from typing import NamedTuple

import numpy as np
import scipy.stats
from sklearn.metrics import pairwise_distances_argmin, pairwise_distances_chunked
from sklearn.neighbors import NearestNeighbors

from course_utils.metrics.arrays import check_finite

_WORKING_MEMORY = 32  # MiB of distances at a time


def frechet_distance(real: np.ndarray, generated: np.ndarray) -> float:
    """The squared Frechet distance of the two normal distributions that have the means and covariances of the features.

    0 is best. It sees means and covariances only. Estimated from few samples it is too large, the more so the more
    features there are, even where both sets come from one distribution: compare at equal counts, with the floor.
    Raises ValueError as above and for fewer than 2 rows.
    Heusel, Ramsauer, Unterthiner, Nessler and Hochreiter, "GANs trained by a two time-scale update rule converge to a
    local Nash equilibrium", 2017, equation 6.
    """
    real, generated = _features(real=real, generated=generated, at_least=2)
    return gaussian_frechet_distance(*_moments(real), *_moments(generated))


def gaussian_frechet_distance(mean_1, covariance_1, mean_2, covariance_2) -> float:
    """|m1 - m2|^2 + trace(C1 + C2 - 2 (C1 C2)^(1/2)) of two normal distributions with means (d,), covariances (d, d).

    The trace of the root is that of the symmetric matrix (R C2 R)^(1/2) with R = C1^(1/2), a sum of roots of
    eigenvalues, which rounding cannot make complex. Dowson and Landau, 1982.
    Raises ValueError for other shapes and for NaN or infinity.
    """
    moments = {"mean_1": mean_1, "covariance_1": covariance_1, "mean_2": mean_2, "covariance_2": covariance_2}
    moments = {name: np.asarray(array, dtype=np.float64) for name, array in moments.items()}
    mean_1, covariance_1, mean_2, covariance_2 = moments.values()
    shapes = [array.shape for array in moments.values()]
    if mean_1.ndim != 1 or shapes != 2 * [mean_1.shape, 2 * mean_1.shape]:
        raise ValueError(f"expected two means (d,), each with its covariance (d, d), got {', '.join(map(str, shapes))}")
    for name, array in moments.items():
        check_finite(array, name)
    values, vectors = np.linalg.eigh(covariance_1)
    root = (vectors * np.sqrt(np.clip(values, 0, None))) @ vectors.T
    values = np.linalg.eigvalsh(root @ covariance_2 @ root)
    trace_of_root = np.sqrt(np.clip(values, 0, None)).sum()
    distance = np.sum((mean_1 - mean_2) ** 2) + np.trace(covariance_1) + np.trace(covariance_2) - 2 * trace_of_root
    return float(max(distance, 0.0))


def kernel_distance(
    real: np.ndarray,
    generated: np.ndarray,
    *,
    subsets: int = 50,
    subset_size: int | None = None,
    seed: int = 0,
) -> tuple[float, float]:
    """The squared maximum mean discrepancy under the kernel k(x, y) = (x.y / d + 1)^3: mean and spread over subsets.

    Each subset draws `subset_size` rows of either set without repetition (by default 1,000, or half of the smaller set
    where that is less). The estimate has no bias: between two sets of one distribution it is 0 on average, at any
    count, and may be negative. The spread is the standard deviation over the subsets; their mean is somewhat surer.
    Raises ValueError as above, for fewer than 1 subset and for subsets of less than 2 rows or more than there are.
    Binkowski, Sutherland, Arbel and Gretton, "Demystifying MMD GANs", 2018; the estimate: Gretton et al., 2012, eq. 3.
    """
    real, generated = _features(real=real, generated=generated, at_least=4 if subset_size is None else 2)
    fewest = min(len(real), len(generated))
    size = min(1000, fewest // 2) if subset_size is None else subset_size
    if not 2 <= size <= fewest:
        raise ValueError(f"subset_size must be from 2 to {fewest}, the rows of the smaller set, got {size}")
    if subsets < 1:
        raise ValueError(f"subsets must be 1 or more, got {subsets}")
    random = np.random.default_rng(seed)
    draws = [[random.choice(len(rows), size, replace=False) for rows in (real, generated)] for _ in range(subsets)]
    estimates = [_unbiased_discrepancy(real[first], generated[second]) for first, second in draws]
    return float(np.mean(estimates)), float(np.std(estimates))


def _unbiased_discrepancy(x: np.ndarray, y: np.ndarray) -> float:
    """Mean k(x, x') + mean k(y, y') - 2 mean k(x, y), no row being paired with itself; x and y: (n, d)."""
    pairs = len(x) * (len(x) - 1)
    within = sum((kernel.sum() - np.trace(kernel)) / pairs for kernel in (_cubic_kernel(x, x), _cubic_kernel(y, y)))
    return within - 2 * _cubic_kernel(x, y).mean()


def _cubic_kernel(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    product = x @ y.T / x.shape[1] + 1
    return product * product * product  # scikit-learn's polynomial_kernel takes a power, three times as long


class NeighbourhoodScores(NamedTuple):
    """What `neighbourhood_scores` finds; each but `density` lies in [0, 1], and 1 is best, about 1 for density."""

    precision: float  # share of generated rows that lie in the neighbourhood of a real one: quality
    recall: float  # share of real rows that lie in the neighbourhood of a generated one: variety
    density: float  # real neighbourhoods that a generated row lies in, on average, per neighbour: quality
    coverage: float  # share of real neighbourhoods that hold a generated row: variety


def neighbourhood_scores(real: np.ndarray, generated: np.ndarray, neighbours: int = 5) -> NeighbourhoodScores:
    """Precision, recall, density and coverage, from the distances to the nearest neighbours.

    The neighbourhood of a row is the ball that reaches to its `neighbours`-th nearest row of its own set, not counting
    itself. One outlier has a huge neighbourhood, which flatters precision and recall; density and coverage only draw
    balls about real rows and count them, so they suffer less.
    Raises ValueError as above and where a set has no more than `neighbours` rows.
    Kynkäänniemi, Karras, Laine, Lehtinen and Aila, "Improved precision and recall metric for assessing generative
    models", 2019; Naeem, Oh, Uh, Choi and Yoo, "Reliable fidelity and diversity metrics for generative models", 2020.
    """
    return Neighbourhoods(real, neighbours).scores(generated)


class Neighbourhoods:
    """The neighbourhoods of real rows, found once for the scores of many generated sets: `neighbourhood_scores`."""

    def __init__(self, real: np.ndarray, neighbours: int = 5):
        if neighbours < 1:
            raise ValueError(f"neighbours must be 1 or more, got {neighbours}")
        (real,) = _features(real=real, at_least=neighbours + 1)
        self.neighbours = neighbours
        self._centre = real.mean(axis=0)  # without it distances stay, rounding shrinks
        self._rows = real - self._centre
        self._reach = _squared_reach(self._rows, neighbours)

    def scores(self, generated: np.ndarray) -> NeighbourhoodScores:
        """The scores of one generated set, (m, d); errors as in `neighbourhood_scores`."""
        real, generated = _features(real=self._rows, generated=generated, at_least=self.neighbours + 1)
        generated = generated - self._centre
        generated_reach = _squared_reach(generated, self.neighbours)
        balls = np.zeros(len(generated), dtype=np.int64)  # real neighbourhoods that hold each generated row

        def covered_and_recalled(squared: np.ndarray, start: int) -> tuple[np.ndarray, np.ndarray]:
            inside = squared <= self._reach[start : start + len(squared), np.newaxis]
            np.add(balls, inside.sum(axis=0), out=balls)
            return inside.any(axis=1), (squared <= generated_reach).any(axis=1)

        parts = pairwise_distances_chunked(
            real, generated, reduce_func=covered_and_recalled, working_memory=_WORKING_MEMORY, squared=True
        )
        covered, recalled = (np.concatenate(shares) for shares in zip(*parts, strict=True))
        return NeighbourhoodScores(
            precision=float((balls > 0).mean()),
            recall=float(recalled.mean()),
            density=float(balls.mean() / self.neighbours),
            coverage=float(covered.mean()),
        )


def _squared_reach(rows: np.ndarray, neighbours: int) -> np.ndarray:
    """The squared distance of each row to its `neighbours`-th nearest other row: (n,).

    A hair more, so that a row at just this distance lies inside, however the two distances were rounded: sets that
    share rows, or repeat them, are full of such.
    """
    distances, _ = NearestNeighbors(n_neighbors=neighbours, algorithm="brute").fit(rows).kneighbors()
    hair = 1e-12 * np.einsum("nd,nd->n", rows, rows).max()  # |x|^2 + |y|^2 - 2 x.y is rounded to about d * 1e-16 of it
    return distances[:, -1] ** 2 + hair


def nearest_neighbours(images: np.ndarray, training_images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The training picture next to each picture, in pixels: (distances, indices), float32 (n,) and int64 (n,).

    images: (n, ...), training_images: (m, ...), of equal picture shape. A distance is the Euclidean one over all pixel
    values. A generator that has learned pictures by heart makes samples that lie nearer to a training picture than
    unseen real pictures do (`training_distance`). 1,000 pictures against 55,000 of 28x28 take two or three seconds
    and little memory. Of training pictures that are equally near, to rounding, any may be named.
    Raises ValueError as above, where the picture shapes differ and for pictures of integers.
    """
    images, training = np.asarray(images), np.asarray(training_images)
    if images.ndim < 2 or images.shape[1:] != training.shape[1:]:
        raise ValueError(f"expected images and training_images of one shape, got {images.shape} and {training.shape}")
    if not all(np.issubdtype(pictures.dtype, np.floating) for pictures in (images, training)):
        raise ValueError(f"expected float pictures, got {images.dtype} and {training.dtype}: divide 0-255 by 255")
    flat = [pictures.reshape(len(pictures), math.prod(pictures.shape[1:])) for pictures in (images, training)]
    images, training = _features(images=flat[0], training_images=flat[1], dtype=np.float32)
    indices = pairwise_distances_argmin(images, training).astype(np.int64)
    return np.linalg.norm(images - training[indices], axis=1), indices  # taken anew: that of a copy is 0


def class_counts(probabilities: np.ndarray) -> np.ndarray:
    """How many rows have each class as their most probable one: int64 (classes,). probabilities: (n, classes)."""
    (probabilities,) = _features(probabilities=probabilities)
    return np.bincount(probabilities.argmax(axis=1), minlength=probabilities.shape[1])


def effective_classes(probabilities: np.ndarray) -> float:
    """exp of the entropy of the shares that the predicted classes have: 1 where all rows are of one class, and the
    number of classes where all are equally frequent. probabilities: (n, classes); logits do as well.

    It does not see what a picture looks like, only what the classifier takes it for.
    """
    return float(np.exp(scipy.stats.entropy(class_counts(probabilities))))


def pairwise_diversity(features: np.ndarray, *, pairs: int = 20_000, seed: int = 0) -> float:
    """The mean Euclidean distance of two different rows, over random pairs. features: (n, d).

    Compare it with that of real pictures: less means repetition, more may be noise.
    Raises ValueError as above, for fewer than 2 rows and for fewer than 1 pair.
    """
    (features,) = _features(features=features, at_least=2)
    if pairs < 1:
        raise ValueError(f"pairs must be 1 or more, got {pairs}")
    random = np.random.default_rng(seed)
    first = random.integers(len(features), size=pairs)
    second = (first + random.integers(1, len(features), size=pairs)) % len(features)
    return float(np.linalg.norm(features[first] - features[second], axis=1).mean())


def _moments(features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean (d,) and covariance (d, d), the unbiased one."""
    return features.mean(axis=0), np.atleast_2d(np.cov(features, rowvar=False))


def _features(*, at_least: int = 1, dtype=np.float64, **arrays: np.ndarray) -> list[np.ndarray]:
    """The arrays as (n, d) of `dtype`, once they are found to be sound and of one d; messages call them by keyword."""
    arrays = {name: np.asarray(array, dtype=dtype) for name, array in arrays.items()}
    for name, array in arrays.items():
        if array.ndim != 2 or array.shape[1] == 0:
            raise ValueError(f"{name}: expected an array (n, d), one row a picture, got shape {array.shape}")
        if len(array) < at_least:
            raise ValueError(f"{name}: expected {at_least} rows or more, got {len(array)}: give more pictures")
        check_finite(array, name)
    if len({array.shape[1] for array in arrays.values()}) > 1:
        shapes = " and ".join(str(array.shape) for array in arrays.values())
        raise ValueError(f"expected rows of equal length, got {shapes}: take both from one feature network")
    return list(arrays.values())
