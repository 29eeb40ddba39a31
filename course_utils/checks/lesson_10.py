"""Checks for lesson 10, diffusion, score matching and flows."""

import numpy as np

from course_utils.checks import Attempt, exercise


@exercise("E10.1")
def e10_1(attempt: Attempt) -> None:
    """`shares(betas)`: the steps are taken one after the other."""
    rng = np.random.default_rng(1)
    hint = "In two steps the factors before x multiply; the noise of the first is scaled by the second."
    trials = [np.array([0.36, 0.19]), np.array([0.36]), np.array([0.5, 0.0, 0.9]), rng.uniform(0.001, 0.3, 9)]
    for betas in [*trials, rng.uniform(0, 0.02, 200)]:
        kept, variance = 1.0, 0.0
        for beta in betas:
            kept, variance = kept * np.sqrt(1 - beta), (1 - beta) * variance + beta
        expected = np.array([kept, np.sqrt(variance)])
        mistakes = {
            "The first is the share of the variance: take its square root.": [kept**2, np.sqrt(variance)],
            "The second is a variance: the noise itself has its square root.": [kept, variance],
            "Both are shares of the variance: take their square roots.": [kept**2, variance],
            "The betas do not add up: the noise of a step is scaled down by all later ones.": [
                np.sqrt(max(0, 1 - betas.sum())),
                np.sqrt(betas.sum()),
            ],
            "The betas are the noise; what is kept in a step is 1 - beta.": [
                np.sqrt(np.prod(betas)),
                np.sqrt(1 - np.prod(betas)),
            ],
            "The variances add up to 1, the factors do not.": [kept, 1 - kept],
            "First alpha, then sigma.": expected[::-1],
        }
        tried = f"shares(betas of shape {betas.shape}, the first {betas[0]:.3g})"
        attempt.compare((betas,), expected, hint, mistakes=mistakes, tried=tried)


@exercise("E10.2")
def e10_2(attempt: Attempt) -> None:
    """`noise_of(noisy, guess, alpha, sigma)`: for points and for pictures, on and off the circle."""
    rng = np.random.default_rng(2)
    hint = "Solve x_t = alpha x + sigma e for e, with the guess in the place of x."
    trials = [((1, 1), 0.8, 0.6), ((3, 2), 0.6, 0.8), ((2, 4, 4, 1), 0.3, 0.7), ((5, 2), 0.99, 0.02)]
    for shape, alpha, sigma in trials:
        guess, noise = rng.normal(size=shape), rng.normal(size=shape)
        noisy = alpha * guess + sigma * noise
        mistakes = {
            "What is left after the guess is sigma times the noise: divide by sigma.": noisy - alpha * guess,
            "Divide by sigma once: this is minus the score.": (noisy - alpha * guess) / sigma**2,
            "This is the score: the noise points the other way.": -(noisy - alpha * guess) / sigma**2,
            "The sign is the wrong way round.": -noise,
            "The guess stands in x_t with the factor alpha.": (noisy - guess) / sigma,
            "That is what is left for x: alpha and sigma have changed places.": (noisy - sigma * guess) / alpha,
            "alpha and sigma need not be on a circle: do not take one from the other.": (
                (noisy - np.sqrt(max(0, 1 - sigma**2)) * guess) / sigma
            ),
        }
        tried = f"noise_of(arrays of shape {shape}, {alpha}, {sigma})"
        attempt.compare((noisy, guess, alpha, sigma), noise, hint, mistakes=mistakes, tried=tried)


@exercise("E10.3")
def e10_3(attempt: Attempt) -> None:
    """`from_velocity(velocity, noisy, t)`: at the ends of the way as well."""
    rng = np.random.default_rng(3)
    hint = "From x_t go back along the velocity for a time t to reach x; or on for 1 - t to reach e."
    for shape, t in [((1, 1), 0.25), ((4, 2), 0.7), ((2, 3, 3, 1), 0.5), ((3, 2), 0.0), ((3, 2), 1.0)]:
        clean, noise = rng.normal(size=shape), rng.normal(size=shape)
        noisy, velocity = (1 - t) * clean + t * noise, noise - clean
        ends = "At t = 0 the noise, and at t = 1 the clean data cannot be had by a division: follow the velocity."
        mistakes = {
            "First the clean data, then the noise.": [noise, clean],
            "The velocity points from the data to the noise: go back against it for x.": [
                noisy + t * velocity,
                noisy - (1 - t) * velocity,
            ],
            "The times are exchanged: x lies a time t back, e a time 1 - t ahead.": [
                noisy - (1 - t) * velocity,
                noisy + t * velocity,
            ],
            "x_t itself is neither: how far does the velocity lead from it?": [noisy, noisy],
            "The velocity is e - x, not e.": [(noisy - t * velocity) / max(1 - t, 1e-9), velocity],
            "The clean data are right. The noise lies ahead: noisy + (1 - t) velocity.": [clean, noisy + t * velocity],
        }
        tried = f"from_velocity(arrays of shape {shape}, t={t})"
        got = attempt.call(velocity, noisy, t, tried=tried, errors={ZeroDivisionError: ends})
        if isinstance(got, (tuple, list)) and len(got) == 2 and not np.all(np.isfinite(attempt.numbers(got, tried))):
            attempt.reject(ends, tried=tried, got=got)
        attempt.agree(got, np.stack([clean, noise]), hint, mistakes=mistakes, tried=tried)


_FIELDS = {
    "velocity(x, t) = 2": lambda x, t: np.full_like(x, 2.0),
    "velocity(x, t) = t": lambda x, t: np.full_like(x, t),
    "velocity(x, t) = x": lambda x, t: x,
    "velocity(x, t) = t x": lambda x, t: t * x,
}


_BEGINS = "A step asks at the time at which it begins: 1, then 1 - 1 / steps, and so on."


@exercise("E10.4")
def e10_4(attempt: Attempt) -> None:
    """`follow(velocity, x, steps)`: velocities that depend on nothing, on the time, on the place, on both."""
    rng = np.random.default_rng(4)
    hint = "In each step: ask for the velocity where x is now, at the time it is now, and go back by 1 / steps of it."
    for steps in (3, 1, 5):
        for name, velocity in _FIELDS.items():
            x = rng.normal(size=(3, 2))
            times = 1 - np.arange(steps) / steps
            mistakes = {
                "Time runs down: a step goes against the velocity.": _walk(velocity, x, times, 1 / steps),
                "This goes the whole velocity in each step: a step is a time of 1 / steps.": _walk(
                    velocity, x, times, -1
                ),
                _BEGINS: _walk(velocity, x, times - 1 / steps, -1 / steps),
                _BEGINS + " Time runs down.": _walk(velocity, x, times[::-1] - 1 / steps, -1 / steps),
                "Ask again in each step: x has moved, and the time has too.": x - velocity(x, 1.0),
                "This is one step more than asked for.": _walk(velocity, x, [*times, 0.0], -1 / steps),
                "This is one step too few.": _walk(velocity, x, times[:-1], -1 / steps),
                "With np.linspace(1, 0, steps) there are too few times: it needs steps + 1.": (
                    _walk(velocity, x, np.linspace(1, 0, steps)[:-1], -1 / max(steps - 1, 1))
                ),
                "x came back as it was.": x,
            }
            tried = f"follow(velocity, x of shape (3, 2), {steps}) with {name}"
            expected = _walk(velocity, x, times, -1 / steps)
            attempt.compare((velocity, x, steps), expected, hint, mistakes=mistakes, tried=tried)


def _walk(velocity, x: np.ndarray, times, step: float) -> np.ndarray:
    for t in times:
        x = x + step * velocity(x, t)
    return x


@exercise("E10.5")
def e10_5(attempt: Attempt) -> None:
    """`ddim_step(...)`: on the circle and on the straight way, to the clean data at the end."""
    rng = np.random.default_rng(5)
    hint = "Take the noise from noisy and guess; then mix the guess and that noise with the two earlier numbers."
    trials = [(0.6, 0.8, 0.9, 0.3), (0.3, 0.7, 0.5, 0.5), (0.1, 0.9, 0.9, 0.1), (0.5, 0.5, 1.0, 0.0)]
    for (alpha, sigma, alpha_s, sigma_s), shape in zip(trials, [(1, 1), (4, 2), (2, 3, 3, 1), (3, 2)], strict=True):
        guess, noise = rng.normal(size=shape), rng.normal(size=shape)
        noisy = alpha * guess + sigma * noise
        expected = alpha_s * guess + sigma_s * noise
        mistakes = {
            "That is x_t again: use the earlier alpha and sigma to mix.": noisy,
            "noisy holds the guess too: take out the noise first.": alpha_s * guess + sigma_s * noisy,
            "The noise is still scaled by sigma: divide by it.": alpha_s * guess + sigma_s * (noisy - alpha * guess),
            "The earlier alpha goes with the guess, the earlier sigma with the noise.": alpha_s * noise
            + sigma_s * guess,
            "The guess alone: the noise of the earlier time is missing.": alpha_s * guess,
            "This jumps to the clean data at once: a step goes to the earlier time.": guess,
            "The sign of the noise is the wrong way round.": alpha_s * guess - sigma_s * noise,
            "In x_t the guess has the factor alpha of the time t.": (
                alpha_s * guess + sigma_s * (noisy - alpha_s * guess) / sigma
            ),
        }
        tried = f"ddim_step(arrays of shape {shape}, {alpha}, {sigma}, {alpha_s}, {sigma_s})"
        arguments = (noisy, guess, alpha, sigma, alpha_s, sigma_s)
        attempt.compare(arguments, expected, hint, mistakes=mistakes, tried=tried)
