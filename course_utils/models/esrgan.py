"""A generator of ESRGAN, trained elsewhere, that enlarges RGB pictures 4 times: sharp, with texture that it makes up.

The network is that of Wang, Yu, Wu, Gu, Liu, Dong, Loy, Qiao and Tang, "ESRGAN: Enhanced super-resolution generative
adversarial networks", 2018, made smaller: 10 residual-in-residual dense blocks in place of 23, 32 maps in place of 64,
ReLU for leaky ReLU, and sub-pixel convolution in place of repeated pixels.

The weights are the model `gans` of npm @upscalerjs/esrgan-legacy 1.0.0, each a whole number from 0 to 255. The package
says that they were trained on DIV2K, and by its documentation they are the weights `gans` of idealo's
image-super-resolution (Apache-2.0). That project's record for a network of these numbers says how: small pictures by
bicubic down-sampling; first 166 epochs of 1,000 batches of 8 with the mean absolute error of pixels alone; then, up to
epoch 299 by the name of the file, with 0.01 times the binary cross-entropy of a discriminator plus 0.0833 times the
mean squared error of features of VGG19, and pixels no longer counted. So the losses are those of SRGAN (Ledig et al.,
2017); the relativistic discriminator of the ESRGAN paper is not mentioned. Which layers of VGG19, it does not say.
"""

import keras
import numpy as np
from keras import layers

from course_utils.data_files import data_file
from course_utils.models.restorer import Restorer
from course_utils.models.super_resolution import SubPixel

SCALE = 4
WIDTH, BLOCKS, DENSE_BLOCKS, GROWING = 32, 10, 3, 4  # maps; blocks; dense blocks in each; convolutions that add maps
OVERLAP = 24  # pixels of the small picture, for `restore_tiled`: the receptive field is 154 to each side, but what lies
# beyond 24 moved no result by more than 0.01 of 255 levels on the package's own picture, and beyond 16 by 0.4
RESIDUAL = 0.2  # what a block finds is added to its input times this, so that so deep a network stays calm


def esrgan() -> Restorer:
    """The trained generator: float RGB (n, h, w, 3) in [0, 1] -> float32 (n, 4 h, 4 w, 3), not clipped.

    Any height and width from one pixel on. Each call returns a new model.
    Raises DataFileError for a damaged file; the model raises ValueError as every `Restorer` does, for other channels,
    numbers far outside [0, 1] and NaN.
    """
    network = untrained()
    with np.load(data_file("enlargers/esrgan_x4.npz"), allow_pickle=False) as stored:
        fill(network, **stored)
    return Restorer(network, name="esrgan_x4")


def untrained() -> keras.Model:
    """Its architecture: 4,176,100 numbers, at random. Layers have the names of idealo's.

    All maps have the size of the small picture until the last two layers, so that each of the small picture's
    pixels costs 4.2 million multiplications.
    """
    images = layers.Input((None, None, 3), name="images")
    shallow = _convolution("Pre_blocks_conv")(images)
    x = shallow
    for block in range(1, BLOCKS + 1):
        x = _residual_in_residual(x, block)
    x = layers.Add(name="long_sum")([_convolution("post_blocks_conv")(x), shallow])
    x = SubPixel(SCALE, name="shuffled")(_convolution("PreShuffle", 3 * SCALE**2)(x))
    return keras.Model(images, _convolution("SR", 3)(x), name="rrdn_x4")


def fill(network: keras.Model, levels: np.ndarray, names: np.ndarray, scales: np.ndarray, minima: np.ndarray) -> None:
    """Give a network the weights level * scale + minimum, each array with its own scale and minimum.

    levels: uint8 (4176100,), the arrays flat, one after the other in the order of `names`, which are layer/kernel and
        layer/bias. scales, minima: float64 (308,).
    Raises ValueError where these are not the arrays of the network.
    """
    variables = {variable.path: variable for variable in network.weights}
    if sorted(names) != sorted(variables) or len(levels) != network.count_params():
        raise ValueError(
            f"got {len(names)} arrays of {len(levels):,} numbers, expected {len(variables)} of "
            f"{network.count_params():,}, with the names of the network's weights"
        )
    ends = np.cumsum([np.prod(variables[name].shape) for name in names])
    for name, flat, scale, minimum in zip(names, np.split(levels, ends[:-1]), scales, minima, strict=True):
        variables[name].assign((flat * scale + minimum).reshape(variables[name].shape))


def _residual_in_residual(x, block: int):
    """Three dense blocks in a chain; a fifth of what comes out is added to what went in (figure 4 of the paper)."""
    found = x
    for number in range(1, DENSE_BLOCKS + 1):
        found = _dense_block(found, f"{block}_{number}")
    return layers.Add(name=f"block_{block}_sum")([x, layers.Rescaling(RESIDUAL, name=f"block_{block}_fifth")(found)])


def _dense_block(x, name: str):
    """Four convolutions that see all maps before them, one that fuses them; a fifth of its result is added to x."""
    maps = x
    for number in range(1, GROWING + 1):
        grown = _convolution(f"F_{name}_{number}", activation="relu")(maps)
        maps = layers.Concatenate(name=f"dense_{name}_{number}")([maps, grown])
    fused = layers.Rescaling(RESIDUAL, name=f"dense_{name}_fifth")(_convolution(f"LFF_{name}")(maps))
    return layers.Add(name=f"dense_{name}_sum")([x, fused])


def _convolution(name: str, maps: int = WIDTH, activation: str | None = None):
    return layers.Conv2D(maps, 3, padding="same", activation=activation, name=name)
