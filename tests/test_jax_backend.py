"""The same models and training on Keras's JAX backend, in a process of their own, since a process has one backend."""

import importlib.util
import json
import os
import subprocess
import sys

import keras
import numpy as np
import pytest

from course_utils import paths, training
from course_utils.models import classifier, gan, gan_networks

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("jax") is None, reason="JAX is not installed: pip install jax, or the extra [ci]"
)

SCRIPT = """
import json, sys
import keras
import numpy as np
from pathlib import Path
from course_utils import training
from course_utils.models import augmentation, classifier, gan, gan_networks

images = np.random.default_rng(0).random((64, 8, 8, 1), dtype=np.float32)
labels = keras.utils.to_categorical(np.arange(64) % 2, 2)
images[::2] *= 0.5  # the darker pictures are class 0
report = {"backend": keras.backend.backend()}
for name, build in {
    "better_cnn": lambda: classifier.better_cnn(2, image_shape=(8, 8, 1), classes=2),
    "residual_cnn": lambda: classifier.residual_cnn(4, 1, erase=3, image_shape=(8, 8, 1), classes=2),
}.items():
    training.set_seed(0)
    model = build()
    training.compile_classifier(model, training.one_cycle(0.1, 20 * 4), weight_decay=1e-3, label_smoothing=0.1)
    history = training.fit(model, images, labels, epochs=20, batch_size=16, progress=False)
    training.save_weights(model, Path(sys.argv[1]) / f"{name}.weights.h5")
    report[name] = {
        "loss": history.history["loss"],
        "states": [float(np.max(np.abs(v))) for v in model.get_weights()],
        "predictions": model.predict(images, verbose=0).tolist(),
    }
training.set_seed(0)
shape = (8, 8, 1)
networks = (
    gan_networks.generator(3, (4, 4), shape),
    gan_networks.discriminator((4, 5), shape, spectral_normalisation=True),
)
game = gan.Gan(*networks, r1=0.5, gradient_penalty=1.0, augmentation=augmentation.RandomShiftFlip(1))
game.compile(gan.two_optimizers(game, *(keras.optimizers.Adam(rate) for rate in (2e-3, 1e-3))))
history = training.fit(game, images, epochs=10, batch_size=16, progress=False)
training.save_weights(game, Path(sys.argv[1]) / "gan.weights.h5")
report["gan"] = {"losses": {k: v[-1] for k, v in history.history.items()}, "samples": game.sample(4, seed=1).tolist()}
still = gan_networks.SpectralConv2D(6, 4, strides=2, padding="same")
model = keras.Sequential([keras.layers.Input((8, 8, 1)), still, keras.layers.Flatten(), keras.layers.Dense(1)])
model.compile(keras.optimizers.SGD(0.0), "mse")
training.fit(model, images, labels[:, :1], epochs=50, batch_size=16, progress=False)
matrix = np.asarray(still.kernel).reshape(-1, 6)
report["stretch"] = [float(np.linalg.norm(matrix @ np.asarray(still.direction))), float(np.linalg.svd(matrix)[1].max())]
print(json.dumps(report))
"""


@pytest.fixture(scope="module")
def on_jax(tmp_path_factory):
    folder = tmp_path_factory.mktemp("jax")
    environment = {**os.environ, "KERAS_BACKEND": "jax", "PYTHONPATH": str(paths.ROOT)}
    command = [sys.executable, "-c", SCRIPT, str(folder)]
    run = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=500)
    assert run.returncode == 0, run.stderr[-3000:]
    return folder, json.loads(run.stdout.splitlines()[-1])


NETWORKS = {
    "better_cnn": lambda: classifier.better_cnn(2, image_shape=(8, 8, 1), classes=2),
    "residual_cnn": lambda: classifier.residual_cnn(4, 1, erase=3, image_shape=(8, 8, 1), classes=2),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_training_on_jax_learns_and_keeps_its_state_in_bounds(on_jax, name):
    _, report = on_jax
    assert report["backend"] == "jax"
    losses = report[name]["loss"]
    assert losses[-1] < 0.75 * losses[0]
    assert max(report[name]["states"]) < 100  # a moving average that ran away would show here


@pytest.mark.parametrize("name", NETWORKS)
def test_weights_trained_on_jax_predict_the_same_here(on_jax, name):
    folder, report = on_jax
    model = NETWORKS[name]()
    training.load_weights(model, folder / f"{name}.weights.h5")
    images = np.random.default_rng(0).random((64, 8, 8, 1), dtype=np.float32)
    images[::2] *= 0.5
    assert keras.backend.backend() != "jax"
    np.testing.assert_allclose(model.predict(images, verbose=0), report[name]["predictions"], atol=1e-4)


@pytest.mark.parametrize("name", NETWORKS)
def test_both_backends_train_alike_after_the_same_start(on_jax, name, tmp_path):
    """Not to the digit, since they draw other random numbers, but to the same kind of loss."""
    _, report = on_jax
    images = np.random.default_rng(0).random((64, 8, 8, 1), dtype=np.float32)
    images[::2] *= 0.5
    labels = keras.utils.to_categorical(np.arange(64) % 2, 2)
    training.set_seed(0)
    model = NETWORKS[name]()
    training.compile_classifier(
        model, training.one_cycle(0.1, 20 * 4), weight_decay=1e-3, label_smoothing=0.1, jit_compile=False
    )
    history = training.fit(model, images, labels, epochs=20, batch_size=16, progress=False)
    assert history.history["loss"][-1] == pytest.approx(report[name]["loss"][-1], abs=0.15)


def test_a_gan_plays_on_jax_and_its_weights_sample_the_same_here(on_jax):
    folder, report = on_jax
    assert np.isfinite(list(report["gan"]["losses"].values())).all()
    model = gan.Gan(
        gan_networks.generator(3, (4, 4), (8, 8, 1)),
        gan_networks.discriminator((4, 5), (8, 8, 1), spectral_normalisation=True),
    )
    training.load_weights(model, folder / "gan.weights.h5")
    assert int(model.steps.numpy()) == 40  # the state that is not trained was kept
    np.testing.assert_allclose(model.sample(4, seed=1), report["gan"]["samples"], atol=1e-4)


def test_spectral_normalisation_finds_the_largest_singular_value_on_jax(on_jax):
    found, largest = on_jax[1]["stretch"]
    assert found == pytest.approx(largest, rel=1e-3)
