#!/usr/bin/env -S python3 -B
"""Tests that the container image has every library that the program needs.

Each library that ldd lists for the installed program and its LibTorch adapter must come from a package that
jobs/Containerfile installs, from debian:12-slim itself, or from a folder that is copied into the image. Installed
packages that are not needed are errors, too.

    container_test.py BUILD
"""

import os
import re
import subprocess
import sys
import tempfile

SKIPPED = 77
ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")


def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def last_stage():
    """Returns the instructions of the image's last stage, which is shipped, with continued lines joined."""
    with open(os.path.join(ROOT, "jobs/Containerfile"), encoding="utf-8") as file:
        text = re.sub(r"\\\n", " ", file.read())
    return re.split(r"^FROM ", text, flags=re.M)[-1]


def installed_by(stage):
    """Returns the packages that the stage installs with apt-get."""
    packages = set()
    for arguments in re.findall(r"apt-get install ([^&|;\n]*)", stage):
        packages |= {word for word in arguments.split() if not word.startswith("-")}
    return packages


def with_dependencies(packages):
    """Returns the packages and all their dependencies. Of alternatives, it takes those that are installed here."""
    depends = {}
    for line in output("dpkg-query", "-W", "-f", "${Package}\t${Pre-Depends}, ${Depends}\n").splitlines():
        package, _, names = line.partition("\t")
        depends[package] = re.findall(r"[a-z0-9][a-z0-9+.-]*(?=[ ,|:(]|$)", re.sub(r"\([^)]*\)", "", names))
    found, new = set(), set(packages)
    while new:
        package = new.pop()
        found.add(package)
        new |= {name for name in depends.get(package, []) if name in depends and name not in found}
    return found


def base_packages():
    """Returns the packages of debian:12-slim: the essential packages, apt, and their dependencies."""
    lines = output("dpkg-query", "-W", "-f", "${Essential} ${Package}\n").splitlines()
    return with_dependencies({line.split()[1] for line in lines if line.startswith("yes ")} | {"apt"})


def needed_libraries(build):
    """Returns the paths of all libraries that the installed program and adapters load, by name."""
    with open(os.path.join(build, "CMakeCache.txt"), encoding="utf-8") as cache:
        torch = re.search(r"^TIEOUT_TORCH:\w+=(.+)$", cache.read(), flags=re.M)[1]
    with tempfile.TemporaryDirectory() as prefix:
        output("cmake", "--install", build, "--prefix", prefix)
        files = [os.path.join(folder, name) for folder, _, names in os.walk(prefix) for name in names]
        loaded = [file for file in files if open(file, "rb").read(4) == b"\x7fELF"]
        assert len(loaded) >= 2, f"no program and adapter were installed: {files}"
        libraries = {}
        for file in loaded:
            # The program opens LibTorch's libraries itself, before an adapter.
            listed = output("env", f"LD_LIBRARY_PATH={torch}/torch/lib:{torch}/lib", "ldd", file)
            assert "not found" not in listed, f"{file}:\n{listed}"
            libraries |= dict(re.findall(r"(\S+) => (/\S.*?) \(0x", listed))
    return libraries


def owner(path):
    """Returns the package that the file belongs to, or None."""
    # dpkg lists a library by its path from before /lib became a link to /usr/lib, or by the later one.
    for name in {path, os.path.realpath(path), path.removeprefix("/usr"), "/usr" + path}:
        found = subprocess.run(["dpkg", "-S", name], capture_output=True, text=True)
        if found.returncode == 0:
            return found.stdout.split(":")[0]
    return None


def main():
    try:
        output("dpkg-query", "--version")
    except OSError:
        print("this is no Debian: which packages hold the libraries cannot be asked")
        sys.exit(SKIPPED)
    stage = last_stage()
    named = installed_by(stage)
    provided = with_dependencies(named) | base_packages()
    copied = [f"/{folder}/" for folder in re.findall(r"COPY --from=build /tieout/(\S+) /tieout/\S+", stage)]
    libraries = needed_libraries(sys.argv[1])
    assert len(libraries) > 5, f"ldd lists no libraries: {libraries}"
    missing = {}
    for name, path in libraries.items():
        if any(folder in path for folder in copied):
            continue
        package = owner(path)
        if package not in provided:
            missing[name] = package or path
    assert not missing, f"jobs/Containerfile installs no package for: {missing}"
    surplus = named - {owner(path) for path in libraries.values()}
    assert not surplus, f"jobs/Containerfile installs what is not needed: {surplus}"


if __name__ == "__main__":
    main()
