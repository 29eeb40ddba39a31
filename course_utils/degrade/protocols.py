"""The fixed tests of restoration: what is done to a photograph, by name. They were set before any network was trained.

A protocol makes the input of a restorer from a photograph, in the same way each time: its noise and its holes depend on
the photograph's index alone. Numbers come from NumPy's generator and the work is done on the processor in float32, on
any machine, so that scores repeat whatever trained the network.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType

import keras
import numpy as np
from keras import ops

from course_utils.degrade.blurring import blur, defocus_kernel, gaussian_kernel, motion_kernel
from course_utils.degrade.masks import SCRATCHES, apply_mask, free_form_mask, rectangle_mask
from course_utils.degrade.noise import jpeg, quantise
from course_utils.degrade.pictures import as_photo, whole_number
from course_utils.degrade.resampling import downsample

_SEED = 2004  # with a photograph's index, the seed of its noise and holes


@dataclass(frozen=True)
class Protocol:
    """One fixed degradation. Call it with a photograph and its index to get the input of a restorer.

    description: what it does, in a sentence with all its numbers; scale: how many times smaller the result is;
    masked: whether the result's last channel is a mask, 1 where a pixel is hidden.
    sigma: of the Gaussian noise that comes last, in units of [0, 1], 0 where there is none; kernel: of the blur before
    it, (h, w), or None: what restorers that are not blind are told.
    """

    name: str
    description: str
    scale: int = 1
    masked: bool = False
    sigma: float = 0.0
    kernel: np.ndarray | None = field(default=None, compare=False, repr=False)
    operation: Callable[[np.ndarray, np.random.Generator], np.ndarray] = field(kw_only=True, repr=False)

    def __call__(self, photo: np.ndarray, index: int) -> np.ndarray:
        """The degraded photograph: float32 (H / scale, W / scale, C), and the mask as one more channel if `masked`.

        photo: float (H, W, C) in [0, 1], H and W multiples of `scale` (see `crop_to_multiple`; restored pictures are
        then compared with that crop). index: its place in the list of test photographs, 0 or more.
        Raises ValueError for other photographs and indices.
        """
        random = np.random.default_rng([_SEED, whole_number(index, "index", 0)])
        with keras.device("cpu:0"):
            return self.operation(as_photo(photo), random)


def _on_batches(operation: Callable) -> Callable:
    """An operation on batches as one on a photograph."""
    return lambda photo: ops.convert_to_numpy(operation(photo[np.newaxis]))[0]


def _noisy(photo: np.ndarray, sigma: float, random: np.random.Generator) -> np.ndarray:
    return photo + np.float32(sigma / 255) * random.standard_normal(photo.shape, np.float32)


def _blurred(photo: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    return _on_batches(lambda images: blur(images, kernel, border="symmetric"))(photo)


def _super_resolution(factor: int) -> Protocol:
    shrink = _on_batches(lambda images: quantise(downsample(images, factor)))
    description = (
        f"{factor} times smaller by the bicubic kernel with antialiasing, as MATLAB's imresize, rounded to 8 bits "
        "(Timofte et al., NTIRE 2017 challenge, track 1)"
    )
    return Protocol(f"sr_x{factor}", description, factor, operation=lambda photo, random: shrink(photo))


def _denoising(sigma: int) -> Protocol:
    description = f"Gaussian noise of sigma {sigma}/255, not clipped, colour or grey (Zhang et al., DnCNN, 2017)"
    return Protocol(
        f"denoise_{sigma}",
        description,
        sigma=sigma / 255,
        operation=lambda photo, random: _noisy(photo, sigma, random),
    )


def _deblurring(cause: str, description: str, kernel: np.ndarray, sigma: float) -> Protocol:
    description = f"{description}, mirrored at the border, then Gaussian noise of sigma {sigma:g}/255, not clipped"
    kernel.flags.writeable = False
    return Protocol(
        f"deblur_{cause}",
        description,
        sigma=sigma / 255,
        kernel=kernel,
        operation=lambda photo, random: _noisy(_blurred(photo, kernel), sigma, random),
    )


def _inpainting(kind: str, description: str, mask_of: Callable, share: float) -> Protocol:
    def operation(photo: np.ndarray, random: np.random.Generator) -> np.ndarray:
        mask = mask_of(*photo.shape[:2], share, random)
        holed = _on_batches(lambda images: apply_mask(images, mask[np.newaxis]))(photo)
        return np.concatenate([holed, mask], axis=-1)

    description = f"{description} hide {share:.0%} of the pixels, set to 0.5; the last channel is the mask, 1 = hidden"
    return Protocol(f"inpaint_{kind}", description, masked=True, operation=operation)


def _blind() -> Protocol:
    kernel = gaussian_kernel(1.2, 9)
    return Protocol(
        "blind",
        "Gaussian blur of sigma 1.2 pixels (9x9, mirrored at the border), Gaussian noise of sigma 10/255, JPEG of "
        "quality 40, in this order (a short form of Zhang, Liang, Van Gool and Timofte, BSRGAN, 2021)",
        operation=lambda photo, random: jpeg(_noisy(_blurred(photo, kernel), 10, random), 40),
    )


def _all() -> list[Protocol]:
    return [
        *map(_super_resolution, (2, 4)),
        *map(_denoising, (15, 25, 50)),
        # The blur and noise of scenario 5 of Danielyan, Katkovnik and Egiazarian, "BM3D frames and variational image
        # deblurring", 2012, and of Zhang, Zuo, Gu and Zhang's IRCNN, 2017, which both wrap round at the border.
        _deblurring("gaussian", "Gaussian blur of sigma 1.6 pixels, 25x25", gaussian_kernel(1.6, 25), 2),
        # One per cent of noise, 2.55/255, goes with the recorded camera shakes of Levin et al., 2009, in IRCNN.
        _deblurring("motion", "motion blur of 15 pixels at 30 degrees", motion_kernel(15, 30), 2.55),
        _deblurring("defocus", "defocus blur by a disc of radius 3 pixels", defocus_kernel(3), 2.55),
        # One share for all, so that the shape of the holes is all that differs.
        _inpainting("rectangles", "rectangles", rectangle_mask, 0.2),
        _inpainting("free_form", "strokes of a brush", free_form_mask, 0.2),
        _inpainting("scratches", "thin strokes", partial(free_form_mask, brush=SCRATCHES), 0.2),
        _blind(),
    ]


PROTOCOLS: Mapping[str, Protocol] = MappingProxyType({protocol.name: protocol for protocol in _all()})
