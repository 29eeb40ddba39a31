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
# # 01 · Images as arrays
#
# **What does a computer hold when it holds a photograph, and what can we do to one with nothing but
# arithmetic?**
#
# A network that makes pictures makes arrays of numbers.
#
# - **You will be able to** recognise the bugs that shapes, types and value ranges cause; write resizing,
#   rotation, colour conversion, an edge filter and the heart of JPEG.
# - **You need** [lesson 00](00_start_here.ipynb) and the matrix product (`@` in NumPy).
# - **Time**: two and a half hours with the exercises; the cells run in under a minute.

# %%
import io

import matplotlib.pyplot as plt
import numpy as np
import scipy.fft
import scipy.ndimage
import skimage
from PIL import Image
from skimage.metrics import peak_signal_noise_ratio

from course_utils import data, figures
from course_utils.checks import lesson_01 as check
from course_utils.report import approx

# %% [markdown]
# Five things that arithmetic can do to a photograph, here with libraries:

# %%
photo = data.photograph("kingfisher")
file = io.BytesIO()
Image.fromarray((255 * photo).round().astype(np.uint8)).save(file, format="JPEG", quality=4)
versions = {
    "a photograph": photo,
    "turned": skimage.transform.rotate(photo.copy(), 20, mode="edge"),
    "recoloured": skimage.color.hsv2rgb(skimage.color.rgb2hsv(photo) + [0.45, 0, 0]),
    "its contrast spread out": skimage.exposure.equalize_adapthist(photo, clip_limit=0.03),
    "its edges": 5 * skimage.filters.sobel(photo.mean(axis=-1)),
    "stored in very few bytes": np.asarray(Image.open(file)) / 255,
}

# %% tags=["hide-input"]
figures.images(
    list(versions.values()),
    list(versions),
    columns=3,
    size=3.7,
    alt="A kingfisher on a branch, and the same photograph turned, with other colours, with"
    " stronger contrast, as bright outlines on black, and stored so small that it falls"
    " into blocks.",
)

# %% [markdown]
# ## 1 · What is in the array?
#
# A picture is a grid of **pixels**. In colour, each holds three numbers, its **channels**: how much red, green and
# blue light. In memory that is one array $x$ of $H$ rows, $W$ columns and $C = 3$ channels: $x_{r,c,k}$ stands in row
# $r$ from the top, column $c$, channel $k$.
#
# Ask every array for its **shape**, here $(H, W, C)$, its **dtype** (how each number is stored) and its **value
# range**.

# %%
print("shape", photo.shape, "dtype", photo.dtype, "from", photo.min(), "to", photo.max())
print("numbers", photo.size, "bytes", photo.nbytes)

# %% [markdown]
# Files and screens give a number one byte: `uint8`, from 0 to 255. For arithmetic this course uses `float32`
# from 0 to 1. On the way back, clip and *round*: after arithmetic, cutting decimals off darkens nearly every pixel.


# %%
def to_bytes(picture):
    """Float values in [0, 1], of any shape, as uint8 from 0 to 255."""
    return np.round(255 * np.clip(picture, 0, 1)).astype(np.uint8)


# %%
stored = to_bytes(photo)
print("dtype", stored.dtype, "from", stored.min(), "to", stored.max(), "bytes", stored.nbytes)

# %% tags=["hide-input"]
rows, columns = slice(70, 76), slice(281, 287)  # at the eye
figure, axes = plt.subplots(2, 4, figsize=(12, 5.2), height_ratios=[2, 3])
figures.draw_image(axes[0, 0], photo, "photograph")
axes[0, 0].add_patch(plt.Rectangle((281, 70), 6, 6, fill=False, edgecolor="white"))
figures.draw_image(axes[1, 0], photo[rows, columns], "6 × 6 pixels at the eye")
grey_bytes = {"cmap": "gray", "vmin": 0, "vmax": 255}
for channel, name in enumerate(("red", "green", "blue")):
    above, below = axes[:, channel + 1]
    figures.draw_image(above, photo[..., channel], f"channel {channel}: {name}")
    figures.draw_numbers(below, stored[rows, columns, channel], f"{name}, as bytes", **grey_bytes)
for below in axes[1]:
    below.set(xticks=range(6), xticklabels=range(281, 287), xlabel="column")
    below.set(yticks=range(6), yticklabels=range(70, 76), ylabel="row")
figures.show(
    figure,
    alt="A kingfisher and its red, green and blue channels as grey pictures: the orange"
    " breast is bright in red and dark in blue, the head the other way round. Below, six"
    " by six pixels at the eye with their byte values.",
)

# %% [markdown]
# Rows come first, as in a matrix. Libraries that think in $(x, y)$ put the column first:

# %%
pillow = Image.fromarray(stored)
print("array shape (height, width, channels)", stored.shape)
print("Pillow size (width, height)          ", pillow.size)
print(
    "the same pixel: stored[72, 284]",
    stored[72, 284],
    "getpixel((284, 72))",
    pillow.getpixel((284, 72)),
)

# %% [markdown]
# ## 2 · Which bugs come from types and ranges?
#
# Most picture bugs raise no error. `uint8`, for one, starts again at 0 after 255.

# %%
a, b = np.array([250, 200], np.uint8), np.array([10, 100], np.uint8)
print("250 + 10 =", (a + b)[0], "and the mean of 200 and 100 =", ((a + b) // 2)[1])

# %% [markdown]
# Six ways to spoil a bird (C, H, W: the order of the axes; `...`: all axes before the last):

# %%
bird, bird_bytes = photo[10:350, 150:498], stored[10:350, 150:498]
height, width, _ = bird.shape
bugs = {
    "uint8 + 60 wraps round": (bird_bytes + np.uint8(60)) / 255,
    "0 to 255 drawn as 0 to 1": bird_bytes.astype(np.float32),
    "divided by 255 twice": bird / 255,
    "blue and red swapped (BGR)": bird[..., ::-1],
    "CHW reshaped to HWC": bird.transpose(2, 0, 1).reshape(height, width, 3),
    "height and width swapped": bird.reshape(width, height, 3),
}

# %% [markdown]
# Here they are in another order. **Which letter is which bug?** Decide before you go on.

# %% tags=["hide-input"]
figures.images(
    [bugs[name] for name in sorted(bugs, key=len)],
    list("ABCDEF"),
    columns=3,
    size=3,
    alt="Six spoilt pictures of a bird. A: nine small grey birds; B: black; C: garish patches; D:"
    " almost all white; E: shredded stripes; F: a blue bird with an orange head.",
)

# %%
print(f"   {'right':27} shape {bird.shape} mean {bird.mean():8.3f}")
for letter, name in zip("ABCDEF", sorted(bugs, key=len), strict=True):
    print(f"{letter}  {name:27} shape {bugs[name].shape} mean {bugs[name].mean():8.3f}")

# %% [markdown]
# In A, a picture with channels first (**CHW**, as in PyTorch) met `reshape`, which cuts the numbers of memory into new
# rows, in place of `transpose`, which moves axes (`(2, 0, 1)`: axis 2 first). B and D have the wrong range. In C,
# bright areas wrapped. In E, rows were cut at the wrong length. F is what OpenCV reads: blue first. In A, E and F even
# the mean is right: it cannot see where numbers are.

# %% [markdown]
# ### E1.1 ★ Any dtype to float
# Write `to_float`, which turns `uint8`, `uint16`, `bool` or any float into `float32`, with white at 1. Floats
# are in [0, 1] already. `np.iinfo(dtype).max` is the largest number of a whole-number dtype.


# %% tags=["exercise"]
def to_float(picture):
    raise NotImplementedError("E1.1: return a float32 array of the same shape")


# %%
check.e1_1(to_float)


# %% tags=["solution"]
def to_float(picture):
    whole_numbers = np.issubdtype(picture.dtype, np.integer)
    white = np.iinfo(picture.dtype).max if whole_numbers else 1
    return (picture / np.float64(white)).astype(np.float32)


check.e1_1(to_float)

# %% [markdown]
# ### E1.2 ★ A batch from elsewhere
# N photographs arrive read with OpenCV and packed for PyTorch: `uint8`, shape (N, 3, H, W), blue first. Write
# `from_elsewhere`, which returns `float32` in [0, 1], shape (N, H, W, 3), red first.


# %% tags=["exercise"]
def from_elsewhere(batch):
    raise NotImplementedError("E1.2: return a float32 array of shape (N, H, W, 3)")


# %%
check.e1_2(from_elsewhere)


# %% tags=["solution"]
def from_elsewhere(batch):
    blue_first = batch.transpose(0, 2, 3, 1)
    return (blue_first[..., ::-1] / 255).astype(np.float32)


check.e1_2(from_elsewhere)

# %% [markdown]
# ## 3 · Where does a new pixel come from?
#
# To resize is to ask for values *between* pixels. A pixel is a small square with its value at the centre. In
# an input $s = W_\text{in}/W_\text{out}$ times as wide, the centre of output pixel $i$ lies $(i + \frac12)\,s$ from
# the left rim. The rim is at $-\frac12$, since pixel 0 has its centre at 0. So the position (below, $s = 6/4$) is
#
# $$p_i = (i + \tfrac12)\, s - \tfrac12$$

# %%
with_halves = (np.arange(4) + 0.5) * 1.5 - 0.5
without_halves = np.arange(4) * 1.5

# %% [markdown]
# The value there is a weighted mean of nearby pixels (**interpolation**). How much pixel $j$ counts depends on its
# distance $t = p_i - j$, through a **kernel**. Three are common: a box takes the *nearest* pixel, a tent mixes two
# (*linear*), and Keys' *cubic* curve mixes four, along each axis (so 4 and 16 pixels: *bilinear*, *bicubic*).


# %%
def nearest(t):
    return ((t >= -0.5) & (t < 0.5)).astype(float)


def linear(t):
    return np.maximum(1 - np.abs(t), 0)


def cubic(t, a=-0.5):
    t = np.abs(t)
    inner = (a + 2) * t**3 - (a + 3) * t**2 + 1
    outer = a * (t**3 - 5 * t**2 + 8 * t - 4)
    return np.where(t < 1, inner, np.where(t < 2, outer, 0))


# %%
KERNELS = {"nearest": nearest, "linear": linear, "cubic": cubic}


# %% tags=["hide-input"]
def draw_positions(axes, positions, size_in, title):
    """Draw input pixels below, output pixels above, and where each output looks."""
    scale = size_in / len(positions)
    axes.bar(range(size_in), 0.5, width=0.94, color=figures.COLOURS[5])
    axes.bar(positions, 0.5, bottom=1.2, width=0.94 * scale, color=figures.COLOURS[1])
    for position in positions:
        axes.plot([position, position], [1.2, 0.25], "k.-", linewidth=1)
        axes.text(position, 1.45, f"{position:.2f}", ha="center", va="center")
    axes.set(title=title, xticks=range(size_in), yticks=[], xlim=(-1.4, size_in + 0.2))
    axes.spines[:].set_visible(False)


figure, axes = plt.subplots(1, 3, figsize=(12, 2.6))
draw_positions(axes[0], with_halves, 6, "centres on centres")
draw_positions(axes[1], without_halves, 6, "the halves forgotten")
distances = np.linspace(-2.5, 2.5, 501)
for name, curve in KERNELS.items():
    axes[2].plot(distances, curve(distances), label=name)
axes[2].set(title="weight of a pixel", xlabel="distance t in pixels")
axes[2].legend(loc="upper right")
figures.show(
    figure,
    alt="Four output pixels over six input pixels. With the formula both rows begin and end"
    " together; without the halves the outputs begin too far left and end too early."
    " Beside them the three kernels: a box, a tent, and a cubic bell that dips below"
    " zero.",
)

# %% [markdown]
# Without the halves the picture moves $(s-1)/2$ pixels, here ¼.
#
# We need the distance of every output from every input. `[:, None]` stands the outputs up as a column. Column minus
# row, each repeated as needed (**broadcasting**), gives a table:

# %%
outputs, inputs = np.array([0.25, 1.75]), np.array([0, 1, 2])
print(outputs[:, None] - inputs)  # (2, 1) - (3,) -> (2, 3)

# %% [markdown]
# So the weights of one axis fit in a matrix, and resizing a channel is a matrix product for each axis:
#
# $$y = R\, x\, Q^\top \qquad R: H'\times H, \quad x: H\times W, \quad Q: W'\times W, \quad y: H'\times W'$$


# %%
def resize_matrix(size_in, size_out, kernel, low_pass=False):
    """Weights of each input pixel in each output pixel: (size_out, size_in), rows add up to one."""
    scale = size_in / size_out
    positions = (np.arange(size_out) + 0.5) * scale - 0.5
    stretch = max(scale, 1) if low_pass else 1  # explained in section 4
    weights = kernel((positions[:, None] - np.arange(size_in)) / stretch)
    return weights / weights.sum(axis=1, keepdims=True)  # near the rim some weights are cut off


# %%
def resize(picture, height, width, kernel, low_pass=False):
    """(H, W) or (H, W, C) -> (height, width) or (height, width, C)."""
    down = resize_matrix(picture.shape[0], height, kernel, low_pass)
    across = resize_matrix(picture.shape[1], width, kernel, low_pass)
    if picture.ndim == 2:
        return down @ picture @ across.T
    return np.stack([down @ channel @ across.T for channel in np.moveaxis(picture, -1, 0)], axis=-1)


# %%
eye = photo[60:75, 277:297]
enlarged = {name: resize(eye, 480, 640, kernel) for name, kernel in KERNELS.items()}

# %% tags=["hide-input"]
figures.images(
    list(enlarged.values()),
    list(enlarged),
    size=3.8,
    alt="The eye of the kingfisher enlarged thirtyfold: in squares with nearest, soft with"
    " creases along the pixel grid with linear, and smooth and crisper with cubic.",
)

# %%
red = eye[..., 0]
methods = (Image.Resampling.NEAREST, Image.Resampling.BILINEAR, Image.Resampling.BICUBIC)
for (name, kernel), method in zip(KERNELS.items(), methods, strict=True):
    ours = resize(red, 68, 112, kernel)
    library = np.asarray(Image.fromarray(red).resize((112, 68), method))
    print(f"{name:8} agrees with Pillow: {np.allclose(ours, library, atol=1e-5)}", end="   ")
    print(f"from {ours.min():.3f} to {ours.max():.3f}")
print(f"input                              from {red.min():.3f} to {red.max():.3f}")

# %% [markdown]
# Nearest shows steps, linear creases. Cubic is smooth and crisper, but its kernel dips below zero, so its values can
# *overshoot* the range and must be clipped.

# %% [markdown]
# ## 4 · Why do small pictures flicker?
#
# One sample every $s$ pixels can hold at most one wave in $2s$ pixels, the **Nyquist limit**. Finer waves come back
# as coarse ones that were never there: **aliasing**. The cure is a **low-pass filter**, which averages fine detail
# away first: stretch the kernel $s$ times. With $s = 4$ we shrink a photograph, and rings that get finer outwards.
# **How should the rim of the small rings look?**

# %%
radius = np.hypot(*np.mgrid[-119.5:120, -119.5:120])  # of each pixel from the centre
rings = 0.5 + 0.5 * np.cos(np.pi * radius**2 / 480)  # radius / 480 waves a pixel
spines = data.photograph("hedgehog")[40:340, 80:480]

# %%
quarters = []
for picture in (rings, spines):
    size = picture.shape[0] // 4, picture.shape[1] // 4
    plain = resize(picture, *size, linear)
    filtered = resize(picture, *size, linear, low_pass=True)
    quarters.append((plain, filtered))

# %% tags=["hide-input"]
figure, axes = plt.subplots(2, 3, figsize=(11.5, 7), height_ratios=[4, 3])
large = {"rings": rings, "spines": spines}
for row, (name, whole), (plain, filtered) in zip(axes, large.items(), quarters, strict=True):
    figures.draw_image(row[0], whole, name, interpolation="antialiased")
    figures.draw_image(row[1], plain, "a quarter the size")
    figures.draw_image(row[2], filtered, "with low-pass")
figures.show(
    figure,
    alt="Rings that get finer outwards. Shrunk without a low-pass filter, false rings"
    " appear around the rim; with it the rim fades to grey. Below, a hedgehog: without"
    " the filter its spines break into noise, with it they blur.",
)

# %% [markdown]
# Diagonal lines of pixels lie closer: there the limit is $8/\sqrt2$ pixels a wave. Beyond it, plain grey is right: how
# far from it are we? And a small photograph should barely change (flicker) when the large one moves by a pixel.

# %%
fine = resize(radius, 60, 60, linear) > 85  # finer than the limit, even along a diagonal
moved = np.roll(spines, 1, axis=1)
for low_pass in (False, True):
    false_rings = resize(rings, 60, 60, linear, low_pass)[fine].std()
    change = resize(moved, 75, 100, linear, low_pass) - resize(spines, 75, 100, linear, low_pass)
    print(f"low-pass {low_pass!s:5} false rings {false_rings:.3f}", end="   ")
    print(f"change when moved by a pixel {change[:, 1:].std():.3f}")

# %%
red = spines[..., 0].copy()
library = np.asarray(Image.fromarray(red).resize((100, 75), Image.Resampling.BICUBIC))
ours = resize(red, 75, 100, cubic, low_pass=True)
print("agrees with Pillow:", np.allclose(ours, library, atol=1e-5))

# %% [markdown]
# Pillow's linear and cubic filter whenever they shrink; TensorFlow's and Keras' `resize` only when told to
# (`antialias=True`).

# %% [markdown]
# ### E1.3 ★★ Shrink by averaging
# Write `shrink`, whose output pixels are the means of `factor` × `factor` squares, channel by channel: (H, W, C) to
# (H // factor, W // factor, C). Drop rows and columns left over at the bottom and right.


# %% tags=["exercise"]
def shrink(picture, factor):
    raise NotImplementedError("E1.3: return an array of shape (H // factor, W // factor, C)")


# %%
check.e1_3(shrink)


# %% tags=["solution"]
def shrink(picture, factor):
    rows, columns = picture.shape[0] // factor, picture.shape[1] // factor
    whole = picture[: rows * factor, : columns * factor]
    return whole.reshape(rows, factor, columns, factor, -1).mean(axis=(1, 3))


check.e1_3(shrink)

# %% [markdown]
# ## 5 · How do we turn a picture?
#
# **Flips** are slices that run backwards. A rotation by an angle $\theta$ rarely moves a pixel onto a pixel. If we
# *push* each to the nearest one, some are hit twice and some never. So we *pull*: each output pixel asks where it
# came from. Measured from the centre:
#
# $$r_\text{in} = r_\text{out}\cos\theta + c_\text{out}\sin\theta, \qquad
# c_\text{in} = c_\text{out}\cos\theta - r_\text{out}\sin\theta$$


# %%
def rotated_positions(shape, degrees):
    """For each pixel of a picture turned counter-clockwise, the row and column it comes from."""
    centre_row, centre_column = (shape[0] - 1) / 2, (shape[1] - 1) / 2
    r, c = np.indices(shape[:2])
    r, c = r - centre_row, c - centre_column
    cosine, sine = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    return cosine * r + sine * c + centre_row, cosine * c - sine * r + centre_column


# %%
def sample(picture, rows, columns):
    """Values of (H, W) at fractional rows and columns by linear interpolation, 0 outside."""
    padded = np.pad(picture, ((1, 2), (1, 2)))  # a black rim, so that every neighbour exists
    rows = np.clip(rows + 1, 0, picture.shape[0] + 1)
    columns = np.clip(columns + 1, 0, picture.shape[1] + 1)
    r, c = rows.astype(int), columns.astype(int)
    down, across = rows - r, columns - c
    # padded[r, c] with two arrays: for each output pixel, the value at its row and column
    above = (1 - across) * padded[r, c] + across * padded[r, c + 1]
    below = (1 - across) * padded[r + 1, c] + across * padded[r + 1, c + 1]
    return (1 - down) * above + down * below


# %%
cat = data.photograph("chelsea")
grey = cat.mean(axis=-1)
pulled = sample(grey, *rotated_positions(grey.shape, 30))
difference = np.abs(pulled - skimage.transform.rotate(grey, 30, order=1))[5:-5, 5:-5]
print("agrees with scikit-image:", difference.max() < 1e-4)
print("a turn by 90° is .T and a flip:", np.array_equal(np.rot90(grey), grey.T[::-1]))

# %%
target = np.stack(rotated_positions(grey.shape, -30)).round().astype(int)  # (2, H, W)
inside = np.all((target >= 0) & (target < np.reshape(grey.shape, (2, 1, 1))), axis=0)
pushed = np.zeros_like(grey)
pushed[*target[:, inside]] = grey[inside]
holes = (pushed == 0) & (pulled > 0.1)
print(f"holes of pushing in the turned picture: {holes.sum() / (pulled > 0.1).sum():.1%}")

# %%
square, middle = grey[:, 60:360], np.s_[75:225, 150:300]
pictures = {"photograph": square, "[:, ::-1]": square[:, ::-1], "[::-1]": square[::-1]}
pictures |= {"its middle": grey[middle]}
pictures |= {"pushed by 30°": pushed[middle], "pulled by 30°": pulled[middle]}

# %% tags=["hide-input"]
figures.images(
    list(pictures.values()),
    list(pictures),
    columns=3,
    size=3.3,
    alt="A cat, mirrored left to right, and upside down; below, its middle, as it is and turned:"
    " pushed by thirty degrees it is full of black dots, pulled it is whole.",
)

# %% [markdown]
# Bends and bulges are pulled in the same way.

# %% [markdown]
# ## 6 · Which numbers describe a colour?
#
# **YCbCr** describes a colour by its brightness, the **luma** $Y$, and two **chroma** values, how much bluer and how
# much redder than grey:
#
# $$Y = 0.299\,R + 0.587\,G + 0.114\,B$$
#
# $C_b$ is $B - Y$ and $C_r$ is $R - Y$, divided so that they run from −0.5 to 0.5. So one matrix $M: (3, 3)$, printed
# below, takes each pixel $(R, G, B)$ to $(Y, C_b, C_r)$. In a picture $x: (H, W, 3)$ pixels are rows: $x\,M^\top$.

# %%
LUMA = np.array([0.299, 0.587, 0.114])
bluer, redder = ([0, 0, 1] - LUMA) / (2 - 2 * 0.114), ([1, 0, 0] - LUMA) / (2 - 2 * 0.299)
TO_YCBCR = np.stack([LUMA, bluer, redder])
print(TO_YCBCR.round(4))

# %%
ycbcr = photo @ TO_YCBCR.T  # Y in [0, 1], Cb and Cr in [-0.5, 0.5]
library = np.asarray(Image.fromarray(stored).convert("YCbCr")) / 255 - [0, 128 / 255, 128 / 255]
print("agrees with Pillow to one byte step:", np.abs(ycbcr - library).max() < 1.01 / 255)

# %%
to_rgb = np.linalg.inv(TO_YCBCR).T
# One chroma kept, the other at 0, luma at 0.5 everywhere.
only_cb, only_cr = ([0.5, 0, 0] + ycbcr * keep for keep in ([0, 1, 0], [0, 0, 1]))

# %% tags=["hide-input"]
figures.images(
    [ycbcr[..., 0], only_cb @ to_rgb, only_cr @ to_rgb],
    ["Y: luma", "Cb: from yellow to blue", "Cr: from green to red"],
    size=3.8,
    alt="The kingfisher as luma, a normal grey picture, and as two chroma pictures without"
    " fine detail.",
)

# %% [markdown]
# Which could be blurred without anybody noticing, luma or chroma? **Guess**, then blur each by the same amount.

# %%
blurred = scipy.ndimage.gaussian_filter(ycbcr, (4, 4, 0))  # over about 4 pixels, not over channels
chroma_blurred = np.concatenate([ycbcr[..., :1], blurred[..., 1:]], axis=-1) @ to_rgb
luma_blurred = np.concatenate([blurred[..., :1], ycbcr[..., 1:]], axis=-1) @ to_rgb

# %% tags=["hide-input"]
figures.images(
    [one[20:160, 200:430] for one in (photo, chroma_blurred, luma_blurred)],
    ["photograph", "chroma blurred", "luma blurred"],
    size=3.8,
    alt="The head of the kingfisher: as it is; with its chroma blurred, hardly different"
    " but for some colour that runs over the outline; and with its luma blurred, out of"
    " focus.",
)

# %% [markdown]
# Chroma hardly matters for sharpness. JPEG and video mostly store it at half the resolution. (**HSV** instead
# gives hue round the colour circle, saturation and value.)

# %% [markdown]
# ### E1.4 ★★ More colour, same light
# Write `saturate`, which moves the pixels of a picture (H, W, 3) away from the grey of the same luma, or towards it:
# `amount` 0 gives that grey, 1 the picture itself, 2 twice the colour. The luma stays, and nothing is clipped.


# %% tags=["exercise"]
def saturate(picture, amount):
    raise NotImplementedError("E1.4: return an array of shape (H, W, 3)")


# %%
check.e1_4(saturate)


# %% tags=["solution"]
def saturate(picture, amount):
    luma = (picture @ LUMA)[..., None]  # (H, W, 1)
    return luma + amount * (picture - luma)


check.e1_4(saturate)

# %% [markdown]
# ### E1.5 ★★★ Borrow the light of another picture
# The **histogram** $h_v$ counts how often each value $v$ occurs. Its running sum, as a share of all pixels, is the
# **cumulative histogram** $F_v = \frac{1}{HW} \sum_{u \le v} h_u$. **Histogram matching** gives one `uint8` picture
# the histogram of another, perhaps of another size. Write `match_histogram`, which replaces each value $v$ of
# `picture` by the smallest $w$ with $F^\text{reference}_w \ge F^\text{picture}_v$, and returns `uint8`.


# %% tags=["exercise"]
def match_histogram(picture, reference):
    raise NotImplementedError("E1.5: return a uint8 array of the shape of picture")


# %%
check.e1_5(match_histogram)


# %% tags=["solution"]
def match_histogram(picture, reference):
    share_below, share_wanted = (
        np.bincount(one.ravel(), minlength=256).cumsum() / one.size for one in (picture, reference)
    )
    replacement = np.searchsorted(
        share_wanted, share_below
    )  # (256,): for each v the first w that reaches it
    return replacement.astype(np.uint8)[picture]


check.e1_5(match_histogram)

# %% [markdown]
# ## 7 · Where are the edges?
#
# An **edge** is where the value changes quickly. The **Sobel** filter measures the change from left to right as the
# pixel on the right minus the one on the left, summed over three rows with weights $w$ to calm noise:
#
# $$g^x_{r,c} = \sum_{i=-1}^{1} w_i\,(x_{r+i,\,c+1} - x_{r+i,\,c-1}), \quad w = (1, 2, 1)$$
#
# and $g^y$ the same with rows and columns exchanged. Together they are the **gradient**, an arrow that points to the
# brighter side. Its length is $\sqrt{(g^x)^2 + (g^y)^2}$.


# %%
def sobel(grey):
    """Change from left to right and from top to bottom: (H, W) -> two (H - 2, W - 2)."""
    down = grey[:-2] + 2 * grey[1:-1] + grey[2:]  # (H - 2, W)
    across = grey[:, :-2] + 2 * grey[:, 1:-1] + grey[:, 2:]  # (H, W - 2)
    return down[:, 2:] - down[:, :-2], across[2:] - across[:-2]


# %%
palace = data.photograph("hawa_mahal") @ LUMA
gradient_x, gradient_y = sobel(palace)
for gradient, axis in ((gradient_x, 1), (gradient_y, 0)):
    library = scipy.ndimage.sobel(palace, axis)[1:-1, 1:-1]
    print("axis", axis, "agrees with SciPy:", np.allclose(gradient, library))
length = np.hypot(gradient_x, gradient_y)

# %% tags=["hide-input"]
signed = {"cmap": figures.DIVERGING, "vmin": -2, "vmax": 2}
part = np.s_[100:244, 170:362]
figure, axes = plt.subplots(1, 4, figsize=(13, 3.6))
figures.draw_image(axes[0], palace[1:-1, 1:-1][part], "part of a palace")
figures.draw_image(axes[1], gradient_x[part], "change from left to right", **signed)
figures.draw_image(axes[2], gradient_y[part], "change from top to bottom", **signed)
figures.draw_image(axes[3], length[part], "length of the gradient", vmax=2)
bar = {"location": "bottom", "shrink": 0.5, "aspect": 30}
figure.colorbar(axes[1].images[0], ax=axes[1:3], extend="both", label="change", **bar)
figure.colorbar(axes[3].images[0], ax=axes[3], extend="max", label="length", **bar)
figures.show(
    figure,
    alt="Windows of a palace; their change from left to right in red and blue, their change from"
    " top to bottom, and the length of both as white outlines.",
)

# %% [markdown]
# Red: brighter to the right, or below; blue: darker. Upright frames show in the first change, ledges in the second.

# %% [markdown]
# ### E1.6 ★★ Which way do the edges run?
# Bricks and gravel differ in **texture**: in the directions of their edges (at right angles to the arrows). Write
# `direction_shares`, which adds up the *lengths* of the arrows in each of `bins` equal ranges of their angle
# $\operatorname{atan2}(g^y, g^x)$, from 0° to 180° (opposite arrows count as one direction), and divides by the sum
# of all. Try it on `sobel(data.photograph("brick") @ LUMA)` and `"gravel"`.


# %% tags=["exercise"]
def direction_shares(gradient_x, gradient_y, bins=8):
    raise NotImplementedError("E1.6: return an array (bins,) that adds up to one")


# %%
check.e1_6(direction_shares)


# %% tags=["solution"]
def direction_shares(gradient_x, gradient_y, bins=8):
    lengths = np.hypot(gradient_x, gradient_y).ravel()
    half_turns = np.arctan2(gradient_y, gradient_x).ravel() / np.pi % 1  # 0 to 1 is 0° to 180°
    places = (half_turns * bins).astype(int) % bins
    return np.bincount(places, lengths, bins) / lengths.sum()


check.e1_6(direction_shares)

# %% [markdown]
# ## 8 · What does JPEG throw away?
#
# A JPEG file describes each block of $8\times8$ pixels as a sum of 64 fixed wave patterns, and stores roughly how
# much of each. The amounts $A$ come from the pixels $P$ by the **discrete cosine transform** (DCT), two products with
# one matrix $D$ of cosines:
#
# $$A = D\,P\,D^\top, \qquad D_{u,j} = n_u \cos\frac{(2j+1)\,u\,\pi}{16}, \quad n_0 = \sqrt{\tfrac18},\; n_{u>0}
# = \tfrac12, \qquad P, D, A: 8\times8$$
#
# Since $D D^\top = I$ (the identity), $P = D^\top A\, D$ brings the block back: up to here nothing is lost.

# %%
u, j = np.mgrid[:8, :8]
COSINES = np.where(u == 0, np.sqrt(1 / 8), 1 / 2) * np.cos((2 * j + 1) * u * np.pi / 16)

# %%
cat_bytes = to_bytes(cat @ LUMA)[:296, :448]  # whole blocks
block = cat_bytes[96:104, 168:176] - 128.0  # JPEG centres bytes on zero
coefficients = COSINES @ block @ COSINES.T
print("agrees with SciPy:", np.allclose(coefficients, scipy.fft.dctn(block, norm="ortho")))
print("comes back:       ", np.allclose(COSINES.T @ coefficients @ COSINES, block))

# %%
patterns = np.multiply.outer(COSINES, COSINES)  # (8, 8, 8, 8): u, row, v, column
patterns /= np.abs(patterns).max(axis=(1, 3), keepdims=True)

# %% tags=["hide-input"]
sheet = np.pad(patterns, ((0, 0), (1, 0), (0, 0), (1, 0)), constant_values=np.nan)
figure, axes = plt.subplots(1, 3, figsize=(12, 3.6), width_ratios=[1.53, 1, 1])
figures.draw_image(axes[0], cat_bytes[64:184, 112:296] / 255, "the cat's eye, one block framed")
frame = {"fill": False, "edgecolor": figures.COLOURS[1], "linewidth": 2}
axes[0].add_patch(plt.Rectangle((168 - 112 - 0.5, 96 - 64 - 0.5), 8, 8, **frame))
figures.draw_image(axes[1], block + 128, "the block, 8 × 8 pixels", vmax=255)
figures.draw_image(axes[2], sheet.reshape(72, 72), "the 64 patterns", vmin=-1, vmax=1)
axes[2].set_facecolor(figures.COLOURS[5])  # shows through the gaps
figures.show(
    figure,
    alt="A cat's eye with a small orange frame around the light in its pupil; the eight by eight pixels in"
    " the frame, large; and the 64 wave patterns of the DCT, finer to the right and"
    " downwards.",
)

# %% [markdown]
# Then comes the loss, **quantisation**: each amount is divided by a step and rounded. Fine patterns (bottom right)
# get large steps, since the eye misses them least. The standard's luma table is for quality 50; other qualities scale
# it.

# %%
STEPS = np.array(
    [
        [16, 11, 10, 16, 24, 40, 51, 61],
        [12, 12, 14, 19, 26, 58, 60, 55],
        [14, 13, 16, 24, 40, 57, 69, 56],
        [14, 17, 22, 29, 51, 87, 80, 62],
        [18, 22, 37, 56, 68, 109, 103, 77],
        [24, 35, 55, 64, 81, 104, 113, 92],
        [49, 64, 78, 87, 103, 121, 120, 101],
        [72, 92, 95, 98, 112, 100, 103, 99],
    ]
)


def steps_for(quality):
    """The table of steps for a quality from 1 to 100, (8, 8), scaled as libjpeg does."""
    scale = 5000 // quality if quality < 50 else 200 - 2 * quality
    return np.clip((STEPS * scale + 50) // 100, 1, 255)


# %%
def pillow_jpeg(grey, quality):
    """Compress uint8 (H, W) with Pillow: returns the file's size in bytes and the opened picture."""
    file = io.BytesIO()
    Image.fromarray(grey).save(file, format="JPEG", quality=quality, optimize=True)
    return file.tell(), Image.open(file)


# %%
same = 0
for quality in range(1, 101):
    _, library = pillow_jpeg(cat_bytes, quality)
    same += library.quantization[0] == steps_for(quality).ravel().tolist()
print("same table as Pillow for", same, "of 100 qualities")

# %% [markdown]
# How many of the 64 amounts are not rounded to 0 at quality 20? **Guess**, then run:

# %%
rounded = np.round(coefficients / steps_for(20))
restored = COSINES.T @ (rounded * steps_for(20)) @ COSINES
error = restored - block
print("amounts that are not zero:", np.count_nonzero(rounded), "of", rounded.size)
print(f"largest error of a pixel: {np.abs(error).max():.0f} of 255")

# %% tags=["hide-input"]
figure, axes = plt.subplots(2, 3, figsize=(12, 7.8))
pixels = {"cmap": "gray", "vmin": -128, "vmax": 127}
upwards = {"cmap": figures.SEQUENTIAL, "vmin": 0}
figures.draw_numbers(axes[0, 0], block, "the block, minus 128", **pixels)
figures.draw_numbers(axes[0, 1], coefficients, "how much of each pattern", limit=300)
figures.draw_numbers(axes[0, 2], steps_for(20), "steps at quality 20", **upwards)
figures.draw_numbers(axes[1, 0], rounded, "divided and rounded: this is stored", limit=8)
figures.draw_numbers(axes[1, 1], restored, "what comes back", **pixels)
figures.draw_numbers(axes[1, 2], error, "its error: came back − was", limit=60)
figures.show(
    figure,
    alt="Eight by eight numbers six times: the block; its 64 amounts, large in the top left"
    " corner; the steps, large in the bottom right; the amounts divided and rounded,"
    " mostly zero; the block that comes back; and its error, of both signs.",
)

# %% [markdown]
# JPEG packs runs of zeros into next to nothing. We measure the whole picture's damage by the **peak signal-to-noise
# ratio** in decibels, PSNR $= 10 \log_{10}(255^2 / \text{mean squared error})$: 6 dB more means half the typical error.


# %%
def to_blocks(grey):
    """(H, W) -> (H / 8, W / 8, 8, 8)."""
    rows, columns = grey.shape[0] // 8, grey.shape[1] // 8
    return grey.reshape(rows, 8, columns, 8).swapaxes(1, 2)


# %%
def jpeg(grey, quality):
    """What JPEG keeps of uint8 (H, W): rounded amounts (H / 8, W / 8, 8, 8) and picture, uint8."""
    steps = steps_for(quality)
    kept = np.round(COSINES @ (to_blocks(grey) - 128.0) @ COSINES.T / steps)
    blocks = COSINES.T @ (kept * steps) @ COSINES + 128
    return kept, blocks.swapaxes(1, 2).reshape(grey.shape).round().clip(0, 255).astype(np.uint8)


# %%
for quality in (5, 20, 50, 80, 95):
    kept, picture = jpeg(cat_bytes, quality)
    size, library = pillow_jpeg(cat_bytes, quality)
    ours = peak_signal_noise_ratio(cat_bytes, picture)
    theirs = peak_signal_noise_ratio(cat_bytes, np.asarray(library))
    print(f"quality {quality:2}: zeros {np.mean(kept == 0):.1%}, bytes {approx(size, 0)}", end=" ")
    print(f"of {kept.size}, PSNR {ours:.1f} dB, as Pillow's: {abs(ours - theirs) < 0.1}")

# %%
opened = {quality: jpeg(cat_bytes, quality)[1] for quality in (5, 20, 80)}
errors = {quality: picture.astype(float) - cat_bytes for quality, picture in opened.items()}

# %% tags=["hide-input"]
figure, axes = plt.subplots(2, 3, figsize=(12, 6.9))
frame = {"fill": False, "edgecolor": figures.COLOURS[1]}  # the block from above
crop = slice(64, 184), slice(112, 296)
for quality, (above, below) in zip(opened, axes.T, strict=True):
    figures.draw_image(above, opened[quality][crop] / 255, f"quality {quality}")
    above.add_patch(plt.Rectangle((168 - 112 - 0.5, 96 - 64 - 0.5), 8, 8, **frame))
    figures.draw_image(below, errors[quality][crop], cmap=figures.DIVERGING, vmin=-40, vmax=40)
bar = {"location": "bottom", "shrink": 0.3, "aspect": 30, "label": "error in steps of a byte"}
figure.colorbar(below.images[0], ax=axes, **bar)
figures.show(
    figure,
    alt="A cat's eye as JPEG of quality 5, 20 and 80 with the errors in red and blue, the block of above framed. At 5"
    " it is made of visible squares; at 20 waves surround the light in the pupil; at 80 the error is"
    " faint and lies in the fur.",
)

# %% [markdown]
# At quality 5 many blocks keep only their mean, and we see the squares. At 20 the framed block shows **ringing**:
# waves beside an edge, without the finer ones that cancelled them.

# %% [markdown]
# ## Clinic
#
# A segmentation network (lesson 06) answers with one label a pixel, at a quarter of the size: 0 background, 1 branch,
# 2 blue plumage, 3 orange plumage. (Here they come from the hue.) Somebody enlarges the labels with `resize`, and
# rounds.

# %% tags=["clinic"]
hue, saturation, _ = np.moveaxis(skimage.color.rgb2hsv(bird), -1, 0)
vivid = saturation > 0.55
branch, blue, orange = (hue > 0.12) & (hue < 0.3), (hue > 0.45) & (hue < 0.7), hue < 0.1
clean = [scipy.ndimage.median_filter(vivid & one, 9) for one in (branch, blue, orange)]
mask = np.select(clean, [1, 2, 3])  # the number of the first that is True, 0 where none is
small_mask = mask[2::4, 2::4]
ill = np.round(resize(small_mask, height, width, linear)).astype(int)
print("labels before", np.unique(small_mask), "after", np.unique(ill), "shape", ill.shape)

# %% tags=["clinic", "hide-input"]
palette = np.array([[0.93, 0.93, 0.93], [0.6, 0.6, 0.2], [0, 0.45, 0.7], [0.9, 0.5, 0.1]])
figures.images(
    [one[40:260, 0:230] for one in (bird, palette[ill])],
    ["photograph", "labels averaged and rounded"],
    size=3.8,
    alt="A kingfisher, and a map of grey background, olive branch, blue and orange plumage. Thin"
    " rims of blue and branch colour part orange from grey, rims of branch colour blue from grey.",
)

# %% [markdown]
# **Where does the map name something that is not there, and why?** Decide before you read on.
#
# Orange gets rims of *branch* and *blue plumage* (1 and 2 lie between 0 and 3), blue gets rims of *branch*. But labels
# are names, and names have no average. What can be averaged is "how much of this pixel is orange", one picture for each
# label. The largest share wins:

# %% tags=["clinic"]
masks = [small_mask == label for label in range(4)]
shares = np.stack([resize(mask, height, width, linear) for mask in masks], axis=-1)
repaired = shares.argmax(axis=-1)
for name, labels in {"ill": ill, "repaired": repaired}.items():
    invented = np.take_along_axis(shares, labels[..., None], axis=-1) == 0
    print(f"{name:8} pixels whose label none of their sources has: {invented.sum()}")

# %% tags=["clinic", "hide-input"]
figures.images(
    [palette[labels][40:260, 0:230] for labels in (ill, repaired)],
    ["labels averaged and rounded", "shares averaged, largest taken"],
    size=3.8,
    alt="Two label maps of a kingfisher: the first with thin rims of branch colour and of blue"
    " between plumage and background, the second without.",
)

# %% [markdown]
# (*Nearest* is another, coarser cure.)

# %% [markdown]
# ## Summary
#
# - Ask every array for its shape, dtype and range.
# - A resized or turned pixel is a weighted mean around the place it came from; shrinking needs a low-pass filter.
# - Luma carries the detail, chroma the colour.
# - Edges are differences of neighbours.
# - JPEG rounds the amounts of 64 waves a block: hence squares and ringing.
#
# ## Glossary
#
# | English | 中文 | in one sentence |
# |---|---|---|
# | channel | 通道 | one number of each pixel, such as red |
# | broadcasting | 广播 | repeating rows or columns until two shapes agree |
# | interpolation: nearest, bilinear, bicubic | 插值：最近邻、双线性、双三次 | a value between pixels, from 1, 4 or 16 |
# | aliasing, low-pass filter | 混叠、低通滤波器 | fine waves that come back coarse; an average that takes them out first |
# | luma, chroma | 亮度、色度 | how bright, and which colour |
# | edge, gradient | 边缘、梯度 | where values change; how much, and which way |
# | discrete cosine transform | 离散余弦变换 | pixels as amounts of cosine waves |
# | quantisation | 量化 | rounding to multiples of a step |
#
# ## What to read next
#
# - Robert Keys, *Cubic convolution interpolation*, 1981.
# - Navneet Dalal and Bill Triggs, *Histograms of oriented gradients for human detection*, 2005: E1.6 at work.
# - Gregory Wallace, *The JPEG still picture compression standard*, 1991.
# - Gaurav Parmar and others, *On aliased resizing and surprising subtleties in GAN
#   evaluation*, 2022: how section 4 spoils published scores.
# - Next lesson: [02 · Convolution](02_convolution.ipynb).
