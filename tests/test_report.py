"""Numbers are printed in the two forms the notebook tests know."""

import pytest

from course_utils.report import approx, measured


def test_approx_marks_the_number():
    assert approx(0.92345) == "≈0.923"
    assert approx(-12.5, 0) == "≈-12"
    assert approx(float("nan")) == "≈nan"
    assert approx("Shirt") == '≈"Shirt"'


@pytest.mark.parametrize(
    ("value", "bands", "printed"),
    [
        (0.9234, {"at_least": 0.915}, "accuracy ≈0.923, at least 0.915: yes\n"),
        (0.9, {"at_least": 0.915}, "accuracy ≈0.900, at least 0.915: no\n"),
        (2.0, {"at_most": 2.0, "unit": "s", "digits": 1}, "accuracy ≈2.0 s, at most 2.0 s: yes\n"),
        (0.5, {"at_least": 0.4, "at_most": 0.45}, "accuracy ≈0.500, at least 0.400 and at most 0.450: no\n"),
        (float("nan"), {"at_least": 0.0}, "accuracy ≈nan, at least 0.000: no\n"),
    ],
)
def test_measured_prints_the_band_and_the_verdict(capsys, value, bands, printed):
    measured("accuracy", value, **bands)
    assert capsys.readouterr().out == printed


def test_a_number_without_a_band_is_refused():
    with pytest.raises(ValueError, match="at_least or at_most"):
        measured("accuracy", 0.9)


def test_at_smoke_length_a_band_is_not_judged(capsys, monkeypatch):
    monkeypatch.setenv("COURSE_PROFILE", "smoke")
    measured("accuracy", 0.1, at_least=0.9)
    assert capsys.readouterr().out == "accuracy ≈0.100, at least 0.900: untrained\n"
