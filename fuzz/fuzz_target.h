#pragma once
// Declares the function that every fuzz target defines, and helpers for its definition. libFuzzer calls the function
// with inputs that it mutates; fuzz/replay_main.cpp calls it with the files of a folder.

#include <cstddef>
#include <cstdint>
#include <string_view>

// Runs the target on one input and returns 0. Ends the process if the code under test is wrong.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace tieout {

// Returns the input as text.
inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

// Ends the process if the condition is false, so that libFuzzer keeps the input.
inline void require(bool condition) {
  if (!condition) __builtin_trap();
}

}  // namespace tieout
