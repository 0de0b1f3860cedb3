"""Reads a GGUF v3 file: metadata, and tensors as float32 arrays of shape (rows, width). For the reference of bench/ only."""
import mmap
import struct

import numpy as np

_SCALARS = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d"}
_STRING, _ARRAY = 8, 9


def _q4_1(raw, count):
    block = raw.reshape(-1, 20)
    d = block[:, 0:2].copy().view("<f2").astype(np.float32)
    m = block[:, 2:4].copy().view("<f2").astype(np.float32)
    q = np.concatenate([block[:, 4:] & 15, block[:, 4:] >> 4], axis=1).astype(np.float32)
    return (q * d + m).reshape(count)


def _q8_0(raw, count):
    block = raw.reshape(-1, 34)
    d = block[:, 0:2].copy().view("<f2").astype(np.float32)
    return (block[:, 2:].view(np.int8).astype(np.float32) * d).reshape(count)


def _f32(raw, count):
    return raw.view("<f4").astype(np.float32).reshape(count)


# type number: (bytes a block, values a block, decoder)
_TYPES = {0: (4, 1, _f32), 3: (20, 32, _q4_1), 8: (34, 32, _q8_0)}


class File:
    def __init__(self, path):
        with open(path, "rb") as f:
            self._data = mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ)
        self._at = 0
        magic, version, tensors, pairs = self._take("<4sIQQ")
        if magic != b"GGUF" or version != 3:
            raise ValueError(f"{path} is not a GGUF v3 file")
        self.meta = {}
        for _ in range(pairs):
            key = self._string()
            self.meta[key] = self._value(self._take("<I")[0])
        self.tensors = {}
        for _ in range(tensors):
            name = self._string()
            shape = [self._take("<Q")[0] for _ in range(self._take("<I")[0])]
            kind, offset = self._take("<IQ")
            self.tensors[name] = (shape[::-1], kind, offset)
        align = self.meta.get("general.alignment", 32)
        self._base = (self._at + align - 1) // align * align

    def _take(self, form):
        values = struct.unpack_from(form, self._data, self._at)
        self._at += struct.calcsize(form)
        return values

    def _string(self):
        length = self._take("<Q")[0]
        self._at += length
        return self._data[self._at - length:self._at].decode("utf-8", "replace")

    def _value(self, kind):
        if kind == _STRING:
            return self._string()
        if kind == _ARRAY:
            item, count = self._take("<IQ")
            return [self._value(item) for _ in range(count)]
        return self._take(_SCALARS[kind])[0]

    def tensor(self, name):
        shape, kind, offset = self.tensors[name]
        if kind not in _TYPES:
            raise ValueError(f"tensor {name} has type {kind}: this reader knows F32, Q4_1 and Q8_0")
        size, per_block, decode = _TYPES[kind]
        count = int(np.prod(shape))
        raw = np.frombuffer(self._data, np.uint8, count // per_block * size, self._base + offset)
        return decode(raw, count).reshape(shape)
