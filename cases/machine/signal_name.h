#pragma once
// Provides the names of signals, for messages about processes that a signal has ended.

#include <csignal>
#include <cstring>
#include <string>

namespace tieout {

// Returns for example "SIGSEGV", or "signal 34" for a real-time signal, which has no abbreviation.
[[nodiscard]] inline std::string signal_name(int signal) {
  const char* const abbreviation = sigabbrev_np(signal);
  return abbreviation == nullptr ? "signal " + std::to_string(signal) : std::string("SIG") + abbreviation;
}

}  // namespace tieout
