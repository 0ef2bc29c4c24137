# What every target of the project has in common. No global flags: a target says tieout_target(NAME).

function(tieout_target name)
  target_compile_features(${name} PUBLIC cxx_std_20)
  target_include_directories(${name} PUBLIC "$<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}>")
  target_include_directories(${name} SYSTEM PUBLIC "${TIEOUT_EXPECTED_INCLUDE}")
  # -ffp-contract=off: g++ fuses a*b+c into one rounding where the target has FMA, and this project is about roundings.
  # -fno-tree-slp-vectorize: g++ 12.2 -O2 makes two neighbouring double(float(x)) lose the rounding to float where its
  # superword vectorizer puts them into one register; hypotheses_test notices.
  # -Wno-restrict: g++ 12 finds overlaps inside std::string's own operator+ (GCC bug 105651).
  # -Wno-missing-field-initializers: designated initialisers name what differs from the defaults, on purpose.
  target_compile_options(${name} PRIVATE -ffp-contract=off -Wall -Wextra -Wpedantic -Wconversion -Wshadow
    -Wsign-conversion -Wno-missing-field-initializers 
    "$<$<CXX_COMPILER_ID:GNU>:-fno-tree-slp-vectorize;-Wno-restrict>" $<$<BOOL:${TIEOUT_WERROR}>:-Werror>)
  set_target_properties(${name} PROPERTIES CXX_EXTENSIONS OFF POSITION_INDEPENDENT_CODE ON)
endfunction()

# tieout_test(NAME LABEL label SOURCES ... LIBRARIES ...): a GoogleTest binary whose tests carry one ctest label.
function(tieout_test name)
  if(NOT TIEOUT_BUILD_TESTS)
    return()
  endif()
  cmake_parse_arguments(TEST "" "LABEL" "SOURCES;LIBRARIES" ${ARGN})
  add_executable(${name} ${TEST_SOURCES})
  tieout_target(${name})
  target_link_libraries(${name} PRIVATE ${TEST_LIBRARIES} GTest::gtest_main)
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
    # One process, so that LibTorch is loaded once.
    add_test(NAME ${name} COMMAND ${name})
    set_tests_properties(${name} PROPERTIES LABELS "${TEST_LABEL}")
  endif()
endfunction()
