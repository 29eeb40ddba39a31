"""How long the lessons took on this machine."""

import json

from course_utils.paths import WORK


def record(lesson: str, seconds: float) -> None:
    """Note the seconds a lesson took, beside those of the others, in `work/timings.json`."""
    file = WORK / "timings.json"
    known = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(known | {lesson: round(seconds, 1)}, indent=1, sort_keys=True), encoding="utf-8")
