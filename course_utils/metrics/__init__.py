"""Numbers that judge a network and that scikit-learn lacks: `calibration` of a classifier, `generative` metrics on
arrays, the `judge` that gives the scores of a generator with all that is needed to read them, and `restoration`, how
near a restored picture comes to the original.
"""

from course_utils.metrics.calibration import Reliability, expected_calibration_error, reliability
from course_utils.metrics.generative import (
    NeighbourhoodScores,
    class_counts,
    effective_classes,
    frechet_distance,
    gaussian_frechet_distance,
    kernel_distance,
    nearest_neighbours,
    neighbourhood_scores,
    pairwise_diversity,
)
from course_utils.metrics.judge import (
    Description,
    FeatureNetwork,
    Judge,
    Score,
    colour_network,
    grey_network,
    table,
    training_distance,
)
from course_utils.metrics.restoration import luma, psnr, ssim

__all__ = [
    "Description",
    "FeatureNetwork",
    "Judge",
    "NeighbourhoodScores",
    "Reliability",
    "Score",
    "class_counts",
    "colour_network",
    "effective_classes",
    "expected_calibration_error",
    "frechet_distance",
    "gaussian_frechet_distance",
    "grey_network",
    "kernel_distance",
    "luma",
    "nearest_neighbours",
    "neighbourhood_scores",
    "pairwise_diversity",
    "psnr",
    "reliability",
    "ssim",
    "table",
    "training_distance",
]
