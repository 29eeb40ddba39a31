"""What a stored notebook, and the course as a whole, must look like: each gate returns the problems it finds.

A problem is a sentence that says where and what. The gates on a lesson's own code and parts are in `rules`.
"""

import csv
import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote

from markdown_it import MarkdownIt
from mdit_py_plugins.dollarmath import dollarmath_plugin
from nbformat import NotebookNode

from course_utils import paths
from course_utils.cli.lessons import Lesson, all_lessons, fold, has_tag, read_notebook

MACHINE_PATH = re.compile(
    r"(?<![\w.:/~-])/(?:home|root|work|Users|tmp)/\S*|\b[A-Z]:\\\\?\w[\w .-]*\\\S*|(?<!\S)\S*site-packages\S*"
)
LARGEST_NOTEBOOK = 3  # MB
MARKDOWN = MarkdownIt("commonmark").enable("table").use(dollarmath_plugin)


def code_cells(notebook: NotebookNode) -> Iterator[tuple[str, NotebookNode]]:
    """The code cells, each with the words that name it in a problem."""
    cells = (cell for cell in notebook.cells if cell.cell_type == "code")
    for number, cell in enumerate(cells, start=1):
        yield f"code cell [{number}]", cell


def prose(notebook: NotebookNode) -> str:
    """All the text of a notebook's Markdown cells."""
    return "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


# ---- Markdown --------------------------------------------------------------------------------------------


class Heading(NamedTuple):
    """A heading of a Markdown text. title: without its markup. start, end: its lines, counted from 0, end excluded."""

    level: int
    title: str
    start: int
    end: int


class Link(NamedTuple):
    """A link of a Markdown text, or a picture, which has words. target: with its special characters as they are."""

    target: str
    words: str | None = None


def headings(text: str) -> list[Heading]:
    """The headings of a Markdown text, in order."""
    return [
        Heading(int(opening.tag[1]), _title(inline.children), *opening.map)
        for opening, inline in pairwise(MARKDOWN.parse(text))
        if opening.type == "heading_open"
    ]


def _title(tokens) -> str:
    return "".join(token.content for token in tokens if token.type != "html_inline")


def links(text: str) -> list[Link]:
    """The links and pictures of a Markdown text, those written in HTML too; code and mathematics have none."""
    html = _HtmlLinks()
    for block in MARKDOWN.parse(text):
        for token in (block, *(block.children or [])):
            if token.type == "link_open":
                html.found.append(Link(unquote(token.attrs["href"])))
            elif token.type == "image":
                html.found.append(Link(unquote(token.attrs["src"]), token.content))
            elif token.type in ("html_block", "html_inline"):
                html.feed(token.content)
    return html.found


class _HtmlLinks(HTMLParser):
    """Collects what the tags of HTML text link to and show."""

    def __init__(self):
        super().__init__()
        self.found: list[Link] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "a" and "href" in values:
            self.found.append(Link(unquote(values["href"])))
        elif tag == "img":
            self.found.append(Link(unquote(values.get("src", "")), values.get("alt", "")))


# ---- one stored notebook ---------------------------------------------------------------------------------


def not_executed(notebook: NotebookNode) -> list[str]:
    """Cells that were never run: a notebook stripped of its outputs passes every comparison."""
    problems = [f"{where} was never executed" for where, cell in code_cells(notebook) if cell.execution_count is None]
    if not any(cell.outputs for _, cell in code_cells(notebook)):
        problems.append("no cell has an output")
    return problems


def out_of_order(notebook: NotebookNode) -> list[str]:
    """Cells that were not run once each from the top in a fresh kernel."""
    return [
        f"{where} was executed as number {cell.execution_count}"
        for number, (where, cell) in enumerate(code_cells(notebook), start=1)
        if cell.execution_count not in (number, None)
    ]


def errors_in_outputs(notebook: NotebookNode) -> list[str]:
    """Errors that no tag announces, and announced ones that did not come."""
    problems = []
    for where, cell in code_cells(notebook):
        errors = [output.ename for output in cell.outputs if output.output_type == "error"]
        if errors and not has_tag(cell, "raises-exception"):
            problems.append(f"{where} ended in {errors[0]}")
        if not errors and has_tag(cell, "raises-exception"):
            problems.append(f"{where} is tagged raises-exception and raised nothing")
    return problems


def bands_missed(notebook: NotebookNode) -> list[str]:
    """Numbers that a stored run printed outside the band that is expected of them."""
    return [
        f"{where} printed a number outside its band: {line.strip()}"
        for where, cell in code_cells(notebook)
        for output in cell.outputs
        for line in output.get("text", "").splitlines()
        if re.search(r"\bat (?:least|most) .*: (?:no|untrained)\s*$", line)
    ]


def machine_paths(notebook: NotebookNode) -> list[str]:
    """Paths of the machine that ran the notebook, in code, text or outputs."""
    problems = []
    for position, cell in enumerate(notebook.cells, start=1):
        for text in [cell.source, *_texts(cell.get("outputs", []))]:
            problems += [f"cell {position} names the path {found[0]}" for found in MACHINE_PATH.finditer(text)]
    return problems


def _texts(value) -> Iterator[str]:
    """Every string in outputs, without the encoded pictures."""
    if isinstance(value, str):
        yield re.sub(r"data:[\w/+.-]+;base64,[\w/+=]+", "", value)
    elif isinstance(value, dict):
        for key, inner in value.items():
            if key not in ("image/png", "image/jpeg"):
                yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


def pictures_without_words(notebook: NotebookNode) -> list[str]:
    """Pictures in outputs that are no `<img alt="...">`: its words are all a blind reader gets.

    A picture beside it in another encoding would be stored twice; Jupyter keeps no words with one that stands alone.
    """
    problems = []
    for where, cell in code_cells(notebook):
        for data in (output.data for output in cell.outputs if "data" in output):
            images = re.findall(r"<img\b[^>]*>", data.get("text/html", ""))
            has_words = all(re.search(r'\balt="[^"]*\w', image) for image in images)
            if not has_words or any(kind.startswith("image/") for kind in data):
                problems.append(f"{where} shows a picture without alt text: use figures.show(figure, alt=...)")
    return problems


def large(notebook: NotebookNode) -> list[str]:
    """More than a browser, a mail or the history of a repository takes with ease."""
    size = len(json.dumps(notebook, ensure_ascii=False).encode()) / 1e6
    return [f"has {size:.1f} MB, at most {LARGEST_NOTEBOOK} are allowed"] if size > LARGEST_NOTEBOOK else []


NOTEBOOK_GATES = (
    not_executed,
    out_of_order,
    errors_in_outputs,
    bands_missed,
    machine_paths,
    pictures_without_words,
    large,
)


def stale(lesson: Lesson, notebook: NotebookNode) -> list[str]:
    """A notebook that is not what its lesson would be built into, be it that one or the other was edited."""
    expected = fold(read_notebook(lesson))
    hint = f"run `course build {lesson.number:02d}`"
    built = {key: value for key, value in notebook.metadata.get("course", {}).items() if key != "built_from"}
    if built != expected.metadata.course:
        return [f"was built from another version of {lesson.path.name}: {hint}"]
    for key in ("kernelspec", "language_info"):
        if notebook.metadata.get(key) != expected.metadata[key]:
            return [f"has another {key} than a built notebook: {hint}"]
    stored, fresh = ([(cell.id, cell.source, cell.metadata) for cell in book.cells] for book in (notebook, expected))
    return [] if stored == fresh else [f"was edited by hand: change {lesson.path.name} instead, then {hint}"]


# ---- links and credits -----------------------------------------------------------------------------------


def broken_links(text: str, folder: Path, anchors: set[str]) -> list[str]:
    """Relative links in a Markdown text that lead nowhere, and linked pictures without alt text.

    folder: where relative links start. anchors: those of the page itself.
    """
    problems = []
    for target, words in links(text):
        if words is not None and not words.strip():
            problems.append(f"the picture {target} has no alt text")
        if re.match(r"[a-z][a-z0-9+.-]*:", target):  # http:, mailto:, data:, attachment:
            continue
        file, _, anchor = target.partition("#")
        path = folder / file
        if file and not path.exists():
            problems.append(f"the link {target} leads to no file")
        elif anchor and anchor not in (anchors_of(path) if file else anchors):
            problems.append(f"the link {target} leads to no heading")
    return problems


def anchors_of(path: Path) -> set[str]:
    """The anchors of a page: a Markdown file's as GitHub makes them, a notebook's as JupyterLab does."""
    if path.suffix == ".ipynb":
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        return notebook_anchors(
            "\n\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
        )
    return page_anchors(path.read_text(encoding="utf-8")) if path.suffix == ".md" else set()


def notebook_anchors(text: str) -> set[str]:
    return {heading.title.replace(" ", "-") for heading in headings(text)}


def page_anchors(text: str) -> set[str]:
    return {re.sub(r"[^\w\- ]", "", heading.title.lower()).replace(" ", "-") for heading in headings(text)}


def lesson_links(lesson: Lesson) -> list[str]:
    """Broken links of a lesson, as its notebook will have them, and of the instructor's page."""
    text = prose(read_notebook(lesson))
    problems = broken_links(text, paths.NOTEBOOKS, notebook_anchors(text))
    return problems + page_links(lesson.instructor_page) if lesson.instructor_page.exists() else problems


def page_links(page: Path) -> list[str]:
    """Broken links of a Markdown file."""
    text = page.read_text(encoding="utf-8")
    return [f"{page.name}: {problem}" for problem in broken_links(text, page.parent, page_anchors(text))]


def credited_files(credits: Path) -> set[str]:
    """The files, as paths below data/, that have a row in the table of credits."""
    with credits.open(encoding="utf-8", newline="") as file:
        return {row["file"] for row in csv.DictReader(file)}


def pictures_without_credit(lesson: Lesson, credited: set[str]) -> list[str]:
    """Photographs a lesson asks for by name, and pictures of data/ it links to, that have no row of credits."""
    notebook = read_notebook(lesson)
    names = {Path(file).stem for file in credited}
    code = "\n".join(cell.source for _, cell in code_cells(notebook))
    asked = re.findall(r"\bphotograph\(\s*['\"]([^'\"]+)['\"]", code)
    linked = [link.target for link in links(prose(notebook))]
    shown = [link.split("data/", 1)[1] for link in linked if link.startswith("../data/") and Path(link).suffix != ".md"]
    problems = [f"the photograph {name!r} is not in data/CREDITS.csv" for name in asked if name not in names]
    return problems + [f"data/{file} is not in data/CREDITS.csv" for file in shown if file not in credited]


# ---- the course as a whole -------------------------------------------------------------------------------


def lessons_without_notebook() -> list[str]:
    """Lessons and notebooks that have no partner, and two lessons of one number."""
    lessons = all_lessons()
    names, built = {lesson.name for lesson in lessons}, {path.stem for path in paths.NOTEBOOKS.glob("*.ipynb")}
    problems = [f"lessons/{name}.py has no notebook: run `course build {name[:2]}`" for name in sorted(names - built)]
    problems += [f"notebooks/{name}.ipynb has no lesson" for name in sorted(built - names)]
    numbers = [lesson.number for lesson in lessons]
    return problems + [
        f"two lessons have the number {number:02d}" for number in {n for n in numbers if numbers.count(n) > 1}
    ]
