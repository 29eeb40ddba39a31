"""A judge of generated pictures, whose scores carry what is needed to read them.

A number such as a Frechet distance of 12 says nothing by itself: another feature network or fewer pictures give
another number. So a `Score` comes with the network, both counts and its floor: the same number for real pictures in
the place of the generated ones, as many of them.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import NamedTuple

import numpy as np

from course_utils.metrics import generative
from course_utils.report import approx

_NUMBER_WIDTH = 7  # of a column at least, wide enough that no digit moves the headings


@dataclass(frozen=True, eq=False)
class Description:
    """What a feature network says of n pictures."""

    features: np.ndarray  # (n, d)
    probabilities: np.ndarray | None  # (n, classes), where the network knows the classes of these pictures

    @cached_property
    def neighbourhoods(self) -> generative.Neighbourhoods:
        """Found when they are first asked for: a second or so for 10,000 pictures of 160 features."""
        return generative.Neighbourhoods(self.features)

    def chosen(self, rows: np.ndarray) -> "Description":
        """The description of some of the pictures. rows: their indices."""
        return Description(self.features[rows], None if self.probabilities is None else self.probabilities[rows])


class FeatureNetwork(NamedTuple):
    """A network that describes pictures."""

    name: str
    describe: Callable[[np.ndarray], Description]  # from float32 (n, h, w, c) in [0, 1]
    headline: str = "frechet_distance"  # the metric that a Judge gives first


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
    pixels a single one would be left, in features that rank a pixel-wise Gaussian above real emoji in density.
    The kernel distance comes first here: a covariance of 1,280 features takes many thousands of pictures.
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
        headline="kernel_distance",
    )


@dataclass(frozen=True)
class Score:
    """One number about a generator and what it must be read with; `dataclasses.asdict` makes it fit for JSON."""

    metric: str
    value: float
    spread: float | None  # standard deviation over subsets of the samples, where the metric has one
    floor: float  # the same metric of as many other real pictures against the same real ones
    network: str  # whose features were compared, or "pixels"
    real_count: int
    generated_count: int
    better: str  # "lower", "higher", or "floor" where the number should come near its floor from either side

    def __str__(self) -> str:
        digits = METRICS[self.metric].digits
        spread = "" if self.spread is None else f" ± {approx(self.spread, digits)}"
        wish = "the floor is best" if self.better == "floor" else f"{self.better} is better"
        return (
            f"{self.metric} {approx(self.value, digits)}{spread} (real against real {approx(self.floor, digits)}; "
            f"{wish}; {self.made_of})"
        )

    @property
    def made_of(self) -> str:
        """Both counts and the network, in words: scores can be compared where these are equal."""
        return f"{self.generated_count:,} generated against {self.real_count:,} real pictures, by {self.network}"


Measured = dict[str, tuple[float, float | None]]  # value and spread of each metric that one computation gives


def _frechet_distance(real: Description, generated: Description) -> Measured:
    return {"frechet_distance": (generative.frechet_distance(real.features, generated.features), None)}


def _kernel_distance(real: Description, generated: Description) -> Measured:
    return {"kernel_distance": generative.kernel_distance(real.features, generated.features)}


def _neighbourhood_scores(real: Description, generated: Description) -> Measured:
    scores = real.neighbourhoods.scores(generated.features)
    return {name: (value, None) for name, value in scores._asdict().items()}


def _effective_classes(real: Description, generated: Description) -> Measured:
    return {"effective_classes": (generative.effective_classes(generated.probabilities), None)}


def _diversity(real: Description, generated: Description) -> Measured:
    distance, real_distance = (generative.pairwise_diversity(pictures.features) for pictures in (generated, real))
    return {"diversity": (distance / real_distance, None)}


class Metric(NamedTuple):
    """How a number is read, written and measured."""

    better: str
    digits: int
    measure: Callable[[Description, Description], Measured] | None  # None: of pixels, not of descriptions


METRICS = {
    "frechet_distance": Metric("lower", 2, _frechet_distance),
    "kernel_distance": Metric("lower", 4, _kernel_distance),
    "precision": Metric("higher", 3, _neighbourhood_scores),
    "recall": Metric("higher", 3, _neighbourhood_scores),
    "density": Metric("higher", 3, _neighbourhood_scores),
    "coverage": Metric("higher", 3, _neighbourhood_scores),
    "effective_classes": Metric("higher", 2, _effective_classes),
    "diversity": Metric("floor", 3, _diversity),
    "training_distance": Metric("floor", 2, None),
}


def _measure(real: Description, generated: Description, names: Iterable[str]) -> Measured:
    """Value and spread of each metric in names, and of those that come with it for nothing."""
    measured: Measured = {}
    for measure in dict.fromkeys(METRICS[name].measure for name in names):  # each once
        measured |= measure(real, generated)
    return measured


class Judge:
    """Scores of generated pictures against real ones.

    reference_images: real pictures, float32 (n, h, w, c) in [0, 1], that samples are compared with.
    floor_images: other real pictures, at least as many as there will be samples.
    network: describes the pictures; by default `grey_network` for 28x28x1 and `colour_network` for three channels.

    `judge(samples)` gives a dictionary from the name of a metric to its Score; `metrics=("frechet_distance",)`
    chooses, for a live panel say. Metrics: frechet_distance, kernel_distance, precision, recall, density, coverage
    (of five neighbours), diversity (mean distance of two samples as a share of that of two reference pictures) and,
    where the network knows classes, effective_classes.
    The Frechet distance of few pictures, or of features that are many beside them, is much too large, floor included;
    the kernel distance has no such bias.

    Raises ValueError for pictures that are not of one shape, not floats in [0, 1], or of which there are too few, and
    where over a tenth of floor_images stand in reference_images too: pictures against themselves are no floor.
    """

    def __init__(self, reference_images, floor_images, network: FeatureNetwork | None = None):
        self.image_shape = np.shape(reference_images)[1:]
        reference_images, floor_images = (
            _checked_images(images, self.image_shape) for images in (reference_images, floor_images)
        )
        _check_apart(reference_images, floor_images)
        self.network = network or _network_for(self.image_shape)
        self._reference, self._floor = self.network.describe(reference_images), self.network.describe(floor_images)
        self._floor_order = np.random.default_rng(0).permutation(len(floor_images))
        self._floors: dict[tuple[int, str], float] = {}
        known = [name for name, metric in METRICS.items() if metric.measure is not None]
        if self._reference.probabilities is None:
            known.remove("effective_classes")
        self.metrics = tuple(sorted(known, key=lambda name: name != self.network.headline))  # the headline first

    def __call__(self, samples, metrics: str | Iterable[str] | None = None) -> dict[str, Score]:
        names = self.metrics if metrics is None else (metrics,) if isinstance(metrics, str) else tuple(metrics)
        unknown = [name for name in names if name not in self.metrics]
        if unknown:
            raise ValueError(f"this judge has no metric {unknown[0]!r}: choose from {', '.join(self.metrics)}")
        samples = _checked_images(samples, self.image_shape)
        if len(samples) > len(self._floor_order):
            raise ValueError(
                f"got {len(samples):,} samples and {len(self._floor_order):,} floor_images: the floor takes as many "
                "real pictures as there are samples, so make fewer samples or give the judge more floor_images"
            )
        values = _measure(self._reference, self.network.describe(samples), names)
        floors = self._floors_at(len(samples), names)
        counts = len(self._reference.features), len(samples)
        return {
            name: Score(name, *values[name], floors[name], self.network.name, *counts, METRICS[name].better)
            for name in names
        }

    def describe(self, images) -> Description:
        """Features and class probabilities of pictures of the judge's shape, as its network sees them."""
        return self.network.describe(_checked_images(images, self.image_shape))

    def _floors_at(self, count: int, names: Iterable[str]) -> dict[str, float]:
        """The metrics of `count` floor images, drawn once and remembered."""
        missing = [name for name in names if (count, name) not in self._floors]
        if missing:
            drawn = self._floor.chosen(self._floor_order[:count])
            for name, (value, _) in _measure(self._reference, drawn, missing).items():
                self._floors[count, name] = value
        return {name: self._floors[count, name] for name in names}


def training_distance(samples, training_images, unseen_images) -> Score:
    """The median distance, in pixels, from a sample to the nearest training picture.

    samples, training_images, unseen_images: (n, h, w, c), (m, h, w, c), (k, h, w, c), floats in [0, 1]; unseen_images
    are real pictures that were not trained on, k >= n, of which the first n give the floor. A distance far under the
    floor means that pictures were learned by heart; but mind that a blurred picture, too, is nearer to all others.
    Raises ValueError for pictures of differing shapes or outside [0, 1] and for too few unseen_images.
    """
    shape = np.shape(training_images)[1:]
    samples, training_images, unseen_images = (
        _checked_images(images, shape) for images in (samples, training_images, unseen_images)
    )
    if len(unseen_images) < len(samples):
        raise ValueError(f"expected at least {len(samples):,} unseen_images, one a sample, got {len(unseen_images):,}")
    value, floor = (
        float(np.median(generative.nearest_neighbours(images, training_images)[0]))
        for images in (samples, unseen_images[: len(samples)])
    )
    better = METRICS["training_distance"].better
    return Score("training_distance", value, None, floor, "pixels", len(training_images), len(samples), better)


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


def _check_apart(reference_images: np.ndarray, floor_images: np.ndarray) -> None:
    known = {image.tobytes() for image in reference_images}
    shared = sum(image.tobytes() in known for image in floor_images)
    if shared > len(floor_images) / 10:
        raise ValueError(
            f"{shared:,} of {len(floor_images):,} floor_images stand in reference_images too: take other real pictures"
        )


def table(scores: Mapping[str, Mapping[str, Score]]) -> None:
    """Print the scores of several generators, one row each, and below them the floor: real pictures in their place.

    scores: {"VAE": judge(samples), ...}, judged by one network and in equal counts, since else the rows could not be
    compared: ValueError. The columns are the metrics of the first generator; a row may be given more scores, as in
    judge(samples) | {"training_distance": training_distance(...)}.
    """
    first = _comparable(scores)
    names = ["", "", "best:", *scores, "real (floor)"]
    columns = [[name.ljust(max(map(len, names))) for name in names]]
    for metric, score in first.items():
        rows = [row[metric] for row in scores.values()]
        digits = METRICS[metric].digits
        best = "as real" if score.better == "floor" else score.better
        columns.append(
            [*_heading(metric), best, *(approx(value, digits) for value in [*(row.value for row in rows), score.floor])]
        )
        if score.spread is not None:
            columns.append(["", "spread", "", *(approx(row.spread, digits) for row in rows), ""])
    widths = [max(_NUMBER_WIDTH, *map(len, column[:2])) for column in columns]  # not of values, which may vary
    for line in zip(*columns, strict=True):
        print(*(cell.rjust(width) for cell, width in zip(line, widths, strict=True)))
    for made_of in dict.fromkeys(score.made_of for score in first.values()):
        print(made_of)


def _heading(metric: str) -> list[str]:
    """The words of a metric's name on two lines."""
    words = metric.split("_")
    return [""] * (2 - len(words)) + words


def _comparable(scores: Mapping[str, Mapping[str, Score]]) -> Mapping[str, Score]:
    """The first generator's scores, once all are found to be judged in the same way."""
    if not scores or not all(scores.values()):
        raise ValueError("there is nothing to print: give {name: judge(samples)} with one score or more")
    (first_name, first), *_ = scores.items()
    for name, row in scores.items():
        for metric, score in first.items():
            if metric not in row:
                raise ValueError(f"{name!r} has no {metric}, {first_name!r} has: judge all with the same metrics")
            if row[metric].made_of != score.made_of:
                raise ValueError(
                    f"{metric} cannot be compared: {name!r} has {row[metric].made_of}, "
                    f"{first_name!r} has {score.made_of}: judge all with the same judge and the same number of samples"
                )
    return first
