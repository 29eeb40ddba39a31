"""The full profile of lesson 05: a residual network on a GPU, chosen on validation, tested once.

    KERAS_BACKEND=jax python benchmarks/05_full.py --out FOLDER

trains each candidate below on the 55,000 training images, keeps the one with the best validation accuracy, scores
that one on the test images, and writes to FOLDER
    fashion_mnist_classifier.weights.h5   float16
    fashion_mnist_classifier.json         command, device, minutes, seed, scores
    05_full_<candidate>.csv               the history of each candidate
After a kill the same command goes on from the last epoch (the state lies in runs/). On a processor alone use
--epochs, --depth and --width to fit the time there is. Needs Keras, JAX or TensorFlow, NumPy, h5py and tqdm.
"""

import argparse
import hashlib
import json
import math
import os
import platform
import shlex
import sys
import time
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "jax")
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import keras
import numpy as np

from course_utils import data, paths, profiles, training
from course_utils.models import classifier

NAME = "fashion_mnist_classifier"


def device() -> str:
    """The accelerator that Keras computes on, in words, or the processor."""
    if keras.backend.backend() == "jax":
        import jax

        found = jax.devices()[0]
        if found.platform != "cpu":
            return found.device_kind
    return f"{os.cpu_count()} cores, {platform.machine()}"


def command(out: Path) -> str:
    """How this script was called, with the folder of this machine left out."""
    words = ["FOLDER" if word == str(out) else word for word in sys.argv[1:]]
    return f"KERAS_BACKEND={keras.backend.backend()} python benchmarks/05_full.py {shlex.join(words)}"


def candidates(full: profiles.Lesson05) -> dict[str, profiles.Lesson05]:
    """What is compared on the validation images: augmentation with erasing and without."""
    return {"erase": full, "plain": replace(full, erase=0)}


def build(numbers: profiles.Lesson05) -> keras.Model:
    return classifier.residual_cnn(numbers.depth, numbers.width, shift=numbers.shift, erase=numbers.erase)


def prepared(split: str, count: int | None) -> tuple[np.ndarray, np.ndarray]:
    images, labels = data.fashion_mnist(split)
    return images[:count], keras.utils.to_categorical(labels[:count], 10)


def train(name: str, numbers: profiles.Lesson05, subset: int | None, out: Path) -> dict:
    """Train one candidate in bfloat16, or read back what an earlier call with the same numbers finished."""
    run = f"05_full_{name}_{hashlib.sha256(f'{numbers} {subset}'.encode()).hexdigest()[:8]}"
    result, weights, log = (paths.RUNS / f"{run}{ending}" for ending in (".json", ".weights.h5", ".csv"))
    if result.exists():
        return json.loads(result.read_text())
    result.parent.mkdir(exist_ok=True)
    keras.config.set_dtype_policy("mixed_bfloat16")
    training.set_seed(numbers.seed)
    images, labels = prepared("train", subset)
    model = build(numbers)
    steps = numbers.epochs * (len(images) // numbers.batch_size)
    schedule = training.one_cycle(numbers.learning_rate, steps)
    training.compile_classifier(
        model, schedule, weight_decay=numbers.weight_decay, label_smoothing=numbers.label_smoothing
    )
    start = time.monotonic()
    training.fit(
        model,
        images,
        labels,
        epochs=numbers.epochs,
        batch_size=numbers.batch_size,
        seed=numbers.seed,
        validation_data=prepared("validation", subset),
        callbacks=[keras.callbacks.CSVLogger(log, append=True), Line(numbers.epochs)],
        resume=run,
        progress=False,
    )
    minutes = (time.monotonic() - start) / 60
    training.save_weights(model, weights, dtype="float16")
    (out / f"05_full_{name}.csv").write_bytes(log.read_bytes())
    summary = {
        "validation_accuracy": accuracy(numbers, weights, "validation", subset),
        "minutes": round(minutes, 2),
        "weights": weights.name,
        "numbers": asdict(numbers),
    }
    result.write_text(json.dumps(summary))
    return summary


def accuracy(numbers: profiles.Lesson05, weights: Path, split: str, subset: int | None) -> float:
    """The share of a split that the stored float16 weights get right, computed in float32 as the lesson does."""
    keras.config.set_dtype_policy("float32")
    model = build(numbers)
    training.load_weights(model, weights)
    training.compile_classifier(model, 0.0)
    _, share = model.evaluate(*prepared(split, subset), batch_size=1000, verbose=0)
    return round(share, 4)


class Line(keras.callbacks.Callback):
    """One printed line every tenth of the training."""

    def __init__(self, epochs: int):
        super().__init__()
        self.every, self.start = max(epochs // 10, 1), time.monotonic()

    def on_epoch_end(self, epoch, logs=None):
        if epoch == 0 or (epoch + 1) % self.every == 0:
            numbers = " ".join(f"{name} {value:.4f}" for name, value in logs.items())
            print(f"epoch {epoch + 1} after {time.monotonic() - self.start:.0f} s: {numbers}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder for the results")
    parser.add_argument("--subset", type=int, help="use only so many images of each split, to try the script")
    for field in ("epochs", "depth", "width", "batch_size", "seed"):
        parser.add_argument(f"--{field.replace('_', '-')}", type=int)
    parser.add_argument("--candidates", nargs="+", default=["erase", "plain"], help="which to train")
    parser.add_argument("--minutes", type=float, default=math.inf, help="start no candidate that would end later")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    fields = ("epochs", "depth", "width", "batch_size", "seed")
    given = {field: getattr(arguments, field) for field in fields if getattr(arguments, field) is not None}
    numbers = replace(profiles.lesson_05("full"), **given)

    start, summaries = time.monotonic(), {}
    for name, candidate in candidates(numbers).items():
        spent = (time.monotonic() - start) / 60
        longest = max((summary["minutes"] for summary in summaries.values()), default=0)
        if name in arguments.candidates and spent + 1.1 * longest <= arguments.minutes:
            summaries[name] = train(name, candidate, arguments.subset, arguments.out)
            print(name, json.dumps(summaries[name]), flush=True)
    best = max(summaries, key=lambda name: summaries[name]["validation_accuracy"])
    weights = paths.RUNS / summaries[best]["weights"]
    (arguments.out / f"{NAME}.weights.h5").write_bytes(weights.read_bytes())
    test_accuracy = accuracy(candidates(numbers)[best], weights, "test", arguments.subset)
    record = {
        "model": f"residual_cnn(depth={numbers.depth}, width={numbers.width})",
        "data": "Fashion-MNIST, 55,000 training images; chosen on 5,000 validation images; tested once on 10,000",
        "test_accuracy": test_accuracy,
        "validation_accuracy": summaries[best]["validation_accuracy"],
        "chosen": best,
        "candidates": {name: summary["validation_accuracy"] for name, summary in summaries.items()},
        "minutes": summaries[best]["minutes"],
        "numbers": summaries[best]["numbers"],
        "parameters": build(numbers).count_params(),
        "command": command(arguments.out),
        "device": device(),
        "keras": keras.version(),
        "date": date.today().isoformat(),
    }
    (arguments.out / f"{NAME}.json").write_text(json.dumps(record, indent=1) + "\n")
    print(json.dumps(record, indent=1))


if __name__ == "__main__":
    main()
