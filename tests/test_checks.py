"""Every exercise check, tried with right answers, plausible wrong ones, the lesson's own stub and solution.

The answers of a lesson stand in `tests/checks/answers_NN.py`:
ACCEPTED maps a check's name to at least three correct variants, REJECTED to at least five pairs of a
plausible mistake and a part of the hint it must get.
"""

import importlib
import importlib.util
import itertools
import pkgutil
import re

import jupytext
import numpy as np
import pytest

import course_utils.checks
from course_utils import paths
from course_utils.checks import Verdict, exercise

LESSONS = [module.name.removeprefix("lesson_") for module in pkgutil.iter_modules(course_utils.checks.__path__)]


def _checks(number: str) -> dict:
    module = importlib.import_module(f"course_utils.checks.lesson_{number}")
    return {name: check for name, check in vars(module).items() if hasattr(check, "verdict")}


def _answers(number: str):
    path = paths.ROOT / "tests" / "checks" / f"answers_{number}.py"
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _lesson(number: str):
    (lesson,) = paths.LESSONS.glob(f"{number}_*.py")
    return jupytext.read(lesson)


CHECKS = [(number, name) for number in LESSONS for name in _checks(number)]
ACCEPTED = [
    pytest.param(number, name, answer, id=f"{name}-{index}")
    for number, name in CHECKS
    for index, answer in enumerate(_answers(number).ACCEPTED[name])
]
REJECTED = [
    pytest.param(number, name, answer, hint, id=f"{name}-{index}")
    for number, name in CHECKS
    for index, (answer, hint) in enumerate(_answers(number).REJECTED[name])
]


@pytest.mark.parametrize(("number", "name"), CHECKS)
def test_each_check_is_tried_both_ways(number, name):
    assert len(_answers(number).ACCEPTED[name]) >= 3
    assert len(_answers(number).REJECTED[name]) >= 5


@pytest.mark.parametrize(("number", "name", "answer"), ACCEPTED)
def test_correct_variants_pass(number, name, answer):
    verdict = _checks(number)[name].verdict(answer)
    assert verdict.status == "passed", verdict.message


@pytest.mark.parametrize(("number", "name", "answer", "hint"), REJECTED)
def test_mistakes_get_their_hint_and_no_solution(number, name, answer, hint):
    verdict = _checks(number)[name].verdict(answer)
    assert verdict.status == "rejected", verdict.message
    assert hint in verdict.message
    assert "hint" in verdict.message
    for line in _telling_lines(number, name):
        assert line not in verdict.message


def _telling_lines(number: str, name: str) -> list[str]:
    """The lines of the lesson's solution that would give it away, with and without `return` or `x =`."""
    cells = [cell for cell in _lesson(number).cells if "solution" in cell.metadata.get("tags", [])]
    lines = [line.strip() for cell in cells if f"check.{name}(" in cell.source for line in cell.source.splitlines()]
    bodies = [re.sub(r"^(return |[\w, ]+ = )", "", line) for line in lines if not line.startswith(("def ", "check."))]
    return [body for body in bodies if len(body) >= 12]


@pytest.mark.parametrize("number", LESSONS)
def test_the_lessons_own_stubs_are_not_attempted(number):
    cells = [cell for cell in _lesson(number).cells if cell.cell_type == "code"]
    namespace = {}
    exec(cells[0].source, namespace)  # the imports
    called = []
    for cell, following in itertools.pairwise(cells):
        if "exercise" in cell.metadata.get("tags", []):
            exec(cell.source, namespace)
            name, answer = re.fullmatch(r"check\.(\w+)\((\w+)\)", following.source).groups()
            assert _checks(number)[name].verdict(namespace[answer]).status == "not attempted"
            called.append(name)
    assert sorted(called) == sorted(_checks(number))


def test_a_verdict_never_stops_the_notebook(capsys):
    @exercise("E0.0")
    def check(attempt):
        attempt.compare((2,), 4, "Double it.", mistakes={"You squared it.": 5})

    assert check(lambda number: number / 0) is None
    assert "ZeroDivisionError" in capsys.readouterr().out
    assert check(lambda number: 5) is None
    assert "You squared it." in capsys.readouterr().out
    assert check.verdict(lambda number: None).status == "rejected"
    assert check.verdict("four").status == "rejected"
    assert check.verdict(lambda number: "four").status == "rejected"
    assert check.verdict(lambda number: [1, [2]]).status == "rejected"
    assert check.verdict(lambda number: float("nan")).status == "rejected"
    assert check.verdict(lambda number: 2 * number) == Verdict("passed", "E0.0 passed.")


def test_an_answer_that_changes_its_input_is_told():
    @exercise("E0.0")
    def check(attempt):
        attempt.compare((np.ones(3),), np.zeros(3), "Zero.")

    def in_place(array):
        array[:] = 0
        return array

    assert "changed its input" in check.verdict(in_place).message
