"""How differently two pictures look to a network that was trained on photographs: an LPIPS-like distance.

    d(x, y) = sum over layers l of the mean over places of |u_l(x) - u_l(y)|^2,

u_l(x): the map of layer l with the vector of channels at each place scaled to length 1. The square is twice one minus
the cosine of the angle between the two vectors. Layers: conv1_2, conv2_2, conv3_3 and conv4_3 of `models.vgg`.

This is the distance of Zhang, Isola, Efros, Shechtman and Wang, "The unreasonable effectiveness of deep features as a
perceptual metric", 2018, equation 1, with every weight w_l equal to one, as the paper's uncalibrated variants have it,
with VGG16 fine-tuned to find edges, and without conv5_3. So it ranks pictures, and it is called LPIPS-like: its numbers
cannot be compared with published ones. The authors' calibrated weights, one a channel, are not used: they belong to the
channels of another training of VGG16 (PyTorch's), and channel 7 of one has nothing to do with channel 7 of another.
"""

from functools import cache

import numpy as np
from keras import ops

from course_utils.degrade.pictures import HIGHEST, LOWEST, check_numbers
from course_utils.models import vgg

_LITTLE = 1e-10  # beside the squared length of a vector, which may be zero


def lpips_like(reference: np.ndarray, restored: np.ndarray) -> float:
    """The LPIPS-like distance of two pictures: 0 for equal ones, 8 at most.

    For photographs of the course: 0.2 to 0.7 under noise of sigma 0.05, 0.5 to 1.3 under a blur of sigma 1.5 pixels,
    0.1 to 0.4 as a JPEG of quality 40, about 5 for another photograph.

    reference, restored: float (H, W, 3) in [0, 1], of one shape, 8 pixels or more a side; what leaves [0, 1] in
    `restored` is cut off first, as on a screen. Not comparable with published LPIPS: see the module.
    Raises ValueError for other shapes, whole numbers, NaN, infinity, and numbers outside [0, 1] (of `restored`: far
    outside, such as 0 to 255).
    """
    reference, restored = np.asarray(reference), np.asarray(restored)
    if reference.shape != restored.shape or reference.ndim != 3:
        raise ValueError(f"expected two pictures (height, width, 3), got {reference.shape} and {restored.shape}")
    check_numbers(reference, "the reference picture", -1e-5, 1 + 1e-5)
    check_numbers(restored, "the restored picture", LOWEST, HIGHEST)
    maps = (_features()(picture.astype(np.float32).clip(0, 1)[np.newaxis]) for picture in (reference, restored))
    return float(ops.convert_to_numpy(feature_distance(*maps))[0])


def feature_distance(first: dict, second: dict):
    """The distance d of the module between the maps of two batches of pictures: (n,), for use in a loss as well.

    first, second: {layer name: (n, h, w, channels)} as `vgg.features` gives them, with the same names.
    Raises ValueError for other names in the one than in the other.
    """
    if first.keys() != second.keys():
        raise ValueError(f"expected maps of the same layers, got {', '.join(first)} and {', '.join(second)}")
    return sum(
        ops.mean(ops.sum(ops.square(_of_length_one(first[name]) - _of_length_one(second[name])), axis=-1), axis=(1, 2))
        for name in first
    )


def _of_length_one(maps):
    return maps * ops.rsqrt(ops.sum(ops.square(maps), axis=-1, keepdims=True) + _LITTLE)


@cache
def _features() -> vgg.Features:
    return vgg.features()
