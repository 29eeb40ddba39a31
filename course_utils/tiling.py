"""Large pictures through a network, in tiles that overlap: as good as at once, in the memory of a few tiles."""

from typing import NamedTuple

import keras
import numpy as np
from tqdm.auto import tqdm

from course_utils.degrade.pictures import HIGHEST, LOWEST, check_numbers

_BATCH_PIXELS = 2**17  # pixels that go through the network together: 64 channels of them take 32 MiB


def restore_tiled(
    model: keras.Model,
    picture: np.ndarray,
    *,
    tile: int,
    overlap: int,
    scale: int = 1,
    multiple: int = 1,
    progress: bool = True,
) -> np.ndarray:
    """What `model` makes of a picture of any size: float32 (H * scale, W * scale, channels of the model), not clipped.

    model: from float (n, h, w, C) to (n, h * scale, w * scale, c). picture: float (H, W, C), all channels the model
        takes; degraded pictures may leave [0, 1] a little.
    tile: the side of a tile in pixels of the picture; a picture that is smaller is taken at its own height or width.
    overlap: how far an output pixel looks, the radius of the receptive field (lesson 03), in pixels of the picture:
        8 for eight layers of 3x3. The result is then that of the whole picture at once, but for rounding: each output
        pixel comes from the one tile in which it lies `overlap` or more inside. Tiles at the border of the picture lie
        flush with it, so that the network meets the border there, and pads it as it always does, and nowhere else.
        With less there are seams. What looks at the whole picture (global pooling, attention) cannot be tiled.
    scale: how many times larger the model's output is.
    multiple: for a model that halves its pictures k times, 2^k: the picture is mirrored at the lower and right border
        up to a multiple of it and the result cut back; tile must be a multiple too, and tiles start at multiples.
    progress: show a bar over the tiles.

    All batches have one shape, so that the model is compiled once.
    Raises ValueError for a picture of another shape, of whole numbers, of 0-255 or with NaN, for lengths that do not
    fit together, and for a model that takes or makes pictures of another size.
    """
    picture = _checked(picture)
    _check_lengths(tile, overlap, scale, multiple)
    height, width = picture.shape[:2]
    padding = [(0, -height % multiple), (0, -width % multiple), (0, 0)]
    padded = np.pad(picture, padding, mode="symmetric") if multiple > 1 else picture
    sides = tuple(min(tile, length) for length in padded.shape[:2])
    _check_model(model, (*sides, picture.shape[2]))
    step = (tile - 2 * overlap) // multiple * multiple
    spans = [_spans(length, side, step, overlap) for length, side in zip(padded.shape, sides, strict=False)]
    places = [(row, column) for row in spans[0] for column in spans[1]]
    batch_size = min(max(1, _BATCH_PIXELS // (sides[0] * sides[1])), len(places))

    restored = None
    with tqdm(total=len(places), desc="restoring", unit="tile", leave=False, disable=not progress) as bar:
        for first in range(0, len(places), batch_size):
            group = places[first : first + batch_size]
            tiles = [padded[row.start : row.start + sides[0], col.start : col.start + sides[1]] for row, col in group]
            tiles += tiles[:1] * (batch_size - len(tiles))  # another shape would be compiled anew
            outputs = np.asarray(model.predict_on_batch(np.stack(tiles)))
            _check_outputs(outputs, sides, scale)
            if restored is None:
                restored = np.empty((height * scale, width * scale, outputs.shape[-1]), np.float32)
            for output, (row, column) in zip(outputs, group, strict=False):
                _paste(restored, output, row, column, scale)
            bar.update(len(group))
    return restored


class _Span(NamedTuple):
    """One tile along one axis."""

    start: int  # its first pixel
    low: int  # the pixels of the result from here
    high: int  # to here, not included, are taken from it


def _spans(length: int, side: int, step: int, overlap: int) -> list[_Span]:
    """Tiles of `side` pixels that cover `length`, the first and the last flush with the ends."""
    starts = [*range(0, length - side, step), length - side]
    cuts = [0, *(start + overlap for start in starts[1:]), length]
    return [_Span(start, low, high) for start, low, high in zip(starts, cuts[:-1], cuts[1:], strict=True)]


def _paste(restored: np.ndarray, output: np.ndarray, row: _Span, column: _Span, scale: int) -> None:
    """Write the inner part of one tile's output where it belongs, what was mirrored left off."""
    height, width = restored.shape[0] // scale, restored.shape[1] // scale
    bottom, right = min(row.high, height), min(column.high, width)
    inner = output[
        (row.low - row.start) * scale : (bottom - row.start) * scale,
        (column.low - column.start) * scale : (right - column.start) * scale,
    ]
    restored[row.low * scale : bottom * scale, column.low * scale : right * scale] = inner


def _checked(picture: np.ndarray) -> np.ndarray:
    picture = np.asarray(picture)
    if picture.ndim != 3 or 0 in picture.shape:
        raise ValueError(f"expected one picture (height, width, channels), got shape {picture.shape}")
    check_numbers(picture, "the picture", LOWEST, HIGHEST)
    return picture.astype(np.float32, copy=False)


def _check_lengths(tile: int, overlap: int, scale: int, multiple: int) -> None:
    if not (scale >= 1 and multiple >= 1 and overlap >= 0):
        raise ValueError(
            f"scale and multiple must be 1 or more and overlap 0 or more, got {scale}, {multiple} and {overlap}"
        )
    if tile % multiple:
        raise ValueError(f"tile must be a multiple of {multiple}, got {tile}: take {tile + -tile % multiple}")
    if tile - 2 * overlap < multiple:
        raise ValueError(
            f"a tile of {tile} with an overlap of {overlap} on each side leaves {tile - 2 * overlap} in the middle, "
            f"expected {multiple} or more: take a tile of {4 * overlap + -(4 * overlap) % multiple} or so"
        )


def _check_model(model: keras.Model, shape: tuple[int, int, int]) -> None:
    takes = model.input_shape[1:]
    if len(takes) != 3 or any(need not in (None, got) for need, got in zip(takes, shape, strict=True)):
        raise ValueError(
            f"the model takes pictures {takes} and would get tiles {shape}: build it for pictures of any size, "
            "Input((None, None, channels)), or choose another tile"
        )


def _check_outputs(outputs: np.ndarray, sides: tuple[int, int], scale: int) -> None:
    expected = (sides[0] * scale, sides[1] * scale)
    if outputs.ndim != 4 or outputs.shape[1:3] != expected:
        raise ValueError(
            f"the model makes {outputs.shape[1:]} of a tile of {sides[0]}x{sides[1]}, expected "
            f"{expected[0]}x{expected[1]} pixels with scale={scale}: say its scale, and its multiple if it halves "
            "pictures"
        )
