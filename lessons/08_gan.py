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
# # 08 · Generative adversarial networks
#
# **Can one network teach another to make pictures, merely by trying to catch its fakes?**
#
# A **generative adversarial network** (GAN) is two networks that play against each other. The **generator**
# turns random numbers into pictures, the **discriminator** tells pictures of the data from made ones, and
# each learns from the other's mistakes.
#
# - **You will be able to** write the game in two forms, say what it aims at, see when it goes wrong, repair
#   it, and judge by numbers whether the repair was one.
# - **You need** [lesson 05](05_cnn_classifier.ipynb) for logits and cross-entropy.
# - **Time**: about two hours and a half to work through; all cells together run in a few minutes.

# %%
import json
from itertools import pairwise

import keras
import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf
from keras import layers, ops
from scipy.spatial.distance import jensenshannon
from scipy.stats import norm, wasserstein_distance

from course_utils import (
    data,
    figures,
    gan_doctor,
    metrics,
    models,
    paths,
    recipes,
    training,
)
from course_utils.checks import lesson_08 as check
from course_utils.report import approx, measured

# %% [markdown]
# None of these clothes were ever sewn or photographed. A generator that ships with the course made each from
# random numbers.

# %%
made = models.load("gan_fashion").sample(48, seed=0)
print("made", made.shape, made.dtype)

# %% tags=["hide-input"]
figures.images(
    [figures.sheet(made, columns=16)],
    size=11,
    alt="Forty-eight small grey pictures that look like clothes, shoes and bags, all of"
    " them made by a network.",
)

# %% [markdown]
# ## 1 · How does the game go?
#
# First on numbers instead of pictures, where everything can be drawn. Real numbers $x$ come from two
# neighbouring hills of probability. The generator $G$ makes a number from eight random ones, its **latent**
# numbers $z$. The discriminator $D$ returns a logit: positive for "real", negative for "fake".


# %%
def real_density(x):
    """The probability density of the real numbers, of the shape of x."""
    return 0.4 * norm.pdf(x, -2, 0.6) + 0.6 * norm.pdf(x, 1.5, 0.8)


def real_numbers(n, rng):
    """Real numbers, float32 (n, 1)."""
    left, right = rng.normal(-2, 0.6, (n, 1)), rng.normal(1.5, 0.8, (n, 1))
    return np.where(rng.random((n, 1)) < 0.4, left, right).astype(np.float32)


def dense_network(*sizes):
    """A small dense network: (n, first size) -> (n, last size)."""
    hidden = [layers.Dense(size, activation="relu") for size in sizes[1:-1]]
    return keras.Sequential([layers.Input((sizes[0],)), *hidden, layers.Dense(sizes[-1])])


# %% [markdown]
# Each **round** has two turns. The discriminator makes $L_D$ smaller, the cross-entropy of telling real from
# fake; then the generator makes $L_G$ smaller, the cross-entropy of its fakes being taken for real. With
# $\operatorname{softplus}(l) = \log(1+e^l)$, which is minus the logarithm of the probability $\sigma(-l)$:
#
# $$L_D = \frac1n \sum_i \operatorname{softplus}(-D(x_i)) + \frac1n \sum_i \operatorname{softplus}(D(G(z_i))) \qquad L_G = \frac1n \sum_i \operatorname{softplus}(-D(G(z_i)))$$
#
# $x: (n, 1)$, $z: (n, 8)$, $D(\cdot): (n, 1)$. A `tf.GradientTape` records what is computed, so that it can
# return gradients. Two turns, two tapes, and each turn moves the weights of one network alone:


# %%
def make_round(generator, discriminator, learning_rates=(1e-3, 1e-3), penalty=None):
    """One round as a function of real (n, ...) and latent (n, k) tensors; it returns both losses.

    learning_rates: of the generator and the discriminator.
    penalty: a function of (discriminator, real) that is added to the discriminator's loss.
    """
    g_optimizer, d_optimizer = (keras.optimizers.Adam(rate, beta_1=0.5) for rate in learning_rates)
    g_optimizer.build(generator.trainable_variables)
    d_optimizer.build(discriminator.trainable_variables)

    @tf.function
    def play_round(real, latent):
        with tf.GradientTape() as tape:  # the discriminator's turn
            real_logits, fake_logits = discriminator(real), discriminator(generator(latent))
            d_loss = tf.reduce_mean(tf.nn.softplus(-real_logits) + tf.nn.softplus(fake_logits))
            if penalty is not None:
                d_loss += penalty(discriminator, real)
        d_optimizer.apply(tape.gradient(d_loss, discriminator.trainable_variables))
        with tf.GradientTape() as tape:  # the generator's turn
            fake_logits = discriminator(generator(latent))
            g_loss = tf.reduce_mean(tf.nn.softplus(-fake_logits))
        g_optimizer.apply(tape.gradient(g_loss, generator.trainable_variables))
        return d_loss, g_loss

    return play_round


# %% [markdown]
# `@tf.function` compiles the round, which makes it faster. We play, and look in at four moments.


# %%
def play(play_round, real, rounds, latent_size=8, batch_size=128, look=None, moments=()):
    """Play rounds on fresh `real(n, rng)`; return the losses and what `look()` saw at the moments."""
    rng, losses, seen = np.random.default_rng(0), [], []
    for number in range(rounds + 1):
        if number in moments:
            seen.append(look())
        latent = rng.normal(size=(batch_size, latent_size)).astype(np.float32)
        losses.append(play_round(tf.constant(real(batch_size, rng)), tf.constant(latent)))
    return np.array(losses), seen


# %%
training.set_seed(0)
generator, discriminator = dense_network(8, 32, 32, 1), dense_network(1, 32, 32, 1)
line = np.linspace(-5, 5, 201, dtype=np.float32)[:, None]
some_latent = np.random.default_rng(1).normal(size=(4000, 8)).astype(np.float32)
moments = (0, 100, 300, 1500)
losses, seen = play(
    make_round(generator, discriminator),
    real_numbers,
    moments[-1],
    look=lambda: (generator(some_latent).numpy(), tf.sigmoid(discriminator(line)).numpy()),
    moments=moments,
)
print("rounds", len(losses) - 1, "numbers seen at a moment", seen[0][0].shape)

# %% tags=["hide-input"]
figure, axes = plt.subplots(1, 4, figsize=(12, 3), sharey=True)
for one, moment, (fakes, probability) in zip(axes, moments, seen, strict=True):
    one.fill_between(line[:, 0], real_density(line[:, 0]), color=figures.COLOURS[6], alpha=0.4)
    one.hist(
        fakes[:, 0], 60, range=(-5, 5), density=True, histtype="step", color=figures.COLOURS[4]
    )
    one.plot(line, probability, color=figures.COLOURS[0])
    one.axhline(0.5, color=figures.COLOURS[6], linestyle=":", linewidth=1)
    one.set(title=f"after {moment} rounds", xlabel="number x", ylim=(0, 1.3))
axes[0].set_ylabel("density, probability")
handles = [
    plt.Rectangle((0, 0), 1, 1, color=figures.COLOURS[6], alpha=0.4),
    plt.Line2D([], [], color=figures.COLOURS[4]),
    plt.Line2D([], [], color=figures.COLOURS[0]),
]
names = ["real numbers", "made numbers", "discriminator: probability of real"]
figure.legend(handles, names, ncols=3, loc="outside lower center")
figures.show(
    figure,
    alt="Four moments of the game. At first the made numbers form one narrow spike, and the"
    " discriminator's curve means nothing yet. Then it falls where fakes are too many"
    " and rises where they are too few, and the fakes spread. In the end they form two"
    " hills over those of the real numbers, and the curve lies near one half there.",
)

# %% [markdown]
# Where fakes are too many the blue curve dips, where they are too few it rises, and the fakes walk uphill.
# The generator never sees a real number: all it ever learns is the slope of that curve. In the end fakes and
# real numbers share their hills, and the discriminator can only shrug: one half.
#
# ## 2 · What does the generator make smaller?
#
# Hold the generator still. Its numbers have some density $q(x)$, the real ones $p(x)$. At each $x$ the best
# discriminator weighs one against the other. Take $p \log D + q \log(1-D)$, set its derivative $p/D -
# q/(1-D)$ to zero:
#
# $$D^*(x) = \frac{p(x)}{p(x) + q(x)}$$
#
# Is that what a network finds? Here $q$ is a bell, and the discriminator is what it always was: a classifier
# of two kinds. (Far outside it has seen no examples, and guesses.)


# %%
def train_classifier(real, fake):
    """A discriminator trained until it is good: real and fake (n, 1) -> network that returns logits."""
    network = dense_network(1, 64, 64, 1)
    network.compile(keras.optimizers.Adam(3e-3), keras.losses.BinaryCrossentropy(from_logits=True))
    kinds = np.repeat([1.0, 0.0], [len(real), len(fake)]).astype(np.float32)[:, None]
    training.fit(
        network, np.concatenate([real, fake]), kinds, epochs=4, batch_size=200, progress=False
    )
    return network


training.set_seed(0)
rng = np.random.default_rng(0)
bell = rng.normal(0, 1.5, (20_000, 1)).astype(np.float32)
trained = train_classifier(real_numbers(20_000, rng), bell)

# %%
x = np.linspace(-9, 9, 3601)
p, q = real_density(x), norm.pdf(x, 0, 1.5)
best = p / (p + q)
found = tf.sigmoid(trained(x[:, None].astype(np.float32))).numpy()[:, 0]
often = p + q > 0.02  # elsewhere there were next to no examples
measured("mean distance", np.abs(found - best)[often].mean(), at_most=0.05)

# %% tags=["hide-input"]
figure, axes = plt.subplots(1, 2, figsize=(11, 3), sharex=True)
axes[0].fill_between(x, p, color=figures.COLOURS[6], alpha=0.4, label="real, p")
axes[0].plot(x, q, color=figures.COLOURS[4], label="fake, q")
axes[0].set(title="densities", xlabel="number x", ylabel="density", xlim=(-5, 5))
axes[1].plot(x, best, color=figures.COLOURS[2], linewidth=5, alpha=0.5, label="p / (p + q)")
axes[1].plot(x, found, color=figures.COLOURS[0], linewidth=1.5, label="trained network")
axes[1].set(title="discriminators", xlabel="number x", ylabel="probability of real")
for one in axes:
    one.legend()
figures.show(
    figure,
    alt="Left: two hills of real numbers and one broad bell of fakes between them. Right:"
    " the best discriminator by the formula, high on both hills and low between and"
    " outside, and the trained network, which follows it closely.",
)

# %% [markdown]
# Now put $D^*$ into the game. What remains is a distance of $p$ and $q$, the **Jensen-Shannon divergence**,
# from each to their mean $m = (p+q)/2$, and the generator of the original game makes it smaller:
#
# $$V(D^*) = \int p \log D^* + q \log(1 - D^*)\,dx = 2\,\mathrm{JS}(p, q) - \log 4 \qquad \mathrm{JS} = \frac12 \int p \log\frac pm + q \log\frac qm \,dx$$


# %%
def game_value(discriminator, p, q, x):
    """V(D) by integration, from probabilities and densities on the grid x, all (points,)."""
    return np.trapezoid(p * np.log(discriminator) + q * np.log(1 - discriminator), x)


divergence = jensenshannon(p, q) ** 2  # SciPy returns its square root
by_game, by_divergence = game_value(best, p, q, x), 2 * divergence - np.log(4)
print(
    f"V(D*) {by_game:.4f}, 2 JS - log 4 {by_divergence:.4f}, equal: {np.isclose(by_game, by_divergence)}"
)
print("trained network:", approx(game_value(found.clip(1e-6, 1 - 1e-6), p, q, x)), "which is less")
print(f"when p = q, D* is 1/2: {game_value(0 * x + 0.5, p, p, x):.4f} = -log 4")

# %% [markdown]
# A divergence is zero where the generator is perfect. But does it show the way there? Take two boxes of width
# 1 and push one away by $\theta$. Beside it we put the **Wasserstein distance**: how far the probability has
# to be carried, on average.

# %%
shifts = np.linspace(0, 3, 61)
cells = np.arange(4000) / 1000  # a grid, four boxes long
box = (cells < 1).astype(float)
moved = [np.roll(box, round(1000 * shift)) for shift in shifts]
divergences = np.array([jensenshannon(box, other) ** 2 for other in moved])
distances = np.array([wasserstein_distance(cells, cells, box, other) for other in moved])
for shift in (0.5, 1.5, 2.5):
    index = round(20 * shift)
    print(f"shift {shift}: JS {divergences[index]:.4f}, Wasserstein {distances[index]:.4f}")
print(f"log 2 = {np.log(2):.4f}")

# %% tags=["hide-input"]
figure, axes = plt.subplots(1, 3, figsize=(12, 2.8))
axes[0].fill_between(cells, box, step="post", color=figures.COLOURS[6], alpha=0.4)
axes[0].step(cells, moved[40], where="post", color=figures.COLOURS[4])
axes[0].annotate("", (2, 0.5), (0, 0.5), arrowprops={"arrowstyle": "->"})
axes[0].text(1.5, 0.55, "θ", ha="center")
axes[0].set(title="two boxes", xlabel="number x", ylabel="density", ylim=(0, 1.2))
curves = {"Jensen-Shannon divergence": divergences, "Wasserstein distance": distances}
for one, (name, curve), colour in zip(axes[1:], curves.items(), figures.COLOURS, strict=False):
    one.plot(shifts, curve, color=colour)
    one.set(title=name, xlabel="shift θ", ylim=(0, None))
axes[1].axvline(1, color=figures.COLOURS[6], linestyle=":")
figures.show(
    figure,
    alt="Left: a grey box and an orange one, moved by theta. Middle: the Jensen-Shannon"
    " divergence climbs until the boxes part, and is flat from there on. Right: the"
    " Wasserstein distance is a straight line.",
)

# %% [markdown]
# Once the boxes part, the divergence stays at $\log 2$. Near or far, it has no slope, hence no gradient for
# the generator. Pictures are like that: the few that look like clothes are lost in the space of all pictures,
# so at the start real and fake never meet. The Wasserstein distance has a slope everywhere. The **WGAN**
# descends it, and needs a discriminator of bounded slope for that, for instance by a penalty (E8.4).
#
# ## 3 · Which loss?
#
# In the game as first written the generator descends $\log(1-\sigma(l))$, where $l = D(G(z))$ is the logit of
# a fake: the **minimax** loss. Section 1 used the **non-saturating** one, $-\log \sigma(l)$. The **hinge**
# loss has $-l$; its discriminator descends $\max(0, 1 - l_\text{real}) + \max(0, 1 + l_\text{fake})$, and so
# leaves alone what is told apart by more than 1.

# %%
generator_losses = {
    "minimax": lambda logit: -tf.nn.softplus(logit),
    "non-saturating": lambda logit: tf.nn.softplus(-logit),
    "hinge": lambda logit: -logit,
}


def with_gradient(loss, logits):
    """A loss of each logit and its derivative, two arrays of the shape of logits."""
    with tf.GradientTape() as tape:
        tape.watch(logits)
        values = loss(logits)
    return values.numpy(), tape.gradient(values, logits).numpy()


for name, loss in generator_losses.items():
    value, slope = with_gradient(loss, tf.constant([-5.0]))
    print(f"{name:15} at logit -5: loss {value[0]:7.4f}, gradient {slope[0]:7.4f}")
print(f"by hand: minimax {-1 / (1 + np.exp(5)):.4f}, non-saturating {-1 / (1 + np.exp(-5)):.4f}")

# %%
logits = tf.linspace(-6.0, 6.0, 121)
generator_curves = {name: with_gradient(loss, logits) for name, loss in generator_losses.items()}
discriminator_curves = {"cross-entropy": tf.nn.softplus(logits), "hinge": tf.nn.relu(1 + logits)}

# %% tags=["hide-input"]
figure, axes = plt.subplots(1, 3, figsize=(12, 3))
for name, loss_and_gradient in generator_curves.items():
    for one, curve in zip(axes, loss_and_gradient, strict=False):
        one.plot(logits, curve, label=name)
for name, curve in discriminator_curves.items():
    axes[2].plot(logits, curve, label=name, color=figures.COLOURS[1 if name != "hinge" else 2])
for one, title in zip(
    axes, ("generator: loss", "generator: gradient", "discriminator: loss of a fake"), strict=True
):
    one.axvline(-5, color=figures.COLOURS[6], linestyle=":")
    one.set(title=title, xlabel="logit of a fake (negative: caught)")
axes[0].legend(loc="lower left")
axes[2].legend()
figures.show(
    figure,
    alt="Three panels against the logit of a fake. The minimax loss is flat on the left,"
    " with gradient near zero where fakes are caught. The non-saturating gradient is"
    " near minus one there, the hinge gradient minus one everywhere. Right: for the"
    " discriminator cross-entropy and hinge loss rise alike, but the hinge is exactly"
    " zero below minus one.",
)

# %% [markdown]
# At the dotted line, logit −5, the discriminator is sure. There minimax leaves the generator less than a
# hundredth of the gradient, just when it has most to learn; the other two keep it near one. Hence the other
# two are played.
#
# ## 4 · What goes wrong?
#
# Eight small clouds on a ring, so far apart that each is a kind of its own. A sample counts as near a cloud
# within three standard deviations of its centre, a cloud as covered if it holds one sample in a hundred.

# %%
CENTRES = np.stack([np.cos(np.arange(8) * np.pi / 4), np.sin(np.arange(8) * np.pi / 4)], axis=1)
SPREAD = 0.05


def ring(n, rng):
    """Points of the ring of eight Gaussians, float32 (n, 2)."""
    return rng.normal(CENTRES[rng.integers(0, 8, n)], SPREAD).astype(np.float32)


def ring_scores(points):
    """Of points (n, 2): how many clouds they cover, and the share of them that is near one."""
    distances = np.linalg.norm(points[:, None] - CENTRES, axis=-1)  # (n, 8)
    near = distances.min(axis=1) < 3 * SPREAD
    counts = np.bincount(distances.argmin(axis=1)[near], minlength=8)
    return int(np.sum(counts >= len(points) / 100)), near.mean()


covered, near = ring_scores(ring(2000, np.random.default_rng(0)))
print(f"real points cover {covered} clouds, {near:.3f} of them are near one")

# %% [markdown]
# Three games from the same start. In the first the generator learns twenty times as fast as the
# discriminator. The second adds a penalty, R1, of which more below. The third lets both learn at the same
# rate.


# %%
def r1(discriminator, real, strength=1.0):
    """R1 (Mescheder 2018): half the strength times the mean squared gradient at real samples (n, ...)."""
    with tf.GradientTape() as tape:
        tape.watch(real)
        logits = discriminator(real)
    slopes = tape.gradient(logits, real)  # of the shape of real
    return strength / 2 * tf.reduce_mean(tf.reduce_sum(slopes**2, axis=tuple(range(1, real.ndim))))


def play_ring(learning_rates, penalty=None, moments=(300, 600, 900, 1200, 1500)):
    """Play on the ring; return 2,000 made points (2000, 2) at each of the moments."""
    training.set_seed(0)
    generator, discriminator = dense_network(8, 64, 64, 2), dense_network(2, 64, 64, 1)
    latent = np.random.default_rng(1).normal(size=(2000, 8)).astype(np.float32)
    play_round = make_round(generator, discriminator, learning_rates, penalty)
    seen = play(
        play_round, ring, moments[-1], look=lambda: generator(latent).numpy(), moments=moments
    )[1]
    return seen


# %%
games = {
    "fast generator": play_ring((5e-3, 2.5e-4)),
    "with R1": play_ring((5e-3, 2.5e-4), r1),
    "equal rates": play_ring((5e-3, 5e-3)),
}
for name, looks in games.items():
    scores = [ring_scores(points) for points in looks]
    print(f"{name:14} clouds covered", *(approx(covered, 0) for covered, _ in scores), end="; ")
    print("near one", *(approx(near, 2) for _, near in scores))
measured(
    "clouds covered at equal rates", ring_scores(games["equal rates"][-1])[0], at_least=7, digits=0
)

# %% tags=["hide-input"]
figure, axes = plt.subplots(3, 5, figsize=(11, 6.9), sharex=True, sharey=True)
for row, (name, looks) in zip(axes, games.items(), strict=True):
    row[0].set_ylabel(name, fontsize=11)
    for one, moment, points in zip(row, (300, 600, 900, 1200, 1500), looks, strict=True):
        one.plot(*CENTRES.T, "o", color=figures.COLOURS[6], markersize=14, alpha=0.4)
        one.plot(*points[:500].T, ".", color=figures.COLOURS[4], markersize=2)
        one.set(xlim=(-1.7, 1.7), ylim=(-1.7, 1.7), aspect="equal", xticks=[], yticks=[])
        if name == "fast generator":
            one.set_title(f"{moment} rounds")
figures.show(
    figure,
    alt="Made points at five moments of three games, on a ring of eight grey clouds. With a"
    " fast generator, and also with R1, all points crowd together at one or two places,"
    " different ones at each moment. At equal rates they soon cover all eight clouds.",
)

# %% [markdown]
# Above, all latent numbers lead to nearly the same place, and that place wanders. This is **mode collapse**:
# against a slow discriminator the best answer is the one place it believes in most, and once it has learned
# to doubt that place, all move on. R1 does not help here: it is no remedy for a partner who lags behind.
# Below, the discriminator keeps up. (Heusel's *two time scales* go further, and let it learn faster than the
# generator.)
#
# What then is R1 for? The smallest GAN of all is **Dirac's**: one real number, 0, one fake, $\theta$, and a
# discriminator $D(x) = \psi x$. Without the softplus the game's value is $\psi\theta$: the discriminator
# climbs it, the generator descends it, and both step at once, by $h$:
#
# $$\theta \leftarrow \theta - h\,\psi \qquad \psi \leftarrow \psi + h\,\theta - h\,\gamma\,\psi$$
#
# R1 is $\frac\gamma2 (\partial D/\partial x)^2 = \frac\gamma2 \psi^2$ and adds the last term.


# %%
def dirac_game(step, strength, steps=240):
    """The path (steps + 1, 2) of theta and psi from (1, 0), both moved at once."""
    path = [(1.0, 0.0)]
    for _ in range(steps):
        theta, psi = path[-1]
        path.append((theta - step * psi, psi + step * theta - step * strength * psi))
    return np.array(path)


# %%
paths_of = {"plain": dirac_game(0.1, 0.0), "with R1": dirac_game(0.1, 0.5)}
for name, path in paths_of.items():
    print(f"{name:8} distance from the solution", *np.hypot(*path[::60].T).round(3))
print("each plain step multiplies it by sqrt(1 + h^2):", round(np.sqrt(1.01) ** 240, 3), "in all")

# %% tags=["hide-input"]
figure, axes = plt.subplots(1, 2, figsize=(9, 4.2), sharex=True, sharey=True)
theta, psi = np.meshgrid(np.linspace(-3, 3, 13), np.linspace(-3, 3, 13))
for one, (name, path), strength in zip(axes, paths_of.items(), (0, 0.5), strict=True):
    one.quiver(theta, psi, -psi, theta - strength * psi, color=figures.COLOURS[6], width=0.004)
    one.plot(*path.T, color=figures.COLOURS[0])
    one.plot(1, 0, "o", color=figures.COLOURS[0], label="start")
    one.plot(0, 0, "*", color=figures.COLOURS[4], markersize=12, label="solution")
    one.set(title=name, xlabel="generator's θ", aspect="equal")
axes[0].set_ylabel("discriminator's ψ")
axes[1].legend(loc="upper left", frameon=True)
figures.show(
    figure,
    alt="Two fields of arrows with a path from theta 1, psi 0. Plain, the arrows go round"
    " and the path spirals outwards. With R1 they bend inwards and the path winds into"
    " the solution at zero.",
)

# %% [markdown]
# Each player does what is best for itself, and they chase each other in circles; steps of finite size even
# carry them outwards. R1 takes from the discriminator the steepness it has no use for at the solution, where
# it should be flat, and the circle becomes a spiral inwards.
#
# ## 5 · How do we play with pictures?
#
# The round of section 1 never asked what it was played with. Only the networks change: transposed
# convolutions up to a picture with pixels in [0, 1], strided convolutions down to a logit.


# %%
def picture_generator(latent_size):
    """Latent numbers (n, latent_size) -> pictures (n, 28, 28, 1) in [0, 1]."""
    return keras.Sequential(
        [
            layers.Input((latent_size,)),
            layers.Dense(7 * 7 * 32, activation="relu"),
            layers.Reshape((7, 7, 32)),
            layers.Conv2DTranspose(16, 4, 2, padding="same", activation="relu"),  # -> 14x14x16
            layers.Conv2DTranspose(1, 4, 2, padding="same", activation="sigmoid"),  # -> 28x28x1
        ]
    )


def picture_discriminator():
    """Pictures (n, 28, 28, 1) -> logits (n, 1)."""
    return keras.Sequential(
        [
            layers.Input((28, 28, 1)),
            layers.Conv2D(16, 4, 2, padding="same", activation="leaky_relu"),  # -> 14x14x16
            layers.Conv2D(32, 4, 2, padding="same", activation="leaky_relu"),  # -> 7x7x32
            layers.Flatten(),  # -> 1568
            layers.Dense(1),
        ]
    )


# %% [markdown]
# One round by hand, shapes beside it, to see both tapes at work:

# %%
images, _ = data.fashion_mnist("train")
training.set_seed(0)
painter, critic = picture_generator(32), picture_discriminator()
rng = np.random.default_rng(0)
real = tf.constant(images[:64])  # (64, 28, 28, 1)
latent = tf.constant(rng.normal(size=(64, 32)).astype(np.float32))  # (64, 32)

with tf.GradientTape() as tape:
    fake = painter(latent)  # (64, 28, 28, 1)
    real_logits, fake_logits = critic(real), critic(fake)  # (64, 1) each
    d_loss = tf.reduce_mean(tf.nn.softplus(-real_logits) + tf.nn.softplus(fake_logits))  # ()
d_gradients = tape.gradient(d_loss, critic.trainable_variables)  # one a weight array
for weights, gradient in zip(critic.trainable_variables, d_gradients, strict=True):
    weights.assign_sub(0.05 * gradient)  # plain gradient descent

# %%
with tf.GradientTape() as tape:
    fake_logits = critic(painter(latent))  # the new critic judges
    g_loss = tf.reduce_mean(tf.nn.softplus(-fake_logits))
g_gradients = tape.gradient(g_loss, painter.trainable_variables)  # through the critic's weights
for weights, gradient in zip(painter.trainable_variables, g_gradients, strict=True):
    weights.assign_sub(0.05 * gradient)

after = tf.reduce_mean(tf.nn.softplus(-critic(painter(latent))))
print("gradient of the first kernel of the discriminator", d_gradients[0].shape)
print("gradient of the first weights of the generator   ", g_gradients[0].shape)
print("generator's loss", approx(g_loss, 4), "after its step lower:", bool(after < g_loss))

# %% [markdown]
# And two hundred rounds with the function of section 1:

# %%
fixed = np.random.default_rng(1).normal(size=(12, 32)).astype(np.float32)
looked_at = (0, 50, 100, 200)
picture_losses, pictures = play(
    make_round(painter, critic, (2e-3, 2e-3)),
    lambda n, rng: images[rng.integers(0, len(images), n)],
    looked_at[-1],
    latent_size=32,
    batch_size=64,
    look=lambda: painter(fixed).numpy(),
    moments=looked_at,
)

# %% tags=["hide-input"]
figure, axes = plt.subplots(4, 12, figsize=(11, 3.9))
for row, moment, samples in zip(axes, looked_at, pictures, strict=True):
    for one, picture in zip(row, samples, strict=True):
        figures.draw_image(one, picture)
    row[0].set_ylabel(f"{moment} rounds", rotation=0, ha="right", va="center")
figures.show(
    figure,
    alt="The same twelve latent vectors at four moments of training, one a row: even grey,"
    " then grids of dots, in the end bright shapes on black that are not yet clothes.",
)

# %% [markdown]
# In seconds even grey becomes bright shapes on black, not yet clothes. Each column keeps its latent numbers,
# so we can watch one picture grow. The grids of dots come from the transposed convolutions (lesson 02).
#
# A loop of our own must look after everything: progress, saving, stopping, a second backend. Keras's `fit`
# does so already, if the game can be told as *one* loss. The trick is to stop gradients where a tape would
# not have looked: fakes count as constants in the discriminator's term, and the discriminator's weights in
# the generator's.
#
# ## 6 · How does the game fit into `fit`?
#
# Keras trains what `compute_loss` returns. `call` makes as many fakes as there are real pictures;
# `stop_gradient` and `stateless_call`, which runs a network with weights that we hand it, keep each loss to
# its own network:


# %%
class PlainGan(keras.Model):
    """Section 5's game as one model: fit(images)."""

    def __init__(self, generator, discriminator):
        super().__init__()
        self.generator, self.discriminator = generator, discriminator
        self.seeds = keras.random.SeedGenerator(0)

    def call(self, images, training=False):
        shape = (ops.shape(images)[0], self.generator.input_shape[-1])
        return self.generator(keras.random.normal(shape, seed=self.seeds))

    def compute_loss(self, x, y=None, y_pred=None, sample_weight=None, training=True):
        real_logits = self.discriminator(x)
        fake_logits = self.discriminator(ops.stop_gradient(y_pred))  # fakes are constants here
        d_loss = ops.mean(ops.softplus(-real_logits) + ops.softplus(fake_logits))
        # Now the discriminator is constant.
        held = [ops.stop_gradient(weights.value) for weights in self.discriminator.weights]
        judged, _ = self.discriminator.stateless_call(held, [], y_pred)
        return d_loss + ops.mean(ops.softplus(-judged))


# %% [markdown]
# Does each network get the gradient that its own tape gave it?

# %%
game = PlainGan(painter, critic)
with tf.GradientTape() as one_tape:
    total = game.compute_loss(real, y_pred=painter(latent))
with tf.GradientTape() as d_tape, tf.GradientTape() as g_tape:
    fake_logits = critic(painter(latent))
    d_loss = tf.reduce_mean(tf.nn.softplus(-critic(real)))
    d_loss += tf.reduce_mean(tf.nn.softplus(fake_logits))
    g_loss = tf.reduce_mean(tf.nn.softplus(-fake_logits))
expected = [
    *g_tape.gradient(g_loss, painter.trainable_variables),
    *d_tape.gradient(d_loss, critic.trainable_variables),
]
found = one_tape.gradient(total, [*painter.trainable_variables, *critic.trainable_variables])
same = [np.allclose(a, b, rtol=1e-3, atol=1e-6) for a, b in zip(found, expected, strict=True)]
print("weight arrays", len(same), "with the gradient of two tapes", sum(same))

# %%
game.compile(keras.optimizers.Adam(2e-3, beta_1=0.5))
history = training.fit(game, images[:6400], epochs=1, batch_size=64)

# %% [markdown]
# From now on we use `gan.Gan` of the course's package: this class with a choice of losses, R1, and one repair
# more. A GAN's weights never rest, they circle. So a second generator **averages** them: at each step it
# keeps nearly all of itself and takes the rest from the one that plays. It is the one we sample.
#
# ## 7 · How good is good?
#
# Losses do not tell. We let the classifier of lesson 05 look. Its 160 features of many samples form a cloud,
# and so do those of real pictures. The **Fréchet distance** compares the two clouds by their means $\mu$
# (160,) and covariances $\Sigma$ (160, 160), as if they were Gaussian:
#
# $$d = \|\mu_r - \mu_g\|^2 + \operatorname{tr}\!\big(\Sigma_r + \Sigma_g - 2\,(\Sigma_r \Sigma_g)^{1/2}\big)$$
#
# **Coverage** is the share of real pictures that have a sample close by. **Effective classes** count the
# kinds that are made, as E8.5 does. No such number means anything without the same number for *real* pictures
# in place of the samples, the floor.

# %%
test_images, _ = data.fashion_mnist("test")
judge = metrics.Judge(test_images, images[-10_000:])
METRICS = ("frechet_distance", "coverage", "effective_classes", "diversity")
rng = np.random.default_rng(0)
pixelwise = images.mean(axis=0) + images.std(axis=0) * rng.standard_normal((10_000, 28, 28, 1))
pixelwise = pixelwise.clip(0, 1).astype(np.float32)
scores = {"each pixel for itself": judge(pixelwise, METRICS)}
print(scores["each pixel for itself"]["frechet_distance"])

# %% [markdown]
# The generator to beat is that of the well-known tutorials, after the DCGAN paper: kernels of $5\times5$ and
# up to 256 channels. Ours is built below. Both were trained and judged by one script,
# `benchmarks/08_baseline.py`; the tutorials' had the time of 15 minutes on two idle cores.

# %%
recorded = json.loads((paths.BENCHMARKS / "08_baseline.json").read_text())
for name in ("tutorial", "ours"):
    run = recorded[name]
    test = run["test"]
    print(f"{name:9} {run['processor_seconds'] / 60:4.1f} core minutes,", end=" ")
    print(f"{run['multiply_adds'] / 1e6:4.1f} M multiplications a picture:", end=" ")
    print(f"Fréchet {test['frechet_distance']:.2f}", end=", ")
    print(f"effective classes {test['effective_classes']:.2f}")

# %% tags=["hide-input"]
figure, axes = plt.subplots(1, 2, figsize=(11, 3.4))
for name, marker in (("tutorial", "o"), ("ours", "s")):
    looks = recorded[name]["while_training"]
    minutes = [look["processor_seconds"] / 60 for look in looks]
    for one, metric in zip(axes, ("frechet_distance", "effective_classes"), strict=True):
        curve = [look[metric] for look in looks]
        one.plot(minutes, curve, marker=marker, markersize=4, label=name)
axes[0].set(title="Fréchet distance", xlabel="minutes of one core", ylim=(0, None))
axes[1].set(title="effective classes", xlabel="minutes of one core", ylim=(0, 10.3))
axes[0].legend()
figures.show(
    figure,
    alt="Fréchet distance and effective classes against time. The tutorials' network stays"
    " far up, with about half of the kinds. Ours falls steeply and has nearly all ten"
    " kinds within minutes.",
)

# %%
sheets = [
    data.load_image(paths.BENCHMARKS / f"08_baseline_{name}.png") for name in ("tutorial", "ours")
]

# %% tags=["hide-input"]
figures.images(
    sheets,
    ["the tutorials' DCGAN, recorded", "ours, recorded"],
    size=4.4,
    alt="Two sheets of a hundred samples. The tutorials' network: blurred tops and shoes in"
    " a pattern of checks. Ours: shirts, trousers, dresses, shoes and bags with sharp"
    " outlines.",
)

# %% [markdown]
# On the left hardly anything but tops and shoes, in a pattern of checks: a kernel of 5 moved by 2 covers some
# pixels more often than others. A kernel of 4 does not. Ours also costs about a seventh of the
# multiplications a picture, and so gets more practice in the same time.
#
# ## 8 · Which repair pays?
#
# The literature is full of repairs. We gave each to the same small, plain GAN, alone, in short runs judged by
# validation images. Three seeds, because one run of a GAN proves nothing.

# %%
repairs = json.loads((paths.BENCHMARKS / "08_repairs.json").read_text())
runs = {
    name: [seed["frechet_distance"] for seed in run["seeds"].values()]
    for name, run in repairs["runs"].items()
}
print(f"pictures seen in a run: {repairs['runs']['plain']['settings']['pictures']:,}\n")
print(f"{'Fréchet distance':36} mean  lowest highest  gained  effective classes")
for name, distances in runs.items():
    seeds = repairs["runs"][name]["seeds"].values()
    classes = np.mean([seed["effective_classes"] for seed in seeds])
    gained = np.mean(runs["plain"]) - np.mean(distances)
    print(
        f"{name:36} {np.mean(distances):4.1f} {min(distances):7.1f} {max(distances):7.1f}", end=""
    )
    print(f" {gained:7.1f} {classes:18.1f}")

# %% tags=["hide-input"]
figure, axes = plt.subplots(figsize=(9, 4.6))
for row, (name, distances) in enumerate(runs.items()):
    colour = figures.COLOURS[0 if name.startswith("ours") else 4 if name == "plain" else 6]
    axes.plot(distances, [row] * len(distances), "o", color=colour, alpha=0.8)
axes.axvline(np.mean(runs["plain"]), color=figures.COLOURS[4], linestyle=":", linewidth=1)
axes.set_yticks(range(len(runs)), list(runs))
axes.invert_yaxis()
axes.set(xlabel="Fréchet distance, one dot a seed (recorded)", xlim=(0, None))
figures.show(
    figure,
    alt="Rows of dots, one row a repair. Most single repairs lie near the plain network; two"
    " time scales, larger batches and the relativistic loss alone lie to its right. The"
    " rows with all repairs together lie far to the left, without R1 less far.",
)

# %% [markdown]
# Alone, most repairs gain hardly more than the seeds differ. Three harm in runs this short: larger batches
# mean half the steps, a faster discriminator leaves the generator behind, and the relativistic loss alone is
# worse than the one it replaces. Together they gain a lot, and then each counts: without R1 or with the old
# loss the recipe is worse. The last two rows learn from 1,000 pictures; moving what the discriminator sees
# helps.
#
# ## 9 · Now ours
#
# The recipe: relativistic loss, R1, averaged weights, a large learning rate that falls to zero, no momentum;
# in `course_utils/recipes/gan_fashion.py` each number has its reason. During training a **GAN doctor** looks
# on: every few hundred steps it draws what a loss hides.

# %%
recipe = recipes.find("gan_fashion")
numbers = recipe.numbers()
model = recipe.model(numbers)
print(f"generator {model.generator.count_params():,} weights,", end=" ")
print(f"discriminator {model.discriminator.count_params():,}, steps {recipe.steps(numbers):,}")
watcher = gan_doctor.GanDoctor(
    images, data.fashion_mnist("validation")[0], every=recipe.steps(numbers) // 10
)

# %%
history = training.fit(model, images, **recipe.length(numbers), callbacks=[watcher])

# %% tags=["hide-input"]
watcher.show(
    alt="The doctor's page. Losses of both networks level off. The discriminator scores real"
    " above made pictures more often than by chance, but far from always. Effective"
    " classes climb to nearly those of real pictures, as does diversity. Samples go from"
    " grey to clothes; the nearest training pictures are alike, not the same."
)

# %% [markdown]
# A healthy page. Losses level off without either side winning. The discriminator ranks a real picture above a
# made one more often than a coin would, but not always. Nearly all kinds are there. The nearest training
# pictures are relatives, not copies.

# %%
made = model.sample(10_000, seed=1)
scores["this notebook's"] = judge(made, METRICS)
scores["shipped"] = judge(models.load("gan_fashion").sample(10_000, seed=1), METRICS)
metrics.table(scores)

# %%
measured(
    "effective classes",
    scores["this notebook's"]["effective_classes"].value,
    at_least=9.7,
    digits=2,
)
ratio = (
    scores["this notebook's"]["frechet_distance"].value
    / recorded["tutorial"]["test"]["frechet_distance"]
)
measured("Fréchet distance, share of the tutorials'", ratio, at_most=0.33, digits=2)

# %% tags=["hide-input"]
figures.images(
    [figures.sheet(made[:60], columns=15)],
    size=11,
    alt="Sixty pictures by the network that was just trained: tops, trousers, dresses,"
    " coats, shoes, boots and bags, most of them clear, some melted.",
)

# %% [markdown]
# Chosen by nobody: the first sixty. Most pass for clothes; some melt, above all rare bags and sandals. The
# shipped network is larger and learned longer.
#
# ## 10 · The ward
#
# Six recorded runs, each ill in another way, below a healthy one. Each illness is a bug or a setting from
# practice. Find out who has what (E8.6 takes your diagnosis). Look at the losses, at who is told apart, at
# kinds and diversity, and at the samples.

# %%
ward = gan_doctor.read_records(paths.BENCHMARKS / "08_ward.json")

# %% tags=["hide-input"]
figures.show(
    gan_doctor.panels_figure(ward),
    alt="Seven rows, a healthy run and the runs A to F: losses, how often a real picture is"
    " ranked above a made one, shares of classes, diversity and training distance, and"
    " eight samples of the same latents at three moments.",
)

# %% [markdown]
# ## 11 · What lies between two pictures?
#
# We walk from one latent vector to the next. A straight line would pass too close to zero, where hardly any
# latent vector lies in 64 dimensions, so we walk on an arc (Ken Shoemake's *slerp*, 1985).


# %%
def arc(start, end, shares):
    """Points (len(shares), size) on the arc between two vectors (size,)."""
    angle = np.arccos(np.dot(start, end) / np.linalg.norm(start) / np.linalg.norm(end))
    shares = np.asarray(shares)[:, None]
    return (np.sin((1 - shares) * angle) * start + np.sin(shares * angle) * end) / np.sin(angle)


# %%
shipped = models.load("gan_fashion")
ends = np.random.default_rng(7).normal(size=(4, 6, shipped.latent_size))
lengths = np.linalg.norm(arc(ends[0, 0], ends[0, 1], np.linspace(0, 1, 5)), axis=1)
middle = np.linalg.norm((ends[0, 0] + ends[0, 1]) / 2)
print("lengths on the arc", lengths.round(1), "in the middle of the line", middle.round(1))

# %%
walk = [arc(row[0], row[1], np.linspace(0, 1, 12)) for row in ends]
walked = shipped.decode(np.concatenate(walk).astype(np.float32))

# %% tags=["hide-input"]
figures.images(
    [figures.sheet(walked, columns=12)],
    size=10,
    alt="Four rows of twelve pictures. In each, one piece of clothing changes step by step"
    " into another, with pictures in between that are clothes as well.",
)

# %%
closed = np.concatenate([ends, ends[:, :1]], axis=1)  # each walk comes home
paths_between = [
    np.concatenate([arc(a, b, np.arange(10) / 10) for a, b in pairwise(row)]) for row in closed
]
steps = np.stack(paths_between, axis=1).astype(np.float32)  # (60, 4, 64)
frames = shipped.decode(steps.reshape(-1, shipped.latent_size)).reshape(60, 4, 28, 28, 1)
print("frames", frames.shape)

# %% tags=["hide-input"]
figures.animate(
    frames, columns=4, scale=4, alt="Four pictures that keep turning into other clothes."
)

# %% [markdown]
# Neighbours in latent space look alike, and on the way from a shoe to a shirt there are things that nobody
# wears. If the generator had learned pictures by heart, the walk would jump.
#
# ## 12 · And in colour?
#
# There are few emoji. A discriminator could learn them by heart, so it sees each one moved and mirrored at
# random, real and made alike (**differentiable augmentation**: gradients pass through). This is the shipped
# network:

# %%
emoji, _ = data.emoji_pictures("train")
emoji_made = models.load("gan_emoji").sample(60, seed=0)

# %% tags=["hide-input"]
figures.images(
    [figures.sheet(emoji_made, columns=15)],
    size=11,
    alt="Sixty made emoji in colour on white: yellow faces, figures, signs on squares,"
    " hands and things, with outlines and shading like real ones; few can be named for"
    " sure.",
)

# %%
_, nearest = metrics.nearest_neighbours(emoji_made[:15], emoji)
print(f"{len(emoji):,} training pictures", emoji.shape[1:])
record = json.loads((paths.WEIGHTS / "gan_emoji.json").read_text())
print("recorded:", metrics.Score(**record["scores"]["kernel_distance"]))

# %% tags=["hide-input"]
figures.images(
    [figures.sheet(np.concatenate([emoji_made[:15], emoji[nearest]]), columns=15)],
    size=11,
    alt="Above, fifteen made emoji; below each the training picture with the most similar"
    " pixels. They share colours and outlines, and differ in what they show.",
)

# %% [markdown]
# From a distance they are emoji: faces, figures, signs, in the right colours and with shading. From close by
# hardly one can be named. The VAE of lesson 07 draws the mean where it is unsure, and so blurs; a
# discriminator does not let blur pass, so this generator decides, and is now and then confidently wrong. None
# is a copy. (For few pictures we take the **kernel distance**, which unlike Fréchet's is not biased upwards.)
#
# ## Clinic
#
# A student lets the discriminator judge fakes and real pictures in one go, as many tutorials do, and takes
# the halves apart. It runs, no error, both losses fall:


# %% tags=["clinic"]
def joint_round(generator, discriminator, judged):
    """A round with one pass over fakes and real pictures; the generator's loss takes half `judged`."""
    g_optimizer, d_optimizer = (keras.optimizers.Adam(2e-3, beta_1=0.5) for _ in range(2))
    g_optimizer.build(generator.trainable_variables)
    d_optimizer.build(discriminator.trainable_variables)

    @tf.function
    def play_round(real, latent):
        with tf.GradientTape() as tape:
            halves = tf.split(discriminator(tf.concat([generator(latent), real], axis=0)), 2)
            d_loss = tf.reduce_mean(tf.nn.softplus(halves[0]) + tf.nn.softplus(-halves[1]))
        d_optimizer.apply(tape.gradient(d_loss, discriminator.trainable_variables))
        with tf.GradientTape() as tape:
            halves = tf.split(discriminator(tf.concat([generator(latent), real], axis=0)), 2)
            g_loss = tf.reduce_mean(tf.nn.softplus(-halves[judged]))  # to be taken for real
        g_optimizer.apply(tape.gradient(g_loss, generator.trainable_variables))
        return d_loss, g_loss

    return play_round


# %% tags=["clinic"]
def joint_game(images, judged, latent):
    """Play 100 joint rounds; return the losses (101, 2), pictures of the latents, the largest move of a weight."""
    training.set_seed(0)
    painter, critic = picture_generator(32), picture_discriminator()
    before = painter.get_weights()
    losses, _ = play(
        joint_round(painter, critic, judged),
        lambda n, rng: images[rng.integers(0, len(images), n)],
        rounds=100,
        latent_size=32,
        batch_size=64,
    )
    pairs = zip(before, painter.get_weights(), strict=True)
    return losses, painter(latent).numpy(), max(np.abs(new - old).max() for old, new in pairs)


ill, repaired = (joint_game(images, judged, fixed) for judged in (1, 0))
for name, (joint_losses, _, move) in {"second half": ill, "first half": repaired}.items():
    d_last, g_last = (approx(value, 2) for value in joint_losses[-10:].mean(axis=0))
    print(f"{name:11} losses at the end: discriminator {d_last}, generator {g_last}", end="; ")
    print("did the generator move?", bool(move > 0))

# %% tags=["clinic", "hide-input"]
figure, axes = plt.subplots(1, 2, figsize=(10, 2.6), sharey=True)
for one, title, (joint_losses, _, _) in zip(
    axes, ("second half: ill", "first half: repaired"), (ill, repaired), strict=True
):
    one.plot(joint_losses[:, 0], label="discriminator")
    one.plot(joint_losses[:, 1], label="generator", color=figures.COLOURS[4])
    one.set(title=title, xlabel="round", ylim=(0, 6))
axes[0].set_ylabel("loss")
axes[0].legend()
figures.show(
    figure,
    alt="Losses against rounds. Ill: both fall towards zero together. Repaired: the"
    " generator's loss climbs where the discriminator's falls.",
)

# %% tags=["clinic", "hide-input"]
figures.images(
    np.concatenate([ill[1], repaired[1]]),
    ["ill", *[""] * 11, "repaired", *[""] * 11],
    columns=12,
    size=0.95,
    alt="Above, twelve pictures of the ill generator: even grey. Below, twelve of the"
    " repaired one: bright shapes under a grid of dots.",
)

# %% [markdown]
# On the left both win, which in a game cannot be. `halves[1]` are the *real* pictures, which the
# discriminator learns to call real anyway; no weight of the generator has any part in them, so all its
# gradients are zero. The fakes are the first half: `halves[0]`. Never trust losses alone. Look at samples,
# and at whether weights move.
#
# ## Exercises
#
# ### E8.1 ★ The optimal discriminator
# Write `optimal_discriminator` from the densities `p` of real and `q` of made numbers at the same points, two
# arrays of one shape. Where both are 0, the answer is one half.


# %% tags=["exercise"]
def optimal_discriminator(p, q):
    raise NotImplementedError("E8.1: return the probability of real, of the shape of p")


# %%
check.e8_1(optimal_discriminator)


# %% tags=["solution"]
def optimal_discriminator(p, q):
    total = p + q
    return np.where(total > 0, p / np.where(total > 0, total, 1), 0.5)


check.e8_1(optimal_discriminator)

# %% [markdown]
# ### E8.2 ★★ The non-saturating loss
# Write `non_saturating_loss`: from the logits (n, 1) that the discriminator gave the fakes, the generator's
# mean loss. It should bear logits of −1,000 and of 1,000, as softplus does. In NumPy, `np.logaddexp(a, b)` is
# $\log(e^a + e^b)$ without ever computing a power that is too large.


# %% tags=["exercise"]
def non_saturating_loss(logits):
    raise NotImplementedError("E8.2: return one number")


# %%
check.e8_2(non_saturating_loss)


# %% tags=["solution"]
def non_saturating_loss(logits):
    return np.logaddexp(0, -logits).mean()


check.e8_2(non_saturating_loss)

# %% [markdown]
# ### E8.3 ★ The hinge loss
# Write `hinge_discriminator_loss` from the logits of real pictures (n, 1) and of fakes (m, 1): the mean over
# the one plus the mean over the other.


# %% tags=["exercise"]
def hinge_discriminator_loss(real_logits, fake_logits):
    raise NotImplementedError("E8.3: return one number")


# %%
check.e8_3(hinge_discriminator_loss)


# %% tags=["solution"]
def hinge_discriminator_loss(real_logits, fake_logits):
    return np.maximum(0, 1 - real_logits).mean() + np.maximum(0, 1 + fake_logits).mean()


check.e8_3(hinge_discriminator_loss)

# %% [markdown]
# ### E8.4 ★★★ A gradient penalty
# A WGAN wants slopes of at most 1; WGAN-GP asks for slopes of length 1 between real and fake. Write
# `gradient_penalty`, all in tensors: `real` and `fake` (n, ...), `mix` (n, 1, ...) the share of the real one.
#
# $$\hat x_i = \text{mix}_i\, x_i + (1 - \text{mix}_i)\, G(z_i) \qquad \text{penalty} = \frac1n \sum_i \Big( \big\| \nabla D(\hat x_i) \big\|_2 - 1 \Big)^2$$
#
# The length goes over everything that belongs to picture $i$. The function `r1` of section 4 shows the tape.


# %% tags=["exercise"]
def gradient_penalty(discriminator, real, fake, mix):
    raise NotImplementedError("E8.4: return one number, as a tensor")


# %%
check.e8_4(gradient_penalty)


# %% tags=["solution"]
def gradient_penalty(discriminator, real, fake, mix):
    between = mix * real + (1 - mix) * fake
    with tf.GradientTape() as tape:
        tape.watch(between)
        logits = discriminator(between)
    slopes = tape.gradient(logits, between)
    squares = tf.reduce_sum(slopes**2, axis=tuple(range(1, len(slopes.shape))))
    return tf.reduce_mean((tf.sqrt(squares) - 1) ** 2)


check.e8_4(gradient_penalty)

# %% [markdown]
# ### E8.5 ★★ How many kinds does it make?
# A classifier named the kind of each sample: `labels` (n,), from 0 to `classes` - 1. Write
# `effective_classes`: the exponential of the entropy of their shares, $\exp(-\sum_k s_k \log s_k)$. Ten kinds
# equally often give 10, a single kind gives 1.


# %% tags=["exercise"]
def effective_classes(labels, classes):
    raise NotImplementedError("E8.5: return one number between 1 and classes")


# %%
check.e8_5(effective_classes)


# %% tags=["solution"]
def effective_classes(labels, classes):
    shares = np.bincount(labels, minlength=classes) / len(labels)
    shares = shares[shares > 0]  # 0 log 0 is 0
    return np.exp(-np.sum(shares * np.log(shares)))


check.e8_5(effective_classes)

# %% [markdown]
# ### E8.6 ★★ The ward
# Each run of the ward, A to F, has one of these illnesses, each occurring once: `"collapse"`, `"saturated"`
# (the discriminator is right nearly always), `"tanh"` (pictures from −1 to 1 against data from 0 to 1),
# `"real images"` (the generator's loss looks at real pictures), `"dropout"` (left on while sampling),
# `"learning rate"` (too high). Write `diagnose`, which returns a dictionary such as `{"A": "collapse", ...}`.


# %% tags=["exercise"]
def diagnose():
    raise NotImplementedError("E8.6: return a dictionary, run -> illness")


# %%
check.e8_6(diagnose)


# %% tags=["solution"]
def diagnose():
    runs = "ABCDEF"
    illnesses = ["real images", "collapse", "learning rate", "tanh", "saturated", "dropout"]
    return dict(zip(runs, illnesses, strict=True))


check.e8_6(diagnose)

# %% [markdown]
# ### E8.7 ★★★ The largest singular value
# **Spectral normalisation** divides the weights of each layer by their largest singular value, the most that
# the matrix can stretch a vector; then no slope of the discriminator runs away. **Power iteration** finds it:
# a vector that is multiplied by the matrix $W$ and by $W^\top$ in turn, and brought back to length 1, comes
# ever closer to the direction that is stretched most. Write `largest_singular_value` for `matrix` (rows,
# columns), starting from `vector` (columns,), with `steps` turns.


# %% tags=["exercise"]
def largest_singular_value(matrix, vector, steps):
    raise NotImplementedError("E8.7: return one number")


# %%
check.e8_7(largest_singular_value)


# %% tags=["solution"]
def largest_singular_value(matrix, vector, steps):
    for _ in range(steps):
        stretched = matrix @ vector  # (rows,)
        vector = matrix.T @ stretched  # (columns,)
        vector = vector / np.linalg.norm(vector)
    return np.linalg.norm(matrix @ vector)


check.e8_7(largest_singular_value)

# %% [markdown]
# ## Summary
#
# - A GAN is a game: the discriminator learns to tell real from fake, the generator learns from its slope
#   alone.
# - The best discriminator is $p/(p+q)$; against it, the original game makes the Jensen-Shannon divergence
#   smaller, which has no slope where real and fake do not meet.
# - The minimax loss leaves the generator next to no gradient while its fakes are caught; the non-saturating
#   and the hinge loss keep it near one.
# - Mode collapse: many latents, few pictures. In our game on the ring a discriminator that kept up cured it.
# - Simultaneous steps circle around the solution; R1 damps them.
# - Both losses falling is a bad sign. Look at samples, and measure: Fréchet distance, coverage and classes,
#   each beside the floor that real pictures give.
# - A score is worth what its repetition says: several seeds, and one change at a time.
# - A walk in latent space shows whether a generator has learned or memorised; nearest training pictures, too.
#
# ## Glossary
#
# | English | 中文 | in one sentence |
# |---|---|---|
# | generative adversarial network (GAN) | 生成对抗网络 | a generator and a discriminator that learn by playing against each other |
# | generator | 生成器 | turns latent numbers into samples |
# | discriminator | 判别器 | tells real samples from made ones |
# | latent vector | 潜在向量(隐向量) | the random numbers a sample is made from |
# | minimax game | 极小极大博弈 | one player makes smaller what the other makes larger |
# | Jensen-Shannon divergence | JS 散度 | how far two densities lie from their mean, at most log 2 |
# | Wasserstein distance | 瓦瑟斯坦距离(推土机距离) | how far probability must be carried to turn one density into the other |
# | saturating, non-saturating loss | 饱和损失、非饱和损失 | whether the gradient vanishes while fakes are caught |
# | hinge loss | 合页损失(铰链损失) | costs nothing beyond a margin |
# | mode | 模态(众数) | one of the hills of a density |
# | mode collapse | 模式崩溃(模式坍塌) | many latents lead to few different samples |
# | gradient penalty | 梯度惩罚 | a term that keeps the discriminator's slopes in bounds |
# | R1 regularisation | R1 正则化 | a gradient penalty at real samples, towards slope 0 |
# | spectral normalisation | 谱归一化 | dividing weights by their largest singular value |
# | singular value | 奇异值 | how much a matrix stretches one of its main directions |
# | power iteration | 幂迭代法 | multiplying again and again to find the most stretched direction |
# | relativistic loss | 相对判别损失 | scores a real picture against a made one, never alone |
# | averaged weights (exponential moving average) | 权重的指数移动平均 | a slow copy of weights that never rest |
# | Fréchet distance | 弗雷歇距离(FID 所用) | distance of two clouds of features, taken as Gaussian |
# | coverage | 覆盖率 | share of the real pictures that have a sample close by |
# | latent interpolation | 潜在空间插值 | the pictures between two latent vectors |
# | differentiable augmentation | 可微数据增强 | changing all that the discriminator sees, with gradients passing through |
# | two time-scale update rule | 双时间尺度更新规则 | learning rates of their own for generator and discriminator |
# | gradient tape | 梯度带 | TensorFlow's record of a computation, to take gradients from |
#
# ## What to read next
#
# - Ian Goodfellow and others, *Generative adversarial nets*, 2014: the game and its optimal discriminator.
# - Alec Radford, Luke Metz and Soumith Chintala, *Unsupervised representation learning with deep
#   convolutional generative adversarial networks*, 2015: DCGAN.
# - Martin Arjovsky, Soumith Chintala and Léon Bottou, *Wasserstein GAN*, 2017; Ishaan Gulrajani and others,
#   *Improved training of Wasserstein GANs*, 2017: the gradient penalty.
# - Martin Heusel and others, *GANs trained by a two time-scale update rule converge to a local Nash
#   equilibrium*, 2017: two learning rates, and the Fréchet distance.
# - Lars Mescheder, Andreas Geiger and Sebastian Nowozin, *Which training methods for GANs do actually
#   converge?*, 2018: Dirac-GAN and R1.
# - Takeru Miyato and others, *Spectral normalization for generative adversarial networks*, 2018; Alexia
#   Jolicoeur-Martineau, *The relativistic discriminator*, 2018.
# - Shengyu Zhao and others, *Differentiable augmentation for data-efficient GAN training*, 2020; Tero Karras
#   and others, *Training generative adversarial networks with limited data*, 2020: GANs for small data.
#
# ## The large version
#
# The shipped networks are larger, and learned longer. The first cell says what that would cost on this
# machine; with `TRAIN_FULL = True` the second does it. Stop it whenever you like: run again, it goes on from
# the last epoch. In a terminal, `course train gan_fashion --profile full` does the same, and
# `--mixed-precision` can make it faster.

# %%
TRAIN_FULL = False
minutes = recipe.minutes(recipe.FULL)
print("full profile on this machine:", approx(minutes, 0), "minutes")
record = json.loads((paths.WEIGHTS / "gan_fashion.json").read_text())
print("recorded:", record["device"], f"{record['processor_seconds'] / 60:.0f} processor minutes")

# %%
if TRAIN_FULL:
    large = recipe.model(recipe.FULL)
    recipe.train(large, recipe.FULL, resume="lesson_08_full")
