"""Checks for lesson 08, generative adversarial networks."""

from typing import Any

import keras
import numpy as np
import scipy.special
import scipy.stats
import tensorflow as tf

from course_utils.checks import Attempt, exercise


@exercise("E8.1")
def e8_1(attempt: Attempt) -> None:
    """`optimal_discriminator(p, q)`: the share of p, number by number, then where one or both densities are 0."""
    rng = np.random.default_rng(1)
    cases = [(np.array([0.2, 0.1, 0.3]), np.array([0.2, 0.3, 0.1])), (np.array([0.4, 0.0]), np.array([0.0, 0.7]))]
    cases += [(rng.random(shape), rng.random(shape)) for shape in [(50,), (6, 7)]]
    hint = "At each point, what share of the numbers that turn up there are real ones?"
    for p, q in cases:
        attempt.compare((p, q), _share(p, q), hint, mistakes=_share_mistakes(p, q))
    empty = np.array([0.0, 0.5, 0.0]), np.array([0.0, 0.5, 0.3])
    hint = "Where both densities are 0 the quotient is 0 / 0: with nothing to go by, the answer is one half."
    errors = {ZeroDivisionError: hint}
    attempt.compare(empty, _share(*empty), hint, errors=errors)


def _share(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    shares = [0.5 if a == b == 0 else a / (a + b) for a, b in zip(p.flat, q.flat, strict=True)]
    return np.reshape(shares, p.shape)


def _share_mistakes(p: np.ndarray, q: np.ndarray) -> dict[str, Any]:
    share, total = _share(p, q), p + q
    ratio, logit = p / q, np.log(p / q)
    return {
        "This is the probability of fake: the discriminator returns that of real.": 1 - share,
        "This quotient can be larger than 1: a probability divides by all there is at the point, real and fake.": ratio,
        "This is the logit of the best discriminator: the probability is wanted, its sigmoid.": logit,
        "Half of the sum is the mean density: divide by the sum itself.": p / (total / 2),
        "This is all or nothing: the best answer says how likely each is.": (p > q).astype(float),
        "Each point is judged by itself: divide by the sum at that point, not by the sum over all points.": (
            p / total.sum()
        ),
        "This is a softmax of the densities: no exponential is needed.": scipy.special.expit(p - q),
    }


@exercise("E8.2")
def e8_2(attempt: Attempt) -> None:
    """`non_saturating_loss(logits)`: minus the mean of SciPy's `log_expit`, on small logits and far out."""
    rng = np.random.default_rng(2)
    hint = "Each fake costs minus the logarithm of the probability, sigmoid of its logit, of being taken for real."
    for logits in [np.array([[0.5]]), np.array([[1.0], [-2.0]]), rng.normal(size=(64, 1)), rng.normal(size=(9, 1)) * 3]:
        attempt.compare((logits,), _loss_of_fakes(logits), hint, mistakes=_non_saturating_mistakes(logits))
    low = "A fake that is caught for sure costs about minus its logit. Taking the logarithm of a probability that has"
    low += " been rounded to 0 gives infinity: look for a form that never computes the probability."
    high = "Here the loss should be next to 0: does your form compute an exponential of a large number on the way?"
    for logits, hint in [(np.array([[-1000.0], [0.0]]), low), (np.array([[1000.0], [800.0]]), high)]:
        errors = {OverflowError: hint, ValueError: hint, ZeroDivisionError: hint}
        attempt.compare((logits,), _loss_of_fakes(logits), hint, errors=errors)


def _loss_of_fakes(logits: np.ndarray) -> float:
    return -scipy.special.log_expit(logits).mean()


def _non_saturating_mistakes(logits: np.ndarray) -> dict[str, Any]:
    probability, loss = scipy.special.expit(logits), -scipy.special.log_expit(logits)
    saturating = scipy.special.log_expit(-logits)
    return {
        "This is the minimax loss, which saturates: the gradient vanishes where fakes are caught.": saturating.mean(),
        "This makes fakes look fake: it is the discriminator's loss on them.": -saturating.mean(),
        "The sign is the wrong way round: a loss goes down as fakes are taken for real.": -loss.mean(),
        "This is the sum over the fakes; the loss is their mean.": loss.sum(),
        "One number is wanted, the mean over the fakes.": loss,
        "This is the hinge loss of the generator, the mean logit with a minus.": -logits.mean(),
        "The logarithm of the mean is not the mean of the logarithms.": -np.log(probability.mean()),
        "This is the mean probability of being caught, without its logarithm.": 1 - probability.mean(),
    }


@exercise("E8.3")
def e8_3(attempt: Attempt) -> None:
    """`hinge_discriminator_loss(real_logits, fake_logits)`: from intervals by hand to random logits."""
    rng = np.random.default_rng(3)
    sure = "Real ones above 1 and fakes below -1 are told apart well enough: they cost nothing."
    hint = "Work one real and one fake by hand: how far is each from the place, 1 or -1, where it stops costing?"
    cases = [([2.0], [-3.0], sure), ([0.5], [0.25], hint), ([0.5, 3], [-0.5, 2], hint)]
    cases += [(rng.normal(size=n) * 2, rng.normal(size=m) * 2, hint) for n, m in [(16, 16), (8, 12), (64, 64)]]
    for real, fake, hint in cases:
        real, fake = (np.array(logits, np.float64).reshape(-1, 1) for logits in (real, fake))
        uneven = "Real and fake need not be equally many: take each mean by itself."
        expected = _distance_inside(real, 1) + _distance_inside(-fake, 1)
        mistakes = _hinge_mistakes(real, fake)
        attempt.compare((real, fake), expected, hint, mistakes=mistakes, errors={ValueError: uneven})


def _distance_inside(logits: np.ndarray, edge: float) -> float:
    """The mean distance by which logits fall short of the edge."""
    return sum(max(0.0, edge - float(logit)) for logit in logits.flat) / logits.size


def _hinge_mistakes(real: np.ndarray, fake: np.ndarray) -> dict[str, Any]:
    right = np.maximum(0, 1 - real).mean() + np.maximum(0, 1 + fake).mean()
    both = np.concatenate([np.maximum(0, 1 - real), np.maximum(0, 1 + fake)])
    return {
        "Real and fake are exchanged: real logits should rise, fake ones fall.": (
            np.maximum(0, 1 + real).mean() + np.maximum(0, 1 - fake).mean()
        ),
        "Without the maximum with 0, what is told apart well goes on counting.": (1 - real).mean() + (1 + fake).mean(),
        "The maximum belongs to each logit, before the mean.": max(0, 1 - real.mean()) + max(0, 1 + fake.mean()),
        "The margin is missing: a logit should be beyond 1 or -1, not only beyond 0.": (
            np.maximum(0, -real).mean() + np.maximum(0, fake).mean()
        ),
        "This is the cross-entropy, which is never quite 0.": (
            np.logaddexp(0, -real).mean() + np.logaddexp(0, fake).mean()
        ),
        "This is half of it: the two means are added.": right / 2,
        "The means of real and fake are added; this is one mean over all.": both.mean(),
        "These are sums over the batch; the loss adds two means.": both.sum(),
        "The fakes are missing.": np.maximum(0, 1 - real).mean(),
        "The real ones are missing.": np.maximum(0, 1 + fake).mean(),
        "This is the generator's hinge loss.": -fake.mean(),
        "The hinge is not squared here.": (np.maximum(0, 1 - real) ** 2).mean() + (np.maximum(0, 1 + fake) ** 2).mean(),
    }


@exercise("E8.4")
def e8_4(attempt: Attempt) -> None:
    """`gradient_penalty(discriminator, real, fake, mix)`: discriminators whose gradients are known in closed form."""
    rng = np.random.default_rng(4)
    hint = "One gradient a picture, of its own shape; its length over all its pixels; how far is that from 1?"
    for shape, kind in [((1, 2), "plane"), ((5, 2), "bowl"), ((4, 6, 6, 1), "plane"), ((8, 6, 6, 1), "bowl")]:
        real, fake = rng.random(shape).astype(np.float32), rng.random(shape).astype(np.float32)
        mix = rng.random((shape[0], *[1] * (len(shape) - 1))).astype(np.float32)
        weights = 0.5 + rng.random(shape[1:]).astype(np.float32)
        tried = f"gradient_penalty({kind}, real and fake of shape {shape}, mix of shape {mix.shape})"
        tensors = [keras.ops.convert_to_tensor(array) for array in (real, fake, mix)]
        got = attempt.call(_DISCRIMINATORS[kind](weights), *tensors, tried=tried, errors=_PENALTY_ERRORS)
        slopes = {name: _slopes(kind, weights, real, fake, share) for name, share in _places(mix).items()}
        expected = np.mean((_lengths(slopes["mixed"]) - 1) ** 2)
        attempt.agree(got, expected, hint, mistakes=_penalty_mistakes(slopes), tried=tried, tolerance=1e-4)
    # Lengths below 1, which the lengths above seldom have: here a one-sided penalty is 0.
    _penalty_of_short_slopes(attempt)
    _penalty_is_trained_through(attempt)


def _penalty_of_short_slopes(attempt: Attempt) -> None:
    weights = np.full((2, 3), 0.1, np.float32)
    points = [np.zeros((4, 2, 3), np.float32), np.ones((4, 2, 3), np.float32), np.full((4, 1, 1), 0.5, np.float32)]
    tried = "gradient_penalty(a plane whose slope is 0.1 at each pixel, 4 real and 4 fake of shape (2, 3), mix 0.5)"
    got = attempt.call(_plane(weights), *map(keras.ops.convert_to_tensor, points), tried=tried, errors=_PENALTY_ERRORS)
    slopes = np.full((4, 6), 0.1)
    mistakes = _penalty_mistakes({"mixed": slopes, "turned": slopes, "real": slopes, "fake": slopes})
    attempt.agree(got, np.mean((_lengths(slopes) - 1) ** 2), "A slope below 1 costs as well.", mistakes=mistakes)


def _penalty_is_trained_through(attempt: Attempt) -> None:
    """A discriminator of slope 0, as an untrained one may have: the penalty there, and its gradient by the weights."""
    weights, points = keras.Variable(np.ones((2, 3), np.float32)), keras.ops.zeros((4, 2, 3))
    tried = "gradient_penalty(a discriminator that is flat at these points, 4 real, 4 fake, mix 0)"
    with tf.GradientTape() as tape:
        arguments = (_bowl(weights), points, points, keras.ops.zeros((4, 1, 1)))
        got = attempt.call(*arguments, tried=tried, errors=_PENALTY_ERRORS)
        penalty = keras.ops.convert_to_tensor(got) if keras.ops.is_tensor(got) else None
    attempt.agree(got, 1.0, "Where all slopes are 0 each length is 0, which is 1 away from 1.", tried=tried)
    slopes = None if penalty is None else tape.gradient(penalty, weights.value)
    if slopes is None:
        hint = "No gradient reaches the discriminator's weights, so it could not learn from this: stay in tensors."
        attempt.reject(hint, tried=tried, got="no gradient by the weights")
    if not np.isfinite(np.asarray(slopes)).all():
        hint = "At length 0 the square root is infinitely steep, and one such picture turns all weights into NaN: add a"
        attempt.reject(f"{hint} tiny epsilon under the root.", tried=tried, got="a gradient by the weights of NaN")


def _plane(weights: np.ndarray):
    """D(x) = w.x + 3, whose gradient is w everywhere."""
    return lambda points: _sum_of_points(weights * points) + 3


def _bowl(weights):
    """D(x) = sum of w x^2 / 2, whose gradient is w x."""
    return lambda points: _sum_of_points(weights * points * points / 2)


def _sum_of_points(values):
    return keras.ops.sum(keras.ops.reshape(values, (values.shape[0], -1)), axis=1, keepdims=True)


_DISCRIMINATORS = {"plane": _plane, "bowl": _bowl}
_PENALTY_ERRORS = {
    (TypeError, ValueError, AttributeError): (
        "Did the gradient come back as None? A tape follows variables by itself, but a tensor only after"
        " `tape.watch(tensor)`, which must come before the tensor is used."
    )
}


def _places(mix: np.ndarray) -> dict[str, np.ndarray]:
    return {"mixed": mix, "turned": 1 - mix, "real": np.ones_like(mix), "fake": np.zeros_like(mix)}


def _slopes(kind: str, weights: np.ndarray, real: np.ndarray, fake: np.ndarray, share: np.ndarray) -> np.ndarray:
    """The gradient at share * real + (1 - share) * fake, one row a picture: (n, pixels)."""
    points = share * real + (1 - share) * fake
    slopes = weights * points if kind == "bowl" else np.broadcast_to(weights, points.shape)
    return slopes.reshape(len(points), -1).astype(np.float64)


def _lengths(slopes: np.ndarray) -> np.ndarray:
    return np.sqrt((slopes**2).sum(axis=1))


def _penalty_mistakes(slopes: dict[str, np.ndarray]) -> dict[str, Any]:
    mixed, lengths = slopes["mixed"], _lengths(slopes["mixed"])
    return {
        "This is R1, the mean squared length: here the length should be 1, not 0.": np.mean(lengths**2),
        "The length is the square root of the sum of squares.": np.mean((lengths**2 - 1) ** 2),
        "The distance from 1 is squared.": np.mean(np.abs(lengths - 1)),
        "Lengths below 1 cancel those above: square before the mean.": np.mean(lengths - 1),
        "The distance from 1 is squared for each picture, before the mean.": (np.mean(lengths) - 1) ** 2,
        "This is the mean length: how far is it from 1?": np.mean(lengths),
        "One number is wanted: the mean over the pictures.": (lengths - 1) ** 2,
        "This is the sum over the pictures; the penalty is their mean.": np.sum((lengths - 1) ** 2),
        "The length goes over the pixels of each picture, not over the whole batch.": (
            (np.sqrt(np.sum(mixed**2)) - 1) ** 2
        ),
        "This looks at each pixel's slope by itself: a picture has one length, over all its pixels.": (
            np.mean((np.abs(mixed) - 1) ** 2)
        ),
        "Sum the squares over the pixels (`reduce_sum`); `reduce_mean` makes a picture's length depend on its size.": (
            np.mean((np.sqrt(np.mean(mixed**2, axis=1)) - 1) ** 2)
        ),
        "`reduce_mean` of the logits divides each slope by the number of pictures: leave the logits, or sum them.": (
            np.mean((lengths / len(lengths) - 1) ** 2)
        ),
        "This is one-sided and lets lengths below 1 pass: here the length should be 1 from either side.": (
            np.mean(np.maximum(0, lengths - 1) ** 2)
        ),
        "`mix` is the share of the real picture, not of the fake one.": np.mean((_lengths(slopes["turned"]) - 1) ** 2),
        "This is the gradient at the real pictures; it is wanted between real and fake.": (
            np.mean((_lengths(slopes["real"]) - 1) ** 2)
        ),
        "This is the gradient at the fakes; it is wanted between real and fake.": (
            np.mean((_lengths(slopes["fake"]) - 1) ** 2)
        ),
    }


@exercise("E8.5")
def e8_5(attempt: Attempt) -> None:
    """`largest_singular_value(matrix, vector, steps)`: compared with NumPy's singular value decomposition."""
    rng = np.random.default_rng(7)
    hint = "Multiply by the matrix and by its transpose in turn; how long does a unit vector become in the end?"
    cases = [(np.diag([3.0, 0.5]), hint), (np.array([[1.0, 2.0], [0.0, 1.0]]), _NOT_EIGEN)]
    cases.append(
        (np.array([[1.0, 2, 0], [0, 1, 1]]), "The matrix need not be square: mind which vector has which size.")
    )
    for shape in [(6, 4), (4, 6), (20, 20)]:
        left, _, right = np.linalg.svd(rng.normal(size=shape), full_matrices=False)
        cases.append(((left * 5 * 0.6 ** np.arange(min(shape))) @ right, hint))
    overflow = "The vector grows or shrinks with each step until the computer cannot hold it: bring it to length 1."
    cases += [(1e4 * cases[3][0], overflow), (1e-4 * cases[3][0], overflow)]
    for matrix, hint in cases:
        vector = np.ones(matrix.shape[1])
        tried = f"largest_singular_value(matrix of shape {matrix.shape}, vector of ones, 100)"
        if matrix.size <= 6:
            tried = f"largest_singular_value({matrix.tolist()}, {vector.tolist()}, 100)"
        sizes = "The matrix takes a vector of its columns to one of its rows; its transpose takes it back."
        errors = {ValueError: sizes, OverflowError: overflow}
        got = attempt.numbers(attempt.call(matrix, vector, 100, tried=tried, errors=errors), tried)
        if not np.isfinite(got).all():
            attempt.reject(overflow, tried=tried, got=got, expected=np.linalg.norm(matrix, 2))
        scale = np.linalg.norm(matrix, 2)
        mistakes = _singular_mistakes(matrix)
        if got.ndim == 0:  # compared on one scale, so that the small matrix is judged as strictly as the large
            ratios = {mistake: np.asarray(value) / scale for mistake, value in mistakes.items()}
            if not np.isclose(float(got), scale, rtol=1e-5):
                near = [mistake for mistake, value in ratios.items() if np.isclose(float(got) / scale, value)]
                attempt.reject(near[0] if near else hint, tried=tried, got=got, expected=scale)
        else:
            attempt.agree(got, scale, hint, mistakes=mistakes, tried=tried)
    _few_turns(attempt)


def _few_turns(attempt: Attempt) -> None:
    """What only an iteration gives: an estimate from below, and none of a direction that the vector lacks."""
    matrix, ones = np.diag([3.0, 2.5]), np.ones(2)
    decomposed = "This is the exact value, whatever the vector and the steps: iterate, without a decomposition."
    tried = f"largest_singular_value({matrix.tolist()}, {ones.tolist()}, 1)"
    got = attempt.numbers(attempt.call(matrix, ones, 1, tried=tried), tried)
    if got.ndim or got > 3 - 1e-3:
        attempt.reject(decomposed, tried=tried, got=got, expected="between 2.7 and 2.95")
    if got < 2.7:
        hint = "After one turn, there and back, the estimate should already be better than at the start."
        attempt.reject(hint, tried=tried, got=got, expected="between 2.7 and 2.95")
    second = np.array([0.0, 1.0])
    tried = f"largest_singular_value({matrix.tolist()}, {second.tolist()}, 20)"
    hint = f"This vector has no share in the direction that is stretched most, so no turn finds it. {decomposed}"
    attempt.compare((matrix, second, 20), 2.5, hint, mistakes={decomposed: 3.0}, tried=tried)


_NOT_EIGEN = "Multiplying by the matrix alone goes after eigenvalues: a singular value needs the transpose as well."


def _singular_mistakes(matrix: np.ndarray) -> dict[str, Any]:
    values = np.linalg.svd(matrix, compute_uv=False)
    vector = np.ones(matrix.shape[1]) / np.sqrt(matrix.shape[1])
    return {
        "This is the square of it: one step there and back multiplies by the singular value twice.": values[0] ** 2,
        "This is the root of the sum of all squares, the Frobenius norm, which is larger.": np.sqrt(np.sum(values**2)),
        "This is the smallest singular value.": values[-1],
        "This is the length of the matrix times the first vector: the steps should turn the vector first.": (
            np.linalg.norm(matrix @ vector)
        ),
        "This is the root of the singular value: take lengths, not lengths of lengths.": np.sqrt(values[0]),
        "The singular value is a length: did you normalise before measuring it?": 1.0,
    }


@exercise("E8.6")
def e8_6(attempt: Attempt) -> None:
    """`effective_classes(labels, classes)`: exponential of SciPy's entropy of the counts."""
    rng = np.random.default_rng(5)
    hint = "The share of each class, the entropy of the shares in nats, and its exponential."
    some = [0] * 5 + [1] * 3 + [2] * 2
    cases = [([0, 1, 2, 3], 4, hint), (some, 3, hint)]
    cases.append(([0, 0, 0, 0], 3, "A generator that makes one class only has one effective class."))
    cases.append(([0, 0, 2], 10, "A class that never occurs adds nothing: 0 log 0 is to count as 0."))
    cases += [(rng.choice(10, 500, p=rng.dirichlet(np.ones(10))), 10, hint) for _ in range(3)]
    for labels, classes, hint in cases:
        labels = np.array(labels, np.int64)
        shares = np.bincount(labels, minlength=classes) / len(labels)
        tried = f"effective_classes({labels.tolist() if len(labels) < 12 else 'many labels'}, {classes})"
        missing = "The logarithm of 0 is not a number to go on with: a class that never occurs adds nothing."
        got = attempt.numbers(attempt.call(labels, classes, tried=tried, errors={ValueError: missing}), tried)
        mistakes = _effective_mistakes(shares)
        if np.isnan(got).any():
            hint, mistakes = missing, {}
        attempt.agree(got, np.exp(scipy.stats.entropy(shares)), hint, mistakes=mistakes, tried=tried)


def _effective_mistakes(shares: np.ndarray) -> dict[str, Any]:
    entropy = scipy.stats.entropy(shares)
    return {
        "This is the entropy: its exponential is a number of classes.": entropy,
        "The sign is the wrong way round: entropy is minus the sum of share times logarithm.": np.exp(-entropy),
        "The logarithm is in base 2, the exponential in base e: use the same base in both.": np.exp(
            entropy / np.log(2)
        ),
        "This counts the classes that occur: how evenly do they?": np.count_nonzero(shares),
        "This is one over the sum of squared shares, another measure of evenness.": 1 / np.sum(shares**2),
        "This is a share of the classes: a number between 1 and the number of classes is wanted.": (
            np.exp(entropy) / len(shares)
        ),
        "Divide by the number of labels, to get shares that add up to 1.": 0.0,
    }


ILLNESSES = ("collapse", "saturated", "tanh", "real images", "dropout", "learning rate")
_WARD = {  # which illness each recorded run has; the lesson never reads this
    "A": "real images",
    "B": "collapse",
    "C": "learning rate",
    "D": "tanh",
    "E": "saturated",
    "F": "dropout",
}
_WOULD_SHOW = {
    "collapse": "A collapsed generator makes the same few clothes whatever the latents: diversity and classes are low,"
    " and yet the samples go on changing as training goes on",
    "saturated": "A saturated discriminator is right almost always, from early on: its loss lies near 0 while the"
    " generator's climbs",
    "tanh": "Where tanh makes pictures for data in [0, 1], the grey levels are off: what should be black is not",
    "real images": "A generator whose loss looks at real images gets no gradient: its samples stay noise, while"
    " both losses fall",
    "dropout": "With dropout left on, holes are torn into each picture afresh: the same latents drawn twice give"
    " different, grainy samples",
    "learning rate": "With too high a learning rate the losses leap up and down by large amounts",
}
_LOOK_AT = {
    "collapse": "how many different pictures do you count among its last samples?",
    "saturated": "how often is real ranked above fake, and which way do the two losses go?",
    "tanh": "how dark are the darkest places of its samples, compared with the data?",
    "real images": "how do its first samples differ from its last, and do both losses fall at once?",
    "dropout": "are its pictures smooth or grainy, and do those of the same latents, drawn twice, agree?",
    "learning rate": "how far do its losses jump from one moment to the next?",
}


@exercise("E8.7")
def e8_7(attempt: Attempt) -> None:
    """`diagnose()`: a dictionary from each of the six recorded runs to its illness."""
    got = attempt.call(tried="diagnose()")
    if not isinstance(got, dict) or set(got) != set(_WARD):
        hint = f"Return a dictionary with one illness for each of the runs {', '.join(_WARD)}."
        attempt.reject(hint, tried="diagnose()", got=got)
    got = {run: str(name) for run, name in got.items()}
    unknown = [name for name in got.values() if name not in ILLNESSES]
    if unknown:
        attempt.reject(f"An illness is one of {', '.join(map(repr, ILLNESSES))}.", tried="diagnose()", got=unknown[0])
    if len(set(got.values())) < len(ILLNESSES):
        twice = next(name for name in ILLNESSES if list(got.values()).count(name) > 1)
        runs = " and ".join(run for run in sorted(got) if got[run] == twice)
        attempt.reject(f"{_WOULD_SHOW[twice]}. Which one of {runs} does that? Each illness occurs once.", got=got)
    wrong = [run for run in _WARD if got[run] != _WARD[run]]
    if wrong:
        run = wrong[0]
        hint = f"{_WOULD_SHOW[got[run]]}. Look at run {run} again: {_LOOK_AT[_WARD[run]]}"
        right = f"{len(_WARD) - len(wrong)} of {len(_WARD)} runs are right"
        attempt.reject(hint, tried=f"run {run}: {got[run]}", got=right)
