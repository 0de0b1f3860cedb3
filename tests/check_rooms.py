#!/usr/bin/env python3
"""Checks the order of the rooms: a file includes only headers of its own room and of rooms below.

  check_rooms.py [ROOT]

Prints each include that breaks the order and the lines of C that are wider than 100 columns outside
tables that clang-format leaves alone; then the counts. Exit status: 1 when one of them is not 0.
"""
import pathlib
import re
import sys

COLUMNS = 100
# Each room, and the rooms whose headers it may include beside its own.
BASE = ("chain",)
MODEL = BASE + ("kernels", "oracle/gguf", "oracle/text")
ROOMS = {
    "chain": (),
    "kernels": BASE,
    "oracle/gguf": BASE + ("kernels",),
    "oracle/text": BASE + ("kernels", "oracle/gguf"),
    "oracle/model": MODEL,
    "oracle/engine": MODEL + ("oracle/model",),
    "oracle/trace": MODEL + ("oracle/model", "oracle/engine"),
    "oracle/proof": MODEL + ("oracle/model", "oracle/engine", "oracle/trace"),
    "oracle/dispute": MODEL + ("oracle/model", "oracle/engine", "oracle/trace", "oracle/proof"),
}
ORACLE = tuple(ROOMS)
ROOMS["oracle/cli"] = ORACLE
ROOMS["plugin"] = ORACLE
INCLUDE = re.compile(r'\s*#\s*include\s+"([^"]+)"')


def room_of(path):
    """The room of a file, by its path from the root; None for what is in none, such as tests."""
    for room in sorted(ROOMS, key=len, reverse=True):
        if path.startswith(room + "/"):
            return room
    return None


def upward(path, text):
    """Yields (line number, message) of each include that leaves the rooms that a file may see."""
    room = room_of(path)
    for number, line in enumerate(text.splitlines(), 1):
        match = INCLUDE.match(line)
        if match and "/" in match[1]:
            other = room_of(match[1])
            if other is None:
                yield number, f"{match[1]} is in no room"
            elif other != room and other not in ROOMS[room]:
                yield number, f"{room} includes {match[1]}, which is above it"


def wide(text):
    """Yields the numbers of lines over COLUMNS, outside tables that the formatter leaves alone."""
    table = False
    for number, line in enumerate(text.splitlines(), 1):
        if "clang-format off" in line or "clang-format on" in line:
            table = "clang-format off" in line
        elif len(line) > COLUMNS and not table:
            yield number


def cycles(edges):
    """The rooms that reach themselves."""
    def reached(start):
        found, waiting = set(), list(edges.get(start, ()))
        while waiting:
            room = waiting.pop()
            if room not in found:
                found.add(room)
                waiting += edges.get(room, ())
        return found
    return [room for room in edges if room in reached(room)]


def main(root):
    edges, up, long_lines = {}, 0, 0
    for path in sorted(root.glob("**/*.[ch]")):
        name = path.relative_to(root).as_posix()
        if name.startswith(("build", ".tools", "contracts/node_modules")):
            continue
        text = path.read_text(encoding="utf-8")
        for number in wide(text):
            print(f"{name}:{number}: wider than {COLUMNS} columns: run tests/format.sh")
            long_lines += 1
        room = room_of(name)
        if room is None:
            continue
        for number, message in upward(name, text):
            print(f"{name}:{number}: {message}")
            up += 1
        others = {room_of(i) for i in re.findall(r'#\s*include\s+"([^"]+/[^"]+)"', text)}
        edges.setdefault(room, set()).update(others - {room, None})
    round_trips = cycles(edges)
    for room in round_trips:
        print(f"{room} includes itself by way of other rooms")
    print(f"count c_lines_over_100 {long_lines}")
    print(f"count upward_includes {up}")
    print(f"count rooms_cycles {len(round_trips)}")
    return 1 if up or long_lines or round_trips else 0


if __name__ == "__main__":
    here = pathlib.Path(__file__).resolve().parent.parent
    sys.exit(main(pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else here))
