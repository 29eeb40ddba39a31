"""A recorded run of lesson 12: DnCNN, trained for about as long as the denoiser that ships, `denoise`.

    python benchmarks/12_dncnn.py    writes benchmarks/12_dncnn.json (about 65 minutes of one core)

Patches, turns, noise, loss, bound on the gradient, batches and precision are those of `course train denoise --profile
full --mixed-precision`. The steps of the long run are fixed, so that it comes out again: a step took 0.31 processor
seconds when they were set. What it is made of is the best of the short runs before it, by noisy patches of the
validation photographs.
The network that ships was scored with the same noise on the same photographs, see data/weights/denoise.json. Runs that
are already in the file are kept, so an interrupted call goes on where it stopped.
"""

import math
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import keras
import recording
from keras import layers

from course_utils import paths, training
from course_utils.models.denoising import Denoiser
from course_utils.recipes import denoise

PATH = paths.BENCHMARKS / "12_dncnn.json"
SEEDS = (0,)  # as `denoise`
LEARNING_RATES = (0.0005, 0.001, 0.002)
SHORT, LONG = 300, 10_000  # steps


def settings() -> dict[str, dict]:
    numbers = denoise.FULL
    shared = {"layers": 17, "width": 64, "batch_size": numbers.batch_size, "sigma": list(numbers.sigma)}
    shared |= {"loss": numbers.loss, "gradient_bound": numbers.gradient_bound, "precision": "mixed_bfloat16"}
    found = {}
    for normalised, rates in ((True, LEARNING_RATES), (False, LEARNING_RATES[:2])):
        for rate in rates:
            name = f"{'with' if normalised else 'without'} batch normalisation, {rate}"
            found[name] = shared | {"normalised": normalised, "learning_rate": rate, "steps": SHORT}
    return found | {"DnCNN": shared | {"normalised": False, "learning_rate": 0.001, "steps": LONG}}


def dncnn(channels: int, width: int, count: int, normalised: bool, precision: str) -> keras.Model:
    """Noisy pictures (n, h, w, channels) to clean ones: `count` convolutions at full resolution find the noise.

    precision: of the layers, a dtype policy of Keras.

    All but the last are followed by a ReLU, and all between the first and the last by batch normalisation before it, if
    it is wanted: Zhang, Zuo, Chen, Meng and Zhang, "Beyond a Gaussian denoiser: residual learning of deep CNN for image
    denoising", 2017.
    """
    images = layers.Input((None, None, channels), name="images")
    convolution = partial(layers.Conv2D, kernel_size=3, padding="same", kernel_initializer="he_normal", dtype=precision)
    x = convolution(width, activation="relu")(images)
    for _ in range(count - 2):
        x = convolution(width, use_bias=not normalised)(x)
        x = layers.ReLU(dtype=precision)(layers.BatchNormalization(dtype=precision)(x) if normalised else x)
    noise = convolution(channels, kernel_initializer="zeros", name="noise")(x)
    return keras.Model(images, layers.Subtract(name="clean")([images, noise]), name="dncnn")


def prepared(s: dict, seed: int) -> Denoiser:
    """The compiled network, untrained."""
    training.set_seed(seed)
    low, high = s["sigma"]
    network = dncnn(3, s["width"], s["layers"], s["normalised"], s["precision"])
    model = Denoiser(network, (low / 255, high / 255), turned=True, seed=seed, name="dncnn")
    denoise.compile(model, replace(denoise.FULL, learning_rate=s["learning_rate"]), s["steps"])
    return model


def first_steps(s: dict) -> dict:
    """The mark of a run, see `recording.first_steps`: in single precision, which processors round more alike."""
    images = recording.spread(denoise.data().images, s["batch_size"])
    model = prepared(s | {"precision": "float32"}, 0)
    return recording.first_steps(model, images, None, batch_size=s["batch_size"], seed=0)


def tell(epoch: int, logs: dict) -> None:
    print(f"epoch {epoch + 1}: {logs['val_psnr']:.2f} dB on patches of validation", flush=True)


def run(s: dict, seed: int) -> tuple[dict, dict]:
    model, examples = prepared(s, seed), denoise.data()
    steps_an_epoch = len(examples.images) // s["batch_size"]
    history = training.fit(
        model,
        examples.images,
        epochs=math.ceil(s["steps"] / steps_an_epoch),
        batch_size=s["batch_size"],
        seed=seed,
        validation_data=examples.validation,
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
        single = prepared(s | {"precision": "float32"}, seed)  # as the network that ships is scored
        single.set_weights(model.get_weights())
        result["scores"] = {protocol: rows["network"] for protocol, rows in denoise.evaluate(single).items()}
    return {"parameters": model.count_params()}, result


if __name__ == "__main__":
    recording.record(PATH, "python benchmarks/12_dncnn.py", settings(), SEEDS, first_steps, run)
