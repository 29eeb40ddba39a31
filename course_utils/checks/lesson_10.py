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


@exercise("E10.4")
def e10_4(attempt: Attempt) -> None:
    """`heun_step(velocity, x, t, earlier)`: fields of time and place, in the middle of the way and at its end."""
    rng = np.random.default_rng(6)
    hint = "Take Euler's step first; ask again there, at the earlier time; then go from x along the mean of the two."
    for t, earlier in ((0.8, 0.5), (1.0, 0.25), (0.5, 0.0)):
        for name, velocity in reversed(_FIELDS.items()):  # the simple ones tell few mistakes apart
            x, step = rng.normal(size=(3, 2)), earlier - t
            here = velocity(x, t)
            there = x + step * here
            after = velocity(there, earlier)
            both = x + step * (here + after) / 2
            mistakes = {
                "Into time 0 the velocity at the beginning alone: the last step asks once.": x
                + step * (here + after) / 2,
                "That is Euler's step: Heun asks at its end as well.": there,
                "The mean of two velocities is half their sum.": x + step * (here + after),
                "Time runs down: earlier - t is negative, and is what the velocity is multiplied by.": (
                    x - step * (here + velocity(x - step * here, earlier)) / 2
                ),
                "Ask the second time where Euler's step leads, not at x.": x + step * (here + velocity(x, earlier)) / 2,
                "Ask the second time at the earlier time, not at t.": x + step * (here + velocity(there, t)) / 2,
                "Both halves of the way begin at x: the mean velocity is for the whole step from x.": (
                    there + step * (here + after) / 2
                ),
                "That is the velocity at the end alone: take the mean of both.": x + step * after,
                "That is the midpoint's method: Heun asks at the end of the step.": (
                    x + step * velocity(x + step / 2 * here, t + step / 2)
                ),
                "x came back as it was.": x,
            }
            expected = there if earlier == 0 else both
            tried = f"heun_step(v, x of shape (3, 2), {t}, {earlier}) with {name.replace('velocity', 'v')}"
            attempt.compare((velocity, x, t, earlier), expected, hint, mistakes=mistakes, tried=tried)


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


@exercise("E10.6")
def e10_6(attempt: Attempt) -> None:
    """`guided(untold, told, w)`: at 0 and 1, between and beyond."""
    rng = np.random.default_rng(7)
    hint = "From the untold answer go w times the way to the told one."
    for w, shape in ((3, (1, 1)), (0.5, (2, 3)), (1, (4, 2)), (0, (2, 4, 4, 1)), (7.5, (3, 2))):
        untold, told = rng.normal(size=shape), rng.normal(size=shape)
        way = told - untold
        mistakes = {
            "At w = 0 the label is not heard, at 1 it is what was told: untold and told have changed places.": (
                told - w * way
            ),
            "The way goes from untold to told: here it goes the other way.": untold - w * way,
            "At w = 1 the told answer should come back: begin at the untold one.": told + w * way,
            "The way alone is not the answer: begin at the untold one.": w * way,
            "The untold answer counts whole: only the way is multiplied.": w * told,
            "Told and untold are not added up: their difference is the way.": untold + w * told,
        }
        tried = f"guided(arrays of shape {shape}, w={w})"
        attempt.compare((untold, told, w), untold + w * way, hint, mistakes=mistakes, tried=tried)
