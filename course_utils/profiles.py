"""How long trainings are: "lesson" (the default) fits a two-core laptop, "full" a GPU or an hour of patience.

"smoke" is for tests: the lesson's numbers, of which `training.fit` takes a few steps an epoch. `COURSE_PROFILE=full` in
the environment switches whole notebooks; this module alone reads the environment. The numbers themselves stand in the
recipe of each network, and those of small demonstrations in the lesson. All lengths are in epochs or steps, never in
seconds, so that results do not depend on the machine's speed.
"""

import os

NAMES = ("smoke", "lesson", "full")


def chosen() -> str:
    """The profile that COURSE_PROFILE names, "lesson" without it. Raises ValueError for another name."""
    return _checked(os.environ.get("COURSE_PROFILE", "lesson"), "COURSE_PROFILE")


def known(name: str | None) -> str:
    """The profile of this name, or the chosen one for None. Raises ValueError for another name."""
    return chosen() if name is None else _checked(name, "profile")


def smoke() -> bool:
    """Whether the chosen profile is "smoke": trainings are cut to a few steps, and what they reach is not judged."""
    return chosen() == "smoke"


def _checked(name: str, where: str) -> str:
    if name not in NAMES:
        raise ValueError(f"{where} must be one of {', '.join(map(repr, NAMES))}, got {name!r}: set it or leave it out")
    return name
