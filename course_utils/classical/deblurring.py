"""Blur undone without learning, by one who knows the kernel: (h, w), odd lengths, sum 1.

`degrade.blur` mirrors the picture at its border, the border pixel repeated. So do these: who takes the picture to wrap
round instead, as a Fourier transform does, gets ripples from all four sides.
"""

import numpy as np
import scipy.fft
import scipy.signal

_STEPS = 30  # photographs need about 20


def wiener(picture: np.ndarray, kernel: np.ndarray, *, balance: float) -> np.ndarray:
    """The linear filter with the least mean squared error, conj(K) / (|K|^2 + N / S): float32 (H, W, C).

    K: the kernel's spectrum. N / S: the power of the noise over that of the picture at each frequency, here
    balance * (4 - 2 cos u - 2 cos v), about balance * (u^2 + v^2): noise has the same power at all frequencies, and
    photographs lose it with the square of the frequency. Where K is near 0 so is the filter, and the inverse 1 / K
    explodes.
    The filter is the solution x of (A'A + balance D'D) x = A'y, where A blurs, D takes the differences of neighbours
    and y is the picture. With mirrored borders that is a product of spectra, those of the cosine transform, for kernels
    that are the same mirrored alone. So it is solved by conjugate gradients, with such a product as preconditioner: one
    step for those kernels, about twenty for others. (By a plain product of Fourier transforms, on the picture beside
    its mirror images, motion blur was 1.9 dB worse on the validation pictures, most of it near the border.)
    Wiener, 1949.
    """
    gain = 1 / np.maximum(_mirrored_power(kernel, *picture.shape[:2]) + balance * _slopes(*picture.shape[:2]), 1e-9)
    gain = gain[..., np.newaxis].astype(np.float32)

    def filtered(residual):
        return scipy.fft.idctn(gain * scipy.fft.dctn(residual, axes=(0, 1)), axes=(0, 1))

    def applied(x):
        return _transposed(_blurred(x, kernel), kernel) - balance * _laplacian(x)

    residual = _transposed(picture.astype(np.float32), kernel)
    estimate, length = np.zeros_like(residual), np.linalg.norm(residual)
    direction = step = filtered(residual)
    product = np.vdot(residual, step)
    for _ in range(_STEPS):
        moved = applied(direction)
        share = product / max(np.vdot(direction, moved), 1e-12)
        estimate, residual = estimate + share * direction, residual - share * moved
        if np.linalg.norm(residual) < 1e-4 * length:
            break
        step = filtered(residual)
        product, before = np.vdot(residual, step), product
        direction = step + product / before * direction
    return estimate.astype(np.float32)


def richardson_lucy(picture: np.ndarray, kernel: np.ndarray, *, iterations: int) -> np.ndarray:
    """x <- x A'(y / A x) / A'1, again and again, which keeps x above 0: float32 (H, W, C).

    A blurs with mirrored borders, as `degrade.blur`; A' is its transpose; y the picture, clipped from below, since the
    method is made for counts of photons. It starts from the picture. It fits the noise too in the end: the number of
    iterations is what keeps it from that. Richardson, 1972; Lucy, 1974.
    """
    seen = np.maximum(picture, 1e-3)
    estimate = seen
    # Of all ones A'1, which is 1 away from the border.
    coverage = _transposed(np.ones(picture.shape[:2], np.float32)[..., np.newaxis], kernel)
    for _ in range(iterations):
        ratio = seen / np.maximum(_blurred(estimate, kernel), 1e-3)
        estimate = estimate * _transposed(ratio, kernel) / coverage
    return estimate.astype(np.float32)


def _mirrored_power(kernel: np.ndarray, height: int, width: int) -> np.ndarray:
    """|K|^2 at the frequencies of a picture's cosine transform, (H, W), each the mean of two that are mirror images."""
    rows, columns = 2 * height, 2 * width
    wrapped = np.zeros((rows, columns))  # a kernel larger than the picture comes round
    places = [np.arange(size) - size // 2 for size in kernel.shape]
    np.add.at(wrapped, np.ix_(places[0] % rows, places[1] % columns), kernel)
    power = np.abs(scipy.fft.fft2(wrapped)) ** 2
    return (power[:height, :width] + power[:height, -np.arange(width)]) / 2


def _slopes(height: int, width: int) -> np.ndarray:
    """4 - 2 cos u - 2 cos v at the same frequencies, (H, W)."""
    lines = [2 - 2 * np.cos(np.pi * np.arange(length) / length) for length in (height, width)]
    return lines[0][:, np.newaxis] + lines[1]


def _laplacian(picture: np.ndarray) -> np.ndarray:
    """-D'D x: the sum of differences to the four neighbours, with mirrored borders."""
    around = np.pad(picture, [(1, 1), (1, 1), (0, 0)], mode="edge")
    return around[:-2, 1:-1] + around[2:, 1:-1] + around[1:-1, :-2] + around[1:-1, 2:] - 4 * picture


def _blurred(picture: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """A x: mirrored as far as the kernel reaches, then the convolution where the kernel lies within."""
    margins = [size // 2 for size in kernel.shape]
    padded = np.pad(picture, [*((margin, margin) for margin in margins), (0, 0)], mode="symmetric")
    return scipy.signal.fftconvolve(padded, kernel[..., np.newaxis], mode="valid", axes=(0, 1))


def _transposed(picture: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """A' y: each value is sent back to the pixels that it came from, over the border to their mirror images."""
    spread = scipy.signal.fftconvolve(picture, kernel[::-1, ::-1, np.newaxis], mode="full", axes=(0, 1))
    for axis, size in enumerate(kernel.shape):
        spread = _folded(np.moveaxis(spread, axis, 0), size // 2)
        spread = np.moveaxis(spread, 0, axis)
    return spread


def _folded(lines: np.ndarray, margin: int) -> np.ndarray:
    """Lines (margin + n + margin, ...) -> (n, ...): those beyond the border added to what they mirror."""
    length = len(lines) - 2 * margin
    places = np.pad(np.arange(length), margin, mode="symmetric")
    folded = lines[margin : margin + length].copy()
    outside = np.r_[:margin, margin + length : len(lines)]
    np.add.at(folded, places[outside], lines[outside])
    return folded
