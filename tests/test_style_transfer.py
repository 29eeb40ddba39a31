"""Style transfer by a network: its sizes and normalisation, the loss against sums by hand, and that it learns."""

import keras
import numpy as np
import pytest
from fixtures.eager import eager
from keras import ops

from course_utils import training
from course_utils.models import style, vgg
from course_utils.models.restorer import Restorer

RANDOM = np.random.default_rng(0)
PICTURES = RANDOM.random((2, 32, 48, 3), dtype=np.float32)
PAINTING = RANDOM.random((40, 32, 3), dtype=np.float32)


def small(normalisation: str = "instance") -> Restorer:
    training.set_seed(0)
    return Restorer(style.transfer_network((4, 6), 1, normalisation))


def loss_of(photographs, painted, *, content_weight=0.0, variation_weight=0.0, painting=PAINTING) -> np.ndarray:
    loss = style.perceptual_loss(painting, content_weight=content_weight, variation_weight=variation_weight)
    return ops.convert_to_numpy(loss(photographs, painted))


@pytest.mark.parametrize("size", [(32, 48), (9, 13), (1, 1)])
def test_a_picture_of_any_size_comes_back_in_its_size_and_in_range(size):
    pictures = RANDOM.random((2, *size, 3), dtype=np.float32)
    for normalisation in ("instance", "batch", "none"):
        painted = ops.convert_to_numpy(small(normalisation)(pictures))
        assert painted.shape == pictures.shape and 0 <= painted.min() <= painted.max() <= 1


def test_a_picture_is_continued_by_its_mirror_image():
    for height, width in ((5, 7), (2, 3), (1, 1)):
        images = RANDOM.random((2, height, width, 3), dtype=np.float32)
        expected = np.pad(images, ((0, 0), (4, 4), (4, 4), (0, 0)), mode="symmetric")
        np.testing.assert_array_equal(style.Mirror(4)(images), expected)


def test_with_instance_normalisation_the_contrast_of_a_picture_does_not_matter():
    """Halved, it is painted alike; each picture of a batch by itself."""
    squares = PICTURES[:, :4, :6].repeat(style.COARSE, axis=1).repeat(style.COARSE, axis=2)
    changes = {}
    for normalisation in ("instance", "batch", "none"):
        model = small(normalisation)
        whole, half, both = (ops.convert_to_numpy(model(x)) for x in (squares[:1], squares[:1] / 2, squares))
        np.testing.assert_allclose(both[:1], whole, atol=1e-5)
        changes[normalisation] = np.abs(half - whole).max()
    assert changes["instance"] < 0.02 < 0.05 < min(changes["batch"], changes["none"])


def test_the_network_hands_on_mean_colours_and_nothing_finer():
    """With the weights of the strokes at 0: two pictures of equal means of squares are painted alike."""
    model = small()
    strokes = model.network.get_layer("strokes")
    strokes.set_weights([np.zeros_like(weights) for weights in strokes.get_weights()])
    turned = PICTURES.reshape(2, 4, 8, 6, 8, 3)[:, :, ::-1, :, ::-1].reshape(PICTURES.shape)
    painted, other = (ops.convert_to_numpy(model(pictures)) for pictures in (PICTURES, turned))
    np.testing.assert_allclose(painted, other, atol=1e-5)
    assert np.ptp(painted, axis=(1, 2)).min() > 0.02  # colours differ from place to place


def test_gram_matrices_are_means_over_places():
    maps = RANDOM.standard_normal((2, 3, 5, 4)).astype(np.float32)
    expected = np.einsum("nhwa,nhwb->nab", maps, maps) / 15
    np.testing.assert_allclose(style.gram_matrices(maps), expected, atol=1e-5)


def test_the_painting_itself_has_no_distance_in_style_and_a_photograph_none_from_itself_in_content():
    assert loss_of(PAINTING[np.newaxis], PAINTING[np.newaxis]) == pytest.approx(0, abs=1e-6)
    alone = loss_of(PICTURES, PICTURES)
    np.testing.assert_allclose(loss_of(PICTURES, PICTURES, content_weight=9.0), alone, rtol=1e-5)
    assert (loss_of(PICTURES[::-1], PICTURES, content_weight=9.0) > alone + 0.1).all()


def test_each_part_of_the_loss_is_what_it_says():
    painted = PICTURES[::-1].copy()
    names = (style.CONTENT_LAYER, *style.STYLE_LAYERS)
    eyes = vgg.features(names, pooling="average")
    maps, content, wanted = ({k: np.array(v) for k, v in eyes(x).items()} for x in (painted, PICTURES, PAINTING[None]))
    style_part = np.zeros(2)
    for name in style.STYLE_LAYERS:
        gram = np.einsum("hwa,hwb->ab", *2 * [wanted[name][0]]) / wanted[name][0, ..., 0].size
        own = np.einsum("nhwa,nhwb->nab", maps[name], maps[name]) / maps[name][0, ..., 0].size
        style_part += np.sum((own - gram) ** 2, axis=(1, 2)) / np.sum(gram**2) / 4
    np.testing.assert_allclose(loss_of(PICTURES, painted), style_part, rtol=1e-3)
    from_content = maps[style.CONTENT_LAYER] - content[style.CONTENT_LAYER]
    content_part = np.mean(from_content**2, axis=(1, 2, 3)) / np.mean(content[style.CONTENT_LAYER] ** 2, axis=(1, 2, 3))
    found = loss_of(PICTURES, painted, content_weight=1.0) - loss_of(PICTURES, painted)
    np.testing.assert_allclose(found, content_part, rtol=1e-2)
    variation_part = sum(np.abs(np.diff(painted, axis=axis)).mean(axis=(1, 2, 3)) for axis in (1, 2))
    found = loss_of(PICTURES, painted, variation_weight=100.0) - loss_of(PICTURES, painted)
    np.testing.assert_allclose(found, 100 * variation_part, rtol=1e-3)


def test_it_learns_from_photographs_alone():
    model = small()
    loss = style.perceptual_loss(PAINTING, content_weight=0.1, variation_weight=0.1)
    model.compile(keras.optimizers.Adam(0.01), loss)
    losses = training.fit(eager(model), PICTURES, epochs=12, batch_size=2, progress=False).history["loss"]
    assert losses[-1] < 0.8 * losses[0]
    assert all("conv1_1" not in weights.path for weights in model.weights)  # VGG is not stored with it


WRONG = {
    "another normalisation": (lambda: style.transfer_network(normalisation="layer"), "'instance', 'batch' or 'none'"),
    "one width": (lambda: style.transfer_network((16,)), "two widths or more"),
    "no blocks": (lambda: style.transfer_network(blocks=0), "1 or more each"),
    "bytes": (lambda: small()(np.uint8(255 * PICTURES)), "divide by 255"),
    "0 to 255": (lambda: small()(255 * PICTURES), "divide by 255"),
    "grey": (lambda: small()(PICTURES[..., :1]), r"expected pictures \(n, height, width, 3\)"),
    "one picture": (lambda: small()(PICTURES[0]), "add the first axis"),
    "grey painting": (lambda: loss_of(PICTURES, PICTURES, painting=PAINTING[..., :1]), "repeat grey"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_told(name):
    call, words = WRONG[name]
    with pytest.raises(ValueError, match=words):
        call()
