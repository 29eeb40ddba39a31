"""Deblurrers (lesson 12): a network that takes away what Wiener's filter leaves behind, noise and ripples."""

from functools import cache

import keras
import numpy as np
from keras import layers, ops

from course_utils.classical.deblurring import wiener
from course_utils.degrade import defocus_kernel, gaussian_kernel, motion_kernel
from course_utils.models.restorer import Restorer

_KERNELS = 384  # of a bank; a `turned` restorer shows each in eight ways
_SIZE = 25  # pixels across, as the largest of `degrade.PROTOCOLS`
_NOISE = (1 / 255, 4 / 255)  # sigma; the protocols have 2 and 2.55


@cache
def kernel_bank() -> np.ndarray:
    """Blurs about as strong as those of `degrade.PROTOCOLS`: float32 (384, 25, 25), each of sum 1; read-only.

    In turn a Gaussian of sigma 0.6 to 2.6 pixels, a motion of 3 to 21 pixels in any direction, and a disc of radius 1
    to 4.5 pixels.
    """
    random, bank = np.random.default_rng(0), np.zeros((_KERNELS, _SIZE, _SIZE), np.float32)
    for index, place in enumerate(bank):
        kernel = (
            gaussian_kernel(random.uniform(0.6, 2.6), _SIZE),
            motion_kernel(random.uniform(3, 21), random.uniform(0, 180)),
            defocus_kernel(random.uniform(1, 4.5)),
        )[index % 3]
        first = (_SIZE - len(kernel)) // 2
        place[first : first + len(kernel), first : first + len(kernel)] = kernel
    bank.flags.writeable = False
    return bank


def balance_of(sigma):
    """Wiener's balance for noise of this sigma, in units of [0, 1]; less than 1/255 counts as 1/255.

    The power of the noise is sigma^2. The factor fits the balances that were best on the validation photographs for the
    three blurs of `degrade.PROTOCOLS`, see `classical.SETTINGS`.
    """
    return 100 * ops.maximum(sigma, _NOISE[0]) ** 2


def with_wiener(picture: np.ndarray, kernel: np.ndarray, sigma: float) -> np.ndarray:
    """What a `Deblurrer` is given of a blurred picture (H, W, C): Wiener's result and the picture, float32 (H, W, 2C).

    kernel: of the blur, (h, w), odd lengths, sum 1; sigma: of the noise, in units of [0, 1].
    """
    deconvolved = wiener(picture, kernel, balance=float(balance_of(sigma)))
    return np.concatenate([deconvolved, picture], axis=-1, dtype=np.float32)


class BlursAndWiener(layers.Layer):
    """Pictures (n, h, w, C), blurred and with noise, and before them what Wiener's filter makes of it: (n, h, w, 2C).

    Each picture draws a kernel of `kernel_bank` and the sigma of its noise anew at each call; the filter knows both.
    Here pictures wrap round at the border, where a product of spectra is all that blur and filter are. They must be 25
    pixels or more high and wide. Spectra need single precision, so that this layer keeps to it in half precision too.
    """

    def __init__(self, seed: int, **kwargs):
        super().__init__(**{"dtype": "float32"} | kwargs)
        self.seed = keras.random.SeedGenerator(seed)

    def call(self, images):
        count = ops.shape(images)[0]
        drawn = keras.random.randint((count,), 0, _KERNELS, seed=self.seed)
        kernels = ops.take(ops.convert_to_tensor(kernel_bank()), drawn, axis=0)
        sigma = keras.random.uniform((count, 1, 1, 1), *_NOISE, seed=self.seed)
        noise = sigma * keras.random.normal(ops.shape(images), seed=self.seed)
        seen = blurred(images, kernels) + noise
        return ops.concatenate([deconvolved(seen, kernels, sigma), seen], axis=-1)


def blurred(images, kernels):
    """Each picture (n, h, w, C) convolved with a kernel of its own, (n, k, k), k odd: it wraps round at the border."""
    return _filtered(images, *_spectra(kernels, *images.shape[1:3]))


def deconvolved(images, kernels, sigma):
    """`classical.deblurring.wiener` on pictures (n, h, w, C) that wrap round; sigma of their noise: (n, 1, 1, 1)."""
    height, width = images.shape[1:3]
    real, imaginary = _spectra(kernels, height, width)
    power = ops.maximum(real**2 + imaginary**2 + balance_of(sigma) * _slopes(height, width), 1e-9)
    return _filtered(images, real / power, -imaginary / power)


def _spectra(kernels, height: int, width: int):
    """Fourier transforms of kernels (n, k, k), their middle at the origin: two (n, 1, height, width)."""
    size = kernels.shape[1]
    padded = ops.pad(kernels, [(0, 0), (0, height - size), (0, width - size)])
    padded = ops.roll(padded, (-(size // 2), -(size // 2)), axis=(1, 2))[:, None]
    return ops.fft2((padded, ops.zeros_like(padded)))


def _slopes(height: int, width: int) -> np.ndarray:
    """4 - 2 cos u - 2 cos v, the squared slope of a wave, at each frequency of a Fourier transform: (height, width)."""
    lines = [2 - 2 * np.cos(2 * np.pi * np.arange(length) / length) for length in (height, width)]
    return (lines[0][:, np.newaxis] + lines[1]).astype(np.float32)


def _filtered(images, real, imaginary):
    """Pictures (n, h, w, C) whose spectra are multiplied by those of a filter, two (n, 1, h, w)."""
    planes = ops.transpose(images, (0, 3, 1, 2))
    r, i = ops.fft2((planes, ops.zeros_like(planes)))
    product, _ = ops.ifft2((r * real - i * imaginary, r * imaginary + i * real))
    return ops.transpose(product, (0, 2, 3, 1))


class Deblurrer(Restorer):
    """Sharpens blurred pictures whose kernel is known: float (n, h, w, 6) -> float (n, h, w, 3), not clipped.

    The first three channels are Wiener's result, the last three the blurred picture: see `with_wiener`. The kernel
    reaches the network by way of the filter alone, which undoes what the network need not learn; what it leaves, noise
    and ripples, looks much alike for all kernels. Schuler, Burger, Harmeling and Schölkopf, "A machine learning
    approach for non-blind image deconvolution", 2013.
    network: from such pictures, (n, h, w, 6), to sharp ones, (n, h, w, 3). The deblurrer learns from sharp ones, which
    `BlursAndWiener` blurs. Raises ValueError as `Restorer` does.
    """

    def __init__(self, network: keras.Model, *, turned: bool = False, seed: int = 0, **kwargs):
        super().__init__(network, BlursAndWiener(seed), turned=turned, seed=seed, **kwargs)
