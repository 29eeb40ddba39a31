"""Restorers without learning (lesson 12): what a student could use instead of a network, and what it has to beat.

    restorers("denoise_25")["NL means"](noisy_picture)

Each takes one degraded picture as its protocol makes it, float (H, W, C), grey or colour, and gives one of its size,
float32 (H, W, C). They are told what the protocol did, its noise, its kernel or its mask, which a blind network is not.
What is left to choose was chosen on the validation photographs, by `benchmarks/12_classical.py`, and stands in
`settings`.
"""

import importlib.util
from collections.abc import Callable, Iterable
from functools import partial

import numpy as np

from course_utils.classical import deblurring, denoising, inpainting
from course_utils.classical.settings import SETTINGS
from course_utils.degrade import PROTOCOLS, Protocol

__all__ = ["SETTINGS", "extras", "restorers", "with_settings"]

Restorer = Callable[[np.ndarray], np.ndarray]
_METHODS = {
    "denoise": {
        "mean": denoising.mean,
        "Gaussian": denoising.gaussian,
        "median": denoising.median,
        "wavelet": denoising.wavelet,
        "NL means": denoising.non_local_means,
    },
    "deblur": {"Wiener": deblurring.wiener, "Richardson-Lucy": deblurring.richardson_lucy},
    "inpaint": {"harmonic": inpainting.harmonic, "biharmonic": inpainting.biharmonic},
}


def restorers(protocol: str) -> dict[str, Restorer]:
    """The classical restorers of one of `degrade.PROTOCOLS`, by name; none for those of other sizes and "blind"."""
    return {name: with_settings(protocol, name, SETTINGS.get(protocol, {}).get(name, {})) for name in methods(protocol)}


def extras(protocol: str) -> dict[str, Restorer]:
    """Restorers of a protocol that need a package of the user's own: BM3D, with `pip install bm3d`; slow.

    Empty where it is not installed, and for protocols other than those of noise. Raises KeyError for another protocol.
    """
    chosen = PROTOCOLS[protocol]
    if _task(chosen) != "denoise" or importlib.util.find_spec("bm3d") is None:
        return {}
    return {"BM3D": partial(denoising.bm3d, sigma=chosen.sigma)}


def methods(protocol: str) -> Iterable[str]:
    """The names of the classical restorers of a protocol. Raises KeyError for another protocol."""
    return _METHODS.get(_task(PROTOCOLS[protocol]), {}).keys()


def with_settings(protocol: str, name: str, settings: dict) -> Restorer:
    """One restorer with settings of one's own, told the noise, the kernel or the mask of the protocol."""
    chosen = PROTOCOLS[protocol]
    task = _task(chosen)
    method = _METHODS[task][name]
    if task == "inpaint":
        return lambda picture: method(picture[..., :-1], picture[..., -1:], **settings)
    return partial(method, **({"kernel": chosen.kernel} if task == "deblur" else {"sigma": chosen.sigma}), **settings)


def _task(protocol: Protocol) -> str:
    return protocol.name.partition("_")[0]
