"""ESRGAN-slim: that it is the network of the npm package, by what TensorFlow.js made of a picture there."""

import json
import re

import h5py
import keras
import numpy as np
import pytest

from course_utils import data, degrade, paths, scoring
from course_utils.image_files import load_image
from course_utils.models import esrgan_slim

# A crop of the package's picture assets/fixture.png, and of assets/samples/2x and 4x, which its authors made of it with
# TensorFlow.js: without the pixels that see beyond the crop. MIT licence, copyright (c) 2022 Kevin Scott.
FIXTURES = paths.ROOT / "tests" / "fixtures" / "esrgan_slim"


@pytest.fixture(scope="module", params=esrgan_slim.SCALES)
def scale(request):
    return request.param


@pytest.fixture(scope="module")
def model(scale):
    return esrgan_slim.esrgan_slim(scale)


def test_it_makes_of_a_picture_what_the_package_makes_of_it(model, scale):
    """To the rounding of 8 bits: half a level, and a little for float16."""
    small = load_image(FIXTURES / "small.png")
    expected = 255 * load_image(FIXTURES / f"x{scale}.png")
    inside = slice(scale * esrgan_slim.REACH, scale * (32 - esrgan_slim.REACH))
    found = 255 * np.asarray(model(small[np.newaxis]))[0, inside, inside]
    assert small.shape == (32, 32, 3) and found.shape == expected.shape == (12 * scale, 12 * scale, 3)
    assert np.ptp(expected) > 100  # the crop shows something
    assert np.abs(found.clip(0, 255) - expected).max() < 0.7


def test_parameters_counted_by_hand(model, scale):
    block = (9 * 64 * 4 + 4) + (68 * 64 + 64)
    deep = (9 * 3 + 1) * 64 + (9 * 64 + 1) * 64 + 2 * block + (128 + 1) * 64 + (9 * 64 + 1) * 64
    last = 3 * scale**2
    enlarging = (25 * 64 + 1) * 64 + (9 * 64 + 1) * 32 + (9 * 32 + 1) * last + (9 * last + 1) * 3
    assert model.count_params() == deep + enlarging
    assert re.search(
        f"{deep + enlarging:,} numbers for scale {scale}|and {deep + enlarging:,}", esrgan_slim.untrained.__doc__
    )


def test_the_weights_that_ship_are_float16_and_no_more(scale):
    kinds = []
    with h5py.File(paths.DATA / "enlargers" / f"esrgan_slim_x{scale}.weights.h5") as file:
        file.visititems(lambda _, item: kinds.append(item.dtype) if isinstance(item, h5py.Dataset) else None)
    assert kinds == [np.float16] * 24  # twelve kernels and their biases


@pytest.mark.parametrize("size", [(1, 1), (5, 7), (32, 33)])
def test_any_size(model, scale, size):
    enlarged = model(np.full((2, *size, 3), 0.5, np.float32))
    assert enlarged.shape == (2, scale * size[0], scale * size[1], 3)
    assert keras.backend.standardize_dtype(enlarged.dtype) == "float32"


def test_grey_stays_about_as_bright(model):
    """Were pixels taken for 0 to 1 inside, biases of a few levels would be seen; the border is padded with black."""
    enlarged = np.asarray(model(np.full((1, 40, 40, 3), 0.5, np.float32)))
    middle = slice(enlarged.shape[1] // 2 - 8, enlarged.shape[1] // 2 + 8)
    np.testing.assert_allclose(enlarged[0, middle, middle], 0.5, atol=0.015)


def test_a_result_looks_as_far_as_reach_says(model, scale):
    """The overlap that tiles need: a pixel that far away moves some pixel of the result, one beyond it moves none."""
    picture = data.photograph("chelsea")[np.newaxis, 100:101, 100:141].repeat(41, axis=1)
    before = np.asarray(model(picture))[0, 20 * scale : 21 * scale, 20 * scale : 21 * scale]
    for distance, moves in ((esrgan_slim.REACH, True), (esrgan_slim.REACH + 1, False)):
        changed = picture.copy()
        changed[:, 20 - distance], changed[:, 20 + distance] = 1, 0
        after = np.asarray(model(changed))[0, 20 * scale : 21 * scale, 20 * scale : 21 * scale]
        assert (np.abs(after - before).max() > 1e-6) == moves


def test_inner_pixels_of_each_square_are_equal_at_x4():
    """The cause of the grid in its pictures; those of another square differ."""
    enlarged = np.asarray(esrgan_slim.esrgan_slim(4)(data.photograph("chelsea")[np.newaxis, 100:116, 100:116]))[0]
    squares = enlarged.reshape(16, 4, 16, 4, 3)
    np.testing.assert_allclose(np.ptp(squares[:, 1:3, :, 1:3], axis=(1, 3)), 0, atol=1e-6)
    assert np.median(np.ptp(squares, axis=(1, 3))) > 0.01


def test_it_is_scored_in_colour_and_in_grey(model, scale):
    photo = data.photograph("chelsea")[:96, :96]
    pictures = {"colour": photo, "grey": photo.mean(axis=-1, keepdims=True)}
    scores = scoring.score(model, f"sr_x{scale}", pictures)
    assert (scores.psnr > 24).all()
    small = degrade.PROTOCOLS[f"sr_x{scale}"](photo, 0)
    mirrored = scoring.score(lambda _: np.asarray(model(small[np.newaxis, :, ::-1]))[0], f"sr_x{scale}", {"a": photo})
    assert scores.psnr[0] > mirrored.psnr[0] + 5


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((1, 8, 8, 1), np.float32), r"expected pictures \(n, height, width, 3\), got shape \(1, 8, 8, 1\)"),
        (np.zeros((8, 8, 3), np.float32), r"add the first axis with picture\[np.newaxis\]"),
        (np.full((1, 8, 8, 3), 200.0, np.float32), "divide by 255"),
        (np.zeros((1, 8, 8, 3), np.uint8), "divide by 255"),
        (np.full((1, 8, 8, 3), np.nan, np.float32), "NaN"),
        (np.zeros((1, 0, 8, 3), np.float32), "without a pixel"),
    ],
)
def test_other_pictures_are_refused(model, images, message):
    with pytest.raises(ValueError, match=message):
        model(images)


@pytest.mark.parametrize("wrong", [3, 8, "x2"])
def test_other_scales_are_refused(wrong):
    with pytest.raises(ValueError, match=f"scale must be 2 or 4, got {wrong!r}"):
        esrgan_slim.esrgan_slim(wrong)


def test_the_record_says_what_it_is_and_what_it_is_not(scale):
    record = json.loads((paths.DATA / "enlargers" / f"esrgan_slim_x{scale}.json").read_text(encoding="utf-8"))
    assert record["licence"] == "MIT" and record["file"] == f"enlargers/esrgan_slim_x{scale}.weights.h5"
    assert "residual dense network" in record["history"][0] and "losses are not named" in record["history"][1]
    assert "Copyright (c) 2022 Kevin Scott (enlargers/)" in (paths.DATA / "licences" / "MIT.txt").read_text()
