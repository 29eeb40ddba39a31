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
# # 05 · CNN classifier
#
# **How does a network learn to tell a shirt from a coat, and how do we find out how good it really is?**
#
# A **convolutional neural network** (CNN) stacks the layers of lessons 02 and 03 and learns their weights.
#
# - **You will be able to** train a classifier, say which ingredients pay, read a confusion matrix
#   and a calibration curve, ask a network where it looks, and train one on your own photographs.
# - **You need** [02](02_convolution.ipynb) and [03](03_pooling.ipynb) for layers,
#   [04](04_learning.ipynb) for losses, gradients and optimisers.
# - **Time**: two and a half hours with the exercises; all cells run in a few minutes.

# %%
import json
import tempfile
from pathlib import Path

import keras
import matplotlib.pyplot as plt
import numpy as np
import sklearn.metrics
import tensorflow as tf
from keras import layers
from PIL import Image
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist
from sklearn.linear_model import LogisticRegression
from sklearn.manifold import TSNE
from sklearn.neighbors import KNeighborsClassifier

from course_utils import data, figures, metrics, models, paths, recipes, training
from course_utils.checks import lesson_05 as check
from course_utils.models import augmentation, classifier, efficientnet
from course_utils.report import approx, measured

# %% [markdown]
# Some of these sixteen pictures are shirts, some coats. **Which are which?** Decide before you go on.

# %%
validation_images, validation_labels = data.fashion_mnist("validation")
names = data.FASHION_MNIST_NAMES
shirt, coat = names.index("Shirt"), names.index("Coat")
puzzle = np.flatnonzero(np.isin(validation_labels, [shirt, coat]))[:16]
print("pictures", validation_images[puzzle].shape)

# %% tags=["hide-input"]
figures.images(
    validation_images[puzzle],
    [str(number) for number in range(1, 17)],
    columns=8,
    size=1.5,
    alt="Sixteen small grey pictures of shirts and coats, numbered. Most have long sleeves, some an"
    " opening in front, and many could be either.",
)

# %%
shipped = models.load("fashion_mnist_classifier")  # a network that comes with the course
scores = shipped.predict(validation_images[puzzle], verbose=0)  # (16, 10), one a class
says_shirt, is_shirt = scores[:, shirt] > scores[:, coat], validation_labels[puzzle] == shirt
print("shirts:          ", *(np.flatnonzero(is_shirt) + 1))
print("network's shirts:", *(approx(number, 0) for number in np.flatnonzero(says_shirt) + 1))

# %% [markdown]
# How many did you get? The network learned from other examples.
#
# ## 1 · What is the task, and what must a network beat?
#
# **Fashion-MNIST** is 70,000 grey pictures of $28\times28$ pixels in ten classes. **Training** images set
# the weights, **validation** images choose between networks, **test** images are used once, at the end: a
# score on images that helped to choose can come out too high.

# %%
images, labels = data.fashion_mnist("train")
print("training  ", images.shape, labels.shape, "pixels from", images.min(), "to", images.max())
print("validation", validation_images.shape, "first labels", validation_labels[:5])
print("examples of each class", np.bincount(labels).min(), "to", np.bincount(labels).max())

# %% tags=["hide-input"]
shown = np.concatenate([np.flatnonzero(labels == number)[:8] for number in range(10)])
figure, axes = plt.subplots(8, 10, figsize=(11, 8.8))
for one, index in zip(axes.T.flat, shown, strict=True):
    figures.draw_image(one, images[index])
for one, name in zip(axes[0], names, strict=True):
    one.set_title(name, fontsize=9)
figures.show(
    figure,
    alt="Eight pictures of each of the ten classes, one class a column: T-shirt, trouser,"
    " pullover, dress, coat, sandal, shirt, sneaker, bag and ankle boot. Shirts look"
    " like T-shirts, pullovers or coats.",
)

# %% [markdown]
# **Accuracy** is the share of right answers. First, two **baselines** to beat, without convolution. **Nearest
# neighbour** answers with the label of the training image whose pixels differ least. **Logistic regression** is a
# network without hidden layers.

# %%
pixels, validation_pixels = images.reshape(-1, 784), validation_images.reshape(-1, 784)
baselines = {
    "nearest neighbour": KNeighborsClassifier(1, algorithm="brute").fit(pixels, labels),
    "logistic regression": LogisticRegression(tol=0.003, max_iter=1000).fit(pixels, labels),
}
for name, baseline in baselines.items():
    score = baseline.score(validation_pixels, validation_labels)
    print(f"{name:20} validation accuracy", approx(score))

# %%
by_neighbour = baselines["nearest neighbour"].predict(validation_pixels[:200])
wrong = np.flatnonzero(by_neighbour != validation_labels[:200])[:6]
nearest = baselines["nearest neighbour"].kneighbors(
    validation_pixels[wrong], return_distance=False
)[:, 0]

# %% tags=["hide-input"]
figures.images(
    np.concatenate([validation_images[wrong], images[nearest]]),
    [f"label: {names[label]}" for label in validation_labels[wrong]]
    + [f"nearest: {names[label]}" for label in labels[nearest]],
    columns=6,
    size=1.8,
    alt="Above, six validation images that nearest neighbour gets wrong; below each, the"
    " training image that is nearest to it. The outlines agree almost pixel by pixel,"
    " the classes do not.",
)

# %% [markdown]
# Outlines agree; a collar or a zip is a few pixels and counts for little.
#
# ## 2 · How does a network decide, and how wrong is it?
#
# A small CNN returns ten **logits** $z$: any numbers, one a class.


# %%
def small_cnn(dropout_rate=0.0):
    """The network of the textbooks: images (n, 28, 28, 1) -> logits (n, 10)."""
    return keras.Sequential(
        [
            layers.Input((28, 28, 1)),
            layers.Conv2D(32, 3, activation="relu"),  # -> 26x26x32
            layers.MaxPooling2D(),  # -> 13x13x32
            layers.Conv2D(64, 3, activation="relu"),  # -> 11x11x64
            layers.MaxPooling2D(),  # -> 5x5x64
            layers.Flatten(),  # -> 1600
            layers.Dropout(dropout_rate),  # for section 3; at rate 0 it does nothing
            layers.Dense(10),  # -> 10 logits
        ]
    )


training.set_seed(0)
small = small_cnn()
print(f"{small.count_params():,} weights; output", small(images[:2]).shape)

# %% [markdown]
# Softmax and cross-entropy are [those of lesson 04](04_learning.ipynb#From-numbers-to-probabilities):
#
# $$p_{k} = \frac{e^{z_k}}{\sum_j e^{z_j}} \qquad L = -\frac1n \sum_{i=1}^{n} \log p_{i,\,t_i} \qquad z, p: (n, 10),\quad t: (n,)$$


# %%
def probabilities(model, images):
    """The softmax of a network's logits, (n, classes)."""
    return keras.ops.convert_to_numpy(
        keras.ops.softmax(model.predict(images, batch_size=200, verbose=0))
    )


guesses = probabilities(small, images[:1000])
chosen = guesses[np.arange(1000), labels[:1000]]  # of row i the column that its label names
by_hand = -np.mean(np.log(chosen))
library = keras.losses.SparseCategoricalCrossentropy()(labels[:1000], guesses)
print("agrees with Keras:", np.isclose(by_hand, float(library)))
print(f"untrained {approx(by_hand, 2)}; ten equal guesses give log 10 = {np.log(10):.2f}")

# %% [markdown]
# ### E5.1 ★ Softmax
# Write `softmax`, from logits (n, classes) to probabilities (n, classes). It should bear logits of 1,000,
# for which $e^z$ is too large: remember lesson 04.


# %% tags=["exercise"]
def softmax(logits):
    raise NotImplementedError("E5.1: return probabilities of the same shape")


# %%
check.e5_1(softmax)


# %% tags=["solution"]
def softmax(logits):
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


check.e5_1(softmax)

# %% [markdown]
# ### E5.2 ★★ The gradient that starts all learning
# Write `cross_entropy_gradient`: from logits (n, classes) and labels (n,), the gradient (n, classes) of the *mean*
# cross-entropy with respect to the logits. Differentiate $-\log p_t$ for $z_t$ and for another $z_k$.
# `keras.ops.softmax` is at hand.


# %% tags=["exercise"]
def cross_entropy_gradient(logits, labels):
    raise NotImplementedError("E5.2: return an array of the shape of logits")


# %%
check.e5_2(cross_entropy_gradient)


# %% tags=["solution"]
def cross_entropy_gradient(logits, labels):
    gradient = keras.ops.convert_to_numpy(keras.ops.softmax(logits)).copy()
    gradient[np.arange(len(labels)), labels] -= 1
    return gradient / len(labels)


check.e5_2(cross_entropy_gradient)

# %% [markdown]
# ### Many steps
# `compile` names the loss and the [optimiser](04_learning.ipynb#5-·-Which-way,-and-how-far?). `training.fit` is Keras's
# `fit` with a progress bar and only full batches.

# %%
cross_entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
small.compile("adam", cross_entropy, metrics=["accuracy"])
history = training.fit(
    small,
    images,
    labels,
    epochs=2,
    batch_size=256,
    validation_data=(validation_images, validation_labels),
)

# %% [markdown]
# It is level with both baselines or a little above. Would more epochs always help?
#
# ## 3 · When does it learn by heart?
#
# Give the same network a thousand images, at three times the learning rate, then again with two remedies. **Dropout**
# sets a random half of the **features**, the numbers that go into the last layer, to zero in each training step, so
# that none can be relied on alone. **Early
# stopping** ends training when the validation loss has not improved for some epochs (its *patience*), and
# takes the best weights.


# %%
def train_on_few(dropout_rate, epochs=30, callbacks=()):
    """Train the small network on the first thousand images; return its history, one number an epoch."""
    training.set_seed(0)
    model = small_cnn(dropout_rate)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.003), loss, metrics=["accuracy"])
    images, labels = data.fashion_mnist("train")
    validation_images, validation_labels = data.fashion_mnist("validation")
    return training.fit(
        model,
        images[:1000],
        labels[:1000],
        epochs=epochs,
        batch_size=50,
        validation_data=(validation_images[:1000], validation_labels[:1000]),
        callbacks=callbacks,
    ).history


# %%
by_heart = train_on_few(dropout_rate=0.0)
stop = keras.callbacks.EarlyStopping(patience=8, restore_best_weights=True)
careful = train_on_few(dropout_rate=0.5, callbacks=[stop])

# %%
titles = ("as it is", "with dropout and early stopping")
best = [int(np.argmin(run["val_loss"])) for run in (by_heart, careful)]
for title, run, epoch in zip(titles, (by_heart, careful), best, strict=True):
    lowest, last = approx(run["val_loss"][epoch], 2), approx(run["val_loss"][-1], 2)
    print(f"{title:31} validation loss {lowest} at epoch {approx(epoch + 1, 0)}, at the end {last}")

# %% tags=["hide-input"]
figure, axes = plt.subplots(1, 2, figsize=(11, 3.4), sharey=True)
for one, run, title, epoch in zip(axes, (by_heart, careful), titles, best, strict=True):
    epochs = range(1, len(run["loss"]) + 1)
    one.plot(epochs, run["loss"], label="training", color=figures.COLOURS[0])
    one.plot(epochs, run["val_loss"], label="validation", color=figures.COLOURS[4])
    one.axvline(epoch + 1, color=figures.COLOURS[6], linestyle=":", label="lowest validation loss")
    one.set(
        title=title,
        xlabel="epoch",
        ylabel="cross-entropy",
        xlim=(0, len(by_heart["loss"])),
        ylim=(0, 1.1),
    )
axes[0].legend()
figures.show(
    figure,
    alt="Two panels of loss against epoch. As it is, the training loss falls towards zero"
    " while the validation loss turns round and climbs. With dropout the two stay"
    " closer, and training ends soon after the validation loss has stopped falling.",
)

# %% [markdown]
# Left, the training loss goes to zero while the validation loss turns and climbs: **over-fitting**. Right, it climbs
# less (dropout, on only in training, also raises the training loss); early stopping keeps the weights of the dotted
# line. A third remedy is more data: back to 55,000.
#
# ### E5.3 ★★ Dropout
# Write `dropout` as it works in training: a feature becomes 0 where its number in `random`, drawn
# evenly from [0, 1), is below `rate`. The others are enlarged so that on average the sum stays the same: by
# how much?


# %% tags=["exercise"]
def dropout(features, rate, random):
    raise NotImplementedError("E5.3: return an array of the shape of features")


# %%
check.e5_3(dropout)


# %% tags=["solution"]
def dropout(features, rate, random):
    return np.where(random >= rate, features / (1 - rate), 0)


check.e5_3(dropout)

# %% [markdown]
# ### E5.4 ★★ Early stopping
# `losses` holds the validation losses as if nothing stopped. Training stops after the `patience`-th epoch in a row
# without a new lowest loss, or after the last. Write `early_stopping`, which returns the epoch whose weights to keep
# and the last epoch of training, both counted from 0.


# %% tags=["exercise"]
def early_stopping(losses, patience):
    raise NotImplementedError("E5.4: return best_epoch, last_epoch")


# %%
check.e5_4(early_stopping)


# %% tags=["solution"]
def early_stopping(losses, patience):
    best = 0
    for epoch, loss in enumerate(losses):
        if loss < losses[best]:
            best = epoch
        if epoch - best >= patience:
            break
    return best, epoch


check.e5_4(early_stopping)

# %% [markdown]
# ## 4 · What makes it better?
#
# **Batch normalisation** brings each channel to mean 0 and variance 1, over all pictures and places of the
# batch, then lets the network choose its own scale $\gamma$ and shift $\beta$. A small $\varepsilon$ keeps from
# dividing by zero, and leaves narrow channels a little below 1.
#
# $$y_{n,r,c,k} = \gamma_k\,\frac{x_{n,r,c,k} - \mu_k}{\sqrt{\sigma_k^2 + \varepsilon}} + \beta_k \qquad \mu_k, \sigma_k^2: \text{ over } n, r, c$$

# %%
maps = keras.ops.convert_to_numpy(layers.Conv2D(4, 3)(images[:256]))  # (256, 26, 26, 4)
mean, variance = maps.mean(axis=(0, 1, 2)), maps.var(axis=(0, 1, 2))
normalised = (maps - mean) / np.sqrt(variance + 1e-3)  # at the start gamma is 1 and beta 0
library = layers.BatchNormalization(epsilon=1e-3)(maps, training=True)
print("agrees with Keras:", np.allclose(normalised, library, atol=1e-4))
print("standard deviations before:", *(approx(value, 2) for value in maps.std(axis=(0, 1, 2))))
print(
    "standard deviations after: ", *(approx(value, 2) for value in normalised.std(axis=(0, 1, 2)))
)

# %% tags=["hide-input"]
widest = np.abs(normalised).max()
figure, axes = plt.subplots(1, 2, figsize=(11, 2.6), sharey=True)
for one, values, title in zip(
    axes, (maps, normalised), ("before", "after batch normalisation"), strict=True
):
    for channel in range(4):
        one.hist(
            values[..., channel].ravel(),
            bins=80,
            range=(-widest, widest),
            histtype="step",
            linewidth=2,
        )
    one.set(title=title, xlabel="value of a feature", ylabel="count (log)", yscale="log")
figures.show(
    figure,
    alt="Histograms of four channels. Before, each fills a narrow range of its own; after,"
    " all spread over wider ranges around zero. The spike in each is the black"
    " background.",
)

# %% [markdown]
# To predict, the layer uses averages of $\mu$ and $\sigma^2$ kept from training.
#
# **Augmentation** shows each picture changed every time, here moved by up to a pixel and mirrored. A **learning-rate
# schedule** first raises the rate, then lowers it to zero. **Label smoothing** asks for probability 0.91 instead of 1
# on the right class. These numbers stand in the network's **recipe**,
# `course_utils/recipes/fashion_mnist_classifier.py`.

# %%
one_hot = keras.utils.to_categorical(labels, 10)  # label 3 -> a row with 1 at place 3, else 0
recipe = recipes.find("fashion_mnist_classifier")
numbers = recipe.numbers()
augment = augmentation.RandomShiftFlip(shift=numbers.shift, seed=numbers.seed)
copies = [augment(images[:1], training=True)[0] for _ in range(7)]
print("smoothed label:", np.round(0.9 * one_hot[0] + 0.1 / 10, 2))

# %% tags=["hide-input"]
figures.images(
    [images[0], *copies],
    ["original", "augmented", *[""] * 6],
    size=1.4,
    alt="An ankle boot, and seven copies of it, some mirrored and each moved by at most a pixel.",
)

# %%
sneakers = images[labels == names.index("Sneaker")]
typical = sneakers.mean(axis=0)  # (28, 28, 1)
as_is = np.sum(sneakers * typical, axis=(1, 2, 3))
turned = np.sum(sneakers * typical[:, ::-1], axis=(1, 2, 3))
print(
    f"sneakers more like the mean sneaker than like its mirror image: {np.mean(as_is > turned):.1%}"
)

# %% [markdown]
# Nearly all point one way: mirroring makes shoes that hardly occur. Does it help all the same?


# %%
def learning_rate_at(step, steps, peak, warm_up=0.2):
    """In a line up to the peak, then down to 0 along half a cosine."""
    climb = round(steps * warm_up)
    if step < climb:
        return peak * step / climb
    return peak * (1 + np.cos(np.pi * (step - climb) / (steps - climb))) / 2


steps = numbers.epochs * (len(images) // numbers.batch_size)
schedule = training.one_cycle(numbers.learning_rate, steps)
by_formula = [learning_rate_at(step, steps, numbers.learning_rate) for step in range(steps)]
print(
    "agrees with the schedule:",
    np.allclose(by_formula, [schedule(step) for step in range(steps)], atol=1e-6),
)

# %% tags=["hide-input"]
figure, axes = plt.subplots(figsize=(7, 2.2))
axes.plot(by_formula)
axes.set(xlabel=f"step (of {numbers.batch_size} pictures)", ylabel="learning rate")
figures.show(
    figure,
    alt="The learning rate climbs in a line for a fifth of the steps, then falls in a curve"
    " to zero.",
)

# %% [markdown]
# Does each of them pay? In **recorded runs** (`benchmarks/05_runs.py`) the network of section 5, of **width** 16
# (channels in its first convolution), for eight epochs, goes without one ingredient at a time, three seeds each.
# "Without the schedule" keeps a fifth of the peak rate; for no run, here or in section 5, was the rate tuned anew.

# %%
runs = json.loads((paths.BENCHMARKS / "05_ingredients.json").read_text())["runs"]
final = {
    name: np.array([seed["val_accuracy"][-1] for seed in run["seeds"].values()])
    for name, run in runs.items()
}
print(f"{'':28} validation  costs (points)  seeds apart")
for name, scores in final.items():
    cost = 100 * (final["everything"].mean() - scores.mean())
    print(f"{name:28} {scores.mean():.4f} {cost:13.2f} {np.ptp(scores):15.4f}")

# %% tags=["hide-input"]
figure, axes = plt.subplots(figsize=(8, 3))
for row, scores in enumerate(final.values()):
    axes.plot(100 * scores, [row] * len(scores), "o", color=figures.COLOURS[5])
    axes.plot(
        100 * scores.mean(), row, "|", color=figures.COLOURS[0], markersize=20, markeredgewidth=3
    )
axes.set(xlabel="validation accuracy in per cent (recorded runs; dots: seeds, bars: means)")
axes.set_yticks(range(len(final)), list(final))
axes.invert_yaxis()
axes.grid(axis="x", alpha=0.4)
figures.show(
    figure,
    alt="Validation accuracy with everything and without one ingredient. Without the"
    " schedule it falls most, then without batch normalisation; without augmentation or"
    " dropout it stays about the same; without any of them it is lowest on average,"
    " though its seeds overlap with those without the schedule.",
)

# %% [markdown]
# Without the schedule or batch normalisation we lose about one to two points, more than the seeds differ; the rest
# three runs cannot decide. Each half of augmentation alone, two seeds each, with the training accuracy on unchanged
# pictures:

# %%
halves = json.loads((paths.BENCHMARKS / "05_augmentation.json").read_text())["runs"]
print(f"{'':12} validation  seeds apart  training, as it is   gap")
for name, run in halves.items():
    seeds = run["seeds"].values()
    scores = np.array([seed["val_accuracy"][-1] for seed in seeds])
    learned = np.array([seed["plain_training_accuracy"] for seed in seeds])
    gap = np.mean(learned - scores)
    print(
        f"{name:12} {scores.mean():.4f} {np.ptp(scores):15.4f} {learned.mean():16.4f} {gap:13.4f}"
    )

# %% [markdown]
# The validation scores lie as close together as the seeds: no difference that we can see. The gap narrows only because
# the network knows the training pictures less well.
#
# ## 5 · How large should it be?
#
# Wider networks take longer. So each width gets the epochs that fill about equal **processor seconds** (two minutes on
# two cores are 240), with a schedule. Recorded, three seeds each; last the shipped network ("residual").

# %%
sizes = json.loads((paths.BENCHMARKS / "05_sizes.json").read_text())["runs"]
record = json.loads(
    (paths.WEIGHTS / "fashion_mnist_classifier.json").read_text()
)  # the shipped network
line = "{:9} {:9,} weights {:3} epochs {:5.0f} s   {:.4f}"
for name, run in sizes.items():
    scores = np.array([seed["val_accuracy"][-1] for seed in run["seeds"].values()])
    seconds = np.mean([seed["processor_seconds"][-1] for seed in run["seeds"].values()])
    about = name, run["parameters"], run["settings"]["epochs"], seconds, scores.mean()
    print(line.format(*about), f"({scores.min():.4f} to {scores.max():.4f})")
seconds, score = record["processor_seconds"], record["scores"]["validation_accuracy"]
print(line.format("residual", shipped.count_params(), len(record["history"]), seconds, score))

# %% tags=["hide-input"]
figure, axes = plt.subplots(figsize=(8, 3.6))
for (name, run), colour in zip(sizes.items(), figures.COLOURS, strict=False):
    for number, seed in enumerate(run["seeds"].values()):
        axes.plot(
            seed["processor_seconds"],
            seed["val_accuracy"],
            ".-",
            color=colour,
            label=None if number else name,
            linewidth=1,
        )
axes.set(xlabel="processor seconds", ylabel="validation accuracy", ylim=(0.82, 0.945))
axes.grid(alpha=0.4)
axes.legend()
figures.show(
    figure,
    alt="Validation accuracy against processor seconds for four widths, three seeds each. All curves"
    " jump up and down at first, settle as they end, and end at about the same time; those of"
    " width 16 end highest, those of width 32 lowest.",
)

# %% [markdown]
# The curves settle only as the learning rate falls to zero: compare finished runs. At equal time width 16 ends highest,
# its worst seed above the others' best. We take it:


# %%
def convolved(x, channels, pool=False):
    """Convolution (no bias: beta follows), pooling where asked, batch normalisation, ReLU."""
    x = layers.Conv2D(channels, 3, padding="same", use_bias=False, kernel_initializer="he_normal")(
        x
    )
    x = layers.MaxPooling2D()(x) if pool else x
    return layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))


def better_network(width, augment, dropout_rate):
    """Images (n, 28, 28, 1) -> logits (n, 10)."""
    pictures = layers.Input((28, 28, 1))
    x = convolved(augment(pictures), width, pool=True)  # 28x28 -> 14x14
    x = convolved(x, 2 * width, pool=True)  # 14x14 -> 7x7
    x = layers.Flatten()(convolved(x, 4 * width))
    x = layers.Dense(128, use_bias=False)(x)
    x = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))
    return keras.Model(pictures, layers.Dense(10)(layers.Dropout(dropout_rate)(x)))


# %% [markdown]
# With the same weights, does the package's network give the same logits?

# %%
training.set_seed(numbers.seed)
network = classifier.better_cnn(
    numbers.width, shift=numbers.shift, dropout_rate=numbers.dropout_rate
)
twin = better_network(numbers.width, augment, numbers.dropout_rate)
twin.set_weights(network.get_weights())
ours, of_twin = (model.predict(images[:64], verbose=0) for model in (network, twin))
print(
    f"{network.count_params():,} weights; the same logits:", np.allclose(ours, of_twin, atol=1e-4)
)

# %% [markdown]
# The shipped network is **residual**: its blocks add what two such convolutions make to what went in.


# %%
def residual_block(x, channels):
    return layers.Add()([x, convolved(convolved(x, channels), channels)])


maps_in = layers.Input((14, 14, 80))
block = keras.Model(maps_in, residual_block(maps_in, 80))
in_shipped = [layer.count_params() for layer in shipped.layers if "group_80_block_1" in layer.name]
print(f"a block: {block.count_params():,} weights; in the shipped network {sum(in_shipped):,}")

# %% [markdown]
# Now you train ours (width 16), by SGD with weight decay and momentum (lesson 04; `nesterov` is a variant). The
# `momentum` of batch normalisation belongs to its kept averages.

# %%
optimizer = keras.optimizers.SGD(
    schedule, momentum=0.9, nesterov=True, weight_decay=numbers.weight_decay
)
optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
smoothed_loss = keras.losses.CategoricalCrossentropy(
    from_logits=True, label_smoothing=numbers.label_smoothing
)
network.compile(optimizer, smoothed_loss, metrics=["accuracy"])
curves_of_ours = training.fit(
    network,
    images,
    one_hot,
    epochs=numbers.epochs,
    batch_size=numbers.batch_size,
    validation_data=(validation_images, keras.utils.to_categorical(validation_labels, 10)),
).history

# %%
measured("validation accuracy", curves_of_ours["val_accuracy"][-1], at_least=0.93)
plain = np.mean(probabilities(network, images[:5000]).argmax(axis=1) == labels[:5000])
print("training images as they are, without dropout", approx(plain))

# %% tags=["hide-input"]
figure, axes = plt.subplots(figsize=(7, 3))
epochs = np.arange(1, numbers.epochs + 1)
axes.plot(epochs, curves_of_ours["accuracy"], "o-", label="training, augmented")
validated = curves_of_ours["val_accuracy"]
axes.plot(epochs, validated, "o-", label="validation", color=figures.COLOURS[4])
axes.set(xlabel="epoch", ylabel="accuracy", ylim=(0.75, 1))
axes.legend()
figures.show(
    figure,
    alt="Training and validation accuracy by epoch. Both climb; the validation curve"
    " wobbles at first and ends level with the training curve.",
)

# %% [markdown]
# The training curve saw augmented pictures, with dropout. On training images as they are the accuracy is
# higher: its distance to validation is the gap of section 4. A `.keras` file holds layers and weights:

# %%
with tempfile.TemporaryDirectory() as place:
    path = Path(place) / "my_network.keras"
    network.save(path)
    print(f"{path.name}: {approx(path.stat().st_size / 1e6, 1)} MB")
    again = keras.saving.load_model(path)
same = np.array_equal(probabilities(again, images[:100]), probabilities(network, images[:100]))
print("same answers after loading:", same)

# %% [markdown]
# ## 6 · How good is it, really?
#
# Now the test images, once.

# %%
test_images, test_labels = data.fashion_mnist("test")
predicted = probabilities(network, test_images)  # (10000, 10)
answers = predicted.argmax(axis=1)
accuracy = np.mean(answers == test_labels)
measured("test accuracy", accuracy, at_least=0.92)
shipped_accuracy = np.mean(probabilities(shipped, test_images).argmax(axis=1) == test_labels)
print("the shipped network", approx(shipped_accuracy))
for name, baseline in baselines.items():
    print(name, approx(baseline.score(test_images.reshape(-1, 784), test_labels)))

# %% [markdown]
# Where are the mistakes? The **confusion matrix** $C_{t,a}$ counts how often class $t$ was answered $a$. It
# gives for each class **precision**, the share of its answers that were right, **recall**, the share of its
# pictures that were found, and **F1**, their harmonic mean.
#
# $$\text{precision}_k = \frac{C_{kk}}{\sum_t C_{tk}} \qquad \text{recall}_k = \frac{C_{kk}}{\sum_a C_{ka}} \qquad \text{F1}_k = \frac{2\,\text{precision}_k\,\text{recall}_k}{\text{precision}_k + \text{recall}_k}$$

# %%
confusion = np.zeros((10, 10), int)
np.add.at(confusion, (test_labels, answers), 1)  # adds 1 at each (label, answer)
precision = np.diag(confusion) / np.maximum(confusion.sum(axis=0), 1)  # 0 if never answered
recall = np.diag(confusion) / confusion.sum(axis=1)
f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-9)
library = sklearn.metrics.precision_recall_fscore_support(test_labels, answers, zero_division=0)
print("agrees with scikit-learn:", np.allclose([precision, recall, f1], library[:3]))
print(f"{'':12} precision    recall        F1")
for name, *scores in zip(names, precision, recall, f1, strict=True):
    print(f"{name:12}", *(f"{approx(score, 2):>9}" for score in scores))

# %%
mistakes = np.where(np.eye(10, dtype=bool), 0, confusion)
tops = [names.index(name) for name in ("T-shirt/top", "Pullover", "Dress", "Coat", "Shirt")]
# np.ix_ picks these five rows, and of them these five columns.
share = mistakes[np.ix_(tops, tops)].sum() / mistakes.sum()
print("share of the mistakes that stay among tops, dresses and coats", approx(share, 2))

# %% tags=["hide-input"]
figure, axes = plt.subplots(figsize=(6.6, 6.2))
axes.imshow(mistakes, cmap="Blues", vmax=mistakes.max() * 1.3)
for (row, column), count in np.ndenumerate(confusion):
    weight = "bold" if row == column else "normal"
    axes.text(column, row, count, ha="center", va="center", fontsize=9, weight=weight)
axes.set(xlabel="answer", ylabel="label")
axes.set_xticks(range(10), names, rotation=40, ha="right")
axes.set_yticks(range(10), names)
figures.show(
    figure,
    alt="The confusion matrix. Most counts lie on the diagonal. The darkest squares off it"
    " join shirt with T-shirt, with coat and with pullover, and pullover with coat.",
)

# %% [markdown]
# Mistakes are blue. Shirt is the hardest both ways: about one in four is missed, and about one in five answers "shirt"
# is wrong.
#
# ### E5.5 ★★ Precision, recall and F1
# Write `precision_recall_f1` for one class, from labels (n,) and answers (n,). Where nothing is there to
# divide by, the result is 0.


# %% tags=["exercise"]
def precision_recall_f1(labels, answers, class_number):
    raise NotImplementedError("E5.5: return precision, recall, f1")


# %%
check.e5_5(precision_recall_f1)


# %% tags=["solution"]
def precision_recall_f1(labels, answers, class_number):
    found = np.sum((labels == class_number) & (answers == class_number))
    precision = found / max(np.sum(answers == class_number), 1)
    recall = found / max(np.sum(labels == class_number), 1)
    f1 = 2 * precision * recall / (precision + recall) if found else 0.0
    return precision, recall, f1


check.e5_5(precision_recall_f1)

# %% [markdown]
# ### May we believe its probabilities?
# If a network is **calibrated**, then of the answers given with probability 0.8, eight in ten are right. We sort
# answers into bins by probability. In each, the mean probability and the share right differ; the mean of these
# distances, weighted by answers, is the **expected calibration error** (ECE). On the validation images, with the small
# network trained again, on smoothed labels:

# %%
training.set_seed(0)
smoothed = small_cnn()
smoothed.compile("adam", smoothed_loss, metrics=["accuracy"])
smoothed_history = training.fit(smoothed, images, one_hot, epochs=2, batch_size=256)

# %%
curves = {}
for name, model in {"small": small, "small, smoothed": smoothed, "ours": network}.items():
    guesses = probabilities(model, validation_images)
    curves[name] = metrics.reliability(guesses, validation_labels, bins=10)
    error = metrics.expected_calibration_error(guesses, validation_labels, bins=10)
    print(f"{name:14} mean probability {approx(guesses.max(axis=1).mean())}  ECE {approx(error)}")

# %% tags=["hide-input"]
figure, axes = plt.subplots(figsize=(5, 4.2))
axes.plot([0, 1], [0, 1], color=figures.COLOURS[6], linewidth=1, label="calibrated")
for name, curve in curves.items():
    kept = curve.count >= 30  # a share of fewer answers says little
    axes.plot(curve.confidence[kept], curve.accuracy[kept], "o-", label=name)
axes.set(
    xlabel="probability of the answer",
    ylabel="share of right answers",
    xlim=(0.25, 1.02),
    ylim=(0.25, 1.02),
)
axes.legend()
figures.show(
    figure,
    alt="Share of right answers against their probability. The small network runs close to the"
    " diagonal, mostly a little above it; the same with smoothed labels, and ours, lie well above,"
    " more often right than they say.",
)

# %% [markdown]
# Above the diagonal means too modest. The small network mostly is, by a little; trained on smoothed labels, far more
# (one seed).
#
# Which answers were surest and yet wrong?

# %%
surprise = np.where(answers == test_labels, 0, predicted.max(axis=1))
worst = np.argsort(-surprise)[:12]
print("mistakes in", len(answers), "test images:", approx(np.sum(surprise > 0), 0))

# %% tags=["hide-input"]
titles = [
    f"{names[answers[i]]} {predicted[i].max():.2f}\nlabel: {names[test_labels[i]]}" for i in worst
]
figures.images(
    test_images[worst],
    titles,
    columns=6,
    size=1.8,
    alt="Twelve test images that the network is sure of and gets wrong, each with its"
    " answer, the probability, and the label. Several look like what the network says.",
)

# %% [markdown]
# In many the network has a point: 28 pixels show no fabric, and some labels look wrong.
#
# ## 7 · What has it learned?
#
# The first layer's kernels:

# %%
first = network.get_layer("convolution_1")
kernels = keras.ops.convert_to_numpy(first.kernel)  # (3, 3, 1, channels)

# %% tags=["hide-input"]
limit = np.abs(kernels).max()
figure, axes = plt.subplots(2, kernels.shape[-1] // 2, figsize=(11, 2))
for one, kernel in zip(axes.flat, np.moveaxis(kernels[..., 0, :], -1, 0), strict=True):
    figures.draw_image(one, kernel, cmap=figures.DIVERGING, vmin=-limit, vmax=limit)
figure.colorbar(axes[0, 0].images[0], ax=axes, label="weight")
figures.show(
    figure,
    alt="The kernels of the first layer, three by three, red positive and blue negative."
    " Some are red on one side and blue on the other; others are stripes, single spots"
    " or faint mixtures.",
)

# %% [markdown]
# Some are edge finders, as in lesson 02. t-SNE lays out validation pictures so that similar features (section 3), here
# of the shipped network, lie close together; we move them to a grid,
# coloured by true class. Read who lies beside whom; distances between lands mean little.

# %%
some, some_labels = validation_images[:1500], validation_labels[:1500]
features = classifier.feature_extractor(shipped).predict(some, verbose=0)
points = TSNE(init="pca", random_state=0).fit_transform(features)
print("pictures", some.shape, "features", features.shape, "points", points.shape)


# %% tags=["hide-input"]
def picture_map(points, pictures, colours, rows=34, columns=64):
    """Lay pictures (n, 28, 28, 1) in their colours (n, 3) on a grid, close to their points (n, 2)."""
    points = (points - points.min(axis=0)) / np.ptp(points, axis=0)
    cells = np.stack(np.mgrid[0 : 1 : rows * 1j, 0 : 1 : columns * 1j], axis=-1).reshape(-1, 2)
    _, chosen = linear_sum_assignment(cdist(points, cells, "sqeuclidean"))  # least total distance
    canvas = np.ones((rows, columns, 28, 28, 3), np.float32)
    # A black pixel becomes white, a white one the colour.
    canvas.reshape(-1, 28, 28, 3)[chosen] = 1 - pictures * (1 - colours[:, None, None])
    return canvas.swapaxes(1, 2).reshape(rows * 28, columns * 28, 3)


colours = np.array(plt.get_cmap("tab10").colors)
figure, axes = plt.subplots(figsize=(12, 6.9))
figures.draw_image(axes, picture_map(points, some, colours[some_labels]))
patches = [plt.Line2D([], [], marker="s", linestyle="", color=colour) for colour in colours]
axes.legend(
    patches,
    data.FASHION_MNIST_NAMES,
    ncols=10,
    loc="upper center",
    bbox_to_anchor=(0.5, 0),
    columnspacing=1,
)
figures.show(
    figure,
    alt="Fifteen hundred small pictures of clothes on white, coloured by class. Trousers,"
    " bags, ankle boots, sneakers and sandals form lands of their own, boots and"
    " sneakers side by side. T-shirts, pullovers, coats, dresses and shirts share one"
    " continent, with the shirts in the middle of it, among all the others.",
)

# %% [markdown]
# Shirts lie among the classes that our network confuses with them.
#
# **EfficientNet-Lite0** learned a thousand classes from more than a million photographs. To ask *where* it looks,
# **Grad-CAM** takes the feature map $A_k$ of each channel $k$ of its last convolution, weighs it by $\alpha_k$, the
# mean gradient of the answer's logit $s$, and keeps what speaks for it:
#
# $$\alpha_k = \frac{1}{HW}\sum_{r,c} \frac{\partial s}{\partial A_{r,c,k}} \qquad G_{r,c} = \max\Big(0, \sum_k \alpha_k A_{r,c,k}\Big) \qquad A: (H, W, K), \quad G: (H, W)$$


# %%
def grad_cam(model, photos):
    """Where a network with outputs (maps, logits) sees its answers in photos: (n, H, W)."""
    photos = tf.convert_to_tensor(photos)
    with tf.GradientTape() as tape:
        tape.watch(photos)  # so that it also works where all weights are frozen
        maps, logits = model(photos)
        score = tf.reduce_max(logits, axis=-1)  # (n,)
    weights = tf.reduce_mean(tape.gradient(score, maps), axis=(1, 2), keepdims=True)  # (n, 1, 1, K)
    return tf.nn.relu(tf.reduce_sum(weights * maps, axis=-1)).numpy()


def square(photo, size=224):
    """Cut a photo to its middle square and shrink it to (size, size, 3)."""
    small = keras.ops.image.resize(photo, (size, size), antialias=True, crop_to_aspect_ratio=True)
    return keras.ops.convert_to_numpy(small).clip(0, 1)


# %%
photo_network = models.load("efficientnet_lite0")
map_layer = photo_network.get_layer("feature_map")
looking = keras.Model(photo_network.inputs[0], [map_layer.output, photo_network.output])
photos = np.stack(
    [square(data.photograph(name)) for name in ("red_panda", "hawa_mahal", "kingfisher", "coffee")]
)
heats = grad_cam(looking, photos)
found = [efficientnet.best_classes(logits)[0] for logits in photo_network(photos)]
print("photos", photos.shape, "heat", heats.shape)

# %% tags=["hide-input"]
figure, axes = plt.subplots(2, 4, figsize=(11, 5.8))
for (above, below), photo, heat, (_, name, chance) in zip(
    axes.T, photos, heats, found, strict=True
):
    figures.draw_image(above, photo, f"{name}, {chance:.2f}")
    figures.draw_image(below, photo.mean(axis=-1))
    glow = keras.ops.image.resize(heat[..., None], (224, 224))[..., 0]
    below.imshow(glow, cmap="inferno", alpha=0.55, vmin=0)
figures.show(
    figure,
    alt="Four photographs with the network's answer and probability, and below each the"
    " same in grey with a glow where Grad-CAM finds the answer: on the panda's face, on"
    " two towers of the palace's front, on the bird and not on its branch, and on the"
    " cup.",
)

# %% [markdown]
# The kingfisher is answered jacamar: EfficientNet has no class kingfisher. Is the glow true, or only pretty? On
# photographs of which the network is more than half sure, cover three tenths of the 7×7 places with grey: the hottest,
# the middle (where photographers put things), random ones, or the coldest. What is left of the probability?


# %%
def cover(photos, order):
    """Grey over the first three tenths of the places in `order` (n, H * W)."""
    count, places = order.shape
    covered = np.zeros(order.shape, bool)
    # In each row, True at the places that its order names first.
    np.put_along_axis(covered, order[:, : 3 * places // 10], True, axis=1)
    side = int(np.sqrt(places))
    mask = covered.reshape(count, side, side, 1).repeat(photos.shape[1] // side, axis=1)
    return np.where(mask.repeat(photos.shape[2] // side, axis=2), np.float32(0.5), photos)


# %%
candidates = np.stack([square(photo) for photo in data.photographs("validation")])
chances = probabilities(photo_network, candidates)
sure_photos, chances = candidates[chances.max(axis=1) > 0.5], chances[chances.max(axis=1) > 0.5]
sure_heats = grad_cam(looking, sure_photos).reshape(len(sure_photos), -1)  # (n, 49)
rows, columns = np.divmod(np.arange(49), 7)
from_middle = np.argsort((rows - 3) ** 2 + (columns - 3) ** 2)
orders = {
    "hottest": np.argsort(-sure_heats),
    "middle": np.tile(from_middle, (len(sure_heats), 1)),
    "random": np.random.default_rng(0).permuted(np.tile(from_middle, (len(sure_heats), 1)), axis=1),
    "coldest": np.argsort(sure_heats),
}

# %%
print(
    approx(len(sure_photos), 0),
    "photographs, mean probability",
    approx(chances.max(axis=1).mean(), 2),
)
left = {}
for name, order in orders.items():
    after = probabilities(photo_network, cover(sure_photos, order))
    left[name] = after[np.arange(len(after)), chances.argmax(axis=1)]
    more = left[name] - left["hottest"]  # photograph by photograph
    error = more.std(ddof=1) / np.sqrt(len(more))
    print(
        f"{name:8} places covered: {approx(left[name].mean(), 2)}, above hottest by",
        f"{approx(more.mean(), 3)} ± {approx(error, 3)}",
    )

# %% [markdown]
# The ± is the **standard error**: how much a mean over so few photographs varies by chance. Covering hot places
# costs more than random or cold ones, by over twice that. Against the middle we can see no difference.
#
# ## 8 · What if there are only a hundred pictures?
#
# Then borrow. **Transfer learning** takes EfficientNet's features as they are and trains only a new last layer, here
# for five classes of photographs. The cell writes one sub-folder a class:

# %%
CLASSES = ("animal", "fish", "monument", "tool", "windmill")  # by alphabet, as folders are read
temporary = tempfile.TemporaryDirectory()
folder = Path(temporary.name)
for split in ("train", "validation", "test"):
    for class_name in CLASSES:
        (folder / split / class_name).mkdir(parents=True)
        for name in data.photograph_names(split, class_name):
            photo = np.uint8(np.round(255 * square(data.photograph(name))))
            Image.fromarray(photo).save(folder / split / class_name / f"{name}.jpg", quality=95)
    counts = {
        class_name: len(list((folder / split / class_name).iterdir())) for class_name in CLASSES
    }
    print(f"{split:11}", counts)

# %% [markdown]
# `image_dataset_from_directory` reads such folders. For photographs of your own make folders like these, and set
# `CLASSES` and the path. One trap: it gives values up to 255; our network expects [0, 1].


# %%
def photo_batches(folder):
    """Batches of photos (n, 224, 224, 3) in [0, 1] and labels (n,) from a folder of sub-folders."""
    batches = keras.utils.image_dataset_from_directory(
        folder,
        image_size=(224, 224),
        crop_to_aspect_ratio=True,
        batch_size=20,
        shuffle=False,
        verbose=False,
    )
    return batches.map(lambda photos, labels: (photos / 255, labels)).prefetch(tf.data.AUTOTUNE)


photos, photo_labels = next(iter(photo_batches(folder / "train")))
print("a batch", photos.shape, photo_labels.shape, "largest", f"{float(tf.reduce_max(photos)):.2f}")

# %%
backbone = efficientnet.features_model()


def features_of(folder, backbone):
    """Features (n, 1280) and labels (n,) of all photos in a folder."""
    pairs = [(backbone(photos).numpy(), labels.numpy()) for photos, labels in photo_batches(folder)]
    return [np.concatenate(column) for column in zip(*pairs, strict=True)]


train_features, train_classes = features_of(folder / "train", backbone)
held_out = features_of(folder / "validation", backbone)
print("features", train_features.shape, "validation", held_out[0].shape)

# %%
training.set_seed(0)
head = keras.Sequential([layers.Input((1280,)), layers.Dropout(0.5), layers.Dense(len(CLASSES))])
head.compile("adam", cross_entropy, metrics=["accuracy"])
head_history = training.fit(
    head,
    train_features,
    train_classes,
    epochs=150,
    batch_size=20,
    validation_data=held_out,
    callbacks=[keras.callbacks.EarlyStopping(patience=8, restore_best_weights=True)],
)

# %% [markdown]
# Two baselines, then the test photographs, once.


# %%
def small_pixels(folder):
    """Photos of a folder shrunk to 32x32 and flattened: (n, 3072)."""
    batches = [
        tf.image.resize(photos, (32, 32), antialias=True) for photos, _ in photo_batches(folder)
    ]
    return np.concatenate(batches).reshape(-1, 32 * 32 * 3)


by_pixels = LogisticRegression(max_iter=2000).fit(small_pixels(folder / "train"), train_classes)
commonest = np.bincount(train_classes).argmax()

# %%
test_features, test_classes = features_of(folder / "test", backbone)
class_answers = probabilities(head, test_features).argmax(axis=1)
right = np.mean(class_answers == test_classes)
by_pixels_right = by_pixels.score(small_pixels(folder / "test"), test_classes)

measured("features of EfficientNet", right, at_least=0.9)
print("logistic regression on pixels", approx(by_pixels_right))
print(f"always the commonest class    {np.mean(test_classes == commonest):.3f}")
error = np.sqrt(right * (1 - right) / len(test_classes))
print("standard error with", len(test_classes), "photographs", approx(error))
for number, name in enumerate(CLASSES):
    of_class = class_answers[test_classes == number]
    print(f"{name:12} found: {approx(np.sum(of_class == number), 0)} of {len(of_class)}")

# %%
test_photos = np.concatenate([photos for photos, _ in photo_batches(folder / "test")])
is_wrong = class_answers != test_classes
some_order = np.random.default_rng(3).permutation(len(test_classes))
chosen = some_order[np.argsort(~is_wrong[some_order], kind="stable")][:12]  # mistakes first

# %% tags=["hide-input"]
titles = [
    f"{CLASSES[class_answers[i]]}\n(is: {CLASSES[test_classes[i]]})"
    if is_wrong[i]
    else CLASSES[test_classes[i]]
    for i in chosen
]
figures.images(
    test_photos[chosen],
    titles,
    columns=6,
    size=1.9,
    alt="Twelve test photographs with the network's answers, any mistakes first: animals,"
    " fish, monuments, tools and windmills.",
)

# %% [markdown]
# A class of four photographs says next to nothing about itself.
#
# ## Clinic
#
# A student reads pictures from ten folders, one after the other, and lets Keras hold out a fifth for validation:

# %% tags=["clinic"]
# In the order that ten folders, read one after the other, give.
order = np.argsort(labels[:10_000], kind="stable")
folder_images, folder_labels = images[order], labels[order]


def train_on(images, labels):
    """Train a small network, a fifth held out by Keras; return it and its last accuracies."""
    training.set_seed(0)
    model = small_cnn()
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss, metrics=["accuracy"])
    last = model.fit(
        images, labels, validation_split=0.2, epochs=3, batch_size=64, verbose=0
    ).history
    return model, last["accuracy"][-1], last["val_accuracy"][-1]


ill, accuracy, held_out_accuracy = train_on(folder_images, folder_labels)
print("training accuracy", approx(accuracy, 2), "validation accuracy", approx(held_out_accuracy, 2))

# %% [markdown]
# Over-fitting? But guessing would give 0.1. **What went wrong?** Write down your guess, then count the
# labels:

# %% tags=["clinic"]
cut = 8_000  # validation_split=0.2 takes the LAST fifth
print("classes in the training part:  ", np.bincount(folder_labels[:cut], minlength=10))
print("classes in the validation part:", np.bincount(folder_labels[cut:], minlength=10))
shuffled = np.random.default_rng(0).permutation(len(folder_labels))
repaired, accuracy, held_out_accuracy = train_on(folder_images[shuffled], folder_labels[shuffled])
print("shuffled: training", approx(accuracy, 2), "validation", approx(held_out_accuracy, 2))

# %% tags=["clinic"]
parts = {"sorted": (ill, folder_images[cut:], folder_labels[cut:])}
parts["shuffled"] = (repaired, folder_images[shuffled][cut:], folder_labels[shuffled][cut:])
confusions = {}
for title, (model, held_images, held_labels) in parts.items():
    confusions[title] = sklearn.metrics.confusion_matrix(
        held_labels, probabilities(model, held_images).argmax(axis=1), labels=range(10)
    )

# %% tags=["clinic", "hide-input"]
figure, axes = plt.subplots(1, 2, figsize=(9, 3.8), sharey=True)
for one, (title, counts) in zip(axes, confusions.items(), strict=True):
    figure.colorbar(one.imshow(counts, cmap="Blues"), ax=one, label="pictures")
    one.set(title=f"{title}: validation part", xlabel="answer", ylabel="label")
    one.set_xticks(range(10), names, rotation=40, ha="right", fontsize=8)
    one.set_yticks(range(10), names, fontsize=8)
figures.show(
    figure,
    alt="Two confusion matrices. Sorted: nearly all pictures are bags and ankle boots, and"
    " all of these are answered as other classes, ankle boots as sneakers and sandals."
    " Shuffled: a clear diagonal.",
)

# %% [markdown]
# The network was examined almost only on two classes that it had never been shown: `validation_split` takes the *last*
# examples. Shuffle before you split, with a seed. A score far below guessing means a broken measurement, not a weak
# network.
#
# ## Summary
#
# - Choose by validation images, test once, compare with baselines, and say where budgets differ.
# - Over-fitting: the training loss goes on falling while the validation loss climbs.
# - In our recorded runs, at one learning rate, the schedule and batch normalisation paid most.
# - The confusion matrix says which mistakes, calibration whether to believe a probability, Grad-CAM where.
# - With few pictures, borrow features.
#
# ## Glossary
#
# More words: [lesson 04](04_learning.ipynb#Glossary).
#
# | English | 中文 | in one sentence |
# |---|---|---|
# | convolutional neural network (CNN) | 卷积神经网络 | stacked convolutions whose weights are learned |
# | training, validation, test set | 训练集、验证集、测试集 | to learn, to choose, to report |
# | batch normalisation | 批量归一化 | bringing each channel to mean 0 and variance 1 |
# | precision, recall | 精确率、召回率 | share of answers that are right; of the class that is found |
# | confusion matrix | 混淆矩阵 | counts of label against answer |
# | calibration | 校准 | probabilities that agree with how often one is right |
# | Grad-CAM | 梯度加权类激活映射 | feature maps weighted by their gradient |
# | transfer learning | 迁移学习 | using features learned elsewhere |
#
# ## What to read next
#
# - Han Xiao, Kashif Rasul and Roland Vollgraf, *Fashion-MNIST*, 2017.
# - Sergey Ioffe and Christian Szegedy, *Batch normalization*, 2015.
# - Kaiming He and others, *Deep residual learning for image recognition*, 2016.
# - Leslie Smith and Nicholay Topin, *Super-convergence*, 2017.
# - Chuan Guo and others, *On calibration of modern neural networks*, 2017.
# - Ramprasaath Selvaraju and others, *Grad-CAM*, 2017; Julius Adebayo and others, *Sanity checks for
#   saliency maps*, 2018.
#
# ## The large version
#
# The shipped network trained longer, with stronger augmentation. `TRAIN_FULL = True` does it, and
# resumes when run again.

# %%
TRAIN_FULL = False
minutes = recipe.minutes(recipe.FULL)
print("full profile on this machine:", approx(minutes, 0), "minutes")
print("recorded:", record["device"], f"{record['seconds'] / 60:.0f} minutes,", end=" ")
print("validation", record["scores"]["validation_accuracy"])

# %%
if TRAIN_FULL:
    large = recipe.model(recipe.FULL)
    recipe.train(large, recipe.FULL, resume="lesson_05_full")
