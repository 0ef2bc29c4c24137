#pragma once
// Compares an engine of LibTorch with its own arithmetic, which is not the contract's, so that a diagnosis explains
// only what is not predicted of it.

#include <cstdint>
#include <map>
#include <string>

#include "oracle/libtorch/libtorch.h"
#include "props/diagnose/diagnose.h"
#include "reports/data/run_summary.h"

namespace tieout {

// What was seen of an engine's answers.
struct EngineTally {
  std::int64_t cases = 0;  // answered
  // Cases and elements with the predicted value, where that is not the contract's, by the reason.
  std::map<std::string, Departures> departures;
};

// Returns the answers of an engine in which every value that is predicted of it (oracle/engines) is replaced by the
// contract's. kernel: the engine's own answers. tally: counts them; must outlive the result.
[[nodiscard]] KernelAnswer beyond_prediction(KernelAnswer kernel, Engine engine, const LibTorch& libtorch,
                                             EngineTally& tally);

// Returns the lines that name the cases in which the engine's arithmetic gives other values than the contract.
[[nodiscard]] std::string departures_text(const EngineTally& tally);

}  // namespace tieout
