#!/usr/bin/env bash
# Reads every include of the tree and checks it against the list of folders below: which folder may include which other
# folder, and which library. Prints FILE:LINE: and what is wrong. Fails if anything is wrong, or if there is nothing to read.
#
#   scripts/check_includes.sh [ROOT]
set -euo pipefail
cd -- "${1:-$(dirname -- "${BASH_SOURCE[0]}")/..}"

# FOLDER: the other folders that it may include. Each of them must stand further up, so that the includes of folders have no
# cycle. "cases/*" is cases/ and the folders below it, as far as they stand further up.
folders='
  cases/machine:
  cases/strings:
  cases: cases/machine cases/strings
  cases/text: cases cases/strings
  cases/operators: cases cases/strings cases/text
  cases/testing: cases cases/text cases/operators

  kernels: cases/*
  kernels/operators: cases/*
  kernels/packed: cases/* kernels
  kernels/subject: cases/* kernels
  kernels/host: cases/* kernels/subject

  oracle/element: cases/*
  oracle/engines: cases/* oracle/element
  oracle/hypotheses: cases/* oracle/element oracle/engines
  oracle/operators: cases/* oracle/element oracle/engines
  oracle/variants: cases/* oracle/element oracle/engines oracle/operators
  oracle/exported: cases/*
  oracle/libtorch: cases/* oracle/element oracle/engines oracle/exported
  oracle/model_files: cases/* oracle/exported oracle/libtorch

  layers/simd: cases/*
  layers: cases/* oracle/element oracle/hypotheses layers/simd

  reports/text: cases/*
  reports/data: cases/* reports/text
  reports/records: cases/* reports/text reports/data
  reports/samples: cases/* reports/data
  reports/formats: cases/* reports/text reports/data reports/samples
  reports/formats/html: cases/* reports/text reports/data reports/samples reports/formats
  reports/golden: cases/* reports/*

  props/process: cases/machine
  props/generate: cases/* kernels kernels/subject oracle/engines props/process
  props/shrink: cases/* kernels props/generate
  props/explain: cases/* kernels/operators oracle/* reports/data reports/text reports/formats props/process
  props/verify: cases/* kernels kernels/subject oracle/* reports/* props/process props/generate props/shrink
  props/operators: cases/* kernels/operators kernels/subject oracle/* reports/* props/process props/generate props/verify
  props/findings: cases/* reports/* props/process props/explain props/verify props/operators
  props/campaign: cases/* kernels kernels/subject oracle/* reports/* props/process props/generate props/explain props/verify props/operators props/findings
  props/diagnose: cases/* kernels kernels/subject oracle/element oracle/engines oracle/hypotheses oracle/libtorch reports/data reports/text reports/formats props/process props/generate props/shrink props/verify
  props/identify: cases/* kernels kernels/operators kernels/subject oracle/* props/process props/generate props/operators
  props/model: cases/* kernels kernels/operators kernels/packed layers oracle/* reports/data reports/records props/generate props/shrink props/verify
  props/exported: cases/* kernels/* layers oracle/* reports/data props/model props/verify
  props/selftest: cases/* kernels kernels/operators kernels/subject oracle/libtorch oracle/variants reports/data props/process props/generate props/verify props/operators props/diagnose props/identify
  props/properties: cases/* kernels/* oracle/* layers/* reports/* props/generate props/process props/shrink props/verify props/operators
  props/package: cases/strings

  cli/testing: cases/testing
  cli/common: cases/* oracle/libtorch reports/*
  cli/options: cases/* kernels/* oracle/engines oracle/libtorch reports/* props/* cli/common
  cli/bench: cases/* kernels/* oracle/* reports/* props/* cli/common cli/testing
  cli/campaign: cases/* kernels/* oracle/* reports/* props/* cli/common cli/options cli/testing
  cli/check: cases/* kernels/* oracle/* reports/* props/* cli/common cli/options cli/testing
  cli: cases/* kernels/* oracle/* reports/* props/* cli/common cli/options cli/campaign cli/testing

  fuzz: cases/* kernels/host oracle/exported oracle/model_files reports/*
'

find . \( -path './.*' -o -path './build*' \) -prune -o \
  -type f \( -name '*.h' -o -name '*.hpp' -o -name '*.cpp' -o -name '*.cc' \) -print |
  sed 's,^\./,,' | LC_ALL=C sort | awk -v folders="$folders" '
  BEGIN {
    read_folders()

    # Libraries, told by the first part of the path: the folders that may include them, with all below these.
    libraries["tl"] = "cases kernels oracle layers reports props cli"
    libraries["fmt"] = "reports props cli"
    libraries["rapidcheck"] = libraries["rapidcheck.h"] = "props/properties"
    # Reports and their data; and the graph of an exported program, which is JSON of a hundred kinds of arguments.
    libraries["nlohmann"] = "reports oracle/exported"
    libraries["kainjow"] = libraries["zlib.h"] = "reports/formats/html"
    libraries["sqlite3.h"] = "reports/records fuzz"
    libraries["gtest"] = libraries["gmock"] = "props/package"
    libraries["CLI"] = "cli/common"
    # Kernels as users write them: what is installed, and the library that does the work.
    libraries["tieout_kernel.h"] = libraries["tieout_operator.h"] = libraries["tieout"] = libraries["dnnl.hpp"] = "examples"
    in_tests = "gtest gmock nlohmann"  # what each *_test.cpp may include beside that
    torch = "torch ATen c10 caffe2 fbgemm omp.h"  # the OpenMP library that LibTorch is linked to

    # The system: the only headers with a dot or a slash in their names that are neither a folder nor a library.
    system_headers = "alloca.h cpuid.h dirent.h dlfcn.h elf.h fcntl.h fenv.h immintrin.h link.h malloc.h poll.h sched.h " \
      "pty.h signal.h spawn.h stdint.h string.h ucontext.h unistd.h x86intrin.h"
  }

  function has(list, word) { return index(" " list " ", " " word " ") > 0 }
  function complain(text) { printf "%s:%d: %s\n", file, line, text; wrong++ }
  function folder_of(path) { return path ~ /\// ? substr(path, 1, match(path, /\/[^\/]*$/) - 1) : "" }

  # may_include["FOLDER OTHER"], is_folder[FOLDER], is_top[first part of FOLDER]
  function read_folders(   lines, n, i, j, words, m, name, other) {
    n = split(folders, lines, "\n")
    for (i = 1; i <= n; i++) {
      m = split(lines[i], words, /[ :]+/)
      name = words[1] == "" ? words[2] : words[1]
      if (name == "") continue
      for (j = words[1] == "" ? 3 : 2; j <= m; j++) {
        if (words[j] == "") continue
        if (words[j] ~ /\/\*$/) {
          sub(/\/\*$/, "", words[j])
          for (other in is_folder)
            if (other == words[j] || index(other, words[j] "/") == 1) may_include[name " " other] = 1
        } else if (words[j] in is_folder) {
          may_include[name " " words[j]] = 1
        } else {
          printf "scripts/check_includes.sh: %s stands above %s, which it may include\n", name, words[j]
          wrong++
        }
      }
      is_folder[name] = 1
      sub(/\/.*/, "", name)
      is_top[name] = 1
    }
  }

  # True if the list names the folder of the file, or one above it.
  function allows(list,   words, n, i) {
    n = split(list, words, " ")
    for (i = 1; i <= n; i++)
      if (folder == words[i] || index(folder, words[i] "/") == 1) return 1
    return 0
  }

  function check(target, quoted,   first, parts) {
    split(target, parts, "/")
    first = parts[1]
    if (has(torch, first)) {
      if (file !~ /^oracle\/libtorch\/libtorch_[^\/]*\.cpp$/ || is_test || file ~ /\/libtorch_loader\.cpp$/)
        complain("<" target ">: only oracle/libtorch/libtorch_*.cpp include LibTorch")
    } else if (first in is_top && target ~ /\//) {
      if (!(folder_of(target) in is_folder))
        complain("\"" target "\": scripts/check_includes.sh does not list the folder " folder_of(target))
      else if (folder_of(target) != folder && !((folder " " folder_of(target)) in may_include))
        complain("\"" target "\": " folder " may not include " folder_of(target))
    } else if (quoted && file == "kernels/tieout_operator.h" && target == "tieout_kernel.h") {
      return  # both are installed into one folder
    } else if (quoted) {
      complain("\"" target "\": a header of the project is included by its path from the root")
    } else if (first in libraries) {
      if (!allows(libraries[first]) && !(is_test && has(in_tests, first)))
        complain("<" target ">: " folder " may not include " first)
    } else if (has(in_tests, first)) {
      if (!is_test) complain("<" target ">: only tests include " first)
    } else if (target ~ /[.\/]/ && first !~ /^(sys|linux)$/ && !has(system_headers, target)) {
      complain("<" target ">: not known to scripts/check_includes.sh")
    } else if (target ~ /[.\/]/ && top == "cases" && folder != "cases/machine") {
      complain("<" target ">: cases includes the standard library and nothing else, except in cases/machine")
    } else if (target == "immintrin.h" && top == "oracle") {
      complain("<" target ">: what is written for an instruction set belongs into layers or kernels")
    }
  }

  {
    file = $0
    line = 0
    files++
    folder = folder_of(file)
    top = file
    sub(/\/.*/, "", top)
    is_test = file ~ /_test\.cpp$/
    if (top in is_top && !(folder in is_folder)) complain("scripts/check_includes.sh does not list the folder " folder)
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
