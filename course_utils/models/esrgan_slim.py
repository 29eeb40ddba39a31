"""ESRGAN-slim, a small network trained elsewhere that enlarges RGB pictures 2 or 4 times (npm @upscalerjs/esrgan-slim).

The name promises more than there is. ESRGAN (Wang et al., "ESRGAN: Enhanced super-resolution generative adversarial
networks", 2018; `models.esrgan` has a smaller one) is a chain of 23 residual-in-residual dense blocks, trained against
a discriminator. This is another network, the residual dense network (RDN) of Zhang, Tian, Kong, Zhong and Fu, "Residual
dense network for image super-resolution", 2018, cut down to two blocks of one convolution each, as its package says
where it describes the file ("architecture: rdn"). By the package and its documentation it was trained on the
photographs of DIV2K with the public code idealo/image-super-resolution; x2 is epoch 494, of the lowest validation loss,
x4 is epoch 469. With which losses they do not say; nor, therefore, whether a discriminator took part.
"""

import keras
from keras import layers

from course_utils.data_files import data_file
from course_utils.models.restorer import Restorer

SCALES = (2, 4)
WIDTH, GROWTH, BLOCKS = 64, 4, 2  # maps between the blocks, maps that a block adds to its input, and how many blocks
REACH = 10  # pixels of the small picture on each side of one that its results look at: `overlap` in restore_tiled


def esrgan_slim(scale: int) -> Restorer:
    """The trained network: float RGB (n, h, w, 3) in [0, 1] -> float32 (n, h * scale, w * scale, 3), not clipped.

    Any height and width from one pixel on. Each call returns a new model.
    Raises ValueError for a scale other than 2 and 4, and DataFileError for a damaged file; the model raises ValueError
    as every `Restorer` does, for other channels, numbers far outside [0, 1] and NaN.
    """
    network = untrained(scale)
    network.load_weights(data_file(f"enlargers/esrgan_slim_x{scale}.weights.h5"))
    return Restorer(network, name=f"esrgan_slim_x{scale}")


def untrained(scale: int) -> keras.Model:
    """Its architecture: 222,075 numbers for scale 2 and 233,451 for scale 4, at random.

    Layers have the package's names. Inside, pixels count from 0 to 255. All maps have the size of the small picture
    until the last layers: there 3 * scale^2 maps are enlarged by repeating pixels, not shuffled into place, and one
    convolution of 3x3 makes the picture of them. At x4 the four inner pixels of each square of 4x4 see no other
    square and come out equal, so that a grid shows.
    """
    if scale not in SCALES:
        raise ValueError(f"scale must be 2 or 4, got {scale!r}: there are no weights for others")
    images = layers.Input((None, None, 3), name="images")
    x = layers.Rescaling(255.0, name="to_255")(images)
    shallow = _convolution("F_m1", WIDTH, 3)(x)
    x = _convolution("F_0", WIDTH, 3)(shallow)
    found = []
    for number in range(1, BLOCKS + 1):
        x = _dense_block(x, number)
        found.append(x)
    x = _convolution("GFF_1", WIDTH, 1)(layers.Concatenate(name="all_blocks")(found))
    x = _convolution("GFF_2", WIDTH, 3)(x)
    x = layers.Add(name="long_sum")([x, shallow])
    x = _convolution("UPN1", 64, 5, "relu")(x)
    x = _convolution("UPN2", 32, 3, "relu")(x)
    x = _convolution("UPN3", 3 * scale**2, 3)(x)
    x = layers.UpSampling2D(scale, interpolation="nearest", name="repeated")(x)
    x = _convolution("SR", 3, 3)(x)
    return keras.Model(images, layers.Rescaling(1 / 255, name="to_1")(x), name=f"rdn_x{scale}")


def _dense_block(x, number: int):
    """Maps added beside the input, fused by a 1x1 convolution, and added to it: a residual dense block."""
    grown = _convolution(f"F_{number}_1", GROWTH, 3, "relu")(x)
    fused = _convolution(f"LFF_{number}", WIDTH, 1)(layers.Concatenate(name=f"block_{number}_dense")([x, grown]))
    return layers.Add(name=f"block_{number}_sum")([fused, x])


def _convolution(name: str, maps: int, kernel_size: int, activation: str | None = None):
    return layers.Conv2D(maps, kernel_size, padding="same", activation=activation, name=name)
