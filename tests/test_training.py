import errno
import itertools
import json
import os
import re
import shutil
import subprocess
import sys
from types import SimpleNamespace

import h5py
import keras
import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient
from PIL import Image

from course_utils import paths, training
from course_utils.models import augmentation, classifier

RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.random((64, 8, 8, 1), dtype=np.float32)
LABELS = keras.utils.to_categorical(RANDOM.integers(0, 3, 64), 3)


def network(channels=4):
    """A network with every kind of state, random augmentation, batch normalisation and dropout, and little to trace."""
    images = keras.Input((8, 8, 1))
    x = augmentation.RandomShiftFlip(1)(images)
    x = keras.layers.Conv2D(channels, 3, strides=2, use_bias=False)(x)
    x = keras.layers.BatchNormalization(momentum=0.9)(x)
    x = keras.layers.Dropout(0.2)(keras.layers.Flatten()(keras.layers.ReLU()(x)))
    model = keras.Model(images, keras.layers.Dense(3, name="logits")(x), name="small")
    schedule = training.one_cycle(0.1, 20)
    training.compile_classifier(model, schedule, weight_decay=0.01, label_smoothing=0.1, jit_compile=False)
    return model


@pytest.fixture(autouse=True)
def folders(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "RUNS", tmp_path / "runs")
    monkeypatch.setattr(paths, "WEIGHTS", tmp_path / "weights")


def test_the_same_seed_gives_the_same_training():
    losses = []
    for seed in (1, 1, 2):
        training.set_seed(seed)
        history = training.fit(network(), IMAGES, LABELS, epochs=2, batch_size=16, seed=seed, progress=False)
        losses.append(history.history["loss"])
    assert losses[0] == losses[1] != losses[2]


def test_batches_hold_each_example_once_and_epochs_differ():
    numbers = np.arange(10)
    batches = training.Batches(numbers, -numbers, batch_size=3, seed=0)
    orders = []
    for epoch in (0, 1, 0):
        batches.epoch = epoch
        pairs = [batches[i] for i in range(len(batches))]
        assert len(pairs) == 3
        assert all(np.array_equal(images, -labels) for images, labels in pairs)
        orders.append(np.concatenate([images for images, _ in pairs]).tolist())
        assert len(set(orders[-1])) == 9
    assert orders[0] == orders[2] != orders[1]


def test_random_layers_draw_other_numbers_in_each_epoch():
    noise = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.GaussianNoise(0.5, seed=3)])
    noise.compile("sgd", "mean_squared_error", run_eagerly=True)
    losses = training.fit(noise, IMAGES, IMAGES, epochs=3, batch_size=32, progress=False).history["loss"]
    assert len(set(losses)) == 3  # nothing is learned: it is the draws alone that differ


def test_keras_itself_repeats_the_order_of_an_epoch():
    """The reason for `Batches`; when this fails, Keras has been repaired and `fit` may become shorter."""
    if keras.backend.backend() != "tensorflow":
        pytest.skip("the order repeats on TensorFlow alone")
    import tensorflow as tf

    seen = []

    class Watch(keras.Model):
        def train_step(self, data):
            tf.py_function(lambda x: seen.extend(x.numpy().ravel().tolist()), [data[0]], [])
            return {"loss": 0.0}

    training.set_seed(0)
    inputs = keras.Input((1,))
    model = Watch(inputs, keras.layers.Dense(1)(inputs))
    model.compile(loss="mse")
    numbers = np.arange(12.0)[:, None]
    model.fit(numbers, numbers, batch_size=4, epochs=2, verbose=0)
    assert seen[:12] == seen[12:] != sorted(seen[:12])


KILLED = """
import sys, time
from pathlib import Path
import keras
sys.path.insert(0, {tests!r})
from test_training import train_killed
from course_utils import paths

paths.RUNS = Path({runs!r})

class Wait(keras.callbacks.Callback):
    def on_train_batch_begin(self, batch, logs=None):
        if self.model.optimizer.iterations == 4 * 3 + 2:  # in the middle of epoch 4
            print("ready", flush=True)
            time.sleep(60)

train_killed([Wait()])
"""


def train_killed(callbacks=(), resume="killed"):
    training.set_seed(3)
    model = network()
    how = dict(epochs=5, batch_size=16, seed=3, progress=False)
    return model, training.fit(model, IMAGES, LABELS, callbacks=callbacks, resume=resume, **how)


def test_a_killed_training_goes_on_and_ends_with_the_same_weights():
    runs = paths.RUNS
    code = KILLED.format(tests=str(paths.ROOT / "tests"), runs=str(runs))
    environment = {**os.environ, "PYTHONPATH": str(paths.ROOT)}
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env=environment)
    assert process.stdout.readline().strip() == "ready"
    process.kill()  # where there are signals, by SIGKILL
    process.communicate()
    kept = sorted(path.name for path in (runs / "killed" / "state").iterdir())
    assert kept == ["epoch_0003.json", "epoch_0003.weights.h5"]

    model, history = train_killed()
    assert not (runs / "killed").exists()
    whole, expected = train_killed(resume=None)
    assert history.epoch == expected.epoch == [0, 1, 2, 3, 4]
    # Two processes round sums differently; one batch in another order would move weights by a hundredth.
    np.testing.assert_allclose(history.history["loss"], expected.history["loss"], rtol=1e-4)
    for one, other in zip(model.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-4)


def stop_in_the_middle(name, epochs=5):
    """Train to the middle of the third epoch of four steps and stop there, as when time is out."""

    class Stop(training.StopAfterSeconds):
        def on_train_batch_end(self, batch, logs=None):
            if self.model.optimizer.iterations == 10:
                self.end = 0.0
            super().on_train_batch_end(batch, logs)

    training.set_seed(3)
    model = network()
    stop = Stop(1e6)
    how = dict(epochs=epochs, batch_size=16, seed=3, resume=name, progress=False)
    return model, training.fit(model, IMAGES, LABELS, callbacks=[stop], **how), stop


def test_a_training_out_of_time_goes_on_from_its_last_whole_epoch():
    model, history, stop = stop_in_the_middle("slow")
    assert stop.stopped and history.epoch == [0, 1, 2] and int(model.optimizer.iterations) == 10
    assert [record["loss"] for record in training.finished_epochs("slow")] == history.history["loss"][:2]

    how = dict(epochs=5, batch_size=16, seed=3, progress=False)
    training.set_seed(4)  # the weights to start from come from the state
    resumed = network()
    training.fit(resumed, IMAGES, LABELS, resume="slow", **how)
    assert training.finished_epochs("slow") == [] and not training.run_folder("slow").exists()
    training.set_seed(3)
    whole = network()
    training.fit(whole, IMAGES, LABELS, **how)
    for one, other in zip(resumed.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


def test_half_written_states_do_not_count():
    stop_in_the_middle("cut")
    state = training.run_folder("cut") / "state"
    weights = (state / "epoch_0002.weights.h5").read_bytes()
    (state / "epoch_0003.weights.h5").write_bytes(weights[:1000])  # without its JSON
    (state / "partial-epoch_0003.json").write_text("[{")
    model = network()
    seen = []
    watch = keras.callbacks.LambdaCallback(on_epoch_begin=lambda epoch, logs: seen.append(epoch))
    training.fit(model, IMAGES, LABELS, epochs=5, batch_size=16, callbacks=[watch], resume="cut", progress=False)
    assert seen == [2, 3, 4] and int(model.optimizer.iterations) == 5 * 4


def test_a_state_of_another_network_is_refused():
    stop_in_the_middle("other")
    model = network(channels=5)
    with pytest.raises(ValueError, match="holds the weights of another network"):
        training.fit(model, IMAGES, LABELS, epochs=5, batch_size=16, resume="other", progress=False)
    assert len(training.finished_epochs("other")) == 2


OTHER = """
import sys, time
from pathlib import Path
from course_utils import paths, run_lock
paths.RUNS = Path(sys.argv[1])
with run_lock.alone("shared"):
    print("ready", flush=True)
    time.sleep(60)
"""


def test_one_process_at_a_time_trains_under_a_name_and_a_kill_frees_it(tmp_path):
    paths.RUNS.mkdir(exist_ok=True)
    environment = {**os.environ, "PYTHONPATH": str(paths.ROOT)}
    other = subprocess.Popen(
        [sys.executable, "-c", OTHER, str(paths.RUNS)], stdout=subprocess.PIPE, text=True, env=environment
    )
    assert other.stdout.readline().strip() == "ready"
    model = network()
    how = {"epochs": 1, "batch_size": 16, "resume": "shared", "progress": False}
    with pytest.raises(training.RunInUse, match=rf"process {other.pid}, since .* trains under the name 'shared'"):
        training.fit(model, IMAGES, LABELS, **how)
    assert int(model.optimizer.iterations) == 0
    training.fit(network(), IMAGES, LABELS, **how | {"resume": "another"})
    other.kill()
    other.wait()
    training.fit(model, IMAGES, LABELS, **how)
    assert int(model.optimizer.iterations) == 4 and not list(paths.RUNS.iterdir())


# ---- numbers that are none --------------------------------------------------------------------------------


class Line(keras.Model):
    """Predicts a * x; the loss of an x of 2 is `spoilt`."""

    def __init__(self, spoilt):
        super().__init__()
        self.spoilt = spoilt
        self.slope = self.add_weight(shape=(), initializer="ones", name="slope")

    def call(self, x):
        return self.slope * x

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        loss = keras.ops.mean(y_pred**2)
        return loss + keras.ops.where(keras.ops.any(x == 2), self.spoilt, 0.0) * self.slope


@pytest.mark.parametrize("spoilt", [float("nan"), float("inf"), -float("inf")])
def test_a_loss_that_is_no_number_stops_training_and_is_explained(spoilt):
    numbers = np.ones((12, 1), np.float32)
    order = np.random.default_rng((5, 1)).permutation(12)  # of the second epoch
    seen = []
    watch = keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda epoch, logs: numbers.__setitem__(order[7], 1 + epoch),
        on_train_batch_begin=lambda batch, logs: seen.append(batch),
    )
    model = Line(spoilt)
    model.compile("sgd")
    with pytest.raises(training.TrainingDiverged) as error:
        training.fit(model, numbers, epochs=4, batch_size=3, seed=5, callbacks=[watch], resume="ill", progress=False)
    message = str(error.value)
    assert f"the loss is {spoilt} at step 3 of epoch 2" in message
    assert seen == [0, 1, 2, 3, 0, 1, 2]
    for cause in ("learning rate", "range", "logarithm or a division of zero", "half precision"):
        assert cause in message
    assert message.endswith("The state after epoch 1 is kept in runs/ill/state.")
    assert len(training.finished_epochs("ill")) == 1


def test_weights_that_are_no_numbers_are_not_kept():
    """The last step of an epoch may spoil the weights with a loss that was still finite."""

    class Spoil(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if self.model.optimizer.iterations == 2 * 4:
                self.model.slope.assign(np.inf)

    model = Line(0.0)
    model.compile("sgd")
    numbers = np.ones((12, 1), np.float32)
    with pytest.raises(
        training.TrainingDiverged, match="slope holds numbers that are not finite at the end of epoch 2"
    ):
        training.fit(model, numbers, epochs=4, batch_size=3, callbacks=[Spoil()], resume="spoilt", progress=False)
    assert len(training.finished_epochs("spoilt")) == 1


@pytest.mark.parametrize(
    ("images", "low", "said"),
    [
        (np.array([0, 255], np.uint8), 0, r"got images of uint8 from 0 to 255, .* / 255"),
        (np.array([3.0, 200.0]), 0, r"from 3 to 200, expected floating-point numbers from 0 to 1: .* / 255"),
        (np.array([0, 255], np.uint8), -1, r"expected floating-point numbers from -1 to 1: .* / 127.5 - 1"),
        (np.array([-1.0, 1.0]), 0, r"from -1 to 1, .*\(images \+ 1\) / 2"),
        (np.array([0, 1], np.uint8), 0, r"got images of uint8 from 0 to 1, .*astype\('float32'\)"),
        (np.array([False, True]), 0, r"got images of bool from 0 to 1, .*astype\('float32'\)"),
        (np.array([0.1, np.nan, np.nan]), 0, "from nan to nan, 2 of them not finite"),
        (np.array([0.1, np.inf]), 0, "from 0.1 to inf, 1 of them not finite"),
        (np.array([-0.02, 1.03]), 0, r"from -0.02 to 1.03, .*images.clip\(0, 1\)"),
        (np.array([0.0, 1.0001]), 0, "expected"),
        (np.zeros((0, 8, 8, 1)), 0, r"got no images \(shape \(0, 8, 8, 1\)\)"),
    ],
)
def test_images_out_of_range_are_refused(images, low, said):
    with pytest.raises(ValueError, match=said):
        training.check_range(images, low)


def test_images_in_range_pass():
    for images in (IMAGES, IMAGES.astype(np.float16), np.array([0.0, 1 + 1e-6]), np.zeros((1, 2, 2, 3))):
        training.check_range(images)
    training.check_range(IMAGES * 2 - 1, -1)
    training.check_range(IMAGES * 255, 0, 255)


def test_fit_refuses_images_that_the_model_cannot_take_before_the_first_step():
    model = network()
    model.input_range = (0.0, 1.0)
    with pytest.raises(ValueError, match="got images of float32 from -1 to"):
        training.fit(model, np.where(IMAGES < 0.1, -1, IMAGES), LABELS, epochs=1, batch_size=16, progress=False)
    assert int(model.optimizer.iterations) == 0
    training.fit(model, IMAGES, LABELS, epochs=1, batch_size=16, progress=False)


# ---- damage ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def halted(tmp_path_factory):
    """A folder for runs with the state of a training that was stopped after two of three epochs."""

    class Stop(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 2:
                raise KeyboardInterrupt

    runs = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(paths, "RUNS", runs)
        options = {"batch_size": 16, "callbacks": [Stop()], "resume": "x", "progress": False}
        with pytest.raises(KeyboardInterrupt):
            training.fit(network(), IMAGES, LABELS, epochs=3, **options)
    return runs


def _without_a_layer(file):
    with h5py.File(file, "a") as opened:
        del opened["layers"][next(iter(opened["layers"]))]


def _flipped(file):
    content = bytearray(file.read_bytes())
    content[-100] ^= 1
    file.write_bytes(content)


RECORD, STATE = "epoch_0002.json", "epoch_0002.weights.h5"


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        (RECORD, lambda file: file.write_text("")),
        (RECORD, lambda file: file.write_text(file.read_text()[:-20])),
        (RECORD, lambda file: file.write_text('{"seeds": []}')),
        (RECORD, lambda file: file.write_text("[1, 2]")),
        (RECORD, lambda file: file.write_text(file.read_text().replace('"logs": [', '"logs": [{}, '))),
        (STATE, lambda file: file.write_bytes(file.read_bytes()[:-20])),
        (STATE, lambda file: file.write_bytes(b"")),
        (STATE, lambda file: file.unlink()),
        (STATE, _without_a_layer),
        (STATE, _flipped),
    ],
)
def test_a_damaged_state_is_named_and_left_where_it_is(halted, tmp_path, monkeypatch, name, damage):
    shutil.copytree(halted, tmp_path / "runs")
    monkeypatch.setattr(paths, "RUNS", tmp_path / "runs")
    folder = tmp_path / "runs" / "x" / "state"
    damage(folder / name)
    files = {file.name: file.read_bytes() for file in folder.iterdir()}
    with pytest.raises(training.StateDamaged, match="rename or delete") as refused:
        training.fit(network(), IMAGES, LABELS, epochs=3, batch_size=16, resume="x", progress=False)
    assert name in str(refused.value)
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == files


def test_a_state_of_more_epochs_or_of_another_network_is_refused(halted, monkeypatch):
    monkeypatch.setattr(paths, "RUNS", halted)
    with pytest.raises(ValueError, match="state after 2 epochs, and 1 are asked for"):
        training.fit(network(), IMAGES, LABELS, epochs=1, batch_size=16, resume="x", progress=False)
    plain = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Flatten(), keras.layers.Dense(3)])
    plain.compile("sgd", "mse")
    with pytest.raises(ValueError, match="state of another network"):
        training.fit(plain, IMAGES, LABELS, epochs=3, batch_size=16, resume="x", progress=False)


def test_a_full_disk_is_told_before_a_file_is_begun(monkeypatch, tmp_path):
    monkeypatch.setattr(training.weights.shutil, "disk_usage", lambda folder: SimpleNamespace(free=1_000_000))
    with pytest.raises(OSError, match=r"full: 1\.0 MB are free, writing the weights takes 1\.0; make room") as refused:
        training.save_weights(network(), tmp_path / "a.weights.h5")
    assert refused.value.errno == errno.ENOSPC and not list(tmp_path.glob("*.h5"))


# ---- previews and clocks ----------------------------------------------------------------------------------


@pytest.mark.parametrize("channels", [1, 3])
def test_previews_write_each_pixel_as_four(tmp_path, channels):
    def darker_with_each_step(model):
        return noise * np.float32(model.slope) ** 2

    noise = np.random.default_rng(9).random((10, 7, channels), dtype=np.float32)
    model = Line(0.0)
    model.compile("sgd")
    previews = training.Previews(tmp_path / "previews", darker_with_each_step)
    training.fit(model, np.ones((4, 1), np.float32), epochs=2, batch_size=2, callbacks=[previews], progress=False)
    assert sorted(path.name for path in (tmp_path / "previews").iterdir()) == [f"epoch_000{i}.png" for i in range(3)]
    for epoch, slope in ((0, 1.0), (2, float(model.slope))):
        with Image.open(tmp_path / "previews" / f"epoch_000{epoch}.png") as image:
            assert image.mode == {1: "L", 3: "RGB"}[channels] and image.size == (2 * 7, 2 * 10)
            pixels = np.asarray(image).reshape(20, 14, channels)
        for row, column in [(0, 0), (0, 1), (1, 0), (1, 1)]:
            every_other = pixels[row::2, column::2]
            assert np.abs(every_other / 255 - noise * slope**2).max() <= 0.5 / 255 + 1e-6


def test_previews_start_once(tmp_path):
    model = Line(0.0)
    model.compile("sgd")
    previews = training.Previews(tmp_path, lambda model: np.zeros((2, 2)))
    model.fit(np.ones((4, 1)), epochs=3, initial_epoch=1, callbacks=[previews], verbose=0)
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["epoch_0002.png", "epoch_0003.png"]


def test_the_clock_counts_validation_and_leaves_out_what_is_done_between_epochs(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(training.callbacks.time, "monotonic", lambda: now[0])

    class Passing(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            now[0] += 1

        def on_test_batch_end(self, batch, logs=None):
            now[0] += 10

        def on_epoch_end(self, epoch, logs=None):
            now[0] += 100

    callbacks = [training.Clock(), Passing()]
    history = training.fit(
        network(), IMAGES, LABELS, epochs=2, batch_size=16, validation_data=(IMAGES, LABELS), callbacks=callbacks
    ).history
    assert history["seconds"] == [14.0, 14.0] and history["steps"] == [4, 4]
    assert all(seconds > 0 for seconds in history["processor_seconds"])


def test_stop_after_seconds(monkeypatch):
    clock = itertools.count(step=0.25)  # seconds: a quarter passes between two looks at it
    monkeypatch.setattr(training.callbacks.time, "monotonic", lambda: next(clock))
    model = network()
    stop = training.StopAfterSeconds(1.5)
    training.fit(model, IMAGES, LABELS, epochs=10, batch_size=16, callbacks=[stop], progress=False)
    assert int(model.optimizer.iterations) == 6 and stop.stopped
    with pytest.raises(ValueError, match="seconds must be above 0, got 0"):
        training.StopAfterSeconds(0)


def test_minutes_are_estimated_from_the_time_of_a_step(monkeypatch):
    clock = iter((100.0, 106.0))  # three steps in six seconds
    monkeypatch.setattr(training.fitting.time, "monotonic", lambda: next(clock))
    images, labels = np.zeros((70, 4), np.float32), np.zeros(70, np.int64)
    model = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(2)])
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    minutes = training.estimate_minutes(model, images, labels, epochs=5, batch_size=10)
    assert minutes == pytest.approx(2 * 7 * 5 / 60)  # 2 seconds a step, 7 batches an epoch, 5 epochs


def test_one_cycle_by_hand():
    schedule = training.one_cycle(0.8, steps=100, warm_up=0.2)
    rates = [float(schedule(step)) for step in (0, 10, 20, 60, 100)]
    assert rates == pytest.approx([0, 0.4, 0.8, 0.4, 0], abs=1e-6)
    assert float(training.one_cycle(0.5, 10, warm_up=0)(0)) == pytest.approx(0.5)
    for arguments in [(0, 10), (0.1, 0), (0.1, 10, 1)]:
        with pytest.raises(ValueError, match="one_cycle needs"):
            training.one_cycle(*arguments)


def test_weight_decay_spares_biases_and_normalisation():
    model = classifier.better_cnn(2, image_shape=(8, 8, 1), classes=3)
    training.compile_classifier(model, 0.1, weight_decay=0.01)
    decayed = [v.path for v in model.trainable_variables if model.optimizer._use_weight_decay(v)]
    assert decayed and all(path.endswith("kernel") for path in decayed)
    assert len(decayed) == sum(v.path.endswith("kernel") for v in model.trainable_variables) == 5


def test_weights_are_stored_without_the_optimizer_and_in_half_the_space(tmp_path):
    training.set_seed(0)
    model = network()
    training.fit(model, IMAGES, LABELS, epochs=1, batch_size=16, progress=False)
    large, small = tmp_path / "a.weights.h5", tmp_path / "b.weights.h5"
    training.save_weights(model, large)
    training.save_weights(model, small, dtype="float16")
    with h5py.File(small) as file:
        assert "optimizer" not in file and "layers" in file
    again = network()
    training.load_weights(again, large)
    for one, other in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    training.load_weights(again, small)
    assert all(weights.dtype == np.float32 for weights in again.get_weights())
    np.testing.assert_allclose(again.predict(IMAGES, verbose=0), model.predict(IMAGES, verbose=0), atol=2e-2)
    assert sorted(path.name for path in tmp_path.glob("*.h5")) == ["a.weights.h5", "b.weights.h5"]


def test_weights_of_another_network_are_refused(tmp_path):
    path = tmp_path / "a.weights.h5"
    training.save_weights(network(), path)
    other = network(channels=5)
    with pytest.raises(ValueError, match=r"a\.weights\.h5 holds the weights of another network than 'small'"):
        training.load_weights(other, path)
    with pytest.raises(ValueError, match=r"must end in \.weights\.h5, got a\.h5"):
        training.save_weights(other, tmp_path / "a.h5")


def test_weights_too_large_for_float16_are_refused(tmp_path):
    model = network()
    model.get_layer("logits").bias.assign([1e6, 0, 0])
    with pytest.raises(ValueError, match="larger than float16"):
        training.save_weights(model, tmp_path / "a.weights.h5", dtype="float16")
    assert list(tmp_path.glob("*.h5")) == []


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match="got 64 images and 3 labels"):
        training.fit(network(), IMAGES, LABELS[:3], epochs=1, batch_size=2)
    with pytest.raises(ValueError, match="batch_size must be from 1 to the 64 images, got 65"):
        training.fit(network(), IMAGES, LABELS, epochs=1, batch_size=65)
    with pytest.raises(ValueError, match="batch_size must be from 1 to the 0 images"):
        training.fit(network(), IMAGES[:0], LABELS[:0], epochs=1, batch_size=1)
    for name in ("", "..", ".", "../elsewhere", "a/b", "/a", "C:a", "a\\b"):
        with pytest.raises(ValueError, match=r"plain word|must stay inside"):
            training.run_folder(name)
        with pytest.raises(ValueError, match=r"plain word|must stay inside"):
            training.fit(network(), IMAGES, LABELS, epochs=1, batch_size=16, resume=name or "/", progress=False)


def test_terminal_shows_a_bar_and_one_line_stays(capsys):
    training.fit(network(), IMAGES, LABELS, epochs=2, batch_size=16)
    output = capsys.readouterr()
    assert "epoch 2/2" in output.err and "8/8" in output.err
    assert output.out.startswith("2 epochs, 8 steps in ≈") and output.out.count("\n") == 1
    assert "accuracy ≈" in output.out and "loss ≈" in output.out


def test_a_training_that_stops_early_says_how_far_it_came_in_measured_numbers(capsys):
    stop = keras.callbacks.EarlyStopping(monitor="accuracy", mode="min", patience=1)
    training.fit(network(), IMAGES, LABELS, epochs=30, batch_size=16, callbacks=[stop])
    assert re.match(r"stopped after ≈\d+ of 30 epochs, ≈\d+ steps in ≈\d+ s: ", capsys.readouterr().out)


def test_at_smoke_length_each_epoch_has_a_few_steps_and_a_little_validation(monkeypatch, capsys):
    monkeypatch.setenv("COURSE_PROFILE", "smoke")
    validation = IMAGES[np.arange(2500) % 64], LABELS[np.arange(2500) % 64]  # three batches
    seen = []
    watch = keras.callbacks.LambdaCallback(on_test_batch_begin=lambda batch, logs: seen.append(batch))
    model = network()
    history = training.fit(model, IMAGES, LABELS, epochs=3, batch_size=8, validation_data=validation, callbacks=[watch])
    assert len(history.history["loss"]) == len(history.history["val_loss"]) == 3
    assert int(model.optimizer.iterations) == 3 * training.fitting.SMOKE_STEPS
    assert capsys.readouterr().out.startswith("3 epochs, 6 steps in ≈")
    assert seen == [0] * 3
    monkeypatch.setenv("COURSE_PROFILE", "lesson")
    training.fit(model, IMAGES, LABELS, epochs=1, batch_size=8, progress=False)
    assert int(model.optimizer.iterations) == 3 * training.fitting.SMOKE_STEPS + len(IMAGES) // 8


# How far the bar came, its total, and its style, after early stopping and after an error.
STOPPED = """
import keras
class Seen(training.Progress):
    def on_train_begin(self, logs=None):
        super().on_train_begin(logs)
        Seen.last = self.bar
training.fitting.Progress = Seen
stop = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: setattr(stop.model, "stop_training", True))
history = training.fit(network(), IMAGES, LABELS, epochs=10, batch_size=16, callbacks=[stop])
print(f"{Seen.last.n} steps of {Seen.last.total}, {Seen.last.container.layout.visibility}")
"""
ILL = """
stop = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: 1 / 0)
try:
    training.fit(network(), IMAGES, LABELS, epochs=10, batch_size=16, callbacks=[stop])
except ZeroDivisionError:
    print(f"{Seen.last.n} steps of {Seen.last.total}, {Seen.last.container.children[1].bar_style}")
"""


def test_a_stored_notebook_keeps_one_line_and_a_fixed_text():
    cell = """
import sys
sys.path.insert(0, "tests")
from test_training import IMAGES, LABELS, network
from course_utils import training
history = training.fit(network(), IMAGES, LABELS, epochs=2, batch_size=16)
"""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(text) for text in (cell, STOPPED, ILL)])
    client = NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(paths.ROOT)}})
    executed = client.execute()
    outputs = executed.cells[0].outputs
    outputs = [output for output in outputs if output.get("name") != "stderr"]  # TensorFlow's greeting
    texts = [output.get("text") or output["data"]["text/plain"] for output in outputs]
    assert texts[0] == "training"
    assert texts[1].startswith("2 epochs, 8 steps in ≈") and len(texts) == 2
    assert "application/vnd.jupyter.widget-view+json" in outputs[0]["data"]
    everything = json.dumps(outputs)
    assert "\\r" not in everything and "%|" not in everything
    # Finished, stopped early, and ended by an error: the last alone stays on the page, in red.
    last = [cell.outputs[-1].text.splitlines()[-1] for cell in executed.cells[1:]]
    assert last == ["4 steps of 4, hidden", "4 steps of 40, danger"]
