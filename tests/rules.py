"""How a lesson is written: each rule takes a lesson's notebook (and the lesson) and returns the problems it finds."""

import ast
import re
import statistics
import symtable
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

from gates import code_cells, headings, prose
from nbformat import NotebookNode

from course_utils import paths
from course_utils.cli.lessons import FOLDED, Lesson, has_tag, read_notebook

LONGEST_CELL = 30  # lines
MEDIAN_CELL = 8  # lines that are not blank, of the cells in view
NOT_DRAWING = {"print", "measured", "fit", "compile", "predict", "sample", "load", "read_text"}
DEFINITIONS = (ast.FunctionDef, ast.ClassDef, ast.AsyncFunctionDef)
IMPORTS = (ast.Import, ast.ImportFrom)


def _parse(source: str) -> ast.Module:
    """A cell's code, without the lines that only IPython understands."""
    return ast.parse(re.sub(r"^\s*[%!].*$", "", source, flags=re.MULTILINE))


# ---- code ------------------------------------------------------------------------------------------------


def long_cells(lesson: Lesson, notebook: NotebookNode) -> list[str]:
    return [
        f"{where} has {length} lines, at most {LONGEST_CELL} fit the eye"
        for where, cell in code_cells(notebook)
        if (length := len(cell.source.splitlines())) > LONGEST_CELL
    ]


def long_median(lesson: Lesson, notebook: NotebookNode) -> list[str]:
    """What a reader sees: cells that only draw, and solutions, are folded away and do not count."""
    cells = [cell for _, cell in code_cells(notebook) if not has_tag(cell, *FOLDED)]
    median = statistics.median(sum(bool(line.strip()) for line in cell.source.splitlines()) for cell in cells)
    return [f"the median cell in view has {median:g} lines, at most {MEDIAN_CELL}"] if median > MEDIAN_CELL else []


def folded_cells_that_do_more_than_draw(lesson: Lesson, notebook: NotebookNode) -> list[str]:
    """A folded cell calls for a figure, and nothing that stands in view needs what it computes."""
    problems, folded_names = [], {}
    for where, cell in code_cells(notebook):
        nodes = list(ast.walk(_parse(cell.source)))
        names = {node.id for node in nodes if isinstance(node, ast.Name)}
        stored = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
        stored |= {node.name for node in nodes if isinstance(node, DEFINITIONS)}
        if has_tag(cell, "hide-input"):
            words = names | {node.attr for node in nodes if isinstance(node, ast.Attribute)}
            problems += [f"{where} is folded and does more than draw: {word}" for word in sorted(words & NOT_DRAWING)]
            if not words & {"figures", "show", "plt"}:
                problems.append(f"{where} is folded and draws nothing")
            folded_names |= dict.fromkeys(stored - _passing_names(nodes), where)
            continue
        needed = (names - stored) & folded_names.keys()
        problems += [f"{where} needs {name} of {folded_names[name]}, which is folded" for name in sorted(needed)]
        folded_names = {name: place for name, place in folded_names.items() if name not in stored}
    return problems


def _passing_names(nodes: list[ast.AST]) -> set[str]:
    """The names that a cell gives a value in comprehensions alone, which end with them."""
    targets = [node.target for node in nodes if isinstance(node, ast.comprehension)]
    inside = {id(part): part.id for target in targets for part in ast.walk(target) if isinstance(part, ast.Name)}
    stored = [node for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)]
    return set(inside.values()) - {node.id for node in stored if id(node) not in inside}


def names_defined_twice(lesson: Lesson, notebook: NotebookNode) -> list[str]:
    """Functions, classes and imports that two cells define, stubs, solutions and clinics aside."""
    problems, first = [], {}
    for where, cell in code_cells(notebook):
        if has_tag(cell, "exercise", "solution", "clinic"):
            continue
        for name in _defined_names(_parse(cell.source)):
            if name in first:
                problems.append(f"{where} defines {name} again, after {first[name]}")
            first.setdefault(name, where)
    return problems


def _defined_names(tree: ast.Module) -> Iterator[str]:
    for statement in tree.body:
        if isinstance(statement, DEFINITIONS):
            yield statement.name
        elif isinstance(statement, IMPORTS):
            yield from (alias.asname or alias.name for alias in statement.names)


def star_imports(lesson: Lesson, notebook: NotebookNode) -> list[str]:
    return [
        f"{where} imports * from {node.module}: name what is used"
        for where, cell in code_cells(notebook)
        for node in ast.walk(_parse(cell.source))
        if isinstance(node, ast.ImportFrom) and node.names[0].name == "*"
    ]


def misplaced_imports(lesson: Lesson, notebook: NotebookNode) -> list[str]:
    """The first code cell imports and does nothing else; no later one imports, clinics and solutions aside."""
    problems = []
    for number, (where, cell) in enumerate(code_cells(notebook)):
        tree = _parse(cell.source)
        if number == 0 and not all(isinstance(statement, IMPORTS) for statement in tree.body):
            problems.append(f"{where} is the first and does more than import")
        if number > 0 and not has_tag(cell, "clinic", "solution"):
            late = any(isinstance(node, IMPORTS) for node in ast.walk(tree))
            problems += [f"{where} imports: that belongs into the first code cell"] * late
    return problems


def globals_read(lesson: Lesson, notebook: NotebookNode) -> list[str]:
    """Functions that read a variable of the notebook: what they return then depends on the cells run before.

    Imports, functions, classes and CONSTANTS may be read. Lambdas and comprehensions stand in the open and may
    read what their line may read.
    """
    code = "\n".join(ast.unparse(_parse(cell.source)) for _, cell in code_cells(notebook))
    module = symtable.symtable(code, lesson.path.name, "exec")
    variables = {
        symbol.get_name()
        for symbol in module.get_symbols()
        if symbol.is_assigned() and not (symbol.is_imported() or symbol.is_namespace() or symbol.get_name().isupper())
    }
    problems = []
    for function in _functions(module):
        read = sorted(_global_names(function) & variables)
        if read:
            problems.append(f"{function.get_name()} reads {', '.join(read)} from outside: make it a parameter")
    return problems


def _functions(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    """The named functions and methods of a module, not those inside other functions."""
    for child in table.get_children():
        if child.get_type() == "class":
            yield from _functions(child)
        elif child.get_type() == "function" and child.get_name().isidentifier() and child.get_name() not in UNNAMED:
            yield child


UNNAMED = {"lambda", "listcomp", "setcomp", "dictcomp", "genexpr"}


def _global_names(table: symtable.SymbolTable) -> set[str]:
    names = {symbol.get_name() for symbol in table.get_symbols() if symbol.is_global() and symbol.is_referenced()}
    return names.union(*(_global_names(child) for child in table.get_children()))


def exercises_used_later(lesson: Lesson, notebook: NotebookNode) -> list[str]:
    """Cells that need the student's answer: the lesson must go on without it."""
    answers = {
        name
        for _, cell in code_cells(notebook)
        if has_tag(cell, "exercise")
        for name in _defined_names(_parse(cell.source))
    }
    return [
        f"{where} uses {node.id}, which an exercise defines"
        for where, cell in code_cells(notebook)
        if not has_tag(cell, "exercise", "solution") and not _checked(cell)
        for node in ast.walk(_parse(cell.source))
        if isinstance(node, ast.Name) and node.id in answers
    ]


# ---- parts -----------------------------------------------------------------------------------------------


def missing_parts(lesson: Lesson, notebook: NotebookNode) -> list[str]:
    """The title, the clinic (from lesson 01 on), the closing sections and the instructor's page."""
    problems, text = [], prose(notebook)
    title = f"# {lesson.number:02d} · "
    if notebook.cells[0].cell_type != "markdown" or not notebook.cells[0].source.startswith(title):
        problems.append(f"the first cell is not a title that starts {title!r}")
    sections = ["Summary", "Glossary", "What to read next"]
    problems += [f"there is no section '## {name}'" for name in sections if _section(text, name) is None]
    if not re.search(r"[\u4e00-\u9fff]", _section(text, "Glossary") or ""):
        problems.append("the glossary gives no Chinese terms")
    clinic = _section(text, "Clinic") is not None and any(has_tag(cell, "clinic") for cell in notebook.cells)
    if lesson.number > 0 and not clinic:
        problems.append("there is no section '## Clinic' with cells tagged clinic")
    if not lesson.instructor_page.exists():
        problems.append(f"the instructor's page {lesson.instructor_page.name} is missing")
    return problems


def hours_that_do_not_run(lesson: Lesson, notebook: NotebookNode) -> list[str]:
    """The route for an hour on the instructor's page needs a name that a section left out would define.

    The page names the sections to be run: "**Cells of the hour**: 1, 2, 4, clinic." What stands before the first
    section is always run, and exercises are never waited for.
    """
    if lesson.number == 0 or not lesson.instructor_page.exists():
        return []
    page = lesson.instructor_page.read_text(encoding="utf-8")
    route = re.search(r"\*\*Cells of the hour\*\*: (.+?)\.", page)
    if route is None:
        return ["the instructor's page names no '**Cells of the hour**: 1, 2, …, clinic.'"]
    chosen, known = {"opening", *route[1].split(", ")}, set()
    sections = list(_sections(notebook))
    problems = [
        f"the hour has a section {name!r} that there is not" for name in sorted(chosen - {s for s, _ in sections})
    ]
    left_out = {}
    for section, cell in sections:
        needed, stored = _names(cell.source)
        if section in chosen:
            known |= stored
            for name in sorted((needed & left_out.keys()) - known):
                problems.append(f"section {section} of the hour needs {name} of section {left_out[name]}, left out")
                known.add(name)  # said once
        else:
            left_out |= dict.fromkeys(stored, section)
    return problems


def _sections(notebook: NotebookNode) -> Iterator[tuple[str, NotebookNode]]:
    """Each code cell with the number of its section, "clinic", "opening", or the first word of another heading."""
    section = "opening"
    for cell in notebook.cells:
        if cell.cell_type == "code":
            yield section, cell
            continue
        for heading in headings(cell.source):
            if heading.level == 2:
                section = re.match(r"\d+|\w+", heading.title)[0].lower()


def _names(source: str) -> tuple[set[str], set[str]]:
    """The names of the notebook that a cell reads, those in its functions too, and those that it gives a value."""
    module = symtable.symtable(ast.unparse(_parse(source)), "cell", "exec")
    symbols = module.get_symbols()
    needed = {symbol.get_name() for symbol in symbols if symbol.is_referenced()}
    stored = {symbol.get_name() for symbol in symbols if symbol.is_assigned() or symbol.is_imported()}
    return needed.union(*map(_global_names, module.get_children())), stored


def _section(text: str, name: str) -> str | None:
    """The text under a second-level heading that starts with the name, a number before it aside."""
    start, lines = None, text.split("\n")
    for heading in headings(text):
        if start is not None and heading.level <= 2:
            return "\n".join(lines[start : heading.start])
        if heading.level == 2 and re.match(rf"(?:\d+ · )?{name}\b", heading.title):
            start = heading.end
    return None if start is None else "\n".join(lines[start:])


def incomplete_exercises(lesson: Lesson, notebook: NotebookNode) -> list[str]:
    """Exercises that are not a heading with stars, a stub that raises, its check and a solution; or too few of them."""
    cells = [cell for _, cell in code_cells(notebook)]
    titles = [heading.title for heading in headings(prose(notebook))]
    problems, complete = [], []
    for position, stub in enumerate(cells):
        if not has_tag(stub, "exercise"):
            continue
        check, solution = (cells[position + 1 : position + 3] + [None, None])[:2]
        name = _checked(check)
        label = f"exercise {len(complete) + len(problems) + 1}"
        heading = (name or "").upper().replace("_", ".")
        if name is None or has_tag(check, "solution", "exercise"):
            problems.append(f"{label}: the cell after its stub does not check it")
        elif solution is None or not has_tag(solution, "solution") or _checked(solution) != name:
            problems.append(f"{label}: its check is not followed by a solution that is checked as well")
        elif f'NotImplementedError("{heading}: ' not in stub.source:
            problems.append(f'{label}: its stub does not raise NotImplementedError("{heading}: …")')
        elif not any(re.match(rf"{heading} ★{{1,3}} ", title) for title in titles):
            problems.append(f"{label}: no heading '### {heading} ★ …' announces {name}")
        else:
            complete.append(name)
    needed = 2 if lesson.number == 0 else 4
    if len(complete) < needed:
        problems.append(f"there are {len(complete)} complete exercises, at least {needed} are needed")
    return problems


def _checked(cell: NotebookNode | None) -> str | None:
    """The check a cell calls: `e2_1` for `check.e2_1(answer)`."""
    found = re.search(r"\bcheck\.(e\d+_\d+)\(", cell.source) if cell else None
    return found[1] if found else None


def full_training_on(lesson: Lesson, notebook: NotebookNode) -> list[str]:
    """ "Run All" never starts hours of work."""
    return [
        f"{where} sets TRAIN_FULL = True"
        for where, cell in code_cells(notebook)
        if re.search(r"^TRAIN_FULL\s*=\s*True", cell.source, re.MULTILINE)
    ]


LESSON_RULES = (
    long_cells,
    long_median,
    folded_cells_that_do_more_than_draw,
    names_defined_twice,
    star_imports,
    misplaced_imports,
    globals_read,
    exercises_used_later,
    missing_parts,
    hours_that_do_not_run,
    incomplete_exercises,
    full_training_on,
)


# ---- across lessons --------------------------------------------------------------------------------------


def copied_definitions(lessons: Iterable[Lesson]) -> list[str]:
    """Functions and classes that stand word for word in two lessons, or in a lesson and the package."""
    places = defaultdict(list)
    for module in sorted((paths.ROOT / "course_utils").rglob("*.py")):
        _note_definitions(places, _parse(module.read_text(encoding="utf-8")), _module_name(module))
    for lesson in lessons:
        for _, cell in code_cells(read_notebook(lesson)):
            if not has_tag(cell, "exercise", "solution", "clinic"):
                _note_definitions(places, _parse(cell.source), lesson.name)
    return [
        f"{name} stands in {' and in '.join(dict.fromkeys(found))}: define it once and import it"
        for (name, _), found in places.items()
        if len(set(found)) > 1 and any(place[0].isdigit() for place in found)
    ]


def _note_definitions(places: dict[tuple[str, str], list[str]], tree: ast.Module, place: str) -> None:
    for node in tree.body:
        if isinstance(node, DEFINITIONS):
            places[node.name, ast.dump(node)].append(place)


def _module_name(path: Path) -> str:
    return ".".join(path.relative_to(paths.ROOT).with_suffix("").parts)
