"""The end of the denoiser's training: a tenth more steps, on patches of four times as many pixels.

    course train denoise --profile full --mixed-precision
    python benchmarks/12_larger_patches.py    (about seven minutes of one core)
    python benchmarks/ship.py denoise

trains the network in runs/denoise on, from its weights as they are stored, puts the new ones in their place and adds
"larger_patches" to its record, with the scores on test photographs that it had before.
"""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import keras
import ship

from course_utils import paths, recipes, training
from course_utils.recipes import denoise


def train_on(runs: Path) -> None:
    """Renew weights and record of the denoiser in a folder of runs.

    Raises SystemExit as `ship.finished` does, and for weights that were trained on larger patches already.
    """
    weights, record = (runs / "denoise" / f"denoise{ending}" for ending in (".weights.h5", ".json"))
    about = ship.finished(record)
    if "larger_patches" in about:
        sys.exit(f"{record} says that these weights were trained on larger patches: train anew, or ship them")
    numbers, images = denoise.LARGER, denoise.patches(denoise.LARGER_SIDE, denoise.LARGER_STRIDE)
    before = denoise.build(numbers)  # in single precision, as `ship` scores
    training.load_weights(before, weights)
    keras.config.set_dtype_policy(about["precision"])
    model = denoise.build(numbers)
    training.load_weights(model, weights)
    steps = numbers.epochs * (len(images) // numbers.batch_size)
    denoise.compile(model, numbers, steps)
    length, validation = recipes.find("denoise").length(numbers), denoise.data().validation
    history = training.fit(model, images, validation_data=validation, callbacks=[training.Clock()], **length).history
    training.save_weights(model, weights, dtype="float16")
    about["larger_patches"] = {
        "command": "python benchmarks/12_larger_patches.py",
        "numbers": asdict(numbers),
        "psnr_before": {name: rows["network"]["psnr"] for name, rows in denoise.evaluate(before).items()},
        "steps": steps,
        "processor_seconds": round(sum(history["processor_seconds"]), 1),
        "val_psnr": [round(value, 3) for value in history["val_psnr"]],
    }
    record.write_text(json.dumps(about, indent=1) + "\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=Path, default=paths.RUNS, help="the folder of runs (default: runs/)")
    train_on(parser.parse_args().runs)
