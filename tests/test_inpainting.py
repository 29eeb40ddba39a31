"""The inpainter: the holes it learns from, the smooth surface it starts from, what it keeps, and what it refuses."""

import keras
import numpy as np
import pytest
import scipy.ndimage
from keras import ops

from course_utils import degrade, tiling, training
from course_utils.classical.inpainting import harmonic
from course_utils.models import inpainting, masked, unet

RANDOM = np.random.default_rng(0)


def photograph(height: int, width: int) -> np.ndarray:
    """A smooth picture, (height, width, 3), with values away from mid-grey."""
    rows, columns = np.mgrid[:height, :width] / 20
    waves = [np.sin(rows + phase) * np.cos(columns - phase) for phase in range(3)]
    return (0.7 + 0.2 * np.stack(waves, axis=-1)).astype(np.float32)


def holed(picture: np.ndarray, share: float = 0.2, seed: int = 0) -> np.ndarray:
    """The picture with a hole and its mask, (1, height, width, 4)."""
    mask = degrade.free_form_mask(*picture.shape[:2], share, seed)
    return np.concatenate([picture * (1 - mask) + 0.5 * mask, mask], axis=-1)[np.newaxis]


@pytest.fixture(scope="module")
def inpainter():
    training.set_seed(0)
    network = unet.restoration_unet(4, 3, widths=(4, 6), convolution=masked.gated_convolution)
    network.set_weights([0.1 * RANDOM.standard_normal(weights.shape) for weights in network.get_weights()])
    return inpainting.Inpainter(network)


def test_the_bank_holds_scratches_and_cannot_be_changed():
    bank = inpainting.mask_bank(32)
    assert bank.shape == (256, 32, 32, 1) and bank.dtype == np.uint8 and set(np.unique(bank)) == {0, 1}
    shares = bank.mean(axis=(1, 2, 3))
    assert shares.min() > 0.02 and shares.max() < 0.8 and 0.2 < shares.mean() < 0.45
    padded = [np.pad(mask[..., 0], 1) for mask in bank]
    depth = np.median([scipy.ndimage.distance_transform_edt(mask)[mask > 0].mean() for mask in padded])
    assert 1 < depth < 2.5  # pixels from a hidden one to where the hole ends
    with pytest.raises(ValueError, match="read-only"):
        bank[0] = 0


def test_each_picture_gets_a_hole_of_the_bank_anew():
    layer, images = inpainting.Holes(seed=1), np.full((6, 32, 32, 3), 0.9, np.float32)
    first, second = (ops.convert_to_numpy(layer(images)) for _ in range(2))
    bank = {mask.tobytes() for mask in inpainting.mask_bank(32)}
    for batch in (first, second):
        masks = batch[..., 3:]
        assert {mask.astype(np.uint8).tobytes() for mask in masks} <= bank
        np.testing.assert_allclose(batch[..., :3], np.where(masks == 1, 0.5, images), atol=1e-6)
    assert len({mask.tobytes() for mask in np.concatenate([first, second])[..., 3]}) > 8


@pytest.mark.parametrize("size", [(96, 128), (50, 37), (9, 8)])
def test_holes_are_filled_almost_as_by_heat_that_has_come_to_rest(size):
    picture = photograph(*size)
    images = holed(picture)
    filled = ops.convert_to_numpy(inpainting.SmoothFill()(images))
    hidden = images[0, :, :, 3] == 1
    np.testing.assert_array_equal(filled[0, ~hidden], images[0, ~hidden])
    np.testing.assert_array_equal(filled[..., 3], images[..., 3])
    at_rest = harmonic(images[0, :, :, :3], images[0, :, :, 3:])
    assert np.abs(filled[0, :, :, :3] - at_rest).max() < 0.01


@pytest.mark.parametrize("height, width", [(160, 150), (30, 120)])
def test_a_wide_hole_is_filled_as_heat_would_to_less_than_a_grey_level(height, width):
    picture, mask = photograph(200, 200), np.zeros((200, 200, 1), np.float32)
    mask[23 : 23 + height, 15 : 15 + width] = 1
    filled = inpainting.SmoothFill()(np.concatenate([picture, mask], axis=-1)[np.newaxis])[0, :, :, :3]
    away = np.abs(filled - harmonic(picture, mask))
    assert away[mask[..., 0] == 1].mean() < 0.001 and away.max() < 1 / 255


def test_more_sweeps_come_closer_to_rest_and_many_reach_it():
    images = holed(photograph(64, 64), 0.4)
    at_rest = harmonic(images[0, :, :, :3], images[0, :, :, 3:])
    far = [np.abs(inpainting.SmoothFill(7, sweeps)(images)[0, :, :, :3] - at_rest).mean() for sweeps in (0, 8, 64)]
    assert far[0] > 4 * far[1] and far[2] < 1e-5


def test_a_constant_picture_is_filled_with_its_constant_however_little_is_known():
    images = np.full((2, 40, 24, 4), 0.25, np.float32)
    images[..., 3] = 1
    images[0, 0, 0, 3] = images[1, 39, 20:, 3] = 0
    images[..., :3] = np.where(images[..., 3:] == 1, 0.9, images[..., :3])
    for levels in (1, 7):
        filled = ops.convert_to_numpy(inpainting.SmoothFill(levels, 0)(images))
        np.testing.assert_allclose(filled[..., :3], 0.25, atol=1e-5)


def test_known_pixels_come_back_and_what_stands_in_a_hole_is_not_looked_at(inpainter):
    images = holed(photograph(30, 41))
    other = np.where(images[..., 3:] == 1, np.float32(0.1), images)
    other[..., 3:] = images[..., 3:]
    one, two = (ops.convert_to_numpy(inpainter(batch)) for batch in (images, other))
    known = images[0, :, :, 3] == 0
    np.testing.assert_array_equal(one[0, known], images[0, known, :3])
    assert np.abs(one[0, ~known] - 0.5).max() > 0.01
    np.testing.assert_allclose(one, two, atol=1e-6)


def test_it_learns_from_whole_pictures_alone():
    training.set_seed(0)
    network = unet.restoration_unet(4, 3, widths=(8, 8))
    model = inpainting.Inpainter(network, turned=True)
    model.compile(keras.optimizers.Adam(0.003), "mean_squared_error", jit_compile=False)
    stripes = np.where(np.arange(32) % 4 < 2, np.float32(0.2), np.float32(0.8))
    images = np.broadcast_to(stripes[:, np.newaxis, np.newaxis], (64, 32, 32, 3)).copy()
    losses = training.fit(model, images, epochs=6, batch_size=4, progress=False).history["loss"]
    assert losses[-1] < 0.7 * losses[0]


def test_it_is_stored_and_built_again(inpainter, tmp_path):
    inpainter.network.save(tmp_path / "network.keras")
    loaded = keras.saving.load_model(tmp_path / "network.keras")
    images = holed(photograph(20, 12))
    np.testing.assert_array_equal(loaded(images), inpainter(images))


def test_tiles_may_lie_within_a_hole(inpainter):
    picture = photograph(64, 96)
    mask = np.zeros((64, 96, 1), np.float32)
    mask[:, 8:] = 1
    images = np.concatenate([picture, mask], axis=-1)
    filled = tiling.restore_tiled(inpainter, images, tile=32, overlap=4, multiple=4, progress=False)
    assert filled.shape == picture.shape and np.isfinite(filled).all()
    np.testing.assert_allclose(filled[:, :8], picture[:, :8], atol=1e-6)


WRONG = {
    "no mask": (lambda images: images[..., :3], r"expected pictures \(n, height, width, 4\), got shape"),
    "one picture": (lambda images: images[0], "add the first axis"),
    "bytes": (lambda images: np.uint8(255 * images), "divide by 255"),
    "NaN": (lambda images: np.where(images[..., :1] > 0, np.float32(np.nan), images), "NaN"),
    "soft mask": (lambda images: with_mask(images, images[..., 3] * 0.5), "not all of them 0 or 1: round it"),
    "empty": (lambda images: with_mask(images, 0), "picture 0 hides none of its pixels"),
    "full": (lambda images: with_mask(images, 1), "picture 0 hides all of its pixels"),
}


def with_mask(images, mask):
    images = images.copy()
    images[..., 3] = mask
    return images


@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_be_filled_is_refused_with_a_reason(inpainter, case):
    change, words = WRONG[case]
    images = change(holed(photograph(16, 16)))
    for ask in (inpainter, lambda images: inpainter.predict(images, verbose=0)):
        with pytest.raises(ValueError, match=words):
            ask(images)
