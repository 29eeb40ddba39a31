"""A record on paper: one training on a page, or several beside each other."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from course_utils import figures
from course_utils.gan_doctor.record import NEIGHBOURS, Record

_WORDS = {  # in a figure: the name of each curve and its colour
    "generator_loss": ("generator", figures.COLOURS[1]),
    "discriminator_loss": ("discriminator", figures.COLOURS[0]),
    "real_above_made": ("real above fake", figures.COLOURS[5]),
    "effective_classes": ("effective classes", figures.COLOURS[2]),
    "diversity": ("diversity", figures.COLOURS[3]),
    "training_distance": ("training distance", figures.COLOURS[4]),
}
_LOSSES = ("generator_loss", "discriminator_loss")
_SHARES = ("diversity", "training_distance")


def record_figure(record: Record) -> Figure:
    """One training on a page: four curves above, samples of three moments and nearest training pictures below."""
    figure = plt.figure(figsize=(12, 6.6))
    above, below = figure.subplots(2, 4, height_ratios=(1, 1.35))
    _draw(above[0], record, _LOSSES)
    _draw_real_above_made(above[1], record)
    _draw(above[2], record, ["effective_classes"], like_real=record.real_effective_classes)
    _draw(above[3], record, _SHARES, like_real=1)
    _set_limits(above[0], above[3])
    above[2].set_ylim(0, None)
    for one in (above[0], above[3]):
        one.legend(ncols=2, loc="upper center", bbox_to_anchor=(0.5, -0.25), handlelength=1.2, columnspacing=1)
    titles = ("losses", "share of real above fake", "effective classes", "as a share of real pictures")
    for one, title in zip(above, titles, strict=True):
        one.set(title=title, xlabel="step")
    for one, grid, look, when in zip(below, record.grids, record.moments, ("first", "middle", "last"), strict=False):
        figures.draw_image(one, figures.sheet(grid, 4), f"{when} look, step {look.step:,}")
    pairs = np.stack([record.grids[-1][:NEIGHBOURS], record.neighbours])  # sample over neighbour, two rows of each
    pairs = pairs.reshape(2, 2, -1, *pairs.shape[2:]).swapaxes(0, 1).reshape(-1, *pairs.shape[2:])
    figures.draw_image(below[3], figures.sheet(pairs, 4), "below each sample its nearest")
    below[2].set_xlabel(_repeated(record))
    below[3].set_xlabel("rows 2 and 4: training pictures")
    return figure


def panels_figure(records: Mapping[str, Record]) -> Figure:
    """Several trainings, one row each, on common scales: three plots of curves and eight samples at three moments."""
    figure = plt.figure(figsize=(12, 0.7 + 1.65 * len(records)))
    options = {"width_ratios": (1, 1, 1, 1.6), "sharex": "col", "sharey": "col", "squeeze": False}
    rows = figure.subplots(len(records), 4, **options)
    for row, (name, record) in zip(rows, records.items(), strict=True):
        _draw(row[0], record, _LOSSES)
        _draw_real_above_made(row[1], record)
        _draw(row[2], record, ("effective_classes", *_SHARES), like_real=1)
        figures.draw_image(row[3], figures.sheet(np.concatenate(record.grids[:, :8]), 8))
        row[3].set_xlabel(_repeated(record))
        row[0].set_ylabel(name)
    _set_limits(rows[0, 0], rows[0, 2])
    for one, title in zip(
        rows[0],
        ("losses", "share of real above fake", "as a share of real pictures", "samples: first, middle, last look"),
        strict=True,
    ):
        one.set_title(title)
    for one in rows[-1][:3]:
        one.set_xlabel("step")
    handles = [*rows[0, 0].lines, *rows[0, 2].lines[:3]]
    figure.legend(handles=handles, ncols=len(handles), loc="outside lower center")
    return figure


def _draw(axes, record: Record, names, like_real: float | None = None) -> None:
    """Curves by name over the steps; like_real: where real pictures would lie."""
    for name in names:
        values = record.curve(name)
        if name == "effective_classes" and like_real == 1:
            values = values / record.real_effective_classes
        words, colour = _WORDS[name]
        axes.plot(record.curve("step"), values, label=words, color=colour)
    if like_real is not None:
        axes.axhline(like_real, color=figures.COLOURS[6], linestyle=":", linewidth=1)


def _draw_real_above_made(axes, record: Record) -> None:
    _draw(axes, record, ["real_above_made"], like_real=0.5)
    axes.set_ylim(0, 1.05)


def _set_limits(losses, shares) -> None:
    """Once all is drawn: axes that rows share then show what all of them hold, and always the zero."""
    for axes, at_least in ((losses, 2), (shares, 1.2)):
        axes.margins(y=0)
        axes.autoscale(axis="y")
        lowest, highest = axes.get_ylim()
        leaping = max(-lowest, highest) > 30
        if leaping:  # even steps from -1 to 1, logarithmic beyond
            axes.set_yscale("symlog", linthresh=1)
            axes.set_yticks([-1000, -100, -10, -1, 0, 1, 10, 100, 1000])
            axes.yaxis.set_major_formatter("{x:g}")
            axes.yaxis.set_minor_locator(NullLocator())
        room = 2 if leaping else 1.05
        axes.set_ylim(room * min(0, lowest), room * max(at_least, highest))


def _repeated(record: Record) -> str:
    return f"same latents drawn twice differ by {record.looks[-1].repeat_difference:.2f}"
