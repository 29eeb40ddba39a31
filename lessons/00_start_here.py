# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 00 · Start here
#
# **What will we make in this course, how does a lesson work, and is this machine ready for it?**
#
# Picture Machines goes from one pixel to networks that invent, repair and restyle pictures. You build every
# idea once with your own hands, on real data that lies beside the lessons, and you need no internet and no
# graphics card.
#
# - **You will be able to** find your way through a lesson, have an exercise checked, and know what to expect
#   of this machine.
# - **You need** Python: functions, loops, lists. NumPy is explained where it is used.
# - **Time**: about 20 minutes; the cells together run in well under a minute.
#
# A lesson is a page of text and **cells** of code. Click into the cell below and press **Shift+Enter**: it
# runs, its output appears under it, and the next cell is selected. Run the cells of a lesson from top to
# bottom.

# %%
import numpy as np
import scipy.ndimage
import skimage.measure

from course_utils import data, figures, models
from course_utils.checks import lesson_00 as check
from course_utils.cli import doctor
from course_utils.report import approx

# %% [markdown]
# ## 1 · What will we make?
#
# The number in front of each cell shows the order in which cells ran; a star means *running*. This one takes
# a photograph that ships with the course through the first lessons.

# %%
photo = data.photograph("kingfisher")
grey = photo.mean(axis=-1)  # average of red, green and blue: (height, width, 3) -> (height, width)
edges = np.hypot(scipy.ndimage.sobel(grey, axis=0), scipy.ndimage.sobel(grey, axis=1))
relief = scipy.ndimage.correlate(grey, np.array([[-2, -1, 0], [-1, 1, 1], [0, 1, 2]]))
pooled = skimage.measure.block_reduce(photo, (12, 12, 1), np.max)
print("photograph", photo.shape, "pooled", pooled.shape)

# %%
figures.images(
    [photo, edges, relief, pooled],
    ["a photograph", "01: its edges", "02: a relief, by convolution", "03: pooled to few pixels"],
    size=3,
    alt="A kingfisher on a branch as a photograph, as bright edges on black, as a grey"
    " relief, and as a mosaic of coarse squares.",
)

# %% [markdown]
# Lesson 05 trains a network that sorts pictures of clothes into ten kinds. A trained one comes with the
# course. Here it looks at pictures it has never seen:

# %%
network = models.load("fashion_mnist_classifier")
clothes, labels = data.fashion_mnist("test")
scores = network.predict(clothes[:500], verbose=0)  # (500, 28, 28, 1) -> (500, 10)
answers = scores.argmax(axis=1)
print("share of right answers", approx(np.mean(answers == labels[:500]), 2))

# %%
shown = [int(np.flatnonzero(labels == kind)[0]) for kind in range(10)]
figures.images(
    clothes[shown],
    [data.FASHION_MNIST_NAMES[answers[index]] for index in shown],
    columns=5,
    alt="Ten small grey pictures of clothes, one of each kind, with the network's answer"
    " above each.",
)

# %% [markdown]
# The names above the pictures are the network's answers, not the labels. Do you agree with all of them?
# Lessons 07 to 10 turn the direction round: they make pictures where there were none. Lessons 11 to 14
# enlarge, repair, edit and restyle photographs, and lesson 15 asks how good all this really is.
#
# ## 2 · What does this machine have?
#
# The course's own doctor looks. Lines that begin with `!!` say what to do.

# %% tags=["nbval-ignore-output"]
examined = [
    doctor.processor(),
    doctor.memory(),
    doctor.disk(),
    doctor.python(),
    doctor.data(),
    doctor.training(),
]
for finding in [*examined, *doctor.minutes()]:
    print("!!" if finding.remedy else "ok", f"{finding.subject:10}", finding.found, finding.remedy)

# %% [markdown]
# This is the only output in the course that differs in every way from machine to machine. `training` says
# where networks will be trained: on the processor (CPU), which all lessons are sized for, or on a graphics
# card (GPU), for which some lessons have a last cell with a larger version. `minutes` are what the lessons
# take from top to end. In a terminal, `python course.py doctor` says the same and a little more.
#
# ## 3 · Which numbers can I trust?
#
# All of them, but not all to the last digit. A number with the sign ≈ in front was measured or trained, and
# moves a little from machine to machine. A number without it must come out the same on yours. Run this cell
# twice:

# %%
random = np.random.default_rng(seed=7)  # a seed makes random numbers repeatable
print("same everywhere:", random.integers(0, 100, size=5))
print("pictures of clothes", len(labels), "kinds", len(data.FASHION_MNIST_NAMES))

# %% [markdown]
# The course tests itself this way: every lesson is run again from the top, and each output is compared with
# the stored one, digits behind ≈ left out. A lesson whose numbers no longer hold does not ship.
#
# ## 4 · How does an exercise work?
#
# An exercise has a cell to fill in and a cell that checks it. The check tries your answer, and where it is
# not right yet, tells you what it tried, what came back, what it expected, and a hint. It never gives the
# solution away, you may ask it as often as you like, and no later cell depends on it.
#
# ### E0.1 ★ A negative
# Before pictures were digital, a film held the **negative**: black where the scene was white. Write
# `negative`. Pixels run from 0 (black) to 1 (white). Let us solve this one together: run the two cells as
# they are, then replace the line that begins with `raise` by `return 1 - picture` and run both again.


# %% tags=["exercise"]
def negative(picture):
    raise NotImplementedError(
        "E0.1: return a picture of the same shape, with black and white swapped"
    )


# %%
check.e0_1(negative)


# %% tags=["solution"]
def negative(picture):
    return 1 - picture


check.e0_1(negative)

# %% [markdown]
# ### Wrong on purpose
# Now let us see a check object. Many programs count brightness from 0 to 255, so this answer comes to mind:


# %% tags=["clinic"]
def negative_from_255(picture):
    return 255 - picture


check.e0_1(negative_from_255)

# %% [markdown]
# Read it from the top: the call that was tried, what came back, what was expected, and the likely reason. The
# mistake is worth knowing. It raises no error, and the picture it makes is plain white, since everything from
# 1 upwards is shown as white:

# %%
figures.images(
    [photo, 1 - photo, 255 - photo],
    ["picture", "1 - picture", "255 - picture"],
    size=3.5,
    alt="A kingfisher; its negative in blue on dark, with the bird's orange turned to blue;"
    " and a plain white rectangle.",
)
print("largest value of 1 - picture at most 1:", (1 - photo).max() <= 1)
print("smallest value of 255 - picture:", (255 - photo).min())

# %% [markdown]
# ### E0.2 ★ A mirror
# Your turn. Write `mirror`, which swaps left and right. A picture is an array of rows, `picture[row,
# column]`; `array[::-1]` turns an array's first axis around, and `array[:, ::-1]` its second. It should work
# for a grey picture (height, width) and a colour one (height, width, 3).


# %% tags=["exercise"]
def mirror(picture):
    raise NotImplementedError("E0.2: return the picture with left and right swapped")


# %%
check.e0_2(mirror)


# %% tags=["solution"]
def mirror(picture):
    return picture[:, ::-1]


check.e0_2(mirror)

# %% [markdown]
# ## 5 · When something goes wrong
#
# - **A cell shows an error.** Read its last line first. Did the cells above it run? *Run → Run All Above
#   Selected Cell* makes sure.
# - **Everything is confused.** *Kernel → Restart Kernel and Run All Cells* starts from nothing.
# - **You want a fresh copy of a lesson.** `python course.py reset 02` makes one and keeps yours beside it.
#   What you write is never overwritten.
# - **You want to see a solution.** The folder `notebooks/` holds every lesson with its results and, folded,
#   its solutions.
# - **A file is damaged.** `python course.py data restore` puts it right.
#
# ## Summary
#
# - Shift+Enter runs a cell; run them in order.
# - ≈ marks numbers that may move; all others must agree.
# - A check tells what it tried and hints; nothing later waits for it.
# - Pixels run from 0 to 1 throughout the course.
#
# ## Glossary
#
# | English | 中文 | in one sentence |
# |---|---|---|
# | notebook | 笔记本 | a page of text, code and results |
# | cell | 单元格 | one piece of a notebook, run at once |
# | kernel (of a notebook) | 内核 | the running Python behind a notebook; not the kernel of lesson 02 |
# | pixel | 像素 | one dot of a picture |
# | seed | 随机种子 | the number that makes random numbers repeatable |
# | negative | 负片 | a picture with dark and light swapped |
#
# ## What to read next
#
# - [01 · Images as arrays](01_images.ipynb): what a picture is to a program.
# - Ian Goodfellow, Yoshua Bengio and Aaron Courville, *Deep Learning*, 2016: the textbook behind much of the
#   course.
