#!/usr/bin/env python3
"""Compares the table of clocks in docs/DISPUTES.md with the parameter sets in Deploy.s.sol.

check_disputes_table.py; prints each difference and exits with 1 when there is one.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
UNITS = {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86400}
SHORT = {"s": 1, "min": 60, "h": 3600, "d": 86400}
MOVES = 16  # of the deepest descent, as the document says


def parameter_sets():
    """Seconds, or wei, of every parameter: {set: {name: value}}."""
    source = re.sub(r"//.*", "", (ROOT / "contracts/script/Deploy.s.sol").read_text())
    sets = {}
    pattern = r'if \((?:isMainnets\(name\)|.*?"(\w+)"\))\) \{(.*?)\n        \}'
    for name, body in re.findall(pattern, source[source.index("function parameters") :], re.S):
        name = name or "mainnet"
        values = {}
        for key, number, unit in re.findall(r"(\w+): ([\d.]+) ?(\w*)", body):
            if unit == "ether":
                values[key] = round(float(number) * 10**18)
            else:
                values[key] = int(number) * UNITS[unit or "seconds"]
        sets[name] = values
    return sets


def quantities(cell):
    """Seconds or wei of a cell such as '12 h / 7 d' or '0.1 ether'."""
    found = []
    for number, unit in re.findall(r"([\d.]+) (\w+)", cell):
        if unit == "ether":
            found.append(round(float(number) * 10**18))
        else:
            found.append(int(number) * SHORT[unit])
    return found


def expected(p):
    """The table's rows, by how they begin."""
    return {
        "window": [p["minWindow"], p["maxWindow"]],
        "accept deadline": [p["minAcceptPeriod"], p["maxAcceptPeriod"]],
        "claim period": [p["minClaimPeriod"], p["minReplicaClaimPeriod"], p["maxClaimPeriod"]],
        "replicas": [p["fillPeriod"], p["revealPeriod"]],
        "least stake": [p["minStake"]],
        "BUDGET per side": [p["budget"], p["floor"]],
        "longest dispute": [2 * p["budget"] + (MOVES - 2) * p["floor"]],
        "least bond": [p["minBond"]],
        "withdrawal": [p["withdrawalDelay"]],
    }


def main():
    text = (ROOT / "docs/DISPUTES.md").read_text()
    table = re.search(r"\| \| mainnet \| devnet \|\n\|[-|]+\|\n((?:\|.*\n)+)", text)
    if not table:
        sys.exit("docs/DISPUTES.md has no table of mainnet and devnet")
    rows = [[c.strip() for c in row.strip("|").split("|")] for row in table[1].splitlines()]
    sets = parameter_sets()
    wrong = 0
    for column, name in ((1, "mainnet"), (2, "devnet")):
        for start, values in expected(sets[name]).items():
            cells = [row[column] for row in rows if row[0].startswith(start)]
            if len(cells) != 1 or quantities(cells[0]) != values:
                print(f"{name}, '{start}': the document says {cells}, Deploy.s.sol {values}")
                wrong += 1
    if len(rows) != len(expected(sets["mainnet"])):
        print(f"the table has {len(rows)} rows, {len(expected(sets['mainnet']))} are compared")
        wrong += 1
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
