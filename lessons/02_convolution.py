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
# - **You will be able to** predict what a kernel does to a picture, compute the shape and cost of a convolution
#   layer, write its gradients by hand, and say where checkerboards in generated pictures come from.
# - **You need** [lesson 01](01_images.ipynb): pictures as arrays, broadcasting, values from 0 to 1.
# - **Time**: about two hours with the exercises; all cells run in under a minute.

# %%
import timeit

import keras
import matplotlib.pyplot as plt
import numpy as np
import scipy.ndimage
import tensorflow as tf
from numpy.lib.stride_tricks import sliding_window_view

from course_utils import data, figures, panels
from course_utils.checks import lesson_02 as check
from course_utils.report import approx

# %% [markdown]
# One photograph, nine numbers at a time:

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
# Numbers that add up to one keep the brightness. Those that add up to zero leave only *differences*, of both signs, so
# zero is drawn in mid-grey. (Values beyond black or white are clipped.)

# %% [markdown]
# ## 1 · What is the sum?
#
# Lay a **kernel** $k$ of $3\times3$ **weights** over the top left corner of a picture $x$, multiply each weight by the
# pixel under it, and add the nine products: one pixel of the output $y$. Then slide the kernel on:
#
# $$y_{r,c} \;=\; \sum_{i=0}^{2}\sum_{j=0}^{2} \; x_{r+i,\;c+j}\;\, k_{i,j} \qquad x: 5\times5,\quad k: 3\times3,\quad y: 3\times3$$
#
# The output is smaller: in five pixels the kernel fits at only three positions. Our picture is a white corner on
# black; our kernel looks for vertical edges. **Where will the output be zero?**

# %%
x = np.zeros((5, 5))
x[1:, 2:] = 1
k = KERNELS["vertical edges"]
print(x, k, sep="\n\n")

# %% [markdown]
# In Python: two loops over positions, two over the kernel.


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


# %% tags=["hide-input"]
def draw_step(x, k, y, r, c):
    """Draw the kernel at position (r, c): the window, its products, and the output so far."""
    figure, axes = figures.grid(3, size=3)
    figures.draw_numbers(axes[0], x, "input, one window framed", limit=4)
    frame = plt.Rectangle((c - 0.5, r - 0.5), 3, 3, fill=False, linewidth=3, zorder=5)
    axes[0].add_patch(frame)
    products = x[r : r + 3, c : c + 3] * k
    figures.draw_numbers(axes[1], products, "window × kernel", limit=4)
    figures.draw_numbers(axes[2], y, f"output: y[{r}, {c}] = {products.sum():.0f}", limit=4)
    for later in range(3 * r + c + 1, 9):
        place = later % 3 - 0.5, later // 3 - 0.5
        axes[2].add_patch(plt.Rectangle(place, 1, 1, color="0.9", zorder=5))
    return np.asarray(figures.render(figure, per_inch=96)) / 255


figures.animate(
    [draw_step(x, k, y, r, c)[None] for r, c in np.ndindex(y.shape)],
    columns=1,
    frames_per_second=1,
    scale=1,
    alt="A frame of three by three slides over a five by five input with a white corner. Beside"
    " it the nine products under the frame, and the output, which fills up one by one.",
)

# %% [markdown]
# All nine positions; each title is the sum of the products below.

# %%
# np.ndindex gives each position (r, c) of y in turn
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
# Top left, only the right column of the kernel meets white pixels, and its weights add up. On the right, the kernel's
# outer columns both lie on white and cancel: no vertical edge there.

# %%
print(f"strongest response {y.max():.0f}, weakest {y.min():.0f}")
print("same as SciPy:", np.array_equal(y, scipy.ndimage.correlate(x, k)[1:-1, 1:-1]))

# %% [markdown]
# ### Your turn: a playground
#
# Pick a kernel or type one, one row a line, then press Tab. *Signed* shows zero as grey. Try one that finds
# horizontal edges, and *outline* with its 8 replaced by a 9. (Widgets do not run on a web page.)

# %%
panels.kernel_playground(face, KERNELS)

# %% [markdown]
# ### E2.1 ★ Move the picture
# Return a 3×3 kernel that, *correlated* with a picture, moves it by one pixel to the **right**. Which input pixel
# should output pixel $(r, c)$ copy?


# %% tags=["exercise"]
def kernel_that_moves_right():
    raise NotImplementedError("E2.1: return a 3x3 array")


# %%
check.e2_1(kernel_that_moves_right)


# %% tags=["solution"]
def kernel_that_moves_right():
    return np.array([[0, 0, 0], [1, 0, 0], [0, 0, 0]])


check.e2_1(kernel_that_moves_right)

# %% [markdown]
# ## 2 · Is that a convolution?
#
# Strictly, no: it is **cross-correlation**. A mathematician's **convolution** runs through the kernel backwards, as if
# turned by 180°:
#
# $$(x * k)_{r,c} = \sum_{i,j} x_{r-i,\;c-j}\; k_{i,j}$$
#
# An **impulse**, one white pixel, shows it ($i$, $j$ counted from the kernel's middle):

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
# Convolution stamps a *copy* of the kernel, correlation turns it. The **convolution layers of Keras, TensorFlow and
# PyTorch compute cross-correlation** and keep the name: a network can learn the turned kernel as well.

# %% [markdown]
# ## 3 · What is a layer, and how is it made fast?
#
# A layer has $C_\text{out}$ kernels. Each spans *all* $C_\text{in}$ input channels (three, for colour) and adds over
# them, giving one output channel, a **feature map**. For a **batch** of $N$ pictures:
#
# $$y_{n,r,c,o} = \sum_{i,j}\sum_{m=1}^{C_\text{in}} x_{n,\,r+i,\,c+j,\,m}\; k_{i,j,m,o}
# \qquad x: (N, H, W, C_\text{in}),\;\; k: (h, w, C_\text{in}, C_\text{out}),\;\; y: (N, H', W', C_\text{out})$$
#
# (Most layers also add one number to each output channel, its **bias**.) The same sum four ways: first, loops.


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
# Second, **all windows at once**. `sliding_window_view` gives them without copying a pixel. `einsum` then writes the
# equation: each letter names an axis, and a letter missing behind the arrow is summed over. The matrix product
# $\sum_j a_{i,j}\,b_{j,k}$, for one:

# %%
a, b = np.array([[1, 2], [3, 4]]), np.array([[5, 6], [7, 8]])
print(np.array_equal(np.einsum("ij,jk->ik", a, b), a @ b))


# %%
def layer_by_windows(batch, kernel):
    """As layer_by_loops, all windows at once."""
    windows = sliding_window_view(batch, kernel.shape[:2], axis=(1, 2))  # (N, H', W', Cin, h, w)
    return np.einsum("nrcmij,ijmo->nrco", windows, kernel)


# %% [markdown]
# Third, **im2col** ("image to columns"). Libraries are tuned for multiplying matrices, so we copy each window into a
# row of one matrix, flatten the kernels into columns of another, and multiply once.


# %%
def layer_by_matrix(batch, kernel):
    """As layer_by_loops, by one matrix product."""
    h, w, channels_in, channels_out = kernel.shape
    windows = sliding_window_view(batch, (h, w), axis=(1, 2))  # (N, H', W', Cin, h, w)
    rows = windows.transpose(0, 1, 2, 4, 5, 3).reshape(
        -1, h * w * channels_in
    )  # (N H' W', h w Cin)
    return (rows @ kernel.reshape(-1, channels_out)).reshape(*windows.shape[:3], channels_out)


# %% [markdown]
# Fourth, the library, `keras.ops.conv`. **How many times as fast as the loops will the others be?**

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

# %% [markdown]
# The loops run a line of Python for each window and output channel. How the others compare depends on the machine.
# The matrix costs memory: it holds each pixel once for every window the pixel is in.

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
# **Padding** $p$ adds $p$ pixels, usually zeros, on every side. **Stride** $s$ moves the kernel $s$ pixels at a time.
# **Dilation** $d$ spreads its weights $d$ pixels apart, so that a kernel of size $h$ reaches over $d(h-1)+1$ pixels.
# Counting the positions gives ($\lfloor\,\rfloor$ rounds down)
#
# $$H' = \left\lfloor \frac{H + 2p - \big(d\,(h-1)+1\big)}{s} \right\rfloor + 1$$

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
# Lines show which outputs (orange) read which inputs (blue) and padding (grey). In code, we slice: every $s$-th
# window, every $d$-th pixel in it.


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
# In Keras, padding is a word: `"valid"` is none, `"same"` keeps the size (at stride 1). What fills the rim is a
# choice.

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
# Zeros are black pixels: they darken the rim. For pictures that people look at, reflect; most networks use zeros.

# %% [markdown]
# ### E2.2 ★ The size of the output
# Write `output_size`, the formula above for one axis, as a whole number.


# %% tags=["exercise"]
def output_size(size, kernel_size, stride=1, padding=0, dilation=1):
    raise NotImplementedError("E2.2: return the number of positions")


# %%
check.e2_2(output_size)


# %% tags=["solution"]
def output_size(size, kernel_size, stride=1, padding=0, dilation=1):
    reach = dilation * (kernel_size - 1) + 1
    return (size + 2 * padding - reach) // stride + 1


check.e2_2(output_size)

# %% [markdown]
# ### E2.3 ★★ What does a layer cost?
# Write `layer_cost`: two whole numbers for a convolution layer with square kernels, its weights and biases together,
# and its multiplications for one picture of `height` × `width` (stride 1, padding `"same"`).


# %% tags=["exercise"]
def layer_cost(height, width, kernel_size, channels_in, channels_out):
    raise NotImplementedError("E2.3: return weights and biases, multiplications")


# %%
check.e2_3(layer_cost)


# %% tags=["solution"]
def layer_cost(height, width, kernel_size, channels_in, channels_out):
    products = kernel_size**2 * channels_in * channels_out
    return products + channels_out, height * width * products


check.e2_3(layer_cost)

# %% [markdown]
# ## 5 · Can we multiply less?
#
# An $h\times h$ kernel costs $h^2$ products a pixel. But if it is **separable**, a column times a row, we may go down
# the columns, then along the rows, for $2h$ products. Which kernels are separable? The **singular value decomposition**
# (SVD) writes any matrix as a sum of columns times rows, each with a strength, its singular value. The number of
# strengths above zero is the **rank**: one, for a separable kernel.

# %%
for name in ("vertical edges", "sharpen"):
    print(f"{name:15} strengths", np.linalg.svd(KERNELS[name])[1].round(2))

# %%
offsets = np.arange(-12, 13)
bell = np.exp(-0.5 * (offsets / 4) ** 2)
bell /= bell.sum()
gaussian = np.outer(bell, bell)  # (25, 1) times (1, 25) -> (25, 25)
print("gaussian", gaussian.shape, "has rank", np.linalg.matrix_rank(gaussian))

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
# Layers can be split too. A **1×1 convolution** looks at one pixel and only mixes its channels. A **depthwise**
# convolution gives each channel a kernel of its own and mixes nothing. Together, depthwise first, they make a
# **depthwise separable** layer: far fewer weights than a full one, but it can do less.

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
        f"{type(layer).__name__:16} {layer.kernel_size} 64 -> 128 channels:",
        f"{layer.count_params():6} weights and biases",
    )

# %% [markdown]
# ### E2.4 ★★ Split a kernel
# Write `split`: from a kernel $(h, w)$, a column $(h,)$ and a row $(w,)$ whose `np.outer` is the kernel. If there
# are none, raise a `ValueError`. `np.linalg.svd` returns a matrix of columns, the strengths (largest first) and a
# matrix of rows.


# %% tags=["exercise"]
def split(kernel):
    raise NotImplementedError("E2.4: return column, row")


# %%
check.e2_4(split)


# %% tags=["solution"]
def split(kernel):
    columns, strengths, rows = np.linalg.svd(kernel)
    if np.any(strengths[1:] > 1e-6 * strengths[0]):
        raise ValueError(
            f"the kernel has rank {np.linalg.matrix_rank(kernel)}, expected 1: it cannot be split"
        )
    return columns[:, 0] * strengths[0], rows[0]


check.e2_4(split)

# %% [markdown]
# ## 6 · How does a kernel learn?
#
# Training makes one number small, the **loss** $L$, which says how wrong the network is. Nudge one weight while all
# else stays: by how much does $L$ change for each unit? That is the **partial derivative**
# $\partial L/\partial k_{i,j}$. (For $L = a\,b$, $\partial L/\partial a = b$.) All of them together are the
# **gradient**. It points to larger $L$, as lesson 01's did to brighter pixels.

# %% [markdown]
# Suppose we know how $L$ changes with each output, the **upstream gradient** $g = \partial L/\partial y$. The rest
# is the **chain rule**: along a path effects multiply, over all paths they add up. In output $(r,c)$, weight
# $k_{i,j}$ multiplies pixel $x_{r+i,c+j}$, so $\partial y_{r,c}/\partial k_{i,j} = x_{r+i,c+j}$. Over all positions:
#
# $$\frac{\partial L}{\partial k_{i,j}} = \sum_{r,c} g_{r,c}\; x_{r+i,\,c+j} \qquad \text{: correlate } x \text{ with } g$$
#
# Pixel $x_{u,v}$ went to output $(u-i, v-j)$ through weight $k_{i,j}$ (outside the output, $g$ counts as zero):
#
# $$\frac{\partial L}{\partial x_{u,v}} = \sum_{i,j} g_{u-i,\,v-j}\; k_{i,j} \qquad \text{: a true convolution of } g \text{ with } k$$
#
# There is the turned kernel of section 2.


# %%
def gradients(x, k, g):
    """Gradients of L for y = correlate(x, k) and g = dL/dy: returns dL/dx of x's shape, dL/dk of k's shape."""
    rim_rows, rim_columns = k.shape[0] - 1, k.shape[1] - 1
    padded = np.pad(g, ((rim_rows, rim_rows), (rim_columns, rim_columns)))
    return correlate_by_loops(padded, k[::-1, ::-1]), correlate_by_loops(x, g)


# %% [markdown]
# Two checks, for the loss $L = \sum g\,y$, whose upstream gradient is $g$. **Finite differences** nudge each number up
# and down and watch the loss. TensorFlow's **autodiff** records the steps on a tape and plays them backwards. (It
# wants a batch and channels: `x[None, ..., None]` puts an axis of length one at either end.)


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
# Let the loss be one output minus another, so that $g$ is $1$ and $-1$ there.

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
# The output with $+1$ hands a copy of the kernel back to the pixels it read, the one with $-1$ the negative. The
# kernel's own gradient is the first window minus the second: weights are **shared** by all positions, so they hear
# from all. To learn, the kernel takes a small step *against* its gradient. **What happens to the loss?**

# %%
stepped = correlate_by_loops(x, lopsided - 0.001 * k_gradient) - correlate_by_loops(x, lopsided)
print(f"change of the two outputs {stepped[1, 1]:.3f} and {stepped[3, 4]:.3f}")
print(f"change of the loss {np.sum(g * stepped):.3f}")

# %% [markdown]
# ### E2.5 ★★★ The gradient with a stride
# Write `kernel_gradient`: for a correlation with a stride, from `x` (H, W) and the upstream gradient `g` (H', W'), the
# gradient $\partial L/\partial k$ of a kernel of `kernel_size` (h, w). Which pixel did weight $(i,j)$ meet at output
# $(r,c)$?


# %% tags=["exercise"]
def kernel_gradient(x, g, kernel_size, stride):
    raise NotImplementedError("E2.5: return an array of shape kernel_size")


# %%
check.e2_5(kernel_gradient)


# %% tags=["solution"]
def kernel_gradient(x, g, kernel_size, stride):
    windows = sliding_window_view(x, kernel_size)[::stride, ::stride]  # (H', W', h, w)
    return np.einsum("rc,rcij->ij", g, windows)


check.e2_5(kernel_gradient)

# %% [markdown]
# ## 7 · How do we go back up?
#
# Generators, networks that make pictures, turn small arrays into large ones. Write a convolution as a matrix $C$ with
# $y = Cx$ for the flattened picture; its columns come out when we feed in one impulse after another.

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
figure.colorbar(axes[0].images[0], ax=axes, label="weight")
figures.show(
    figure,
    alt="The matrix of a three by three convolution of a five by five picture: nine rows of"
    " slanted bands that hold the same nine weights, and zeros elsewhere. Beside it the"
    " same matrix transposed.",
)

# %% [markdown]
# The input's gradient is $C^\top g$. Used *forwards*, $C^\top$ turns 9 numbers into 25: the **transposed convolution**.
# (It undoes the shape of a convolution, not its values.) Each column of $C^\top$ is a row of $C$, the kernel at one
# place, else zeros, so **every input pixel stamps the kernel, scaled by its value, onto the output**, $s$ pixels apart
# for a stride $s$; where stamps overlap, they add.
#
# $$y_{s\,r+i,\; s\,c+j} \mathrel{+}= x_{r,c}\; k_{i,j}$$


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
# If every input pixel and every weight is 1, the output counts the stamps on each pixel. **With stride 2, which kernel
# sizes stamp evenly?**

# %%
counts = {}
for size in (2, 3, 4):
    stamps = transposed_convolution(np.ones((6, 6)), np.ones((size, size)), stride=2)
    counts[size] = stamps[2:9, 2:9]  # without the rim
    print(f"kernel {size}: stamps on a pixel {np.unique(counts[size]).astype(int)}")

# %% tags=["hide-input"]
figure, axes = figures.grid(3, size=3.2)
for one, (side, values) in zip(axes, counts.items(), strict=True):
    figures.draw_numbers(one, values, f"kernel {side}, stride 2", limit=6)
figures.show(
    figure,
    alt="How many stamps output pixels away from the rim get at stride two. Kernel two:"
    " one everywhere. Kernel three: one, two and four in a checkerboard. Kernel four: four everywhere.",
)

# %% [markdown]
# When the stride divides the kernel size, all pixels but those at the rim get equally many stamps. Otherwise the
# counts alternate, and a generator must *learn* weights that cancel them. Two ways to start evenly: a kernel size that
# the stride divides (uneven weights can still alternate), or copying pixels, then convolving. With equal weights:

# %%
small = face[:188].reshape(47, 4, 55, 4).mean(axis=(1, 3))  # means of 4 × 4 pixels, as in E1.3
enlarged = [
    transposed_convolution(small, np.ones((3, 3)) * 4 / 9, stride=2),  # one pixel becomes four
    transposed_convolution(small, np.ones((4, 4)) / 4, stride=2),
    scipy.ndimage.correlate(small.repeat(2, axis=0).repeat(2, axis=1), np.ones((3, 3)) / 9),
]
titles = ["transposed, kernel 3", "transposed, kernel 4", "copy pixels, then convolve"]

# %% tags=["hide-input"]
figures.images(
    [small, *(picture[2:-2, 2:-2] for picture in enlarged)],
    ["input", "transposed, kernel 3 (clipped)", *titles[1:]],
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
# ## Clinic
#
# Kernels from PyTorch are to run in Keras, which orders their axes differently: here a blur and an edge finder. All
# shapes agree, and no error is raised:

# %% tags=["clinic"]
torch_kernel = np.stack([KERNELS["blur"], KERNELS["vertical edges"]])[:, None].astype(
    np.float32
)  # (2, 1, 3, 3)
keras_kernel = torch_kernel.reshape(3, 3, 1, 2)  # from (out, in, h, w) to (h, w, in, out)
ill = convolution_layer(face[None, ..., None], keras_kernel)
print("output", ill.shape, "as expected")

# %% tags=["clinic", "hide-input"]
figures.images(
    [ill[0, ..., 0], ill[0, ..., 1] / 2 + 0.5],
    ["output 0: should be blurred", "output 1: should be edges (grey is 0)"],
    size=3.6,
    alt="Two outputs of a red panda's face, one dark and one pale. Both look like the photograph,"
    " half sharpened: the first is not blurred, and the second is not plain where it is flat.",
)

# %% [markdown]
# Neither output is what it should be. **What happened to the weights?** The kernels should add up to 1 and 0:

# %% tags=["clinic"]
repaired_kernel = torch_kernel.transpose(2, 3, 1, 0)
repaired = convolution_layer(face[None, ..., None], repaired_kernel)
print("sums of the kernels, ill:     ", keras_kernel.sum(axis=(0, 1, 2)).round(2))
print("sums of the kernels, repaired:", repaired_kernel.sum(axis=(0, 1, 2)).round(2) + 0)

# %% tags=["clinic", "hide-input"]
figures.images(
    [repaired[0, ..., 0], repaired[0, ..., 1] / 2 + 0.5],
    ["transpose: output 0", "transpose: output 1 (grey is 0)"],
    size=3.6,
    alt="With transpose the first output is a soft photograph of a red panda's face and the second"
    " its vertical edges, bright and dark on mid-grey.",
)

# %% [markdown]
# `reshape` keeps the numbers' order in memory, so each kernel got numbers of both; `transpose` moves the axes. Test
# with a kernel whose effect you know.

# %% [markdown]
# ## Summary
#
# - A convolution layer slides shared weights over the picture and adds products.
# - Weights that add up to one keep brightness; those that add up to zero find changes.
# - Padding, stride and dilation set the output size by one formula.
# - Separable, 1×1 and depthwise convolutions need fewer weights or products, and can do less.
# - The kernel's gradient is a correlation, the input's a true convolution.
# - A transposed convolution stamps kernels; if the stride does not divide the kernel size, they make checkerboards.
#
# ## Glossary
#
# | English | 中文 | in one sentence |
# |---|---|---|
# | convolution, cross-correlation | 卷积、互相关 | sums of products with a kernel turned by 180°; not turned |
# | weight, bias | 权重、偏置 | what multiplies; what is added |
# | feature map | 特征图 | one output channel of a layer |
# | padding | 填充 | pixels added around the rim |
# | stride, dilation | 步幅、空洞(膨胀) | how far the kernel moves; how far apart its weights lie |
# | separable kernel | 可分离卷积核 | a column times a row |
# | depthwise separable convolution | 深度可分离卷积 | one kernel a channel, then a 1×1 one |
# | loss, gradient | 损失、梯度 | how wrong a network is; how that changes with each number |
# | chain rule | 链式法则 | effects multiply along a path and add up over paths |
# | autodiff | 自动微分 | gradients by playing recorded steps backwards |
# | transposed convolution | 转置卷积 | stamping the kernel once a pixel |
# | checkerboard artefact | 棋盘伪影 | alternating brightness from uneven stamps |
#
# ## What to read next
#
# - Vincent Dumoulin and Francesco Visin, *A guide to convolution arithmetic for deep learning*, 2016: section 4
#   drawn.
# - Augustus Odena and others, *Deconvolution and checkerboard artifacts*, Distill,
#   2016: section 7 in generators.
# - Kumar Chellapilla and others, *High performance convolutional neural networks for
#   document processing*, 2006: where im2col comes from.
# - Next lesson: [03 · Pooling](03_pooling.ipynb).
