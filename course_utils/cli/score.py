"""`course score NAME`: what a network that restores pictures reaches, beside what needs no network."""

import os
from pathlib import Path

from course_utils import recipes
from course_utils.cli import kernel
from course_utils.cli.errors import CourseError


def score(name: str, folder: str | None = None) -> int:
    """Print a table for each protocol of the network; return 0.

    folder: of the user's own pictures; None for the test photographs of the course. BM3D is among the restorers where
    the user has installed it.
    Raises CourseError for a name of no restorer, and for a folder or pictures that cannot be scored on.
    """
    if name not in recipes.names():
        raise CourseError(f"there is no network {name!r} to score; there are: {', '.join(recipes.names())}")
    os.environ.update(kernel.environment())
    with kernel.native_logs_hidden():
        protocols = recipes.find(name).protocols
        if not protocols:
            restorers = [other for other in recipes.names() if recipes.find(other).protocols]
            raise CourseError(f"{name} does not restore pictures, which `course score` is for; {_list(restorers)} do")
        from course_utils import classical, models, scoring
    try:
        pictures = scoring.folder_pictures(Path(folder).expanduser()) if folder else scoring.test_photographs()
        network = models.load(name)
        for protocol in protocols:
            restorers = classical.extras(protocol) | {name: network}
            scoring.table(scoring.score_all(restorers, protocol, pictures, progress=True))
    except (ValueError, OSError) as error:
        raise CourseError(str(error)) from error
    return 0


def _list(names: list[str]) -> str:
    return " and ".join([", ".join(names[:-1])] * bool(names[:-1]) + names[-1:])
