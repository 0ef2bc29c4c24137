#pragma once
// Writes a diagnosis as text for the terminal and for reports.

#include <string>
#include <string_view>

#include "props/diagnose/conduct.h"
#include "props/diagnose/diagnose.h"
#include "reports/data/run_summary.h"

namespace tieout {

inline constexpr std::string_view kTheContract = "the contract";

// Returns the result in one line, such as "differs from the contract in one way, which predicts 10,000 of 10,000 fresh
// cases". expected: what the kernel is compared with.
[[nodiscard]] std::string headline_of(const Diagnosis& diagnosis, std::string_view expected = kTheContract);
// Returns the same of a subject whose values are not diagnosed.
[[nodiscard]] std::string headline_of(const Conduct& conduct);

// Returns the causes, each with its condition, the lines of C in which it differs from the contract, its smallest case
// and its share; then the proof. subject: the words of a command line that name the subject. expected: as above.
[[nodiscard]] std::string diagnosis_text(const Diagnosis& diagnosis, const std::string& subject,
                                         std::string_view expected = kTheContract);

// Returns a cause with its proof for reports. subject: as above.
[[nodiscard]] ReportedCause reported_cause(const Cause& cause, const Diagnosis& diagnosis, const std::string& subject);

// Returns what a subject does beside its values. name: of the subject. subject: as above.
[[nodiscard]] std::string conduct_text(const Conduct& conduct, const std::string& name, const std::string& subject);

// Returns the causes for a comment in an emitted kernel.
[[nodiscard]] std::string causes_text(const Diagnosis& diagnosis);

// Returns the option of that command for the case that must be computed before, with a space before it, or nothing.
[[nodiscard]] std::string before_words(const Conduct& conduct);
// Returns the command that verifies a case, or the length of the case if it is too long for a line. subject: as above.
[[nodiscard]] std::string check_line(const std::string& subject, const ConvCase& c);

}  // namespace tieout
