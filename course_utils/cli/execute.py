"""Executing notebooks without a browser: `course build` and `course run`."""

import asyncio
import base64
import json
import re
import sys
import tempfile
import time
from pathlib import Path
from typing import IO

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from tqdm import tqdm

from course_utils import paths
from course_utils.cli import kernel, provenance, timings
from course_utils.cli.errors import CourseError
from course_utils.cli.lessons import (
    LANGUAGE_INFO,
    Lesson,
    fold,
    read_notebook,
    read_work_copy,
    write_atomically,
    write_notebook,
)

CELL_TIMEOUT = 1800  # seconds; the longest cell of a lesson trains for three minutes on two fast cores

# What a stored notebook is made and compared with, whatever the user has set.
STORED_ENVIRONMENT = {"KERAS_BACKEND": "tensorflow", "COURSE_PROFILE": "lesson", "PYTHONHASHSEED": "0"}


class LessonFailed(CourseError):
    """A cell raised, ran out of time or killed its kernel; the notebook holds what came out until then."""


def execute(notebook: NotebookNode, name: str, folder: Path, environment: dict[str, str] | None = None) -> float:
    """Run a notebook's cells from the top in a fresh kernel, in place, with a progress bar; return the seconds taken.

    folder: the kernel's working directory. environment: variables to set besides the course's own.
    Raises LessonFailed with the cell and its traceback; the outputs so far stay in the notebook.
    """
    folder.mkdir(parents=True, exist_ok=True)
    kernel.prepare()
    variables = kernel.environment() | (environment or {})
    position = 0

    # disable=None: a bar in a terminal, nothing in a log file
    with tqdm(total=len(notebook.cells), desc=name, unit="cell", disable=None) as bar, tempfile.TemporaryFile() as log:

        def advance(cell: NotebookNode, cell_index: int) -> None:
            nonlocal position
            position = bar.n = cell_index
            bar.refresh()

        client = NotebookClient(
            notebook,
            timeout=CELL_TIMEOUT,
            kernel_name="python3",
            resources={"metadata": {"path": str(folder)}},
            record_timing=False,
            on_cell_start=advance,
        )
        started = time.perf_counter()
        try:
            client.execute(env=variables, stderr=log)
        except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
            reason = _reason(error, notebook.cells[position].source, log)
            raise LessonFailed(f"{name}: code cell [{_number(notebook, position)}] failed\n{reason}") from None
        except (AssertionError, asyncio.CancelledError) as error:
            if isinstance(error, AssertionError) and client.kc is not None:
                raise
            # A signal (Ctrl-C, a shutdown) made nbclient end the kernel, and then miss it.
            raise LessonFailed(f"{name}: stopped in code cell [{_number(notebook, position)}]") from None
        finally:
            _make_reproducible(notebook)
        bar.n = bar.total
        return time.perf_counter() - started


def _number(notebook: NotebookNode, position: int) -> int:
    """The number that a reader sees beside the code cell at this position."""
    return sum(cell.cell_type == "code" for cell in notebook.cells[: position + 1])


def _reason(error: Exception, source: str, log: IO[bytes]) -> str:
    """Show the source of a cell that failed, and why."""
    if isinstance(error, CellExecutionError):  # shows the source itself
        return re.sub(r"\x1b\[[0-9;]*m", "", str(error))
    indented = "\n".join(f"    {line}" for line in source.splitlines())
    if isinstance(error, CellTimeoutError):
        return f"{indented}\nIt did not finish in {CELL_TIMEOUT} seconds and was stopped."
    log.seek(0)
    last_words = log.read().decode(errors="replace")[-2000:]
    return f"{indented}\nIts kernel died; often the memory was full. The last it said:\n{last_words}"


def _make_reproducible(notebook: NotebookNode) -> None:
    """Take out what differs from one run to the next although nothing changed."""
    notebook.metadata.language_info = nbformat.from_dict(LANGUAGE_INFO)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = _merge_streams(cell.outputs)
    models = notebook.metadata.get("widgets", {}).get("application/vnd.jupyter.widget-state+json", {}).get("state", {})
    for model in models.values():
        if model["model_name"] == "LayoutModel":  # forty settings, nearly all of them unset
            model["state"] = {key: value for key, value in model["state"].items() if value is not None}
    # Widgets are named at random: number them instead.
    numbers = {name: f"{position:032x}" for position, name in enumerate(models)}
    a_name = r"(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])"
    text = re.sub(a_name, lambda found: numbers.get(found[0], found[0]), json.dumps(notebook))
    renamed = nbformat.from_dict(json.loads(text))
    notebook.cells, notebook.metadata = renamed.cells, renamed.metadata


def _merge_streams(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """Outputs with each stream in one piece, at the place of its first: where a kernel cuts it is chance.

    The order of standard output and error beside each other is chance, too: output comes first. nbclient's own
    `coalesce_streams` takes a time that grows with the square of a line's length, and stops at no timeout.
    """
    merged, pieces = [], {}
    for output in outputs:
        if output.output_type == "stream":
            pieces.setdefault(output.name, []).append(output.text)
        if output.output_type != "stream" or len(pieces[output.name]) == 1:
            merged.append(output)
    for place, output in enumerate(merged):
        if output.output_type == "stream":
            output.text = "\n".join(map(_last_state, "".join(pieces[output.name]).split("\n")))
            if output.name == "stdout" and place and merged[place - 1].get("name") == "stderr":
                merged[place - 1 : place + 1] = output, merged[place - 1]
    return merged


def _last_state(line: str) -> str:
    """What is left of a line that was written over from its start, as progress bars do; "\\r" may still end it."""
    return line[line.rfind("\r", 0, len(line) - 1) + 1 :]


def build(lesson: Lesson, force: bool = False) -> float | None:
    """Make the stored notebook of a lesson, drawings and solutions folded; return the seconds of its cells.

    It is executed in its lesson profile, and the notebook keeps what it was built from. Where nothing of that has
    changed, text alone is renewed and None returned, unless `force` says otherwise. The opening picture is stored in
    `notebooks/pictures/`, where the README shows it.
    Raises LessonFailed and leaves the old notebook as it was when a cell fails, or what it uses was changed meanwhile.
    """
    notebook, seconds = fold(read_notebook(lesson)), None
    stored = _stored(lesson)
    if stored and not force and not provenance.changes(lesson, notebook, stored):
        graft(stored, notebook)
    else:
        with tempfile.TemporaryDirectory() as folder:
            startup, log = provenance.write_watch(Path(folder))
            watched = STORED_ENVIRONMENT | {"PYTHONSTARTUP": str(startup)}
            began = time.time()
            seconds = execute(notebook, lesson.name, paths.NOTEBOOKS, watched)
            record = notebook.metadata.course.built_from = provenance.built_from(notebook, log)
        if changed := provenance.changed_since(began, record):
            raise LessonFailed(f"{lesson.name}: {shortened(changed)} changed while it was built: build it again")
    write_notebook(notebook, lesson.notebook)
    if picture := opening_picture(notebook):
        target = stored_picture(lesson)
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(picture)
    return seconds


def _stored(lesson: Lesson) -> NotebookNode | None:
    """The notebook of a lesson that was built before; None where there is none that can be read."""
    try:
        return nbformat.read(lesson.notebook, as_version=4)
    except (OSError, UnicodeDecodeError, nbformat.reader.NotJSONError, nbformat.ValidationError):
        return None


def graft(stored: NotebookNode, notebook: NotebookNode) -> None:
    """Put what a stored notebook's execution left into a fresh one with the same code."""
    old, new = ([cell for cell in book.cells if cell.cell_type == "code"] for book in (stored, notebook))
    for before, after in zip(old, new, strict=True):
        after.outputs, after.execution_count = before.outputs, before.execution_count
    notebook.metadata.course.built_from = stored.metadata.course.built_from
    if "widgets" in stored.metadata:
        notebook.metadata.widgets = stored.metadata.widgets


def opening_picture(notebook: NotebookNode) -> bytes | None:
    """The first picture among a notebook's outputs, as the bytes of a WebP file, or None."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            found = re.search(r'src="data:image/webp;base64,([^"]+)"', output.get("data", {}).get("text/html", ""))
            if found:
                return base64.b64decode(found[1])
    return None


def stored_picture(lesson: Lesson) -> Path:
    """Where the opening picture of a lesson lies."""
    return lesson.notebook.parent / "pictures" / f"{lesson.name}.webp"


def out_of_date(lessons: list[Lesson]) -> dict[Lesson, list[str]]:
    """The lessons whose notebook a build would change, with what has changed since it was built."""
    found = {}
    for lesson in lessons:
        stored = _stored(lesson)
        if stored is None:
            found[lesson] = ["it was never built, or cannot be read"]
            continue
        reasons = provenance.changes(lesson, fold(read_notebook(lesson)), stored)
        if not reasons and stored.metadata.course.source_sha256 != lesson.digest:
            reasons = ["text alone"]
        if reasons:
            found[lesson] = reasons
    return found


def build_all(lessons: list[Lesson], force: bool = False) -> int:
    """Build lessons one after another; return how many failed, each with its reason on the error stream."""
    failed = 0
    for lesson in lessons:
        try:
            seconds = build(lesson, force)
        except LessonFailed as error:
            failed += 1
            print(f"{error}\n{lesson.notebook.name} is left as it was.", file=sys.stderr)
        else:
            if seconds is not None:
                timings.record(lesson.name, seconds)
            done = "text renewed, nothing else has changed" if seconds is None else f"{seconds:.1f} s"
            print(f"{lesson.name}: {done}", flush=True)
    return failed


def build_stale(lessons: list[Lesson]) -> int:
    """Build what is out of date; say what that is, why, and what the last builds took. Returns how many failed."""
    stale = out_of_date(lessons)
    if not stale:
        print("every notebook is what a build would make")
    for lesson, reasons in stale.items():
        seconds = 0 if reasons == ["text alone"] else timings.read().get(lesson.name, {}).get("seconds", 0)
        print(f"{lesson.name} ({seconds / 60:.1f} min when it was last built): {shortened(reasons)}", flush=True)
    return build_all(list(stale))


def shortened(reasons: list[str], most: int = 4) -> str:
    """A list in words, cut off after the first few."""
    more = f" and {len(reasons) - most} more" if len(reasons) > most else ""
    return ", ".join(reasons[:most]) + more


def run(lesson: Lesson, mine: bool = False) -> int:
    """Execute a lesson, or the student's own copy, and leave notebook and HTML page in `work/runs/`.

    Returns the exit status: 1 when a cell failed (the page then shows how far it came).
    """
    notebook = read_work_copy(lesson) if mine else fold(read_notebook(lesson))
    status, target = 0, paths.WORK / "runs" / lesson.name
    try:
        seconds = execute(notebook, lesson.name, paths.WORK)
        print(f"{lesson.name}: {seconds:.1f} s")
    except LessonFailed as error:
        status = 1
        print(error, file=sys.stderr)
    write_notebook(notebook, target.with_suffix(".ipynb"))
    write_atomically(target.with_suffix(".html"), _html_page(notebook, lesson.name))
    print(f"notebook: {target.with_suffix('.ipynb')}\npage:     {target.with_suffix('.html')}")
    return status


def _html_page(notebook: NotebookNode, title: str) -> str:
    """One page that holds its pictures, linked ones too."""
    from nbconvert import HTMLExporter

    resources = {"metadata": {"name": title, "path": str(paths.NOTEBOOKS)}}
    return HTMLExporter(embed_images=True).from_notebook_node(notebook, resources=resources)[0]
