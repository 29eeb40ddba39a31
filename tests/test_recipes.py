"""The recipes: each gives data, numbers and a compiled generator that fit together."""

import argparse
import re

import keras
import numpy as np
import pytest
from fixtures.eager import eager

from course_utils import cli, paths, profiles, recipes, training

LENGTHS = ("epochs", "batch_size", "seed")


@pytest.fixture(params=recipes.RECIPES)
def recipe(request):
    return recipes.find(request.param)


def test_the_help_names_every_recipe():
    commands = next(action for action in cli._parser()._actions if isinstance(action, argparse._SubParsersAction))
    name = next(action for action in commands.choices["train"]._actions if action.dest == "name")
    assert set(recipes.RECIPES) <= set(re.findall(r"\w+_\w+", name.help))


def test_an_unknown_name_gets_the_list():
    with pytest.raises(KeyError, match=f"no recipe 'gan': choose from {', '.join(sorted(recipes.RECIPES))}"):
        recipes.find("gan")


def test_the_data_are_what_the_network_expects(recipe):
    images, labels = recipe.data()
    assert images.dtype == np.float32 and images.ndim == 4 and images.shape[-1] in (1, 3)
    assert labels is None or (labels.shape == images.shape[:1] and labels.dtype == np.int64)
    training.check_range(images)


def test_the_full_profile_trains_longer(recipe):
    lesson, full = recipe.numbers("lesson"), recipe.numbers("full")
    assert recipe.steps(full) > recipe.steps(lesson) > 0
    images, _ = recipe.data()
    length = recipe.length(lesson)
    assert recipe.steps(lesson) == length["epochs"] * (len(images) // length["batch_size"])


def test_the_lengths_are_those_of_the_lesson():
    numbers = profiles.lesson_08("lesson")
    assert recipes.find("gan_fashion").length(numbers) == {name: getattr(numbers, name) for name in LENGTHS}
    emoji = {"epochs": numbers.emoji_epochs, "batch_size": numbers.emoji_batch_size, "seed": numbers.seed}
    assert recipes.find("gan_emoji").length(numbers) == emoji


def test_each_recipe_trains_is_stored_and_resumed(recipe, tmp_path, monkeypatch):
    """Two short epochs, whole and in two parts, through the files that `course train` writes."""
    monkeypatch.setattr(paths, "RUNS", tmp_path)
    numbers = recipe.numbers("lesson")
    images, labels = recipe.data()
    length = recipe.length(numbers) | {"epochs": 2}
    images, labels = images[: length["batch_size"]], None if labels is None else labels[: length["batch_size"]]
    whole, halted, resumed = (eager(recipe.model(numbers)) for _ in range(3))
    for one, other in zip(whole.get_weights(), halted.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert whole.input_range == (0.0, 1.0)
    history = training.fit(whole, images, labels, progress=False, **length)
    assert int(whole.optimizer.iterations) == 2 and np.isfinite(history.history["loss"]).all()

    stop = keras.callbacks.LambdaCallback(on_epoch_begin=_interrupt_the_second)
    with pytest.raises(KeyboardInterrupt):
        training.fit(halted, images, labels, progress=False, resume="halted", callbacks=[stop], **length)
    training.fit(resumed, images, labels, progress=False, resume="halted", **length)
    for one, other in zip(whole.weights, resumed.weights, strict=True):
        np.testing.assert_allclose(np.array(one), np.array(other), rtol=1e-4, atol=1e-5, err_msg=one.path)

    samples = whole.sample(4, seed=1)
    assert samples.shape == (4, *images.shape[1:]) and samples.dtype == np.float32
    training.check_range(samples)
    np.testing.assert_array_equal(samples, whole.sample(4, seed=1))
    stored = tmp_path / "stored.weights.h5"
    training.save_weights(whole, stored, dtype="float16")
    training.load_weights(halted, stored)
    np.testing.assert_allclose(halted.sample(4, seed=1), samples, atol=0.02)


def test_each_full_recipe_trains_for_two_steps(recipe):
    """What ships was trained so: its networks are built, take its data, and move."""
    numbers = recipe.numbers("full")
    images, labels = recipe.data()
    length = recipe.length(numbers) | {"epochs": 1}
    images, labels = (array if array is None else array[: 2 * length["batch_size"]] for array in (images, labels))
    model = eager(recipe.model(numbers))
    kernels = [weights for weights in model.trainable_variables if len(weights.shape) > 1]
    before = [keras.ops.convert_to_numpy(kernel).copy() for kernel in kernels]
    history = training.fit(model, images, labels, progress=False, **length)
    assert int(model.optimizer.iterations) == 2 and np.isfinite(history.history["loss"]).all()
    for kernel, old in zip(kernels, before, strict=True):
        assert np.abs(keras.ops.convert_to_numpy(kernel) - old).max() > 0, kernel.path


def _interrupt_the_second(epoch, logs=None):
    if epoch == 1:
        raise KeyboardInterrupt
