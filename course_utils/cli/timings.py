"""How long each lesson takes: measured where the notebooks are built, scaled to the machine at hand by `course doctor`.

`notebooks/timings.json` has for each lesson the seconds it took and the speed of the machine then, a rate of
float32 matrix products on the CPU: {"02_convolution": {"seconds": 41.2, "gigaflops": 290.0}}.
"""

import json
import os
import subprocess
import sys
import time

from course_utils import paths
from course_utils.cli import kernel

MATRIX_SIZE = 1024
OPERATIONS = 2 * MATRIX_SIZE**3  # a multiplication and an addition for each of size x size x size terms


def record(lesson: str, seconds: float) -> None:
    """Note the seconds a lesson took on this machine in `notebooks/timings.json`."""
    lessons = read() | {lesson: {"seconds": round(seconds, 1), "gigaflops": round(_speed_of_this_machine(), 1)}}
    paths.NOTEBOOKS.mkdir(exist_ok=True)
    _file().write_text(json.dumps(lessons, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def read() -> dict[str, dict[str, float]]:
    """The seconds and the machine's speed for each lesson built so far."""
    return json.loads(_file().read_text(encoding="utf-8")) if _file().exists() else {}


def estimate(gigaflops: float) -> dict[str, float]:
    """Seconds to expect of each lesson on a machine of this speed, in proportion to the measured ones.

    A rough guide: reading files and drawing do not scale with matrix products.
    """
    return {name: known["seconds"] * known["gigaflops"] / gigaflops for name, known in sorted(read().items())}


def gigaflops(seconds: float = 1.0) -> float:
    """Rate of float32 matrix products on this machine's CPU in 10^9 operations a second, by TensorFlow.

    Products are repeated for about `seconds`; the best rate is returned, which other programs disturb least.
    """
    import tensorflow as tf

    with tf.device("CPU"):
        matrix = tf.random.stateless_normal((MATRIX_SIZE, MATRIX_SIZE), seed=(0, 0))
        tf.linalg.matmul(matrix, matrix).numpy()  # the first is slower
        rates, end = [], time.perf_counter() + seconds
        while time.perf_counter() < end:
            started = time.perf_counter()
            tf.linalg.matmul(matrix, matrix).numpy()  # numpy() waits for the result
            rates.append(OPERATIONS / (time.perf_counter() - started) / 1e9)
    return max(rates)


def _speed_of_this_machine() -> float:
    """`gigaflops`, measured in a process of its own: TensorFlow stays out of this one."""
    code = "from course_utils.cli.timings import gigaflops; print(gigaflops())"
    environment = kernel.environment() | {"PYTHONPATH": os.pathsep.join([str(paths.ROOT), *sys.path])}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    return float(done.stdout)


def _file():
    return paths.NOTEBOOKS / "timings.json"
