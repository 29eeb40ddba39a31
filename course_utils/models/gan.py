"""Generative adversarial networks (lesson 08): the game as a Keras model under `fit`.

Its losses are in `gan_losses`, the networks that play it in `gan_networks`. Pictures are float32 in [0, 1] outside the
networks; each discriminator rescales them to [-1, 1] for itself.
"""

import keras
import numpy as np
from keras import layers, ops

from course_utils.models import sampling
from course_utils.models.averaging import average_weights
from course_utils.models.gan_losses import LOSSES, scores_and_gradients, squared_length


@keras.saving.register_keras_serializable("course_utils")
class Gan(keras.Model):
    """A generator and a discriminator that learn against each other under `fit(images)`.

    generator: a model from latent numbers (n, latent_size) to pictures (n, h, w, c) in [0, 1].
    discriminator: a model from such pictures to scores (n, 1), high for real ones.
    loss: a key of LOSSES.
    r1: weight of Mescheder's penalty, r1 / 2 * |d score / d image|^2 on real pictures (2018, equation 9).
    gradient_penalty: weight of Gulrajani's, (|d score / d image| - 1)^2 between real pictures and fakes (2017,
        equation 3).
    averaging: `averaged`, the generator that `sample` uses, keeps this share of itself at each step and takes the
        rest from `generator`; 0 for no averaging (Yazici et al., 2019).
    augmentation: a layer that changes pictures in a way that gradients pass through, applied to all that the
        discriminator sees (Zhao et al., "Differentiable augmentation", 2020), or None.

    Both losses are means over a batch and are added up: each network's weights get the gradient of its own alone,
    since the fakes are held fixed in the discriminator's loss, and its weights in the generator's. A discriminator may
    have dropout or batch normalisation: its state goes along, and real pictures and fakes are normalised each by
    themselves. With batch normalisation a picture's score depends on the other pictures of its batch, though, so that
    the slope that r1 and gradient_penalty look at is not that of the picture alone.
    Raises ValueError for an unknown loss, for networks that do not fit together, and for a penalty on a discriminator
    with batch normalisation.
    """

    input_range = (0.0, 1.0)

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        *,
        loss: str = "relativistic",
        r1: float = 0.0,
        gradient_penalty: float = 0.0,
        averaging: float = 0.998,
        augmentation: layers.Layer | None = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if loss not in LOSSES:
            raise ValueError(f"loss must be one of {', '.join(map(repr, LOSSES))}, got {loss!r}")
        if generator.output_shape[1:] != discriminator.input_shape[1:]:
            raise ValueError(
                f"the generator makes pictures of shape {generator.output_shape[1:]}, the discriminator expects "
                f"{discriminator.input_shape[1:]}: build both for one shape"
            )
        if (r1 or gradient_penalty) and _normalises_batches(discriminator):
            raise ValueError(
                "r1 and gradient_penalty want the slope of a picture's own score, got a discriminator with batch "
                "normalisation, whose scores depend on the whole batch: take layer normalisation, or no penalty"
            )
        self.generator, self.discriminator = generator, discriminator
        self.discriminator_loss, self.generator_loss = LOSSES[loss]
        self.r1, self.gradient_penalty, self.averaging = r1, gradient_penalty, averaging
        self.augmentation = augmentation
        self.latent_size = generator.input_shape[-1]
        self.averaged = keras.models.clone_model(generator)
        self.averaged.set_weights(generator.get_weights())
        self.averaged.trainable = False
        self.steps = self.add_weight(shape=(), initializer="zeros", dtype="int32", trainable=False, name="steps")
        self.seed_generator = keras.random.SeedGenerator()
        names = ("generator_loss", "discriminator_loss", "real_score", "fake_score")
        self.means = {name: keras.metrics.Mean(name=name) for name in names}
        self.built = True  # both networks are

    def call(self, images, training=False):
        """As many fakes as there are images."""
        latents = keras.random.normal((ops.shape(images)[0], self.latent_size), seed=self.seed_generator)
        return self.generator(latents, training=training)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """The sum of both networks' losses on a batch of real pictures x and fakes y_pred."""
        real, fake = (self._augmented(images, training) for images in (x, y_pred))
        fixed_fake = ops.stop_gradient(fake)
        penalty = 0.0
        if self.r1:
            real_scores, gradients = scores_and_gradients(self.discriminator, real)
            penalty = self.r1 / 2 * squared_length(gradients)
        else:
            real_scores = self.discriminator(real, training=training)
        if self.gradient_penalty:
            penalty = penalty + self.gradient_penalty * self._distance_from_one(real, fixed_fake)
        fake_scores = self.discriminator(fixed_fake, training=training)
        discriminator_loss = ops.mean(self.discriminator_loss(real_scores, fake_scores) + penalty)
        generator_loss = ops.mean(self.generator_loss(ops.stop_gradient(real_scores), self._score_for_generator(fake)))
        if training:
            self.steps.assign(self.steps + 1)
            average_weights(self.averaged, self.generator, self.steps, self.averaging)
        logged = (generator_loss, discriminator_loss, ops.mean(real_scores), ops.mean(fake_scores))
        for mean, value in zip(self.means.values(), logged, strict=True):
            mean.update_state(value)
        return discriminator_loss + generator_loss

    def _augmented(self, images, training):
        return images if self.augmentation is None else self.augmentation(images, training=training)

    def _score_for_generator(self, fake):
        """The discriminator's scores with its weights held fixed, so that their gradient goes to the fakes alone."""
        weights = [ops.stop_gradient(variable.value) for variable in self.discriminator.trainable_variables]
        state = [variable.value for variable in self.discriminator.non_trainable_variables]
        return self.discriminator.stateless_call(weights, state, fake, training=True)[0]

    def _distance_from_one(self, real, fake):
        share = keras.random.uniform((ops.shape(real)[0], 1, 1, 1), seed=self.seed_generator)
        _, gradients = scores_and_gradients(self.discriminator, share * real + (1 - share) * fake)
        return ops.square(ops.sqrt(squared_length(gradients) + 1e-12) - 1)

    def sample(self, n: int, seed: int = 0) -> np.ndarray:
        """n pictures by the averaged generator: float32 (n, h, w, c) in [0, 1], the same for the same seed.

        Raises ValueError for n under 1.
        """
        return self.decode(sampling.latents(n, self.latent_size, seed))

    def decode(self, latents: np.ndarray) -> np.ndarray:
        """The averaged generator's pictures, float32 (n, h, w, c), of latent numbers (n, latent_size)."""
        return sampling.in_batches(lambda batch: self.averaged(batch, training=False), latents)


def _normalises_batches(network: keras.Model) -> bool:
    return any(isinstance(layer, layers.BatchNormalization) for layer in network._flatten_layers())


def two_optimizers(model: Gan, generator: keras.Optimizer, discriminator: keras.Optimizer) -> keras.Optimizer:
    """One optimizer for `model.compile` that leaves each network to its own (two time scales, Heusel et al., 2017)."""
    of_generator = {id(variable) for variable in model.generator.trainable_variables}
    return keras.optimizers.MultiOptimizer(
        lambda variable: generator if id(variable) in of_generator else discriminator
    )
