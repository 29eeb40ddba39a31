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
# # 14 · Style transfer
#
# **Can a photograph be painted again in the manner of another picture?**
#
# Compare the maps of a trained network place by place, and you compare **content**: what is where. Compare them summed
# over all places, and you compare **style**: how it is painted.
#
# - **You will be able to** show what each layer of a network keeps, make textures from Gram matrices, paint a
#   photograph in the style of another picture, by optimisation or in one pass, and measure what came out.
# - **You need** [lesson 02](02_convolution.ipynb) (convolution), [lesson 03](03_pooling.ipynb) (receptive fields),
#   [lesson 04](04_learning.ipynb) (gradients, Adam), [lesson 05](05_cnn_classifier.ipynb) (residual blocks).
# - **Time**: about two hours; all cells run in some minutes.

# %%
import json
import time

import keras
import matplotlib.pyplot as plt
import numpy as np
import scipy.optimize
import tensorflow as tf
from keras import layers, ops
from skimage.color import rgb2ycbcr, ycbcr2rgb
from skimage.exposure import match_histograms
from skimage.transform import resize

from course_utils import data, figures, models, paths, profiles, recipes, training
from course_utils.checks import lesson_14 as check
from course_utils.models import adain as style_codes
from course_utils.models import vgg
from course_utils.report import approx, measured


# %%
def of_side(picture, side):
    """The whole picture, its longer side brought to `side` pixels."""
    scale = side / max(picture.shape[:2])
    height, width = (max(16, round(scale * length)) for length in picture.shape[:2])
    return resize(picture, (height, width), anti_aliasing=True).astype("float32")


# %%
panda = data.photograph("red_panda")
road = data.painting("painter_on_the_road")
painting = of_side(road, 192)
recorded = data.load_image(paths.BENCHMARKS / "14_opening.png")
print("photograph", panda.shape, "painting", painting.shape, "recorded result", recorded.shape)

# %% tags=["hide-input"]
figure, axes = plt.subplots(1, 3, figsize=(11, 2.6), width_ratios=[1.78, 0.88, 1.78])
for one, shown, name in zip(
    axes, [panda, road, recorded], ["photograph", "painting", "photograph, painted"], strict=True
):
    figures.draw_image(one, shown, name)
figures.show(
    figure,
    alt="A red panda on a branch; Van Gogh's painter on the road to Tarascon, in thick strokes of orange, yellow and"
    " green; the panda again, made of such strokes and colours.",
)

# %% [markdown]
# The right picture is a recorded run of this lesson's own functions with more pixels and steps,
# `benchmarks/14_opening.py`. No network was trained for it: its pixels were.
#
# ## 1 · How do we train a picture?
#
# Our eyes are **VGG16** (2014), thirteen convolutions in five blocks, trained to name photographs; ours ends in the
# fourth block and was trained further to find edges. `conv3_2` is the second convolution of block 3. The network's
# weights stay fixed. What learns is one picture: a model whose only weights are its pixels, kept in [0, 1].


# %%
class TrainableImage(keras.Model):
    """One picture (h, w, 3) as the weights; loss_of: from (1, h, w, 3) to a number."""

    def __init__(self, start, loss_of):
        super().__init__()
        options = {"constraint": lambda pixels: ops.clip(pixels, 0, 1), "name": "pixels"}
        self.pixels = self.add_weight(shape=(1, *start.shape), **options)
        self.pixels.assign(start[np.newaxis])
        self.loss_of, self.built = loss_of, True

    def call(self, step):
        return self.pixels

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        return self.loss_of(self.pixels)


# %%
def optimise(start, loss_of, steps, rate=0.03):
    """The picture after so many steps of Adam."""
    image = TrainableImage(start, loss_of)
    image.compile(keras.optimizers.Adam(rate, beta_2=0.99), jit_compile=False)
    nothing = np.zeros((steps, 1), np.float32)  # one step for each row
    training.fit(image, nothing, epochs=1, batch_size=1, progress=False)
    return ops.convert_to_numpy(image.pixels)[0]


# %% [markdown]
# ## 2 · What does a layer keep?
#
# Let $F$ be the maps of a picture in one layer and $P$ those of the photograph. Their **content distance** is
#
# $$d_\text{content} = \frac{\text{mean}\,(F - P)^2}{\text{mean}\,P^2} \qquad F, P: (h, w, C)$$
#
# We start from grey noise and ask for the photograph's maps in one layer. Where the maps do not say, noise would stay;
# so a second term asks for little **total variation**, the mean absolute difference of neighbouring pixels, down and
# across. What the result lacks, the layer may still hold: our steps are few. For comparison: the same network with
# random weights. Guess what comes back.


# %%
def variation(image):
    down = ops.mean(ops.abs(image[:, 1:] - image[:, :-1]))
    return down + ops.mean(ops.abs(image[:, :, 1:] - image[:, :, :-1]))


def content_distance(maps, wanted):
    return ops.mean((maps - wanted) ** 2) / ops.mean(wanted**2)


def content_loss(eyes, layer, wanted_picture):
    wanted = eyes(wanted_picture[np.newaxis])[layer]
    return lambda image: content_distance(eyes(image)[layer], wanted) + variation(image)


def noise_like(picture, seed=0):
    noise = np.random.default_rng(seed).normal(0.5, 0.1, picture.shape)
    return noise.clip(0, 1).astype("float32")


# %%
tiny = of_side(panda, 96)
rebuilt = {}
for weights in ("shipped", "random"):
    for layer in ("conv1_2", "conv2_2", "conv3_3", "conv4_3"):
        loss_of = content_loss(vgg.features((layer,), weights=weights), layer, tiny)
        rebuilt[weights, layer] = optimise(noise_like(tiny), loss_of, steps=70, rate=0.05)


# %%
def error_of(picture, wanted):
    return approx(np.sqrt(np.mean((picture - wanted) ** 2)), 2)


for (weights, layer), picture in rebuilt.items():
    print(f"{weights:8} {layer}: pixels are off by", error_of(picture, tiny))
loss_of = content_loss(vgg.features(("conv2_2",)), "conv2_2", tiny)
longer = optimise(noise_like(tiny), loss_of, steps=250, rate=0.05)
print("shipped  conv2_2 after 250 steps in place of 70:", error_of(longer, tiny))

# %% tags=["hide-input"]
figures.images(
    list(rebuilt.values()),
    [f"{weights}, {layer}" for weights, layer in rebuilt],
    columns=4,
    size=2.8,
    alt="The panda rebuilt eight times. The shipped network above: whole from the first layer, from the second with its"
    " colours astray, from the deeper two as outlines in false colours. Random weights below: whole from the first two"
    " layers, half lost in specks from the third, specks alone from the fourth.",
)

# %% [markdown]
# The trained network (`shipped`) gives back outlines to its deepest layer, and colours from the first alone; for the
# second, more than three times the steps hardly change that. From random weights the whole picture comes back from the
# first two layers: being rebuilt does not mean having been understood. We take `conv3_3` for content: outlines came
# back from it, colours did not.
#
# ### E14.1 ★★ How far does it see?
# Write `content_layer(pixels)`: the name of VGG16's first convolution whose outputs see at least so many pixels of the
# picture along one side (its **receptive field**, lesson 03). Blocks have 2, 2, 3, 3 and 3 convolutions of 3 × 3 at
# stride 1; a pooling of 2 × 2 at stride 2 stands between blocks. `conv1_1` sees 3, `conv1_2` 5. If none sees so
# many, return `"none"`.


# %% tags=["exercise"]
def content_layer(pixels):
    raise NotImplementedError("E14.1: return a name such as 'conv3_3'")


# %%
check.e14_1(content_layer)


# %% tags=["solution"]
def content_layer(pixels):
    field, jump = 1, 1
    for block, count in enumerate((2, 2, 3, 3, 3), start=1):
        if block > 1:
            field, jump = field + jump, 2 * jump
        for number in range(1, count + 1):
            field += 2 * jump
            if field >= pixels:
                return f"conv{block}_{number}"
    return "none"


check.e14_1(content_layer)

# %% [markdown]
# ## 3 · What is a style, in numbers?
#
# Style should not care *where* a stroke is. Take the maps of a layer as rows, one for each place, and ask how strong
# each two channels are together. That is the **Gram matrix**:
#
# $$G_{ab} = \frac{1}{h w} \sum_{\text{places } p} F_{pa} F_{pb} \qquad F: (h w, C) \quad G: (C, C)$$
#
# The sum runs over all places, so their order cannot matter; the division makes sizes comparable.


# %%
def gram(maps):
    """From (1, h, w, C) to (C, C)."""
    rows = ops.reshape(maps, (-1, maps.shape[-1]))
    return ops.matmul(ops.transpose(rows), rows) / rows.shape[0]


# %%
CONTENT_LAYER = "conv3_3"
STYLE_LAYERS = ("conv1_1", "conv2_1", "conv3_1", "conv4_1")
eyes = vgg.features((CONTENT_LAYER, *STYLE_LAYERS), pooling="average")
maps = ops.convert_to_numpy(eyes(painting[np.newaxis])["conv3_1"])
places = maps.reshape(-1, maps.shape[-1])
shuffled = np.random.default_rng(0).permutation(places).reshape(maps.shape)
print("maps", maps.shape, "Gram matrix", gram(maps).shape)
print("shuffled places, same Gram matrix:", np.allclose(gram(maps), gram(shuffled), rtol=1e-3))
moved = float(content_distance(shuffled, maps))
print(f"content distance of the shuffled maps: {approx(moved, 2)}")

# %% [markdown]
# Shuffled maps keep the style, not the content. These `eyes` pool by means, not by maxima as before: the gradient
# reaches all four pixels.
#
# ### E14.2 ★ The Gram matrix
# Write `gram_matrix(maps)` in NumPy: (h, w, C) → (C, C), divided by the number of places.


# %% tags=["exercise"]
def gram_matrix(maps):
    raise NotImplementedError("E14.2: return an array (C, C)")


# %%
check.e14_2(gram_matrix)


# %% tags=["solution"]
def gram_matrix(maps):
    rows = np.asarray(maps).reshape(-1, maps.shape[-1])
    return rows.T @ rows / len(rows)


check.e14_2(gram_matrix)

# %% [markdown]
# ### E14.3 ★★★ Its gradient
# A loss $L$ depends on $G$ alone, with $g_{ab} = \partial L / \partial G_{ab}$, which need not be symmetric. Write
# `gram_gradient(maps, g)`: $\partial L / \partial F$ of shape (h, w, C). One entry of $F$ stands in a row *and* in a
# column of $G$.


# %% tags=["exercise"]
def gram_gradient(maps, g):
    raise NotImplementedError("E14.3: return an array like maps")


# %%
check.e14_3(gram_gradient)


# %% tags=["solution"]
def gram_gradient(maps, g):
    height, width, _ = maps.shape
    return maps @ (g + g.T) / (height * width)


check.e14_3(gram_gradient)

# %% [markdown]
# The **style distance** compares the Gram matrices $G$ of a picture with those of the style, $A$, layer by layer:
#
# $$d_\text{style} = \text{mean over layers of } \frac{\sum_{ab} (G_{ab} - A_{ab})^2}{\sum_{ab} A_{ab}^2}$$
#
# Asked for alone, from noise, with a little total variation, it gives a **texture** (*texture synthesis*).


# %%
def style_distance(maps, wanted):
    """maps: {layer: (1, h, w, C)}; wanted: {layer: Gram matrix}."""
    parts = [ops.sum((gram(maps[name]) - a) ** 2) / ops.sum(a**2) for name, a in wanted.items()]
    return sum(parts) / len(parts)


def grams(eyes, picture, names):
    maps = eyes(picture[np.newaxis])
    return {name: gram(maps[name]) for name in names}


def texture_loss(eyes, picture, names):
    wanted = grams(eyes, picture, names)
    return lambda image: style_distance(eyes(image), wanted) + 0.1 * variation(image)


# %%
bricks = of_side(data.photograph("brick"), 192)
textures = {}
for name, picture in {"road": painting, "brick": bricks}.items():
    for count in (1, 2, 4):
        loss_of = texture_loss(eyes, picture, STYLE_LAYERS[:count])
        start = noise_like(np.zeros((128, 128, 3)))
        textures[name, count] = optimise(start, loss_of, steps=80, rate=0.05)
print(len(textures), "textures of", textures["brick", 4].shape)

# %% tags=["hide-input"]
figures.images(
    [painting[40:168, 30:158], *list(textures.values())[:3]]
    + [bricks[32:160, 32:160], *list(textures.values())[3:]],
    [
        "part of the painting",
        "1 layer",
        "2 layers",
        "4 layers",
        "part of the photograph",
        "1 layer",
        "2 layers",
        "4 layers",
    ],
    columns=4,
    size=2.5,
    alt="Above part of the painting and three textures from it: coloured grain, patches, and with four layers strokes and"
    " bands of colour, without a painter. Below part of a brick wall and three textures: grain, short bars, and with four"
    " layers crooked bricks in false colours with mortar between them.",
)

# %% [markdown]
# One layer gives the colours as fine grain; with more layers, whose deepest sees further, the marks grow. With four the
# wall has bricks and the painting strokes; where they lay is gone. The grey wall got false colours.
#
# ## 4 · How do content and style come together?
#
# Gatys, Ecker and Bethge (2016) ask for both. We start from the photograph and add total variation
# $d_\text{variation}$; the weights $\alpha$ and $\tau$ are ours to choose.
#
# $$L = \alpha\, d_\text{content} + d_\text{style} + \tau\, d_\text{variation}$$


# %%
def transfer_loss(eyes, photo, painting, names, alpha=0.5, tau=0.5):
    content = eyes(photo[np.newaxis])[CONTENT_LAYER]
    style = grams(eyes, painting, names)

    def loss_of(image):
        maps = eyes(image)
        like_photo = content_distance(maps[CONTENT_LAYER], content)
        return alpha * like_photo + style_distance(maps, style) + tau * variation(image)

    return loss_of


# %% [markdown]
# ### E14.4 ★ Total variation
# Write `total_variation(picture)` in NumPy for (h, w, C): the mean absolute difference of neighbours down the
# columns plus that along the rows.


# %% tags=["exercise"]
def total_variation(picture):
    raise NotImplementedError("E14.4: return one number")


# %%
check.e14_4(total_variation)


# %% tags=["solution"]
def total_variation(picture):
    return sum(np.abs(np.diff(picture, axis=axis)).mean() for axis in (0, 1))


check.e14_4(total_variation)

# %% [markdown]
# What do $\alpha$ and the number of style layers change? Guess before you run.

# %%
grid = {}
for count in (2, 4):
    for alpha in (0.05, 0.5, 5.0):
        loss_of = transfer_loss(eyes, tiny, painting, STYLE_LAYERS[:count], alpha)
        grid[count, alpha] = optimise(tiny, loss_of, steps=50)
print(len(grid), "pictures")

# %% tags=["hide-input"]
figures.images(
    list(grid.values()),
    [f"{count} style layers, α = {alpha}" for count, alpha in grid],
    columns=3,
    size=3.4,
    alt="The panda six times in patches of the painting's colours, with four style layers somewhat longer ones;"
    " from left to right the panda becomes clearer.",
)

# %% [markdown]
# To the right the panda wins, to the left flat patches in the painting's colours. Two layers or four: at this size the
# difference is small.
#
# **Coarse to fine.** A layer sees only so many pixels. So paint small first, where these are a larger part of the
# picture, then enlarge and go on.


# %%
def paint(eyes, photo, painting, sides=(128, 256), steps=(60, 25)):
    """Gatys's optimisation at one size after the other."""
    result = of_side(photo, sides[0])
    for side, count in zip(sides, steps, strict=True):
        small = of_side(photo, side)
        loss_of = transfer_loss(eyes, small, of_side(painting, 3 * side // 2), STYLE_LAYERS)
        result = optimise(resize(result, small.shape).astype("float32"), loss_of, count)
    return result


# %%
started = time.perf_counter()
painted = paint(eyes, panda, road)
seconds = time.perf_counter() - started
print(painted.shape, approx(seconds, 0), "seconds")

# %% [markdown]
# **Keeping the colours.** Take the brightness Y of the result and the two colour channels of the photograph
# (lesson 01).

# %%
large = of_side(panda, max(painted.shape))
channels = rgb2ycbcr(large)
channels[..., 0] = rgb2ycbcr(painted)[..., 0]
own_colours = ycbcr2rgb(channels).clip(0, 1).astype("float32")

# %% tags=["hide-input"]
figures.images(
    [painted, own_colours],
    ["two sizes", "in the photograph's colours"],
    size=5,
    alt="The panda in strokes twice: in the painting's oranges, yellows and greens, and in the photograph's own colours.",
)

# %% [markdown]
# **Another optimiser.** The paper used **L-BFGS**, which estimates from the last gradients how the slope changes, and
# tries several lengths for each step. Adam and L-BFGS get as many evaluations of the loss.


# %%
def optimise_by_lbfgs(start, loss_of, evaluations):
    @tf.function
    def slope(image):
        with tf.GradientTape() as tape:
            tape.watch(image)
            loss = loss_of(image)
        return loss, tape.gradient(loss, image)

    def of_numbers(numbers):
        image = tf.constant(numbers.reshape(1, *start.shape), tf.float32)
        loss, gradient = slope(image)
        return float(loss), gradient.numpy().ravel().astype(float)

    limits = scipy.optimize.Bounds(0, 1)
    options = {"maxfun": evaluations, "maxiter": evaluations}
    found = scipy.optimize.minimize(
        of_numbers, start.ravel(), jac=True, method="L-BFGS-B", bounds=limits, options=options
    )
    return found.x.reshape(start.shape).astype("float32")


# %%
evaluations = 3 if profiles.smoke() else 30
loss_of = transfer_loss(eyes, tiny, painting, STYLE_LAYERS)
rivals = {}
for name, method in {"Adam": optimise, "L-BFGS": optimise_by_lbfgs}.items():
    started = time.perf_counter()
    rivals[name] = method(tiny, loss_of, evaluations)
    elapsed = time.perf_counter() - started
    loss = float(loss_of(rivals[name][np.newaxis]))
    print(f"{name:7} loss {approx(loss, 3)} in {approx(elapsed, 0)} seconds")
print(f"before  loss {approx(float(loss_of(tiny[np.newaxis])), 3)}")

# %% [markdown]
# Both end about equally low; two short runs on one picture rank nothing. We stay with Adam, which needs less code.
#
# ## 5 · Is it better than something simple?
#
# Two rivals that need no network: the mean of photograph and painting (**blending**), and **histogram matching**, which
# gives each colour channel of the photograph the painting's distribution.


# %%
def distances(eyes, picture, photo, painting):
    """Content and style distance of a picture."""
    maps, wanted = eyes(picture[np.newaxis]), eyes(photo[np.newaxis])
    content = content_distance(maps[CONTENT_LAYER], wanted[CONTENT_LAYER])
    return float(content), float(style_distance(maps, grams(eyes, painting, STYLE_LAYERS)))


# %%
style = of_side(road, 3 * max(painted.shape) // 2)
results = {
    "photograph": large,
    "blending": (large + resize(road, large.shape).astype("float32")) / 2,
    "histogram matching": match_histograms(large, style, channel_axis=-1).astype("float32"),
    "in its own colours": own_colours,
    "optimised": painted,
}
table = {name: distances(eyes, picture, large, style) for name, picture in results.items()}
for name, (content, of_style) in table.items():
    print(f"{name:20} content {approx(content, 2):>6}   style {approx(of_style, 2):>6}")
gain = table["histogram matching"][1] / table["optimised"][1]
measured("style distance, histogram matching over optimised", gain, at_least=2, digits=1)

# %% tags=["hide-input"]
figures.images(
    list(results.values())[1:3],
    list(results)[1:3],
    size=4,
    alt="The panda with the painted road showing through like a ghost; the panda in the painting's colours without a"
    " single stroke.",
)

# %% [markdown]
# The optimised picture has by far the smallest style distance: it was optimised for that, so ask your eye as well. Here
# neither rival comes nearer to the style than the photograph itself; over many photographs (section 7) both do. With
# the photograph's own colours most of the gain is given back.
#
# ### E14.5 ★★ Colours by two numbers
# Write `move_colours(picture, wanted)`: each channel of `picture` (h, w, C) shifted and scaled so that its mean and
# standard deviation are those of `wanted` (of another size). A channel that is constant becomes the wanted mean. Do not
# clip.


# %% tags=["exercise"]
def move_colours(picture, wanted):
    raise NotImplementedError("E14.5: return an array like picture")


# %%
check.e14_5(move_colours)


# %% tags=["solution"]
def move_colours(picture, wanted):
    spread = picture.std(axis=(0, 1))
    scaled = (picture - picture.mean(axis=(0, 1))) / np.where(spread == 0, 1, spread)
    return scaled * wanted.std(axis=(0, 1)) + wanted.mean(axis=(0, 1))


check.e14_5(move_colours)

# %% [markdown]
# ## 6 · Can a network paint in one go?
#
# Each picture took many steps. Johnson, Alahi and Fei-Fei (2016) train a network instead, once for each style, until
# what it makes of photographs has a small **perceptual loss**: that of section 4, with less weight on content and
# variation.
#
# Ours halves the picture twice, goes through residual blocks (lesson 05) and doubles it twice. After each convolution
# but the last comes **instance normalisation**: every map of every picture is shifted and scaled to mean 0 and variance
# 1, then by two learned numbers. What comes out is added to the photograph's own colours, the means of 8 × 8 pixels,
# normalised alike, and a sigmoid makes pixels of the sum: the network has to paint whatever is finer.


# %%
def convolved(x, width, size, strides=1, relu=True):
    x = layers.Conv2D(width, size, strides, padding="same")(x)
    x = layers.GroupNormalization(groups=-1)(x)  # a group for each map: instance normalisation
    return layers.ReLU()(x) if relu else x


# %%
def one_go(widths=(16, 32, 48), blocks=4):
    images = layers.Input((None, None, 3))
    x = convolved(images, widths[0], 5)
    for width in widths[1:]:
        x = convolved(x, width, 3, strides=2)  # to the half, to a quarter
    for _ in range(blocks):
        x = layers.Add()([x, convolved(convolved(x, widths[-1], 3), widths[-1], 3, relu=False)])
    for width in reversed(widths[:-1]):
        x = convolved(layers.UpSampling2D(2)(x), width, 3)
    strokes = layers.Conv2D(3, 5, padding="same")(x)
    means = layers.GroupNormalization(groups=-1)(layers.AveragePooling2D(8)(images))
    colours = layers.UpSampling2D(8, interpolation="bilinear")(means)
    return keras.Model(images, ops.sigmoid(colours + strokes))


# %%
church = data.painting("church_at_auvers")
# The package's network also continues a picture by its mirror image, against stripes along borders.
recipe = recipes.find("style_fast_auvers")
learner = recipe.model(recipe.numbers())
print("weights", f"{learner.count_params():,}, as many as above:", end=" ")
print(learner.count_params() == one_go().count_params())

# %% [markdown]
# Ours learns van Gogh's church at Auvers from patches of photographs. The network that ships learned seven times as
# long.

# %%
recipe.train(learner, recipe.numbers())
shipped = models.load("style_fast_auvers")
for name, numbers in {"here": recipe.numbers(), "shipped": recipe.FULL}.items():
    print(f"{name:8} {recipe.steps(numbers):,} steps of {numbers.batch_size} patches")


# %%
def in_one_go(network, picture):
    # Compiled at the first call for a size, which a plain call of the network is not.
    return network.predict_on_batch(picture[np.newaxis])[0]


in_one_go(shipped, large)  # compiles
started = time.perf_counter()
by_shipped = in_one_go(shipped, large)
one_pass = time.perf_counter() - started
started = time.perf_counter()
by_steps = paint(eyes, panda, church)
many_steps = time.perf_counter() - started
print(f"one pass {approx(one_pass, 2)} seconds, many steps {approx(many_steps, 0)}")

# %% tags=["hide-input"]
figures.images(
    [church, in_one_go(learner, large), by_shipped, by_steps],
    ["painting", "one pass, trained here", "one pass, shipped", "many steps"],
    size=3.6,
    columns=4,
    alt="Van Gogh's church at Auvers, dark blue sky over ochre paths; the panda three times: by the network trained here in"
    " soft streaks of yellow, brown and blue, its face blurred; by the shipped one in short strokes of yellow,"
    " brown and blue, its face clear; and by many steps as a whole painting in blue, green and orange.",
)

# %% [markdown]
# Which is nearest in style? Guess before you run.

# %%
church_style = of_side(church, 3 * max(large.shape) // 2)
rivals_of_church = {
    "photograph": large,
    "histogram matching": match_histograms(large, church_style, channel_axis=-1).astype("float32"),
    "one pass, here": in_one_go(learner, large),
    "one pass, shipped": by_shipped,
    "many steps": by_steps,
}
for name, picture in rivals_of_church.items():
    content, of_style = distances(eyes, picture, large, church_style)
    print(f"{name:20} content {approx(content, 2):>6}   style {approx(of_style, 2):>6}")

# %% [markdown]
# One pass takes a small part of the time and comes nearer to the style than histogram matching, though farther from the
# photograph. Many steps are ahead in both distances. The shipped network is nearer to the style than the one trained
# here.
#
# Does the normalisation matter? **Recorded**, shorter than above, on smaller patches and judged on validation
# photographs: the same network with **batch normalisation** (lesson 05) in its place, all else alike, from three
# starts:

# %%
tried = json.loads((paths.BENCHMARKS / "14_normalisation.json").read_text())["runs"]
for name, entry in tried.items():
    for kind in ("style_distance", "content_distance"):
        row = np.array([run[kind] for run in entry["seeds"].values()])
        print(f"{name:9} {kind:17}", *(f"{value:.2f}" for value in row), f"  mean {row.mean():.2f}")

# %% [markdown]
# After this short training it does: with instance normalisation the style is nearer from each start; in content we see
# no clear difference.
#
# Three networks ship, one for each style. On a photograph that none saw in training:

# %%
castle, large_castle = (
    of_side(data.photograph("neuschwanstein_castle"), side) for side in (256, 384)
)
by_style = {}
for name in ("auvers", "road", "terrace"):
    painter = models.load(f"style_fast_{name}")
    by_style[name] = in_one_go(painter, large_castle)
    print(name, by_style[name].shape)

# %% tags=["hide-input"]
figures.images(
    [large_castle, *by_style.values()],
    ["photograph", *by_style],
    size=4,
    columns=2,
    alt="A castle on a wooded hill, and painted in three ways: yellow over dark blue woods; ochre and brown with turquoise"
    " outlines; gold and dark violet. Short strokes in all three.",
)

# %% [markdown]
# Light and dark mostly came through, in each style with its own few colours; but `terrace` has a corner of sky as dark
# as the woods, and the same small marks stand all over these.
#
# ## 7 · Can means and deviations hold a style?
#
# The Gram matrix of `conv3_1` has 256 × 256 numbers, nearly each of them twice. Huang and Belongie (2017) keep of each
# map only its mean $\mu$ and its standard deviation $\sigma$ over all places, the **style code**, and give the
# photograph's maps $F$ that of the style's maps $S$. This is **adaptive instance normalisation**, AdaIN:
#
# $$\text{AdaIN}(F, S) = \sigma(S)\, \frac{F - \mu(F)}{\sigma(F)} + \mu(S) \qquad F: (h, w, C) \quad S: (H, W, C) \quad \mu, \sigma: (C,)$$
#
# It is E14.5 for 256 maps in place of three colours. A number $s$ between 0 and 1 says how far to go, the **strength**:
# $(1 - s) F + s\, \text{AdaIN}(F, S)$.
#
# ### E14.6 ★★ AdaIN
# Write `adain(maps, style, strength)` in NumPy, for one picture's maps (h, w, C) and a style's (H, W, C). For a map
# that is constant, AdaIN gives the wanted mean.


# %% tags=["exercise"]
def adain(maps, style, strength):
    raise NotImplementedError("E14.6: return an array like maps")


# %%
check.e14_6(adain)


# %% tags=["solution"]
def adain(maps, style, strength):
    spread = maps.std(axis=(0, 1))
    normal = (maps - maps.mean(axis=(0, 1))) / np.where(spread == 0, 1, spread)
    wanted = normal * style.std(axis=(0, 1)) + style.mean(axis=(0, 1))
    return (1 - strength) * maps + strength * wanted


check.e14_6(adain)

# %% [markdown]
# We give the panda's maps the road's code. Both distances in this one layer:

# %%
photo_maps, road_maps = (
    ops.convert_to_numpy(eyes(one[np.newaxis])["conv3_1"]) for one in (tiny, painting)
)
wanted_gram = {"conv3_1": gram(road_maps)}
full = style_codes.adain(photo_maps, style_codes.code(road_maps))
for strength in (0.0, 0.5, 1.0):
    moved_maps = (1 - strength) * photo_maps + strength * full
    content = float(content_distance(moved_maps, photo_maps))
    of_style = float(style_distance({"conv3_1": moved_maps}, wanted_gram))
    print(f"strength {strength}: content {approx(content, 2)}, style {approx(of_style, 2)}")
count = road_maps.shape[-1]
print("different numbers in the Gram matrix:", count * (count + 1) // 2, "in the code:", 2 * count)

# %% [markdown]
# With 64 times fewer numbers, most of the style distance in this layer is gone. What is left is how maps go together,
# which the code does not know.
#
# **Any style by one network.** These are maps, not yet a picture. A **decoder** was trained to give photographs back,
# and to paint: in its pictures VGG must find the maps asked for and, in three layers, the style's means and standard
# deviations. Styles came from crops of six paintings by van Gogh and of gravel, in each order of red, green and blue.
# The road and the café terrace, his too, were held out; other hands were not tried.


# %%
def decoder(widths=(128, 64, 32)):
    maps = layers.Input((None, None, 256))
    # Fixed: at each place it mixes the maps into numbers that are uncorrelated over photographs.
    x = layers.Dense(256, trainable=False)(maps)
    for number, width in enumerate(widths):
        x = layers.UpSampling2D(2)(x) if number else x
        for _ in range(2):
            x = layers.Conv2D(width, 3, padding="same", activation="relu")(x)
    return keras.Model(maps, layers.Conv2D(3, 3, padding="same", activation="sigmoid")(x))


# %%
any_style = models.load("style_adain")
STYLES = ("painter_on_the_road", "cafe_terrace_at_night", "church_at_auvers", "night_cafe")
arts = [of_side(data.painting(name), 384) for name in STYLES]
codes = ops.concatenate([any_style.code(art[np.newaxis]) for art in arts])
parameters = any_style.network.count_params()
print("codes", codes.shape, "weights of the decoder", f"{parameters:,}", end=" ")
print("as many as above:", parameters == decoder().count_params())

# %% tags=["hide-input"]
figures.images(
    arts,
    ["road", "terrace", "church", "night café"],
    columns=4,
    size=2.6,
    alt="Four paintings by Van Gogh: a painter on a yellow road; a yellow café terrace under a violet night sky; a"
    " church under a dark blue sky; a café at night, red walls over a yellow floor.",
)


# %%
def in_style(network, picture, code, strength=1.0):
    return ops.convert_to_numpy(network.paint(picture[np.newaxis], code, strength))[0]


strengths = (0.0, 0.25, 0.5, 0.75, 1.0)
strip = [in_style(any_style, castle, codes[:1], strength) for strength in strengths]

# %% tags=["hide-input"]
figures.images(
    [castle, *strip],
    ["photograph", *(f"the road, strength {strength}" for strength in strengths)],
    columns=3,
    size=3.4,
    alt="The castle six times: the photograph; in soft patches of nearly its own colours, without windows, at strength 0;"
    " then step by step its sky from blue over turquoise to green and yellow, its woods from green to brown, its towers"
    " red, with dark outlines.",
)

# %% [markdown]
# Colours come with the strength, and darker outlines. Already at strength 0, without a style, patches are soft and
# windows lost.
#
# Codes can be mixed. Each corner has one style, and between them lie weighted means of the four:

# %%
steps_between = np.linspace(0, 1, 3)
shares = [
    ((1 - down) * (1 - right), (1 - down) * right, down * (1 - right), down * right)
    for down in steps_between
    for right in steps_between
]
mixtures = [in_style(any_style, castle, style_codes.mixed(codes, each)) for each in shares]

# %% tags=["hide-input"]
corners = {0: "road", 2: "terrace", 6: "church", 8: "night café"}
figures.images(
    mixtures,
    [corners.get(place, "") for place in range(9)],
    columns=3,
    size=3.4,
    alt="The castle nine times: under a green and yellow sky at the top left, olive and pink at the top right, blue-green"
    " at the lower left, golden at the lower right, and between them the colours go over into each other.",
)

# %% [markdown]
# The terrace's violet sky came out olive.
#
# All ways on the panda; the network for any style never saw the road, and learned from the church:


# %%
def quick_ways(network, single, art):
    """Functions of a photograph, by name; single: the network for this style alone."""
    code = network.code(art[np.newaxis])
    return {
        "histogram matching": lambda picture: match_histograms(picture, art, channel_axis=-1),
        "any style": lambda picture: in_style(network, picture, code),
        "one style": lambda picture: in_one_go(single, picture),
    }


def timed(paint_it, picture):
    paint_it(picture)  # the first call makes ready what the next one uses
    begun = time.perf_counter()
    return paint_it(picture).astype("float32"), time.perf_counter() - begun


# %%
trials = {
    "road": (style, models.load("style_fast_road"), painted, seconds),
    "church": (church_style, shipped, by_steps, many_steps),
}
panels = {}
for title, (art, single, slowly, their_seconds) in trials.items():
    print(title)
    ways = quick_ways(any_style, single, art)
    rows = {name: timed(paint_it, large) for name, paint_it in ways.items()}
    for name, (picture, elapsed) in (rows | {"many steps": (slowly, their_seconds)}).items():
        content, of_style = distances(eyes, picture, large, art)
        numbers = f"content {approx(content, 2):>6}   style {approx(of_style, 2):>6}"
        print(f"  {name:20} {numbers}   seconds {approx(elapsed, 2)}")
        panels[f"{name}: {title}"] = picture
measured("pictures a second, any style", 1 / rows["any style"][1], at_least=2, digits=1)
print("pictures a second, one style", approx(1 / rows["one style"][1], 1))

# %% tags=["hide-input"]
figures.images(
    list(panels.values()),
    list(panels),
    columns=4,
    size=3.4,
    alt="The panda in the colours of the road, above, and of the church, below. From left to right: by histogram matching, its"
    " colours changed and all else left; by the network for any style, in patches of paint with dark rims; by that for one"
    " style, in short marks, above in yellow with turquoise rims, below in blue and ochre; by many steps, in strokes.",
)

# %% [markdown]
# The network for any style paints in patches, those for one style in short marks; longer strokes come by many steps.
# One picture is an example. Recorded means over 31 test photographs:


# %%
def print_row(name, of_style, content):
    print(f"  {name:12} content {content:.2f}   style {of_style:.2f}")


judged = json.loads((paths.WEIGHTS / "style_adain.json").read_text())["scores"]
for name, ways in judged.items():
    print(name.replace("_", " "))
    pairs = {
        way: np.array(list(row["style_and_content_by_picture"].values()))
        for way, row in ways.items()
    }
    for way, each in pairs.items():
        print_row(way.replace("network", "any style"), *each.mean(axis=0))
    gains = pairs["histograms"] - pairs["network"]
    standard_error = gains.std(axis=0, ddof=1) / np.sqrt(len(gains))
    for place, kind in {1: "content", 0: "style"}.items():
        print(
            f"  nearer than by histograms, {kind}: {gains[:, place].mean():.2f} ± {standard_error[place]:.2f}"
        )

# %%
for name in ("road", "terrace", "auvers"):
    row = json.loads((paths.WEIGHTS / f"style_fast_{name}.json").read_text())["scores"]["network"]
    print("one style,", name)
    print_row("one style", row["style_distance"], row["content_distance"])

# %% [markdown]
# The network for any style comes nearer in style than histogram matching: by over twice the standard error to the road
# and to both learned paintings, by less to the terrace. In content we see no clear difference. Networks for one style
# come nearer still, but lie farther from the photograph.
#
# ## 8 · How do I paint a picture of my own?
#
# Name two files. `load_image` copes with grey, transparent and turned pictures.

# %%
MY_PHOTO, MY_STYLE = None, None  # for instance "holiday.jpg", "painting.png"
my_photo = data.load_image(MY_PHOTO) if MY_PHOTO else data.photograph("neuschwanstein_castle")
my_style = data.load_image(MY_STYLE) if MY_STYLE else data.painting("cafe_terrace_at_night")
mine = paint(eyes, my_photo, my_style)
print(my_photo.shape, "painted at", mine.shape)

# %% tags=["hide-input"]
figures.images(
    [my_photo, my_style, mine],
    ["photograph", "style", "painted"],
    size=3.6,
    alt="A castle on a wooded hill, Van Gogh's café terrace at night, and the castle in yellow and violet"
    " strokes under a turquoise and pink sky.",
)

# %% [markdown]
# ## Clinic
#
# **A Gram matrix that is not divided.** Many a tutorial only sums over places.


# %% tags=["clinic"]
def summed(maps):
    rows = ops.reshape(maps, (-1, maps.shape[-1]))
    return ops.matmul(ops.transpose(rows), rows)


for name, matrix in {"divided": gram, "summed": summed}.items():
    small, wide = (matrix(eyes(of_side(road, side)[np.newaxis])["conv1_1"]) for side in (96, 192))
    print(
        f"{name}: the larger picture's matrix is {approx(float(ops.sum(wide) / ops.sum(small)), 2)} times as large"
    )

# %% [markdown]
# The same painting at twice the side has about four times the sum: not even the painting itself, at another size, has
# its style. Divide by the number of places.
#
# **Pictures in the wrong range.** VGG expects BGR from 0 to 255 minus the means of its training pictures. `eyes` does
# that; here its bare network gets RGB in [0, 1].

# %% tags=["clinic"]
two = [of_side(picture, 96)[np.newaxis] for picture in (panda, road)]
for name, network in {"right range": eyes, "wrong range": eyes.network}.items():
    one, other = (gram(network(picture)["conv3_1"]) for picture in two)
    apart = float(ops.sum((one - other) ** 2) / ops.sum(other**2))
    print(f"{name}: style distance of panda and road {approx(apart, 2)}")

# %% [markdown]
# No error is raised, and the number looks like any other.
#
# **A style transfer without a style.** Older texts show something like this:


# %% tags=["clinic"]
def old_style_transfer(content, style):
    keras.utils.set_random_seed(0)
    network = keras.Sequential(
        [
            layers.Conv2D(8, 3, padding="same", activation="relu"),
            layers.UpSampling2D(2),
            layers.Conv2D(3, 3, padding="same", activation="sigmoid"),
        ]
    )
    return ops.convert_to_numpy(network(content[np.newaxis]))[0]


with_road, with_bricks = (old_style_transfer(tiny, style) for style in (painting, bricks))
print("in", tiny.shape, "out", with_road.shape)
print("the style makes no difference:", np.array_equal(with_road, with_bricks))

# %% [markdown]
# `style` is never read. Test any such function by two styles before you train it.
#
# ## Summary
#
# - A picture can be trained like a network: its pixels are the weights.
# - Maps compared place by place are content; Gram matrices, summed over places, are style.
# - Content and style pull against each other; the weight $\alpha$ decides.
# - Measure beside blending and histogram matching, and look.
# - A network trained once for one style paints any photograph in one pass.
# - A mean and a spread of each map are a code of a style; a decoder paints by it, at any strength and in mixtures.
#
# ## Glossary
#
# | English | 中文 | in one sentence |
# |---|---|---|
# | style transfer | 风格迁移 | a picture with the content of one and the style of another |
# | content | 内容 | what is where |
# | style | 风格 | how it is painted, wherever it is |
# | content loss | 内容损失 | the distance of maps, place by place |
# | style loss | 风格损失 | the distance of Gram matrices |
# | Gram matrix | 格拉姆矩阵 | how strong each two channels are together, over all places |
# | style code | 风格编码 | the mean and the spread of each map |
# | adaptive instance normalisation | 自适应实例归一化 | giving the maps of one picture the style code of another |
# | texture synthesis | 纹理合成 | a new picture of the same texture |
# | total variation | 全变分 | how much neighbouring pixels differ |
# | histogram matching | 直方图匹配 | giving a picture the distribution of another one's numbers |
# | perceptual loss | 感知损失 | a loss on the maps of a trained network instead of on pixels |
# | instance normalisation | 实例归一化 | each map of each picture brought to mean 0 and variance 1 |
#
# ## What to read next
#
# - Karen Simonyan and Andrew Zisserman, *Very deep convolutional networks for large-scale image recognition*, 2015.
# - Aravindh Mahendran and Andrea Vedaldi, *Understanding deep image representations by inverting them*, 2015.
# - Leon Gatys and others, *Texture synthesis using convolutional neural networks*, 2015; *Image style
#   transfer using convolutional neural networks*, 2016; *Controlling perceptual factors in neural style transfer*, 2017.
# - Justin Johnson and others, *Perceptual losses for real-time style transfer and super-resolution*, 2016.
# - Dmitry Ulyanov and others, *Improved texture networks*, 2017.
# - Xun Huang and Serge Belongie, *Arbitrary style transfer in real-time with adaptive instance normalization*, 2017.
#
# ## The large version
#
# `TRAIN_FULL = True` trains the network of section 6 as long as the shipped one was, and goes on from the last epoch
# when stopped.

# %%
TRAIN_FULL = False
print("full profile on this machine:", approx(recipe.minutes(recipe.FULL), 0), "minutes")

# %%
if TRAIN_FULL:
    recipe.train(recipe.model(recipe.FULL), recipe.FULL, resume="lesson_14_full")
