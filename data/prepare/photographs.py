"""Builds data/photographs/ from the list beside this file, photographs.csv.

Large photographs are scaled down by the factor in the list's column `reduced` (2 for about 1,000 pixels, 3 for
1,920), which averages away the blocks and ringing of their lossy originals, and stored as WebP of quality 85. Those
of 320 pixels are copied byte for byte: encoding them again would only lose more. The few that have lossless originals
stay lossless.

The splits of the list were drawn once, by photograph and within each category (50 / 20 / 30 per cent), and two pictures
of the same thing always fall in the same split. They are fixed from then on.
"""

import csv
import io
from pathlib import Path

import gcompris
from PIL import Image

QUALITY = 85
LIST = Path(__file__).with_name("photographs.csv")
COLUMNS = ("name", "category", "split", "reduced", "width", "height")

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
        content, credit = _original(row["source"], packages_folder)
        stored, changes = _reduced(content, int(row["reduced"]), lossless=row["source"].endswith(".png"))
        (folder / f"{row['name']}.webp").write_bytes(stored)
        changes = "; ".join(filter(None, [credit.pop("comment"), changes]))
        credits.append({"file": f"photographs/{row['name']}.webp"} | credit | {"changes": changes})
        width, height = Image.open(io.BytesIO(stored)).size
        table.append({column: row[column] for column in COLUMNS[:4]} | {"width": width, "height": height})
    with (folder / "photographs.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(table)
    return credits


def _original(source: str, packages_folder: Path) -> tuple[bytes, dict[str, str]]:
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


def _reduced(content: bytes, factor: int, lossless: bool) -> tuple[bytes, str]:
    """A picture's stored bytes, and what was done to it in words."""
    image = Image.open(io.BytesIO(content))
    if factor == 1 and image.format == "WEBP":
        return content, ""
    image = image.convert("RGB")
    if factor > 1:
        size = (image.width // factor, image.height // factor)
        image = image.resize(size, Image.Resampling.LANCZOS)
    stored = io.BytesIO()
    image.save(stored, "WEBP", lossless=lossless, quality=100 if lossless else QUALITY, method=6)
    changes = f"scaled down {factor} times" if factor > 1 else "stored as WebP"
    return stored.getvalue(), changes
