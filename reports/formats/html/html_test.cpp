// Tests the text of the page and its payload. html_browser_test.py tests how the page looks and behaves.

#include "reports/formats/html/html.h"

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <nlohmann/json.hpp>

#include "reports/formats/finding_text.h"
#include "reports/formats/html/html_payload.h"
#include "reports/samples/sample_report.h"
#include "reports/text/escape.h"

namespace tieout {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string bytes_of(const std::string& base64_text) {
  const auto value = [](char c) -> unsigned {
    for (unsigned v = 0; v < 64; ++v) {
      if (base64(std::string(3, static_cast<char>(v << 2U)))[0] == c) return v;
    }
    return 0;
  };
  std::string bytes;
  unsigned bits = 0;
  int count = 0;
  for (const char c : base64_text) {
    if (c == '=') break;
    bits = bits << 6U | value(c);
    count += 6;
    if (count >= 8) {
      count -= 8;
      bytes += static_cast<char>(bits >> static_cast<unsigned>(count) & 0xFFU);
    }
  }
  return bytes;
}

nlohmann::json unpacked(const std::string& packed) {
  const std::string bytes = bytes_of(packed);
  std::string text(1U << 20U, '\0');
  uLongf size = text.size();
  EXPECT_EQ(uncompress(reinterpret_cast<Bytef*>(text.data()), &size, reinterpret_cast<const Bytef*>(bytes.data()),
                       bytes.size()),
            Z_OK);
  text.resize(size);
  return nlohmann::json::parse(text);
}

TEST(Html, IsTheSameForTheSameReport) { EXPECT_EQ(html(*sample_report("nights")), html(*sample_report("nights"))); }

TEST(Html, ContentsCannotEndAScriptOrOpenAnElement) {
  const std::string page = html(*sample_report("hostile"));
  EXPECT_THAT(page, Not(HasSubstr("<img")));
  EXPECT_THAT(page, Not(HasSubstr("href=\"javascript:")));
  std::size_t opened = 0;
  std::size_t closed = 0;
  for (std::size_t at = 0; (at = page.find("<script", at)) != std::string::npos; ++at) ++opened;
  for (std::size_t at = 0; (at = page.find("</script", at)) != std::string::npos; ++at) ++closed;
  EXPECT_EQ(opened, 3U);  // the index, one block, the script itself
  EXPECT_EQ(closed, 3U);
}

TEST(HtmlPayload, ContainsTheFindings) {
  const Report report = *sample_report("hostile");
  const HtmlPayload payload = html_payload(report);
  const nlohmann::json index = unpacked(payload.index);
  ASSERT_EQ(index.size(), 3U);
  ASSERT_EQ(payload.blocks.size(), 1U);
  const nlohmann::json block = unpacked(payload.blocks.front());
  for (std::size_t i = 0; i < 3; ++i) {
    const Finding& finding = report.findings[i].finding;
    EXPECT_EQ(index[i][0], report.findings[i].known ? "known" : "new");
    EXPECT_EQ(index[i][6], legal_text(finding.case_line));
    EXPECT_EQ(block[i]["failure"], legal_text(without_tensors_text(finding)));
    EXPECT_EQ(block[i].contains("tensors"), finding.failure.empty());
    if (!finding.failure.empty()) continue;
    const std::string expected = bytes_of(block[i]["tensors"]["expected"]);
    const std::string difference = bytes_of(block[i]["tensors"]["difference"]);
    ASSERT_EQ(expected.size(), finding.expected.values.size());
    for (std::size_t at = 0; at < expected.size(); ++at) {
      EXPECT_EQ(static_cast<std::uint8_t>(expected[at]), finding.expected.values[at]);
      EXPECT_EQ(static_cast<std::uint8_t>(expected[at] + difference[at]), finding.actual.values[at]);  // modulo 256
    }
  }
}

TEST(HtmlPayload, FindsTheFindingAfterTheFirstBlock) {
  Report report = *sample_report("hostile");
  const ReportedFinding finding = report.findings.front();
  report.findings.assign(kFindingsPerBlock + 1, finding);
  report.findings.back().finding.index = 77;
  const HtmlPayload payload = html_payload(report);
  ASSERT_EQ(payload.blocks.size(), 2U);
  EXPECT_EQ(unpacked(payload.blocks.back())[0]["index"], 77);
}

TEST(Html, TheSummaryCountsDepartures) {
  const std::string page = html(*sample_report("equal"));
  const std::string summary = page.substr(page.find("<header"), page.find("</header>") - page.find("<header"));
  for (const char* words :
       {"<p class=\"rest\">4,127 elements in 310 cases are equal to LibTorch&#39;s values but not to the exact "
        "contract&#39;s, because FBGEMM saturates pairs of products in 16 bits; that depends on the CPU.</p>",
        "<p class=\"rest\">95 cases count as equal although some values are not LibTorch&#39;s, because the subject "
        "follows exact sums where "}) {
    EXPECT_THAT(summary, HasSubstr(words)) << words << "\n" << summary;
  }
  EXPECT_THAT(html(*sample_report("nights")), Not(HasSubstr("exact contract")));
}

TEST(Html, ShowsACommentOnBothVersionsOfACause) {
  Report report = *sample_report("nights");
  report.total.causes = {{.text = "a cause", .diff = {"  // on both", "- int a;", "+ int b;"}, .cases = 1}};
  const std::string page = html(report);
  EXPECT_THAT(page, HasSubstr("// on both\nint a;"));
  EXPECT_THAT(page, HasSubstr("// on both\nint b;"));
}

TEST(Html, ShowsLayersWithTheDifferingColumns) {
  EXPECT_THAT(html(*sample_report("equal")), Not(HasSubstr("id=\"layers\"")));
  Report report = *sample_report("model");
  const std::string page = html(report);
  for (const char* words : {"href=\"#layers\"", "features.&lt;0&gt;", "<td>1x8x4x4</td>", "<td>im2col</td>",
                            "<span>qnnpack</span>", "<td class=\"heat4\">17</td>"}) {
    EXPECT_THAT(page, HasSubstr(words)) << words;
  }
  EXPECT_THAT(page, Not(HasSubstr("<span>kernel</span>")));  // the kernel differs nowhere
  report.model->layers.front().engine = "qnnpack";
  EXPECT_THAT(html(report), Not(HasSubstr("<td>im2col</td>")));
}

TEST(Html, ShowsOperatorsOfAModel) {
  Report report = *sample_report("model");
  for (const char* words : {"skip.&lt;add&gt;", "<td>quantized::add</td>",
                            "<td class=\"number\"></td><td class=\"number\">1</td><td>5 with 2</td>"}) {
    EXPECT_THAT(html(report), HasSubstr(words)) << words;
  }
  report.model->operators.clear();
  EXPECT_THAT(html(report), Not(HasSubstr("Other operators")));
}

}  // namespace
}  // namespace tieout
