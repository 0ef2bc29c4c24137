#include "props/findings/finding_details.h"

#include <cstdlib>
#include <utility>

#include "props/explain/explain.h"
#include "props/operators/any_case_outcome.h"
#include "reports/records/finding_json.h"

namespace tieout {

Finding undescribed(const AnyCase& c, const CaseOutcome& outcome, std::int64_t index, const CaseSetup& setup) {
  const Subject* const subject = setup.subject;
  const Subject* const other = setup.reference.other();
  return {.case_line = print(c),
          .original_line = print(c),
          .expected_name = other == nullptr ? expected_name_of(c) : expected_name(*other, *subject),
          .actual_name = subject == nullptr ? "actual" : subject->name(),
          .failure = outcome.status == Status::crashed ? outcome.reason : std::string(),
          .cell = outcome.cell,
          .index = index,
          .drawn_kind = outcome.reason,
          .subject = subject == nullptr ? "" : subject->text(),
          .reference = other == nullptr ? "" : other->text()};
}

Finding described(const Finding& finding, const CaseSetup& setup) {
  const auto c = parse_any_case(finding.case_line);
  // This cannot happen: print() wrote the line.
  if (!c) std::abort();
  Verdict verdict = verify_case(*c, setup, Placement::alone);
  if (verdict.status != Status::differed && verdict.status != Status::crashed) {
    Finding unrepeated = finding;
    if (unrepeated.failure.empty()) unrepeated.undescribed = "run alone, the case does not differ again";
    return unrepeated;
  }
  verdict.finding.original_line = finding.original_line;
  verdict.finding.cell = finding.cell;
  verdict.finding.index = finding.index;
  verdict.finding.drawn_kind = finding.drawn_kind;
  verdict.finding.explanation = explanation_of(verdict.finding);
  return std::move(verdict.finding);
}

void take_description(Finding& finding, const std::string& answer) {
  if (auto read = finding_from_json(answer)) {
    finding = std::move(*read);
  } else if (finding.failure.empty()) {
    finding.undescribed = "its description cannot be read: " + read.error();
  }
}

void note_exit(Finding& finding, std::string_view work, const ExitReason& reason) {
  if (finding.failure.empty()) finding.undescribed = std::string(work) + " it died: " + reason.text();
}

void describe_within(std::chrono::milliseconds time, std::span<Finding> findings, const CaseSetup& setup, int workers) {
  const auto end = std::chrono::steady_clock::now() + time;
  Processes processes;
  auto next = findings.begin();
  do {
    while (next != findings.end() && processes.running() < static_cast<std::size_t>(workers)) {
      Finding& finding = *next++;
      if (!finding.explanation.empty()) continue;
      processes.start(
          {.work = [&finding, &setup](std::int64_t) { return to_json(described(finding, setup)); },
           .answered = [&finding](std::int64_t, const std::string& answer) { take_description(finding, answer); },
           .died = [&finding](std::int64_t, const ExitReason& reason) { note_exit(finding, "describing", reason); }});
    }
    processes.wait(std::chrono::milliseconds(50));
  } while (processes.running() > 0 && std::chrono::steady_clock::now() < end);
  for (Finding& finding : findings) {
    const bool is_complete = has_tensors(finding) || !finding.failure.empty() || !finding.undescribed.empty();
    if (!is_complete) finding.undescribed = "the run was stopped before it was described";
  }
}

}  // namespace tieout
