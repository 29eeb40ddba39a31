"""`course train`: what it leaves behind, what it refuses, and that nothing is lost on the way."""

import importlib
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import asdict, replace

import h5py
import keras
import numpy as np
import pytest
from fixtures import course_with_tiny
from PIL import Image

from course_utils import cli, paths, recipes, run_lock, training

STEPS = 256 // 16  # of an epoch of the tiny generator


@pytest.fixture(autouse=True)
def tiny(tmp_path, monkeypatch):
    """A folder for runs, and a recipe "tiny" in it; returns the folder that the run gets."""
    monkeypatch.setattr(paths, "RUNS", tmp_path / "runs")
    monkeypatch.setattr(recipes, "__path__", [*recipes.__path__, course_with_tiny.RECIPES])
    monkeypatch.delenv("COURSE_PROFILE", raising=False)
    return paths.RUNS / "tiny"


@pytest.fixture
def parts(tiny):
    """The file of the recipe "tiny", to change parts of it."""
    return importlib.import_module("course_utils.recipes.tiny")


def record(folder):
    return json.loads((folder / "tiny.json").read_text())


def weights(path):
    """Every number in a file of weights, by its name there."""
    found = {}
    with h5py.File(path) as file:
        file.visititems(lambda name, item: found.update({name: item[()]}) if isinstance(item, h5py.Dataset) else None)
    return found


def assert_same_weights(one, other):
    one, other = weights(one), weights(other)
    assert one.keys() == other.keys() and len(one) >= 6
    for name in one:
        np.testing.assert_array_equal(one[name], other[name], err_msg=name)


class Interrupt(keras.callbacks.Callback):
    """Ctrl-C at one step of the training, counted from 1 over all epochs; once."""

    def __init__(self, step):
        super().__init__()
        self.step = step

    def on_train_batch_end(self, batch, logs=None):
        if int(self.model.optimizer.iterations) == self.step:
            self.step = None
            raise KeyboardInterrupt


def interrupted(build, step):
    """`build` of a recipe, for a training that gets a Ctrl-C at a step."""

    def build_and_interrupt(numbers):
        model = build(numbers)
        fit = model.fit
        model.fit = lambda *arguments, callbacks, **named: fit(*arguments, callbacks=[*callbacks, stop], **named)
        return model

    stop = Interrupt(step)
    return build_and_interrupt


def test_a_training_leaves_weights_record_and_previews(tiny, parts, capsys):
    before = time.monotonic()
    assert cli.main(["train", "tiny"]) == 0
    passed = time.monotonic() - before
    said = capsys.readouterr()
    assert "tiny: The mean of noisy pictures, profile lesson" in said.out
    assert "256 pictures of 4 x 6 x 1, 16 steps an epoch" in said.out and "3 epochs" in said.out
    assert "by Keras on" in said.out and "minutes to the end" in said.out and "epoch 3/3" in said.err
    assert sorted(path.name for path in tiny.iterdir()) == ["previews", "tiny.json", "tiny.weights.h5"]
    assert sorted(path.name for path in (tiny / "previews").iterdir()) == [f"epoch_000{i}.png" for i in range(4)]
    with Image.open(tiny / "previews" / "epoch_0003.png") as image:
        assert image.size == (2 * 10 * 6, 2 * 6 * 4)

    kept = record(tiny)
    assert kept["command"] == "course train tiny --profile lesson" and kept["numbers"] == asdict(parts.LESSON)
    assert kept["finished"] and (kept["epochs"], kept["steps"]) == (3, 3 * STEPS)
    assert kept["keras"] == keras.__version__ and kept["backend"] == keras.backend.backend() and kept["device"]
    losses = [epoch["loss"] for epoch in kept["history"]]
    assert len(losses) == 3 and losses[2] < losses[0]
    assert all(epoch["val_loss"] > 0 for epoch in kept["history"])
    assert 0 < kept["seconds"] < passed
    assert kept["seconds"] == pytest.approx(sum(epoch["seconds"] for epoch in kept["history"]), abs=0.1)
    assert kept["images_per_second"] == pytest.approx(3 * STEPS * 16 / kept["seconds"], rel=0.2)
    stored = weights(tiny / "tiny.weights.h5")
    assert {array.dtype for array in stored.values()} == {np.dtype("float16")}

    recipe = recipes.find("tiny")
    model = recipe.model(recipe.numbers("lesson"))
    history = recipe.train(model, recipe.numbers("lesson"), progress=False)
    np.testing.assert_allclose(history.history["loss"], losses, rtol=1e-3)
    training.save_weights(model, paths.RUNS / "lesson.weights.h5", dtype="float16")
    assert_same_weights(paths.RUNS / "lesson.weights.h5", tiny / "tiny.weights.h5")


def test_the_profile_comes_from_the_option_then_from_the_environment(tiny, parts, monkeypatch, capsys):
    build = parts.build
    monkeypatch.setattr(parts, "build", interrupted(build, 1))
    monkeypatch.setenv("COURSE_PROFILE", "full")
    assert cli.main(["train", "tiny", "--profile", "lesson"]) == 130
    assert record(tiny)["profile"] == "lesson"
    tiny.rename(tiny.with_name("aside"))
    monkeypatch.setattr(parts, "build", interrupted(build, 1))
    assert cli.main(["train", "tiny"]) == 130
    assert record(tiny)["profile"] == "full" and record(tiny)["numbers"]["epochs"] == 15
    tiny.rename(tiny.with_name("aside_2"))
    monkeypatch.setenv("COURSE_PROFILE", "huge")
    assert cli.main(["train", "tiny"]) == 2
    assert "COURSE_PROFILE must be one of 'smoke', 'lesson', 'full', got 'huge'" in capsys.readouterr().err


def test_an_interrupted_training_is_kept_and_gone_on_with(tiny, parts, monkeypatch, capsys):
    monkeypatch.setattr(parts, "build", interrupted(parts.build, STEPS + 3))
    assert cli.main(["train", "tiny"]) == 130
    said = capsys.readouterr()
    assert "interrupted; whole epochs kept: 1; to go on: course train tiny --resume" in said.out
    files = sorted(path.relative_to(tiny) for path in tiny.rglob("*"))

    assert cli.main(["train", "tiny"]) == 2
    message = capsys.readouterr().err
    assert "unfinished training" in message and "course train tiny --resume" in message and "delete" in message
    assert cli.main(["train", "tiny", "--resume", "--profile", "full"]) == 2
    assert "was begun with --profile lesson, got full" in capsys.readouterr().err
    assert files == sorted(path.relative_to(tiny) for path in tiny.rglob("*"))

    monkeypatch.setenv("COURSE_PROFILE", "full")  # a resumed training keeps its own
    assert cli.main(["train", "tiny", "--resume"]) == 0
    assert "3 epochs, 1 of them done" in capsys.readouterr().out
    assert record(tiny)["finished"] and [epoch["steps"] for epoch in record(tiny)["history"]] == [STEPS] * 3
    assert not (tiny / "state").exists()


def test_an_interrupt_after_the_state_was_damaged_is_told_in_words(tiny, parts, monkeypatch, capsys):
    class DamageAndInterrupt(Interrupt):
        def on_train_batch_end(self, batch, logs=None):
            for file in tiny.glob("state/epoch_*.json"):
                file.write_text("{")
            super().on_train_batch_end(batch, logs)

    monkeypatch.setattr(sys.modules[__name__], "Interrupt", DamageAndInterrupt)
    monkeypatch.setattr(parts, "build", interrupted(parts.build, STEPS + 3))
    assert cli.main(["train", "tiny"]) == 1
    assert "epoch_0001.json is damaged" in capsys.readouterr().err


def test_a_training_out_of_time_keeps_weights_and_can_go_on(tiny, monkeypatch, capsys):
    class OutOfTime(training.StopAfterSeconds):
        def on_train_batch_end(self, batch, logs=None):
            if self.model.optimizer.iterations == done:
                self.end = 0.0
            super().on_train_batch_end(batch, logs)

    done = 2 * STEPS + 5
    monkeypatch.setattr(training, "StopAfterSeconds", OutOfTime)
    assert cli.main(["train", "tiny", "--seconds", "1000"]) == 0
    said = capsys.readouterr().out
    assert f"stopped after {done} of {3 * STEPS} steps" in said and "course train tiny --resume" in said
    kept = record(tiny)
    assert not kept["finished"] and (kept["epochs"], kept["steps"]) == (2, done)
    assert len(weights(tiny / "tiny.weights.h5")) >= 6

    assert cli.main(["train", "tiny", "--resume"]) == 0
    resumed = record(tiny)
    assert resumed["finished"] and (resumed["epochs"], resumed["steps"]) == (3, 3 * STEPS)
    assert resumed["history"][:2] == kept["history"][:2]

    assert cli.main(["train", "tiny"]) == 0  # and a finished one moves aside
    aside = [path for path in paths.RUNS.iterdir() if path != tiny]
    assert len(aside) == 1 and f"kept in {aside[0]}" in capsys.readouterr().out
    assert_same_weights(aside[0] / "tiny.weights.h5", tiny / "tiny.weights.h5")


def test_nothing_to_resume_is_said(tiny, capsys):
    assert cli.main(["train", "tiny", "--resume"]) == 2
    message = capsys.readouterr().err
    assert "no training has been begun" in message and "course train tiny\n" in message
    assert not tiny.exists()
    tiny.mkdir(parents=True)
    (tiny / "tiny.json").write_text(json.dumps({"model": "tiny", "finished": True}))
    assert cli.main(["train", "tiny", "--resume"]) == 2
    assert "is finished: there is nothing to resume" in capsys.readouterr().err


def test_a_second_training_of_the_same_name_is_told_who_trains(tiny, capsys):
    """Also before the first has written anything."""
    script = paths.ROOT / "tests" / "fixtures" / "course_with_tiny.py"
    paths.RUNS.mkdir()
    with run_lock.alone("tiny"):
        command = [sys.executable, str(script), str(paths.RUNS), "train", "tiny"]
        environment = os.environ | {"PYTHONPATH": str(paths.ROOT)}
        second = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert second.returncode == 2 and not tiny.exists()
    assert f"process {os.getpid()}, since" in second.stderr and "wait until it has ended" in second.stderr
    assert "Traceback" not in second.stderr


def test_a_record_of_another_training_is_not_gone_on_with(tiny, capsys):
    tiny.mkdir(parents=True)
    (tiny / "tiny.json").write_text(json.dumps({"model": "../../evil", "finished": False, "profile": "lesson"}))
    for arguments in (["--resume"], []):
        assert cli.main(["train", "tiny", *arguments]) == 2
        assert "speaks of '../../evil', not of 'tiny'" in capsys.readouterr().err
    assert list(paths.RUNS.iterdir()) == [tiny]


def test_a_run_with_other_numbers_is_not_gone_on_with(tiny, parts, monkeypatch, capsys):
    monkeypatch.setattr(parts, "build", interrupted(parts.build, 3))
    cli.main(["train", "tiny"])
    monkeypatch.setattr(parts, "LESSON", replace(parts.LESSON, noise=0.2))
    assert cli.main(["train", "tiny", "--resume"]) == 2
    assert "noise 0.1 then, 0.2 now" in capsys.readouterr().err


def test_what_cannot_be_trained_is_refused(tiny, capsys):
    assert cli.main(["train", "gan_fasion"]) == 2
    message = capsys.readouterr().err
    assert "'gan_fasion'" in message and all(name in message for name in recipes.names())
    tiny.mkdir(parents=True)
    (tiny / "notes.txt").write_text("mine")
    assert cli.main(["train", "tiny"]) == 2
    assert "holds files, but no tiny.json" in capsys.readouterr().err
    assert (tiny / "notes.txt").read_text() == "mine"
    for wrong in (["--seconds", "0"], ["--seconds", "nan"], ["--profile", "huge"]):
        with pytest.raises(SystemExit) as end:
            cli.main(["train", "tiny", *wrong])
        assert end.value.code == 2
        capsys.readouterr()


def test_a_training_that_diverges_ends_with_its_reason(tiny, parts, monkeypatch, capsys):
    monkeypatch.setattr(parts, "LESSON", replace(parts.LESSON, learning_rate=1e30))
    assert cli.main(["train", "tiny"]) == 1
    message = capsys.readouterr().err
    assert "training has diverged" in message and "learning rate that is too high" in message
    assert not record(tiny)["finished"]


def test_data_out_of_range_is_refused_before_the_first_step(tiny, parts, monkeypatch, capsys):
    images = 255 * parts.data().images
    monkeypatch.setattr(parts, "data", lambda: recipes.Examples(images))
    with pytest.raises(ValueError, match="expected floating-point numbers from 0 to 1"):
        cli.main(["train", "tiny"])
    assert not (tiny / "previews").exists()


def test_a_killed_training_loses_at_most_the_running_epoch(tiny, tmp_path):
    """A real kill -9, wherever it strikes; what comes out in the end, in another process, is the same."""
    script = paths.ROOT / "tests" / "fixtures" / "course_with_tiny.py"
    command = [sys.executable, str(script), str(paths.RUNS), "train", "tiny", "--profile", "full"]
    environment = os.environ | {"PYTHONPATH": str(paths.ROOT)}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    end = time.monotonic() + 120
    while not list(tiny.glob("state/epoch_000[3-9].json")):
        assert process.poll() is None and time.monotonic() < end
        time.sleep(0.005)
    process.kill()
    process.wait()
    if hasattr(signal, "SIGKILL"):
        assert process.returncode == -signal.SIGKILL
    done = len(training.finished_epochs("tiny"))
    begun = len(list(tiny.glob("previews/*.png"))) - 1
    assert 3 <= done < 15 and begun - done in (0, 1)
    assert not record(tiny)["finished"]

    assert cli.main(["train", "tiny", "--profile", "full", "--resume"]) == 0
    assert record(tiny)["finished"] and record(tiny)["epochs"] == 15
    tiny.rename(tmp_path / "killed")
    assert cli.main(["train", "tiny", "--profile", "full"]) == 0
    assert_same_weights(tmp_path / "killed" / "tiny.weights.h5", tiny / "tiny.weights.h5")
    one, other = record(tmp_path / "killed")["history"], record(tiny)["history"]
    assert [epoch["loss"] for epoch in one] == [epoch["loss"] for epoch in other]


def test_mixed_precision_multiplies_in_bfloat16_and_is_kept_on_resume(tiny, parts, monkeypatch, capsys):
    policies, build = [], parts.build

    def noted(numbers):
        policies.append(keras.config.dtype_policy().name)
        return build(numbers)

    monkeypatch.setattr(parts, "build", noted)
    try:
        assert cli.main(["train", "tiny", "--mixed-precision", "--seconds", "0.01"]) == 0
        assert record(tiny)["command"] == "course train tiny --profile lesson --mixed-precision"
        assert cli.main(["train", "tiny", "--resume"]) == 0
        assert record(tiny)["precision"] == "mixed_bfloat16" and record(tiny)["finished"]
        assert cli.main(["train", "tiny"]) == 0
    finally:
        keras.config.set_dtype_policy("float32")
    assert policies == ["mixed_bfloat16", "mixed_bfloat16", "float32"]
