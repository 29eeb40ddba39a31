"""Checks for lesson 02, convolution."""

import numpy as np
import scipy.ndimage
import scipy.signal

from course_utils.checks import Attempt, exercise


@exercise("E2.1")
def e2_1(attempt: Attempt) -> None:
    """`kernel_that_moves_right()`: tried on pictures by correlation with SciPy."""
    tried = "kernel_that_moves_right()"
    kernel = attempt.numbers(attempt.call(tried=tried), tried)
    if kernel.shape != (3, 3):
        attempt.reject("The kernel has three rows and three columns.", got=f"shape {kernel.shape}", expected="(3, 3)")
    picture = np.random.default_rng(2).random((6, 7))

    def moved(by):
        return np.roll(picture, by, axis=(0, 1))[1:-1, 1:-1]

    got = scipy.ndimage.correlate(picture, kernel.astype(float))[1:-1, 1:-1]
    mistakes = {
        "This moves the picture to the left: output pixel (r, c) should copy the pixel on its left.": moved((0, -1)),
        "This leaves the picture where it is.": moved((0, 0)),
        "This moves the picture up or down: rows come first, columns second.": moved((1, 0)),
        "This moves it up or down, and the wrong way besides.": moved((-1, 0)),
    }
    tried = "your kernel, correlated with a random picture"
    if not np.isclose(np.sum(kernel), 1):
        attempt.reject(
            "The brightness should not change: what do the weights add up to?", got=np.sum(kernel), expected=1
        )
    attempt.agree(got, moved((0, 1)), "Exactly one pixel should be copied.", mistakes=mistakes, tried=tried)


@exercise("E2.2")
def e2_2(attempt: Attempt) -> None:
    """`output_size(size, kernel_size, stride, padding, dilation)`: positions counted one by one."""
    hint = "Count the positions on paper for a row of seven pixels and a kernel of three."
    attempt.compare((5, 3), 3, hint, mistakes={"The kernel fits one more time than the sizes differ.": 2})
    attempt.compare((5, 3), 5, "Padding adds pixels on both sides.", padding=1, mistakes={})
    attempt.compare((7, 3), 3, "The stride divides the distance the kernel can move.", stride=2)
    hint = "A kernel that does not fit a last time is not counted: round down."
    attempt.compare((8, 3), 3, hint, stride=2)
    hint = "With dilation, neighbouring weights lie further apart: how many pixels does the kernel reach over?"
    attempt.compare((7, 3), 3, hint, dilation=2)
    rng = np.random.default_rng(1)
    for _ in range(50):
        size, kernel_size = int(rng.integers(9, 40)), int(rng.integers(1, 5))
        setting = {name: int(rng.integers(low, 4)) for name, low in [("stride", 1), ("padding", 0), ("dilation", 1)]}
        starts = range(-setting["padding"], size + setting["padding"], setting["stride"])
        last = size + setting["padding"] - setting["dilation"] * (kernel_size - 1)
        expected = sum(start < last for start in starts)
        hint = "Each setting alone is right; look at how they work together."
        attempt.compare((size, kernel_size), expected, hint, **setting)
        if not isinstance(attempt.call(size, kernel_size, **setting), (int, np.integer)):
            attempt.reject("A size is a whole number: divide with // instead of /.", expected="a whole number")


@exercise("E2.3")
def e2_3(attempt: Attempt) -> None:
    """`layer_cost(...)`: weights counted as Keras lays them out, multiplications as in the loops."""
    cases = [(1, 1, 1, 1, 1), (1, 1, 3, 1, 1), (5, 7, 1, 2, 3), (28, 28, 3, 1, 32), (32, 48, 5, 64, 128)]
    for height, width, kernel_size, channels_in, channels_out in cases:
        arguments = (height, width, kernel_size, channels_in, channels_out)
        kernel = np.zeros((kernel_size, kernel_size, channels_in, channels_out), np.int8)
        positions, biases = height * width, channels_out
        smaller = max(height - kernel_size + 1, 0) * max(width - kernel_size + 1, 0)
        mistakes = {
            "Every output channel has a bias as well.": (kernel.size, positions * kernel.size),
            "Each output channel has one bias, not one for each kernel plane.": (
                kernel.size + channels_in * channels_out,
                positions * kernel.size,
            ),
            "With padding 'same' the kernel stops at every pixel.": (kernel.size + biases, smaller * kernel.size),
            "A bias is added, it costs no multiplication.": (kernel.size + biases, positions * (kernel.size + biases)),
            "Every kernel spans all input channels.": (
                kernel.size // channels_in + biases,
                positions * kernel.size // channels_in,
            ),
            "The kernel is as high as it is wide.": (
                kernel.size // kernel_size + biases,
                positions * kernel.size // kernel_size,
            ),
            "Weights come first, multiplications second.": (positions * kernel.size, kernel.size + biases),
        }
        hint = "Multiply out: for each position, for each output channel, how many products?"
        attempt.compare(arguments, (kernel.size + biases, positions * kernel.size), hint, mistakes=mistakes)


@exercise("E2.4")
def e2_4(attempt: Attempt) -> None:
    """`split(kernel)`: the outer product of what comes back is compared with the kernel."""
    rng = np.random.default_rng(3)
    sobel = np.outer([1.0, 2, 1], [-1, 0, 1])
    random_kernels = [np.outer(rng.normal(size=size), rng.normal(size=size + 2)) for size in (2, 4, 5)]
    for kernel in [np.full((3, 3), 1 / 9), sobel, np.outer([1.0, 2, 3], [4, 5]), *random_kernels]:
        name = f"split(a separable kernel of shape {kernel.shape})"
        errors = {ValueError: "This kernel is separable: singular values that should be 0 come out as 1e-17 or so."}
        got = attempt.call(kernel, tried=name, errors=errors)
        if not isinstance(got, (tuple, list)) or len(got) != 2:
            attempt.reject("Return two things, the column and the row.", tried=name, got=got, expected="column, row")
        column, row = (attempt.numbers(part, name) for part in got)
        if column.shape != kernel.shape[:1] or row.shape != kernel.shape[1:]:
            swapped = column.shape == kernel.shape[1:] and row.shape == kernel.shape[:1]
            hint = "The column comes first, the row second." if swapped else "Both are one-dimensional arrays."
            facts = {"got": f"shapes {column.shape} and {row.shape}"}
            attempt.reject(hint, tried=name, **facts, expected=f"shapes {kernel.shape[:1]} and {kernel.shape[1:]}")
        product = np.outer(column, row)
        mistakes = {
            "The signs are lost: the factors of an edge finder have both signs.": np.abs(kernel),
            "Everything is turned round in sign: the signs of the two factors belong together.": -kernel,
            "The column comes first, the row second.": kernel.T,
        }
        scale = np.sum(product * kernel) / np.sum(kernel**2)
        if np.allclose(product, 0):
            hint = "Column times row is zero everywhere: which singular vectors belong to the largest singular value?"
            attempt.reject(hint, tried=name)
        if not np.isclose(abs(scale), 1) and np.allclose(product, scale * kernel):
            attempt.reject(
                "The pattern is right and the size is not: something must carry the singular value.",
                tried=name,
                got=f"{scale:.4g} times the kernel",
            )
        attempt.agree(
            product, kernel, "Which singular vectors belong to the largest singular value?", mistakes=mistakes
        )
    laplacian = np.array([[0.0, -1, 0], [-1, 4, -1], [0, -1, 0]])
    hint = "This kernel is not separable: more than one of its singular values is above zero."
    attempt.refuse(laplacian, error=ValueError, hint=hint, tried="split(an outline kernel of rank 2)")


@exercise("E2.5")
def e2_5(attempt: Attempt) -> None:
    """`kernel_gradient(x, g, kernel_size, stride)`: from the stride-1 formula with zeros between the gradients."""
    rng = np.random.default_rng(5)
    for height, width, kernel_size, stride in [
        (5, 5, (3, 3), 1),
        (7, 9, (3, 3), 2),
        (8, 9, (2, 3), 2),
        (11, 8, (3, 2), 3),
    ]:
        rows = (height - kernel_size[0]) // stride + 1
        columns = (width - kernel_size[1]) // stride + 1
        x, g = rng.normal(size=(height, width)), rng.normal(size=(rows, columns))
        spread = np.zeros((height - kernel_size[0] + 1, width - kernel_size[1] + 1))
        spread[::stride, ::stride] = g
        expected = scipy.signal.correlate2d(x, spread, "valid")
        dense = np.zeros(kernel_size)
        for r, c in np.ndindex(g.shape):
            dense += g[r, c] * x[r : r + kernel_size[0], c : c + kernel_size[1]]
        mistakes = {
            "The windows do not move by the stride: output (r, c) saw a window further along.": dense,
            "The kernel came out turned by 180 degrees.": expected[::-1, ::-1],
            "A gradient is a sum over all positions, not a mean.": expected / g.size,
            "The sign is the wrong way round.": -expected,
        }
        tried = f"kernel_gradient(x of shape {x.shape}, g of shape {g.shape}, {kernel_size}, stride={stride})"
        hint = "Write the sum over all outputs (r, c): the pixel that weight (i, j) met there, times g[r, c]."
        errors = {
            ValueError: "Weight (i, j) met one pixel for each output: let the slice of x end after as many as g has."
        }
        attempt.compare((x, g, kernel_size, stride), expected, hint, mistakes=mistakes, errors=errors, tried=tried)
