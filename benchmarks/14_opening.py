"""The picture that opens lesson 14, and the losses on its way: `python benchmarks/14_opening.py`.

The lesson's own functions are run, at more pixels and for more steps than the lesson takes.
"""

import time

import numpy as np
from PIL import Image
from recording import lesson_code, read, write

from course_utils import data, paths, training

SEED = 0
SIDES, STEPS = (128, 256, 384), (80, 40, 20)
FIRST_STEPS = 3
PICTURE = paths.BENCHMARKS / "14_opening.png"
RESULTS = paths.BENCHMARKS / "14_opening.json"


def lesson() -> dict:
    """The functions of lesson 14, and the networks that it calls `eyes`."""
    return lesson_code("14", "eyes")


def first_losses(lesson: dict) -> list[float]:
    """The loss before each of the first steps at 64 pixels, from the photograph."""
    panda, road = data.photograph("red_panda"), data.painting("painter_on_the_road")
    photo, painting = lesson["of_side"](panda, 64), lesson["of_side"](road, 96)
    loss_of = lesson["transfer_loss"](lesson["eyes"], photo, painting, lesson["STYLE_LAYERS"])
    picture = lesson["TrainableImage"](photo, loss_of)
    picture.compile("adam", run_eagerly=True, jit_compile=False)
    picture.optimizer.learning_rate = 0.03
    return [float(picture.train_on_batch(np.zeros((1, 1), np.float32))) for _ in range(FIRST_STEPS)]


def main() -> None:
    training.set_seed(SEED)
    functions = lesson()
    panda, road = data.photograph("red_panda"), data.painting("painter_on_the_road")
    started = time.perf_counter()
    painted = functions["paint"](functions["eyes"], panda, road, SIDES, STEPS)
    table = read(RESULTS, "python benchmarks/14_opening.py")
    table |= {"seed": SEED, "sides": SIDES, "steps": STEPS, "seconds": round(time.perf_counter() - started, 1)}
    table["first_losses"] = first_losses(functions)
    write(RESULTS, table)
    Image.fromarray((255 * painted).round().astype(np.uint8)).save(PICTURE, optimize=True)


if __name__ == "__main__":
    main()
