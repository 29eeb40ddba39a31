"""What a deblurrer learns from (lesson 12): pictures blurred in many ways, which it is not told of."""

from functools import cache

import keras
import numpy as np
from keras import layers, ops

from course_utils.degrade import add_gaussian_noise, defocus_kernel, gaussian_kernel, motion_kernel
from course_utils.degrade.pictures import as_batch

_KERNELS = 384  # of a bank; a `turned` restorer shows each in eight ways
_SIZE = 25  # pixels across, as the largest of `degrade.PROTOCOLS`
_NOISE = (0.0, 4 / 255)  # sigma; the protocols have 2 and 2.55


@cache
def kernel_bank() -> np.ndarray:
    """Blurs about as strong as those of `degrade.PROTOCOLS`: float32 (384, 25, 25), each of sum 1; read-only.

    In turn a Gaussian of sigma 0.6 to 2.6 pixels, a motion of 3 to 21 pixels in any direction, and a disc of radius 1
    to 4.5 pixels.
    """
    random, bank = np.random.default_rng(0), np.zeros((_KERNELS, _SIZE, _SIZE), np.float32)
    for index, place in enumerate(bank):
        kernel = (
            gaussian_kernel(random.uniform(0.6, 2.6), _SIZE),
            motion_kernel(random.uniform(3, 21), random.uniform(0, 180)),
            defocus_kernel(random.uniform(1, 4.5)),
        )[index % 3]
        first = (_SIZE - len(kernel)) // 2
        place[first : first + len(kernel), first : first + len(kernel)] = kernel
    bank.flags.writeable = False
    return bank


class Blurs(layers.Layer):
    """Pictures (n, h, w, C), each blurred by a kernel of `kernel_bank` drawn anew at each call, with a little noise.

    Beyond the border they are mirrored, the border pixel repeated, as in the protocols; the noise is not clipped.
    """

    def __init__(self, seed: int, **kwargs):
        super().__init__(**kwargs)
        self.seed = keras.random.SeedGenerator(seed)

    def call(self, images):
        drawn = keras.random.randint((ops.shape(images)[0],), 0, _KERNELS, seed=self.seed)
        kernels = ops.take(ops.convert_to_tensor(kernel_bank()), drawn, axis=0)
        return add_gaussian_noise(blurred(images, kernels), _NOISE, self.seed)


def blurred(images, kernels):
    """Each picture (n, h, w, C) convolved with a kernel of its own, (n, k, k), k odd: float32 (n, h, w, C).

    As `degrade.blur` with border="symmetric", which has one kernel for all. Pictures must be k // 2 pixels or more high
    and wide. They stand side by side as the channels of one picture, so that one depthwise layer blurs them all.
    """
    images = as_batch(images)
    count, height, width, channels = ops.shape(images)
    size = kernels.shape[1]
    margin = (size // 2, size // 2)
    padded = ops.pad(images, [(0, 0), margin, margin, (0, 0)], mode="symmetric")
    side_by_side = ops.reshape(ops.transpose(padded, (1, 2, 0, 3)), (1, height + size - 1, width + size - 1, -1))
    turned = ops.flip(kernels, axis=(1, 2))  # a layer correlates
    filters = ops.transpose(ops.repeat(turned, channels, axis=0), (1, 2, 0))[..., None]
    results = ops.depthwise_conv(side_by_side, filters, padding="valid")
    return ops.transpose(ops.reshape(results, (height, width, count, channels)), (2, 0, 1, 3))
