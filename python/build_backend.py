"""Builds the wheel and the source distribution: a build backend of PEP 517 without dependencies.

`pip wheel .` configures and builds with CMake in build/wheel-tree; `--config-settings=build-dir=DIR`, or
TIEOUT_BUILD_DIR=DIR, takes what is built in DIR instead. Both need the packages that scripts/setup.sh installs, and a
LibTorch to compile against: TIEOUT_TORCH, or .deps/libtorch. The wheel has an adapter for each version of LibTorch that
the build has one for, and no LibTorch.

The wheel holds what `cmake --install` installs, below the prefix of the environment: bin/tieout, libexec/, lib/ and
include/, so that the program finds its files as in any other installation, and CMake finds the package. The program is
in the wheel as it is, without a start by Python, so that signals and the exit status are its own.
"""

from __future__ import annotations

import base64
import hashlib
import io
import os
import pathlib
import re
import shutil
import subprocess
import tarfile
import tempfile
import zipfile
from collections.abc import Mapping
from typing import Optional

Settings = Optional[Mapping[str, str]]

ROOT = pathlib.Path(__file__).resolve().parents[1]
_EPOCH = int(os.environ.get("SOURCE_DATE_EPOCH", "315532800"))  # 1980-01-01, the earliest time of a zip file
# Versions of the C++ library's symbols, and the first glibc whose manylinux tag guarantees them (PEP 600, as auditwheel
# has it).
_GLIBCXX = {29: (2, 34), 30: (2, 35), 31: (2, 37), 32: (2, 38), 33: (2, 39)}
_ENTRY_POINTS = "[pytest11]\ntieout = tieout.pytest_plugin\n"


def get_requires_for_build_wheel(config_settings: Settings = None) -> list[str]:
    return []


get_requires_for_build_sdist = get_requires_for_build_wheel


def version() -> str:
    """Returns the version, which CMakeLists.txt defines."""
    found = re.search(r"project\(tieout VERSION ([0-9.]+)", (ROOT / "CMakeLists.txt").read_text())
    if found is None:
        raise RuntimeError("CMakeLists.txt has no line project(tieout VERSION ...)")
    return found.group(1)


def _project() -> dict[str, str]:
    """Returns the values of pyproject.toml that have one line. Python 3.10 has no reader of TOML."""
    text = (ROOT / "pyproject.toml").read_text()
    names = ("name", "description", "requires-python")
    return {name: re.search(rf'^{name} = "(.*)"$', text, re.M)[1] for name in names}  # type: ignore[index]


def metadata() -> str:
    project = _project()
    lines = [
        "Metadata-Version: 2.1",
        f"Name: {project['name']}",
        f"Version: {version()}",
        f"Summary: {project['description']}",
        f"Requires-Python: {project['requires-python']}",
        "Requires-Dist: numpy",
        "Provides-Extra: torch",
        'Requires-Dist: torch; extra == "torch"',
        "Description-Content-Type: text/markdown",
    ]
    lines += [f"License-File: {path.name}" for path in _licenses()]
    return "\n".join(lines) + "\n\n" + (ROOT / "README.md").read_text()


def _licenses() -> list[pathlib.Path]:
    return sorted(
        path for pattern in ("LICENSE*", "NOTICE*", "THIRD*PARTY*") for path in ROOT.glob(pattern) if path.is_file()
    )


def platform_tag(files: list[pathlib.Path]) -> str:
    """Returns the manylinux tag of the oldest system whose glibc and C++ library have the symbols that the files need.

    Raises RuntimeError if a file needs a symbol whose system is not known here.
    """
    oldest = (2, 17)
    for file in files:
        symbols = subprocess.run(["objdump", "-T", str(file)], check=True, capture_output=True, text=True).stdout
        for major, minor in re.findall(r"\(GLIBC_(\d+)\.(\d+)", symbols):
            oldest = max(oldest, (int(major), int(minor)))
        for patch in map(int, re.findall(r"\(GLIBCXX_3\.4\.(\d+)", symbols)):
            if patch > max(_GLIBCXX):
                raise RuntimeError(
                    f"{file} needs GLIBCXX_3.4.{patch}: add the first glibc that comes with it to _GLIBCXX"
                )
            oldest = max(oldest, _GLIBCXX.get(patch, (2, 28)) if patch > 19 else oldest)
    return f"manylinux_{oldest[0]}_{oldest[1]}_x86_64"


def is_elf(file: pathlib.Path) -> bool:
    with open(file, "rb") as stream:
        return stream.read(4) == b"\x7fELF"


def _check_program(file: pathlib.Path) -> None:
    """Raises RuntimeError if the file needs a library that neither system nor LibTorch has, or if its run path has a
    folder of this machine."""
    provided = r"lib(c|m|stdc\+\+|gcc_s|dl|pthread|rt)\.so\.\d+|ld-linux-x86-64\.so\.2|lib(torch_cpu|c10)\.so"
    entries = subprocess.run(["objdump", "-p", str(file)], check=True, capture_output=True, text=True).stdout
    for name in re.findall(r"NEEDED +(\S+)", entries):
        if not re.fullmatch(provided, name):
            raise RuntimeError(
                f"{file} needs {name}, which is not everywhere: link it statically (cmake/Libraries.cmake)"
            )
    for paths in re.findall(r"R(?:UN)?PATH +(\S+)", entries):
        if not all(path.startswith("$ORIGIN") for path in paths.split(":")):
            raise RuntimeError(f"{file} has the run path {paths}, which other machines do not have")


def _run(*command: str) -> None:
    # The output of a wheel's build must not contain more than pip prints; of a failure, the end is the reason.
    result = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if result.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} failed:\n" + result.stdout[-4000:])


def _build_tree(config_settings: Settings) -> pathlib.Path:
    """Returns a build tree whose program is built."""
    given = (config_settings or {}).get("build-dir") or os.environ.get("TIEOUT_BUILD_DIR")
    if given:
        tree = ROOT / given
        if not (tree / "bin/tieout").exists():
            raise RuntimeError(f"{tree}/bin/tieout is missing: build it first, scripts/setup.sh tieout")
        return tree
    tree = ROOT / "build/wheel-tree"
    torch = os.environ.get("TIEOUT_TORCH")
    settings = ["-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release", "-DTIEOUT_BUILD_TESTS=OFF"]
    _run("cmake", "-S", str(ROOT), "-B", str(tree), *settings, *([f"-DTIEOUT_TORCH={torch}"] if torch else []))
    _run("cmake", "--build", str(tree))
    return tree


class _Wheel:
    """Writes the archive and its list of files, with the same bytes for the same contents."""

    def __init__(self, path: pathlib.Path) -> None:
        self._archive = zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED)
        self._record: list[str] = []

    def add(self, name: str, data: bytes, executable: bool = False) -> None:
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        self._record.append(f"{name},sha256={digest},{len(data)}")
        self._write(name, data, executable)

    def finish(self, record: str) -> None:
        self._write(record, "\n".join([*self._record, f"{record},,", ""]).encode())
        self._archive.close()

    def _write(self, name: str, data: bytes, executable: bool = False) -> None:
        info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
        info.external_attr = (0o100755 if executable else 0o100644) << 16
        info.compress_type = zipfile.ZIP_DEFLATED
        self._archive.writestr(info, data)


def prepare_metadata_for_build_wheel(metadata_directory: str, config_settings: Settings = None) -> str:
    """Writes what pip asks for before it builds, and returns the folder's name. Without it, pip would build twice."""
    folder = pathlib.Path(metadata_directory, f"tieout-{version()}.dist-info")
    folder.mkdir()
    (folder / "METADATA").write_text(metadata())
    (folder / "entry_points.txt").write_text(_ENTRY_POINTS)
    return folder.name


def build_wheel(wheel_directory: str, config_settings: Settings = None, metadata_directory: str | None = None) -> str:
    """Writes the wheel into the folder, and returns its name."""
    with tempfile.TemporaryDirectory() as work:
        prefix = pathlib.Path(work, "prefix")
        tree = _build_tree(config_settings)
        _run("cmake", "--build", str(tree), "--target", "tieout_portable")
        _run("cmake", "--install", str(tree), "--prefix", str(prefix))
        shutil.copy(tree / "bin/tieout_portable", prefix / "bin/tieout")
        files = sorted(path for path in prefix.rglob("*") if path.is_file())
        programs = [path for path in files if is_elf(path)]
        for program in programs:
            _check_program(program)
        tag = f"py3-none-{platform_tag(programs)}"
        info, data = f"tieout-{version()}.dist-info", f"tieout-{version()}.data"
        name = f"tieout-{version()}-{tag}.whl"
        wheel = _Wheel(pathlib.Path(wheel_directory, name))
        for module in sorted((ROOT / "python/tieout").iterdir()):
            if module.suffix == ".py" or module.name == "py.typed":
                wheel.add(f"tieout/{module.name}", module.read_bytes())
        for path in files:
            place = path.relative_to(prefix)
            scheme = "scripts" if place.parts[0] == "bin" else "data"
            inside = pathlib.Path(*place.parts[1:]) if scheme == "scripts" else place
            wheel.add(f"{data}/{scheme}/{inside}", path.read_bytes(), os.access(path, os.X_OK))
        for path in _licenses():
            wheel.add(f"{info}/licenses/{path.name}", path.read_bytes())
        wheel.add(f"{info}/METADATA", metadata().encode())
        wheel.add(
            f"{info}/WHEEL", f"Wheel-Version: 1.0\nGenerator: tieout\nRoot-Is-Purelib: false\nTag: {tag}\n".encode()
        )
        wheel.add(f"{info}/entry_points.txt", _ENTRY_POINTS.encode())
        wheel.finish(f"{info}/RECORD")
    return name


def build_sdist(sdist_directory: str, config_settings: Settings = None) -> str:
    """Writes the files that git tracks, and PKG-INFO, as an archive into the folder, and returns its name."""
    base = f"tieout-{version()}"
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    with tarfile.open(pathlib.Path(sdist_directory, f"{base}.tar.gz"), "w:gz", format=tarfile.PAX_FORMAT) as archive:

        def add(name: str, data: bytes, mode: int) -> None:
            entry = tarfile.TarInfo(f"{base}/{name}")
            entry.size, entry.mode, entry.mtime = len(data), mode, _EPOCH
            archive.addfile(entry, io.BytesIO(data))

        for name in sorted(filter(None, listed.split("\0"))):
            path = ROOT / name
            if path.is_file():  # not one that was removed and is still tracked
                add(name, path.read_bytes(), 0o755 if os.access(path, os.X_OK) else 0o644)
        add("PKG-INFO", metadata().encode(), 0o644)
    return f"{base}.tar.gz"
