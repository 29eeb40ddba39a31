"""Callbacks that watch a training: clocks, a guard against NaN, pictures of its progress, a progress bar."""

import math
import sys
import time
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
from tqdm import tqdm

from course_utils.image_files import as_image
from course_utils.report import approx


class TrainingDiverged(ArithmeticError):
    """The loss or a weight is NaN or infinite: what comes after could not be of use.

    what: the finding; where: the step; resume: the name under which the state is kept, or None; epochs: how many have
    been finished.
    """

    def __init__(self, what: str, where: str, resume: str | None = None, epochs: int = 0):
        kept = f"The state after epoch {epochs} is kept in runs/{resume}/state." if resume and epochs else ""
        super().__init__(
            f"training has diverged: {what} {where}. Likely causes: a learning rate that is too high; data out of "
            "range (training.check_range tells); a logarithm or a division of zero in the loss; numbers too large for "
            f"half precision. {kept}".rstrip()
        )


class StopOnNonFinite(keras.callbacks.Callback):
    """Raise TrainingDiverged after the first step that makes the loss NaN or infinite; `fit` always has it.

    Keras reports the mean over the epoch so far, which such a step spoils at once, so that the step named is the one.
    resume: the name under which `fit` keeps the state of the last epoch, for the message.
    """

    def __init__(self, resume: str | None = None):
        super().__init__()
        self.resume = resume

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        logs = logs or {}
        if math.isfinite(logs.get("loss", 0.0)):
            return
        others = ", ".join(f"{name} {value:.3g}" for name, value in logs.items() if name != "loss")
        where = f"at step {batch + 1} of epoch {self.epoch + 1}" + (f" ({others})" if others else "")
        raise TrainingDiverged(f"the loss is {logs['loss']}", where, self.resume, self.epoch)


class StopAfterSeconds(keras.callbacks.Callback):
    """End training after the batch in which this many seconds of it have passed; `stopped` then says so.

    What comes out then depends on the speed of the machine: for a try, not for a stored result.
    Raises ValueError unless seconds is above 0.
    """

    def __init__(self, seconds: float):
        super().__init__()
        if not seconds > 0:
            raise ValueError(f"seconds must be above 0, got {seconds}")
        self.seconds = seconds

    def on_train_begin(self, logs=None):
        self.end, self.stopped = time.monotonic() + self.seconds, False

    def on_train_batch_end(self, batch, logs=None):
        if time.monotonic() >= self.end:
            self.stopped = self.model.stop_training = True


class Clock(keras.callbacks.Callback):
    """Adds to the logs of each epoch its steps, seconds and processor seconds: those of all cores together.

    Validation counts; what callbacks do between two epochs, such as drawing, does not.
    """

    def on_train_batch_begin(self, batch, logs=None):
        if batch == 0:
            self.start = time.monotonic(), time.process_time()

    def on_train_batch_end(self, batch, logs=None):
        self.steps = batch + 1

    def on_epoch_end(self, epoch, logs=None):
        logs["steps"] = self.steps
        logs["seconds"] = time.monotonic() - self.start[0]
        logs["processor_seconds"] = time.process_time() - self.start[1]


class Previews(keras.callbacks.Callback):
    """Writes a picture of how far training has come to folder/epoch_0001.png and so on, after each epoch.

    draw: model -> (H, W, 1 or 3) in [0, 1], each pixel of which becomes 2 x 2 pixels of the file. epoch_0000.png shows
    the untrained model.
    """

    def __init__(self, folder: Path, draw: Callable[[keras.Model], np.ndarray]):
        super().__init__()
        self.folder, self.draw = Path(folder), draw

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 0:
            self._write(0)

    def on_epoch_end(self, epoch, logs=None):
        self._write(epoch + 1)

    def _write(self, epoch: int) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        partial = self.folder / "partial.png"
        as_image(self.draw(self.model), scale=2).save(partial)
        partial.replace(self.folder / f"epoch_{epoch:04d}.png")


class Progress(keras.callbacks.Callback):
    """A tqdm bar over the steps of training, as a widget in a notebook and as text in a terminal.

    At the end one line of text stays: epochs, steps, seconds and the last value of each metric; where training ended
    before its time, how far it came is a measured number too. In a stored notebook the bar itself is the fixed text
    "training", so that two runs compare equal but for the numbers behind ≈.
    A bar that stays on the page in red is that of a training that ended in an error.
    """

    def on_train_begin(self, logs=None):
        self.start, self.steps_done, self.epochs_done = time.monotonic(), 0, 0
        self.bar = _bar()

    def on_epoch_begin(self, epoch, logs=None):
        steps, epochs = self.params.get("steps"), self.params["epochs"]
        if steps:
            self.bar.total, self.bar.n = epochs * steps, epoch * steps
            if not self.epochs_done:  # what a resumed training did before says nothing about its speed now
                self.bar.initial = self.bar.last_print_n = self.bar.n
        self.bar.set_description(f"epoch {epoch + 1}/{epochs}", refresh=False)
        self.step_in_epoch = -1

    def on_train_batch_end(self, batch, logs=None):
        self.bar.update(batch - self.step_in_epoch)
        self.steps_done += batch - self.step_in_epoch
        self.step_in_epoch = batch

    def on_epoch_end(self, epoch, logs=None):
        self.epochs_done, self.logs = self.epochs_done + 1, dict(logs or {})
        self.bar.set_postfix_str(", ".join(f"{name} {value:.3f}" for name, value in self.logs.items()))

    def on_train_end(self, logs=None):
        self.bar.total = self.bar.n  # tqdm takes a bar short of its total for a failure, and training may stop early
        self.close()
        if not self.epochs_done:
            return
        numbers = ", ".join(f"{name.replace('_', ' ')} {approx(value)}" for name, value in self.logs.items())
        length = f"{self.epochs_done} epochs, {self.steps_done} steps"
        if self.model.stop_training:
            length = f"stopped after {approx(self.epochs_done, 0)} of {self.params['epochs']} epochs, "
            length += f"{approx(self.steps_done, 0)} steps"
        print(f"{length} in {approx(time.monotonic() - self.start, 0)} s: {numbers}")

    def close(self) -> None:
        """Take the bar off the terminal, also after an error."""
        if hasattr(self, "bar"):
            self.bar.close()


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
