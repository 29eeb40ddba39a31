import json
import os
import signal
import subprocess
import sys
import time

import h5py
import keras
import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient

from course_utils import paths, training
from course_utils.models import classifier

RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.random((64, 8, 8, 1), dtype=np.float32)
LABELS = keras.utils.to_categorical(RANDOM.integers(0, 3, 64), 3)


def network(jit_compile=False):
    """A small network with every kind of state: batch normalisation, dropout, random augmentation."""
    model = classifier.better_cnn(2, dropout_rate=0.2, image_shape=(8, 8, 1), classes=3)
    schedule = training.one_cycle(0.1, 20)
    training.compile_classifier(model, schedule, weight_decay=0.01, label_smoothing=0.1, jit_compile=jit_compile)
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
import os, sys, json
import keras
sys.path.insert(0, {tests!r})
from test_training import IMAGES, LABELS, network
from course_utils import paths, training
from pathlib import Path

paths.RUNS = Path({runs!r})

class Die(keras.callbacks.Callback):
    def on_train_batch_begin(self, batch, logs=None):
        if {die} and self.model.optimizer.iterations == 4 * 3 + 2:  # in the middle of epoch 4
            print("ready", flush=True)
            import time; time.sleep(60)

training.set_seed(3)
model = network()
training.fit(model, IMAGES, LABELS, epochs=5, batch_size=16, seed=3, callbacks=[Die()], resume="killed", progress=False)
print(json.dumps([w.tolist() for w in model.get_weights()]))
"""


def test_a_killed_training_goes_on_and_ends_with_the_same_weights(tmp_path):
    def start(die):
        code = KILLED.format(tests=str(paths.ROOT / "tests"), runs=str(tmp_path / "runs"), die=die)
        environment = {**os.environ, "PYTHONPATH": str(paths.ROOT)}
        return subprocess.Popen(
            [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
        )

    process = start(die=True)
    assert process.stdout.readline().strip() == "ready"
    process.send_signal(signal.SIGKILL) if hasattr(signal, "SIGKILL") else process.kill()
    process.communicate()
    metadata = json.loads((tmp_path / "runs" / "killed" / "training_metadata.json").read_text())
    assert metadata["epoch"] == 3

    process = start(die=False)
    output, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    resumed = [np.array(weights, np.float32) for weights in json.loads(output.splitlines()[-1])]
    assert not (tmp_path / "runs" / "killed").exists()

    training.set_seed(3)
    model = network()
    history = training.fit(model, IMAGES, LABELS, epochs=5, batch_size=16, seed=3, progress=False)
    assert len(history.epoch) == 5
    for one, other in zip(resumed, model.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


def test_stop_after_seconds():
    class Slow(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            time.sleep(0.05)

    model = network()
    stop = training.StopAfterSeconds(1.0)
    start = time.monotonic()
    training.fit(model, IMAGES, LABELS, epochs=10_000, batch_size=16, callbacks=[Slow(), stop], progress=False)
    assert time.monotonic() - start < 30
    assert int(model.optimizer.iterations) < 100
    with pytest.raises(ValueError, match="seconds must be above 0, got 0"):
        training.StopAfterSeconds(0)


def test_minutes_are_estimated_from_the_time_of_a_step(monkeypatch):
    clock = iter((100.0, 106.0))  # three steps in six seconds
    monkeypatch.setattr(training.time, "monotonic", lambda: next(clock))
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
    model = network()
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
    other = classifier.better_cnn(3, image_shape=(8, 8, 1), classes=3)
    with pytest.raises(ValueError, match=r"a\.weights\.h5 holds the weights of another network than 'better_cnn'"):
        training.load_weights(other, path)
    with pytest.raises(ValueError, match=r"must end in \.weights\.h5, got a\.h5"):
        training.save_weights(other, tmp_path / "a.h5")


def test_weights_too_large_for_float16_are_refused(tmp_path):
    model = network()
    model.get_layer("logits").bias.assign([1e6, 0, 0])
    with pytest.raises(ValueError, match="larger than float16"):
        training.save_weights(model, tmp_path / "a.weights.h5", dtype="float16")
    assert list(tmp_path.glob("*.h5")) == []


def test_load_or_train_trains_once():
    trained = []

    def train(model):
        trained.append(model)
        training.fit(model, IMAGES, LABELS, epochs=1, batch_size=16, progress=False)

    first = training.load_or_train("tiny", network, train)
    second = training.load_or_train("tiny", network, train)
    assert len(trained) == 1 and (paths.WEIGHTS / "tiny.weights.h5").exists()
    np.testing.assert_array_equal(first.predict(IMAGES, verbose=0), second.predict(IMAGES, verbose=0))


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match="got 64 images and 3 labels"):
        training.fit(network(), IMAGES, LABELS[:3], epochs=1, batch_size=2)
    with pytest.raises(ValueError, match="batch_size must be from 1 to the 64 images, got 65"):
        training.fit(network(), IMAGES, LABELS, epochs=1, batch_size=65)
    with pytest.raises(ValueError, match="batch_size must be from 1 to the 0 images"):
        training.fit(network(), IMAGES[:0], LABELS[:0], epochs=1, batch_size=1)
    for name in ("", "../elsewhere", "a/b"):
        with pytest.raises(ValueError, match="plain word"):
            training.run_folder(name)


def test_terminal_shows_a_bar_and_one_line_stays(capsys):
    training.fit(network(), IMAGES, LABELS, epochs=2, batch_size=16)
    output = capsys.readouterr()
    assert "epoch 2/2" in output.err and "8/8" in output.err
    assert output.out.startswith("2 epochs, 8 steps in ≈") and output.out.count("\n") == 1
    assert "accuracy ≈" in output.out and "loss ≈" in output.out


def test_a_stored_notebook_keeps_one_line_and_a_fixed_text():
    cell = """
import sys
sys.path.insert(0, "tests")
from test_training import IMAGES, LABELS, network
from course_utils import training
history = training.fit(network(), IMAGES, LABELS, epochs=2, batch_size=16)
"""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell)])
    client = NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(paths.ROOT)}})
    outputs = client.execute().cells[0].outputs
    outputs = [output for output in outputs if output.get("name") != "stderr"]  # TensorFlow's greeting
    texts = [output.get("text") or output["data"]["text/plain"] for output in outputs]
    assert texts[0] == "training"
    assert texts[1].startswith("2 epochs, 8 steps in ≈") and len(texts) == 2
    assert "application/vnd.jupyter.widget-view+json" in outputs[0]["data"]
    everything = json.dumps(outputs)
    assert "\\r" not in everything and "%|" not in everything
