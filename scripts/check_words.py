#!/usr/bin/env python3
"""Checks sources, documents and messages for words that plain technical English does not need.

  scripts/check_words.py [FOLDER]     FOLDER: the checkout; the one that holds this script if not given

Exceptions stand in scripts/words_allowed.txt: a line is PATH, a tab, a part of the line of text, a tab, and the reason. An
exception that nothing needs any more is an error, too. Exit status: 0 if all is well, 1 with a line for each place.
"""
import pathlib
import re
import subprocess
import sys

# What is found, regardless of upper and lower case, and what to write instead.
WORDS = (
    (r"\b(any|every|no|some)body('s)?\b", "name the component"),
    (r"\bforet(old|ell|ells|elling)\b", "predict"),
    (r"\b(say|says|said|answer|answers|answered|round|rounds|rounded) otherwise\b", "differently"),
    (r"\b(made|make|makes|making|cut|cuts) (it |them )?small\b", "shrink"),
    (r"\b(laid|lay|lays) at (its|the|their) door\b", "report as the failure of ..."),
    (r"\b(one|each) of its own (room|house)\b|\bthis (room|house)\b", "folder, module, buffer"),
    (r"\bwhom\b", "name the component"),
)
SUFFIXES = {".h", ".cpp", ".c", ".py", ".sh", ".cmake", ".txt", ".md", ".mustache", ".yml", ".yaml", ".js", ".css", ".f90"}
SKIPPED = ("scripts/check_words.py", "scripts/check_words_test.sh", "scripts/words_allowed.txt")


def tracked(root):
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=root, capture_output=True, text=True)
    names = listed.stdout.split("\0") if listed.returncode == 0 else [
        str(path.relative_to(root)) for path in sorted(root.glob("**/*")) if path.is_file()]
    return [name for name in names if name and pathlib.PurePath(name).suffix in SUFFIXES and name not in SKIPPED
            and not name.startswith(("build/", ".deps/"))]


def exceptions(root):
    file = root / "scripts/words_allowed.txt"
    rows = file.read_text().splitlines() if file.exists() else []
    return [tuple(row.split("\t")) for row in rows if row and not row.startswith("#")]


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent.parent).resolve()
    allowed = exceptions(root)
    needed, wrong, files = set(), 0, 0
    for row in allowed:
        if len(row) != 3:
            print(f"scripts/words_allowed.txt: not PATH, text and reason with tabs between: {row}")
            return 1
    for name in tracked(root):
        files += 1
        for number, line in enumerate((root / name).read_text(errors="replace").splitlines(), 1):
            for pattern, instead in WORDS:
                match = re.search(pattern, line, re.IGNORECASE)
                if not match:
                    continue
                row = next((row for row in allowed if row[0] == name and row[1] in line), None)
                if row:
                    needed.add(row)
                    continue
                print(f"{name}:{number}: '{match.group()}': {instead}")
                wrong += 1
    for row in allowed:
        if row not in needed:
            print(f"scripts/words_allowed.txt: nothing needs this any more: {row[0]}: {row[1]}")
            wrong += 1
    print(f"{files} files, {wrong} wrong")
    return 1 if wrong or not files else 0


if __name__ == "__main__":
    sys.exit(main())
