"""A student's afternoon in a real browser: open lesson 02, run it to the end, move a widget."""

import importlib.util
import re
import shutil
import sys
from pathlib import Path
from urllib.parse import urlsplit

import nbformat
import pytest

from course_utils import paths

sys.path.insert(0, str(Path(__file__).parent / "fixtures"))
import open_lab
from test_lab import free_port

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
MINUTE = 60_000  # milliseconds, as Playwright counts
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine"),
    pytest.mark.skipif(importlib.util.find_spec("playwright") is None, reason="Playwright is not installed"),
]


@pytest.fixture
def server(tmp_path):
    """The address of lesson 02 in a JupyterLab that has the student's copies in a folder of its own."""
    port = str(free_port())
    process = open_lab.start(str(tmp_path), port)
    open_lab.wait(process, port)
    yield f"http://127.0.0.1:{port}/lab/tree/work/02_convolution.ipynb?token={open_lab.read_token(process)}"
    process.terminate()
    process.wait(30)


@pytest.fixture
def page(tmp_path):
    """A page of a fresh browser that keeps what it asked for and what failed."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch_persistent_context(
            str(tmp_path / "profile"), executable_path=CHROMIUM, args=FLAGS, viewport={"width": 1400, "height": 1000}
        )
        page = browser.pages[0]
        page.asked, page.failed, page.thrown = [], [], []
        page.on("request", lambda request: page.asked.append(request.url))
        page.on("websocket", lambda socket: page.asked.append(socket.url))
        page.on("requestfailed", lambda request: page.failed.append(f"{request.failure} {request.url}"))
        page.on("response", lambda reply: reply.status >= 400 and page.failed.append(f"{reply.status} {reply.url}"))
        page.on("pageerror", lambda error: page.thrown.append(str(error)))
        yield page
        browser.close()


def run_all(page) -> None:
    """Run every cell from the menu, as a student does, and wait for the last."""
    page.get_by_text("Run", exact=True).first.click()
    page.get_by_text("Run All Cells", exact=True).click()
    page.wait_for_function(
        r"""() => {
            const prompts = [...document.querySelectorAll('.jp-Notebook .jp-CodeCell .jp-InputPrompt')]
            return prompts.length > 5 && prompts.every(prompt => /\[\d+\]/.test(prompt.textContent))
        }""",
        timeout=8 * MINUTE,
        polling=500,
    )


def test_lesson_02_runs_to_the_end_and_its_playground_answers(server, page, tmp_path):
    if not (paths.LESSONS / "02_convolution.py").exists():
        pytest.skip("lesson 02 is not in this copy of the course")
    page.goto(server)
    page.locator(".jp-Notebook .jp-CodeCell").first.wait_for(timeout=2 * MINUTE)
    page.get_by_text("Kernel status: Idle").first.wait_for(state="attached", timeout=2 * MINUTE)
    assert page.locator(".jp-Dialog").count() == 0  # nothing to be answered before one can start
    assert page.get_by_text("Jupyter news").count() == 0
    run_all(page)

    play_with_the_widget(page)
    page.screenshot(path=tmp_path / "lesson_02.png")
    page.keyboard.press("Control+s")
    page.wait_for_function("() => !document.querySelector('.jp-mod-dirty')", timeout=MINUTE)

    notebook = nbformat.read(tmp_path / "work" / "02_convolution.ipynb", as_version=4)
    assert unexpected(notebook) == []
    assert {urlsplit(url).hostname for url in page.asked if not url.startswith(("data:", "blob:"))} == {"127.0.0.1"}
    assert page.failed == []
    assert page.thrown == []


def play_with_the_widget(page) -> None:
    """Choose another kernel, then turn up its strength: the picture after it must change each time."""
    panel = page.locator(".jp-OutputArea-output", has=page.locator("select")).last
    panel.scroll_into_view_if_needed()
    picture = panel.locator("img").last

    def changes(action) -> None:
        before = pixels(picture)
        action()
        for _ in range(100):
            page.wait_for_timeout(100)
            if pixels(picture) != before:
                return
        raise AssertionError("the picture stayed as it was")

    changes(lambda: panel.locator("select").select_option(index=2))
    slider = panel.locator(".noUi-handle").first
    slider.focus()
    changes(lambda: slider.press("ArrowLeft"))


def pixels(picture) -> str:
    """The picture an `img` shows, as text."""
    return picture.evaluate(
        """async image => {
            await image.decode()
            const canvas = document.createElement('canvas')
            canvas.width = image.naturalWidth
            canvas.height = image.naturalHeight
            canvas.getContext('2d').drawImage(image, 0, 0)
            return canvas.toDataURL()
        }"""
    )


def unexpected(notebook) -> list[str]:
    """Errors in cells that are not meant to raise, and whatever came on the error stream."""
    found = []
    for cell in notebook.cells:
        if cell.cell_type != "code" or "raises-exception" in cell.metadata.get("tags", []):
            continue
        for output in cell.outputs:
            if output.output_type == "error" or output.get("name") == "stderr":
                found.append(re.sub(r"\s+", " ", output.get("evalue") or output.get("text")))
    return found
