"""Numbers that judge generated pictures, from arrays alone.

`real` and `generated` are features, (n, d) and (m, d), any floating type: one row a picture, as a feature network
describes it. They are computed in float64. None of these numbers means anything alone: it depends on the feature
network and on both counts, so compare it with the same number between two sets of real pictures (`metrics.Judge`).

All functions raise ValueError for arrays of another shape, of no rows, with NaN or infinity, or of differing d.
"""

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

_BLOCK_NUMBERS = 2**22  # numbers in a block of distances: 16 MiB of float32, 32 MiB of float64


def frechet_distance(real: np.ndarray, generated: np.ndarray) -> float:
    """The squared Frechet distance of the two normal distributions that have the means and covariances of the features.

    0 is best. It sees means and covariances only. Estimated from few samples it is too large, the more so the more
    features there are, even where both sets come from one distribution: compare at equal counts, with the floor.
    Raises ValueError as above and for fewer than 2 rows.
    Heusel, Ramsauer, Unterthiner, Nessler and Hochreiter, "GANs trained by a two time-scale update rule converge to a
    local Nash equilibrium", 2017, equation 6.
    """
    real, generated = _features(real, generated, at_least=2)
    return gaussian_frechet_distance(*_moments(real), *_moments(generated))


def gaussian_frechet_distance(mean_1, covariance_1, mean_2, covariance_2) -> float:
    """|m1 - m2|^2 + trace(C1 + C2 - 2 (C1 C2)^(1/2)) of two normal distributions with means (d,), covariances (d, d).

    The trace of the root is that of the symmetric matrix (R C2 R)^(1/2) with R = C1^(1/2), a sum of roots of
    eigenvalues, which rounding cannot make complex. Dowson and Landau, 1982.
    """
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
    real, generated = _features(real, generated, at_least=4 if subset_size is None else 2)
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
    return product * product * product


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
    if neighbours < 1:
        raise ValueError(f"neighbours must be 1 or more, got {neighbours}")
    real, generated = _features(real, generated, at_least=neighbours + 1)
    centre = real.mean(axis=0)  # distances stay, rounding shrinks
    real, generated = real - centre, generated - centre
    real_reach, generated_reach = _reach(real, neighbours), _reach(generated, neighbours)
    balls = np.zeros(len(generated), dtype=np.int64)  # real neighbourhoods that hold each generated row
    recalled, covered = [], []
    for rows, squared in _squared_distances(real, generated):
        inside = squared <= real_reach[rows, np.newaxis]
        balls += inside.sum(axis=0)
        covered.append(inside.any(axis=1))
        recalled.append((squared <= generated_reach).any(axis=1))
    recall, coverage = np.concatenate(recalled).mean(), np.concatenate(covered).mean()
    return NeighbourhoodScores(
        float((balls > 0).mean()), float(recall), float(balls.mean() / neighbours), float(coverage)
    )


def _reach(rows: np.ndarray, neighbours: int) -> np.ndarray:
    """The squared distance of each row to its `neighbours`-th nearest other row: (n,)."""
    reach = []
    for block, squared in _squared_distances(rows, rows):
        squared[np.arange(len(squared)), np.arange(block.start, block.stop)] = np.inf
        reach.append(np.partition(squared, neighbours - 1, axis=1)[:, neighbours - 1])
    return np.concatenate(reach)


def _squared_distances(x: np.ndarray, y: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """|x|^2 + |y|^2 - 2 x.y for some rows of x against all of y at a time: (rows, their squared distances)."""
    x_lengths, y_lengths = (np.einsum("nd,nd->n", rows, rows) for rows in (x, y))
    step = max(1, _BLOCK_NUMBERS // len(y))
    for start in range(0, len(x), step):
        rows = slice(start, min(start + step, len(x)))
        squared = x[rows] @ y.T
        squared *= -2
        squared += x_lengths[rows, np.newaxis]
        squared += y_lengths
        yield rows, np.maximum(squared, 0, out=squared)


def nearest_neighbours(images: np.ndarray, training_images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The training picture next to each picture, in pixels: (distances, indices), float32 (n,) and int64 (n,).

    images: (n, ...), training_images: (m, ...), of equal picture shape. A distance is the Euclidean one over all pixel
    values. A generator that has learned pictures by heart makes samples that lie nearer to a training picture than
    unseen real pictures do (`training_distance`). 1,000 pictures against 55,000 of 28x28 take a second or two and
    little memory: products are taken in float32, some rows at a time. They place a squared distance to about 1e-6 of
    the largest (4e-4 of 500 on Fashion-MNIST), so of two training pictures that are equally near to that, either may be
    named; the distance to the one named is then taken anew, and right to float32.
    Raises ValueError as above, where the picture shapes differ and for pictures of integers.
    """
    images, training = np.asarray(images), np.asarray(training_images)
    if images.ndim < 2 or images.shape[1:] != training.shape[1:]:
        raise ValueError(f"expected images and training_images of one shape, got {images.shape} and {training.shape}")
    if not all(np.issubdtype(pictures.dtype, np.floating) for pictures in (images, training)):
        raise ValueError(f"expected float pictures, got {images.dtype} and {training.dtype}: divide 0-255 by 255")
    flat = [pictures.reshape(len(pictures), math.prod(pictures.shape[1:])) for pictures in (images, training)]
    images, training = _features(*flat, dtype=np.float32)
    indices = [squared.argmin(axis=1) for _, squared in _squared_distances(images, training)]
    indices = np.concatenate(indices).astype(np.int64)
    return np.linalg.norm(images - training[indices], axis=1), indices


def class_counts(probabilities: np.ndarray) -> np.ndarray:
    """How many rows have each class as their most probable one: int64 (classes,). probabilities: (n, classes)."""
    (probabilities,) = _features(probabilities)
    return np.bincount(probabilities.argmax(axis=1), minlength=probabilities.shape[1])


def effective_classes(probabilities: np.ndarray) -> float:
    """exp of the entropy of the shares that the predicted classes have: 1 where all rows are of one class, and the
    number of classes where all are equally frequent. probabilities: (n, classes); logits do as well.

    It does not see what a picture looks like, only what the classifier takes it for.
    """
    shares = class_counts(probabilities) / len(probabilities)
    shares = shares[shares > 0]
    return float(np.exp(-(shares * np.log(shares)).sum()))


def pairwise_diversity(features: np.ndarray, *, pairs: int = 20_000, seed: int = 0) -> float:
    """The mean Euclidean distance of two different rows, over random pairs. features: (n, d).

    Compare it with that of real pictures: less means repetition, more may be noise.
    Raises ValueError as above, for fewer than 2 rows and for fewer than 1 pair.
    """
    (features,) = _features(features, at_least=2)
    if pairs < 1:
        raise ValueError(f"pairs must be 1 or more, got {pairs}")
    random = np.random.default_rng(seed)
    first = random.integers(len(features), size=pairs)
    second = (first + random.integers(1, len(features), size=pairs)) % len(features)
    return float(np.linalg.norm(features[first] - features[second], axis=1).mean())


def _moments(features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean (d,) and covariance (d, d), the unbiased one."""
    mean = features.mean(axis=0)
    centred = features - mean
    return mean, centred.T @ centred / (len(features) - 1)


def _features(*arrays: np.ndarray, at_least: int = 1, dtype=np.float64) -> list[np.ndarray]:
    """The arrays as (n, d) of `dtype`, once they are found to be sound and of one d."""
    arrays = [np.asarray(array, dtype=dtype) for array in arrays]
    for array in arrays:
        if array.ndim != 2 or array.shape[1] == 0:
            raise ValueError(f"expected an array (n, d), one row a picture, got shape {array.shape}")
        if len(array) < at_least:
            raise ValueError(f"expected {at_least} rows or more, got {len(array)}: give more pictures")
        if not np.isfinite(array).all():
            bad = (~np.isfinite(array)).any(axis=1).sum()
            raise ValueError(f"{bad} of {len(array)} rows hold NaN or infinity: look at the pictures they come from")
    if len({array.shape[1] for array in arrays}) > 1:
        shapes = " and ".join(str(array.shape) for array in arrays)
        raise ValueError(f"expected rows of equal length, got {shapes}: take both from one feature network")
    return arrays
