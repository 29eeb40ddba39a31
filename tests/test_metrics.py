import numpy as np
import pytest
from sklearn.calibration import calibration_curve

from course_utils import metrics

# Two classes, four predictions; worked by hand for two bins, (0, 0.5] and (0.5, 1].
PROBABILITIES = np.array([[0.9, 0.1], [0.8, 0.2], [0.4, 0.6], [0.5, 0.5]])
LABELS = np.array([0, 1, 1, 0])


def test_reliability_by_hand():
    curve = metrics.reliability(PROBABILITIES, LABELS, bins=2)
    assert curve.count.tolist() == [1, 3]
    np.testing.assert_allclose(curve.confidence, [0.5, (0.9 + 0.8 + 0.6) / 3])
    np.testing.assert_allclose(curve.accuracy, [1.0, 2 / 3])
    np.testing.assert_allclose(curve.edges, [0, 0.5, 1])


def test_expected_calibration_error_by_hand():
    by_hand = 1 / 4 * abs(1.0 - 0.5) + 3 / 4 * abs(2 / 3 - 2.3 / 3)
    assert metrics.expected_calibration_error(PROBABILITIES, LABELS, bins=2) == pytest.approx(by_hand)


@pytest.mark.parametrize("bins", [1, 7, 15])
def test_reliability_agrees_with_scikit_learn_where_bins_are_not_empty(bins):
    random = np.random.default_rng(0)
    probabilities = random.dirichlet(np.ones(3), size=200)
    labels = random.integers(3, size=200)
    curve = metrics.reliability(probabilities, labels, bins)
    right, confidence = probabilities.argmax(axis=1) == labels, probabilities.max(axis=1)
    filled = curve.count > 0
    np.testing.assert_allclose(
        (curve.accuracy[filled], curve.confidence[filled]), calibration_curve(right, confidence, n_bins=bins)
    )
    assert curve.count.sum() == 200 and len(curve.count) == bins


def test_empty_bins_are_nan_and_do_not_count():
    curve = metrics.reliability(np.array([[1.0, 0.0]]), np.array([0]), bins=10)
    assert curve.count.tolist() == [0] * 9 + [1]
    assert np.isnan(curve.confidence[:9]).all() and np.isnan(curve.accuracy[:9]).all()
    assert metrics.expected_calibration_error(np.array([[1.0, 0.0]]), np.array([0])) == 0


def test_certain_and_wrong_is_the_worst():
    assert metrics.expected_calibration_error(np.array([[1.0, 0.0]] * 3), np.array([1, 1, 1])) == 1


def test_labels_drawn_from_the_probabilities_are_calibrated():
    random = np.random.default_rng(0)
    probabilities = random.dirichlet(np.ones(5), size=20_000)
    labels = np.array([random.choice(5, p=row) for row in probabilities])
    assert metrics.expected_calibration_error(probabilities, labels) < 0.02
    sharpened = probabilities**4 / (probabilities**4).sum(axis=1, keepdims=True)
    assert metrics.expected_calibration_error(sharpened, labels) > 0.2


def test_float16_and_one_class_column_pass():
    assert metrics.expected_calibration_error(PROBABILITIES.astype(np.float16), LABELS, bins=2) == pytest.approx(
        0.2, abs=1e-3
    )
    assert metrics.expected_calibration_error(np.ones((3, 1)), np.zeros(3, dtype=np.int64)) == 0


@pytest.mark.parametrize(
    ("probabilities", "labels", "bins", "message"),
    [
        (np.zeros((0, 2)), np.zeros(0, dtype=int), 5, "empty batch"),
        (np.array([[0.0, 1.0], [np.nan, 1.0]]), np.array([0, 0]), 5, "1 of 2 rows hold NaN or infinity, .* row 1"),
        (np.array([[np.inf, 1.0]]), np.array([0]), 5, "probabilities: 1 of 1 rows hold NaN or infinity"),
        (np.array([[2.0, -3.0]]), np.array([0]), 5, "softmax"),
        (np.array([[0.2, 0.2]]), np.array([0]), 5, "softmax"),
        (PROBABILITIES, LABELS[:3], 5, r"got \(4, 2\) and \(3,\)"),
        (PROBABILITIES, LABELS + 1, 5, "from 0 to 1, got int64 from 1 to 2"),
        (PROBABILITIES, LABELS.astype(float), 5, "integers"),
        (PROBABILITIES, LABELS, 0, "bins must be 1 or more, got 0"),
    ],
)
def test_bad_input_is_named(probabilities, labels, bins, message):
    with pytest.raises(ValueError, match=message):
        metrics.reliability(probabilities, labels, bins)
