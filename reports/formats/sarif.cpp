#include "reports/formats/sarif.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <string_view>

#include "cases/strings/digest.h"
#include "reports/formats/departure_text.h"
#include "reports/formats/finding_text.h"
#include "reports/text/number_text.h"

namespace tieout {
namespace {

using Json = nlohmann::ordered_json;

Json text_object(const std::string& text) { return {{"text", text}}; }

// Collects the rules in the order in which results name them.
class Rules {
 public:
  // Returns the position of the rule, which is added if it is new. id: kind of the finding or name of the cause.
  std::size_t position_of(const std::string& id) {
    const auto [at, added] = positions_.try_emplace(id, positions_.size());
    if (added) list_.push_back({{"id", id}, {"shortDescription", text_object(id)}});
    return at->second;
  }

  [[nodiscard]] const Json& list() const { return list_; }

 private:
  std::map<std::string, std::size_t> positions_;
  Json list_ = Json::array();
};

// Returns the characters of a path that a URI may contain, and all others percent-encoded.
std::string uri_of(const std::string& path) {
  constexpr std::string_view kKept = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/";
  std::string uri;
  for (const char letter : path) {
    uri += kKept.find(letter) == std::string_view::npos ? fmt::format("%{:02X}", static_cast<unsigned char>(letter))
                                                        : std::string(1, letter);
  }
  return uri;
}

// Returns the file of the subject as `--subject` names it; "tieout" if the subject is no file.
std::string artifact_of(const std::string& subject) {
  const bool is_file = subject.find_first_of("/.") != std::string::npos && subject.find(':') == std::string::npos;
  if (!is_file) return "tieout";
  return uri_of(subject.starts_with("./") ? subject.substr(2) : subject);
}

Json location_of(const std::string& subject, const std::string& place) {
  Json location{
      {"physicalLocation", {{"artifactLocation", {{"uri", artifact_of(subject)}}}, {"region", {{"startLine", 1}}}}}};
  if (!place.empty()) location["logicalLocations"] = Json::array({{{"fullyQualifiedName", place}}});
  return location;
}

std::string fingerprint_of(const std::string& rule, const std::string& case_line) {
  Digest digest;
  digest.add(std::string_view(rule));
  digest.add(std::string_view(case_line));
  return fmt::format("{:016x}", digest.value());
}

// Returns a result. known: it is suppressed for this reason; nullptr: it is not known.
Json result_of(Rules& rules, const std::string& rule, const std::string& message, const Json& location,
               const std::string& case_line, const KnownFinding* known) {
  Json result{{"ruleId", rule},
              {"ruleIndex", rules.position_of(rule)},
              {"level", known == nullptr ? "error" : "note"},
              {"message", text_object(message)},
              {"locations", Json::array({location})},
              // Code scanning recognizes a finding of an earlier run by it.
              {"partialFingerprints", {{"tieoutCase/v1", fingerprint_of(rule, case_line)}}}};
  if (known != nullptr) {
    result["suppressions"] = Json::array({{{"kind", "external"}, {"justification", known->reason}}});
  }
  if (!case_line.empty()) result["properties"] = {{"case", case_line}};
  return result;
}

const KnownFinding* known_of(const ReportedFinding& reported) { return reported.known ? &*reported.known : nullptr; }

const KnownFinding* known_of(const Report& report, const ReportedCause& cause) {
  if (!is_known(report, cause)) return nullptr;
  const auto found = std::ranges::find_if(report.findings, [&](const ReportedFinding& reported) {
    return known_of(reported) != nullptr && kind_of(reported.finding) == name_of(cause);
  });
  return found == report.findings.end() ? nullptr : known_of(*found);
}

Json results_of(const Report& report, Rules& rules) {
  Json results = Json::array();
  const RunSummary& total = report.total;
  for (std::size_t i = 0; i < total.causes.size(); ++i) {
    const ReportedCause& cause = total.causes[i];
    results.push_back(result_of(rules, name_of(cause),
                                cause_text(cause, i + 1, total.cases.differed + total.cases.crashed),
                                location_of(total.subject, ""), cause.case_line, known_of(report, cause)));
  }
  for (const ReportedFinding& reported : report.findings) {
    const Finding& finding = reported.finding;
    if (has_cause(report, finding)) continue;
    const Cell& cell = finding.cell;
    std::string message = fmt::format("{}: {}", kind_of(finding), size_and_derivation(finding));
    if (const std::string replay = replay_command(finding); !replay.empty()) message += "\n" + replay;
    results.push_back(result_of(rules, kind_of(finding), message,
                                location_of(finding.subject, cell.engine + "/" + cell.isa + "/" + cell.path),
                                finding.case_line, known_of(reported)));
  }
  return results;
}

// Returns the invocations, the last of which has the verdict and the exit status of the report.
Json invocations_of(const Report& report) {
  Json invocations = Json::array();
  for (const RunSummary& run : report.runs) {
    invocations.push_back({{"commandLine", run.command}, {"executionSuccessful", run.finished}});
    if (run.started != 0) invocations.back()["startTimeUtc"] = iso_text(run.started) + "Z";
  }
  constexpr int kCouldNotVerify = 3;
  const int status = exit_status(report);
  Json& last = invocations.back();
  last["executionSuccessful"] = status != kCouldNotVerify;
  last["exitCode"] = status;
  last["toolExecutionNotifications"] = Json::array({{{"level", status == kCouldNotVerify ? "error" : "note"},
                                                     {"message", text_object(verdict_with_departures(report))}}});
  return invocations;
}

}  // namespace

std::string sarif(const Report& report) {
  Rules rules;
  const Json results = results_of(report, rules);
  const Json run{{"tool", {{"driver", {{"name", "Tieout"}, {"rules", rules.list()}}}}},
                 {"invocations", invocations_of(report)},
                 {"columnKind", "utf16CodeUnits"},
                 {"results", results},
                 {"properties",
                  {{"subject", report.total.subject},
                   {"reference", report.total.reference},
                   {"machine", report.total.machine.cpu}}}};
  const Json document{
      {"$schema", "https://json.schemastore.org/sarif-2.1.0.json"}, {"version", "2.1.0"}, {"runs", Json::array({run})}};
  return document.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace tieout
