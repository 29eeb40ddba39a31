"""The command line: what it is asked for reaches the right place, and what it cannot do it says."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from course_utils import cli, paths, recipes
from course_utils.cli import execute, lab, lessons, restore, testing
from course_utils.cli.errors import CourseError

COMMANDS = ("lab", "run", "reset", "build", "test", "doctor", "train", "data")


@pytest.fixture
def calls(monkeypatch):
    """Stand in for what a command starts: stand_in(module, name, result) notes the calls and returns them."""

    def stand_in(module, name, result=None):
        noted = []

        def note(*arguments, **keywords):
            noted.append((*arguments, keywords))
            if isinstance(result, BaseException):
                raise result
            return result

        monkeypatch.setattr(module, name, note)
        return noted

    return stand_in


# ---- help ------------------------------------------------------------------------------------------------


def test_help_names_every_command_with_an_explanation(capsys):
    with pytest.raises(SystemExit) as end:
        cli.main(["--help"])
    lines = [line.split(None, 1) for line in capsys.readouterr().out.splitlines() if line.startswith("    ")]
    explained = {words[0]: words[1] for words in lines if len(words) == 2}
    assert end.value.code == 0
    assert all(len(explained[command].split()) >= 4 for command in COMMANDS)


@pytest.mark.parametrize("command", [*([command] for command in COMMANDS), ["data", "restore"]], ids=" ".join)
def test_each_command_has_its_own_help(command, capsys):
    with pytest.raises(SystemExit) as end:
        cli.main([*command, "--help"])
    assert end.value.code == 0
    assert f"usage: course {' '.join(command)}" in capsys.readouterr().out


def test_help_imports_nothing_that_takes_time():
    code = (
        "import sys\nfrom course_utils import cli\n"
        "try: cli.main(['--help'])\nexcept SystemExit: pass\n"
        "import json; print(); print(json.dumps(sorted({name.split('.')[0] for name in sys.modules})))"
    )
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=paths.ROOT, check=True)
    loaded = set(json.loads(output.stdout.splitlines()[-1]))
    assert loaded.isdisjoint({"numpy", "tensorflow", "keras", "nbformat", "nbclient", "jupytext", "jupyterlab", "tqdm"})


def test_the_help_of_train_names_every_recipe(capsys):
    with pytest.raises(SystemExit):
        cli.main(["train", "--help"])
    *first, last = recipes.names()
    assert f"NAME {', '.join(first)} or {last} options:" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    "arguments", [[], ["train"], ["run"], ["data"], ["test", "--slow"], ["test", "--quick", "--full"]]
)
def test_what_is_no_command_ends_with_status_2(arguments, capsys):
    with pytest.raises(SystemExit) as end:
        cli.main(arguments)
    assert end.value.code == 2
    assert "usage: course" in capsys.readouterr().err


# ---- commands --------------------------------------------------------------------------------------------


def test_lab_copies_the_lessons_and_opens_the_first(tiny_course, calls, capsys):
    started = calls(lab, "start_lab", 0)
    assert cli.main(["lab"]) == 0
    assert tiny_course.work_copy.exists()
    assert started == [(tiny_course.work_copy, {"browser": True, "port": None})]
    assert cli.main(["lab", "90", "--no-browser", "--port", "9999"]) == 0
    assert started[1] == (tiny_course.work_copy, {"browser": False, "port": 9999})
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("port", ["0", "-5", "99999", "8888.5", "http"])
def test_a_port_where_nothing_can_listen_is_refused(tiny_course, calls, capsys, port):
    started = calls(lab, "start_lab", 0)
    with pytest.raises(SystemExit) as end:
        cli.main(["lab", f"--port={port}"])
    assert end.value.code == 2 and started == []
    assert f"a port is a number from 1 to 65535, got {port}" in capsys.readouterr().err


NEWER = b'{"nbformat": 5, "nbformat_minor": 0, "metadata": {}, "cells": []}'
NO_CELLS = b'{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": null}'


@pytest.mark.parametrize("content", [None, b"", b"my own work", b"\xff\xfe", NEWER, NO_CELLS])
def test_lab_says_how_to_renew_a_copy_that_cannot_be_opened_and_opens_all_the_same(tiny_course, calls, capsys, content):
    started = calls(lab, "start_lab", 0)
    paths.WORK.mkdir()
    if content is None:
        tiny_course.work_copy.mkdir()
    else:
        tiny_course.work_copy.write_bytes(content)
    assert cli.main(["lab"]) == 0
    assert capsys.readouterr().out == (
        f"{tiny_course.work_copy} is no notebook any more: `course reset 90` makes a new one and keeps this one\n"
    )
    assert started == [(tiny_course.work_copy, {"browser": True, "port": None})]
    assert tiny_course.work_copy.is_dir() or tiny_course.work_copy.read_bytes() == content


def test_lab_keeps_the_student_copy_and_says_when_it_is_old(tiny_course, calls, capsys):
    calls(lab, "start_lab", 0)
    lessons.make_work_copies()
    before = tiny_course.work_copy.read_bytes()
    tiny_course.path.write_text(tiny_course.text + "\n# %%\n1\n", encoding="utf-8")
    cli.main(["lab"])
    assert tiny_course.work_copy.read_bytes() == before
    assert capsys.readouterr().out == "90_tiny has changed since your copy was made; `course reset 90` renews it.\n"


def test_reset_says_where_the_new_and_the_old_copy_are(tiny_course, capsys):
    assert cli.main(["reset", "90"]) == 0
    assert capsys.readouterr().out == f"new copy: {tiny_course.work_copy}\n"
    tiny_course.work_copy.write_text("my own work")
    assert cli.main(["reset", "90"]) == 0
    old = [path for path in paths.WORK.iterdir() if path != tiny_course.work_copy]
    assert [path.read_text() for path in old] == ["my own work"]
    assert capsys.readouterr().out == f"new copy: {tiny_course.work_copy}\nold copy: {old[0]}\n"


def test_run_passes_the_lesson_on_and_its_status_back(tiny_course, calls):
    ran = calls(execute, "run", 1)
    assert cli.main(["run", "90"]) == 1
    assert cli.main(["run", "90_tiny", "--mine"]) == 1
    assert ran == [(tiny_course, {"mine": False}), (tiny_course, {"mine": True})]


@pytest.mark.parametrize(("failed", "status"), [(0, 0), (1, 1), (3, 1)])
def test_build_fails_when_a_lesson_fails(tiny_course, calls, failed, status):
    built = calls(execute, "build_all", failed)
    assert cli.main(["build"]) == status
    assert cli.main(["build", "90", "lessons/90_tiny.py"]) == status
    assert cli.main(["build", "90", "--force"]) == status
    assert built == [([tiny_course], False, {}), ([tiny_course, tiny_course], False, {}), ([tiny_course], True, {})]


def test_data_restore_passes_names_and_source_on(calls):
    restored = calls(restore, "restore")
    assert cli.main(["data", "restore"]) == 0
    assert cli.main(["data", "restore", "mnist", "--from", "copy.zip"]) == 0
    assert restored == [([], None, {}), (["mnist"], "copy.zip", {})]


# ---- trouble ---------------------------------------------------------------------------------------------


def test_an_unknown_lesson_ends_with_status_2_and_no_traceback(tiny_course, capsys):
    assert cli.main(["run", "7"]) == 2
    assert capsys.readouterr().err == "course: there is no lesson '7'; there are: 90_tiny\n"


@pytest.mark.parametrize(
    ("trouble", "status", "message"),
    [
        (CourseError("no such file: give another"), 2, "no such file: give another"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (
            PermissionError(13, "Permission denied", "work"),
            2,
            "[Errno 13] Permission denied: 'work'; copy the course to a folder of your own, and run it there",
        ),
        (OSError(28, "No space left"), 2, "[Errno 28] No space left; make room on the disk"),
        (
            ModuleNotFoundError("No module named 'numpy'", name="numpy"),
            2,
            "a package is missing or damaged (No module named 'numpy'); "
            "delete the folder .venv and run: python course.py",
        ),
    ],
)
def test_trouble_ends_with_its_own_status_and_no_traceback(calls, capsys, trouble, status, message):
    calls(restore, "restore", trouble)
    assert cli.main(["data", "restore"]) == status
    assert capsys.readouterr().err == f"course: {message}\n"


# ---- course test -----------------------------------------------------------------------------------------


@pytest.fixture
def tested_tree(tmp_path, monkeypatch):
    """A tree of one passing test, one browser test that fails, and one notebook, in the place of the course."""
    for name in ("ROOT", "NOTEBOOKS", "LESSONS"):
        monkeypatch.setattr(paths, name, tmp_path / ("" if name == "ROOT" else name.lower()))
    for name in (
        *testing.ONE_THREAD,
        "COURSE_PROFILE",
        "PYTHONHASHSEED",
        "PYTEST_ADDOPTS",
        "PYTHONDONTWRITEBYTECODE",
    ):  # of the tests that run now
        monkeypatch.delenv(name, raising=False)
    for name in ("tests", "notebooks", "lessons"):
        (tmp_path / name).mkdir()
    for name in ("conftest.py", "seconds.py", "nbval_sanitize.cfg", "nbval_sanitize_smoke.cfg"):
        shutil.copy(Path(__file__).with_name(name), tmp_path / "tests")
    (tmp_path / "tests" / "test_one.py").write_text(
        "import os, pytest\n\n"
        "os.environ['TF_NUM_INTRAOP_THREADS'] = 'leaked'\n\n"
        "def test_one():\n    assert os.environ['COURSE_PROFILE'] == 'lesson'\n\n"
        "@pytest.mark.browser\ndef test_two():\n    raise AssertionError\n"
    )
    return tmp_path


def store(tree: Path, name: str, code: str, printed: str) -> None:
    """A notebook of one cell, in which this code has printed this."""
    outputs = [new_output("stream", name="stdout", text=printed)] if printed else []
    notebook = new_notebook(cells=[new_code_cell(code, execution_count=1, outputs=outputs)])
    lessons.write_notebook(notebook, tree / "notebooks" / f"{name}.ipynb")


def summaries(output: str) -> list[str]:
    """The closing line of each pytest, in order."""
    return re.findall(r"^(?:=+ )?((?:\d+ \w+|no tests ran).* in [\d.]+s.*)$", output, re.MULTILINE)


def test_a_whole_test_runs_both_parts_and_says_how_long_each_and_its_files_took(tested_tree, capfd):
    """The browser test fails, and a notebook that prints something else."""
    store(
        tested_tree, "90_one", "import json, os\nprint(json.dumps(dict(os.environ)), file=open('seen.json', 'w'))", ""
    )
    store(tested_tree, "91_two", "print(1 + 2)", "2\n")
    assert cli.main(["test"]) == 1
    output = capfd.readouterr().out
    assert ["1 failed, 1 passed" in line for line in summaries(output)] == [True, True]
    for file in ("notebooks/90_one.ipynb", "notebooks/91_two.ipynb", "tests/test_one.py"):
        assert re.search(rf"^ +\d+\.\d s  {file}$", output, re.MULTILINE), file
    assert re.findall(r"^== (.+): \d+ s$", output, re.MULTILINE) == ["the package", "notebooks at smoke length"]
    # Kernels have the environment of the lab: nothing that a test module sets, nor the settings of the first part.
    seen = json.loads((tested_tree / "notebooks" / "seen.json").read_text())
    own = re.compile("PYTEST_|JPY_|JUPYTER_|PYDEVD_USE|MPLBACKEND|TERM|COLUMNS|LINES|CLICOLOR|FORCE_COLOR|(GIT_)?PAGER")
    differ = {name for name, _ in seen.items() ^ lab.environment().items() if not own.match(name)}
    assert differ == {"COURSE_PROFILE", "PYTHONHASHSEED"}


def test_a_quick_test_leaves_notebooks_and_browser_out(tested_tree, capfd, monkeypatch):
    """And compiles no library anew in each process, though Python is told here to keep no bytecode."""
    store(tested_tree, "90_one", "print(1 + 2)", "2\n")
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    test = "import sys\n\ndef test_two():\n    assert not sys.dont_write_bytecode\n"
    (tested_tree / "tests" / "test_two.py").write_text(f"{test}    assert sys.pycache_prefix\n")
    assert cli.main(["test", "--quick"]) == 0
    (line,) = summaries(capfd.readouterr().out)
    assert "2 passed" in line and "failed" not in line
    assert not list(tested_tree.rglob("*.pyc"))


def test_a_test_that_finds_nothing_to_test_fails(tested_tree, capfd):
    (tested_tree / "tests" / "test_one.py").unlink()
    assert cli.main(["test", "--quick"]) != 0
    assert "no tests ran" in summaries(capfd.readouterr().out)[-1]


TRAINS = """
# %%
import keras, numpy as np
from course_utils import training
from course_utils.report import measured
model = keras.Sequential([keras.layers.Input((1,)), keras.layers.Dense(1, use_bias=False)])
model.compile(keras.optimizers.SGD(0.1), "mse")
x = np.ones((32, 1), np.float32)
history = training.fit(model, x, 3 * x, epochs=3, batch_size=2)
print("epochs", len(history.epoch))
measured("loss", history.history["loss"][-1], at_most=0.001)

# %%
print("steps", int(model.optimizer.iterations))
"""


def test_trainings_are_cut_short_at_smoke_length_and_whole_at_full_length(tested_tree, capfd):
    """The first cell agrees at both lengths, though at one its band is not reached; the second tells them apart."""
    lesson = lessons.Lesson(tested_tree / "lessons" / "90_one.py")
    lesson.path.write_text(TRAINS.lstrip())
    execute.build(lesson)
    assert "at most 0.001: yes" in lesson.notebook.read_text() and "steps 48" in lesson.notebook.read_text()
    assert cli.main(["test", "--full", "90"]) == 0
    assert "2 passed" in summaries(capfd.readouterr().out)[-1]
    assert testing.compare_notebooks([lesson.notebook], "smoke") == 1
    output = capfd.readouterr().out
    assert "1 failed, 1 passed" in summaries(output)[-1]
    assert "steps 48" in output and "steps 6" in output
