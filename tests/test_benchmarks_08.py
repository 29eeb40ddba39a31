"""The ward of lesson 08: the first steps of its runs again, and what the lesson reads from its files."""

import json

import keras
import pytest
from fixtures import scripts

from course_utils import gan_doctor, paths
from course_utils.checks import lesson_08 as check

FILE = paths.BENCHMARKS / "08_ward.json"
TABLE = json.loads(FILE.read_text())
RECORDS = gan_doctor.read_records(FILE)


@pytest.fixture(scope="module")
def ward():
    return scripts.load("08_ward")


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


@pytest.mark.filterwarnings("ignore:Gradients do not exist")  # the illness of one of them
@pytest.mark.parametrize("name", TABLE["runs"])
def test_the_first_steps_of_a_recorded_run_come_out_again(ward, name):
    scripts.assert_same_steps(ward.first_steps(ward.KEY[name]), TABLE["runs"][name]["first_steps"])
    keras.backend.clear_session()


def test_the_exercise_and_the_script_agree_on_who_has_what(ward):
    diagnosis = {run: illness for run, illness in ward.KEY.items() if illness}
    assert set(diagnosis.values()) == set(check.ILLNESSES)
    assert check.e8_7.verdict(lambda: diagnosis).status == "passed"
