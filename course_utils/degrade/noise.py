"""Noise and rounding: what a sensor adds to a picture, and what a file takes from it."""

import io
import math

import keras
import numpy as np
from keras import ops
from PIL import Image

from course_utils.degrade.pictures import HIGHEST, LOWEST, as_batch, as_photo, check_numbers, whole_number
from course_utils.image_files import as_image


def add_gaussian_noise(images, sigma: float | tuple[float, float], seed: int | keras.random.SeedGenerator):
    """x + sigma e, where e is drawn from a normal distribution for each number anew: float32 (n, H, W, C), not clipped.

    images: float (n, H, W, C) in [0, 1].
    sigma: in units of [0, 1]; papers count in 255ths, and their sigma 25 is 25 / 255 here. A pair (low, high) is blind
        noise: each picture draws a sigma of its own from that range, evenly.
    seed: a whole number makes the same noise each time; a `keras.random.SeedGenerator` goes on at each call, and must
        be an attribute of the model or layer that uses it where that is compiled.
    On TensorFlow without a GPU, compile such a model with jit_compile=False: XLA draws random numbers about 50 times
    slower there than TensorFlow itself does (600 ms against 10 ms for 16 pictures of 96x96x3).
    Raises ValueError as `as_batch` does, and for sigma outside [0, 1].
    """
    images = as_batch(images)
    low, high = sigma if isinstance(sigma, tuple | list) else (sigma, sigma)
    if not 0 <= low <= high <= 1:
        raise ValueError(f"sigma must lie in [0, 1], as a number or a pair (low, high), got {sigma!r}: divide by 255")
    noise_seed, sigma_seed = _two_seeds(seed)
    noise = keras.random.normal(ops.shape(images), seed=noise_seed)
    if low < high:
        low = keras.random.uniform((ops.shape(images)[0], 1, 1, 1), low, high, seed=sigma_seed)
    return images + low * noise


def _two_seeds(seed: int | keras.random.SeedGenerator) -> tuple:
    """Seeds for two draws that have nothing to do with each other: one number would make both draw the same bits."""
    if isinstance(seed, keras.random.SeedGenerator):
        return seed, seed
    seed = whole_number(seed, "seed (where it is no keras.random.SeedGenerator)", 0)
    return tuple(int(number) for number in np.random.SeedSequence(seed).generate_state(2))


def poisson_noise(photo: np.ndarray, peak: float, seed: int | np.random.Generator) -> np.ndarray:
    """The grain of little light: each number is a count of photons, drawn about peak * x, divided by peak again.

    photo: float (H, W, C) in [0, 1]; peak: photons that white sends, above 0, the fewer the noisier: the variance is
    x / peak. Returns float32 (H, W, C), not clipped: counts lie above `peak` at times.
    Raises ValueError as `as_photo` does and for another peak.
    """
    if not (math.isfinite(peak) and peak > 0):
        raise ValueError(f"peak must be a number of photons above 0, got {peak!r}")
    counts = np.random.default_rng(seed).poisson(peak * as_photo(photo).clip(0, 1).astype(np.float64))
    return (counts / peak).astype(np.float32)


def jpeg(photo: np.ndarray, quality: int) -> np.ndarray:
    """The photograph after a JPEG file of this quality: float32 (H, W, C) in [0, 1], in steps of 1/255.

    photo: float (H, W, 1 or 3); noise that leaves [0, 1] is clipped, as a file must. quality: 1 to 95, as Pillow takes
    it (75 is its default). Colour is kept at half the resolution (4:2:0), as most cameras do.
    Raises ValueError for another rank, another number of channels and another quality.
    """
    photo = np.asarray(photo)
    if photo.ndim != 3 or photo.shape[2] not in (1, 3):
        raise ValueError(f"expected a photograph (height, width, 1 or 3), got shape {photo.shape}")
    if whole_number(quality, "quality", 1) > 95:
        raise ValueError(f"quality must be 1 to 95, got {quality}: higher makes files larger and little else")
    check_numbers(photo, "a photograph", LOWEST, HIGHEST)
    file = io.BytesIO()
    as_image(photo).save(file, "JPEG", quality=int(quality), subsampling="4:2:0")
    with Image.open(file) as image:
        return (np.asarray(image, np.float32) / 255).reshape(photo.shape)


def quantise(images):
    """Clipped to [0, 1] and rounded to the 256 levels of an 8-bit file: float32 (n, H, W, C)."""
    return ops.round(ops.clip(as_batch(images), 0, 1) * 255) / 255
