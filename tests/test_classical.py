"""The classical restorers against scikit-image, dense matrices and sums by hand; the record of how they were set."""

import json

import numpy as np
import pytest
import scipy.ndimage
import skimage.restoration
from fixtures import scripts

from course_utils import classical, data, degrade, paths, scoring
from course_utils.classical import deblurring, denoising, inpainting

RANDOM = np.random.default_rng(0)
PHOTO = data.photograph("koala")[60:124, 100:190]
NAMED = [(protocol, name) for protocol in degrade.PROTOCOLS for name in classical.methods(protocol)]


def psnr(clean, restored):
    return -10 * np.log10(np.mean((np.clip(restored, 0, 1) - clean) ** 2))


@pytest.fixture(scope="module")
def script():
    return scripts.load("12_classical")


@pytest.fixture(scope="module")
def record():
    return json.loads((paths.BENCHMARKS / "12_classical.json").read_text())


# ------------------------------------------------------------------------------------------------ in the table


def test_every_task_has_its_restorers_and_the_table_shows_them():
    assert list(scoring.baselines("denoise_25")) == ["as degraded", "mean", "Gaussian", "median", "wavelet", "NL means"]
    assert list(scoring.baselines("deblur_motion")) == ["as degraded", "Wiener", "Richardson-Lucy"]
    assert list(scoring.baselines("inpaint_free_form")) == ["as degraded", "harmonic", "biharmonic"]
    assert list(scoring.baselines("blind")) == ["as degraded"]
    assert list(scoring.baselines("sr_x2")) == ["bicubic", "Lanczos"]


@pytest.mark.parametrize(("protocol", "name"), NAMED)
@pytest.mark.parametrize("channels", [1, 3])
def test_each_restores_odd_sizes_in_grey_and_colour_and_changes_nothing_it_is_given(protocol, name, channels):
    clean = data.photograph("taiko_drummers")[120:183, 200:257, :channels]  # full of detail
    degraded = degrade.PROTOCOLS[protocol](clean, 0)
    kept = degraded.copy()
    restored = classical.restorers(protocol)[name](degraded)
    assert restored.shape == clean.shape and restored.dtype == np.float32 and np.isfinite(restored).all()
    np.testing.assert_array_equal(degraded, kept)
    better = psnr(clean, restored) - psnr(clean, degraded[..., :channels])
    assert better > (0 if protocol != "denoise_15" else -3)  # a median of 3x3 blurs more than little noise spoils


def test_a_protocol_tells_its_noise_and_its_kernel():
    for name, protocol in degrade.PROTOCOLS.items():
        task, _, kind = name.partition("_")
        assert (protocol.kernel is not None) == (task == "deblur")
        assert protocol.sigma == (int(kind) / 255 if task == "denoise" else pytest.approx(protocol.sigma))
        if task == "deblur":
            noise = protocol(np.full((64, 64, 3), 0.5, np.float32), 0)
            assert noise.std() == pytest.approx(protocol.sigma, rel=0.03)
            assert not protocol.kernel.flags.writeable and protocol.kernel.sum() == pytest.approx(1, abs=1e-6)
    assert {degrade.PROTOCOLS["deblur_motion"]} == {
        degrade.PROTOCOLS["deblur_motion"]
    }  # an array is in the way of none


# ---------------------------------------------------------------------------------------------------- denoising


def test_mean_and_median_by_hand():
    picture = RANDOM.random((7, 9, 2), dtype=np.float32)
    mirrored = np.pad(picture, [(1, 1), (1, 1), (0, 0)], mode="symmetric")
    windows = np.lib.stride_tricks.sliding_window_view(mirrored, (3, 3), axis=(0, 1))
    np.testing.assert_allclose(denoising.mean(picture, 0.1, size=3), windows.mean(axis=(-1, -2)), atol=1e-6)
    np.testing.assert_array_equal(denoising.median(picture, 0.1, size=3), np.median(windows, axis=(-1, -2)))


def test_gaussian_is_the_blur_of_the_course():
    expected = degrade.blur(PHOTO[np.newaxis], degrade.gaussian_kernel(1.3, 11), border="symmetric")[0]
    np.testing.assert_allclose(denoising.gaussian(PHOTO, 0.1, width=1.3), expected, atol=2e-3)


def test_non_local_means_by_the_equation():
    """scikit-image's fast way sums its patches by integral images, one row and column short: close, not equal."""
    noisy = np.clip(PHOTO + 0.1 * RANDOM.standard_normal(PHOTO.shape), 0, 1)
    found = denoising.non_local_means(noisy, 0.1, patch_size=5, patch_distance=3, strength=0.8)
    total, weights = np.zeros_like(noisy), np.zeros((64, 90, 1))
    mirrored = np.pad(noisy, [(8, 8), (8, 8), (0, 0)], mode="reflect")
    for row, column in np.ndindex(7, 7):
        moved = np.roll(mirrored, (row - 3, column - 3), (0, 1))
        distance = scipy.ndimage.uniform_filter((mirrored - moved) ** 2, (5, 5, 0)).mean(axis=-1, keepdims=True)
        weight = np.exp(-np.maximum(distance - 2 * 0.1**2, 0) / (0.8 * 0.1) ** 2)[8:-8, 8:-8]
        total, weights = total + weight * moved[8:-8, 8:-8], weights + weight
    expected = total / weights
    assert np.abs(found - expected).mean() < 0.15 * np.abs(noisy - expected).mean()
    assert psnr(PHOTO, found) == pytest.approx(psnr(PHOTO, expected), abs=0.5)


def test_wavelets_leave_a_plain_picture_plain_and_average_their_shifts():
    plain = np.full((32, 48, 3), 0.4, np.float32) + 0.1 * RANDOM.standard_normal((32, 48, 3)).astype(np.float32)
    options = {"wavelet": "haar", "method": "VisuShrink", "share": 1.0}
    once, often = (denoising.wavelet(plain, 0.1, shifts=shifts, **options) for shifts in (0, 2))
    assert often.std() < 0.9 * once.std() and once.std() < 0.3 * plain.std()
    noisy = (PHOTO + 0.1 * RANDOM.standard_normal(PHOTO.shape)).astype(np.float32)
    expected = skimage.restoration.denoise_wavelet(noisy, 0.1, "haar", channel_axis=-1, convert2ycbcr=True)
    found = denoising.wavelet(noisy, 0.1, wavelet="haar", method="BayesShrink", share=1.0, shifts=0)
    np.testing.assert_allclose(found, expected, atol=1e-6)


# --------------------------------------------------------------------------------------------------- deblurring

KERNELS = {name: degrade.PROTOCOLS[f"deblur_{name}"].kernel for name in ("gaussian", "motion", "defocus")}


def blur_matrix(kernel, height, width):
    """What `degrade.blur` does to a grey picture, as a matrix: a column for each pixel."""
    points = np.eye(height * width, dtype=np.float32).reshape(-1, height, width, 1)
    return np.array(degrade.blur(points, kernel, border="symmetric")).reshape(height * width, -1).T.astype(np.float64)


def differences(height, width):
    """Differences of neighbours to the right and below, as a matrix."""

    def line(length):
        return np.eye(length)[1:] - np.eye(length)[:-1]

    return np.concatenate([np.kron(line(height), np.eye(width)), np.kron(np.eye(height), line(width))])


@pytest.mark.parametrize("name", KERNELS)
def test_wiener_is_the_least_squares_solution_with_mirrored_borders(name, monkeypatch):
    """The minimum of |A x - y|^2 + balance |D x|^2, from matrices."""
    monkeypatch.setattr(deblurring, "_STEPS", 300)  # a picture about as large as the kernel takes more than others
    picture = RANDOM.random((15, 18, 1), dtype=np.float32)
    blur, slopes = blur_matrix(KERNELS[name], 15, 18), differences(15, 18)
    expected = np.linalg.solve(blur.T @ blur + 0.01 * slopes.T @ slopes, blur.T @ picture.ravel())
    found = deblurring.wiener(picture, KERNELS[name], balance=0.01)
    np.testing.assert_allclose(found.ravel(), expected, atol=5e-3)


def test_wiener_is_that_of_scikit_image_on_the_mirrored_picture():
    picture, kernel = PHOTO[..., :1], KERNELS["defocus"]
    mirrored = np.pad(picture[..., 0], [(0, length) for length in picture.shape[:2]], mode="symmetric")
    u, v = (2 * np.pi * np.fft.fftfreq(length) for length in mirrored.shape)
    slope = np.sqrt(4 - 2 * np.cos(u)[:, np.newaxis] - 2 * np.cos(v)).astype(complex)
    expected = skimage.restoration.wiener(mirrored, kernel, 0.02, reg=slope, is_real=False, clip=False)
    found = deblurring.wiener(picture, kernel, balance=0.02)
    np.testing.assert_allclose(found[..., 0], expected[:64, :90].real, atol=1e-3)


@pytest.mark.parametrize("name", KERNELS)
def test_the_transpose_of_a_blur_is_that_of_its_matrix(name):
    picture = RANDOM.random((13, 17, 1), dtype=np.float32)
    matrix = blur_matrix(KERNELS[name], 13, 17)
    for found, expected in (
        (deblurring._blurred(picture, KERNELS[name]), matrix @ picture.ravel()),
        (deblurring._transposed(picture, KERNELS[name]), matrix.T @ picture.ravel()),
    ):
        np.testing.assert_allclose(found.ravel(), expected, atol=1e-5)


def test_richardson_lucy_is_that_of_scikit_image_away_from_the_border():
    kernel = KERNELS["defocus"]
    blurred = np.array(degrade.blur(PHOTO[np.newaxis, ..., :1], kernel, border="symmetric"))[0, ..., 0] + 0.01
    found = deblurring.richardson_lucy(blurred[..., np.newaxis], kernel, iterations=3)[..., 0]
    margin = 25
    mirrored = np.pad(blurred, margin, mode="symmetric").astype(np.float64)
    estimate = mirrored.copy()  # scikit-image starts from mid-grey, so its steps are taken here one by one
    for _ in range(3):
        ratio = mirrored / scipy.ndimage.convolve(estimate, kernel.astype(float))
        estimate *= scipy.ndimage.correlate(ratio, kernel.astype(float))
    np.testing.assert_allclose(found, estimate[margin:-margin, margin:-margin], atol=1e-4)
    theirs = skimage.restoration.richardson_lucy(mirrored, kernel, num_iter=60, clip=False)
    ours = deblurring.richardson_lucy(blurred[..., np.newaxis], kernel, iterations=60)[..., 0]
    clean = PHOTO[..., 0] + 0.01
    assert psnr(clean, ours) == pytest.approx(psnr(clean, theirs[margin:-margin, margin:-margin]), abs=0.5)
    assert psnr(clean, ours) > psnr(clean, blurred) + 3


# --------------------------------------------------------------------------------------------------- inpainting


@pytest.fixture(scope="module")
def holed():
    picture, mask = PHOTO.astype(np.float64), np.zeros((64, 90, 1))
    mask[10:24, 30:52] = mask[40:50, 12:20] = 1
    return np.where(mask == 1, 0.5, picture), mask


def test_harmonic_filling_is_where_heat_comes_to_rest(holed):
    picture, mask = holed
    x = picture.copy()
    for _ in range(4000):
        four = np.pad(x, [(1, 1), (1, 1), (0, 0)], mode="symmetric")
        mean = (four[:-2, 1:-1] + four[2:, 1:-1] + four[1:-1, :-2] + four[1:-1, 2:]) / 4
        x = np.where(mask == 1, mean, picture)
    np.testing.assert_allclose(inpainting.harmonic(picture, mask), x, atol=1e-4)


def test_biharmonic_filling_is_that_of_scikit_image(holed):
    picture, mask = holed
    expected = skimage.restoration.inpaint_biharmonic(picture, mask[..., 0] == 1, channel_axis=-1)
    found = np.clip(inpainting.biharmonic(picture, mask), picture.min(), picture.max())  # as theirs is
    np.testing.assert_allclose(found, expected, atol=2e-3)


@pytest.mark.parametrize(("fill", "surface"), [("harmonic", "plain"), ("biharmonic", "plain"), ("biharmonic", "slope")])
def test_what_is_plain_is_filled_plainly_also_at_the_border(fill, surface):
    mask = degrade.free_form_mask(40, 50, 0.3, 1)
    rows = np.linspace(0, 1, 40, dtype=np.float32)[:, np.newaxis, np.newaxis]
    picture = np.broadcast_to(rows if surface == "slope" else np.float32(0.3), (40, 50, 1)).copy()
    if surface == "slope":
        mask[:3] = mask[-3:] = 0  # mirrored borders have no slope
        mask[:, :3] = mask[:, -3:] = 0
    filled = getattr(inpainting, fill)(np.where(mask == 1, 0.9, picture), mask)
    np.testing.assert_allclose(filled, picture, atol=1e-5)


def test_known_pixels_stay_and_what_stands_in_the_hole_does_not_matter(holed):
    picture, mask = holed
    for fill in (inpainting.harmonic, inpainting.biharmonic):
        one, other = (fill(np.where(mask == 1, value, picture), mask) for value in (0.5, -7))
        np.testing.assert_array_equal(one, other)
        np.testing.assert_array_equal(one[mask[..., 0] == 0], picture[mask[..., 0] == 0].astype(np.float32))


def test_masks_that_leave_nothing_to_do_or_to_know_are_refused(holed):
    picture, mask = holed
    for value in (0, 1):
        with pytest.raises(ValueError, match="there must be some to fill, and some known"):
            inpainting.harmonic(picture, np.full_like(mask, value))
    with pytest.raises(ValueError, match=r"expected a mask of shape \(64, 90, 1\), got \(64, 89, 1\)"):
        inpainting.biharmonic(picture, mask[:, 1:])


# -------------------------------------------------------------------------------------------------- the settings


def test_the_settings_are_the_best_of_those_that_were_tried(record, script):
    assert record["command"] == "python benchmarks/12_classical.py" and list(record["protocols"]) == list(script.TASKS)
    for protocol, found in record["protocols"].items():
        assert list(found) == list(classical.methods(protocol))
        for name, entry in found.items():
            assert [tried["settings"] for tried in entry["tried"]] == script.settings(name)
            assert entry["best"] == max(entry["tried"], key=lambda tried: tried["psnr"])
            assert classical.SETTINGS.get(protocol, {}).get(name, {}) == entry["best"]["settings"]


@pytest.mark.parametrize(("protocol", "name"), NAMED)
def test_the_first_pictures_of_the_record_come_out_again(protocol, name, record, script):
    first = dict(list(script.pictures().items())[:3])
    entry = record["protocols"][protocol][name]["best"]
    found = script.result(protocol, name, entry["settings"], first)
    np.testing.assert_allclose(found["first"], entry["first"], atol=0.01)
