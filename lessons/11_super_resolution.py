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
# # 11 · Super-resolution
#
# **Where do the pixels come from that a small picture does not have?**
#
# Twice the width and height means four numbers for each one given. We teach a network to guess them from photographs.
#
# - **You will be able to** build the bicubic kernel and a sub-pixel convolution, train an enlarger, measure it fairly,
#   and enlarge your own pictures.
# - **You need** lessons [01](01_images.ipynb) (PSNR, aliasing), [02](02_convolution.ipynb) (convolution),
#   [03](03_pooling.ipynb) (receptive fields), [05](05_cnn_classifier.ipynb) (training), and for section 6
#   [08](08_gan.ipynb).
# - **Time**: about two hours; all cells run in three to eight minutes.

# %%
import json
from functools import partial

import keras
import matplotlib.pyplot as plt
import numpy as np
from keras import layers, ops
from matplotlib.patches import Rectangle

from course_utils import (
    before_after,
    data,
    degrade,
    figures,
    metrics,
    models,
    paths,
    recipes,
    scoring,
    tiling,
)
from course_utils.checks import lesson_11 as check
from course_utils.metrics import perceptual
from course_utils.models import esrgan, esrgan_slim, super_resolution, vgg
from course_utils.report import approx, measured

# %% [markdown]
# The network shipped with the course never saw this bird, and gets the small picture alone.


# %%
def restored(network, picture):
    """What a network makes of one picture (h, w, C)."""
    return ops.convert_to_numpy(network(picture[np.newaxis]))[0]


def by_bicubic(picture, scale=2):
    return ops.convert_to_numpy(degrade.upsample(picture[np.newaxis], scale))[0]


# %%
shipped = models.load("sr_x2")
usual_test = degrade.PROTOCOLS["sr_x2"]
bird = data.photograph("kingfisher")
small_bird = usual_test(bird, 0)
large_bird = restored(shipped, small_bird)
print("small", small_bird.shape, "enlarged", large_bird.shape)

# %% tags=["hide-input"]
top, left, side = 30, 240, 120
half = slice(top // 2, (top + side) // 2), slice(left // 2, (left + side) // 2)
whole = slice(top, top + side), slice(left, left + side)
crops = [small_bird[half], by_bicubic(small_bird)[whole], large_bird[whole], bird[whole]]
names = ["small", "bicubic", "the network", "as it was"]
figure, axes = plt.subplots(1, 5, figsize=(12, 2.9), width_ratios=[1.6, 1, 1, 1, 1])
figures.draw_image(axes[0], bird, "where the crops are")
axes[0].add_patch(Rectangle((left, top), side, side, fill=False, color="white", linewidth=2))
for one, crop, name in zip(axes[1:], crops, names, strict=True):
    figures.draw_image(one, crop, name)
figures.show(
    figure,
    alt="A kingfisher with a square around its head. The head four times: in coarse pixels,"
    " enlarged softly, enlarged with clearer feathers and beak by the network, and the original.",
)

# %% [markdown]
# ## 1 · Why can no formula bring the pixels back?
#
# Shrinking takes weighted means of neighbours: along one axis, a product with a matrix $D$. A square picture $x$ is
# shrunk down its columns and along its rows:
#
# $$y = D\,x\,D^\top \qquad x: (64, 64) \quad D: (32, 64) \quad y: (32, 32)$$
#
# 4,096 numbers become 1,024, so many $x$ give the same $y$: whatever $D$ turns into zero can be added unseen. The
# **pseudo-inverse** of $D$ is the one enlargement $D^+$ with $D D^+ = I$ that adds nothing invisible. So
# $x - D^+ y\,(D^+)^\top$ shrinks to $y - y = 0$: this is the invisible part of $x$.


# %%
def invisible(picture, shrink):
    """The part of a square picture that shrinking loses without a trace."""
    enlarge = np.linalg.pinv(shrink)  # (64, 32)
    small = shrink @ picture @ shrink.T
    return picture - enlarge @ small @ enlarge.T


# %%
D = degrade.resize_matrix(64, 32)  # the weights of the usual test, see section 2
panda = metrics.luma(data.photograph("red_panda"), 1.0)[150:214, 250:314, 0]
castle = metrics.luma(data.photograph("neuschwanstein_castle"), 1.0)[100:164, 200:264, 0]
noise = np.random.default_rng(0).normal(size=panda.shape)
visible = panda - invisible(panda, D)
candidates = {
    "a photograph": panda,
    "its visible part": visible,
    "visible + noise": visible + 0.05 * invisible(noise, D),
    "visible + part of a castle": visible + 0.4 * invisible(castle, D),
}
smaller = [D @ picture @ D.T for picture in candidates.values()]
print("the small ones agree:", max(np.abs(one - smaller[0]).max() for one in smaller) < 1e-12)
print(
    "none leaves [0, 1]:", all(each.min() >= 0 and each.max() <= 1 for each in candidates.values())
)
for name, picture in candidates.items():
    print(f"{name:27} differs from the photograph by {np.abs(picture - panda).mean():.3f} a pixel")

# %% tags=["hide-input"]
figures.images(
    [*candidates.values(), *smaller],
    [*candidates, *["the same, small"] * 4],
    columns=4,
    size=2.6,
    alt="Above four different pictures of a red panda's eye and fur: sharp, soft, with fine noise,"
    " with windows and lines of a castle across it. Below each its small version; the four look exactly alike.",
)

# %% [markdown]
# Endlessly many pictures shrink to the same one: the problem is **ill-posed**. Only knowledge of how photographs look
# can decide.
#
# ## 2 · What does the bicubic kernel do?
#
# Output pixel $i$ of an enlargement by $s$ lies at $u = (i + \tfrac12)/s - \tfrac12$ in the small row. It is a mean of
# the four nearest pixels, weighted by distance:
#
# $$\text{out}_i = \sum_j h(u - j)\, \text{in}_j \qquad
# h(t) = \begin{cases} \tfrac32|t|^3 - \tfrac52|t|^2 + 1 & |t| \le 1 \\
# -\tfrac12|t|^3 + \tfrac52|t|^2 - 4|t| + 2 & 1 < |t| \le 2 \\
# 0 & |t| > 2\end{cases}$$
#
# Beyond one pixel the weights are *negative*: edges stay steep, and overshoot.


# %%
def cubic_weight(t):
    """Keys's cubic kernel h at the distances t in pixels."""
    t = np.abs(t)
    near = 1.5 * t**3 - 2.5 * t**2 + 1
    far = -0.5 * t**3 + 2.5 * t**2 - 4 * t + 2
    return np.where(t <= 1, near, np.where(t <= 2, far, 0.0))


def enlarge_row(row, scale):
    """A row (n,) by the cubic kernel: (n * scale,). Beyond its ends the row is mirrored."""
    padded = np.pad(row, 3, mode="symmetric")
    enlarged = []
    for i in range(len(row) * scale):
        u = (i + 0.5) / scale - 0.5
        nearest = np.floor(u).astype(int) + np.arange(-1, 3)  # four pixels
        enlarged.append(cubic_weight(u - nearest) @ padded[nearest + 3])
    return np.array(enlarged)


# %%
row = small_bird[60, 120:140, 1]
mine = enlarge_row(row, 2)
library = degrade.upsample(np.tile(row[:, None], (1, 4))[None, ..., None], 2)
print("agrees with the library:", np.abs(mine - library[0, :, 3, 0]).max() < 1e-6)
weights = cubic_weight(0.25 - np.arange(-1, 3))
print("weights at u = 0.25:", weights, "sum", weights.sum())
step = enlarge_row(np.repeat([0.2, 0.8], 8), 2)
print(f"an edge from 0.2 to 0.8 comes out from {step.min():.3f} to {step.max():.3f}")

# %% tags=["hide-input"]
figure, axes = plt.subplots(1, 2, figsize=(11, 3))
t = np.linspace(-2.5, 2.5, 400)
axes[0].plot(t, cubic_weight(t))
axes[0].axhline(0, color="black", linewidth=0.8)
axes[0].set(xlabel="distance in pixels of the small row", ylabel="weight", title="the kernel h")
axes[1].plot(np.arange(16), np.repeat([0.2, 0.8], 8), "o", color="black", label="small row")
axes[1].plot((np.arange(32) + 0.5) / 2 - 0.5, step, ".-", linewidth=1, label="twice as many")
axes[1].set(xlabel="place in the small row", ylabel="brightness", title="an edge", xlim=(3, 12))
axes[1].legend()
figures.show(
    figure,
    alt="Left, the kernel: a hump of height one with a small negative lobe on each side, zero from"
    " distance two on. Right, an edge: the line of twice as many pixels dips below it on the dark side and rises above"
    " it on the bright side.",
)

# %% [markdown]
# ### E11.1 ★ One value between
# Write `cubic_between(samples, place)`: the value of the samples (n,), which stand at 0, 1, … n − 1, at a
# place from 1 to n − 2. Take the four nearest and the kernel above.


# %% tags=["exercise"]
def cubic_between(samples, place):
    raise NotImplementedError("E11.1: return one number")


# %%
check.e11_1(cubic_between)


# %% tags=["solution"]
def cubic_between(samples, place):
    nearest = min(int(np.floor(place)), len(samples) - 3) + np.arange(-1, 3)
    distance = np.abs(place - nearest)
    near = 1.5 * distance**3 - 2.5 * distance**2 + 1
    far = -0.5 * distance**3 + 2.5 * distance**2 - 4 * distance + 2
    return np.where(distance <= 1, near, far) @ np.asarray(samples)[nearest]


check.e11_1(cubic_between)

# %% [markdown]
# How good is bicubic? We take the **peak signal-to-noise ratio** of lesson 01, with $m$ the mean squared error of
# pictures in [0, 1]:
#
# $$\text{PSNR} = 10 \log_{10} \frac{1}{m}$$
#
# The usual test shrinks photographs by the kernel above, stretched to average away what the small picture cannot hold,
# and compares brightness alone. We add **Lanczos**, a kernel of six pixels.

# %%
validation = scoring.photographs("validation")  # scaled down: no traces of JPEG
scoring.table(scoring.score_all({}, "sr_x2", validation))

# %% [markdown]
# The gain is the mean difference from bicubic, with its standard error. SSIM, the **structural similarity**, compares
# means, variances and covariance window by window; 1 means identical.
#
# ## 3 · How did the first network do it?
#
# **SRCNN** (2014) enlarges by bicubic, then three convolutions correct the large picture. Here they learn what to
# *add*: the **residual**, at first nothing.


# %%
def first_network(scale):
    small = layers.Input((None, None, 1))
    large = x = super_resolution.BicubicEnlargement(scale)(small)
    x = layers.Conv2D(64, 9, padding="same", activation="relu")(x)
    x = layers.Conv2D(32, 1, padding="same", activation="relu")(x)
    x = layers.Conv2D(1, 5, padding="same", kernel_initializer="zeros")(x)
    return keras.Model(small, large + x)


# %%
srcnn = first_network(2)
grey = metrics.luma(small_bird, 1.0)
print(f"{srcnn.count_params():,} weights, output {srcnn(grey[np.newaxis]).shape}")
print("starts from bicubic:", np.allclose(restored(srcnn, grey), by_bicubic(grey), atol=1e-5))
print("multiplications for each large pixel:", 9 * 9 * 64 + 64 * 32 + 5 * 5 * 32)

# %% [markdown]
# The bicubic picture holds nothing that the small one lacks, yet SRCNN works on four times as many pixels.
#
# ## 4 · How can a small map hold a large picture?
#
# In its channels. A **sub-pixel convolution** (2016) computes, at the small size, maps of shape $(h, w, s^2 C)$, and
# lays out each pixel's $s^2 C$ numbers as $s \times s$ large pixels of $C$ channels:
#
# $$\text{large}_{i,\,j,\,c} = \text{maps}_{\lfloor i/s \rfloor,\ \lfloor j/s \rfloor,\ ((i \bmod s)\,s + j \bmod s)\,C + c}$$

# %%
maps = np.arange(2 * 3 * 4).reshape(2, 3, 4)  # (h, w, s * s), for one channel
squares = maps.reshape(2, 3, 2, 2)  # (h, w, row, column)
large = squares.transpose(0, 2, 1, 3).reshape(4, 6)  # (h, row, w, column) -> (h * s, w * s)
library = ops.convert_to_numpy(ops.depth_to_space(maps[np.newaxis].astype("float32"), 2))
print("agrees with the library:", np.array_equal(large, library[0, :, :, 0]))
print("the first pixel's four numbers", maps[0, 0], "become", large[:2, :2].tolist())

# %% tags=["hide-input"]
figure, axes = plt.subplots(1, 5, figsize=(11, 2.5), width_ratios=[1, 1, 1, 1, 2])
tints = np.array([[0.0, 0.45, 0.7], [0.9, 0.6, 0.0], [0.0, 0.62, 0.45], [0.8, 0.47, 0.65]])
for channel, one in enumerate(axes[:4]):
    figures.draw_image(one, np.tile(tints[channel], (2, 3, 1)), f"channel {channel}")
figures.draw_image(axes[4], tints[large % 4], "large picture")
for one, numbers in zip(axes, [*np.moveaxis(maps, -1, 0), large], strict=True):
    for (row_number, column), number in np.ndenumerate(numbers):
        one.text(column, row_number, number, ha="center", va="center", color="black", weight="bold")
figures.show(
    figure,
    alt="Four small grids of two by three numbered cells, one colour each, and a grid of four by six"
    " in which every two by two square holds one cell of each colour.",
)

# %% [markdown]
# ### E11.2 ★★ Channels into pixels
# Write `to_pixels(maps, scale)` in NumPy for any scale and number of channels: (h, w, scale² · C) →
# (h · scale, w · scale, C), in the order of the formula.


# %% tags=["exercise"]
def to_pixels(maps, scale):
    raise NotImplementedError("E11.2: return an array (h * scale, w * scale, C)")


# %%
check.e11_2(to_pixels)


# %% tags=["solution"]
def to_pixels(maps, scale):
    height, width, channels = maps.shape
    squares = maps.reshape(height, width, scale, scale, channels // scale**2)
    return squares.transpose(0, 2, 1, 3, 4).reshape(height * scale, width * scale, -1)


check.e11_2(to_pixels)

# %% [markdown]
# ## 5 · What does our network look like, and how does it learn?
#
# **Residual blocks** at the small size, then a sub-pixel convolution: the plan of EDSR (2017), much smaller. The
# result is added to bicubic, as in VDSR (2016). A block adds to its input what two convolutions find in it, at first
# nothing.


# %%
def residual_block(x, width):
    y = layers.Conv2D(width, 3, padding="same", activation="relu", kernel_initializer="he_normal")(
        x
    )
    y = layers.Conv2D(width, 3, padding="same", kernel_initializer="zeros")(y)
    return x + y


def enlarger(scale, width, blocks):
    small = layers.Input((None, None, 1))
    options = {"padding": "same", "kernel_initializer": "he_normal"}
    first = x = layers.Conv2D(width, 3, **options)(small)  # (n, h, w, width)
    for _ in range(blocks):
        x = residual_block(x, width)
    x = first + layers.Conv2D(width, 3, **options)(x)
    x = layers.Conv2D(scale**2, 3, padding="same", kernel_initializer="zeros")(x)
    learned = super_resolution.SubPixel(scale)(x)  # (n, h * scale, w * scale, 1)
    return keras.Model(small, super_resolution.BicubicEnlargement(scale)(small) + learned)


# %%
recipe = recipes.find("sr_x2")
numbers = recipe.numbers()
by_hand = enlarger(2, numbers.width, numbers.blocks)
packaged = super_resolution.edsr(2, 1, width=numbers.width, blocks=numbers.blocks)
packaged.set_weights([w + 0.01 for w in packaged.get_weights()])  # away from the zeros of the start
by_hand.set_weights(packaged.get_weights())
print(
    "agrees with the package's:",
    np.allclose(restored(by_hand, grey), restored(packaged, grey), atol=1e-4),
)
kernels = [w for w in by_hand.trainable_variables if len(w.shape) == 4]
print(f"{by_hand.count_params():,} weights in {len(kernels)} convolutions")
print("multiplications for each large pixel:", sum(int(np.prod(w.shape)) for w in kernels) // 4)
print("a large pixel sees", len(kernels), "small pixels to each side")

# %% [markdown]
# More weights than SRCNN, fewer multiplications.
#
# Our network sees **brightness** alone, Y of the standard BT.601: a weighted sum of red, green and blue plus a constant
# (E11.4). All three are enlarged by bicubic, then moved by one number a pixel so that Y is the network's.
#
# Every photograph is its own answer: the recipe shrinks training patches in each batch. The loss is the mean *absolute*
# error, the optimizer Adam with the learning-rate schedule of lesson 05 ("one-cycle"):

# %%
patches = recipe.data().images
clean = patches[::100]  # from all photographs
small = degrade.downsample(clean, 2)
untrained = enlarger(2, numbers.width, numbers.blocks)
loss = ops.mean(ops.abs(clean - untrained(small)))
print(f"{len(patches):,} patches; of these {clean.shape} are shrunk to {tuple(small.shape)}")
print("loss before training, which is that of bicubic:", approx(loss, 4))

# %%
model = recipe.model(numbers)
history = recipe.train(model, numbers).history

# %% [markdown]
# No setting was chosen on the test photographs.

# %%
test = scoring.test_photographs()
scores = scoring.score_all({"this lesson's": model, "shipped": shipped}, "sr_x2", test)
scoring.table(scores)
gain = np.mean(scores["this lesson's"].psnr - scores["bicubic"].psnr)
measured("gain of this lesson's network", gain, at_least=1.4, digits=2, unit="dB")

# %% tags=["hide-input"]
palace = data.photograph("hawa_mahal")
small_palace = usual_test(palace, 0)
versions = {
    "bicubic": by_bicubic(small_palace),
    "this lesson's": restored(model, small_palace),
    "shipped": restored(shipped, small_palace),
    "as it was": palace,
}
top, left, side = 150, 200, 96
whole = slice(top, top + side), slice(left, left + side)
figure, axes = plt.subplots(2, 5, figsize=(12, 5), width_ratios=[1.4, 1, 1, 1, 1])
figures.draw_image(axes[0, 0], palace, "where the crops are")
axes[0, 0].add_patch(Rectangle((left, top), side, side, fill=False, color="white", linewidth=2))
axes[1, 0].axis("off")
axes[1, 4].axis("off")
for column, (name, version) in enumerate(versions.items(), start=1):
    figures.draw_image(axes[0, column], version[whole], name)
for column, version in enumerate(list(versions.values())[:3], start=1):
    error = np.abs(version - palace).mean(axis=-1)[whole]
    figures.draw_image(axes[1, column], error, "its error", cmap="viridis", vmax=0.25)
key = axes[1, 4].inset_axes((0.05, 0, 0.08, 1))
figure.colorbar(axes[1, 3].images[0], cax=key, label="error of a pixel", extend="max")
figures.show(
    figure,
    alt="A facade of many windows and a square in it. The square by bicubic, by this lesson's network, by the"
    " shipped one and as it was; below, the error of each: it follows the edges, and is weaker for the networks.",
)

# %% [markdown]
# Where the small picture holds no trace of a texture, the network paints something smooth; in the lattice window, false
# stripes.
#
# Was it worth leaving SRCNN behind? In recorded runs ours learned for two epochs (rate 0.002), with each of two losses,
# and SRCNN for a little more processor time (two of its learning rates with one seed only):

# %%
runs = json.loads((paths.BENCHMARKS / "11_enlargers.json").read_text())["runs"]
at_home = [name for name in runs if runs[name]["settings"]["shrinking"] == "as in training"]
print("recorded, gain in dB over bicubic on the validation photographs, three seeds")
for name in at_home:
    gains = [result["gains"]["as in training"] for result in runs[name]["seeds"].values()]
    print(f"{name:20}", *(f"{gain:6.2f}" for gain in gains), f"  mean {np.mean(gains):.2f}")

# %% tags=["hide-input"]
figure, axes = plt.subplots(figsize=(7.5, 3.4))
for name, colour in zip(at_home, figures.COLOURS, strict=False):
    for seed, result in runs[name]["seeds"].items():
        seconds, decibels_reached = zip(*result["curve"], strict=True)
        label = name if seed == "0" else None
        axes.plot(seconds, decibels_reached, color=colour, label=label)
axes.set(xlabel="processor seconds", ylabel="PSNR of validation patches, dB", ylim=(27.4, 31.1))
axes.legend(fontsize=8, loc="lower right", bbox_to_anchor=(1, 0.05))
figures.show(
    figure,
    alt="PSNR of validation patches over processor seconds. The six curves of our network, three for each loss, end"
    " close together at the top, two of them after a dip; those of SRCNN climb slowly, well below.",
)

# %% [markdown]
# SRCNN gains less than half as much. Between our two losses we see no difference: the seeds differ more. Why two curves
# dip early, we did not test.
#
# Does SRCNN only start slowly? Recorded, one seed each: SRCNN and the shipped network (ours, wider and deeper) after
# about an hour of processor time with the same patches and loss, each at a rate of its own:

# %%
srcnn_run = json.loads((paths.BENCHMARKS / "11_srcnn.json").read_text())["runs"]["SRCNN"]
long_srcnn = srcnn_run["seeds"]["0"]
long_ours = json.loads((paths.WEIGHTS / "sr_x2.json").read_text())
by_bicubic_then = long_ours["scores"]["sr_x2"]["bicubic"]["psnr"]
for name, score, spent in (
    ("SRCNN", long_srcnn["scores"], long_srcnn["processor_seconds"][-1]),
    ("ours", long_ours["scores"]["sr_x2"]["network"], long_ours["processor_seconds"]),
):
    print(f"{name:6} {score['psnr'] - by_bicubic_then:.2f} dB over bicubic", end=" ")
    print(f"on the test photographs, after {spent:,.0f} processor seconds")

# %% tags=["hide-input"]
figure, axes = plt.subplots(figsize=(7.5, 3.4))
seconds = np.cumsum([epoch["processor_seconds"] for epoch in long_ours["history"]])
axes.plot(seconds, [epoch["val_psnr"] for epoch in long_ours["history"]], label="ours, shipped")
axes.plot(long_srcnn["processor_seconds"], long_srcnn["val_psnr"], label="SRCNN")
axes.set(xlabel="processor seconds", ylabel="PSNR of validation patches, dB")
axes.legend(fontsize=8, loc="lower right")
figures.show(
    figure,
    alt="PSNR of validation patches over processor seconds, up to about an hour of one core. SRCNN rises slowly and flattens"
    " out at a height that the shipped network passes near its start.",
)

# %% [markdown]
# No: its curve flattens out at a height that ours passed within minutes. Which difference causes this, we have not
# tried.
#
# ### E11.3 ★ How many blocks?
# A convolution of odd size k sees (k − 1)/2 pixels further to each side (lesson 03). Write
# `blocks_needed(reach, kernel_size)`: the fewest residual blocks, at least one, with which our network, all kernels of
# that size, sees at least `reach` small pixels to each side. Three convolutions stand outside the blocks.


# %% tags=["exercise"]
def blocks_needed(reach, kernel_size=3):
    raise NotImplementedError("E11.3: return a whole number")


# %%
check.e11_3(blocks_needed)


# %% tags=["solution"]
def blocks_needed(reach, kernel_size=3):
    blocks = 1
    while (2 * blocks + 3) * (kernel_size - 1) // 2 < reach:
        blocks += 1
    return blocks


check.e11_3(blocks_needed)

# %% [markdown]
# ## 6 · Does the better number look better?
#
# At four times the size, where many textures are possible, a pixel error is smallest in their middle, which is smooth.
# Training can ask two other questions:
#
# - **Perceptual loss** (2016): does another network see the same? **VGG** (2014) is a stack of convolutions trained to
#   name photographs; ours was trained further to find edges. With $\varphi$ the maps of one of its layers,
#   $\operatorname{mean}|\varphi(x) - \varphi(\hat x)|$ is added to the pixel error of the result $\hat x$.
# - **Adversarial loss** (SRGAN, 2017): can a discriminator that learns along tell the result from an original
#   ([lesson 08](08_gan.ipynb))?
#
# Guess: which is nearest to the original by pixels, which to VGG: bicubic, our network for four times, or the original
# moved by one pixel?


# %%
def perceptual_term(network, clean, enlarged):
    """Mean absolute difference of the maps that a network makes of luma patches (n, h, w, 1)."""
    maps = [network(ops.repeat(each, 3, axis=-1))["conv3_3"] for each in (clean, enlarged)]
    return ops.mean(ops.abs(maps[0] - maps[1]))


# %%
eyes = vgg.features(("conv3_3",), pooling="average")  # a layer of its third block
shipped_x4 = models.load("sr_x4")
small_patches, clean_patches = (part[::8] for part in recipes.find("sr_x4").data().validation)
answers = {
    "bicubic": degrade.upsample(small_patches, 4),
    "network for four times": shipped_x4(small_patches),
    "moved by one pixel": np.roll(clean_patches, 1, axis=2),
}
print(f"{len(clean_patches)} patches           pixel error   perceptual term")
for name, answer in answers.items():
    pixel_error = ops.mean(ops.abs(clean_patches - answer))
    print(
        f"{name:22} {approx(pixel_error, 3):>11} {approx(perceptual_term(eyes, clean_patches, answer), 2):>17}"
    )

# %% [markdown]
# By pixels the moved patches are as wrong as bicubic, to VGG much nearer: it minds less where exactly edges lie.
#
# We compare four enlargers, none trained on these photographs: bicubic; `sr_x4`, our network and loss for four times;
# a small **ESRGAN** (2018) made by others; and ESRGAN-slim, despite its name no ESRGAN. Beside PSNR we measure an
# **LPIPS-like distance** (2018) between VGG's maps, each pixel's vector of channels scaled to length 1.

# %%
enlargers = {
    "bicubic": partial(by_bicubic, scale=4),
    "ESRGAN-slim": partial(restored, esrgan_slim.esrgan_slim(4)),
    "sr_x4": partial(restored, shipped_x4),
    "ESRGAN": partial(restored, esrgan.esrgan()),
}
test_of_four = degrade.PROTOCOLS["sr_x4"]
by_y = {"colour": "y", "border": 0, "data_range": 1.0, "quantise": True}
parts = [picture[32:192, 96:256] for picture in validation.values()]  # VGG takes its time
inside = slice(32, 128), slice(32, 128)  # away from the border, where networks lack neighbours
print(f"{len(parts)} middles of 96 x 96   PSNR in dB   LPIPS-like")
for name, enlarge in enlargers.items():
    pairs = [(part[inside], enlarge(test_of_four(part, 0))[inside]) for part in parts]
    decibels = np.mean([metrics.psnr(*pair, **by_y) for pair in pairs])
    distance = np.mean([perceptual.lpips_like(*pair) for pair in pairs])
    print(f"{name:24} {approx(decibels, 2):>10} {approx(distance, 2):>12}")

# %%
shown = []
for name, (top, left) in {"goat": (104, 200), "petra": (56, 180), "dog": (32, 352)}.items():
    original = validation[name][top - 24 : top + 136, left - 24 : left + 136]
    small_one = test_of_four(original, 0)  # (40, 40, 3)
    results = [*(enlarge(small_one) for enlarge in enlargers.values()), original]
    shown += [result[24:136, 24:136] for result in results]
print(len(shown), "pictures of", shown[0].shape)

# %% tags=["hide-input"]
figures.images(
    shown,
    [*enlargers, "as it was"] + [""] * (len(shown) - len(enlargers) - 1),
    columns=len(enlargers) + 1,
    size=2.4,
    alt="The coat of a goat, a stone capital and a dog, each five times. Bicubic is soft; ESRGAN-slim is soft with a fine"
    " grid over it; sr_x4 has firmer edges but no texture; ESRGAN has hair, grain and sharp lines, yet the dog's eyes"
    " are lost in it; last the original.",
)

# %% [markdown]
# `sr_x4` leads by PSNR and looks smooth; ESRGAN leads by VGG and looks sharpest. Its hair and grain are likely, not
# true: where the others leave dark hollows for the dog's eyes, it draws fur. That is the **perception-distortion
# trade-off** (2018): once an enlarger is as good as can be, looking more like photographs takes it away from the one
# original. Invented hair suits a wallpaper; to a doctor it is a danger.
#
# These four differ in size, data and training too. What does a loss do alone? Recorded: a second network learns for 600
# steps, from the same patches, what to add to `sr_x4`, held still: by the squared error, the absolute error, that and
# 0.3 of the perceptual term, or all this and 0.01 of lesson 08's relativistic (adversarial) loss. *Steepness* is the
# mean step between neighbouring pixels as a share of the original's. Guess: which wins by PSNR, which by the LPIPS-like
# distance, which would you hang on a wall?

# %%
ladder = json.loads((paths.BENCHMARKS / "11_losses.json").read_text())["runs"]
columns = "psnr", "lpips_like", "steepness", "processor_seconds"
print("recorded, three seeds, mean ± standard error")
print("                         PSNR        LPIPS-like      steepness   processor seconds")
for name, entry in ladder.items():
    rows = np.array([[one[column] for column in columns] for one in entry["seeds"].values()])
    (dB, looks, steep, seconds), errors = rows.mean(0), rows.std(0, ddof=1) / len(rows) ** 0.5
    print(f"{name:15} {dB:12.2f} ± {errors[0]:.2f} {looks:8.3f} ± {errors[1]:.3f}", end="")
    print(f" {steep:9.2f} {seconds:15.0f}")

# %% tags=["hide-input"]
wall = data.load_image(paths.BENCHMARKS / "11_losses.png")  # a crop a row, a loss a column
lines = [np.split(line, len(ladder), axis=1) for line in np.split(wall, 3)]
originals = shown[len(enlargers) :: len(enlargers) + 1]
figures.images(
    [each for line, original in zip(lines, originals, strict=True) for each in (*line, original)],
    [*ladder, "as it was"] + [""] * (2 * len(ladder) + 2),
    columns=len(ladder) + 1,
    size=2.4,
    alt="The coat of a goat, a stone capital and a dog, each five times. By the squared and by the absolute error they are"
    " smooth and look alike; with the perceptual term a little firmer; with the adversarial term sharper, with"
    " dark seams beside edges; last the original, far sharper than all.",
)

# %% [markdown]
# By PSNR the two pixel errors tie and win. The perceptual term comes nearest by the LPIPS-like distance, although its
# crops are hardly sharper. With the adversarial term (its weight was chosen on these photographs) the distance grows
# again, yet the crops look sharpest, and the steepness comes nearest to 1. The price: 0.7 dB, and dark seams beside
# edges.
#
# **What a network learned from cannot judge it**: the LPIPS-like distance is made of VGG's maps, like the perceptual
# term. By its record, ESRGAN learned from VGG too, so its lead may be too large.
#
# ## 7 · How far apart are two ways to measure one picture?
#
# One result, measured as papers do, then with one thing changed at a time. Guess: tenths of a decibel, or more?

# %%
protocol = {"colour": "y", "border": 2, "data_range": 1.0, "quantise": True}
changes = {
    "as papers do": {},
    "red, green and blue": {"colour": "rgb"},
    "the border counts": {"border": 0},
    "not rounded, not clipped": {"quantise": False},
}
both = bird, large_bird
decibels = {name: metrics.psnr(*both, **(protocol | change)) for name, change in changes.items()}
full_range = [(each.clip(0, 1) @ [0.299, 0.587, 0.114])[..., np.newaxis] for each in both]
decibels["grey of full range"] = metrics.psnr(*full_range, **(protocol | {"colour": "grey"}))
for name, value in decibels.items():
    difference = value - decibels["as papers do"]
    print(f"{name:26} {approx(value, 2)} dB  {approx(difference, 2)}")

# %% [markdown]
# Red, green and blue lose no more than the grey of full range: the cause is not colour. Y of BT.601 has only 219 of 255
# levels while the peak stays 255: that alone is $20 \log_{10}(255/219) = 1.32$ dB. Gains on our photographs compare
# with nothing else.
#
# ### E11.4 ★★ PSNR by the book
# Write `psnr_of_luma(reference, restored, border)` for two pictures (H, W, 3): clip to [0, 1], round to the 256
# levels of a file, take Y = (16 + 65.481 R + 128.553 G + 24.966 B) / 255, cut `border` pixels off each side, and
# return the PSNR in decibels with a peak of 1.


# %% tags=["exercise"]
def psnr_of_luma(reference, restored, border):
    raise NotImplementedError("E11.4: return decibels")


# %%
check.e11_4(psnr_of_luma)


# %% tags=["solution"]
def psnr_of_luma(reference, restored, border):
    height, width, _ = reference.shape
    inside = slice(border, height - border), slice(border, width - border)
    lumas = []
    for picture in (reference, restored):
        levels = np.round(np.clip(picture, 0, 1) * 255) / 255
        lumas.append((16 + levels @ [65.481, 128.553, 24.966])[inside] / 255)
    return 10 * np.log10(1 / np.mean((lumas[0] - lumas[1]) ** 2))


check.e11_4(psnr_of_luma)

# %% [markdown]
# ## 8 · What if the small picture was shrunk in another way?
#
# Guess: will the network still beat bicubic when each second pixel was dropped?


# %%
def shrink_by_dropping(images):
    return images[:, ::2, ::2]


def shrink_by_boxes(images):
    return ops.average_pool(images, 2)  # means of 2 x 2


def shrink_after_blur(images):
    return degrade.downsample(
        degrade.blur(images, degrade.gaussian_kernel(1.0, 7), border="symmetric"), 2
    )


def gain_over_bicubic(enlarge, shrink, pictures):
    """Mean gain in dB over bicubic on pictures shrunk in one way, as the usual test measures.

    enlarge: from one small picture (h, w, 3) to a large one.
    """
    options = {"colour": "y", "border": 2, "data_range": 1.0, "quantise": True}
    gains = []
    for picture in pictures.values():
        picture = degrade.crop_to_multiple(picture, 2)
        small = ops.convert_to_numpy(degrade.quantise(shrink(picture[np.newaxis])))[0]
        ours, theirs = (
            metrics.psnr(picture, large, **options) for large in (enlarge(small), by_bicubic(small))
        )
        gains.append(ours - theirs)
    return np.mean(gains)


# %%
ways = {
    "as in training": lambda images: degrade.downsample(images, 2),
    "means of 2 x 2": shrink_by_boxes,
    "every second pixel": shrink_by_dropping,
    "blurred before": shrink_after_blur,
}
for name, shrink in ways.items():
    gain = gain_over_bicubic(partial(restored, shipped), shrink, validation)
    print(f"{name:30} {approx(gain, 2)} dB over bicubic")

# %% tags=["hide-input"]
tower = degrade.crop_to_multiple(data.photograph("neuschwanstein_castle"), 2)
whole = slice(110, 206), slice(200, 296)
towers = [
    restored(shipped, ops.convert_to_numpy(degrade.quantise(shrink(tower[np.newaxis])))[0])[whole]
    for shrink in ways.values()
]
figures.images(
    [tower[whole], *towers],
    ["as it was", *ways],
    size=2.4,
    alt="A crop of castle towers five times: the original, enlarged well from the small picture of"
    " training, also from means, with jagged lines from dropped pixels, and soft from the blurred one.",
)

# %% [markdown]
# No: the network corrects what *its* way of shrinking does. Dropping pixels leaves jagged edges (**aliasing**,
# lesson 01), which the network sharpens as if they were meant. It also moves the picture: the pixels kept stand at
# 0, 2, 4, …, where section 2 supposes them half a large pixel further on. What does this shift alone cost?


# %%
def bicubic_in_place(picture):
    """Twice as large by the cubic kernel, with small pixel j at large pixel 2 j."""

    def along_first_axis(x):
        padded = np.pad(x, ((1, 2), (0, 0), (0, 0)), mode="symmetric")
        weights = cubic_weight(np.array([-1.5, -0.5, 0.5, 1.5]))
        between = sum(weight * padded[k : k + len(x)] for k, weight in enumerate(weights))
        return np.stack([x, between], axis=1).reshape(2 * len(x), *x.shape[1:])

    return along_first_axis(along_first_axis(picture).swapaxes(0, 1)).swapaxes(0, 1)


# %%
gain = gain_over_bicubic(bicubic_in_place, shrink_by_dropping, validation)
print("every second pixel, bicubic that knows the shift:", approx(gain, 2), "dB over bicubic")

# %% [markdown]
# Bicubic loses nearly two decibels.
#
# Can one network learn all four ways? Recorded, after two epochs: networks trained as before, and others on patches
# each shrunk in one of the four:

# %%
rivals = [runs["ours"], runs["ours, shrunk in four ways"]]
print("recorded gain over bicubic in dB, mean ± standard deviation of three seeds")
print(f"{'the small pictures are':30} trained on one way   on all four")
for way in ways:
    row_of_gains = [[result["gains"][way] for result in run["seeds"].values()] for run in rivals]
    cells = (f"{np.mean(gains):12.2f} ± {np.std(gains, ddof=1):.2f}" for gains in row_of_gains)
    print(f"{way:30} {''.join(cells)}")

# %% [markdown]
# Training on all four helps most on dropped pixels (where bicubic that knows the shift is better still), and a little
# after blur. It costs over half of the gain as in training, and most on means of 2 × 2. Why, these runs do not say.
#
# ## 9 · Do eight opinions beat one?
#
# Turned and mirrored eight ways, a picture gets eight slightly different answers. Turned back, their mean is the
# **self-ensemble**.


# %%
def self_ensemble(network):
    """A function that enlarges one picture (h, w, C) eight ways and averages."""

    def enlarge(picture):
        total = 0
        for turns in range(4):
            turned = np.rot90(picture, turns)
            total = total + np.rot90(restored(network, turned), -turns)
            total = total + np.rot90(restored(network, turned[:, ::-1])[:, ::-1], -turns)
        return total / 8

    return enlarge


# %%
few = dict(list(validation.items())[:8])
networks = {"this lesson's": model, "eight turns of it": self_ensemble(model)}
scores = scoring.score_all(networks, "sr_x2", few)
scoring.table(scores)
extra = scores["eight turns of it"].psnr - scores["this lesson's"].psnr
print(
    "eight turns gain",
    approx(extra.mean(), 3),
    "±",
    approx(extra.std(ddof=1) / len(few) ** 0.5, 3),
    "dB",
)

# %% [markdown]
# Less than a tenth of a decibel, for eight times the time.
#
# ## 10 · How do I enlarge a picture of my own?
#
# A large photograph may be too much for the memory: we cut it into **tiles**. Of each result we keep only what lies at
# least the network's reach (E11.3) inside the tile, so neighbours share twice the reach. Put your picture's name below;
# the slider works in JupyterLab.

# %%
MY_PICTURE = None  # for instance "holiday.jpg"
my_picture = data.load_image(MY_PICTURE) if MY_PICTURE else data.photograph("red_panda")
reach = 2 * recipe.FULL.blocks + 3
tiled = tiling.restore_tiled(shipped, my_picture, tile=128, overlap=reach, scale=2, progress=False)
print(my_picture.shape, "enlarged to", tiled.shape, "with a reach of", reach)
if not MY_PICTURE:
    print("as at once:", np.abs(tiled - restored(shipped, my_picture)).max() < 1e-5)
before_after.slider(by_bicubic(my_picture), tiled)

# %% tags=["hide-input"]
height, width = min(tiled.shape[0], 300), min(tiled.shape[1], 300)
top, left = (tiled.shape[0] - height) // 2, (tiled.shape[1] - width) // 2
middle = slice(top, top + height), slice(left, left + width)
figures.images(
    [by_bicubic(my_picture)[middle], tiled[middle]],
    ["bicubic", "network"],
    size=4.5,
    alt="A part of a red panda's face twice, enlarged by bicubic and by the network: fur is crisper on the right.",
)

# %% [markdown]
# Without the true large picture nothing can be measured; most pictures were not shrunk as in training.
#
# ### E11.5 ★★ Where do tiles start?
# Write `tile_starts(length, tile, overlap)`, along one axis: the first pixels of as few tiles as possible, in rising
# order. Each pixel needs one tile that holds its `overlap` neighbours to each side, or all up to the picture's end. The
# first starts at 0, the last ends at `length`; a picture no longer than a tile has the one start 0. A tile is longer
# than twice the overlap.


# %% tags=["exercise"]
def tile_starts(length, tile, overlap):
    raise NotImplementedError("E11.5: return a list of whole numbers")


# %%
check.e11_5(tile_starts)


# %% tags=["solution"]
def tile_starts(length, tile, overlap):
    if length <= tile:
        return [0]
    step = tile - 2 * overlap
    return [*range(0, length - tile, step), length - tile]


check.e11_5(tile_starts)

# %% [markdown]
# ## Clinic
#
# **In the first report**, plain bicubic gains on bicubic. Find out how before you read on.


# %% tags=["clinic"]
def report_gain(original, baseline, network):
    options = {"data_range": 1.0, "quantise": True}
    published = metrics.psnr(original, baseline, colour="rgb", border=0, **options)
    return metrics.psnr(original, network, colour="y", border=2, **options) - published


bicubic_bird = by_bicubic(small_bird)
print(f"bicubic gains {report_gain(bird, bicubic_bird, bicubic_bird):.2f} dB over bicubic")

# %% [markdown]
# Two rulers: the baseline is measured in colour and to the border, the network by Y without it. Measure both with one
# call.
#
# **In the second**, a trained network moves to a library that orders sub-pixels column by column.

# %% tags=["clinic"]
swapped = models.load("sr_x2")
last = swapped.network.get_layer("expand")
last.set_weights([weights[..., [0, 2, 1, 3]] for weights in last.get_weights()])
for name, network in {"wrong order": swapped, "right order": shipped}.items():
    value = metrics.psnr(bird, restored(network, small_bird), **protocol)
    print(
        f"{name}: {approx(value, 2)} dB, bicubic {metrics.psnr(bird, by_bicubic(small_bird), **protocol):.2f}"
    )

# %% tags=["clinic", "hide-input"]
figures.images(
    [restored(network, small_palace)[150:214, 200:264] for network in (swapped, shipped)],
    ["wrong order", "right order"],
    size=3.4,
    alt="A crop of windows twice. With the wrong order upright and level edges have teeth like a zip; with"
    " the right order they are clean.",
)

# %% [markdown]
# The teeth are the sign: in what the network adds, each 2 × 2 square has its upper right and lower left number
# exchanged. The PSNR, still a little above bicubic's, does not warn. Repair: the order of section 4, checked on
# numbered channels.
#
# ## Summary
#
# - The small picture cannot decide: new pixels come from what was learned of photographs.
# - Work at the small size, leave it by a sub-pixel convolution, learn what bicubic misses.
# - State colour, border, range and rounding with every PSNR, and look at the pictures.
#
# ## Glossary
#
# | English | 中文 | in one sentence |
# |---|---|---|
# | super-resolution | 超分辨率 | a larger picture with likely detail |
# | ill-posed problem | 不适定问题 | a question with many right answers |
# | peak signal-to-noise ratio (PSNR) | 峰值信噪比 | the mean squared error in decibels; higher is better |
# | structural similarity (SSIM) | 结构相似性 | likeness window by window |
# | residual learning | 残差学习 | learning what to add to a simple answer |
# | sub-pixel convolution | 亚像素卷积 | channels of a small map laid out as large pixels |
# | perceptual, adversarial loss | 感知损失、对抗损失 | an error in a network's maps; a discriminator's verdict |
# | perception-distortion trade-off | 感知-失真权衡 | for the best enlargers, looking more real costs nearness |
# | self-ensemble | 自集成 | the mean over turned and mirrored copies |
#
# ## What to read next
#
# - Robert Keys, *Cubic convolution interpolation for digital image processing*, 1981.
# - Chao Dong and others, *Learning a deep convolutional network for image super-resolution*, 2014: SRCNN.
# - Wenzhe Shi and others, *Real-time single image and video super-resolution using an efficient sub-pixel
#   convolutional neural network*, 2016.
# - Jiwon Kim and others, *Accurate image super-resolution using very deep convolutional networks*, 2016: VDSR.
# - Justin Johnson and others, *Perceptual losses for real-time style transfer and super-resolution*, 2016.
# - Christian Ledig and others, *Photo-realistic single image super-resolution using a generative adversarial
#   network*, 2017: SRGAN. Xintao Wang and others, *ESRGAN*, 2018.
# - Yochai Blau and Tomer Michaeli, *The perception-distortion tradeoff*, 2018.
# - Bee Lim and others, *Enhanced deep residual networks for single image super-resolution*, 2017: EDSR.
#
# ## The large version
#
# `TRAIN_FULL = True` trains it, and goes on from the last epoch when stopped.

# %%
TRAIN_FULL = False
minutes = recipe.minutes(recipe.FULL)
print("this lesson's:", numbers)
print("full profile: ", recipe.FULL)
print("full profile on this machine:", approx(minutes, 0), "minutes")
print("recorded:", long_ours["device"], round(long_ours["seconds"] / 60, 1), "minutes")

# %%
if TRAIN_FULL:
    recipe.train(recipe.model(recipe.FULL), recipe.FULL, resume="lesson_11_full")
