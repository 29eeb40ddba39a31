"""What the scripts of recorded runs share: the loop over runs and its file, first steps, a lesson's own code."""

import ast
import itertools
import json
import math
import time
from collections.abc import Callable, Iterable
from datetime import date
from pathlib import Path

import keras
import numpy as np

from course_utils import machine, training
from course_utils.cli import lessons

FIRST_STEPS = 3


def lesson_code(number: str, *assigned: str) -> dict:
    """What a lesson's own code gives its names: its imports, functions, classes and CONSTANTS, and those `assigned`.

    Nothing else of the lesson is run; of a function that is written twice, as a solution is, the last one counts.
    """

    def wanted(node: ast.stmt) -> bool:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            return node.targets[0].id.isupper() or node.targets[0].id in assigned
        return isinstance(node, ast.Import | ast.ImportFrom | ast.FunctionDef | ast.ClassDef)

    chosen = [node for node in ast.parse(lessons.find_lesson(number).text).body if wanted(node)]
    namespace = {}
    exec(compile(ast.Module(chosen, []), f"lesson {number}", "exec"), namespace)
    return namespace


def read(path: Path, command: str) -> dict:
    """The results recorded so far, with the command, device, version of Keras and date of today."""
    table = json.loads(path.read_text()) if path.exists() else {}
    return table | {
        "command": command,
        "device": f"{machine.device()}, Keras on {keras.backend.backend()}",
        "keras": keras.version(),
        "date": date.today().isoformat(),
    }


def write(path: Path, table: dict) -> None:
    """Write a result file."""
    path.write_text(json.dumps(table, indent=1) + "\n")


def first_steps(model: keras.Model, images: np.ndarray, labels: np.ndarray | None, *, batch_size: int, seed: int):
    """What the first steps, taken at the peak of its learning rate, do to a freshly compiled model.

    Returns {"losses": the loss of each step, "moved": the length of the change of each kernel}. A test repeats it: the
    losses tell another start, other data or another loss, the lengths another rate, optimizer or gradient. The steps
    are not compiled, which would take longer than they do.
    """
    model.run_eagerly, model.jit_compile = True, False
    schedule = model.optimizer._learning_rate
    model.optimizer.iterations.assign(getattr(schedule, "warmup_steps", 0))
    kernels = [weights for weights in model.trainable_variables if len(weights.shape) > 1]
    before = [keras.ops.convert_to_numpy(kernel).copy() for kernel in kernels]
    batches = training.Batches(images, labels, batch_size=batch_size, seed=seed)
    steps = (map(keras.ops.convert_to_tensor, batches[step]) for step in range(FIRST_STEPS))
    losses = [model.train_on_batch(*step, return_dict=True)["loss"] for step in steps]
    after = map(keras.ops.convert_to_numpy, kernels)
    moved = [np.linalg.norm(new - old) for new, old in zip(after, before, strict=True)]
    results = {"losses": losses, "moved": moved}
    return {name: [float(f"{number:.5g}") for number in numbers] for name, numbers in results.items()}


class StopAfterSteps(keras.callbacks.Callback):
    """Ends training after so many steps."""

    def __init__(self, count: int):
        super().__init__()
        self.count, self.steps = count, 0

    def on_train_batch_end(self, batch, logs=None):
        self.steps += 1
        if self.steps >= self.count:
            self.model.stop_training = True


def spread(images: np.ndarray, batch_size: int) -> np.ndarray:
    """As many images as `first_steps` takes, from all over an array of them: neighbours come from one photograph."""
    count = FIRST_STEPS * batch_size
    return images[:: len(images) // count][:count]


def textured(images: np.ndarray, batch_size: int) -> np.ndarray:
    """As many patches as `first_steps` takes, those with most texture, for enlargers that learn by absolute error.

    Where a picture is flat, their bicubic start is right to rounding. The slope of the absolute error is a sign, there
    that of a rounding error, and steps at the peak of the learning rate make much of it: on all patches the second loss
    was 0.30 on one processor and 0.35 on another.
    """
    flat = np.mean(np.abs(np.diff(images, axis=1)) < 1 / 255, axis=(1, 2, 3))
    return images[np.argsort(flat, kind="stable")[: FIRST_STEPS * batch_size]]


def fit_steps(
    model: keras.Model, images: np.ndarray, *, steps: int, batch_size: int, seed: int, callbacks: Iterable = ()
) -> float:
    """Train a compiled model on images alone for so many steps; returns the processor seconds of all cores together."""
    start = time.process_time()
    training.fit(
        model,
        images,
        epochs=math.ceil(steps / (len(images) // batch_size)),
        batch_size=batch_size,
        seed=seed,
        callbacks=[*callbacks, StopAfterSteps(steps)],
        progress=False,
    )
    return round(time.process_time() - start, 1)


def record(path: Path, command: str, settings: dict, seeds: Iterable[int], first: Callable, run: Callable, **about):
    """Run each of the settings with each seed that the file lacks, and write each result at once.

    So an interrupted call goes on where it stopped; delete the file to measure anew.
    first: settings of a run -> its mark, see `first_steps`.
    run: (settings, seed) -> (what holds for every seed, such as the number of weights; the result), both fit for JSON.
    about: more for the head of the file.
    """
    table = read(path, command) | about
    runs = table.setdefault("runs", {})
    for seed, (name, s) in itertools.product(seeds, settings.items()):
        if name not in runs:
            runs[name] = {"settings": s, "first_steps": first(s), "seeds": {}}
        results = runs[name]["seeds"]
        if str(seed) in results:
            continue
        for_all_seeds, results[str(seed)] = run(s, seed)
        runs[name] |= for_all_seeds
        write(path, table)
        print(path.stem, name, seed, {key: value for key, value in results[str(seed)].items() if np.isscalar(value)})
        keras.backend.clear_session()


def curves(history: keras.callbacks.History, digits: int) -> dict[str, list[float]]:
    """A History with `training.Clock` in it: each metric an epoch, and the seconds of all epochs so far."""
    result = {name: [round(float(value), digits) for value in values] for name, values in history.history.items()}
    del result["steps"]
    for name in ("seconds", "processor_seconds"):
        result[name] = [round(float(value), 1) for value in np.cumsum(history.history[name])]
    return result


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
