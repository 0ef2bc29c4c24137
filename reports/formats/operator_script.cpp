#include "reports/formats/operator_script.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "cases/contents.h"
#include "cases/operators/operator_text.h"
#include "reports/formats/python_script.h"
#include "reports/text/document_text.h"

namespace tieout {
namespace {

// Returns "name = [1, 2, 3]", broken into lines if it is too long.
std::string assignment_of_items(std::string_view name, const std::vector<std::string>& items) {
  const std::string one_line = fmt::format("{} = [{}]\n", name, fmt::join(items, ", "));
  if (one_line.size() <= kScriptWidth + 1) return one_line;
  std::string text = fmt::format("{} = [\n", name);
  std::string line;
  for (const std::string& item : items) {
    if (4 + line.size() + item.size() + 2 > kScriptWidth) {
      line.pop_back();  // removes the space behind the comma
      text += "    " + line + "\n";
      line.clear();
    }
    line += item + ", ";
  }
  line.resize(line.size() - 2);
  return text + "    " + line + "\n]\n";
}

// Returns the values as they lie in memory; positions between them are 0.
template <typename T>
std::vector<T> in_memory(const std::vector<T>& values, const Shape& shape, const Shape& strides) {
  std::int64_t span = 1;
  for (std::size_t d = 0; d < shape.size(); ++d) span += strides[d] * (shape[d] - 1);
  std::vector<T> memory(static_cast<std::size_t>(span));
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::vector<std::int64_t> index = unravel(static_cast<std::int64_t>(i), shape);
    std::int64_t offset = 0;
    for (std::size_t d = 0; d < shape.size(); ++d) offset += index[d] * strides[d];
    memory[static_cast<std::size_t>(offset)] = values[i];
  }
  return memory;
}

std::string input_name(std::size_t i) { return i == 0 ? "x" : fmt::format("x{}", i + 1); }

std::string input_text(const OperatorCase& c, std::size_t i) {
  const OperatorInput& input = c.inputs[i];
  const Shape strides = strides_of(c, i);
  const std::string name = input_name(i);
  const std::string view =
      fmt::format("as_strided([{}], [{}])", fmt::join(input.shape, ", "), fmt::join(strides, ", "));
  std::vector<std::string> items;
  if (c.schema->has_float_input) {
    for (const float value : in_memory(input.floats, input.shape, strides)) items.push_back(python_literal(value));
    return assignment_of_items(name + "_stored", items) +
           fmt::format("{0} = torch.tensor({0}_stored, dtype=torch.float32).{1}\n", name, view);
  }
  for (const std::uint8_t value : in_memory(input.contents.values, input.shape, strides)) {
    items.push_back(std::to_string(value));
  }
  return assignment_of_items(name + "_stored", items) +
         fmt::format(
             "{0}_scale, {0}_zero_point = {1}, {2}\n"
             "{0} = torch._make_per_tensor_quantized_tensor(\n"
             "    torch.tensor({0}_stored, dtype=torch.uint8), {0}_scale, {0}_zero_point).{3}\n",
             name, python_literal(input.quantization.scale), input.quantization.zero_point, view);
}

std::string tensor_of_numbers(const OperatorCase& c, std::string_view name) {
  std::vector<std::string> items;
  for (const double value : attribute(c, name)) items.push_back(python_literal(value));
  return fmt::format("torch.tensor([{}])", fmt::join(items, ", "));
}

std::string extents_of(const OperatorCase& c, std::string_view name) {
  return fmt::format("[{}]", fmt::join(extents(c, name), ", "));
}

std::string boolean(bool value) { return value ? "True" : "False"; }
std::string relu_of(const OperatorCase& c) { return flag(c, "relu") ? "_relu" : ""; }

int spatial_dims(const OperatorCase& c) { return static_cast<int>(c.inputs.front().shape.size()) - 2; }

// The call of torch's operator with the inputs of f(x, x2, ...).
struct TorchCall {
  std::string_view name;
  // True if each output element depends on one element of each input.
  bool elementwise;
  std::string (*text)(const OperatorCase& c);
};

constexpr std::string_view kOutput = "output_scale, output_zero_point";

std::string pair_call(const OperatorCase& c) {
  return fmt::format("torch.ops.quantized.{}{}(x, x2, {})", c.schema->name, relu_of(c), kOutput);
}
std::string number_call(const OperatorCase& c) {
  return fmt::format("torch.ops.quantized.{}{}(x, {})", c.schema->name, relu_of(c), python_literal(number(c, "value")));
}
std::string function_call(const OperatorCase& c) {
  return fmt::format("torch.ops.quantized.{}(x, {})", c.schema->name, kOutput);
}

constexpr std::array kCalls{
    TorchCall{"add", true, pair_call},
    TorchCall{"mul", true, pair_call},
    TorchCall{"add_scalar", true, number_call},
    TorchCall{"mul_scalar", true, number_call},
    TorchCall{"hardswish", true, function_call},
    TorchCall{"hardsigmoid", true, [](const OperatorCase&) { return std::string("torch.ops.aten.hardsigmoid(x)"); }},
    TorchCall{"sigmoid", true, function_call},
    TorchCall{"leaky_relu", true,
              [](const OperatorCase& c) {
                return fmt::format("torch.ops.quantized.leaky_relu(x, {}, False, {})",
                                   python_literal(number(c, "slope")), kOutput);
              }},
    TorchCall{"relu", true, [](const OperatorCase&) { return std::string("torch.relu(x)"); }},
    TorchCall{"clamp", true,
              [](const OperatorCase& c) {
                return fmt::format("torch.clamp(x, {}, {})", python_literal(number(c, "min")),
                                   python_literal(number(c, "max")));
              }},
    TorchCall{"batch_norm", false,
              [](const OperatorCase& c) {
                return fmt::format("torch.ops.quantized.batch_norm{}d{}(x, {}, {}, {}, {}, {}, {})", spatial_dims(c),
                                   relu_of(c), tensor_of_numbers(c, "weight"), tensor_of_numbers(c, "bias"),
                                   tensor_of_numbers(c, "mean"), tensor_of_numbers(c, "var"),
                                   python_literal(number(c, "eps")), kOutput);
              }},
    TorchCall{
        "quantize", true,
        [](const OperatorCase&) { return fmt::format("torch.quantize_per_tensor(x, {}, torch.quint8)", kOutput); }},
    TorchCall{"dequantize", true, [](const OperatorCase&) { return std::string("x.dequantize()"); }},
    TorchCall{"cat", false,
              [](const OperatorCase& c) {
                std::vector<std::string> names;
                for (std::size_t i = 0; i < c.inputs.size(); ++i) names.push_back(input_name(i));
                return fmt::format("torch.ops.quantized.cat{}([{}], {}, {})", relu_of(c), fmt::join(names, ", "),
                                   integer(c, "dim"), kOutput);
              }},
    TorchCall{"max_pool", false,
              [](const OperatorCase& c) {
                return fmt::format("torch.ops.quantized.max_pool{}d(x, {}, {}, {}, {}, {})", spatial_dims(c),
                                   extents_of(c, "kernel"), extents_of(c, "stride"), extents_of(c, "padding"),
                                   extents_of(c, "dilation"), boolean(flag(c, "ceil_mode")));
              }},
    TorchCall{"avg_pool", false,
              [](const OperatorCase& c) {
                const std::int64_t divisor = integer(c, "divisor");
                return fmt::format("torch.ops.aten.avg_pool{}d(x, {}, {}, {}, {}, {}, {})", spatial_dims(c),
                                   extents_of(c, "kernel"), extents_of(c, "stride"), extents_of(c, "padding"),
                                   boolean(flag(c, "ceil_mode")), boolean(!flag(c, "exclude_pad")),
                                   divisor == 0 ? std::string("None") : std::to_string(divisor));
              }},
    TorchCall{"adaptive_avg_pool", false,
              [](const OperatorCase& c) {
                return fmt::format("torch.nn.functional.adaptive_avg_pool{}d(x, {})", spatial_dims(c),
                                   extents_of(c, "size"));
              }},
    TorchCall{"mean", false, [](const OperatorCase& c) {
                std::vector<std::int64_t> dims;
                for (const double d : attribute(c, "dims")) dims.push_back(static_cast<std::int64_t>(d));
                return fmt::format("torch.mean(x, [{}], {})", fmt::join(dims, ", "), boolean(flag(c, "keepdim")));
              }}};

// Runs the operator on each distinct set of values alone.
constexpr std::string_view kAlone = R"(
# The same values alone, in tensors of one element, which torch's scalar code computes.
inputs = [q.reshape(-1) for q in torch.broadcast_tensors(*inputs)]
stored = list(zip(*[(q.int_repr() if q.is_quantized else q).tolist() for q in inputs]))
alone = {}
for i, values in enumerate(stored):
    if values not in alone:
        alone[values] = as_numbers(operator(*[q[i:i + 1].clone() for q in inputs])).item()
y = as_numbers(y).reshape(-1).tolist()
differing = [i for i in range(len(y)) if y[i] != alone[stored[i]]]
print(f"{len(differing)} of {len(y)} elements differ from the same values alone")
for i in differing[:20]:
    print(f"  element {i}: {stored[i]} gives {y[i]} in the tensor, {alone[stored[i]]} alone")
if len(differing) > 20:
    print(f"  ... and {len(differing) - 20} more")
)";

}  // namespace

std::string operator_script(const OperatorCase& c) {
  const OperatorCase full = with_contents(c);
  const auto call = std::ranges::find(kCalls, c.schema->name, &TorchCall::name);
  std::string text = fmt::format(
      "\"\"\"One call of torch's quantized operator {}. Written by\n\n"
      "    tieout check '{}' --python FILE\n\n"
      "Needs torch and nothing else. Prints the operator's output{}.\n\"\"\"\n"
      "import torch\n\n"
      "torch.set_num_threads({})\n\n"
      "# The case. A stored integer q stands for scale * (q - zero_point).\n",
      c.schema->name, print(c),
      call->elementwise ? ", and the elements at which the same values alone\ngive another result" : "", c.threads);
  std::vector<std::string> names;
  for (std::size_t i = 0; i < c.inputs.size(); ++i) {
    text += input_text(full, i);
    names.push_back(input_name(i));
  }
  const bool has_output = c.schema->output_parameters == OutputParameters::own && !c.schema->has_float_output;
  if (has_output) text += fmt::format("{} = {}, {}\n", kOutput, python_literal(c.output.scale), c.output.zero_point);
  text += fmt::format(
      "\n\ndef operator({0}):\n    return {1}\n"
      "\n\ndef as_numbers(q):\n    return q.int_repr() if q.is_quantized else q\n"
      "\n\ninputs = [{0}]\ny = operator(*inputs)\nprint(\"{2}:\\n\", as_numbers(y))\n",
      fmt::join(names, ", "), call->text(c), c.schema->name);
  if (call->elementwise) text += kAlone;
  return text;
}

std::string script_of(const AnyCase& c) {
  if (const auto* const conv = std::get_if<ConvCase>(&c)) return python_script(with_contents(*conv), print(*conv));
  return operator_script(std::get<OperatorCase>(c));
}

}  // namespace tieout
