"""The numbers of each lesson, for two sizes of machine.

"lesson" (the default) fits a two-core laptop; "full" fits a GPU and is the lesson's with fields replaced. All lengths
are in epochs or steps, never in seconds, so that results do not depend on the machine's speed. `COURSE_PROFILE=full`
in the environment switches whole notebooks; this module alone reads the environment.
"""

import os
from dataclasses import dataclass, replace

NAMES = ("lesson", "full")


def chosen() -> str:
    """The profile that COURSE_PROFILE names, "lesson" without it. Raises ValueError for another name."""
    return _known(os.environ.get("COURSE_PROFILE", "lesson"), "COURSE_PROFILE")


def _known(name: str, where: str) -> str:
    if name not in NAMES:
        raise ValueError(f"{where} must be one of {', '.join(map(repr, NAMES))}, got {name!r}: set it or leave it out")
    return name


@dataclass(frozen=True)
class Lesson05:
    """CNN classifier on Fashion-MNIST."""

    small_epochs: int = 3  # the network of the textbooks: enough to see it learn
    epochs: int = 10  # chosen on the validation split, see benchmarks/05_sizes.json
    batch_size: int = 256
    width: int = 16  # channels of the first convolution
    learning_rate: float = 0.1  # the peak of the one-cycle schedule
    weight_decay: float = 0.005
    label_smoothing: float = 0.1
    dropout_rate: float = 0.3
    shift: int = 1  # pixels
    depth: int = 0  # layers of the residual network of the full profile
    erase: int = 0  # pixels; side of the square painted black
    seed: int = 0


def lesson_05(profile: str | None = None) -> Lesson05:
    """The numbers of lesson 05, of the profile named or else of the chosen one. Raises ValueError for another name."""
    name = chosen() if profile is None else _known(profile, "profile")
    lesson = Lesson05()
    full = replace(lesson, depth=16, width=4, epochs=60, batch_size=512, learning_rate=0.2, shift=2, erase=8)
    return full if name == "full" else lesson
