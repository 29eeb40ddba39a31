"""Writes the tables of data/README.md, between its markers: bytes per item, and pictures by licence and by split."""

import csv
import re
from collections import Counter
from pathlib import Path

from manifest import DATA, present_files

ITEMS = {
    "fashion_mnist": "Fashion-MNIST: 60,000 + 10,000 grey pictures of clothes, 28x28, ten classes",
    "mnist": "MNIST: 10,000 handwritten digits, 28x28",
    "photographs": "{photographs} photographs, {large} of them 360 to 1,000 pixels wide and {small} of at most 320",
    "paintings": "{paintings} paintings by Vincent van Gogh, 500 pixels high",
    "emoji": "{emoji:,} emoji, each in two styles, 32x32 with transparency",
    "enlargers": "ESRGAN-slim in float16, an ESRGAN in 8 bits, which enlarge pictures, and where they come from",
    "perceptual": "the convolutions conv1_1 to conv4_3 of VGG16 in float16, and where they come from",
    "weights": "EfficientNet-Lite0 in float16 with the names of its 1,000 classes, and networks trained in the course",
    "licences": "texts of the licences that ask to be passed on",
    "CREDITS.csv": "title, author, source and licence of every picture",
}


def read_rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def tables(folder: Path = DATA) -> str:
    """The tables as Markdown, computed from the files themselves."""
    photographs = read_rows(folder / "photographs" / "photographs.csv")
    small = sum(max(int(row["width"]), int(row["height"])) <= 320 for row in photographs)
    numbers = {
        "photographs": len(photographs),
        "small": small,
        "large": len(photographs) - small,
        "paintings": len(list((folder / "paintings").glob("*.webp"))),
        "emoji": len(read_rows(folder / "emoji" / "emoji.csv")),
    }
    sizes = Counter()
    for name in present_files(folder):
        sizes[name.partition("/")[0]] += (folder / name).stat().st_size
    items = [(f"`{item}`", ITEMS[item].format(**numbers), f"{size:,}") for item, size in sorted(sizes.items())]
    items.append(("**all**", "", f"**{sizes.total():,}**"))
    licences = Counter(
        row["licence"] for row in read_rows(folder / "CREDITS.csv") if row["file"].startswith(("photo", "paint"))
    )
    splits = Counter((row["category"], row["split"]) for row in photographs)
    names = ("train", "validation", "test", "show")
    counts = [
        (category, *(str(splits[category, name]) for name in names))
        for category in sorted({category for category, _ in splits})
    ]
    counts.append(("**all**", *(f"**{sum(row['split'] == name for row in photographs)}**" for name in names)))
    return "\n".join(
        [
            _table(("item", "what it is", "bytes"), items),
            _table(("licence", "photographs and paintings"), [(k, str(n)) for k, n in licences.most_common()]),
            _table(("photographs", *names), counts),
        ]
    )


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def write_tables(folder: Path = DATA) -> None:
    path = folder / "README.md"
    text = path.read_text(encoding="utf-8")
    start, end = "<!-- tables -->\n", "<!-- end of tables -->"
    new = re.sub(f"{start}.*{end}", lambda _: f"{start}\n{tables(folder)}\n{end}", text, flags=re.DOTALL)
    path.write_text(new, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    write_tables()
