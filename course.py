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

import ast
import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
STAMP = VENV / "course.json"
OWN_CACHE = VENV / "uv-cache"  # used where the one in the home folder may not be written
WINDOWS = sys.platform == "win32"
SCRIPTS = VENV / ("Scripts" if WINDOWS else "bin")
PYTHON = SCRIPTS / ("python.exe" if WINDOWS else "python")
COURSE = SCRIPTS / ("course.exe" if WINDOWS else "course")
LOCKS = {"cpu": "requirements.lock", "gpu": "requirements-gpu.lock"}
GIGABYTES = {"cpu": 2.5, "gpu": 8.0}  # what `.venv` and the package cache take together, rounded up
SUPPORTED = ("3.13", "3.12", "3.11")


class Stop(Exception):
    """Set-up cannot go on; the message says what happened and what to do."""


def say(text, file=None):
    """Print at once, whatever the terminal can show."""
    file = file or sys.stdout
    encoding = file.encoding or "ascii"
    print(text.encode(encoding, "backslashreplace").decode(encoding), file=file, flush=True)


# ---- which of the user's variables hold -----------------------------------------------------------------------------

# What says where packages come from and how; pip's and uv's other settings (`target`, `user`, ...) would break set-up.
SOURCES = re.compile(
    "(PIP|UV)_.*(INDEX|FIND_LINKS|HOST|PROXY|CERT|TLS|HTTP|TIMEOUT|RETRIES|KEYRING|CREDENTIALS|CONFIG|OFFLINE|CACHE|LINK)"
)
UV_NAMES = {  # what pip calls otherwise
    "index-url": "UV_DEFAULT_INDEX",
    "trusted-host": "UV_INSECURE_HOST",
    "proxy": "ALL_PROXY",
    "cert": "SSL_CERT_FILE",
}


def environment():
    """The user's variables for a sub-process, but for those that would steer Python, pip or uv elsewhere."""
    steering = ("PIP_", "UV_", "PYTHON")
    kept = {name: text for name, text in os.environ.items() if SOURCES.match(name) or not name.startswith(steering)}
    if home() is None:
        kept["HOME"] = str(VENV)  # tools would write into a folder named "~" otherwise
    return kept


def home():
    """The user's own folder, or None for a user without one."""
    try:
        return Path.home()
    except (RuntimeError, KeyError):  # from Python 3.10 on, and before
        return None


def ask(command, **settings):
    """What a command that ends well prints, or None where it does not start or fails."""
    try:
        done = subprocess.run(
            command, cwd=str(ROOT), env=dict(environment(), **settings), timeout=60,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.decode(errors="replace").strip() if done.returncode == 0 else None


# ---- which Python ---------------------------------------------------------------------------------------------------

PROBE = """
import importlib.util, json, platform, sys, sysconfig
print(json.dumps({
    "version": platform.python_version(), "system": sys.platform,
    "path": getattr(sys, "_base_executable", None) or sys.executable,  # outlives the environment it may be started from
    "machine": platform.machine(), "bits": 64 if sys.maxsize > 2**32 else 32, "libc": platform.libc_ver()[0],
    "free_threaded": bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
    "venv": all(importlib.util.find_spec(name) for name in ("venv", "ensurepip")),
}))
"""


def probe(command):
    """Facts about the Python that `command` (a list) starts, or None where it does not start."""
    try:
        return json.loads(ask(command + ["-c", PROBE]) or "null")
    except ValueError:
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
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise Stop(
            f"{path} cannot be read ({error.strerror}). course.py works in the whole folder of the course, not alone:\n"
            "get the course anew, or put that file back, and run `python course.py` there."
        ) from None


def read_stamp():
    """What the last set-up wrote, or an empty record."""
    try:
        stamp = json.loads(STAMP.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return stamp if isinstance(stamp, dict) and stamp.get("kind") in list(LOCKS) else {}


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
    code = "import platform; print(platform.python_version())"
    return ask([str(PYTHON), "-I", "-S", "-c", code]) if (VENV / "pyvenv.cfg").is_file() else None


def is_ready(kind):
    """Whether `.venv` is complete and made from the present lock."""
    stamp = read_stamp()
    same = all(stamp.get(name) == value for name, value in expected(kind).items())
    entered = COURSE.exists() and any((folder / "course_utils.pth").exists() for folder in site_packages())
    return same and stamp.get("complete") is True and entered and stamp.get("python") == venv_version() is not None


def site_packages():
    return list(VENV.glob("lib/python*/site-packages")) + list(VENV.glob("Lib/site-packages"))


# ---- making it ------------------------------------------------------------------------------------------------------


def make_ready(kind, wheels):
    """Set up, unless another start has done so by the time it is this one's turn."""
    try:
        with alone():
            if not is_ready(kind):
                set_up(kind, wheels)
    except OSError as error:
        raise Stop(f"Set-up stopped: {error}\n" + remedies()) from None


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
    check_folder(kind)
    pin = pinned_uv(kind)
    prepare(kind, read_stamp())
    install(kind, pin, wheels)
    write_stamp(kind, complete=True)
    say(f"Set up in {time.perf_counter() - started:.0f} s.")


def prepare(kind, stamp):
    """Leave `.venv` marked as incomplete, with a Python and a pip that run and with no package half written."""
    there, complete = VENV.exists(), stamp.get("complete") is True
    reason = reason_to_rebuild(stamp) if there else None
    if reason:
        say(f"Making .venv again, since {reason}.")
    elif not there:
        say(f"Setting up the course in .venv, the first time only (about {GIGABYTES[kind]:.1f} GB of disk).")
    elif complete:
        say("The course's packages are not those of its list; bringing .venv up to date.")
    else:
        say("An earlier set-up did not finish; going on with it.")
    if reason or not there:
        python = find_python()
        VENV.mkdir(exist_ok=True)
        write_stamp(kind, complete=False)  # before all else: what has no stamp is not ours
        clear(VENV, keep=["course", "uv"])  # the stamp, and uv's cache where it had to be kept here
        run_tool("making an environment with " + python, [python, "-m", "venv", str(VENV.resolve())], environment())
    elif not complete:
        for folder in site_packages():  # all of it is in uv's cache; `uv pip sync --reinstall` would fetch it again
            clear(folder, keep=["pip", "uv"])
    write_stamp(kind, complete=False)


def reason_to_rebuild(stamp):
    """Why the present `.venv` cannot be kept, or None where it can."""
    version = venv_version()
    if version is None:
        return "its Python does not run"
    if ".".join(version.split(".")[:2]) not in SUPPORTED:
        return "its Python is " + version
    if stamp.get("python") not in (None, version):
        return "its Python was {} and is now {}".format(stamp["python"], version)
    if stamp.get("folder", str(ROOT)) != str(ROOT):
        return "the course was in another folder when it was made"
    return None if ask(pip() + ["--version"]) else "its pip does not run"


def clear(folder, keep):
    """Remove what lies in a folder, but for entries that start with one of these words; links are not followed."""
    for entry in folder.iterdir():
        if re.split("[-.]", entry.name)[0] in keep:
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(str(entry))
        else:
            entry.unlink()


def install(kind, pin, wheels):
    """uv by pip, all other packages by uv, then the course itself; paths are relative, for folders of any name."""
    settings = tool_settings()
    source = ["--no-index", "--find-links", wheels.as_uri()] if wheels else []
    if (ask([str(SCRIPTS / "uv"), "--version"]) or "").split()[1:2] != [pin.group(1)]:
        (VENV / "uv.txt").write_text(pin.group(0), encoding="utf-8")
        command = ["install", "--force-reinstall", "--no-deps", "--require-hashes", "-r", ".venv/uv.txt"]
        run_tool("installing uv " + pin.group(1), pip() + command + source, settings, UNFETCHED)
    uv = [str(SCRIPTS / "uv"), "pip"]
    if ask(uv + ["list", "--python", ".venv"], **settings) is None:
        settings["UV_CACHE_DIR"] = str(OWN_CACHE)
        say("  uv may not write its cache in your home folder (or in UV_CACHE_DIR), so it is kept in .venv.")
    sync = ["sync", "--require-hashes", LOCKS[kind]] + source + (["--offline"] if wheels else [])
    run_tool("installing the packages of " + LOCKS[kind], uv + sync + ["--python", ".venv"], settings, UNFETCHED)
    here = ["install", "--no-build-isolation", "--no-deps", "--offline", "--editable", "."]
    run_tool("installing the course itself", uv + here + ["--python", ".venv"], settings)
    for folder in site_packages():  # a relative path is ASCII: Python reads this file in the system's encoding
        (folder / "course_utils.pth").write_text(os.path.relpath(str(ROOT), str(folder)) + "\n", encoding="ascii")


def pinned_uv(kind):
    """The part of the lock that pins uv with its hashes, as a match whose first group is the version."""
    lock = ROOT / LOCKS[kind]
    text = lock.read_text(encoding="utf-8", errors="replace")
    pin = re.search(r"^uv==(\S+)(?:.*\\\n)(?:\s+--hash=.*\n)+", text, re.MULTILINE)
    if pin is None:
        raise Stop(f"{lock} is damaged: it names no uv with its hashes. Get that file, or the course, anew.")
    return pin


def pip():
    return [str(PYTHON), "-m", "pip", "--disable-pip-version-check", "--no-input"]


def tool_settings():
    """Environment of pip and uv: what the user told pip of index, proxy and certificate holds for both.

    pip's files may also say `user`, `target` or `constraint`, so pip is kept from reading them. uv does not read them,
    but whoever needs a mirror or a proxy has often told pip alone; uv's own settings win.
    """
    settings = environment()
    told = pip_configuration()
    for name, value in told.items():
        variable = "PIP_" + name.upper().replace("-", "_")
        if SOURCES.match(variable):
            settings[variable] = value
    own = Path(os.environ.get("APPDATA") or (home() or VENV) / ".config") / "uv" / "uv.toml"
    if own.exists() or {"UV_INDEX_URL", "UV_CONFIG_FILE"} & set(settings):
        told.pop("index-url", None)
    for name in set(UV_NAMES) & set(told):
        settings.setdefault(UV_NAMES[name], told[name])
    # The wheel of the course itself is a zip file, which knows no times before 1980 and none after 2107.
    return dict(settings, PIP_CONFIG_FILE=os.devnull, UV_PYTHON_DOWNLOADS="never", SOURCE_DATE_EPOCH="1500000000")


def pip_configuration():
    """What pip's files and variables say, as pip itself reads them: the value for each name, as `index-url`."""
    sections = ("global", "install", ":env:")  # the later wins
    lines = re.findall("^(.+?)[.]([a-z-]+)=(.+)$", ask(pip() + ["config", "list"]) or "", re.MULTILINE)
    lines = sorted((line for line in lines if line[0] in sections), key=lambda line: sections.index(line[0]))
    return {name: ast.literal_eval(value) for _, name, value in lines}


def run_tool(what, command, settings, remedy=""):
    """Run a tool, which shows its own progress and says itself what is wrong; Stop with what helps where it fails."""
    say("  " + what[0].upper() + what[1:] + " ...")
    # It inherits the lock of `alone`: where this process is killed, the tool runs on, and the next start waits for it.
    if subprocess.call(command, cwd=str(ROOT), env=settings, stdin=subprocess.DEVNULL, close_fds=False) != 0:
        raise Stop(f"Set-up stopped while {what}; the reason stands above.\n" + remedy + remedies())


UNFETCHED = """\
- A package could not be fetched: is there a network, and is the proxy or mirror right? (With --wheels: is it in the
  folder, for this system and this Python?) Without a network, `python course.py --wheels DIR` installs from a
  folder; `--help` says how to fill one.
- A hash differs: the file is not the one the course was tested with, so it was not installed. Use another index.
"""
REMEDIES = """\
- The disk is full ({:.1f} GB are free here): make room, part of it for uv's cache in your home folder, which
  UV_CACHE_DIR moves.
- Something may not be written: close what uses it, or copy the course to a folder of your own.
Then run `python course.py` again; it goes on from here. If it stops in the same way, delete the folder .venv first."""


def remedies():
    return REMEDIES.format(shutil.disk_usage(str(ROOT)).free / 1e9)


def is_utf8(name):
    try:
        return bool(name.decode("utf-8"))
    except UnicodeDecodeError:
        return False


def check_folder(kind):
    """Stop where the folder cannot hold the environment; what `.venv` holds already counts as room."""
    if {os.pathsep, "\n", "\r"} & set(str(ROOT)) or not is_utf8(os.fsencode(str(ROOT))):
        trouble = f"with {os.pathsep!r} or a line break in its name, or with a name that is not UTF-8"
        raise Stop(f"No environment can be made in a folder {trouble}. Rename this one:\n{ROOT}")
    there = sum(path.lstat().st_size for path in VENV.rglob("*") if not path.is_symlink()) if VENV.exists() else 0
    free = shutil.disk_usage(str(VENV if VENV.exists() else ROOT)).free
    if free + there < GIGABYTES[kind] * 1e9:
        raise Stop(
            f"Too little disk space: set-up needs about {GIGABYTES[kind]:.1f} GB, and {free / 1e9:.1f} GB are free "
            f"in {ROOT}.\n"
            "Make room, or move this folder to a disk that has it, and run `python course.py` again."
        )


@contextmanager
def alone():
    """Hold the set-up of this folder: a second start waits here until the first, and the tool it runs, is done."""
    with (ROOT / ".venv.lock").open("a") as file:
        told = False
        while not try_lock(file):
            if not told:
                say("Another start of the course, or what it left running, is setting up this folder; waiting for it.")
                told = True
            time.sleep(0.3)
        os.set_inheritable(file.fileno(), True)
        yield  # closing the file lets go, also when this process is killed


def try_lock(file):
    """Whether the lock could be had; a disk that knows no locks (some network drives) counts as had."""
    try:
        if WINDOWS:
            import msvcrt

            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    except OSError:
        return True
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
    for name in ("PYTHONHOME", "PYTHONPATH"):  # they would put other packages before those of the lock
        os.environ.pop(name, None)
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
        if command[0] in ("-h", "--help"):
            say(__doc__)
            if not is_ready(kind):
                return 0
        elif not is_ready(kind):
            make_ready(kind, wheels)
        return hand_over(command)
    except Stop as stop:
        say(str(stop), sys.stderr)
    except KeyboardInterrupt:
        say("\nStopped. The next `python course.py` goes on from here.", sys.stderr)
        return 130
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
