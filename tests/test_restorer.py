"""Restorers and the networks that enlarge: what they compute, how they learn, and what they refuse."""

import itertools

import keras
import numpy as np
import pytest
from keras import ops

from course_utils import data, degrade, metrics, tiling, training
from course_utils.models import restorer, super_resolution


def pictures(count, height=24, width=32, channels=3):
    return np.random.default_rng(0).random((count, height, width, channels), dtype=np.float32)


@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize("size", [(5, 7), (12, 9), (3, 2)])
def test_the_enlargement_is_the_bicubic_one(scale, size):
    images = pictures(2, *size)
    layer = super_resolution.BicubicEnlargement(scale)
    np.testing.assert_allclose(layer(images), degrade.upsample(images, scale), atol=2e-6)
    assert layer.compute_output_shape((None, *size, 3)) == (None, scale * size[0], scale * size[1], 3)


def test_sub_pixels_stand_where_the_paper_puts_them():
    maps = pictures(1, 2, 3, 4 * 3)
    found = ops.convert_to_numpy(super_resolution.SubPixel(2)(maps))
    for i, j, c in np.ndindex(found.shape[1:]):
        assert found[0, i, j, c] == maps[0, i // 2, j // 2, ((i % 2) * 2 + j % 2) * 3 + c]


@pytest.mark.parametrize("build", [super_resolution.srcnn, super_resolution.edsr])
@pytest.mark.parametrize(("scale", "channels"), [(2, 3), (3, 1)])
def test_untrained_networks_enlarge_as_bicubic_does_at_any_size(build, scale, channels):
    network = build(scale, channels)
    for size in ((16, 16), (9, 21)):
        images = pictures(2, *size, channels)
        np.testing.assert_allclose(network(images), degrade.upsample(images, scale), atol=2e-6)


def test_the_receptive_field_is_as_the_docstring_says():
    """By gradients: a pixel of the result feels the small picture's pixels up to that far away, and none beyond."""
    import tensorflow as tf

    training.set_seed(0)
    network = super_resolution.edsr(2, 1, width=4, blocks=2)
    for layer in network.layers:
        if isinstance(layer, keras.layers.Conv2D):
            layer.kernel.assign(np.random.default_rng(1).random(layer.kernel.shape) + 0.1)  # all alive
    images = tf.constant(pictures(1, 41, 41, 1))
    with tf.GradientTape() as tape:
        tape.watch(images)
        middle = network(images)[0, 40, 40, 0]
    felt = np.abs(tape.gradient(middle, images)[0, :, :, 0]) > 0
    side = 2 * (2 * 2 + 3) + 1
    assert np.ptp(np.nonzero(felt.any(axis=1))) + 1 == np.ptp(np.nonzero(felt.any(axis=0))) + 1 == side


def test_tiles_of_a_network_that_enlarges_have_no_seams():
    training.set_seed(0)
    network = super_resolution.edsr(2, 3, width=4, blocks=2)
    for layer in network.layers:
        if isinstance(layer, keras.layers.Conv2D):
            layer.kernel.assign(0.1 * np.random.default_rng(1).standard_normal(layer.kernel.shape))
    picture = pictures(1, 61, 50)[0]
    whole = ops.convert_to_numpy(network(picture[np.newaxis]))[0]
    tiled = tiling.restore_tiled(network, picture, tile=32, overlap=7, scale=2, progress=False)
    np.testing.assert_allclose(tiled, whole, atol=1e-5)


@keras.saving.register_keras_serializable("tests")
class Noise(keras.layers.Layer):
    def __init__(self, sigma):
        super().__init__()
        self.sigma, self.seed = sigma, keras.random.SeedGenerator(0)

    def call(self, images):
        return degrade.add_gaussian_noise(images, self.sigma, self.seed)


def test_a_restorer_learns_from_clean_pictures_alone():
    patches = np.stack([data.photograph(name)[:192, :192] for name in data.photograph_names("train")[:12]])
    patches = patches.reshape(12, 6, 32, 6, 32, 3).swapaxes(2, 3).reshape(-1, 32, 32, 3)
    training.set_seed(0)
    network = keras.Sequential([keras.Input((None, None, 3)), keras.layers.Conv2D(3, 5, padding="same")])
    model = restorer.Restorer(network, Noise(0.2))
    model.compile(keras.optimizers.Adam(0.02), "mean_squared_error", jit_compile=False)
    clean = patches[:64]
    noisy = ops.convert_to_numpy(degrade.add_gaussian_noise(clean, 0.2, seed=1))
    validation = (noisy, clean)
    history = training.fit(model, patches, epochs=12, batch_size=32, validation_data=validation, progress=False).history
    restored = model.predict(noisy, verbose=0)
    error = np.mean((restored - clean) ** 2)
    assert history["val_loss"][-1] == pytest.approx(error, rel=1e-3)  # which is not degraded again
    assert error < 0.5 * np.mean((noisy - clean) ** 2)
    np.testing.assert_array_equal(model(noisy), network(noisy))


def test_weights_are_stored_and_read_back(tmp_path):
    def build():
        return restorer.Restorer(
            super_resolution.edsr(2, width=4, blocks=1), lambda images: degrade.downsample(images, 2)
        )

    model = build()
    model.compile("adam", "mean_absolute_error")
    training.fit(model, pictures(16), epochs=2, batch_size=8, progress=False)
    training.save_weights(model, tmp_path / "sr.weights.h5")
    back = build()
    training.load_weights(back, tmp_path / "sr.weights.h5")
    images = pictures(2, 10, 11)
    np.testing.assert_array_equal(back.predict(images, verbose=0), model.predict(images, verbose=0))
    assert np.abs(model.predict(images, verbose=0) - degrade.upsample(images, 2)).max() > 0
    assert model.input_shape == (None, None, None, 3)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (255 * pictures(1), "expected images in .0, 1., got numbers from .* divide by 255"),
        ((255 * pictures(1)).astype(np.uint8), "got uint8: divide by 255"),
        (np.full((1, 8, 8, 3), np.nan, np.float32), "NaN or infinite"),
        (pictures(1)[:, :0], "without a pixel"),
    ],
)
def test_pictures_that_no_restorer_was_trained_on_are_refused(images, message):
    model = restorer.Restorer(super_resolution.edsr(2, width=2, blocks=1))
    for restore in (model, model.predict, model.predict_on_batch):
        with pytest.raises(ValueError, match=message):
            restore(images)


def test_pictures_of_another_number_of_channels_and_bad_sizes_are_refused():
    model = restorer.Restorer(super_resolution.edsr(2, width=2, blocks=1))
    with pytest.raises(ValueError, match="3"):
        model(pictures(1, channels=4))
    with pytest.raises(ValueError, match="width and blocks must be 1 or more, got 0 and 1"):
        super_resolution.edsr(2, width=0, blocks=1)
    with pytest.raises(ValueError, match="scale must be 2 or more, got 1"):
        super_resolution.srcnn(1)


@pytest.fixture(scope="module")
def enlarger():
    """Luma twice as large, with a network whose weights are not those of the start."""
    training.set_seed(0)
    network = super_resolution.edsr(2, 1, width=4, blocks=1)
    network.set_weights([weights + 0.02 for weights in network.get_weights()])
    return super_resolution.LumaEnlarger(network, 2)


def test_luma_is_the_networks_and_the_colours_are_those_of_bicubic(enlarger):
    images = pictures(2, 11, 14)
    large, bicubic = (ops.convert_to_numpy(x) for x in (enlarger(images), degrade.upsample(images, 2)))
    expected = enlarger.network(metrics.luma(images, 1.0).astype(np.float32))
    np.testing.assert_allclose(metrics.luma(large, 1.0), expected, atol=1e-5)
    np.testing.assert_allclose(
        large - large.mean(-1, keepdims=True), bicubic - bicubic.mean(-1, keepdims=True), atol=1e-5
    )
    assert np.abs(large - bicubic).max() > 0.01


def test_a_grey_picture_is_its_own_luma(enlarger):
    images = pictures(2, 11, 14, 1)
    np.testing.assert_array_equal(enlarger(images), enlarger.network(images))


def test_a_colour_picture_is_enlarged_in_tiles_as_at_once(enlarger):
    (picture,) = pictures(1, 60, 75)
    tiled = tiling.restore_tiled(enlarger, picture, tile=24, overlap=5, scale=2, progress=False)
    np.testing.assert_allclose(tiled, enlarger(picture[np.newaxis])[0], atol=1e-5)


def test_an_enlarger_learns_from_luma_alone(enlarger):
    enlarger.compile("adam", "mean_absolute_error")
    clean = pictures(4, 16, 16, 1)
    expected = np.abs(clean - ops.convert_to_numpy(enlarger(ops.convert_to_numpy(degrade.downsample(clean, 2))))).mean()
    assert enlarger.train_on_batch(clean) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("channels", [2, 4])
def test_pictures_of_other_channels_are_refused(enlarger, channels):
    for call in (enlarger, enlarger.predict, enlarger.predict_on_batch):
        with pytest.raises(
            ValueError, match=rf"expected pictures \(n, height, width, 1 or 3\), got shape \(1, 8, 8, {channels}\)"
        ):
            call(pictures(1, 8, 8, channels))
    with pytest.raises(ValueError, match="add the first axis with picture"):
        enlarger(pictures(1, 8, 8)[0])


def test_turning_reaches_all_eight_ways_and_comes_back():
    (image,) = pictures(1, 5, 5)
    ways = set()
    for drawn in itertools.product([False, True], repeat=3):
        turned = restorer._turned(image[np.newaxis], np.array(drawn))
        np.testing.assert_array_equal(restorer._turned_back(turned, np.array(drawn))[0], image)
        ways.add(ops.convert_to_numpy(turned).tobytes())
    assert len(ways) == 8


def test_a_turned_restorer_sees_turned_pictures_in_training_alone():
    """With a network that marks its upper left corner, the mark comes back in one of the corners."""
    mark = np.zeros((1, 4, 4, 1), np.float32)
    mark[0, 0, 1] = 1
    images = keras.Input((4, 4, 1))
    model = restorer.Restorer(keras.Model(images, images + mark), turned=True)
    zeros = np.zeros((1, 4, 4, 1), np.float32)
    found = {ops.convert_to_numpy(model(zeros, training=True)).tobytes() for _ in range(60)}
    assert len(found) == 8
    np.testing.assert_array_equal(model(zeros), mark)
