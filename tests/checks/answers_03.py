"""Right and wrong answers to the exercises of lesson 03."""

import numpy as np
import scipy.ndimage
import tensorflow as tf
from numpy.lib.stride_tricks import sliding_window_view
from skimage.measure import block_reduce


def _average(batch, size):
    count, height, width, channels = batch.shape
    rows, columns = height // size, width // size
    whole = batch[:, : rows * size, : columns * size]
    return whole.reshape(count, rows, size, columns, size, channels).mean(axis=(2, 4))


def _average_by_loops(batch, size):
    count, height, width, channels = batch.shape
    output = np.zeros((count, height // size, width // size, channels))
    for n, r, c, m in np.ndindex(output.shape):
        output[n, r, c, m] = batch[n, r * size : (r + 1) * size, c * size : (c + 1) * size, m].mean()
    return output


def _average_by_slices(batch, size):
    whole = batch[:, : batch.shape[1] // size * size, : batch.shape[2] // size * size]
    return sum(whole[:, i::size, j::size] for i in range(size) for j in range(size)) / size**2


def _average_from_the_far_corner(batch, size):
    return _average(batch[:, batch.shape[1] % size :, batch.shape[2] % size :], size)


def _average_scrambled(batch, size):
    count, height, width, channels = batch.shape
    rows, columns = height // size, width // size
    whole = batch[:, : rows * size, : columns * size]
    return whole.reshape(count, rows, columns, size, size, channels).mean(axis=(3, 4))


def _average_without_leftovers(batch, size):
    count, height, width, channels = batch.shape
    return batch.reshape(count, height // size, size, width // size, size, channels).mean(axis=(2, 4))


def _average_with_too_many_windows(batch, size):
    count, height, width, channels = batch.shape
    output = np.zeros((count, height // size, width // size, channels))
    for r in range(0, height, size):
        for c in range(0, width, size):
            output[:, r // size, c // size] = batch[:, r : r + size, c : c + size].mean(axis=(1, 2))
    return output


def _average_overlapping(batch, size):
    return sliding_window_view(batch, (size, size), axis=(1, 2)).mean(axis=(-2, -1))


def _blocks(
    width, kernel_size=3, jump_first=False, pooling=True, doubling=True, enough=lambda seen, width: seen >= width
):
    seen, jump, blocks = 1, 1, 0
    while not enough(seen, width):
        if jump_first and doubling:
            jump *= 2
        seen += (kernel_size - 1) * jump
        if pooling:
            seen += jump if not jump_first else jump // 2
        if doubling and not jump_first:
            jump *= 2
        blocks += 1
    return blocks


def _blocks_backwards(width, kernel_size=3):
    for blocks in range(100):
        pixels = 1
        for _ in range(blocks):
            pixels = pixels * 2 + (kernel_size - 1)
        if pixels >= width:
            return blocks


def _blocks_by_logarithm(width, kernel_size=3):
    return int(np.ceil(np.log2((width + kernel_size - 1) / kernel_size) - 1e-9))


def _layers(width, kernel_size=3):
    seen, jump, layers = 1, 1, 0
    while seen < width:
        seen += (kernel_size - 1) * jump + jump
        jump *= 2
        layers += 2
    return layers


def _shared(x, g, size):
    wins = x == np.kron(block_reduce(x, (size, size), np.max), np.ones((size, size)))
    return wins * np.kron(g / block_reduce(wins, (size, size), np.sum), np.ones((size, size)))


def _shared_by_loops(x, g, size, share=lambda wins: wins / wins.sum()):
    gradient = np.zeros(x.shape)
    for r, c in np.ndindex(g.shape):
        window = x[r * size : (r + 1) * size, c * size : (c + 1) * size]
        gradient[r * size : (r + 1) * size, c * size : (c + 1) * size] = g[r, c] * share(window == window.max())
    return gradient


def _shared_by_tape(x, g, size):
    picture = tf.Variable(x)
    with tf.GradientTape() as tape:
        blocks = tf.reshape(picture, (x.shape[0] // size, size, x.shape[1] // size, size))
        loss = tf.reduce_sum(g * tf.reduce_max(blocks, axis=(1, 3)))
    return tape.gradient(loss, picture).numpy()


def _first(wins):
    only = np.zeros(wins.shape)
    only[np.unravel_index(wins.argmax(), wins.shape)] = 1
    return only


def _shared_by_the_whole_picture(x, g, size):
    return _shared_by_loops(x, g, size, lambda wins: wins) / np.count_nonzero(_shared(x, np.ones(g.shape), size))


def _shared_from_zero(x, g, size):
    gradient = np.zeros(x.shape)
    for r, c in np.ndindex(g.shape):
        best = 0
        window = x[r * size : (r + 1) * size, c * size : (c + 1) * size]
        for value in window.ravel():
            best = max(best, value)
        wins = window == best
        gradient[r * size : (r + 1) * size, c * size : (c + 1) * size] = g[r, c] * wins / max(wins.sum(), 1)
    return gradient


KERNEL = np.outer([1, 2, 1], [1, 2, 1]) / 16


def _blur(picture, mode="reflect", weights=(0.25, 0.5, 0.25)):
    padded = np.pad(picture, 1, mode=mode)
    windows = sliding_window_view(padded, (3, 3))[::2, ::2]
    return (windows * np.outer(weights, weights)).sum(axis=(-2, -1))


def _blur_by_loops(picture):
    padded = np.pad(picture, 1, mode="reflect")
    output = np.zeros(((picture.shape[0] + 1) // 2, (picture.shape[1] + 1) // 2))
    for r, c in np.ndindex(output.shape):
        for i, a in enumerate((1, 2, 1)):
            for j, b in enumerate((1, 2, 1)):
                output[r, c] += padded[2 * r + i, 2 * c + j] * a * b / 16
    return output


def _blur_by_scipy(picture):
    down = scipy.ndimage.convolve1d(picture, [0.25, 0.5, 0.25], axis=0, mode="mirror")
    return scipy.ndimage.convolve1d(down, [0.25, 0.5, 0.25], axis=1, mode="mirror")[::2, ::2]


def _mean(windows, power):
    largest = windows.max(axis=-1, keepdims=True)
    scaled = np.divide(windows, largest, out=np.zeros(windows.shape), where=largest > 0)
    return largest[..., 0] * np.mean(scaled**power, axis=-1) ** (1 / power)


def _mean_by_logarithm(windows, power):
    with np.errstate(divide="ignore"):
        logarithms = power * np.log(windows)
    return np.exp((np.logaddexp.reduce(logarithms, axis=-1) - np.log(windows.shape[-1])) / power)


def _mean_by_loops(windows, power):
    output = np.zeros(windows.shape[:-1])
    for index in np.ndindex(output.shape):
        top = max(windows[index])
        if top > 0:
            total = sum((value / top) ** power for value in windows[index])
            output[index] = top * (total / len(windows[index])) ** (1 / power)
    return output


def _plain(windows, power):
    with np.errstate(over="ignore", under="ignore"):
        return np.mean(windows**power, axis=-1) ** (1 / power)


def _mean_divided_by_zero(windows, power):
    largest = windows.max(axis=-1, keepdims=True)
    with np.errstate(invalid="ignore"):
        return largest[..., 0] * np.mean((windows / largest) ** power, axis=-1) ** (1 / power)


ACCEPTED = {
    "e3_1": [_average, _average_by_loops, _average_by_slices],
    "e3_2": [_shared, _shared_by_loops, _shared_by_tape],
    "e3_3": [_blur, _blur_by_loops, _blur_by_scipy],
    "e3_4": [_mean, _mean_by_logarithm, _mean_by_loops],
    "e3_5": [_blocks, _blocks_backwards, _blocks_by_logarithm],
}


def _shared_with_namesakes(x, g, size):
    result = np.zeros_like(x)
    for r, c in np.ndindex(g.shape):
        window = slice(r * size, (r + 1) * size), slice(c * size, (c + 1) * size)
        highest = x[window].max()
        result[window] = g[r, c] * (x[window] == highest) / np.sum(x == highest)
    return result


REJECTED = {
    "e3_1": [
        (lambda batch, size: block_reduce(batch, (1, size, size, 1), np.max), "largest numbers"),
        (lambda batch, size: _average(batch, size) * size**2, "These are sums"),
        (lambda batch, size: _average(batch, size) * size, "size times size numbers"),
        (_average_scrambled, "wrong order"),
        (_average_without_leftovers, "no multiples of the size"),
        (_average_with_too_many_windows, "no multiples of the size"),
        (_average_from_the_far_corner, "bottom and right"),
        (lambda batch, size: block_reduce(batch, (1, size, size, 1), np.mean), "not full is left out"),
        (lambda batch, size: _average(batch, size).mean(axis=-1), "leave the last axis alone"),
        (lambda batch, size: _average(batch, size).mean(axis=-1, keepdims=True), "keeps its place"),
        (lambda batch, size: _average(batch, size).mean(axis=0), "leave the first axis alone"),
        (_average_overlapping, "Windows touch"),
        (lambda batch, size: batch[:, ::size, ::size], "on paper"),
    ],
    "e3_2": [
        (lambda x, g, size: _shared_by_loops(x, g, size, lambda wins: wins), "whole gradient"),
        (lambda x, g, size: _shared_by_loops(x, g, size, _first), "first winner"),
        (lambda x, g, size: _shared_by_loops(x, g, size, lambda w: _first(w[::-1, ::-1])[::-1, ::-1]), "last winner"),
        (lambda x, g, size: np.kron(g, np.ones((size, size))) / size**2, "gradient of the average"),
        (lambda x, g, size: np.kron(g, np.ones((size, size))), "below the maximum get nothing"),
        (lambda x, g, size: _shared_by_loops(x, g, size, lambda wins: wins / wins.size), "not by the size"),
        (lambda x, g, size: _shared(x, np.ones_like(g), size), "upstream gradient"),
        (_shared_by_the_whole_picture, "not of the whole picture"),
        (lambda x, g, size: np.kron(g, np.ones((size, size))) * (x == x.max()) / np.sum(x == x.max()), "own winners"),
        (_shared_from_zero, "negative"),
        (_shared_with_namesakes, "equal the maximum in their window"),
    ],
    "e3_3": [
        (lambda picture: picture[::2, ::2], "Nothing was blurred"),
        (
            lambda picture: scipy.ndimage.convolve(picture[::2, ::2], KERNEL, mode="mirror"),
            "Blur first",
        ),
        (lambda picture: scipy.ndimage.correlate(picture, KERNEL, mode="mirror"), "all pixels were kept"),
        (
            lambda picture: scipy.ndimage.correlate(picture, KERNEL, mode="mirror")[1::2, 1::2],
            "beginning with the first",
        ),
        (
            lambda picture: np.einsum("rcij,ij", sliding_window_view(picture, (3, 3)), KERNEL)[::2, ::2],
            "rim was cut off",
        ),
        (lambda picture: _blur(picture, mode="constant"), "The rim is darker"),
        (lambda picture: _blur(picture, mode="edge"), "without repeating"),
        (lambda picture: _blur(picture, mode="symmetric"), "without repeating"),
        (lambda picture: _blur(picture, mode="wrap"), "wraps round"),
        (lambda picture: _blur(picture, weights=(1, 2, 1)), "add up to one"),
        (lambda picture: _blur(picture, weights=(0.5, 1, 0.5)), "Too bright"),
        (lambda picture: _blur(picture, weights=(1 / 16, 2 / 16, 1 / 16)), "Too dark"),
        (lambda picture: _blur(picture, weights=(1 / 3, 1 / 3, 1 / 3)), "middle weight"),
        (lambda picture: scipy.ndimage.convolve1d(picture, [0.25, 0.5, 0.25], 0, mode="mirror")[::2, ::2], "down only"),
        (
            lambda picture: scipy.ndimage.convolve1d(picture, [0.25, 0.5, 0.25], 1, mode="mirror")[::2, ::2],
            "across only",
        ),
        (
            lambda picture: sliding_window_view(np.pad(picture, 1, mode="reflect"), (3, 3))[1::2, 1::2].mean((-2, -1)),
            "by hand",
        ),
    ],
    "e3_4": [
        (_plain, "By what could you scale"),
        (lambda windows, power: np.sum(windows**power, axis=-1) ** (1 / power), "root of a sum"),
        (lambda windows, power: np.mean(windows**power, axis=-1), "root at the end"),
        (lambda windows, power: np.sum(windows**power, axis=-1) ** (1 / power) / windows.shape[-1], "before the root"),
        (lambda windows, power: windows.mean(axis=-1), "plain average"),
        (lambda windows, power: windows.max(axis=-1), "without end"),
        (lambda windows, power: np.mean(windows**power, axis=0) ** (1 / power), "last axis is the one"),
        (lambda windows, power: np.mean(windows**power) ** (1 / power), "one number"),
        (lambda windows, power: np.mean(windows**power, axis=-1, keepdims=True) ** (1 / power), "drop the last"),
        (_mean_divided_by_zero, "window of zeros"),
        (lambda w, p: w.max() * np.mean((w / (w.max() or 1)) ** p, axis=-1) ** (1 / p), "scale of its own"),
    ],
    "e3_5": [
        (lambda width, kernel_size=3: max(_blocks(width, kernel_size), 1), "sees itself"),
        (lambda width, kernel_size=3: _blocks(width, kernel_size, enough=lambda seen, width: seen > width), "sees"),
        (_layers, "Count blocks"),
        (lambda width, kernel_size=3: _blocks(width, kernel_size, doubling=False), "count double"),
        (lambda width, kernel_size=3: _blocks(width, max(kernel_size, 2), pooling=False), "widens the field"),
        (lambda width, kernel_size=3: _blocks(width, kernel_size, jump_first=True), "the one before it"),
        (lambda width, kernel_size=3: _blocks(width, kernel_size + 1), "k - 1 steps"),
        (lambda width, kernel_size=3: float(_blocks(width, kernel_size)), "whole numbers"),
    ],
}
