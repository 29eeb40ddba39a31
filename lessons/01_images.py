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
# A network that makes pictures makes arrays of numbers. First we work on such arrays by hand.
#
# - **You will be able to** recognise the bugs that shapes, types and value ranges cause; write resizing,
#   rotation, colour conversion, equalisation, the Sobel filter and the heart of JPEG.
# - **You need** [lesson 00](00_start_here.ipynb), and to know what a matrix product is (`@` in NumPy).
# - **Time**: about two hours to work through; all cells together run in well under a minute.

# %%
import io
import statistics

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
# Five things we shall do to a photograph. Libraries do the work this once.

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
# A picture is a grid of **pixels**. In colour, each holds three numbers, its **channels**: how much red,
# green and blue light to send out. In memory that is one array
#
# $$x_{r,c,k} \qquad \text{row } r < H \text{, from the top;} \quad \text{column } c < W \text{;} \quad
# \text{channel } k < C = 3, \qquad x: (H, W, C)$$
#
# Ask every array for its **shape**, for its **dtype** (how each number is stored) and for its **value
# range**.

# %%
print("shape", photo.shape, "dtype", photo.dtype, "from", photo.min(), "to", photo.max())
print("numbers", photo.size, "bytes", photo.nbytes)

# %% [markdown]
# Files and screens give a number one byte: `uint8`, from 0 to 255. For arithmetic this course uses `float32`
# from 0 (no light) to 1 (all there is). On the way back, clip and *round*: cutting the decimals off would
# darken every pixel a little.


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
# The orange breast is bright in the red channel and dark in the blue one. Rows come first and count
# downwards, as in a matrix. Libraries that think in $(x, y)$ put the column first:

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

# %% tags=["hide-input"]
figures.images(
    list(bugs.values()),
    list(bugs),
    columns=3,
    size=3,
    alt="Six spoilt pictures of a bird: garish patches where bytes wrapped; almost all"
    " white; black; a blue bird with an orange head; nine small grey birds; shredded"
    " stripes.",
)

# %%
print(f"{'right':27} shape {bird.shape} mean {bird.mean():8.3f}")
for name, picture in bugs.items():
    print(f"{name:27} shape {picture.shape} mean {picture.mean():8.3f}")

# %% [markdown]
# Learn the faces. Garish islands in bright areas: wrapped bytes. Nearly all white, or all black: the range. A
# blue breast: channel order (OpenCV reads blue first). Nine small grey copies: `reshape`, which cuts the row
# of numbers differently, in place of `transpose`, which moves axes (PyTorch keeps channels first, **CHW**).
# Shredded stripes: height and width changed places. In the last three even the mean is right, since it cannot
# see where pixels are.
#
# A subtler trap: stored values are not amounts of light. They follow the **sRGB** curve, light $\approx$
# value$^{2.2}$, which puts the few steps of a byte where the eye needs them. Nearly everyone averages stored
# values, and so shall we, but light mixes differently:


# %%
def to_light(value):
    """Stored sRGB values in [0, 1] as amounts of light in [0, 1] (IEC 61966-2-1)."""
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


# %%
ramp = np.linspace(0, 1, 256)
library = skimage.color.rgb2xyz(np.repeat(ramp[:, None], 3, axis=1))[:, 1]
print("agrees with scikit-image:", np.allclose(to_light(ramp), library, atol=1e-5))
half_light = np.argmax(to_light(ramp) >= 0.5)
print("black and white stripes send out half the light, which is stored as", half_light)

# %% [markdown]
# ## 3 · Where does a new pixel come from?
#
# To resize is to ask for values *between* pixels. A pixel is a small square with its value at the centre. In
# an input $s = W_\text{in}/W_\text{out}$ times as wide, the centre of output pixel $i$ falls on
#
# $$x_i = (i + \tfrac12)\, s - \tfrac12$$

# %%
with_halves = (np.arange(4) + 0.5) * 1.5 - 0.5
without_halves = np.arange(4) * 1.5

# %% [markdown]
# The value there is a weighted mean of the pixels near by (**interpolation**). How much pixel $j$ counts
# depends on its distance $t = x_i - j$, through a **kernel**. Three are common: a box takes the *nearest*
# pixel, a tent mixes two (*linear*), and Keys' *cubic* curve mixes four, with $a = -\tfrac12$:
#
# $$k(t) = \begin{cases} (a+2)|t|^3 - (a+3)|t|^2 + 1 & |t| < 1 \\ a\,(|t|^3 - 5|t|^2 + 8|t| - 4) & 1 \le |t| < 2
# \\ 0 & \text{else} \end{cases}$$


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
# With the formula, both rows cover the same ground. Without the halves everything moves by up to half a pixel
# of the coarser grid. The cubic kernel dips below zero, so it sharpens a little and can *overshoot* the
# range.
#
# The weights of one axis fit in a matrix, outputs by inputs. Resizing is then a matrix product for each axis:
#
# $$y = R\, x\, Q^\top \qquad R: H'\times H, \quad x: H\times W, \quad Q: W'\times W, \quad y: H'\times W'$$


# %%
def resize_matrix(size_in, size_out, kernel, low_pass=False):
    """Weights of each input pixel in each output pixel: (size_out, size_in), rows add up to one."""
    scale = size_in / size_out
    positions = (np.arange(size_out) + 0.5) * scale - 0.5
    stretch = max(scale, 1) if low_pass else 1  # explained in section 4
    weights = kernel((positions[:, None] - np.arange(size_in)) / stretch)
    return weights / weights.sum(axis=1, keepdims=True)


# %%
def resize(picture, height, width, kernel, low_pass=False):
    """(H, W) or (H, W, C) -> (height, width) or (height, width, C)."""
    down = resize_matrix(picture.shape[0], height, kernel, low_pass)
    across = resize_matrix(picture.shape[1], width, kernel, low_pass)
    return np.einsum("ir,rc...,jc->ij...", down, picture, across, optimize=True)


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
# Nearest shows steps, linear creases; cubic is smooth and crisper, at the price of values outside the input's
# range, which have to be clipped.

# %% [markdown]
# ## 4 · Why do small pictures flicker?
#
# What happens to detail that a small picture has no room for? One sample every $s$ pixels can hold at most
# one wave in $2s$ pixels, the **Nyquist limit**. Finer waves come back as coarse ones that were never there:
# **aliasing**. The cure is a **low-pass filter**, which averages fine detail away first: stretch the kernel
# $s$ times. We shrink waves that get finer outwards, and a photograph, four times.

# %%
radius = np.hypot(*np.mgrid[-119.5:120, -119.5:120])
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
# At radius $\rho$ the rings make $\rho/480$ waves a pixel, and the small picture holds one wave in eight
# pixels along each axis. So beyond $\rho = 60$ straight out, and 85 on the diagonals, its right value is
# plain grey. How far from plain is it? For the photograph no right answer is known, but it should barely
# change when the large one moves by a pixel.

# %%
fine = resize(radius, 60, 60, linear) > 85
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
# (`antialias=True`). A network fed through the wrong one sees noise where there were spines.

# %% [markdown]
# ## 5 · How do we turn a picture?
#
# **Flips** are slices that run backwards. A rotation by an angle $\theta$ moves a pixel to a place that is
# rarely a pixel. If we *push* each to the nearest one, some are hit twice and some never. So we *pull* each
# output pixel from where it came from, by linear interpolation. Measured from the centre of the picture:
#
# $$\begin{pmatrix} r_\text{in} \\ c_\text{in} \end{pmatrix} = \begin{pmatrix} \cos\theta & \sin\theta \\
# -\sin\theta & \cos\theta \end{pmatrix} \begin{pmatrix} r_\text{out} \\ c_\text{out} \end{pmatrix}$$


# %%
def sample(picture, rows, columns):
    """Values of (H, W) at fractional rows and columns by linear interpolation, 0 outside."""
    padded = np.pad(picture, ((1, 2), (1, 2)))
    rows = np.clip(rows + 1, 0, picture.shape[0] + 1)
    columns = np.clip(columns + 1, 0, picture.shape[1] + 1)
    r, c = rows.astype(int), columns.astype(int)
    down, across = rows - r, columns - c
    above = (1 - across) * padded[r, c] + across * padded[r, c + 1]
    below = (1 - across) * padded[r + 1, c] + across * padded[r + 1, c + 1]
    return (1 - down) * above + down * below


# %%
def rotated_positions(shape, degrees):
    """For each pixel of a picture turned counter-clockwise, the row and column it comes from."""
    centre_row, centre_column = (shape[0] - 1) / 2, (shape[1] - 1) / 2
    r, c = np.indices(shape[:2])
    r, c = r - centre_row, c - centre_column
    cosine, sine = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    return cosine * r + sine * c + centre_row, cosine * c - sine * r + centre_column


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
print(f"pixels never hit when pushing: {holes.mean():.1%}")

# %%
often = grey
for _ in range(12):
    often = sample(often, *rotated_positions(grey.shape, 30))
for name, picture in {"before": grey, "after 12 turns": often}.items():
    steps = np.abs(np.diff(picture[75:225, 150:300]))
    print(f"mean step between neighbours {name:14} {steps.mean():.4f}")

# %%
square = grey[:, 60:360]
pictures = {"[:, ::-1]": square[:, ::-1], "[::-1]": square[::-1], ".T": square.T}
turned = {"pushed by 30°": pushed, "pulled by 30°": pulled, "pulled by 30°, twelve times": often}
pictures |= {title: picture[75:225, 150:300] for title, picture in turned.items()}

# %% tags=["hide-input"]
figures.images(
    list(pictures.values()),
    list(pictures),
    columns=3,
    size=3,
    alt="A cat mirrored left to right, upside down, and with rows and columns exchanged."
    " Below, the middle of the picture: pushed by thirty degrees it is full of black"
    " dots, pulled it is whole, pulled twelve times it is upright again and blurred.",
)

# %% [markdown]
# Pushing leaves a pattern of holes. Pulling leaves none, but it averages neighbours: twelve turns bring the
# cat back upright and *blurred*. Combine all moves into one array of positions and sample once.

# %% [markdown]
# ## 6 · Which numbers describe a colour?
#
# Red, green and blue suit screens; two other sets of three suit thinking. **YCbCr** separates brightness, the
# **luma** $Y$, from two **chroma** values, how much bluer and how much redder than grey, by one matrix
# product a pixel:
#
# $$\begin{pmatrix} Y \\ C_b \\ C_r \end{pmatrix} = \begin{pmatrix} 0.299 & 0.587 & 0.114 \\ -0.1687 & -0.3313
# & 0.5 \\ 0.5 & -0.4187 & -0.0813 \end{pmatrix} \begin{pmatrix} R \\ G \\ B \end{pmatrix}
# \qquad x: (H, W, 3) \;@\; M^\top: (3, 3)$$

# %%
LUMA = np.array([0.299, 0.587, 0.114])
bluer, redder = ([0, 0, 1] - LUMA) / (2 - 2 * 0.114), ([1, 0, 0] - LUMA) / (2 - 2 * 0.299)
TO_YCBCR = np.stack([LUMA, bluer, redder])
print(TO_YCBCR.round(4))

# %%
ycbcr = photo @ TO_YCBCR.T  # Y in [0, 1], Cb and Cr in [-0.5, 0.5]
library = np.asarray(Image.fromarray(stored).convert("YCbCr")) / 255 - [0, 128 / 255, 128 / 255]
print("agrees with Pillow to one byte step:", np.abs(ycbcr - library).max() < 1.01 / 255)

# %% [markdown]
# **HSV** speaks as a painter does: **hue**, the place on the colour circle; **saturation**, how far from
# grey; **value**, the largest channel.


# %%
def to_hsv(rgb):
    """RGB in [0, 1], (..., 3), as hue, saturation and value in [0, 1] (Smith, 1978)."""
    red, green, blue = np.moveaxis(rgb, -1, 0)
    value, spread = rgb.max(axis=-1), np.ptp(rgb, axis=-1)
    divisor = np.where(spread == 0, 1, spread)
    from_red, from_green, from_blue = np.stack([green - blue, blue - red, red - green]) / divisor
    sixths = np.select([value == red, value == green], [from_red, 2 + from_green], 4 + from_blue)
    return np.stack([sixths / 6 % 1, spread / np.where(value == 0, 1, value), value], axis=-1)


# %%
hsv = to_hsv(photo)
print("agrees with scikit-image:", np.allclose(hsv, skimage.color.rgb2hsv(photo), atol=1e-5))

# %%
to_rgb = np.linalg.inv(TO_YCBCR).T
only_cb, only_cr = ([0.5, 0, 0] + ycbcr * keep for keep in ([0, 1, 0], [0, 0, 1]))

# %% tags=["hide-input"]
figure, axes = plt.subplots(2, 3, figsize=(11.5, 5))
figures.draw_image(axes[0, 0], ycbcr[..., 0], "Y: luma")
figures.draw_image(axes[0, 1], only_cb @ to_rgb, "Cb: from yellow to blue")
figures.draw_image(axes[0, 2], only_cr @ to_rgb, "Cr: from green to red")
figures.draw_image(axes[1, 0], hsv[..., 0], "H: hue", cmap="hsv")
figures.draw_image(axes[1, 1], hsv[..., 1], "S: saturation")
figures.draw_image(axes[1, 2], hsv[..., 2], "V: value")
figures.show(
    figure,
    alt="The kingfisher as luma, a normal grey picture, and two chroma pictures without"
    " fine detail; and as hue, shown in the colours of the circle and blotchy in the"
    " background, saturation, bright on the bird, and value.",
)

# %% [markdown]
# Hue is blotchy in the background: where saturation is low, tiny differences decide it. Nearly all detail is
# in the luma, and the eye sees chroma far less sharply. Try it: blur one or the other by the same amount.

# %%
blurred = scipy.ndimage.gaussian_filter(ycbcr, (4, 4, 0))
chroma_blurred = np.concatenate([ycbcr[..., :1], blurred[..., 1:]], axis=-1) @ to_rgb
luma_blurred = np.concatenate([blurred[..., :1], ycbcr[..., 1:]], axis=-1) @ to_rgb

# %% tags=["hide-input"]
figures.images(
    [picture[20:160, 200:430] for picture in (photo, chroma_blurred, luma_blurred)],
    ["photograph", "chroma blurred", "luma blurred"],
    size=3.8,
    alt="The head of the kingfisher: as it is; with its chroma blurred, hardly different"
    " but for some colour that runs over the outline; and with its luma blurred, out of"
    " focus.",
)

# %% [markdown]
# Two of three channels hardly matter for sharpness. JPEG and video mostly store them at half the resolution.

# %% [markdown]
# ## 7 · How is the light distributed?
#
# Forget where the pixels are and count how often each value occurs: the **histogram** $h_v$. Its running sum,
# the **cumulative histogram**, gives the share of pixels at or below a value:
#
# $$F_v = \frac{1}{HW} \sum_{u \le v} h_u \qquad h: (256,), \quad F: (256,) \text{ in } [0, 1]$$
#
# To **equalise** is to replace each value $v$ by $F_v$: the darkest tenth of the pixels fills the darkest
# tenth of the range, and so on. To **stretch** is simpler: a straight line takes the darkest hundredth to 0
# and the brightest to 1. **CLAHE** (contrast-limited adaptive histogram equalisation) equalises in tiles and
# caps how steep $F$ may be.


# %%
def equalise(grey):
    """Replace each value of a uint8 picture by the share of pixels at or below it, in [0, 1]."""
    counts = np.bincount(grey.ravel(), minlength=256)
    return (counts.cumsum() / grey.size)[grey]


# %%
night = to_bytes(data.photograph("rocket") @ LUMA)
counts = np.bincount(night.ravel(), minlength=256)
print("histogram agrees with Pillow:", counts.tolist() == Image.fromarray(night).histogram())
library = skimage.exposure.equalize_hist(night)
print("equalised as by scikit-image:", np.allclose(equalise(night), library))

# %%
low, high = np.percentile(night, [1, 99])
enhanced = {
    "photograph": night / 255,
    "stretched, 1 to 99 per cent": ((night - low) / (high - low)).clip(0, 1),
    "equalised": equalise(night),
    "CLAHE": skimage.exposure.equalize_adapthist(night, clip_limit=0.02),
}
for name, picture in enhanced.items():
    grain = np.diff(picture[40:120, 150:280]).std() / np.sqrt(2)
    print(f"{name:28} mean {picture.mean():.2f}  spread {picture.std():.2f}", end="  ")
    print(f"grain of the sky {grain:.4f}")

# %% tags=["hide-input"]
figure, axes = plt.subplots(2, 4, figsize=(12, 4.6), height_ratios=[3, 2])
for (name, version), (above, below) in zip(enhanced.items(), axes.T, strict=True):
    figures.draw_image(above, version, name)
    below.hist(version.ravel(), bins=64, range=(0, 1), color=figures.COLOURS[6], density=True)
    below.set(xlabel="value", ylim=(0, 12), yticks=[])
    cumulative = below.twinx()
    ordered, shares = np.sort(version.ravel()), np.linspace(0, 1, version.size)
    cumulative.plot(ordered[::200], shares[::200], color=figures.COLOURS[4])
    cumulative.set(ylim=(0, 1.02), yticks=[])
cumulative.set(yticks=[0, 0.5, 1], ylabel="share at or below")
figures.show(
    figure,
    alt="A rocket at night four ways, with histograms and cumulative histograms. Most"
    " pixels of the photograph are dark. Equalised, the cumulative curve is a straight"
    " line and the sky is bright and noisy; with CLAHE the scaffolding stands out.",
)

# %% [markdown]
# The cumulative histogram (orange) of the equalised picture is a straight line, as intended. It spends the
# range where there are many pixels, here on a plain sky, whose grain grows several times over. CLAHE brings
# out the dark scaffolding, and the grain as well. No method adds information; they only move values. In
# colour, treat the luma and keep the chroma.

# %% [markdown]
# ## 8 · Where are the edges?
#
# An **edge** is where the value changes quickly. The **Sobel** filter measures the change from left to right
# as the pixel on the right minus the one on the left, summed over three rows with weights 1, 2, 1 to calm
# noise:
#
# $$g^x_{r,c} = \sum_{i=-1}^{1} w_i\,(x_{r+i,\,c+1} - x_{r+i,\,c-1}), \quad w = (1, 2, 1), \qquad x: H\times W
# \;\to\; g^x, g^y: (H-2)\times(W-2)$$
#
# and $g^y$ the same with rows and columns exchanged. Together they are an arrow, the **gradient**, of length
# $\sqrt{(g^x)^2 + (g^y)^2}$ and angle $\operatorname{atan2}(g^y, g^x)$.


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

# %%
magnitude, angle = np.hypot(gradient_x, gradient_y), np.arctan2(gradient_y, gradient_x)
hue, full = angle / np.pi % 1, np.ones_like(angle)
directions = skimage.color.hsv2rgb(np.stack([hue, full, magnitude.clip(0, 1)], axis=-1))

# %% tags=["hide-input"]
signed = {"cmap": figures.DIVERGING, "vmin": -2, "vmax": 2}
figure, axes = plt.subplots(2, 2, figsize=(10, 7.6))
figures.draw_image(axes[0, 0], gradient_x, "change from left to right", **signed)
figures.draw_image(axes[0, 1], gradient_y, "change from top to bottom", **signed)
figures.draw_image(axes[1, 0], magnitude, "length")
figures.draw_image(axes[1, 1], directions, "direction as hue, length as value")
figures.show(
    figure,
    alt="A palace front with hundreds of windows: its change from left to right in red and"
    " blue, from top to bottom, the length of both as white outlines, and the outlines"
    " coloured by direction.",
)

# %% [markdown]
# Red: brighter to the right, or below; blue: darker. Upright window frames show in the first picture as pairs
# of red and blue, ledges in the second. The last gives them red and cyan.

# %% [markdown]
# ## 9 · Can a few numbers say what a photo is like?
#
# A **feature** is a short list of numbers that describes a picture. For **texture**, the fine pattern of a
# surface, add up the lengths of the gradients in each of eight directions from 0° to 180°. (In a grid of
# cells these are the well-known *histograms of oriented gradients*.)


# %%
def texture_feature(grey, bins=8):
    """Share of each edge direction, weighted by edge strength: (H, W) -> (bins,), adds up to one."""
    gradient_x, gradient_y = sobel(grey)
    strengths = np.hypot(gradient_x, gradient_y).ravel()
    places = np.arctan2(gradient_y, gradient_x).ravel() / np.pi % 1 * bins
    return np.bincount(places.astype(int) % bins, strengths, bins) / strengths.sum()


# %%
textures = {
    name: data.photograph(name)[100:300, 100:400] @ LUMA
    for name in ("brick", "hawa_mahal", "gravel")
}
shares = {name: texture_feature(texture) for name, texture in textures.items()}

# %% tags=["hide-input"]
figure, axes = plt.subplots(2, 3, figsize=(10, 4), height_ratios=[2, 1.1], sharey="row")
for (name, texture), (above, below) in zip(textures.items(), axes.T, strict=True):
    figures.draw_image(above, texture, name)
    below.bar(np.arange(8) * 22.5, shares[name], width=20, align="edge")
    below.set(xlabel="direction of change in degrees", xticks=range(0, 181, 45))
axes[1, 0].set_ylabel("share")
figures.show(
    figure,
    alt="Upright bricks, a palace front and gravel with the shares of eight edge"
    " directions. Brick has nearly all its change at zero and 180 degrees, the palace at"
    " these and at ninety, gravel is nearly even.",
)

# %% [markdown]
# These bricks stand upright, so most change is across: 0° and 180°, which are the same direction. The palace
# changes both across and down; gravel has no favourite. For **colour**, cut each channel into four, which
# makes $4^3 = 64$ boxes of colours, and count the pixels in each.


# %%
def colour_feature(picture, bins=4):
    """Share of pixels in each box of colours: (H, W, 3) in [0, 1] -> (bins**3,), adds up to one."""
    boxes = np.minimum((picture * bins).astype(int), bins - 1) @ [bins**2, bins, 1]
    return np.bincount(boxes.ravel(), minlength=bins**3) / boxes.size


# %%
library, _ = np.histogramdd(photo.reshape(-1, 3), bins=4, range=[(0, 1)] * 3)
print("agrees with NumPy:", np.allclose(colour_feature(photo), library.ravel() / library.sum()))

# %% [markdown]
# That makes an image search: find the photographs whose features are nearest, by $\sum_i |a_i - b_i|$.

# %%
train = data.photographs("train")
FEATURES = {"colour": colour_feature, "texture": lambda picture: texture_feature(picture @ LUMA)}
known = {
    name: np.stack([feature(picture) for picture in train]) for name, feature in FEATURES.items()
}
print({name: features.shape for name, features in known.items()})


# %%
def nearest_first(query, features):
    """Indices of the features (N, F), the closest to the query (F,) first."""
    return np.argsort(np.abs(features - query).sum(axis=1))


# %%
queries = [data.photograph(name) for name in ("neuschwanstein_castle", "red_pyramid", "coffee")]
nearest_three = {
    kind: [nearest_first(feature(query), known[kind])[:3] for query in queries]
    for kind, feature in FEATURES.items()
}


# %% tags=["hide-input"]
def centre_square(picture):
    side = min(picture.shape[:2])
    top, left = (picture.shape[0] - side) // 2, (picture.shape[1] - side) // 2
    return picture[top : top + side, left : left + side]


figure, axes = plt.subplots(3, 7, figsize=(12, 5.3))
for row, query, *found in zip(axes, queries, *nearest_three.values(), strict=True):
    figures.draw_image(row[0], centre_square(query))
    for start, indices in zip((1, 4), found, strict=True):
        for one, index in zip(row[start:], indices, strict=False):
            figures.draw_image(one, centre_square(train[index]))
for column, title in {0: "query", 1: "nearest by colour", 4: "nearest by texture"}.items():
    axes[0, column].set_title(title)
figures.show(
    figure,
    alt="Three queries, each with its three nearest photographs by colour and by texture. A"
    " castle finds other buildings under blue skies by colour; a pyramid finds two"
    " pyramids by texture; a red cup of coffee finds meerkats by colour.",
)

# %%
categories = {
    split: [record.category for record in data.photograph_table() if record.split == split]
    for split in ("train", "validation")
}
known_categories, answers = np.array(categories["train"]), np.array(categories["validation"])
for kind, feature in FEATURES.items():
    queries = [feature(picture) for picture in data.photographs("validation")]
    guesses = [known_categories[nearest_first(query, known[kind])[0]] for query in queries]
    print(f"nearest by {kind:8} right for {approx(np.mean(guesses == answers), 2)}")
commonest = statistics.mode(categories["train"])
print(f"always {commonest!r:12} right for {np.mean(answers == commonest):.2f}")

# %% [markdown]
# By colour the castle finds buildings under the same sky, and the cup meerkats; by texture the pyramid finds
# two others, whose sides slope alike. Over the validation photographs the nearest one has the right category
# about half the time, nearly twice as often as the commonest category is right. Neither feature knows what a
# cup is. From lesson 05 on, networks *learn* theirs.

# %% [markdown]
# ## 10 · What does JPEG throw away?
#
# A JPEG file is often a tenth of the pixels' bytes. It describes each block of $8\times8$ pixels as a sum of
# 64 fixed wave patterns, and stores roughly how much of each there is. The amounts come from the **discrete
# cosine transform** (DCT), two products with one matrix of cosines:
#
# $$F = C\,B\,C^\top, \qquad C_{u,x} = a_u \cos\frac{(2x+1)\,u\,\pi}{16}, \quad a_0 = \sqrt{\tfrac18},\; a_{u>0}
# = \tfrac12, \qquad B, C, F: 8\times8$$
#
# Since $C C^\top = I$, $B = C^\top F\, C$ brings the block back: up to here nothing is lost.

# %%
u, x = np.mgrid[:8, :8]
COSINES = np.where(u == 0, np.sqrt(1 / 8), 1 / 2) * np.cos((2 * x + 1) * u * np.pi / 16)

# %%
cat_bytes = to_bytes(cat @ LUMA)[:296, :448]  # whole blocks
block = cat_bytes[96:104, 168:176] - 128.0  # JPEG centres bytes on zero
coefficients = COSINES @ block @ COSINES.T
print("agrees with SciPy:", np.allclose(coefficients, scipy.fft.dctn(block, norm="ortho")))
print("comes back:       ", np.allclose(COSINES.T @ coefficients @ COSINES, block))

# %% [markdown]
# Then comes the loss, **quantisation**: each amount is divided by a step and rounded. Fine patterns (bottom
# right) get large steps, since the eye misses them least. The standard's table for luma is for quality 50;
# other qualities scale it.

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

# %%
patterns = np.einsum("ux,vy->uxvy", COSINES, COSINES)  # (8, 8, 8, 8): u, x, v, y
patterns /= np.abs(patterns).max(axis=(1, 3), keepdims=True)

# %%
rounded = np.round(coefficients / steps_for(20))
restored = COSINES.T @ (rounded * steps_for(20)) @ COSINES

# %% tags=["hide-input"]
sheet = np.pad(patterns, ((0, 0), (1, 0), (0, 0), (1, 0)), constant_values=np.nan)
figure, axes = plt.subplots(2, 3, figsize=(12, 7.8))
figures.draw_image(axes[0, 0], sheet.reshape(72, 72), "the 64 patterns", vmin=-1, vmax=1)
axes[0, 0].set_facecolor(figures.COLOURS[5])  # shows through the gaps
pixels = {"cmap": "gray", "vmin": -128, "vmax": 127}
figures.draw_numbers(axes[0, 1], block, "a block of the cat's eye", **pixels)
figures.draw_numbers(axes[0, 2], coefficients, "how much of each pattern", limit=300)
upwards = {"cmap": figures.SEQUENTIAL, "vmin": 0}
figures.draw_numbers(axes[1, 0], steps_for(20), "steps at quality 20", **upwards)
figures.draw_numbers(axes[1, 1], rounded, "divided and rounded: this is stored", limit=8)
figures.draw_numbers(axes[1, 2], restored, "what comes back", **pixels)
figures.show(
    figure,
    alt="The 64 wave patterns of the DCT; a block of pixels; its 64 amounts, large in the"
    " top left corner; the steps, large in the bottom right; the amounts divided and"
    " rounded, nearly all zero; and the block that comes back.",
)

# %% [markdown]
# Most of what is stored is zero, and JPEG packs runs of zeros, without further loss, into next to nothing.
# Now the whole picture. We measure the damage by the **peak signal-to-noise ratio** in decibels, PSNR $= 10
# \log_{10}(255^2 / \text{mean squared error})$: 6 dB more means half the typical error.


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
crop = slice(64, 184), slice(112, 296)
for quality, (above, below) in zip(opened, axes.T, strict=True):
    figures.draw_image(above, opened[quality][crop] / 255, f"quality {quality}")
    figures.draw_image(below, errors[quality][crop], cmap=figures.DIVERGING, vmin=-40, vmax=40)
bar = {"location": "bottom", "shrink": 0.3, "aspect": 30, "label": "error in steps of a byte"}
figure.colorbar(below.images[0], ax=axes, **bar)
figures.show(
    figure,
    alt="A cat's eye as JPEG of quality 5, 20 and 80 with the errors in red and blue. At 5"
    " it is made of visible squares; at 20 waves surround the edges; at 80 the error is"
    " faint and lies in the fur.",
)

# %% [markdown]
# At quality 5 many blocks keep only their mean, and we see the squares. At 20 there is **ringing**: waves
# beside an edge, without the finer ones that cancelled them. Is that good for the bytes? Anyone could instead
# store a smaller picture without loss and enlarge it.


# %%
def shrunk_png(grey, factor):
    """Store uint8 (H, W) as a small PNG and enlarge it again: returns bytes and the picture."""
    height, width = (round(size / factor) for size in grey.shape)
    small = Image.fromarray(to_bytes(resize(grey / 255, height, width, cubic, low_pass=True)))
    file = io.BytesIO()
    small.save(file, format="PNG", optimize=True)
    return file.tell(), to_bytes(resize(np.asarray(small) / 255, *grey.shape, cubic))


# %%
curves = {
    "JPEG": [pillow_jpeg(cat_bytes, quality) for quality in (3, 5, 10, 20, 35, 50, 65, 80, 90, 95)],
    "smaller PNG": [shrunk_png(cat_bytes, factor) for factor in (8, 6, 4, 3, 2, 1.5, 1.2)],
}

# %%
lines = {}
for name, points in curves.items():
    ratios = [peak_signal_noise_ratio(cat_bytes, np.asarray(picture)) for _, picture in points]
    bits = [8 * size / cat_bytes.size for size, _ in points]
    lines[name] = bits, ratios
    at_one, at_a_tenth = np.interp([1, 0.1], bits, ratios)
    print(
        f"{name:11} at one bit a pixel {approx(at_one, 1)} dB, at a tenth {approx(at_a_tenth, 1)} dB"
    )

# %% tags=["hide-input"]
figure, axes = plt.subplots(figsize=(7, 3.2))
for name, (bits, ratios) in lines.items():
    axes.plot(bits, ratios, "o-", label=name)
axes.set(xlabel="bits a pixel (8 before compression)", ylabel="PSNR in dB", xlim=(0, 3.2))
axes.legend()
figures.show(
    figure,
    alt="PSNR against bits a pixel. The JPEG curve rises more steeply and lies well above"
    " the one for shrinking and enlarging, but for the far left, where the two meet.",
)

# %% [markdown]
# Both files are packed as well as the library can (`optimize=True`). JPEG wins, since it spends its bits in the
# blocks where something happens; only at the far left are the two level. Many training sets are JPEGs, and a
# generator learns the ringing with the cats.

# %% [markdown]
# ## Clinic
#
# A segmentation network (lesson 06) answers with one label a pixel, at a quarter of the size: 0 background, 1
# branch, 2 blue plumage, 3 orange plumage. (Here the labels come from hue.) Somebody enlarges the labels with
# the same `resize` as the photograph, and rounds. It runs, and at first sight looks right.

# %% tags=["clinic"]
hue, saturation, _ = np.moveaxis(hsv[10:350, 150:498], -1, 0)
vivid = saturation > 0.55
branch, blue, orange = (hue > 0.12) & (hue < 0.3), (hue > 0.45) & (hue < 0.7), hue < 0.1
mask = scipy.ndimage.median_filter(vivid * np.select([branch, blue, orange], [1, 2, 3]), 9)
small_mask = mask[2::4, 2::4]
ill = np.round(resize(small_mask, height, width, linear)).astype(int)
print("labels before", np.unique(small_mask), "after", np.unique(ill), "shape", ill.shape)

# %% [markdown]
# The symptom: rims of *branch* and of *blue plumage* around the bird. Between 0 and 3 lie 1 and 2, but
# between background and orange lies no branch. Labels are names, and names have no average. What can be
# averaged is "how much of this pixel is orange", one picture for each label. The largest share wins:

# %% tags=["clinic"]
masks = [small_mask == label for label in range(4)]
shares = np.stack([resize(mask, height, width, linear) for mask in masks], axis=-1)
repaired = shares.argmax(axis=-1)
for name, labels in {"ill": ill, "repaired": repaired}.items():
    invented = np.take_along_axis(shares, labels[..., None], axis=-1) == 0
    print(f"{name:8} pixels whose label none of their sources has: {invented.sum()}")

# %% tags=["clinic", "hide-input"]
palette = np.array([[0.93, 0.93, 0.93], [0.6, 0.6, 0.2], [0, 0.45, 0.7], [0.9, 0.5, 0.1]])
figures.images(
    [one[40:260, 0:230] for one in (bird, palette[ill], palette[repaired])],
    ["photograph", "labels averaged and rounded", "shares averaged, largest taken"],
    size=3.8,
    alt="A kingfisher and two label maps. In the first, thin rims of branch colour and of"
    " blue run along every border of the orange breast; in the second there are none.",
)

# %% [markdown]
# (*Nearest* is the other cure, with stepped outlines.) Shape, dtype and range did not give the bug away; thin
# rims do.

# %% [markdown]
# ## Exercises
#
# ### E1.1 ★ Any dtype to float
# Write `to_float`, which turns `uint8`, `uint16`, `bool` or any float into `float32`, with white at 1. Floats
# are in [0, 1] already.


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
# Photographs arrive read with OpenCV and packed for PyTorch: `uint8`, shape (N, 3, H, W), blue first. Write
# `from_elsewhere`, which returns what this course uses: `float32` in [0, 1], shape (N, H, W, 3), red first.


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
# ### E1.3 ★★ More colour, same light
# Write `saturate`, which moves the pixels of a picture (H, W, 3) away from the grey of the same luma, or
# towards it: `amount` 0 gives the grey picture, 1 the picture itself, 2 twice the colour. The luma stays, and
# nothing is clipped.


# %% tags=["exercise"]
def saturate(picture, amount):
    raise NotImplementedError("E1.3: return an array of shape (H, W, 3)")


# %%
check.e1_3(saturate)


# %% tags=["solution"]
def saturate(picture, amount):
    luma = (picture @ LUMA)[..., None]  # (H, W, 1)
    return luma + amount * (picture - luma)


check.e1_3(saturate)

# %% [markdown]
# ### E1.4 ★★ Shrink by averaging
# Write `shrink`, whose output pixels are the means of squares of `factor` × `factor` pixels, channel by
# channel: (H, W, C) to (H // factor, W // factor, C). Rows and columns left over at the bottom and right are
# dropped. Try it without loops.


# %% tags=["exercise"]
def shrink(picture, factor):
    raise NotImplementedError("E1.4: return an array of shape (H // factor, W // factor, C)")


# %%
check.e1_4(shrink)


# %% tags=["solution"]
def shrink(picture, factor):
    rows, columns = picture.shape[0] // factor, picture.shape[1] // factor
    whole = picture[: rows * factor, : columns * factor]
    return whole.reshape(rows, factor, columns, factor, -1).mean(axis=(1, 3))


check.e1_4(shrink)

# %% [markdown]
# ### E1.5 ★★★ Borrow the light of another picture
# **Histogram matching** gives one `uint8` picture the histogram of another. Write `match_histogram`, which
# replaces each value $v$ of `picture` by the smallest value $w$ with $F^\text{reference}_w \ge
# F^\text{picture}_v$, and returns `uint8`. The two may differ in size.


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
# ## Summary
#
# - Ask every array for its shape, dtype and range, and look at it.
# - A resized pixel is a weighted mean around the place it came from; shrinking needs a low-pass filter.
# - Rotate by pulling, once; flips are slices.
# - Luma carries the detail, chroma the colour.
# - Contrast enhancement moves values and adds nothing.
# - Edges are differences of neighbours. Counts of colours and of edge directions are simple features.
# - JPEG rounds the amounts of 64 waves in each block, which shows as squares and ringing.
#
# ## Glossary
#
# | English | 中文 | in one sentence |
# |---|---|---|
# | channel | 通道 | one number of each pixel, such as red |
# | dtype | 数据类型 | how a number is stored |
# | interpolation | 插值 | estimating a value between pixels |
# | nearest, bilinear, bicubic | 最近邻、双线性、双三次 | interpolation from one, four or sixteen pixels |
# | aliasing | 混叠 | fine waves that come back as false coarse ones |
# | Nyquist limit | 奈奎斯特极限 | the finest wave a grid can hold |
# | low-pass filter | 低通滤波器 | an average that takes out fine detail |
# | luma, chroma | 亮度、色度 | how bright, and which colour |
# | hue, saturation, value | 色相、饱和度、明度 | a colour as a painter names it |
# | histogram | 直方图 | how often each value occurs |
# | histogram equalisation | 直方图均衡化 | making values about equally frequent |
# | edge, gradient | 边缘、梯度 | where values change; how much, and which way |
# | feature | 特征 | a few numbers that describe a picture |
# | texture | 纹理 | the fine pattern of a surface |
# | discrete cosine transform | 离散余弦变换 | pixels as amounts of cosine waves |
# | quantisation | 量化 | rounding to multiples of a step |
# | compression artefact | 压缩伪影 | squares and ringing |
# | peak signal-to-noise ratio | 峰值信噪比 | mean squared error in decibels |
#
# ## What to read next
#
# - Robert Keys, *Cubic convolution interpolation for digital image processing*, 1981.
# - Alvy Ray Smith, *Color gamut transform pairs*, 1978.
# - Stephen Pizer and others, *Adaptive histogram equalization and its variations*, 1987.
# - Navneet Dalal and Bill Triggs, *Histograms of oriented gradients for human detection*, 2005.
# - Gregory Wallace, *The JPEG still picture compression standard*, 1991.
# - Gaurav Parmar, Richard Zhang and Jun-Yan Zhu, *On aliased resizing and surprising subtleties in GAN
#   evaluation*, 2022: how section 4 spoils published scores.
# - Next lesson: [02 · Convolution](02_convolution.ipynb), the sums of section 8 as the layer that networks
#   are made of.
