"""Style transfer by one pass through a network that was trained for one style (lesson 14).

After Johnson, Alahi and Fei-Fei, "Perceptual losses for real-time style transfer and super-resolution", 2016, with the
instance normalisation of Ulyanov, Vedaldi and Lempitsky, "Improved texture networks", 2017.
"""

from collections.abc import Callable, Sequence

import keras
import numpy as np
from keras import layers, ops

from course_utils.models import vgg
from course_utils.models.unet import CropLike, MirrorToMultiple

CONTENT_LAYER = "conv3_3"
STYLE_LAYERS = ("conv1_1", "conv2_1", "conv3_1", "conv4_1")
# Pixels. Without a margin networks paint stripes along the borders, which Gram matrices count as style; with one of 16
# some stripes reached into the picture.
MARGIN = 40
# Pixels of a square whose mean colour is handed on. What is finer the network has to paint: in short trials where the
# photograph was handed on whole, it kept its detail, and the network added clouds of colour instead of strokes.
COARSE = 8


@keras.saving.register_keras_serializable("course_utils")
class Mirror(layers.Layer):
    """Pictures continued by their mirror image beyond each border: (n, h, w, C) -> (n, h + 2m, w + 2m, C).

    The border pixel is repeated, and what is shorter than the margin m is mirrored again and again.
    """

    def __init__(self, margin: int, **kwargs):
        super().__init__(**kwargs)
        self.margin = margin

    def call(self, images):
        for axis in (1, 2):
            length = ops.shape(images)[axis]
            place = ops.arange(-self.margin, length + self.margin) % (2 * length)
            images = ops.take(images, ops.minimum(place, 2 * length - 1 - place), axis=axis)
        return images

    def compute_output_shape(self, input_shape):
        count, *sizes, channels = input_shape
        return (count, *(size and size + 2 * self.margin for size in sizes), channels)

    def get_config(self):
        return {**super().get_config(), "margin": self.margin}


def transfer_network(
    widths: Sequence[int] = (16, 32, 48), blocks: int = 4, normalisation: str = "instance", name: str = "transfer"
) -> keras.Model:
    """Pictures (n, h, w, 3) in [0, 1] of any size to painted ones in (0, 1), of the same size.

    They are continued by their mirror image for MARGIN pixels, which are cut off at the end. What comes out is the
    sigmoid of a sum: strokes, and the normalised mean colours of squares of COARSE pixels. To learn from photographs
    alone, put it in a `Restorer` and compile that with a loss of (photographs, painted), such as `perceptual_loss`.
    widths: maps at the full, the half and the quarter size; `blocks` residual ones at the last. Doubled by repeated
    pixels and a convolution, which leaves no checkerboard (Odena, Dumoulin and Olah, "Deconvolution and checkerboard
    artifacts", 2016).
    normalisation: of the mean colours, and after each convolution but the last. "instance": each map of each picture
        by its own mean and variance, so that the contrast of the picture does not matter to the style; "batch": by
        those of the batch, and when trained, of all pictures; "none".
    Raises ValueError for another normalisation, fewer than two widths, and widths or blocks under 1.
    """
    if normalisation not in ("instance", "batch", "none"):
        raise ValueError(f"normalisation must be 'instance', 'batch' or 'none', got {normalisation!r}")
    if len(widths) < 2 or min(*widths, blocks) < 1:
        raise ValueError(f"expected two widths or more and blocks, 1 or more each, got {tuple(widths)} and {blocks}")

    def normalised(x):
        if normalisation == "instance":
            return layers.GroupNormalization(groups=-1)(x)  # a group for each map
        return layers.BatchNormalization(momentum=0.9)(x) if normalisation == "batch" else x

    def convolved(x, width: int, size: int, strides: int = 1, relu: bool = True):
        x = layers.Conv2D(width, size, strides, padding="same", kernel_initializer="he_normal")(x)
        x = normalised(x)
        return layers.ReLU()(x) if relu else x

    images = layers.Input((None, None, 3), name="images")
    mirrored = Mirror(MARGIN, name="mirror")(images)
    even = MirrorToMultiple(max(COARSE, 2 ** (len(widths) - 1)))(mirrored)
    x = convolved(even, widths[0], 5)
    for width in widths[1:]:
        x = convolved(x, width, 3, strides=2)
    for _ in range(blocks):
        x = layers.Add()([x, convolved(convolved(x, widths[-1], 3), widths[-1], 3, relu=False)])
    for width in reversed(widths[:-1]):
        x = convolved(layers.UpSampling2D(2)(x), width, 3)
    strokes = layers.Conv2D(3, 5, padding="same", name="strokes")(x)
    coarse = normalised(layers.AveragePooling2D(COARSE)(even))
    colours = layers.UpSampling2D(COARSE, interpolation="bilinear", name="colours")(coarse)
    x = layers.Activation("sigmoid", name="painted")(layers.Add()([colours, strokes]))
    x = CropLike(name="crop")([x, mirrored])
    return keras.Model(images, layers.Cropping2D(MARGIN, name="margin")(x), name=name)


def gram_matrices(maps):
    """Maps (n, h, w, C) to the means over places of products of channels, (n, C, C): Gatys et al., 2016, equation 3,
    divided by the number of places."""
    channels = maps.shape[-1]
    rows = ops.reshape(maps, (ops.shape(maps)[0], -1, channels))
    return ops.matmul(ops.transpose(rows, (0, 2, 1)), rows) / ops.cast(ops.shape(rows)[1], rows.dtype)


def perceptual_distances(painting: np.ndarray) -> Callable:
    """distances(photographs, painted) -> (style, content), (n,) each, in `keras.ops`, for (n, h, w, 3) in [0, 1].

    As lesson 14 has them: of STYLE_LAYERS the squared difference of the Gram matrices from those of the painting, over
    the square of these, in the mean; of CONTENT_LAYER the squared difference of the maps from those of the photograph,
    over the square of these.
    painting: (H, W, 3) in [0, 1]. Raises ValueError for another painting, as `vgg.features` does when called.
    """
    eyes = vgg.features((CONTENT_LAYER, *STYLE_LAYERS), pooling="average")
    content_eyes = vgg.features((CONTENT_LAYER,), pooling="average")  # as far as that and no further
    seen = eyes(painting[np.newaxis])
    wanted = {name: ops.convert_to_numpy(gram_matrices(seen[name])) for name in STYLE_LAYERS}

    def distances(photographs, painted):
        maps, content = eyes(painted), content_eyes(photographs)[CONTENT_LAYER]
        style = sum(
            ops.sum((gram_matrices(maps[name]) - gram) ** 2, axis=(1, 2)) / np.sum(gram**2)
            for name, gram in wanted.items()
        )
        squares = ops.mean((maps[CONTENT_LAYER] - content) ** 2, axis=(1, 2, 3))
        return style / len(wanted), squares / ops.mean(content**2, axis=(1, 2, 3))

    return distances


def perceptual_loss(painting: np.ndarray, *, content_weight: float, variation_weight: float) -> Callable:
    """loss(photographs, painted) -> (n,), in `keras.ops`, for pictures (n, h, w, 3) in [0, 1].

    The distance in style from the painting, content_weight times that in content from the photographs, and
    variation_weight times the total variation, the mean difference of neighbouring pixels. The strokes of the painting
    are learned in the size that they have in it.
    painting: (H, W, 3) in [0, 1]. Raises ValueError as `perceptual_distances` does.
    """
    distances = perceptual_distances(painting)

    def loss(photographs, painted):
        style, content = distances(photographs, painted)
        return style + content_weight * content + variation_weight * total_variation(painted)

    return loss


def total_variation(images):
    """The mean absolute difference of neighbouring pixels, down and across added: (n,)."""
    down = ops.mean(ops.abs(images[:, 1:] - images[:, :-1]), axis=(1, 2, 3))
    return down + ops.mean(ops.abs(images[:, :, 1:] - images[:, :, :-1]), axis=(1, 2, 3))
