"""From image files to arrays and back.

`load_image` reads a file of any usual kind into a float32 RGB array, and refuses the rest in plain words; `as_image`
makes an image of an array, and `sheet` one array of many.
"""

import operator
import re
from os import PathLike
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")
MAX_PIXELS = 50_000_000  # as float32 RGB that is 600 MB, and more than most cameras take


def load_image(
    path: str | PathLike,
    size: int | tuple[int, int] | None = None,
    background: float | tuple[float, float, float] = 1.0,
) -> np.ndarray:
    """An image file as float32 (height, width, 3) in [0, 1], upright and in RGB.

    size: None keeps the image's own size; (height, width) cuts the largest centred part of that aspect ratio and
        resizes it with an antialiasing filter (Lanczos), so that nothing is stretched; an int is a square of that side.
    background: what shows through transparent pixels, a grey level or an RGB colour in [0, 1] (white by default).

    PNG, JPEG, WebP, GIF, BMP and TIFF are read: grey, RGB, CMYK and palette, with or without alpha, of 8 or 16
    bits (16-bit colour is read as 8). The rotation that a camera noted (EXIF) is applied; an animation gives its
    first frame.

    Raises FileNotFoundError or IsADirectoryError for a path that is no file, and ValueError for a file that is empty,
    broken, cut short, of another kind, or of more than MAX_PIXELS pixels, and for a size that is no size.
    """
    path = Path(path)
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder, expected an image file: name one of the files in it")
    if not path.exists():
        raise FileNotFoundError(f"there is no file {path}: check the spelling, and the folder ({Path.cwd()})")
    target = None if size is None else _height_and_width(size)
    with _opened(path) as image:
        try:
            pixels = _pixels(ImageOps.exif_transpose(image), background)
        except Exception as error:  # a broken file fails in as many ways as there are decoders
            raise ValueError(f"{path} is broken or cut short ({error}): get a fresh copy of it") from error
    return pixels if target is None else _resized(pixels, *target)


def as_image(picture: np.ndarray, scale: int = 1) -> Image.Image:
    """A picture, (H, W), (H, W, 1) or (H, W, 3) in [0, 1], as a Pillow image of 8 bits, grey or RGB.

    What lies outside [0, 1] is clipped. scale: each pixel becomes scale x scale pixels.
    """
    pixels = (picture.clip(0, 1) * 255).round().astype(np.uint8).repeat(scale, axis=0).repeat(scale, axis=1)
    return Image.fromarray(pixels[..., 0] if pixels.shape[2:] == (1,) else pixels)


def sheet(pictures, columns: int) -> np.ndarray:
    """Pictures (n, H, W, C) in rows of `columns` without gaps, as one picture (n / columns * H, columns * W, C).

    Raises ValueError where n is not a multiple of `columns`.
    """
    pictures = np.asarray(pictures)
    if columns < 1 or len(pictures) % columns:
        raise ValueError(f"{len(pictures)} pictures do not fill rows of {columns}: give a multiple of {columns}")
    rows = pictures.reshape(-1, columns, *pictures.shape[1:])
    return np.concatenate(np.concatenate(rows, axis=1), axis=1)


def _opened(path: Path) -> Image.Image:
    """The image with its header read and its pixels not yet."""
    try:
        image = Image.open(path, formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_large(path, int(re.search(r"\d+", str(error))[0])) from error
    except PermissionError:
        raise
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise ValueError(f"{path} {_what_it_is(path)}, expected one of {', '.join(FORMATS)}") from error
    if image.width * image.height > MAX_PIXELS:
        image.close()
        raise _too_large(path, image.width * image.height)
    return image


def _too_large(path: Path, pixels: int) -> ValueError:
    return ValueError(
        f"{path} has {pixels / 1e6:,.0f} million pixels, at most {MAX_PIXELS / 1e6:,.0f} million are read: "
        "scale it down in an image editor first"
    )


def _what_it_is(path: Path) -> str:
    with path.open("rb") as file:
        start = file.read(12)
    if not start:
        return "is empty"
    if start[4:8] == b"ftyp":
        return "is a HEIC, AVIF or video file (export it as JPEG)"
    return f"is no image that can be read (it begins with {start!r})"


def _pixels(image: Image.Image, background: float | tuple[float, float, float]) -> np.ndarray:
    """float32 RGB in [0, 1] of an image of any mode, transparent pixels blended with the background."""
    if image.mode == "F" or image.mode.startswith("I"):
        return np.repeat(_deep_grey(image)[..., np.newaxis], 3, axis=-1)
    if not image.has_transparency_data:
        return np.asarray(image.convert("RGB"), np.float32) / 255
    rgba = np.asarray(image.convert("RGBA"), np.float32) / 255
    colour, alpha = rgba[..., :3], rgba[..., 3:]
    return colour * alpha + np.float32(background) * (1 - alpha)


def _deep_grey(image: Image.Image) -> np.ndarray:
    """float32 in [0, 1] of a grey image of 16-bit integers (modes I;16, I) or of floating-point numbers (mode F)."""
    scale = 1 if image.mode == "F" else 65535
    grey = np.asarray(image).astype(np.float32) / scale
    if not (grey.min() >= 0 and grey.max() <= 1):  # also false for NaN
        raise ValueError(f"grey values from {grey.min() * scale:g} to {grey.max() * scale:g}, expected 0 to {scale}")
    return grey


def _height_and_width(size: int | tuple[int, int]) -> tuple[int, int]:
    try:
        height, width = size if isinstance(size, tuple | list) else (size, size)
        height, width = operator.index(height), operator.index(width)
    except (TypeError, ValueError):
        height = width = 0
    if not (height >= 1 and width >= 1 and height * width <= MAX_PIXELS):
        raise ValueError(f"size must be an int or (height, width) of at least 1 pixel each, got {size!r}")
    return height, width


def _resized(pixels: np.ndarray, height: int, width: int) -> np.ndarray:
    """The largest centred part of the wanted aspect ratio, resized to height x width."""
    full_height, full_width = pixels.shape[:2]
    scale = min(full_height / height, full_width / width)
    top, left = (full_height - scale * height) / 2, (full_width - scale * width) / 2
    box = (left, top, left + scale * width, top + scale * height)
    channels = [
        Image.fromarray(channel).resize((width, height), Image.Resampling.LANCZOS, box=box)
        for channel in np.moveaxis(pixels, -1, 0)
    ]
    return np.clip(np.stack([np.asarray(channel) for channel in channels], axis=-1), 0, 1)
