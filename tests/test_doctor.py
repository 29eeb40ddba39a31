"""The doctor: says what is there, and for each thing wrong what to do."""

import json
import subprocess
import sys

import numpy as np
import pytest

from course_utils import data_files, paths
from course_utils.cli import doctor, kernel, timings


@pytest.fixture
def data_folder(tmp_path, monkeypatch):
    """A data folder of two small files with their manifest."""
    monkeypatch.setattr(paths, "DATA", tmp_path)
    for name in ("a.bin", "b.bin"):
        (tmp_path / name).write_bytes(name.encode() * 1000)
    lines = [f"{data_files.sha256(tmp_path / name)}  {name}" for name in ("a.bin", "b.bin")]
    (tmp_path / data_files.MANIFEST).write_text("\n".join(lines) + "\n")
    return tmp_path


def test_whole_data_pass(data_folder):
    assert doctor.data() == doctor.Finding("data", "2 files, 0 MB, each with its checksum")


@pytest.mark.parametrize("change", ["missing", "cut short", "changed"])
def test_a_file_that_is_not_as_shipped_is_named_with_the_remedy(data_folder, change):
    file = data_folder / "b.bin"
    content = file.read_bytes()
    file.unlink()
    if change == "cut short":
        file.write_bytes(content[:-1])
    elif change == "changed":
        file.write_bytes(content[:-1] + b"!")
    finding = doctor.data()
    assert file.name in finding.found
    assert finding.remedy == "run: python course.py data restore"


@pytest.mark.parametrize("content", [None, b"", b"\xff", b"0123456789abcdef"])
def test_a_list_of_files_that_is_missing_empty_unreadable_or_cut_is_told_with_its_own_remedy(data_folder, content):
    (data_folder / data_files.MANIFEST).unlink()
    if content is not None:
        (data_folder / data_files.MANIFEST).write_bytes(content)
    finding = doctor.data()
    assert finding.found == "data/MANIFEST.sha256 is not the file the course shipped."
    assert finding.remedy == "run: python course.py data restore MANIFEST.sha256"


def test_a_list_that_was_cut_between_two_lines_is_told_by_the_files_that_it_leaves_out(data_folder):
    manifest = data_folder / data_files.MANIFEST
    manifest.write_text(manifest.read_text().splitlines(keepends=True)[0])
    finding = doctor.data()
    assert finding.found == "1 files are not in data/MANIFEST.sha256: b.bin"
    assert finding.remedy.endswith("the list is not whole: run: python course.py data restore MANIFEST.sha256")


def test_a_lesson_that_asks_the_doctor_depends_on_none_of_the_other_commands():
    code = "import sys\nfrom course_utils.cli import doctor\nprint(*(n for n in sys.modules if n.startswith('course')))"
    done = subprocess.run([sys.executable, "-c", code], cwd=paths.ROOT, capture_output=True, text=True, check=True)
    needed = {"cli", "cli.doctor", "cli.errors", "cli.kernel", "cli.timings", "data_files", "machine", "paths"}
    assert set(done.stdout.split()) == {"course_utils", *(f"course_utils.{name}" for name in needed)}


def test_pins_for_other_systems_do_not_count():
    lock = (
        "one==1.0 \\\n    --hash=sha256:0\n"
        "two==2.0 ; sys_platform == 'nowhere' \\\n    --hash=sha256:0\n"
        f"three==3.0 ; sys_platform == '{sys.platform}' \\\n    --hash=sha256:0\n    # via one\n"
    )
    assert doctor.pinned_versions(lock) == [("one", "1.0"), ("three", "3.0")]


def test_a_package_at_another_version_is_named(monkeypatch):
    assert doctor.packages().remedy == ""
    really = doctor.installed
    monkeypatch.setattr(doctor, "installed", lambda name: "0.1" if name == "numpy" else really(name))
    finding = doctor.packages()
    assert finding.found.startswith("1 of ") and "numpy 0.1 instead of 2." in finding.found
    assert "python course.py" in finding.remedy


def test_too_little_memory_or_disk_is_told():
    assert doctor.enough(16, 4, "buy some") == ""
    assert doctor.enough(3.9, 4, "buy some") == "the lessons need 4 GB: buy some"


def test_the_kernel_that_answers_is_this_python():
    finding = doctor.kernels()
    assert finding == doctor.Finding("kernel", f"answers from {sys.prefix}")


def test_a_kernel_that_does_not_start_is_told(monkeypatch):
    def fails(**_):
        raise RuntimeError("no such kernel: python3")

    monkeypatch.setattr("jupyter_client.manager.run_kernel", fails)
    finding = doctor.kernels()
    assert "no such kernel" in finding.found
    assert finding.remedy


def test_the_report_marks_what_is_wrong_and_ends_with_a_status(monkeypatch, capsys):
    findings = [doctor.Finding("memory", "16 GB"), doctor.Finding("disk", "0 GB free", "make room")]
    monkeypatch.setattr(doctor, "examine", lambda: iter(findings))
    assert doctor.run_doctor() == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("ok  memory")
    assert lines[1].startswith("!!  disk")
    assert lines[2].strip() == "make room"
    assert lines[-1].startswith("1 to put right")
    monkeypatch.setattr(doctor, "examine", lambda: iter(findings[:1]))
    assert doctor.run_doctor() == 0
    assert capsys.readouterr().out.endswith("All is well.\n")


# ---- minutes ---------------------------------------------------------------------------------------------


def test_half_the_speed_takes_twice_the_time(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "NOTEBOOKS", tmp_path)
    monkeypatch.setattr(timings, "_speed_of_this_machine", lambda: 200.0)
    timings.record("02_convolution", 30.04)
    timings.record("01_images", 12.0)
    monkeypatch.setattr(timings, "_speed_of_this_machine", lambda: 100.0)
    timings.record("01_images", 60.0)
    assert json.loads((tmp_path / "timings.json").read_text()) == {
        "01_images": {"seconds": 60.0, "gigaflops": 100.0},
        "02_convolution": {"seconds": 30.0, "gigaflops": 200.0},
    }
    assert timings.estimate(50.0) == {"01_images": 120.0, "02_convolution": 120.0}
    monkeypatch.setattr(timings, "gigaflops", lambda: 50.0)
    lines = [finding.found for finding in doctor.minutes()]
    assert lines[1:3] == [" 2.0 for 01_images", " 2.0 for 02_convolution"]
    assert lines[3].startswith(" 4.0 for all")


def test_without_timings_nothing_is_expected(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "NOTEBOOKS", tmp_path)
    assert timings.estimate(100.0) == {}


def test_the_speed_is_that_of_numpys_matrix_products_to_an_order_of_magnitude():
    import time

    matrix = np.random.default_rng(0).standard_normal((1024, 1024), dtype=np.float32)
    matrix @ matrix
    rates = []
    for _ in range(10):
        started = time.perf_counter()
        matrix @ matrix
        rates.append(2 * 1024**3 / (time.perf_counter() - started) / 1e9)
    assert max(rates) / 10 < timings.gigaflops(0.5) < max(rates) * 10


# ---- kernels ---------------------------------------------------------------------------------------------


def test_tensorflows_logs_stay_out_of_cells_and_pythons_do_not(monkeypatch):
    """In a kernel as JupyterLab starts it: PYTEST_CURRENT_TEST alone would keep C++ logs out."""
    import nbformat
    from nbclient import NotebookClient

    kernel.prepare()
    monkeypatch.delenv("PYTEST_CURRENT_TEST", raising=False)
    monkeypatch.delenv("TF_CPP_MIN_LOG_LEVEL", raising=False)
    cells = [
        "import os, sys\nassert 'PYTEST_CURRENT_TEST' not in os.environ\n_ = os.write(2, b'a line from C++')",
        "import numpy, keras\nmodel = keras.Sequential([keras.layers.Dense(1)])\nmodel.compile('sgd', 'mse')\n"
        "history = model.fit(numpy.ones((8, 2)), numpy.ones((8, 1)), verbose=0)",
        "print('from Python', file=sys.stderr)",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in cells])
    NotebookClient(notebook, kernel_name="python3", timeout=120).execute()
    outputs = [[output.get("text") for output in cell.outputs] for cell in notebook.cells]
    assert outputs == [[], [], ["from Python\n"]]


def test_preparing_twice_writes_once(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    path = kernel.prepare()
    before = path.stat().st_mtime_ns
    assert kernel.prepare().stat().st_mtime_ns == before
    path.write_text("changed")
    assert "capture_fd_output" in kernel.prepare().read_text()


def test_the_users_choice_of_backend_stands(monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    assert kernel.environment()["KERAS_BACKEND"] == "jax"
    monkeypatch.delenv("KERAS_BACKEND")
    assert kernel.environment()["KERAS_BACKEND"] == "tensorflow"
