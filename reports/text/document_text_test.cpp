#include "reports/text/document_text.h"

#include <gtest/gtest.h>

#include <limits>

namespace tieout {
namespace {

TEST(DocumentText, PrintsTensorsAndSignedSums) {
  const Document document{
      .tensors = {{"manual_output_1", Tensor<double>{{1, 1, 2, 2}, {96, 0, -0.0, 15}}, "RoundBackward0"},
                  {"manual_output_2", Tensor<float>{{1, 1, 2, 2}, {96, 0, 0, 16}}, "ReluBackward0"},
                  {"output produced by forward()", Tensor<std::uint8_t>{{1, 1, 2, 2}, {96, 0, 0, 15}}}},
      .differences = {{"manual_output_1", "conv_outputs", 0}, {"manual_output_2", "conv_outputs", 1}}};
  EXPECT_EQ(document_text(document),
            "manual_output_1:\n"
            " tensor([[[[96.,  0.],\n"
            "          [-0., 15.]]]], dtype=torch.float64, grad_fn=<RoundBackward0>)\n"
            "manual_output_2:\n"
            " tensor([[[[96.,  0.],\n"
            "          [ 0., 16.]]]], grad_fn=<ReluBackward0>)\n"
            "output produced by forward():\n"
            " tensor([[[[96,  0],\n"
            "          [ 0, 15]]]], dtype=torch.uint8)\n"
            "manual_output_1 and conv_outputs differ by: 0.0\n"
            "manual_output_2 and conv_outputs differ by: 1.0\n");
}

TEST(DocumentText, AnEmptyTensorPrintsNothing) { EXPECT_EQ(document_text({}), ""); }

TEST(PythonFloat, EqualsPythonsRepr) {
  EXPECT_EQ(python_float(0), "0.0");
  EXPECT_EQ(python_float(-0.0), "-0.0");
  EXPECT_EQ(python_float(-17.5), "-17.5");
  EXPECT_EQ(python_float(0.1), "0.1");
  EXPECT_EQ(python_float(static_cast<double>(0.1F)), "0.10000000149011612");
  EXPECT_EQ(python_float(1e-4), "0.0001");
  EXPECT_EQ(python_float(1e-5), "1e-05");
  EXPECT_EQ(python_float(9999999999999998.0), "9999999999999998.0");
  EXPECT_EQ(python_float(1e16), "1e+16");
  EXPECT_EQ(python_float(5e-324), "5e-324");
  EXPECT_EQ(python_float(std::numeric_limits<double>::infinity()), "inf");
  EXPECT_EQ(python_float(-std::numeric_limits<double>::infinity()), "-inf");
  EXPECT_EQ(python_float(-std::numeric_limits<double>::quiet_NaN()), "nan");
}

}  // namespace
}  // namespace tieout
