"""Set up the course once, then open it.

    python course.py                 set up (the first time only), then JupyterLab at lesson 00
    python course.py test            set up (the first time only), then every test
    python course.py COMMAND ...     any other command of the course: `python course.py --help` lists them

Options, before the command:

    --gpu          install TensorFlow with CUDA (Linux on x86-64, also in WSL2); remembered from then on
    --cpu          go back to TensorFlow without CUDA
    --wheels DIR   install from a folder of wheels, without any network; one is filled on a machine that has it by
                   `.venv/bin/python -m pip download --require-hashes -r requirements.lock -d DIR`

Everything goes into the folder `.venv` beside this file, from `requirements.lock`; each file is checked against its
hash. Delete `.venv` to start afresh. This file needs nothing but Python; uv, which does the installing, is pinned too.
"""

import collections
import hashlib
import json
import os
import platform
import queue
import re
import shutil
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
STAMP = VENV / "course.json"
WINDOWS = sys.platform == "win32"
SCRIPTS = VENV / ("Scripts" if WINDOWS else "bin")
PYTHON = SCRIPTS / ("python.exe" if WINDOWS else "python")
COURSE = SCRIPTS / ("course.exe" if WINDOWS else "course")
LOCKS = {"cpu": "requirements.lock", "gpu": "requirements-gpu.lock"}
GIGABYTES = {"cpu": 2.5, "gpu": 8.0}  # what `.venv` and the package cache take together, rounded up
SUPPORTED = ("3.13", "3.12", "3.11")
HEARTBEAT_SECONDS = 15


class Stop(Exception):
    """Set-up cannot go on; the message says what happened and what to do."""


# ---- which Python ---------------------------------------------------------------------------------------------------

PROBE = """
import importlib.util, json, platform, sys, sysconfig
print(json.dumps({
    "version": platform.python_version(), "path": sys.executable, "system": sys.platform,
    "machine": platform.machine(), "bits": 64 if sys.maxsize > 2**32 else 32, "libc": platform.libc_ver()[0],
    "free_threaded": bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
    "venv": all(importlib.util.find_spec(name) for name in ("venv", "ensurepip")),
}))
"""


def probe(command):
    """Facts about the Python that `command` (a list) starts, or None where it does not start."""
    try:
        done = subprocess.run(command + ["-c", PROBE], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=30)
        return json.loads(done.stdout.decode())
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None


def objection(facts):
    """Why the course cannot run on this Python, with what to do; None where it can."""
    minor = ".".join(facts["version"].split(".")[:2])
    system, machine = facts["system"], facts["machine"]
    if minor not in SUPPORTED:
        return "too old" if facts["version"].startswith(("2.", "3.")) and int(minor.split(".")[1]) < 11 else "too new"
    if system == "darwin" and machine == "x86_64":
        return "built for Intel Macs, for which TensorFlow has no wheel; on Apple silicon install an arm64 Python"
    if (system == "win32" and machine.upper() != "AMD64") or facts["bits"] != 64:
        return "not a 64-bit Python for x86-64, and TensorFlow has no other wheel for this system"
    if system == "linux" and machine not in ("x86_64", "aarch64"):
        return "TensorFlow has no wheel for Linux on " + machine
    if system == "linux" and facts["libc"] != "glibc":
        return "TensorFlow has no wheel for a Linux without glibc (such as Alpine)"
    if facts["free_threaded"]:
        return "a free-threaded build, for which TensorFlow has no wheel"
    if not facts["venv"]:
        return f"cannot make environments; do: sudo apt install python3-venv (or python{minor}-venv)"
    return None


def candidates():
    """Commands that may start a suitable Python, the one running this file first."""
    yield [sys.executable]
    for minor in SUPPORTED:
        if WINDOWS and shutil.which("py"):
            yield ["py", "-" + minor]
        if shutil.which("python" + minor):
            yield [shutil.which("python" + minor)]


def find_python():
    """Path of the first Python that can run the course; Stop lists those found and why each will not do."""
    found = {}
    for command in candidates():
        facts = probe(command)
        if facts is None:
            continue
        reason = objection(facts)
        if reason is None:
            return facts["path"]
        found[facts["path"]] = "  Python {version} at {path}: ".format(**facts) + reason
    raise Stop(
        "The course needs Python 3.11, 3.12 or 3.13. Found:\n" + "\n".join(found.values()) + "\nTo install one:\n"
        "  Debian, Ubuntu:  sudo apt install python3.13-venv (or python3.12-venv, python3.11-venv: the one it has)\n"
        "  macOS:           brew install python@3.13 (or the installer of python.org)\n"
        "  Windows:         winget install Python.Python.3.13\n"
        "  any, with conda: conda create --name picture-machines python=3.13, then: conda activate picture-machines\n"
        "then run `python course.py` again; it finds the new one by itself."
    )


# ---- what is there already ------------------------------------------------------------------------------------------


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def read_stamp():
    """What the last set-up wrote, or an empty record."""
    try:
        stamp = json.loads(STAMP.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return stamp if isinstance(stamp, dict) else {}


def write_stamp(kind, complete):
    """Record the state of `.venv`: `complete` is written last of all, so that a broken-off set-up shows."""
    stamp = dict(expected(kind), python=venv_version(), complete=complete)
    beside = STAMP.with_suffix(".new")
    beside.write_text(json.dumps(stamp, indent=1) + "\n", encoding="utf-8")
    beside.replace(STAMP)


def expected(kind):
    """What the stamp of an up-to-date `.venv` says (its Python's version aside)."""
    return {
        "kind": kind,
        "lock_sha256": digest(ROOT / LOCKS[kind]),
        "project_sha256": digest(ROOT / "pyproject.toml"),
        "system": sys.platform + " " + platform.machine(),
        "folder": str(ROOT),
    }


def venv_version():
    """Version of the Python in `.venv`, or None where it does not run or is no environment."""
    if not (VENV / "pyvenv.cfg").is_file():
        return None
    try:
        code = "import platform; print(platform.python_version())"
        done = subprocess.run([str(PYTHON), "-I", "-S", "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    except OSError:
        return None
    return done.stdout.decode().strip() or None if done.returncode == 0 else None


def is_ready(kind):
    """Whether `.venv` is complete and made from the present lock."""
    stamp = read_stamp()
    same = all(stamp.get(name) == value for name, value in expected(kind).items())
    entered = COURSE.exists() and any((folder / "course_utils.pth").exists() for folder in site_packages())
    return same and stamp.get("complete") is True and entered and stamp.get("python") == venv_version() is not None


def site_packages():
    return list(VENV.glob("lib/python*/site-packages")) + list(VENV.glob("Lib/site-packages"))


# ---- making it ------------------------------------------------------------------------------------------------------


def say(text):
    print(text, flush=True)


def make_ready(kind, wheels):
    """Set up, unless another start has done so by the time it is this one's turn."""
    try:
        with alone():
            if not is_ready(kind):
                set_up(kind, wheels)
    except OSError as error:
        raise Stop(explain("writing to the folder of the course", str(error))) from None


def is_ours():
    """Whether nothing is in the place of `.venv`, or what this file made: it has a stamp from its first moment on."""
    if not os.path.lexists(str(VENV)) or STAMP.is_file():
        return True
    return VENV.is_dir() and {path.name for path in VENV.iterdir()} <= {STAMP.with_suffix(".new").name}


def set_up(kind, wheels):
    """Bring `.venv` to the state of the lock, from whatever state it is in."""
    if not is_ours():
        raise Stop(
            f"There is something in the place of {VENV} that the course did not make"
            + (f" (a link to {VENV.resolve()})" if VENV.is_symlink() else "")
            + ".\nIt may hold packages of yours, so nothing was changed. Rename it, or copy the course to a folder of\n"
            "its own, and run `python course.py` again."
        )
    started = time.perf_counter()
    stamp = read_stamp()
    there = VENV.exists()
    broken_off = there and stamp.get("complete") is not True
    check_disk(kind)
    reason = reason_to_rebuild(stamp)
    if reason:
        say("Making .venv again, since " + reason + ".")
        clear(VENV, keep=[STAMP.name])  # the stamp goes last: without it the rest would not be known as ours
    elif broken_off:
        say("An earlier set-up did not finish; going on with it.")
    elif stamp:
        say("The course's packages are not those of its list; bringing .venv up to date.")
    if reason or not there:
        python = find_python()
        say(f"Setting up the course in .venv, the first time only (about {GIGABYTES[kind]:.1f} GB of disk).")
        VENV.mkdir(exist_ok=True)
        write_stamp(kind, complete=False)  # before all else: what has no stamp is not ours
        run_tool("making an environment with " + python, [python, "-m", "venv", str(VENV.resolve())])
    elif broken_off:
        for folder in site_packages():  # what may be half written; uv has it in its cache and does not fetch it again
            clear(folder, keep=["pip", "uv"])
    write_stamp(kind, complete=False)
    install(kind, wheels)
    write_stamp(kind, complete=True)
    say(f"Set up in {time.perf_counter() - started:.0f} s.")


def reason_to_rebuild(stamp):
    """Why the present `.venv` cannot be kept, or None where it can or is not there."""
    if not VENV.exists():
        return None
    version = venv_version()
    if version is None:
        return "its Python does not run"
    if ".".join(version.split(".")[:2]) not in SUPPORTED:
        return "its Python is " + version
    if stamp.get("python") not in (None, version):
        return "its Python was {} and is now {}".format(stamp["python"], version)
    if stamp.get("folder", str(ROOT)) != str(ROOT):
        return "the course was in another folder when it was made"
    return None if pip_works() else "its pip does not run"


def clear(folder, keep):
    """Remove what lies in a folder, but for entries that start with one of these words; links are not followed."""
    for entry in folder.iterdir():
        if re.split("[-.]", entry.name)[0] in keep or entry.name in keep:
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(str(entry))
        else:
            entry.unlink()


def install(kind, wheels):
    """uv by pip, all other packages by uv, then the course itself."""
    lock = ROOT / LOCKS[kind]
    source = ["--no-index", "--find-links", str(wheels)] if wheels else []
    install_uv(lock, source)
    uv = [str(SCRIPTS / "uv"), "pip"]
    target = ["--python", str(PYTHON)]
    sync = ["sync", "--require-hashes", str(lock)] + source + (["--offline"] if wheels else [])
    run_tool(f"installing the packages of {lock.name}", uv + sync + target, uv_settings())
    here = ["install", "--no-build-isolation", "--no-deps", "--offline", "--editable", str(ROOT)]
    run_tool("installing the course itself", uv + here + target, uv_settings())
    for folder in site_packages():  # a relative path is ASCII: Python reads this file in the system's encoding
        (folder / "course_utils.pth").write_text(os.path.relpath(str(ROOT), str(folder)) + "\n", encoding="ascii")


def install_uv(lock, source):
    """Install uv by pip, checked against its hashes in the lock; nothing to do where that version is there."""
    block = re.search(r"^uv==(\S+)(?:.*\\\n)(?:\s+--hash=.*\n)+", lock.read_text(encoding="utf-8"), re.MULTILINE)
    if installed_uv() == block.group(1):
        return
    alone = VENV / "uv.txt"
    alone.write_text(block.group(0), encoding="utf-8")
    command = ["install", "--force-reinstall", "--no-deps", "--require-hashes", "-r", str(alone)]
    run_tool("installing uv " + block.group(1), pip() + command + source, {"PIP_USER": "0"})


def installed_uv():
    try:
        done = subprocess.run([str(SCRIPTS / "uv"), "--version"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        return done.stdout.decode().split()[1]
    except (OSError, IndexError):
        return None


def pip():
    return [str(PYTHON), "-m", "pip", "--disable-pip-version-check", "--no-input"]


def pip_works():
    return subprocess.run(pip() + ["--version"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0


def uv_settings():
    """Environment for uv: no Python is fetched, and pip's settings for index, proxy and certificate hold for it too.

    uv reads no pip configuration. Whoever needs a mirror or a proxy has often told pip alone; uv's own settings win.
    """
    settings = {"UV_PYTHON_DOWNLOADS": "never", "UV_NO_PROGRESS": "1"}
    listed = subprocess.run(pip() + ["config", "list"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    told = dict(re.findall(r"^[^.\n]*\.([a-z-]+)='(.*)'$", listed.stdout.decode(errors="replace"), re.MULTILINE))
    own = Path(os.environ.get("APPDATA") or Path.home() / ".config") / "uv" / "uv.toml"
    if "index-url" in told and not own.exists() and not {"UV_INDEX_URL", "UV_CONFIG_FILE"} & set(os.environ):
        settings["UV_DEFAULT_INDEX"] = told["index-url"]
    for name, variable in (("proxy", "ALL_PROXY"), ("cert", "SSL_CERT_FILE")):
        if name in told:
            settings[variable] = told[name]
    return {name: os.environ.get(name, value) for name, value in settings.items()}


def run_tool(what, command, settings=None):
    """Run a tool quietly, telling of downloads and of time passing; Stop with its last lines where it fails."""
    started = time.perf_counter()
    say("  " + what[0].upper() + what[1:] + " ...")
    environment = dict(os.environ, **settings or {})
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    try:
        process = subprocess.Popen(command, cwd=str(ROOT), env=environment, **pipes)
    except OSError as error:
        raise Stop(explain(what, str(error))) from None
    try:
        last_lines = follow(process, started)
    except KeyboardInterrupt:
        process.terminate()
        process.wait()
        raise
    if process.returncode != 0:
        raise Stop(explain(what, "\n".join(last_lines)))
    say(f"    done in {time.perf_counter() - started:.1f} s")


def follow(process, started):
    """Wait for `process`, printing what it downloads and a sign of life; return its last lines."""
    lines, last_lines = queue.Queue(), collections.deque(maxlen=12)

    def read():
        for line in process.stdout:
            lines.put(line.decode(errors="replace").rstrip())
        lines.put(None)

    threading.Thread(target=read, daemon=True).start()
    while True:
        try:
            line = lines.get(timeout=HEARTBEAT_SECONDS)
        except queue.Empty:
            say(f"    still at it after {time.perf_counter() - started:.0f} s")
            continue
        if line is None:
            process.wait()
            return last_lines
        if line.strip().startswith("Downloading "):
            say("    " + line.strip())
        elif not line.strip().startswith("sha256:"):  # long lists of them would push out what went wrong
            last_lines.append(line)


FAILURES = (
    (
        r"no space left|os error (28|112)\b|errno 28\b|quota exceeded|not enough space",
        "The disk is full: {free:.1f} GB are free here, and set-up needs about {need:.1f} GB, part of it for\n"
        "uv's cache in your home folder (UV_CACHE_DIR moves it). Make room and run `python course.py` again.",
    ),
    (
        r"permission denied|read-only file system|errno (13|30)\b|os error (5|13|30)\b",
        "This folder, or something in it, may not be written to. Copy the course to a folder of your own and run\n"
        "`python course.py` there.",
    ),
    (
        r"hash(es)? mismatch|do not match the hashes",
        "A downloaded file is not the one the course was tested with, so it was not installed. Try again, or use\n"
        "another package index.",
    ),
    (
        r"network|connect|name resolution|dns|timed? ?out|fetch|to download|find a version|not found in|offline",
        "A package could not be fetched. Is there a network, and is the proxy or mirror right? (With --wheels: is it\n"
        "in the folder, for this system and this Python?) Run `python course.py` again then; it goes on from here.\n"
        "Without a network, `python course.py --wheels DIR` installs from a folder; `--help` says how to fill one.",
    ),
    (r"", "Run `python course.py` again; if it stops in the same way, delete the folder .venv first."),
)


def explain(what, output):
    """The message for a tool that failed while `what`: its last lines, then what to do about them."""
    shown = "\n".join("    " + line for line in output.splitlines())
    remedy = next(text for pattern, text in FAILURES if re.search(pattern, output, re.IGNORECASE))
    remedy = remedy.format(free=shutil.disk_usage(str(ROOT)).free / 1e9, need=GIGABYTES["cpu"])
    return f"Set-up stopped while {what}.\n{shown}\n{remedy}"


def check_disk(kind):
    """Stop where the disk cannot hold the environment; what `.venv` holds already counts as room."""
    there = sum(path.lstat().st_size for path in VENV.rglob("*") if not path.is_symlink()) if VENV.exists() else 0
    free = shutil.disk_usage(str(ROOT)).free
    if free + there < GIGABYTES[kind] * 1e9:
        raise Stop(
            f"Too little disk space: set-up needs about {GIGABYTES[kind]:.1f} GB, and {free / 1e9:.1f} GB are free "
            f"in {ROOT}.\n"
            "Make room, or move this folder to a disk that has it, and run `python course.py` again."
        )


@contextmanager
def alone():
    """Hold the set-up of this folder: a second start waits here until the first is done."""
    with (ROOT / ".venv.lock").open("a") as file:
        told = False
        while not try_lock(file):
            if not told:
                say("Another start of the course is setting up this folder; waiting for it.")
                told = True
            time.sleep(0.3)
        yield  # closing the file lets go, also when this process is killed


def try_lock(file):
    try:
        if WINDOWS:
            import msvcrt

            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


# ---- the command line -----------------------------------------------------------------------------------------------


def parse(arguments):
    """Split the arguments into the kind asked for (or None), the folder of wheels (or None), and the command."""
    kind, wheels, rest = None, None, list(arguments)
    while rest and rest[0] in ("--gpu", "--cpu", "--wheels"):
        option = rest.pop(0)
        if option != "--wheels":
            kind = option[2:]
        elif rest and Path(rest[0]).is_dir():
            wheels = Path(rest.pop(0)).resolve()
        else:
            raise Stop("--wheels needs a folder of wheels, got: " + (rest[0] if rest else "nothing"))
    if kind == "gpu" and (sys.platform != "linux" or platform.machine() != "x86_64"):
        raise Stop("--gpu is for Linux on x86-64 with an NVIDIA card (on Windows: inside WSL2); leave it out here.")
    if not rest or (rest[0].startswith("-") and rest[0] not in ("-h", "--help")):
        rest = ["lab"] + rest
    return kind, wheels, rest


def hand_over(command):
    """Become `course` of the environment."""
    os.environ["VIRTUAL_ENV"] = str(VENV)
    os.environ["PATH"] = str(SCRIPTS) + os.pathsep + os.environ.get("PATH", "")
    course = [str(COURSE)] + command
    if not WINDOWS:
        sys.stdout.flush()
        os.execv(course[0], course)
    process = subprocess.Popen(course)
    try:
        return process.wait()
    except KeyboardInterrupt:
        return process.wait()  # Ctrl-C reached the course as well, which ends by itself


def main(arguments):
    try:
        kind, wheels, command = parse(arguments)
        kind = kind or read_stamp().get("kind", "cpu")
        if command[0] in ("-h", "--help") and not is_ready(kind):
            say(__doc__)
            return 0
        if not is_ready(kind):
            make_ready(kind, wheels)
        if command[0] in ("-h", "--help"):
            say(__doc__)
        return hand_over(command)
    except Stop as stop:
        print(stop, file=sys.stderr)
    except KeyboardInterrupt:
        print("\nStopped. The next `python course.py` goes on from here.", file=sys.stderr)
        return 130
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
