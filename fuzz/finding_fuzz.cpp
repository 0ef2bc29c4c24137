// Fuzzes the reader of findings in JSON, which come from records and worker processes: it refuses the input with a
// message, or every report can show the finding.

#include "fuzz/fuzz_target.h"
#include "reports/data/report.h"
#include "reports/formats/finding_text.h"
#include "reports/formats/github_annotations.h"
#include "reports/formats/html/html.h"
#include "reports/formats/json.h"
#include "reports/formats/junit.h"
#include "reports/formats/markdown.h"
#include "reports/formats/sarif.h"
#include "reports/records/finding_json.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tieout;
  const auto finding = finding_from_json(text_of(data, size));
  if (!finding) {
    require(!finding.error().empty());
    return 0;
  }
  require(finding_from_json(to_json(*finding)).has_value());
  RunSummary run;
  run.cases.differed = 1;
  run.findings = {*finding};
  const Report report = make_report({run});
  require(!findings_text(report).empty());
  require(!json(report).empty() && !junit(report).empty() && !markdown(report).empty() && !html(report).empty());
  require(!sarif(report).empty());
  (void)github_annotations(report);
  return 0;
}
