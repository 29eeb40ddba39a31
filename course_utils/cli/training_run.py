"""The work of `course train`: what is said, the callbacks that watch, and what is kept of the result."""

import sys
import time
from datetime import datetime

import keras
import numpy as np
from tqdm import tqdm

from course_utils import machine, recipes, training
from course_utils.cli.run_record import folder, write


class Run:
    """One training in its folder. record: what NAME.json says; it grows as the training goes on."""

    def __init__(self, name: str, record: dict):
        self.name, self.record, self.folder = name, record, folder(name)
        self.recipe = recipes.find(name)
        self.numbers = self.recipe.numbers(record["profile"])

    def train(self, seconds: float | None) -> None:
        """Train to the end or until `seconds` have passed, and say which."""
        images = self.recipe.data().images
        self.steps = len(images) // self.numbers.batch_size
        self._begin(images)
        previews = training.Previews(self.folder / "previews", self.recipe.preview)
        callbacks = [training.Clock(), previews, Estimate(self.steps * self.numbers.epochs), KeepResult(self)]
        if seconds:
            callbacks.insert(0, training.StopAfterSeconds(seconds))
        keras.config.set_dtype_policy(self.record["precision"])
        model = self.recipe.model(self.numbers)
        self.recipe.train(model, self.numbers, callbacks=callbacks, resume=self.name)
        if self.record["finished"]:
            print(f"finished: weights, record and previews are in {self.folder}")
            return
        whole = self.steps * self.numbers.epochs
        print(f"stopped after {self.record['steps']:,} of {whole:,} steps, with the weights of this moment in")
        print(f"{self.folder}; to go on from the last whole epoch: course train {self.name} --resume")

    def _begin(self, images: np.ndarray) -> None:
        """Note where this runs, and say what will be trained."""
        self.record |= {
            "device": machine.device(),
            "backend": keras.backend.backend(),
            "keras": keras.__version__,
            "date": f"{datetime.now():%Y-%m-%d}",
        }
        write(self.record)
        done = len(training.finished_epochs(self.name))
        size = " x ".join(map(str, images.shape[1:]))
        print(f"{self.name}: {self.recipe.summary}, profile {self.record['profile']}")
        print(f"  {len(images):,} pictures of {size}, {self.steps:,} steps an epoch")
        print(f"  {self.numbers.epochs} epochs" + (f", {done} of them done" if done else ""))
        print(f"  on {self.record['device']}, by Keras on {self.record['backend']}", flush=True)

    def keep(self, model: keras.Model, epochs: list[dict[str, float]]) -> None:
        """Write weights and record. epochs: the logs of each, the last one perhaps of a part."""
        training.save_weights(model, self.folder / f"{self.name}.weights.h5", dtype="float16")
        whole = sum(epoch["steps"] == self.steps for epoch in epochs)
        total = {name: sum(epoch[name] for epoch in epochs) for name in ("steps", "seconds", "processor_seconds")}
        images = total["steps"] * self.numbers.batch_size
        self.record |= {
            "finished": whole >= self.numbers.epochs,
            "epochs": whole,
            "steps": int(total["steps"]),
            "seconds": round(total["seconds"], 1),
            "processor_seconds": round(total["processor_seconds"], 1),
            "images_per_second": round(images / total["seconds"], 1),
            "history": [{name: float(f"{value:.5g}") for name, value in epoch.items()} for epoch in epochs],
        }
        write(self.record)


class Estimate(keras.callbacks.Callback):
    """Says once, after 20 steps or 5 seconds, how many minutes are to come. steps: those of the whole training."""

    def __init__(self, steps: int):
        super().__init__()
        self.steps, self.timed, self.said = steps, -1, False

    def on_epoch_begin(self, epoch, logs=None):
        self.left = self.steps - epoch * self.params["steps"]

    def on_train_batch_end(self, batch, logs=None):
        self.timed, self.left = self.timed + 1, self.left - 1
        if self.timed == 0:  # the first step compiles
            self.start = time.monotonic()
            return
        passed = time.monotonic() - self.start
        if not self.said and (self.timed == 20 or passed > 5 or self.left == 0):
            minutes = passed / self.timed * self.left / 60
            tqdm.write(f"  about {minutes:.1f} minutes to the end on this machine", file=sys.stdout)
            self.said = True


class KeepResult(keras.callbacks.Callback):
    """Writes weights and record at the end, while `fit` still keeps the state: a kill at any moment loses neither."""

    def __init__(self, run: Run):
        super().__init__()
        self.run, self.epochs = run, training.finished_epochs(run.name)

    def on_epoch_end(self, epoch, logs=None):
        self.epochs.append(dict(logs))

    def on_train_end(self, logs=None):
        if self.epochs:
            self.run.keep(self.model, self.epochs)
