"""The front door, tried on copies of the course with three tiny packages, offline."""

import ast
import base64
import hashlib
import http.server
import importlib.metadata
import importlib.util
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import threading
import zipfile
from pathlib import Path, PurePosixPath

import pytest

from course_utils import paths

SOURCE = paths.ROOT / "course.py"
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="uses POSIX signals, links and scripts")
CUDA = pytest.mark.skipif(sys.platform != "linux" or os.uname().machine != "x86_64", reason="--gpu is for Linux x86-64")
MAIN = """
import sys
import tiny

def main():
    print("course", tiny.VERSION, *sys.argv[1:])
"""


# ---- a tiny course ---------------------------------------------------------------------------------------


def write_wheel(folder: Path, name: str, version: str, files: dict[str, bytes]) -> Path:
    """A wheel of the given files, with the records that installers ask for."""
    about = f"{name}-{version}.dist-info"
    files |= {
        f"{about}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n".encode(),
        f"{about}/WHEEL": b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    path = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for file, content in files.items():
            entry = zipfile.ZipInfo(file)
            entry.external_attr = (stat.S_IFREG | 0o755) << 16  # pip asks for both
            wheel.writestr(entry, content)
        sums = {file: base64.urlsafe_b64encode(hashlib.sha256(text).digest()) for file, text in files.items()}
        lines = [f"{file},sha256={sums[file].decode().rstrip('=')},{len(files[file])}" for file in files]
        wheel.writestr(f"{about}/RECORD", "\n".join([*lines, f"{about}/RECORD,,"]) + "\n")
    return path


def repack(folder: Path, name: str) -> Path:
    """A wheel made from a package that is installed here, so that no test needs a network."""
    package = importlib.metadata.distribution(name)
    files = {}
    for file in package.files:
        if file.suffix == ".pyc" or ".dist-info" in str(file):
            continue
        inside = PurePosixPath(file)
        if inside.parts[0] == "..":
            inside = PurePosixPath(f"{name}-{package.version}.data", "scripts", inside.name)
        files[str(inside)] = Path(file.locate()).read_bytes()
    return write_wheel(folder, name, package.version, files)


def pin(*wheels: Path) -> str:
    """The text of a lock that pins these wheels."""
    entries = []
    for wheel in wheels:
        name, version = wheel.name.split("-")[:2]
        entries.append(f"{name}=={version} \\\n    --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}\n")
    return "# a lock\n" + "".join(entries)


class Course:
    """A copy of the front door with a lock of uv, flit_core and `tiny`, and a `course` that prints what it is told."""

    def __init__(self, folder: Path):
        self.folder, self.wheels = folder / "the course 图", folder / "wheels"
        self.venv, self.stamp = self.folder / ".venv", self.folder / ".venv" / "course.json"
        self.lock = self.folder / "requirements.lock"
        (self.folder / "course_utils").mkdir(parents=True)
        self.wheels.mkdir()
        shutil.copy(SOURCE, self.folder)
        (self.folder / "course_utils" / "__init__.py").write_text(f'"""Tiny."""\n__version__ = "1"\n{MAIN}')
        (self.folder / "LICENSE").write_text("Free.\n")
        (self.folder / "pyproject.toml").write_text(
            '[build-system]\nrequires = ["flit_core"]\nbuild-backend = "flit_core.buildapi"\n'
            '[project]\nname = "tiny-machines"\ndynamic = ["version", "description"]\n'
            '[project.scripts]\ncourse = "course_utils:main"\n[tool.flit.module]\nname = "course_utils"\n'
        )
        self.tools = [repack(self.wheels, "uv"), repack(self.wheels, "flit_core")]
        self.tiny = {
            version: write_wheel(self.wheels, "tiny", version, {"tiny.py": f"VERSION = '{version}'\n".encode()})
            for version in ("1.0", "2.0", "3.0")
        }
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "UV_"))}
        self.environment |= {"UV_CACHE_DIR": str(folder / "cache"), "PIP_CONFIG_FILE": os.devnull}
        self.use("1.0")

    def use(self, version: str) -> None:
        self.lock.write_text(pin(*self.tools, self.tiny[version]))

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, str(self.folder / "course.py"), *arguments]

    def start(self, *arguments: str, offline: bool = True, **environment: str) -> subprocess.CompletedProcess:
        source = ["--wheels", str(self.wheels)] if offline else []
        return subprocess.run(
            self.command(*source, *arguments), env=self.environment | environment, capture_output=True, text=True
        )

    def says(self, *arguments: str, **options) -> list[str]:
        """Lines of a start that must go well."""
        done = self.start(*arguments, **options)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.splitlines()


@pytest.fixture(scope="module")
def shared_course(tmp_path_factory) -> Course:
    made = Course(tmp_path_factory.mktemp("front door"))
    lines = made.says("test", "-k", "two words")
    assert lines[0].startswith("Setting up the course in .venv")
    assert lines[-1] == "course 1.0 test -k two words"
    return made


@pytest.fixture
def course(shared_course) -> Course:
    """The tiny course, set up and whole, whatever the test before left behind."""
    shared_course.use("1.0")
    shared_course.says("--cpu", "test")
    return shared_course


@pytest.fixture
def module(tmp_path, monkeypatch):
    """course.py as a module that takes an empty folder for the course's."""
    specification = importlib.util.spec_from_file_location("front_door", SOURCE)
    loaded = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(loaded)
    shutil.copy(SOURCE.with_name("requirements.lock"), tmp_path)
    shutil.copy(SOURCE.with_name("pyproject.toml"), tmp_path)
    monkeypatch.setattr(loaded, "ROOT", tmp_path)
    monkeypatch.setattr(loaded, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(loaded, "STAMP", tmp_path / ".venv" / "course.json")
    return loaded


# ---- the file itself -------------------------------------------------------------------------------------


def test_an_old_python_can_read_it_and_it_imports_the_standard_library_alone():
    tree = ast.parse(SOURCE.read_text(encoding="utf-8"), feature_version=(3, 8))
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.split(".")[0] for name in imported} <= sys.stdlib_module_names


def test_its_functions_fit_a_screen():
    functions = [node for node in ast.walk(ast.parse(SOURCE.read_text())) if isinstance(node, ast.FunctionDef)]
    assert {node.name: node.end_lineno - node.lineno for node in functions if node.end_lineno - node.lineno > 35} == {}


# ---- starts that find something ---------------------------------------------------------------------------


def test_a_second_start_is_silent_and_needs_no_tool(course):
    before = course.stamp.stat().st_mtime_ns
    uv = next(course.venv.glob("*/uv*"))
    uv.rename(uv.with_name("hidden"))
    try:
        lines = course.says("doctor", offline=False)
    finally:
        uv.with_name("hidden").rename(uv)
    assert lines == ["course 1.0 doctor"]
    assert course.stamp.stat().st_mtime_ns == before


def test_without_a_command_it_opens_the_lab_and_options_alone_are_the_labs(course):
    assert course.says(offline=False) == ["course 1.0 lab"]
    assert course.says("--no-browser", offline=False) == ["course 1.0 lab --no-browser"]


def test_help_tells_of_the_options_and_then_lists_the_commands(course):
    lines = course.says("--help", offline=False)
    assert any("--wheels DIR" in line for line in lines)
    assert lines[-1] == "course 1.0 --help"


def test_neither_the_name_of_the_folder_nor_the_locale_nor_where_it_is_started_matters(course, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert course.says("test", offline=False, LC_ALL="C") == ["course 1.0 test"]


def test_a_changed_lock_is_followed(course):
    course.use("2.0")
    lines = course.says("test")
    assert "not those of its list" in lines[0]
    assert lines[-1] == "course 2.0 test"


def test_a_set_up_that_broke_off_is_repaired(course):
    stamp = json.loads(course.stamp.read_text())
    course.stamp.write_text(json.dumps(stamp | {"complete": False}))
    package = next(course.venv.rglob("tiny.py"))
    package.unlink()  # uv may have linked it from its cache
    package.write_text("")  # as if it had been cut short
    lines = course.says("test")
    assert "did not finish" in lines[0]
    assert lines[-1] == "course 1.0 test"


@pytest.mark.parametrize("stamp", ["", "{", "[]", "[" * 100_000, "\udcff", '{"kind": "tpu"}', '{"kind": ["cpu"]}'])
def test_a_damaged_or_unknown_stamp_tells_nothing_but_that_the_environment_is_ours(module, stamp):
    module.VENV.mkdir()
    module.STAMP.write_text(stamp, errors="surrogateescape")
    assert module.read_stamp() == {}
    assert module.is_ours() and not module.is_ready("cpu")


def test_a_set_up_with_a_broken_stamp_is_repaired(course):
    course.stamp.write_text("{")
    next(course.venv.rglob("tiny.py")).unlink()
    lines = course.says("test")
    assert "did not finish" in lines[0] and lines[-1] == "course 1.0 test"


@pytest.mark.parametrize(("left", "ours"), [("", True), ("course.new", True), ("course.json", True), ("mine", False)])
def test_what_is_in_the_folder_says_whether_it_is_ours(module, left, ours):
    module.VENV.mkdir()
    if left:
        (module.VENV / left).write_text('{"complete": false, "python": null}')
    assert module.is_ours() is ours


def contents(folder: Path) -> dict[Path, bytes | None]:
    return {path: path.read_bytes() if path.is_file() else None for path in sorted(folder.rglob("*"))}


@pytest.mark.parametrize("linked", [False, pytest.param(True, marks=POSIX)])
def test_an_environment_that_the_course_did_not_make_is_left_alone(course, tmp_path, linked):
    """A student's own .venv, here or behind a link, with packages in it and no stamp of ours."""
    aside = course.venv.rename(course.venv.with_name("aside"))
    own = tmp_path / "own" if linked else course.venv
    try:
        shutil.copytree(aside, own, symlinks=True)
        (own / "course.json").unlink()
        if linked:
            course.venv.symlink_to(own)
        before = contents(own)
        done = course.start("test")
        assert done.returncode == 2
        assert "that the course did not make" in done.stderr and "nothing was changed" in done.stderr
        assert "Rename it" in done.stderr and "Traceback" not in done.stderr
        assert (str(own) in done.stderr) or not linked
        assert contents(own) == before
    finally:
        course.venv.unlink() if linked else shutil.rmtree(course.venv)
        aside.rename(course.venv)


@pytest.mark.parametrize("what", ["file", pytest.param("dangling link", marks=POSIX)])
def test_a_file_or_a_dangling_link_in_its_place_is_left_alone(course, what):
    aside = course.venv.rename(course.venv.with_name("aside"))
    try:
        course.venv.write_text("mine") if what == "file" else course.venv.symlink_to("/nowhere")
        done = course.start("test")
        assert done.returncode == 2 and "nothing was changed" in done.stderr and "Traceback" not in done.stderr
        assert course.venv.read_text() == "mine" if what == "file" else course.venv.is_symlink()
    finally:
        course.venv.unlink()
        aside.rename(course.venv)


@POSIX
def test_a_dead_python_is_replaced_also_behind_a_link_without_touching_what_lies_beside_it(course, tmp_path):
    """As on a second disk, where the first had no room. Each environment made anew costs seven seconds here."""
    aside = course.venv.rename(course.venv.with_name("aside"))
    try:
        shutil.copytree(aside, tmp_path / "disk" / "venv", symlinks=True)
        (tmp_path / "disk" / "mine.txt").write_text("mine")
        course.venv.symlink_to(tmp_path / "disk" / "venv")
        for python in course.venv.glob("bin/python*"):
            python.unlink()
            python.symlink_to("/nowhere/python3")
        fetched = course.venv / "uv-cache" / "fetched"
        fetched.parent.mkdir(exist_ok=True)
        fetched.write_text("a cache that had to be kept here")
        lines = course.says("test")
        assert lines[0] == "Making .venv again, since its Python does not run."
        assert lines[-1] == "course 1.0 test"
        assert fetched.exists()
        assert course.venv.is_symlink() and (tmp_path / "disk" / "mine.txt").read_text() == "mine"
    finally:
        course.venv.unlink()
        aside.rename(course.venv)


def test_a_lost_entry_point_is_made_again(course):
    next(path for path in course.venv.glob("*/course*") if path.suffix in ("", ".exe")).unlink()
    assert course.says("test")[-1] == "course 1.0 test"


def test_lost_packages_are_installed_again(course):
    for folder in [*course.venv.glob("lib"), *course.venv.glob("Lib")]:
        shutil.rmtree(folder)
    lines = course.says("test")
    assert lines[0] == "Making .venv again, since its pip does not run."
    assert lines[-1] == "course 1.0 test"


def broken_off(course: Course, number: int, tool: str) -> subprocess.Popen:
    """A start that was sent a signal while uv, which is this shell script here, is at work."""
    uv = course.venv / "bin" / "uv"
    uv.rename(uv.with_name("kept"))
    version = importlib.metadata.version("uv")
    script = f'[ "$1" = --version ] && echo "uv {version}" && exit\n[ "$2" = list ] && exit\necho at work; {tool}\n'
    uv.write_text("#!/bin/sh\n" + script)
    uv.chmod(0o755)
    process = subprocess.Popen(
        course.command("test"), env=course.environment, start_new_session=True, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # the background ignores it
    )  # fmt: skip
    try:
        while process.stdout.readline() != "at work\n":
            assert process.poll() is None
        (os.killpg if number == signal.SIGINT else os.kill)(process.pid, number)  # Ctrl-C reaches the tool, too
        process.wait(timeout=30)
    finally:
        uv.with_name("kept").replace(uv)
    return process


@POSIX
def test_ctrl_c_stops_at_once_and_the_next_start_repairs(course):
    course.use("2.0")
    process = broken_off(course, signal.SIGINT, "exec sleep 60")  # a minute, where 30 seconds are waited for
    assert process.returncode == 130
    assert process.stderr.read().strip() == "Stopped. The next `python course.py` goes on from here."
    assert course.says("test")[-1] == "course 2.0 test"


@POSIX
def test_a_set_up_that_was_killed_is_repaired_when_the_tool_it_left_running_is_done(course):
    course.use("2.0")
    done = course.folder / "tool is done"
    process = broken_off(course, signal.SIGKILL, f"sleep 4; : >'{done}'")
    assert process.returncode == -signal.SIGKILL and not done.exists()
    lines = course.says("test")
    assert done.exists()
    assert lines[0].startswith("Another start of the course, or what it left running,")
    assert "did not finish" in lines[1]
    assert lines[-1] == "course 2.0 test"


def test_two_starts_at_once_wait_for_each_other(course):
    course.use("3.0")
    both = [
        subprocess.Popen(
            course.command("--wheels", str(course.wheels), "test"), env=course.environment, stdout=subprocess.PIPE
        )
        for _ in range(2)
    ]
    outputs = sorted((process.communicate()[0].decode().splitlines() for process in both), key=len)
    assert [lines[-1] for lines in outputs] == ["course 3.0 test"] * 2
    assert sum("Set up in" in line for line in outputs[0] + outputs[1]) == 1


@CUDA
def test_the_gpu_lock_is_remembered_until_cpu_is_asked_for(course):
    course.folder.joinpath("requirements-gpu.lock").write_text(pin(*course.tools, course.tiny["3.0"]))
    assert course.says("--gpu", "test")[-1] == "course 3.0 test"
    assert course.says("test", offline=False) == ["course 3.0 test"]
    assert course.says("--cpu", "test")[-1] == "course 1.0 test"


# ---- what cannot be had -----------------------------------------------------------------------------------


def test_without_a_network_it_says_so_and_tells_of_wheels(course):
    course.use("2.0")
    nowhere = "http://127.0.0.1:9/simple"
    shutil.rmtree(course.environment["UV_CACHE_DIR"])
    done = course.start("test", offline=False, PIP_INDEX_URL=nowhere, UV_HTTP_RETRIES="0")
    assert done.returncode == 2
    assert "127.0.0.1:9" in done.stderr  # the tool's own words, and pip's index taken over
    assert "could not be fetched" in done.stderr
    assert "--wheels DIR" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_index_that_pip_is_told_of_serves_uv_too(course):
    course.use("3.0")
    index = course.wheels.parent / "index"
    for wheel in course.wheels.iterdir():
        folder = index / "simple" / wheel.name.split("-")[0].replace("_", "-")
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(wheel, folder)
        links = (f'<a href="{file.name}">{file.name}</a>' for file in folder.glob("*.whl"))
        (folder / "index.html").write_text("<!DOCTYPE html><html><body>" + "<br>".join(links) + "</body></html>")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), quiet_handler(index)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        lines = course.says("test", offline=False, PIP_INDEX_URL=f"http://127.0.0.1:{server.server_port}/simple")
        server.shutdown()
    assert lines[-1] == "course 3.0 test"


def quiet_handler(folder: Path):
    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments, **keywords):
            super().__init__(*arguments, directory=str(folder), **keywords)

        def log_message(self, *_):
            pass

    return Handler


def test_a_file_with_another_hash_is_refused(course):
    course.use("2.0")
    others = "".join(f" \\\n    --hash=sha256:{number:064x}" for number in range(20))  # as many as some packages have
    course.lock.write_text(course.lock.read_text()[:-8] + f"0000000{others}\n")
    done = course.start("test")
    assert done.returncode == 2
    assert "ismatch for `tiny==2.0`" in done.stderr
    assert "was not installed" in done.stderr


def test_a_folder_of_wheels_that_is_none_is_named(course):
    done = course.start("--wheels", "nowhere", "test", offline=False)
    assert (done.returncode, done.stderr) == (2, "--wheels needs a folder of wheels, got: nowhere\n")


def test_too_little_disk_is_told_before_anything_is_made(module, monkeypatch, capsys):
    monkeypatch.setattr(module.shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(9e9, 8e9, 1e9))
    assert module.main(["test"]) == 2
    error = capsys.readouterr().err
    assert "needs about 2.5 GB, and 1.0 GB are free" in error
    assert not module.VENV.exists()


def test_a_tool_that_fails_speaks_for_itself_and_what_helps_is_told(module, monkeypatch, capfd):
    monkeypatch.setattr(module.shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(9e9, 8e9, 0.3e9))
    words = "No space left on device (os error 28)"
    with pytest.raises(module.Stop) as stop:
        module.run_tool("unpacking", [sys.executable, "-c", f"import sys; sys.exit({words!r})"], module.environment())
    assert words in capfd.readouterr().err
    assert "stopped while unpacking" in str(stop.value)
    assert "The disk is full (0.3 GB are free here)" in str(stop.value)
    assert "could not be fetched" not in str(stop.value)  # since nothing was


@pytest.mark.parametrize("error", [PermissionError(13, "Permission denied"), OSError(30, "Read-only file system")])
def test_a_folder_that_may_not_be_written_to_is_told(module, monkeypatch, capsys, error):
    def refuse(*_, **__):
        raise error

    monkeypatch.setattr(module, "set_up", refuse)
    assert module.main(["test"]) == 2
    assert f"Set-up stopped: {error}" in (said := capsys.readouterr().err)
    assert "copy the course to a folder of your own" in said and "Traceback" not in said


# ---- what surrounds it ------------------------------------------------------------------------------------


@POSIX
def test_a_folder_of_any_name_will_do(course, tmp_path):
    """The environment is made again there, since it was in another folder; this folder's own is not touched."""
    other = tmp_path / "a#b;[c]{d} ${HOME} it's 100%20? "
    shutil.copytree(course.folder, other, symlinks=True)
    shutil.copytree(course.wheels, other / "wheels")
    command = [sys.executable, str(other / "course.py"), "--wheels", str(other / "wheels"), "test"]
    done = subprocess.run(command, env=course.environment, capture_output=True, text=True)
    shutil.rmtree(other)
    assert done.returncode == 0, done.stderr
    assert "in another folder" in done.stdout
    assert done.stdout.splitlines()[-1] == "course 1.0 test"


@pytest.mark.parametrize(
    "name", [f"a{os.pathsep}b", pytest.param("caf\udce9", marks=POSIX), pytest.param("a\nb", marks=POSIX)]
)
def test_a_folder_that_cannot_hold_an_environment_is_told_before_anything_is_made(module, monkeypatch, capsys, name):
    try:
        shutil.copytree(module.ROOT, module.ROOT / name)
    except OSError:
        pytest.skip("this file system has no such names")
    monkeypatch.setattr(module, "ROOT", module.ROOT / name)
    assert module.main(["test"]) == 2
    assert "Rename this one:" in capsys.readouterr().err
    assert not module.VENV.exists()


STEERING = {
    "PIP_TARGET": "/nowhere", "PIP_PREFIX": "/nowhere", "PIP_DRY_RUN": "1", "PIP_USER": "1", "PIP_PYTHON": "/nowhere",
    "PIP_CONSTRAINT": "/nowhere", "UV_REQUIRE_HASHES": "1", "UV_CONSTRAINT": "/nowhere", "UV_PROJECT": "/nowhere",
    "UV_EXCLUDE_NEWER": "2001-01-01", "UV_PYTHON": "3.9", "UV_WORKING_DIR": "/nowhere", "PYTHONWARNINGS": "error",
}  # fmt: skip


def test_what_the_user_steers_pip_uv_and_python_by_is_set_aside_where_a_set_up_starts_over(course, tmp_path):
    """It broke off at its very start, so that Python, pip and uv all have to work again."""
    (tmp_path / "tiny.py").write_text("VERSION = 'of another path'")
    (tmp_path / "pip.conf").write_text("[install]\nuser = true\ntarget = /nowhere\n[global]\nconstraint = /nowhere\n")
    shutil.rmtree(course.venv)
    course.venv.mkdir()
    (course.venv / "course.new").write_text('{"kind": "cpu", "complete"')
    variables = STEERING | {"PIP_CONFIG_FILE": str(tmp_path / "pip.conf"), "PYTHONPATH": str(tmp_path)}
    assert course.says("test", **variables)[-1] == "course 1.0 test"


def test_variables_of_index_proxy_certificate_and_cache_go_through(module, monkeypatch):
    pip = (
        "INDEX_URL EXTRA_INDEX_URL FIND_LINKS TRUSTED_HOST PROXY CERT CLIENT_CERT TIMEOUT RETRIES CACHE_DIR CONFIG_FILE"
    )
    uv = (
        "INDEX_URL DEFAULT_INDEX INDEX EXTRA_INDEX_URL INDEX_MIRROR_PASSWORD CACHE_DIR NO_CACHE LINK_MODE OFFLINE "
        "NATIVE_TLS HTTP_TIMEOUT INSECURE_HOST CONFIG_FILE KEYRING_PROVIDER"
    )
    kept = ["HTTP_PROXY", "https_proxy", "ALL_PROXY", "SSL_CERT_FILE", "NETRC", "LANG"]
    kept += ["PIP_" + name for name in pip.split()] + ["UV_" + name for name in uv.split()]
    for name in [*kept, *STEERING, "PYTHONHOME", "PYTHONPATH"]:
        monkeypatch.setenv(name, "x")
    environment = module.environment()
    assert {name for name in kept if name not in environment} == set()
    assert {name for name in environment if name in {*STEERING, "PYTHONHOME", "PYTHONPATH"}} == set()


def test_what_pip_was_told_reaches_uv_unless_uv_was_told_itself(module, monkeypatch):
    listed = {
        ":env:.index-url": "http://c", "global.cert": r"C:\certs\a.pem", "global.index-url": "http://a",
        "global.target": "/nowhere", "install.index-url": "http://b", "freeze.index-url": "http://d",
    }  # fmt: skip
    monkeypatch.setattr(module, "ask", lambda _: "\n".join(f"{name}={value!r}" for name, value in listed.items()))
    monkeypatch.setattr(module, "home", lambda: module.ROOT)
    for name in ("APPDATA", "UV_INDEX_URL", "UV_CONFIG_FILE", "UV_DEFAULT_INDEX", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)
    settings = module.tool_settings()
    assert settings["PIP_INDEX_URL"] == settings["UV_DEFAULT_INDEX"] == "http://c"
    assert settings["PIP_CERT"] == settings["SSL_CERT_FILE"] == r"C:\certs\a.pem"
    assert "PIP_TARGET" not in settings
    monkeypatch.setenv("UV_INDEX_URL", "http://own")
    assert "UV_DEFAULT_INDEX" not in module.tool_settings()


def test_a_cache_that_may_not_be_written_is_kept_in_the_environment(course, tmp_path):
    (tmp_path / "file").write_text("no folder can be made here, not even by root")
    course.use("2.0")
    lines = course.says("test", UV_CACHE_DIR=str(tmp_path / "file" / "cache"))
    assert any("so it is kept in .venv" in line for line in lines)
    assert lines[-1] == "course 2.0 test"


@pytest.mark.parametrize("error", [RuntimeError, KeyError])
def test_a_user_without_a_home_leaves_nothing_beside_the_environment(module, monkeypatch, error):
    def refuse():
        raise error

    monkeypatch.setattr(module.Path, "home", refuse)
    assert module.environment()["HOME"] == str(module.VENV)
    assert "UV_PYTHON_DOWNLOADS" in module.tool_settings()


@pytest.mark.parametrize("year", [1970, 2120])
def test_files_from_before_and_after_the_times_of_zip_can_be_installed(course, year):
    file = course.folder / "LICENSE"  # which lies in the wheel
    next(path for path in course.venv.glob("*/course*") if path.suffix in ("", ".exe")).unlink()
    before = file.stat()
    os.utime(file, ((year - 1970) * 31_556_952 + 9,) * 2)
    try:
        assert course.says("test")[-1] == "course 1.0 test"
    finally:
        os.utime(file, (before.st_atime, before.st_mtime))


@pytest.mark.parametrize("name", ["requirements.lock", "pyproject.toml"])
@pytest.mark.parametrize("command", ["test", "--help"])
def test_a_file_of_the_course_that_is_not_there_is_named(module, capsys, name, command):
    module.ROOT.joinpath(name).unlink()
    assert module.main([command]) == 2
    said = capsys.readouterr()
    assert str(module.ROOT / name) in said.err and "in the whole folder of the course" in said.err
    assert "--wheels DIR" in said.out or command == "test"


@pytest.mark.parametrize("content", [b"numpy==2\n", b"\xff\xfe\x00", b"uv==1.0\n"])
def test_a_lock_that_names_no_uv_is_told(course, content):
    course.lock.write_bytes(content)
    done = course.start("test")
    assert done.returncode == 2
    assert f"{course.lock} is damaged" in done.stderr and "Traceback" not in done.stderr


@POSIX
def test_a_disk_that_knows_no_locks_does_not_make_a_start_wait_for_ever(module, monkeypatch):
    import fcntl

    def refuse(*_):
        raise OSError(37, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with module.alone():
        pass


# ---- which Python -----------------------------------------------------------------------------------------

GOOD = {"version": "3.12.1", "path": "py", "system": "linux", "machine": "x86_64", "bits": 64, "libc": "glibc"}
GOOD |= {"free_threaded": False, "venv": True}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"version": "3.10.13"}, "too old"),
        ({"version": "3.14.0"}, "too new"),
        ({"system": "darwin", "machine": "x86_64"}, "Intel Macs"),
        ({"system": "win32", "machine": "ARM64"}, "64-bit Python for x86-64"),
        ({"system": "win32", "machine": "AMD64", "bits": 32}, "64-bit Python"),
        ({"machine": "riscv64"}, "riscv64"),
        ({"libc": ""}, "without glibc"),
        ({"free_threaded": True}, "free-threaded"),
        ({"venv": False}, "sudo apt install python3-venv"),
    ],
)
def test_a_python_that_will_not_do_is_refused_with_the_reason(module, monkeypatch, capsys, change, words):
    monkeypatch.setattr(module, "candidates", lambda: [["python"]])
    monkeypatch.setattr(module, "probe", lambda _: GOOD | change)
    monkeypatch.setattr(module, "check_folder", lambda _: None)
    assert module.main(["test"]) == 2
    error = capsys.readouterr().err
    assert words in error
    assert "Python 3.11, 3.12 or 3.13" in error and "Traceback" not in error


@pytest.mark.parametrize(
    ("system", "machine"), [("linux", "x86_64"), ("linux", "aarch64"), ("darwin", "arm64"), ("win32", "AMD64")]
)
@pytest.mark.parametrize("version", ["3.11.0", "3.12.9", "3.13.2"])
def test_each_system_of_the_lock_is_welcome(module, system, machine, version):
    facts = GOOD | {"system": system, "machine": machine, "version": version}
    assert module.objection(facts | {"libc": "glibc" if system == "linux" else ""}) is None


@POSIX
def test_it_finds_another_python_by_itself_and_passes_over_what_does_not_start(module, monkeypatch, tmp_path):
    folder = tmp_path / "bin"
    folder.mkdir()
    scripts = {"python3.13": "exit 127", "python3.12": f"echo '{json.dumps(GOOD | {'path': '/a/python3.12'})}'"}
    for name, script in scripts.items():
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)
    old = folder / "old"
    old.write_text(f"#!/bin/sh\necho '{json.dumps(GOOD | {'version': '3.8.1'})}'\n")
    old.chmod(0o755)
    monkeypatch.setattr(module.sys, "executable", str(old))
    monkeypatch.setenv("PATH", str(folder))
    assert module.find_python() == "/a/python3.12"


def test_the_python_running_this_is_described_rightly(module):
    facts = module.probe([sys.executable])
    assert facts["version"] == ".".join(map(str, sys.version_info[:3]))
    assert module.objection(facts) is None


# ---- what makes .venv unfit -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("version", "stamp", "words"),
    [
        (None, {}, "does not run"),
        ("3.10.1", {}, "is 3.10.1"),
        ("3.12.2", {}, "was 3.12.1 and is now 3.12.2"),
        ("3.12.1", {"folder": "/elsewhere"}, "another folder"),
        ("3.12.1", {}, None),
    ],
)
def test_an_unfit_environment_is_made_again_and_why(module, monkeypatch, version, stamp, words):
    module.VENV.mkdir()
    monkeypatch.setattr(module, "venv_version", lambda: version)
    monkeypatch.setattr(module, "ask", lambda _: "pip 26")
    reason = module.reason_to_rebuild({"python": "3.12.1", "folder": str(module.ROOT)} | stamp)
    assert words in reason if words else reason is None
    assert module.reason_to_rebuild({}) is None or version not in ("3.12.1", "3.12.2")  # a damaged stamp says nothing


def test_the_environment_in_use_agrees_with_its_stamp_and_lock():
    stamp = paths.ROOT / ".venv" / "course.json"
    if not stamp.exists():
        pytest.skip("the course is not set up in .venv here")
    done = subprocess.run([sys.executable, str(SOURCE), "--help"], capture_output=True, text=True, cwd=paths.ROOT)
    assert done.returncode == 0
    assert "usage: course" in done.stdout  # which only the environment's own `course` prints
    assert json.loads(stamp.read_text())["complete"] is True
