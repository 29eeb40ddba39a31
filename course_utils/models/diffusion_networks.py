"""The networks of diffusion (lesson 10): told a time, and a class where there are any, beside what has noise in it."""

import math
from collections.abc import Callable, Sequence

import keras
from keras import layers

from course_utils.models.diffusion import TimeWaves
from course_utils.models.super_resolution import SubPixel
from course_utils.models.unet import CropLike, MirrorToMultiple, Unshuffle, plain_convolution, unet

_FINE = 16  # maps at the full size of a picture, so that the four pixels of an unshuffled one come to agree


def unet_with_time(
    image_shape: tuple[int, int, int],
    classes: int | None = None,
    *,
    widths: Sequence[int] = (32, 64, 96),
    blocks: int = 1,
    embedding: int = 128,
    name: str = "unet_with_time",
) -> keras.Model:
    """[x_t (n, h, w, c), times (n,)] and, with `classes`, one-hot labels (n, classes), to a prediction (n, h, w, c).

    The U-Net of `models.unet` at half the size on unshuffled pixels, as for restoration. After the first convolution of
    each residual block its maps are normalised in groups, scaled and shifted by numbers made from the time and the
    label: Dhariwal and Nichol, "Diffusion models beat GANs on image synthesis", 2021, section 3.1. It starts at zero.
    widths, blocks: as of `unet`. embedding: numbers that time and label become first. Raises ValueError as `unet` does.
    """
    noisy = layers.Input(image_shape, name="noisy")
    inputs, told = _time_and_label(classes, embedding)
    x = MirrorToMultiple(2 ** len(widths), name="mirrored")(noisy)
    x = unet(Unshuffle(2, name="unshuffle")(x), widths, blocks, _told_by(told))
    x = plain_convolution(4 * _FINE, 3, name="fine")(x)
    x = layers.Activation("gelu")(SubPixel(2, name="sub_pixel")(x))
    x = layers.Conv2D(image_shape[-1], 3, padding="same", kernel_initializer="zeros", name="last")(x)
    return keras.Model([noisy, *inputs], CropLike(name="crop")([x, noisy]), name=name)


def dense_with_time(
    size: int, classes: int | None = None, *, width: int = 256, blocks: int = 3, embedding: int = 64, name="dense"
) -> keras.Model:
    """[x_t (n, size), times (n,)] and, with `classes`, one-hot labels (n, classes), to a prediction (n, size).

    For points and for the codes of an autoencoder: residual blocks of two dense layers, the first of which is scaled
    and shifted as in `unet_with_time`. It starts at zero. Raises ValueError for sizes, widths or blocks under 1.
    """
    if min(size, width, blocks) < 1:
        raise ValueError(f"size, width and blocks must be 1 or more, got {size}, {width} and {blocks}")
    noisy = layers.Input((size,), name="noisy")
    inputs, told = _time_and_label(classes, embedding)
    x = layers.Dense(width, name="first")(noisy)
    for block in range(1, blocks + 1):
        y = _scaled_and_shifted(layers.Dense(width)(layers.LayerNormalization()(x)), told, width)
        x = layers.Add(name=f"block_{block}")([x, layers.Dense(width)(layers.Activation("gelu")(y))])
    return keras.Model([noisy, *inputs], layers.Dense(size, kernel_initializer="zeros", name="last")(x), name=name)


def _time_and_label(classes: int | None, embedding: int) -> tuple[list, object]:
    """The inputs for times (n,) and labels (n, classes), and what both become: (n, embedding)."""
    inputs = [layers.Input((), name="times")]
    told = layers.Dense(embedding, "gelu", name="time")(TimeWaves(16, name="waves")(inputs[0]))
    if classes:
        inputs.append(layers.Input((classes,), name="labels"))
        label = layers.Dense(embedding, use_bias=False, name="label")(inputs[1])
        told = layers.Add(name="time_and_label")([told, label])
    return inputs, layers.Dense(embedding, "gelu", name="told")(told)


def _told_by(told) -> Callable:
    """What `unet` is to be made of: a convolution that is activated is told the time and the label before."""

    def convolution(width: int, size: int, *, strides: int = 1, activation=None, name: str, **options):
        layer = plain_convolution(width, size, strides=strides, name=name, **options)
        if activation is None:
            return layer

        def told_layer(maps):
            x = layers.GroupNormalization(groups=math.gcd(8, width), name=f"{name}_normalised")(layer(maps))
            beside = layers.Reshape((1, 1, -1))(told)
            return layers.Activation(activation)(_scaled_and_shifted(x, beside, width))

        return told_layer

    return convolution


def _scaled_and_shifted(x, told, width: int):
    """x (1 + a) + b with a and b made from what the network is told."""
    scale, shift = layers.Dense(width)(told), layers.Dense(width)(told)
    return layers.Add()([x, layers.Multiply()([x, scale]), shift])
