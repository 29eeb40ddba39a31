"""Judge a generator that was trained in full, and put it among the weights that ship with the course.

    course train gan_fashion --profile full --mixed-precision
    python benchmarks/ship.py gan_fashion
    python data/prepare/manifest.py && python data/prepare/readme.py

copies runs/NAME/NAME.weights.h5 to data/weights/ and adds to NAME.json the scores of 10,000 samples of seed 1 against
the 10,000 test images, for emoji of 1,000 samples against the 370 that were held out. The test images decide nothing.
"""

import argparse
import json
import shutil
import sys
from dataclasses import asdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from course_utils import data, metrics, paths, recipes, training


def judge(name: str) -> tuple[metrics.Judge, int]:
    """The judge of a generator's test, and how many samples it gets."""
    if name.endswith("emoji"):
        return metrics.Judge(data.emoji_pictures("test")[0], data.emoji_pictures("train")[0]), 1_000
    return metrics.Judge(data.fashion_mnist("test")[0], data.fashion_mnist("train")[0][-10_000:]), 10_000


def ship(name: str, runs: Path) -> None:
    weights, record = (runs / name / f"{name}{ending}" for ending in (".weights.h5", ".json"))
    about = json.loads(record.read_text())
    if not about["finished"] or about["profile"] != "full":
        sys.exit(f"{record} is of an unfinished training or of the lesson profile: course train {name} --profile full")
    recipe = recipes.find(name)
    model = recipe.model(recipe.numbers("full"))
    training.load_weights(model, weights)
    judged, count = judge(name)
    scores = judged(model.sample(count, seed=1))
    about["test"] = {metric: asdict(score) for metric, score in scores.items()}
    shutil.copy(weights, paths.WEIGHTS)
    (paths.WEIGHTS / record.name).write_text(json.dumps(about, indent=1) + "\n")
    metrics.table({name: scores})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=recipes.RECIPES)
    parser.add_argument("--runs", type=Path, default=paths.RUNS, help="the folder of finished runs (default: runs/)")
    options = parser.parse_args()
    ship(options.name, options.runs)
