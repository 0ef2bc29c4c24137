#pragma once
// The reference asked, here or in a process of its own.

#include <string>
#include <tl/expected.hpp>

#include "oracle/libtorch.h"

namespace tieout {

// How it failed to give an answer.
struct ReferenceFailure {
  enum class Kind {
    absent,
    unsupported,
    refused,
    died,
    starved,  // the machine refused memory or a process, or ended the one in which it ran
  } kind;
  std::string text;
};
using ReferenceAnswer = tl::expected<EngineAnswer, ReferenceFailure>;

// Every tensor lies between unmapped pages, so that leaving one's buffers ends the process.
[[nodiscard]] ReferenceAnswer ask_here(const ConvProblem& problem, LibTorch& reference);

// Only the reference runs in the process that may die: what takes long or fails on our side is never laid at its door.
// seconds: what a hang is.
[[nodiscard]] ReferenceAnswer ask_alone(const ConvProblem& problem, LibTorch& reference, double seconds);

}  // namespace tieout
