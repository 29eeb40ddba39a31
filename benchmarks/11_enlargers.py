"""Recorded runs of lesson 11: what the loss, the way of shrinking in training and the network do to an enlarger.

    python benchmarks/11_enlargers.py    writes benchmarks/11_enlargers.json (about 20 minutes of two cores)

All runs learn from the same patches, with the numbers of the lesson's recipe but for fewer epochs, so that three seeds
of each take minutes. SRCNN has a learning rate of its own, the best of three with seed 0, and as much time: its steps
cost 1.7 times the processor seconds of ours (three rounds of 20 steps each, in turns), so that it takes fewer of them.
Scores are of the validation photographs. Runs that are already in the file are kept, so an interrupted call goes on
where it stopped.
"""

import json
import sys
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import time

import keras
import numpy as np
import recording
from keras import layers, ops

from course_utils import degrade, metrics, paths, scoring, training
from course_utils.models import super_resolution
from course_utils.recipes import sr_x2

PATH = paths.BENCHMARKS / "11_enlargers.json"
SEEDS = (0, 1, 2)
EPOCHS = 2
WATCHED = 10  # points of a curve
SRCNN_RATES = (0.0001, 0.0003, 0.001)
WAYS = {
    "as in training": lambda images: degrade.downsample(images, 2),
    "means of 2 x 2": lambda images: ops.average_pool(images, 2),
    "every second pixel": lambda images: images[:, ::2, ::2],
    "blurred before": lambda images: degrade.downsample(
        degrade.blur(images, degrade.gaussian_kernel(1.0, 7), border="symmetric"), 2
    ),
}


def settings() -> dict[str, dict]:
    numbers = sr_x2.LESSON
    steps = EPOCHS * (len(sr_x2.data().images) // numbers.batch_size)
    shared = {"batch_size": numbers.batch_size, "loss": "mean_absolute_error", "shrinking": "as in training"}
    ours = shared | {"network": "edsr", "width": numbers.width, "blocks": numbers.blocks}
    ours |= {"learning_rate": numbers.learning_rate, "steps": steps}
    srcnn = shared | {"network": "srcnn", "steps": round(steps / 1.7)}
    return {
        "ours": ours,
        "ours, squared error": ours | {"loss": "mean_squared_error"},
        "ours, shrunk in four ways": ours | {"shrinking": "any"},
    } | {f"SRCNN, rate {rate}": srcnn | {"learning_rate": rate} for rate in SRCNN_RATES}


class AnyWay(layers.Layer):
    """Each picture shrunk in one of the four ways, drawn anew."""

    def __init__(self, seed: int):
        super().__init__()
        self.seeds = keras.random.SeedGenerator(seed)

    def call(self, images):
        drawn = keras.random.randint((ops.shape(images)[0], 1, 1, 1), 0, len(WAYS), seed=self.seeds)
        return sum(ops.where(drawn == index, way(images), 0.0) for index, way in enumerate(WAYS.values()))


def prepared(s: dict, seed: int) -> super_resolution.LumaEnlarger:
    """The compiled network of one run."""
    training.set_seed(seed)
    if s["network"] == "srcnn":
        network = super_resolution.srcnn(2, 1)
    else:
        network = super_resolution.edsr(2, 1, width=s["width"], blocks=s["blocks"])
    model = super_resolution.LumaEnlarger(network, 2)
    if s["shrinking"] == "any":
        model.degradation = AnyWay(seed)
    optimizer = keras.optimizers.Adam(training.one_cycle(s["learning_rate"], s["steps"]))
    # By XLA, as when the seconds in the file were taken; on two cores the recipe does without, which is faster.
    model.compile(optimizer, loss=s["loss"], jit_compile=True)
    return model


def first_steps(s: dict) -> dict:
    """The mark of a run, see `recording.first_steps`."""
    images = recording.textured(sr_x2.data().images, s["batch_size"])
    return recording.first_steps(prepared(s, 0), images, None, batch_size=s["batch_size"], seed=0)


class Watch(keras.callbacks.Callback):
    """Keeps (processor seconds of training so far, PSNR of the validation patches) a few times in a training."""

    def __init__(self, steps: int):
        super().__init__()
        self.every, self.steps, self.seconds, self.curve = steps // WATCHED, 0, 0.0, []
        self.small, self.clean = sr_x2.data().validation

    def on_train_batch_begin(self, batch, logs=None):
        self.start = time.process_time()

    def on_train_batch_end(self, batch, logs=None):
        self.seconds += time.process_time() - self.start
        self.steps += 1
        if self.steps % self.every == 0:
            error = np.mean((self.model.predict(self.small, batch_size=67, verbose=0) - self.clean) ** 2)
            self.curve.append((round(self.seconds, 1), round(float(-10 * np.log10(error)), 3)))


def gains(model: super_resolution.LumaEnlarger) -> dict[str, float]:
    """Decibels of Y over bicubic on the validation photographs, by the way in which they were shrunk."""
    options = {"colour": "y", "border": 2, "data_range": 1.0, "quantise": True}
    found = {way: [] for way in WAYS}
    for photograph in scoring.photographs("validation").values():
        picture = degrade.crop_to_multiple(photograph, 2)[np.newaxis]
        for way, shrink in WAYS.items():
            small = ops.convert_to_numpy(degrade.quantise(shrink(picture)))
            ours, theirs = (
                metrics.psnr(picture[0], ops.convert_to_numpy(large)[0], **options)
                for large in (model(small), degrade.upsample(small, 2))
            )
            found[way].append(ours - theirs)
    return {way: round(float(np.mean(values)), 3) for way, values in found.items()}


def run(s: dict, seed: int) -> tuple[dict, dict]:
    model, watch = prepared(s, seed), Watch(s["steps"])
    images = sr_x2.data().images
    length = {"steps": s["steps"], "batch_size": s["batch_size"], "seed": seed}
    recording.fit_steps(model, images, **length, callbacks=[watch])
    return {"parameters": model.count_params()}, {"gains": gains(model), "curve": watch.curve}


def best_srcnn() -> str:
    """The run of SRCNN whose learning rate gained most with the first seed, which all three rates were tried with."""
    runs = json.loads(PATH.read_text())["runs"]
    rivals = [name for name in runs if runs[name]["settings"]["network"] == "srcnn"]
    return max(rivals, key=lambda name: runs[name]["seeds"][str(SEEDS[0])]["gains"]["as in training"])


if __name__ == "__main__":
    everything = settings()
    record = partial(recording.record, PATH, "python benchmarks/11_enlargers.py", first=first_steps, run=run)
    record(settings=everything, seeds=SEEDS[:1])
    chosen = {name: s for name, s in everything.items() if s["network"] == "edsr" or name == best_srcnn()}
    record(settings=chosen, seeds=SEEDS)
