"""The LPIPS-like distance: zero, symmetric, rising with damage, and the same when NumPy computes it all."""

import io

import numpy as np
import pytest
from keras import ops
from PIL import Image
from scipy.ndimage import gaussian_filter

from course_utils import data
from course_utils.metrics.perceptual import feature_distance, lpips_like
from course_utils.models import vgg


@pytest.fixture(scope="module", params=["chelsea", "hawa_mahal"])
def photo(request):
    return data.photograph(request.param)[60:124, 100:180].copy()


def noisy(photo, sigma):
    noise = np.random.default_rng(0).standard_normal(photo.shape)
    return (photo + sigma * noise).astype(np.float32).clip(0, 1)


def blurred(photo, sigma):
    return gaussian_filter(photo, (sigma, sigma, 0))


def compressed(photo, quality):
    file = io.BytesIO()
    Image.fromarray(np.uint8(np.round(255 * photo))).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file), np.float32) / 255


def test_equal_pictures_have_no_distance_and_order_does_not_matter(photo):
    assert lpips_like(photo, photo) == 0
    other = noisy(photo, 0.1)
    assert lpips_like(photo, other) == pytest.approx(lpips_like(other, photo), rel=1e-4)


@pytest.mark.parametrize(
    ("damage", "levels"), [(noisy, (0.02, 0.05, 0.1, 0.2)), (blurred, (0.7, 1.5, 3)), (compressed, (85, 40, 15, 5))]
)
def test_it_rises_with_damage(photo, damage, levels):
    distances = [lpips_like(photo, damage(photo, level)) for level in levels]
    assert distances[0] > 0 and distances[-1] < 8
    assert all(np.diff(distances) > 0.01), distances


def test_a_blur_looks_worse_than_a_shift_of_brightness_of_the_same_squared_error(photo):
    """What the distance is for; the squared error, by construction, sees no difference."""
    reference = 0.8 * photo  # leaves room for the shift
    blur = blurred(reference, 1.5)
    shift = np.float32(np.sqrt(np.mean(np.square(blur - reference))))
    assert 0.01 < shift < 0.2
    assert lpips_like(reference, blur) > 2 * lpips_like(reference, reference + shift)


def numpy_maps(picture):
    """All of VGG in float64, with nothing of Keras but the numbers of the weights."""
    network = vgg.features(vgg.available()).network
    x, maps = 255 * np.float64(picture[..., ::-1]) - (103.939, 116.779, 123.68), {}
    for name in vgg.available():
        if name in ("conv2_1", "conv3_1", "conv4_1"):
            height, width, channels = x.shape
            x = x.reshape(height // 2, 2, width // 2, 2, channels).max((1, 3))
        kernel, bias = (np.float64(values) for values in network.get_layer(name).get_weights())
        windows = np.lib.stride_tricks.sliding_window_view(np.pad(x, ((1, 1), (1, 1), (0, 0))), (3, 3), (0, 1))
        x = maps[name] = (np.einsum("hwkij,ijkc->hwc", windows, kernel, optimize=True) + bias).clip(0)
    return maps


def test_the_number_is_that_of_an_independent_computation():
    photo = data.photograph("chelsea")[100:116, 200:224]
    other = noisy(photo, 0.1)
    one, two = numpy_maps(photo), numpy_maps(other)
    expected = 0
    for name in ("conv1_2", "conv2_2", "conv3_3", "conv4_3"):
        lengths = [np.linalg.norm(maps[name], axis=-1) for maps in (one, two)]
        cosine = (one[name] * two[name]).sum(-1) / np.maximum(lengths[0] * lengths[1], 1e-300)
        assert min(length.min() for length in lengths) > 0, name
        expected += np.mean(2 - 2 * cosine)
    assert expected > 0.1
    assert lpips_like(photo, other) == pytest.approx(expected, rel=1e-4)


def test_the_distance_of_maps_is_by_picture_and_sound_where_nothing_is_seen():
    rng = np.random.default_rng(1)
    first = {"a": rng.random((3, 4, 5, 6), dtype=np.float32), "b": np.zeros((3, 2, 2, 4), np.float32)}
    second = {"a": np.array(first["a"]), "b": np.zeros((3, 2, 2, 4), np.float32)}
    second["a"][1] *= 7  # longer vectors in the same direction
    second["a"][2, 0, 0] = 0  # at one place of twenty, nothing
    distances = np.asarray(feature_distance(first, second))
    np.testing.assert_allclose(distances, [0, 0, 1 / 20], atol=1e-5)
    with pytest.raises(ValueError, match="of the same layers, got a, b and a"):
        feature_distance(first, {"a": first["a"]})


def test_it_has_gradients_where_nothing_is_seen():
    tf = pytest.importorskip("tensorflow")
    maps = tf.Variable(tf.zeros((1, 2, 2, 3)))
    with tf.GradientTape() as tape:
        distance = ops.sum(feature_distance({"a": maps}, {"a": tf.ones((1, 2, 2, 3))}))
    assert np.isfinite(np.asarray(tape.gradient(distance, maps))).all()


def test_what_leaves_the_range_is_cut_off(photo):
    wide = photo * 1.4 - 0.2
    assert lpips_like(photo, wide) == lpips_like(photo, wide.clip(0, 1))


PHOTO = np.random.default_rng(2).random((16, 16, 3))


@pytest.mark.parametrize(
    ("reference", "restored", "message"),
    [
        (PHOTO, 255 * PHOTO, "the restored picture in .*divide by 255"),
        (255 * PHOTO, PHOTO, "the reference picture in .*divide by 255"),
        (np.uint8(255 * PHOTO), PHOTO, "got uint8"),
        (PHOTO, PHOTO[:8], r"got \(16, 16, 3\) and \(8, 16, 3\)"),
        (PHOTO[..., :1], PHOTO[..., :1], "height, width, 3"),
        (PHOTO, np.where(PHOTO > 0.9, np.nan, PHOTO), "NaN or infinite"),
        (PHOTO[np.newaxis], PHOTO[np.newaxis], r"expected two pictures \(height, width, 3\)"),
    ],
)
def test_what_is_no_pair_of_pictures_is_refused(reference, restored, message):
    with pytest.raises(ValueError, match=message):
        lpips_like(reference, restored)
