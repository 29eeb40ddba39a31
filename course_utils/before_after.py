"""A slider between a picture and what was made of it."""

import ipywidgets
import numpy as np

from course_utils.image_files import as_image, encoded

_LINE = (1.0, 1.0, 1.0)  # of the line between the two


def split(before: np.ndarray, after: np.ndarray, share: float) -> np.ndarray:
    """One picture, `before` left of a white line and `after` right of it: float32 (H, W, 3).

    before, after: (H, W, 1 or 3) of one size in [0, 1], clipped to it. share: of the width that `before` takes, 0 to 1.
    Raises ValueError for pictures of different sizes and for another share.
    """
    before, after = (np.asarray(picture, np.float32).clip(0, 1) for picture in (before, after))
    if before.ndim != 3 or before.shape[:2] != after.shape[:2]:
        raise ValueError(f"expected two pictures (H, W, C) of one size, got {before.shape} and {after.shape}")
    if not 0 <= share <= 1:
        raise ValueError(f"share must be from 0 to 1, got {share}")
    height, width = before.shape[:2]
    column = round(share * width)
    both = np.broadcast_to(after, (height, width, 3)).copy()
    both[:, :column] = before[:, :column]
    both[:, max(0, column - 1) : column + 1] = _LINE
    return both


def slider(before: np.ndarray, after: np.ndarray) -> ipywidgets.Widget:
    """Move the line of `split` by hand. Raises ValueError as `split` does."""
    # Aligned, it keeps its size; a box would stretch it over the page.
    image = ipywidgets.Image(format="png", layout={"max_width": "100%", "align_self": "flex-start"})
    options = {"readout": False, "style": {"description_width": "initial"}}
    share = ipywidgets.FloatSlider(0.5, min=0, max=1, step=0.01, description="before | after", **options)

    def draw(_=None):
        image.value = encoded(as_image(split(before, after, share.value)), "PNG")

    share.observe(draw, "value")
    draw()
    return ipywidgets.VBox([share, image])
