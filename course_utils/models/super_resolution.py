"""Networks that enlarge pictures of any size (lesson 11): float (n, h, w, C) in [0, 1] -> (n, h * scale, w * scale, C).

Each adds what it has learned to the bicubic enlargement; its results are not clipped.
"""

import keras
import numpy as np
from keras import layers, ops

from course_utils.degrade import bicubic_weight, downsample
from course_utils.models.restorer import Restorer

_LUMA = (65.481 / 255, 128.553 / 255, 24.966 / 255)  # of R, G and B in Y of BT.601, see `metrics.luma`


@keras.saving.register_keras_serializable("course_utils")
class BicubicEnlargement(layers.Layer):
    """Pictures `scale` times larger by the bicubic kernel, as `degrade.upsample`, but of heights and widths not known.

    (n, h, w, C) -> (n, h * scale, w * scale, C). Each pixel of the result lies at one of `scale` places between the
    pixels, so that the enlargement is a convolution of 5x5 pixels with `scale` * `scale` outputs, shuffled into place.
    What lies beyond the border is mirrored. Raises ValueError for a scale under 2.
    """

    def __init__(self, scale: int, **kwargs):
        super().__init__(**kwargs)
        if scale < 2:
            raise ValueError(f"scale must be 2 or more, got {scale}")
        self.scale = scale
        places = (np.arange(scale) + 0.5) / scale - 0.5  # in pixels of the small picture, from the middle of one
        lines = bicubic_weight(places[:, np.newaxis] - np.arange(-2, 3))  # (scale, 5)
        kernel = np.einsum("ra,cb->abrc", lines, lines).reshape(5, 5, 1, scale**2)
        self.kernel = kernel.astype(np.float32)

    def call(self, images):
        height, width = ops.shape(images)[1:3]
        channels = images.shape[-1]
        planes = ops.reshape(ops.transpose(images, (0, 3, 1, 2)), (-1, height, width, 1))
        planes = ops.pad(planes, ((0, 0), (2, 2), (2, 2), (0, 0)), mode="symmetric")
        planes = ops.depth_to_space(ops.conv(planes, ops.cast(self.kernel, planes.dtype)), self.scale)
        shape = (-1, channels, self.scale * height, self.scale * width)
        return ops.transpose(ops.reshape(planes, shape), (0, 2, 3, 1))

    def compute_output_shape(self, input_shape):
        count, height, width, channels = input_shape
        larger = (length and length * self.scale for length in (height, width))
        return (count, *larger, channels)

    def get_config(self):
        return {**super().get_config(), "scale": self.scale}


@keras.saving.register_keras_serializable("course_utils")
class SubPixel(layers.Layer):
    """Channels into pixels: (n, h, w, scale^2 * C) -> (n, h * scale, w * scale, C), `ops.depth_to_space` as a layer.

    Output (i, j, c) is input (i // scale, j // scale, ((i % scale) * scale + j % scale) * C + c).
    Shi et al., "Real-time single image and video super-resolution using an efficient sub-pixel convolutional neural
    network", 2016, equation 4.
    """

    def __init__(self, scale: int, **kwargs):
        super().__init__(**kwargs)
        self.scale = scale

    def call(self, maps):
        return ops.depth_to_space(maps, self.scale)

    def compute_output_shape(self, input_shape):
        count, height, width, channels = input_shape
        larger = (length and length * self.scale for length in (height, width))
        return (count, *larger, channels // self.scale**2)

    def get_config(self):
        return {**super().get_config(), "scale": self.scale}


def srcnn(scale: int, channels: int = 3, *, sizes: tuple[int, int, int] = (9, 1, 5)) -> keras.Model:
    """The first network for super-resolution: three convolutions on the enlarged picture, 64 and 32 maps between them.

    Here it learns what to add to the enlargement, which takes fewer steps than the whole picture.
    sizes: of the three kernels; the authors found (9, 5, 5) slightly better and much slower.
    Dong, Loy, He and Tang, "Learning a deep convolutional network for image super-resolution", 2014.
    """
    images = layers.Input((None, None, channels), name="images")
    enlarged = x = BicubicEnlargement(scale, name="bicubic")(images)
    for number, (maps, size) in enumerate(zip((64, 32), sizes, strict=False), start=1):
        x = layers.Conv2D(maps, size, padding="same", activation="relu", name=f"convolution_{number}")(x)
    x = layers.Conv2D(channels, sizes[2], padding="same", kernel_initializer="zeros", name="convolution_3")(x)
    return keras.Model(images, layers.Add(name="sum")([enlarged, x]), name="srcnn")


def edsr(scale: int, channels: int = 3, *, width: int = 32, blocks: int = 4) -> keras.Model:
    """Residual blocks at the small size, then a sub-pixel convolution.

    width: maps of all layers; blocks: residual blocks of two 3x3 convolutions, without batch normalisation, which takes
    away the range that pictures differ in. The last kernel starts at zero, so that training starts from bicubic.
    One pixel looks at a square of 2 * (2 * blocks + 3) + 1 pixels.
    Lim, Son, Kim, Nah and Lee, "Enhanced deep residual networks for single image super-resolution", 2017.
    Raises ValueError for width or blocks under 1.
    """
    if width < 1 or blocks < 1:
        raise ValueError(f"width and blocks must be 1 or more, got {width} and {blocks}")
    options = {"padding": "same", "kernel_initializer": "he_normal"}
    images = layers.Input((None, None, channels), name="images")
    first = x = layers.Conv2D(width, 3, name="first", **options)(images)
    for number in range(1, blocks + 1):
        y = layers.Conv2D(width, 3, activation="relu", name=f"block_{number}_first", **options)(x)
        y = layers.Conv2D(width, 3, padding="same", kernel_initializer="zeros", name=f"block_{number}_second")(y)
        x = layers.Add(name=f"block_{number}_sum")([x, y])
    x = layers.Conv2D(width, 3, name="last", **options)(x)
    x = layers.Add(name="long_sum")([first, x])
    x = layers.Conv2D(channels * scale**2, 3, padding="same", kernel_initializer="zeros", name="expand")(x)
    learned = SubPixel(scale, name="sub_pixel")(x)
    enlarged = BicubicEnlargement(scale, name="bicubic")(images)
    return keras.Model(images, layers.Add(name="sum")([enlarged, learned]), name="edsr")


class LumaEnlarger(Restorer):
    """Enlarges grey and colour by a network for brightness: float (n, h, w, 1 or 3) -> (n, h * scale, w * scale, ...).

    network: from Y, (n, h, w, 1), to Y of `scale` times the size. It learns from luma alone, (n, H, W, 1), as
    `metrics.luma` gives it, made smaller by the bicubic kernel with antialiasing.
    Of a colour picture it enlarges Y = 16/255 + 0.257 R + 0.504 G + 0.098 B. All three channels are enlarged by the
    bicubic kernel and then moved together, so that their Y is that of the network: the colours stay those of the
    bicubic enlargement, in which the eye sees little detail. Raises ValueError as `Restorer` does.
    """

    def __init__(self, network: keras.Model, scale: int, **kwargs):
        super().__init__(network, lambda luma: downsample(luma, scale), **kwargs)
        self.scale, self.enlarge = scale, BicubicEnlargement(scale)

    channels = (1, 3)
    input_shape = output_shape = (None, None, None, None)

    def call(self, images, training=False):
        if images.shape[-1] == 1:
            return super().call(images, training)
        enlarged = self.enlarge(images)
        missing = self.network(_luma(images)) - _luma(enlarged)
        return enlarged + missing / sum(_LUMA)


def _luma(images):
    weights = ops.cast(np.reshape(_LUMA, (3, 1)), images.dtype)
    return ops.matmul(images, weights) + 16 / 255
