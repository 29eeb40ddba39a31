"""The range of pixels that a network expects, and the words for pictures outside it."""

import numpy as np


def check_range(images: np.ndarray, low: float = 0.0, high: float = 1.0) -> None:
    """Refuse images that a network would misread: floating-point numbers from `low` to `high` pass, of any shape.

    Raises ValueError for whole numbers (uint8), an empty array, NaN or infinity, and numbers outside the range; the
    message says what was got, what was expected and how to get there. Rounding (1e-5) is forgiven.
    """
    images = np.asarray(images)
    expected = f"expected floating-point numbers from {low:g} to {high:g}"
    if not images.size:
        raise ValueError(f"got no images (shape {images.shape}), {expected}: check how they were chosen")
    lowest, highest = float(images.min()), float(images.max())
    got = f"got images of {images.dtype} from {lowest:.4g} to {highest:.4g}"
    if not (np.isfinite(lowest) and np.isfinite(highest)):
        wrong = images.size - np.count_nonzero(np.isfinite(images))
        raise ValueError(f"{got}, {wrong:,} of them not finite, {expected}: look for a division by zero before this")
    inside = low - 1e-5 <= lowest and highest <= high + 1e-5
    if not inside or not np.issubdtype(images.dtype, np.floating):
        remedy = "use images.astype('float32')" if inside else _scaling(lowest, highest, low, high)
        raise ValueError(f"{got}, {expected}: {remedy}")


def _scaling(lowest: float, highest: float, low: float, high: float) -> str:
    """How to bring numbers of a usual range into the expected one."""
    from_bytes = {(0, 1): "images.astype('float32') / 255", (-1, 1): "images.astype('float32') / 127.5 - 1"}
    if lowest >= 0 and 1.5 < highest <= 255 and (low, high) in from_bytes:
        return f"they look like bytes from 0 to 255, use {from_bytes[low, high]}"
    if (low, high) == (0, 1) and -1.0001 <= lowest < -0.5 and highest <= 1.0001:
        return "they look like numbers from -1 to 1, use (images + 1) / 2"
    return f"scale them, or cut the ends off with images.clip({low:g}, {high:g})"
