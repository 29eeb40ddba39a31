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
# # 10 · Diffusion
#
# **How does one draw a picture by taking noise away?**
#
# - **You will be able to** say what the best denoiser says, train one, sample in four ways, and tell a generator from
#   a copyist.
# - **You need** [lesson 04](04_learning.ipynb) (gradients, training), [lesson 07](07_autoencoders_and_vae.ipynb)
#   (densities, the bound), [lesson 08](08_gan.ipynb) (the judge).
# - **Time**: about two and a half hours; the cells run a few minutes.

# %%
import itertools
import json
import time

import keras
import matplotlib.pyplot as plt
import numpy as np
from keras import layers

from course_utils import data, degrade, figures, metrics, models, paths, recipes, training
from course_utils.checks import lesson_10 as check
from course_utils.models import diffusion, diffusion_networks, diffusion_samplers
from course_utils.models.diffusion_exact import Exact
from course_utils.report import approx, measured

# %% [markdown]
# Eight drawings by a network that ships, after 0, 6, 10, 13, 16 and 20 steps (the last, a pullover, failed):

# %%
painter = models.load("diffusion_fashion")
drawing = np.random.default_rng(4).standard_normal((8, 28, 28, 1)).astype("float32")
guess = painter.predictor(8, labels=[0, 1, 3, 5, 7, 8, 9, 2])  # of what it will be
on_the_way = [drawing]
for now, earlier in itertools.pairwise(np.linspace(1, 0, 21)):
    drawing = diffusion_samplers.heun(guess, drawing, now, earlier, painter.schedule, None)
    on_the_way.append(drawing)
print(len(on_the_way) - 1, "steps; pictures", drawing.shape)

# %% tags=["hide-input"]
figures.images(
    [
        ((picture + 1) / 2).clip(0, 1)
        for step in (0, 6, 10, 13, 16, 20)
        for picture in on_the_way[step]
    ],
    columns=8,
    size=1.25,
    alt="Eight columns of small grey pictures, from top to bottom: pure noise, noise with a faint shape in it, and"
    " step by step eight pieces of clothing, among them a T-shirt, trousers, a sandal and a boot; the last is only a"
    " block.",
)

# %% [markdown]
# The same with two numbers instead of a picture's 784. Each step follows a guess of where a point will end, here
# computed, not learned (colour: how far out it ends):


# %%
def spiral(count, random):
    """Points on a spiral with a little noise, (count, 2), with a spread near 1."""
    turn = np.sqrt(random.uniform(0.04, 1, count))
    angle = 3 * np.pi * turn
    points = 2 * turn[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return (points + 0.04 * random.standard_normal((count, 2))).astype("float32")


# %%
random = np.random.default_rng(0)
straight = diffusion.SCHEDULES["linear"]
denoiser = Exact(spiral(1000, random), straight)  # section 2 says what this is
stages = [random.standard_normal((1500, 2)).astype("float32")]
for now, earlier in itertools.pairwise(np.linspace(1, 0, 41)):
    stages.append(
        diffusion_samplers.heun(denoiser.predict, stages[-1], now, earlier, straight, None)
    )
print(len(stages) - 1, "steps of", stages[0].shape[0], "points")

# %% tags=["hide-input"]
figure, axes = plt.subplots(1, 5, figsize=(13, 2.9))
hue = np.hypot(*stages[-1].T)
for one, step in zip(axes, (0, 20, 30, 35, 40), strict=True):
    one.scatter(*stages[step].T, s=3, c=hue, cmap="viridis")
    one.set(
        title=f"after {step} steps",
        xlim=(-3, 3),
        ylim=(-3, 3),
        aspect="equal",
        xticks=[],
        yticks=[],
    )
for path in np.stack(stages)[:, :12].transpose(1, 0, 2):
    axes[-1].plot(*path.T, color=figures.COLOURS[6], linewidth=0.8)
figures.show(
    figure,
    alt="Five clouds of points, coloured by how far from the middle they end: a round cloud without order narrows step"
    " by step and becomes a clear spiral. In the last, grey lines show the ways of twelve points.",
)

# %% [markdown]
# ## 1 · What does noise do to data?
#
# One number first: our data $x$ form two clusters, four in five near $-1.5$, one in five near $1.5$. Each step pulls
# them to 0 a little and adds fresh noise:
#
# $$x_{k+1} = \sqrt{1 - \beta_k}\; x_k + \sqrt{\beta_k}\; e_k \qquad e_k \sim N(0, 1)$$
#
# Sums of independent normal numbers are normal; their variances add. After two steps $x$ is multiplied by
# $\sqrt{(1-\beta_0)(1-\beta_1)}$, and the noise's variance is $(1-\beta_1)\beta_0 + \beta_1 = 1 -
# (1-\beta_0)(1-\beta_1)$. So many small steps make one large one, to any time $t$ from 0, all data, to 1, all noise:
#
# $$x_t = \alpha(t)\, x + \sigma(t)\, e$$
#
# The two functions are the **noise schedule**. Our $\beta_k$ give `cosine`: $\alpha = \cos \tfrac{\pi}{2} t$,
# $\sigma = \sin \tfrac{\pi}{2} t$.


# %%
def clusters(count, random):
    """Numbers from the two clusters, (count,)."""
    centres = np.where(random.random(count) < 0.8, -1.5, 1.5)
    return centres + 0.25 * random.standard_normal(count)


def alpha(t):
    return np.cos(np.pi / 2 * t)


def sigma(t):
    return np.sin(np.pi / 2 * t)


# %%
times = np.linspace(0, 0.999, 101)  # at 1 the last beta would be 1
betas = 1 - (alpha(times[1:]) / alpha(times[:-1])) ** 2
walk = [clusters(20000, random)]
for beta in betas:
    fresh = random.standard_normal(20000)
    walk.append(np.sqrt(1 - beta) * walk[-1] + np.sqrt(beta) * fresh)

# %%
print("time   step by step: mean, spread, share above 0     at once: mean, spread, share above 0")
for index in (20, 50, 80, 100):
    t = times[index]
    at_once = alpha(t) * clusters(20000, random) + sigma(t) * random.standard_normal(20000)
    rows = [f"{v.mean():6.2f} {v.std():5.2f} {np.mean(v > 0):5.2f}" for v in (walk[index], at_once)]
    print(f"{t:4.2f} ", "                    ".join(rows))

# %% [markdown]
# The same, but for luck. The density of $x_t$ is known too: two bells with variance $0.25^2 \alpha^2 + \sigma^2$.


# %%
def density(x, t):
    """p(x_t) of the two clusters."""
    spread = np.sqrt(0.25**2 * alpha(t) ** 2 + sigma(t) ** 2)
    total = 0
    for share, centre in ((0.8, -1.5), (0.2, 1.5)):
        z = (x - alpha(t) * centre) / spread
        total = total + share * np.exp(-(z**2) / 2) / (spread * np.sqrt(2 * np.pi))
    return total


# %% tags=["hide-input"]
figure, axes = plt.subplots(1, 2, figsize=(12, 3.6), width_ratios=[1.6, 1])
grid_x = np.linspace(-3.6, 3.6, 241)
map_of_density = np.stack([density(grid_x, moment) for moment in times], axis=1)
shown = axes[0].imshow(
    np.sqrt(map_of_density),
    extent=(0, 1, -3.6, 3.6),
    origin="lower",
    aspect="auto",
    cmap="magma",
)
figure.colorbar(shown, ax=axes[0], label="square root of the density")
axes[0].plot(times, np.stack(walk)[:, ::2000], color="white", linewidth=0.7)
axes[0].set(xlabel="time t", ylabel="x_t", ylim=(-3.6, 3.6))
axes[0].set(title="the density melts; ten walks, step by step")
for moment in (0.06, 0.3, 0.6, 1.0):
    axes[1].plot(grid_x, density(grid_x, moment), label=f"t = {moment}")
axes[1].hist(walk[60], bins=80, density=True, alpha=0.25, color="gray", label="walks, t = 0.6")
axes[1].set(xlabel="x_t", ylabel="density", xlim=(-3.6, 3.6), title="density at four times")
axes[1].legend(fontsize=8)
figures.show(
    figure,
    alt="Left: two bright bands, a strong and a weak one, widen and flow together into one bell as time goes from 0 to"
    " 1; white paths wander from the bands into it. Right: the density at four times, from two narrow peaks to one wide"
    " bell, and the histogram of the walks under the third curve.",
)

# %% [markdown]
# ### E10.1 ★★ Many steps at once
# Write `shares(betas)`: for the steps above, (T,) numbers between 0 and 1, how much of the clean number and how
# much noise $x_T$ holds: `(alpha, sigma)`.


# %% tags=["exercise"]
def shares(betas):
    raise NotImplementedError("E10.1: return two numbers")


# %%
check.e10_1(shares)


# %% tags=["solution"]
def shares(betas):
    kept = np.prod(1 - np.asarray(betas))
    return np.sqrt(kept), np.sqrt(1 - kept)


check.e10_1(shares)

# %% [markdown]
# ## 2 · What is the best guess?
#
# Back to the plane: of 400 points $x_i$ of the spiral we see one with noise, $x_t$. Which was it? Before we look, all
# are equally likely; after, each is as likely as the noise that it would take (**Bayes' rule**; $\propto$: up to a
# factor that makes the sum 1):
#
# $$w_i \propto \exp\Big(-\frac{|x_t - \alpha x_i|^2}{2 \sigma^2}\Big) \qquad \hat x(x_t) = \sum_i w_i\, x_i$$
#
# The mean with these weights is the **posterior mean** $\hat x$. No other guess has a smaller expected squared error
# ([lesson 04](04_learning.ipynb)). The opening's `Exact` computes it for any list of data; we do so by hand:


# %%
def posterior_mean(noisy, points, t):
    """The mean of points (m, 2), weighted by how likely each is behind a noisy one: (n, 2) -> (n, 2)."""
    difference = noisy[:, None] - alpha(t) * points  # (n, m, 2)
    exponents = -np.sum(difference**2, axis=-1) / (2 * sigma(t) ** 2)
    weights = np.exp(exponents - exponents.max(axis=1, keepdims=True))  # the largest is 1
    return weights / weights.sum(axis=1, keepdims=True) @ points


# %%
points = spiral(400, random)
exact = Exact(points, diffusion.SCHEDULES["cosine"])
noisy_points = {
    t: alpha(t) * points[:40] + sigma(t) * random.standard_normal((40, 2)) for t in (0.1, 0.4, 0.8)
}
for t, noisy in noisy_points.items():
    guesses = posterior_mean(noisy, points, t)
    far, as_seen = (np.hypot(*(found - points[:40]).T).mean() for found in (guesses, noisy))
    print(f"t = {t}: guesses on average {far:.2f} from the point that it was,", end=" ")
    print(f"x_t {as_seen:.2f}; as Exact says:", np.allclose(guesses, exact.clean(noisy, t)))

# %% [markdown]
# The more noise, the worse; at $t = 1$ equal $w_i$ give the mean of everything.
#
# The gradient of the log-density is the **score**: an arrow uphill. By **Tweedie's formula** it points to $\alpha$
# times the guess:
#
# $$\nabla \log p(x_t) = \frac{\alpha\, \hat x(x_t) - x_t}{\sigma^2}$$
#
# (For one $x_i$ alone it is $(\alpha x_i - x_t) / \sigma^2$; the $w_i$ average these.) Compared with differences of the
# log-density:


# %%
def score(noisy, points, t):
    return (alpha(t) * posterior_mean(noisy, points, t) - noisy) / sigma(t) ** 2


# %%
h = 1e-5
for t, noisy in noisy_points.items():
    slopes = [
        (exact.log_density(noisy + step, t) - exact.log_density(noisy - step, t)) / (2 * h)
        for step in h * np.eye(2)
    ]
    by_formula = score(noisy, points, t)
    print(
        f"t = {t}: agree:", np.allclose(np.stack(slopes, axis=1), by_formula, rtol=1e-3, atol=1e-3)
    )

# %% tags=["hide-input"]
figure, axes = plt.subplots(1, 3, figsize=(12, 4.1))
side = np.linspace(-2.6, 2.6, 121)
plane = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
coarse = np.stack(np.meshgrid(side[6::18], side[6::18]), axis=-1).reshape(-1, 2)
for one, moment in zip(axes, noisy_points, strict=True):
    height = exact.log_density(plane, moment).reshape(121, 121)
    one.imshow(np.exp(height - height.max()), extent=(-2.6, 2.6) * 2, origin="lower", cmap="Blues")
    arrows = score(coarse, points, moment) * sigma(moment) ** 2
    one.quiver(*coarse.T, *arrows.T, angles="xy", scale_units="xy", scale=1, width=0.004)
    one.set(title=f"t = {moment}: density and σ² · score", xticks=[-2, 0, 2], yticks=[-2, 0, 2])
figures.show(
    figure,
    alt="Three maps of a density in blue, each against its own largest value, with arrows. At the smallest time it is a"
    " sharp spiral; most arrows end on its arms. At the middle one it is one blot; at the largest a single soft spot,"
    " and all arrows point to its middle.",
)

# %% [markdown]
# Follow such arrows a little, ask again: every sampler below does this, some with fresh noise.
#
# ### E10.2 ★ From the guess to the noise
# Write `noise_of(noisy, guess, alpha, sigma)`: the noise $e$ that $x_t$ holds if the clean data are as guessed.
# Arrays (n, ...). The score is then $-e / \sigma$.


# %% tags=["exercise"]
def noise_of(noisy, guess, alpha, sigma):
    raise NotImplementedError("E10.2: return an array")


# %%
check.e10_2(noise_of)


# %% tags=["solution"]
def noise_of(noisy, guess, alpha, sigma):
    return (noisy - alpha * guess) / sigma


check.e10_2(noise_of)

# %% [markdown]
# ## 3 · Why so many levels of noise?
#
# **Langevin's walk** needs the score at one level of noise only. It takes a small step uphill and adds a little noise,
# so as not to end on the top:
#
# $$x \leftarrow x + \tfrac{\eta}{2}\, \nabla \log p(x) + \sqrt{\eta}\; e$$
#
# With a small step size $\eta$ and enough steps it draws from $p$. Of 4,000 walks from anywhere between $-3$ and 3,
# how many will end in the small cluster, a fifth of the data?


# %%
def clusters_score(x, t, h=1e-4):
    return (np.log(density(x + h, t)) - np.log(density(x - h, t))) / (2 * h)


def langevin(x, t, steps, step_size, random):
    for _ in range(steps):
        noise = random.standard_normal(x.shape)
        x = x + step_size / 2 * clusters_score(x, t) + np.sqrt(step_size) * noise
    return x


# %%
anywhere = random.uniform(-3, 3, 4000)
walks = {
    "one level": langevin(anywhere, 0.02, 600, 0.005, random),
    "one level, large steps": langevin(anywhere, 0.02, 600, 0.1, random),
    "many levels": anywhere,
    "many levels, larger steps under noise": anywhere,
}
for t in np.linspace(0.98, 0.02, 40):
    for name, largest in (("many levels", 0), ("many levels, larger steps under noise", 0.1)):
        walks[name] = langevin(walks[name], t, 15, largest * sigma(t) ** 2 + 0.005, random)
for name, x in walks.items():
    print(
        f"{name:37} share of the small cluster {np.mean(x > 0):.2f}, its spread {x[x > 0].std():.2f}"
    )
print("true                                  0.20, 0.25")

# %% [markdown]
# At one level a walk climbs the nearest hill and hardly ever crosses the valley; larger steps only blur. Under much
# noise there is no valley: with steps that shrink as it fades, walks spread as the noisy data do, and nearly keep the
# right shares (Song and Ermon, 2019). So we want the guess at *every* level.
#
# ## 4 · How does one learn the guess?
#
# We show a network noisy pictures and ask for the clean ones:
#
# $$\min_f\ \mathbb{E}\, |f(x_t, t) - x|^2 \quad\text{is reached by}\quad f = \hat x$$
#
# This is **denoising score matching** (Vincent, 2011). It can ask for three things; with $x_t$, each gives the
# others:
#
# - **clean**: $x$;
# - **noise**: $e$, as in DDPM (Ho, Jain and Abbeel, 2020);
# - **velocity**: $v = \alpha'(t)\, x + \sigma'(t)\, e$, how fast $x_t$ moves: flow matching (Lipman and others, 2023).
#
# Their losses weigh times differently ([appendix](#Appendix-·-From-the-bound-to-the-loss)). From here on we take the
# straight way (`linear`), $\alpha = 1 - t$ and $\sigma = t$ (squares need not add up to 1), so that $v = e - x$.

# %%
t = np.full(5, 0.3, "float32")
clean, noise = (random.standard_normal((5, 2)).astype("float32") for _ in range(2))
noisy = 0.7 * clean + 0.3 * noise
asked_for = {"noise": noise, "clean": clean, "velocity": noise - clean}
for predicts, asked in asked_for.items():
    same = np.allclose(diffusion.target(clean, noise, t, straight, predicts), asked)
    back = diffusion.clean_and_noise(asked, noisy, t, straight, predicts)
    print(f"{predicts:9} as the package:", same, end="; ")
    print("clean and noise come back:", np.allclose(back, (clean, noise), atol=1e-5))

# %% [markdown]
# ### E10.3 ★★ What a velocity says
# Write `from_velocity(velocity, noisy, t)` for the straight way and one number $t$, 0 and 1 included. Return
# `(clean, noise)`, both of the shape of `noisy`.


# %% tags=["exercise"]
def from_velocity(velocity, noisy, t):
    raise NotImplementedError("E10.3: return two arrays")


# %%
check.e10_3(from_velocity)


# %% tags=["solution"]
def from_velocity(velocity, noisy, t):
    return noisy - t * velocity, noisy + (1 - t) * velocity


check.e10_3(from_velocity)

# %% [markdown]
# ## 5 · Does it learn?
#
# The network is told $x_t$ and $t$, as sines and cosines, which tell close times apart. (`gelu` is a smooth ReLU;
# layer normalisation gives each example's numbers mean 0 and spread 1.)


# %%
def small_network(size, width=128, blocks=3):
    """[x_t (n, size), times (n,)] -> (n, size)."""
    noisy, times = keras.Input((size,)), keras.Input(())
    waves = layers.Dense(64, "gelu")(diffusion.TimeWaves(16)(times))
    x = layers.Dense(width)(noisy)
    for _ in range(blocks):
        both = layers.Concatenate()([layers.LayerNormalization()(x), waves])
        x = layers.Add()([x, layers.Dense(width)(layers.Dense(width, "gelu")(both))])
    return keras.Model([noisy, times], layers.Dense(size, kernel_initializer="zeros")(x))


def velocity_loss(network, clean, noise, t):
    """Mean squared error of the velocity that the network says of x_t; t: (n,)."""
    noisy = (1 - t[:, None]) * clean + t[:, None] * noise
    return keras.ops.mean((network([noisy, t]) - (noise - clean)) ** 2)


# %% [markdown]
# `diffusion.Diffusion` has this loss under `fit`, and samples by weights averaged over the last steps.

# %%
training.set_seed(0)
flow = diffusion.Diffusion(
    small_network(2), times="uniform", averaging=0.99, encode=lambda x: x, decode=lambda x: x
)
flow.input_range = (-4.0, 4.0)
flow.compile(keras.optimizers.Adam(training.one_cycle(0.003, 3000)), jit_compile=False)
clean, noise = spiral(256, random), random.standard_normal((256, 2)).astype("float32")
t = random.uniform(0.01, 0.99, 256).astype("float32")
untrained = float(velocity_loss(flow.network, clean, noise, t))
print("untrained, it says 0:", np.isclose(untrained, np.mean((noise - clean) ** 2)))
many = spiral(64000, random)
history = training.fit(flow, many, epochs=12, batch_size=256, progress=False).history["loss"]
print("loss", *(approx(value) for value in history[::4]), approx(history[-1]))

# %% [markdown]
# The loss (epochs 1, 5, 9, 12) does not go to 0: nobody can say from $x_t$ which point it was. What loss has the
# posterior mean itself, and how far from it is the network, as a share of its size?

# %%
truth = Exact(spiral(20000, random), straight)
errors = []
for t in np.linspace(0.025, 0.975, 20):
    some, e = spiral(200, random), random.standard_normal((200, 2))
    best, its_noise = truth.predict((1 - t) * some + t * e, t)
    errors.append(np.mean((its_noise - best - (e - some)) ** 2))
print("loss of the posterior mean", approx(np.mean(errors)))

# %%
say = flow.predictor(500)
for t in (0.1, 0.3, 0.6, 0.9):
    some = (1 - t) * spiral(500, random) + t * random.standard_normal((500, 2)).astype("float32")
    best, said = truth.clean(some, t), say(some, t)[0]
    share = np.sqrt(np.mean((best - said) ** 2) / np.mean(best**2))
    print(f"t = {t}: {approx(share, 2)}")

# %% [markdown]
# The network comes near, least so under much noise.
#
# ## 6 · How many steps?
#
# Many ways run through one $x_t$; the network learns their **mean** velocity. If all points move with it, as much flows
# out of each small region as if each point kept to its own way. So each time's density stays that of $x_t$, and we may
# go back from noise in straight steps: **Euler's method**.


# %%
def by_euler(predict, x, steps):
    """From noise at t = 1 to data at t = 0, on the straight way."""
    for t, earlier in itertools.pairwise(np.linspace(1, 0, steps + 1)):
        clean, noise = predict(x, t)
        x = x + (earlier - t) * (noise - clean)
    return x


# %%
start = random.standard_normal((500, 2)).astype("float32")
for steps in (1, 20):
    package = diffusion_samplers.run(say, start, straight, steps=steps, sampler="euler")
    print(steps, "steps agree:", np.allclose(by_euler(say, start, steps), package, atol=1e-3))

# %% [markdown]
# **DDIM** (Song, Meng and Ermon, 2021) mixes guess and noise anew for the earlier time; on the straight way that is
# Euler's step. **Heun's** method takes the mean velocity of both ends of a step: two questions, in the last step one.
# **Ancestral** sampling (DDPM) takes away more noise than the step needs, then adds fresh noise up to the earlier
# time's level.
#
# How near do samples come to data? The **energy distance** of two clouds is twice the mean distance between them, less
# the mean distance within each: 0 for equal densities.


# %%
def mean_distance(a, b):
    """The mean distance of two points, one of each cloud (n, 2)."""
    a, b = a.astype(float), b.astype(float)
    squares = np.sum(a**2, axis=1)[:, None] + np.sum(b**2, axis=1) - 2 * a @ b.T
    return np.sqrt(np.maximum(squares, 0)).mean()


def energy_distance(a, b):
    return 2 * mean_distance(a, b) - mean_distance(a, a) - mean_distance(b, b)


# %%
fresh_points = spiral(2000, random)
start = random.standard_normal((2000, 2)).astype("float32")
asks = {"network": flow.predictor(2000), "exact": Exact(spiral(1000, random), straight).predict}
runs = [("network", "euler"), ("network", "heun"), ("network", "ancestral"), ("exact", "heun")]
counts = (1, 2, 5, 10, 20, 50)
clouds = {
    (who, way, n): diffusion_samplers.run(asks[who], start, straight, steps=n, sampler=way)
    for (who, way), n in itertools.product(runs, counts)
}

# %%
distances = {key: 1000 * energy_distance(cloud, fresh_points) for key, cloud in clouds.items()}
print("thousandths; steps", *(f"{n:7}" for n in counts))
for who, way in runs:
    print(f"{who:8}{way:10}", *(f"{approx(distances[who, way, n], 1):>7}" for n in counts))
floor = 1000 * np.array([energy_distance(spiral(2000, random), fresh_points) for _ in range(20)])
print(f"twenty clouds of fresh data: {floor.min():.1f} to {floor.max():.1f}")

# %% tags=["hide-input"]
figure, axes = plt.subplots(1, 5, figsize=(13.5, 3), width_ratios=[1.5, 1, 1, 1, 1])
for (who, way), colour in zip(runs, figures.COLOURS, strict=False):
    dash = "--" if who == "exact" else "-"
    line = [distances[who, way, n] for n in counts]
    axes[0].plot(counts, line, dash, marker="o", markersize=3, color=colour, label=f"{who}, {way}")
axes[0].axhspan(floor.min(), floor.max(), color="lightgray")
axes[0].set(xscale="log", yscale="log", xlabel="steps", title="energy distance x 1000 (grey: data)")
axes[0].legend(fontsize=8)
for one, (way, n) in zip(
    axes[1:], [("euler", 1), ("euler", 10), ("heun", 5), ("heun", 20)], strict=True
):
    one.scatter(*clouds["network", way, n].T, s=1)
    one.set(
        title=f"{way}, {n} step{'s' * (n > 1)}", xlim=(-2.6, 2.6), ylim=(-2.6, 2.6), aspect="equal"
    )
    one.set(xticks=[], yticks=[])
figures.show(
    figure,
    alt="Left, the energy distance to the data falls with the number of steps for three samplers, by the network and"
    " by the exact denoiser. Right, four clouds: a blot after one step of Euler, spirals that are clearer with more"
    " steps.",
)

# %% [markdown]
# One step lands near the mean of everything, the guess at $t = 1$. With one or two steps the exact denoiser is as far
# off: too few steps spoil, not the network. With twenty, the network's samples come as near as fresh data do; those of
# the exact denoiser, which knows only 1,000 points, stay a little above. Heun's 5 steps, which ask nine times, come
# nearer than Euler's 10, which ask ten times.
#
# ### E10.4 ★★ One step of Heun
# Write `heun_step(velocity, x, t, earlier)`: $x$ at the earlier time, along the mean velocity of both ends. Where
# `earlier` is 0, for which no network was trained, ask at the beginning alone.


# %% tags=["exercise"]
def heun_step(velocity, x, t, earlier):
    raise NotImplementedError("E10.4: return an array")


# %%
check.e10_4(heun_step)


# %% tags=["solution"]
def heun_step(velocity, x, t, earlier):
    first = velocity(x, t)
    there = x + (earlier - t) * first
    if earlier == 0:
        return there
    return x + (earlier - t) * (first + velocity(there, earlier)) / 2


check.e10_4(heun_step)

# %% [markdown]
# ### E10.5 ★★ One step of DDIM
# Write `ddim_step(noisy, guess, alpha, sigma, alpha_earlier, sigma_earlier)`: from $x_t$ and the guess of the clean
# data to $x_s$ at the earlier time.


# %% tags=["exercise"]
def ddim_step(noisy, guess, alpha, sigma, alpha_earlier, sigma_earlier):
    raise NotImplementedError("E10.5: return an array")


# %%
check.e10_5(ddim_step)


# %% tags=["solution"]
def ddim_step(noisy, guess, alpha, sigma, alpha_earlier, sigma_earlier):
    return alpha_earlier * guess + sigma_earlier * (noisy - alpha * guess) / sigma


check.e10_5(ddim_step)

# %% [markdown]
# ## 7 · What would a perfect network draw?
#
# For a *list* of pictures, here 5,000 of Fashion-MNIST, section 2's posterior mean can be computed. What will it
# draw? Guess first.

# %%
images, labels = data.fashion_mnist("train")
listed = Exact(2 * images[:5000] - 1, straight)
start = np.random.default_rng(4).standard_normal((10, 28, 28, 1))
drawn = diffusion_samplers.run(listed.predict, start, straight, steps=50, sampler="euler")
drawn = (drawn + 1) / 2


# %%
def nearest(pictures, known):
    """For each picture the root mean square distance to the nearest known one, and its place."""
    a, b = (array.reshape(len(array), -1).astype("float32") for array in (pictures, known))
    squares = np.sum(a**2, axis=1)[:, None] + np.sum(b**2, axis=1) - 2 * a @ b.T
    return np.sqrt(np.maximum(squares.min(axis=1), 0) / a.shape[1]), squares.argmin(axis=1)


# %%
test_images, test_labels = data.fashion_mnist("test")
distance, twins = nearest(drawn, images[:5000])
among_test, _ = nearest(test_images[:500], images[:5000])
print(f"drawn: at most {approx(distance.max())} from a picture of the list", end="; ")
print(f"test pictures: {approx(np.median(among_test))} (grey values from 0 to 1)")

# %% tags=["hide-input"]
figures.images(
    [figures.sheet(drawn.clip(0, 1), columns=10), figures.sheet(images[twins], columns=10)],
    ["drawn by the perfect denoiser", "the nearest pictures of its list"],
    columns=1,
    size=9,
    alt="Two rows of ten small pictures of clothes. The second row repeats the first.",
)

# %% [markdown]
# It copies: it has nothing but its list.
#
# ## 8 · Does it need pixels?
#
# **Latent diffusion** (Rombach and others, 2022) takes noise out of an autoencoder's codes: here lesson 07's VAE, 16
# numbers a picture. The dense network is twice as wide as section 5's; time and class shift and scale each layer's
# numbers; in training middle times come more often.

# %%
vae = models.load("vae_fashion")
codes = vae.encoder.predict(images, batch_size=1000, verbose=0)[:, :16]  # the means
spreads = np.sort(codes.std(axis=0))
print("codes", codes.shape, "spread of each number:", *(approx(one, 2) for one in spreads))

# %%
training.set_seed(0)
latent = diffusion.Diffusion(
    diffusion_networks.dense_with_time(16, 10),
    averaging=0.998,
    encode=lambda codes: codes,
    decode=lambda codes: keras.ops.sigmoid(vae.decoder(codes, training=False)),
)
latent.input_range = (-20.0, 20.0)
steps = 8 * (len(codes) // 256)
latent.compile(keras.optimizers.Adam(training.one_cycle(0.002, steps)), jit_compile=False)
seen = [latent.sample(10, steps=10)]  # ten pictures, always from the same noise
look = keras.callbacks.LambdaCallback(
    on_epoch_end=lambda epoch, logs: seen.append(latent.sample(10, steps=10))
)
latent_history = training.fit(
    latent, codes, labels, epochs=8, batch_size=256, callbacks=[look], progress=False
)
print(f"{latent.network.count_params():,} weights; loss of each epoch:", end=" ")
print(*(approx(value) for value in latent_history.history["loss"]))
print("ordered, in turn:", ", ".join(data.FASHION_MNIST_NAMES))

# %% tags=["hide-input"]
figures.images(
    [figures.sheet(seen[epoch], columns=10) for epoch in (0, 1, 2, 8)],
    ["untrained", "after one epoch", "after two", "after eight"],
    columns=1,
    size=8,
    alt="Ten pictures at four stages of the training. Untrained: soft clothes in no order. Later more and more of the ten"
    " are what was ordered.",
)

# %% [markdown]
# Untrained, the network says 0, so the noise itself is decoded: these are the VAE's own samples.
#
# [Lesson 08](08_gan.ipynb#7-·-How-good-is-good?)'s judge compares four sources (*real ones, rebuilt* from their codes
# show what the VAE alone loses):

# %%
entries = {
    "VAE: codes from N(0, I)": vae.sample(5000, seed=1),
    "GAN that ships": models.load("gan_fashion").sample(5000, seed=1),
    "latent diffusion": latent.sample(5000, seed=1, steps=10),
    "real ones, rebuilt": vae.reconstruct(test_images[5000:]),
}
judge = metrics.Judge(test_images[:5000], images[-5000:])
METRICS = ("frechet_distance", "precision", "recall", "coverage", "effective_classes")
scores = {name: judge(pictures, METRICS) for name, pictures in entries.items()}
metrics.table(scores)
ours = scores["latent diffusion"]["frechet_distance"].value
measured("Fréchet distance of ours", ours, at_most=4.0, digits=2)

# %% tags=["hide-input"]
figures.images(
    [figures.sheet(pictures[:20], columns=10) for pictures in entries.values()],
    list(entries),
    columns=2,
    size=5.5,
    alt="Twenty pictures each of four sources. VAE: soft clothes and some blends. GAN: sharp clothes with patterns."
    " Latent diffusion: plain, soft clothes of all classes. Rebuilt real pictures look like those of latent"
    " diffusion: soft, without print or fine pattern.",
)

# %% [markdown]
# By Fréchet distance latent diffusion comes nearer to real pictures than VAE and GAN (one seed), but it alone is told
# classes (section 10). In coverage even rebuilt pictures stay behind the GAN: what the autoencoder loses, as prints,
# stays lost. (In recall too, yet there VAE samples, by the same decoder, pass rebuilt pictures.)
#
# What should a network predict, on which schedule, in how many steps? **Recorded** Fréchet distances (3,000 samples,
# uniform times: not comparable with the table above), ± their spread over three seeds, else of one seed:

# %%
grid = json.loads((paths.BENCHMARKS / "10_grid.json").read_text())["runs"]
for name, entry in grid.items():
    found = [one["heun"]["20"] for one in entry["seeds"].values()]
    print(f"{name:17} Heun, 20 steps: {np.mean(found):.2f} ± {np.std(found, ddof=1):.2f}")
for name in ("velocity, linear", "noise, cosine"):
    for sampler in ("heun", "ddim", "ancestral"):
        by_steps = grid[name]["seeds"]["0"][sampler].items()
        print(f"{name:17} {sampler:9} steps", "  ".join(f"{n}: {far:.2f}" for n, far in by_steps))

# %% [markdown]
# Clean data or velocity: hardly a difference; with the velocity, more than five of Heun's steps gain little. With noise
# predicted, Heun's 20 are behind on both schedules, from each seed (why, we have not tested); on the cosine one, 50, or
# 20 ancestral ones, are not (one seed).
#
# ## 9 · How does one ask for a class?
#
# In training a tenth of the labels was left out, so the network can answer with the class and without.
# **Classifier-free guidance** (Ho and Salimans, 2022) goes from the untold answer to the told one, and beyond:
#
# $$v = v_\text{untold} + w\,(v_\text{told} - v_\text{untold})$$
#
# ### E10.6 ★ Guidance
# Write `guided(untold, told, w)` for arrays of any one shape.


# %% tags=["exercise"]
def guided(untold, told, w):
    raise NotImplementedError("E10.6: return an array")


# %%
check.e10_6(guided)


# %% tags=["solution"]
def guided(untold, told, w):
    return untold + w * (told - untold)


check.e10_6(guided)

# %% [markdown]
# What will $w = 0$ do, and a large $w$, to the pictures and their variety?

# %%
classifier = models.load("fashion_mnist_classifier")
ordered = np.arange(2000) % 10
by_strength = {
    f"w = {w}": (latent.sample(2000, seed=2, labels=ordered, steps=6, guidance=w), ordered)
    for w in (-1, 0, 1, 2, 5)
}
by_strength["rebuilt"] = entries["real ones, rebuilt"][:2000], test_labels[5000:7000]
by_strength["real"] = test_images[5000:7000], test_labels[5000:7000]


# %%
def variety(features, classes):
    """How far a picture's features (n, 160) lie from the mean of its class, on average."""
    centres = np.stack([features[classes == label].mean(axis=0) for label in range(10)])
    return np.linalg.norm(features - centres[classes], axis=1).mean()


# %%
print("          recognised   Fréchet   variety within a class, where classes are heard")
for name, (pictures, classes) in by_strength.items():
    right = np.mean(classifier.predict(pictures, verbose=0).argmax(axis=1) == classes)
    far = judge(pictures, ("frechet_distance",))["frechet_distance"].value
    spread = approx(variety(judge.describe(pictures).features, classes), 2)
    heard = "-" if name in ("w = -1", "w = 0") else spread
    print(f"{name:9} {approx(right)}       {approx(far, 2):>6}    {heard}")

# %% tags=["hide-input"]
figures.images(
    [figures.sheet(by_strength[f"w = {w}"][0][:40], columns=10) for w in (1, 5)],
    [f"w = {w}; a column for each class" for w in (1, 5)],
    columns=2,
    size=5.8,
    alt="Two grids of four rows and ten columns, a column for each class. In the right grid, with strong guidance, the"
    " pictures of a column look more alike and harder in contrast than in the left one; T-shirts have dark smudges.",
)

# %% [markdown]
# At $w = 0$ the order is not heard: one in ten is right by luck; at $-1$ hardly any. At 1 pictures are recognised, and
# vary, about as rebuilt ones; larger $w$ is obeyed more, and pays in variety. The Fréchet distance is best at 2, below
# even rebuilt pictures': its features are the classifier's, and what is easily recognised may please it.
#
# **Variations**: go from a picture's code into noise up to a middle time, and back.

# %%
chosen = np.array([np.flatnonzero(test_labels == label)[3] for label in (0, 7, 8, 9)])
code = vae.encode(test_images[chosen])[0].repeat(9, axis=0)
answer = latent.predictor(36, labels=test_labels[chosen].repeat(9))
varied = {}
for first in (0.4, 0.7):
    noise = np.random.default_rng(5).standard_normal(code.shape).astype("float32")
    noisy = (1 - first) * code + first * noise
    back = diffusion_samplers.run(answer, noisy, straight, steps=10, first=first)
    varied[first] = vae.decode(back)

# %% tags=["hide-input"]
rows = {first: pictures.reshape(4, 9, 28, 28, 1) for first, pictures in varied.items()}
themselves = np.stack([test_images[chosen], vae.reconstruct(test_images[chosen])], axis=1)
beside = {
    first: np.concatenate([themselves, group], axis=1).reshape(-1, 28, 28, 1)
    for first, group in rows.items()
}
figures.images(
    [figures.sheet(pictures, columns=11) for pictures in beside.values()],
    [f"a picture, rebuilt, and nine variations from t = {first}" for first in beside],
    columns=2,
    size=5.8,
    alt="Two grids of four rows. Each begins with a real picture, a T-shirt, a sneaker, a bag, a boot, and the same"
    " rebuilt; nine relatives follow. From the smaller time most keep its cut; from the larger one shapes differ, and"
    " some bags cannot be named.",
)

# %% [markdown]
# The further into noise, the less is kept: from 0.7 some bags cannot be named (Meng and others, *SDEdit*, 2022).
#
# Heun's steps run forwards too, to each picture's own noise. We mix two bags' noises (cosine and sine as shares keep
# the spread) and, to compare, their codes. Both ways fade from bag to bag, much alike:

# %%
bags = vae.encode(test_images[np.flatnonzero(test_labels == 8)[[3, 12]]])[0]
ask_bag, their_noise = latent.predictor(2, labels=8), bags
for now, later in itertools.pairwise(np.linspace(0, 1, 41)):
    their_noise = diffusion_samplers.heun(ask_bag, their_noise, now, later, straight, None)
bags_again = diffusion_samplers.run(ask_bag, their_noise, straight, steps=40)
print("codes come back but for", approx(np.sqrt(np.mean((bags_again - bags) ** 2))), end=" ")
print("of", approx(np.sqrt(np.mean(bags**2))))

# %%
a, b = (f(np.linspace(0, np.pi / 2, 10))[:, None] for f in (np.cos, np.sin))
between = a * their_noise[0] + b * their_noise[1]
ask_bags = latent.predictor(10, labels=8)
by_noise = vae.decode(diffusion_samplers.run(ask_bags, between, straight, steps=20))
along = np.linspace(0, 1, 10)[:, None]
by_codes = vae.decode((1 - along) * bags[0] + along * bags[1])
print("pictures on each way:", len(by_noise))

# %% tags=["hide-input"]
figures.images(
    [figures.sheet(way, columns=10) for way in (by_noise, by_codes)],
    ["from bag to bag between their noises", "on the straight line between their codes"],
    columns=1,
    size=8,
    alt="Two rows of ten bags, much alike: one with a handle fades, over blurred grey ones, into a box without.",
)

# %% [markdown]
# ## 10 · And in pixels?
#
# The opening's network is a **U-Net**: it shrinks a picture by convolutions, enlarges it again, and hands details
# across (lesson 12). **Recorded**: four generators by one judge (10,000 samples, diffusion told classes in turn);
# diffusion told random classes or nothing; then one network in codes, trained shorter, with labels and without (three
# seeds; 3,000 samples and other real pictures: not comparable with the rest):

# %%
shipped = ("vae_fashion", "gan_fashion", "diffusion_latent", "diffusion_fashion")
for name in shipped:
    record = json.loads((paths.WEIGHTS / f"{name}.json").read_text())
    values = [
        record["scores"][m]["value"] for m in ("frechet_distance", "coverage", "effective_classes")
    ]
    print(
        f"{name:18} Fréchet {values[0]:.2f}  coverage {values[1]:.3f}  classes {values[2]:.1f}"
        f"  trained for {record['processor_seconds'] / 60:.0f} processor minutes"
    )

# %%
untold = json.loads((paths.BENCHMARKS / "10_untold.json").read_text())["networks"]
for name, entry in untold.items():
    for way, found in entry["scores"].items():
        print(f"{name:18} {way:17} Fréchet {found['frechet_distance']:.2f}", end="  ")
        print(f"coverage {found['coverage']:.3f}  classes {found['effective_classes']:.1f}")

# %%
labelled = json.loads((paths.BENCHMARKS / "10_labels.json").read_text())["runs"]
for name, entry in labelled.items():
    three = [one["scores"] for one in entry["seeds"].values()]
    for way in three[0]:
        found = [one[way]["frechet_distance"] for one in three]
        print(f"{name:14} {way:17} Fréchet {np.mean(found):.2f} ± {np.std(found, ddof=1):.2f}")

# %%
for name in shipped:
    generator = models.load(name)
    generator.sample(100, seed=0)  # the first time it is compiled
    begun = time.perf_counter()
    generator.sample(100, seed=1)
    print(f"{name:18} {approx(time.perf_counter() - begun, 2)} seconds for 100 pictures")

# %% [markdown]
# Told classes, diffusion in pixels comes nearest by Fréchet distance, diffusion in codes next (one training each; that
# in codes needs the VAE's 12 minutes too). Told nothing, as VAE and GAN are, both lie behind the GAN, and pixels are no
# nearer than the VAE; but only a tenth of their training was without labels. In codes, a network trained without any
# stands between one that is told and one that knows them and is told nothing. The price of diffusion is time: Heun's
# twenty steps ask the network 39 times, a GAN is asked once.
#
# **Filling** (Lugmayr and others, 2022, without their repeated steps): after each step put the known pixels, with
# noise for that time, in place. Known are left halves and class:


# %%
def with_known(predict, x, put_back, schedule, random, steps=100):
    """Ancestral steps from noise x; after each, `put_back(x, t, noise)` returns what is known."""
    for now, earlier in itertools.pairwise(np.linspace(1, 0, steps + 1)):
        x = diffusion_samplers.ancestral(predict, x, now, earlier, schedule, random)
        x = np.float32(put_back(x, earlier, random.standard_normal(x.shape)))
    return x


# %%
places = [0, 4, 8, 15, 19, 23]
ours_to_fill = 2 * test_images[places] - 1
known = np.zeros((28, 28, 1), "float32")
known[:, :14] = 1
dice = np.random.default_rng(8)
filled = with_known(
    painter.predictor(6, labels=test_labels[places]),
    dice.standard_normal(ours_to_fill.shape).astype("float32"),
    lambda x, t, e: known * ((1 - t) * ours_to_fill + t * e) + (1 - known) * x,
    painter.schedule,
    dice,
)
print(
    "known pixels are as they were:", np.allclose(filled * known, ours_to_fill * known, atol=1e-5)
)

# %%
by_painter = painter.sample(500, seed=1)
distance_of_painter, relatives = nearest(by_painter, images)
of_test = nearest(test_images[:500], images)[0]
print("nearest training picture, medians: drawn", approx(np.median(distance_of_painter)), end=", ")
print("test pictures", approx(np.median(of_test)))

# %% tags=["hide-input"]
figures.images(
    [
        figures.sheet(((each + 1) / 2).clip(0, 1), columns=6)
        for each in (ours_to_fill, known * ours_to_fill, filled)
    ],
    ["test pictures", "what is known", "filled"],
    columns=1,
    size=6,
    alt="Six test pictures of clothes, their left halves beside grey, and the halves completed: shirt, trousers and T-shirt"
    " fit, three shoes do not quite.",
)
figures.images(
    [figures.sheet(each[:12], columns=6) for each in (by_painter, images[relatives])],
    ["drawn", "nearest training pictures"],
    columns=2,
    size=5,
    alt="Twelve drawn pictures, some of them speckled or torn, and as many training pictures that resemble them without"
    " being the same.",
)

# %% [markdown]
# The shoes do not quite fit. Pictures drawn whole, some speckled or torn, lie about as far from training pictures
# as test pictures do: a typical one is no copy (medians would hide a few).
#
# **Super-resolution** likewise: known are means of 2 × 2 pixels (Choi and others, 2021), not the class ($w = 0$):


# %%
def in_fours(x):
    """Means of 2 x 2 pixels: (n, h, w, 1) -> (n, h / 2, w / 2, 1)."""
    return x.reshape(len(x), x.shape[1] // 2, 2, x.shape[2] // 2, 2, 1).mean(axis=(2, 4))


def repeated(x):
    return x.repeat(2, axis=1).repeat(2, axis=2)


# %%
fine = test_images[:100]
coarse_means = in_fours(2 * fine - 1)
dice = np.random.default_rng(3)
enlarged = with_known(
    painter.predictor(100, guidance=0),
    dice.standard_normal(fine.shape).astype("float32"),
    lambda x, t, e: x + repeated((1 - t) * coarse_means + t * in_fours(e) - in_fours(x)),
    painter.schedule,
    dice,
    steps=20,
)
bicubic = np.asarray(degrade.upsample(in_fours(fine), 2))
ways = {"bicubic": bicubic, "bicubic, means put right": bicubic, "drawn": (enlarged + 1) / 2}
ways["bicubic, means put right"] = bicubic + repeated(in_fours(fine - bicubic))

# %%
psnr = {
    name: -10 * np.log10(np.mean((way.clip(0, 1) - fine) ** 2, axis=(1, 2, 3)))
    for name, way in ways.items()
}
for name, row in psnr.items():
    print(f"{name:25} PSNR {approx(row.mean(), 1)} dB")
ahead = np.sum(psnr["drawn"] > psnr["bicubic, means put right"])
print("drawn is ahead in", approx(ahead, 0), "of", len(fine), "pictures")

# %% tags=["hide-input"]
figures.images(
    [
        figures.sheet(each[1:10].clip(0, 1), columns=9)
        for each in (repeated(in_fours(fine)), bicubic, ways["drawn"], fine)
    ],
    ["known: 14 x 14 pixels", "bicubic", "drawn", "test pictures, 28 x 28"],
    columns=2,
    size=5.8,
    alt="Nine pieces of clothing four times: in coarse squares, softly enlarged, with sharp edges as the network draws"
    " them, and as they are. Of a word on a pullover the network makes strokes that are no letters.",
)

# %% [markdown]
# Drawing beats bicubic on average (fair rivals: lesson 11), but invents details: the pullover's word has no letters.
#
# ## 11 · And in colour?
#
# A network that ships draws emoji, told which of two sets to follow, Noto or Fluent (pixel distances: roots of summed
# squares, not of means):

# %%
emoji_recipe = recipes.find("diffusion_emoji")
emoji = emoji_recipe.data().images  # with the mirrored ones
colourist = models.load("diffusion_emoji")
new_emoji = colourist.sample(200, seed=0)
for name in ("vae_emoji", "gan_emoji", "diffusion_emoji"):
    record = json.loads((paths.WEIGHTS / f"{name}.json").read_text())
    minutes = f"{record['processor_seconds'] / 60:.0f} processor minutes"
    print(f"{name:15}", metrics.Score(**record["scores"]["kernel_distance"]), minutes)

# %%
far_new, relatives_of_new = metrics.nearest_neighbours(new_emoji, emoji)
far_unseen, _ = metrics.nearest_neighbours(data.emoji_pictures("test")[0], emoji)
print(
    "to the nearest training emoji: least",
    approx(far_new.min(), 1),
    "median",
    approx(np.median(far_new), 1),
)
print("held-out emoji:                least", approx(far_unseen.min(), 1), end=" ")
print("median", approx(np.median(far_unseen), 1))

# %% tags=["hide-input"]
figures.images(
    [
        figures.sheet(
            np.concatenate([new_emoji[first:24:2], emoji[relatives_of_new[first:24:2]]]), columns=12
        )
        for first in (0, 1)
    ],
    [
        "noto: drawn, and below the nearest training emoji",
        "fluent: drawn, and below the nearest training emoji",
    ],
    columns=1,
    size=9,
    alt="Two sheets of two rows. Above, emoji as the network draws them: speckled blots in the colours of emoji, some"
    " in the shape of a waving flag or a disc, hardly one of which can be named. Below each, the training emoji with"
    " the most similar pixels, clear and quite different.",
)

# %% [markdown]
# No success: but for flags hardly one can be named, and kernel distance puts this network last (it trained less). That
# we see no copy says little where pictures are mostly speckle. (At 0.0: one held-out emoji has a twin in training.)
#
# ## Clinic
#
# A sampler from the wild saves steps: "at $t = 0.6$ all is noise to the eye, so start there":

# %% tags=["clinic"]
cosine = diffusion.SCHEDULES["cosine"]
two_clusters = Exact(clusters(2000, random)[:, None], cosine)
start = random.standard_normal((2000, 1)).astype("float32")
begun_at = {
    first: diffusion_samplers.run(
        two_clusters.predict, start, cosine, steps=40, sampler="ddim", first=first
    )
    for first in (0.6, 1.0)
}
for first, found in begun_at.items():
    print(
        f"begun at {first}, alpha {alpha(first):.2f}: share of the small cluster {approx(np.mean(found > 0), 2)}, true 0.20"
    )

# %% tags=["clinic", "hide-input"]
figure, axes = plt.subplots(1, 2, figsize=(9, 2.6))
for one, (first, found) in zip(axes, begun_at.items(), strict=True):
    one.hist(found[:, 0], bins=80, range=(-3, 3), density=True, color=figures.COLOURS[5])
    one.plot(grid_x, density(grid_x, 0), color="black", linewidth=1)
    one.set(title=f"begun at t = {first}", xlabel="x", ylim=(0, 1.75))
axes[0].set(ylabel="density (black: data)")
figures.show(
    figure,
    alt="Two histograms beside the true density: begun at 0.6 the two hills have the wrong heights and the large one"
    " stands a little too far right; begun at 1 they agree with it.",
)

# %% [markdown]
# Four more draw the spiral in ten steps. Three use section 5's network, which is in order; the fourth trained its own
# on points moved and scaled into $[0, 1]$ like pictures, and moves its samples back. What is wrong in each, and what
# shows it?


# %% tags=["clinic"]
def by_colleague(model, x, sign=1, clock=1, asked_at=0):
    """Ten of Euler's steps from noise to data."""
    times = np.linspace(0.999, 0.001, 11)
    for step in range(10):
        t = np.full(len(x), clock * times[step + asked_at], "float32")
        velocity = model.averaged.predict_on_batch([x, t])
        x = x + (times[step + 1] - times[step]) * sign * velocity
    return x


# %% tags=["clinic"]
training.set_seed(0)
unit_flow = diffusion.Diffusion(
    small_network(2),
    times="uniform",
    averaging=0.99,
    encode=lambda x: 0.2 * x + 0.5,
    decode=lambda x: x,
)
unit_flow.input_range = (-4.0, 4.0)
unit_flow.compile(keras.optimizers.Adam(training.one_cycle(0.003, 3000)), jit_compile=False)
training.fit(unit_flow, many, epochs=12, batch_size=256, progress=False)
print("loss of the last epoch", approx(unit_flow.history.history["loss"][-1]))

# %% tags=["clinic"]
start = random.standard_normal((1000, 2)).astype("float32")
others = {"one": {"sign": -1}, "two": {"clock": 999}, "three": {"asked_at": 1}}
ended = {bug: by_colleague(flow, start, **code) for bug, code in others.items()}
ended["four"] = 5 * by_colleague(unit_flow, start) - 2.5
ended["none"] = by_colleague(flow, start)
ended["fresh data"] = spiral(1000, random)
for bug, cloud in ended.items():
    print(
        f"{bug:10}: energy distance x 1000 {approx(1000 * energy_distance(cloud, fresh_points), 0)}"
    )

# %% tags=["clinic", "hide-input"]
figure, axes = plt.subplots(1, 5, figsize=(13, 2.8))
for one, (bug, cloud) in zip(axes, ended.items(), strict=False):
    one.scatter(*cloud.T, s=1)
    outside = np.mean(np.abs(cloud).max(axis=1) > 4)
    more = "\n(many lie outside)" if outside > 0.1 else ""
    one.set(title=f"bug {bug}{more}", xlim=(-4, 4), ylim=(-4, 4), aspect="equal")
figures.show(
    figure,
    alt="Five clouds: one scattered far beyond the data, two spirals that look well, one in which the space between the"
    " arms is filled with points, and a spiral without a bug.",
)

# %% [markdown]
# The first sampler: at $t = 0.6$ the true $x_t$ still have a mean left of 0, unlike $N(0, 1)$. Repair: begin in pure
# noise (Lin and others, 2024).
#
# Bug one: the wrong sign. Two: times from 0 to 999, where 0 to 1 was learned. Three: each step asks about the noise
# level at its end. Two and three look well, and only the distance shows them: measure a sampler where the answer is
# known. Four: is it the points' place or their size? **Recorded**, three seeds each:

# %% tags=["clinic"]
ranges = json.loads((paths.BENCHMARKS / "10_range.json").read_text())["runs"]
print("energy distance x 1000, mean ± standard error of three seeds")
for name, entry in ranges.items():
    rows = [result["energy_distance"] for result in entry["seeds"].values()]
    print(f"{name:17}", end="")
    for way in rows[0]:
        values = [row[way] for row in rows]
        print(
            f"  {way} steps {np.mean(values):5.1f} ± {np.std(values, ddof=1) / 3**0.5:.1f}", end=""
        )
    print()

# %% [markdown]
# Of where the points lie we see no effect, nor of their size in 50 of Heun's steps; in ten of Euler's, size has a large
# one: noise hides points five times smaller for longer. Repair: numbers with a spread near 1, or more of Heun's steps.
#
# ## The large version
#
# `TRAIN_FULL = True` trains the picture network that ships.

# %%
TRAIN_FULL = False
recipe = recipes.find("diffusion_fashion")
print("full profile on this machine:", approx(recipe.minutes(recipe.FULL), 0), "minutes")
large_record = json.loads((paths.WEIGHTS / "diffusion_fashion.json").read_text())
print(
    "recorded:",
    large_record["device"],
    f"{large_record['processor_seconds'] / 60:.0f} processor minutes",
)

# %%
if TRAIN_FULL:
    large = recipe.model(recipe.FULL)
    recipe.train(large, recipe.FULL, resume="lesson_10_full")
    figures.images(large.sample(20, seed=0), columns=10, alt="Clothes by the network just trained.")

# %% [markdown]
# ## Summary
#
# - The best denoiser says the posterior mean $\hat x$; the step to $\alpha \hat x$ is $\sigma^2$ times the score.
# - Sampling follows the velocity from noise to data in steps.
# - A perfect denoiser copies its training list: look at the nearest pictures.
# - Not told the class, ours do not beat the GAN.
# - Guidance buys obedience with variety.
#
# ## Glossary
#
# | English | 中文 | in one sentence |
# |---|---|---|
# | noise schedule | 噪声调度 | the shares of data and noise by time |
# | denoiser, posterior mean | 去噪器、后验均值 | the guess with the least squared error |
# | score | 得分函数(分数) | the gradient of the log-density |
# | Langevin dynamics | 朗之万动力学 | noisy uphill steps that draw from a density |
# | flow matching | 流匹配 | learning the velocity between data and noise |
# | classifier-free guidance | 无分类器引导 | going beyond the told answer |
#
# ## What to read next
#
# - Jonathan Ho, Ajay Jain and Pieter Abbeel, *Denoising diffusion probabilistic models*, 2020.
# - Yang Song and others, *Score-based generative modeling through stochastic differential equations*, 2021.
# - Tero Karras and others, *Elucidating the design space of diffusion-based generative models*, 2022.
#
# ## Appendix · From the bound to the loss
#
# [Lesson 07](07_autoencoders_and_vae.ipynb)'s bound on $\log p(x)$ works here too, with each step back, from $t$ to
# an earlier $s$, as a decoder. Apart from two end terms, *minus* the bound is a sum of KL divergences between the
# true step, which knows $x$, and the model's, which guesses $\hat x$:
#
# 1. From $s$ to $t$ section 1's walk keeps $a = \alpha_t / \alpha_s$ and adds noise of variance
#    $b = \sigma_t^2 - a^2 \sigma_s^2$.
# 2. Given $x_t$ and $x$, Bayes' rule makes $x_s$ normal, with mean $\mu = (a \sigma_s^2 x_t + \alpha_s b\, x) / \sigma_t^2$
#    and variance $\tau^2 = b\, \sigma_s^2 / \sigma_t^2$.
# 3. The model puts $\hat x$ for $x$, so $\mu - \hat\mu = (\alpha_s b / \sigma_t^2)\,(x - \hat x)$.
# 4. Of two normals with one variance the divergence is $|\mu - \hat\mu|^2 / 2 \tau^2$. With the **signal-to-noise ratio**
#    $\mathrm{SNR} = \alpha^2 / \sigma^2$, and $b / \sigma_t^2 = 1 - a^2 \sigma_s^2 / \sigma_t^2$:
#
# $$\mathrm{KL} = \frac{\alpha_s^2\, b}{2\, \sigma_s^2 \sigma_t^2}\, |x - \hat x|^2 = \tfrac12 \big(\mathrm{SNR}(s) - \mathrm{SNR}(t)\big)\, |x - \hat x|^2$$
#
# (Kingma and others, 2021.) On the cosine schedule:

# %%
s, t = 0.4, 0.5  # from t back to s
kept = alpha(t) / alpha(s)
added = sigma(t) ** 2 - kept**2 * sigma(s) ** 2  # variance that came between s and t
weight_of_clean = alpha(s) * added / sigma(t) ** 2  # in the mean of x_s
variance = added * sigma(s) ** 2 / sigma(t) ** 2
true_x, guessed_x = 0.7, 0.4
kl = (weight_of_clean * (true_x - guessed_x)) ** 2 / (2 * variance)
snr_difference = (alpha(s) / sigma(s)) ** 2 - (alpha(t) / sigma(t)) ** 2
print(
    f"KL of the step {kl:.6f}, by the formula {snr_difference / 2 * (true_x - guessed_x) ** 2:.6f}"
)

# %% [markdown]
# 5. In many small steps the weight becomes half of how fast the SNR falls.
# 6. $e - \hat e = -\alpha (x - \hat x) / \sigma$, so DDPM's **simple loss** $|e - \hat e|^2$ is $\mathrm{SNR} \cdot
#    |x - \hat x|^2$: the bound with another weight.

# %%
t_axis = np.linspace(0.02, 0.98, 97)
snr = {"cosine": (alpha(t_axis) / sigma(t_axis)) ** 2, "linear": ((1 - t_axis) / t_axis) ** 2}
weights_of_loss = {
    "clean": np.ones_like(t_axis),
    "noise, cosine": snr["cosine"],
    "noise, linear": snr["linear"],
    "velocity, linear": 1 / t_axis**2,  # v = (x_t - x) / t
    "bound, linear": (1 - t_axis) / t_axis**3,  # half of how fast the SNR falls
}
relative = {name: row / row[48] for name, row in weights_of_loss.items()}  # to that at t = 0.5
for name, row in relative.items():
    print(f"{name:18} at t = 0.1: {row[8]:6.1f}   0.5: {row[48]:.1f}   0.9: {row[88]:.3f}")

# %% tags=["hide-input"]
figure, axes = plt.subplots(1, 2, figsize=(11, 3.2))
for name, row in snr.items():
    axes[0].plot(t_axis, row, label=name)
axes[0].set(yscale="log", xlabel="time t", ylabel="signal-to-noise ratio", title="two schedules")
for name, row in relative.items():
    axes[1].plot(t_axis, row, label=name)
axes[1].set(yscale="log", xlabel="time t", ylabel="weight of |x - guess|², 1 at t = 0.5")
axes[1].set(title="what a loss weighs")
for one in axes:
    one.legend(fontsize=8)
figures.show(
    figure,
    alt="Left: the signal-to-noise ratios of two schedules fall by many powers of ten, close together. Right: the"
    " weights of five losses over time, all 1 in the middle; that of the bound rises most under little noise, that of"
    " the clean prediction is flat, that of the noise on the linear schedule falls most under much.",
)

# %% [markdown]
# Under much noise the simple loss cares least; ours, the velocity's, more.
