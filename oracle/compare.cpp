#include "oracle/compare.h"

#include <algorithm>
#include <cstdlib>

#include "cases/parallel.h"

namespace tieout {
namespace {

void note(Disagreement& found, std::int64_t offset, std::uint8_t says, std::uint8_t answer) {
  if (says == answer) return;
  ++found.differing;
  found.largest = std::max(found.largest, std::abs(int{says} - int{answer}));
  if (found.first.size() < Disagreement::kMost) found.first.push_back({offset, says});
}

void append(Disagreement& sum, const Disagreement& part) {
  sum.differing += part.differing;
  sum.largest = std::max(sum.largest, part.largest);
  for (const auto& element : part.first) {
    if (sum.first.size() < Disagreement::kMost) sum.first.push_back(element);
  }
}

}  // namespace

std::vector<Disagreement> compare(std::span<const Hypothesis* const> hypotheses, const ConvProblem& problem,
                                  const Tensor<std::uint8_t>& answer, int threads) {
  const auto count = static_cast<std::int64_t>(answer.values.size());
  std::vector<std::vector<Disagreement>> parts(static_cast<std::size_t>(std::max(threads, 1)));
  in_parts(count, threads, [&](std::size_t part, std::int64_t begin, std::int64_t end) {
    std::vector<Disagreement> found(hypotheses.size());
    Window window;
    for (std::int64_t offset = begin; offset < end; ++offset) {
      gather(problem, offset, window);
      for (std::size_t h = 0; h < hypotheses.size(); ++h) {
        note(found[h], offset, hypotheses[h]->evaluate(window, nullptr),
             answer.values[static_cast<std::size_t>(offset)]);
      }
    }
    parts[part] = std::move(found);
  });
  std::vector<Disagreement> sums(hypotheses.size());
  for (const auto& part : parts) {
    for (std::size_t h = 0; h < part.size(); ++h) append(sums[h], part[h]);
  }
  return sums;
}

Disagreement compare_literally(const Hypothesis& hypothesis, const ConvProblem& problem,
                               const Tensor<std::uint8_t>& answer) {
  const Tensor<std::uint8_t> says = evaluate(hypothesis, problem);
  Disagreement found;
  for (std::size_t i = 0; i < answer.values.size(); ++i) {
    note(found, static_cast<std::int64_t>(i), says.values[i], answer.values[i]);
  }
  return found;
}

}  // namespace tieout
