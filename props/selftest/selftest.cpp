#include "props/selftest/selftest.h"

#include <chrono>
#include <utility>

#include "cases/text/case_text.h"
#include "props/generate/strategy.h"
#include "props/process/forked_task.h"
#include "props/verify/verify.h"

namespace tieout {
namespace {

// The limit leaves time for other work on the machine.
constexpr Rules kRules{.seconds = 8};

Finding unreduced(const ConvCase& c, const Subject& subject) {
  return {.case_line = print(c), .original_line = print(c), .actual_name = subject.name(), .subject = subject.text()};
}

}  // namespace

Hunt hunt(Subject& subject, LibTorch& reference, const SelftestOptions& options) {
  using Clock = std::chrono::steady_clock;
  const auto start = Clock::now();
  const auto elapsed = [&] { return std::chrono::duration<double>(Clock::now() - start).count(); };
  const auto draw = [&](std::int64_t index) {
    return case_of(options.seed, static_cast<std::uint64_t>(index), kForSubjects, options.domain);
  };
  Hunt hunt;
  const auto note = [&](std::int64_t index, bool fails) {
    // Later answers than the first one that counts are ignored.
    if (hunt.found) return;
    hunt.cases = index + 1;
    hunt.seconds = elapsed();
    hunt.found = fails;
    if (fails) hunt.finding = unreduced(draw(index), subject);
  };
  run_task({.end = options.cases,
            .seconds = kRules.seconds,
            .work =
                [&](std::int64_t index) {
                  const Verdict verdict = verify(draw(index), reference, &subject, kRules);
                  return std::string(1, static_cast<char>(verdict.status));
                },
            .answered =
                [&](std::int64_t index, const std::string& answer) {
                  note(index, static_cast<Status>(answer.front()) == Status::differed);
                },
            .died = [&](std::int64_t index, const ExitReason&) { note(index, true); }},
           [&] { return !hunt.found && elapsed() < options.seconds; });
  if (!hunt.found) return hunt;
  hunt.finding = shrink_finding(hunt.finding, reference, options.shrink_seconds, &subject, kRules);
  if (const auto smallest = parse(hunt.finding.case_line)) {
    hunt.size = element_count(activation_shape(*smallest)) + element_count(weight_shape(*smallest));
  }
  return hunt;
}

bool is_right_here(Fault fault, const Hardware& hardware) {
  return fault == Fault::sum_pairs_saturate && !hardware.avx512_vnni;
}

}  // namespace tieout
