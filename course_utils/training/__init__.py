"""Training that can be repeated, watched and resumed, on top of `keras.Model.fit`.

`fit` is Keras's own with five things added: batches whose order depends on the seed and the epoch alone, a progress
bar in JupyterLab and in a terminal, an end at the first loss that is not a number, a limit in seconds, and going on
after a kill from the last epoch.
"""

import logging

from course_utils.pixel_range import check_range
from course_utils.run_lock import RunInUse
from course_utils.training.callbacks import (
    Clock,
    Previews,
    Progress,
    StopAfterSeconds,
    StopOnNonFinite,
    TrainingDiverged,
)
from course_utils.training.fitting import (
    Batches,
    compile_classifier,
    estimate_minutes,
    fit,
    one_cycle,
    set_seed,
)
from course_utils.training.state import StateDamaged, finished_epochs, run_folder
from course_utils.training.weights import load_weights, save_weights

__all__ = [
    "Batches",
    "Clock",
    "Previews",
    "Progress",
    "RunInUse",
    "StateDamaged",
    "StopAfterSeconds",
    "StopOnNonFinite",
    "TrainingDiverged",
    "check_range",
    "compile_classifier",
    "estimate_minutes",
    "finished_epochs",
    "fit",
    "load_weights",
    "one_cycle",
    "run_folder",
    "save_weights",
    "set_seed",
]

logging.getLogger("tensorflow").setLevel(logging.ERROR)  # its hints on tracing are not for students
