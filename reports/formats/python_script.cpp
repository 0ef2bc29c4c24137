#include "reports/formats/python_script.h"

#include <fmt/core.h>

#include <cmath>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "cases/text/case_text.h"
#include "reports/text/document_text.h"

namespace tieout {
namespace {

constexpr std::size_t kLineWidth = 100;

std::string literal(std::int64_t value) { return fmt::format("{}", value); }

// Writes a float with the digits of its double: python reads doubles, and rounding twice could change the value.
std::string literal(double value) {
  return std::isinf(value) ? fmt::format("float(\"{}\")", python_float(value)) : python_float(value);
}

// Returns the values as "1, 2, 3".
std::string joined(std::span<const std::int64_t> values) {
  std::string text;
  for (const std::int64_t value : values) text.append(text.empty() ? "" : ", ").append(std::to_string(value));
  return text;
}

// Returns "name = [1, 2, 3]", broken into lines if it is too long.
template <typename T, typename U = std::int64_t>
std::string assignment(std::string_view name, const std::vector<T>& values) {
  std::string items;
  std::string line;
  bool one_line = true;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::string item = literal(static_cast<U>(values[i])) + (i + 1 < values.size() ? ", " : "");
    const std::size_t width = name.size() + 4 + line.size() + item.size() + 1;
    if (width > kLineWidth && !line.empty()) {
      line.pop_back();  // removes the space behind the comma
      items += "    " + line + "\n";
      line.clear();
      one_line = false;
    }
    line += item;
  }
  if (one_line) return fmt::format("{} = [{}]\n", name, line);
  return fmt::format("{} = [\n{}    {}\n]\n", name, items, line);
}

std::string list_of(const Spatial& spatial, int dims) {
  return fmt::format("[{}]", joined({spatial.end() - dims, spatial.end()}));
}

std::string head_text(const ConvCase& c, const std::string& case_line) {
  std::string text = fmt::format(
      "\"\"\"One quantized convolution, by hand and by torch's own operator. Written by\n\n"
      "    tieout check '{}' --python FILE\n\n"
      "Needs torch and nothing else. Prints manual_output_1, manual_output_2 and the output of the\n"
      "operator, how far they lie apart, and the elements that differ.\n\"\"\"\n"
      "import torch\n\n"
      "torch.backends.quantized.engine = \"{}\"\n",
      case_line, name(c.execution.engine));
  text += fmt::format("torch.set_num_threads({})\n", c.execution.threads);
  if (c.execution.isa != Isa::native) {
    text += fmt::format("# Tieout forces FBGEMM to {}. Python cannot: here it takes the best that the CPU has.\n",
                        name(c.execution.isa));
  }
  return text;
}

// Returns the part that defines the stored integers, the quantization parameters and the tensors made of them.
std::string case_text(const ConvProblem& problem) {
  const ConvCase& c = problem.spec;
  const bool per_channel = c.granularity == Granularity::per_channel;
  std::string text =
      "\n# The case. A stored integer q stands for scale * (q - zero_point).\n" +
      fmt::format("x_shape, w_shape = [{}], [{}]\n", joined(activation_shape(c)), joined(weight_shape(c))) +
      assignment("x_stored", problem.activation) +
      fmt::format("x_scale, x_zero_point = {}, {}\n", literal(c.activation_scale), c.activation_zero_point) +
      assignment("w_stored", problem.weight);
  if (per_channel) {
    text += assignment<double, double>("w_scales", c.weight_scales) +
            assignment<std::int64_t>("w_zero_points", c.weight_zero_points);
  } else {
    text +=
        fmt::format("w_scale, w_zero_point = {}, {}\n", literal(c.weight_scales.front()), c.weight_zero_points.front());
  }
  if (!c.bias.empty()) text += assignment<float, double>("bias", c.bias);
  text += fmt::format("output_scale, output_zero_point = {}, {}\n", literal(c.output_scale), c.output_zero_point) +
          fmt::format("stride, padding, dilation, groups = {}, {}, {}, {}\n\n", list_of(c.stride, c.dims),
                      list_of(c.padding, c.dims), list_of(c.dilation, c.dims), c.groups) +
          "x = torch._make_per_tensor_quantized_tensor(\n"
          "    torch.tensor(x_stored, dtype=torch.uint8).reshape(x_shape), x_scale, x_zero_point)\n";
  if (c.execution.memory_format == MemoryFormat::channels_last) {
    text += fmt::format("x = x.contiguous(memory_format=torch.channels_last{})\n", c.dims == 3 ? "_3d" : "");
  }
  text += per_channel ? "w_scales = torch.tensor(w_scales, dtype=torch.float64)\n"
                        "w_zero_points = torch.tensor(w_zero_points)\n"
                        "w = torch._make_per_channel_quantized_tensor(\n"
                        "    torch.tensor(w_stored, dtype=torch.int8).reshape(w_shape), w_scales, w_zero_points, 0)\n"
                      : "w = torch._make_per_tensor_quantized_tensor(\n"
                        "    torch.tensor(w_stored, dtype=torch.int8).reshape(w_shape), w_scale, w_zero_point)\n";
  text += c.bias.empty() ? "bias = None\n" : "bias = torch.tensor(bias, dtype=torch.float32)\n";
  return text;
}

std::string by_hand_text(const ConvCase& c) {
  std::string ones;  // shape that broadcasts a channel's value to every position
  for (int d = 0; d < c.dims; ++d) ones += ", 1";
  const bool relu = c.relu == Relu::on;
  return fmt::format(
             "\n\ndef convolve(x, w):\n"
             "    y = torch.nn.functional.conv{0}d(x, w, None, stride, padding, dilation, groups)\n"
             "    return {1}\n"
             "\n\ndef stored(y):\n"
             "    # A NaN, which takes sums beyond float32, is 0.\n"
             "    return (y + output_zero_point).nan_to_num(nan=0.0).clamp(0, 255)\n"
             "\n\n# By hand, dequantized: activations in float32, the rest in float64.\n"
             "x_float = (x.int_repr().int() - x.q_zero_point()) * x.q_scale()\n",
             c.dims, c.bias.empty() ? "y" : fmt::format("y + bias.reshape(1, -1{})", ones)) +
         (c.granularity == Granularity::per_channel
              ? fmt::format("w_zero_points, w_scales = (q.reshape(-1, 1{0}) for q in (w_zero_points, w_scales))\n"
                            "w_float = (w.int_repr() - w_zero_points) * w_scales\n",
                            ones)
              : "w_float = (w.int_repr().double() - w_zero_point) * w_scale\n") +
         "y = convolve(x_float.double(), w_float)\n" +
         fmt::format("manual_output_1 = stored({}.round())\n",
                     relu ? "torch.relu(y / output_scale)" : "(y / output_scale)") +
         "print(\"manual_output_1:\\n\", manual_output_1)\n\n"
         "# By hand, dequantized by torch: everything in float32.\n"
         "y = convolve(x.dequantize(), w.dequantize())\n" +
         fmt::format("manual_output_2 = stored({})\n",
                     relu ? "torch.relu((y / output_scale).round())" : "(y / output_scale).round()") +
         "print(\"manual_output_2:\\n\", manual_output_2)\n";
}

std::string operator_text(const ConvCase& c) {
  return fmt::format(
      "\n# torch's own operator\n"
      "packed = torch.ops.quantized.conv{0}d_prepack(w, bias, stride, padding, dilation, groups)\n"
      "y = torch.ops.quantized.conv{0}d{1}(x, packed, output_scale, output_zero_point)\n"
      "conv_outputs = y.int_repr()\n"
      "print(\"output produced by forward():\\n\", conv_outputs)\n",
      c.dims, c.relu == Relu::on ? "_relu" : "");
}

constexpr std::string_view kComparison = R"(
for name, manual in ("manual_output_1", manual_output_1), ("manual_output_2", manual_output_2):
    print(name, "and conv_outputs differ by:", (manual - conv_outputs).sum().item())
for name, manual in ("manual_output_1", manual_output_1), ("manual_output_2", manual_output_2):
    differing = (manual != conv_outputs).nonzero().tolist()
    print(f"{name}: {len(differing)} of {conv_outputs.numel()} elements differ")
    for index in differing[:20]:
        at = tuple(index)
        print(f"  {index}: {manual[at].item():g}, forward() {conv_outputs[at].item()}")
    if len(differing) > 20:
        print(f"  ... and {len(differing) - 20} more")
)";

}  // namespace

std::string python_script(const ConvProblem& problem, const std::string& case_line) {
  return head_text(problem.spec, case_line) + case_text(problem) + by_hand_text(problem.spec) +
         operator_text(problem.spec) + std::string(kComparison);
}

}  // namespace tieout
