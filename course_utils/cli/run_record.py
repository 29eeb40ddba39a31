"""NAME.json of a run of `course train`: what was begun, where, and how far it came."""

import json
from pathlib import Path

from course_utils import paths
from course_utils.cli.errors import CourseError


def folder(name: str) -> Path:
    """The folder of a run."""
    return paths.RUNS / name


def read(name: str) -> dict | None:
    """What NAME.json says, None where nothing has been begun."""
    path = folder(name) / f"{name}.json"
    if path.exists():
        record = json.loads(path.read_text(encoding="utf-8"))
        if record.get("model") != name:
            raise CourseError(f"{path} speaks of {record.get('model')!r}, not of {name!r}: rename or delete its folder")
        return record
    if path.parent.exists() and any(path.parent.iterdir()):
        raise CourseError(f"{path.parent} holds files, but no {path.name} that says of what: rename or delete it first")
    return None


def write(record: dict) -> None:
    """Write NAME.json, in one step."""
    path = paths.inside(paths.RUNS, f"{record['model']}/{record['model']}.json")
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"partial-{path.name}")
    partial.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    partial.replace(path)
