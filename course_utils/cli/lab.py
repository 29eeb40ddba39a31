"""JupyterLab on the student's copies: on this machine alone, and without any word to the outside."""

import json
import os
import platform
import secrets
import shutil
import socket
import sys
from contextlib import suppress
from pathlib import Path

from course_utils import paths
from course_utils.cli import kernel
from course_utils.cli.errors import CourseError

# JupyterLab's settings, which a student may change in its settings editor.
SETTINGS = {
    "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False},
    "@jupyterlab/extensionmanager-extension:plugin": {"enabled": False},
    "@jupyterlab/docmanager-extension:plugin": {"autosaveInterval": 20},
    # A notebook that was built elsewhere shows its pictures before it is run: each is an <img> that holds its data.
    "@jupyterlab/apputils-extension:sanitizer": {"allowedSchemes": ["http", "https", "ftp", "mailto", "tel", "data"]},
}


def start_lab(notebook: Path, browser: bool = True, port: int | None = None) -> int:
    """Run JupyterLab, opened at a notebook below paths.ROOT, until the student stops it; return its exit status.

    notebook: the copy to open. browser: open one, or else only print the address. port: the port to listen on;
    the first free one from 8888 where it is None. Raises CourseError where nothing can listen on that port.
    """
    if port is not None:
        _try_port(port)
    prepare()
    os.environ.update(environment())
    from jupyter_core.application import NoStart
    from jupyterlab.labapp import LabApp

    print(f"JupyterLab opens at {notebook.relative_to(paths.ROOT)}. To stop it, press Ctrl-C here, then y.", flush=True)
    server = LabApp.initialize_server(arguments(notebook, browser, port))
    # A configuration on this machine may have named an empty token, or one that others know: this start has its own.
    # (As an argument it would not be printed with the address.)
    server.identity_provider.token, server.identity_provider.token_generated = secrets.token_hex(24), True
    with suppress(NoStart):
        server.start()
    return 0


def _try_port(port: int) -> None:
    """Raise CourseError where a port is in use, or not this user's to listen on."""
    with socket.socket() as probe:
        if os.name == "posix":  # a port that was left a moment ago is free; on Windows this would permit sharing one
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise CourseError(
                f"JupyterLab cannot listen on port {port} ({error.strerror}): give another, or leave --port out for "
                "the first free one from 8888"
            ) from error


def arguments(notebook: Path, browser: bool = True, port: int | None = None) -> list[str]:
    """The command line of JupyterLab: it overrules what the user's own configuration says."""
    chosen = [
        "--ServerApp.ip=127.0.0.1",
        "--ServerApp.allow_remote_access=False",
        "--ServerApp.allow_origin=",
        "--ServerApp.disable_check_xsrf=False",
        "--ServerApp.identity_provider_class=jupyter_server.auth.identity.PasswordIdentityProvider",
        "--PasswordIdentityProvider.hashed_password=",
        "--ServerApp.allow_root=True",  # containers often have no other user, and the address is this machine's alone
        "--ServerApp.log_level=ERROR",  # still prints the address and its token
        "--LabApp.log_level=ERROR",
        f"--ServerApp.root_dir={paths.ROOT}",
        f"--LabApp.default_url=/lab/tree/{notebook.relative_to(paths.ROOT).as_posix()}",
        f"--LabApp.app_settings_dir={settings_folder()}",
        "--LabApp.news_url=None",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        "--LabApp.extension_manager=readonly",
    ]
    if port is not None:
        chosen += [f"--ServerApp.port={port}", "--ServerApp.port_retries=0"]
    if not browser:
        chosen.append("--no-browser")
    if not browser_reads_files():
        chosen.append("--ServerApp.use_redirect_file=False")
    return chosen


def browser_reads_files() -> bool:
    """Whether a browser can be sent to a file, which keeps the token out of the machine's list of processes.

    Browsers in Ubuntu's snaps see no hidden folder, and those of Windows see no file of WSL: they get the address.
    """
    return shutil.which("snap") is None and "microsoft" not in platform.release().lower()


def environment() -> dict[str, str]:
    """Variables for JupyterLab, with a configuration folder that is the course's own.

    An old or broken configuration in the user's home cannot get in the way, and no password or address in it holds.
    """
    own = str(Path(sys.prefix) / "etc" / "jupyter-course")
    return kernel.environment() | {"JUPYTER_CONFIG_DIR": own}


def settings_folder() -> Path:
    """Where JupyterLab finds the course's settings."""
    return Path(sys.prefix) / "share" / "jupyter" / "course-settings"


def prepare() -> None:
    """Write the kernels' and JupyterLab's settings where they are not there yet."""
    kernel.prepare()
    kernel.write_if_different(settings_folder() / "overrides.json", json.dumps(SETTINGS, indent=1) + "\n")
