from dataclasses import FrozenInstanceError, fields

import pytest

from course_utils import profiles


def test_lesson_is_the_default(monkeypatch):
    monkeypatch.delenv("COURSE_PROFILE", raising=False)
    assert profiles.chosen() == "lesson"
    assert profiles.lesson_05() == profiles.lesson_05("lesson") == profiles.Lesson05()


def test_the_environment_chooses(monkeypatch):
    monkeypatch.setenv("COURSE_PROFILE", "full")
    assert profiles.lesson_05() == profiles.lesson_05("full")
    assert profiles.lesson_05("lesson") != profiles.lesson_05()


def test_unknown_names_are_refused(monkeypatch):
    with pytest.raises(ValueError, match="profile must be one of 'smoke', 'lesson', 'full', got 'large'"):
        profiles.lesson_05("large")
    monkeypatch.setenv("COURSE_PROFILE", "Full")
    with pytest.raises(ValueError, match="COURSE_PROFILE must be one of 'smoke', 'lesson', 'full', got 'Full'"):
        profiles.lesson_05()


def test_full_trains_longer_and_nothing_can_be_changed_by_accident():
    lesson, full = profiles.lesson_05("lesson"), profiles.lesson_05("full")
    assert full.epochs > lesson.epochs
    with pytest.raises(FrozenInstanceError):
        lesson.epochs = 1
    assert all(isinstance(getattr(lesson, field.name), int | float) for field in fields(lesson))


def test_smoke_has_the_numbers_of_the_lesson(monkeypatch):
    assert not profiles.smoke()
    monkeypatch.setenv("COURSE_PROFILE", "smoke")
    assert profiles.smoke()
    assert profiles.lesson_05() == profiles.lesson_05("lesson")
