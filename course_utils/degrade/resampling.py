"""Smaller and larger pictures by weighted means: the usual test of super-resolution, and its baselines.

Along one axis a resized picture is a matrix times the picture, and `resize_matrix` is that matrix. An output pixel i
lies at the place u = (i + 1/2) s - 1/2 among the input pixels, s input pixels being one output pixel, and is the mean
of the pixels j around it with the weights

    w(j) = h((u - j) / max(s, 1)) / sum of these over j .

h is the kernel. Where the picture shrinks (s > 1) the kernel is stretched by s: it then averages away the detail that
the smaller picture cannot hold (antialiasing). Pixels beyond the border are those of the mirrored picture, the border
pixel repeated (`symmetric` in NumPy).

This is MATLAB's `imresize`, which made the small pictures of most super-resolution papers, before rounding: the same
kernel (a = -1/2), the same places, the same stretching, the same mirror. It differs from Pillow's `BICUBIC` at the
border only, where Pillow leaves out the pixels that do not exist and divides by the weights of the others. From
OpenCV's and PyTorch's cubic (a = -3/4, by default not stretched) it differs everywhere.
"""

import numpy as np
from keras import ops

from course_utils.degrade.pictures import as_batch, whole_number


def bicubic_weight(distance: np.ndarray) -> np.ndarray:
    """The cubic kernel with a = -1/2 at these distances in pixels: 1 at 0, and 0 at 1 and from 2 on.

    h(x) = 3/2 |x|^3 - 5/2 |x|^2 + 1 up to |x| = 1, then -1/2 |x|^3 + 5/2 |x|^2 - 4 |x| + 2 up to 2.
    Keys, "Cubic convolution interpolation for digital image processing", 1981, equation 15.
    """
    x = np.abs(distance)
    near = 1.5 * x**3 - 2.5 * x**2 + 1
    far = -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
    return np.where(x <= 1, near, np.where(x <= 2, far, 0.0))


def lanczos_weight(distance: np.ndarray) -> np.ndarray:
    """The Lanczos kernel of three lobes at these distances in pixels: sinc(x) sinc(x / 3) up to |x| = 3, then 0.

    sinc(x) = sin(pi x) / (pi x), the ideal low-pass filter, cut off softly. Duchon, "Lanczos filtering in one and two
    dimensions", 1979.
    """
    x = np.asarray(distance)
    return np.where(np.abs(x) <= 3, np.sinc(x) * np.sinc(x / 3), 0.0)


KERNELS = {"bicubic": (bicubic_weight, 2), "lanczos": (lanczos_weight, 3)}  # and how far each reaches, in pixels


def resize_matrix(size_in: int, size_out: int, method: str = "bicubic") -> np.ndarray:
    """The matrix that resizes an axis of `size_in` pixels to `size_out`: float64 (size_out, size_in), rows sum to 1.

    method: "bicubic" or "lanczos". Raises ValueError for another method and for sizes under 1.
    """
    size_in, size_out = whole_number(size_in, "size_in", 1), whole_number(size_out, "size_out", 1)
    if method not in KERNELS:
        raise ValueError(f"method must be one of {', '.join(map(repr, KERNELS))}, got {method!r}")
    kernel, radius = KERNELS[method]
    step = size_in / size_out
    stretch = max(step, 1.0)
    reach = int(np.ceil(radius * stretch)) + 1
    centres = (np.arange(size_out) + 0.5) * step - 0.5
    places = np.floor(centres)[:, np.newaxis].astype(int) + np.arange(-reach, reach + 1)  # (size_out, taps)
    weights = kernel((centres[:, np.newaxis] - places) / stretch)
    weights /= weights.sum(axis=1, keepdims=True)
    mirror = np.pad(np.arange(size_in), reach + 1, mode="symmetric")  # which pixel stands at each place
    matrix = np.zeros((size_out, size_in))
    np.add.at(matrix, (np.arange(size_out)[:, np.newaxis], mirror[places + reach + 1]), weights)
    return matrix


def downsample(images, factor: int):
    """Pictures `factor` times smaller, by the bicubic kernel with antialiasing: float32 (n, H / factor, W / factor, C).

    images: float (n, H, W, C) in [0, 1]. The result overshoots [0, 1] a little at strong edges and is not rounded:
    `quantise` does both, as a picture file of 8 bits would.
    Raises ValueError as `as_batch` does, for a factor under 2, and where H or W is not a multiple of it.
    """
    factor = whole_number(factor, "factor", 2)
    images = as_batch(images)
    height, width = images.shape[1:3]
    if height % factor or width % factor:
        fitting = f"{height - height % factor}x{width - width % factor}"
        raise ValueError(
            f"{height}x{width} pixels do not shrink {factor} times: crop to {fitting} with "
            f"degrade.crop_to_multiple(images, {factor}), and compare restored pictures with that crop"
        )
    return _resized(images, height // factor, width // factor, "bicubic")


def upsample(images, factor: int, method: str = "bicubic"):
    """Pictures `factor` times larger, without learning: float32 (n, H * factor, W * factor, C), not clipped.

    images: float (n, H, W, C) in [0, 1]; method: "bicubic" or "lanczos". What a network must beat.
    Raises ValueError as `as_batch` does, for a factor under 2 and for another method.
    """
    factor = whole_number(factor, "factor", 2)
    images = as_batch(images)
    return _resized(images, factor * images.shape[1], factor * images.shape[2], method)


def _resized(images, height: int, width: int, method: str):
    rows, columns = (
        ops.convert_to_tensor(resize_matrix(size_in, size_out, method), dtype="float32")
        for size_in, size_out in zip(images.shape[1:3], (height, width), strict=True)
    )
    return ops.einsum("qw,npwc->npqc", columns, ops.einsum("ph,nhwc->npwc", rows, images))
