#pragma once
// Provides hypotheses: arithmetics that an int8 convolution may follow according to some document, specification or
// implementation. Each is one function of one output element's Window, defined in hypothesis_*.cpp, dequantized.cpp or
// an engine model, and one entry in the table of hypotheses.cpp.

#include <cstdint>
#include <span>
#include <string_view>

#include "oracle/element/requantization_steps.h"
#include "oracle/element/trace.h"
#include "oracle/element/window.h"

namespace tieout {

struct Hypothesis {
  std::string_view name;    // one word, for example "manual_output_1" or "integer_float32"
  std::string_view claim;   // one line: what the operator computes according to the hypothesis
  std::string_view source;  // where it comes from: a document, a specification or an implementation
  // Returns y of the element. trace: receives the steps, or nullptr.
  std::uint8_t (*evaluate)(const Window& window, Trace* trace);

  // The distance between the hypothesis' value before rounding and the exact value s = (raw * xs * ws + bias) / os,
  // wherever nothing overflows. A hypothesis with a small distance gives the same output as s unless s is near a tie,
  // which is how whole layers are compared quickly (layer_comparison.h).
  enum class Distance {
    // Differs from s by a few roundings to float32; the value is a function of the window's sums alone.
    roundings,
    // Differs by such roundings from another s, whose bias is rounded to a whole number of units of raw.
    nearest_bias,
    // Differs by such roundings from another s, whose bias is truncated to a whole number of units of raw.
    truncated_bias,
    // Differs from nearest_bias by a first rounding, to a power of two of an output step, before the final rounding.
    twice_rounded,
    // Differs from s by a few roundings, and by a rounding of each activation. Near a tie, the whole window is needed.
    activations,
    // Equals `roundings` where neither a pair of products nor the sum of activations leaves int16, else `anywhere`.
    pairs,
    // Equals `pairs` for pairs of channels of one kernel position; with 1x1, sums of products must also be within 2^24.
    tap_pairs,
    // Differs by the rounding errors of manual_output_2, which accumulates in float32.
    float_sum,
    // Is not bounded: the hypothesis is another function and is evaluated at every element.
    anywhere,
  } distance = Distance::anywhere;

  // States what the result depends on: on the sum of products and the parameters, or on the products themselves.
  enum class Reads { sum, products } reads = Reads::sum;

  // Returns the sum that an int32 output of the element holds, which is the same for most hypotheses. nullptr: the
  // hypothesis sums no integers and has no int32 output.
  std::int32_t (*sum)(const Window& window, Trace* trace) = exact_sum;
};

// True if the hypothesis has an output of the type that the case asks for.
[[nodiscard]] bool applies_to(const Hypothesis& hypothesis, const ConvCase& c);

// Returns y of the element in the case's type. The hypothesis applies to the case.
[[nodiscard]] std::int32_t output_of(const Hypothesis& hypothesis, const Window& window, Trace* trace);

// Returns all hypotheses, in the order in which they are listed to users. They have static storage.
[[nodiscard]] std::span<const Hypothesis> hypotheses();

// Returns the hypothesis of that name, or nullptr.
[[nodiscard]] const Hypothesis* find_hypothesis(std::string_view name);

// Evaluates the hypothesis, which applies to the case, at every output element, in N x K x spatial.
[[nodiscard]] Answers evaluate(const Hypothesis& hypothesis, const ConvProblem& problem);

}  // namespace tieout
