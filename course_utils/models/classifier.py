"""Networks that tell clothes apart: a plain one and a residual one (lesson 05, which writes the textbooks' itself).

Each function returns an untrained functional `keras.Model` from images, float32 (n, height, width, channels) in
[0, 1], to logits, float32 (n, classes): the numbers in front of the softmax. Train with `from_logits=True`. The
layer named "features" holds the vector that the last layer separates linearly; `feature_extractor` cuts there.
"""

import keras
from keras import layers

from course_utils.models.augmentation import RandomErase, RandomShiftFlip

IMAGE_SHAPE = (28, 28, 1)


def better_cnn(
    width: int = 16,
    *,
    batch_normalisation: bool = True,
    shift: int = 1,
    flip: bool = True,
    dropout_rate: float = 0.3,
    image_shape: tuple[int, int, int] = IMAGE_SHAPE,
    classes: int = 10,
) -> keras.Model:
    """Three convolutions with batch normalisation, a hidden layer of 128 features and dropout.

    width: channels of the first convolution; the others have 2 and 4 times as many.
    shift, flip: augmentation while training, see `RandomShiftFlip`; shift=0 and flip=False leave it out.
    Pooling comes before normalisation and ReLU: both keep the order of numbers wherever a channel's scale is
    positive, so the largest stays the largest, and they cost a quarter on a quarter of the pixels.

    For 28x28x1 pictures the shapes run 14x14xwidth, 7x7x2*width, 7x7x4*width, 128, classes.
    Raises ValueError for pictures under 4x4, fewer than 2 classes, width under 1 or dropout_rate outside [0, 1).
    Batch normalisation: Ioffe and Szegedy, 2015. Dropout: Srivastava et al., 2014.
    """
    _check(image_shape, classes, smallest=4)
    _at_least(1, width=width)
    if not 0 <= dropout_rate < 1:
        raise ValueError(f"dropout_rate must be in [0, 1), got {dropout_rate}: it is the share of features set to 0")

    def normalise_and_activate(x, number):
        if batch_normalisation:
            x = layers.BatchNormalization(momentum=0.9, name=f"normalisation_{number}")(x)
        return layers.ReLU(name=f"activation_{number}")(x)

    options = {"use_bias": not batch_normalisation, "kernel_initializer": "he_normal"}
    images = layers.Input(image_shape, name="images")
    x = images
    if shift or flip:
        x = RandomShiftFlip(shift, flip, name="augmentation")(x)
    for number, channels in enumerate((width, 2 * width, 4 * width), start=1):
        x = layers.Conv2D(channels, 3, padding="same", name=f"convolution_{number}", **options)(x)
        if number < 3:
            x = layers.MaxPooling2D(name=f"pooling_{number}")(x)
        x = normalise_and_activate(x, number)
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(128, name="hidden", **options)(x)
    x = normalise_and_activate(x, 4)
    x = layers.Dropout(dropout_rate, name="features")(x)
    return keras.Model(images, layers.Dense(classes, name="logits")(x), name="better_cnn")


def residual_cnn(
    width: int = 64,
    blocks: int = 1,
    *,
    shift: int = 1,
    flip: bool = True,
    erase: int = 0,
    image_shape: tuple[int, int, int] = IMAGE_SHAPE,
    classes: int = 10,
) -> keras.Model:
    """A residual network that does its work at half and quarter resolution; its features are 2 * width averages.

    width: channels at half resolution; there are half as many before and twice as many after.
    blocks: residual blocks of two convolutions at each of the two resolutions.
    shift, flip, erase: augmentation while training, see `RandomShiftFlip` and `RandomErase`; 0 or False leaves out.

    For 28x28x1 pictures the shapes run 14x14xwidth/2, 14x14xwidth, 7x7x2*width, 2*width, classes.
    Raises ValueError for width under 2, blocks under 1, pictures under 4x4 or fewer than 2 classes.
    He, Zhang, Ren and Sun, "Deep residual learning for image recognition", 2016.
    """
    _check(image_shape, classes, smallest=4)
    _at_least(2, width=width)
    _at_least(1, blocks=blocks)
    images = layers.Input(image_shape, name="images")
    x = images
    if shift or flip:
        x = RandomShiftFlip(shift, flip, name="augmentation")(x)
    if erase:
        x = RandomErase(erase, name="erasing")(x)
    x = _unit(x, width // 2, "stem", pool=True)
    for channels, pool in ((width, False), (2 * width, True)):
        x = _unit(x, channels, f"group_{channels}", pool=pool)
        for block in range(1, blocks + 1):
            name = f"group_{channels}_block_{block}"
            y = _unit(_unit(x, channels, f"{name}_first"), channels, f"{name}_second")
            x = layers.Add(name=f"{name}_sum")([x, y])
    x = layers.GlobalAveragePooling2D(name="features", dtype="float32")(x)
    return keras.Model(images, layers.Dense(classes, name="logits", dtype="float32")(x), name="residual_cnn")


def feature_extractor(model: keras.Model) -> keras.Model:
    """The part of a classifier up to its layer "features": images (n, h, w, c) -> float32 (n, features).

    It shares its weights with `model`. Raises ValueError where the model has no layer of that name.
    """
    return keras.Model(model.inputs, model.get_layer("features").output, name=f"{model.name}_features")


def _unit(x, channels: int, name: str, pool: bool = False):
    """Convolution, pooling where asked, batch normalisation, ReLU."""
    options = {"padding": "same", "use_bias": False, "kernel_initializer": "he_normal"}
    x = layers.Conv2D(channels, 3, name=f"{name}_convolution", **options)(x)
    if pool:
        x = layers.MaxPooling2D(name=f"{name}_pooling")(x)
    x = layers.BatchNormalization(momentum=0.9, name=f"{name}_normalisation")(x)
    return layers.ReLU(name=f"{name}_activation")(x)


def _check(image_shape: tuple[int, int, int], classes: int, smallest: int) -> None:
    if len(image_shape) != 3 or min(image_shape[:2]) < smallest or image_shape[2] < 1:
        raise ValueError(
            f"image_shape must be (height, width, channels) with at least {smallest}x{smallest} pixels, "
            f"got {image_shape}: pad or enlarge smaller pictures"
        )
    if classes < 2:
        raise ValueError(f"classes must be 2 or more, got {classes}")


def _at_least(smallest: int, **numbers: int) -> None:
    for name, number in numbers.items():
        if number < smallest:
            raise ValueError(f"{name} must be {smallest} or more, got {number}")
