"""A student's afternoon in a real browser: open lesson 02, run it to the end, move a widget."""

import importlib.util
import re
import shutil
import sys
from pathlib import Path
from urllib.parse import urlsplit

import nbformat
import numpy as np
import pytest

from course_utils import figures, paths
from course_utils.cli.lessons import KERNELSPEC

sys.path.insert(0, str(Path(__file__).parent / "fixtures"))
import open_lab

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
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",  # what asks for the outside fails at once
]
WITH_EVERY_FAULT = """
import ipywidgets
from IPython.display import HTML, display
## a widget that does nothing
import base64
pixel = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR42mNgAAAAAgABc3UBGAAAAABJRU5ErkJggg==")
ipywidgets.VBox([ipywidgets.Dropdown(options=["a", "b", "c"]), ipywidgets.FloatSlider(), ipywidgets.Image(value=pixel)])
## a picture from elsewhere, and one that is nowhere
HTML('<img src="http://elsewhere.invalid/x.png"><img src="/files/missing.png">')
## a word on the error stream
import sys
print("careful", file=sys.stderr)
## an error
1 / 0
## a cell that is never reached
print("here")
"""

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine"),
    pytest.mark.skipif(importlib.util.find_spec("playwright") is None, reason="Playwright is not installed"),
]


@pytest.fixture
def page(tmp_path):
    """A page of a fresh browser that keeps what it asked for and what failed."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch_persistent_context(
            str(tmp_path / "profile"), executable_path=CHROMIUM, args=FLAGS, viewport={"width": 1400, "height": 1000}
        )
        page = browser.pages[0]
        page.set_default_timeout(2 * MINUTE)
        page.asked, page.failed = [], []
        page.on("websocket", lambda socket: page.asked.append(socket.url))
        page.on("pageerror", lambda error: page.failed.append(str(error)))
        browser.on("request", lambda request: page.asked.append(request.url))
        browser.on("requestfailed", lambda request: page.failed.append(f"{request.failure} {request.url}"))
        browser.on("response", lambda reply: reply.status >= 400 and page.failed.append(f"{reply.status} {reply.url}"))
        yield page
        browser.close()


def test_lesson_02_runs_to_the_end_and_its_playground_answers(page, tmp_path):
    if not (paths.LESSONS / "02_convolution.py").exists():
        pytest.skip("lesson 02 is not in this copy of the course")
    with open_lab.running(tmp_path, open_lab.free_port(), "02") as address:
        notebook = tmp_path / "work" / "02_convolution.ipynb"
        open_notebook(page, address, notebook)
        assert page.get_by_text("Jupyter news").count() == 0
        run_all(page)
        play_with_the_widget(page)
        page.screenshot(path=tmp_path / "lesson_02.png")
        save(page)
    assert faults(notebook) == []
    assert hosts(page) == {"127.0.0.1"}
    assert page.failed == []


def test_it_would_notice_each_fault(page, tmp_path):
    notebook = tmp_path / "work" / "02_convolution.ipynb"
    cells = [nbformat.v4.new_code_cell(text) for text in re.split("^##.*\n", WITH_EVERY_FAULT.strip(), flags=re.M)]
    notebook.parent.mkdir()
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": KERNELSPEC}), notebook)
    with open_lab.running(tmp_path, open_lab.free_port(), "02") as address:
        open_notebook(page, address, notebook)
        run_all(page)
        with pytest.raises(AssertionError, match="stayed as it was"):
            play_with_the_widget(page, patience=30)
        save(page)
    assert faults(notebook) == ["careful ", "division by zero", "cell 6 was not run"]
    assert "elsewhere.invalid" in hosts(page)
    assert {failure.split("/")[-1] for failure in page.failed} == {"x.png", "missing.png"}


def test_pictures_of_a_notebook_that_was_built_elsewhere_show_before_it_is_run(page, tmp_path, monkeypatch):
    shown = []
    monkeypatch.setattr(figures, "display", lambda bundle, raw: shown.append(bundle))
    figures.images([np.eye(8)], alt="A white diagonal on black")
    cell = nbformat.v4.new_code_cell("figures.images(...)", execution_count=1)
    cell.outputs = [nbformat.v4.new_output("display_data", data=shown[0])]
    notebook = tmp_path / "work" / "02_convolution.ipynb"
    notebook.parent.mkdir()
    nbformat.write(nbformat.v4.new_notebook(cells=[cell], metadata={"kernelspec": KERNELSPEC}), notebook)
    with open_lab.running(tmp_path, open_lab.free_port(), "02") as address:
        open_notebook(page, address, notebook)
        picture = page.locator(".jp-OutputArea-output img")
        assert picture.get_attribute("alt") == "A white diagonal on black"
        assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") > 100
    assert hosts(page) == {"127.0.0.1"}


# ---- what a student does, and what is looked at -----------------------------------------------------------


def open_notebook(page, address: str, notebook: Path) -> None:
    """Open the printed address, and wait until the kernel is ready and every cell is on the page."""
    page.goto(address)
    page.get_by_text("Python 3 (ipykernel) | Idle").wait_for()
    page.wait_for_function(f"document.querySelectorAll('.jp-Notebook .jp-CodeCell').length == {len(code(notebook))}")
    assert page.locator(".jp-Dialog").count() == 0  # nothing to be answered before one can start


def run_all(page) -> None:
    """Run every cell from the menu; return when none waits any more, be it all done or stopped by an error."""
    page.get_by_text("Run", exact=True).first.click()
    page.get_by_text("Run All Cells", exact=True).click()
    page.wait_for_function(
        r"""() => {
            const prompts = [...document.querySelectorAll('.jp-Notebook .jp-CodeCell .jp-InputPrompt')]
            const texts = prompts.map(prompt => prompt.textContent)
            return document.querySelector('.jp-Dialog') || /\d/.test(texts[0]) && !texts.some(text => /\*/.test(text))
        }""",
        timeout=8 * MINUTE,
        polling=500,
    )
    assert page.locator(".jp-Dialog").count() == 0  # as when the kernel died


def play_with_the_widget(page, patience: int = 300) -> None:
    """Choose another kernel, then turn down its strength: each time the picture changes within `patience` tenths
    of a second."""
    panel = page.locator(".jp-OutputArea-output", has=page.locator("select")).last
    panel.scroll_into_view_if_needed()
    picture = panel.locator("img").last

    def changes(action) -> None:
        before = pixels(picture)
        action()
        for _ in range(patience):
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


def save(page) -> None:
    """Save the notebook, and wait until the server has it."""
    with page.expect_response(lambda reply: reply.request.method == "PUT" and "/api/contents/" in reply.url):
        page.keyboard.press("Control+s")


def code(notebook: Path) -> list:
    return [cell for cell in nbformat.read(notebook, as_version=4).cells if cell.cell_type == "code"]


def faults(notebook: Path) -> list[str]:
    """Errors in cells that are not meant to raise, whatever came on the error stream, and cells that never ran."""
    found = []
    for number, cell in enumerate(code(notebook), start=1):
        if not cell.execution_count:
            found.append(f"cell {number} was not run")
        for output in cell.outputs:
            expected = "raises-exception" in cell.metadata.get("tags", [])
            if (output.output_type == "error" and not expected) or output.get("name") == "stderr":
                found.append(re.sub(r"\s+", " ", output.get("evalue") or output.get("text")))
    return found


def hosts(page) -> set[str]:
    return {urlsplit(url).hostname for url in page.asked if not url.startswith(("data:", "blob:"))}
