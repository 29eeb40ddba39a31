"""The lists of packages: hashed, free of addresses, and in agreement with each other."""

import re
import subprocess
import sys
import tomllib

import pytest

from course_utils import paths

LOCKS = ("requirements.lock", "requirements-gpu.lock", "requirements-ci.lock")
PROJECT = tomllib.loads((paths.ROOT / "pyproject.toml").read_text(encoding="utf-8"))
SYSTEMS = ("x86_64-manylinux_2_28", "aarch64-manylinux_2_28", "aarch64-apple-darwin", "x86_64-pc-windows-msvc")


def text(name: str) -> str:
    return (paths.ROOT / name).read_text(encoding="utf-8")


def pins(name: str) -> dict[str, str]:
    """Versions by package, from a lock."""
    return dict(re.findall(r"^([a-z0-9.-]+)==([^\s;]+)", text(name), re.MULTILINE))


def names(requirements: list[str]) -> set[str]:
    return {re.match(r"[\w.-]+", line)[0].replace("_", "-").lower() for line in requirements}


@pytest.mark.parametrize("name", LOCKS)
def test_each_package_is_pinned_once_with_hashes(name):
    entries = re.split(r"^(?=[a-z])", text(name), flags=re.MULTILINE)[1:]
    assert len(entries) == len(pins(name)) > 0
    assert all(re.search(r"--hash=sha256:[0-9a-f]{64}", entry) for entry in entries)


@pytest.mark.parametrize("name", [*LOCKS, "environment.yml", "pyproject.toml", "course.py", ".ci/run"])
def test_no_list_names_an_index_or_a_place_on_a_machine(name):
    assert not re.findall(r"https?://|file:/|--index|--find-links[ =]/|(?<![\w.])/(?:home|root|tmp|opt)/", text(name))


@pytest.mark.parametrize("name", LOCKS)
def test_the_command_that_makes_a_lock_stands_at_its_top(name):
    first = text(name).splitlines()[1]
    assert first.startswith("#    uv pip compile --universal")
    assert first.endswith(f"-o {name}")


def test_the_lock_holds_what_the_project_asks_for():
    assert names(PROJECT["project"]["dependencies"]) <= pins("requirements.lock").keys()
    assert names(PROJECT["dependency-groups"]["ci"]) <= pins("requirements-ci.lock").keys()


def test_the_other_locks_keep_the_versions_of_the_first():
    first, gpu, extra = (pins(name) for name in LOCKS)
    assert {name: version for name, version in gpu.items() if name in first and first[name] != version} == {}
    assert first.keys() - gpu.keys() == {"tensorflow-cpu"}
    assert all(name.startswith("nvidia-") for name in gpu.keys() - first.keys())
    assert not extra.keys() & first.keys()


def test_the_conda_route_installs_the_same_versions():
    listed = re.findall(r'^      - "?([\w-]+)==([^\s;"]+)(?: ; ([^"]+))?"?$', text("environment.yml"), re.MULTILINE)
    versions = pins("requirements.lock")
    assert {name.replace("_", "-"): version for name, version, _ in listed} == {
        name: versions[name] for name in names(PROJECT["project"]["dependencies"]) - {"pip", "uv"}
    }
    markers = {name: marker for name, _, marker in listed if marker}
    asked = [line.split(";") for line in PROJECT["project"]["dependencies"] if ";" in line]
    assert markers == {line[0].split()[0]: line[1].strip() for line in asked}
    assert text("environment.yml").rstrip().endswith("- -e .")


def test_the_conda_route_takes_a_python_that_the_course_supports():
    version = re.search(r"^  - python=(\S+)$", text("environment.yml"), re.MULTILINE)[1]
    assert version in ("3.11", "3.12", "3.13")
    assert PROJECT["project"]["requires-python"] == ">=3.11,<3.14"


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13"])
def test_each_system_and_python_has_wheels(system, python, tmp_path):
    """Resolves against the package index; skipped where there is none in reach."""
    uv = paths.ROOT / ".venv" / "bin" / "uv"
    if not uv.exists():
        pytest.skip("the course is not set up in .venv here")
    command = [uv, "pip", "install", "--dry-run", "--only-binary", ":all:", "--require-hashes", "--target", tmp_path]
    command += ["--python", sys.executable, "--python-platform", system, "--python-version", python]
    locks = [word for name in ("requirements.lock", "requirements-ci.lock") for word in ("--requirement", name)]
    done = subprocess.run([*command, *locks], cwd=paths.ROOT, capture_output=True, text=True)
    if re.search(r"error sending request|dns error|failed to (fetch|download)", done.stderr, re.IGNORECASE):
        pytest.skip("no package index in reach")
    assert done.returncode == 0, done.stderr
    assert "Would install" in done.stderr


def test_the_licences_are_there_and_whole():
    assert "END OF TERMS AND CONDITIONS" in text("LICENSE")
    assert "Creative Commons Attribution 4.0 International" in text("LICENSE-prose.md")
    assert PROJECT["project"]["license"] == "Apache-2.0"
