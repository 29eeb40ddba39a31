"""Right and wrong answers to the exercises of lesson 10."""

import numpy as np


def _shares(betas):
    kept = np.prod(1 - np.asarray(betas))
    return np.sqrt(kept), np.sqrt(1 - kept)


def _shares_by_steps(betas):
    alpha, variance = 1.0, 0.0
    for beta in betas:
        alpha *= (1 - beta) ** 0.5
        variance = (1 - beta) * variance + beta
    return [alpha, variance**0.5]


def _shares_by_logarithms(betas):
    kept = np.exp(np.log1p(-np.asarray(betas)).sum())
    return np.sqrt(np.array([kept, 1 - kept]))


def _kept(betas):
    return np.prod(1 - np.asarray(betas))


def _noise(noisy, guess, alpha, sigma):
    return (noisy - alpha * guess) / sigma


def _from_velocity(velocity, noisy, t):
    return noisy - t * velocity, noisy + (1 - t) * velocity


def _from_velocity_by_sum(velocity, noisy, t):
    clean = noisy - t * velocity
    return clean, clean + velocity


def _from_velocity_by_equations(velocity, noisy, t):
    clean, noise = np.linalg.solve([[1 - t, t], [-1, 1]], np.stack([noisy.ravel(), velocity.ravel()]))
    return np.stack([clean.reshape(noisy.shape), noise.reshape(noisy.shape)])


def _from_velocity_by_division(velocity, noisy, t):
    clean = noisy - t * velocity
    return clean, (noisy - (1 - t) * clean) / t


def _ddim(noisy, guess, alpha, sigma, alpha_s, sigma_s):
    return alpha_s * guess + sigma_s * _noise(noisy, guess, alpha, sigma)


def _ddim_by_ratio(noisy, guess, alpha, sigma, alpha_s, sigma_s):
    return sigma_s / sigma * noisy + (alpha_s - alpha * sigma_s / sigma) * guess


def _heun(velocity, x, t, earlier, last_asks=False, second_at=None, half=2):
    first = velocity(x, t)
    there = x + (earlier - t) * first
    if earlier == 0 and not last_asks:
        return there
    return x + (earlier - t) * (first + velocity(there, earlier if second_at is None else second_at)) / half


def _heun_by_mean(velocity, x, t, earlier):
    there = x - (t - earlier) * velocity(x, t)
    velocities = [velocity(x, t)] if earlier <= 0 else [velocity(x, t), velocity(there, earlier)]
    return x - (t - earlier) * np.mean(velocities, axis=0)


def _heun_by_ends(velocity, x, t, earlier):
    there = x + (earlier - t) * velocity(x, t)
    if not earlier:
        return there
    return (there + x + (earlier - t) * velocity(there, earlier)) / 2


def _heun_at_x(velocity, x, t, earlier):
    second = velocity(x, earlier) if earlier else velocity(x, t)
    return x + (earlier - t) * (velocity(x, t) + second) / 2


def _heun_upwards(velocity, x, t, earlier):
    first = velocity(x, t)
    return x + (t - earlier) * (first + velocity(x + (t - earlier) * first, earlier)) / 2


def _midpoint(velocity, x, t, earlier):
    return x + (earlier - t) * velocity(x + (earlier - t) / 2 * velocity(x, t), (t + earlier) / 2)


def _guided(untold, told, w):
    return untold + w * (told - untold)


ACCEPTED = {
    "e10_1": [_shares, _shares_by_steps, _shares_by_logarithms],
    "e10_2": [
        _noise,
        lambda noisy, guess, alpha, sigma: noisy / sigma - alpha / sigma * guess,
        lambda noisy, guess, alpha, sigma: -(alpha * guess - noisy) / sigma**2 * sigma,
    ],
    "e10_3": [_from_velocity, _from_velocity_by_sum, _from_velocity_by_equations],
    "e10_4": [_heun, _heun_by_mean, _heun_by_ends],
    "e10_5": [_ddim, _ddim_by_ratio, lambda *inputs: np.float64(_ddim(*inputs))],
    "e10_6": [
        _guided,
        lambda untold, told, w: (1 - w) * untold + w * told,
        lambda untold, told, w: told + (w - 1) * (told - untold),
    ],
}

REJECTED = {
    "e10_1": [
        (lambda betas: (_kept(betas), np.sqrt(1 - _kept(betas))), "take its square root"),
        (lambda betas: (np.sqrt(_kept(betas)), 1 - _kept(betas)), "second is a variance"),
        (lambda betas: (_kept(betas), 1 - _kept(betas)), "take their square roots"),
        (lambda betas: (np.sqrt(max(0, 1 - np.sum(betas))), np.sqrt(np.sum(betas))), "do not add up"),
        (lambda betas: (np.sqrt(np.prod(betas)), np.sqrt(1 - np.prod(betas))), "what is kept in a step"),
        (lambda betas: (np.sqrt(_kept(betas)), 1 - np.sqrt(_kept(betas))), "the factors do not"),
        (lambda betas: _shares(betas)[::-1], "First alpha"),
        (lambda betas: (np.sqrt(1 - betas[-1]), np.sqrt(betas[-1])), "factors before x multiply"),
    ],
    "e10_2": [
        (lambda noisy, guess, alpha, sigma: noisy - alpha * guess, "divide by sigma"),
        (lambda noisy, guess, alpha, sigma: (noisy - alpha * guess) / sigma**2, "minus the score"),
        (lambda noisy, guess, alpha, sigma: (alpha * guess - noisy) / sigma**2, "points the other way"),
        (lambda noisy, guess, alpha, sigma: (alpha * guess - noisy) / sigma, "wrong way round"),
        (lambda noisy, guess, alpha, sigma: (noisy - guess) / sigma, "with the factor alpha"),
        (lambda noisy, guess, alpha, sigma: (noisy - sigma * guess) / alpha, "changed places"),
        (lambda noisy, guess, alpha, sigma: (noisy - (1 - sigma**2) ** 0.5 * guess) / sigma, "on a circle"),
    ],
    "e10_3": [
        (lambda velocity, noisy, t: _from_velocity(velocity, noisy, t)[::-1], "First the clean"),
        (lambda velocity, noisy, t: _from_velocity(-velocity, noisy, t), "go back against it"),
        (lambda velocity, noisy, t: _from_velocity(velocity, noisy, 1 - t), "times are exchanged"),
        (lambda velocity, noisy, t: (noisy, noisy), "how far"),
        (lambda velocity, noisy, t: ((noisy - t * velocity) / max(1 - t, 1e-9), velocity), "e - x, not e"),
        (lambda velocity, noisy, t: (noisy - t * velocity, noisy + t * velocity), "noise lies ahead"),
        (_from_velocity_by_division, "by a division"),
        (lambda velocity, noisy, t: noisy - t * velocity, "go back along"),
    ],
    "e10_4": [
        (lambda velocity, x, t, earlier: x + (earlier - t) * velocity(x, t), "Euler's step"),
        (lambda velocity, x, t, earlier: _heun(velocity, x, t, earlier, last_asks=True), "asks once"),
        (lambda velocity, x, t, earlier: _heun(velocity, x, t, earlier, half=1), "half their sum"),
        (lambda velocity, x, t, earlier: _heun(velocity, x, t, earlier, second_at=t), "not at t"),
        (_heun_at_x, "not at x"),
        (_heun_upwards, "Time runs down"),
        (_midpoint, "midpoint"),
        (lambda velocity, x, t, earlier: x, "as it was"),
    ],
    "e10_5": [
        (lambda noisy, guess, *others: noisy, "x_t again"),
        (lambda noisy, guess, a, s, a_s, s_s: a_s * guess + s_s * noisy, "take out the noise"),
        (lambda noisy, guess, a, s, a_s, s_s: a_s * guess + s_s * (noisy - a * guess), "scaled by sigma"),
        (lambda noisy, guess, a, s, a_s, s_s: _ddim(noisy, guess, a, s, s_s, a_s), "goes with the guess"),
        (lambda noisy, guess, a, s, a_s, s_s: a_s * guess, "is missing"),
        (lambda noisy, guess, *others: guess, "at once"),
        (lambda noisy, guess, a, s, a_s, s_s: a_s * guess - s_s * (noisy - a * guess) / s, "wrong way round"),
        (lambda noisy, guess, a, s, a_s, s_s: a_s * guess + s_s * (noisy - a_s * guess) / s, "of the time t"),
    ],
    "e10_6": [
        (lambda untold, told, w: _guided(told, untold, w), "changed places"),
        (lambda untold, told, w: _guided(untold, told, -w), "the other way"),
        (lambda untold, told, w: told + w * (told - untold), "begin at the untold"),
        (lambda untold, told, w: w * (told - untold), "way alone"),
        (lambda untold, told, w: w * told, "counts whole"),
        (lambda untold, told, w: untold + w * told, "not added up"),
    ],
}
