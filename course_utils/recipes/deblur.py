"""Blur of three causes taken out of photographs, after Wiener's filter, which is told the kernel (lesson 12).

`models.deblurring.Deblurrer` says what the network is given: it need not find the kernel. (Networks of this size that
were told nothing did not come up to the filter in trainings of four minutes.)
"""

from dataclasses import dataclass, replace
from functools import partial

import keras
import numpy as np

from course_utils import degrade, training
from course_utils.models.deblurring import Deblurrer, with_wiener
from course_utils.models.unet import restoration_unet
from course_utils.recipes import Examples, _restorers

PROTOCOLS = ("deblur_gaussian", "deblur_motion", "deblur_defocus")
SIDE = 96  # pixels of a patch, about four times the width of the largest kernel


@dataclass(frozen=True)
class Numbers:
    widths: tuple[int, ...] = (32, 64, 128)  # maps at a half, a quarter and an eighth of the picture's size
    blocks: int = 1  # residual blocks at each size, on the way down and again on the way up
    epochs: int = 1
    batch_size: int = 4
    learning_rate: float = 0.002  # the peak of the one-cycle schedule
    seed: int = 0


LESSON = Numbers()
# At a peak of 0.002 a training of twenty epochs lost in its third what it had gained in the first two. One of 28 epochs
# with two blocks, at 0.001 and without a bound on the gradient, fell by 1.6 dB in its eleventh, and was stopped.
FULL = replace(LESSON, epochs=16, learning_rate=0.001)


def data() -> Examples:
    return Examples(
        _restorers.patches("train", SIDE, 48), validation=_blurred(_restorers.patches("validation", SIDE, 192))
    )


def _blurred(clean: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(as a deblurrer is given them, clean): by the three protocols in turn."""
    given = []
    for index, patch in enumerate(clean):
        protocol = degrade.PROTOCOLS[PROTOCOLS[index % len(PROTOCOLS)]]
        given.append(with_wiener(protocol(patch, index), protocol.kernel, protocol.sigma))
    return np.stack(given), clean


def build(numbers: Numbers) -> Deblurrer:
    network = restoration_unet(6, 3, widths=numbers.widths, blocks=numbers.blocks)
    return Deblurrer(network, turned=True, seed=numbers.seed, name="deblur")


def compile(model: Deblurrer, numbers: Numbers, steps: int) -> None:
    optimizer = keras.optimizers.Adam(training.one_cycle(numbers.learning_rate, steps))
    model.compile(optimizer, loss=_restorers.error_in_decibels, metrics=[_restorers.psnr], jit_compile=False)


def preview(model: Deblurrer) -> np.ndarray:
    return _restorers.restored_sheet(model, "deblur_motion")


evaluate = partial(_restorers.scores, protocols=PROTOCOLS)
