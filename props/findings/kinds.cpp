#include "props/findings/kinds.h"

#include <map>
#include <utility>

namespace tieout {
namespace {

// True if the text is known, or can be added to the known texts because there are fewer than `most`.
bool is_kept_apart(std::set<std::string>& known, const std::string& text, std::size_t most) {
  if (known.contains(text)) return true;
  if (known.size() >= most) return false;
  known.insert(text);
  return true;
}

}  // namespace

Kinds::Kinds(const RunSummary& run) {
  for (const auto& [kind, count] : run.differences) {
    if (kind != kOtherKind) differences_.insert(kind);
  }
  for (const auto& [reason, count] : run.declined) {
    if (reason != kOtherKind) declined_.insert(reason);
  }
  for (const auto& [reason, count] : run.reasons) {
    // A crash is counted under differences and under reasons.
    if (reason != kOtherKind && !run.differences.contains(reason)) reasons_.insert(reason);
  }
}

void Kinds::limit(CaseOutcome& outcome) {
  std::map<std::string, std::int64_t> declined;
  for (const auto& [reason, times] : outcome.declined) {
    const std::string kind = kind_of_text(reason);
    declined[is_kept_apart(declined_, kind, kMost) ? kind : kOtherKind] += times;
  }
  outcome.declined = std::move(declined);
  if (is_finding(outcome)) {
    if (!is_kept_apart(differences_, outcome.reason, kMost)) outcome.reason = kOtherKind;
    return;
  }
  if (outcome.status == Status::passed) return;
  // A reason with its numbers is more precise than its kind, and is kept as long as there are few reasons.
  if (is_kept_apart(reasons_, outcome.reason, kMost)) return;
  outcome.reason = kind_of_text(outcome.reason);
  if (!is_kept_apart(reasons_, outcome.reason, 2 * kMost)) outcome.reason = kOtherKind;
}

}  // namespace tieout
