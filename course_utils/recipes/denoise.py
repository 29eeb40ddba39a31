"""Gaussian noise taken out of photographs, of any strength, in colour and in grey (lesson 12).

One network for all: nobody tells it how strong the noise is. A grey picture goes through it as three equal channels;
one patch in four is grey in training, with grey noise. The numbers were chosen on patches of the validation
photographs, by trainings of a minute with one seed each.
"""

from dataclasses import dataclass, replace

import keras
import numpy as np

from course_utils import training
from course_utils.models.denoising import Denoiser
from course_utils.models.unet import restoration_unet
from course_utils.recipes import Examples, _restorers

PROTOCOLS = ("denoise_15", "denoise_25", "denoise_50")
SIDE = 64  # pixels of a patch


@dataclass(frozen=True)
class Numbers:
    widths: tuple[int, ...] = (32, 64, 128)  # maps at a half, a quarter and an eighth of the picture's size
    blocks: int = 1  # residual blocks at each size, on the way down and again on the way up
    sigma: tuple[float, float] = (5, 55)  # of the noise, in 255ths: a little beyond what it is measured by
    epochs: int = 2
    batch_size: int = 4  # 8 and half the steps learned less
    learning_rate: float = 0.002  # the peak of the one-cycle schedule; half of it learned less
    # Of the length of a step's gradient, 12 mostly and 80 now and then. From two starts, at sigma 25 on 12 photographs,
    # 27.7 and 29.0 dB without it, 30.2 and 30.2 with it; at half the rate, without it, 29.8 from the first.
    gradient_bound: float | None = 5.0
    seed: int = 0


LESSON = Numbers()
# At sigma 25 one block at each size and 24 epochs, 1,122 processor seconds, reached 30.69 dB in colour and 28.67 in
# grey; two blocks and 48 epochs, 3,459 seconds, 31.12 and 28.85. Blocks and epochs changed together. The higher rate is
# for short trainings, see `deblur`. The bound gained nothing that we saw: after 12 of the epochs validation patches had
# 30.1 dB with it and 30.4 without, and with it at the double rate after 26 of them 30.7, here 31.1.
FULL = replace(LESSON, blocks=2, epochs=48, learning_rate=0.001, gradient_bound=None)


def data() -> Examples:
    return Examples(
        _restorers.patches("train", SIDE, 48), validation=_noisy(_restorers.patches("validation", SIDE, 128))
    )


def _noisy(clean: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(noisy, clean) with noise of sigma 15, 25 and 50 in turn, the same each time; a grey patch has grey noise."""
    random = np.random.default_rng(12)
    sigma = np.resize([15, 25, 50], len(clean)).astype(np.float32) / 255
    noise = random.standard_normal(clean.shape, np.float32)
    grey = np.ptp(clean, axis=-1).max(axis=(1, 2)) == 0
    noise[grey] = noise[grey][..., :1]
    return clean + sigma[:, np.newaxis, np.newaxis, np.newaxis] * noise, clean


def build(numbers: Numbers) -> Denoiser:
    network = restoration_unet(3, widths=numbers.widths, blocks=numbers.blocks)
    low, high = numbers.sigma
    return Denoiser(network, (low / 255, high / 255), turned=True, seed=numbers.seed, name="denoise")


def compile(model: Denoiser, numbers: Numbers, steps: int) -> None:
    optimizer = keras.optimizers.Adam(
        training.one_cycle(numbers.learning_rate, steps), global_clipnorm=numbers.gradient_bound
    )
    # The loss: with the absolute error such a training did better at sigma 25 and 50, and worse at 15: no clear winner.
    # Not compiled by XLA, which draws random numbers slowly on a processor: a step took a quarter more of its time.
    model.compile(optimizer, loss=_restorers.error_in_decibels, metrics=[_restorers.psnr], jit_compile=False)


def preview(model: Denoiser) -> np.ndarray:
    return _restorers.restored_sheet(model, "denoise_50")


def evaluate(model: Denoiser) -> dict[str, dict]:
    return _restorers.scores(model, PROTOCOLS) | _restorers.scores(model, ("denoise_25",), in_grey=True)
