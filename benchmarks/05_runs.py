"""Recorded runs of lesson 05: what each ingredient of the recipe is worth, each half of the augmentation, and what size
of network pays.

    python benchmarks/05_runs.py ingredients     writes benchmarks/05_ingredients.json (about 15 minutes)
    python benchmarks/05_runs.py augmentation    writes benchmarks/05_augmentation.json (about 5 minutes)
    python benchmarks/05_runs.py sizes           writes benchmarks/05_sizes.json (about 30 minutes of one core)

"sizes" gives each width the epochs that take about equal processor time on one core, and a schedule of that length.
Each run is repeated with three seeds, those of the augmentation with two. Runs that are already in the file are kept,
so an interrupted call goes on where it stopped; delete the file to measure anew. All scores are of the validation
images.

Processor seconds count the time of all cores together: on two idle cores a run takes about half of them.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import keras
import numpy as np
import recording

from course_utils import data, paths, training
from course_utils.models import classifier
from course_utils.recipes import fashion_mnist_classifier

SEEDS = (0, 1, 2)
RECIPE = fashion_mnist_classifier.LESSON


def settings() -> dict[str, dict[str, dict]]:
    """For each file, the settings of each run; "constant" trains at a fifth of the peak learning rate throughout."""
    kept = ("batch_size", "shift", "learning_rate", "weight_decay", "label_smoothing", "dropout_rate")
    recipe = {"batch_normalisation": True, "schedule": "one-cycle", "flip": True, "examples": 55_000}
    recipe |= {name: getattr(RECIPE, name) for name in kept}
    none = {"shift": 0, "flip": False}
    short = recipe | {"width": 16, "epochs": 8}
    epochs = {8: 26, 16: 14, 24: 8, 32: 5}  # by width
    return {
        "ingredients": {
            "everything": short,
            "without batch normalisation": short | {"batch_normalisation": False},
            "without augmentation": short | none,
            "without the schedule": short | {"schedule": "constant"},
            "without dropout": short | {"dropout_rate": 0.0},
            "without label smoothing": short | {"label_smoothing": 0.0},
            "without any": short
            | none
            | {
                "batch_normalisation": False,
                "schedule": "constant",
                "dropout_rate": 0.0,
                "label_smoothing": 0.0,
            },
        },
        "augmentation": {
            "as they are": short | none,
            "moved": short | {"flip": False},
            "mirrored": short | {"shift": 0},
            "both": short,
        },
        "sizes": {f"width {width}": recipe | {"width": width, "epochs": count} for width, count in epochs.items()},
    }


def build(s: dict) -> keras.Model:
    return classifier.better_cnn(
        s["width"],
        batch_normalisation=s["batch_normalisation"],
        shift=s["shift"],
        flip=s["flip"],
        dropout_rate=s["dropout_rate"],
    )


def prepared(s: dict, seed: int) -> tuple[keras.Model, np.ndarray, np.ndarray]:
    """The compiled network of one run, with its training images and labels."""
    training.set_seed(seed)
    images, labels = data.fashion_mnist("train")
    images, labels = images[: s["examples"]], keras.utils.to_categorical(labels[: s["examples"]], 10)
    model = build(s)
    steps = s["epochs"] * (len(images) // s["batch_size"])
    peak = s["learning_rate"]
    training.compile_classifier(
        model,
        training.one_cycle(peak, steps) if s["schedule"] == "one-cycle" else peak / 5,
        weight_decay=s["weight_decay"],
        label_smoothing=s["label_smoothing"],
    )
    return model, images, labels


def train(s: dict, seed: int) -> tuple[keras.Model, keras.callbacks.History]:
    """Train one run from its settings; returns the model and the history."""
    model, images, labels = prepared(s, seed)
    validation = data.fashion_mnist("validation")
    history = training.fit(
        model,
        images,
        labels,
        epochs=s["epochs"],
        batch_size=s["batch_size"],
        seed=seed,
        validation_data=(validation[0], keras.utils.to_categorical(validation[1])),
        callbacks=[training.Clock()],
        progress=False,
    )
    return model, history


def first_steps(s: dict) -> dict:
    """The mark of a run, see `recording.first_steps`."""
    return recording.first_steps(*prepared(s, SEEDS[0]), batch_size=s["batch_size"], seed=SEEDS[0])


def run(s: dict, seed: int) -> tuple[dict, dict]:
    """One run, as `recording.record` wants it."""
    model, history = train(s, seed)
    about = {"parameters": model.count_params(), "multiply_adds": recording.multiply_adds(model)}
    images, labels = data.fashion_mnist("train")
    answers = model.predict(images[:5000], batch_size=200, verbose=0).argmax(axis=1)
    # On pictures as they are and without dropout, which the curve of the training accuracy is not.
    plain = {"plain_training_accuracy": round(float(np.mean(answers == labels[:5000])), 4)}
    return about, recording.curves(history, 4) | plain


def record(kind: str) -> None:
    path = paths.BENCHMARKS / f"05_{kind}.json"
    seeds = SEEDS[:2] if kind == "augmentation" else SEEDS
    recording.record(path, f"python benchmarks/05_runs.py {kind}", settings()[kind], seeds, first_steps, run)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=list(settings()))
    record(parser.parse_args().kind)
