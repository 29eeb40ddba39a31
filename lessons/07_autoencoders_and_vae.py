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
# Squeeze pictures through a few numbers, learn to unfold them again, then choose new numbers. This lesson
# makes that work.
#
# - **You will be able to** train an autoencoder and see why it cannot invent, derive the loss that repairs
#   it, train a variational autoencoder, and judge and steer what it invents.
# - **You need** [lesson 05](05_cnn_classifier.ipynb) for training.
# - **Time**: about two hours to work through; all cells together run in a few minutes, most of it training.

# %%
import json
from dataclasses import replace

import keras
import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf
from keras import ops
from scipy.special import logsumexp
from scipy.stats import norm
from sklearn.decomposition import PCA

from course_utils import data, figures, metrics, models, panels, paths, recipes, training
from course_utils.checks import lesson_07 as check
from course_utils.models import vae
from course_utils.report import approx, measured

# %% [markdown]
# Two such networks ship with the course. Each row below begins and ends with a picture that they were not
# trained on, unfolded again; all between are invented.


# %%
def walk(model, start, end, steps=10, labels=None):
    """Pictures (steps, h, w, c) on the straight way between two pictures' codes."""
    ends, _ = model.encode(np.stack([start, end]), labels)
    shares = np.linspace(0, 1, steps)[:, None]
    return model.decode((1 - shares) * ends[0] + shares * ends[1], labels)


# %%
validation_images, validation_labels = data.fashion_mnist("validation")
emoji, families = data.emoji_pictures("test")
large, large_emoji = models.load("vae_fashion"), models.load("vae_emoji")
pairs = [(0, 9), (1, 3), (8, 5)]  # kinds of clothes
first = [validation_images[validation_labels == kind][4] for kind in range(10)]
clothes = [walk(large, first[a], first[b]) for a, b in pairs]
faces = [walk(large_emoji, emoji[a], emoji[b], labels=0) for a, b in [(0, 44), (10, 62), (4, 140)]]

# %% tags=["hide-input"]
figures.images(
    [figures.sheet(np.concatenate(rows), columns=10) for rows in (clothes, faces)],
    size=5.6,
    alt="Left, three rows in grey: a T-shirt turns into an ankle boot, a trouser into a"
    " dress, a bag into a sandal, step by step. Right, three rows of small pictures in"
    " colour: one emoji melts into another, with blurred blends on the way.",
)

# %% [markdown]
# ## 1 · What is left of a picture in two numbers?
#
# An **autoencoder** is two networks in a row: an **encoder** $f$ turns a picture $x$ into a **code** $z$ of a
# few numbers, a **decoder** $g$ turns the code back into a picture. They learn together to lose little.
#
# $$z = f(x) \qquad \hat x = \sigma(g(z)) \qquad x, \hat x: (n, 28, 28, 1) \qquad z: (n, 2)$$
#
# $\sigma$ is the sigmoid, which turns any number into one between 0 and 1. Our loss reads $\hat x$ as a
# probability that a pixel is white, and is minus the logarithm of the probability of the picture: summed over
# its pixels, averaged over pictures. Its unit is the **nat**, 1.44 bits. The numbers of all trainings below
# stand, each with its reason, in the recipe `course_utils/recipes/vae_fashion.py`.


# %%
def bernoulli_nats(images, logits):
    """-log p(image) of each picture (n,), where sigmoid(logits) is the chance of a white pixel."""
    # -x log s(a) - (1 - x) log(1 - s(a)) = log(1 + e^a) - x a
    return ops.sum(ops.softplus(logits) - images * logits, axis=(1, 2, 3))


def train(model, images, targets=None, *, epochs, numbers, loss=None):
    """Train by Adam with the one-cycle schedule of lesson 05; return the history."""
    steps = epochs * (len(images) // numbers.batch_size)
    model.compile(
        keras.optimizers.Adam(training.one_cycle(numbers.learning_rate, steps)), loss=loss
    )
    length = {"epochs": epochs, "batch_size": numbers.batch_size, "seed": numbers.seed}
    return training.fit(model, images, targets, **length).history


# %%
recipe = recipes.find("vae_fashion")
numbers = recipe.numbers()
images, labels = data.fashion_mnist("train")
training.set_seed(numbers.seed)
encoder, decoder = vae.encoder((28, 28, 1), 2), vae.decoder(2, (28, 28, 1))
autoencoder = keras.Sequential([encoder, decoder])
history = train(
    autoencoder,
    images,
    images,
    epochs=2,
    numbers=numbers,
    loss=bernoulli_nats,
)

# %% [markdown]
# The encoder halves the picture twice by convolutions with stride 2, then two dense layers lead to the code;
# the decoder goes the same way back with transposed convolutions. The baseline is **principal component
# analysis** (PCA), the best that two numbers can do if decoding may only add and multiply.

# %%
plane = PCA(2, random_state=0).fit(images.reshape(-1, 784))
flat = plane.inverse_transform(plane.transform(validation_images.reshape(-1, 784)))
by_pca = flat.reshape(-1, 28, 28, 1)
rebuilt = ops.convert_to_numpy(ops.sigmoid(autoencoder.predict(validation_images, verbose=0)))
for name, pictures in {"PCA": by_pca, "autoencoder": rebuilt}.items():
    error = np.sqrt(np.mean((pictures - validation_images) ** 2))
    print(f"{name:12} root mean square error of a pixel {approx(error)}")

# %% tags=["hide-input"]
figures.images(
    [
        figures.sheet(pictures[:12], columns=12)
        for pictures in (validation_images, by_pca.clip(0, 1), rebuilt)
    ],
    ["pictures", "from two numbers, by PCA", "from two numbers, by the autoencoder"],
    columns=1,
    size=9,
    alt="Twelve pictures of clothes, and twice what two numbers keep of them. PCA leaves"
    " grey ghosts of a shirt or a shoe. The autoencoder draws clean, plain clothes,"
    " mostly of the right kind, without pattern or print.",
)

# %% [markdown]
# Two numbers hold the kind and a rough cut; prints and patterns are gone.
#
# ## 2 · Why can it not invent?
#
# To invent, pick a new code and decode it. But where? Left are the codes of 5,000 pictures. Right we decode
# the middle of each cell of a grid over them; cells that hold no code are tinted.


# %%
def decode_plain(decoder, codes):
    """Pictures (n, 28, 28, 1) of codes, by the decoder of a plain autoencoder."""
    codes = np.asarray(codes, np.float32)
    return ops.convert_to_numpy(ops.sigmoid(decoder.predict(codes, batch_size=500, verbose=0)))


# %%
codes = encoder.predict(validation_images, verbose=0)  # (5000, 2)
low, high = np.quantile(codes, [0.005, 0.995], axis=0)
counts, *edges = np.histogram2d(*codes.T, bins=16, range=np.stack([low, high], axis=1))
middles = [(edge[1:] + edge[:-1]) / 2 for edge in edges]
grid = np.stack(np.meshgrid(middles[0], middles[1][::-1]), axis=-1).reshape(-1, 2)
tiles = decode_plain(decoder, grid).repeat(3, axis=-1)
is_empty = counts.T[::-1].ravel() == 0
tiles[is_empty] = 1 - (1 - tiles[is_empty]) * np.array([0.6, 0.8, 1])
print("cells without a code:", approx(100 * is_empty.mean(), 0), "per cent")

# %% tags=["hide-input"]
figure, axes = plt.subplots(1, 2, figsize=(12, 5.6))
colours = np.array(plt.get_cmap("tab10").colors)
for kind, name in enumerate(data.FASHION_MNIST_NAMES):
    axes[0].scatter(*codes[validation_labels == kind].T, s=3, color=colours[kind], label=name)
axes[0].set(xlabel="first number of the code", ylabel="second number", title="where the codes lie")
axes[0].set(xlim=(low[0], high[0]), ylim=(low[1], high[1]))
axes[0].legend(markerscale=5, fontsize=8, ncols=2, frameon=True)
figures.draw_image(
    axes[1], figures.sheet(tiles, columns=16), "what the decoder makes of each place"
)
figures.show(
    figure,
    alt="Left, a scatter of codes in ten colours: they form streaks and clouds with empty"
    " places between. Right, a grid of decoded pictures of the same region; the cells"
    " without a code are tinted, and some of them show smears that belong to no kind of"
    " clothes.",
)

# %% [markdown]
# The codes lie in streaks, at a scale of their own, with **holes** between. Nothing ever asked the decoder
# for sense there. We need an encoder that fills its space, in a shape that we can draw from.
#
# ## 3 · What should the loss be?
#
# Let us write down the machine we want. It draws $z$ from a normal distribution, $p(z) = N(0, I)$, and a
# picture from $p(x|z)$, given by the decoder. Training should make the real pictures likely: $\log p(x)$
# large. But $p(x)$ sums over all $z$, and nearly none of them fits a given $x$. So a helper, the encoder,
# proposes a small cloud of fitting ones: $q(z|x) = N(\mu, \text{diag}(\sigma^2))$. Line by line:
#
# $$\begin{aligned} \log p(x) &= \log \int p(x|z)\,p(z)\,dz &&\text{all } z \text{ that may have made } x\\ &= \log\, \mathbb{E}_{q}\!\left[\frac{p(x|z)\,p(z)}{q(z|x)}\right] &&\text{multiply and divide by } q\\ &\ge \mathbb{E}_{q}\!\left[\log \frac{p(x|z)\,p(z)}{q(z|x)}\right] &&\text{the logarithm of a mean is at least the mean of logarithms}\\ &= \underbrace{\mathbb{E}_q[\log p(x|z)]}_{-\text{reconstruction}} - \underbrace{\mathbb{E}_q\!\left[\log \frac{q(z|x)}{p(z)}\right]}_{\text{KL}(q\,\|\,p)} &&\text{split} \end{aligned}$$
#
# The last line is the **evidence lower bound** (ELBO). Its first term is the autoencoder's loss with a cloud
# for a code; the second, the **Kullback-Leibler divergence**, is the price of a cloud that differs from $N(0,
# I)$. What the inequality loses is exactly the divergence between $q$ and the true $p(z|x)$. One number each
# for $x$ and $z$ shows it, since there everything is known:

# %%
x, noise_level = 1.5, 0.5  # p(z) = N(0, 1), p(x|z) = N(z, 0.5^2), hence p(x) = N(0, 1.25)
exact = norm.logpdf(x, 0, np.sqrt(1 + noise_level**2))
best = np.sqrt(noise_level**2 / (1 + noise_level**2))  # the spread of the true p(z|x)
means = np.linspace(-0.5, 2.5, 200)
curves = {}
for spread in (0.15, best, 1.0):
    fit = norm.logpdf(x, means, noise_level) - spread**2 / (2 * noise_level**2)
    price = 0.5 * (means**2 + spread**2 - 1 - np.log(spread**2))
    curves[spread] = fit - price
    print(f"spread {spread:.2f}: best ELBO {np.max(curves[spread]):.3f}, log p(x) {exact:.3f}")

# %% tags=["hide-input"]
figure, axes = plt.subplots(figsize=(7, 3.4))
for spread, curve in curves.items():
    axes.plot(means, curve, label=f"ELBO, spread of q {spread:.2f}")
axes.axhline(exact, color="black", linestyle="--", linewidth=1, label="log p(x)")
axes.set(xlabel="mean of q", ylabel="nats", ylim=(-6, -1))
axes.legend(loc="lower center")
figures.show(
    figure,
    alt="Three curves of the bound against the mean of q, for a narrow, a right and a wide"
    " q, under a dashed line at log p(x). Only the one with the right spread touches the"
    " line, at one mean.",
)

# %% [markdown]
# The bound touches $\log p(x)$ only where $q$ is the true $p(z|x)$: making it large trains both networks at
# once. For normal distributions the KL term can be worked out:
#
# $$\text{KL}(q\,\|\,p) = \tfrac12 \sum_{j=1}^{d} \left(\mu_j^2 + \sigma_j^2 - 1 - \log \sigma_j^2\right) \qquad \mu, \sigma: (n, d)$$

# %%
mean, deviation = np.array([1.0, -0.5]), np.array([0.3, 1.2])
closed = 0.5 * np.sum(mean**2 + deviation**2 - 1 - np.log(deviation**2))
rng = np.random.default_rng(0)
for count in (100, 10_000, 1_000_000):
    z = mean + deviation * rng.standard_normal((count, 2))
    ratio = (norm.logpdf(z, mean, deviation) - norm.logpdf(z)).sum(axis=1)
    error = ratio.std() / np.sqrt(count)
    agrees = abs(ratio.mean() - closed) < 3 * error
    print(f"{count:9,} draws: {ratio.mean():.3f} ± {error:.3f}, formula {closed:.3f}: {agrees}")

# %% [markdown]
# ## 4 · How does one differentiate through a die?
#
# The first term is a mean over random $z$, and $\mu$ and $\sigma$ decide how they fall. If the draw happens
# outside of what TensorFlow records, no gradient comes back. The **reparameterisation trick** draws noise
# first, which depends on nothing, and moves it: $z = \mu + \sigma\,\varepsilon$, $\varepsilon \sim N(0, I)$.
# As a test we take the mean of $z^2$, whose derivative by $\mu$ is $2\mu$.


# %%
def slope_of_mean_square(draw, start):
    """The derivative of the mean of z^2 by the mean of z, as the tape finds it, or None."""
    mean = tf.Variable(start)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(draw(mean) ** 2)
    return tape.gradient(loss, mean)


def draw_outside(mean):
    return tf.constant(np.random.default_rng(0).normal(mean.numpy(), 0.5, 100_000))


def draw_reparameterised(mean):
    return mean + 0.5 * tf.constant(np.random.default_rng(0).standard_normal(100_000), tf.float32)


print("drawn outside:   ", slope_of_mean_square(draw_outside, 1.5))
print("reparameterised: ", approx(slope_of_mean_square(draw_reparameterised, 1.5), 2))
print("exact:           ", 2 * 1.5)

# %% [markdown]
# There is another way, for any distribution: weigh $z^2$ by $\partial \log q(z) / \partial\mu = (z -
# \mu)/\sigma^2$. Its mean is right too, but look at the spread of single draws:

# %%
z = 1.5 + 0.5 * rng.standard_normal(20_000)
ways = {"reparameterised: 2z": 2 * z, "by the density: z² (z - μ) / σ²": z**2 * (z - 1.5) / 0.5**2}
for name, slopes in ways.items():
    print(f"{name:32} mean {slopes.mean():5.2f}, standard deviation {slopes.std():5.2f}")

# %% tags=["hide-input"]
figure, axes = plt.subplots(figsize=(7, 2.8))
for name, slopes in ways.items():
    axes.hist(slopes, bins=120, range=(-5, 25), histtype="step", linewidth=2, label=name)
axes.axvline(3, color="black", linestyle="--", linewidth=1, label="exact slope")
axes.set(xlabel="slope from one draw", ylabel="draws")
axes.legend()
figures.show(
    figure,
    alt="Two histograms of the slope estimated from single draws. The reparameterised one"
    " is a narrow hill around the exact slope; the other spreads over many times its"
    " width.",
)

# %% [markdown]
# Learning needs few draws if each is worth much. With reparameterisation one $z$ a picture will do.
#
# ## 5 · Does it work?
#
# The encoder now returns $2d$ numbers for each picture, $\mu$ and $\log\sigma^2$ (which may have any sign).
# One step of training, in the open:


# %%
def negative_elbo(model, images, noise):
    """Reconstruction and KL of each picture, (n,) each, in nats. noise: (n, d), from N(0, 1)."""
    mean, log_variance = ops.split(model.encoder(images, training=True), 2, axis=-1)
    z = mean + ops.exp(log_variance / 2) * noise
    kl = 0.5 * ops.sum(mean**2 + ops.exp(log_variance) - 1 - log_variance, axis=-1)
    return bernoulli_nats(images, model.decoder(z, training=True)), kl


# %%
black_white = np.float32(images >= 0.5)  # binarised: each pixel 0 or 1
training.set_seed(numbers.seed)
model = recipe.build(numbers)
optimizer = keras.optimizers.Adam(0.001)
for step in range(31):
    batch = black_white[step * 256 : (step + 1) * 256]
    noise = rng.standard_normal((256, numbers.latent_size), dtype=np.float32)
    with tf.GradientTape() as tape:
        reconstruction, kl = negative_elbo(model, batch, noise)
        loss = tf.reduce_mean(reconstruction + kl)
    optimizer.apply(tape.gradient(loss, model.trainable_variables), model.trainable_variables)
    if step % 10 == 0:
        print(f"step {step:2}: {approx(loss, 0)} nats")

# %% [markdown]
# `vae.Vae` is the same as a Keras model, so that `fit` trains it: the loss of its `compute_loss` is this one.
# We train it on **binarised** pictures, where the likelihood is exact, each pixel being a coin toss, and
# compare with the convolutional network of well-known tutorials, trained with the same loss in a recorded
# run.

# %%
training.set_seed(numbers.seed)
binary_vae = recipe.build(numbers)
print(f"{binary_vae.count_params():,} weights, {numbers.latent_size} latent numbers")
history = train(binary_vae, black_white, epochs=numbers.epochs, numbers=numbers)

# %%
test_images, _ = data.fashion_mnist("test")
black_white_test = np.float32(test_images >= 0.5)
elbo = binary_vae.log_weights(black_white_test, samples=1).mean()
measured("-ELBO on binarised test images", -elbo, at_most=128, digits=1, unit="nats")
runs = json.loads((paths.BENCHMARKS / "07_bounds.json").read_text())["runs"]
print(f"\n{'recorded runs':30} -ELBO    weights  processor seconds")
for name, run in runs.items():
    result = run["seeds"]["0"]
    seconds = result["processor_seconds"][-1]
    print(f"{name:30} {result['negative_elbo']:5.1f} {run['parameters']:10,} {seconds:10.0f}")

# %% [markdown]
# At equal latent size ours is lower by more than ten nats, in less time. Both are convolutional. Ours has
# fewer channels where maps are large, and its weights in the dense layers between; with normalisation it also
# learns at a far higher rate.
#
# Mind the **scale**: all terms are in nats *per picture*. Sum over pixels and over latent numbers, then
# average over pictures. The mean over pixels would shrink the first term 784 times, and the KL term would
# crush it (see the clinic).
#
# How loose is the bound? Take $K$ draws and put the mean *inside* the logarithm: the **importance-weighted
# bound** lies between the ELBO ($K=1$) and $\log p(x)$.
#
# $$\log p(x) \;\ge\; \mathbb{E}\left[\log \frac1K \sum_{k=1}^K \frac{p(x|z_k)\,p(z_k)}{q(z_k|x)}\right] \;\ge\; \text{ELBO} \qquad z_k \sim q(z|x)$$

# %%
weights = binary_vae.log_weights(black_white_test[:500], samples=256)  # (500, 256), in nats
draws = [1, 2, 4, 8, 16, 32, 64, 128, 256]
bounds = [(logsumexp(weights.reshape(-1, count), axis=1) - np.log(count)).mean() for count in draws]
library = vae.log_likelihood_bound(binary_vae, black_white_test[:500], samples=256).mean()
print("agrees with the library:", np.isclose(library, bounds[-1], atol=1e-3))
print("gained by 256 draws:", approx(bounds[-1] - bounds[0], 1), "nats")

# %% tags=["hide-input"]
figure, axes = plt.subplots(figsize=(7, 2.8))
axes.plot(draws, bounds, "o-")
axes.set(xscale="log", xlabel="draws K for each picture", ylabel="bound of log p(x), nats")
axes.set_xticks(draws, draws)
figures.show(
    figure,
    alt="The importance-weighted bound against the number of draws, on a logarithmic axis:"
    " it climbs with every doubling, more and more slowly.",
)

# %% [markdown]
# ## 6 · What does a grey pixel mean?
#
# The loss follows from what we say a pixel *is*. For grey pictures there are choices. **Bernoulli**: read the
# grey level as the chance of white; then the loss is the expected loss of pictures whose pixels are tossed.
# **Gaussian**: the level is the mean of a normal distribution of width $\sigma$, which gives squared error
# divided by $2\sigma^2$. With $\sigma=1$ this is the "squared error" of many tutorials; $\sigma$ can also be
# learned.

# %%
one = validation_images[:1]
chance = np.full_like(one, 0.3)
tossed = np.float32(rng.random((2000, 28, 28, 1)) < one)
logits = np.log(chance / (1 - chance))
on_tosses = bernoulli_nats(tossed, logits.repeat(2000, axis=0)).numpy()
on_grey = float(bernoulli_nats(one, logits)[0])
error = on_tosses.std() / np.sqrt(2000)
print(f"tossed {on_tosses.mean():.1f} ± {error:.1f}, grey {on_grey:.1f} nats")

# %%
runs = json.loads((paths.BENCHMARKS / "07_likelihoods.json").read_text())["runs"]
columns = ("negative_elbo", "kl", "pixel_error", "frechet_distance", "coverage")
print(f"{'recorded runs':24}  -ELBO     KL  pixel error  Fréchet  coverage")
for name, run in runs.items():
    result = run["seeds"]["0"] | {"kl": run["seeds"]["0"]["val_kl"][-1]}
    elbo, kl, error, distance, coverage = (result[column] for column in columns)
    print(f"{name:24} {elbo:6.0f} {kl:6.1f} {error:12.3f} {distance:8.1f} {coverage:9.2f}")

# %% [markdown]
# The first column cannot be compared from row to row: a probability of coin tosses and a density are
# different things, and a density over 1 makes $-$ELBO negative. What can be compared are pictures. With
# $\sigma=1$ a wrong pixel costs next to nothing, so little is stored (small KL) and all is blurred. The
# learned $\sigma$ stores most, and rebuilds best. For *new* pictures (the last two columns, section 7)
# Bernoulli did best here: a code that is cheap is also easier to hit by drawing from $N(0, I)$. We take it.

# %%
training.set_seed(numbers.seed)
model = recipe.build(numbers)
history = train(model, images, epochs=numbers.epochs, numbers=numbers)
rebuilt = model.reconstruct(validation_images[:24])
invented = model.sample(24, seed=1)

# %% tags=["hide-input"]
figures.images(
    [
        figures.sheet(validation_images[:24], columns=12),
        figures.sheet(rebuilt, columns=12),
        figures.sheet(invented, columns=12),
    ],
    ["pictures", "rebuilt from 16 numbers", "invented"],
    columns=1,
    size=9,
    alt="Two rows each of pictures, the same rebuilt, and invented ones. The rebuilt ones"
    " keep kind and cut and lose prints. Most invented ones can be taken for clothes,"
    " soft like the rebuilt ones; a few are blends.",
)

# %% [markdown]
# ## 7 · Is it better than something simple?
#
# Three baselines. **Pixels**: each drawn from its own normal distribution. **PCA**: sixteen numbers drawn
# from theirs. **Autoencoder**: a plain one with sixteen numbers, drawn in two ways, from $N(0, I)$ as in a
# VAE, or from the normal distribution that fits its codes best.

# %%
training.set_seed(numbers.seed)
size = numbers.latent_size
plain = keras.Sequential([vae.encoder((28, 28, 1), size), vae.decoder(size, (28, 28, 1))])
options = {"epochs": 2, "numbers": numbers, "loss": bernoulli_nats}
history = train(plain, images, images, **options)


# %%
def baselines(images, encoder, decoder, size, count, seed):
    """Pictures (count, 28, 28, 1) of each simple way to invent some."""
    rng = np.random.default_rng(seed)
    pixels = images.reshape(-1, 784)
    by_pixel = pixels.mean(axis=0) + pixels.std(axis=0) * rng.standard_normal((count, 784))
    pca = PCA(size, random_state=0).fit(pixels)
    drawn = np.sqrt(pca.explained_variance_) * rng.standard_normal((count, size))
    codes = encoder.predict(images[:20_000], verbose=0)
    fitted = rng.multivariate_normal(codes.mean(axis=0), np.cov(codes.T), count)
    shape = (count, 28, 28, 1)
    return {
        "pixels": np.float32(by_pixel.clip(0, 1)).reshape(shape),
        "PCA": np.float32(pca.inverse_transform(drawn).clip(0, 1)).reshape(shape),
        "autoencoder, N(0, I)": decode_plain(decoder, rng.standard_normal((count, size))),
        "autoencoder, fitted": decode_plain(decoder, fitted),
    }


# %%
made = baselines(images, *plain.layers, size, count=10_000, seed=1)
made["VAE, this lesson"] = model.sample(10_000, seed=1)
made["VAE, shipped"] = large.sample(10_000, seed=1)

# %% tags=["hide-input"]
figures.images(
    [figures.sheet(pictures[:20], columns=10) for pictures in made.values()],
    list(made),
    columns=2,
    size=5.5,
    alt="Twenty pictures by each of six generators. Pixels: a grey cloud of noise. PCA:"
    " ghosts of shirts and shoes. The autoencoder from N(0, I): smeared clothes; fitted:"
    " better, many blends. The two VAEs: mostly clean clothes, soft.",
)

# %% [markdown]
# Eyes agree; now numbers. They compare pictures by 160 features of the shipped classifier of lesson 05. The
# **Fréchet distance** compares mean and covariance of the features: 0 is best. The others look at neighbours:
# **precision** is the share of made pictures that lie close to real ones, **recall** the share of real ones
# close to made ones, **density** counts how closely packed, and **coverage** is the share of real pictures
# with a made one among their nearest. **Effective classes** says among how many kinds the pictures are
# spread, **diversity** how far apart they are. The last row is real pictures in the place of made ones.

# %%
judge = metrics.Judge(test_images, images[-10_000:])
scores = {name: judge(pictures) for name, pictures in made.items()}
metrics.table(scores)
ours = scores["VAE, this lesson"]
measured("Fréchet distance", ours["frechet_distance"].value, at_most=9.5, digits=1)
measured("coverage", ours["coverage"].value, at_least=0.28, digits=2)

# %%
for metric in ("frechet_distance", "kernel_distance", "coverage"):
    values = {name: score[metric].value for name, score in scores.items() if "shipped" not in name}
    choose = max if ours[metric].better == "higher" else min
    print(f"best of the first five in {metric}: {approx(choose(values, key=values.get))}")

# %% [markdown]
# Ours wins in Fréchet distance, kernel distance, density and coverage. In precision and classes a plain
# autoencoder keeps up, and in *recall* even PCA is ahead. Its wild pictures lie in thin company, so the
# circles around them are wide, and many real ones fall inside; our VAE stays near the middle of each kind and
# leaves out the prints. Nor is the *precision* of pure noise zero: the classifier never saw noise and puts
# all of it in one place, within the circles of some real pictures; coverage gives it away. So judge by
# Fréchet distance and coverage together, beside the floor and a grid of pictures.
#
# ## 8 · What is in the latent space?
#
# With two latent numbers the whole space fits on a page. Each axis is divided so that each step holds the
# same share of $N(0, 1)$.

# %%
training.set_seed(numbers.seed)
flat_vae = recipe.build(replace(numbers, latent_size=2))
history = train(flat_vae, images, epochs=2, numbers=numbers)
ticks = norm.ppf((np.arange(20) + 0.5) / 20)
grid = np.stack(np.meshgrid(ticks, ticks[::-1]), axis=-1).reshape(-1, 2)
tiles = flat_vae.decode(grid)
flat_codes, _ = flat_vae.encode(validation_images)
spread = flat_codes.std(axis=0)
print("codes of the VAE:        mean", *(approx(m, 1) for m in flat_codes.mean(axis=0)), end=", ")
print("standard deviation", *(approx(s, 1) for s in spread))
print("codes of the autoencoder: standard deviation", *(approx(s, 1) for s in codes.std(axis=0)))

# %% tags=["hide-input"]
figure, axes = plt.subplots(1, 2, figsize=(12, 5.8))
for kind, name in enumerate(data.FASHION_MNIST_NAMES):
    places = norm.cdf(flat_codes[validation_labels == kind])
    axes[0].scatter(*places.T, s=3, color=colours[kind], label=name)
axes[0].set(xlabel="share of N(0, 1) below z0", ylabel="share below z1", xlim=(0, 1), ylim=(0, 1))
axes[0].set(title="where the codes lie", aspect="equal")
axes[0].legend(markerscale=5, fontsize=8, ncols=5, loc="upper center", bbox_to_anchor=(0.5, -0.12))
figures.draw_image(
    axes[1],
    figures.sheet(tiles, columns=20),
    "what the decoder makes of each place",
)
figures.show(
    figure,
    alt="Left, codes in ten colours fill most of a square, with narrow gaps between some"
    " kinds. Right, a map of twenty by twenty decoded pictures: trousers, dresses, tops,"
    " bags, boots and shoes have regions of their own that flow into each other; along"
    " the gaps they fade.",
)

# %% [markdown]
# The scale is known now, and the codes fill it but for a few gaps, across which the decoder fades from one
# kind to the next: clouds had to overlap, so that neighbours mean similar things. Back to sixteen numbers,
# and to what such a space is good for.


# %%
def crossfade(start, end, steps=10):
    """Pictures (steps, h, w, c) that mix two pictures pixel by pixel."""
    shares = np.linspace(0, 1, steps)[:, None, None, None]
    return (1 - shares) * start + shares * end


# %%
rows = [
    way
    for a, b in pairs
    for way in (crossfade(first[a], first[b]), walk(model, first[a], first[b]))
]

# %% tags=["hide-input"]
figures.images(
    [figures.sheet(np.concatenate(rows), columns=10)],
    size=9,
    alt="Three pairs of rows. In the first row of each pair one picture fades while the"
    " other appears, both visible half-way. In the second one picture changes shape into"
    " the other, and what lies between is a single piece of clothing.",
)

# %% [markdown]
# The first row of each pair mixes pixels: a double exposure. The second walks between codes: half-way there
# is *one* thing. **Arithmetic** is tried often: the mean code of pullovers minus that of T-shirts should mean
# "long sleeves", that of ankle boots minus that of sneakers "a shaft".

# %%
many, _ = model.encode(images[:20_000])
centres = [many[labels[:20_000] == kind].mean(axis=0) for kind in range(10)]
changes = {3: centres[2] - centres[0], 5: centres[9] - centres[7]}  # of dresses, of sandals
rows = []
for kind, change in changes.items():
    chosen, _ = model.encode(validation_images[validation_labels == kind][:12])
    rows += [model.decode(chosen), model.decode(chosen + change)]

# %% tags=["hide-input"]
figures.images(
    [figures.sheet(pictures, columns=12) for pictures in rows],
    ["dresses, rebuilt", "and long sleeves added", "sandals, rebuilt", "and a shaft added"],
    columns=1,
    size=9,
    alt="Dresses and below them the same with sleeves added: the wide ones get long sleeves"
    " at their sides and end higher, some narrow ones fade. Sandals and below them the"
    " same with a shaft added: most stay what they were, a little fuller and brighter.",
)

# %% [markdown]
# Sleeves appear, and hems rise with them: a mean of many pictures carries more than its name says. The shaft
# hardly shows. Arithmetic of codes is a hope, not a law; nothing in the loss asks for it.
#
# Which numbers of the code matter? The KL term adds up over them, so it can be read one by one. A
# **traversal** moves one number and keeps the others.

# %%
mean, deviation = model.encode(validation_images)
price = 0.5 * np.mean(mean**2 + deviation**2 - 1 - np.log(deviation**2), axis=0)  # (16,)
order = np.argsort(-price)
print("numbers that cost under 0.05 nats:", approx(np.sum(price < 0.05), 0))

# %%
start = mean[validation_labels == 9][0]
moved = np.repeat(start[None], 6 * 11, axis=0).reshape(6, 11, -1)
for row, number in enumerate(order[:6]):
    moved[row, :, number] = np.linspace(-3, 3, 11)
tiles = model.decode(moved.reshape(66, -1))

# %% tags=["hide-input"]
figure, axes = plt.subplots(1, 2, figsize=(12, 3.9), width_ratios=[1, 1.7])
axes[0].bar(np.arange(numbers.latent_size), price[order])
axes[0].set_xticks(np.arange(numbers.latent_size), [f"z{number}" for number in order], rotation=90)
axes[0].set(ylabel="KL in nats", title="what each number of the code costs")
figures.draw_image(
    axes[1],
    figures.sheet(tiles, columns=11),
    "the six dearest, each from -3 to 3",
)
figures.show(
    figure,
    alt="Left, bars of the KL of each latent number, sorted: the first few are high, the"
    " last ones are near zero. Right, six rows of eleven pictures, each moving one"
    " number: an ankle boot turns into other shoes, bags or tops, gets higher, lighter"
    " or darker.",
)

# %% [markdown]
# Try it yourself: in JupyterLab the sliders move the six dearest numbers.

# %%
panels.latent_explorer(model.decode, start, order[:6].tolist())

# %% [markdown]
# ## 9 · How much should a code cost?
#
# **$\beta$-VAE** weighs the KL term by $\beta$. Small $\beta$ leads back to the autoencoder; large $\beta$
# makes codes so dear that the networks give up on them. Recorded runs, on binarised pictures:

# %%
runs = json.loads((paths.BENCHMARKS / "07_betas.json").read_text())["runs"]
points = {}
print(f"{'recorded':10} reconstruction     KL    sum  numbers in use")
for name, run in runs.items():
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
# Each point trades nats for nats. The sum of both, which is $-$ELBO, is smallest where $\beta=1$, since that
# is what it trains for. At the left end is **posterior collapse**: $q(z|x)$ is next to $N(0, I)$ for every
# picture, $z$ says next to nothing, and all samples are one grey mean. We call a number *in use* if its mean
# varies over pictures (variance over 0.01).

# %%
runs = json.loads((paths.BENCHMARKS / "07_sizes.json").read_text())["runs"]
print(f"{'recorded':10}  -ELBO     KL  numbers in use")
for name, run in runs.items():
    result = run["seeds"]["0"]
    elbo, kl, used = (result["negative_elbo"], result["val_kl"][-1], result["active_units"])
    print(f"{name:10} {elbo:7.1f} {kl:6.1f} {used:10}")

# %% [markdown]
# Two numbers are too few, eight nearly enough. From sixteen on it hardly matters how many there are: the code
# as a whole costs about the same, spread over more of them or not. That some say little is no fault. A code
# that should say something and does not, is: so look at the KL, number by number, and not only at the loss.
#
# ## 10 · How does one order a picture?
#
# A **conditional** VAE tells both networks the label $y$ as well: $q(z|x, y)$ and $p(x|z, y)$. The code is
# then free of the kind and left with the style. With labels in the middle, nothing else in the bound changes.

# %%
training.set_seed(numbers.seed)
conditional = recipe.build(replace(numbers, classes=10))
history = train(conditional, images, labels, epochs=numbers.epochs, numbers=numbers)
styles = np.random.default_rng(3).standard_normal((7, size)).repeat(10, axis=0)
ordered = conditional.decode(styles, labels=np.tile(np.arange(10), 7))

# %% tags=["hide-input"]
figure, axes = plt.subplots(figsize=(8.6, 6.4))
figures.draw_image(axes, figures.sheet(ordered, columns=10))
axes.set_xticks(14 + 28 * np.arange(10), data.FASHION_MNIST_NAMES, rotation=40, ha="right")
axes.set_yticks(14 + 28 * np.arange(7), [f"style {row}" for row in range(1, 8)])
figures.show(
    figure,
    alt="A grid: each column is one of the ten kinds, each row one style. In a row the"
    " clothes are alike in brightness and often in width. Most are of the kind of their"
    " column; sandals are smears or look like other shoes.",
)

# %%
asked = np.tile(np.arange(10), 200)
classifier = models.load("fashion_mnist_classifier")
pictures = {
    "ordered": (conditional.sample(2000, labels=asked), asked),
    "rebuilt": (conditional.reconstruct(validation_images, validation_labels), validation_labels),
    "real": (validation_images, validation_labels),
}
seen = {}
for name, (shown, kinds) in pictures.items():
    right = classifier.predict(shown, verbose=0).argmax(axis=1) == kinds
    seen[name] = np.mean(right)
    worst = min(range(10), key=lambda kind: right[kinds == kind].mean())
    share = right[kinds == worst].mean()
    print(f"{name}: worst {approx(data.FASHION_MNIST_NAMES[worst])}, {approx(share)}")
measured("ordered, seen as that kind", seen["ordered"], at_least=0.7, digits=2)
print("rebuilt", approx(seen["rebuilt"], 2), "real", approx(seen["real"], 2))

# %% [markdown]
# A row has one $z$ and ten labels: the same style in all kinds. Guessing would give one in ten; the
# classifier sees most pictures as what was ordered, though not as often as real ones. Part of that is blur:
# even rebuilt pictures lose some, above all the thin straps of sandals, of which a mean leaves nothing.
#
# ## 11 · And in colour?
#
# The shipped emoji network has 32 latent numbers, a Gaussian likelihood with $\sigma=0.3$, and a label: which
# of two families drew the emoji. It learned from 3,334 of them and their mirror images; these 370 it has not
# seen.

# %%
emoji_codes, _ = large_emoji.encode(emoji, families)
chosen = np.arange(0, 320, 20)  # drawn by the first family; the next one is the same by the second
rows = {
    "by the first family, unseen": emoji[chosen],
    "rebuilt": large_emoji.decode(emoji_codes[chosen], labels=0),
    "the same code, ordered from the second family": large_emoji.decode(
        emoji_codes[chosen], labels=1
    ),
    "how the second family really draws it": emoji[chosen + 1],
    "invented": large_emoji.sample(16, seed=4, labels=0),
}

# %% tags=["hide-input"]
figures.images(
    [figures.sheet(pictures, columns=16) for pictures in rows.values()],
    list(rows),
    columns=1,
    size=9.5,
    alt="Five rows of sixteen small pictures in colour. Unseen emoji; the same rebuilt,"
    " recognisable by colour and outline, blurred inside; the same code with the other"
    " family's label, similar; how the other family draws them; and invented ones:"
    " coloured blobs with soft outlines, few of which can be named.",
)

# %%
seen, seen_families = data.emoji_pictures("train")
for name, pictures, drawn_by in [
    ("seen", seen[:400], seen_families[:400]),
    ("unseen", emoji, families),
]:
    error = np.sqrt(np.mean((large_emoji.reconstruct(pictures, drawn_by) - pictures) ** 2))
    print(f"{name:7} root mean square error of a pixel {approx(error)}")
print(
    f"{len(seen):,} seen, {len(emoji)} unseen, {large_emoji.latent_size} latent numbers", end=", "
)
print(f"sigma {float(np.exp(large_emoji.log_sigma)):.1f}")

# %% [markdown]
# Rebuilt emoji keep outline and colours and lose what is small; the other label changes little. Invented ones
# are soft shapes. Two reasons. Three thousand pictures of so many different things are few, and much was
# learned by heart: the error on unseen ones is larger. And a Gaussian decoder answers with a *mean*: where it
# is unsure whether an edge lies here or there, it draws both, softly. Lesson 08 trains networks against a
# judge that does not let blur pass.
#
# ## Clinic
#
# Two networks from the wild. The first promises "sharper pictures", the second "a loss that fits on one axis
# with other models".


# %% tags=["clinic"]
class SharpVae(vae.Vae):
    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        mean, _ = ops.split(self.encoder(x, training=True), 2, axis=-1)
        return ops.mean(bernoulli_nats(x, self.decoder(mean, training=True)))


class TidyVae(vae.Vae):
    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        mean, log_variance = ops.split(self.encoder(x, training=True), 2, axis=-1)
        z = mean + ops.exp(log_variance / 2) * keras.random.normal(ops.shape(mean), seed=self.noise)
        rebuilt = ops.sigmoid(self.decoder(z, training=True))
        reconstruction = keras.losses.binary_crossentropy(x, rebuilt)
        kl = 0.5 * ops.sum(mean**2 + ops.exp(log_variance) - 1 - log_variance, axis=-1)
        return ops.mean(reconstruction) + ops.mean(kl)


# %% tags=["clinic"]
made, rebuilt = {}, {}
for name, kind in {"sharp": SharpVae, "tidy": TidyVae, "repaired": vae.Vae}.items():
    training.set_seed(0)
    patient = kind(vae.encoder((28, 28, 1), 32), vae.decoder(16, (28, 28, 1)))
    train(patient, images[:12_800], epochs=4, numbers=numbers)
    mean, deviation = patient.encode(validation_images)
    cost = 0.5 * np.mean(np.sum(mean**2 + deviation**2 - 1 - np.log(deviation**2), axis=1))
    print(f"{name:9} KL {approx(cost, 1)} nats, means spread by {approx(mean.std(), 2)}\n")
    made[name] = patient.sample(12, seed=2)
    rebuilt[name] = patient.reconstruct(validation_images[:12])

# %% tags=["clinic", "hide-input"]
figures.images(
    [figures.sheet(part[name], columns=12) for name in made for part in (rebuilt, made)],
    [f"{name}: {what}" for name in made for what in ("rebuilt", "invented")],
    columns=2,
    size=5.8,
    alt="Sharp: rebuilt pictures are clear, invented ones are smears. Tidy: rebuilt and"
    " invented pictures are all the same grey mean of clothes. Repaired: rebuilt and"
    " invented pictures are both soft clothes.",
)

# %% [markdown]
# "Sharp" decodes the mean and has no KL term: an autoencoder in disguise. Its reconstructions shine, its
# means spread wider than $N(0, 1)$, and what it invents are smears. "Tidy" averages over the 784 pixels but
# sums the KL: each nat of code must now save 784 nats of picture, so nothing is stored, KL is zero, and every
# picture is the mean. It trains with $\beta = 784$. Repair: draw $z$, keep the KL, and sum both over
# everything in a picture. Neither logs its KL; always print it by itself, and look at samples, not only at
# rebuilt pictures.
#
# ## Exercises
#
# ### E7.1 ★ The price of a code
# Write `kl_divergence`, from means and log-variances (n, d) to the KL of each picture (n,), by the formula of
# section 3.


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
# ### E7.3 ★★ The scale of the loss
# Write `reconstruction_nats`: from pictures (n, h, w, 1) in [0, 1] and logits of the same shape, *one*
# number, the Bernoulli loss in nats per picture. It should bear logits of $\pm800$. Which NumPy function
# computes $\log(e^a + e^b)$ safely?


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
# ### E7.4 ★★★ The importance-weighted bound
# Write `importance_weighted_bound`: from log weights (n, K), of K draws for each picture, the bound of each
# picture (n,). Log weights may be $-900$, whose exponential a computer takes for 0.


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
# ### E7.5 ★★ Walk around, not through
# In many dimensions draws from $N(0, I)$ lie near a sphere of radius $\sqrt d$; a straight line between two
# passes nearer to 0, where no draw lies. Write `spherical_path`: `steps` points (steps, d) from `start` to
# `end`, two vectors of equal length, on the arc between them in even steps. With $\omega$ the angle between
# them and $t$ from 0 to 1:
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
# ## Summary
#
# - An autoencoder squeezes pictures through a few numbers. It cannot invent: its codes lie in streaks, with
#   holes between.
# - A VAE makes a lower bound of $\log p(x)$ large: reconstruction by a cloud of codes, minus the KL
#   divergence of the cloud from $N(0, I)$.
# - The reparameterisation trick lets the gradient pass a random draw.
# - State the likelihood and the unit. All terms in nats per picture: sum over pixels and latent numbers,
#   average over pictures.
# - The importance-weighted bound says how loose the ELBO is.
# - Judge samples by Fréchet distance and coverage together, beside baselines and the floor of real pictures:
#   each single number can be won by something silly.
# - $\beta$ trades detail for order; look at the KL of each latent number to see collapse.
#
# ## Glossary
#
# | English | 中文 | in one sentence |
# |---|---|---|
# | autoencoder | 自编码器 | an encoder and a decoder that learn to rebuild their input |
# | encoder, decoder | 编码器、解码器 | picture to code; code to picture |
# | latent space | 潜在空间(隐空间) | where the codes live |
# | principal component analysis (PCA) | 主成分分析 | the best code that decodes by adding and multiplying |
# | variational autoencoder (VAE) | 变分自编码器 | an autoencoder with random codes, trained by the evidence lower bound |
# | likelihood | 似然 | the probability of the data, given the model |
# | prior, posterior | 先验、后验 | the distribution of codes before and after seeing the picture |
# | evidence lower bound (ELBO) | 证据下界 | reconstruction minus KL, at most log p(x) |
# | Kullback-Leibler (KL) divergence | KL 散度(相对熵) | the mean of log q − log p, drawn from q |
# | nat | 奈特 | unit of information, of the natural logarithm |
# | reparameterisation trick | 重参数化技巧 | writing a draw as mean plus deviation times noise |
# | importance-weighted bound | 重要性加权下界 | a tighter bound from several draws |
# | latent traversal | 潜变量遍历 | moving one latent number, keeping the others |
# | interpolation | 插值 | walking between two codes |
# | β-VAE | β-VAE | a VAE with weighted KL term |
# | posterior collapse | 后验坍塌 | codes that say nothing of their pictures |
# | conditional VAE | 条件变分自编码器 | a VAE whose networks are told the label |
# | Fréchet distance | 弗雷歇距离 | distance of two clouds of features, by mean and covariance |
# | coverage | 覆盖率 | share of real pictures with a made one among their nearest |
#
# ## What to read next
#
# - Diederik Kingma and Max Welling, *Auto-encoding variational Bayes*, 2013; Danilo Rezende, Shakir Mohamed
#   and Daan Wierstra, *Stochastic backpropagation and approximate inference in deep generative models*, 2014:
#   the VAE, found twice.
# - Geoffrey Hinton and Ruslan Salakhutdinov, *Reducing the dimensionality of data with neural networks*,
#   2006: deep autoencoders.
# - Yuri Burda, Roger Grosse and Ruslan Salakhutdinov, *Importance weighted autoencoders*, 2016.
# - Irina Higgins and others, *beta-VAE*, 2017; Alexander Alemi and others, *Fixing a broken ELBO*, 2018: nats
#   for nats.
# - Kihyuk Sohn, Honglak Lee and Xinchen Yan, *Learning structured output representation using deep
#   conditional generative models*, 2015.
# - Oleh Rybkin, Kostas Daniilidis and Sergey Levine, *Simple and effective VAE training with calibrated
#   decoders*, 2021: the learned σ.
# - Muhammad Ferjad Naeem and others, *Reliable fidelity and diversity metrics for generative models*, 2020:
#   density and coverage.
#
# ## The large version
#
# The shipped network is wider and trained longer. The first cell says what that would cost on this machine;
# with `TRAIN_FULL = True` the second trains it. Stop it whenever you like; run again, it goes on from the
# last epoch. `course train vae_fashion --profile full` does the same in a terminal, and `vae_emoji` is there
# too.

# %%
TRAIN_FULL = False
minutes = recipe.minutes(recipe.FULL)
record = json.loads((paths.WEIGHTS / "vae_fashion.json").read_text())
print("full profile on this machine:", approx(minutes, 0), "minutes")
print("recorded:", record["device"], round(record["seconds"] / 60, 1), "minutes")

# %%
if TRAIN_FULL:
    recipe.train(recipe.model(recipe.FULL), recipe.FULL, resume="lesson_07_full")
