"""Right and wrong answers to the exercises of lesson 08."""

import math

import keras
import numpy as np
import scipy.special
import scipy.stats
import tensorflow as tf


def _optimal(p, q):
    total = p + q
    return np.where(total > 0, p / np.where(total > 0, total, 1), 0.5)


def _optimal_by_loops(p, q):
    shares = [0.5 if a + b == 0 else a / (a + b) for a, b in zip(p.flat, q.flat, strict=True)]
    return np.array(shares, np.float32).reshape(p.shape)


def _optimal_filled(p, q):
    shares = np.full(p.shape, 0.5)
    return np.divide(p, p + q, out=shares, where=(p + q) > 0)


def _optimal_division_loops(p, q):
    return np.reshape([float(a) / (float(a) + float(b)) for a, b in zip(p.flat, q.flat, strict=True)], p.shape)


def _ratio(p, q):
    with np.errstate(divide="ignore"):
        return p / q


def _log_ratio(p, q):
    with np.errstate(divide="ignore"):
        return np.log(p) - np.log(q)


def _non_saturating(logits):
    return np.mean(np.logaddexp(0, -logits))


def _non_saturating_by_loops(logits):
    losses = [math.log1p(math.exp(-abs(logit))) + max(-logit, 0) for logit in logits.ravel().tolist()]
    return np.float32(sum(losses) / len(losses))


def _non_saturating_by_keras(logits):
    return keras.ops.mean(keras.ops.softplus(-logits))


def _non_saturating_by_cross_entropy(logits):
    return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(tf.ones_like(logits), logits)).numpy()


def _non_saturating_rounding(logits):
    return -np.mean(np.log(scipy.special.expit(logits)))


def _non_saturating_by_math(logits):
    return sum(math.log(1 + math.exp(-logit)) for logit in logits.ravel().tolist()) / logits.size


def _non_saturating_flipped_overflow(logits):
    return np.mean(np.log(1 + np.exp(logits)) - logits)


def _non_saturating_shifted_overflow(logits):
    logits = np.where(logits < -500, np.logaddexp(0, -logits), np.log1p(np.exp(logits)) - logits)
    return np.mean(np.where(np.isnan(logits), np.nan, logits))


def _hinge(real, fake):
    return np.maximum(0, 1 - real).mean() + np.maximum(0, 1 + fake).mean()


def _hinge_by_loops(real, fake):
    costs = [max(0, 1 - float(logit)) for logit in real.flat], [max(0, 1 + float(logit)) for logit in fake.flat]
    return sum(sum(cost) / len(cost) for cost in costs)


def _hinge_by_keras(real, fake):
    return keras.ops.mean(keras.ops.relu(1 - real)) + keras.ops.mean(keras.ops.relu(1 + fake))


def _hinge_by_where(real, fake):
    return np.float32(np.where(real < 1, 1 - real, 0).mean() + np.where(fake > -1, 1 + fake, 0).mean())


def _penalty(score=None, place=None, watch=True, axes=None):
    """A gradient penalty with its parts exchangeable; `score` is of the gradients (n, pixels)."""
    score = score or (lambda slopes: tf.reduce_mean((tf.sqrt(tf.reduce_sum(slopes**2, axis=1) + 1e-12) - 1) ** 2))
    place = place or (lambda real, fake, mix: mix * real + (1 - mix) * fake)

    def gradient_penalty(discriminator, real, fake, mix):
        points = place(real, fake, mix)
        with tf.GradientTape() as tape:
            if watch:
                tape.watch(points)
            logits = discriminator(points)
        slopes = tape.gradient(logits, points)
        return score(tf.reshape(slopes, (slopes.shape[0], -1)))

    return gradient_penalty


def _penalty_by_loops(discriminator, real, fake, mix):
    total = 0.0
    for one, other, share in zip(real, fake, mix, strict=True):
        point = (share * one + (1 - share) * other)[None]
        with tf.GradientTape() as tape:
            tape.watch(point)
            logit = discriminator(point)
        total += (tf.sqrt(tf.reduce_sum(tape.gradient(logit, point) ** 2) + 1e-16) - 1) ** 2
    return total / len(real)


def _penalty_by_sums(discriminator, real, fake, mix):
    points = tf.convert_to_tensor(fake + mix * (real - fake))
    with tf.GradientTape() as tape:
        tape.watch(points)
        score = tf.reduce_sum(discriminator(points))
    squares = keras.ops.sum(keras.ops.reshape(tape.gradient(score, points), (len(points), -1)) ** 2, axis=1)
    return keras.ops.mean((keras.ops.sqrt(keras.ops.maximum(squares, 1e-12)) - 1) ** 2)


def _penalty_in_numpy(discriminator, real, fake, mix):
    points = tf.convert_to_tensor(fake + mix * (real - fake))
    with tf.GradientTape() as tape:
        tape.watch(points)
        score = tf.reduce_sum(discriminator(points))
    squares = tape.gradient(score, points).numpy().astype(np.float64) ** 2
    return np.mean((squares.sum(axis=tuple(range(1, squares.ndim))) ** 0.5 - 1) ** 2)


def _penalty_of_mean_logits(discriminator, real, fake, mix):
    points = mix * real + (1 - mix) * fake
    with tf.GradientTape() as tape:
        tape.watch(points)
        logit = tf.reduce_mean(discriminator(points))
    slopes = tf.reshape(tape.gradient(logit, points), (len(real), -1))
    return tf.reduce_mean((tf.sqrt(tf.reduce_sum(slopes**2, axis=1) + 1e-12) - 1) ** 2)


def _penalty_watched_too_late(discriminator, real, fake, mix):
    points = mix * real + (1 - mix) * fake
    with tf.GradientTape() as tape:
        logits = discriminator(points)
        tape.watch(points)
    return tf.reduce_mean((tf.norm(tf.reshape(tape.gradient(logits, points), (len(real), -1)), axis=1) - 1) ** 2)


def _effective(labels, classes):
    shares = np.bincount(labels, minlength=classes) / len(labels)
    return np.exp(-np.sum(shares[shares > 0] * np.log(shares[shares > 0])))


def _effective_by_loops(labels, classes):
    labels, product = labels.tolist(), 1.0
    for kind in range(classes):
        share = labels.count(kind) / len(labels)
        product *= share**-share if share else 1
    return product


def _effective_by_scipy(labels, classes):
    return np.float32(np.exp(scipy.stats.entropy(np.unique(labels, return_counts=True)[1])))


def _effective_base_two(labels, classes):
    shares = np.unique(labels, return_counts=True)[1] / len(labels)
    return 2 ** -np.sum(shares * np.log2(shares))


def _effective_nan(labels, classes):
    shares = np.bincount(labels, minlength=classes) / len(labels)
    return np.exp(-np.sum(shares * np.log(shares)))


def _effective_math(labels, classes):
    shares = np.bincount(labels, minlength=classes) / len(labels)
    return math.exp(-sum(share * math.log(float(share)) for share in shares))


def _effective_mixed(labels, classes):
    shares = np.unique(labels, return_counts=True)[1] / len(labels)
    return np.exp(-np.sum(shares * np.log2(shares)))


def _power(matrix, vector, steps):
    for _ in range(steps):
        left = matrix @ vector
        left = left / np.linalg.norm(left)
        vector = matrix.T @ left
        vector = vector / np.linalg.norm(vector)
    return left @ matrix @ vector


def _power_by_length(matrix, vector, steps):
    vector = vector.astype(np.float64)
    for _ in range(steps):
        vector = matrix.T @ (matrix @ (vector / np.linalg.norm(vector)))
    return np.sqrt(np.linalg.norm(vector))


def _power_by_loops(matrix, vector, steps):
    vector = vector.tolist()
    for _ in range(steps):
        size = math.sqrt(sum(v * v for v in vector))
        vector = [v / size for v in vector]
        left = [sum(m * v for m, v in zip(row, vector, strict=True)) for row in matrix.tolist()]
        size = math.sqrt(sum(u * u for u in left))
        vector = [sum(row[k] * u for row, u in zip(matrix.tolist(), left, strict=True)) for k in range(len(vector))]
    return np.float32(size)


def _power_squared(matrix, vector, steps):
    return _power(matrix, vector, steps) ** 2


def _power_without_lengths(matrix, vector, steps):
    for _ in range(steps):
        vector = matrix.T @ (matrix @ vector)
    return np.linalg.norm(matrix @ vector) / np.linalg.norm(vector)


def _power_of_eigenvalues(matrix, vector, steps):
    if matrix.shape[0] != matrix.shape[1]:
        return _power(matrix, vector, steps)
    for _ in range(steps):
        vector = matrix @ vector
        vector = vector / np.linalg.norm(vector)
    return np.linalg.norm(matrix @ vector)


def _power_without_transpose(matrix, vector, steps):
    for _ in range(steps):
        vector = matrix @ vector
        vector = vector / np.linalg.norm(vector)
    return np.linalg.norm(matrix @ vector) if matrix.shape[1] != 2 else _power(matrix, vector, steps)


def _power_transpose_first(matrix, vector, steps):
    for _ in range(steps):
        vector = matrix @ (matrix.T @ vector)
        vector = vector / np.linalg.norm(vector)
    return np.linalg.norm(matrix.T @ vector)


def _power_normalised_before_measuring(matrix, vector, steps):
    _power(matrix, vector, steps)
    return np.linalg.norm(vector / np.linalg.norm(vector))


_RIGHT = {
    "A": "real images",
    "B": "collapse",
    "C": "learning rate",
    "D": "tanh",
    "E": "saturated",
    "F": "dropout",
}


def _diagnosis(**changed):
    return lambda: {**_RIGHT, **changed}


def _swapped(first, second):
    return _diagnosis(**{first: _RIGHT[second], second: _RIGHT[first]})


ACCEPTED = {
    "e8_1": [_optimal, _optimal_by_loops, _optimal_filled],
    "e8_2": [
        _non_saturating,
        _non_saturating_by_loops,
        _non_saturating_by_keras,
        _non_saturating_by_cross_entropy,
    ],
    "e8_3": [_hinge, _hinge_by_loops, _hinge_by_keras, _hinge_by_where],
    "e8_4": [_penalty(), _penalty_by_loops, _penalty_by_sums],
    "e8_5": [_power, _power_by_length, _power_by_loops],
    "e8_6": [_effective, _effective_by_loops, _effective_by_scipy, _effective_base_two],
    "e8_7": [
        _diagnosis(),
        lambda: dict(sorted(_RIGHT.items(), reverse=True)),
        lambda: dict(zip(*_columns(), strict=True)),
    ],
}


def _columns():
    return list(_RIGHT), [str(name) for name in _RIGHT.values()]


REJECTED = {
    "e8_1": [
        (lambda p, q: 1 - _optimal(p, q), "the probability of fake"),
        (_ratio, "can be larger than 1"),
        (_log_ratio, "the logit of the best discriminator"),
        (lambda p, q: 2 * _optimal(p, q), "divide by the sum itself"),
        (lambda p, q: (p > q) * 1.0, "all or nothing"),
        (lambda p, q: p / (p + q).sum(), "at that point"),
        (lambda p, q: scipy.special.expit(p - q), "no exponential is needed"),
        (lambda p, q: p / (p + q), "one half"),
        (_optimal_division_loops, "one half"),
        (lambda p, q: p / (p + q + 1e-12), "one half"),
    ],
    "e8_2": [
        (lambda logits: -np.logaddexp(0, logits).mean(), "minimax loss, which saturates"),
        (lambda logits: np.logaddexp(0, logits).mean(), "the discriminator's loss on them"),
        (lambda logits: -_non_saturating(logits), "wrong way round"),
        (lambda logits: np.logaddexp(0, -logits).sum(), "is their mean"),
        (lambda logits: np.logaddexp(0, -logits), "One number is wanted"),
        (lambda logits: -logits.mean(), "hinge loss of the generator"),
        (lambda logits: -np.log(scipy.special.expit(logits).mean()), "not the mean of the logarithms"),
        (lambda logits: 1 - scipy.special.expit(logits).mean(), "without its logarithm"),
        (_non_saturating_rounding, "rounded to 0 gives infinity"),
        (_non_saturating_by_math, "rounded to 0 gives infinity"),
        (_non_saturating_flipped_overflow, "exponential of a large number"),
        (_non_saturating_shifted_overflow, "exponential of a large number"),
    ],
    "e8_3": [
        (lambda real, fake: _hinge(fake, real), "exchanged"),
        (lambda real, fake: (1 - real).mean() + (1 + fake).mean(), "goes on counting"),
        (lambda real, fake: max(0, 1 - real.mean()) + max(0, 1 + fake.mean()), "before the mean"),
        (lambda real, fake: np.maximum(0, -real).mean() + np.maximum(0, fake).mean(), "margin is missing"),
        (lambda real, fake: np.logaddexp(0, -real).mean() + np.logaddexp(0, fake).mean(), "never quite 0"),
        (lambda real, fake: _hinge(real, fake) / 2, "half of it"),
        (lambda real, fake: _hinge(real, fake) * len(real), "These are sums"),
        (lambda real, fake: np.maximum(0, 1 - real).mean(), "fakes are missing"),
        (lambda real, fake: np.maximum(0, 1 + fake).mean(), "real ones are missing"),
        (lambda real, fake: -fake.mean(), "generator's hinge loss"),
        (lambda real, fake: np.mean(np.maximum(0, 1 - real) + np.maximum(0, 1 + fake)), "take each mean by itself"),
    ],
    "e8_4": [
        (_penalty(lambda slopes: tf.reduce_mean(tf.reduce_sum(slopes**2, axis=1))), "This is R1"),
        (_penalty(lambda slopes: tf.reduce_mean((tf.reduce_sum(slopes**2, axis=1) - 1) ** 2)), "square root"),
        (_penalty(lambda slopes: tf.reduce_mean(tf.abs(tf.norm(slopes, axis=1) - 1))), "distance from 1 is squared"),
        (_penalty(lambda slopes: (tf.norm(slopes) - 1) ** 2), "not over the whole batch"),
        (_penalty(lambda slopes: tf.reduce_mean((tf.abs(slopes) - 1) ** 2)), "each pixel's slope by itself"),
        (_penalty(lambda slopes: tf.reduce_sum((tf.norm(slopes, axis=1) - 1) ** 2)), "is their mean"),
        (_penalty(lambda slopes: (tf.norm(slopes, axis=1) - 1) ** 2), "One number is wanted"),
        (_penalty(lambda slopes: tf.reduce_mean(tf.norm(slopes, axis=1))), "how far is it from 1"),
        (_penalty(place=lambda real, fake, mix: mix * fake + (1 - mix) * real), "share of the real picture"),
        (_penalty(place=lambda real, fake, mix: tf.identity(real)), "at the real pictures"),
        (_penalty(place=lambda real, fake, mix: tf.identity(fake)), "at the fakes"),
        (_penalty(lambda slopes: tf.reduce_mean((tf.sqrt(tf.reduce_mean(slopes**2, axis=1)) - 1) ** 2)), "reduce_sum"),
        (_penalty_of_mean_logits, "leave the logits"),
        (_penalty(lambda slopes: tf.reduce_mean(tf.nn.relu(tf.norm(slopes, axis=1) - 1) ** 2)), "one-sided"),
        (_penalty(lambda slopes: tf.reduce_mean((tf.norm(slopes, axis=1) - 1) ** 2)), "epsilon under the root"),
        (_penalty(lambda slopes: tf.reduce_mean((tf.sqrt(tf.reduce_sum(slopes**2, 1)) - 1) ** 2)), "epsilon under"),
        (_penalty_in_numpy, "stay in tensors"),
        (_penalty(watch=False), "come back as None"),
        (_penalty_watched_too_late, "come back as None"),
    ],
    "e8_5": [
        (lambda matrix, vector, steps: np.linalg.svd(matrix)[1][0], "without a decomposition"),
        (lambda matrix, vector, steps: np.linalg.norm(matrix, 2), "without a decomposition"),
        (lambda matrix, vector, steps: np.sqrt(np.linalg.eigvalsh(matrix.T @ matrix)[-1]), "without a decomposition"),
        (lambda matrix, vector, steps: _power(matrix, np.ones(matrix.shape[1]), 100), "whatever the vector"),
        (_power_squared, "there and back"),
        (lambda *arguments: ((1, 2), _power(*arguments)), "an array of numbers"),
        (lambda matrix, vector, steps: np.linalg.norm(matrix), "Frobenius norm"),
        (lambda matrix, vector, steps: np.linalg.svd(matrix)[1][-1], "smallest singular value"),
        (_power_without_lengths, "until the computer cannot hold it"),
        (_power_of_eigenvalues, "goes after eigenvalues"),
        (_power_without_transpose, "takes a vector of its columns"),
        (_power_transpose_first, "takes a vector of its columns"),
        (lambda matrix, vector, steps: np.sqrt(_power(matrix, vector, steps)), "the root of the singular value"),
        (
            lambda matrix, vector, steps: np.linalg.norm(matrix @ vector) / np.linalg.norm(vector),
            "turn the vector first",
        ),
        (_power_normalised_before_measuring, "did you normalise before measuring"),
    ],
    "e8_6": [
        (lambda labels, classes: np.log(_effective(labels, classes)), "its exponential is a number of classes"),
        (lambda labels, classes: 1 / _effective(labels, classes), "wrong way round"),
        (_effective_mixed, "same base"),
        (lambda labels, classes: len(set(labels.tolist())), "how evenly"),
        (lambda labels, classes: 1 / np.sum((np.bincount(labels) / len(labels)) ** 2), "another measure"),
        (lambda labels, classes: _effective(labels, classes) / classes, "share of the classes"),
        (lambda labels, classes: {"classes": _effective(labels, classes)}, "an array of numbers"),
        (_effective_nan, "adds nothing"),
        (_effective_math, "adds nothing"),
    ],
    "e8_7": [
        (_swapped("A", "B"), "go on changing"),
        (_swapped("A", "E"), "first samples differ from its last"),
        (_swapped("B", "E"), "how many different pictures"),
        (_swapped("C", "E"), "how far do its losses jump"),
        (_swapped("D", "F"), "how dark are the darkest places"),
        (_swapped("E", "F"), "real ranked above fake"),
        (_diagnosis(B="dropout"), "Which one of B and F"),
        (_diagnosis(B="mode collapse"), "An illness is one of"),
        (lambda: {"A": "collapse"}, "one illness for each of the runs"),
        (lambda: list(_RIGHT.values()), "one illness for each of the runs"),
        (_RIGHT, "without calling it"),
    ],
}
