"""Right and wrong answers to the exercises of lesson 14."""

import numpy as np
import tensorflow as tf

FIELDS = {
    "conv1_1": 3,
    "conv1_2": 5,
    "conv2_1": 10,
    "conv2_2": 14,
    "conv3_1": 24,
    "conv3_2": 32,
    "conv3_3": 40,
    "conv4_1": 60,
    "conv4_2": 76,
    "conv4_3": 92,
    "conv5_1": 132,
    "conv5_2": 164,
    "conv5_3": 196,
}


def _layer(pixels, fields=None, missing="none"):
    fields = FIELDS if fields is None else fields
    return next((name for name, field in fields.items() if field >= pixels), missing)


def _layer_by_steps(pixels, pooling=1, growth=2, name="conv{}_{}"):
    field = jump = 1
    for block, count in enumerate((2, 2, 3, 3, 3), start=1):
        if block > 1:
            field, jump = field + pooling * jump, growth * jump
        for number in range(1, count + 1):
            field += 2 * jump
            if field >= pixels:
                return name.format(block, number)
    return "none"


def _layer_by_search(pixels):
    names, fields = list(FIELDS), list(FIELDS.values())
    index = int(np.searchsorted(fields, pixels))
    return names[index] if index < len(names) else "none"


def _gram_by_loops(maps):
    channels = range(maps.shape[-1])
    return [[np.mean(maps[..., a] * maps[..., b]) for b in channels] for a in channels]


def _rows(maps):
    return maps.reshape(-1, maps.shape[-1])


def _gradient_by_tape(maps, g):
    x = tf.Variable(maps)
    with tf.GradientTape() as tape:
        rows = tf.reshape(x, (-1, maps.shape[-1]))
        loss = tf.reduce_sum(tf.transpose(rows) @ rows / maps[..., 0].size * g)
    return tape.gradient(loss, x).numpy()


def _gradient_by_einsum(maps, g):
    size = maps.shape[0] * maps.shape[1]
    return (np.einsum("hwb,ab->hwa", maps, g) + np.einsum("hwb,ba->hwa", maps, g)) / size


def _size(maps):
    return maps.shape[0] * maps.shape[1]


def _variation(picture, of=np.abs, mean=np.mean):
    return mean(of(picture[1:] - picture[:-1])) + mean(of(picture[:, 1:] - picture[:, :-1]))


def _moved(picture, wanted, spread=np.std, axes=(0, 1)):
    scale = spread(picture, axis=axes)
    scale = np.where(scale == 0, 1, scale)
    return (picture - picture.mean(axes)) / scale * spread(wanted, axis=axes) + wanted.mean(axes)


def _moved_by_channel(picture, wanted):
    planes = []
    for channel in range(picture.shape[-1]):
        plane, other = picture[..., channel], wanted[..., channel]
        if plane.std() == 0:
            planes.append(np.full(plane.shape, other.mean()))
        else:
            planes.append((plane - plane.mean()) * (other.std() / plane.std()) + other.mean())
    return np.stack(planes, axis=-1)


def _adain(maps, style, strength, **settings):
    return (1 - strength) * maps + strength * _moved(maps, style, **settings)


def _adain_by_mixed_codes(maps, style, strength):
    """Linear in the code: halfway to the style is all the way to a code halfway."""
    codes = [(x.mean((0, 1)), x.std((0, 1))) for x in (maps, style)]
    mean, spread = ((1 - strength) * own + strength * other for own, other in zip(*codes, strict=True))
    return (maps - codes[0][0]) / np.where(codes[0][1] == 0, 1, codes[0][1]) * spread + mean


ACCEPTED = {
    "e14_1": [_layer, _layer_by_steps, _layer_by_search],
    "e14_2": [
        lambda maps: np.einsum("hwa,hwb->ab", maps, maps) / _size(maps),
        _gram_by_loops,
        lambda maps: np.tensordot(maps, maps, axes=([0, 1], [0, 1])) / _size(maps),
    ],
    "e14_3": [
        lambda maps, g: (_rows(maps) @ (g + g.T)).reshape(maps.shape) / _size(maps),
        _gradient_by_tape,
        _gradient_by_einsum,
    ],
    "e14_4": [
        _variation,
        lambda picture: sum(np.abs(np.diff(picture, axis=axis)).mean() for axis in (0, 1)),
        lambda picture: np.float32(_variation(picture)),
    ],
    "e14_5": [_moved, _moved_by_channel, lambda picture, wanted: _moved(picture, wanted).astype(np.float32)],
    "e14_6": [
        _adain,
        _adain_by_mixed_codes,
        lambda maps, style, strength: maps + strength * (_moved_by_channel(maps, style) - maps),
    ],
}

REJECTED = {
    "e14_1": [
        (lambda pixels: _layer_by_steps(pixels, growth=1), "windows reach further"),
        (lambda pixels: _layer_by_steps(pixels, pooling=0), "sees one step further"),
        (lambda pixels: _layer(pixels + 1), "At least so many"),
        (lambda pixels: _layer(pixels - 1), "this one sees fewer"),
        (lambda pixels: _layer(pixels, missing="conv5_3"), "return 'none'"),
        (lambda pixels: _layer(pixels, missing=None), "returned nothing"),
        (lambda pixels: _layer_by_steps(pixels, name="block{}_conv{}"), "names are those"),
        (lambda pixels: "none", "Some convolution"),
        (lambda pixels: FIELDS[_layer(pixels)], "A name is wanted"),
        (lambda pixels: "conv1_1", "This convolution sees fewer"),
        (lambda pixels: "conv5_3", "An earlier convolution"),
    ],
    "e14_2": [
        (lambda maps: _rows(maps).T @ _rows(maps), "divided by their number"),
        (lambda maps: _rows(maps).T @ _rows(maps) / maps.size, "places alone"),
        (lambda maps: np.cov(_rows(maps).T, bias=True).reshape((maps.shape[-1],) * 2), "covariance"),
        (lambda maps: (maps**2).mean(axis=(0, 1)), "squares alone"),
        (lambda maps: _rows(maps) @ _rows(maps).T / _size(maps), "sums over the places"),
        (lambda maps: _rows(maps).T @ _rows(maps) / len(maps), "height times width"),
        (
            lambda maps: maps.reshape(maps.shape[-1], -1) @ maps.reshape(maps.shape[-1], -1).T / _size(maps),
            "mixes places",
        ),
    ],
    "e14_3": [
        (lambda maps, g: maps @ g / _size(maps), "one half of it"),
        (lambda maps, g: maps @ g.T / _size(maps), "half of it is missing"),
        (lambda maps, g: 2 * maps @ g / _size(maps), "for a symmetric g"),
        (lambda maps, g: 2 * maps @ g.T / _size(maps), "for a symmetric g, and"),
        (lambda maps, g: maps @ (g + g.T), "so is its gradient"),
        (lambda maps, g: -(maps @ (g + g.T)) / _size(maps), "wrong way round"),
        (lambda maps, g: maps @ (g + g.T) / 2 / _size(maps), "half of it"),
        (lambda maps, g: maps * 0, "which entries of G move"),
    ],
    "e14_4": [
        (lambda picture: _variation(picture, mean=np.sum), "the means are wanted"),
        (lambda picture: _variation(picture, of=np.square), "not squares"),
        (lambda picture: _variation(picture, of=lambda x: x), "cancel"),
        (lambda picture: np.abs(picture[1:] - picture[:-1]).mean(), "columns alone"),
        (lambda picture: np.abs(np.diff(picture, axis=1)).mean(), "rows alone"),
        (lambda picture: sum(np.abs(picture - np.roll(picture, 1, axis)).mean() for axis in (0, 1)), "goes round"),
        (lambda picture: _variation(picture) / 2, "half of it"),
        (lambda picture: 0.0, "without its last row"),
    ],
    "e14_5": [
        (lambda picture, wanted: picture - picture.mean((0, 1)) + wanted.mean((0, 1)), "picture's own"),
        (lambda picture, wanted: _moved(picture, wanted, spread=np.var), "not the variance"),
        (lambda picture, wanted: _moved(picture, wanted, axes=None), "over which axes"),
        (lambda picture, wanted: _moved(picture, wanted).clip(0, 1), "clipped"),
        (lambda picture, wanted: _moved(picture, wanted) - wanted.mean((0, 1)), "wanted mean is missing"),
        (
            lambda picture, wanted: (
                (picture - picture.mean((0, 1))) / picture.std((0, 1)) * wanted.std((0, 1)) + wanted.mean((0, 1))
            ),
            "no spread to divide by",
        ),
        (lambda picture, wanted: picture, "take its mean away"),
    ],
    "e14_6": [
        (lambda maps, style, strength: _adain(maps, style, 1 - strength), "other way round"),
        (lambda maps, style, strength: _moved(maps, style), "what does the strength do"),
        (lambda maps, style, strength: _adain(maps, style, strength, spread=np.var), "not the variance"),
        (lambda maps, style, strength: _adain(maps, style, strength, axes=None), "over which axes"),
        (
            lambda maps, style, strength: _adain(maps, style, strength) - strength * style.mean((0, 1)),
            "mean is missing",
        ),
        (lambda maps, style, strength: maps + strength * _moved(maps, style), "added whole"),
        (lambda maps, style, strength: maps, "take its mean away"),
        (
            lambda maps, style, strength: (
                (1 - strength) * maps
                + strength * ((maps - maps.mean((0, 1))) / maps.std((0, 1)) * style.std((0, 1)) + style.mean((0, 1)))
            ),
            "no spread to divide by",
        ),
        (  # the wanted mean for a constant map, whatever the strength
            lambda maps, style, strength: np.where(
                maps.std((0, 1)) == 0, style.mean((0, 1)), _adain(maps, style, strength)
            ),
            "at strength 1",
        ),
        (
            lambda maps, style, strength: _adain(
                maps, (style - style.mean((0, 1))) * style.std((0, 1)) + style.mean((0, 1)), strength
            ),
            "not by its variance",
        ),
    ],
}
