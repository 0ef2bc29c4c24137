#include "props/fuzz.h"

#include <chrono>
#include <string>

#include "cases/case_text.h"
#include "props/case_class.h"
#include "props/generator.h"
#include "props/verify.h"

namespace tieout {
namespace {

void count(RunSummary& run, const ConvCase& c, const Verdict& verdict) {
  switch (verdict.status) {
    case Verdict::Status::passed: ++run.cases.passed; break;
    case Verdict::Status::differed: ++run.cases.differed; break;
    case Verdict::Status::skipped: ++run.cases.skipped; break;
    case Verdict::Status::errored: ++run.cases.errored; break;
  }
  if (verdict.status == Verdict::Status::skipped || verdict.status == Verdict::Status::errored) {
    ++run.reasons[verdict.reason];
    return;
  }
  const std::string path(name(verdict.path));
  ++run.cases_by_path[path];
  run.elements_by_path[path] += verdict.elements;
  const ClassSet classes = classify(c, verdict.traces);
  for (std::size_t i = 0; i < kCaseClasses; ++i) {
    if (classes.test(i)) ++run.cases_by_class[std::string(name(static_cast<CaseClass>(i)))];
  }
}

}  // namespace

RunSummary fuzz(const FuzzOptions& options, LibTorch& reference,
                const std::function<bool(const RunSummary&)>& on_case) {
  const auto start = std::chrono::steady_clock::now();
  const double inside_before = reference.seconds_inside();
  RunSummary run;
  run.seed = options.seed;
  run.command = "tieout fuzz --cases " + std::to_string(options.cases) + " --seed " + std::to_string(options.seed);
  run.reference = "fbgemm, LibTorch " + reference.version();
  run.subject = "scalar";
  for (std::int64_t index = 0; index < options.cases; ++index) {
    const ConvCase c = case_of(options.seed, static_cast<std::uint64_t>(index));
    const Verdict verdict = verify(c, reference);
    count(run, c, verdict);
    if (verdict.status == Verdict::Status::differed && run.findings.size() < options.max_findings) {
      run.findings.push_back(reduce(verdict.finding, reference));
    }
    run.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    run.seconds_in_engine = reference.seconds_inside() - inside_before;
    if (!on_case(run)) break;
  }
  return run;
}

}  // namespace tieout
