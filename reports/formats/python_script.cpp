#include "reports/formats/python_script.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdint>
#include <string_view>
#include <vector>

#include "cases/case_predicates.h"
#include "cases/text/case_text.h"
#include "reports/text/document_text.h"

namespace tieout {
namespace {

// Returns "name = [1, 2, 3]", broken into lines if it is too long.
template <typename T, typename U = std::int64_t>
std::string assignment_of_numbers(std::string_view name, const std::vector<T>& values) {
  std::string items;
  std::string line;
  bool one_line = true;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::string item = python_literal(static_cast<U>(values[i])) + (i + 1 < values.size() ? ", " : "");
    const std::size_t width = name.size() + 4 + line.size() + item.size() + 1;
    if (width > kScriptWidth && !line.empty()) {
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

std::string list_of_extents(const Spatial& spatial, int dims) {
  return fmt::format("[{}]", fmt::join(spatial.end() - dims, spatial.end(), ", "));
}

// Returns the engine of that name in torch.backends.quantized.
Engine eager_engine(Engine engine) {
  if (is_fbgemm(engine)) return Engine::fbgemm;
  return engine == Engine::onednn_pointwise ? Engine::onednn : engine;
}

std::string head_text(const ConvCase& c, const std::string& case_line) {
  constexpr std::string_view kCompared = "how far they lie apart, and the elements that differ.";
  const std::string second = needs_direct_call(c) ? "in integers" : "by torch's own operator";
  std::string prints =
      c.output_type == OutputType::int32
          ? "Prints the int32 sums."
          : fmt::format("Prints manual_output_1, manual_output_2 and the output of {} {}",
                        needs_direct_call(c) ? "FBGEMM's\nexact contract," : "the\noperator,", kCompared);
  std::string text = fmt::format(
      "\"\"\"One quantized {}, {}. Written by\n\n"
      "    tieout check '{}' --python FILE\n\n"
      "Needs torch and nothing else. {}\n\"\"\"\n"
      "import torch\n\n"
      "torch.backends.quantized.engine = \"{}\"\n",
      is_linear(c) ? "linear layer" : "convolution",
      c.output_type == OutputType::int32 ? second : "by hand and " + second, case_line, prints,
      name(eager_engine(c.execution.engine)));
  text += fmt::format("torch.set_num_threads({})\n", c.execution.threads);
  if (c.execution.isa != Isa::native) {
    text += fmt::format("# Tieout forces FBGEMM to {}. Python cannot: here it takes the best that the CPU has.\n",
                        name(c.execution.isa));
  }
  return text;
}

// Returns the activations in the values that their type stores.
std::vector<std::int64_t> stored_activation(const ConvProblem& problem) {
  std::vector<std::int64_t> values(problem.activation.begin(), problem.activation.end());
  for (std::int64_t& value : values) value -= stored_shift(problem.spec.activation_type);
  return values;
}

// Returns the line that defines the window of a convolution; nothing for a linear layer.
std::string window_line(const ConvCase& c) {
  if (is_linear(c)) return {};
  return fmt::format("stride, padding, dilation, groups = {}, {}, {}, {}\n", list_of_extents(c.stride, c.dims),
                     list_of_extents(c.padding, c.dims), list_of_extents(c.dilation, c.dims), c.groups);
}

// Returns the part that defines the stored integers, the quantization parameters and the tensors made of them.
std::string case_text(const ConvProblem& problem, bool padded) {
  const ConvCase& c = problem.spec;
  const bool per_channel = c.granularity == Granularity::per_channel;
  const int shift = stored_shift(c.activation_type);
  std::string text = "\n# The case. A stored integer q stands for scale * (q - zero_point).\n" +
                     std::string(padded ? "# x contains the padding that only one side has: zero points.\n" : "") +
                     fmt::format("x_shape, w_shape = [{}], [{}]\n", fmt::join(activation_shape(c), ", "),
                                 fmt::join(weight_shape(c), ", ")) +
                     assignment_of_numbers("x_stored", stored_activation(problem)) +
                     fmt::format("x_scale, x_zero_point = {}, {}\n", python_literal(c.activation_scale),
                                 stored_activation_zero_point(c)) +
                     assignment_of_numbers("w_stored", problem.weight);
  if (per_channel) {
    text += assignment_of_numbers<double, double>("w_scales", c.weight_scales) +
            assignment_of_numbers<std::int64_t>("w_zero_points", c.weight_zero_points);
  } else {
    text += fmt::format("w_scale, w_zero_point = {}, {}\n", python_literal(c.weight_scales.front()),
                        c.weight_zero_points.front());
  }
  if (!c.bias.empty()) text += assignment_of_numbers<float, double>("bias", c.bias);
  if (!c.int32_bias.empty()) text += assignment_of_numbers("int32_bias", c.int32_bias);
  text += fmt::format("output_scale, output_zero_point = {}, {}\n", python_literal(c.output_scale),
                      stored_output_zero_point(c)) +
          window_line(c) + "\n" +
          (shift == 0
               ? ""
               : "# torch's operator takes uint8 activations: int8 ones and their zero point are 128 higher there.\n") +
          fmt::format(
              "x = torch._make_per_tensor_quantized_tensor(\n"
              "    torch.tensor({}, dtype=torch.uint8).reshape(x_shape), x_scale, x_zero_point{})\n",
              shift == 0 ? "x_stored" : "[q + 128 for q in x_stored]", shift == 0 ? "" : " + 128");
  if (c.execution.memory_format == MemoryFormat::channels_last) {
    text += fmt::format("x = x.contiguous(memory_format=torch.channels_last{})\n", c.dims == 3 ? "_3d" : "");
  }
  text += per_channel ? "w_scales = torch.tensor(w_scales, dtype=torch.float64)\n"
                        "w_zero_points = torch.tensor(w_zero_points)\n"
                        "w = torch._make_per_channel_quantized_tensor(\n"
                        "    torch.tensor(w_stored, dtype=torch.int8).reshape(w_shape), w_scales, w_zero_points, 0)\n"
                      : "w = torch._make_per_tensor_quantized_tensor(\n"
                        "    torch.tensor(w_stored, dtype=torch.int8).reshape(w_shape), w_scale, w_zero_point)\n";
  if (!c.int32_bias.empty()) return text + "int32_bias = torch.tensor(int32_bias, dtype=torch.float64)\n";
  return text + (c.bias.empty() ? "bias = None\n" : "bias = torch.tensor(bias, dtype=torch.float32)\n");
}

// Returns ", 1" for each dimension, the end of a shape that broadcasts a channel's value to every position.
std::string ones_of(const ConvCase& c) {
  std::string ones;
  for (int d = 0; d < c.dims && !is_linear(c); ++d) ones += ", 1";
  return ones;
}

std::string by_hand_text(const ConvCase& c) {
  const std::string ones = ones_of(c);
  const int shift = stored_shift(c.output_type);
  // The bias in real units.
  std::string sum = "y";
  if (!c.bias.empty()) sum = fmt::format("y + bias.reshape(1, -1{})", ones);
  if (!c.int32_bias.empty()) {
    const bool per_channel = c.granularity == Granularity::per_channel;
    sum = fmt::format("y + (int32_bias * x_scale * {}).reshape(1, -1{}).to(y.dtype)",
                      per_channel ? "w_scales.flatten()" : "w_scale", ones);
  }
  const bool relu = c.relu == Relu::on;
  const std::string function = is_linear(c) ? "multiply" : "convolve";
  const std::string call =
      is_linear(c) ? "torch.nn.functional.linear(x, w)"
                   : fmt::format("torch.nn.functional.conv{}d(x, w, None, stride, padding, dilation, groups)", c.dims);
  return fmt::format(
             "\n\ndef {0}(x, w):\n"
             "    y = {1}\n"
             "    return {2}\n"
             "\n\ndef stored(y):\n"
             "    # A NaN, which takes sums beyond float32, is 0.\n"
             "    return (y + output_zero_point).nan_to_num(nan=0.0).clamp({3}, {4})\n"
             "\n\n# By hand, dequantized: activations in float32, the rest in float64.\n"
             "x_float = (x.int_repr().int() - x.q_zero_point()) * x.q_scale()\n",
             function, call, sum, -shift, 255 - shift) +
         (c.granularity == Granularity::per_channel
              ? fmt::format("w_zero_points, w_scales = (q.reshape(-1, 1{0}) for q in (w_zero_points, w_scales))\n"
                            "w_float = (w.int_repr() - w_zero_points) * w_scales\n",
                            ones)
              : "w_float = (w.int_repr().double() - w_zero_point) * w_scale\n") +
         fmt::format("y = {}(x_float.double(), w_float)\n", function) +
         fmt::format("manual_output_1 = stored({}.round())\n",
                     relu ? "torch.relu(y / output_scale)" : "(y / output_scale)") +
         "print(\"manual_output_1:\\n\", manual_output_1)\n\n"
         "# By hand, dequantized by torch: everything in float32.\n" +
         fmt::format("y = {}(x.dequantize(), w.dequantize())\n", function) +
         fmt::format("manual_output_2 = stored({})\n",
                     relu ? "torch.relu((y / output_scale).round())" : "(y / output_scale).round()") +
         "print(\"manual_output_2:\\n\", manual_output_2)\n";
}

// Returns the part that computes FBGEMM's sums, and its output from them, for cases that no operator of torch takes.
std::string integer_text(const ConvCase& c) {
  const std::string ones = ones_of(c);
  const bool per_channel = c.granularity == Granularity::per_channel;
  const std::string of_channel = per_channel ? fmt::format(".reshape(-1, 1{})", ones) : "";
  std::string text = fmt::format(
      "\n# FBGEMM's exact contract in integers, which float64 holds exactly: no operator of torch takes such a case.\n"
      "sums = torch.nn.functional.conv{0}d(x.int_repr().double() - x.q_zero_point(), w.int_repr().double() - {1}{2},\n"
      "                                  None, stride, padding, dilation, groups)\n",
      c.dims, per_channel ? "torch.as_tensor(w_zero_points)" : "w_zero_point", of_channel);
  if (!c.int32_bias.empty()) text += fmt::format("sums = sums + int32_bias.reshape(1, -1{})\n", ones);
  text += "sums = (sums + 2**31) % 2**32 - 2**31  # int32, wraps\n";
  if (c.output_type == OutputType::int32) {
    return text + "conv_outputs = sums.int()\nprint(\"int32 sums:\\n\", conv_outputs)\n";
  }
  const int shift = stored_shift(c.output_type);
  const std::string lowest = c.relu == Relu::on ? "output_zero_point" : std::to_string(-shift);
  return text + fmt::format(
                    "multiplier = torch.tensor(x_scale, dtype=torch.float32) * torch.as_tensor({0}).float()\n"
                    "multiplier = multiplier / torch.tensor(output_scale, dtype=torch.float32)\n"
                    "y = (sums.float() * multiplier{1}).round()\n"
                    "fits = (y >= -2**31) & (y < 2**31)  # what does not is INT32_MIN\n"
                    "y = torch.where(fits, y, torch.full_like(y, -2**31)).clamp(-32768, 32767)\n"
                    "conv_outputs = (y + output_zero_point).clamp({2}, {3}).int()\n"
                    "print(\"FBGEMM's contract:\\n\", conv_outputs)\n",
                    per_channel ? "w_scales" : "w_scale",
                    per_channel ? fmt::format(".reshape(1, -1{})", ones) : std::string(), lowest, 255 - shift);
}

// Returns the call of the operator that PyTorch 2 export is lowered to, which takes plain tensors.
std::string exported_operator_text(const ConvCase& c) {
  const char* const type = c.output_type == OutputType::int8 ? "int8" : "uint8";
  const char* const post_operation = c.relu == Relu::on ? "relu" : "none";
  const std::string begin = fmt::format(
      "\n# torch's own operator, to which PyTorch 2 export is lowered\n"
      "weight_scales = torch.as_tensor({}, dtype=torch.float32).flatten()\n"
      "weight_zero_points = torch.zeros(weight_scales.numel(), dtype=torch.int32)\n",
      c.granularity == Granularity::per_channel ? "w_scales" : "[w_scale]");
  if (is_linear(c)) {
    const bool int8 = c.activation_type == ActivationType::int8;
    return begin +
           fmt::format(
               "{0}packed = torch.ops.onednn.qlinear_prepack(w.int_repr(), x_shape)\n"
               "conv_outputs = torch.ops.onednn.qlinear_pointwise(\n"
               "    {1}, x_scale, x_zero_point, packed, weight_scales, weight_zero_points, bias, output_scale,\n"
               "    output_zero_point, torch.{2}, \"{3}\", [], \"\")\n"
               "print(\"output of the operator:\\n\", conv_outputs)\n",
               int8 ? "# it takes int8 activations as they are\nx_int8 = torch.tensor(x_stored, "
                      "dtype=torch.int8).reshape(x_shape)\n"
                    : "",
               int8 ? "x_int8" : "x.int_repr()", type, post_operation);
  }
  return begin + fmt::format(
                     "packed = torch.ops.onednn.qconv_prepack(w.int_repr(), weight_scales, x.q_scale(), "
                     "x.q_zero_point(), stride,\n"
                     "                                        padding, dilation, groups, x_shape)\n"
                     "conv_outputs = torch.ops.onednn.qconv{}d_pointwise(\n"
                     "    x.int_repr(), x.q_scale(), x.q_zero_point(), packed, weight_scales, weight_zero_points, "
                     "bias, stride,\n"
                     "    padding, dilation, groups, output_scale, output_zero_point, torch.{}, \"{}\", [], \"\")\n"
                     "print(\"output of the operator:\\n\", conv_outputs)\n",
                     c.dims, type, post_operation);
}

std::string operator_text(const ConvCase& c) {
  if (c.execution.engine == Engine::onednn_pointwise) return exported_operator_text(c);
  const bool shifted = c.output_type == OutputType::int8;
  return fmt::format(
      "\n# torch's own operator\n"
      "packed = torch.ops.quantized.{0}_prepack(w, bias{4})\n"
      "y = torch.ops.quantized.{0}{1}(x, packed, output_scale, output_zero_point{2})\n"
      "conv_outputs = y.int_repr(){3}\n"
      "print(\"output produced by forward():\\n\", conv_outputs)\n",
      is_linear(c) ? "linear" : fmt::format("conv{}d", c.dims), c.relu == Relu::on ? "_relu" : "",
      shifted ? " + 128" : "", shifted ? ".int() - 128  # its output is uint8" : "",
      is_linear(c) ? "" : ", stride, padding, dilation, groups");
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
  // torch's operators have the same padding on both sides: what one side has in addition becomes part of x.
  const bool padded = !has_even_padding(problem.spec);
  const ConvProblem even = with_even_padding(problem);
  const ConvCase& c = even.spec;
  const std::string begin = head_text(c, case_line) + case_text(even, padded);
  if (c.output_type == OutputType::int32) return begin + integer_text(c);
  return begin + by_hand_text(c) + (needs_direct_call(c) ? integer_text(c) : operator_text(c)) +
         std::string(kComparison);
}

}  // namespace tieout
