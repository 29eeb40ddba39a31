"""Recorded runs of lesson 12: how a network is kept from taking a hole for a picture, at equal processor time.

    python benchmarks/12_inpainters.py    writes benchmarks/12_inpainters.json (about 13 minutes of one core)

One U-Net of plain, of gated or of partial convolutions, from grey holes, and the first of them from holes that are
filled smoothly before it. The steps of a run are as many as go into the time of the others; they are fixed, by the
times of a step on one core, so that a run comes out again, and the time it took is recorded. Scores are of the middles
of the validation photographs, over the hidden pixels alone. Runs that are already in the file are kept, so an
interrupted call goes on where it stopped.
"""

import itertools
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import keras
import numpy as np
import recording
from keras import layers, ops

from course_utils import degrade, paths, scoring, training
from course_utils.classical import inpainting
from course_utils.models.inpainting import Holes, SmoothFill, mask_bank
from course_utils.models.masked import GatedConvolution, PartialConvolution
from course_utils.models.restorer import Restorer
from course_utils.models.super_resolution import SubPixel
from course_utils.recipes import _restorers

PATH = paths.BENCHMARKS / "12_inpainters.json"
SEEDS = (0, 1, 2)
SIDE, MIDDLE = 64, 160  # pixels of a patch, and of the middles that are looked at
PROTOCOLS = "inpaint_scratches", "inpaint_free_form"
STEPS = {  # of about 50 seconds of one core each
    ("plain", "grey"): 1750,
    ("gated", "grey"): 1050,
    ("partial", "grey"): 1450,
    ("plain", "smooth"): 1000,
}


def settings() -> dict[str, dict]:
    shared = {"widths": (16, 32, 48), "batch_size": 8, "learning_rate": 0.002}
    return {
        f"{convolution}, {start}": {"convolution": convolution, "start": start, "steps": steps} | shared
        for (convolution, start), steps in STEPS.items()
    }


def convolved(kind: str, maps, known, width: int, size: int, strides: int = 1, activation=None):
    """Maps and which of their places are known, after one layer: only partial convolutions ask what is known."""
    if kind == "partial":
        return PartialConvolution(width, size, strides, activation)([maps, known])
    if kind == "gated":
        return GatedConvolution(width, size, strides, activation)(maps), known
    options = {"padding": "same", "activation": activation, "kernel_initializer": "he_normal"}
    return layers.Conv2D(width, size, strides, **options)(maps), known


def block(kind: str, maps, known, width: int):
    """A residual block that starts near the identity: Lim et al., EDSR, 2017, multiply by a tenth as well."""
    y, now_known = convolved(kind, maps, known, width, 3, activation="relu")
    y, now_known = convolved(kind, y, now_known, width, 3)
    return maps + 0.1 * y, now_known


def unet(kind: str, pictures, masks, widths):
    """From pictures with holes to what is to be added to them: (n, h, w, 3), h and w multiples of 2^len(widths)."""
    maps = pictures if kind == "partial" else ops.concatenate([pictures, masks], axis=-1)
    x, known = convolved(kind, maps, 1 - masks, widths[0], 4, strides=2)
    kept = []
    for width, wider in itertools.pairwise(widths):
        x, known = block(kind, x, known, width)
        kept.append((x, known))
        x, known = convolved(kind, x, known, wider, 2, strides=2)
    x, known = block(kind, x, known, widths[-1])
    for width in reversed(widths[:-1]):
        x = layers.Conv2DTranspose(width, 2, 2, kernel_initializer="he_normal")(x)
        before, known_before = kept.pop()
        if kind == "partial":
            known = ops.repeat(ops.repeat(known, 2, axis=1), 2, axis=2)
            x, known = x * known, ops.maximum(known, known_before)
        x, known = block(kind, x + before, known, width)
    return SubPixel(2)(layers.Conv2D(12, 3, padding="same", kernel_initializer="zeros")(x))


def prepared(s: dict, seed: int) -> Restorer:
    """The compiled network of one run, untrained."""
    mask_bank(SIDE)  # made before the clock starts
    training.set_seed(seed)
    images = layers.Input((None, None, 4))
    pictures, masks = images[..., :3], images[..., 3:]
    start = SmoothFill(name="smooth_fill")(images)[..., :3] if s["start"] == "smooth" else pictures
    filled = start + unet(s["convolution"], start, masks, s["widths"])
    network = keras.Model(images, pictures * (1 - masks) + filled * masks)
    model = Restorer(network, Holes(seed), turned=True, seed=seed)
    optimizer = keras.optimizers.Adam(training.one_cycle(s["learning_rate"], s["steps"]), global_clipnorm=4.0)
    model.compile(optimizer, loss=_restorers.error_in_decibels, jit_compile=False)
    return model


def patches() -> np.ndarray:
    return _restorers.patches("train", SIDE, 48)


def first_steps(s: dict) -> dict:
    """The mark of a run, see `recording.first_steps`."""
    images = recording.spread(patches(), s["batch_size"])
    return recording.first_steps(prepared(s, 0), images, None, batch_size=s["batch_size"], seed=0)


def middles(protocol: str) -> list[tuple[np.ndarray, np.ndarray]]:
    """The middle of each validation photograph, and the same with the holes of its whole and their mask."""
    found = []
    for index, photograph in enumerate(scoring.photographs("validation").values()):
        top, left = ((length - MIDDLE) // 2 for length in photograph.shape[:2])
        part = slice(top, top + MIDDLE), slice(left, left + MIDDLE)
        torn = degrade.PROTOCOLS[protocol](photograph, index)[part]
        if 0 < torn[..., 3].mean() < 1:
            found.append((photograph[part], torn))
    return found


def hidden_psnr(clean: np.ndarray, filled: np.ndarray, mask: np.ndarray) -> float:
    """PSNR over the hidden pixels alone, of one picture."""
    return float(-10 * np.log10(np.square(filled - clean)[mask[..., 0] > 0].mean()))


def scores(fill) -> dict[str, float]:
    """The mean PSNR in the holes by protocol; fill: (h, w, 3) and its mask (h, w, 1) -> (h, w, 3)."""
    return {
        protocol: round(
            float(np.mean([hidden_psnr(p, fill(t[..., :3], t[..., 3:]), t[..., 3:]) for p, t in middles(protocol)])), 3
        )
        for protocol in PROTOCOLS
    }


def run(s: dict, seed: int) -> tuple[dict, dict]:
    model = prepared(s, seed)
    seconds = recording.fit_steps(model, patches(), steps=s["steps"], batch_size=s["batch_size"], seed=seed)

    def fill(picture, mask):
        return model.predict_on_batch(np.concatenate([picture, mask], axis=-1)[np.newaxis])[0]

    return {"parameters": model.network.count_params()}, {"processor_seconds": seconds} | scores(fill)


def by_heat() -> dict[str, float]:
    return scores(inpainting.harmonic)


if __name__ == "__main__":
    command = "python benchmarks/12_inpainters.py"
    recording.record(PATH, command, settings(), SEEDS, first_steps, run, harmonic=by_heat())
