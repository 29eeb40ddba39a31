"""Photographs blurred, noisy and compressed, each in its own measure, restored by one network that is told nothing.

It learns from chains of degradations (lesson 12), after Zhang, Liang, Van Gool and Timofte, "Designing a practical
degradation model for deep blind image super-resolution", 2021, in a short form.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache, partial

import keras
import numpy as np
from keras import ops

from course_utils import degrade, scoring, training
from course_utils.models.restorer import Restorer
from course_utils.models.unet import restoration_unet
from course_utils.recipes import Examples, _restorers

PROTOCOLS = ("blind", "denoise_25", "deblur_gaussian", "deblur_motion", "deblur_defocus")
SIDE = 64  # pixels of a patch
CHAINS = 4  # of each photograph; its patches take them in turn
VERSIONS = 2  # degraded ones of each patch to train on


@dataclass(frozen=True)
class Numbers:
    widths: tuple[int, ...] = (32, 64, 128)  # maps at a half, a quarter and an eighth of the picture's size
    blocks: int = 1  # residual blocks at each size, on the way down and again on the way up
    epochs: int = 1
    batch_size: int = 4
    learning_rate: float = 0.002  # the peak of the one-cycle schedule
    seed: int = 0


LESSON = Numbers()
# At a peak of 0.001 and without a bound on the gradient, such a training fell apart in its fourth epoch.
FULL = replace(LESSON, blocks=2, epochs=24, learning_rate=0.0005)


def data() -> Examples:
    """Made beforehand, since a JPEG file is: the same patch has the same degradations in each epoch."""
    degraded, clean = _pairs("train", 48, 0, VERSIONS)
    return Examples(degraded, clean, validation=_pairs("validation", 128, 1, 1))


@lru_cache(maxsize=2)
def _pairs(split: str, stride: int, seed: int, versions: int) -> tuple[np.ndarray, np.ndarray]:
    """(degraded, clean) patches of a split, float32 (n, SIDE, SIDE, 3), each clean one in so many versions.

    The corners of the patches lie `stride` pixels apart.
    """
    random, pairs = np.random.default_rng(seed), []
    for photograph in scoring.photographs(split).values():
        clean = _restorers.squares([photograph], SIDE, stride)
        chains = np.stack([_restorers.squares([degraded(photograph, random)], SIDE, stride) for _ in range(CHAINS)])
        places = np.arange(len(clean))
        pairs += [(chains[(places + version) % CHAINS, places], clean) for version in range(versions)]
    return tuple(np.concatenate(patches) for patches in zip(*pairs, strict=True))


def degraded(photograph: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """A photograph (H, W, 3) after blur, Gaussian noise of sigma up to 50/255 and JPEG of quality 30 to 90, as a file.

    Each of the three is left out now and then. What comes is in steps of 1/255 from 0 to 1, as pictures are that people
    have, unlike those of the protocols for noise, which is not clipped there.
    """
    if random.random() < 0.7:
        blurred = degrade.blur(photograph[np.newaxis], _kernel(random), border="symmetric")
        photograph = ops.convert_to_numpy(blurred)[0]
    if random.random() < 0.8:
        sigma = random.uniform(0, 50) * random.random()  # weak noise is more frequent than strong
        photograph = photograph + np.float32(sigma / 255) * random.standard_normal(photograph.shape, np.float32)
    if random.random() < 0.6:
        photograph = degrade.jpeg(photograph, int(random.integers(30, 91)))
    return np.clip(np.round(photograph * 255), 0, 255) / np.float32(255)


def _kernel(random: np.random.Generator) -> np.ndarray:
    makers: tuple[Callable, ...] = (
        lambda: degrade.gaussian_kernel(random.uniform(0.4, 2.0), 13),
        lambda: degrade.motion_kernel(random.uniform(3, 17), random.uniform(0, 180)),
        lambda: degrade.defocus_kernel(random.uniform(0.7, 3.5)),
    )
    return makers[random.choice(3, p=(0.6, 0.2, 0.2))]()


def build(numbers: Numbers) -> Restorer:
    network = restoration_unet(3, widths=numbers.widths, blocks=numbers.blocks)
    return Restorer(network, turned=True, seed=numbers.seed, name="restore")


def compile(model: Restorer, numbers: Numbers, steps: int) -> None:
    optimizer = keras.optimizers.Adam(training.one_cycle(numbers.learning_rate, steps), global_clipnorm=0.5)
    # Not in decibels, which count most where there is next to nothing to restore.
    model.compile(optimizer, loss="mean_absolute_error", metrics=[_restorers.psnr], jit_compile=False)


def preview(model: Restorer) -> np.ndarray:
    return _restorers.restored_sheet(model, "blind")


evaluate = partial(_restorers.scores, protocols=PROTOCOLS)
