"""Blur: the kernels of three causes, and the convolution that applies them.

A kernel is the picture that the lens makes of one point of light: float32 (h, w), odd lengths, not negative, sum 1.
"""

import math

import numpy as np
from keras import ops

from course_utils.degrade.pictures import as_batch, whole_number

BORDERS = {"symmetric": "mirrored, border pixel repeated", "reflect": "mirrored, border pixel not repeated"}


def gaussian_kernel(sigma: float, size: int) -> np.ndarray:
    """exp(-(x^2 + y^2) / (2 sigma^2)) on `size` x `size` pixels, scaled to sum 1: float32 (size, size).

    sigma: standard deviation in pixels, above 0; a size of 6 sigma or more cuts off little.
    Raises ValueError for another sigma and for a size that is not odd.
    """
    sigma = _above_zero(sigma, "sigma")
    size = whole_number(size, "size", 1)
    if size % 2 == 0:
        raise ValueError(f"size must be odd, so that the kernel has a middle, got {size}: take {size + 1}")
    x = np.arange(size) - size // 2
    line = np.exp(-(x**2) / (2 * sigma**2))
    return _normalised(np.outer(line, line))


def motion_kernel(length: float, angle: float) -> np.ndarray:
    """The trace of a camera that moves `length` pixels in a straight line: float32 (2 r + 1, 2 r + 1), where r
    is half of length - 1, rounded up.

    length: 1 or more, 1 being no motion; angle: degrees, anticlockwise from the horizontal.
    A pixel weighs 1 - d, at least 0, where d is its distance to the segment that joins the middles of the trace's first
    and last pixel. So 9 pixels along an axis are nine weights of 1/9.
    Raises ValueError for a length under 1 and for what is not finite.
    """
    if not (math.isfinite(length) and length >= 1 and math.isfinite(angle)):
        raise ValueError(f"length must be 1 pixel or more and angle in degrees, got {length!r} and {angle!r}")
    half = (length - 1) / 2
    along = half * np.array([math.cos(math.radians(angle)), -math.sin(math.radians(angle))])  # rows grow downwards
    points = _coordinates(math.ceil(half))
    share = np.clip(points @ along / max(half**2, 1e-12), -1, 1)  # of the way from the middle to an end
    distance = np.linalg.norm(points - share[..., np.newaxis] * along, axis=-1)
    weights = np.maximum(1 - distance, 0)
    return _normalised(np.where(weights < 1e-9, 0, weights))  # cos(90 degrees) is not quite 0


def defocus_kernel(radius: float) -> np.ndarray:
    """The disc that a lens out of focus makes of a point: each pixel weighs the part of it that the disc covers.

    radius: in pixels, above 0. Parts are counted on 25 x 25 points a pixel. float32 (2 r + 1, 2 r + 1), r as needed.
    Raises ValueError for another radius.
    """
    radius = _above_zero(radius, "radius")
    size = 2 * max(math.ceil(radius - 0.5), 0) + 1
    x = (np.arange(25 * size) + 0.5) / 25 - size / 2
    inside = x**2 + x[:, np.newaxis] ** 2 <= radius**2
    return _normalised(inside.reshape(size, 25, size, 25).mean(axis=(1, 3)))


def blur(images, kernel: np.ndarray, *, border: str):
    """Each channel of each picture, convolved with one kernel: float32 (n, H, W, C), the size it had.

    (k * x)(i, j) = sum over a, b of k(a, b) x(i - a, j - b): a convolution, which turns the kernel round, unlike that
    of a network's layer.
    images: float (n, H, W, C) in [0, 1]; kernel: (h, w), both odd, larger than the pictures if need be.
    border: what lies beyond the picture, "symmetric" (mirrored, the border pixel repeated) or "reflect" (not repeated);
    much of the literature wraps round instead, since that makes deblurring easy by Fourier transform, and unreal.
    It is computed by the convolution theorem, F(k * x) = F(k) F(x): a large kernel then costs no more than a small one,
    where the sum above costs h w products a pixel (25x25 on a processor: 50 times as long or more).
    Raises ValueError as `as_batch` does, for another border, and for kernels of other shapes or with NaN.
    """
    images = as_batch(images)
    if border not in BORDERS:
        options = ", ".join(f"{name!r} ({meaning})" for name, meaning in BORDERS.items())
        raise ValueError(f"border must be one of {options}, got {border!r}")
    kernel = np.asarray(kernel, np.float32)
    if kernel.ndim != 2 or not all(length % 2 for length in kernel.shape):
        raise ValueError(f"expected a kernel (h, w) of odd lengths, got shape {kernel.shape}: add a row of zeros")
    if not np.isfinite(kernel).all():
        raise ValueError("the kernel holds NaN or infinity: look for a division by zero before this")
    for axis, length in enumerate(kernel.shape, start=1):  # np.pad mirrors as often as a long kernel needs
        places = np.pad(np.arange(images.shape[axis]), length // 2, mode=border)
        images = ops.take(images, places, axis=axis)
    return _valid_convolution(images, kernel)


def _valid_convolution(images, kernel: np.ndarray):
    """The places where the kernel lies wholly within the pictures: (n, H - h + 1, W - w + 1, C).

    The product of two discrete Fourier transforms is that of the convolution that wraps round; the first h - 1 rows
    and w - 1 columns hold what came round the edge, and are left off.
    """
    planes = ops.transpose(images, (0, 3, 1, 2))
    spectrum = np.fft.fft2(kernel.astype(np.float64), planes.shape[2:])
    k_real, k_imaginary = spectrum.real.astype(np.float32), spectrum.imag.astype(np.float32)
    real, imaginary = ops.fft2((planes, ops.zeros_like(planes)))
    product = (real * k_real - imaginary * k_imaginary, real * k_imaginary + imaginary * k_real)
    blurred, _ = ops.ifft2(product)
    return ops.transpose(blurred[:, :, kernel.shape[0] - 1 :, kernel.shape[1] - 1 :], (0, 2, 3, 1))


def _coordinates(radius: int) -> np.ndarray:
    """(x, y) of each pixel of a square about the middle one: (2 radius + 1, 2 radius + 1, 2), y downwards."""
    line = np.arange(-radius, radius + 1)
    return np.stack(np.meshgrid(line, line), axis=-1).astype(float)


def _normalised(weights: np.ndarray) -> np.ndarray:
    return (weights / weights.sum()).astype(np.float32)


def _above_zero(value: float, name: str) -> float:
    if not (math.isfinite(value) and value > 0):
        raise ValueError(f"{name} must be a number of pixels above 0, got {value!r}")
    return float(value)
