"""Convolutions for pictures with holes (lesson 12): what stands in a hole should not count as a picture."""

import keras
from keras import layers, ops


@keras.saving.register_keras_serializable("course_utils")
class PartialConvolution(layers.Layer):
    """A convolution of the known pixels alone: [maps, known] -> [maps, known], (n, h, w, C) and (n, h, w, 1) each.

    known: 1 where maps may be used and 0 in holes, which is one minus the mask of `degrade.apply_mask`. Each sum takes
    the known pixels below the kernel, and is multiplied by how many lie there over how many of them are known; then
    comes the bias. Where none is known the result is 0 and stays unknown; everywhere else it is known now. Beyond the
    border nothing lies that could be known.
    strides, activation: as of `keras.layers.Conv2D`. Padding is "same".
    Liu, Reda, Shih, Wang, Tao and Catanzaro, "Image inpainting for irregular holes using partial convolutions", 2018,
    equations 1 and 2.
    """

    def __init__(self, width: int, size: int, strides: int = 1, activation=None, **kwargs):
        super().__init__(**kwargs)
        self.width, self.size, self.strides = width, size, strides
        self.activation = keras.activations.get(activation)

    def build(self, input_shape):
        channels = input_shape[0][-1]
        shape = (self.size, self.size, channels, self.width)
        self.kernel = self.add_weight(shape=shape, initializer="he_normal", name="kernel")
        self.bias = self.add_weight(shape=(self.width,), initializer="zeros", name="bias")

    def call(self, inputs):
        maps, known = inputs
        ones = ops.ones((self.size, self.size, 1, 1), known.dtype)
        options = {"strides": self.strides, "padding": "same"}
        below = ops.conv(ops.ones_like(known), ones, **options)  # pixels of the picture, fewer at its border
        count = ops.conv(known, ones, **options)
        now_known = ops.cast(count > 0.5, known.dtype)
        total = ops.conv(maps * known, ops.cast(self.kernel, maps.dtype), **options)
        result = (total * below / ops.maximum(count, 1) + ops.cast(self.bias, maps.dtype)) * now_known
        return [self.activation(result), now_known]

    def get_config(self):
        activation = keras.activations.serialize(self.activation)
        own = {"width": self.width, "size": self.size, "strides": self.strides, "activation": activation}
        return {**super().get_config(), **own}


@keras.saving.register_keras_serializable("course_utils")
class GatedConvolution(layers.Layer):
    """A convolution with a gate of its own for each output: activation(a * x) sigmoid(b * x).

    (n, h, w, C) -> (n, h', w', width). It learns which places to trust, from maps of which the mask is one, where a
    partial convolution is told.
    size, strides, activation: as of `keras.layers.Conv2D`; options go to the convolution a alone. Padding is "same".
    Yu, Lin, Yang, Shen, Lu and Huang, "Free-form image inpainting with gated convolution", 2019, equation 3.
    """

    def __init__(
        self, width: int, size: int, strides: int = 1, activation=None, kernel_initializer="he_normal", **kwargs
    ):
        super().__init__(**kwargs)
        self.own = {"width": width, "size": size, "strides": strides}
        self.activation = keras.activations.get(activation)
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        options = {"strides": strides, "padding": "same"}
        self.features = layers.Conv2D(width, size, kernel_initializer=self.kernel_initializer, **options)
        self.gate = layers.Conv2D(width, size, **options)

    def build(self, input_shape):
        self.features.build(input_shape)
        self.gate.build(input_shape)

    def call(self, maps):
        return self.activation(self.features(maps)) * ops.sigmoid(self.gate(maps))

    def compute_output_shape(self, input_shape):
        return self.features.compute_output_shape(input_shape)

    def get_config(self):
        activation = keras.activations.serialize(self.activation)
        initializer = keras.initializers.serialize(self.kernel_initializer)
        return {**super().get_config(), **self.own, "activation": activation, "kernel_initializer": initializer}


def gated_convolution(width: int, size: int, *, strides: int = 1, activation=None, name: str, **options):
    """What `unet.unet` takes as its `convolution` to be made of gated ones."""
    return GatedConvolution(width, size, strides, activation, name=name, **options)
