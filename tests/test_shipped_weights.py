"""The weights that ship are those their JSON speaks of: each is scored again, on a few pictures."""

import json
from functools import cache

import numpy as np
import pytest

from course_utils import data, metrics, models, paths, recipes, scoring


def record(name: str) -> dict:
    return json.loads((paths.WEIGHTS / f"{name}.json").read_text())


def test_the_classifier_is_as_often_right_as_its_record_says():
    images, labels = data.fashion_mnist("validation")
    answers = models.load("fashion_mnist_classifier").predict(images[:1000], verbose=0).argmax(axis=1)
    share = record("fashion_mnist_classifier")["scores"]["validation_accuracy"]
    assert np.mean(answers == labels[:1000]) == pytest.approx(share, abs=3 * np.sqrt(share * (1 - share) / 1000))


@pytest.mark.parametrize("name", ["diffusion_fashion", "diffusion_latent", "gan_fashion", "vae_fashion"])
def test_clothes_are_as_far_from_real_ones_as_their_record_says(name):
    """By the kernel distance, which has no bias however few pictures there are."""
    judge = metrics.Judge(data.fashion_mnist("test")[0][:1000], data.fashion_mnist("train")[0][:1000])
    scores = judge(models.load(name).sample(1000, seed=2), ("kernel_distance", "effective_classes"))
    recorded = record(name)["scores"]
    assert scores["kernel_distance"].value == pytest.approx(recorded["kernel_distance"]["value"], rel=0.25)
    assert scores["effective_classes"].value == pytest.approx(recorded["effective_classes"]["value"], abs=0.5)


@pytest.mark.parametrize("name", ["diffusion_emoji", "gan_emoji", "vae_emoji"])
def test_emoji_are_as_far_from_real_ones_as_their_record_says(name):
    judge = metrics.Judge(data.emoji_pictures("test")[0], data.emoji_pictures("train")[0][:400])
    score = judge(models.load(name).sample(300, seed=2), ("kernel_distance",))["kernel_distance"]
    assert score.value == pytest.approx(record(name)["scores"]["kernel_distance"]["value"], rel=0.15)


# `restore`, told nothing, is recorded as well where specialists are ahead; and what a wide hole hid cannot be known, so
# that a smooth surface is as good a guess as any.
NOT_AHEAD = {("restore", protocol) for protocol in recipes.find("restore").protocols if protocol != "blind"}
NOT_AHEAD |= {("inpaint", "inpaint_rectangles")}


@pytest.mark.parametrize(
    ("name", "protocol"), [(name, protocol) for name in recipes.names() for protocol in recipes.find(name).protocols]
)
def test_photographs_are_restored_as_well_as_the_record_says(name, protocol):
    recorded = record(name)["scores"][protocol]
    assert list(recorded["network"]["psnr_by_picture"]) == list(scoring.test_photographs())
    found = {"network": scoring.score(models.load(name), protocol, two_photographs()), **scores_of_baselines(protocol)}
    for who, row in found.items():
        for picture, psnr in zip(row.pictures, row.psnr, strict=True):
            assert psnr == pytest.approx(recorded[who]["psnr_by_picture"][picture], abs=0.02)
    if (name, protocol) not in NOT_AHEAD:
        assert recorded["network"]["psnr"] > max(recorded[who]["psnr"] for who in scoring.baselines(protocol))


@pytest.mark.parametrize("name", [name for name in recipes.names() if name.startswith("style_fast")])
def test_photographs_are_painted_as_the_record_says(name):
    recorded = record(name)["scores"]
    assert_alike(recipes.find(name).evaluate(models.load(name), photographs=1), recorded)
    means = {way: row["style_distance"] for way, row in recorded.items()}
    assert means["network"] < 0.7 * min(means["photograph"], means["histograms"], means["blending"])


def test_photographs_are_painted_in_any_style_as_the_record_says():
    """Two paintings that it never saw and two that it did, beside what needs no network."""
    recorded = record("style_adain")["scores"]
    found = recipes.find("style_adain").evaluate(models.load("style_adain"), photographs=1)
    assert list(found) == list(recorded)
    for painting, rows in found.items():
        assert_alike(rows, recorded[painting])


def assert_alike(found: dict, recorded: dict) -> None:
    """The distances of each way to paint, for the photographs that were painted again."""
    assert list(found) == list(recorded)
    for way, row in found.items():
        for picture, distances in row["style_and_content_by_picture"].items():
            assert distances == pytest.approx(
                recorded[way]["style_and_content_by_picture"][picture], rel=0.02, abs=0.002
            )


def two_photographs() -> dict:
    return dict(list(scoring.test_photographs().items())[:2])  # their places seed their noise


@cache
def scores_of_baselines(protocol: str) -> dict:
    """On one photograph, once for all networks of a protocol: the slower ones take seconds a picture."""
    return scoring.score_all({}, protocol, dict(list(two_photographs().items())[:1]))
