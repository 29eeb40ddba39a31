"""Right and wrong answers to the exercises of lesson 02."""

import math

import numpy as np
import scipy.signal


def _size(size, kernel_size, stride=1, padding=0, dilation=1):
    return (size + 2 * padding - dilation * (kernel_size - 1) - 1) // stride + 1


def _size_counted(size, kernel_size, stride=1, padding=0, dilation=1):
    reach, count, start = dilation * (kernel_size - 1) + 1, 0, 0
    while start + reach <= size + 2 * padding:
        count, start = count + 1, start + stride
    return count


def _right():
    kernel = np.zeros((3, 3))
    kernel[1, 0] = 1
    return kernel


def _split(kernel):
    left, strengths, right = np.linalg.svd(kernel)
    if strengths[1:].max(initial=0) > 1e-6 * strengths[0]:
        raise ValueError("not separable")
    return left[:, 0] * strengths[0], right[0]


def _split_from_largest_entry(kernel):
    if np.linalg.matrix_rank(kernel) > 1:
        raise ValueError("not separable")
    r, c = np.unravel_index(np.abs(kernel).argmax(), kernel.shape)
    return kernel[:, c], kernel[r] / kernel[r, c]


def _split_evenly(kernel):
    column, row = _split(kernel)
    size = math.sqrt(np.linalg.norm(column))
    return list(column / size), list(row * size)


def _split_exiting(kernel):
    try:
        return _split(kernel)
    except ValueError:
        raise SystemExit("not separable") from None


def _cost(height, width, kernel_size, channels_in, channels_out):
    weights = kernel_size * kernel_size * channels_in * channels_out
    return weights + channels_out, weights * height * width


def _cost_changed(weights_of=None, products_of=None):
    def cost(height, width, kernel_size, channels_in, channels_out):
        arguments = (height, width, kernel_size, channels_in, channels_out)
        weights, products = _cost(*arguments)
        return (weights_of or (lambda *_: weights))(*arguments), (products_of or (lambda *_: products))(*arguments)

    return cost


def _gradient(x, g, kernel_size, stride):
    gradient = np.zeros(kernel_size)
    for (r, c), upstream in np.ndenumerate(g):
        gradient += upstream * x[r * stride : r * stride + kernel_size[0], c * stride : c * stride + kernel_size[1]]
    return gradient


def _gradient_by_weight(x, g, kernel_size, stride):
    height, width = g.shape
    return [
        [np.sum(g * x[i::stride, j::stride][:height, :width]) for j in range(kernel_size[1])]
        for i in range(kernel_size[0])
    ]


def _gradient_dilated(x, g, kernel_size, stride):
    spread = np.kron(g, np.eye(1, stride * stride).reshape(stride, stride))
    rows, columns = x.shape[0] - kernel_size[0] + 1, x.shape[1] - kernel_size[1] + 1
    full = np.zeros((rows, columns))
    full[: spread.shape[0], : spread.shape[1]] = spread[:rows, :columns]
    return scipy.signal.correlate(x, full, "valid").astype(np.float32)


ACCEPTED = {
    "e2_1": [_right, lambda: [[0, 0, 0], [1, 0, 0], [0, 0, 0]], lambda: _right().astype(np.float32)],
    "e2_2": [_size, _size_counted, lambda *a, **k: np.int64(_size(*a, **k))],
    "e2_3": [_cost, lambda *a: list(_cost(*a)), lambda *a: np.array(_cost(*a))],
    "e2_4": [_split, _split_from_largest_entry, _split_evenly],
    "e2_5": [_gradient, _gradient_by_weight, _gradient_dilated],
}


def _split_refusing_all(kernel):
    u, s, v = np.linalg.svd(kernel)
    if np.any(s[1:] != 0):
        raise ValueError("not separable")
    return u[:, 0] * s[0], v[0]


def _gradient_by_open_slices(x, g, kernel_size, stride):
    rows, columns = kernel_size
    return np.array([[np.sum(x[i::stride, j::stride] * g) for j in range(columns)] for i in range(rows)])


REJECTED = {
    "e2_1": [
        (lambda: np.array([[0, 0, 0], [0, 0, 1], [0, 0, 0]]), "to the left"),
        (lambda: np.array([[0, 0, 0], [0, 1, 0], [0, 0, 0]]), "where it is"),
        (lambda: np.array([[0, 1, 0], [0, 0, 0], [0, 0, 0]]), "up or down"),
        (lambda: np.array([[0, 0, 0], [0, 0, 0], [0, 1, 0]]), "up or down"),
        (lambda: np.array([1, 0, 0]), "three rows"),
        (lambda: [[0, 0, 0], [1, 0], [0, 0, 0]], "an array of numbers"),
        (lambda: [[None, None, None], [1, None, None], [None, None, None]], "an array of numbers"),
        (lambda: np.array([[0, 0, 0], [2, 0, 0], [0, 0, 0]]), "brightness"),
        (lambda: np.array([[0, 0, 0], [0.5, 0.5, 0], [0, 0, 0]]), "one pixel should be copied"),
    ],
    "e2_2": [
        (lambda size, kernel_size, **_: size - kernel_size, "one more time"),
        (lambda s, k, stride=1, padding=0, dilation=1: _size(s, k, stride, 0, dilation), "both sides"),
        (lambda s, k, stride=1, padding=0, dilation=1: _size(s + padding, k, stride, 0, dilation), "both sides"),
        (lambda s, k, stride=1, padding=0, dilation=1: _size(s, k, 1, padding, dilation), "stride divides"),
        (lambda s, k, stride=1, padding=0, dilation=1: _size(s, k, stride, padding, 1), "dilation"),
        (lambda s, k, stride=1, padding=0, dilation=1: _size(s, dilation * k, stride, padding), "reach over"),
        (lambda s, k, stride=1, padding=0, dilation=1: math.ceil((s + 2 * padding - k) / stride) + 1, "round down"),
        (lambda *a, **k: float(_size(*a, **k)), "whole number"),
        (lambda *a, **k: print("7"), "returned nothing"),
    ],
    "e2_3": [
        (_cost_changed(weights_of=lambda h, w, k, i, o: k * k * i * o), "bias"),
        (_cost_changed(weights_of=lambda h, w, k, i, o: k * k * i * o + i * o), "not one for each"),
        (_cost_changed(products_of=lambda h, w, k, i, o: (h - k + 1) * (w - k + 1) * k * k * i * o), "every pixel"),
        (_cost_changed(products_of=lambda h, w, k, i, o: h * w * (k * k * i * o + o)), "no multiplication"),
        (_cost_changed(lambda h, w, k, i, o: k * k * o + o, lambda h, w, k, i, o: h * w * k * k * o), "all input"),
        (_cost_changed(lambda h, w, k, i, o: k * i * o + o, lambda h, w, k, i, o: h * w * k * i * o), "as high as"),
        (lambda *a: _cost(*a)[::-1], "Weights come first"),
    ],
    "e2_4": [
        (lambda kernel: _split(kernel)[::-1], "column comes first"),
        (lambda kernel: (np.linalg.svd(kernel)[0][:, 0], np.linalg.svd(kernel)[2][0]), "singular value"),
        (lambda kernel: np.outer(*_split(kernel)), "Return two things"),
        (lambda kernel: tuple(np.abs(part) for part in _split(kernel)), "signs are lost"),
        (lambda kernel: (-_split(kernel)[0], _split(kernel)[1]), "signs of the two factors"),
        (lambda kernel: (kernel[:, 0], kernel[0]), "singular value"),
        (lambda kernel: (np.linalg.svd(kernel)[0][:, -1], np.linalg.svd(kernel)[2][-1]), "largest singular value"),
        (
            lambda kernel: (lambda u, s, v: (u[:, 0] * s[0], v[0]))(*np.linalg.svd(kernel)),
            "not separable",
        ),
        (_split_exiting, "not separable"),
        (_split_refusing_all, "singular values that should be 0"),
        (lambda kernel: tuple(np.zeros(length) for length in kernel.shape), "zero everywhere"),
        (lambda kernel: [part[:, None] for part in _split(kernel)], "one-dimensional"),
    ],
    "e2_5": [
        (lambda x, g, kernel_size, stride: _gradient(x, g, kernel_size, 1), "do not move by the stride"),
        (lambda x, g, kernel_size, stride: _gradient(x, g, kernel_size, stride)[::-1, ::-1], "turned by 180"),
        (lambda x, g, kernel_size, stride: _gradient(x, g, kernel_size, stride) / g.size, "not a mean"),
        (lambda x, g, kernel_size, stride: -_gradient(x, g, kernel_size, stride), "sign"),
        (lambda x, g, kernel_size, stride: _gradient(x, g, kernel_size, stride).T, "Write the sum"),
        (lambda x, g, kernel_size, stride: _gradient(x, np.ones_like(g), kernel_size, stride), "Write the sum"),
        (lambda x, g, kernel_size, stride: scipy.signal.correlate2d(x, g, "valid"), "Write the sum"),
        (_gradient_by_open_slices, "let the slice of x end"),
    ],
}
