"""From image files to arrays and back.

`load_image` reads a file of any usual kind into a float32 RGB array, and refuses the rest in plain words; `as_image`
makes an image of an array and `encoded` the bytes of a file of that; `sheet` makes one array of many.
"""

import io
import operator
from collections.abc import Iterator
from os import PathLike
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")
MAX_PIXELS = 50_000_000  # as float32 RGB that is 600 MB, and more than most cameras take


# ----------------------------------------------------------------------------------------------------- reading


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
    broken, cut short, of another kind, or of more than MAX_PIXELS pixels, for a size that is no size and a background
    that is no colour.
    """
    path = Path(path)
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder, expected an image file: name one of the files in it")
    if not path.exists():
        raise FileNotFoundError(f"there is no file {path}: check the spelling, and the folder ({Path.cwd()})")
    height_and_width = None if size is None else _height_and_width(size)
    background = _colour(background)
    image = _decoded(path)
    if height_and_width is None:
        return np.stack(list(_channels(image, background)), axis=-1)
    channels = _channels(_averaged(image, *height_and_width), background)
    return np.stack([_fitted(channel, *height_and_width) for channel in channels], axis=-1)


def on_background(images: np.ndarray, background: float | tuple[float, float, float] = 1.0) -> np.ndarray:
    """Pictures with alpha, (..., 4), laid on one colour: float32 (..., 3) = colour * alpha + background * (1 - alpha).

    images: floating-point numbers in [0, 1]. background: a grey level or an RGB colour in [0, 1].
    Raises ValueError where the last axis is not 4, and for bytes or other numbers outside [0, 1].
    """
    images = np.asarray(images)
    if images.shape[-1:] != (4,):
        raise ValueError(f"images must end in 4 channels (RGB and alpha), got shape {images.shape}")
    if not (images.dtype.kind == "f" and _within_unit_range(images)):
        values = f" from {images.min():.4g} to {images.max():.4g}" if images.dtype.kind == "f" else ""
        raise ValueError(
            f"images must be floating-point numbers in [0, 1], got {images.dtype}{values}: "
            "divide bytes from 0 to 255 by 255"
        )
    images = images.astype(np.float32, copy=False)
    return _blended(images[..., :3], images[..., 3:], _colour(background))


def _blended(colour: np.ndarray, alpha: np.ndarray, background: np.ndarray) -> np.ndarray:
    return colour * alpha + background * (1 - alpha)


def _decoded(path: Path) -> Image.Image:
    """The image, upright, in mode RGB or RGBA, or in mode F with levels in [0, 1] where it is grey of over 8 bits."""
    with _opened(path) as image:
        try:
            ImageOps.exif_transpose(image, in_place=True)
            deep = image.mode == "F" or image.mode.startswith("I")
            mode = "RGBA" if image.has_transparency_data else "RGB"
            if not deep and image.mode != mode:
                image = image.convert(mode)
        except MemoryError:
            raise
        except Exception as error:  # a broken file fails in as many ways as there are decoders
            raise ValueError(f"{path} is broken or cut short ({error}): get a fresh copy of it") from error
    return _deep_grey(image, path) if deep else image


def _opened(path: Path) -> Image.Image:
    """The image with its header read and its pixels not yet."""
    try:
        image = Image.open(path, formats=FORMATS)
        if image.width * image.height > MAX_PIXELS:
            image.close()
            raise Image.DecompressionBombError  # as Pillow does itself where there are several times as many
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ValueError(
            f"{path} has more than {MAX_PIXELS / 1e6:,.0f} million pixels, the most that are read: "
            "scale it down in an image editor first"
        ) from error
    except PermissionError:
        raise
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise ValueError(f"{path} {_what_it_is(path)}, expected one of {', '.join(FORMATS)}") from error
    return image


def _what_it_is(path: Path) -> str:
    with path.open("rb") as file:
        start = file.read(12)
    if not start:
        return "is empty"
    if start[4:8] == b"ftyp":
        return "is a HEIC, AVIF or video file (export it as JPEG)"
    return f"is no image that can be read (it begins with {start!r})"


def _deep_grey(image: Image.Image, path: Path) -> Image.Image:
    """In mode F, a grey image of 16-bit integers (modes I;16, I) or of floating-point numbers (mode F)."""
    scale = 1 if image.mode == "F" else 65535
    grey = np.asarray(image).astype(np.float32) / scale
    if not _within_unit_range(grey):
        values = f"from {grey.min() * scale:g} to {grey.max() * scale:g}"
        raise ValueError(f"{path} holds grey levels {values}, expected 0 to {scale}: scale them and save it again")
    return Image.fromarray(grey)


def _channels(image: Image.Image, background: np.ndarray) -> Iterator[np.ndarray]:
    """Red, green and blue of an image as `_decoded` gives it, each float32 (height, width) in [0, 1].

    One at a time, since a large image takes gigabytes as float32. Transparent pixels are blended with the background.
    """
    if image.mode == "F":
        yield from [np.asarray(image)] * 3
        return
    alpha = _in_unit_range(image.getchannel("A")) if image.mode == "RGBA" else None
    for name, level in zip("RGB", np.broadcast_to(background, 3), strict=True):
        colour = _in_unit_range(image.getchannel(name))
        yield colour if alpha is None else _blended(colour, alpha, level)


def _in_unit_range(channel: Image.Image) -> np.ndarray:
    return np.asarray(channel) / np.float32(255)


def _averaged(image: Image.Image, height: int, width: int) -> Image.Image:
    """An image of over 16 times the wanted size brought down to 8 times, while it is bytes, to save memory and time.

    The Hamming window has no negative lobes: its weighted averages never overshoot, so that no byte is clipped.
    """
    if min(image.height / height, image.width / width) <= 16:
        return image
    return ImageOps.cover(image, (8 * width, 8 * height), Image.Resampling.HAMMING)


def _fitted(channel: np.ndarray, height: int, width: int) -> np.ndarray:
    """The largest centred part of the wanted aspect ratio, resized; in float32, since bytes would clip overshoots."""
    fitted = ImageOps.fit(Image.fromarray(channel), (width, height), Image.Resampling.LANCZOS)
    return np.asarray(fitted).clip(0, 1)


def _within_unit_range(array: np.ndarray) -> bool:
    return not array.size or bool(array.min() >= 0 and array.max() <= 1)  # false for NaN


def _colour(background: float | tuple[float, float, float]) -> np.ndarray:
    """float32 () or (3,)."""
    try:
        colour = np.asarray(background)
    except ValueError:  # nested sequences of different lengths
        colour = np.array("")
    if not (colour.dtype.kind in "fiu" and colour.shape in ((), (3,)) and _within_unit_range(colour)):
        raise ValueError(
            "background must be a grey level or an RGB colour in [0, 1], such as 1.0 or (1, 0.5, 0), got "
            f"{background!r}: divide a colour in bytes, 0 to 255, by 255"
        )
    return colour.astype(np.float32)


def _height_and_width(size: int | tuple[int, int]) -> tuple[int, int]:
    try:
        height, width = size if isinstance(size, tuple | list) else (size, size)
        height, width = operator.index(height), operator.index(width)
    except (TypeError, ValueError):
        height = width = 0
    if not (height >= 1 and width >= 1 and height * width <= MAX_PIXELS):
        raise ValueError(
            f"size must be an int or (height, width) of at least 1 pixel each and at most {MAX_PIXELS:,} in all, "
            f"got {size!r}"
        )
    return height, width


# ----------------------------------------------------------------------------------------------------- writing


def as_image(picture: np.ndarray, scale: int = 1) -> Image.Image:
    """A picture, (H, W), (H, W, 1) or (H, W, 3) in [0, 1], as a Pillow image of 8 bits, grey or RGB.

    What lies outside [0, 1] is clipped. scale: each pixel becomes scale x scale pixels.
    Raises ValueError for bytes, which would all be clipped to white, and for another shape.
    """
    picture = np.asarray(picture)
    if picture.ndim not in (2, 3) or picture.shape[2:] not in ((), (1,), (3,)) or not picture.size:
        raise ValueError(f"a picture is (H, W), (H, W, 1) or (H, W, 3), got shape {picture.shape}")
    refuse_bytes(picture)
    pixels = (picture.clip(0, 1) * 255).round().astype(np.uint8).repeat(scale, axis=0).repeat(scale, axis=1)
    return Image.fromarray(pixels[..., 0] if pixels.shape[2:] == (1,) else pixels)


def refuse_bytes(picture: np.ndarray) -> None:
    """Raise ValueError for whole numbers above 1, where a picture in [0, 1] is expected."""
    if picture.dtype.kind in "iu" and picture.size and picture.max() > 1:
        raise ValueError(
            f"expected a picture in [0, 1], got {picture.dtype} up to {picture.max()}: "
            "divide bytes from 0 to 255 by 255"
        )


def encoded(image: Image.Image, file_format: str, **options) -> bytes:
    """What a file of the image holds. file_format, options: as Pillow's `save` takes them, "PNG" or "WEBP" say."""
    buffer = io.BytesIO()
    image.save(buffer, format=file_format, **options)
    return buffer.getvalue()


# ------------------------------------------------------------------------------------------------------ sheets


def sheet(pictures, columns: int) -> np.ndarray:
    """Pictures (n, H, W, C) in rows of `columns` without gaps, as one picture (n / columns * H, columns * W, C).

    Raises ValueError where n is not a multiple of `columns`.
    """
    pictures = np.asarray(pictures)
    if columns < 1 or len(pictures) % columns:
        raise ValueError(f"{len(pictures)} pictures do not fill rows of {columns}: give a multiple of {columns}")
    rows = pictures.reshape(-1, columns, *pictures.shape[1:])
    return np.concatenate(np.concatenate(rows, axis=1), axis=1)


def tiles(picture: np.ndarray, side: int) -> np.ndarray:
    """The squares that a sheet (H, W, C) is made of, row by row: (n, side, side, C), the inverse of `sheet`.

    Raises ValueError where height or width is not a multiple of `side`.
    """
    height, width, channels = picture.shape
    if height % side or width % side:
        raise ValueError(f"a sheet of {height} x {width} pixels is not made of squares of {side}")
    squares = picture.reshape(height // side, side, width // side, side, channels).swapaxes(1, 2)
    return squares.reshape(-1, side, side, channels)
