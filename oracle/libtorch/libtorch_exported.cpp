#include "oracle/libtorch/libtorch_exported.h"

#include <ATen/core/Tensor.h>
#include <ATen/core/ivalue.h>
#include <ATen/ops/from_blob.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <utility>

#include "oracle/exported/exported_operators.h"
#include "oracle/libtorch/libtorch_exported_parts.h"
#include "oracle/libtorch/libtorch_global_state.h"
#include "oracle/libtorch/libtorch_guard.h"
#include "oracle/libtorch/libtorch_values.h"
#include "oracle/libtorch/libtorch_weights.h"

namespace tieout {
namespace {

using Kind = ModelError::Kind;

at::Tensor stored_tensor(const StoredTensor& stored, const std::string& blob) {
  const at::ScalarType type = scalar_type(stored.type);
  const auto* const data = blob.data() + static_cast<std::size_t>(stored.offset) * c10::elementSize(type);
  // from_blob() takes no pointer to const; clone() copies, with the strides of a dense tensor.
  return at::from_blob(const_cast<char*>(data), stored.sizes, stored.strides, type).clone();
}

std::vector<double> doubles_of(const at::Tensor& t) {
  const at::Tensor dense = t.to(at::kDouble).contiguous();
  return {dense.const_data_ptr<double>(), dense.const_data_ptr<double>() + dense.numel()};
}

std::vector<std::int64_t> wholes_of(const at::Tensor& t) {
  const at::Tensor dense = t.to(at::kLong).contiguous();
  return {dense.const_data_ptr<std::int64_t>(), dense.const_data_ptr<std::int64_t>() + dense.numel()};
}

// Returns N x C x spatial as N x spatial x C, dense. linear: features are last already.
at::Tensor features_last(const at::Tensor& t, bool linear) {
  return linear || t.dim() < 3 ? t.contiguous() : t.movedim(1, -1).contiguous();
}

// Returns bytes as a case holds them.
std::vector<std::uint8_t> case_bytes(const at::Tensor& t, bool linear) {
  const at::Tensor dense = features_last(t, linear);
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(dense.numel()));
  std::memcpy(bytes.data(), dense.const_data_ptr(), bytes.size());
  if (t.scalar_type() == at::kChar) {
    for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(byte ^ 0x80U);
  }
  return bytes;
}

LayerValues layer_values(const at::Tensor& t, bool linear) {
  if (t.scalar_type() == at::kByte || t.scalar_type() == at::kChar) return {case_bytes(t, linear), {}};
  const at::Tensor dense = features_last(t.to(at::kFloat), linear);
  return {{}, {dense.const_data_ptr<float>(), dense.const_data_ptr<float>() + dense.numel()}};
}

// Returns the bytes as a tensor like y.
at::Tensor with_bytes(const at::Tensor& y, std::vector<std::uint8_t> bytes, bool linear) {
  TORCH_CHECK(static_cast<std::int64_t>(bytes.size()) == y.numel(), "a replacement of another size");
  if (y.scalar_type() == at::kChar) {
    for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(byte ^ 0x80U);
  }
  const bool moved = !linear && y.dim() >= 3;
  const at::Tensor like = moved ? y.movedim(1, -1) : y;
  at::Tensor ours = at::from_blob(bytes.data(), like.sizes(), y.scalar_type()).clone();
  if (moved) ours = ours.movedim(-1, 1);
  at::Tensor result = y.clone();
  return result.copy_(ours);
}

CapturedConv captured(const ExportedCall& call, const ExportedLayer& layer, std::int64_t number) {
  return {.name = layer.name,
          .op = layer.op,
          .call = number,
          .spec = call.spec,
          .activation = call.activation,
          .weight = call.weight,
          .output = call.exported.bytes,
          .output_shape = call.output_shape};
}

class Exported final : public ExportedModel {
 public:
  Exported(ExportedProgram program, std::vector<ExportedLayer> layers)
      : program_(std::move(program)), layers_(std::move(layers)), last_use_(program_.nodes.size() + 1) {
    for (const auto& [name, stored] : program_.stored)
      stored_.emplace(name, stored_tensor(stored, program_.blobs[stored.blob]));
    program_.blobs.clear();
    std::map<std::string, std::size_t> last;
    for (std::size_t i = 0; i < program_.nodes.size(); ++i) {
      for (const NamedArgument& input : program_.nodes[i].inputs) {
        for (const std::string& name : names_in(input.value)) last[name] = i;
      }
      for (const std::string& output : program_.nodes[i].outputs) last.try_emplace(output, i);
    }
    for (std::size_t i = 0; i < layers_.size(); ++i) {
      const ExportedLayer& layer = layers_[i];
      if (!layer.quantized) continue;
      ends_at_[layer.last] = i;
      for (const std::size_t node : layer.nodes) part_of_[node] = i;
      for (const std::string* name : {&layer.x, &layer.w, &layer.w_scales, &layer.w_zero_points, &layer.bias,
                                      &layer.summand, &layer.summand_bytes}) {
        if (const auto found = last.find(*name); found != last.end())
          found->second = std::max(found->second, layer.last);
      }
    }
    for (const std::string& output : program_.outputs) last[output] = program_.nodes.size();
    for (const auto& [name, node] : last) last_use_[node].push_back(name);
  }

  ModelResult<ModelRun> run_layers(const ModelInput& input, const std::vector<LayerWay>& ways,
                                   const OnExportedCall& seen) override {
    const WithoutDeprecation quiet;
    guard_tensors(false);
    select({.engine = Engine::onednn});
    const c10::InferenceMode inference;
    if (input.arguments.size() != program_.inputs.size()) {
      return model_error(Kind::refused, "the program takes " + std::to_string(program_.inputs.size()) +
                                            " tensors, and the input has " + std::to_string(input.arguments.size()));
    }
    ModelRun result;
    std::size_t i = 0;
    try {
      ExportedValues values(stored_.begin(), stored_.end());
      for (std::size_t a = 0; a < input.arguments.size(); ++a) {
        values[program_.inputs[a]] = tensor_of(input.arguments[a]);
      }
      for (; i < program_.nodes.size(); ++i) {
        run_node(i, ways, seen, values, result);
        for (const std::string& name : last_use_[i]) values.erase(name);
      }
      for (const std::string& output : program_.outputs) collect(find_value(values, output), result.outputs);
    } catch (const std::exception& error) {
      if (is_out_of_memory(error)) return model_error(Kind::no_memory, reason_of(error));
      const std::string where = i < program_.nodes.size() ? place_of(i) + ": " : "";
      return model_error(Kind::refused, where + reason_of(error));
    }
    return result;
  }

  std::size_t arguments() const override { return program_.inputs.size(); }
  std::int64_t layers() const override {
    return std::ranges::count_if(layers_, [](const ExportedLayer& layer) { return layer.quantized; });
  }

  ModelResult<ModelRun> run(const ModelInput& input, const ModelObserver& observer) override {
    if (!observer.conv) return run_layers(input, {}, {});
    std::int64_t calls = 0;
    return run_layers(input, {}, [&](const ExportedCall& call) -> std::optional<std::vector<std::uint8_t>> {
      if (!call.no_case.empty() || call.exported.bytes.empty() || !call.summand.empty()) return std::nullopt;
      return observer.conv(captured(call, layers_[call.layer], calls++));
    });
  }

 private:
  std::string place_of(std::size_t i) const {
    const ExportedNode& node = program_.nodes[i];
    const std::string name = node.outputs.empty() ? std::string() : " '" + node.outputs.front() + "'";
    return node.op + name + ", operator " + std::to_string(i + 1) + " of " + std::to_string(program_.nodes.size()) +
           (node.module.empty() ? "" : ", in " + node.module);
  }

  void run_node(std::size_t i, const std::vector<LayerWay>& ways, const OnExportedCall& seen, ExportedValues& values,
                ModelRun& result) {
    const ExportedNode& node = program_.nodes[i];
    if (const auto part = part_of_.find(i); part != part_of_.end()) {
      const std::size_t index = part->second;
      const ExportedLayer& layer = layers_[index];
      if (index < ways.size() && ways[index] == LayerWay::lowered && layer.not_lowered.empty()) {
        if (i == layer.last) values[layer.y] = call_lowered(layer, program_.nodes[layer.node], values);
        return;
      }
    }
    const std::vector<c10::IValue> results = compute_node(node, values);
    for (std::size_t o = 0; o < node.outputs.size() && o < results.size(); ++o) values[node.outputs[o]] = results[o];
    TORCH_CHECK(results.size() >= node.outputs.size(), "it has ", results.size(), " results");
    if (!result.quantization && node.op == "quantized_decomposed.quantize_per_tensor.default") {
      const Argument* const scale = node.find("scale");
      const Argument* const zero_point = node.find("zero_point");
      if (scale != nullptr && zero_point != nullptr && std::holds_alternative<double>(*scale) &&
          std::holds_alternative<std::int64_t>(*zero_point)) {
        result.quantization = {std::get<double>(*scale), std::get<std::int64_t>(*zero_point)};
      }
    }
    if (const auto end = ends_at_.find(i); end != ends_at_.end() && seen) show(end->second, seen, values);
  }

  // Passes the layer, whose result has been computed, to `seen`.
  void show(std::size_t index, const OnExportedCall& seen, ExportedValues& values) {
    const ExportedLayer& layer = layers_[index];
    const ExportedNode& node = program_.nodes[layer.node];
    const bool linear = layer.dims == 0;
    const at::Tensor y = tensor_value(values, layer.y);
    ExportedCall call{.layer = index, .output_shape = y.sizes().vec()};
    call.exported = layer_values(y, linear);
    std::vector<std::uint8_t> activation;
    at::Tensor weight;
    call.no_case = describe(layer, node, values, call.spec);
    if (call.no_case.empty()) {
      activation = case_bytes(tensor_value(values, layer.x), linear);
      weight = tensor_value(values, layer.w).contiguous();
      call.activation = activation;
      call.weight = {weight.const_data_ptr<std::int8_t>(), static_cast<std::size_t>(weight.numel())};
      if (!layer.summand.empty()) call.summand = layer_values(tensor_value(values, layer.summand), linear).floats;
    }
    if (layer.not_lowered.empty()) {
      try {
        call.lowered = layer_values(call_lowered(layer, node, values), linear);
      } catch (const std::exception& error) {
        if (is_out_of_memory(error)) throw;
        call.lowered_error = reason_of(error);
      }
    }
    if (auto replacement = seen(call)) values[layer.y] = with_bytes(y, std::move(*replacement), linear);
  }

  // Describes the layer as a case. Returns why it is none, or an empty string.
  static std::string describe(const ExportedLayer& layer, const ExportedNode& node, const ExportedValues& values,
                              ConvCase& c) {
    const at::Tensor& x = tensor_value(values, layer.x);
    const at::Tensor& w = tensor_value(values, layer.w);
    const LayerGeometry geometry = geometry_of(node, layer.dims);
    if (w.scalar_type() != at::kChar) return "its weight is not int8";
    if (!layer.x_quantization) return "its activation's scale is computed while the program runs";
    const auto is_byte = [](ElementType type) { return type == ElementType::uint8 || type == ElementType::int8; };
    if (!is_byte(layer.x_quantization->type))
      return std::string("its activation is ") + name(layer.x_quantization->type);
    if (!geometry.known) return "its padding is given by a word";
    const bool linear = layer.dims == 0;
    if (linear ? x.dim() < 1 : x.dim() != layer.dims + 2) return "its activation has no batch";
    c.dims = linear ? 2 : layer.dims;
    c.execution = {.engine = Engine::fbgemm, .call = linear ? Call::linear : Call::conv};
    c.batch = linear ? x.numel() / std::max<std::int64_t>(1, x.size(-1)) : x.size(0);
    c.in_channels = linear ? x.size(-1) : x.size(1);
    c.out_channels = w.size(0);
    c.groups = geometry.groups;
    if (!linear) {
      c.input = trailing({x.sizes().data(), x.sizes().size()});
      c.kernel = trailing({w.sizes().data(), w.sizes().size()});
    }
    c.stride = geometry.stride;
    c.padding = geometry.padding;
    c.dilation = geometry.dilation;
    c.activation_type = layer.x_quantization->type == ElementType::int8 ? ActivationType::int8 : ActivationType::uint8;
    c.activation_scale = layer.x_quantization->scale;
    c.activation_zero_point = layer.x_quantization->zero_point + stored_shift(c.activation_type);
    if (!layer.w_scales.empty()) {
      c.granularity = Granularity::per_channel;
      c.weight_scales = doubles_of(tensor_value(values, layer.w_scales));
      c.weight_zero_points = wholes_of(tensor_value(values, layer.w_zero_points));
    } else if (layer.w_quantization) {
      c.weight_scales = {layer.w_quantization->scale};
      c.weight_zero_points = {layer.w_quantization->zero_point};
    } else {
      return "its weight's scale is computed while the program runs";
    }
    if (!layer.bias.empty()) {
      for (const double b : doubles_of(tensor_value(values, layer.bias))) c.bias.push_back(static_cast<float>(b));
    }
    c.relu = layer.relu ? Relu::on : Relu::off;
    if (layer.y_quantization) {
      const ValueQuantization& q = *layer.y_quantization;
      if (!is_byte(q.type)) return std::string("its result is ") + name(q.type);
      c.output_type = q.type == ElementType::int8 ? OutputType::int8 : OutputType::uint8;
      c.output_scale = q.scale;
      c.output_zero_point = q.zero_point + stored_shift(c.output_type);
    }
    return {};
  }

  ExportedProgram program_;
  std::vector<ExportedLayer> layers_;
  std::map<std::string, at::Tensor> stored_;
  std::vector<std::vector<std::string>> last_use_;        // by node: the values that nothing behind it uses
  std::map<std::size_t, std::size_t> ends_at_, part_of_;  // by node: the layer
};

}  // namespace

ModelResult<std::unique_ptr<ExportedModel>> open_exported(ExportedProgram program, std::vector<ExportedLayer> layers) {
  // Operators that are not called are refused before anything runs.
  for (std::size_t i = 0; i < program.nodes.size(); ++i) {
    const std::string& op = program.nodes[i].op;
    if (op.starts_with("quantized_decomposed.") || op.starts_with("_operator.") || asserts_only(op) ||
        op == "aten.sym_size.int" || is_known_operator(op)) {
      continue;
    }
    return model_error(Kind::unreadable, "operator " + std::to_string(i + 1) + " of " +
                                             std::to_string(program.nodes.size()) + ", " + op + ": " +
                                             kUnknownOperator);
  }
  try {
    return std::make_unique<Exported>(std::move(program), std::move(layers));
  } catch (const std::exception& error) {
    return model_error(is_out_of_memory(error) ? Kind::no_memory : Kind::unreadable, reason_of(error));
  }
}

}  // namespace tieout
