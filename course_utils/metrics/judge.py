"""A judge of generated pictures, whose scores carry what is needed to read them.

A number such as a Frechet distance of 12 says nothing by itself: another feature network or fewer pictures give
another number. So a `Score` comes with the network, both counts and its floor: the same number for real pictures in
the place of the generated ones, as many of them.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np

from course_utils.metrics import generative
from course_utils.report import approx

_NUMBER_WIDTH = 10  # of a column, wide enough that no digit moves the headings


class Description(NamedTuple):
    """What a feature network says of n pictures."""

    features: np.ndarray  # (n, d)
    probabilities: np.ndarray | None  # (n, classes), where the network knows the classes of these pictures


class FeatureNetwork(NamedTuple):
    """A network that describes pictures: `describe(images)` turns float32 (n, h, w, c) in [0, 1] to a Description."""

    name: str
    describe: Callable[[np.ndarray], Description]


@cache
def grey_network() -> FeatureNetwork:
    """For 28x28 grey clothes: the 160 features and 10 classes of the course's Fashion-MNIST classifier (lesson 05)."""
    import keras

    from course_utils import models

    classifier = models.load("fashion_mnist_classifier")
    probabilities = keras.layers.Softmax()(classifier.output)
    model = keras.Model(classifier.inputs, [classifier.get_layer("features").output, probabilities])
    return FeatureNetwork(
        "fashion_mnist_classifier", lambda images: Description(*model.predict(images, batch_size=250, verbose=0))
    )


@cache
def colour_network(side: int = 96) -> FeatureNetwork:
    """For colour pictures of any size: the 1,280 features of EfficientNet-Lite0, trained on photographs of ImageNet.

    Pictures are first resized to side x side pixels, bilinearly: the network halves its picture five times, and of 32
    pixels a single one would be left.
    """
    import keras

    from course_utils.models import efficientnet

    extractor = efficientnet.features_model()
    images = keras.Input((None, None, 3))
    resized = keras.layers.Resizing(side, side, interpolation="bilinear", antialias=True)(images)
    model = keras.Model(images, extractor(resized))
    return FeatureNetwork(
        f"efficientnet_lite0 at {side}x{side}",
        lambda images: Description(model.predict(images, batch_size=100, verbose=0), None),
    )


@dataclass(frozen=True)
class Score:
    """One number about a generator and what it must be read with."""

    metric: str
    value: float
    spread: float | None  # standard deviation over subsets of the samples, where the metric has one
    floor: float  # the same metric of as many other real pictures against the same real ones
    network: str
    real_count: int
    generated_count: int
    better: str  # "lower", "higher", or "floor" where the number should be near its floor

    def __str__(self) -> str:
        digits = METRICS[self.metric].digits
        spread = "" if self.spread is None else f" ± {approx(self.spread, digits)}"
        wish = "the floor is best" if self.better == "floor" else f"{self.better} is better"
        return (
            f"{self.metric} {approx(self.value, digits)}{spread} (real against real {approx(self.floor, digits)}; "
            f"{wish}; {self.generated_count:,} generated and {self.real_count:,} real pictures, {self.network})"
        )


class Metric(NamedTuple):
    """How a number is written, and read."""

    better: str
    digits: int


METRICS = {
    "frechet_distance": Metric("lower", 2),
    "kernel_distance": Metric("lower", 4),
    "precision": Metric("higher", 3),
    "recall": Metric("higher", 3),
    "density": Metric("higher", 3),
    "coverage": Metric("higher", 3),
    "effective_classes": Metric("higher", 2),
    "diversity": Metric("floor", 3),
}


class Judge:
    """Scores of generated pictures against real ones.

    reference_images: real pictures, float32 (n, h, w, c) in [0, 1], that samples are compared with.
    floor_images: other real pictures, at least as many as there will be samples; no picture in both.
    network: describes the pictures; by default `grey_network` for 28x28x1 and `colour_network` for three channels.

    `judge(samples)` gives a dictionary from the name of a metric to its Score; `metrics=("frechet_distance",)`
    chooses, which is quicker. Metrics: frechet_distance, kernel_distance, precision, recall, density, coverage (five
    neighbours), diversity (mean distance of pairs, as a share of the reference's) and, for clothes, effective_classes.
    With thousands of features, or few pictures, prefer the kernel distance: it has no bias, while the Frechet distance
    grows as pictures get fewer.

    Raises ValueError for pictures that are not of one shape, not floats in [0, 1], or of which there are too few.
    """

    def __init__(self, reference_images, floor_images, network: FeatureNetwork | None = None):
        self.image_shape = np.shape(reference_images)[1:]
        self.network = network or _network_for(self.image_shape)
        self._reference = self.describe(reference_images)
        self._floor = self.describe(floor_images)
        self._order = np.random.default_rng(0).permutation(len(self._floor.features))
        self._floors: dict[tuple[int, str], float] = {}
        self.metrics = tuple(
            name for name in METRICS if name != "effective_classes" or self._reference.probabilities is not None
        )

    def __call__(self, samples, metrics: Iterable[str] | None = None) -> dict[str, Score]:
        names = self._chosen(metrics)
        described = self.describe(samples)
        count = len(described.features)
        if count > len(self._order):
            raise ValueError(
                f"got {count:,} samples and {len(self._order):,} floor_images: the floor needs as many real pictures "
                "as there are samples, so make fewer samples or give the judge more floor_images"
            )
        values = _measure(self._reference, described, names)
        floors = self._floors_of(count, names)
        counts = len(self._reference.features), count
        return {
            name: Score(name, *values[name], floors[name], self.network.name, *counts, METRICS[name].better)
            for name in names
        }

    def describe(self, images) -> Description:
        """Features and class probabilities of pictures of the judge's shape, as its network sees them."""
        return self.network.describe(_checked_images(images, self.image_shape))

    def _chosen(self, metrics: Iterable[str] | None) -> tuple[str, ...]:
        names = self.metrics if metrics is None else tuple(metrics)
        unknown = [name for name in names if name not in self.metrics]
        if unknown:
            raise ValueError(f"this judge has no metric {unknown[0]!r}: choose from {', '.join(self.metrics)}")
        return names

    def _floors_of(self, count: int, names: Iterable[str]) -> dict[str, float]:
        missing = [name for name in names if (count, name) not in self._floors]
        if missing:
            rows = self._order[:count]
            chosen = Description(*(None if array is None else array[rows] for array in self._floor))
            for name, (value, _) in _measure(self._reference, chosen, missing).items():
                self._floors[count, name] = value
        return {name: self._floors[count, name] for name in names}


def _measure(real: Description, made: Description, names: Iterable[str]) -> dict[str, tuple[float, float | None]]:
    """Value and spread of each metric in names, and of those that come with it at no cost."""
    names, values = set(names), {}
    if "frechet_distance" in names:
        values["frechet_distance"] = generative.frechet_distance(real.features, made.features), None
    if "kernel_distance" in names:
        values["kernel_distance"] = generative.kernel_distance(real.features, made.features)
    if names & set(generative.NeighbourhoodScores._fields):
        scores = generative.neighbourhood_scores(real.features, made.features)
        values |= {name: (value, None) for name, value in scores._asdict().items()}
    if "effective_classes" in names:
        values["effective_classes"] = generative.effective_classes(made.probabilities), None
    if "diversity" in names:
        distances = [generative.pairwise_diversity(described.features) for described in (made, real)]
        values["diversity"] = distances[0] / distances[1], None
    return values


def _network_for(image_shape: tuple[int, ...]) -> FeatureNetwork:
    if image_shape == (28, 28, 1):
        return grey_network()
    if image_shape[2:] == (3,):
        return colour_network()
    raise ValueError(
        f"there is a feature network for grey pictures (28, 28, 1) and for colour (h, w, 3), got pictures of shape "
        f"{image_shape}: give the judge a network of your own"
    )


def _checked_images(images, image_shape: tuple[int, ...]) -> np.ndarray:
    images = np.asarray(images)
    if images.shape[1:] != image_shape or len(images) == 0:
        raise ValueError(f"expected pictures of shape (n, {', '.join(map(str, image_shape))}), got {images.shape}")
    if not np.issubdtype(images.dtype, np.floating):
        raise ValueError(f"expected float pictures in [0, 1], got {images.dtype}: divide 0-255 by 255")
    images = images.astype(np.float32, copy=False)
    low, high = images.min(), images.max()
    if not (low >= 0 and high <= 1):  # also for NaN
        raise ValueError(
            f"expected pictures in [0, 1], got {low:.3g} to {high:.3g}: from a tanh, in [-1, 1], take (x + 1) / 2"
        )
    return images


def table(scores: dict[str, dict[str, Score]], digits: dict[str, int] | None = None) -> None:
    """Print the scores of several generators, one row each, with the real pictures of the floor as the last row.

    scores: {"VAE": judge(samples), ...}, all with one network and equal counts, or else the rows could not be compared:
    ValueError. The columns are the metrics of the first generator; digits={"frechet_distance": 1} overrides decimals.
    """
    first = _comparable(scores)
    decimals = {metric: METRICS[metric].digits for metric in first} | (digits or {})
    columns = [["", "", "best:", *scores, "real"]]
    for metric, score in first.items():
        heading = metric.split("_")
        best = "as real" if score.better == "floor" else score.better
        values = [row[metric].value for row in scores.values()] + [score.floor]
        columns.append(
            [""] * (2 - len(heading)) + heading + [best] + [approx(value, decimals[metric]) for value in values]
        )
    for line in zip(*columns, strict=True):
        print(line[0].ljust(max(map(len, columns[0]))), *(cell.rjust(_NUMBER_WIDTH) for cell in line[1:]))
    one = next(iter(first.values()))
    print(f"{one.generated_count:,} generated against {one.real_count:,} real pictures, features: {one.network}")


def _comparable(scores: dict[str, dict[str, Score]]) -> dict[str, Score]:
    """The first generator's scores, once all are found to have been made in the same way."""
    if not scores or not all(scores.values()):
        raise ValueError("there is nothing to print: give {name: judge(samples)} with one score or more")
    first = next(iter(scores.values()))
    for name, row in scores.items():
        for metric, score in first.items():
            if metric not in row:
                raise ValueError(f"{name} has no {metric}: judge all with the same metrics")
            if (row[metric].network, row[metric].real_count, row[metric].generated_count) != (
                score.network,
                score.real_count,
                score.generated_count,
            ):
                raise ValueError(f"these scores cannot be compared: {row[metric]} and {score}")
    return first
