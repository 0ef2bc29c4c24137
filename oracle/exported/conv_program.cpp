#include "oracle/exported/conv_program.h"

#include <cstring>
#include <utility>

namespace tieout {
namespace {

template <typename T>
void store(ExportedProgram& program, const std::string& name, ElementType type, Shape sizes,
           const std::vector<T>& data) {
  StoredTensor tensor{.type = type, .sizes = std::move(sizes), .blob = program.blobs.size()};
  tensor.strides.resize(tensor.sizes.size());
  std::int64_t stride = 1;
  for (std::size_t i = tensor.sizes.size(); i-- > 0;) {
    tensor.strides[i] = stride;
    stride *= tensor.sizes[i];
  }
  std::string bytes(data.size() * sizeof(T), '\0');
  if (!data.empty()) std::memcpy(bytes.data(), data.data(), bytes.size());
  program.blobs.push_back(std::move(bytes));
  program.stored.emplace(name, std::move(tensor));
}

// The parameters of quantize_per_tensor and dequantize_per_tensor. Bytes are uint8, 128 higher than int8 ones: the
// difference to the zero point, and so each step of the computation, is the same.
std::vector<NamedArgument> per_tensor(const char* input, double scale, std::int64_t zero_point) {
  return {{"input", ValueName{input}},      {"scale", scale},
          {"zero_point", zero_point},       {"quant_min", std::int64_t{0}},
          {"quant_max", std::int64_t{255}}, {"dtype", ElementType::uint8}};
}

std::vector<Whole> wholes(const Spatial& spatial, int dims) { return {spatial.end() - dims, spatial.end()}; }

}  // namespace

ExportedProgram exported_program_of(const ConvProblem& problem) {
  const ConvCase& c = problem.spec;
  ExportedProgram program{.inputs = {"x"}, .outputs = {"y"}};
  store(program, "w", ElementType::int8, weight_shape(c), problem.weight);
  const bool per_channel = c.granularity == Granularity::per_channel;
  std::vector<NamedArgument> weight{{"input", ValueName{"w"}},
                                    {"quant_min", std::int64_t{-128}},
                                    {"quant_max", std::int64_t{127}},
                                    {"dtype", ElementType::int8}};
  if (per_channel) {
    const Shape channels{c.out_channels};
    store(program, "scales", ElementType::float32, channels,
          std::vector<float>(c.weight_scales.begin(), c.weight_scales.end()));
    store(program, "zero_points", ElementType::int64, channels, c.weight_zero_points);
    weight.insert(
        weight.end(),
        {{"scales", ValueName{"scales"}}, {"zero_points", ValueName{"zero_points"}}, {"axis", std::int64_t{0}}});
  } else {
    weight.insert(weight.end(), {{"scale", c.weight_scales.front()}, {"zero_point", c.weight_zero_points.front()}});
  }
  const std::string dequantize = "quantized_decomposed.dequantize_per_";
  program.nodes.push_back({.op = dequantize + (per_channel ? "channel.default" : "tensor.default"),
                           .inputs = std::move(weight),
                           .outputs = {"float_w"}});
  program.nodes.push_back({.op = dequantize + "tensor.default",
                           .inputs = per_tensor("x", c.activation_scale, c.activation_zero_point),
                           .outputs = {"float_x"}});
  std::vector<NamedArgument> conv{{"input", ValueName{"float_x"}},          {"weight", ValueName{"float_w"}},
                                  {"stride", wholes(c.stride, c.dims)},     {"padding", wholes(c.padding, c.dims)},
                                  {"dilation", wholes(c.dilation, c.dims)}, {"groups", c.groups}};
  if (!c.bias.empty()) {
    store(program, "b", ElementType::float32, {c.out_channels}, c.bias);
    conv.push_back({"bias", ValueName{"b"}});
  }
  program.nodes.push_back(
      {.op = "aten.conv" + std::to_string(c.dims) + "d.default", .inputs = std::move(conv), .outputs = {"sum"}});
  const bool relu = c.relu == Relu::on;
  if (relu)
    program.nodes.push_back(
        {.op = "aten.relu.default", .inputs = {{"self", ValueName{"sum"}}}, .outputs = {"positive"}});
  program.nodes.push_back({.op = "quantized_decomposed.quantize_per_tensor.default",
                           .inputs = per_tensor(relu ? "positive" : "sum", c.output_scale, c.output_zero_point),
                           .outputs = {"y"}});
  return program;
}

}  // namespace tieout
