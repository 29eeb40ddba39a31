"""Restorers scored alike: each under a fixed protocol of `degrade.PROTOCOLS`, on the same pictures, in one table.

    pictures = scoring.test_photographs()
    scores = scoring.score_all({"mine": model}, "sr_x2", pictures)
    scoring.table(scores)

A restorer is a `keras.Model` from a batch of degraded pictures to a batch of restored ones, or a function that does so
with one picture. The classical ones of `baselines` stand above it in the table.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
from keras import ops
from tqdm.auto import tqdm

from course_utils import classical, data, degrade
from course_utils.image_files import load_image
from course_utils.metrics.restoration import psnr, ssim
from course_utils.models.deblurring import Deblurrer, with_wiener
from course_utils.report import approx

Restorer = keras.Model | Callable[[np.ndarray], np.ndarray]
SUFFIXES = (".png", ".bmp", ".jpg", ".jpeg", ".tif", ".tiff", ".webp")


@dataclass(frozen=True)
class Scores:
    """What one restorer reached on each picture, in their order.

    psnr: decibels, float64 (n,); ssim: float64 (n,). measured: how, in words.
    """

    protocol: str
    pictures: tuple[str, ...]
    psnr: np.ndarray
    ssim: np.ndarray
    measured: str


def photographs(split: str) -> dict[str, np.ndarray]:
    """The photographs of a split that restoration uses, by name, float32 (H, W, 3): those scaled down by 2 or 3.

    The others show traces of their lossy originals, which a restorer would be blamed or praised for.
    Raises ValueError for a split without any.
    """
    names = [record.name for record in data.photograph_table() if record.split == split and record.reduced > 1]
    if not names:
        raise ValueError(
            f"there are no photographs for restoration in {split!r}: choose train, validation, test or show"
        )
    return {name: data.photograph(name) for name in names}


def test_photographs() -> dict[str, np.ndarray]:
    """The test photographs of the course by name, float32 (H, W, 3)."""
    return photographs("test")


def folder_pictures(folder: str | Path) -> dict[str, np.ndarray]:
    """Every picture of a folder by file name, sorted: float32 (H, W, 3), or (H, W, 1) where all of it is grey.

    Raises NotADirectoryError for what is no folder, and ValueError for one without pictures and for a broken picture.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise NotADirectoryError(f"there is no folder {folder}: name the one that holds your pictures")
    files = sorted(file for file in folder.iterdir() if file.suffix.lower() in SUFFIXES)
    if not files:
        raise ValueError(f"{folder} holds no pictures, expected files that end in {', '.join(SUFFIXES)}")
    return {file.name: _without_equal_channels(load_image(file)) for file in files}


def _without_equal_channels(picture: np.ndarray) -> np.ndarray:
    grey = np.ptp(picture, axis=-1).max() == 0
    return picture[..., :1] if grey else picture


def baselines(protocol: str) -> dict[str, Callable[[np.ndarray], np.ndarray]]:
    """The restorers without learning that belong to a protocol, by name; the first is what others are compared with."""
    chosen = _protocol(protocol)
    scale = chosen.scale
    if scale > 1:
        return {
            "bicubic": lambda picture: _enlarged(picture, scale, "bicubic"),
            "Lanczos": lambda picture: _enlarged(picture, scale, "lanczos"),
        }
    as_degraded = {"as degraded": lambda picture: picture[..., :-1] if chosen.masked else picture}
    return as_degraded | classical.restorers(protocol)


def _enlarged(picture: np.ndarray, scale: int, method: str) -> np.ndarray:
    return ops.convert_to_numpy(degrade.upsample(picture[np.newaxis], scale, method))[0]


def score(restorer: Restorer, protocol: str, pictures: Mapping[str, np.ndarray], progress: bool = False) -> Scores:
    """The scores of one restorer.

    protocol: a name in `degrade.PROTOCOLS`. pictures: float (H, W, 1 or 3) in [0, 1] by name; their place in this order
        seeds their noise and holes. They are cropped to a multiple of the protocol's scale.
    Enlarged pictures are measured as in the literature of super-resolution, by Y of BT.601 without `scale` pixels at
    each border, all others in RGB to the border; grey ones as they are. All are rounded to 8 bits first.
    Raises ValueError for another protocol, no pictures, and a restorer whose results have another size.
    """
    chosen, found = _protocol(protocol), []
    if not pictures:
        raise ValueError("there are no pictures to score on: give {name: picture}, as test_photographs() does")
    for index, (name, picture) in enumerate(tqdm(pictures.items(), protocol, leave=False, disable=not progress)):
        clean = degrade.crop_to_multiple(picture, chosen.scale)
        result = restored(restorer, protocol, clean, index)
        if result.shape != clean.shape:
            raise ValueError(f"{name}: the restorer's result has shape {result.shape}, expected {clean.shape}")
        options = {"colour": _colour(chosen, clean), "border": _border(chosen), "data_range": 1.0, "quantise": True}
        found.append((psnr(clean, result, **options), ssim(clean, result, **options)))
    return Scores(protocol, tuple(pictures), *np.array(found).T, _measured(chosen, pictures))


def score_all(
    restorers: Mapping[str, Restorer], protocol: str, pictures: Mapping[str, np.ndarray], progress: bool = False
) -> dict[str, Scores]:
    """The scores of the protocol's baselines and of these restorers, by name."""
    everyone = baselines(protocol) | dict(restorers)
    return {name: score(restorer, protocol, pictures, progress) for name, restorer in everyone.items()}


def table(scores: Mapping[str, Scores]) -> None:
    """Print one row a restorer: mean PSNR and SSIM, and the mean gain in PSNR over the first row.

    Beside the gain stands its standard error, of the differences picture by picture: pictures differ much more among
    themselves than restorers do. Raises ValueError where the rows were not measured on the same pictures and alike.
    """
    if not scores:
        raise ValueError("there is nothing to print: give {name: score(...)}")
    first = next(iter(scores.values()))
    for name, row in scores.items():
        if (row.protocol, row.pictures, row.measured) != (first.protocol, first.pictures, first.measured):
            raise ValueError(f"{name!r} was measured on other pictures or in another way than the first row")
    width = max(map(len, scores))
    print(f"{'':{width}}     PSNR    SSIM   gain in dB")
    for name, row in scores.items():
        gain = "" if row is first else _gain(row.psnr - first.psnr)
        print(f"{name:{width}}  {approx(row.psnr.mean(), 2):>7}  {approx(row.ssim.mean(), 3):>6}   {gain}".rstrip())
    print(f"{first.protocol}: {first.measured}")


def _gain(differences: np.ndarray) -> str:
    count = len(differences)
    error = f" ± {approx(differences.std(ddof=1) / np.sqrt(count), 2)}" if count > 1 else ""
    return f"{approx(differences.mean(), 2)}{error}"


def _protocol(name: str) -> degrade.Protocol:
    if name not in degrade.PROTOCOLS:
        raise ValueError(f"there is no protocol {name!r}: choose from {', '.join(degrade.PROTOCOLS)}")
    return degrade.PROTOCOLS[name]


def restored(restorer: Restorer, protocol: str, clean: np.ndarray, index: int) -> np.ndarray:
    """What a restorer makes of one picture (H, W, C) after a protocol has degraded it: float (H, W, C).

    index: of the picture in a list, which seeds its noise and holes. A network for colour sees a grey picture as three
    equal channels, and a `Deblurrer` what Wiener's filter makes of it, told the kernel and the noise.
    Raises ValueError for another protocol, and for a `Deblurrer` and one without a kernel.
    """
    chosen = _protocol(protocol)
    degraded = chosen(clean, index)
    if not isinstance(restorer, keras.Model):
        return np.asarray(restorer(degraded))
    as_colour = clean.shape[-1] == 1 and restorer.output_shape[-1] == 3
    if as_colour:
        degraded = np.concatenate([degraded[..., :1].repeat(3, axis=-1), degraded[..., 1:]], axis=-1)
    if isinstance(restorer, Deblurrer):
        if chosen.kernel is None:
            raise ValueError(f"a network that deblurs has to be told the kernel, and {protocol!r} has none")
        degraded = with_wiener(degraded, chosen.kernel, chosen.sigma)
    found = ops.convert_to_numpy(restorer(degraded[np.newaxis], training=False))[0]
    return found.mean(axis=-1, keepdims=True) if as_colour else found


def _colour(protocol: degrade.Protocol, picture: np.ndarray) -> str:
    if picture.shape[-1] == 1:
        return "grey"
    return "y" if protocol.scale > 1 else "rgb"


def _border(protocol: degrade.Protocol) -> int:
    return protocol.scale if protocol.scale > 1 else 0


def _measured(protocol: degrade.Protocol, pictures: Mapping[str, np.ndarray]) -> str:
    words = {"y": "Y of BT.601", "rgb": "RGB", "grey": "grey"}
    colours = dict.fromkeys(words[_colour(protocol, picture)] for picture in pictures.values())
    border = f"{_border(protocol)} pixels cut off each border" if _border(protocol) else "to the border"
    return f"{len(pictures)} pictures, {' or '.join(colours)}, {border}, rounded to 8 bits"
