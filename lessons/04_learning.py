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
# # 04 · Learning, by hand
#
# **How does a machine find numbers that nobody could choose for it?**
#
# In lesson 02 we chose the nine numbers of a kernel. A network finds thousands from examples. Here we build one,
# step by step.
#
# - **You will be able to** compute a gradient by hand, write automatic differentiation and Adam, start a deep
#   network well, and find bugs that raise no error.
# - **You need** [lesson 02](02_convolution.ipynb) for gradients by nudging.
# - **Time**: two and a half hours with the exercises; all cells run in a minute or two.

# %%
import json
from functools import partial
from itertools import pairwise

import keras
import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf
from keras import layers, ops
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

from course_utils import data, figures, landscape, metrics, paths
from course_utils.checks import lesson_04 as check
from course_utils.report import approx, measured

# %% [markdown]
# A network gets a point's two coordinates and must say on which of two spirals it lies: blue, red, or white for
# undecided. Keras does the work here; by the end every step will be yours.


# %%
def spirals(count, rng):
    """Points (count, 2) on two spirals, one inside the other, and the spiral of each, 0 or 1."""
    radius, labels = np.sqrt(rng.uniform(0.03, 1, count)), np.arange(count) % 2
    angle = 4 * np.pi * radius + np.pi * labels
    points = radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return points + rng.normal(0, 0.015, points.shape), labels


# %%
points, spiral = spirals(500, np.random.default_rng(0))
keras.utils.set_random_seed(1)
hidden = [layers.Dense(32, "relu", kernel_initializer="he_normal") for _ in range(3)]
network = keras.Sequential([layers.Input((2,)), *hidden, layers.Dense(2)])
network.compile(
    keras.optimizers.Adam(0.01), keras.losses.SparseCategoricalCrossentropy(from_logits=True)
)
side = np.linspace(-1.15, 1.15, 160, dtype="float32")
plane = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)  # one row for each pixel
snapshots = {}
for step in range(401):
    if step in (0, 20, 50, 100, 400):
        snapshots[step] = ops.convert_to_numpy(ops.softmax(network(plane))[:, 1])
    network.train_on_batch(points, spiral)
print("points", points.shape, "weights", network.count_params(), "pictures at", *snapshots)

# %% tags=["hide-input"]
figure, axes = figures.grid(len(snapshots), size=2.45)
for one, (step, belief) in zip(axes, snapshots.items(), strict=True):
    options = {"extent": (-1.15, 1.15, -1.15, 1.15), "origin": "lower", "cmap": figures.DIVERGING}
    figures.draw_image(one, belief.reshape(160, 160), f"after {step} steps", **options)
    for which, colour in enumerate(("#053061", "#67001f")):
        one.plot(
            *points[spiral == which].T, "o", color=colour, markersize=2.6, mec="white", mew=0.4
        )
figures.show(
    figure,
    alt="Two spirals of dots, one blue and one red, five times. Behind them the plane in the colour that the"
    " network answers: pale at first, then two halves, then arms that grow along the spirals.",
)

# %% [markdown]
# ## 1 · How does a line learn?
#
# The **perceptron** (Rosenblatt, 1958) multiplies each input by a **weight**, adds a **bias**, and answers by the sign:
# $\hat y = \operatorname{sign}(w \cdot x + b)$, with labels $y$ of $1$ or $-1$. The line $w \cdot x + b = 0$ has one
# answer on each side. At each mistake, add the point, with its label's sign, to the weights, $w \leftarrow w + y\,x$,
# and the label to the bias:


# %%
def perceptron(points, labels, rounds):
    """Rosenblatt's rule. Returns for each mistake (round, index of the point, w after it, b after it)."""
    w, b, mistakes = np.zeros(2), 0.0, []
    for turn in range(rounds):
        for index, (x, y) in enumerate(zip(points, labels, strict=True)):
            if y * (w @ x + b) <= 0:
                w, b = w + y * x, b + y
                mistakes.append((turn, index, w, b))
    return mistakes


# %%
rng = np.random.default_rng(20)
sides = np.repeat([1, -1], 20)
clouds = rng.normal(size=(40, 2)) * 0.4 + sides[:, None] * [0.75, 0.6] + [0.7, 0.9]
order = rng.permutation(40)
clouds, sides = clouds[order], sides[order]
mistakes = perceptron(clouds, sides, rounds=20)
print(len(mistakes), "mistakes, the last in round", mistakes[-1][0] + 1)

# %% tags=["hide-input"]
figure, axes = figures.grid(len(mistakes), columns=4, size=2.5, aspect=0.8)
across = np.linspace(-1.2, 2.8, 150)
cells = np.stack(np.meshgrid(across, across), axis=-1)
options = {"extent": (-1.2, 2.8, -1.2, 2.8), "origin": "lower", "cmap": "RdBu", "alpha": 0.3}
for number, (one, (_, index, normal, offset)) in enumerate(
    zip(axes, mistakes, strict=True), start=1
):
    one.imshow(np.sign(cells @ normal + offset), **options)
    one.contour(across, across, cells @ normal + offset, [0], colors="black", linewidths=1.2)
    for which, colour in ((1, figures.COLOURS[0]), (-1, figures.COLOURS[4])):
        one.plot(*clouds[sides == which].T, ".", color=colour, markersize=5)
    one.plot(*clouds[index], "o", color="black", fillstyle="none", markersize=10)
    one.set(xticks=[], yticks=[], title=f"mistake {number}")
figures.show(
    figure,
    alt="Two clouds of points, blue and orange, once for each mistake. In each panel the mistaken point is"
    " ringed and the line has jumped; in the last, all blue points lie on one side and all orange on the other.",
)

# %% [markdown]
# Each line, drawn *after* its ringed mistake, may spoil other points, but if *some* line separates the clouds, the
# mistakes end (Novikoff, 1962). And if none does? Label the corners of a square by whether exactly one coordinate is 1
# (**XOR**):

# %%
corners = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
exclusive = np.array([-1, 1, 1, -1])
forever = perceptron(corners, exclusive, rounds=1000)
print("mistakes in the last round of a thousand:", sum(turn == 999 for turn, *_ in forever))

# %% [markdown]
# No line can do it. With $s$ for the score, $s(0,0) + s(1,1) = w_0 + w_1 + 2b = s(0,1) + s(1,0)$: one sum would
# have to be below zero and above. We need layers, and first a better rule.
#
# ## 2 · What is a loss, and where is downhill?
#
# A **loss** is one number that says how wrong we are. Guess a pixel $y$ from its left neighbour $x$, both brought
# to mean 0 and standard deviation 1: $\hat y = w x$. For $n$ pairs:
#
# $$L(w) = \frac1n \sum_i (w x_i - y_i)^2 \qquad \frac{dL}{dw} = \frac1n \sum_i 2\,(w x_i - y_i)\,x_i$$
#
# The second is the **slope**, the rise of $L$ divided by the step of $w$ (**difference quotient**), for a tiny step:
# each square gives twice its inside, times what $w$ is multiplied by.

# %%
grey = metrics.luma(data.photograph("red_panda"), 1.0)[..., 0]
rng = np.random.default_rng(2)
rows, columns = rng.integers(1, grey.shape[0], 500), rng.integers(1, grey.shape[1], 500)
neighbours = np.stack([grey[rows, columns - 1], grey[rows - 1, columns]], axis=1)  # left, above
neighbours = (neighbours - neighbours.mean(axis=0)) / neighbours.std(axis=0)
pixel = grey[rows, columns]
pixel = (pixel - pixel.mean()) / pixel.std()
print("inputs", neighbours.shape, "targets", pixel.shape)


# %%
def line_loss(w, x, y):
    return np.mean((w * x - y) ** 2)


def line_slope(w, x, y):
    return np.mean(2 * (w * x - y) * x)


# %%
left = neighbours[:, 0]
print(f"slope at 0.2 by hand: {line_slope(0.2, left, pixel):.6f}")
for h in (1, 0.1, 0.001):
    quotient = (line_loss(0.2 + h, left, pixel) - line_loss(0.2, left, pixel)) / h
    print(f"difference quotient, step {h:5}: {quotient:.6f}")

# %% tags=["hide-input"]
figure, axes = plt.subplots(figsize=(7, 3))
line = np.linspace(-0.3, 2.2, 200)
axes.plot(line, [line_loss(one, left, pixel) for one in line], color="black")
for at, colour in ((0.2, figures.COLOURS[0]), (1.7, figures.COLOURS[4])):
    height, slope = line_loss(at, left, pixel), line_slope(at, left, pixel)
    near = np.array([at - 0.3, at + 0.3])
    axes.plot(
        near, height + slope * (near - at), color=colour, label=f"slope {slope:.2f} at w = {at}"
    )
    axes.plot(at, height, "o", color=colour)
    arrow = {"arrowstyle": "-|>", "color": colour, "linewidth": 2}
    axes.annotate("", (at - 0.25 * np.sign(slope), 0.06), (at, 0.06), arrowprops=arrow)
axes.set(xlabel="weight w", ylabel="loss L", ylim=(0, 1.8), title="downhill is against the slope")
axes.legend(loc="upper center")
figures.show(
    figure,
    alt="A bowl-shaped curve of loss against one weight, with a tangent on each side. Left of the bottom the"
    " tangent falls and an arrow points right; right of it the tangent rises and the arrow points left.",
)

# %% [markdown]
# A negative slope means that a larger $w$ is better. So **gradient descent** steps *against* the slope, further
# where it is steep, by the **learning rate** $\eta$:
#
# $$w \leftarrow w - \eta\, \frac{\partial L}{\partial w}$$
#
# Two weights, for the pixels left and above, have two slopes, **partial derivatives** $\partial L / \partial w_j$, each
# with the other weight held still. Together they are the **gradient**, which points uphill.


# %%
def pair_loss(w, x, y):
    """w: (..., 2), one or many pairs of weights; x: (n, 2); y: (n,). Returns (...)."""
    return np.mean((w @ x.T - y) ** 2, axis=-1)


def pair_gradient(w, x, y):
    return 2 * (w @ x.T - y) @ x / len(x)


def descend(gradient, start, learning_rate, steps):
    """All the weights on the way: (steps + 1, 2)."""
    path = [np.array(start, float)]
    for _ in range(steps):
        path.append(path[-1] - learning_rate * gradient(path[-1]))
    return np.array(path)


# %%
valley = partial(pair_loss, x=neighbours, y=pixel)  # pair_loss with x and y filled in
valley_gradient = partial(pair_gradient, x=neighbours, y=pixel)
walk = partial(descend, valley_gradient, [-1.0, 1.0])
rates = {"too small": 0.01, "about right": 0.4, "too large": 0.52}
for name, rate in rates.items():
    path = walk(rate, 30)
    print(f"{name:12} {rate}: loss from {valley(path[0]):.3f} to {valley(path[-1]):.3f}")

# %% tags=["hide-input"]
figure, axes = plt.subplots(1, 3, figsize=(11.5, 3.6), sharey=True)
BOUNDS = (-1.4, 1.9, -1.0, 2.0)
for one, (name, chosen) in zip(axes, rates.items(), strict=True):
    landscape.draw(one, valley, BOUNDS, {name: walk(chosen, 30)}, f"rate {chosen}: {name}")
figures.show(
    figure,
    alt="Three maps of a long narrow valley of loss that runs from upper left to lower right. With a small rate"
    " the path creeps down the near side; with a right one it zigzags into the valley and along it; with a large"
    " one it jumps from side to side, further each time.",
)

# %% [markdown]
# (Dark is low, the ring is the start.) Neighbours resemble each other: raise one weight, lower the other, and little
# changes. Hence the narrow valley.
# Move the sliders: at which rate does the path begin to climb?

# %%
landscape.explore(valley, walk, (-1.4, 1.9, -1.0, 2.0), rate=0.1)

# %% [markdown]
# ### E4.1 ★ A gradient by hand
# For a line with a bias, $\hat y = w x + b$, write `line_gradient(x, y, w, b)`: the two partial derivatives of
# the mean squared error, $(\partial L/\partial w,\; \partial L/\partial b)$, for arrays `x` and `y` (n,).


# %% tags=["exercise"]
def line_gradient(x, y, w, b):
    raise NotImplementedError("E4.1: return two numbers, dL/dw and dL/db")


# %%
check.e4_1(line_gradient)


# %% tags=["solution"]
def line_gradient(x, y, w, b):
    error = w * x + b - y
    return 2 * np.mean(error * x), 2 * np.mean(error)


check.e4_1(line_gradient)

# %% [markdown]
# ## 3 · What does a layer add?
#
# A **dense layer** is many perceptrons without the sign, on $n$ examples at once. Column $j$ of $W$ holds the weights
# of unit $j$; NumPy adds the bias to every row (**broadcasting**). An **activation** $\varphi$ then bends each number:
#
# $$h = \varphi(x W + b) \qquad x: (n, d) \quad W: (d, m) \quad b: (m,) \quad h: (n, m)$$
#
# Without $\varphi$, two layers would be one: $(xW)V = x(WV)$. With it they are a **multi-layer perceptron**
# (MLP), the first **hidden**.

# %%
ACTIVATIONS = {
    "none": lambda z: z,
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "tanh": np.tanh,
    "ReLU": lambda z: np.maximum(z, 0),
    "leaky ReLU": lambda z: np.where(z > 0, z, 0.2 * z),
}
for name, activation in ACTIVATIONS.items():
    print(f"{name:11}", np.round(activation(np.array([-2.0, 0, 2])), 2))

# %%
turn = np.array([[0.8, -0.6], [0.6, 0.8]]) * 1.6  # W of two units: the plane turned and enlarged
ticks = np.linspace(-1, 1, 21)
grid = np.stack(np.meshgrid(ticks, ticks), axis=-1)  # (21, 21, 2), points of the plane
bent = {name: activation(grid @ turn + [0.3, -0.2]) for name, activation in ACTIVATIONS.items()}
print("each panel shows", grid.reshape(-1, 2).shape[0], "points after a layer of two units")

# %% tags=["hide-input"]
figure, axes = plt.subplots(2, 5, figsize=(12, 4.9), height_ratios=[1, 1.5])
z = np.linspace(-3, 3, 200)
tint = np.stack(
    [0.5 + 0.45 * grid[..., 0], 0.45 + 0 * grid[..., 0], 0.5 + 0.45 * grid[..., 1]], axis=-1
)
for (above, below), (name, activation) in zip(axes.T, ACTIVATIONS.items(), strict=True):
    above.plot(z, activation(z), color="black", label="value")
    above.plot(z, np.gradient(activation(z), z), color=figures.COLOURS[1], label="slope")
    above.set(title=name, ylim=(-1.4, 2.2), xticks=[-2, 0, 2])
    moved = bent[name]
    for lines in (moved, moved.swapaxes(0, 1)):
        below.plot(lines[..., 0], lines[..., 1], color="#bbbbbb", linewidth=0.8, zorder=1)
    below.scatter(*moved.reshape(-1, 2).T, c=tint.reshape(-1, 3), s=9, zorder=2)
    below.set(xlim=(-2.2, 2.8), ylim=(-2.6, 2.2), aspect="equal", xlabel="unit 0")
axes[0, 0].legend(fontsize=8)
axes[1, 0].set_ylabel("unit 1")
figures.show(
    figure,
    alt="Five columns: nothing, sigmoid, tanh, ReLU, leaky ReLU. Above each curve with its slope. Below, what a"
    " layer of two units makes of a square grid: turned; squeezed into a small patch; pressed into a rounded"
    " square; cut to a triangle, the rest flat on the axes; creased along the axes.",
)

# %% [markdown]
# Sigmoid and tanh are nearly flat far out, the **ReLU** below 0: a unit below 0 (**off**) at every example learns
# nothing, unless it is **leaky**. XOR needs a bend, such as ReLU's at the axes (lower row). Two ReLU units,
# $h_0 = \max(0, x_0 + x_1)$ and $h_1 = \max(0, x_0 + x_1 - 1)$:

# %%
folded = np.maximum(corners @ np.ones((2, 2)) + [0, -1], 0)
scores = folded @ [1, -2] - 0.5
print("corners become", folded.astype(int).tolist())
print("one line there separates them:", np.array_equal(np.sign(scores), exclusive))

# %% tags=["hide-input"]
figure, axes = plt.subplots(1, 2, figsize=(8, 3.3))
for one, places, title in zip(
    axes, (corners, folded), ("the plane", "after the hidden layer"), strict=True
):
    for label, colour, marker in ((1, figures.COLOURS[0], "o"), (-1, figures.COLOURS[4], "s")):
        one.plot(*places[exclusive == label].T, marker, color=colour, markersize=11, linestyle="")
    for corner, place in zip(corners, places, strict=True):
        away = (8, -14) if tuple(corner) == (1, 0) and title != "the plane" else (8, 5)
        one.annotate(f"({corner[0]}, {corner[1]})", place, away, textcoords="offset points")
    one.set(xlim=(-0.4, 2.6), ylim=(-0.4, 1.5), title=title, xlabel="$x_0$", ylabel="$x_1$")
axes[1].plot([-0.3, 2.6], [-0.4, 1.05], color="black", linewidth=1)
axes[1].set(xlabel="$h_0$", ylabel="$h_1$")
figures.show(
    figure,
    alt="Left the four corners of a square, equal colours at opposite corners. Right the same after the layer:"
    " the two blue corners lie on one place, and a line separates it from the two orange squares.",
)

# %% [markdown]
# The sums alone put the corners on one line: at (0, -1), twice (1, 0), and (2, 1). ReLU lifts (0, -1) to (0, 0). That
# bends the line, and a straight one now separates.
#
# ### From numbers to probabilities
#
# For several classes the last layer gives one number each, the **logits** $z$. The **softmax** makes
# probabilities of them. The **cross-entropy** is minus the logarithm of the probability that the right class $t$ got,
# averaged over $n$ examples:
#
# $$p_k = \frac{e^{z_k}}{\sum_j e^{z_j}} \qquad L = -\frac1n \sum_i \log p_{i,t_i} \qquad z, p: (n, c) \quad t: (n,)$$
#
# $e^{1000}$ is too large for a computer. One number added to a whole row multiplies all its $e^z$ alike and changes no
# $p$, so we take away the largest:


# %%
def log_softmax(z):
    """Logarithms of the softmax of each row: (n, c) -> (n, c), safe for any logits."""
    z = z - z.max(axis=1, keepdims=True)
    return z - np.log(np.exp(z).sum(axis=1, keepdims=True))


# %%
z = np.array([[1000.0, 998, 0]])
with np.errstate(all="ignore"):
    print("as written:", np.exp(z) / np.exp(z).sum())
print("safe:      ", np.exp(log_softmax(z)).round(3), "and logarithms", log_softmax(z).round(3))

# %% [markdown]
# ### E4.2 ★★ A safe cross-entropy
# Write `cross_entropy(logits, labels)` for (n, c) and (n,): the mean loss, right for logits of any size.
# (`a[[0, 1], [2, 0]]` picks `a[0, 2]` and `a[1, 0]`.)


# %% tags=["exercise"]
def cross_entropy(logits, labels):
    raise NotImplementedError("E4.2: return one number")


# %%
check.e4_2(cross_entropy)


# %% tags=["solution"]
def cross_entropy(logits, labels):
    largest = logits.max(axis=1)
    total = np.exp(logits - largest[:, None]).sum(axis=1)
    right = logits[np.arange(len(labels)), labels]
    return np.mean(np.log(total) + largest - right)


check.e4_2(cross_entropy)

# %% [markdown]
# ## 4 · Who is to blame?
#
# Nudging costs a run of the network for each weight. The **chain rule** gets all slopes in one run backwards
# (**backpropagation**). Where $x$ moves $h$ and $h$ moves $L$, their slopes multiply; several ways from $x$ to $L$ add
# up:
#
# $$\frac{\partial L}{\partial x} = \sum_j \frac{\partial L}{\partial h_j}\, \frac{\partial h_j}{\partial x}$$
#
# On paper: the black numbers from left to right, then the orange ones,
# $\partial L/\partial(\text{that number})$, from right to left.

# %% tags=["hide-input"]
figure, axes = plt.subplots(figsize=(11.5, 3.7))
places = {
    "$x$": (0, 1, "2", "8 · 0.5\n+ 0 · (-1) = 4"),
    "$a_0 = w_0 x + b_0$\n$w_0 = 0.5,\\ b_0 = 0$": (2.4, 2, "1", "8 · 1 = 8"),
    "$a_1 = w_1 x + b_1$\n$w_1 = -1,\\ b_1 = 1$": (2.4, 0, "-1", "12 · 0 = 0"),
    "$h_0 = \\max(0, a_0)$": (5, 2, "1", "4 · 2 = 8"),
    "$h_1 = \\max(0, a_1)$": (5, 0, "0", "4 · 3 = 12"),
    "$\\hat y = v_0 h_0 + v_1 h_1 + c$\n$v_0 = 2,\\ v_1 = 3,\\ c = 1$": (
        7.8,
        1,
        "3",
        "$2\\,(\\hat y - 1) = 4$",
    ),
    "$L = (\\hat y - 1)^2$": (10.4, 1, "4", "1"),
}
centres = [place[:2] for place in places.values()]
for tail, head in ((0, 1), (0, 2), (1, 3), (2, 4), (3, 5), (4, 5), (5, 6)):
    arrow = {"arrowstyle": "-|>", "color": "#999999", "shrinkA": 24, "shrinkB": 24}
    axes.annotate("", centres[head], centres[tail], arrowprops=arrow)
for name, (across, up, number, blame) in places.items():
    axes.text(across, up, number, size=15, ha="center", va="center", weight="bold")
    axes.text(across, up + 0.24, name, size=10, ha="center", va="bottom")
    axes.text(across, up - 0.3, blame, size=11, ha="center", va="top", color=figures.COLOURS[4])
axes.set(xlim=(-0.6, 11.2), ylim=(-0.75, 2.85))
axes.axis("off")
figures.show(
    figure,
    alt="A network as numbers joined by arrows. Its input 2 goes to two sums, 1 and -1, these to 1 and 0, then to the"
    " output 3 and the loss 4. Below each in orange the slope of the loss: 1, 4, then 8 and 12, 8 and 0, and 4.",
)

# %% [markdown]
# Unit 1 is off, so nothing passes it: 12 becomes 0. A weight's slope is that of the sum it stands in, times the
# number it met: $\partial L/\partial w_0 = 8 \cdot x = 16$.
#
# **Automatic differentiation** does this for any formula: each result remembers what it was computed from, and
# how to hand a gradient back. (`+` calls `__add__`, `*` `__mul__`, `@` `__matmul__`.)


# %%
class Node:
    """An array that remembers its parents, each with a function from its own gradient to theirs."""

    def __init__(self, value, parents=()):
        self.value, self.parents, self.gradient = np.asarray(value), parents, 0.0

    def __add__(self, other):
        return Node(self.value + other.value, [(self, lambda g: g), (other, lambda g: g)])

    def __mul__(self, other):
        back = [(self, lambda g: g * other.value), (other, lambda g: g * self.value)]
        return Node(self.value * other.value, back)

    def __matmul__(self, other):
        back = [(self, lambda g: g @ other.value.T), (other, lambda g: self.value.T @ g)]
        return Node(self.value @ other.value, back)


def relu(x):
    return Node(np.maximum(x.value, 0), [(x, lambda g: g * (x.value > 0))])


# %% [markdown]
# A matrix product hands back a product with the other matrix, transposed, as the shapes suggest. Since
# $-\log p_t = \log \sum_j e^{z_j} - z_t$, softmax and cross-entropy together hand back *probability* (the sum's
# logarithm has slope $p_k$) *minus truth*, over $n$; the truth is 1 for the right class, else 0.


# %%
def softmax_cross_entropy(logits, labels):
    """The mean cross-entropy of logits (n, c), a Node, and labels (n,)."""
    logarithms, count = log_softmax(logits.value), len(labels)
    truth = np.eye(logarithms.shape[1], dtype=logarithms.dtype)[
        labels
    ]  # row i has a 1 at labels[i]
    loss = -np.mean(logarithms[np.arange(count), labels])
    return Node(loss, [(logits, lambda g: g * (np.exp(logarithms) - truth) / count)])


def summed_to(gradient, shape):
    """Add up the gradients of copies that broadcasting made: (n, m) to the (m,) of a bias."""
    gradient = gradient.sum(axis=tuple(range(gradient.ndim - len(shape))))
    spread = tuple(axis for axis, length in enumerate(shape) if length == 1)
    return gradient.sum(axis=spread, keepdims=True)


# %% [markdown]
# A node may pass its gradient on only when all nodes computed from it have handed theirs back. So we list each node
# after its parents, and go backwards.


# %%
def in_order(node, seen):
    """All nodes that `node` was computed from, and itself, each after its parents."""
    if id(node) in seen:
        return []
    seen.add(id(node))
    before = [earlier for parent, _ in node.parents for earlier in in_order(parent, seen)]
    return [*before, node]


def backward(loss):
    """Set `gradient` of every node that the loss was computed from."""
    nodes = in_order(loss, set())
    for node in nodes:
        node.gradient = 0.0
    loss.gradient = np.ones_like(loss.value)
    for node in reversed(nodes):
        for parent, share in node.parents:
            passed = summed_to(share(node.gradient), parent.value.shape)
            parent.gradient = parent.gradient + passed


# %% [markdown]
# The example on paper; then a small network beside difference quotients and TensorFlow's tape (lesson 02):

# %%
x, w, b = Node([[2.0]]), Node([[0.5, -1.0]]), Node([0.0, 1.0])
v, c = Node([[2.0], [3.0]]), Node([1.0])
error = relu(x @ w + b) @ v + c + Node([-1.0])
backward(error * error)
print("dL/dw", w.gradient, "dL/db", b.gradient, "dL/dv", v.gradient.ravel(), "dL/dc", c.gradient)


# %%
def small_network(parts, x, labels):
    w, b, scale, v = parts
    return softmax_cross_entropy((relu(x @ w + b) * scale) @ v, labels)


rng = np.random.default_rng(4)
x, labels = rng.normal(size=(6, 3)), np.array([0, 1, 1, 2, 0, 2])
arrays = [rng.normal(size=shape) for shape in ((3, 4), (4,), (1, 4), (4, 3))]
nodes = [Node(array) for array in arrays]
backward(small_network(nodes, Node(x), labels))

# %%
nudged = [np.zeros_like(array) for array in arrays]
for array, slopes in zip(arrays, nudged, strict=True):
    for index in np.ndindex(array.shape):
        kept, losses = array[index], []
        for array[index] in (kept + 1e-5, kept - 1e-5):  # the loop puts each number into the array
            losses.append(small_network([Node(one) for one in arrays], Node(x), labels).value)
        array[index] = kept
        slopes[index] = (losses[0] - losses[1]) / 2e-5
pairs = list(zip(nodes, nudged, strict=True))
print("difference quotients:", all(np.allclose(n.gradient, s, atol=1e-8) for n, s in pairs))

# %%
with tf.GradientTape() as tape:
    tw, tb, ts, tv = variables = [tf.Variable(array) for array in arrays]
    logits = (tf.nn.relu(x @ tw + tb) * ts) @ tv
    loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits))
taped = tape.gradient(loss, variables)
print("GradientTape:", all(np.allclose(n.gradient, t) for n, t in zip(nodes, taped, strict=True)))

# %% [markdown]
# ### E4.3 ★★ The chain rule through a layer
# Write `layer_gradients(x, w, b, g)` for $h = \text{ReLU}(xW + b)$: from $g = \partial L/\partial h$ (n,
# m), the gradients of `x` (n, d), `w` (d, m) and `b` (m,), in this order.


# %% tags=["exercise"]
def layer_gradients(x, w, b, g):
    raise NotImplementedError("E4.3: return three arrays, of the shapes of x, w and b")


# %%
check.e4_3(layer_gradients)


# %% tags=["solution"]
def layer_gradients(x, w, b, g):
    passed = g * (x @ w + b > 0)
    return passed @ w.T, x.T @ passed, passed.sum(axis=0)


check.e4_3(layer_gradients)

# %% [markdown]
# ### How should the weights start?
#
# Going back through a layer multiplies the gradient by $W^\top$; twenty factors of 0.5 leave a millionth. A sum
# of $d$ independent products has $d$ times the variance (the squared standard deviation) of one, and ReLU keeps
# half of the squares: the size stays where $d \operatorname{var} W / 2 = 1$. Glorot, without ReLU, takes the mean of
# $d$ (products summed forwards) and $m$ (summed backwards):
#
# $$\text{Glorot: } \operatorname{var} W = \frac{2}{d + m} \qquad\qquad \text{He, for ReLU: } \operatorname{var} W = \frac{2}{d}$$
#
# Normal numbers go through twenty layers of 100 ReLU units, a random gradient comes back:


# %%
def sizes_by_layer(deviation, depth=20, width=100):
    """Root mean squares of the input of each layer, and of the gradient of that input."""
    rng = np.random.default_rng(0)
    layer_inputs = [Node(rng.normal(size=(200, width)))]
    for _ in range(depth):
        weights = Node(deviation * rng.normal(size=(width, width)))
        layer_inputs.append(relu(layer_inputs[-1] @ weights))
    backward(layer_inputs[-1] * Node(rng.normal(size=(200, width))))
    sizes = [(one.value, one.gradient) for one in layer_inputs[:-1]]
    return np.sqrt([[np.mean(array**2) for array in pair] for pair in sizes]).T


# %%
starts = {"0.05": 0.05, "Glorot": (2 / 200) ** 0.5, "He": (2 / 100) ** 0.5, "0.2": 0.2}
by_start = {name: sizes_by_layer(deviation) for name, deviation in starts.items()}
for name, (values, slopes) in by_start.items():
    print(
        f"{name:7} input of layer 20: {values[-1]:8.1e}   gradient back at input 1: {slopes[0]:8.1e}"
    )

# %% tags=["hide-input"]
figure, axes = plt.subplots(1, 2, figsize=(11, 3.2), sharey=True)
titles = "values, from left to right", "gradient, from right to left"
for one, title, which in zip(axes, titles, (0, 1), strict=True):
    for name, both in by_start.items():
        one.semilogy(range(1, 21), both[which], ".-", label=f"standard deviation {name}")
    one.set(title=title, xlabel="layer", xticks=[1, 5, 10, 15, 20])
axes[0].set_ylabel("root mean square")
axes[0].legend(fontsize=8, ncols=2)
figures.show(
    figure,
    alt="Sizes of values and of gradients in twenty layers, on a logarithmic axis. With a small deviation both"
    " fall by powers of ten, with Glorot's slowly, with He's they stay level, with a large one they grow.",
)

# %% [markdown]
# With too small weights the gradient **vanishes** on its way back; with too large ones it **explodes**. He's start
# keeps it level. Glorot's loses half of the squares with each ReLU.
#
# ### E4.4 ★ He's scale
# Write `he_deviation(shape)`: the standard deviation of He's start for a dense layer's weights (d, m) and for a
# convolution's kernel (height, width, channels in, channels out). What are the inputs of one output there?


# %% tags=["exercise"]
def he_deviation(shape):
    raise NotImplementedError("E4.4: return one number")


# %%
check.e4_4(he_deviation)


# %% tags=["solution"]
def he_deviation(shape):
    return np.sqrt(2 / np.prod(shape[:-1]))


check.e4_4(he_deviation)

# %% [markdown]
# ## 5 · Which way, and how far?
#
# An **optimiser** turns gradients $g$ into steps, number by number:
#
# | optimiser | remembers | step |
# |---|---|---|
# | SGD | nothing | $w \leftarrow w - \eta g$ |
# | momentum | $v \leftarrow 0.9\,v - \eta g$ | $w \leftarrow w + v$ |
# | RMSprop | $s \leftarrow 0.9\,s + 0.1\,g^2$ | $w \leftarrow w - \eta\, g / \sqrt{s + \varepsilon}$ |
# | Adam | $m \leftarrow 0.9\,m + 0.1\,g$ and $s \leftarrow 0.999\,s + 0.001\,g^2$ | $w \leftarrow w - \eta\, \hat m / (\sqrt{\hat s} + \varepsilon)$ |
#
# **SGD**, stochastic gradient descent, takes a random **batch** of examples at a time. **Momentum** keeps a
# speed: what keeps its sign adds up, the rest partly cancels. **RMSprop** divides by the usual size of each
# weight's gradient, so that all weights move about alike. **Adam** does both; $\hat m = m/(1 - 0.9^t)$
# and $\hat s = s/(1 - 0.999^t)$ after $t$ steps make up for the start at 0. A tiny $\varepsilon$ keeps from
# dividing by 0.


# %%
def sgd(w, g, memory, rate):
    return w - rate * g


def momentum(w, g, memory, rate):
    memory["v"] = 0.9 * memory.get("v", 0) - rate * g
    return w + memory["v"]


def rmsprop(w, g, memory, rate):
    memory["s"] = 0.9 * memory.get("s", 0) + 0.1 * g**2
    return w - rate * g / np.sqrt(memory["s"] + 1e-7)


def adam(w, g, memory, rate):
    t = memory["t"] = memory.get("t", 0) + 1
    m = memory["m"] = 0.9 * memory.get("m", 0) + 0.1 * g
    s = memory["s"] = 0.999 * memory.get("s", 0) + 0.001 * g**2
    return w - rate * (m / (1 - 0.9**t)) / (np.sqrt(s / (1 - 0.999**t)) + 1e-8)


# %%
OPTIMISERS = {"SGD": sgd, "momentum": momentum, "RMSprop": rmsprop, "Adam": adam}
libraries = [
    keras.optimizers.SGD(0.01),
    keras.optimizers.SGD(0.01, momentum=0.9),
    keras.optimizers.RMSprop(0.01),
    keras.optimizers.Adam(0.01, epsilon=1e-8),
]
for (name, step), library in zip(OPTIMISERS.items(), libraries, strict=True):
    w, memory, variable = (
        np.array([1.0, -2, 0.5]),
        {},
        keras.Variable([1.0, -2, 0.5], dtype="float64"),
    )
    for g in np.random.default_rng(5).normal(size=(20, 3)):
        w = step(w, g, memory, 0.01)
        library.apply([g], [variable])
    difference = np.abs(w - ops.convert_to_numpy(variable)).max()
    print(f"{name:9} after 20 steps as Keras, to 1e-6:", difference < 1e-6)

# %% [markdown]
# ### E4.5 ★★ Adam's first steps
# Write `adam_path(gradients, rate)` for one weight that starts at 0: an array of its value after each step, from
# a list of gradients. What is the first step if the gradient is 0.001? If it is 1,000?


# %% tags=["exercise"]
def adam_path(gradients, rate):
    raise NotImplementedError("E4.5: return an array, one number for each gradient")


# %%
check.e4_5(adam_path)


# %% tags=["solution"]
def adam_path(gradients, rate):
    w = m = s = 0.0
    path = []
    for t, g in enumerate(gradients, start=1):
        m = 0.9 * m + 0.1 * g
        s = 0.999 * s + 0.001 * g**2
        w -= rate * (m / (1 - 0.9**t)) / (np.sqrt(s / (1 - 0.999**t)) + 1e-8)
        path.append(w)
    return np.array(path)


check.e4_5(adam_path)

# %% [markdown]
# A race: each optimiser tries the same 25 rates, 40 steps each, in the valley of section 2 and on a **saddle**, a
# ridge to start on and a way down to either side.


# %%
def saddle(w):
    return 2 * w[..., 0] ** 2 - 0.1 * w[..., 1] ** 2 + 0.05 * w[..., 1] ** 4 + 0.05


def saddle_gradient(w):
    return np.array([4 * w[0], 0.2 * w[1] ** 3 - 0.2 * w[1]])


def walk_with(step, gradient, start, rate, steps=40):
    path, memory = [np.array(start, float)], {}
    for _ in range(steps):
        path.append(step(path[-1], gradient(path[-1]), memory, rate))
    return np.array(path)


# %%
tried = np.geomspace(0.001, 1, 25)
GROUNDS = {
    "valley": (valley, valley_gradient, [-1.0, 1.0]),
    "saddle": (saddle, saddle_gradient, [1.5, 0.001]),
}
best = {}
for ground, (height, slope, start) in GROUNDS.items():
    for name, step in OPTIMISERS.items():
        ways = [walk_with(step, slope, start, rate) for rate in tried]
        ends = [height(way[-1]) for way in ways]
        best[ground, name] = ways[int(np.argmin(ends))]
        rate = tried[int(np.argmin(ends))]
        print(f"{ground} {name:9} best rate {rate:.3f}, loss after 40 steps {min(ends):.4f}")

# %% tags=["hide-input"]
figure, axes = plt.subplots(2, 4, figsize=(12, 6))
for row, (ground, bounds) in zip(
    axes, (("valley", (-1.4, 1.9, -1.0, 2.0)), ("saddle", (-1.6, 1.9, -1.3, 1.6))), strict=True
):
    for one, name in zip(row, OPTIMISERS, strict=True):
        landscape.draw(
            one, GROUNDS[ground][0], bounds, {name: best[ground, name]}, f"{ground}: {name}"
        )
for one in axes[:, 1:].flat:
    one.set_ylabel("")
figures.show(
    figure,
    alt="Paths of SGD, momentum, RMSprop and Adam on two maps. In the valley all zigzag or creep; SGD stops half way,"
    " the others come further along. On the saddle SGD stays on the ridge, and the others leave it, momentum late.",
)

# %% [markdown]
# In the valley momentum ends lowest. On the saddle SGD stays on the ridge, where the slope to the side is nearly 0;
# the two that divide leave it at once.
#
# Recorded runs: the network of section 6 on 7,000 handwritten digits, five rates for each optimiser, three seeds each,
# as many random digits as five **epochs** (times through the data). It is scored on 996 digits held back to choose by,
# the **validation** set. In the last row the rate falls to 0 in a straight line, a **schedule**.

# %%
recorded = json.loads((paths.BENCHMARKS / "04_optimisers.json").read_text())
losses = {}
for run in recorded["runs"].values():
    ends = [seed["val_loss"] for seed in run["seeds"].values() if seed["val_loss"]]  # else diverged
    name, rate = run["settings"]["optimizer"], run["settings"]["learning_rate"]
    losses.setdefault(name, {})[rate] = ends
print("recorded on", recorded["device"])
for name, by_rate in losses.items():
    rate = min(by_rate, key=lambda rate: np.mean(by_rate[rate]))
    mean, spread = np.mean(by_rate[rate]), np.std(by_rate[rate], ddof=1)
    print(f"{name:18} best rate {rate:<6} validation loss {mean:.3f} ± {spread:.3f} over seeds")

# %% tags=["hide-input"]
figure, axes = plt.subplots(figsize=(9, 3.6))
for name, by_rate in losses.items():
    used = [rate for rate, ends in by_rate.items() if ends]
    low, middle, high = np.array(
        [(min(e), np.mean(e), max(e)) for e in (by_rate[r] for r in used)]
    ).T
    (line,) = axes.plot(used, middle, ".-", label=name)
    axes.fill_between(used, low, high, color=line.get_color(), alpha=0.2)
axes.set(xscale="log", yscale="log", xlabel="learning rate", ylabel="validation cross-entropy")
axes.set_yticks([0.2, 0.3, 0.5, 1, 2], ["0.2", "0.3", "0.5", "1", "2"])
axes.minorticks_off()
axes.set_title("each optimiser has a rate of its own; band: lowest and highest of three seeds")
axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))
figures.show(
    figure,
    alt="Validation loss against learning rate for SGD, momentum, RMSprop, Adam and Adam with a falling rate. Each"
    " curve is a bowl; the bowls of RMSprop and Adam lie at rates far smaller than that of SGD.",
)

# %% [markdown]
# SGD's best rate is a hundred times Adam's. At their best rates all five end within a few hundredths, not much
# more than the seeds differ: a race at *one* rate says more about the rate than about the optimiser.
#
# ## 6 · Does it read digits?
#
# 784 pixels, 128 and 64 hidden units, ten logits:


# %%
def start(sizes, rng):
    """An MLP's weights by He and its biases, as Nodes in float32: w, b, w, b, ..."""
    parameters = []
    for d, m in pairwise(sizes):  # (784, 128), (128, 64), (64, 10)
        weights = rng.normal(0, np.sqrt(2 / d), (d, m)).astype("float32")
        parameters += [Node(weights), Node(np.zeros(m, "float32"))]
    return parameters


def logits_of(parameters, x):
    x = Node(x)
    for layer in range(0, len(parameters), 2):
        if layer > 0:
            x = relu(x)
        x = x @ parameters[layer] + parameters[layer + 1]
    return x


# %%
pictures, digits = data.mnist("train")
pictures = pictures.reshape(-1, 784)  # 28 x 28 pixels, one row a picture
x_train, y_train = pictures[:7000], digits[:7000]
x_validation, y_validation = pictures[7000:], digits[7000:]
print("to learn from", x_train.shape, "to choose by", x_validation.shape, "first", y_train[:5])


# %% [markdown]
# ### How large a batch?
#
# How far is a batch's gradient from that of all digits, in the first layer of the network at its start?


# %%
def first_gradient(parameters, x, labels):
    backward(softmax_cross_entropy(logits_of(parameters, x), labels))
    return parameters[0].gradient


rng = np.random.default_rng(1)
fresh = start([784, 128, 64, 10], rng)
whole = first_gradient(fresh, x_train, y_train)
batch_sizes, off = [1, 4, 16, 64, 256, 1024], []
for size in batch_sizes:
    chosen = rng.choice(7000, (20, size))
    errors = [first_gradient(fresh, x_train[some], y_train[some]) - whole for some in chosen]
    off.append(np.sqrt(np.mean([np.sum(e**2) for e in errors]) / np.sum(whole**2)))
    print(f"batch of {size:4}: error {approx(off[-1], 2)} of the gradient's length")

# %% tags=["hide-input"]
figure, axes = plt.subplots(figsize=(6, 2.8))
axes.loglog(batch_sizes, off, "o", color=figures.COLOURS[4], label="measured, 20 batches each")
line = off[0] / np.sqrt(batch_sizes)
axes.loglog(batch_sizes, line, color="black", lw=1, label="one over the square root")
axes.set(xlabel="examples in a batch", ylabel="error / length")
axes.set_xticks(batch_sizes, batch_sizes)
axes.minorticks_off()
axes.legend()
figures.show(
    figure,
    alt="Dots of the error of a batch's gradient against its size, both axes logarithmic, along a straight line"
    " that falls by half for each four times as many examples.",
)

# %% [markdown]
# Four times the batch costs four times the arithmetic and only halves this **noise**. So batches are small.
#
# ### The network learns
#
# Three details: each batch is moved by up to a pixel (**augmentation**, lesson 05), the rate falls to 0, and
# `decay` shrinks all weights and biases a little in each step (**weight decay**).


# %%
def moved(batch, rng, shift):
    """Rows of 784 pixels, all moved by the same random distance, up to `shift` each way."""
    rows = batch.reshape(-1, 28, 28)
    return np.roll(rows, rng.integers(-shift, shift + 1, 2), axis=(1, 2)).reshape(-1, 784)


def learn(parameters, x, labels, step, rates, rng, shift=0, decay=0.0):
    """A step for each rate, on 100 random examples; yields its loss (`list` runs all steps)."""
    memories = [{} for _ in parameters]
    for rate in rates:
        batch = rng.choice(len(x), 100)
        inputs = moved(x[batch], rng, shift) if shift else x[batch]
        loss = softmax_cross_entropy(logits_of(parameters, inputs), labels[batch])
        backward(loss)
        for node, memory in zip(parameters, memories, strict=True):
            node.value = step(node.value, node.gradient, memory, rate)
            node.value = node.value * (1 - rate * decay)
        yield float(loss.value)


# %% [markdown]
# Does Keras do the same? Same weights, same batches, SGD. Then the whole training, with Adam:

# %%
rng = np.random.default_rng(3)
parameters = start([784, 128, 64, 10], rng)
twin = keras.Sequential(
    [layers.Input((784,)), *(layers.Dense(n, "relu") for n in (128, 64)), layers.Dense(10)]
)
twin.set_weights([node.value for node in parameters])
twin.compile(
    keras.optimizers.SGD(0.1), keras.losses.SparseCategoricalCrossentropy(from_logits=True)
)
ours = list(learn(parameters, x_train, y_train, sgd, [0.1] * 20, np.random.default_rng(4)))
rng = np.random.default_rng(4)
theirs = []
for _ in range(20):
    batch = rng.choice(7000, 100)
    theirs.append(float(twin.train_on_batch(x_train[batch], y_train[batch])))
print("all 20 losses agree to 1e-4:", np.allclose(ours, theirs, atol=1e-4))


# %%
def accuracy(parameters, x, labels):
    return np.mean(logits_of(parameters, x).value.argmax(axis=1) == labels)


rng = np.random.default_rng(0)
reader = start([784, 128, 64, 10], rng)
rates = np.linspace(0.003, 0, 1050, endpoint=False).tolist()  # as many digits as 15 epochs
train_losses = list(learn(reader, x_train, y_train, adam, rates, rng, shift=1, decay=0.3))
print("weights", sum(node.value.size for node in reader), "steps", len(train_losses))
print("validation accuracy", approx(accuracy(reader, x_validation, y_validation)))

# %% [markdown]
# Two methods to beat: **nearest neighbour** gives the label of the most similar training picture, **logistic
# regression** has our network's formula without hidden layers. Neither sees moved digits. The test digits are used
# here, once.

# %%
x_test, y_test = data.mnist("test")
x_test = x_test.reshape(-1, 784)
nearest = KNeighborsClassifier(1, algorithm="brute").fit(x_train, y_train)
logistic = LogisticRegression(tol=0.003, max_iter=1000).fit(x_train, y_train)
print("nearest neighbour   test accuracy", approx(nearest.score(x_test, y_test)))
print("logistic regression test accuracy", approx(logistic.score(x_test, y_test)))
measured("our network's       test accuracy", accuracy(reader, x_test, y_test), at_least=0.95)

# %%
logarithms = log_softmax(logits_of(reader, x_test).value)
said, confidence = logarithms.argmax(axis=1), np.exp(logarithms.max(axis=1))
mistaken = np.flatnonzero(said != y_test)
worst = mistaken[np.argsort(-confidence[mistaken])][:12]
first_layer = reader[0].value.T.reshape(-1, 28, 28)
ever = x_train.max(axis=0).reshape(28, 28)
shifts = [(down, right) for down in (-1, 0, 1) for right in (-1, 0, 1)]
never = np.all([np.roll(ever, shift, axis=(0, 1)) == 0 for shift in shifts], axis=0)
print("mistakes", approx(len(mistaken), 0), "of", len(x_test))
print("pixels that are black in all training digits, moved or not:", never.sum())

# %% tags=["hide-input"]
figures.images(
    x_test[worst].reshape(-1, 28, 28),
    [
        f"{truth}, read as {answer}"
        for truth, answer in zip(y_test[worst], said[worst], strict=True)
    ],
    columns=6,
    size=1.7,
    alt="Twelve test digits that the network reads wrongly and with confidence, each with its label and the answer:"
    " a thick block, a 2 without a foot, but most are easy for a person.",
)

# %% tags=["hide-input"]
figures.images(
    first_layer[:24],
    columns=12,
    size=1.0,
    cmap=figures.DIVERGING,
    vmin=-0.35,
    vmax=0.35,
    alt="The weights of 24 units of the first layer as pictures, red positive and blue negative on one scale:"
    " blobs and strokes in some, fine speckle in all.",
)

# %% [markdown]
# Above: the most confident mistakes, and the weights of 24 units of the first layer, red positive, blue negative.
# Some units look for strokes and for gaps beside them. The outermost corners keep the random start, shrunk by the
# decay: the weight of a pixel that is always 0 has gradient 0.
#
# ### When it learns by heart
#
# Now the network sees only 100 digits, many times over, without and with decay, three runs each, with other digits
# and starts. Predict first: what will the loss on digits that it never saw do?


# %%
def by_heart(few, others, decay, rng):
    """Loss on a few digits, loss and accuracy on others: a row every 10 of 300 steps."""
    parameters, rows = start([784, 128, 64, 10], rng), []
    rates = [0.001] * 300
    for step, _ in enumerate(learn(parameters, *few, adam, rates, rng, decay=decay)):
        if step % 10 == 0:
            both = [
                softmax_cross_entropy(logits_of(parameters, x), labels).value
                for x, labels in (few, others)
            ]
            rows.append([*both, accuracy(parameters, *others)])
    return np.array(rows)


# %%
learned = {0: [], 10: []}  # a decay of 10 takes a hundredth of each weight a step
for decay, repeats in learned.items():
    for seed in range(3):
        rng = np.random.default_rng(seed)
        few = rng.choice(7000, 100, replace=False)
        others = x_validation, y_validation
        repeats.append(by_heart((x_train[few], y_train[few]), others, decay, rng))

# %%
outcome = {}
for decay, repeats in learned.items():
    at_best = [rows[rows[:, 1].argmin()] for rows in repeats]
    at_end = [rows[-1] for rows in repeats]
    outcome[decay] = np.array([at_best, at_end])  # (2, 3 seeds, 3 numbers)
    for when, numbers in zip(("lowest", "end"), outcome[decay], strict=True):
        few_loss, other_loss, right = map(approx, np.mean(numbers, axis=0))
        print(
            f"decay {decay:2} {when:6} loss on 100 {few_loss}, others {other_loss} ({right} right)"
        )
for when, change in zip(("lowest", "end"), outcome[10] - outcome[0], strict=True):
    standard_error = change[:, 1].std(ddof=1) / 3**0.5
    print(
        f"decay changes the {when} loss by {approx(change[:, 1].mean())} ± {approx(standard_error)}"
    )

# %% tags=["hide-input"]
figure, axes = plt.subplots(1, 2, figsize=(10, 3), sharey=True)
for one, (decay, repeats) in zip(axes, learned.items(), strict=True):
    for seed, rows in enumerate(repeats):
        for which, label in enumerate(("100 training digits", "validation digits")):
            label = label if seed == 0 else None
            colour = figures.COLOURS[4 * which]
            one.plot(np.arange(0, 300, 10), rows[:, which], color=colour, lw=1.2, label=label)
    lowest = 10 * np.mean(repeats, axis=0)[:, 1].argmin()
    one.axvline(lowest, color="black", ls=":", lw=1, label="lowest validation")
    one.set(title=f"weight decay {decay}", xlabel="step", ylim=(0, 2.6))
axes[0].set_ylabel("cross-entropy")
axes[0].legend(fontsize=8)
figures.show(
    figure,
    alt="Two panels of losses against steps, three runs each. Without decay the training loss goes to zero while the"
    " validation loss falls, turns and slowly climbs. With decay the first stays above zero, the second ends lower.",
)

# %% [markdown]
# Left, **over-fitting**: beyond the dotted line the loss on the 100 digits goes to 0, and that on others climbs,
# though about as many are right. **Early stopping** keeps the weights of the step at that line. With weight decay,
# right, the loss on others ends lower, and may still fall; so far we see no difference between the lowest losses.
#
# ## 7 · Which loss?
#
# Why not always the squared error? For one yes-or-no answer $p = 1/(1 + e^{-z})$, of which the truth is yes, the
# slopes are, since $dp/dz = p\,(1 - p)$:
#
# $$-\log p: \quad \frac{\partial L}{\partial z} = p - 1 \qquad\qquad (p - 1)^2: \quad \frac{\partial L}{\partial z} = 2\,(p - 1)\,p\,(1 - p)$$


# %%
def slope_of_log(z):
    return ACTIVATIONS["sigmoid"](z) - 1


def slope_of_square(z):
    p = ACTIVATIONS["sigmoid"](z)
    return 2 * (p - 1) * p * (1 - p)


def steps_until_right(slope, z):
    """Steps of rate 1 until the answer is yes with more than one half."""
    steps = 0
    while z <= 0:
        z, steps = z - slope(z), steps + 1
    return steps


# %%
for name, slope in {"cross-entropy": slope_of_log, "squared error": slope_of_square}.items():
    print(
        f"{name}: slope at z = -6 {slope(-6.0):.4f}, right after {steps_until_right(slope, -6.0)} steps"
    )

# %% tags=["hide-input"]
figure, axes = plt.subplots(figsize=(7, 2.8))
z = np.linspace(-8, 4, 200)
axes.plot(z, slope_of_log(z), label="cross-entropy")
axes.plot(z, slope_of_square(z), label="squared error")
axes.axvspan(-8, -4, color="#eeeeee", zorder=0)
axes.text(-7.8, -0.55, "sure, and wrong")
axes.set(xlabel="z (the right answer is yes: large z)", ylabel="slope of the loss")
axes.legend(loc="lower right")
figures.show(
    figure,
    alt="Slopes of two losses against z. At confident mistakes, far left, the slope of cross-entropy is near minus"
    " one, that of the squared error near zero; at right answers both go to zero.",
)

# %% [markdown]
# Where the answer is sure and wrong, the sigmoid is flat, and squared error hears almost nothing through it. The
# logarithm cancels just that flatness.
#
# For *pictures*, squared or absolute error? Say a network cannot know at which of five equally likely places the bird
# sits. What should it paint?

# %%
bird = metrics.luma(data.photograph("kingfisher"), 1.0)[..., 0]
possible = np.stack([bird[20:150, 220 + move : 350 + move] for move in (0, 5, 10, 15, 20)])
answers = {
    "one of the five": possible[2],
    "their mean": possible.mean(axis=0),
    "their median": np.median(possible, axis=0),
}
for name, answer in answers.items():
    squared, absolute = np.mean((possible - answer) ** 2), np.mean(np.abs(possible - answer))
    print(f"{name:16} expected squared error {squared:.4f}, absolute error {absolute:.4f}")

# %% tags=["hide-input"]
figure, axes = plt.subplots(1, 5, figsize=(12, 2.7), width_ratios=[1, 1, 1, 1, 1.6])
shown = {
    "one place": possible[0],
    "another": possible[4],
    "mean": answers["their mean"],
    "median": answers["their median"],
}
for one, (name, picture) in zip(axes, shown.items(), strict=False):
    figures.draw_image(one, picture, name)
spread = np.ptp(possible, axis=0) * (
    np.abs(np.median(possible, axis=0) - possible.mean(axis=0)) > 0.1
)
values = possible[:, *np.unravel_index(spread.argmax(), spread.shape)]
guess = np.linspace(0, 1, 200)
for name, error, best_guess, colour in (
    ("squared", (values - guess[:, None]) ** 2, values.mean(), figures.COLOURS[0]),
    ("absolute", np.abs(values - guess[:, None]), np.median(values), figures.COLOURS[4]),
):
    axes[4].plot(
        guess, error.mean(axis=1), color=colour, label=f"{name}: lowest at {best_guess:.2f}"
    )
    axes[4].axvline(best_guess, color=colour, linewidth=1, linestyle=":")
axes[4].plot(values, np.zeros(5), "|", color="black", markersize=12)
axes[4].set(xlabel="guess for one pixel", ylabel="expected loss", ylim=(-0.02, 0.75))
axes[4].legend(fontsize=8, loc="upper center", frameon=True, framealpha=0.9)
figures.show(
    figure,
    alt="A kingfisher's head at two of five places; their mean, with a soft and ghostly outline; their median, with a"
    " clearer one. Beside them, for one pixel, the two expected losses as curves with their lowest points apart.",
)

# %% [markdown]
# Squared error is lowest at the **mean**, which is none of the five: that is why it blurs. Absolute error is
# lowest at the **median**, pixel by pixel, which keeps edges where most of the five agree.
#
# ## Clinic
#
# **A line that learns nothing.** No error, and a loss that settles. Before you read on: why is $w$ nearly 0?


# %% tags=["clinic"]
def fit_line(x, y):
    w = 0.0
    for _ in range(100):
        error = w * x - y
        w -= 0.2 * np.mean(2 * error * x)
    return w


column = neighbours[:, :1]  # (500, 1), as networks return it
print(
    "learned w",
    round(fit_line(column, pixel), 3) + 0.0,
    "and from the same numbers",
    round(fit_line(left, pixel), 3),
)

# %% [markdown]
# `w * x` is (500, 1) and `y` is (500,). Broadcasting makes (500, 500) of their difference: every guess meets
# every target, and the best answer to all is the targets' mean, here 0. Repair: `y[:, None]`.
#
# **Four more loops** on the digits, each with one line changed. Which curve belongs to which line?
#
# 1. `loss = softmax_cross_entropy(softmax(logits), labels)`
# 2. `gradient = gradient + node.gradient`, with `gradient = 0` before the loop and not in it
# 3. `step, rate = adam, 0.3`, where the rate was tuned for SGD
# 4. the loss is a *sum* over the batch of 100; the rate was kept


# %% tags=["clinic"]
def softmax(x):
    p = np.exp(log_softmax(x.value))
    return Node(p, [(x, lambda g: p * (g - np.sum(g * p, axis=1, keepdims=True)))])


def curve(bug, x, labels):
    """The losses of 150 steps of a small network; no bug for 0."""
    rng = np.random.default_rng(0)
    parameters = start([784, 32, 10], rng)
    memories, sums, losses = [{} for _ in parameters], [0.0] * 4, []
    for _ in range(150):
        batch = rng.choice(len(x), 100)
        logits = logits_of(parameters, x[batch])
        loss = softmax_cross_entropy(softmax(logits) if bug == 1 else logits, labels[batch])
        backward(loss)
        for place, node in enumerate(parameters):
            sums[place] = sums[place] + node.gradient
            gradient = {2: sums[place], 4: 100 * node.gradient}.get(bug, node.gradient)
            node.value = (adam if bug == 3 else sgd)(node.value, gradient, memories[place], 0.3)
        losses.append(float(loss.value))
    return losses


# %% tags=["clinic"]
bugs = np.random.default_rng(50).permutation([1, 2, 3, 4])  # so that the code does not tell
ill = {letter: curve(bug, x_train, y_train) for letter, bug in zip("ABCD", bugs, strict=True)}
healthy = curve(0, x_train, y_train)
print(f"lowest loss there can be after two softmaxes: {-log_softmax(np.eye(10))[0, 0]:.2f}")
for letter, values in {**ill, "healthy": healthy}.items():
    print(f"{letter:8} mean loss of the last 50 steps {approx(np.mean(values[-50:]), 2)}")

# %% tags=["clinic", "hide-input"]
figure, axes = plt.subplots(1, 4, figsize=(12, 2.7), sharey=True)
for one, (letter, values) in zip(axes, ill.items(), strict=True):
    one.plot(healthy, color="#999999", linewidth=1, label="healthy")
    one.plot(values, color=figures.COLOURS[4], linewidth=1.2, label=letter)
    one.set(title=f"curve {letter}", xlabel="step", yscale="log")
    one.legend(fontsize=8, loc="upper right")
axes[0].set_ylabel("loss")
figures.show(
    figure,
    alt="Four panels of loss against step, each with the healthy curve in grey, which falls. A leaps up and settles far"
    " above the grey one, B falls a little and stays flat, C leaps highest, D dips and then swings about where it began.",
)

# %% [markdown]
# **A is 3.** Adam's steps are about as long as its rate, whatever the gradient: give it its own, 0.001 to begin
# with. **B is 1.** The second softmax gets numbers between 0 and 1 and is never sure, hence the floor printed
# above: give the loss logits. **C is 4.** The sum's gradient is a hundred times as long: take the mean. **D is
# 2.** Gradients that add up are momentum that never slows, 1 in place of 0.9: start each step from 0, as our
# `backward` does.
#
# ### E4.6 ★★★ Which gradient is wrong?
# Write `which_are_wrong(loss, weights, claimed)`, a **gradient check**. `weights` and `claimed` are lists of
# float arrays of the same shapes; `loss(weights)` is a number. Return a list, `True` for each array that is wrong: an
# entry of its claimed gradient differs from the quotient of nudges up and down by more than a thousandth of the
# array's largest such quotient, signs aside (or 1e-6, if that is larger). Weights may be as large as 1,000.


# %% tags=["exercise"]
def which_are_wrong(loss, weights, claimed):
    raise NotImplementedError("E4.6: return a list of True and False")


# %%
check.e4_6(which_are_wrong)


# %% tags=["solution"]
def which_are_wrong(loss, weights, claimed):
    answers = []
    for array, claim in zip(weights, claimed, strict=True):
        true = np.zeros(array.shape)
        for index in np.ndindex(array.shape):
            kept, losses = array[index], []
            step = 1e-5 * max(1, abs(kept))
            for array[index] in (kept + step, kept - step):
                losses.append(loss(weights))
            array[index] = kept
            true[index] = (losses[0] - losses[1]) / (2 * step)
        allowed = max(1e-3 * np.abs(true).max(), 1e-6)
        answers.append(bool(np.any(np.abs(true - claim) > allowed)))
    return answers


check.e4_6(which_are_wrong)

# %% [markdown]
# ## Summary
#
# - The gradient points uphill: step against it, by the learning rate.
# - Without activations many layers are one.
# - The chain rule gets all slopes in one run back; several ways add up.
# - He's start keeps values and gradients level through ReLU layers.
# - Momentum gathers speed, RMSprop and Adam scale each weight's step; each needs its own rate.
# - Hold examples back, choose and stop by them, and test once.
# - Cross-entropy hears a confident mistake; squared error paints the mean, absolute error the median.
#
# ## Glossary
#
# | English | 中文 | in one sentence |
# |---|---|---|
# | perceptron | 感知机 | a weighted sum, a bias, and the sign |
# | gradient, partial derivative | 梯度、偏导数 | all slopes; the slope of one weight |
# | (stochastic) gradient descent, SGD | (随机)梯度下降 | stepping against the gradient (of a batch) |
# | learning rate, schedule | 学习率、学习率调度 | how far a step goes; how that changes |
# | multi-layer perceptron (MLP) | 多层感知机 | dense layers, activations between |
# | activation | 激活函数 | bends each number |
# | logit, softmax | 对数几率、归一化指数函数 | one number for each class; probabilities of these |
# | cross-entropy | 交叉熵 | minus the logarithm of what the right class got |
# | chain rule, backpropagation | 链式法则、反向传播 | slopes multiply, from the loss back |
# | automatic differentiation | 自动微分 | a program that does so for any formula |
# | vanishing, exploding gradient | 梯度消失、梯度爆炸 | it shrinks or grows with each layer |
# | initialisation | 初始化 | how weights start |
# | optimiser, momentum | 优化器、动量 | turns gradients into steps; a speed that lasts |
# | batch, epoch | 批、轮次 | the examples of one step; once through all |
# | over-fitting | 过拟合 | better on its own examples, worse on others |
# | weight decay | 权重衰减 | shrinking all weights in each step |
# | early stopping | 早停 | keeping the weights of the lowest validation loss |
# | gradient check | 梯度检验 | comparing with difference quotients |
#
# ## What to read next
#
# - Frank Rosenblatt, *The perceptron*, 1958.
# - David Rumelhart and others, *Learning representations by back-propagating errors*, 1986.
# - Kaiming He and others, *Delving deep into rectifiers*, 2015: He's start.
# - Diederik Kingma and Jimmy Ba, *Adam: a method for stochastic optimization*, 2015.
# - Ilya Loshchilov and Frank Hutter, *Decoupled weight decay regularization*, 2019.
