"""Checks for lesson 04, learning by hand."""

import copy
from typing import Any

import numpy as np
import scipy.optimize
import scipy.special

from course_utils.checks import Attempt, exercise


def _parts(attempt: Attempt, got: Any, shapes: dict[str, tuple], hint: str) -> list[np.ndarray]:
    """What came back as one array a name, of these shapes. Rejects anything else."""
    names = ", ".join(shapes)
    wanted = got.shape[:1] == (len(shapes),) if isinstance(got, np.ndarray) else isinstance(got, (tuple, list))
    if not wanted or len(got) != len(shapes):
        attempt.reject(f"Return {len(shapes)} things: {names}.", tried=attempt.tried, got=got)
    arrays = [attempt.numbers(part, attempt.tried) for part in got]
    for (name, shape), array in zip(shapes.items(), arrays, strict=True):
        if array.shape != shape:
            attempt.reject(hint, tried=attempt.tried, got=f"{name} of shape {array.shape}", expected=f"shape {shape}")
    return arrays


# ---- E4.1 ------------------------------------------------------------------------------------------------


@exercise("E4.1")
def e4_1(attempt: Attempt) -> None:
    """`line_gradient(x, y, w, b)`: complex steps of the loss, exact to rounding, for points of any size."""
    rng = np.random.default_rng(1)
    hint = "Nudge w by 0.001 and then b, in a cell of your own: how much does the mean squared error change each time?"
    small, zero = np.array([1.0, 2, 4]), np.zeros(3)
    cases = [(small, np.array([1.0, 3, 2]), 0.5, 1.0), (small, 2 * small + 1, 2.0, 1.0), (zero, small, 3.0, 0.0)]
    cases += [(np.array([2.0]), np.array([5.0]), -1.0, 0.5)]
    for scale in (1, 1e-3, 1e4):
        count = int(rng.integers(4, 30))
        cases.append((scale * rng.normal(size=count), rng.normal(size=count) + 2, *rng.normal(size=2)))
    for x, y, w, b in cases:
        expected = _by_complex_steps(x, y, w, b)
        got = attempt.call(x, y, w, b, errors={(ValueError, IndexError): "x and y are arrays of one length."})
        shaped = "Each is a single number: the mean over all points."
        found = np.array(_parts(attempt, got, {"dL/dw": (), "dL/db": ()}, shaped), float)
        mistakes = {about: np.array(value) for about, value in _line_mistakes(x, y, w, b).items()}
        attempt.agree(found, expected, hint, mistakes=mistakes, tried=attempt.tried)


def _by_complex_steps(x, y, w, b) -> np.ndarray:
    """Slopes of the loss by its value at w + ih: there is no difference that could lose digits."""
    step = 1e-20
    losses = (np.mean(((w + dw) * x + (b + db) - y) ** 2) for dw, db in ((1j * step, 0), (0, 1j * step)))
    return np.array([loss.imag / step for loss in losses])


def _line_mistakes(x, y, w, b) -> dict[str, Any]:
    error = w * x + b - y
    by_w, by_b = 2 * np.mean(error * x), 2 * np.mean(error)
    count = len(x)
    return {
        "The sign is the wrong way round: where the line lies too high, a larger b makes it worse.": (-by_w, -by_b),
        "The factor 2 is missing: the slope of a square is twice what is inside.": (by_w / 2, by_b / 2),
        "These are sums over the points: the loss is a mean.": (by_w * count, by_b * count),
        "The bias comes second: dL/dw, then dL/db.": (by_b, by_w),
        "For w, each error counts times its own x: take the product first, then the mean.": (by_b * np.mean(x), by_b),
        "Where is x in dL/dw? A change of w moves each guess by x times as much.": (by_b, by_b),
        "What moves b by one moves each guess by one, whatever x is.": (by_w, by_w),
        "The bias is part of the guess: the error is w x + b - y.": (
            2 * np.mean((w * x - y) * x),
            2 * np.mean(w * x - y),
        ),
    }


# ---- E4.2 ------------------------------------------------------------------------------------------------


@exercise("E4.2")
def e4_2(attempt: Attempt) -> None:
    """`cross_entropy(logits, labels)`: SciPy's logsumexp, for logits from tiny to a million."""
    rng = np.random.default_rng(2)
    hint = "Work it out for one row on paper: the softmax, what the right class got, minus its logarithm."
    rows = "Two indices are needed: the number of the row, and the label of that row."
    huge = "Logits may be huge: take the largest of each row away before the exponential."
    small = "The right class has so little that its softmax is rounded to 0: never take the logarithm of the softmax."
    each = "Each row has a largest logit of its own: take away the largest of the row, not of the whole array."
    cases = [([[1.0, 2, 4]], [1], hint), ([[0.0, 0], [3, 0], [0, 3]], [0, 0, 0], hint)]
    cases += [(rng.normal(size=(n, c)), rng.integers(0, c, n), rows) for n, c in [(5, 3), (3, 3), (8, 10), (1, 2)]]
    cases += [([[1000.0, 1001, 999]], [2], huge), ([[-1000.0, -1001]], [1], huge)]
    cases += [([[800.0, 0, 0]], [1], small), ([[0.0, -5e5]], [1], small), ([[0.0, 2], [3000, 3001]], [0, 1], each)]
    cases += [([[1e6, -1e6], [-1e6, 1e6]], [0, 0], small), ([[1e-9, 0.0]], [0], hint)]
    for logits, labels, about in cases:
        logits, labels = np.array(logits, float), np.array(labels, np.int64)
        picked = logits[np.arange(len(labels)), labels]
        expected = np.mean(scipy.special.logsumexp(logits, axis=1) - picked)
        errors = {OverflowError: huge, (IndexError, ValueError): rows, (FloatingPointError, ZeroDivisionError): about}
        mistakes = _entropy_mistakes(logits, labels)
        attempt.compare((logits, labels), expected, about, mistakes=mistakes, errors=errors)


def _entropy_mistakes(logits: np.ndarray, labels: np.ndarray) -> dict[str, Any]:
    rows, classes = np.arange(len(labels)), logits.shape[1]
    each = scipy.special.logsumexp(logits, axis=1) - logits[rows, labels]
    logarithms = scipy.special.log_softmax(logits, axis=1)
    over_all = scipy.special.logsumexp(logits) - logits[rows, labels]
    probabilities = np.exp(logarithms)
    down = scipy.special.log_softmax(logits, axis=0)
    return {
        "The softmax goes along the classes of a row, not down a column.": -np.mean(down[rows, labels]),
        "The sign is the wrong way round: the loss is never below zero.": -np.mean(each),
        "This is one loss for each row: the mean of them is wanted.": each,
        "This is the sum over the rows: the mean is wanted.": np.sum(each),
        "Divide by the number of rows, not by the number of classes as well.": np.mean(each) / classes,
        "This takes the softmax twice: the logits go in as they are.": np.mean(
            scipy.special.logsumexp(probabilities, axis=1) - probabilities[rows, labels]
        ),
        "The softmax is of each row by itself: along which axis does your sum go?": np.mean(over_all),
        "The logarithm here is the natural one, of base e.": np.mean(each) / np.log(2),
        "This is the mean probability of the right class: its logarithm is missing.": np.mean(
            probabilities[rows, labels]
        ),
        "Only the right class of each row counts: this is the mean over all classes.": -np.mean(logarithms),
    }


# ---- E4.3 ------------------------------------------------------------------------------------------------


@exercise("E4.3")
def e4_3(attempt: Attempt) -> None:
    """`layer_gradients(x, w, b, g)`: sums over single examples and units, each written out."""
    rng = np.random.default_rng(3)
    hint = "Take one example and one unit: g passes where the unit is on; each weight then gets it times its own input."
    shapes_hint = "Each gradient has the shape of its own array: which product of matrices gives that shape?"
    one = (np.array([[2.0]]), np.array([[0.5, -1]]), np.array([0.0, 1]), np.array([[-8.0, -12]]))
    cases = [one]
    for n, d, m in [(1, 2, 3), (4, 3, 2), (3, 3, 3), (6, 2, 5)]:
        cases.append(tuple(rng.normal(size=shape) for shape in [(n, d), (d, m), (m,), (n, m)]))
    off = (np.ones((2, 2)), -np.ones((2, 3)), np.zeros(3), np.ones((2, 3)))
    x, w, b, g = (rng.normal(size=shape) for shape in [(5, 4), (4, 3), (3,), (5, 3)])
    flat = (np.zeros((2, 2)), np.ones((2, 4)), np.array([0.0, -1, -1, 1]), np.ones((2, 4)))
    cases += [off, flat, (1e4 * x, w, b, g), (x, w, b - 100, g), (x, w, b + 100, 1e5 * g), (x, w, 3 * b, g)]
    for x, w, b, g in cases:
        errors = {(ValueError, IndexError): shapes_hint}
        tried = f"layer_gradients(x {x.shape}, w {w.shape}, b {b.shape}, g {g.shape})"
        got = attempt.call(x, w, b, g, errors=errors, tried=tried)
        found = _parts(attempt, got, {"of x": x.shape, "of w": w.shape, "of b": b.shape}, shapes_hint)
        expected = _layer_by_units(x, w, b, g, lambda a: a > 0)
        for place, name in enumerate(("x", "w", "b")):
            mistakes = {about: parts[place] for about, parts in _layer_mistakes(x, w, b, g).items()}
            about = f"The gradient of {name}. {hint}"
            attempt.agree(found[place], expected[place], about, mistakes=mistakes, tried=tried)


def _layer_by_units(x, w, b, g, slope) -> list[np.ndarray]:
    dx, dw, db = np.zeros(x.shape), np.zeros(w.shape), np.zeros(b.shape)
    for i, j in np.ndindex(g.shape):
        passed = g[i, j] * slope(sum(x[i, k] * w[k, j] for k in range(len(w))) + b[j])
        dx[i] += passed * w[:, j]
        dw[:, j] += passed * x[i]
        db[j] += passed
    return [dx, dw, db]


def _layer_mistakes(x, w, b, g) -> dict[str, list]:
    right = _layer_by_units(x, w, b, g, lambda a: a > 0)
    sums = x @ w + b
    no_bias = _layer_by_units(x, w, np.zeros_like(b), g, lambda a: a > 0)
    return {
        "The bias gets the sum of what passes.": [right[0], right[1], g.sum(axis=0)],
        "Nothing passes a unit that is off: where is the ReLU?": _layer_by_units(x, w, b, g, lambda a: 1.0),
        "The mask is 1 where the unit is on: not the value of the unit.": _layer_by_units(
            x, w, b, g, lambda a: max(a, 0)
        ),
        "g itself may be negative, and passes all the same: the unit decides, not the sign of g.": _layer_by_units(
            x, w, b, np.maximum(g, 0), lambda a: 1.0
        ),
        "The units that are on and off are exchanged.": _layer_by_units(x, w, b, g, lambda a: a <= 0),
        "The bias helps to decide whether a unit is on.": no_bias,
        "The sum over the examples is wanted: g holds the 1/n of a mean already.": [
            right[0] / len(x),
            right[1] / len(x),
            right[2] / len(x),
        ],
        "At exactly 0 a ReLU is off, as in the lesson.": _layer_by_units(x, w, b, g, lambda a: a >= 0),
        "Where is the upstream gradient g?": _layer_by_units(x, w, b, np.ones_like(g), lambda a: a > 0),
        "This multiplies by the sums x W + b once more.": _layer_by_units(x, w, b, g * sums, lambda a: a > 0),
        **_transposed(x, w, b, g),
    }


def _transposed(x, w, b, g) -> dict[str, list]:
    """What comes of forgotten transposes, where the shapes of a square case allow them."""
    if len({*x.shape, *w.shape}) > 1:
        return {}
    passed = g * (x @ w + b > 0)
    hint = "The other matrix comes transposed: with sides of one length, its shape does not tell."
    return {hint: [passed @ w, x @ passed, passed.sum(axis=1)]}


# ---- E4.4 ------------------------------------------------------------------------------------------------


@exercise("E4.4")
def e4_4(attempt: Attempt) -> None:
    """`he_deviation(shape)`: the variance that keeps the size of a ReLU layer, from its number of inputs."""
    dense = "How many numbers does one output add up? That many inputs has the layer."
    kernel = "One output of a convolution adds up a whole window, in all its channels."
    for shape in [(8, 3), (50, 50), (2, 7), (1, 1), (784, 128), (100_000, 2)]:
        attempt.compare((shape,), _he(shape), dense, mistakes=_he_mistakes(shape), tolerance=1e-6)
    for shape in [(3, 3, 8, 8), (3, 3, 1, 16), (1, 1, 64, 2), (5, 3, 2, 7), (1, 1, 1, 1), (11, 11, 512, 4)]:
        errors = {(ValueError, TypeError, IndexError): "A kernel has a shape of four numbers."}
        mistakes = _he_mistakes(shape)
        attempt.compare((shape,), _he(shape), kernel, mistakes=mistakes, errors=errors, tolerance=1e-6)


def _he(shape: tuple[int, ...]) -> float:
    """As He and others derive it: half of the variance of a sum is left by a ReLU, so d * variance / 2 = 1."""
    inputs = 1
    for length in shape[:-1]:
        inputs *= length
    return (2 / inputs) ** 0.5


def _he_mistakes(shape: tuple[int, ...]) -> dict[str, Any]:
    inputs, outputs = shape[-2], shape[-1]
    window = int(np.prod(shape[:-2]))
    return {
        "This is the variance: the standard deviation is its square root.": 2 / (window * inputs),
        "This is for a layer without ReLU: the ReLU halves the variance, so it starts with twice as much.": (
            1 / (window * inputs)
        )
        ** 0.5,
        "This is Glorot's start: He's asks for the inputs alone.": (2 / (window * (inputs + outputs))) ** 0.5,
        "These are the outputs: which axis holds the inputs?": (2 / (window * outputs)) ** 0.5,
        "A kernel's window counts: each output adds up height times width times channels.": (2 / inputs) ** 0.5,
        "The channels that come in count as well as the window.": (2 / window) ** 0.5,
        "The number of outputs does not count: each of them adds up the inputs by itself.": (
            2 / (window * inputs * outputs)
        )
        ** 0.5,
        "A layer's height alone is not its inputs: for a kernel, multiply the first three.": (2 / shape[0]) ** 0.5,
    }


# ---- E4.5 ------------------------------------------------------------------------------------------------


@exercise("E4.5")
def e4_5(attempt: Attempt) -> None:
    """`adam_path(gradients, rate)`: weighted sums over all earlier gradients, without any running mean."""
    rng = np.random.default_rng(5)
    hint = "Write down m, s and their repaired values for the first two steps."
    first = "The first step is about `rate` long, whatever the gradient: m and s start at 0 and need the repair."
    zero = "A gradient of 0 moves nothing and must not give NaN: where does the epsilon go?"
    zeroth = "The first step is step 1, not step 0: else the repair divides by 0."
    tiny = "With a gradient as small as epsilon, its place counts: it is added to the root."
    cases = [([2.0], 0.1, first), ([1.0, 1, 1], 0.5, hint), ([1.0, -1], 0.1, hint), ([0.0, 0], 0.1, zero)]
    cases += [([1e3, 1e-3], 0.01, hint), ([1e6, -1e6, 1e6], 1.0, hint), ([3e-8, 1e-8], 0.1, tiny)]
    cases += [(rng.normal(size=count), rate, hint) for count, rate in [(5, 0.1), (40, 0.003), (1500, 1.0)]]
    cases += [([0.0, 0, 5], 0.1, hint)]
    for gradients, rate, about in cases:
        gradients = np.array(gradients, float)
        expected = _adam(gradients, rate)
        tried = None if len(gradients) < 6 else f"adam_path({len(gradients)} gradients, {rate})"
        by_zero = zero if not gradients.any() else zeroth
        errors = {ZeroDivisionError: by_zero, FloatingPointError: by_zero}
        got = attempt.call(gradients, rate, errors=errors, tried=tried)
        found = attempt.numbers(got, attempt.tried)
        shape = f"One number a gradient is wanted, the weight after each step: {len(gradients)}."
        if found.shape != expected.shape:
            facts = {"got": f"shape {found.shape}", "expected": f"shape {expected.shape}"}
            about = "The start itself does not count." if found.shape == (len(gradients) + 1,) else shape
            attempt.reject(about, tried=attempt.tried, **facts)
        mistakes = {by_zero: np.full(expected.shape, np.nan), **_adam_mistakes(gradients, rate)}
        attempt.agree(found, expected, about, mistakes=mistakes, tried=attempt.tried, tolerance=1e-6)


def _adam(g: np.ndarray, rate: float, m=0.9, s=0.999, repair_m=True, repair_s=True, epsilon=1e-8, inside=False):
    """Adam by matrices: row t holds the weights with which step t sees each gradient so far."""
    t = np.arange(1, len(g) + 1)
    age = t[:, None] - t[None]
    mean, square = ((1 - keep) * np.where(age >= 0, keep ** np.maximum(age, 0.0), 0.0) for keep in (m, s))
    first = mean @ g / (1 - m**t if repair_m else 1.0)
    second = square @ g**2 / (1 - s**t if repair_s else 1.0)
    root = np.sqrt(second + epsilon) if inside else np.sqrt(second) + epsilon
    return -np.cumsum(rate * first / root)


def _adam_mistakes(g: np.ndarray, rate: float) -> dict[str, Any]:
    right = _adam(g, rate)
    return {
        "The weight steps against the gradient.": -right,
        "Neither m nor s is repaired: both start at 0 and are too small at first.": (
            _adam(g, rate, repair_m=False, repair_s=False)
        ),
        "m is not repaired: it starts at 0, too.": _adam(g, rate, repair_m=False),
        "s is not repaired: it starts at 0, too.": _adam(g, rate, repair_s=False),
        "The two numbers are exchanged: m forgets quickly (0.9), s slowly (0.999).": _adam(g, rate, m=0.999, s=0.9),
        "s keeps 0.999 of itself, not 0.99.": _adam(g, rate, s=0.99),
        "m keeps 0.9 of itself, not 0.99.": _adam(g, rate, m=0.99),
        "These are the steps: the weight after each is wanted, so add them up.": np.diff(right, prepend=0.0),
        "The first step is step 1: yours counts one too many.": _adam_late(g, rate),
        "The epsilon is added to the root, outside it.": _adam(g, rate, inside=True),
        "Where is the momentum? The step goes along m, not along the gradient.": _adam(g, rate, m=0.0),
        "This is plain SGD: the gradient is not divided by its usual size.": -np.cumsum(rate * g),
        "Divide by the root of s, not by s.": _over_square(g, rate),
    }


def _adam_late(g: np.ndarray, rate: float) -> np.ndarray:
    """With t counted from 2."""
    t = np.arange(1, len(g) + 1)
    change = (1 - 0.9**t) / (1 - 0.9 ** (t + 1)) / np.sqrt((1 - 0.999**t) / (1 - 0.999 ** (t + 1)))
    return np.cumsum(np.diff(_adam(g, rate), prepend=0.0) * change)


def _over_square(g: np.ndarray, rate: float) -> np.ndarray:
    t = np.arange(1, len(g) + 1)
    age = t[:, None] - t[None]
    mean, square = ((1 - keep) * np.where(age >= 0, keep ** np.maximum(age, 0.0), 0.0) for keep in (0.9, 0.999))
    return -np.cumsum(rate * (mean @ g / (1 - 0.9**t)) / (square @ g**2 / (1 - 0.999**t) + 1e-8))


# ---- E4.6 ------------------------------------------------------------------------------------------------


@exercise("E4.6")
def e4_6(attempt: Attempt) -> None:
    """`which_are_wrong(loss, weights, claimed)`: true gradients are known, and bugs are planted in some."""
    errors = {
        (ValueError, IndexError, TypeError): "An array may have any number of axes, none as well: use np.ndindex."
    }
    for about, hint, loss, weights, claimed, expected in _planted():
        tried = f"which_are_wrong(loss, weights, claimed), shapes {[array.shape for array in weights]}: {about}"
        before = copy.deepcopy(weights)
        got = attempt.call(loss, weights, claimed, tried=tried, errors=errors)
        for array, kept in zip(weights, before, strict=True):
            if not np.allclose(array, kept, rtol=1e-9, atol=1e-9):
                attempt.reject("The weights came back changed: undo each nudge.", tried=tried)
        mistakes = {
            f"Nothing was found wrong. {hint}": [False] * len(weights),
            f"All were found wrong. {hint}": [True] * len(weights),
            "True means wrong: the answers are the wrong way round.": [not wrong for wrong in expected],
        }
        attempt.agree(attempt.numbers(got, tried), expected, hint, mistakes=mistakes, tried=tried)


_COMPARE = "Print your difference quotients beside the claimed gradient of one small array."
_ENTRY = "Does your check look at every entry of every array?"
_SIZE = "What is allowed goes by the largest true entry of the same array, a thousandth of it."
_BOTH = "How exact is your quotient? Nudge to both sides, and mind that the loss is curved."
_STEP = "How large is your step beside the weight, and the change of the loss beside the loss?"


def _planted():
    """(what is special, hint, loss, weights, claimed gradients, which of them are wrong)."""
    rng = np.random.default_rng(6)
    a, b, c = rng.normal(size=(2, 3)), rng.normal(size=4), np.array(1.5)

    def off(array, index, by):
        changed = array.copy()
        changed[index] += by * np.abs(array).max()
        return changed

    yield "one has the wrong sign", _COMPARE, _bowl, [a, b], [a, -b], [False, True]
    yield "only the last entry is off", _ENTRY, _bowl, [b, a], [off(b, -1, 0.1), a], [True, False]
    yield "off by four thousandths", _SIZE, _bowl, [a, b], [off(a, (1, 2), 0.004), b], [True, False]
    yield "off by less than is called wrong", _SIZE, _bowl, [a, b], [off(a, (0, 0), 4e-4), b], [False, False]
    yield "one is twice as long", _COMPARE, _bowl, [b, a, b + 1], [2 * b, a, b + 1], [True, False, False]
    yield "a single number without axes", _COMPARE, _bowl, [c, b], [np.array(3.0), b], [True, False]
    yield "a curved loss", _BOTH, _quartic, [a, b], [a**3, b**3], [False, False]
    large = 900 + 100 * rng.random(3)
    yield "weights near 1,000", _STEP, _quartic, [large], [large**3], [False]
    yield "weights near 1,000, one off", _STEP, _quartic, [large], [off(large**3, 0, -0.01)], [True]
    zero = np.zeros((2, 2))
    yield "a gradient of zero", _BOTH, _bowl, [zero, b], [zero, b], [False, False]
    yield "a gradient of zero, claimed to be 0.001", _COMPARE, _bowl, [zero, b], [zero + 1e-3, b], [True, False]
    yield "a small gradient", _SIZE, _tilted, [a, b], [5e-4 * np.cos(a), 1e-3 * np.cos(b)], [True, False]


def _bowl(weights) -> float:
    return sum(np.sum(array**2) for array in weights) / 2


def _quartic(weights) -> float:
    return sum(np.sum(array**4) for array in weights) / 4


def _tilted(weights) -> float:
    return 1e-3 * sum(np.sum(np.sin(array)) for array in weights)
