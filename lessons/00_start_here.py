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
# - **You need** Python: functions, loops, lists, dictionaries. Section 4 shows what else.
# - **Time**: about 25 minutes; the cells together run in well under a minute.
#
# A lesson is a page of text and **cells** of code. Click into the cell below and press **Shift+Enter**: it
# runs, its output appears under it, and the next cell is selected. Run the cells of a lesson from top to
# bottom. The number in front of a cell tells the order in which they ran; a star means *still running*. The
# first cell of a lesson loads libraries, which takes a few seconds.

# %%
import timeit

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
# First, pictures out of pictures. Here is a photograph on its way through lessons 01 to 03, which build these
# steps from nothing: you need not follow the code yet. Numbers below 0 are drawn black, those above 1 white.

# %%
photo = data.photograph("kingfisher")
grey = photo.mean(axis=-1)  # average of red, green and blue: (height, width, 3) -> (height, width)
edges = np.hypot(scipy.ndimage.sobel(grey, axis=0), scipy.ndimage.sobel(grey, axis=1))
relief = scipy.ndimage.correlate(grey, np.array([[-2, -1, 0], [-1, 1, 1], [0, 1, 2]]))
pooled = skimage.measure.block_reduce(photo, (12, 12, 1), np.max)
print("photograph", photo.shape, "pooled", pooled.shape)  # height, width, colours

# %% tags=["hide-input"]
figures.images(
    [photo, edges, relief, pooled],
    ["a photograph", "01: its edges", "02: a relief", "03: maxima of 12 × 12 pixels"],
    size=3,
    alt="A kingfisher on a branch as a photograph, as bright edges on black, as a grey"
    " relief, and as a mosaic of coarse squares.",
)

# %% [markdown]
# Then, networks that learn. [05 · CNN classifier](05_cnn_classifier.ipynb) trains one to sort pictures of
# clothes into ten **classes**, such as Dress and Bag. A trained one comes with the course; here are pictures that
# it was not trained on. It gives each class a score, and the highest score is its answer.

# %%
network = models.load("fashion_mnist_classifier")
clothes, labels = data.fashion_mnist("test")
scores = network.predict(clothes[:500], verbose=0)  # (500, 28, 28, 1) -> (500, 10)
answers = scores.argmax(axis=1)  # in each row the position of the highest score
print("share of right answers", approx(np.mean(answers == labels[:500]), 2))

# %%
one_of_each = [np.flatnonzero(labels == label)[0] for label in range(10)]  # first of each class

# %% tags=["hide-input"]
figures.images(
    clothes[one_of_each],
    [data.FASHION_MNIST_NAMES[answers[index]] for index in one_of_each],
    columns=10,
    size=1.2,
    alt="Ten small grey pictures of clothes, one of each class, with the network's answer"
    " above each.",
)

# %% [markdown]
# The names are the network's answers, not the labels that came with the pictures. About one answer in twenty
# is wrong. Here are five of those, the highest scores first:

# %%
wrong = np.flatnonzero(answers != labels[:500])  # positions where they differ
highest = scores[wrong].max(axis=1)  # of each wrong answer
surest = wrong[np.argsort(-highest)][:5]  # argsort: positions, smallest first; minus: largest first

# %% tags=["hide-input"]
names = np.array(data.FASHION_MNIST_NAMES)
verdicts = zip(names[answers[surest]], names[labels[surest]], strict=True)
figures.images(
    clothes[surest],
    [f"answer: {answer}\nlabel: {label}" for answer, label in verdicts],
    size=2.2,
    alt="Five small grey pictures of clothes that the network took for another class, with"
    " its answer and the label above each.",
)

# %% [markdown]
# Whom do you believe? Lesson 05 looks at such mistakes closely. Later lessons turn the direction round and
# make pictures where there were none, enlarge, repair and restyle photographs, and ask how good all this
# really is.
#
# ## 2 · What does this machine have?
#
# The course's own doctor looks. A line that begins with `!!` says what to do.

# %% tags=["nbval-ignore-output"]
for examine in (doctor.processor, doctor.memory, doctor.disk, doctor.python, doctor.data):
    finding = examine()
    print("!!" if finding.remedy else "ok", f"{finding.subject:10}", finding.found, finding.remedy)

# %% [markdown]
# And how fast is it? From its speed (1 GFLOP/s: a billion operations a second) follow, roughly, the minutes that
# the cells of each lesson take here. To work through a lesson takes you two to three hours.

# %% tags=["nbval-ignore-output"]
for finding in [doctor.training(), *doctor.minutes()]:
    print(f"{finding.subject:10}", finding.found)

# %% [markdown]
# `training` says where networks will learn (by the libraries Keras and TensorFlow): on the processor (CPU), for
# which all lessons are sized, or on a graphics card (GPU), for which some lessons end with a larger version. In a
# terminal, in the course's folder, `python course.py doctor` says all this and a little more.
#
# ## 3 · Which numbers can I trust?
#
# All of them, within limits. A number with the sign ≈ in front, as in section 1, comes from training or timing and
# moves from machine to machine. A number without it must come out the same on yours. (What you just
# saw of your machine is the one exception.) Run this cell twice:

# %%
random = np.random.default_rng(seed=7)  # a seed makes random numbers repeatable
print("five random numbers:", random.integers(0, 100, size=5))
# lambda: a function without a name
seconds = timeit.timeit(lambda: random.random(1_000_000), number=1)
print("a million more took", approx(1000 * seconds, 1), "milliseconds")

# %% [markdown]
# The five numbers stay, the time does not. The course tests itself this way: every lesson is run again from
# the top, and what it prints is compared with the stored output, numbers behind ≈ left out.
#
# ## 4 · What is an array?
#
# Pictures, and nearly everything else here, are **arrays** of the library NumPy: numbers in a grid, handled
# all at once. Here is a picture small enough to type, with 0 for black and 1 for white. Counting starts at 0,
# as everywhere in Python.

# %%
letter = np.array(
    [
        [0.8, 0.8, 0.8, 0.8],
        [0.6, 0.0, 0.0, 0.0],
        [0.6, 0.6, 0.6, 0.0],
        [0.4, 0.0, 0.0, 0.0],
        [0.4, 0.0, 0.0, 0.0],
    ]
)
print("rows and columns:", letter.shape, "  row 1, column 0:", letter[1, 0], "  row 2:", letter[2])
print("mean:", letter.mean().round(3), "  of each column:", letter.mean(axis=0).round(3))

# %%
results = {
    "letter": letter,
    "letter / 2": letter / 2,
    "letter[:3]": letter[:3],
    "letter[:, 1:]": letter[:, 1:],
    "letter.T": letter.T,
    "letter > 0.5": letter > 0.5,
}

# %% tags=["hide-input"]
figure, axes = figures.grid(6, size=2)
for one, (title, values) in zip(axes, results.items(), strict=True):
    figures.draw_numbers(one, values, title, digits=1, cmap="gray", vmin=0, vmax=1)
    one.grid(which="minor", color="grey", linewidth=2)  # white cells need an edge on a white page
    one.set_anchor("N")
figures.show(
    figure,
    alt="The letter F as a grid of five by four numbers, light to dark grey on black; all"
    " numbers halved; the first three rows; all but the first column; rows and columns"
    " exchanged; and ones where a number is above 0.5.",
)

# %% [markdown]
# The titles are the code. Arithmetic and comparisons go through all numbers without a loop (True counts as 1,
# False as 0). Square brackets cut: rows before the comma, columns after it, rows alone without a comma; a lone `:`
# means *all*. `.T` exchanges rows and columns. `mean(axis=0)` goes down the rows and leaves one number for each
# column, `axis=1` goes across the columns, `axis=-1` along the last axis, which in a photograph holds red, green
# and blue.
#
# ## 5 · How does an exercise work?
#
# An exercise has a cell to fill in and a cell that checks it. Where your answer is not right yet, the check
# says what it tried, what came back, what it expected, and a hint. It never gives the solution away. Ask it
# as often as you like; no later cell depends on it. Stars say how hard an exercise is, from ★ to ★★★.
#
# ### E0.1 ★ A negative
# Before pictures were digital, a film held the **negative**: black where the scene was white. Write
# `negative`. This one we solve together: run the two cells as they are, then replace the line that begins
# with `raise` by `return 1 - picture` and run both again.


# %% tags=["exercise"]
def negative(picture):
    raise NotImplementedError("E0.1: return the picture with black and white swapped")


# %%
check.e0_1(negative)


# %% tags=["solution"]
def negative(picture):
    return 1 - picture


check.e0_1(negative)

# %% [markdown]
# ### Wrong on purpose
# What does a check say when it disagrees? Many programs count brightness from 0 to 255, so this answer comes
# to mind:


# %% tags=["clinic"]
def negative_from_255(picture):
    return 255 - picture


check.e0_1(negative_from_255)

# %% [markdown]
# Read it from the top: the call that was tried, what came back, what was expected, and the likely reason. The
# mistake is worth knowing. It raises no error, and everything from 1 upwards is shown as white:

# %%
pictures = {"picture": photo, "1 - picture": 1 - photo, "255 - picture": 255 - photo}
for title, picture in pictures.items():
    print(f"{title:13} from {picture.min():.0f} to {picture.max():.0f}")

# %% tags=["hide-input"]
figure, axes = figures.grid(3, size=3.5, aspect=0.56)
for one, (title, values) in zip(axes, pictures.items(), strict=True):
    figures.draw_image(one, values, f"{title}: {values.min():.0f} to {values.max():.0f}")
    one.spines[:].set(visible=True, color="lightgrey")
figures.show(
    figure,
    alt="A kingfisher; its negative, with the orange breast turned to blue and the light"
    " background to dark; and a rectangle that is white all over.",
)

# %% [markdown]
# ### E0.2 ★ A mirror
# Your turn. Write `mirror`, which swaps left and right, for a grey picture (height, width) and for a colour
# one (height, width, 3). `array[::-1]` reverses the order of an array's rows; what reverses its columns?


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
# ## 6 · When something goes wrong
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
# - A picture is an array, rows first; its numbers run from 0 to 1 unless a lesson says otherwise.
# - A check tells what it tried and hints; nothing later waits for it.
#
# ## Glossary
#
# | English | 中文 | in one sentence |
# |---|---|---|
# | notebook | 笔记本 | a page of text, code and results |
# | cell | 单元格 | one piece of a notebook, run at once |
# | kernel (of a notebook) | 内核 | the running Python behind a notebook; not the kernel of lesson 02 |
# | pixel | 像素 | one dot of a picture |
# | array | 数组 | numbers in a grid that are handled all at once |
# | shape, axis | 形状、轴 | how many numbers lie in each direction, and one of these directions |
# | label | 标签 | the answer that comes with a picture, right or not |
# | class | 类别 | one of the answers that a network can choose from |
# | seed | 随机种子 | the number that makes random numbers repeatable |
# | negative | 负片 | a picture with dark and light swapped |
#
# ## What to read next
#
# - [01 · Images as arrays](01_images.ipynb): what a picture is to a program.
# - Ian Goodfellow, Yoshua Bengio and Aaron Courville, *Deep Learning*, 2016: the textbook behind much of the
#   course.
