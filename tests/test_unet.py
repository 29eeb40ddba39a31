"""The U-Net, and the convolutions for pictures with holes: sizes, what a pixel sees, and sums worked out in loops."""

import keras
import numpy as np
import pytest
import scipy.special
from keras import ops

from course_utils import tiling, training
from course_utils.models import masked, unet

RANDOM = np.random.default_rng(0)


def pictures(count, height, width, channels=3):
    return np.random.default_rng(0).random((count, height, width, channels), dtype=np.float32)


def alive(network, scale=0.1):
    """The network with other weights than those of its start, which adds nothing to its input."""
    random = np.random.default_rng(1)
    network.set_weights([scale * random.standard_normal(weights.shape) for weights in network.get_weights()])
    return network


@pytest.mark.parametrize("size", [(16, 24), (9, 21), (1, 1), (3, 30), (17, 8)])
def test_an_untrained_network_changes_nothing_at_any_size(size):
    network = unet.restoration_unet(4, 3, widths=(4, 8, 8))
    images = pictures(2, *size, 4)
    np.testing.assert_array_equal(network(images), images[..., :3])


@pytest.mark.parametrize("size", [(8, 8), (5, 11), (2, 1)])
def test_pictures_are_mirrored_as_numpy_does_and_cut_back(size):
    images = pictures(2, *size)
    layer = unet.MirrorToMultiple(4)
    larger = [-length % 4 for length in size]
    mirrored = ops.convert_to_numpy(layer(images))
    if all(extra <= length for extra, length in zip(larger, size, strict=True)):
        expected = np.pad(images, [(0, 0), (0, larger[0]), (0, larger[1]), (0, 0)], mode="symmetric")
        np.testing.assert_array_equal(mirrored, expected)
    assert mirrored.shape == layer.compute_output_shape(images.shape) and not np.any(np.array(mirrored.shape[1:3]) % 4)
    np.testing.assert_array_equal(unet.CropLike()([mirrored, images]), images)


def test_sizes_that_are_padded_inside_are_those_padded_before():
    network = alive(unet.restoration_unet(3, widths=(4, 6)))
    images = pictures(1, 18, 13)
    padded = np.pad(images, [(0, 0), (0, 2), (0, 3), (0, 0)], mode="symmetric")
    ours, expected = (ops.convert_to_numpy(network(x)) for x in (images, padded))
    assert np.abs(ours - images).max() > 0.01
    np.testing.assert_allclose(ours, expected[:, :18, :13], atol=1e-5)


def test_pixels_are_put_into_channels_and_back():
    images = pictures(2, 6, 10)
    maps = ops.convert_to_numpy(unet.Unshuffle(2)(images))
    assert maps.shape == unet.Unshuffle(2).compute_output_shape(images.shape) == (2, 3, 5, 12)
    for i, j, c in np.ndindex(6, 10, 3):
        assert (maps[:, i // 2, j // 2, ((i % 2) * 2 + j % 2) * 3 + c] == images[:, i, j, c]).all()
    np.testing.assert_array_equal(unet.SubPixel(2)(maps), images)


def test_a_network_with_more_levels_sees_further():
    """By gradients: how far from a pixel of the result the picture still counts."""
    import tensorflow as tf

    def reach(widths):
        network = alive(unet.restoration_unet(1, 1, widths=widths), 0.5)
        images = tf.constant(pictures(1, 128, 128, 1))
        with tf.GradientTape() as tape:
            tape.watch(images)
            middle = network(images)[0, 64, 64, 0]
        felt = np.nonzero(tape.gradient(middle, images)[0, :, :, 0])
        return np.ptp(felt[0]) + 1

    assert 18 == reach((4,)) < 0.6 * reach((4, 4)) < 0.6 * 0.6 * reach((4, 4, 4))


def test_tiles_have_no_seams():
    network = alive(unet.restoration_unet(3, widths=(4, 4)))
    picture = pictures(1, 150, 70)[0]
    whole = ops.convert_to_numpy(network(picture[np.newaxis]))[0]
    tiled = tiling.restore_tiled(network, picture, tile=96, overlap=32, multiple=4, progress=False)
    np.testing.assert_allclose(tiled, whole, atol=1e-5)


@pytest.mark.parametrize("convolution", [unet.plain_convolution, masked.gated_convolution])
def test_it_is_stored_and_built_again_and_learns_to_copy_a_channel(convolution, tmp_path):
    """Also as a file of Keras's own, from which a network is built without this code's help."""
    training.set_seed(0)
    network = unet.restoration_unet(4, 3, widths=(8, 8), convolution=convolution)
    network.compile(keras.optimizers.Adam(0.01), "mean_squared_error")
    images = pictures(8, 16, 16, 4)
    losses = [network.train_on_batch(images, images[..., 3:].repeat(3, axis=-1)) for _ in range(40)]
    assert losses[-1] < 0.4 * losses[0]
    network.save(tmp_path / "unet.keras")
    back = keras.models.load_model(tmp_path / "unet.keras")
    np.testing.assert_array_equal(back(images), network(images))


@pytest.mark.parametrize("strides", [1, 2])
def test_partial_convolution_by_loops(strides):
    maps, known = RANDOM.random((2, 6, 8, 3)), (RANDOM.random((2, 6, 8, 1)) < 0.3) * 1.0
    known[0, :4, :4] = 0
    layer = masked.PartialConvolution(5, 3, strides, "relu")
    layer([maps, known])
    kernel, bias = RANDOM.standard_normal((3, 3, 3, 5)), RANDOM.standard_normal(5)
    layer.set_weights([kernel, bias])
    ours, now_known = map(ops.convert_to_numpy, layer([maps, known]))
    first = 1 if strides == 1 else 0  # "same" adds one pixel on both sides, or one at the end
    for n, i, j in np.ndindex(ours.shape[:3]):
        rows, columns = (range(strides * place - first, strides * place - first + 3) for place in (i, j))
        places = [(r, c) for r in rows for c in columns if 0 <= r < 6 and 0 <= c < 8]
        seen = [(r, c) for r, c in places if known[n, r, c, 0]]
        assert now_known[n, i, j, 0] == bool(seen)
        total = sum(maps[n, r, c] @ kernel[r - rows[0], c - columns[0]] for r, c in seen)
        expected = np.maximum(total * len(places) / len(seen) + bias, 0) if seen else np.zeros(5)
        np.testing.assert_allclose(ours[n, i, j], expected, rtol=1e-4, atol=1e-5)


def test_partial_convolution_does_not_see_what_stands_in_a_hole_and_keeps_what_is_plain():
    maps, known = np.full((1, 8, 8, 1), 0.7, np.float32), np.ones((1, 8, 8, 1), np.float32)
    known[0, 2:6, 3:7] = 0
    layer = masked.PartialConvolution(1, 3)
    layer([maps, known])
    layer.set_weights([np.full((3, 3, 1, 1), 1 / 9), np.zeros(1)])
    mean, now_known = map(ops.convert_to_numpy, layer([np.where(known == 1, maps, 9), known]))
    hole = now_known[0, ..., 0] == 0
    assert hole.sum() == 4 and (mean[0, hole] == 0).all()
    inside = ~hole[1:-1, 1:-1]
    np.testing.assert_allclose(mean[0, 1:-1, 1:-1][inside], 0.7, atol=1e-6)


def test_gated_convolution_is_the_product_of_two():
    maps = pictures(2, 7, 9)
    layer = masked.GatedConvolution(4, 3, 2, "relu")
    layer(maps)
    weights = [RANDOM.standard_normal(weight.shape).astype(np.float32) for weight in layer.get_weights()]
    layer.set_weights(weights)
    features, gate = (
        ops.convert_to_numpy(ops.conv(maps, weights[k], strides=2, padding="same") + weights[k + 1]) for k in (0, 2)
    )
    np.testing.assert_allclose(layer(maps), np.maximum(features, 0) * scipy.special.expit(gate), atol=1e-5)


def test_networks_that_cannot_be_built_are_refused():
    for widths, blocks in (((0,), 1), ((4, 4), 0)):
        with pytest.raises(ValueError, match="widths and blocks must be 1 or more, got"):
            unet.restoration_unet(3, widths=widths, blocks=blocks)
    with pytest.raises(ValueError, match="expected to restore 1 to 3 of 3 channels, got 4"):
        unet.restoration_unet(3, 4, widths=(4,))
    with pytest.raises(ValueError, match="multiple must be 1 or more, got 0"):
        unet.MirrorToMultiple(0)
