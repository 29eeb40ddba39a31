"""What being told the class gives the shipped diffusion networks: the same judge, with other labels or none.

    python benchmarks/10_untold.py    writes benchmarks/10_untold.json (about 10 minutes of one core)

Each of their scores in data/weights/ is of 10,000 samples whose classes take turns, a thousand of each as in the test
images. VAE and GAN are told nothing. Here as many samples, from the same noise, are judged again: with none ("untold",
which the networks learned from a tenth of what they saw) and, where it costs little, with labels drawn at random. What
is already in the file for the same weights is kept.
"""

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
import recording

from course_utils import data, metrics, models, paths
from course_utils.data_files import sha256

PATH = paths.BENCHMARKS / "10_untold.json"
NAMES = ("diffusion_latent", "diffusion_fashion")
METRICS = ("frechet_distance", "coverage", "effective_classes")
SAMPLES, CLASSES = 10_000, 10


def ways(name: str) -> dict[str, dict]:
    """What `sample` of a network is told in each way."""
    told = {"untold": {"guidance": 0}}
    if name == "diffusion_latent":
        told["labels at random"] = {"labels": np.random.default_rng(0).integers(0, CLASSES, SAMPLES)}
    return told


def weights_of(name: str) -> str:
    """The checksum of the weights that ship, to tell results of older ones."""
    return sha256(paths.WEIGHTS / f"{name}.weights.h5")


def main() -> None:
    table = recording.read(PATH, "python benchmarks/10_untold.py") | {"samples": SAMPLES}
    judge = metrics.Judge(data.fashion_mnist("test")[0], data.fashion_mnist("train")[0][-SAMPLES:])
    for name in NAMES:
        entry = table.setdefault("networks", {}).setdefault(name, {})
        if entry.get("weights") != weights_of(name):
            table["networks"][name] = entry = {"weights": weights_of(name), "scores": {}}
        model = models.load(name)
        for way, told in ways(name).items():
            if way in entry["scores"]:
                continue
            start = time.process_time()
            scores = judge(model.sample(SAMPLES, seed=1, **told), METRICS)
            entry["scores"][way] = {metric: round(score.value, 4) for metric, score in scores.items()}
            recording.write(PATH, table)
            print(name, way, entry["scores"][way], f"{time.process_time() - start:.0f} processor seconds", flush=True)


if __name__ == "__main__":
    main()
