"""`course score`: the table it prints, on the course's photographs and on a folder, and what it refuses."""

import importlib
import re
import sys

import numpy as np
import pytest
from PIL import Image

from course_utils import classical, cli, data, models, recipes, scoring
from course_utils.image_files import as_image


@pytest.fixture
def folder(tmp_path):
    """One picture in colour, of odd size, and one in grey."""
    photo = as_image(data.photograph("koala")[100:201, 100:231])
    photo.save(tmp_path / "colour.png")
    photo.convert("L").save(tmp_path / "grey.bmp")
    return tmp_path


def course(*arguments):
    return cli.main(["score", *map(str, arguments)])


def test_the_table_is_that_of_the_scorer(folder, capsys):
    assert course("sr_x2", "--folder", folder) == 0
    printed = capsys.readouterr().out
    pictures = scoring.folder_pictures(folder)
    scoring.table(scoring.score_all({"sr_x2": models.load("sr_x2")}, "sr_x2", pictures))
    assert printed == capsys.readouterr().out
    assert [line.split()[0] for line in printed.splitlines()[1:]] == ["bicubic", "Lanczos", "sr_x2", "sr_x2:"]
    assert "2 pictures, Y of BT.601 or grey, 2 pixels cut off each border" in printed


def test_without_a_folder_it_takes_the_test_photographs(monkeypatch, capsys):
    crop = {"koala": data.photograph("koala")[:64, :64]}
    monkeypatch.setattr(scoring, "test_photographs", lambda: crop)
    assert course("sr_x2") == 0 and "sr_x2: 1 pictures" in capsys.readouterr().out


def test_every_protocol_of_a_network_has_its_table(folder, monkeypatch, capsys):
    monkeypatch.setattr(importlib.import_module("course_utils.recipes.sr_x2"), "PROTOCOLS", ("sr_x2", "sr_x2"))
    assert course("sr_x2", "--folder", folder) == 0
    assert capsys.readouterr().out.count("sr_x2: 2 pictures") == 2


BM3D = """
def bm3d(z, sigma_psd):
    assert z.ndim == 2 and abs(sigma_psd - 15 / 255) < 1e-6
    return z

def bm3d_rgb(z, sigma_psd):
    assert z.shape[2:] == (3,) and abs(sigma_psd - 15 / 255) < 1e-6
    return z
"""


def test_bm3d_has_a_row_where_the_user_has_installed_it(folder, tmp_path, monkeypatch, capsys):
    """A stand-in that changes nothing, for grey and colour: the package's licence keeps it out of the course."""
    package = tmp_path / "packages"
    package.mkdir()
    (package / "bm3d.py").write_text(BM3D)
    monkeypatch.syspath_prepend(package)
    monkeypatch.delitem(sys.modules, "bm3d", raising=False)
    monkeypatch.setattr(importlib.import_module("course_utils.recipes.denoise"), "PROTOCOLS", ("denoise_15",))
    assert course("denoise", "--folder", folder) == 0
    rows = {line.split()[0]: line.split()[-3] for line in capsys.readouterr().out.splitlines()[1:-1]}
    assert list(rows)[-2:] == ["BM3D", "denoise"] and rows["BM3D"] == "≈0.00"  # the gain
    sys.modules.pop("bm3d")
    assert not classical.extras("sr_x2") and not classical.extras("deblur_motion")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("sr_x9",), "there is no network 'sr_x9' to score; there are: .*sr_x2"),
        (("gan_fashion",), "gan_fashion does not restore pictures, .*; .*sr_x2.* do"),
        (("sr_x2", "--folder", "nowhere"), "there is no folder nowhere"),
    ],
)
def test_what_cannot_be_scored_is_told_in_a_line(arguments, message, capsys):
    assert course(*arguments) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and re.search(message, error), error


def test_an_empty_folder_and_too_small_and_broken_pictures_are_told(tmp_path, capsys):
    assert course("sr_x2", "--folder", tmp_path) == 2
    assert "holds no pictures, expected files that end in .png" in capsys.readouterr().err
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(tmp_path / "tiny.png")
    assert course("sr_x2", "--folder", tmp_path) == 2
    assert "SSIM needs 11x11 pixels or more" in capsys.readouterr().err
    (tmp_path / "tiny.png").write_bytes(b"no picture")
    assert course("sr_x2", "--folder", tmp_path) == 2
    assert "tiny.png" in capsys.readouterr().err


def test_restorers_say_their_protocols():
    from course_utils import degrade

    for name in recipes.names():
        assert set(recipes.find(name).protocols) <= set(degrade.PROTOCOLS)
    assert recipes.find("sr_x2").protocols == ("sr_x2",)
