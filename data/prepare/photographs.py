"""Builds data/photographs/ from the list beside this file, photographs.csv.

Large photographs are scaled down by the factor in the list's column `reduced` (2 for about 1,000 pixels, 3 for
1,920), which averages away the blocks and ringing of their lossy originals. They are stored as WebP of the lowest of
QUALITIES that keeps LEAST_LUMA and LEAST_RGB, so that restorers can be measured by them, or lossless where none does:
lossy WebP halves the resolution of colour at every quality, which fine lines in strong colours do not stand. Those of
320 pixels are copied byte for byte: encoding them again would only lose more. The few that have lossless originals
stay lossless.

The splits of the list were drawn once, by photograph and within each category (50 / 20 / 30 per cent), and two pictures
of the same thing always fall in the same split. They are fixed from then on.
"""

import csv
import io
from pathlib import Path

import gcompris
import numpy as np
from PIL import Image
from skimage.metrics import peak_signal_noise_ratio

QUALITIES = range(96, 101)
LEAST_LUMA, LEAST_RGB = 48, 38  # dB
LUMA = (0.299, 0.587, 0.114)  # of R, G and B: ITU-R BT.601, black 0 and white 255
LIST = Path(__file__).with_name("photographs.csv")
LISTED = ("name", "category", "split", "reduced")
COLUMNS = (*LISTED, "width", "height", "original", "luma_psnr", "rgb_psnr")

# What scikit-image says of the pictures in its `data` folder: title, author, source, licence.
SKIMAGE = {
    "astronaut.png": ("Eileen Collins", "NASA", "https://flic.kr/p/r9qvLn", "Public domain"),
    "brick.png": ("Bricks25", "CC0Textures", "https://cc0textures.com/view.php?tex=Bricks25", "CC0-1.0"),
    "camera.png": (
        "Photographer with a camera",
        "Lav Varshney",
        "https://github.com/scikit-image/scikit-image/issues/3927",
        "CC0-1.0",
    ),
    "chelsea.png": ("Chelsea the cat", "Stefan van der Walt", "https://scikit-image.org", "CC0-1.0"),
    "coffee.png": ("Coffee", "Rachel Michetti", "https://scikit-image.org", "CC0-1.0"),
    "grass.png": ("Grass", "Linolafett", "https://www.deviantart.com/linolafett/art/Grass-01-434853879", "CC0-1.0"),
    "gravel.png": ("Gravel04", "CC0Textures", "https://cc0textures.com/view.php?tex=Gravel04", "CC0-1.0"),
    "hubble_deep_field.jpg": (
        "Hubble eXtreme Deep Field",
        "NASA",
        "http://hubblesite.org/newscenter/archive/releases/2012/37/image/a/",
        "Public domain",
    ),
    "retina.jpg": (
        "Fundus photograph of normal left eye",
        "Mikael Häggström",
        "https://commons.wikimedia.org/wiki/File:Fundus_photograph_of_normal_left_eye.jpg",
        "CC0-1.0",
    ),
    "rocket.jpg": (
        "DSCOVR on Falcon 9",
        "SpaceX",
        "https://www.flickr.com/photos/spacexphotos/16511594820/",
        "Public domain",
    ),
}


def build(packages_folder: Path, target: Path) -> list[dict[str, str]]:
    """Write photographs/*.webp and photographs/photographs.csv under `target`; returns the rows of the credits."""
    folder = target / "photographs"
    folder.mkdir(parents=True, exist_ok=True)
    credits, table = [], []
    for row in csv.DictReader(LIST.open(encoding="utf-8", newline="")):
        content, credit = original(row["source"], packages_folder)
        stored, changes, facts = _stored(content, int(row["reduced"]), lossless=row["source"].endswith(".png"))
        (folder / f"{row['name']}.webp").write_bytes(stored)
        changes = "; ".join(filter(None, [credit.pop("comment"), changes]))
        credits.append({"file": f"photographs/{row['name']}.webp"} | credit | {"changes": changes})
        table.append({column: row[column] for column in LISTED} | facts)
    with (folder / "photographs.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(table)
    return credits


def original(source: str, packages_folder: Path) -> tuple[bytes, dict[str, str]]:
    """The bytes of a picture as its package holds it, and its credit. source: "<place>:<path>", as in the list."""
    place, _, path = source.partition(":")
    if place == "skimage":
        import skimage

        title, author, address, licence = SKIMAGE[path]
        content = (Path(skimage.__file__).parent / "data" / path).read_bytes()
        return content, {"title": title, "author": author, "source": address, "licence": licence, "comment": ""}
    activity = place.removeprefix("gcompris/")
    credit = dict(gcompris.credits(activity, packages_folder)[path])
    content = gcompris.resources(activity, packages_folder)[path]
    return content, {"title": gcompris.title(credit["source"])} | credit


def scaled(content: bytes, factor: int) -> Image.Image:
    """The picture before it is stored: RGB, scaled down `factor` times."""
    image = Image.open(io.BytesIO(content)).convert("RGB")
    if factor == 1:
        return image
    return image.resize((image.width // factor, image.height // factor), Image.Resampling.LANCZOS)


def loss(image: Image.Image, stored: bytes) -> tuple[float, float]:
    """PSNR in dB of the stored picture against `image`, of luma and of RGB: infinite where not one bit is lost."""
    reference, picture = (np.asarray(one, float) for one in (image, Image.open(io.BytesIO(stored)).convert("RGB")))
    pairs = (reference @ LUMA, picture @ LUMA), (reference, picture)
    with np.errstate(divide="ignore"):
        return tuple(float(peak_signal_noise_ratio(*pair, data_range=255)) for pair in pairs)


def _stored(content: bytes, factor: int, lossless: bool) -> tuple[bytes, str, dict[str, str | int]]:
    """A picture's stored bytes, what was done to it in words, and its facts for the table.

    lossless: whether the original is. The decibels are left empty where storing lost nothing.
    """
    image = scaled(content, factor)
    facts = {"width": image.width, "height": image.height, "original": "lossless" if lossless else "lossy"}
    if factor == 1 and Image.open(io.BytesIO(content)).format == "WEBP":
        return content, "", facts
    changes = f"scaled down {factor} times" if factor > 1 else "stored as WebP"
    for quality in () if lossless else QUALITIES:
        stored = _webp(image, quality=quality)
        luma, rgb = loss(image, stored)
        if luma >= LEAST_LUMA and rgb >= LEAST_RGB:
            return stored, changes, facts | {"luma_psnr": f"{luma:.2f}", "rgb_psnr": f"{rgb:.2f}"}
    return _webp(image, quality=100, lossless=True), changes, facts


def _webp(image: Image.Image, **options) -> bytes:
    file = io.BytesIO()
    image.save(file, "WEBP", method=6, **options)
    return file.getvalue()
