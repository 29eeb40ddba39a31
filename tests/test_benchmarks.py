"""The recorded runs: the first steps of each again, and what the lesson reads from the files."""

import json

import numpy as np
import pytest
from fixtures import scripts

from course_utils import paths

runs = scripts.load("05_runs")
RECORDED = {
    (kind, name): entry
    for kind in runs.settings()
    if (paths.BENCHMARKS / f"05_{kind}.json").exists()
    for name, entry in json.loads((paths.BENCHMARKS / f"05_{kind}.json").read_text())["runs"].items()
}


def test_the_files_hold_every_run_of_the_script():
    expected = {(kind, name) for kind, entries in runs.settings().items() for name in entries}
    assert set(RECORDED) == expected


@pytest.mark.parametrize(("kind", "name"), RECORDED)
def test_the_first_steps_of_a_recorded_run_come_out_again(kind, name):
    entry = RECORDED[kind, name]
    assert entry["settings"] == runs.settings()[kind][name]  # the script has not moved on from its results
    recorded = entry["seeds"]["0"]["first_losses"]
    assert len(recorded) == 3
    np.testing.assert_allclose(runs.first_losses(entry["settings"], 0, 3), recorded, rtol=1e-3)


@pytest.mark.parametrize("kind", runs.settings())
def test_each_file_says_how_it_was_made(kind):
    table = json.loads((paths.BENCHMARKS / f"05_{kind}.json").read_text())
    assert table["command"] == f"python benchmarks/05_runs.py {kind}"
    assert {"device", "keras", "date"} <= set(table)
    for entry in table["runs"].values():
        epochs = entry["settings"]["epochs"]
        for seed in entry["seeds"].values():
            assert len(seed["val_accuracy"]) == len(seed["processor_seconds"]) == epochs
            assert seed["processor_seconds"] == sorted(seed["processor_seconds"])
