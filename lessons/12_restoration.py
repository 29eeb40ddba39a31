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
# # 12 · Restoration
#
# **What can be got back from a picture that is noisy, blurred or torn?**
#
# - **You will be able to** remove noise by filters and by a network that you train, undo a known blur, fill holes, and
#   say how each fails.
# - **You need** lessons [02](02_convolution.ipynb) (convolution), [05](05_cnn_classifier.ipynb) (training) and
#   [11](11_super_resolution.ipynb) (PSNR, residuals, sub-pixels).
# - **Time**: about three hours with the exercises; all cells run in some minutes.

# %%
import itertools
import json

import keras
import matplotlib.pyplot as plt
import numpy as np
import scipy.ndimage
from keras import layers, ops

from course_utils import (
    before_after,
    classical,
    data,
    degrade,
    figures,
    metrics,
    models,
    paths,
    recipes,
    scoring,
    tiling,
    training,
)
from course_utils.checks import lesson_12 as check
from course_utils.classical import deblurring, inpainting
from course_utils.models.deblurring import BlursAndWiener, with_wiener
from course_utils.report import approx, measured

# %% [markdown]
# One photograph, spoiled and mended three ways:


# %%
def by_network(network, picture):
    """One picture (h, w, C) through a network that takes batches."""
    return ops.convert_to_numpy(network(picture[np.newaxis]))[0]


def decibels(original, picture):
    """PSNR as this lesson measures it: in RGB, to the border, clipped to [0, 1] and rounded to 8 bits."""
    options = {"colour": "rgb", "border": 0, "data_range": 1.0, "quantise": True}
    return metrics.psnr(original, picture, **options)


# %%
shipped, sharpener = models.load("denoise"), models.load("deblur")
bird = data.photograph("kingfisher")[20:200, 200:380]
spoiled = {
    name: degrade.PROTOCOLS[name](bird, 0)
    for name in ("denoise_50", "deblur_motion", "inpaint_free_form")
}
motion = degrade.PROTOCOLS["deblur_motion"]
sharper = with_wiener(spoiled["deblur_motion"], motion.kernel, motion.sigma)
mended = {
    "denoise_50": by_network(shipped, spoiled["denoise_50"]),
    "deblur_motion": by_network(sharpener, sharper),
    "inpaint_free_form": classical.restorers("inpaint_free_form")["harmonic"](
        spoiled["inpaint_free_form"]
    ),
}
for name, picture in mended.items():
    before = decibels(bird, spoiled[name][..., :3])
    print(f"{name:18} {approx(before, 1)} dB -> {approx(decibels(bird, picture), 1)} dB")

# %% tags=["hide-input"]
before = [panel[..., :3] for panel in spoiled.values()]
figures.images(
    [*before, bird, *mended.values()],
    [
        "noise",
        "motion blur",
        "holes",
        "as it was",
        "a network",
        "filter and network",
        "spread heat",
    ],
    columns=4,
    size=2.9,
    alt="A kingfisher's head under coloured noise, smeared along a line, and crossed by grey strokes; beside them"
    " the original. Below, the three restored: smooth with clear edges, sharp again, and whole"
    " but for soft patches where the strokes were.",
)

# %% [markdown]
# ## 1 · What was done to the picture?
#
# Three accidents, one equation: the picture $x$ went through something linear, $A$, and noise $n$ was added:
#
# $$y = A\,x + n \qquad x, y: (H, W, 3)$$
#
# $A$ does nothing (noise), takes weighted means of neighbours (blur), or drops pixels (holes, filled with grey; a
# **mask** says which). Five of the lesson's fixed tests:

# %%
for name in (
    "denoise_25",
    "deblur_gaussian",
    "deblur_motion",
    "deblur_defocus",
    "inpaint_rectangles",
):
    print(f"{name:19} {degrade.PROTOCOLS[name].description}")

# %% [markdown]
# Many $x$ fit one $y$, so a restorer has to know photographs: that neighbours are alike, details repeat, or what
# examples taught it.
#
# ## 2 · How far do means go against noise?
#
# A sigma of 25 is the noise's standard deviation, in 255ths. The mean of $m$ independent draws has a variance $m$ times
# smaller:
#
# $$\operatorname{Var}\Big(\tfrac1m \sum_i n_i\Big) = \tfrac{1}{m^2} \sum_i \operatorname{Var}(n_i) = \tfrac{\sigma^2}{m}$$

# %%
random = np.random.default_rng(0)
for side in (1, 3, 5, 7):
    means = (25 * random.standard_normal((20000, side * side))).mean(axis=1)
    print(f"mean of {side}x{side}: sigma {means.std():5.2f}, by the formula {25 / side:5.2f}")

# %% [markdown]
# ### E12.1 ★ What a filter leaves of noise
# Write `noise_left(kernel, sigma)`: the standard deviation of white (independent) noise of `sigma` after it went
# through any filter with these weights (h, w). They need not be equal, nor add up to 1.


# %% tags=["exercise"]
def noise_left(kernel, sigma):
    raise NotImplementedError("E12.1: return one number")


# %%
check.e12_1(noise_left)


# %% tags=["solution"]
def noise_left(kernel, sigma):
    return sigma * np.sqrt(np.sum(np.square(kernel)))


check.e12_1(noise_left)

# %% [markdown]
# A mean takes fine detail away with the noise. Five answers:
#
# - **mean** and **Gaussian**: neighbours, all alike or weighted by distance;
# - **median**: the middle value, which lets straight edges stand;
# - **wavelet**: sums and differences of neighbours, at several sizes; small differences are set to 0 (1994);
# - **non-local means**: the mean of pixels whose *surroundings* look alike, wherever they are (2005):


# %%
def likeness(picture, row, column, sigma, strength=0.5, reach=12):
    """Weights of the pixels up to `reach` away in the mean that replaces one: (2 reach + 1, 2 reach + 1)."""
    view = np.lib.stride_tricks.sliding_window_view
    patches = view(picture, (5, 5), axis=(0, 1))  # (.., .., C, 5, 5)
    row, column = row - 2, column - 2  # of the patch whose middle is that pixel
    around = patches[row - reach : row + reach + 1, column - reach : column + reach + 1]
    difference = around - patches[row, column]
    distance = np.square(difference).mean(axis=(2, 3, 4))  # 2 sigma^2 for equal patches
    weights = np.exp(-np.maximum(distance - 2 * sigma**2, 0) / (strength * sigma) ** 2)
    return weights / weights.sum()


# %%
noisy_bird = degrade.PROTOCOLS["denoise_25"](bird, 0)
spots = {"background": (150, 160), "edge of the breast": (110, 144), "below the eye": (60, 80)}
weights = {name: likeness(noisy_bird, *spot, sigma=25 / 255) for name, spot in spots.items()}
for name, each in weights.items():
    left = np.sqrt(np.square(each).sum())
    print(f"{name:18} such weights, were they fixed, leave {approx(left, 2)} of the noise")

# %% tags=["hide-input"]
figure, axes = plt.subplots(1, 6, figsize=(12, 2.3))
for index, (name, (row, column)) in enumerate(spots.items()):
    crop = slice(row - 12, row + 13), slice(column - 12, column + 13)
    figures.draw_image(axes[2 * index], noisy_bird[crop], name)
    axes[2 * index].plot(12, 12, "+", color="white", markersize=12)
    share = weights[name] / weights[name].max()
    figures.draw_image(axes[2 * index + 1], share, "its weights", cmap="viridis")
figure.colorbar(axes[-1].images[0], ax=axes[-1], label="of the largest")
figures.show(
    figure,
    alt="Three noisy squares and the weights for their middle pixel. On the plain background about a third of the pixels"
    " weigh as much as can be; at the upright edge a thin line along it; below the eye hardly any but the pixel itself.",
)

# %% [markdown]
# Where little looks alike, more noise stays. All five, with settings chosen on validation photographs; the last two
# are told sigma. Which will win?

# %%
panda = data.photograph("red_panda")
noisy_panda = degrade.PROTOCOLS["denoise_25"](panda, 0)
filtered = {
    name: restore(noisy_panda) for name, restore in classical.restorers("denoise_25").items()
}
for name, picture in ({"noisy": noisy_panda} | filtered).items():
    print(f"{name:10} {approx(decibels(panda, picture), 2)} dB")

# %% tags=["hide-input"]
crop = slice(120, 216), slice(250, 346)
shown = {"noisy": noisy_panda} | filtered | {"as it was": panda}
figure, axes = plt.subplots(2, 7, figsize=(12, 3.9))
for column, (name, panel) in enumerate(shown.items()):
    figures.draw_image(axes[0, column], panel[crop], name)
    error = np.abs(panel - panda).mean(axis=-1)[crop]
    figures.draw_image(axes[1, column], error, "", cmap="viridis", vmax=0.15)
axes[1, 0].set_ylabel("error")
axes[1, 6].clear()
axes[1, 6].axis("off")
figure.colorbar(
    axes[1, 5].images[0], cax=axes[1, 6].inset_axes((0, 0, 0.12, 1)), label="error of a pixel"
)
figures.show(
    figure,
    alt="A panda's eye, noisy, by five filters and as it was; below, each one's error on one scale. Mean and Gaussian"
    " are blurred and err along edges, the median is blotchy; wavelet and non-local means keep edges, the first with"
    " faint squares, the second with grain left in the fur.",
)

# %% [markdown]
# ## 3 · What can a network learn of noise?
#
# **DnCNN** (2017) lets a network find the *noise*, and takes that away. **FFDNet** (2018) works on unshuffled pixels:
# each 2 × 2 square becomes four channels of one pixel (lesson 11's sub-pixels, undone). A layer then costs a quarter
# and sees twice as far. Ours does both, with a **U-Net** (2015) in between: it halves its maps twice, doubles them
# again, and adds on the way up what it saw on the way down (the original lays both side by side).


# %%
def block(x, width):
    y = layers.Conv2D(width, 3, padding="same", activation="relu")(x)
    return x + layers.Conv2D(width, 3, padding="same")(y)


def several(x, width, blocks):
    for _ in range(blocks):
        x = block(x, width)
    return x


def denoiser(widths, blocks):
    """From noisy pictures (n, h, w, 3), h and w multiples of 8, to restored ones; so many blocks at each size."""
    noisy = layers.Input((None, None, 3))
    x = ops.space_to_depth(noisy, 2)  # (n, h / 2, w / 2, 12)
    x = layers.Conv2D(widths[0], 3, padding="same")(x)
    kept = []
    for width, wider in itertools.pairwise(widths):  # of (32, 64, 128): 32, 64, then 64, 128
        x = several(x, width, blocks)
        kept.append(x)
        x = layers.Conv2D(wider, 2, strides=2)(x)  # half the size
    x = several(x, widths[-1], blocks)
    for width in reversed(widths[:-1]):
        x = layers.Conv2DTranspose(width, 2, strides=2)(x)  # twice the size
        x = several(x + kept.pop(), width, blocks)
    x = layers.Conv2D(12, 3, padding="same", kernel_initializer="zeros")(x)  # at first nothing
    minus_noise = ops.depth_to_space(x, 2)
    return keras.Model(noisy, noisy + minus_noise)


# %%
recipe = recipes.find("denoise")
numbers = recipe.numbers()
print(f"{denoiser(numbers.widths, numbers.blocks).count_params():,} weights here,", end=" ")
by_hand = denoiser(recipe.FULL.widths, recipe.FULL.blocks)
by_hand.set_weights(shipped.get_weights()[: len(by_hand.weights)])
print(
    f"{by_hand.count_params():,} of the shipped one, with {recipe.FULL.blocks} blocks at each size"
)
print(
    "agrees with the package's:",
    np.allclose(by_network(by_hand, noisy_panda), by_network(shipped, noisy_panda), atol=1e-4),
)

# %% [markdown]
# **The loss.** Noise of sigma 55 has $(55/5)^2 = 121$ times the squared error of sigma 5, and would decide nearly
# alone. So we take each picture's squared error in decibels, $-\text{PSNR}$: halving it counts 3 dB, large or small.


# %%
def minus_psnr(clean, restored):
    """10 log10 of the mean squared error of each picture: (n, h, w, C) twice -> (n,)."""
    return 10 * ops.log10(ops.mean(ops.square(clean - restored), axis=(1, 2, 3)) + 1e-7)


# %%
patches = recipe.data().images  # every second is grey
low, high = numbers.sigma
random_sigmas = keras.random.SeedGenerator(0)
clean_batch = patches[: numbers.batch_size]
noisy_batch = degrade.add_gaussian_noise(clean_batch, (low / 255, high / 255), random_sigmas)
print(f"{len(patches):,} patches; a batch {clean_batch.shape}, sigma from {low} to {high}")
print(
    "loss of each before training, when the network adds nothing:",
    [approx(value, 1) for value in ops.convert_to_numpy(minus_psnr(clean_batch, noisy_batch))],
)

# %% [markdown]
# Each step draws new noise of a new sigma for each patch. The network is not told: it is **blind**. (`psnr` below
# is lower than minus the loss: over a whole batch strong noise counts most.)
#
# A trick: gradients longer than 5 are cut to that length (**gradient clipping**). Without it each of three trainings
# ended lower (`course_utils/recipes/denoise.py` tells by how much).

# %%
model = recipe.model(numbers)
history = recipe.train(model, numbers).history

# %% [markdown]
# On the test photographs. Filters and the shipped network are recorded; that one is larger and learned for longer, by
# the **absolute error** (as lesson 11's networks), with a tighter bound and, at the end, on larger patches:

# %%
test = scoring.test_photographs()
ours = scoring.score(model, "denoise_25", test)
recorded = json.loads((paths.WEIGHTS / "denoise.json").read_text())["scores"]["denoise_25"]
print(f"{'':14}PSNR   SSIM   31 test photographs, sigma 25")
for name, row in recorded.items():
    print(f"{name.replace('network', 'shipped'):13} {row['psnr']:.2f}  {row['ssim']:.3f}  recorded")
print(f"this lesson's {approx(ours.psnr.mean(), 2)} {approx(ours.ssim.mean(), 3)}")
gain = ours.psnr - [recorded["wavelet"]["psnr_by_picture"][name] for name in test]
measured("gain over wavelets", gain.mean(), at_least=0.2, digits=2, unit="dB")
print("standard error of this gain:", approx(gain.std(ddof=1) / len(gain) ** 0.5, 2), "dB")

# %%
first = next(iter(test))  # its noise is that of the first
once_more = scoring.score_all({"network": shipped}, "denoise_25", {first: test[first]})
agree = [
    abs(row.psnr[0] - recorded[name]["psnr_by_picture"][first]) < 0.02
    for name, row in once_more.items()
]
print("the record holds for the first photograph:", agree.count(True), "of", len(agree), "rows")

# %% tags=["hide-input"]
clean_panda = by_network(shipped, noisy_panda)
shown = {
    "noisy": noisy_panda,
    "wavelet": filtered["wavelet"],
    "this lesson's": by_network(model, noisy_panda),
    "shipped": clean_panda,
    "as it was": panda,
}
crop = slice(120, 216), slice(250, 346)
figure, axes = plt.subplots(2, 5, figsize=(12, 5.2))
for column, (name, panel) in enumerate(shown.items()):
    figures.draw_image(axes[0, column], panel[crop], name)
    lost = (panda - panel if column < 4 else noisy_panda - panda)[crop][..., 1]
    title = "what it lacks" if column < 4 else "the noise"
    figures.draw_image(axes[1, column], lost, title, cmap=figures.DIVERGING, vmin=-0.15, vmax=0.15)
axes[1, 0].clear()
axes[1, 0].axis("off")
key = axes[1, 0].inset_axes((0.7, 0, 0.1, 1))
figure.colorbar(axes[1, 4].images[0], cax=key, label="green channel", extend="both")
figures.show(
    figure,
    alt="A panda's eyes, noisy, by wavelets, by two networks and as it was; below, what each answer lacks of the green"
    " channel, and the noise itself on the same scale. Strokes of hair can be seen in all three, with the wavelets the rim"
    " of an eye too; the plain muzzle is pale.",
)

# %% [markdown]
# Each answer lacks strokes of hair.
#
# **And BM3D?** The filter to beat (2007) stacks similar patches and shrinks small differences in the stack. Recorded
# (its licence keeps it out), in grey, told sigma:

# %%
rivals = json.loads((paths.BENCHMARKS / "12_bm3d.json").read_text())["denoise_25, grey"]
for name, row in rivals.items():
    print(
        f"{name:8} {row['psnr']:.2f} dB, {row['seconds_per_megapixel']:.1f} s of a processor a megapixel"
    )
of_bm3d, of_network = (list(row["psnr_by_picture"].values()) for row in rivals.values())
margin = np.subtract(of_network, of_bm3d)
standard_error = margin.std(ddof=1) / len(margin) ** 0.5
print(
    f"network ahead by {margin.mean():.2f} ± {standard_error:.2f} dB, on {np.sum(margin > 0)} of {len(margin)}"
)

# %% [markdown]
# Ahead, though blind and for colour.
#
# **And DnCNN?** Recorded, one training: its 17 layers of 64 maps at full size, without batch normalisation (in trials
# of 300 steps it did no good), in about the time of ours before the larger patches. All else is as ours had it; both
# multiply numbers of 16 bits (**mixed precision**, faster on processors made for it).

# %%
dncnn = json.loads((paths.BENCHMARKS / "12_dncnn.json").read_text())["runs"]["DnCNN"]
of_dncnn, of_ours = dncnn["seeds"]["0"], json.loads((paths.WEIGHTS / "denoise.json").read_text())
lengths = {
    "DnCNN": (dncnn["settings"]["steps"], of_dncnn["processor_seconds"][-1]),
    "ours": (of_ours["steps"], of_ours["processor_seconds"]),
    "and then": [of_ours["larger_patches"][name] for name in ("steps", "processor_seconds")],
}
for name, (steps, seconds) in lengths.items():
    print(f"{name:8} {steps:6,} steps, {seconds / 60:.0f} processor minutes")
for protocol, row in of_dncnn["scores"].items():
    early = of_ours["larger_patches"]["psnr_before"][protocol]
    late = of_ours["scores"][protocol]["network"]["psnr"]
    print(f"{protocol:16} DnCNN {row['psnr']:.2f}, ours before {early:.2f}, and then {late:.2f} dB")

# %% [markdown]
# In its fewer steps DnCNN stays about a decibel behind. (In its paper, trained far longer, it beats BM3D.) The steps on
# larger patches brought ours past it.
#
# ## 4 · What if there is no clean picture?
#
# Take two noisy shots of one scene. The network $f$ sees the first, $y$; its target is the *second*, $x + n'$
# (**Noise2Noise**, 2018). The **expectation** $\operatorname{E}$ of the squared error, its mean over endless draws, is
#
# $$\operatorname{E}\big[(f(y) - x - n')^2\big] = \operatorname{E}\big[(f(y) - x)^2\big] - 2 \operatorname{E}\big[n'\,(f(y) - x)\big] + \operatorname{E}\big[n'^2\big]$$
#
# Whatever $x$ and $y$ are, $n'$ is zero on average, so the middle term is 0; the last does not depend on $f$: both
# losses have the same best $f$. Tried with a 5 × 5 kernel, whose weights **least squares** finds without training:


# %%
def windows(picture):
    """Each 5 x 5 neighbourhood of a picture (h, w) as a row: (n, 25). Their middles: picture[2:-2, 2:-2]."""
    return np.lib.stride_tricks.sliding_window_view(picture, (5, 5)).reshape(-1, 25)


def best_kernel(seen, targets):
    """The 25 weights with the least squared error on these examples."""
    return np.linalg.lstsq(seen, targets, rcond=None)[0]


# %%
grey_patches = patches[::80].mean(axis=-1)  # (n, 64, 64)
shots = [grey_patches + 25 / 255 * random.standard_normal(grey_patches.shape) for _ in range(2)]
seen = np.concatenate([windows(each) for each in shots[0]])
second, clean = (
    np.concatenate([windows(each)[:, 12] for each in part]) for part in (shots[1], grey_patches)
)
order = random.permutation(len(seen))
held_out, order = order[:20000], order[20000:]
errors = {"clean target": [], "noisy target": []}
counts = [50, 100, 300, 1000, 10000, len(order)]
for count in counts:
    chosen = order[:count]
    for name, targets in (("clean target", clean), ("noisy target", second)):
        weights_of_kernel = best_kernel(seen[chosen], targets[chosen])
        error = np.mean(np.square(seen[held_out] @ weights_of_kernel - clean[held_out]))
        errors[name].append(-10 * np.log10(error))
print("examples     ", *(f"{count:7,}" for count in counts))
for name, row in errors.items():
    print(f"{name:13}", *(f"{value:7.2f}" for value in row), "dB against clean pixels")

# %% [markdown]
# In the end the noisy target is no worse that we can see; at 50 examples chance decides.
#
# All this rests on $n'$ being zero on average **at each true value** $x$. A file **clips**: below black and above white
# nothing is left. Counted photons, on average $\text{peak}$ of them for white, have **Poisson** noise, of variance $x /
# \text{peak}$. How far is the mean of many noisy shots from the pixel?

# %%
levels = np.linspace(0, 1, 41, dtype=np.float32)
scene = np.tile(levels[:, np.newaxis, np.newaxis], (1, 20000, 1))  # each level 20,000 times
gaussian = scene + 50 / 255 * random.standard_normal(scene.shape, np.float32)
many_shots = {
    "Gaussian": gaussian,
    "Gaussian, clipped": gaussian.clip(0, 1),
    "Poisson": degrade.poisson_noise(scene, peak=13, seed=0),
}
bias = {name: shot.mean(axis=(1, 2)) - levels for name, shot in many_shots.items()}
for name, row in bias.items():
    print(f"{name:18} black {row[0]:z6.3f}  middle {row[20]:z6.3f}  white {row[-1]:z6.3f}")

# %% tags=["hide-input"]
figure, axes = plt.subplots(1, 3, figsize=(12, 3.1))
for name, curve in errors.items():
    axes[0].plot(counts, curve, "o-", label=name)
axes[0].set(
    xscale="log",
    xlabel="examples",
    ylabel="PSNR on other pixels, dB",
    title="one kernel, two targets",
)
for name, shot in many_shots.items():
    axes[1].plot(levels, bias[name], label=name)
    axes[2].plot(levels, shot.std(axis=(1, 2)), label=name)
axes[1].set(
    xlabel="true pixel", ylabel="mean of noisy ones − true", title="is the noise zero on average?"
)
axes[2].set(
    xlabel="true pixel", ylabel="standard deviation", title="how strong is it?", ylim=(0, None)
)
for one in axes[:2]:
    one.legend(fontsize=8)
figures.show(
    figure,
    alt="Left, two curves that rise with the number of examples and meet. Middle, the mean of Gaussian and of Poisson"
    " noise lies at zero, that of clipped noise above it near black and below it near white. Right, Gaussian noise is"
    " equally strong everywhere, clipped noise weaker at the ends, Poisson noise grows with the square root.",
)

# %% [markdown]
# Clipped targets would teach that black is grey. And clipped *inputs*? The shipped network has seen none, nor Poisson
# noise. (Our PSNR clips every picture first: hence two equal numbers under "noisy".)

# %%
validation = scoring.photographs("validation")
middles = {name: picture[60:220, 120:280] for name, picture in validation.items()}


def noisy_ways(picture, seed):
    """A picture under noise of sigma 50, not clipped, clipped, and under Poisson noise of as much mean variance."""
    noise = np.random.default_rng(seed).standard_normal(picture.shape, np.float32)
    plain = picture + np.float32(50 / 255) * noise
    peak = float(picture.mean()) / (50 / 255) ** 2
    poisson = degrade.poisson_noise(picture, peak, seed)
    return {"Gaussian": plain, "Gaussian, clipped": plain.clip(0, 1), "Poisson": poisson}


# %%
wavelet_50 = classical.restorers("denoise_50")["wavelet"]
found, dark = {}, {}
for seed, picture in enumerate(middles.values()):
    for name, noisy in noisy_ways(picture, seed).items():
        answers = noisy, wavelet_50(noisy), by_network(shipped, noisy)
        found.setdefault(name, []).append([decibels(picture, answer) for answer in answers])
        dark.setdefault(name, []).append((answers[-1] - picture)[picture < 0.1])
print(f"{'':18}  noisy  wavelet  network, its mean error in the dark")
for name, rows in found.items():
    columns = "   ".join(approx(value, 2) for value in np.mean(rows, axis=0))
    print(f"{name:18} {columns}   {approx(np.concatenate(dark[name]).mean(), 3)}")

# %% [markdown]
# Clipping makes noise weaker, and yet costs network and wavelets (told a sigma of 50) more than a decibel each, and
# makes dark too light; Poisson noise costs less.
#
# ## 5 · Can a blur be undone?
#
# A blur of a row of $n$ pixels is a matrix $B$: $(n, n)$. Its column $j$ is what becomes of one bright pixel at $j$. To
# undo it, solve $B x = y$?

# %%
castle = data.photograph("neuschwanstein_castle")
line = castle[130, 180:308].mean(axis=-1).astype(float)
# What a row sees of the kernel where columns are constant, (1, 25): sigma 1.6
kernel_line = degrade.PROTOCOLS["deblur_gaussian"].kernel.sum(axis=0, keepdims=True)
points = np.eye(128, dtype=np.float32).reshape(128, 1, 128, 1)  # 128 rows, a bright pixel in each
blurred_points = ops.convert_to_numpy(degrade.blur(points, kernel_line, border="symmetric"))
B = blurred_points[:, 0, :, 0].T.astype(float)
print("B", B.shape, "rows add up to 1:", np.allclose(B.sum(axis=1), 1, atol=1e-5))

# %%
blurred = B @ line
noise = 2 / 255 * random.standard_normal(128)
for name, y in {
    "without noise": blurred,
    "noise of 2/255": blurred + noise,
    "rounded to 8 bits": np.round(blurred * 255) / 255,
}.items():
    error = np.abs(np.linalg.solve(B, y) - line).mean()
    print(f"B x = y solved, {name:18} mean error {approx(error, 6)}")

# %% [markdown]
# Even rounding ruins it. Why? A row is a sum of waves. Its **spectrum**, given by the fast Fourier transform
# (`np.fft.fft`), has a complex number for each wave: its length tells the wave's height, its angle the wave's place.
# A convolution, on a row that wraps round, multiplies each wave by its number in the kernel's spectrum $K$; with noise,
# the spectra obey $Y = K X + N$. Without noise, on eight pixels:

# %%
small_kernel, row_of_eight = np.array([0.25, 0.5, 0.25]), line[:8]
K_of_eight = np.fft.fft(np.roll(np.pad(small_kernel, (0, 5)), -1))  # its middle at place 0
print("left of each wave:", *np.abs(K_of_eight).round(3))
wrapped = scipy.ndimage.convolve1d(row_of_eight, small_kernel, mode="wrap")
print("Y = K X:", np.allclose(np.fft.fft(wrapped), K_of_eight * np.fft.fft(row_of_eight)))

# %% [markdown]
# Place 0 is the mean. Place 4 has the finest stripes, light and dark in turn: this kernel wipes them out. Places 5 to 7
# repeat 3 to 1.
#
# To undo a blur, divide each wave by its $K$. That divides the noise, too: where $K$ is small, it becomes huge. The
# least $|K|$ of our three blurs, for waves along the rows:

# %%
frequencies = np.fft.rfftfreq(256)  # cycles a pixel, up to 1/2
gains = {}
for name in ("deblur_gaussian", "deblur_motion", "deblur_defocus"):
    kernel = degrade.PROTOCOLS[name].kernel
    gains[name] = np.abs(np.fft.rfft(kernel.sum(axis=0), 256))
    print(f"{name:16} kernel {kernel.shape}, least |K| {approx(gains[name].min(), 6)}")

# %% tags=["hide-input"]
figure, axes = plt.subplots(1, 4, figsize=(12, 2.9), width_ratios=[1, 1.3, 1.2, 1.2])
figures.draw_image(axes[0], B[:40, :40], "B, upper left", cmap="viridis", vmax=B.max())
for name, curve in gains.items():
    axes[1].plot(frequencies, np.maximum(curve, 1e-7), label=name.removeprefix("deblur_"))
axes[1].set(yscale="log", xlabel="cycles a pixel", ylabel="|K|", title="what the blur leaves")
axes[1].legend(fontsize=8)
axes[2].plot(line, label="a row", linewidth=1)
axes[2].plot(blurred + noise, label="blurred, noisy")
axes[2].set(xlabel="pixel", ylabel="grey", title="a row of the castle")
axes[2].legend(fontsize=8)
axes[3].plot(np.linalg.solve(B, blurred + noise), linewidth=0.8, color=figures.COLOURS[2])
axes[3].set(xlabel="pixel", ylabel="grey", title="B x = y solved")
figures.show(
    figure,
    alt="A matrix that is bright along its diagonal. Three curves that fall from one: the Gaussian's steadily by many"
    " powers of ten, those of motion and defocus with sharp dips. A row of pixels and its blurred version. The solution,"
    " which swings by hundreds where pixels lie between zero and one.",
)

# %% [markdown]
# ### E12.2 ★★ What lies beyond the border?
# Write `blur_row(row, kernel)`: a row (n,) convolved with a kernel (k,), k odd and no longer than n, same length.
# Beyond its ends the row is mirrored, the end pixel repeated. The kernel need not be symmetric: $\text{out}_i =
# \sum_a k_a\, x_{i - a}$, with $a = 0$ in the kernel's middle.


# %% tags=["exercise"]
def blur_row(row, kernel):
    raise NotImplementedError("E12.2: return an array of the row's length")


# %%
check.e12_2(blur_row)


# %% tags=["solution"]
def blur_row(row, kernel):
    return np.convolve(np.pad(row, len(kernel) // 2, mode="symmetric"), kernel, mode="valid")


check.e12_2(blur_row)

# %% [markdown]
# **Wiener's filter** (1949) asks for a gain $G$ that is best on average. The result $G\,(K X + N)$ is wrong by
# $(G K - 1)\,X$, detail that stays lost, and by $G N$, noise let through. Picture and noise are independent, noise zero
# on average: the errors' **powers**, mean squared lengths, add up. With $S$ and $R$ for those of picture and noise:
#
# $$\min_G\ |G K - 1|^2\,S + |G|^2\,R \quad\Rightarrow\quad G = \frac{\overline{K}}{|K|^2 + R / S}$$
#
# ($\overline{K}$, the complex conjugate, has the opposite angle; at the minimum $(G K - 1)\,\overline{K} S + G R = 0$.)
# Where $|K|^2 S$, what the blur left of the picture, is far above $R$, the filter divides by $K$; where far below, it
# lets little through. Photographs have less power at higher frequencies: the package takes for $R / S$ a number,
# `balance`, times the frequency squared.
#
# ### E12.3 ★★ Wiener's gain
# Write `wiener_gain(kernel, noise_to_signal)`: the complex gains $G$ of a row that wraps round, one for each value of
# `noise_to_signal`, $R / S$ at the frequencies of np.fft.fft. Fill the kernel (k,), k odd, with zeros to the row's
# length, and roll its middle to place 0, as with the eight pixels above.


# %% tags=["exercise"]
def wiener_gain(kernel, noise_to_signal):
    raise NotImplementedError("E12.3: return complex numbers, one a frequency")


# %%
check.e12_3(wiener_gain)


# %% tags=["solution"]
def wiener_gain(kernel, noise_to_signal):
    padded = np.zeros(len(noise_to_signal))
    padded[: len(kernel)] = kernel
    K = np.fft.fft(np.roll(padded, -(len(kernel) // 2)))
    return np.conj(K) / (np.abs(K) ** 2 + noise_to_signal)


check.e12_3(wiener_gain)

# %% [markdown]
# **Richardson-Lucy** (1972, 1974) goes step by step: multiply the estimate by the ratio of the picture to the blurred
# estimate, sent back to the pixels it came from, $x \leftarrow x \cdot B^\top (y / B x)$.
#
# A **network** begins where the filter ends (after Schuler and others, 2013): section 3's U-Net and loss. It sees
# Wiener's result and the blurred picture, and adds to the first what is missing. Each training patch draws one of
# many kernels:

# %%
sharp_batch = patches[[800, 2000, 3200, 4400]]
given_batch = ops.convert_to_numpy(BlursAndWiener(seed=4)(sharp_batch))  # Wiener's, then blurred
print("the network is given", given_batch.shape, "and is to find", sharp_batch.shape)
for sharp, both in zip(sharp_batch, given_batch, strict=True):
    soft_dB, filtered_dB = decibels(sharp, both[..., 3:]), decibels(sharp, both[..., :3])
    print(f"blurred {approx(soft_dB, 1)} dB, filtered {approx(filtered_dB, 1)} dB")

# %% [markdown]
# Where there was little detail to lose, as in the first patch, the filter does harm: so the network is given both. All
# three methods, with the true kernel:

# %%
tower = castle[90:250, 190:350]
deblurred = {}
for name in gains:
    test_of_blur = degrade.PROTOCOLS[name]
    soft = test_of_blur(tower, 0)
    versions = {method: restore(soft) for method, restore in classical.restorers(name).items()}
    pair = with_wiener(soft, test_of_blur.kernel, test_of_blur.sigma)  # (160, 160, 6)
    deblurred[name] = {"blurred": soft} | versions | {"network": by_network(sharpener, pair)}
    values = (
        f"{m} {approx(decibels(tower, picture), 2)}" for m, picture in deblurred[name].items()
    )
    print(f"{name:16}", "  ".join(values))

# %% tags=["hide-input"]
figure, axes = plt.subplots(3, 5, figsize=(11.5, 7.6))
for row, (name, answers) in zip(axes, deblurred.items(), strict=True):
    for one, (method, panel) in zip(row, (answers | {"as it was": tower}).items(), strict=True):
        figures.draw_image(one, panel[20:130, 20:130], method)
    row[0].set_ylabel(name.removeprefix("deblur_"))
    inset = row[0].inset_axes((0.02, 0.7, 0.28, 0.28))
    its_kernel = degrade.PROTOCOLS[name].kernel
    padded = np.pad(its_kernel, (25 - len(its_kernel)) // 2)  # all on one scale
    figures.draw_image(inset, padded, cmap="magma", vmax=None)
figures.show(
    figure,
    alt="Castle towers under three blurs, each blur's kernel in a corner; beside them the towers by Wiener, by"
    " Richardson-Lucy, by the network and as they were. The filters bring windows and edges back, with ripples beside"
    " strong edges; with the network the sky is smoother.",
)

# %% [markdown]
# On all test photographs, with three seeds of a short training:

# %%
shipped_rows = json.loads((paths.WEIGHTS / "deblur.json").read_text())["scores"]
short = json.loads((paths.BENCHMARKS / "12_restorers.json").read_text())["runs"]["deblur"]
print(f"recorded, dB on {len(test)} test photographs; short: {short['steps']} steps, three seeds")
for name, rows in shipped_rows.items():
    seeds = "  ".join(f"{run[name]['psnr']:.2f}" for run in short["seeds"].values())
    filter_row, network_row = rows["Wiener"], rows["network"]
    print(
        f"{name:16} Wiener {filter_row['psnr']:.2f}  short {seeds}  shipped {network_row['psnr']:.2f}"
    )
sharpened = scoring.score(sharpener, "deblur_motion", {first: test[first]}).psnr[0]
as_recorded = shipped_rows["deblur_motion"]["network"]["psnr_by_picture"][first]
print("the record holds for the first photograph:", abs(sharpened - as_recorded) < 0.02)

# %% [markdown]
# **Too many iterations** of Richardson-Lucy, on the bird:

# %%
disc = degrade.PROTOCOLS["deblur_defocus"].kernel
defocused = degrade.PROTOCOLS["deblur_defocus"](bird, 0)
without_noise = ops.convert_to_numpy(degrade.blur(bird[np.newaxis], disc, border="symmetric"))[0]
iterations = [1, 3, 10, 30, 60, 100, 300]
by_iterations = {
    name: [decibels(bird, deblurring.richardson_lucy(y, disc, iterations=n)) for n in iterations]
    for name, y in {"with noise": defocused, "without": without_noise}.items()
}
print("iterations ", *(f"{n:7}" for n in iterations))
for name, row in by_iterations.items():
    print(f"{name:11}", *(f"{approx(value, 2):>7}" for value in row))

# %% [markdown]
# **The wrong kernel**, on the castle. Guess: is too weak a kernel worse, or too strong?

# %%
soft_tower = deblurred["deblur_gaussian"]["blurred"]
assumed = [0.4, 0.8, 1.2, 1.4, 1.6, 1.8, 2.0, 2.4]  # sigma in pixels; 1.6 is true
wrong = [
    deblurring.wiener(soft_tower, degrade.gaussian_kernel(s, 25), balance=0.006) for s in assumed
]
by_kernel = [decibels(tower, picture) for picture in wrong]
sigma = degrade.PROTOCOLS["deblur_gaussian"].sigma
told_wrong = [
    by_network(sharpener, with_wiener(soft_tower, degrade.gaussian_kernel(s, 25), sigma))
    for s in assumed
]
network_by_kernel = [decibels(tower, picture) for picture in told_wrong]
print("sigma      ", *(f"{s:7}" for s in assumed))
print("Wiener     ", *(f"{approx(value, 2):>7}" for value in by_kernel))
print("network    ", *(f"{approx(value, 2):>7}" for value in network_by_kernel))

# %% tags=["hide-input"]
figure, axes = plt.subplots(1, 5, figsize=(12, 2.7), width_ratios=[1.5, 1.5, 1, 1, 1])
for (name, curve), line_style in zip(by_iterations.items(), ("o-", "s--"), strict=True):
    axes[0].plot(iterations, curve, line_style, label=name)
axes[0].legend(fontsize=8)
axes[0].set(xscale="log", xlabel="iterations", ylabel="PSNR, dB", title="Richardson-Lucy")
axes[1].plot(assumed, by_kernel, "o-", label="Wiener")
axes[1].plot(assumed, network_by_kernel, "s--", label="network")
axes[1].axhline(decibels(tower, soft_tower), color="black", linewidth=0.8, label="blurred")
axes[1].legend(fontsize=8, loc="lower left")
axes[1].set(xlabel="assumed sigma, pixels", title="the wrong kernel")
for one, index in zip(axes[2:], (2, 4, 7), strict=True):
    figures.draw_image(one, wrong[index][20:130, 20:130], f"sigma {assumed[index]}")
figures.show(
    figure,
    alt="PSNR over iterations rises, then falls with noise, and goes on rising without. PSNR over the assumed sigma rises"
    " slowly up to the true one and drops steeply beyond, below that of the blurred picture; the network's curve is steeper on both sides. Three crops by"
    " Wiener's filter: still soft, sharp, and full of rings.",
)

# %% [markdown]
# In the end Richardson-Lucy fits the noise. On the castle too strong a kernel is worse than too weak a one: edges get
# rings. The network suffers most: with too strong a one it falls below the filter it starts from.
#
# ## 6 · How does one fill a hole?
#
# Let the known pixels spread like **heat**: each hidden pixel becomes the mean of its four neighbours, again and
# again.


# %%
def spread(picture, mask, steps):
    """Heat that flows into the hole: (h, w, C) with a mask (h, w, 1), 1 where hidden."""
    for _ in range(steps):
        around = np.pad(picture, [(1, 1), (1, 1), (0, 0)], mode="edge")
        neighbours = around[:-2, 1:-1] + around[2:, 1:-1] + around[1:-1, :-2] + around[1:-1, 2:]
        picture = picture + mask * (neighbours / 4 - picture)
    return picture


# %%
torn = degrade.PROTOCOLS["inpaint_free_form"](bird, 0)
holed, mask = torn[..., :3], torn[..., 3:]
at_rest = inpainting.harmonic(holed, mask)
warm = {steps: spread(holed, mask, steps) for steps in (10, 100, 1000)}
for steps, picture in warm.items():
    print(
        f"{steps:5} steps: {approx(np.abs(picture - at_rest).max(), 4)} from where heat comes to rest"
    )

# %% [markdown]
# At rest each hidden pixel *is* the mean of its neighbours. That is one linear system, which can be solved at once: the
# **harmonic** filling. The **biharmonic** one is shaped like a bent thin plate: slopes go on into the hole.


# %%
def hidden_psnr(original, picture, mask):
    """PSNR over the hidden pixels alone, clipped to [0, 1]."""
    error = (picture.clip(0, 1) - original)[mask[..., 0] > 0]
    return -10 * np.log10(np.square(error).mean())


plate = inpainting.biharmonic(holed, mask)
for name, picture in {"grey": holed, "harmonic": at_rest, "biharmonic": plate}.items():
    in_hole = approx(hidden_psnr(bird, picture, mask), 2)
    print(f"{name:10} {approx(decibels(bird, picture), 2)} dB, in the hole alone {in_hole} dB")

# %% tags=["hide-input"]
figures.images(
    [holed, *list(warm.values())[:2], at_rest, plate, bird],
    ["holes", "10 steps", "100 steps", "at rest", "biharmonic", "as it was"],
    columns=6,
    size=2.05,
    alt="A bird's head crossed by grey strokes, which shrink after ten steps and have gone soft after a hundred. At"
    " rest the strokes are smooth patches. The biharmonic one carries lines on, and shoots out into a black spot.",
)

# %% [markdown]
# On strokes as wide as these the plate's slopes overshoot. And neither knows that a beam goes on behind a scratch. A
# **network** may learn that: section 3's U-Net and loss, with the mask as a fourth channel, trained on scratches. It
# starts from a smooth filling near heat's; known pixels are put back at the end.

# %%
filler = models.load("inpaint")


def fill_by_network(picture, mask, network=filler):
    """(h, w, 3) with a mask (h, w, 1) through the network, whose input has four channels."""
    four = np.concatenate([picture, mask], axis=-1)
    filled = network.predict_on_batch(four[np.newaxis])  # compiled: layer by layer it is slow
    return filled[0]


fills = {
    "harmonic": inpainting.harmonic,
    "biharmonic": inpainting.biharmonic,
    "network": fill_by_network,
}
towers = {}
for name in ("inpaint_rectangles", "inpaint_free_form", "inpaint_scratches"):
    torn_tower = degrade.PROTOCOLS[name](tower, 0)
    parts = torn_tower[..., :3], torn_tower[..., 3:]
    towers[name] = {"holes": parts[0]} | {method: fill(*parts) for method, fill in fills.items()}
    values = (f"{m} {approx(hidden_psnr(tower, towers[name][m], parts[1]), 2)}" for m in fills)
    print(f"{name:18} in the hole, dB:", *values)

# %% tags=["hide-input"]
figure, axes = plt.subplots(3, 5, figsize=(11.5, 7.6))
close = {"inpaint_scratches": (slice(64, 120), slice(20, 76))}
for row, (name, answers) in zip(axes, towers.items(), strict=True):
    part = close.get(name, (slice(20, 130), slice(20, 130)))
    for one, (method, panel) in zip(row, (answers | {"as it was": tower}).items(), strict=True):
        figures.draw_image(one, panel[part], method)
    nearer = ", nearer" if name in close else ""
    row[0].set_ylabel(name.removeprefix("inpaint_").replace("free_form", "strokes") + nearer)
figures.show(
    figure,
    alt="Castle towers with rectangles, thick strokes and thin scratches cut out, the last from nearer; beside them the holes"
    " filled by heat, by a plate and by the network, and the towers as they were. Wide holes become smooth grey patches, by"
    " the plate with black and white clouds in them. In the last row the three fillings can hardly be told apart.",
)

# %% [markdown]
# Recorded on all test photographs, with short trainings, over all pixels (known ones add 7 dB and change no gain):

# %%
fill_rows = json.loads((paths.WEIGHTS / "inpaint.json").read_text())["scores"]
short_fill = json.loads((paths.BENCHMARKS / "12_restorers.json").read_text())["runs"]["inpaint"]
for name, rows in fill_rows.items():
    by_photo = {m: np.array(list(rows[m]["psnr_by_picture"].values())) for m in fills}
    best = max(("harmonic", "biharmonic"), key=lambda m: by_photo[m].mean())
    ahead = by_photo["network"] - by_photo[best]
    short_gains = [
        f"{run[name]['psnr'] - rows[best]['psnr']:+.2f}" for run in short_fill["seeds"].values()
    ]
    print(
        f"{name:18} {best} {by_photo[best].mean():.2f} dB, network {ahead.mean():+.2f} ± "
        f"{ahead.std(ddof=1) / len(ahead) ** 0.5:.2f}, ahead on {np.sum(ahead > 0)} of {len(ahead)}; short:",
        *short_gains,
    )

# %% [markdown]
# On scratches the network is ahead, hardly to the eye, and by a tenth of that after a short training. In wide holes it
# gains next to nothing. It never learned from them; but even a perfect learner of the squared error, in decibels or not,
# would be **blurry** there: its best guess is the mean of all likely fillings.
#
# What does the size of a hole change? A square of growing side:


# %%
def square_hole(side):
    mask = np.zeros((160, 160, 1), np.float32)
    start = (160 - side) // 2
    mask[start : start + side, start : start + side] = 1
    return mask


# %%
sides = [2, 4, 8, 16, 32, 64]
by_side = {
    name: [
        [hidden_psnr(p, fill(p * (1 - m), m), m) for p in middles.values()]
        for m in map(square_hole, sides)
    ]
    for name, fill in fills.items()
}
print("side of the hole          ", *(f"{side:11}" for side in sides))
for name, rows in by_side.items():
    print(f"{name + ', dB':26}", *(f"{approx(np.mean(row), 1):>11}" for row in rows))
for name in ("biharmonic", "network"):
    leads = np.subtract(by_side[name], by_side["harmonic"])  # (sides, pictures)
    errors_of_leads = leads.std(axis=1, ddof=1) / leads.shape[1] ** 0.5
    pairs = zip(leads.mean(axis=1), errors_of_leads, strict=True)
    print(
        f"{name + ' over harmonic':26}",
        *(f"{approx(m, 1)} ± {approx(e, 1)}".rjust(11) for m, e in pairs),
    )

# %% tags=["hide-input"]
examples = [(middles["scarlet_macaw"], square_hole(side)) for side in (8, 32, 64)]
figure, axes = plt.subplots(1, 4, figsize=(12, 3), width_ratios=[1.5, 1, 1, 1])
for name, rows in by_side.items():
    axes[0].plot(sides, np.mean(rows, axis=1), "o-", label=name)
axes[0].set(
    xscale="log",
    xticks=sides,
    xticklabels=sides,
    xlabel="side of the hole, pixels",
    ylabel="PSNR inside, dB",
)
axes[0].minorticks_off()
axes[0].legend()
for one, (panel, hole) in zip(axes[1:], examples, strict=True):
    figures.draw_image(
        one, fill_by_network(panel * (1 - hole), hole), f"side {int(hole.sum() ** 0.5)}"
    )
figures.show(
    figure,
    alt="PSNR inside the hole falls with its side, for three methods alike. Three pictures of a parrot with a square filled by"
    " the network: the small one cannot be found, the middle one is a smooth patch, the large one a cloud of colour.",
)

# %% [markdown]
# All three get worse as it grows. In the smallest holes chance decides; from a side of 8 on the plate is behind, and
# from 16 on the network is slightly ahead of heat.
#
# **Another layer?** A convolution takes a hole's grey for a picture. A **gated convolution** (2019) learns how much
# each of its outputs counts; a **partial convolution** (2018) takes the known pixels alone and scales the sum up:
#
# $$\text{out} = \frac{\#\text{pixels of the window}}{\#\text{known}} \sum_{\text{known}} w\,x + b \quad\text{, and 0 where none is known}$$


# %%
def gated(x, width):
    """What is seen times gates between 0 and 1; x holds the mask as one of its channels."""
    features = layers.Conv2D(width, 3, padding="same", activation="relu")(x)
    gates = layers.Conv2D(width, 3, padding="same", activation="sigmoid")(x)
    return features * gates


# %%
holed_input = layers.Input((None, None, 4))
plain_layer = layers.Conv2D(16, 3, padding="same", activation="relu")(holed_input)
for name, output in {"plain": plain_layer, "gated": gated(holed_input, 16)}.items():
    print(f"{name} layer: {keras.Model(holed_input, output).count_params():,} weights")

# %% [markdown]
# Recorded: a small U-Net of each kind, trained on scratches for the same processor time, with three seeds. "Plain,
# smooth" sees holes filled smoothly, the others filled with grey. Guess the order.

# %%
tried = json.loads((paths.BENCHMARKS / "12_inpainters.json").read_text())
rival = tried["runs"]["plain, grey"]
print(f"{'in the hole, dB; gain over the first':36} scratches            strokes")
for name, entry in tried["runs"].items():
    row_of_layer = f"{name:13} {entry['settings']['steps']:15,} steps"
    for kind in ("inpaint_scratches", "inpaint_free_form"):
        own, first_one = ([run[kind] for run in each["seeds"].values()] for each in (entry, rival))
        lead = np.subtract(own, first_one)
        error = lead.std(ddof=1) / len(lead) ** 0.5
        row_of_layer += f"   {np.mean(own):.2f} ({lead.mean():+.2f} ± {error:.2f})"
    print(row_of_layer)
heat = tried["harmonic"]
print(
    f"{'heat':35}   {heat['inpaint_scratches']:.2f}                 {heat['inpaint_free_form']:.2f}"
)

# %% [markdown]
# In scratches partial convolutions gain nearly a decibel; gated ones, in fewer steps, lose half of one. In
# strokes, which none learned from, the partial ones fail; why was not tried. The smooth start is worth more than
# either, but has not left heat's level yet.
#
# **Another loss?** Recorded, one training each: the shipped network learns on for 400 steps on strokes, by squared
# error alone or with lesson 11's **perceptual term** (of VGG's maps): which fills a wall of stone better?

# %%
losses = json.loads((paths.BENCHMARKS / "12_losses.json").read_text())
one_each = {"as shipped": losses["before"]}
one_each |= {name: entry["seeds"]["0"] for name, entry in losses["runs"].items()}
for name, row in one_each.items():
    seen_as = (
        f"LPIPS-like {row['lpips_like']:.2f}, {row['steepness']:.2f} of the original's steepness"
    )
    longer = row.get("processor_seconds", 0)
    print(f"{name:13} {longer:3.0f} s more, {row['psnr_in_hole']:.2f} dB in the hole, {seen_as}")

# %% tags=["hide-input"]
photograph = validation["petra"]
top, left = ((length - 160) // 2 for length in photograph.shape[:2])
middle = slice(top, top + 160), slice(left, left + 160)
strokes = degrade.PROTOCOLS["inpaint_free_form"](photograph, list(validation).index("petra"))
wall = data.load_image(paths.BENCHMARKS / "12_losses.png")  # a loss a column
walls = [strokes[middle][..., :3], *np.split(wall, 2, axis=1), photograph[middle]]
figures.images(
    [panel[48:148, 60:] for panel in walls],
    ["holes", *losses["runs"], "as it was"],
    columns=4,
    size=3,
    alt="A stone wall with a wide grey stroke; filled by the network that learned by squared error it is a smooth cloud;"
    " with the perceptual term a cloud under a lattice of fine lines, with a red fringe; and as it was, with a window"
    " and a ledge.",
)

# %% [markdown]
# With the term the fillings are steeper (lesson 11: larger steps between neighbouring pixels), but 0.2 dB worse, and
# show a lattice, not stone. By the LPIPS-like distance they are nearer, which says little: it is made of VGG's maps,
# from which this network learned.
#
# ### E12.4 ★★ A loss for holes
# Write `hidden_error(clean, filled, mask)`: for each picture of a batch (n, h, w, C) the mean squared error over
# its hidden values alone, (n,); masks are (n, h, w, 1), 1 where hidden. A picture without a hole has the error 0.


# %% tags=["exercise"]
def hidden_error(clean, filled, mask):
    raise NotImplementedError("E12.4: return one number a picture")


# %%
check.e12_4(hidden_error)


# %% tags=["solution"]
def hidden_error(clean, filled, mask):
    total = np.sum(np.square(clean - filled) * mask, axis=(1, 2, 3))
    count = np.sum(mask, axis=(1, 2, 3)) * clean.shape[-1]
    return total / np.maximum(count, 1)


check.e12_4(hidden_error)

# %% [markdown]
# ### E12.5 ★★★ A partial convolution
# Write `partial_sum(window, known, kernel, bias)`, one output value of the formula above (0, without the bias, where
# nothing is known). `window` and `kernel` are (k, k, C); `known` is (k, k), 1 where known. What stands in a hole may
# be anything, NaN as well.


# %% tags=["exercise"]
def partial_sum(window, known, kernel, bias):
    raise NotImplementedError("E12.5: return one number")


# %%
check.e12_5(partial_sum)


# %% tags=["solution"]
def partial_sum(window, known, kernel, bias):
    inside = known > 0
    if not inside.any():
        return 0.0
    return (window[inside] * kernel[inside]).sum() * known.size / inside.sum() + bias


check.e12_5(partial_sum)

# %% [markdown]
# ## 7 · Who wins, and by how much?
#
# Every restorer under each fixed test, on the middles of every second test photograph. Filters are told the noise,
# kernel or mask. Of the networks, the deblurrer is told kernel and noise, the filler the mask, the denoisers nothing.
# Holes count with their known pixels here.

# %%
whole = [name for name in degrade.PROTOCOLS if name.startswith(("denoise", "deblur", "inpaint"))]
test_middles = {}
for name, picture in test.items():
    top, left = (picture.shape[0] - 160) // 2, (picture.shape[1] - 160) // 2
    test_middles[name] = picture[top : top + 160, left : left + 160]
every_second = dict(list(test_middles.items())[::2])
networks_for = {
    "denoise": {"this lesson's": model, "shipped": shipped},
    "deblur": {"network": sharpener},
    "inpaint": {"network": filler},
}

# %%
whole_table = {}
for name in whole:
    whole_table[name] = scoring.score_all(networks_for[name.partition("_")[0]], name, every_second)
print(len(every_second), "pictures")
for name, rows in whole_table.items():
    print(name)
    for restorer, row in rows.items():
        print(
            f"    {restorer:16} {approx(row.psnr.mean(), 2)} dB  SSIM {approx(row.ssim.mean(), 3)}"
        )

# %%
for name in towers:
    rows = whole_table[name]
    best = max(("harmonic", "biharmonic"), key=lambda m: rows[m].psnr.mean())
    ahead = rows["network"].psnr - rows[best].psnr
    error = approx(ahead.std(ddof=1) / len(ahead) ** 0.5, 2)
    print(f"{name:18} network over {best}: {approx(ahead.mean(), 2)} ± {error} dB")

# %% tags=["hide-input"]
figure, axes = plt.subplots(1, 3, figsize=(12, 3.8), sharey=True, width_ratios=[1.3, 1, 0.9])
for one, task in zip(axes, ("denoise", "deblur", "inpaint"), strict=True):
    tests = {name: rows for name, rows in whole_table.items() if name.startswith(task)}
    ticks = [name.removeprefix(f"{task}_").replace("free_form", "strokes") for name in tests]
    if task == "denoise":
        ticks = [int(sigma) for sigma in ticks]
    for restorer in list(next(iter(tests.values())))[1:]:
        gained = [
            (rows[restorer].psnr - rows["as degraded"].psnr).mean() for rows in tests.values()
        ]
        mark = "s" if restorer in networks_for[task] else "o"
        line_style = "-" if task == "denoise" else "none"
        filling = "none" if mark == "s" else "full"  # hollow, so that what lies below is seen
        one.plot(ticks, gained, mark, linestyle=line_style, fillstyle=filling, label=restorer)
    one.set(title=task)
    one.margins(x=0.15)
    one.legend(fontsize=8)
axes[0].set(ylabel="mean gain in PSNR, dB", xlabel="sigma")
figures.show(
    figure,
    alt="Gain in PSNR over the degraded picture, a colour a restorer. Against noise it grows with sigma; the shipped network"
    " is highest, then this lesson's and wavelets and non-local means close together, then Gaussian, mean and median."
    " In deblurring the network lies above Wiener's filter and that above Richardson-Lucy. In inpainting the network is"
    " highest on scratches and just above harmonic filling elsewhere, biharmonic filling lowest on wide holes.",
)

# %% [markdown]
# This lesson's denoiser is ahead of the wavelets by a quarter to half a decibel, the shipped one by nearly two, the
# deblurrer of Wiener by 0.8 to 1.4. On scratches, here half as wide as in whole photographs, the network is hardly
# ahead of the plate.
#
# ## 8 · Can one network do it all?
#
# Real pictures are blurred *and* noisy *and* compressed. The shipped `restore` learned from chains of the three, told
# nothing. Beside it the specialist: deblurrer, told the kernel, or denoiser.

# %%
one_for_all = models.load("restore")
for name in ("denoise_25", "deblur_gaussian", "deblur_motion", "deblur_defocus", "blind"):
    if name == "blind":
        rows = scoring.score_all({"shipped": shipped}, name, every_second)
    else:
        rows = whole_table[name]
    specialist = rows["network" if name.startswith("deblur") else "shipped"]
    dB = rows["as degraded"], specialist, scoring.score(one_for_all, name, every_second)
    before, told, untold = (approx(scores.psnr.mean(), 2) for scores in dB)
    ahead = dB[2].psnr - dB[1].psnr
    error = approx(ahead.std(ddof=1) / len(ahead) ** 0.5, 2)
    print(f"{name:16} as degraded {before}  specialist {told}  one for all {untold}", end="  ")
    print(f"({approx(ahead.mean(), 2)} ± {error})")
print(degrade.PROTOCOLS["blind"].description)
for name in ("denoise", "deblur", "restore"):
    record = json.loads((paths.WEIGHTS / f"{name}.json").read_text())
    steps_taken = record["steps"] + record.get("larger_patches", {"steps": 0})["steps"]
    print(f"{name}: trained for {steps_taken:,} steps")

# %% [markdown]
# And what does `restore` make of a JPEG file of quality 10? It learned from qualities of 30 to 90.

# %%
blocky = degrade.jpeg(panda, 10)
answers = {"the file": blocky, "denoiser": by_network(shipped, blocky)}
answers["one for all"] = by_network(one_for_all, blocky)
for name, picture in answers.items():
    print(f"{name:12} {approx(decibels(panda, picture), 2)} dB")

# %% tags=["hide-input"]
crop = slice(110, 238), slice(240, 368)
figures.images(
    [panel[crop] for panel in (answers | {"as it was": panda}).values()],
    [*answers, "as it was"],
    columns=4,
    size=2.9,
    alt="A panda's face in square blocks with purple specks at its eyes; with the denoiser much the same; with the one"
    " network most blocks are gone, some purple stays and the fur is a smooth wash; and as it was, each hair to be seen.",
)

# %% [markdown]
# The specialist wins where just its accident happened: the denoiser, of the same size, in more steps, and the
# deblurrer, told the kernel. On the chain, which the denoiser never learned, the one network is ahead; against
# motion it hardly gains. From the JPEG it takes most blocks, and hairs: to the eye smoother, in decibels no gain.
# There the denoiser gains a little, to the eye nothing.
#
# ## 9 · How do I restore a picture of my own?
#
# Put a file's name into the next cell, for `restore`; the example goes to the denoiser. Large pictures go through in
# **tiles** (lesson 11).

# %%
MY_PICTURE = None  # for instance "night.jpg"
hedgehog = data.photograph("hedgehog")[60:300, 60:420]
my_picture = (
    data.load_image(MY_PICTURE) if MY_PICTURE else degrade.PROTOCOLS["denoise_25"](hedgehog, 0)
)
my_restorer = one_for_all if MY_PICTURE else shipped
cleaned = tiling.restore_tiled(
    my_restorer, my_picture, tile=320, overlap=96, multiple=8, progress=False
)
print(my_picture.shape, "restored")
if not MY_PICTURE:
    apart = np.abs(cleaned - by_network(my_restorer, my_picture)).max()
    print("in tiles as in one piece:", apart < 1e-4)
before_after.slider(my_picture, cleaned)

# %% tags=["hide-input"]
figures.images(
    [before_after.split(my_picture, cleaned, 0.5)],
    ["before | after"],
    size=5,
    alt="A hedgehog in grass: left of a white line under coloured noise, right of it clean, with spines and blades"
    " still sharp.",
)

# %% [markdown]
# ## Clinic
#
# **In the first report**, a denoiser that works in its training script gains nothing here. What does the picture of
# its error tell you?

# %% tags=["clinic"]
once = by_network(shipped, noisy_panda)
predicted_noise = noisy_panda - once
result = once - predicted_noise
for name, picture in {"noisy": noisy_panda, "result": result}.items():
    print(f"{name} {approx(decibels(panda, picture), 2)} dB")

# %% tags=["clinic", "hide-input"]
clinic_panels = {"the noise": noisy_panda - panda, "error of the result": result - panda}
figure, axes = plt.subplots(1, 2, figsize=(6.6, 3))
for one, (title, panel) in zip(axes, clinic_panels.items(), strict=True):
    specks = panel[320:340, 432:452, 1]
    figures.draw_image(one, specks, title, cmap=figures.DIVERGING, vmin=-0.2, vmax=0.2)
figure.colorbar(axes[1].images[0], ax=axes, label="green channel", extend="both")
figures.show(
    figure,
    alt="Two squares of red and blue specks, green channel. What is red in the first is blue in the second, as strong, and"
    " the other way round.",
)

# %% tags=["clinic"]
two_errors = [(picture - panda).ravel() for picture in (noisy_panda, result)]
print("correlation of the two, whole:", approx(np.corrcoef(two_errors)[0, 1], 2))

# %% [markdown]
# The error is the noise upside down: **the residual was added twice.** Repair: add it in one place.
#
# **In the second**, somebody fills holes and reports these. Which method is better?

# %% tags=["clinic"]
reports = {}
for name, share, fill in (("A", 0.02, inpainting.harmonic), ("B", 0.3, inpainting.biharmonic)):
    hole = degrade.rectangle_mask(160, 160, share, seed=3)
    pairs = [(p, fill(p * (1 - hole), hole)) for p in middles.values()]
    reports[name] = (
        np.mean([decibels(*pair) for pair in pairs]),
        np.mean([hidden_psnr(*pair, hole) for pair in pairs]),
    )
    print(
        f"method {name}: {approx(reports[name][0], 1)} dB, over the hidden pixels {approx(reports[name][1], 1)} dB"
    )

# %% [markdown]
# Nobody can say: the holes differ. And the first number counts the exact **known pixels** too: $-10 \log_{10}$ of the
# hidden share is given for nothing. Measure hidden pixels alone, on the same holes.
#
# **In the third**, somebody trains the shipped network further on clipped noise. Should it ship?


# %% tags=["clinic"]
class ClippedNoise(layers.Layer):
    """The noise of another layer, clipped to [0, 1]."""

    def __init__(self, noise):
        super().__init__()
        self.noise = noise

    def call(self, images):
        return ops.clip(self.noise(images), 0, 1)


# %% tags=["clinic"]
twins = {"as before": models.load("denoise"), "clipped": models.load("denoise")}
noise_of_training = twins["clipped"].degradation  # a layer that adds noise to clean patches
twins["clipped"].degradation = ClippedNoise(noise_of_training)
for twin in twins.values():
    fading = keras.optimizers.schedules.CosineDecay(0.001, 240)  # the learning rate, over 240 steps
    twin.compile(keras.optimizers.Adam(fading), loss=minus_psnr, jit_compile=False)
    training.fit(twin, patches[:960], epochs=1, batch_size=4, seed=1, progress=False)

# %% tags=["clinic"]
for way in ("Gaussian", "Gaussian, clipped"):
    trials = [(p, noisy_ways(p, seed)[way]) for seed, p in enumerate(middles.values())]
    reached = [[decibels(p, by_network(twin, y)) for p, y in trials] for twin in twins.values()]
    gain = np.subtract(reached[1], reached[0])
    error = gain.std(ddof=1) / len(gain) ** 0.5
    print(f"tested on {way:18} clipping gains {approx(gain.mean(), 2)} ± {approx(error, 2)} dB")

# %% [markdown]
# Not for our tests: on their noise it loses a little, where it learned it gains. Train on the noise that will come.
#
# **In the fourth**, each 8 × 8 square of a noisy picture is replaced by the one most like it among tens of thousands
# from the web. That beats the network. Do you believe it?


# %% tags=["clinic"]
def in_squares(pictures):
    """(n, h, w, 3) to squares of 8 x 8 pixels as rows: (n h w / 64, 192)."""
    n, h, w, _ = pictures.shape
    return pictures.reshape(n, h // 8, 8, w // 8, 8, 3).swapaxes(2, 3).reshape(-1, 192)


def looked_up(picture, known):
    """The nearest of the known squares for each of a picture (160, 160, 3)."""
    seen_squares = in_squares(picture[np.newaxis])
    distance = np.square(known).sum(axis=1) - 2 * seen_squares @ known.T
    found_squares = known[distance.argmin(axis=1)]
    return found_squares.reshape(20, 20, 8, 8, 3).swapaxes(1, 2).reshape(160, 160, 3)


# %% tags=["clinic"]
six = list(test_middles)[16:22]
web = [degrade.jpeg(test_middles[name], 90) for name in six[1::2]]
known_squares = np.concatenate([in_squares(patches[::20]), in_squares(np.stack(web))])
by_picture = {}
for name in six:
    original, noisy = test_middles[name], degrade.PROTOCOLS["denoise_25"](test_middles[name], 0)
    answers = looked_up(noisy, known_squares), by_network(shipped, noisy)
    by_picture[name] = [decibels(original, answer) for answer in answers]
means = np.mean(list(by_picture.values()), axis=0)
print(
    f"{len(known_squares):,} squares: looked up {approx(means[0], 1)} dB, by the network {approx(means[1], 1)} dB"
)

# %% [markdown]
# On average. And one by one?

# %% tags=["clinic"]
for name, (by_look_up, by_shipped) in by_picture.items():
    print(
        f"{name:18} looked up {approx(by_look_up, 1)} dB, by the network {approx(by_shipped, 1)} dB"
    )

# %% [markdown]
# Three **test photographs leaked into training**, as JPEG copies. Split by photograph, not by file, and look for
# doubles.
#
# ## Summary
#
# - A restorer adds what it knows of photographs.
# - A blind residual network can beat wavelets and, recorded, in grey, BM3D, which are told sigma.
# - A target may be noisy where its noise is zero on average; clipped noise is not.
# - The inverse of a blur divides by what is nearly zero; Wiener weighs noise against picture.
# - Near known pixels holes are filled best; our network beat heat clearly on scratches alone.
#
# ## Glossary
#
# | English | 中文 | in one sentence |
# |---|---|---|
# | restoration: denoising, deblurring, inpainting | 图像复原：去噪、去模糊、图像修复 | undoes noise, blur, holes |
# | Poisson noise | 泊松噪声 | what counting photons leaves to chance |
# | wavelet shrinkage | 小波收缩 | sets small differences to zero |
# | non-local means | 非局部均值 | the mean of pixels with like surroundings |
# | blind | 盲 | not told the noise or the kernel |
# | U-Net | U 形网络 | down in size and up again, with short cuts |
# | blur kernel, point spread function | 模糊核、点扩散函数 | what becomes of a point |
# | inverse, Wiener filter | 逆滤波、维纳滤波 | divides by the kernel's spectrum; weighs the noise too |
# | mask | 掩膜 | says which pixels are missing |
# | harmonic, biharmonic | 调和、双调和 | at rest as heat, as a bent plate |
# | partial, gated convolution | 部分卷积、门控卷积 | takes the known pixels alone; learns what counts |
#
# ## What to read next
#
# - David Donoho and Iain Johnstone, *Ideal spatial adaptation by wavelet shrinkage*, 1994.
# - Antoni Buades and others, *A non-local algorithm for image denoising*, 2005.
# - Kostadin Dabov and others, *Image denoising by sparse 3-D transform-domain collaborative filtering*, 2007: BM3D.
# - Olaf Ronneberger and others, *U-Net*, 2015; Christian Schuler and others, *A machine learning approach for
#   non-blind image deconvolution*, 2013.
# - Kai Zhang and others, *Beyond a Gaussian denoiser*, 2017: DnCNN; *FFDNet*, 2018.
# - Jaakko Lehtinen and others, *Noise2Noise*, 2018.
# - Guilin Liu and others, *Image inpainting for irregular holes using partial convolutions*, 2018; Jiahui Yu and
#   others, *Free-form image inpainting with gated convolution*, 2019.
#
# ## The large version
#
# `TRAIN_FULL = True` takes the steps of the shipped network before its larger patches (those are
# `benchmarks/12_larger_patches.py`), and goes on where it was stopped. In mixed precision: `python course.py train
# denoise --profile full --mixed-precision`, in a terminal.

# %%
TRAIN_FULL = False
print("full profile on this machine:", approx(recipe.minutes(recipe.FULL), 0), "minutes")

# %%
if TRAIN_FULL:
    recipe.train(recipe.model(recipe.FULL), recipe.FULL, resume="lesson_12_full")
