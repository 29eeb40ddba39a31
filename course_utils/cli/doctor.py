"""`course doctor`: what this machine has, whether the course is whole, and how long the lessons will take."""

import importlib.metadata
import json
import os
import platform
import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from course_utils import data_files, machine, paths
from course_utils.cli import kernel, timings

MEMORY_NEEDED = 4.0  # gigabytes: the system, a browser, JupyterLab and one kernel that trains
DISK_NEEDED = 1.0  # gigabytes free after set-up, for work copies, runs and checkpoints


@dataclass(frozen=True)
class Finding:
    """One line of the report: what was looked at, what was found, and what to do where that is wrong (empty if not)."""

    subject: str
    found: str
    remedy: str = ""


def run_doctor() -> int:
    """Print what was found, line by line as it is; return the exit status: 1 if something must be put right."""
    os.environ.update(kernel.environment())
    wrong = []
    for finding in examine():
        mark = "!!" if finding.remedy else "ok"
        print(f"{mark}  {finding.subject:<10} {finding.found}", flush=True)
        if finding.remedy:
            wrong.append(finding)
            print(f"    {'':<10} {finding.remedy}", flush=True)
    print(f"\n{len(wrong)} to put right: see the lines marked !!" if wrong else "\nAll is well.")
    return 1 if wrong else 0


def examine() -> Iterator[Finding]:
    """Every finding, the quick ones first."""
    yield processor()
    yield memory()
    yield disk()
    yield python()
    yield packages()
    yield data()
    yield kernels()
    yield training()
    yield from minutes()


def processor() -> Finding:
    """The CPU's name and how many of its cores this process may use."""
    return Finding("processor", machine.processor())


def memory() -> Finding:
    """Total and free memory, in gigabytes."""
    total, free = machine.memory()
    found = f"{total:.1f} GB, of which {free:.1f} GB are free"
    return Finding("memory", found, enough(total, MEMORY_NEEDED, "use a machine with more memory"))


def disk() -> Finding:
    """Room on the disk that holds the course, in gigabytes."""
    free = shutil.disk_usage(paths.ROOT).free / 1e9
    return Finding("disk", f"{free:.1f} GB free", enough(free, DISK_NEEDED, "make room on this disk"))


def enough(amount: float, needed: float, remedy: str) -> str:
    """The remedy where there is less than needed, else nothing."""
    return "" if amount >= needed else f"the lessons need {needed:.0f} GB: {remedy}"


def python() -> Finding:
    """The Python that runs the course, and the versions that results depend on most."""
    versions = ", ".join(f"{name} {installed(name)}" for name in ("keras", "numpy", "jupyterlab"))
    name = "tensorflow-cpu" if installed("tensorflow-cpu") else "tensorflow"
    return Finding("Python", f"{platform.python_version()}, {name} {installed(name)}, {versions}")


def installed(name: str) -> str | None:
    """Version of an installed package, or None."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def packages() -> Finding:
    """Whether packages are installed at the versions of the lock: all of them in `.venv`, elsewhere those we name."""
    own = Path(sys.prefix) == paths.ROOT / ".venv"
    stamp = json.loads((paths.ROOT / ".venv" / "course.json").read_text(encoding="utf-8")) if own else {}
    lock = paths.ROOT / ("requirements-gpu.lock" if stamp.get("kind") == "gpu" else "requirements.lock")
    pinned = pinned_versions(lock.read_text(encoding="utf-8"))
    if not own:
        pinned = [(name, version) for name, version in pinned if name in direct_requirements()]
    wrong = [f"{name} {installed(name)} instead of {version}" for name, version in pinned if installed(name) != version]
    if not wrong:
        return Finding("packages", f"all {len(pinned)} as in {lock.name}")
    found = f"{len(wrong)} of {len(pinned)} not as in {lock.name}: {', '.join(wrong[:4])}"
    other = "run the course by: python course.py (or renew the conda environment from environment.yml)"
    return Finding("packages", found, "delete the folder .venv and run: python course.py" if own else other)


def direct_requirements() -> set[str]:
    """Names of the packages that the course itself asks for, but for the installers."""
    import tomllib

    text = (paths.ROOT / "pyproject.toml").read_text(encoding="utf-8")
    listed = tomllib.loads(text)["project"]["dependencies"]
    return {re.match(r"[\w-]+", line)[0].replace("_", "-") for line in listed} - {"pip", "uv"}


def pinned_versions(lock: str) -> list[tuple[str, str]]:
    """Names and versions in a lock file's text that are meant for this machine."""
    from packaging.markers import Marker

    lines = re.findall(r"^([\w.-]+)==([^\s;]+)(?: ; (.+?))? \\$", lock, re.MULTILINE)
    return [(name, version) for name, version, marker in lines if not marker or Marker(marker).evaluate()]


def data() -> Finding:
    """Whether each shipped file is the one that was shipped, by its checksum."""
    try:
        manifest = data_files.read_manifest()
    except data_files.DataFileError as error:
        return Finding("data", str(error).splitlines()[0], f"run: {data_files.restore_command(data_files.MANIFEST)}")
    wrong = [name for name, checksum in manifest.items() if data_files.find_problem(paths.DATA, name, checksum)]
    size = sum((paths.DATA / name).stat().st_size for name in manifest if name not in wrong) / 1e6
    if not wrong:
        return _unlisted(manifest) or Finding("data", f"{len(manifest)} files, {size:.0f} MB, each with its checksum")
    found = f"{len(wrong)} of {len(manifest)} files missing or changed: {', '.join(wrong[:4])}"
    return Finding("data", found, f"run: {data_files.restore_command()}")


def _unlisted(manifest: dict[str, str]) -> Finding | None:
    """A list that was cut between two lines looks whole: the files that it leaves out give it away."""
    from course_utils.cli.restore import present_files

    names = [name for name in present_files(paths.DATA) if name not in manifest]
    if not names:
        return None
    found = f"{len(names)} files are not in data/{data_files.MANIFEST}: {', '.join(names[:4])}"
    own = "remove them if they are yours, else the list is not whole"
    return Finding("data", found, f"{own}: run: {data_files.restore_command(data_files.MANIFEST)}")


def kernels() -> Finding:
    """Whether a kernel, as JupyterLab starts it, answers and is this Python."""
    from jupyter_client.manager import run_kernel

    kernel.prepare()
    try:
        with run_kernel(kernel_name="python3", startup_timeout=60) as client:
            reply = client.execute(
                "import sys", user_expressions={"path": "sys.prefix"}, reply=True, timeout=60, silent=False
            )
        prefix = reply["content"]["user_expressions"]["path"]["data"]["text/plain"].strip("'\"")
    except Exception as error:  # whatever keeps a kernel from starting is what the report is about
        return Finding("kernel", f"does not start: {error}", "delete the folder .venv and run: python course.py")
    same = Path(prefix) == Path(sys.prefix)
    return Finding("kernel", f"answers from {prefix}", "" if same else "run the course by: python course.py")


def training() -> Finding:
    """The Keras backend and the device it will train on."""
    with kernel.native_logs_hidden():
        import keras

        names = machine.graphics_cards()
    backend = f"Keras on {keras.backend.backend()}"
    if names:
        return Finding("training", f"{backend}, on {', '.join(names)}")
    if shutil.which("nvidia-smi"):
        return Finding("training", f"{backend}, on the CPU; for the NVIDIA card run: python course.py --gpu")
    return Finding("training", f"{backend}, on the CPU, which the lessons are sized for")


def minutes() -> Iterator[Finding]:
    """This machine's speed, and what it makes of the minutes that the lessons took where they were built."""
    with kernel.native_logs_hidden():
        speed = timings.gigaflops()
    yield Finding("speed", f"{speed:.0f} GFLOP/s in float32 matrix products on the CPU")
    expected = timings.estimate(speed)
    for name, seconds in expected.items():
        yield Finding("minutes", f"{seconds / 60:4.1f} for {name}")
    if expected:
        yield Finding("minutes", f"{sum(expected.values()) / 60:4.1f} for all, roughly, to run from top to end")
