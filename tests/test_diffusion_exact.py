"""The computed denoiser: against sums written out, slopes of its density, draws, and where it leads a sampler."""

import numpy as np
import pytest

from course_utils.models import diffusion, diffusion_exact, diffusion_samplers

POINTS = np.array([[1.0, 0.0], [-1.0, 0.5], [0.2, -1.5]])
RANDOM = np.random.default_rng(0)
NOISY = RANDOM.standard_normal((6, 2))
LINEAR = diffusion.SCHEDULES["linear"]


@pytest.fixture(params=diffusion.SCHEDULES)
def exact(request):
    return diffusion_exact.Exact(POINTS, diffusion.SCHEDULES[request.param])


def alpha_and_sigma(exact, time: float) -> tuple[float, float]:
    return tuple(float(number) for number in exact.schedule.at(time)[:2])


@pytest.mark.parametrize("time", [0.05, 0.4, 0.9])
def test_density_and_posterior_are_those_of_a_mixture(exact, time):
    alpha, sigma = alpha_and_sigma(exact, time)
    for row, x in enumerate(NOISY):
        logs = [-np.sum((x - alpha * p) ** 2) / (2 * sigma**2) - np.log(2 * np.pi * sigma**2) for p in POINTS]
        total = np.logaddexp.reduce(logs)
        np.testing.assert_allclose(exact.log_density(NOISY, time)[row], total - np.log(3), rtol=1e-6)
        np.testing.assert_allclose(exact.posterior(NOISY, time)[row], np.exp(logs - total), atol=1e-7)


@pytest.mark.parametrize("time", [0.1, 0.5, 0.95])
def test_the_score_is_the_slope_of_the_log_density(exact, time):
    """Tweedie: the arrow from the posterior mean is the gradient, here by differences."""
    step = 1e-5
    for axis, move in enumerate(np.eye(2) * step):
        slope = (exact.log_density(NOISY + move, time) - exact.log_density(NOISY - move, time)) / (2 * step)
        np.testing.assert_allclose(exact.score(NOISY, time)[:, axis], slope, rtol=1e-4, atol=1e-5)
    score = diffusion_exact.score_of(exact.predict, NOISY, time, exact.schedule)
    np.testing.assert_allclose(score, exact.score(NOISY, time), rtol=1e-6, atol=1e-9)


def test_prediction_adds_up_and_has_the_smallest_error(exact):
    alpha, sigma = alpha_and_sigma(exact, 0.5)
    truth, noise = POINTS[RANDOM.integers(3, size=4000)], RANDOM.standard_normal((4000, 2))
    noisy = alpha * truth + sigma * noise
    clean, predicted_noise = exact.predict(noisy, 0.5)
    np.testing.assert_allclose(alpha * clean + sigma * predicted_noise, noisy, atol=1e-9)

    def error(prediction):
        return np.mean((prediction - truth) ** 2)

    nearest = POINTS[exact.posterior(noisy, 0.5).argmax(axis=1)]
    others = (nearest, noisy / alpha, np.zeros_like(truth), 0.9 * clean, 1.1 * clean)
    assert error(clean) < min(map(error, others))


def test_of_noise_alone_it_says_the_mean_and_of_next_to_none_the_example(exact):
    np.testing.assert_allclose(exact.clean(NOISY, 1.0), np.tile(POINTS.mean(axis=0), (6, 1)), atol=1e-5)
    np.testing.assert_allclose(exact.clean(POINTS + 0.001, 0.001), POINTS, atol=1e-6)
    far = exact.posterior(np.full((1, 2), 1000.0), 0.001)  # all exponents are far below those of float64
    assert np.isfinite(far).all() and far.sum() == pytest.approx(1)


@pytest.mark.parametrize("sampler", diffusion_samplers.SAMPLERS)
def test_samplers_are_led_to_the_examples_and_nowhere_else(exact, sampler):
    start = RANDOM.standard_normal((600, 2))
    found = diffusion_samplers.run(exact.predict, start, exact.schedule, steps=100, sampler=sampler)
    distances = np.linalg.norm(found[:, None] - POINTS, axis=-1)
    assert distances.min(axis=1).max() < 0.05
    shares = np.bincount(distances.argmin(axis=1), minlength=3) / 600
    np.testing.assert_allclose(shares, 1 / 3, atol=0.08)


def test_pictures_keep_their_shape():
    images = RANDOM.standard_normal((5, 4, 3, 1))
    exact = diffusion_exact.Exact(images, LINEAR)
    noisy = 0.9 * images[[2, 4]] + 0.1 * RANDOM.standard_normal((2, 4, 3, 1))
    clean, noise = exact.predict(noisy, 0.1)
    assert clean.shape == noise.shape == exact.score(noisy, 0.1).shape == noisy.shape
    np.testing.assert_allclose(clean, images[[2, 4]], atol=1e-3)


WRONG = {
    "no examples": (lambda: diffusion_exact.Exact(np.zeros((0, 2)), LINEAR), "one example or more"),
    "time 0": (lambda: diffusion_exact.Exact(POINTS, LINEAR).score(NOISY, 0), "over 0 and up to 1, got 0"),
    "late": (lambda: diffusion_exact.Exact(POINTS, LINEAR).predict(NOISY, 999), "over 0 and up to 1, got 999"),
    "shape": (lambda: diffusion_exact.Exact(POINTS, LINEAR).clean(NOISY[:, :1], 0.5), r"shape \(n, 2\), got \(6, 1\)"),
    "one x_t": (lambda: diffusion_exact.Exact(POINTS, LINEAR).clean(NOISY[0], 0.5), r"got \(2,\)"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_told(name):
    call, words = WRONG[name]
    with pytest.raises(ValueError, match=words):
        call()
