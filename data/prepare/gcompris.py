"""The pictures of the gcompris-qt-data package, and who made them: each folder's README says it."""

import re
from functools import cache
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlparse

import packages
from qt_resources import read_resources


@cache
def resources(activity: str, folder: Path) -> dict[str, bytes]:
    """Files of one activity of GCompris, by path inside the activity ("resource/README")."""
    content = packages.files("gcompris", folder)[f"usr/share/gcompris-qt/rcc/{activity}.rcc"]
    prefix = f"gcompris/src/activities/{activity}/"
    return {path.removeprefix(prefix): data for path, data in read_resources(content).items()}


@cache
def credits(activity: str, folder: Path) -> dict[str, dict[str, str]]:
    """Author, source and licence of each picture of an activity, by path ("resource/bee.webp")."""
    found = {}
    for path, content in resources(activity, folder).items():
        if path.endswith("/README"):
            place = path.removesuffix("README")
            for record in _records(content.decode("utf-8")):
                found.update({place + name: record for name in record.pop("files")})
    return found


def _records(readme: str):
    """One record per paragraph of lines "Copyright: …", "Source: …", "License: …", then names of files."""
    for paragraph in re.split(r"\n\s*\n", readme.strip()):
        fields = dict(re.findall(r"^(Copyright|License|Source|Comments?): *(.+)$", paragraph, re.MULTILINE))
        names = re.findall(r"^(?:Files: *)?(\S+\.webp)$", paragraph.replace("\r", ""), re.MULTILINE)
        if names:
            yield {
                "author": fields.get("Copyright", ""),
                "source": fields.get("Source", ""),
                "licence": _licence(fields.get("License", "")),
                "comment": fields.get("Comments", fields.get("Comment", "")),
                "files": names,
            }


def _licence(text: str) -> str:
    """An SPDX-like name: "Public Domain" and "CC-BY-SA 4.0" are spelled in several ways."""
    if text.lower() == "public domain":
        return "Public domain"
    return text.replace(" ", "-").replace("GPLv2+", "GPL-2.0-or-later")


def title(source: str) -> str:
    """The title of a picture, as the address of its page spells it."""
    address = urlparse(source)
    page = parse_qs(address.query).get("picture", [address.path.rstrip("/").rpartition("/")[2]])[0]
    name = unquote(page).removeprefix("File:")
    return re.sub(r"\.(jpe?g|png|gif)$", "", name, flags=re.IGNORECASE).replace("_", " ").strip()
