"""ESRGAN: that it is the generator of the npm package, by what TensorFlow.js made of a picture there."""

import json

import keras
import numpy as np
import pytest

from course_utils import data, paths
from course_utils.image_files import load_image
from course_utils.models import esrgan

# A crop of the package's picture assets/fixture.png, and of assets/samples/gans/result.png, which its authors made of
# it with TensorFlow.js: the middle, 20 pixels from the border of the crop. MIT licence, copyright (c) 2022 Kevin Scott.
FIXTURES = paths.ROOT / "tests" / "fixtures" / "esrgan"
STORED = paths.DATA / "enlargers" / "esrgan_x4.npz"


@pytest.fixture(scope="module")
def model():
    return esrgan.esrgan()


@pytest.fixture(scope="module")
def stored():
    with np.load(STORED, allow_pickle=False) as file:
        return dict(file)


def test_it_makes_of_a_picture_what_the_package_makes_of_it(model):
    """To the rounding of 8 bits, and a little for what lies beyond the crop."""
    small = load_image(FIXTURES / "small.png")
    expected = 255 * load_image(FIXTURES / "x4.png")
    found = 255 * np.asarray(model(small[np.newaxis]))[0, 80:112, 80:112]
    assert small.shape == (48, 48, 3) and found.shape == expected.shape == (32, 32, 3)
    assert expected.std() > 80  # the crop shows something
    assert np.abs(found.clip(0, 255) - expected).max() < 1


def test_parameters_counted_by_hand(model):
    dense = sum(9 * 32 * maps * 32 + 32 for maps in range(1, 6))  # four that add maps, one that fuses them
    rest = (9 * 3 + 1) * 32 + (9 * 32 + 1) * 32 + (9 * 32 + 1) * 48 + (9 * 3 + 1) * 3
    assert model.count_params() == 10 * 3 * dense + rest == 4_176_100
    assert "4,176,100 numbers" in esrgan.untrained.__doc__


def test_the_weights_that_ship_are_bytes_and_their_scales(stored):
    assert {key: (array.dtype.kind, array.shape) for key, array in stored.items()} == {
        "levels": ("u", (4_176_100,)),
        "names": ("U", (308,)),
        "scales": ("f", (308,)),
        "minima": ("f", (308,)),
    }
    assert stored["levels"].dtype == np.uint8 and STORED.stat().st_size < 4_200_000


def test_each_array_spans_its_own_range(model, stored):
    """Level 0 is the minimum, and 255 the largest number of an array, wherever it lies among the others."""
    weights = {variable.path: np.asarray(variable) for variable in model.network.weights}
    names, scales, minima = stored["names"], stored["scales"], stored["minima"]
    for name, scale, minimum in zip(names, scales, minima, strict=True):
        np.testing.assert_allclose(weights[name].min(), minimum, rtol=1e-6)
        np.testing.assert_allclose(weights[name].max(), 255 * scale + minimum, rtol=1e-5)
    kernel = np.asarray(model.network.get_layer(names[0].split("/")[0]).kernel).ravel()
    assert kernel[7] == np.float32(stored["levels"][7] * scales[0] + minima[0])


@pytest.mark.parametrize("size", [(1, 1), (5, 7)])
def test_any_size(model, size):
    enlarged = model(np.full((2, *size, 3), 0.5, np.float32))
    assert enlarged.shape == (2, 4 * size[0], 4 * size[1], 3)
    assert keras.backend.standardize_dtype(enlarged.dtype) == "float32"


def test_so_wide_an_overlap_is_enough_for_tiles(model):
    """The receptive field is far wider; black and white beyond the overlap moves no result by half a level."""
    picture = data.photograph("chelsea")[np.newaxis, 100:104, 60 : 69 + 2 * esrgan.OVERLAP]
    changed = picture.copy()
    changed[:, :, :4], changed[:, :, -4:] = 1, 0
    middle = slice(4 * (4 + esrgan.OVERLAP), -4 * (4 + esrgan.OVERLAP))
    before, after = (np.asarray(model(pictures))[0] for pictures in (picture, changed))
    assert np.abs(after - before)[:, :16].max() > 0.1
    assert np.abs(after - before)[:, middle].max() < 0.5 / 255


def test_other_arrays_are_refused(stored):
    network = esrgan.untrained()
    with pytest.raises(ValueError, match=r"got 308 arrays of 4,176,099 numbers, expected 308 of 4,176,100"):
        esrgan.fill(network, **stored | {"levels": stored["levels"][1:]})
    with pytest.raises(ValueError, match="with the names of the network's weights"):
        esrgan.fill(network, **stored | {"names": np.char.replace(stored["names"], "SR", "RS")})


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((1, 8, 8, 1), np.float32), r"expected pictures \(n, height, width, 3\), got shape \(1, 8, 8, 1\)"),
        (np.full((1, 8, 8, 3), 200.0, np.float32), "divide by 255"),
        (np.full((1, 8, 8, 3), np.nan, np.float32), "NaN"),
        (np.zeros((1, 0, 8, 3), np.float32), "without a pixel"),
    ],
)
def test_other_pictures_are_refused(model, images, message):
    with pytest.raises(ValueError, match=message):
        model(images)


def test_the_record_says_where_it_comes_from():
    record = json.loads(STORED.with_suffix(".json").read_text(encoding="utf-8"))
    assert record["licence"] == "MIT" and record["file"] == "enlargers/esrgan_x4.npz"
    assert "idealo" in record["author"] and "Apache-2.0" in record["history"][1]
    assert "discriminator" in record["history"][2]
    assert "Copyright (c) 2022 Kevin Scott (enlargers/)" in (paths.DATA / "licences" / "MIT.txt").read_text()
