"""Holes for inpainting. A mask is 1 where the picture is missing and 0 where it is known: float32 (H, W, 1).

Both kinds cover exactly the share of the picture that is asked for, to the pixel, so that scores compare.
"""

from collections.abc import Iterable, Iterator

import numpy as np

from course_utils.degrade.pictures import as_batch, whole_number

# The top and left pixel of a shape, and which pixels of the box below and right of it belong to it.
Shape = tuple[int, int, np.ndarray]

SCRATCHES = (1 / 120, 1 / 60)  # brushes of `free_form_mask` as thin as scratches: 3 to 6 pixels in 360


def apply_mask(images, masks, value: float = 0.5):
    """Pictures with `value` in their holes: x (1 - m) + value m, float32 (n, H, W, C).

    images: float (n, H, W, C) in [0, 1]; masks: (n, H, W, 1), or (1, H, W, 1) for one hole in all, of 0 and 1.
    value: mid-grey by default, which no picture is far from. A network should be told the mask as well, since a hole
    and a grey wall look alike.
    Raises ValueError as `as_batch` does, and for masks of another shape.
    """
    images, masks = as_batch(images), as_batch(masks)
    height, width = images.shape[1:3]
    if masks.shape[1:] != (height, width, 1) or masks.shape[0] not in (1, images.shape[0]):
        expected = f"({images.shape[0]} or 1, {height}, {width}, 1)"
        raise ValueError(f"expected masks of shape {expected}, got {tuple(masks.shape)}")
    return images * (1 - masks) + value * masks


def rectangle_mask(height: int, width: int, share: float, seed: int | np.random.Generator) -> np.ndarray:
    """Rectangles with sides of 1/8 to 1/3 of the picture's, at random places: float32 (height, width, 1).

    share: of the picture's pixels to cover, in (0, 1). The last rectangle is cut short once that is reached.
    Raises ValueError for another share and for pictures under 8x8 pixels.
    """
    random = np.random.default_rng(seed)
    return _covered(height, width, share, _rectangles(height, width, random))


def free_form_mask(
    height: int,
    width: int,
    share: float,
    seed: int | np.random.Generator,
    brush: tuple[float, float] = (1 / 16, 1 / 8),
) -> np.ndarray:
    """Strokes of a round brush that wanders, as a hand would scribble: float32 (height, width, 1).

    share: of the picture's pixels to cover, in (0, 1). brush: how far across the thinnest and the thickest are, as
    parts of the shorter side; none is thinner than 1.5 pixels. A stroke is 4 to 12 straight pieces, each up to a sixth
    of the shorter side long, with turns of up to about 100 degrees.
    Raises ValueError for another share, brushes that are not in order within (0, 1], and pictures under 8x8 pixels.
    After Yu, Lin, Yang, Shen, Lu and Huang, "Free-form image inpainting with gated convolution", 2019, algorithm 1.
    """
    thinnest, thickest = brush
    if not 0 < thinnest <= thickest <= 1:
        raise ValueError(f"brush must be two parts of the shorter side, 0 < thinnest <= thickest <= 1, got {brush}")
    random = np.random.default_rng(seed)
    return _covered(height, width, share, _dabs(height, width, brush, random))


def _covered(height: int, width: int, share: float, shapes: Iterable[Shape]) -> np.ndarray:
    """Lay shapes on one another until round(share * height * width) pixels are covered; of the last one, a part."""
    height, width = whole_number(height, "height", 8), whole_number(width, "width", 8)
    if not 0 < share < 1:
        raise ValueError(f"share must lie between 0 and 1, got {share!r}: it is the part of the picture that is hidden")
    mask = np.zeros((height, width), bool)
    missing = round(share * height * width)
    for top, left, shape in shapes:
        window = mask[top : top + shape.shape[0], left : left + shape.shape[1]]
        rows, columns = np.nonzero(shape[: window.shape[0], : window.shape[1]] & ~window)
        window[rows[:missing], columns[:missing]] = True
        missing -= min(len(rows), missing)
        if not missing:
            break
    return mask[..., np.newaxis].astype(np.float32)


def _rectangles(height: int, width: int, random: np.random.Generator) -> Iterator[Shape]:
    while True:
        sides = [random.integers(length // 8, length // 3 + 1) for length in (height, width)]
        top, left = (random.integers(length - side + 1) for length, side in zip((height, width), sides, strict=True))
        yield top, left, np.ones(sides, bool)


def _dabs(height: int, width: int, brush: tuple[float, float], random: np.random.Generator) -> Iterator[Shape]:
    """The strokes as round dabs of the brush, one pixel after the other along each piece."""
    shorter = min(height, width)
    while True:
        place = random.uniform((0, 0), (height, width))
        direction = random.uniform(0, 2 * np.pi)
        radius = max(random.uniform(*(shorter * part / 2 for part in brush)), 0.75)  # so that each dab holds a pixel
        for _ in range(random.integers(4, 13)):
            direction += random.uniform(-1.8, 1.8)
            step = np.array([np.sin(direction), np.cos(direction)])
            for _ in range(int(random.uniform(0, shorter / 6))):
                place = place + step
                yield from _dab(place, radius, height, width)


def _dab(place: np.ndarray, radius: float, height: int, width: int) -> Iterator[Shape]:
    """The part of a disc that lies in the picture, where there is one."""
    top, left = np.maximum(np.floor(place - radius), 0).astype(int)
    bottom, right = np.minimum(np.ceil(place + radius) + 1, (height, width)).astype(int)
    if top < bottom and left < right:
        rows, columns = np.ogrid[top:bottom, left:right]
        yield top, left, (rows - place[0]) ** 2 + (columns - place[1]) ** 2 <= radius**2
