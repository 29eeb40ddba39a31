"""The best denoiser there is, for data that are a list of examples (lesson 10): computed, not learned.

Where a picture is one of the examples, each as likely as the others, x_t = alpha x + sigma e has a mixture of normal
densities, one around alpha times each example, all of the spread sigma. The posterior, its mean and the score follow
from Bayes' rule. A network that was perfect on its training pictures would say the same, and draw nothing but them.
"""

from collections.abc import Callable

import numpy as np


class Exact:
    """Densities and predictions for examples (m, ...), at a time over 0 and up to 1 on the way to noise.

    schedule: a `diffusion.Schedule`. All numbers are computed in float64: near time 0 small differences decide.
    Raises ValueError for no examples, and in every method for a time outside (0, 1] and for x_t of another shape.
    """

    def __init__(self, examples: np.ndarray, schedule):
        examples = np.asarray(examples, np.float64)
        if not examples.size:
            raise ValueError(f"expected one example or more, got an array of shape {examples.shape}")
        self.shape, self.schedule = examples.shape[1:], schedule
        self.rows = examples.reshape(len(examples), -1)

    def log_density(self, noisy: np.ndarray, time: float) -> np.ndarray:
        """log p(x_t) for x_t (n, ...): (n,)."""
        _, sigma = self._alpha_and_sigma(time)
        exponents = self._exponents(noisy, time)
        largest = exponents.max(axis=1)
        normal = np.log(len(self.rows)) + self.rows.shape[1] * np.log(sigma * np.sqrt(2 * np.pi))
        return largest + np.log(np.exp(exponents - largest[:, None]).sum(axis=1)) - normal

    def posterior(self, noisy: np.ndarray, time: float) -> np.ndarray:
        """How likely each example is behind each x_t (n, ...): (n, m), rows with the sum 1."""
        exponents = self._exponents(noisy, time)
        weights = np.exp(exponents - exponents.max(axis=1, keepdims=True))
        return weights / weights.sum(axis=1, keepdims=True)

    def clean(self, noisy: np.ndarray, time: float) -> np.ndarray:
        """E[x | x_t], which has the smallest mean squared error of all predictions: float64 (n, ...)."""
        return (self.posterior(noisy, time) @ self.rows).reshape(-1, *self.shape)

    def score(self, noisy: np.ndarray, time: float) -> np.ndarray:
        """The gradient of log p(x_t) by x_t, from the posterior mean: float64 (n, ...).

        Tweedie's formula, for a scaled x: Robbins, 1956; Efron, "Tweedie's formula and selection bias", 2011.
        """
        alpha, sigma = self._alpha_and_sigma(time)
        return (alpha * self.clean(noisy, time) - np.asarray(noisy, np.float64)) / sigma**2

    def predict(self, noisy: np.ndarray, time: float) -> tuple[np.ndarray, np.ndarray]:
        """(clean, noise), (n, ...) each, as `diffusion_samplers.run` asks for them."""
        alpha, sigma = self._alpha_and_sigma(time)
        clean = self.clean(noisy, time)
        return clean, (np.asarray(noisy, np.float64) - alpha * clean) / sigma

    def _exponents(self, noisy: np.ndarray, time: float) -> np.ndarray:
        """-|x_t - alpha x|^2 / (2 sigma^2) of each x_t and example: (n, m)."""
        alpha, sigma = self._alpha_and_sigma(time)
        noisy = np.asarray(noisy, np.float64)
        if noisy.shape[1:] != self.shape:
            expected = ", ".join(map(str, ("n", *self.shape)))
            raise ValueError(f"expected x_t of the shape ({expected}), got {noisy.shape}")
        noisy, centres = noisy.reshape(len(noisy), -1), alpha * self.rows
        squares = (noisy**2).sum(axis=1)[:, None] + (centres**2).sum(axis=1) - 2 * noisy @ centres.T
        return -np.maximum(squares, 0) / (2 * sigma**2)

    def _alpha_and_sigma(self, time: float) -> tuple[float, float]:
        if not 0 < time <= 1:
            raise ValueError(f"time must be over 0 and up to 1, got {time!r}")
        return tuple(float(number) for number in self.schedule.at(time)[:2])


def score_of(predict: Callable, noisy: np.ndarray, time: float, schedule) -> np.ndarray:
    """The score that a prediction amounts to: the noise in x_t, turned round and divided by sigma, (n, ...)."""
    _, noise = predict(noisy, time)
    return -noise / float(schedule.at(time)[1])
