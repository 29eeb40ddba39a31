"""How the generators that ship with the course are trained: in their lessons, by `course train`, and in full.

A recipe is the one place where data, numbers and network of a generator meet. Its lesson, once it has shown the parts,
says

    recipe = recipes.find("gan_fashion")
    numbers = profiles.lesson_08()
    images, labels = recipe.data()
    model = recipe.model(numbers)
    history = training.fit(model, images, labels, **recipe.length(numbers))

and `course train gan_fashion` does the same with the results in a folder. Keras is imported only by `model`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from course_utils import data, profiles


@dataclass(frozen=True)
class Recipe:
    """One generator's training.

    summary: what is trained on what, in a few words.
    numbers: profile name, or None for the chosen one -> the frozen dataclass of numbers of its lesson.
    data: () -> images, float32 (n, H, W, C) in [0, 1], and labels, int64 (n,), or None.
    compiled: (numbers, steps of the whole training) -> the compiled model, which has `sample(n, seed)`.
    prefix: of the fields <prefix>epochs and <prefix>batch_size, where the lesson's numbers are for two generators.
    """

    summary: str
    numbers: Callable[[str | None], Any]
    data: Callable[[], tuple[np.ndarray, np.ndarray | None]]
    compiled: Callable[[Any, int], Any]
    prefix: str = ""

    def length(self, numbers) -> dict[str, int]:
        """What `training.fit` is to be called with: epochs, batch_size and seed."""
        return {
            "epochs": getattr(numbers, f"{self.prefix}epochs"),
            "batch_size": getattr(numbers, f"{self.prefix}batch_size"),
            "seed": numbers.seed,
        }

    def steps(self, numbers) -> int:
        """The steps of the whole training: epochs times full batches."""
        length = self.length(numbers)
        return length["epochs"] * (len(self.data()[0]) // length["batch_size"])

    def model(self, numbers):
        """The untrained, compiled `keras.Model`; the same weights each time, since the seed is set before."""
        from course_utils import training

        training.set_seed(numbers.seed)
        return self.compiled(numbers, self.steps(numbers))


def _clothes() -> tuple[np.ndarray, None]:
    return data.fashion_mnist("train")[0], None


def _emoji() -> tuple[np.ndarray, None]:
    return data.emoji_pictures("train")[0], None


def _emoji_and_families() -> tuple[np.ndarray, np.ndarray]:
    """The emoji and their mirror images: there are few."""
    images, families = data.emoji_pictures("train")
    return np.concatenate([images, images[:, :, ::-1]]), np.concatenate([families, families])


def _gan(build: str) -> Callable[[Any, int], Any]:
    """`compiled` of a GAN that a function of `models.gan` builds."""

    def compiled(numbers, steps: int):
        import keras

        from course_utils import training
        from course_utils.models import gan

        model = getattr(gan, build)(numbers)
        rate = training.one_cycle(numbers.learning_rate, steps, warm_up=0)
        # Without momentum: what was a step forward against the other network's last move need not be one now.
        model.compile(keras.optimizers.Adam(rate, beta_1=0.0, beta_2=0.99))
        return model

    return compiled


def _vae(build: str, prefix: str = "") -> Callable[[Any, int], Any]:
    """`compiled` of a VAE that a function of `models.vae` builds."""

    def compiled(numbers, steps: int):
        import keras

        from course_utils import training
        from course_utils.models import vae

        model = getattr(vae, build)(numbers)
        rate = training.one_cycle(getattr(numbers, f"{prefix}learning_rate"), steps)
        model.compile(keras.optimizers.Adam(rate))
        return model

    return compiled


RECIPES: dict[str, Recipe] = {
    "gan_fashion": Recipe("a GAN on Fashion-MNIST", profiles.lesson_08, _clothes, _gan("fashion_gan")),
    "gan_emoji": Recipe("a GAN on emoji in colour", profiles.lesson_08, _emoji, _gan("emoji_gan"), prefix="emoji_"),
    "vae_fashion": Recipe("a VAE on Fashion-MNIST", profiles.lesson_07, _clothes, _vae("fashion_vae")),
    "vae_emoji": Recipe(
        "a VAE on emoji in colour, told the family",
        profiles.lesson_07,
        _emoji_and_families,
        _vae("emoji_vae", "emoji_"),
        prefix="emoji_",
    ),
}


def find(name: str) -> Recipe:
    """The recipe of this name. Raises KeyError with the names that there are."""
    if name not in RECIPES:
        raise KeyError(f"there is no recipe {name!r}: choose from {', '.join(sorted(RECIPES))}")
    return RECIPES[name]
