"""Section 8: the program of a GGUF file of the Llama family."""

from struct import pack, unpack_from

from .blocks import TYPES
from .f32 import ONE
from .gguf import Gguf
from .ops import Matrix, default_scale
from .rope import MAX_POSITIONS, Table

(EMBED, RMS, NORM_Q, QUANT, LINEAR, LINEAR_Q, LINEAR_ROPE_Q, LINEAR_SILU_MUL_Q, LINEAR_ADD, ROPE_Q, SILU_MUL_Q, ATTN,
 SAMPLE) = range(1, 14)
POSITION, SAMPLED, KV = 0, 1, 2
FORM_F32, FORM_A8, FORM_RMS, FORM_SAMPLE = 0, 1, 2, 3
ABSENT = 0xFFFFFFFF
F32 = 0


class Tensor:
    def __init__(self, name, number, rows, columns, data):
        self.name, self.number, self.rows, self.columns, self.data = name, number, rows, columns, data
        self.row_size = len(data) // rows
        self.matrix = None if number == F32 else Matrix(number, rows, columns, data)
        self.vector = list(unpack_from("<%dI" % columns, data)) if number == F32 and rows == 1 else None


class Op:
    def __init__(self, opcode, kind, form, width, block=0, inputs=(), weights=(), geometry=(), scalar=0, vocab=0):
        self.opcode, self.kind, self.form, self.width, self.block = opcode, kind, form, width, block
        self.inputs, self.weights, self.geometry = list(inputs), list(weights), list(geometry)
        self.scalar, self.vocab = scalar, vocab

    def descriptor(self, numbers):
        words = [self.opcode, self.kind, self.form, self.width, self.block]
        words += self.inputs + [ABSENT] * (4 - len(self.inputs))
        for t in self.weights + [None] * (4 - len(self.weights)):
            words += [ABSENT, 0, 0, 0] if t is None else [numbers[t.name], t.number, t.rows, t.columns]
        words += self.geometry + [0] * (5 - len(self.geometry))
        words += [self.scalar, self.vocab] + [0] * 32
        return pack("<64I", *words)


class Model:
    def __init__(self, data):
        self.file = Gguf(data)
        meta = self.file.meta
        if meta["general.architecture"] != "llama":
            raise ValueError("architecture")

        def get(name, default=None):
            value = meta.get("llama." + name, default)
            if value is None:
                raise ValueError("llama.%s is missing" % name)
            return value

        self.layers, self.d, self.ffn = get("block_count"), get("embedding_length"), get("feed_forward_length")
        self.heads, self.context = get("attention.head_count"), get("context_length")
        self.kv_heads = get("attention.head_count_kv", self.heads)
        self.width = get("attention.key_length", self.d // self.heads)
        if get("attention.value_length", self.d // self.heads) != self.width:
            raise ValueError("head widths of keys and values differ")
        self.rot = get("rope.dimension_count", self.width)
        self.base = get("rope.freq_base", 0x461C4000)
        self.epsilon = get("attention.layer_norm_rms_epsilon")
        self.scale = get("attention.scale", default_scale(self.width))
        self.block = self.width if self.width <= 128 else 128
        self.max_positions = min(self.context, MAX_POSITIONS)
        self.factors = self._factors()
        self.table = Table(self.base, self.rot, self.factors)
        self._rope_rows = {}
        self.ops, self.tensors, self._numbers = [], [], {}
        self._derive()
        self.vocab = self.ops[0].vocab
        unused = set(self.file.tensors) - set(self._numbers) - {"rope_freqs.weight"}
        if unused:
            raise ValueError("tensors without use: %s" % sorted(unused))

    def _factors(self):
        n = self.rot // 2
        if "rope_freqs.weight" in self.file.tensors:
            return list(unpack_from("<%dI" % n, self.file.data, self.file.tensors["rope_freqs.weight"][2]))
        if self.file.meta.get("llama.rope.scaling.type") == "linear":
            return [self.file.meta["llama.rope.scaling.factor"]] * n
        return [ONE] * n

    def rope_row(self, t):
        if t not in self._rope_rows:
            self._rope_rows[t] = self.table.row(t)
        return self._rope_rows[t]

    def _tensor(self, name, optional=False):
        """The tensor of that name, numbered when it is first named."""
        if name not in self.file.tensors:
            if optional:
                return None
            raise ValueError("no tensor " + name)
        if name not in self._numbers:
            number, dims, offset = self.file.tensors[name]
            columns, rows = dims[0], dims[1] if len(dims) > 1 else 1
            size = 4 * columns if number == F32 else columns // TYPES[number].elements * TYPES[number].size
            self._numbers[name] = len(self.tensors)
            self.tensors.append(Tensor(name, number, rows, columns, self.file.data[offset : offset + rows * size]))
        return self.tensors[self._numbers[name]]

    def _add(self, *args, **words):
        self.ops.append(Op(*args, **words))
        return len(self.ops) - 1

    def _weights(self, *names):
        """Weight, bias, weight, bias, ... of the named matrices."""
        out = []
        for name in names:
            out += [self._tensor(name + ".weight"), self._tensor(name + ".bias", optional=True)]
        return out

    def _norm(self, x, gain, kind=POSITION):
        r = self._add(RMS, kind, FORM_RMS, -(-self.d // 256) + 1, inputs=[x], scalar=self.epsilon)
        return self._add(NORM_Q, kind, FORM_A8, self.d, 64, inputs=[x, r], weights=[self._tensor(gain)])

    def _derive(self):
        d, all_heads, add = self.d, self.heads * self.width, self._add
        table = self._tensor("token_embd.weight")
        x = add(EMBED, POSITION, FORM_F32, d, weights=[table], vocab=table.rows)
        heads = [self.heads, self.kv_heads, self.width]
        roped = heads + [self.rot, 1]
        for layer in range(self.layers):
            p = "blk.%d." % layer
            n = self._norm(x, p + "attn_norm.weight")
            q = add(LINEAR_ROPE_Q, POSITION, FORM_A8, all_heads, self.block, [n], self._weights(p + "attn_q"), roped)
            k = add(LINEAR_ROPE_Q, KV, FORM_A8, self.width, self.block, [n], self._weights(p + "attn_k"), roped)
            v = add(LINEAR_Q, KV, FORM_A8, self.width, self.block, [n], self._weights(p + "attn_v"), heads)
            a = add(ATTN, POSITION, FORM_F32, all_heads, 0, [q, k, v], geometry=heads, scalar=self.scale)
            a = add(QUANT, POSITION, FORM_A8, all_heads, 64, [a])
            x = add(LINEAR_ADD, POSITION, FORM_F32, d, 0, [a, x], self._weights(p + "attn_output"))
            n = self._norm(x, p + "ffn_norm.weight")
            f = add(LINEAR_SILU_MUL_Q, POSITION, FORM_A8, self.ffn, 64, [n], self._weights(p + "ffn_gate", p + "ffn_up"))
            x = add(LINEAR_ADD, POSITION, FORM_F32, d, 0, [f, x], self._weights(p + "ffn_down"))
        n = self._norm(x, "output_norm.weight", SAMPLED)
        out = self._tensor("output.weight", optional=True) or table
        add(SAMPLE, SAMPLED, FORM_SAMPLE, 2, inputs=[n], weights=[out], vocab=table.rows)

    def program(self):
        """The descriptors, 256 bytes an operation."""
        return [op.descriptor(self._numbers) for op in self.ops]
