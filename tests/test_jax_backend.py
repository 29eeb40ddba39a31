"""The same models, training and degradations on Keras's JAX backend, in one process of their own for all."""

import importlib.util
import json
import os
import subprocess
import sys

import keras
import numpy as np
import pytest
from fixtures import on_jax as done_here
from fixtures.degradations import BATCH, OPERATIONS, PHOTO
from fixtures.perceptual import PICTURES, compiled_with_a_perceptual_loss

from course_utils import degrade, models, paths, training
from course_utils.metrics.perceptual import lpips_like

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("jax") is None, reason="JAX is not installed: pip install jax, or the extra [ci]"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where the other process left its weights and its report."""
    folder = tmp_path_factory.mktemp("jax")
    search = os.pathsep.join(map(str, (paths.ROOT, paths.ROOT / "tests")))
    # What runs for a moment need not be compiled well: a third of the time.
    quickly = "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"
    environment = {**os.environ, "KERAS_BACKEND": "jax", "PYTHONPATH": search, "XLA_FLAGS": quickly}
    command = [sys.executable, done_here.__file__, str(folder)]
    run = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=500)
    assert run.returncode == 0, run.stderr[-3000:]
    return folder


@pytest.fixture(scope="module")
def report(folder):
    return json.loads((folder / "report.json").read_text(encoding="utf-8"))


def test_the_two_processes_have_a_backend_each(report):
    assert report["backend"] == "jax" != keras.backend.backend()


@pytest.mark.parametrize("name", done_here.CLASSIFIERS)
def test_training_on_jax_learns_and_keeps_its_state_in_bounds(report, name):
    losses = report["classifiers"][name]["loss"]
    assert losses[-1] < 0.75 * losses[0]
    assert max(report["classifiers"][name]["states"]) < 100  # a moving average that ran away would show here


@pytest.mark.parametrize("name", done_here.CLASSIFIERS)
def test_weights_trained_on_jax_predict_the_same_here(folder, report, name):
    model = done_here.CLASSIFIERS[name]()
    training.load_weights(model, folder / f"{name}.weights.h5")
    predictions = model.predict(done_here.DARKER, verbose=0)
    np.testing.assert_allclose(predictions, report["classifiers"][name]["predictions"], atol=1e-4)


@pytest.mark.parametrize("name", done_here.CLASSIFIERS)
def test_both_backends_train_alike_after_the_same_start(report, name):
    """Not to the digit, since they draw other random numbers, but to the same kind of loss."""
    _, losses = done_here.train_classifier(name)
    assert losses[-1] == pytest.approx(report["classifiers"][name]["loss"][-1], abs=0.15)


def test_a_gan_plays_on_jax_and_its_weights_sample_the_same_here(folder, report):
    assert np.isfinite(list(report["gan"]["losses"].values())).all()
    model = done_here.small_gan()
    training.load_weights(model, folder / "gan.weights.h5")
    assert int(model.steps.numpy()) == 40  # the state that is not trained was kept
    np.testing.assert_allclose(model.sample(4, seed=1), report["gan"]["samples"], atol=1e-4)


def test_spectral_normalisation_finds_the_largest_singular_value_on_jax(report):
    found, largest = report["stretch"]
    assert found == pytest.approx(largest, rel=1e-3)


def test_a_vae_trained_on_jax_is_the_same_here(folder, report):
    history = report["vae"]["history"]
    assert history["loss"][-1] < history["loss"][0]
    np.testing.assert_allclose(history["loss"], np.add(history["reconstruction"], history["kl"]), rtol=1e-4)
    model = done_here.small_vae()
    training.load_weights(model, folder / "vae.weights.h5")
    np.testing.assert_allclose(model.sample(4, seed=1), report["vae"]["samples"], atol=1e-4)
    mine = model.log_weights(done_here.IMAGES, 3, seed=2, labels=np.arange(64) % 2)
    np.testing.assert_allclose(mine, report["vae"]["log_weights"], rtol=1e-3, atol=1e-2)


def test_a_diffusion_trained_on_jax_samples_the_same_here(folder, report):
    losses = report["diffusion"]["losses"]
    assert losses[-1] < losses[0] and len(set(losses)) == len(losses)
    model = done_here.small_diffusion()
    training.load_weights(model, folder / "diffusion.weights.h5")
    assert int(model.steps.numpy()) == 40  # and with it the average was kept
    pairs = zip(model.averaged.get_weights(), model.network.get_weights(), strict=True)
    assert max(np.abs(average - current).max() for average, current in pairs) > 0
    samples = model.sample(4, seed=1, steps=3, guidance=2.0)
    np.testing.assert_allclose(samples, report["diffusion"]["samples"], atol=1e-3)


@pytest.mark.parametrize("name", sorted(OPERATIONS.keys() - {"noise"}))
def test_a_degradation_compiled_on_jax_is_as_here(report, name):
    here = keras.ops.convert_to_numpy(OPERATIONS[name](BATCH))
    np.testing.assert_allclose(report["degradations"][name], here, atol=1e-6)


@pytest.mark.parametrize("name", done_here.PROTOCOLS)
def test_protocols_are_the_same_on_jax(report, name):
    """To the rounding of a blur, which may tip a pixel of a JPEG file or of 8 bits over to the next level."""
    difference = np.abs(report["degradations"][name] - degrade.PROTOCOLS[name](PHOTO, 5))
    assert difference.max() <= (0.03 if name == "blind" else 1.01 / 255 if "sr" in name else 1e-6)
    assert difference.mean() < 1e-4


def test_a_denoiser_trains_on_jax_with_noise_made_in_the_step(report):
    losses = report["denoiser"]
    assert 0.03 < losses[0] < 0.06  # the variance of its noise: 0.043 for sigmas from 0.1 to 0.3
    assert losses[-1] < 0.7 * losses[0]
    assert len(set(losses)) == len(losses)


def test_the_network_for_photographs_loads_without_torch_and_sees_the_same_on_jax(report):
    logits = models.load("efficientnet_lite0").predict(done_here.cup(), verbose=0)[0]
    best, logit = report["espresso"]
    assert best == logits.argmax() == 967
    assert logit == pytest.approx(logits.max(), rel=1e-3)
    assert not report["torch"]


def test_a_perceptual_loss_trains_alike_on_both_backends(report):
    """Nothing in it is drawn at random, so that the steps agree."""
    losses, weights = report["perceptual_loss"]
    expected, names = compiled_with_a_perceptual_loss()
    assert weights == names == ["kernel", "bias"]
    assert losses == pytest.approx(expected, rel=1e-2)


def test_the_lpips_like_distance_is_the_same_on_jax(report):
    assert report["lpips_like"] == pytest.approx(lpips_like(*PICTURES), rel=1e-3)
