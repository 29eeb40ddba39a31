"""Diffusion: schedules and conversions against sums by hand, samplers on data whose best prediction is known, `fit`."""

import keras
import numpy as np
import pytest
from fixtures.eager import eager
from keras import layers, ops

from course_utils import training
from course_utils.models import averaging, diffusion, diffusion_samplers, sampling

RANDOM = np.random.default_rng(0)
CLEAN, NOISE = RANDOM.standard_normal((2, 5, 4, 4, 1)).astype(np.float32)
TIMES = np.array([0.001, 0.2, 0.5, 0.7, 0.999], np.float32)


def array(tensor) -> np.ndarray:
    return ops.convert_to_numpy(tensor)


@pytest.mark.parametrize("name", diffusion.SCHEDULES)
def test_a_schedule_goes_from_picture_to_noise_and_its_slopes_are_its_own(name):
    schedule = diffusion.SCHEDULES[name]
    alpha, sigma, _, _ = (array(part) for part in schedule.at(np.array([0.0, 1.0])))
    np.testing.assert_allclose(alpha, [1, 0], atol=1e-6)
    np.testing.assert_allclose(sigma, [0, 1], atol=1e-6)
    t, step = np.linspace(0.1, 0.9, 9), 0.01
    later, now, before = ([array(part) for part in schedule.at(times)] for times in (t + step, t, t - step))
    for value, slope in ((0, 2), (1, 3)):
        np.testing.assert_allclose((later[value] - before[value]) / (2 * step), now[slope], atol=1e-3)
    if name == "cosine":
        np.testing.assert_allclose(now[0] ** 2 + now[1] ** 2, 1, atol=1e-6)


@pytest.mark.parametrize("predicts", diffusion.PREDICTIONS)
@pytest.mark.parametrize("name", diffusion.SCHEDULES)
def test_each_prediction_amounts_to_the_picture_and_the_noise(name, predicts):
    schedule = diffusion.SCHEDULES[name]
    noisy = diffusion.noised(CLEAN, NOISE, TIMES, schedule)
    for index, time in enumerate(TIMES):
        alpha, sigma = (float(part) for part in schedule.at(time)[:2])
        np.testing.assert_allclose(noisy[index], alpha * CLEAN[index] + sigma * NOISE[index], atol=1e-6)
    told = diffusion.target(CLEAN, NOISE, TIMES, schedule, predicts)
    clean, noise = (array(part) for part in diffusion.clean_and_noise(told, noisy, TIMES, schedule, predicts))
    middle = slice(1, 4)  # at the ends one of the two is divided by next to nothing
    np.testing.assert_allclose(clean[middle], CLEAN[middle], atol=1e-5)
    np.testing.assert_allclose(noise[middle], NOISE[middle], atol=1e-5)
    assert np.isfinite(clean).all() and np.isfinite(noise).all()


def test_the_velocity_of_the_straight_way_is_noise_minus_picture():
    told = diffusion.target(CLEAN, NOISE, TIMES, diffusion.SCHEDULES["linear"], "velocity")
    np.testing.assert_allclose(told, NOISE - CLEAN, atol=1e-6)


# ---------------------------------------------------------------------------------------------------- samplers

MEAN, SPREAD = np.array([1.0, -0.5], np.float32), np.array([0.3, 1.2], np.float32)  # of normal data in two dimensions


def best_prediction(schedule):
    """(x_t, t) -> (E[x | x_t], the noise that goes with it), for normal data."""

    def predict(noisy, time):
        alpha, sigma = (float(part) for part in schedule.at(np.clip(time, 1e-6, 1 - 1e-6))[:2])
        gain = alpha * SPREAD**2 / (alpha**2 * SPREAD**2 + sigma**2)
        clean = MEAN + gain * (noisy - alpha * MEAN)
        return clean, (noisy - alpha * clean) / sigma

    return predict


def samples(sampler: str, name: str, steps: int, n: int = 4000) -> np.ndarray:
    schedule, start = diffusion.SCHEDULES[name], np.random.default_rng(1).standard_normal((n, 2))
    return diffusion_samplers.run(best_prediction(schedule), start, schedule, steps=steps, sampler=sampler)


@pytest.mark.parametrize("name", diffusion.SCHEDULES)
@pytest.mark.parametrize("sampler", diffusion_samplers.SAMPLERS)
def test_samplers_reach_the_mean_and_the_spread_of_normal_data(sampler, name):
    found = samples(sampler, name, 200)
    np.testing.assert_allclose(found.mean(axis=0), MEAN, atol=0.06)
    np.testing.assert_allclose(found.std(axis=0), SPREAD, rtol=0.05)


def test_heun_needs_fewer_questions_and_the_straight_ways_line_is_ddim():
    errors = {}
    for sampler, steps in (("euler", 60), ("heun", 30)):  # 60 and 59 questions
        errors[sampler] = np.abs(samples(sampler, "cosine", steps) - samples("heun", "cosine", 400)).mean()
    assert errors["heun"] < 0.5 * errors["euler"]
    np.testing.assert_allclose(samples("euler", "linear", 7), samples("ddim", "linear", 7), atol=1e-4)
    assert np.abs(samples("euler", "cosine", 7) - samples("ddim", "cosine", 7)).max() > 0.01


def test_one_step_gives_the_prediction_and_a_later_start_is_taken():
    schedule = diffusion.SCHEDULES["linear"]
    start = RANDOM.standard_normal((3, 2)).astype(np.float32)
    predict = best_prediction(schedule)
    for first in (1.0, 0.4):
        found = diffusion_samplers.run(predict, start, schedule, steps=1, sampler="ddim", first=first)
        np.testing.assert_allclose(found, predict(start, first)[0], atol=1e-5)


def test_ancestral_draws_depend_on_the_seed_and_the_others_do_not():
    schedule, start = diffusion.SCHEDULES["cosine"], np.zeros((4, 2))
    for sampler in diffusion_samplers.SAMPLERS:
        one, same, other = (
            diffusion_samplers.run(best_prediction(schedule), start, schedule, steps=5, sampler=sampler, seed=seed)
            for seed in (0, 0, 1)
        )
        np.testing.assert_array_equal(one, same)
        assert (np.abs(one - other).max() > 0.01) == (sampler == "ancestral")


# ------------------------------------------------------------------------------------------------ under `fit`

IMAGES = np.stack([np.full((4, 4, 1), 0.25 * (index % 3) + 0.25, np.float32) for index in range(96)])
LABELS = np.arange(96) % 3


def dense(classes: int | None = 3, width: int = 64) -> keras.Model:
    noisy, times = layers.Input((4, 4, 1)), layers.Input(())
    told = [layers.Input((classes,))] if classes else []
    x = layers.Concatenate()([layers.Flatten()(noisy), diffusion.TimeWaves(4)(times), *told])
    for _ in range(2):
        x = layers.Dense(width, "gelu")(x)
    return keras.Model([noisy, times, *told], layers.Reshape((4, 4, 1))(layers.Dense(16)(x)))


def trained(epochs: int = 120, classes: int | None = 3, **options) -> diffusion.Diffusion:
    training.set_seed(0)
    model = diffusion.Diffusion(dense(classes), averaging=0.9, **options)
    model.compile(keras.optimizers.Adam(0.005), jit_compile=False)
    labels = LABELS if classes else None
    history = training.fit(model, IMAGES, labels, epochs=epochs, batch_size=32, progress=False).history["loss"]
    assert np.isfinite(history).all()
    model.history_of_losses = history
    return model


@pytest.fixture(scope="module")
def told():
    return trained()


@pytest.mark.parametrize("sampler", diffusion_samplers.SAMPLERS)
def test_it_learns_under_fit_to_draw_what_the_label_says(told, sampler):
    assert np.mean(told.history_of_losses[-10:]) < 0.6 * told.history_of_losses[0]
    labels = np.arange(60) % 3
    pictures = told.sample(60, seed=1, labels=labels, steps=25, sampler=sampler)
    assert pictures.shape == (60, 4, 4, 1) and pictures.dtype == np.float32
    training.check_range(pictures)
    greys = [pictures[labels == label].mean() for label in range(3)]
    np.testing.assert_allclose(greys, [0.25, 0.5, 0.75], atol=0.1)


def test_samples_are_the_same_for_the_same_seed_and_classes_take_turns(told):
    one, same, other = (told.sample(6, seed=seed, steps=4) for seed in (3, 3, 4))
    np.testing.assert_array_equal(one, same)
    assert np.abs(one - other).max() > 0
    np.testing.assert_allclose(told.sample(6, seed=3, labels=np.arange(6) % 3, steps=4), one, atol=1e-6)
    np.testing.assert_allclose(told.sample(300, seed=3, steps=4)[:6], one, atol=1e-5)  # more than one batch


def test_what_the_network_says_can_be_asked_for_step_by_step(told):
    """A sampler's steps by hand end at the picture that `sample` draws from the same noise."""
    labels, start = np.array([2, 0, 1]), sampling.latents(3, 16, seed=5).reshape(3, 4, 4, 1)
    predict, x = told.predictor(3, labels, guidance=1.5), start
    for time in (1.0, 0.5):
        x = diffusion_samplers.ddim(predict, x, time, time - 0.5, told.schedule, None)
    drawn = told.sample(3, seed=5, labels=labels, steps=2, sampler="ddim", guidance=1.5)
    np.testing.assert_allclose(diffusion.numbers_to_pixels(x), drawn, atol=1e-5)
    clean, noise = predict(start, 0.7)
    np.testing.assert_allclose(0.3 * clean + 0.7 * noise, start, atol=1e-5)


def test_guidance_goes_from_untold_by_way_of_told_beyond(told):
    """The darkest class: untold in the middle of all three, beyond told still darker."""
    greys = [told.sample(200, labels=0, steps=12, guidance=guidance).mean() for guidance in (0.0, 1.0, 2.0)]
    assert greys[0] > greys[1] + 0.05 and greys[1] > greys[2]
    nearly = told.sample(20, labels=0, steps=4, guidance=1e-6)
    np.testing.assert_allclose(told.sample(20, labels=2, steps=4, guidance=0), nearly, atol=1e-4)


@pytest.mark.parametrize("predicts", diffusion.PREDICTIONS)
def test_each_prediction_and_schedule_learns(predicts):
    schedule = "cosine" if predicts == "noise" else "linear"
    model = trained(80, None, predicts=predicts, schedule=schedule, times="uniform")
    greys = model.sample(300, steps=20).mean(axis=(1, 2, 3))
    assert 0.4 < greys.mean() < 0.6 and greys.std() > 0.1


def test_pictures_may_be_encoded_before_they_are_noised():
    model = diffusion.Diffusion(
        dense(None), encode=lambda images: 4 * images - 2, decode=lambda numbers: ops.clip((numbers + 2) / 4, 0, 1)
    )
    np.testing.assert_allclose(model(IMAGES[:2]), 4 * IMAGES[:2] - 2)
    training.check_range(model.sample(2, steps=1))


def test_the_average_follows_the_network():
    current, averaged = dense(None), dense(None)
    for weights in current.weights:
        weights.assign(ops.ones_like(weights))
    for weights in averaged.weights:
        weights.assign(ops.zeros_like(weights))
    averaging.average_weights(averaged, current, 1, 0.9)  # the first of few: 1 / 11 is kept
    np.testing.assert_allclose(averaged.weights[0], 10 / 11, atol=1e-6)
    averaging.average_weights(averaged, current, 1000, 0.9)
    np.testing.assert_allclose(averaged.weights[0], 1 - 0.9 / 11, atol=1e-6)
    averaging.average_weights(averaged, current, 1, 0.0)
    np.testing.assert_allclose(averaged.weights[0], 1)


def plain() -> diffusion.Diffusion:
    return diffusion.Diffusion(dense(None))


def fitted(model, labels):
    model.compile("adam")
    training.fit(eager(model), IMAGES, labels, epochs=1, batch_size=32, progress=False)


WRONG = {
    "schedule": (lambda: diffusion.Diffusion(dense(), schedule="square"), "schedule must be one of 'linear', 'cosine'"),
    "predicts": (lambda: diffusion.Diffusion(dense(), predicts="score"), "predicts must be one of"),
    "times": (lambda: diffusion.Diffusion(dense(), times="late"), "times must be one of"),
    "untold": (lambda: diffusion.Diffusion(dense(), untold=1.0), "untold must be from 0 to 1"),
    "averaging": (lambda: diffusion.Diffusion(dense(), averaging=-0.1), "averaging must be from 0 to 1"),
    "network": (lambda: diffusion.Diffusion(keras.Sequential([layers.Input((4,)), layers.Dense(4)])), "a network from"),
    "no steps": (lambda: plain().sample(2, steps=0), "steps must be a whole number, 1 or more, got 0"),
    "half a step": (lambda: plain().sample(2, steps=2.5), "steps must be a whole number"),
    "sampler": (lambda: plain().sample(2, sampler="rk45"), "sampler must be one of 'ancestral', 'ddim'"),
    "no pictures": (lambda: plain().sample(0), "expected 1 or more, got 0"),
    "labels for nobody": (lambda: plain().sample(2, labels=[0, 1]), "takes neither labels nor guidance"),
    "guidance for nobody": (lambda: plain().sample(2, guidance=2.0), "takes neither labels nor guidance"),
    "a label too high": (lambda: diffusion.Diffusion(dense()).sample(2, labels=[0, 3]), "labels must be from 0 to 2"),
    "a label too many": (lambda: diffusion.Diffusion(dense()).sample(2, labels=[0, 1, 2]), "2 integers"),
    "no labels to learn": (lambda: fitted(diffusion.Diffusion(dense()), None), "expects labels"),
    "labels to learn": (lambda: fitted(plain(), LABELS), "expects no labels"),
    "bytes": (lambda: training.fit(plain(), np.uint8(255 * IMAGES), epochs=1, batch_size=8), "look like bytes"),
    "first": (
        lambda: diffusion_samplers.run(None, CLEAN, diffusion.SCHEDULES["linear"], steps=1, first=0),
        "over 0 and up to 1",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_told(name):
    call, words = WRONG[name]
    with pytest.raises(ValueError, match=words):
        call()
