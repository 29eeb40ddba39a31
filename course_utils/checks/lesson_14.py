"""Checks for lesson 14, style transfer."""

import itertools

import numpy as np

from course_utils.checks import Attempt, exercise

_NAMES = [
    f"conv{block}_{number}" for block, count in enumerate((2, 2, 3, 3, 3), start=1) for number in range(1, count + 1)
]


@exercise("E14.1")
def e14_1(attempt: Attempt) -> None:
    """`content_layer(pixels)`: the fields are followed backwards, from one output to the picture."""
    fields = _fields()
    sizes = [3, 5, 1, 4, 6, 9, 10, 14, 40, 41, 92, 93, 132, 196, 197, 1000]
    rng = np.random.default_rng(1)
    for pixels in [*sizes, *map(int, rng.integers(2, 200, 20))]:
        expected = _first(fields, pixels)
        tried = f"content_layer({pixels})"
        got = attempt.call(pixels, tried=tried)
        if type(got) is not str:
            hint = "A name is wanted, such as 'conv3_3', or 'none'."
            attempt.reject(hint, tried=tried, got=got, expected="a name, in quotes")
        if got == expected:
            continue
        attempt.reject(_layer_hint(got, pixels, expected), tried=tried, got=got, expected=expected)


def _fields(first_jump: bool = True, pools: bool = True, jumps: bool = True) -> list[int]:
    """How many pixels one output of each convolution sees. Settings are mistakes: pools that add nothing, and so on."""
    fields = []
    for last in range(len(_NAMES)):
        field = 1
        for index in range(last, -1, -1):  # backwards: each window of three, then each pooling
            field += 2
            if index and _NAMES[index][4] != _NAMES[index - 1][4]:
                field = (2 * field if pools else 2 * field - 1) if jumps else field + pools
        fields.append(field)
    return fields


def _first(fields: list[int], pixels: int) -> str:
    return next((name for name, field in zip(_NAMES, fields, strict=True) if field >= pixels), "none")


def _layer_hint(got: str, pixels: int, expected: str) -> str:
    if got not in [*_NAMES, "none"]:
        return "The names are those of the convolutions, conv1_1 to conv5_3, or 'none'."
    if got == "none":
        return "Some convolution does see so many: which is the last one, and how far does it see?"
    if expected == "none":
        return "The last convolution sees less than this: return 'none'."
    if got == _first(_fields(pools=False), pixels):
        return "A pooling is a window of 2 x 2: it sees one step further as well."
    if got == _first(_fields(jumps=False), pixels):
        return "After a pooling of stride 2, one step of a map is two of the map before: windows reach further."
    if got == _first([field - 1 for field in _fields()], pixels):
        return "At least so many: a convolution that sees exactly so many will do, and the field has no pixel more."
    if got == _first([field + 1 for field in _fields()], pixels):
        return "At least so many pixels: this one sees fewer."
    if _NAMES.index(got) > _NAMES.index(expected):
        return "An earlier convolution sees as many: follow field and step from conv1_1 on, on paper."
    return "This convolution sees fewer: follow field and step from conv1_1 on, on paper."


@exercise("E14.2")
def e14_2(attempt: Attempt) -> None:
    """`gram_matrix(maps)`: sums of products, channel by channel."""
    rng = np.random.default_rng(2)
    hint = "One row for each place, one column for each channel: which product of matrices sums over the places?"
    for shape in [(1, 1, 2), (2, 2, 2), (2, 3, 4), (5, 4, 3), (6, 7, 1)]:
        maps = rng.normal(size=shape)
        expected = np.array([[np.mean(one * other) for other in _planes(maps)] for one in _planes(maps)])
        size, channels = shape[0] * shape[1], shape[2]
        centred = maps - maps.mean(axis=(0, 1))
        mistakes = {
            "The sum runs over the places and is to be divided by their number.": expected * size,
            "Divide by the number of places alone: the channels are not summed over.": expected / channels,
            "Divide by the number of places once.": expected / size,
            "Nothing is subtracted: this is a covariance.": np.einsum("hwa,hwb->ab", centred, centred) / size,
            "Divide by all places, height times width.": expected * size / shape[0],
            "These are the squares alone: each two channels are wanted.": np.diag(expected),
            "A reshape to (C, h w) mixes places and channels: keep the channels last, then transpose.": (
                maps.reshape(channels, -1) @ maps.reshape(channels, -1).T / size
            ),
        }
        tried = f"gram_matrix(maps of shape {shape})"
        attempt.compare((maps,), expected, hint, mistakes=mistakes, tried=tried)


def _planes(maps: np.ndarray) -> list[np.ndarray]:
    return [maps[..., channel] for channel in range(maps.shape[-1])]


@exercise("E14.3")
def e14_3(attempt: Attempt) -> None:
    """`gram_gradient(maps, g)`: the sum over a and b of g[a, b] times the derivative of each entry, one by one."""
    rng = np.random.default_rng(3)
    hint = "Move one entry of F a little on paper, for two places and two channels: which entries of G move, how far?"
    for shape in [(1, 1, 2), (2, 2, 2), (3, 2, 3), (4, 5, 6)]:
        maps, g = rng.normal(size=shape), rng.normal(size=(shape[2], shape[2]))
        size, expected = shape[0] * shape[1], np.zeros(shape)
        for a, b in itertools.product(range(shape[2]), repeat=2):
            expected[..., a] += g[a, b] * maps[..., b] / size
            expected[..., b] += g[a, b] * maps[..., a] / size
        half, other = maps @ g / size, maps @ g.T / size
        mistakes = {
            "Each entry of F stands in a row of G and in a column: this is one half of it.": half,
            "Each entry of F stands in a row of G and in a column: one half of it is missing.": other,
            "That would do for a symmetric g: this one is not.": 2 * half,
            "That would do for a symmetric g, and this one is not.": 2 * other,
            "G is divided by the number of places: so is its gradient.": expected * size,
            "Divide by the number of places once.": expected / size,
            "This is half of it: is there a mean of two where a sum should be?": expected / 2,
            "The sign is the wrong way round.": -expected,
        }
        tried = f"gram_gradient(maps of shape {shape}, g of shape {g.shape})"
        attempt.compare((maps, g), expected, hint, mistakes=mistakes, tried=tried)


@exercise("E14.4")
def e14_4(attempt: Attempt) -> None:
    """`total_variation(picture)`: neighbour by neighbour."""
    rng = np.random.default_rng(4)
    hint = "Subtract the picture without its last row from the picture without its first; then the columns."
    pictures = [np.array([[[0.0], [1.0]], [[0.25], [0.7]]]), *(rng.random(shape) for shape in [(3, 4, 1), (5, 3, 3)])]
    for picture in [*pictures, rng.random((8, 9, 3))]:
        height, width, _ = picture.shape
        down = np.array([picture[row + 1] - picture[row] for row in range(height - 1)])
        across = np.array([picture[:, column + 1] - picture[:, column] for column in range(width - 1)])
        expected = np.abs(down).mean() + np.abs(across).mean()
        around = [np.abs(picture - np.roll(picture, 1, axis=axis)).mean() for axis in (0, 1)]
        mistakes = {
            "These are sums: the means are wanted.": np.abs(down).sum() + np.abs(across).sum(),
            "Absolute differences are wanted, not squares.": (down**2).mean() + (across**2).mean(),
            "Without absolute values the differences cancel.": down.mean() + across.mean(),
            "These are the differences down the columns alone.": np.abs(down).mean(),
            "These are the differences along the rows alone.": np.abs(across).mean(),
            "The first row is no neighbour of the last: roll goes round.": sum(around),
            "Two means are added: this is half of it.": expected / 2,
            "All differences went into one mean: each direction has its own.": (
                np.abs(np.concatenate([down.ravel(), across.ravel()])).mean()
            ),
        }
        tried = f"total_variation(picture of shape {picture.shape})"
        attempt.compare((picture,), expected, hint, mistakes=mistakes, tried=tried)


@exercise("E14.5")
def e14_5(attempt: Attempt) -> None:
    """`move_colours(picture, wanted)`: channel by channel; the last trial has a channel that is constant."""
    rng = np.random.default_rng(5)
    hint = "For each channel: take its mean away, bring its spread to the wanted one, add the wanted mean."
    flat = rng.random((4, 5, 3))
    flat[..., 1] = 0.5
    shapes = [((3, 4, 1), (3, 4, 1)), ((4, 5, 3), (6, 2, 3)), ((7, 3, 3), (2, 9, 3))]
    trials = [(rng.random(one), rng.random(other) ** 3, hint) for one, other in shapes]
    constant = "A channel that is constant has no spread to divide by: it becomes the wanted mean."
    for picture, wanted, about in [*trials, (flat, trials[1][1], constant)]:
        expected, varied, swapped, squared = (np.empty_like(picture) for _ in range(4))
        for channel, plane in enumerate(_planes(picture)):
            other, spread = wanted[..., channel], plane.std() or 1.0
            away = plane - plane.mean()
            expected[..., channel] = away / spread * other.std() + other.mean()
            varied[..., channel] = away + other.mean()
            swapped[..., channel] = plane / spread * other.std() + other.mean()
            squared[..., channel] = away / spread**2 * other.var() + other.mean()
        whole = (picture - picture.mean()) / picture.std() * wanted.std() + wanted.mean()
        mistakes = {
            "The means are right, and the spread is still the picture's own.": varied,
            "Take the mean away before you scale, or it is scaled as well.": swapped,
            "The standard deviation is wanted, not the variance.": squared,
            "Each channel has a mean and a spread of its own: over which axes did you take them?": whole,
            "Nothing is to be clipped here.": expected.clip(0, 1),
            "The picture's own mean came back: add the wanted one.": (
                expected - wanted.mean(axis=(0, 1)) + picture.mean(axis=(0, 1))
            ),
            "The wanted mean is missing.": expected - wanted.mean(axis=(0, 1)),
        }
        tried = f"move_colours(picture of shape {picture.shape}, wanted of shape {wanted.shape})"
        attempt.compare((picture, wanted), expected, about, mistakes=mistakes, tried=tried)


@exercise("E14.6")
def e14_6(attempt: Attempt) -> None:
    """`adain(maps, style, strength)`: map by map; the last two trials have a map that is constant."""
    rng = np.random.default_rng(6)
    hint = (
        "For each map: take its mean away, divide by its spread, then the style's spread and mean; then the strength."
    )
    flat = rng.normal(3, 2, (4, 5, 3))
    flat[..., 1] = 0.5
    constant = "A map that is constant has no spread to divide by: at strength 1 it becomes the wanted mean."
    trials = [((3, 4, 1), (3, 4, 1), 0.4), ((4, 5, 3), (6, 2, 3), 1.0), ((4, 5, 3), (6, 2, 3), 0.3)]
    trials.append(((2, 7, 4), (2, 7, 4), 0.0))
    trials = [(rng.normal(3, 2, one), rng.normal(-1, 5, other), strength, hint) for one, other, strength in trials]
    trials += [(flat, rng.normal(-1, 5, (6, 2, 3)), strength, constant) for strength in (1.0, 0.4)]
    for maps, style, strength, about in trials:
        full, varied, squared = (np.empty_like(maps) for _ in range(3))
        for channel, plane in enumerate(_planes(maps)):
            other, spread = style[..., channel], plane.std() or 1.0
            full[..., channel] = (plane - plane.mean()) / spread * other.std() + other.mean()
            varied[..., channel] = (plane - plane.mean()) / spread * other.var() + other.mean()
            squared[..., channel] = (plane - plane.mean()) / spread**2 * other.var() + other.mean()
        whole = (maps - maps.mean()) / maps.std() * style.std() + style.mean()
        expected = strength * full + (1 - strength) * maps
        mixed = (1 - strength) * full + strength * maps
        mistakes = {
            "Strength 0 gives the photograph's maps, 1 those with the style's code: it is the other way round.": mixed,
            "This goes all the way: what does the strength do?": full,
            "The standard deviation is wanted, not the variance.": strength * squared + (1 - strength) * maps,
            "Multiply by the style's standard deviation, not by its variance.": (
                strength * varied + (1 - strength) * maps
            ),
            "Each map has a mean and a spread of its own: over which axes did you take them?": (
                strength * whole + (1 - strength) * maps
            ),
            "The wanted mean is missing.": expected - strength * style.mean(axis=(0, 1)),
            "The photograph's maps are added whole: they have the share 1 - strength.": maps + strength * full,
        }
        tried = f"adain(maps of shape {maps.shape}, style of shape {style.shape}, strength {strength})"
        attempt.compare((maps, style, strength), expected, about, mistakes=mistakes, tried=tried)
