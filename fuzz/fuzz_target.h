#pragma once
// The function that every fuzz target defines. libFuzzer calls it with inputs that it mutates; fuzz/replay_main.cpp
// calls it with the files of a folder.

#include <cstddef>
#include <cstdint>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace tieout {

// The input as text.
inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

// Ends the process where the condition does not hold, so that libFuzzer keeps the input.
inline void require(bool condition) {
  if (!condition) __builtin_trap();
}

}  // namespace tieout
