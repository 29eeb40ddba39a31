"""What the scripts of recorded runs share: the head of a result file, and callbacks that write down first losses and
the clock."""

import json
import os
import platform
import time
from datetime import date
from pathlib import Path

import keras
import numpy as np


def read(path: Path, command: str) -> dict:
    """The results recorded so far, with the command, device, version of Keras and date of today."""
    table = json.loads(path.read_text()) if path.exists() else {}
    return table | {
        "command": command,
        "device": f"{os.cpu_count()} cores of an {platform.machine()} processor, TensorFlow, shared with other work",
        "keras": keras.version(),
        "date": date.today().isoformat(),
    }


def write(path: Path, table: dict) -> None:
    """Write a result file."""
    path.write_text(json.dumps(table, indent=1) + "\n")


class FirstSteps(keras.callbacks.Callback):
    """Keeps the loss of the first steps (each the mean since the start), and can end training after them."""

    def __init__(self, count: int, stop: bool = False):
        super().__init__()
        self.count, self.stop, self.losses = count, stop, []

    def on_train_batch_end(self, batch, logs=None):
        if len(self.losses) < self.count:
            self.losses.append(round(float(logs["loss"]), 4))
        elif self.stop:
            self.model.stop_training = True


class StopAfterSteps(keras.callbacks.Callback):
    """Ends training after so many steps."""

    def __init__(self, count: int):
        super().__init__()
        self.count, self.steps = count, 0

    def on_train_batch_end(self, batch, logs=None):
        self.steps += 1
        if self.steps >= self.count:
            self.model.stop_training = True


class Clock(keras.callbacks.Callback):
    """Seconds and processor seconds at the end of each epoch, validation included."""

    def on_train_begin(self, logs=None):
        self.start = time.monotonic(), time.process_time()
        self.seconds, self.processor_seconds = [], []

    def on_epoch_end(self, epoch, logs=None):
        self.seconds.append(round(time.monotonic() - self.start[0], 1))
        self.processor_seconds.append(round(time.process_time() - self.start[1], 1))


def multiply_adds(model: keras.Model) -> int:
    """Multiplications with a weight in one forward pass of one picture."""
    total = 0
    for layer in model.layers:
        if isinstance(layer, keras.layers.Conv2DTranspose):  # each place of its input meets the whole kernel
            _, height, width, _ = layer.input.shape
        elif isinstance(layer, keras.layers.Conv2D):
            _, height, width, _ = layer.output.shape
        elif isinstance(layer, keras.layers.Dense):
            height = width = 1
        else:
            continue
        total += height * width * int(np.prod(layer.kernel.shape))
    return total
