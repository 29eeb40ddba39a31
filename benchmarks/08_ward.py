"""The ward of lesson 08: one healthy GAN and six ill ones, as the GAN doctor saw them.

    python benchmarks/08_ward.py               writes benchmarks/08_ward.json and one sheet of pictures a run
    python benchmarks/08_ward.py healthy B     only these, into the same file

All play for the same steps with small networks on Fashion-MNIST, from seed 0 and on one processor core (about half a
minute each). Each illness is a bug or a setting that is met in practice.
"""

import argparse
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import keras
import recording
import tensorflow as tf
from keras import layers, ops

from course_utils import data, gan_doctor, paths, training
from course_utils.models import gan, gan_networks, sampling

PATH = paths.BENCHMARKS / "08_ward.json"
STEPS, EVERY, BATCH_SIZE, LATENT_SIZE, SEED = 1000, 100, 64, 32, 0
KEY = {
    "healthy": None,
    "A": "real images",
    "B": "collapse",
    "C": "learning rate",
    "D": "tanh",
    "E": "saturated",
    "F": "dropout",
}
CURED = {"learning_rates": (2e-3, 2e-3), "beta_1": 0.0, "beta_2": 0.99, "r1": 0.5, "averaging": 0.99}
# The penalty would cure these three, and averaged weights would hide them. Rates: of generator and discriminator.
PLAIN = {"learning_rates": (5e-4, 5e-4), "beta_1": 0.5, "beta_2": 0.999, "r1": 0.0, "averaging": 0.0}
SETTINGS = {
    "collapse": PLAIN | {"learning_rates": (2e-2, 2e-4)},  # and no normalisation, see Radford et al., 2016
    "learning rate": PLAIN | {"learning_rates": (5e-2, 5e-2)},
    "saturated": PLAIN | {"learning_rates": (2e-5, 5e-4)},
}


def networks(
    activation: str = "sigmoid", normalised: bool = True, dropout_rate: float = 0.0
) -> tuple[keras.Model, keras.Model]:
    """A generator 7x7x32 -> 14x14x24 -> 28x28x1 and a discriminator back, of 4x4 kernels with stride 2."""
    options = {"kernel_size": 4, "strides": 2, "padding": "same"}

    def hidden():
        if not normalised:
            return [layers.ReLU()]
        dropout = [layers.Dropout(dropout_rate)] if dropout_rate else []
        return [layers.BatchNormalization(momentum=0.9), layers.LeakyReLU(gan_networks.LEAK), *dropout]

    make = [layers.Input((LATENT_SIZE,)), layers.Dense(7 * 7 * 32), *hidden(), layers.Reshape((7, 7, 32))]
    make += [layers.Conv2DTranspose(24, **options), *hidden()]
    make += [layers.Conv2DTranspose(1, **options, activation=activation)]
    judge = [layers.Input((28, 28, 1)), layers.Rescaling(2, -1)]
    for channels in (24, 48):
        judge += [layers.Conv2D(channels, **options), layers.LeakyReLU(gan_networks.LEAK)]
    return keras.Sequential(make), keras.Sequential([*judge, layers.Flatten(), layers.Dense(1)])


class TanhAgainstUnitRange(gan.Gan):
    """Its generator ends in tanh and its pictures are shown as (x + 1) / 2, but the data were left in [0, 1]."""

    def decode(self, latents):
        return (super().decode(latents) + 1) / 2


class DropoutLeftOn(gan.Gan):
    """It samples as it trains: with dropout."""

    def decode(self, latents):
        return sampling.in_batches(lambda batch: self.averaged(batch, training=True), latents)


def compiled(illness: str | None) -> gan.Gan:
    """The GAN that has this illness, or a healthy one for None."""
    training.set_seed(SEED)
    settings = SETTINGS.get(illness, CURED)
    options = {"loss": "non-saturating", "r1": settings["r1"], "averaging": settings["averaging"]}
    if illness == "tanh":
        model = TanhAgainstUnitRange(*networks(activation="tanh"), **options)
    elif illness == "dropout":
        model = DropoutLeftOn(*networks(dropout_rate=0.5), **options)
    else:
        model = gan.Gan(*networks(normalised=illness != "collapse"), **options)
    if illness == "real images":
        model.generator_loss = lambda real, fake: ops.softplus(-real)  # fake was meant
    betas = {name: settings[name] for name in ("beta_1", "beta_2")}
    generator, discriminator = (keras.optimizers.Adam(rate, **betas) for rate in settings["learning_rates"])
    if generator.learning_rate == discriminator.learning_rate:
        model.compile(generator)  # for both: it bears that one network gets no gradient, as in one of the illnesses
    else:
        model.compile(gan.two_optimizers(model, generator, discriminator))
    return model


def train(illness: str | None, callbacks: list) -> None:
    """Train one run."""
    images, _ = data.fashion_mnist("train")
    callbacks = [*callbacks, recording.StopAfterSteps(STEPS)]
    length = {"epochs": 1_000, "batch_size": BATCH_SIZE}
    training.fit(compiled(illness), images, **length, seed=SEED, callbacks=callbacks, progress=False)


def first_steps(illness: str | None) -> dict:
    """The mark of a run, see `recording.first_steps`."""
    images, _ = data.fashion_mnist("train")
    return recording.first_steps(compiled(illness), images, None, batch_size=BATCH_SIZE, seed=SEED)


def record(name: str) -> dict:
    """Train one run under the doctor, save its pictures, and return its numbers."""
    marks = first_steps(KEY[name])
    seen = gan_doctor.GanDoctor(data.fashion_mnist("train")[0], data.fashion_mnist("validation")[0], every=EVERY)
    start = time.process_time()
    train(KEY[name], [seen])
    seconds = round(time.process_time() - start)
    seen.record.save_pictures(PATH.with_name(f"{PATH.stem}_{name}.png"))
    return {"first_steps": marks, "processor_seconds_with_doctor": seconds, **seen.record.numbers()}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="RUN", help=", ".join(KEY), default=list(KEY))
    names = parser.parse_args().names
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    for name in names:
        result = record(name)
        table = recording.read(PATH, "python benchmarks/08_ward.py")
        table |= {"seed": SEED, "steps": STEPS, "batch_size": BATCH_SIZE}
        runs = {**table.get("runs", {}), name: result}
        table["runs"] = {run: runs[run] for run in KEY if run in runs}
        recording.write(PATH, table)
        print(name, result["processor_seconds_with_doctor"], "s", flush=True)
