"""What sampling from any generator needs: latent numbers from a seed, labels that fit, and batches."""

from collections.abc import Callable

import numpy as np


def latents(n: int, size: int, seed: int) -> np.ndarray:
    """Standard normal numbers to make pictures from: float32 (n, size), the same for the same seed everywhere.

    The first rows do not depend on n. Raises ValueError for n under 1.
    """
    if n < 1:
        raise ValueError(f"n is the number of pictures to make, expected 1 or more, got {n}")
    return np.random.default_rng(seed).standard_normal((n, size), dtype=np.float32)


def checked_labels(labels, n: int, classes: int) -> np.ndarray:
    """Labels as int64 (n,), from an integer for all pictures or one integer a picture.

    Raises ValueError for labels of another number or type, or outside 0 to classes - 1.
    """
    array = np.asarray(labels)
    if not np.issubdtype(array.dtype, np.integer) or array.shape not in ((), (n,)):
        raise ValueError(f"labels must be one integer or {n} integers, got {array.dtype} of shape {array.shape}")
    if array.size and (array.min() < 0 or array.max() >= classes):
        raise ValueError(f"labels must be from 0 to {classes - 1}, got {array.min()} to {array.max()}")
    return np.broadcast_to(array, (n,)).astype(np.int64)


def in_batches(function: Callable, *arrays: np.ndarray, batch_size: int = 256) -> np.ndarray:
    """function(*batch) for each batch of rows of the arrays, (n, ...), put together again as one float32 array."""
    starts = range(0, len(arrays[0]), batch_size)
    parts = [function(*(array[start : start + batch_size] for array in arrays)) for start in starts]
    return np.concatenate([np.asarray(part, np.float32) for part in parts])
