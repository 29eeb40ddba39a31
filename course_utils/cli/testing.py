"""`course test`: the tests of the package, and the stored notebooks, each executed again and compared."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from course_utils import paths
from course_utils.cli import execute, kernel
from course_utils.cli.execute import STORED_ENVIRONMENT
from course_utils.cli.lessons import Lesson, all_lessons

PYTEST = (sys.executable, "-m", "pytest", "--verbosity=0", "--continue-on-collection-errors", "-p", "tests.seconds")
SIDE_BY_SIDE = ("-n", str(min(2, os.cpu_count() or 1)), "--dist", "loadscope")  # a file stays in one process
AS_COLLECTED = "--no-loadscope-reorder"  # files are begun in the order of tests/conftest.py, notebooks by their cells
# Of two processes side by side each computes on one core.
ONE_THREAD = {name: "1" for name in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS")}
CELL_TIMEOUT = {"smoke": 600, "lesson": 1800}  # seconds of the longest cell, on the slowest machine we know


def run_tests(quick: bool = False) -> int:
    """Run every test, or with `quick` those that need neither notebooks nor a browser; return the exit status.

    The notebooks are compared at smoke length: trainings are cut short, all else is as in the lesson. Each part says
    how long it took, and a part that finds no test fails.
    """
    options = ["-m", "not browser"] if quick else []
    with _part("the package"):
        failed = _pytest([*SIDE_BY_SIDE, AS_COLLECTED, *options, "tests"], ONE_THREAD)
    if not quick:
        failed = compare_notebooks([paths.NOTEBOOKS], "smoke") or failed
    tell_outdated(all_lessons())
    return failed


def run_full_tests(lessons: list[Lesson]) -> int:
    """Compare the stored notebooks of these lessons with a run at lesson length, one after another, bands included.

    Refuses notebooks that were built with older helpers or data: what they store is not what the course prints now.
    """
    if tell_outdated(lessons):
        return 1
    return compare_notebooks([lesson.notebook for lesson in lessons], "lesson")


def compare_notebooks(notebooks: list[Path], length: str) -> int:
    """Execute stored notebooks (files or folders) again and compare; return the exit status.

    length: "smoke", two at a time, or "lesson", where each has the machine to itself.
    A process of its own does it, which has imported no test: a kernel has the environment of that process.
    """
    with _part(f"notebooks at {length} length"), notebook_options(length) as options:
        together = SIDE_BY_SIDE if length == "smoke" else ()
        return _pytest([*together, *options, *map(str, notebooks)], {"COURSE_PROFILE": length})


def tell_outdated(lessons: list[Lesson]) -> bool:
    """List the notebooks that are out of date, and why; return whether there are any."""
    stale = execute.out_of_date(lessons)
    for lesson, reasons in stale.items():
        print(f"{lesson.notebook.name} is out of date ({execute.shortened(reasons)}): course build --stale")
    return bool(stale)


@contextmanager
def notebook_options(length: str) -> Iterator[list[str]]:
    """What pytest is told so that it runs stored notebooks again and compares them; holds while the context does."""
    rules = (paths.ROOT / "tests" / "nbval_sanitize.cfg").read_text(encoding="utf-8")
    if length == "smoke":  # first, since they are written for the text as it was printed
        rules = (paths.ROOT / "tests" / "nbval_sanitize_smoke.cfg").read_text(encoding="utf-8") + rules
    with tempfile.TemporaryDirectory() as folder:
        sanitize = Path(folder) / "sanitize.cfg"  # nbval takes one file
        sanitize.write_text(rules, encoding="utf-8")
        yield [
            "--nbval",
            "--nbval-current-env",
            f"--nbval-cell-timeout={CELL_TIMEOUT[length]}",
            f"--nbval-sanitize-with={sanitize}",
        ]


def _pytest(arguments: list[str], settings: dict[str, str]) -> int:
    """Run one pytest in the environment of stored notebooks, changed by `settings`.

    Where Python is told to write no bytecode, each of some sixty processes would compile TensorFlow anew, for ten
    seconds: it writes to a folder that goes again.
    """
    kernel.prepare()
    environment = kernel.environment() | STORED_ENVIRONMENT | settings
    with tempfile.TemporaryDirectory() as bytecode:
        if environment.pop("PYTHONDONTWRITEBYTECODE", ""):
            environment["PYTHONPYCACHEPREFIX"] = bytecode
        return subprocess.run([*PYTEST, *arguments], cwd=paths.ROOT, env=environment).returncode


@contextmanager
def _part(name: str) -> Iterator[None]:
    """Announce a part of the tests, and say how long it took."""
    print(f"== {name}", flush=True)
    started = time.monotonic()
    yield
    print(f"== {name}: {time.monotonic() - started:.0f} s", flush=True)
