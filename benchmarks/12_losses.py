"""Recorded runs of lesson 12: the inpainter that ships, trained on with wide holes, with and without a perceptual term.

    python benchmarks/12_losses.py    writes benchmarks/12_losses.json and .png (about 4 minutes of one core)

Every run goes on from the shipped weights of `inpaint` on the same patches with the same holes, of strokes, for as many
steps. Only the loss differs; so does the time a step takes, which is recorded. Scores are of the middles of the
validation photographs. Runs that are already in the file are kept, so an interrupted call goes on where it stopped; the
picture is that of seed 0.
"""

import sys
from functools import cache
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import keras
import numpy as np
import recording
from keras import layers, ops
from PIL import Image

from course_utils import degrade, models, paths, scoring, training
from course_utils.metrics import perceptual, restoration
from course_utils.models import vgg
from course_utils.models.restorer import Restorer
from course_utils.recipes import _restorers

PATH = paths.BENCHMARKS / "12_losses.json"
PICTURE = PATH.with_suffix(".png")
SEEDS = (0,)
SIDE, MIDDLE, MASKS = 96, 160, 64  # pixels of a patch and of what is looked at, masks to draw from
PROTOCOL = "inpaint_free_form"
LAYER = "conv3_3"  # of VGG, for the perceptual term: of its third block
CROPS = ("petra",)  # the middles that are shown


def settings() -> dict[str, dict]:
    shared = {"perceptual": 0.0, "batch_size": 4, "learning_rate": 0.0005, "steps": 400}
    return {"squared": shared, "+ perceptual": shared | {"perceptual": 0.02}}


@cache
def eyes() -> vgg.Features:
    return vgg.features((LAYER,), pooling="average")


@cache
def masks() -> np.ndarray:
    """Squares out of masks of strokes for whole photographs, (MASKS, SIDE, SIDE, 1): a tenth to half of each hidden."""
    random, found = np.random.default_rng(0), []
    while len(found) < MASKS:
        mask = degrade.free_form_mask(360, 360, 0.2, random)
        top, left = random.integers(360 - SIDE + 1, size=2)
        square = mask[top : top + SIDE, left : left + SIDE]
        if 0.1 < square.mean() < 0.5:
            found.append(square)
    return np.stack(found)


class WideHoles(layers.Layer):
    """Square pictures (n, SIDE, SIDE, 3) with holes, and the masks as their fourth channel, drawn anew each time."""

    def __init__(self, seed: int):
        super().__init__()
        self.seed = keras.random.SeedGenerator(seed)

    def call(self, images):
        drawn = keras.random.randint((ops.shape(images)[0],), 0, MASKS, seed=self.seed)
        holes = ops.take(ops.convert_to_tensor(masks()), drawn, axis=0)
        return ops.concatenate([degrade.apply_mask(images, holes), holes], axis=-1)


class Judged(Restorer):
    """An inpainter whose loss is the squared error and, with a weight, the difference of VGG's maps."""

    def __init__(self, network: keras.Model, weight: float, **kwargs):
        super().__init__(network, **kwargs)
        self.weight = weight

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        loss = ops.mean(ops.square(x - y_pred))
        if self.weight:
            there, here = (eyes()(each)[LAYER] for each in (x, y_pred))
            loss = loss + self.weight * ops.mean(ops.abs(there - here))
        return loss


def prepared(s: dict, seed: int) -> Judged:
    """The compiled network of one run."""
    network = models.load("inpaint").network
    eyes()  # built before training begins
    training.set_seed(seed)
    model = Judged(network, s["perceptual"], degradation=WideHoles(seed), turned=True, seed=seed)
    optimizer = keras.optimizers.Adam(training.one_cycle(s["learning_rate"], s["steps"]), global_clipnorm=4.0)
    model.compile(optimizer, jit_compile=False)
    return model


def patches() -> np.ndarray:
    return _restorers.patches("train", SIDE, SIDE // 2)


def first_steps(s: dict) -> dict:
    """The mark of a run, see `recording.first_steps`."""
    images = recording.spread(patches(), s["batch_size"])
    return recording.first_steps(prepared(s, 0), images, None, batch_size=s["batch_size"], seed=0)


def torn() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Name -> the middle of a validation photograph, and the same with the holes of its whole and their mask."""
    found = {}
    for index, (name, photograph) in enumerate(scoring.photographs("validation").items()):
        top, left = ((length - MIDDLE) // 2 for length in photograph.shape[:2])
        part = slice(top, top + MIDDLE), slice(left, left + MIDDLE)
        holed = degrade.PROTOCOLS[PROTOCOL](photograph, index)[part]
        if 0 < holed[..., 3].mean() < 1:
            found[name] = photograph[part], holed
    return found


def filled(model, holed: np.ndarray) -> np.ndarray:
    return model.predict_on_batch(holed[np.newaxis])[0]


def scores(model) -> dict[str, float]:
    """Means over the middles: PSNR in the holes, the LPIPS-like distance, and how steep the holes are filled."""
    rows = []
    for clean, holed in torn().values():
        picture, hole = filled(model, holed), holed[..., 3] > 0
        error = np.square(picture - clean)[hole].mean()
        steep = steepness(picture, hole) / steepness(clean, hole)
        rows.append([-10 * np.log10(error), perceptual.lpips_like(clean, picture), steep])
    names = "psnr_in_hole", "lpips_like", "steepness"
    return {name: round(float(value), 4) for name, value in zip(names, np.mean(rows, axis=0), strict=True)}


def steepness(picture: np.ndarray, hole: np.ndarray) -> float:
    """Mean absolute difference of luma of neighbouring pixels that are both hidden."""
    luma, found = restoration.luma(picture.clip(0, 1), 1.0)[..., 0], []
    for axis in (0, 1):
        both = np.minimum(*(np.delete(hole, end, axis=axis) for end in (0, -1)))
        found.append(np.abs(np.diff(luma, axis=axis))[both])
    return float(np.concatenate(found).mean())


def run(s: dict, seed: int) -> tuple[dict, dict]:
    model = prepared(s, seed)
    seconds = recording.fit_steps(model, patches(), steps=s["steps"], batch_size=s["batch_size"], seed=seed)
    if seed == SEEDS[0]:
        keep_crops(model, list(settings().values()).index(s))
    return {"parameters": model.network.count_params()}, {"processor_seconds": seconds} | scores(model)


def keep_crops(model, column: int) -> None:
    """Put what the network makes of the crops into one column of the picture, one below the other."""
    wall = np.zeros((MIDDLE * len(CROPS), MIDDLE * len(settings()), 3), np.uint8)
    if PICTURE.exists():
        wall[:] = np.asarray(Image.open(PICTURE))
    found = np.concatenate([filled(model, torn()[name][1]) for name in CROPS])
    wall[:, MIDDLE * column : MIDDLE * (column + 1)] = np.round(255 * found.clip(0, 1))
    Image.fromarray(wall).save(PICTURE, optimize=True)


if __name__ == "__main__":
    command = "python benchmarks/12_losses.py"
    before = scores(models.load("inpaint"))
    recording.record(PATH, command, settings(), SEEDS, first_steps, run, before=before)
