#include "props/verify.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "cases/case_text.h"
#include "cases/contents.h"
#include "props/shrink.h"
#include "reports/diff.h"

namespace tieout {
namespace {

constexpr std::size_t kMaxListedElements = 20;

std::vector<DiffElement> describe(const Diff& d, const Tensor<std::uint8_t>& expected,
                                  const std::vector<ElementTrace>& traces) {
  std::vector<DiffElement> elements;
  for (const std::int64_t offset : d.offsets) {
    if (elements.size() == kMaxListedElements) break;
    const auto at = static_cast<std::size_t>(offset);
    elements.push_back({.offset = offset,
                        .expected = expected.values[at],
                        .actual = traces[at].result,
                        .accumulator = traces[at].accumulator,
                        .scaled = traces[at].scaled});
  }
  return elements;
}

}  // namespace

Arithmetic expected_arithmetic(const ConvCase& c, const Hardware& hardware) {
  return fbgemm_arithmetic(fbgemm_path(c, hardware), c.execution.isa, hardware);
}

Verdict verify(const ConvCase& c, LibTorch& reference) {
  const Hardware hardware = reference.hardware();
  Verdict verdict;
  verdict.path = fbgemm_path(c, hardware);
  if (const std::string_view hazard = fbgemm_hazard(c, hardware); !hazard.empty()) {
    verdict.status = Verdict::Status::skipped;
    verdict.reason = hazard;
    return verdict;
  }
  const ConvProblem problem = with_contents(c);
  auto expected = reference.conv(problem);
  verdict.finding.case_line = verdict.finding.original_line = print(c);
  verdict.finding.expected_name = name(c.execution.engine);
  verdict.finding.actual_name = "scalar";
  if (!expected) {
    const bool refused = expected.error().kind == EngineError::Kind::refused;
    verdict.status = refused ? Verdict::Status::differed : Verdict::Status::errored;
    verdict.reason = expected.error().message;
    if (refused) verdict.finding.refusal = expected.error().message;
    return verdict;
  }
  verdict.traces = conv_relu_traces(problem, expected_arithmetic(c, hardware));
  Tensor<std::uint8_t> actual{output_shape(c), {}};
  for (const ElementTrace& trace : verdict.traces) actual.values.push_back(trace.result);
  const Diff d = diff(*expected, actual);
  verdict.elements = d.elements;
  if (d.equal()) return verdict;
  verdict.status = Verdict::Status::differed;
  verdict.finding.elements = describe(d, *expected, verdict.traces);
  verdict.finding.expected = std::move(*expected);
  verdict.finding.actual = std::move(actual);
  return verdict;
}

Finding reduce(const Finding& finding, LibTorch& reference, double seconds) {
  const auto original = parse(finding.original_line);
  if (!original) std::abort();  // a finding's line is printed by print()
  const bool refusal = !finding.refusal.empty();
  const ConvCase smallest =
      shrink(*original,
             [&](const ConvCase& candidate) {
               const Verdict verdict = verify(candidate, reference);
               return verdict.status == Verdict::Status::differed && verdict.finding.refusal.empty() != refusal;
             },
             {.seconds = seconds});
  Verdict verdict = verify(smallest, reference);
  // An answer that changes from run to run cannot be reduced: the finding stays as it was drawn.
  if (verdict.status != Verdict::Status::differed) return finding;
  verdict.finding.original_line = finding.original_line;
  return std::move(verdict.finding);
}

}  // namespace tieout
