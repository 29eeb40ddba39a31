"""The map of a loss and its panel, driven without a browser."""

import io

import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image

from course_utils import figures, landscape

BOUNDS = (-2, 2, -1, 1)


def bowl(weights):
    return np.sum(np.asarray(weights) ** 2, axis=-1)


def walk(rate, steps):
    return np.array([[1.5, 0.5]]) * (1 - 2 * rate) ** np.arange(steps + 1)[:, None]


def drawn(paths) -> np.ndarray:
    figure, axes = plt.subplots(figsize=(3, 3))
    landscape.draw(axes, bowl, BOUNDS, paths)
    return np.asarray(figures.render(figure, 50)).astype(int)


def test_the_map_is_darkest_where_the_loss_is_lowest():
    figure, axes = plt.subplots(figsize=(4, 4))
    landscape.draw(axes, bowl, BOUNDS)
    (filled,) = (one for one in axes.collections if one.get_array().size == len(one.levels) - 1 and one.filled)
    colours = filled.to_rgba(np.array([bowl([0, 0]) + 0.02, bowl([1.9, 0.9])]))
    assert colours[0, :3].sum() < colours[1, :3].sum()
    assert axes.get_xlim() == (-2, 2) and axes.get_ylim() == (-1, 1)
    plt.close(figure)


def test_paths_are_drawn_with_a_legend_where_there_are_several():
    figure, axes = plt.subplots()
    landscape.draw(axes, bowl, BOUNDS, {"slow": walk(0.1, 5), "fast": walk(0.4, 5)})
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["slow", "fast"]
    assert np.array_equal(axes.lines[0].get_xydata(), walk(0.1, 5))
    plt.close(figure)


def test_a_path_that_leaves_the_numbers_is_cut_off():
    far = np.array([[1, 1], [-1, 0.5], [1e30, 0], [np.inf, 0], [np.nan, 0], [0.0, 0]])
    assert np.array_equal(drawn({"far": far}), drawn({"far": far[:2]}))


def test_a_path_of_another_shape_is_told():
    with pytest.raises(ValueError, match=r"'odd' should be weights .* got \(3,\)"):
        drawn({"odd": np.ones(3)})


def test_the_panel_follows_its_sliders():
    panel = landscape.explore(bowl, walk, BOUNDS, rate=0.1)
    (rate, steps), message, image = panel.children[0].children, panel.children[1], panel.children[2]
    assert isinstance(rate, ipywidgets.FloatLogSlider) and isinstance(steps, ipywidgets.IntSlider)
    before = image.value
    assert Image.open(io.BytesIO(before)).width > 300
    expected = bowl(walk(0.1, 20)[-1])
    assert message.value == f"loss at the start 2.5, at the end {expected:.4g}"
    steps.value = 3
    assert image.value != before and f"{bowl(walk(0.1, 3)[-1]):.4g}" in message.value
    rate.value = 1.0  # too large: it jumps from side to side, and nothing is raised
    assert "at the end 2.5" in message.value


def test_the_panel_survives_a_rate_that_explodes():
    panel = landscape.explore(bowl, lambda rate, steps: walk(1e200, steps), BOUNDS)
    assert "at the end inf" in panel.children[1].value
