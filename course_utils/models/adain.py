"""Style transfer for any style by one network: the maps of a photograph take the statistics of a style (lesson 14).

After Huang and Belongie, "Arbitrary style transfer in real-time with adaptive instance normalization", 2017. VGG as far
as CODED is the encoder of content and of style alike; a decoder, its mirror image, is what learns.
"""

from collections.abc import Sequence

import keras
import numpy as np
from keras import layers, ops

from course_utils.models import vgg
from course_utils.models.pictures import sound
from course_utils.models.style import Mirror, total_variation
from course_utils.models.unet import CropLike, MirrorToMultiple

CODED = "conv3_1"  # its statistics are the code of a style
FRAME = 16  # pixels of its mirror image around a photograph: VGG and the decoder make fringes along borders
SMALLEST = 4  # pixels a side: CODED lies behind two poolings
COMPARED = ("conv1_1", "conv2_1", "conv3_1")  # whose statistics a painted picture should have, CODED the last

_CHANNELS = tuple(vgg.CHANNELS[int(name[4]) - 1] for name in COMPARED)
_LITTLE = 1e-3  # beside the variance of a map, whose numbers are in the tens
_FLOOR = 1e-3  # beside the variances along the axes of `whitening`, over the largest of them


def code(maps):
    """The mean and the standard deviation of each map over its places: (n, h, w, C) -> (n, 2, C)."""
    return ops.stack([ops.mean(maps, axis=(1, 2)), ops.sqrt(ops.var(maps, axis=(1, 2)) + _LITTLE)], axis=1)


def adain(maps, wanted):
    """Each map (n, h, w, C) shifted and scaled to the mean and the deviation that `wanted`, (n or 1, 2, C), has for it.

    Huang and Belongie, equation 8. A map that is constant becomes the wanted mean.
    """
    own, wanted = code(maps)[:, :, None, None], ops.convert_to_tensor(wanted)[:, :, None, None]
    return (maps - own[:, 0]) / own[:, 1] * wanted[:, 1] + wanted[:, 0]


def mixed(codes, shares: Sequence[float]):
    """Codes (k, 2, C) of k styles to one between them, (1, 2, C): their mean, weighted by shares that add up to 1.

    `adain` with it is the mean of `adain` with each, weighted alike, since adain is linear in the code.
    Raises ValueError for another number of shares than of codes, negative ones and other sums.
    """
    shares = np.asarray(shares, np.float32)
    if shares.shape != (codes.shape[0],) or not (shares >= 0).all() or abs(shares.sum() - 1) > 1e-3:
        raise ValueError(f"expected {codes.shape[0]} shares of 0 or more that add up to 1, got {shares.tolist()}")
    return ops.sum(ops.convert_to_tensor(shares)[:, None, None] * codes, axis=0, keepdims=True)


def decoder(widths: Sequence[int] = (128, 64, 32), name: str = "decoder") -> keras.Model:
    """Maps of CODED, (n, h, w, 256), to pictures (n, 4h, 4w, 3) in (0, 1): the encoder backwards.

    widths: maps at the size of the input, at twice and at four times it. Doubled by repeated pixels, and with no
    normalisation, which would take away the very statistics that the picture is to have. The layer "whitened" does not
    learn and starts as the identity: it is given the numbers of `whitening`.
    Raises ValueError for other than three widths and for widths under 1.
    """
    if len(widths) != 3 or min(widths) < 1:
        raise ValueError(f"expected three widths, 1 or more each, got {tuple(widths)}")

    def convolved(x, width: int):
        return layers.Conv2D(width, 3, padding="same", activation="relu", kernel_initializer="he_normal")(x)

    maps = layers.Input((None, None, _CHANNELS[-1]), name="maps")
    x = layers.Dense(_CHANNELS[-1], kernel_initializer="identity", trainable=False, name="whitened")(maps)
    x = convolved(convolved(x, widths[0]), widths[0])
    for width in widths[1:]:
        x = convolved(convolved(layers.UpSampling2D(2)(x), width), width)
    return keras.Model(maps, layers.Conv2D(3, 3, padding="same", activation="sigmoid", name="painted")(x), name=name)


def whitening(photographs: np.ndarray) -> list[np.ndarray]:
    """[kernel (256, 256), bias (256,)] for the layer "whitened" of a decoder, from photographs (n, H, W, 3) in [0, 1].

    After it each of the 256 numbers has mean 0 over places, no two go together, and all vary alike, but for those whose
    variance is under _FLOOR times the largest. As VGG gives them, some are a hundred times others and most go together:
    colours are small differences of large numbers, which a decoder learned slowly.
    Raises ValueError as `vgg.features` does when called.
    """
    encoder, found = vgg.features((CODED,), pooling="average"), []
    for start in range(0, len(photographs), 4):  # few at a time: maps are large
        maps = ops.convert_to_numpy(encoder(photographs[start : start + 4])[CODED])
        found.append(maps[:, ::4, ::4].reshape(-1, maps.shape[-1]))  # neighbours tell little more
    found = np.concatenate(found).astype(np.float64)
    variances, axes = np.linalg.eigh(np.cov(found.T))
    kernel = axes / np.sqrt(variances.clip(0) + _FLOOR * variances[-1])
    return [kernel.astype(np.float32), (-found.mean(axis=0) @ kernel).astype(np.float32)]


class AnyStyle(keras.Model):
    """Paints photographs in any style: `model([photographs, styles])`, float (n, h, w, 3) in [0, 1] of any size each.

    A photograph is painted with FRAME pixels of its mirror image around it, which are cut off again; in training it is
    not.

    `model.code(styles)` and `model.paint(photographs, codes, strength)` do so in two steps: a code that is kept spares
    the style its way through VGG, and codes can be mixed.

    network: as of `decoder`; its weights alone are those of the model.
    statistics: of the styles that it learns from, one row each, as the function of that name gives them, here or later
        as an attribute; None for a model that is not to be trained. Every second photograph of a batch gets one, drawn
        anew; the others are to come back as they are, from which the decoder learns colours much sooner.
    content_weight, variation_weight: of the distance of the painted picture's maps from those that were asked for, over
        their square, and of its total variation. Beside them stands, with weight 1, the squared difference of the
        statistics of COMPARED from those of the style, over their square, in the mean; for photographs that are to come
        back, with pixel_weight, the squared difference of the pixels, over their square.
    warm_up: steps at the start in which all photographs are to come back, and pixels alone count, as in Li, Fang, Yang,
        Wang, Lu and Yang, "Universal style transfer via feature transforms", 2017.
    `training.fit(model, photographs)` trains it, once compiled with an optimizer; no painted pictures are needed.
    Arrays are looked at first: ValueError for other than (n, h, w, 3), fewer than 4 pixels a side, whole numbers, NaN,
    infinity and numbers far outside [0, 1], such as 0 to 255.
    """

    input_range = (0.0, 1.0)

    def __init__(
        self,
        network: keras.Model,
        statistics: np.ndarray | None = None,
        *,
        pixel_weight: float = 5.0,
        content_weight: float = 1.0,
        variation_weight: float = 0.1,
        warm_up: int = 0,
        seed: int = 0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.network = network
        self.statistics, self.pixel_weight = statistics, pixel_weight
        self.content_weight, self.variation_weight = content_weight, variation_weight
        self.warm_up = warm_up
        self.draws = keras.random.SeedGenerator(seed)
        self.mirror, self.crop = MirrorToMultiple(4), CropLike()
        self.frame, self.unframe = Mirror(FRAME), layers.Cropping2D(FRAME)
        self.built = True  # the network is
        encoder, eyes = vgg.features((CODED,), pooling="average"), vgg.features(COMPARED, pooling="average")
        # Behind functions, where Keras does not count the weights of VGG as the model's own.
        self._encode, self._see = (lambda x: encoder(x)[CODED]), (lambda x: eyes(x))

    def code(self, styles):
        """Styles (n, H, W, 3) in [0, 1] to their codes, (n, 2, 256)."""
        return code(self._encode(sound(styles, smallest=SMALLEST)))

    def paint(self, photographs, codes, strength: float = 1.0):
        """Photographs (n, h, w, 3) in the styles of codes (n, 2, 256), or all in that of one, (1, 2, 256).

        strength: 1 as far as the style goes, 0 not at all: the photograph as the decoder gives it back. Between them
            the code lies as far between that of the photograph and that of the style.
        Raises ValueError for a strength outside [0, 1].
        """
        if not 0 <= strength <= 1:
            raise ValueError(f"strength must lie in [0, 1], got {strength}")
        framed = self.frame(sound(photographs, smallest=SMALLEST))
        maps = self._encode(self.mirror(framed))
        return self.unframe(self._decoded(strength * adain(maps, codes) + (1 - strength) * maps, framed))

    def call(self, inputs, training=False):
        if not training:
            photographs, styles = inputs
            return self.paint(photographs, self.code(styles))
        rows, count = ops.convert_to_tensor(self.statistics), ops.shape(inputs)[0]
        drawn = keras.random.randint((count,), 0, rows.shape[0], seed=self.draws)
        wanted_style = _by_layer(ops.take(rows, drawn, axis=0))
        styled = (ops.arange(count) % 2 == 1) & (self.optimizer.iterations >= self.warm_up)
        maps = self._encode(self.mirror(inputs))
        wanted = ops.where(styled[:, None, None, None], adain(maps, wanted_style[CODED]), maps)
        return self._decoded(wanted, inputs), wanted, wanted_style, styled

    def __call__(self, inputs, *arguments, training=False, **keywords):
        """In training of photographs alone: (painted, maps asked for, {layer: statistics drawn}, which got one).

        Raises ValueError where it is to be trained without statistics of styles or before it is compiled.
        """
        if training and self.statistics is None:
            raise ValueError("this model was made without the statistics of styles, which it needs to be trained")
        if training and not self.compiled:
            raise ValueError("this model must be compiled first: its warm-up counts the steps of the optimizer")
        if training:
            inputs = sound(inputs, smallest=SMALLEST)
        else:
            inputs = [sound(images, smallest=SMALLEST) for images in inputs]
        return super().__call__(inputs, *arguments, training=training, **keywords)

    def _decoded(self, maps, photographs):
        """The picture of these maps, as large as the photographs that they come from."""
        return self.crop([self.network(maps), photographs])

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        painted, wanted, wanted_style, styled = y_pred
        painted = ops.cast(painted, "float32")  # of what may be half precision; sums of squares are not
        pixels = self.pixel_weight * _relative(painted, x)

        def looks():
            maps = self._see(painted)
            style = sum(_relative(code(maps[name]), wanted_style[name]) for name in COMPARED) / len(COMPARED)
            content = _relative(maps[CODED], wanted)
            likeness = ops.where(styled, style, pixels)
            return ops.mean(likeness + self.content_weight * content + self.variation_weight * total_variation(painted))

        # What a decoder first has to learn, to give pictures back, it learns from pixels in a fraction of the time.
        return ops.cond(self.optimizer.iterations < self.warm_up, lambda: ops.mean(pixels), looks)


def statistics(styles: np.ndarray) -> np.ndarray:
    """What a model learns from of styles (n, H, W, 3) in [0, 1]: the codes of all COMPARED layers, (n, 2, 448)."""
    maps = vgg.features(COMPARED, pooling="average")(styles)
    return np.concatenate([ops.convert_to_numpy(code(maps[name])) for name in COMPARED], axis=-1)


def _by_layer(rows) -> dict:
    """The inverse: (n, 2, 448) to {layer: (n, 2, C)}."""
    starts = np.cumsum((0, *_CHANNELS))
    return {name: rows[:, :, starts[i] : starts[i + 1]] for i, name in enumerate(COMPARED)}


def _relative(found, wanted):
    """The squared difference over the square of what is wanted, of each of the batch: (n,)."""
    found, wanted = (ops.cast(values, "float32") for values in (found, wanted))
    axes = tuple(range(1, len(found.shape)))
    return ops.sum((found - wanted) ** 2, axis=axes) / ops.sum(wanted**2, axis=axes)
