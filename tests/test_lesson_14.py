"""The picture that opens lesson 14 was painted by the lesson's own functions."""

import json

import numpy as np
import pytest
from fixtures import scripts

from course_utils import data, paths

RECORDED = json.loads((paths.BENCHMARKS / "14_opening.json").read_text())


@pytest.fixture(scope="module")
def script():
    return scripts.load("14_opening")


def test_the_first_losses_of_the_recorded_run_come_out_again(script):
    np.testing.assert_allclose(script.first_losses(script.lesson()), RECORDED["first_losses"], rtol=1e-3)


def test_the_picture_is_of_the_recorded_size(script):
    picture = data.load_image(script.PICTURE)
    assert max(picture.shape) == RECORDED["sides"][-1] == script.SIDES[-1]
    assert list(script.STEPS) == RECORDED["steps"]


def test_shuffled_places_have_the_same_gram_matrix(script):
    gram = script.lesson()["gram"]
    maps = np.random.default_rng(0).random((1, 6, 5, 4), dtype=np.float32)
    shuffled = np.random.default_rng(1).permutation(maps.reshape(-1, 4)).reshape(maps.shape)
    np.testing.assert_allclose(gram(maps), gram(shuffled), rtol=1e-5)
