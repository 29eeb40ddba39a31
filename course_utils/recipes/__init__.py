"""One file a network: how each network that is trained in a lesson and ships with the course comes about.

`recipes/NAME.py` holds

    a docstring     whose first line says what is trained on what
    Numbers         a frozen dataclass, each number with its reason; epochs, batch_size and seed are among them
    LESSON, FULL    its values for a laptop and two minutes, and of the network that ships
    data()          -> Examples, what it is trained on
    build(numbers)  -> the untrained `keras.Model`, whose weights ship
    compile(model, numbers, steps)      readies it for so many steps
    preview(model)  -> a picture, (H, W, 1 or 3) in [0, 1], that shows how far training has come
    evaluate(model) -> scores, fit for JSON, that are kept beside the weights that ship; test data serve here alone
    PROTOCOLS       of a restorer alone: the names in `degrade.PROTOCOLS` that `course score` measures it by

and nothing else needs to know of it: `models.load(NAME)`, `course train NAME`, shipping and the tests find it by its
name. A generator, a classifier and a network from image to image are all recipes; only their files say what they are.

    recipe = recipes.find("gan_fashion")
    numbers = recipe.numbers()
    model = recipe.model(numbers)
    history = recipe.train(model, numbers)
"""

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from course_utils import profiles


class Examples(NamedTuple):
    """What `training.fit` is given.

    images: float32 (n, H, W, C) in [0, 1], what the network sees.
    labels: (n, ...), what it is told beside them: classes, one-hot rows, other images. None for a network that learns
        from images alone.
    validation: (images, labels) or (images,) that each epoch is validated on, or None.
    """

    images: np.ndarray
    labels: np.ndarray | None = None
    validation: tuple[np.ndarray, ...] | None = None


@dataclass(frozen=True)
class Recipe:
    """The recipe of one network: the parts of its file, as above, and what follows from them."""

    name: str
    summary: str
    LESSON: Any
    FULL: Any
    data: Callable[[], Examples]
    build: Callable[[Any], Any]
    compile: Callable[[Any, Any, int], None]
    preview: Callable[[Any], np.ndarray]
    evaluate: Callable[[Any], dict]
    protocols: tuple[str, ...] = ()

    def numbers(self, profile: str | None = None):
        """The numbers of the profile named, or else of the chosen one; "smoke" has those of the lesson.

        Raises ValueError for another name.
        """
        return self.FULL if profiles.known(profile) == "full" else self.LESSON

    def steps(self, numbers) -> int:
        """The steps of the whole training: epochs times full batches."""
        return numbers.epochs * (len(self.data().images) // numbers.batch_size)

    def length(self, numbers) -> dict[str, int]:
        """What `training.fit` is to be called with: epochs, batch_size and seed."""
        return {name: getattr(numbers, name) for name in ("epochs", "batch_size", "seed")}

    def model(self, numbers):
        """The untrained, compiled `keras.Model`; the same weights each time, since the seed is set before."""
        from course_utils import training

        training.set_seed(numbers.seed)
        model = self.build(numbers)
        self.compile(model, numbers, self.steps(numbers))
        return model

    def train(self, model, numbers, **options):
        """Train a model of `model(numbers)` and return its History. options: more arguments of `training.fit`."""
        from course_utils import training

        images, labels, validation = self.data()
        return training.fit(model, images, labels, validation_data=validation, **self.length(numbers), **options)

    def minutes(self, numbers) -> float:
        """The minutes that a whole training would take on this machine, from the time of a few steps."""
        from course_utils import training

        images, labels, _ = self.data()
        length = {"epochs": numbers.epochs, "batch_size": numbers.batch_size}
        return training.estimate_minutes(self.model(numbers), images, labels, **length)


def names() -> list[str]:
    """The names of all recipes, sorted: the files of this folder. No recipe is imported, and so no Keras."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_"))


def find(name: str) -> Recipe:
    """The recipe of this name. Raises KeyError with the names that there are."""
    if name not in names():
        raise KeyError(f"there is no recipe {name!r}: choose from {', '.join(names())}")
    module = importlib.import_module(f"{__name__}.{name}")
    parts = ("LESSON", "FULL", "data", "build", "compile", "preview", "evaluate")
    summary = module.__doc__.splitlines()[0].rstrip(".")
    protocols = getattr(module, "PROTOCOLS", ())
    return Recipe(name, summary, **{part: getattr(module, part) for part in parts}, protocols=protocols)
