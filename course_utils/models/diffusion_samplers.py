"""From noise to a picture in steps (lesson 10): what a network says of x_t is followed for a while, then asked again.

A step goes from x_t to x_s at an earlier time s < t, by a prediction: (x_t, t) -> (clean, noise), NumPy arrays of the
shape of x_t.
"""

from collections.abc import Callable
from itertools import pairwise

import numpy as np


def ddim(predict: Callable, noisy, time: float, earlier: float, schedule, random) -> np.ndarray:
    """The predicted picture and noise, mixed for the earlier time: Song, Meng and Ermon, 2021, equation 12, eta 0."""
    clean, noise = predict(noisy, time)
    alpha, sigma = _numbers(schedule, earlier)[:2]
    return alpha * clean + sigma * noise


def ancestral(predict: Callable, noisy, time: float, earlier: float, schedule, random) -> np.ndarray:
    """A draw of x_s given x_t and the predicted picture: Ho, Jain and Abbeel, 2020, algorithm 2.

    For any schedule as in Kingma, Salimans, Poole and Ho, "Variational diffusion models", 2021, appendix A.
    """
    clean, _ = predict(noisy, time)
    (alpha, sigma), (alpha_s, sigma_s) = _numbers(schedule, time)[:2], _numbers(schedule, earlier)[:2]
    kept = alpha / alpha_s
    added = sigma**2 - (kept * sigma_s) ** 2  # variance that came between s and t
    mean = (kept * sigma_s**2 * noisy + alpha_s * added * clean) / sigma**2
    return mean + np.sqrt(added) * sigma_s / sigma * random.standard_normal(noisy.shape, np.float32)


def euler(predict: Callable, noisy, time: float, earlier: float, schedule, random) -> np.ndarray:
    """A straight line along the velocity of the probability flow: Song et al., 2021. With "linear" the same as DDIM."""
    return noisy + (earlier - time) * _velocity(predict, noisy, time, schedule)


def heun(predict: Callable, noisy, time: float, earlier: float, schedule, random) -> np.ndarray:
    """A line along the mean of the velocities at both of its ends: Karras, Aittala, Aila and Laine, 2022, algorithm 1.

    The last step has the one at its beginning alone.
    """
    velocity = _velocity(predict, noisy, time, schedule)
    there = noisy + (earlier - time) * velocity
    if earlier == 0:
        return there
    return noisy + (earlier - time) * (velocity + _velocity(predict, there, earlier, schedule)) / 2


SAMPLERS = {"ancestral": ancestral, "ddim": ddim, "euler": euler, "heun": heun}


def run(
    predict: Callable,
    start: np.ndarray,
    schedule,
    *,
    steps: int,
    sampler: str = "heun",
    seed: int = 0,
    first: float = 1.0,
) -> np.ndarray:
    """From x_t at the time `first`, (n, ...), to pictures at time 0, in so many equal steps of time.

    predict: (x_t, t) -> (clean, noise). schedule: a `diffusion.Schedule`. seed: of the noise that "ancestral" adds.
    Raises ValueError for an unknown sampler, steps under 1 or no whole number, and a first time outside (0, 1].
    """
    if sampler not in SAMPLERS:
        raise ValueError(f"sampler must be one of {', '.join(map(repr, SAMPLERS))}, got {sampler!r}")
    if steps != int(steps) or steps < 1:
        raise ValueError(f"steps must be a whole number, 1 or more, got {steps!r}")
    if not 0 < first <= 1:
        raise ValueError(f"first is the time to begin at, over 0 and up to 1, got {first!r}")
    random, x = np.random.default_rng(seed), np.asarray(start, np.float32)
    times = np.linspace(first, 0, int(steps) + 1)
    for time, earlier in pairwise(times):
        x = SAMPLERS[sampler](predict, x, float(time), float(earlier), schedule, random).astype(np.float32)
    return x


def _velocity(predict: Callable, noisy, time: float, schedule) -> np.ndarray:
    clean, noise = predict(noisy, time)
    _, _, alpha_slope, sigma_slope = _numbers(schedule, time)
    return alpha_slope * clean + sigma_slope * noise


def _numbers(schedule, time: float) -> tuple[float, ...]:
    return tuple(float(number) for number in schedule.at(time))
