"""What the recipes of restorers share: patches of photographs, the picture of progress, and scores on whole ones."""

import math
from collections.abc import Iterable
from functools import lru_cache

import numpy as np
from keras import ops

from course_utils import data, degrade, scoring
from course_utils.image_files import sheet
from course_utils.metrics import restoration


@lru_cache(maxsize=2)  # of one recipe, to train and to validate: some hundred megabytes
def luma_patches(split: str, side: int, stride: int) -> np.ndarray:
    """Squares of Y, float32 (n, side, side, 1) in [0, 1], from every photograph of a split that restoration uses.

    Their corners lie `stride` pixels apart; read-only.
    """
    pictures = scoring.photographs(split).values()
    found = squares([restoration.luma(picture, 1.0).astype(np.float32) for picture in pictures], side, stride)
    found.flags.writeable = False
    return found


@lru_cache(maxsize=2)  # of one recipe, to train and to validate: some hundred megabytes
def patches(split: str, side: int, stride: int) -> np.ndarray:
    """Squares, float32 (n, side, side, 3) in [0, 1], from every photograph of a split that restoration uses.

    Every fourth is grey, see `grey`, with three equal channels. Their corners lie `stride` pixels apart; read-only.
    """
    found = squares(scoring.photographs(split).values(), side, stride)
    found[3::4] = grey(found[3::4])
    found.flags.writeable = False
    return found


def squares(pictures: Iterable[np.ndarray], side: int, stride: int) -> np.ndarray:
    """The squares of pictures (H, W, C) whose corners lie `stride` pixels apart: (n, side, side, C)."""
    found = []
    for picture in pictures:
        squares = np.lib.stride_tricks.sliding_window_view(picture, (side, side), axis=(0, 1))[::stride, ::stride]
        found.append(np.moveaxis(squares, 2, -1).reshape(-1, side, side, picture.shape[-1]))
    return np.concatenate(found)


def grey(images: np.ndarray) -> np.ndarray:
    """Colour pictures (..., 3) in grey, (..., 1): 0.299 R + 0.587 G + 0.114 B, as MATLAB's rgb2gray."""
    return images @ np.array([[0.299], [0.587], [0.114]], np.float32)


def shrunk(clean: np.ndarray, scale: int) -> tuple[np.ndarray, np.ndarray]:
    """What a network that enlarges is validated on: (pictures `scale` times smaller, clean pictures)."""
    return ops.convert_to_numpy(degrade.quantise(degrade.downsample(clean, scale))), clean


def psnr(clean, restored):
    """Decibels by the error of all pictures of a batch together, in `keras.ops`, to watch training by."""
    return ops.psnr(*(ops.cast(images, "float32") for images in (clean, restored)), max_val=1.0)


def error_in_decibels(clean, restored):
    """10 log10 of the mean squared error of each picture, (n,), in `keras.ops`: minus its PSNR, as a loss.

    A picture with little noise counts as much as one with much, whose squared error is many times larger.
    """
    clean, restored = (ops.cast(images, "float32") for images in (clean, restored))
    error = ops.mean(ops.square(clean - restored), axis=(1, 2, 3))
    return 10 / math.log(10) * ops.log(error + 1e-7)


CROPS = (("taiko_drummers", 120, 200), ("scarlet_macaw", 100, 150), ("papal_palace", 100, 200))  # name, top, left


def restored_sheet(model, protocol: str) -> np.ndarray:
    """Crops of three validation photographs: degraded by a protocol, restored, and as they were, a row each."""
    rows = []
    for index, (name, top, left) in enumerate(CROPS):
        original = data.photograph(name)[top : top + 96, left : left + 96]
        degraded = degrade.PROTOCOLS[protocol](original, index)
        rows += [degraded[..., :3], scoring.restored(model, protocol, original, index), original]
    return sheet(np.clip(np.stack(rows), 0, 1), columns=3)


def enlarged_sheet(model, scale: int) -> np.ndarray:
    """Crops of three validation photographs: by the bicubic kernel, by the network, and as they were, a row each."""
    rows = []
    for name, top, left in CROPS:
        original = data.photograph(name)[np.newaxis, top : top + 96, left : left + 96]
        small = degrade.quantise(degrade.downsample(original, scale))
        rows += [degrade.upsample(small, scale), model(small, training=False), original]
    return sheet(np.clip(np.concatenate([ops.convert_to_numpy(row) for row in rows]), 0, 1), columns=3)


def scores(model, protocols: tuple[str, ...], in_grey: bool = False) -> dict[str, dict[str, dict]]:
    """PSNR in dB and SSIM of the model and of the classical baselines on the test photographs, by protocol.

    in_grey: measure them on the photographs in grey instead; the names of protocols then end in ", grey".
    """
    pictures = scoring.test_photographs()
    if in_grey:
        pictures = {name: grey(picture) for name, picture in pictures.items()}
    return {
        protocol + ", grey" * in_grey: {
            name: _rounded(row) for name, row in scoring.score_all({"network": model}, protocol, pictures).items()
        }
        for protocol in protocols
    }


def _rounded(row: scoring.Scores) -> dict:
    by_picture = {name: round(float(value), 2) for name, value in zip(row.pictures, row.psnr, strict=True)}
    return {
        "psnr": round(float(row.psnr.mean()), 3),
        "ssim": round(float(row.ssim.mean()), 4),
        "psnr_by_picture": by_picture,
    }
