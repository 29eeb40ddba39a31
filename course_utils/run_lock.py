"""One training at a time under a name: a lock on a file, which the system lets go of when its process ends, however."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO

from course_utils import paths

_held: set[Path] = set()  # by this process, which may enter again: `course train` holds what its `fit` asks for


class RunInUse(RuntimeError):
    """Another process trains under this name."""


@contextmanager
def alone(name: str) -> Iterator[None]:
    """Keep other processes from training under this name while the context lasts.

    Raises RunInUse where one does so already, with what it said of itself; ValueError for a name that is a path.
    """
    path = paths.inside(paths.RUNS, f"{name}.lock")
    if path in _held:
        yield
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with _open_locked(path, name) as file:
        _held.add(path)
        try:
            file.truncate(0)
            file.write(f"process {os.getpid()}, since {datetime.now():%Y-%m-%d %H:%M:%S}")
            file.flush()
            yield
        finally:
            _held.discard(path)
            if sys.platform != "win32":  # where an open file cannot be removed, an empty one stays
                path.unlink(missing_ok=True)


def _open_locked(path: Path, name: str) -> IO[str]:
    """The file, opened and locked. Its last holder may have removed it in between: then once more."""
    while True:
        file = path.open("a+", encoding="utf-8")
        if not _try_lock(file):
            with file:
                file.seek(0)
                holder = file.read().strip() or "another process"
            raise RunInUse(
                f"{holder} trains under the name {name!r} in {path.parent}: wait until it has ended, or stop it first"
            )
        if path.exists() and os.path.samestat(path.stat(), os.fstat(file.fileno())):
            return file
        file.close()


def _try_lock(file: IO[str]) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            file.seek(2**20)  # a place that holds no text: what is locked there cannot be read by others
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
