#!/usr/bin/env python3
"""Holds the objects of kernels/ and oracle/ in a build folder to the rules of the committed path (docs/SPEC.md): exit status 1 and a line for each offence.

  check_build.py BUILD-FOLDER

- Every compile command turns contraction off, and no later option turns it on again or lets the compiler rearrange floating point.
- No object calls a function of libm, or of a library of vectors that stands for it.
- Every file of kernels/, kernels/scalar/ and the rooms of oracle/ has an object, but oracle/trace/fault.c, which is no part of the product.
"""
import json
import os
import re
import shlex
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FORBIDDEN = re.compile(r"-Ofast|-ffast-math|-f(unsafe|associative|reciprocal|finite)-math\S*|-fno-(signed-zeros|trapping-math|honor-\w+)|-ffp-model=.*|"
                       r"-fapprox-func|-fcx-\S+|-funsafe-\S+|-fsingle-precision-constant|-fveclib=.*|-mveclibabi=.*|-mrecip\S*|-mdaz-ftz|-fdenormal-fp-math=.*|-flto\S*")
FOLDERS = ("kernels", "kernels/scalar", "oracle/gguf", "oracle/text", "oracle/model", "oracle/engine",
           "oracle/trace", "oracle/proof", "oracle/dispute")


def libm_names():
    path = subprocess.run(["gcc", "-print-file-name=libm.so.6"], check=True, capture_output=True, text=True).stdout.strip()
    out = subprocess.run(["nm", "-D", "--defined-only", path], check=True, capture_output=True, text=True).stdout
    names = {line.split()[-1].split("@")[0] for line in out.splitlines()}
    if "expf" not in names:
        sys.exit(path + " does not define expf: not the library of mathematics")
    return names


def wrong_options(words):
    contraction = [w for w in words if w.startswith("-ffp-contract")]
    if not contraction or set(contraction) != {"-ffp-contract=off"}:
        yield "contraction is not off: %s" % (" ".join(contraction) or "no -ffp-contract")
    for w in words:
        if FORBIDDEN.fullmatch(w):
            yield "forbidden option %s" % w


def wrong_symbols(path, libm):
    result = subprocess.run(["nm", "-u", path], capture_output=True, text=True)
    if result.returncode:
        yield "cannot be read: " + result.stderr.strip()
    for line in result.stdout.splitlines():
        name = line.split()[-1]
        if name in libm or name.startswith("_ZGV"):
            yield "calls %s" % name


def main(build):
    libm, offences, objects, files = libm_names(), [], 0, set()
    for entry in json.load(open(os.path.join(build, "compile_commands.json"))):
        file = os.path.relpath(os.path.join(entry["directory"], entry["file"]), ROOT)
        if not file.startswith(("kernels/", "oracle/")):
            continue
        words = shlex.split(entry["command"])
        offences += ["%s: %s" % (file, o) for o in wrong_options(words)]
        path = os.path.join(entry["directory"], words[words.index("-o") + 1])
        if os.path.exists(path):
            objects += 1
            files.add(file)
            offences += ["%s: %s" % (path, o) for o in wrong_symbols(path, libm)]
    for folder in FOLDERS:
        for name in sorted(os.listdir(os.path.join(ROOT, folder))):
            file = "%s/%s" % (folder, name)
            if name.endswith(".c") and file not in files and file != "oracle/trace/fault.c":
                offences.append("%s: no object in %s" % (file, build))
    print("%s: %d objects of %d files" % (build, objects, len(files)))
    if offences:
        sys.exit("\n".join(offences))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
