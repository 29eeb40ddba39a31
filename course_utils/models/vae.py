"""Variational autoencoders (lesson 07): the loss as a Keras model under `fit`, and the networks inside.

Kingma and Welling, "Auto-encoding variational Bayes", 2013. All losses are in nats per picture: summed over pixels
and latent numbers, averaged over pictures. (A nat is a unit of information, 1 / ln 2 bits.)
"""

import math

import keras
import numpy as np
from keras import layers, ops

from course_utils import profiles
from course_utils.models import generator as generators

PATCH = 4  # pixels: the side of the squares that the networks cut pictures into
LIKELIHOODS = ("bernoulli", "gaussian")


class Vae(keras.Model):
    """A variational autoencoder, trained by `fit` on pictures alone or, where conditional, on pictures and labels.

    encoder: pictures, float32 (n, h, w, c) in [0, 1] -> (n, 2 * latent_size), the means and log-variances of q(z|x).
    decoder: latent numbers (n, latent_size) -> (n, h, w, c), any numbers; their sigmoid is the picture. One with a
        second input (n, classes) makes the VAE conditional: it is told the label, one-hot.
    likelihood: "bernoulli", each pixel is 1 with the probability that the picture says. For grey pixels this gives the
        expected loss of pictures whose pixels are drawn black or white with that probability.
        "gaussian", each pixel has a normal distribution around the picture's; its density can exceed 1 and the loss
        can be below 0.
    sigma: the Gaussian's standard deviation, the same for all pixels; None learns it together with the weights, and
        sets the balance of the two terms (Rybkin, Daniilidis and Levine, "Simple and effective VAE training with
        calibrated decoders", 2021).
    beta: factor of the KL term; 1 gives the evidence lower bound (Higgins et al., "beta-VAE", 2017, take more).

    The logs hold `loss` = reconstruction + beta * kl and its parts `reconstruction` and `kl`, in nats per picture.
    Raises ValueError for networks that do not fit each other, an unknown likelihood, beta under 0 or sigma not over 0.
    """

    input_range = (0.0, 1.0)

    def __init__(self, encoder, decoder, *, likelihood="bernoulli", sigma=None, beta=1.0, seed=None, **kwargs):
        super().__init__(**kwargs)
        _check(encoder, decoder, likelihood, sigma, beta)
        self.encoder, self.decoder, self.likelihood, self.beta = encoder, decoder, likelihood, beta
        self.latent_size = encoder.output_shape[-1] // 2
        self.classes = decoder.inputs[1].shape[-1] if len(decoder.inputs) > 1 else None
        self.noise = keras.random.SeedGenerator(seed)
        self.trackers = [keras.metrics.Mean(name=name) for name in ("reconstruction", "kl")]
        if likelihood == "gaussian":
            start = keras.initializers.Constant(math.log(sigma or 0.2))
            self.log_sigma = self.add_weight(
                shape=(), initializer=start, trainable=sigma is None, name="log_sigma", dtype="float32"
            )
        self.built = True  # its parts are, so that its weights can be saved and loaded at once

    def call(self, images, training=False):
        """What the encoder says of pictures: (n, 2 * latent_size), means and log-variances."""
        return self.encoder(images, training=training)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """The negative evidence lower bound, averaged over the batch, with one z drawn for each picture."""
        images = ops.cast(x, "float32")
        mean, log_variance = ops.split(ops.cast(y_pred, "float32"), 2, axis=-1)
        z = mean + ops.exp(log_variance / 2) * keras.random.normal(ops.shape(mean), seed=self.noise)
        outputs = self._decode(z, self._one_hot(y), training=training)
        reconstruction = -self.log_probability(images, outputs)
        kl = kl_divergence(mean, log_variance)
        for tracker, value in zip(self.trackers, (reconstruction, kl), strict=True):
            tracker.update_state(value)
        return ops.mean(reconstruction + self.beta * kl)

    def log_probability(self, images, outputs):
        """log p(x|z) of pictures given the decoder's outputs, both (n, h, w, c): (n,), in nats."""
        if self.likelihood == "bernoulli":
            return ops.sum(images * outputs - ops.softplus(outputs), axis=(1, 2, 3))
        deviation = (images - ops.sigmoid(outputs)) / ops.exp(self.log_sigma)
        each = -0.5 * ops.square(deviation) - self.log_sigma - 0.5 * math.log(2 * math.pi)
        return ops.sum(each, axis=(1, 2, 3))

    def encode(self, images) -> tuple[np.ndarray, np.ndarray]:
        """Means and standard deviations of q(z|x), each float32 (n, latent_size). images: (n, h, w, c) in [0, 1]."""
        code = generators.in_batches(lambda batch: self.encoder(batch, training=False), np.asarray(images))
        mean, log_variance = np.split(code, 2, axis=-1)
        return mean, np.exp(log_variance / 2)

    def decode(self, latents, labels=None) -> np.ndarray:
        """Pictures of latent numbers (n, latent_size): the mean of p(x|z), float32 (n, h, w, c) in [0, 1].

        labels: int (n,) or one for all, where the VAE is conditional. Raises ValueError for labels amiss.
        """
        latents = np.asarray(latents, np.float32)
        arrays = (latents, *self._checked_one_hot(labels, len(latents)))
        return generators.in_batches(lambda z, *labels: ops.sigmoid(self._decode(z, *labels)), *arrays)

    def reconstruct(self, images, labels=None) -> np.ndarray:
        """Pictures encoded to the means of q(z|x) and decoded again: float32 (n, h, w, c) in [0, 1]."""
        return self.decode(self.encode(images)[0], labels)

    def sample(self, n: int, seed: int = 0, labels=None) -> np.ndarray:
        """New pictures: z drawn from N(0, I) and decoded to the mean of p(x|z); float32 (n, h, w, c) in [0, 1].

        The same for the same seed. labels: int (n,) or one for all, where the VAE is conditional; without them the
        classes take turns.
        """
        if self.classes and labels is None:
            labels = np.arange(n) % self.classes
        return self.decode(generators.latents(n, self.latent_size, seed), labels)

    def log_weights(self, images, samples: int, seed: int = 0, labels=None) -> np.ndarray:
        """log p(x|z) + log p(z) - log q(z|x) for `samples` draws of z from q(z|x): float32 (n, samples), in nats.

        The mean of a row estimates the evidence lower bound, the logarithm of the mean of its exponentials the
        importance-weighted bound. Raises ValueError for samples under 1 and labels amiss.
        """
        if samples < 1:
            raise ValueError(f"samples is the number of draws for each picture, expected 1 or more, got {samples}")
        images = np.asarray(images, np.float32)
        noise = generators.latents(len(images), samples * self.latent_size, seed)
        arrays = (images, *self.encode(images), noise, *self._checked_one_hot(labels, len(images)))
        return generators.in_batches(self._log_weights, *arrays, batch_size=max(1, 1024 // samples))

    def _log_weights(self, images, mean, deviation, noise, one_hot=None):
        noise = noise.reshape(len(images), -1, self.latent_size)
        samples = noise.shape[1]
        z = mean[:, None] + deviation[:, None] * noise
        labels = None if one_hot is None else one_hot.repeat(samples, axis=0)
        outputs = self._decode(z.reshape(-1, self.latent_size), labels)
        likelihood = ops.convert_to_numpy(self.log_probability(images.repeat(samples, axis=0), outputs))
        # log p(z) - log q(z|x); the constants of the two normal densities cancel.
        ratio = (0.5 * noise**2 - 0.5 * z**2).sum(axis=-1) + np.log(deviation).sum(axis=-1, keepdims=True)
        return likelihood.reshape(len(images), samples) + ratio

    def _decode(self, z, one_hot=None, training=False):
        inputs = z if one_hot is None else [z, one_hot]
        return ops.cast(self.decoder(inputs, training=training), "float32")

    def _one_hot(self, labels):
        """Labels of a training batch for the decoder, or None."""
        if (labels is None) != (self.classes is None):
            expected = "no labels" if self.classes is None else "labels, fit(vae, images, labels)"
            raise ValueError(f"this VAE is trained with {expected}: got {'none' if labels is None else 'labels'}")
        return None if labels is None else ops.one_hot(ops.cast(labels, "int32"), self.classes)

    def _checked_one_hot(self, labels, n: int) -> tuple[np.ndarray, ...]:
        """(one-hot labels,) for a conditional decoder, () for another."""
        if (labels is None) != (self.classes is None):
            expected = "has no use for labels" if self.classes is None else f"needs labels from 0 to {self.classes - 1}"
            raise ValueError(f"this VAE {expected}: got {'none' if labels is None else 'labels'}")
        if labels is None:
            return ()
        return (np.eye(self.classes, dtype=np.float32)[generators.checked_labels(labels, n, self.classes)],)


def kl_divergence(mean, log_variance):
    """KL(N(mean, exp(log_variance)) || N(0, I)) of each row, (n, latent_size) -> (n,), in nats.

    Kingma and Welling, 2013, appendix B.
    """
    return 0.5 * ops.sum(ops.square(mean) + ops.exp(log_variance) - 1.0 - log_variance, axis=-1)


def log_likelihood_bound(vae: Vae, images, samples: int = 100, seed: int = 0, labels=None) -> np.ndarray:
    """A lower bound of log p(x) that grows with `samples` towards it: float32 (n,), in nats per picture.

    log of the mean over draws of p(x|z) p(z) / q(z|x); with one draw this is the evidence lower bound.
    images: (n, h, w, c) in [0, 1]. Raises ValueError as `Vae.log_weights` does.
    Burda, Grosse and Salakhutdinov, "Importance weighted autoencoders", 2016, equation 8.
    """
    weights = vae.log_weights(images, samples, seed, labels)
    largest = weights.max(axis=1, keepdims=True)
    return largest[:, 0] + np.log(np.exp(weights - largest).mean(axis=1))


def encoder(
    image_shape: tuple[int, int, int],
    outputs: int,
    *,
    width: int = 512,
    blocks: int = 1,
    channels: int = 0,
    grid_blocks: int = 0,
) -> keras.Model:
    """Pictures (n, h, w, c) in [0, 1] -> (n, outputs), for a VAE outputs = 2 * latent_size.

    width, blocks: numbers of the dense layers, and residual blocks of two of them.
    channels: with a number, a convolution first takes the pictures to a grid of patches of 4x4 pixels, each described
        by so many numbers. grid_blocks: residual blocks of 3x3 convolutions on that grid.

    For 28x28x1 the shapes run 784, width, outputs; with channels 7x7xchannels, 49*channels, width, outputs.
    Raises ValueError for pictures that patches of 4x4 do not fill, grid_blocks without channels, or a size too small.
    """
    _check_sizes(image_shape, channels, grid_blocks, outputs=outputs, width=width, blocks=blocks)
    images = layers.Input(image_shape, name="images")
    x = images
    if channels:
        x = layers.Conv2D(channels, PATCH, PATCH, name="patches")(x)
        for number in range(1, grid_blocks + 1):
            x = _residual(x, _convolution(channels), f"grid_block_{number}")
        x = _activated(x, "patches")
    x = layers.Dense(width, name="hidden")(layers.Flatten(name="flatten")(x))
    for number in range(1, blocks + 1):
        x = _residual(x, _dense(width), f"block_{number}")
    code = layers.Dense(outputs, dtype="float32", name="code")(_activated(x, "code"))
    return keras.Model(images, code, name="encoder")


def decoder(
    latent_size: int,
    image_shape: tuple[int, int, int],
    *,
    width: int = 512,
    blocks: int = 1,
    channels: int = 0,
    grid_blocks: int = 0,
    classes: int | None = None,
) -> keras.Model:
    """Latent numbers (n, latent_size) -> (n, h, w, c), the encoder backwards; the sigmoid of the result is the picture.

    classes: with a number the network takes [latent numbers, one-hot labels (n, classes)]. For the other arguments and
    errors see `encoder`.
    """
    _check_sizes(image_shape, channels, grid_blocks, latent_size=latent_size, width=width, blocks=blocks)
    height, breadth, colours = image_shape
    latents = layers.Input((latent_size,), name="latents")
    inputs = latents if classes is None else [latents, layers.Input((classes,), name="labels")]
    x = latents if classes is None else layers.Concatenate(name="latents_and_labels")(inputs)
    x = layers.Dense(width, name="hidden")(x)
    for number in range(1, blocks + 1):
        x = _residual(x, _dense(width), f"block_{number}")
    x = _activated(x, "hidden")
    if not channels:
        x = layers.Dense(height * breadth * colours, dtype="float32", name="pixels")(x)
        return keras.Model(inputs, layers.Reshape(image_shape, dtype="float32", name="picture")(x), name="decoder")
    grid = height // PATCH, breadth // PATCH, channels
    x = layers.Reshape(grid, name="grid")(layers.Dense(math.prod(grid), name="unfold")(x))
    for number in range(1, grid_blocks + 1):
        x = _residual(x, _convolution(channels), f"grid_block_{number}")
    # Kernels of 6x6 at steps of 4: neighbouring patches overlap, so that no seams are seen between them.
    paint = layers.Conv2DTranspose(colours, PATCH + 2, PATCH, padding="same", dtype="float32", name="picture")
    return keras.Model(inputs, paint(_activated(x, "picture")), name="decoder")


def _dense(width: int):
    return lambda name: layers.Dense(width, name=name)


def _convolution(channels: int):
    return lambda name: layers.Conv2D(channels, 3, padding="same", name=name)


def _residual(x, make, name: str):
    """x plus a correction by two layers, each after normalisation and activation (He et al., 2016)."""
    y = make(f"{name}_first")(_activated(x, f"{name}_first"))
    y = make(f"{name}_second")(_activated(y, f"{name}_second"))
    return layers.Add(name=f"{name}_sum")([x, y])


def _activated(x, name: str):
    """Layer normalisation (Ba, Kiros and Hinton, 2016), each picture by itself, and ReLU.

    Not batch normalisation: its averages belong to noisy z, and would not fit the means that `reconstruct` decodes.
    """
    x = layers.LayerNormalization(name=f"{name}_normalisation")(x)
    return layers.ReLU(name=f"{name}_activation")(x)


def _check(encoder, decoder, likelihood: str, sigma: float | None, beta: float) -> None:
    code, latents = encoder.output_shape[-1], decoder.inputs[0].shape[-1]
    if code != 2 * latents or encoder.input_shape != decoder.output_shape:
        raise ValueError(
            f"an encoder of pictures {encoder.input_shape[1:]} to {code} numbers does not fit a decoder of {latents} "
            f"numbers to {decoder.output_shape[1:]}: a mean and a log-variance for each latent number are expected"
        )
    if likelihood not in LIKELIHOODS:
        raise ValueError(f"likelihood must be one of {', '.join(map(repr, LIKELIHOODS))}, got {likelihood!r}")
    if beta < 0 or (sigma is not None and not sigma > 0):
        raise ValueError(f"beta must be 0 or more and sigma above 0 or None, got beta {beta} and sigma {sigma}")


def _check_sizes(image_shape: tuple[int, int, int], channels: int, grid_blocks: int, **sizes: int) -> None:
    if len(image_shape) != 3 or (channels and (image_shape[0] % PATCH or image_shape[1] % PATCH)):
        raise ValueError(
            f"image_shape must be (height, width, channels), with channels given in multiples of {PATCH} pixels, got "
            f"{image_shape}: pad or resize"
        )
    if channels < 0 or grid_blocks < 0 or (grid_blocks and not channels):
        raise ValueError(f"grid_blocks need channels, and neither may be below 0: got {grid_blocks} and {channels}")
    for name, size in sizes.items():
        if size < (0 if name == "blocks" else 1):
            raise ValueError(f"{name} must be {0 if name == 'blocks' else 1} or more, got {size}")


# ------------------------------------------------------------------------------------- the networks of lesson 07


def fashion_vae(numbers, *, latent_size: int | None = None, **options) -> Vae:
    """The untrained VAE of lesson 07 for 28x28 grey pictures. numbers: a profiles.Lesson07.

    latent_size: another than that of the numbers. options: of `Vae`, such as likelihood or beta; classes: of `decoder`.
    """
    sizes = {name: getattr(numbers, name) for name in ("width", "blocks", "channels", "grid_blocks")}
    options = {"likelihood": numbers.likelihood, "name": "vae_fashion"} | options
    return _vae((28, 28, 1), latent_size or numbers.latent_size, sizes, **options)


def emoji_vae(numbers) -> Vae:
    """The untrained VAE of lesson 07 for 32x32 pictures in colour, told the family that drew them.

    numbers: a profiles.Lesson07.
    """
    sizes = {name: getattr(numbers, f"emoji_{name}") for name in ("width", "blocks", "channels", "grid_blocks")}
    options = {"likelihood": "gaussian", "classes": 2, "name": "vae_emoji"}
    return _vae((32, 32, 3), numbers.emoji_latent_size, sizes, **options)


def _vae(shape: tuple[int, int, int], latent_size: int, sizes: dict, classes: int | None = None, **options) -> Vae:
    return Vae(
        encoder(shape, 2 * latent_size, **sizes),
        decoder(latent_size, shape, classes=classes, **sizes),
        **options,
    )


def vae_fashion() -> Vae:
    """The network behind `models.load("vae_fashion")`, trained by `course train vae_fashion --profile full`."""
    return fashion_vae(profiles.lesson_07("full"))


def vae_emoji() -> Vae:
    """The network behind `models.load("vae_emoji")`, trained by `course train vae_emoji --profile full`.

    Its labels are the families of `data.emoji_pictures`: 0 for noto, 1 for fluent.
    """
    return emoji_vae(profiles.lesson_07("full"))
