"""Builds data/enlargers/esrgan_slim_x2.weights.h5 and its x4 from the TensorFlow.js models of npm, stored as float16.

What is known of each lies beside it, in esrgan_slim_x2.json and esrgan_slim_x4.json.
"""

import json
import sys
from pathlib import Path

import numpy as np
import packages

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

KEPT = {2: "at its lowest validation loss, in epoch 494", 4: "epoch 469"}
CREDIT = {
    "file": "enlargers/esrgan_slim_x{scale}.weights.h5",
    "title": "ESRGAN-slim, which enlarges pictures {scale} times",
    "author": "Kevin Scott",
    "source": "https://github.com/thekevinscott/UpscalerJS",
    "licence": "MIT",
    "changes": "converted to Keras and float16",
    "history": [
        "npm package @upscalerjs/esrgan-slim 1.0.0, models/x{scale}: a residual dense network (Zhang et al., 2018) of "
        "two blocks with one convolution each. The network of ESRGAN (Wang et al., 2018) is another.",
        "By the package's description of the file trained on DIV2K, {kept}; by the documentation of UpscalerJS with "
        "the code of idealo/image-super-resolution. The losses are not named.",
    ],
}


def build(packages_folder: Path, target: Path) -> list[dict[str, str]]:
    """Write enlargers/ under `target`. The credits lie beside the weights, so that CREDITS.csv gets no rows."""
    from course_utils import training

    content = packages.files("esrgan-slim", packages_folder)
    for scale, kept in KEPT.items():
        credit = {key: _filled(value, scale=scale, kept=kept) for key, value in CREDIT.items()}
        path = target / credit["file"]
        training.save_weights(original_network(content, scale), path, dtype="float16")
        path.with_name(f"esrgan_slim_x{scale}.json").write_text(
            json.dumps(credit, indent=2, ensure_ascii=False) + "\n", encoding="utf-8", newline="\n"
        )
    return []


def original_network(content: dict[str, bytes], scale: int):
    """The network with the weights of the package as they are there, in float32; `content`: its files by path."""
    from course_utils.models import esrgan_slim

    network = esrgan_slim.untrained(scale)
    arrays = read_arrays(content, f"package/models/x{scale}")
    for layer in network.layers:
        if layer.weights:
            layer.set_weights([arrays.pop(f"{layer.name}/{part}") for part in ("kernel", "bias")])
    if arrays:
        raise ValueError(f"arrays that no layer took: {', '.join(arrays)}")
    return network


def read_arrays(content: dict[str, bytes], folder: str) -> dict[str, np.ndarray]:
    """Arrays by name, of a TensorFlow.js model of one file of weights that are not quantised.

    They follow each other in the file, little-endian, in the order of the manifest inside model.json.
    """
    (group,) = json.loads(content[f"{folder}/model.json"])["weightsManifest"]
    (name,) = group["paths"]
    stored, start, arrays = content[f"{folder}/{name}"], 0, {}
    for weight in group["weights"]:
        if weight["dtype"] != "float32" or "quantization" in weight:
            raise ValueError(f"{weight['name']} is stored as {weight}, expected plain float32")
        count = int(np.prod(weight["shape"]))
        arrays[weight["name"]] = np.frombuffer(stored, "<f4", count, start).reshape(weight["shape"])
        start += 4 * count
    if start != len(stored):
        raise ValueError(f"{folder}/{name} has {len(stored)} bytes, expected {start}")
    return arrays


def _filled(value: str | list[str], **what) -> str | list[str]:
    return [line.format(**what) for line in value] if isinstance(value, list) else value.format(**what)
