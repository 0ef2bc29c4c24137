// Tests exported programs through LibTorch. Expected are the outputs of the exported programs and of the lowered ones
// as python computed them; oracle/testdata/make_exported.py has made the files. They were computed with ONEDNN held to
// AVX2, and so is this test, so that it passes on every CPU.

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <functional>

#include "oracle/exported/read_exported.h"
#include "oracle/libtorch/libtorch_isa_limit.h"
#include "props/exported/exported_verify.h"

namespace tieout {
namespace {

const std::string kFolder = std::getenv("TIEOUT_TEST_FOLDER") ? std::getenv("TIEOUT_TEST_FOLDER")
                                                              : TIEOUT_SOURCE_DIR "/oracle/testdata/models/export/";

LibTorch& reference() {
  static LibTorch* const held = [] {
    const auto loaded = libtorch_held_to(Isa::avx2);
    EXPECT_TRUE(loaded) << loaded.error().message;
    return loaded ? *loaded : nullptr;
  }();
  return *held;
}

// Returns the only tensor of the only input in the file, in double.
Tensor<double> read_tensor(const std::string& file) {
  const auto inputs = reference().read_inputs(file);
  EXPECT_TRUE(inputs) << inputs.error().message;
  if (!inputs) return {};
  const ModelTensor& held = inputs->front().arguments.front();
  Tensor<double> tensor{held.shape, {}};
  for (std::size_t at = 0; at < held.bytes.size(); at += sizeof(float)) {
    float value = 0;
    std::memcpy(&value, held.bytes.data() + at, sizeof value);
    tensor.values.push_back(static_cast<double>(value));
  }
  return tensor;
}

struct Opened {
  ExportedProgram program;
  std::vector<ExportedLayer> layers;
  std::unique_ptr<ExportedModel> model;
};

Opened open(const std::string& name) {
  auto program = read_exported_program(kFolder + name + ".pt2");
  EXPECT_TRUE(program) << program.error();
  if (!program) return {};
  Opened opened{.program = *program, .layers = find_exported_layers(*program)};
  auto model = reference().open_exported(std::move(*program), opened.layers);
  EXPECT_TRUE(model) << model.error().message;
  if (model) opened.model = std::move(*model);
  return opened;
}

class ExportedModels : public testing::TestWithParam<std::string> {};

TEST_P(ExportedModels, AnswerAsInPython) {
  const Opened opened = open(GetParam());
  ASSERT_NE(opened.model, nullptr);
  const auto inputs = reference().read_inputs(kFolder + GetParam() + "_input.pt");
  ASSERT_TRUE(inputs) << inputs.error().message;
  const auto exported = opened.model->run_layers(inputs->front(), {}, {});
  ASSERT_TRUE(exported) << exported.error().message;
  EXPECT_EQ(exported->outputs.front(), read_tensor(kFolder + GetParam() + "_exported_output.pt"));
  const std::vector<LayerWay> ways(opened.layers.size(), LayerWay::lowered);
  const auto lowered = opened.model->run_layers(inputs->front(), ways, {});
  ASSERT_TRUE(lowered) << lowered.error().message;
  EXPECT_EQ(lowered->outputs.front(), read_tensor(kFolder + GetParam() + "_lowered_output.pt"));
}

ExportedReport verified(const std::string& name, const Hardware& onednn, std::vector<LayerSubject> subjects = {}) {
  const Opened opened = open(name);
  const auto inputs = ModelInputs::open({kFolder + name + "_input.pt"}, 0, *opened.model, reference());
  EXPECT_TRUE(inputs) << inputs.error().message;
  auto report = verify_exported(
      {.model = opened.model.get(), .program = &opened.program, .layers = &opened.layers, .onednn = onednn}, *inputs,
      {.hypotheses = {find_hypothesis("integer_exact")}, .subjects = std::move(subjects), .threads = 2}, reference(),
      [](std::int64_t) {});
  EXPECT_TRUE(report) << report.error().message;
  return report ? std::move(*report) : ExportedReport{};
}

// What ONEDNN uses of the CPU in this test.
Hardware held_to_avx2() {
  Hardware hardware = reference().hardware();
  hardware.avx512 = hardware.avx512_vnni = hardware.avx_vnni = hardware.amx_int8 = false;
  return hardware;
}

TEST_P(ExportedModels, HaveAnAnswerThatIsExplainedInEveryLayer) {
  const ExportedReport report = verified(GetParam(), held_to_avx2());
  EXPECT_EQ(unexplained(report), 0);
  EXPECT_EQ(exit_status(report), 0);
  ASSERT_EQ(report.ends.size(), 2U);
  EXPECT_EQ(report.ends.front().column, "lowered");
  // The program's first output differs from the lowered one as the files do.
  const Tensor<double> exported = read_tensor(kFolder + GetParam() + "_exported_output.pt");
  const Tensor<double> lowered = read_tensor(kFolder + GetParam() + "_lowered_output.pt");
  double largest = 0;
  for (std::size_t i = 0; i < exported.values.size(); ++i) {
    largest = std::max(largest, std::abs(exported.values[i] - lowered.values[i]));
  }
  if (GetParam() == "dynamic") return;  // it has another output
  EXPECT_EQ(report.ends.front().largest, largest);
}

TEST(ExportedProgram, SaturatedSumsAreUnexplainedWhereTheCpuHasVnni) {
  Hardware vnni = held_to_avx2();
  vnni.avx512 = vnni.avx512_vnni = true;
  const ExportedReport report = verified("small_cnn", vnni);
  EXPECT_EQ(report.layers[0].unexplained[1], 678);
  EXPECT_EQ(report.layers[0].unexplained[0], 0);
  EXPECT_EQ(exit_status(report), 1);
}

// AVX-512 code without VNNI multiplies by one scale after the other: error bounds would accept its results.
TEST(ExportedProgram, RoundingsOfOtherCodeAreUnexplained) {
  Hardware avx512 = held_to_avx2();
  avx512.avx512 = true;
  const ExportedReport report = verified("small_cnn", avx512);
  ASSERT_EQ(report.layers.size(), 4U);
  EXPECT_EQ(report.layers[2].result, "float32");
  EXPECT_GT(report.layers[2].unexplained[1], 1000);
  EXPECT_EQ(report.layers[2].unexplained[0], 0);
  EXPECT_EQ(exit_status(report), 1);
}

TEST(ExportedProgram, StatesWhichLayersAreCheckedByBounds) {
  for (const ExportedLayerReport& layer : verified("small_cnn", held_to_avx2()).layers) {
    EXPECT_EQ(layer.lowered_bounds, "") << layer.name;
  }
  Hardware amx = held_to_avx2();
  amx.avx512 = amx.avx512_vnni = amx.amx_int8 = true;
  const ExportedReport report = verified("small_cnn", amx);
  EXPECT_EQ(report.layers[0].lowered_bounds, "oneDNN chooses between two codes, by estimates of their speed");
  EXPECT_EQ(report.layers[3].lowered_bounds, "");
}

TEST(ExportedProgram, PartsFromTheLoweredOneWhereItIsCounted) {
  const ExportedReport report = verified("small_cnn", held_to_avx2());
  ASSERT_EQ(report.layers.size(), 4U);
  EXPECT_EQ(report.layers[0].name, "a.0");
  EXPECT_EQ(report.layers[0].lowered.differing, 678);
  EXPECT_EQ(report.layers[0].lowered.largest, 87);
  EXPECT_EQ(report.layers[0].lowered.causes.size(), 1U);
  EXPECT_EQ(report.layers[1].lowered.differing, 1);
  EXPECT_EQ(report.layers[2].result, "float32");
  EXPECT_EQ(report.layers[2].remark, "mean behind it is not fused");
  EXPECT_EQ(report.layers[3].lowered_to, "qlinear_pointwise");
  // Exact integers give the exported program's bytes except at one tie.
  EXPECT_EQ(report.columns[1].name, "integer_exact");
  EXPECT_EQ(report.columns[1].differing[0], 1);
}

TEST(ExportedProgram, ASubjectIsEqualToOneOfTheAnswersOrFails) {
  const auto evaluated = [](const char* hypothesis) {
    return LayerSubject{.name = hypothesis, .run = [=](const ConvProblem& problem) -> LayerAnswer {
                          return evaluate(*find_hypothesis(hypothesis), problem);
                        }};
  };
  EXPECT_EQ(exit_status(verified("small_cnn", held_to_avx2(), {evaluated("onednn_int16_pairs")})), 0);
  const ExportedReport report = verified("small_cnn", held_to_avx2(), {evaluated("round_down")});
  EXPECT_FALSE(report.columns.back().reproduces_one());
  EXPECT_EQ(exit_status(report), 1);
}

TEST(ExportedProgram, NamesOperatorsThatAreNotRun) {
  Opened opened = open("small_cnn");
  ExportedProgram program = opened.program;
  program.nodes[3].op = "aten.from_file.default";
  const auto refused = reference().open_exported(program, {});
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, testing::HasSubstr("operator 4 of"));
  EXPECT_THAT(refused.error().message, testing::HasSubstr("aten.from_file.default: the operator is none of those"));
}

TEST(ExportedProgram, HostileGraphsAreRefusedWhereTheyRun) {
  const auto inputs = reference().read_inputs(kFolder + "small_cnn_input.pt");
  ASSERT_TRUE(inputs);
  const auto error_with = [&](const std::function<void(ExportedProgram&)>& change) {
    Opened opened = open("small_cnn");
    change(opened.program);
    auto model = reference().open_exported(opened.program, find_exported_layers(opened.program));
    EXPECT_TRUE(model) << model.error().message;
    const auto run = (*model)->run_layers(inputs->front(), {}, {});
    return run ? std::string() : run.error().message;
  };
  const auto conv = [](ExportedProgram& program) -> ExportedNode& {
    return *std::ranges::find_if(program.nodes, [](const auto& node) { return node.op == "aten.conv2d.default"; });
  };
  using testing::HasSubstr;
  EXPECT_THAT(error_with([&](ExportedProgram& p) { conv(p).inputs[0].value = ValueName{"nothing"}; }),
              HasSubstr("no operator before it computes 'nothing'"));
  EXPECT_THAT(error_with([&](ExportedProgram& p) { conv(p).inputs[0].value = std::string("text"); }),
              HasSubstr("argument 'input' is no tensor"));
  EXPECT_THAT(error_with([&](ExportedProgram& p) {
                conv(p).inputs[3].value = std::vector<Whole>{std::int64_t{0}, std::int64_t{0}};
              }),
              HasSubstr("aten.conv2d.default 'conv2d', operator"));
  EXPECT_THAT(error_with([&](ExportedProgram& p) { conv(p).inputs.erase(conv(p).inputs.begin()); }),
              HasSubstr("argument 'input' is missing"));
  EXPECT_THAT(error_with([&](ExportedProgram& p) { p.nodes[0].inputs[3].value = std::int64_t{7}; }),
              HasSubstr("axis 7"));
}

// Returns the programs in the folder that have both expected outputs.
std::vector<std::string> names_of_programs() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(kFolder)) {
    if (entry.path().extension() == ".pt2") names.push_back(entry.path().stem().string());
  }
  std::ranges::sort(names);
  return names;
}

INSTANTIATE_TEST_SUITE_P(All, ExportedModels, testing::ValuesIn(names_of_programs()),
                         [](const auto& test) { return test.param; });

}  // namespace
}  // namespace tieout
