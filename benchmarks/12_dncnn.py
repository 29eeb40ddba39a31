"""A recorded run of lesson 12: DnCNN, trained for about as long as the denoiser that ships, `denoise`.

    python benchmarks/12_dncnn.py    writes benchmarks/12_dncnn.json (about 75 minutes of one core)

Turns, noise, loss and batches are those of `course train denoise --profile full`; it has fewer patches, and single
precision, in which `denoise` took 3,459 processor seconds when this was recorded. The steps of the long run are fixed,
so that it comes out again: a step took 0.46 processor seconds when they were set. What it is made of is the best of the
short runs before it, by noisy patches of the validation photographs.
The network that ships was scored with the same noise on the same photographs, see data/weights/denoise.json. Runs that
are already in the file are kept, so an interrupted call goes on where it stopped.
"""

import math
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import keras
import numpy as np
import recording
from keras import layers

from course_utils import paths, training
from course_utils.models.denoising import Denoiser
from course_utils.recipes import _restorers, denoise

PATH = paths.BENCHMARKS / "12_dncnn.json"
SEEDS = (0,)  # as `denoise`
LEARNING_RATES = (0.0005, 0.001, 0.002)
SHORT, LONG = 300, 7_500  # steps


def settings() -> dict[str, dict]:
    numbers = denoise.FULL
    shared = {"layers": 17, "width": 64, "batch_size": numbers.batch_size, "sigma": list(numbers.sigma)}
    found = {}
    for normalised, rates in ((True, LEARNING_RATES), (False, LEARNING_RATES[:2])):
        for rate in rates:
            name = f"{'with' if normalised else 'without'} batch normalisation, {rate}"
            found[name] = shared | {"normalised": normalised, "learning_rate": rate, "steps": SHORT}
    return found | {"DnCNN": shared | {"normalised": False, "learning_rate": 0.0005, "steps": LONG}}


def dncnn(channels: int, width: int, count: int, normalised: bool) -> keras.Model:
    """Noisy pictures (n, h, w, channels) to clean ones: `count` convolutions at full resolution find the noise.

    All but the last are followed by a ReLU, and all between the first and the last by batch normalisation before it, if
    it is wanted: Zhang, Zuo, Chen, Meng and Zhang, "Beyond a Gaussian denoiser: residual learning of deep CNN for image
    denoising", 2017.
    """
    images = layers.Input((None, None, channels), name="images")
    x = layers.Conv2D(width, 3, padding="same", activation="relu", kernel_initializer="he_normal")(images)
    for _ in range(count - 2):
        x = layers.Conv2D(width, 3, padding="same", use_bias=not normalised, kernel_initializer="he_normal")(x)
        x = layers.ReLU()(layers.BatchNormalization()(x) if normalised else x)
    noise = layers.Conv2D(channels, 3, padding="same", kernel_initializer="zeros", name="noise")(x)
    return keras.Model(images, layers.Subtract(name="clean")([images, noise]), name="dncnn")


def prepared(s: dict, seed: int) -> Denoiser:
    """The compiled network, untrained."""
    training.set_seed(seed)
    low, high = s["sigma"]
    network = dncnn(3, s["width"], s["layers"], s["normalised"])
    model = Denoiser(network, (low / 255, high / 255), turned=True, seed=seed, name="dncnn")
    optimizer = keras.optimizers.Adam(training.one_cycle(s["learning_rate"], s["steps"]))
    model.compile(optimizer, loss=_restorers.error_in_decibels, metrics=[_restorers.psnr], jit_compile=False)
    return model


def patches() -> np.ndarray:
    """Squares 48 pixels apart, every fourth grey, from whole photographs alone."""
    return _restorers.patches("train", denoise.SIDE, 48)


def first_steps(s: dict) -> dict:
    """The mark of a run, see `recording.first_steps`."""
    images = recording.spread(patches(), s["batch_size"])
    return recording.first_steps(prepared(s, 0), images, None, batch_size=s["batch_size"], seed=0)


def tell(epoch: int, logs: dict) -> None:
    print(f"epoch {epoch + 1}: {logs['val_psnr']:.2f} dB on patches of validation", flush=True)


def run(s: dict, seed: int) -> tuple[dict, dict]:
    model, images = prepared(s, seed), patches()
    steps_an_epoch = len(images) // s["batch_size"]
    history = training.fit(
        model,
        images,
        epochs=math.ceil(s["steps"] / steps_an_epoch),
        batch_size=s["batch_size"],
        seed=seed,
        validation_data=denoise.data().validation,
        callbacks=[
            training.Clock(),
            recording.StopAfterSteps(s["steps"]),
            keras.callbacks.LambdaCallback(on_epoch_end=tell),
        ],
        progress=False,
    )
    curves = recording.curves(history, 3)
    result = {name: curves[name] for name in ("val_psnr", "processor_seconds")}
    if s["steps"] == LONG:
        result["scores"] = {protocol: rows["network"] for protocol, rows in denoise.evaluate(model).items()}
    return {"parameters": model.count_params()}, result


if __name__ == "__main__":
    recording.record(PATH, "python benchmarks/12_dncnn.py", settings(), SEEDS, first_steps, run)
