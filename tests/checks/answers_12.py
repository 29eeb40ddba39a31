"""Right and wrong answers to the exercises of lesson 12."""

import math

import numpy as np
import scipy.signal
from keras import ops

from course_utils.models.masked import PartialConvolution


def _noise_by_loops(kernel, sigma):
    variance = 0
    for row in kernel:
        for weight in row:
            variance += float(weight) ** 2 * sigma**2
    return math.sqrt(variance)


def _noise_in_single_precision(kernel, sigma):
    return np.float32(sigma) * np.sqrt(np.sum(np.float32(kernel) ** 2))


def _row_by_loops(row, kernel):
    n, half = len(row), len(kernel) // 2
    out = []
    for i in range(n):
        total = 0.0
        for a in range(-half, half + 1):
            j = (i - a) % (2 * n)
            total += kernel[a + half] * row[j if j < n else 2 * n - 1 - j]
        out.append(total)
    return out


def _row_by_matrix(row, kernel):
    half = len(kernel) // 2
    places = np.pad(np.arange(len(row)), half, mode="symmetric")
    K = np.zeros((len(row), len(row)))
    for i in range(len(row)):
        np.add.at(K[i], places[i : i + len(kernel)], kernel[::-1])
    return K @ row


def _row_by_signal(row, kernel):
    half = len(kernel) // 2
    ends = row[:half][::-1], row[len(row) - half :][::-1]
    return scipy.signal.fftconvolve(np.concatenate([ends[0], row, ends[1]]), kernel, "valid")


def _padded_row(mode, turn=False, **options):
    def blur_row(row, kernel):
        padded = np.pad(row, len(kernel) // 2, mode=mode, **options)
        return np.convolve(padded, kernel[::-1] if turn else kernel, "valid")

    return blur_row


def _K(kernel, count, shift=None):
    padded = np.zeros(count)
    padded[: len(kernel)] = kernel
    return np.fft.fft(np.roll(padded, -(len(kernel) // 2) if shift is None else shift))


def _gain(gain):
    def wiener_gain(kernel, noise_to_signal):
        return gain(_K(kernel, len(noise_to_signal)), np.asarray(noise_to_signal))

    return wiener_gain


def _gain_by_phases(kernel, noise_to_signal):
    count, half = len(noise_to_signal), len(kernel) // 2
    K = np.fft.fft(kernel, count) * np.exp(2j * np.pi * np.arange(count) * half / count)
    return np.conj(K) / (K.real**2 + K.imag**2 + noise_to_signal)


def _gain_of_indices(kernel, noise_to_signal):
    x = [0.0] * len(noise_to_signal)
    for a, weight in enumerate(kernel):
        x[(a - len(kernel) // 2) % len(x)] += weight
    K = np.fft.fft(x)
    return [complex(value).conjugate() / (abs(value) ** 2 + r) for value, r in zip(K, noise_to_signal, strict=True)]


def _gain_unrolled(kernel, noise_to_signal):
    K = np.fft.fft(kernel, len(noise_to_signal))
    return np.conj(K) / (np.abs(K) ** 2 + noise_to_signal)


def _gain_rolled_back(kernel, noise_to_signal):
    K = _K(kernel, len(noise_to_signal), len(kernel) // 2)
    return np.conj(K) / (np.abs(K) ** 2 + noise_to_signal)


def _gain_without_zeros(kernel, noise_to_signal):
    K = np.fft.fft(kernel)
    return np.conj(K) / (np.abs(K) ** 2 + noise_to_signal)


def _squares(clean, filled, mask):
    return np.square(clean - filled) * mask


def _hidden_by_pictures(clean, filled, mask):
    errors = []
    for one, other, hole in zip(clean, filled, mask, strict=True):
        difference = (one - other)[hole[..., 0] == 1]
        errors.append(np.mean(difference**2) if difference.size else 0)
    return errors


def _hidden_by_keras(clean, filled, mask):
    wide = ops.broadcast_to(mask, clean.shape)
    total = ops.sum(ops.square(clean - filled) * wide, axis=(1, 2, 3))
    return ops.convert_to_numpy(ops.divide_no_nan(total, ops.sum(wide, axis=(1, 2, 3))))


def _hidden_by_einsum(clean, filled, mask):
    total = np.einsum("nhwc,nhwc,nhwk->n", clean - filled, clean - filled, mask)
    return total / (mask.sum(axis=(1, 2, 3)) + 1e-12) / clean.shape[-1]


def _hidden(divide):
    return lambda clean, filled, mask: divide(_squares(clean, filled, mask).sum(axis=(1, 2, 3)), mask, clean.shape)


def _hidden_of_floats(clean, filled, mask):
    squares = _squares(clean, filled, mask)
    return [float(s.sum()) / (int(m.sum()) * clean.shape[-1]) for s, m in zip(squares, mask, strict=True)]


def _known_sum(window, known, kernel):
    return sum(float(window[place] @ kernel[place]) for place in np.ndindex(known.shape) if known[place])


def _partial_by_loops(window, known, kernel, bias):
    count = sum(1 for value in known.flat if value)
    return _known_sum(window, known, kernel) * known.size / count + bias if count else 0


def _partial_by_where(window, known, kernel, bias):
    filled = np.where(known[..., None] > 0, window, 0.0)
    count = known.sum()
    return np.where(count > 0, (filled * kernel).sum() * known.size / max(count, 1) + bias, 0.0)


def _partial_by_mean(window, known, kernel, bias):
    products = np.nansum(window * kernel * known[..., None], axis=-1)
    return products[known == 1].mean() * known.size + bias if known.any() else np.float32(0)


def _partial_by_the_layer(window, known, kernel, bias):
    layer = PartialConvolution(1, len(known))
    maps, place = np.nan_to_num(window)[None], known[None, ..., None].astype("float32")
    layer.build([maps.shape, place.shape])
    layer.set_weights([kernel[..., None], np.array([bias])])
    out, _ = layer([ops.convert_to_tensor(maps, "float32"), ops.convert_to_tensor(place)])
    return float(out[0, len(known) // 2, len(known) // 2, 0])


def _partial(result):
    return lambda window, known, kernel, bias: result(_known_sum(window, known, kernel), known, bias)


def _partial_with_nan(window, known, kernel, bias):
    return (window * known[..., None] * kernel).sum() * known.size / known.sum() + bias if known.any() else 0.0


ACCEPTED = {
    "e12_1": [
        lambda kernel, sigma: sigma * np.linalg.norm(kernel),
        lambda kernel, sigma: math.sqrt(sigma**2 * (kernel**2).sum()),
        _noise_by_loops,
        _noise_in_single_precision,
    ],
    "e12_2": [_padded_row("symmetric"), _row_by_loops, _row_by_matrix, _row_by_signal],
    "e12_3": [
        _gain(lambda K, ratio: np.conj(K) / (np.abs(K) ** 2 + ratio)),
        _gain_by_phases,
        _gain_of_indices,
        _gain(lambda K, ratio: np.complex64(K.conj() / ((K * K.conj()).real + ratio))),
    ],
    "e12_4": [_hidden_by_pictures, _hidden_by_keras, _hidden_by_einsum],
    "e12_5": [_partial_by_loops, _partial_by_where, _partial_by_mean, _partial_by_the_layer],
}

REJECTED = {
    "e12_1": [
        (lambda kernel, sigma: sigma**2 * np.sum(kernel**2), "variance"),
        (lambda kernel, sigma: sigma * np.sum(kernel**2), "needs its root"),
        (lambda kernel, sigma: sigma / np.sqrt(kernel.size), "right for equal weights"),
        (lambda kernel, sigma: sigma / kernel.size, "cancel less"),
        (lambda kernel, sigma: sigma * kernel.sum(), "constant picture"),
        (lambda kernel, sigma: sigma * np.abs(kernel).sum(), "sizes are added"),
        (lambda kernel, sigma: sigma * np.sqrt(np.mean(kernel**2)), "added up, not averaged"),
        (lambda kernel, sigma: sigma * np.linalg.norm(kernel, 2), "singular value"),
        (lambda kernel, sigma: np.sqrt(sigma * np.sum(kernel**2)), "outside"),
        (lambda kernel, sigma: sigma * np.linalg.norm(kernel / kernel.sum()), "scaled to the sum 1"),
    ],
    "e12_2": [
        (_padded_row("constant"), "zeros"),
        (_padded_row("reflect"), "without the end pixel"),
        (_padded_row("wrap"), "wraps round"),
        (_padded_row("edge"), "for ever"),
        (_padded_row("symmetric", turn=True), "wrong way round"),
        (lambda row, kernel: np.convolve(row, kernel), "full convolution"),
        (lambda row, kernel: np.convolve(row, kernel, "valid"), "wholly inside"),
        (lambda row, kernel: np.roll(_row_by_loops(row, kernel), 1), "to the right"),
        (lambda row, kernel: np.array(_row_by_loops(row, kernel)) / kernel.sum(), "sum 1"),
    ],
    "e12_3": [
        (_gain(lambda K, ratio: 1 / K), "inverse filter"),
        (_gain(lambda K, ratio: K / (np.abs(K) ** 2 + ratio)), "conjugate"),
        (_gain(lambda K, ratio: np.conj(K) / (np.abs(K) + ratio)), "not squared"),
        (_gain(lambda K, ratio: np.conj(K) / (np.abs(K) ** 2 + ratio**2)), "squared again"),
        (_gain(lambda K, ratio: 1 / (np.abs(K) ** 2 + ratio)), "lacks the conjugate"),
        (_gain(lambda K, ratio: np.abs(K) ** 2 / (np.abs(K) ** 2 + ratio)), "comes through"),
        (_gain(lambda K, ratio: np.abs(K) / (np.abs(K) ** 2 + ratio)), "phase is lost"),
        (_gain(lambda K, ratio: np.conj(K) / (np.abs(K) ** 2 + 1 / ratio)), "Signal to noise"),
        (_gain(lambda K, ratio: np.conj(K) / (K**2 + ratio)), "with its phase"),
        (_gain_unrolled, "begins at place 0"),
        (_gain_rolled_back, "wrong way"),
        (_gain_without_zeros, "needs zeros"),
    ],
    "e12_4": [
        (_hidden(lambda total, mask, shape: total / np.prod(shape[1:])), "all values of a picture"),
        (lambda clean, filled, mask: np.mean((clean - filled) ** 2, axis=(1, 2, 3)), "all values of a picture"),
        (_hidden(lambda total, mask, shape: total / np.maximum(mask.sum(axis=(1, 2, 3)), 1)), "several values"),
        (_hidden(lambda total, mask, shape: total / (mask.sum(axis=(1, 2, 3)) * shape[-1])), "NaN"),
        (_hidden_of_floats, "no hole"),
        (_hidden(lambda total, mask, shape: total.sum() / (mask.sum() * shape[-1])), "one number for each"),
        (lambda *arguments: np.mean(_hidden_by_pictures(*arguments)), "averaged"),
        (lambda *arguments: np.sqrt(_hidden_by_pictures(*arguments)), "root"),
        (_hidden(lambda total, mask, shape: total), "sums"),
        (lambda clean, filled, mask: _hidden_by_pictures(clean, filled, 1 - mask), "mask is 1"),
        (_squares, "one by one"),
    ],
    "e12_5": [
        (_partial(lambda total, known, bias: total + bias), "scaled up"),
        (_partial(lambda total, known, bias: total / known.sum() + bias), "mean of the known"),
        (_partial(lambda total, known, bias: (total + bias) * known.size / known.sum()), "scaled as well"),
        (_partial(lambda total, known, bias: total * known.sum() / known.size + bias), "upside down"),
        (_partial(lambda total, known, bias: total * known.size / known.sum()), "bias is missing"),
        (_partial(lambda total, known, bias: total * known.size / max(known.sum(), 1) + bias), "bias does not count"),
        (_partial(lambda total, known, bias: total * known.size / known.sum() + bias), "0 divided by 0"),
        (_partial_with_nan, "NaN"),
        (lambda window, known, kernel, bias: (window * kernel).sum() + bias, "hole counts"),
    ],
}
