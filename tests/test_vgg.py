"""VGG's maps: against Keras's own VGG16, by hand, random, from the internet that is not there, and in a loss."""

import sys

import keras
import numpy as np
import pytest
from fixtures.perceptual import PICTURES, compiled_with_a_perceptual_loss
from keras import ops
from test_data_files import PACKAGES, need_packages

from course_utils import data, paths
from course_utils.models import vgg

sys.path.insert(0, str(paths.DATA / "prepare"))


@pytest.fixture(scope="module")
def network():
    return vgg.features(vgg.available())


@pytest.fixture(scope="module")
def photo():
    return data.photograph("chelsea")[np.newaxis, 60:156, 120:248]


def keras_name(name: str) -> str:
    block, number = name.removeprefix("conv").split("_")
    return f"block{block}_conv{number}"


def test_the_maps_are_those_of_keras_vgg16_with_the_same_weights(network, photo):
    whole = keras.applications.VGG16(include_top=False, weights=None, input_shape=(None, None, 3))
    for name in vgg.available():
        whole.get_layer(keras_name(name)).set_weights(network.network.get_layer(name).get_weights())
    outputs = {name: whole.get_layer(keras_name(name)).output for name in vgg.available()}
    expected = keras.Model(whole.input, outputs)(keras.applications.vgg16.preprocess_input(255 * photo))
    maps = network(photo)
    assert list(maps) == list(vgg.available()) and len(maps) == 10
    for name, values in maps.items():
        assert np.abs(values).max() > 10, name
        np.testing.assert_allclose(values, expected[name], rtol=1e-4, atol=1e-3, err_msg=name)


def test_the_first_place_is_computed_by_hand(network, photo):
    kernel, bias = (np.float64(values) for values in network.network.get_layer("conv1_1").get_weights())
    blue_green_red = 255 * np.float64(photo[0, :3, :3, ::-1]) - (103.939, 116.779, 123.68)
    expected = np.einsum("ijk,ijkc->c", blue_green_red, kernel) + bias
    np.testing.assert_allclose(np.asarray(network(photo)["conv1_1"])[0, 1, 1], expected.clip(0), atol=1e-2)


def test_shapes_names_and_weights(network):
    maps = vgg.features(("conv3_1", "conv1_2"))(np.zeros((2, 21, 30, 3), np.float32))
    assert {name: tuple(values.shape) for name, values in maps.items()} == {
        "conv3_1": (2, 5, 7, 256),
        "conv1_2": (2, 21, 30, 64),
    }
    assert list(maps) == ["conv3_1", "conv1_2"]
    assert network.count_params() == 7_635_264 and not network.trainable_weights
    assert {weight.dtype for weight in network.weights} == {"float32"}
    assert set(network.predict(np.zeros((1, 8, 8, 3), np.float32), verbose=0)) == set(vgg.available())


def test_average_pooling_is_the_mean_of_four(photo):
    images = photo[:, :32, :32]
    maps = vgg.features(("conv1_2", "conv2_1"), pooling="average")(images)
    pooled = np.asarray(maps["conv1_2"]).reshape(1, 16, 2, 16, 2, 64).mean((2, 4))
    expected = vgg.features(("conv2_1",)).network.get_layer("conv2_1")(pooled)
    np.testing.assert_allclose(maps["conv2_1"], expected, rtol=1e-4, atol=1e-3)


def test_random_weights_hang_on_the_seed_alone_and_keep_the_scale(photo):
    names = ("conv1_2", "conv3_1")
    one, same, other = (vgg.features(names, weights="random", seed=seed)(photo)["conv3_1"] for seed in (1, 1, 2))
    assert np.array_equal(one, same) and not np.allclose(one, other)
    deeper = vgg.features(("conv1_2", "conv3_1", "conv4_3"), weights="random", seed=1)(photo)
    assert np.array_equal(one, deeper["conv3_1"])
    first, last = (np.sqrt(np.mean(np.square(deeper[name]))) for name in ("conv1_2", "conv4_3"))
    assert 0.1 < last / first < 10
    assert not np.allclose(one, vgg.features(names)(photo)["conv3_1"], rtol=0.5)


def test_gradients_reach_the_pictures_and_no_weight():
    tf = pytest.importorskip("tensorflow")
    network, images = vgg.features(("conv2_1",)), tf.Variable(PICTURES[:1])
    with tf.GradientTape() as tape:
        loss = ops.mean(network(images)["conv2_1"])
    gradient = np.asarray(tape.gradient(loss, images))
    index = np.unravel_index(np.abs(gradient).argmax(), gradient.shape)
    step = np.zeros_like(PICTURES[:1])
    step[index] = 1e-2
    up, down = (float(ops.mean(network(PICTURES[:1] + sign * step)["conv2_1"])) for sign in (1, -1))
    assert (up - down) / 2e-2 == pytest.approx(gradient[index], rel=0.05)


def test_a_loss_may_use_it_without_its_weights_being_the_models():
    losses, weights = compiled_with_a_perceptual_loss()
    assert losses[-1] < 0.7 * losses[0]
    assert weights == ["kernel", "bias"]


def test_it_refuses_to_be_built_inside_a_compiled_step():
    tf = pytest.importorskip("tensorflow")

    @tf.function
    def step():
        return vgg.features(("conv1_1",))(PICTURES)["conv1_1"]

    with pytest.raises(RuntimeError, match=r"call vgg\.features.* once before `fit`"):
        step()


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (255 * PICTURES, r"numbers from 0\S* to 25\d\S*: divide by 255"),
        ((255 * PICTURES).astype(np.uint8), "got uint8: divide by 255"),
        (np.where(PICTURES < 0.9, PICTURES, np.nan), "are NaN or infinite"),
        (PICTURES[..., :1], r"height, width, 3\), got shape \(2, 16, 16, 1\); repeat grey"),
        (PICTURES[..., [0, 1, 2, 2]], "lay the pictures on a background"),
        (PICTURES[0], r"got shape \(16, 16, 3\); add the first axis"),
        (PICTURES[:, :7], r"expected pictures of 8 pixels or more a side, got shape \(2, 7, 16, 3\)"),
        (PICTURES[:0], "without a pixel"),
    ],
)
def test_what_is_no_picture_is_refused(network, images, message):
    for call in (network, network.predict):
        with pytest.raises(ValueError, match=message):
            call(images)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"layer_names": ("conv5_1",)}, "have the layers conv1_1, .*conv4_3, got 'conv5_1'"),
        ({"layer_names": ()}, "got no name"),
        ({"layer_names": "conv1_1"}, r"write \('conv1_1',\)"),
        ({"weights": "imagenet"}, "must be one of 'shipped', 'random', 'imagenet_vgg16', .* got 'imagenet'"),
        ({"pooling": "mean"}, "must be 'max' or 'average', got 'mean'"),
    ],
)
def test_what_is_no_option_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        vgg.features(**options)


def test_imagenet_weights_are_taken_from_keras(monkeypatch, photo):
    originals = []

    def without_internet(include_top, weights):
        assert not include_top and weights == "imagenet"
        originals.append(vgg19(include_top=False, weights=None, input_shape=(None, None, 3)))
        return originals[-1]

    vgg19 = keras.applications.VGG19
    monkeypatch.setattr(keras.applications, "VGG19", without_internet)
    maps = vgg.features(("conv3_4", "conv1_1"), weights="imagenet_vgg19")(photo)
    names = {"conv3_4": "block3_conv4", "conv1_1": "block1_conv1"}
    outputs = {name: originals[0].get_layer(layer).output for name, layer in names.items()}
    expected = keras.Model(originals[0].input, outputs)(keras.applications.vgg19.preprocess_input(255 * photo))
    for name in names:
        np.testing.assert_allclose(maps[name], expected[name], rtol=1e-4, atol=1e-3)
    assert vgg.available("imagenet_vgg19")[-1] == "conv5_4" and len(vgg.available("imagenet_vgg19")) == 16
    assert vgg.available("imagenet_vgg16")[-1] == "conv5_3" and len(vgg.available("imagenet_vgg16")) == 13


def test_without_internet_the_error_names_the_shipped_weights(monkeypatch):
    def fail(**_):
        raise Exception("URL fetch failure on https://example.org: None -- no route to host")

    monkeypatch.setattr(keras.applications, "VGG16", fail)
    with pytest.raises(OSError, match=r"VGG16 trained on ImageNet .*use weights='shipped'.*no route to host"):
        vgg.features(weights="imagenet_vgg16")


def test_float16_loses_little_of_the_original(network, photo):
    need_packages("vgg")
    import vgg as prepare

    original = prepare.original_network(PACKAGES)
    outputs = {name: original.get_layer(name).output for name in vgg.LAYER_NAMES}
    expected = keras.Model(original.input, outputs)(keras.applications.vgg16.preprocess_input(255 * photo))
    maps = network(photo)
    for name, values in expected.items():
        error = np.sqrt(np.mean(np.square(maps[name] - values))) / np.sqrt(np.mean(np.square(values)))
        print(f"{name}: {error:.2e}")
        assert 0 < error < 1e-3
