"""Builds data/fashion_mnist/: the four original files, copied byte for byte."""

from pathlib import Path

import packages


def build(packages_folder: Path, target: Path) -> list[dict[str, str]]:
    """Write fashion_mnist/*.gz under `target`; returns the rows of the credits."""
    folder = target / "fashion_mnist"
    folder.mkdir(parents=True, exist_ok=True)
    credits = []
    for path, content in sorted(packages.files("fashion-mnist", packages_folder).items()):
        if path.startswith("usr/share/datasets/") and path.endswith("-ubyte.gz"):
            name = Path(path).name
            (folder / name).write_bytes(content)
            credits.append(
                {
                    "file": f"fashion_mnist/{name}",
                    "title": "Fashion-MNIST",
                    "author": "Zalando SE",
                    "source": "https://github.com/zalandoresearch/fashion-mnist",
                    "licence": "MIT",
                    "changes": "",
                }
            )
    return credits
