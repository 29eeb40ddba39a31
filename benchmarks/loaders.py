"""Seconds that each loader of `course_utils.data` takes, checksums included, each in a process of its own.

    python benchmarks/loaders.py

Prints processor seconds, which other work on the machine does not count into. The aim is under 2 s each.
"""

import subprocess
import sys
from pathlib import Path

CALLS = ("fashion_mnist('train')", "mnist('train')", "photographs()", "paintings()", "emoji('noto')", "emoji('fluent')")
CODE = """
import sys, time
sys.path.insert(0, {root!r})
from course_utils import data
start = time.process_time()
data.{call}
print(time.process_time() - start)
"""


def seconds(call: str) -> float:
    """Processor seconds of one call in a fresh process."""
    code = CODE.format(root=str(Path(__file__).resolve().parent.parent), call=call)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return float(done.stdout)


if __name__ == "__main__":
    for call in CALLS:
        print(f"{call:24} {seconds(call):.2f} s")
