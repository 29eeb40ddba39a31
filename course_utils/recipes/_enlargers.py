"""What the recipes of enlargers share: these differ in their scale and their numbers alone."""

from dataclasses import dataclass

import keras

from course_utils import training
from course_utils.models.super_resolution import LumaEnlarger, edsr
from course_utils.recipes import Examples, _restorers

SMALL_SIDE = 32  # pixels of a patch that the network is given


@dataclass(frozen=True)
class Numbers:
    width: int  # maps of each layer
    blocks: int
    epochs: int
    batch_size: int
    learning_rate: float  # the peak of the one-cycle schedule
    turned: bool  # each batch turned and mirrored at random
    seed: int = 0


def examples(scale: int) -> Examples:
    """Patches of luma; those of training overlap by half, those of validation lie apart."""
    side = scale * SMALL_SIDE
    luma = _restorers.luma_patches("validation", side, 2 * side)
    return Examples(_restorers.luma_patches("train", side, side // 2), validation=_restorers.shrunk(luma, scale))


def build(numbers: Numbers, scale: int) -> LumaEnlarger:
    network = edsr(scale, 1, width=numbers.width, blocks=numbers.blocks)
    return LumaEnlarger(network, scale, turned=numbers.turned, seed=numbers.seed, name=f"sr_x{scale}")


def compile(model: LumaEnlarger, numbers: Numbers, steps: int) -> None:
    optimizer = keras.optimizers.Adam(training.one_cycle(numbers.learning_rate, steps))
    # Keras has XLA compile it on a GPU alone: on two cores XLA's step takes 1.6 times as long (32 against 20 ms).
    model.compile(optimizer, loss="mean_absolute_error", metrics=[_restorers.psnr])
