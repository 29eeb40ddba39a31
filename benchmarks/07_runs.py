"""Recorded runs of lesson 07: what a VAE is worth by its bound, its likelihood, its latent size and beta.

And its rival, a plain autoencoder whose codes are drawn at random.

    python benchmarks/07_runs.py bounds         writes benchmarks/07_bounds.json (about 10 minutes)
    python benchmarks/07_runs.py likelihoods    writes benchmarks/07_likelihoods.json (about 9 minutes)
    python benchmarks/07_runs.py betas          writes benchmarks/07_betas.json (about 3 minutes)
    python benchmarks/07_runs.py sizes          writes benchmarks/07_sizes.json (about 3 minutes)
    python benchmarks/07_runs.py plain          writes benchmarks/07_plain.json and .png (about 4 minutes)

"bounds" compares the lesson's network with the convolutional VAE of well-known tutorials on test images whose pixels
are 0 or 1 (binarised at 0.5), at equal latent size. "plain" is judged by test images, as the lesson judges its own VAE.
Nothing was chosen on them; all other scores are of the validation images. Runs that are already in a file are kept, so
an interrupted call goes on where it stopped.

Processor seconds count the time of all cores together: on two idle cores a run takes about half of them.
"""

import argparse
import sys
from dataclasses import asdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import keras
import numpy as np
import recording
from keras import layers

from course_utils import data, image_files, metrics, paths, training
from course_utils.models import vae
from course_utils.recipes import vae_fashion

SEED = 0
SEEDS = {"likelihoods": (0, 1, 2), "plain": (0, 1, 2)}  # all other files hold one run of each setting
NUMBERS = vae_fashion.LESSON
JUDGED = ("frechet_distance", "precision", "recall", "density", "coverage", "effective_classes")


def settings() -> dict[str, dict[str, dict]]:
    """For each file, the settings of each run."""
    kept = ("channels", "width", "epochs", "batch_size", "learning_rate", "latent_size")
    recipe = {name: getattr(NUMBERS, name) for name in kept}
    recipe |= {"network": "ours", "binary": True, "likelihood": "bernoulli", "sigma": None, "beta": 1.0}
    grey = recipe | {"binary": False}
    tutorial = {"network": "tutorial", "learning_rate": 1e-4, "batch_size": 32, "epochs": 7}
    bounds = {}
    for size in (2, 16):
        bounds[f"tutorial, latent {size}"] = recipe | tutorial | {"latent_size": size}
        bounds[f"ours, latent {size}"] = recipe | {"latent_size": size}
    likelihoods = {
        "Bernoulli": grey | {"likelihood": "bernoulli"},
        "Gaussian, sigma 1": grey | {"likelihood": "gaussian", "sigma": 1.0},
        "Gaussian, sigma learned": grey | {"likelihood": "gaussian"},
    }
    return {
        "bounds": bounds,
        "likelihoods": likelihoods,
        "betas": {f"beta {beta:g}": recipe | {"beta": beta} for beta in (0.1, 0.3, 1.0, 3.0, 10.0, 100.0)},
        "plain": {"autoencoder": grey | {"network": "plain", "epochs": 3}},  # as many as the lesson's VAE has
        "sizes": {f"latent {size}": recipe | {"latent_size": size} for size in (2, 8, 16, 32, 64)},
    }


def tutorial_networks(latent_size: int) -> tuple[keras.Model, keras.Model]:
    """Encoder and decoder as many tutorials have them: two strided 3x3 convolutions of 32 and 64, and backwards."""
    images, latents = keras.Input((28, 28, 1)), keras.Input((latent_size,))
    x = layers.Conv2D(32, 3, 2, activation="relu")(images)
    x = layers.Flatten()(layers.Conv2D(64, 3, 2, activation="relu")(x))
    y = layers.Reshape((7, 7, 32))(layers.Dense(7 * 7 * 32, activation="relu")(latents))
    y = layers.Conv2DTranspose(64, 3, 2, padding="same", activation="relu")(y)
    y = layers.Conv2DTranspose(32, 3, 2, padding="same", activation="relu")(y)
    y = layers.Conv2DTranspose(1, 3, padding="same")(y)
    return keras.Model(images, layers.Dense(2 * latent_size)(x)), keras.Model(latents, y)


def networks(s: dict) -> tuple[keras.Model, keras.Model]:
    if s["network"] == "tutorial":
        return tutorial_networks(s["latent_size"])
    sizes = {"channels": tuple(s["channels"]), "width": s["width"]}
    shape = (28, 28, 1)
    return vae.encoder(shape, 2 * s["latent_size"], **sizes), vae.decoder(s["latent_size"], shape, **sizes)


def images_of(split: str, s: dict) -> np.ndarray:
    images, _ = data.fashion_mnist(split)
    return np.float32(images >= 0.5) if s["binary"] else images


def prepared(s: dict, seed: int = SEED) -> tuple[keras.Model, np.ndarray, np.ndarray | None]:
    """The compiled network of one run, with its training images and what it should make of them where it must be told.

    "plain": encoder and decoder in a row, an autoencoder that is trained by the loss of the lesson's first section.
    """
    training.set_seed(seed)
    images = images_of("train", s)
    rate = s["learning_rate"]
    if s["network"] != "tutorial":
        rate = training.one_cycle(rate, s["epochs"] * (len(images) // s["batch_size"]))
    if s["network"] == "plain":
        lesson = recording.lesson_code("07")
        size = s["latent_size"]
        model = keras.Sequential([lesson["build_encoder"](size), lesson["build_decoder"](size)])
        model.compile(keras.optimizers.Adam(rate), loss=lesson["bernoulli_nats"])
        return model, images, images
    model = vae.Vae(*networks(s), likelihood=s["likelihood"], sigma=s["sigma"], beta=s["beta"], seed=seed)
    model.compile(keras.optimizers.Adam(rate))
    return model, images, None


def train(s: dict, seed: int = SEED) -> tuple[keras.Model, keras.callbacks.History]:
    """Train one run from its settings; returns the model and the history."""
    model, images, targets = prepared(s, seed)
    held_out = images_of("validation", s)
    history = training.fit(
        model,
        images,
        targets,
        epochs=s["epochs"],
        batch_size=s["batch_size"],
        seed=seed,
        validation_data=(held_out,) if targets is None else (held_out, held_out),
        callbacks=[training.Clock()],
        progress=False,
    )
    return model, history


def first_steps(s: dict) -> dict:
    """The mark of a run, see `recording.first_steps`."""
    return recording.first_steps(*prepared(s), batch_size=s["batch_size"], seed=SEED)


def active_units(model: vae.Vae, images: np.ndarray) -> int:
    """Latent numbers whose mean differs from picture to picture, by a variance over 0.01 (Burda et al., 2016)."""
    return int(np.sum(model.encode(images)[0].var(axis=0) > 0.01))


def scores(s: dict, model: vae.Vae, split: str) -> dict:
    """What is written down of a trained VAE. split: whose images it is asked about."""
    held_out = images_of(split, s)
    elbo = model.log_weights(held_out, samples=1, seed=SEED)
    rebuilt = model.reconstruct(held_out)
    return {
        "active_units": active_units(model, held_out),
        "negative_elbo": round(float(-elbo.mean()), 2),
        "pictures": len(held_out),
        "pixel_error": round(float(np.sqrt(np.mean((rebuilt - held_out) ** 2))), 4),
    }


def better_bound(s: dict, model: vae.Vae) -> dict:
    """The importance-weighted bound of 1,000 test images."""
    bound = vae.log_likelihood_bound(model, images_of("test", s)[:1000], samples=100, seed=SEED)
    return {"negative_bound_of_100": round(float(-bound.mean()), 2)}


def judged(s: dict, model: vae.Vae) -> dict:
    """How its samples compare with validation images."""
    judge = metrics.Judge(data.fashion_mnist("validation")[0], data.fashion_mnist("train")[0][:5_000])
    result = {metric: round(score.value, 3) for metric, score in judge(model.sample(5_000, seed=SEED), JUDGED).items()}
    sigma = {"sigma": round(float(np.exp(model.log_sigma)), 4)} if s["likelihood"] == "gaussian" else {}
    return result | sigma


def drawn(s: dict, model: keras.Sequential, seed: int) -> dict:
    """The scores of a plain autoencoder's pictures, from codes drawn in two ways; those of the first seed are kept."""
    encoder, decoder = model.layers
    images, _ = data.fashion_mnist("train")
    codes = encoder.predict(images, batch_size=1000, verbose=0)
    random = np.random.default_rng(seed)
    ways = {
        "N(0, I)": random.standard_normal((5_000, s["latent_size"])),
        "fitted": random.multivariate_normal(codes.mean(axis=0), np.cov(codes.T), 5_000),
    }
    decode = recording.lesson_code("07")["decode_plain"]
    pictures = {way: decode(decoder, latents) for way, latents in ways.items()}
    if seed == SEED:
        first = np.concatenate([some[:20] for some in pictures.values()])
        file = paths.BENCHMARKS / "07_plain.png"
        image_files.as_image(image_files.sheet(first, columns=10)).save(file, optimize=True)
    judge = metrics.Judge(data.fashion_mnist("test")[0][:5_000], images[-5_000:])
    return {way: {name: asdict(score) for name, score in judge(some).items()} for way, some in pictures.items()}


MORE = {"bounds": better_bound, "likelihoods": judged}  # what single files hold besides


def record(kind: str) -> None:
    def run(s: dict, seed: int) -> tuple[dict, dict]:
        model, history = train(s, seed)
        if kind == "plain":
            return {"parameters": model.count_params()}, {**drawn(s, model, seed), **recording.curves(history, 3)}
        more = MORE[kind](s, model) if kind in MORE else {}
        split = "test" if kind == "bounds" else "validation"
        about = {"parameters": model.count_params()}
        return about, {**scores(s, model, split), **more, **recording.curves(history, 3)}

    path = paths.BENCHMARKS / f"07_{kind}.json"
    seeds = SEEDS.get(kind, (SEED,))
    recording.record(path, f"python benchmarks/07_runs.py {kind}", settings()[kind], seeds, first_steps, run)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=list(settings()))
    record(parser.parse_args().kind)
