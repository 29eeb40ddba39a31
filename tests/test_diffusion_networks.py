"""The networks of diffusion: their shapes, that they hear time and label, and that one learns to draw."""

import keras
import numpy as np
import pytest
from fixtures.eager import eager
from keras import ops

from course_utils import training
from course_utils.models import diffusion, diffusion_networks

RANDOM = np.random.default_rng(0)
MAKERS = {
    "unet": ((12, 10, 1), lambda classes: diffusion_networks.unet_with_time((12, 10, 1), classes, widths=(8, 12))),
    "dense": ((5,), lambda classes: diffusion_networks.dense_with_time(5, classes, width=16, blocks=2)),
}


def inputs(shape: tuple, classes: int | None, n: int = 3) -> list[np.ndarray]:
    rows = [RANDOM.standard_normal((n, *shape)).astype(np.float32), np.full(n, 0.4, np.float32)]
    return [*rows, np.eye(classes, dtype=np.float32)[np.arange(n) % classes]] if classes else rows


def with_other_weights(network: keras.Model) -> keras.Model:
    network.set_weights([0.2 * RANDOM.standard_normal(weights.shape) for weights in network.get_weights()])
    return network


@pytest.mark.parametrize("classes", [None, 4])
@pytest.mark.parametrize("name", MAKERS)
def test_the_prediction_has_the_shape_of_what_has_noise_and_starts_at_zero(name, classes):
    shape, make = MAKERS[name]
    network, given = make(classes), inputs(shape, classes)
    assert network.output_shape == network.input_shape[0] == (None, *shape)
    np.testing.assert_array_equal(network(given), np.zeros((3, *shape)))


@pytest.mark.parametrize("name", MAKERS)
def test_each_picture_hears_its_own_time_and_label(name):
    shape, make = MAKERS[name]
    network, given = with_other_weights(make(4)), inputs(shape, 4)
    before = ops.convert_to_numpy(network(given))
    for which, change in ((1, np.array([0.4, 0.6, 0.4])), (2, np.eye(4)[[0, 3, 2]])):
        changed = list(given)
        changed[which] = change.astype(np.float32)
        moved = np.abs(ops.convert_to_numpy(network(changed)) - before).reshape(3, -1).max(axis=1)
        assert moved[1] > 1e-3 > 1e-4 > max(moved[0], moved[2])


def test_waves_tell_times_that_lie_close_together():
    waves = ops.convert_to_numpy(diffusion.TimeWaves(16)(np.array([0.5, 0.51], np.float32)))
    assert waves.shape == (2, 32) and np.abs(waves[0] - waves[1]).max() > 0.5 and np.abs(waves).max() <= 1


def test_the_unet_learns_to_draw_bars_where_the_label_says():
    images = np.zeros((64, 12, 10, 1), np.float32)
    labels = np.arange(64) % 2
    images[labels == 0, :6], images[labels == 1, 6:] = 1, 1
    training.set_seed(0)
    model = diffusion.Diffusion(MAKERS["unet"][1](2), averaging=0.9)
    model.compile(keras.optimizers.Adam(0.01), jit_compile=False)
    losses = training.fit(model, images, labels, epochs=30, batch_size=16, progress=False).history["loss"]
    assert losses[-1] < 0.5 * losses[0]
    labels = np.arange(64) % 2
    pictures = model.sample(64, labels=labels, steps=10, guidance=2.0)
    upper = pictures[:, :6].mean(axis=(1, 2, 3)) > pictures[:, 6:].mean(axis=(1, 2, 3))
    assert np.mean(upper == (labels == 0)) > 0.8


@pytest.mark.parametrize("name", MAKERS)
def test_it_trains_and_samples_in_mixed_precision(half_precision, name):
    """As `course train --mixed-precision` has it: what is noised, the times and the loss stay in float32."""
    shape, make = MAKERS[name]
    training.set_seed(0)
    model = diffusion.Diffusion(make(2))
    model.compile(keras.optimizers.Adam(0.01), jit_compile=False)
    images = RANDOM.random((16, *shape)).astype(np.float32)
    history = training.fit(eager(model), images, np.arange(16) % 2, epochs=3, batch_size=8, progress=False)
    losses = history.history["loss"]
    assert np.isfinite(losses).all() and losses[-1] < losses[0]
    pictures = model.sample(3, labels=1, steps=2, guidance=2.0)
    assert pictures.dtype == np.float32 and np.isfinite(pictures).all()
    assert keras.backend.standardize_dtype(model(images).dtype) == "float32"
    assert model.network.get_layer("waves").compute_dtype == "float32"
    assert model.network.layers[-1].compute_dtype == "bfloat16"


def test_it_is_stored_and_built_again(tmp_path):
    network = with_other_weights(MAKERS["unet"][1](2))
    network.save(tmp_path / "network.keras")
    given = inputs((12, 10, 1), 2)
    np.testing.assert_array_equal(keras.saving.load_model(tmp_path / "network.keras")(given), network(given))


@pytest.mark.parametrize("sizes", [{"size": 0}, {"size": 2, "width": 0}, {"size": 2, "blocks": 0}])
def test_dense_sizes_under_one_are_refused(sizes):
    with pytest.raises(ValueError, match="must be 1 or more"):
        diffusion_networks.dense_with_time(**sizes)
