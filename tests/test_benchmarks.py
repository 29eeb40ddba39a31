"""The recorded runs: the first steps of each again, and what the lessons read from the files."""

import functools
import json
import os
import subprocess
import sys

import keras
import numpy as np
import pytest
from fixtures import scripts
from PIL import Image

from course_utils import paths

_EACH = (  # with one file of results
    "04_optimisers",
    "08_repairs",
    "10_grid",
    "10_labels",
    "10_range",
    "11_enlargers",
    "11_losses",
    "11_srcnn",
    "12_dncnn",
    "12_inpainters",
    "12_losses",
    "12_restorers",
    "14_normalisation",
)
SCRIPTS = {name: scripts.load(name) for name in (*_EACH, "05_runs", "07_runs")}


def files() -> dict[str, tuple[str, dict[str, dict]]]:
    """File -> (its script, the settings of each run in it)."""
    found = {name: (name, SCRIPTS[name].settings()) for name in _EACH}
    for name in ("05_runs", "07_runs"):
        for kind, settings in SCRIPTS[name].settings().items():
            found[f"{name[:2]}_{kind}"] = name, settings
    return found


FILES = files()
RUNS = [(file, run) for file, (_, settings) in FILES.items() for run in settings]


def table(file: str) -> dict:
    return json.loads((paths.BENCHMARKS / f"{file}.json").read_text())


@pytest.mark.parametrize("file", FILES)
def test_each_file_holds_every_run_of_its_script_and_says_how_it_was_made(file):
    script, settings = FILES[file]
    assert list(table(file)["runs"]) == list(settings)
    kind = "" if file == script else f" {file[3:]}"
    assert table(file)["command"] == f"python benchmarks/{script}.py{kind}"
    assert {"device", "keras", "date"} <= set(table(file))


@functools.cache
def first_steps(script: str, settings: str) -> dict:
    """The first steps of the run with these settings (JSON), once for all files that have it."""
    try:
        return SCRIPTS[script].first_steps(json.loads(settings))
    finally:
        keras.backend.clear_session()


@pytest.mark.parametrize(("file", "run"), RUNS)
def test_the_first_steps_of_a_recorded_run_come_out_again(file, run):
    script, settings = FILES[file]
    entry = table(file)["runs"][run]
    assert entry["settings"] == json.loads(json.dumps(settings[run]))  # the script has not moved on from its results
    scripts.assert_same_steps(first_steps(script, json.dumps(entry["settings"])), entry["first_steps"])


def test_a_run_at_another_rate_or_with_another_optimizer_has_other_first_steps():
    """What the test above would miss if it compared the losses of a warm-up alone."""
    script, settings = FILES["07_sizes"]
    entry = table("07_sizes")["runs"]["latent 16"]["first_steps"]
    for change in ({"learning_rate": 1.1 * settings["latent 16"]["learning_rate"]}, {"batch_size": 64}):
        with pytest.raises(AssertionError):
            scripts.assert_same_steps(SCRIPTS[script].first_steps(settings["latent 16"] | change), entry)


def test_no_script_and_no_module_of_the_course_changes_the_environment():
    """What one of them set would reach every kernel and every training that the process starts later."""
    code = """
import importlib, os, pathlib, sys
import keras, matplotlib.pyplot, IPython, tqdm.notebook  # libraries may set what they like
sys.path[:0] = ["tests", "benchmarks"]
from fixtures import scripts
from PIL import Image
before = dict(os.environ)
for file in sorted(pathlib.Path("benchmarks").glob("*.py")):
    scripts.load(file.stem)
for file in sorted(pathlib.Path("course_utils").rglob("*.py")):
    if file.stem != "__main__":
        importlib.import_module(".".join(file.with_suffix("").parts).removesuffix(".__init__"))
print(sorted(before.items() ^ os.environ.items()))
"""
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("TF_", "OMP_"))}
    done = subprocess.run([sys.executable, "-c", code], cwd=paths.ROOT, env=plain, capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr


@pytest.mark.parametrize("file", [file for file in FILES if file[:2] == "05"])
def test_each_run_of_a_classifier_has_a_score_and_a_time_an_epoch(file):
    for entry in table(file)["runs"].values():
        epochs = entry["settings"]["epochs"]
        for seed in entry["seeds"].values():
            assert len(seed["val_accuracy"]) == len(seed["processor_seconds"]) == epochs
            assert seed["processor_seconds"] == sorted(seed["processor_seconds"])


def test_the_losses_differ_in_nothing_else_and_the_picture_has_a_column_for_each():
    runs = table("11_losses")["runs"]
    terms = {"pixels", "perceptual", "adversarial"}
    shared = [{key: value for key, value in entry["settings"].items() if key not in terms} for entry in runs.values()]
    assert all(one == shared[0] for one in shared)
    with Image.open(paths.BENCHMARKS / "11_losses.png") as wall:
        assert wall.size == (112 * len(runs), 112 * len(SCRIPTS["11_losses"].CROPS))


def test_the_losses_for_holes_differ_by_one_weight_and_the_picture_has_a_column_for_each():
    runs, script = table("12_losses")["runs"], SCRIPTS["12_losses"]
    shared = [entry["settings"] | {"perceptual": 0.0} for entry in runs.values()]
    assert all(one == shared[0] for one in shared)
    with Image.open(paths.BENCHMARKS / "12_losses.png") as wall:
        assert wall.size == (script.MIDDLE * len(runs), script.MIDDLE * len(script.CROPS))


def test_bm3d_and_the_network_that_ships_were_scored_on_the_same_grey_pictures():
    shipped = json.loads((paths.WEIGHTS / "denoise.json").read_text())["scores"]["denoise_25, grey"]["network"]
    rows = table("12_bm3d")["denoise_25, grey"]
    assert list(rows) == ["BM3D", "network"]
    assert list(rows["BM3D"]["psnr_by_picture"]) == list(shipped["psnr_by_picture"])
    assert rows["network"]["psnr_by_picture"] == pytest.approx(shipped["psnr_by_picture"], abs=0.02)


@pytest.mark.parametrize("file", ["05_sizes", "12_inpainters"])
def test_networks_that_are_compared_had_about_the_same_time(file):
    seconds = [
        np.mean([np.max(result["processor_seconds"]) for result in entry["seeds"].values()])
        for entry in table(file)["runs"].values()
    ]
    assert max(seconds) < 1.25 * min(seconds)


@pytest.mark.parametrize(
    "file",
    [
        "04_optimisers",
        "05_sizes",
        "07_likelihoods",
        "07_plain",
        "08_repairs",
        "10_grid",
        "10_labels",
        "10_range",
        "11_enlargers",
        "11_losses",
        "12_inpainters",
        "12_restorers",
        "14_normalisation",
    ],
)
def test_each_run_was_tried_with_three_seeds(file):
    for name, entry in table(file)["runs"].items():
        rejected = entry["settings"].get("network") == "srcnn" and name != SCRIPTS[file].best_srcnn()
        assert set(entry["seeds"]) == ({"0"} if rejected else {"0", "1", "2"}), name


def test_the_enlargers_had_about_the_same_time_and_srcnn_no_less():
    seconds = {"edsr": [], "srcnn": []}
    for entry in table("11_enlargers")["runs"].values():
        seconds[entry["settings"]["network"]] += [result["curve"][-1][0] for result in entry["seeds"].values()]
    assert max(seconds["edsr"]) < 1.3 * min(seconds["edsr"])
    assert min(seconds["srcnn"]) > np.mean(seconds["edsr"])


def test_srcnn_was_trained_for_about_as_long_as_the_network_that_ships():
    shipped = json.loads((paths.WEIGHTS / "sr_x2.json").read_text())
    ours, run = shipped["numbers"], table("11_srcnn")["runs"]["SRCNN"]
    assert run["seeds"]["0"]["processor_seconds"][-1] > 0.9 * shipped["processor_seconds"]
    assert all(run["settings"][name] == ours[name] for name in ("batch_size", "turned"))


def test_dncnn_was_trained_for_about_as_long_as_the_network_that_ships_and_is_the_best_that_was_tried():
    shipped = json.loads((paths.WEIGHTS / "denoise.json").read_text())
    *tried, long = table("12_dncnn")["runs"].values()
    seconds = shipped["processor_seconds"] + shipped["larger_patches"]["processor_seconds"]
    assert long["seeds"]["0"]["processor_seconds"][-1] > 0.85 * seconds
    assert long["seeds"]["0"]["scores"].keys() == shipped["scores"].keys()
    best = max(tried, key=lambda entry: entry["seeds"]["0"]["val_psnr"][-1])
    assert long["settings"] == best["settings"] | {"steps": long["settings"]["steps"]}
    assert all(long["settings"][name] == shipped["numbers"][name] for name in ("batch_size", "sigma"))


def test_both_generators_of_the_comparison_were_judged_alike():
    both = [table("08_baseline")[name] for name in ("tutorial", "ours")]
    assert both[0]["judged"] == both[1]["judged"] and both[0]["floor"] == both[1]["floor"]
    assert "10,000 generated against 10,000 real" in both[0]["judged"]
    # The tutorials' network had no less time than was promised to it.
    script = scripts.load("08_baseline")
    assert both[0]["steps"] >= script.TUTORIAL_STEPS
    assert both[0]["processor_seconds"] >= script.TUTORIAL_SECONDS


def test_the_grid_of_diffusion_differs_in_prediction_and_schedule_alone():
    runs = [entry["settings"] for entry in table("10_grid")["runs"].values()]
    shared = [{key: s[key] for key in s.keys() - {"predicts", "schedule", "sampled"}} for s in runs]
    assert len(shared) == 6 and all(one == shared[0] for one in shared)


def test_networks_with_labels_and_without_differ_in_nothing_else():
    runs = {name: entry["settings"] for name, entry in table("10_labels")["runs"].items()}
    assert [s.pop("labels") for s in runs.values()] == [True, False]
    assert runs["with labels"] == runs["without labels"]


def test_what_diffusion_draws_untold_was_judged_of_the_weights_that_ship():
    script, found = scripts.load("10_untold"), table("10_untold")
    assert list(found["networks"]) == list(script.NAMES) and found["samples"] == script.SAMPLES
    for name, entry in found["networks"].items():
        assert entry["weights"] == script.weights_of(name), f"run python benchmarks/10_untold.py anew for {name}"
        assert list(entry["scores"]) == list(script.ways(name))
        assert all(list(scores) == list(script.METRICS) for scores in entry["scores"].values())
