"""The classical denoiser to beat, which the course may not install: BM3D on the test photographs, at sigma 25.

    pip install bm3d
    python benchmarks/12_bm3d.py    writes benchmarks/12_bm3d.json (about 6 minutes of one core)

The package's licence is for non-commercial use, and it is in no lock of the course. Scored as the rows that stand with
the weights of `denoise` in grey, with the same noise; BM3D is told its sigma. The network that ships is scored and
timed beside it. (In RGB the package takes more than twice the time, which was left out.)
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
import recording

from course_utils import classical, models, paths, scoring
from course_utils.recipes import _restorers

PATH = paths.BENCHMARKS / "12_bm3d.json"
PROTOCOL = "denoise_25"


def timed(restorer: Callable, pictures: dict[str, np.ndarray]) -> dict:
    """The scores of a restorer, and its processor seconds of all cores together for a megapixel."""
    spent = []

    def watched(degraded):
        start = time.process_time()
        result = restorer(degraded)
        spent.append(time.process_time() - start)
        return result

    row = scoring.score(watched, PROTOCOL, pictures)
    pixels = sum(picture[..., 0].size for picture in pictures.values())
    by_picture = {name: round(float(value), 2) for name, value in zip(row.pictures, row.psnr, strict=True)}
    return {
        "psnr": round(float(row.psnr.mean()), 3),
        "ssim": round(float(row.ssim.mean()), 4),
        "seconds_per_megapixel": round(1e6 * sum(spent) / pixels, 1),
        "psnr_by_picture": by_picture,
    }


def main() -> None:
    extras = classical.extras(PROTOCOL)
    if not extras:
        raise SystemExit("this needs the package bm3d, for non-commercial use: pip install bm3d")
    network = models.load("denoise")
    restorers = extras | {"network": lambda picture: network.predict_on_batch(picture[np.newaxis])[0]}
    pictures = {name: _restorers.grey(picture) for name, picture in scoring.test_photographs().items()}
    restorers["network"](next(iter(pictures.values())))  # compiled before the clock starts
    table = recording.read(PATH, "python benchmarks/12_bm3d.py")
    for name, restore in restorers.items():
        table.setdefault(f"{PROTOCOL}, grey", {})[name] = row = timed(restore, pictures)
        print(name, row["psnr"], row["seconds_per_megapixel"])
    recording.write(PATH, table)


if __name__ == "__main__":
    main()
