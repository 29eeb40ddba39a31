"""Lessons are executed whole, alike each time, and an error leaves what was there."""

import os
import random
import re
import signal
import subprocess
import sys
import time

import gates
import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from course_utils import paths
from course_utils.cli import execute, lessons, timings
from course_utils.cli.errors import CourseError


def run_cells(*sources: str, **options):
    """Execute a notebook of these code cells; return it."""
    notebook = new_notebook(cells=[new_markdown_cell("text"), *map(new_code_cell, sources)])
    execute.execute(notebook, "cells", paths.WORK, **options)
    return notebook


def printed(cell) -> str:
    return "".join(output.text for output in cell.outputs if output.output_type == "stream")


def test_a_built_notebook_passes_every_gate_on_notebooks(tiny_course):
    seconds = execute.build(tiny_course)
    notebook = nbformat.read(tiny_course.notebook, as_version=4)
    assert 0 < seconds < 120
    assert [problem for gate in gates.NOTEBOOK_GATES for problem in gate(notebook)] == []
    assert gates.stale(tiny_course, notebook) == []
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    verdicts = [printed(cell).strip() for cell in code if "check.e90" in cell.source]
    assert verdicts == ["not attempted yet", "passed"] * 4


def test_two_builds_are_the_same_to_the_byte(tiny_course):
    execute.build(tiny_course)
    first = tiny_course.notebook.read_bytes()
    execute.build(tiny_course)
    assert tiny_course.notebook.read_bytes() == first


def test_the_student_copy_runs_to_its_end(tiny_course, capsys):
    lessons.make_work_copies()
    assert execute.run(tiny_course, mine=True) == 0
    copy = nbformat.read(paths.WORK / "runs" / "90_tiny.ipynb", as_version=4)
    assert [printed(cell).strip() for cell in copy.cells if "check.e90" in cell.source] == ["not attempted yet"] * 4


def test_a_failing_lesson_leaves_the_old_notebook_and_the_others_are_built(tiny_course, capsys, monkeypatch):
    recorded = {}
    monkeypatch.setattr(timings, "record", recorded.__setitem__)
    broken = lessons.Lesson(paths.LESSONS / "89_broken.py")
    broken.path.write_text("# %%\nnumber = 1\n\n# %%\nnumber / 0\n")
    broken.notebook.parent.mkdir()
    broken.notebook.write_text("old")
    assert execute.build_all(lessons.all_lessons()) == 1
    assert broken.notebook.read_text() == "old"
    assert tiny_course.notebook.exists()
    assert list(recorded) == ["90_tiny"] and recorded["90_tiny"] > 0
    output = capsys.readouterr()
    assert "89_broken: code cell [2] failed" in output.err
    assert "number / 0" in output.err and "ZeroDivisionError" in output.err
    assert "\x1b" not in output.err
    assert output.out.startswith("90_tiny: ") and output.out.endswith(" s\n")


def test_run_leaves_a_notebook_and_a_page_also_after_an_error(tiny_course, capsys):
    tiny_course.path.write_text("# %%\nprint('before')\n\n# %%\n1 / 0\n\n# %%\nprint('after')\n")
    assert execute.run(tiny_course) == 1
    left = nbformat.read(paths.WORK / "runs" / "90_tiny.ipynb", as_version=4)
    assert printed(left.cells[0]) == "before\n"
    assert left.cells[1].outputs[0].ename == "ZeroDivisionError"
    assert left.cells[2].execution_count is None
    page = (paths.WORK / "runs" / "90_tiny.html").read_text(encoding="utf-8")
    assert "before" in page and "ZeroDivisionError" in page
    assert "code cell [2] failed" in capsys.readouterr().err


def test_run_mine_shows_nothing_of_an_earlier_execution(tiny_course, capsys):
    tiny_course.path.write_text("# %%\n1 / 0\n\n# %%\nprint('after')\n")
    notebook = lessons.read_notebook(tiny_course)
    notebook.cells[1].outputs = [nbformat.v4.new_output("stream", text="from yesterday")]
    lessons.write_notebook(notebook, tiny_course.work_copy)
    assert execute.run(tiny_course, mine=True) == 1
    assert "from yesterday" not in (paths.WORK / "runs" / "90_tiny.ipynb").read_text(encoding="utf-8")


def test_run_mine_without_a_copy_says_what_to_do(tiny_course):
    with pytest.raises(CourseError, match="no copy of 90_tiny yet: `course lab 90` makes one"):
        execute.run(tiny_course, mine=True)


NEWER = b'{"nbformat": 5, "nbformat_minor": 0, "metadata": {}, "cells": []}'
NO_CELLS = b'{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": null}'


@pytest.mark.parametrize("content", [None, b"", b"my own work", b"[]", b"{}", b"\xff\xfe", NEWER, NO_CELLS])
def test_run_mine_on_a_broken_copy_says_what_to_do(tiny_course, content):
    paths.WORK.mkdir()
    if content is None:
        tiny_course.work_copy.mkdir()
    else:
        tiny_course.work_copy.write_bytes(content)
    with pytest.raises(CourseError, match="no notebook any more: `course reset 90`"):
        execute.run(tiny_course, mine=True)


def test_an_error_that_is_announced_by_its_tag_does_not_stop(tiny_course):
    tiny_course.path.write_text('# %% tags=["raises-exception"]\n1 / 0\n\n# %%\nprint("after")\n')
    execute.build(tiny_course)
    assert printed(nbformat.read(tiny_course.notebook, as_version=4).cells[1]) == "after\n"


def test_a_cell_that_hangs_is_stopped(tiny_course, monkeypatch):
    monkeypatch.setattr(execute, "CELL_TIMEOUT", 2)
    with pytest.raises(
        execute.LessonFailed, match=r"code cell \[1\] failed\n.*sleep.*\nIt did not finish in 2 seconds"
    ):
        run_cells("import time; time.sleep(60)")


def test_a_kernel_that_dies_is_reported_with_its_last_words(tiny_course):
    with pytest.raises(execute.LessonFailed, match=r"(?s)code cell \[2\] failed.*kernel died.*out of memory"):
        run_cells("1", "import os; os.write(2, b'out of memory'); os._exit(1)")


def test_a_lesson_is_built_in_its_lesson_profile_on_tensorflow(tiny_course, monkeypatch):
    monkeypatch.setenv("COURSE_PROFILE", "full")
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    show = "import os\nprint(os.environ['COURSE_PROFILE'], os.environ['KERAS_BACKEND'])"
    tiny_course.path.write_text(f"# %%\n{show}\n")
    execute.build(tiny_course)
    assert printed(nbformat.read(tiny_course.notebook, as_version=4).cells[0]) == "lesson tensorflow\n"
    assert execute.run(tiny_course) == 0
    ran = nbformat.read(paths.WORK / "runs" / "90_tiny.ipynb", as_version=4)
    assert printed(ran.cells[0]) == "full jax\n"


def test_widgets_are_numbered_and_text_bars_leave_one_line(tiny_course):
    notebook = run_cells(
        "import ipywidgets\nipywidgets.IntSlider(3)",
        "import tqdm, time\nfor _ in tqdm.tqdm(range(3)):\n    time.sleep(0.2)",
    )
    shown = notebook.cells[1].outputs[0].data["application/vnd.jupyter.widget-view+json"].model_id
    models = notebook.metadata.widgets["application/vnd.jupyter.widget-state+json"].state
    assert list(models) == [f"{number:032x}" for number in range(len(models))]
    assert models[shown].model_name == "IntSliderModel" and models[shown].state.value == 3
    assert models[shown].state.layout.removeprefix("IPY_MODEL_") in models
    again = run_cells(notebook.cells[1].source)
    assert again.metadata == notebook.metadata and again.cells[1].outputs == notebook.cells[1].outputs
    assert printed(notebook.cells[2]).count("\n") == 1 and "100%" in printed(notebook.cells[2])


def test_each_stream_is_one_piece_at_its_first_place_and_output_comes_before_errors(tiny_course):
    (cell,) = run_cells(
        "import sys\nfor number in range(3):\n"
        "    print('wrong', number, file=sys.stderr, flush=True)\n    print('right', number, flush=True)\n"
        "display(4)\nprint('last', flush=True)\nprint('late', file=sys.stderr)"
    ).cells[1:]
    assert [output.get("name", output.output_type) for output in cell.outputs] == ["stdout", "stderr", "display_data"]
    assert [output.text for output in cell.outputs[:2]] == [
        "right 0\nright 1\nright 2\nlast\n",
        "wrong 0\nwrong 1\nwrong 2\nlate\n",
    ]


def test_streams_are_one_piece_also_where_a_cell_fails(tiny_course):
    notebook = new_notebook(cells=[new_code_cell("for _ in range(3):\n    print(1, flush=True)\n2 / 0")])
    with pytest.raises(execute.LessonFailed):
        execute.execute(notebook, "cells", paths.WORK)
    assert [output.output_type for output in notebook.cells[0].outputs] == ["stream", "error"]
    assert printed(notebook.cells[0]) == "1\n1\n1\n"


def test_of_lines_written_over_the_last_text_is_left():
    """However the kernel cuts the text; the expected by the one expression that nbclient searches with."""
    generator = random.Random(0)
    for _ in range(300):
        text = "".join(generator.choices("ab\r\n", (4, 1, 3, 2), k=generator.randrange(1, 16)))
        cut = generator.randrange(len(text))
        outputs = [new_output("stream", name="stdout", text=part) for part in (text[:cut], text[cut:])]
        (merged,) = execute._merge_streams(outputs)
        assert merged.text == re.sub(r".*\r(?=[^\n])", "", text), text


def test_a_line_of_five_million_characters_does_not_outlast_the_test(tiny_course):
    """A time that grew with the square of the length would be that of hours."""
    notebook = run_cells("print(5_000_000 * 'x')")
    assert printed(notebook.cells[1]) == 5_000_000 * "x" + "\n"
    assert gates.machine_paths(notebook) == []


def test_the_bar_is_quiet_in_a_log_file(tiny_course, capfd):
    run_cells("1")
    assert capfd.readouterr().err == ""


STOPPED = """
import os, sys
from pathlib import Path
from course_utils import cli, paths
paths.LESSONS, paths.NOTEBOOKS, paths.WORK = map(Path, sys.argv[1:])
sys.exit(cli.main(["run", "90"]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="uses POSIX signals")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_run_that_is_stopped_keeps_what_it_has(tiny_course, number):
    tiny_course.path.write_text(
        "# %%\nprint('before')\n\n# %%\nimport os, time\nopen('begun', 'w').close()\ntime.sleep(60)\n"
    )
    folders = map(str, (paths.LESSONS, paths.NOTEBOOKS, paths.WORK))
    environment = os.environ | {"PYTHONPATH": str(paths.ROOT)}
    process = subprocess.Popen(
        [sys.executable, "-c", STOPPED, *folders], env=environment, stderr=subprocess.PIPE, text=True
    )
    while process.poll() is None and not (paths.WORK / "begun").exists():
        time.sleep(0.1)
    process.send_signal(number)
    _, error = process.communicate(timeout=60)
    assert process.returncode == 1 and "90_tiny: stopped in code cell [2]" in error and "Traceback" not in error
    left = nbformat.read(paths.WORK / "runs" / "90_tiny.ipynb", as_version=4)
    assert printed(left.cells[0]) == "before\n" and (paths.WORK / "runs" / "90_tiny.html").exists()
