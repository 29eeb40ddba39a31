"""JupyterLab as a student gets it: this machine alone, its own token, and not a word to the outside."""

import json
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from course_utils import paths
from course_utils.cli import lab

OPEN_LAB = Path(__file__).parent / "fixtures" / "open_lab.py"
NO_NETWORK = ["unshare", "--map-root-user", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"]


def no_network_possible() -> bool:
    tools = shutil.which("unshare") and shutil.which("ip")
    return bool(tools) and subprocess.run([*NO_NETWORK, "true"], capture_output=True).returncode == 0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    """What JupyterLab answers without a network, or, where that cannot be had, with the one there is."""
    prefix = NO_NETWORK if no_network_possible() else []
    command = [sys.executable, str(OPEN_LAB), str(tmp_path_factory.mktemp("lab")), str(free_port())]
    done = subprocess.run([*prefix, *command], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout) | {"network": not prefix}


def test_it_opens_without_a_network(answers):
    if answers["network"]:
        pytest.skip("this system permits no network namespace (unshare)")
    assert answers["seconds"] < 60  # on two busy cores; the README has the time on idle ones
    assert "JupyterLab" in answers["page"]


def test_it_asks_for_its_token(answers):
    assert answers["without_token"] == 403


def test_the_students_copies_are_there_and_hold_no_solutions(answers):
    names = {entry["name"] for entry in answers["work"]["content"]}
    assert {f"{file.stem}.ipynb" for file in paths.LESSONS.glob("[0-9]*.py")} <= names


def test_it_offers_neither_news_nor_updates_nor_extensions(answers):
    assert json.loads(answers["news"])["news"] == []
    assert json.loads(answers["update"])["notification"] is None
    defaults = {entry["id"]: entry["schema"].get("properties") for entry in answers["settings"]["settings"]}
    notification = defaults["@jupyterlab/apputils-extension:notification"]
    assert (notification["fetchNews"]["default"], notification["checkForUpdates"]["default"]) == ("false", False)
    assert defaults["@jupyterlab/extensionmanager-extension:plugin"]["enabled"]["default"] is False


def test_its_page_names_no_other_host(answers):
    configuration = re.search(r'<script id="jupyter-config-data"[^>]*>(.*?)</script>', answers["page"], re.DOTALL)[1]
    hosts = set(re.findall(r"(?:src|href)=\"https?://([^/\"]+)", answers["page"].replace(configuration, "")))
    assert hosts == set()
    assert json.loads(configuration).get("news", {}).get("disabled") is True


def test_the_command_line_binds_to_this_machine_and_opens_at_the_lesson(monkeypatch, tmp_path):
    monkeypatch.setattr(paths, "ROOT", tmp_path)
    given = lab.arguments(tmp_path / "work" / "00_start_here.ipynb", browser=False, port=9000)
    assert "--ServerApp.ip=127.0.0.1" in given
    assert "--LabApp.default_url=/lab/tree/work/00_start_here.ipynb" in given
    assert "--no-browser" in given and "--ServerApp.port=9000" in given
    assert not any("token" in word or "password" in word for word in given)
    assert "--no-browser" not in lab.arguments(tmp_path / "work" / "00_start_here.ipynb")


def test_the_users_own_configuration_is_left_aside(monkeypatch):
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", "/somewhere/else")
    assert lab.environment()["JUPYTER_CONFIG_DIR"] == str(Path(sys.prefix) / "etc" / "jupyter-course")
