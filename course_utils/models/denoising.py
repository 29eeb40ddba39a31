"""Denoisers (lesson 12): noise of any strength, in colour and in grey, taken away by one network."""

import keras
from keras import layers, ops

from course_utils.degrade import add_gaussian_noise
from course_utils.models.restorer import Restorer


class BlindNoise(layers.Layer):
    """Pictures (n, H, W, 3) with Gaussian noise, not clipped, whose sigma each picture draws anew at each call.

    sigma: (low, high) in units of [0, 1]. Pictures whose three channels are equal are grey, and get the same noise in
    all three, as a `Denoiser` shows a grey picture to its network.
    """

    def __init__(self, sigma: tuple[float, float], seed: int, **kwargs):
        super().__init__(**kwargs)
        self.sigma, self.seed = sigma, keras.random.SeedGenerator(seed)

    def call(self, images):
        noisy = add_gaussian_noise(images, self.sigma, self.seed)
        grey = ops.all(images == images[..., :1], axis=(1, 2, 3), keepdims=True)
        return ops.where(grey, noisy[..., :1], noisy)


class Denoiser(Restorer):
    """Takes noise away by a network for colour: float (n, h, w, 1 or 3) -> float (n, h, w, 1 or 3), not clipped.

    network: from noisy pictures (n, h, w, 3) to clean ones; it learns from clean colour pictures, and from grey ones
    with three equal channels. Each batch gets noise of `sigma`, (low, high), see `BlindNoise`.
    A grey picture goes through the network as three equal channels, whose mean is the result.
    Raises ValueError as `Restorer` does.
    """

    channels = (1, 3)
    input_shape = output_shape = (None, None, None, None)

    def __init__(self, network: keras.Model, sigma: tuple[float, float], *, seed: int = 0, **kwargs):
        super().__init__(network, BlindNoise(sigma, seed), seed=seed, **kwargs)

    def call(self, images, training=False):
        if images.shape[-1] == 3:
            return super().call(images, training)
        return ops.mean(self.network(ops.repeat(images, 3, axis=-1), training=training), axis=-1, keepdims=True)
