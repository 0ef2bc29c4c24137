#include "props/campaign/given_cases.h"

#include <utility>

#include "cases/text/case_words.h"
#include "props/campaign/campaign_options.h"
#include "props/explain/explain.h"
#include "props/operators/any_case_outcome.h"
#include "props/verify/run_head.h"

namespace tieout {
namespace {

// Time limit of LibTorch, seconds.
constexpr double kHang = 60;
constexpr std::size_t kMostFindings = 1000;

}  // namespace

GivenCases::GivenCases(std::string command, const Reference& reference, Subject* subject, const Rules& rules)
    : reference_(reference), subject_(subject), rules_(rules) {
  run_ = run_of(std::move(command), reference, subject);
  run_.finished = false;
}

tl::expected<void, std::string> GivenCases::record_to(const std::filesystem::path& file) {
  run_.started =
      std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
  auto created = RunRecord::create(file, run_);
  if (!created) return tl::unexpected(created.error());
  record_ = std::move(*created);
  return {};
}

tl::expected<Verdict, std::string> GivenCases::verify(const AnyCase& c) {
  const CaseSetup setup{.reference = reference_, .subject = subject_, .rules = rules_, .seconds = kHang};
  Verdict verdict = verify_case(c, setup, Placement::alone);
  // The verdict counts only if the files are still those that were opened, checked after the last call of the subject.
  if (const std::string change = change_of(subject_, reference_); !change.empty()) {
    return tl::unexpected(change);
  }
  add(c, verdict);
  if (std::ssize(block_.verdicts) == kBlock) {
    if (const auto written = write_block(); !written) return tl::unexpected(written.error());
  }
  return verdict;
}

void GivenCases::add(const AnyCase& c, const Verdict& verdict) {
  const CaseOutcome outcome = outcome_of(c, verdict, reference_);
  const std::int64_t index = run_.cases.all();
  count(run_, outcome, "given");
  count(block_, outcome, "given");
  if (!is_finding(outcome)) return;
  if (run_.findings.size() >= kMostFindings && kept_[outcome.reason] >= kKeptPerKind) return;
  ++kept_[outcome.reason];
  Finding finding = verdict.finding;
  finding.cell = outcome.cell;
  finding.index = index;
  finding.explanation = explanation_of(finding);
  block_.counts.findings.push_back(finding);
  run_.findings.push_back(std::move(finding));
}

tl::expected<void, std::string> GivenCases::end(bool complete) {
  run_.finished = complete;
  run_.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  if (!record_) return {};
  if (!block_.verdicts.empty()) {
    if (const auto written = write_block(); !written) return written;
  }
  if (const auto updated = record_->update(run_); !updated) return tl::unexpected("--record: " + updated.error());
  return {};
}

tl::expected<void, std::string> GivenCases::note_causes(const RunSummary& diagnosed) {
  run_ = diagnosed;
  if (!record_ || run_.cases_by_cause.empty()) return {};
  if (const auto noted = record_->note_causes(run_); !noted) return tl::unexpected("--record: " + noted.error());
  return {};
}

tl::expected<void, std::string> GivenCases::write_block() {
  run_.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  const auto written = record_ ? record_->append(block_, run_) : tl::expected<void, std::string>();
  block_ = RecordBlock{.number = block_.number + 1};
  if (!written) return tl::unexpected("--record: " + written.error());
  return {};
}

}  // namespace tieout
