"""Ways to spoil pictures on purpose, so that a network can learn to mend them, and `PROTOCOLS`, the fixed tests.

What a training step does anew each time works on batches, float (n, H, W, C) in [0, 1], is written in `keras.ops` and
runs compiled, on the device: `downsample`, `upsample`, `blur`, `add_gaussian_noise`, `apply_mask`, `quantise`, and
`chain`, one after the other. What is made beforehand works on NumPy arrays of one photograph: `jpeg`, `poisson_noise`,
the two masks and the three blur kernels. All that is random takes its seed as an argument.
"""

from course_utils.degrade.blurring import blur, defocus_kernel, gaussian_kernel, motion_kernel
from course_utils.degrade.masks import SCRATCHES, apply_mask, free_form_mask, rectangle_mask
from course_utils.degrade.noise import add_gaussian_noise, jpeg, poisson_noise, quantise
from course_utils.degrade.pictures import chain, crop_to_multiple
from course_utils.degrade.protocols import PROTOCOLS, Protocol
from course_utils.degrade.resampling import bicubic_weight, downsample, lanczos_weight, resize_matrix, upsample

__all__ = [
    "PROTOCOLS",
    "SCRATCHES",
    "Protocol",
    "add_gaussian_noise",
    "apply_mask",
    "bicubic_weight",
    "blur",
    "chain",
    "crop_to_multiple",
    "defocus_kernel",
    "downsample",
    "free_form_mask",
    "gaussian_kernel",
    "jpeg",
    "lanczos_weight",
    "motion_kernel",
    "poisson_noise",
    "quantise",
    "rectangle_mask",
    "resize_matrix",
    "upsample",
]
