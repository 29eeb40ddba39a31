"""`course data restore`: put back data files that are missing or changed, from a copy that this machine has."""

import hashlib
import subprocess
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from course_utils import paths
from course_utils.cli.errors import CourseError
from course_utils.data_files import MANIFEST, DataFileError, parse_manifest, read_manifest, restore_command, sha256

# Written by hand; a hidden file is git's, a changed one was set aside here.
UNLISTED = {"README.md", MANIFEST, "prepare"}
LARGEST_FILE = 100_000_000  # bytes; no file of the course is larger, and what a zip file unpacks to may be anything

# Every content that a source has for a file, the likeliest first.
Source = Callable[[str], Iterable[bytes]]


def restore(names: list[str] | None = None, source: Path | None = None) -> None:
    """Check data files against the manifest and put back those that differ, printing a line for each.

    names: files ("photographs/bee.webp") or folders ("photographs") of `data/`; none means all of it.
    source: a folder or zip file, another copy of the course or of its `data/`. By default the git history of
        this copy, which needs no network.

    A restored file agrees with its checksum before it takes its place, all at once; a changed one is kept beside it as
    NAME.changed. Files that the manifest does not list are told, since one that was cut between two lines looks whole.
    Raises CourseError when a name is unknown or a file could be restored from nowhere.
    """
    contents = _git if source is None else _copy(Path(source))
    checksums = _manifest(contents, source, forced=bool(names) and MANIFEST in map(_plain, names))
    chosen = _chosen(names, checksums)
    intact, missing = 0, []
    for name in chosen:
        if _has_checksum(paths.DATA / name, checksums[name]):
            intact += 1
            if names and name in map(_plain, names):
                print(f"data/{name}: already as shipped")
            continue
        content = _matching(contents(name), checksums[name])
        if content is None:
            missing.append(name)
            print(f"data/{name}: not restored")
        else:
            _put_back(name, content)
    if chosen:
        print(f"{intact} of {len(chosen)} files were as shipped, {len(chosen) - intact - len(missing)} restored")
    if strangers := [name for name in present_files(paths.DATA) if name not in checksums]:
        print(f"data/{MANIFEST} does not list {_shortened(strangers)}: they are yours, or the list is not whole")
        print(f"To restore the list, run: {restore_command(MANIFEST)}")
    if missing:
        raise CourseError(_nowhere(missing, source))


def present_files(folder: Path) -> list[str]:
    """Names of the files that a whole manifest lists, sorted: all of a data folder but what is written by hand."""
    files = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return sorted(
        file.as_posix()
        for file in files
        if file.parts[0] not in UNLISTED
        and not any(part.startswith(".") for part in file.parts)
        and ".changed" not in file.suffix
    )


def _plain(name: str) -> str:
    """A name as the manifest spells it, from what a user may type: data\\photographs\\bee.webp."""
    return name.replace("\\", "/").removeprefix("./").removeprefix("data/").strip("/")


def _chosen(names: list[str] | None, checksums: dict[str, str]) -> list[str]:
    if not names:
        return list(checksums)
    chosen: dict[str, None] = {}  # keeps the order and drops repetitions
    for name in map(_plain, names):
        found = [file for file in checksums if file == name or file.startswith(f"{name}/")]
        if not found and name not in (MANIFEST, ""):
            folders = sorted({file.partition("/")[0] for file in checksums})
            raise CourseError(f"data/{name} is no file or folder of the manifest: it has {', '.join(folders)}")
        chosen.update(dict.fromkeys(found or (checksums if not name else [])))
    return list(chosen)


def _manifest(contents: Source, source: Path | None, forced: bool) -> dict[str, str]:
    """The checksums; the manifest itself comes from the source where it is unreadable or asked for."""
    try:
        if not forced:
            return read_manifest()
    except DataFileError:
        pass
    content = next(iter(contents(MANIFEST)), None)
    if content is None:
        raise CourseError(f"data/{MANIFEST} could not be restored: {_remedy(MANIFEST, source)}")
    try:
        parse_manifest(content.decode("utf-8"), paths.DATA)
    except ValueError as error:
        found = f"the {MANIFEST} there is none of the course, and nothing was changed ({error})"
        raise CourseError(f"{found}: {_remedy(MANIFEST, source)}") from error
    path = paths.DATA / MANIFEST
    if path.is_file() and path.read_bytes() == content:
        print(f"data/{MANIFEST}: already as shipped")
    else:
        _put_back(MANIFEST, content)
    return read_manifest()


def _has_checksum(path: Path, checksum: str) -> bool:
    try:
        return sha256(path) == checksum
    except OSError:
        return False


def _matching(contents: Iterable[bytes], checksum: str) -> bytes | None:
    return next((content for content in contents if hashlib.sha256(content).hexdigest() == checksum), None)


def _put_back(name: str, content: bytes) -> None:
    path = paths.inside(paths.DATA, name)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f"{path.name}.part")
        partial.write_bytes(content)
        kept = ""
        if path.exists():
            kept = f"; what was there is kept as {_set_aside(path)}"
        partial.replace(path)
    except OSError as error:
        raise CourseError(f"data/{name} could not be written: {error.strerror} ({error.filename})") from error
    print(f"data/{name}: restored{kept}")


def _set_aside(path: Path) -> str:
    """Rename a file to NAME.changed, or NAME.changed2 and so on where that is taken; returns the new name."""
    number = 1
    while (aside := path.with_name(f"{path.name}.changed{number if number > 1 else ''}")).exists():
        number += 1
    path.rename(aside)
    return aside.name


# ------------------------------------------------------------------------------------------------- sources


def _git(name: str) -> Iterator[bytes]:
    """Contents of a data file in the git history of this copy, newest first.

    As they were committed: `git restore` would convert the ends of lines, and write before the checksum is known.
    """
    file = f"data/{name}"
    yield from _committed("HEAD", file)
    for commit in _run_git("log", "--format=%H", "--", file).stdout.decode().split():
        yield from _committed(commit, file)


def _committed(commit: str, file: str) -> list[bytes]:
    done = _run_git("cat-file", "blob", f"{commit}:./{file}")
    return [] if done.returncode else [done.stdout]


def _run_git(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    command = ["git", *arguments]
    try:
        return subprocess.run(command, cwd=paths.DATA.parent, capture_output=True, check=False)
    except OSError as error:  # there is no git
        return subprocess.CompletedProcess(command, 127, b"", f"git does not start: {error.strerror}".encode())


def _copy(source: Path) -> Source:
    """Contents of a data file in a folder or zip file: a copy of the course, or of its data folder."""
    if source.is_dir():
        return lambda name: (path.read_bytes() for path in (source / "data" / name, source / name) if path.is_file())
    if zipfile.is_zipfile(source):
        return lambda name: _zipped(source, name)
    if source.exists():
        raise CourseError(f"{source} is neither a folder nor a zip file: give a copy of the course or of its data/")
    raise CourseError(f"there is no {source}: give a folder or zip file, a copy of the course or of its data/")


def _zipped(source: Path, name: str) -> Iterator[bytes]:
    try:
        with zipfile.ZipFile(source) as archive:
            for member in archive.infolist():
                if member.filename != name and not f"/{member.filename}".endswith(f"/data/{name}"):
                    continue
                if member.file_size > LARGEST_FILE:
                    raise CourseError(
                        f"{member.filename} in {source} would unpack to {member.file_size / 1e6:,.0f} MB, and no file "
                        "of the course is larger than 100: this is no copy of it"
                    )
                yield archive.read(member)
    except (OSError, zipfile.BadZipFile, zlib.error) as error:
        raise CourseError(f"{source} is a broken zip file ({error}): get a fresh copy of it") from error


def _nowhere(missing: list[str], source: Path | None) -> str:
    where = "the git history of this copy" if source is None else source
    remedy = _remedy(missing[0], source)
    return f"{where} has no file with the right checksum for {_shortened(missing)}: {remedy}"


def _shortened(names: list[str]) -> str:
    """How many files, and the first of them."""
    files = ", ".join(f"data/{name}" for name in names[:3]) + (", …" if len(names) > 3 else "")
    return f"{len(names)} of the data files ({files})"


def _remedy(name: str, source: Path | None) -> str:
    """What to do where a data file cannot be had, and git's own words where they say why: often a remedy, too."""
    remedy = (
        "copy it from another copy of the course (python course.py data restore --from FOLDER_OR_ZIP), or rebuild it "
        "from its package as data/README.md tells"
    )
    if source:
        return remedy
    newest = _run_git("cat-file", "blob", f"HEAD:./data/{name}")
    words = newest.stderr.decode(errors="replace").strip()
    return f"{remedy}\ngit says: {words}" if words else remedy
