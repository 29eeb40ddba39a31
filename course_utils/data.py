"""Pictures as arrays: the data sets that ship with the course, and images of your own.

Every picture comes back as float32 in [0, 1], channels last: (height, width, 3) for one photograph,
(n, height, width, channels) for a batch. Labels are int64.

What is loaded is kept for the rest of the process, so a second call costs nothing; the arrays are read-only for that
reason. Call `.copy()` on one to change it. A file that is missing or changed raises DataFileError, which says how to
restore it.
"""

import csv
import difflib
import gzip
import math
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache

import numpy as np
from PIL import Image

from course_utils.data_files import DataFileError, data_file
from course_utils.image_files import load_image, on_background, tiles

__all__ = [
    "FASHION_MNIST_NAMES",
    "DataFileError",
    "Emoji",
    "PhotographRecord",
    "emoji",
    "emoji_pictures",
    "fashion_mnist",
    "load_image",
    "mnist",
    "on_background",
    "painting",
    "painting_names",
    "paintings",
    "photograph",
    "photograph_names",
    "photograph_table",
    "photographs",
]

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


def _frozen(array: np.ndarray) -> np.ndarray:
    array.flags.writeable = False
    return array


def _check_split(split: str, allowed: tuple[str, ...]) -> None:
    if split not in allowed:
        raise ValueError(f"split must be one of {', '.join(map(repr, allowed))}, got {split!r}")


def _unknown(kind: str, name: str, known: Iterable[str]) -> KeyError:
    close = difflib.get_close_matches(str(name), list(known), n=3)
    hint = f"did you mean {' or '.join(map(repr, close))}?" if close else f"see data.{kind}_names()"
    return KeyError(f"there is no {kind} {name!r}: {hint}")


# ------------------------------------------------------------------------------------- clothes and digits


def fashion_mnist(split: str) -> tuple[np.ndarray, np.ndarray]:
    """Fashion-MNIST: grey pictures of clothes in ten classes (Xiao, Rasul and Vollgraf, 2017).

    split: "train" (the first 55,000 of the original training set), "validation" (its last 5,000) or "test" (10,000).
    Returns (images, labels): float32 (n, 28, 28, 1) in [0, 1] and int64 (n,), indices into FASHION_MNIST_NAMES.
    Both are read-only. Raises ValueError for another split, DataFileError for a damaged file.
    """
    _check_split(split, ("train", "validation", "test"))
    images, labels = _labelled_images("fashion_mnist/t10k" if split == "test" else "fashion_mnist/train")
    part = {"train": slice(0, 55_000), "validation": slice(55_000, 60_000), "test": slice(None)}[split]
    return images[part], labels[part]


def mnist(split: str) -> tuple[np.ndarray, np.ndarray]:
    """10,000 handwritten digits of MNIST (LeCun, Cortes and Burges, 1998), about 1,000 of each.

    split: "train" (7,996) or "test" (2,004, a fifth of each digit). Hold out the end of "train" to validate.
    Returns (images, labels): float32 (n, 28, 28, 1) in [0, 1], white on black, and int64 (n,), the digit. Both are
    read-only. Raises ValueError for another split, DataFileError for a damaged file.
    """
    _check_split(split, ("train", "test"))
    return _labelled_images(f"mnist/{split}")


@cache
def _labelled_images(start: str) -> tuple[np.ndarray, np.ndarray]:
    images = _read_idx(f"{start}-images-idx3-ubyte.gz")
    labels = _read_idx(f"{start}-labels-idx1-ubyte.gz")
    return _frozen(images[..., np.newaxis] / np.float32(255)), _frozen(labels.astype(np.int64))


def _read_idx(name: str) -> np.ndarray:
    """The uint8 array of a gzipped IDX file: four bytes (0, 0, 8, number of axes), the lengths, then the pixels."""
    content = gzip.decompress(data_file(name).read_bytes())
    axes = content[3]
    shape = [int(length) for length in np.frombuffer(content, ">u4", count=axes, offset=4)]
    return np.frombuffer(content, np.uint8, count=math.prod(shape), offset=4 + 4 * axes).reshape(shape)


# --------------------------------------------------------------------------------- photographs and paintings


@dataclass(frozen=True)
class PhotographRecord:
    """What is known of one photograph.

    reduced: how many times its original was scaled down. Where it is 1 and the original was lossy, traces of the
    compression are left: take those of 2 and 3 to measure restoration and super-resolution.
    """

    name: str
    title: str
    author: str
    licence: str
    category: str
    split: str
    reduced: int
    width: int
    height: int


def photograph_table() -> list[PhotographRecord]:
    """One record per photograph, sorted by category and name."""
    return list(_photograph_records())


@cache
def _photograph_records() -> tuple[PhotographRecord, ...]:
    with data_file("photographs/photographs.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    with data_file("CREDITS.csv").open(encoding="utf-8", newline="") as file:
        credits = {row["file"]: row for row in csv.DictReader(file)}
    return tuple(_record(row, credits[f"photographs/{row['name']}.webp"]) for row in rows)


def _record(row: dict[str, str], credit: dict[str, str]) -> PhotographRecord:
    numbers = {key: int(row[key]) for key in ("reduced", "width", "height")}
    about = {key: credit[key] for key in ("title", "author", "licence")}
    return PhotographRecord(**{key: row[key] for key in ("name", "category", "split")}, **about, **numbers)


def photograph_names(split: str | None = None, category: str | None = None) -> list[str]:
    """Names of the photographs, of one split or all, of one category or all, in a fixed order.

    split: "train", "validation", "test", or "show", twelve kept apart to look at. Two pictures of one thing are always
    in the same split. Raises ValueError for a split or category that is not there.
    """
    records = _photograph_records()
    if split is not None:
        _check_split(split, ("train", "validation", "test", "show"))
    categories = sorted({record.category for record in records})
    if category is not None and category not in categories:
        raise ValueError(f"category must be one of {', '.join(map(repr, categories))}, got {category!r}")
    return [record.name for record in records if split in (None, record.split) and category in (None, record.category)]


def photograph(name: str) -> np.ndarray:
    """One photograph by name: float32 (height, width, 3) in [0, 1], read-only.

    Raises KeyError for a name that is not there, with the nearest ones; DataFileError for a damaged file.
    """
    names = photograph_names()
    if name not in names:
        raise _unknown("photograph", name, names)
    return _picture(f"photographs/{name}.webp")


def photographs(split: str | None = None, category: str | None = None) -> list[np.ndarray]:
    """The photographs that `photograph_names` lists: float32 (height, width, 3) arrays of many sizes, read-only."""
    names = photograph_names(split, category)
    with ThreadPoolExecutor() as pool:  # decoding runs outside Python's lock
        return list(pool.map(photograph, names))


@cache
def _picture(name: str) -> np.ndarray:
    return _frozen(load_image(data_file(name)))


PAINTING_NAMES = (
    "cafe_terrace_at_night",
    "church_at_auvers",
    "harvest",
    "langlois_bridge",
    "night_cafe",
    "painter_on_the_road",
    "pere_tanguy",
    "vestibule_of_the_asylum",
)


def painting_names() -> list[str]:
    """Names of the eight paintings, sorted."""
    return list(PAINTING_NAMES)


def painting(name: str) -> np.ndarray:
    """One painting by Vincent van Gogh by name: float32 (height, width, 3) in [0, 1], read-only. KeyError as above."""
    if name not in PAINTING_NAMES:
        raise _unknown("painting", name, PAINTING_NAMES)
    return _picture(f"paintings/{name}.webp")


def paintings() -> dict[str, np.ndarray]:
    """The eight paintings by Vincent van Gogh, by name: float32 (height, width, 3) arrays, read-only."""
    return {name: painting(name) for name in PAINTING_NAMES}


# -------------------------------------------------------------------------------------------------- emoji

EMOJI_SIDE = 32


@dataclass(frozen=True)
class Emoji:
    """Emoji of one style; entry i of each field is about the same emoji, in every style.

    images: float32 (n, 32, 32, 4) in [0, 1], red, green, blue and alpha; see `on_background` to lose the alpha.
    names: "grinning face"; categories: "Smileys & Emotion"; subcategories: "face-smiling"; codes: Unicode, "1f600".
    skin_tones: "" or "light", "medium-light", "medium", "medium-dark", "dark", or two of these with a space between.
    """

    images: np.ndarray
    names: tuple[str, ...]
    categories: tuple[str, ...]
    subcategories: tuple[str, ...]
    codes: tuple[str, ...]
    skin_tones: tuple[str, ...]


@cache
def emoji(style: str, skin_tones: bool = False) -> Emoji:
    """The emoji that two families both draw: "noto" (Google, flat) or "fluent" (Microsoft, in three dimensions).

    skin_tones: include the versions in five skin tones, nearly half of all. Without them people in one yellow tone, and
        everything else, are left. Arrays are read-only.
    Raises ValueError for another style, DataFileError for a damaged file.
    """
    if style not in ("noto", "fluent"):
        raise ValueError(f"style must be 'noto' or 'fluent', got {style!r}")
    with data_file("emoji/emoji.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    kept = [index for index, row in enumerate(rows) if skin_tones or not row["skin_tone"]]
    columns = ("name", "category", "subcategory", "code", "skin_tone")
    about = [tuple(rows[index][column] for index in kept) for column in columns]
    return Emoji(_frozen(_atlas(f"emoji/{style}.webp")[kept]), *about)


def _atlas(name: str) -> np.ndarray:
    """The pictures of a sheet of them, row by row: float32 (n, EMOJI_SIDE, EMOJI_SIDE, 4) in [0, 1]."""
    with Image.open(data_file(name)) as image:
        return tiles(np.asarray(image.convert("RGBA")), EMOJI_SIDE) / np.float32(255)


def emoji_pictures(split: str) -> tuple[np.ndarray, np.ndarray]:
    """Emoji of both families on white, in one skin tone, for networks that generate.

    split: "train", or "test", every tenth emoji in both drawings.
    Returns (images, labels): float32 (n, 32, 32, 3) in [0, 1], 3,334 or 370 of them, and int64 (n,), 0 for noto and 1
    for fluent, in turns. Both are read-only. Raises ValueError for another split, DataFileError for a damaged file.
    """
    _check_split(split, ("train", "test"))
    noto, fluent = (on_background(emoji(style).images) for style in ("noto", "fluent"))
    pairs = np.stack([noto, fluent], axis=1)
    held_out = np.arange(len(pairs)) % 10 == 9
    pairs = pairs[held_out if split == "test" else ~held_out]
    return _frozen(pairs.reshape(-1, *pairs.shape[2:])), _frozen(np.tile(np.arange(2), len(pairs)))
