"""What a stored notebook was built from: `course build` writes it down, so that one can tell when it is out of date.

    "built_from": {"code": digest, "modules": {"course_utils.data": digest, ...}, "files": {"data/mnist": digest, ...}}

code: of the sources of its code cells. modules: of the modules of the course that it imported, as syntax without
docstrings and comments. files: of what it read in data/ and benchmarks/, by file, or by folder where it read most of
one. So a file that is new in a folder concerns only the lessons that read the folder as a whole.
"""

import ast
import hashlib
import os
from collections import Counter
from pathlib import Path

from nbformat import NotebookNode

from course_utils import paths
from course_utils.cli.lessons import Lesson
from course_utils.data_files import MANIFEST

MANY = 8  # files read in one folder, from which on the folder as a whole is noted, where they are most of its files
TEXT = {".json", ".csv", ".txt", ".md"}  # a checkout may change the ends of their lines

# Read by the kernel before the first cell (PYTHONSTARTUP): notes what is imported and read, a line each.
WATCH = """\
def _watch(roots, log):
    import os, sys

    seen, file = set(), open(log, "a", buffering=1, encoding="utf-8")

    def note(event, arguments):
        if event == "import":
            line = arguments[0] if arguments[0].partition(".")[0] == "course_utils" else None
        elif event == "open" and isinstance(arguments[0], str):
            path = os.path.abspath(arguments[0])
            line = path if path.startswith(roots) else None
        else:
            return
        if line and line not in seen:
            seen.add(line)
            file.write(line + "\\n")

    sys.addaudithook(note)


_watch({roots!r}, {log!r})
del _watch
"""


def write_watch(folder: Path) -> tuple[Path, Path]:
    """Put the start-up file of a watched kernel in a folder; return its path and that of the log it will write."""
    startup, log = folder / "watch.py", folder / "seen.txt"
    roots = tuple(f"{folder}{os.sep}" for folder in (paths.DATA, paths.BENCHMARKS))
    startup.write_text(WATCH.format(roots=roots, log=str(log)), encoding="utf-8")
    log.touch()
    return startup, log


def built_from(notebook: NotebookNode, log: Path) -> dict:
    """The record of a notebook that was executed in a watched kernel."""
    lines = [Path(line) for line in log.read_text(encoding="utf-8").splitlines()]
    modules = sorted(str(line) for line in lines if not line.is_absolute() and module_file(str(line)))
    # The list of checksums changes with every file of data, and the files themselves are noted.
    read = [path.relative_to(paths.ROOT) for path in lines if path.is_relative_to(paths.ROOT) and path.name != MANIFEST]
    folders = Counter(path.parent for path in read)
    whole = {folder for folder, count in folders.items() if count >= max(MANY, len(_inside(folder)) / 2)}
    files = sorted({(path.parent if path.parent in whole else path).as_posix() for path in read})
    return {
        "code": code_digest(notebook),
        "modules": {name: module_digest(name) for name in modules},
        "files": {name: file_digest(name) for name in files},
    }


def changes(lesson: Lesson, fresh: NotebookNode, stored: NotebookNode) -> list[str]:
    """What has changed since a notebook was built, in words; nothing where a build would print and draw the same.

    fresh: the lesson as it is now, converted.
    """
    record = stored.metadata.get("course", {}).get("built_from")
    if record is None:
        return ["it does not say what it was built from"]
    changed = [] if record["code"] == code_digest(fresh) else [f"code cells of {lesson.path.name}"]
    changed += [name for name, digest in record["modules"].items() if module_digest(name) != digest]
    return changed + [name for name, digest in record["files"].items() if file_digest(name) != digest]


def changed_since(moment: float, record: dict) -> list[str]:
    """The modules and files of a record that were written after a moment, seconds since 1970: their digests may lie."""

    def files(name: str) -> list[Path]:
        path = module_file(name) or paths.ROOT / name
        return [path] if path.is_file() else _inside(path)

    names = (*record["modules"], *record["files"])
    return [name for name in names if any(file.stat().st_mtime > moment for file in files(name))]


def code_digest(notebook: NotebookNode) -> str:
    """Of the sources of the code cells, in order."""
    return _digest(repr([cell.source for cell in notebook.cells if cell.cell_type == "code"]).encode())


def module_file(name: str) -> Path | None:
    """Where a module of the course lies, None where there is none of this name."""
    path = paths.ROOT / Path(*name.split("."))
    return next((file for file in (path.with_suffix(".py"), path / "__init__.py") if file.is_file()), None)


def module_digest(name: str) -> str | None:
    """Of a module's syntax tree: comments, docstrings and layout cost nothing. None where the module is gone."""
    file = module_file(name)
    if file is None:
        return None
    tree = ast.parse(file.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            is_docstring = node.body and isinstance(node.body[0], ast.Expr) and ast.get_docstring(node) is not None
            node.body = node.body[1:] if is_docstring else node.body
    return _digest(repr(_plain(tree)).encode())


def _plain(node):
    """A syntax tree as nested tuples, alike in each version of Python: what newer ones add is empty and left out."""
    if isinstance(node, ast.AST):
        fields = ((name, _plain(value)) for name, value in ast.iter_fields(node))
        return type(node).__name__, *((name, value) for name, value in fields if value not in (None, ()))
    if isinstance(node, list):
        return tuple(map(_plain, node))
    return node if node is None else repr(node)


def file_digest(name: str) -> str | None:
    """Of a file, or of all files of a folder with their names; None where it is gone."""
    path = paths.ROOT / name
    if path.is_file():
        content = path.read_bytes()
        return _digest(content.replace(b"\r\n", b"\n") if path.suffix in TEXT else content)
    if not path.is_dir():
        return None
    inside = sorted(file.relative_to(paths.ROOT).as_posix() for file in _inside(path))
    return _digest(repr([(file, file_digest(file)) for file in inside]).encode())


def _inside(folder: Path | str) -> list[Path]:
    """The files that lie in a folder, which may be given relative to the course."""
    return [file for file in (paths.ROOT / folder).iterdir() if file.is_file()]


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]
