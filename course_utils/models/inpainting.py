"""Inpainters (lesson 12): what a mask hides in a picture is filled by a network, the rest stays as it is."""

import itertools
from collections.abc import Iterator
from functools import cache

import keras
import numpy as np
from keras import layers, ops

from course_utils.degrade import SCRATCHES, apply_mask, free_form_mask
from course_utils.models.restorer import Restorer

_ITSELF = np.array([[0, 0, 0], [0, 1, 0], [0, 0, 0]], np.float32)
_NEIGHBOURS = np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]], np.float32) / 4
_MASKS = 256  # of a bank; a batch draws from them anew, and a `turned` restorer shows each in eight ways


@cache
def mask_bank(side: int, photograph: int = 360) -> np.ndarray:
    """Squares cut out of masks for whole photographs: uint8 (256, side, side, 1), 1 where hidden; read-only.

    Holes grow with the picture they lie in, and a patch is a small part of one: its holes are those of a square
    photograph of `photograph` pixels, a tenth to four tenths of it hidden by scratches. Each square hides between 2 and
    80 per cent of its own pixels.

    Scratches alone: with every other hole of strokes or rectangles, whose insides cannot be known, one training was
    still at its smooth start after 3,000 steps, when one on scratches had begun to leave it. (That one's smooth start
    was a little better too, so that this is an observation and no experiment.)
    """
    bank = np.stack(list(itertools.islice(_squares(side, photograph), _MASKS)))
    bank.flags.writeable = False
    return bank


def _squares(side: int, photograph: int) -> Iterator[np.ndarray]:
    """Squares of masks without end, four of each mask, since a mask takes longer than its squares."""
    random = np.random.default_rng(0)
    while True:
        mask = free_form_mask(photograph, photograph, random.uniform(0.1, 0.4), random, brush=SCRATCHES)
        for top, left in random.integers(photograph - side + 1, size=(4, 2)):
            square = mask[top : top + side, left : left + side]
            if 0.02 < square.mean() < 0.8:
                yield square.astype(np.uint8)


class Holes(layers.Layer):
    """Square pictures (n, s, s, 3) with holes, and the masks as their fourth channel: (n, s, s, 4).

    Each picture draws one mask of `mask_bank(s)` anew at each call.
    """

    def __init__(self, seed: int, **kwargs):
        super().__init__(**kwargs)
        self.seed = keras.random.SeedGenerator(seed)

    def call(self, images):
        count, side = ops.shape(images)[0], images.shape[1]
        drawn = keras.random.randint((count,), 0, _MASKS, seed=self.seed)
        masks = ops.cast(ops.take(ops.convert_to_tensor(mask_bank(side)), drawn, axis=0), images.dtype)
        return ops.concatenate([apply_mask(images, masks), masks], axis=-1)


@keras.saving.register_keras_serializable("course_utils")
class SmoothFill(layers.Layer):
    """Pictures with masks, (n, h, w, C + 1), to the same with a smooth surface in the holes.

    Near to `classical.inpainting.harmonic`, whose linear system no layer could solve: from the smallest of `levels`
    pictures, each of which holds the means of the known pixels in 2x2 of the one before, a hole is filled by what its
    place has in the smaller one, and then moved some times towards the mean of its four neighbours (beyond the border
    lies the border pixel again): `sweeps` times in the whole picture, up to four times as often in smaller ones. What
    is still missing from these means is then spread in the same way, once, and added. Where nothing is known in the
    smallest picture either, it is the mean of all known pixels.
    Gortler, Grzeszczuk, Szeliski and Cohen, "The lumigraph", 1996, section 3.4.3 (pull and push); Golub and Varga,
    "Chebyshev semi-iterative methods", 1961 (the sweeps); Brandt, "Multi-level adaptive solutions to boundary-value
    problems", 1977 (what is added).
    """

    def __init__(self, levels: int = 7, sweeps: int = 4, **kwargs):
        super().__init__(**kwargs)
        self.levels, self.sweeps = levels, sweeps

    def call(self, images):
        pictures, masks = images[..., :-1], images[..., -1:]
        nothing = ops.zeros_like(pictures)
        filled = self._filled(pictures, 1 - masks, nothing, self.levels, self.sweeps)
        missing = masks * (_filtered(filled, _NEIGHBOURS) - filled)
        filled += self._filled(nothing, 1 - masks, missing, self.levels, self.sweeps)
        return ops.concatenate([filled, masks], axis=-1)

    def _filled(self, pictures, known, heat, levels: int, sweeps: int):
        """Pictures (n, h, w, C) with known pixels (n, h, w, 1) kept and the others filled.

        heat: how far each of the others is to lie above the mean of its neighbours, (n, h, w, C).
        """
        total, count = (ops.average_pool(maps, 2, padding="same") for maps in (pictures * known, known))
        smaller, known_there = total / ops.maximum(count, 1e-6), ops.cast(count > 0, count.dtype)
        if levels > 1:
            # A surface of one bend lies four times as far from its neighbours' mean where they are twice as far away.
            heat_there = 4 * ops.average_pool(heat * (1 - known), 2, padding="same")
            more = min(2 * sweeps, 4 * self.sweeps)
            smaller = self._filled(smaller, known_there, heat_there, levels - 1, more)
        else:
            mean = ops.sum(total, axis=(1, 2), keepdims=True) / ops.maximum(
                ops.sum(count, axis=(1, 2), keepdims=True), 1e-6
            )
            smaller = ops.where(known_there > 0, smaller, mean)
        height, width = ops.shape(pictures)[1:3]
        larger = ops.repeat(ops.repeat(smaller, 2, axis=1), 2, axis=2)[:, :height, :width]
        return _swept(pictures, known > 0, larger, heat, sweeps)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "levels": self.levels, "sweeps": self.sweeps}


def _swept(pictures, known, start, heat, sweeps: int):
    """Pictures (n, h, w, C) with their unknown pixels moved from `start` to `heat` above their neighbours' mean.

    A plain sweep is Jacobi's. By Chebyshev's weights each also goes beyond what stood two sweeps before, so that after
    all of them little is left of any wave that loses `slowest` of its height or more to a plain one.
    """
    slowest = 0.6 / max(sweeps, 1)  # of a wave's height; what loses less is left to the smaller pictures
    middle = 1 + slowest / 2  # of what a plain sweep takes off a wave, from slowest of its height to twice it
    left = 2 / middle - 1  # of a wave, at most, by a sweep that is divided by this
    kernel = _ITSELF + (_NEIGHBOURS - _ITSELF) / middle
    filled = before = ops.where(known, pictures, start)
    weight = 1
    for sweep in range(sweeps):
        moved = before + weight * (_filtered(filled, kernel) + heat / middle - before)
        filled, before = ops.where(known, pictures, moved), filled
        weight = 1 / (1 - left**2 * weight / (4 if sweep else 2))
    return filled


def _filtered(pictures, kernel: np.ndarray):
    """Pictures (n, h, w, C) by a kernel of 3x3, with their border pixels once more beyond the border.

    One convolution: slices and sums in its place take twice as long when not compiled.
    """
    kernel = np.tile(kernel[..., np.newaxis, np.newaxis], (1, 1, pictures.shape[-1], 1))
    around = ops.pad(pictures, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="symmetric")
    return ops.depthwise_conv(around, ops.convert_to_tensor(kernel, pictures.dtype), padding="valid")


class Inpainter(Restorer):
    """Fills holes: float (n, h, w, 4), colour and a mask (1 = hidden), -> float (n, h, w, 3), not clipped.

    network: from pictures with smooth holes, see `SmoothFill`, and their masks, (n, h, w, 4), to whole ones,
    (n, h, w, 3). The inpainter learns from whole ones. Known pixels come back as they were given, and whatever stands
    in a hole is not looked at.
    Raises ValueError as `Restorer` does, and for a mask of other values than 0 and 1 and one that hides no pixel of a
    picture or all of them; `predict_on_batch` takes these two as well, since a tile may lie within a hole or outside.
    """

    def __init__(self, network: keras.Model, *, turned: bool = False, seed: int = 0, **kwargs):
        super().__init__(_known_pixels_kept(network), Holes(seed), turned=turned, seed=seed, **kwargs)

    def predict_on_batch(self, x):
        return keras.Model.predict_on_batch(self, self._checked(x, whole=True))

    def _checked(self, images, whole: bool = False):
        images = super()._checked(images)
        if isinstance(images, np.ndarray):
            _check_masks(images[..., 3], whole)
        return images


def _known_pixels_kept(network: keras.Model) -> keras.Model:
    """The network with the holes filled smoothly before it and the known pixels put back after it."""
    images = layers.Input((None, None, 4), name="images_and_masks")
    pictures, masks = images[..., :3], images[..., 3:]
    guess = network(SmoothFill(name="smooth_fill", dtype="float32")(images))
    return keras.Model(images, pictures * (1 - masks) + guess * masks, name="known_pixels_kept")


def _check_masks(masks: np.ndarray, whole: bool) -> None:
    """Refuse masks (n, h, w) with values between, and those that hide nothing or all unless they may be `whole`."""
    if not np.isin(masks, (0, 1)).all():
        low, high = float(masks.min()), float(masks.max())
        raise ValueError(
            f"the fourth channel is the mask, 1 where a pixel is hidden and 0 elsewhere, got numbers from {low:.4g} to "
            f"{high:.4g}, not all of them 0 or 1: round it, (mask > 0.5)"
        )
    for index, share in enumerate(masks.mean(axis=(1, 2))):
        if not (0 < share < 1 or whole):
            raise ValueError(
                f"the mask of picture {index} hides {'all' if share else 'none'} of its pixels: there must be some to "
                "fill, and some known"
            )
