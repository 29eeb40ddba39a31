"""Degradations against Pillow, SciPy and numbers worked by hand; eagerly and compiled (on JAX: test_jax_backend)."""

import dataclasses
import io
from fractions import Fraction

import keras
import numpy as np
import pytest
import scipy.ndimage
import scipy.stats
import tensorflow as tf
from fixtures.degradations import BATCH, OPERATIONS, PHOTO
from PIL import Image

from course_utils import degrade


def array(tensor) -> np.ndarray:
    return keras.ops.convert_to_numpy(tensor)


# ------------------------------------------------------------------------------------------------ resampling


def test_the_bicubic_kernel_by_hand():
    distances = [0, 0.25, 0.5, -0.5, 1, 1.25, 1.5, 1.75, 2, 3]
    expected = [1, 111 / 128, 0.5625, 0.5625, 0, -9 / 128, -0.0625, -3 / 128, 0, 0]
    np.testing.assert_allclose(degrade.bicubic_weight(np.array(distances)), expected, atol=1e-12)


def test_the_weights_that_halve_a_picture_by_hand():
    """Pixel 3 of the small picture lies between pixels 6 and 7; pixel 0 sees pixels 0, 1, 2 in the mirror as well."""
    matrix = degrade.resize_matrix(16, 8) * 256
    np.testing.assert_allclose(matrix[3], [0] * 3 + [-3, -9, 29, 111, 111, 29, -9, -3] + [0] * 5, atol=1e-10)
    np.testing.assert_allclose(matrix[0], [111 + 29, 111 - 9, 29 - 3, -9, -3] + [0] * 11, atol=1e-10)
    np.testing.assert_allclose(matrix[7], matrix[0][::-1], atol=1e-10)


def exact_row(size: int, factor: int, output: int) -> list[Fraction]:
    """The row of the matrix that shrinks, in fractions and by the words of MATLAB's documentation, counting from 1."""

    def cubic(x: Fraction) -> Fraction:
        x = abs(x)
        if x <= 1:
            return Fraction(3, 2) * x**3 - Fraction(5, 2) * x**2 + 1
        return Fraction(-1, 2) * x**3 + Fraction(5, 2) * x**2 - 4 * x + 2 if x <= 2 else Fraction(0)

    place = (output + 1) * factor + Fraction(1, 2) * (1 - factor)
    left = (place - 2 * factor).__floor__()
    row = [Fraction(0)] * size
    round_trip = [*range(size), *reversed(range(size))]
    for pixel in range(left, left + 4 * factor + 2):
        row[round_trip[(pixel - 1) % (2 * size)]] += cubic((place - pixel) / factor) / factor
    return [weight / sum(row) for weight in row]


@pytest.mark.parametrize(("size", "factor"), [(12, 2), (12, 3), (8, 4), (4, 4)])
def test_every_weight_in_fractions(size, factor):
    expected = [[float(weight) for weight in exact_row(size, factor, output)] for output in range(size // factor)]
    np.testing.assert_allclose(degrade.resize_matrix(size, size // factor), expected, atol=1e-12)


def by_pillow(picture: np.ndarray, height: int, width: int, method) -> np.ndarray:
    channels = [Image.fromarray(channel).resize((width, height), method) for channel in np.moveaxis(picture, -1, 0)]
    return np.stack([np.asarray(channel) for channel in channels], axis=-1)


@pytest.mark.parametrize("factor", [2, 3, 4])
def test_downsample_equals_pillow_away_from_the_border(factor):
    ours = array(degrade.downsample(BATCH, factor))
    assert ours.shape == (3, 24 // factor, 36 // factor, 3)
    for small, large in zip(ours, BATCH, strict=True):
        pillow = by_pillow(large, 24 // factor, 36 // factor, Image.Resampling.BICUBIC)
        np.testing.assert_allclose(small[2:-2, 2:-2], pillow[2:-2, 2:-2], atol=1e-6)
        assert np.abs(small - pillow).max() > 1e-3  # at the border they differ, as said


def test_at_the_border_pillow_leaves_out_what_is_not_there():
    weights = np.array([111, 111, 29, -9, -3]) / 239
    pillow = by_pillow(BATCH[0], 24, 18, Image.Resampling.BICUBIC)
    np.testing.assert_allclose(pillow[:, 0], np.einsum("w,hwc->hc", weights, BATCH[0, :, :5]), atol=1e-6)


@pytest.mark.parametrize("factor", [2, 3, 4])
@pytest.mark.parametrize("method", ["bicubic", "lanczos"])
def test_upsample_equals_pillow_away_from_the_border(factor, method):
    ours = array(degrade.upsample(BATCH, factor, method))[0]
    pillow = by_pillow(BATCH[0], 24 * factor, 36 * factor, Image.Resampling[method.upper()])
    inside = (slice(3 * factor, -3 * factor),) * 2
    np.testing.assert_allclose(ours[inside], pillow[inside], atol=2e-6)


def test_the_two_methods_differ():
    assert np.abs(degrade.resize_matrix(8, 16) - degrade.resize_matrix(8, 16, "lanczos")).max() > 0.01


@pytest.mark.parametrize("sizes", [(12, 6), (12, 4), (5, 20), (1, 3), (3, 1)])
@pytest.mark.parametrize("method", ["bicubic", "lanczos"])
def test_a_plain_picture_stays_plain(sizes, method):
    np.testing.assert_allclose(degrade.resize_matrix(*sizes, method).sum(axis=1), 1, atol=1e-12)


# ------------------------------------------------------------------------------------------------------ blur


@pytest.mark.parametrize("shape", [(3, 3), (1, 9), (7, 5), (25, 25), (1, 1)])
@pytest.mark.parametrize(("border", "name"), [("symmetric", "reflect"), ("reflect", "mirror")])
@pytest.mark.parametrize("size", [(16, 30), (17, 13), (6, 9)])
def test_blur_is_scipys_convolution(shape, border, name, size):
    """Kernels without any symmetry, also larger than the picture; SciPy has other names for the borders."""
    kernel = np.random.default_rng(1).random(shape, dtype=np.float32)
    kernel /= kernel.sum()
    images = BATCH[:2, : size[0], : size[1]]
    expected = scipy.ndimage.convolve(images.astype(np.float64), kernel[np.newaxis, ..., np.newaxis], mode=name)
    np.testing.assert_allclose(array(degrade.blur(images, kernel, border=border)), expected, atol=2e-6)


def test_gaussian_kernel_blurs_as_scipys_filter():
    blurred = array(degrade.blur(BATCH, degrade.gaussian_kernel(1.6, 25), border="symmetric"))
    expected = scipy.ndimage.gaussian_filter(BATCH.astype(np.float64), 1.6, radius=12, mode="reflect", axes=(1, 2))
    np.testing.assert_allclose(blurred, expected, atol=2e-6)


def test_motion_along_an_axis_by_hand():
    np.testing.assert_allclose(degrade.motion_kernel(9, 0)[4], [1 / 9] * 9, atol=1e-6)
    assert np.count_nonzero(degrade.motion_kernel(9, 0)) == 9
    np.testing.assert_array_equal(degrade.motion_kernel(9, 90), degrade.motion_kernel(9, 0).T)
    np.testing.assert_allclose(degrade.motion_kernel(4, 0)[2], np.array([0.5, 1, 1, 1, 0.5]) / 4, atol=1e-6)
    np.testing.assert_array_equal(degrade.motion_kernel(1, 77), [[1]])


def test_motion_at_45_degrees_goes_up_to_the_right():
    kernel = degrade.motion_kernel(9, 45)
    assert kernel[0, 0] == kernel[-1, -1] == 0
    assert kernel[1, -2] > 0.05 and kernel[-2, 1] > 0.05


@pytest.mark.parametrize(("length", "angle"), [(15, 30), (6.5, 200), (20, -75)])
def test_motion_weighs_pixels_by_their_distance_to_the_trace(length, angle):
    kernel = degrade.motion_kernel(length, angle)
    radius = len(kernel) // 2
    travelled = np.linspace(-(length - 1) / 2, (length - 1) / 2, 4001)
    trace = np.stack([-travelled * np.sin(np.radians(angle)), travelled * np.cos(np.radians(angle))], axis=-1)
    pixels = np.moveaxis(np.indices(kernel.shape) - radius, 0, -1)
    distances = np.linalg.norm(pixels[:, :, np.newaxis] - trace, axis=-1).min(axis=-1)
    weights = np.maximum(1 - distances, 0)
    np.testing.assert_allclose(kernel, weights / weights.sum(), atol=1e-5)


@pytest.mark.parametrize(("radius", "side"), [(0.5, 1), (0.6, 3), (1.5, 3), (3, 7), (5.2, 11)])
def test_defocus_weighs_pixels_by_the_part_that_the_disc_covers(radius, side):
    """The area under the arc y(x), cut to the rows and columns of each pixel, summed over thin strips."""
    kernel = degrade.defocus_kernel(radius)
    assert kernel.shape == (side, side)
    x = (np.arange(side * 1000) + 0.5) / 1000 - side / 2
    arc = np.sqrt(np.maximum(radius**2 - x**2, 0))
    edges = np.arange(side + 1) - side / 2
    rows = np.diff(np.clip(edges[:, np.newaxis], -arc, arc), axis=0)  # (side, strips)
    parts = rows.reshape(side, side, 1000).mean(axis=2)
    assert parts.sum() == pytest.approx(np.pi * radius**2, rel=1e-3)
    np.testing.assert_allclose(kernel, parts / parts.sum(), atol=0.02 / parts.sum())


@pytest.mark.parametrize(
    "kernel", [degrade.gaussian_kernel(2, 13), degrade.motion_kernel(12, 33), degrade.defocus_kernel(2.7)]
)
def test_kernels_keep_the_brightness_and_the_place(kernel):
    assert kernel.dtype == np.float32 and kernel.min() >= 0
    assert kernel.sum() == pytest.approx(1, abs=1e-6)
    np.testing.assert_allclose(kernel, kernel[::-1, ::-1], atol=1e-7)


# ----------------------------------------------------------------------------------------- noise and rounding


def test_gaussian_noise_has_its_sigma_and_is_not_clipped():
    images = np.ones((4, 64, 64, 3), np.float32)
    noise = array(degrade.add_gaussian_noise(images, 25 / 255, seed=0)) - 1
    np.testing.assert_allclose(noise.std(axis=(1, 2, 3)), 25 / 255, rtol=0.03)
    assert abs(noise.mean()) < 0.002 and noise.max() > 0.3
    assert scipy.stats.kstest(noise.ravel(), "norm", (0, 25 / 255)).pvalue > 0.001


def test_blind_noise_draws_a_sigma_for_each_picture():
    images = np.zeros((300, 24, 24, 1), np.float32)
    sigmas = np.sort(array(degrade.add_gaussian_noise(images, (0.1, 0.3), seed=1)).std(axis=(1, 2, 3)))
    assert 0.09 < sigmas[0] < 0.11 and 0.29 < sigmas[-1] < 0.32
    assert scipy.stats.kstest(sigmas, "uniform", (0.1, 0.2)).pvalue > 0.001


@pytest.mark.parametrize("sigma", [0.1, (0.05, 0.2)])
def test_a_number_repeats_the_noise_and_a_generator_goes_on(sigma):
    first, again, other = (array(degrade.add_gaussian_noise(BATCH, sigma, seed)) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 0.05
    seeds = keras.random.SeedGenerator(3)
    drawn = [array(degrade.add_gaussian_noise(BATCH, sigma, seeds)) for _ in range(2)]
    assert np.abs(drawn[0] - drawn[1]).max() > 0.05
    seeds = keras.random.SeedGenerator(3)
    np.testing.assert_array_equal(drawn[0], array(degrade.add_gaussian_noise(BATCH, sigma, seeds)))


def test_the_sigma_of_blind_noise_has_nothing_to_do_with_the_noise():
    """Where one seed drew both, the sigma of picture i would tell the sign of number i of the noise."""
    images = np.zeros((400, 1, 1, 1), np.float32)
    noise = [array(degrade.add_gaussian_noise(images, (0.0, 1.0), seed)).ravel() for seed in range(10)]
    assert abs(np.mean(np.abs(noise)) - 0.5 * np.sqrt(2 / np.pi)) < 0.02  # mean of sigma |e|, independent of each other


def test_poisson_noise_counts_photons():
    photo = np.broadcast_to(np.linspace(0.1, 1, 4, dtype=np.float32)[:, np.newaxis, np.newaxis], (4, 4000, 1))
    noisy = degrade.poisson_noise(photo, 20, seed=0)
    assert noisy.dtype == np.float32 and noisy.max() > 1
    np.testing.assert_allclose(noisy * 20, np.round(noisy * 20), atol=1e-4)
    np.testing.assert_allclose(noisy.mean(axis=1), photo[:, 0], rtol=0.03)
    np.testing.assert_allclose(noisy.var(axis=1), photo[:, 0] / 20, rtol=0.1)
    np.testing.assert_array_equal(noisy, degrade.poisson_noise(photo, 20, seed=0))
    assert (noisy != degrade.poisson_noise(photo, 20, seed=1)).any()


@pytest.mark.parametrize("channels", [1, 3])
def test_jpeg_is_the_file_that_pillow_writes(channels):
    photo = scipy.ndimage.gaussian_filter(PHOTO, (2, 2, 0))[..., :channels] * 3 - 1  # leaves [0, 1], as noise does
    pixels = np.uint8(np.round(photo.clip(0, 1) * 255))
    file = io.BytesIO()
    Image.fromarray(pixels if channels == 3 else pixels[..., 0]).save(file, "JPEG", quality=30)
    expected = np.asarray(Image.open(file), np.float32).reshape(photo.shape) / 255
    np.testing.assert_array_equal(degrade.jpeg(photo, 30), expected)


def test_jpeg_spoils_more_at_lower_quality():
    smooth = scipy.ndimage.gaussian_filter(PHOTO, (2, 2, 0))
    errors = [np.abs(degrade.jpeg(smooth, quality) - smooth).mean() for quality in (90, 50, 10)]
    assert errors == sorted(errors) and errors[2] > 2 * errors[0]


def test_quantise_is_what_a_file_does():
    images = (BATCH * 1.4 - 0.2).astype(np.float32)
    expected = np.uint8(np.round(images.clip(0, 1) * 255)) / np.float32(255)
    np.testing.assert_allclose(array(degrade.quantise(images)), expected, atol=1e-7)


# ----------------------------------------------------------------------------------------------------- masks

MASKS = {"rectangle": degrade.rectangle_mask, "free-form": degrade.free_form_mask}


@pytest.mark.parametrize("kind", MASKS)
@pytest.mark.parametrize(("height", "width", "share"), [(64, 96, 0.2), (33, 57, 0.05), (48, 48, 0.6), (8, 8, 0.9)])
def test_masks_hide_the_share_asked_for_to_the_pixel(kind, height, width, share):
    for seed in range(3):
        mask = MASKS[kind](height, width, share, seed)
        assert mask.shape == (height, width, 1) and mask.dtype == np.float32
        assert set(np.unique(mask)) == {0, 1}
        assert mask.sum() == round(share * height * width)


@pytest.mark.parametrize("kind", MASKS)
def test_masks_depend_on_the_seed_alone(kind):
    masks = [MASKS[kind](64, 64, 0.2, seed) for seed in (0, 0, 1)]
    np.testing.assert_array_equal(masks[0], masks[1])
    assert (masks[0] != masks[2]).mean() > 0.05


def test_masks_are_made_of_thick_shapes_all_over_the_picture():
    """No scattered pixels: nearly all survive an opening by 3x3, and few pieces there are; no corner is spared."""
    for make in MASKS.values():
        masks = np.stack([make(96, 96, 0.2, seed)[..., 0] for seed in range(40)])
        for mask in masks:
            assert scipy.ndimage.binary_opening(mask, np.ones((3, 3))).sum() > 0.9 * mask.sum()
            assert scipy.ndimage.label(mask)[1] < 20
        quarters = masks.reshape(40, 2, 48, 2, 48).mean(axis=(0, 2, 4))
        assert quarters.min() > 0.12


def test_rectangles_are_rectangles_and_strokes_are_not():
    def filled(mask):  # of the box around the first piece
        pieces, _ = scipy.ndimage.label(mask[..., 0])
        return (pieces[scipy.ndimage.find_objects(pieces)[0]] == 1).mean()

    assert np.median([filled(degrade.rectangle_mask(96, 96, 0.05, seed)) for seed in range(20)]) > 0.9
    assert np.median([filled(degrade.free_form_mask(96, 96, 0.05, seed)) for seed in range(20)]) < 0.7


@pytest.mark.parametrize(("brush", "within"), [((1 / 16, 1 / 8), (8, 16)), ((1 / 40, 1 / 40), (3.2, 3.2))])
def test_strokes_are_as_thick_as_their_brush(brush, within):
    """The widest disc that finds room in a mask with few strokes is one of the brush, up to a pixel at each rim."""
    masks = [np.pad(degrade.free_form_mask(128, 128, 0.03, seed, brush)[..., 0], 1) for seed in range(10)]
    across = np.array([2 * scipy.ndimage.distance_transform_edt(mask).max() for mask in masks])
    assert across.min() > within[0] - 1 and np.median(across) < within[1] + 2


def test_a_brush_thinner_than_a_pixel_still_paints():
    assert degrade.free_form_mask(64, 64, 0.2, 0, brush=(1e-6, 1e-6)).sum() == round(0.2 * 64 * 64)


def test_holes_get_the_value_asked_for():
    masks = np.stack([degrade.rectangle_mask(24, 36, 0.3, seed) for seed in range(3)])
    holed = array(degrade.apply_mask(BATCH, masks, 0.25))
    np.testing.assert_array_equal(holed, np.where(masks == 1, np.float32(0.25), BATCH))
    one = array(degrade.apply_mask(BATCH, masks[:1]))
    np.testing.assert_array_equal(one, np.where(masks[:1] == 1, np.float32(0.5), BATCH))


# ------------------------------------------------------------------------------------- compiled, and in chains


@pytest.mark.parametrize("name", OPERATIONS)
def test_compiled_is_as_eager(name):
    """As a graph for batches of any number of pictures, and by XLA."""
    operation = OPERATIONS[name]
    eager = array(operation(BATCH))
    assert eager.dtype == np.float32
    any_number = [tf.TensorSpec((None, 24, 36, 3), tf.float32)]
    graph = tf.function(operation, input_signature=any_number, autograph=False)
    np.testing.assert_allclose(graph(BATCH), eager, atol=1e-6)
    compiled = tf.function(operation, jit_compile=True, autograph=False)
    if name == "noise":  # XLA draws other numbers
        np.testing.assert_allclose(np.std(compiled(BATCH) - BATCH), np.std(eager - BATCH), rtol=0.35)
    else:
        np.testing.assert_allclose(compiled(tf.constant(BATCH)), eager, atol=1e-6)


def test_a_compiled_step_draws_new_noise_each_time():
    seeds = keras.random.SeedGenerator(0)
    step = tf.function(lambda images: degrade.add_gaussian_noise(images, 0.1, seeds), autograph=False)
    assert np.abs(step(BATCH) - step(BATCH)).max() > 0.1


def test_half_precision_comes_back_as_float32():
    small = degrade.downsample(tf.cast(BATCH, tf.float16), 2)
    assert small.dtype == tf.float32


def test_a_chain_goes_from_first_to_last():
    both = degrade.chain(lambda x: x + 1, lambda x: x * 10)
    assert both(2) == 30
    with pytest.raises(ValueError, match="one operation or more"):
        degrade.chain()


def test_crop_to_multiple_keeps_the_upper_left():
    np.testing.assert_array_equal(degrade.crop_to_multiple(PHOTO[:, :-1], 4), PHOTO[:, :44])
    assert degrade.crop_to_multiple(BATCH, 7).shape == (3, 21, 35, 3)
    assert degrade.crop_to_multiple(tf.constant(BATCH), 24).shape == (3, 24, 24, 3)
    with pytest.raises(ValueError, match="hold no 50x50"):
        degrade.crop_to_multiple(PHOTO, 50)
    with pytest.raises(ValueError, match="expected pictures"):
        degrade.crop_to_multiple(PHOTO[..., 0], 2)


# --------------------------------------------------------------------------------------------------- protocols

NOISY = {"denoise_15", "denoise_25", "denoise_50", "deblur_gaussian", "deblur_motion", "deblur_defocus", "blind"}
HOLED = {"inpaint_rectangles", "inpaint_free_form", "inpaint_scratches"}


def test_the_protocols_are_known_and_cannot_be_changed():
    assert set(degrade.PROTOCOLS) == {"sr_x2", "sr_x4"} | NOISY | HOLED
    assert all(name == protocol.name and len(protocol.description) > 40 for name, protocol in degrade.PROTOCOLS.items())
    with pytest.raises(TypeError):
        degrade.PROTOCOLS["sr_x2"] = None
    with pytest.raises(dataclasses.FrozenInstanceError):
        degrade.PROTOCOLS["sr_x2"].scale = 3


@pytest.mark.parametrize("name", degrade.PROTOCOLS)
@pytest.mark.parametrize("channels", [1, 3])
def test_protocols_repeat_and_depend_on_the_index(name, channels):
    protocol, photo = degrade.PROTOCOLS[name], PHOTO[..., :channels].copy()
    degraded = protocol(photo, 7)
    assert degraded.dtype == np.float32
    assert protocol.masked == (name in HOLED)
    assert degraded.shape == (40 // protocol.scale, 48 // protocol.scale, channels + protocol.masked)
    np.testing.assert_array_equal(degraded, protocol(photo, 7))
    assert (degraded != protocol(photo, 8)).any() == (name in NOISY | HOLED)
    np.testing.assert_array_equal(photo, PHOTO[..., :channels])


@pytest.mark.parametrize("sigma", [15, 25, 50])
def test_denoising_adds_what_numpy_draws_for_the_index(sigma):
    noise = np.random.default_rng([2004, 11]).standard_normal(PHOTO.shape, np.float32)
    expected = PHOTO + np.float32(sigma / 255) * noise
    np.testing.assert_allclose(degrade.PROTOCOLS[f"denoise_{sigma}"](PHOTO, 11), expected, atol=1e-6)


@pytest.mark.parametrize("factor", [2, 4])
def test_super_resolution_starts_from_what_an_8_bit_file_holds(factor):
    photo = scipy.ndimage.gaussian_filter(PHOTO, (1, 1, 0))
    small = degrade.PROTOCOLS[f"sr_x{factor}"](photo, 0)
    np.testing.assert_allclose(small * 255, np.round(small * 255), atol=1e-4)
    pillow = by_pillow(photo, 40 // factor, 48 // factor, Image.Resampling.BICUBIC)
    np.testing.assert_allclose(small[2:-2, 2:-2], pillow[2:-2, 2:-2], atol=0.501 / 255)


@pytest.mark.parametrize(("cause", "sigma"), [("gaussian", 2), ("motion", 2.55), ("defocus", 2.55)])
def test_deblurring_blurs_and_then_adds_noise(cause, sigma):
    grey = np.full((64, 64, 3), 0.5, np.float32)
    noise = degrade.PROTOCOLS[f"deblur_{cause}"](grey, 0) - 0.5  # what is plain stays plain, so that noise is left
    assert noise.std() == pytest.approx(sigma / 255, rel=0.03)
    point = np.zeros((41, 41, 1), np.float32)
    point[20, 20] = 1
    kernels = {
        "gaussian": degrade.gaussian_kernel(1.6, 25),
        "motion": degrade.motion_kernel(15, 30),
        "defocus": degrade.defocus_kernel(3),
    }
    radius = len(kernels[cause]) // 2
    seen = np.mean([degrade.PROTOCOLS[f"deblur_{cause}"](point, index) for index in range(60)], axis=0)[..., 0]
    inside = seen[20 - radius : 21 + radius, 20 - radius : 21 + radius]
    np.testing.assert_allclose(inside, kernels[cause], atol=5 * sigma / 255 / np.sqrt(60))


@pytest.mark.parametrize("name", sorted(HOLED))
def test_inpainting_hides_a_fifth_and_says_where(name):
    degraded = degrade.PROTOCOLS[name](PHOTO, 3)
    mask = degraded[..., 3:]
    assert mask.sum() == round(0.2 * 40 * 48)
    np.testing.assert_array_equal(degraded[..., :3], np.where(mask == 1, np.float32(0.5), PHOTO))


def test_the_blind_protocol_is_a_chain():
    blurred = array(degrade.blur(PHOTO[np.newaxis], degrade.gaussian_kernel(1.2, 9), border="symmetric"))[0]
    noisy = blurred + np.float32(10 / 255) * np.random.default_rng([2004, 2]).standard_normal(PHOTO.shape, np.float32)
    expected = degrade.jpeg(noisy, 40)
    assert np.mean(np.abs(degrade.PROTOCOLS["blind"](PHOTO, 2) - expected)) < 1e-4  # a rounding may tip a pixel


# ------------------------------------------------------------------------------------------------------ errors

NAN = np.where(BATCH.max() == BATCH, np.nan, BATCH)
BAD_BATCHES = {
    "rank of a photo": (PHOTO, r"photo\[np.newaxis\]"),
    "rank of a grey picture": (PHOTO[..., 0], "expected a batch"),
    "bytes": (np.uint8(BATCH * 255), "uint8: divide by 255"),
    "0-255 in floats": (BATCH * 255, "divide by 255"),
    "NaN": (NAN, "1 numbers of images are NaN"),
    "no pictures": (BATCH[:0], "without a pixel"),
    "no pixels": (BATCH[:, :0], "without a pixel"),
    "whole numbers in a tensor": (tf.cast(BATCH * 255, tf.uint8), "uint8: cast and divide"),
    "rank of a tensor": (tf.constant(PHOTO), r"photo\[np.newaxis\]"),
    "no pixels in a tensor": (tf.constant(BATCH[:, :0]), "without a pixel"),
}


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("bad", BAD_BATCHES)
def test_unsound_batches_are_refused(name, bad):
    images, message = BAD_BATCHES[bad]
    with pytest.raises(ValueError, match=message):
        OPERATIONS[name](images)


def test_pictures_of_unknown_size_are_refused():
    step = tf.function(OPERATIONS["blur"], input_signature=[tf.TensorSpec((None, None, None, 3))], autograph=False)
    with pytest.raises(ValueError, match="crop them to one size"):
        step(BATCH)


BAD_CALLS = {
    "indivisible": (lambda: degrade.downsample(BATCH[:, :23], 4), r"crop to 20x36 with degrade.crop_to_multiple"),
    "factor": (lambda: degrade.downsample(BATCH, 1), "factor must be a whole number of 2 or more"),
    "half factor": (lambda: degrade.upsample(BATCH, 1.5), "factor must be a whole number"),
    "method": (lambda: degrade.upsample(BATCH, 2, "cubic"), "'bicubic', 'lanczos', got 'cubic'"),
    "border": (lambda: degrade.blur(BATCH, np.ones((3, 3)), border="wrap"), "'symmetric' .*'reflect'"),
    "even kernel": (lambda: degrade.blur(BATCH, np.ones((4, 3)), border="reflect"), "odd lengths"),
    "kernel rank": (lambda: degrade.blur(BATCH, np.ones(3), border="reflect"), "odd lengths"),
    "kernel NaN": (lambda: degrade.blur(BATCH, np.full((3, 3), np.nan), border="reflect"), "NaN"),
    "even Gaussian": (lambda: degrade.gaussian_kernel(1, 4), "odd.* take 5"),
    "Gaussian sigma": (lambda: degrade.gaussian_kernel(0, 5), "sigma must be"),
    "length": (lambda: degrade.motion_kernel(0.5, 0), "length must be 1"),
    "angle": (lambda: degrade.motion_kernel(5, np.nan), "angle"),
    "radius": (lambda: degrade.defocus_kernel(-1), "radius must be"),
    "sigma of papers": (lambda: degrade.add_gaussian_noise(BATCH, 25, 0), "divide by 255"),
    "range": (lambda: degrade.add_gaussian_noise(BATCH, (0.2, 0.1), 0), "pair"),
    "seed": (lambda: degrade.add_gaussian_noise(BATCH, 0.1, None), "SeedGenerator"),
    "peak": (lambda: degrade.poisson_noise(PHOTO, 0, 0), "peak must be"),
    "negative light": (lambda: degrade.poisson_noise(PHOTO - 0.5, 10, 0), r"in \[0, 1\]"),
    "quality": (lambda: degrade.jpeg(PHOTO, 100), "1 to 95"),
    "JPEG channels": (lambda: degrade.jpeg(PHOTO[..., :2], 50), "1 or 3"),
    "JPEG bytes": (lambda: degrade.jpeg(np.uint8(PHOTO * 255), 50), "divide by 255"),
    "JPEG NaN": (lambda: degrade.jpeg(np.full((8, 8, 3), np.nan), 50), "NaN"),
    "share": (lambda: degrade.rectangle_mask(32, 32, 20, 0), "between 0 and 1"),
    "tiny": (lambda: degrade.free_form_mask(4, 32, 0.2, 0), "height must be"),
    "brush": (lambda: degrade.free_form_mask(32, 32, 0.2, 0, brush=(0.2, 0.1)), "parts of the shorter side"),
    "brush of pixels": (lambda: degrade.free_form_mask(32, 32, 0.2, 0, brush=(3, 6)), "parts of the shorter side"),
    "mask shape": (lambda: degrade.apply_mask(BATCH, np.zeros((3, 24, 35, 1))), r"\(3 or 1, 24, 36, 1\)"),
    "protocol of a batch": (lambda: degrade.PROTOCOLS["denoise_25"](BATCH, 0), "one picture of the batch"),
    "protocol of bytes": (lambda: degrade.PROTOCOLS["denoise_25"](np.uint8(PHOTO * 255), 0), "divide by 255"),
    "protocol of 0-255": (lambda: degrade.PROTOCOLS["denoise_25"](PHOTO * 255, 0), "divide by 255"),
    "protocol of an odd size": (lambda: degrade.PROTOCOLS["sr_x4"](PHOTO[:-1], 0), "crop to 36x48"),
    "index": (lambda: degrade.PROTOCOLS["denoise_25"](PHOTO, -1), "index must be"),
}


@pytest.mark.parametrize("name", BAD_CALLS)
def test_wrong_arguments_are_refused(name):
    call, message = BAD_CALLS[name]
    with pytest.raises(ValueError, match=message):
        call()
