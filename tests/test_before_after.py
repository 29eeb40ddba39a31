"""The slider between two pictures."""

import io

import numpy as np
import pytest
from PIL import Image

from course_utils import before_after


def two():
    return np.zeros((4, 10, 3), np.float32), np.full((4, 10, 1), 0.5, np.float32)


@pytest.mark.parametrize(("share", "line"), [(0, 0), (0.5, 5), (1, 9)])
def test_before_lies_left_of_the_line_and_after_right_of_it(share, line):
    both = before_after.split(*two(), share)
    assert both.shape == (4, 10, 3) and both.dtype == np.float32
    assert (both[:, : max(0, line - 1)] == 0).all() and (both[:, line + 1 :] == 0.5).all()
    assert (both[:, line] == 1).all()


def test_what_leaves_the_range_is_clipped():
    before, after = two()
    both = before_after.split(before - 1, after + 1, 0.5)
    assert both.min() == 0 and both.max() == 1


def test_the_slider_shows_what_split_makes():
    widget = before_after.slider(*two())
    share, image = widget.children
    for value in (0.5, 0.2):
        share.value = value
        shown = np.asarray(Image.open(io.BytesIO(image.value)).convert("RGB")) / 255
        np.testing.assert_allclose(shown, before_after.split(*two(), value), atol=0.01)


def test_pictures_of_two_sizes_and_other_shares_are_refused():
    before, after = two()
    with pytest.raises(ValueError, match=r"one size, got \(4, 10, 3\) and \(4, 9, 1\)"):
        before_after.split(before, after[:, :9], 0.5)
    with pytest.raises(ValueError, match="share must be from 0 to 1, got 2"):
        before_after.split(before, after, 2)
