#!/usr/bin/env python3
"""Checks Markdown files.

- A relative link leads to a file, and to a heading in it where it names one.
- A path of the repository in a code span exists; of a pattern, at least one match.
- Lines have at most 100 columns, except in tables, in code and where a URL makes them long.

check_markdown.py [FILE...]; without files, every Markdown file that git knows or does not ignore.
Prints each offence and exits with 1 when there is one.
"""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
COLUMNS = 100
# A span such as `plugin/job.c`, `oracle/tree.*` or `tests/fuzz/`: a path from the top folder.
FOLDERS = "chain|kernels|oracle|plugin|contracts|devnet|tests|bench|docs"
NAMED = re.compile(rf"`((?:{FOLDERS})/[\w./*-]*)`")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def markdown_files():
    """Tracked files, and new ones that git does not ignore; not those deleted in the tree."""
    names = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "*.md"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout.split("\0")
    return [ROOT / name for name in sorted(set(names)) if name and (ROOT / name).exists()]


def prose(text):
    """Yields (line number, line) of what is neither fenced nor indented code nor a table."""
    fenced, code, blank = False, False, True
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("```"):
            fenced, blank = not fenced, False
            continue
        indented = line.startswith("    ")
        code = bool(line.strip()) and indented and (code or blank) or code and not line.strip()
        blank = not line.strip()
        if not fenced and not code and not line.lstrip().startswith("|"):
            yield number, line


def anchors(text):
    """The fragments of a file's headings, as GitHub makes them."""
    found = {}
    for _, line in prose(text):
        match = re.match(r"#{1,6} +(.*?)[ #]*$", line)
        if match:
            words = re.sub(r"[^\w\- ]", "", match[1].lower()).replace(" ", "-")
            found[words] = found.get(words, -1) + 1
    return {w if not i else f"{w}-{i}" for w, n in found.items() for i in range(n + 1)}


def offences(path):
    text = path.read_text(encoding="utf-8")
    for number, line in prose(text):
        if len(line) > COLUMNS and not re.search(r"https?://", line):
            yield number, f"{len(line)} columns; {COLUMNS} are the most: wrap the line"
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("    "):
            continue
        for name in NAMED.findall(line):
            if not any(ROOT.glob(name)) and not any(path.parent.glob(name)) and "NAME" not in name:
                yield number, f"there is no file {name}: name the one that took its place"
        for target in LINK.findall(re.sub(r"`[^`]*`", "", line)):
            if re.match(r"[a-z]+:", target):
                continue
            name, _, fragment = target.partition("#")
            file = (path.parent / name) if name else path
            if not file.exists():
                yield number, f"the link to {target} leads nowhere"
            elif fragment and file.suffix == ".md":
                if fragment not in anchors(file.read_text(encoding="utf-8")):
                    yield number, f"{name or path.name} has no heading #{fragment}"


def main():
    files = [pathlib.Path(name).resolve() for name in sys.argv[1:]] or markdown_files()
    count = 0
    for path in files:
        for number, message in offences(path):
            shown = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path
            print(f"{shown}:{number}: {message}")
            count += 1
    sys.exit(count > 0)


if __name__ == "__main__":
    main()
