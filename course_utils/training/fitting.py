"""`fit`, what it feeds to the network, and the learning rates of the course."""

import time
from collections.abc import Sequence
from contextlib import nullcontext

import keras
import numpy as np

from course_utils import profiles
from course_utils.models import sampling
from course_utils.pixel_range import check_range
from course_utils.run_lock import alone
from course_utils.training import state
from course_utils.training.callbacks import Progress, StopAfterSeconds, StopOnNonFinite

SMOKE_STEPS = 2  # of each epoch in the smoke profile
SMOKE_VALIDATION = 1000  # examples that are validated on after each
_COUNTS_PER_EPOCH = 2**20  # random draws a layer may make in one epoch before its stream runs into the next one's


def set_seed(seed: int) -> None:
    """Seed Python, NumPy and the Keras backend, so that what follows comes out the same on the same machine.

    Call it before building a model: the first weights and the random layers take their seeds from it.
    """
    keras.utils.set_random_seed(seed)


def fit(
    model: keras.Model,
    images: np.ndarray,
    labels: np.ndarray | None = None,
    *,
    epochs: int,
    batch_size: int,
    seed: int = 0,
    validation_data: tuple | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    resume: str | None = None,
    progress: bool = True,
) -> keras.callbacks.History:
    """Train a compiled model with `keras.Model.fit` and return its History.

    images: (n, ...); labels: (n, ...) or None where the model learns from pictures alone. Each epoch takes
    `n // batch_size` full batches in an order drawn from (seed, epoch).
    resume: a name; after a kill, an error or a `StopAfterSeconds`, the same call under the same name goes on from the
    last finished epoch, kept in `runs/<name>/state` until training ends. Weights, optimizer, order and random layers go
    on as if nothing had happened; History holds the earlier epochs too. One process at a time trains under a name.
    In the smoke profile each epoch ends after SMOKE_STEPS steps; all else, callbacks and History too, is as ever.
    Raises ValueError for fewer examples than one batch, for images and labels of different number, for images outside
    the `input_range` (low, high) and labels outside the `classes` of a model that has one, and where what was kept to
    resume is damaged, of another network or of more epochs; TrainingDiverged at the first loss not finite; RunInUse
    where another process trains under the name; OSError where the disk is full.

    Why not `model.fit(images, labels)`: with seeds set, Keras 3.15 on TensorFlow shuffles every epoch alike.
    """
    batches = Batches(images, labels, batch_size=batch_size, seed=seed)
    if hasattr(model, "input_range"):
        check_range(images, *model.input_range)
    if labels is not None and getattr(model, "classes", None):
        sampling.checked_labels(labels, len(images), model.classes)
    if profiles.smoke():
        batches.most = SMOKE_STEPS
        validation_data = validation_data and tuple(part[:SMOKE_VALIDATION] for part in validation_data)
    with alone(resume) if resume else nullcontext():
        return _fit(model, batches, epochs, validation_data, callbacks, resume, progress)


def _fit(model, batches, epochs, validation_data, callbacks, resume, progress) -> keras.callbacks.History:
    """`fit`, once its arguments have been looked at and the name to resume under is this process's."""
    earlier = state.finished_epochs(resume) if resume else []
    if len(earlier) > epochs:
        raise ValueError(
            f"{state.run_folder(resume)} holds the state after {len(earlier)} epochs, and {epochs} are asked for: ask "
            "for more, or rename or delete that folder to start anew"
        )
    before = [_SameRandomness(batches), StopOnNonFinite(resume)]
    after = []
    if resume:
        before.insert(0, keras.callbacks.LambdaCallback(on_train_begin=lambda logs: state.restore(model, resume)))
        after.append(state.KeepState(resume, earlier))
    bar = [Progress()] if progress else []
    try:
        history = model.fit(
            batches,
            epochs=epochs,
            initial_epoch=len(earlier),
            shuffle=False,
            validation_data=validation_data,
            validation_batch_size=1000,
            verbose=0,
            callbacks=[*before, *bar, *callbacks, *after],
        )
    finally:
        for shown in bar:
            shown.close()
    if resume:
        _put_before(history, earlier)
        out_of_time = any(isinstance(callback, StopAfterSeconds) and callback.stopped for callback in callbacks)
        if not out_of_time or len(state.finished_epochs(resume)) >= epochs:
            state.remove(resume)
    return history


def _put_before(history: keras.callbacks.History, earlier: list[dict[str, float]]) -> None:
    """Complete a History by the logs of the epochs before a resume."""
    history.epoch[:0] = range(len(earlier))
    for name in {name: None for record in earlier for name in record}:
        history.history.setdefault(name, [])[:0] = [record[name] for record in earlier if name in record]


def estimate_minutes(model: keras.Model, images, labels, *, epochs: int, batch_size: int, steps: int = 3) -> float:
    """The minutes that `fit` with these arguments would take on this machine, from the time of a few steps.

    images: (n, ...); labels: (n, ...) or None. steps: how many to time, 1 or more; one before them compiles and is not
    counted. They train the compiled model: hand in one made for this. Raises ValueError where `fit` would refuse the
    arrays, and for steps under 1.
    """
    if steps < 1:
        raise ValueError(f"steps is the number of steps to time, expected 1 or more, got {steps}")
    batches = Batches(images, labels, batch_size=batch_size, seed=0)
    model.train_on_batch(*batches[0])
    start = time.monotonic()
    for index in range(steps):
        model.train_on_batch(*batches[index % len(batches)])
    return (time.monotonic() - start) / steps * len(batches) * epochs / 60


def one_cycle(peak: float, steps: int, warm_up: float = 0.2) -> keras.optimizers.schedules.LearningRateSchedule:
    """A learning rate that climbs in a line to `peak` in the first `warm_up` share of the steps, then falls to 0
    along half a cosine.

    Raises ValueError unless peak > 0, steps >= 1 and 0 <= warm_up < 1.
    Smith and Topin, "Super-convergence", 2017; cosine: Loshchilov and Hutter, "SGDR", 2017.
    """
    if not (peak > 0 and steps >= 1 and 0 <= warm_up < 1):
        raise ValueError(
            f"one_cycle needs peak > 0, steps >= 1 and 0 <= warm_up < 1, got {peak}, {steps} and {warm_up}"
        )
    climb = round(steps * warm_up)
    if climb == 0:
        return keras.optimizers.schedules.CosineDecay(peak, steps)
    return keras.optimizers.schedules.CosineDecay(0.0, max(steps - climb, 1), warmup_target=peak, warmup_steps=climb)


def compile_classifier(
    model: keras.Model,
    learning_rate: float | keras.optimizers.schedules.LearningRateSchedule,
    *,
    weight_decay: float = 0.0,
    label_smoothing: float = 0.0,
    jit_compile: bool | str = "auto",
) -> None:
    """Ready a network that returns logits for training on one-hot labels (n, classes), by SGD with momentum 0.9.

    weight_decay: each step also shrinks the kernels by learning_rate * weight_decay of themselves (not the biases
    and the scales and shifts of normalisation).
    label_smoothing: the share of each label that is spread evenly over the classes, in [0, 1).
    Label smoothing: Szegedy et al., 2016. Nesterov momentum: Sutskever et al., 2013.
    """
    optimizer = keras.optimizers.SGD(learning_rate, momentum=0.9, nesterov=True, weight_decay=weight_decay or None)
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    loss = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=label_smoothing)
    model.compile(optimizer, loss, metrics=["accuracy"], jit_compile=jit_compile)


class Batches(keras.utils.PyDataset):
    """Full batches of arrays, in an order drawn from (seed, epoch).

    images: (n, ...); labels: (n, ...) or None. Item i is (images, labels), or (images,) without labels; the last
    n % batch_size examples of an epoch's order sit out. Set `epoch` before drawing; `fit` does. `most` limits the
    batches of an epoch.
    Raises ValueError for fewer examples than one batch or for images and labels of different number.
    """

    def __init__(self, images: np.ndarray, labels: np.ndarray | None, *, batch_size: int, seed: int = 0):
        super().__init__()
        if labels is not None and len(images) != len(labels):
            raise ValueError(f"each image needs one label, got {len(images)} images and {len(labels)} labels")
        if not 1 <= batch_size <= len(images):
            raise ValueError(f"batch_size must be from 1 to the {len(images)} images, got {batch_size}")
        self.arrays = (images,) if labels is None else (images, labels)
        self.batch_size, self.seed, self.epoch = batch_size, seed, 0
        self.most = len(images)
        self._order = (None, None)  # the epoch it was drawn for, and the order

    def __len__(self) -> int:
        return min(len(self.arrays[0]) // self.batch_size, self.most)

    def __getitem__(self, index: int) -> tuple[np.ndarray, ...]:
        epoch, order = self._order
        if epoch != self.epoch:
            order = np.random.default_rng((self.seed, self.epoch)).permutation(len(self.arrays[0]))
            self._order = (self.epoch, order)
        chosen = order[index * self.batch_size : (index + 1) * self.batch_size]
        return tuple(array[chosen] for array in self.arrays)


class _SameRandomness(keras.callbacks.Callback):
    """Makes the order of the batches and the draws of random layers depend on the epoch, not on what came before."""

    def __init__(self, batches: Batches):
        super().__init__()
        self.batches = batches

    def on_epoch_begin(self, epoch, logs=None):
        self.batches.epoch = epoch
        for variable in state.seeds(self.model):
            first, _ = keras.ops.convert_to_numpy(variable.value)
            variable.assign(np.array([first, epoch * _COUNTS_PER_EPOCH % 2**32], dtype=variable.dtype))
