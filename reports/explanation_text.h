#pragma once
// The arithmetic of one output element, hypothesis beside hypothesis, step under step, as plain text.
//
//   step             integer_float32     manual_output_1
//   scaled                       0.5  0.5000000074505806 *
//     hex                     0x1p-1    0x1.000000083p-1
//     to tie, lsb                  0        7.450581e-09
//     to tie, ulp                  0               0.125
//   result                         0                   1
//
// Plain data, filled by props/explain.h. Values are the shortest decimals that read back to the same double, so that what
// differs looks different. A text is 80 columns wide where names and numbers allow it; the case line is never broken.

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cases/tensor.h"

namespace tieout {

// One product of the window, in the order kd, kh, kw, channel: neighbours 0 and 1, 2 and 3, ... are pairs.
struct ExplainedProduct {
  int x = 0, w = 0;  // stored values
  enum class Place { input, padding } place = Place::input;

  bool operator==(const ExplainedProduct&) const = default;
};

// x0 * w0 + x1 * w1 of products 2 * i and 2 * i + 1; the last one may be alone. saturated: what int16 makes of it.
struct ExplainedPair {
  std::int64_t sum = 0, saturated = 0;

  bool operator==(const ExplainedPair&) const = default;
};

struct ExplainedStep {
  std::string name;
  double value = 0;
  std::string note;  // the formula

  bool operator==(const ExplainedStep&) const = default;
};

// How far a value before rounding lies from the nearest n + 1/2: value minus tie.
struct TieDistance {
  double lsb = 0;  // in output units
  double ulp = 0;  // in steps of float32 at the tie

  bool operator==(const TieDistance&) const = default;
};

// What one hypothesis does, and which others do the same.
struct ExplainedColumn {
  std::string name;
  std::vector<std::string> alike;  // the same value in every step that both have
  std::vector<ExplainedStep> steps;
  std::optional<TieDistance> tie;     // of the step "scaled", where there is one and float32 has ties there
  std::optional<std::size_t> parted;  // the first of `steps` that parts from the first column

  bool operator==(const ExplainedColumn&) const = default;
};

struct Explanation {
  std::string case_line;
  std::int64_t offset = 0;  // of the element, row-major
  Shape shape;              // of the output
  std::int64_t activation_zero_point = 0, weight_zero_point = 0;
  std::vector<ExplainedProduct> products;
  std::vector<ExplainedPair> pairs;
  std::vector<ExplainedColumn> columns;
  std::vector<std::string> same_result;  // not shown: other steps, the first column's result
  std::string engine;                    // that was run for it, "fbgemm"; empty: none was
  std::optional<int> answer;             // the engine's own
  // Answers that a finding has already: the name of the reference or the subject, and its value.
  std::vector<std::pair<std::string, int>> known_answers;
  std::string remark;  // why there is no answer, or what is known about it; may be empty

  bool operator==(const Explanation&) const = default;
};

[[nodiscard]] std::string explanation_text(const Explanation& explanation);

}  // namespace tieout
