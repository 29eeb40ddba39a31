"""The deblurrer: its kernels within their ranges, one for each picture, and Wiener's filter before the network."""

from functools import partial

import keras
import numpy as np
import pytest
import scipy.ndimage
from keras import ops

from course_utils import classical, degrade, scoring, training
from course_utils.models import deblurring, unet

IMAGES = np.random.default_rng(0).random((6, 30, 40, 3), dtype=np.float32)


def test_the_bank_holds_three_kinds_of_blur_and_cannot_be_changed():
    bank = deblurring.kernel_bank()
    assert bank.shape == (384, 25, 25) and bank.dtype == np.float32 and bank.min() == 0
    np.testing.assert_allclose(bank.sum(axis=(1, 2)), 1, atol=1e-5)
    rows, columns = np.mgrid[-12:13, -12:13]
    for axis in (rows, columns):
        np.testing.assert_allclose((bank * axis).sum(axis=(1, 2)), 0, atol=1e-4)  # none moves a picture
    squared = (bank * (rows**2 + columns**2)).sum(axis=(1, 2))
    gaussian, motion, disc = squared[::3], squared[1::3], squared[2::3]
    assert gaussian.min() > 2 * 0.6**2 - 0.1 and gaussian.max() < 2 * 2.6**2 + 0.01  # sigma^2 along each axis
    assert motion.max() < 21**2 / 12 + 1 and disc.max() < 4.5**2 / 2 + 0.3
    for protocol in ("deblur_gaussian", "deblur_motion", "deblur_defocus"):
        kernel = degrade.PROTOCOLS[protocol].kernel
        reach = np.arange(len(kernel)) - len(kernel) // 2
        spread = (kernel * (reach[:, np.newaxis] ** 2 + reach**2)).sum()
        same = {"gaussian": gaussian, "motion": motion, "defocus": disc}[protocol.removeprefix("deblur_")]
        assert np.mean(same < spread) > 0.2 and np.mean(same > spread) > 0.2  # it lies well within them
    with pytest.raises(ValueError, match="read-only"):
        bank[0] = 0


def test_each_picture_is_blurred_by_its_own_kernel():
    kernels = deblurring.kernel_bank()[10:16]
    found = ops.convert_to_numpy(deblurring.blurred(IMAGES, kernels))
    for image, kernel, ours in zip(IMAGES, kernels, found, strict=True):
        expected = scipy.ndimage.convolve(image, kernel[..., np.newaxis], mode="wrap")
        np.testing.assert_allclose(ours, expected, atol=1e-5)


def test_the_filter_is_the_one_of_the_classical_restorers():
    """In the middle of pictures that are grey around it, whether these wrap round or are mirrored."""
    images = np.full((3, 120, 120, 3), 0.5, np.float32)
    images[:, 40:80, 40:80] = IMAGES[:3, :5, :5].repeat(8, axis=1).repeat(8, axis=2)
    kernels, sigma = deblurring.kernel_bank()[[0, 4, 8]], np.array([2, 3, 4], np.float32).reshape(3, 1, 1, 1) / 255
    seen = ops.convert_to_numpy(deblurring.blurred(images, kernels))
    found = ops.convert_to_numpy(deblurring.deconvolved(seen, kernels, sigma))
    for picture, kernel, each, ours in zip(seen, kernels, sigma, found, strict=True):
        both = deblurring.with_wiener(picture, kernel, each.item())
        assert both.shape == (120, 120, 6) and both.dtype == np.float32
        np.testing.assert_allclose(ours[35:85, 35:85], both[35:85, 35:85, :3], atol=0.01)
        np.testing.assert_array_equal(both[..., 3:], picture)
    assert np.abs(found - images).mean() < 0.8 * np.abs(seen - images).mean()


def test_the_balance_is_near_to_those_that_were_best():
    for name in ("deblur_gaussian", "deblur_motion", "deblur_defocus"):
        best = classical.SETTINGS[name]["Wiener"]["balance"]
        assert float(deblurring.balance_of(degrade.PROTOCOLS[name].sigma)) == pytest.approx(best, rel=0.3)
    assert float(deblurring.balance_of(0.0)) == float(deblurring.balance_of(1 / 255)) > 0


def test_each_call_draws_anew_and_adds_a_little_noise():
    layer, flat = deblurring.BlursAndWiener(seed=3), np.full((8, 32, 32, 3), 0.5, np.float32)
    first, second = (ops.convert_to_numpy(layer(IMAGES))[..., 3:] for _ in range(2))
    assert np.abs(first - second).max() > 0.05
    deviations = np.array([ops.convert_to_numpy(layer(flat))[..., 3:].std(axis=(1, 2, 3)) for _ in range(8)])
    assert 0.9 / 255 < deviations.min() < 1.5 / 255 and 3.5 / 255 < deviations.max() < 4.3 / 255


def test_the_filter_is_told_the_kernel_and_the_noise_that_a_picture_has():
    images = np.random.default_rng(1).random((6, 64, 64, 3), dtype=np.float32)
    both = ops.convert_to_numpy(deblurring.BlursAndWiener(seed=5)(images))
    filtered, seen = both[..., :3], both[..., 3:]
    seed = keras.random.SeedGenerator(5)  # the same draws in the same order
    kernels = deblurring.kernel_bank()[ops.convert_to_numpy(keras.random.randint((6,), 0, 384, seed=seed))]
    sigma = ops.convert_to_numpy(keras.random.uniform((6, 1, 1, 1), 1 / 255, 4 / 255, seed=seed))
    noise = seen - ops.convert_to_numpy(deblurring.blurred(images, kernels))
    np.testing.assert_allclose(noise.std(axis=(1, 2, 3)), sigma.ravel(), rtol=0.03)
    np.testing.assert_allclose(filtered, deblurring.deconvolved(seen, kernels, sigma), atol=1e-5)


def small_deblurrer():
    return deblurring.Deblurrer(unet.restoration_unet(6, 3, widths=(8, 8)), turned=True)


def test_a_deblurrer_learns_from_sharp_pictures_alone():
    training.set_seed(0)
    model = small_deblurrer()
    model.compile(keras.optimizers.Adam(0.003), "mean_squared_error", jit_compile=False)
    edges = np.where(np.arange(32) % 16 < 8, np.float32(0.2), np.float32(0.8))
    images = np.broadcast_to(edges[:, np.newaxis, np.newaxis], (64, 32, 32, 3)).copy()
    losses = training.fit(model, images, epochs=6, batch_size=4, progress=False).history["loss"]
    assert losses[-1] < 0.8 * losses[0]
    with pytest.raises(ValueError, match=r"expected pictures \(n, height, width, 3\), got shape \(2, 32, 32, 6\)"):
        model(np.zeros((2, 32, 32, 6), np.float32), training=True)


def test_it_starts_from_wieners_result_and_wants_it_beside_the_picture():
    model = small_deblurrer()
    given = deblurring.with_wiener(IMAGES[0], deblurring.kernel_bank()[1], 3 / 255)
    np.testing.assert_allclose(model(given[np.newaxis])[0], given[..., :3], atol=1e-6)
    with pytest.raises(ValueError, match=r"expected pictures \(n, height, width, 6\), got shape \(6, 30, 40, 3\)"):
        model(IMAGES)


def test_it_is_scored_where_there_is_a_kernel_to_tell():
    pictures = {"colour": IMAGES[0], "grey": IMAGES[1, ..., :1]}
    found = scoring.score(small_deblurrer(), "deblur_motion", pictures)
    kernel, sigma = degrade.PROTOCOLS["deblur_motion"].kernel, degrade.PROTOCOLS["deblur_motion"].sigma
    balance = float(deblurring.balance_of(sigma))
    wiener = scoring.score(
        partial(classical.deblurring.wiener, kernel=kernel, balance=balance), "deblur_motion", pictures
    )
    np.testing.assert_allclose(found.psnr, wiener.psnr, atol=1e-3)  # untrained, it changes nothing
    with pytest.raises(ValueError, match="has to be told the kernel, and 'denoise_25' has none"):
        scoring.score(small_deblurrer(), "denoise_25", pictures)
