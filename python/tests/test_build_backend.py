"""The build backend, on small libraries and on this checkout. scripts/wheel_test.sh tests the wheel itself."""

import email
import pathlib
import subprocess
import sys
import tarfile
from typing import Any

import pytest
from conftest import ROOT

sys.path.insert(0, str(ROOT / "python"))
import build_backend  # noqa: E402


def library(folder: pathlib.Path, source: str, *options: str) -> pathlib.Path:
    made = folder / "libmade.so"
    command = ["cc", "-shared", "-fPIC", "-x", "c", "-", "-o", str(made), *options]
    subprocess.run(command, input=source, text=True, check=True)
    return made


def test_metadata_is_that_of_the_project_file() -> None:
    tomllib: Any = pytest.importorskip("tomllib")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    read = email.message_from_string(build_backend.metadata())
    assert read["Name"] == project["name"]
    assert read["Summary"] == project["description"]
    assert read["Requires-Python"] == project["requires-python"]
    assert read.get_all("Provides-Extra") == list(extras)
    assert read.get_all("Requires-Dist") == project["dependencies"] + [
        f'{name}; extra == "{extra}"' for extra, names in extras.items() for name in names
    ]
    assert f"project(tieout VERSION {read['Version']} " in (ROOT / "CMakeLists.txt").read_text()
    group, names = build_backend._ENTRY_POINTS.split("\n", 1)
    assert group.strip("[]") == "pytest11"
    assert dict(line.split(" = ") for line in names.splitlines()) == project["entry-points"]["pytest11"]


def test_the_tag_follows_from_the_symbols(tmp_path: pathlib.Path) -> None:
    # abs() has its symbol version since the first glibc for x86-64, and close_range() came with 2.34.
    old = library(tmp_path, "extern int abs(int); int f(int x) { return abs(x); }")
    assert build_backend.platform_tag([old]) == "manylinux_2_17_x86_64"
    new = library(
        tmp_path, "extern int close_range(unsigned, unsigned, int); int f(void) { return close_range(9, 9, 0); }"
    )
    assert build_backend.platform_tag([new]) == "manylinux_2_34_x86_64"


def test_libraries_that_are_not_everywhere_are_refused(tmp_path: pathlib.Path) -> None:
    needs = library(
        tmp_path, "extern const char* zlibVersion(void); const char* f(void) { return zlibVersion(); }", "-lz"
    )
    with pytest.raises(RuntimeError, match=r"needs libz.so.1, which is not everywhere"):
        build_backend._check_program(needs)


def test_run_paths_of_this_machine_are_refused(tmp_path: pathlib.Path) -> None:
    build_backend._check_program(library(tmp_path, "", "-Wl,-rpath,$ORIGIN/../lib"))
    with pytest.raises(RuntimeError, match="has the run path .*:/opt/lib, which other machines do not have"):
        build_backend._check_program(library(tmp_path, "", "-Wl,-rpath,$ORIGIN/../lib:/opt/lib"))


def test_a_build_that_is_missing_is_named(tmp_path: pathlib.Path) -> None:
    with pytest.raises(RuntimeError, match="bin/tieout is missing: build it first"):
        build_backend.build_wheel(str(tmp_path), {"build-dir": str(tmp_path)})


def test_the_source_distribution_has_the_tracked_files(tmp_path: pathlib.Path) -> None:
    name = build_backend.build_sdist(str(tmp_path))
    base = name.removesuffix(".tar.gz")
    with tarfile.open(tmp_path / name) as archive:
        files = {member.name.removeprefix(f"{base}/"): member for member in archive.getmembers()}
    assert {"PKG-INFO", "pyproject.toml", "CMakeLists.txt", "python/tieout/py.typed", "python/build_backend.py"} <= set(
        files
    )
    assert not any(file.startswith(("build/", ".deps/", ".git/")) for file in files)
    assert files["scripts/setup.sh"].mode == 0o755 and files["README.md"].mode == 0o644
