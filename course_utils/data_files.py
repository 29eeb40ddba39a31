"""The files of `data/`, each compared with its checksum in `data/MANIFEST.sha256` before its first use."""

import hashlib
import re
from functools import cache
from pathlib import Path

from course_utils import paths

MANIFEST = "MANIFEST.sha256"
ENTRY = re.compile(r"(?P<checksum>[0-9a-f]{64})  (?P<name>[^\r\n]+)\r?\n")  # a line of it


class DataFileError(OSError):
    """A shipped data file is missing, cut short or changed; the message says how to restore it."""


def sha256(path: Path) -> str:
    """The SHA-256 checksum of a file, as 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_manifest(folder: Path | None = None) -> dict[str, str]:
    """Checksums by file name, from the manifest of a data folder (by default the course's own).

    Names are relative to the folder, with forward slashes. Raises DataFileError, with the command that mends it, where
    the manifest is missing, unreadable, empty, cut short or changed, or one of its names leads out of the folder.
    """
    folder = folder or paths.DATA
    try:
        return parse_manifest((folder / MANIFEST).read_text(encoding="utf-8"), folder)
    except (OSError, ValueError) as error:
        raise damaged(MANIFEST, "the list of the data files, a checksum and a name in each line", str(error)) from error


def parse_manifest(text: str, folder: Path) -> dict[str, str]:
    """Checksums by file name, from the text of a manifest. Raises ValueError, which says what is wrong with it."""
    if not text.strip():
        raise ValueError("an empty file")
    checksums = {}
    for number, line in enumerate(text.splitlines(keepends=True), start=1):
        entry = ENTRY.fullmatch(line)
        if entry is None:  # the last line ends like the others: one that does not was cut
            raise ValueError(f"line {number} is cut short or changed: {line[:80].rstrip()!r}")
        paths.inside(folder, entry["name"])
        checksums[entry["name"]] = entry["checksum"]
    return checksums


def restore_command(name: str = "") -> str:
    """What to type to have a file of `data/` put right, or all of them."""
    return f"python course.py data restore {name}".rstrip()


def damaged(name: str, expected: str, found: str) -> DataFileError:
    """The error for a data file that is not the one the course shipped."""
    return DataFileError(
        f"data/{name} is not the file the course shipped.\n"
        f"  expected: {expected}\n"
        f"  found:    {found}\n"
        f"To restore it, run: {restore_command(name)}"
    )


def data_file(name: str) -> Path:
    """Path of the file `name` of `data/`, after its checksum agreed with the manifest (read once per process).

    Raises DataFileError when the file is missing, cut short, changed or not in the manifest.
    """
    return _checked(paths.DATA, name)


def find_problem(folder: Path, name: str, expected: str) -> DataFileError | None:
    """What is wrong with one file of a data folder, or None."""
    try:
        found = sha256(folder / name)
    except OSError as error:
        return damaged(name, f"sha256 {expected}", f"nothing readable ({error.strerror})")
    return None if found == expected else damaged(name, f"sha256 {expected}", f"sha256 {found}")


@cache
def _manifest(folder: Path) -> dict[str, str]:
    return read_manifest(folder)


@cache
def _checked(folder: Path, name: str) -> Path:
    expected = _manifest(folder).get(name)
    if expected is None:
        raise DataFileError(
            f"data/{name} is not listed in data/{MANIFEST}: check the spelling of the name.\n"
            f"If it is right, the list is not whole. To restore it, run: {restore_command(MANIFEST)}"
        )
    if problem := find_problem(folder, name, expected):
        raise problem
    return folder / name
