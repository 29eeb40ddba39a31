"""What a deblurrer learns from: kernels within their ranges, and one for each picture, checked one by one."""

import keras
import numpy as np
import pytest
from keras import ops

from course_utils import degrade, training
from course_utils.models import deblurring, unet
from course_utils.models.restorer import Restorer

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
        expected = ops.convert_to_numpy(degrade.blur(image[np.newaxis], kernel, border="symmetric"))[0]
        np.testing.assert_allclose(ours, expected, atol=1e-5)


def test_each_call_draws_anew_and_adds_a_little_noise():
    layer, flat = deblurring.Blurs(seed=3), np.full((8, 32, 32, 3), 0.5, np.float32)
    first, second = (ops.convert_to_numpy(layer(IMAGES)) for _ in range(2))
    assert np.abs(first - second).max() > 0.05
    deviations = np.array([ops.convert_to_numpy(layer(flat)).std(axis=(1, 2, 3)) for _ in range(8)])
    assert deviations.max() < 4.2 / 255 and deviations.min() < 1 / 255 < 3 / 255 < deviations.max()


def test_a_restorer_learns_from_it():
    training.set_seed(0)
    model = Restorer(unet.restoration_unet(3, widths=(8, 8)), deblurring.Blurs(seed=0), turned=True)
    model.compile(keras.optimizers.Adam(0.003), "mean_squared_error", jit_compile=False)
    edges = np.where(np.arange(32) % 16 < 8, np.float32(0.2), np.float32(0.8))
    images = np.broadcast_to(edges[:, np.newaxis, np.newaxis], (64, 32, 32, 3)).copy()
    losses = training.fit(model, images, epochs=6, batch_size=4, progress=False).history["loss"]
    assert losses[-1] < 0.8 * losses[0]
