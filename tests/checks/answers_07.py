"""Right and wrong answers to the exercises of lesson 07."""

import math

import keras
import numpy as np
import scipy.special
import tensorflow as tf


def _kl(mean, log_variance):
    return 0.5 * np.sum(mean**2 + np.exp(log_variance) - 1 - log_variance, axis=1)


def _kl_by_loops(mean, log_variance):
    rows = []
    for m, v in zip(mean.tolist(), log_variance.tolist(), strict=True):
        rows.append(sum((a * a + math.exp(b) - 1 - b) / 2 for a, b in zip(m, v, strict=True)))
    return rows


def _kl_in_keras(mean, log_variance):
    return keras.ops.sum(mean**2 + keras.ops.exp(log_variance) - 1 - log_variance, axis=-1) / 2


def _kl_from_deviation(mean, log_variance):
    deviation = np.exp(log_variance / 2)
    return (-np.log(deviation) + (deviation**2 + mean**2) / 2 - 0.5).sum(axis=-1).astype(np.float32)


def _draw(mean, log_variance, noise):
    return mean + np.exp(log_variance / 2) * noise


def _draw_by_loops(mean, log_variance, noise):
    result = np.empty(mean.shape)
    for index in np.ndindex(mean.shape):
        result[index] = mean[index] + math.sqrt(math.exp(log_variance[index])) * noise[index]
    return result


def _draw_in_tensorflow(mean, log_variance, noise):
    return tf.add(mean, tf.sqrt(tf.exp(log_variance)) * noise)


def _draw_anew(mean, log_variance, noise):
    return mean + np.exp(log_variance / 2) * np.random.default_rng(0).normal(size=mean.shape)


def _nats(images, logits):
    return np.sum(np.logaddexp(0, logits) - images * logits, axis=(1, 2, 3)).mean()


def _nats_in_keras(images, logits):
    each = keras.ops.softplus(logits) - images * logits
    return keras.ops.mean(keras.ops.sum(each, axis=(1, 2, 3)))


def _nats_by_two_terms(images, logits):
    each = images * scipy.special.log_expit(logits) + (1 - images) * scipy.special.log_expit(-logits)
    return -each.sum() / len(images)


def _nats_from_keras_loss(images, logits):
    loss = keras.losses.BinaryCrossentropy(from_logits=True, reduction=None)(images, logits)
    return np.asarray(loss).reshape(len(images), -1).sum(axis=1).mean()


def _nats_overflowing(images, logits):
    with np.errstate(all="ignore"):
        return np.sum(np.log(1 + np.exp(logits)) - images * logits, axis=(1, 2, 3)).mean()


def _nats_with_rounded_probabilities(images, logits):
    p = np.clip(scipy.special.expit(logits), 1e-7, 1 - 1e-7)
    return -np.sum(images * np.log(p) + (1 - images) * np.log(1 - p), axis=(1, 2, 3)).mean()


def _nats_of_white_pixels(images, logits):
    return -np.sum(images * scipy.special.log_expit(logits), axis=(1, 2, 3)).mean()


def _nats_of_binary_pixels_only(images, logits):
    each = np.where(images > 0.5, scipy.special.log_expit(logits), scipy.special.log_expit(-logits))
    return -each.sum(axis=(1, 2, 3)).mean()


def _bound(log_weights):
    largest = log_weights.max(axis=1, keepdims=True)
    return largest[:, 0] + np.log(np.exp(log_weights - largest).mean(axis=1))


def _bound_in_keras(log_weights):
    return keras.ops.logsumexp(log_weights, axis=1) - math.log(log_weights.shape[1])


def _bound_by_loops(log_weights):
    rows = []
    for row in log_weights:
        rows.append(max(row) + math.log(sum(math.exp(w - max(row)) for w in row) / len(row)))
    return rows


def _bound_by_pairs(log_weights):
    return np.logaddexp.reduce(log_weights, axis=1) - np.log(log_weights.shape[1])


def _bound_vanishing(log_weights):
    with np.errstate(all="ignore"):
        return np.log(np.exp(log_weights).mean(axis=1))


def _bound_vanishing_loops(log_weights):
    return [math.log(sum(math.exp(w) for w in row) / len(row)) for row in log_weights]


def _bound_from_the_largest_of_all(log_weights):
    largest = log_weights.max()
    with np.errstate(all="ignore"):
        return largest + np.log(np.exp(log_weights - largest).mean(axis=1))


def _path(start, end, steps):
    angle = np.arccos(start @ end / np.linalg.norm(start) / np.linalg.norm(end))
    t = np.linspace(0, 1, steps)[:, None]
    return (np.sin((1 - t) * angle) * start + np.sin(t * angle) * end) / np.sin(angle)


def _path_by_loops(start, end, steps):
    angle = math.acos(sum(start * end) / math.sqrt(sum(start**2) * sum(end**2)))
    points = []
    for step in range(steps):
        t = step / (steps - 1)
        points.append((math.sin((1 - t) * angle) * start + math.sin(t * angle) * end) / math.sin(angle))
    return points


def _path_in_tensorflow(start, end, steps):
    start, end = tf.constant(start, tf.float64), tf.constant(end, tf.float64)
    angle = tf.acos(tf.tensordot(start, end, 1) / tf.norm(start) / tf.norm(end))
    t = tf.linspace(tf.constant(0, tf.float64), 1, steps)[:, None]
    return (tf.sin((1 - t) * angle) * start + tf.sin(t * angle) * end) / tf.sin(angle)


def _straight(start, end, steps):
    t = np.linspace(0, 1, steps)[:, None]
    return (1 - t) * start + t * end


def _stretched(start, end, steps):
    straight = _straight(start, end, steps)
    return straight / np.linalg.norm(straight, axis=1, keepdims=True) * np.linalg.norm(start)


def _path_in_degrees(start, end, steps):
    angle = np.degrees(np.arccos(start @ end / np.linalg.norm(start) / np.linalg.norm(end)))
    t = np.linspace(0, 1, steps)[:, None]
    return (np.sin((1 - t) * angle) * start + np.sin(t * angle) * end) / np.sin(angle)


def _path_from_angle(start, end, steps, angle):
    t = np.linspace(0, 1, steps)[:, None]
    with np.errstate(all="ignore"):
        return (np.sin((1 - t) * angle) * start + np.sin(t * angle) * end) / np.sin(angle)


def _path_by_cosine(start, end, steps):
    return _path_from_angle(start, end, steps, start @ end / np.linalg.norm(start) / np.linalg.norm(end))


def _path_by_cosine_in_loops(start, end, steps):
    cosine = sum(start * end) / math.sqrt(sum(start**2) * sum(end**2))
    points = []
    for t in np.linspace(0, 1, steps):
        points.append(math.sin((1 - t) * cosine) / math.sin(cosine) * start + math.sin(t * cosine) * end)
    return points


def _path_without_lengths(start, end, steps):
    with np.errstate(all="ignore"):
        return _path_from_angle(start, end, steps, np.arccos(start @ end))


def _path_without_lengths_in_math(start, end, steps):
    return _path_from_angle(start, end, steps, math.acos(start @ end))


def _path_clipped(start, end, steps):
    return _path_from_angle(start, end, steps, np.arccos(np.clip(start @ end, -1, 1)))


def _path_without_its_end(start, end, steps):
    return _path(start, end, steps + 1)[:-1]


ACCEPTED = {
    "e7_1": [_kl, _kl_by_loops, _kl_in_keras, _kl_from_deviation],
    "e7_2": [_draw, _draw_by_loops, _draw_in_tensorflow],
    "e7_3": [_nats, _nats_in_keras, _nats_by_two_terms, _nats_from_keras_loss],
    "e7_4": [_bound, _bound_in_keras, _bound_by_loops, _bound_by_pairs],
    "e7_5": [_path, _path_by_loops, _path_in_tensorflow],
}

REJECTED = {
    "e7_1": [
        (lambda m, v: 2 * _kl(m, v), "one half"),
        (lambda m, v: -_kl(m, v), "never below zero"),
        (lambda m, v: _kl(m, v) / m.shape[1], "summed, not averaged"),
        (lambda m, v: _kl(m, v).mean(), "Keep the pictures apart"),
        (lambda m, v: 0.5 * (m**2 + np.exp(v) - 1 - v), "One number for each picture"),
        (lambda m, v: 0.5 * (m**2 + np.exp(v) - 1 - v).sum(axis=0), "not down the batch"),
        (lambda m, v: 0.5 * (m**2 + np.exp(v / 2) - 1 - v).sum(axis=1), "standard deviation"),
        (lambda m, v: 0.5 * (m**2 - 1).sum(axis=1), "the variance is its exponential"),
        (lambda m, v: 0.5 * (m**2 + np.exp(v) - v).sum(axis=1), "What became of the -1"),
        (lambda m, v: 0.5 * (m**2 + np.exp(v) - 1 + v).sum(axis=1), "a narrow q costs more"),
        (lambda m, v: 0.5 * (m + np.exp(v) - 1 - v).sum(axis=1), "by its square"),
    ],
    "e7_2": [
        (lambda m, v, e: m + np.exp(v) * e, "multiplies by the variance"),
        (lambda m, v, e: m + v * e, "is a logarithm"),
        (lambda m, v, e: m + v / 2 * e, "one step is missing"),
        (lambda m, v, e: m, "plain autoencoder"),
        (lambda m, v, e: np.exp(v / 2) * e, "not yet moved"),
        (lambda m, v, e: m + e, "not stretched"),
        (lambda m, v, e: np.exp(v / 2) * (m + e), "not stretched with the noise"),
        (lambda m, v, e: m + np.sqrt(np.abs(v)) * e, "square root of a logarithm"),
        (_draw_anew, "Use the noise that is handed in"),
    ],
    "e7_3": [
        (lambda x, a: _nats(x, a) / x[0].size, "mean over the pixels"),
        (lambda x, a: _nats(x, a) * len(x), "take their mean"),
        (lambda x, a: -_nats(x, a), "wrong way round"),
        (lambda x, a: (np.logaddexp(0, a) - x * a).sum(axis=(1, 2, 3)), "One number for the batch"),
        (lambda x, a: _nats(x, a) / math.log(2), "in bits"),
        (lambda x, a: np.mean((x - scipy.special.expit(a)) ** 2), "squared error"),
        (_nats_overflowing, "Large logits"),
        (_nats_with_rounded_probabilities, "Large logits"),
        (_nats_of_white_pixels, "Black pixels count too"),
        (_nats_of_binary_pixels_only, "need both terms"),
    ],
    "e7_4": [
        (lambda w: w.mean(axis=1), "evidence lower bound"),
        (lambda w: scipy.special.logsumexp(w, axis=1), "logarithm of the sum"),
        (lambda w: _bound(w) - w.max(axis=1), "added back"),
        (lambda w: w.max(axis=1), "largest log weight"),
        (lambda w: _bound(w.T), "not down the pictures"),
        (lambda w: _bound(w).mean(), "Keep the pictures apart"),
        (lambda w: np.exp(np.minimum(_bound(w), 700)), "its logarithm is asked for"),
        (_bound_vanishing, "Subtract the largest first"),
        (_bound_vanishing_loops, "Subtract the largest first"),
        (_bound_from_the_largest_of_all, "subtract that one"),
    ],
    "e7_5": [
        (_straight, "straight line"),
        (_stretched, "not even steps"),
        (lambda a, b, n: _path(b, a, n), "runs backwards"),
        (_path_without_its_end, "last point should be end"),
        (_path_in_degrees, "radians"),
        (_path_by_cosine, "not its cosine"),
        (_path_by_cosine_in_loops, "not its cosine"),
        (lambda a, b, n: _path_from_angle(a, b, n, a @ b), "not its cosine"),
        (_path_without_lengths, "outside -1 to 1"),
        (_path_without_lengths_in_math, "outside -1 to 1"),
        (_path_clipped, "divided by both lengths"),
        (lambda a, b, n: _path(a, b, n).T, "One point a row"),
    ],
}
