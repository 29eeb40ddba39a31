"""Right and wrong answers to the exercises of lesson 05."""

import math

import keras
import numpy as np
import scipy.special
import sklearn.metrics
import tensorflow as tf


def _softmax(logits):
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def _softmax_by_loops(logits):
    rows = []
    for row in logits:
        powers = [math.exp(logit - max(row)) for logit in row]
        rows.append([power / sum(powers) for power in powers])
    return rows


def _softmax_by_logarithm(logits):
    return np.exp(logits - np.logaddexp.reduce(logits, axis=1)[:, None]).astype(np.float32)


def _softmax_by_pairs(logits):
    with np.errstate(over="ignore"):
        return 1 / np.exp(logits[:, None, :] - logits[:, :, None]).sum(axis=-1)


def _softmax_overflowing(logits):
    with np.errstate(over="ignore", invalid="ignore"):
        return np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)


def _softmax_overflowing_loops(logits):
    rows = [[math.exp(logit) for logit in row] for row in logits]
    return [[power / sum(row) for power in row] for row in rows]


def _softmax_capped(logits):
    rows = [[math.exp(min(logit - row[0], 700)) for logit in row] for row in logits]
    return [[power / sum(row) for power in row] for row in rows]


def _softmax_vanishing(logits):
    logits = np.where(logits.max(axis=-1, keepdims=True) > 500, logits - logits.max(axis=-1, keepdims=True), logits)
    with np.errstate(invalid="ignore"):
        return np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)


def _softmax_vanishing_loops(logits):
    rows = [[math.exp(logit - max(max(row), 0)) for logit in row] for row in logits]
    return [[power / sum(row) for power in row] for row in rows]


def _softmax_from_the_largest_of_all(logits):
    powers = np.exp(logits - logits.max())
    with np.errstate(invalid="ignore"):
        return powers / powers.sum(axis=-1, keepdims=True)


def _softmax_dropping_the_axis(logits):
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1)


def _softmax_shifted_above_only(logits):
    return np.exp(logits - logits.max(axis=-1, keepdims=True)) / np.exp(logits).sum(axis=-1, keepdims=True)


def _gradient(logits, labels):
    gradient = _softmax(logits)
    gradient[np.arange(len(labels)), labels] -= 1
    return gradient / len(labels)


def _gradient_by_loops(logits, labels):
    gradient = []
    for row, label in zip(logits, labels, strict=True):
        total = scipy.special.logsumexp(row)
        gradient.append([(math.exp(x - total) - (k == label)) / len(labels) for k, x in enumerate(row)])
    return gradient


def _gradient_by_tape(logits, labels):
    variable = tf.Variable(logits.astype(np.float32))
    with tf.GradientTape() as tape:
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)(labels, variable)
    return tape.gradient(loss, variable).numpy()


def _one_hot(logits, labels):
    return np.eye(logits.shape[1])[labels]


def _gradient_in_place(logits, labels):
    logits -= logits.max(axis=1, keepdims=True)
    return (_softmax(logits) - _one_hot(logits, labels)) / len(labels)


def _gradient_met_by_all_labels(logits, labels):
    gradient = _softmax(logits)
    gradient[:, labels] -= 1
    return gradient / len(labels)


def _gradient_by_label_rows(logits, labels):
    gradient = _softmax(logits)
    gradient[labels] -= 1
    return gradient / len(labels)


def _gradient_by_label_rows_in_range(logits, labels):
    return _gradient_by_label_rows(logits, labels) if labels.max() < len(labels) else _gradient(logits, labels)


def _gradient_with_few_columns(logits, labels):
    return (_softmax(logits) - keras.utils.to_categorical(labels)) / len(labels)


def _gradient_overflowing(logits, labels):
    return (_softmax_overflowing(logits) - _one_hot(logits, labels)) / len(labels)


def _gradient_overflowing_loops(logits, labels):
    return (np.array(_softmax_overflowing_loops(logits)) - _one_hot(logits, labels)) / len(labels)


def _loss(logits, labels):
    return -np.log(_softmax(logits))[np.arange(len(labels)), labels]


def _ratio(part, whole):
    return part / whole if whole else 0.0


def _counts(labels, answers, class_number):
    hits = int(np.sum((labels == class_number) & (answers == class_number)))
    return hits, int(np.sum(answers == class_number)), int(np.sum(labels == class_number))


def _measures(labels, answers, class_number):
    hits, called, there = _counts(labels, answers, class_number)
    precision, recall = _ratio(hits, called), _ratio(hits, there)
    return precision, recall, _ratio(2 * precision * recall, precision + recall)


def _measures_by_loops(labels, answers, class_number):
    hits = false_alarms = misses = 0
    for label, answer in zip(labels, answers, strict=True):
        hits += label == class_number and answer == class_number
        false_alarms += label != class_number and answer == class_number
        misses += label == class_number and answer != class_number
    ratios = [(hits, hits + false_alarms), (hits, hits + misses), (2 * hits, 2 * hits + false_alarms + misses)]
    return [np.float32(part / whole) if whole else np.float32(0) for part, whole in ratios]


def _measures_by_table(labels, answers, class_number):
    table = sklearn.metrics.confusion_matrix(labels, answers, labels=range(6))
    hits, called, there = table[class_number, class_number], table[:, class_number].sum(), table[class_number].sum()
    return np.array([hits / max(called, 1), hits / max(there, 1), 2 * hits / max(called + there, 1)])


def _measures_by_library(labels, answers, class_number):
    there, called = labels == class_number, answers == class_number
    scores = (sklearn.metrics.precision_score, sklearn.metrics.recall_score, sklearn.metrics.f1_score)
    return tuple(score(there, called, zero_division=0) for score in scores)


def _harmonic(precision, recall):
    return precision, recall, _ratio(2 * precision * recall, precision + recall)


def _measures_changed(precision=None, recall=None, f1=None):
    """Measures with (labels, answers, class_number) -> ratio, or (precision, recall) -> F1, in a right one's place."""

    def measures(labels, answers, class_number):
        right = _measures(labels, answers, class_number)
        both = [
            wrong(labels, answers, class_number) if wrong else number
            for wrong, number in zip((precision, recall), right, strict=False)
        ]
        return (*both, f1(*both) if f1 else _harmonic(*both)[2])

    return measures


def _accuracy(labels, answers, class_number):
    return np.mean(labels == answers)


def _binary_accuracy(labels, answers, class_number):
    return np.mean((labels == class_number) == (answers == class_number))


def _agreeing(labels, answers, class_number):
    return np.sum((labels == class_number) == (answers == class_number))


def _measures_plain(labels, answers, class_number):
    hits, called, there = _counts(labels, answers, class_number)
    precision, recall = hits / called, hits / there
    return precision, recall, 2 * precision * recall / (precision + recall)


def _measures_nan(labels, answers, class_number):
    hits, called, there = (np.float64(count) for count in _counts(labels, answers, class_number))
    with np.errstate(invalid="ignore"):
        precision, recall = hits / called, hits / there
        return precision, recall, 2 * precision * recall / (precision + recall)


def _measures_one_where_empty(labels, answers, class_number):
    hits, called, there = _counts(labels, answers, class_number)
    precision, recall = hits / called if called else 1.0, hits / there if there else 1.0
    return _harmonic(precision, recall)


def _measures_without_hits(labels, answers, class_number):
    hits, called, there = _counts(labels, answers, class_number)
    precision, recall = _ratio(hits, called), _ratio(hits, there)
    if not called or not there:
        return precision, recall, 0.0
    return precision, recall, 2 * precision * recall / (precision + recall)


def _dropout(features, rate, random):
    return np.where(random >= rate, features / (1 - rate), 0)


def _dropout_by_loops(features, rate, random):
    output = [0 if u < rate else x / (1 - rate) for x, u in zip(features.flat, random.flat, strict=True)]
    return np.reshape(output, features.shape).tolist()


def _dropout_on_a_copy(features, rate, random):
    output = features.astype(np.float32)
    output[random < rate] = 0
    output *= 1 / (1 - rate)
    return output


def _dropout_in_place(features, rate, random):
    features[random < rate] = 0
    return features / (1 - rate)


def _dropout_drawn(features, rate, random):
    return _dropout(features, rate, np.random.default_rng().random(features.shape))


def _dropout_drawn_with_a_seed(features, rate, random):
    return _dropout(features, rate, np.random.default_rng(7).random(features.shape))


def _dropout_of_items(features, rate, random):
    mask = random.reshape(len(random), -1)[:, 0] >= rate
    return features * mask.reshape(-1, *[1] * (features.ndim - 1)) / (1 - rate)


def _dropout_of_rows(features, rate, random):
    return features * (random[..., :1] >= rate) / (1 - rate) if features.ndim > 1 else _dropout(features, rate, random)


def _dropout_of_items_only(features, rate, random):
    return _dropout_of_items(features, rate, random) if features.ndim > 2 else _dropout(features, rate, random)


def _early(losses, patience):
    best, lowest = 0, math.inf
    for epoch, loss in enumerate(losses):
        if loss < lowest:
            best, lowest = epoch, loss
        elif epoch - best >= patience:
            break
    return best, epoch


def _early_by_counter(
    losses,
    patience,
    *,
    allowance=0,
    equal=False,
    previous=False,
    resets=True,
    runs_on=False,
    at_once=False,
):
    best, lowest, waited, last, compared = 0, math.inf, 0, len(losses) - 1, math.inf
    for epoch, loss in enumerate(losses):
        if loss < compared or (equal and loss == compared):
            best, lowest = epoch, loss
            waited = 0 if resets else waited
            if at_once and waited >= patience + allowance:
                return best, epoch
        else:
            waited += 1
            if waited >= patience + allowance:
                last = epoch
                if not runs_on:
                    break
        compared = loss if previous else lowest
    return best, last


def _early_by_numpy(losses, patience):
    lowest = np.minimum.accumulate(losses)
    falls = np.flatnonzero(np.diff(lowest, prepend=np.inf) < 0)
    ends = np.append(falls[1:], len(losses) + patience)
    best = falls[np.argmax(ends - falls > patience)]
    return np.array([best, min(best + patience, len(losses) - 1)])


def _early_recursive(losses, patience):
    best = losses.index(min(losses))
    ahead = losses[:best]
    if ahead:
        kept, last = _early_recursive(ahead, patience)
        if last - kept >= patience or best - kept > patience:
            return [kept, kept + patience]
    return [best, min(best + patience, len(losses) - 1)]


def _early_changed(change):
    return lambda losses, patience: change(losses, *_early(losses, patience))


def _early_sorting(losses, patience):
    result = _early(losses, patience)
    losses.sort()
    return result


def _early_none(losses, patience):
    best, last = _early(losses, patience)
    return best, last if last - best >= patience else None


def _early_minus_patience(losses, patience):
    last = _early(losses, patience)[1]
    return last - patience, last


def _latest(losses, best, last):
    return max(e for e in range(last + 1) if losses[e] == losses[best]), last


ACCEPTED = {
    "e5_1": [
        _softmax,
        _softmax_by_loops,
        _softmax_by_logarithm,
        _softmax_by_pairs,
        lambda logits: _softmax(logits.astype(np.float32)),
        lambda logits: keras.ops.softmax(logits, axis=-1),
    ],
    "e5_2": [
        _gradient,
        _gradient_by_loops,
        _gradient_by_tape,
        lambda logits, labels: (_softmax(logits) - _one_hot(logits, labels)).astype(np.float32) / len(labels),
    ],
    "e5_3": [
        _dropout,
        _dropout_by_loops,
        _dropout_on_a_copy,
        lambda features, rate, random: features * (random >= rate) / (1 - rate),
        lambda features, rate, random: np.ma.filled(np.ma.masked_array(features, random < rate) / (1 - rate), 0),
    ],
    "e5_4": [_early, _early_by_counter, _early_by_numpy, _early_recursive],
    "e5_5": [_measures, _measures_by_loops, _measures_by_table, _measures_by_library],
}

REJECTED = {
    "e5_1": [
        (_softmax_overflowing, "Exponentials of large numbers are infinite"),
        (_softmax_overflowing_loops, "Exponentials of large numbers are infinite"),
        (_softmax_capped, "Exponentials of large numbers are infinite"),
        (lambda logits: np.nan_to_num(_softmax_overflowing(logits)), "Exponentials of large numbers are infinite"),
        (lambda logits: _softmax(np.clip(logits, -50, 50)), "Exponentials of large numbers are infinite"),
        (_softmax_vanishing, "far below zero"),
        (_softmax_vanishing_loops, "far below zero"),
        (_softmax_from_the_largest_of_all, "its own largest logit"),
        (lambda logits: scipy.special.softmax(logits, axis=0), "not down the batch"),
        (lambda logits: scipy.special.softmax(logits), "not all rows together"),
        (lambda logits: logits / logits.sum(axis=-1, keepdims=True), "where is the exponential"),
        (np.exp, "does not add up to one"),
        (scipy.special.expit, "This is the sigmoid"),
        (lambda logits: scipy.special.log_softmax(logits, axis=-1), "logarithms"),
        (lambda logits: _softmax(-logits), "largest logit should get"),
        (lambda logits: np.eye(logits.shape[1])[logits.argmax(axis=1)], "all or nothing"),
        (_softmax_dropping_the_axis, "keep the axis"),
        (lambda logits: _softmax(logits - logits.max(axis=-1)), "keep the axis"),
        (_softmax_shifted_above_only, "subtracted in the sum"),
        (lambda logits: _softmax(2 * logits), "turned into a positive one"),
    ],
    "e5_2": [
        (lambda logits, labels: _gradient(logits, labels) * len(labels), "gradient of the sum of the losses"),
        (lambda logits, labels: -_gradient(logits, labels), "sign is the wrong way"),
        (lambda logits, labels: -_gradient(logits, labels) * len(labels), "sign is the wrong way"),
        (lambda logits, labels: _softmax(logits) / len(labels), "where does the label come in"),
        (lambda logits, labels: _softmax(logits), "where does the label come in"),
        (lambda logits, labels: (logits - _one_hot(logits, labels)) / len(labels), "not with the logits"),
        (lambda logits, labels: logits - _one_hot(logits, labels), "not with the logits"),
        (lambda logits, labels: _gradient(logits, labels) / logits.shape[1], "classes are not counted"),
        (lambda logits, labels: _gradient(logits, labels) * _one_hot(logits, labels), "wrong classes"),
        (
            lambda logits, labels: -_one_hot(logits, labels) / _softmax(logits) / len(labels),
            "with respect to the probabilities",
        ),
        (lambda logits, labels: -_one_hot(logits, labels) / len(labels), "leaves out the sum"),
        (
            lambda logits, labels: (scipy.special.expit(logits) - _one_hot(logits, labels)) / len(labels),
            "not from sigmoids",
        ),
        (
            lambda logits, labels: (scipy.special.softmax(logits, axis=0) - _one_hot(logits, labels)) / len(labels),
            "not down the batch",
        ),
        (lambda logits, labels: np.mean(_loss(logits, labels)), "This is the loss"),
        (_loss, "These are the losses"),
        (lambda logits, labels: _gradient(logits, labels).sum(axis=0), "its own row of gradients"),
        (_gradient_met_by_all_labels, "met the labels of all"),
        (_gradient_by_label_rows, "Two indices"),
        (_gradient_by_label_rows_in_range, "number the columns, not the rows"),
        (_gradient_with_few_columns, "as long as a row of logits"),
        (
            lambda logits, labels: (_softmax_dropping_the_axis(logits) - _one_hot(logits, labels)) / len(labels),
            "keep the axis",
        ),
        (_gradient_in_place, "changed its input"),
        (_gradient_overflowing, "must be the stable one"),
        (_gradient_overflowing_loops, "must be the stable one"),
        (lambda logits, labels: _gradient(logits, labels) * 2, "Nudge one logit"),
    ],
    "e5_3": [
        (lambda features, rate, random: features * (random >= rate), "not scaled"),
        (lambda features, rate, random: features * (random >= rate) * (1 - rate), "should become larger"),
        (lambda features, rate, random: features * (random >= rate) / max(rate, 1e-9), "share that goes"),
        (lambda features, rate, random: features * (random >= rate) / np.mean(random >= rate), "happened to stay"),
        (lambda features, rate, random: features * (random < rate) / (1 - rate), "wrong ones"),
        (lambda features, rate, random: features * (random < rate), "wrong ones"),
        (lambda features, rate, random: features * (random < rate) / max(rate, 1e-9), "not the share that stays"),
        (lambda features, rate, random: features * (random < 1 - rate) / (1 - rate), "As many go"),
        (lambda features, rate, random: features * (random > rate) / (1 - rate), "exactly 0"),
        (lambda features, rate, random: random >= rate, "mask alone"),
        (lambda features, rate, random: (random >= rate) / (1 - rate), "scaled mask alone"),
        (lambda features, rate, random: np.where(random >= rate, features / (1 - rate), features), "becomes 0"),
        (lambda features, rate, random: features, "Nothing was dropped"),
        (lambda features, rate, random: features / (1 - rate), "none dropped"),
        (lambda features, rate, random: features[random >= rate] / (1 - rate), "the shape stays"),
        (_dropout_in_place, "changed its input"),
        (_dropout_drawn, "draw none"),
        (_dropout_drawn_with_a_seed, "draw none"),
        (_dropout_of_items, "not with its whole row"),
        (_dropout_of_rows, "not with its whole row"),
        (_dropout_of_items_only, "not with its whole row"),
        (lambda features, rate, random: _dropout(features, rate, random) + 1, "three numbers"),
    ],
    "e5_4": [
        (_early_changed(lambda losses, best, last: (last, best)), "comes first"),
        (_early_changed(lambda losses, best, last: (losses.index(min(losses)), last)), "sees the future"),
        (_early_changed(lambda losses, best, last: (last, last)), "not the last ones"),
        (lambda losses, patience: (losses.index(min(losses)), len(losses) - 1), "trains to the end"),
        (lambda losses, patience: _early_by_counter(losses, patience, runs_on=True), "leave the loop"),
        (lambda losses, patience: _early_by_counter(losses, patience, allowance=1), "one epoch late"),
        (lambda losses, patience: _early_by_counter(losses, patience, allowance=-1), "one epoch early"),
        (lambda losses, patience: _early_by_counter(losses, patience, allowance=-1, at_once=True), "one epoch early"),
        (lambda losses, patience: _early_by_counter(losses, patience, resets=False), "Only epochs in a row"),
        (lambda losses, patience: _early_by_counter(losses, patience, previous=True), "not with the epoch before"),
        (lambda losses, patience: _early_by_counter(losses, patience, equal=True), "An equal loss"),
        (_early_changed(_latest), "An equal loss"),
        (_early_changed(lambda losses, best, last: (best + 1, last + 1)), "Epochs are counted from 0"),
        (_early_changed(lambda losses, best, last: (best, last + 1)), "one too high"),
        (_early_changed(lambda losses, best, last: (best, last - 1)), "one too low"),
        (_early_minus_patience, "epochs behind the last"),
        (_early_changed(lambda losses, best, last: (losses[best], last)), "not the loss"),
        (_early_changed(lambda losses, best, last: (float(best), float(last))), "whole numbers"),
        (_early_changed(lambda losses, best, last: best), "Return two epochs"),
        (_early_none, "after the last epoch"),
        (_early_sorting, "changed its input"),
        (lambda losses, patience: (0, 0), "new lowest"),
    ],
    "e5_5": [
        (lambda labels, answers, class_number: _measures(answers, labels, class_number), "are swapped"),
        (lambda labels, answers, class_number: _measures(labels, answers, class_number)[:2], "F1 is missing"),
        (lambda labels, answers, class_number: _measures(labels, answers, class_number)[2], "Return three numbers"),
        (lambda labels, answers, class_number: dict(zip("pr", (0, 1), strict=True)), "Return three numbers"),
        (_measures_changed(precision=lambda *a: _measures(*a)[1]), "This is the recall"),
        (_measures_changed(recall=lambda *a: _measures(*a)[0]), "This is the precision"),
        (_measures_changed(precision=_accuracy), "This is the accuracy"),
        (_measures_changed(recall=_accuracy), "This is the accuracy"),
        (_measures_changed(f1=lambda precision, recall: (precision + recall) / 2), "nearer the smaller"),
        (_measures_changed(f1=lambda precision, recall: math.sqrt(precision * recall)), "geometric"),
        (_measures_changed(f1=lambda *both: _harmonic(*both)[2] / 2), "half of it"),
        (_measures_changed(f1=lambda precision, recall: precision * recall), "product"),
        (_measures_changed(precision=_binary_accuracy), "neither are nor were called"),
        (_measures_changed(recall=lambda *a: _agreeing(*a) / _counts(*a)[2]), "neither are nor were called"),
        (_measures_changed(lambda *a: np.sum(a[0] == a[1]) / max(_counts(*a)[1], 1)), "other classes were counted"),
        (_measures_changed(recall=lambda *a: _counts(*a)[0] / len(a[0])), "not by all of them"),
        (
            lambda labels, answers, class_number: tuple(100 * n for n in _measures(labels, answers, class_number)),
            "not percent",
        ),
        (lambda labels, answers, class_number: _measures(labels, answers, 1), "numbers of class 1"),
        (
            lambda labels, answers, class_number: sklearn.metrics.precision_recall_fscore_support(
                labels, answers, average="macro", zero_division=0
            )[:3],
            "count every class",
        ),
        (
            lambda labels, answers, class_number: tuple(map(str, _measures(labels, answers, class_number))),
            "an array of numbers",
        ),
        (_measures_plain, "never answered"),
        (_measures_nan, "never answered"),
        (_measures_one_where_empty, "never answered"),
        (
            lambda *a: _measures_plain(*a) if _counts(*a)[1] else (0.0, 0.0, 0.0),
            "never occurs",
        ),
        (_measures_without_hits, "No answer is right"),
        (_measures_changed(f1=min), "Count on paper"),
    ],
}
