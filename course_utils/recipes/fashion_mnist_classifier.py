"""A classifier of Fashion-MNIST (lesson 05): a plain network in the lesson, a residual one in full.

The numbers were chosen on the validation images; benchmarks/05_runs.py has the experiments.
"""

from dataclasses import dataclass, replace

import keras
import numpy as np

from course_utils import data as data_sets
from course_utils import training
from course_utils.image_files import sheet
from course_utils.models import classifier
from course_utils.recipes import Examples

CLASSES = 10


@dataclass(frozen=True)
class Numbers:
    # Channels of the plain network's first convolution, or of the residual one at half resolution. Of four widths, each
    # with the epochs that take about equal time, 16 with 14 was the best from three starts.
    width: int = 16
    blocks: int = 0  # residual blocks at each resolution; 0 is the plain network
    epochs: int = 14
    batch_size: int = 256
    learning_rate: float = 0.4  # the peak of the one-cycle schedule
    weight_decay: float = 0.005
    label_smoothing: float = 0.1
    dropout_rate: float = 0.3  # of the plain network
    shift: int = 1  # pixels that each picture is moved by at most
    erase: int = 0  # pixels: the side of the square painted black, of the residual network
    seed: int = 0


LESSON = Numbers()
FULL = replace(LESSON, blocks=1, width=80, epochs=45, shift=2, erase=6)


def data() -> Examples:
    return Examples(*_one_hot("train"), validation=_one_hot("validation"))


def _one_hot(split: str) -> tuple[np.ndarray, np.ndarray]:
    images, labels = data_sets.fashion_mnist(split)
    return images, keras.utils.to_categorical(labels, CLASSES)


def build(numbers: Numbers) -> keras.Model:
    if numbers.blocks:
        return classifier.residual_cnn(numbers.width, numbers.blocks, shift=numbers.shift, erase=numbers.erase)
    return classifier.better_cnn(numbers.width, shift=numbers.shift, dropout_rate=numbers.dropout_rate)


def compile(model: keras.Model, numbers: Numbers, steps: int) -> None:
    training.compile_classifier(
        model,
        training.one_cycle(numbers.learning_rate, steps),
        weight_decay=numbers.weight_decay,
        label_smoothing=numbers.label_smoothing,
        # On a processor TensorFlow's own convolutions are faster than those of its compiler for so wide a network.
        jit_compile=False if numbers.blocks and keras.backend.backend() == "tensorflow" else "auto",
    )


def preview(model: keras.Model) -> np.ndarray:
    """Ten validation pictures of each class that the network names, one class a row: strangers in a row are errors."""
    images = data_sets.fashion_mnist("validation")[0][:1000]
    named = model.predict(images, batch_size=200, verbose=0).argmax(axis=1)
    rows = np.zeros((CLASSES, 10, *images.shape[1:]), np.float32)  # black where a class is named less often
    for row, label in zip(rows, range(CLASSES), strict=True):
        chosen = images[named == label][:10]
        row[: len(chosen)] = chosen
    return sheet(rows.reshape(-1, *images.shape[1:]), columns=10)


def evaluate(model: keras.Model) -> dict[str, float]:
    """The share of the 5,000 validation and of the 10,000 test images that it names rightly."""
    return {f"{split}_accuracy": _accuracy(model, split) for split in ("validation", "test")}


def _accuracy(model: keras.Model, split: str) -> float:
    images, labels = data_sets.fashion_mnist(split)
    return round(float(np.mean(model.predict(images, batch_size=200, verbose=0).argmax(axis=1) == labels)), 4)
