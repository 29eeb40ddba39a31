"""Figures leave a cell as a picture with a description, in the house's scale."""

import base64
import io

import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image

from course_utils import figures


@pytest.fixture
def shown(monkeypatch):
    """What `show` hands to the notebook."""
    bundles = []
    monkeypatch.setattr(figures, "display", lambda bundle, raw: bundles.append(bundle))
    return bundles


def _decode(bundle) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(bundle["text/html"].split("base64,")[1].split('"')[0])))


def test_a_picture_is_stored_once_and_carries_its_description(shown):
    figure, _ = plt.subplots(figsize=(4, 2))
    figures.show(figure, alt='A "quoted" <tag> & an empty plot')
    (bundle,) = shown
    assert bundle.keys() == {"text/html", "text/plain"}
    assert bundle["text/plain"] == 'A "quoted" <tag> & an empty plot'
    assert bundle["text/html"].count("base64,") == 1
    assert 'alt="A &quot;quoted&quot; &lt;tag&gt; &amp; an empty plot"' in bundle["text/html"]
    assert _decode(bundle).size == (576, 288)  # half as many pixels again as it is shown with
    assert "width: 384px" in bundle["text/html"]
    assert not plt.fignum_exists(figure.number)


def test_the_same_figure_is_the_same_to_the_byte(shown):
    for _ in range(2):
        figures.images([np.linspace(0, 1, 3000).reshape(50, 60)], ["a ramp"], alt="A ramp")
    assert shown[0] == shown[1]


@pytest.mark.parametrize("alt", ["", "  \n"])
def test_a_picture_without_description_is_refused(alt):
    with pytest.raises(ValueError, match="alt="):
        figures.show(plt.figure(), alt=alt)


@pytest.mark.parametrize("shape", [(3, 5), (3, 5, 1), (3, 5, 3), (1, 1), (1, 1, 3)])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_images_take_grey_and_colour_of_any_float(shown, shape, dtype):
    figures.images(np.ones((2, *shape), dtype), ["one", "two"], alt="Two white pictures")
    assert len(shown) == 1


def test_images_share_one_scale_from_black_to_white(shown):
    dim = np.full((4, 4), 0.25)
    figures.images([dim, dim + 0.5], alt="A dark and a light square")
    pixels = np.asarray(_decode(shown[0]).convert("L"))
    middle = pixels[pixels.shape[0] // 2]
    assert abs(int(middle[len(middle) // 4]) - 64) <= 2
    assert abs(int(middle[3 * len(middle) // 4]) - 191) <= 2


def test_a_picture_with_more_pixels_than_the_page_is_averaged(shown):
    stripes = np.tile([0.0, 1.0], (90, 500))
    figures.images([stripes[:, :8], stripes], alt="Eight stripes, and a thousand", size=2)
    pixels = np.asarray(_decode(shown[0]).convert("L")).astype(int)
    coarse, fine = np.array_split(pixels[pixels.shape[0] // 2], 2)
    assert (np.isin(coarse, (0, 255))).mean() > 0.95
    assert np.abs(fine[20:-20] - 128).max() < 40


def test_a_choice_of_interpolation_is_kept(shown):
    figure, axes = plt.subplots()
    figures.draw_image(axes, np.eye(900), interpolation="bilinear")
    figures.show(figure, alt="A diagonal")
    assert axes.images[0].get_interpolation() == "bilinear"


def test_images_name_what_is_wrong():
    with pytest.raises(ValueError, match="no pictures"):
        figures.images(np.zeros((0, 4, 4)), alt="Nothing")
    with pytest.raises(ValueError, match="2 pictures and 1 titles"):
        figures.images(np.zeros((2, 4, 4)), ["one"], alt="Two")


def test_colours_outside_the_range_are_clipped_rather_than_warned_about(shown, recwarn):
    figures.images([np.full((2, 2, 3), 1.5), np.full((2, 2, 3), -0.5)], alt="White and black")
    assert not recwarn.list


@pytest.mark.parametrize("shape", [(4, 4), (4, 4, 1), (4, 4, 3)])
def test_bytes_are_refused_since_all_would_be_white(shape):
    with pytest.raises(ValueError, match=r"expected a picture in \[0, 1\], got uint8 up to 200.*by 255"):
        figures.images([np.full(shape, 200, np.uint8)], alt="A light square")
    with pytest.raises(ValueError, match="got uint8 up to 200"):
        figures.animate(np.full((2, 1, 4, 4, 3), 200, np.uint8), columns=1, alt="A light square")
    plt.close("all")


def test_whole_numbers_are_drawn_on_a_scale_of_their_own(shown):
    counts = np.array([[0, 51], [102, 255]], np.uint8)
    figures.images([counts], vmax=255, alt="Four squares")
    figures.images([counts / 255], alt="Four squares")
    figures.images([(counts > 60).astype(np.uint8)], alt="Two squares")  # 0 and 1 mean the same as floats
    assert shown[0] == shown[1] != shown[2]


def test_a_rendered_figure_has_the_size_asked_for_and_is_closed():
    figure = plt.figure(figsize=(2, 1))
    image = figures.render(figure, per_inch=50)
    assert (image.mode, image.size) == ("RGB", (100, 50))
    assert not plt.fignum_exists(figure.number)


def test_grid_takes_out_the_spare_axes():
    figure, axes = figures.grid(5, columns=3)
    assert len(axes) == len(figure.axes) == 5
    plt.close(figure)


def test_numbers_are_written_without_a_negative_zero():
    figure, axes = plt.subplots()
    figures.draw_numbers(axes, np.array([[-0.0, -0.2], [1.0, -2.0]]), digits=0)
    assert [text.get_text() for text in axes.texts] == ["0", "0", "1", "-2"]
    plt.close(figure)


def test_an_animation_holds_every_frame_pixel_by_pixel(shown):
    frames = np.zeros((3, 4, 2, 2, 1))
    frames[1, 2] = 1  # in the second frame the first picture of the second row is white
    figures.animate(frames, columns=2, scale=3, frames_per_second=10, alt="A square that blinks")
    (bundle,) = shown
    assert bundle["text/plain"] == "A square that blinks" and 'alt="A square that blinks"' in bundle["text/html"]
    moving = _decode(bundle)
    assert moving.size == (12, 12) and not np.asarray(moving).any()
    assert moving.n_frames == 3 and moving.info["loop"] == 0
    moving.seek(1)
    pixels = np.asarray(moving.convert("L")).astype(int)
    assert pixels[7:11, 1:5].min() > 240 and pixels[:5].max() < 15 and pixels[7:11, 7:].max() < 15
    with pytest.raises(ValueError, match="multiple of columns=3, got"):
        figures.animate(frames, columns=3, alt="A square")
    with pytest.raises(ValueError, match="alt="):
        figures.animate(frames, columns=2, alt=" ")


def test_a_sheet_keeps_pictures_in_reading_order():
    pictures = np.arange(6 * 2 * 3).reshape(6, 2, 3, 1)
    sheet = figures.sheet(pictures, columns=3)
    assert sheet.shape == (4, 9, 1)
    np.testing.assert_array_equal(sheet[2:, 3:6], pictures[4])
    with pytest.raises(ValueError, match="6 pictures do not fill rows of 4"):
        figures.sheet(pictures, columns=4)
