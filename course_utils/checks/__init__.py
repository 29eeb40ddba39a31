"""The frame that exercise checks are built in.

A check is a function that puts a student's answer through trials, from the simplest to random ones:

    @exercise("E2.1")
    def e2_1(attempt):
        attempt.compare((5, 3), expected=3, hint="...")

The lesson calls `check.e2_1(answer)`. It prints one of three verdicts and never stops the notebook: not
attempted yet, passed, or what was tried, what came back, what was expected, and a hint. Whatever an answer
raises, at once or when it is looked at, is part of the verdict; only Ctrl-C still stops.

NumPy's error state, `np.seterr`, is the notebook's own while the answer runs: it warns and raises as it would
in a cell. A check's own arithmetic, which overflows on purpose where a mistake would, warns and raises nothing.
"""

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np


class Rejected(Exception):
    """An answer failed a trial; the message is what the student reads."""


class _NotAttempted(Exception):
    """The answer is still the stub."""


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
            attempt = Attempt(answer, name)
            with np.errstate(all="ignore"):
                _, problem = _outcome(trials, attempt)
            if problem is None:
                return Verdict("passed", f"{name} passed.")
            if type(problem) is _NotAttempted:
                message = f"{name} not attempted yet: fill in the cell above, run it, run this again."
                return Verdict("not attempted", message)
            if type(problem) is not Rejected:
                problem = _report(_OTHER_KIND, tried=attempt.tried, got=attempt.got, error=problem)
            return Verdict("rejected", f"{name} not yet.\n{problem}")

        @functools.wraps(trials)
        def check(answer: Any) -> None:
            print(verdict(answer).message)

        check.verdict = verdict
        check.exercise_name = name
        return check

    return decorate


_OTHER_KIND = "What came back is not of the kind that is asked for: look up what to return, and try it in a cell."


class Attempt:
    """A student's answer (a function or a value) and the trials it is put through.

    exercise: its name, such as "E2.1", with which the message of its stub begins.
    tried, got: the call tried last, and what came back.
    """

    def __init__(self, answer: Any, exercise: str):
        self.answer, self.exercise = answer, exercise
        self.tried, self.got = "your answer", answer
        self._error_state = np.geterr()

    def reject(self, hint: str, **facts: Any) -> None:
        """Reject the answer with a hint; facts are printed above it, one `name value` a line."""
        raise Rejected(_report(hint, **facts))

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
        copies = [_copy(argument) for argument in arguments]
        problem = self._run(copies, keywords, tried or self._call_text(arguments, keywords))
        if problem is not None:
            hint = "The function stopped with this error; run it on the same input in a cell of your own to see where."
            hint = next((hint for kind, hint in (errors or {}).items() if isinstance(problem, kind)), hint)
            self.reject(hint, tried=self.tried, got=problem)
        if self.got is None:
            self.reject("The function returned nothing: does it end in `return`?", tried=self.tried, got=None)
        for argument, copy in zip(arguments, copies, strict=True):
            if isinstance(argument, np.ndarray) and not np.array_equal(argument, copy, equal_nan=True):
                hint = "The function changed its input; work on a copy or write into a new array."
                self.reject(hint, tried=self.tried)
        return self.got

    def refuse(self, *arguments: Any, error: type[Exception], hint: str, tried: str) -> None:
        """Reject unless the answer raises the error on these arguments."""
        problem = self._run(arguments, {}, tried)
        if not isinstance(problem, error):
            self.reject(hint, tried=tried, got="no error" if problem is None else problem, expected=error.__name__)

    def _run(self, arguments, keywords: Mapping[str, Any], tried: str) -> BaseException | None:
        """Call the answer, keep what it returns, and return what it raises; the stub's own error ends the trials."""
        if not callable(self.answer):
            self.reject("Hand in the function itself, without calling it.", got=self.answer, expected="a function")
        with np.errstate(**self._error_state):
            self.got, problem = _outcome(self.answer, *arguments, **keywords)
        self.tried = tried
        if _show(problem).startswith(f"NotImplementedError: {self.exercise}:"):
            raise _NotAttempted
        return problem

    def _call_text(self, arguments: tuple, keywords: Mapping[str, Any]) -> str:
        name, _ = _outcome(getattr, self.answer, "__name__")
        parts = [_show(argument) for argument in arguments]
        parts += [f"{key}={_show(value)}" for key, value in keywords.items()]
        return f"{name if type(name) is str else 'your function'}({', '.join(parts)})"

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
        got = self.call(*arguments, tried=tried, errors=errors, **keywords)
        self.agree(got, expected, hint, mistakes=mistakes, tried=self.tried, tolerance=tolerance)

    def numbers(self, got: Any, tried: str = "your answer") -> np.ndarray:
        """`got` as a plain array. Rejects text, ragged lists, masked or complex numbers, integers beyond 64 bits."""
        array, _ = _outcome(lambda: None if np.ma.is_masked(got) else np.asarray(got))
        if array is None or array.dtype.kind not in "biuf":
            self.reject("The answer should be a number or an array of numbers.", tried=tried, got=got)
        return array

    def agree(self, got, expected, hint, *, mistakes=None, tried="your answer", tolerance=1e-5) -> None:
        """Reject unless `got` has the shape and, within the tolerance, the values of `expected`."""
        array, expected_array = self.numbers(got, tried), np.asarray(expected)
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


def _outcome(function: Callable, *arguments: Any, **keywords: Any) -> tuple[Any, BaseException | None]:
    """What the function returns and what it raises, which with a student's code may be anything; Ctrl-C still stops."""
    try:
        return function(*arguments, **keywords), None
    except KeyboardInterrupt:
        raise
    except BaseException as problem:  # `exit()` in an answer should not close the notebook either
        return None, problem


def _equal(got: np.ndarray, expected: np.ndarray, tolerance: float) -> bool:
    return got.shape == expected.shape and np.allclose(got, expected, rtol=tolerance, atol=tolerance, equal_nan=True)


def _first_difference(got: np.ndarray, expected: np.ndarray, tolerance: float) -> dict[str, str]:
    if expected.ndim == 0 or got.size <= 12:
        return {"got": _show(got), "expected": _show(expected)}
    differs = ~np.isclose(got, expected, rtol=tolerance, atol=tolerance, equal_nan=True)
    index = tuple(int(i) for i in np.argwhere(differs)[0])
    place = f"at index {index}, {differs.mean():.0%} of entries differ"
    return {"got": f"{float(got[index]):.5g} {place}", "expected": f"{expected[index]:.5g}"}


def _copy(value: Any) -> Any:
    return value.copy() if isinstance(value, np.ndarray) else value


def _report(hint: str, **facts: Any) -> str:
    lines = [f"  {key:<9} {_show(value)}" for key, value in facts.items()]
    return "\n".join([*lines, f"  hint      {hint}"])


def _show(value: Any) -> str:
    """The value in a few words that can be printed, whatever it is."""
    shown, problem = _outcome(lambda: str.encode(_text(value)).decode())  # text that no terminal prints fails here
    return shown[:1000] if problem is None else "something that cannot be shown"


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, BaseException):
        return f"{type(value).__name__}: {value}"
    if isinstance(value, np.ndarray):
        if value.size > 12:
            return f"array of shape {value.shape}"
        return np.array2string(value, separator=", ", precision=5, suppress_small=True).replace("\n", "")
    if isinstance(value, np.generic):
        return _text(value.item())
    if isinstance(value, float):
        return f"{value:.6g}"
    return repr(value)[:200]
