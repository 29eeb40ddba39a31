"""What all tests share: the marker of browser tests, seconds per notebook, and a tiny course to work on."""

import shutil
from collections import defaultdict
from pathlib import Path

import pytest

from course_utils import paths
from course_utils.cli.lessons import Lesson, find_lesson

FIXTURES = Path(__file__).parent / "fixtures"
collect_ignore_glob = ["fixtures/*"]


class NotebookSeconds:
    """Adds up the seconds of each notebook's cells and prints them above the closing line."""

    def __init__(self):
        self.seconds: dict[str, float] = defaultdict(float)

    def pytest_runtest_logreport(self, report):
        path = report.nodeid.split("::")[0]
        if path.endswith(".ipynb"):
            self.seconds[path] += report.duration

    def pytest_terminal_summary(self, terminalreporter):
        if not self.seconds:
            return
        terminalreporter.section("seconds of each notebook")
        for path, seconds in [*sorted(self.seconds.items()), ("all notebooks", sum(self.seconds.values()))]:
            terminalreporter.write_line(f"{seconds:8.1f} s  {path}")


def pytest_configure(config):
    config.addinivalue_line(
        "markers", "browser: opens JupyterLab in a real browser (left out by `course test --quick`)"
    )
    # Registered, since hooks of this file itself hear only of the tests beside it, not of the notebooks.
    config.pluginmanager.register(NotebookSeconds())


@pytest.fixture
def tiny_course(tmp_path, monkeypatch) -> Lesson:
    """A course of one lesson in a folder of its own; the paths of the package point there while a test runs."""
    for name in ("LESSONS", "NOTEBOOKS", "WORK"):
        monkeypatch.setattr(paths, name, tmp_path / name.lower())
    paths.LESSONS.mkdir()
    for file in FIXTURES.glob("90_tiny.*"):
        shutil.copy(file, paths.LESSONS)
    return find_lesson("90")
