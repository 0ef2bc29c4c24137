#include "props/findings/case_sequence.h"

#include <algorithm>
#include <string>
#include <utility>

#include "cases/strings/bytes.h"
#include "props/explain/explain.h"
#include "props/findings/finding_details.h"
#include "props/operators/any_case_outcome.h"
#include "props/process/forked_task.h"
#include "reports/records/finding_json.h"

namespace tieout {
namespace {

// ---- conversion of a SequenceEnd to bytes and back, to pass it between processes

std::string pack_end(const SequenceEnd& end) {
  ByteWriter bytes;
  bytes.put(pack(end.outcome));
  bytes.put(is_finding(end.outcome) ? to_json(end.finding) : std::string());
  return bytes.take();
}

std::optional<SequenceEnd> unpack_end(const std::string& bytes) {
  ByteReader reader(bytes);
  std::string outcome;
  std::string finding;
  reader.get(outcome);
  reader.get(finding);
  const auto read_outcome = reader.complete() ? unpack(outcome) : std::nullopt;
  if (!read_outcome) return {};
  SequenceEnd end{.outcome = *read_outcome, .finding = {}};
  if (!is_finding(end.outcome)) return end;
  auto read_finding = finding_from_json(finding);
  if (!read_finding) return {};
  end.finding = std::move(*read_finding);
  return end;
}

SequenceEnd verify_last(const AnyCase& c, const CaseSetup& setup) {
  Verdict verdict = verify_case(c, setup, Placement::here);
  SequenceEnd end{.outcome = outcome_of(c, verdict, setup.reference), .finding = std::move(verdict.finding)};
  if (is_finding(end.outcome)) {
    end.finding.cell = end.outcome.cell;
    end.finding.explanation = explanation_of(end.finding);
  }
  return end;
}

}  // namespace

std::optional<SequenceEnd> verify_after(const std::vector<AnyCase>& before, const AnyCase& last,
                                        const CaseSetup& setup) {
  const std::int64_t last_index = std::ssize(before);
  std::optional<SequenceEnd> end;
  bool died_before = false;
  run_task({.end = last_index + 1,
            .seconds = setup.seconds,
            .work =
                [&](std::int64_t index) {
                  if (index == last_index) return pack_end(verify_last(last, setup));
                  (void)verify_case(before[static_cast<std::size_t>(index)], setup, Placement::here);
                  return std::string();
                },
            .answered =
                [&](std::int64_t index, const std::string& answer) {
                  if (index == last_index) end = unpack_end(answer);
                },
            .died =
                [&](std::int64_t index, const ExitReason& reason) {
                  died_before = died_before || index < last_index;
                  if (index < last_index) return;
                  end = SequenceEnd{.outcome = outcome_of_exit(last, setup, reason), .finding = {}};
                  end->finding = undescribed(last, end->outcome, 0, setup);
                  end->finding.failure = "died: " + reason.text();
                }},
           [&] { return !died_before; });
  if (died_before) return {};
  if (end) {
    for (const AnyCase& c : before) end->finding.before.push_back(print(c));
  }
  return end;
}

std::optional<Finding> find_cases_before(const Finding& finding, const std::vector<AnyCase>& before,
                                         const CaseSetup& setup) {
  // The largest number of cases that are verified in all.
  constexpr std::int64_t kMostCases = 20'000;
  const auto last = parse_any_case(finding.case_line);
  if (!last) return {};
  std::int64_t verified = 0;
  std::optional<Finding> found;
  const auto fails_after = [&](const std::vector<AnyCase>& cases) {
    verified += std::ssize(cases) + 1;
    auto end = verify_after(cases, *last, setup);
    if (!end || !is_finding(end->outcome)) return false;
    found = std::move(end->finding);
    return true;
  };
  std::vector<AnyCase> kept = before;
  if (!fails_after(kept)) return {};
  // Tries to remove a run of cases at every place. The runs get shorter until no remaining case can be removed.
  for (std::size_t length = (kept.size() + 1) / 2; length > 0; length /= 2) {
    for (std::size_t at = 0; at < kept.size() && verified < kMostCases;) {
      std::vector<AnyCase> fewer = kept;
      const auto begin = fewer.begin() + static_cast<std::ptrdiff_t>(at);
      fewer.erase(begin, begin + static_cast<std::ptrdiff_t>(std::min(length, kept.size() - at)));
      if (fails_after(fewer)) {
        kept = std::move(fewer);
      } else {
        at += length;
      }
    }
  }
  if (!found) return {};
  found->original_line = finding.original_line;
  found->cell = finding.cell;
  found->index = finding.index;
  found->drawn_kind = finding.drawn_kind;
  return found;
}

}  // namespace tieout
