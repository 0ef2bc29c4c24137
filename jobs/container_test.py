#!/usr/bin/env -S python3 -B
"""Tests jobs/Containerfile as far as that is possible without running containers.

The stage that builds: every header, library and tool of the build must come from a package that scripts/setup.sh
installs, or from debian:12 itself; a copy of the checkout with what COPY copies is configured in an empty environment;
and each path that the last stage copies must exist. Not tested: the installation of the packages, the fetch of LibTorch,
and the compilation in the copy, which takes minutes.

The last stage: each library that ldd lists for the installed program and its LibTorch adapter must come from a package
that the stage installs, from debian:12-slim itself, or from a folder that is copied into the image. Installed packages
that are not needed are errors, too.

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


def cached(build, variable):
    """Returns the value of a variable of CMake in the build tree."""
    with open(os.path.join(build, "CMakeCache.txt"), encoding="utf-8") as cache:
        return re.search(rf"^{variable}:\w+=(.+)$", cache.read(), flags=re.M)[1]


def needed_libraries(build):
    """Returns the paths of all libraries that the installed program and adapters load, by name."""
    torch = cached(build, "TIEOUT_TORCH")
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


def build_packages():
    """Returns the packages that scripts/setup.sh installs for a build."""
    with open(os.path.join(ROOT, "scripts/setup.sh"), encoding="utf-8") as file:
        return set(re.search(r"^readonly packages=\((.*?)\)", file.read(), flags=re.M | re.S)[1].split())


def build_inputs(build):
    """Returns the files of the system that the build of the program reads: headers, libraries and tools."""
    ninja = ("ninja", "-C", build, "-t")
    inputs = [line for line in output(*ninja, "inputs", "tieout").splitlines() if not line.startswith("ninja:")]
    objects = [name for name in inputs if name.endswith(".o")]
    assert len(objects) > 40, f"the build of the program has no object files: {inputs}"
    headers = re.findall(r"^    (/\S+)$", output(*ninja, "deps", *objects), flags=re.M)
    tools = [cached(build, f"CMAKE_{name}") for name in ("C_COMPILER", "CXX_COMPILER", "MAKE_PROGRAM", "COMMAND")]
    paths = {os.path.normpath(path) for path in inputs + headers if path.startswith("/")}
    return {path for path in paths if path.startswith("/usr/")} | {os.path.realpath(tool) for tool in tools}


def check_build_packages(build):
    """Checks that each file of the system that the build reads is in the image of the first stage."""
    provided = with_dependencies(build_packages()) | base_packages()
    files = sorted(build_inputs(build))
    found = subprocess.run(["dpkg", "-S", *files], capture_output=True, text=True).stdout
    owners = {path: package.split(":")[0] for package, path in re.findall(r"^(\S+): (/.+)$", found, flags=re.M)}
    missing = {path: owners.get(path) for path in files if owners.get(path) not in provided}
    assert not missing, f"scripts/setup.sh installs no package for: {missing}"


def check_copy(build):
    """Configures a copy of the checkout as the first stage does, and checks that the program could be built there."""
    with open(os.path.join(ROOT, ".dockerignore"), encoding="utf-8") as file:
        ignored = file.read().split()
    with tempfile.TemporaryDirectory() as folder:
        copy = os.path.join(folder, "tieout")
        os.mkdir(copy)
        names = [name for name in os.listdir(ROOT) if f"/{name}/" not in ignored and f"/{name}" not in ignored]
        subprocess.run(["cp", "-r", *(os.path.join(ROOT, name) for name in names), copy], check=True)
        environment = {
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "TIEOUT_SKIP_APT": "1",  # a test installs nothing
            "TIEOUT_TORCH": cached(build, "TIEOUT_TORCH"),  # as fetched
        }
        script = [os.path.join(copy, "scripts/setup.sh")]
        ended = subprocess.run(script, env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        assert ended.returncode == 0, f"scripts/setup.sh: status {ended.returncode}\n{ended.stdout}{ended.stderr}"
        steps = output("ninja", "-C", os.path.join(copy, "build/release"), "-n", "tieout")
        assert steps.count("Building CXX object") > 40, f"the copy does not build the program:\n{steps}"


def check_copied(build, stage):
    """Checks that the paths exist that the last stage copies from the first one."""
    copied = re.findall(r"^COPY --from=build /tieout/build/release/(\S+) ", stage, flags=re.M)
    assert copied, "jobs/Containerfile copies nothing of the build"
    absent = [path for path in copied if not os.path.exists(os.path.join(build, path))]
    assert not absent, f"jobs/Containerfile copies what the build does not make: {absent}"


def main():
    try:
        output("dpkg-query", "--version")
    except OSError:
        print("this is no Debian: which packages hold the libraries cannot be asked")
        sys.exit(SKIPPED)
    build = sys.argv[1]
    stage = last_stage()
    check_copied(build, stage)
    check_build_packages(build)
    check_copy(build)
    named = installed_by(stage)
    provided = with_dependencies(named) | base_packages()
    copied = [f"/{folder}/" for folder in re.findall(r"COPY --from=build /tieout/(\S+) /tieout/\S+", stage)]
    libraries = needed_libraries(build)
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
