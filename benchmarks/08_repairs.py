"""Recorded runs of lesson 08: what each repair of a GAN gains, alone and together.

    python benchmarks/08_repairs.py      writes benchmarks/08_repairs.json (about 40 minutes)

Each run sees 51,200 pictures of Fashion-MNIST and is repeated with three seeds; 5,000 samples are judged against the
5,000 validation images. Runs that are already in the file are kept, so an interrupted call goes on where it stopped.
"""

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import keras
import numpy as np
import recording
import tensorflow as tf

from course_utils import data, metrics, paths, training
from course_utils.models import gan, gan_networks
from course_utils.models.augmentation import RandomShiftFlip

PATH = paths.BENCHMARKS / "08_repairs.json"
SEEDS = (0, 1, 2)
JUDGED = ("frechet_distance", "effective_classes", "coverage")
IMAGE_SHAPE = (28, 28, 1)
PLAIN = {
    "loss": "non-saturating",
    "learning_rate": 1e-3,
    "generator_ratio": 1.0,
    "beta_1": 0.5,
    "beta_2": 0.999,
    "batch_size": 64,
    "r1": 0.0,
    "gradient_penalty": 0.0,
    "spectral_normalisation": False,
    "averaging": 0.0,
    "shift": 0,
    "in_turns": False,
    "examples": 55_000,
    "pictures": 51_200,
}
OURS = PLAIN | {
    "loss": "relativistic",
    "r1": 0.1,
    "averaging": 0.998,
    "learning_rate": 2e-3,
    "beta_1": 0.0,
    "beta_2": 0.99,
}


def settings() -> dict[str, dict]:
    """Name -> settings of each run."""
    changes = {
        "plain": {},
        "minimax loss": {"loss": "minimax"},
        "hinge loss": {"loss": "hinge"},
        "relativistic loss": {"loss": "relativistic"},
        "Wasserstein loss, gradient penalty": {"loss": "Wasserstein", "gradient_penalty": 10.0},
        "R1 penalty": {"r1": 0.1},
        "spectral normalisation": {"spectral_normalisation": True},
        "slower generator": {"generator_ratio": 0.25},
        "faster discriminator": {"learning_rate": 4e-3, "generator_ratio": 0.25},  # Heusel et al., 2017
        "averaged weights": {"averaging": 0.998},
        "in turns": {"in_turns": True},
        "batches of 128": {"batch_size": 128},
        "twice the learning rate": {"learning_rate": 2e-3},
        "Adam's memory of ours": {"beta_1": 0.0, "beta_2": 0.99},
        "both: the optimiser of ours": {"learning_rate": 2e-3, "beta_1": 0.0, "beta_2": 0.99},
    }
    few = OURS | {"examples": 1_000}
    return {
        **{name: PLAIN | change for name, change in changes.items()},
        "ours": OURS,
        "ours without R1": OURS | {"r1": 0.0},
        "ours, non-saturating loss": OURS | {"loss": "non-saturating"},
        "ours, the plain optimiser": OURS | {"learning_rate": 1e-3, "beta_1": 0.5, "beta_2": 0.999},
        "ours on 1,000 pictures": few,
        "ours on 1,000, augmented": few | {"shift": 3},
    }


class InTurns(gan.Gan):
    """A GAN whose generator answers the discriminator as it is after its step, as in the lesson's own rounds."""

    def train_step(self, data):
        images, _, _ = keras.utils.unpack_x_y_sample_weight(data)
        turns = (self.discriminator, self.optimizer), (self.generator, self.generator_optimizer)
        for network, optimizer in turns:
            with tf.GradientTape() as tape:
                loss = self.compute_loss(images, None, self(images, training=True))
            variables = network.trainable_variables
            optimizer.apply(tape.gradient(loss, variables), variables)
        return {"loss": loss}


def build(s: dict) -> gan.Gan:
    """The compiled network of one run."""
    generator = gan_networks.generator(64, (64, 32), IMAGE_SHAPE)
    spectral = s["spectral_normalisation"]
    discriminator = gan_networks.discriminator((32, 64), IMAGE_SHAPE, spectral_normalisation=spectral)
    model = (InTurns if s["in_turns"] else gan.Gan)(
        generator,
        discriminator,
        loss=s["loss"],
        r1=s["r1"],
        gradient_penalty=s["gradient_penalty"],
        averaging=s["averaging"],
        augmentation=RandomShiftFlip(s["shift"], flip=False) if s["shift"] else None,
    )
    rates = s["learning_rate"] * s["generator_ratio"], s["learning_rate"]
    betas = {"beta_1": s["beta_1"], "beta_2": s["beta_2"]}
    optimizers = [keras.optimizers.Adam(rate, **betas) for rate in rates]
    if s["in_turns"]:
        model.generator_optimizer, discriminator_optimizer = optimizers
        model.compile(discriminator_optimizer)
    else:
        model.compile(gan.two_optimizers(model, *optimizers))
    return model


def prepared(s: dict, seed: int) -> tuple[gan.Gan, np.ndarray]:
    """The compiled network of one run, with its training images."""
    training.set_seed(seed)
    return build(s), data.fashion_mnist("train")[0][: s["examples"]]


def train(s: dict, seed: int) -> gan.Gan:
    """Train one run from its settings."""
    model, images = prepared(s, seed)
    steps = recording.StopAfterSteps(s["pictures"] // s["batch_size"])
    length = {"epochs": 1_000, "batch_size": s["batch_size"]}
    training.fit(model, images, **length, seed=seed, callbacks=[steps], progress=False)
    return model


def first_steps(s: dict) -> dict:
    """The mark of a run, see `recording.first_steps`."""
    return recording.first_steps(*prepared(s, SEEDS[0]), None, batch_size=s["batch_size"], seed=SEEDS[0])


def main() -> None:
    train_images, _ = data.fashion_mnist("train")
    judge = metrics.Judge(data.fashion_mnist("validation")[0], train_images[:5_000])
    of_real = judge(train_images[5_000:10_000], JUDGED)
    floor = {metric: round(score.floor, 3) for metric, score in of_real.items()}

    def run(s: dict, seed: int) -> tuple[dict, dict]:
        start = time.process_time()
        try:
            scores = judge(train(s, seed).sample(5_000, seed=0), JUDGED)
            result = {metric: round(score.value, 3) for metric, score in scores.items()}
        except training.TrainingDiverged as problem:
            result = {"diverged": str(problem).splitlines()[0]}
        return {}, {"processor_seconds": round(time.process_time() - start), **result}

    made_of = of_real["frechet_distance"].made_of
    command = "python benchmarks/08_repairs.py"
    recording.record(PATH, command, settings(), SEEDS, first_steps, run, floor=floor, judged=made_of)


if __name__ == "__main__":
    main()
