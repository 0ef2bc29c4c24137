#include "props/diagnose/version_causes.h"

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "cases/contents.h"
#include "cases/text/case_text.h"
#include "oracle/engines/known_defects.h"
#include "oracle/engines/version_changes.h"
#include "reports/formats/finding_text.h"

namespace tieout {
namespace {

// The two versions of a run.
struct Versions {
  Hardware subject, reference;

  [[nodiscard]] const VersionChange* change_at(const ConvProblem& problem) const {
    return deciding_change(problem, subject.libtorch, reference.libtorch, reference);
  }
};

bool is_declined(const ConvCase& c, const Hardware& hardware) {
  return known_defect(c, hardware) != nullptr || !refusal(c, hardware).empty();
}

// Returns the change that explains the finding; nullptr if none does.
const VersionChange* change_of(const Finding& finding, const Versions& versions) {
  auto c = parse(finding.case_line);
  if (!c || !has_tensors(finding) || !finding.before.empty()) return nullptr;
  const ConvProblem problem = with_contents(std::move(*c));
  const Engine engine = problem.spec.execution.engine;
  const VersionChange* const change = versions.change_at(problem);
  const bool predicted = change != nullptr && predict(problem, engine, versions.subject) == finding.actual &&
                         predict(problem, engine, versions.reference) == finding.expected;
  return predicted ? change : nullptr;
}

// Returns the change that explains the case of an index, which is the first attempt that neither version declines.
const VersionChange* change_of(std::int64_t index, const DifferingCases& differing, const Versions& versions) {
  for (std::int64_t attempt = 0;; ++attempt) {
    auto c = differing.draw(index, attempt);
    if (!c) return nullptr;
    if (is_declined(*c, versions.subject) || is_declined(*c, versions.reference)) continue;
    return versions.change_at(with_contents(std::move(*c)));
  }
}

ReportedCause reported(const VersionChange& change, const RunSummary& run, bool subject_is_older) {
  const std::string before(change.before), after(change.after);
  ReportedCause cause{
      .text = std::string(change.text),
      .condition = {},
      .diff = {"- " + (subject_is_older ? after : before) + ";", "+ " + (subject_is_older ? before : after) + ";"}};
  for (const Finding& finding : run.findings) {
    const bool shorter = cause.case_line.empty() || finding.case_line.size() < cause.case_line.size();
    if (finding.cause != change.text || !shorter || finding.elements.empty()) continue;
    cause.case_line = finding.case_line;
    cause.replay = replay_command(finding);
    cause.expected = finding.elements.front().expected;
    cause.actual = finding.elements.front().actual;
  }
  return cause;
}

}  // namespace

void set_version_causes(RunSummary& run, const LibTorchVersion& subject, const LibTorchVersion& reference,
                        const Hardware& hardware, const DifferingCases& differing) {
  Versions versions{hardware, hardware};
  versions.subject.libtorch = subject;
  versions.reference.libtorch = reference;
  std::map<const VersionChange*, std::int64_t> cases;
  for (Finding& finding : run.findings) {
    const VersionChange* const change = change_of(finding, versions);
    if (change == nullptr) continue;
    finding.cause = change->text;
    // Without a sequence, the cases that differ are the findings.
    cases[change] += differing.draw == nullptr ? 1 : 0;
  }
  std::int64_t left = 0;
  for (const auto& [kind, count] : run.differences) left += count;
  for (const std::int64_t index : differing.indices) {
    if (const VersionChange* const change = change_of(index, differing, versions)) ++cases[change];
  }
  run.causes.clear();
  run.cases_by_cause.clear();
  for (const auto& [change, count] : cases) {
    ReportedCause cause = reported(*change, run, subject < reference);
    if (cause.case_line.empty()) continue;  // no finding shows it
    cause.cases = std::min(count, left);
    left -= cause.cases;
    run.causes.push_back(std::move(cause));
  }
  std::ranges::stable_sort(run.causes, std::greater{}, &ReportedCause::cases);
  for (const ReportedCause& cause : run.causes) run.cases_by_cause[name_of(cause)] = cause.cases;
  if (left > 0) run.cases_by_cause[std::string(kUnexplained)] = left;
}

}  // namespace tieout
