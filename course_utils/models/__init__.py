"""The networks of the course, and `load` for those whose trained weights ship with it."""

import importlib

from course_utils import paths
from course_utils.data_files import data_file, read_manifest

# Files of bare weights (NAME.weights.h5) need the function that builds their network: (module, function).
BUILDERS = {
    "efficientnet_lite0": ("course_utils.models.efficientnet", "efficientnet_lite0"),
    "fashion_mnist_classifier": ("course_utils.models.classifier", "fashion_mnist_classifier"),
    "gan_emoji": ("course_utils.models.gan", "gan_emoji"),
    "gan_fashion": ("course_utils.models.gan", "gan_fashion"),
    "vae_emoji": ("course_utils.models.vae", "vae_emoji"),
    "vae_fashion": ("course_utils.models.vae", "vae_fashion"),
}


def available() -> list[str]:
    """Names that `load` takes: the trained networks in `data/weights/`, sorted."""
    files = [name.removeprefix("weights/") for name in read_manifest(paths.DATA) if name.startswith("weights/")]
    return sorted(file.partition(".")[0] for file in files if file.endswith((".keras", ".weights.h5")))


def load(name: str):
    """A trained network that ships with the course, as a float32 `keras.Model` ready for prediction.

    The file is `data/weights/NAME.keras`, a whole model, or `data/weights/NAME.weights.h5`, weights (in float16, which
    halves the size) for a network that a function in BUILDERS makes. Each call returns a new model.

    Raises ValueError for a name that is not there and DataFileError for a damaged file.
    """
    import keras

    if name not in available():
        raise ValueError(f"there is no trained network {name!r}: choose from {', '.join(available())}")
    if name not in BUILDERS:
        return keras.saving.load_model(data_file(f"weights/{name}.keras"), compile=False)
    module, function = BUILDERS[name]
    model = getattr(importlib.import_module(module), function)()
    model.load_weights(data_file(f"weights/{name}.weights.h5"))
    return model
