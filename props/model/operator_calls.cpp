#include "props/model/operator_calls.h"

#include <algorithm>
#include <cstdlib>

#include "kernels/operators/operator_kernel.h"
#include "oracle/operators/operator_model.h"

namespace tieout {
namespace {

// Returns the distance of two values: of bytes their difference, of floats 1 if their bits differ.
int distance(std::int32_t a, std::int32_t b, bool is_float) { return is_float ? int{a != b} : std::abs(a - b); }

ValueDifferences differences(const OperatorOutput& expected, const OperatorOutput& actual) {
  return value_differences(expected.values.values, actual.values.values, expected.is_float);
}

void add(ValueDifferences& sum, const ValueDifferences& part) {
  if (sum.elements == 0) {
    sum = part;
    return;
  }
  sum.elements += part.elements;
  sum.largest = std::max(sum.largest, part.largest);
}

OperatorCase on_threads(OperatorCase c, int threads) {
  c.threads = threads;
  return c;
}

}  // namespace

ValueDifferences value_differences(const std::vector<std::int32_t>& expected, const std::vector<std::int32_t>& actual,
                                   bool is_float) {
  ValueDifferences found;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    if (expected[i] == actual[i]) continue;
    if (found.elements++ == 0) {
      found.first_offset = static_cast<std::int64_t>(i);
      found.first_expected = expected[i];
      found.first_actual = actual[i];
    }
    found.largest = std::max(found.largest, distance(expected[i], actual[i], is_float));
  }
  return found;
}

OperatorReport verify_operator_call(const CapturedOperator& captured, const Hardware& hardware,
                                    const std::vector<int>& threads) {
  const OperatorCase& c = captured.spec;
  OperatorReport report{.name = captured.name, .op = captured.op, .output = captured.output.values.shape};
  for (const OperatorInput& input : c.inputs) report.inputs.push_back(input.shape);
  const OperatorOutput predicted = predict_operator(c, hardware);
  report.elements = std::ssize(captured.output.values.values);
  if (predicted.values.shape != captured.output.values.shape) {
    report.shape_differs = true;
    return report;
  }
  report.prediction = differences(captured.output, predicted);
  report.specification = differences(captured.output, operator_kernel(c));
  for (const int count : threads) {
    // The prediction for one thread equals the output, or the difference is reported already.
    const ValueDifferences change = differences(predicted, predict_operator(on_threads(c, count), hardware));
    if (change.elements > 0) report.with_threads[count] = change;
  }
  return report;
}

void add(OperatorReport& sum, const OperatorReport& part) {
  sum.elements += part.elements;
  sum.shape_differs = sum.shape_differs || part.shape_differs;
  add(sum.prediction, part.prediction);
  add(sum.specification, part.specification);
  for (const auto& [threads, change] : part.with_threads) add(sum.with_threads[threads], change);
}

std::optional<std::vector<std::int32_t>> output_with_threads(const CapturedOperator& captured, const Hardware& hardware,
                                                             int threads) {
  OperatorOutput there = predict_operator(on_threads(captured.spec, threads), hardware);
  if (there.values == captured.output.values) return {};
  return std::move(there.values.values);
}

}  // namespace tieout
