#pragma once
// Whole layers against many hypotheses at once.

#include <cstdint>
#include <span>
#include <vector>

#include "oracle/hypothesis.h"

namespace tieout {

// Where a hypothesis says otherwise than the operator answered.
struct Disagreement {
  struct Element {
    std::int64_t offset;
    std::uint8_t says;
    bool operator==(const Element&) const = default;
  };
  std::int64_t differing = 0;
  int largest = 0;
  std::vector<Element> first;  // ascending; the first kMost: what is systematic differs at every other element

  static constexpr std::size_t kMost = 4096;
  bool operator==(const Disagreement&) const = default;
};

// answer: the operator's, of output_shape(problem.spec). One result a hypothesis, in their order: exactly what evaluate()
// gives for each, compared with the answer.
[[nodiscard]] std::vector<Disagreement> compare(std::span<const Hypothesis* const> hypotheses,
                                                const ConvProblem& problem, const Tensor<std::uint8_t>& answer,
                                                int threads);

// The same, by evaluate(): slow, and what compare() is tested against.
[[nodiscard]] Disagreement compare_literally(const Hypothesis& hypothesis, const ConvProblem& problem,
                                             const Tensor<std::uint8_t>& answer);

}  // namespace tieout
