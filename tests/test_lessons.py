"""Lessons become notebooks and student copies, and nothing of a solution reaches a student."""

import errno
import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from course_utils import paths
from course_utils.cli import lessons
from course_utils.cli.errors import CourseError

SOLUTION_LINES = ("return 7 - 6", "return 8 - 7", "return 9 - 8", "return 10 - 9")  # of the fixture's four solutions


@pytest.fixture
def edit(tiny_course):
    """Change the fixture's lesson: edit(old, new)."""

    def replace(old: str, new: str) -> None:
        assert old in tiny_course.text
        tiny_course.path.write_text(tiny_course.text.replace(old, new, 1), encoding="utf-8")

    return replace


# ---- finding ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reference", ["90", "90_tiny", "lessons/90_tiny.py", "lessons\\90_tiny.py", "90_tiny.ipynb"])
def test_a_lesson_is_found_by_any_of_its_names(tiny_course, reference):
    assert lessons.find_lesson(reference) == tiny_course


def test_a_lesson_is_found_without_the_leading_zero(tiny_course):
    tiny_course.path.rename(paths.LESSONS / "02_tiny.py")
    assert {lessons.find_lesson(reference).name for reference in ("2", "02", "002")} == {"02_tiny"}


@pytest.mark.parametrize("reference", ["91", "tiny", "9", ""])
def test_an_unknown_lesson_is_answered_with_those_there_are(tiny_course, reference):
    with pytest.raises(CourseError, match=r"no lesson .*; there are: 90_tiny"):
        lessons.find_lesson(reference)


def test_a_course_without_lessons_says_so(tiny_course):
    tiny_course.path.unlink()
    with pytest.raises(CourseError, match="no lessons in"):
        lessons.find_lessons([])


def test_the_digest_does_not_depend_on_line_ends(tiny_course):
    before = tiny_course.digest
    tiny_course.path.write_bytes(tiny_course.path.read_bytes().replace(b"\n", b"\r\n"))
    assert tiny_course.digest == before


# ---- converting ------------------------------------------------------------------------------------------


def test_a_lesson_survives_the_way_to_a_notebook_and_back(tiny_course):
    import jupytext

    notebook = lessons.read_notebook(tiny_course)
    back = jupytext.reads(jupytext.writes(notebook, fmt="py:percent"), fmt="py:percent")
    cells = [(cell.cell_type, cell.source, cell.metadata.get("tags")) for cell in notebook.cells]
    assert cells == [(cell.cell_type, cell.source, cell.metadata.get("tags")) for cell in back.cells]
    assert cells[0] == (
        "markdown",
        "# 90 · Tiny\n\nWhat is the smallest lesson that keeps every rule of the house?",
        None,
    )


def test_a_notebook_says_what_lab_needs_and_where_it_comes_from(tiny_course):
    metadata = lessons.read_notebook(tiny_course).metadata
    assert metadata.kernelspec.display_name == "Python 3 (ipykernel)"
    assert metadata.language_info.name == "python"
    assert "version" not in metadata.language_info
    assert metadata.course == {"lesson": "lessons/90_tiny.py", "source_sha256": tiny_course.digest}


def test_cell_ids_are_unique_and_an_edit_changes_one(tiny_course, edit):
    edit("# %% [markdown]\n# ## Exercises", "# %%\nprint(1)\n\n# %%\nprint(1)\n\n# %% [markdown]\n# ## Exercises")
    before = [cell.id for cell in lessons.read_notebook(tiny_course).cells]
    assert len(set(before)) == len(before)
    edit("return 2 * number", "return number * 2")
    after = [cell.id for cell in lessons.read_notebook(tiny_course).cells]
    assert sum(old != new for old, new in zip(before, after, strict=True)) == 1


def test_exactly_the_solutions_are_folded(tiny_course):
    notebook = lessons.fold(lessons.read_notebook(tiny_course))
    folded = [cell.source for cell in notebook.cells if cell.metadata.get("jupyter", {}).get("source_hidden")]
    assert len(folded) == 4
    assert all(line in source for line, source in zip(SOLUTION_LINES, folded, strict=True))


def test_nothing_of_a_solution_is_left_in_a_work_copy(tiny_course):
    lessons.make_work_copies()
    text = tiny_course.work_copy.read_text(encoding="utf-8")
    assert all(line in tiny_course.text for line in SOLUTION_LINES)
    assert not any(line in text for line in (*SOLUTION_LINES, "solution", "source_hidden"))
    copy = nbformat.reads(text, as_version=4)
    solved = lessons.read_notebook(tiny_course)
    ids = {cell.id for cell in solved.cells if lessons.has_tag(cell, "solution")}
    assert len(ids) == 4 and ids.isdisjoint(cell.id for cell in copy.cells)
    assert [cell.source for cell in copy.cells] == [cell.source for cell in solved.cells if cell.id not in ids]


def test_stripping_takes_outputs_out(tiny_course):
    notebook = lessons.read_notebook(tiny_course)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.execution_count = 1
            cell.outputs = [nbformat.v4.new_output("stream", text="passed")]
    code = [cell for cell in lessons.strip_solutions(notebook).cells if cell.cell_type == "code"]
    assert code and all(cell.outputs == [] and cell.execution_count is None for cell in code)


# ---- writing ---------------------------------------------------------------------------------------------


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path):
    target = tmp_path / "page.html"
    lessons.write_atomically(target, "old")
    with pytest.raises(UnicodeEncodeError):
        lessons.write_atomically(target, "new \udfff")
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_notebook_that_is_none_is_not_written(tmp_path, tiny_course):
    notebook = lessons.read_notebook(tiny_course)
    notebook.cells[0].cell_type = "poem"
    with pytest.raises(nbformat.ValidationError):
        lessons.write_notebook(notebook, tmp_path / "bad.ipynb")
    assert not (tmp_path / "bad.ipynb").exists()


# ---- the student's copies --------------------------------------------------------------------------------


def test_copies_are_made_once_and_never_overwritten(tiny_course):
    assert lessons.make_work_copies() == [tiny_course]
    tiny_course.work_copy.write_text("my own work")
    assert lessons.make_work_copies() == []
    assert tiny_course.work_copy.read_text() == "my own work"


def test_reset_keeps_every_old_copy(tiny_course):
    assert lessons.reset_work_copy(tiny_course) is None
    kept = []
    for attempt in ("first", "second"):
        tiny_course.work_copy.write_text(attempt)
        kept.append(lessons.reset_work_copy(tiny_course))
    assert [path.read_text() for path in kept] == ["first", "second"]
    assert {path.parent for path in kept} == {paths.WORK}
    assert nbformat.read(tiny_course.work_copy, as_version=4).metadata.course.source_sha256 == tiny_course.digest


def test_a_copy_of_an_older_lesson_is_noticed(tiny_course, edit):
    lessons.make_work_copies()
    assert lessons.outdated_work_copies() == []
    edit("return 2 * number", "return number * 2")
    assert lessons.outdated_work_copies() == [tiny_course]


@pytest.mark.parametrize("content", ["", "my own work", "[]", json.dumps({"metadata": {}})])
def test_a_copy_that_says_nothing_of_its_lesson_is_let_be(tiny_course, content):
    lessons.make_work_copies()
    tiny_course.work_copy.write_text(content)
    assert lessons.outdated_work_copies() == []


def test_a_reset_that_cannot_write_a_new_copy_leaves_the_old_one(tiny_course, monkeypatch):
    paths.WORK.mkdir()
    tiny_course.work_copy.write_text("my own work")

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(lessons, "write_atomically", full)
    with pytest.raises(OSError, match="No space left"):
        lessons.reset_work_copy(tiny_course)
    assert {path: path.read_text() for path in paths.WORK.iterdir()} == {tiny_course.work_copy: "my own work"}


FULL_DISK = """
import resource, sys
from pathlib import Path
from course_utils import paths
from course_utils.cli import lessons
paths.LESSONS, paths.NOTEBOOKS, paths.WORK = map(Path, sys.argv[1:])
lesson = lessons.find_lesson("90")
text = lessons.nbformat.writes(lessons.read_notebook(lesson))
resource.setrlimit(resource.RLIMIT_FSIZE, (len(text) // 4, -1))  # a file may grow to this many bytes
lessons.reset_work_copy(lesson)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on the size of files")
@pytest.mark.parametrize("before", ["my own work", None])
def test_a_reset_that_runs_out_of_room_in_the_middle_leaves_what_was_there_and_nothing_else(tiny_course, before):
    paths.WORK.mkdir()
    if before:
        tiny_course.work_copy.write_text(before)
    folders = map(str, (paths.LESSONS, paths.NOTEBOOKS, paths.WORK))
    done = subprocess.run([sys.executable, "-c", FULL_DISK, *folders], cwd=paths.ROOT, capture_output=True, text=True)
    assert done.returncode != 0 and "File too large" in done.stderr
    assert {path: path.read_text() for path in paths.WORK.iterdir()} == (
        {tiny_course.work_copy: before} if before else {}
    )


def test_the_new_copy_is_whole_before_the_old_one_moves(tiny_course, monkeypatch):
    """A kill at any moment leaves both."""
    lessons.make_work_copies()
    fresh = tiny_course.work_copy.read_bytes()
    tiny_course.work_copy.write_text("my own work")
    rename, moments = Path.rename, []

    def note(path, target):
        moments.append({file.read_bytes() for file in paths.WORK.iterdir()})
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", note)
    lessons.reset_work_copy(tiny_course)
    assert moments == [{b"my own work", fresh}]
    assert {file.suffix for file in paths.WORK.iterdir()} == {".ipynb"}


def test_a_reset_of_a_copy_that_cannot_be_moved_leaves_it_alone(tiny_course, monkeypatch):
    """As on Windows while another program holds it."""
    paths.WORK.mkdir()
    tiny_course.work_copy.write_text("my own work")

    def held(*_):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "rename", held)
    with pytest.raises(PermissionError):
        lessons.reset_work_copy(tiny_course)
    assert {path: path.read_text() for path in paths.WORK.iterdir()} == {tiny_course.work_copy: "my own work"}


def test_a_reset_sets_a_folder_in_the_place_of_a_copy_aside(tiny_course):
    (tiny_course.work_copy / "mine").mkdir(parents=True)
    kept = lessons.reset_work_copy(tiny_course)
    assert (kept / "mine").is_dir()
    assert lessons.read_work_copy(tiny_course).cells


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no umask")
@pytest.mark.parametrize("mask", [0o077, 0o022, 0o002])
def test_copies_have_the_permissions_that_the_user_gives_new_files(tiny_course, mask):
    before = os.umask(mask)
    try:
        lessons.make_work_copies()
        assert os.umask(mask) == mask
    finally:
        os.umask(before)
    assert stat.S_IMODE(tiny_course.work_copy.stat().st_mode) == 0o666 & ~mask


@pytest.mark.parametrize("tags", ["hide-input", 'clinic", "hide-input'])
def test_drawings_are_folded_to_read_and_to_do(tiny_course, edit, tags):
    edit("# %%\ndef double(number):", f'# %% tags=["{tags}"]\ndef double(number):')
    lessons.make_work_copies()
    copy = nbformat.read(tiny_course.work_copy, as_version=4)
    for notebook in (copy, lessons.fold(lessons.read_notebook(tiny_course))):
        hidden = [cell.source for cell in notebook.cells if cell.metadata.get("jupyter", {}).get("source_hidden")]
        solutions = [cell.source for cell in notebook.cells if lessons.has_tag(cell, "solution")]
        assert set(hidden) - set(solutions) == {"def double(number):\n    return 2 * number"}
        assert (notebook is copy) == (not solutions)
