// Tests exported programs through LibTorch. Expected are the outputs of the exported programs and of the lowered ones
// as python computed them; oracle/testdata/make_exported.py has made the files. They were computed with ONEDNN held to
// AVX2, and so is this test, so that it passes on every CPU.

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <filesystem>

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
