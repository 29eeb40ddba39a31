"""Answers that no check expects: each must be rejected with a hint, and none may raise an error.

PLAIN and UNRULY are things to hand in or to return: PLAIN are data of a wrong kind, UNRULY raise errors or lie
when they are looked at. RAISING are functions that stop with an error. SPOILT turn a right result into a wrong one.
"""

import asyncio
import types

import keras
import numpy as np
import tensorflow as tf


def _itself() -> list:
    endless = []
    endless.append(endless)
    return endless


def _nested(depth: int) -> list:
    inside = []
    for _ in range(depth):
        inside = [inside]
    return inside


PLAIN = {
    "nothing": None,
    "an empty dictionary": {},
    "a dictionary": {"a": 1, 2: [3]},
    "a set": {1, 2, 3},
    "an empty list": [],
    "text": "four",
    "no text for a terminal": "\ud800",
    "three texts": ("1", "2", "3"),
    "bytes": b"four",
    "a huge integer": 10**400,
    "too many digits to show": -(10**5000),
    "two huge integers": (10**400, 1),
    "three huge integers": [0, 10**400, 0.5],
    "not a number": float("nan"),
    "infinity": float("inf"),
    "three infinities": np.full(3, -np.inf),
    "a complex number": 1j,
    "a ragged list": [1, [2, 3]],
    "a ragged tuple": ((1, 2), 3),
    "a ragged kernel": [[0, 0, 0], [1, 0], [0, 0, 0]],
    "a kernel with a hole": [[0, 0, 0], [1, None, 0], [0, 0, 0]],
    "three times nothing": (None, None, None),
    "two arrays that do not fit": (np.ones(2), np.ones((2, 3))),
    "an empty array": np.empty((0, 3)),
    "an array of text": np.array([["a", "b"]]),
    "an array of objects": np.array([1, None, "b"], dtype=object),
    "dates": np.array(["2020-01-01"], dtype="datetime64[D]"),
    "records": np.zeros(3, dtype=[("a", float), ("b", int)]),
    "many axes": np.zeros((1,) * 40),
    "masked": np.ma.masked,
    "a range": range(5),
    "a list in itself": _itself(),
    "a list of great depth": _nested(100_000),
    "a class": int,
    "a module": np,
    "NotImplemented": NotImplemented,
    "an ellipsis": ...,
    "a generator": (number for number in range(3)),
    "an error, returned": ValueError("returned"),
    "a string tensor": tf.constant(["a", "b"]),
    "a ragged tensor": tf.ragged.constant([[1, 2], [3]]),
    "a tensor without values": keras.Input((3,)),
}


class _Unprintable(Exception):
    def __str__(self):
        raise SystemExit("and its text stops Python")


ERRORS = {
    "ValueError": ValueError("one of its own"),
    "SystemExit": SystemExit(0),
    "GeneratorExit": GeneratorExit(),
    "CancelledError": asyncio.CancelledError(),
    "BaseException": BaseException("bare"),
    "a group": BaseExceptionGroup("several", [SystemExit()]),
    "RecursionError": RecursionError(),
    "MemoryError": MemoryError(),
    "StopIteration": StopIteration(),
    "FloatingPointError": FloatingPointError(),
    "NotImplementedError": NotImplementedError("not on this device"),
    "a text no terminal prints": OSError("\ud800"),
    "no text at all": _Unprintable(),
}

_SPECIAL = ["repr", "str", "format", "eq", "ne", "lt", "bool", "len", "array", "iter", "next", "getitem", "contains"]
_SPECIAL += ["float", "int", "index", "hash", "getattr", "call", "add", "rsub", "array_ufunc", "array_function"]


def unruly(error: BaseException, *names: str, like: object = None):
    """An object, a copy of `like` where that is given, of a class in which these special methods raise the error."""

    def method(*_, **__):
        raise error

    base, value = (object, ()) if like is None else (type(like), (like,))
    methods = {f"__{name}__": method for name in names}
    return types.new_class("Unruly", (base,), {}, lambda body: body.update(methods))(*value)


class _EqualToAll:
    __hash__ = object.__hash__

    def __eq__(self, other):
        return True

    def __ne__(self, other):
        return False


class _LyingLength(list):
    def __len__(self):
        return 2


class _LyingArray(np.ndarray):
    def __array_ufunc__(self, *_, **__):
        return True

    def __array_function__(self, *_, **__):
        return True


UNRULY = {
    **{f"{name} raises SystemExit": unruly(SystemExit(), name) for name in _SPECIAL},
    **{f"all raise {name}": unruly(error, *_SPECIAL) for name, error in ERRORS.items()},
    "an unruly list": unruly(GeneratorExit(), *_SPECIAL[:8], like=[1, 2]),
    "an unruly dictionary": unruly(NotImplementedError(), *_SPECIAL[:8], like=dict.fromkeys("ABCDEF", "tanh")),
    "an unruly text": unruly(SystemExit(), *_SPECIAL[:8], like="four"),
    "an unruly integer": unruly(SystemExit(), *_SPECIAL[:8], like=-400),
    "two unruly things": (unruly(SystemExit(), *_SPECIAL), unruly(SystemExit(), *_SPECIAL)),
    "unruly illnesses": {run: unruly(SystemExit(), "eq", "repr") for run in "ABCDEF"},
    "illnesses equal to all": {run: _EqualToAll() for run in "ABCDEF"},
    "equal to all": _EqualToAll(),
    "three things equal to all": [_EqualToAll()] * 3,
    "a length that lies": _LyingLength([1, 2, 3]),
    "an array that lies": np.zeros((3, 3)).view(_LyingArray),
    "an error without a text": _Unprintable(),
}


def _endless(*arguments, **keywords):
    return _endless(*arguments, **keywords)


def _unfinished_layer(*_, **__):
    return keras.Layer().call(np.ones((1, 2)))


def raises(error: BaseException):
    def answer(*_, **__):
        raise error

    return answer


RAISING = {
    **{name: raises(error) for name, error in ERRORS.items()},
    "endless recursion": _endless,
    "an unfinished layer": _unfinished_layer,
    "an abstract layer": lambda *_, **__: keras.losses.Loss().call(np.ones(2), np.ones(2)),
}

SPOILT = {
    "complex": lambda got: np.asarray(got) + 0j,
    "text": lambda got: np.asarray(got).astype(str),
    "named": lambda got: {0: got},
    "ragged": lambda got: [got, [got, got]],
    "with a hole": lambda got: [*np.ravel(np.asarray(got))[:-1], None],
    "as objects": lambda got: np.asarray(got).astype(object) + 10**30,
    "not a number": lambda got: np.asarray(got) * np.nan,
    "huge": lambda got: np.full(np.shape(got), np.inf),
    "an axis too many": lambda got: np.asarray(got)[..., None],
}
