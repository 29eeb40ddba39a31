"""Drawing for the lessons: one house style, and pictures that carry a description.

Importing this module sets the matplotlib style. A figure leaves a cell through `show`, which stores an
alternative text with the picture: people who cannot see it hear it, and the notebook tests compare it.
"""

import base64
import html
import io
import math

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import display
from matplotlib.figure import Figure
from PIL import Image

from course_utils.image_files import as_image, encoded, refuse_bytes, sheet

# Okabe and Ito's palette (2008), which stays apart for colour-blind readers; black is kept for text.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#999999")
DIVERGING = "RdBu_r"  # for signed values, always with limits that are symmetric about zero
SEQUENTIAL = "viridis"  # for values with a natural zero or none at all

_SHOWN_PER_INCH = 96  # pixels of the page
_SHARP_PER_INCH = 144  # pixels of the stored picture, so that it stays sharp on a fine screen

plt.rcParams.update(
    {
        "figure.dpi": _SHOWN_PER_INCH,
        "figure.constrained_layout.use": True,
        "font.size": 10,
        "axes.titlesize": 11,
        "axes.titlelocation": "left",
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.prop_cycle": plt.cycler(color=COLOURS),
        "image.cmap": "gray",
        "image.interpolation": "nearest",
        "legend.frameon": False,
        "lines.linewidth": 2,
    }
)


def show(figure: Figure, alt: str) -> None:
    """Display a figure with its description and close it.

    figure: a matplotlib figure.
    alt: what there is to see, in a sentence or two, without numbers that training decides.

    Raises ValueError when the description is empty.
    """
    if not alt.strip():
        raise ValueError("show() needs alt=...: say in a sentence what there is to see")
    picture = render(figure)
    # Plots are smallest without loss; photographs are several times smaller at a quality that the eye cannot tell.
    encodings = (encoded(picture, "WEBP", **options) for options in ({"lossless": True}, {"quality": 85, "method": 6}))
    _display(min(encodings, key=len), picture.width * _SHOWN_PER_INCH // _SHARP_PER_INCH, alt)


def _display(webp: bytes, width: int, alt: str) -> None:
    """Put a picture on the page, `width` pixels wide.

    As an <img>, since Jupyter drops the description of a picture that is an output by itself, and in that form alone:
    stored once, it is shown by JupyterLab, nbconvert, Sphinx and whatever else shows HTML.
    """
    source = f"data:image/webp;base64,{base64.b64encode(webp).decode('ascii')}"
    page = f'<img alt="{html.escape(alt)}" src="{source}" style="width: {width}px; max-width: 100%">'
    display({"text/html": page, "text/plain": alt}, raw=True)


def animate(frames, *, alt: str, columns: int, frames_per_second: float = 12, scale: int = 2) -> None:
    """Play pictures side by side, over and over. Where nothing can move, as on paper, the first frame stands.

    frames: (time, n, H, W, C) in [0, 1], grey or RGB: n pictures at each moment, laid out in rows of `columns`, each
        pixel as scale x scale.
    Raises ValueError when the description is empty, for another shape, for bytes, and where n does not fill whole rows.
    """
    if not alt.strip():
        raise ValueError("animate() needs alt=...: say in a sentence what there is to see")
    frames = np.asarray(frames)
    if frames.ndim != 5 or frames.shape[-1] not in (1, 3) or not frames.size or frames.shape[1] % columns:
        raise ValueError(
            f"animate() takes frames (time, n, H, W, 1 or 3), n a multiple of columns={columns}, got {frames.shape}"
        )
    sheets = [as_image(sheet(frame, columns), scale).convert("RGB") for frame in frames]
    options = {"save_all": True, "append_images": sheets[1:], "loop": 0, "duration": round(1000 / frames_per_second)}
    _display(encoded(sheets[0], "WEBP", quality=80, **options), sheets[0].width, alt)


def render(figure: Figure, per_inch: int = _SHARP_PER_INCH) -> Image.Image:
    """A matplotlib figure as an RGB image of `per_inch` pixels an inch. Closes the figure."""
    buffer = io.BytesIO()
    _average_where_shrunk(figure, per_inch)
    figure.savefig(buffer, format="png", dpi=per_inch)
    plt.close(figure)
    return Image.open(buffer).convert("RGB")


def _average_where_shrunk(figure: Figure, per_inch: int) -> None:
    """Keep pictures that have more pixels than the page from aliasing; the others are shown pixel by pixel."""
    figure.draw_without_rendering()  # lays the figure out, so that sizes are known
    for picture in (picture for axes in figure.axes for picture in axes.images):
        if picture.get_interpolation() == "nearest":  # the default
            shown = picture.get_window_extent().width * per_inch / figure.dpi
            picture.set_interpolation("hanning" if shown < picture.get_array().shape[1] else "nearest")


def grid(count: int, columns: int | None = None, size: float = 2.2, aspect: float = 1.0):
    """Make a figure of `count` axes in rows, with the spare ones taken out.

    columns: axes in a row; all of them in one row when not given.
    size: width of one axes in inches. aspect: its height divided by its width.
    Returns (figure, list of `count` axes).
    """
    columns = min(count, columns or count)
    rows = math.ceil(count / columns)
    figure, axes = plt.subplots(rows, columns, figsize=(size * columns, (size * aspect + 0.35) * rows), squeeze=False)
    for spare in axes.flat[count:]:
        spare.remove()
    return figure, list(axes.flat[:count])


def draw_image(axes, picture, title: str = "", **options) -> None:
    """Draw one picture without ticks.

    picture: (H, W), (H, W, 1) or (H, W, 3) in [0, 1], clipped to it; grey unless `cmap` says otherwise.
    options: go to `axes.imshow`; give vmin and vmax to draw grey values of another range.

    Raises ValueError for bytes without a vmax: on this scale all of them would be white.
    """
    picture = np.asarray(picture)
    if picture.ndim == 3 and picture.shape[-1] == 1:
        picture = picture[..., 0]
    if picture.ndim == 3 or "vmax" not in options:
        refuse_bytes(picture)
    if picture.ndim == 3:
        picture = picture.clip(0, 1)
    axes.imshow(picture.astype(np.float32), **{"vmin": 0, "vmax": 1, **options})
    axes.set(xticks=[], yticks=[], title=title)
    axes.spines[:].set_visible(False)


def images(pictures, titles=None, *, alt: str, columns: int | None = None, size: float = 2.2, **options) -> None:
    """Show pictures side by side on one scale.

    pictures: a sequence of arrays as `draw_image` takes, for instance an NHWC batch.
    titles: one string a picture. columns, size: as in `grid`. alt: as in `show`. options: as in `draw_image`.

    Raises ValueError when there are no pictures, or the titles are not one a picture.
    """
    if len(pictures) == 0:
        raise ValueError("images() got no pictures, expected at least one")
    titles = [""] * len(pictures) if titles is None else titles
    if len(titles) != len(pictures):
        raise ValueError(
            f"images() got {len(pictures)} pictures and {len(titles)} titles, expected one title a picture"
        )
    aspect = max(np.shape(picture)[0] / np.shape(picture)[1] for picture in pictures)
    figure, axes = grid(len(pictures), columns, size, aspect)
    for one, picture, title in zip(axes, pictures, titles, strict=True):
        draw_image(one, picture, title, **options)
    show(figure, alt)


def draw_numbers(axes, values, title: str = "", *, digits: int = 0, limit: float | None = None, **options) -> None:
    """Draw a small matrix as coloured cells with the value written in each.

    values: (H, W), up to about 8 by 8. digits: decimals written.
    limit: the colours run from -limit to limit; by default the largest magnitude.
    """
    values = np.asarray(values)
    limit = limit or float(np.abs(values).max()) or 1.0
    cells = axes.imshow(values, **{"cmap": DIVERGING, "vmin": -limit, "vmax": limit, **options})
    axes.set(xticks=[], yticks=[], title=title)
    axes.set_xticks(np.arange(values.shape[1] + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(values.shape[0] + 1) - 0.5, minor=True)
    axes.grid(which="minor", color="white", linewidth=2)
    axes.tick_params(which="minor", length=0)
    axes.spines[:].set_visible(False)
    for (row, column), value in np.ndenumerate(values):
        dark = np.dot(cells.to_rgba(value)[:3], (0.299, 0.587, 0.114)) < 0.5
        text = f"{round(float(value), digits) + 0.0:.{digits}f}"  # adding zero turns -0 into 0
        axes.text(column, row, text, ha="center", va="center", color="white" if dark else "black")
