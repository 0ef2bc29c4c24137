// Tests `tieout model` as a user runs it: last lines, exit status and messages.

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "cli/testing/test_command.h"

namespace tieout {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string model(const std::string& name, const std::string& input) {
  return "model '" + kModels + name + ".pt' --input " + input + " ";
}

const std::string kSmall = "'" + kModels + "small_input.pt'";

class ModelCommand : public testing::Test {
 protected:
  TemporaryFolder folder_;
};

TEST_F(ModelCommand, TheLastLinesSummarizeEachHypothesis) {
  const Outcome o =
      run(model("shared", kSmall) + "--hypothesis manual_output_1 --hypothesis manual_output_2", Streams::output);
  EXPECT_EQ(o.status, 0) << o.output;
  EXPECT_TRUE(
      o.output.ends_with("\nkernel differs at 0 of 12288 elements in 0 of 3 layers\n"
                         "manual_output_1 differs at 0 of 12288 elements in 0 of 3 layers\n"
                         "manual_output_2 differs at 0 of 12288 elements in 0 of 3 layers\n"))
      << o.output;
  EXPECT_THAT(o.output, HasSubstr("\nfirst   2x8x16x16 k3x3 p1x1 im2col "));
  EXPECT_THAT(o.output, HasSubstr("\ntwice#2 "));
  EXPECT_THAT(o.output, HasSubstr("\nadd@3 "));
}

TEST_F(ModelCommand, VerifiesQuantizedConvolutionsAndNamesTheOthers) {
  const Outcome transposed = run(model("transposed", kSmall) + "--hypothesis manual_output_1");
  EXPECT_EQ(transposed.status, 0) << transposed.output;
  EXPECT_THAT(transposed.output, HasSubstr("  1 quantized::conv_transpose2d\n"));
  const Outcome frozen = run(model("frozen", kSmall) + "--hypothesis manual_output_1");
  EXPECT_EQ(frozen.status, 0) << frozen.output;
  EXPECT_THAT(frozen.output, HasSubstr("\nconv2d@2 "));
  const Outcome two =
      run(model("two_arguments", "'" + kModels + "two_arguments_input.pt'") + "--hypothesis manual_output_1");
  EXPECT_EQ(two.status, 0) << two.output;
  EXPECT_THAT(two.output, HasSubstr("kernel differs at 0 of 49152 elements in 0 of 6 layers"));
}

TEST_F(ModelCommand, ASubjectThatDiffersIsFoundSavedAndReplayed) {
  const Outcome o = run(model("shared", kSmall) +
                        "--hypothesis manual_output_1 --subject hypothesis:round_down "
                        "--findings 1 --save '" +
                        folder_.path().string() + "'");
  EXPECT_EQ(o.status, 1) << o.output;
  EXPECT_THAT(o.output, HasSubstr("How differences spread"));
  ASSERT_FALSE(std::filesystem::is_empty(folder_.path())) << o.output;
  std::ifstream saved(std::filesystem::directory_iterator(folder_.path())->path());
  std::string line;
  std::getline(saved, line);
  EXPECT_EQ(run("check '" + line + "'").status, 0) << line;
  const Outcome explained = run("explain '" + line + "' --hypothesis integer_float32 --hypothesis round_down");
  EXPECT_EQ(explained.status, 0) << explained.output;
}

TEST_F(ModelCommand, TheCausesOfASubjectsDifferencesComeFirst) {
  const Outcome o =
      run(model("shared", kSmall) + "--hypothesis manual_output_1 --subject hypothesis:round_down", Streams::output);
  EXPECT_EQ(o.status, 1) << o.output;
  EXPECT_TRUE(o.output.starts_with("3 of 3 cases differ, 1 cause:\n1. rounding: down, as an arithmetic shift does\n"))
      << o.output;
  EXPECT_THAT(o.output, HasSubstr("   explains 3 of 3 cases that differ\n"));
  EXPECT_THAT(o.output, HasSubstr(" differ, by up to 1: cause 1"));
  EXPECT_THAT(o.output, HasSubstr("\ncause: rounding: down, as an arithmetic shift does\n"));
  EXPECT_THAT(o.output, HasSubstr("replay: tieout check --subject hypothesis:round_down "));
  const Outcome none =
      run(model("shared", kSmall) + "--hypothesis manual_output_1 --subject hypothesis:round_down --diagnose 0");
  EXPECT_EQ(none.status, 1);
  EXPECT_THAT(none.output, HasSubstr("to look for the cause: tieout diagnose --subject hypothesis:round_down\n"));
}

TEST_F(ModelCommand, ReadsAllKindsOfInputs) {
  std::string array("\x93NUMPY\x01\x00\x76\x00", 10);
  array += "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 3, 4, 4), }";
  array.resize(127, ' ');
  array += '\n' + std::string(std::size_t{3} * 4 * 4 * sizeof(float), '\0');
  for (const char* name : {"a.npy", "b.npy"}) std::ofstream(folder_.path() / name, std::ios::binary) << array;
  const Outcome arrays = run(model("shared", "'" + folder_.path().string() + "'") + "--hypothesis manual_output_1");
  EXPECT_EQ(arrays.status, 0) << arrays.output;
  EXPECT_THAT(arrays.output, HasSubstr("kernel differs at 0 of 768 elements in 0 of 3 "));
  const Outcome drawn = run(model("shared", "random:2x3x5x7 random:1x3x8x8") + "--hypothesis manual_output_1");
  EXPECT_EQ(drawn.status, 0) << drawn.output;
  EXPECT_THAT(drawn.output, HasSubstr("kernel differs at 0 of 3216 elements in 0 of 3 "));
}

const std::string kExport = kModels + "export/";

std::string exported(const std::string& name) {
  return "model '" + kExport + name + ".pt2' --input '" + kExport + name + "_input.pt' --isa avx2 ";
}

TEST_F(ModelCommand, AnExportedProgramIsVerifiedInThreeWays) {
  const Outcome o = run(exported("small_cnn"), Streams::output);
  EXPECT_EQ(o.status, 0) << o.output;
  EXPECT_THAT(o.output, HasSubstr("\nLowered for x86, 4 of 4 layers with weights run as int8 operators.\n"));
  EXPECT_THAT(o.output, HasSubstr("\n         678  pairs of products saturate in 16 bits"));
  EXPECT_THAT(o.output, HasSubstr("\n  manual_output_1 "));
  EXPECT_THAT(o.output, Not(HasSubstr("\n  integer_float32 ")));
  EXPECT_THAT(o.output, HasSubstr("\n  lowered  20 of 20 numbers differ, by up to 0.0473282;"));
  EXPECT_THAT(o.output,
              HasSubstr("\nexported: 32788 elements, 0 unexplained\n"
                        "lowered: 4750 of 32788 elements differ from exported, 0 unexplained; 4 layers predicted "
                        "bit for bit\n"));
}

TEST_F(ModelCommand, LayersOfAnExportedProgramThatDoNotRunInInt8AreNamed) {
  const Outcome o = run(exported("refused"), Streams::output);
  EXPECT_EQ(o.status, 0) << o.output;
  EXPECT_THAT(o.output, HasSubstr("\n  per_tensor   not int8: its weight is quantized per tensor"));
  EXPECT_THAT(o.output, HasSubstr("\n  tokens       not int8: its activation has 3 dimensions"));
  EXPECT_THAT(o.output, HasSubstr("\n  transposed   not int8: neither its activation nor its weight is quantized"));
}

TEST_F(ModelCommand, AnExportedProgramThatCannotBeReadIsRefused) {
  std::ifstream stream(kExport + "small_cnn.pt2", std::ios::binary);
  const std::string good{std::istreambuf_iterator<char>(stream), {}};
  const auto refused = [&](const std::string& bytes, const std::string& more = "") {
    const std::string file = folder_.path() / "changed.pt2";
    std::ofstream(file, std::ios::binary) << bytes;
    const Outcome o = run("model '" + file + "' --input '" + kExport + "small_cnn_input.pt' " + more);
    EXPECT_EQ(o.status, 2) << o.output;
    return o.output;
  };
  EXPECT_THAT(refused(good.substr(0, good.size() / 2)), HasSubstr("a zip archive that is cut off or damaged"));
  std::string damaged = good;
  damaged[damaged.find("quantize_per_tensor")] = 'Q';
  EXPECT_THAT(refused(damaged), HasSubstr("the entry 'models/model.json' is damaged: its checksum is wrong"));
  EXPECT_THAT(refused(good, "--timing"), HasSubstr("--timing: apply to TorchScript models"));
  EXPECT_THAT(refused(good, "--isa avx3"), HasSubstr("--isa"));
  const Outcome other = run("model '" + kExport + "small_cnn.pt2' --input " + "'" + kExport + "conv1d_input.pt'");
  EXPECT_EQ(other.status, 2);
  EXPECT_THAT(other.output, HasSubstr("aten.conv2d.default 'conv2d', operator "));
  EXPECT_THAT(run(model("shared", kSmall) + "--isa avx2").output, HasSubstr("--isa: applies to exported programs"));
}

struct Refused {
  std::string arguments;
  int status;
  const char* words;
};

TEST_F(ModelCommand, UnverifiedOperatorsAreReported) {
  std::ofstream(folder_.path() / "broken.pt") << "PK, but no archive";
  std::ofstream(folder_.path() / "broken.npy") << "no array";
  std::ofstream(folder_.path() / "a.onnx") << "\x08\x08\x12\x07pytorch";
  const std::string folder = "'" + folder_.path().string();
  const std::array<Refused, 19> refused{{
      {model("nowhere", kSmall), 2, "there is no such file; needed is the PyTorch model"},
      {"model " + folder + "/' --input " + kSmall, 2, "it is not a regular file, but a folder; needed is"},
      {model("shared", "/dev/zero"), 2, "it is not a regular file, but a pipe, a socket or a device; name what"},
      {"model " + folder + "/broken.pt' --input " + kSmall, 2, "neither a TorchScript model nor"},
      {"model " + kSmall + " --input " + kSmall, 2,
       "neither a TorchScript model nor an exported program, but tensors that torch.save() wrote"},
      {"model " + folder + "/a.onnx' --input " + kSmall, 2,
       "neither a TorchScript model nor an exported program, but an ONNX model; needed is"},
      {model("decomposed", kSmall), 2, "quantized_decomposed::linear_"},
      {model("decomposed", kSmall), 2, "or quantize it to quantized::conv operators"},
      {model("shared", folder + "/broken.pt'"), 2, "not a tensor as torch.save() writes it"},
      {model("shared", folder + "/broken.npy'"), 2, "not a .npy file"},
      {model("shared", folder + "/'"), 2, "broken.npy: not a .npy file"},
      {model("shared", "'" + kModels + "two_arguments_input.pt'"), 2, "Expected at most 2 argument(s)"},
      {model("shared", "random:2x5x8x8"), 2, "the model refuses that shape: [QConv2D]"},
      {model("shared", "random:2x"), 2, "random:1x3x224x224"},
      {model("shared", kSmall) + "--hypothesis no_such_name", 2, "must be all, or of manual_output_1"},
      {model("shared", kSmall) + "--subject no_such_name", 2,
       "--subject: 'no_such_name': there is no such file; name a shared library"},
      {model("shared", kSmall) + "--engine no_such_name", 2, "--engine"},
      {model("not_quantized", kSmall), 3, "none of its operators is quantized"},
      {model("only_linear", kSmall), 3, "1 quantized::linear_dynamic"},
  }};
  for (const Refused& r : refused) {
    const Outcome o = run(r.arguments);
    EXPECT_EQ(o.status, r.status) << r.arguments << '\n' << o.output;
    EXPECT_THAT(o.output, HasSubstr(r.words)) << r.arguments << '\n' << o.output;
  }
}

// A model is a program, which may never end and may request any amount of memory.
TEST_F(ModelCommand, LimitsOfTimeAndMemoryEndTheCommandWithAMessage) {
  const std::string folder = "'" + folder_.path().string();
  std::string claims_400_mb("\x93NUMPY\x01\x00\x76\x00", 10);
  claims_400_mb += "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 3, 6000, 6000), }";
  claims_400_mb.resize(127, ' ');
  std::ofstream(folder_ / "short.npy", std::ios::binary) << claims_400_mb << '\n';
  const std::array<Refused, 7> refused{{
      {model("endless", kSmall) + "--patience 1", 3, "its code ran for 1 seconds without reaching"},
      {model("greedy", kSmall), 3, "more memory than --memory 8192 MiB is needed"},
      {model("bomb", kSmall), 2, "claim to unpack to 100675824, more than 20 times as much"},
      {model("shared", folder + "/short.npy'"), 2, "holds 0 bytes of elements, and its shape asks for 432000000"},
      {model("shared", "random:1x3x6000x6000") + "--memory 256", 3, "more memory than --memory 256 MiB is needed"},
      {model("shared", kSmall) + "--patience 0", 2, "--patience"},
      {model("shared", kSmall) + "--memory 0", 2, "--memory"},
  }};
  for (const Refused& r : refused) {
    const Outcome o = run(r.arguments);
    EXPECT_EQ(o.status, r.status) << r.arguments << '\n' << o.output;
    EXPECT_THAT(o.output, HasSubstr(r.words)) << r.arguments << '\n' << o.output;
  }
}

// Returns a .npy file with 48 times the same element. type: for example "<f4". element: the bytes of the element.
std::string array_of(const std::string& type, const std::string& element) {
  std::string array("\x93NUMPY\x01\x00\x76\x00", 10);
  array += "{'descr': '" + type + "', 'fortran_order': False, 'shape': (1, 3, 4, 4), }";
  array.resize(127, ' ');
  array += '\n';
  for (int i = 0; i < 48; ++i) array += element;
  return array;
}

TEST_F(ModelCommand, UnsuitableInputsAreRefused) {
  std::ofstream(folder_ / "wide.npy", std::ios::binary) << array_of("<f8", std::string(8, '\0'));
  std::ofstream(folder_ / "nan.npy", std::ios::binary) << array_of("<f4", std::string("\x00\x00\xc0\x7f", 4));
  const Outcome wide = run(model("shared", "'" + folder_.path().string() + "/wide.npy'"));
  EXPECT_EQ(wide.status, 2) << wide.output;
  EXPECT_THAT(wide.output, HasSubstr("astype('float32')"));
  const Outcome nan =
      run(model("shared", "'" + folder_.path().string() + "/nan.npy'") + "--hypothesis integer_float32");
  EXPECT_THAT(nan.output, HasSubstr("warning: 48 numbers of the inputs are NaN or infinite"));
}

TEST_F(ModelCommand, AFolderThatCannotBeWrittenIsRefusedBeforeTheModelRuns) {
  std::ofstream(folder_ / "a file") << "no folder";
  const Outcome o = run(model("shared", kSmall) + "--save '" + folder_.path().string() + "/a file/findings'");
  EXPECT_EQ(o.status, 2) << o.output;
  EXPECT_THAT(o.output, HasSubstr("--save: "));
  EXPECT_THAT(o.output, Not(HasSubstr("is a program")));
}

TEST_F(ModelCommand, AHypothesisNamedTwiceCountsOnceAndEnginesHaveTheirOwnColumns) {
  const Outcome o = run(model("shared", kSmall) + "--hypothesis qnnpack --hypothesis qnnpack --engine qnnpack");
  EXPECT_EQ(o.status, 0) << o.output;
  const std::size_t first = o.output.find("\nqnnpack differs at 0 of 12288 ");
  ASSERT_NE(first, std::string::npos) << o.output;
  EXPECT_EQ(o.output.find("\nqnnpack differs", first + 1), std::string::npos) << o.output;
  EXPECT_THAT(o.output, Not(HasSubstr("im2col")));
  EXPECT_THAT(o.output, Not(HasSubstr("another CPU")));
}

TEST_F(ModelCommand, TheHtmlReportHasATableOfLayers) {
  const std::filesystem::path page = folder_ / "report.html";
  const Outcome o = run(model("shared", kSmall) + "--hypothesis gemmlowp --html '" + page.string() + "'");
  EXPECT_EQ(o.status, 0) << o.output;
  std::ifstream file(page);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  EXPECT_THAT(text, HasSubstr("id=\"layers\""));
  EXPECT_THAT(text, HasSubstr("class=\"fixed\">twice#2"));
}

}  // namespace
}  // namespace tieout
