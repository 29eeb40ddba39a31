"""EfficientNet-Lite0, a small classifier of photographs trained on ImageNet (Tan and Le, 2019; the Lite variant, 2020).

Lite means: no squeeze-and-excitation and ReLU6 in place of swish, which small devices run faster.
`course_utils.models.load("efficientnet_lite0")` gives it with its trained weights.
"""

from functools import cache

import keras
import numpy as np
from keras import layers, ops

from course_utils.data_files import data_file

# Stages of inverted residual blocks (Sandler et al., "MobileNetV2", 2018): repeats, kernel size, stride of the first
# block, expansion of the channels inside a block, channels out.
STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
STEM_CHANNELS, HEAD_CHANNELS, CLASSES = 32, 1280, 1000


def efficientnet_lite0() -> keras.Model:
    """The network without trained weights: 4,694,024 numbers, 42,016 of them moving averages of batch normalisation.

    Input: photographs, float32 (n, height, width, 3) in [0, 1], any size from 32 pixels on (it was trained at 224).
    Output: logits, float32 (n, 1000), the numbers in front of the softmax, one per ImageNet class.

    Layer "feature_map" gives (n, height/32, width/32, 1280), rounded up; "features" is its mean over places, (n, 1280).
    """
    images = layers.Input((None, None, 3), name="images")
    x = layers.Rescaling(255 / 128, offset=-127 / 128, name="rescaling")(images)
    x = layers.Conv2D(STEM_CHANNELS, 3, 2, padding="same", use_bias=False, name="stem_convolution")(x)
    x = _normalised(x, "stem")
    number = 0
    for repeats, kernel_size, strides, expansion, channels in STAGES:
        for repeat in range(repeats):
            x = _block(x, kernel_size, strides if repeat == 0 else 1, expansion, channels, f"block_{number}")
            number += 1
    x = layers.Conv2D(HEAD_CHANNELS, 1, use_bias=False, name="head_convolution")(x)
    x = layers.BatchNormalization(epsilon=1e-3, name="head_normalisation")(x)
    x = layers.ReLU(max_value=6, name="feature_map")(x)
    x = layers.GlobalAveragePooling2D(name="features")(x)
    return keras.Model(images, layers.Dense(CLASSES, name="logits")(x), name="efficientnet_lite0")


def features_model(pooled: bool = True) -> keras.Model:
    """The trained network without its last layer, frozen, as a start for transfer learning.

    Input as above. Output: float32 (n, 1280), or (n, height/32, width/32, 1280) with pooled=False.
    `model.trainable = True` thaws it for fine-tuning; batch normalisation then follows the new pictures.
    """
    from course_utils import models

    classifier = models.load("efficientnet_lite0")
    output = classifier.get_layer("features" if pooled else "feature_map").output
    model = keras.Model(classifier.input, output, name="efficientnet_lite0_features")
    model.trainable = False
    return model


@cache
def class_names() -> tuple[str, ...]:
    """The 1,000 ImageNet classes in the order of the logits; a name may list synonyms ("sax, saxophone")."""
    return tuple(data_file("weights/imagenet_classes.txt").read_text(encoding="utf-8").splitlines())


def best_classes(logits, count: int = 3) -> list[tuple[int, str, float]]:
    """The most probable classes of one photograph: (index, first name of the class, probability), best first.

    logits: (1000,), one row of the network's output. Raises ValueError for another shape.
    """
    if tuple(np.shape(logits)) != (CLASSES,):
        raise ValueError(f"logits must have shape ({CLASSES},), got {tuple(np.shape(logits))}: pass one row, logits[0]")
    probabilities = ops.convert_to_numpy(ops.softmax(ops.convert_to_tensor(logits, "float32")))
    best = np.argsort(-probabilities, kind="stable")[:count]
    return [(int(index), class_names()[index].split(",")[0], float(probabilities[index])) for index in best]


def _normalised(x, name: str):
    x = layers.BatchNormalization(epsilon=1e-3, name=f"{name}_normalisation")(x)
    return layers.ReLU(max_value=6, name=f"{name}_activation")(x)


def _block(x, kernel_size: int, strides: int, expansion: int, channels: int, name: str):
    """Widen with 1x1, filter each channel by itself, narrow with 1x1; add the input where the shapes agree."""
    inputs, y = x, x
    if expansion > 1:
        y = layers.Conv2D(expansion * x.shape[-1], 1, use_bias=False, name=f"{name}_expansion")(y)
        y = _normalised(y, f"{name}_expansion")
    y = layers.DepthwiseConv2D(kernel_size, strides, padding="same", use_bias=False, name=f"{name}_depthwise")(y)
    y = _normalised(y, f"{name}_depthwise")
    y = layers.Conv2D(channels, 1, use_bias=False, name=f"{name}_projection")(y)
    y = layers.BatchNormalization(epsilon=1e-3, name=f"{name}_projection_normalisation")(y)
    if strides == 1 and inputs.shape[-1] == channels:
        y = layers.Add(name=f"{name}_sum")([inputs, y])
    return y
