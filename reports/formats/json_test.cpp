// formats_test.py validates the JSON by its schema; these are the other tests.

#include "reports/formats/json.h"

#include <gtest/gtest.h>

#include <bit>
#include <limits>
#include <nlohmann/json.hpp>

#include "reports/samples/sample_report.h"

namespace tieout {
namespace {

TEST(Json, KeepsEveryBitOfSeedsAndFloats) {
  Report report = *sample_report("hostile");
  report.runs.front().seed = std::numeric_limits<std::uint64_t>::max();
  auto& elements = report.findings.front().finding.elements;
  elements.resize(4);
  elements[0].scaled = 0.1F;
  elements[1].scaled = std::numeric_limits<float>::denorm_min();
  elements[2].scaled = -std::numeric_limits<float>::infinity();
  elements[3].scaled = std::numeric_limits<float>::quiet_NaN();
  const auto document = nlohmann::json::parse(json(report));
  EXPECT_EQ(document["runs"][0]["seed"], "18446744073709551615");
  const auto& written = document["findings"][0]["elements"];
  EXPECT_EQ(std::bit_cast<std::uint32_t>(written[0]["scaled"].get<float>()), std::bit_cast<std::uint32_t>(0.1F));
  EXPECT_EQ(written[1]["scaled"].get<float>(), std::numeric_limits<float>::denorm_min());
  EXPECT_EQ(written[2]["scaled"], "-inf");
  EXPECT_EQ(written[3]["scaled"], "nan");
}

// One of two runs has a cause that the other lacks; the total has the sums.
TEST(Json, CountsDeparturesOfEachRunAndInAll) {
  Report report = *sample_report("equal");
  RunSummary second = report.runs.front();
  second.accepted_deviations = {{"adds the bias with one rounding", 5}};
  const auto document = nlohmann::json::parse(json(make_report({report.runs.front(), second})));
  const std::string pairs = "FBGEMM saturates pairs of products in 16 bits; that depends on the CPU";
  const nlohmann::json expected = {{"name", pairs}, {"cases", 310}, {"elements", 4127}};
  EXPECT_EQ(document["runs"][0]["departures"][0], expected);
  EXPECT_EQ(document["runs"][1]["departures"][0], expected);
  const nlohmann::json sum = {{"name", pairs}, {"cases", 620}, {"elements", 8254}};
  EXPECT_EQ(document["total"]["departures"][0], sum);
  ASSERT_EQ(document["total"]["excused"].size(), 2U);
  EXPECT_EQ(document["total"]["excused"][0]["name"], "adds the bias with one rounding");
  EXPECT_EQ(document["total"]["excused"][0]["count"], 5);
  EXPECT_EQ(document["total"]["excused"][1]["count"], 95);
  EXPECT_EQ(nlohmann::json::parse(json(*sample_report("unverified")))["total"]["departures"], nlohmann::json::array());
}

TEST(Json, HasTheLayersAndOperatorsOfAModel) {
  EXPECT_FALSE(nlohmann::json::parse(json(*sample_report("equal"))).contains("model"));
  const auto model = nlohmann::json::parse(json(*sample_report("model")))["model"];
  const auto& layer = model["layers"][0];
  EXPECT_EQ(layer["differing"][1]["name"], "qnnpack");
  EXPECT_EQ(layer["differing"][1]["elements"], 17);
  EXPECT_EQ(layer["differing"][1]["classes"][0]["name"], "rounding");
  EXPECT_EQ(layer["forecasts"][0]["elements"], 3);
  const auto& add = model["operators"][0];
  EXPECT_EQ(add["inputs"], nlohmann::json::parse("[[1, 8, 4, 4], [4]]"));
  EXPECT_EQ(add["prediction"], nlohmann::json::parse(R"({"elements": 0, "largest": 0})"));
  EXPECT_EQ(add["specification"]["first"], nlohmann::json::parse(R"({"offset": 4, "expected": 7, "actual": 8})"));
  EXPECT_EQ(add["with_threads"][0]["threads"], 2);
  EXPECT_EQ(add["with_threads"][0]["elements"], 5);
}

TEST(Json, HasTheExitStatus) {
  EXPECT_EQ(nlohmann::json::parse(json(*sample_report("nights")))["exit_status"], 1);
  EXPECT_EQ(nlohmann::json::parse(json(*sample_report("equal")))["exit_status"], 0);
  EXPECT_EQ(nlohmann::json::parse(json(*sample_report("unverified")))["exit_status"], 3);
}

}  // namespace
}  // namespace tieout
