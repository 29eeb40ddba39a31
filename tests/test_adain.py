"""Style transfer by statistics: AdaIN against NumPy, mixtures, strength, the loss against sums by hand, learning."""

import keras
import numpy as np
import pytest
from fixtures.eager import eager
from keras import ops

from course_utils import training
from course_utils.models import adain, vgg

RANDOM = np.random.default_rng(0)
PICTURES = RANDOM.random((2, 24, 32, 3), dtype=np.float32)
STYLES = np.stack([RANDOM.random((20, 28, 3), dtype=np.float32) ** power for power in (0.5, 1, 3)])
MAPS = RANDOM.standard_normal((2, 5, 6, 4)).astype(np.float32) * 3 + 10


@pytest.fixture(scope="module")
def model() -> adain.AnyStyle:
    return small()


def small(statistics: np.ndarray | None = None, **weights) -> adain.AnyStyle:
    training.set_seed(0)
    return adain.AnyStyle(adain.decoder((8, 8, 4)), statistics, **weights)


def codes_by_hand(maps) -> np.ndarray:
    maps = ops.convert_to_numpy(maps)
    return np.stack([maps.mean(axis=(1, 2)), maps.std(axis=(1, 2))], axis=1)


def test_a_code_is_mean_and_deviation_of_each_map():
    np.testing.assert_allclose(adain.code(MAPS), codes_by_hand(MAPS), rtol=1e-3)


def test_maps_take_the_statistics_that_are_wanted_and_keep_their_pattern():
    wanted = np.abs(RANDOM.standard_normal((2, 2, 4))).astype(np.float32) + 1
    moved = ops.convert_to_numpy(adain.adain(MAPS, wanted))
    np.testing.assert_allclose(codes_by_hand(moved), wanted, rtol=1e-3)
    for before, after in zip(MAPS.reshape(2, 30, 4), moved.reshape(2, 30, 4), strict=True):
        for channel in range(4):
            assert np.corrcoef(before[:, channel], after[:, channel])[0, 1] == pytest.approx(1, abs=1e-4)
    np.testing.assert_allclose(adain.adain(MAPS, adain.code(MAPS)), MAPS, rtol=1e-4)
    one = ops.convert_to_numpy(adain.adain(MAPS, wanted[:1]))
    np.testing.assert_allclose(one[0], moved[0], rtol=1e-5)
    np.testing.assert_allclose(codes_by_hand(one)[1], wanted[0], rtol=1e-3)


def test_constant_maps_become_the_mean_that_is_wanted():
    moved = adain.adain(np.full((1, 3, 3, 2), 7.0, np.float32), np.float32([[[1, 2], [5, 6]]]))
    np.testing.assert_allclose(moved, np.broadcast_to(np.float32([1, 2]), (1, 3, 3, 2)), atol=1e-4)


def test_a_mixture_of_codes_mixes_the_maps_alike():
    codes = adain.code(RANDOM.random((3, 4, 4, 4), dtype=np.float32))
    shares = (0.5, 0.2, 0.3)
    mean = sum(share * adain.adain(MAPS, codes[i : i + 1]) for i, share in enumerate(shares))
    np.testing.assert_allclose(adain.adain(MAPS, adain.mixed(codes, shares)), mean, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(adain.mixed(codes, (0, 1, 0)), codes[1:2])


@pytest.mark.parametrize("size", [(24, 32), (9, 14), (4, 4)])
def test_a_picture_of_any_size_comes_back_in_its_size_and_in_range(model, size):
    painted = ops.convert_to_numpy(model([RANDOM.random((3, *size, 3), dtype=np.float32), STYLES]))
    assert painted.shape == (3, *size, 3) and 0 <= painted.min() <= painted.max() <= 1


def test_one_code_is_for_all_pictures_and_each_picture_stands_by_itself(model):
    code = model.code(STYLES[:1])
    assert code.shape == (1, 2, 256)
    both = ops.convert_to_numpy(model.paint(PICTURES, code))
    for index in (0, 1):
        np.testing.assert_allclose(both[index], model.paint(PICTURES[index : index + 1], code)[0], atol=1e-5)


def test_at_strength_0_the_style_does_not_matter_and_at_1_it_does(model):
    def apart(strength: float) -> float:
        first, second = (model.paint(PICTURES, model.code(STYLES[i : i + 1]), strength) for i in (0, 2))
        return float(ops.max(ops.abs(first - second)))

    assert apart(0) == 0 < apart(0.5) < apart(1)
    own = model.paint(PICTURES, model.code(framed(PICTURES)))
    np.testing.assert_allclose(model.paint(PICTURES, model.code(STYLES[:1]), 0), own, atol=1e-4)


def framed(pictures: np.ndarray, width: int = adain.FRAME) -> np.ndarray:
    """The pictures continued by their mirror image, as the model looks at them."""
    return np.pad(pictures, ((0, 0), *2 * [2 * [width]], (0, 0)), mode="symmetric")


def test_the_zeros_that_convolutions_see_beyond_borders_stay_out_of_the_picture(model):
    """Within a still wider frame the picture is nearly the same; without any frame it is not."""
    code, more = model.code(STYLES[:1]), 16
    within = model.paint(framed(PICTURES, more), code)[:, more:-more, more:-more]
    maps = vgg.features((adain.CODED,), pooling="average")(PICTURES)[adain.CODED]
    bare = model.network(adain.adain(maps, code))
    mean_error = [float(ops.mean(ops.abs(each - within))) for each in (model.paint(PICTURES, code), bare)]
    assert mean_error[0] < mean_error[1] / 3


def test_the_loss_is_what_it_says():
    """Of two photographs the first is to come back, and the second is to be painted."""
    statistics = adain.statistics(STYLES[1:2])
    assert statistics.shape == (1, 2, 64 + 128 + 256)
    losses = {}
    for weights in ((0, 0, 0), (3, 0, 0), (0, 1, 0), (0, 0, 1)):
        names = ("pixel_weight", "content_weight", "variation_weight")
        learner = small(statistics, **dict(zip(names, weights, strict=True)))
        learner.compile(keras.optimizers.Adam())
        outputs = learner(PICTURES, training=True)
        losses[weights] = float(learner.compute_loss(PICTURES, None, outputs))
    painted, wanted, styled = (ops.convert_to_numpy(outputs[place]) for place in (0, 1, 3))
    assert list(styled) == [False, True]
    eyes = vgg.features(adain.COMPARED, pooling="average")
    own = ops.convert_to_numpy(eyes(PICTURES)[adain.CODED])
    np.testing.assert_allclose(wanted[0], own[0], atol=1e-3)
    np.testing.assert_allclose(wanted[1], adain.adain(own, learner.code(STYLES[1:2]))[1], atol=1e-3)
    np.testing.assert_allclose(painted, learner.network(wanted), atol=1e-5)

    maps = {name: ops.convert_to_numpy(found) for name, found in eyes(painted).items()}
    style = 0.0
    for name, found in eyes(STYLES[1:2]).items():
        aim = codes_by_hand(found)[0]
        style += np.sum((codes_by_hand(maps[name])[1] - aim) ** 2) / np.sum(aim**2) / 3
    assert losses[0, 0, 0] == pytest.approx(style / 2, rel=1e-2)
    pixels = 3 * np.sum((painted[0] - PICTURES[0]) ** 2) / np.sum(PICTURES[0] ** 2)
    assert losses[3, 0, 0] - losses[0, 0, 0] == pytest.approx(pixels / 2, rel=1e-2)
    content = np.sum((maps["conv3_1"] - wanted) ** 2, axis=(1, 2, 3)) / np.sum(wanted**2, axis=(1, 2, 3))
    assert losses[0, 1, 0] - losses[0, 0, 0] == pytest.approx(content.mean(), rel=1e-2)
    variation = sum(np.abs(np.diff(painted, axis=axis)).mean() for axis in (1, 2))
    assert losses[0, 0, 1] - losses[0, 0, 0] == pytest.approx(variation, rel=1e-2)


def test_in_the_warm_up_pixels_alone_count_and_no_photograph_is_painted():
    learner = small(adain.statistics(STYLES[1:2]), warm_up=1, pixel_weight=1)
    learner.compile(keras.optimizers.Adam(0.003))
    outputs = learner(PICTURES, training=True)
    assert not ops.convert_to_numpy(outputs[3]).any()
    squares = (np.sum(each**2, axis=(1, 2, 3)) for each in (ops.convert_to_numpy(outputs[0]) - PICTURES, PICTURES))
    errors = np.divide(*squares)
    assert float(learner.compute_loss(PICTURES, None, outputs)) == pytest.approx(errors.mean(), rel=1e-4)
    learner.optimizer.iterations.assign(1)
    outputs = learner(PICTURES, training=True)
    assert list(ops.convert_to_numpy(outputs[3])) == [False, True]
    assert float(learner.compute_loss(PICTURES, None, outputs)) != pytest.approx(errors.mean(), rel=1e-2)


def test_it_learns_from_photographs_alone_and_keeps_the_decoder_alone():
    learner = small()
    learner.statistics = adain.statistics(STYLES)
    learner.compile(keras.optimizers.Adam(0.003))
    halves = np.zeros_like(PICTURES)
    halves[:, :, :16, 0] = halves[:, :, 16:, 2] = 0.9
    losses = training.fit(eager(learner), halves, epochs=20, batch_size=2, progress=False).history["loss"]
    assert losses[-1] < 0.8 * losses[0]
    assert all("conv1_1" not in weights.path for weights in learner.weights)
    assert learner.count_params() - learner.network.count_params() <= 2  # the state of the generator of draws


def test_whitened_numbers_of_photographs_lie_around_0_and_vary_by_themselves():
    photographs = RANDOM.random((40, 32, 32, 3), dtype=np.float32) ** RANDOM.uniform(0.3, 3, (40, 1, 1, 3))
    kernel, bias = adain.whitening(np.float32(photographs))
    maps = ops.convert_to_numpy(vgg.features((adain.CODED,), pooling="average")(np.float32(photographs))[adain.CODED])
    white = (maps[:, ::4, ::4] @ kernel + bias).reshape(-1, 256)
    np.testing.assert_allclose(white.mean(axis=0), 0, atol=0.02)
    covariance = np.cov(white.T)
    np.testing.assert_allclose(covariance, np.diag(np.diag(covariance)), atol=0.02)
    # Up to 1, and less where the maps hardly vary, so that nothing small is made large.
    variances = np.sort(np.diag(covariance))
    assert 0.98 < variances[-1] < 1.01 and variances[0] < 0.1

    learner = small()
    layer = learner.network.get_layer("whitened")
    np.testing.assert_allclose(layer(maps), maps, rtol=1e-4)  # before it is given them
    layer.set_weights([kernel, bias])
    np.testing.assert_allclose(layer(maps[:, ::4, ::4]).numpy().reshape(-1, 256), white, atol=0.05)
    assert len(learner.network.trainable_variables) == 14


WRONG = {
    "two widths": (lambda: adain.decoder((8, 8)), "three widths"),
    "a width of zero": (lambda: adain.decoder((8, 0, 8)), "1 or more each"),
    "shares": (lambda: adain.mixed(adain.code(MAPS), (0.5, 0.4)), "add up to 1"),
    "a negative share": (lambda: adain.mixed(adain.code(MAPS), (1.5, -0.5)), "0 or more"),
    "one share": (lambda: adain.mixed(adain.code(MAPS), (1,)), "expected 2 shares"),
    "too strong": (lambda: small().paint(PICTURES, np.ones((1, 2, 256), np.float32), 1.5), r"in \[0, 1\]"),
    "untaught": (lambda: small()(PICTURES, training=True), "without the statistics of styles"),
    "not compiled": (lambda: small(statistics=adain.statistics(PICTURES))(PICTURES, training=True), "compiled first"),
    "bytes": (lambda: small().code(np.uint8(255 * PICTURES)), "divide by 255"),
    "0 to 255": (lambda: small()([PICTURES, 255 * PICTURES]), "divide by 255"),
    "grey": (lambda: small()([PICTURES[..., :1], PICTURES]), r"expected pictures \(n, height, width, 3\)"),
    "one picture": (lambda: small().code(PICTURES[0]), "add the first axis"),
    "three pixels": (lambda: small().code(PICTURES[:, :3]), "4 pixels or more"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_told(name):
    call, words = WRONG[name]
    with pytest.raises(ValueError, match=words):
        call()
