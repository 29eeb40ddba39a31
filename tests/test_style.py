"""The house style, as ruff checks it: `ruff check` and `ruff format` over the whole tree."""

import subprocess
import sys

import pytest

from course_utils.paths import ROOT


@pytest.mark.parametrize("command", [["check"], ["format", "--check"]], ids=" ".join)
def test_ruff(command):
    outcome = subprocess.run(
        [sys.executable, "-m", "ruff", *command, "."], cwd=ROOT, capture_output=True, text=True, encoding="utf-8"
    )
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
