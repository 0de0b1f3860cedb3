#!/usr/bin/env python3
"""The table of bench/cpu.sh from its files of results.

  cpu_table.py FOLDER PROMPT DECODE "MODEL ..." "THREADS ..."
"""
import json
import os
import statistics
import sys


def named(path):
    """The lines "NAME VALUE" of a file, as lists of values by name."""
    values = {}
    for line in open(path):
        name, value = line.split()
        values.setdefault(name, []).append(value)
    return values


def median(values):
    return statistics.median(map(float, values))


def peer_rates(path):
    rows = [json.loads(line) for line in open(path)]
    return {"prefill": median(r["avg_ts"] for r in rows if r["n_prompt"]), "decode": median(r["avg_ts"] for r in rows if r["n_gen"])}


class Limits:
    """The best of all rounds: what the machine can do."""

    def __init__(self, path):
        values = {name: max(map(float, v)) for name, v in named(path).items()}
        self.read = values.pop("read")
        self.unit = max(values, key=values.get)
        self.macs = values[self.unit]


def measurements(folder, model, threads, tokens):
    """(phase, our rate, the peer's, rate that the limit allows, limit in words, share of a plain memory read) of one model and number of threads."""
    path = os.path.join(folder, "%s.%s." % (model, threads))
    ours, peer, limits = named(path + "ours"), peer_rates(path + "peer"), Limits(path + "limits")
    for phase in "prefill", "decode":
        rate = statistics.median(tokens[phase] / float(s) for s in ours[phase])
        arithmetic = 1e9 * limits.macs * tokens[phase] / float(ours["macs_" + phase][0])
        memory = 1e9 * limits.read / float(ours["weight_bytes"][0]) * (tokens[phase] if phase == "prefill" else 1)
        limit = "%s %.0f GMAC/s" % (limits.unit, limits.macs) if arithmetic < memory else "read %.1f GB/s" % limits.read
        yield phase, rate, peer[phase], min(arithmetic, memory), limit, rate / memory


def main(folder, prompt, decode, models, threads):
    tokens = {"prefill": int(prompt), "decode": int(decode)}
    models, threads = models.split(), threads.split()
    levels = {level for m in models for j in threads for level in named(os.path.join(folder, "%s.%s.ours" % (m, j)))["level"]}
    print("\nlockstep with %s; prefill of %s tokens, decode of %s; tokens a second, medians" % (", ".join(sorted(levels)), prompt, decode))
    form = "%-13s %7s %8s %9s %9s %6s   %-20s %9s %6s"
    print(form % ("model", "threads", "", "lockstep", "llama.cpp", "ratio", "limit", "allows", "share"))
    ratios = []
    for model in models:
        for j in threads:
            for phase, ours, peer, allowed, limit, read in measurements(folder, model, j, tokens):
                print(form % (model, j, phase, "%.1f" % ours, "%.1f" % peer, "%.2f" % (ours / peer), limit, "%.1f" % allowed, "%.0f %%" % (100 * ours / allowed)))
                name = model.replace("-", "_")
                ratios.append(("%s_%s_%s" % (name, phase, j), ours / peer))
                if phase == "decode":
                    ratios.append(("decode_read_%s_%s" % (name, j), read))
    print()
    for name, value in ratios:
        print("ratio %s %.3f" % (name, value))


if __name__ == "__main__":
    if len(sys.argv) != 6:
        sys.exit(__doc__)
    main(*sys.argv[1:])
