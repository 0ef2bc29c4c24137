#include "reports/data/report.h"

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include "reports/data/baseline.h"

namespace tieout {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

const Cell kCell{.engine = "fbgemm", .isa = "avx2", .path = "im2col", .granularity = "per_tensor", .bias = "bias"};

RunSummary night(std::int64_t started, const std::vector<std::string>& kinds) {
  RunSummary run{.command = "tieout campaign", .started = started};
  run.cases.passed = 100;
  run.cells[kCell] = {.cases = 100, .elements = 1000, .differed = 0, .classes = {}};
  for (const std::string& kind : kinds) {
    run.findings.push_back({.case_line = "conv2d " + kind, .mismatch_class = kind, .cell = kCell});
    ++run.cases.differed;
    ++run.differences[kind];
  }
  return run;
}

TEST(Report, DistinguishesNewKnownAndResolvedFindings) {
  const std::vector<KnownFinding> baseline{{.kind = "tie", .reason = "agreed"}, {.kind = "bias", .reason = "old"}};
  const Report report = make_report({night(2, {"tie", "pair"}), night(1, {"bias", "tie"})}, baseline);
  EXPECT_EQ(report.runs.front().started, 1);
  ASSERT_EQ(report.findings.size(), 3U);
  EXPECT_EQ(report.findings.front().finding.mismatch_class, "pair");  // unknown findings come first
  EXPECT_EQ(report.new_findings(), 1);
  ASSERT_EQ(report.resolved.size(), 1U);
  EXPECT_EQ(report.resolved.front().kind, "bias");
  EXPECT_TRUE(report.findings.back().seen_before());
  EXPECT_EQ(exit_status(report), 1);
  EXPECT_EQ(verdict(report), "4 of 204 cases differ; findings: 1 new, 2 known, 1 resolved");
}

TEST(Report, KnownFindingsDoNotFailARun) {
  EXPECT_EQ(exit_status(make_report({night(1, {"tie"})}, {{.kind = "tie", .reason = "agreed"}})), 0);
  EXPECT_EQ(exit_status(make_report({night(1, {"tie"})}, {{.path = "pointwise", .reason = "agreed"}})), 1);
}

// A case that differed, but is no finding because enough of its kind were kept, must not count as known.
TEST(Report, CountedDifferencesAreNotKnown) {
  RunSummary run = night(1, {"tie"});
  ++run.cases.differed;
  ++run.differences["pair"];
  const Report report = make_report({run}, {{.kind = "tie", .reason = "agreed"}});
  EXPECT_EQ(report.new_findings(), 0);
  EXPECT_EQ(new_differences(report), 1);
  EXPECT_EQ(exit_status(report), 1);
}

// An entry that names one case accepts only that case, and no other of its kind.
TEST(Report, ABaselineByCaseAcceptsThatCaseOnly) {
  RunSummary run = night(1, {"tie"});
  ++run.cases.differed;
  ++run.differences["tie"];
  const Report by_case = make_report({run}, {{.case_line = "conv2d tie", .reason = "agreed"}});
  EXPECT_EQ(by_case.new_findings(), 0);
  EXPECT_EQ(new_differences(by_case), 1);
  EXPECT_EQ(exit_status(by_case), 1);
  EXPECT_THAT(verdict(by_case), HasSubstr("1 differences that were only counted"));
  EXPECT_EQ(exit_status(make_report({run}, {{.kind = "tie", .reason = "agreed"}})), 0);
}

// Returns a run of a subject of which 9 cases have a proven cause, and 1 is unexplained if `all` is false.
RunSummary diagnosed(bool all) {
  RunSummary run = night(1, {"tie", "rounding"});
  run.subject = "./libmine.so";
  run.cases.differed = all ? 9 : 10;
  run.differences = {{"tie", 5}, {"rounding", all ? 4 : 5}};
  run.causes = {{.text = "the padding is 0", .condition = "K >= 9", .cases = 9}};
  run.cases_by_cause = {{"the padding is 0, where K >= 9", 9}};
  if (!all) run.cases_by_cause["unexplained"] = 1;
  for (Finding& finding : run.findings) {
    finding.subject = run.subject;
    finding.derivation = "a guess";
    finding.cause = run.causes.front().text;
    finding.condition = run.causes.front().condition;
  }
  return run;
}

TEST(Report, CountsCauses) {
  EXPECT_EQ(verdict(make_report({diagnosed(true)})), "9 of 109 cases differ, 1 cause");
  EXPECT_EQ(verdict(make_report({diagnosed(false)})), "10 of 110 cases differ, 1 cause, 1 case unexplained");
  EXPECT_EQ(verdict(make_report({diagnosed(true), diagnosed(false)})),
            "19 of 219 cases differ, 1 cause, 1 case unexplained");
}

TEST(Report, ABaselineByCauseAcceptsWhatItExplains) {
  const KnownFinding cause{.cause = "the padding is 0", .reason = "agreed"};
  const Report accepted = make_report({diagnosed(true)}, {cause});
  EXPECT_EQ(exit_status(accepted), 0);
  EXPECT_TRUE(is_known(accepted, accepted.total.causes.front()));
  KnownFinding elsewhere = cause;
  elsewhere.condition = "K >= 8";
  EXPECT_EQ(exit_status(make_report({diagnosed(true)}, {elsewhere})), 1);
  // The case without a cause stays a new difference.
  EXPECT_EQ(new_differences(make_report({diagnosed(false)}, {cause})), 1);
}

TEST(Report, AGuessIsUnexplained) {
  RunSummary run = diagnosed(true);
  run.causes.clear();
  run.cases_by_cause.clear();
  for (Finding& finding : run.findings) finding.cause.clear();
  const Report report = make_report({run});
  EXPECT_EQ(kind_of(report.findings.front().finding), "unexplained");
  EXPECT_EQ(reported_differences(report.total), (std::map<std::string, std::int64_t>{{"unexplained", 9}}));
}

TEST(Report, LackOfMemoryIsNeitherADifferenceNorASuccess) {
  RunSummary run{.cases = {.passed = 5, .no_resources = 2}, .cells = {{kCell, {.cases = 5, .elements = 9}}}};
  const Report report = make_report({run});
  EXPECT_EQ(exit_status(report), 3);
  EXPECT_THAT(verdict(report), HasSubstr(", 2 without a verdict for lack of memory or processes"));
  run.cases.no_resources = 0;
  EXPECT_EQ(exit_status(make_report({run})), 0);
}

// The exit status is 3 if the subject can no longer be loaded, even if most cases were verified before.
TEST(Report, AnUnavailableEngineOrSubjectIsNoSuccess) {
  RunSummary run{.cases = {.passed = 99, .unavailable = 1}, .cells = {{kCell, {.cases = 99, .elements = 99}}}};
  EXPECT_EQ(exit_status(make_report({run})), 3);
  Report lenient = make_report({run});
  lenient.allow_skipped = true;
  EXPECT_EQ(exit_status(lenient), 3);
  run.cases.unavailable = 0;
  EXPECT_EQ(exit_status(make_report({run})), 0);
}

// The formats and the process give this status.
TEST(Report, ARunThatDidNotFinishIsNoSuccess) {
  RunSummary run{.finished = false, .cases = {.passed = 9}, .cells = {{kCell, {.cases = 9, .elements = 9}}}};
  EXPECT_EQ(exit_status(make_report({run})), 3);
  run.cases.differed = 1;
  EXPECT_EQ(exit_status(make_report({run})), 1);
}

TEST(Report, SkippedCasesAreAllowedByTheOption) {
  const RunSummary run{.cases = {.passed = 1, .skipped = 99}, .cells = {{kCell, {.cases = 1, .elements = 9}}}};
  Report report = make_report({run});
  EXPECT_EQ(exit_status(report), 3);
  report.allow_skipped = true;
  EXPECT_EQ(exit_status(report), 0);
}

TEST(Report, AClassThatOneRunMissedMayBeReachedByAnother) {
  RunSummary first = night(1, {});
  RunSummary second = night(2, {});
  first.classes = second.classes = {"tie"};
  first.missing_classes = {"tie"};
  second.cells[kCell].classes["tie"] = 1;
  EXPECT_EQ(exit_status(make_report({first})), 3);
  EXPECT_EQ(exit_status(make_report({first, second})), 0);
}

TEST(MissingClasses, AreThoseOfALongHuntingRun) {
  RunSummary run = night(1, {});
  run.classes = {"interior", "tie"};
  run.hunting = true;
  find_missing_classes(run);
  EXPECT_EQ(run.missing_classes, std::vector<std::string>{"interior"});  // 100 cases with every result at a clamp
  run.cases.passed = 10'000;
  find_missing_classes(run);
  EXPECT_EQ(run.missing_classes, (std::vector<std::string>{"interior", "tie"}));
  run.cells[kCell].classes = {{"interior", 1}, {"tie", 1}};
  find_missing_classes(run);
  EXPECT_TRUE(run.missing_classes.empty());
}

TEST(KindOf, IgnoresNumbers) {
  EXPECT_EQ(kind_of({.failure = "died: SIGABRT: free 0x1234"}), kind_of({.failure = "died: SIGABRT: free 0x99"}));
  EXPECT_EQ(kind_of({.mismatch_class = "tie"}), "tie");
}

TEST(KindOf, IgnoresAddressesAndTemporaryNames) {
  EXPECT_EQ(kind_of_text("throws bad tensor at 0x7ffd12ab9c"), "throws bad tensor at #");
  EXPECT_EQ(kind_of_text("object 55d0c8a1b2f0 is gone"), "object # is gone");
  EXPECT_EQ(kind_of_text("error 1.5e-07 is above 12"), "error # is above #");
  EXPECT_EQ(kind_of_text("cannot open /tmp/tmp.Xk2a9/weights: gone"), "cannot open #: gone");
  EXPECT_EQ(kind_of_text("id 123e4567-e89b-12d3-a456-426614174000"), "id #-#-#-#-#");
  EXPECT_EQ(kind_of_text("first\nsecond"), "first");
  // Words are kept, including those of hexadecimal letters; a number at their end is replaced.
  EXPECT_EQ(kind_of_text("died: SIGABRT: a bad face added int8"), "died: SIGABRT: a bad face added int#");
  EXPECT_EQ(kind_of_text("read/write"), "read/write");
}

TEST(Baseline, ReadsHandwrittenFiles) {
  const auto baseline = parse_baseline(R"([{"kind": "tie", "path": "im2col", "reason": "agreed", "link": "https://x"},
                                           {"case": "conv2d x=[1]", "reason": "so be it"}])");
  ASSERT_TRUE(baseline) << baseline.error();
  EXPECT_EQ(baseline->front(),
            (KnownFinding{.kind = "tie", .path = "im2col", .reason = "agreed", .link = "https://x"}));
  EXPECT_EQ(baseline->back().case_line, "conv2d x=[1]");
}

TEST(Baseline, NamesTheEntryThatIsWrong) {
  EXPECT_THAT(parse_baseline("{").error(), StartsWith("must be a JSON array of findings; [] accepts none"));
  EXPECT_THAT(parse_baseline(R"([{"kind": "tie"}])").error(), HasSubstr("entry 1 has no 'reason'"));
  EXPECT_THAT(parse_baseline(R"([{"reason": "x"}])").error(), HasSubstr("would accept everything"));
  EXPECT_THAT(parse_baseline(R"([{"class": "tie", "reason": "x"}])").error(), HasSubstr("has 'class'"));
  EXPECT_THAT(parse_baseline(R"([{"kind": 3, "reason": "x"}])").error(), HasSubstr("'kind' must be a string"));
}

}  // namespace
}  // namespace tieout
