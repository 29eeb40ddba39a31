"""Diffusion and flows (lesson 10): a network that learns to take noise out of pictures, as a Keras model under `fit`.

A picture x becomes noise e along x_t = alpha(t) x + sigma(t) e, from t = 0, all picture, to t = 1, all noise. What a
network says of x_t, the noise in it, the clean picture, or the velocity at which x_t moves, can be converted into each
other. `diffusion_samplers` goes the way back.
"""

from collections.abc import Callable
from typing import NamedTuple

import keras
import numpy as np
from keras import layers, ops

from course_utils.models import diffusion_samplers, sampling
from course_utils.models.averaging import average_weights

PREDICTIONS = ("noise", "clean", "velocity")
FIRST, LAST = 0.001, 0.999  # times that are learned and asked for: at 0 and 1 some conversions divide by nothing


class Schedule(NamedTuple):
    """alpha(t), sigma(t) and their slopes by t, functions of times in [0, 1] in `keras.ops`."""

    alpha: Callable
    sigma: Callable
    alpha_slope: Callable
    sigma_slope: Callable

    def at(self, times) -> tuple:
        """The four at these times, float32 of any shape."""
        times = ops.convert_to_tensor(times, "float32")
        return tuple(function(times) for function in self)


_QUARTER = np.pi / 2

SCHEDULES = {
    # The straight way of flow matching: Lipman et al., 2023; Liu, Gong and Liu, "Flow straight and fast", 2023.
    "linear": Schedule(lambda t: 1 - t, lambda t: t, lambda t: -ops.ones_like(t), ops.ones_like),
    # Of constant variance, as denoising diffusion has it: Nichol and Dhariwal, 2021, without their offset.
    "cosine": Schedule(
        lambda t: ops.cos(_QUARTER * t),
        lambda t: ops.sin(_QUARTER * t),
        lambda t: -_QUARTER * ops.sin(_QUARTER * t),
        lambda t: _QUARTER * ops.cos(_QUARTER * t),
    ),
}


def noised(clean, noise, times, schedule: Schedule):
    """x_t = alpha(t) x + sigma(t) e, for x and e (n, ...) and times (n,)."""
    alpha, sigma, _, _ = schedule.at(_beside(times, clean))
    return alpha * clean + sigma * noise


def target(clean, noise, times, schedule: Schedule, predicts: str):
    """What a network is to say of `noised(clean, noise, times)`: one of PREDICTIONS, (n, ...).

    The velocity is the slope of x_t by t: alpha'(t) x + sigma'(t) e.
    """
    if predicts != "velocity":
        return {"noise": noise, "clean": clean}[predicts]
    _, _, alpha_slope, sigma_slope = schedule.at(_beside(times, clean))
    return alpha_slope * clean + sigma_slope * noise


def clean_and_noise(predicted, noisy, times, schedule: Schedule, predicts: str) -> tuple:
    """(x, e), (n, ...) each, that what was predicted of x_t amounts to: two equations for two unknowns.

    predicted, noisy: (n, ...); times: (n,) strictly between 0 and 1.
    """
    alpha, sigma, alpha_slope, sigma_slope = schedule.at(_beside(times, noisy))
    if predicts == "noise":
        return (noisy - sigma * predicted) / alpha, predicted
    if predicts == "clean":
        return predicted, (noisy - alpha * predicted) / sigma
    determinant = alpha * sigma_slope - alpha_slope * sigma
    clean = (sigma_slope * noisy - sigma * predicted) / determinant
    return clean, (alpha * predicted - alpha_slope * noisy) / determinant


def _beside(times, values):
    """Times (n,), or one number, in a shape that goes with values (n, ...)."""
    times = ops.convert_to_tensor(times, "float32")
    return ops.reshape(times, (-1,) + (1,) * (len(values.shape) - 1))


def pixels_to_numbers(images):
    """Pictures in [0, 1] around 0, where the noise is: [-1, 1]."""
    return 2.0 * images - 1.0


def numbers_to_pixels(numbers):
    """The inverse of `pixels_to_numbers`, cut to [0, 1]."""
    return ops.clip((numbers + 1.0) / 2.0, 0.0, 1.0)


@keras.saving.register_keras_serializable("course_utils")
class TimeWaves(layers.Layer):
    """Times (n,) to the sines and cosines of `count` multiples of them, from 1 to 100 rad: (n, 2 count).

    So that a network can tell times that lie close together: after Vaswani et al., 2017, section 3.5. Always in
    float32: at 100 rad, half precision would be off by a tenth of a turn.
    """

    def __init__(self, count: int, **kwargs):
        super().__init__(**({"dtype": "float32"} | kwargs))
        self.count = count

    def call(self, times):
        angles = times[:, None] * np.geomspace(1, 100, self.count, dtype=np.float32)
        return ops.concatenate([ops.sin(angles), ops.cos(angles)], axis=-1)

    def compute_output_shape(self, input_shape):
        return (input_shape[0], 2 * self.count)

    def get_config(self):
        return {**super().get_config(), "count": self.count}


class Diffusion(keras.Model):
    """Learns to take noise out of pictures under `fit(images)` or `fit(images, labels)`, and samples from noise.

    network: a model from [x_t (n, ...), times (n,)], or [x_t, times, one-hot labels (n, classes)], to a prediction of
        the shape of x_t. Of its labels, all zero stands for "not told".
    schedule: a key of SCHEDULES. predicts: one of PREDICTIONS; the loss is the mean squared error in just that.
    times: how those of a training are drawn, "uniform" or "logit_normal": the middle, where most is to be learned, more
        often (Esser et al., "Scaling rectified flow transformers", 2024).
    untold: the share of labels that are left out in training, for guidance (Ho and Salimans, 2022).
    averaging: `averaged`, the network that `sample` asks, keeps this share of itself at each step, see `averaging`.
    encode, decode: from pictures in [0, 1] to the numbers that are noised, around 0 with a spread near 1, and back, in
        `keras.ops`. By default pixels from -1 to 1.

    Raises ValueError for names that are none, shares outside [0, 1), and a network of other inputs; under `fit` for
    labels to a network that takes none, and none to one that does.
    """

    input_range = (0.0, 1.0)

    def __init__(
        self,
        network: keras.Model,
        *,
        schedule: str = "linear",
        predicts: str = "velocity",
        times: str = "logit_normal",
        untold: float = 0.1,
        averaging: float = 0.999,
        encode: Callable = pixels_to_numbers,
        decode: Callable = numbers_to_pixels,
        seed: int = 0,
        **kwargs,
    ):
        super().__init__(autocast=False, **kwargs)  # what is noised stays in float32; the network may multiply in less
        _check_choice("schedule", schedule, SCHEDULES)
        _check_choice("predicts", predicts, PREDICTIONS)
        _check_choice("times", times, ("uniform", "logit_normal"))
        for name, share in (("untold", untold), ("averaging", averaging)):
            if not 0 <= share < 1:
                raise ValueError(f"{name} must be from 0 to 1, without 1, got {share}")
        if len(network.inputs) not in (2, 3) or network.output_shape != network.input_shape[0]:
            raise ValueError(
                f"expected a network from [x_t, times] or [x_t, times, labels] to the shape of x_t, got one from "
                f"{network.input_shape} to {network.output_shape}"
            )
        self.network, self.schedule, self.predicts = network, SCHEDULES[schedule], predicts
        self.drawn_times, self.untold, self.averaging = times, untold, averaging
        self.encode_pictures, self.decode_numbers = encode, decode
        self.classes = network.input_shape[2][-1] if len(network.inputs) == 3 else None
        self.averaged = keras.models.clone_model(network)
        self.averaged.set_weights(network.get_weights())
        self.averaged.trainable = False
        self.steps = self.add_weight(shape=(), initializer="zeros", dtype="int32", trainable=False, name="steps")
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.built = True  # the network is

    def call(self, images, training=False):
        """The encoded pictures; what is learned of them is in `compute_loss`, which has the labels too."""
        return self.encode_pictures(images)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """The mean squared error of what the network says of pictures with noise, each at a time of its own."""
        clean, labels = ops.cast(y_pred, "float32"), self._one_hot(y)
        count = ops.shape(clean)[0]
        times = self._times(count)
        noise = keras.random.normal(ops.shape(clean), seed=self.seed_generator)
        inputs = [noised(clean, noise, times, self.schedule), times]
        if self.classes:
            told = keras.random.uniform((count, 1), seed=self.seed_generator) >= self.untold
            inputs.append(labels * ops.cast(told, "float32"))
        wanted = target(clean, noise, times, self.schedule, self.predicts)
        predicted = ops.cast(self.network(inputs, training=training), "float32")
        loss = ops.mean(ops.square(predicted - wanted))
        if training:
            self.steps.assign(self.steps + 1)
            average_weights(self.averaged, self.network, self.steps, self.averaging)
        return loss

    def _times(self, count):
        if self.drawn_times == "uniform":
            times = keras.random.uniform((count,), seed=self.seed_generator)
        else:
            times = ops.sigmoid(keras.random.normal((count,), seed=self.seed_generator))
        return ops.clip(times, FIRST, LAST)

    def _one_hot(self, labels):
        if (labels is None) != (self.classes is None):
            expected = "no labels" if self.classes is None else "labels, fit(model, images, labels)"
            raise ValueError(f"the network expects {expected}")
        return None if labels is None else ops.one_hot(ops.cast(labels, "int32"), self.classes)

    def sample(
        self,
        n: int,
        seed: int = 0,
        labels=None,
        *,
        steps: int = 20,
        sampler: str = "heun",
        guidance: float = 1.0,
    ) -> np.ndarray:
        """n pictures by the averaged network: float32 (n, h, w, c) in [0, 1], the same for the same seed.

        labels: one class for all or one for each picture, where the network takes labels; without, the classes take
            turns. steps: from noise to picture; "heun" asks the network twice in each but the last. sampler: a key of
            `diffusion_samplers.SAMPLERS`. guidance: how far to go from what the network says untold towards what it
            says told, and beyond: 1 is what it says told (Ho and Salimans, "Classifier-free diffusion guidance", 2022).
        Raises ValueError for n or steps under 1, an unknown sampler, labels that do not fit or are not wanted, and
        guidance of a network without labels.
        """
        size = self.network.input_shape[0][1:]
        start = sampling.latents(n, int(np.prod(size)), seed).reshape(n, *size)
        predict = self.predictor(n, labels, guidance)
        numbers = diffusion_samplers.run(predict, start, self.schedule, steps=steps, sampler=sampler, seed=seed)
        return ops.convert_to_numpy(self.decode_numbers(ops.convert_to_tensor(numbers)))

    def _told(self, n: int, labels, guidance: float) -> tuple[np.ndarray, ...]:
        if self.classes is None:
            if labels is not None or guidance != 1:
                raise ValueError("the network was not trained with labels: it takes neither labels nor guidance")
            return ()
        labels = np.arange(n) % self.classes if labels is None else labels
        return (np.eye(self.classes, dtype=np.float32)[sampling.checked_labels(labels, n, self.classes)],)

    def predictor(self, n: int, labels=None, guidance: float = 1.0) -> Callable:
        """What the averaged network says of n noisy x_t, as `diffusion_samplers` ask for it.

        Returns a function (x_t, t) -> (clean, noise): NumPy arrays (n, ...), one time t for all of them. labels and
        guidance as in `sample`, which raises the same errors.
        """
        told = self._told(n, labels, guidance)

        def ask(noisy: np.ndarray, time: float, *told: np.ndarray) -> np.ndarray:
            def batch(rows, *told):
                return self.averaged.predict_on_batch([rows, np.full(len(rows), time, np.float32), *told])

            return sampling.in_batches(batch, noisy, *told)

        def predict(noisy: np.ndarray, time: float) -> tuple[np.ndarray, np.ndarray]:
            time = float(np.clip(time, FIRST, LAST))
            nothing = tuple(map(np.zeros_like, told))
            predicted = ask(noisy, time, *(told if guidance else nothing))
            if guidance not in (0, 1):
                untold = ask(noisy, time, *nothing)
                predicted = untold + guidance * (predicted - untold)
            both = clean_and_noise(predicted, noisy, time, self.schedule, self.predicts)
            return tuple(map(ops.convert_to_numpy, both))

        return predict


def _check_choice(name: str, value: str, choices) -> None:
    if value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, choices))}, got {value!r}")
