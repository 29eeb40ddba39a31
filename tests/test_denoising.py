"""The denoiser: the noise it learns from, what becomes of grey pictures, and what its recipe feeds and measures."""

import json
from dataclasses import asdict, replace

import keras
import numpy as np
import pytest
from fixtures import scripts
from keras import ops
from skimage.metrics import peak_signal_noise_ratio

from course_utils import data, paths, tiling, training
from course_utils.models import denoising, unet
from course_utils.recipes import _restorers, denoise

RANDOM = np.random.default_rng(0)


@pytest.fixture(scope="module")
def denoiser():
    """With other weights than those of the start, which leave a picture as it is."""
    network = unet.restoration_unet(3, widths=(4, 4))
    network.set_weights([0.1 * RANDOM.standard_normal(weights.shape) for weights in network.get_weights()])
    return denoising.Denoiser(network, (0.02, 0.2))


def test_each_picture_gets_a_strength_of_its_own_and_grey_ones_grey_noise():
    images = RANDOM.random((200, 32, 32, 3), dtype=np.float32)
    images[::4] = images[::4, ..., :1]
    noise = ops.convert_to_numpy(denoising.BlindNoise((0.05, 0.25), seed=0)(images)) - images
    sigma = noise.std(axis=(1, 2, 3))
    assert sigma.min() > 0.045 and sigma.max() < 0.265 and 0.14 < sigma.mean() < 0.16
    np.testing.assert_allclose(np.ptp(noise[::4], axis=-1), 0, atol=1e-6)
    colour = np.delete(noise, np.s_[::4], axis=0)
    products = [np.corrcoef(colour[..., 0].ravel(), colour[..., channel].ravel())[0, 1] for channel in (1, 2)]
    assert np.abs(products).max() < 0.02


def test_noise_is_drawn_anew_at_each_call():
    layer, images = denoising.BlindNoise((0.1, 0.2), seed=0), np.full((2, 8, 8, 3), 0.5, np.float32)
    assert np.abs(ops.convert_to_numpy(layer(images) - layer(images))).max() > 0.05


@pytest.mark.parametrize("size", [(16, 16), (9, 15), (2, 1)])
def test_grey_goes_through_as_three_equal_channels(denoiser, size):
    grey = RANDOM.random((2, *size, 1), dtype=np.float32)
    expected = ops.convert_to_numpy(denoiser.network(grey.repeat(3, axis=-1))).mean(axis=-1, keepdims=True)
    found = ops.convert_to_numpy(denoiser(grey))
    assert found.shape == grey.shape and np.abs(found - grey).max() > 1e-3
    np.testing.assert_allclose(found, expected, atol=1e-6)
    colour = RANDOM.random((2, *size, 3), dtype=np.float32)
    np.testing.assert_array_equal(denoiser(colour), denoiser.network(colour))


@pytest.mark.parametrize("channels", [1, 3])
def test_tiles_of_a_large_picture_have_no_seams(denoiser, channels):
    picture = RANDOM.random((150, 101, channels), dtype=np.float32)
    tiled = tiling.restore_tiled(denoiser, picture, tile=96, overlap=32, multiple=4, progress=False)
    np.testing.assert_allclose(tiled, denoiser(picture[np.newaxis])[0], atol=1e-5)


def test_noise_that_leaves_the_range_is_taken_and_what_is_no_picture_is_refused(denoiser):
    images = np.full((1, 8, 8, 3), 1.3, np.float32) + RANDOM.standard_normal((1, 8, 8, 3)).astype(np.float32) / 4
    assert np.isfinite(denoiser(images)).all()
    for wrong, message in (
        (images[..., :2], r"expected pictures \(n, height, width, 1 or 3\), got shape \(1, 8, 8, 2\)"),
        (255 * images, "divide by 255"),
        (images[0], "add the first axis"),
        (np.where(images == images.max(), np.nan, images), "1 numbers of images are NaN or infinite"),
    ):
        with pytest.raises(ValueError, match=message):
            denoiser(wrong)


def test_it_learns_to_take_noise_away():
    training.set_seed(0)
    model = denoising.Denoiser(unet.restoration_unet(3, widths=(8,)), (0.1, 0.2), turned=True)
    model.compile(keras.optimizers.Adam(0.003), _restorers.error_in_decibels, jit_compile=False)
    clean = _restorers.patches("train", 64, 256)[:160]
    history = training.fit(model, clean, epochs=4, batch_size=8, progress=False).history["loss"]
    assert history[-1] < history[0] - 1.5  # decibels
    noisy, clean = (patches[2:48:3] for patches in denoise.data().validation)  # those of sigma 50
    restored = ops.convert_to_numpy(model(noisy))
    assert np.mean((restored - clean) ** 2) < 0.5 * np.mean((noisy - clean) ** 2)


def test_the_loss_is_minus_the_peak_signal_to_noise_ratio_of_each_picture():
    clean, restored = RANDOM.random((2, 5, 16, 16, 3))
    expected = [-peak_signal_noise_ratio(one, other, data_range=1) for one, other in zip(clean, restored, strict=True)]
    np.testing.assert_allclose(_restorers.error_in_decibels(clean, restored), expected, rtol=1e-4)


def test_half_of_the_patches_are_grey_and_all_are_cut_from_photographs():
    images, _, (noisy, clean) = denoise.data()
    for patches, share in ((images, 2), (clean, 4)):
        grey = np.ptp(patches, axis=-1).max(axis=(1, 2)) == 0
        assert grey[share - 1 :: share].all() and grey.mean() < 1 / share + 0.05
    table = [record for record in data.photograph_table() if record.split == "train"]
    photo = data.photograph(next(record.name for record in table if record.reduced > 1))
    np.testing.assert_array_equal(images[2], photo[:64, 74:138])
    weighted = photo[:64, 111:175] @ [0.299, 0.587, 0.114]
    np.testing.assert_allclose(images[3], weighted[..., np.newaxis].repeat(3, axis=-1), atol=1e-6)
    sigmas = 255 * (noisy - clean).std(axis=(1, 2, 3))
    np.testing.assert_allclose(sigmas, np.resize([15, 25, 50], len(clean)), rtol=0.06)
    assert np.ptp((noisy - clean)[3::4], axis=-1).max() < 1e-6


def test_halves_of_photographs_come_last_and_are_near_the_means_of_their_pixels():
    names = [record.name for record in data.photograph_table() if record.split == "train"]
    half = denoise._half(data.photograph(names[0]))
    height, width = half.shape[:2]
    pixels = data.photograph(names[0])[: 2 * height, : 2 * width].reshape(height, 2, width, 2, 3)
    assert np.abs(half - pixels.mean(axis=(1, 3))).mean() < 0.01
    halves = (denoise._half(data.photograph(name)) for name in reversed(names))
    last = next(half for half in halves if min(half.shape[:2]) >= denoise.SIDE)
    top, left = (length - denoise.SIDE - (length - denoise.SIDE) % denoise.STRIDE for length in last.shape[:2])
    square = last[top : top + denoise.SIDE, left : left + denoise.SIDE]
    images = denoise.data().images
    expected = square if len(images) % 2 else _restorers.grey(square).repeat(3, axis=-1)
    np.testing.assert_allclose(images[-1], expected, atol=1e-6)


def test_what_ships_went_on_as_the_recipe_says():
    record = json.loads((paths.WEIGHTS / "denoise.json").read_text())["larger_patches"]
    assert record["numbers"] == json.loads(json.dumps(asdict(denoise.LARGER)))
    images = denoise.patches(denoise.LARGER_SIDE, denoise.LARGER_STRIDE)
    assert record["steps"] == denoise.LARGER.epochs * (len(images) // denoise.LARGER.batch_size)


def test_the_end_of_the_training_goes_on_from_stored_weights_once_and_says_so(tmp_path, monkeypatch):
    few = _restorers.patches("validation", 64, 128)[:4]
    monkeypatch.setattr(denoise, "patches", lambda side, stride: few)
    monkeypatch.setattr(denoise, "LARGER", replace(denoise.LARGER, epochs=1))
    monkeypatch.setattr(denoise, "evaluate", lambda model: {"a test": {"network": {"psnr": model.count_params()}}})
    folder = tmp_path / "denoise"
    folder.mkdir()
    weights, record = folder / "denoise.weights.h5", folder / "denoise.json"
    before, after = (denoise.build(denoise.FULL) for _ in range(2))
    training.save_weights(before, weights, dtype="float16")
    about = {"finished": False, "profile": "full", "precision": "float32"}
    train_on = scripts.load("12_larger_patches").train_on
    record.write_text(json.dumps(about))
    with pytest.raises(SystemExit, match="or of the lesson profile: course train denoise --profile full"):
        train_on(tmp_path)
    record.write_text(json.dumps(about | {"finished": True}))
    train_on(tmp_path)
    training.load_weights(after, weights)
    moved = [np.abs(one - other).max() for one, other in zip(before.get_weights(), after.get_weights(), strict=True)]
    assert 1e-4 < max(moved) < 0.01
    kept = json.loads(record.read_text())
    assert kept["finished"] and kept["larger_patches"]["steps"] == 4
    assert kept["larger_patches"]["psnr_before"] == {"a test": before.count_params()}
    with pytest.raises(SystemExit, match="were trained on larger patches: train anew, or ship them"):
        train_on(tmp_path)
