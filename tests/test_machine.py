"""The facts of the machine, against what other tools say of it."""

import os
import subprocess
import sys
import types

import keras
import psutil
import pytest
import tensorflow as tf

from course_utils import machine, paths


def test_the_cores_are_those_that_this_process_may_use():
    """Seen from a process of its own that may use one core alone, where the system can be told so."""
    assert 1 <= machine.usable_cores() <= psutil.cpu_count()
    if hasattr(os, "sched_setaffinity"):
        code = (
            "import os\nos.sched_setaffinity(0, {min(os.sched_getaffinity(0))})\n"
            "from course_utils import machine\nprint(machine.usable_cores())"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=paths.ROOT, check=True)
        assert done.stdout == "1\n"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("processor\t: 0\nmodel name\t: Some CPU 3000\nflags\t: a\n\nmodel name\t: Another\n", "Some CPU 3000"),
        ("processor\t: 0\nCPU part\t: 0xd0c\n", "unnamed"),  # as on many ARM machines
    ],
)
def test_linux_tells_the_name_of_the_processor(monkeypatch, text, name):
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(machine.Path, "read_text", lambda path: text if path.name == "cpuinfo" else None)
    assert machine.processor_name() == name
    assert machine.processor().startswith(f"{machine.usable_cores()} cores, {name}, ")


@pytest.mark.parametrize(("said", "name"), [("Apple M9\n", "Apple M9"), ("", "unnamed")])
def test_macos_is_asked_for_the_name_of_the_processor(monkeypatch, said, name):
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(machine.subprocess, "run", lambda *_, **__: types.SimpleNamespace(stdout=said))
    assert machine.processor_name() == name


def test_memory_is_in_gigabytes():
    total, free = machine.memory()
    assert total == psutil.virtual_memory().total / 1e9
    assert 0 < free <= total


CARDS = [tf.config.PhysicalDevice(f"/physical_device:GPU:{number}", "GPU") for number in range(2)]


def test_keras_trains_on_the_first_card_that_tensorflow_sees(monkeypatch):
    details = {CARDS[0]: {"device_name": "Some Card"}, CARDS[1]: {}}
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: CARDS if kind == "GPU" else [])
    monkeypatch.setattr(tf.config.experimental, "get_device_details", details.get)
    assert machine.graphics_cards() == ["Some Card", "GPU"]
    assert machine.device() == "Some Card"


def test_keras_trains_on_the_processor_where_there_is_no_card(monkeypatch):
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [])
    assert machine.graphics_cards() == []
    assert machine.device() == machine.processor()


def test_jax_is_asked_where_it_is_the_backend(monkeypatch):
    devices = [types.SimpleNamespace(platform=kind, device_kind=f"a {kind}") for kind in ("cpu", "gpu", "tpu")]
    monkeypatch.setitem(sys.modules, "jax", types.SimpleNamespace(devices=lambda: devices))
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    assert machine.graphics_cards() == ["a gpu", "a tpu"]


def test_importing_it_costs_nothing():
    code = "import sys\nfrom course_utils import machine\nprint(*{name.split('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=paths.ROOT, check=True)
    assert set(done.stdout.split()).isdisjoint({"numpy", "keras", "tensorflow", "jax", "psutil"})
