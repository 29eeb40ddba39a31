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
# # 03 · Pooling
#
# **Networks make pictures smaller and smaller. What survives, what is lost, and how much does one number at
# the end see?**
#
# - **You will be able to** write pooling and its gradient, measure what a shift does, compute which pixels an
#   output can see, and say what cannot be brought back.
# - **You need** [lesson 02](02_convolution.ipynb): windows, stride, padding, output size, gradients.
# - **Time**: about two hours with the exercises; the cells run in under a minute.

# %%
import keras
import matplotlib.pyplot as plt
import numpy as np
import scipy.ndimage
import scipy.optimize
import tensorflow as tf
from numpy.lib.stride_tricks import sliding_window_view
from skimage.measure import block_reduce
from skimage.metrics import peak_signal_noise_ratio

from course_utils import data, figures
from course_utils.checks import lesson_03 as check

# %% [markdown]
# One photograph, halved five times. Each $2\times2$ block becomes one pixel: its maximum, its average or its
# first pixel.

# %%
photo = data.photograph("hawa_mahal")
grey = photo @ np.array([0.299, 0.587, 0.114], np.float32)
SHRINK = {
    "maximum": lambda picture: block_reduce(picture, (2, 2, 1), np.max),
    "average": lambda picture: block_reduce(picture, (2, 2, 1), np.mean),
    "first pixel": lambda picture: picture[::2, ::2],
}
print("photograph", photo.shape, "grey", grey.shape)

# %%
halved = {name: [photo] for name in SHRINK}
for name, shrink in SHRINK.items():
    for _ in range(5):
        halved[name].append(shrink(halved[name][-1]))

# %% tags=["hide-input"]
figure, axes = plt.subplots(3, 5, figsize=(12, 6.4))
for (name, pictures), row in zip(halved.items(), axes, strict=True):
    for one, picture in zip(row, pictures[1:], strict=True):
        figures.draw_image(one, picture, f"{name}, {picture.shape[0]} × {picture.shape[1]}")
figures.show(
    figure,
    alt="A palace front halved five times in three ways. By maximum it grows brighter and"
    " its dark windows vanish; by average it fades into even colours; by keeping the"
    " first pixel it turns into false stripes and speckles.",
)

# %% [markdown]
# The maximum lets bright things grow and swallows dark windows. The average keeps the brightness and gives up
# contrast. The first pixel keeps contrast and tells lies: fine patterns turn into coarse false ones (**aliasing**,
# lesson 01).

# %% [markdown]
# ## 1 · What is a pool?
#
# Lay windows of $k\times k$ pixels over the picture, $s$ pixels apart (the **stride**), as in lesson 02. Each
# window gives one number, its maximum or its average. There are no weights, and channels do not mix:
#
# $$y_{n,r,c,m} = \max_{0\le i,j<k} x_{n,\,sr+i,\,sc+j,\,m}
# \qquad y_{n,r,c,m} = \frac{1}{k^2}\sum_{i,j} x_{n,\,sr+i,\,sc+j,\,m}$$


# %%
def pool_by_loops(x, size, stride, reduce):
    """Pool (H, W) with square windows; reduce is np.max or np.mean."""
    rows, columns = (x.shape[0] - size) // stride + 1, (x.shape[1] - size) // stride + 1
    y = np.empty((rows, columns))
    for r, c in np.ndindex(y.shape):
        y[r, c] = reduce(x[r * stride : r * stride + size, c * stride : c * stride + size])
    return y


# %%
rng = np.random.default_rng(3)
x = rng.integers(0, 10, (6, 6)).astype(float)
y_max, y_average = pool_by_loops(x, 2, 2, np.max), pool_by_loops(x, 2, 2, np.mean)
print(y_max, y_average, sep="\n\n")

# %% tags=["hide-input"]
figure, axes = figures.grid(3, size=3.2)
figures.draw_numbers(axes[0], x, "input, winners ringed", limit=12)
for edge in (1.5, 3.5):
    axes[0].axhline(edge, color="black")
    axes[0].axvline(edge, color="black")
rows, columns = np.nonzero(x == np.kron(y_max, np.ones((2, 2))))
axes[0].plot(columns, rows, "ko", markersize=26, fillstyle="none", markeredgewidth=2)
figures.draw_numbers(axes[1], y_max, "maximum of each window", limit=12)
figures.draw_numbers(axes[2], y_average, "average of each window", digits=2, limit=12)
figures.show(
    figure,
    alt="A six by six grid of digits cut into nine windows of two by two, the largest"
    " numbers of each ringed, twice where two are equal; beside it the three by three"
    " grids of the nine maxima and of the nine averages.",
)

# %% [markdown]
# Each maximum is one of the four numbers; each average mixes all four. Now a batch at once. Where windows touch
# ($k=s$), a `reshape` splits each side into (window, place in the window): `np.arange(6).reshape(3, 2)` is three
# windows of two.


# %%
def pool_by_windows(batch, size, stride, reduce):
    """Pool (N, H, W, C) -> (N, H', W', C) with windows that may overlap."""
    windows = sliding_window_view(batch, (size, size), axis=(1, 2))[:, ::stride, ::stride]
    return reduce(windows, axis=(-2, -1))  # windows: (N, H', W', C, size, size)


def pool_by_reshape(batch, size, reduce):
    """Pool (N, H, W, C) with windows that touch; H and W must be multiples of size."""
    count, height, width, channels = batch.shape
    blocks = batch.reshape(count, height // size, size, width // size, size, channels)
    return reduce(blocks, axis=(2, 4))


# %%
batch = rng.normal(size=(2, 12, 15, 4))
one_map = batch[0, ..., 0]
POOLS = {
    "maximum": (np.max, keras.ops.max_pool),
    "average": (np.mean, keras.ops.average_pool),
}
for name, (reduce, library) in POOLS.items():
    touching, overlapping = library(batch, 3, 3), library(batch, 3, 2)
    print(name, touching.shape, "and", overlapping.shape, "agree with Keras:")
    print("  loops  ", np.allclose(pool_by_loops(one_map, 3, 3, reduce), touching[0, ..., 0]))
    print("  reshape", np.allclose(pool_by_reshape(batch, 3, reduce), touching))
    print("  windows", np.allclose(pool_by_windows(batch, 3, 2, reduce), overlapping))

# %% [markdown]
# ### E3.1 ★ Average without a loop
# Write `average_pool`, which pools a batch (N, H, W, C) with touching windows of `size` × `size`. Rows and
# columns at the bottom and right that do not fill a window are left out.


# %% tags=["exercise"]
def average_pool(batch, size):
    raise NotImplementedError("E3.1: return an array (N, H // size, W // size, C)")


# %%
check.e3_1(average_pool)


# %% tags=["solution"]
def average_pool(batch, size):
    count, height, width, channels = batch.shape
    rows, columns = height // size, width // size
    whole = batch[:, : rows * size, : columns * size]
    return whole.reshape(count, rows, size, columns, size, channels).mean(axis=(2, 4))


check.e3_1(average_pool)

# %% [markdown]
# ### And at the rim?
#
# With padding, some windows hang over the edge. A convolution fills in zeros. **Should pooling?** Average a picture
# of ones.

# %%
ones = np.ones((5, 5))
by_zeros = pool_by_loops(np.pad(ones, 1), 3, 1, np.mean)
by_keras = keras.ops.average_pool(ones[None, ..., None], 3, 1, padding="same")[0, ..., 0]
negative = keras.ops.max_pool(-ones[None, ..., None], 3, 1, padding="same")[0, ..., 0]
print("Keras divides by the pixels that exist:", np.all(by_keras == 1))
print("and its maximum of minus ones is", np.unique(negative), "at the rim too")

# %% tags=["hide-input"]
figure, axes = figures.grid(2, size=3)
figures.draw_numbers(axes[0], by_zeros, "zeros counted", digits=2, limit=1.5)
figures.draw_numbers(axes[1], by_keras, "Keras: not counted", digits=2, limit=1.5)
figures.show(
    figure,
    alt="Averages of a picture of ones with a window of three. Counting padding zeros gives"
    " four ninths in the corners and two thirds along the sides; Keras gives one"
    " everywhere.",
)

# %% [markdown]
# Keras leaves padding out of the average and of the maximum.

# %% [markdown]
# ## 2 · Who gets the gradient?
#
# As in lesson 02, somebody hands us $g_{r,c} = \partial L/\partial y_{r,c}$ for each output. A pixel under an
# average moves it by $1/k^2$. A pixel under a maximum moves it one to one if it is the **winner**, otherwise not at
# all. Over all windows that hold a pixel, the effects add up (the chain rule).


# %%
def average_pool_gradient(x, g, size, stride):
    """Gradient of L for y = average pool of x (H, W), from g = dL/dy (H', W')."""
    gradient = np.zeros_like(x)
    for r, c in np.ndindex(g.shape):
        window = np.s_[r * stride : r * stride + size, c * stride : c * stride + size]
        gradient[window] += g[r, c] / size**2
    return gradient


def max_pool_gradient(x, g, size, stride):
    """The same for the maximum: the first winner of each window gets it all."""
    gradient = np.zeros_like(x)
    for r, c in np.ndindex(g.shape):
        window = x[r * stride : r * stride + size, c * stride : c * stride + size]
        # argmax numbers the window's pixels row by row; unravel_index turns that into row, column
        i, j = np.unravel_index(window.argmax(), window.shape)
        gradient[r * stride + i, c * stride + j] += g[r, c]
    return gradient


# %% [markdown]
# Two witnesses again: finite differences and TensorFlow's tape.


# %%
def by_nudging(x, g, size, stride, reduce):
    def loss(pixels):
        return np.sum(g * pool_by_loops(pixels.reshape(x.shape), size, stride, reduce))

    return scipy.optimize.approx_fprime(x.ravel(), loss, 1e-6).reshape(x.shape)


def by_tape(x, g, size, stride, library):
    picture = tf.Variable(x[None, ..., None])
    with tf.GradientTape() as tape:
        y = library(picture, size, stride)
        loss = tf.reduce_sum(g[None, ..., None] * y)
    return tape.gradient(loss, picture)[0, ..., 0]


# %%
x, g = rng.normal(size=(7, 7)), rng.normal(size=(3, 3))
GRADIENTS = {"maximum": max_pool_gradient, "average": average_pool_gradient}
for name, (reduce, library) in POOLS.items():
    ours = GRADIENTS[name](x, g, 3, 2)
    nudged, taped = by_nudging(x, g, 3, 2, reduce), by_tape(x, g, 3, 2, library)
    print(name, "agrees with finite differences", np.allclose(ours, nudged, atol=1e-6))
    print(name, "agrees with autodiff          ", np.allclose(ours, taped))

# %% [markdown]
# A small case: overlapping windows of three, two apart, and $g=1$ everywhere. **Which pixels will get a gradient of
# the maximum?**

# %%
x = np.array(
    [[1, 2, 0, 3, 1], [4, 0, 2, 1, 5], [0, 3, 8, 0, 2], [6, 1, 0, 2, 7], [2, 0, 1, 9, 0.0]]
)
g = np.ones((2, 2))
panels = {
    "input": x,
    "maxima, windows of 3 every 2": pool_by_loops(x, 3, 2, np.max),
    "gradient of the maximum": max_pool_gradient(x, g, 3, 2),
    "gradient of the average × 9": 9 * average_pool_gradient(x, g, 3, 2),
}

# %% tags=["hide-input"]
figure, axes = figures.grid(4, size=2.9)
for one, (title, values) in zip(axes, panels.items(), strict=True):
    figures.draw_numbers(one, values, title, limit=10 if values.max() > 4 else 5)
figures.show(
    figure,
    alt="A five by five input with an eight in the middle, where all four windows overlap,"
    " and a nine in one of them. The gradient of the maximum is three at the eight, one"
    " at the nine, zero elsewhere; that of the average covers all pixels, more where"
    " windows overlap.",
)

# %% [markdown]
# The eight lies in all four windows and wins three; the nine takes the fourth.
#
# ### And when two pixels tie?
#
# Then the maximum has a kink, and no single slope is right.

# %%
tied = tf.Variable(tf.ones((1, 2, 2, 1)))
with tf.GradientTape(persistent=True) as tape:  # persistent: we ask it twice
    by_pooling = tf.nn.max_pool2d(tied, 2, 2, "VALID")
    by_reduction = tf.reduce_max(tied)
print("max_pool2d\n", tape.gradient(by_pooling, tied)[0, ..., 0].numpy())
print("reduce_max\n", tape.gradient(by_reduction, tied)[0, ..., 0].numpy())
slopes = [(np.max([1 + step, 1, 1, 1]) - 1) / step + 0 for step in (0.5, -0.5)]  # + 0: no -0.0
print("slope of the maximum, one pixel nudged up or down:", *slopes)

# %% [markdown]
# On a CPU TensorFlow's pool gives everything to the first pixel, and its `reduce_max` shares evenly. Both are
# allowed: each share lies between the two slopes, and the shares add up to one. Among bytes, ties are no rarity:

# %%
green = np.round(255 * photo[..., 1]).astype(int)
blocks = green.reshape(192, 2, 256, 2)
winners = (blocks == blocks.max(axis=(1, 3), keepdims=True)).sum(axis=(1, 3))
print(f"2 x 2 windows of the photograph's green channel with a tie: {np.mean(winners > 1):.1%}")

# %% [markdown]
# ### E3.2 ★★ Share among the tied
# Write `shared_gradient`, the gradient of a max pool with touching windows: pixels that tie for a window's maximum
# share its gradient evenly. `x` is (H, W) with sides that are multiples of `size`, `g` is (H // size, W // size).
# (`np.kron(a, np.ones((2, 2)))` repeats each number of `a` in a square of two by two.)


# %% tags=["exercise"]
def shared_gradient(x, g, size):
    raise NotImplementedError("E3.2: return an array of the shape of x")


# %%
check.e3_2(shared_gradient)


# %% tags=["solution"]
def shared_gradient(x, g, size):
    spread = np.ones((size, size))
    wins = x == np.kron(block_reduce(x, size, np.max), spread)
    return wins * np.kron(g / block_reduce(wins, size, np.sum), spread)


check.e3_2(shared_gradient)

# %% [markdown]
# ## 3 · What does a shift do?
#
# Pooling is said to make a network **invariant**: move the picture a little and the output stays. Try it with
# windows of two on a row of pixels, moved by one.

# %%
row = np.array([[0, 0, 1, 1, 0, 0, 1, 1, 0, 0]])
rows = {"a row": row, "moved by one": np.roll(row, 1)}
maxima = {name: values.reshape(1, 5, 2).max(axis=-1) for name, values in rows.items()}

# %% tags=["hide-input"]
figure, axes = plt.subplots(2, 2, figsize=(10, 2.4), width_ratios=[2, 1])
for (left, right), (name, values) in zip(axes, rows.items(), strict=True):
    figures.draw_numbers(left, values, name, limit=1.5)
    for edge in range(0, 11, 2):
        left.axvline(edge - 0.5, color="black")
    figures.draw_numbers(right, maxima[name], "maxima of its windows", limit=1.5)
figures.show(
    figure,
    alt="A row of two zeros and two ones in turn, cut into windows of two: the maxima"
    " alternate, zero, one, zero, one, zero. Moved by one pixel, every window but the"
    " first holds a one.",
)

# %% [markdown]
# Moved by one pixel, stripes turn nearly flat. Why? A pool with a stride is a **dense** pool (stride 1),
# then **subsampling**, keeping every $s$-th pixel:


# %%
def every(picture, stride=8):
    """Keep every stride-th pixel, from the middle of the first window on."""
    return picture[stride // 2 :: stride, stride // 2 :: stride]


dense_maximum = scipy.ndimage.maximum_filter(grey, 8)
strided_by_keras = keras.ops.max_pool(grey[None, ..., None], 8, 8)[0, ..., 0]
same = np.array_equal(every(dense_maximum), strided_by_keras)
print("dense maximum, then every 8th = Keras max_pool:", same)

# %% [markdown]
# The dense pool does not stay, but follows the picture (it is **equivariant**); the subsampling does the harm: aliasing
# again. The cure is to blur first (Zhang, 2019). We put six dense operations before subsampling with $s=8$. Edge
# finder, maximum and average have windows 8 wide, maximum and blur together 22, the wide average 15:

# %%
TRIANGLE = np.bartlett(17)[1:-1] / 8  # 15 weights that rise, fall and add up to one
EDGE_FINDER = np.repeat([[-1, 1]], 4, axis=1) * np.ones((8, 1)) / 64  # right half minus left half


def blur(picture):
    down = scipy.ndimage.correlate1d(picture, TRIANGLE, axis=0)
    return scipy.ndimage.correlate1d(down, TRIANGLE, axis=1)


DENSE = {
    "convolution, edge finder": lambda picture: scipy.ndimage.correlate(picture, EDGE_FINDER),
    "nothing": lambda picture: picture,
    "maximum": lambda picture: scipy.ndimage.maximum_filter(picture, 8),
    "average": lambda picture: scipy.ndimage.uniform_filter(picture, 8),
    "maximum, then blur": lambda picture: blur(scipy.ndimage.maximum_filter(picture, 8)),
    "wide average": lambda picture: scipy.ndimage.uniform_filter(picture, 15),
}
print("weights add up to: triangle", TRIANGLE.sum(), "edge finder", EDGE_FINDER.sum())

# %% [markdown]
# The change is the typical difference (root of the mean square), divided by $\sqrt2$ times the output's spread (its
# standard deviation): 0 if nothing changed, about 1 for unrelated outputs (squared spreads add), more for opposed ones.
# We compare with the output as it was (does it stay?) and moved by the nearest whole number of *output* pixels (does it
# follow?). **At which shifts will it follow exactly?**


# %%
def pool_shifted(dense, picture, shift, stride=8):
    """Move the picture left, pool it, and leave out two outputs at each rim."""
    width = picture.shape[1] - 64
    return every(dense(picture[:, shift : shift + width]), stride)[2:-2, 2:-2]


def change(after, before):
    return np.sqrt(np.mean((after - before) ** 2)) / (np.sqrt(2) * before.std())


# %%
shifts = range(17)
stays, follows = {}, {}
for name, dense in DENSE.items():
    outputs = [pool_shifted(dense, grey, shift) for shift in shifts]
    stays[name], follows[name] = [], []
    for shift, output in zip(shifts, outputs, strict=True):
        whole = round(shift / 8)  # outputs to move by
        stays[name].append(change(output, outputs[0]))
        overlap = output.shape[1] - whole
        follows[name].append(change(output[:, :overlap], outputs[0][:, whole:]))

# %% tags=["hide-input"]
figure, axes = plt.subplots(1, 2, figsize=(11, 4.8), sharey=True)
for one, curves in zip(axes, (stays, follows), strict=True):
    for name, values in curves.items():
        one.plot(shifts, values, "o-", markersize=4, label=name)
    one.set(xlabel="shift of the picture in pixels (stride 8)", xticks=range(0, 17, 4), ylim=0)
axes[0].set_title("Does the output stay?")
axes[1].set_title("Does it follow?")
axes[0].set_ylabel("relative change")
figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
figures.show(
    figure,
    alt="Change of six pooled outputs against shifts from 0 to 16 pixels. Left, against the"
    " unmoved output, the edge finder passes one at four pixels; the others rise, the smoothed"
    " ones slowest. Right, against the output moved along, all are zero at 0, 8 and 16 and"
    " have arches between, highest for the edge finder, lowest for the two that smooth widely.",
)

# %%
print("change after a shift of 6 pixels, three quarters of a stride: stays, follows")
for name in DENSE:
    print(f"{name:25} {stays[name][6]:.2f} {follows[name][6]:.2f}")
exact = all(max(values[8], values[16]) < 1e-5 for values in follows.values())
print("all follow exactly at 8 and 16:", exact)

# %% [markdown]
# Left: no output stays. Pooling slows the change down, and wide smoothing most: the average of 15 pixels
# does about as well as maximum and blur. Right: all follow exactly at multiples of the stride, and only there.
#
# Now one row of outputs, for shifts of 0, 1, 2, … one under the other. An output that follows perfectly draws straight
# slanted lines.

# %%
tracks = {
    name: [pool_shifted(DENSE[name], grey, shift)[25, 6:46] for shift in range(64)]
    for name in ("nothing", "maximum", "average", "maximum, then blur")
}

# %% tags=["hide-input"]
figure, axes = plt.subplots(1, 4, figsize=(12, 4.4), sharey=True)
for one, (name, rows) in zip(axes, tracks.items(), strict=True):
    image = one.imshow(rows, aspect="auto", vmin=0.45, vmax=0.87)
    one.set(title=name, xlabel="output pixel")
axes[0].set_ylabel("shift of the picture in pixels")
figure.colorbar(image, ax=axes, label="output (black: 0.45 and less)", extend="min")
figures.show(
    figure,
    alt="One row of outputs against the shift of the picture, all panels on one grey"
    " scale. With nothing before the subsampling: scattered dots. Maximum: stairs and dashes."
    " Average: finer stairs. Maximum, then blur: smooth lines.",
)

# %% [markdown]
# The maximum draws stairs: a bright pixel stays in a window for eight shifts, then jumps to the next. After a blur
# the lines are smooth, and wider.

# %% [markdown]
# ### E3.3 ★★ Subsample without aliasing
# Write `blur_pool` for a picture (H, W): blur it with the weights ¼, ½, ¼ down and across, then keep every
# second pixel, beginning with the first. At the rim mirror the picture about its outermost pixels
# (`np.pad(..., mode="reflect")`).


# %% tags=["exercise"]
def blur_pool(picture):
    raise NotImplementedError("E3.3: return half the size, rounded up")


# %%
check.e3_3(blur_pool)


# %% tags=["solution"]
def blur_pool(picture):
    weights = np.outer([1, 2, 1], [1, 2, 1]) / 16
    windows = sliding_window_view(np.pad(picture, 1, mode="reflect"), (3, 3))[::2, ::2]
    return np.einsum("rcij,ij->rc", windows, weights)


check.e3_3(blur_pool)

# %% [markdown]
# ## 4 · Pooling, or a stride?
#
# Many networks halve their feature maps with a strided convolution instead. What does it cost?

# %%
layers = [
    keras.layers.MaxPooling2D(2),
    keras.layers.AveragePooling2D(2),
    keras.layers.DepthwiseConv2D(2, strides=2, use_bias=False),
    keras.layers.Conv2D(64, 2, strides=2, use_bias=False),
]
for layer in layers:
    layer.build((None, 32, 32, 64))
    shape = layer.compute_output_shape((None, 32, 32, 64))
    weights = layer.count_params()
    products = shape[1] * shape[2] * weights
    print(f"{type(layer).__name__:17} {shape} weights {weights:6,} products {products:10,}")

# %% [markdown]
# Average pooling *is* a strided convolution: one kernel a channel (**depthwise**, lesson 02) with every weight
# $1/k^2$. Max pooling is none. A convolution is **linear**: its answer to a sum is the sum of its answers. The
# maximum is not. It needs a bend such as the **ReLU** ("rectified linear unit"), $\max(0, x)$, which sets negative
# numbers to zero: $\max(a,b)=a+\text{ReLU}(b-a)$.

# %%
kernel = np.full((2, 2, 4, 1), 1 / 4)
convolved, pooled = keras.ops.depthwise_conv(batch, kernel, 2), keras.ops.average_pool(batch, 2, 2)
print("average pooling is a convolution:", np.allclose(convolved, pooled))
a, b = np.array([1.0, 0.0]), np.array([0.0, 1.0])
print("max(a + b) =", np.max(a + b), " max(a) + max(b) =", np.max(a) + np.max(b))
print("max(1, 5) = 1 + relu(5 - 1) =", 1 + keras.ops.relu(5.0 - 1.0).numpy())

# %% [markdown]
# So a strided convolution can learn average pooling and much else, for the price of its weights.

# %% [markdown]
# ### E3.4 ★★★ Between average and maximum
# The **generalised mean** $\big(\frac1n\sum_i v_i^{\,p}\big)^{1/p}$ of numbers $v_i \ge 0$ is the average for
# $p=1$ and tends to the maximum as $p$ grows. Write `generalised_mean`, which pools the last axis of `windows`
# (…, n). It must also work for windows of zeros, and for a power of 300, where $v^p$ leaves the range of floats.


# %% tags=["exercise"]
def generalised_mean(windows, power):
    raise NotImplementedError("E3.4: return an array without the last axis")


# %%
check.e3_4(generalised_mean)


# %% tags=["solution"]
def generalised_mean(windows, power):
    largest = windows.max(axis=-1, keepdims=True)
    fractions = windows / np.where(
        largest > 0, largest, 1
    )  # from 0 to 1: no power of them overflows
    return largest[..., 0] * np.mean(fractions**power, axis=-1) ** (1 / power)


check.e3_4(generalised_mean)

# %% [markdown]
# ## 5 · What does one output see?
#
# The pixels that can influence an output are its **receptive field**. Go through the layers with two numbers:
# $r_l$, the field's width after $l$ layers, and $j_l$, the **jump**, the input pixels from one output to the next. A
# kernel of size $k_l$ adds $k_l-1$ steps of the jump before it (times the dilation $d_l$), and a stride multiplies
# the jump:
#
# $$r_l = r_{l-1} + (k_l - 1)\,d_l\,j_{l-1} \qquad j_l = j_{l-1}\,s_l \qquad r_0 = j_0 = 1$$
#
# **Guess**: how wide is the field after seven 3 × 3 convolutions, pooled by 2 after every second?


# %%
def receptive_field(layers):
    """Width and jump, in input pixels, after layers of (kernel_size, stride, dilation)."""
    width, jump = 1, 1
    for kernel_size, stride, dilation in layers:
        width += (kernel_size - 1) * dilation * jump
        jump *= stride
    return width, jump


CONVOLUTION, POOLING = (3, 1, 1), (2, 2, 1)
NETWORK = [CONVOLUTION, CONVOLUTION, POOLING] * 3 + [CONVOLUTION]
for depth in range(1, len(NETWORK) + 1):
    name = "convolution 3" if NETWORK[depth - 1] == CONVOLUTION else "pooling 2"
    print(f"{depth:2} {name:13} width and jump", receptive_field(NETWORK[:depth]))

# %% [markdown]
# Is it true? Build the network with average pooling and positive random weights, so that nothing can cancel, and ask
# the tape which pixels move the middle output.


# %%
def random_network(layers, pooling=keras.layers.AveragePooling2D, seed=0):
    """A one-channel network of (kernel_size, stride, dilation) with weights from 0.01 to 1."""
    model = keras.Sequential([keras.Input((None, None, 1))])
    for number, (kernel_size, stride, dilation) in enumerate(layers):
        if (kernel_size, stride, dilation) == POOLING:
            model.add(pooling(2))
            continue
        options = {"strides": stride, "dilation_rate": dilation, "use_bias": False}
        weights = keras.initializers.RandomUniform(0.01, 1, seed=seed + number)
        model.add(keras.layers.Conv2D(1, kernel_size, kernel_initializer=weights, **options))
    return model


# %%
def sight(model, size=80, seed=0):
    """|d middle output / d input|, (size, size), its largest value scaled to 1."""
    picture = tf.Variable(np.random.default_rng(seed).random((1, size, size, 1)), dtype=tf.float32)
    with tf.GradientTape() as tape:
        output = model(picture)
        middle = output[0, output.shape[1] // 2, output.shape[2] // 2, 0]
    gradient = np.abs(tape.gradient(middle, picture).numpy()[0, ..., 0])
    return gradient / gradient.max()


def seen(gradient):
    """Top, left, height and width of the box around all pixels that are seen."""
    rows, columns = np.flatnonzero(gradient.any(axis=1)), np.flatnonzero(gradient.any(axis=0))
    return rows[0], columns[0], np.ptp(rows) + 1, np.ptp(columns) + 1


# %%
average_sight = sight(random_network(NETWORK))
max_sight = sight(random_network(NETWORK, keras.layers.MaxPooling2D))
top, left, height, width = seen(average_sight)
print("formula", receptive_field(NETWORK)[0], " gradient", height, "x", width)
share = average_sight / average_sight.sum()
middle = share[top + height // 4 : top + 3 * height // 4, left + width // 4 : left + 3 * width // 4]
print(f"the middle quarter of the box holds {middle.sum():.0%} of the gradient")
reached = np.count_nonzero(max_sight) / np.count_nonzero(average_sight)
print(f"with max pooling {reached:.0%} of the pixels get any gradient")

# %%
columns, profile = np.arange(80), share.sum(axis=0)
centre = np.sum(columns * profile)
spread = np.sqrt(np.sum((columns - centre) ** 2 * profile))
bell = np.exp(-0.5 * ((columns - centre) / spread) ** 2) / (spread * np.sqrt(2 * np.pi))

# %% tags=["hide-input"]
figure, axes = plt.subplots(1, 3, figsize=(12, 3.7))
for one, values in zip(axes, (average_sight, max_sight), strict=False):
    figures.draw_image(one, values, cmap=figures.SEQUENTIAL)
    corner = (left - 0.5, top - 0.5)
    one.add_patch(plt.Rectangle(corner, width, height, fill=False, color="white", linestyle="--"))
    figure.colorbar(one.images[0], ax=one, shrink=0.8, label="gradient, largest = 1")
axes[0].set_title("seen through average pooling")
axes[1].set_title("seen through max pooling")
axes[2].plot(columns, profile, label="gradient, summed down")
axes[2].plot(columns, bell, "--", label="Gaussian of its width")
axes[2].axvspan(left - 0.5, left + width - 0.5, color="0.93", zorder=0, label="receptive field")
axes[2].set(title="average pooling, summed down", xlabel="column in pixels", ylim=(0, 0.07))
axes[2].set_ylabel("share of the gradient")
axes[2].legend(loc="upper left", fontsize=9)
figures.show(
    figure,
    alt="Gradient pictures of the middle output: with average pooling a soft blob inside a"
    " dashed box that the formula predicts, with max pooling a patchy one in the same"
    " box. The profile is close to a Gaussian, near zero at the box's sides.",
)

# %% [markdown]
# All pixels with a gradient (dashed box) fit the formula. Yet the output hardly looks at the outskirts: many paths lead
# to it from the middle, few from a corner. The profile is nearly a bell, a Gaussian; the bright part is the **effective
# receptive field** (Luo and others, 2016). Max pooling makes it patchy: only winners are heard.
#
# What makes the field grow? Eight layers of four kinds:

# %%
KINDS = {
    "3 × 3 convolutions": [CONVOLUTION] * 8,
    "pooling in every second": [CONVOLUTION, POOLING] * 4,
    "stride 2 in every second": [CONVOLUTION, (3, 2, 1)] * 4,
    "dilation 1, 2, 4, 8, …": [(3, 1, 2**number) for number in range(8)],
}
fields = {
    name: [receptive_field(layers[:depth]) for depth in range(9)] for name, layers in KINDS.items()
}

# %% tags=["hide-input"]
figure, axes = plt.subplots(figsize=(8, 3.8))
for (name, field), marker in zip(fields.items(), "osD^", strict=True):
    widths, jumps = zip(*field, strict=True)
    label = f"{name}; jump {jumps[-1]}"
    axes.plot(range(9), widths, marker + "-", markersize=5, label=label)
axes.set(xlabel="layers", ylabel="receptive field in pixels (log scale)", yscale="log")
axes.set_yticks([1, 4, 16, 64, 256], labels=[1, 4, 16, 64, 256])
axes.minorticks_off()
axes.legend()
figures.show(
    figure,
    alt="Receptive field against depth on a logarithmic scale: plain convolutions grow"
    " ever more slowly, pooling and strides faster and in zigzags, doubling dilation"
    " fastest, nearly in a straight line.",
)

# %%
for name, layers in KINDS.items():
    formula = receptive_field(layers[:5])[0]
    gradient = seen(sight(random_network(layers[:5]), size=160))[3]
    print(f"{name:25} 5 layers: formula {formula:3}, gradient {gradient:3}")

# %% [markdown]
# Plain convolutions add two pixels a layer. Pooling and strides double the jump: exponential growth, for the price
# of resolution. Dilation, which doubles in every layer (the jumps in every second), grows fastest here and keeps every
# output (jump 1), for the price of computing at full size.
#
# At the end of a classifier, **global average pooling** takes the mean of each channel over *all* positions,
# $(N,H,W,C)\to(N,C)$; a matrix then turns the $C$ means into one score a class. It could as well come first,
# at every position:

# %%
maps, class_weights = rng.normal(size=(7, 9, 16)), rng.normal(size=(16, 10))
mean_first = maps.mean(axis=(0, 1)) @ class_weights
matrix_first = (maps @ class_weights).mean(axis=(0, 1))
print("same scores:", np.allclose(mean_first, matrix_first))

# %% [markdown]
# ### E3.5 ★★ How deep must it be?
# A network repeats one block: a convolution of size `kernel_size`, stride 1, then a pooling of size 2, stride
# 2. Write `blocks_needed`, the smallest number of blocks whose receptive field is at least `width` pixels wide.


# %% tags=["exercise"]
def blocks_needed(width, kernel_size=3):
    raise NotImplementedError("E3.5: return a whole number, 0 or more")


# %%
check.e3_5(blocks_needed)


# %% tags=["solution"]
def blocks_needed(width, kernel_size=3):
    blocks = 0
    while receptive_field([(kernel_size, 1, 1), (2, 2, 1)] * blocks)[0] < width:
        blocks += 1
    return blocks


check.e3_5(blocks_needed)

# %% [markdown]
# ## 6 · Can we go back, and what is lost?
#
# Networks that make pictures must enlarge again. As in lesson 02, we spread $y$ as the pool would spread a gradient.
# From the average, times $k^2$, comes **nearest-neighbour unpooling**, which copies each number into its window; from
# the maximum, **max unpooling**, which puts each number where its winner stood (its **switch**; Zeiler and Fergus,
# 2014) and zeros elsewhere.


# %%
def halve(picture, reduce):
    return pool_by_reshape(picture[None, ..., None], 2, reduce)[0, ..., 0]


def copy(small):
    return np.kron(small, np.ones((2, 2)))  # each number in a square of two by two


# %%
x = grey[:8, :8]
copied = copy(halve(x, np.mean))
gradient = average_pool_gradient(x, halve(x, np.mean), 2, 2)
print("nearest unpooling is 4 times the average's gradient:", np.allclose(copied, 4 * gradient))

maxima, switches = tf.nn.max_pool_with_argmax(x[None, ..., None], 2, 2, "VALID")
unpooled = np.zeros(x.size, np.float32)
unpooled[np.ravel(switches)] = np.ravel(maxima)
gradient = max_pool_gradient(x, halve(x, np.max), 2, 2)
print("max unpooling is the maximum's gradient:", np.allclose(unpooled, gradient.ravel()))

# %% [markdown]
# We halve a photograph and a sparse map of edges (mostly zeros, as after a ReLU), enlarge them again, and judge by
# PSNR (lesson 01; higher is better), beside one even grey. **Which way back suits which?**


# %%
def there_and_back(picture, times, reduce, enlarge):
    """Halve `times` times and enlarge again; enlarge(small, what it was before halving)."""
    steps = [picture]
    for _ in range(times):
        steps.append(halve(steps[-1], reduce))
    result = steps[-1]
    for before in reversed(steps[:-1]):
        result = enlarge(result, before)
    return result


# %%
WAYS = {
    "average, copied": (np.mean, lambda small, before: copy(small)),
    "maximum, copied": (np.max, lambda small, before: copy(small)),
    "maximum, switches": (np.max, lambda small, before: max_pool_gradient(before, small, 2, 2)),
}
edges = scipy.ndimage.sobel(grey, axis=1).clip(min=0)
SUBJECTS = {"photograph": grey, "edge map": edges / edges.max()}

# %%
results = {}
for subject, picture in SUBJECTS.items():
    for name, (reduce, enlarge) in WAYS.items():
        several = [there_and_back(picture, times, reduce, enlarge) for times in (1, 2, 3, 4)]
        results[subject, name] = several[1]
        psnr = [peak_signal_noise_ratio(picture, one, data_range=1) for one in several]
        print(f"{subject:10} {name:18} 1 to 4 halvings", np.round(psnr, 1), "dB")
    even = np.full_like(picture, picture.mean())
    print(
        f"{subject:10} one even grey", peak_signal_noise_ratio(picture, even, data_range=1).round(1)
    )

# %% tags=["hide-input"]
figure, axes = plt.subplots(2, 4, figsize=(12, 5.2))
for row, (subject, original) in zip(axes, SUBJECTS.items(), strict=True):
    brightest, detail = {"photograph": 1, "edge map": 0.6}[subject], np.s_[150:310, 130:330]
    figures.draw_image(
        row[0], original[detail], f"{subject}, white from {brightest}", vmax=brightest
    )
    for one, name in zip(row[1:], WAYS, strict=True):
        result = results[subject, name]  # after two halvings
        figures.draw_image(one, result[detail], name, vmax=brightest)
figures.show(
    figure,
    alt="A detail of the photograph and of its edge map, halved twice and enlarged in three"
    " ways. The photograph is blocky when copied, bright and blocky from maxima, black with"
    " white dots with switches. The edge map with switches keeps dots of its lines in place;"
    " the copied maxima are thick blocks.",
)

# %% [markdown]
# The copied average is best on both. Switches ruin the photograph, since they fill in zeros; on the sparse map they
# beat copied maxima by far, but are extra numbers to keep. After four halvings only the copied average beats one even
# grey.

# %% [markdown]
# What *exactly* is lost at a halving? The picture $x_l$ minus what comes back, $e_l$, with $P$ the pool and $U$ the way
# back. All $e_l$ and the last $x_l$ make a **Laplacian pyramid** (Burt and Adelson, 1983, with smoother $P$ and $U$):
#
# $$x_{l+1} = P(x_l) \qquad e_l = x_l - U(x_{l+1}) \qquad\Rightarrow\qquad x_l = U(x_{l+1}) + e_l$$

# %%
details, small = [], grey
for _ in range(3):
    smaller = halve(small, np.mean)
    details.append(small - copy(smaller))
    small = smaller
rebuilt = small
for detail in reversed(details):
    rebuilt = copy(rebuilt) + detail
kept = small.size + sum(detail.size for detail in details)
print(
    "rebuilt exactly:",
    np.allclose(rebuilt, grey, atol=1e-6),
    f" {kept:,} numbers kept for {grey.size:,} pixels",
)

# %% tags=["hide-input"]
figure, axes = plt.subplots(1, 4, figsize=(12, 2.9))
for one, whole, title in zip(axes, (*details, small), (*"123", ""), strict=True):
    height, width = whole.shape
    middle = whole[height // 4 : -height // 4, width // 4 : -width // 4]
    colours = {"cmap": figures.DIVERGING, "vmin": -0.3, "vmax": 0.3} if title else {}
    figures.draw_image(
        one, middle, f"lost in halving {title}" if title else "what is left", **colours
    )
figure.colorbar(axes[2].images[0], ax=axes[2], shrink=0.8, label="was − comes back")
figures.show(
    figure,
    alt="The middle of three signed pictures of what each halving lost: first the finest"
    " lattice of the windows, then frames and ledges, then whole windows as coarse"
    " squares; and the small grey picture that is left.",
)

# %% [markdown]
# Each halving loses details of its own size. Super-resolution (lesson 11) guesses these pictures from the last
# one.
#
# ## Clinic
#
# A hand-written max pool of size 3 and stride 2, padded by one, agrees with the library on the photograph:


# %% tags=["clinic"]
def pool_ill(picture):
    return pool_by_loops(np.pad(picture, 1), 3, 2, np.max)


def library_pool(picture):
    return tf.nn.max_pool2d(picture[None, ..., None], 3, 2, [[0, 0], [1, 1], [1, 1], [0, 0]])[
        0, ..., 0
    ]


print("agrees with TensorFlow on the photograph:", np.allclose(pool_ill(grey), library_pool(grey)))

# %% [markdown]
# Then it gets the logarithm of the brightness, which is negative everywhere. Five pools in a row:

# %% tags=["clinic"]
log_brightness = np.log(grey * 0.99 + 0.001)
ill = [log_brightness]
for _ in range(5):
    ill.append(pool_ill(ill[-1]))
for level in ill:
    zeros = np.mean(level == 0)
    print(f"{level.shape!s:10} largest {level.max():5.2f}, outputs exactly 0: {zeros:5.1%}")

# %% tags=["clinic", "hide-input"]
sizes = [f"{level.shape[0]} × {level.shape[1]}" for level in ill[2:]]
signed = {"cmap": figures.SEQUENTIAL, "vmin": -1, "vmax": 0}
figures.images(
    ill[2:],
    [f"ill, {shape}" for shape in sizes],
    size=2.9,
    **signed,
    alt="The logarithm of brightness after two to five pools: a yellow frame at the top and"
    " left takes more of the picture each time.",
)

# %% [markdown]
# Yellow is zero, which the input never holds, purple −1 and less. **Where does the yellow frame come from?**
#
# The padding's zeros beat every real pixel near them. (With even sides, no window reaches the bottom or right padding.)
# After a ReLU nothing is below zero, so the bug can hide for long. The repair pads with what never wins, $-\infty$:


# %% tags=["clinic"]
def pool_repaired(picture):
    return pool_by_loops(np.pad(picture, 1, constant_values=-np.inf), 3, 2, np.max)


repaired = [log_brightness]
for _ in range(5):
    repaired.append(pool_repaired(repaired[-1]))
agree = np.allclose(repaired[1], library_pool(log_brightness))
print("agrees with TensorFlow on the logarithm:", agree)

# %% tags=["clinic", "hide-input"]
figures.images(
    repaired[2:],
    [f"repaired, {shape}" for shape in sizes],
    size=2.9,
    **signed,
    alt="The same four levels with minus infinity as padding: no frame anywhere.",
)

# %% [markdown]
# Test hand-written layers on negative inputs, and look at the rim.

# %% [markdown]
# ## Summary
#
# - The average hands its gradient to all pixels evenly, the maximum to the winner.
# - Pooling slows the effect of a shift down; outputs follow exactly only at multiples of the stride. Blur first.
# - Average pooling is a strided convolution; max pooling is not linear.
# - A layer widens the receptive field by $(k-1)\,d\,j$. An output looks mostly at its middle.
# - Unpooling restores the size, not the details; a Laplacian pyramid keeps them.
#
# ## Glossary
#
# | English | 中文 | in one sentence |
# |---|---|---|
# | pooling | 池化(汇聚) | one number a window |
# | max, average pooling | 最大池化、平均池化 | the window's maximum; its mean |
# | global average pooling | 全局平均池化 | a channel's mean |
# | subsampling | 下采样 | keeping fewer pixels |
# | invariance, equivariance | 不变性、等变性 | the output stays when the input moves; moves with it |
# | ReLU | 线性整流函数 | max(0, x) |
# | (effective) receptive field | (有效)感受野 | the input pixels that an output depends on (much) |
# | unpooling | 反池化 | making a pooled map large again |
# | switch | 最大值位置(开关) | where a maximum stood |
# | Laplacian pyramid | 拉普拉斯金字塔 | what each halving lost, and the rest |
#
# ## What to read next
#
# - Richard Zhang, *Making convolutional networks shift-invariant again*, 2019: section 3 in trained networks.
# - Wenjie Luo and others, *Understanding the effective receptive field in deep convolutional neural
#   networks*, 2016.
# - Jost Tobias Springenberg and others, *Striving for simplicity: the all convolutional net*, 2015.
# - Peter Burt and Edward Adelson, *The Laplacian pyramid as a compact image code*, 1983.
# - Filip Radenović and others, *Fine-tuning CNN image retrieval with no human
#   annotation*, 2019: the generalised mean of E3.4.
# - Next lesson: [04 · Learning, by hand](04_learning.ipynb).
