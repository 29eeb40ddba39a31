"""Checks for lesson 05, a CNN classifier."""

from typing import Any

import numpy as np
import scipy.special
from sklearn.metrics import precision_recall_fscore_support

from course_utils.checks import Attempt, exercise


@exercise("E5.1")
def e5_1(attempt: Attempt) -> None:
    """`softmax(logits)`: compared with SciPy's, first on small logits, then on huge ones."""
    rng = np.random.default_rng(1)
    small = np.array([[1.0, 2, 4], [3, -1, 0.5]])
    for logits in [small, rng.normal(size=(5, 3)), 3 * rng.normal(size=(7, 10))]:
        hint = "Every number of a row is turned into a positive one, and divided by the sum of its row."
        mistakes, errors = _softmax_mistakes(logits), {ValueError: _KEEP_AXIS}
        expected = scipy.special.softmax(logits, axis=-1)
        attempt.compare((logits,), expected, hint, mistakes=mistakes, errors=errors)
    high = np.array([[1000.0, 1001, 999], [2, 1, 0]])
    low = np.array([[-1000.0, -1001, -999], [-5000, -5000, -5000]])
    far = np.array([[0.0, 1001, 1000, -1000]])
    overflow = (
        "Exponentials of large numbers are infinite. What could you subtract from a row that leaves its"
        " probabilities as they are?"
    )
    vanish = "Exponentials of numbers far below zero all vanish: the largest logit of a row should never be far from 0."
    for logits, hint in [(high, overflow), (low, vanish), (far, overflow)]:
        shifted = np.exp(logits - logits.max())
        mistakes = {"Each row has its own largest logit.": shifted / shifted.sum(axis=-1, keepdims=True)}
        errors = {OverflowError: overflow, ZeroDivisionError: vanish}
        expected = scipy.special.softmax(logits, axis=-1)
        attempt.compare((logits,), expected, hint, mistakes=mistakes, errors=errors)


_KEEP_AXIS = (
    "One number for each row has shape (n,), which does not line up with (n, classes): keep the axis you went along,"
    " with length 1."
)


def _softmax_mistakes(logits: np.ndarray) -> dict[str, Any]:
    powers = np.exp(logits)
    sums, largest = powers.sum(axis=-1, keepdims=True), logits.max(axis=-1, keepdims=True)
    shares = logits / logits.sum(axis=-1, keepdims=True)
    return {
        "Each row is one picture: go along its classes, not down the batch.": powers / powers.sum(axis=0),
        "Each row adds up to one by itself, not all rows together.": powers / powers.sum(),
        "Shares of the logits can be negative: where is the exponential?": shares,
        "These are exponentials, but a row of them does not add up to one.": powers,
        "These are the logarithms of the probabilities.": np.log(powers / sums),
        "This is the sigmoid, which looks at each logit alone: the probabilities of a row should add up to one.": (
            scipy.special.expit(logits)
        ),
        "The largest logit should get the largest probability.": (1 / powers) / (1 / powers).sum(-1, keepdims=True),
        "This is all or nothing: a soft maximum gives every class its share.": np.eye(logits.shape[1])[
            logits.argmax(1)
        ],
        "What is subtracted above must be subtracted in the sum as well.": np.exp(logits - largest) / sums,
    }


@exercise("E5.2")
def e5_2(attempt: Attempt) -> None:
    """`cross_entropy_gradient(logits, labels)`: compared with differences of SciPy's logsumexp."""
    rng = np.random.default_rng(2)
    one, several = np.array([[1.0, 2, 4]]), rng.normal(size=(5, 3))
    rows = "Two indices are needed, the row of the picture and the column of its label."
    columns = "A batch need not contain every class: a one-hot row is as long as a row of logits."
    cases = [(one, [1], {IndexError: rows, ValueError: columns})]
    cases += [(several, [2, 0, 1, 1, 2], {ValueError: _KEEP_AXIS}), (several, [1, 0, 0, 1, 0], {ValueError: columns})]
    cases += [(rng.normal(size=(n, classes)), rng.integers(0, classes, n), {}) for n, classes in [(4, 4), (9, 10)]]
    for logits, labels, errors in cases:
        labels = np.array(labels, np.int64)
        hint = "Nudge one logit on paper: how do its own probability and the label change the loss?"
        mistakes = _gradient_mistakes(logits, labels)
        attempt.compare((logits, labels), _by_differences(logits, labels), hint, mistakes=mistakes, errors=errors)
    huge, labels = np.array([[1000.0, 1001, 999], [2, 1, 0], [-1000, 0, -1000]]), np.array([2, 0, 0])
    hint = "Logits may be huge: the softmax inside must be the stable one of E5.1."
    errors = {OverflowError: hint, ZeroDivisionError: hint}
    attempt.compare((huge, labels), _by_differences(huge, labels), hint, errors=errors)


def _by_differences(logits: np.ndarray, labels: np.ndarray, step: float = 1e-5) -> np.ndarray:
    def loss(logits):
        return np.mean(scipy.special.logsumexp(logits, axis=1) - logits[np.arange(len(labels)), labels])

    gradient = np.zeros(logits.shape)
    for index in np.ndindex(logits.shape):
        nudge = np.zeros(logits.shape)
        nudge[index] = step
        gradient[index] = (loss(logits + nudge) - loss(logits - nudge)) / (2 * step)
    return gradient


def _gradient_mistakes(logits: np.ndarray, labels: np.ndarray) -> dict[str, Any]:
    """Every mistake divided by the number of pictures and, with one more sentence, not divided."""
    count, classes = logits.shape
    probabilities, one_hot = scipy.special.softmax(logits, axis=1), np.eye(classes)[labels]
    right = probabilities - one_hot
    mixed, losses = probabilities - one_hot.max(axis=0), -np.log(probabilities[one_hot > 0])
    by_picture = {
        "The sign is the wrong way round: raising the logit of the right class lowers the loss.": -right,
        "These are the probabilities: where does the label come in?": probabilities,
        "The one-hot row belongs with the probabilities, not with the logits.": logits - one_hot,
        "The logits of the wrong classes have a gradient too: they should fall.": one_hot * right,
        "This is the gradient with respect to the probabilities: go one step further back, to the logits.": (
            -one_hot / probabilities
        ),
        "This leaves out the sum over all classes in the softmax, which every logit is part of.": -one_hot,
        "The probabilities come from a softmax, not from sigmoids.": scipy.special.expit(logits) - one_hot,
        "The probabilities go along the classes of a row, not down the batch.": (
            scipy.special.softmax(logits, axis=0) - one_hot
        ),
        "Each row has one label, its own: here every row met the labels of all.": mixed,
    }
    if labels.max() < count:
        met = np.isin(np.arange(count), labels)[:, None]
        by_picture["Labels number the columns, not the rows."] = probabilities - met
    more = " And the loss is a mean over the batch."
    return {
        "This is the gradient of the sum of the losses; the loss is their mean over the batch.": right,
        "The mean is over the pictures; the classes are not counted in it.": right / right.size,
        "This is the loss; its gradient has one number for each logit.": np.mean(losses),
        "These are the losses; the gradient has one number for each logit.": losses,
        "Each picture keeps its own row of gradients.": right.mean(axis=0),
        **{hint: value / count for hint, value in by_picture.items()},
        **{hint + more: value for hint, value in by_picture.items()},
    }


@exercise("E5.3")
def e5_3(attempt: Attempt) -> None:
    """`dropout(features, rate, random)`: number by number, then random numbers of exactly 0."""
    rng = np.random.default_rng(4)
    cases = [(np.array([[1.0, -2, 3], [4, 5, -6]]), 0.3, np.array([[0.1, 0.6, 0.9], [0.4, 0.75, 0.2]]))]
    for shape, rate in [((10,), 0.4), ((6, 5), 0.0), ((2, 5, 5, 3), 0.9), ((20, 30), 0.1)]:
        cases.append((rng.normal(size=shape), rate, rng.random(shape)))
    for features, rate, random in cases:
        expected = np.zeros(features.shape)
        for index in np.ndindex(features.shape):
            if not random[index] < rate:
                expected[index] = features[index] / (1 - rate)
        tried = f"dropout(features of shape {features.shape}, {rate}, random)"
        if features.size <= 6:
            tried = f"dropout({features.tolist()}, {rate}, {random.tolist()})"
        hint = "Take three numbers and a rate of 0.25 on paper: which stay, and how much larger do they become?"
        got = attempt.numbers(attempt.call(features, rate, random, tried=tried), tried)
        mistakes = _dropout_mistakes(features, rate, random)
        if rate and _other_values(got, expected) and _draws_itself(attempt):
            hint, mistakes = "The result does not follow `random`: use the numbers given, draw none.", {}
        attempt.agree(got, expected, hint, mistakes=mistakes, tried=tried)
    features, random = np.array([3.0, -1, 2, 5]), np.array([0.0, 0.5, 0, 0.999])
    hint = "At a rate of 0 everything stays, even where the random number is exactly 0: look at your comparison."
    attempt.compare((features, 0.0, random), features, hint)


def _other_values(got: np.ndarray, expected: np.ndarray) -> bool:
    return got.shape == expected.shape and not np.allclose(got, expected)


def _draws_itself(attempt: Attempt) -> bool:
    """Whether an answer changes from call to call, or stays although the random numbers change.

    Tried on so many numbers that two draws cannot agree by chance.
    """
    features, random = np.ones((20, 30)), np.random.default_rng(5).random((20, 30))
    given = random, random, np.flip(random)
    first, again, other = (attempt.numbers(attempt.call(features, 0.5, numbers)) for numbers in given)
    if np.count_nonzero(first) == features.size:  # nothing was dropped, so nothing was drawn either
        return False
    return not np.array_equal(first, again) or np.array_equal(first, other)


def _dropout_mistakes(features: np.ndarray, rate: float, random: np.ndarray) -> dict[str, Any]:
    kept, scale = random >= rate, 1 / (1 - rate)
    first_of_row, first_of_item = random[..., :1], random.reshape(len(random), -1)[:, 0]
    first_of_item = first_of_item.reshape(-1, *[1] * (random.ndim - 1))
    inverse = 1 / max(rate, 1e-9)
    turned = "The wrong ones were dropped: a number goes where its random number is below the rate."
    alone = "Each number stays or goes by itself, not with its whole row."
    return {
        "What stays is not scaled: the mean of the features should stay as it was.": features * kept,
        "What stays should become larger, to make up for what is gone.": features * kept * (1 - rate),
        "Scale by the share that stays, not by the share that goes.": features * kept * inverse,
        "The scale comes from the rate, not from how many happened to stay.": features * kept / max(kept.mean(), 1e-9),
        turned: features * ~kept * scale,
        turned + " And what stays is scaled.": features * ~kept,
        "The rate is the share that goes, not the share that stays.": features * ~kept * inverse,
        "As many go, but not those: a number goes where its random number is below the rate.": (
            features * (random < 1 - rate) * scale
        ),
        "This is the mask alone: where are the features?": kept,
        "This is the scaled mask alone: where are the features?": kept * scale,
        "What is dropped becomes 0.": np.where(kept, features * scale, features),
        "Nothing was dropped.": features,
        "All were scaled and none dropped.": features * scale,
        "What is dropped becomes 0; the shape stays.": features[kept] * scale,
        alone: features * (first_of_row >= rate) * scale,
        alone + " The shape of `random` says so.": features * (first_of_item >= rate) * scale,
    }


@exercise("E5.4")
def e5_4(attempt: Attempt) -> None:
    """`early_stopping(losses, patience)`: from the distance to the lowest loss so far, epoch by epoch."""
    cases = [*_STOPPING_CASES]
    rng = np.random.default_rng(5)
    for _ in range(40):
        losses = (rng.integers(1, 12, rng.integers(4, 14)) / 10).tolist()
        cases.append((losses, int(rng.integers(1, 5)), "Each rule alone is right; look at how they work together."))
    got = [_two_epochs(attempt, losses, patience) for losses, patience, _ in cases]
    expected = [_stopping_epochs(losses, patience) for losses, patience, _ in cases]
    explained = None
    for hint, rule in _STOPPING_MISTAKES:
        if explained is None and got == [rule(losses, patience) for losses, patience, _ in cases]:
            explained = hint
    for (losses, patience, hint), one, right in zip(cases, got, expected, strict=True):
        attempt.agree(one, right, explained or hint, tried=f"early_stopping({losses}, {patience})")


def _stopping_epochs(losses: list[float], patience: int) -> tuple[int, int]:
    """The epoch to keep and the last epoch trained: the reference, which the tests compare with Keras.

    losses: at least one, no NaN; patience: 1 or more. Both epochs count from 0. Training stops after the
    first epoch that lies `patience` epochs behind the (first) lowest loss so far, else after the last.
    """
    for epoch in range(len(losses)):
        if epoch - np.argmin(losses[: epoch + 1]) >= patience:
            break
    return int(np.argmin(losses[: epoch + 1])), epoch


_STOPPING_CASES = [
    ([0.9, 0.7, 0.5], 2, "Every loss is a new lowest here: nothing stops training before the last epoch."),
    ([0.9, 0.5, 0.6, 0.7, 0.8, 0.1], 3, "Go through it by hand: the lowest so far, and the epochs since."),
    ([0.5], 1, "After a single epoch, that epoch is all there is."),
    ([0.9, 0.6, 0.7], 3, "Patience does not run out here: training goes on to the last epoch."),
    ([0.9, 0.6, 0.7, 0.4], 1, "With a patience of 1 the first epoch without a new lowest loss is the last."),
    ([0.9, 0.5, 0.6, 0.4, 0.6, 0.7, 0.3], 2, "A new lowest loss sets the patience back to its start."),
    ([0.5, 0.8, 0.7, 0.6, 0.9], 3, "Lower than the epoch before is not yet the lowest."),
    ([0.5, 0.5, 0.5, 0.4], 2, "An equal loss is no new lowest: the first such epoch is kept."),
    ([0.6, 0.7], 1, "Patience runs out in the very last epoch here."),
]


def _two_epochs(attempt: Attempt, losses: list[float], patience: int) -> tuple[int, int]:
    tried, given = f"early_stopping({losses}, {patience})", list(losses)
    got = attempt.call(given, patience, tried=tried)
    if given != losses:
        attempt.reject("The function changed its input; work on a copy of the list.", tried=tried, got=given)
    if _numbers(got).shape != (2,):
        attempt.reject("Return two epochs: the one to keep, the one after which training stops.", tried=tried, got=got)
    if any(epoch is None for epoch in got):
        attempt.reject("Where patience never runs out, training stops after the last epoch.", tried=tried, got=got)
    if not all(isinstance(epoch, (int, np.integer)) for epoch in got):
        hint = "Return the epoch of the lowest loss, not the loss." if got[0] in losses else "Epochs are whole numbers."
        attempt.reject(hint, tried=tried, got=got, expected="two whole numbers")
    return int(got[0]), int(got[1])


def _stop(losses: list[float], patience: int, improves, resets: bool = True) -> int:
    """The last epoch trained under another idea of improvement, `improves(earlier losses, loss)`."""
    waited = 0
    for epoch, loss in enumerate(losses):
        if epoch and not improves(losses[:epoch], loss):
            waited += 1
        elif resets:
            waited = 0
        if waited >= patience:
            return epoch
    return len(losses) - 1


def _below_all(earlier: list[float], loss: float) -> bool:
    return loss < min(earlier)


def _not_above_any(earlier: list[float], loss: float) -> bool:
    return loss <= min(earlier)


def _below_previous(earlier: list[float], loss: float) -> bool:
    return loss < earlier[-1]


def _not_above_previous(earlier: list[float], loss: float) -> bool:
    return loss <= earlier[-1]


def _stopping_at(stop, keep=np.argmin):
    """The rule that stops at `stop(losses, patience)` and keeps `keep(losses until then)`."""

    def rule(losses, patience):
        last = stop(losses, patience)
        return int(keep(losses[: last + 1])), last

    return rule


def _changed(change):
    """The rule that returns `change(best, last)` of the right answer."""
    return lambda losses, patience: change(*_stopping_epochs(losses, patience))


def _latest_lowest(losses: list[float]) -> int:
    return len(losses) - 1 - int(np.argmin(losses[::-1]))


def _latest_fall(losses: list[float]) -> int:
    return max(epoch for epoch in range(len(losses)) if epoch == 0 or losses[epoch] < losses[epoch - 1])


def _runs_on(losses: list[float], patience: int) -> tuple[int, int]:
    """As if the loop went on after stopping, and noted each later epoch without patience."""
    out = [epoch for epoch in range(len(losses)) if epoch - np.argmin(losses[: epoch + 1]) >= patience]
    return int(np.argmin(losses)), out[-1] if out else len(losses) - 1


def _counts_back(losses: list[float], patience: int) -> tuple[int, int]:
    last = _stopping_epochs(losses, patience)[1]
    return last - patience, last


_FROM_ZERO = "Epochs are counted from 0."
_EARLY = "This stops one epoch early: count the epochs that bring no new lowest loss, beginning with 1."
_LATE = "This stops one epoch late: `patience` epochs without a new lowest loss are enough."
_PREVIOUS = "Compare with the lowest loss so far, not with the epoch before."
_EQUAL = "An equal loss is no new lowest: the first such epoch is kept, and patience goes on running out."
_STOPPING_MISTAKES = [
    ("The epoch to keep comes first, the last epoch second.", _changed(lambda best, last: (last, best))),
    ("Keep the weights of the lowest loss, not the last ones.", _changed(lambda best, last: (last, last))),
    (
        "No one sees the future: the epoch with the lowest loss of all may come after training has stopped.",
        lambda losses, patience: (int(np.argmin(losses)), _stopping_epochs(losses, patience)[1]),
    ),
    ("Once training has stopped, no later epoch counts: leave the loop.", _runs_on),
    ("This always trains to the end: where does patience come in?", _stopping_at(lambda losses, _: len(losses) - 1)),
    (_FROM_ZERO, _changed(lambda best, last: (best + 1, last + 1))),
    ("The last epoch is one too high. " + _FROM_ZERO, _changed(lambda best, last: (best, last + 1))),
    ("The last epoch is one too low: return the last one trained.", _changed(lambda best, last: (best, last - 1))),
    ("Where patience never runs out, the lowest loss is not `patience` epochs behind the last.", _counts_back),
    (_EARLY, _stopping_at(lambda losses, patience: _stop(losses, patience - 1, _below_all))),
    (_EARLY, _stopping_at(lambda losses, patience: _stop(losses, max(patience - 1, 1), _below_all))),
    (_LATE, _stopping_at(lambda losses, patience: _stop(losses, patience + 1, _below_all))),
    (
        "Only epochs in a row count: a new lowest loss sets the patience back to its start.",
        _stopping_at(lambda losses, patience: _stop(losses, patience, _below_all, resets=False)),
    ),
    (_PREVIOUS, _stopping_at(lambda losses, patience: _stop(losses, patience, _below_previous))),
    (_PREVIOUS, _stopping_at(lambda losses, patience: _stop(losses, patience, _not_above_previous))),
    (_PREVIOUS, _stopping_at(lambda losses, patience: _stop(losses, patience, _below_previous), _latest_fall)),
    (_EQUAL, _stopping_at(lambda losses, patience: _stop(losses, patience, _below_all), _latest_lowest)),
    (_EQUAL, _stopping_at(lambda losses, patience: _stop(losses, patience, _not_above_any))),
    (_EQUAL, _stopping_at(lambda losses, patience: _stop(losses, patience, _not_above_any), _latest_lowest)),
]


def _numbers(got: Any) -> np.ndarray:
    """What came back as floats, None as NaN; without a shape that fits anything where it is no array of numbers."""
    try:
        return np.asarray(got, dtype=float)
    except (ValueError, TypeError, OverflowError):
        return np.empty((0, 0))


@exercise("E5.5")
def e5_5(attempt: Attempt) -> None:
    """`precision_recall_f1(labels, answers, class_number)`: compared with scikit-learn's."""
    rng = np.random.default_rng(3)
    some_labels = [2, 2, 2, 2, 2, 0, 0, 1, 1, 0, 0, 0]
    some_answers = [2, 2, 2, 0, 1, 0, 2, 1, 1, 0, 0, 1]
    never_answered = "The class is never answered: its precision would be 0 / 0, which is to count as 0."
    never_there = "The class never occurs: its recall would be 0 / 0, which is to count as 0."
    never_right = "No answer is right: F1 would be 0 / 0, which is to count as 0."
    cases = [(some_labels, some_answers, class_number, never_right) for class_number in (2, 0, 1)]
    cases += [([1, 0, 1, 0], [0, 0, 0, 0], 1, never_answered), ([0, 2, 2, 0], [1, 2, 0, 1], 1, never_there)]
    cases += [([1, 0, 2], [0, 1, 2], 1, never_right), ([0, 2, 2], [0, 2, 0], 5, never_answered)]
    for class_number in range(6):
        labels = rng.integers(0, 6, 60)
        cases += [(labels, np.where(rng.random(60) < 0.6, labels, rng.integers(0, 6, 60)), class_number, never_right)]
    for labels, answers, class_number, empty in cases:
        labels, answers = np.array(labels, np.int64), np.array(answers, np.int64)
        tried = f"precision_recall_f1({labels.tolist()}, {answers.tolist()}, {class_number})"
        if len(labels) > 12:
            tried = f"precision_recall_f1({len(labels)} labels, {len(labels)} answers, {class_number})"
        got = attempt.call(labels, answers, class_number, tried=tried, errors={ZeroDivisionError: empty})
        numbers = _three_numbers(attempt, got, tried)
        expected = _measures(labels, answers, class_number)
        nothing_there = class_number not in labels or class_number not in answers or not expected[0]
        wrong = ~np.isclose(numbers, expected)
        if nothing_there and (np.isnan(numbers).any() or (numbers[wrong] == 1).any()):
            attempt.reject(empty, tried=tried, got=numbers, expected=expected)
        hint = _measure_hint(labels, answers, class_number, numbers) if wrong.any() else ""
        attempt.agree(got, expected, hint, tried=tried)


def _measures(labels: np.ndarray, answers: np.ndarray, class_number: int) -> np.ndarray:
    scores = precision_recall_fscore_support(labels, answers, labels=[class_number], average=None, zero_division=0)
    return np.array([score[0] for score in scores[:3]])


def _three_numbers(attempt: Attempt, got: Any, tried: str) -> np.ndarray:
    numbers = _numbers(got)
    if numbers.shape != (3,):
        hint = "F1 is missing." if numbers.shape == (2,) else "Return three numbers: precision, recall, F1."
        attempt.reject(hint, tried=tried, got=got, expected="three numbers")
    return numbers


def _measure_hint(labels: np.ndarray, answers: np.ndarray, class_number: int, got: np.ndarray) -> str:
    """The hint of the first mistake that explains a wrong part of `got`: of all three, of a ratio, of F1."""
    expected = _measures(labels, answers, class_number)
    mistakes = [
        *_mistakes_of_all(labels, answers, class_number),
        *_mistakes_of_ratios(labels, answers, class_number),
        *_mistakes_of_f1(*expected),
    ]
    for part, value, hint in mistakes:
        if np.allclose(got[part], value) and not np.allclose(got[part], expected[part]):
            return hint
    return "Count on paper: pictures of `class_number`, pictures called `class_number`, and pictures that are both."


def _mistakes_of_all(labels: np.ndarray, answers: np.ndarray, class_number: int) -> list[tuple]:
    precision, recall, f1 = _measures(labels, answers, class_number)
    averages = [
        precision_recall_fscore_support(labels, answers, average=average, zero_division=0)[:3]
        for average in ("macro", "micro", "weighted")
    ]
    return [
        (slice(3), [100 * precision, 100 * recall, 100 * f1], "Give numbers from 0 to 1, not percent."),
        *[(slice(3), average, "These count every class: use `class_number`.") for average in averages],
        *[
            (
                slice(3),
                _measures(labels, answers, other),
                f"These are the numbers of class {other}: use `class_number`.",
            )
            for other in np.setdiff1d(labels, [class_number])
        ],
        (slice(2), [recall, precision], "Precision and recall are swapped: which one says how far to trust an answer?"),
    ]


def _mistakes_of_ratios(labels: np.ndarray, answers: np.ndarray, class_number: int) -> list[tuple]:
    there, called = labels == class_number, answers == class_number
    right, hits = np.count_nonzero(labels == answers), np.count_nonzero(there & called)
    negatives = np.count_nonzero(~there & ~called)
    precision, recall, _ = _measures(labels, answers, class_number)
    accuracy = "This is the accuracy over all classes: only what concerns `class_number` counts here."
    true_negatives = "Pictures that neither are nor were called `class_number` count in none of the three."
    mistakes = [
        (0, recall, "This is the recall: precision looks at all pictures that were called `class_number`."),
        (1, precision, "This is the precision: recall looks at all pictures that are of `class_number`."),
    ]
    for place, pictures in enumerate((called, there)):
        size = max(np.count_nonzero(pictures), 1)
        mistakes += [
            (place, right / len(labels), accuracy),
            (place, (hits + negatives) / len(labels), true_negatives),
            (place, (hits + negatives) / size, true_negatives),
            (place, right / size, "Right answers of other classes were counted."),
            (place, hits / len(labels), "Divide by some of the pictures, not by all of them."),
        ]
    mistakes += [(2, right / len(labels), accuracy), (2, (hits + negatives) / len(labels), true_negatives)]
    return mistakes


def _mistakes_of_f1(precision: float, recall: float, f1: float) -> list[tuple]:
    return [
        (2, (precision + recall) / 2, "F1 is the harmonic mean, which lies nearer the smaller of the two."),
        (2, np.sqrt(precision * recall), "F1 is the harmonic mean, not the geometric one."),
        (2, f1 / 2, "The mean of two equal numbers is that number; yours would be half of it."),
        (2, precision * recall, "The product of the two is only part of their harmonic mean."),
    ]
