"""What all tests share: the marker of browser tests, and a tiny course to work on."""

import ctypes
import gc
import shutil
import sys
from pathlib import Path

import psutil
import pytest

from course_utils import paths
from course_utils.cli.lessons import Lesson, find_lesson

FIXTURES = Path(__file__).parent / "fixtures"
collect_ignore_glob = ["fixtures/*"]


def pytest_configure(config):
    config.addinivalue_line(
        "markers", "browser: opens JupyterLab in a real browser (left out by `course test --quick`)"
    )


# Those that take longest, most of them waiting for another process: begun first, none is left over at the end.
LONG = ("test_browser", "test_jax_backend", "test_recipes", "test_course_py", "test_benchmarks", "test_shipped_weights")
MUCH = 300e6  # bytes: what is worth the seconds that it takes to find and give back


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: LONG.index(item.path.stem) if item.path.stem in LONG else len(LONG))


@pytest.fixture(scope="module", autouse=True)
def memory_given_back():
    """A process tests many files: where one leaves much behind, it is taken away after it."""
    held = psutil.Process().memory_info
    before = held().rss
    yield
    if held().rss < before + MUCH:
        return
    for name in [name for name in sys.modules if name.startswith("course_utils.recipes.")]:
        for function in vars(sys.modules[name]).values():
            if hasattr(function, "cache_clear"):  # patches of photographs, hundreds of megabytes
                function.cache_clear()
    if "keras" in sys.modules:
        sys.modules["keras"].backend.clear_session()
    gc.collect()
    if sys.platform == "linux":
        ctypes.CDLL(None).malloc_trim(0)  # what was freed goes back to the system


@pytest.fixture
def tiny_course(tmp_path, monkeypatch) -> Lesson:
    """A course of one lesson in a folder of its own; the paths of the package point there while a test runs."""
    for name in ("LESSONS", "NOTEBOOKS", "WORK"):
        monkeypatch.setattr(paths, name, tmp_path / name.lower())
    paths.LESSONS.mkdir()
    for file in FIXTURES.glob("90_tiny.*"):
        shutil.copy(file, paths.LESSONS)
    return find_lesson("90")


@pytest.fixture
def half_precision():
    """Networks that are built meanwhile multiply in bfloat16, as with `course train --mixed-precision`."""
    import keras  # some seconds, which tests without a network are spared

    keras.config.set_dtype_policy("mixed_bfloat16")
    yield
    keras.config.set_dtype_policy("float32")
