#pragma once
// A hypothesis: an arithmetic that someone believes an int8 convolution follows. Each is one function of one output
// element's window, in a file of its own (hypothesis_*.cpp) and one line in hypotheses.cpp.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "oracle/window.h"

namespace tieout {

// One step of an element's arithmetic, for a reader: "scaled", 34.500004, "raw * multiplier, float32".
struct Step {
  std::string_view name;  // hypotheses that do the same thing call it the same, so that they stand side by side
  double value = 0;       // every int32, float and double of the arithmetic is one exactly
  std::string_view note;  // the formula

  bool operator==(const Step&) const = default;
};

// Where steps are written to, if anybody wants them.
class Trace {
 public:
  void step(std::string_view name, double value, std::string_view note) { steps_.push_back({name, value, note}); }
  [[nodiscard]] const std::vector<Step>& steps() const { return steps_; }

 private:
  std::vector<Step> steps_;
};

struct Hypothesis {
  std::string_view name;    // "manual_output_1", "integer_float32", ...: one word
  std::string_view claim;   // one line: what it says is computed
  std::string_view source;  // who believes so: a document, a specification, an implementation
  // y of the element. trace: nullptr, or where to write the steps down.
  std::uint8_t (*evaluate)(const Window& window, Trace* trace);

  // How far its value before rounding lies from the exact one, s = (raw * xs * ws + bias) / os, wherever nothing overflows.
  // What is near says the same as the exact value unless that is near a tie: whole layers are compared so (compare.h).
  enum class Distance {
    roundings,       // a few roundings to float32; a function of the window's sums alone
    nearest_bias,    // the same of another s: the bias is a whole number of units of raw, the nearest one
    truncated_bias,  // the same, the nearest one toward 0
    twice_rounded,   // as nearest_bias, and rounded to a power of two of an output step before it is rounded
    activations,     // `roundings`, and a rounding to float32 of each activation; needs the window
    pairs,           // `roundings` where neither a pair nor the activations' sum leaves int16, else anywhere
    tap_pairs,  // as `pairs`, of the channels of one kernel position; of 1x1 also where no sum of bytes leaves 2^24
    float_sum,  // manual_output_2's sum in float32
    anywhere,   // another function
  } distance = Distance::anywhere;
};

// All of them, in the order in which they are listed to users.
[[nodiscard]] std::span<const Hypothesis> hypotheses();

// The one of that name, or nullptr.
[[nodiscard]] const Hypothesis* find_hypothesis(std::string_view name);

// What the hypothesis says the whole output is.
[[nodiscard]] Tensor<std::uint8_t> evaluate(const Hypothesis& hypothesis, const ConvProblem& problem);

}  // namespace tieout
