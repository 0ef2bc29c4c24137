// Writes an invented report, for the tests of the formats and for inspection:
//
//   sample_report NAME FORMAT > FILE        names: sample_report.h; formats: html, json, junit, markdown,
//                                         sarif, text, github

#include <fmt/core.h>

#include <map>
#include <string>

#include "reports/formats/finding_text.h"
#include "reports/formats/github_annotations.h"
#include "reports/formats/html/html.h"
#include "reports/formats/json.h"
#include "reports/formats/junit.h"
#include "reports/formats/markdown.h"
#include "reports/formats/sarif.h"
#include "reports/samples/sample_report.h"

int main(int count, char** arguments) {
  using tieout::Report;
  const std::map<std::string, std::string (*)(const Report&)> formats{
      {"html", tieout::html},
      {"json", tieout::json},
      {"junit", tieout::junit},
      {"markdown", [](const Report& report) { return tieout::markdown(report); }},
      {"sarif", tieout::sarif},
      {"text", tieout::findings_text},
      {"github", tieout::github_annotations}};
  const auto format = formats.find(count > 2 ? arguments[2] : "");
  const auto report = tieout::sample_report(count > 1 ? arguments[1] : "");
  if (!report || format == formats.end()) {
    fmt::print(stderr, "sample_report: {}\n",
               report ? "the format must be html, json, junit, markdown, sarif, text or github" : report.error());
    return 2;
  }
  fmt::print("{}", format->second(*report));
  return 0;
}
