"""Builds data/emoji/: the emoji that both Google's Noto and Microsoft's Fluent 3D draw, 32 pixels each.

Each style is one lossless WebP with transparency, COLUMNS emoji in a row, in the order of emoji.csv.
"""

import csv
import io
import json
from pathlib import Path

import packages
from PIL import Image

SIDE, COLUMNS = 32, 64
TONES = {"1F3FB": "light", "1F3FC": "medium-light", "1F3FD": "medium", "1F3FE": "medium-dark", "1F3FF": "dark"}
STYLES = {
    "noto": ("Noto emoji", "Google", "https://github.com/googlefonts/noto-emoji", "Apache-2.0"),
    "fluent": ("Fluent emoji 3D", "Microsoft", "https://github.com/microsoft/fluentui-emoji", "MIT"),
}


def build(packages_folder: Path, target: Path) -> list[dict[str, str]]:
    """Write emoji/noto.webp, fluent.webp and emoji.csv under `target`; returns the rows of the credits."""
    noto = packages.files("noto-emoji", packages_folder)
    fluent = packages.files("fluent-emoji", packages_folder)
    sources = {
        "noto": lambda row: noto.get(f"package/img/google/64/{row['code']}.png"),
        "fluent": lambda row: fluent.get(f"package/assets/{row['code']}.webp"),
    }
    rows = [row for row in _rows(noto) if all(source(row) for source in sources.values())]
    folder = target / "emoji"
    folder.mkdir(parents=True, exist_ok=True)
    for style, source in sources.items():
        _atlas([source(row) for row in rows]).save(folder / f"{style}.webp", lossless=True, quality=100, method=6)
    with (folder / "emoji.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    columns = ("title", "author", "source", "licence")
    return [
        {"file": f"emoji/{style}.webp"}
        | dict(zip(columns, about, strict=True))
        | {"changes": f"scaled to {SIDE} pixels, joined into one picture"}
        for style, about in STYLES.items()
    ]


def _rows(noto: dict[str, bytes]) -> list[dict[str, str]]:
    """Code, name, category, subcategory and skin tones of every emoji, in the order of the Unicode tables."""
    rows = []
    for entry in sorted(json.loads(noto["package/emoji.json"]), key=lambda entry: entry["sort_order"]):
        versions = {"": entry} | entry.get("skin_variations", {})
        rows += [
            {
                "code": version["image"].removesuffix(".png"),
                "name": (entry["name"] or entry["short_name"]).lower(),
                "category": entry["category"],
                "subcategory": entry["subcategory"],
                "skin_tone": " ".join(TONES[tone] for tone in tones.split("-") if tone),
            }
            for tones, version in versions.items()
        ]
    return rows


def _clean(alpha: int) -> int:
    """Nearly transparent becomes transparent and nearly opaque opaque: it saves the noise of 3D renders."""
    return 0 if alpha < 16 else 255 if alpha > 240 else alpha


def _atlas(pictures: list[bytes]) -> Image.Image:
    atlas = Image.new("RGBA", (COLUMNS * SIDE, -(-len(pictures) // COLUMNS) * SIDE))
    for index, content in enumerate(pictures):
        picture = Image.open(io.BytesIO(content)).convert("RGBA").resize((SIDE, SIDE), Image.Resampling.LANCZOS)
        picture.putalpha(picture.getchannel("A").point(_clean))
        atlas.paste(picture, (index % COLUMNS * SIDE, index // COLUMNS * SIDE))
    return atlas
