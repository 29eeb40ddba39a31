"""Weights in files: read, written without the optimizer's state, and trained where there are none."""

import warnings
from collections.abc import Callable
from pathlib import Path

import h5py
import keras
import numpy as np

from course_utils import paths


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
