#pragma once
// Verifies the operators of a network beside its convolutions: each call's output is compared with the prediction and
// with the specification, and predicted for other numbers of LibTorch's threads.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "oracle/engines/fbgemm_path.h"
#include "oracle/libtorch/model.h"
#include "reports/data/model_report.h"

namespace tieout {

// Returns where two outputs of the same shape differ. is_float: the values are bits of float32 numbers.
[[nodiscard]] ValueDifferences value_differences(const std::vector<std::int32_t>& expected,
                                                 const std::vector<std::int32_t>& actual, bool is_float);

// Returns the result for one call. threads: the numbers of LibTorch's threads for which its output is predicted as
// well.
[[nodiscard]] OperatorReport verify_operator_call(const CapturedOperator& captured, const Hardware& hardware,
                                                  const std::vector<int>& threads);

// Adds the result of a call on a further input to that of the same call on earlier ones.
void add(OperatorReport& sum, const OperatorReport& part);

// Returns the output that is predicted if LibTorch runs on `threads` threads; nothing if it is the same as the captured
// one.
[[nodiscard]] std::optional<std::vector<std::int32_t>> output_with_threads(const CapturedOperator& captured,
                                                                           const Hardware& hardware, int threads);

}  // namespace tieout
