"""A plain reader of GGUF version 3 files. It trusts its input: it reads what tests/spec/ makes."""

from struct import unpack_from

from .f32 import from_float

SCALARS = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d"}
SIZES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
STRING, ARRAY, FLOAT, DOUBLE = 8, 9, 6, 12


class Bits(int):
    """The bits of a real metadata value."""


class Gguf:
    """meta: key -> value (reals as Bits); pairs: key -> its stored bytes; tensors: name -> (type, dims, bytes)."""

    def __init__(self, data):
        magic, version, tensors, pairs = unpack_from("<4sIQQ", data, 0)
        if magic != b"GGUF" or version != 3:
            raise ValueError("not a GGUF version 3 file")
        self.data, self.at = data, 24
        self.meta, self.pairs, self.tensors = {}, {}, {}
        for _ in range(pairs):
            start = self.at
            name = self._string()
            self.meta[name] = self._value(self._number(4))
            self.pairs[name] = data[start : self.at]
        infos = []
        for _ in range(tensors):
            name = self._string()
            dims = [self._number(10) for _ in range(self._number(4))]
            infos.append((name, dims, self._number(4), self._number(10)))
        alignment = self.meta.get("general.alignment", 32)
        base = -(-self.at // alignment) * alignment
        for name, dims, number, offset in infos:
            self.tensors[name] = (number, dims, base + offset)

    def _number(self, kind):
        v = unpack_from(SCALARS[kind], self.data, self.at)[0]
        self.at += SIZES[kind]
        return v

    def _string(self):
        n = self._number(10)
        s = self.data[self.at : self.at + n]
        self.at += n
        return s.decode()

    def _value(self, kind):
        if kind == STRING:
            return self._string()
        if kind == ARRAY:
            item, n = self._number(4), self._number(10)
            return [self._value(item) for _ in range(n)]
        if kind == DOUBLE:
            return Bits(from_float(self._number(kind)))
        return Bits(self._number(4)) if kind == FLOAT else self._number(kind)
