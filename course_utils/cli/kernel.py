"""What every kernel of the course is started with, in JupyterLab, by `course run` and `build`, and in the tests."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# Set where the user has not set them: KERAS_BACKEND=jax remains the user's to choose.
ENVIRONMENT = {
    "KERAS_BACKEND": "tensorflow",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "JUPYTER_PREFER_ENV_PATH": "1",  # the kernel of this environment, not one of the user's others
    "PYDEVD_DISABLE_FILE_VALIDATION": "1",  # no debugger warning at the start of each kernel
    "PYTHONUTF8": "1",  # read text files alike on every system
}

CONFIGURATION = '''\
"""Written by the course: keep the log lines of TensorFlow's C++ code out of the cells."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
settings = get_config().IPKernelApp
settings.capture_fd_output = False  # C++ writes to the terminal, Python to the cell
settings.log_level = "ERROR"
'''


def prepare() -> Path:
    """Write the configuration that IPython reads in this environment, where it is not there yet; return its path.

    It holds for kernels that editors and notebook tests start, too. An environment that cannot be written to keeps
    its own: cells may then show log lines.
    """
    path = Path(sys.prefix) / "etc" / "ipython" / "ipython_kernel_config.py"
    write_if_different(path, CONFIGURATION)
    return path


def write_if_different(path: Path, text: str) -> None:
    """Write a text file, unless it says that already or the environment is somebody else's."""
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError:  # as in a folder that may only be read
        print(f"cannot write {path}: going on without it", file=sys.stderr)


def environment() -> dict[str, str]:
    """The variables for a process of the course: those of this one, completed by the course's."""
    return ENVIRONMENT | dict(os.environ)


@contextmanager
def native_logs_hidden() -> Iterator[None]:
    """Keep what C++ code writes to the error stream off the terminal; Python's own `sys.stderr` is hidden too."""
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with Path(os.devnull).open("w") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
