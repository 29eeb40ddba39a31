"""Lessons and what is made from them: the notebook to read, and the student's copy to do.

A lesson is a Python file of cells (jupytext's percent format). `read_notebook` converts it; `fold`
and `strip_solutions` make the two kinds of notebook; `write_notebook` is the only way a notebook gets to disk.
"""

import hashlib
import json
import os
import re
import tempfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from course_utils import paths
from course_utils.cli.errors import CourseError

FOLDED = ("solution", "hide-input")  # tags of the cells whose code is folded away: solutions, and what only draws
KERNELSPEC = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
# Without the version of Python, which differs from machine to machine.
LANGUAGE_INFO = {
    "codemirror_mode": {"name": "ipython", "version": 3},
    "file_extension": ".py",
    "mimetype": "text/x-python",
    "name": "python",
    "nbconvert_exporter": "python",
    "pygments_lexer": "ipython3",
}


@dataclass(frozen=True)
class Lesson:
    """One lesson file, `NN_topic.py`, and where the things made from it lie."""

    path: Path

    @property
    def name(self) -> str:
        """`02_convolution`"""
        return self.path.stem

    @property
    def number(self) -> int:
        return int(self.name.split("_")[0])

    @property
    def notebook(self) -> Path:
        """The executed notebook with folded solutions."""
        return paths.NOTEBOOKS / f"{self.name}.ipynb"

    @property
    def work_copy(self) -> Path:
        """The student's own notebook, without solutions."""
        return paths.WORK / f"{self.name}.ipynb"

    @property
    def instructor_page(self) -> Path:
        return self.path.with_suffix(".instructor.md")

    @property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @property
    def digest(self) -> str:
        """SHA-256 of the lesson's text, the same whichever line ends the checkout uses."""
        return hashlib.sha256(self.text.encode("utf-8")).hexdigest()


def all_lessons() -> list[Lesson]:
    """Every lesson, in order."""
    return [Lesson(path) for path in sorted(paths.LESSONS.glob("[0-9][0-9]_*.py"))]


def find_lesson(reference: str) -> Lesson:
    """The lesson meant by `2`, `02`, `02_convolution` or `lessons/02_convolution.py`.

    Raises CourseError, which lists the lessons there are, when none fits.
    """
    name = re.sub(r"\.(py|ipynb)$", "", reference.replace("\\", "/").rsplit("/", 1)[-1])
    lessons = all_lessons()
    for lesson in lessons:
        if name == lesson.name or (name.isdecimal() and int(name) == lesson.number):
            return lesson
    names = ", ".join(lesson.name for lesson in lessons) or f"none in {paths.LESSONS}"
    raise CourseError(f"there is no lesson {reference!r}; there are: {names}")


def find_lessons(references: list[str]) -> list[Lesson]:
    """The lessons meant by the references, or every lesson when there are none.

    Raises CourseError where one is unknown, or there are none at all.
    """
    found = [find_lesson(reference) for reference in references] or all_lessons()
    if not found:
        raise CourseError(f"there are no lessons in {paths.LESSONS}: is this folder a whole copy of the course?")
    return found


def has_tag(cell: NotebookNode, *tags: str) -> bool:
    """Whether a cell carries at least one of the tags."""
    return not set(tags).isdisjoint(cell.metadata.get("tags", []))


def read_notebook(lesson: Lesson) -> NotebookNode:
    """Convert a lesson to a notebook without outputs, solutions still in the open."""
    import jupytext

    notebook = jupytext.reads(lesson.text, fmt="py:percent")
    notebook.metadata = nbformat.from_dict(
        {
            "kernelspec": KERNELSPEC,
            "language_info": LANGUAGE_INFO,
            "course": {"lesson": f"lessons/{lesson.path.name}", "source_sha256": lesson.digest},
        }
    )
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    for cell, cell_id in zip(notebook.cells, _cell_ids(notebook), strict=True):
        cell.id = cell_id
        cell.metadata = nbformat.from_dict({"tags": cell.metadata["tags"]} if "tags" in cell.metadata else {})
    return notebook


def _cell_ids(notebook: NotebookNode) -> list[str]:
    """An id for each cell that depends on its own text only, so that an edit changes one id and a diff stays small."""
    seen: dict[str, int] = {}
    ids = []
    for cell in notebook.cells:
        digest = hashlib.sha256(f"{cell.cell_type}\n{cell.source}".encode()).hexdigest()[:12]
        seen[digest] = seen.get(digest, 0) + 1
        ids.append(digest if seen[digest] == 1 else f"{digest}-{seen[digest]}")
    return ids


def fold(notebook: NotebookNode) -> NotebookNode:
    """Fold the code of solutions and drawings away: JupyterLab shows a bar to click on. Changes the notebook."""
    for cell in notebook.cells:
        if has_tag(cell, *FOLDED):
            cell.metadata.jupyter = {"source_hidden": True}
    return notebook


def strip_solutions(notebook: NotebookNode) -> NotebookNode:
    """Take the solution cells and all outputs out, and fold the drawings. Changes the notebook."""
    notebook.cells = [cell for cell in notebook.cells if not has_tag(cell, "solution")]
    return clear_outputs(fold(notebook))


def clear_outputs(notebook: NotebookNode) -> NotebookNode:
    """Take all that an execution leaves out. Changes the notebook."""
    notebook.metadata.pop("widgets", None)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return notebook


def write_atomically(path: Path, text: str) -> None:
    """Write a text file so that a reader finds either the old one or the new one, whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, part = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        Path(part).chmod(0o666 & ~_umask())  # mkstemp lets nobody but the owner read
        Path(part).replace(path)
    finally:
        Path(part).unlink(missing_ok=True)


def _umask() -> int:
    """What new files of this process are not permitted; there is no way to ask for it but to set it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def write_notebook(notebook: NotebookNode, path: Path) -> None:
    """Check a notebook against its format and write it, whole or not at all."""
    nbformat.validate(notebook)
    write_atomically(path, nbformat.writes(notebook) + "\n")


def read_work_copy(lesson: Lesson) -> NotebookNode:
    """The student's own notebook, without its outputs. Raises CourseError when there is none that can be read."""
    number = f"{lesson.number:02d}"
    if not lesson.work_copy.exists():
        raise CourseError(f"you have no copy of {lesson.name} yet: `course lab {number}` makes one")
    try:
        notebook = nbformat.read(lesson.work_copy, as_version=4)
        nbformat.validate(notebook)
        return clear_outputs(notebook)
    except Exception as error:  # whatever nbformat stumbles over: its errors are of many kinds
        raise CourseError(
            f"{lesson.work_copy} is no notebook any more: `course reset {number}` makes a new one and keeps this one"
        ) from error


def make_work_copy(lesson: Lesson, path: Path | None = None) -> None:
    """Write the student's copy of a lesson to its place, or to another path, over whatever is there."""
    write_notebook(strip_solutions(read_notebook(lesson)), path or lesson.work_copy)


def make_work_copies() -> list[Lesson]:
    """Give the student a copy of each lesson that has none yet; return the lessons copied."""
    missing = [lesson for lesson in all_lessons() if not lesson.work_copy.exists()]
    for lesson in missing:
        make_work_copy(lesson)
    return missing


def outdated_work_copies() -> list[Lesson]:
    """The lessons that have changed since the student's copy was made."""
    return [lesson for lesson in all_lessons() if lesson.work_copy.exists() and not _is_current(lesson)]


def _is_current(lesson: Lesson) -> bool:
    """Whether the student's copy was made from the lesson as it is now; one that cannot be read counts as current."""
    try:
        copy = json.loads(lesson.work_copy.read_text(encoding="utf-8"))
        return copy["metadata"]["course"]["source_sha256"] == lesson.digest
    except (ValueError, KeyError, TypeError, OSError):
        return True


def reset_work_copy(lesson: Lesson) -> Path | None:
    """Renew the student's copy; return where the old one is kept, or None when there was none.

    The new one is whole on the disk before the old one moves: where it cannot be written, the old one stays.
    """
    new, kept = lesson.work_copy.with_suffix(".new"), None
    make_work_copy(lesson, new)
    try:
        if lesson.work_copy.exists():
            stamp = datetime.now().strftime("%Y-%m-%d_%H%M%S_%f")
            kept = lesson.work_copy.rename(lesson.work_copy.with_name(f"{lesson.name}.{stamp}.ipynb"))
        new.replace(lesson.work_copy)
    finally:
        new.unlink(missing_ok=True)
    return kept
