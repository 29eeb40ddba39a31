"""Holes filled without learning: by the smoothest surface that meets the known pixels.

picture: float (H, W, C), whatever stands in its holes; mask: (H, W, 1), 1 where it is missing.
"""

import numpy as np
import scipy.sparse
from scipy.sparse.linalg import splu


def harmonic(picture: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Each hidden pixel the mean of its four neighbours, where heat comes to rest: L x = 0 in the hole, (H, W, C).

    L: the Laplacian of five points, with mirrored borders. The result keeps within the values around the hole and has a
    kink at its edge.
    """
    return _filled(picture, mask, 1)


def biharmonic(picture: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """L L x = 0 in the hole, the shape of a thin plate that is bent: slopes at the edge go on inside, (H, W, C).

    Can leave the range of the values around. Damelin and Hoang, "On surface completion and image inpainting by
    biharmonic functions: numerical aspects", 2018.
    """
    return _filled(picture, mask, 2)


def _filled(picture: np.ndarray, mask: np.ndarray, power: int) -> np.ndarray:
    """The solution of L^power x = 0 in the hole, where x is known elsewhere: a sparse linear system.

    Raises ValueError for a mask of another shape, or one that hides nothing or everything.
    """
    if mask.shape != (*picture.shape[:2], 1):
        raise ValueError(f"expected a mask of shape {(*picture.shape[:2], 1)}, got {mask.shape}")
    hidden = mask.ravel() > 0.5
    if not hidden.any() or hidden.all():
        raise ValueError(
            f"the mask hides {hidden.sum()} of {hidden.size} pixels: there must be some to fill, and some known"
        )
    laplacian = _laplacian(*picture.shape[:2])
    operator = laplacian[hidden]
    for _ in range(power - 1):
        operator = operator @ laplacian
    values = picture.reshape(-1, picture.shape[-1]).astype(np.float64)
    # Symmetric and positive definite (but for its sign): order and pivots as for Cholesky's factors.
    matrix, options = operator[:, hidden].tocsc(), {"SymmetricMode": True}
    solver = splu(matrix, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options=options)
    filled = values.copy()
    filled[hidden] = solver.solve(-(operator[:, ~hidden] @ values[~hidden]))
    return filled.reshape(picture.shape).astype(np.float32)


def _laplacian(height: int, width: int) -> scipy.sparse.csr_array:
    """Minus the sum of differences to the neighbours there are, of each pixel in reading order: (H W, H W)."""
    rows, columns = map(_second_difference, (height, width))
    identities = [scipy.sparse.eye_array(length, format="csr") for length in (height, width)]
    return (scipy.sparse.kron(rows, identities[1]) + scipy.sparse.kron(identities[0], columns)).tocsr()


def _second_difference(length: int) -> scipy.sparse.csr_array:
    """x[i - 1] - 2 x[i] + x[i + 1], the ends mirrored: (length, length)."""
    middle = np.full(length, -2.0)
    middle[0] += 1
    middle[-1] += 1
    ones = np.ones(length - 1)
    return scipy.sparse.diags_array([ones, middle, ones], offsets=[-1, 0, 1], format="csr")
