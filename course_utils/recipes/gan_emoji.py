"""A GAN on emoji in colour (lesson 08).

There are few emoji, so the discriminator sees each moved and mirrored at random, and so can less easily learn them by
heart.
"""

from dataclasses import dataclass, replace

from course_utils import data as data_sets
from course_utils.models import gan, gan_networks
from course_utils.models.augmentation import RandomShiftFlip
from course_utils.recipes import Examples, _samplers, gan_fashion

IMAGE_SHAPE = (32, 32, 3)


@dataclass(frozen=True)
class Numbers:
    latent_size: int = 128  # more than for clothes: there is more to choose
    generator_channels: tuple[int, ...] = (128, 64, 32)  # at 4x4, 8x8 and 16x16
    discriminator_channels: tuple[int, ...] = (32, 64, 128)  # at 16x16, 8x8 and 4x4
    epochs: int = 10
    batch_size: int = 64
    learning_rate: float = 0.002  # at the start; it falls to 0 along half a cosine
    r1: float = 0.05
    averaging: float = 0.998
    shift: int = 4  # pixels, of all that the discriminator sees
    seed: int = 0


LESSON = Numbers()
FULL = replace(LESSON, epochs=200, averaging=0.9995)


def data() -> Examples:
    return Examples(data_sets.emoji_pictures("train")[0])


def build(numbers: Numbers) -> gan.Gan:
    return gan.Gan(
        gan_networks.generator(numbers.latent_size, numbers.generator_channels, IMAGE_SHAPE),
        gan_networks.discriminator(numbers.discriminator_channels, IMAGE_SHAPE),
        r1=numbers.r1,
        averaging=numbers.averaging,
        augmentation=RandomShiftFlip(numbers.shift, flip=True, fill=1.0),  # the background is white
        name="gan_emoji",
    )


compile = gan_fashion.compile
preview = _samplers.preview
evaluate = _samplers.judged_on_emoji
