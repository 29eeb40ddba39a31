"""Reads Qt resource files (.rcc): a tree of names, and the files' contents, plain or zlib-compressed."""

import struct
import zlib

DIRECTORY, ZLIB, ZSTANDARD = 2, 1, 4


def read_resources(content: bytes) -> dict[str, bytes]:
    """The files of a Qt resource: content by path. Raises ValueError for anything but a readable .rcc."""
    magic, version, tree, data, names = struct.unpack_from(">4sIIII", content)
    if magic != b"qres":
        raise ValueError(f"not a Qt resource file: it begins with {magic!r}, expected b'qres'")
    node_size = 22 if version >= 2 else 14
    files: dict[str, bytes] = {}

    def visit(index: int, path: str) -> None:
        node = tree + index * node_size
        name, flags = struct.unpack_from(">IH", content, node)
        if index > 0:
            (length,) = struct.unpack_from(">H", content, names + name)
            start = names + name + 6  # after the length and a hash
            path = f"{path}/{content[start : start + 2 * length].decode('utf-16-be')}".lstrip("/")
        if flags & DIRECTORY:
            count, first = struct.unpack_from(">II", content, node + 6)
            for child in range(first, first + count):
                visit(child, path)
        else:
            files[path] = _file(content, data + struct.unpack_from(">I", content, node + 10)[0], flags)

    visit(0, "")
    return files


def _file(content: bytes, start: int, flags: int) -> bytes:
    (length,) = struct.unpack_from(">I", content, start)
    stored = content[start + 4 : start + 4 + length]
    if flags & ZSTANDARD:
        raise ValueError("this Qt resource is compressed with zstandard, expected zlib or none")
    return zlib.decompress(stored[4:]) if flags & ZLIB else stored
