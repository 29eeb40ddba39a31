"""The tutorials' DCGAN and the course's GAN side by side on Fashion-MNIST, each trained from scratch and judged.

    python benchmarks/08_baseline.py      writes benchmarks/08_baseline.json (about an hour of one core)

The two play by turns, TURN processor seconds each, in a process each, so that whatever else slows the machine slows
both. The tutorials' network plays for 5,000 steps of 128 pictures or for 1,800 processor seconds, whichever is more;
the course's for the steps of its lesson profile. What was fixed before the first run: features of the shipped
classifier, 10,000 samples of seed 1 against the 10,000 test images, training seed 0. While training, 5,000 samples of
seed 0 are judged against the 5,000 validation images.
"""

import multiprocessing
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import keras
import recording
from keras import layers

from course_utils import data, image_files, metrics, paths, recipes, training
from course_utils.models import gan

TUTORIAL_STEPS, TUTORIAL_SECONDS = 5_000, 1_800
TURN = 30  # processor seconds


class Marks(keras.callbacks.Callback):
    """Judges the generator every so many processor seconds of training; judging itself is not counted."""

    def __init__(self, judge: metrics.Judge, every: float, least_steps: int = 0, least_seconds: float = float("inf")):
        super().__init__()
        self.judge, self.every, self.least_steps, self.least_seconds = judge, every, least_steps, least_seconds
        self.marks, self.steps = [], 0

    def on_train_begin(self, logs=None):
        self.start, self.next = time.process_time(), self.every

    def on_train_batch_end(self, batch, logs=None):
        self.steps += 1
        seconds = time.process_time() - self.start
        if seconds >= self.next:
            self.next += self.every
            self.mark(seconds)
        if self.steps >= self.least_steps and seconds >= self.least_seconds:
            self.model.stop_training = True

    def mark(self, seconds: float):
        before = time.process_time()
        scores = summary(self.judge(self.model.sample(5_000, seed=0)))
        self.marks.append({"steps": self.steps, "processor_seconds": round(seconds), **scores})
        print(self.model.name, self.marks[-1], flush=True)
        self.start += time.process_time() - before


class TakesTurns(keras.callbacks.Callback):
    """Trains while it holds a lock, and after each TURN lets go of it, for the other process that waits for it."""

    def __init__(self, lock):
        super().__init__()
        self.lock = lock

    def on_train_begin(self, logs=None):
        self.take()

    def on_train_batch_end(self, batch, logs=None):
        if time.process_time() >= self.end:
            self.lock.release()
            time.sleep(0.1)  # or this process might be first again
            self.take()

    def on_train_end(self, logs=None):
        self.lock.release()

    def take(self):
        self.lock.acquire()
        self.end = time.process_time() + TURN


def summary(scores) -> dict[str, float]:
    """Name -> value of a judge's scores."""
    return {name: round(float(score.value), 3) for name, score in scores.items()}


def tutorial_dcgan() -> tuple[keras.Model, keras.Model]:
    """The generator and discriminator that well-known tutorials train on 28x28 pictures, to compare with.

    Latent numbers (n, 100) -> 7x7x256 -> 7x7x128 -> 14x14x64 -> 28x28x1 by transposed 5x5 convolutions, and back by
    two 5x5 convolutions with stride 2. After Radford, Metz and Chintala, 2016 (DCGAN).
    """
    options = {"padding": "same", "use_bias": False}
    generator = [layers.Input((100,)), layers.Dense(7 * 7 * 256, use_bias=False), *_normalised(0.3)]
    generator += [layers.Reshape((7, 7, 256))]
    for channels, strides in ((128, 1), (64, 2)):
        generator += [layers.Conv2DTranspose(channels, 5, strides, **options), *_normalised(0.3)]
    generator += [layers.Conv2DTranspose(1, 5, 2, activation="tanh", **options), layers.Rescaling(0.5, 0.5)]
    discriminator = [layers.Input((28, 28, 1)), layers.Rescaling(2, -1)]
    for channels in (64, 128):
        discriminator += [layers.Conv2D(channels, 5, 2, padding="same"), layers.LeakyReLU(0.3), layers.Dropout(0.3)]
    discriminator += [layers.Flatten(), layers.Dense(1)]
    return keras.Sequential(generator, name="generator"), keras.Sequential(discriminator, name="discriminator")


def _normalised(leak: float) -> list[layers.Layer]:
    return [layers.BatchNormalization(), layers.LeakyReLU(leak)]


def tutorial() -> tuple[gan.Gan, dict]:
    """The tutorials' network, compiled as they do, and its numbers for `fit`."""
    training.set_seed(0)
    model = gan.Gan(*tutorial_dcgan(), loss="non-saturating", averaging=0, name="tutorial")
    model.compile(keras.optimizers.Adam(1e-4))
    return model, {"batch_size": 128, "epochs": 1_000, "seed": 0}


def ours() -> tuple[gan.Gan, dict]:
    """The course's network in its lesson profile, and its numbers for `fit`."""
    recipe = recipes.find("gan_fashion")
    return recipe.model(recipe.LESSON), recipe.length(recipe.LESSON)


def play(name: str, lock) -> dict:
    """Train one of the two in turns, save a sheet of its samples beside the results, and return what was measured."""
    train_images, _ = data.fashion_mnist("train")
    judge = metrics.Judge(data.fashion_mnist("validation")[0], train_images[:5_000])
    if name == "tutorial":
        model, length = tutorial()
        marks = Marks(judge, 300, TUTORIAL_STEPS, TUTORIAL_SECONDS)
    else:
        model, length = ours()
        marks = Marks(judge, 60)
    training.fit(model, train_images, **length, callbacks=[TakesTurns(lock), marks], progress=False)
    seconds = time.process_time() - marks.start
    marks.mark(seconds)
    samples = model.sample(10_000, seed=1)
    final = metrics.Judge(data.fashion_mnist("test")[0], train_images[-10_000:])(samples)
    save_sheet(samples[:100], paths.BENCHMARKS / f"08_baseline_{name}.png")
    return {
        "steps": marks.steps,
        "pictures": marks.steps * length["batch_size"],
        "processor_seconds": round(seconds),
        "multiply_adds": recording.multiply_adds(model.generator) + recording.multiply_adds(model.discriminator),
        "parameters": model.generator.count_params() + model.discriminator.count_params(),
        "while_training": marks.marks,
        "test": summary(final),
        "floor": {score.metric: round(float(score.floor), 3) for score in final.values()},
        "judged": next(iter(final.values())).made_of,
    }


def save_sheet(samples, path: Path) -> None:
    """100 grey pictures (100, 28, 28, 1) in ten rows of ten, pixel by pixel."""
    image_files.as_image(image_files.sheet(samples, columns=10)).save(path, optimize=True)


if __name__ == "__main__":
    processes = multiprocessing.get_context("spawn")
    with processes.Manager() as manager, ProcessPoolExecutor(2, mp_context=processes) as pool:
        lock = manager.Lock()
        results = {name: pool.submit(play, name, lock) for name in ("tutorial", "ours")}
        measured = {name: result.result() for name, result in results.items()}
    path = paths.BENCHMARKS / "08_baseline.json"
    recording.write(path, recording.read(path, "python benchmarks/08_baseline.py") | measured)
