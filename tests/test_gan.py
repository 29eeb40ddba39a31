"""GANs: losses and penalties against hand-worked numbers, whose gradient goes where, averaging, spectral norms."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from fixtures import scripts
from fixtures.eager import eager
from keras import layers, ops

from course_utils import training
from course_utils.models import averaging as averages
from course_utils.models import gan, gan_losses, gan_networks

IMAGE_SHAPE = (8, 8, 1)


def tiny(**options) -> gan.Gan:
    training.set_seed(0)
    return gan.Gan(
        gan_networks.generator(3, (4, 4), IMAGE_SHAPE), gan_networks.discriminator((4, 5), IMAGE_SHAPE), **options
    )


def pictures(n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random((n, *IMAGE_SHAPE), dtype=np.float32)


LOG_3 = np.log(3)  # a score whose sigmoid is 3/4; that of -LOG_3 is 1/4


# Scores of a real picture and a fake -> the losses of discriminator and generator, worked out on paper.
@pytest.mark.parametrize(
    ("name", "real", "fake", "discriminator", "generator"),
    [
        ("minimax", 0, 0, 2 * np.log(2), -np.log(2)),
        ("minimax", LOG_3, -LOG_3, 2 * np.log(4 / 3), np.log(3 / 4)),  # Goodfellow et al., 2014: log D, log(1 - D)
        ("minimax", -LOG_3, LOG_3, 2 * np.log(4), np.log(1 / 4)),
        ("non-saturating", LOG_3, -LOG_3, 2 * np.log(4 / 3), np.log(4)),  # the same paper: -log D of the fake
        ("non-saturating", -LOG_3, LOG_3, 2 * np.log(4), np.log(4 / 3)),
        ("hinge", 0, 0, 2, 0),
        ("hinge", 2, 0.5, 1.5, -0.5),
        ("hinge", -1, -3, 2, 3),
        ("relativistic", LOG_3, -LOG_3, np.log(10 / 9), np.log(10)),
        ("relativistic", 5 + LOG_3, 5, np.log(4 / 3), np.log(4)),  # a difference of scores alone counts
        ("Wasserstein", 2, 0.5, -1.5, -0.5),
    ],
)
def test_losses_are_what_their_papers_say(name, real, fake, discriminator, generator):
    real, fake = (np.full((2, 1), score, np.float32) for score in (real, fake))
    for ours, expected in zip(gan_losses.LOSSES[name], (discriminator, generator), strict=True):
        np.testing.assert_allclose(ours(real, fake), np.full((2, 1), expected), rtol=1e-5, atol=1e-6)


def test_every_loss_has_a_test_above():
    assert set(gan_losses.LOSSES) == {"minimax", "non-saturating", "hinge", "relativistic", "Wasserstein"}


def test_gradients_of_scores_are_those_of_finite_differences():
    model, images = tiny(), tf.constant(pictures(2))
    scores, gradients = gan_losses.scores_and_gradients(model.discriminator, images)
    np.testing.assert_allclose(scores, model.discriminator(images), rtol=1e-5)
    for index in ((0, 3, 4, 0), (1, 7, 0, 0)):
        step = np.zeros(images.shape, np.float32)
        step[index] = 1e-2
        above, below = (model.discriminator(images + sign * step) for sign in (1, -1))
        difference = (above - below)[index[0], 0] / 2e-2
        assert float(gradients[index]) == pytest.approx(float(difference), rel=0.05, abs=1e-3)


def linear_discriminator(weights: np.ndarray) -> keras.Model:
    """score = the sum of weights * image."""
    model = keras.Sequential([layers.Input(IMAGE_SHAPE), layers.Flatten(), layers.Dense(1)])
    model.set_weights([weights.reshape(-1, 1), np.zeros(1, np.float32)])
    return model


@pytest.mark.parametrize(("length", "r1", "gradient_penalty"), [(3.0, 0.5, 0.0), (3.0, 0.0, 10.0), (0.5, 2.0, 1.0)])
def test_penalties_of_a_linear_discriminator_are_those_worked_by_hand(length, r1, gradient_penalty):
    weights = np.random.default_rng(0).normal(size=IMAGE_SHAPE).astype(np.float32)
    weights *= length / np.linalg.norm(weights)
    losses = []
    for options in ({}, {"r1": r1, "gradient_penalty": gradient_penalty}):
        training.set_seed(0)
        model = gan.Gan(gan_networks.generator(3, (4, 4), IMAGE_SHAPE), linear_discriminator(weights), **options)
        model.compute_loss(tf.constant(pictures(4)), y_pred=tf.constant(pictures(4, seed=1)))
        losses.append(float(model.means["discriminator_loss"].result()))
    expected = r1 / 2 * length**2 + gradient_penalty * (length - 1) ** 2
    assert losses[1] - losses[0] == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("loss", gan_losses.LOSSES)
def test_each_network_gets_the_gradient_of_its_own_loss_alone(loss):
    model, real = tiny(loss=loss), tf.constant(pictures(6))
    latents = tf.random.normal((6, 3))
    with tf.GradientTape() as tape:
        total = model.compute_loss(real, y_pred=model.generator(latents, training=True))
    generator_variables = model.generator.trainable_variables
    discriminator_variables = model.discriminator.trainable_variables
    got = tape.gradient(total, [variable.value for variable in (*generator_variables, *discriminator_variables)])

    of_discriminator, of_generator = gan_losses.LOSSES[loss]
    with tf.GradientTape(persistent=True) as tape:
        fake = model.generator(latents, training=True)
        real_scores, fake_scores = model.discriminator(real), model.discriminator(fake)
        losses = [tf.reduce_mean(one(real_scores, fake_scores)) for one in (of_generator, of_discriminator)]
    expected = tape.gradient(losses[0], [variable.value for variable in generator_variables])
    with tf.GradientTape() as tape:
        fake_scores = model.discriminator(tf.stop_gradient(fake))
        discriminator_loss = tf.reduce_mean(of_discriminator(model.discriminator(real), fake_scores))
    expected += tape.gradient(discriminator_loss, [variable.value for variable in discriminator_variables])
    for ours, reference in zip(got, expected, strict=True):
        np.testing.assert_allclose(ours, reference, rtol=1e-3, atol=1e-6)


def with_state(layer: layers.Layer) -> keras.Model:
    """A discriminator with a layer that keeps a state, or draws at random."""
    parts = [layers.Conv2D(4, 4, strides=2, padding="same"), layer, layers.LeakyReLU(), layers.Flatten()]
    return keras.Sequential([layers.Input(IMAGE_SHAPE), *parts, layers.Dense(1)])


def test_batch_normalisation_in_the_discriminator_leaves_each_network_its_own_gradient():
    training.set_seed(0)
    generator, discriminator = gan_networks.generator(3, (4, 4), IMAGE_SHAPE), with_state(layers.BatchNormalization())
    model, real, latents = (
        gan.Gan(generator, discriminator, loss="hinge"),
        tf.constant(pictures(6)),
        tf.random.normal((6, 3)),
    )
    with tf.GradientTape() as tape:
        total = model.compute_loss(real, y_pred=generator(latents, training=True))
    variables = [[variable.value for variable in one.trainable_variables] for one in (generator, discriminator)]
    got = tape.gradient(total, [*variables[0], *variables[1]])

    of_discriminator, of_generator = gan_losses.LOSSES["hinge"]
    with tf.GradientTape(persistent=True) as tape:
        fake = generator(latents, training=True)
        real_scores, fake_scores = (discriminator(images, training=True) for images in (real, fake))
        losses = [tf.reduce_mean(one(real_scores, fake_scores)) for one in (of_generator, of_discriminator)]
    expected = [*tape.gradient(losses[0], variables[0]), *tape.gradient(losses[1], variables[1])]
    for ours, reference in zip(got, expected, strict=True):
        np.testing.assert_allclose(ours, reference, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("layer", [layers.BatchNormalization, lambda: layers.Dropout(0.5)])
def test_a_discriminator_with_state_learns_under_fit(layer):
    training.set_seed(0)
    model = gan.Gan(gan_networks.generator(3, (4, 4), IMAGE_SHAPE), with_state(layer()))
    before = [variable.numpy() for variable in model.discriminator.variables]
    model.compile("adam", jit_compile=False)
    training.fit(model, pictures(16), epochs=1, batch_size=8, progress=False)
    for variable, old in zip(model.discriminator.variables, before, strict=True):
        if "bias" not in variable.path:  # of a shift of all scores this loss sees nothing
            assert not np.array_equal(variable, old), variable.path


@pytest.mark.parametrize("penalty", ["r1", "gradient_penalty"])
def test_a_penalty_on_slopes_refuses_batch_normalisation(penalty):
    generator, discriminator = gan_networks.generator(3, (4, 4), IMAGE_SHAPE), with_state(layers.BatchNormalization())
    with pytest.raises(ValueError, match="depend on the whole batch: take layer normalisation"):
        gan.Gan(generator, discriminator, **{penalty: 1.0})


def test_the_average_starts_as_a_mean_of_all_steps_and_ends_with_a_fixed_share():
    model = tiny(averaging=0.9)
    weight, average = model.generator.trainable_variables[0], model.averaged.variables[0]
    expected = ops.convert_to_numpy(weight)
    for step in range(1, 200):
        weight.assign_add(ops.ones_like(weight))
        averages.average_weights(model.averaged, model.generator, step, 0.9)
        keep = min(0.9, step / (step + 10))
        expected = keep * expected + (1 - keep) * ops.convert_to_numpy(weight)
    np.testing.assert_allclose(average, expected, rtol=1e-5)
    assert float(ops.mean(weight - average)) == pytest.approx(9, rel=0.01)  # 1 / (1 - 0.9) - 1 steps behind


def test_without_averaging_samples_come_from_the_generator_of_the_last_step():
    model = tiny(averaging=0)
    model.compile("adam")
    training.fit(eager(model), pictures(16), epochs=1, batch_size=8, progress=False)
    last = [variable.numpy() for variable in model.generator.variables]
    averages.average_weights(model.averaged, model.generator, 3, model.averaging)
    for average, weight in zip(model.averaged.variables, last, strict=True):
        np.testing.assert_array_equal(average, weight)


@pytest.mark.parametrize("averaging", [0.0, 0.998])
def test_samples_are_pictures_and_the_same_for_the_same_seed(averaging):
    model = tiny(averaging=averaging)
    samples = model.sample(300, seed=5)
    assert samples.shape == (300, *IMAGE_SHAPE) and samples.dtype == np.float32
    assert samples.min() >= 0 and samples.max() <= 1
    np.testing.assert_array_equal(samples, model.sample(300, seed=5))
    np.testing.assert_allclose(samples[:7], model.sample(7, seed=5), atol=1e-6)
    assert np.abs(samples - model.sample(300, seed=6)).max() > 1e-4
    with pytest.raises(ValueError, match="expected 1 or more, got 0"):
        model.sample(0)


def test_data_out_of_range_and_losses_that_are_no_numbers_stop_the_training():
    model = tiny()
    model.compile("adam")
    with pytest.raises(ValueError, match="from 0 to 1"):
        training.fit(model, pictures(16) * 255, epochs=1, batch_size=8, progress=False)
    model.compile(keras.optimizers.SGD(1e30))
    with pytest.raises(training.TrainingDiverged, match="learning rate"):
        training.fit(eager(model), pictures(64), epochs=2, batch_size=8, progress=False)


def test_each_network_moves_at_the_rate_of_its_own_optimizer():
    model = tiny()
    model.compile(gan.two_optimizers(model, *(keras.optimizers.Adam(rate, beta_1=0.5) for rate in (2.5e-4, 1e-3))))
    before = [variable.numpy() for variable in model.trainable_variables]
    eager(model).train_on_batch(tf.constant(pictures(8)))
    moved = {
        network.name: max(
            np.abs(variable.numpy() - old).max()
            for variable, old in zip(model.trainable_variables, before, strict=True)
            if any(variable is own for own in network.trainable_variables)
        )
        for network in (model.generator, model.discriminator)
    }
    # The first step of Adam is as long as the learning rate.
    assert moved["generator"] == pytest.approx(2.5e-4, rel=0.02)
    assert moved["discriminator"] == pytest.approx(1e-3, rel=0.02)


def test_spectral_convolution_divides_by_the_largest_singular_value():
    layer = gan_networks.SpectralConv2D(6, 4, strides=2, padding="same")
    images = pictures(3)
    for _ in range(200):
        outputs = layer(images, training=True)
    matrix = ops.convert_to_numpy(layer.kernel).reshape(-1, 6)
    plain = layers.Conv2D(6, 4, strides=2, padding="same")
    plain.build(images.shape)
    plain.set_weights([ops.convert_to_numpy(layer.kernel) / np.linalg.svd(matrix)[1].max(), np.zeros(6)])
    np.testing.assert_allclose(outputs, plain(images), rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(layer(images), outputs, rtol=1e-3, atol=1e-5)  # and predicts as it trains


def test_weights_of_every_kind_of_layer_are_saved_and_read_back(tmp_path):
    def build():
        discriminator = gan_networks.discriminator((4, 5), IMAGE_SHAPE, refinements=(6,), spectral_normalisation=True)
        return gan.Gan(gan_networks.generator(3, (4, 4), IMAGE_SHAPE), discriminator, r1=0.1)

    model = build()
    model.compile("adam")
    training.fit(model, pictures(16), epochs=2, batch_size=8, progress=False)
    training.save_weights(model, tmp_path / "gan.weights.h5")
    back = build()
    training.load_weights(back, tmp_path / "gan.weights.h5")
    assert len(back.weights) == len(model.weights) > 30
    for one, other in zip(model.weights, back.weights, strict=True):
        np.testing.assert_array_equal(one, other, err_msg=one.path)


def test_networks_of_other_shapes_and_losses_are_refused():
    generator, discriminator = gan_networks.generator(3, (4,), (8, 8, 3)), gan_networks.discriminator((4,), IMAGE_SHAPE)
    with pytest.raises(ValueError, match=r"\(8, 8, 3\), the discriminator expects \(8, 8, 1\)"):
        gan.Gan(generator, discriminator)
    with pytest.raises(ValueError, match="'relativistic', 'Wasserstein', got 'wgan'"):
        tiny(loss="wgan")
    with pytest.raises(ValueError, match=r"\(28, 28, 1\) cannot be halved once for each of channels"):
        gan_networks.generator(3, (4, 4, 4), (28, 28, 1))


def test_the_tutorials_network_has_the_sizes_that_are_known():
    generator, discriminator = scripts.load("08_baseline").tutorial_dcgan()
    assert generator.output_shape == (None, 28, 28, 1)
    assert [layer.output.shape[1:] for layer in generator.layers if isinstance(layer, layers.Conv2DTranspose)] == [
        (7, 7, 128),
        (14, 14, 64),
        (28, 28, 1),
    ]
    # 5 * 5 * 64 + 64, 5 * 5 * 64 * 128 + 128, 7 * 7 * 128 + 1
    assert discriminator.count_params() == 1_664 + 204_928 + 6_273
