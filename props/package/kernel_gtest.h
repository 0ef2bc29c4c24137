#pragma once
// Verifies a kernel from a user's own GoogleTest suite. The header is installed as <tieout/gtest.h>; it needs C++17 and
// no library of Tieout's.
//
//   target_link_libraries(my_test PRIVATE tieout::gtest GTest::gtest_main)
//   EXPECT_TRUE(tieout::verified("libmine.so"));
//
// It runs the tieout command, so that a crash of the kernel does not end the test, and shows the command's output if it
// fails.

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <string>

#include "cases/strings/shell_word.h"

namespace tieout {

// Runs tieout with these arguments, which are words for a shell. Succeeds if the exit status is 0: verified and equal.
[[nodiscard]] inline testing::AssertionResult run_tieout(const std::string& arguments) {
  const std::string command = shell_word(TIEOUT_COMMAND) + " " + arguments + " 2>&1";
  std::FILE* const pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return testing::AssertionFailure() << "cannot start " << command;
  std::string output;
  std::array<char, 4096> chunk;
  while (const std::size_t n = std::fread(chunk.data(), 1, chunk.size(), pipe)) output.append(chunk.data(), n);
  const int status = pclose(pipe);
  const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  if (code == 0) return testing::AssertionSuccess();
  return testing::AssertionFailure() << command << "\nexit status " << code << "\n" << output;
}

// Verifies the kernel on `cases` random cases of the hunting generator, which are the same every time for the same
// seed. kernel: a shared library, or "command:LINE".
[[nodiscard]] inline testing::AssertionResult verified(const std::string& kernel, std::int64_t cases = 2'000,
                                                       std::uint64_t seed = 1) {
  return run_tieout("fuzz --subject " + shell_word(kernel) + " --cases " + std::to_string(cases) + " --seed " +
                    std::to_string(seed));
}

// Verifies the kernel on one case, given by the line that a finding was printed with.
[[nodiscard]] inline testing::AssertionResult verified_case(const std::string& kernel, const std::string& case_line) {
  return run_tieout("check --subject " + shell_word(kernel) + " " + shell_word(case_line));
}

}  // namespace tieout
