#!/usr/bin/env python3
"""Shows that check_rooms.py finds what it looks for: it is run on small trees with one fault each."""
import pathlib
import subprocess
import sys
import tempfile

CHECK = pathlib.Path(__file__).resolve().parent / "check_rooms.py"
GOOD = {
    "chain/err.h": "int lks_err;\n",
    "oracle/gguf/gguf.h": '#include "chain/err.h"\n',
    "oracle/proof/step.h": '#include "oracle/gguf/gguf.h"\n',
}
FAULTS = {
    "an include of a room above": ({"oracle/gguf/gguf.h": '#include "oracle/proof/step.h"\n'},
                                   "count upward_includes 1"),
    "an include of no room": ({"chain/err.h": '#include "tests/x.h"\n'}, "count upward_includes 1"),
    "a circle of rooms": ({"chain/err.h": '#include "oracle/proof/step.h"\n'},
                          "count rooms_cycles 3"),
    "a wide line": ({"chain/err.h": "/*" + 99 * "x" + "*/\n"}, "count c_lines_over_100 1"),
}


def run(files):
    with tempfile.TemporaryDirectory() as folder:
        for name, text in files.items():
            path = pathlib.Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return subprocess.run([sys.executable, CHECK, folder], capture_output=True, text=True)


def main():
    failures = []
    good = run(GOOD | {"chain/table.c": "/* clang-format off */\n" + 101 * "x" + "\n"})
    if good.returncode:
        failures.append("a tree without fault is refused: " + good.stdout)
    for name, (files, line) in FAULTS.items():
        result = run(GOOD | files)
        if result.returncode != 1 or line not in result.stdout.splitlines():
            failures.append(f"{name} is not found: {result.stdout}")
    print("\n".join(failures) or f"{len(FAULTS) + 1} trees judged right")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
