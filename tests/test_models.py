import keras
import numpy as np
import pytest

from course_utils.models import augmentation, classifier

RANDOM = np.random.default_rng(0)


def pictures(count, size=28, channels=1):
    return RANDOM.random((count, size, size, channels), dtype=np.float32)


NETWORKS = {
    "better_cnn": lambda **options: classifier.better_cnn(8, **options),
    "residual_cnn": lambda **options: classifier.residual_cnn(4, 1, erase=4, **options),
}


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize(("count", "size", "channels", "classes"), [(2, 28, 1, 10), (1, 11, 3, 2), (3, 33, 2, 5)])
def test_logits_have_one_number_per_class(name, count, size, channels, classes):
    model = NETWORKS[name](image_shape=(size, size, channels), classes=classes)
    logits = keras.ops.convert_to_numpy(model(pictures(count, size, channels)))
    assert logits.shape == (count, classes)
    assert logits.dtype == np.float32
    assert np.isfinite(logits).all()


@pytest.mark.parametrize("name", NETWORKS)
def test_predictions_do_not_depend_on_the_rest_of_the_batch(name):
    model = NETWORKS[name]()
    batch = pictures(6)
    alone = np.concatenate([model.predict(batch[i : i + 1], verbose=0) for i in range(6)])
    np.testing.assert_allclose(model.predict(batch, verbose=0), alone, atol=1e-5)


def test_parameters_counted_by_hand():
    convolutions = 9 * 16 + 9 * 16 * 32 + 9 * 32 * 64
    normalisations = 4 * (16 + 32 + 64 + 128)
    assert classifier.better_cnn(16).count_params() == convolutions + 49 * 64 * 128 + normalisations + 128 * 10 + 10
    weights = 9 * (1 * 2 + 2 * 4 + 4 * 8 + 2 * (4 * 4 + 8 * 8))
    assert classifier.residual_cnn(4, 1).count_params() == weights + 4 * (2 + 3 * 4 + 3 * 8) + 8 * 10 + 10


def test_blocks_add_what_they_compute_to_what_they_get():
    """With the scales of a block's last normalisation at zero, the block hands its input on unchanged."""
    model = classifier.residual_cnn(4, 1)
    block = "group_4_block_1"
    normalisation = model.get_layer(f"{block}_second_normalisation")
    gamma, *others = normalisation.get_weights()
    normalisation.set_weights([0 * gamma, *others])
    outputs = [model.get_layer("group_4_activation").output, model.get_layer(f"{block}_sum").output]
    before, after = keras.Model(model.inputs, outputs).predict(pictures(2), verbose=0)
    np.testing.assert_array_equal(after, before)


def test_pooling_before_normalisation_gives_what_pooling_after_gives():
    """The reason for the order in `better_cnn`: with positive scales the two orders agree."""
    x = pictures(4, 8, 3)
    normalise = keras.layers.BatchNormalization()
    normalise.build(x.shape)
    normalise.set_weights([np.array([0.5, 1.0, 2.0]), RANDOM.random(3), RANDOM.random(3), RANDOM.random(3) + 0.5])
    pool, activate = keras.layers.MaxPooling2D(), keras.layers.ReLU()
    np.testing.assert_allclose(activate(normalise(pool(x))), pool(activate(normalise(x))), atol=1e-6)


def test_features_are_what_the_last_layer_reads():
    model = classifier.residual_cnn(4, 1)
    images = pictures(3)
    features = classifier.feature_extractor(model).predict(images, verbose=0)
    assert features.shape == (3, 8)
    kernel, bias = model.get_layer("logits").get_weights()
    np.testing.assert_allclose(features @ kernel + bias, model.predict(images, verbose=0), atol=1e-5)
    assert classifier.feature_extractor(classifier.better_cnn(8)).output_shape == (None, 128)
    with pytest.raises(ValueError, match="features"):
        classifier.feature_extractor(keras.Sequential([keras.layers.Input((2,)), keras.layers.Dense(1)]))


def test_shift_and_flip_move_whole_pixels():
    batch = pictures(200, 9, 2)
    moved = keras.ops.convert_to_numpy(augmentation.RandomShiftFlip(2, seed=0)(batch, training=True))
    seen = set()
    for before, after in zip(batch, moved, strict=True):
        seen.add(_found_move(before, after, largest=2))
    assert None not in seen
    assert len(seen) == 5 * 5 * 2  # each shift, mirrored and not


def test_what_comes_in_from_outside_has_the_colour_asked_for():
    white = np.ones((50, 6, 6, 3), np.float32)
    for fill in (0.0, 1.0):
        moved = keras.ops.convert_to_numpy(augmentation.RandomShiftFlip(3, fill=fill, seed=0)(white, training=True))
        assert set(np.unique(moved)) == {fill, 1.0}


def _found_move(before, after, largest):
    """The (down, right, mirrored) that turn one picture into the other, by trying all with NumPy; or None."""
    size = len(before)
    for mirrored in (False, True):
        padded = np.pad(before[:, ::-1] if mirrored else before, ((largest, largest), (largest, largest), (0, 0)))
        for down in range(2 * largest + 1):
            for right in range(2 * largest + 1):
                if np.array_equal(padded[down : down + size, right : right + size], after):
                    return down, right, mirrored
    return None


def test_erasing_paints_one_square():
    batch = np.ones((100, 12, 12, 3), dtype=np.float32)
    erased = keras.ops.convert_to_numpy(augmentation.RandomErase(5, seed=0)(batch, training=True))
    areas = set()
    for image in erased:
        assert np.array_equal(image[..., 0], image[..., 2])
        rows, columns = np.nonzero(image[..., 0] == 0)
        assert len(rows) == (np.ptp(rows) + 1) * (np.ptp(columns) + 1)
        assert np.ptp(rows) < 5 and np.ptp(columns) < 5
        areas.add(len(rows))
    assert max(areas) == 25 and min(areas) < 10  # whole squares, and squares that hang over the edge


@pytest.mark.parametrize("layer", [augmentation.RandomShiftFlip(2), augmentation.RandomErase(5)])
def test_augmentation_rests_outside_training(layer):
    batch = pictures(3)
    np.testing.assert_array_equal(layer(batch), batch)
    np.testing.assert_array_equal(layer(batch, training=False), batch)
    assert not np.array_equal(layer(batch, training=True), batch)


def test_augmentation_keeps_float16():
    batch = pictures(3).astype(np.float16)
    moved = augmentation.RandomShiftFlip(1, dtype="float16")(batch, training=True)
    assert keras.ops.convert_to_numpy(moved).dtype == np.float16


def test_networks_are_saved_whole(tmp_path):
    model = classifier.residual_cnn(4, 1, shift=2, erase=3)
    model.save(tmp_path / "network.keras")
    again = keras.saving.load_model(tmp_path / "network.keras")
    images = pictures(2)
    np.testing.assert_array_equal(again.predict(images, verbose=0), model.predict(images, verbose=0))
    assert again.get_layer("augmentation").shift == 2 and again.get_layer("erasing").size == 3


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: classifier.better_cnn(image_shape=(3, 9, 1)), r"at least 4x4 pixels, got \(3, 9, 1\)"),
        (lambda: classifier.better_cnn(image_shape=(28, 28)), "height, width, channels"),
        (lambda: classifier.better_cnn(0), "width must be 1 or more, got 0"),
        (lambda: classifier.better_cnn(8, dropout_rate=1), r"dropout_rate must be in \[0, 1\), got 1"),
        (lambda: classifier.better_cnn(8, shift=-1), "shift must be 0 or more pixels, got -1"),
        (lambda: classifier.better_cnn(8, classes=1), "classes must be 2 or more, got 1"),
        (lambda: classifier.residual_cnn(1), "width must be 2 or more, got 1"),
        (lambda: classifier.residual_cnn(8, 0), "blocks must be 1 or more, got 0"),
        (lambda: augmentation.RandomErase(0), "size must be 1 pixel or more, got 0"),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
