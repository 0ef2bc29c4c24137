// Tests whole models through LibTorch. model_counts.json holds counts computed in Python with torch's float64
// convolutions.

#include "props/model/model_verify.h"

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "cases/contents.h"
#include "cases/text/case_text.h"
#include "oracle/engines/engine_model.h"
#include "reports/data/tensor_mismatches.h"

namespace tieout {
namespace {

const std::string kData = TIEOUT_SOURCE_DIR "/oracle/testdata/";

class WholeModel : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(libtorch()) << libtorch().error().message; }

  static std::unique_ptr<Model> open(const std::string& name) {
    auto model = (*libtorch())->open_model(kData + "models/" + name + ".pt", Engine::fbgemm);
    EXPECT_TRUE(model) << model.error().message;
    return model ? std::move(*model) : nullptr;
  }

  static ModelReport verified(const std::string& name, const std::string& input, const ModelOptions& options) {
    const auto model = open(name);
    const auto inputs = ModelInputs::open({kData + "models/" + input + ".pt"}, 0, *model, **libtorch());
    EXPECT_TRUE(inputs) << inputs.error().message;
    auto report = verify_model(*model, *inputs, options, **libtorch(), [](const ModelProgress&) {});
    EXPECT_TRUE(report) << report.error().message;
    return report ? std::move(*report) : ModelReport{};
  }

  static ModelOptions options(std::vector<const Hypothesis*> hypotheses, std::vector<LayerSubject> subjects = {}) {
    return {.layers = {.hypotheses = std::move(hypotheses), .subjects = std::move(subjects), .threads = 2},
            .max_findings = 2,
            .seconds_per_finding = 0.2};
  }
};

TEST_F(WholeModel, DiffersWherePythonCountsIt) {
  const auto counts = nlohmann::json::parse(std::ifstream(kData + "model_counts.json"));
  ASSERT_EQ(counts.size(), 4U);
  for (const auto& [name, layers] : counts.items()) {
    const std::string input = name == "mobilenet_v2" ? "photos_input" : name + "_input";
    const ModelReport report = verified(name + "_int8", input, options({find_hypothesis("manual_output_1")}));
    ASSERT_EQ(report.layers.size(), layers.size()) << name;
    for (std::size_t i = 0; i < layers.size(); ++i) {
      const LayerReport& layer = report.layers[i];
      EXPECT_EQ(layer.columns[0].differing, 0) << name << ' ' << layer.name;
      EXPECT_EQ(layer.columns[1].differing, layers[i][0].get<std::int64_t>()) << name << ' ' << layer.name;
      EXPECT_EQ(layer.elements, layers[i][1].get<std::int64_t>()) << name << ' ' << layer.name;
      EXPECT_EQ(layer.columns[1].largest, layers[i][2].get<int>()) << name << ' ' << layer.name;
    }
    EXPECT_EQ(exit_status(report), 0) << name;
  }
}

TEST_F(WholeModel, ALinearLayerIsALayerOfTheTable) {
  const ModelReport report = verified("digits_cnn_int8", "digits_cnn_input", options({}));
  ASSERT_EQ(report.layers.size(), 7U);
  const LayerReport& layer = report.layers.back();
  EXPECT_EQ(layer.name, "fc");
  EXPECT_EQ(layer.op, "linear");
  EXPECT_EQ(layer.geometry, "linear");
  EXPECT_EQ(layer.path, "linear");
  EXPECT_EQ(layer.output, (Shape{64, 10}));
  EXPECT_EQ(layer.columns[0].differing, 0);
  EXPECT_EQ(report.unverified.count("quantized::linear"), 0U);
}

// Each of two consecutive convolutions is followed by a ReLU in place. The captured values must be those before the
// ReLU.
TEST_F(WholeModel, ALaterOperationInPlaceDoesNotReachWhatWasCaptured) {
  const auto model = open("shared");
  const auto inputs = ModelInputs::open({kData + "models/small_input.pt"}, 0, *model, **libtorch());
  struct Seen {
    std::string name;
    ConvProblem problem;
    Tensor<std::uint8_t> answer;
  };
  std::vector<Seen> seen;
  const auto run = model->run(*inputs->read(0), {.conv = [&](CapturedConv&& captured) {
    seen.push_back({captured.name, problem_of(captured.view()), answer_of(captured)});
    return std::optional<std::vector<std::uint8_t>>{};
  }});
  ASSERT_TRUE(run) << run.error().message;
  ASSERT_EQ(seen.size(), 3U);
  EXPECT_EQ(seen[2].name, "twice");
  const auto zero_point = static_cast<std::uint8_t>(seen[2].problem.spec.output_zero_point);
  EXPECT_LT(*std::min_element(seen[2].answer.values.begin(), seen[2].answer.values.end()), zero_point);
  for (const Seen& one : seen) {
    const auto again = (*libtorch())->conv(one.problem);
    ASSERT_TRUE(again) << again.error().message;
    EXPECT_EQ(again->y, one.answer) << one.name;
  }
  EXPECT_EQ(run->unverified, (OperatorCounts{{"aten::relu_", 2}, {"quantized::add", 1}}));
  EXPECT_EQ(run->outputs.size(), 1U);
}

TEST_F(WholeModel, ASubjectsDifferencesAreCountedFoundAndFollowed) {
  // The subject is one off at every element, so that all differences must be counted.
  const LayerSubject off_by_one{"off_by_one", [](const ConvProblem& problem) {
                                  auto answer = (*libtorch())->conv(problem);
                                  if (!answer) return LayerAnswer(tl::unexpect, answer.error().message);
                                  for (std::uint8_t& y : answer->y.values) y = y == 255 ? 254 : y + 1;
                                  return LayerAnswer(as_answers(answer->y));
                                }};
  const LayerSubject silent{"silent", [](const ConvProblem&) -> LayerAnswer {
                              return tl::unexpected(std::string(kDeclined) + "everything");
                            }};
  const ModelReport report = verified("shared", "small_input", options({}, {off_by_one, silent}));
  EXPECT_EQ(exit_status(report), 1);
  ASSERT_EQ(report.layers.size(), 3U);
  for (const LayerReport& layer : report.layers) {
    EXPECT_EQ(layer.columns[0].differing, 0);
    EXPECT_EQ(layer.columns[1].differing, 4096);
    EXPECT_EQ(layer.columns[1].largest, 1);
    EXPECT_EQ(layer.columns[2].differing, 0);
  }
  EXPECT_EQ(report.run.reasons.at("silent: declined: everything"), 3);

  ASSERT_EQ(report.run.findings.size(), 2U);
  for (const Finding& finding : report.run.findings) {
    const auto c = parse(finding.case_line);
    ASSERT_TRUE(c) << finding.case_line;
    const ConvProblem problem = with_contents(*c);
    EXPECT_EQ(as_answers((*libtorch())->conv(problem)->y), finding.expected);
    EXPECT_EQ(*off_by_one.run(problem), finding.actual);
    EXPECT_LE(problem.activation.size(), 9U) << finding.case_line;
  }
  // Three layers, and all of them together.
  ASSERT_EQ(report.spreads.size(), 4U);
  for (const Spread& spread : report.spreads) {
    EXPECT_EQ(spread.replaced, spread.layer == "all layers" ? 3 * 4096 : 4096);
    EXPECT_GT(spread.differing, 0);
    EXPECT_EQ(spread.elements, 4096);
  }
}

TEST_F(WholeModel, ASubjectThatNeverAnswersHasVerifiedNothingAndOneThatFailsDiffers) {
  const auto says = [](const std::string& words) {
    return LayerSubject{"one", [words](const ConvProblem&) -> LayerAnswer { return tl::unexpected(words); }};
  };
  EXPECT_EQ(exit_status(verified("shared", "small_input", options({}, {says("declined: everything")}))), 3);
  const ModelReport gone = verified("shared", "small_input", options({}, {says("not asked: it was removed")}));
  EXPECT_EQ(exit_status(gone), 3);
  EXPECT_EQ(gone.run.cases.unavailable, 3);
  EXPECT_EQ(gone.run.reasons.at("one: not asked: it was removed"), 3);
  const ModelReport dead = verified("shared", "small_input", options({}, {says("died: SIGSEGV")}));
  EXPECT_EQ(exit_status(dead), 1);
  EXPECT_EQ(dead.run.cases.crashed, 3);
  EXPECT_EQ(dead.run.differences.at("one: died: SIGSEGV"), 3);
}

TEST_F(WholeModel, WhatReplacesAnOutputReachesTheEnd) {
  const auto model = open("shared");
  const auto inputs = ModelInputs::open({kData + "models/small_input.pt"}, 0, *model, **libtorch());
  const auto run = [&](const OnConv& seen) { return model->run(*inputs->read(0), {.conv = seen})->outputs; };
  const auto untouched = run({});
  EXPECT_EQ(run([](CapturedConv&& captured) { return std::optional(answer_of(captured).values); }), untouched);
  EXPECT_NE(run([](CapturedConv&& captured) {
              return std::optional(std::vector<std::uint8_t>(captured.output.size(), 255));
            }),
            untouched);
}

TEST_F(WholeModel, TheForecastIsWhatLibTorchAnswersWithAnotherInstructionSet) {
  const auto model = open("full_range");
  const auto inputs = ModelInputs::open({kData + "models/small_input.pt"}, 0, *model, **libtorch());
  std::int64_t predicted = 0;
  const auto run = model->run(*inputs->read(0), {.conv = [&](CapturedConv&& captured) {
    SecondsByPart seconds;
    LayerWalks walks({}, LayerWalks::Weights::kept);
    const LayerResult result = verify_layer(captured, walks, {}, **libtorch(), seconds);
    EXPECT_EQ(result.report.saturation, PairSaturation::possible);
    ConvProblem problem = problem_of(captured.view());
    problem.spec.execution.isa = Isa::avx2;
    const TensorMismatches d =
        compare_tensors(as_answers(answer_of(captured)), as_answers((*libtorch())->conv(problem)->y));
    std::int64_t elements = 0;
    for (const CpuForecast& forecast : result.report.forecasts) {
      if (forecast.isa != "avx2") continue;
      elements = forecast.elements;
      EXPECT_EQ(forecast.largest, d.largest);
    }
    EXPECT_EQ(elements, static_cast<std::int64_t>(d.offsets.size()));
    predicted += elements;
    return std::optional<std::vector<std::uint8_t>>{};
  }});
  ASSERT_TRUE(run) << run.error().message;
  if ((*libtorch())->native_isa() == Isa::avx512_vnni) {
    EXPECT_GT(predicted, 0);
  }
}

// X86 is FBGEMM without VNNI and ONEDNN with it; other properties verify the predictions of these engines. The forecast
// is the same whether or not the hypothesis that models ONEDNN is evaluated.
class ForecastOf : public WholeModel, public testing::WithParamInterface<Engine> {};

TEST_P(ForecastOf, EnginesIsWhatTheyAnswerThere) {
  auto model = (*libtorch())->open_model(kData + "models/full_range.pt", GetParam());
  ASSERT_TRUE(model) << model.error().message;
  const auto inputs = ModelInputs::open({kData + "models/small_input.pt"}, 0, **model, **libtorch());
  const Hardware here = (*libtorch())->hardware();
  std::int64_t predicted = 0;
  const auto run = (*model)->run(*inputs->read(0), {.conv = [&](CapturedConv&& captured) {
    SecondsByPart seconds;
    LayerWalks walks({}, LayerWalks::Weights::kept);
    const LayerResult result = verify_layer(captured, walks, {.engine = GetParam()}, **libtorch(), seconds);
    const std::vector<const Hypothesis*> models{find_hypothesis("onednn"), find_hypothesis("onednn_int16_pairs")};
    LayerWalks asked(models, LayerWalks::Weights::kept);
    const LayerResult quick =
        verify_layer(captured, asked, {.hypotheses = models, .engine = GetParam()}, **libtorch(), seconds);
    EXPECT_EQ(quick.report.forecasts, result.report.forecasts);
    EXPECT_EQ(quick.columns.front(), result.columns.front());
    const Answers answer = as_answers(answer_of(captured));
    const auto changed = [&](const Hardware& hardware) {
      return std::ssize(compare_tensors(answer, predict(problem_of(captured.view()), GetParam(), hardware)).offsets);
    };
    std::map<std::string, std::int64_t> elements;
    for (const CpuForecast& forecast : result.report.forecasts) elements[forecast.isa] = forecast.elements;
    EXPECT_EQ(elements["avx2"], changed({}));
    EXPECT_EQ(elements["avx512_vnni"], changed({.avx512 = true, .avx512_vnni = true}));
    predicted += elements[here.avx512_vnni ? "avx2" : "avx512_vnni"];
    return std::optional<std::vector<std::uint8_t>>{};
  }});
  ASSERT_TRUE(run) << run.error().message;
  EXPECT_GT(predicted, 0);
}

INSTANTIATE_TEST_SUITE_P(OnednnAndX86, ForecastOf, testing::Values(Engine::onednn, Engine::x86));

TEST_F(WholeModel, EveryEngineIsVerifiedByItsModel) {
  for (const Engine engine : {Engine::onednn, Engine::x86, Engine::qnnpack}) {
    auto model = (*libtorch())->open_model(kData + "models/shared.pt", engine);
    ASSERT_TRUE(model) << model.error().message;
    const auto inputs = ModelInputs::open({kData + "models/small_input.pt"}, 0, **model, **libtorch());
    const auto report = verify_model(**model, *inputs, options({}), **libtorch(), [](const ModelProgress&) {});
    ASSERT_TRUE(report) << report.error().message;
    EXPECT_EQ(report->layers.size(), 3U) << name(engine);
    EXPECT_EQ(report->run.cases.passed, 3 + std::ssize(report->operators)) << name(engine);
    EXPECT_EQ(report->run.elements(), 12288) << name(engine);
  }
}

TEST_F(WholeModel, EveryEnginesLinearLayerIsVerifiedByItsModel) {
  for (const Engine engine : {Engine::onednn, Engine::x86, Engine::qnnpack}) {
    auto model = (*libtorch())->open_model(kData + "models/digits_cnn_int8.pt", engine);
    ASSERT_TRUE(model) << model.error().message;
    const auto inputs = ModelInputs::open({kData + "models/digits_cnn_input.pt"}, 0, **model, **libtorch());
    const auto report = verify_model(**model, *inputs, options({}), **libtorch(), [](const ModelProgress&) {});
    ASSERT_TRUE(report) << report.error().message;
    const LayerReport& layer = report->layers.back();
    EXPECT_EQ(layer.name, "fc");
    EXPECT_EQ(layer.engine, name(engine == Engine::x86 ? Engine::fbgemm : engine));
    EXPECT_EQ(layer.not_compared, "");
    EXPECT_EQ(layer.elements, 640);
    EXPECT_EQ(layer.columns[0].differing, 0) << name(engine);
  }
}

}  // namespace
}  // namespace tieout
