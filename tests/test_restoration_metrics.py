"""PSNR and SSIM by hand, from their definitions, and against scikit-image."""

import math

import numpy as np
import pytest
import scipy.signal
import skimage.color
import skimage.metrics

from course_utils.metrics import restoration

RANDOM = np.random.default_rng(0)
REFERENCE = RANDOM.random((40, 50, 3))
RESTORED = REFERENCE + 0.1 * RANDOM.standard_normal(REFERENCE.shape)
PLAIN = {"colour": "rgb", "border": 0, "data_range": 1, "quantise": False}


def test_psnr_by_hand():
    black, grey = np.zeros((4, 4, 3)), np.full((4, 4, 3), 0.1)
    assert restoration.psnr(black, grey, **PLAIN) == pytest.approx(20)  # 10 log10(1 / 0.01)
    assert restoration.psnr(black[..., :1], grey[..., :1], **PLAIN | {"colour": "grey"}) == pytest.approx(20)
    assert restoration.psnr(black, black, **PLAIN) == math.inf


def test_psnr_is_one_number_over_all_channels_and_not_a_mean_of_three():
    restored = REFERENCE + [0.1, 0, 0]
    assert restoration.psnr(REFERENCE, restored, **PLAIN) == pytest.approx(10 * math.log10(3 / 0.01))


def test_quantising_rounds_and_clips_both_first():
    reference, restored = np.full((4, 4, 3), 100.4 / 255), np.full((4, 4, 3), 102.4 / 255)
    reference[0], restored[0] = 1, 7  # what is above white becomes white
    measured = restoration.psnr(reference, restored, **PLAIN | {"quantise": True})
    assert measured == pytest.approx(20 * math.log10(255 / 2) + 10 * math.log10(4 / 3))


def test_pictures_of_255_score_the_same():
    for measure in (restoration.psnr, restoration.ssim):
        for options in ({}, {"colour": "y"}, {"quantise": True}):
            expected = measure(REFERENCE, RESTORED, **PLAIN | options)
            scaled = measure(REFERENCE * 255, RESTORED * 255, **PLAIN | options | {"data_range": 255})
            assert scaled == pytest.approx(expected, abs=1e-9)


def test_bytes_do_not_wrap_round():
    reference, restored = np.uint8(REFERENCE * 255), np.uint8(RESTORED.clip(0, 1) * 255)
    as_floats = restoration.psnr(reference / 255, restored / 255, **PLAIN)
    assert restoration.psnr(reference, restored, **PLAIN | {"data_range": 255}) == pytest.approx(as_floats)


def test_luma_is_that_of_rgb2ycbcr():
    np.testing.assert_allclose(restoration.luma(np.eye(3)[np.newaxis], 1)[0, :, 0] * 255, [81.481, 144.553, 40.966])
    assert restoration.luma(np.zeros(3), 1) * 255 == pytest.approx(16)
    assert restoration.luma(np.ones(3), 1) * 255 == pytest.approx(235)
    expected = skimage.color.rgb2ycbcr(REFERENCE)[..., :1]
    np.testing.assert_allclose(restoration.luma(REFERENCE, 1) * 255, expected, atol=1e-9)
    np.testing.assert_allclose(restoration.luma(REFERENCE * 255, 255), expected, atol=1e-9)


def test_psnr_of_luma_takes_255_for_the_peak():
    brighter = REFERENCE * 0.5 + 0.1
    measured = restoration.psnr(REFERENCE * 0.5, brighter, **PLAIN | {"colour": "y"})
    assert measured == pytest.approx(20 * math.log10(255 / 21.9))
    assert measured == pytest.approx(20 + 1.32, abs=0.01)  # grey of the full range would give 20


@pytest.mark.parametrize("measure", [restoration.psnr, restoration.ssim])
def test_the_border_is_cut_off_all_sides_before_anything_else(measure):
    spoilt = REFERENCE.copy()
    for side in (np.s_[:4], np.s_[-4:], np.s_[:, :4], np.s_[:, -4:]):
        spoilt[side] = 0.5
    assert measure(REFERENCE, spoilt, **PLAIN | {"border": 4}) in (1, math.inf)
    assert measure(REFERENCE, spoilt, **PLAIN | {"border": 3}) not in (1, math.inf)


def ssim_by_definition(x: np.ndarray, y: np.ndarray) -> float:
    """Wang et al. on windows that lie wholly within one channel."""
    line = np.exp(-((np.arange(11) - 5) ** 2) / (2 * 1.5**2))
    window = np.outer(line, line) / line.sum() ** 2

    def mean(values):
        return scipy.signal.convolve2d(values, window, mode="valid")

    mx, my = mean(x), mean(y)
    vx, vy, c = mean(x * x) - mx**2, mean(y * y) - my**2, mean(x * y) - mx * my
    similarity = (2 * mx * my + 0.0001) * (2 * c + 0.0009) / ((mx**2 + my**2 + 0.0001) * (vx + vy + 0.0009))
    return float(similarity.mean())


def test_ssim_from_its_definition():
    channels = [ssim_by_definition(REFERENCE[..., c], RESTORED[..., c]) for c in range(3)]
    assert restoration.ssim(REFERENCE, RESTORED, **PLAIN) == pytest.approx(np.mean(channels), abs=1e-7)
    luma = [restoration.luma(picture, 1)[..., 0] for picture in (REFERENCE, RESTORED)]
    measured = restoration.ssim(REFERENCE, RESTORED, **PLAIN | {"colour": "y"})
    assert measured == pytest.approx(ssim_by_definition(*luma), abs=1e-7)


def test_ssim_of_float32_and_of_grey_is_scikit_images():
    grey = [picture[..., :1].astype(np.float32) for picture in (REFERENCE, RESTORED)]
    expected = skimage.metrics.structural_similarity(
        *(picture[..., 0].astype(np.float64) for picture in grey),
        gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=1,
    )  # fmt: skip
    assert restoration.ssim(*grey, **PLAIN | {"colour": "grey"}) == pytest.approx(expected, abs=1e-9)


def test_ssim_is_one_for_equal_pictures_and_falls_with_noise():
    scores = [
        restoration.ssim(REFERENCE, REFERENCE + strength * (RESTORED - REFERENCE), **PLAIN) for strength in (0, 0.5, 1)
    ]
    assert scores[0] == pytest.approx(1)
    assert scores[0] > scores[1] > scores[2] > 0


@pytest.mark.parametrize("left_out", PLAIN)
@pytest.mark.parametrize("measure", [restoration.psnr, restoration.ssim])
def test_no_choice_is_made_silently(measure, left_out):
    options = {name: value for name, value in PLAIN.items() if name != left_out}
    with pytest.raises(TypeError, match=left_out):
        measure(REFERENCE, RESTORED, **options)


BAD = {
    "colour": ({"colour": "Y"}, "'rgb', 'y', 'grey', got 'Y'"),
    "grey of three channels": ({"colour": "grey"}, r"\(height, width, 1\), got shape \(40, 50, 3\)"),
    "border": ({"border": 20}, "leave some of 40x50"),
    "half a border": ({"border": 1.5}, "border must be whole"),
    "range": ({"data_range": 2}, "1 or 255"),
    "pictures of 1 with white at 255": ({"data_range": 255}, "have data_range=1"),
}


@pytest.mark.parametrize("name", BAD)
@pytest.mark.parametrize("measure", [restoration.psnr, restoration.ssim])
def test_unsound_options_are_refused(measure, name):
    options, message = BAD[name]
    with pytest.raises(ValueError, match=message):
        measure(REFERENCE, RESTORED, **PLAIN | options)


BAD_PICTURES = {
    "shapes": (REFERENCE, RESTORED[:-1], "compare with that crop"),
    "rank": (REFERENCE[np.newaxis], RESTORED[np.newaxis], "compares pictures"),
    "a grey picture as rgb": (REFERENCE[..., :1], RESTORED[..., :1], r"\(height, width, 3\)"),
    "NaN": (REFERENCE, np.where(RESTORED.max() == RESTORED, np.nan, RESTORED), "restored picture holds NaN"),
    "255 with white at 1": (REFERENCE * 255, RESTORED * 255, "should lie in"),
    "empty": (REFERENCE[:0], RESTORED[:0], "got shape"),
}


@pytest.mark.parametrize("name", BAD_PICTURES)
@pytest.mark.parametrize("measure", [restoration.psnr, restoration.ssim])
def test_unsound_pictures_are_refused(measure, name):
    reference, restored, message = BAD_PICTURES[name]
    with pytest.raises(ValueError, match=message):
        measure(reference, restored, **PLAIN)


def test_ssim_needs_room_for_a_window():
    with pytest.raises(ValueError, match="got 10x40"):
        restoration.ssim(REFERENCE[:20], RESTORED[:20], **PLAIN | {"border": 5})
