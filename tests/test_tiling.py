"""Pictures in tiles against the same pictures at once."""

import itertools
import os
import subprocess
import sys

import keras
import numpy as np
import pytest
from keras import layers

from course_utils import paths, tiling
from course_utils.tiling import restore_tiled

PICTURE = np.random.default_rng(0).random((75, 90, 3), dtype=np.float32)


class Watched(layers.Layer):
    """Changes nothing and notes each shape it is compiled for."""

    def __init__(self):
        super().__init__()
        self.shapes = []

    def call(self, images):
        self.shapes.append(tuple(images.shape))
        return images


class Mirrored(layers.Layer):
    """A convolution that mirrors the picture at its border."""

    def build(self, shape):
        self.convolution = layers.Conv2D(shape[-1], 3, padding="valid")
        self.convolution.build(shape)

    def call(self, images):
        return self.convolution(keras.ops.pad(images, [[0, 0], [1, 1], [1, 1], [0, 0]], mode="reflect"))


def network(*hidden: layers.Layer, channels: int = 3, shape: tuple = (None, None)) -> keras.Model:
    keras.utils.set_random_seed(0)
    inputs = layers.Input((*shape, channels))
    x = inputs
    for layer in hidden:
        x = layer(x)
    return keras.Model(inputs, x)


def convolution(channels: int, **options) -> layers.Layer:
    return layers.Conv2D(channels, 3, padding="same", bias_initializer="glorot_normal", **options)


def plain() -> keras.Model:
    """It sees 4 pixels far, and pads with zeros, which the biases make visible."""
    return network(*(convolution(6, activation="relu") for _ in range(3)), convolution(3))


def at_once(model: keras.Model, picture: np.ndarray) -> np.ndarray:
    return keras.ops.convert_to_numpy(model(picture[np.newaxis]))[0]


@pytest.mark.parametrize("size", [(75, 90), (24, 24), (25, 24), (10, 75), (23, 25), (40, 41), (1, 5)])
@pytest.mark.parametrize(("tile", "overlap"), [(24, 4), (9, 4), (20, 6), (64, 4)])
def test_tiles_leave_no_seam_and_keep_the_border(size, tile, overlap):
    model, picture = plain(), PICTURE[: size[0], : size[1]]
    restored = restore_tiled(model, picture, tile=tile, overlap=overlap, progress=False)
    assert restored.dtype == np.float32
    np.testing.assert_allclose(restored, at_once(model, picture), atol=1e-6)


def test_too_little_overlap_leaves_seams_where_tiles_meet():
    model = plain()
    restored = restore_tiled(model, PICTURE, tile=24, overlap=3, progress=False)
    error = np.abs(restored - at_once(model, PICTURE)).max(axis=(1, 2))
    assert error.max() > 1e-4
    spans = tiling._spans(75, 24, 18, 3)
    beside = {row for span in spans[1:] for row in (span.low - 1, span.low)}
    assert set(np.flatnonzero(np.abs(restored - at_once(model, PICTURE))[:, 8:12].max(axis=(1, 2)) > 1e-5)) <= beside


def test_each_pixel_comes_from_inside_one_tile():
    for length in (30, 31, 55, 100):
        spans = tiling._spans(length, 30, 14, 8)
        assert spans[0].low == 0 and spans[-1].high == length
        for span, following in itertools.pairwise(spans):
            assert span.high == following.low
            assert following.low - following.start >= 8 and span.start + 30 - span.high >= 8
        assert all(0 <= span.start <= length - 30 for span in spans)


def test_a_network_that_mirrors_the_border_is_matched_too():
    model = network(Mirrored(), layers.ReLU(), Mirrored())
    restored = restore_tiled(model, PICTURE, tile=16, overlap=2, progress=False)
    np.testing.assert_allclose(restored, at_once(model, PICTURE), atol=1e-6)


@pytest.mark.parametrize("scale", [2, 3])
def test_super_resolution_in_tiles(scale):
    model = network(
        convolution(6, activation="relu"),
        layers.UpSampling2D(scale),
        convolution(6, activation="relu"),
        layers.Conv2D(3, 1),
    )
    restored = restore_tiled(model, PICTURE, tile=20, overlap=2, scale=scale, progress=False)
    assert restored.shape == (75 * scale, 90 * scale, 3)
    np.testing.assert_allclose(restored, at_once(model, PICTURE), atol=1e-6)


@pytest.mark.parametrize("size", [(75, 90), (72, 88), (6, 50), (33, 7)])
def test_a_network_that_halves_pictures_gets_multiples(size):
    """As the picture mirrored up to a multiple of 4, at once, and cut back."""
    model = network(
        convolution(4, activation="relu"),
        layers.Conv2D(6, 2, strides=2, activation="relu"),
        layers.Conv2D(6, 2, strides=2, activation="relu"),
        convolution(6, activation="relu"),
        layers.UpSampling2D(4),
        convolution(3),
    )
    picture = PICTURE[: size[0], : size[1]]
    mirrored = np.pad(picture, [(0, -size[0] % 4), (0, -size[1] % 4), (0, 0)], mode="symmetric")
    expected = at_once(model, mirrored)[: size[0], : size[1]]
    restored = restore_tiled(model, picture, tile=32, overlap=9, multiple=4, progress=False)
    np.testing.assert_allclose(restored, expected, atol=1e-6)


def test_other_channels_in_and_out():
    model = network(convolution(5, activation="relu"), convolution(1), channels=4)
    picture = np.concatenate([PICTURE, PICTURE[..., :1]], axis=-1)
    restored = restore_tiled(model, picture, tile=30, overlap=2, progress=False)
    assert restored.shape == (75, 90, 1)
    np.testing.assert_allclose(restored, at_once(model, picture), atol=1e-6)


def test_one_shape_is_compiled_for_all_tiles(monkeypatch):
    monkeypatch.setattr(tiling, "_BATCH_PIXELS", 7 * 24 * 24)  # 30 tiles: the last batch is filled up
    watched = Watched()
    model = network(watched, convolution(3))
    watched.shapes.clear()
    restored = restore_tiled(model, PICTURE, tile=24, overlap=4, progress=False)
    assert set(watched.shapes) == {(7, 24, 24, 3)}
    np.testing.assert_allclose(restored, at_once(model, PICTURE), atol=1e-6)


def test_the_picture_is_left_as_it_was_and_noise_may_leave_0_to_1():
    picture = PICTURE * 1.5 - 0.3
    picture.flags.writeable = False
    kept = picture.copy()
    restored = restore_tiled(network(layers.Identity()), picture, tile=16, overlap=0, progress=False)
    np.testing.assert_array_equal(restored, kept)
    np.testing.assert_array_equal(picture, kept)


def test_the_bar_counts_all_tiles(capsys):
    model = network(layers.Identity())
    restore_tiled(model, PICTURE, tile=30, overlap=5, progress=False)
    assert capsys.readouterr().err == ""
    restore_tiled(model, PICTURE, tile=30, overlap=5)
    assert "/16 " in capsys.readouterr().err


BAD = {
    "batch": ({"picture": PICTURE[np.newaxis]}, "expected one picture"),
    "grey": ({"picture": PICTURE[..., 0]}, "expected one picture"),
    "empty": ({"picture": PICTURE[:0]}, "expected one picture"),
    "bytes": ({"picture": np.uint8(PICTURE * 255)}, "uint8: divide by 255"),
    "0-255": ({"picture": PICTURE * 255}, "to 255: divide by 255"),
    "NaN": ({"picture": np.where(PICTURE.max() == PICTURE, np.nan, PICTURE)}, "NaN"),
    "overlap": ({"overlap": 12}, "leaves 0 in the middle"),
    "negative overlap": ({"overlap": -1}, "overlap 0 or more"),
    "multiple": ({"multiple": 16}, "multiple of 16, got 24: take 32"),
    "channels": ({"picture": PICTURE[..., :2]}, r"the model takes pictures \(None, None, 3\)"),
    "scale": ({"scale": 2}, "expected 48x48 pixels with scale=2"),
    "fixed size": ({"model": network(layers.Identity(), shape=(32, 32))}, "choose another tile"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_does_not_fit_is_refused(name):
    options, message = BAD[name]
    call = {"model": network(layers.Identity()), "picture": PICTURE, "tile": 24, "overlap": 4} | options
    with pytest.raises(ValueError, match=message):
        restore_tiled(call.pop("model"), call.pop("picture"), progress=False, **call)


MEMORY = """
import pathlib, re, resource, sys
import keras, numpy as np
from course_utils.tiling import restore_tiled
inputs = keras.layers.Input((None, None, 3))
x = keras.layers.Conv2D(16, 3, strides=2, padding="same", activation="relu")(inputs)  # at half size, for speed
for _ in range(2):
    x = keras.layers.Conv2D(16, 3, padding="same", activation="relu")(x)
outputs = keras.layers.Conv2DTranspose(3, 4, strides=4)(x)
model = keras.Model(inputs, outputs)
model.compile(jit_compile=False)  # that would take longer than the tiles
picture = np.random.default_rng(0).random((3000, 4000, 3), dtype=np.float32)
restored = restore_tiled(model, picture, tile=256, overlap=16, scale=2, multiple=2, progress=False)
assert restored.shape == (6000, 8000, 3) and np.isfinite(restored[::97, ::89]).all()
if sys.platform == "linux":  # where getrusage counts what the parent held before it started this process
    peak = 2**10 * int(re.search(r"VmHWM:\\s+(\\d+)", pathlib.Path("/proc/self/status").read_text())[1])
else:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(peak / 2**30)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no getrusage")
def test_twelve_megapixels_doubled_take_less_than_2_gigabytes():
    environment = {**os.environ, "PYTHONPATH": str(paths.ROOT)}
    command = [sys.executable, "-c", MEMORY]
    run = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=500)
    assert run.returncode == 0, run.stderr[-3000:]
    assert float(run.stdout.split()[-1]) < 2 * 1e9 / 2**30
