#pragma once
// Lists how the arithmetic of LibTorch's engines changed between its versions, and finds the change that decides a
// case.

#include <span>
#include <string_view>

#include "oracle/engines/engine_model.h"

namespace tieout {

struct VersionChange {
  LibTorchVersion from;            // the first version that computes in the new way
  std::string_view text;           // one line
  std::string_view before, after;  // the changed line of the arithmetic, in the notation of oracle/README.md
};

// Returns all changes, the latest first.
[[nodiscard]] std::span<const VersionChange> version_changes();

// Returns the change because of which the predictions for the two versions differ on the problem, with the engine of
// its execution; nullptr if they are equal, or if no single change explains the difference. hardware: of the CPU; its
// version is not read.
[[nodiscard]] const VersionChange* deciding_change(const ConvProblem& problem, const LibTorchVersion& a,
                                                   const LibTorchVersion& b, const Hardware& hardware);

}  // namespace tieout
