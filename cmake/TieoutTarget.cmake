# Defines the settings that all targets of the project share. There are no global flags: each target calls
# tieout_target(NAME).

function(tieout_target name)
  target_compile_features(${name} PUBLIC cxx_std_20)
  target_include_directories(${name} PUBLIC "$<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}>")
  target_include_directories(${name} SYSTEM PUBLIC "${TIEOUT_EXPECTED_INCLUDE}")
  # -ffp-contract=off: g++ would compute a*b+c with one rounding if the target has FMA, and roundings matter here.
  # -fno-tree-slp-vectorize: at -O2, the superword vectorizer of g++ 12.2 drops the rounding to float of two neighbouring
  # double(float(x)) that it puts into one register. hypotheses_test detects this.
  # -Wno-restrict: g++ 12 reports overlaps inside of std::string's own operator+ (GCC bug 105651).
  # -Wno-missing-field-initializers: designated initialisers name only the members that differ from their defaults.
  # -Wno-deprecated-declarations: clang reports a function that libstdc++'s own stable_sort calls.
  # -fmacro-prefix-map: __FILE__, which macros of libraries use, is relative, so that programs contain no path of the
  # machine that built them.
  target_compile_options(${name} PRIVATE "-fmacro-prefix-map=${PROJECT_SOURCE_DIR}/=" -ffp-contract=off
    -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wsign-conversion -Wno-missing-field-initializers
    "$<$<CXX_COMPILER_ID:GNU>:-fno-tree-slp-vectorize;-Wno-restrict>"
    $<$<CXX_COMPILER_ID:Clang>:-Wno-deprecated-declarations> $<$<BOOL:${TIEOUT_WERROR}>:-Werror>)
  set_target_properties(${name} PROPERTIES CXX_EXTENSIONS OFF POSITION_INDEPENDENT_CODE ON)
  # Headers take most of the time to compile, and the files of a folder include the same ones. A name in an anonymous
  # namespace must therefore be unique in its folder, which scripts/check_definitions.py checks.
  set_target_properties(${name} PROPERTIES UNITY_BUILD "${TIEOUT_UNITY}" UNITY_BUILD_MODE GROUP)
  get_target_property(sources ${name} SOURCES)
  foreach(source IN LISTS sources)
    cmake_path(GET source PARENT_PATH folder)
    string(MAKE_C_IDENTIFIER "in_${folder}" group)
    set_source_files_properties(${source} PROPERTIES UNITY_GROUP ${group})
  endforeach()
endfunction()

# Compiles a target at -O1, which takes a third less time to compile than -O3: targets whose work takes no time that a
# user notices, such as text of reports, options of commands and tests, and those that spend their time in functions of
# other targets. docs/measurements/build.md has the figures. The C++ compiler only; the last -O of a command counts.
function(tieout_compile_fast name)
  target_compile_options(${name} PRIVATE $<$<CONFIG:Release>:-O1>)
endfunction()

# tieout_test(NAME LABEL label SOURCES ... LIBRARIES ...) adds a GoogleTest program whose tests have one ctest label.
function(tieout_test name)
  if(NOT TIEOUT_BUILD_TESTS)
    return()
  endif()
  cmake_parse_arguments(TEST "" "LABEL" "SOURCES;LIBRARIES" ${ARGN})
  add_executable(${name} ${TEST_SOURCES})
  tieout_target(${name})
  tieout_compile_fast(${name})
  target_link_libraries(${name} PRIVATE ${TEST_LIBRARIES} GTest::gmock GTest::gtest_main)
  target_compile_definitions(${name} PRIVATE TIEOUT_SOURCE_DIR="${CMAKE_SOURCE_DIR}"
    TIEOUT_PROGRAM="${CMAKE_RUNTIME_OUTPUT_DIRECTORY}/tieout")
  if(TEST_LABEL STREQUAL "unit")
    if(NOT TARGET unit_tests)
      add_custom_target(unit_tests)
    endif()
    add_dependencies(unit_tests ${name})
    gtest_discover_tests(${name} PROPERTIES LABELS unit DISCOVERY_MODE PRE_TEST)
  elseif(TEST_LABEL STREQUAL "campaign")
    gtest_discover_tests(${name} PROPERTIES LABELS campaign DISCOVERY_MODE PRE_TEST)
  else()
    add_dependencies(${name} tieout_libtorch)
    # All tests run in one process, so that LibTorch is loaded only once.
    add_test(NAME ${name} COMMAND ${name})
    set_tests_properties(${name} PROPERTIES LABELS "${TEST_LABEL}")
  endif()
endfunction()
