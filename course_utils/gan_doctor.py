"""The GAN doctor (lesson 08): looks at a GAN while it trains, draws what it saw, and keeps it to be read later.

A loss alone cannot tell a healthy game from an ill one, since the opponent changes as well. So each look takes samples
and asks of them and of both networks what `Look` lists. It sits at the right end of the house: it measures and draws.
"""

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import ipywidgets
import keras
import matplotlib.pyplot as plt
import numpy as np
from IPython import get_ipython
from IPython.display import display
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator
from PIL import Image
from sklearn.metrics import roc_auc_score

from course_utils import figures, metrics
from course_utils.models import generator as generators

SHOWN = 16  # samples that are kept at each look, always of the same latent numbers
NEIGHBOURS = 8  # of them are kept with their nearest training pictures
_COMPARED = 64  # samples that are searched for among the training pictures
_GREYS = 15  # steps from black to white in a stored sheet, which then takes four bits a pixel


class Look(NamedTuple):
    """The numbers of one look at a GAN."""

    step: int  # training steps done
    generator_loss: float  # mean over the steps since the look before
    discriminator_loss: float
    real_above_made: float  # how often the discriminator scores an unseen real picture above a made one, in [0, 1]
    effective_classes: float  # of the samples, see `metrics.effective_classes`; NaN where no classifier fits
    diversity: float  # mean distance of two samples, as a share of that of two real pictures
    training_distance: float  # median distance to the nearest training picture, as a share of unseen pictures'
    repeat_difference: float  # mean difference per pixel of samples of the same latent numbers, drawn twice


@dataclass(frozen=True)
class Record:
    """What the doctor saw of one training."""

    looks: tuple[Look, ...]
    grids: np.ndarray  # samples of the first, middle and last look: uint8 (3, SHOWN, h, w, c)
    neighbours: np.ndarray  # training pictures nearest to the first of the last samples: uint8 (NEIGHBOURS, h, w, c)
    real_effective_classes: float  # of as many real pictures as there were samples

    @property
    def moments(self) -> tuple[Look, Look, Look]:
        """The looks that `grids` were taken at."""
        return self.looks[0], self.looks[len(self.looks) // 2], self.looks[-1]

    def curve(self, name: str) -> np.ndarray:
        """A number of Look at each of the looks, float64 (looks,)."""
        return np.array([getattr(look, name) for look in self.looks], float)

    def numbers(self) -> dict:
        """All but the pictures, rounded, fit for JSON: one list for each number of Look."""
        columns = {name: [float(f"{number:.4g}") for number in self.curve(name)] for name in Look._fields}
        columns["step"] = [look.step for look in self.looks]
        return {"real_effective_classes": round(self.real_effective_classes, 3), "looks": columns}

    def save_pictures(self, path: Path) -> None:
        """Write the pictures as one PNG of sixteen grey levels: two rows a grid and one of neighbours. Grey only."""
        sheet = figures.sheet(np.concatenate([*self.grids, self.neighbours]), NEIGHBOURS)
        picture = Image.fromarray(np.rint(sheet[..., 0] / 255 * _GREYS).astype(np.uint8), mode="P")
        picture.putpalette(np.repeat(np.rint(np.arange(_GREYS + 1) * 255 / _GREYS), 3).astype(np.uint8).tobytes())
        picture.save(path, optimize=True, bits=4)


def read_records(path: Path) -> dict[str, Record]:
    """Recorded runs, by name: numbers under "runs" of a JSON file, pictures in <stem>_<name>.png beside it."""
    runs = json.loads(path.read_text())["runs"]
    return {name: _read(run, path.with_name(f"{path.stem}_{name}.png")) for name, run in runs.items()}


def _read(run: dict, sheet: Path) -> Record:
    columns = run["looks"]
    looks = tuple(Look(*row) for row in zip(*(columns[name] for name in Look._fields), strict=True))
    pixels = np.asarray(Image.open(sheet).convert("L"))
    side = pixels.shape[1] // NEIGHBOURS
    pictures = pixels.reshape(-1, side, NEIGHBOURS, side).swapaxes(1, 2).reshape(-1, side, side, 1)
    grids = pictures[:-NEIGHBOURS].reshape(3, SHOWN, side, side, 1)
    return Record(looks, grids, pictures[-NEIGHBOURS:], run["real_effective_classes"])


# --------------------------------------------------------------------------------------------------- callback


class GanDoctor(keras.callbacks.Callback):
    """Looks at a `models.gan.Gan` after its first step, after every `every` steps and at the end of training.

    training_images: what it trains on, to search for copies: float32 (n, h, w, c) in [0, 1].
    unseen_images: other real pictures, to compare with: `count` or more.
    count: samples for the numbers of a look; few, so that a look takes about a second.
    seed: of the latent numbers, the same at all looks, which are not taken from the stream that training draws from.

    In a notebook a picture of all looks so far is redrawn at each of them; `show` then leaves a figure in its place.
    In a terminal it keeps silent. `record` holds what it saw.

    The discriminator is asked for the order of its scores, not for a right side of zero: a relativistic or Wasserstein
    loss sees differences of scores only, so that zero has no meaning to it. The answer is the area under the ROC
    curve: 1/2 where real and made pictures are told apart no better than by a coin, 1 where always.
    It plays against `model.generator`, whose pictures are judged there; the other numbers are of `model.sample`.

    Raises ValueError for `every` under 1, and for fewer unseen_images than `count` or a `count` under 64.
    """

    def __init__(self, training_images, unseen_images, *, every: int = 100, count: int = 250, seed: int = 0):
        super().__init__()
        if every < 1:
            raise ValueError(f"every is the number of steps between two looks, expected 1 or more, got {every}")
        if not _COMPARED <= count <= len(unseen_images):
            raise ValueError(
                f"count must be from {_COMPARED} to {len(unseen_images)}, the number of unseen_images, got {count}"
            )
        self.every, self.count, self.seed = every, count, seed
        self.training_images, self.unseen_images = training_images, unseen_images[:count]
        self.judge = metrics.Judge(self.unseen_images, training_images[:count])
        self.unseen_distance = self._distance(self.unseen_images[:_COMPARED])[0]
        self.live = None

    def on_train_begin(self, logs=None):
        self.step, self.looks, self.pictures = 0, [], []
        self.since_look = []  # (generator loss, discriminator loss) of each step since the last look
        if hasattr(get_ipython(), "kernel"):
            self.live = _display_picture("GAN doctor")

    def on_epoch_begin(self, epoch, logs=None):
        self.step_in_epoch, self.totals = 0, np.zeros(2)

    def on_train_batch_end(self, batch, logs=None):
        # Keras reports means since the start of the epoch: their totals tell what the last steps have added.
        steps = batch + 1 - self.step_in_epoch
        totals = (batch + 1) * np.array([logs["generator_loss"], logs["discriminator_loss"]], float)
        self.since_look += [(totals - self.totals) / steps] * steps
        self.step_in_epoch, self.totals = batch + 1, totals
        before, self.step = self.step, self.step + steps
        if before == 0 or before // self.every < self.step // self.every:
            self._look()

    def on_train_end(self, logs=None):
        if self.since_look:
            self._look()

    def _look(self):
        samples = self.model.sample(self.count, seed=self.seed)
        if not np.isfinite(samples).all():
            return  # training stops at the next loss and says why
        scores = self.judge(
            samples, [name for name in ("effective_classes", "diversity") if name in self.judge.metrics]
        )
        distance, nearest = self._distance(samples[:_COMPARED])
        again = self.model.sample(SHOWN, seed=self.seed)
        look = Look(
            self.step,
            *map(float, np.mean(self.since_look, axis=0)),
            self._real_above_made(),
            scores["effective_classes"].value if "effective_classes" in scores else float("nan"),
            scores["diversity"].value,
            distance / self.unseen_distance,
            float(np.abs(samples[:SHOWN] - again).mean()),
        )
        self.real_effective_classes = (
            scores["effective_classes"].floor if "effective_classes" in scores else float("nan")
        )
        self.looks.append(look)
        self.pictures.append(_bytes(samples[:SHOWN]))
        self.nearest, self.since_look = nearest[:NEIGHBOURS], []
        if self.live is not None:
            self.live.value = _png(panels_figure({"": self.record}))

    def _distance(self, images) -> tuple[float, np.ndarray]:
        """The median distance of pictures to their nearest training picture, and the indices of these."""
        distances, indices = metrics.nearest_neighbours(images, self.training_images)
        return float(np.median(distances)), indices

    def _real_above_made(self) -> float:
        """The area under the ROC curve of the discriminator's scores, without augmentation or dropout."""
        latents = generators.latents(self.count, self.model.latent_size, self.seed)
        made = generators.in_batches(lambda batch: self.model.generator(batch, training=False), latents)
        scores = [
            generators.in_batches(lambda batch: self.model.discriminator(batch, training=False), pictures)
            for pictures in (self.unseen_images, made)
        ]
        return float(roc_auc_score(np.repeat([1, 0], self.count), np.concatenate(scores)[:, 0]))

    @property
    def record(self) -> Record:
        """What was seen so far. Raises ValueError before the first look."""
        if not getattr(self, "looks", None):
            raise ValueError("the doctor has not looked yet: give it to training.fit(..., callbacks=[doctor])")
        grids = np.stack([self.pictures[index] for index in (0, len(self.looks) // 2, -1)])
        neighbours = _bytes(self.training_images[self.nearest])
        return Record(tuple(self.looks), grids, neighbours, self.real_effective_classes)

    def show(self, alt: str) -> None:
        """Put a figure of the whole training in place of the live one. alt: as in `figures.show`."""
        figures.show(record_figure(self.record), alt)
        if self.live is not None:
            self.live.close()
            self.live = None


def _bytes(pictures: np.ndarray) -> np.ndarray:
    return np.rint(np.clip(pictures, 0, 1) * 255).astype(np.uint8)


def _display_picture(text: str) -> ipywidgets.Image:
    """An empty picture in the output of the running cell; in a stored notebook the fixed text, so that runs compare."""
    picture = ipywidgets.Image(value=_png(Figure((1, 0.1))), layout={"max_width": "100%"})
    view = {"model_id": picture.model_id, "version_major": 2, "version_minor": 0}
    display({"text/plain": text, "application/vnd.jupyter.widget-view+json": view}, raw=True)
    return picture


def _png(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=80)
    plt.close(figure)
    return buffer.getvalue()


# ---------------------------------------------------------------------------------------------------- figures


_WORDS = {  # in a figure: the name of each curve and its colour
    "generator_loss": ("generator", figures.COLOURS[1]),
    "discriminator_loss": ("discriminator", figures.COLOURS[0]),
    "real_above_made": ("real above made", figures.COLOURS[5]),
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
    titles = ("losses", "share of real above made", "effective classes", "as a share of real pictures")
    for one, title in zip(above, titles, strict=True):
        one.set(title=title, xlabel="step")
    for one, grid, look, when in zip(below, record.grids, record.moments, ("first", "middle", "last"), strict=False):
        figures.draw_image(one, figures.sheet(grid, 4) / 255, f"{when} look, step {look.step:,}")
    pairs = np.stack([record.grids[-1][:NEIGHBOURS], record.neighbours])  # sample over neighbour, two rows of each
    pairs = pairs.reshape(2, 2, -1, *pairs.shape[2:]).swapaxes(0, 1).reshape(-1, *pairs.shape[2:])
    figures.draw_image(below[3], figures.sheet(pairs, 4) / 255, "below each sample its nearest")
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
        figures.draw_image(row[3], figures.sheet(record.grids[:, :8].reshape(-1, *record.grids.shape[2:]), 8) / 255)
        row[3].set_xlabel(_repeated(record))
        row[0].set_ylabel(name)
    _set_limits(rows[0, 0], rows[0, 2])
    for one, title in zip(
        rows[0],
        ("losses", "share of real above made", "as a share of real pictures", "samples: first, middle, last look"),
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
