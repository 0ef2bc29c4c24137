# Tests that check the sources, the build tree, the installed package and the job files.

add_test(NAME includes.arrows COMMAND "${PROJECT_SOURCE_DIR}/scripts/check_includes.sh" "${PROJECT_SOURCE_DIR}")
add_test(NAME includes.planted COMMAND "${PROJECT_SOURCE_DIR}/scripts/check_includes_test.sh")
set_tests_properties(includes.arrows includes.planted PROPERTIES LABELS unit)
add_test(NAME definitions.once COMMAND "${PROJECT_SOURCE_DIR}/scripts/check_definitions.py")
add_test(NAME definitions.planted COMMAND "${PROJECT_SOURCE_DIR}/scripts/check_definitions_test.sh")
add_test(NAME words.plain COMMAND "${PROJECT_SOURCE_DIR}/scripts/check_words.py")
add_test(NAME words.planted COMMAND "${PROJECT_SOURCE_DIR}/scripts/check_words_test.sh")
add_test(NAME spelling.correct COMMAND "${PROJECT_SOURCE_DIR}/scripts/check_spelling.sh")
add_test(NAME spelling.planted COMMAND "${PROJECT_SOURCE_DIR}/scripts/check_spelling_test.sh")
set_tests_properties(words.plain words.planted spelling.correct spelling.planted PROPERTIES LABELS unit)
set_tests_properties(definitions.once definitions.planted PROPERTIES LABELS unit)

# Without optimization, inline functions are not inlined but defined as weak symbols, which the check would report.
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  add_test(NAME simd.objects
    COMMAND "${PROJECT_SOURCE_DIR}/scripts/check_simd_objects.sh" "$<TARGET_FILE:tieout_kernels>")
  set_tests_properties(simd.objects PROPERTIES LABELS unit)
endif()

# g++ does not find its own headers if -isystem names a folder that it searches by default.
set(tieout_header_flags -std=c++20 -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wsign-conversion -Werror
  -Wno-missing-field-initializers "-I${PROJECT_SOURCE_DIR}" "-DTIEOUT_COMMAND=\"tieout\""
  "-DTIEOUT_PROGRAM=\"tieout\"" "-DTIEOUT_SOURCE_DIR=\"/\"")
if(NOT TIEOUT_EXPECTED_INCLUDE IN_LIST CMAKE_CXX_IMPLICIT_INCLUDE_DIRECTORIES)
  list(APPEND tieout_header_flags -isystem "${TIEOUT_EXPECTED_INCLUDE}")
endif()
foreach(folder cases kernels oracle layers reports props cli)
  add_test(NAME headers.${folder} COMMAND "${PROJECT_SOURCE_DIR}/scripts/check_headers.sh" ${folder}
    "${CMAKE_CXX_COMPILER}" ${tieout_header_flags})
  set_tests_properties(headers.${folder} PROPERTIES LABELS headers)
endforeach()

# Checks the run paths of built and installed files, because the loader must not search the current folder.
add_test(NAME run.paths COMMAND "${PROJECT_SOURCE_DIR}/scripts/check_run_paths.sh" "${PROJECT_BINARY_DIR}")
add_test(NAME run.paths.planted COMMAND "${PROJECT_SOURCE_DIR}/scripts/check_run_paths_test.sh" "${CMAKE_C_COMPILER}")
set_tests_properties(run.paths run.paths.planted PROPERTIES LABELS package)

# The Python module, with the program that is built, and its types.
set(tieout_python_path "PYTHONPATH=${PROJECT_SOURCE_DIR}/python" "PYTHONDONTWRITEBYTECODE=1")
add_test(NAME python.module
  COMMAND /usr/bin/python3 -m pytest -q -p no:cacheprovider "${PROJECT_SOURCE_DIR}/python/tests"
  WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}")
set_tests_properties(python.module PROPERTIES LABELS python TIMEOUT 900
  ENVIRONMENT "${tieout_python_path};TIEOUT_PROGRAM=$<TARGET_FILE:tieout>")
add_test(NAME python.types COMMAND /usr/bin/python3 -m mypy --cache-dir=${PROJECT_BINARY_DIR}/mypy
  WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}")
set_tests_properties(python.types PROPERTIES LABELS python)

# Uses the installed package in a project outside of this tree.
add_test(NAME package.example COMMAND "${PROJECT_SOURCE_DIR}/scripts/package_test.sh" "${PROJECT_BINARY_DIR}")
set_tests_properties(package.example PROPERTIES LABELS package)
add_test(NAME package.wheel COMMAND "${PROJECT_SOURCE_DIR}/scripts/wheel_test.sh" "${PROJECT_BINARY_DIR}")
set_tests_properties(package.wheel PROPERTIES LABELS package TIMEOUT 600)
# Parses the job files, and runs the one for Slurm.
add_test(NAME jobs.files COMMAND "${PROJECT_SOURCE_DIR}/jobs/files_test.py")
add_test(NAME jobs.slurm COMMAND "${PROJECT_SOURCE_DIR}/jobs/slurm_test.py" $<TARGET_FILE:tieout>)
add_test(NAME jobs.container COMMAND "${PROJECT_SOURCE_DIR}/jobs/container_test.py" "${PROJECT_BINARY_DIR}")
set_tests_properties(jobs.container PROPERTIES LABELS package SKIP_RETURN_CODE 77)
add_test(NAME jobs.action COMMAND "${PROJECT_SOURCE_DIR}/jobs/action_test.py" $<TARGET_FILE:tieout>)
set_tests_properties(jobs.action jobs.files jobs.slurm PROPERTIES LABELS campaign)
set_tests_properties(jobs.slurm PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 300)
