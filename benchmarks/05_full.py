"""The full profile of lesson 05: a residual network, trained once, chosen on validation and tested once.

    python benchmarks/05_full.py --out FOLDER

trains on the 55,000 training images and writes to FOLDER
    fashion_mnist_classifier.weights.h5   the weights in float16
    fashion_mnist_classifier.json         command, device, minutes, seed, scores and history
After a kill the same command goes on from the last epoch (the state lies in runs/). The numbers are those of
`profiles.lesson_05("full")`; the options change single ones. Runs on TensorFlow or, with KERAS_BACKEND=jax, on JAX.
"""

import argparse
import csv
import json
import os
import platform
import sys
import time
from dataclasses import asdict, fields, replace
from datetime import date
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import keras
import numpy as np

from course_utils import data, paths, profiles, training
from course_utils.models import classifier

NAME = "fashion_mnist_classifier"


def build(numbers: profiles.Lesson05) -> keras.Model:
    return classifier.residual_cnn(numbers.width, numbers.blocks, shift=numbers.shift, erase=numbers.erase)


def prepared(split: str, count: int | None) -> tuple[np.ndarray, np.ndarray]:
    images, labels = data.fashion_mnist(split)
    return images[:count], keras.utils.to_categorical(labels[:count], 10)


def train(numbers: profiles.Lesson05, subset: int | None, precision: str, out: Path) -> list[dict[str, float]]:
    """Train, leave the float16 weights in `out`, and return the history, one record an epoch."""
    keras.config.set_dtype_policy(precision)
    training.set_seed(numbers.seed)
    images, labels = prepared("train", subset)
    model = build(numbers)
    steps = numbers.epochs * (len(images) // numbers.batch_size)
    training.compile_classifier(
        model,
        training.one_cycle(numbers.learning_rate, steps),
        weight_decay=numbers.weight_decay,
        label_smoothing=numbers.label_smoothing,
        # On a processor TensorFlow's own convolutions are faster than those of its compiler.
        jit_compile="auto" if keras.backend.backend() == "jax" else False,
    )
    log = out / f"{NAME}.csv"
    if not training.run_folder(NAME).exists():  # nothing to go on from
        log.unlink(missing_ok=True)
    training.fit(
        model,
        images,
        labels,
        epochs=numbers.epochs,
        batch_size=numbers.batch_size,
        seed=numbers.seed,
        validation_data=prepared("validation", subset),
        callbacks=[Clock(), keras.callbacks.CSVLogger(log, append=True)],
        resume=NAME,
        progress=False,
    )
    training.save_weights(model, out / f"{NAME}.weights.h5", dtype="float16")
    with log.open() as file:
        return [{name: round(float(value), 4) for name, value in row.items()} for row in csv.DictReader(file)]


class Clock(keras.callbacks.Callback):
    """Adds seconds and processor seconds to the logs of each epoch and prints them."""

    def on_epoch_begin(self, epoch, logs=None):
        self.start = time.monotonic(), time.process_time()

    def on_epoch_end(self, epoch, logs=None):
        logs["seconds"] = time.monotonic() - self.start[0]
        logs["processor_seconds"] = time.process_time() - self.start[1]
        print(f"epoch {epoch + 1}:", *(f"{name} {value:.4g}" for name, value in logs.items()), flush=True)


def accuracy(numbers: profiles.Lesson05, weights: Path, split: str, subset: int | None) -> float:
    """The share of a split that the stored float16 weights get right, computed in float32 as the lesson does."""
    keras.config.set_dtype_policy("float32")
    model = build(numbers)
    training.load_weights(model, weights)
    training.compile_classifier(model, 0.0)
    _, share = model.evaluate(*prepared(split, subset), batch_size=1000, verbose=0)
    return round(share, 4)


def device() -> str:
    """The accelerator that Keras computes on, in words, or the processor."""
    if keras.backend.backend() == "jax":
        import jax

        if jax.devices()[0].platform != "cpu":
            return jax.devices()[0].device_kind
    return f"{os.cpu_count()} cores of an {platform.machine()} processor, shared with other work"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=paths.RUNS, help="folder for the results")
    parser.add_argument("--subset", type=int, help="use only so many images of each split, to try the script")
    parser.add_argument("--precision", default="mixed_bfloat16", help="mixed_bfloat16 (default) or float32")
    for field in fields(profiles.Lesson05):
        parser.add_argument(f"--{field.name.replace('_', '-')}", type=type(field.default))
    arguments = parser.parse_args()
    given = {name: value for name, value in vars(arguments).items() if value is not None}
    changed = {field.name: given[field.name] for field in fields(profiles.Lesson05) if field.name in given}
    numbers = replace(profiles.lesson_05("full"), **changed)
    arguments.out.mkdir(parents=True, exist_ok=True)

    history = train(numbers, arguments.subset, arguments.precision, arguments.out)
    weights = arguments.out / f"{NAME}.weights.h5"
    record = {
        "model": f"residual_cnn(width={numbers.width}, blocks={numbers.blocks})",
        "data": "Fashion-MNIST: 55,000 images to train, 5,000 to validate, 10,000 for one test",
        "validation_accuracy": accuracy(numbers, weights, "validation", arguments.subset),
        "test_accuracy": accuracy(numbers, weights, "test", arguments.subset),
        "parameters": build(numbers).count_params(),
        "command": " ".join(["python benchmarks/05_full.py", *(f"--{k} {v}" for k, v in changed.items())]),
        "precision": arguments.precision,
        "device": device(),
        "minutes": round(sum(row["seconds"] for row in history) / 60, 1),
        "processor_minutes": round(sum(row["processor_seconds"] for row in history) / 60, 1),
        "keras": f"{keras.version()} on {keras.backend.backend()}",
        "date": date.today().isoformat(),
        "seed": numbers.seed,
        "numbers": asdict(numbers),
        "history": history,
    }
    (arguments.out / f"{NAME}.json").write_text(json.dumps(record, indent=1) + "\n")
    print(json.dumps({name: value for name, value in record.items() if name != "history"}, indent=1))


if __name__ == "__main__":
    main()
