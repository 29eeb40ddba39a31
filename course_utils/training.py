"""Training that can be repeated, watched and resumed, on top of `keras.Model.fit`.

`fit` is Keras's own with four things added: batches whose order depends on the seed and the epoch alone, a
progress bar in JupyterLab and in a terminal, a limit in seconds, and going on after a kill from the last epoch.
"""

import logging
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

import h5py
import keras
import numpy as np
from tqdm import tqdm

from course_utils import paths
from course_utils.report import approx

logging.getLogger("tensorflow").setLevel(logging.ERROR)  # its hints on tracing are not for students

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
    resume: a name; after a kill, the same call under the same name goes on from the last finished epoch, kept in
    `runs/<name>` until training ends. Weights, optimizer, order and random layers go on as if nothing had happened;
    History then holds the epochs since.
    Raises ValueError for fewer examples than one batch or for images and labels of different number.

    Why not `model.fit(images, labels)`: with seeds set, Keras 3.15 on TensorFlow shuffles every epoch alike.
    """
    batches = Batches(images, labels, batch_size=batch_size, seed=seed)
    extra: list[keras.callbacks.Callback] = [_SameRandomness(batches)]
    if resume is not None:
        extra.insert(0, keras.callbacks.BackupAndRestore(run_folder(resume), double_checkpoint=True))
    if progress:
        extra.append(Progress())
    return model.fit(
        batches,
        epochs=epochs,
        shuffle=False,
        validation_data=validation_data,
        validation_batch_size=1000,
        verbose=0,
        callbacks=[*extra, *callbacks],
    )


def estimate_minutes(model: keras.Model, images, labels, *, epochs: int, batch_size: int, steps: int = 3) -> float:
    """The minutes that `fit` with these arguments would take on this machine, from the time of a few steps.

    images: (n, ...); labels: (n, ...). steps: how many to time, 1 or more; one before them compiles and is not counted.
    They train the compiled model: hand in one made for this. Raises ValueError where `fit` would refuse the arrays.
    """
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


def run_folder(name: str) -> Path:
    """The folder under `runs/` where training under this name keeps its state. Raises ValueError for a path."""
    if not name or Path(name).name != name:
        raise ValueError(f"a run is named by one plain word without slashes, got {name!r}")
    return paths.RUNS / name


def load_or_train(name: str, build: Callable[[], keras.Model], train: Callable[[keras.Model], object]) -> keras.Model:
    """The model of `build()` with the weights of `data/weights/<name>.weights.h5`, trained first if there are none.

    train(model) trains it in place; afterwards its weights are saved under that name. Delete the file to train anew.
    Raises ValueError when the stored weights belong to another network.
    """
    path = paths.WEIGHTS / f"{name}.weights.h5"
    model = build()
    if path.exists():
        load_weights(model, path)
        return model
    train(model)
    save_weights(model, path)
    return model


def load_weights(model: keras.Model, path: Path) -> None:
    """Read weights that `save_weights` wrote. Raises ValueError when they belong to another network."""
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Skipping variable loading for optimizer")
            model.load_weights(path)
    except (ValueError, KeyError) as error:
        raise ValueError(
            f"{path.name} holds the weights of another network than {model.name!r}: build the one that it was "
            f"trained with, or delete the file to train anew ({error})"
        ) from error


def save_weights(model: keras.Model, path: Path, dtype: str = "float32") -> None:
    """Write the layers' weights to a file NAME.weights.h5, without the optimizer's state.

    dtype="float16" halves the file; on loading, Keras turns the numbers back into float32.
    Raises ValueError for another ending, or for weights that float16 cannot hold.
    """
    if not path.name.endswith(".weights.h5"):
        raise ValueError(f"the file must end in .weights.h5, got {path.name}")
    path.parent.mkdir(parents=True, exist_ok=True)
    everything = path.with_name(f"everything-{path.name}")
    partial = path.with_name(f"partial-{path.name}")
    try:
        model.save_weights(everything)
        with h5py.File(everything) as source, h5py.File(partial, "w") as target:
            source.visititems(lambda name, item: _copy_item(name, item, target, np.dtype(dtype)))
        partial.replace(path)  # in one step, so that a kill leaves the old file or the new one, never half of one
    finally:
        everything.unlink(missing_ok=True)
        partial.unlink(missing_ok=True)


def _copy_item(name: str, item: h5py.Group | h5py.Dataset, target: h5py.File, dtype: np.dtype) -> None:
    if name.split("/")[0] == "optimizer":
        return
    if isinstance(item, h5py.Group):
        target.require_group(name).attrs.update(item.attrs)
        return
    values = item[()]
    if np.issubdtype(values.dtype, np.floating):
        if np.abs(values).max(initial=0) > np.finfo(dtype).max:
            raise ValueError(f"{name} holds a weight larger than {dtype} can, save as float32")
        values = values.astype(dtype)
    target.create_dataset(name, data=values).attrs.update(item.attrs)


class Batches(keras.utils.PyDataset):
    """Full batches of arrays, in an order drawn from (seed, epoch).

    images: (n, ...); labels: (n, ...) or None. Item i is (images, labels), or (images,) without labels; the last
    n % batch_size examples of an epoch's order sit out. Set `epoch` before drawing; `fit` does.
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
        self._order = (None, None)  # the epoch it was drawn for, and the order

    def __len__(self) -> int:
        return len(self.arrays[0]) // self.batch_size

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
        for variable in self.model.variables:
            if variable.name == "seed_generator_state":
                first, _ = keras.ops.convert_to_numpy(variable.value)
                variable.assign(np.array([first, epoch * _COUNTS_PER_EPOCH], dtype=variable.dtype))


class StopAfterSeconds(keras.callbacks.Callback):
    """End training after the batch in which this many seconds of it have passed.

    What comes out then depends on the speed of the machine: for a try, not for a stored result.
    Raises ValueError unless seconds is above 0.
    """

    def __init__(self, seconds: float):
        super().__init__()
        if not seconds > 0:
            raise ValueError(f"seconds must be above 0, got {seconds}")
        self.seconds = seconds

    def on_train_begin(self, logs=None):
        self.end = time.monotonic() + self.seconds

    def on_train_batch_end(self, batch, logs=None):
        if time.monotonic() >= self.end:
            self.model.stop_training = True


class Progress(keras.callbacks.Callback):
    """A tqdm bar over the steps of training, as a widget in a notebook and as text in a terminal.

    At the end one line of text stays: epochs, steps, seconds and the last value of each metric. In a stored notebook
    the bar itself is the fixed text "training", so that two runs compare equal but for the numbers behind ≈.
    """

    def on_train_begin(self, logs=None):
        self.start, self.steps_done, self.epochs_done = time.monotonic(), 0, 0
        self.bar = _bar()

    def on_epoch_begin(self, epoch, logs=None):
        steps, epochs = self.params.get("steps"), self.params["epochs"]
        if steps:
            self.bar.total, self.bar.n = epochs * steps, epoch * steps
        self.bar.set_description(f"epoch {epoch + 1}/{epochs}", refresh=False)
        self.step_in_epoch = -1

    def on_train_batch_end(self, batch, logs=None):
        self.bar.update(batch - self.step_in_epoch)
        self.steps_done += batch - self.step_in_epoch
        self.step_in_epoch = batch

    def on_epoch_end(self, epoch, logs=None):
        self.epochs_done, self.logs = epoch + 1, logs or {}
        self.bar.set_postfix_str(", ".join(f"{name} {value:.3f}" for name, value in self.logs.items()))

    def on_train_end(self, logs=None):
        self.bar.close()
        if not self.epochs_done:
            return
        numbers = ", ".join(f"{name.replace('_', ' ')} {approx(value)}" for name, value in self.logs.items())
        seconds = approx(time.monotonic() - self.start, 0)
        print(f"{self.epochs_done} epochs, {self.steps_done} steps in {seconds} s: {numbers}")


def _bar() -> tqdm:
    options = {"unit": "step", "mininterval": 0.5, "leave": False, "dynamic_ncols": True}
    if not _in_notebook():
        return tqdm(file=sys.stderr, **options)
    from IPython.display import display
    from tqdm.notebook import tqdm_notebook

    bar = tqdm_notebook(display=False, **options)
    widget = {"model_id": bar.container.model_id, "version_major": 2, "version_minor": 0}
    display({"text/plain": "training", "application/vnd.jupyter.widget-view+json": widget}, raw=True)
    return bar


def _in_notebook() -> bool:
    """Whether this code runs in a Jupyter kernel."""
    if "IPython" not in sys.modules:
        return False
    from IPython import get_ipython

    return hasattr(get_ipython(), "kernel")
