"""Reads the tensors of an old PyTorch file (.pth, before version 1.6) without PyTorch and without running its code.

A pickle may call any function it names. This reader knows a handful of names, all of them for plain data, and refuses
the rest. The file holds five pickles (magic number, protocol, machine, tensors, order of the storages), then each
storage: its length as int64, and its numbers, little-endian.
"""

import io
import pickle
from collections import OrderedDict

import numpy as np

MAGIC_NUMBER = 0x1950A86A20F9469CFC6C
TYPES = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str):
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _tensor
        if module == "torch" and name in TYPES:
            return TYPES[name]
        raise pickle.UnpicklingError(f"refused {module}.{name}: expected tensors and nothing else")

    def persistent_load(self, reference: tuple):
        kind, dtype, key, _device, length, view = reference
        if kind != "storage" or view is not None:
            raise pickle.UnpicklingError(f"refused {reference!r}: expected a whole storage")
        return key, dtype, length


def _tensor(storage: tuple, offset: int, shape: tuple, strides: tuple, *_) -> tuple:
    return storage, offset, shape, strides


def read_tensors(content: bytes) -> dict[str, np.ndarray]:
    """Arrays by name. Raises pickle.UnpicklingError for a file that holds anything but tensors, or another format."""
    file = io.BytesIO(content)
    magic = _Unpickler(file).load()
    if magic != MAGIC_NUMBER:
        raise pickle.UnpicklingError(f"not an old PyTorch file: its magic number is {magic!r}")
    _protocol, _machine, tensors, keys = (_Unpickler(file).load() for _ in range(4))
    dtypes = {key: dtype for (key, dtype, _), *_ in tensors.values()}
    storages = {}
    for key in keys:
        length = int.from_bytes(file.read(8), "little")
        storages[key] = np.frombuffer(file.read(length * dtypes[key].itemsize), dtypes[key], count=length)
    return {
        name: np.lib.stride_tricks.as_strided(
            storages[key][offset:], shape, [stride * dtype.itemsize for stride in strides], writeable=False
        ).copy()
        for name, ((key, dtype, _), offset, shape, strides) in tensors.items()
    }
