"""Restorers: networks from degraded pictures to restored ones, and how they learn from clean pictures alone."""

from collections.abc import Callable

import keras
import numpy as np
from keras import ops

from course_utils.degrade.pictures import HIGHEST, LOWEST, check_numbers


class Restorer(keras.Model):
    """A network that restores pictures; `fit(restorer, clean_pictures)` degrades each batch anew before it restores it.

    network: a `keras.Model` from degraded pictures, (n, h, w, C), to restored ones, (n, H, W, c).
    degradation: a function or layer from clean pictures (n, H, W, c) to degraded ones, written in `keras.ops`; one that
        draws random numbers is a layer, so that its `keras.random.SeedGenerator` is kept with the model. None for a
        restorer that is not to be trained.

    Called without `training=True` it restores what it is given. It is compiled with a loss of (clean, restored).
    Validate with (degraded, clean): `validation_data` is not degraded again.
    Arrays are looked at before they are restored: ValueError for whole numbers, NaN, infinity, no pixels, and for
    numbers far outside [0, 1], such as 0 to 255; noise may leave [0, 1] a little.
    """

    input_range = (0.0, 1.0)

    def __init__(self, network: keras.Model, degradation: Callable | None = None, **kwargs):
        super().__init__(**kwargs)
        self.network, self.degradation = network, degradation
        self.built = True  # the network is

    @property
    def input_shape(self):
        return self.network.input_shape

    @property
    def output_shape(self):
        return self.network.output_shape

    def call(self, images, training=False):
        if training:
            images = self.degradation(images)
        return self.network(images, training=training)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """The compiled loss; clean pictures are their own target."""
        return super().compute_loss(x, x if y is None else y, y_pred, sample_weight, training)

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        return super().compute_metrics(x, x if y is None else y, y_pred, sample_weight)

    def __call__(self, images, *arguments, **keywords):
        return super().__call__(_checked(images), *arguments, **keywords)

    def predict(self, x, *arguments, **keywords):
        return super().predict(_checked(x), *arguments, **keywords)

    def predict_on_batch(self, x):
        return super().predict_on_batch(_checked(x))


def _checked(images):
    """Arrays once they are found to be sound; tensors as they are, since looking at them would stop the device."""
    if isinstance(images, keras.KerasTensor) or ops.is_tensor(images):
        return images
    images = np.asarray(images)
    check_numbers(images, "images", LOWEST, HIGHEST)
    return images
