#!/usr/bin/env python3
"""Checks that no type or function is defined in two files under the same name.

Two definitions of one name in one program are undefined behaviour, and no compiler reports them. Members are not
checked. Functions count as the same only if their parameters are also the same.

Functions of anonymous namespaces must have names that are unique in their folder, whatever their parameters are, because
the files of a folder are compiled as one (cmake/TieoutTarget.cmake): a call could otherwise take the function of another
file. That is not checked in tests, because a folder's tests can belong to several programs, and in the files
loops_*.cpp, which are compiled alone, each for its instruction set.

  scripts/check_definitions.py [FOLDER]     FOLDER: the checkout; the one that holds this script if not given

Needs Universal Ctags. Exit status: 0 if all is well, 1 with a line for each name, 2 if ctags cannot be run or
nothing is found.
"""
import collections
import json
import pathlib
import subprocess
import sys

FOLDERS = ("cases", "cli", "kernels", "layers", "oracle", "props", "reports")
SEVERAL = {"main"}  # each program has one


def definitions(root):
    """Yields (name with its namespace, parameters, file) for each definition outside of classes.

    For a function of an anonymous namespace, the name begins with its folder, and the parameters are empty.
    """
    files = [str(path.relative_to(root)) for folder in FOLDERS for path in sorted(root.glob(folder + "/**/*"))
             if path.suffix in (".h", ".cpp")]
    tags = subprocess.run(
        ["ctags", "--languages=C++", "--langmap=C++:+.h", "--kinds-C++=cgsutf", "--fields=+sSkZ",
         "--output-format=json", "-f", "-", "-L", "-"],
        cwd=root, input="\n".join(files), capture_output=True, text=True, check=True).stdout
    for line in tags.splitlines():
        tag = json.loads(line)
        scope = tag.get("scope", "")
        if tag.get("scopeKind", "namespace") != "namespace":
            continue
        if "__anon" in scope + tag["name"]:
            path = pathlib.PurePosixPath(tag["path"])
            if tag["kind"] == "function" and not path.stem.endswith("_test") and not path.stem.startswith("loops_"):
                yield f"{path.parent}: {tag['name']}", "", tag["path"]
            continue
        parameters = tag.get("signature", "") if tag["kind"] == "function" else ""
        yield (scope + "::" + tag["name"]).removeprefix("::"), parameters, tag["path"]


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent.parent).resolve()
    places = collections.defaultdict(set)
    try:
        for name, parameters, path in definitions(root):
            places[name, parameters].add(path)
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"ctags cannot be run: {error}; install the Debian package universal-ctags", file=sys.stderr)
        return 2
    twice = {key: paths for key, paths in places.items() if len(paths) > 1 and key[0] not in SEVERAL}
    for (name, parameters), paths in sorted(twice.items()):
        print(f"defined more than once: {name}{parameters} in {', '.join(sorted(paths))}")
    if not places:
        print(f"no definitions found below {root}", file=sys.stderr)
        return 2
    print(f"{len(places)} definitions, {len(twice)} of them more than once")
    return 1 if twice else 0


if __name__ == "__main__":
    sys.exit(main())
