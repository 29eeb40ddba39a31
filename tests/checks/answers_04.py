"""Right and wrong answers to the exercises of lesson 04."""

import keras
import numpy as np
import scipy.special
import tensorflow as tf

# ---- E4.1 ------------------------------------------------------------------------------------------------


def _line(x, y, w, b):
    error = w * x + b - y
    return 2 * np.mean(error * x), 2 * np.mean(error)


def _line_by_loop(x, y, w, b):
    dw = db = 0.0
    for one, target in zip(x, y, strict=True):
        dw += 2 * (w * one + b - target) * one / len(x)
        db += 2 * (w * one + b - target) / len(x)
    return [dw, db]


def _line_by_matrix(x, y, w, b):
    design = np.stack([x, np.ones_like(x)], axis=1)
    return 2 * design.T @ (design @ np.array([w, b]) - y) / len(x)


def _line_by_tape(x, y, w, b):
    w, b = tf.Variable(w, dtype="float64"), tf.Variable(b, dtype="float64")
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((w * x + b - y) ** 2)
    return tuple(float(slope) for slope in tape.gradient(loss, [w, b]))


def _line_scaled(by_w, by_b):
    return lambda *a: (by_w * _line(*a)[0], by_b * _line(*a)[1])


# ---- E4.2 ------------------------------------------------------------------------------------------------


def _entropy(logits, labels):
    largest = logits.max(axis=1)
    total = np.exp(logits - largest[:, None]).sum(axis=1)
    return np.mean(np.log(total) + largest - logits[np.arange(len(labels)), labels])


def _entropy_by_scipy(logits, labels):
    return -scipy.special.log_softmax(logits, axis=1)[range(len(labels)), labels].mean()


def _entropy_by_loop(logits, labels):
    total = 0
    for row, label in zip(logits, labels, strict=True):
        row = row - max(row)
        total += np.log(sum(np.exp(row))) - row[label]
    return total / len(labels)


def _entropy_by_logaddexp(logits, labels):
    return np.mean(np.logaddexp.reduce(logits, axis=1) - logits[np.arange(len(labels)), labels])


def _entropy_as_written(logits, labels):
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return -np.mean(np.log(p[np.arange(len(labels)), labels]))


def _entropy_of_softmax(logits, labels):
    p = scipy.special.softmax(logits, axis=1)
    return -np.mean(np.log(p[np.arange(len(labels)), labels]))


def _entropy_clipped(logits, labels):
    p = scipy.special.softmax(logits, axis=1).clip(1e-7, 1)
    return -np.mean(np.log(p[np.arange(len(labels)), labels]))


def _entropy_with_one_largest(logits, labels):
    z = logits - logits.max()
    return np.mean(np.log(np.exp(z).sum(axis=1)) - z[np.arange(len(labels)), labels])


def _entropy_of_columns(logits, labels):
    logarithms = scipy.special.log_softmax(logits, axis=0)
    return -np.mean(logarithms[np.arange(len(labels)), labels])


def _entropy_of_block(logits, labels):
    return -np.mean(scipy.special.log_softmax(logits, axis=1)[:, labels])


def _entropy_per_row(logits, labels):
    return -scipy.special.log_softmax(logits, axis=1)[np.arange(len(labels)), labels]


# ---- E4.3 ------------------------------------------------------------------------------------------------


def _layer(x, w, b, g):
    passed = g * (x @ w + b > 0)
    return passed @ w.T, x.T @ passed, passed.sum(axis=0)


def _layer_by_tape(x, w, b, g):
    variables = [tf.Variable(array) for array in (x, w, b)]
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(g * tf.nn.relu(variables[0] @ variables[1] + variables[2]))
    return [slope.numpy() for slope in tape.gradient(loss, variables)]


def _layer_by_einsum(x, w, b, g):
    passed = np.where(np.einsum("nd,dm->nm", x, w) + b > 0, g, 0)
    return np.einsum("nm,dm->nd", passed, w), np.einsum("nd,nm->dm", x, passed), np.einsum("nm->m", passed)


def _layer_by_examples(x, w, b, g):
    dx, dw, db = np.zeros_like(x), np.zeros_like(w), np.zeros_like(b)
    for i in range(len(x)):
        passed = g[i] * (x[i] @ w + b > 0)
        dx[i], dw, db = w @ passed, dw + np.outer(x[i], passed), db + passed
    return dx, dw, db


def _layer_with(mask):
    def answer(x, w, b, g):
        passed = mask(x @ w + b, g)
        return passed @ w.T, x.T @ passed, passed.sum(axis=0)

    return answer


def _layer_without_bias(x, w, b, g):
    return _layer(x, w, np.zeros_like(b), g)


def _layer_without_transposes(x, w, b, g):
    passed = g * (x @ w + b > 0)
    return passed @ w, x @ passed, passed.sum(axis=0)


def _layer_of_means(x, w, b, g):
    return [part / len(x) for part in _layer(x, w, b, g)]


def _layer_bias_of_g(x, w, b, g):
    dx, dw, _ = _layer(x, w, b, g)
    return dx, dw, g.sum(axis=0)


def _layer_bias_unsummed(x, w, b, g):
    dx, dw, _ = _layer(x, w, b, g)
    return dx, dw, g * (x @ w + b > 0)


# ---- E4.5 ------------------------------------------------------------------------------------------------


def _adam(gradients, rate, keep_m=0.9, keep_s=0.999, epsilon=1e-8, repair=(True, True), first=1, sign=-1, root=np.sqrt):
    w = m = s = 0.0
    path = []
    for t, g in enumerate(gradients, start=first):
        m = keep_m * m + (1 - keep_m) * g
        s = keep_s * s + (1 - keep_s) * g**2
        m_now = m / (1 - keep_m**t) if repair[0] else m
        s_now = s / (1 - keep_s**t) if repair[1] else s
        w += sign * rate * m_now / (root(s_now) + epsilon)
        path.append(w)
    return np.array(path)


def _adam_by_list(gradients, rate):
    m, s, w, path = 0, 0, 0, []
    for t in range(len(gradients)):
        m += (gradients[t] - m) * 0.1
        s += (gradients[t] ** 2 - s) * 0.001
        w = w - rate * m / (1 - 0.9 ** (t + 1)) / (1e-8 + (s / (1 - 0.999 ** (t + 1))) ** 0.5)
        path += [w]
    return path


def _adam_by_products(gradients, rate):
    scale_m = scale_s = 1.0
    m = s = 0.0
    steps = []
    for g in np.asarray(gradients):
        scale_m, scale_s = scale_m * 0.9, scale_s * 0.999
        m, s = 0.9 * m + 0.1 * g, 0.999 * s + 0.001 * g * g
        steps.append(-rate * (m / (1 - scale_m)) / (np.sqrt(s / (1 - scale_s)) + 1e-8))
    return np.cumsum(steps)


def _adam_of(**changes):
    return lambda gradients, rate: _adam(gradients, rate, **changes)


def _adam_inside(gradients, rate):
    return _adam(gradients, rate, epsilon=0, root=lambda s: np.sqrt(s + 1e-8))


# ---- E4.6 ------------------------------------------------------------------------------------------------


def _quotients(loss, weights, array, step=1e-5, both=True, relative=True):
    true = np.zeros(array.shape)
    for index in np.ndindex(array.shape):
        kept = array[index]
        h = step * max(1, abs(kept)) if relative else step
        array[index] = kept + h
        up = loss(weights)
        array[index] = kept - h if both else kept
        true[index] = (up - loss(weights)) / (2 * h if both else h)
        array[index] = kept
    return true


def _wrong(true, claim):
    return bool(np.any(np.abs(true - claim) > max(1e-3 * np.abs(true).max(), 1e-6)))


def _checked(compare=_wrong, **options):
    def answer(loss, weights, claimed):
        return [
            compare(_quotients(loss, weights, array, **options), claim)
            for array, claim in zip(weights, claimed, strict=True)
        ]

    return answer


def _checked_on_copies(loss, weights, claimed):
    answers = []
    for place, (array, claim) in enumerate(zip(weights, claimed, strict=True)):
        true = np.empty(array.size)
        for entry in range(array.size):
            losses = []
            for sign in (1, -1):
                copies = [one.copy() for one in weights]
                copies[place].reshape(-1)[entry] += sign * 1e-4
                losses.append(loss(copies))
            true[entry] = (losses[0] - losses[1]) / 2e-4
        answers.append(_wrong(true, claim.ravel()))
    return np.array(answers)


def _checked_first_entries(loss, weights, claimed):
    answers = []
    for array, claim in zip(weights, claimed, strict=True):
        true = _quotients(loss, weights, array)
        answers.append(abs(true.flat[0] - claim.flat[0]) > max(1e-3 * np.abs(true).max(), 1e-6))
    return answers


def _checked_one_axis(loss, weights, claimed):
    return [
        _wrong(np.array([0.0 for _ in range(len(array))]), claim) for array, claim in zip(weights, claimed, strict=True)
    ]


def _checked_leaving_nudges(loss, weights, claimed):
    answers = _checked()(loss, weights, claimed)
    for array in weights:
        array += 1e-3
    return answers


ACCEPTED = {
    "e4_1": [_line, _line_by_loop, _line_by_matrix, _line_by_tape],
    "e4_2": [_entropy, _entropy_by_scipy, _entropy_by_loop, _entropy_by_logaddexp],
    "e4_3": [_layer, _layer_by_tape, _layer_by_einsum, _layer_by_examples],
    "e4_4": [
        lambda shape: np.sqrt(2 / np.prod(shape[:-1])),
        lambda shape: (2 / (shape[0] if len(shape) == 2 else shape[0] * shape[1] * shape[2])) ** 0.5,
        lambda shape: keras.initializers.HeNormal and np.sqrt(2) / np.sqrt(np.prod(shape) / shape[-1]),
    ],
    "e4_5": [_adam, _adam_by_list, _adam_by_products],
    "e4_6": [_checked(), _checked_on_copies, _checked(step=1e-6), _checked(step=1e-4)],
}

REJECTED = {
    "e4_1": [
        (_line_scaled(-1, -1), "sign is the wrong way round"),
        (_line_scaled(0.5, 0.5), "factor 2 is missing"),
        (lambda x, y, w, b: np.array(_line(x, y, w, b)) * len(x), "sums over the points"),
        (lambda *a: _line(*a)[::-1], "bias comes second"),
        (lambda x, y, w, b: (_line(x, y, w, b)[1] * np.mean(x), _line(x, y, w, b)[1]), "product first, then the mean"),
        (lambda *a: (_line(*a)[1],) * 2, "Where is x in dL/dw"),
        (lambda x, y, w, b: _line(x, y, w, 0.0), "bias is part of the guess"),
        (lambda x, y, w, b: (2 * (w * x + b - y) * x, 2 * (w * x + b - y)), "single number"),
        (lambda *a: _line(*a)[0], "Return 2 things"),
    ],
    "e4_2": [
        (_entropy_as_written, "take the largest of each row away"),
        (_entropy_of_softmax, "never take the logarithm of the softmax"),
        (_entropy_clipped, "never take the logarithm of the softmax"),
        (_entropy_with_one_largest, "the largest of the row, not of the whole array"),
        (lambda z, t: -_entropy(z, t), "never below zero"),
        (_entropy_per_row, "one loss for each row"),
        (lambda z, t: _entropy_per_row(z, t).sum(), "the mean is wanted"),
        (_entropy_of_columns, "down a column"),
        (_entropy_of_block, "Two indices are needed"),
        (lambda z, t: _entropy(scipy.special.softmax(z, axis=1), t), "softmax twice"),
        (lambda z, t: np.mean(scipy.special.softmax(z, axis=1)[np.arange(len(t)), t]), "its logarithm is missing"),
        (lambda z, t: _entropy(z, t) / np.log(2), "base e"),
        (lambda z, t: _entropy(z, t) / z.shape[1], "not by the number of classes"),
    ],
    "e4_3": [
        (_layer_with(lambda a, g: g), "where is the ReLU"),
        (_layer_with(lambda a, g: np.maximum(a, 0) * g), "not the value of the unit"),
        (_layer_with(lambda a, g: np.maximum(g, 0)), "not the sign of g"),
        (_layer_with(lambda a, g: g * (a <= 0)), "exchanged"),
        (_layer_with(lambda a, g: 1.0 * (a > 0)), "upstream gradient g"),
        (_layer_with(lambda a, g: g * (a >= 0)), "At exactly 0"),
        (_layer_without_bias, "bias helps to decide"),
        (_layer_without_transposes, "has the shape of its own array"),
        (_layer_of_means, "1/n of a mean already"),
        (_layer_bias_of_g, "sum of what passes"),
        (_layer_bias_unsummed, "has the shape of its own array"),
        (lambda *a: _layer(*a)[::-1], "has the shape of its own array"),
    ],
    "e4_4": [
        (lambda shape: 2 / np.prod(shape[:-1]), "variance"),
        (lambda shape: np.sqrt(1 / np.prod(shape[:-1])), "without ReLU"),
        (lambda shape: np.sqrt(2 / shape[-1]), "outputs: which axis"),
        (lambda shape: np.sqrt(2 / shape[-2]), "kernel's window counts"),
        (lambda shape: np.sqrt(2 / shape[0]), "multiply the first three"),
        (lambda shape: np.sqrt(2 / (shape[0] + shape[1])), "Glorot"),
        (lambda shape: np.sqrt(2 / np.prod(shape)), "outputs does not count"),
        (
            lambda shape: np.sqrt(2 / (shape[0] * shape[1])) if len(shape) > 2 else np.sqrt(2 / shape[0]),
            "channels that",
        ),
    ],
    "e4_5": [
        (_adam_of(repair=(False, False)), "Neither m nor s"),
        (_adam_of(repair=(False, True)), "m is not repaired"),
        (_adam_of(repair=(True, False)), "s is not repaired"),
        (_adam_of(sign=1), "against the gradient"),
        (_adam_of(keep_m=0.999, keep_s=0.9), "exchanged"),
        (_adam_of(first=0), "not step 0"),
        (_adam_of(first=2), "one too many"),
        (_adam_of(epsilon=0), "epsilon"),
        (_adam_of(epsilon=1e-7), "as small as epsilon"),
        (_adam_inside, "outside it"),
        (_adam_of(root=lambda s: s), "not by s"),
        (_adam_of(keep_m=0.0), "goes along m"),
        (lambda g, rate: np.diff(_adam(g, rate), prepend=0.0), "add them up"),
        (lambda g, rate: np.concatenate([[0.0], _adam(g, rate)]), "start itself does not count"),
        (lambda g, rate: -rate * np.cumsum(g), "plain SGD"),
    ],
    "e4_6": [
        (lambda *a: [not wrong for wrong in _checked()(*a)], "wrong way round"),
        (_checked(both=False), "both sides"),
        (_checked(step=0.1), "the loss is curved"),
        (_checked(step=1e-13, relative=False), "All were found wrong"),
        (_checked_first_entries, "every entry of every array"),
        (_checked(compare=lambda t, c: bool(np.any(np.abs(t - c) > 1e-3))), "largest true entry"),
        (_checked(compare=lambda t, c: bool(np.any(t != c))), "All were found wrong"),
        (lambda loss, weights, claimed: [False] * len(weights), "Nothing was found wrong"),
        (lambda loss, weights, claimed: [True] * len(weights), "All were found wrong"),
        (_checked_one_axis, "any number of axes"),
        (_checked_leaving_nudges, "undo each nudge"),
        (lambda *a: any(_checked()(*a)), "difference quotients"),
    ],
}
