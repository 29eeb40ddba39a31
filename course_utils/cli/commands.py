"""The commands of `course`: what each is for, what it takes, and what does its work."""

import argparse
from collections.abc import Callable, Sequence
from typing import NamedTuple

from course_utils.cli.errors import CourseError


class Command(NamedTuple):
    """One command.

    work: (options) -> exit status. summary: its line of `course --help`. detail: what its own help adds.
    takes: adds its arguments to its parser; None where it takes none.
    """

    work: Callable[[argparse.Namespace], int]
    summary: str
    detail: str
    takes: Callable[[argparse.ArgumentParser], None] | None = None


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """What the command line asks for; `options.work(options)` does it. Ends the process where it asks for help only."""
    parser = argparse.ArgumentParser(
        prog="course",
        description="Picture Machines: open the lessons, run them, build them, test them.",
        epilog="NN names a lesson: 2, 02, 02_convolution or lessons/02_convolution.py. "
        "`course COMMAND --help` says more about each.",
    )
    added = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name, (work, summary, detail, takes) in COMMANDS.items():
        command = added.add_parser(name, help=summary, description=f"{summary[0].upper()}{summary[1:]}. {detail}")
        command.set_defaults(work=work)
        if takes and name in arguments:  # what a command takes may need a moment to find out
            takes(command)
    return parser.parse_args(arguments)


# ---- what each takes -------------------------------------------------------------------------------------


def _lab_takes(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("lesson", nargs="?", metavar="NN", help="the lesson to open at (default: the first)")
    parser.add_argument("--no-browser", action="store_true", help="print the address instead of opening a browser")
    parser.add_argument("--port", type=_port, help="the port to listen on (default: the first free one from 8888)")


def _run_takes(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("lesson", metavar="NN")
    parser.add_argument("--mine", action="store_true", help="execute your own copy in work/ instead of the lesson")


def _reset_takes(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("lesson", metavar="NN")


def _build_takes(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("lessons", nargs="*", metavar="NN", help="the lessons to build (default: all)")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--stale", action="store_true", help="only those whose notebook is out of date, and say why")
    which.add_argument("--force", action="store_true", help="execute them although nothing has changed")


def _test_takes(parser: argparse.ArgumentParser) -> None:
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--quick", action="store_true", help="leave out the notebooks and the browser")
    length.add_argument(
        "--full",
        nargs="*",
        metavar="NN",
        help="compare these notebooks alone (default: all) at their full length, trained numbers and bands included",
    )


def _train_takes(parser: argparse.ArgumentParser) -> None:
    from course_utils import recipes

    *first, last = recipes.names()
    parser.add_argument("name", metavar="NAME", help=f"{', '.join(first)} or {last}")
    parser.add_argument("--profile", choices=("lesson", "full"), help="how large and how long (default: lesson)")
    parser.add_argument("--seconds", type=_seconds, metavar="S", help="stop after so many seconds of training")
    parser.add_argument(
        "--mixed-precision",
        action="store_true",
        help="multiply in bfloat16, which takes half the time on some processors and most GPUs",
    )
    parser.add_argument("--resume", action="store_true", help="go on with an unfinished training")


def _score_takes(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="a network that restores pictures, such as sr_x2")
    parser.add_argument(
        "--folder", metavar="DIR", help="of pictures to score on (default: the test photographs of the course)"
    )


def _data_takes(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    restore = actions.add_parser(
        "restore",
        help="put back files that are missing or damaged",
        description="Compares the files with their checksums and puts back those that differ, from the history that "
        "git keeps of this copy or from another copy; no network is needed.",
    )
    restore.add_argument("names", nargs="*", metavar="NAME", help="files or folders of data/ (default: all of it)")
    restore.add_argument(
        "--from", dest="source", metavar="PATH", help="another copy of the course: a folder or zip file"
    )


def _port(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"a port is a number from 1 to 65535, got {text}")
    return int(text)


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds < float("inf"):
        raise argparse.ArgumentTypeError(f"seconds must be above 0, got {text}")
    return seconds


# ---- what does the work ----------------------------------------------------------------------------------


def _lab(options: argparse.Namespace) -> int:
    from course_utils.cli import lab, lessons

    chosen = lessons.find_lessons([options.lesson] if options.lesson else [])[0]
    lessons.make_work_copies()
    for lesson in lessons.outdated_work_copies():
        print(f"{lesson.name} has changed since your copy was made; `course reset {lesson.number:02d}` renews it.")
    try:
        lessons.read_work_copy(chosen)
    except CourseError as error:  # JupyterLab cannot open it, and the others it can
        print(error)
    return lab.start_lab(chosen.work_copy, browser=not options.no_browser, port=options.port)


def _run(options: argparse.Namespace) -> int:
    from course_utils.cli import execute, lessons

    return execute.run(lessons.find_lesson(options.lesson), mine=options.mine)


def _reset(options: argparse.Namespace) -> int:
    from course_utils.cli import lessons

    lesson = lessons.find_lesson(options.lesson)
    kept = lessons.reset_work_copy(lesson)
    print(f"new copy: {lesson.work_copy}")
    if kept:
        print(f"old copy: {kept}")
    return 0


def _build(options: argparse.Namespace) -> int:
    from course_utils.cli import execute, lessons

    chosen = lessons.find_lessons(options.lessons)
    failed = execute.build_stale(chosen) if options.stale else execute.build_all(chosen, options.force)
    return 1 if failed else 0


def _test(options: argparse.Namespace) -> int:
    from course_utils.cli import lessons, testing

    if options.full is not None:
        return testing.run_full_tests(lessons.find_lessons(options.full))
    return testing.run_tests(quick=options.quick)


def _doctor(options: argparse.Namespace) -> int:
    from course_utils.cli import doctor

    return doctor.run_doctor()


def _train(options: argparse.Namespace) -> int:
    from course_utils.cli import train

    return train.train(options.name, options.profile, options.seconds, options.resume, options.mixed_precision)


def _score(options: argparse.Namespace) -> int:
    from course_utils.cli import score

    return score.score(options.name, options.folder)


def _restore(options: argparse.Namespace) -> int:
    from course_utils.cli import restore

    restore.restore(options.names, options.source)
    return 0


COMMANDS = {
    "lab": Command(
        _lab,
        "open the lessons in JupyterLab",
        "Each lesson is first copied to work/, without its solutions, unless it is there already; nothing in work/ "
        "is ever overwritten.",
        _lab_takes,
    ),
    "run": Command(
        _run,
        "execute one lesson without a browser",
        "Leaves the executed notebook and an HTML page in work/runs/, also when a cell fails. Without a network the "
        "page shows formulas as they were typed.",
        _run_takes,
    ),
    "reset": Command(
        _reset,
        "start your own copy of a lesson afresh",
        "The old copy is kept beside the new one, under a name with the date and time.",
        _reset_takes,
    ),
    "build": Command(
        _build,
        "make notebooks/ from lessons/",
        "Each lesson is executed from the top in a fresh kernel; where neither its code nor what it uses has changed, "
        "its text alone is renewed. A lesson with an error leaves its old notebook as it was.",
        _build_takes,
    ),
    "test": Command(
        _test,
        "run every test of the course",
        "The style checks, the tests of the package, and each stored notebook executed again, with trainings cut to a "
        "few steps, and compared.",
        _test_takes,
    ),
    "doctor": Command(
        _doctor,
        "say what this machine has and what to expect of it",
        "Checks Python, packages, memory, devices and the checksum of each data file.",
    ),
    "train": Command(
        _train,
        "train one of the course's networks",
        "Leaves weights, a record and a picture for each epoch in runs/NAME. After an interruption or a kill, "
        "--resume goes on from the last whole epoch.",
        _train_takes,
    ),
    "score": Command(
        _score,
        "measure a network that restores pictures",
        "Degrades each picture as the test of that network says, restores it, and prints the mean PSNR and SSIM beside "
        "those of what needs no network. Your own pictures may be grey or in colour, of any size.",
        _score_takes,
    ),
    "data": Command(_restore, "look after the files in data/", "Takes one action.", _data_takes),
}
