"""Each gate holds for the course as it is, and fails on a lesson or notebook with the fault it is there for.

The faults are made in the tiny lesson of `tests/fixtures`, which keeps every rule: one replacement of text each.
"""

import copy
import functools
import re

import gates
import nbformat
import pytest
import rules
from nbformat.v4 import new_output

from course_utils import paths
from course_utils.cli import lessons

LESSONS = lessons.all_lessons()
PAGES = [
    *(paths.ROOT / name for name in ("README.md", "CONTRIBUTING.md")),
    *(paths.DATA / "README.md", paths.LESSONS / "workshop.md"),
]
NAMES = [lesson.name for lesson in LESSONS]
BUILT = [lesson for lesson in LESSONS if lesson.notebook.exists()]  # one that is missing has a test of its own


as_written = functools.cache(lessons.read_notebook)
as_stored = functools.cache(lambda lesson: nbformat.read(lesson.notebook, as_version=4))  # megabytes, read once


# ---- the course as it is ---------------------------------------------------------------------------------


@pytest.mark.parametrize("lesson", LESSONS, ids=NAMES)
@pytest.mark.parametrize("rule", rules.LESSON_RULES, ids=lambda rule: rule.__name__)
def test_lessons_keep_the_rules(lesson, rule):
    assert rule(lesson, as_written(lesson)) == []


@pytest.mark.parametrize("lesson", BUILT, ids=lambda lesson: lesson.name)
@pytest.mark.parametrize("gate", gates.NOTEBOOK_GATES, ids=lambda gate: gate.__name__)
def test_notebooks_pass_the_gates(lesson, gate):
    assert gate(as_stored(lesson)) == []


@pytest.mark.parametrize("lesson", BUILT, ids=lambda lesson: lesson.name)
def test_notebooks_are_what_their_lessons_are_built_into(lesson):
    assert gates.stale(lesson, as_stored(lesson)) == []


@pytest.mark.parametrize("lesson", LESSONS, ids=NAMES)
def test_links_of_lessons_lead_somewhere(lesson):
    assert gates.lesson_links(lesson) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(paths.ROOT).as_posix())
def test_links_of_pages_lead_somewhere(page):
    assert gates.page_links(page) == []


@pytest.mark.parametrize("lesson", LESSONS, ids=NAMES)
def test_pictures_of_lessons_are_credited(lesson):
    assert gates.pictures_without_credit(lesson, gates.credited_files(paths.DATA / "CREDITS.csv")) == []


def test_lessons_and_notebooks_are_the_same_set():
    assert LESSONS
    assert gates.lessons_without_notebook() == []


def test_nothing_is_defined_in_two_places():
    assert rules.copied_definitions(LESSONS) == []


# ---- faults in lessons -----------------------------------------------------------------------------------

DOUBLE = "def double(number):\n    return 2 * number\n"
STUB = 'def four():\n    raise NotImplementedError("E90.4: return one as well")\n'
SOLUTION = '# %% tags=["solution"]\ndef four():\n    return 10 - 9\n\n\ncheck.e90_4(four)\n'
CLINIC = '# %% tags=["clinic"]\ndef triple(number):\n'

HIDE = '# %% tags=["hide-input"]\n'
FOLDED = f'{DOUBLE}\n{HIDE}figures.images([], alt="Nothing")\n'

# rule, what is replaced in the fixture, by what, and what the gate says of it
NEXT = "\n#\n# ## What to read next"
FAULTS = [
    (rules.long_cells, DOUBLE, DOUBLE + "    # why\n" * 29, r"code cell \[3\] has 31 lines"),
    (rules.long_median, DOUBLE, "\n\n# %%\n".join(["number = 1\n" * 9] * 20), "median cell in view has 9 lines"),
    (rules.folded_cells_that_do_more_than_draw, f"# %%\n{DOUBLE}", f"{HIDE}{DOUBLE}", "draws nothing"),
    (rules.folded_cells_that_do_more_than_draw, DOUBLE, FOLDED + "print(approx(1))\n", "more than draw: print"),
    (rules.folded_cells_that_do_more_than_draw, DOUBLE, FOLDED + "model.fit(pictures)\n", "more than draw: fit"),
    (rules.folded_cells_that_do_more_than_draw, DOUBLE, FOLDED + "height = 3\n\n# %%\nprint(height)\n",
     r"cell \[5\] needs height of code cell \[4\], which is folded"),
    (rules.names_defined_twice, DOUBLE, f"{DOUBLE}\n\n# %%\n{DOUBLE}", r"\[4\] defines double again, after .*\[3\]"),
    (rules.names_defined_twice, DOUBLE, "from course_utils.report import approx\n", "defines approx again"),
    (rules.names_defined_twice, DOUBLE, "class check:\n    pass\n", "defines check again"),
    (rules.star_imports, "import approx, measured", "import *", r"cell \[1\] imports \* from course_utils.report"),
    (rules.misplaced_imports, DOUBLE, "import math\n", r"cell \[3\] imports"),
    (rules.misplaced_imports, DOUBLE, "def double(number):\n    import math\n", r"cell \[3\] imports"),
    (rules.misplaced_imports, "import approx, measured", "import approx, measured\nn = 1", "first and does more"),
    (rules.globals_read, DOUBLE, "number = 2\n\n\ndef double():\n    return 2 * number\n", "double reads number"),
    (rules.globals_read, DOUBLE, "m = 2\n\n\ndef double(n):\n    return [m * i for i in n]\n", "double reads m"),
    (rules.globals_read, DOUBLE, "m = 2\n\n\ndef double(n):\n    return lambda: m * n\n", "double reads m"),
    (rules.globals_read, DOUBLE, "m = 2\n\n\nclass Two:\n    def double(self):\n        return m\n", "double reads m"),
    (rules.globals_read, DOUBLE, "for m in (1, 2):\n    pass\n\n\ndef double():\n    return m\n", "double reads m"),
    (rules.exercises_used_later, "# %% [markdown]\n# ## Summary", "# %%\nprint(one())\n\n# %% [markdown]\n# ## Summary",
     r"cell \[19\] uses one, which an exercise defines"),
    (rules.missing_parts, "# # 90 · Tiny", "# # Tiny", "first cell is not a title"),
    (rules.missing_parts, "# ## Summary", "# ## Results", "no section '## Summary'"),
    (rules.missing_parts, "# ## Glossary", "# ## Words", "no section '## Glossary'"),
    (rules.missing_parts, " (像素)", "", "no Chinese terms"),
    (rules.missing_parts, f" (像素): one sample of a picture.{NEXT}", f".{NEXT}\n#\n# 像素", "no Chinese terms"),
    (rules.missing_parts, "# ## What to read next", "# ## Books", "no section '## What to read next'"),
    (rules.missing_parts, "# ## Clinic: a triple that doubles", "# ## A triple that doubles", "no section '## Clinic'"),
    (rules.missing_parts, CLINIC, "# %%\ndef triple(number):\n", "no section '## Clinic' with cells tagged"),
    (rules.incomplete_exercises, STUB, "def four():\n    return 0\n", "4: its stub does not raise"),
    (rules.incomplete_exercises, "# %%\ncheck.e90_4(four)\n\n", "", "4: the cell after its stub does not check it"),
    (rules.incomplete_exercises, SOLUTION, "", "4: its check is not followed by a solution"),
    (rules.incomplete_exercises, "return 10 - 9\n\n\ncheck.e90_4(four)", "return 10 - 9", "4: .* solution that is"),
    (rules.incomplete_exercises, "E90.4 ★★★ Four", "E90.4 Four", "4: no heading '### E90.4 ★ …' announces e90_4"),
    (rules.incomplete_exercises, "E90.4 ★★★ Four", "E90.5 ★★★ Four", "4: no heading '### E90.4 ★ …'"),
    (rules.incomplete_exercises, f'# %% tags=["exercise"]\n{STUB}', "", "there are 3 complete exercises, at least 4"),
    (rules.full_training_on, DOUBLE, "TRAIN_FULL = True\n", r"cell \[3\] sets TRAIN_FULL = True"),
]  # fmt: skip


def test_the_fixture_keeps_every_rule(tiny_course):
    notebook = lessons.read_notebook(tiny_course)
    assert [problem for rule in rules.LESSON_RULES for problem in rule(tiny_course, notebook)] == []


@pytest.mark.parametrize(("rule", "old", "new", "complaint"), FAULTS, ids=lambda value: getattr(value, "__name__", ""))
def test_a_fault_in_a_lesson_is_found(tiny_course, rule, old, new, complaint):
    change(tiny_course, old, new)
    problems = rule(tiny_course, lessons.read_notebook(tiny_course))
    assert re.search(complaint, "\n".join(problems))


def change(lesson, old: str, new: str) -> None:
    assert lesson.text.count(old) == 1, old
    lesson.path.write_text(lesson.text.replace(old, new), encoding="utf-8")


@pytest.mark.parametrize(
    "allowed",
    [
        "RATE = 2\n\n\ndef double(number):\n    return RATE * number\n",  # a constant
        "def double(number):\n    return twice(number)\n\n\ndef twice(number):\n    return 2 * number\n",
        "def double(number):\n    return float(approx(number)) * 2\n",  # an import, and a builtin
        "number = 2\n\n\ndef double(number):\n    return 2 * number\n",  # a parameter of the same name
        "number = 2\nquadruple = lambda: 2 * number\nlist(number * i for i in range(3))\n",  # in the open
        "def double(number):\n    factor = 2\n    return (lambda: factor * number)()\n",  # a variable of its own
        "%matplotlib inline\nprint(2)\n",
        # A name of a folded cell, assigned anew where it is needed.
        f"{DOUBLE}\n\n{HIDE}width = double(3)\nfigures.show(width)\n\n# %%\nwidth = 1\nprint(width)\n",
        # A name that ends with a comprehension of a folded cell, as a parameter further down.
        f"{DOUBLE}\n\n{HIDE}figures.show([width for width in range(3)])\n\n# %%\n(lambda width: -width)(3)\n",
        "TRAIN_FULL = False\n",
    ],
)
def test_what_is_no_fault_is_let_be(tiny_course, allowed):
    change(tiny_course, DOUBLE, allowed)
    notebook = lessons.read_notebook(tiny_course)
    assert [problem for rule in rules.LESSON_RULES for problem in rule(tiny_course, notebook)] == []


def test_clinics_and_solutions_may_import_and_define_again(tiny_course):
    change(
        tiny_course,
        CLINIC,
        '# %% tags=["clinic"]\nimport math\n\n\ndef double(number):\n    return math.e\n\n\ndef triple(number):\n',
    )
    change(tiny_course, "    return 10 - 9\n", "    import math\n\n    return math.floor(1)\n")
    notebook = lessons.read_notebook(tiny_course)
    assert [problem for rule in rules.LESSON_RULES for problem in rule(tiny_course, notebook)] == []


def test_the_first_lesson_needs_two_exercises_and_no_clinic(tiny_course):
    tiny_course.instructor_page.rename(paths.LESSONS / "00_tiny.instructor.md")
    text = tiny_course.text.replace("90 ·", "00 ·").replace("## Clinic", "## Then")
    for name in ("one", "two"):  # two of the four go
        text = text.replace(f'# %% tags=["exercise"]\ndef {name}', f"# %%\ndef {name}")
    text = re.sub(r'tags=\["solution"\](?=\ndef (?:one|two))', "", text)
    first = lessons.Lesson(tiny_course.path.rename(paths.LESSONS / "00_tiny.py"))
    first.path.write_text(text, encoding="utf-8")
    notebook = lessons.read_notebook(first)
    assert rules.missing_parts(first, notebook) == rules.incomplete_exercises(first, notebook) == []


HOUR = "**Cells of the hour**"
HOURS = {
    f"{HOUR}: 1, clinic, exercises.": [],
    f"{HOUR}: 1.": [],
    f"{HOUR}: exercises.": [],
    f"{HOUR}: 1, 7.": ["the hour has a section '7' that there is not"],
    "Run what you like.": [f"the instructor's page names no '{HOUR}: 1, 2, …, clinic.'"],
    f"{HOUR}: clinic.": ["section clinic of the hour needs double of section 1, left out"],
}


@pytest.mark.parametrize("page", HOURS)
def test_an_hour_that_leaves_out_what_it_needs_is_found(tiny_course, page):
    """Also where it is needed inside a function; what is assigned anew is not missed."""
    change(tiny_course, "print(triple(2))", "print([double(n) for n in (1, 2)], double(3))\nsize = 2\nprint(size)")
    change(tiny_course, DOUBLE, f"size = 1\n\n\n{DOUBLE}")
    tiny_course.instructor_page.write_text(page, encoding="utf-8")
    assert rules.hours_that_do_not_run(tiny_course, lessons.read_notebook(tiny_course)) == HOURS[page]


def test_a_missing_instructor_page_is_found(tiny_course):
    tiny_course.instructor_page.unlink()
    assert rules.missing_parts(tiny_course, lessons.read_notebook(tiny_course)) == [
        "the instructor's page 90_tiny.instructor.md is missing"
    ]


def test_a_definition_copied_into_a_second_lesson_is_found(tiny_course):
    second = lessons.Lesson(paths.LESSONS / "91_second.py")
    second.path.write_text(f"# %%\n{DOUBLE}", encoding="utf-8")
    assert rules.copied_definitions([tiny_course]) == []
    assert rules.copied_definitions([tiny_course, second]) == [
        "double stands in 90_tiny and in 91_second: define it once and import it"
    ]


def test_a_definition_copied_from_the_package_is_found(tiny_course):
    package = (paths.ROOT / "course_utils" / "report.py").read_text(encoding="utf-8")
    approx = package[package.index("def approx") : package.index("def measured")]
    change(tiny_course, DOUBLE, approx)
    assert rules.copied_definitions([tiny_course]) == [
        "approx stands in course_utils.report and in 90_tiny: define it once and import it"
    ]


# ---- faults in notebooks ---------------------------------------------------------------------------------


@pytest.fixture
def stored(tiny_course):
    """The fixture's notebook as a build leaves it, executed by hand."""
    notebook = lessons.fold(lessons.read_notebook(tiny_course))
    for number, (_, cell) in enumerate(gates.code_cells(notebook), start=1):
        cell.execution_count, cell.outputs = number, [new_output("stream", text="passed")]
    picture = {"text/html": '<img alt="A dot." src="data:image/webp;base64,iVB/home/Cg=">', "text/plain": "A dot."}
    code(notebook, 2).outputs = [new_output("display_data", picture)]
    return notebook


def code(notebook, number: int):
    """The code cell a reader sees as [number]."""
    return [cell for _, cell in gates.code_cells(notebook)][number - 1]


def test_a_good_notebook_passes_every_gate(tiny_course, stored):
    assert [problem for gate in gates.NOTEBOOK_GATES for problem in gate(stored)] == []
    assert gates.stale(tiny_course, stored) == []


def test_a_stripped_notebook_is_found(tiny_course, stored):
    stripped = lessons.strip_solutions(stored)
    problems = gates.not_executed(stripped)
    assert problems[0] == "code cell [1] was never executed" and problems[-1] == "no cell has an output"


def test_a_cell_that_was_never_executed_is_found(stored):
    code(stored, 4).execution_count = None
    assert gates.not_executed(stored) == ["code cell [4] was never executed"]


@pytest.mark.parametrize("counts", [{3: 4, 4: 3}, {4: 40}, {3: 2}])
def test_cells_executed_out_of_order_are_found(stored, counts):
    for number, count in counts.items():
        code(stored, number).execution_count = count
    assert gates.out_of_order(stored) == [f"code cell [{n}] was executed as number {c}" for n, c in counts.items()]


def test_an_error_is_found_unless_its_tag_announces_it(stored):
    code(stored, 3).outputs = [new_output("error", ename="ValueError", evalue="", traceback=[])]
    assert gates.errors_in_outputs(stored) == ["code cell [3] ended in ValueError"]
    code(stored, 3).metadata.tags = ["raises-exception"]
    assert gates.errors_in_outputs(stored) == []
    code(stored, 3).outputs = []
    assert gates.errors_in_outputs(stored) == ["code cell [3] is tagged raises-exception and raised nothing"]


def test_a_notebook_too_large_for_the_repository_is_found(stored):
    assert gates.large(stored) == []
    code(stored, 3).outputs = [new_output("stream", text="a" * 3_000_000)]
    assert gates.large(stored) == ["has 3.0 MB, at most 3 are allowed"]


@pytest.mark.parametrize("verdict", ["no", "untrained"])
def test_a_number_outside_its_band_is_found(stored, verdict):
    code(stored, 3).outputs = [
        new_output("stream", text=f"accuracy ≈0.99, at least 0.90: yes\nloss ≈0.5, at most 0.4: {verdict}\n")
    ]
    (problem,) = gates.bands_missed(stored)
    assert problem == f"code cell [3] printed a number outside its band: loss ≈0.5, at most 0.4: {verdict}"


@pytest.mark.parametrize(
    "path",
    [
        "/home/ada/course/data",
        "/root/.keras",
        "/work/course/data",
        "/Users/ada/course",
        "/tmp/ipykernel_12/3.py",
        "C:\\Users\\ada",
        "D:\\course\\data",
        "lib/python3.11/site-packages/keras/layers.py",
    ],
)
def test_a_path_of_a_machine_is_found_wherever_it_stands(stored, path):
    in_text, in_data, in_error = (copy.deepcopy(stored) for _ in range(3))
    code(in_text, 3).outputs = [new_output("stream", text=f"saved to {path}")]
    code(in_data, 3).outputs = [new_output("execute_result", {"text/plain": f"Path('{path}')"}, execution_count=3)]
    code(in_error, 3).outputs = [new_output("error", ename="E", evalue="", traceback=[f'File "{path}", line 1'])]
    stored.cells[0].source += f" See {path}."
    for notebook in (stored, in_text, in_data, in_error):
        assert len(gates.machine_paths(notebook)) == 1


@pytest.mark.parametrize(
    "text", ["https://example.org/home/tmp/x", "../work/02.ipynb", "a/tmp/b", "and/or", "x: \\alpha"]
)
def test_what_is_no_path_of_a_machine_is_let_be(stored, text):
    code(stored, 3).outputs = [new_output("stream", text=text)]
    assert gates.machine_paths(stored) == []


@pytest.mark.parametrize(
    "data",
    [
        {"image/png": "iVBORw0KGgo="},
        {"image/jpeg": "iVBORw0KGgo="},
        {"image/svg+xml": "<svg/>"},
        {"text/html": '<img src="data:image/png;base64,iVBORw0KGgo=">'},
        {"text/html": '<img alt=" " src="data:image/png;base64,iVBORw0KGgo=">'},
        {"text/html": '<img alt="A dot." src="data:image/png;base64,iV="><img src="data:image/png;base64,iV=">'},
        {"image/png": "iVBORw0KGgo=", "text/html": '<img alt="A dot." src="data:image/png;base64,iVBORw0KGgo=">'},
        {"image/png": "iVBORw0KGgo=", "text/plain": "<Figure size 640x480 with 1 Axes>"},
    ],
)
def test_a_picture_without_words_is_found(stored, data):
    code(stored, 3).outputs = [new_output("display_data", data)]
    assert gates.pictures_without_words(stored) == [
        "code cell [3] shows a picture without alt text: use figures.show(figure, alt=...)"
    ]


def test_a_notebook_older_than_its_lesson_is_found(tiny_course, stored):
    change(tiny_course, DOUBLE, DOUBLE.replace("2 * number", "number * 2"))
    assert gates.stale(tiny_course, stored) == ["was built from another version of 90_tiny.py: run `course build 90`"]


def test_a_notebook_edited_by_hand_is_found(tiny_course, stored):
    edited, unfolded, reordered, named = (copy.deepcopy(stored) for _ in range(4))
    code(edited, 3).source += "\n"
    code(unfolded, 9).metadata.pop("jupyter")
    reordered.cells.reverse()
    named.metadata.kernelspec.display_name = "my kernel"
    for notebook in (edited, unfolded, reordered):
        assert gates.stale(tiny_course, notebook) == [
            "was edited by hand: change 90_tiny.py instead, then run `course build 90`"
        ]
    assert gates.stale(tiny_course, named) == ["has another kernelspec than a built notebook: run `course build 90`"]


# ---- faults in links, credits and the set ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("link", "complaint"),
    [
        ("[next](91_next.ipynb)", "the link 91_next.ipynb leads to no file"),
        ("[words](#Glosary)", "the link #Glosary leads to no heading"),
        ("[words](#glossary)", "the link #glossary leads to no heading"),  # as GitHub writes it, not JupyterLab
        ("[words](90_tiny.ipynb#Nothing)", "the link 90_tiny.ipynb#Nothing leads to no heading"),
        ('<a href="nowhere.md">x</a>', "the link nowhere.md leads to no file"),
        ('<img alt="A cat." src="../cat.png">', "the link ../cat.png leads to no file"),
        ("![](90_tiny.ipynb)", "the picture 90_tiny.ipynb has no alt text"),
        ('<img src="90_tiny.ipynb">', "the picture 90_tiny.ipynb has no alt text"),
        ("<img alt='' src=90_tiny.ipynb />", "the picture 90_tiny.ipynb has no alt text"),
        ("<a title='x'\n# href='nowhere.md'>x</a>", "the link nowhere.md leads to no file"),
        ("[a *b* `c](d)`](nowhere.md)", "the link nowhere.md leads to no file"),
        ("[a [b] c](no(w)here.md)", "the link no(w)here.md leads to no file"),
        ("[words](<no where.md> 'title')", "the link no where.md leads to no file"),
        ("[words](no%20where.md)", "the link no where.md leads to no file"),
        ("[words][there]\n#\n# [there]: nowhere.md\n#\n# goes on", "the link nowhere.md leads to no file"),
        ("[![A cat.](90_tiny.ipynb)](nowhere.md)", "the link nowhere.md leads to no file"),
        ("| a |\n# |---|\n# | [b](nowhere.md) |", "the link nowhere.md leads to no file"),
        ("[words](#a-heading)\n#\n# ```\n# # a heading\n# ```", "the link #a-heading leads to no heading"),
    ],
)
def test_a_broken_link_is_found(tiny_course, stored, link, complaint):
    lessons.write_notebook(stored, tiny_course.notebook)
    change(tiny_course, "[words](#Glossary)", link)
    assert gates.lesson_links(tiny_course) == [complaint]


@pytest.mark.parametrize(
    "link",
    [
        "[words](#1-·-What-a-picture-carries)",
        "[words](90_tiny.ipynb#Glossary)",
        "[paper](https://example.org/none#where)",
        "`[not](a-link)` and $f[x](y)$",
        "``[`not](a-link)`` and \\[not](a-link) <!-- [not](a-link) -->",
        "as\n#\n# $$\n# f[x](y)\n# $$\n#\n# goes on",
        "as\n#\n# ~~~\n# [not](a-link)\n# ~~~\n# goes on",
        "[words](#A-title-in-code)\n#\n# ## A *title* in `code`\n# goes on",
        "[words](#two-words)\n#\n# two words\n# ---\n# goes on",
    ],
)
def test_a_good_link_is_let_be(tiny_course, stored, link):
    lessons.write_notebook(stored, tiny_course.notebook)
    change(tiny_course, "[words](#Glossary)", link)
    assert gates.lesson_links(tiny_course) == []


def test_links_of_a_page_follow_its_own_folder_and_headings(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("# Two words: here\n[a](#two-words-here) [b](page.md#two-words-here) [c](#Two-words) [d](no.md)\n")
    assert gates.page_links(page) == [
        "page.md: the link #Two-words leads to no heading",
        "page.md: the link no.md leads to no file",
    ]


def test_the_instructor_page_is_read_as_well(tiny_course):
    tiny_course.instructor_page.write_text("[a](no.md)")
    assert gates.lesson_links(tiny_course) == ["90_tiny.instructor.md: the link no.md leads to no file"]


def test_a_picture_without_credit_is_found(tiny_course):
    credited = {"photographs/cat.webp"}
    change(tiny_course, DOUBLE, "data.photograph(\"cat\")\nphotograph('dog')\n")
    change(
        tiny_course, "[words](#Glossary)", "![Cat](../data/photographs/cat.webp) ![Eel](../data/photographs/eel.webp)"
    )
    assert gates.pictures_without_credit(tiny_course, credited) == [
        "the photograph 'dog' is not in data/CREDITS.csv",
        "data/photographs/eel.webp is not in data/CREDITS.csv",
    ]


def test_a_lesson_without_notebook_a_notebook_without_lesson_and_a_number_used_twice_are_found(tiny_course):
    paths.NOTEBOOKS.mkdir()
    (paths.NOTEBOOKS / "91_gone.ipynb").write_text("{}")
    (paths.LESSONS / "90_again.py").write_text("")
    assert gates.lessons_without_notebook() == [
        "lessons/90_again.py has no notebook: run `course build 90`",
        "lessons/90_tiny.py has no notebook: run `course build 90`",
        "notebooks/91_gone.ipynb has no lesson",
        "two lessons have the number 90",
    ]
