"""The generator and the discriminator of lesson 08, and a convolution with spectral normalisation."""

import keras
from keras import layers, ops

from course_utils.models import shapes

LEAK = 0.2  # the slope of every leaky ReLU below zero


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


def generator(latent_size: int, channels: tuple[int, ...], image_shape: tuple[int, int, int]) -> keras.Model:
    """Latent numbers (n, latent_size) -> pictures (n, *image_shape) in [0, 1].

    channels: of the smallest map and after each but the last doubling of its sides. (64, 32) runs 7x7x64 -> 14x14x32
        -> 28x28x1. The transposed convolutions have kernels of 4 and stride 2, so that each pixel is reached by the
        same number of kernel entries: 5 and 2 do not divide, which shows as a checkerboard (Odena et al., 2016).
    Raises ValueError where the sides cannot be halved len(channels) times.
    """
    rows, columns = shapes.smallest_map(image_shape, channels)
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


def discriminator(
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
    shapes.smallest_map(image_shape, channels)
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
