"""Photographs painted in the style of van Gogh's "The church at Auvers" in one pass (lesson 14)."""

from functools import partial

from course_utils.recipes import _style_fast

painting = partial(_style_fast.painting, "church_at_auvers")

Numbers, LESSON, FULL = _style_fast.Numbers, _style_fast.LESSON, _style_fast.FULL
data = _style_fast.data
build = _style_fast.build
compile = partial(_style_fast.compile, painting)
preview = _style_fast.preview
evaluate = partial(_style_fast.evaluate, painting)
