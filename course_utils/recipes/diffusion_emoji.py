"""Diffusion on emoji in colour, told the family that drew them (lesson 10).

Its classes are the families of `data.emoji_pictures`: 0 for noto, 1 for fluent.
"""

from dataclasses import dataclass, replace

import numpy as np

from course_utils import data as data_sets
from course_utils.models import diffusion, diffusion_networks
from course_utils.recipes import Examples, _samplers, diffusion_fashion

IMAGE_SHAPE, CLASSES = (32, 32, 3), 2
WRONG_IN_THE_MIRROR = ("Flags", "Symbols")  # a mirrored flag is that of another country, a mirrored 2 is none


@dataclass(frozen=True)
class Numbers:
    widths: tuple[int, ...] = (16, 32, 64)  # maps at 16x16, 8x8 and 4x4
    epochs: int = 10
    batch_size: int = 64
    learning_rate: float = 0.002  # the peak of the one-cycle schedule
    averaging: float = 0.998  # over the last 500 steps or so
    seed: int = 0


LESSON = Numbers()
FULL = replace(LESSON, widths=(24, 48, 96), epochs=48, averaging=0.999)


def data() -> Examples:
    """The emoji, and the mirror images of those that stay right in a mirror: there are few."""
    images, families = data_sets.emoji_pictures("train")
    right = stays_right_mirrored()
    return Examples(np.concatenate([images, images[right][:, :, ::-1]]), np.concatenate([families, families[right]]))


def stays_right_mirrored() -> np.ndarray:
    """For each emoji of training, in the order of `data.emoji_pictures`, whether it may be mirrored: bool (n,)."""
    categories = np.array(data_sets.emoji("noto").categories)
    in_training = np.arange(len(categories)) % 10 != 9
    return np.repeat(~np.isin(categories[in_training], WRONG_IN_THE_MIRROR), CLASSES)  # both families of one emoji


def build(numbers: Numbers) -> diffusion.Diffusion:
    return diffusion.Diffusion(
        diffusion_networks.unet_with_time(IMAGE_SHAPE, CLASSES, widths=numbers.widths),
        averaging=numbers.averaging,
        seed=numbers.seed,
        name="diffusion_emoji",
    )


compile = diffusion_fashion.compile
preview = _samplers.preview
evaluate = _samplers.judged_on_emoji
