"""Weights in files: read, and written without the optimizer's state."""

import errno
import math
import shutil
import warnings
from pathlib import Path

import h5py
import keras
import numpy as np


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


def check_room(model: keras.Model, folder: Path) -> None:
    """Raise OSError (no space left) where the disk of this folder cannot hold the model with its optimizer twice.

    HDF5, which writes the files, does not survive a disk that fills up: the process dies when it ends.
    """
    optimizer = getattr(model, "optimizer", None)
    variables = [*model.variables, *(optimizer.variables if optimizer else ())]
    needed = 2 * sum(4 * math.prod(variable.shape) for variable in variables) + 1_000_000
    free = shutil.disk_usage(folder).free
    if free < needed:
        message = (
            f"the disk is full: {free / 1e6:.1f} MB are free, writing the weights takes {needed / 1e6:.1f}; make room"
        )
        raise OSError(errno.ENOSPC, message, str(folder))


def save_weights(model: keras.Model, path: Path, dtype: str = "float32") -> None:
    """Write the layers' weights to a file NAME.weights.h5, without the optimizer's state.

    dtype="float16" halves the file; on loading, Keras turns the numbers back into float32.
    Raises ValueError for another ending, or for weights that float16 cannot hold.
    """
    if not path.name.endswith(".weights.h5"):
        raise ValueError(f"the file must end in .weights.h5, got {path.name}")
    path.parent.mkdir(parents=True, exist_ok=True)
    check_room(model, path.parent)
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
