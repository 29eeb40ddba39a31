"""Restorers: networks from degraded pictures to restored ones, and how they learn from clean pictures alone."""

from collections.abc import Callable

import keras
from keras import ops

from course_utils.models.pictures import sound


class Restorer(keras.Model):
    """A network that restores pictures; `fit(restorer, clean_pictures)` degrades each batch anew before it restores it.

    network: a `keras.Model` from degraded pictures, (n, h, w, C), to restored ones, (n, H, W, c).
    degradation: a function or layer from clean pictures (n, H, W, c) to degraded ones, written in `keras.ops`; one that
        draws random numbers is a layer, so that its `keras.random.SeedGenerator` is kept with the model. None where it
        learns from pairs, (degraded, clean), or not at all.
    turned: in training, whether each batch of degraded pictures, which must be square, goes through the network turned
        and mirrored in one of the eight ways, drawn anew, and comes back. With a degradation that treats rows and
        columns alike, this is as good as eight times the pictures, and keeps the network from learning them by heart.
    seed: of those draws.

    Called without `training=True` it restores what it is given; with it, it takes clean pictures, (n, H, W, c). It is
    compiled with a loss of (clean, restored).
    Validate with (degraded, clean): `validation_data` is not degraded again.
    Arrays are looked at before they are restored: ValueError for other than (n, h, w, channels), whole numbers, NaN,
    infinity, no pixels, and for numbers far outside [0, 1], such as 0 to 255; noise may leave [0, 1] a little.
    """

    input_range = (0.0, 1.0)

    def __init__(
        self,
        network: keras.Model,
        degradation: Callable | None = None,
        *,
        turned: bool = False,
        seed: int = 0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.network, self.degradation = network, degradation
        self.turns = keras.random.SeedGenerator(seed) if turned else None
        self.built = True  # the network is
        self._predicted = None  # the channels that `predict_function` is for

    @property
    def input_shape(self):
        return self.network.input_shape

    @property
    def output_shape(self):
        return self.network.output_shape

    def call(self, images, training=False):
        if not training:
            return self.network(images, training=False)
        degraded = images if self.degradation is None else self.degradation(images)
        if self.turns is None:
            return self.network(degraded, training=True)
        drawn = keras.random.uniform((3,), seed=self.turns) < 0.5
        return _turned_back(self.network(_turned(degraded, drawn), training=True), drawn)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """The compiled loss; clean pictures are their own target."""
        return super().compute_loss(x, x if y is None else y, y_pred, sample_weight, training)

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        return super().compute_metrics(x, x if y is None else y, y_pred, sample_weight)

    @property
    def channels(self) -> tuple[int, ...]:
        """How many channels pictures may have."""
        return (self.network.input_shape[-1],)

    def __call__(self, images, *arguments, training=False, **keywords):
        images = sound(images, (self.network.output_shape[-1],)) if training else self._checked(images)
        return super().__call__(images, *arguments, training=training, **keywords)

    def predict(self, x, *arguments, **keywords):
        return super().predict(self._to_predict(x), *arguments, **keywords)

    def predict_on_batch(self, x):
        return super().predict_on_batch(self._to_predict(x))

    def _to_predict(self, images):
        """Checked images. Grey and colour get a compiled function each; TensorFlow would make one for both."""
        images = self._checked(images)
        if images.shape[-1] != self._predicted:
            self.predict_function, self._predicted = None, images.shape[-1]
        return images

    def _checked(self, images):
        """Degraded images once they are found to be sound."""
        return sound(images, self.channels)


def _turned(images, drawn):
    """Square images upside down, mirrored and with rows for columns, each where it was drawn: one of eight ways."""
    images = ops.where(drawn[0], ops.flip(images, axis=1), images)
    images = ops.where(drawn[1], ops.flip(images, axis=2), images)
    return ops.where(drawn[2], ops.transpose(images, (0, 2, 1, 3)), images)


def _turned_back(images, drawn):
    """The inverse of `_turned`: the same in the opposite order."""
    images = ops.where(drawn[2], ops.transpose(images, (0, 2, 1, 3)), images)
    images = ops.where(drawn[1], ops.flip(images, axis=2), images)
    return ops.where(drawn[0], ops.flip(images, axis=1), images)
