"""Right and wrong answers to the exercises of lesson 01."""

import numpy as np
import scipy.ndimage
import skimage
from PIL import Image

WEIGHTS = np.array([0.299, 0.587, 0.114])


def _to_float(picture):
    white = np.iinfo(picture.dtype).max if picture.dtype.kind == "u" else 1
    return (picture.astype(np.float64) / white).astype(np.float32)


def _to_float_by_table(picture):
    white = {"uint8": 255, "uint16": 65535}.get(str(picture.dtype), 1)
    return np.float32(1 / white) * picture.astype(np.float32)


def _from_elsewhere(batch):
    return np.moveaxis(batch, 1, -1)[..., [2, 1, 0]].astype(np.float32) / 255


def _from_elsewhere_by_loop(batch):
    pictures = [np.dstack([picture[2], picture[1], picture[0]]) for picture in batch]
    return np.float32(np.stack(pictures) / 255)


def _from_elsewhere_by_einsum(batch):
    return np.einsum("nkrc->nrck", batch[:, ::-1] / np.float32(255))


def _saturate(picture, amount):
    grey = (picture * WEIGHTS).sum(axis=-1, keepdims=True)
    return amount * picture + (1 - amount) * grey


def _saturate_by_matrix(picture, amount):
    matrix = amount * np.eye(3) + (1 - amount) * np.outer(np.ones(3), WEIGHTS)
    return picture @ matrix.T


def _saturate_by_loop(picture, amount):
    result = np.empty(picture.shape, np.float32)
    for r, c in np.ndindex(picture.shape[:2]):
        grey = float(picture[r, c] @ WEIGHTS)
        result[r, c] = [grey + amount * (value - grey) for value in picture[r, c]]
    return result


def _saturate_around(grey_of):
    return lambda picture, amount: grey_of(picture) + amount * (picture - grey_of(picture))


def _grey(picture):
    return (picture @ WEIGHTS)[..., None]


def _shrink(picture, factor):
    height, width = (size // factor * factor for size in picture.shape[:2])
    return sum(picture[i:height:factor, j:width:factor] for i in range(factor) for j in range(factor)) / factor**2


def _shrink_by_loop(picture, factor):
    result = np.empty((picture.shape[0] // factor, picture.shape[1] // factor, picture.shape[2]), np.float32)
    for r, c, k in np.ndindex(result.shape):
        result[r, c, k] = picture[r * factor : (r + 1) * factor, c * factor : (c + 1) * factor, k].mean()
    return result


def _shrink_by_library(picture, factor):
    rows, columns = picture.shape[0] // factor, picture.shape[1] // factor
    return skimage.transform.downscale_local_mean(picture[: rows * factor, : columns * factor], (factor, factor, 1))


def _shrink_all(picture, factor):
    """Rim squares included."""
    height, width = picture.shape[:2]
    rows, columns = range(0, height, factor), range(0, width, factor)
    return np.array([[picture[r : r + factor, c : c + factor].mean(axis=(0, 1)) for c in columns] for r in rows])


def _shrink_off_by_one(picture, factor):
    smooth = scipy.ndimage.uniform_filter(picture, (factor, factor, 1))[::factor, ::factor]
    return smooth[: picture.shape[0] // factor, : picture.shape[1] // factor]


def _shrink_reshaped(picture, factor, shape, axis):
    rows, columns = picture.shape[0] // factor, picture.shape[1] // factor
    sizes = {"r": rows, "c": columns, "f": factor, "F": factor**2}
    whole = picture[: rows * factor, : columns * factor]
    return whole.reshape(*(sizes[name] for name in shape), -1).mean(axis=axis)


def _shares(picture):
    return np.array([np.count_nonzero(picture <= v) for v in range(256)]) / picture.size


def _match(picture, reference):
    table = np.searchsorted(_shares(reference), _shares(picture)).clip(0, 255).astype(np.uint8)
    return table[picture]


def _match_by_argmax(picture, reference):
    reaches = _shares(reference)[None, :] >= _shares(picture)[:, None]  # (256 v, 256 w)
    return reaches.argmax(axis=1)[picture].astype(np.uint8)


def _match_by_quantile(picture, reference):
    ordered = np.sort(reference.ravel())
    below = np.searchsorted(np.sort(picture.ravel()), picture.ravel(), side="right")  # pixels at or below
    place = -(-below * ordered.size // picture.size) - 1
    return ordered[place].reshape(picture.shape)


def _match_counts(picture, reference):
    counts, wanted = (np.bincount(one.ravel(), minlength=256).cumsum() for one in (reference, picture))
    return np.searchsorted(counts, wanted).clip(0, 255).astype(np.uint8)[picture]


def _directions(x, y, bins=8):
    places = (np.arctan2(y, x).ravel() / np.pi % 1 * bins).astype(int) % bins
    lengths = np.hypot(x, y).ravel()
    return np.bincount(places, lengths, bins) / lengths.sum()


def _directions_by_histogram(x, y, bins=8):
    lengths = np.sqrt(x**2 + y**2)
    sums, _ = np.histogram(np.degrees(np.arctan2(y, x)) % 180, bins, (0, 180), weights=lengths)
    return sums / lengths.sum()


def _directions_by_loop(x, y, bins=8):
    sums = [0.0] * bins
    for across, down in zip(np.ravel(x), np.ravel(y), strict=True):
        angle = np.arctan2(down, across)
        angle += np.pi * (angle < 0)
        angle -= np.pi * (angle >= np.pi)
        sums[int(angle / np.pi * bins)] += np.hypot(across, down)
    return np.array(sums) / sum(sums)


def _directions_of(angle, weight=np.hypot, turn=np.pi, normalise=True):
    """The exercise with its angle, its weight, the turn it folds at, or its division replaced."""

    def answer(x, y, bins=8):
        places = (angle(x, y).ravel() / turn % 1 * bins).astype(int) % bins
        sums = np.bincount(places, weight(x, y).ravel(), bins)
        return sums / sums.sum() if normalise else sums

    return answer


def _angle(x, y):
    return np.arctan2(y, x)


def _directions_unfolded(x, y, bins=8):
    places = (np.arctan2(y, x).ravel() / np.pi * bins).astype(int)
    return np.bincount(places, np.hypot(x, y).ravel(), bins) / np.hypot(x, y).sum()


def _directions_half_folded(x, y, bins=8):
    angle = np.arctan2(y, x).ravel()
    places = (np.where(angle < 0, angle + np.pi, angle) / np.pi * bins).astype(int)
    return np.bincount(places, np.hypot(x, y).ravel(), bins) / np.hypot(x, y).sum()


def _directions_of_arrows_downwards(x, y, bins=8):
    sums, _ = np.histogram(np.degrees(np.arctan2(y, x)), bins, (0, 180), weights=np.hypot(x, y))
    return sums / sums.sum()


def _directions_shifted(x, y, bins=8):
    sums, _ = np.histogram(np.degrees(np.arctan2(y, x)), bins, weights=np.hypot(x, y), range=(-180, 180))
    return sums / sums.sum()


ACCEPTED = {
    "e1_1": [_to_float, _to_float_by_table, lambda picture: skimage.util.img_as_float32(picture)],
    "e1_2": [_from_elsewhere, _from_elsewhere_by_loop, _from_elsewhere_by_einsum],
    "e1_3": [_shrink, _shrink_by_loop, _shrink_by_library],
    "e1_4": [_saturate, _saturate_by_matrix, _saturate_by_loop],
    "e1_5": [_match, _match_by_argmax, _match_by_quantile],
    "e1_6": [_directions, _directions_by_histogram, _directions_by_loop],
}


def _divided_by_white(picture):
    return (picture / np.iinfo(picture.dtype).max).astype(np.float32)


REJECTED = {
    "e1_1": [
        (lambda picture: (picture / picture.max()).astype(np.float32), "brightest pixel"),
        (lambda picture: (picture / 256).astype(np.float32), "powers of two"),
        (lambda picture: (picture / 255).astype(np.float32), "not 255 for every dtype"),
        (lambda picture: picture.astype(np.float32), "still those of the file"),
        (lambda picture: _to_float(picture).astype(np.float64), "float32"),
        (lambda picture: _to_float(picture if picture.dtype.kind != "f" else picture / 255), "leave their values"),
        (lambda picture: (picture // 255).astype(np.float32), "means white"),
        (lambda picture: _to_float(picture).tolist(), "NumPy array"),
        (lambda picture: (picture / np.iinfo(picture.dtype).max).astype(np.float32), "True is white already"),
        (
            lambda picture: _to_float(picture) if picture.dtype == bool else _divided_by_white(picture),
            "floats are in [0, 1] already",
        ),
        (lambda picture: _to_float(picture[..., None]), "means white"),
    ],
    "e1_2": [
        (lambda batch: np.moveaxis(batch, 1, -1).astype(np.float32) / 255, "still exchanged"),
        (lambda batch: batch.reshape(len(batch), *batch.shape[2:], 3)[..., ::-1] / np.float32(255), "move the axis"),
        (lambda batch: _from_elsewhere(batch) * 255, "still bytes"),
        (lambda batch: batch[:, ::-1] / np.float32(255), "still in front"),
        (lambda batch: batch / np.float32(255), "order of before"),
        (lambda batch: batch.T[..., ::-1, :].transpose(3, 0, 1, 2) / np.float32(255), "height comes before width"),
        (lambda batch: np.swapaxes(batch, 1, -1) / np.float32(255), "so are red and blue"),
        (lambda batch: _from_elsewhere(batch).astype(np.float64), "dtype"),
        (lambda batch: (np.moveaxis(batch, 1, -1)[..., ::-1] // 255).astype(np.float32), "Three steps"),
        (lambda batch: np.moveaxis(batch, 1, -1)[:, ::-1] / np.float32(255), "upside down"),
    ],
    "e1_3": [
        (lambda picture, factor: _shrink(picture, factor) * factor**2, "not a sum"),
        (lambda p, f: p[: p.shape[0] // f * f : f, : p.shape[1] // f * f : f], "keeps one pixel"),
        (_shrink_all, "round the size down"),
        (lambda p, f: np.repeat(_shrink(p, f).mean(axis=-1, keepdims=True), p.shape[2], axis=-1), "channels are mixed"),
        (lambda picture, factor: _shrink(picture, factor).mean(axis=-1), "without its channels"),
        (lambda picture, factor: _shrink_reshaped(picture, factor, "rcF", 2), "wrong places"),
        (lambda picture, factor: _shrink_reshaped(picture, factor, "frfc", (0, 2)), "not the ones inside"),
        (lambda picture, factor: _shrink(picture.swapaxes(0, 1), factor), "begin"),
        (lambda picture, factor: _shrink(picture, factor).round(), "no rounding"),
        (_shrink_off_by_one, "begin"),
        (lambda p, f: p.reshape(p.shape[0] // f, f, p.shape[1] // f, f, -1).mean(axis=(1, 3)), "Whole squares first"),
        (
            lambda picture, factor: skimage.measure.block_reduce(picture, (factor, factor, 1), np.mean),
            "filled up with black",
        ),
    ],
    "e1_4": [
        (_saturate_around(lambda picture: picture.mean(axis=-1, keepdims=True)), "same luma"),
        (lambda picture, amount: _saturate(picture, 1 - amount), "wrong way round"),
        (lambda picture, amount: amount * picture, "brighter or darker"),
        (lambda picture, amount: picture + amount * (picture - _grey(picture)), "1 should change nothing"),
        (lambda picture, amount: amount * (picture - _grey(picture)), "put the grey"),
        (lambda picture, amount: _saturate(picture, amount).clip(0, 1), "Nothing is clipped"),
        (_saturate_around(lambda picture: picture.max(axis=-1, keepdims=True)), "scale the rest"),
        (lambda picture, amount: picture @ WEIGHTS, "scale the rest"),
    ],
    "e1_5": [
        (lambda picture, reference: _match(reference, picture), "changed places"),
        (_match_counts, "not counts"),
        (lambda picture, reference: np.round(255 * _shares(picture)[picture]).astype(np.uint8), "is equalising"),
        (lambda p, r: (p + (r.mean() - p.mean())).clip(0, 255).astype(np.uint8), "whole distribution"),
        (
            lambda p, r: np.searchsorted(_shares(r), _shares(p), side="right").clip(0, 255).astype(np.uint8)[p],
            "equal included",
        ),
        (lambda picture, reference: np.maximum(_match(picture, reference), 1) - 1, "One too low"),
        (lambda picture, reference: _match(picture, reference).astype(float), "dtype"),
        (
            lambda p, r: np.interp(_shares(p), _shares(r), np.arange(256))[p].astype(np.uint8),
            "Nothing is to be interpolated",
        ),
        (
            lambda p, r: np.interp(_shares(p), _shares(r), np.arange(256)).round()[p].astype(np.uint8),
            "Nothing is to be interpolated",
        ),
        (
            lambda p, r: np.abs(_shares(r) - _shares(p)[:, None]).argmin(axis=1).astype(np.uint8)[p],
            "nearest share",
        ),
        (lambda p, r: np.resize(np.sort(r.ravel()), p.shape), "keep its place"),
        (lambda picture, reference: reference, "shape"),
        (lambda p, r: np.array(Image.fromarray(p).point(list(_shares(p) * 0 + 7))), "For one value v"),
    ],
    "e1_6": [
        (_directions_of(_angle, weight=lambda x, y: np.ones(x.shape)), "counts the arrows"),
        (_directions_of(_angle, weight=lambda x, y: x**2 + y**2), "not their squares"),
        (_directions_of(_angle, normalise=False), "add up to one"),
        (lambda x, y, bins: _directions_of(_angle, normalise=False)(x, y, bins) / x.size, "number of arrows"),
        (_directions_of(lambda x, y: np.arctan2(x, y)), "downwards first"),
        (_directions_of(_angle, turn=2 * np.pi), "modulo 180"),
        (_directions_of(lambda x, y: np.abs(_angle(x, y))), "mirrors the angles"),
        (_directions_shifted, "modulo 180"),
        (_directions_of_arrows_downwards, "point up"),
        (_directions_unfolded, "Negative angles"),
        (_directions_half_folded, "One range too many"),
        (lambda x, y, bins: _directions(x, y, 8)[:bins], "Three steps"),
        (lambda x, y, bins: np.array(7), "Three steps"),
    ],
}
