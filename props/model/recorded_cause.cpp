#include "props/model/recorded_cause.h"

#include <algorithm>

#include "kernels/operators/operator_kernel.h"
#include "oracle/element/window.h"
#include "props/model/operator_calls.h"

namespace tieout {

std::vector<std::string> names_of_equal(const CapturedConv& captured, const LayerResult& result,
                                        const LayerOptions& options, const std::vector<std::int32_t>& recorded) {
  const Tensor<std::uint8_t> usual = answer_of(captured);
  std::vector<std::int64_t> differing;
  for (std::size_t i = 0; i < recorded.size(); ++i) {
    if (recorded[i] != usual.values[i]) differing.push_back(static_cast<std::int64_t>(i));
  }
  // A hypothesis is evaluated where the recorded output differs. It gives the recorded output if it is right there, and
  // differs from LibTorch at as many elements of the whole layer.
  std::vector<std::string> names;
  Window window;
  for (std::size_t h = 0; h < options.hypotheses.size(); ++h) {
    if (h + 1 >= result.columns.size() || result.columns[h + 1].differing != std::ssize(differing)) continue;
    const bool equal = std::ranges::all_of(differing, [&](std::int64_t offset) {
      gather(captured.view(), element_at(offset, captured.spec), window);
      return options.hypotheses[h]->evaluate(window, nullptr) == recorded[static_cast<std::size_t>(offset)];
    });
    if (equal) names.emplace_back(options.hypotheses[h]->name);
  }
  return names;
}

std::vector<std::string> names_of_equal(const CapturedOperator& captured, const Hardware& hardware,
                                        const std::vector<std::int32_t>& recorded) {
  std::vector<std::string> names;
  if (operator_kernel(captured.spec).values.values == recorded) names.emplace_back("the exact contract");
  constexpr int kMostThreads = 16;
  for (int threads = 2; threads <= kMostThreads; ++threads) {
    const auto there = output_with_threads(captured, hardware, threads);
    if (there && *there == recorded) names.push_back("LibTorch with " + std::to_string(threads) + " threads");
  }
  return names;
}

}  // namespace tieout
