"""Super-resolution of photographs to four times their size (lesson 11).

As `sr_x2`, whose first kernels see as many small pixels; all but the length of training is the same.
"""

from dataclasses import replace
from functools import partial

from course_utils.recipes import _enlargers, _restorers, sr_x2

SCALE = 4
PROTOCOLS = ("sr_x4",)

Numbers = _enlargers.Numbers
LESSON = replace(sr_x2.LESSON, epochs=14)  # a patch has four times the large pixels, so that there are fewer of them
FULL = replace(sr_x2.FULL, epochs=40)

data = partial(_enlargers.examples, SCALE)
build = partial(_enlargers.build, scale=SCALE)
compile = _enlargers.compile
preview = partial(_restorers.enlarged_sheet, scale=SCALE)
evaluate = partial(_restorers.scores, protocols=PROTOCOLS)
