"""Pictures as arrays: the data sets that ship with the course, and images of your own.

Every picture comes back as float32 in [0, 1], channels last: (height, width, 3) for one photograph,
(n, height, width, channels) for a batch. Labels are int64.

The files lie in `data/`, and each is compared with its checksum in `data/MANIFEST.sha256` before its first use. What
is loaded is kept for the rest of the process, so a second call costs nothing; the arrays are read-only for
that reason. Call `.copy()` on one to change it.
"""

import gzip
import hashlib
import math
from functools import cache
from pathlib import Path

import numpy as np

from course_utils import paths

FASHION_MNIST_NAMES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)


class DataFileError(OSError):
    """A shipped data file is missing, cut short or changed; the message says how to restore it."""


# ------------------------------------------------------------------------------------------- checked files


def sha256(path: Path) -> str:
    """The SHA-256 checksum of a file, as 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_manifest(path: Path | None = None) -> dict[str, str]:
    """Checksums by file name, from a manifest of lines "<sha256>  <name>" (by default the course's own).

    Names are relative to `data/`, with forward slashes. Raises DataFileError where there is no manifest.
    """
    path = path or paths.DATA / "MANIFEST.sha256"
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise _damaged("MANIFEST.sha256", "a readable list of checksums", f"none ({error.strerror})") from error
    return {name: checksum for checksum, _, name in (line.partition("  ") for line in lines)}


def _damaged(name: str, expected: str, found: str) -> DataFileError:
    return DataFileError(
        f"data/{name} is not the file the course shipped.\n"
        f"  expected: {expected}\n"
        f"  found:    {found}\n"
        f"To restore it, run: python course.py data restore {name}"
    )


def data_file(name: str) -> Path:
    """Path of the file `name` of `data/`, after its checksum agreed with the manifest (read once per process).

    Raises DataFileError when the file is missing, cut short, changed or not in the manifest.
    """
    return _checked(paths.DATA, name)


@cache
def _checked(folder: Path, name: str) -> Path:
    path = folder / name
    expected = read_manifest(folder / "MANIFEST.sha256").get(name)
    if expected is None:
        raise DataFileError(f"data/{name} is not listed in data/MANIFEST.sha256: check the spelling of the name")
    try:
        found = sha256(path)
    except OSError as error:
        raise _damaged(name, f"sha256 {expected}", f"nothing readable ({error.strerror})") from error
    if found != expected:
        raise _damaged(name, f"sha256 {expected}", f"sha256 {found}")
    return path


def _frozen(array: np.ndarray) -> np.ndarray:
    array.flags.writeable = False
    return array


def _one_of(split: str, allowed: tuple[str, ...]) -> None:
    if split not in allowed:
        raise ValueError(f"split must be one of {', '.join(map(repr, allowed))}, got {split!r}")


# ------------------------------------------------------------------------------------------- Fashion-MNIST


def fashion_mnist(split: str) -> tuple[np.ndarray, np.ndarray]:
    """Fashion-MNIST: grey pictures of clothes in ten classes (Xiao, Rasul and Vollgraf, 2017).

    split: "train" (the first 55,000 of the original training set), "validation" (its last 5,000) or "test" (10,000).
    Returns (images, labels): float32 (n, 28, 28, 1) in [0, 1] and int64 (n,), indices into FASHION_MNIST_NAMES.
    Both are read-only. Raises ValueError for another split, DataFileError for a damaged file.
    """
    _one_of(split, ("train", "validation", "test"))
    images, labels = _fashion_mnist_part("t10k" if split == "test" else "train")
    part = {"train": slice(0, 55_000), "validation": slice(55_000, 60_000), "test": slice(None)}[split]
    return images[part], labels[part]


@cache
def _fashion_mnist_part(part: str) -> tuple[np.ndarray, np.ndarray]:
    images = _read_idx(f"fashion_mnist/{part}-images-idx3-ubyte.gz")
    labels = _read_idx(f"fashion_mnist/{part}-labels-idx1-ubyte.gz")
    return _frozen(images[..., np.newaxis] / np.float32(255)), _frozen(labels.astype(np.int64))


def _read_idx(name: str) -> np.ndarray:
    """The uint8 array of a gzipped IDX file: four bytes (0, 0, 8, number of axes), the lengths, then the pixels."""
    content = gzip.decompress(data_file(name).read_bytes())
    axes = content[3]
    shape = np.frombuffer(content, ">u4", count=axes, offset=4)
    return np.frombuffer(content, np.uint8, count=math.prod(map(int, shape)), offset=4 + 4 * axes).reshape(shape)
