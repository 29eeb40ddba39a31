"""What the GAN doctor saw, in memory and in files."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from course_utils.image_files import as_image, load_image, sheet, tiles

SHOWN = 16  # samples that are kept at each look, always of the same latent numbers
NEIGHBOURS = 8  # of them are kept with their nearest training pictures


class Look(NamedTuple):
    """The numbers of one look at a GAN."""

    step: int  # training steps done
    generator_loss: float  # mean over the steps since the look before
    discriminator_loss: float
    real_above_made: float  # how often the discriminator scores an unseen real picture above a fake, in [0, 1]
    effective_classes: float  # of the samples, see `metrics.effective_classes`; NaN where no classifier fits
    diversity: float  # mean distance of two samples, as a share of that of two real pictures
    training_distance: float  # median distance to the nearest training picture, as a share of unseen pictures'
    repeat_difference: float  # mean difference per pixel of samples of the same latent numbers, drawn twice


@dataclass(frozen=True)
class Record:
    """What the doctor saw of one training. Pictures are float32 in [0, 1]; those read from a file are RGB."""

    looks: tuple[Look, ...]
    grids: np.ndarray  # samples of the first, middle and last look: (3, SHOWN, h, w, c)
    neighbours: np.ndarray  # training pictures nearest to the first of the last samples: (NEIGHBOURS, h, w, c)
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
        """Write the pictures, which are square, as one PNG: two rows a grid and one of neighbours."""
        as_image(sheet(np.concatenate([*self.grids, self.neighbours]), NEIGHBOURS)).save(path)


def read_records(path: Path) -> dict[str, Record]:
    """Recorded runs, by name: numbers under "runs" of a JSON file, pictures in <stem>_<name>.png beside it."""
    runs = json.loads(path.read_text())["runs"]
    return {name: _read(run, path.with_name(f"{path.stem}_{name}.png")) for name, run in runs.items()}


def _read(run: dict, pictures: Path) -> Record:
    columns = run["looks"]
    looks = tuple(Look(*row) for row in zip(*(columns[name] for name in Look._fields), strict=True))
    page = load_image(pictures)
    *samples, neighbours = np.split(tiles(page, page.shape[1] // NEIGHBOURS), [SHOWN, 2 * SHOWN, 3 * SHOWN])
    return Record(looks, np.stack(samples), neighbours, run["real_effective_classes"])
