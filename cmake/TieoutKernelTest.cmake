# tieout_add_kernel_test(NAME KERNEL target [CASES n] [SEED n] [WHERE conditions] [ALLOW_SKIPPED] [STRICT])
#
# Adds two tests for a kernel, a library target that exports the functions of tieout_kernel.h:
#   NAME.contract   verifies every clause of FBGEMM's contract by the case that decides it
#   NAME.fuzz       verifies CASES (2000) random cases that hunt for differences, the same for each SEED (1)
# A failing test prints the smallest case and the command that replays it. STRICT: see tieout fuzz --help.
#
# WHERE: the cases that the kernel supports, in the words of fuzz --where. The default is what the kernel states, or
# what is learnt from the cases that it declines. NAME.contract omits the clauses whose cases lie outside of WHERE.
# A test fails if it verifies less than a tenth of its cases, unless ALLOW_SKIPPED is given.
function(tieout_add_kernel_test name)
  cmake_parse_arguments(PARSE_ARGV 1 TEST "STRICT;ALLOW_SKIPPED" "KERNEL;CASES;SEED;WHERE" "")
  if(NOT TARGET "${TEST_KERNEL}")
    message(FATAL_ERROR "tieout_add_kernel_test(${name}): KERNEL must be a target, is '${TEST_KERNEL}'")
  endif()
  if(TEST_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "tieout_add_kernel_test(${name}): not known: ${TEST_UNPARSED_ARGUMENTS}")
  endif()
  if(NOT DEFINED TEST_CASES)
    set(TEST_CASES 2000)
  endif()
  if(NOT DEFINED TEST_SEED)
    set(TEST_SEED 1)
  endif()
  set(strict "")
  if(TEST_STRICT)
    set(strict --strict)
  endif()
  set(subject --subject "$<TARGET_FILE:${TEST_KERNEL}>" ${strict})
  if(TEST_ALLOW_SKIPPED)
    list(APPEND subject --allow-skipped)
  endif()
  set(where "")
  set(allow_none "")
  if(TEST_WHERE)
    set(where --where "${TEST_WHERE}")
    set(allow_none --allow-skipped)  # the domain may contain no case of a clause
  endif()
  add_test(NAME "${name}.contract" COMMAND tieout::tieout check --file "${TIEOUT_CONTRACT}" ${subject} ${where}
    ${allow_none})
  add_test(NAME "${name}.fuzz"
    COMMAND tieout::tieout fuzz --cases "${TEST_CASES}" --seed "${TEST_SEED}" ${subject} ${where})
  set_tests_properties("${name}.contract" "${name}.fuzz" PROPERTIES LABELS tieout)
endfunction()
