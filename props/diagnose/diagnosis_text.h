#pragma once
// Writes a diagnosis as text for the terminal and for reports.

#include <string>

#include "props/diagnose/conduct.h"
#include "props/diagnose/diagnose.h"
#include "reports/data/run_summary.h"

namespace tieout {

// Returns the result in one line, such as "differs from the contract in one way, which predicts 10,000 of 10,000 fresh
// cases".
[[nodiscard]] std::string headline_of(const Diagnosis& diagnosis);

// Returns the causes, each with its condition, the lines of C in which it differs from the contract, its smallest case
// and its share; then the proof. subject: the words of a command line that name the subject.
[[nodiscard]] std::string diagnosis_text(const Diagnosis& diagnosis, const std::string& subject);

// Returns a cause with its proof for reports. subject: as above.
[[nodiscard]] ReportedCause reported_cause(const Cause& cause, const Diagnosis& diagnosis, const std::string& subject);

[[nodiscard]] std::string conduct_text(const Conduct& conduct, const std::string& subject);

// Returns the causes for a comment in an emitted kernel.
[[nodiscard]] std::string causes_text(const Diagnosis& diagnosis);

}  // namespace tieout
