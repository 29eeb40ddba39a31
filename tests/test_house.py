"""The rooms of the course: which module may import which."""

import ast

import pytest

from course_utils import paths

# Data flows one way; a module imports nothing of a room to its right, nor of another in its own but for one package.
ROOMS = (
    {"paths", "machine", "profiles", "pixel_range"},
    {"report", "image_files", "data_files", "run_lock"},
    {"data", "degrade"},
    {"classical"},
    {"models"},
    {"tiling", "training"},
    {"metrics"},
    {"scoring"},
    {"recipes"},
    {"figures"},
    {"before_after", "gan_doctor", "landscape", "panels", "checks"},
    {"cli"},
)
FILES = sorted(
    file
    for file in (paths.ROOT / "course_utils").rglob("*.py")
    if file.parent.name != "course_utils" or file.stem != "__init__"
)


def rooms(module: str) -> tuple[int, str]:
    """The number of the room that a module of the course is in, and the name of its package or file there."""
    name = module.split(".")[1]
    (number,) = [number for number, room in enumerate(ROOMS) if name in room]
    return number, name


def imported(tree: ast.Module) -> list[str]:
    """The modules of the course that a file imports as it is imported itself."""
    found = []
    for node in tree.body:
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module == "course_utils":
            found += [f"course_utils.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found.append(node.module)
    return [name for name in found if name.startswith("course_utils.")]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.relative_to(paths.ROOT / "course_utils").as_posix())
def test_no_module_imports_one_to_its_right(file):
    module = ".".join(file.relative_to(paths.ROOT).with_suffix("").parts)
    number, name = rooms(module)
    for other in imported(ast.parse(file.read_text(encoding="utf-8"))):
        other_number, other_name = rooms(other)
        assert other_number < number or other_name == name, f"{module} imports {other}"


def test_models_and_training_know_no_lesson():
    """No numbers of a lesson, no recipe: `models.load` alone asks for one by its name, once it is called."""
    for file in FILES:
        if file.parent.name in ("models", "training"):
            names = imported(ast.parse(file.read_text(encoding="utf-8")))
            assert not any(name.split(".")[1] in ("recipes", "checks", "metrics") for name in names), file
