"""The reference behind the check of E5.4, compared with what Keras itself does."""

import keras
import numpy as np
import pytest

from course_utils.checks import lesson_05


class _EpochCounter:
    """As much of a model as the callback needs; its weights are the number of the epoch."""

    stop_training = False
    epoch = 0

    def get_weights(self):
        return self.epoch

    def set_weights(self, epoch):
        self.epoch = epoch


def _as_keras_does(losses: list[float], patience: int) -> tuple[int, int]:
    callback = keras.callbacks.EarlyStopping(patience=patience, mode="min", restore_best_weights=True)
    model = _EpochCounter()
    callback.set_model(model)
    callback.on_train_begin()
    for epoch, loss in enumerate(losses):
        model.epoch = epoch
        callback.on_epoch_end(epoch, {"val_loss": loss})
        if model.stop_training:
            break
    callback.on_train_end()
    return model.epoch, epoch


@pytest.mark.parametrize("patience", [1, 2, 3, 5])
def test_the_reference_stops_and_keeps_as_keras_does(patience):
    rng = np.random.default_rng(patience)
    for length in [1, 2, *rng.integers(3, 15, 60)]:
        losses = (rng.integers(1, 10, length) / 10).tolist()
        assert lesson_05._stopping_epochs(losses, patience) == _as_keras_does(losses, patience)
