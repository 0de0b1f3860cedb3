#!/usr/bin/env python3
"""Checks tests/vectors/ against the second implementation: every file is computed again and compared.

  check.py          the files that take a moment, at least one of each section (about 20 s)
  check.py --all    every file (minutes)
"""

import os
import sys
import time

from make_vectors import FOLDER, all_files, text

FAST = ["scalars/", "blocks/", "ops/embed", "ops/linear", "ops/rms", "ops/quant", "ops/rope", "ops/silu", "rope/", "sampling/", "trees/",
        "models/q4-0", "runs/q4-0", "runs/head-256", "units/others", "units/refused"]


def main(args):
    if args not in ([], ["--all"]):
        sys.exit(__doc__)
    failed = checked = 0
    expected = {name for name, _, _ in all_files()}
    present = {os.path.relpath(os.path.join(folder, f), FOLDER).replace(os.sep, "/")
               for folder, _, files in os.walk(FOLDER) for f in files if f.endswith(".json") and os.path.relpath(folder, FOLDER) != "contracts"}
    for name in sorted(expected ^ present):
        print("%s: %s" % (name, "missing" if name in expected else "nothing makes this file"))
        failed += 1
    for name, about, cases in all_files():
        if name not in present or not (args or any(name.startswith(f) for f in FAST)):
            continue
        start = time.monotonic()
        with open(os.path.join(FOLDER, name), encoding="utf-8") as f:
            same = f.read() == text(about, cases())
        checked += 1
        failed += not same
        print("%s %s (%.1f s)" % ("ok" if same else "DIFFERS", name, time.monotonic() - start), flush=True)
    print("%d files checked, %d failed" % (checked, failed))
    return 1 if failed or not checked else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
