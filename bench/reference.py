"""The exact next-token distributions that bench/fidelity.sh measures against: the Llama forward pass in float64 on the dequantised weights.

    reference.py MODEL.gguf TOKENS OUT
TOKENS: 32-bit token ids, windows of 512. OUT: the file that llama-perplexity calls a --kl-divergence-base:
    "_logits_", i32 window length, i32 vocabulary, i32 windows, the ids, and for each window and each of its scored positions
    f32 scale, f32 least log-probability, u16[vocabulary] with log p = scale * u16 + least (vocabulary rounded up to even).
Scored are the positions 256 to 510 of a window: each predicts the token after it, with at least 256 tokens before it.
"""
import struct
import sys
import time

import numpy as np

import gguf

WINDOW = 512
FIRST = WINDOW // 2


class Llama:
    def __init__(self, path):
        f = gguf.File(path)
        get = lambda key: f.meta["llama." + key]
        if f.meta["general.architecture"] != "llama" or "rope_freqs.weight" in f.tensors:
            raise ValueError("only plain Llama files")
        if f.meta.get("tokenizer.ggml.add_bos_token", False):
            raise ValueError("the model wants a BOS token in front of every window: not done here")
        self.heads, self.kv_heads = get("attention.head_count"), get("attention.head_count_kv")
        self.eps = get("attention.layer_norm_rms_epsilon")
        self.vocab = len(f.meta["tokenizer.ggml.tokens"])
        width = get("embedding_length") // self.heads
        angle = np.outer(np.arange(WINDOW), f.meta.get("llama.rope.freq_base", 10000.0) ** (-np.arange(0, width, 2) / width))
        self.cos, self.sin = np.cos(angle)[:, None, :], np.sin(angle)[:, None, :]
        load = lambda name: f.tensor(name).astype(np.float64)
        parts = ["attn_norm", "attn_q", "attn_k", "attn_v", "attn_output", "ffn_norm", "ffn_gate", "ffn_up", "ffn_down"]
        self.layers = [{p: load(f"blk.{i}.{p}.weight") for p in parts} for i in range(get("block_count"))]
        self.embed, self.norm = load("token_embd.weight"), load("output_norm.weight")
        self.head = load("output.weight") if "output.weight" in f.tensors else self.embed

    def _rms(self, x, g):
        return x / np.sqrt(np.mean(x * x, axis=1, keepdims=True) + self.eps) * g

    def _rope(self, x):
        n = len(x)
        a, b, out = x[..., 0::2], x[..., 1::2], np.empty_like(x)
        out[..., 0::2] = a * self.cos[:n] - b * self.sin[:n]
        out[..., 1::2] = b * self.cos[:n] + a * self.sin[:n]
        return out

    def _attention(self, x, w):
        n = len(x)
        q = self._rope((x @ w["attn_q"].T).reshape(n, self.heads, -1))
        k = self._rope((x @ w["attn_k"].T).reshape(n, self.kv_heads, -1))
        v = (x @ w["attn_v"].T).reshape(n, self.kv_heads, -1)
        out = np.empty_like(q)
        future = np.triu(np.full((n, n), -np.inf), 1)
        for h in range(self.heads):
            g = h // (self.heads // self.kv_heads)
            s = q[:, h] @ k[:, g].T / np.sqrt(q.shape[2]) + future
            e = np.exp(s - s.max(axis=1, keepdims=True))
            out[:, h] = e @ v[:, g] / e.sum(axis=1, keepdims=True)
        return out.reshape(n, -1) @ w["attn_output"].T

    def logits(self, ids, first):
        """The logits at positions `first` and after it of one window."""
        x = self.embed[ids]
        for w in self.layers:
            x = x + self._attention(self._rms(x, w["attn_norm"]), w)
            y = self._rms(x, w["ffn_norm"])
            gate = y @ w["ffn_gate"].T
            x = x + (gate / (1 + np.exp(-gate)) * (y @ w["ffn_up"].T)) @ w["ffn_down"].T
        return self._rms(x[first:], self.norm) @ self.head.T


def packed(logits):
    """Log-probabilities as llama-perplexity stores them: 16 bits over the 16 nats below the greatest."""
    top = logits.max(axis=1, keepdims=True)
    least = np.maximum(logits.min(axis=1, keepdims=True), top - 16)
    log_sum = np.log(np.exp(logits - top).sum(axis=1, keepdims=True))
    scale = (top - least) / 65535
    rows, vocab = logits.shape
    out = np.zeros((rows, 4 + (vocab + 1) // 2 * 2), np.uint16)
    out[:, 0:4] = np.hstack([scale, least - top - log_sum]).astype("<f4").view(np.uint16)
    out[:, 4:4 + vocab] = np.rint((np.maximum(logits, least) - least) / scale)
    return out


def main():
    model_path, tokens_path, out_path = sys.argv[1:]
    model = Llama(model_path)
    ids = np.fromfile(tokens_path, "<u4").reshape(-1, WINDOW)
    start = time.monotonic()
    with open(out_path, "wb") as out:
        out.write(b"_logits_" + struct.pack("<iii", WINDOW, model.vocab, len(ids)) + ids.tobytes())
        for i, window in enumerate(ids):
            packed(model.logits(window[:-1], FIRST)).tofile(out)
            left = (time.monotonic() - start) / (i + 1) * (len(ids) - i - 1)
            print(f"\rreference: window {i + 1} of {len(ids)}, {left:.0f} s left ", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)


if __name__ == "__main__":
    main()
