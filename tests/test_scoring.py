"""The scorer: the same pictures, degradation and measure for every restorer, and a table that says so."""

import keras
import numpy as np
import pytest
from PIL import Image
from skimage.data import astronaut, camera
from skimage.metrics import peak_signal_noise_ratio

from course_utils import data, degrade, scoring
from course_utils.image_files import as_image


@pytest.fixture(scope="module")
def pictures():
    return {name: data.photograph(name)[:97, :130] for name in data.photograph_names("validation")[:3]}


def test_no_test_photograph_is_trained_or_validated_on():
    """Nor is a crop or another encoding of one: the nearest of the others, as small grey pictures, is another scene."""
    tests = scoring.test_photographs()
    assert len(tests) == 31
    others = {*data.photograph_names("train"), *data.photograph_names("validation")}
    assert not others & set(tests)

    def small(picture):
        image = as_image(picture).convert("L").resize((16, 16))
        pixels = np.asarray(image, float).ravel()
        return (pixels - pixels.mean()) / pixels.std()

    ours = np.stack([small(picture) for picture in tests.values()])
    theirs = np.stack([small(data.photograph(name)) for name in sorted(others)])
    assert (ours @ theirs.T / 256).max() < 0.95 < (ours @ ours.T / 256).max()


def test_the_photographs_of_a_split_are_those_that_were_scaled_down():
    found = scoring.photographs("validation")
    assert len(found) == 21 and set(found) < set(data.photograph_names("validation"))
    reduced = {record.name: record.reduced for record in data.photograph_table()}
    assert all(reduced[name] > 1 for name in found)
    with pytest.raises(ValueError, match="no photographs for restoration in 'tests': choose train, validation"):
        scoring.photographs("tests")


def test_a_score_is_that_of_scikit_image_on_the_rounded_pictures(pictures):
    found = scoring.score(lambda picture: picture, "denoise_25", pictures)
    for index, (picture, value) in enumerate(zip(pictures.values(), found.psnr, strict=True)):
        noisy = degrade.PROTOCOLS["denoise_25"](picture, index)
        clean, restored = (np.round(np.clip(image, 0, 1) * 255) / 255 for image in (picture, noisy))
        assert value == pytest.approx(peak_signal_noise_ratio(clean, restored, data_range=1), abs=1e-4)
    assert found.pictures == tuple(pictures) and found.measured == "3 pictures, RGB, to the border, rounded to 8 bits"


def test_the_border_of_enlarged_pictures_does_not_count_and_no_more_than_that(pictures):
    def spoilt(cut):
        def restore(picture):
            restored = scoring.baselines("sr_x2")["bicubic"](picture).copy()
            inner = restored[cut:-cut, cut:-cut].copy()
            restored[:] = 0
            restored[cut:-cut, cut:-cut] = inner
            return restored

        return scoring.score(restore, "sr_x2", pictures).psnr

    bicubic = scoring.score(scoring.baselines("sr_x2")["bicubic"], "sr_x2", pictures).psnr
    np.testing.assert_allclose(spoilt(2), bicubic)
    assert (spoilt(3) < bicubic).all()


def test_every_protocol_has_a_baseline_and_scores_repeat(pictures):
    for protocol in degrade.PROTOCOLS:
        one, other = (scoring.score_all({}, protocol, pictures) for _ in range(2))
        assert one
        for name, scores in one.items():
            np.testing.assert_array_equal(scores.psnr, other[name].psnr)
            assert (scores.psnr > 10).all() and (scores.ssim > 0).all() and (scores.ssim < 1).all(), (protocol, name)


def test_a_network_is_scored_as_a_function_is(pictures):
    """An average of 3x3, as a network for colour and by SciPy's filter, and grey pictures through the same network."""
    import scipy.ndimage

    network = keras.Sequential([keras.Input((None, None, 3)), keras.layers.DepthwiseConv2D(3, padding="same")])
    network.set_weights([np.full((3, 3, 3, 1), 1 / 9), np.zeros(3)])

    def average(picture):
        return scipy.ndimage.uniform_filter(picture, (3, 3, 0), mode="constant")

    grey = {name: picture[..., :1] for name, picture in pictures.items()}
    for shown in (pictures, grey):
        by_network, by_filter = (scoring.score(restorer, "denoise_50", shown) for restorer in (network, average))
        np.testing.assert_allclose(by_network.psnr, by_filter.psnr, atol=1e-3)
        assert (by_network.psnr > scoring.score(lambda picture: picture, "denoise_50", shown).psnr + 3).all()


def test_a_mask_goes_to_the_network_and_is_no_channel_of_the_result(pictures):
    network = keras.Sequential([keras.Input((None, None, 4)), keras.layers.Conv2D(3, 1, use_bias=False)])
    network.set_weights([np.eye(4, 3, dtype=np.float32)[np.newaxis, np.newaxis]])
    degraded = scoring.score_all({"copy": network}, "inpaint_rectangles", pictures)
    np.testing.assert_allclose(degraded["copy"].psnr, degraded["as degraded"].psnr, atol=1e-4)


def test_the_protocol_tells_a_mask_and_not_the_number_of_channels(pictures):
    """A picture of four channels, such as one with transparency or infrared, loses none where nothing is masked."""
    four = np.tile(next(iter(pictures.values())), 2)[..., :4]
    copied = scoring.baselines("denoise_25")["as degraded"](degrade.PROTOCOLS["denoise_25"](four, 0))
    assert copied.shape == four.shape
    holed = degrade.PROTOCOLS["inpaint_free_form"](four, 0)
    assert scoring.baselines("inpaint_free_form")["as degraded"](holed).shape == four.shape


def test_a_folder_is_read_in_colour_and_in_grey(tmp_path, capsys):
    Image.fromarray(astronaut()[:101, :90]).save(tmp_path / "b.png")
    Image.fromarray(camera()[:90, :64]).save(tmp_path / "a.bmp")
    Image.fromarray(astronaut()[200:280, 100:181]).save(tmp_path / "c.JPG", quality=95)
    (tmp_path / "notes.txt").write_text("mine")
    pictures = scoring.folder_pictures(tmp_path)
    assert {name: picture.shape for name, picture in pictures.items()} == {
        "a.bmp": (90, 64, 1),
        "b.png": (101, 90, 3),
        "c.JPG": (80, 81, 3),
    }
    scoring.table(scoring.score_all({}, "sr_x2", pictures))
    printed = capsys.readouterr().out.splitlines()
    assert printed[1].startswith("bicubic") and printed[2].startswith("Lanczos") and "±" in printed[2]
    assert printed[3] == ("sr_x2: 3 pictures, grey or Y of BT.601, 2 pixels cut off each border, rounded to 8 bits")


def test_the_gain_is_the_mean_of_paired_differences(capsys):
    def row(psnr):
        return scoring.Scores("sr_x2", ("a", "b", "c"), np.array(psnr), np.full(3, 0.5), "so")

    scoring.table({"first": row([20.0, 30.0, 40.0]), "second": row([21.0, 32.0, 43.0])})
    assert "≈32.00  ≈0.500   ≈2.00 ± ≈0.58" in capsys.readouterr().out
    with pytest.raises(ValueError, match="'second' was measured on other pictures"):
        scoring.table({"first": row([1.0]), "second": scoring.Scores("sr_x2", ("a",), np.ones(1), np.ones(1), "so")})


def test_what_cannot_be_scored_is_refused(pictures, tmp_path):
    with pytest.raises(ValueError, match="no protocol 'sr_x3': choose from sr_x2"):
        scoring.score(lambda picture: picture, "sr_x3", pictures)
    with pytest.raises(ValueError, match=r"has shape \(48, 65, 3\), expected \(96, 130, 3\)"):
        scoring.score(lambda picture: picture, "sr_x2", pictures)
    with pytest.raises(ValueError, match="no pictures to score on"):
        scoring.score(lambda picture: picture, "sr_x2", {})
    with pytest.raises(ValueError, match="nothing to print"):
        scoring.table({})
    with pytest.raises(NotADirectoryError, match="no folder"):
        scoring.folder_pictures(tmp_path / "none")
    with pytest.raises(ValueError, match=r"holds no pictures, expected files that end in \.png"):
        scoring.folder_pictures(tmp_path)
