"""What all metrics ask of the arrays that they are given."""

import numpy as np


def check_finite(array: np.ndarray, name: str) -> None:
    """Raise ValueError where rows of array (n, ...) hold NaN or infinity: a number made from them would mean nothing.

    name: what the message calls the array.
    """
    if not np.isfinite(array).all():
        sound = np.isfinite(array).all(axis=tuple(range(1, array.ndim)))
        raise ValueError(
            f"{name}: {np.sum(~sound)} of {len(array)} rows hold NaN or infinity, the first is row {sound.argmin()}: "
            "look at the pictures and at the network that these numbers come from, and repair that first"
        )
