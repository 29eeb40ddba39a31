"""Printed numbers, so that a stored notebook can be compared with a fresh run.

The sign ≈ in front of a number says that it was measured or trained: it moves a little from machine to
machine, so the notebook tests skip the digits behind it. A number without the sign must come out the same
everywhere, and the tests compare it to the letter.
"""

from course_utils import profiles


def approx(value: float | str, digits: int = 3) -> str:
    """Write a measured number: `approx(0.92345)` gives '≈0.923'.

    digits: decimals to show, 0 or more. A word that measured numbers decide, such as the class that is recognised
    least, is marked as well: `approx("Shirt")` gives '≈"Shirt"'.
    """
    if isinstance(value, str):
        return f'≈"{value}"'
    return f"≈{value:.{digits}f}"


def measured(
    what: str,
    value: float,
    *,
    at_least: float | None = None,
    at_most: float | None = None,
    digits: int = 3,
    unit: str = "",
) -> None:
    """Print a measured number beside the band it should lie in.

    `measured("test accuracy", 0.9234, at_least=0.915)` prints
    "test accuracy ≈0.923, at least 0.915: yes". In the smoke profile, where nothing is trained to its end, the band is
    not judged, and the last word is "untrained".

    Raises ValueError when no band is given: a number that nothing is expected of belongs in an f-string
    with `approx`.
    """
    if at_least is None and at_most is None:
        raise ValueError(f"measured({what!r}) needs at_least or at_most; for a number without a band use approx()")
    unit = f" {unit}" if unit else ""
    bands = []
    if at_least is not None:
        bands.append((f"at least {at_least:.{digits}f}", value >= at_least))
    if at_most is not None:
        bands.append((f"at most {at_most:.{digits}f}", value <= at_most))
    text = " and ".join(band for band, _ in bands)
    verdict = "untrained" if profiles.smoke() else "yes" if all(holds for _, holds in bands) else "no"
    print(f"{what} {approx(value, digits)}{unit}, {text}{unit}: {verdict}")
