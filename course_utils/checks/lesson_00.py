"""Checks for lesson 00, start here."""

import numpy as np

from course_utils.checks import Attempt, exercise

_PICTURES = [(2, 2), (3, 4), (4, 3, 3), (1, 1), (5, 2, 3)]


def _picture(shape: tuple[int, ...]) -> np.ndarray:
    return np.random.default_rng(len(shape) * 10 + shape[0]).random(shape).round(2)


@exercise("E0.1")
def e0_1(attempt: Attempt) -> None:
    """`negative(picture)`: compared with subtracting pixel by pixel, and applied twice."""
    attempt.compare(
        (np.array([[0.0, 1.0]]),), np.array([[1.0, 0.0]]), _HINT_NEGATIVE, mistakes=_mistakes(np.eye(2)[:1])
    )
    for shape in _PICTURES:
        picture = _picture(shape)
        expected = np.array([1 - value for value in picture.flat]).reshape(shape)
        attempt.compare((picture,), expected, _HINT_NEGATIVE, mistakes=_mistakes(expected))


_HINT_NEGATIVE = "White, 1, should become black, 0; black should become white; and mid-grey, 0.5, should stay."


def _mistakes(negative: np.ndarray) -> dict[str, np.ndarray]:
    """What likely mistakes make of the picture whose negative this is."""
    picture = 1 - negative
    return {
        "Pixels run from 0 to 1 in this course, not from 0 to 255.": 255 - picture,
        "Negative numbers are no brightness: 0 is black and 1 is white, and the result should lie between.": -picture,
        "One was subtracted the wrong way round.": picture - 1,
        "The picture came back unchanged.": picture,
        "Subtract from 1, which is white, and not from the brightest pixel of this picture.": picture.max() - picture,
        "These are bytes: the result should be numbers from 0 to 1, as the picture was.": np.round(255 * negative),
        "Whole numbers have no greys between black and white: leave the dtype as it was.": np.floor(negative),
        "Every pixel became 0 or 1; the greys in between should be swapped as well.": (picture < 0.5).astype(float),
    }


@exercise("E0.2")
def e0_2(attempt: Attempt) -> None:
    """`mirror(picture)`: compared with NumPy's own, on grey and colour."""
    for shape in [(2, 3), *_PICTURES]:
        picture = _picture(shape)
        mistakes = {
            "Top and bottom are swapped: rows come first, columns second.": np.flipud(picture),
            "Turned upside down as well: only the columns should be reversed.": picture[::-1, ::-1],
            "The picture came back unchanged.": picture,
            "Rows and columns are exchanged: that is a mirror on the diagonal.": np.swapaxes(picture, 0, 1),
            "Red and blue are exchanged: the last axis of a colour picture holds its colours.": picture[..., ::-1],
            "The columns moved round by one; they should be reversed.": np.roll(picture, 1, axis=1),
        }
        hint = "The first column of the result should be the last of the picture."
        errors = {
            IndexError: "A grey picture has two axes, rows and columns: reverse the second, whatever comes after."
        }
        attempt.compare((picture,), np.fliplr(picture), hint, mistakes=mistakes, errors=errors)
