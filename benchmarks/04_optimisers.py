"""Recorded runs of lesson 04: optimisers on handwritten digits, each at five learning rates with three seeds.

    python benchmarks/04_optimisers.py    writes benchmarks/04_optimisers.json (about 5 minutes of one core)

All runs train the lesson's network for the same number of steps on the same first 7,000 digits; the digits held back
from them are the validation set. They run on the lesson's own functions, read from its file, so that nothing is written
twice and a change of the lesson's code shows in the first steps. Runs that are already in the file are kept, so an
interrupted call goes on where it stopped.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import ast
import functools
from types import SimpleNamespace

import numpy as np
import recording

from course_utils import data, machine, paths
from course_utils.cli.lessons import find_lesson, has_tag, read_notebook

SEEDS = (0, 1, 2)
STEPS = 350  # of 100 digits: five times as many as there are
TRAINING = 7_000  # of the 7,996 digits that are not for testing
RATES = {  # five to each, a factor of about three apart, about what is usual for it
    "SGD": (0.03, 0.1, 0.3, 1.0, 3.0),
    "momentum": (0.003, 0.01, 0.03, 0.1, 0.3),
    "RMSprop": (0.0001, 0.0003, 0.001, 0.003, 0.01),
    "Adam": (0.0003, 0.001, 0.003, 0.01, 0.03),
    "Adam, falling rate": (0.0003, 0.001, 0.003, 0.01, 0.03),
}


def settings() -> dict[str, dict]:
    shared = {"steps": STEPS, "examples": TRAINING, "sizes": [784, 128, 64, 10]}
    return {
        f"{name} {rate}": {"optimizer": name, "learning_rate": rate} | shared
        for name, rates in RATES.items()
        for rate in rates
    }


@functools.cache
def lesson() -> SimpleNamespace:
    """The functions and classes that lesson 04 defines, those of exercises and clinic aside."""
    cells = [cell for cell in read_notebook(find_lesson("04")).cells if cell.cell_type == "code"]
    kept = [cells[0].source]  # the imports
    for cell in cells[1:]:
        if not has_tag(cell, "exercise", "solution", "clinic"):
            statements = ast.parse(cell.source).body
            kept += [ast.unparse(one) for one in statements if isinstance(one, (ast.FunctionDef, ast.ClassDef))]
    found = {}
    exec("\n\n".join(kept), found)
    return SimpleNamespace(**found)


def digits(s: dict) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """(images, labels) to learn from, and (images, labels) to validate on; images as rows of 784."""
    images, labels = data.mnist("train")
    images, count = images.reshape(len(images), -1), s["examples"]
    return (images[:count], labels[:count]), (images[count:], labels[count:])


def prepared(s: dict, seed: int):
    """The network's weights at their start, and the training, which yields the loss of each step."""
    steps = {"SGD": "sgd", "momentum": "momentum", "RMSprop": "rmsprop"}
    step = getattr(lesson(), steps.get(s["optimizer"], "adam"))
    rates = np.full(s["steps"], s["learning_rate"])
    if s["optimizer"] == "Adam, falling rate":
        rates = np.linspace(s["learning_rate"], 0, s["steps"], endpoint=False)
    rng = np.random.default_rng(seed)
    parameters = lesson().start(s["sizes"], rng)
    return parameters, lesson().learn(parameters, *digits(s)[0], step, rates.tolist(), rng)


def first_steps(s: dict) -> dict:
    """The mark of a run, as `recording.first_steps` makes it: losses, and how far the weights of each layer moved."""
    parameters, run = prepared(s, SEEDS[0])
    before = [node.value.copy() for node in parameters[::2]]
    losses = [next(run) for _ in range(recording.FIRST_STEPS)]
    moved = [np.linalg.norm(node.value - old) for node, old in zip(parameters[::2], before, strict=True)]
    results = {"losses": losses, "moved": moved}
    return {name: [float(f"{number:.5g}") for number in numbers] for name, numbers in results.items()}


def run(s: dict, seed: int) -> tuple[dict, dict]:
    """One run, as `recording.record` wants it: the losses at its end, None where they are no numbers any more."""
    parameters, steps = prepared(s, seed)
    with np.errstate(all="ignore"):  # a rate that is too large overflows, and that is a result
        losses = list(steps)
        images, labels = digits(s)[1]
        logits = lesson().logits_of(parameters, images)
        ends = {
            "loss": np.mean(losses[-70:]),
            "val_loss": lesson().softmax_cross_entropy(logits, labels).value,
            "val_accuracy": lesson().accuracy(parameters, images, labels),
        }
    finite = all(np.isfinite(list(ends.values())))
    return {}, {name: round(float(value), 4) if finite else None for name, value in ends.items()}


if __name__ == "__main__":
    recording.record(
        paths.BENCHMARKS / "04_optimisers.json",
        "python benchmarks/04_optimisers.py",
        settings(),
        SEEDS,
        first_steps,
        run,
        device=f"{machine.device()}, NumPy {np.__version__}",
    )
