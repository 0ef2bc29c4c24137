#include "props/model/layer_finding.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "cases/contents.h"
#include "cases/text/case_text.h"
#include "kernels/conv_relu.h"
#include "oracle/engines/engine_model.h"
#include "oracle/engines/known_defects.h"
#include "oracle/hypotheses/mismatch_class.h"
#include "props/shrink/shrink.h"
#include "props/shrink/sub_case.h"
#include "reports/data/tensor_mismatches.h"

namespace tieout {
namespace {

constexpr std::size_t kMaxListedElements = 20;

Indices range(std::int64_t begin, std::int64_t end) {
  Indices indices(static_cast<std::size_t>(end - begin));
  std::iota(indices.begin(), indices.end(), begin);
  return indices;
}

// Returns the index of the element: batch, channel, depth, height, width.
std::array<std::int64_t, 5> place_of(std::int64_t offset, const ConvCase& c) {
  const Spatial out = output_size(c);
  const auto index = unravel(offset, {c.batch, c.out_channels, out[0], out[1], out[2]});
  return {index[0], index[1], index[2], index[3], index[4]};
}

// Returns the groups around `group` that must stay together because the path's code needs that many.
Indices groups_around(std::int64_t group, const ConvCase& c, const Hardware& hardware) {
  std::int64_t together = 1;
  const FbgemmPath path = fbgemm_path(c, hardware);
  if (path == FbgemmPath::depthwise) together = 8;
  if (path == FbgemmPath::groupwise) together = fbgemm_groups_together(c, hardware);
  const std::int64_t first = group / together * together;
  return range(first, std::min(first + together, c.groups));
}

struct Comparison {
  Answers expected, actual;
  TensorMismatches mismatches;
  FbgemmPath path = FbgemmPath::im2col;
  MismatchCause cause;
};

// Compares the operator with the column on the case. Returns nothing if they do not differ.
std::optional<Comparison> differ_on(const ConvCase& c, std::size_t column, const LayerOptions& options,
                                    LibTorch& reference) {
  const Hardware hardware = reference.hardware();
  const ConvCase named = as_run(c, reference);
  const KnownDefect* const defect = known_defect(named, hardware);
  if (defect != nullptr) return {};
  const ConvProblem problem = with_contents(c);
  auto expected = reference.conv(problem);
  auto actual = answer_of(column, problem, options, reference);
  if (!expected || !actual || expected->y.shape != actual->shape) return {};
  Comparison found{.expected = as_answers(expected->y), .actual = std::move(*actual)};
  found.mismatches = compare_tensors(found.expected, found.actual);
  if (found.mismatches.equal()) return {};
  found.path = fbgemm_path(c, hardware);
  // The causes of a subject's differences are diagnosed later.
  if (c.execution.engine == Engine::fbgemm && subject_of(column, options) == nullptr) {
    found.cause = classify_mismatches(problem, fbgemm_arithmetic(named, hardware), found.expected, found.actual);
  }
  return found;
}

Finding finding_of(const ConvCase& c, Comparison found, const std::string& column, const LibTorch& reference) {
  ConvProblem problem = with_contents(c);
  problem.spec = as_run(std::move(problem.spec), reference);
  const Arithmetic arithmetic = fbgemm_arithmetic(problem.spec, reference.hardware());
  Finding finding{.case_line = print(c),
                  .original_line = print(c),
                  .expected_name = std::string(name(c.execution.engine)),
                  .actual_name = column,
                  .mismatch_class = std::string(name(found.cause.cls)),
                  .derivation = std::string(found.cause.exchanged),
                  .explained = found.cause.explained};
  for (const std::int64_t offset : found.mismatches.offsets) {
    if (finding.elements.size() == kMaxListedElements) break;
    const ElementTrace trace = conv_relu_trace(problem, arithmetic, offset);
    finding.elements.push_back({.offset = offset,
                                .expected = found.expected.values[static_cast<std::size_t>(offset)],
                                .actual = found.actual.values[static_cast<std::size_t>(offset)],
                                .accumulator = trace.accumulator,
                                .scaled = trace.scaled});
  }
  finding.expected = std::move(found.expected);
  finding.actual = std::move(found.actual);
  return finding;
}

}  // namespace

ConvCase crop(const ConvProblem& problem, std::int64_t offset, const Hardware& hardware) {
  const ConvCase& c = problem.spec;
  const auto at = place_of(offset, c);
  const std::int64_t outputs = c.out_channels / c.groups;
  Selection kept = select_all(c);
  kept.batch = {at[0]};
  kept.groups = groups_around(at[1] / outputs, c, hardware);
  // One output channel suffices, unless the path needs as many outputs as inputs.
  const FbgemmPath path = fbgemm_path(c, hardware);
  const bool each_channel_alone =
      path == FbgemmPath::pointwise || path == FbgemmPath::im2col || path == FbgemmPath::linear;
  if (each_channel_alone) kept.group_outputs = {at[1] % outputs};
  for (std::size_t d = 0; d < 3; ++d) {
    // Rows before the window stay if the stride's phase needs them, so that the padding keeps its position.
    const std::int64_t window = at[2 + d] * c.stride[d] - c.padding[d];
    const std::int64_t steps = std::min(at[2 + d], (c.padding[d] + c.stride[d] - 1) / c.stride[d]);
    const std::int64_t begin = (at[2 + d] - steps) * c.stride[d];
    const std::int64_t end = std::min(c.input[d], window + c.dilation[d] * (c.kernel[d] - 1) + 1);
    if (begin < end) kept.input[d] = range(begin, end);
  }
  ConvCase part = sub_case(problem, kept);
  // A single output channel moved the case to another path.
  if (fbgemm_path(part, hardware) != path) {
    kept.group_outputs = range(0, outputs);
    part = sub_case(problem, kept);
  }
  return part;
}

std::optional<Finding> reduce(const ConvCase& c, std::size_t column, const LayerOptions& options, LibTorch& reference,
                              double seconds) {
  reference.guard_tensors(false);
  const auto whole = differ_on(c, column, options, reference);
  if (!whole) return {};
  const ConvCase smallest = shrink(c,
                                   [&](const ConvCase& candidate) {
                                     const auto found = differ_on(candidate, column, options, reference);
                                     return found && found->path == whole->path && found->cause.cls == whole->cause.cls;
                                   },
                                   {.seconds = seconds});
  auto found = differ_on(smallest, column, options, reference);
  if (!found) return {};
  Finding finding = finding_of(smallest, std::move(*found), columns_of(options)[column].name, reference);
  if (const LayerSubject* const subject = subject_of(column, options)) finding.subject = subject->argument;
  return finding;
}

}  // namespace tieout
