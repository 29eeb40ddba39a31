"""The networks of the course, and `load` for those whose trained weights ship with it."""

from course_utils import paths
from course_utils.data_files import data_file, read_manifest


def available() -> list[str]:
    """Names that `load` takes: the trained networks in `data/weights/`, sorted."""
    files = [name.removeprefix("weights/") for name in read_manifest(paths.DATA) if name.startswith("weights/")]
    return sorted(file.partition(".")[0] for file in files if file.endswith(".weights.h5"))


def load(name: str):
    """A trained network that ships with the course, as a float32 `keras.Model` ready for prediction.

    The file `data/weights/NAME.weights.h5` holds its weights (in float16, which halves the size); its recipe builds the
    network. Each call returns a new model.

    Raises ValueError for a name that is not there and DataFileError for a damaged file.
    """
    if name not in available():
        raise ValueError(f"there is no trained network {name!r}: choose from {', '.join(available())}")
    weights = data_file(f"weights/{name}.weights.h5")
    model = _untrained(name)
    model.load_weights(weights)
    return model


def _untrained(name: str):
    """The network that weights belong to: of the recipe of this name, or one that was trained elsewhere."""
    # Recipes stand to the right of this package; it asks for one by name, and only once it is called.
    from course_utils import recipes

    if name in recipes.names():
        recipe = recipes.find(name)
        return recipe.build(recipe.FULL)
    from course_utils.models import efficientnet

    return {"efficientnet_lite0": efficientnet.efficientnet_lite0}[name]()
