#include "oracle/exported/exported_layers.h"

#include <algorithm>
#include <array>
#include <set>
#include <string_view>
#include <utility>

namespace tieout {
namespace {

constexpr std::string_view kDecomposed = "quantized_decomposed.";
constexpr std::string_view kDequantize = "quantized_decomposed.dequantize_per_tensor.";

struct LayerOperator {
  std::string_view op;  // without the overload
  int dims;             // 0: linear, -1: as the activation has
  bool transposed;
};
constexpr std::array<LayerOperator, 8> kLayers{{{"aten.conv1d", 1, false},
                                                {"aten.conv2d", 2, false},
                                                {"aten.conv3d", 3, false},
                                                {"aten.convolution", -1, false},
                                                {"aten.linear", 0, false},
                                                {"aten.conv_transpose1d", 1, true},
                                                {"aten.conv_transpose2d", 2, true},
                                                {"aten.conv_transpose3d", 3, true}}};

// Returns the operator without its overload and without the mark of operators in place: "aten.relu" for
// "aten.relu_.default".
std::string_view base_of(std::string_view op) {
  op = op.substr(0, op.rfind('.'));
  if (op.ends_with('_')) op.remove_suffix(1);
  return op;
}

std::string_view without_namespace(std::string_view op) { return op.substr(op.find('.') + 1); }

template <typename T>
const T* held(const ExportedNode& node, std::string_view argument) {
  const Argument* const found = node.find(argument);
  return found == nullptr ? nullptr : std::get_if<T>(found);
}

// Returns the quantization that a node quantizes or dequantizes by; nullopt if its parameters are tensors.
std::optional<ValueQuantization> quantization_of(const ExportedNode& node) {
  const auto* const scale = held<double>(node, "scale");
  const auto* const zero_point = held<std::int64_t>(node, "zero_point");
  const auto* const lowest = held<std::int64_t>(node, "quant_min");
  const auto* const highest = held<std::int64_t>(node, "quant_max");
  const auto* const type = held<ElementType>(node, "dtype");
  if (scale == nullptr || zero_point == nullptr || lowest == nullptr || highest == nullptr || type == nullptr)
    return {};
  return ValueQuantization{*scale, *zero_point, *lowest, *highest, *type};
}

class Finder {
 public:
  explicit Finder(const ExportedProgram& program) : program_(program) {
    for (std::size_t i = 0; i < program.nodes.size(); ++i) {
      for (const std::string& output : program.nodes[i].outputs) producer_.emplace(output, i);
      for (const NamedArgument& input : program.nodes[i].inputs) {
        for (const std::string& name : names_in(input.value)) users_[name].insert(i);
      }
    }
    for (const std::string& output : program.outputs) users_[output].insert(program.nodes.size());
  }

  std::vector<ExportedLayer> find() {
    std::vector<ExportedLayer> layers;
    for (std::size_t i = 0; i < program_.nodes.size(); ++i) {
      const std::string_view base = base_of(program_.nodes[i].op);
      const auto known = std::ranges::find_if(kLayers, [&](const LayerOperator& layer) { return layer.op == base; });
      if (known != kLayers.end() && !program_.nodes[i].outputs.empty()) layers.push_back(layer(i, *known));
    }
    return layers;
  }

 private:
  // Returns the node that computes the value; nullptr for inputs and weights.
  const ExportedNode* producer(const std::string& value) const {
    const auto found = producer_.find(value);
    return found == producer_.end() ? nullptr : &program_.nodes[found->second];
  }

  // Returns the only node that uses the value; nullopt if there are several or the program returns it.
  std::optional<std::size_t> only_user(const std::string& value) const {
    const auto found = users_.find(value);
    if (found == users_.end() || found->second.size() != 1) return {};
    const std::size_t user = *found->second.begin();
    return user < program_.nodes.size() ? std::optional(user) : std::nullopt;
  }

  std::size_t rank_of(const std::string& value) const {
    const auto found = program_.tensors.find(value);
    return found == program_.tensors.end() ? 0 : found->second.sizes.size();
  }

  ElementType type_of(const std::string& value) const {
    const auto found = program_.tensors.find(value);
    return found == program_.tensors.end() ? ElementType::unknown : found->second.type;
  }

  ExportedLayer layer(std::size_t index, const LayerOperator& known) const {
    const ExportedNode& node = program_.nodes[index];
    ExportedLayer layer{.name = node.module.empty() ? node.outputs.front() : node.module,
                        .op = std::string(without_namespace(base_of(node.op))),
                        .dims = known.dims,
                        .node = index,
                        .bias = node.value("bias"),
                        .nodes = {index},
                        .last = index,
                        .y = node.outputs.front()};
    if (known.dims < 0) layer.dims = static_cast<int>(rank_of(node.value("input"))) - 2;
    const auto* const flag = held<bool>(node, "transposed");
    layer.not_lowered = read_inputs(node, layer);
    if (!layer.not_lowered.empty()) return layer;
    layer.quantized = !(known.transposed || (flag != nullptr && *flag));
    layer.not_lowered = layer.quantized ? obstacle(layer) : "a transposed convolution, which has no quantized operator";
    if (layer.quantized) fuse(layer);
    return layer;
  }

  // Reads the quantization of activation and weight. Returns why there is none, or an empty string.
  std::string read_inputs(const ExportedNode& node, ExportedLayer& layer) const {
    const ExportedNode* const x = producer(node.value("input"));
    const ExportedNode* const w = producer(node.value("weight"));
    const bool quantized_x = x != nullptr && x->op.starts_with("quantized_decomposed.dequantize_per_tensor.");
    const bool quantized_w = w != nullptr && w->op.starts_with("quantized_decomposed.dequantize_per_");
    if (!quantized_x && !quantized_w)
      return "neither its activation nor its weight is quantized: no observer was there";
    if (!quantized_x) {
      return x != nullptr && x->op.starts_with("quantized_decomposed.dequantize_per_channel")
                 ? "its activation is quantized per channel"
                 : "its activation is not quantized: " +
                       (x == nullptr ? std::string("it is an input or a constant")
                                     : std::string(without_namespace(base_of(x->op))) + " computes it, in floats");
    }
    if (!quantized_w) return "its weight is not quantized";
    layer.x = x->value("input");
    layer.x_quantization = quantization_of(*x);
    layer.w = w->value("input");
    layer.w_quantization = quantization_of(*w);
    layer.w_scales = w->value("scales");
    layer.w_zero_points = w->value("zero_points");
    if (const auto* const axis = held<std::int64_t>(*w, "axis"); axis != nullptr && *axis != 0) {
      return "its weight has scales along axis " + std::to_string(*axis) +
             ", which the lowering would take for scales of the output channels";
    }
    return {};
  }

  // Returns why a layer with quantized inputs is not lowered; empty if it is.
  std::string obstacle(const ExportedLayer& layer) const {
    if (layer.w_scales.empty())
      return "its weight is quantized per tensor, and the lowering takes one scale per channel";
    if (layer.dims == 3) return "a 3-d convolution, and the lowering takes 1-d and 2-d ones";
    if (layer.dims == 0 && rank_of(layer.x) != 2) {
      return "its activation has " + std::to_string(rank_of(layer.x)) +
             " dimensions, and torchao's lowering takes linear layers of 2 (torch.compile with freezing takes others)";
    }
    if (type_of(layer.w) != ElementType::int8)
      return std::string("its weight is ") + name(type_of(layer.w)) + ", not int8";
    if (!layer.x_quantization && layer.dims > 0) {
      return "its activation is quantized dynamically, which the lowering takes for linear layers only";
    }
    if (!layer.x_quantization) return "its activation is quantized dynamically: its scale is not in the program";
    const ElementType type = layer.x_quantization->type;
    if (type != ElementType::uint8 && (type != ElementType::int8 || layer.dims > 0)) {
      return std::string("its activation is ") + name(type) +
             (layer.dims > 0 ? ", and the operator takes uint8" : ", and the operator takes uint8 or int8");
    }
    return {};
  }

  // ---- What follows the layer.

  // Return the only user of the value if it is that operator; else nullopt.
  std::optional<std::size_t> user(const std::string& value, std::string_view base) const {
    const std::optional<std::size_t> node = only_user(value);
    return node && base_of(program_.nodes[*node].op) == base ? node : std::nullopt;
  }
  std::optional<std::size_t> quantize_after(const std::string& value) const {
    const std::optional<std::size_t> node = user(value, "quantized_decomposed.quantize_per_tensor");
    return node && quantization_of(program_.nodes[*node]) ? node : std::nullopt;
  }

  void take(ExportedLayer& layer, std::size_t node) const {
    layer.nodes.push_back(node);
    layer.last = node;
    layer.y = program_.nodes[node].outputs.front();
  }

  void take_quantize(ExportedLayer& layer, std::size_t node) const {
    layer.y_quantization = quantization_of(program_.nodes[node]);
    take(layer, node);
  }

  // Extends the layer by what is fused.
  void fuse(ExportedLayer& layer) const {
    bool bytes = true;  // whether a quantize at the end can be fused
    if (const auto add = user(layer.y, "aten.add")) bytes = fuse_sum(layer, *add);
    if (!bytes || !quantize_after(layer.y)) {
      if (const auto relu = user(layer.y, "aten.relu")) {
        layer.relu = true;
        take(layer, *relu);
      }
    }
    if (const auto quantize = quantize_after(layer.y); quantize && bytes) return take_quantize(layer, *quantize);
    layer.remark = why_float(layer);
  }

  // Extends the layer by an addition, unless the lowering does not fuse it. Returns false if the result must then be
  // float32, because the operator that returns bytes would overwrite a tensor that is still needed.
  bool fuse_sum(ExportedLayer& layer, std::size_t add) const {
    const ExportedNode& node = program_.nodes[add];
    const std::string& a = node.value("self");
    const std::string& summand = a == layer.y ? node.value("other") : a;
    if (summand.empty() || summand == layer.y || node.find("alpha") != nullptr || layer.dims == 1) return true;
    const auto ours = program_.tensors.find(layer.y), theirs = program_.tensors.find(summand);
    if (ours == program_.tensors.end() || theirs == program_.tensors.end()) return true;
    if (ours->second.sizes != theirs->second.sizes) return true;
    const ExportedNode* const source = producer(summand);
    const bool dequantized = source != nullptr && source->op == "quantized_decomposed.dequantize_per_tensor.default";
    const bool linear = layer.dims == 0;
    if (linear ? remaining_users(summand, layer.node) > 1 : !dequantized) return true;
    layer.summand = summand;
    if (dequantized) {
      layer.summand_bytes = source->value("input");
      layer.summand_quantization = quantization_of(*source);
    }
    take(layer, add);
    return linear || (layer.summand_bytes != layer.x && remaining_users(layer.summand_bytes, layer.node) <= 1);
  }

  // Returns how many nodes use the value and are no ancestors of `node`.
  std::size_t remaining_users(const std::string& value, std::size_t node) const {
    const auto found = users_.find(value);
    if (found == users_.end()) return 0;
    std::set<std::size_t> ancestors;
    std::vector<std::size_t> open{node};
    while (!open.empty()) {
      const std::size_t one = open.back();
      open.pop_back();
      if (!ancestors.insert(one).second) continue;
      for (const NamedArgument& input : program_.nodes[one].inputs) {
        for (const std::string& name : names_in(input.value)) {
          if (const auto producer = producer_.find(name); producer != producer_.end()) open.push_back(producer->second);
        }
      }
    }
    std::size_t count = 0;
    for (const std::size_t user : found->second) {
      // The lowering gives every user of a dequantized tensor a dequantize of its own.
      const bool copied = user < program_.nodes.size() && program_.nodes[user].op.starts_with(kDequantize);
      const auto& users = copied ? users_.at(program_.nodes[user].outputs.front()) : found->second;
      if (!copied) count += ancestors.contains(user) ? 0U : 1U;
      if (copied)
        count += static_cast<std::size_t>(
            std::ranges::count_if(users, [&](std::size_t one) { return !ancestors.contains(one); }));
    }
    return count;
  }

  std::string why_float(const ExportedLayer& layer) const {
    const auto found = users_.find(layer.y);
    const std::size_t users = found == users_.end() ? 0 : found->second.size();
    if (users == 0 || *found->second.begin() == program_.nodes.size()) return "the program returns its result";
    if (users > 1) return std::to_string(users) + " operators use its result";
    const ExportedNode& next = program_.nodes[*found->second.begin()];
    const std::string_view op = without_namespace(base_of(next.op));
    if (op == "quantize_per_tensor") return "the operator would overwrite what it adds, which is still needed";
    constexpr std::array<std::string_view, 4> kOfConvolutions{"hardswish", "hardtanh", "relu6", "silu"};
    const bool compiled =
        layer.dims > 0 ? std::ranges::find(kOfConvolutions, op) != kOfConvolutions.end() : op == "gelu";
    return std::string(op) + (compiled ? " behind it is fused by torch.compile only" : " behind it is not fused");
  }

  const ExportedProgram& program_;
  std::map<std::string, std::size_t> producer_;
  std::map<std::string, std::set<std::size_t>> users_;  // the number of nodes stands for the program's caller
};

}  // namespace

std::vector<ExportedLayer> find_exported_layers(const ExportedProgram& program) { return Finder(program).find(); }

std::map<std::string, std::int64_t> count_float_operators(const ExportedProgram& program,
                                                          const std::vector<ExportedLayer>& layers) {
  std::set<std::size_t> part_of_a_layer;
  for (const ExportedLayer& layer : layers) {
    if (layer.not_lowered.empty()) part_of_a_layer.insert(layer.nodes.begin(), layer.nodes.end());
  }
  std::map<std::string, std::int64_t> counts;
  for (std::size_t i = 0; i < program.nodes.size(); ++i) {
    const std::string& op = program.nodes[i].op;
    if (!op.starts_with(kDecomposed) && !part_of_a_layer.contains(i)) ++counts[op];
  }
  return counts;
}

}  // namespace tieout
