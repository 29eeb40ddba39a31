"""Noise taken away without learning. `sigma`: of the noise, in units of [0, 1]; not all make use of it."""

import numpy as np
import scipy.ndimage
from skimage import restoration


def mean(picture: np.ndarray, sigma: float, *, size: int) -> np.ndarray:
    """The mean of `size` x `size` pixels about each, mirrored at the border; (H, W, C) as are all here.

    Noise of n independent pixels has 1 / n of the variance in their mean, and edges are as blurred as everything else.
    """
    return scipy.ndimage.uniform_filter(picture, (size, size, 0), mode="reflect")


def gaussian(picture: np.ndarray, sigma: float, *, width: float) -> np.ndarray:
    """A mean whose weights fall as a Gaussian of standard deviation `width` pixels."""
    return scipy.ndimage.gaussian_filter(picture, width, mode="reflect", axes=(0, 1))


def median(picture: np.ndarray, sigma: float, *, size: int) -> np.ndarray:
    """The middle one of the values of `size` x `size` pixels, for each channel; straight edges stay."""
    return scipy.ndimage.median_filter(picture, (size, size, 1), mode="reflect")


def wavelet(picture: np.ndarray, sigma: float, *, wavelet: str, method: str, share: float, shifts: int) -> np.ndarray:
    """Small wavelet coefficients, which are mostly noise, set to zero and the others made smaller.

    method: how the threshold is set: "BayesShrink", for each band of its own from the variance in it (Chang, Yu and
        Vetterli, 2000), or "VisuShrink", one for all, sigma sqrt(2 log n) (Donoho and Johnstone, 1994), which is meant
        for no noise at all to be left and smooths too much. share: of sigma, that the method is told.
    shifts: the results for the picture moved by 0 to `shifts` pixels each way are averaged, since wavelets sit on a
        grid (Coifman and Donoho, 1995). Colour is denoised as brightness and two colour differences.
    """
    options = {"sigma": share * sigma, "wavelet": wavelet, "method": method, "mode": "soft", "rescale_sigma": True}
    colour = {"channel_axis": -1, "convert2ycbcr": picture.shape[-1] == 3}
    shifted = [
        np.roll(
            restoration.denoise_wavelet(np.roll(picture, move, (0, 1)), **options, **colour), np.negative(move), (0, 1)
        )
        for move in np.ndindex(shifts + 1, shifts + 1)
    ]
    return np.mean(shifted, axis=0).astype(np.float32)


def non_local_means(
    picture: np.ndarray, sigma: float, *, patch_size: int, patch_distance: int, strength: float
) -> np.ndarray:
    """The mean of pixels with like surroundings: weights exp(-max(d^2 - 2 sigma^2, 0) / (strength * sigma)^2).

    d^2 is the mean squared difference of the two `patch_size` x `patch_size` patches, of all channels together. Looks
    at the pixels up to `patch_distance` away. Buades, Coll and Morel, "A non-local algorithm for image denoising",
    2005; by integral images: Froment, 2014. That fast way leaves a row and a column of each patch out.
    """
    denoised = restoration.denoise_nl_means(
        picture,
        patch_size=patch_size,
        patch_distance=patch_distance,
        h=strength * sigma,
        sigma=sigma,
        fast_mode=True,
        channel_axis=-1,
    )
    return denoised.reshape(picture.shape).astype(np.float32)  # of a grey one it drops the channel


def bm3d(picture: np.ndarray, sigma: float) -> np.ndarray:
    """Like patches stacked, denoised together by a transform in three dimensions, and put back: float32 (H, W, C).

    Dabov, Foi, Katkovnik and Egiazarian, "Image denoising by sparse 3-D transform-domain collaborative filtering",
    2007. It needs the package bm3d, whose licence is for non-commercial use, so that the course does not install it;
    ImportError without it.
    """
    import bm3d as package

    if picture.shape[-1] == 3:
        return package.bm3d_rgb(picture, sigma).astype(np.float32)
    return package.bm3d(picture[..., 0], sigma).reshape(picture.shape).astype(np.float32)
