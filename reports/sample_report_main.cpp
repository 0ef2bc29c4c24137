// Writes a made-up report, for the test of the page in a browser and to look at it:
//
//   sample_report NAME html > FILE

#include <fmt/format.h>

#include <string_view>

#include "reports/html.h"
#include "reports/sample_report.h"

int main(int count, char** arguments) {
  const std::string_view format = count > 2 ? arguments[2] : "html";
  const auto report = tieout::sample_report(count > 1 ? arguments[1] : "");
  if (!report || format != "html") {
    fmt::print(stderr, "sample_report: {}\n", report ? "the format must be html" : report.error());
    return 2;
  }
  fmt::print("{}", tieout::html(*report));
  return 0;
}
