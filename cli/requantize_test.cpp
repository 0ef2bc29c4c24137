// Tests `tieout requantize` as a user runs it.

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "cli/testing/test_command.h"

namespace tieout {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

// Returns the answer of each hypothesis to the first sum.
std::map<std::string, int> answers(const std::string& arguments) {
  const Outcome o = run("requantize " + arguments + " --json -", Streams::output);
  EXPECT_EQ(o.status, 0) << arguments;
  std::map<std::string, int> by_name;
  const nlohmann::json report = nlohmann::json::parse(o.output);
  for (const nlohmann::json& equal : report["sums"][0]["answers"]) {
    for (const nlohmann::json& name : equal["hypotheses"])
      by_name[name.get<std::string>()] = equal["answer"].get<int>();
  }
  return by_name;
}

constexpr const char* kReported = "xs=0.05296124517917633 ws=0.024093778803944588 os=0.11484327912330627 oz=-126";

// tensorflow#102943: TensorFlow Lite answered -120, which its own fixed-point code does not give.
TEST(Requantize, AnAnswerOfTensorFlowLiteIsThatOfXnnpack) {
  const auto by_name = answers("585 --type int8 " + std::string(kReported));
  EXPECT_EQ(by_name.at("xnnpack"), -120);
  EXPECT_EQ(by_name.at("onnxruntime"), -120);
  EXPECT_EQ(by_name.at("integer_float32"), -120);
  EXPECT_EQ(by_name.at("tflite"), -119);
  EXPECT_EQ(by_name.at("tflite_single_rounding"), -119);
  EXPECT_EQ(by_name.count("manual_output_1"), 0U);
  // The same as uint8, 128 higher.
  std::string uint8 = kReported;
  uint8.replace(uint8.find("oz=-126"), 7, "oz=2");
  const auto as_uint8 = answers("585 " + uint8);
  for (const auto& [name, answer] : by_name) {
    EXPECT_EQ(as_uint8.at(name), answer + 128) << name;
  }
}

TEST(Requantize, AnswersAreGroupedAndNamed) {
  const Outcome o = run("requantize 2 -2 ws=0.25 oz=3", Streams::output);
  EXPECT_EQ(o.status, 0);
  EXPECT_THAT(o.output,
              AllOf(HasSubstr("accumulator 2: 0.5 output steps, before rounding and zero point\n     3  "),
                    HasSubstr("\n     4  "), HasSubstr("accumulator -2: -0.5 output steps"), HasSubstr("\n     2  ")));
  std::size_t longest = 0;
  for (std::size_t at = 0, end = 0; end != std::string::npos; at = end + 1) {
    end = o.output.find('\n', at);
    longest = std::max(longest, std::min(end, o.output.size()) - at);
  }
  EXPECT_LE(longest, 80U) << o.output;
}

// The multiplier 1/4 as integers: -0.5 is rounded away from zero by two roundings, up by one.
TEST(Requantize, MultiplierAndShiftAreThoseOfFixedPoint) {
  const auto by_name = answers("-2 oz=3 --multiplier 1073741824 --shift -1");
  EXPECT_EQ(by_name.at("tflite"), 2);
  EXPECT_EQ(by_name.at("tvm_to_nearest"), 2);
  EXPECT_EQ(by_name.at("tflite_single_rounding"), 3);
  EXPECT_EQ(by_name.at("tvm"), 3);
  EXPECT_EQ(by_name.at("integer_float32"), 3);
  // 0.5 - 2^-31 lies below a tie; as float32 it is one.
  const auto below = answers("3 --multiplier 2147483647 --shift -1");
  EXPECT_EQ(below.at("tflite_single_rounding"), 1);
  EXPECT_EQ(below.at("tflite"), 2);
  EXPECT_EQ(below.at("xnnpack"), 2);
  EXPECT_EQ(below.at("integer_exact_float64_scales"), 1);
}

TEST(Requantize, BiasAndReluAreThoseOfACaseLine) {
  const auto by_name = answers("-5 oz=-100 bias=2.5 os=0.5 relu --type int8");
  EXPECT_EQ(by_name.at("integer_float32"), -100);
  EXPECT_EQ(answers("'0 bias=2.5 os=0.5'").at("xnnpack"), 6);
  EXPECT_EQ(answers("0 bias=[2.5] os=0.5").at("onnxruntime"), 4);
}

TEST(Requantize, StepsArePrintedOnDemand) {
  const std::string line = "requantize 585 --type int8 " + std::string(kReported);
  EXPECT_THAT(run(line, Streams::output).output, Not(HasSubstr("rounded")));
  const Outcome o = run(line + " --steps xnnpack tflite zero_point_first", Streams::output);
  EXPECT_EQ(o.status, 0);
  EXPECT_THAT(
      o.output,
      AllOf(HasSubstr("\nstep                         xnnpack                 tflite\n"), HasSubstr("\nhigh product"),
            HasSubstr("with zero point                 -120                   -119\n"), HasSubstr("-119.5")))
      << o.output;
  EXPECT_THAT(o.output, HasSubstr("\nxnnpack: int32 bias as TensorFlow Lite stores it, requantized in float32,"));
  EXPECT_THAT(run(line + " --steps all", Streams::output).output, HasSubstr("tvm_to_nearest"));
  // The option takes every argument that follows it.
  const std::string first = run("requantize 7 xs=0.5 relu oz=3 --steps tflite", Streams::output).output;
  EXPECT_EQ(run("requantize --steps tflite 7 xs=0.5 relu oz=3", Streams::output).output, first);
}

TEST(Requantize, BadInputSaysWhatToWrite) {
  const auto refused = [](const std::string& arguments, const std::string& why) {
    const Outcome o = run("requantize " + arguments);
    EXPECT_EQ(o.status, 2) << o.output;
    EXPECT_THAT(o.output, HasSubstr(why));
  };
  refused("", "word is required");
  refused("xs=1", "accumulator: name at least one sum, as in tieout requantize 585 ");
  refused("585", "xs: name the scales, xs=0.05 ws=0.02 os=0.1, or --multiplier and --shift");
  refused("585.5 xs=1", "accumulator: must be a whole number -2147483648..2147483647, is '585.5'");
  refused("3000000000 xs=1", "accumulator: must be a whole number");
  refused("1 xs=1 oz=-1", "oz: must be a whole number 0..255, is '-1'; --type int8 takes -128..127");
  refused("1 xs=1 oz=128 --type int8", "oz: must be a whole number -128..127, is '128'");
  refused("1 xs=1 xz=3", "xz: leave it out");
  refused("1 xs=1 ytype=int8", "ytype: write --type int8");
  refused("1 xs=1 int32_bias=[3]", "int32_bias: leave it out, and add it to the accumulator");
  refused("1 xs=1 relu6", "relu6: write relu: the upper end");
  refused("1 xs=0", "xs: must be");
  refused("1 xs=1 kernel=3", "kernel: is not known here: the words are xs, ws, os, oz, bias and relu");
  refused("1 --multiplier 5", "--multiplier requires --shift");
  refused("1 xs=1 --multiplier 5 --shift 1", "xs: leave it out");
  refused("1 bias=1 --multiplier 5 --shift 1", "add an int32 bias to the accumulator");
  refused("1 --multiplier 5 --shift 31", "--shift: must be a whole number -31..30, is '31'; it is the exponent");
  refused("1 --multiplier 0.5 --shift 0", "is '0.5'; a real multiplier is written xs=0.0123");
  refused("1 multiplier=0.5", "multiplier: write --multiplier and a whole number");
  refused("1 xs=1 --steps nothing", "--steps: there is no hypothesis 'nothing'");
  refused("1 xs=1 --steps int16_wrapping", "--steps: int16_wrapping depends on the products of the sum");
  refused("1 xs=1 --type int4", "--type: int4 not in {uint8,int8}");
}

}  // namespace
}  // namespace tieout
