// Compares every format of the report with a golden file, byte for byte, with hostile contents. After an intended
// change of a format, check the new output and copy it over the file as the failure message shows.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string_view>

#include "reports/formats/github_annotations.h"
#include "reports/formats/html/html.h"
#include "reports/formats/json.h"
#include "reports/formats/junit.h"
#include "reports/formats/markdown.h"
#include "reports/formats/sarif.h"
#include "reports/samples/sample_report.h"

namespace tieout {
namespace {

std::string contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void expect_golden(const std::string& name, const std::string& text) {
  const std::string golden = TIEOUT_SOURCE_DIR "/reports/testdata/" + name;
  if (contents(golden) == text) return;
  const std::string is = std::filesystem::temp_directory_path() / ("tieout_" + name);
  std::ofstream(is, std::ios::binary) << text;
  ADD_FAILURE() << name << " has changed. Look:  diff " << golden << " " << is << "\nIf it is meant:  cp " << is << " "
                << golden;
}

// Returns the page without its sources, of which the golden file would be a second copy, and without the data that zlib
// packed, whose bytes depend on the version of zlib; html_test unpacks them.
std::string frame(std::string page) {
  for (const char* element : {"style", "script"}) {
    const std::string end = std::string("</") + element + ">";
    for (std::size_t at = page.find(std::string("<") + element); at != std::string::npos;) {
      const std::size_t from = page.find('>', at) + 1;
      page.erase(from, page.find(end, from) - from);
      at = page.find(std::string("<") + element, from);
    }
  }
  constexpr std::string_view kDigest = "sha256-";
  for (std::size_t at = page.find(kDigest); at != std::string::npos; at = page.find(kDigest, at + 1)) {
    const std::size_t from = at + kDigest.size();
    page.erase(from, page.find("&#39;", from) - from);
  }
  return page;
}

TEST(Golden, Html) { expect_golden("hostile.html", frame(html(*sample_report("hostile")))); }
TEST(Golden, Json) { expect_golden("hostile.json", json(*sample_report("hostile"))); }
TEST(Golden, Junit) { expect_golden("hostile.xml", junit(*sample_report("hostile"))); }
TEST(Golden, Markdown) { expect_golden("hostile.md", markdown(*sample_report("hostile"))); }
TEST(Golden, Sarif) { expect_golden("hostile.sarif", sarif(*sample_report("hostile"))); }
TEST(Golden, GithubAnnotations) { expect_golden("hostile.github", github_annotations(*sample_report("hostile"))); }
TEST(Golden, MarkdownOfManyRuns) { expect_golden("nights.md", markdown(*sample_report("nights"))); }

}  // namespace
}  // namespace tieout
