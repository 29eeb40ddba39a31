"""Holes in photographs filled: scratches, and wider ones, from a smooth start (lesson 12).

The mask is the fourth channel. `models.inpainting.Inpainter` fills the holes smoothly first, and keeps what is known.
"""

from dataclasses import dataclass, replace
from functools import partial

import keras
import numpy as np
from keras import ops

from course_utils import degrade, training
from course_utils.models.inpainting import Inpainter, mask_bank
from course_utils.models.unet import restoration_unet
from course_utils.recipes import Examples, _restorers

PROTOCOLS = ("inpaint_rectangles", "inpaint_free_form", "inpaint_scratches")
# Pixels of a patch: few, since thousands of steps pass before a network leaves its smooth start behind.
SIDE = 64


@dataclass(frozen=True)
class Numbers:
    widths: tuple[int, ...] = (32, 64, 96)  # maps at a half, a quarter and an eighth of the picture's size
    blocks: int = 1  # residual blocks at each size, on the way down and again on the way up
    # As many as go into two minutes on two cores. What more gives, in decibels over heat on the test photographs, in
    # rectangles, strokes and scratches: after two 0.01, 0.01 and 0.09, after five 0.02, 0.04 and 0.24.
    epochs: int = 2
    batch_size: int = 8
    learning_rate: float = 0.001  # the peak of the one-cycle schedule
    seed: int = 0


LESSON = Numbers()
FULL = replace(LESSON, epochs=30)


def data() -> Examples:
    return Examples(
        _restorers.patches("train", SIDE, 48), validation=_with_holes(_restorers.patches("validation", SIDE, 96))
    )


def _with_holes(clean: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(pictures with holes and their masks, clean): with masks of the bank, the same each time."""
    bank = mask_bank(SIDE)
    masks = bank[np.random.default_rng(12).integers(len(bank), size=len(clean))].astype(np.float32)
    return np.concatenate([ops.convert_to_numpy(degrade.apply_mask(clean, masks)), masks], axis=-1), clean


def build(numbers: Numbers) -> Inpainter:
    network = restoration_unet(4, 3, widths=numbers.widths, blocks=numbers.blocks)
    return Inpainter(network, turned=True, seed=numbers.seed, name="inpaint")


def compile(model: Inpainter, numbers: Numbers, steps: int) -> None:
    # The bound on the gradient is a precaution; without it, and with another one, nothing was tried.
    optimizer = keras.optimizers.Adam(training.one_cycle(numbers.learning_rate, steps), global_clipnorm=4.0)
    model.compile(optimizer, loss=_restorers.error_in_decibels, metrics=[_restorers.psnr], jit_compile=False)


def preview(model: Inpainter) -> np.ndarray:
    return _restorers.restored_sheet(model, "inpaint_free_form")


evaluate = partial(_restorers.scores, protocols=PROTOCOLS)
