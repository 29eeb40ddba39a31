"""Diffusion on Fashion-MNIST, told the class (lesson 10)."""

from dataclasses import dataclass, replace

import keras

from course_utils import data as data_sets
from course_utils import training
from course_utils.models import diffusion, diffusion_networks
from course_utils.recipes import Examples, _samplers

IMAGE_SHAPE, CLASSES = (28, 28, 1), 10


@dataclass(frozen=True)
class Numbers:
    widths: tuple[int, ...] = (16, 32, 64)  # maps at 16x16, 8x8 and 4x4
    epochs: int = 4
    batch_size: int = 64
    learning_rate: float = 0.002  # the peak of the one-cycle schedule
    averaging: float = 0.998  # over the last 500 steps or so
    seed: int = 0


LESSON = Numbers()
FULL = replace(LESSON, widths=(32, 64, 96), epochs=14, averaging=0.9995)


def data() -> Examples:
    return Examples(*data_sets.fashion_mnist("train"))


def build(numbers: Numbers) -> diffusion.Diffusion:
    return diffusion.Diffusion(
        diffusion_networks.unet_with_time(IMAGE_SHAPE, CLASSES, widths=numbers.widths),
        averaging=numbers.averaging,
        seed=numbers.seed,
        name="diffusion_fashion",
    )


def compile(model: diffusion.Diffusion, numbers, steps: int) -> None:
    # The bound on the gradient is a precaution; without it, and with another learning rate, nothing was tried.
    optimizer = keras.optimizers.Adam(training.one_cycle(numbers.learning_rate, steps), global_clipnorm=1.0)
    model.compile(optimizer, jit_compile=False)


preview = _samplers.preview
evaluate = _samplers.judged_on_fashion
