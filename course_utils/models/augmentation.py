"""Augmentation as layers: pictures are changed at random while a network trains, and left alone otherwise."""

import keras
from keras import layers, ops


@keras.saving.register_keras_serializable("course_utils")
class RandomShiftFlip(layers.Layer):
    """While training, shift each picture by a random number of whole pixels and mirror every second one.

    shift: largest shift up, down, left and right, in pixels; what comes in from outside is `fill`.
    flip: mirror left to right with probability 1/2.
    Input and output: float (n, height, width, channels). Without `training=True` the input comes back unchanged.

    A shift is a matrix product, rows @ picture @ columns, where both matrices hold one 1 in each row. No pixel value
    changes, and XLA can compile it, which it cannot with the interpolating `keras.layers.RandomTranslation`.
    Raises ValueError for a negative shift.
    """

    def __init__(self, shift: int = 1, flip: bool = True, *, fill: float = 0.0, seed: int | None = None, **kwargs):
        super().__init__(**kwargs)
        if shift < 0:
            raise ValueError(f"shift must be 0 or more pixels, got {shift}")
        self.shift, self.flip, self.fill, self.seed = shift, flip, fill, seed
        self.generator = keras.random.SeedGenerator(seed)

    def _selection(self, count, size: int, flip: bool):
        """Matrices (count, size, size); entry (i, j) is 1 where pixel i of the result is pixel j of the picture."""
        pixels = ops.arange(size, dtype="int32")
        source = pixels + keras.random.randint((count, 1), -self.shift, self.shift + 1, seed=self.generator)
        if flip:
            mirrored = keras.random.uniform((count, 1), seed=self.generator) < 0.5
            source = ops.where(mirrored, size - 1 - source, source)
        return ops.cast(ops.expand_dims(source, -1) == pixels, self.compute_dtype)

    def call(self, images, training: bool = False):
        if not training:
            return images
        count, (height, width, channels) = ops.shape(images)[0], images.shape[1:]
        rows, columns = self._selection(count, height, False), self._selection(count, width, self.flip)
        shifted = ops.matmul(rows, ops.reshape(images - self.fill, (-1, height, width * channels)))
        shifted = ops.reshape(shifted, (-1, height, width, channels))
        return ops.einsum("njw,nhwc->nhjc", columns, shifted) + self.fill

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "shift": self.shift, "flip": self.flip, "fill": self.fill, "seed": self.seed}


@keras.saving.register_keras_serializable("course_utils")
class RandomErase(layers.Layer):
    """While training, paint a square of each picture black, at a random place that may hang over the edge.

    size: side of the square in pixels. Input and output: float (n, height, width, channels); without
    `training=True` the input comes back unchanged. Raises ValueError for a size under 1.
    DeVries and Taylor, "Improved regularization of convolutional neural networks with cutout", 2017.
    """

    def __init__(self, size: int = 8, *, seed: int | None = None, **kwargs):
        super().__init__(**kwargs)
        if size < 1:
            raise ValueError(f"size must be 1 pixel or more, got {size}; to erase nothing leave the layer out")
        self.size, self.seed = size, seed
        self.generator = keras.random.SeedGenerator(seed)

    def _inside(self, count, length: int):
        """1 where one axis lies inside the square, else 0: (count, length)."""
        first = keras.random.randint((count, 1), 1 - self.size, length, seed=self.generator)
        pixels = ops.arange(length, dtype="int32")
        return ops.cast((pixels >= first) & (pixels < first + self.size), self.compute_dtype)

    def call(self, images, training: bool = False):
        if not training:
            return images
        count, (height, width) = ops.shape(images)[0], images.shape[1:3]
        rows, columns = self._inside(count, height), self._inside(count, width)
        return images * (1 - rows[:, :, None, None] * columns[:, None, :, None])

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "size": self.size, "seed": self.seed}
