"""Diffusion in the 16 numbers of the VAE on Fashion-MNIST, told the class (lesson 10).

The VAE is the one that ships with lesson 07: it stays as it is, and its weights are not among these.
"""

from dataclasses import dataclass, replace
from functools import cache

import keras
from keras import ops

from course_utils import data as data_sets
from course_utils import models, training
from course_utils.models import diffusion, diffusion_networks
from course_utils.recipes import Examples, _samplers

AUTOENCODER, CLASSES = "vae_fashion", 10


@dataclass(frozen=True)
class Numbers:
    width: int = 256  # of the dense layers
    blocks: int = 3
    epochs: int = 10
    batch_size: int = 256
    learning_rate: float = 0.002  # the peak of the one-cycle schedule
    averaging: float = 0.998  # over the last 500 steps or so
    seed: int = 0


LESSON = Numbers()
FULL = replace(LESSON, epochs=30, averaging=0.9995)


def data() -> Examples:
    return Examples(*data_sets.fashion_mnist("train"))


def build(numbers: Numbers) -> diffusion.Diffusion:
    vae = _autoencoder()
    return diffusion.Diffusion(
        diffusion_networks.dense_with_time(vae.latent_size, CLASSES, width=numbers.width, blocks=numbers.blocks),
        # The mean of what the encoder says; numbers drawn around it gave the same distance, 2.1 and 2.2.
        encode=lambda images: ops.split(vae.encoder(images, training=False), 2, axis=-1)[0],
        decode=lambda codes: ops.sigmoid(vae.decoder(codes, training=False)),
        averaging=numbers.averaging,
        seed=numbers.seed,
        name="diffusion_latent",
    )


@cache
def _autoencoder():
    vae = models.load(AUTOENCODER)
    vae.trainable = False
    return vae


def compile(model: diffusion.Diffusion, numbers, steps: int) -> None:
    model.compile(keras.optimizers.Adam(training.one_cycle(numbers.learning_rate, steps)))


preview = _samplers.preview
evaluate = _samplers.judged_on_fashion
