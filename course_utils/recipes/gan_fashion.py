"""A GAN on Fashion-MNIST (lesson 08).

The numbers were chosen on the validation images; benchmarks/08_baseline.py and 08_repairs.py have the experiments.
"""

from dataclasses import dataclass, replace

import keras

from course_utils import data as data_sets
from course_utils import training
from course_utils.models import gan, gan_networks
from course_utils.recipes import Examples, _samplers

IMAGE_SHAPE = (28, 28, 1)


@dataclass(frozen=True)
class Numbers:
    latent_size: int = 64
    generator_channels: tuple[int, ...] = (64, 64)  # at 7x7 and 14x14
    discriminator_channels: tuple[int, ...] = (32, 64)  # at 14x14 and 7x7
    refinements: tuple[int, ...] = (128,)  # channels of 3x3 convolutions of the discriminator's smallest map
    epochs: int = 4
    batch_size: int = 64  # many small steps: the game moves on with each
    learning_rate: float = 0.002  # at the start; it falls to 0 along half a cosine
    r1: float = 0.1  # enough to keep the game from turning in circles
    averaging: float = 0.998  # over the last 500 steps or so
    seed: int = 0


LESSON = Numbers()
FULL = replace(
    LESSON,
    generator_channels=(96, 96),
    discriminator_channels=(48, 96),
    refinements=(192,),
    epochs=16,
    averaging=0.9995,
)


def data() -> Examples:
    return Examples(data_sets.fashion_mnist("train")[0])


def build(numbers: Numbers) -> gan.Gan:
    return gan.Gan(
        gan_networks.generator(numbers.latent_size, numbers.generator_channels, IMAGE_SHAPE),
        gan_networks.discriminator(numbers.discriminator_channels, IMAGE_SHAPE, refinements=numbers.refinements),
        r1=numbers.r1,
        averaging=numbers.averaging,
        name="gan_fashion",
    )


def compile(model: gan.Gan, numbers, steps: int) -> None:
    rate = training.one_cycle(numbers.learning_rate, steps, warm_up=0)
    # Without momentum: what was a step forward against the other network's last move need not be one now.
    model.compile(keras.optimizers.Adam(rate, beta_1=0.0, beta_2=0.99))


preview = _samplers.preview
evaluate = _samplers.judged_on_fashion
