"""A VAE on emoji in colour, told the family that drew them (lesson 08 compares its GAN with it).

Its classes are the families of `data.emoji_pictures`: 0 for noto, 1 for fluent.
"""

from dataclasses import dataclass, replace

import numpy as np

from course_utils import data as data_sets
from course_utils.models import vae
from course_utils.recipes import Examples, _samplers, vae_fashion

IMAGE_SHAPE, CLASSES = (32, 32, 3), 2


@dataclass(frozen=True)
class Numbers:
    latent_size: int = 32
    channels: tuple[int, ...] = (32, 64, 128)  # at 16x16, 8x8 and 4x4
    width: int = 256  # of the dense layers
    sigma: float = 0.3  # a learned one is smaller, stores more, and is harder to draw new pictures from
    epochs: int = 20
    batch_size: int = 64
    learning_rate: float = 0.002  # the peak of the one-cycle schedule
    seed: int = 0


LESSON = Numbers()
FULL = replace(LESSON, epochs=160)


def data() -> Examples:
    """The emoji and their mirror images: there are few."""
    images, families = data_sets.emoji_pictures("train")
    return Examples(np.concatenate([images, images[:, :, ::-1]]), np.concatenate([families, families]))


def build(numbers: Numbers) -> vae.Vae:
    sizes = {"channels": numbers.channels, "width": numbers.width, "classes": CLASSES}
    return vae.Vae(
        vae.encoder(IMAGE_SHAPE, 2 * numbers.latent_size, **sizes),
        vae.decoder(numbers.latent_size, IMAGE_SHAPE, **sizes),
        likelihood="gaussian",
        sigma=numbers.sigma,
        name="vae_emoji",
    )


compile = vae_fashion.compile
preview = _samplers.preview
evaluate = _samplers.judged_on_emoji
