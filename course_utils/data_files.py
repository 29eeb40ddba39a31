"""The files of `data/`, each compared with its checksum in `data/MANIFEST.sha256` before its first use."""

import hashlib
from functools import cache
from pathlib import Path

from course_utils import paths

MANIFEST = "MANIFEST.sha256"


class DataFileError(OSError):
    """A shipped data file is missing, cut short or changed; the message says how to restore it."""


def sha256(path: Path) -> str:
    """The SHA-256 checksum of a file, as 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_manifest(folder: Path | None = None) -> dict[str, str]:
    """Checksums by file name, from the manifest of a data folder (by default the course's own).

    Names are relative to the folder, with forward slashes. Raises DataFileError where there is no readable manifest,
    and where one of its names leads out of the folder.
    """
    folder = folder or paths.DATA
    try:
        text = (folder / MANIFEST).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise damaged(MANIFEST, "a list of checksums", f"nothing readable ({error})") from error
    return parse_manifest(text, folder)


def parse_manifest(text: str, folder: Path) -> dict[str, str]:
    """Checksums by file name, from the text of a manifest. Raises DataFileError for a name that leaves the folder."""
    checksums = {name: checksum for checksum, _, name in (line.partition("  ") for line in text.splitlines())}
    for name in checksums:
        try:
            paths.inside(folder, name)
        except ValueError as error:
            raise damaged(MANIFEST, "names of files in data/", str(error)) from error
    return checksums


def damaged(name: str, expected: str, found: str) -> DataFileError:
    """The error for a data file that is not the one the course shipped."""
    return DataFileError(
        f"data/{name} is not the file the course shipped.\n"
        f"  expected: {expected}\n"
        f"  found:    {found}\n"
        f"To restore it, run: python course.py data restore {name}"
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
        raise DataFileError(f"data/{name} is not listed in data/{MANIFEST}: check the spelling of the name")
    if problem := find_problem(folder, name, expected):
        raise problem
    return folder / name
