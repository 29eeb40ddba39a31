"""Variational autoencoders (lesson 07): the loss as a Keras model under `fit`, and the networks inside.

Kingma and Welling, "Auto-encoding variational Bayes", 2013. All losses are in nats per picture: summed over pixels
and latent numbers, averaged over pictures. (A nat is a unit of information, 1 / ln 2 bits.)
"""

import math

import keras
import numpy as np
from keras import layers, ops

from course_utils.models import sampling, shapes
from course_utils.pixel_range import check_range

LIKELIHOODS = ("bernoulli", "gaussian")
LOUDNESS = 10.0  # of one-hot labels: at 1, beside many other numbers, a short training comes to use them too late


class Vae(keras.Model):
    """A variational autoencoder, trained by `fit` on pictures alone or, where conditional, on pictures and labels.

    encoder: pictures, float32 (n, h, w, c) in [0, 1] -> (n, 2 * latent_size), the means and log-variances of q(z|x).
    decoder: latent numbers (n, latent_size) -> (n, h, w, c), any numbers; their sigmoid is the picture.
        If both take a second input (n, classes), the VAE is conditional: they are told the label, one-hot (Sohn, Lee
        and Yan, "Learning structured output representation", 2015).
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
        self.classes = _classes(decoder)
        self.noise = keras.random.SeedGenerator(seed)
        self.trackers = [keras.metrics.Mean(name=name) for name in ("reconstruction", "kl")]
        if likelihood == "gaussian":
            start = keras.initializers.Constant(math.log(sigma or 0.2))
            self.log_sigma = self.add_weight(
                shape=(), initializer=start, trainable=sigma is None, name="log_sigma", dtype="float32"
            )
        self.built = True  # its parts are, so that its weights can be saved and loaded at once

    def call(self, images, training=False):
        """The pictures as they are: `compute_loss` runs the networks, which need the labels too where conditional."""
        return images

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """The negative evidence lower bound, averaged over the batch, with one z drawn for each picture."""
        images = ops.cast(x, "float32")
        labels = self._one_hot(y)
        mean, log_variance = ops.split(_run(self.encoder, images, labels, training), 2, axis=-1)
        z = mean + ops.exp(log_variance / 2) * keras.random.normal(ops.shape(mean), seed=self.noise)
        outputs = _run(self.decoder, z, labels, training)
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

    def encode(self, images, labels=None) -> tuple[np.ndarray, np.ndarray]:
        """Means and standard deviations of q(z|x), each float32 (n, latent_size). images: (n, h, w, c) in [0, 1].

        labels: int (n,) or one for all, where the VAE is conditional. Raises ValueError for labels or pixels amiss.
        """
        images = self._checked_images(images)
        arrays = (images, *self._checked_one_hot(labels, len(images)))
        code = sampling.in_batches(lambda *inputs: _run(self.encoder, *inputs), *arrays)
        mean, log_variance = np.split(code, 2, axis=-1)
        return mean, np.exp(log_variance / 2)

    def decode(self, latents, labels=None) -> np.ndarray:
        """Pictures of latent numbers (n, latent_size): the mean of p(x|z), float32 (n, h, w, c) in [0, 1].

        labels: int (n,) or one for all, where the VAE is conditional. Raises ValueError for labels amiss.
        """
        latents = np.asarray(latents, np.float32)
        arrays = (latents, *self._checked_one_hot(labels, len(latents)))
        return sampling.in_batches(lambda *inputs: ops.sigmoid(_run(self.decoder, *inputs)), *arrays)

    def reconstruct(self, images, labels=None) -> np.ndarray:
        """Pictures encoded to the means of q(z|x) and decoded again: float32 (n, h, w, c) in [0, 1]."""
        return self.decode(self.encode(images, labels)[0], labels)

    def sample(self, n: int, seed: int = 0, labels=None) -> np.ndarray:
        """New pictures: z drawn from N(0, I) and decoded to the mean of p(x|z); float32 (n, h, w, c) in [0, 1].

        The same for the same seed. labels: int (n,) or one for all, where the VAE is conditional; without them the
        classes take turns.
        """
        if self.classes and labels is None:
            labels = np.arange(n) % self.classes
        return self.decode(sampling.latents(n, self.latent_size, seed), labels)

    def log_weights(self, images, samples: int, seed: int = 0, labels=None) -> np.ndarray:
        """log p(x|z) + log p(z) - log q(z|x) for `samples` draws of z from q(z|x): float32 (n, samples), in nats.

        The mean of a row estimates the evidence lower bound, the logarithm of the mean of its exponentials the
        importance-weighted bound. Raises ValueError for samples under 1, labels amiss and pixels out of range.
        """
        if samples < 1:
            raise ValueError(f"samples is the number of draws for each picture, expected 1 or more, got {samples}")
        images = self._checked_images(images)
        noise = sampling.latents(len(images), samples * self.latent_size, seed)
        arrays = (images, *self.encode(images, labels), noise, *self._checked_one_hot(labels, len(images)))
        return sampling.in_batches(self._log_weights, *arrays, batch_size=max(1, 1024 // samples))

    def _log_weights(self, images, mean, deviation, noise, one_hot=None):
        noise = noise.reshape(len(images), -1, self.latent_size)
        samples = noise.shape[1]
        z = mean[:, None] + deviation[:, None] * noise
        labels = None if one_hot is None else one_hot.repeat(samples, axis=0)
        outputs = _run(self.decoder, z.reshape(-1, self.latent_size), labels)
        likelihood = ops.convert_to_numpy(self.log_probability(images.repeat(samples, axis=0), outputs))
        # log p(z) - log q(z|x); the constants of the two normal densities cancel.
        ratio = (0.5 * noise**2 - 0.5 * z**2).sum(axis=-1) + np.log(deviation).sum(axis=-1, keepdims=True)
        return likelihood.reshape(len(images), samples) + ratio

    def _checked_images(self, images) -> np.ndarray:
        """Images as float32 (n, h, w, c)."""
        check_range(images, *self.input_range)
        return np.asarray(images, np.float32)

    def _one_hot(self, labels):
        """Labels of a training batch for both networks, or None."""
        if (labels is None) != (self.classes is None):
            expected = "no labels" if self.classes is None else "labels, fit(vae, images, labels)"
            raise ValueError(f"this VAE is trained with {expected}: got {'none' if labels is None else 'labels'}")
        return None if labels is None else ops.one_hot(ops.cast(labels, "int32"), self.classes)

    def _checked_one_hot(self, labels, n: int) -> tuple[np.ndarray, ...]:
        """(one-hot labels,) for conditional networks, () for others."""
        if (labels is None) != (self.classes is None):
            expected = "has no use for labels" if self.classes is None else f"needs labels from 0 to {self.classes - 1}"
            raise ValueError(f"this VAE {expected}: got {'none' if labels is None else 'labels'}")
        if labels is None:
            return ()
        return (np.eye(self.classes, dtype=np.float32)[sampling.checked_labels(labels, n, self.classes)],)


def _run(network, inputs, one_hot=None, training=False):
    """The outputs of an encoder or decoder, float32; one_hot: labels for conditional ones."""
    return ops.cast(network(inputs if one_hot is None else [inputs, one_hot], training=training), "float32")


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
    channels: tuple[int, ...] = (16, 32),
    width: int = 256,
    classes: int | None = None,
) -> keras.Model:
    """Pictures (n, h, w, c) in [0, 1] -> (n, outputs), for a VAE outputs = 2 * latent_size.

    channels: after each halving of the sides by a 4x4 convolution with stride 2. width: of a dense layer.
    classes: with a number the network takes [pictures, one-hot labels (n, classes)].

    28x28x1 runs -> 14x14x16 -> 7x7x32 -> 256 -> outputs.
    Raises ValueError where the sides cannot be halved len(channels) times, or a size is too small.
    """
    _smallest_map(image_shape, channels, outputs=outputs, width=width)
    x = images = layers.Input(image_shape, name="images")
    for number, count in enumerate(channels, start=1):
        x = layers.Conv2D(count, 4, strides=2, padding="same", use_bias=False, name=f"halve_{number}")(x)
        x = _activated(x, f"halve_{number}")
    inputs, x = _with_labels(images, layers.Flatten(name="flatten")(x), classes)
    x = _activated(layers.Dense(width, use_bias=False, name="hidden")(x), "hidden")
    return keras.Model(inputs, layers.Dense(outputs, dtype="float32", name="code")(x), name="encoder")


def decoder(
    latent_size: int,
    image_shape: tuple[int, int, int],
    *,
    channels: tuple[int, ...] = (16, 32),
    width: int = 256,
    classes: int | None = None,
) -> keras.Model:
    """Latent numbers (n, latent_size) -> (n, h, w, c); the sigmoid of the result is the picture.

    The encoder backwards, with one dense layer more: a normal distribution has a long way to go to pictures.

    channels, width, classes: as in `encoder`, in its order. The transposed convolutions have kernels of 4 and stride
    2, so that each pixel is reached by the same number of kernel entries.

    16 latent numbers run -> 256 -> 256 -> 7x7x32 -> 14x14x16 -> 28x28x1. Raises ValueError as `encoder` does.
    """
    smallest = _smallest_map(image_shape, channels, latent_size=latent_size, width=width)
    latents = layers.Input((latent_size,), name="latents")
    inputs, x = _with_labels(latents, latents, classes)
    for name in ("hidden_1", "hidden_2"):
        x = _activated(layers.Dense(width, use_bias=False, name=name)(x), name)
    x = layers.Dense(math.prod(smallest), use_bias=False, name="unfold")(x)
    x = _activated(layers.Reshape(smallest, name="map")(x), "map")
    for number, count in enumerate(channels[-2::-1], start=1):
        x = layers.Conv2DTranspose(count, 4, strides=2, padding="same", use_bias=False, name=f"double_{number}")(x)
        x = _activated(x, f"double_{number}")
    last = layers.Conv2DTranspose(image_shape[-1], 4, strides=2, padding="same", dtype="float32", name="picture")
    return keras.Model(inputs, last(x), name="decoder")


def _activated(x, name: str):
    """Batch normalisation and ReLU. A short training is over before averages of the usual momentum have settled."""
    x = layers.BatchNormalization(momentum=0.9, name=f"{name}_normalisation")(x)
    return layers.ReLU(name=f"{name}_activation")(x)


def _with_labels(first, x, classes: int | None):
    """The inputs of a network whose first one is `first`, and x (n, d) with one-hot labels joined to it, if any."""
    if classes is None:
        return first, x
    labels = layers.Input((classes,), name="labels")
    loud = layers.Rescaling(LOUDNESS, name="loud_labels")(labels)
    return [first, labels], layers.Concatenate(name="with_labels")([x, loud])


def _classes(network) -> int | None:
    """How many labels an encoder or decoder may be told of; None for one that is told nothing."""
    return network.inputs[1].shape[-1] if len(network.inputs) > 1 else None


def _smallest_map(image_shape: tuple[int, int, int], channels: tuple[int, ...], **sizes: int) -> tuple[int, int, int]:
    """(rows, columns, channels) of the smallest map of the networks. Raises ValueError for sizes that do not fit."""
    rows, columns = shapes.smallest_map(image_shape, channels)
    for name, size in sizes.items():
        if size < 1:
            raise ValueError(f"{name} must be 1 or more, got {size}")
    return rows, columns, channels[-1]


def _check(encoder, decoder, likelihood: str, sigma: float | None, beta: float) -> None:
    code, latents = encoder.output_shape[-1], decoder.inputs[0].shape[-1]
    pictures = encoder.inputs[0].shape[1:]
    if code != 2 * latents or pictures != decoder.output_shape[1:]:
        raise ValueError(
            f"an encoder of pictures {pictures} to {code} numbers does not fit a decoder of {latents} "
            f"numbers to {decoder.output_shape[1:]}: a mean and a log-variance for each latent number are expected"
        )
    if _classes(encoder) != _classes(decoder):
        raise ValueError(
            f"an encoder told of {_classes(encoder)} classes does not fit a decoder told of {_classes(decoder)}: "
            "build both with the same classes"
        )
    if likelihood not in LIKELIHOODS:
        raise ValueError(f"likelihood must be one of {', '.join(map(repr, LIKELIHOODS))}, got {likelihood!r}")
    if beta < 0 or (sigma is not None and not sigma > 0):
        raise ValueError(f"beta must be 0 or more and sigma above 0 or None, got beta {beta} and sigma {sigma}")
