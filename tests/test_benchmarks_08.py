"""The ward of lesson 08: the first steps of two of its runs again, and what the lesson reads from its files."""

import importlib.util
import json
import sys

import numpy as np
import pytest

from course_utils import doctor, paths

FILE = paths.BENCHMARKS / "08_ward.json"
TABLE = json.loads(FILE.read_text())
RECORDS = doctor.read_records(FILE)


@pytest.fixture(scope="module")
def ward():
    sys.path.insert(0, str(paths.BENCHMARKS))  # as for a script: it imports what stands beside it
    spec = importlib.util.spec_from_file_location("ward", paths.BENCHMARKS / "08_ward.py")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(paths.BENCHMARKS))
    return module


def test_the_file_holds_every_run_and_says_how_it_was_made(ward):
    assert list(TABLE["runs"]) == list(ward.KEY)
    assert TABLE["command"] == "python benchmarks/08_ward.py"
    assert {"device", "keras", "date"} <= set(TABLE)
    assert {"seed": ward.SEED, "steps": ward.STEPS, "batch_size": ward.BATCH_SIZE}.items() <= TABLE.items()
    for record in RECORDS.values():
        assert [look.step for look in record.looks] == [1, *range(ward.EVERY, ward.STEPS + 1, ward.EVERY)]


def test_neither_names_nor_numbers_give_an_illness_away(ward):
    text = FILE.read_text()
    assert not [illness for illness in ward.KEY.values() if illness and illness in text]


@pytest.mark.parametrize("name", ["B", "F"])
def test_the_first_steps_of_a_recorded_run_come_out_again(ward, name):
    recorded = TABLE["runs"][name]["first_losses"]
    assert len(recorded) == 3
    np.testing.assert_allclose(ward.first_losses(ward.KEY[name], 3), recorded, rtol=1e-3)
