"""The `course` command line. Each command's work is imported only when it is asked for."""

import errno
import importlib
import sys
from collections.abc import Sequence

from course_utils.cli.errors import CourseError

OWN_FOLDER = "copy the course to a folder of your own, and run it there"
REMEDIES = {errno.EACCES: OWN_FOLDER, errno.EROFS: OWN_FOLDER, errno.ENOSPC: "make room on the disk"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit status: 0 well, 1 something failed, 2 asked for the impossible."""
    # By name: a lesson that looks at this machine by a module of this package depends on none of the commands.
    commands = importlib.import_module("course_utils.cli.commands")
    options = commands.parse(sys.argv[1:] if arguments is None else arguments)
    try:
        return options.work(options)
    except CourseError as error:
        print(f"course: {error}", file=sys.stderr)
        return 2
    except ImportError as error:
        if (error.name or "").startswith("course_utils"):
            raise
        remedy = "delete the folder .venv and run: python course.py"
        print(f"course: a package is missing or damaged ({error}); {remedy}", file=sys.stderr)
        return 2
    except OSError as error:
        if error.errno not in REMEDIES:
            raise
        print(f"course: {error}; {REMEDIES[error.errno]}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("course: interrupted", file=sys.stderr)
        return 130
