#include "reports/formats/junit.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <vector>

#include "reports/data/coverage.h"
#include "reports/formats/departure_text.h"
#include "reports/formats/finding_text.h"
#include "reports/text/escape.h"
#include "reports/text/number_text.h"

namespace tieout {
namespace {

constexpr std::size_t kFindingsInText = 20;  // limit per test case; the rest is counted

struct TestCase {
  std::string classname, name;
  std::string failure, type, text;  // failure: the message; empty if the test case passed
  std::string skipped;              // the reason; empty if it ran
  std::string output;
};

struct Suite {
  std::vector<TestCase> cases;
  std::ptrdiff_t failures = 0, skipped = 0;
};

using Place = std::tuple<std::string, std::string, std::string>;  // engine, instruction set, path

Place place_of(const Cell& cell) { return {cell.engine, cell.isa, cell.path}; }

struct FindingsAt {
  std::vector<const Finding*> fresh, known;
};

// Groups a run's findings by place, into known and unknown ones; the report identifies known findings by kind and case.
std::map<Place, FindingsAt> findings_by_place(const Report& report, const RunSummary& run) {
  std::set<std::pair<std::string, std::string>> known;
  for (const ReportedFinding& reported : report.findings) {
    if (reported.known) known.emplace(kind_of(reported.finding), reported.finding.case_line);
  }
  std::map<Place, FindingsAt> places;
  for (const Finding& finding : run.findings) {
    FindingsAt& at = places[place_of(finding.cell)];
    (known.contains({kind_of(finding), finding.case_line}) ? at.known : at.fresh).push_back(&finding);
  }
  return places;
}

std::string texts_of_findings(const std::vector<const Finding*>& findings) {
  std::string text;
  for (std::size_t i = 0; i < std::min(findings.size(), kFindingsInText); ++i)
    text += finding_text(*findings[i]) + "\n";
  if (findings.size() > kFindingsInText) {
    text += fmt::format("... and {} more\n", findings.size() - kFindingsInText);
  }
  return text;
}

void add_findings(TestCase& test, const FindingsAt& findings) {
  if (!findings.fresh.empty()) {
    test.failure = counted(std::ssize(findings.fresh), "finding");
    test.type = kind_of(*findings.fresh.front());
    test.text = texts_of_findings(findings.fresh);
  }
  if (!findings.known.empty()) test.output = "known findings:\n" + texts_of_findings(findings.known);
}

TestCase test_of(const CoverageRow& row, const FindingsAt& findings, std::int64_t unknown) {
  TestCase test{.classname = "tieout." + row.engine + "." + row.isa, .name = row.path};
  add_findings(test, findings);
  const bool none_kept = findings.fresh.empty() && findings.known.empty();
  if (row.counts.differed > 0 && none_kept && unknown > 0) {
    test.failure = counted(row.counts.differed, "case") + " differed";
    test.type = "difference";
    test.text = "Of many findings alike only the first are kept, and they are elsewhere.\n";
  } else if (row.counts.cases == 0 && none_kept) {
    test.skipped = "no case reached it";
  }
  return test;
}

// The causes come first; one that the baseline accepts does not fail.
void add_causes(Suite& suite, const Report& report, const RunSummary& run) {
  const std::int64_t differing = run.cases.differed + run.cases.crashed;
  for (std::size_t i = 0; i < run.causes.size(); ++i) {
    const ReportedCause& cause = run.causes[i];
    TestCase test{.classname = "tieout.cause", .name = name_of(cause)};
    if (is_known(report, cause)) {
      test.output = "known cause:\n" + cause_text(cause, i + 1, differing);
    } else {
      test.failure = fmt::format("explains {} of {} cases that differ", grouped(cause.cases), grouped(differing));
      test.type = "cause";
      test.text = cause_text(cause, i + 1, differing);
    }
    suite.cases.push_back(std::move(test));
  }
}

Suite suite_of(const Report& report, const RunSummary& run) {
  Suite suite;
  add_causes(suite, report, run);
  std::map<Place, FindingsAt> places = findings_by_place(report, run);
  const std::int64_t unknown = new_differences(report);
  for (const CoverageRow& row : coverage(run)) {
    const auto at = places.find({row.engine, row.isa, row.path});
    suite.cases.push_back(test_of(row, at == places.end() ? FindingsAt{} : at->second, unknown));
    if (at != places.end()) places.erase(at);
  }
  for (const auto& [place, findings] : places) {  // places where nothing was verified, because of crashes
    const auto& [engine, isa, path] = place;
    TestCase test{.classname = "tieout." + engine + "." + isa, .name = path};
    add_findings(test, findings);
    suite.cases.push_back(test);
  }
  TestCase verified{.classname = "tieout.run", .name = "something was verified"};
  if (run.cases.verified() == 0 || run.elements() == 0) {
    verified.failure = "nothing was verified";
    verified.type = "vacuous";
  }
  for (const std::string& sentence : departure_sentences(run)) verified.output += sentence + "\n";
  suite.cases.push_back(verified);
  if (run.cases.no_resources > 0) {
    suite.cases.push_back({.classname = "tieout.run",
                           .name = "the machine had memory and processes",
                           .failure = counted(run.cases.no_resources, "case") + " without a verdict",
                           .type = "no resources"});
  }
  for (const std::string& cls : run.missing_classes) {
    const auto& missing = report.total.missing_classes;  // another run may have reached the class
    if (std::ranges::find(missing, cls) == missing.end()) continue;
    suite.cases.push_back(
        {.classname = "tieout.class", .name = cls, .failure = "no case reached it", .type = "not reached"});
  }
  for (const auto& [reason, count] : run.reasons) {
    suite.cases.push_back({.classname = "tieout.not_verified", .name = reason, .skipped = counted(count, "case")});
  }
  suite.failures = std::ranges::count_if(suite.cases, [](const TestCase& test) { return !test.failure.empty(); });
  suite.skipped = std::ranges::count_if(suite.cases, [](const TestCase& test) { return !test.skipped.empty(); });
  return suite;
}

std::string xml_of(const TestCase& test) {
  std::string xml =
      fmt::format("    <testcase classname=\"{}\" name=\"{}\" time=\"0\"", escaped(test.classname), escaped(test.name));
  std::string inside;
  if (!test.skipped.empty()) inside += fmt::format("      <skipped message=\"{}\"/>\n", escaped(test.skipped));
  if (!test.failure.empty()) {
    inside += fmt::format("      <failure message=\"{}\" type=\"{}\">{}</failure>\n", escaped(test.failure),
                          escaped(test.type), escaped(test.text));
  }
  if (!test.output.empty()) inside += fmt::format("      <system-out>{}</system-out>\n", escaped(test.output));
  return xml + (inside.empty() ? "/>\n" : ">\n" + inside + "    </testcase>\n");
}

std::string property(const char* name, const std::string& value) {
  return fmt::format("      <property name=\"{}\" value=\"{}\"/>\n", name, escaped(value));
}

std::string properties_of(const RunSummary& run) {
  return "    <properties>\n" + property("command", run.command) + property("seed", std::to_string(run.seed)) +
         property("subject", run.subject) + property("reference", run.reference) +
         property("machine", run.machine.cpu) +
         (run.machine.variables.empty() ? "" : property("environment", run.machine.variables)) +
         property("finished", run.finished ? "true" : "false") + "    </properties>\n";
}

std::string xml_of(const Suite& suite, const RunSummary& run, std::size_t number) {
  std::string text = fmt::format(
      "  <testsuite name=\"tieout run {}\" tests=\"{}\" failures=\"{}\" errors=\"0\" skipped=\"{}\" time=\"{:.3f}\"",
      number, suite.cases.size(), suite.failures, suite.skipped, run.seconds);
  if (run.started != 0) text += fmt::format(" timestamp=\"{}\"", iso_text(run.started));
  text += ">\n" + properties_of(run);
  for (const TestCase& test : suite.cases) text += xml_of(test);
  return text + "  </testsuite>\n";
}

}  // namespace

std::string junit(const Report& report) {
  std::string suites;
  std::size_t tests = 0;
  std::ptrdiff_t failures = 0;
  std::ptrdiff_t skipped = 0;
  for (std::size_t i = 0; i < report.runs.size(); ++i) {
    const Suite suite = suite_of(report, report.runs[i]);
    tests += suite.cases.size();
    failures += suite.failures;
    skipped += suite.skipped;
    suites += xml_of(suite, report.runs[i], i + 1);
  }
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" +
         fmt::format(
             "<testsuites name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"0\" skipped=\"{}\" time=\"{:.3f}\">\n",
             escaped("Tieout: " + verdict(report)), tests, failures, skipped, report.total.seconds) +
         suites + "</testsuites>\n";
}

}  // namespace tieout
