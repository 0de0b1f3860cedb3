"""Perplexity, and KL divergence from the reference, of logits on standard input, computed as llama-perplexity does.

    score.py BASE < LOGITS
BASE: what reference.py writes. LOGITS: f32[vocabulary] for every scored position of every window, in order.
Prints one line: windows, perplexity, KL, its standard error, share of positions with the same most probable token, the reference's perplexity.
"""
import struct
import sys

import numpy as np

base = open(sys.argv[1], "rb")
magic, window, vocab, windows = struct.unpack("<8siii", base.read(20))
if magic != b"_logits_":
    sys.exit(f"score: {sys.argv[1]} is not a file of log-probabilities")
ids = np.frombuffer(base.read(4 * window * windows), "<u4").reshape(windows, window)
first = window // 2
scored = window - 1 - first
row = 4 + (vocab + 1) // 2 * 2

nll, nll_base, kl, same = [], [], [], []
for w in range(windows):
    stored = np.frombuffer(base.read(2 * row * scored), np.uint16).reshape(scored, row)
    head = stored[:, 0:4].copy().view("<f4")
    data = sys.stdin.buffer.read(4 * vocab * scored)
    if len(data) != 4 * vocab * scored:
        sys.exit(f"score: the logits end in window {w + 1} of {windows}")
    logits = np.frombuffer(data, "<f4").reshape(scored, vocab)
    target = ids[w, first + 1:]
    for i in range(scored):
        log_q = logits[i].astype(np.float64)
        log_q -= log_q.max()
        log_q -= np.log(np.exp(log_q).sum())
        log_p = head[i, 0].astype(np.float64) * stored[i, 4:4 + vocab] + head[i, 1]
        p = np.where(log_p > -16, np.exp(log_p), 0)
        nll.append(-log_q[target[i]])
        nll_base.append(-log_p[target[i]])
        kl.append(np.dot(p, log_p - log_q))
        same.append(log_q.argmax() == log_p.argmax())
if sys.stdin.buffer.read(1):
    sys.exit("score: more logits than windows")
print(windows, np.exp(np.mean(nll)), np.mean(kl), np.std(kl) / np.sqrt(len(kl) - 1), np.mean(same), np.exp(np.mean(nll_base)))
