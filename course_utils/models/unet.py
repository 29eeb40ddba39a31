"""A U-Net for pictures of any size (lesson 12): what is seen at small sizes helps to restore the large one.

`unet` is the network between maps and maps, which other tasks can put between ends of their own; `restoration_unet`
puts it between pictures, at half their resolution.
"""

from collections.abc import Callable, Sequence

import keras
from keras import layers, ops

from course_utils.models.super_resolution import SubPixel


@keras.saving.register_keras_serializable("course_utils")
class MirrorToMultiple(layers.Layer):
    """Pictures mirrored at the lower and right border up to the next multiple: (n, h, w, C) -> (n, H, W, C).

    A network that halves its maps k times needs lengths that are multiples of 2^k; `CropLike` undoes it afterwards.
    The border pixel is repeated. Pictures shorter than what is missing are continued by their last mirrored pixel.
    Raises ValueError for a multiple under 1.
    """

    def __init__(self, multiple: int, **kwargs):
        super().__init__(**kwargs)
        if multiple < 1:
            raise ValueError(f"multiple must be 1 or more, got {multiple}")
        self.multiple = multiple

    def call(self, images):
        for axis in (1, 2):
            length = ops.shape(images)[axis]
            place = ops.arange(length + (-length) % self.multiple)
            mirrored = ops.maximum(2 * length - 1 - place, 0)
            images = ops.take(images, ops.minimum(place, mirrored), axis=axis)
        return images

    def compute_output_shape(self, input_shape):
        count, height, width, channels = input_shape
        longer = (length and length + -length % self.multiple for length in (height, width))
        return (count, *longer, channels)

    def get_config(self):
        return {**super().get_config(), "multiple": self.multiple}


@keras.saving.register_keras_serializable("course_utils")
class CropLike(layers.Layer):
    """[maps (n, H, W, C), pictures (n, h, w, c)] -> the upper left h x w of the maps, (n, h, w, C)."""

    def call(self, inputs):
        maps, pictures = inputs
        height, width = ops.shape(pictures)[1:3]
        return maps[:, :height, :width]

    def compute_output_shape(self, input_shape):
        maps, pictures = input_shape
        return (maps[0], *pictures[1:3], maps[3])


@keras.saving.register_keras_serializable("course_utils")
class Unshuffle(layers.Layer):
    """Pixels into channels, the inverse of `SubPixel`: (n, h * scale, w * scale, C) -> (n, h, w, scale^2 * C)."""

    def __init__(self, scale: int, **kwargs):
        super().__init__(**kwargs)
        self.scale = scale

    def call(self, images):
        return ops.space_to_depth(images, self.scale)

    def compute_output_shape(self, input_shape):
        count, height, width, channels = input_shape
        smaller = (length and length // self.scale for length in (height, width))
        return (count, *smaller, channels * self.scale**2)

    def get_config(self):
        return {**super().get_config(), "scale": self.scale}


def plain_convolution(width: int, size: int, *, strides: int = 1, activation=None, name: str, **options):
    """The layer that `unet` is made of, unless it is given another maker of layers."""
    initializer = {"kernel_initializer": "he_normal"} | options
    return layers.Conv2D(width, size, strides, padding="same", activation=activation, name=name, **initializer)


def residual_block(maps, width: int, name: str, convolution: Callable = plain_convolution):
    """x + convolution(relu(convolution(x))), without normalisation: (n, h, w, width) -> the same.

    The second kernel starts small, so that the block starts near the identity and deep networks train at once.
    """
    y = convolution(width, 3, activation="relu", name=f"{name}_first")(maps)
    small = keras.initializers.VarianceScaling(0.02, "fan_in", "truncated_normal")
    y = convolution(width, 3, name=f"{name}_second", kernel_initializer=small)(y)
    return layers.Add(name=f"{name}_sum")([maps, y])


def unet(maps, widths: Sequence[int], blocks: int = 1, convolution: Callable = plain_convolution):
    """A U-Net from maps, (n, h, w, C), to maps, (n, h, w, widths[0]); h and w are multiples of 2^(len(widths) - 1).

    widths: maps at the full, the half, the quarter ... size. blocks: residual blocks at each size, on the way down and
        again on the way up; at the smallest size they come once.
    convolution: makes each layer, as `plain_convolution` does, which a network for holes may replace.
    Sizes are halved by a convolution of 2x2 pixels with a stride of 2 and doubled by a transposed one, whose kernel
    does not overlap itself and so leaves no checkerboard (lesson 02). What was seen on the way down is added on the
    way up.
    Ronneberger, Fischer and Brox, "U-Net: convolutional networks for biomedical image segmentation", 2015; sums in the
    place of concatenation and residual blocks as in Zhang, Li, Zuo, Zhang, Van Gool and Timofte's DRUNet, 2021.
    Raises ValueError for no width, and widths or blocks under 1.
    """
    if not widths or min(*widths, blocks, 1) < 1:
        raise ValueError(f"widths and blocks must be 1 or more, got {tuple(widths)} and {blocks}")
    x = convolution(widths[0], 3, name="first")(maps)
    skipped = []
    for level, width in enumerate(widths[:-1], start=1):
        for block in range(1, blocks + 1):
            x = residual_block(x, width, f"down_{level}_block_{block}", convolution)
        skipped.append(x)
        x = convolution(widths[level], 2, strides=2, name=f"down_{level}")(x)
    for block in range(1, blocks + 1):
        x = residual_block(x, widths[-1], f"middle_block_{block}", convolution)
    for level in reversed(range(1, len(widths))):
        x = layers.Conv2DTranspose(widths[level - 1], 2, 2, kernel_initializer="he_normal", name=f"up_{level}")(x)
        x = layers.Add(name=f"skip_{level}")([x, skipped.pop()])
        for block in range(1, blocks + 1):
            x = residual_block(x, widths[level - 1], f"up_{level}_block_{block}", convolution)
    return x


def restoration_unet(
    channels: int,
    restored: int = 3,
    *,
    widths: Sequence[int],
    blocks: int = 1,
    convolution: Callable = plain_convolution,
    name: str = "unet",
) -> keras.Model:
    """Pictures (n, h, w, channels) of any size to what is restored of them, (n, h, w, restored), not clipped.

    It works on four times as many maps of half the height and width, where a layer of the same width costs a quarter
    and sees twice as far: Zhang, Zuo and Zhang, "FFDNet: toward a fast and flexible solution for CNN-based image
    denoising", 2018. What it learns is added to the first `restored` channels of its input; the last kernel starts at
    zero, so that training starts from the degraded picture. Sizes are mirrored up to a multiple of 2^len(widths)
    inside, and cut back.
    Raises ValueError for fewer channels than are restored, and as `unet` does.
    """
    if not 1 <= restored <= channels:
        raise ValueError(f"expected to restore 1 to {channels} of {channels} channels, got {restored}")
    images = layers.Input((None, None, channels), name="images")
    x = MirrorToMultiple(2 ** len(widths), name="mirrored")(images)
    x = unet(Unshuffle(2, name="unshuffle")(x), widths, blocks, convolution)
    x = layers.Conv2D(4 * restored, 3, padding="same", kernel_initializer="zeros", name="last")(x)
    learned = CropLike(name="crop")([SubPixel(2, name="sub_pixel")(x), images])
    start = images if channels == restored else images[..., :restored]
    return keras.Model(images, layers.Add(name="sum")([start, learned]), name=name)
