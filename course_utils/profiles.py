"""The numbers of each lesson, for two sizes of machine.

"lesson" (the default) fits a two-core laptop; "full" fits a GPU or an hour of patience, and is the lesson's with
fields replaced. All lengths are in epochs or steps, never in seconds, so that results do not depend on the machine's
speed. "smoke" is for tests: the lesson's numbers, of which `training.fit` takes a few steps an epoch.
`COURSE_PROFILE=full` in the environment switches whole notebooks; this module alone reads the environment.
"""

import os
from dataclasses import dataclass, replace

NAMES = ("smoke", "lesson", "full")


def chosen() -> str:
    """The profile that COURSE_PROFILE names, "lesson" without it. Raises ValueError for another name."""
    return _known(os.environ.get("COURSE_PROFILE", "lesson"), "COURSE_PROFILE")


def smoke() -> bool:
    """Whether the chosen profile is "smoke": trainings are cut to a few steps, and what they reach is not judged."""
    return chosen() == "smoke"


def _known(name: str, where: str) -> str:
    if name not in NAMES:
        raise ValueError(f"{where} must be one of {', '.join(map(repr, NAMES))}, got {name!r}: set it or leave it out")
    return name


@dataclass(frozen=True)
class Lesson05:
    """CNN classifier on Fashion-MNIST. Chosen on the validation images, see benchmarks/05_runs.py."""

    small_epochs: int = 3  # the network of the textbooks: enough to see it learn
    few_images: int = 1000  # few enough to be learned by heart
    few_epochs: int = 30
    few_batch_size: int = 50
    few_learning_rate: float = 0.003
    head_epochs: int = 150  # of the last layer on the features of photographs; it stops early
    head_batch_size: int = 20
    patience: int = 8  # epochs without a lower validation loss after which early stopping ends training
    epochs: int = 8
    batch_size: int = 256
    width: int = 24  # channels of the first convolution; of the residual blocks in the full profile
    blocks: int = 0  # residual blocks at each resolution; 0 is the plain network
    learning_rate: float = 0.4  # the peak of the one-cycle schedule
    weight_decay: float = 0.005
    label_smoothing: float = 0.1
    dropout_rate: float = 0.3
    shift: int = 1  # pixels
    erase: int = 0  # pixels: the side of the square painted black
    seed: int = 0


def lesson_05(profile: str | None = None) -> Lesson05:
    """The numbers of lesson 05, of the profile named or else of the chosen one. Raises ValueError for another name."""
    name = chosen() if profile is None else _known(profile, "profile")
    lesson = Lesson05()
    full = replace(lesson, blocks=1, width=80, epochs=45, shift=2, erase=6)
    return full if name == "full" else lesson


@dataclass(frozen=True)
class Lesson07:
    """VAE on Fashion-MNIST, and in colour on emoji. Chosen on the validation images, see benchmarks/07_runs.py."""

    latent_size: int = 16
    channels: tuple[int, ...] = (16, 32)  # at 14x14 and 7x7
    width: int = 256  # of the dense layers
    likelihood: str = "bernoulli"
    epochs: int = 4
    short_epochs: int = 2  # of the networks that are trained to be compared or looked at
    batch_size: int = 128
    learning_rate: float = 0.003  # the peak of the one-cycle schedule
    seed: int = 0
    emoji_latent_size: int = 32
    emoji_channels: tuple[int, ...] = (32, 64, 128)  # at 16x16, 8x8 and 4x4
    emoji_sigma: float = 0.3  # a learned one is smaller, stores more, and is harder to draw new pictures from
    emoji_width: int = 256
    emoji_epochs: int = 20
    emoji_batch_size: int = 64
    emoji_learning_rate: float = 0.002


def lesson_07(profile: str | None = None) -> Lesson07:
    """The numbers of lesson 07, of the profile named or else of the chosen one. Raises ValueError for another name."""
    name = chosen() if profile is None else _known(profile, "profile")
    lesson = Lesson07()
    full = replace(lesson, channels=(32, 64), epochs=30, emoji_epochs=160)
    return full if name == "full" else lesson


@dataclass(frozen=True)
class Lesson08:
    """GAN on Fashion-MNIST, and in colour on emoji. Chosen on the validation images, see benchmarks/08_baseline.py."""

    latent_size: int = 64
    generator_channels: tuple[int, ...] = (64, 64)  # at 7x7 and 14x14
    discriminator_channels: tuple[int, ...] = (32, 64)  # at 14x14 and 7x7
    refinements: tuple[int, ...] = (128,)  # channels of 3x3 convolutions of the discriminator's smallest map
    epochs: int = 4
    batch_size: int = 64
    learning_rate: float = 0.002  # at the start; it falls to 0 along half a cosine
    r1: float = 0.1
    averaging: float = 0.998
    seed: int = 0
    emoji_latent_size: int = 128
    emoji_generator_channels: tuple[int, ...] = (128, 64, 32)  # at 4x4, 8x8 and 16x16
    emoji_discriminator_channels: tuple[int, ...] = (32, 64, 128)
    emoji_epochs: int = 10
    emoji_batch_size: int = 64
    emoji_r1: float = 0.05
    emoji_shift: int = 4  # pixels, of all that the discriminator sees


def lesson_08(profile: str | None = None) -> Lesson08:
    """The numbers of lesson 08, of the profile named or else of the chosen one. Raises ValueError for another name."""
    name = chosen() if profile is None else _known(profile, "profile")
    lesson = Lesson08()
    full = replace(
        lesson,
        generator_channels=(96, 96),
        discriminator_channels=(48, 96),
        refinements=(192,),
        epochs=16,
        averaging=0.9995,
        emoji_epochs=200,
    )
    return full if name == "full" else lesson
