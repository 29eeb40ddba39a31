import pytest

from course_utils import profiles


def test_lesson_is_the_default(monkeypatch):
    monkeypatch.delenv("COURSE_PROFILE", raising=False)
    assert profiles.chosen() == profiles.known(None) == "lesson"
    assert not profiles.smoke()


def test_the_environment_chooses_where_none_is_named(monkeypatch):
    monkeypatch.setenv("COURSE_PROFILE", "smoke")
    assert profiles.known(None) == "smoke" and profiles.smoke()
    assert profiles.known("full") == "full"


def test_unknown_names_are_refused(monkeypatch):
    with pytest.raises(ValueError, match="profile must be one of 'smoke', 'lesson', 'full', got 'large'"):
        profiles.known("large")
    monkeypatch.setenv("COURSE_PROFILE", "Full")
    for look in (profiles.chosen, profiles.smoke, lambda: profiles.known(None)):
        with pytest.raises(ValueError, match="COURSE_PROFILE must be one of 'smoke', 'lesson', 'full', got 'Full'"):
            look()
