"""EfficientNet-Lite0: its shape, its weights, and what it sees in photographs whose content everybody knows."""

import io
import os
import pickle
import sys
import zlib

import keras
import numpy as np
import pytest

from course_utils import data, models, paths
from course_utils.models import efficientnet

sys.path.insert(0, str(paths.DATA / "prepare"))

import torch_file

# Photograph, ImageNet classes that are right: 281, 282, 285 tabby, tiger and Egyptian cat; 967 espresso; 657 missile.
SEEN = {
    "chelsea": {281, 282, 285},
    "coffee": {967},
    "rocket": {657},
    "red_panda": {387},
    "clownfish": {393},
    "panda": {388},
    "goldfish": {1},
    "pufferfish": {397},
    "scarlet_macaw": {88},
}


@pytest.fixture(scope="module")
def model():
    return models.load("efficientnet_lite0")


def resized(image, side=192):
    """The middle square of a photograph as a batch of one."""
    top, left = ((length - min(image.shape[:2])) // 2 for length in image.shape[:2])
    square = image[top : image.shape[0] - top, left : image.shape[1] - left]
    return np.asarray(keras.ops.image.resize(square[None].copy(), (side, side), antialias=True))


def test_it_has_the_parameters_of_the_original(model):
    assert model.count_params() == 4_694_024
    assert sum(int(np.prod(weight.shape)) for weight in model.trainable_weights) == 4_652_008
    assert {weight.dtype for weight in model.weights} == {"float32"}
    assert len([layer for layer in model.layers if isinstance(layer, keras.layers.DepthwiseConv2D)]) == 16


@pytest.mark.parametrize("name", SEEN)
def test_it_knows_what_a_photograph_shows(model, name):
    logits = np.asarray(model(resized(data.photograph(name))))[0]
    assert logits.shape == (1000,) and logits.dtype == np.float32
    assert int(logits.argmax()) in SEEN[name]


def test_the_first_step_is_computed_by_hand(model):
    """One place of the stem's output, as a sum over the 3x3x3 window that TensorFlow's "same" padding puts there."""
    image = np.random.default_rng(1).random((1, 32, 32, 3), np.float32)
    stem = keras.Model(model.input, model.get_layer("stem_convolution").output)
    scaled = (image[0].astype(np.float64) * 255 - 127) / 128
    kernel = np.asarray(model.get_layer("stem_convolution").kernel)
    window = scaled[6:9, 10:13]  # output place (3, 5): stride 2, padding at the bottom and right only
    expected = np.einsum("ijk,ijkc->c", window, kernel)
    assert np.allclose(np.asarray(stem(image))[0, 3, 5], expected, atol=1e-4)


def test_the_last_normalisation_is_computed_by_hand(model):
    image = np.random.default_rng(2).random((1, 64, 64, 3), np.float32)
    names = ("head_convolution", "feature_map")
    before, after = keras.Model(model.input, [model.get_layer(name).output for name in names])(image)
    gamma, beta, mean, variance = (np.float64(values) for values in model.get_layer("head_normalisation").get_weights())
    expected = (np.float64(before) - mean) / np.sqrt(variance + 1e-3) * gamma + beta
    assert np.allclose(after, expected.clip(0, 6), atol=1e-4)


@pytest.mark.parametrize("height, width", [(32, 32), (33, 47), (224, 160)])
def test_any_size_from_32_pixels_on(model, height, width):
    assert model(np.zeros((2, height, width, 3), np.float32)).shape == (2, 1000)
    maps = efficientnet.features_model(pooled=False)(np.zeros((1, height, width, 3), np.float32))
    assert maps.shape == (1, -(-height // 32), -(-width // 32), 1280)


def test_features_for_transfer_learning(model):
    features = efficientnet.features_model()
    images = np.concatenate([resized(data.photograph(name), 96) for name in ("chelsea", "coffee")])
    vectors = np.asarray(features(images))
    assert vectors.shape == (2, 1280) and vectors.dtype == np.float32
    assert not features.trainable_weights
    last = model.get_layer("logits")
    assert np.allclose(vectors @ np.asarray(last.kernel) + np.asarray(last.bias), model(images), atol=1e-3)
    maps = np.asarray(efficientnet.features_model(pooled=False)(images))
    assert np.allclose(maps.mean((1, 2)), vectors, atol=1e-4)
    assert maps.min() >= 0 and maps.max() <= 6


def test_each_call_gives_a_model_of_its_own(model):
    other = models.load("efficientnet_lite0")
    other.get_layer("logits").bias.assign(np.full(1000, 9, np.float32))
    assert np.abs(np.asarray(model.get_layer("logits").bias)).max() < 5


def test_class_names():
    names = efficientnet.class_names()
    assert len(names) == 1000
    known = {
        0: "tench",
        281: "tabby",
        388: "giant panda",
        607: "jack-o'-lantern",
        967: "espresso",
        999: "toilet tissue",
    }
    assert {index: names[index].split(",")[0] for index in known} == known


def test_best_classes():
    logits = np.full(1000, -20.0)
    logits[[967, 281, 7]] = np.log([0.7, 0.2, 0.1])
    best = efficientnet.best_classes(logits, count=2)
    assert [(index, name) for index, name, _ in best] == [(967, "espresso"), (281, "tabby")]
    assert [probability for *_, probability in best] == pytest.approx([0.7, 0.2], abs=1e-4)
    with pytest.raises(ValueError, match=r"got \(1, 1000\): pass one row"):
        efficientnet.best_classes(logits[None])


def test_an_unknown_network():
    assert "efficientnet_lite0" in models.available()
    with pytest.raises(ValueError, match=r"no trained network 'resnet': choose from .*efficientnet_lite0"):
        models.load("resnet")


# ------------------------------------------------------------------------- the reader of the original file


def old_torch_file(tensors, storages):
    parts = [torch_file.MAGIC_NUMBER, 1001, {"little_endian": True}]
    content = b"".join(pickle.dumps(part, protocol=2) for part in parts)
    return (
        content
        + tensors
        + pickle.dumps(list(storages), protocol=2)
        + b"".join(len(array).to_bytes(8, "little") + array.tobytes() for array in storages.values())
    )


def tensor_pickle(key, length, shape, strides, dtype=b"FloatStorage"):
    """The pickle of {"w": tensor}, written as opcodes: the classes it names need not exist."""
    out = io.BytesIO()
    out.write(b"\x80\x02}X\x01\x00\x00\x00wctorch._utils\n_rebuild_tensor_v2\n((X\x07\x00\x00\x00storage")
    out.write(b"ctorch\n" + dtype + b"\nX" + len(key).to_bytes(4, "little") + key)
    out.write(b"X\x03\x00\x00\x00cpuK" + bytes([length]) + b"NtQK\x00")
    for numbers in (shape, strides):
        out.write(b"(" + b"".join(b"K" + bytes([number]) for number in numbers) + b"t")
    out.write(b"\x89NtRs.")
    return out.getvalue()


def test_tensors_are_read_with_their_strides():
    values = np.arange(6, dtype="<f4")
    content = old_torch_file(tensor_pickle(b"k", 6, (3, 2), (1, 3)), {"k": values})
    assert np.array_equal(torch_file.read_tensors(content)["w"], values.reshape(2, 3).T)


@pytest.mark.parametrize("payload", [zlib.compress, os.system, print])
def test_anything_but_tensors_is_refused(payload):
    class Harm:
        def __reduce__(self):
            return payload, ("",)

    content = old_torch_file(pickle.dumps({"w": Harm()}, protocol=2), {})
    with pytest.raises(pickle.UnpicklingError, match="refused"):
        torch_file.read_tensors(content)


def test_another_file_is_refused():
    with pytest.raises(pickle.UnpicklingError, match="not an old PyTorch file"):
        torch_file.read_tensors(pickle.dumps(42, protocol=2))
