"""VGG, a plain stack of convolutions trained on photographs, as eyes for other networks (Simonyan and Zisserman, 2015).

What its layers make of a picture says how alike two pictures look: compared place by place, they keep the content;
summed over places, as Gram matrices, the style (Gatys, Ecker and Bethge, 2016).
"""

import keras
import numpy as np
from keras import layers, ops

from course_utils.data_files import data_file
from course_utils.models.pictures import sound

CHANNELS = (64, 128, 256, 512, 512)  # of the convolutions in each block
MEANS = (103.939, 116.779, 123.68)  # of B, G and R over ImageNet, in 0-255: what VGG was trained with
LAYER_NAMES = ("conv1_2", "conv2_2", "conv3_3", "conv4_3")

_SHIPPED = "perceptual/vgg16_conv4_3.weights.h5"
_CONVOLUTIONS = {  # in each block, by the weights that there are
    "shipped": (2, 2, 3, 3),
    "random": (2, 2, 3, 3),
    "imagenet_vgg16": (2, 2, 3, 3, 3),
    "imagenet_vgg19": (2, 2, 4, 4, 4),
}


class Features(keras.Model):
    """The maps of some layers of a network for BGR pixels minus their means, from RGB pictures in [0, 1].

    Made by `features`, which says more.
    """

    def __init__(self, network: keras.Model, layer_names: tuple[str, ...], **kwargs):
        super().__init__(**kwargs)
        self.network, self.layer_names = network, layer_names
        self.smallest = 2 ** (max(int(name[4]) for name in layer_names) - 1)  # pixels, of which one is left at the end
        self.trainable = False
        self.built = True  # the network is

    def call(self, images, training=False):
        pixels = 255.0 * ops.cast(ops.flip(images, axis=-1), "float32") - ops.convert_to_tensor(MEANS, "float32")
        maps = self.network(pixels, training=False)
        return {name: maps[name] for name in self.layer_names}

    def __call__(self, images, *arguments, **keywords):
        return super().__call__(sound(images, smallest=self.smallest), *arguments, **keywords)

    def predict(self, x, *arguments, **keywords):
        return super().predict(sound(x, smallest=self.smallest), *arguments, **keywords)


def features(
    layer_names: tuple[str, ...] = LAYER_NAMES, weights: str = "shipped", *, pooling: str = "max", seed: int = 0
) -> Features:
    """The maps of some of VGG's convolutions, each after its ReLU, as a frozen `keras.Model`.

    Input: RGB pictures, float (n, height, width, 3) in [0, 1], of any size; the model itself reverses the channels,
    multiplies by 255 and subtracts the means. Numbers a little outside, as an optimiser or a network may give them,
    are taken as they are. Output: {name: float32 (n, height / 2^(b-1), width / 2^(b-1), channels)}, rounded down, in
    the order of `layer_names`, with b the block: "conv3_2" is the second convolution of block 3.

    weights: "shipped", VGG16 up to conv4_3, trained on ImageNet and then fine-tuned to find edges (data/README.md);
        "random", the same network with weights that never saw a picture, normal with variance 2 / inputs (He et al.,
        2015) from `seed`, alike on each backend, for comparison; "imagenet_vgg16" and "imagenet_vgg19", up to conv5_3
        and conv5_4 as Keras offers them, fetched from the internet at the first use.
    pooling: between the blocks, "max" as in training, or "average", which Gatys et al. found smoother to optimise over.

    Build it before training begins: inside a compiled step its weights cannot be loaded. In `compute_loss` or a loss
    function it works as it is: gradients go through to the pictures. A model that has it as an attribute counts its
    weights as its own and would store them; `model.compile(loss=function)` with a function that refers to it does not.

    Raises ValueError for names, weights and pooling that are none; called on arrays, for pictures of another shape or
    too small, whole numbers, NaN, infinity, and numbers far outside [0, 1] such as 0 to 255 (of tensors it looks at the
    shape alone). Raises RuntimeError when called inside a compiled step, OSError where ImageNet's weights are asked for
    and cannot be fetched, DataFileError for a damaged file.
    Simonyan and Zisserman, "Very deep convolutional networks for large-scale image recognition", 2015.
    """
    layer_names = _checked_names(layer_names, weights)
    if pooling not in ("max", "average"):
        raise ValueError(f"pooling must be 'max' or 'average', got {pooling!r}")
    _refuse_in_a_compiled_step()
    network = untrained(weights, pooling)
    if weights == "shipped":
        network.load_weights(data_file(_SHIPPED))
    elif weights != "random":
        _copy_weights(network, weights)
    maps = {name: network.get_layer(name).output for name in layer_names}
    network = keras.Model(network.input, maps)  # ends at the deepest of these layers
    if weights == "random":
        _draw_weights(network, seed)
    return Features(network, layer_names, name=f"vgg_{weights}")


def available(weights: str = "shipped") -> tuple[str, ...]:
    """The names of all convolutions that there are with these weights, in order. ValueError for unknown weights."""
    if weights not in _CONVOLUTIONS:
        raise ValueError(f"weights must be one of {', '.join(map(repr, _CONVOLUTIONS))}, got {weights!r}")
    counts = enumerate(_CONVOLUTIONS[weights], start=1)
    return tuple(f"conv{block}_{number}" for block, count in counts for number in range(1, count + 1))


def _refuse_in_a_compiled_step() -> None:
    """There, loading sets no weight and says nothing: the network would look at pictures with random eyes."""
    try:
        ops.convert_to_numpy(ops.zeros(()))
    except Exception as error:  # each backend has its own for a number that is not there yet
        raise RuntimeError(
            "VGG was built inside a compiled step, where its weights cannot be loaded: call vgg.features(...) once "
            "before `fit` and use what it returns in the loss"
        ) from error


def _checked_names(layer_names, weights: str) -> tuple[str, ...]:
    known = available(weights)
    if isinstance(layer_names, str):
        raise ValueError(f"layer_names must be several names, got {layer_names!r}: write ({layer_names!r},)")
    layer_names = tuple(layer_names)
    unknown = [name for name in layer_names if name not in known]
    if unknown or not layer_names:
        got = repr(unknown[0]) if unknown else "no name"
        raise ValueError(f"weights={weights!r} have the layers {', '.join(known)}, got {got}")
    return layer_names


def untrained(weights: str = "shipped", pooling: str = "max") -> keras.Model:
    """The network that such weights belong to, without them: (n, h, w, 3) BGR minus MEANS -> its last convolution.

    Each convolution is 3x3 and ends in a ReLU. Called conv1_1 and so on, as `available(weights)` lists them.
    """
    pool = {"max": layers.MaxPooling2D, "average": layers.AveragePooling2D}[pooling]
    pixels = x = layers.Input((None, None, 3), name="pixels")
    for block, count in enumerate(_CONVOLUTIONS[weights], start=1):
        if block > 1:
            x = pool(2, name=f"pool{block - 1}")(x)
        for number in range(1, count + 1):
            name, channels = f"conv{block}_{number}", CHANNELS[block - 1]
            x = layers.Conv2D(channels, 3, padding="same", activation="relu", dtype="float32", name=name)(x)
    return keras.Model(pixels, x, name="vgg")


def _convolutions(network: keras.Model) -> list[layers.Conv2D]:
    return [layer for layer in network.layers if isinstance(layer, layers.Conv2D)]


def _draw_weights(network: keras.Model, seed: int) -> None:
    for number, layer in enumerate(_convolutions(network)):
        generator = np.random.default_rng([seed, number])
        shape = layer.kernel.shape
        scale = np.float32(np.sqrt(2 / np.prod(shape[:3])))
        layer.set_weights([scale * generator.standard_normal(shape, np.float32), np.zeros(shape[-1])])


def _copy_weights(network: keras.Model, weights: str) -> None:
    """Of one of Keras's applications, which are fetched and kept in the user's folder of Keras."""
    name = weights.removeprefix("imagenet_").upper()
    try:
        original = getattr(keras.applications, name)(include_top=False, weights="imagenet")
    except Exception as error:  # Keras's own download raises plain Exception
        raise OSError(
            f"{name} trained on ImageNet could not be fetched, which takes the internet and 60 to 80 MB once: "
            f"use weights='shipped', which lie in data/ ({error})"
        ) from error
    for layer in _convolutions(network):
        layer.set_weights(original.get_layer(f"block{layer.name[4:].replace('_', '_conv')}").get_weights())
