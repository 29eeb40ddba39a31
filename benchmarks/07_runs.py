"""Recorded runs of lesson 07: what a VAE is worth by its bound, its likelihood, its latent size and beta.

    python benchmarks/07_runs.py bounds         writes benchmarks/07_bounds.json (about 10 minutes)
    python benchmarks/07_runs.py likelihoods    writes benchmarks/07_likelihoods.json (about 9 minutes)
    python benchmarks/07_runs.py betas          writes benchmarks/07_betas.json (about 3 minutes)
    python benchmarks/07_runs.py sizes          writes benchmarks/07_sizes.json (about 3 minutes)

"bounds" compares the lesson's network with the convolutional VAE of well-known tutorials on test images whose pixels
are 0 or 1 (binarised at 0.5), at equal latent size. Nothing was chosen on them; all other scores are of the validation
images. Runs that are already in a file are kept, so an interrupted call goes on where it stopped.

Processor seconds count the time of all cores together: on two idle cores a run takes about half of them.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import keras
import numpy as np
import recording
from keras import layers

from course_utils import data, metrics, paths, training
from course_utils.models import vae
from course_utils.recipes import vae_fashion

SEED = 0
SEEDS = {"likelihoods": (0, 1, 2)}  # all other files hold one run of each setting
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


def prepared(s: dict, seed: int = SEED) -> tuple[vae.Vae, np.ndarray]:
    """The compiled network of one run, with its training images."""
    training.set_seed(seed)
    images = images_of("train", s)
    model = vae.Vae(*networks(s), likelihood=s["likelihood"], sigma=s["sigma"], beta=s["beta"], seed=seed)
    rate = s["learning_rate"]
    if s["network"] == "ours":
        rate = training.one_cycle(rate, s["epochs"] * (len(images) // s["batch_size"]))
    model.compile(keras.optimizers.Adam(rate))
    return model, images


def train(s: dict, seed: int = SEED) -> tuple[vae.Vae, keras.callbacks.History]:
    """Train one run from its settings; returns the model and the history."""
    model, images = prepared(s, seed)
    history = training.fit(
        model,
        images,
        epochs=s["epochs"],
        batch_size=s["batch_size"],
        seed=seed,
        validation_data=(images_of("validation", s),),
        callbacks=[training.Clock()],
        progress=False,
    )
    return model, history


def first_steps(s: dict) -> dict:
    """The mark of a run, see `recording.first_steps`."""
    return recording.first_steps(*prepared(s), None, batch_size=s["batch_size"], seed=SEED)


def active_units(model: vae.Vae, images: np.ndarray) -> int:
    """Latent numbers whose mean differs from picture to picture, by a variance over 0.01 (Burda et al., 2016)."""
    return int(np.sum(model.encode(images)[0].var(axis=0) > 0.01))


def scores(s: dict, model: vae.Vae, split: str) -> dict:
    """What is written down of a trained model. split: whose images it is asked about."""
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


MORE = {"bounds": better_bound, "likelihoods": judged}  # what single files hold besides


def record(kind: str) -> None:
    def run(s: dict, seed: int) -> tuple[dict, dict]:
        model, history = train(s, seed)
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
