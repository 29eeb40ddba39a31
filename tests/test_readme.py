"""The README's lesson map and pictures are those of the notebooks."""

import re

import nbformat
import pytest

from course_utils import paths
from course_utils.cli import execute, lessons, timings

LESSONS = {lesson.name: lesson for lesson in lessons.all_lessons()}
ROW = re.compile(
    r"^\| \[(?P<title>.+?)\]\(notebooks/(?P<name>\w+)\.ipynb\) \| (?P<minutes>[\d.]+) \| (?P<result>.+) \|$"
)


def _rows() -> dict[str, re.Match]:
    lines = (paths.ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    return {row["name"]: row for row in map(ROW.match, lines) if row}


def _notebook(name: str):
    return nbformat.read(LESSONS[name].notebook, as_version=4)


def test_the_map_has_every_lesson():
    assert sorted(_rows()) == sorted(LESSONS)


@pytest.mark.parametrize("name", LESSONS)
def test_the_minutes_are_the_measured_ones(name):
    assert _rows()[name]["minutes"] == f"{timings.read()[name]['seconds'] / 60:.1f}"


@pytest.mark.parametrize("name", LESSONS)
def test_titles_and_results_stand_in_the_notebook(name):
    notebook, row = _notebook(name), _rows()[name]
    assert notebook.cells[0].source.startswith(f"# {row['title']}\n")
    printed = "".join(output.get("text", "") for cell in notebook.cells for output in cell.get("outputs", []))
    for number in re.findall(r"≈\S*\d", row["result"]):
        assert number in printed, f"{number} is in the README but no cell of {name} prints it"


@pytest.mark.parametrize("name", LESSONS)
def test_the_stored_picture_is_the_notebooks_first(name):
    assert execute.stored_picture(LESSONS[name]).read_bytes() == execute.opening_picture(_notebook(name))
