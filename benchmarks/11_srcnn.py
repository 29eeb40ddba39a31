"""A recorded run of lesson 11: SRCNN, trained for about as long as the network that ships, `sr_x2`.

    python benchmarks/11_srcnn.py    writes benchmarks/11_srcnn.json (about half an hour of two cores)

Patches, turns, loss, batches and schedule are those of `course train sr_x2 --profile full`. The learning rate is the
best of the three that benchmarks/11_enlargers.py tried. Epochs are fixed, so that the run comes out again: a step took
45 processor milliseconds when they were set, one of `sr_x2` took 85. In the event they took nine tenths of the
processor seconds of `sr_x2`; the curve had long been flat. Scores are of the test photographs.
"""

import sys
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import recording

from course_utils import paths, training
from course_utils.models import super_resolution
from course_utils.recipes import sr_x2

PATH = paths.BENCHMARKS / "11_srcnn.json"
SEEDS = (0,)  # as `sr_x2`


def settings() -> dict[str, dict]:
    numbers = sr_x2.FULL
    shared = {"batch_size": numbers.batch_size, "turned": numbers.turned}
    return {"SRCNN": shared | {"learning_rate": 0.0003, "epochs": 70}}


def prepared(s: dict, seed: int) -> super_resolution.LumaEnlarger:
    """The compiled network, untrained."""
    training.set_seed(seed)
    model = super_resolution.LumaEnlarger(super_resolution.srcnn(2, 1), 2, turned=s["turned"], seed=seed)
    steps = s["epochs"] * (len(sr_x2.data().images) // s["batch_size"])
    sr_x2.compile(model, replace(sr_x2.FULL, learning_rate=s["learning_rate"]), steps)
    return model


def first_steps(s: dict) -> dict:
    """The mark of a run, see `recording.first_steps`."""
    images = recording.textured(sr_x2.data().images, s["batch_size"])
    return recording.first_steps(prepared(s, 0), images, None, batch_size=s["batch_size"], seed=0)


def run(s: dict, seed: int) -> tuple[dict, dict]:
    model, examples = prepared(s, seed), sr_x2.data()
    history = training.fit(
        model,
        examples.images,
        epochs=s["epochs"],
        batch_size=s["batch_size"],
        seed=seed,
        validation_data=examples.validation,
        callbacks=[training.Clock()],
        progress=False,
    )
    curves = recording.curves(history, 3)
    curves = {name: curves[name] for name in ("val_psnr", "seconds", "processor_seconds")}
    return {"parameters": model.count_params()}, {"scores": sr_x2.evaluate(model)["sr_x2"]["network"], **curves}


if __name__ == "__main__":
    recording.record(PATH, "python benchmarks/11_srcnn.py", settings(), SEEDS, first_steps, run)
