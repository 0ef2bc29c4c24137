#include "reports/records/finding_json.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

namespace tieout {
namespace {

// Returns a finding in which every member has its own value.
Finding full() {
  return {.case_line = "conv2d out_channels=2 x=[1] w=[50,1]",
          .original_line = "conv2d out_channels=2 x=uniform",
          .expected_name = "fbgemm",
          .actual_name = "libmine.so",
          .expected = {{1, 2, 1, 1}, {0, 255}},
          .actual = {{1, 2, 1, 1}, {1, 254}},
          .elements = {{.offset = 0, .expected = 0, .actual = 1, .accumulator = INT64_MIN, .scaled = 0.1F},
                       {.offset = 1, .expected = 255, .actual = 254, .accumulator = INT64_MAX, .scaled = -0.0F}},
          .mismatch_class = "tie",
          .derivation = "ties are rounded up",
          .explained = 1,
          .failure = {},
          .undescribed = {},
          .cell = {.engine = "e", .isa = "i", .path = "p", .granularity = "g", .bias = "b"},
          .index = INT64_MIN,
          .drawn_kind = "rounding",
          .explanation = "step by step\n",
          .subject = "./libmine.so",
          .reference = "./its.so",
          .before = {"conv2d", "conv1d"},
          .cause = "rounding: roundf(s)",
          .condition = "K >= 9"};
}

std::uint32_t bits(float value) { return std::bit_cast<std::uint32_t>(value); }

TEST(FindingJson, ReadsBackEveryMember) { EXPECT_EQ(finding_from_json(to_json(full())).value(), full()); }

TEST(FindingJson, ReadsBackEveryFloat) {
  using Limits = std::numeric_limits<float>;
  for (const float value : {0.0F, -0.0F, 0.1F, 1.0F / 3, 16777217.0F, Limits::denorm_min(), -Limits::denorm_min(),
                            Limits::min(), Limits::max(), Limits::lowest(), Limits::infinity(), -Limits::infinity()}) {
    Finding finding = full();
    finding.elements.front().scaled = value;
    const auto read = finding_from_json(to_json(finding));
    ASSERT_TRUE(read) << value << ": " << read.error();
    EXPECT_EQ(bits(read->elements.front().scaled), bits(value)) << value;
  }
  Finding finding = full();
  finding.elements.front().scaled = -Limits::quiet_NaN();
  EXPECT_TRUE(std::isnan(finding_from_json(to_json(finding)).value().elements.front().scaled));
}

TEST(FindingJson, ReadsBackAFindingWithoutTensors) {
  Finding finding = full();
  finding.subject.clear();
  finding.cause.clear();
  finding.condition.clear();
  finding.expected = finding.actual = {};
  finding.elements.clear();
  finding.explained = 0;
  EXPECT_EQ(finding_from_json(to_json(finding)).value(), finding);
  finding.failure = "died: SIGSEGV";
  EXPECT_EQ(finding_from_json(to_json(finding)).value(), finding);
  finding.failure.clear();
  finding.undescribed = "the run was stopped before";
  EXPECT_EQ(finding_from_json(to_json(finding)).value(), finding);
  EXPECT_EQ(kind_of(finding), "tie");
}

TEST(FindingJson, InvalidUtf8IsReplaced) {
  Finding finding = full();
  finding.explanation = "a\xFF\x1B";
  EXPECT_EQ(finding_from_json(to_json(finding)).value().explanation, "a\xEF\xBF\xBD\x1B");
}

// Numbers that a conversion would truncate, shapes that overflow and elements outside of the tensor are errors that
// name the member.
TEST(FindingJson, RefusesInconsistentData) {
  using Json = nlohmann::json;
  const struct {
    const char* place;
    Json value;
  } kWrong[] = {{"/case_line", 7},
                {"/case_line", nullptr},
                {"/explained", -1},
                {"/explained", 3},
                {"/explained", 1e300},
                {"/index", 0.5},
                {"/index", 18446744073709551615U},
                {"/cell", "none"},
                {"/cell/bias", 1},
                {"/failure", "died: with tensors"},
                {"/undescribed", "although it has tensors"},
                {"/expected", Json::array()},
                {"/expected/shape", {1, 1, 1, 1}},
                {"/expected/shape", {1, 2, 1, 0}},
                {"/expected/shape", {1, 2, -1, -1}},
                {"/expected/shape", {1, 2, 1}},
                {"/expected/shape", Json::array()},
                {"/expected/shape", {std::int64_t{1} << 62, 2, 2}},
                {"/expected/shape", {4294967297, 4294967296, 2}},
                {"/expected/shape", std::vector<int>(1000, 1)},
                {"/expected/shape/1", 2.0},
                {"/expected/values", {0}},
                {"/expected/values", {0, 255, 0}},
                {"/expected/values/0", 256},
                {"/expected/values/0", -1},
                {"/actual/values/1", "254"},
                {"/actual", {{"shape", Json::array()}, {"values", Json::array()}}},
                {"/before", "conv2d"},
                {"/before/0", 1},
                {"/elements", nullptr},
                {"/elements/0/offset", -1},
                {"/elements/0/offset", 1},
                {"/elements/1/offset", 2},
                {"/elements/1/offset", INT64_MAX},
                {"/elements/0/expected", 5},
                {"/elements/0/accumulator", 9223372036854775808U},
                {"/elements/0/scaled", nullptr},
                {"/elements/0/scaled", "infinity"},
                {"/elements/0/scaled", 1e39}};
  for (const auto& [place, value] : kWrong) {
    Json json = Json::parse(to_json(full()));
    json[Json::json_pointer(place)] = value;
    const auto read = finding_from_json(json.dump());
    EXPECT_FALSE(read) << place << " = " << value;
    EXPECT_LT(read ? 0U : read.error().size(), 200U) << place;
  }
  EXPECT_FALSE(finding_from_json(""));
  EXPECT_FALSE(finding_from_json("[]"));
  EXPECT_FALSE(finding_from_json(std::string(100'000, '[')));
}

}  // namespace
}  // namespace tieout
