"""The variational autoencoder: its loss, its bounds and its samples, against SciPy and worked examples."""

import keras
import numpy as np
import pytest
import scipy.special
import scipy.stats
from keras import ops

from course_utils import training
from course_utils.models import vae

SHAPE = (8, 8, 1)


def small(latent_size=3, classes=None, **options):
    sizes = {"channels": (2,), "width": 8, "classes": classes}
    return vae.Vae(
        vae.encoder(SHAPE, 2 * latent_size, **sizes), vae.decoder(latent_size, SHAPE, **sizes), seed=0, **options
    )


def linear(weight, bias, likelihood, sigma=None):
    """A VAE of one latent number and one patch of 4x4 equal pixels, with logits weight * z + bias; q(z|x) = N(m, s)."""
    images, latents = keras.Input((4, 4, 1)), keras.Input((1,))
    code = keras.layers.Dense(2, name="code")(keras.layers.Flatten()(images))
    logits = keras.layers.Reshape((4, 4, 1))(keras.layers.Dense(16, name="logits")(latents))
    model = vae.Vae(keras.Model(images, code), keras.Model(latents, logits), likelihood=likelihood, sigma=sigma, seed=0)
    model.encoder.get_layer("code").set_weights([np.zeros((16, 2)), np.array([0.5, np.log(0.8**2)])])
    model.decoder.get_layer("logits").set_weights([np.full((1, 16), weight), np.full(16, bias)])
    return model


def plain(classes=None, **options):
    """A VAE of two latent numbers and one dense layer each way, which stripes do not need more than."""

    def network(shape, layers):
        first = keras.Input(shape)
        inputs = [first] if classes is None else [first, keras.Input((classes,))]
        x = keras.layers.Concatenate()([keras.layers.Flatten()(part) for part in inputs])
        for layer in layers:
            x = layer(x)
        return keras.Model(first if classes is None else inputs, x)

    encoder = network(SHAPE, [keras.layers.Dense(4)])
    decoder = network((2,), [keras.layers.Dense(64), keras.layers.Reshape(SHAPE)])
    return vae.Vae(encoder, decoder, seed=0, **options)


@pytest.fixture
def pictures():
    return np.random.default_rng(0).random((64, *SHAPE), dtype=np.float32)


def test_kl_agrees_with_draws_from_scipy():
    rng = np.random.default_rng(1)
    mean, deviation = rng.normal(size=(4, 3)), rng.uniform(0.3, 2, size=(4, 3))
    z = mean + deviation * rng.standard_normal((200_000, 4, 3))
    ratio = (scipy.stats.norm.logpdf(z, mean, deviation) - scipy.stats.norm.logpdf(z)).sum(axis=-1)
    error = ratio.std(axis=0) / np.sqrt(len(z))
    got = ops.convert_to_numpy(vae.kl_divergence(mean, 2 * np.log(deviation)))
    assert np.all(np.abs(got - ratio.mean(axis=0)) < 5 * error)


@pytest.mark.parametrize("logit", [-90.0, -1.0, 0.0, 2.0, 90.0])
def test_bernoulli_log_probability_is_scipys(logit, pictures):
    binary = np.float32(pictures > 0.5)
    outputs = np.full_like(pictures, logit)
    expected = np.where(binary, scipy.special.log_expit(logit), scipy.special.log_expit(-logit)).sum(axis=(1, 2, 3))
    np.testing.assert_allclose(small().log_probability(binary, outputs), expected, rtol=1e-5)


@pytest.mark.parametrize("sigma", [0.05, 0.25, 2.0])
def test_gaussian_log_probability_is_scipys(sigma, pictures):
    outputs = np.random.default_rng(2).normal(size=pictures.shape).astype(np.float32)
    model = small(likelihood="gaussian", sigma=sigma)
    expected = scipy.stats.norm.logpdf(pictures, scipy.special.expit(outputs), sigma).sum(axis=(1, 2, 3))
    np.testing.assert_allclose(model.log_probability(pictures, outputs), expected, rtol=1e-4)


def exact_log_likelihood(model, picture, weight, bias):
    """log of the integral of p(x|z) p(z) over z, by the trapezium rule on a fine grid."""
    z = np.linspace(-9, 9, 4001, dtype=np.float32)
    outputs = np.broadcast_to((weight * z + bias)[:, None, None, None], (len(z), 4, 4, 1)).astype(np.float32)
    log_likelihood = ops.convert_to_numpy(model.log_probability(np.repeat(picture[None], len(z), axis=0), outputs))
    return np.log(np.trapezoid(np.exp(log_likelihood + scipy.stats.norm.logpdf(z)), z))


@pytest.mark.parametrize(("likelihood", "sigma"), [("bernoulli", None), ("gaussian", 0.3)])
def test_bounds_approach_the_exact_log_likelihood_from_below(likelihood, sigma):
    model = linear(0.7, -0.2, likelihood, sigma)
    images = np.float32(np.random.default_rng(3).random((3, 4, 4, 1)) > 0.6)
    exact = [exact_log_likelihood(model, image, 0.7, -0.2) for image in images]
    copies = images.repeat(400, axis=0)
    means = [
        vae.log_likelihood_bound(model, copies, samples).reshape(3, 400).mean(axis=1) for samples in (1, 5, 50, 1000)
    ]
    assert np.all(np.diff(means, axis=0) > 0)
    assert np.all(means[-1] < np.array(exact) + 0.02)
    np.testing.assert_allclose(means[-1], exact, atol=0.05)


def test_the_training_loss_is_minus_the_mean_log_weight():
    model = linear(0.7, -0.2, "bernoulli")
    model.compile(jit_compile=False)
    images = np.float32(np.random.default_rng(4).random((2000, 4, 4, 1)) > 0.5)
    logs = model.evaluate(images, batch_size=500, verbose=0, return_dict=True)
    assert logs["loss"] == pytest.approx(logs["reconstruction"] + logs["kl"], rel=1e-5)
    assert logs["loss"] == pytest.approx(-model.log_weights(images, samples=50).mean(), abs=0.05)
    # All q are N(0.5, 0.8): KL = (0.25 + 0.64 - 1 - log 0.64) / 2 = 0.1681
    assert logs["kl"] == pytest.approx(0.1681, abs=1e-3)


def test_beta_weighs_the_kl_term(pictures):
    model = small(beta=3.0)
    model.compile(jit_compile=False)
    logs = model.evaluate(pictures, verbose=0, return_dict=True)
    assert logs["loss"] == pytest.approx(logs["reconstruction"] + 3 * logs["kl"], rel=1e-5)


def striped(n):
    """Pictures of stripes, upright (label 0) or lying (label 1)."""
    labels = np.arange(n) % 2
    stripes = np.float32(np.arange(8) % 4 < 2)
    lying = np.broadcast_to(stripes[:, None], (8, 8))
    return np.where(labels[:, None, None], lying, lying.T)[..., None].astype(np.float32), labels


@pytest.mark.parametrize("options", [{}, {"likelihood": "gaussian"}, {"likelihood": "gaussian", "sigma": 0.5}])
def test_training_lowers_the_loss_and_reconstructs(options):
    images, _ = striped(256)
    training.set_seed(0)
    model = plain(**options)
    model.compile(keras.optimizers.Adam(2e-2), jit_compile=not options)  # one by XLA, as in the lesson
    history = training.fit(model, images, epochs=5, batch_size=4, progress=False).history
    assert history["loss"][-1] < history["loss"][0] - 5
    assert history["kl"][-1] > np.log(2)  # nats that it takes to say which of two
    rebuilt = model.reconstruct(images)
    assert rebuilt.shape == images.shape
    assert np.mean((rebuilt - images) ** 2) < 0.03


def test_sigma_is_learned_only_where_it_is_not_given():
    images, _ = striped(128)
    for sigma in (None, 0.5):
        training.set_seed(0)
        model = plain(likelihood="gaussian", sigma=sigma)
        before = float(model.log_sigma)
        model.compile(keras.optimizers.Adam(1e-2), jit_compile=False)
        training.fit(model, images, epochs=5, batch_size=32, progress=False)
        assert (float(model.log_sigma) == before) == (sigma is not None)


def test_a_conditional_vae_draws_what_the_label_says():
    images, labels = striped(256)
    training.set_seed(0)
    model = plain(classes=2)
    model.compile(keras.optimizers.Adam(2e-2), jit_compile=False)
    training.fit(model, images, labels, epochs=60, batch_size=32, progress=False)
    for label in (0, 1):
        error = np.mean((model.sample(20, seed=3, labels=label) - images[label]) ** 2)
        assert error < 0.1 < np.mean((model.sample(20, seed=3, labels=1 - label) - images[label]) ** 2)
    np.testing.assert_array_equal(model.sample(4, seed=5), model.sample(4, seed=5, labels=np.array([0, 1, 0, 1])))
    assert model.log_weights(images[:3], 4, labels=labels[:3]).shape == (3, 4)


def test_samples_are_pictures_that_the_seed_decides():
    model = small()
    samples = model.sample(5, seed=1)
    assert samples.shape == (5, *SHAPE)
    assert samples.dtype == np.float32
    assert 0 <= samples.min() <= samples.max() <= 1
    np.testing.assert_array_equal(samples, model.sample(5, seed=1))
    np.testing.assert_allclose(samples[:2], model.sample(2, seed=1), atol=1e-6)
    assert not np.allclose(samples, model.sample(5, seed=2))


def test_encoding_gives_means_and_standard_deviations(pictures):
    model = small()
    mean, deviation = model.encode(pictures)
    code = ops.convert_to_numpy(model.encoder(pictures))
    np.testing.assert_allclose(mean, code[:, :3], atol=1e-6)
    np.testing.assert_allclose(np.log(deviation**2), code[:, 3:], atol=1e-4)


def test_weights_are_saved_and_loaded(tmp_path, pictures):
    for options in ({}, {"likelihood": "gaussian"}):
        model = small(**options)
        if options:
            model.log_sigma.assign(-1.5)
        training.save_weights(model, tmp_path / "x.weights.h5", dtype="float16")
        again = small(**options)
        training.load_weights(again, tmp_path / "x.weights.h5")
        np.testing.assert_allclose(again.sample(3), model.sample(3), atol=2e-3)
        if options:
            assert float(again.log_sigma) == -1.5


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: small(likelihood="poisson"), "likelihood must be one of 'bernoulli', 'gaussian', got 'poisson'"),
        (lambda: small(beta=-1.0), "beta must be 0 or more"),
        (lambda: small(likelihood="gaussian", sigma=0.0), "sigma above 0"),
        (lambda: vae.Vae(vae.encoder(SHAPE, 3), vae.decoder(3, SHAPE)), "a mean and a log-variance"),
        (lambda: vae.Vae(vae.encoder(SHAPE, 6, classes=2), vae.decoder(3, SHAPE)), "the same classes"),
        (lambda: vae.encoder((10, 8, 1), 4), r"\(10, 8, 1\) cannot be halved .* in multiples of 4"),
        (lambda: vae.encoder(SHAPE, 4, channels=(2, 0)), "at least one channel"),
        (lambda: vae.decoder(0, SHAPE), "latent_size must be 1 or more, got 0"),
        (lambda: small().sample(0), "expected 1 or more, got 0"),
        (lambda: small().sample(2, labels=1), "has no use for labels"),
        (lambda: small(classes=2).decode(np.zeros((2, 3))), "needs labels from 0 to 1"),
        (lambda: small(classes=2).encode(np.zeros((2, *SHAPE))), "needs labels from 0 to 1"),
        (lambda: small(classes=2).sample(2, labels=2), "labels must be from 0 to 1"),
        (lambda: small().encode(np.full((2, *SHAPE), 255.0)), "got images of float64 from 255 to 255"),
        (lambda: small().log_weights(np.full((2, *SHAPE), np.nan), 2), "not finite"),
        (lambda: small().log_weights(np.zeros((1, *SHAPE)), 0), "expected 1 or more, got 0"),
    ],
)
def test_what_does_not_fit_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize("label", [7, -1, 0.5])
def test_labels_that_no_class_has_are_not_trained_on(pictures, label):
    model = small(classes=2)
    model.compile("adam", jit_compile=False)
    with pytest.raises(ValueError, match="labels must be"):
        training.fit(model, pictures, np.full(len(pictures), label), epochs=1, batch_size=8, progress=False)
    assert int(model.optimizer.iterations) == 0


def test_labels_must_be_there_in_training_exactly_where_they_are_used(pictures):
    labels = np.zeros(len(pictures), np.int64)
    for model, given, message in ((small(), labels, "no labels"), (small(classes=2), None, "with labels")):
        model.compile("adam", run_eagerly=True)
        with pytest.raises(ValueError, match=message):
            training.fit(model, pictures, given, epochs=1, batch_size=8, progress=False)


def test_pictures_out_of_range_are_refused(pictures):
    model = small()
    model.compile("adam")
    with pytest.raises(ValueError, match="expected floating-point numbers from 0 to 1"):
        training.fit(model, pictures * 255, epochs=1, batch_size=8, progress=False)
