"""What networks for photographs ask of the pictures that they are given."""

import keras
import numpy as np
from keras import ops

from course_utils.degrade.pictures import HIGHEST, LOWEST, check_numbers


def sound(images, channels: tuple[int, ...] = (3,), smallest: int = 1):
    """Images (n, height, width, C), as an array or the tensor that they were, once they are found to be sound.

    channels: the numbers of them that are allowed. smallest: pixels of a side.
    Of tensors the shape alone is looked at: more would stop the device in the middle of a compiled step.
    Raises ValueError for another shape, sides under `smallest`, whole numbers, no pixels, NaN or infinity, and numbers
    far outside [0, 1], such as 0 to 255; noise may leave [0, 1] a little.
    """
    is_tensor = isinstance(images, keras.KerasTensor | keras.Variable) or ops.is_tensor(images)
    images = images if is_tensor else np.asarray(images)
    shape = tuple(images.shape)
    if len(shape) != 4 or shape[-1] not in channels:
        expected = f"(n, height, width, {' or '.join(map(str, channels))})"
        raise ValueError(f"expected pictures {expected}, got shape {shape}{_remedy(shape, channels)}")
    if not is_tensor:
        check_numbers(images, "images", LOWEST, HIGHEST)
    if any(side is not None and side < smallest for side in shape[1:3]):
        raise ValueError(f"expected pictures of {smallest} pixels or more a side, got shape {shape}: enlarge them")
    return images


def _remedy(shape: tuple, channels: tuple[int, ...]) -> str:
    if len(shape) == 3:
        return "; add the first axis with picture[np.newaxis]"
    if len(shape) == 4 and 3 in channels and shape[-1] == 1:
        return "; repeat grey with np.repeat(pictures, 3, axis=-1)"
    if len(shape) == 4 and 3 in channels and shape[-1] == 4:
        return "; lay the pictures on a background, then take the first three channels"
    return ""
