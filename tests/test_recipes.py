"""The recipes: the parts of each fit together, and what ships comes from them."""

import importlib
import json
import re
import subprocess
import sys
from dataclasses import FrozenInstanceError, asdict, is_dataclass, replace
from functools import cache

import keras
import numpy as np
import pytest
from fixtures import course_with_tiny
from fixtures.eager import eager

from course_utils import cli, data, models, paths, recipes, training


@pytest.fixture(scope="module", params=recipes.names())  # one recipe after the other, and its data once in memory
def recipe(request):
    found = recipes.find(request.param)
    return replace(found, data=cache(found.data))  # some take seconds, and each of its models asks for them


def test_the_help_names_every_recipe(capsys):
    with pytest.raises(SystemExit):
        cli.main(["train", "--help"])
    assert set(recipes.names()) <= set(re.findall(r"\w+", capsys.readouterr().out))


def test_an_unknown_name_gets_the_list():
    with pytest.raises(KeyError, match=f"no recipe 'gan': choose from {', '.join(sorted(recipes.names()))}"):
        recipes.find("gan")


def test_a_new_file_is_found_by_its_name_alone(monkeypatch):
    """`course train`, which test_train_command.py tries with it, and the rest know no list."""
    monkeypatch.setattr(recipes, "__path__", [*recipes.__path__, course_with_tiny.RECIPES])
    assert "tiny" in recipes.names()
    assert recipes.find("tiny").summary == "The mean of noisy pictures"


def test_names_come_without_keras():
    code = "import sys; from course_utils import recipes; recipes.names(); print('keras' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=paths.ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_the_numbers_are_those_of_the_profile_and_cannot_be_changed_by_accident(recipe, monkeypatch):
    monkeypatch.delenv("COURSE_PROFILE", raising=False)
    assert recipe.numbers() is recipe.numbers("lesson") is recipe.numbers("smoke") is recipe.LESSON
    monkeypatch.setenv("COURSE_PROFILE", "full")
    assert recipe.numbers() is recipe.FULL
    assert is_dataclass(recipe.LESSON) and type(recipe.LESSON) is type(recipe.FULL)
    with pytest.raises(FrozenInstanceError):
        recipe.LESSON.epochs = 1
    with pytest.raises(ValueError, match="profile must be one of 'smoke', 'lesson', 'full', got 'large'"):
        recipe.numbers("large")


def test_the_data_are_what_the_network_expects(recipe):
    images, labels, validation = recipe.data()
    assert images.dtype == np.float32 and images.ndim == 4 and images.shape[-1] in (1, 3)
    training.check_range(images)
    assert labels is None or len(labels) == len(images)
    if validation is not None:
        if recipe.protocols:  # of a restorer: (degraded, clean)
            assert len(validation) == 2
            held_out = validation[1]
        else:
            assert len(validation) == (1 if labels is None else 2)
            held_out = validation[0]
        assert held_out.shape[1:] == images.shape[1:]
        known = {hash(image.tobytes()) for image in images}
        assert np.mean([hash(image.tobytes()) in known for image in held_out]) < 0.01


def test_the_full_profile_trains_longer(recipe):
    lesson, full = recipe.LESSON, recipe.FULL
    assert recipe.steps(full) > recipe.steps(lesson) > 0
    assert recipe.steps(lesson) == lesson.epochs * (len(recipe.data().images) // lesson.batch_size)
    assert recipe.length(full) == {"epochs": full.epochs, "batch_size": full.batch_size, "seed": full.seed}


def test_what_ships_was_trained_with_the_numbers_of_its_recipe_and_found_again_by_name(recipe):
    record = json.loads((paths.WEIGHTS / f"{recipe.name}.json").read_text())
    assert record["numbers"] == json.loads(json.dumps(asdict(recipe.FULL)))
    assert record["model"] == recipe.name and record["profile"] == "full" and record["finished"]
    assert record["epochs"] == recipe.FULL.epochs == len(record["history"])
    assert record["steps"] == recipe.steps(recipe.FULL) and record["scores"]
    assert models.load(recipe.name).count_params() == recipe.build(recipe.FULL).count_params()


def test_the_preview_is_a_picture_of_more_than_one_shade(recipe):
    picture = recipe.preview(eager(recipe.model(recipe.LESSON)))
    assert picture.ndim == 3 and picture.shape[2] in (1, 3) and min(picture.shape[:2]) >= 100
    training.check_range(picture)
    assert picture.std() > 0.001


def test_the_rows_of_the_classifiers_preview_are_what_it_names(monkeypatch):
    """Of the shipped network, 951 of 1,000 are right: a row holds ten pictures of one class, but for some strangers."""
    parts = importlib.import_module("course_utils.recipes.fashion_mnist_classifier")
    model = models.load("fashion_mnist_classifier")
    picture = parts.preview(model)
    tiles = picture.reshape(10, 28, 10, 28, 1).swapaxes(1, 2)
    for label, row in enumerate(tiles):
        assert (model.predict(row, verbose=0).argmax(axis=1) == label).all()


def test_the_discriminator_of_emoji_sees_them_moved_on_a_white_background():
    recipe = recipes.find("gan_emoji")
    images, augmentation = recipe.data().images[:64], recipe.build(recipe.LESSON).augmentation
    moved = keras.ops.convert_to_numpy(augmentation(images, training=True))
    assert np.abs(moved - images).max() > 0.5
    np.testing.assert_array_equal(augmentation(np.ones_like(images), training=True), 1)


def test_diffusion_of_emoji_sees_no_flag_and_no_symbol_in_a_mirror():
    images, families, _ = recipes.find("diffusion_emoji").data()
    given, drawn_by = data.emoji_pictures("train")
    places = {image.tobytes(): place for place, image in enumerate(given)}
    mirrored = [places[image[:, ::-1].tobytes()] for image in images[len(given) :]]  # none is there twice
    emoji = data.emoji("noto")
    categories = [category for index, category in enumerate(emoji.categories) if index % 10 != 9 for _ in range(2)]
    assert {categories[place] for place in mirrored} == set(categories) - {"Flags", "Symbols"}
    np.testing.assert_array_equal(families, np.concatenate([drawn_by, drawn_by[mirrored]]))


def test_any_style_is_judged_by_paintings_that_it_learned_and_by_others():
    parts = importlib.import_module("course_utils.recipes.style_adain")
    assert not set(parts.HELD_OUT) & set(parts.LEARNED) and set(parts.HELD_OUT) < set(parts.JUDGED)
    assert set(parts.JUDGED) <= {*parts.HELD_OUT, *parts.LEARNED} == set(data.painting_names())
    pictures = len(parts.LEARNED) + len(data.photograph_names("train", "texture"))
    assert parts.styles().shape == (6 * parts.CROPS * pictures, 2, 448)


def test_each_recipe_trains_is_stored_and_resumed(recipe, tmp_path, monkeypatch):
    """Two epochs of one small batch, whole and in two parts, through the files that `course train` writes."""
    monkeypatch.setattr(paths, "RUNS", tmp_path)
    numbers = recipe.LESSON
    images, labels, _ = recipe.data()
    length = recipe.length(numbers) | {"epochs": 2, "batch_size": 4}
    images, labels = images[:4], None if labels is None else labels[:4]
    whole, halted, resumed = (eager(recipe.model(numbers)) for _ in range(3))
    for one, other in zip(whole.get_weights(), halted.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    history = training.fit(whole, images, labels, progress=False, **length)
    assert int(whole.optimizer.iterations) == 2 and np.isfinite(history.history["loss"]).all()

    stop = keras.callbacks.LambdaCallback(on_epoch_begin=_interrupt_the_second)
    with pytest.raises(KeyboardInterrupt):
        training.fit(halted, images, labels, progress=False, resume="halted", callbacks=[stop], **length)
    training.fit(resumed, images, labels, progress=False, resume="halted", **length)
    for one, other in zip(whole.weights, resumed.weights, strict=True):
        np.testing.assert_allclose(np.array(one), np.array(other), rtol=1e-4, atol=1e-5, err_msg=one.path)

    stored = tmp_path / "stored.weights.h5"
    training.save_weights(whole, stored, dtype="float16")
    training.load_weights(halted, stored)
    for one, other in zip(whole.get_weights(), halted.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-6)


def test_samples_have_the_shape_of_the_data_and_are_the_same_for_the_same_seed(recipe):
    model = recipe.build(recipe.LESSON)
    if not hasattr(model, "sample"):
        pytest.skip("not a generator")
    samples = model.sample(4, seed=1)
    assert samples.shape == (4, *recipe.data().images.shape[1:]) and samples.dtype == np.float32
    training.check_range(samples)
    np.testing.assert_array_equal(samples, model.sample(4, seed=1))
    assert np.abs(samples - model.sample(4, seed=2)).max() > 0 and model.input_range == (0.0, 1.0)


def test_each_full_recipe_trains_for_two_steps(recipe):
    """What ships was trained so: its networks are built, take its data, and move."""
    numbers = recipe.FULL
    images, labels, _ = recipe.data()
    length = recipe.length(numbers) | {"epochs": 1}
    images, labels = (array if array is None else array[: 2 * length["batch_size"]] for array in (images, labels))
    model = eager(recipe.model(numbers))
    kernels = [weights for weights in model.trainable_variables if len(weights.shape) > 1]
    before = [keras.ops.convert_to_numpy(kernel).copy() for kernel in kernels]
    history = training.fit(model, images, labels, progress=False, **length)
    assert int(model.optimizer.iterations) == 2 and np.isfinite(history.history["loss"]).all()
    if not before[-1].any():  # the last kernel of restorers and of diffusion starts at zero, and the others wait for it
        kernels, before = kernels[-1:], before[-1:]
    for kernel, old in zip(kernels, before, strict=True):
        assert np.abs(keras.ops.convert_to_numpy(kernel) - old).max() > 0, kernel.path


def test_each_recipe_trains_and_is_validated_in_half_precision(recipe, half_precision):
    """As `course train NAME --mixed-precision` has it: spectra and losses keep to single precision."""
    warm_up = {"warm_up": 0} if hasattr(recipe.LESSON, "warm_up") else {}  # the whole loss from the first step on
    images, labels, validation = recipe.data()
    images, labels = images[:4], None if labels is None else labels[:4]
    validation = validation and tuple(part[:4] for part in validation)
    model = eager(recipe.model(replace(recipe.LESSON, **warm_up)))
    options = {"epochs": 1, "batch_size": 4, "progress": False}
    history = training.fit(model, images, labels, validation_data=validation, **options)
    assert all(np.isfinite(values).all() for values in history.history.values())


def _interrupt_the_second(epoch, logs=None):
    if epoch == 1:
        raise KeyboardInterrupt
