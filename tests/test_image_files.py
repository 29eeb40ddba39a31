"""`load_image`: every usual kind of image file against the array it was made from, and the rest refused in words."""

import io
import struct
import tracemalloc
import warnings
import zlib

import numpy as np
import pytest
from PIL import Image

from course_utils.image_files import MAX_PIXELS, as_image, encoded, load_image, sheet, tiles

PIXELS = np.random.default_rng(1).integers(0, 256, (5, 7, 3), np.uint8)  # odd sides, no symmetry
GREY = PIXELS[..., 0]


def save(array, path, mode=None, **options):
    Image.fromarray(array, mode).save(path, **options) if mode else Image.fromarray(array).save(path, **options)
    return path


def png(path, width, height, depth=8, colour=2, rows=b""):
    """A PNG written by hand: colour 2 is RGB, 0 grey."""

    def chunk(kind, content):
        body = kind + content
        return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    )
    return path


@pytest.mark.parametrize(
    "name, options", [("a.png", {}), ("a.webp", {"lossless": True}), ("a.bmp", {}), ("a.tiff", {})]
)
def test_lossless_files_come_back_exactly(tmp_path, name, options):
    image = load_image(save(PIXELS, tmp_path / name, **options))
    assert image.dtype == np.float32 and image.shape == (5, 7, 3)
    assert np.array_equal(image, PIXELS.astype(np.float32) / np.float32(255))
    assert image.flags.writeable  # the user's own picture, not a shared one


@pytest.mark.parametrize("name", ["a.jpg", "a.webp"])
def test_lossy_files_come_back_nearly(tmp_path, name):
    image = load_image(save(np.full((16, 24, 3), (200, 100, 50), np.uint8), tmp_path / name, quality=95))
    assert np.abs(image - np.array([200, 100, 50]) / 255).max() < 0.02


TURNED = {
    1: PIXELS,
    2: PIXELS[:, ::-1],
    3: PIXELS[::-1, ::-1],
    4: PIXELS[::-1],
    5: PIXELS.transpose(1, 0, 2),
    6: np.rot90(PIXELS, -1),
    7: PIXELS[::-1, ::-1].transpose(1, 0, 2),
    8: np.rot90(PIXELS, 1),
}


@pytest.mark.parametrize("orientation", TURNED)
def test_the_rotation_a_camera_noted_is_applied(tmp_path, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = load_image(save(PIXELS, tmp_path / "a.png", exif=exif))
    assert np.array_equal(np.rint(image * 255), TURNED[orientation])


def test_rotation_of_a_jpeg(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    assert load_image(save(np.zeros((8, 24, 3), np.uint8), tmp_path / "a.jpg", exif=exif)).shape == (24, 8, 3)


def test_grey_becomes_three_equal_channels(tmp_path):
    image = load_image(save(GREY, tmp_path / "a.png"))
    assert np.array_equal(image, np.repeat(GREY[..., None] / np.float32(255), 3, axis=2))


def test_one_bit(tmp_path):
    Image.fromarray(GREY > 127).save(tmp_path / "a.png")
    assert np.array_equal(load_image(tmp_path / "a.png")[..., 1], (GREY > 127).astype(np.float32))


def test_one_pixel(tmp_path):
    image = load_image(save(np.array([[[255, 0, 51]]], np.uint8), tmp_path / "a.png"), size=(3, 2))
    assert image.shape == (3, 2, 3)
    assert np.allclose(image, [1, 0, 0.2], atol=1e-6)


@pytest.mark.parametrize("background", [1.0, 0.0, (0.2, 0.4, 0.6)])
@pytest.mark.parametrize("name", ["a.png", "a.webp"])
def test_alpha_is_blended_with_the_background(tmp_path, background, name):
    alpha = np.arange(35, dtype=np.uint8).reshape(5, 7, 1) * 7
    options = {"lossless": True, "exact": True} if name.endswith("webp") else {}
    path = save(np.concatenate([PIXELS, alpha], axis=2), tmp_path / name, **options)
    expected = (PIXELS / 255) * (alpha / 255) + np.array(background) * (1 - alpha / 255)
    assert np.allclose(load_image(path, background=background), expected, atol=1e-6)


def test_transparent_is_white_by_default(tmp_path):
    assert (load_image(save(np.zeros((2, 2, 4), np.uint8), tmp_path / "a.png")) == 1).all()


@pytest.mark.parametrize(
    "background", ["white", "0.5", None, 255, -0.1, np.nan, True, (1, 0), (255, 0, 0), [1, [0, 0]], ("1", "1", "1")]
)
def test_what_is_no_colour_is_refused_even_where_nothing_is_transparent(tmp_path, background):
    path = save(PIXELS, tmp_path / "a.png")
    with pytest.raises(ValueError, match=r"background must be a grey level or an RGB colour in \[0, 1\]"):
        load_image(path, background=background)


def test_grey_with_alpha(tmp_path):
    image = Image.merge("LA", [Image.fromarray(GREY), Image.fromarray(np.full_like(GREY, 51))])
    image.save(tmp_path / "a.png")
    assert np.allclose(load_image(tmp_path / "a.png")[..., 2], GREY / 255 * 0.2 + 0.8, atol=1e-6)


@pytest.mark.parametrize("name", ["a.png", "a.gif"])
def test_palette(tmp_path, name):
    image = Image.fromarray(np.array([[0, 1], [2, 0]], np.uint8), "P")
    image.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255])
    image.save(tmp_path / name)
    assert np.array_equal(load_image(tmp_path / name), [[[1, 0, 0], [0, 1, 0]], [[0, 0, 1], [1, 0, 0]]])


@pytest.mark.parametrize("transparency", [1, bytes([255, 0, 255])])
def test_palette_with_a_transparent_entry(tmp_path, transparency):
    image = Image.fromarray(np.array([[0, 1], [2, 0]], np.uint8), "P")
    image.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255])
    image.save(tmp_path / "a.png", transparency=transparency)
    assert np.array_equal(load_image(tmp_path / "a.png")[0, 1], [1, 1, 1])
    assert np.array_equal(load_image(tmp_path / "a.png")[1, 0], [0, 0, 1])


def test_a_transparent_colour(tmp_path):
    pixels = np.array([[[10, 20, 30], [40, 50, 60]]], np.uint8)
    path = save(pixels, tmp_path / "a.png", transparency=(10, 20, 30))
    assert np.allclose(load_image(path), [[[1, 1, 1], [40 / 255, 50 / 255, 60 / 255]]])


def test_sixteen_bit_grey_keeps_its_precision(tmp_path):
    values = np.array([[0, 1, 257], [30000, 65534, 65535]], np.uint16)
    image = load_image(save(values, tmp_path / "a.png"))
    assert image.shape == (2, 3, 3)
    assert np.allclose(image[..., 0], values / 65535, rtol=0, atol=1e-7)


def test_sixteen_bit_colour(tmp_path):
    values = np.array([[[0, 32896, 65535], [257, 514, 60000]]], ">u2")
    path = png(tmp_path / "a.png", 2, 1, depth=16, rows=b"\0" + values.tobytes())
    assert np.abs(load_image(path) - values / 65535).max() <= 1 / 255


def test_cmyk(tmp_path):
    inks = np.array([[[0, 0, 0, 0], [255, 0, 0, 0], [0, 0, 0, 255]]], np.uint8)
    Image.fromarray(inks, "CMYK").save(tmp_path / "a.tiff")
    assert np.array_equal(load_image(tmp_path / "a.tiff"), [[[1, 1, 1], [0, 1, 1], [0, 0, 0]]])


def test_floating_point_grey(tmp_path):
    values = np.array([[0, 0.25], [0.5, 1]], np.float32)
    assert np.array_equal(load_image(save(values, tmp_path / "a.tiff"))[..., 0], values)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -0.1, 200.0])
def test_floating_point_out_of_range_is_refused(tmp_path, bad):
    path = save(np.array([[0, bad]], np.float32), tmp_path / "a.tiff")
    with pytest.raises(ValueError, match=r"a\.tiff holds grey levels .*expected 0 to 1"):
        load_image(path)


def test_the_first_frame_of_an_animation(tmp_path):
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "blue")]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    assert np.array_equal(load_image(tmp_path / "a.gif")[0, 0], [1, 0, 0])


# ---------------------------------------------------------------------------------------------------- size


def three_thirds(path):
    """30 high and 90 wide: a red, a green and a blue square."""
    colours = np.repeat(np.eye(3, dtype=np.uint8) * 255, 30, axis=0)
    return save(np.repeat(colours[None], 30, axis=0), path)


def test_an_int_is_a_centred_square(tmp_path):
    image = load_image(three_thirds(tmp_path / "a.png"), size=10)
    assert image.shape == (10, 10, 3)
    assert np.allclose(image[:, 3:7], [0, 1, 0], atol=1e-3)


def test_a_pair_is_height_and_width_and_nothing_is_stretched(tmp_path):
    path = three_thirds(tmp_path / "a.png")
    assert load_image(path, size=(10, 30)).shape == (10, 30, 3)
    tall = load_image(path, size=(20, 10))  # the middle 15 columns only
    assert tall.shape == (20, 10, 3)
    assert np.allclose(tall, [0, 1, 0], atol=1e-3)
    wide = load_image(path, size=(5, 60))  # the middle rows, all columns
    assert np.allclose(wide[:, [0, -1]], [[1, 0, 0], [0, 0, 1]], atol=1e-3)


def test_reducing_averages_instead_of_aliasing(tmp_path):
    checkerboard = np.indices((64, 64)).sum(0) % 2 * np.uint8(255)
    assert np.abs(load_image(save(checkerboard.astype(np.uint8), tmp_path / "a.png"), size=8) - 0.5).max() < 0.02


def lanczos(pixels, height, width, box):
    """The reference: Pillow's filter on a float32 channel of numbers from 0 to 255."""
    image = Image.fromarray(pixels.astype(np.float32))
    return np.asarray(image.resize((width, height), Image.Resampling.LANCZOS, box=box)).clip(0, 255) / 255


def test_bytes_are_resized_without_rounding_or_clipping_on_the_way(tmp_path):
    pixels = np.random.default_rng(5).integers(0, 256, (40, 60, 3), np.uint8)
    image = load_image(save(pixels, tmp_path / "a.png"), size=(30, 30))
    for channel in range(3):
        np.testing.assert_allclose(
            image[..., channel], lanczos(pixels[..., channel], 30, 30, (10, 0, 50, 40)), atol=1e-6
        )


def test_transparent_pixels_are_blended_before_the_filter_not_after(tmp_path):
    random = np.random.default_rng(6)
    pixels = random.integers(0, 256, (40, 60, 4), np.uint8)
    image = load_image(save(pixels, tmp_path / "a.png"), size=(20, 30), background=0.25)
    blended = pixels[..., 1] * (pixels[..., 3] / 255) + 0.25 * 255 * (1 - pixels[..., 3] / 255)
    np.testing.assert_allclose(image[..., 1], lanczos(blended, 20, 30, (0, 0, 60, 40)), atol=1e-6)


def test_much_larger_images_come_out_as_if_filtered_at_once(tmp_path):
    waves = np.sin(np.arange(900)[:, None] / 40) * np.cos(np.arange(1300) / 25) + np.arange(1300) / 1300
    pixels = np.interp(waves, (waves.min(), waves.max()), (0, 255)).round().astype(np.uint8)
    expected = lanczos(pixels, 24, 24, (200, 0, 1100, 900))
    np.testing.assert_allclose(load_image(save(pixels, tmp_path / "a.png"), size=24)[..., 0], expected, atol=2 / 255)
    deep = load_image(save(pixels.astype(np.uint16) * 257, tmp_path / "deep.png"), size=24)
    np.testing.assert_allclose(deep[..., 0], expected, atol=2 / 255)


@pytest.mark.parametrize(("side", "size", "most"), [(2400, 64, 2), (1600, 400, 26), (1600, None, 30)])
def test_a_large_image_takes_few_bytes_a_pixel_in_arrays(tmp_path, side, size, most):
    """RGBA as float32 would take 16 bytes a pixel, and blending three times that; RGB, as given back, takes 12."""
    path = save(np.zeros((side, side, 4), np.uint8), tmp_path / "a.png")
    tracemalloc.start()
    load_image(path, size=size)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak / side**2 < most


def test_enlarging_stays_in_range(tmp_path):
    image = load_image(save((GREY > 127).astype(np.uint8) * 255, tmp_path / "a.png"), size=(50, 70))
    assert image.shape == (50, 70, 3)
    assert image.min() >= 0 and image.max() <= 1


def test_the_own_size_changes_nothing(tmp_path):
    path = save(PIXELS, tmp_path / "a.png")
    assert np.allclose(load_image(path, size=(5, 7)), load_image(path), atol=1e-6)


@pytest.mark.parametrize("size", [0, -3, 2.5, "10", (10,), (10, 0), (1, 2, 3), (2.0, 3.0), 10**6])
def test_what_is_no_size(tmp_path, size):
    path = save(PIXELS, tmp_path / "a.png")
    with pytest.raises(ValueError, match=r"size must be an int or \(height, width\)"):
        load_image(path, size=size)


# -------------------------------------------------------------------------------------------------- refused


def test_missing(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"there is no file .*nowhere\.png"):
        load_image(tmp_path / "nowhere.png")


def test_folder(tmp_path):
    with pytest.raises(IsADirectoryError, match="is a folder, expected an image file"):
        load_image(tmp_path)


@pytest.mark.parametrize(
    "content, words",
    [
        (b"", "is empty"),
        (b"hello, this is text", "is no image"),
        (b"%PDF-1.7 and so on", "is no image"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "is no image"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "export it as JPEG"),
        (b"\x89PNG\r\n\x1a\n", "is no image"),
    ],
)
def test_other_files(tmp_path, content, words):
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(ValueError, match=words) as error:
        load_image(tmp_path / "a.png")
    assert "a.png" in str(error.value) and "PNG, JPEG" in str(error.value)


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.webp", "a.gif", "a.tiff"])
def test_cut_short(tmp_path, name):
    noise = np.random.default_rng(2).integers(0, 256, (64, 64, 3), np.uint8)
    path = save(noise, tmp_path / name)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(ValueError, match=r"broken or cut short|is no image"):
        load_image(path)


def test_a_lack_of_memory_is_no_fault_of_the_file(tmp_path, monkeypatch):
    path = save(PIXELS, tmp_path / "a.png")

    def fail(*_, **__):
        raise MemoryError

    monkeypatch.setattr(Image.Image, "load", fail)
    with pytest.raises(MemoryError):
        load_image(path)


@pytest.mark.parametrize("side", [8_000, 12_000, 40_000])  # beyond our limit, Pillow's warning and Pillow's error
def test_decompression_bombs_are_refused_unread(tmp_path, side):
    path = png(tmp_path / "bomb.png", side, side)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(ValueError, match=r"bomb\.png has more than 50 million pixels.*scale it down"):
            load_image(path)
    assert side**2 > MAX_PIXELS


def test_bombs_are_refused_where_warnings_are_errors(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ValueError, match="more than 50 million pixels"):
            load_image(png(tmp_path / "bomb.png", 12_000, 12_000))


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.webp", "a.gif", "a.tiff", "a.bmp"])
def test_damaged_bytes_give_an_image_or_a_clear_error(tmp_path, name):
    random = np.random.default_rng(3)
    path = save(random.integers(0, 256, (20, 20, 3), np.uint8), tmp_path / name)
    whole = np.frombuffer(path.read_bytes(), np.uint8)
    for _ in range(60):
        damaged = whole.copy()
        damaged[random.integers(0, len(whole), 8)] = random.integers(0, 256, 8)
        path.write_bytes(damaged.tobytes())
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                image = load_image(path)
            except ValueError as error:
                assert name in str(error)
            else:
                assert image.dtype == np.float32 and image.ndim == 3 and 0 <= image.min() <= image.max() <= 1


# -------------------------------------------------------------------------------------------- arrays to images


@pytest.mark.parametrize("shape", [(2, 3), (2, 3, 1), (2, 3, 3)])
def test_arrays_become_images(shape):
    picture = np.linspace(-0.5, 1.5, np.prod(shape)).reshape(shape)
    image = as_image(picture, scale=4)
    assert (image.mode, image.size) == ("RGB" if shape[2:] == (3,) else "L", (12, 8))
    expected = np.round(picture.clip(0, 1) * 255).squeeze()
    for row, column in np.ndindex(8, 12):
        np.testing.assert_array_equal(np.asarray(image)[row, column], expected[row // 4, column // 4])


def test_bytes_are_refused_since_all_would_be_white():
    with pytest.raises(ValueError, match=r"expected a picture in \[0, 1\], got uint8 up to 200.*by 255"):
        as_image(np.array([[0, 200]], np.uint8))
    for mask in (np.array([[0, 1]], np.uint8), np.array([[False, True]])):
        assert np.asarray(as_image(mask)).tolist() == [[0, 255]]


@pytest.mark.parametrize("shape", [(3,), (2, 3, 4), (2, 3, 2), (1, 2, 3, 3), (0, 3)])
def test_what_is_no_picture_is_refused(shape):
    with pytest.raises(ValueError, match=r"a picture is \(H, W\), \(H, W, 1\) or \(H, W, 3\), got shape"):
        as_image(np.zeros(shape))


def test_an_encoded_image_is_a_file_of_it():
    content = encoded(as_image(PIXELS / 255), "PNG")
    with Image.open(io.BytesIO(content), formats=["PNG"]) as image:
        np.testing.assert_array_equal(np.asarray(image), PIXELS)
    assert encoded(as_image(PIXELS / 255), "WEBP", lossless=True)[8:12] == b"WEBP"


def test_tiles_take_a_sheet_apart():
    pictures = np.arange(6 * 2 * 2 * 3).reshape(6, 2, 2, 3)
    np.testing.assert_array_equal(tiles(sheet(pictures, columns=3), 2), pictures)
    with pytest.raises(ValueError, match="4 x 6 pixels is not made of squares of 3"):
        tiles(sheet(pictures, columns=3), 3)
