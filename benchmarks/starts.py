"""How long the front door takes: the second start of `course.py`, and JupyterLab until it answers.

    python benchmarks/starts.py

Prints the best of three of each, with the course set up. The aims are 2 s before Python proper starts, and 10 s.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from fixtures import open_lab

from course_utils import paths


def seconds(command: list[str]) -> float:
    """Wall time of a command that prints nothing of interest."""
    started = time.perf_counter()
    subprocess.run(command, cwd=paths.ROOT, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - started


def front_door() -> float:
    """What `course.py` adds to the command that it hands over to."""
    course = Path(sys.executable).with_name("course")
    return seconds([sys.executable, "course.py", "train", "--help"]) - seconds([str(course), "train", "--help"])


def lab() -> float:
    """From `course lab` until JupyterLab answers at the printed address."""
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        with open_lab.running(Path(folder), open_lab.free_port()):
            return time.perf_counter() - started


if __name__ == "__main__":
    print(f"course.py, second start: {min(front_door() for _ in range(3)):.2f} s of its own")
    print(f"JupyterLab answers after {min(lab() for _ in range(3)):.1f} s")
