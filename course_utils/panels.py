"""Panels to play with in JupyterLab. They sit at the right end of the house: they draw, and nothing imports them."""

import re
from collections.abc import Callable, Mapping, Sequence

import ipywidgets
import numpy as np
import scipy.ndimage

from course_utils.image_files import as_image, encoded

LARGEST = 1_000_000  # weight of a kernel, with much room; pictures are float32, which ends at 3e38


def parse_kernel(text: str) -> np.ndarray:
    """Read a kernel as people type it: '0 1 0; 1 -4 1; 0 1 0', commas and line breaks welcome.

    Returns a float64 array (h, w).
    Raises ValueError when a row holds something else than numbers or one beyond LARGEST, the rows differ in length, or
    there is none.
    """
    rows = [row.replace(",", " ").split() for row in re.split(r"[;\n]+", text) if row.strip()]
    if not rows:
        raise ValueError("no numbers yet: type rows of numbers, for instance 0 1 0; 1 -4 1; 0 1 0")
    lengths = sorted({len(row) for row in rows})
    if len(lengths) > 1:
        raise ValueError(f"rows of {lengths} numbers: every row needs the same number of them")
    return np.array([[_number(word) for word in row] for row in rows])


def _number(word: str) -> float:
    numerator, _, denominator = word.partition("/") if "/" in word else (word, "", "1")
    try:
        number = float(numerator) / float(denominator)
    except (ValueError, ZeroDivisionError):
        number = float("nan")
    if not abs(number) <= LARGEST:  # also for NaN
        raise ValueError(f"{word[:40]!r} is not a number from {-LARGEST:,} to {LARGEST:,}: write 0.5, -2 or 1/9")
    return number


def format_kernel(kernel: np.ndarray) -> str:
    """Write a kernel as `parse_kernel` reads it, one row a line."""
    return "\n".join(" ".join(f"{value:.4g}" for value in row) for row in kernel)


def kernel_playground(picture: np.ndarray, kernels: Mapping[str, np.ndarray]) -> ipywidgets.Widget:
    """Pick a kernel or type one, and see what it does to a picture.

    picture: (H, W) in [0, 1]. kernels: name -> (h, w) array.
    """
    choice = ipywidgets.Dropdown(options=list(kernels), description="kernel")
    text = ipywidgets.Textarea(layout={"height": "110px", "width": "260px"}, continuous_update=False)
    signed = ipywidgets.Checkbox(description="signed: zero is grey")
    strength = ipywidgets.FloatSlider(1, min=0, max=3, step=0.1, description="strength")
    message = ipywidgets.Label()
    before, after = (ipywidgets.Image(value=_png(picture), layout={"width": "400px"}) for _ in range(2))

    def write(_=None):
        text.value = format_kernel(kernels[choice.value])

    def draw(_=None):
        try:
            kernel = parse_kernel(text.value)
        except ValueError as problem:
            message.value = f"Not a kernel: {problem}"
            return
        result = strength.value * scipy.ndimage.correlate(picture, kernel.astype(np.float32))
        after.value = _png(0.5 + result / 2 if signed.value else result)
        message.value = f"{kernel.shape[0]} × {kernel.shape[1]}, the weights add up to {kernel.sum():.3g}"

    choice.observe(write, "value")
    for control in (text, signed, strength):
        control.observe(draw, "value")
    write()
    draw()
    settings = ipywidgets.VBox([choice, strength, signed, message])
    return ipywidgets.VBox([ipywidgets.HBox([settings, text]), ipywidgets.HBox([before, after])])


def latent_explorer(
    decode: Callable, start: np.ndarray, numbers: Sequence[int], reach: float = 3.0
) -> ipywidgets.Widget:
    """Move single latent numbers with sliders and see the picture they are decoded to.

    decode: latent numbers (1, size) -> pictures (1, H, W, 1 or 3) in [0, 1]. start: (size,), where the sliders begin.
    numbers: which latent numbers get a slider. reach: sliders run from -reach to reach.
    Raises ValueError for numbers that `start` does not have.
    """
    if not all(0 <= number < len(start) for number in numbers):
        raise ValueError(f"there are latent numbers 0 to {len(start) - 1}, got {list(numbers)}")
    options = {"min": -reach, "max": reach, "step": 0.1, "continuous_update": True, "readout_format": ".1f"}
    sliders = [
        ipywidgets.FloatSlider(float(np.clip(start[number], -reach, reach)), description=f"z{number}", **options)
        for number in numbers
    ]
    back = ipywidgets.Button(description="back to the start")
    picture = ipywidgets.Image(layout={"width": "280px", "height": "280px"})

    def draw(_=None):
        latents = np.array(start, np.float32)
        for number, slider in zip(numbers, sliders, strict=True):
            latents[number] = slider.value
        picture.value = _png(np.asarray(decode(latents[None]))[0], scale=10)

    def reset(_=None):
        for number, slider in zip(numbers, sliders, strict=True):
            slider.value = float(np.clip(start[number], -reach, reach))

    for slider in sliders:
        slider.observe(draw, "value")
    back.on_click(reset)
    draw()
    return ipywidgets.HBox([ipywidgets.VBox([*sliders, back]), picture])


def _png(picture: np.ndarray, scale: int = 1) -> bytes:
    return encoded(as_image(picture, scale), "PNG")
