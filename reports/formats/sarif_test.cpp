// formats_test.py checks the fields that readers of SARIF require; these are the other tests.

#include "reports/formats/sarif.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "reports/samples/sample_report.h"

namespace tieout {
namespace {

nlohmann::json run_of(const Report& report) { return nlohmann::json::parse(sarif(report))["runs"][0]; }

Report with_subject(const std::string& subject) {
  Report report = *sample_report("hostile");
  report.total.causes.clear();
  report.findings.resize(1);
  report.findings.front().finding.subject = subject;
  return report;
}

std::string location_of(const std::string& subject) {
  const auto result = run_of(with_subject(subject))["results"][0];
  return result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"];
}

TEST(Sarif, ResultsAreAtTheFileOfTheSubject) {
  EXPECT_EQ(location_of("./build/libmine.so"), "build/libmine.so");
  EXPECT_EQ(location_of("/a b/100%.so"), "/a%20b/100%25.so");
  EXPECT_EQ(location_of("command:./simulator --fast"), "tieout");
  EXPECT_EQ(location_of("engine:onednn"), "tieout");
  EXPECT_EQ(location_of(""), "tieout");
}

// Code scanning shows an alert as new if its fingerprint is.
TEST(Sarif, AFingerprintDependsOnKindAndCaseOnly) {
  Report report = with_subject("./a.so");
  const auto fingerprint = [](const Report& of) { return run_of(of)["results"][0]["partialFingerprints"]; };
  const auto first = fingerprint(report);
  report.findings.front().finding.subject = "./b.so";
  report.findings.front().finding.index += 1;
  EXPECT_EQ(fingerprint(report), first);
  report.findings.front().finding.case_line += " relu";
  EXPECT_NE(fingerprint(report), first);
}

TEST(Sarif, KnownFindingsAreSuppressedWithTheirReason) {
  Report report = with_subject("./a.so");
  report.findings.front().known.reset();
  EXPECT_EQ(run_of(report)["results"][0]["level"], "error");
  EXPECT_FALSE(run_of(report)["results"][0].contains("suppressions"));
  report.findings.front().known = KnownFinding{.reason = "accepted in the plan"};
  EXPECT_EQ(run_of(report)["results"][0]["level"], "note");
  EXPECT_EQ(run_of(report)["results"][0]["suppressions"][0]["justification"], "accepted in the plan");
}

TEST(Sarif, ARunThatVerifiedNothingIsNotSuccessful) {
  const auto last = run_of(*sample_report("unverified"))["invocations"].back();
  EXPECT_EQ(last["executionSuccessful"], false);
  EXPECT_EQ(last["exitCode"], 3);
  EXPECT_EQ(last["toolExecutionNotifications"][0]["level"], "error");
}

}  // namespace
}  // namespace tieout
