"""The data sets that ship with the course: shapes, ranges, labels, splits, speed and protection."""

import subprocess
import sys
from collections import Counter

import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier

from course_utils import data
from course_utils.data_files import DataFileError

# ------------------------------------------------------------------------------------------ clothes and digits


@pytest.mark.parametrize("split, count", [("train", 55_000), ("validation", 5_000), ("test", 10_000)])
def test_fashion_mnist(split, count):
    images, labels = data.fashion_mnist(split)
    assert images.shape == (count, 28, 28, 1) and images.dtype == np.float32
    assert labels.shape == (count,) and labels.dtype == np.int64
    assert images.min() == 0 and images.max() == 1
    assert set(labels) == set(range(10)) and len(data.FASHION_MNIST_NAMES) == 10


def test_fashion_mnist_is_the_published_one():
    labels = np.concatenate([data.fashion_mnist(split)[1] for split in ("train", "validation")])
    assert (np.bincount(labels) == 6_000).all()  # the paper: 7,000 of each class, 6,000 of them to train
    assert (np.bincount(data.fashion_mnist("test")[1]) == 1_000).all()
    first = [data.FASHION_MNIST_NAMES[label] for label in labels[:3]]
    assert first == ["Ankle boot", "T-shirt/top", "T-shirt/top"]
    mean = np.concatenate([data.fashion_mnist(split)[0] for split in ("train", "validation")]).mean(dtype=np.float64)
    assert mean == pytest.approx(0.2860, abs=5e-5)  # the mean that everybody normalises with


@pytest.mark.parametrize("split, count", [("train", 7_996), ("test", 2_004)])
def test_mnist(split, count):
    images, labels = data.mnist(split)
    assert images.shape == (count, 28, 28, 1) and images.dtype == np.float32
    assert labels.shape == (count,) and labels.dtype == np.int64
    assert images.min() == 0 and images.max() == 1
    assert np.bincount(labels).min() > 0.08 * count
    assert np.array_equal(images, np.float32(np.rint(images * 255)) / np.float32(255))


def test_mnist_labels_belong_to_their_pictures_and_no_picture_is_in_both_splits():
    (train, train_labels), (test, test_labels) = data.mnist("train"), data.mnist("test")
    judge = KNeighborsClassifier(1).fit(train[:2000].reshape(2000, -1), train_labels[:2000])
    assert judge.score(test.reshape(len(test), -1), test_labels) > 0.8
    seen = {image.tobytes() for image in train}
    assert not any(image.tobytes() in seen for image in test)


@pytest.mark.parametrize("loader", [data.fashion_mnist, data.mnist])
def test_another_split_is_refused(loader):
    with pytest.raises(ValueError, match=r"split must be one of 'train'.*got 'valid'"):
        loader("valid")


# ----------------------------------------------------------------------------------- photographs and paintings


def test_photographs_by_split():
    counts = {split: len(data.photographs(split)) for split in ("train", "validation", "test", "show")}
    assert counts["show"] == 12
    assert sum(counts.values()) == len(data.photographs()) == len(data.photograph_table()) >= 200
    assert min(counts.values()) == 12 and counts["validation"] >= 40 and counts["test"] >= 60


def test_every_photograph_is_what_its_record_says():
    for record in data.photograph_table():
        image = data.photograph(record.name)
        assert image.shape == (record.height, record.width, 3), record.name
        assert image.dtype == np.float32 and 0 <= image.min() < image.max() <= 1, record.name
        assert record.title and record.author and record.category and record.reduced in (1, 2, 3), record.name
        assert record.name.replace("_", "").isalpha() and record.name.islower()


def test_the_photographs_to_show_are_free_of_conditions():
    licences = {record.licence for record in data.photograph_table() if record.split == "show"}
    assert licences == {"Public domain", "CC0-1.0"}


def test_names_by_split_and_category():
    names = data.photograph_names()
    assert len(set(names)) == len(names)
    splits = ("train", "validation", "test", "show")
    assert sorted(name for split in splits for name in data.photograph_names(split)) == sorted(names)
    assert "clownfish" in data.photograph_names("show", "fish")
    assert "hedgehog" not in data.photograph_names(category="fish")
    assert len(data.photographs("test", "fish")) == len(data.photograph_names("test", "fish"))


@pytest.mark.parametrize("category", ["animal", "fish", "monument", "tool", "windmill"])
def test_categories_to_classify_have_pictures_in_every_split(category):
    counts = Counter(record.split for record in data.photograph_table() if record.category == category)
    assert counts["train"] >= 7 and counts["validation"] >= 3 and counts["test"] >= 4


def test_no_photograph_comes_twice():
    """Thumbnails of 8x8 colours, free of brightness and contrast, correlate fully where a picture is repeated."""
    thumbnails = np.array([_thumbnail(data.photograph(name)) for name in data.photograph_names()])
    correlations = thumbnails @ thumbnails.T
    assert np.allclose(np.diag(correlations), 1)
    assert np.triu(correlations, 1).max() < 0.95


def _thumbnail(image):
    rows = [part.mean(0) for part in np.array_split(image.astype(np.float64), 8)]
    cells = np.array([[part.mean(0) for part in np.array_split(row, 8)] for row in rows])
    cells = (cells - cells.mean((0, 1))).ravel()
    return cells / np.linalg.norm(cells)


@pytest.mark.parametrize(
    "one, other",
    [("taj_mahal", "taj_mahal_river"), ("great_wall", "great_wall_hills"), ("old_hammer", "old_hammer_red")],
)
def test_two_pictures_of_one_thing_share_a_split(one, other):
    splits = {record.name: record.split for record in data.photograph_table()}
    assert splits[one] == splits[other]


def test_colours_are_in_order():
    red, green, blue = data.photograph("clownfish").mean((0, 1))
    assert blue > red  # the sea
    red, green, blue = data.photograph("red_pyramid")[-40:].mean((0, 1))
    assert red > green > blue  # sand


def test_unknown_names_get_the_nearest():
    with pytest.raises(KeyError, match="did you mean 'hedgehog'"):
        data.photograph("hedghog")
    with pytest.raises(KeyError, match=r"see data.photograph_names\(\)"):
        data.photograph("../../etc/passwd")
    with pytest.raises(KeyError, match="did you mean 'night_cafe'"):
        data.painting("night_caffee")
    with pytest.raises(ValueError, match=r"category must be one of 'animal'.*got 'cats'"):
        data.photograph_names(category="cats")
    with pytest.raises(ValueError, match="split must be one of"):
        data.photographs("all")


def test_paintings():
    paintings = data.paintings()
    assert len(paintings) == 8 and list(paintings) == sorted(paintings) == data.painting_names()
    for image in paintings.values():
        assert image.shape[0] == 500 and image.shape[2] == 3 and image.dtype == np.float32
    assert data.painting("night_cafe") is paintings["night_cafe"]


# ------------------------------------------------------------------------------------------------------- emoji


@pytest.mark.parametrize("style", ["noto", "fluent"])
def test_emoji(style):
    few, all_of_them = data.emoji(style), data.emoji(style, skin_tones=True)
    assert len(all_of_them.names) == 3_372 and len(few.names) == 1_852
    for emoji in (few, all_of_them):
        count = len(emoji.names)
        assert emoji.images.shape == (count, 32, 32, 4) and emoji.images.dtype == np.float32
        assert emoji.images.min() == 0 and emoji.images.max() == 1
        for column in (emoji.categories, emoji.subcategories, emoji.codes, emoji.skin_tones):
            assert len(column) == count
        assert emoji.images[..., 3].mean((1, 2)).min() > 0.02  # no tile is empty
    assert set(few.skin_tones) == {""} and len(set(all_of_them.codes)) == 3_372


def test_both_styles_show_the_same_thing_under_the_same_index():
    noto, fluent = data.emoji("noto"), data.emoji("fluent")
    assert noto.names == fluent.names and noto.codes == fluent.codes
    for name, channel in [("red heart", 0), ("green heart", 1), ("blue heart", 2)]:
        code = {"red heart": "2764-fe0f", "green heart": "1f49a", "blue heart": "1f499"}[name]
        for emoji in (noto, fluent):
            image = emoji.images[emoji.codes.index(code)]
            colour = (image[..., :3] * image[..., 3:]).sum((0, 1))
            assert colour.argmax() == channel, (name, colour)


def test_on_background():
    pixel = np.array([[[0.5, 0.25, 1.0, 0.2]]], np.float32)
    assert np.allclose(data.on_background(pixel), [[[0.9, 0.85, 1.0]]])
    assert np.allclose(data.on_background(pixel, (0, 0.5, 1)), [[[0.1, 0.45, 1.0]]])
    assert data.on_background(np.zeros((0, 32, 32, 4), np.float32)).shape == (0, 32, 32, 3)
    assert data.on_background(data.emoji("noto").images[:2]).dtype == np.float32
    assert data.on_background(pixel.astype(np.float64)).dtype == np.float32
    with pytest.raises(ValueError, match=r"must end in 4 channels.*got shape \(2, 2, 3\)"):
        data.on_background(np.zeros((2, 2, 3)))


@pytest.mark.parametrize("value", [np.uint8(255), 1, 255.0, -0.5, np.nan, True])
def test_only_floating_point_pictures_in_range_are_laid_on_a_background(value):
    with pytest.raises(ValueError, match=r"floating-point numbers in \[0, 1\], got .*: divide bytes"):
        data.on_background(np.full((2, 2, 4), value))


@pytest.mark.parametrize("background", ["white", None, 255, (1, 0), np.nan])
def test_a_background_is_a_colour(background):
    with pytest.raises(ValueError, match="background must be a grey level or an RGB colour"):
        data.on_background(np.zeros((2, 2, 4), np.float32), background)


def test_another_style_is_refused():
    with pytest.raises(ValueError, match="style must be 'noto' or 'fluent', got 'apple'"):
        data.emoji("apple")


# -------------------------------------------------------------------------------------- protection and speed

LOADERS = {
    "fashion_mnist": lambda: data.fashion_mnist("train")[0],
    "fashion_mnist labels": lambda: data.fashion_mnist("test")[1],
    "mnist": lambda: data.mnist("test")[0],
    "photograph": lambda: data.photograph("chelsea"),
    "painting": lambda: data.painting("harvest"),
    "emoji": lambda: data.emoji("fluent").images,
}


@pytest.mark.parametrize("name", LOADERS)
def test_a_student_cannot_change_what_is_kept(name):
    array = LOADERS[name]()
    with pytest.raises(ValueError, match="read-only"):
        array[0] = 0
    with pytest.raises(ValueError, match="read-only"):
        array[:1] *= 2
    mine = array.copy()
    mine[0] = 0
    assert np.shares_memory(LOADERS[name](), array)  # read once


def test_the_table_is_the_students_own():
    data.photograph_table().clear()
    data.photograph_names().clear()
    assert data.photograph_table() and data.photograph_names()


def test_importing_needs_no_deep_learning_framework():
    code = "import sys; from course_utils import data; print({'tensorflow', 'keras', 'matplotlib'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_data_file_error_is_an_os_error():
    assert issubclass(DataFileError, OSError) and data.DataFileError is DataFileError


def test_emoji_pictures_hold_out_every_tenth_emoji_in_both_drawings():
    images, labels = data.emoji_pictures("train")
    held_out, held_out_labels = data.emoji_pictures("test")
    assert images.shape == (3334, 32, 32, 3) and held_out.shape == (370, 32, 32, 3)
    assert images.dtype == np.float32 and labels.dtype == np.int64
    assert labels[:4].tolist() == held_out_labels[:4].tolist() == [0, 1, 0, 1]
    fluent = data.emoji("fluent").images
    expected = fluent[9, ..., :3] * fluent[9, ..., 3:] + 1 - fluent[9, ..., 3:]
    np.testing.assert_allclose(held_out[1], expected, atol=1e-6)
    assert not {image.tobytes() for image in images[::2]} & {image.tobytes() for image in held_out[::2]}
    with pytest.raises(ValueError, match="'train', 'test', got 'validation'"):
        data.emoji_pictures("validation")
