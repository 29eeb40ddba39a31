"""The files of data/: manifest, credits and README agree with them; damage is noticed; the scripts rebuild them."""

import csv
import gzip
import io
import json
import os
import re
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from course_utils import data, data_files, paths
from course_utils.cli.restore import present_files
from course_utils.data_files import DataFileError, data_file, read_manifest, sha256

PREPARE = paths.DATA / "prepare"
sys.path.insert(0, str(PREPARE))

import manifest as manifest_script  # noqa: E402
import packages  # noqa: E402
import photographs as photographs_script  # noqa: E402
import qt_resources  # noqa: E402
import readme as readme_script  # noqa: E402

# A package's test is skipped where this folder does not have its file; fetching is left to `all.py`.
PACKAGES = Path(os.environ.get("COURSE_PACKAGES", paths.ROOT / "packages"))


def credits() -> dict[str, dict[str, str]]:
    with (paths.DATA / "CREDITS.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for folder in ("enlargers", "perceptual"):
        rows += [json.loads(path.read_text(encoding="utf-8")) for path in (paths.DATA / folder).glob("*.json")]
    assert len({row["file"] for row in rows}) == len(rows)
    return {row["file"]: row for row in rows}


# ---------------------------------------------------------------------------------- what is shipped agrees


def test_the_manifest_lists_every_file_and_no_other():
    assert sorted(read_manifest()) == present_files(paths.DATA)


def test_every_file_is_as_shipped():
    for name, checksum in read_manifest().items():
        assert sha256(paths.DATA / name) == checksum, name


def test_the_data_is_light():
    sizes = {name: (paths.DATA / name).stat().st_size for name in read_manifest()}
    networks = sum(size for name, size in sizes.items() if name.startswith(("weights/", "enlargers/", "perceptual/")))
    assert sum(sizes.values()) - networks < 90e6 and sum(sizes.values()) < 150e6


def test_every_picture_has_a_credit_and_every_credit_a_picture():
    pictures = {name for name in read_manifest() if re.search(r"\.(webp|gz|h5|npz)$", name)}
    own = {name for name in pictures if name.startswith("weights/") and "efficientnet" not in name}
    credited = set(credits())
    assert credited - {"weights/imagenet_classes.txt"} == pictures - own


def test_credits_are_complete():
    for name, row in credits().items():
        assert all(row[column].strip() for column in ("title", "author", "source", "licence")), name
        if name.startswith("photographs/"):
            assert row["source"].startswith(("https://", "http://")), name


def test_licences_of_the_pictures():
    licences = Counter(row["licence"] for name, row in credits().items() if name.startswith(("photo", "paint")))
    assert licences == {
        "Public domain": 143,
        "CC0-1.0": 92,
        "CC-BY-SA-4.0": 27,
        "CC-BY-2.0": 2,
        "CC-BY-3.0": 2,
    }
    others = {row["licence"] for name, row in credits().items() if not name.startswith(("photo", "paint"))}
    assert others == {"MIT", "Apache-2.0"}
    for licence in others:
        assert (paths.DATA / "licences" / f"{licence}.txt").stat().st_size > 1_000


def test_the_readme_shows_the_tables_of_these_files():
    text = (paths.DATA / "README.md").read_text(encoding="utf-8")
    assert readme_script.tables() in text
    for link in re.findall(r"\]\((?!http)([^)#]+)\)", text):
        assert (paths.DATA / link).exists(), link


def test_the_photographs_are_those_of_the_list():
    columns = ("name", "category", "split")
    listed = [tuple(row[column] for column in columns) for row in readme_script.read_rows(PREPARE / "photographs.csv")]
    assert listed == [(record.name, record.category, record.split) for record in data.photograph_table()]


def photograph_file(row: dict[str, str]) -> Path:
    return paths.DATA / "photographs" / f"{row['name']}.webp"


def is_lossless(row: dict[str, str]) -> bool:
    return photograph_file(row).read_bytes()[12:16] == b"VP8L"  # the kind of a WebP file's first chunk


def photograph_rows(stored: str) -> list[dict[str, str]]:
    """Rows of photographs.csv: "lossy" ones have their decibels, "lossless" ones and those "copied" lost nothing."""
    rows = readme_script.read_rows(paths.DATA / "photographs" / "photographs.csv")
    kinds = ["lossy" if row["luma_psnr"] else "lossless" if is_lossless(row) else "copied" for row in rows]
    return [row for row, kind in zip(rows, kinds, strict=True) if kind == stored]


def test_what_storing_the_photographs_lost_is_recorded_and_little():
    lossy, lossless, copied = (photograph_rows(stored) for stored in ("lossy", "lossless", "copied"))
    assert (len(lossy), len(lossless), len(copied)) == (110, 13, 135)
    assert not any(is_lossless(row) for row in lossy)
    assert all(float(row["luma_psnr"]) >= photographs_script.LEAST_LUMA for row in lossy)
    assert all(float(row["rgb_psnr"]) >= photographs_script.LEAST_RGB for row in lossy)
    assert all((row["reduced"], row["original"], row["rgb_psnr"]) == ("1", "lossy", "") for row in copied)
    assert sum(row["original"] == "lossless" for row in lossless) == 7


def test_the_lossy_photographs_are_of_high_quality():
    """A file of quality 85 loses little when encoded at 85 again (a median of 47 dB), a better one more (41 dB)."""
    losses = []
    for row in photograph_rows("lossy")[::8]:
        shipped = Image.open(photograph_file(row)).convert("RGB")
        again = io.BytesIO()
        shipped.save(again, "WEBP", quality=85)
        losses.append(photographs_script.loss(shipped, again.getvalue())[0])
    assert np.median(losses) < 43


# --------------------------------------------------------------------------------------- damage is noticed


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """A small data folder with a manifest of its own; loaders read from it and have nothing cached."""
    folder = tmp_path / "data"
    for name in ("mnist/test-images-idx3-ubyte.gz", "mnist/test-labels-idx1-ubyte.gz", "paintings/harvest.webp"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes((paths.DATA / name).read_bytes())
    manifest_script.write_manifest(folder)
    monkeypatch.setattr(paths, "DATA", folder)
    _forget()
    yield folder
    _forget()


def _forget():
    for module in (data, data_files):
        for function in vars(module).values():
            if hasattr(function, "cache_clear"):
                function.cache_clear()


def test_an_intact_copy_loads(copy):
    assert data.mnist("test")[0].shape == (2_004, 28, 28, 1)
    assert data.painting("harvest").shape == (500, 606, 3)


def damage_missing(path):
    path.unlink()


def damage_cut_short(path):
    path.write_bytes(path.read_bytes()[:-1])


def damage_one_bit(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def damage_empty(path):
    path.write_bytes(b"")


def damage_folder(path):
    path.unlink()
    path.mkdir()


DAMAGES = [damage_missing, damage_cut_short, damage_one_bit, damage_empty, damage_folder]


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize(
    "name, load",
    [
        ("mnist/test-images-idx3-ubyte.gz", lambda: data.mnist("test")),
        ("mnist/test-labels-idx1-ubyte.gz", lambda: data.mnist("test")),
        ("paintings/harvest.webp", lambda: data.painting("harvest")),
    ],
)
def test_damage_names_the_file_both_checksums_and_the_command(copy, name, load, damage):
    expected = read_manifest()[name]
    damage(copy / name)
    with pytest.raises(DataFileError) as caught:
        load()
    message = str(caught.value)
    assert f"data/{name}" in message and expected in message
    assert f"python course.py data restore {name}" in message
    if damage in (damage_cut_short, damage_one_bit, damage_empty):
        assert sha256(copy / name) in message
    else:
        assert "nothing readable" in message


def test_a_repaired_file_loads_without_a_new_start(copy):
    path = copy / "paintings/harvest.webp"
    content = path.read_bytes()
    damage_cut_short(path)
    with pytest.raises(DataFileError):
        data.painting("harvest")
    path.write_bytes(content)
    assert data.painting("harvest").shape == (500, 606, 3)


def test_a_file_is_checked_once(copy):
    first = data_file("paintings/harvest.webp")
    damage_cut_short(first)
    assert data_file("paintings/harvest.webp") == first


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (None, "No such file"),
        (b"\xff\xfe\x00", "can't decode"),
        (b"", "an empty file"),
        (b"\n", "an empty file"),
        (b"0" * 63, "line 1 is cut short or changed: '000"),
        (b"0" * 64 + b"  paintings/harvest.we", "line 1 is cut short"),
        (b"0" * 64 + b"  paintings/harvest.webp", "line 1 is cut short"),  # its end is gone: more may be
        (b"0" * 64 + b"  a.webp\n" + b"0" * 64, "line 2 is cut short"),
        (b"0" * 64 + b"  a.webp\n" + b"0" * 64 + b"  \n", "line 2 is cut short"),
        (b"0" * 64 + b"  ../a.webp\n", "must stay inside the folder"),
    ],
)
def test_a_manifest_that_is_missing_unreadable_empty_cut_or_foreign_names_the_command(copy, content, found):
    (copy / "MANIFEST.sha256").unlink()
    if content is not None:
        (copy / "MANIFEST.sha256").write_bytes(content)
    for load in (lambda: data.painting("harvest"), lambda: data.mnist("test"), read_manifest):
        with pytest.raises(DataFileError, match=re.escape(found)) as caught:
            load()
        assert str(caught.value).endswith("run: python course.py data restore MANIFEST.sha256")


def test_a_manifest_cut_between_two_lines_is_named_beside_the_spelling(copy):
    manifest = copy / "MANIFEST.sha256"
    lines = manifest.read_text().splitlines(keepends=True)
    manifest.write_text("".join(line for line in lines if "paintings" not in line), newline="\n")
    with pytest.raises(DataFileError, match=r"check the spelling(?s:.*)data restore MANIFEST\.sha256$"):
        data.painting("harvest")


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_a_manifest_reads_the_same_with_the_line_ends_of_windows(copy, ending):
    before = read_manifest()
    text = (copy / "MANIFEST.sha256").read_text()
    (copy / "MANIFEST.sha256").write_text(text, newline=ending)
    assert len(before) == 3
    assert read_manifest() == before == data_files.parse_manifest(text.replace("\n", ending), copy)


def test_a_file_that_is_not_in_the_manifest(copy):
    (copy / "paintings" / "mine.webp").write_bytes(b"x")
    with pytest.raises(DataFileError, match=r"data/paintings/mine\.webp is not listed"):
        data_file("paintings/mine.webp")


# ------------------------------------------------------------------------------ readers of package formats


def test_a_debian_package(tmp_path):
    """An `ar` archive made by hand: members padded to even lengths, the data as a tar file."""
    import tarfile

    inner = io.BytesIO()
    with tarfile.open(fileobj=inner, mode="w:xz") as archive:
        info = tarfile.TarInfo("./usr/share/hello.txt")
        info.size = 5
        archive.addfile(info, io.BytesIO(b"hello"))
    members = [(b"debian-binary", b"2.0"), (b"data.tar.xz", inner.getvalue())]  # 2.0 has odd length
    content = b"!<arch>\n"
    for name, body in members:
        header = (
            name.ljust(16) + b"0".ljust(12) + b"0".ljust(6) * 2 + b"644".ljust(8) + str(len(body)).encode().ljust(10)
        )
        content += header + b"`\n" + body + b"\n" * (len(body) % 2)
    (tmp_path / "dataset-fashion-mnist_1_all.deb").write_bytes(content)
    assert packages.files("fashion-mnist", tmp_path) == {"usr/share/hello.txt": b"hello"}


def test_a_missing_package_says_how_to_fetch_it(tmp_path, monkeypatch):
    monkeypatch.setattr(packages.shutil, "which", lambda _: None)
    with pytest.raises(FileNotFoundError, match="fetch it there with `apt-get download gcompris-qt-data`"):
        packages.find("gcompris", tmp_path)


def test_other_files_are_no_qt_resource():
    with pytest.raises(ValueError, match="not a Qt resource file"):
        qt_resources.read_resources(b"PK\3\4" + bytes(60))


# ------------------------------------------------------------------------------------------------- rebuild


def need_packages(name):
    """Skips where the packages of a prepare script are not at hand."""
    needed = {
        "fashion_mnist": ["fashion-mnist"],
        "mnist": ["mnist"],
        "photographs": ["gcompris"],
        "paintings": ["gcompris"],
        "emoji": ["noto-emoji", "fluent-emoji"],
        "efficientnet": ["efficientnet", "mobilenet"],
        "esrgan": ["esrgan-legacy"],
        "esrgan_slim": ["esrgan-slim"],
        "vgg": ["hed"],
    }[name]
    for package in needed:
        pattern, _ = packages.PACKAGES[package]
        if not list(PACKAGES.glob(pattern)):
            pytest.skip(f"no {pattern} in {PACKAGES}: set COURSE_PACKAGES to the folder of the package files")


def rebuilt(name, tmp_path):
    """The files that a prepare script writes, or a skip where its packages are not at hand."""
    import importlib

    need_packages(name)
    rows = importlib.import_module(name).build(PACKAGES, tmp_path)
    shipped = credits()
    assert all(shipped[row["file"]] == row for row in rows)
    assert rows or name in ("esrgan", "esrgan_slim", "vgg")  # whose credits are among the files
    return sorted(path for path in tmp_path.rglob("*") if path.is_file())


@pytest.mark.parametrize(
    "name",
    ["fashion_mnist", "mnist", "photographs", "paintings", "emoji", "efficientnet", "esrgan", "esrgan_slim", "vgg"],
)
def test_the_packages_give_the_shipped_files(name, tmp_path):
    files = rebuilt(name, tmp_path)
    listed = set(read_manifest())
    for path in files:
        shipped = paths.DATA / path.relative_to(tmp_path)
        assert path.relative_to(tmp_path).as_posix() in listed
        if path.read_bytes() != shipped.read_bytes():  # other versions of the libraries pack differently
            _same_content(path, shipped)


def test_the_photographs_keep_what_is_recorded():
    need_packages("photographs")
    recorded = {row["name"]: row for stored in ("lossy", "lossless") for row in photograph_rows(stored)}
    for listed in readme_script.read_rows(PREPARE / "photographs.csv"):
        content, _ = photographs_script.original(listed["source"], PACKAGES)
        shipped = photograph_file(listed).read_bytes()
        if row := recorded.get(listed["name"]):
            before = photographs_script.scaled(content, int(row["reduced"]))
            decibels = [float(row[column] or "inf") for column in ("luma_psnr", "rgb_psnr")]
            assert photographs_script.loss(before, shipped) == pytest.approx(decibels, abs=0.02), row["name"]
        else:
            assert shipped == content, listed["name"]


def _same_content(path, shipped):
    if path.suffix == ".webp":
        one, other = (np.asarray(Image.open(file).convert("RGBA"), float) for file in (path, shipped))
        assert one.shape == other.shape and np.abs(one - other).mean() < 2, path.name
    elif path.name == "photographs.csv":
        one, other = (readme_script.read_rows(file) for file in (path, shipped))
        for row in one + other:
            del row["luma_psnr"], row["rgb_psnr"]
        assert one == other
    elif path.suffix == ".gz":
        assert gzip.decompress(path.read_bytes()) == gzip.decompress(shipped.read_bytes()), path.name
    elif path.suffix == ".h5":
        h5py = pytest.importorskip("h5py")
        contents = [{}, {}]
        for file, content in zip((path, shipped), contents, strict=True):
            with h5py.File(file) as h5:
                h5.visititems(
                    lambda key, item, content=content: (
                        content.update({key: item[()]} if item.shape else {})
                        if isinstance(item, h5py.Dataset)
                        else None
                    )
                )
        assert contents[0].keys() == contents[1].keys()
        assert all(np.array_equal(contents[0][key], contents[1][key]) for key in contents[0])
    elif path.suffix == ".npz":
        with np.load(path) as one, np.load(shipped) as other:
            assert sorted(one) == sorted(other) and all(np.array_equal(one[key], other[key]) for key in one)
    else:
        raise AssertionError(f"{path.name} differs from the shipped file")
