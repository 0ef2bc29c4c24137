#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "cases/contents.h"
#include "cases/testing/parsed.h"
#include "cases/text/case_text.h"
#include "oracle/engines/engine_model.h"
#include "oracle/hypotheses/hypothesis.h"

namespace tieout {
namespace {

using testing::HasSubstr;
using testing::Not;

using nlohmann::json;

int first(const Hypothesis& hypothesis, const ConvProblem& p) { return evaluate(hypothesis, p).values.front(); }

TEST(Hypotheses, AreFoundByTheirNames) {
  std::set<std::string_view> names;
  for (const Hypothesis& h : hypotheses()) {
    EXPECT_TRUE(names.insert(h.name).second) << h.name;
    EXPECT_THAT(h.name, Not(HasSubstr(" ")));
    EXPECT_FALSE(h.claim.empty() || h.source.empty()) << h.name;
    EXPECT_EQ(find_hypothesis(h.name), &h);
  }
  EXPECT_EQ(find_hypothesis("integer"), nullptr);
}

// x86 follows another hypothesis case by case, so that the reference data have no formula for it.
std::string formula_of(const Hypothesis& h, const ConvCase& c) {
  if (h.name != "x86") return std::string(h.name);
  const Hardware vnni{.avx512 = true, .avx512_vnni = true};
  if (x86_picks(c, vnni) == Engine::onednn) return "onednn";
  return fbgemm_path(c, vnni) == FbgemmPath::depthwise ? "integer_depthwise" : "integer_float32";
}

// oracle/testdata/make_hypotheses.py evaluated the formulas in exact fractions that are rounded by definition. For
// every hypothesis, some cases differ from integer_float32.
TEST(Hypotheses, EqualTheRecordedValues) {
  std::set<std::string> told;
  for (const json& entry : json::parse(std::ifstream(TIEOUT_SOURCE_DIR "/oracle/testdata/hypotheses.json"))) {
    const ConvProblem p = parse_problem(entry["case"].get<std::string>());
    for (const Hypothesis& h : hypotheses()) {
      const json& but = entry["but"];
      const auto found = but.find(formula_of(h, p.spec));
      if (found != but.end()) told.insert(found.key());
      EXPECT_EQ(first(h, p), found != but.end() ? found->get<int>() : entry["y"].get<int>())
          << h.name << ": " << entry["case"];
    }
  }
  EXPECT_EQ(told.size() + 2, hypotheses().size());  // all except integer_float32 and x86
}

// A window that holds sums only gives the same result where the products do not matter, and another one somewhere for
// each hypothesis to which they do.
TEST(Hypotheses, ReadWhatTheyState) {
  std::set<std::string_view> differs;
  for (const json& entry : json::parse(std::ifstream(TIEOUT_SOURCE_DIR "/oracle/testdata/hypotheses.json"))) {
    const ConvProblem p = parse_problem(entry["case"].get<std::string>());
    Window window;
    gather(p, 0, window);
    Window sums;
    describe(p.spec, 0, sums);
    sums.xz = sums.wz = 0;
    sums.products = window.exact_sum();
    for (const Hypothesis& h : hypotheses()) {
      const bool same = h.evaluate(window, nullptr) == h.evaluate(sums, nullptr);
      EXPECT_TRUE(same || h.reads == Hypothesis::Reads::products) << h.name << ": " << entry["case"];
      if (!same) differs.insert(h.name);
    }
  }
  for (const Hypothesis& h : hypotheses()) EXPECT_EQ(differs.contains(h.name), h.reads == Hypothesis::Reads::products);
}

struct DecidingCase {
  const char* hypothesis;
  const char* line;
  int value, integer_float32;
};

// For each hypothesis, inputs on which it differs from FBGEMM, or from similar hypotheses.
TEST(Hypotheses, DecidingInputs) {
  constexpr const char* kHalf = "conv1d ws=0.5 oz=1 x=[1] w=[1]";               // 0.5
  constexpr const char* kMinusHalf = "conv1d ws=0.5 oz=20 x=[1] w=[-1]";        // -0.5
  constexpr const char* kOneAndHalf = "conv1d ws=0.5 x=[3] w=[1]";              // 1.5
  constexpr const char* kMinusOneAndHalf = "conv1d ws=0.5 oz=20 x=[3] w=[-1]";  // -1.5
  constexpr const char* kOrder = "conv1d xs=0.05 ws=0.005 os=0.005 x=[23] w=[30]";
  constexpr const char* kPairs = "conv1d in_channels=2 os=512 x=[2*255] w=[2*127]";
  constexpr const char* kHuge = "conv1d xs=1000 ws=1000 oz=20 relu x=[255] w=[127]";  // beyond int32
  constexpr const char* kBiasTie = "conv1d bias=[2.5] os=0.5 x=[0] w=[0]";
  const DecidingCase table[] = {
      {"integer_int16_pairs", kPairs, 64, 127},
      {"int16_saturating", kPairs, 64, 127},
      {"int16_wrapping", kPairs, 0, 127},  // -766
      {"manual_output_1", "conv1d xs=0.1 ws=0.01 os=0.03 x=[3] w=[45]", 5, 4},
      {"manual_output_2", "conv1d xs=0.1 ws=0.1 os=0.7 x=[1] w=[35]", 0, 1},
      {"integer_exact", "conv1d xs=0.1 ws=0.01 os=0.1 x=[1] w=[50]", 0, 1},
      {"integer_exact_float64_scales", "conv1d xs=0.1 ws=0.1 os=0.1 x=[1] w=[65]", 7, 7},
      {"integer_float64", kOrder, 34, 35},
      {"multiplier_weight_over_output", kOrder, 34, 35},
      {"multiplier_float64", kOrder, 34, 35},
      {"zero_point_first", kHalf, 2, 1},
      {"onednn", kHalf, 2, 1},
      {"qnnpack", kHalf, 1, 1},
      {"round_half_away", kHalf, 2, 1},
      {"round_half_up", kHalf, 2, 1},
      {"round_half_down", kHalf, 1, 1},
      {"round_toward_zero", kHalf, 1, 1},
      {"round_half_away", kMinusHalf, 19, 20},
      {"round_half_up", kMinusHalf, 20, 20},
      {"round_half_down", kMinusHalf, 19, 20},
      {"round_down", kMinusHalf, 19, 20},
      {"round_half_down", kOneAndHalf, 1, 2},
      {"round_toward_zero", kOneAndHalf, 1, 2},
      {"round_half_up", kMinusOneAndHalf, 19, 18},
      {"round_toward_zero", kMinusOneAndHalf, 19, 18},
      // 0.49999997 + 0.5 is 1 in float32: floor(v + 0.5), computed by an addition, would give 1.
      {"round_half_up", "conv1d os=2 x=[0] w=[0] bias=[0.99999994]", 0, 0},
      {"tflite", "conv1d ws=0.25 x=[2] w=[1]", 1, 0},
      {"tflite", "conv1d ws=0.25 oz=20 x=[2] w=[-1]", 19, 20},
      {"tflite_single_rounding", "conv1d ws=0.25 oz=20 x=[2] w=[-1]", 20, 20},
      {"xnnpack_rndnu", "conv1d ws=0.25 x=[2] w=[1]", 1, 0},
      {"xnnpack", "conv1d ws=0.25 x=[2] w=[1]", 0, 0},
      {"xnnpack_rndnu", "conv1d ws=0.25 oz=20 x=[2] w=[-1]", 20, 20},
      {"tvm", "conv1d ws=0.25 x=[2] w=[1]", 1, 0},
      {"tvm", "conv1d ws=0.25 oz=20 x=[2] w=[-1]", 20, 20},
      {"tvm_to_nearest", "conv1d ws=0.25 oz=20 x=[2] w=[-1]", 19, 20},
      {"xnnpack", kBiasTie, 6, 5},
      {"tflite", kBiasTie, 6, 5},
      {"onnxruntime", kBiasTie, 4, 5},
      {"xnnpack", kHuge, 255, 20},
      {"ncnn", kHuge, 20, 20},  // INT32_MIN, as FBGEMM
      {"ncnn", "conv1d os=2 x=[1] w=[1]", 1, 0},
      {"ncnn", "conv1d x=[200] w=[1]", 127, 200},
      {"ncnn", "conv1d oz=128 x=[200] w=[-1]", 1, 0},
      {"tensorrt", kHuge, 255, 20},
      {"tensorrt", "conv1d xs=0.3 ws=0.01 os=0.3 bias=[0.45] x=[20] w=[10]", 3, 4},
      {"bias_after_scaling", "conv1d xs=0.3 ws=0.01 os=0.3 bias=[0.45] x=[20] w=[10]", 4, 4},
      {"tvm", "conv1d xs=0.01 ws=0.1 os=0.1 x=[10] w=[5]", 1, 1},
      {"tflite_single_rounding", "conv1d xs=0.01 ws=0.1 os=0.1 x=[10] w=[5]", 0, 1},
      // The bias is 0.49 of a unit of the sum, which the int32 bias loses.
      {"bias_int32", "conv1d os=0.01 bias=[0.49] x=[0] w=[0]", 0, 49},
      {"bias_int32", "conv1d bias=[1.5] x=[1] w=[1]", 3, 2},
      {"bias_int32_half_away", "conv1d bias=[2.5] os=0.5 x=[0] w=[0]", 6, 5},
      {"bias_int32_truncated", "conv1d bias=[2.75] os=0.25 x=[0] w=[0]", 8, 11},
      {"onnxruntime", "conv1d os=0.01 bias=[0.49] x=[0] w=[0]", 0, 49},
      {"relu_at_zero", "conv1d oz=20 relu x=[5] w=[-1]", 15, 20},
      {"relu_first", kHuge, 0, 20},
      {"onnxruntime", kHuge, 255, 20},
      {"onednn", kHuge, 255, 20},
  };
  for (const DecidingCase& d : table) {
    const ConvProblem p = parse_problem(d.line);
    EXPECT_EQ(first(*find_hypothesis(d.hypothesis), p), d.value) << d.hypothesis << ": " << d.line;
    EXPECT_EQ(first(*find_hypothesis("integer_float32"), p), d.integer_float32) << d.line;
  }
}

// An answer that TensorFlow Lite gave, tensorflow#102943: -120 as int8. It came through XNNPACK; TensorFlow Lite's own
// fixed-point code gives -119. The accumulator is 585, the zero point -126.
TEST(Hypotheses, TensorFlowLitesAnswerIsThatOfXnnpack) {
  const ConvProblem p = parse_problem(
      "conv1d xs=0.05296124517917633 ws=[0.024093778803944588] os=0.11484327912330627 oz=2 x=[195] w=[3]");
  const std::map<std::string_view, int> int8_answers{
      {"xnnpack", -120}, {"onnxruntime", -120}, {"tflite", -119}, {"tflite_single_rounding", -119}, {"gemmlowp", -119}};
  for (const auto& [name, answer] : int8_answers) EXPECT_EQ(first(*find_hypothesis(name), p) - 128, answer) << name;
}

// The zero point of an int8 output is 128 lower where it is added in float32: 0.5000001 + 128 is 128.5 in float32, a
// tie, and 0.5000001 + 0 is not.
TEST(Hypotheses, Int8OutputsAddTheStoredZeroPoint) {
  const ConvProblem p = parse_problem("conv1d os=1.9999995 oz=128 x=[1] w=[1]");
  Window window;
  gather(p, 0, window);
  for (const char* name : {"zero_point_first", "onednn", "onednn_output_scale", "x86"}) {
    window.output_shift = 0;
    EXPECT_EQ(find_hypothesis(name)->evaluate(window, nullptr), 128) << name;
    window.output_shift = 128;
    EXPECT_EQ(find_hypothesis(name)->evaluate(window, nullptr), 129) << name;
  }
}

// A multiplier given as integers takes the place of the one from the scales.
TEST(Hypotheses, FixedPointMultipliersCanBeGiven) {
  const ConvProblem p = parse_problem("conv1d oz=100 x=[2] w=[-1]");
  Window window;
  gather(p, 0, window);
  const std::map<std::string_view, int> of_minus_half{
      {"gemmlowp", 99},       {"tflite", 99}, {"tflite_single_rounding", 100},
      {"xnnpack_rndnu", 100}, {"tvm", 100},   {"tvm_to_nearest", 99}};
  for (const auto& [name, answer] : of_minus_half) {
    window.multiplier.reset();
    EXPECT_EQ(find_hypothesis(name)->evaluate(window, nullptr), 98) << name;
    window.multiplier = {1 << 30, -1};
    EXPECT_EQ(find_hypothesis(name)->evaluate(window, nullptr), answer) << name;
  }
}

const char* const kExtremes[] = {
    "conv1d xs=3e38 ws=3e38 os=1.2e-38 bias=[3e38] x=[255] w=[127]",
    "conv1d xs=1.2e-38 ws=1.2e-38 os=3e38 bias=[-1e-45] oz=255 relu x=[255] w=[-128]",
    "conv1d xs=1.2e-38 ws=[1.2e-38] wz=[-128] os=1.2e-38 bias=[inf] x=[0] w=[127] xz=255",
    "conv1d xs=3e38 ws=1 os=3e38 bias=[-inf] oz=7 x=[1] w=[0]",
    "conv1d xs=3e38 ws=[3e38] os=1 bias=[inf] relu x=[1] w=[-1]",
    "conv1d in_channels=70000 xs=1 ws=1 os=1e9 x=[70000*255] w=[70000*127]",
    "conv1d kernel=3 padding=5 input=1 xz=9 wz=3 w=[1,-2,3] x=[200] bias=[0.5]",
};

// The address and undefined behaviour sanitizers check this test in particular.
TEST(Hypotheses, AnswerEveryValidCase) {
  for (const char* line : kExtremes) {
    const ConvProblem p = parse_problem(line);
    for (const Hypothesis& h : hypotheses()) EXPECT_FALSE(evaluate(h, p).values.empty()) << h.name;
  }
  EXPECT_TRUE(evaluate(hypotheses().front(), parse_problem("conv1d batch=0")).values.empty());
}

// Values that are not rounded are exact, however large.
TEST(Hypotheses, IntegerExactHasNoRounding) {
  EXPECT_EQ(first(*find_hypothesis("integer_exact"), parse_problem(kExtremes[0])), 255);
  EXPECT_EQ(first(*find_hypothesis("integer_exact"), parse_problem(kExtremes[1])), 255);
  EXPECT_EQ(first(*find_hypothesis("integer_exact"), parse_problem(kExtremes[2])), 255);
  EXPECT_EQ(first(*find_hypothesis("integer_exact"), parse_problem(kExtremes[3])), 0);
  EXPECT_EQ(first(*find_hypothesis("integer_exact"), parse_problem(kExtremes[5])), 2);  // 2266950000 wraps in int32
  EXPECT_EQ(first(*find_hypothesis("integer_float32"), parse_problem(kExtremes[5])), 0);
}

TEST(Hypotheses, TracesEndWithTheResult) {
  for (const char* line : kExtremes) {
    const ConvProblem p = parse_problem(line);
    Window window;
    gather(p, 0, window);
    for (const Hypothesis& h : hypotheses()) {
      Trace trace;
      const std::uint8_t y = h.evaluate(window, &trace);
      ASSERT_FALSE(trace.steps().empty()) << h.name;
      EXPECT_EQ(trace.steps().front().name == "accumulator" || trace.steps().front().name == "lost in pairs", true);
      EXPECT_EQ(trace.steps().back().name, "result") << h.name;
      EXPECT_EQ(trace.steps().back().value, y) << h.name << ": " << line;
      EXPECT_EQ(h.evaluate(window, nullptr), y) << h.name;
      const auto has = [&](std::string_view name) {
        return std::any_of(trace.steps().begin(), trace.steps().end(), [&](const Step& s) { return s.name == name; });
      };
      for (const char* name : {"accumulator", "rounded"}) EXPECT_TRUE(has(name)) << h.name << " " << name;
      EXPECT_EQ(has("bias"), window.bias.has_value() || h.name == "qnnpack") << h.name;
    }
  }
}

}  // namespace
}  // namespace tieout
