"""The notebook tests skip what may differ between machines, and nothing else."""

import re
import subprocess
import sys

import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output
from nbval.plugin import get_sanitize_patterns

from course_utils.cli import execute, kernel, testing
from course_utils.cli.lessons import write_notebook
from course_utils.paths import ROOT

CONFIGURATION = (ROOT / "tests" / "nbval_sanitize.cfg").read_text(encoding="ascii")
SMOKE = (ROOT / "tests" / "nbval_sanitize_smoke.cfg").read_text(encoding="ascii") + CONFIGURATION
BARS = """
import time
from tqdm import tqdm
from tqdm.auto import tqdm as bar
for _ in bar(range(3), desc="training"):
    time.sleep(0.1)
for _ in tqdm(range(3), desc="training"):
    time.sleep(0.1)
"""
WIDGETS = """
import io, random, ipywidgets
from PIL import Image
file = io.BytesIO()
Image.new("L", (2, 2), random.randrange(256)).save(file, "png")
picture = ipywidgets.Image(value=file.getvalue())
display(picture)
ipywidgets.VBox([ipywidgets.FloatSlider(random.random()), picture])
"""


def sanitised(text: str, configuration: str = CONFIGURATION) -> str:
    for pattern, replacement in get_sanitize_patterns(configuration):
        text = re.sub(pattern, replacement, text)
    return text


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("loss ≈0.412, at most 0.500: yes", "loss ≈0.398, at most 0.500: yes"),
        ("loss ≈-0.412", "loss ≈0.398"),
        ("rate ≈1.2e-05 a step", "rate ≈9.87e-06 a step"),
        ("≈1,234 images a second", "≈987 images a second"),
        ("| ≈9.5   | gan |", "| ≈10.25 | gan |"),
        ("time      ≈9.5", "time     ≈10.5"),
        ('worst ≈"Shirt", ≈0.4', 'worst ≈"Ankle boot", ≈0.5'),
        ("stopped after ≈22 of 30 epochs, ≈440 steps", "stopped after ≈9 of 30 epochs, ≈180 steps"),
        ("<td>≈9.5</td>", "<td>≈10.5</td>"),
        ('<img alt="A cat." src="data:image/png;base64,iVB=">', '<img alt="A cat." src="data:image/png;base64,A/b+9">'),
        ("train: 100%|████| 5/5 [00:03<00:00,  1.60it/s]", "train: 100%|████| 5/5 [00:12<00:00,  2.51s/it, loss=0.4]"),
        ("train: 12it [00:03,  1.60it/s]", "train: 12it [00:09,  1.00it/s]"),
        ("HBox(children=(FloatSlider(value=-0.41, description='z4'…", "HBox(children=(FloatSlider(value=0.5, descr…"),
        ("<object at 0x7fdecacc73a0>", "<object at 0x104c2b7d0>"),
        ("<Figure size 640x480 with 1 Axes>", "<Figure size 1280x960 with 1 Axes>"),
    ],
)  # fmt: skip
def test_what_may_differ(one, other):
    assert sanitised(one) == sanitised(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("accuracy 0.412", "accuracy 0.398"),
        ("loss ≈0.412, at most 0.500: yes", "loss ≈0.512, at most 0.500: no"),
        ("loss ≈0.412", "loss ≈nan"),
        ("loss ≈0.412 of 10 pictures", "loss ≈0.412 of 11 pictures"),
        ("≈0.5, 12 epochs", "≈0.5, 13 epochs"),
        ("loss ≈0.412\naccuracy 0.9", "loss ≈0.412\naccuracy 0.8"),
        ('<img alt="A cat." src="data:image/png;base64,AA==">', '<img alt="A dog." src="data:image/png;base64,AA==">'),
        ("train: 100%|████| 5/5 [00:03<00:00,  1.60it/s]", "validate: 100%|████| 5/5 [00:03<00:00,  1.60it/s]"),
        ("HBox(children=(FloatSlider(value=0.5…\nloss 0.4", "HBox(children=(FloatSlider(value=0.5…\nloss 0.3"),
        ("the mask 0xff", "the mask 0x0f"),
        ("shape (28, 28, 1)", "shape (28, 28, 3)"),
        ("E2.1 passed.", "E2.1 not attempted yet"),
    ],
)
def test_what_must_agree(one, other):
    assert sanitised(one) != sanitised(other)


TRAINED = "30 epochs, 2400 steps in ≈9 s: loss ≈0.4"
BANDS = "accuracy ≈0.91, at least 0.90: yes\ndistance ≈5.1 s, at least 4.0 and at most 6.0 s: yes"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (TRAINED, "30 epochs, 60 steps in ≈1 s: loss ≈2.3"),
        (TRAINED, "stopped after ≈8 of 30 epochs, ≈16 steps in ≈1 s: loss ≈2.3"),
        ("stopped after ≈22 of 30 epochs, ≈440 steps in ≈9 s: loss ≈0.4", "30 epochs, 60 steps in ≈1 s: loss ≈2.3"),
        (BANDS, BANDS.replace("yes", "untrained").replace("0.91", "0.10")),
    ],
)
def test_what_may_differ_at_smoke_length_alone(one, other):
    assert sanitised(one, SMOKE) == sanitised(other, SMOKE)
    assert sanitised(one) != sanitised(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (TRAINED, "31 epochs, 60 steps in ≈1 s: loss ≈2.3"),
        (TRAINED, "30 epochs, 60 steps in ≈1 s: accuracy ≈2.3"),
        (BANDS, BANDS.replace("at least 0.90", "at least 0.80")),
        (BANDS, BANDS.splitlines()[0]),
        ("E5.1 passed", "E5.1 not attempted yet"),
        ("agrees with Keras: yes", "agrees with Keras: no"),
    ],
)
def test_what_must_agree_at_smoke_length_too(one, other):
    assert sanitised(one, SMOKE) != sanitised(other, SMOKE)


def compare_with_fresh_run(notebook, folder) -> str:
    """Put a stored notebook through the notebook tests; return what pytest says last."""
    write_notebook(notebook, folder / "stored.ipynb")
    command = [sys.executable, "-m", "pytest", "--color=no", "-p", "no:cacheprovider", "--rootdir", str(folder)]
    with testing.notebook_options("lesson") as options:
        outcome = subprocess.run(
            [*command, *options, "stored.ipynb"],
            cwd=folder,
            env=kernel.environment(),
            capture_output=True,
            text=True,
            encoding="utf-8",
        )
    return outcome.stdout.strip().splitlines()[-1]


def printing(code: str, text: str):
    return new_code_cell(code, execution_count=1, outputs=[new_output("stream", name="stdout", text=text)])


def test_a_measured_number_may_differ_and_a_bare_one_fails(tmp_path):
    stored = [printing("print('loss ≈0.412')", "loss ≈0.398\n"), printing("print('loss 0.412')", "loss 0.398\n")]
    assert re.search(r"\b1 failed, 1 passed\b", compare_with_fresh_run(new_notebook(cells=stored), tmp_path))


def test_bars_and_widgets_survive_the_comparison(tmp_path):
    notebook = new_notebook(cells=[new_code_cell(source.strip()) for source in (BARS, WIDGETS)])
    execute.execute(notebook, "bars", tmp_path)
    assert all(cell.outputs for cell in notebook.cells)
    assert re.search(r"\b2 passed\b", compare_with_fresh_run(notebook, tmp_path))
