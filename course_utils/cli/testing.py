"""`course test`: one pytest over the package, the style, the gates and the stored notebooks."""

import subprocess
import sys

from course_utils import paths
from course_utils.cli import kernel
from course_utils.cli.execute import CELL_TIMEOUT, STORED_ENVIRONMENT


def run_tests(quick: bool = False) -> int:
    """Run every test, or with `quick` those that need neither notebooks nor a browser; return the exit status.

    One pytest runs them all, so that its closing line counts everything; `tests/conftest.py` adds the seconds
    of each notebook above that line. A run that finds no test fails.
    """
    pytest = [sys.executable, "-m", "pytest", "--verbosity=0", "--continue-on-collection-errors", "tests"]
    options = ["-m", "not browser"] if quick else [*notebook_options(), "notebooks"]
    kernel.prepare()
    environment = kernel.environment() | STORED_ENVIRONMENT
    return subprocess.run([*pytest, *options], cwd=paths.ROOT, env=environment).returncode


def notebook_options() -> list[str]:
    """What pytest is told so that it runs stored notebooks again and compares."""
    return [
        "--nbval",
        "--nbval-current-env",
        f"--nbval-cell-timeout={CELL_TIMEOUT}",
        f"--nbval-sanitize-with={paths.ROOT / 'tests' / 'nbval_sanitize.cfg'}",
    ]
