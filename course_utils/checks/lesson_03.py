"""Checks for lesson 03, pooling."""

import itertools
import math

import numpy as np
import scipy.ndimage
import scipy.special
from numpy.lib.stride_tricks import sliding_window_view
from skimage.measure import block_reduce

from course_utils.checks import Attempt, exercise


@exercise("E3.1")
def e3_1(attempt: Attempt) -> None:
    """`average_pool(batch, size)`: compared with scikit-image's block_reduce on the whole windows."""
    rng = np.random.default_rng(1)
    shapes = [((2, 4, 6, 3), 2), ((2, 6, 9, 3), 3), ((2, 7, 11, 3), 2), ((3, 5, 4, 2), 1)]
    for shape, size in shapes:
        batch = rng.normal(size=shape)
        count, height, width, channels = shape
        rows, columns = height // size, width // size
        top, left = height - rows * size, width - columns * size
        block = (1, size, size, 1)
        whole = batch[:, : rows * size, : columns * size]
        expected = block_reduce(whole, block, np.mean)
        scrambled = whole.reshape(count, rows, columns, size, size, channels)
        mistakes = {
            "These are the largest numbers of the windows; the average is asked for.": block_reduce(
                whole, block, np.max
            ),
            "These are sums: by how many numbers does an average divide?": expected * size**2,
            "A window has size times size numbers: divide by all of them.": expected * size,
            "The reshape cut the rows in the wrong order: each side splits into (window, place in the window), and the"
            " places of the rows come before the windows of the columns.": scrambled.mean(axis=(3, 4)),
            "Each channel is pooled by itself: leave the last axis alone.": expected.mean(axis=-1),
            "Each channel is pooled by itself, and keeps its place in the last axis.": expected.mean(-1, keepdims=True),
            "Each picture is pooled by itself: leave the first axis alone.": expected.mean(axis=0),
            "The leftover rows and columns lie at the bottom and right, not at the top and left.": block_reduce(
                batch[:, top:, left:], block, np.mean
            ),
            "Windows touch: the next one begins `size` pixels further on.": sliding_window_view(
                batch, (size, size), axis=(1, 2)
            ).mean(axis=(-2, -1)),
        }
        errors = {}
        if top or left:
            mistakes["A window that is not full is left out."] = block_reduce(batch, block, np.mean)
            errors = {(ValueError, IndexError): _LEFTOVERS}
        hint = "The output has shape (N, H // size, W // size, C); pool a small batch on paper and compare."
        tried = f"average_pool(batch of shape {shape}, {size})"
        attempt.compare((batch, size), expected, hint, mistakes=mistakes, errors=errors, tried=tried)


_LEFTOVERS = "These sides are no multiples of the size: leave out the rows and columns that do not fill a window."


@exercise("E3.2")
def e3_2(attempt: Attempt) -> None:
    """`shared_gradient(x, g, size)`: window by window, counting the winners."""
    rng = np.random.default_rng(3)
    cases = [(np.array([[1.0, 4], [2, 3]]), 2), (np.ones((2, 2)), 2), (np.array([[5.0, 1], [5, 0]]), 2)]
    cases += [
        (rng.integers(0, 3, shape).astype(float), size) for shape, size in [((4, 6), 2), ((6, 9), 3), ((8, 4), 4)]
    ]
    cases += [(-rng.integers(1, 4, (4, 8)).astype(float), 2)]
    for x, size in cases:
        g = rng.normal(size=(x.shape[0] // size, x.shape[1] // size))
        expected, whole, first, last, as_many = (np.zeros_like(x) for _ in range(5))
        for r, c in np.ndindex(g.shape):
            window = slice(r * size, (r + 1) * size), slice(c * size, (c + 1) * size)
            wins = x[window] == x[window].max()
            expected[window] = g[r, c] * wins / np.count_nonzero(wins)
            whole[window] = g[r, c] * wins
            as_many[window] = g[r, c] * wins / np.count_nonzero(x == x[window].max())
            ranks = wins.ravel().cumsum().reshape(wins.shape)
            first[window] = g[r, c] * (wins & (ranks == 1))
            last[window] = g[r, c] * (wins & (ranks == ranks.max()))
        everywhere, highest = np.kron(g, np.ones((size, size))), x == x.max()
        mistakes = {
            "Every tied pixel got the whole gradient: their shares should add up to g.": whole,
            "The first winner took it all: whoever ties with it gets the same share.": first,
            "The last winner took it all: whoever ties with it gets the same share.": last,
            "This is the gradient of the average: pixels below the maximum get nothing.": everywhere / size**2,
            "Divide by the number of winners in the window, not by the size of the window.": whole / size**2,
            "Pixels below the maximum get nothing.": everywhere,
            "Where is the upstream gradient g? Each window has its own.": np.divide(
                expected, everywhere, out=np.zeros_like(x), where=everywhere != 0
            ),
            "Count the winners of each window, not of the whole picture.": whole / np.count_nonzero(whole),
            "Count the pixels that equal the maximum in their window, not in the whole picture.": as_many,
            "The winners of a window are those that equal its own maximum.": everywhere * highest,
            "Each window has its own maximum and its own winners.": everywhere * highest / np.count_nonzero(highest),
        }
        hint = "Take one window of three equal numbers and a smaller one: who gets how much?"
        if (x < 0).all():
            hint = "All numbers here are negative: the largest of a window is still its maximum."
        attempt.compare((x, g, size), expected, hint, mistakes=mistakes)


@exercise("E3.3")
def e3_3(attempt: Attempt) -> None:
    """`blur_pool(picture)`: compared with SciPy's separable correlation, mirrored about the outermost pixels."""
    rng = np.random.default_rng(4)
    weights = np.array([1.0, 2, 1]) / 4

    def blurred(picture, mode="mirror", weights=weights, axes=(0, 1)):
        for axis in axes:
            picture = scipy.ndimage.correlate1d(picture, weights, axis=axis, mode=mode)
        return picture

    for picture in [np.ones((6, 6)), *(rng.random(shape) for shape in [(6, 8), (7, 9), (5, 12), (2, 2)])]:
        mistakes = {
            "Nothing was blurred: this only keeps every second pixel.": picture[::2, ::2],
            "Blur first, then keep every second pixel: in the other order the harm is done.": blurred(
                picture[::2, ::2]
            ),
            "Every second pixel, beginning with the first.": blurred(picture)[1::2, 1::2],
            "The picture was blurred, but all pixels were kept.": blurred(picture),
            "The rim is darker: pad with the mirrored picture, not with zeros.": blurred(picture, "constant")[::2, ::2],
            "Mirror about the outermost pixel itself, without repeating it.": blurred(picture, "reflect")[::2, ::2],
            "The picture wraps round at the rim: mirror it instead.": blurred(picture, "wrap")[::2, ::2],
            "Blurred down only: across as well.": blurred(picture, axes=[0])[::2, ::2],
            "Blurred across only: down as well.": blurred(picture, axes=[1])[::2, ::2],
            "The brightness changed: the nine weights should add up to one.": blurred(picture, weights=weights * 4)[
                ::2, ::2
            ],
            "Too bright: the weights of one direction were not divided by their sum.": 4 * blurred(picture)[::2, ::2],
            "Too dark: the weights were divided twice.": blurred(picture)[::2, ::2] / 16,
            "The middle weight is twice its neighbours.": blurred(picture, weights=np.ones(3) / 3)[::2, ::2],
            "The rim was cut off: pad before blurring, so that the output has half the size.": blurred(picture)[
                1:-1:2, 1:-1:2
            ],
        }
        hint = "Work out one output by hand: nine pixels times the products of ¼, ½, ¼."
        expected = blurred(picture)[::2, ::2]
        attempt.compare((picture,), expected, hint, mistakes=_distinct(mistakes, expected))


@exercise("E3.4")
def e3_4(attempt: Attempt) -> None:
    """`generalised_mean(windows, power)`: compared with SciPy's logarithm of a sum of exponentials."""
    rng = np.random.default_rng(5)
    small = np.array([[1.0, 2, 4], [3, 3, 3]])
    cases = [(small, 1), (small, 2), (small, 3.5), (rng.random((4, 5, 9)), 3), (rng.random((7, 4)) * 1e-3, 2)]
    for windows, power in cases:
        sums = np.sum(windows**power, axis=-1)
        mistakes = {
            "The last axis is the one to pool.": np.mean(windows**power, axis=0) ** (1 / power),
            "Everything was pooled to one number: only the last axis should go.": np.mean(windows**power)
            ** (1 / power),
            "Keep the other axes and drop the last one.": (sums / windows.shape[-1])[..., None] ** (1 / power),
            "A mean divides by the number of values: this is a root of a sum.": sums ** (1 / power),
            "Take the root at the end, after the mean: the power p has the inverse 1 / p.": sums / windows.shape[-1],
            "Divide by the number of values before the root is taken.": sums ** (1 / power) / windows.shape[-1],
            "This is the plain average: where is the power?": windows.mean(axis=-1),
            "This is the maximum, which is only reached as the power grows without end.": windows.max(axis=-1),
        }
        hint = "In this order: power, mean over the last axis, root."
        expected = _power_mean(windows, power)
        attempt.compare((windows, power), expected, hint, mistakes=_distinct(mistakes, expected))
    with_zeros = np.array([[0.0, 0, 0, 0], [0, 0, 0, 2]])
    hint = "A window of zeros has the mean zero: what does your function divide by, or take the logarithm of?"
    attempt.compare((with_zeros, 2), np.array([0.0, 1]), hint)
    for windows in (np.array([[200.0, 100, 50]]), np.array([[0.02, 0.01, 0.04]]), rng.random((6, 4)) * 100):
        hint = "The powers overflow or vanish here. By what could you scale a window first, and undo it afterwards?"
        attempt.compare((windows, 300), _power_mean(windows, 300), hint)
    beside = np.array([[0.2, 0.1], [200.0, 100.0]])
    hint = "Each window needs a scale of its own: by the largest number of all, the powers of a dark window vanish."
    attempt.compare((beside, 300), _power_mean(beside, 300), hint)


def _power_mean(windows: np.ndarray, power: float) -> np.ndarray:
    logarithms = power * np.log(windows) - math.log(windows.shape[-1])
    return np.exp(scipy.special.logsumexp(logarithms, axis=-1) / power)


def _distinct(mistakes: dict, expected: np.ndarray) -> dict:
    """Without the mistakes that give the right answer on this input."""
    return {
        hint: value
        for hint, value in mistakes.items()
        if np.shape(value) != expected.shape or not np.allclose(value, expected, rtol=1e-5, atol=1e-5)
    }


@exercise("E3.5")
def e3_5(attempt: Attempt) -> None:
    """`blocks_needed(width, kernel_size)`: counted backwards, from one output to the pixels it needs."""
    cases = [(1, 3), (4, 3), (5, 3), (10, 3), (11, 3), (22, 3), (23, 3), (64, 3), (224, 3), (3, 2), (4, 2), (9, 2)]
    cases += [(6, 5), (7, 5), (8, 5), (9, 5), (11, 5), (100, 5), (512, 7)]
    got = [attempt.call(width, kernel_size=kernel_size) for width, kernel_size in cases]
    if not all(isinstance(blocks, (int, np.integer)) for blocks in got):
        attempt.reject("Blocks are counted in whole numbers.", got=got[0], expected="a whole number")
    expected = [_blocks_for(width, kernel_size, _pixels_needed) for width, kernel_size in cases]
    hint = "Follow width and jump through one block on paper: kernel first, pooling second, then the next block."
    for mistake, rule in _BLOCK_MISTAKES:
        if got == [rule(width, kernel_size) for width, kernel_size in cases]:
            hint = mistake
    for (width, kernel_size), one, right in zip(cases, got, expected, strict=True):
        attempt.agree(one, right, hint, tried=f"blocks_needed({width}, kernel_size={kernel_size})")


def _pixels_needed(blocks: int, kernel_size: int) -> int:
    pixels = 1
    for _ in range(blocks):
        pixels = 2 * pixels + kernel_size - 1  # under the pooling, then under the convolution
    return pixels


def _blocks_for(width: int, kernel_size: int, seen) -> int:
    return next(blocks for blocks in itertools.count() if seen(blocks, kernel_size) >= width)


def _counting(seen):
    return lambda width, kernel_size: _blocks_for(width, kernel_size, seen)


_KERNEL = "A kernel of size k adds k - 1 steps, not k."
_JUMP = "The jump that counts for a layer is the one before it."
_DOUBLE = "After a pooling, one step on the map is two steps on the picture: later layers count double."
_POOLING = "A pooling reaches over two positions, and widens the field as well."
_BLOCK_MISTAKES = [
    (
        "Without any block, an output is a pixel and sees itself.",
        lambda w, k: max(1, _blocks_for(w, k, _pixels_needed)),
    ),
    ("An output that sees exactly `width` pixels sees enough.", lambda w, k: _blocks_for(w + 1, k, _pixels_needed)),
    ("Count blocks; each is a convolution and a pooling.", lambda w, k: 2 * _blocks_for(w, k, _pixels_needed)),
    (_POOLING, _counting(lambda n, k: 1 + (k - 1) * (2**n - 1))),
    (_DOUBLE, _counting(lambda n, k: 1 + n * k)),
    (_JUMP, _counting(lambda n, k: 1 + (2 * k - 1) * (2**n - 1))),
    (_JUMP, _counting(lambda n, k: 1 + 2 * k * (2**n - 1))),
    (_KERNEL, _counting(lambda n, k: 1 + (k + 1) * (2**n - 1))),
    (_KERNEL, _counting(lambda n, k: 1 + (k + 2) * (2**n - 1))),
]
