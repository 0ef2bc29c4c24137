#include "reports/formats/python_script.h"

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "cases/contents.h"
#include "cases/testing/parsed.h"
#include "cases/text/case_text.h"

namespace tieout {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string script_of_problem(const std::string& line) { return python_script(parse_problem(line), line); }

// The README refers to this script, which `tieout check CASE --python docs/document_answer.py` has written.
TEST(PythonScript, EqualsTheDocumentedScript) {
  std::ostringstream kept;
  kept << std::ifstream(TIEOUT_SOURCE_DIR "/docs/document_answer.py").rdbuf();
  EXPECT_EQ(script_of_problem("conv2d xs=0.1 ws=[0.5] os=0.1 relu x=[1] w=[1]"), kept.str());
}

TEST(PythonScript, ContainsAllParameters) {
  const std::string text = script_of_problem(
      "conv3d in_channels=2 out_channels=2 groups=2 input=1x2x3 stride=1x2x3 padding=0x1x2 xs=1e-05 xz=3 ws=0.25 wz=-7 "
      "os=4 oz=9 bias=[0.1,-inf] engine=x86 threads=2 format=channels_last x=[12*5] w=[1,-2]");
  for (const char* const part :
       {"engine = \"x86\"\n", "torch.set_num_threads(2)\n", "x_shape, w_shape = [1, 2, 1, 2, 3], [2, 1, 1, 1, 1]\n",
        "x_scale, x_zero_point = 1e-05, 3\n", "w_stored = [1, -2]\n", "w_scale, w_zero_point = 0.25, -7\n",
        "output_scale, output_zero_point = 4.0, 9\n",
        "stride, padding, dilation, groups = [1, 2, 3], [0, 1, 2], [1, 1, 1], 2\n",
        "memory_format=torch.channels_last_3d", "torch.ops.quantized.conv3d_prepack(w, bias,",
        "torch.ops.quantized.conv3d(x, packed,", "y + bias.reshape(1, -1, 1, 1, 1)",
        // All digits of 0.1 in float32, because python reads doubles.
        "bias = [0.10000000149011612, float(\"-inf\")]\n"}) {
    EXPECT_THAT(text, HasSubstr(part)) << part << "\n" << text;
  }
  EXPECT_THAT(text, Not(HasSubstr("relu"))) << text;
}

TEST(PythonScript, ReluPrecedesRoundingInOutputOneAndFollowsItInTwo) {
  const std::string text = script_of_problem("conv1d relu x=[1] w=[1]");
  EXPECT_THAT(text, HasSubstr("manual_output_1 = stored(torch.relu(y / output_scale).round())")) << text;
  EXPECT_THAT(text, HasSubstr("manual_output_2 = stored(torch.relu((y / output_scale).round()))")) << text;
  EXPECT_THAT(text, HasSubstr("torch.ops.quantized.conv1d_relu(")) << text;
}

TEST(PythonScript, ALinearLayerIsMultiplied) {
  const std::string text =
      script_of_problem("linear batch=2 in_features=3 out_features=2 ws=[0.5,1] bias=[1,2] relu x=[6*1] w=[6*1]");
  for (const char* const part :
       {"\"\"\"One quantized linear layer, by hand", "x_shape, w_shape = [2, 3], [2, 3]\n", "def multiply(x, w):\n",
        "    y = torch.nn.functional.linear(x, w)\n", "    return y + bias.reshape(1, -1)\n",
        "(q.reshape(-1, 1) for q in (w_zero_points, w_scales))",
        "packed = torch.ops.quantized.linear_prepack(w, bias)\n",
        "y = torch.ops.quantized.linear_relu(x, packed, output_scale, output_zero_point)\n"}) {
    EXPECT_THAT(text, HasSubstr(part)) << part << "\n" << text;
  }
  EXPECT_THAT(text, Not(HasSubstr("convolve"))) << text;
  EXPECT_THAT(text, Not(HasSubstr("stride"))) << text;
}

TEST(PythonScript, NotesThatPythonCannotForceAnInstructionSet) {
  EXPECT_THAT(script_of_problem("conv1d isa=avx2 x=[1] w=[1]"),
              HasSubstr("# Tieout forces FBGEMM to avx2. Python cannot"));
}

// torch has no engine of this name.
TEST(PythonScript, FbgemmCalledDirectlyIsFbgemm) {
  EXPECT_THAT(script_of_problem("conv1d x=[1] w=[1] engine=fbgemm_direct"), HasSubstr("engine = \"fbgemm\"\n"));
}

TEST(PythonScript, CallsTheOperatorOfPyTorch2Export) {
  const std::string text =
      script_of_problem("conv2d ws=[0.5] ytype=int8 oz=-3 relu x=[1] w=[1] engine=onednn_pointwise");
  EXPECT_THAT(text, HasSubstr("engine = \"onednn\"\n"));
  EXPECT_THAT(text, HasSubstr("torch.ops.onednn.qconv_prepack(w.int_repr(), weight_scales, "));
  EXPECT_THAT(text, HasSubstr("torch.ops.onednn.qconv2d_pointwise("));
  EXPECT_THAT(text, HasSubstr("torch.int8, \"relu\", [], \"\")"));
  EXPECT_THAT(text, Not(HasSubstr("torch.ops.quantized")));
  EXPECT_THAT(script_of_problem("conv3d x=[1] w=[1] engine=onednn_pointwise"),
              HasSubstr("torch.uint8, \"none\", [], \"\")"));
}

TEST(PythonScript, CallsTheLinearOperatorOfPyTorch2Export) {
  const std::string line = "linear ytype=int8 oz=-3 relu x=[1] w=[1] engine=onednn_pointwise";
  const std::string text = script_of_problem(line);
  EXPECT_THAT(text, HasSubstr("packed = torch.ops.onednn.qlinear_prepack(w.int_repr(), x_shape)\n"));
  EXPECT_THAT(text,
              HasSubstr("torch.ops.onednn.qlinear_pointwise(\n    x.int_repr(), x_scale, x_zero_point, packed, "));
  EXPECT_THAT(text, HasSubstr("torch.int8, \"relu\", [], \"\")"));
  const std::string int8 = script_of_problem(line + " xtype=int8 xz=-9");
  EXPECT_THAT(int8, HasSubstr("x_int8 = torch.tensor(x_stored, dtype=torch.int8).reshape(x_shape)\n"));
  EXPECT_THAT(int8, HasSubstr("qlinear_pointwise(\n    x_int8, x_scale, "));
}

// No operator takes such a case. A value that does not fit int32 is INT32_MIN, and not clamped from where it is.
TEST(PythonScript, AnInt32BiasIsComputedInIntegers) {
  const std::string text = script_of_problem("conv1d ytype=int8 int32_bias=[2147483647] x=[1] w=[0]");
  EXPECT_THAT(text, HasSubstr("by hand and in integers. Written by\n")) << text;
  EXPECT_THAT(text, HasSubstr("fits = (y >= -2**31) & (y < 2**31)")) << text;
  EXPECT_THAT(text, HasSubstr("torch.where(fits, y, torch.full_like(y, -2**31)).clamp(-32768, 32767)")) << text;
  EXPECT_THAT(text, HasSubstr(".clamp(-128, 127).int()")) << text;
  EXPECT_THAT(text, Not(HasSubstr("torch.ops"))) << text;
}

TEST(PythonScript, Int32SumsAreAllThatIsPrinted) {
  const std::string text = script_of_problem("conv1d ytype=int32 padding_end=1 xtype=int8 xz=-3 x=[1] w=[1]");
  EXPECT_THAT(text, HasSubstr("One quantized convolution, in integers. Written by\n")) << text;
  EXPECT_THAT(text, HasSubstr("Prints the int32 sums.\n")) << text;
  EXPECT_THAT(text, HasSubstr("# x contains the padding that only one side has: zero points.\n")) << text;
  EXPECT_THAT(text, HasSubstr("x_stored = [1, -3]\n")) << text;
  EXPECT_THAT(text, Not(HasSubstr("manual_output"))) << text;
}

TEST(PythonScript, DrawnContentsAreListedInLinesOfAHundredColumns) {
  std::istringstream text(script_of_problem("conv2d in_channels=4 input=9x9 x=uniform w=[4*-128]"));
  std::size_t widest = 0;
  std::int64_t commas = 0;
  bool inside = false;
  for (std::string line; std::getline(text, line);) {
    widest = std::max(widest, line.size());
    if (line == "]") inside = false;
    if (inside) commas += std::count(line.begin(), line.end(), ',');
    if (line == "x_stored = [") inside = true;
  }
  EXPECT_EQ(commas, 4 * 81 - 1);
  EXPECT_LE(widest, 100U);
  EXPECT_GT(widest, 90U);
}

}  // namespace
}  // namespace tieout
