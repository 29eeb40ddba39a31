"""Recorded runs of lesson 11: one network, one start, four losses, measured by pixels and by looks.

    python benchmarks/11_losses.py    writes benchmarks/11_losses.json and .png (about 13 minutes of one core)

Every run goes on from the shipped weights of `sr_x4`, beside which a second network learns what to add, from the same
patches in the same order for as many steps. Only the loss differs; so does the time a step takes, which is recorded.
Scores are of the middles of the validation photographs, as in the lesson; the weight of the adversarial term was chosen
on them (0.04 instead of 0.01 drew grain: 26.4 dB and a larger LPIPS-like distance). Runs that are already in the file
are kept, so an interrupted call goes on where it stopped; the picture is that of seed 0.
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

from course_utils import degrade, metrics, models, paths, scoring, training
from course_utils.metrics import perceptual
from course_utils.models import gan_losses, super_resolution, vgg
from course_utils.recipes import _restorers

PATH = paths.BENCHMARKS / "11_losses.json"
PICTURE = PATH.with_suffix(".png")
SEEDS = (0, 1, 2)
SCALE, SIDE = 4, 80  # large pixels of a patch
CUT, LOOKED_AT = 12, 48  # of its border, which no loss looks at since it lacks neighbours, and of the part that counts
MAPS = 24  # of the convolutions at the large size
LAYER = "conv3_3"  # of VGG, for the perceptual term: of its third block
CROPS = {"goat": (104, 200), "petra": (56, 180), "dog": (32, 352)}  # name -> top, left; of 112 x 112


def settings() -> dict[str, dict]:
    shared = {"pixels": "absolute", "perceptual": 0.0, "adversarial": 0.0}
    shared |= {"batch_size": 4, "learning_rate": 0.0005, "steps": 600}
    return {
        "squared": shared | {"pixels": "squared"},
        "absolute": shared,
        "+ perceptual": shared | {"perceptual": 0.3},
        "+ adversarial": shared | {"perceptual": 0.3, "adversarial": 0.01},
    }


@cache
def eyes() -> vgg.Features:
    return vgg.features((LAYER,), pooling="average")


def perceptual_term(clean, enlarged):
    """Mean absolute difference of VGG's maps of luma patches (n, h, w, 1)."""
    maps = [eyes()(ops.repeat(each, 3, axis=-1))[LAYER] for each in (clean, enlarged)]
    return ops.mean(ops.abs(maps[0] - maps[1]))


def new_discriminator() -> keras.Model:
    """Scores of luma patches, one for each square of about 40 pixels: (n, h, w, 1) -> (n, h / 8, w / 8, 1).

    Maps are halved by means of 2 x 2. With strides of two and kernels of 3 x 3 some pixels count for more than their
    neighbours, and what learned from such a discriminator laid a fine grid over its pictures.
    """
    pictures = x = layers.Input((None, None, 1))
    for width in (32, 64, 64):
        x = layers.Conv2D(width, 3, padding="same", kernel_initializer="he_normal")(x)
        x = layers.AveragePooling2D(2)(layers.LeakyReLU(0.2)(x))
    x = layers.Conv2D(64, 3, padding="same", kernel_initializer="he_normal")(x)
    return keras.Model(pictures, layers.Conv2D(1, 3, padding="same")(layers.LeakyReLU(0.2)(x)))


class Judged(super_resolution.LumaEnlarger):
    """An enlarger whose loss is a weighted sum of an error of pixels, of VGG's maps, and of a discriminator's scores.

    The discriminator, a Keras model or None, learns in the same steps from a loss of its own. Each step looks at
    another part of its patches, up to seven pixels off: what pools by two sees a grid, and would else see the same one.
    """

    def __init__(self, network: keras.Model, weights: dict, discriminator: keras.Model | None, seed: int, **kwargs):
        super().__init__(network, SCALE, seed=seed, **kwargs)
        self.loss_weights, self.discriminator = weights, discriminator
        self.places = keras.random.SeedGenerator(seed + 1000)

    def part(self, pictures, corner):
        """The squares of pictures (n, SIDE, SIDE, 1) with this upper left corner: (n, LOOKED_AT, LOOKED_AT, 1)."""
        start, shape = (0, corner[0], corner[1], 0), (self.loss_weights["batch_size"], LOOKED_AT, LOOKED_AT, 1)
        return ops.slice(pictures, start, shape)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        corner = CUT + keras.random.randint((2,), 0, 8, seed=self.places)
        clean, enlarged = (self.part(each, corner) for each in (x, y_pred))
        error = ops.square if self.loss_weights["pixels"] == "squared" else ops.abs
        loss = ops.mean(error(clean - enlarged))
        if self.loss_weights["perceptual"]:
            loss = loss + self.loss_weights["perceptual"] * perceptual_term(clean, enlarged)
        if self.discriminator is None:
            return loss
        for_discriminator, for_network = gan_losses.LOSSES["relativistic"]
        scores = self.discriminator(clean), self.discriminator(ops.stop_gradient(enlarged))
        loss = loss + ops.mean(for_discriminator(*scores))
        held = [ops.stop_gradient(weights.value) for weights in self.discriminator.trainable_variables]
        of_enlarged = self.discriminator.stateless_call(held, [], enlarged)[0]
        game = ops.mean(for_network(ops.stop_gradient(scores[0]), of_enlarged))
        return loss + self.loss_weights["adversarial"] * game


def with_finish(start: keras.Model) -> keras.Model:
    """The network `start` as it is, and a second one at its side that learns what to add to its result.

    The second begins as a copy of the residual blocks and ends in convolutions at the large size, whose last kernel is
    zero at first. There a convolution treats all pixels alike; a sub-pixel layer that learned from the perceptual term
    drew one dot in each 4 x 4 square.
    """
    start.trainable = False
    blocks = keras.Model(start.input, start.get_layer("long_sum").output)
    learner = keras.models.clone_model(blocks)
    learner.set_weights(blocks.get_weights())
    learner.trainable = True
    maps = layers.Conv2D(MAPS, 1, kernel_initializer="he_normal")(learner(start.input))
    maps = layers.UpSampling2D(SCALE, interpolation="bilinear")(maps)
    x = layers.Concatenate()([start.output, maps])
    for _ in range(2):
        x = layers.LeakyReLU(0.2)(layers.Conv2D(MAPS, 3, padding="same", kernel_initializer="he_normal")(x))
    x = layers.Conv2D(1, 3, padding="same", kernel_initializer="zeros")(x)
    return keras.Model(start.input, start.output + x)


def prepared(s: dict, seed: int) -> Judged:
    """The compiled network of one run."""
    start = models.load("sr_x4").network
    eyes()  # built before training begins
    training.set_seed(seed)
    network = with_finish(start)
    model = Judged(network, s, new_discriminator() if s["adversarial"] else None, seed, turned=True)
    model.compile(keras.optimizers.Adam(training.one_cycle(s["learning_rate"], s["steps"])))
    return model


def patches() -> np.ndarray:
    return _restorers.luma_patches("train", SIDE, SIDE // 2)


def first_steps(s: dict) -> dict:
    """The mark of a run, see `recording.first_steps`."""
    images = recording.spread(patches(), s["batch_size"])
    return recording.first_steps(prepared(s, 0), images, None, batch_size=s["batch_size"], seed=0)


def scores(model) -> dict[str, float]:
    """Means over the middles of the validation photographs: of 160 x 160 enlarged, 96 x 96 are looked at."""
    protocol = {"colour": "y", "border": 0, "data_range": 1.0, "quantise": True}
    inside = slice(32, 128), slice(32, 128)
    rows = []
    for photograph in scoring.photographs("validation").values():
        part = photograph[32:192, 96:256]
        both = part[inside], enlarged(model, part)[inside]
        rows.append(
            [
                metrics.psnr(*both, **protocol),
                metrics.ssim(*both, **protocol),
                perceptual.lpips_like(*both),
                steepness(both[1]) / steepness(both[0]),
            ]
        )
    names = "psnr", "ssim", "lpips_like", "steepness"
    return {name: round(float(value), 4) for name, value in zip(names, np.mean(rows, axis=0), strict=True)}


def enlarged(model, picture: np.ndarray) -> np.ndarray:
    small = degrade.PROTOCOLS["sr_x4"](picture, 0)
    return ops.convert_to_numpy(model(small[np.newaxis]))[0]


def steepness(picture: np.ndarray) -> float:
    """Mean absolute difference of neighbouring pixels of luma."""
    luma = metrics.luma(picture.clip(0, 1), 1.0)
    return float(np.mean([np.abs(np.diff(luma, axis=axis)).mean() for axis in (0, 1)]))


def crops(model) -> np.ndarray:
    """What the network makes of three crops: (3, 112, 112, 3)."""
    found = []
    for name, (top, left) in CROPS.items():
        original = scoring.photographs("validation")[name][top - 24 : top + 136, left - 24 : left + 136]
        found.append(enlarged(model, original)[24:136, 24:136].clip(0, 1))
    return np.stack(found)


def run(s: dict, seed: int) -> tuple[dict, dict]:
    model = prepared(s, seed)
    seconds = recording.fit_steps(model, patches(), steps=s["steps"], batch_size=s["batch_size"], seed=seed)
    if seed == SEEDS[0]:
        keep_crops(model, list(settings().values()).index(s))
    return {"parameters": model.network.count_params()}, {"processor_seconds": seconds} | scores(model)


def keep_crops(model, column: int) -> None:
    """Put what the network makes of the crops into one column of the picture, one below the other."""
    side = 112
    wall = np.zeros((side * len(CROPS), side * len(settings()), 3), np.uint8)
    if PICTURE.exists():
        wall[:] = np.asarray(Image.open(PICTURE))
    wall[:, side * column : side * (column + 1)] = np.round(255 * np.concatenate(list(crops(model))))
    Image.fromarray(wall).save(PICTURE, optimize=True)


if __name__ == "__main__":
    recording.record(PATH, "python benchmarks/11_losses.py", settings(), SEEDS, first_steps, run)
