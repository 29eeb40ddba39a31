"""How the classical restorers of lesson 12 got their settings: all that was tried, on the validation photographs.

    python benchmarks/12_classical.py    writes benchmarks/12_classical.json (about 10 minutes of one core)

Each restorer is scored as `course score` does, under the fixed protocols, on the middle 160x160 pixels of each of the
21 validation photographs that restoration uses. The best of each goes into course_utils/classical/settings.py by hand.
What stands in the file already is kept. Larger windows for NL means and more shifts for wavelets were left out for the
time they take: the table of 31 photographs should take minutes.
"""

import itertools
import json
import re
import sys
from datetime import date
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np

from course_utils import classical, machine, paths, scoring

SIDE = 160
TRIED = {  # every combination of the values of a restorer
    "mean": {"size": (3, 5, 7)},
    "Gaussian": {"width": (0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.2, 1.4, 1.7)},
    "median": {"size": (3, 5, 7)},
    "wavelet": {
        "wavelet": ("haar", "db2", "sym4"),
        "method": ("BayesShrink", "VisuShrink"),
        "share": (0.35, 0.5, 1.0),
        "shifts": (0, 2),
    },
    "NL means": {
        "patch_size": (3, 5, 7),
        "patch_distance": (5, 8),
        "strength": (0.3, 0.4, 0.5, 0.6, 0.7, 0.8),
    },
    "Wiener": {"balance": (0.001, 0.002, 0.003, 0.004, 0.005, 0.006, 0.008, 0.01, 0.015)},
    "Richardson-Lucy": {"iterations": (5, 10, 20, 30, 40, 60, 90)},
    "harmonic": {},
    "biharmonic": {},
}
TASKS = ("denoise_15", "denoise_25", "denoise_50", "deblur_gaussian", "deblur_motion", "deblur_defocus")
TASKS += ("inpaint_rectangles", "inpaint_free_form", "inpaint_scratches")


def pictures() -> dict[str, np.ndarray]:
    """The middles of the validation photographs, by name, float32 (160, 160, 3)."""
    return {name: _middle(photograph) for name, photograph in scoring.photographs("validation").items()}


def _middle(picture: np.ndarray) -> np.ndarray:
    top, left = ((length - SIDE) // 2 for length in picture.shape[:2])
    return picture[top : top + SIDE, left : left + SIDE]


def settings(name: str) -> list[dict]:
    """All settings of a restorer that are tried."""
    return [dict(zip(TRIED[name], values, strict=True)) for values in itertools.product(*TRIED[name].values())]


def result(protocol: str, name: str, chosen: dict, shown: dict[str, np.ndarray]) -> dict:
    """What one restorer reached with these settings: its mean PSNR in dB, and that of the first three pictures."""
    found = scoring.score(classical.with_settings(protocol, name, chosen), protocol, shown).psnr
    return {"settings": chosen, "psnr": round(found.mean(), 3), "first": [round(value, 3) for value in found[:3]]}


def main() -> None:
    path, shown = paths.BENCHMARKS / "12_classical.json", pictures()
    known = json.loads(path.read_text())["protocols"] if path.exists() else {}
    results = {}
    for protocol in TASKS:
        results[protocol] = {}
        for name in classical.methods(protocol):
            before = known.get(protocol, {}).get(name, {"tried": []})["tried"]
            before = {json.dumps(entry["settings"]): entry for entry in before}
            tried = [
                before.get(json.dumps(chosen)) or result(protocol, name, chosen, shown) for chosen in settings(name)
            ]
            best = max(tried, key=lambda entry: entry["psnr"])
            results[protocol][name] = {"best": best, "tried": tried}
            print(protocol, name, best["psnr"], best["settings"], flush=True)
    table = {
        "command": "python benchmarks/12_classical.py",
        "device": machine.device(),
        "date": date.today().isoformat(),
        "measured": f"the middle {SIDE}x{SIDE} pixels of {len(shown)} validation photographs, RGB, to the border",
        "protocols": results,
    }
    path.write_text(_lines(table) + "\n")


def _lines(table: dict) -> str:
    """JSON with a line for each setting that was tried."""
    text = json.dumps(table, indent=1)
    return re.sub(r'\{\s+"settings":[^{}]*\{[^{}]*\}[^{}]*\}', lambda entry: re.sub(r"\s+", " ", entry[0]), text)


if __name__ == "__main__":
    main()
