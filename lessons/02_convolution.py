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
# # 02 · Convolution
#
# **How can nine numbers blur a picture, sharpen it, or find its edges, and how does a network learn such
# numbers?**
#
# Every network in this course, from the classifier to the diffusion model, spends nearly all its time in one
# operation. In this lesson we take it apart: we compute it by hand, write it four ways, differentiate it, and
# run it backwards.
#
# - **You will be able to** predict what a kernel does to a picture, compute the shape and the cost of any
#   convolution layer, write its gradients without autodiff, and say where checkerboard patterns in generated
#   pictures come from.
# - **You need** [lesson 01](01_images.ipynb): pictures as arrays, channels last, values from 0 to 1.
# - **Time**: about 90 minutes to work through; all cells together run in well under a minute.

# %%
import timeit

import keras
import matplotlib.pyplot as plt
import numpy as np
import scipy.ndimage
import tensorflow as tf
from numpy.lib.stride_tricks import sliding_window_view
from scipy.signal import convolve2d

from course_utils import data, figures, panels
from course_utils.checks import lesson_02 as check
from course_utils.report import approx

# %% [markdown]
# Here is what we are after. One photograph, and nine numbers at a time. A library does the work this once; by
# the end of section 3 you will have written it yourself.

# %%
photo = data.photograph("red_panda")
grey = photo @ np.array([0.299, 0.587, 0.114], np.float32)  # (H, W, 3) -> (H, W)
KERNELS = {
    "identity": np.array([[0, 0, 0], [0, 1, 0], [0, 0, 0]]),
    "blur": np.ones((3, 3)) / 9,
    "sharpen": np.array([[0, -1, 0], [-1, 5, -1], [0, -1, 0]]),
    "vertical edges": np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]),
    "outline": np.array([[-1, -1, -1], [-1, 8, -1], [-1, -1, -1]]),
    "emboss": np.array([[-2, -1, 0], [-1, 1, 1], [0, 1, 2]]),
}
print("photograph", photo.shape, "grey", grey.shape)

# %%
face = grey[110:300, 190:410]
filtered = {name: scipy.ndimage.correlate(face, kernel) for name, kernel in KERNELS.items()}

# %% tags=["hide-input"]
figure, axes = plt.subplots(2, 6, figsize=(12, 3.6), height_ratios=[5, 3])
for (name, numbers), (above, below) in zip(KERNELS.items(), axes.T, strict=True):
    signed = numbers.sum() == 0  # then zero is drawn in mid-grey, so that both signs show
    figures.draw_image(above, filtered[name] / 2 + 0.5 if signed else filtered[name], name)
    figures.draw_numbers(below, numbers, digits=2 if name == "blur" else 0)
figures.show(
    figure,
    alt="The grey face of a red panda filtered six ways: unchanged, blurred, sharpened, its"
    " vertical edges bright and dark on grey, its outlines bright and dark on grey, and"
    " embossed like a relief. Below each, the nine numbers that did it.",
)

# %% [markdown]
# We observe: kernels whose numbers add up to one keep the brightness (all but the two edge finders); kernels
# that add up to zero give zero where the picture is flat and leave only what changes. Their results have both
# signs, so zero is drawn in mid-grey here: brighter is positive, darker negative. Positive and negative numbers side by
# side measure a *difference*; positive numbers alone measure an *average*.

# %% [markdown]
# ## 1 · What is the sum?
#
# Take a picture $x$ of $5\times5$ pixels and a **kernel** $k$ of $3\times3$ **weights**. Lay the kernel over
# the top left corner of the picture, multiply each weight by the pixel under it, and add the nine products.
# That is one pixel of the output $y$. Then slide the kernel one pixel on:
#
# $$y_{r,c} \;=\; \sum_{i=0}^{2}\sum_{j=0}^{2} \; x_{r+i,\;c+j}\;\, k_{i,j} \qquad x: 5\times5,\quad k: 3\times3,\quad y: 3\times3$$
#
# The output is smaller than the input: the kernel fits into five pixels at only three positions. Our picture
# is a small white corner on black, our kernel looks for vertical edges.

# %%
x = np.zeros((5, 5))
x[1:, 2:] = 1
k = KERNELS["vertical edges"]
print(x, k, sep="\n\n")

# %% [markdown]
# In Python the sum is four loops: two over positions, two over the kernel.


# %%
def correlate_by_loops(x, k):
    """Slide k over x: (H, W), (h, w) -> (H - h + 1, W - w + 1)."""
    rows, columns = x.shape[0] - k.shape[0] + 1, x.shape[1] - k.shape[1] + 1
    y = np.zeros((rows, columns))
    for r in range(rows):
        for c in range(columns):
            for i in range(k.shape[0]):
                for j in range(k.shape[1]):
                    y[r, c] += x[r + i, c + j] * k[i, j]
    return y


y = correlate_by_loops(x, k)
print(y)

# %% [markdown]
# Nothing is hidden if we draw all nine positions with all nine products each. The title of each square is the
# sum of its products.

# %%
products = {(r, c): x[r : r + 3, c : c + 3] * k for r, c in np.ndindex(y.shape)}

# %% tags=["hide-input"]
figure = plt.figure(figsize=(11, 6.2))
left, right = figure.subfigures(1, 2, width_ratios=[1, 2])
for axes, values, title in zip(
    left.subplots(3, 1), (x, k, y), ("input x", "kernel k", "output y"), strict=True
):
    figures.draw_numbers(axes, values, title, limit=4)
for (r, c), axes in np.ndenumerate(right.subplots(3, 3)):
    figures.draw_numbers(axes, products[r, c], f"y[{r}, {c}] = {products[r, c].sum():.0f}", limit=4)
figures.show(
    figure,
    alt="Left: a five by five input with a white corner, the vertical edge kernel, and the"
    " three by three output. Right: for each of the nine positions the nine products;"
    " their sums are the output, large where the edge is.",
)

# %% [markdown]
# Read the top left square: only the right column of the kernel meets white pixels, so only its weights
# survive, and they add up. In the three squares on the right, the kernel's left and right columns both lie on
# white and cancel: no vertical edge there, so the sum is zero. The squares of the top row see one white row
# fewer, so their sums are a little smaller.

# %%
print(f"strongest response {y.max():.0f}, weakest {y.min():.0f}")
print("same as SciPy:", np.array_equal(y, scipy.ndimage.correlate(x, k)[1:-1, 1:-1]))

# %% [markdown]
# ## 2 · Is that a convolution?
#
# Strictly, no. What we computed is called **cross-correlation**. A mathematician's **convolution** runs
# through the kernel backwards:
#
# $$(x * k)_{r,c} = \sum_{i,j} x_{r-i,\;c-j}\; k_{i,j}$$
#
# which is the same as turning the kernel by 180° and correlating. The difference is easiest to see with an
# **impulse**, a single white pixel on black.

# %%
impulse = np.zeros((5, 5))
impulse[2, 2] = 1
lopsided = np.array([[1, 2, 3], [4, 5, 6], [7, 8, 9]])
correlated = scipy.ndimage.correlate(impulse, lopsided, mode="constant")
convolved = scipy.ndimage.convolve(impulse, lopsided, mode="constant")
print("convolution is correlation with the kernel turned:")
print(
    np.array_equal(
        convolved, scipy.ndimage.correlate(impulse, lopsided[::-1, ::-1], mode="constant")
    )
)

# %% tags=["hide-input"]
figure, axes = figures.grid(4, size=2.7)
for one, values, title in zip(
    axes,
    (impulse, lopsided, correlated, convolved),
    ("impulse", "kernel", "correlation: turned", "convolution: a copy"),
    strict=True,
):
    figures.draw_numbers(one, values, title, limit=9)
figures.show(
    figure,
    alt="An impulse and a kernel numbered one to nine. Correlating them gives the kernel"
    " turned by 180 degrees; convolving them gives a copy of the kernel.",
)

# %% [markdown]
# Convolution of an impulse stamps a *copy* of the kernel; correlation stamps it turned around. True
# convolution has the nicer algebra: the order does not matter, and two kernels in a row are one bigger
# kernel. The **convolution layers of all deep learning libraries compute cross-correlation** and keep the
# name. A network that learns its kernels does not care, since it can learn the turned one. We care when we
# compare with SciPy, and in section 6, where the turned kernel comes back by itself.

# %%
blur, edges = KERNELS["blur"], KERNELS["vertical edges"]
combined = convolve2d(blur, edges)  # (3, 3) * (3, 3) -> (5, 5)
in_two_steps = convolve2d(convolve2d(grey, blur, "valid"), edges, "valid")
in_one_step = convolve2d(grey, combined, "valid")
print(
    "kernel of both steps", combined.shape, "same picture:", np.allclose(in_two_steps, in_one_step)
)

# %% [markdown]
# ## 3 · What is a layer, and how is it made fast?
#
# A colour picture has three **channels**, and a network wants many kernels, not one. So the kernel grows two
# axes. Each of the $C_\text{out}$ kernels spans *all* $C_\text{in}$ input channels and adds over them, giving
# one output channel, a **feature map**. For a **batch** of $N$ pictures:
#
# $$y_{n,r,c,o} = \sum_{i,j}\sum_{m=1}^{C_\text{in}} x_{n,\,r+i,\,c+j,\,m}\; k_{i,j,m,o}
# \qquad x: (N, H, W, C_\text{in}),\;\; k: (h, w, C_\text{in}, C_\text{out}),\;\; y: (N, H', W', C_\text{out})$$
#
# This order of axes, channels last, is the one Keras and TensorFlow use. Now the same sum four ways. First,
# loops.


# %%
def layer_by_loops(batch, kernel):
    """Correlate (N, H, W, Cin) with (h, w, Cin, Cout) -> (N, H - h + 1, W - w + 1, Cout)."""
    count, height, width, _ = batch.shape
    h, w, _, channels_out = kernel.shape
    output = np.empty((count, height - h + 1, width - w + 1, channels_out), batch.dtype)
    for n, r, c, o in np.ndindex(output.shape):
        output[n, r, c, o] = np.sum(batch[n, r : r + h, c : c + w] * kernel[..., o])
    return output


# %% [markdown]
# Second, **strided windows**. `sliding_window_view` gives all windows at once without copying a pixel: it
# only changes how far NumPy steps through memory (its *strides*). `einsum` then writes the equation almost as
# we did.


# %%
def layer_by_windows(batch, kernel):
    """As layer_by_loops, all windows at once."""
    windows = sliding_window_view(batch, kernel.shape[:2], axis=(1, 2))  # (N, H', W', Cin, h, w)
    return np.einsum("nrcmij,ijmo->nrco", windows, kernel)


# %% [markdown]
# Third, **im2col** ("image to columns"). Processors are best at multiplying matrices, so we copy every window
# into one row of a matrix, flatten the kernels into the columns of another, and multiply once:
#
# $$\underbrace{(N H' W') \times (h\,w\,C_\text{in})}_{\text{windows}} \;\cdot\; \underbrace{(h\,w\,C_\text{in}) \times C_\text{out}}_{\text{kernels}}$$


# %%
def layer_by_matrix(batch, kernel):
    """As layer_by_loops, by one matrix product."""
    h, w, channels_in, channels_out = kernel.shape
    windows = sliding_window_view(batch, (h, w), axis=(1, 2))  # (N, H', W', Cin, h, w)
    rows = windows.transpose(0, 1, 2, 4, 5, 3).reshape(-1, h * w * channels_in)
    return (rows @ kernel.reshape(-1, channels_out)).reshape(*windows.shape[:3], channels_out)


# %% [markdown]
# Fourth, the library, `keras.ops.conv`. All four have to agree, so we check that before we look at the clock.

# %%
rng = np.random.default_rng(0)
batch = rng.normal(size=(2, 64, 64, 3)).astype(np.float32)
kernel = rng.normal(size=(3, 3, 3, 16)).astype(np.float32)
ways = {
    "loops": layer_by_loops,
    "windows": layer_by_windows,
    "matrix": layer_by_matrix,
    "Keras": lambda batch, kernel: np.asarray(keras.ops.conv(batch, kernel)),
}
reference = layer_by_loops(batch, kernel)
for name, way in ways.items():
    print(
        f"{name:8} {way(batch, kernel).shape} agrees: {np.allclose(way(batch, kernel), reference, atol=1e-4)}"
    )

# %%
seconds = {}
for name, way in ways.items():
    runs = timeit.repeat(
        lambda way=way: way(batch, kernel), number=1, repeat=3 if name == "loops" else 20
    )
    seconds[name] = min(runs)
speedups = [seconds["loops"] / seconds[name] for name in ways]
for name, speedup in zip(ways, speedups, strict=True):
    print(f"{name:8} {approx(speedup, 0)} times as fast as loops")

# %% tags=["hide-input"]
figure, axes = plt.subplots(figsize=(7, 2.3))
axes.plot(speedups, list(ways), "o", markersize=10, color=figures.COLOURS[0])
axes.set(xscale="log", xlabel="times as fast as the loops (log scale)", ylim=(3.5, -0.5))
axes.grid(axis="x", alpha=0.4)
figures.show(
    figure,
    alt="Dots on a logarithmic scale: strided windows are many times as fast as loops, and"
    " the matrix product and Keras several times as fast again.",
)

# %% [markdown]
# All four add the same products. The loops pay for a trip through the Python interpreter for each window and
# channel. A matrix product is what numerical libraries are tuned for most: it works through blocks that fit
# the fast memory of the processor, takes several numbers in one instruction and uses all cores. On a picture as
# small as this it can even be ahead of Keras; why, we did not measure. The price of im2col is memory: it holds
# each pixel once for every window the pixel is in.

# %%
h, w, channels_in, channels_out = kernel.shape
positions = 2 * 62 * 62
print("numbers in the input       ", batch.size)
print("numbers in the window rows ", positions * h * w * channels_in)
print("multiplications            ", positions * h * w * channels_in * channels_out)
print("weights of the layer       ", kernel.size)

# %% [markdown]
# ## 4 · How large is the output?
#
# Three settings change where the kernel lands. **Padding** $p$ adds a rim of pixels, usually zeros, on every
# side. **Stride** $s$ moves the kernel $s$ pixels at a time. **Dilation** $d$ spreads the kernel's weights
# $d$ pixels apart, so that a kernel of size $k$ reaches over $d(k-1)+1$ pixels. Counting the positions at
# which it fits gives
#
# $$H' = \left\lfloor \frac{H + 2p - \big(d\,(k-1)+1\big)}{s} \right\rfloor + 1$$

# %%
settings = {
    "no padding": {},
    "padding 1": {"padding": 1},
    "stride 2": {"stride": 2},
    "dilation 2": {"dilation": 2},
}


# %% tags=["hide-input"]
def draw_reach(axes, size, kernel_size=3, stride=1, padding=0, dilation=1):
    """Draw in one dimension which inputs (below) each output (above) reads."""
    first, last = -padding, size + padding - dilation * (kernel_size - 1)
    for start in range(first, last, stride):
        centre = start + dilation * (kernel_size - 1) / 2
        for tap in range(kernel_size):
            axes.plot(
                [centre, start + dilation * tap], [1, 0], color=figures.COLOURS[5], linewidth=1
            )
        axes.plot(centre, 1, "s", color=figures.COLOURS[4], markersize=9)
    for position in range(-padding, size + padding):
        inside = 0 <= position < size
        axes.plot(
            position, 0, "s", color=figures.COLOURS[0] if inside else "lightgrey", markersize=9
        )
    axes.set_axis_off()
    axes.set(xlim=(-2, size + 1), ylim=(-0.4, 1.4))


figure, axes = plt.subplots(1, 4, figsize=(12, 2))
for one, (name, setting) in zip(axes, settings.items(), strict=True):
    draw_reach(one, size=7, **setting)
    one.set_title(name)
figures.show(
    figure,
    alt="One-dimensional diagrams of a kernel of three on seven inputs. Without padding"
    " five outputs; with a padding of one, seven; with stride two, three; with dilation"
    " two, three that each reach over five inputs.",
)

# %% [markdown]
# Blue squares are inputs, grey ones padding, orange ones outputs; lines show who reads whom. With windows,
# all three settings are one line of slicing: every $s$-th window, every $d$-th pixel in it.


# %%
def convolution_layer(batch, kernel, stride=1, padding=0, dilation=1):
    """Correlate (N, H, W, Cin) with (h, w, Cin, Cout) with stride, padding and dilation."""
    batch = np.pad(batch, ((0, 0), (padding, padding), (padding, padding), (0, 0)))
    reach = [dilation * (size - 1) + 1 for size in kernel.shape[:2]]
    windows = sliding_window_view(batch, reach, axis=(1, 2))
    windows = windows[:, ::stride, ::stride, :, ::dilation, ::dilation]
    return np.einsum("nrcmij,ijmo->nrco", windows, kernel)


# %%
for name, setting in settings.items():
    ours = convolution_layer(batch, kernel, **setting)
    padding = setting.get("padding", 0)
    padded = np.pad(batch, ((0, 0), (padding, padding), (padding, padding), (0, 0)))
    library = keras.ops.conv(
        padded, kernel, setting.get("stride", 1), dilation_rate=setting.get("dilation", 1)
    )
    print(f"{name:11} {ours.shape} agrees with Keras: {np.allclose(ours, library, atol=1e-4)}")

# %% [markdown]
# Keras layers do not take a number for the padding but a word: `"valid"` is none, `"same"` as much as it
# takes to keep the size (at stride 1). What fills the rim is a choice, and it shows.

# %%
wide_blur = np.ones((25, 25), np.float32) / 25**2
reflected = scipy.ndimage.correlate(grey, wide_blur, mode="reflect")
rims = {
    "same, filled with zeros": scipy.ndimage.correlate(grey, wide_blur, mode="constant"),
    "same, filled by reflection": reflected,
    "valid: smaller": np.pad(reflected[12:-12, 12:-12], 12, constant_values=1),
}

# %% tags=["hide-input"]
figures.images(
    list(rims.values()),
    list(rims),
    size=3.6,
    alt="A photograph blurred by a kernel of 25 by 25. Filled with zeros its rim is dark;"
    " filled by reflection it is not; without padding the result is smaller by twelve"
    " pixels on each side, shown as a white margin.",
)

# %% [markdown]
# Zeros are black pixels, and averaging them in darkens the rim. Networks mostly get away with it, since they
# can learn that "a dark rim" means "the border is here"; for filters that people look at, reflect. One more
# trap: with stride 2 and a kernel of 3, `"same"` in Keras pads an even picture on **one side only**, where
# PyTorch's `padding=1` pads both. The shapes agree and the pictures are shifted by a pixel:

# %%
ramp = np.arange(8, dtype=np.float32).reshape(1, 8, 1)
middle = np.array([0, 1, 0], np.float32).reshape(3, 1, 1)
both_sides = np.pad(ramp, ((0, 0), (1, 1), (0, 0)))
print("pixels under the middle of the kernel, stride 2")
print('Keras "same"      ', np.ravel(keras.ops.conv(ramp, middle, 2, padding="same")))
print("padding both sides", np.ravel(keras.ops.conv(both_sides, middle, 2)))

# %% [markdown]
# ## 5 · Can we multiply less?
#
# A large blur is expensive: a $k\times k$ kernel costs $k^2$ products a pixel. But if the kernel is a column
# times a row, $k_{i,j} = a_i\,b_j$, we may blur along the columns first and along the rows after, for $2k$
# products. Such a kernel is called **separable**. In the words of linear algebra, it is a matrix of **rank**
# 1, and the singular value decomposition (SVD) finds the two factors.

# %%
offsets = np.arange(-12, 13)
bell = np.exp(-0.5 * (offsets / 4) ** 2)
bell /= bell.sum()
gaussian = np.outer(bell, bell)  # (25, 1) times (1, 25) -> (25, 25)
for name, candidate in {"gaussian": gaussian, **KERNELS}.items():
    print(f"{name:15} rank {np.linalg.matrix_rank(candidate)}")

# %%
down = scipy.ndimage.correlate1d(face, bell, axis=0)
both = scipy.ndimage.correlate1d(down, bell, axis=1)
direct = scipy.ndimage.correlate(face, gaussian)
print("products a pixel: direct", gaussian.size, "in two passes", 2 * bell.size)
print("largest difference below 1e-5:", np.abs(both - direct).max() < 1e-5)

# %% tags=["hide-input"]
figure, axes = plt.subplots(1, 4, figsize=(12, 3), width_ratios=[190, 220, 220, 220])
axes[0].imshow(gaussian, cmap=figures.SEQUENTIAL)
axes[0].set(title="Gaussian, 25 × 25", xticks=[], yticks=[])
for one, picture, title in zip(
    axes[1:], (face, down, both), ("input", "blurred down", "… and across"), strict=True
):
    figures.draw_image(one, picture, title)
figures.show(
    figure,
    alt="A round Gaussian kernel; a photograph; the photograph blurred along its columns"
    " only; the same blurred along its rows as well, which looks evenly soft.",
)

# %% [markdown]
# Networks use the same idea across channels. A **1×1 convolution** looks at one pixel and only mixes its
# channels; turning colour into grey, as we did at the start of the lesson, is one. A **depthwise**
# convolution gives each channel a kernel of its own and mixes nothing. One after the other they make a
# **depthwise separable** layer, with far fewer weights than a full one.

# %%
weights = np.array([0.299, 0.587, 0.114], np.float32).reshape(1, 1, 3, 1)
grey_by_layer = convolution_layer(photo[None], weights)  # (1, H, W, 3) -> (1, H, W, 1)
print("grey is a 1x1 convolution:", np.allclose(grey_by_layer[0, ..., 0], grey, atol=1e-6))

# %%
for layer in (
    keras.layers.Conv2D(128, 3),
    keras.layers.SeparableConv2D(128, 3),
    keras.layers.Conv2D(128, 1),
):
    layer.build((None, 32, 32, 64))
    print(
        f"{type(layer).__name__:16} {layer.kernel_size} 64 -> 128 channels: {layer.count_params():6} weights"
    )

# %% [markdown]
# ## 6 · How does a kernel learn?
#
# Training asks: if I nudge one weight, how does the loss $L$ change? Say somebody hands us the answer for
# each output, the **upstream gradient** $g_{r,c} = \partial L/\partial y_{r,c}$. The output is a sum of
# products, so the rest is bookkeeping. Weight $k_{i,j}$ met pixel $x_{r+i,c+j}$ on the way to output $(r,c)$,
# at every position:
#
# $$\frac{\partial L}{\partial k_{i,j}} = \sum_{r,c} g_{r,c}\; x_{r+i,\,c+j} \qquad \text{: correlate } x \text{ with } g$$
#
# Pixel $x_{a,b}$ went to output $(a-i, b-j)$ through weight $k_{i,j}$:
#
# $$\frac{\partial L}{\partial x_{a,b}} = \sum_{i,j} g_{a-i,\,b-j}\; k_{i,j} \qquad \text{: a true convolution of } g \text{ with } k$$
#
# There it is, the turned kernel from section 2. Both gradients of a convolution are convolutions again.


# %%
def gradients(x, k, g):
    """Gradients of L for y = correlate(x, k) and g = dL/dy: returns dL/dx of x's shape, dL/dk of k's shape."""
    rim_rows, rim_columns = k.shape[0] - 1, k.shape[1] - 1
    padded = np.pad(g, ((rim_rows, rim_rows), (rim_columns, rim_columns)))
    return correlate_by_loops(padded, k[::-1, ::-1]), correlate_by_loops(x, g)


# %% [markdown]
# We check it against two witnesses. One is the definition: nudge a number up and down by a little and watch
# the loss (**finite differences**). The other is TensorFlow's **autodiff**, which records the steps on a tape
# and plays them backwards.


# %%
def finite_differences(loss, at, step=1e-5):
    """The gradient of a scalar function at an array, by nudging one entry at a time."""
    slope = np.zeros_like(at)
    for index in np.ndindex(at.shape):
        nudge = np.zeros_like(at)
        nudge[index] = step
        slope[index] = (loss(at + nudge) - loss(at - nudge)) / (2 * step)
    return slope


# %%
x, k, g = rng.normal(size=(6, 7)), rng.normal(size=(3, 3)), rng.normal(size=(4, 5))
by_hand_x, by_hand_k = gradients(x, k, g)
nudged_x = finite_differences(lambda x: np.sum(g * correlate_by_loops(x, k)), x)
nudged_k = finite_differences(lambda k: np.sum(g * correlate_by_loops(x, k)), k)
print("input:  agrees with finite differences", np.allclose(by_hand_x, nudged_x, atol=1e-7))
print("kernel: agrees with finite differences", np.allclose(by_hand_k, nudged_k, atol=1e-7))

# %%
tape_x, tape_k = tf.Variable(x[None, ..., None]), tf.Variable(k[..., None, None])
with tf.GradientTape() as tape:
    loss = tf.reduce_sum(g[None, ..., None] * tf.nn.conv2d(tape_x, tape_k, 1, "VALID"))
auto_x, auto_k = tape.gradient(loss, [tape_x, tape_k])
print("input:  agrees with autodiff", np.allclose(by_hand_x, auto_x[0, ..., 0]))
print("kernel: agrees with autodiff", np.allclose(by_hand_k, auto_k[..., 0, 0]))

# %% [markdown]
# To see what the formulas say, let only two outputs care: $g$ is one at one place, minus one at another, zero
# elsewhere.

# %%
x = np.arange(49.0).reshape(7, 7) % 8
g = np.zeros((5, 5))
g[1, 1], g[3, 4] = 1, -1
x_gradient, k_gradient = gradients(x, lopsided, g)

# %% tags=["hide-input"]
figure, axes = figures.grid(5, size=2.4)
parts = {
    "input x": x,
    "kernel k": lopsided,
    "upstream g": g,
    "gradient of the input": x_gradient,
    "gradient of the kernel": k_gradient,
}
for one, (title, values) in zip(axes, parts.items(), strict=True):
    figures.draw_numbers(one, values, title, limit=9)
for r, c in np.argwhere(g):
    axes[0].add_patch(plt.Rectangle((c - 0.5, r - 0.5), 3, 3, fill=False, linewidth=3, zorder=5))
figures.show(
    figure,
    alt="Two outputs have a gradient, plus one and minus one; the windows they read are"
    " framed in the input. The gradient of the input holds a copy of the kernel in the"
    " first window and its negative in the second. The gradient of the kernel is the"
    " first window minus the second.",
)

# %% [markdown]
# Read it as blame. Where $g$ is $+1$, a larger output makes the loss larger, so this output should become
# *smaller*. It hands a copy of the kernel back to the pixels it read; the output with $-1$, which should become
# larger, hands back the negative. A step *against* the gradient then does both:

# %%
stepped = correlate_by_loops(x - 0.001 * x_gradient, lopsided) - correlate_by_loops(x, lopsided)
print("after a small step against it, the first output falls:", stepped[1, 1] < 0)
print("and the second rises:", stepped[3, 4] > 0)

# %% [markdown]
# The kernel's own gradient is the window under the
# first output minus the window under the second: weights are **shared** by all positions, so they hear from
# all of them. That is why a convolution layer learns from few pictures: every picture holds thousands of
# windows. How such gradients become steps is the subject of [lesson 04](04_learning.ipynb).

# %% [markdown]
# ## 7 · How do we go back up?
#
# Generators must turn small arrays into large pictures. To see how a convolution can do that, write it as a
# matrix. Correlation is linear, so there is a matrix $C$ with $y = Cx$ for the flattened picture. We find its
# columns by feeding in one impulse after another.

# %%
pixels = np.eye(25).reshape(25, 5, 5)
matrix = np.stack([correlate_by_loops(pixel, lopsided).ravel() for pixel in pixels], axis=1)
print("C maps", matrix.shape[1], "pixels to", matrix.shape[0])
x, g = rng.normal(size=(5, 5)), rng.normal(size=(3, 3))
print("y = C x:    ", np.allclose(matrix @ x.ravel(), correlate_by_loops(x, lopsided).ravel()))
print("dL/dx = Ct g:", np.allclose(matrix.T @ g.ravel(), gradients(x, lopsided, g)[0].ravel()))

# %% tags=["hide-input"]
figure, axes = plt.subplots(1, 2, figsize=(10, 4), width_ratios=[25, 9])
for one, values, title in zip(
    axes, (matrix, matrix.T), ("C: 25 pixels -> 9 outputs", "C transposed"), strict=True
):
    one.imshow(values, cmap=figures.DIVERGING, vmin=-9, vmax=9)
    one.set(title=title, xlabel="input", ylabel="output")
figures.show(
    figure,
    alt="The matrix of a three by three convolution of a five by five picture: nine rows of"
    " slanted bands that hold the same nine weights, and zeros elsewhere. Beside it the"
    " same matrix transposed.",
)

# %% [markdown]
# Two things to take from the bands: a convolution is a dense layer with most weights fixed at zero and the
# others shared, and its gradient multiplies by $C^\top$. Used *forwards*, $C^\top$ turns 9 numbers into 25:
# this is the **transposed convolution**. (Some texts call it "deconvolution", which it is not: it undoes the
# shape, not the values.)
#
# There is a simpler way to say it: **every input pixel stamps the kernel, scaled by its value, onto the
# output**, one stamp every $s$ pixels; where stamps overlap, they add.
#
# $$y_{s\,r+i,\; s\,c+j} \mathrel{+}= x_{r,c}\; k_{i,j} \qquad x: H\times W, \quad y: \big(s(H-1)+h\big) \times \big(s(W-1)+w\big)$$


# %%
def transposed_convolution(x, k, stride):
    """Stamp k onto the output once a pixel of x, `stride` apart: (H, W), (h, w) -> (stride (H - 1) + h, ...)."""
    h, w = k.shape
    y = np.zeros((stride * (x.shape[0] - 1) + h, stride * (x.shape[1] - 1) + w))
    for r, c in np.ndindex(x.shape):
        y[stride * r : stride * r + h, stride * c : stride * c + w] += x[r, c] * k
    return y


# %%
x, k = rng.normal(size=(4, 5)), rng.normal(size=(3, 3))
stamped = transposed_convolution(x, k, stride=2)
library = keras.ops.conv_transpose(
    x[None, ..., None], k[..., None, None], strides=2, padding="valid"
)
print(stamped.shape, "agrees with Keras:", np.allclose(stamped, library[0, ..., 0]))

# %%
picture = tf.Variable(rng.normal(size=(1, *stamped.shape, 1)))
with tf.GradientTape() as tape:
    loss = tf.reduce_sum(x[None, ..., None] * tf.nn.conv2d(picture, k[..., None, None], 2, "VALID"))
gradient = tape.gradient(loss, picture)
print("is the gradient of a strided convolution:", np.allclose(stamped, gradient[0, ..., 0]))

# %% [markdown]
# ### Where checkerboards come from
#
# Let every input pixel be 1 and every weight 1, so that the output counts the stamps on each pixel.

# %%
counts = {}
for size in (2, 3, 4):
    stamps = transposed_convolution(np.ones((6, 6)), np.ones((size, size)), stride=2)
    counts[size] = stamps[2:9, 2:9]
    print(f"kernel {size}: stamps on a pixel {np.unique(counts[size]).astype(int)}")

# %% tags=["hide-input"]
figure, axes = figures.grid(3, size=3.2)
for one, (side, values) in zip(axes, counts.items(), strict=True):
    figures.draw_numbers(one, values, f"kernel {side}, stride 2", limit=6)
figures.show(
    figure,
    alt="How many stamps each output pixel gets at stride two. Kernel two: one everywhere."
    " Kernel three: one, two and four in a checkerboard. Kernel four: four everywhere.",
)

# %% [markdown]
# When the stride divides the kernel size, each pixel gets the same number of stamps. When it does not, the
# counts alternate, and a generator has to *learn* weights that cancel them. Many never quite do. Two cures:
# choose a kernel size that the stride divides, or enlarge by copying pixels and convolve after that. On a
# photograph, with all weights of a kernel equal. Those of the transposed convolutions add up to 4, since at stride 2
# the stamps of one input pixel are spread over four; the one after copying adds up to 1:

# %%
small = scipy.ndimage.zoom(face, 0.25, order=1)  # a small crop to enlarge again
enlarged = [
    transposed_convolution(small, np.ones((3, 3)) * 4 / 9, stride=2),
    transposed_convolution(small, np.ones((4, 4)) / 4, stride=2),
    scipy.ndimage.correlate(small.repeat(2, axis=0).repeat(2, axis=1), np.ones((3, 3)) / 9),
]
titles = ["transposed, kernel 3", "transposed, kernel 4", "copy pixels, then convolve"]

# %% tags=["hide-input"]
figures.images(
    [small, *(picture[2:-2, 2:-2] for picture in enlarged)],
    ["input", *titles],
    size=3,
    alt="A small photograph enlarged twofold three ways. The transposed convolution with"
    " kernel three covers it with a fine checkerboard; kernel four and copying pixels"
    " first do not.",
)

# %%
for title, picture in zip(titles, enlarged, strict=True):
    even, odd = picture[4:-4:2, 4:-4:2].mean(), picture[5:-4:2, 5:-4:2].mean()
    print(f"{title:27} brightness of even over odd pixels {even / odd:.2f}")

# %% [markdown]
# ## 8 · Your turn: a playground
#
# Pick a kernel or type one: numbers with spaces between, rows with semicolons or line breaks between.
# *Signed* shows zero as grey, so that negative results can be seen. (Where widgets do not run, as on a web
# page, the picture at the top of the lesson shows what the list holds.)

# %%
panels.kernel_playground(face, KERNELS)

# %% [markdown]
# Try: a kernel that moves the picture; one that makes `vertical edges` horizontal; the largest blur you have
# patience to type; *outline* with its 8 replaced by a 9.
#
# ## Clinic
#
# A model trained in PyTorch is to run in Keras. PyTorch stores kernels as (out, in, height, width), Keras as
# (height, width, in, out). The following code runs, all shapes agree, and no error is ever raised. Here with
# two kernels we know, a blur and an edge finder:

# %% tags=["clinic"]
torch_kernel = np.stack([KERNELS["blur"], KERNELS["vertical edges"]])[:, None].astype(
    np.float32
)  # (2, 1, 3, 3)
keras_kernel = torch_kernel.reshape(3, 3, 1, 2)  # from (out, in, h, w) to (h, w, in, out)
ill = convolution_layer(grey[None, ..., None], keras_kernel)
print("output", ill.shape, "as expected")

# %% [markdown]
# The symptom: the blur does not blur, the edge finder does not darken flat areas, and the sums of the two
# kernels, which should be 1 and 0, are neither.

# %% tags=["clinic"]
repaired_kernel = torch_kernel.transpose(2, 3, 1, 0)
repaired = convolution_layer(grey[None, ..., None], repaired_kernel)
print("sums of the kernels, ill:     ", keras_kernel.sum(axis=(0, 1, 2)).round(2))
print("sums of the kernels, repaired:", repaired_kernel.sum(axis=(0, 1, 2)).round(2) + 0)

# %% tags=["clinic", "hide-input"]
figures.images(
    [ill[0, ..., 0], ill[0, ..., 1], repaired[0, ..., 0], repaired[0, ..., 1]],
    ["reshape: output 0", "reshape: output 1", "transpose: output 0", "transpose: output 1"],
    size=3,
    alt="With reshape both outputs are the same dark, half sharpened picture; with"
    " transpose the first output is a soft photograph and the second its vertical edges.",
)

# %% [markdown]
# `reshape` keeps the numbers in their order in memory and only cuts the row differently; `transpose` moves
# the axes. When shapes agree by accident, only looking at a known input tells them apart. Test every
# conversion on one.

# %% [markdown]
# ## Exercises
#
# ### E2.1 ★ The size of the output
# Write `output_size`, the formula of section 4 for one axis, as a whole number.


# %% tags=["exercise"]
def output_size(size, kernel_size, stride=1, padding=0, dilation=1):
    raise NotImplementedError("E2.1: return the number of positions")


# %%
check.e2_1(output_size)


# %% tags=["solution"]
def output_size(size, kernel_size, stride=1, padding=0, dilation=1):
    reach = dilation * (kernel_size - 1) + 1
    return (size + 2 * padding - reach) // stride + 1


check.e2_1(output_size)

# %% [markdown]
# ### E2.2 ★ Move the picture
# Write a function that returns a 3×3 kernel which, *correlated* with a picture, moves it by one pixel to the
# **right**. Sketch on paper first: which input pixel should output pixel $(r, c)$ be a copy of?


# %% tags=["exercise"]
def kernel_that_moves_right():
    raise NotImplementedError("E2.2: return a 3x3 array")


# %%
check.e2_2(kernel_that_moves_right)


# %% tags=["solution"]
def kernel_that_moves_right():
    return np.array([[0, 0, 0], [1, 0, 0], [0, 0, 0]])


check.e2_2(kernel_that_moves_right)

# %% [markdown]
# ### E2.3 ★★ Split a kernel
# Write `split`, which takes a separable kernel $(h, w)$ and returns a column $(h,)$ and a row $(w,)$ whose
# outer product is the kernel. `np.linalg.svd` helps. If the kernel is not separable, raise a `ValueError`.


# %% tags=["exercise"]
def split(kernel):
    raise NotImplementedError("E2.3: return column, row")


# %%
check.e2_3(split)


# %% tags=["solution"]
def split(kernel):
    columns, strengths, rows = np.linalg.svd(kernel)
    if np.any(strengths[1:] > 1e-6 * strengths[0]):
        raise ValueError(
            f"the kernel has rank {np.linalg.matrix_rank(kernel)}, expected 1: it cannot be split"
        )
    return columns[:, 0] * strengths[0], rows[0]


check.e2_3(split)

# %% [markdown]
# ### E2.4 ★★ What does a layer cost?
# Write `layer_cost`, which returns two whole numbers for a convolution layer with a bias: its weights (biases
# included), and its multiplications for one picture of `height` × `width` (stride 1, padding `"same"`).


# %% tags=["exercise"]
def layer_cost(height, width, kernel_size, channels_in, channels_out):
    raise NotImplementedError("E2.4: return weights, multiplications")


# %%
check.e2_4(layer_cost)


# %% tags=["solution"]
def layer_cost(height, width, kernel_size, channels_in, channels_out):
    products = kernel_size**2 * channels_in * channels_out
    return products + channels_out, height * width * products


check.e2_4(layer_cost)

# %% [markdown]
# ### E2.5 ★★★ The gradient with a stride
# Write `kernel_gradient`, the gradient $\partial L/\partial k$ of a correlation with a stride: from `x` (H,
# W) and the upstream gradient `g`, the gradient of a kernel of `kernel_size` (h, w). Which pixel did weight
# $(i,j)$ meet at output $(r,c)$?


# %% tags=["exercise"]
def kernel_gradient(x, g, kernel_size, stride):
    raise NotImplementedError("E2.5: return an array of shape kernel_size")


# %%
check.e2_5(kernel_gradient)


# %% tags=["solution"]
def kernel_gradient(x, g, kernel_size, stride):
    windows = sliding_window_view(x, kernel_size)[::stride, ::stride]  # (H', W', h, w)
    rows, columns = g.shape
    return np.einsum("rc,rcij->ij", g, windows[:rows, :columns])


check.e2_5(kernel_gradient)

# %% [markdown]
# ## Summary
#
# - A convolution layer slides shared weights over the picture and adds products; libraries compute
#   cross-correlation.
# - Weights that add up to one keep brightness, weights that add up to zero find changes.
# - Loops, windows, a matrix product and the library compute the same sum; libraries are fast at matrix
#   products.
# - Padding, stride and dilation set the output size by one formula; zeros darken the rim.
# - Separable, 1×1 and depthwise convolutions buy speed with structure.
# - Both gradients are convolutions: the kernel hears from all positions, the input gets copies of the kernel.
# - A transposed convolution stamps kernels; if the stride does not divide the kernel size, the stamps make
#   checkerboards.
#
# ## Glossary
#
# | English | 中文 | in one sentence |
# |---|---|---|
# | convolution | 卷积 | sum of products of a window with a kernel turned by 180° |
# | cross-correlation | 互相关 | the same without turning the kernel; what libraries call convolution |
# | kernel, filter | 卷积核 | the small array of weights that slides |
# | weight | 权重 | a number that training adjusts |
# | feature map | 特征图 | one output channel of a layer |
# | channel | 通道 | one number of each pixel, such as red |
# | batch | 批 | several pictures processed at once |
# | padding | 填充 | pixels added around the rim |
# | stride | 步幅 | how far the kernel moves at a time |
# | dilation | 空洞(膨胀) | distance between the pixels under neighbouring weights |
# | im2col | 矩阵化展开 | copying every window into a row of a matrix |
# | separable kernel | 可分离卷积核 | a column times a row |
# | depthwise separable convolution | 深度可分离卷积 | one kernel a channel, then a 1×1 convolution |
# | gradient | 梯度 | how the loss changes with each number |
# | upstream gradient | 上游梯度 | the gradient of the loss with respect to a layer's output |
# | autodiff | 自动微分 | computing gradients by recording steps and playing them backwards |
# | transposed convolution | 转置卷积 | stamping the kernel once for each input pixel |
# | checkerboard artefact | 棋盘伪影 | alternating brightness from uneven overlap of stamps |
#
# ## What to read next
#
# - Vincent Dumoulin and Francesco Visin, *A guide to convolution arithmetic for deep learning*, 2016: every
#   case of section 4 drawn.
# - Augustus Odena, Vincent Dumoulin and Chris Olah, *Deconvolution and checkerboard artifacts*, Distill,
#   2016: section 7 in generators.
# - Kumar Chellapilla, Sidd Puri and Patrice Simard, *High performance convolutional neural networks for
#   document processing*, 2006: where im2col comes from.
# - Yann LeCun and others, *Backpropagation applied to handwritten zip code recognition*, 1989: shared
#   weights, trained.
# - Andrew Howard and others, *MobileNets: efficient convolutional neural networks for mobile vision
#   applications*, 2017: depthwise separable layers.
# - Next lesson: [03 · Pooling](03_pooling.ipynb), on making pictures smaller, and what a network sees of
#   them.
