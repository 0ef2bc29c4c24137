#include "oracle/exported/exported_layers.h"

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <functional>

namespace tieout {
namespace {

using testing::HasSubstr;

// Builds programs of quantized layers.
class Builder {
 public:
  Builder() { program.inputs = {"x"}; }

  std::string add(std::string op, std::vector<NamedArgument> inputs, std::string output, std::size_t dims = 4,
                  ElementType type = ElementType::float32) {
    program.nodes.push_back({.op = std::move(op), .inputs = std::move(inputs), .outputs = {output}});
    program.tensors[output] = {type, std::vector<std::optional<std::int64_t>>(dims, 8)};
    return output;
  }

  static std::vector<NamedArgument> parameters(const std::string& input, double scale, ElementType type) {
    return {{"input", ValueName{input}},      {"scale", scale},
            {"zero_point", std::int64_t{3}},  {"quant_min", std::int64_t{0}},
            {"quant_max", std::int64_t{255}}, {"dtype", type}};
  }

  std::string quantize(const std::string& input, std::size_t dims = 4, ElementType type = ElementType::uint8) {
    return add("quantized_decomposed.quantize_per_tensor.default", parameters(input, 0.5, type), "q_" + input, dims,
               type);
  }

  std::string dequantize(const std::string& input, std::size_t dims = 4, ElementType type = ElementType::uint8) {
    return add("quantized_decomposed.dequantize_per_tensor.default", parameters(input, 0.5, type),
               "d" + std::to_string(count_++) + "_" + input, dims);
  }

  std::string weight(std::size_t dims = 4, std::int64_t axis = 0, ElementType type = ElementType::int8) {
    const std::string name = "w" + std::to_string(count_++);
    program.tensors[name] = {type, std::vector<std::optional<std::int64_t>>(dims, 8)};
    return add("quantized_decomposed.dequantize_per_channel.default",
               {{"input", ValueName{name}},
                {"scales", ValueName{"scales"}},
                {"zero_points", ValueName{"zero_points"}},
                {"axis", axis}},
               "d_" + name, dims);
  }

  std::string layer(const std::string& op, const std::string& x, const std::string& w, std::size_t dims = 4) {
    return add(op, {{"input", ValueName{x}}, {"weight", ValueName{w}}, {"bias", ValueName{"b"}}},
               "y" + std::to_string(count_++), dims);
  }

  std::string conv(const std::string& x) { return layer("aten.conv2d.default", x, weight()); }
  std::string relu(const std::string& x) { return add("aten.relu.default", {{"self", ValueName{x}}}, "r_" + x); }
  std::string sum(const std::string& a, const std::string& b) {
    return add("aten.add.Tensor", {{"self", ValueName{a}}, {"other", ValueName{b}}}, "s_" + a);
  }

  // Returns the last layer of the program, which returns that value.
  ExportedLayer last(const std::string& output) {
    program.outputs = {output};
    return find_exported_layers(program).back();
  }

  ExportedProgram program;

 private:
  int count_ = 0;
};

TEST(ExportedLayers, AReluAndAQuantizeBelongToTheLayer) {
  Builder b;
  const ExportedLayer layer = b.last(b.quantize(b.relu(b.conv(b.dequantize(b.quantize("x"))))));
  EXPECT_EQ(layer.not_lowered, "");
  EXPECT_EQ(layer.remark, "");
  EXPECT_EQ(layer.op, "conv2d");
  EXPECT_EQ(layer.x, "q_x");
  EXPECT_EQ(layer.w_scales, "scales");
  EXPECT_EQ(layer.bias, "b");
  EXPECT_TRUE(layer.relu);
  EXPECT_EQ(layer.nodes.size(), 3U);
  EXPECT_EQ(layer.y_quantization, (ValueQuantization{0.5, 3, 0, 255, ElementType::uint8}));
  EXPECT_TRUE(count_float_operators(b.program, {layer}).empty());
}

TEST(ExportedLayers, AValueWithTwoUsersEndsTheLayer) {
  Builder b;
  const std::string y = b.relu(b.conv(b.dequantize(b.quantize("x"))));
  b.quantize(y);
  const ExportedLayer layer = b.last(b.add("aten.sigmoid.default", {{"self", ValueName{y}}}, "s"));
  EXPECT_TRUE(layer.relu);
  EXPECT_FALSE(layer.y_quantization);
  EXPECT_EQ(layer.remark, "2 operators use its result");
  EXPECT_EQ(count_float_operators(b.program, {layer}),
            (std::map<std::string, std::int64_t>{{"aten.sigmoid.default", 1}}));
}

TEST(ExportedLayers, ASumIsFusedUnlessItIsStillNeeded) {
  Builder b;
  const std::string stem = b.quantize(b.conv(b.dequantize(b.quantize("x"))));
  const std::string inner = b.quantize(b.conv(b.dequantize(stem)));
  const std::string y = b.quantize(b.relu(b.sum(b.conv(b.dequantize(inner)), b.dequantize(stem))));
  const ExportedLayer fused = b.last(y);
  EXPECT_EQ(fused.summand_bytes, stem);
  EXPECT_TRUE(fused.relu);
  EXPECT_TRUE(fused.y_quantization);
  // The stem has another user, which the operator would leave with the sum.
  b.program.outputs.clear();
  b.conv(b.dequantize(stem));
  b.program.outputs = {y};
  const std::vector<ExportedLayer> layers = find_exported_layers(b.program);
  EXPECT_EQ(layers[2].summand_bytes, stem);
  EXPECT_FALSE(layers[2].y_quantization);
  EXPECT_EQ(layers[2].remark, "the operator would overwrite what it adds, which is still needed");
  // x + conv(x)
  Builder own;
  const std::string q = own.quantize("x");
  const ExportedLayer itself = own.last(own.quantize(own.sum(own.conv(own.dequantize(q)), own.dequantize(q))));
  EXPECT_EQ(itself.summand_bytes, q);
  EXPECT_FALSE(itself.y_quantization);
}

TEST(ExportedLayers, TheReasonIsStatedForLayersThatAreNotLowered) {
  struct Wrong {
    const char* words;
    std::function<std::string(Builder&)> build;
  };
  const std::vector<Wrong> all{
      {"neither its activation nor its weight is quantized",
       [](Builder& b) { return b.layer("aten.conv2d.default", "x", "w"); }},
      {"its activation is not quantized: it is an input",
       [](Builder& b) { return b.layer("aten.conv2d.default", "x", b.weight()); }},
      {"its activation is not quantized: relu computes it",
       [](Builder& b) { return b.layer("aten.conv2d.default", b.relu(b.dequantize(b.quantize("x"))), b.weight()); }},
      {"its weight is not quantized",
       [](Builder& b) { return b.layer("aten.conv2d.default", b.dequantize(b.quantize("x")), "w"); }},
      {"scales along axis 1",
       [](Builder& b) { return b.layer("aten.conv2d.default", b.dequantize(b.quantize("x")), b.weight(4, 1)); }},
      {"quantized per tensor",
       [](Builder& b) {
         return b.layer("aten.conv2d.default", b.dequantize(b.quantize("x")), b.dequantize("w", 4, ElementType::int8));
       }},
      {"a 3-d convolution",
       [](Builder& b) { return b.layer("aten.conv3d.default", b.dequantize(b.quantize("x", 5), 5), b.weight(5), 5); }},
      {"a transposed convolution",
       [](Builder& b) { return b.layer("aten.conv_transpose2d.input", b.dequantize(b.quantize("x")), b.weight()); }},
      {"its activation is int8, and the operator takes uint8",
       [](Builder& b) {
         return b.layer("aten.conv2d.default",
                        b.dequantize(b.quantize("x", 4, ElementType::int8), 4, ElementType::int8), b.weight());
       }},
      {"its weight is uint8, not int8",
       [](Builder& b) {
         return b.layer("aten.conv2d.default", b.dequantize(b.quantize("x")), b.weight(4, 0, ElementType::uint8));
       }},
      {"its activation has 3 dimensions",
       [](Builder& b) { return b.layer("aten.linear.default", b.dequantize(b.quantize("x", 3), 3), b.weight(2), 3); }},
  };
  for (const Wrong& wrong : all) {
    Builder b;
    const std::string y = wrong.build(b);
    EXPECT_THAT(b.last(y).not_lowered, HasSubstr(wrong.words));
  }
  Builder linear;
  const std::string y = linear.layer(
      "aten.linear.default", linear.dequantize(linear.quantize("x", 2, ElementType::int8), 2, ElementType::int8),
      linear.weight(2), 2);
  EXPECT_EQ(linear.last(y).not_lowered, "");
}

TEST(ExportedLayers, OperatorsThatFollowAreNamedIfTheyAreNotFused) {
  Builder b;
  const std::string y = b.conv(b.dequantize(b.quantize("x")));
  EXPECT_EQ(b.last(b.add("aten.hardtanh_.default", {{"self", ValueName{y}}}, "h")).remark,
            "hardtanh behind it is fused by torch.compile only");
  EXPECT_EQ(b.last(b.add("aten.tanh.default", {{"self", ValueName{"h"}}}, "t")).remark,
            "hardtanh behind it is fused by torch.compile only");
}

}  // namespace
}  // namespace tieout
