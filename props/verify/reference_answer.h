#pragma once
// Runs the reference on a problem, in this process or in one of its own.

#include <string>
#include <tl/expected.hpp>

#include "oracle/libtorch/libtorch.h"
#include "props/process/forked_task.h"

namespace tieout {

// Describes why the reference gave no answer.
struct ReferenceFailure {
  enum class Kind {
    absent,
    unsupported,
    refused,
    died,
    // The machine refused memory or a process, or ended the process in which the reference ran.
    no_resources,
  } kind;
  std::string text;
};

// Returns why the reference gave no answer. An engine refuses some cases for lack of memory.
[[nodiscard]] ReferenceFailure failure_of(const EngineError& error);
// Returns why a process gave no answer in which the reference ran.
[[nodiscard]] ReferenceFailure failure_of(const ExitReason& reason);

using ReferenceAnswer = tl::expected<EngineAnswer, ReferenceFailure>;

// Runs the reference here. Every tensor lies between unmapped pages, so that access outside of a buffer ends the
// process.
[[nodiscard]] ReferenceAnswer run_reference(const ConvProblem& problem, LibTorch& reference);

// Runs the reference alone in a process, so that our own delays and failures are never reported as LibTorch's. seconds:
// time limit.
[[nodiscard]] ReferenceAnswer run_reference_alone(const ConvProblem& problem, LibTorch& reference, double seconds);

}  // namespace tieout
