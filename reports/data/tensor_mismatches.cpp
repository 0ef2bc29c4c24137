#include "reports/data/tensor_mismatches.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace tieout {

TensorMismatches compare_tensors(const Answers& expected, const Answers& actual) {
  const auto count = static_cast<std::size_t>(element_count(expected.shape));
  if (expected.shape != actual.shape || expected.values.size() != count || actual.values.size() != count) {
    std::fprintf(stderr, "tensor_mismatches.cpp: compare_tensors() of tensors of different shapes\n");
    std::abort();
  }
  TensorMismatches result;
  result.elements = static_cast<std::int64_t>(count);
  for (std::size_t i = 0; i < count; ++i) {
    const std::int64_t difference = std::int64_t{actual.values[i]} - expected.values[i];
    if (difference == 0) continue;
    result.offsets.push_back(static_cast<std::int64_t>(i));
    result.largest = std::max(result.largest, std::abs(difference));
    result.signed_sum += difference;
  }
  return result;
}

}  // namespace tieout
