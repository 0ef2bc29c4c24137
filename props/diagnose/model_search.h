#pragma once
// Searches the model of a kernel that reproduces a set of observations: elements at which the kernel differed from the
// contract, and elements at which it did not.

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "props/diagnose/kernel_model.h"

namespace tieout {

// One output element that the kernel has computed.
struct Observation {
  std::shared_ptr<const ModelProblem> problem;
  std::int64_t offset = 0;
  std::uint8_t y = 0;
};

struct FoundModels {
  // The simplest first; all of them reproduce the same observations.
  std::vector<KernelModel> models;
  // True if they reproduce all observations, or all but those that overflow (is_extreme()).
  bool complete = false;
  bool without_extremes = false;
  // The simplest model without the edits that only elements that overflow need; empty if there are none.
  KernelModel ordinary = {};
};

// Returns the models that reproduce all observations, or one that reproduces as many as possible. go_on: false ends the
// search.
[[nodiscard]] FoundModels find_models(const std::vector<Observation>& observations, const std::function<bool()>& go_on);

// Returns the number of edits, steps and conditions, which ranks models that fit equally well.
[[nodiscard]] int size_of(const KernelModel& model);

// Returns the number of observations that the model predicts wrongly.
[[nodiscard]] std::int64_t wrong_predictions(const KernelModel& model, const std::vector<Observation>& observations);

}  // namespace tieout
