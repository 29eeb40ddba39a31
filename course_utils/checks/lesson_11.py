"""Checks for lesson 11, super-resolution."""

import itertools
import math
from typing import Any

import numpy as np
import scipy.interpolate
import skimage.color
import skimage.metrics

from course_utils.checks import Attempt, exercise


@exercise("E11.1")
def e11_1(attempt: Attempt) -> None:
    """`cubic_between(samples, place)`: SciPy's Hermite polynomials with the slopes of central differences."""
    rng = np.random.default_rng(1)
    hint = "Write down the four nearest samples, how far each lies from `place`, and the weight at that distance."
    index = "An index is a whole number of type int: rounding down with NumPy leaves a float."
    whole = "At the place of a sample its weight is 1 and those of the others are 0: the value is the sample itself."
    first = "At place 1 the nearest samples are those at 0, 1 and 2: does your function still find all it asks for?"
    last = "At the last place, n - 2, the sample two steps further on does not exist, and would weigh nothing."
    samples = np.array([2.0, 3, 7, 4, 12, 1, 5])
    trials = [(samples, 2.6, hint, {(IndexError, TypeError): index}), (samples, 3.25, hint, {})]
    for count, place, about in [(7, 3.0, whole), (7, 1.0, first), (7, 5.0, last), (3, 1.0, last), (4, 2.0, last)]:
        trials.append((samples[:count], place, about, {(ArithmeticError, LookupError, ValueError): about}))
    for count in (4, 5, 8, 12):
        place = 1 + (count - 3) * rng.random()
        trials.append((rng.normal(size=count) * 10.0 ** rng.integers(-1, 4), place, hint, {}))
    for samples, place, about, errors in trials:
        slopes = np.gradient(samples)
        expected = scipy.interpolate.CubicHermiteSpline(np.arange(len(samples)), samples, slopes)(place)
        mistakes = _cubic_mistakes(samples, place)
        attempt.compare((samples, place), float(expected), about, mistakes=mistakes, errors=errors)


def _kernel(x, a: float = -0.5, near: float = 1.0, far: float = 1.0):
    """The cubic kernel of slope `a` at distance 1, its two branches times `near` and `far`; signed x as it is."""
    inside = near * ((a + 2) * x**3 - (a + 3) * x**2 + 1)
    outside = far * a * (x**3 - 5 * x**2 + 8 * x - 4)
    return np.where(x <= 1, inside, np.where(x < 2, outside, 0.0))


def _cubic_mistakes(samples: np.ndarray, place: float) -> dict[str, Any]:
    numbers = np.arange(len(samples))
    start = math.floor(place) - 1
    near = slice(start, start + 4)
    four = samples[near]
    weights = _kernel(np.abs(place - np.arange(start, start + 4)))

    def value(a=-0.5, place=place, **branches):
        return float(_kernel(np.abs(place - numbers), a, **branches) @ samples)

    mistakes = {
        "This is linear interpolation, of two samples: four are wanted.": np.interp(place, numbers, samples),
        "This is the nearest sample: nothing was interpolated.": samples[round(place)],
        "This is the sample below `place`: nothing was interpolated.": samples[math.floor(place)],
        "This is the kernel of a = -3/4, which OpenCV and PyTorch take: here a is -1/2.": value(-0.75),
        "This is the kernel of a = -1: here a is -1/2.": value(-1.0),
        "The far branch of the kernel is missing: samples between 1 and 2 away count too.": value(far=0.0),
        "The far branch has the wrong sign: it lies below 0.": value(far=-1.0),
        "The near branch is missing: samples up to 1 away count most.": value(near=0.0),
        "This is the value one step further on: which sample lies at which distance?": value(place=place + 1),
        "This is the value one step before: which sample lies at which distance?": value(place=place - 1),
        "This is the value half a step before: the samples stand at whole places.": value(place=place - 0.5),
        "This is the value half a step further on: the samples stand at whole places.": value(place=place + 0.5),
        "This cubic goes through all four samples: the kernel gives another one.": _polynomial(four, place - start),
        "This is a spline, which looks at all samples: each value here comes from four.": _spline(samples, place),
        "This is a spline with straight ends: each value here comes from four samples.": (
            _spline(samples, place, "natural")
        ),
        "The four weights add up to 1 already: the sum needs no division.": value() / 4,
    }
    for name, distances in [("place - k", place - numbers), ("k - place", numbers - place)]:
        signed = _kernel(distances)
        hint = f"Is {name} ever below 0? A distance never is"
        mistakes[f"{hint}: which branch of the kernel did the samples on one side meet?"] = signed[near] @ four
        mistakes[f"{hint}, and far away on either side the kernel is 0."] = signed @ samples
    if len(four) == 4:
        reverse = "The weights came in reverse: the sample next to `place` should count most, on either side."
        mistakes[reverse] = weights[::-1] @ four
        mistakes["These are the four products: their sum is wanted."] = weights * four
        mistakes["These are the weights: what do the samples become with them?"] = weights
    return mistakes


def _polynomial(samples: np.ndarray, place: float) -> float:
    return np.polyval(np.polyfit(np.arange(len(samples)), samples, len(samples) - 1), place)


def _spline(samples: np.ndarray, place: float, ends: str = "not-a-knot") -> float:
    return float(scipy.interpolate.CubicSpline(np.arange(len(samples)), samples, bc_type=ends)(place))


@exercise("E11.2")
def e11_2(attempt: Attempt) -> None:
    """`to_pixels(maps, scale)`: each output number looked up by its index, one setting changed at a time."""
    rng = np.random.default_rng(2)
    cell = "One pixel becomes a square of scale times scale: follow its numbers 0, 1, 2, ... into the square."
    cells = "One pixel is right: where do the squares of neighbouring pixels go?"
    square = "A picture need not be as wide as it is high: which lengths belong to which axis?"
    colours = "There may be more than one channel: each place in a square then has several numbers, one a channel."
    scales = "The scale is not always 2: where does your function take it for granted?"
    together = "Each setting alone is right; look at how scale, sides and channels work together."
    whole = "The lengths of a shape are whole numbers: is there a division that leaves a float?"
    cases = [((1, 1), 2, 1, cell), ((3, 3), 2, 1, cells), ((2, 4), 2, 1, square), ((2, 2), 2, 3, colours)]
    cases += [((3, 3), 3, 1, scales), ((5, 3), 3, 2, together), ((2, 7), 4, 3, together), ((1, 6), 5, 4, together)]
    for sides, scale, channels, hint in cases:
        shape = (*sides, scale**2 * channels)
        numbers = np.arange(math.prod(shape))
        numbers = numbers if sides == (1, 1) else rng.permutation(numbers) - 20.25
        maps = numbers.reshape(shape).astype(np.float32)
        i, j, c = np.indices((sides[0] * scale, sides[1] * scale, channels))
        expected = maps[i // scale, j // scale, ((i % scale) * scale + j % scale) * channels + c]
        tried = f"to_pixels(maps of shape {shape}, {scale})"
        if sides == (1, 1):
            tried = f"to_pixels(np.array({maps.astype(int).tolist()}), {scale})"
        errors = {(ValueError, LookupError): hint, TypeError: whole}
        mistakes = _pixel_mistakes(maps, scale, expected)
        attempt.compare((maps, scale), expected, hint, mistakes=mistakes, errors=errors, tried=tried)


def _pixel_mistakes(maps: np.ndarray, scale: int, expected: np.ndarray) -> dict[str, Any]:
    height, width, depth = maps.shape
    channels = depth // scale**2
    cells = maps.reshape(height, width, scale, scale, channels)
    planes = maps.reshape(height, width, channels, scale, scale)
    split = expected.reshape(height, scale, width, scale, channels)
    mistakes = {
        "Rows and columns are exchanged: in each square, the row changes slowest.": (
            split.transpose(0, 3, 2, 1, 4).reshape(expected.shape)
        ),
        "A reshape alone keeps the order of the numbers, and the rows of a square are not neighbours in it.": (
            maps.reshape(expected.shape)
        ),
        "This is the order of PyTorch's pixel_shuffle: there the channel changes slowest, here it changes fastest.": (
            planes.transpose(0, 3, 1, 4, 2).reshape(expected.shape)
        ),
        "Each square holds one number many times: this enlarges some of the maps, and the others are lost.": (
            maps[..., :channels].repeat(scale, axis=0).repeat(scale, axis=1)
        ),
        "The small pictures lie side by side: their pixels should interleave.": (
            split.transpose(1, 0, 3, 2, 4).reshape(expected.shape)
        ),
        "The squares are right, and are still axes of their own: merge them with the pixels they belong to.": cells,
        "The axes are in order: merge each with the one it belongs to.": split,
        "Rows and columns of the picture are exchanged; those inside each square are right.": (
            split.transpose(2, 1, 0, 3, 4).reshape(width * scale, height * scale, channels)
        ),
        "The channels come last here, not first.": expected.transpose(2, 0, 1),
        "The numbers became whole ones on the way: of which type is your array?": np.trunc(expected),
    }
    if channels == 1:
        mistakes["One channel is an axis too: the shape ends in 1."] = expected[..., 0]
    else:
        one_channel = cells.reshape(height, width, -1)[..., : scale**2].reshape(height, width, scale, scale)
        merged = one_channel.transpose(0, 2, 1, 3).reshape(*expected.shape[:2], 1)
        mistakes["One channel came out: there are scale * scale times fewer than maps, and not always one."] = merged
    return mistakes


@exercise("E11.3")
def e11_3(attempt: Attempt) -> None:
    """`blocks_needed(reach, kernel_size)`: an impulse spread through the layers of more and more blocks."""
    cases = [(reach, 3) for reach in (5, 6, 7, 8, 12, 13, 20, 31, 4, 3, 1, 0)]
    cases += [(reach, 5) for reach in (10, 11, 14, 15, 23, 40)] + [(reach, 7) for reach in (15, 16, 21, 22, 50)]
    cases += [(2, 9), (29, 9), (45, 9)]
    got = [attempt.call(reach) if size == 3 else attempt.call(reach, kernel_size=size) for reach, size in cases]
    if not all(isinstance(blocks, (int, np.integer)) for blocks in got):
        other = next(blocks for blocks in got if not isinstance(blocks, (int, np.integer)))
        attempt.reject("Blocks are counted in whole numbers, of type int.", got=other, expected="a whole number")
    expected = [_fewest_blocks(reach, size, _seen_to_each_side) for reach, size in cases]
    hint = "How far does one convolution see to each side? Then count the convolutions, those outside the blocks too."
    at_least_one = [max(1, blocks) for blocks in got]
    if at_least_one == expected:
        hint = "A small reach needs no block to be seen, and the network still has one at least."
    for mistake, rule in _BLOCK_MISTAKES:
        if at_least_one == [max(1, rule(reach, size)) for reach, size in cases]:
            hint = mistake
    for (reach, size), one, right in zip(cases, got, expected, strict=True):
        keyword = "" if size == 3 else f", kernel_size={size}"
        attempt.agree(one, right, hint, tried=f"blocks_needed({reach}{keyword})")


def _seen_to_each_side(blocks: int, kernel_size: int) -> int:
    impulse = np.ones(1)
    for _ in range(3 + 2 * blocks):
        impulse = np.minimum(np.convolve(impulse, np.ones(kernel_size)), 1.0)
    return np.count_nonzero(impulse) // 2


def _fewest_blocks(reach: int, kernel_size: int, seen) -> int:
    return next(blocks for blocks in itertools.count(1) if seen(blocks, kernel_size) >= reach)


def _counting(seen):
    return lambda reach, size: _fewest_blocks(reach, size, seen)


def _exactly(reach: int, size: int) -> float:
    """The blocks as a fraction."""
    return (reach / (size // 2) - 3) / 2


_SIDE = "The reach goes to each side: this compares it with the side of the whole field."
_ONE = "A kernel of size k sees (k - 1) / 2 pixels further to each side."
_OUTSIDE = "Three convolutions stand outside the blocks: are all of them counted, and counted once?"
_BLOCK_MISTAKES = [
    (_SIDE, _counting(lambda n, k: (2 * n + 3) * (k - 1) + 1)),
    (_SIDE, _counting(lambda n, k: (2 * n + 3) * (k - 1))),
    (_SIDE, lambda reach, k: _fewest_blocks(2 * reach + 1, k, _seen_to_each_side)),
    (_SIDE, lambda reach, k: _fewest_blocks(2 * reach, k, _seen_to_each_side)),
    (_ONE, _counting(lambda n, k: (2 * n + 3) * k)),
    ("A block has two convolutions.", _counting(lambda n, k: (n + 3) * (k // 2))),
    (_OUTSIDE, _counting(lambda n, k: 2 * n * (k // 2))),
    (_OUTSIDE, _counting(lambda n, k: (2 * n + 1) * (k // 2))),
    (_OUTSIDE, _counting(lambda n, k: (2 * n + 2) * (k // 2))),
    ("The three convolutions outside are no blocks: each counts once.", _counting(lambda n, k: 2 * (n + 3) * (k // 2))),
    ("Larger kernels see further: where does kernel_size come in?", _counting(lambda n, k: 2 * n + 3)),
    ("Round up: with a part of a block left off, the reach is not seen.", lambda r, k: math.floor(_exactly(r, k))),
    ("Round up, not to the nearest: the reach must be seen.", lambda r, k: round(_exactly(r, k))),
    ("Round up, not to the nearest, and once, at the end.", lambda r, k: math.floor(_exactly(r, k) + 0.5)),
    ("A network that sees exactly `reach` pixels sees enough.", lambda r, k: math.floor(_exactly(r, k)) + 1),
    (
        "Count blocks; each is two convolutions.",
        lambda reach, k: 2 * _fewest_blocks(reach, k, _seen_to_each_side),
    ),
    (
        "Count blocks: these are all the convolutions.",
        lambda reach, k: 2 * _fewest_blocks(reach, k, _seen_to_each_side) + 3,
    ),
]


@exercise("E11.4")
def e11_4(attempt: Attempt) -> None:
    """`psnr_of_luma(reference, restored, border)`: whole levels are drawn, spoiled and measured by scikit-image."""
    rng = np.random.default_rng(3)
    steps = "Print each step for a small picture: the levels, Y, its shape after the cut, the mean squared error."
    uncut = "A border of 0 cuts nothing off: what does a slice hold that goes from 0 to -0?"
    rounded = "The values of both pictures lie between the 256 levels here: each belongs to the nearest one."
    clipped = "The restored picture leaves [0, 1] here: what lies outside counts as the end it has passed."
    cases = [((12, 9), 2, 12, {}, steps), ((7, 10), 0, 12, {}, uncut), ((19, 22), 1, 2, {"between": 0.4}, rounded)]
    cases += [((14, 16), 3, 12, {"beyond": 0.3}, clipped), ((15, 20), 2, 0.6, {}, steps)]
    for sides in [(20, 33), (41, 18), (17, 17)]:
        cases.append((sides, int(rng.integers(0, 5)), 8, {"between": 0.4, "beyond": 0.2}, steps))
    for sides, border, noise, spoiling, hint in cases:
        levels, pictures = _pair_of_pictures(rng, sides, noise, **spoiling)
        luma = [_cut(_luma(each), border) for each in levels]
        expected = skimage.metrics.peak_signal_noise_ratio(*luma, data_range=1)
        tried = f"psnr_of_luma(reference and restored of shape {pictures[0].shape}, {border})"
        errors = {(ValueError, LookupError, ArithmeticError): _CHANNELS if border else uncut}
        mistakes = _psnr_mistakes(*pictures, border)
        attempt.compare((*pictures, border), expected, hint, mistakes=mistakes, errors=errors, tried=tried)


_CHANNELS = "A picture has the axes rows, columns, channels: Y goes along the last, the border off the other two."


def _pair_of_pictures(rng, sides: tuple[int, int], noise: float, between: float = 0.0, beyond: float = 0.0):
    """A picture and a noisy one, as whole levels uint8 (H, W, 3) and as float32 that should be rounded to them.

    between: how far, in levels, the float values lie from the levels. beyond: the share of noisy values that lie
    beyond black or white.
    """
    reference = rng.integers(60, 196, (*sides, 3))
    levels = [reference, reference + np.rint(rng.normal(size=reference.shape) * noise).astype(int).clip(-50, 50)]
    just_above = 0.002  # so that cutting decimals off gives the level, in single precision as in double
    values = [each + just_above + rng.uniform(-between, between, each.shape) for each in levels]
    outside, white = rng.random((2, *reference.shape)) < np.reshape([beyond, 0.5], (2, 1, 1, 1))
    levels[1] = np.where(outside, 255 * white, levels[1])
    distance = rng.uniform(1, 60, reference.shape)
    values[1] = np.where(outside, np.where(white, 255 + distance, -distance), values[1])
    return [each.astype(np.uint8) for each in levels], [(each / 255).astype(np.float32) for each in values]


def _luma(levels: np.ndarray) -> np.ndarray:
    return skimage.color.rgb2ycbcr(levels)[..., 0] / 255


def _cut(picture: np.ndarray, border: int) -> np.ndarray:
    return picture[border : picture.shape[0] - border, border : picture.shape[1] - border]


def _psnr_mistakes(reference: np.ndarray, restored: np.ndarray, border: int) -> dict[str, Any]:
    first, second = reference.astype(np.float64), restored.astype(np.float64)
    weights = np.array([65.481, 128.553, 24.966]) / 255

    def levels(values):
        return np.round(255 * np.clip(values, 0, 1)) / 255

    def luma(values):
        return values @ weights + 16 / 255

    def decibels(one, other, cut=lambda values: _cut(values, border)):
        return -10 * np.log10(np.mean((cut(one) - cut(other)) ** 2))

    def prepared(prepare, prepare_reference=None):
        return decibels(luma((prepare_reference or prepare)(first)), luma(prepare(second)))

    def after(change, **keywords):
        return decibels(change(levels(first)), change(levels(second)), **keywords)

    error = _cut(luma(levels(first)) - luma(levels(second)), border)
    squared, bottom, right = np.mean(error**2), len(first) - border, first.shape[1] - border
    return {
        "The border was not cut off.": after(luma, cut=lambda y: y),
        "The border goes off all four sides, not only at the top and left.": (
            after(luma, cut=lambda y: y[border:, border:])
        ),
        "The border goes off all four sides, not only at the bottom and right.": (
            after(luma, cut=lambda y: y[:bottom, :right])
        ),
        "The border was cut off the rows only.": after(luma, cut=lambda y: y[border:bottom]),
        "The border was cut off the columns only.": after(luma, cut=lambda y: y[:, border:right]),
        "Twice the border was cut off.": after(luma, cut=lambda y: _cut(y, 2 * border)),
        "The restored picture was not clipped.": prepared(lambda values: np.round(255 * values) / 255),
        "The values were not rounded to the 256 levels.": prepared(lambda values: np.clip(values, 0, 1)),
        "The values all went to the level below, or all to the one above: take the nearest.": (
            prepared(lambda values: np.floor(255 * np.clip(values, 0, 1)) / 255)
        ),
        "The reference was not rounded: the same goes for both pictures.": prepared(levels, lambda values: values),
        "The restored picture was not rounded: the same goes for both pictures.": (
            prepared(lambda values: np.clip(values, 0, 1), levels)
        ),
        "Y was rounded: round the colours before, and Y itself not.": after(lambda values: levels(luma(values))),
        "This is 1.32 dB too little: the weights of Y add up to 219/255, those of ordinary grey to 1.": (
            after(lambda values: values @ [0.299, 0.587, 0.114])
        ),
        "This is the mean of the three channels: Y weighs them differently.": (
            after(lambda values: values.mean(axis=-1))
        ),
        "This compares all three channels: Y alone is wanted.": after(lambda values: values),
        "Red and blue are exchanged: the channels come as R, G, B.": after(lambda values: luma(values[..., ::-1])),
        "The logarithm is the one to base 10.": -10 * np.log(squared),
        "This is twice too much: 20 goes with the root of the mean squared error, 10 with the error.": (
            -20 * np.log10(squared)
        ),
        "This is half of it: 10 goes with the mean squared error, 20 with its root.": -5 * np.log10(squared),
        "The sign is the wrong way round: better pictures have more decibels.": 10 * np.log10(squared),
        "This is 48 dB too much: the peak is 255, and the values go up to 1.": -10 * np.log10(squared / 255**2),
        "This is 48 dB too little: the peak is 1, and the values go up to 255.": -10 * np.log10(squared * 255**2),
        "The differences are squared: this is their mean absolute value.": -10 * np.log10(np.mean(np.abs(error))),
        "Square the differences before the mean, or they cancel.": -20 * np.log10(np.abs(np.mean(error))),
        "This is the sum of the squares: the mean is wanted.": -10 * np.log10(np.sum(error**2)),
        "This is the mean squared error: what is it in decibels?": squared,
    }


@exercise("E11.5")
def e11_5(attempt: Attempt) -> None:
    """`tile_starts(length, tile, overlap)`: several lists are right; what each pixel looks at must lie in a tile."""
    rng = np.random.default_rng(5)
    cases = [(12, 16, 3), (16, 16, 4), (5, 16, 4), (1, 3, 1), (24, 16, 4), (40, 16, 4), (37, 16, 4), (17, 16, 4)]
    cases += [(33, 16, 0), (48, 16, 0), (40, 9, 4), (100, 32, 8), (97, 20, 3)]
    for _ in range(20):
        overlap = int(rng.integers(0, 8))
        cases.append((int(rng.integers(1, 150)), 2 * overlap + int(rng.integers(1, 30)), overlap))
    for length, tile, overlap in cases:
        tried = f"tile_starts({length}, {tile}, {overlap})"
        small = length <= tile
        errors = {(ArithmeticError, LookupError, ValueError): _SMALL if small else _STEP}
        got = attempt.numbers(attempt.call(length, tile, overlap, tried=tried, errors=errors), tried)
        problem = _problem_of_starts(got, length, tile, overlap)
        if problem:
            shown = got.tolist() if got.ndim == 1 and got.size <= 30 else got
            attempt.reject(problem, tried=tried, got=shown, **({"expected": [0]} if small else {}))


_STEP = "How far on may the next tile start? One pixel at least, as a tile is larger than twice the overlap."
_SMALL = "A picture no longer than a tile is one tile, which starts at 0."


def _problem_of_starts(got: np.ndarray, length: int, tile: int, overlap: int) -> str | None:
    """What is wrong with these starts, in a hint; None where nothing is."""
    if got.ndim == 0:
        return "Return a list, with one number for each tile."
    if got.ndim > 1:
        return "Only the first pixel of each tile is wanted: one number a tile, in one list."
    if got.size == 0:
        return _SMALL if length <= tile else "There is no tile at all."
    if got.dtype.kind not in "iu":
        return "Pixels are counted in whole numbers, of type int."
    starts = got.astype(np.int64)
    return _problem_of_places(starts, length, tile) or _problem_of_seams(starts, length, tile, overlap)


def _problem_of_places(starts: np.ndarray, length: int, tile: int) -> str | None:
    last = max(length - tile, 0)
    if length <= tile and starts.any():
        return _SMALL
    if (starts < 0).any():
        return "A tile starts before the picture: the first starts at 0, flush with it."
    if (starts > last).any():
        return "A tile sticks out beyond the picture: the last one ends where the picture ends."
    if len(np.unique(starts)) < len(starts):
        return "A tile comes twice: once is enough."
    if (np.diff(starts) < 0).any():
        return "List the tiles from the first to the last."
    if starts[0] != 0:
        return "The first tile starts at 0."
    if starts[-1] != last:
        return "Pixels are left over at the end: the last tile ends where the picture ends."
    return None


def _problem_of_seams(starts: np.ndarray, length: int, tile: int, overlap: int) -> str | None:
    served = _served(length, tile, overlap)
    missed = np.flatnonzero(~served[starts].any(axis=0))
    furthest = np.diff(starts).max(initial=0)
    if missed.size:
        lowest, highest = max(missed[0] - overlap, 0), min(missed[0] + overlap, length - 1)
        pixel = f"Pixel {missed[0]} looks at pixels {lowest} to {highest}, and no tile has them all"
        if furthest > tile:
            return f"{pixel}: some pixels between two tiles belong to neither."
        if furthest == tile:
            return f"{pixel}: tiles that only touch leave a seam."
        if furthest == tile - overlap:
            return f"{pixel}: two neighbours share `overlap` pixels, and both of them have a rim there."
        if furthest == tile - 2 * overlap + 1:
            return f"{pixel}: the tiles are one pixel too far apart."
        return f"{pixel}: how far on may the next tile start?"
    if len(starts) > _fewest_tiles(served):
        return (
            f"Each pixel is served, and {_fewest_tiles(served)} tiles would do. How far on may the next tile start? And"
            " the picture's own borders are no seams: the outer tiles serve all pixels there."
        )
    return None


def _served(length: int, tile: int, overlap: int) -> np.ndarray:
    """(starts, pixels): whether the tile of that start holds all that the pixel looks at inside the picture."""
    starts = np.arange(max(length - tile, 0) + 1)[:, np.newaxis]
    pixels = np.arange(length)
    lowest, highest = np.maximum(pixels - overlap, 0), np.minimum(pixels + overlap, length - 1)
    return (starts <= lowest) & (highest < starts + tile)


def _fewest_tiles(served: np.ndarray) -> int:
    """Take the last tile that serves the first pixel not yet served, until all are."""
    count, pixel = 0, 0
    while pixel < served.shape[1]:
        start = np.flatnonzero(served[:, pixel])[-1]
        count, pixel = count + 1, int(np.flatnonzero(served[start])[-1]) + 1
    return count
