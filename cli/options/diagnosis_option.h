#pragma once
// Provides the option --diagnose of the subcommands that verify a subject, and diagnoses the differences of their runs.

#include <optional>
#include <string>

#include "cases/text/domain.h"
#include "cli/options/subject_option.h"
#include "props/diagnose/finding_causes.h"

namespace tieout {

struct Command;

inline constexpr double kSecondsOfDiagnosis = 20;  // default of --diagnose

// Adds --diagnose, the time limit of the diagnosis in seconds; 0: none is made.
void add_diagnosis_option(Command& command, double& seconds);
// standard: words for the default, which depends on other options.
void add_diagnosis_option(Command& command, std::optional<double>& seconds, const std::string& standard);

// Finds the causes of the run's findings, which differ in their values, and notes them in the run and in its findings.
// argument: of --subject. patience: time limit of one answer. Both, and `seconds`, are in seconds.
void diagnose_findings(RunSummary& run, Subject& subject, const std::string& argument, double patience,
                       const Domain& domain, const DifferingCases& differing, double seconds);

// Returns true if answers of the subject depend on more than the case, so that a model of its values proves nothing.
[[nodiscard]] bool is_unstable(const RunSummary& run);

// Finds the causes of the run's differences and notes them in the run and in its findings, if a subject was compared
// with LibTorch and findings are left whose values a cause could explain. Ctrl-C ends the diagnosis, and what is proven
// until then counts. domain: of the run. seconds: time limit.
void diagnose_run(RunSummary& run, const Compared& compared, const SubjectArguments& arguments, const Domain& domain,
                  const DifferingCases& differing, double seconds);

}  // namespace tieout
