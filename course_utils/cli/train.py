"""`course train NAME`: a network trained by its recipe, into a folder of its own.

    runs/NAME/NAME.json         what was begun, where and how far it came; "finished" says whether that is all of it
    runs/NAME/NAME.weights.h5   the weights, as float16, at the end or when time was out
    runs/NAME/previews/         a picture for each epoch: samples of a generator, what a classifier names
    runs/NAME/state/            the last whole epoch, while the training is not finished

Nothing of it is ever overwritten by another training: an unfinished one is gone on with, a finished one moves aside.
What can be refused is refused here, all but changed numbers before Keras is imported; `training_run` does the work.
"""

import errno
import json
import os
import sys
from dataclasses import asdict
from datetime import datetime

from course_utils import profiles, recipes
from course_utils.cli import kernel
from course_utils.cli.errors import CourseError
from course_utils.cli.run_record import folder, read
from course_utils.run_lock import RunInUse, alone


def train(
    name: str, profile: str | None = None, seconds: float | None = None, resume: bool = False, mixed: bool = False
) -> int:
    """Train, or go on; return the exit status: 0 well, 130 interrupted, 1 diverged, state damaged or disk full.

    profile: "lesson" or "full"; None takes that of COURSE_PROFILE, or with `resume` the one begun with.
    mixed: multiply in bfloat16, with weights in float32; with `resume` it is as it was begun with.
    seconds: end then, unfinished. Raises CourseError for an unknown name, an unfinished training without `resume`, and
    nothing to go on with.
    """
    if name not in recipes.names():
        raise CourseError(f"there is nothing to train by the name {name!r}; there are: {', '.join(recipes.names())}")
    os.environ.update(kernel.environment())
    try:
        with alone(name):
            return _train(name, _resumed(name, profile) if resume else _begun(name, profile, mixed), seconds)
    except RunInUse as error:
        raise CourseError(str(error)) from error


def _train(name: str, record: dict, seconds: float | None) -> int:
    """Train what a record tells of; return the exit status."""
    with kernel.native_logs_hidden():
        from course_utils import training
        from course_utils.cli.training_run import Run
    try:
        try:
            Run(name, record).train(seconds)
        except KeyboardInterrupt:
            done = len(training.finished_epochs(name))
            print(f"\ninterrupted; whole epochs kept: {done}; to go on: course train {name} --resume")
            return 130
    except (training.TrainingDiverged, training.StateDamaged) as error:
        print(f"course: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        print(f"course: {error.strerror}; then go on: course train {name} --resume", file=sys.stderr)
        return 1
    return 0


def _begun(name: str, profile: str | None, mixed: bool) -> dict:
    """The record of a new run; a finished one of this name moves aside."""
    old = read(name)
    if old and not old["finished"]:
        raise CourseError(
            f"there is an unfinished training in {folder(name)}; to go on with it: course train {name} --resume; "
            "to start anew, rename or delete that folder first"
        )
    try:
        profile = profile or profiles.chosen()
    except ValueError as error:
        raise CourseError(str(error)) from error
    if old:
        aside = folder(f"{name}.{datetime.now():%Y-%m-%d_%H%M%S}")
        folder(name).rename(aside)
        print(f"the finished training of before is kept in {aside}")
    command = f"course train {name} --profile {profile}" + " --mixed-precision" * mixed
    return {
        "model": name,
        "command": command,
        "profile": profile,
        "precision": "mixed_bfloat16" if mixed else "float32",
        "numbers": _numbers(name, profile),
        "finished": False,
    }


def _resumed(name: str, profile: str | None) -> dict:
    """The record of the unfinished run of this name, which keeps the profile that it was begun with."""
    record = read(name)
    if not record or record["finished"]:
        what = (
            f"the training in {folder(name)} is finished" if record else f"no training has been begun in {folder(name)}"
        )
        raise CourseError(f"{what}: there is nothing to resume; to begin one: course train {name}")
    if profile not in (None, record["profile"]):
        raise CourseError(
            f"the training in {folder(name)} was begun with --profile {record['profile']}, got {profile}: leave "
            "--profile out to go on, or rename or delete that folder to start anew"
        )
    then, now = record["numbers"], _numbers(name, record["profile"])
    changed = [f"{key} {then.get(key)} then, {now.get(key)} now" for key in then | now if then.get(key) != now.get(key)]
    if changed:
        raise CourseError(
            f"the numbers have changed since the training in {folder(name)} was begun ({'; '.join(changed)}): put "
            "them back to go on, or rename or delete that folder to start anew"
        )
    return record


def _numbers(name: str, profile: str) -> dict:
    """The numbers of a recipe, as JSON gives them back."""
    with kernel.native_logs_hidden():
        recipe = recipes.find(name)
    return json.loads(json.dumps(asdict(recipe.numbers(profile))))
