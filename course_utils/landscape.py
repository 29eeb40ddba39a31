"""A loss of two weights as a map, the paths that lead down it, and a panel to try learning rates on."""

from collections.abc import Callable, Mapping, Sequence

import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import LogNorm

from course_utils import figures
from course_utils.image_files import encoded

_FINE = 81  # points along a side of the map
_LEVELS = 14
_FAR = 1e6  # a path that has left the map by so much is cut off there


def draw(
    axes,
    loss: Callable[[np.ndarray], np.ndarray],
    bounds: Sequence[float],
    paths: Mapping[str, np.ndarray] | None = None,
    title: str = "",
) -> None:
    """Draw the map of a loss, dark where it is low, with contours whose losses are a fixed factor apart.

    loss: weights (..., 2) -> losses (...). bounds: (left, right, bottom, top), of weight 0 and of weight 1.
    paths: name -> weights (steps + 1, 2), each drawn from its start (a ring) to its end; a legend names them where
    there are several. What leaves the map is not drawn.
    Raises ValueError for a path of another shape.
    """
    left, right, bottom, top = bounds
    grid = np.stack(np.meshgrid(np.linspace(left, right, _FINE), np.linspace(bottom, top, _FINE)), axis=-1)
    height = np.asarray(loss(grid))
    height = height - height.min() + 0.003 * np.ptp(height)  # the lowest point is not minus infinity
    levels = np.geomspace(height.min(), height.max(), _LEVELS)
    axes.contourf(*np.moveaxis(grid, -1, 0), height, levels, cmap="Blues_r", norm=LogNorm(), alpha=0.75)
    axes.contour(*np.moveaxis(grid, -1, 0), height, levels, colors="white", linewidths=0.7)
    for (name, path), colour in zip((paths or {}).items(), figures.COLOURS[4:5] + figures.COLOURS[1:4], strict=False):
        path = np.asarray(path, float)
        if path.ndim != 2 or path.shape[1] != 2:
            raise ValueError(f"the path {name!r} should be weights (steps + 1, 2), got {path.shape}")
        seen = path[np.cumsum(~(np.abs(path).max(axis=1) < _FAR)) == 0]
        axes.plot(*seen.T, ".-", color=colour, linewidth=1.4, markersize=5, label=name)
        axes.plot(*path[0], "o", color="black", fillstyle="none", markersize=9, markeredgewidth=1.5)
    if paths and len(paths) > 1:
        axes.legend(loc="upper right", frameon=True, framealpha=0.9, fontsize=8)
    axes.set(xlim=(left, right), ylim=(bottom, top), xlabel="weight 0", ylabel="weight 1", title=title)


def explore(
    loss: Callable[[np.ndarray], np.ndarray],
    walk: Callable[[float, int], np.ndarray],
    bounds: Sequence[float],
    *,
    rate: float = 0.1,
    most_steps: int = 60,
) -> ipywidgets.Widget:
    """Choose a learning rate and a number of steps, and see the path and the loss it ends at.

    loss, bounds: as `draw` takes them. walk: (learning rate, steps) -> path (steps + 1, 2).
    rate: where the slider starts; it goes from a hundredth of it to ten times as much.
    """
    whole_words = {"description_width": "initial"}
    rates = ipywidgets.FloatLogSlider(
        rate, min=np.log10(rate) - 2, max=np.log10(rate) + 1, step=0.05, description="learning rate", style=whole_words
    )
    steps = ipywidgets.IntSlider(20, min=1, max=most_steps, description="steps", style=whole_words)
    message = ipywidgets.Label()
    # Aligned, it keeps the size it was drawn at; a box would stretch it over the page.
    image = ipywidgets.Image(format="png", layout={"max_width": "100%", "align_self": "flex-start"})

    def redraw(_=None):
        with np.errstate(all="ignore"):  # a rate that is too large overflows: that is to be seen
            path = walk(rates.value, steps.value)
            end = float(loss(path[-1]))
        figure, axes = plt.subplots(figsize=(5.2, 4.2))
        draw(axes, loss, bounds, {"path": path})
        image.value = encoded(figures.render(figure, 96), "PNG")
        message.value = f"loss at the start {float(loss(path[0])):.4g}, at the end {end:.4g}"

    for control in (rates, steps):
        control.observe(redraw, "value")
    redraw()
    return ipywidgets.VBox([ipywidgets.HBox([rates, steps]), message, image])
