"""The frame that exercise checks are built in.

A check is a function that puts a student's answer through trials, from the simplest to random ones:

    @exercise("E2.1")
    def e2_1(attempt):
        attempt.compare((5, 3), expected=3, hint="...")

The lesson calls `check.e2_1(answer)`. It prints one of three verdicts and never stops the notebook: not
attempted yet, passed, or what was tried, what came back, what was expected, and a hint.
"""

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np


class Rejected(Exception):
    """An answer failed a trial; the message is what the student reads."""


@dataclass(frozen=True)
class Verdict:
    """What a check found: status is 'passed', 'not attempted' or 'rejected'; message is what it prints."""

    status: str
    message: str


def exercise(name: str):
    """Turn `function(attempt)` into the check of an exercise, `check(answer)`, which prints its verdict.

    `check.verdict(answer)` returns the Verdict instead of printing it.
    """

    def decorate(trials: Callable[["Attempt"], None]):
        def verdict(answer: Any) -> Verdict:
            try:
                trials(Attempt(answer))
            except NotImplementedError:
                return Verdict(
                    "not attempted",
                    f"{name} not attempted yet: fill in the cell above, run it, run this again.",
                )
            except Rejected as problem:
                return Verdict("rejected", f"{name} not yet.\n{problem}")
            return Verdict("passed", f"{name} passed.")

        @functools.wraps(trials)
        def check(answer: Any) -> None:
            print(verdict(answer).message)

        check.verdict = verdict
        check.exercise_name = name
        return check

    return decorate


class Attempt:
    """A student's answer (a function or a value) and the trials it is put through."""

    def __init__(self, answer: Any):
        self.answer = answer

    def reject(self, hint: str, **facts: Any) -> None:
        """Reject the answer with a hint; facts are printed above it, one `name value` a line."""
        lines = [f"  {key:<9} {_show(value)}" for key, value in facts.items()]
        raise Rejected("\n".join([*lines, f"  hint      {hint}"]))

    def call(
        self,
        *arguments: Any,
        tried: str | None = None,
        errors: Mapping[type[Exception], str] | None = None,
        **keywords: Any,
    ) -> Any:
        """Call the answer on copies of the arguments and return what it returns.

        Rejects an answer that is not a function, raises an error, returns None, or changes its arguments.
        errors: error class -> the hint shown when a likely mistake makes the answer raise it.
        """
        name = getattr(self.answer, "__name__", "your function")
        tried = tried or _call_text(name, arguments, keywords)
        if not callable(self.answer):
            self.reject("Hand in the function itself, without calling it.", got=self.answer, expected="a function")
        copies = [_copy(argument) for argument in arguments]
        try:
            got = self.answer(*copies, **keywords)
        except NotImplementedError:
            raise
        except Exception as problem:  # whatever a student's code can raise is told, not thrown
            hint = "The function stopped with this error; run it on the same input in a cell of your own to see where."
            hint = next((hint for kind, hint in (errors or {}).items() if isinstance(problem, kind)), hint)
            self.reject(hint, tried=tried, got=f"{type(problem).__name__}: {problem}")
        if got is None:
            self.reject("The function returned nothing: does it end in `return`?", tried=tried, got=None)
        for argument, copy in zip(arguments, copies, strict=True):
            if isinstance(argument, np.ndarray) and not np.array_equal(argument, copy, equal_nan=True):
                self.reject("The function changed its input; work on a copy or write into a new array.", tried=tried)
        return got

    def compare(
        self,
        arguments: tuple,
        expected: Any,
        hint: str,
        *,
        mistakes: Mapping[str, Any] | None = None,
        errors: Mapping[type[Exception], str] | None = None,
        tried: str | None = None,
        tolerance: float = 1e-5,
        **keywords: Any,
    ) -> None:
        """Call the answer and compare what it returns with `expected`.

        mistakes: hint -> the value a likely mistake gives; the hint of the one that matches is shown
            instead of the general `hint`.
        errors: error class -> hint, as in `call`.
        tolerance: relative and absolute.
        """
        name = getattr(self.answer, "__name__", "your function")
        tried = tried or _call_text(name, arguments, keywords)
        got = self.call(*arguments, tried=tried, errors=errors, **keywords)
        self.agree(got, expected, hint, mistakes=mistakes, tried=tried, tolerance=tolerance)

    def agree(self, got, expected, hint, *, mistakes=None, tried="your answer", tolerance=1e-5) -> None:
        """Reject unless `got` has the shape and, within the tolerance, the values of `expected`."""
        expected_array = np.asarray(expected)
        try:
            array = np.asarray(got)
            comparable = array.dtype.kind in "biuf"
        except (ValueError, TypeError):
            comparable = False
        if not comparable:
            self.reject("The answer should be a number or an array of numbers.", tried=tried, got=got)
        if _equal(array, expected_array, tolerance):
            return
        for mistake, value in (mistakes or {}).items():
            if _equal(array, np.asarray(value), tolerance):
                hint = mistake
                break
        if array.shape != expected_array.shape and array.size + expected_array.size > 2:
            facts = {"got": f"shape {array.shape}", "expected": f"shape {expected_array.shape}"}
        else:
            facts = _first_difference(array, expected_array, tolerance)
        self.reject(hint, tried=tried, **facts)


def _equal(got: np.ndarray, expected: np.ndarray, tolerance: float) -> bool:
    return got.shape == expected.shape and np.allclose(got, expected, rtol=tolerance, atol=tolerance, equal_nan=True)


def _first_difference(got: np.ndarray, expected: np.ndarray, tolerance: float) -> dict[str, str]:
    if expected.ndim == 0 or got.size <= 12:
        return {"got": _show(got), "expected": _show(expected)}
    differs = ~np.isclose(got, expected, rtol=tolerance, atol=tolerance, equal_nan=True)
    index = tuple(int(i) for i in np.argwhere(differs)[0])
    place = f"at index {index}, {differs.mean():.0%} of entries differ"
    return {"got": f"{got[index]:.5g} {place}", "expected": f"{expected[index]:.5g}"}


def _copy(value: Any) -> Any:
    return value.copy() if isinstance(value, np.ndarray) else value


def _call_text(name: str, arguments: tuple, keywords: Mapping) -> str:
    parts = [_show(argument) for argument in arguments]
    parts += [f"{key}={_show(value)}" for key, value in keywords.items()]
    return f"{name}({', '.join(parts)})"


def _show(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, np.ndarray):
        if value.size > 12:
            return f"array of shape {value.shape}"
        return np.array2string(value, separator=", ", precision=5, suppress_small=True).replace("\n", "")
    if isinstance(value, np.generic):
        return _show(value.item())
    if isinstance(value, float):
        return f"{value:.6g}"
    return repr(value)[:200]
