"""Generative metrics: closed forms, SciPy and scikit-learn as references, and which way they move on real pictures."""

import dataclasses
import json
import math

import numpy as np
import pytest
import scipy.linalg
import scipy.ndimage
import scipy.spatial.distance
import scipy.stats
import sklearn.metrics.pairwise

from course_utils import data, metrics
from course_utils.metrics import generative


def normal(n, d, seed=0):
    return np.random.default_rng(seed).standard_normal((n, d))


def with_moments(mean, covariance, n=50, seed=0):
    """Rows (n, d) whose mean and covariance are exactly these."""
    rows = normal(n, len(mean), seed)
    rows -= rows.mean(axis=0)
    rows = rows @ np.linalg.inv(np.linalg.cholesky(np.atleast_2d(np.cov(rows, rowvar=False))).T)
    return mean + rows @ scipy.linalg.sqrtm(covariance).real


def rotation(d, seed=0):
    return np.linalg.qr(normal(d, d, seed))[0]


# --------------------------------------------------------------------------------------- Frechet distance


def test_frechet_distance_of_one_feature_by_hand():
    real = with_moments(np.array([1.0]), np.array([[4.0]]))
    generated = with_moments(np.array([4.0]), np.array([[9.0]]), n=80, seed=1)
    assert metrics.frechet_distance(real, generated) == pytest.approx((4 - 1) ** 2 + (3 - 2) ** 2)


@pytest.mark.parametrize("turned", [False, True], ids=["diagonal", "rotated"])
def test_frechet_distance_of_covariances_with_common_axes(turned):
    a, b, shift = np.array([1.0, 4.0, 9.0, 0.25]), np.array([4.0, 4.0, 1.0, 1.0]), np.array([0.0, 1.0, -2.0, 0.5])
    axes = rotation(4) if turned else np.eye(4)
    real = with_moments(np.zeros(4), axes @ np.diag(a) @ axes.T)
    generated = with_moments(shift, axes @ np.diag(b) @ axes.T, n=60, seed=1)
    expected = (shift**2).sum() + ((np.sqrt(a) - np.sqrt(b)) ** 2).sum()
    assert metrics.frechet_distance(real, generated) == pytest.approx(expected)


@pytest.mark.parametrize("d", [1, 3, 40])
def test_frechet_distance_agrees_with_the_matrix_root_of_scipy(d):
    real, generated = normal(200, d) @ normal(d, d, 1), normal(150, d, 2) @ normal(d, d, 3) + 0.3
    first, second = (np.atleast_2d(np.cov(rows, rowvar=False)) for rows in (real, generated))
    root = scipy.linalg.sqrtm(first @ second).real
    shift = real.mean(axis=0) - generated.mean(axis=0)
    expected = shift @ shift + np.trace(first + second - 2 * root)
    assert metrics.frechet_distance(real, generated) == pytest.approx(expected, rel=1e-6)
    moments = real.mean(axis=0), first, generated.mean(axis=0), second
    assert metrics.gaussian_frechet_distance(*moments) == pytest.approx(expected, rel=1e-6)


def test_frechet_distance_stays_when_both_sets_are_moved_turned_or_swapped():
    real, generated = normal(60, 5), 2 * normal(70, 5, 1) + 1
    expected = metrics.frechet_distance(real, generated)
    turn = rotation(5)
    assert metrics.frechet_distance(real @ turn + 7, generated @ turn + 7) == pytest.approx(expected)
    assert metrics.frechet_distance(generated, real) == pytest.approx(expected)
    assert metrics.frechet_distance(3 * real, 3 * generated) == pytest.approx(9 * expected)


@pytest.mark.parametrize("n", [2, 20, 500])
def test_frechet_distance_of_a_set_to_itself_is_zero_also_with_fewer_rows_than_features(n):
    rows = normal(n, 100)
    assert 0 <= metrics.frechet_distance(rows, rows) < 1e-5


def test_frechet_distance_of_sets_too_small_for_their_features_by_the_eigenvalues_of_a_small_matrix():
    """trace (C1 C2)^(1/2) is the sum of singular values of X Y^T / sqrt((n - 1)(m - 1)), X and Y centred."""
    real, generated = normal(10, 50), normal(12, 50, 1) + 0.1
    x, y = real - real.mean(axis=0), generated - generated.mean(axis=0)
    shift = real.mean(axis=0) - generated.mean(axis=0)
    roots = np.linalg.svd(x @ y.T, compute_uv=False).sum() / math.sqrt(9 * 11)
    expected = shift @ shift + (x**2).sum() / 9 + (y**2).sum() / 11 - 2 * roots
    assert metrics.frechet_distance(real, generated) == pytest.approx(expected, rel=1e-5)


def test_frechet_distance_of_few_samples_is_too_large():
    few, many = (metrics.frechet_distance(normal(n, 20), normal(n, 20, 1)) for n in (50, 5000))
    assert few > 10 * many > 0


# ---------------------------------------------------------------------------------------- kernel distance


def test_kernel_distance_agrees_with_loops():
    real, generated = normal(5, 3), normal(5, 3, 1) + 0.5

    def kernel(x, y):
        return (sum(a * b for a, b in zip(x, y, strict=True)) / 3 + 1) ** 3

    within_real = [kernel(real[i], real[j]) for i in range(5) for j in range(5) if i != j]
    within_generated = [kernel(generated[i], generated[j]) for i in range(5) for j in range(5) if i != j]
    across = [kernel(x, y) for x in real for y in generated]
    expected = np.mean(within_real) + np.mean(within_generated) - 2 * np.mean(across)
    value, spread = metrics.kernel_distance(real, generated, subsets=3, subset_size=5)
    assert value == pytest.approx(expected)
    assert spread == pytest.approx(0, abs=1e-12)  # each subset is the whole set


def test_kernel_distance_agrees_with_the_kernel_of_scikit_learn():
    real, generated = normal(80, 16), 1.5 * normal(80, 16, 1)
    a, b, c = (
        sklearn.metrics.pairwise.polynomial_kernel(x, y, degree=3, gamma=1 / 16, coef0=1)
        for x, y in ((real, real), (generated, generated), (real, generated))
    )
    off = ~np.eye(80, dtype=bool)
    expected = a[off].mean() + b[off].mean() - 2 * c.mean()
    assert metrics.kernel_distance(real, generated, subsets=1, subset_size=80)[0] == pytest.approx(expected)


def test_kernel_distance_has_no_bias():
    """Of equal distributions it is 0 on average, where the estimate that pairs rows with themselves is not."""
    values, biased = [], []
    for seed in range(300):
        real, generated = normal(20, 2, 2 * seed), normal(20, 2, 2 * seed + 1)
        values.append(metrics.kernel_distance(real, generated, subsets=1, subset_size=20)[0])
        kernels = [(x @ y.T / 2 + 1) ** 3 for x, y in ((real, real), (generated, generated), (real, generated))]
        biased.append(kernels[0].mean() + kernels[1].mean() - 2 * kernels[2].mean())
    error = scipy.stats.sem(values)
    assert abs(np.mean(values)) < 4 * error
    assert np.mean(biased) > 8 * error


def test_kernel_distance_of_shifted_normal_numbers():
    """For one feature k = 1 + 3xy + 3x^2 y^2 + x^3 y^3, so N(0, 1) and N(1, 1), with moments 0, 1, 0 and 1, 2, 4, lie
    3 * 1 + 3 * 1 + 16 = 22 apart."""
    values = [
        metrics.kernel_distance(normal(200, 1, 2 * seed), normal(200, 1, 2 * seed + 1) + 1, subsets=1, subset_size=200)
        for seed in range(100)
    ]
    means = [value for value, _ in values]
    assert abs(np.mean(means) - 22) < 4 * scipy.stats.sem(means)


def test_kernel_distance_over_subsets_is_repeatable_and_has_a_spread():
    real, generated = normal(300, 4), normal(400, 4, 1)
    value, spread = metrics.kernel_distance(real, generated, subset_size=100)
    assert (value, spread) == metrics.kernel_distance(real, generated, subset_size=100)
    assert value != metrics.kernel_distance(real, generated, subset_size=100, seed=1)[0]
    assert metrics.kernel_distance(real, generated, subset_size=20)[1] > spread > 0
    assert metrics.kernel_distance(real, generated) == metrics.kernel_distance(real, generated, subset_size=150)


# ------------------------------------------------------------------------------------------ neighbourhoods


def test_neighbourhood_scores_by_hand():
    """With one neighbour the reach of 0, 1, 3 and 7 is 1, 1, 2 and 4, that of 0.5, 2 and 20 is 1.5, 1.5 and 18.

    0.5 lies in the neighbourhoods of 0 and 1, 2 in those of 1 and 3, 20 in none: 4 in all. 7 lies in that of 20 alone.
    """
    real, generated = np.array([[0.0], [1.0], [3.0], [7.0]]), np.array([[0.5], [2.0], [20.0]])
    scores = metrics.neighbourhood_scores(real, generated, neighbours=1)
    assert scores.precision == pytest.approx(2 / 3)
    assert scores.recall == pytest.approx(1)
    assert scores.density == pytest.approx(4 / 3)
    assert scores.coverage == pytest.approx(3 / 4)


def reach(rows, neighbours):
    return np.sort(scipy.spatial.distance.cdist(rows, rows), axis=1)[:, neighbours]


@pytest.mark.parametrize("memory", [32, 0.01], ids=["one part", "many parts"])
@pytest.mark.parametrize("neighbours", [1, 5])
def test_neighbourhood_scores_agree_with_a_whole_matrix_of_distances(neighbours, memory, monkeypatch):
    monkeypatch.setattr(generative, "_WORKING_MEMORY", memory)
    real, generated = normal(300, 6), 1.3 * normal(250, 6, 1) + 0.4
    distances = scipy.spatial.distance.cdist(real, generated)
    in_real, in_generated = distances <= reach(real, neighbours)[:, None], distances <= reach(generated, neighbours)
    scores = metrics.neighbourhood_scores(real, generated, neighbours)
    assert scores.precision == pytest.approx(in_real.any(axis=0).mean())
    assert scores.recall == pytest.approx(in_generated.any(axis=1).mean())
    assert scores.density == pytest.approx(in_real.sum() / neighbours / 250)
    assert scores.coverage == pytest.approx(in_real.any(axis=1).mean())


def test_neighbourhoods_serve_many_generated_sets():
    real = normal(60, 4) + 9
    neighbourhoods = generative.Neighbourhoods(real, neighbours=3)
    for generated in (normal(50, 4, 1) + 9, 1.2 * normal(40, 4, 2) + 9):
        assert neighbourhoods.scores(generated) == metrics.neighbourhood_scores(real, generated, neighbours=3)
    with pytest.raises(ValueError, match=r"rows of equal length, got \(60, 4\) and \(50, 3\)"):
        neighbourhoods.scores(normal(50, 3))
    with pytest.raises(ValueError, match="generated: expected 4 rows or more, got 3"):
        neighbourhoods.scores(real[:3])


@pytest.mark.parametrize("offset", [0, 1e3])
def test_a_row_at_the_very_reach_lies_inside_however_distances_are_rounded(offset):
    """The neighbourhood of a row that is copied holds the copy and those of its neighbours, the farthest too."""
    real = normal(700, 40) + offset
    order = np.random.default_rng(1).permutation(700)
    assert metrics.neighbourhood_scores(real, real[order], neighbours=5) == (1, 1, pytest.approx(6 / 5), 1)
    few = metrics.neighbourhood_scores(real, real[order[:7]].repeat(100, axis=0), neighbours=5)
    assert few.precision == 1
    assert few.recall == pytest.approx(7 / 700)  # balls of no size reach the rows that they repeat, and no others
    balls = scipy.spatial.distance.cdist(real, real[order[:7]]) <= reach(real, 5)[:, None] + 1e-9
    assert few.density == pytest.approx(100 * balls.sum() / 700 / 5)
    assert few.coverage == pytest.approx(balls.any(axis=1).mean())


def test_density_and_coverage_of_equal_distributions():
    """Naeem et al. (2020): density is 1 on average, coverage 1 - (n-1)...(n-k) / ((n+m-1)...(n+m-k))."""
    scores = [metrics.neighbourhood_scores(normal(900, 3, 2 * seed), normal(600, 3, 2 * seed + 1)) for seed in range(8)]
    density, coverage = ([getattr(score, name) for score in scores] for name in ("density", "coverage"))
    missed = math.prod((900 - i) / (1500 - i) for i in range(1, 6))
    assert abs(np.mean(density) - 1) < 4 * scipy.stats.sem(density)
    assert abs(np.mean(coverage) - (1 - missed)) < 4 * scipy.stats.sem(coverage)


def test_far_apart_and_copied_sets():
    rows = normal(50, 3)
    assert metrics.neighbourhood_scores(rows, rows + 100) == (0, 0, 0, 0)
    same = metrics.neighbourhood_scores(rows, rows.copy())
    assert (same.precision, same.recall, same.coverage) == (1, 1, 1)
    one_repeated = metrics.neighbourhood_scores(rows, np.repeat(rows[:1], 50, axis=0))
    assert one_repeated.precision == 1 and one_repeated.recall <= 1 / 50 and one_repeated.coverage < 0.5


def test_nearest_neighbours_agree_with_a_whole_matrix_of_distances():
    random = np.random.default_rng(0)
    images, training = (random.random((n, 6, 5, 3), dtype=np.float32) for n in (40, 70))
    images[3] = training[66]
    distances, indices = metrics.nearest_neighbours(images, training)
    expected = scipy.spatial.distance.cdist(images.reshape(40, -1), training.reshape(70, -1))
    assert indices.tolist() == expected.argmin(axis=1).tolist() and indices.dtype == np.int64
    np.testing.assert_allclose(distances, expected.min(axis=1), rtol=1e-5)
    assert distances[3] == 0 and indices[3] == 66 and distances.dtype == np.float32


# ----------------------------------------------------------------------------------- classes and diversity


def test_effective_classes():
    one_hot = np.eye(10)
    assert metrics.effective_classes(one_hot) == pytest.approx(10)
    assert metrics.effective_classes(one_hot[[3, 3, 3]]) == 1
    assert metrics.effective_classes(one_hot[[0, 1, 1, 0]]) == pytest.approx(2)
    counts = [5, 3, 0, 2]
    probabilities = np.random.default_rng(0).dirichlet(np.ones(4), size=500)
    probabilities = np.concatenate([probabilities[probabilities.argmax(axis=1) == i][:n] for i, n in enumerate(counts)])
    assert metrics.class_counts(probabilities).tolist() == counts
    by_hand = 1 / (0.5**0.5 * 0.3**0.3 * 0.2**0.2)
    assert metrics.effective_classes(probabilities) == pytest.approx(by_hand)
    assert metrics.effective_classes(np.log(probabilities)) == metrics.effective_classes(probabilities)


def test_pairwise_diversity_is_the_mean_distance_of_two_rows():
    assert metrics.pairwise_diversity(np.array([[0.0, 0.0], [3.0, 4.0]])) == pytest.approx(5)
    rows = normal(30, 4)
    expected = scipy.spatial.distance.pdist(rows)
    error = expected.std() / math.sqrt(20_000)
    assert metrics.pairwise_diversity(rows) == pytest.approx(expected.mean(), abs=4 * error)
    assert metrics.pairwise_diversity(np.ones((10, 3))) == 0


# ---------------------------------------------------------------------------------------------- odd inputs


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int64])
def test_any_number_type_gives_the_same(dtype):
    real, generated = (np.round(4 * normal(40, 3, seed)).astype(dtype) for seed in (0, 1))
    for function in (metrics.frechet_distance, metrics.kernel_distance, metrics.neighbourhood_scores):
        assert function(real, generated) == pytest.approx(
            function(real.astype(np.float64), generated.astype(np.float64))
        )


def test_large_offsets_do_not_drown_the_differences():
    real, generated = normal(200, 3), normal(200, 3, 1)
    assert metrics.frechet_distance(real + 1e4, generated + 1e4) == pytest.approx(
        metrics.frechet_distance(real, generated)
    )
    assert metrics.neighbourhood_scores(real + 1e4, generated + 1e4) == metrics.neighbourhood_scores(real, generated)


TWO_SETS = (metrics.frechet_distance, metrics.kernel_distance, metrics.neighbourhood_scores)
NAN = np.where(np.arange(30).reshape(10, 3) == 4, np.nan, 0.0)


@pytest.mark.parametrize("function", TWO_SETS)
@pytest.mark.parametrize(
    ("real", "generated", "message"),
    [
        (np.zeros((10, 3)), np.zeros((10, 4)), r"rows of equal length, got \(10, 3\) and \(10, 4\)"),
        (np.zeros((10, 3)), np.zeros((0, 3)), "rows or more, got 0"),
        (np.zeros((1, 3)), np.zeros((10, 3)), "rows or more, got 1"),
        (np.zeros(10), np.zeros(10), r"\(n, d\), one row a picture, got shape \(10,\)"),
        (np.zeros((10, 0)), np.zeros((10, 0)), r"got shape \(10, 0\)"),
        (np.zeros((10, 3)), NAN, "generated: 1 of 10 rows hold NaN or infinity, the first is row 1: look at"),
        (NAN, np.zeros((10, 3)), "real: 1 of 10 rows hold NaN or infinity"),
        (np.zeros((10, 3)), np.full((10, 3), -np.inf), "generated: 10 of 10 rows hold NaN or infinity"),
    ],
)
def test_bad_features_are_named(function, real, generated, message):
    with pytest.raises(ValueError, match=message):
        function(real, generated)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: metrics.kernel_distance(x, x, subset_size=11), "from 2 to 10, the rows of the smaller set, got 11"),
        (lambda x: metrics.kernel_distance(x, x, subset_size=1), "from 2 to 10, the rows of the smaller set, got 1"),
        (lambda x: metrics.kernel_distance(x, x, subsets=0), "subsets must be 1 or more, got 0"),
        (lambda x: metrics.neighbourhood_scores(x, x, neighbours=0), "neighbours must be 1 or more, got 0"),
        (lambda x: metrics.neighbourhood_scores(x, x, neighbours=10), "expected 11 rows or more, got 10"),
        (lambda x: metrics.pairwise_diversity(x[:1]), "expected 2 rows or more, got 1"),
        (lambda x: metrics.pairwise_diversity(x, pairs=0), "pairs must be 1 or more, got 0"),
        (lambda x: metrics.pairwise_diversity(NAN), "features: 1 of 10 rows hold NaN or infinity"),
        (lambda x: metrics.effective_classes(x[:0]), "expected 1 rows or more, got 0"),
        (lambda x: metrics.effective_classes(NAN), "probabilities: 1 of 10 rows hold NaN or infinity"),
        (lambda x: metrics.effective_classes(x[:, 0]), r"got shape \(10,\)"),
        (lambda x: metrics.nearest_neighbours(x, x[:, :2]), r"of one shape, got \(10, 3\) and \(10, 2\)"),
        (lambda x: metrics.nearest_neighbours(x, x[:0]), "expected 1 rows or more, got 0"),
        (lambda x: metrics.nearest_neighbours(x, x.astype(np.uint8)), "float pictures, got float64 and uint8"),
        (lambda x: metrics.nearest_neighbours(x, NAN), "training_images: 1 of 10 rows hold NaN or infinity"),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call(normal(10, 3))


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("spoilt", ["mean_1", "covariance_1", "mean_2", "covariance_2"])
def test_moments_that_are_not_finite_are_named(number, spoilt):
    moments = {"mean_1": np.zeros(3), "covariance_1": np.eye(3), "mean_2": np.ones(3), "covariance_2": 2 * np.eye(3)}
    moments[spoilt][1] = number
    with pytest.raises(ValueError, match=f"{spoilt}: 1 of 3 rows hold NaN or infinity"):
        metrics.gaussian_frechet_distance(**moments)


@pytest.mark.parametrize(
    "moments",
    [
        (np.zeros(3), np.eye(3), np.zeros(1), np.eye(1)),
        (np.zeros(3), np.eye(3), np.zeros(3), np.ones(3)),
        (np.zeros((1, 3)), np.eye(3), np.zeros((1, 3)), np.eye(3)),
        (0.0, 1.0, 0.0, 1.0),
    ],
)
def test_moments_of_other_shapes_are_refused(moments):
    with pytest.raises(ValueError, match=r"expected two means \(d,\), each with its covariance \(d, d\), got \("):
        metrics.gaussian_frechet_distance(*moments)


# --------------------------------------------------------------------------------------------------- judge

LITTLE = metrics.FeatureNetwork(
    "pixels and halves",
    lambda images: metrics.Description(
        images.reshape(len(images), -1), np.eye(2)[(images[:, 0, 0, 0] > 0.5).astype(int)]
    ),
)


def pictures(n, seed=0):
    return np.random.default_rng(seed).random((n, 2, 3, 1), dtype=np.float32)


@pytest.fixture(scope="module")
def little_judge():
    return metrics.Judge(pictures(80), pictures(60, 1), LITTLE)


def test_scores_are_those_of_the_functions_and_carry_what_they_must_be_read_with(little_judge):
    samples = pictures(40, 2) ** 2
    scores = little_judge(samples)
    real, generated = pictures(80).reshape(80, -1), samples.reshape(40, -1)
    assert scores["frechet_distance"].value == metrics.frechet_distance(real, generated)
    assert (scores["kernel_distance"].value, scores["kernel_distance"].spread) == metrics.kernel_distance(
        real, generated
    )
    assert [scores[name].value for name in ("precision", "recall", "density", "coverage")] == list(
        metrics.neighbourhood_scores(real, generated)
    )
    assert scores["effective_classes"].value == metrics.effective_classes(LITTLE.describe(samples).probabilities)
    diversities = [metrics.pairwise_diversity(rows) for rows in (generated, real)]
    assert scores["diversity"].value == pytest.approx(diversities[0] / diversities[1])
    for name, score in scores.items():
        assert (score.metric, score.network, score.real_count, score.generated_count) == (name, LITTLE.name, 80, 40)
        assert score.better in ("lower", "higher", "floor")
        assert (score.spread is None) == (name != "kernel_distance")
        assert metrics.Score(**json.loads(json.dumps(dataclasses.asdict(score)))) == score


def test_the_floor_is_taken_at_the_number_of_samples(little_judge):
    floors = {n: little_judge(pictures(n, 3))["frechet_distance"].floor for n in (10, 60)}
    assert floors[10] > 2 * floors[60] > 0
    everything = metrics.frechet_distance(pictures(80).reshape(80, -1), pictures(60, 1).reshape(60, -1))
    assert floors[60] == pytest.approx(everything)
    assert little_judge(pictures(10, 4))["frechet_distance"].floor == floors[10]


def test_a_choice_of_metrics_measures_only_these(little_judge, monkeypatch):
    monkeypatch.setattr(generative, "kernel_distance", None)
    monkeypatch.setattr(generative, "Neighbourhoods", None)
    scores = little_judge(pictures(20, 2), metrics=("effective_classes", "frechet_distance"))
    assert list(scores) == ["effective_classes", "frechet_distance"]
    assert list(little_judge(pictures(20, 2), metrics="diversity")) == ["diversity"]


def test_neighbourhoods_of_the_reference_and_the_floor_are_found_once(monkeypatch):
    searched = []

    class Counting(generative.NearestNeighbors):
        def fit(self, rows):
            searched.append(len(rows))
            return super().fit(rows)

    monkeypatch.setattr(generative, "NearestNeighbors", Counting)
    judge = metrics.Judge(pictures(80), pictures(60, 1), LITTLE)
    judge(pictures(40, 2))
    assert sorted(searched) == [40, 40, 80]  # samples, as many floor images, reference
    judge(pictures(40, 3))
    assert sorted(searched) == [40, 40, 40, 80]


def test_the_judge_names_features_that_are_not_finite():
    broken = metrics.FeatureNetwork("broken", lambda images: metrics.Description(np.log(images[:, 0, 0] - 0.5), None))
    for metric in ("frechet_distance", "kernel_distance", "coverage", "diversity"):
        with np.errstate(invalid="ignore"), pytest.raises(ValueError, match="rows hold NaN or infinity"):
            metrics.Judge(pictures(80), pictures(60, 1), broken)(pictures(40, 2), metric)


def test_judging_is_repeatable(little_judge):
    assert little_judge(pictures(30, 5)) == little_judge(pictures(30, 5))


def test_a_score_reads_as_a_sentence(little_judge):
    score = metrics.Score("kernel_distance", 0.12345, 0.01, -0.00004, "net", 5000, 1000, "lower")
    assert str(score) == (
        "kernel_distance ≈0.1235 ± ≈0.0100 (real against real ≈-0.0000; lower is better; "
        "1,000 generated against 5,000 real pictures, by net)"
    ).replace("≈0.1235", f"≈{0.12345:.4f}")
    assert "the floor is best" in str(little_judge(pictures(20, 2))["diversity"])


def test_the_table_keeps_its_layout_whatever_the_digits(capsys):
    def row(frechet, kernel, density):
        return {
            "frechet_distance": metrics.Score("frechet_distance", frechet, None, 0.4, "net", 5000, 1000, "lower"),
            "kernel_distance": metrics.Score("kernel_distance", kernel, 0.01, 0.0, "net", 5000, 1000, "lower"),
            "density": metrics.Score("density", density, None, 1.0, "net", 5000, 1000, "higher"),
        }

    metrics.table({"blurred": row(8.5, 0.25, 0.5), "GAN": row(1234.5, -0.001, 0.96)})
    assert capsys.readouterr().out.splitlines() == [
        "              frechet   kernel                ",
        "             distance distance  spread density",
        "best:           lower    lower          higher",
        "blurred         ≈8.50  ≈0.2500 ≈0.0100  ≈0.500",
        "GAN          ≈1234.50 ≈-0.0010 ≈0.0100  ≈0.960",
        "real (floor)    ≈0.40  ≈0.0000          ≈1.000",
        "1,000 generated against 5,000 real pictures, by net",
    ]


def test_the_table_refuses_what_cannot_be_compared(little_judge):
    scores = {n: little_judge(pictures(n, 2), metrics=("density", "precision")) for n in (20, 30)}
    with pytest.raises(ValueError, match=r"'GAN' has 30 generated .* 'VAE' has 20 generated"):
        metrics.table({"VAE": scores[20], "GAN": scores[30]})
    with pytest.raises(ValueError, match="'GAN' has no density, 'VAE' has"):
        metrics.table({"VAE": scores[20], "GAN": {"precision": scores[20]["precision"]}})
    with pytest.raises(ValueError, match="nothing to print"):
        metrics.table({})


def test_training_distance_finds_pictures_learned_by_heart(capsys, little_judge):
    training, unseen, fresh = pictures(300, 3), pictures(90, 4), pictures(50, 5)
    copied = training[:50] + np.float32(1e-3) * (0.5 - training[:50])
    honest, learned = (metrics.training_distance(samples, training, unseen) for samples in (fresh, copied))
    for found, images in ((honest.value, fresh), (honest.floor, unseen[:50])):
        distances = scipy.spatial.distance.cdist(images.reshape(50, -1), training.reshape(300, -1))
        assert found == pytest.approx(np.median(distances.min(axis=1)), rel=1e-5)
    assert learned.value < 0.01 * learned.floor < 0.02 * honest.value
    assert (honest.network, honest.real_count, honest.generated_count) == ("pixels", 300, 50)
    metrics.table({"GAN": little_judge(fresh, metrics="precision") | {"training_distance": honest}})
    printed = capsys.readouterr().out.splitlines()
    assert "training" in printed[0]
    assert printed[-2:] == [
        "50 generated against 80 real pictures, by pixels and halves",
        "50 generated against 300 real pictures, by pixels",
    ]
    with pytest.raises(ValueError, match="at least 50 unseen_images, one a sample, got 49"):
        metrics.training_distance(fresh, training, unseen[:49])


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        (pictures(5)[:, :1], r"pictures of shape \(n, 2, 3, 1\), got \(5, 1, 3, 1\)"),
        (pictures(0), r"got \(0, 2, 3, 1\)"),
        (2 * pictures(20) - 1, r"in \[0, 1\], got -.* from a tanh"),
        (255 * pictures(20), r"in \[0, 1\], got .* to 2"),
        ((255 * pictures(20)).astype(np.uint8), "got uint8: divide 0-255 by 255"),
        (np.full((20, 2, 3, 1), np.nan), "got nan to nan"),
        (pictures(61), "got 61 samples and 60 floor_images"),
        (pictures(5), "expected 6 rows or more, got 5"),
    ],
)
def test_the_judge_refuses_pictures_that_are_not_of_its_kind(little_judge, samples, message):
    with pytest.raises(ValueError, match=message):
        little_judge(samples)


def test_the_judge_refuses_what_it_cannot_judge_with(little_judge):
    with pytest.raises(ValueError, match=r"no metric 'inception': choose from frechet_distance, "):
        little_judge(pictures(20), metrics=["inception"])
    with pytest.raises(ValueError, match="50 of 60 floor_images stand in reference_images too"):
        metrics.Judge(pictures(50), np.concatenate([pictures(50), pictures(10, 1)]), LITTLE)
    with pytest.raises(ValueError, match=r"shape \(2, 3, 1\): give the judge a network of your own"):
        metrics.Judge(pictures(50), pictures(50, 1))
    with pytest.raises(ValueError, match=r"of shape \(n, 2, 3, 1\), got \(50, 3, 2, 1\)"):
        metrics.Judge(pictures(50), pictures(50, 1).swapaxes(1, 2), LITTLE)


# ------------------------------------------------------------------------------------------ real pictures


@pytest.fixture(scope="module")
def clothes():
    """A judge of clothes and its scores of real ones and of real ones spoilt in one way each.

    500 of each: two whole batches, so that the network is compiled for one shape.
    """
    (real, _), (other, labels) = data.fashion_mnist("validation"), data.fashion_mnist("test")
    judge = metrics.Judge(real[:500], data.fashion_mnist("train")[0][-500:])
    random = np.random.default_rng(0)
    fresh = other[:500]
    spoilt = {
        "real": fresh,
        "blurred": scipy.ndimage.gaussian_filter(fresh, (0, 1, 1, 0)),
        "more blurred": scipy.ndimage.gaussian_filter(fresh, (0, 2, 2, 0)),
        "noisy": np.clip(fresh + 0.1 * random.standard_normal(fresh.shape), 0, 1),
        "repeated": fresh[random.integers(5, size=500)],
        "without trousers": other[labels != 1][:500],
    }
    return {name: judge(np.clip(images, 0, 1)) for name, images in spoilt.items()}


def test_fresh_real_pictures_score_like_the_floor(clothes):
    real = clothes["real"]
    assert real["frechet_distance"].value == pytest.approx(real["frechet_distance"].floor, rel=0.5)
    distance = real["kernel_distance"]
    assert abs(distance.value) < 3 * distance.spread and abs(distance.floor) < 3 * distance.spread
    for name in ("precision", "recall", "coverage", "diversity"):
        assert real[name].value == pytest.approx(real[name].floor, abs=0.05)
    assert real["density"].value == pytest.approx(1, abs=0.1)
    assert real["effective_classes"].value > 9.8
    assert real["frechet_distance"].network == "fashion_mnist_classifier"


@pytest.mark.parametrize("spoilt", ["blurred", "noisy", "repeated", "without trousers"])
def test_distances_and_coverage_see_every_kind_of_spoiling(clothes, spoilt):
    real, worse = clothes["real"], clothes[spoilt]
    assert worse["frechet_distance"].value > 2 * real["frechet_distance"].value
    assert worse["kernel_distance"].value > real["kernel_distance"].value + 3 * real["kernel_distance"].spread
    assert worse["coverage"].value < real["coverage"].value - 0.03


def test_each_metric_sees_what_it_is_for(clothes):
    value = {name: {metric: score.value for metric, score in scores.items()} for name, scores in clothes.items()}
    for metric in ("precision", "recall", "density", "coverage", "diversity"):
        assert value["blurred"][metric] < value["real"][metric] - 0.05
        assert value["noisy"][metric] < value["real"][metric] - 0.05
    assert value["more blurred"]["frechet_distance"] > 1.5 * value["blurred"]["frechet_distance"]
    assert value["repeated"]["precision"] > 0.6  # quality is fine ...
    assert value["repeated"]["recall"] < 0.1 and value["repeated"]["coverage"] < 0.2  # ... variety is not
    assert value["repeated"]["effective_classes"] <= 5
    assert value["without trousers"]["effective_classes"] < 9.3
    assert value["without trousers"]["precision"] > 0.85


def test_emoji_are_judged_in_colour():
    images = data.on_background(data.emoji("noto").images)
    order = np.random.default_rng(0).permutation(len(images))
    reference, floor, fresh = images[order[:100]], images[order[100:200]], images[order[200:300]]
    judge = metrics.Judge(reference, floor)
    assert judge.metrics[0] == "kernel_distance" and "effective_classes" not in judge.metrics
    chosen = ("kernel_distance", "coverage")
    real = judge(fresh, chosen)
    noisy = judge(np.clip(fresh + 0.3 * np.random.default_rng(0).standard_normal(fresh.shape), 0, 1), chosen)
    assert real["kernel_distance"].network == "efficientnet_lite0 at 96x96"
    assert judge.describe(fresh).features.shape == (100, 1280)
    assert abs(real["kernel_distance"].value) < 3 * real["kernel_distance"].spread
    assert noisy["kernel_distance"].value > 10 * real["kernel_distance"].spread
    assert noisy["coverage"].value < real["coverage"].value - 0.2
