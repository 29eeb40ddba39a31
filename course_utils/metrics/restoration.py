"""How near a restored picture comes to the original: PSNR and SSIM, with all that the number depends on said aloud.

The same two pictures give scores that lie decibels apart, as colour, border and rounding are chosen, so that every
choice is an argument and none has a default. What papers do: super-resolution measures Y and cuts `scale` pixels off
each border, denoising measures RGB or grey and cuts nothing, and both round restored pictures to 8 bits first.
"""

import numpy as np
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

COLOURS = {"rgb": 3, "y": 3, "grey": 1}  # and the channels that each needs
_SSIM_WINDOW = 11


def psnr(
    reference: np.ndarray,
    restored: np.ndarray,
    *,
    colour: str,
    border: int,
    data_range: float,
    quantise: bool,
) -> float:
    """The peak signal-to-noise ratio in decibels: 10 log10(data_range^2 / mean((reference - restored)^2)).

    reference, restored: (H, W, C) of one shape.
    colour: "rgb" takes the mean over all three channels, "y" compares `luma`, "grey" is for C = 1.
    border: pixels to cut off each side first, where a network sees only half of what it needs.
    data_range: what white is, 1 or 255. It stays the peak for "y" too, though Y spans 219/255 of it only: papers do so.
    quantise: clip and round both to the 256 levels of a file first; Y is not rounded again.
    Returns infinity for equal pictures. Raises ValueError for pictures of other shapes, with NaN or infinity, of a
    reference outside [0, data_range], and for options that are none.
    """
    reference, restored = _compared(reference, restored, colour, border, data_range, quantise)
    with np.errstate(divide="ignore"):
        return float(peak_signal_noise_ratio(reference, restored, data_range=data_range))


def ssim(
    reference: np.ndarray,
    restored: np.ndarray,
    *,
    colour: str,
    border: int,
    data_range: float,
    quantise: bool,
) -> float:
    """The structural similarity, 1 for equal pictures and less otherwise. Arguments and errors as for `psnr`.

    For each window, with means m, variances v and covariance c under a Gaussian window of 11x11 pixels, sigma 1.5:

        SSIM = (2 m_x m_y + C1) (2 c_xy + C2) / ((m_x^2 + m_y^2 + C1) (v_x + v_y + C2)),

    C1 = (0.01 data_range)^2, C2 = (0.03 data_range)^2; then the mean over all windows that lie wholly within the
    picture: the 5 pixels next to each border (once `border` is cut) are in windows and are no window's middle. For
    "rgb", the mean over the channels. At full size: the authors' program halves large pictures first, papers do not.
    Raises ValueError also where fewer than 11x11 pixels are left.
    Wang, Bovik, Sheikh and Simoncelli, "Image quality assessment: from error visibility to structural similarity",
    2004, equation 13.
    """
    reference, restored = _compared(reference, restored, colour, border, data_range, quantise)
    if min(reference.shape[:2]) < _SSIM_WINDOW:
        height, width = reference.shape[:2]
        raise ValueError(f"SSIM needs 11x11 pixels or more, got {height}x{width} after the border was cut")
    return float(
        structural_similarity(
            reference,
            restored,
            data_range=data_range,
            channel_axis=-1,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
        )
    )


def luma(picture: np.ndarray, data_range: float) -> np.ndarray:
    """Y of ITU-R BT.601 in studio range, as MATLAB's `rgb2ycbcr` and with it super-resolution papers compute it.

    Y = (16 + 65.481 R + 128.553 G + 24.966 B) / 255 with R, G, B in [0, 1]: black is 16/255 and white 235/255.
    picture: (..., 3) in [0, data_range]; returns float64 (..., 1) in units of `data_range`, not rounded.
    The grey of JPEG and of Pillow, 0.299 R + 0.587 G + 0.114 B, has the same mix and the full range; errors in it are
    255/219 times larger, so that PSNR is 1.32 dB less.
    """
    weights = np.array([65.481, 128.553, 24.966])
    return (16 * data_range + np.asarray(picture, np.float64) @ weights)[..., np.newaxis] / 255


def _compared(reference, restored, colour, border, data_range, quantise) -> tuple[np.ndarray, np.ndarray]:
    """The two pictures as float64 (h, w, c), as the options ask, once they are found to be sound."""
    if colour not in COLOURS:
        raise ValueError(f"colour must be one of {', '.join(map(repr, COLOURS))}, got {colour!r}")
    pictures = [np.asarray(picture, np.float64) for picture in (reference, restored)]
    _check_pictures(*pictures, colour)
    _check_range(pictures[0], data_range)
    height, width = pictures[0].shape[:2]
    if not isinstance(border, int | np.integer) or not 0 <= 2 * border < min(height, width):
        raise ValueError(f"border must be whole pixels that leave some of {height}x{width}, got {border!r}")
    if quantise:
        levels = 255 / data_range
        pictures = [np.round(picture.clip(0, data_range) * levels) / levels for picture in pictures]
    if colour == "y":
        pictures = [luma(picture, data_range) for picture in pictures]
    return tuple(picture[border : height - border, border : width - border] for picture in pictures)


def _check_pictures(reference: np.ndarray, restored: np.ndarray, colour: str) -> None:
    if reference.shape != restored.shape:
        raise ValueError(
            f"expected two pictures of one shape, got {reference.shape} and {restored.shape}: where a picture was "
            "cropped before it was degraded, compare with that crop"
        )
    if reference.ndim != 3 or reference.shape[2] != COLOURS[colour] or 0 in reference.shape:
        expected = f"(height, width, {COLOURS[colour]})"
        raise ValueError(f"colour={colour!r} compares pictures {expected}, got shape {reference.shape}")
    for name, picture in (("reference", reference), ("restored", restored)):
        if not np.isfinite(picture).all():
            raise ValueError(f"the {name} picture holds NaN or infinity: look at what made it")


def _check_range(reference: np.ndarray, data_range: float) -> None:
    """The usual slip is worth 48 dB: pictures in [0, 1] measured with white at 255."""
    if data_range not in (1, 255):
        raise ValueError(f"data_range must be 1 or 255, what white is in these pictures, got {data_range!r}")
    lowest, highest = reference.min(), reference.max()
    if lowest < -1e-5 * data_range or highest > (1 + 1e-5) * data_range:
        raise ValueError(
            f"the reference runs from {lowest:.4g} to {highest:.4g} and should lie in [0, {data_range:g}]: "
            "data_range must be what white is, 1 or 255"
        )
    if data_range == 255 and 0 < highest <= 1:
        raise ValueError(f"the reference runs to {highest:.4g} only: pictures in [0, 1] have data_range=1")
