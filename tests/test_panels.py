"""The kernel playground, driven without a browser."""

import io

import ipywidgets
import numpy as np
import pytest
import scipy.ndimage
from PIL import Image

from course_utils import panels

KERNELS = {"identity": np.array([[0, 0, 0], [0, 1, 0], [0, 0, 0]]), "blur": np.ones((3, 3)) / 9}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1", [[1]]),
        ("-1 0 1", [[-1, 0, 1]]),
        ("0, 1; 1/2, -.5", [[0, 1], [0.5, -0.5]]),
        ("1 2\n\n3 4\n", [[1, 2], [3, 4]]),
        ("1e-2 +3", [[0.01, 3]]),
        ("-1/9 1000000", [[-1 / 9, 1e6]]),
    ],
)
def test_kernels_are_read_as_people_type_them(text, expected):
    assert np.allclose(panels.parse_kernel(text), expected)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no numbers yet"),
        (" ; \n", "no numbers yet"),
        ("1 2; 3", "rows of"),
        ("1 two", "'two' is not a number"),
        ("1/0 2", "'1/0' is not a number"),
        ("nan 1", "'nan' is not a number"),
        ("inf", "'inf' is not a number"),
        ("1/ 2", "'1/' is not a number"),
        ("1/2/3", "'1/2/3' is not a number"),
        ("1e30000000", "'1e30000000' is not a number from -1,000,000 to 1,000,000"),
        ("1 -1e30", "'-1e30' is not a number from -1,000,000"),
        ("9" * 10_000, "'9{40}' is not a number"),
    ],
)
def test_what_is_not_a_kernel_is_told(text, message):
    with pytest.raises(ValueError, match=message):
        panels.parse_kernel(text)


def test_a_written_kernel_is_read_back():
    kernel = np.array([[0.25, -1, 0], [1e-3, 2, 3]])
    assert np.allclose(panels.parse_kernel(panels.format_kernel(kernel)), kernel)


@pytest.fixture
def playground():
    picture = np.random.default_rng(0).random((20, 30)).astype(np.float32)
    controls, pictures = panels.kernel_playground(picture, KERNELS).children
    settings, text = controls.children
    choice, strength, signed, message = settings.children
    before, after = pictures.children
    return picture, choice, text, strength, signed, message, before, after


def _pixels(image: ipywidgets.Image) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(image.value))) / 255


def test_choosing_and_typing_change_the_picture(playground):
    picture, choice, text, strength, signed, message, before, after = playground
    assert np.array_equal(_pixels(before), _pixels(after))
    choice.value = "blur"
    assert np.abs(_pixels(after) - scipy.ndimage.uniform_filter(picture, 3)).max() < 0.01
    text.value = "-1 0 1"
    signed.value = True
    expected = (0.5 + scipy.ndimage.correlate1d(picture, [-1, 0, 1], axis=1) / 2).clip(0, 1)
    assert np.abs(_pixels(after) - expected).max() < 0.01
    assert message.value == "1 × 3, the weights add up to 0"
    strength.value = 0
    assert np.abs(_pixels(after) - 0.5).max() < 0.01


def test_a_typing_mistake_is_told_and_the_picture_stays(playground):
    _, _, text, _, _, message, _, after = playground
    was = after.value
    text.value = "1 2; x"
    assert "Not a kernel: rows of" in message.value
    assert after.value == was


@pytest.fixture
def explorer():
    """An explorer whose picture is 3 x 2 pixels of the values of z0 to z5, half of each plus a half."""

    def decode(latents):
        return (0.5 + latents.reshape(1, 3, 2, 1) / 2).clip(0, 1)

    start = np.array([0.0, 0.5, -0.5, 1, -1, 0.2])
    settings, picture = panels.latent_explorer(decode, start, (1, 4), reach=2.0).children
    return start, *settings.children, picture


def _small(image_widget):
    return np.asarray(Image.open(io.BytesIO(image_widget.value)))[::10, ::10] / 255


def test_the_explorer_starts_at_its_start(explorer):
    start, first, second, _, picture = explorer
    assert (first.value, second.value) == (0.5, -1)
    np.testing.assert_allclose(_small(picture), (0.5 + start / 2).reshape(3, 2), atol=0.01)


def test_a_slider_moves_its_latent_number_and_the_button_goes_back(explorer):
    start, _, second, back, picture = explorer
    second.value = 0.6
    moved = start.copy()
    moved[4] = 0.6
    np.testing.assert_allclose(_small(picture), (0.5 + moved / 2).reshape(3, 2), atol=0.01)
    back.click()
    np.testing.assert_allclose(_small(picture), (0.5 + start / 2).reshape(3, 2), atol=0.01)


def test_the_explorer_refuses_latent_numbers_that_are_not_there():
    with pytest.raises(ValueError, match=r"latent numbers 0 to 2, got \[3\]"):
        panels.latent_explorer(lambda latents: np.zeros((1, 2, 2, 1)), np.zeros(3), [3])
