"""What lesson 11 shows in the open is what the package and the scripts of its recorded runs use."""

import numpy as np
import pytest
from fixtures import scripts
from keras import ops

from course_utils.cli import lessons
from course_utils.models import super_resolution


def shown() -> dict:
    return scripts.load("recording").lesson_code("11", "ways")


@pytest.fixture
def pictures():
    return np.random.default_rng(0).random((2, 24, 32, 1), dtype=np.float32)


def test_the_four_ways_of_shrinking_are_those_of_the_recorded_runs(pictures):
    ours, recorded = shown()["ways"], scripts.load("11_enlargers").WAYS
    assert list(ours) == list(recorded)
    for way in ours:
        small = [ops.convert_to_numpy(ways[way](pictures)) for ways in (ours, recorded)]
        assert small[0].shape == (2, 12, 16, 1)
        np.testing.assert_array_equal(*small)


def test_the_first_network_is_the_packages(pictures):
    ours, packaged = shown()["first_network"](2), super_resolution.srcnn(2, 1)
    ours.set_weights([weights + 0.01 for weights in packaged.get_weights()])
    packaged.set_weights(ours.get_weights())
    np.testing.assert_allclose(ours(pictures), packaged(pictures), rtol=1e-4)


def test_the_perceptual_term_is_that_of_the_recorded_losses(pictures):
    recorded, moved = scripts.load("11_losses"), np.roll(pictures, 1, axis=2)
    ours = shown()["perceptual_term"](recorded.eyes(), pictures, moved)
    np.testing.assert_allclose(ours, recorded.perceptual_term(pictures, moved), rtol=1e-6)


def test_the_crops_of_the_recorded_losses_are_those_that_the_lesson_shows_beside_them():
    text = lessons.find_lesson("11").text
    for name, (top, left) in scripts.load("11_losses").CROPS.items():
        assert f'"{name}": ({top}, {left})' in text
