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

// Returns models that reproduce all observations, the simplest first, or the models that reproduce most if none
// reproduces all. Every model of the result has as many wrong predictions as the first. go_on: false ends the search.
[[nodiscard]] std::vector<KernelModel> find_models(const std::vector<Observation>& observations,
                                                   const std::function<bool()>& go_on);

// Returns the number of edits, steps and conditions, which ranks models that fit equally well.
[[nodiscard]] int size_of(const KernelModel& model);

// Returns the number of observations that the model predicts wrongly.
[[nodiscard]] std::int64_t wrong_predictions(const KernelModel& model, const std::vector<Observation>& observations);

}  // namespace tieout
