#include "cli/options/diagnosis_option.h"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <utility>

#include "cases/machine/cpu.h"
#include "cases/operators/operator_text.h"
#include "cases/strings/shell_word.h"
#include "cli/common/command.h"
#include "cli/common/duration.h"
#include "cli/common/interruption.h"
#include "cli/common/stage_line.h"
#include "cli/options/libtorch_subject.h"
#include "props/diagnose/version_causes.h"

namespace tieout {
namespace {

constexpr std::string_view kHelp = "Time limit of the diagnosis that follows if a subject's values differ, seconds";

}  // namespace

bool is_unstable(const RunSummary& run) {
  return std::ranges::any_of(run.findings, [](const Finding& finding) {
    if (names_operator(finding.case_line)) return false;  // only convolutions are diagnosed
    return !finding.before.empty() || (has_tensors(finding) && !is_guess(finding));
  });
}

namespace {

Hardware hardware_here() {
  const SimdIsa best = best_simd_isa();
  return {.avx512 = best >= SimdIsa::avx512,
          .avx512_vnni = best >= SimdIsa::avx512_vnni,
          .avx_vnni = has_avx_vnni(),
          .amx_int8 = has_amx_int8()};
}

}  // namespace

void add_diagnosis_option(Command& command, double& seconds) {
  command.option("--diagnose", &seconds, std::string(kHelp) + "; 0: no diagnosis",
                 {.check = number_from_zero(), .type = "SECONDS", .show_default = true});
}

void add_diagnosis_option(Command& command, std::optional<double>& seconds, const std::string& standard) {
  command.option("--diagnose", &seconds, fmt::format("{} (default {})", kHelp, standard),
                 {.check = number_from_zero(), .type = "SECONDS"});
}

void diagnose_run(RunSummary& run, const Compared& compared, const SubjectArguments& arguments, const Domain& domain,
                  const DifferingCases& differing, double seconds) {
  Subject* const subject = compared.subject.get();
  if (subject != nullptr && compared.other != nullptr) {  // takes no time worth a limit
    const auto version = libtorch_version_of(*subject);
    const auto of_reference = libtorch_version_of(*compared.other);
    if (version && of_reference) set_version_causes(run, *version, *of_reference, hardware_here(), differing);
    return;
  }
  const bool wanted = seconds > 0 && subject != nullptr && !is_interrupted();
  if (!wanted || is_unstable(run)) return;
  diagnose_findings(run, *subject, arguments.text, arguments.rules().seconds, domain, differing, seconds);
}

void diagnose_findings(RunSummary& run, Subject& subject, const std::string& argument, double patience,
                       const Domain& domain, const DifferingCases& differing, double seconds) {
  std::vector<ConvCase> known = unexplained_cases(run);
  if (known.empty()) return;
  const auto start = std::chrono::steady_clock::now();
  const KernelAnswer kernel = answers_of(subject, patience);
  constexpr std::int64_t kProof = 2'000;  // cases
  const DiagnoseOptions options{.seed = run.seed,
                                .proof = kProof,
                                .seconds = seconds / 2,
                                .domain = domain,
                                .known = std::move(known),
                                .progress = [&](const std::string& stage, std::int64_t done, std::int64_t of) {
                                  show_stage("diagnosis: " + stage, done, of);
                                  return !is_interrupted() && seconds_since(start) < seconds;
                                }};
  take_interruptions();
  const Diagnosis diagnosis = follows_contract(run) ? Diagnosis{} : diagnose(kernel, options);
  RunSummary explained = run;
  set_causes(explained, diagnosis, kernel, differing, "--subject " + shell_word(argument), [&] {
    show_stage("diagnosis: differing cases", 0, std::ssize(differing.indices));
    return !is_interrupted() && seconds_since(start) < 2 * seconds;
  });
  subject.stop();
  release_interruptions();
  clear_stage();
  // A subject that was changed meanwhile is not the one that was verified.
  if (subject.change().empty()) run = std::move(explained);
}

}  // namespace tieout
