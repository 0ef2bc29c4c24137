#pragma once
// The record of the steps of one output element's arithmetic, for tieout explain.

#include <string_view>
#include <vector>

namespace tieout {

// One step of an element's arithmetic for display: "scaled", 34.500004, "raw * multiplier, float32".
struct Step {
  // The same name in all hypotheses for the same step, so that traces can be shown side by side.
  std::string_view name;
  double value = 0;       // exact: every int32, float and double of the arithmetic fits
  std::string_view note;  // the formula

  bool operator==(const Step&) const = default;
};

// Records the steps of one evaluation. Functions that take a Trace* record nothing if it is nullptr.
class Trace {
 public:
  void step(std::string_view name, double value, std::string_view note) { steps_.push_back({name, value, note}); }
  [[nodiscard]] const std::vector<Step>& steps() const { return steps_; }

 private:
  std::vector<Step> steps_;
};

}  // namespace tieout
