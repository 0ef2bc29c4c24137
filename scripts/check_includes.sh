#!/usr/bin/env bash
# Checks every include of the tree: which folder may include which other folder, and which folder may include which
# library. Prints FILE:LINE: and the reason for each violation; fails if there is one, or if there is no file to read.
#
#   scripts/check_includes.sh [ROOT]
set -euo pipefail
cd -- "${1:-$(dirname -- "${BASH_SOURCE[0]}")/..}"

find . \( -path './.*' -o -path './build*' \) -prune -o \
  -type f \( -name '*.h' -o -name '*.hpp' -o -name '*.cpp' -o -name '*.cc' \) -print |
  sed 's,^\./,,' | LC_ALL=C sort | awk '
  BEGIN {
    # The folders that each folder may include; a folder may always include itself.
    rooms["cases"] = ""
    rooms["kernels"] = "cases"
    rooms["oracle"] = "cases"
    rooms["reports"] = "cases"
    rooms["props"] = "cases kernels oracle reports"
    rooms["cli"] = "cases kernels oracle reports props"
    rooms["fuzz"] = "cases kernels oracle reports"

    # The folders that may include each library, which is identified by the first part of the path.
    libraries["tl"] = "cases kernels oracle reports props cli"
    libraries["fmt"] = "reports props cli"
    libraries["rapidcheck"] = libraries["rapidcheck.h"] = "props cli"
    libraries["nlohmann"] = libraries["kainjow"] = libraries["zlib.h"] = "reports"
    libraries["sqlite3.h"] = "reports fuzz"
    libraries["gtest"] = libraries["gmock"] = "props"
    libraries["CLI"] = libraries["benchmark"] = "cli"
    # Examples include the installed headers and the libraries that they call.
    libraries["tieout_kernel.h"] = libraries["tieout"] = libraries["dnnl.hpp"] = "examples"
    in_tests = "gtest gmock nlohmann"  # additional libraries of each *_test.cpp
    torch = "torch ATen c10 caffe2 fbgemm omp.h"  # the OpenMP library that LibTorch is linked to

    # System headers: the only headers with a dot or a slash in their names that belong to no folder and no library.
    system_headers = "alloca.h cpuid.h dirent.h dlfcn.h elf.h fcntl.h fenv.h immintrin.h link.h malloc.h poll.h sched.h " \
      "signal.h spawn.h stdint.h ucontext.h unistd.h x86intrin.h"
  }

  function has(list, word) { return index(" " list " ", " " word " ") > 0 }
  function complain(text) { printf "%s:%d: %s\n", file, line, text; wrong++ }

  function check(target, quoted,   first, parts) {
    split(target, parts, "/")
    first = parts[1]
    if (has(torch, first)) {
      if (file !~ /^oracle\/libtorch_[^\/]*\.cpp$/ || file ~ /_test\.cpp$/ || file == "oracle/libtorch_loader.cpp")
        complain("<" target ">: only oracle/libtorch_*.cpp include LibTorch")
    } else if (first in rooms && target ~ /\//) {
      if (first != room && !has(rooms[room], first))
        complain("\"" target "\": " room " may not include " first)
    } else if (quoted) {
      complain("\"" target "\": a header of the project is included by its path from the root")
    } else if (first in libraries) {
      if (!has(libraries[first], room) && !(is_test && has(in_tests, first)))
        complain("<" target ">: " room " may not include " first)
    } else if (has(in_tests, first)) {
      if (!is_test) complain("<" target ">: only tests include " first)
    } else if (target ~ /[.\/]/ && first !~ /^(sys|linux)$/ && !has(system_headers, target)) {
      complain("<" target ">: not known to scripts/check_includes.sh")
    } else if (target ~ /[.\/]/ && room == "cases") {
      complain("<" target ">: cases includes the standard library and nothing else")
    }
  }

  {
    file = $0
    line = 0
    files++
    room = file
    sub(/\/.*/, "", room)
    is_test = file ~ /_test\.cpp$/
    while ((status = (getline text < file)) > 0) {
      line++
      if (text !~ /^[ \t]*#[ \t]*include/) continue
      if (match(text, /<[^>]+>/)) check(substr(text, RSTART + 1, RLENGTH - 2), 0)
      else if (match(text, /"[^"]+"/)) check(substr(text, RSTART + 1, RLENGTH - 2), 1)
      else complain("an include that cannot be read: " text)
    }
    if (status < 0) complain("cannot be read")
    close(file)
  }

  END {
    if (!files) { print "no C++ file found"; exit 1 }
    printf "%d files, %d wrong includes\n", files, wrong
    exit wrong > 0
  }'
