"""The picture that opens lesson 14, and the losses on its way: `python benchmarks/14_opening.py`.

The lesson's own functions are run, at more pixels and for more steps than the lesson takes.
"""

import ast
import time

import numpy as np
from PIL import Image
from recording import read, write

from course_utils import data, paths, training
from course_utils.cli import lessons

SEED = 0
SIDES, STEPS = (128, 256, 384), (80, 40, 20)
FIRST_STEPS = 3
PICTURE = paths.BENCHMARKS / "14_opening.png"
RESULTS = paths.BENCHMARKS / "14_opening.json"


def lesson() -> dict:
    """The imports, functions, classes and CONSTANTS of lesson 14, and its `eyes`; nothing else of it is run."""
    tree = ast.parse(lessons.find_lesson("14").text)
    namespace = {}
    exec(compile(ast.Module([node for node in tree.body if _wanted(node)], []), "lesson 14", "exec"), namespace)
    return namespace


def _wanted(node: ast.stmt) -> bool:
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
        return node.targets[0].id.isupper() or node.targets[0].id == "eyes"
    return isinstance(node, ast.Import | ast.ImportFrom | ast.FunctionDef | ast.ClassDef)


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
