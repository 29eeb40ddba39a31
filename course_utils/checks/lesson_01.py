"""Checks for lesson 01, images as arrays."""

import numpy as np
import scipy.ndimage
import skimage

from course_utils.checks import Attempt, exercise


def _called(attempt: Attempt, arguments: tuple, tried: str, dtype=None, errors=None) -> np.ndarray:
    """Call the answer; what comes back must be an array, of the dtype where one is asked for."""
    got = attempt.call(*arguments, tried=tried, errors=errors)
    if not isinstance(got, np.ndarray):
        attempt.reject("Return a NumPy array.", tried=tried, got=got, expected="an array")
    if dtype is not None and got.dtype != dtype:
        hint = "The dtype is part of the answer: convert at the very end with `.astype`."
        attempt.reject(hint, tried=tried, got=f"dtype {got.dtype}", expected=f"dtype {np.dtype(dtype)}")
    return got


@exercise("E1.1")
def e1_1(attempt: Attempt) -> None:
    """`to_float(picture)`: dtypes one by one, compared with scikit-image."""
    rng = np.random.default_rng(1)
    dim = rng.integers(10, 90, size=(4, 5))
    for dtype in ("uint8", "uint16", "bool", "float64", "float32", "float16"):
        whole = np.dtype(dtype).kind == "u"
        picture = (dim if whole else dim > 50 if dtype == "bool" else dim / 256).astype(dtype)
        tried = f"to_float(a dim picture of dtype {dtype}, shape {picture.shape})"
        remedy = "True is white already" if dtype == "bool" else "floats are in [0, 1] already"
        errors = None if whole else {ValueError: f"`np.iinfo` knows whole numbers alone: {remedy}."}
        got = _called(attempt, (picture,), tried, errors=errors)
        values = picture.astype(np.float64)
        top = float(np.iinfo(picture.dtype).max) if whole else 1.0
        mistakes = {
            "The brightest pixel of this picture is not white: divide by what white is for the dtype.": (
                values / values.max()
            ),
            "White is the largest number the dtype can hold; powers of two are one too many.": values / (top + 1),
            "White is not 255 for every dtype: how large can a number of this one get?": values / 255,
            "The values are still those of the file: white should be 1.": values,
        }
        if np.dtype(dtype).kind == "f":
            mistakes = {"Floats are in [0, 1] already: leave their values alone.": got}
        hint = "Divide by the value that means white for this dtype."
        expected = skimage.util.img_as_float64(picture)
        attempt.agree(got, expected, hint, mistakes=mistakes, tried=tried, tolerance=1e-6)
        if got.dtype != np.float32:
            hint = "The values are right; the course computes in float32, whatever came in."
            attempt.reject(hint, tried=tried, got=f"dtype {got.dtype}", expected="dtype float32")


@exercise("E1.2")
def e1_2(attempt: Attempt) -> None:
    """`from_elsewhere(batch)`: pixels picked one by one by their meaning."""
    rng = np.random.default_rng(2)
    for count, height, width in [(1, 2, 4), (2, 6, 6), (3, 5, 7), (1, 1, 1)]:
        batch = rng.integers(0, 256, size=(count, 3, height, width), dtype=np.uint8)
        tried = f"from_elsewhere(bytes of shape {batch.shape})"
        got = _called(attempt, (batch,), tried)
        expected = np.empty((count, height, width, 3))
        for n, r, c in np.ndindex(count, height, width):
            blue, green, red = (int(value) for value in batch[n, :, r, c])
            expected[n, r, c] = red / 255, green / 255, blue / 255
        swapped_axes = expected.transpose(0, 2, 1, 3)
        mistakes = {
            "Red and blue are still exchanged.": expected[..., ::-1],
            "Cutting the memory differently does not move an axis: reshape is not transpose.": (
                batch.reshape(expected.shape) / 255
            ),
            "The same goes for the channels: move the axis first, then turn it round.": (
                batch.reshape(expected.shape)[..., ::-1] / 255
            ),
            "The channels are still in front: the last axis should be the channel.": batch[:, ::-1] / 255,
            "The channels are in front, and in the order of before.": batch / 255,
            "Rows and columns are exchanged: height comes before width.": swapped_axes,
            "Rows and columns are exchanged, and so are red and blue.": swapped_axes[..., ::-1],
            "The values are still bytes: white should be 1.": expected * 255,
            "The picture came out upside down: turn the channel axis, not the rows.": expected[:, ::-1, :, ::-1],
            "The batch came out in reverse: turn the channel axis, not the first one.": expected[::-1, ..., ::-1],
        }
        hint = "Three steps: move the channel axis to the end, exchange blue and red, scale to [0, 1]."
        attempt.agree(got, expected, hint, mistakes=mistakes, tried=tried, tolerance=1e-6)
        if got.dtype != np.float32:
            attempt.reject("The values are right, the dtype is not.", tried=tried, got=got.dtype, expected="float32")


@exercise("E1.3")
def e1_3(attempt: Attempt) -> None:
    """`shrink(picture, factor)`: compared with SciPy's labelled means and with pixels by position."""
    rng = np.random.default_rng(4)
    sizes = [((4, 4, 1), 2), ((4, 6, 3), 2), ((4, 6, 3), 1), ((9, 12, 2), 3), ((7, 9, 3), 2), ((11, 8, 3), 3)]
    for shape, factor in sizes:
        picture = rng.random(shape)
        rows, columns = shape[0] // factor, shape[1] // factor
        whole = picture[: rows * factor, : columns * factor]
        labels = np.kron(np.arange(rows * columns).reshape(rows, columns), np.ones((factor, factor), int))
        means = [scipy.ndimage.mean(whole[..., k], labels, np.arange(rows * columns)) for k in range(shape[2])]
        expected = np.stack(means, axis=-1).reshape(rows, columns, shape[2])
        mistakes = {
            "This keeps one pixel of each square and drops the others; take the mean of all.": (
                whole[::factor, ::factor]
            ),
            "A mean, not a sum: the picture should stay as bright as it was.": expected * factor**2,
            "The channels are mixed: each keeps its own mean.": np.repeat(
                expected.mean(axis=-1, keepdims=True), shape[2], axis=-1
            ),
            "One number per square, but without its channels.": expected.mean(axis=-1),
            "The reshape cuts the memory in the wrong places: the pixels of a square do not lie in a row there.": (
                whole.reshape(rows, columns, factor * factor, shape[2]).mean(axis=2)
            ),
            "The axes you averaged are not the ones inside the squares.": (
                whole.reshape(factor, rows, factor, columns, shape[2]).mean(axis=(0, 2))
            ),
            "Incomplete squares at the rim are dropped: round the size down.": _with_rim(picture, factor),
            "Incomplete squares at the rim are dropped, not filled up with black.": _with_rim(
                np.pad(picture, [(0, -length % factor) for length in shape[:2]] + [(0, 0)]), factor
            ),
            "Averaging should change neither dtype nor range: no rounding, no bytes.": np.round(expected),
        }
        if factor == 1:
            mistakes = {}
        hint = "Where does the square of output pixel (r, c) begin, and where does it end?"
        tried = f"shrink(picture of shape {shape}, {factor})"
        errors = {ValueError: "Whole squares first: crop the picture to a multiple of the factor, then reshape."}
        attempt.compare((picture, factor), expected, hint, mistakes=mistakes, errors=errors, tried=tried)


def _with_rim(picture: np.ndarray, factor: int) -> np.ndarray:
    """Means of squares, those cut by the rim included."""
    height, width, channels = picture.shape
    rows, columns = -(-height // factor), -(-width // factor)
    means = np.empty((rows, columns, channels))
    for r, c in np.ndindex(rows, columns):
        means[r, c] = picture[r * factor : (r + 1) * factor, c * factor : (c + 1) * factor].mean(axis=(0, 1))
    return means


@exercise("E1.4")
def e1_4(attempt: Attempt) -> None:
    """`saturate(picture, amount)`: compared with scaling the chroma channels of YCbCr by scikit-image."""
    rng = np.random.default_rng(3)
    picture = rng.uniform(0.3, 0.7, size=(5, 6, 3))
    for amount in (1, 0, 0.5, 2, 6):
        luma_chroma = skimage.color.rgb2ycbcr(picture)
        luma_chroma[..., 1:] = 128 + amount * (luma_chroma[..., 1:] - 128)
        expected = skimage.color.ycbcr2rgb(luma_chroma)
        mean = picture.mean(axis=-1, keepdims=True)
        luma = (skimage.color.rgb2ycbcr(picture)[..., :1] - 16) / 219
        mistakes = {
            "The grey to move away from has the same luma, which weighs the channels differently.": (
                mean + amount * (picture - mean)
            ),
            "The amount works the wrong way round: 0 should be grey, 1 the picture itself.": (
                picture + amount * (luma - picture)
            ),
            "This makes the picture brighter or darker: move away from grey, not from black.": amount * picture,
            "Add the colour to the grey picture, not to the picture itself: 1 should change nothing.": (
                picture + amount * (picture - luma)
            ),
            "Only the colour is left: put the grey it was measured from back.": amount * (picture - luma),
            "Nothing is clipped here: values may leave [0, 1].": expected.clip(0, 1),
        }
        hint = "Split each pixel into its grey and the rest; scale the rest; add the two."
        tried = f"saturate(picture of shape {picture.shape}, {amount})"
        attempt.compare((picture, amount), expected, hint, mistakes=mistakes, tried=tried, tolerance=1e-3)


@exercise("E1.5")
def e1_5(attempt: Attempt) -> None:
    """`match_histogram(picture, reference)`: by looking, for each value, through all candidates."""
    rng = np.random.default_rng(5)
    bright = rng.integers(150, 256, size=(8, 8), dtype=np.uint8)
    dark = (rng.random((16, 8)) ** 2 * 120).astype(np.uint8)
    smooth = rng.normal(100, 25, size=(16, 16)).clip(0, 255).astype(np.uint8)
    steps = np.array([[30, 10], [20, 10]], np.uint8)
    for name, picture, reference in [
        ("two equal pictures", steps, steps),
        ("four pixels, a dark picture", steps, dark),
        ("a bright picture, a dark one", bright, dark),
        ("a dark picture, a smooth one", dark, smooth),
        ("a smooth picture, a bright one", smooth, bright),
    ]:
        tried = f"match_histogram({name}, shapes {picture.shape} and {reference.shape})"
        got = _called(attempt, (picture, reference), tried, np.uint8)
        expected = _matched(picture, reference)
        shares = np.mean(picture.ravel() <= picture[..., None], axis=-1)
        moved = picture + (reference.mean() - picture.mean())
        counts = _matched(picture, reference, by_share=False)
        shares_of_reference = np.mean(reference.ravel() <= np.arange(256)[:, np.newaxis], axis=-1)
        between = np.interp(shares, shares_of_reference, np.arange(256))
        nearest = np.abs(shares_of_reference - shares[..., np.newaxis]).argmin(axis=-1)
        mistakes = {
            "The two changed places: the answer has the shape of the first, and the light of the second.": (
                _matched(reference, picture)
            ),
            "Compare shares of pixels, not counts: the two pictures differ in size.": counts,
            "This is equalising: the reference should decide where values go.": (np.round(255 * shares)),
            "Moving the mean is not enough: the whole distribution should match.": moved.clip(0, 255).astype(np.uint8),
            "One too far: the smallest w whose share reaches that of v, equal included.": (
                _matched(picture, reference, strictly=True)
            ),
            "Nothing is to be interpolated: w is the smallest value of a pixel that reaches the share.": (
                between.astype(np.uint8)
            ),
            "Nothing is to be interpolated, nor rounded: w is the smallest value that reaches the share.": (
                between.round().astype(np.uint8)
            ),
            "The nearest share may be one that is not reached: w is the smallest value that reaches it.": nearest,
            "One too low: w has to reach the share of v.": np.maximum(expected, 1) - 1,
            "These are the sorted pixels of the reference; each pixel should keep its place in the picture.": (
                np.resize(np.sort(reference.ravel()), picture.shape)
            ),
        }
        hint = "For one value v: which share of the picture lies at or below it, and which w reaches that share?"
        attempt.agree(got, expected, hint, mistakes=mistakes, tried=tried)


def _matched(picture: np.ndarray, reference: np.ndarray, *, by_share=True, strictly=False) -> np.ndarray:
    """Histogram matching with whole numbers: F_w >= F_v is count_w * size_v >= count_v * size_w."""
    size, size_reference = (picture.size, reference.size) if by_share else (1, 1)
    result = np.full_like(picture, 255)
    for v in np.unique(picture):
        wanted = int(np.sum(picture <= v)) * size_reference
        for w in range(256):
            reached = int(np.sum(reference <= w)) * size
            if reached > wanted or (reached == wanted and not strictly):
                result[picture == v] = w
                break
    return result


@exercise("E1.6")
def e1_6(attempt: Attempt) -> None:
    """`direction_shares(gradient_x, gradient_y, bins)`: few arrows, then many, by NumPy's histogram of degrees."""
    rng = np.random.default_rng(6)
    x, y = np.array([[3.0, -1.0]]), np.array([[0.0, 0.0]])
    slanted = np.array([[1.0, -2.0, 1.0]]), np.array([[2.0, 1.0, -3.0]])
    wide = rng.normal(size=(20, 30)), rng.normal(size=(20, 30)) * 3
    for name, gradients, bins in [
        ("three slanted arrows", slanted, 4),
        ("two arrows, to the right and to the left", (x, y), 8),
        ("two arrows, down and up", (y, x), 8),
        ("random arrows", wide, 8),
        ("random arrows", (3 * wide[0], wide[1] / 2), 5),
    ]:
        across, down = gradients
        degrees, lengths = np.degrees(np.arctan2(down, across)), np.hypot(across, down)
        sums = _in_ranges(degrees % 180, lengths, bins)
        mistakes = {
            "Add up the lengths of the arrows; this counts the arrows.": _shares(degrees % 180, None, bins),
            "The lengths, not their squares.": _shares(degrees % 180, lengths**2, bins),
            "The shares add up to one: divide by the sum of all lengths.": sums,
            "Divide by the sum of the lengths, not by the number of arrows.": sums / lengths.size,
            "`atan2` takes the change downwards first, then the change across.": _shares(
                np.degrees(np.arctan2(across, down)) % 180, lengths, bins
            ),
            "An arrow and its opposite are one direction: angles differ by 180° there, so take them modulo 180°.": (
                _shares(degrees % 360, lengths, bins, 360)
            ),
            "The same direction 180° on: take angles modulo 180° before you sort them into ranges.": (
                _shares(degrees, lengths, bins, 180, -180)
            ),
            "This mirrors the angles below 0°. An arrow's opposite is 180° further: take angles modulo 180°.": (
                _shares(np.abs(degrees), lengths, bins)
            ),
            "This leaves the arrows that point up out. Their opposites point down: take angles modulo 180°.": (
                _shares(degrees, lengths, bins)
            ),
        }
        hint = "Three steps: angles modulo 180°, the range each lies in, the lengths added up for each range."
        tried = f"direction_shares({name}, bins={bins})"
        errors = {
            IndexError: "One place lies outside: angles modulo 180°, and 180° itself is 0° again.",
            ValueError: "Negative angles have no place: take them modulo 180° first. And are both arrays flat?",
        }
        got = attempt.call(across, down, bins, tried=tried, errors=errors)
        array = attempt.numbers(got, attempt.tried)
        if array.shape == (bins + 1,):
            attempt.reject(
                "One range too many: 180° is the direction of 0°, and belongs into the first.",
                tried=tried,
                got=f"shape {array.shape}",
                expected=f"shape {(bins,)}",
            )
        attempt.agree(got, _shares(degrees % 180, lengths, bins), hint, mistakes=mistakes, tried=tried)


def _in_ranges(degrees, weights, bins: int, stop: float = 180, start: float = 0) -> np.ndarray:
    return np.histogram(degrees, bins, (start, stop), weights=weights)[0].astype(float)


def _shares(degrees, weights, bins: int, stop: float = 180, start: float = 0) -> np.ndarray:
    """Shares of the ranges; all zero where no angle lies in any."""
    sums = _in_ranges(degrees, weights, bins, stop, start)
    return sums / (sums.sum() or 1)
