"""A VAE on Fashion-MNIST (lesson 07).

The numbers were chosen on the validation images; benchmarks/07_runs.py has the experiments.
"""

from dataclasses import dataclass, replace

import keras

from course_utils import data as data_sets
from course_utils import training
from course_utils.models import vae
from course_utils.recipes import Examples, _samplers

IMAGE_SHAPE = (28, 28, 1)


@dataclass(frozen=True)
class Numbers:
    latent_size: int = 16  # more are left unused, see lesson 07
    channels: tuple[int, ...] = (16, 32)  # at 14x14 and 7x7
    width: int = 256  # of the dense layers
    classes: int | None = None  # with a number both networks are told the class
    epochs: int = 4
    batch_size: int = 128
    learning_rate: float = 0.003  # the peak of the one-cycle schedule
    seed: int = 0


LESSON = Numbers()
FULL = replace(LESSON, channels=(32, 64), epochs=30)


def data() -> Examples:
    return Examples(data_sets.fashion_mnist("train")[0])


def build(numbers: Numbers) -> vae.Vae:
    sizes = {"channels": numbers.channels, "width": numbers.width, "classes": numbers.classes}
    return vae.Vae(
        vae.encoder(IMAGE_SHAPE, 2 * numbers.latent_size, **sizes),
        vae.decoder(numbers.latent_size, IMAGE_SHAPE, **sizes),
        name="vae_fashion",
    )


def compile(model: vae.Vae, numbers, steps: int) -> None:
    model.compile(keras.optimizers.Adam(training.one_cycle(numbers.learning_rate, steps)))


preview = _samplers.preview
evaluate = _samplers.judged_on_fashion
