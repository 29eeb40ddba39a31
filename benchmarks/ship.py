"""Evaluate a network that was trained in full, and put it among the weights that ship with the course.

    course train gan_fashion --profile full --mixed-precision
    python benchmarks/ship.py gan_fashion
    python data/prepare/manifest.py && python data/prepare/readme.py

copies runs/NAME/NAME.weights.h5 to data/weights/ and adds to NAME.json the scores that its recipe's `evaluate` gives to
the stored weights. The test data decide nothing.
"""

import argparse
import json
import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from course_utils import paths, recipes, training


def finished(record: Path) -> dict:
    """What runs/NAME/NAME.json says of a full training. Raises SystemExit for an unfinished one and a lesson's."""
    about = json.loads(record.read_text())
    if not about["finished"] or about["profile"] != "full":
        train = f"course train {record.stem} --profile full"
        sys.exit(f"{record} is of an unfinished training or of the lesson profile: {train}")
    return about


def ship(name: str, runs: Path) -> None:
    weights, record = (runs / name / f"{name}{ending}" for ending in (".weights.h5", ".json"))
    about = finished(record)
    recipe = recipes.find(name)
    model = recipe.build(recipe.FULL)
    training.load_weights(model, weights)
    about["scores"] = recipe.evaluate(model)
    shutil.copy(weights, paths.WEIGHTS)
    (paths.WEIGHTS / record.name).write_text(json.dumps(about, indent=1) + "\n")
    print(json.dumps(about["scores"], indent=1))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=recipes.names())
    parser.add_argument("--runs", type=Path, default=paths.RUNS, help="the folder of finished runs (default: runs/)")
    options = parser.parse_args()
    ship(options.name, options.runs)
