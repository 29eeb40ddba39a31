"""Super-resolution of photographs to twice their size (lesson 11).

The network restores luma; `models.super_resolution.LumaEnlarger` says what becomes of the colours. The numbers were
chosen on the validation photographs; benchmarks/11_enlargers.py has some of the experiments.
"""

from dataclasses import dataclass, replace

import keras
import numpy as np

from course_utils import training
from course_utils.models.super_resolution import LumaEnlarger, edsr
from course_utils.recipes import Examples, _restorers

SCALE = 2
PROTOCOLS = ("sr_x2",)
SIDE = 64  # pixels of a patch; it is learned from half as many


@dataclass(frozen=True)
class Numbers:
    width: int = 16  # maps of each layer
    blocks: int = 4
    epochs: int = 5
    batch_size: int = 8  # with 16 and half the steps a network of width 32 gained 0.1 dB less; one seed
    learning_rate: float = 0.002  # the peak of the one-cycle schedule
    turned: bool = False  # each batch turned and mirrored at random; five epochs did not seem to need it
    seed: int = 0


LESSON = Numbers()
# Twenty epochs that were not turned fitted the patches (32.4 dB) and not those of validation (31.0, no more than after
# six); twelve that were turned reached 31.9 and 31.2. Epochs and turning changed together: neither was tried alone.
FULL = replace(LESSON, width=32, blocks=6, epochs=12, learning_rate=0.001, turned=True)


def data() -> Examples:
    luma = _restorers.luma_patches("validation", SIDE, 2 * SIDE)
    return Examples(_restorers.luma_patches("train", SIDE, SIDE // 2), validation=_restorers.shrunk(luma, SCALE))


def build(numbers: Numbers) -> LumaEnlarger:
    network = edsr(SCALE, 1, width=numbers.width, blocks=numbers.blocks)
    return LumaEnlarger(network, SCALE, turned=numbers.turned, seed=numbers.seed, name=f"sr_x{SCALE}")


def compile(model: LumaEnlarger, numbers: Numbers, steps: int) -> None:
    optimizer = keras.optimizers.Adam(training.one_cycle(numbers.learning_rate, steps))
    # Compiled by XLA a step takes two thirds of the time, also on a processor, where Keras leaves it alone.
    model.compile(optimizer, loss="mean_absolute_error", metrics=[_restorers.psnr], jit_compile=True)


def preview(model: LumaEnlarger) -> np.ndarray:
    return _restorers.enlarged_sheet(model, SCALE)


def evaluate(model: LumaEnlarger) -> dict[str, dict]:
    return _restorers.scores(model, PROTOCOLS)
