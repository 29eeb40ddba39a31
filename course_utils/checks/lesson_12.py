"""Checks for lesson 12, restoration."""

from typing import Any

import numpy as np
import scipy.ndimage

from course_utils.checks import Attempt, exercise


@exercise("E12.1")
def e12_1(attempt: Attempt) -> None:
    """`noise_left(kernel, sigma)`: the length of the vector of weights, times sigma."""
    rng = np.random.default_rng(1)
    one = "A filter of one weight 1 changes nothing: all of the noise is left."
    equal = "Variances of independent numbers add up, each times its weight squared; the deviation is the root."
    unequal = "The weights differ here: which of them count how much?"
    large = "These weights do not add up to 1, and some are negative: no division by their sum is asked for."
    cases = [(np.ones((1, 1)), 25.0, one)]
    cases += [(np.array([[0.0, -1, 0], [-1, 4, -1], [0, -1, 0]]), 3.0, large)]
    cases += [(np.array([[1.0, 2, 1], [2, 4, 2], [1, 2, 1]]) / 16, 10.0, unequal)]
    cases += [(np.full((3, 3), 1 / 9), 25.0, equal), (np.full((5, 3), 1 / 15), 2.0, equal)]
    cases += [(rng.normal(size=sides), float(rng.uniform(0.1, 40)), large) for sides in [(1, 7), (4, 2), (5, 5)]]
    for kernel, sigma, hint in cases:
        count, total, squares = kernel.size, kernel.sum(), np.square(kernel).sum()
        expected = sigma * np.linalg.norm(kernel)
        mistakes = {
            "This is the variance: the deviation is its root.": sigma**2 * squares,
            "Sigma is a deviation: either square it before the root, or keep it outside.": np.sqrt(sigma * squares),
            "The sum of the squared weights needs its root, where sigma is not squared.": sigma * squares,
            "This is right for equal weights that add up to 1; here the weights themselves count.": (
                sigma / np.sqrt(count)
            ),
            "This divides by the number of weights: independent draws cancel less than that.": sigma / count,
            "This is what happens to a constant picture: noise cancels in part.": sigma * total,
            "The weights' sizes are added: that would be noise that is the same in all pixels.": (
                sigma * np.abs(kernel).sum()
            ),
            "This is the root of the mean of the squares: variances are added up, not averaged.": (
                sigma * np.sqrt(squares / count)
            ),
            "This is the largest singular value of the kernel as a matrix: take all its weights as one vector.": (
                sigma * np.linalg.norm(kernel, 2)
            ),
            "This is the spread of the weights about their mean: their squares count.": sigma * kernel.std(),
            "The weights were scaled to the sum 1 first: they come as they are.": expected / total if total else np.nan,
        }
        attempt.compare((kernel, sigma), expected, hint, mistakes=mistakes)


@exercise("E12.2")
def e12_2(attempt: Attempt) -> None:
    """`blur_row(row, kernel)`: SciPy's convolution, whose "reflect" repeats the end."""
    rng = np.random.default_rng(2)
    hint = (
        "Write down which samples lie below the kernel at the first place, with the row continued by its mirror image."
    )
    inside = "In the middle of the row no border is near: is every product there, and each with its own weight?"
    turned = "This kernel is not symmetric: out_i takes x_(i - a) with the weight k_a."
    length = "The result is as long as the row: how much must be added at each end first?"
    wide = "The kernel is as long as the row here: the mirror image is needed far beyond the end."
    cases = [(np.array([0.0, 0, 0, 6, 0, 0, 0]), np.array([1.0, 1, 1]) / 3, inside)]
    cases += [(np.array([0.0, 0, 0, 1, 0, 0, 0]), np.array([1.0, 2, 3]), turned)]
    cases += [(np.array([1.0, 2, 4, 8, 16]), np.array([1.0, 1, 1]), hint)]
    cases += [(np.array([1.0, 2, 4, 8, 16, 32]), np.array([1.0, 2, 3, 4, 5]), hint)]
    cases += [(np.array([3.0, 1, 2]), np.array([7.0]), length)]
    cases += [(rng.normal(size=n), rng.normal(size=k), wide if n == k else hint) for n, k in [(9, 7), (7, 7), (30, 5)]]
    for row, kernel, about in cases:
        expected = scipy.ndimage.convolve1d(row, kernel, mode="reflect")
        errors = {(ValueError, LookupError): length}
        attempt.compare((row, kernel), expected, about, mistakes=_row_mistakes(row, kernel), errors=errors)


def _row_mistakes(row: np.ndarray, kernel: np.ndarray) -> dict[str, Any]:
    def by(mode, kernel=kernel):
        return scipy.ndimage.convolve1d(row, kernel, mode=mode)

    mistakes = {
        "Beyond the ends this takes zeros: the ends come out too dark.": by("constant"),
        "This mirrors without the end pixel: it should come twice.": by("mirror"),
        "This wraps round: the left end mixes with the right one.": by("wrap"),
        "This repeats the end pixel for ever: the pixels before it should come back in turn.": by("nearest"),
        "The kernel lies the wrong way round: a convolution turns it, a correlation does not.": (
            by("reflect", kernel[::-1])
        ),
        "The kernel lies the wrong way round, and beyond the ends there are zeros.": by("constant", kernel[::-1]),
        "All the rest is left over: where the kernel hangs over the end belongs to the full convolution.": (
            np.convolve(row, kernel)
        ),
        "These are the places where the kernel lies wholly inside: continue the row first.": (
            np.convolve(row, kernel, "valid")
        ),
        "The kernel was scaled to the sum 1: take it as it comes.": by("reflect") / kernel.sum(),
    }
    for step in (-1, 1):
        moved = np.roll(by("reflect"), step)
        mistakes[f"The result is moved by one place to the {'left' if step < 0 else 'right'}."] = moved
    return mistakes


@exercise("E12.3")
def e12_3(attempt: Attempt) -> None:
    """`wiener_gain(kernel, noise_to_signal)`: the sums of the transform written out."""
    rng = np.random.default_rng(3)
    hint = "Print K for a kernel of one weight 1: it is 1 at each frequency, and the gain is 1 / (1 + ratio)."
    middle = (
        "The kernel's middle lies at place 0, what is left of it at the end of the row: what does np.roll do to it?"
    )
    complex_ = "This kernel is not symmetric: K is complex, and its conjugate stands above the line."
    lengths = "The kernel is shorter than the row: it needs zeros up to its length before the transform."
    cases = [(np.array([1.0]), np.full(4, 0.25), hint), (np.array([0.25, 0.5, 0.25]), np.full(8, 0.1), middle)]
    cases += [
        (np.array([0.0, 0, 0.8]), np.full(8, 0.5), complex_),
        (np.array([0.6, 0.3, 0.1]), np.full(9, 0.02), complex_),
    ]
    for count, size in [(12, 5), (15, 7), (9, 9)]:
        cases.append((rng.random(size) / size, rng.uniform(0.01, 0.5, count), complex_))
    for kernel, ratio, about in cases:
        tried = None if len(ratio) < 10 else f"wiener_gain(kernel {kernel.shape}, noise_to_signal {ratio.shape})"
        got = attempt.call(kernel, ratio, tried=tried, errors={(ValueError, LookupError): lengths})
        if isinstance(got, list | tuple) and all(isinstance(value, complex) for value in got):
            got = np.array(got)
        is_complex = type(got) is np.ndarray and got.dtype.kind == "c"
        array = got if is_complex else attempt.numbers(got, attempt.tried)
        expected, mistakes = _gain(kernel, ratio), _gain_mistakes(kernel, ratio)
        for part, name in ((np.real, "real"), (np.imag, "imaginary")):
            options = {"mistakes": {text: part(value) for text, value in mistakes.items()}}
            attempt.agree(part(array), part(expected), about, tried=f"{attempt.tried}, {name} part", **options)


def _spectrum(kernel: np.ndarray, count: int, middle: int | None = None) -> np.ndarray:
    """Sum over a of k_a exp(-2 pi i f a / count), with a = 0 at the kernel's middle."""
    places = np.arange(len(kernel)) - (len(kernel) // 2 if middle is None else middle)
    return np.exp(-2j * np.pi * np.outer(np.arange(count), places) / count) @ kernel


def _gain(kernel: np.ndarray, ratio: np.ndarray) -> np.ndarray:
    K = _spectrum(kernel, len(ratio))
    return K.conj() / ((K * K.conj()).real + ratio)


def _gain_mistakes(kernel: np.ndarray, ratio: np.ndarray) -> dict[str, Any]:
    K = _spectrum(kernel, len(ratio))
    power = np.abs(K) ** 2
    behind = _spectrum(kernel, len(ratio), 0)
    other_way = _spectrum(kernel, len(ratio), -(len(kernel) // 2))
    with np.errstate(all="ignore"):
        return {
            "This is the inverse filter: the noise does not count in it.": 1 / K,
            "K stands above the line where its conjugate should: the phases are added instead of taken back.": (
                K / (power + ratio)
            ),
            "Below the line K is not squared.": K.conj() / (np.abs(K) + ratio),
            "The ratio is one of powers already: it is not squared again.": K.conj() / (power + ratio**2),
            "The ratio belongs below the line once, not as a factor.": K.conj() / (power * ratio),
            "This lacks the conjugate of K above the line.": 1 / (power + ratio),
            "This is the share of the picture that comes through, K times the gain.": power / (power + ratio),
            "This is the gain's size alone: its phase is lost.": np.abs(K) / (power + ratio),
            "Below the line stands K squared with its phase, where its size is asked for.": K.conj() / (K**2 + ratio),
            "Signal to noise stands where noise to signal should.": K.conj() / (power + 1 / ratio),
            "The kernel begins at place 0: its middle should lie there.": behind.conj() / (power + ratio),
            "The kernel was moved the wrong way: its middle should come to place 0.": other_way.conj()
            / (power + ratio),
        }


@exercise("E12.4")
def e12_4(attempt: Attempt) -> None:
    """`hidden_error(clean, filled, mask)`: pictures and masks drawn, errors gathered value by value."""
    rng = np.random.default_rng(4)
    hint = "Square the differences, keep those in the hole, and divide each picture's sum by how many it has."
    channels = "There is more than one channel: each hidden pixel has as many hidden values."
    apart = "The pictures hide different numbers of pixels: each has a mean of its own."
    empty = "One picture has no hole: its error is 0, and nothing was divided by nothing."
    known = "The known pixels differ here as well: they do not count."
    cases = [
        ((1, 2, 2, 1), [2], False, hint),
        ((1, 3, 2, 3), [4], False, channels),
        ((3, 4, 5, 1), [1, 9, 4], False, apart),
    ]
    cases += [((2, 4, 4, 3), [5, 16], True, known), ((3, 3, 3, 2), [4, 0, 9], True, empty)]
    cases += [((4, 6, 5, 3), [1, 30, 12, 0], True, empty)]
    for shape, hidden, everywhere, about in cases:
        clean, filled, mask = _holed(rng, shape, hidden, everywhere)
        squares = np.square(filled - clean)
        expected = [squares[i][mask[i, ..., 0] > 0].mean() if count else 0.0 for i, count in enumerate(hidden)]
        tried = f"hidden_error(pictures of shape {shape}, {', '.join(map(str, hidden))} pixels hidden)"
        options = {"mistakes": _error_mistakes(squares, mask, np.array(expected)), "errors": {ZeroDivisionError: empty}}
        attempt.compare((clean, filled, mask), expected, about, tried=tried, **options)


def _holed(rng, shape: tuple[int, ...], hidden: list[int], everywhere: bool) -> tuple[np.ndarray, ...]:
    """Clean and filled pictures, and masks (n, h, w, 1) that hide so many pixels of each."""
    clean, error = rng.random(shape), rng.normal(size=shape)
    mask = np.zeros((len(hidden), shape[1] * shape[2]))
    for one, count in zip(mask, hidden, strict=True):
        one[rng.permutation(len(one))[:count]] = 1
    mask = mask.reshape(*shape[:3], 1)
    return clean, clean + (error if everywhere else error * mask), mask


def _error_mistakes(squares: np.ndarray, mask: np.ndarray, expected: np.ndarray) -> dict[str, Any]:
    axes, channels = (1, 2, 3), squares.shape[-1]
    hidden, known = (squares * mask).sum(axes), (squares * (1 - mask)).sum(axes)
    count, all_values = mask.sum(axes), squares[0].size
    with np.errstate(all="ignore"):
        return {
            "The pictures' errors were averaged: one number for each is asked for.": expected.mean(),
            "All hidden values of the batch share one mean: one number for each picture is asked for.": (
                hidden.sum() / (count.sum() * channels)
            ),
            "The sum is divided by all values of a picture: the hidden ones alone should count.": hidden / all_values,
            "The known pixels count as well: this is the plain squared error.": (hidden + known) / all_values,
            "These are the known pixels: the mask is 1 where the picture is hidden.": (
                known / (all_values - count * channels)
            ),
            "Each hidden pixel counts once, though it has several values: divide by the channels too.": hidden / count,
            "A picture without a hole gives NaN: 0 divided by 0. Its error is 0.": hidden / (count * channels),
            "These are sums: the mean over the hidden values is wanted.": hidden,
            "This is the root of the mean: no root is asked for.": np.sqrt(expected),
            "The squares came one by one: add them up for each picture.": squares * mask,
            "The mean over the channels is left open: one number for each picture.": (
                (squares * mask).sum(axis=(1, 2)) / np.maximum(count, 1)[:, np.newaxis]
            ),
        }


@exercise("E12.5")
def e12_5(attempt: Attempt) -> None:
    """`partial_sum(window, known, kernel, bias)`: products of the known pixels, one by one."""
    rng = np.random.default_rng(5)
    whole = "Where all is known, this is the plain sum of products, with the bias."
    part = (
        "The sum is scaled by the number of pixels below the kernel over that of the known ones; then comes the bias."
    )
    none = "Where nothing is known the result is 0, without the bias and without a division by 0."
    colour = "With channels, pixels are counted, not values: each is known in all channels or in none."
    nan = "What stands in the hole does not count, whatever it is: NaN times 0 is NaN."
    cases = [(3, 1, 9, False, whole), (3, 1, 4, False, part), (3, 3, 5, False, colour), (5, 2, 7, False, part)]
    cases += [(3, 1, 0, False, none), (3, 2, 0, True, none), (3, 1, 6, True, nan), (5, 3, 1, True, nan)]
    for size, channels, count, broken, hint in cases:
        window, kernel = rng.normal(size=(2, size, size, channels))
        known = np.zeros(size * size)
        known[rng.permutation(size * size)[:count]] = 1
        known = known.reshape(size, size)
        if broken:
            window[known == 0] = np.nan
        bias = 0.7
        tried = (
            f"partial_sum(window {window.shape}, {count} pixels known{', NaN in the others' * broken}, kernel, {bias})"
        )
        expected, mistakes = _partial(window, known, kernel, bias), _partial_mistakes(window, known, kernel, bias)
        errors = {ZeroDivisionError: none}
        attempt.compare((window, known, kernel, bias), expected, hint, mistakes=mistakes, errors=errors, tried=tried)


def _partial(window, known, kernel, bias: float) -> float:
    total = count = 0
    for place in np.argwhere(known):
        count += 1
        total += sum(w * x for w, x in zip(kernel[tuple(place)], window[tuple(place)], strict=True))
    return float(total * known.size / count + bias) if count else 0.0


def _partial_mistakes(window, known, kernel, bias: float) -> dict[str, Any]:
    plain = np.nansum(window * kernel * known[..., np.newaxis])
    size, count, channels = known.size, known.sum(), window.shape[-1]
    with np.errstate(all="ignore"):
        return {
            "Where nothing is known the bias does not count either: the result is 0.": bias if not count else np.nan,
            "NaN came out: 0 divided by 0, or NaN of the hole times 0.": np.nan
            if not count or np.isnan(window).any()
            else 0.0,
            "The hole counts as a picture: take the known pixels alone.": (window * kernel).sum() + bias,
            "Nothing is scaled up: the fewer pixels are known, the weaker is this sum.": plain + bias,
            "This is the mean of the known products: it should be scaled up to a whole window.": plain / count + bias,
            "The bias was scaled as well: it comes after.": (plain + bias) * size / count,
            "The share is upside down: the fewer are known, the more the sum is scaled up.": plain * count / size
            + bias,
            "The bias is missing.": plain * size / count,
            "Values were counted over pixels: the channels belong on neither side, or on both.": (
                plain * size * channels / count + bias
            ),
            "These are the known pixels' opposites: known is 1 where the picture may be used.": (
                np.sum(window * kernel * (1 - known)[..., np.newaxis]) * size / (size - count) + bias
            ),
            "A convolution layer does not turn its kernel round.": (
                np.nansum(window * kernel[::-1, ::-1] * known[..., np.newaxis]) * size / count + bias
            ),
        }
