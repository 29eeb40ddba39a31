"""What the recipes of networks for one style share: photographs to learn from, progress in pictures, and distances."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import keras
import numpy as np
from keras import ops
from skimage.exposure import match_histograms
from skimage.transform import resize

from course_utils import data as data_sets
from course_utils import scoring, training
from course_utils.image_files import sheet
from course_utils.models import style
from course_utils.models.restorer import Restorer
from course_utils.recipes import Examples, _restorers

SIDE = 128  # pixels of a patch
PAINTING_SIDE = 384  # of the longer side of the painting, whose strokes are learned in this size
JUDGED_SIDE = 256  # of the longer side of the photographs that are painted for the scores


@dataclass(frozen=True)
class Numbers:
    widths: tuple[int, ...] = (16, 32, 48)  # maps at the full, the half and the quarter size
    blocks: int = 4
    content_weight: float = 0.3  # the optimisation of the lesson has 0.5
    variation_weight: float = 0.2
    epochs: int = 1
    batch_size: int = 2  # many small steps, of which VGG takes nearly all the time
    learning_rate: float = 0.005  # the peak of the one-cycle schedule
    seed: int = 0


LESSON = Numbers()
FULL = replace(LESSON, epochs=7)


def data() -> Examples:
    return Examples(_restorers.patches("train", SIDE, SIDE))


def build(numbers: Numbers) -> Restorer:
    return Restorer(style.transfer_network(numbers.widths, numbers.blocks))


def compile(painting: Callable, model: Restorer, numbers: Numbers, steps: int) -> None:
    optimizer = keras.optimizers.Adam(training.one_cycle(numbers.learning_rate, steps), global_clipnorm=1.0)
    loss = style.perceptual_loss(
        painting(), content_weight=numbers.content_weight, variation_weight=numbers.variation_weight
    )
    model.compile(optimizer, loss=loss, jit_compile=False)


def painting(name: str) -> np.ndarray:
    """A painting of the course as its style is learned: float32 (H, W, 3), the longer side of PAINTING_SIDE pixels."""
    return of_side(data_sets.painting(name), PAINTING_SIDE)


def of_side(picture: np.ndarray, side: int) -> np.ndarray:
    """The picture (H, W, C) with its longer side brought to `side` pixels, float32."""
    size = [round(side / max(picture.shape[:2]) * length) for length in picture.shape[:2]]
    return resize(picture, size, anti_aliasing=True).astype(np.float32)


def preview(model: Restorer) -> np.ndarray:
    """Crops of three validation photographs, each with its painted version to the right."""
    pairs = []
    for name, top, left in _restorers.CROPS:
        photograph = data_sets.photograph(name)[np.newaxis, top : top + 128, left : left + 128]
        pairs += [photograph[0], ops.convert_to_numpy(model(photograph, training=False))[0]]
    return sheet(np.stack(pairs), columns=2)


def evaluate(painting: Callable, model: Restorer, photographs: int | None = None) -> dict[str, dict]:
    """`compared`, for the painting that the model was trained for."""
    return compared(painting(), lambda photograph: ops.convert_to_numpy(model(photograph[np.newaxis]))[0], photographs)


def compared(art: np.ndarray, network: Callable, photographs: int | None = None) -> dict[str, dict]:
    """Distances of painted test photographs from the painting in style and from themselves in content: means, and each.

    Beside the network stand the photographs as they are and two ways without one: the colours of the painting, by its
    histograms, and half of each laid over the other.
    network: from a photograph (h, w, 3) to a painted one. photographs: how many, all by default.
    """
    distances = style.perceptual_distances(art)
    ways = {
        "network": network,
        "photograph": lambda photograph: photograph,
        "histograms": lambda photograph: match_histograms(photograph, art, channel_axis=-1).astype(np.float32),
        "blending": lambda photograph: (photograph + resize(art, photograph.shape).astype(np.float32)) / 2,
    }
    pictures = list(scoring.test_photographs().items())[:photographs]
    rows = {}
    for way, paint in ways.items():
        found = {}
        for name, picture in pictures:
            photograph = of_side(picture, JUDGED_SIDE)
            both = distances(photograph[np.newaxis], paint(photograph)[np.newaxis])
            found[name] = [round(float(ops.squeeze(distance)), 4) for distance in both]
        of_style, of_content = np.mean(list(found.values()), axis=0)
        means = {"style_distance": round(of_style, 4), "content_distance": round(of_content, 4)}
        rows[way] = means | {"style_and_content_by_picture": found}
    return rows
