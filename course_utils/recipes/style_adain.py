"""Photographs painted in the style of any picture by one network, which takes a style as a code (lesson 14)."""

from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import permutations

import keras
import numpy as np
from keras import ops

from course_utils import data as data_sets
from course_utils import training
from course_utils.image_files import sheet
from course_utils.models import adain
from course_utils.recipes import Examples, _restorers, _style_fast

HELD_OUT = ("cafe_terrace_at_night", "painter_on_the_road")  # paintings that it never saw: its test
LEARNED = tuple(name for name in data_sets.painting_names() if name not in HELD_OUT)
JUDGED = (*HELD_OUT, "church_at_auvers", "night_cafe")  # two that it never saw, two that it did
CROP, CROPS = 128, 4  # pixels a side, and how many of each picture that styles are taken from


@dataclass(frozen=True)
class Numbers:
    widths: tuple[int, ...] = (128, 64, 32)  # of the decoder, at a quarter, the half and the full size
    pixel_weight: float = 5.0  # of the photographs that are to come back, every second one
    content_weight: float = 0.7
    variation_weight: float = 0.1
    warm_up: int = 200  # steps in which photographs are to come back and nothing else
    epochs: int = 1
    batch_size: int = 2  # many small steps, of which VGG takes most of the time
    learning_rate: float = 0.001  # the peak of the one-cycle schedule
    seed: int = 0


LESSON = Numbers()
# Pilots of 250 steps in which photographs alone are to come back, one seed each, on validation patches:
# maps squeezed by a root 17.1 dB, divided by their spread 17.9, whitened 19.4; whitened with a tenth of the floor 19.1,
# and at three times the rate 19.1.
FULL = replace(LESSON, warm_up=3_000, epochs=32)


def data() -> Examples:
    return _style_fast.data()


def build(numbers: Numbers) -> adain.AnyStyle:
    return adain.AnyStyle(
        adain.decoder(numbers.widths),
        pixel_weight=numbers.pixel_weight,
        content_weight=numbers.content_weight,
        variation_weight=numbers.variation_weight,
        warm_up=numbers.warm_up,
        seed=numbers.seed,
    )


def compile(model: adain.AnyStyle, numbers: Numbers, steps: int) -> None:
    model.statistics = styles()
    model.network.get_layer("whitened").set_weights(whitening())
    optimizer = keras.optimizers.Adam(training.one_cycle(numbers.learning_rate, steps), global_clipnorm=1.0)
    model.compile(optimizer, jit_compile=False)


@lru_cache(maxsize=1)  # some seconds
def styles() -> np.ndarray:
    """Statistics of crops of the paintings that are not held out and of gravel: a row each, as `adain` wants them.

    Each crop comes in the six orders of its channels as well, blue for red and so on, since seven pictures are few.
    """
    random = np.random.default_rng(0)
    textures = data_sets.photograph_names("train", "texture")
    pictures = [*map(data_sets.painting, LEARNED), *map(data_sets.photograph, textures)]
    crops = []
    for picture in (_style_fast.of_side(picture, _style_fast.PAINTING_SIDE) for picture in pictures):
        for _ in range(CROPS):
            top, left = (random.integers(side - CROP + 1) for side in picture.shape[:2])
            crop = picture[top : top + CROP, left : left + CROP]
            crops += [crop[..., order] for order in permutations(range(3))]
    parts = [np.stack(crops[start : start + 4]) for start in range(0, len(crops), 4)]  # few at a time: maps are large
    return np.concatenate([adain.statistics(part) for part in parts])


@lru_cache(maxsize=1)  # some seconds
def whitening() -> list[np.ndarray]:
    return adain.whitening(data().images[::4])


def preview(model: adain.AnyStyle) -> np.ndarray:
    """Crops of three validation photographs, each painted in a style of each kind of JUDGED, and one with no style."""
    codes = [style_code(model, name) for name in (JUDGED[0], JUDGED[-1])]
    tiles = []
    for name, top, left in _restorers.CROPS:
        photograph = data_sets.photograph(name)[np.newaxis, top : top + 128, left : left + 128]
        painted = [model.paint(photograph, code) for code in codes]
        unchanged = model.paint(photograph, codes[0], 0.0)
        tiles += [photograph[0], *(ops.convert_to_numpy(picture)[0] for picture in (*painted, unchanged))]
    return sheet(np.stack(tiles), columns=4)


def style_code(model: adain.AnyStyle, name: str):
    """The code of a whole painting of the course, in the size in which styles are learned."""
    return model.code(_style_fast.painting(name)[np.newaxis])


def evaluate(model: adain.AnyStyle, photographs: int | None = None) -> dict[str, dict]:
    """For each painting of JUDGED what `_style_fast.compared` says; those of HELD_OUT had no part in training.

    photographs: how many of the test photographs, all by default.
    """
    scores = {}
    for name in JUDGED:
        code = style_code(model, name)
        scores[name] = _style_fast.compared(
            _style_fast.painting(name),
            lambda photograph, code=code: ops.convert_to_numpy(model.paint(photograph[np.newaxis], code))[0],
            photographs,
        )
    return scores
