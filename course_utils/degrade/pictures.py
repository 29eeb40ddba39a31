"""What the degradations ask of pictures, and two things that work on all of them: cropping and chaining."""

from collections.abc import Callable

import keras
import numpy as np
from keras import ops

LOWEST, HIGHEST = -2.0, 3.0  # noise may leave [0, 1], and never this far


def as_batch(images):
    """Images as a float32 tensor (n, H, W, C), once they are found to be sound.

    The numbers in a NumPy array are looked at. Those in a tensor are not, since that would stop the device in the
    middle of a compiled step: only its shape and type are.
    Raises ValueError for another rank, an axis of length 0 or of unknown length (the first may be unknown), whole
    numbers, NaN or infinity, and numbers far outside [0, 1].
    """
    if not ops.is_tensor(images):
        images = np.asarray(images)
        check_numbers(images, "images", LOWEST, HIGHEST)
    shape = tuple(images.shape)
    if len(shape) != 4:
        remedy = "add the first axis with photo[np.newaxis]" if len(shape) == 3 else "stack pictures of one size"
        raise ValueError(f"expected a batch (n, height, width, channels), got shape {shape}: {remedy}")
    if None in shape[1:]:
        raise ValueError(f"expected pictures of known height and width, got shape {shape}: crop them to one size first")
    if 0 in shape:
        raise ValueError(f"got shape {shape}, without a pixel: check how the pictures were cut")
    kind = keras.backend.standardize_dtype(images.dtype)
    if "float" not in kind:
        raise ValueError(f"expected floating-point numbers in [0, 1], got {kind}: cast and divide by 255")
    return ops.convert_to_tensor(images, dtype="float32")


def as_photo(photo: np.ndarray) -> np.ndarray:
    """A photograph as float32 (H, W, C), once it is found to be sound.

    Raises ValueError for another rank, no pixels, whole numbers, NaN or infinity, and numbers outside [0, 1].
    """
    photo = np.asarray(photo)
    if photo.ndim != 3:
        remedy = "give one picture of the batch" if photo.ndim == 4 else "a grey one has one channel, [..., np.newaxis]"
        raise ValueError(f"expected a photograph (height, width, channels), got shape {photo.shape}: {remedy}")
    check_numbers(photo, "a photograph", -1e-5, 1 + 1e-5)
    return photo.astype(np.float32)


def check_numbers(array: np.ndarray, what: str, low: float, high: float) -> None:
    """Refuse what is not floating-point, finite, not empty and within [low, high], saying what to do."""
    if not array.size:
        raise ValueError(f"got {what} of shape {array.shape}, without a pixel: check how they were cut")
    if not np.issubdtype(array.dtype, np.floating):
        raise ValueError(f"expected {what} of floating-point numbers in [0, 1], got {array.dtype}: divide by 255")
    if not np.isfinite(array).all():
        wrong = array.size - np.count_nonzero(np.isfinite(array))
        raise ValueError(f"{wrong:,} numbers of {what} are NaN or infinite: look for a division by zero before this")
    lowest, highest = float(array.min()), float(array.max())
    if not low <= lowest <= highest <= high:
        remedy = "divide by 255" if lowest >= 0 and highest > HIGHEST else "bring them to [0, 1]"
        raise ValueError(f"expected {what} in [0, 1], got numbers from {lowest:.4g} to {highest:.4g}: {remedy}")


def whole_number(value, name: str, at_least: int) -> int:
    """The value as an int. Raises ValueError where it is not a whole number of `at_least` or more."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < at_least:
        raise ValueError(f"{name} must be a whole number of {at_least} or more, got {value!r}")
    return int(value)


def crop_to_multiple(images, multiple: int):
    """The pictures without the last rows and columns that do not fill a whole `multiple`.

    images: (H, W, C) or (n, H, W, C), array or tensor; the crop starts at the upper left, as the `modcrop` of
    super-resolution papers does. Raises ValueError for another rank and for pictures under `multiple` pixels.
    """
    multiple = whole_number(multiple, "multiple", 1)
    if len(images.shape) not in (3, 4):
        raise ValueError(f"expected pictures (H, W, C) or (n, H, W, C), got shape {tuple(images.shape)}")
    height, width = (length - length % multiple for length in images.shape[-3:-1])
    if not (height and width):
        raise ValueError(f"pictures of shape {tuple(images.shape)} hold no {multiple}x{multiple} pixels")
    return images[..., :height, :width, :]


def chain(*operations: Callable) -> Callable:
    """One operation that does the given ones in turn, the first first: each takes pictures and returns pictures.

    `chain(lambda x: blur(x, kernel), lambda x: downsample(x, 2))` is a camera out of focus, then a smaller sensor.
    Raises ValueError where none is given.
    """
    if not operations:
        raise ValueError("a chain needs one operation or more, got none")

    def chained(pictures):
        for operation in operations:
            pictures = operation(pictures)
        return pictures

    return chained
