"""The losses of GANs (lesson 08), and the gradient of a score with respect to its picture, which penalties need."""

from collections.abc import Callable

import keras
from keras import ops


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
