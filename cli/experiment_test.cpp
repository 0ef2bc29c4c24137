// Compares the experiment with cli/testdata/document_runs.json, thirty-four runs of the document's script by python:
// every captured value of all runs, and every byte that the first eighteen printed.

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "cases/contents.h"
#include "cases/testing/parsed.h"
#include "cases/text/case_text.h"
#include "cli/testing/test_command.h"
#include "oracle/libtorch/libtorch.h"

namespace tieout {
namespace {

using testing::HasSubstr;

using nlohmann::json;

Outcome experiment(const std::string& arguments, Streams streams = Streams::output) {
  return run("experiment " + arguments, streams);
}

const json& runs() {
  static const json all = json::parse(std::ifstream(TIEOUT_SOURCE_DIR "/cli/testdata/document_runs.json"));
  return all;
}

template <typename T>
std::vector<T> from_hex_list(const json& texts) {
  std::vector<T> values;
  for (const json& text : texts) values.push_back(static_cast<T>(from_hex(text)));
  return values;
}

// Returns the case that python captured in a run.
ConvCase case_of(const json& r) {
  ConvCase c;
  c.batch = 4;
  c.input = {1, 4, 4};
  c.activation_scale = from_hex(r["input_scale"]);
  c.activation_zero_point = r["input_zero_point"];
  c.granularity = Granularity::per_channel;
  c.weight_scales = from_hex_list<double>(r["weight_scales"]);
  c.weight_zero_points = r["weight_zero_points"].get<std::vector<std::int64_t>>();
  c.output_scale = from_hex(r["output_scale"]);
  c.output_zero_point = r["output_zero_point"];
  c.bias = from_hex_list<float>(r["bias_fp32"]);
  c.relu = Relu::on;
  c.activation = {Fill::listed, r["input_int_repr"].get<std::vector<std::uint8_t>>()};
  c.weight = {Fill::listed, r["weight_int_repr"].get<std::vector<std::int8_t>>()};
  return c;
}

TEST(Experiment, CapturesTheSameCaseAsPython) {
  const auto reference = libtorch();
  ASSERT_TRUE(reference) << reference.error().message;
  ASSERT_EQ(runs().size(), 34U);
  for (const json& r : runs()) {
    SCOPED_TRACE(r["seed"].dump());
    const bool negative = r["seed"].get<double>() < 0;  // stands for 2^64 + seed
    const auto e = (*reference)
                       ->experiment(negative ? static_cast<std::uint64_t>(r["seed"].get<std::int64_t>())
                                             : r["seed"].get<std::uint64_t>());
    ASSERT_TRUE(e) << e.error().message;
    EXPECT_EQ(e->input_fp32.values, from_hex_list<float>(r["input_fp32"]));
    EXPECT_EQ(e->weight_fp32.values, from_hex_list<float>(r["weight_fp32"]));
    EXPECT_EQ(print(e->problem.spec), print(case_of(r)));
    EXPECT_EQ(e->problem, with_contents(case_of(r)));
    EXPECT_EQ(e->conv_output.values, r["output_int_repr"].get<std::vector<std::uint8_t>>());
  }
}

TEST(Experiment, PrintsTheSameTextAsPython) {
  for (std::size_t i = 0; i < 18; ++i) {  // each run needs a process; these suffice
    const json& r = runs()[i];
    const Outcome o = experiment("--seed " + r["seed"].dump());
    EXPECT_EQ(o.output, r["stdout"].get<std::string>()) << r["seed"];
    EXPECT_EQ(o.status, 0) << r["seed"];
  }
}

TEST(Experiment, DetailsFollowAndTheirCaseReplays) {
  const json& r = runs()[1];
  const auto printed = r["stdout"].get<std::string>();
  const Outcome o = experiment("--seed 1 --details");
  EXPECT_EQ(o.status, 0);
  ASSERT_TRUE(o.output.starts_with(printed));
  const std::string details = o.output.substr(printed.size());
  EXPECT_THAT(details, HasSubstr("scalar kernel and conv_outputs: 0 of 64 elements differ, largest difference 0\n"));
  const std::size_t line = details.find("case: ") + 6;
  const auto c = parse(details.substr(line, details.find('\n', line) - line));
  ASSERT_TRUE(c) << details;
  EXPECT_EQ(*c, case_of(r));
}

// The script's own set-up can distinguish the operator from the hypotheses, but rarely: once in thousands of seeds a
// value exceeds 255, where only the operator clamps, or a float64 falls on the other side of a tie.
TEST(Experiment, SomeSeedsDistinguishTheHypotheses) {
  const std::string clamped = experiment("--seed 8650 --details").output;
  EXPECT_THAT(clamped, HasSubstr("manual_output_1 and conv_outputs differ by: 369.0\n"));
  EXPECT_THAT(clamped,
              HasSubstr("manual_output_2 and conv_outputs: 1 of 64 elements differ, largest difference 369\n"));
  EXPECT_THAT(clamped, HasSubstr("manual_output_2, clamped to 0..255, and conv_outputs: 0 of 64"));
  const std::string rounded = experiment("--seed 9595659807944810231 --details").output;
  EXPECT_THAT(rounded, HasSubstr("manual_output_1, clamped to 0..255, and conv_outputs: 1 of 64"));
  EXPECT_THAT(rounded, HasSubstr("manual_output_2 and conv_outputs differ by: 0.0\n"));
}

TEST(Experiment, ADrawnSeedGoesToStandardErrorAndReplays) {
  const Outcome both = experiment("", Streams::both);
  const std::string head = "to repeat this experiment: tieout experiment ";
  ASSERT_TRUE(both.output.starts_with(head + "--seed ")) << both.output;
  const std::size_t end = both.output.find('\n');
  const Outcome again = experiment(both.output.substr(head.size(), end - head.size()));
  EXPECT_EQ(again.output, both.output.substr(end + 1));
  EXPECT_EQ(again.status, both.status);
}

TEST(Experiment, SeedsThatPythonRefusesAreRefused) {
  for (const char* seed : {"18446744073709551616", "-9223372036854775809", "1.5", "0x10", "1e3", "' 1'"}) {
    const Outcome o = experiment("--seed " + std::string(seed), Streams::both);
    EXPECT_EQ(o.status, 2) << seed;
    EXPECT_THAT(o.output, HasSubstr("from -9223372036854775808 to 18446744073709551615"));
  }
}

}  // namespace
}  // namespace tieout
