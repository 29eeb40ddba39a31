"""JupyterLab as a student gets it: this machine alone, its own token, and not a word to the outside."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from course_utils import paths
from course_utils.cli import lab
from course_utils.cli.errors import CourseError

sys.path.insert(0, str(Path(__file__).parent / "fixtures"))
import open_lab

NO_NETWORK = ["unshare", "--map-root-user", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"]


def no_network_possible() -> bool:
    tools = shutil.which("unshare") and shutil.which("ip")
    return bool(tools) and subprocess.run([*NO_NETWORK, "true"], capture_output=True).returncode == 0


# What a configuration on the machine may say; the course asks for its own token all the same.
OPEN_TO_ALL = {
    "IdentityProvider": {"token": ""},
    "PasswordIdentityProvider": {"hashed_password": "", "password_required": False},
    "ServerApp": {"ip": "0.0.0.0", "allow_origin": "*", "disable_check_xsrf": True, "token": ""},
}


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    """What JupyterLab answers without a network, or, where that cannot be had, with the one there is."""
    prefix = NO_NETWORK if no_network_possible() else []
    folder, configuration = tmp_path_factory.mktemp("lab"), tmp_path_factory.mktemp("configuration")
    (configuration / "jupyter_server_config.json").write_text(json.dumps(OPEN_TO_ALL))
    command = [sys.executable, open_lab.__file__, str(folder), str(open_lab.free_port())]
    environment = os.environ | {"JUPYTER_CONFIG_PATH": str(configuration)}
    done = subprocess.run([*prefix, *command], capture_output=True, text=True, timeout=300, env=environment)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout) | {"network": not prefix, "folder": folder}


def test_it_opens_without_a_network(answers):
    if answers["network"]:
        pytest.skip("this system permits no network namespace (unshare)")
    assert "JupyterLab" in answers["page"]


def test_it_opens_at_the_first_lesson(answers):
    first = min(file.stem for file in paths.LESSONS.glob("[0-9]*.py"))
    assert answers["path"] == f"/lab/tree/work/{first}.ipynb"
    assert f"JupyterLab opens at work/{first}.ipynb" in answers["log"]


def test_it_asks_for_its_token_whatever_a_configuration_says_and_the_printed_address_brings_it(answers):
    assert answers["without_token"] == 403
    assert answers["with_the_printed_address"] == 200


def test_the_students_copies_are_there_and_hold_no_solutions(answers):
    names = {entry["name"] for entry in answers["work"]["content"]}
    assert {f"{file.stem}.ipynb" for file in paths.LESSONS.glob("[0-9]*.py")} <= names
    for copy in (answers["folder"] / "work").glob("*.ipynb"):
        cells = json.loads(copy.read_text(encoding="utf-8"))["cells"]
        assert not any("solution" in cell["metadata"].get("tags", []) or cell.get("outputs") for cell in cells)


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
    assert not any("token" in word for word in given)  # it is no argument, which other users could read
    assert "--PasswordIdentityProvider.hashed_password=" in given
    assert "--no-browser" not in lab.arguments(tmp_path / "work" / "00_start_here.ipynb")


def test_a_port_in_use_is_refused_before_anything_starts(monkeypatch, tmp_path):
    monkeypatch.setattr(lab, "prepare", lambda: pytest.fail("it went on"))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(
            CourseError, match=rf"cannot listen on port {port} \(.+\): give another, or leave --port out"
        ):
            lab.start_lab(tmp_path / "00.ipynb", port=port)


@pytest.mark.skipif(os.name != "posix", reason="Windows frees a port at once")
def test_a_port_that_was_left_a_moment_ago_is_taken():
    with socket.socket() as server, socket.socket() as client:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = server.getsockname()[1]
        client.connect(("127.0.0.1", port))
        server.accept()[0].close()  # the side that closes first waits
    with socket.socket() as plain, pytest.raises(OSError, match="in use"):
        plain.bind(("127.0.0.1", port))
    lab._try_port(port)


@pytest.mark.parametrize(
    ("snap", "kernel", "reads"),
    [
        (None, "6.12.0-amd64", True),
        ("/usr/bin/snap", "6.8.0-31-generic", False),
        (None, "5.15.153.1-microsoft-standard-WSL2", False),
    ],
)
def test_a_browser_that_reads_no_files_is_sent_to_the_address(monkeypatch, tmp_path, snap, kernel, reads):
    monkeypatch.setattr(paths, "ROOT", tmp_path)
    monkeypatch.setattr(lab.shutil, "which", lambda _: snap)
    monkeypatch.setattr(lab.platform, "release", lambda: kernel)
    given = lab.arguments(tmp_path / "work" / "00_start_here.ipynb")
    assert ("--ServerApp.use_redirect_file=False" not in given) == reads


def test_the_users_own_configuration_is_left_aside(monkeypatch):
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", "/somewhere/else")
    assert lab.environment()["JUPYTER_CONFIG_DIR"] == str(Path(sys.prefix) / "etc" / "jupyter-course")
