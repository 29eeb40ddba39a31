"""Generative adversarial networks (lesson 08): the game as a Keras model, and the networks that play it.

Pictures are float32 in [0, 1] outside the networks; each discriminator rescales them to [-1, 1] for itself.
"""

from collections.abc import Callable

import keras
import numpy as np
from keras import layers, ops

from course_utils import profiles
from course_utils.models import generator as generators
from course_utils.models.classifier import RandomShiftFlip

LEAK = 0.2  # the slope of every leaky ReLU below zero


# ------------------------------------------------------------------------------------------------------ losses


def _minimax(score):
    """log(1 - D), what the generator of Goodfellow et al. (2014), equation 1, makes small."""
    return -ops.softplus(score)


# name -> (loss of the discriminator, loss of the generator), both of (scores of real pictures, scores of fakes), (n, 1)
LOSSES: dict[str, tuple[Callable, Callable]] = {
    "minimax": (
        lambda real, fake: ops.softplus(-real) + ops.softplus(fake),
        lambda real, fake: _minimax(fake),
    ),
    "non-saturating": (
        lambda real, fake: ops.softplus(-real) + ops.softplus(fake),
        lambda real, fake: ops.softplus(-fake),
    ),
    "hinge": (  # Lim and Ye, "Geometric GAN", 2017
        lambda real, fake: ops.relu(1 - real) + ops.relu(1 + fake),
        lambda real, fake: -fake,
    ),
    "relativistic": (  # Jolicoeur-Martineau, "The relativistic discriminator", 2018: pairs of one real and one fake
        lambda real, fake: ops.softplus(fake - real),
        lambda real, fake: ops.softplus(real - fake),
    ),
    "Wasserstein": (  # Arjovsky, Chintala and Bottou, "Wasserstein GAN", 2017
        lambda real, fake: fake - real,
        lambda real, fake: -fake,
    ),
}


def scores_and_gradients(discriminator: keras.Model, images):
    """Scores (n, 1) of images (n, h, w, c), and the gradient of each score with respect to its image, (n, h, w, c).

    `keras.ops` has no gradient, so this speaks to TensorFlow or JAX. State of the discriminator is read, not changed.
    """
    weights = [variable.value for variable in discriminator.trainable_variables]
    state = [variable.value for variable in discriminator.non_trainable_variables]

    def total(images):
        scores, _ = discriminator.stateless_call(weights, state, images, training=True)
        return ops.sum(scores), scores

    if keras.backend.backend() == "jax":
        import jax

        gradients, scores = jax.grad(total, has_aux=True)(images)
        return scores, gradients
    import tensorflow as tf

    with tf.GradientTape() as tape:
        tape.watch(images)
        value, scores = total(images)
    return scores, tape.gradient(value, images)


def squared_length(gradients):
    """The squared length of each picture's gradient: (n, h, w, c) -> (n, 1)."""
    squares = ops.square(ops.cast(gradients, "float32"))  # also where the networks compute in half precision
    return ops.expand_dims(ops.sum(squares, axis=(1, 2, 3)), -1)


# ------------------------------------------------------------------------------------------------------- model


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
    since the fakes are held fixed in the discriminator's loss, and its weights in the generator's.
    Raises ValueError for an unknown loss or networks that do not fit together.
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
            self._average()
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

    def _average(self):
        # Early on the average is over all steps so far, so that it does not remember the untrained generator.
        self.steps.assign(self.steps + 1)
        steps = ops.cast(self.steps, "float32")
        keep = ops.minimum(self.averaging, steps / (steps + 10)) if self.averaging else 0.0
        for average, current in zip(self.averaged.weights, self.generator.weights, strict=True):
            average.assign(keep * average + (1 - keep) * current)

    def sample(self, n: int, seed: int = 0) -> np.ndarray:
        """n pictures by the averaged generator: float32 (n, h, w, c) in [0, 1], the same for the same seed.

        Raises ValueError for n under 1.
        """
        return self.decode(generators.latents(n, self.latent_size, seed))

    def decode(self, latents: np.ndarray) -> np.ndarray:
        """The averaged generator's pictures, float32 (n, h, w, c), of latent numbers (n, latent_size)."""
        return generators.in_batches(lambda batch: self.averaged(batch, training=False), latents)


class TwoRatesAdam(keras.optimizers.Adam):
    """Adam whose steps are `ratio` times as long for the variables of one network (Heusel et al., 2017)."""

    def __init__(self, learning_rate, *, network: keras.Model, ratio: float, **options):
        super().__init__(learning_rate, **options)
        self.network, self.ratio = network, ratio

    def build(self, variables):
        super().build(variables)
        own = {id(variable) for variable in self.network.trainable_variables}
        self.factors = [self.ratio if id(variable) in own else 1.0 for variable in variables]

    def update_step(self, gradient, variable, learning_rate):
        factor = self.factors[self._get_variable_index(variable)]
        super().update_step(gradient, variable, learning_rate * factor)


# ---------------------------------------------------------------------------------------------------- networks


@keras.saving.register_keras_serializable("course_utils")
class SpectralConv2D(layers.Conv2D):
    """A convolution whose kernel, as a matrix (height * width * inputs, outputs), has largest singular value 1.

    The value is followed by one power iteration a training step, which goes on from the vector of the step before.
    Miyato, Kataoka, Koyama and Yoshida, "Spectral normalization for generative adversarial networks", 2018.
    """

    def build(self, input_shape):
        super().build(input_shape)
        options = {"initializer": "random_normal", "trainable": False}
        self.direction = self.add_weight(shape=(self.filters, 1), name="direction", **options)

    def call(self, inputs, training=False):
        matrix = ops.reshape(self.kernel, (-1, self.filters))
        fixed = ops.stop_gradient(matrix)
        left = _unit(ops.matmul(fixed, self.direction))
        right = _unit(ops.matmul(ops.transpose(fixed), left))
        if training:
            self.direction.assign(right)
        largest = ops.matmul(ops.transpose(left), ops.matmul(matrix, right))
        kernel = ops.cast(self.kernel / ops.squeeze(largest), inputs.dtype)
        outputs = ops.conv(inputs, kernel, self.strides, self.padding, dilation_rate=self.dilation_rate)
        return outputs + ops.cast(self.bias, inputs.dtype) if self.use_bias else outputs

    # Keras writes the kernel and the bias of a convolution by name, and would leave the vector out.
    def save_own_variables(self, store):
        super().save_own_variables(store)
        store["direction"] = self.direction

    def load_own_variables(self, store):
        super().load_own_variables(store)
        self.direction.assign(store["direction"])


def _unit(vector):
    return vector / (ops.norm(vector) + 1e-12)


def generator_network(latent_size: int, channels: tuple[int, ...], image_shape: tuple[int, int, int]) -> keras.Model:
    """Latent numbers (n, latent_size) -> pictures (n, *image_shape) in [0, 1].

    channels: of the smallest map and after each but the last doubling of its sides. (64, 32) runs 7x7x64 -> 14x14x32
        -> 28x28x1. The transposed convolutions have kernels of 4 and stride 2, so that each pixel is reached by the
        same number of kernel entries: 5 and 2 do not divide, which shows as a checkerboard (Odena et al., 2016).
    Raises ValueError where the sides cannot be halved len(channels) times.
    """
    rows, columns = generators.smallest_map(image_shape, channels)
    latents = layers.Input((latent_size,), name="latents")
    x = layers.Dense(rows * columns * channels[0], use_bias=False, name="first")(latents)
    x = _normalise(layers.Reshape((rows, columns, channels[0]), name="map")(x), "first")
    options = {"padding": "same", "use_bias": False, "kernel_initializer": "he_normal"}
    for number, count in enumerate(channels):
        if number:
            x = layers.Conv2DTranspose(count, 4, strides=2, name=f"double_{number}", **options)(x)
            x = _normalise(x, f"double_{number}")
    last = layers.Conv2DTranspose(
        image_shape[-1], 4, strides=2, padding="same", activation="sigmoid", dtype="float32", name="pictures"
    )
    return keras.Model(latents, last(x), name="generator")


def discriminator_network(
    channels: tuple[int, ...],
    image_shape: tuple[int, int, int],
    *,
    refinements: tuple[int, ...] = (),
    spectral_normalisation: bool = False,
    dropout_rate: float = 0.0,
) -> keras.Model:
    """Pictures (n, *image_shape) in [0, 1] -> scores (n, 1), high for real ones.

    channels: after each halving of the sides by a 4x4 convolution with stride 2. No batch normalisation: each score
    must depend on its own picture alone, or a penalty on its gradient means nothing.
    refinements: channels of 3x3 convolutions that keep the smallest map's size. dropout_rate: of the last map.
    Raises ValueError where the sides cannot be halved len(channels) times.
    """
    generators.smallest_map(image_shape, channels)
    convolution = SpectralConv2D if spectral_normalisation else layers.Conv2D
    options = {"padding": "same", "kernel_initializer": "he_normal"}
    images = layers.Input(image_shape, name="images")
    x = layers.Rescaling(2, -1, name="rescaling")(images)
    for number, count in enumerate(channels, start=1):
        x = convolution(count, 4, strides=2, name=f"halve_{number}", **options)(x)
        x = layers.LeakyReLU(LEAK, name=f"halve_{number}_activation")(x)
    for number, count in enumerate(refinements, start=1):
        x = convolution(count, 3, name=f"refine_{number}", **options)(x)
        x = layers.LeakyReLU(LEAK, name=f"refine_{number}_activation")(x)
    x = layers.Flatten(name="flatten")(x)
    if dropout_rate:
        x = layers.Dropout(dropout_rate, name="dropout")(x)
    return keras.Model(images, layers.Dense(1, dtype="float32", name="score")(x), name="discriminator")


def _normalise(x, name: str):
    x = layers.BatchNormalization(momentum=0.9, name=f"{name}_normalisation")(x)
    return layers.LeakyReLU(LEAK, name=f"{name}_activation")(x)


def tutorial_dcgan() -> tuple[keras.Model, keras.Model]:
    """The generator and discriminator that well-known tutorials train on 28x28 pictures, to compare with.

    Latent numbers (n, 100) -> 7x7x256 -> 7x7x128 -> 14x14x64 -> 28x28x1 by transposed 5x5 convolutions, and back by
    two 5x5 convolutions with stride 2. After Radford, Metz and Chintala, 2016 (DCGAN).
    """
    options = {"padding": "same", "use_bias": False}
    generator = [layers.Input((100,)), layers.Dense(7 * 7 * 256, use_bias=False), *_normalised(0.3)]
    generator += [layers.Reshape((7, 7, 256))]
    for channels, strides in ((128, 1), (64, 2)):
        generator += [layers.Conv2DTranspose(channels, 5, strides, **options), *_normalised(0.3)]
    generator += [layers.Conv2DTranspose(1, 5, 2, activation="tanh", **options), layers.Rescaling(0.5, 0.5)]
    discriminator = [layers.Input((28, 28, 1)), layers.Rescaling(2, -1)]
    for channels in (64, 128):
        discriminator += [layers.Conv2D(channels, 5, 2, padding="same"), layers.LeakyReLU(0.3), layers.Dropout(0.3)]
    discriminator += [layers.Flatten(), layers.Dense(1)]
    return keras.Sequential(generator, name="generator"), keras.Sequential(discriminator, name="discriminator")


def _normalised(leak: float) -> list[layers.Layer]:
    return [layers.BatchNormalization(), layers.LeakyReLU(leak)]


def fashion_gan(numbers) -> Gan:
    """The untrained GAN of lesson 08 for 28x28 grey pictures. numbers: a profiles.Lesson08."""
    shape = (28, 28, 1)
    return Gan(
        generator_network(numbers.latent_size, numbers.generator_channels, shape),
        discriminator_network(numbers.discriminator_channels, shape, refinements=numbers.refinements),
        r1=numbers.r1,
        averaging=numbers.averaging,
        name="gan_fashion",
    )


def emoji_gan(numbers) -> Gan:
    """The untrained GAN of lesson 08 for 32x32 pictures in colour. numbers: a profiles.Lesson08.

    There are few emoji, so the discriminator sees each moved and mirrored at random, and so can less easily learn
    them by heart.
    """
    shape = (32, 32, 3)
    return Gan(
        generator_network(numbers.emoji_latent_size, numbers.emoji_generator_channels, shape),
        discriminator_network(numbers.emoji_discriminator_channels, shape),
        r1=numbers.emoji_r1,
        averaging=numbers.averaging,
        augmentation=RandomShiftFlip(numbers.emoji_shift, flip=True, fill=1.0),  # the background is white
        name="gan_emoji",
    )


def gan_fashion() -> Gan:
    """The network behind `models.load("gan_fashion")`, trained by `course train gan_fashion --profile full`."""
    return fashion_gan(profiles.lesson_08("full"))


def gan_emoji() -> Gan:
    """The network behind `models.load("gan_emoji")`, trained by `course train gan_emoji --profile full`."""
    return emoji_gan(profiles.lesson_08("full"))
