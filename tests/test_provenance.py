"""What a notebook was built from is written into it, and a change of any of it, and of nothing else, is noticed."""

import os
import shutil
import time

import nbformat
import pytest

from course_utils import cli, paths
from course_utils.cli import execute, lessons, provenance, timings

LESSON = """\
# %% [markdown]
# # 90 · Tiny

# %%
import matplotlib.pyplot as plt

from course_utils import data, figures, paths

# %%
print(len(data.mnist("test")[1]), len(data.paintings()))
print((paths.BENCHMARKS / "07_betas.json").read_text()[0])

# %% tags=["hide-input"]
figures.show(plt.figure(figsize=(1, 1)), alt="An empty square")
"""
HELPER = "course_utils/figures.py"


@pytest.fixture
def timed(monkeypatch):
    """The lessons whose seconds were noted: those that were executed."""
    noted = []
    monkeypatch.setattr(timings, "record", lambda name, seconds: noted.append(name))
    return noted


@pytest.fixture(scope="module")
def notebooks(tmp_path_factory):
    """The notebooks of a course of one lesson that draws and reads, built once for all tests."""
    folder = tmp_path_factory.mktemp("course")
    timed = []
    with pytest.MonkeyPatch.context() as patch:
        for name in ("LESSONS", "NOTEBOOKS", "WORK"):
            patch.setattr(paths, name, folder / name.lower())
        patch.setattr(timings, "record", lambda name, seconds: timed.append(name))
        paths.LESSONS.mkdir()
        lesson = lessons.Lesson(paths.LESSONS / "90_tiny.py")
        lesson.path.write_text(LESSON, encoding="utf-8")
        execute.build_all([lesson])
    assert timed == ["90_tiny"]
    return folder / "notebooks"


@pytest.fixture
def built(tiny_course, notebooks, timed, monkeypatch, tmp_path):
    """The lesson beside its notebook; the helpers, data and recorded runs lie in a copy of their own."""
    tiny_course.path.write_text(LESSON, encoding="utf-8")
    shutil.copytree(notebooks, paths.NOTEBOOKS)
    timed.append("90_tiny")
    copy = tmp_path / "copy"
    for name in ("course_utils", "benchmarks", "data/mnist", "data/paintings"):
        shutil.copytree(paths.ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(paths, "ROOT", copy)
    return tiny_course


def reasons(lesson):
    return execute.out_of_date([lesson]).get(lesson, [])


def edit(name, old, new):
    path = paths.ROOT / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_modules_and_files_are_noted_and_many_files_as_their_folder(built):
    record = lessons.nbformat.read(built.notebook, as_version=4).metadata.course.built_from
    assert {"course_utils.data", "course_utils.figures", "course_utils.image_files"} <= record["modules"].keys()
    assert "course_utils.models" not in record["modules"] and "course_utils.cli" not in record["modules"]
    assert set(record["files"]) == {
        "benchmarks/07_betas.json",
        "data/mnist/test-images-idx3-ubyte.gz",
        "data/mnist/test-labels-idx1-ubyte.gz",
        "data/paintings",
    }
    assert reasons(built) == []


def test_many_files_of_a_larger_folder_are_noted_one_by_one(tmp_path):
    """Else each new recorded run would put a lesson out of date that never reads it."""
    runs = sorted(paths.BENCHMARKS.glob("*.json"))[: provenance.MANY + 1]
    log = tmp_path / "seen.txt"
    log.write_text("\n".join(map(str, [*runs, *(paths.DATA / "paintings").iterdir()])), encoding="utf-8")
    files = provenance.built_from(nbformat.v4.new_notebook(), log)["files"]
    assert list(files) == [*(f"benchmarks/{run.name}" for run in runs), "data/paintings"]


def test_drawing_code_that_changed_is_noticed(built):
    edit(HELPER, '"axes.titlesize": 11', '"axes.titlesize": 12')
    assert reasons(built) == ["course_utils.figures"]


def test_a_comment_and_a_docstring_cost_nothing(built):
    edit(HELPER, '"""Drawing for the lessons', '"""All drawing for the lessons')
    edit(HELPER, "COLOURS = (", "# why these\nCOLOURS = (")
    assert reasons(built) == []


@pytest.mark.parametrize("name", ["benchmarks/07_betas.json", "data/mnist/test-labels-idx1-ubyte.gz"])
def test_data_and_recorded_runs_that_changed_are_noticed(built, name):
    with (paths.ROOT / name).open("ab") as file:
        file.write(b" ")
    assert reasons(built) == [name]


def test_a_file_that_is_new_in_a_folder_or_gone_is_noticed(built):
    (paths.ROOT / "data" / "paintings" / "new.webp").write_bytes(b"new")
    (paths.ROOT / "benchmarks" / "07_betas.json").unlink()
    assert reasons(built) == ["benchmarks/07_betas.json", "data/paintings"]


def test_ends_of_lines_of_another_system_are_no_change(built):
    path = paths.ROOT / "benchmarks" / "07_betas.json"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert reasons(built) == []


def test_where_text_alone_changed_nothing_is_executed(built, timed, monkeypatch, capsys):
    before = nbformat.read(built.notebook, as_version=4)
    built.path.write_text(built.text.replace("90 · Tiny", "90 · Very tiny") + "\n# %% [markdown]\n# The end\n")
    assert reasons(built) == ["text alone"]
    monkeypatch.setattr(execute, "execute", None)
    assert cli.main(["build", "--stale"]) == 0
    assert timed == ["90_tiny"] and reasons(built) == []
    assert "90_tiny: text renewed" in capsys.readouterr().out
    after = nbformat.read(built.notebook, as_version=4)
    assert "Very tiny" in after.cells[0].source and after.cells[-1].source == "The end"
    old, new = ([cell for cell in book.cells if cell.cell_type == "code"] for book in (before, after))
    assert [cell.outputs for cell in old] == [cell.outputs for cell in new]
    assert [cell.execution_count for cell in new] == [1, 2, 3]
    assert cli.main(["build", "--stale"]) == 0
    assert "every notebook is what a build would make" in capsys.readouterr().out


def test_code_that_changed_is_executed_and_force_executes_without_a_change(built, timed, capsys):
    built.path.write_text(built.text.replace("len(data.paintings())", "len(data.paintings()) + 1"))
    assert reasons(built) == ["code cells of 90_tiny.py"]
    assert cli.main(["build", "--stale"]) == 0
    assert "min when it was last built): code cells of 90_tiny.py" in capsys.readouterr().out
    assert cli.main(["build", "90"]) == 0 and timed == ["90_tiny"] * 2
    before = built.notebook.read_bytes()
    assert cli.main(["build", "90", "--force"]) == 0 and timed == ["90_tiny"] * 3
    assert built.notebook.read_bytes() == before  # not a byte of a picture


def test_a_notebook_without_a_record_is_out_of_date_and_full_tests_refuse_it(built, capsys):
    notebook = nbformat.read(built.notebook, as_version=4)
    del notebook.metadata.course["built_from"]
    lessons.write_notebook(notebook, built.notebook)
    assert reasons(built) == ["it does not say what it was built from"]
    assert cli.main(["test", "--full", "90"]) == 1
    assert "90_tiny.ipynb is out of date (it does not say what it was built from)" in capsys.readouterr().out


def test_a_tree_is_the_same_in_each_version_of_python():
    """Digests of modules in the notebooks were made with one version, and are compared with others."""
    import ast

    tree = ast.parse("def f(a, *, b=None):\n    return [a for a in b if a]\n")
    shown = repr(provenance._plain(tree))
    assert "type_params" not in shown and "type_comment" not in shown and "ListComp" in shown


def test_what_is_changed_while_a_notebook_is_built_fails_the_build(built, monkeypatch, capsys):
    """Its digest would be of the new file, the outputs of the old one."""
    before, run = built.notebook.read_bytes(), execute.execute

    def run_and_change(*arguments):
        seconds = run(*arguments)
        (paths.ROOT / HELPER).touch()
        return seconds

    monkeypatch.setattr(execute, "execute", run_and_change)
    assert execute.build_all([built], force=True) == 1
    message = capsys.readouterr().err
    assert "90_tiny: course_utils.figures changed while it was built: build it again" in message
    assert built.notebook.read_bytes() == before


@pytest.mark.parametrize(
    ("file", "noted"),
    [("data/mnist/test-labels-idx1-ubyte.gz", "data/mnist/"), ("benchmarks/07_betas.json", "benchmarks/07_betas.json")],
)
def test_data_that_change_meanwhile_are_noticed_in_a_file_and_in_a_folder(built, file, noted):
    record = lessons.nbformat.read(built.notebook, as_version=4).metadata.course.built_from
    began = time.time() + 1
    assert provenance.changed_since(began, record) == []
    os.utime(paths.ROOT / file, (began + 1, began + 1))
    (found,) = provenance.changed_since(began, record)
    assert found.startswith(noted)
