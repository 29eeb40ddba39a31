"""What lies in `runs/NAME/state` while a training that can be resumed is not finished.

    epoch_0003.weights.h5   weights and optimizer after three epochs
    epoch_0003.json         the logs of these epochs, the seeds of the random layers, which Keras does not save with the
                            weights, and the checksum of these; written last, it makes the state count

Each file is written beside its place and then put there in one step, and the epoch before is removed only then, so
that whenever the power fails there is one whole state. (Keras's own BackupAndRestore writes the weights and the number
of their epoch one after the other in place: a kill between the two trains an epoch twice.)
"""

import hashlib
import json
import shutil
from pathlib import Path

import keras
import numpy as np

from course_utils import paths
from course_utils.training.callbacks import TrainingDiverged
from course_utils.training.weights import check_room, load_weights


def run_folder(name: str) -> Path:
    """The folder under `runs/` where training under this name keeps its state. Raises ValueError for a path."""
    if "/" in name:
        raise ValueError(f"a run is named by one plain word without slashes, got {name!r}")
    return paths.inside(paths.RUNS, name)


class StateDamaged(ValueError):
    """A file of the state cannot be read, or is not the one that was written."""

    def __init__(self, name: str, file: Path, reason: object):
        folder = run_folder(name)
        super().__init__(
            f"the training cannot go on: {file} is damaged ({reason}). To start anew, rename or delete {folder}"
        )


def finished_epochs(name: str) -> list[dict[str, float]]:
    """The logs of each finished epoch of an unfinished training under this name; [] where there is none.

    Raises StateDamaged.
    """
    record = _record(name)
    return _read(name, record)["logs"] if record else []


def _record(name: str) -> Path | None:
    """The JSON file of the newest whole state, or None."""
    return max(_folder(name).glob("epoch_*.json"), default=None)


def _read(name: str, record: Path) -> dict:
    """What a JSON file of the state holds."""
    try:
        contents = json.loads(record.read_text(encoding="utf-8"))
        if len(contents["logs"]) != int(record.stem.removeprefix("epoch_")):
            raise ValueError(f"it holds the logs of {len(contents['logs'])} epochs")
        list(contents["seeds"])
    except (ValueError, KeyError, TypeError) as error:
        raise StateDamaged(name, record, error) from error
    return contents


def _folder(name: str) -> Path:
    return run_folder(name) / "state"


def restore(model: keras.Model, name: str) -> None:
    """Put a built and compiled model in the state after the last finished epoch, if there is one.

    Raises StateDamaged, and ValueError when the state belongs to another network.
    """
    record = _record(name)
    if record is None:
        return
    contents, weights = _read(name, record), record.with_suffix(".weights.h5")
    if not weights.exists() or _checksum(weights) != contents.get("sha256"):
        raise StateDamaged(name, weights, "its checksum is not the one that was noted")
    if len(seeds(model)) != len(contents["seeds"]):
        raise ValueError(f"{weights} is the state of another network than {model.name!r}: build the one it was kept of")
    if not model.optimizer.built:  # its variables must exist before they can be read
        model.optimizer.build(model.trainable_variables)
    load_weights(model, weights)
    for variable, seed in zip(seeds(model), contents["seeds"], strict=True):
        variable.assign(np.array(seed, variable.dtype))


def _checksum(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def seeds(model: keras.Model) -> list[keras.Variable]:
    """The states of the random layers: two whole numbers each, a seed and a count of draws."""
    attributes = (value for layer in model._flatten_layers() for value in vars(layer).values())
    generators = {id(value): value for value in attributes if isinstance(value, keras.random.SeedGenerator)}
    return [generator.state for generator in generators.values()]


def remove(name: str) -> None:
    """Forget the state, and the run's folder if nothing else is in it."""
    shutil.rmtree(_folder(name), ignore_errors=True)
    folder = run_folder(name)
    if folder.exists() and not any(folder.iterdir()):
        folder.rmdir()


class KeepState(keras.callbacks.Callback):
    """Writes the state after each whole epoch; the last callback of all, so that nothing changes after it.

    earlier: the logs of the epochs before those to come. Raises TrainingDiverged rather than keep weights that are not
    finite.
    """

    def __init__(self, name: str, earlier: list[dict[str, float]]):
        super().__init__()
        self.name, self.logs = name, list(earlier)

    def on_train_batch_end(self, batch, logs=None):
        self.last_batch = batch

    def on_epoch_end(self, epoch, logs=None):
        if self.last_batch + 1 < self.params["steps"]:
            return  # stopped in the middle: the epoch will be trained again as a whole
        self._refuse_non_finite(epoch)
        self.logs.append({name: float(value) for name, value in (logs or {}).items()})
        folder = _folder(self.name)
        folder.mkdir(parents=True, exist_ok=True)
        weights, record = (folder / f"epoch_{epoch + 1:04d}.{ending}" for ending in ("weights.h5", "json"))
        partial = folder / f"partial-{weights.name}"
        check_room(self.model, folder)
        self.model.save_weights(partial)
        partial.replace(weights)
        partial = folder / f"partial-{record.name}"
        contents = {
            "logs": self.logs,
            "seeds": [_values(variable).tolist() for variable in seeds(self.model)],
            "sha256": _checksum(weights),
        }
        partial.write_text(json.dumps(contents), encoding="utf-8")
        partial.replace(record)
        for file in set(folder.iterdir()) - {weights, record}:
            file.unlink()

    def _refuse_non_finite(self, epoch: int) -> None:
        for variable in self.model.variables:
            values = _values(variable)
            if np.issubdtype(values.dtype, np.floating) and not np.isfinite(values).all():
                where = f"at the end of epoch {epoch + 1}, its last step"
                raise TrainingDiverged(f"{variable.path} holds numbers that are not finite", where, self.name, epoch)


def _values(variable: keras.Variable) -> np.ndarray:
    return keras.ops.convert_to_numpy(variable.value)
