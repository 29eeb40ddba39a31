"""Right and wrong answers to the exercises of lesson 11."""

import math

import keras
import numpy as np
import scipy.interpolate
import scipy.ndimage
import skimage.color
import skimage.metrics

from course_utils import metrics


def _weight(x, a=-0.5, near=1, far=1):
    if x <= 1:
        return near * ((a + 2) * x**3 - (a + 3) * x**2 + 1)
    return far * (a * x**3 - 5 * a * x**2 + 8 * a * x - 4 * a) if x < 2 else 0


def _cubic(samples, place, distance=abs, weight=_weight, **branches):
    return sum(sample * weight(distance(place - k), **branches) for k, sample in enumerate(samples))


def _four(samples, place):
    first = min(math.floor(place), len(samples) - 3) - 1
    return range(first, first + 4)


def _cubic_of_four(samples, place, distance=abs):
    return sum(samples[k] * _weight(distance(place - k)) for k in _four(samples, place))


def _cubic_by_convolution(samples, place):
    t = place % 1
    weights = np.array([_weight(1 + t), _weight(t), _weight(1 - t), _weight(2 - t)])
    return np.convolve(np.append(samples, 0), weights[::-1], "valid")[math.floor(place) - 1]


def _cubic_by_matrix(samples, place):
    i = math.floor(place)
    t = place - i
    rows = np.array([[0, 2, 0, 0], [-1, 0, 1, 0], [2, -5, 4, -1], [-1, 3, -3, 1]]) / 2
    return np.float32([1, t, t**2, t**3] @ rows @ np.append(samples, 0)[i - 1 : i + 3])


def _catmull_rom(samples, place):
    slopes = np.zeros(len(samples))
    slopes[1:-1] = (samples[2:] - samples[:-2]) / 2
    return scipy.interpolate.CubicHermiteSpline(range(len(samples)), samples, slopes)(place)


def _cubic_of_slices(samples, place, shift=-1, order=1):
    """Fails at the last place."""
    first = math.floor(place) + shift
    weights = np.array([_weight(abs(place - k)) for k in range(math.floor(place) - 1, math.floor(place) + 3)])
    return np.sum(samples[first : first + 4] * weights[::order])


def _cubic_of_indices(samples, place):
    """Fails at the last place."""
    i = math.floor(place)
    return sum(samples[k] * _weight(abs(place - k)) for k in (i - 1, i, i + 1, i + 2))


def _cubic_rounding_up(samples, place):
    """Fails at the first place."""
    i = math.ceil(place)
    numbers = np.arange(i - 2, i + 2)
    return samples[i - 2 : i + 2] @ [_weight(x) for x in np.abs(place - numbers)] if i > 1 else samples[5]


def _cubic_over_the_distance(samples, place):
    distances = np.abs(place - np.arange(len(samples)))
    return np.sum(samples * [_weight(x) for x in distances] * distances / distances)


def _cubic_over_the_fraction(samples, place):
    t = float(place) - math.floor(place)
    return _cubic(samples, place) * t / t


def _cubic_by_polynomial(samples, place):
    four = list(_four(samples, place))
    return scipy.interpolate.BarycentricInterpolator(four, samples[four])(place)


def _pixels(maps, scale):
    height, width, depth = maps.shape
    cells = maps.reshape(height, width, scale, scale, depth // scale**2)
    return cells.transpose(0, 2, 1, 3, 4).reshape(height * scale, width * scale, -1)


def _pixels_by_loops(maps, scale):
    channels = maps.shape[2] // scale**2
    large = np.zeros((maps.shape[0] * scale, maps.shape[1] * scale, channels))
    for i, j, c in np.ndindex(large.shape):
        large[i, j, c] = maps[i // scale, j // scale, ((i % scale) * scale + j % scale) * channels + c]
    return large


def _pixels_by_slices(maps, scale, first=lambda row, column, scale: row * scale + column):
    channels = maps.shape[2] // scale**2
    large = np.empty((maps.shape[0] * scale, maps.shape[1] * scale, channels), maps.dtype)
    for row in range(scale):
        for column in range(scale):
            number = first(row, column, scale) * channels
            large[row::scale, column::scale] = maps[:, :, number : number + channels]
    return large


def _pixels_by_splitting(maps, scale):
    rows = [np.concatenate(np.split(row, scale, axis=2), axis=1) for row in np.split(maps, scale, axis=2)]
    height, width = maps.shape[:2]
    across = [row.reshape(height, scale, width, -1).swapaxes(1, 2).reshape(height, scale * width, -1) for row in rows]
    return np.stack(across, axis=1).reshape(height * scale, width * scale, -1)


def _pixels_by_keras(maps, scale):
    return keras.ops.depth_to_space(maps[None], scale)[0]


def _pixels_of_pytorch(maps, scale):
    height, width, depth = maps.shape
    cells = maps.reshape(height, width, depth // scale**2, scale, scale)
    return cells.transpose(0, 3, 1, 4, 2).reshape(height * scale, width * scale, -1)


def _pixels_of_one_channel(maps, scale):
    height, width = maps.shape[:2]
    cells = maps.reshape(height, width, scale, scale)
    return cells.transpose(0, 2, 1, 3).reshape(height * scale, width * scale, 1)


def _pixels_of_the_first_channel(maps, scale):
    return _pixels_of_one_channel(maps[:, :, : scale**2], scale)


def _pixels_of_square_pictures(maps, scale):
    side, _, depth = maps.shape
    cells = maps.reshape(side, side, scale, scale, depth // scale**2)
    return cells.transpose(0, 2, 1, 3, 4).reshape(side * scale, side * scale, -1)


def _pixels_cut_square(maps, scale):
    side = min(maps.shape[:2])
    return _pixels(maps[:side, :side], scale)


def _pixels_side_by_side(maps, scale):
    parts = np.split(maps, scale**2, axis=2)
    return np.concatenate([np.concatenate(parts[k * scale : (k + 1) * scale], axis=1) for k in range(scale)], axis=0)


def _pixels_repeated(maps, scale):
    return np.kron(maps[..., : maps.shape[2] // scale**2], np.ones((scale, scale, 1)))


def _pixels_out_of_order(maps, scale):
    return _cells(maps, scale).transpose(2, 0, 1, 3, 4).reshape(_pixels(maps, scale).shape)


def _cells(maps, scale):
    return maps.reshape(*maps.shape[:2], scale, scale, -1)


def _needed(reach, kernel_size=3):
    return max(1, math.ceil((reach / ((kernel_size - 1) / 2) - 3) / 2))


def _needed_by_counting(reach, kernel_size=3, seen=lambda n, k: (2 * n + 3) * (k // 2), least=1):
    blocks = least
    while seen(blocks, kernel_size) < reach:
        blocks += 1
    return blocks


def _needed_by_whole_numbers(reach, kernel_size=3):
    convolutions = -(-2 * reach // (kernel_size - 1))
    return np.int64(max(2, convolutions - 2) // 2)


def _needed_layer_by_layer(reach, kernel_size=3):
    side, blocks = 1 + 3 * (kernel_size - 1), 0
    while blocks == 0 or side < 2 * reach + 1:
        side, blocks = side + 2 * (kernel_size - 1), blocks + 1
    return blocks


def _needed_rounded(rounding):
    return lambda reach, kernel_size=3: max(1, int(rounding((reach / (kernel_size // 2) - 3) / 2)))


def _counted(seen):
    return lambda reach, kernel_size=3: _needed_by_counting(reach, kernel_size, seen)


LUMA = np.array([65.481, 128.553, 24.966])


def _to_levels(picture):
    return np.round(np.clip(picture, 0, 1) * 255) / 255


def _y(picture):
    return (16 + picture @ LUMA) / 255


def _inside(picture, border):
    return picture[border : len(picture) - border, border : picture.shape[1] - border]


def _decibels(error):
    return 10 * np.log10(1 / np.mean(error**2))


def _psnr(reference, restored, border, levels=_to_levels, y=_y, inside=_inside, decibels=_decibels):
    return decibels(inside(y(levels(reference)), border) - inside(y(levels(restored)), border))


def _psnr_of_whole_levels(reference, restored, border):
    error = 0
    for weight, one, other in zip(LUMA, np.moveaxis(reference, -1, 0), np.moveaxis(restored, -1, 0), strict=True):
        one, other = ((255 * np.clip(x, 0, 1) + 0.5).astype(np.uint8).astype(float) for x in (one, other))
        error = error + weight / 255 * (one - other)
    if border:
        error = error[border:-border, border:-border]
    return 20 * math.log10(255 / math.sqrt(np.square(error).mean()))


def _psnr_by_loops(reference, restored, border):
    total = count = 0
    for row in range(border, len(reference) - border):
        for column in range(border, len(reference[0]) - border):
            colours = [
                [round(min(max(float(value), 0), 1) * 255) / 255 for value in picture[row, column]]
                for picture in (reference, restored)
            ]
            one, other = (16 + 65.481 * red + 128.553 * green + 24.966 * blue for red, green, blue in colours)
            total, count = total + ((one - other) / 255) ** 2, count + 1
    return -10 * math.log10(total / count)


def _psnr_in_single_precision(reference, restored, border):
    return np.float32(_psnr(np.float32(reference), np.float32(restored), border, y=lambda x: _y(x).astype(np.float32)))


def _psnr_by_scikit_image(reference, restored, border):
    lumas = [skimage.color.rgb2ycbcr(_to_levels(x))[..., 0] / 255 for x in (reference, restored)]
    return skimage.metrics.peak_signal_noise_ratio(*(_inside(y, border) for y in lumas), data_range=1)


def _psnr_by_the_library(reference, restored, border):
    reference = np.clip(reference, 0, 1)
    return metrics.psnr(reference, restored, colour="y", border=border, data_range=1, quantise=True)


def _psnr_of_wrapped_bytes(reference, restored, border):
    return _psnr(reference, restored, border, levels=lambda x: np.mod(np.round(x * 255), 256) / 255)


def _psnr_of_a_loose_slice(reference, restored, border):
    return _psnr(reference, restored, border, inside=lambda y, border: y[border:-border, border:-border])


def _psnr_of_an_empty_list(reference, restored, border):
    error = _y(_to_levels(reference)) - _y(_to_levels(restored))
    squares = [float(value) ** 2 for value in error[border:-border, border:-border].flat]
    return -10 * math.log10(sum(squares) / len(squares))


def _psnr_cutting_channels(reference, restored, border):
    return _psnr(*(x[..., border:-border, border:-border] if border else x for x in (reference, restored)), 0)


def _starts(length, tile, overlap):
    if length <= tile:
        return [0]
    return [*range(0, length - tile, tile - 2 * overlap), length - tile]


def _starts_from_the_end(length, tile, overlap):
    starts = [max(length - tile, 0)]
    while starts[0] > 0:
        starts.insert(0, max(starts[0] - tile + 2 * overlap, 0))
    return tuple(starts)


def _starts_evenly(length, tile, overlap):
    last = max(length - tile, 0)
    return np.linspace(0, last, 1 + math.ceil(last / (tile - 2 * overlap))).round().astype(int)


def _starts_pushed_back(length, tile, overlap):
    last = max(length - tile, 0)
    return [min(start, last) for start in range(0, max(length - 2 * overlap, 1), tile - 2 * overlap)]


def _starts_by_pixels(length, tile, overlap):
    starts, served = [0], tile - overlap
    while starts[-1] + tile < length:
        starts.append(min(served - overlap, length - tile))
        served = starts[-1] + tile - overlap
    return starts


def _every(step):
    def starts(length, tile, overlap):
        return [0] if length <= tile else [*range(0, length - tile, step(tile, overlap)), length - tile]

    return starts


def _starts_sticking_out(length, tile, overlap):
    return [0] if length <= tile else list(range(0, length - 2 * overlap, tile - 2 * overlap))


def _starts_not_flush(length, tile, overlap):
    return [0] if length <= tile else list(range(0, length - tile + 1, tile - 2 * overlap))


def _starts_twice(length, tile, overlap):
    return [0] if length <= tile else [*range(0, length - tile + 1, tile - 2 * overlap), length - tile]


def _starts_of_middles(length, tile, overlap, once=False):
    """Each tile serves its middle only, at the border of the picture too."""
    starts = range(-overlap, length - overlap, tile - 2 * overlap)
    if length <= tile:
        return [0]
    return sorted({min(max(start, 0), length - tile) for start in starts}) if once else list(starts)


def _starts_with_a_gap(length, tile, overlap):
    return [0] if length <= tile else sorted({0, length - tile})


ACCEPTED = {
    "e11_1": [_cubic, _cubic_of_four, _cubic_by_convolution, _cubic_by_matrix, _catmull_rom],
    "e11_2": [_pixels, _pixels_by_loops, _pixels_by_slices, _pixels_by_splitting, _pixels_by_keras],
    "e11_3": [_needed, _needed_by_counting, _needed_by_whole_numbers, _needed_layer_by_layer],
    "e11_4": [
        _psnr,
        _psnr_of_whole_levels,
        _psnr_by_loops,
        _psnr_in_single_precision,
        _psnr_by_scikit_image,
        _psnr_by_the_library,
    ],
    "e11_5": [_starts, _starts_from_the_end, _starts_evenly, _starts_pushed_back, _starts_by_pixels],
}

REJECTED = {
    "e11_1": [
        (lambda samples, place: np.interp(place, np.arange(len(samples)), samples), "linear interpolation"),
        (lambda samples, place: samples[round(place)], "the nearest sample"),
        (lambda samples, place: samples[int(place)], "the sample below"),
        (lambda samples, place: _cubic(samples, place, a=-0.75), "OpenCV"),
        (lambda samples, place: _cubic(samples, place, a=-1), "a = -1:"),
        (lambda samples, place: _cubic(samples, place, far=0), "far branch of the kernel is missing"),
        (lambda samples, place: _cubic(samples, place, far=-1), "wrong sign"),
        (lambda samples, place: _cubic(samples, place, near=0), "near branch is missing"),
        (lambda samples, place: _cubic_of_four(samples, place, distance=lambda x: x), "Is place - k ever below 0"),
        (lambda samples, place: _cubic_of_four(samples, place, distance=lambda x: -x), "Is k - place ever below 0"),
        (lambda samples, place: _cubic(samples, place, distance=lambda x: x), "Is place - k ever below 0"),
        (lambda samples, place: _cubic(samples, place, distance=lambda x: -x), "far away on either side"),
        (lambda samples, place: _cubic_of_slices(samples, place, shift=0), "one step further on"),
        (lambda samples, place: _cubic_of_slices(samples, place, shift=-2), "one step before"),
        (lambda samples, place: _cubic(samples, place - 0.5), "half a step before"),
        (lambda samples, place: _cubic(samples, place + 0.5), "half a step further on"),
        (lambda samples, place: _cubic_of_slices(samples, place, order=-1), "in reverse"),
        (_cubic_of_slices, "would weigh nothing"),
        (_cubic_of_indices, "would weigh nothing"),
        (_cubic_rounding_up, "At place 1"),
        (_cubic_over_the_distance, "the value is the sample itself"),
        (_cubic_over_the_fraction, "the value is the sample itself"),
        (lambda samples, place: samples[np.floor(place)], "of type int"),
        (lambda samples, place: samples[np.floor(place) - 1 : np.floor(place) + 3].sum(), "of type int"),
        (lambda samples, place: _cubic(samples, place) / 4, "needs no division"),
        (lambda samples, place: samples[1:5] * [_weight(abs(place - k)) for k in range(1, 5)], "their sum is wanted"),
        (lambda samples, place: [_weight(abs(place - k)) for k in _four(samples, place)], "These are the weights"),
        (_cubic_by_polynomial, "through all four samples"),
        (lambda samples, place: scipy.interpolate.CubicSpline(range(len(samples)), samples)(place), "is a spline"),
        (
            lambda samples, place: scipy.interpolate.make_interp_spline(
                range(len(samples)), samples, bc_type="natural"
            )(place),
            "straight ends",
        ),
        (lambda samples, place: scipy.ndimage.map_coordinates(samples, [[place]], order=3)[0], "Write down the four"),
        (lambda samples, place: 0.0, "Write down the four"),
    ],
    "e11_2": [
        (_pixels_of_pytorch, "pixel_shuffle"),
        (
            lambda maps, scale: _pixels_by_slices(maps, scale, lambda row, column, scale: column * scale + row),
            "in each square, the row",
        ),
        (
            lambda maps, scale: maps.reshape(maps.shape[0] * scale, maps.shape[1] * scale, -1),
            "A reshape alone",
        ),
        (_pixels_repeated, "one number many times"),
        (lambda maps, scale: maps.repeat(scale, axis=0).repeat(scale, axis=1), "One pixel becomes a square"),
        (_pixels_side_by_side, "side by side"),
        (_cells, "still axes of their own"),
        (lambda maps, scale: _cells(maps, scale).transpose(0, 2, 1, 3, 4), "The axes are in order"),
        (lambda maps, scale: _pixels(maps, scale).swapaxes(0, 1), "Rows and columns"),
        (lambda maps, scale: _pixels(maps.swapaxes(0, 1), scale), "Rows and columns"),
        (lambda maps, scale: np.moveaxis(_pixels(maps, scale), -1, 0), "not first"),
        (lambda maps, scale: _pixels(maps, scale)[..., 0], "the shape ends in 1"),
        (lambda maps, scale: np.squeeze(_pixels(maps, scale)), "the shape ends in 1"),
        (_pixels_of_one_channel, "more than one channel"),
        (_pixels_of_the_first_channel, "One channel came out"),
        (_pixels_of_square_pictures, "as wide as it is high"),
        (_pixels_cut_square, "as wide as it is high"),
        (lambda maps, scale: _pixels(maps, 2), "not always 2"),
        (lambda maps, scale: _pixels_by_slices(maps, 2), "not always 2"),
        (lambda maps, scale: _pixels(maps, scale).astype(int), "of which type"),
        (lambda maps, scale: maps.reshape(*maps.shape[:2], scale, scale, maps.shape[2] / scale**2), "leaves a float"),
        (_pixels_out_of_order, "squares of neighbouring pixels"),
        (lambda maps, scale: maps[..., : maps.shape[2] // scale**2], "One pixel becomes a square"),
    ],
    "e11_3": [
        (_counted(lambda n, k: (2 * n + 3) * (k - 1) + 1), "side of the whole field"),
        (lambda reach, kernel_size=3: _needed(2 * reach + 1, kernel_size), "side of the whole field"),
        (lambda reach, kernel_size=3: _needed(2 * reach, kernel_size), "side of the whole field"),
        (_counted(lambda n, k: (n + 3) * (k // 2)), "two convolutions"),
        (_counted(lambda n, k: 2 * n * (k // 2)), "Three convolutions stand outside"),
        (_counted(lambda n, k: (2 * n + 1) * (k // 2)), "Three convolutions stand outside"),
        (_counted(lambda n, k: (2 * n + 2) * (k // 2)), "Three convolutions stand outside"),
        (_counted(lambda n, k: (2 * n + 6) * (k // 2)), "are no blocks"),
        (_counted(lambda n, k: (2 * n + 3) * k), "(k - 1) / 2 pixels"),
        (_counted(lambda n, k: (2 * n + 3) * (k - 1)), "side of the whole field"),
        (_counted(lambda n, k: 2 * n + 3), "where does kernel_size come in"),
        (_needed_rounded(math.floor), "Round up"),
        (_needed_rounded(int), "Round up"),
        (_needed_rounded(round), "not to the nearest"),
        (_needed_rounded(lambda x: x + 0.5), "not to the nearest"),
        (lambda reach, kernel_size=3: max(1, (reach // (kernel_size // 2) - 3) // 2), "Round up"),
        (lambda reach, kernel_size=3: max(1, math.ceil((reach // (kernel_size // 2) - 3) / 2)), "once, at the end"),
        (_needed_rounded(lambda x: math.floor(x) + 1), "exactly"),
        (lambda reach, kernel_size=3: math.ceil((reach / (kernel_size // 2) - 3) / 2), "one at least"),
        (lambda reach, kernel_size=3: _needed_by_counting(reach, kernel_size, least=0), "one at least"),
        (lambda reach, kernel_size=3: 2 * _needed(reach, kernel_size), "Count blocks"),
        (lambda reach, kernel_size=3: 2 * _needed(reach, kernel_size) + 3, "all the convolutions"),
        (lambda reach, kernel_size=3: float(_needed(reach, kernel_size)), "whole numbers"),
        (lambda reach, kernel_size=3: np.ceil((reach / (kernel_size // 2) - 3) / 2), "whole numbers"),
        (lambda reach, kernel_size=3: 1, "How far does one convolution see"),
    ],
    "e11_4": [
        (
            lambda *arguments: _psnr(*arguments, levels=lambda x: np.round(x * 255) / 255),
            "not clipped",
        ),
        (_psnr_of_wrapped_bytes, "leaves [0, 1] here"),
        (lambda *arguments: _psnr(*arguments, levels=lambda x: np.clip(x, 0, 1)), "not rounded to the 256 levels"),
        (lambda *arguments: _psnr(*arguments, levels=lambda x: x), "not rounded to the 256 levels"),
        (
            lambda *arguments: _psnr(*arguments, levels=lambda x: (np.clip(x, 0, 1) * 255).astype(np.uint8) / 255),
            "the level below",
        ),
        (lambda one, other, border: _decibels(_inside(_y(one) - _y(_to_levels(other)), border)), "reference was not"),
        (lambda one, other, border: _decibels(_inside(_y(_to_levels(one)) - _y(np.clip(other, 0, 1)), border)), "same"),
        (lambda *arguments: _psnr(*arguments, y=lambda x: _to_levels(_y(x))), "Y was rounded"),
        (
            lambda *arguments: _psnr(*arguments, levels=lambda x: np.clip(x, 0, 1), y=lambda x: _to_levels(_y(x))),
            "Y was rounded",
        ),
        (lambda *arguments: _psnr(*arguments, y=lambda x: x @ [0.299, 0.587, 0.114]), "1.32 dB too little"),
        (lambda *arguments: _psnr(*arguments) + 20 * np.log10(219 / 255), "1.32 dB too little"),
        (lambda *arguments: _psnr(*arguments, y=lambda x: x.mean(axis=-1)), "mean of the three channels"),
        (lambda *arguments: _psnr(*arguments, y=lambda x: x), "all three channels"),
        (lambda *arguments: _psnr(*arguments, y=lambda x: _y(x[..., ::-1])), "Red and blue"),
        (lambda *arguments: _psnr(*arguments, inside=lambda y, border: y), "was not cut off"),
        (lambda *arguments: _psnr(*arguments, inside=lambda y, border: y[border:, border:]), "top and left"),
        (
            lambda *arguments: _psnr(*arguments, inside=lambda y, border: y[: len(y) - border, : y.shape[1] - border]),
            "bottom and right",
        ),
        (lambda *arguments: _psnr(*arguments, inside=lambda y, border: y[border : len(y) - border]), "rows only"),
        (lambda *arguments: _psnr(*arguments, inside=lambda y, border: _inside(y, border)[:-1, :-1]), "Print each"),
        (
            lambda *arguments: _psnr(*arguments, levels=lambda x: np.ceil(np.clip(x, 0, 1) * 255) / 255),
            "or all to the one above",
        ),
        (lambda *arguments: _psnr(*arguments, levels=lambda x: np.floor(x * 256).clip(0, 255) / 255), "nearest one"),
        (
            lambda *arguments: _psnr(*arguments, inside=lambda y, border: y[:, border : y.shape[1] - border]),
            "columns only",
        ),
        (lambda *arguments: _psnr(*arguments, inside=lambda y, border: _inside(y, 2 * border)), "Twice the border"),
        (_psnr_of_a_loose_slice, "from 0 to -0"),
        (_psnr_of_an_empty_list, "from 0 to -0"),
        (_psnr_cutting_channels, "the axes rows, columns, channels"),
        (lambda *arguments: _psnr(*arguments, decibels=lambda e: 10 * np.log(1 / np.mean(e**2))), "base 10"),
        (lambda *arguments: _psnr(*arguments, decibels=lambda e: 2 * _decibels(e)), "twice too much"),
        (lambda *arguments: _psnr(*arguments, decibels=lambda e: -10 * np.log10(e.std() ** 2)), "Print each step"),
        (
            lambda *arguments: _psnr(*arguments, decibels=lambda e: 10 * np.log10(1 / np.sqrt(np.mean(e**2)))),
            "half of it",
        ),
        (lambda *arguments: -_psnr(*arguments), "better pictures have more"),
        (
            lambda *arguments: _psnr(*arguments, decibels=lambda e: 10 * np.log10(255**2 / np.mean(e**2))),
            "48 dB too much",
        ),
        (lambda *arguments: _psnr(*arguments, decibels=lambda e: _decibels(255 * e)), "48 dB too little"),
        (lambda *arguments: _psnr(*arguments, decibels=lambda e: -10 * np.log10(np.mean(abs(e)))), "mean absolute"),
        (lambda *arguments: _psnr(*arguments, decibels=lambda e: -10 * np.log10(np.mean(e) ** 2)), "or they cancel"),
        (lambda *arguments: _psnr(*arguments, decibels=lambda e: -10 * np.log10(np.sum(e**2))), "sum of the squares"),
        (lambda *arguments: _psnr(*arguments, decibels=lambda e: np.mean(e**2)), "This is the mean squared error"),
        (lambda *arguments: 30.0, "Print each step"),
    ],
    "e11_5": [
        (_every(lambda tile, overlap: tile), "only touch"),
        (_every(lambda tile, overlap: tile - overlap), "both of them have a rim"),
        (_every(lambda tile, overlap: tile - 2 * overlap + 1), "one pixel too far apart"),
        (_every(lambda tile, overlap: tile + 1), "belong to neither"),
        (_starts_with_a_gap, "belong to neither"),
        (_every(lambda tile, overlap: tile // 2 - overlap), "would do"),
        (_every(lambda tile, overlap: tile - 2 * overlap - 1 or 1), "would do"),
        (_every(lambda tile, overlap: overlap), "would do"),
        (_every(lambda tile, overlap: max(tile - 3 * overlap, 1)), "would do"),
        (_every(lambda tile, overlap: tile - 4 * overlap), "One pixel at least"),
        (_every(lambda tile, overlap: max(tile // 2, 1)), "would do"),
        (_every(lambda tile, overlap: tile - overlap - overlap // 2), "how far on may the next tile start"),
        (_starts_sticking_out, "sticks out"),
        (_starts_not_flush, "left over at the end"),
        (_starts_twice, "twice"),
        (_starts_of_middles, "flush with it"),
        (lambda length, tile, overlap: _starts_of_middles(length, tile, overlap, once=True), "are no seams"),
        (lambda length, tile, overlap: list(range(0, length - 2 * overlap, tile - 2 * overlap)), "one tile"),
        (lambda length, tile, overlap: list(range(0, length - tile + 1, tile - 2 * overlap)), "one tile"),
        (lambda length, tile, overlap: [*range(0, length - tile, tile - 2 * overlap), length - tile], "one tile"),
        (lambda length, tile, overlap: [*range(0, length - tile, tile - 2 * overlap)][-1:], "one tile"),
        (lambda length, tile, overlap: max(range(0, length - tile + 1, tile - 2 * overlap)), "one tile"),
        (lambda length, tile, overlap: sorted({0, max(length - tile, 0)} | {overlap}), "one tile"),
        (lambda length, tile, overlap: [0, 0] if length <= tile else _starts(length, tile, overlap), "twice"),
        (lambda length, tile, overlap: _starts(length, tile, overlap)[::-1], "from the first to the last"),
        (lambda length, tile, overlap: _starts(length, tile, overlap)[1:] or [0], "first tile starts at 0"),
        (lambda length, tile, overlap: _starts(length, tile, overlap)[1:-1] or [0], "left over at the end"),
        (lambda length, tile, overlap: [(start, start + tile) for start in _starts(length, tile, overlap)], "one list"),
        (lambda length, tile, overlap: len(_starts(length, tile, overlap)), "one number for each tile"),
        (
            lambda length, tile, overlap: np.linspace(
                0, max(length - tile, 0), 1 + math.ceil(max(length - tile, 0) / (tile - 2 * overlap))
            ),
            "of type int",
        ),
        (lambda length, tile, overlap: [0] if length <= tile else [], "no tile at all"),
        (lambda length, tile, overlap: [0], "left over at the end"),
    ],
}
