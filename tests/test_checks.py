"""Every exercise check, tried with right answers, plausible wrong ones, the lesson's own stub and solution.

The answers of a lesson stand in `tests/checks/answers_NN.py`:
ACCEPTED maps a check's name to at least three correct variants, REJECTED to at least five pairs of a
plausible mistake and a part of the hint it must get. `tests/checks/hostile.py` holds what no check expects.
"""

import functools
import importlib
import importlib.util
import itertools
import pkgutil
import re

import jupytext
import numpy as np
import pytest
import tensorflow as tf

import course_utils.checks
from course_utils import paths
from course_utils.checks import Verdict, exercise

LESSONS = [module.name.removeprefix("lesson_") for module in pkgutil.iter_modules(course_utils.checks.__path__)]


def _checks(number: str) -> dict:
    module = importlib.import_module(f"course_utils.checks.lesson_{number}")
    return {name: check for name, check in vars(module).items() if hasattr(check, "verdict")}


@functools.cache
def _beside(name: str):
    """The module of this name in tests/checks."""
    path = paths.ROOT / "tests" / "checks" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _answers(number: str):
    return _beside(f"answers_{number}")


@functools.cache
def _lesson(number: str):
    (lesson,) = paths.LESSONS.glob(f"{number}_*.py")
    return jupytext.read(lesson)


hostile = _beside("hostile")
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


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # an answer that divides by zero warns, as in a cell
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


# ---- whatever an answer does, a check answers -----------------------------------------------------------


def _rejects(check, answer) -> str:
    """The message of the verdict, which must be a rejection that can be printed and has a hint."""
    verdict = check.verdict(answer)
    assert verdict.status == "rejected", verdict.message
    assert "\n  hint " in verdict.message
    assert len(verdict.message.encode("utf-8")) < 5000
    return verdict.message


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("number", "name"), CHECKS)
def test_hostile_answers_are_rejected_and_stop_nothing(number, name):
    check = _checks(number)[name]
    for answer in hostile.RAISING.values():
        _rejects(check, answer)
    for thing in [*hostile.PLAIN.values(), *hostile.UNRULY.values()]:
        _rejects(check, thing)
        _rejects(check, lambda *_, thing=thing, **__: thing)
    for thing in hostile.PLAIN.values():
        assert course_utils.checks._OTHER_KIND not in _rejects(check, lambda *_, thing=thing, **__: thing)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("number", "name"), CHECKS)
def test_right_answers_that_turn_hostile_are_rejected(number, name):
    """The first calls return what is right; from a random one on, what comes back is spoilt."""
    check, answer = _checks(number)[name], _answers(number).ACCEPTED[name][0]
    rng = np.random.default_rng([int(part) for part in name[1:].split("_")])
    calls = _calls(check, answer)
    things = [*hostile.PLAIN.values(), *hostile.UNRULY.values()]
    spoils = [lambda _, thing=things[index]: thing for index in rng.choice(len(things), 4)]
    spoils += [list(hostile.SPOILT.values())[index] for index in rng.choice(len(hostile.SPOILT), 4)]
    for spoil in spoils:
        _rejects(check, _turning(answer, int(rng.integers(calls)), spoil))


def _turning(answer, first: int, spoil):
    """The answer, whose results are spoilt from this call on; calls that raise an error do not count."""
    returned = itertools.count()

    def turned(*arguments, **keywords):
        got = answer(*arguments, **keywords)
        return spoil(got) if next(returned) >= first else got

    return turned


def _calls(check, answer) -> int:
    """How often the check calls a right answer and gets something back."""
    calls = []
    assert check.verdict(_turning(answer, 0, lambda got: calls.append(got) or got)).status == "passed"
    return len(calls)


@exercise("E0.0")
def _doubled(attempt):
    attempt.compare((2.0,), 4, "Double it.", mistakes={"This is e to the power of it.": np.exp(2000 * 2.0)})


def _stub(number):
    raise NotImplementedError("E0.0: return the double")


def _stub_of_another_exercise(number):
    raise NotImplementedError("E0.1: return the picture")


def test_only_its_own_stub_is_not_attempted():
    assert _doubled.verdict(_stub).status == "not attempted"
    assert _doubled.verdict(lambda number: _stub(number)).status == "not attempted"
    assert "E0.1: return the picture" in _rejects(_doubled, _stub_of_another_exercise)
    assert "NotImplementedError" in _rejects(_doubled, hostile.RAISING["an unfinished layer"])
    assert "symbolic" in _rejects(_doubled, tf.function(np.asarray, input_signature=[tf.TensorSpec((), tf.float32)]))


def test_what_no_trial_foresaw_is_told_with_its_error():
    @exercise("E0.0")
    def check(attempt):
        got = attempt.call(2, tried="double(2)")
        if got / 2 != 2:
            attempt.reject("Double it.", got=got)

    message = _rejects(check, lambda number: {"double": 4})
    assert all(part in message for part in ["double(2)", "{'double': 4}", "TypeError: unsupported", "of the kind"])


def test_masked_and_complex_numbers_are_not_taken_for_their_value():
    @exercise("E0.0")
    def check(attempt):
        attempt.compare((), 0, "Nothing.")

    assert check.verdict(lambda: np.ma.array(0)).status == "passed"
    assert "an array of numbers" in _rejects(check, lambda: np.ma.masked)
    assert "an array of numbers" in _rejects(check, lambda: 0j)


@pytest.mark.parametrize(
    "answer", [hostile.raises(KeyboardInterrupt()), lambda _: hostile.unruly(KeyboardInterrupt(), "array")]
)
def test_ctrl_c_still_stops(answer):
    with pytest.raises(KeyboardInterrupt):
        _doubled(answer)


def test_an_answer_runs_under_the_error_state_of_the_notebook():
    seen = []

    def answer(number):
        seen.append(np.geterr())
        np.seterr(all="print")
        return 2 * number

    for state in ("raise", "warn"):
        with np.errstate(all=state):
            assert _doubled.verdict(answer).status == "passed"
            assert seen[-1] == np.geterr() == dict.fromkeys(np.geterr(), state)
    with np.errstate(all="raise"):
        assert "FloatingPointError: divide by zero" in _rejects(_doubled, lambda number: np.float64(number) / 0)


@pytest.mark.parametrize(("number", "name"), CHECKS)
def test_a_strict_error_state_does_not_reach_the_arithmetic_of_checks(number, name):
    answer = _answers(number).ACCEPTED[name][0]

    def careful(*arguments, **keywords):
        with np.errstate(all="ignore"):
            return answer(*arguments, **keywords)

    with np.errstate(all="raise"):
        verdict = _checks(number)[name].verdict(careful)
    assert verdict.status == "passed", verdict.message
