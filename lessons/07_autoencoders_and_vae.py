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
# # 07 · Autoencoders and VAE
#
# **How can a network invent a picture that nobody has drawn?**
#
# Squeeze pictures through a few numbers, learn to unfold them, then choose new numbers.
#
# - **You will be able to** say why an autoencoder invents badly, derive the loss that repairs it, train a
#   variational autoencoder, judge and steer what it generates.
# - **You need** [lesson 04](04_learning.ipynb) (losses, gradients), [lesson 05](05_cnn_classifier.ipynb) (training).
# - **Time**: about two hours; all cells run in minutes.

# %%
import json
from dataclasses import replace

import keras
import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf
from keras import layers, ops
from scipy.stats import norm
from sklearn.decomposition import PCA

from course_utils import data, figures, metrics, models, panels, paths, recipes, training
from course_utils.checks import lesson_07 as check
from course_utils.models import vae
from course_utils.report import approx, measured

# %% [markdown]
# A network that ships with the course made these. Each row leads from one rebuilt picture (unseen in training, one of
# the best rebuilt) to another; all between is generated.


# %%
def walk(model, start, end, steps=10):
    """Pictures (steps, h, w, c) on the straight way between two pictures' codes."""
    ends, _ = model.encode(np.stack([start, end]))
    shares = np.linspace(0, 1, steps)[:, None]  # a column, (steps, 1): one row for each step
    return model.decode((1 - shares) * ends[0] + shares * ends[1])


# %%
validation_images, validation_labels = data.fashion_mnist("validation")
large = models.load("vae_fashion")
lost = np.mean((large.reconstruct(validation_images) - validation_images) ** 2, axis=(1, 2, 3))
best_first = validation_images[np.argsort(lost)]
labels_of_best = validation_labels[np.argsort(lost)]
best = [best_first[labels_of_best == label][1] for label in range(10)]
names = data.FASHION_MNIST_NAMES
pairs = [(3, 1), (0, 3), (9, 7)]  # numbers of classes
opening = [walk(large, best[a], best[b]) for a, b in pairs]
print("rows:", *(f"{names[a]} to {names[b]}" for a, b in pairs), sep="  ")

# %% tags=["hide-input"]
figures.images(
    [figures.sheet(np.concatenate(opening), columns=10)],
    size=9.5,
    alt="Three rows in grey: a dress parts into trousers, a T-shirt loses its sleeves and becomes"
    " a dress, and an ankle boot sinks to a sneaker, step by step. Edges are sharp but for the middle.",
)

# %% [markdown]
# ## 1 · What is left of a picture in two numbers?
#
# An **autoencoder** is two networks in a row: an **encoder** $f$ turns a picture $x$ into a **code** $z$ of a few
# numbers, a **decoder** $g$ turns it back. They train together, to lose little.
#
# $$z = f(x) \qquad \hat x = \text{sigmoid}(g(z))$$


# %%
def activated(x):
    return layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))


def build_encoder(outputs):
    x = pictures = keras.Input((28, 28, 1))
    for channels in (16, 32):  # 28x28x1 -> 14x14x16 -> 7x7x32
        halve = layers.Conv2D(channels, 4, strides=2, padding="same", use_bias=False)
        x = activated(halve(x))
    x = activated(layers.Dense(256, use_bias=False)(layers.Flatten()(x)))
    return keras.Model(pictures, layers.Dense(outputs)(x))


# %%
def build_decoder(inputs):
    x = code = keras.Input((inputs,))
    for width in (256, 256):
        x = activated(layers.Dense(width, use_bias=False)(x))
    x = layers.Dense(7 * 7 * 32, use_bias=False)(x)
    x = activated(layers.Reshape((7, 7, 32))(x))
    double = layers.Conv2DTranspose(16, 4, strides=2, padding="same", use_bias=False)
    x = activated(double(x))  # 7x7x32 -> 14x14x16
    return keras.Model(code, layers.Conv2DTranspose(1, 4, strides=2, padding="same")(x))


# %% [markdown]
# The package has the same two:

# %%
recipe = recipes.find("vae_fashion")
numbers = replace(recipe.numbers(), epochs=3)  # one less than in the recipe, to save time
images, labels = data.fashion_mnist("train")
training.set_seed(numbers.seed)
encoder, decoder = build_encoder(2), build_decoder(2)
copies = vae.encoder((28, 28, 1), 2), vae.decoder(2, (28, 28, 1))
some_codes = np.random.default_rng(1).standard_normal((4, 2))
for ours, theirs, inputs in zip((encoder, decoder), copies, (images[:4], some_codes), strict=True):
    theirs.set_weights(ours.get_weights())
    print(f"{ours.count_params():,} weights", np.allclose(ours(inputs), theirs(inputs), atol=1e-5))

# %% [markdown]
# The loss reads $\hat x$ as the probability that a pixel is white: minus the logarithm of the picture's probability,
# in **nats** (a nat is 1.44 bits), summed over pixels, averaged over pictures.


# %%
def bernoulli_nats(images, logits):
    """-log p(image) of each picture (n,), where sigmoid(logits) is the chance of a white pixel."""
    # -x log s(a) - (1 - x) log(1 - s(a)) = log(1 + e^a) - x a, where s is the sigmoid
    return ops.sum(ops.softplus(logits) - images * logits, axis=(1, 2, 3))


def train(model, images, targets=None, *, epochs, numbers, loss=None):
    """Train by Adam with the one-cycle schedule of lesson 05."""
    steps = epochs * (len(images) // numbers.batch_size)
    rate = training.one_cycle(numbers.learning_rate, steps)
    # For so few steps translating the network to machine code (jit) takes longer than it saves.
    model.compile(keras.optimizers.Adam(rate), loss=loss, jit_compile=False)
    length = {"epochs": epochs, "batch_size": numbers.batch_size, "seed": numbers.seed}
    training.fit(model, images, targets, **length)


# %%
autoencoder = keras.Sequential([encoder, decoder])
train(autoencoder, images, images, epochs=1, numbers=numbers, loss=bernoulli_nats)

# %% [markdown]
# The baseline, **principal component analysis** (PCA), adds two fixed pictures, each times one number, to the mean
# picture. No other two leave a smaller squared error in training.

# %%
plane = PCA(2, random_state=0).fit(images.reshape(-1, 784))
flat = plane.inverse_transform(plane.transform(validation_images.reshape(-1, 784)))
by_pca = flat.reshape(-1, 28, 28, 1).clip(0, 1)
by_two = ops.convert_to_numpy(ops.sigmoid(autoencoder.predict(validation_images, verbose=0)))
for name, pictures in {"PCA": by_pca, "autoencoder": by_two}.items():
    error = np.sqrt(np.mean((pictures - validation_images) ** 2))
    print(f"{name:12} root mean square error of a pixel {approx(error)}")

# %% tags=["hide-input"]
figures.images(
    [figures.sheet(pictures[:12], columns=12) for pictures in (validation_images, by_pca, by_two)],
    ["pictures", "from two numbers, by PCA", "from two numbers, by the autoencoder"],
    columns=1,
    size=9,
    alt="Twelve pictures of clothes, and twice what two numbers keep of them. PCA leaves"
    " grey ghosts of a shirt or a shoe. The autoencoder draws plain clothes without print, often"
    " of the right class; bags look like tops, and a sandal is a smear.",
)

# %% [markdown]
# Two numbers hold a rough shape, often the class.
#
# ## 2 · Why does it invent badly?
#
# To invent, decode a new code. But which? We divide each axis into 20 steps of equal share under a normal
# distribution with the codes' mean and standard deviation. Normal draws would fill all 400 cells. Do our codes? Cells
# without one are tinted.


# %%
def decode_plain(decoder, codes):
    """Pictures (n, 28, 28, 1) of codes, by the decoder of a plain autoencoder."""
    codes = np.asarray(codes, np.float32)
    return ops.convert_to_numpy(ops.sigmoid(decoder.predict(codes, batch_size=500, verbose=0)))


def empty_cells(shares):
    """Which of 20 x 20 cells hold no point, (400,), rows from the top; shares: (n, 2) in [0, 1]."""
    counts, *_ = np.histogram2d(*shares.T, bins=20, range=[[0, 1], [0, 1]])
    return counts.T[::-1].ravel() == 0


# %%
codes = encoder.predict(validation_images, verbose=0)  # (5000, 2)
centre, spread = codes.mean(axis=0), codes.std(axis=0)
shares = norm.cdf((codes - centre) / spread)  # cdf: the share of the distribution below a value
ticks = norm.ppf((np.arange(20) + 0.5) / 20)  # ppf, its inverse: the middle of each step
grid = np.stack(np.meshgrid(ticks, ticks[::-1]), axis=-1).reshape(-1, 2)
empty = empty_cells(shares)
tiles = decode_plain(decoder, centre + grid * spread)
drawn = empty_cells(norm.cdf(np.random.default_rng(0).standard_normal((5000, 2))))
print(f"cells without a code: {approx(100 * empty.mean(), 0)} per cent", end="; ")
print(f"of 5,000 draws from a normal distribution: {100 * drawn.mean():.0f} per cent")
print("deviations of the codes:", *(approx(value, 1) for value in spread))


# %% tags=["hide-input"]
def draw_map(shares, labels, tiles, empty, names):
    """Figure: where the codes lie, as shares (n, 2), beside the pictures of 20 x 20 places, empty ones tinted."""
    figure, axes = plt.subplots(1, 2, figsize=(12, 5.8))
    colours = np.array(plt.get_cmap("tab10").colors)
    for which, name in enumerate(names):
        axes[0].scatter(*shares[labels == which].T, s=3, color=colours[which], label=name)
    axes[0].set(xlabel="share of the normal distribution below the first number of the code")
    axes[0].set(ylabel="the same, second number", title="where the codes lie", aspect="equal")
    axes[0].set(xlim=(0, 1), ylim=(0, 1))
    below = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.12)}
    axes[0].legend(markerscale=5, fontsize=8, ncols=5, **below)
    tinted = tiles.repeat(3, axis=-1)
    tinted[empty] = 1 - (1 - tinted[empty]) * np.array([0.6, 0.8, 1])
    title = "what the decoder makes of each cell"
    figures.draw_image(axes[1], figures.sheet(tinted, columns=20), title)
    return figure


figures.show(
    draw_map(shares, validation_labels, tiles, empty, names),
    alt="Left, codes in ten colours: streaks and clouds with empty places between. Right, a grid of"
    " decoded pictures of the same region; the cells without a code are tinted, and some of them"
    " show smears that belong to no class of clothes.",
)

# %% [markdown]
# The codes lie in streaks, at a scale of their own, with **holes** between. Some show clean boots, others a shoe
# crossed with trousers: hardly a code asked the decoder for sense there. We need codes that fill a shape from which
# we can draw.
#
# ## 3 · What should the loss be?
#
# ### A machine that draws pictures
#
# Let a machine draw a code $z$, then a picture $x$ that depends on it. First let each be one number: $z$ from the
# normal distribution $p(z) = N(0, 1)$, $x$ from $p(x|z) = N(z, 0.5^2)$. Such a $p$ is a **density**: the share of
# draws in a narrow strip, divided by its width. $p(x|z)$ is **conditional**: the density of $x$ once $z$ is known.

# %%
rng = np.random.default_rng(0)
toy_x, noise_level = 1.5, 0.5
all_z = rng.standard_normal(1_000_000)
all_x = all_z + noise_level * rng.standard_normal(1_000_000)
in_strip = np.abs(all_x - toy_x) < 0.05  # a strip of width 0.1
fitting = all_z[in_strip]
density = norm.pdf(toy_x, 0, np.sqrt(1 + noise_level**2))  # x is normal too; the variances add up
print(f"p(x) at x = 1.5: {in_strip.mean() / 0.1:.3f} by counting, {density:.3f} by its formula")
print(f"z that made such an x: mean {fitting.mean():.2f}, deviation {fitting.std():.2f}")

# %% tags=["hide-input"]
figure, axes = plt.subplots(1, 2, figsize=(11, 3.4))
axes[0].plot(all_z[:3000], all_x[:3000], ".", markersize=2, color=figures.COLOURS[6])
axes[0].axhspan(toy_x - 0.05, toy_x + 0.05, color=figures.COLOURS[4], label="x near 1.5")
axes[0].set(xlabel="z", ylabel="x", title="3,000 draws of the machine")
axes[0].legend(loc="lower right")
for values, name, colour in (
    (all_z, "all z: p(z)", figures.COLOURS[6]),
    (fitting, "z in the strip: p(z|x)", figures.COLOURS[4]),
):
    axes[1].hist(values, 80, range=(-4, 4), density=True, histtype="step", label=name, color=colour)
axes[1].set(xlabel="z", ylabel="density", title="which z made it?")
axes[1].legend(loc="upper left")
figures.show(
    figure,
    alt="Left, a slanted cloud of draws with a thin horizontal strip at x = 1.5. Right, two histograms"
    " of z: of all draws, wide and centred on zero, and of those in the strip, narrow and to the right.",
)

# %% [markdown]
# The narrow hill is the **posterior** $p(z|x)$: which codes may have made this picture.
#
# ### Is a picture likely?
#
# Training should make $p(x)$ large for real pictures. It is an **expectation** $\mathbb{E}$, a mean over many
# draws:
#
# $$p(x) = \mathbb{E}_{z \sim p(z)}\,[\,p(x|z)\,]$$
#
# But nearly no $z$ fits a given picture. So the encoder *proposes* codes that may fit, from a density $q$ of its own;
# $p(z)/q(z)$ makes up for drawing some $z$ too often, others too seldom:
#
# $$p(x) = \mathbb{E}_{z \sim q}\!\left[\frac{p(x|z)\,p(z)}{q(z)}\right]$$

# %%
by_prior = norm.pdf(toy_x, all_z, noise_level)
proposed = rng.normal(1, 0.6, 1_000_000)  # q = N(1, 0.6²)
by_q = norm.pdf(toy_x, proposed, noise_level) * norm.pdf(proposed) / norm.pdf(proposed, 1, 0.6)
for name, weights in {"drawn from p(z)": by_prior, "drawn from q": by_q}.items():
    print(f"{name:16} mean {weights.mean():.3f}, spread of single draws {weights.std():.3f}")

# %% [markdown]
# With $q$ the averaged values spread less, so fewer draws will do.
#
# ### The logarithm goes inside
#
# We want $\log p(x)$ from *one* draw a picture, so the logarithm moves inside the mean. As it bends down, the mean of
# logarithms is never above the logarithm of the mean (**Jensen's inequality**):

# %%
pair = np.array([1.0, 9.0])
print(f"log of the mean {np.log(pair.mean()):.2f}, mean of the logs {np.log(pair).mean():.2f}")
print(f"log p(x) {np.log(density):.3f}, mean of the logs of the weights {np.log(by_q).mean():.3f}")

# %% [markdown]
# This bound is the **evidence lower bound** (ELBO). Split the logarithm of the fraction:
#
# $$\log p(x) \;\ge\; \mathbb{E}_q\!\left[\log \frac{p(x|z)\,p(z)}{q(z)}\right] = \underbrace{\mathbb{E}_q[\log p(x|z)]}_{-\text{reconstruction}} - \underbrace{\mathbb{E}_q\!\left[\log \frac{q(z)}{p(z)}\right]}_{\text{KL}(q\,\|\,p)}$$
#
# The first term is minus the autoencoder's loss, with a cloud for a code. The second, the **Kullback-Leibler
# divergence**, is the price of a cloud that differs from $p(z)$: 0 for equal densities, else more.
#
# ### What does the bound lose?
#
# $p(x|z)\,p(z) = p(z|x)\,p(x)$: both are the density of $z$ and $x$ together. So the fraction is $p(x)$ times
# $p(z|x) / q(z)$, and the ELBO is $\log p(x) - \text{KL}(q\,\|\,p(z|x))$.


# %%
def kl(places, log_q, log_p):
    """The mean of log q - log p over q, on a fine grid of places z (m,)."""
    return np.trapezoid(np.exp(log_q) * (log_q - log_p), places)


# %%
places = np.linspace(-8, 8, 4001)
log_joint = norm.logpdf(toy_x, places, noise_level) + norm.logpdf(places)  # log p(x|z) p(z)
log_posterior = log_joint - np.log(density)
for deviation in (0.15, 0.45, 1.0):
    log_q = norm.logpdf(places, 1.2, deviation)
    # The ELBO is the mean of log_joint - log_q over q: minus what kl returns.
    elbo, gap = -kl(places, log_q, log_joint), kl(places, log_q, log_posterior)
    print(f"q = N(1.2, {deviation:.2f}²): ELBO {elbo:.3f} + KL(q || posterior) {gap:.3f}", end="")
    print(f" = {elbo + gap:.3f}, log p(x) {np.log(density):.3f}")

# %% tags=["hide-input"]
figure, axes = plt.subplots(figsize=(7, 3.4))
means = np.linspace(-0.5, 2.5, 61)
for deviation, colour in zip((0.15, 0.45, 1.0), figures.COLOURS, strict=False):
    curve = [-kl(places, norm.logpdf(places, mean, deviation), log_joint) for mean in means]
    axes.plot(means, curve, color=colour, label=f"ELBO, deviation of q {deviation:.2f}")
axes.axhline(np.log(density), color="black", linestyle="--", linewidth=1, label="log p(x)")
axes.set(xlabel="mean of q", ylabel="nats", ylim=(-6, -1))
axes.legend(loc="lower center")
figures.show(
    figure,
    alt="Three curves of the bound against the mean of q, for a narrow, a right and a wide"
    " q, under a dashed line at log p(x). Only the one with the right deviation touches the"
    " line, at one mean.",
)

# %% [markdown]
# Making the bound large trains both networks. The encoder sees $x$, so its cloud is written $q(z|x)$: each of the $d$
# numbers of the code is normal, by itself, with mean $\mu_j$ and standard deviation $\sigma_j$. The **prior** $p(z)$ is
# $N(0, I)$: each number from $N(0, 1)$ by itself. Then the divergence is:
#
# $$\text{KL}(q\,\|\,p) = \tfrac12 \sum_{j=1}^{d} \left(\mu_j^2 + \sigma_j^2 - 1 - \log \sigma_j^2\right)$$

# %%
for mean, deviation in [(0.0, 1.0), (1.0, 0.3), (-0.5, 1.2)]:
    formula = 0.5 * (mean**2 + deviation**2 - 1 - np.log(deviation**2))
    on_grid = kl(places, norm.logpdf(places, mean, deviation), norm.logpdf(places))
    print(f"mean {mean:4}, deviation {deviation}: formula {formula:.4f}, on the grid {on_grid:.4f}")

# %% [markdown]
# ### E7.1 ★ The price of a code
# Write `kl_divergence`, from means and log-variances $\log\sigma^2$ (n, d) to the KL of each picture (n,), by this
# formula.


# %% tags=["exercise"]
def kl_divergence(mean, log_variance):
    raise NotImplementedError("E7.1: return one number for each row")


# %%
check.e7_1(kl_divergence)


# %% tags=["solution"]
def kl_divergence(mean, log_variance):
    return 0.5 * np.sum(mean**2 + np.exp(log_variance) - 1 - log_variance, axis=-1)


check.e7_1(kl_divergence)

# %% [markdown]
# ## 4 · How does one differentiate through a die?
#
# The first term is a mean over random $z$; we need its slope by $\mu$ and $\sigma$. Test: the mean of $z^2$ is $\mu^2 +
# \sigma^2$, with slope $2\mu$ by $\mu$. Through a *choice* among candidates no slope comes back. The
# **reparameterisation trick** draws noise first, which depends on nothing, and moves it:
#
# $$z = \mu + \sigma\,\varepsilon \qquad \varepsilon \sim N(0, I)$$


# %%
def choose(mean):
    candidates = tf.linspace(-4.0, 6.0, 1001)
    chances = -((candidates - mean) ** 2) / (2 * 0.5**2)  # logarithms, up to a constant
    return tf.gather(candidates, tf.random.categorical(chances[None], 100_000)[0])


def move_noise(mean):
    return mean + 0.5 * tf.random.normal([100_000])


def by_tensorflow(mean):
    return tf.random.normal([100_000], mean=mean, stddev=0.5)


# %%
training.set_seed(0)
mu = tf.Variable(1.5)
for name, draw in {"choose": choose, "move": move_noise, "tf.random": by_tensorflow}.items():
    with tf.GradientTape() as tape:
        mean_square = tf.reduce_mean(draw(mu) ** 2)
    found = tape.gradient(mean_square, mu)
    shown = "none" if found is None else approx(found, 2)
    print(f"{name:10} mean of z² {approx(mean_square, 2)}, slope {shown}, exact slope {2 * 1.5}")

# %% [markdown]
# `tf.random.normal(mean=...)` does the trick itself.
#
# ### E7.2 ★ Reparameterise
# Write `reparameterise`: from means, log-variances and noise from $N(0, 1)$, all (n, d), the codes $z$ (n,
# d).


# %% tags=["exercise"]
def reparameterise(mean, log_variance, noise):
    raise NotImplementedError("E7.2: return an array of the shape of mean")


# %%
check.e7_2(reparameterise)


# %% tags=["solution"]
def reparameterise(mean, log_variance, noise):
    return mean + np.exp(log_variance / 2) * noise


check.e7_2(reparameterise)

# %% [markdown]
# ## 5 · Does it work?
#
# The encoder now returns $\mu$ and $\log\sigma^2$ (which may have any sign) for each **latent** number, as those of
# the code are called.


# %%
def negative_elbo(model, images, noise):
    """Reconstruction and KL of each picture, (n,) each, in nats. noise: (n, d), from N(0, 1)."""
    mean, log_variance = ops.split(model.encoder(images, training=True), 2, axis=-1)
    z = mean + ops.exp(log_variance / 2) * noise
    kl = 0.5 * ops.sum(mean**2 + ops.exp(log_variance) - 1 - log_variance, axis=-1)
    return bernoulli_nats(images, model.decoder(z, training=True)), kl


# %%
training.set_seed(numbers.seed)
beginner = recipe.build(numbers)
size = numbers.latent_size
optimizer = keras.optimizers.Adam(0.001)
for step in range(31):
    batch = images[step * 256 : (step + 1) * 256]
    noise = rng.standard_normal((256, size), dtype=np.float32)
    with tf.GradientTape() as tape:
        reconstruction, price = negative_elbo(beginner, batch, noise)
        loss = tf.reduce_mean(reconstruction + price)
    slopes = tape.gradient(loss, beginner.trainable_variables)
    optimizer.apply(slopes, beginner.trainable_variables)
    if step % 10 == 0:
        print(f"step {step:2}: {approx(loss, 0)} nats")

# %% [markdown]
# `vae.Vae` is the same as a Keras model, which `fit` trains:

# %%
training.set_seed(numbers.seed)
model = recipe.build(numbers)
print(f"{model.count_params():,} weights, {size} latent numbers")
train(model, images, epochs=numbers.epochs, numbers=numbers)
rebuilt = model.reconstruct(validation_images[:24])
generated = model.sample(24, seed=1)

# %% tags=["hide-input"]
figures.images(
    [
        figures.sheet(validation_images[:24], columns=12),
        figures.sheet(rebuilt, columns=12),
        figures.sheet(generated, columns=12),
    ],
    ["pictures", "rebuilt from 16 numbers", "generated"],
    columns=1,
    size=9,
    alt="Two rows each of pictures, the same rebuilt, and generated ones. The rebuilt ones"
    " keep the cut and lose prints; sandals become smears. About half of the generated ones"
    " can be named; the others are blends or smears.",
)

# %% [markdown]
# It invents: about half of these can be named, the others are blends or smears. All are soft: where the decoder is
# unsure, a mean loses least.
#
# ### E7.3 ★★ The scale of the loss
# Write `reconstruction_nats`: from pictures (n, h, w, 1) in [0, 1] and logits of the same shape, *one* number,
# the loss of section 1 in nats per picture. It should bear logits of $\pm800$. Which NumPy function computes
# $\log(e^a + e^b)$ safely?


# %% tags=["exercise"]
def reconstruction_nats(images, logits):
    raise NotImplementedError("E7.3: return one number")


# %%
check.e7_3(reconstruction_nats)


# %% tags=["solution"]
def reconstruction_nats(images, logits):
    each_pixel = np.logaddexp(0, logits) - images * logits
    return each_pixel.sum(axis=(1, 2, 3)).mean()


check.e7_3(reconstruction_nats)

# %% [markdown]
# How loose is the bound? Put the mean of $K$ draws *inside* the logarithm, for the **importance-weighted bound**
# ($K=1$ is the ELBO):
#
# $$\log p(x) \;\ge\; \mathbb{E}\left[\log \frac1K \sum_{k=1}^K \frac{p(x|z_k)\,p(z_k)}{q(z_k|x)}\right] \;\ge\; \text{ELBO} \qquad z_k \sim q(z|x)$$
#
# Recorded runs, one each, on **binarised** test pictures (black or white), beside a network of many tutorials (seven
# epochs to our four):

# %%
recorded = json.loads((paths.BENCHMARKS / "07_bounds.json").read_text())["runs"]
print(f"{'recorded runs':20} -ELBO  K = 100   weights  processor seconds")
for name, run in recorded.items():
    result = run["seeds"]["0"]
    seconds = result["processor_seconds"][-1]
    both = f"{result['negative_elbo']:5.1f} {result['negative_bound_of_100']:8.1f}"
    print(f"{name:20} {both} {run['parameters']:9,} {seconds:10.0f}")

# %% [markdown]
# A hundred draws tighten the bound by several nats. Ours is lower in less time; the runs differ in too much to
# say why.
#
# ### E7.4 ★★★ The importance-weighted bound
# Write `importance_weighted_bound`: from log weights (n, K), the logarithms of the fractions, for K draws a
# picture, the bound of each picture (n,). Log weights may be $-900$, whose exponential a computer takes for 0.


# %% tags=["exercise"]
def importance_weighted_bound(log_weights):
    raise NotImplementedError("E7.4: return one number for each row")


# %%
check.e7_4(importance_weighted_bound)


# %% tags=["solution"]
def importance_weighted_bound(log_weights):
    largest = log_weights.max(axis=1, keepdims=True)
    return largest[:, 0] + np.log(np.mean(np.exp(log_weights - largest), axis=1))


check.e7_4(importance_weighted_bound)

# %% [markdown]
# ## 6 · What does a grey pixel mean?
#
# The loss follows from what we say a pixel *is*, the **likelihood**. **Bernoulli**: its level is the chance of white;
# the loss is a mean over such tosses. **Gaussian**: the level is the mean of a normal distribution of width $s$ (1, or
# learned), which gives [squared error](04_learning.ipynb#7-·-Which-loss?) divided by $2s^2$, plus $\log s$ a pixel and
# a constant.

# %%
recorded = json.loads((paths.BENCHMARKS / "07_likelihoods.json").read_text())["runs"]
columns = ("negative_elbo", "val_kl", "pixel_error", "frechet_distance", "coverage")
print(f"{'recorded, 3 seeds':20}  -ELBO     KL  pixel error       Fréchet      coverage")
for name, run in recorded.items():
    # A row a seed; of a curve the last value, and a single value as it is.
    rows = [[np.ravel(seed[column])[-1] for column in columns] for seed in run["seeds"].values()]
    bound, cost, error, distance, coverage = np.mean(rows, axis=0)
    errors = np.std(rows, axis=0, ddof=1) / np.sqrt(len(rows))
    print(f"{name.replace('sigma', 's'):20} {bound:6.0f} {cost:6.1f} {error:12.3f}", end="")
    print(f" {distance:8.1f} ± {errors[3]:.1f} {coverage:6.2f} ± {errors[4]:.2f}")

# %% [markdown]
# Bernoulli's $-$ELBO cannot be compared with the Gaussians': a density is no probability, and one over 1 makes it
# negative. With $s=1$ a wrong pixel costs little, so little is stored (small KL). The learned $s$ stores most and
# rebuilds best. In *generated* pictures (section 7: low Fréchet, high coverage) Bernoulli leads, by several standard
# errors (±).
#
# ## 7 · Is it better than something simple?
#
# **Autoencoder** (recorded, three starts): a plain one of the VAE's size and epochs, its codes drawn from $N(0, I)$ or
# from the normal distribution that fits best. **Pixels**: each drawn from its own normal distribution. **PCA**: sixteen
# numbers drawn from theirs. (Of the Fréchet distance, explained below, low is good.)

# %%
plain = json.loads((paths.BENCHMARKS / "07_plain.json").read_text())["runs"]["autoencoder"]["seeds"]
scores = {}
for way in ("N(0, I)", "fitted"):
    kept = [seed[way] for seed in plain.values()]
    scores[f"autoencoder, {way}"] = {name: metrics.Score(**one) for name, one in kept[0].items()}
    from_each_start = (f"{one['frechet_distance']['value']:.1f}" for one in kept)
    print(f"autoencoder, {way}, recorded: Fréchet distance from three starts", *from_each_start)


# %%
def baselines(images, size, count, seed):
    """Pictures (count, 28, 28, 1) of each way to generate some that needs no network."""
    rng = np.random.default_rng(seed)
    pixels = images.reshape(-1, 784)
    by_pixel = pixels.mean(axis=0) + pixels.std(axis=0) * rng.standard_normal((count, 784))
    pca = PCA(size, random_state=0).fit(pixels)
    drawn = np.sqrt(pca.explained_variance_) * rng.standard_normal((count, size))
    rows = {"pixels": by_pixel, "PCA": pca.inverse_transform(drawn)}
    return {name: np.float32(row.clip(0, 1)).reshape(-1, 28, 28, 1) for name, row in rows.items()}


# %%
entries = baselines(images, size, count=5000, seed=1)
entries["VAE, this lesson"] = model.sample(5000, seed=1)
entries["VAE, shipped"] = large.sample(5000, seed=1)

# %% tags=["hide-input"]
of_plain = np.split(data.load_image(paths.BENCHMARKS / "07_plain.png"), 2)  # one above the other
figures.images(
    [*of_plain, *(figures.sheet(pictures[:20], columns=10) for pictures in entries.values())],
    [*scores, *entries],
    columns=2,
    size=5.5,
    alt="Twenty pictures by each of six generators. The autoencoder from N(0, I): smeared clothes;"
    " fitted: better, many blends. Pixels: a grey cloud of noise. PCA: ghosts of shirts and shoes."
    " The lesson's VAE: soft clothes and blends. The shipped one: mostly clean clothes.",
)

# %% [markdown]
# Lesson 05's classifier describes a picture by 160 features. The **Fréchet distance** (squared) compares means $m$ and
# covariances $C$ (how features vary together) of real and generated pictures; $M^{1/2}$ times itself (@) gives $M$, the
# trace sums a diagonal:
#
# $$\lVert m_r - m_g \rVert^2 + \text{trace}\left(C_r + C_g - 2\,(C_r C_g)^{1/2}\right)$$
#
# **Coverage** is the share of real pictures that have a generated one nearer than their fifth nearest real one.
# **Precision** is the share of generated pictures close to real ones, **recall** the reverse. Leave other columns
# aside. The last row, the floor, judges real pictures: the best to hope for.

# %%
judge = metrics.Judge(data.fashion_mnist("test")[0][:5000], images[-5000:])
scores |= {name: judge(pictures) for name, pictures in entries.items()}
metrics.table(scores)
our_scores = scores["VAE, this lesson"]
measured("Fréchet distance", our_scores["frechet_distance"].value, at_most=9.9, digits=1)
measured("coverage", our_scores["coverage"].value, at_least=0.30, digits=2)

# %%
for metric in ("frechet_distance", "coverage", "recall"):
    values = {name: score[metric].value for name, score in scores.items() if "shipped" not in name}
    choose_best = max if our_scores[metric].better == "higher" else min
    print(f"best of the first five in {metric}: {approx(choose_best(values, key=values.get))}")

# %% [markdown]
# Of the first five, ours leads in Fréchet distance, by more than the autoencoder's starts differ, and in coverage, not
# in recall; even pure noise has some precision.
#
# ## 8 · What is in the latent space?
#
# With two latent numbers we can draw the map of section 2, after as long a training. The shares are now those of
# $N(0, 1)$ itself. A dot is the mean of a picture's cloud.

# %%
training.set_seed(numbers.seed)
flat_vae = recipe.build(replace(numbers, latent_size=2))
train(flat_vae, images, epochs=1, numbers=numbers)
flat_codes, _ = flat_vae.encode(validation_images)
flat_shares = norm.cdf(flat_codes)
flat_empty, flat_tiles = empty_cells(flat_shares), flat_vae.decode(grid)
for name, cells, places_of in (
    ("autoencoder", empty, codes),
    ("VAE", flat_empty, flat_codes),
):
    deviations = " ".join(approx(value, 1) for value in places_of.std(axis=0))
    print(f"{name:12} {approx(100 * cells.mean(), 0)} per cent empty, deviations {deviations}")

# %% tags=["hide-input"]
figures.show(
    draw_map(flat_shares, validation_labels, flat_tiles, flat_empty, names),
    alt="Left, codes in ten colours fill most of a square, with gaps between some classes. Right, a map"
    " of decoded pictures: trousers, dresses, tops, bags, boots and shoes have regions of their own"
    " that flow into each other; along the gaps they fade. Fewer cells are tinted than before.",
)

# %% [markdown]
# The scale is near 1 now, and fewer cells are empty (one run each). Where clouds overlap, one code must serve several
# pictures: neighbours are *encouraged* to mean similar things, not forced.
#
# ### E7.5 ★★ Walk around, not through
# In many dimensions draws from $N(0, I)$ lie near a sphere of radius $\sqrt d$; a straight line passes nearer to
# 0. Write `spherical_path`: `steps` points (steps, d) in even steps on the arc from `start` to `end`, two vectors
# of equal length. With $\omega$ the angle between them and $t$ from 0 to 1:
#
# $$z_t = \frac{\sin((1-t)\,\omega)}{\sin \omega}\, z_0 + \frac{\sin(t\,\omega)}{\sin\omega}\, z_1$$


# %% tags=["exercise"]
def spherical_path(start, end, steps):
    raise NotImplementedError("E7.5: return an array (steps, d)")


# %%
check.e7_5(spherical_path)


# %% tags=["solution"]
def spherical_path(start, end, steps):
    cosine = start @ end / (np.linalg.norm(start) * np.linalg.norm(end))
    angle = np.arccos(cosine)
    t = np.linspace(0, 1, steps)[:, None]
    return (np.sin((1 - t) * angle) * start + np.sin(t * angle) * end) / np.sin(angle)


check.e7_5(spherical_path)

# %% [markdown]
# Back to sixteen numbers: which matter? One is *in use* if the variance of its mean $\mu_j$ over pictures exceeds
# 0.01. The KL, a sum over numbers, tells what each costs. A **traversal** moves one number and keeps the others.

# %%
code_means, code_deviations = model.encode(validation_images)
squares = code_means**2 + code_deviations**2
costs = 0.5 * np.mean(squares - 1 - 2 * np.log(code_deviations), axis=0)  # (16,)
in_use = code_means.var(axis=0) > 0.01
order = np.argsort(-costs)
shares_paid = np.cumsum(costs[order]) / costs.sum()
print("numbers in use:", approx(in_use.sum(), 0), "of", size, end=", ")
print("those that pay 99 per cent of the KL:", approx(1 + np.sum(shares_paid < 0.99), 0))

# %%
a_boot = code_means[validation_labels == 9][0]
moved = np.repeat(a_boot[None], 6 * 11, axis=0).reshape(6, 11, -1)
for row, number in enumerate(order[:6]):
    moved[row, :, number] = np.linspace(-3, 3, 11)
traversal = model.decode(moved.reshape(66, -1))

# %% tags=["hide-input"]
figure, axes = plt.subplots(1, 2, figsize=(12, 3.9), width_ratios=[1, 1.7])
axes[0].bar(np.arange(size), costs[order], color=figures.COLOURS[0])
axes[0].set_xticks(np.arange(size), [f"z{number}" for number in order], rotation=90)
axes[0].set(ylabel="KL in nats", title="what each number costs")
figures.draw_image(
    axes[1],
    figures.sheet(traversal, columns=11),
    "the six costliest, each from -3 to 3",
)
axes[1].set_yticks(14 + 28 * np.arange(6), [f"z{number}" for number in order[:6]])
figures.show(
    figure,
    alt="Left, bars of the KL of each latent number, sorted: the first few are high, the"
    " last ones are near zero. Right, six rows of eleven pictures, each moving"
    " one number: an ankle boot turns into other shoes, bags or tops, gets higher, lighter"
    " or darker.",
)

# %% [markdown]
# The threshold is low: a number just above it costs, and says, next to nothing. Move the six costliest yourself, in
# JupyterLab:

# %%
panels.latent_explorer(model.decode, a_boot, order[:6].tolist())

# %% [markdown]
# ## 9 · How much should a code cost?
#
# **$\beta$-VAE** weighs the KL term by $\beta$. What will a $\beta$ of 100 do? Guess, then run (recorded on binarised
# validation pictures, one seed each):

# %%
recorded = json.loads((paths.BENCHMARKS / "07_betas.json").read_text())["runs"]
points = {}
print(f"{'recorded':10} reconstruction     KL    sum  numbers in use")
for name, run in recorded.items():
    result = run["seeds"]["0"]
    rate, distortion = result["val_kl"][-1], result["val_reconstruction"][-1]
    total = rate + distortion
    print(f"{name:10} {distortion:14.1f} {rate:6.1f} {total:6.1f} {result['active_units']:10}")
    points[name] = rate, distortion

# %% tags=["hide-input"]
figure, axes = plt.subplots(figsize=(7, 3.6))
for name, (rate, distortion) in points.items():
    axes.plot(rate, distortion, "o", color=figures.COLOURS[0])
    axes.annotate(name, (rate, distortion), xytext=(6, 4), textcoords="offset points")
axes.set(xlabel="KL: nats that the code costs", ylabel="reconstruction: nats that are lost")
axes.margins(x=0.18, y=0.1)
figures.show(
    figure,
    alt="Reconstruction against KL for six values of beta: the smallest lies far right and"
    " low, then the points climb to the left, and the largest beta sits at no KL and the"
    " highest loss.",
)

# %% [markdown]
# The sum of both, $-$ELBO, is smallest where $\beta=1$, since that is what it trains for. At the left end is
# **posterior collapse**: codes cost so much that $q(z|x)$ is next to $N(0, I)$ for every picture, and says next to
# nothing.

# %%
recorded = json.loads((paths.BENCHMARKS / "07_sizes.json").read_text())["runs"]
print(f"{'recorded':10}  -ELBO     KL  numbers in use")
for name, run in recorded.items():
    result = run["seeds"]["0"]
    bound, cost, used = (result["negative_elbo"], result["val_kl"][-1], result["active_units"])
    print(f"{name:10} {bound:7.1f} {cost:6.1f} {used:10}")

# %% [markdown]
# Two numbers are too few; from sixteen on it hardly matters how many there are.
#
# ## 10 · How does one order a picture?
#
# A **conditional** VAE tells both networks the label $y$: $q(z|x, y)$ and $p(x|z, y)$. The code is left with the
# style. The label, ten numbers of which one is 1 (*one-hot*), joins the input of the first dense layer; times
# ten, a trick, to be heard among many others.

# %%
training.set_seed(numbers.seed)
conditional = recipe.build(replace(numbers, classes=10))
train(conditional, images, labels, epochs=2, numbers=numbers)

# %%
styles = np.random.default_rng(3).standard_normal((7, size)).repeat(10, axis=0)
asked = np.tile(np.arange(10), 7)
ordered = conditional.decode(styles, labels=asked)
told = build_decoder(size + 10)
told.set_weights(conditional.decoder.get_weights())
by_hand = ops.sigmoid(told(np.concatenate([styles, 10 * np.eye(10)[asked]], axis=1)))
print("the decoder by hand gives the same:", np.allclose(by_hand, ordered, atol=1e-4))

# %% tags=["hide-input"]
figure, axes = plt.subplots(figsize=(8.6, 6.4))
figures.draw_image(axes, figures.sheet(ordered, columns=10))
axes.set_xticks(14 + 28 * np.arange(10), names, rotation=40, ha="right")
axes.set_yticks(14 + 28 * np.arange(7), [f"style {row}" for row in range(1, 8)])
figures.show(
    figure,
    alt="A grid: each column is one of the ten classes, each row one style. In a row the"
    " clothes are alike in brightness and often in width. Most are of the class of their"
    " column; sandals are smears or look like other shoes.",
)

# %%
orders = np.tile(np.arange(10), 200)
classifier = models.load("fashion_mnist_classifier")
pictures_of = {
    "ordered": (conditional.sample(2000, labels=orders), orders),
    "rebuilt": (conditional.reconstruct(validation_images, validation_labels), validation_labels),
    "real": (validation_images, validation_labels),
}
recognised = {}
for name, (shown, classes) in pictures_of.items():
    right = classifier.predict(shown, verbose=0).argmax(axis=1) == classes
    recognised[name] = np.mean(right)
    worst = min(range(10), key=lambda label: right[classes == label].mean())
    print(f"{name}: worst {approx(names[worst])}, {approx(right[classes == worst].mean())}")
measured("ordered, recognised as that class", recognised["ordered"], at_least=0.72, digits=2)
print("rebuilt", approx(recognised["rebuilt"], 2), "real", approx(recognised["real"], 2))

# %% [markdown]
# The classifier sees most pictures as what was ordered. Even rebuilt pictures are recognised less often than real
# ones.
#
# ## Clinic
#
# Two networks. The first promises "sharper pictures", the second "a loss that fits on one axis with
# other models". Look at logs and pictures: what is wrong?


# %% tags=["clinic"]
class SharpVae(vae.Vae):
    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        mean, log_variance = ops.split(self.encoder(x, training=True), 2, axis=-1)
        reconstruction = ops.mean(bernoulli_nats(x, self.decoder(mean, training=True)))
        self.trackers[0].update_state(reconstruction)
        self.trackers[1].update_state(vae.kl_divergence(mean, log_variance))
        return reconstruction


class TidyVae(vae.Vae):
    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        mean, log_variance = ops.split(self.encoder(x, training=True), 2, axis=-1)
        z = mean + ops.exp(log_variance / 2) * keras.random.normal(ops.shape(mean), seed=self.noise)
        rebuilt = ops.sigmoid(self.decoder(z, training=True))
        reconstruction = ops.mean(keras.losses.binary_crossentropy(x, rebuilt))
        price = ops.mean(vae.kl_divergence(mean, log_variance))
        self.trackers[0].update_state(reconstruction)
        self.trackers[1].update_state(price)
        return reconstruction + price


# %% tags=["clinic"]
invented, unfolded = {}, {}
for name, network in {"sharp": SharpVae, "tidy": TidyVae, "repaired": vae.Vae}.items():
    training.set_seed(0)
    patient = network(vae.encoder((28, 28, 1), 32), vae.decoder(16, (28, 28, 1)))
    print(name)
    train(patient, images[:9600], epochs=2, numbers=numbers)
    mean, _ = patient.encode(validation_images)
    print(f"the means spread by {approx(mean.std(), 2)}\n")
    invented[name] = patient.sample(12, seed=2)
    unfolded[name] = patient.reconstruct(validation_images[:12])

# %% tags=["clinic", "hide-input"]
figures.images(
    [figures.sheet(part[name], columns=12) for name in invented for part in (unfolded, invented)],
    [f"{name}: {what}" for name in invented for what in ("rebuilt", "generated")],
    columns=2,
    size=5.8,
    alt="Sharp: rebuilt pictures are soft clothes, generated ones much alike, smears. Tidy:"
    " rebuilt and generated pictures are all the same grey mean of clothes. Repaired: rebuilt ones"
    " are as soft, generated ones soft clothes of several classes, with a few smears.",
)

# %% [markdown]
# "Sharp" decodes the mean and has no KL term: an autoencoder in disguise, with a far larger KL than the repaired
# one and smears for samples. "Tidy" averages over the 784 pixels but sums the KL, as if $\beta$ were 784: a nat of code
# must save 784 nats of picture, so nothing is stored. Repair: draw $z$, keep the KL, sum both over a whole picture.
#
# ## Summary
#
# - A plain autoencoder invents badly: its codes lie in streaks, with holes between.
# - A VAE makes a lower bound of $\log p(x)$ large: minus reconstruction by a cloud of codes, minus the cloud's KL
#   divergence from $N(0, I)$.
# - The reparameterisation trick lets the gradient pass a random draw.
# - State the likelihood and the unit, such as nats per picture.
# - Judge samples by several numbers and a grid, beside baselines and the floor.
# - $\beta$ trades detail for cheaper codes; the KL of each latent number shows collapse.
#
# ## Glossary
#
# | English | 中文 | in one sentence |
# |---|---|---|
# | autoencoder | 自编码器 | rebuilds its input through a code |
# | latent space | 潜在空间(隐空间) | where codes live |
# | variational autoencoder (VAE) | 变分自编码器 | autoencoder with random codes, trained by the ELBO |
# | density, expectation | 概率密度、期望 | share of draws by width; mean over many draws |
# | likelihood | 似然 | probability of the data, given the model |
# | prior, posterior | 先验、后验 | codes before and after seeing the picture |
# | evidence lower bound (ELBO) | 证据下界 | minus reconstruction, minus KL; at most log p(x) |
# | Kullback-Leibler (KL) divergence | KL 散度(相对熵) | mean of log q − log p, drawn from q |
# | reparameterisation trick | 重参数化技巧 | a draw as mean plus deviation times noise |
# | posterior collapse | 后验坍塌 | codes that say nothing of their pictures |
#
# ## What to read next
#
# - Diederik Kingma and Max Welling, *Auto-encoding variational Bayes*, 2013: the VAE.
# - Yuri Burda and others, *Importance weighted autoencoders*, 2016.
# - Irina Higgins and others, *beta-VAE*, 2017.
# - Oleh Rybkin and others, *Simple and effective VAE training with calibrated decoders*, 2021: the learned width.
# - Muhammad Ferjad Naeem and others, *Reliable fidelity and diversity metrics for generative models*, 2020:
#   coverage.
#
# ## The large version
#
# `TRAIN_FULL = True` trains the wider network that ships; run again, it goes on from the last epoch.

# %%
TRAIN_FULL = False
minutes = recipe.minutes(recipe.FULL)
record = json.loads((paths.WEIGHTS / "vae_fashion.json").read_text())
print("full profile on this machine:", approx(minutes, 0), "minutes")
print("recorded:", record["device"], round(record["seconds"] / 60, 1), "minutes")

# %%
if TRAIN_FULL:
    recipe.train(recipe.model(recipe.FULL), recipe.FULL, resume="lesson_07_full")
