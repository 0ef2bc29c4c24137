#pragma once
// Formats the arithmetic of one output element as a plain text table: a column for each hypothesis, a row for each
// step.
//
//   step             integer_float32     manual_output_1
//   scaled                       0.5  0.5000000074505806 *
//     hex                     0x1p-1    0x1.000000083p-1
//     to tie, lsb                  0        7.450581e-09
//     to tie, ulp                  0               0.125
//   result                         0                   1
//
// The structs are plain data, filled by props/explain/explain.h. Values are the shortest decimals that read back to the
// same double, so that different values have different texts. The text is 80 columns wide where names and numbers allow
// it; the case line is never broken.

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

// The sum x0 * w0 + x1 * w1 of products 2 * i and 2 * i + 1; the last product may be alone. saturated: the sum clamped
// to int16.
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

// The distance of a value before rounding from the nearest n + 1/2: value minus tie.
struct TieDistance {
  double lsb = 0;  // in output units
  double ulp = 0;  // in steps of float32 at the tie

  bool operator==(const TieDistance&) const = default;
};

// The steps of one hypothesis, and the names of hypotheses with the same values.
struct ExplainedColumn {
  std::string name;
  std::vector<std::string> alike;  // hypotheses with the same value in every step that both have, if by other formulas
  std::vector<ExplainedStep> steps;
  std::optional<TieDistance> tie;     // of the step "scaled", if there is one and float32 has ties there
  std::optional<std::size_t> parted;  // index of the first of `steps` that differs from the first column

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
  // Hypotheses that are not shown: they have other steps, but the result of the first column.
  std::vector<std::string> same_result;
  std::string engine;         // the engine that was run, "fbgemm"; empty: none was
  std::optional<int> answer;  // the engine's answer
  // Answers that a finding already contains: the name of the reference or the subject, and its value.
  std::vector<std::pair<std::string, int>> known_answers;
  std::string remark;  // why there is no answer, or a note on it; may be empty

  bool operator==(const Explanation&) const = default;
};

[[nodiscard]] std::string explanation_text(const Explanation& explanation);

// Returns the part of the text that begins with the table and ends before the answers.
[[nodiscard]] std::string steps_text(const Explanation& explanation);

}  // namespace tieout
