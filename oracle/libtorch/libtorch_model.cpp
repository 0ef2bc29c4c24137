#include "oracle/libtorch/libtorch_model.h"

#include <ATen/core/grad_mode.h>
#include <c10/core/InferenceMode.h>
#include <caffe2/serialize/inline_container.h>
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/ir/constants.h>
#include <torch/csrc/jit/runtime/graph_executor.h>
#include <torch/csrc/jit/serialization/import.h>
#include <torch/csrc/jit/serialization/pickle.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <utility>

#include "cases/machine/readable_file.h"
#include "cases/validate.h"
#include "oracle/libtorch/libtorch_capture.h"
#include "oracle/libtorch/libtorch_global_state.h"
#include "oracle/libtorch/libtorch_guard.h"
#include "oracle/libtorch/libtorch_values.h"

namespace tieout {
namespace {

using Kind = ModelError::Kind;
using LayerNames = std::map<const void*, std::string>;

// The packed weights of a model: names of the layers, as far as the model has them, and the convolutions and
// linear layers.
struct PackedLayers {
  LayerNames names;
  std::map<const void*, c10::IValue> layers;

  void add(const c10::IValue& value, const std::optional<std::string>& name) {
    const void* const address = packed_address(value);
    if (address == nullptr) return;
    if (name) names.emplace(address, *name);
    const std::string type = value.type()->str();
    const bool is_layer = type.find("Conv") != std::string::npos || type.find("Linear") != std::string::npos;
    if (is_layer) layers.emplace(address, value);
  }
};

// ---- Names.

// Returns the path of the layer that holds the packed weights in an attribute of that path. A linear layer holds them
// in a module of its own, "fc._packed_params".
std::string layer_of(std::string path) {
  constexpr std::string_view kPacked = "_packed_params";
  while (path == kPacked || path.ends_with("._packed_params")) {
    path.resize(path.size() - std::min(path.size(), kPacked.size() + 1));
  }
  return path;
}

// Adds the packed weights among the constants of a graph, which is where a frozen model keeps them. Other models keep
// them in attributes of modules.
void add_constants(const torch::jit::Block* block, PackedLayers& packed) {
  for (const torch::jit::Node* node : block->nodes()) {
    for (const torch::jit::Block* inner : node->blocks()) add_constants(inner, packed);
    if (node->kind() != torch::jit::prim::Constant || node->outputs().empty()) continue;
    const auto value = torch::jit::toIValue(node->output());
    if (!value) continue;
    constexpr std::string_view kSelf = "self.", kPacked = "._packed_params";
    // A number in a model that was saved, which carries no name.
    std::optional<std::string> name;
    const std::string given = node->output()->debugName();
    const std::size_t end = given.rfind(kPacked);
    if (given.starts_with(kSelf) && end != std::string::npos)
      name = layer_of(given.substr(kSelf.size(), end - kSelf.size()));
    packed.add(*value, name);
  }
}

PackedLayers packed_in(const torch::jit::Module& model) {
  PackedLayers packed;
  for (const auto& [path, module] : model.named_modules()) {
    for (const auto& [attribute, value] : module.named_attributes(/*recurse=*/false)) {
      const bool usual = attribute == "_packed_params";
      packed.add(value, usual ? layer_of(path) : path.empty() ? attribute : path + "." + attribute);
    }
  }
  if (const auto forward = model.find_method("forward")) add_constants(forward->graph()->block(), packed);
  return packed;
}

// ---- Tensors in.

tl::expected<ModelTensor, std::string> read_tensor(const at::Tensor& t) {
  if (!t.defined() || t.is_quantized() || t.layout() != at::kStrided || !t.is_cpu()) {
    return tl::unexpected(
        std::string("a tensor must be dense, not quantized, and on the CPU: save x.dequantize().cpu()"));
  }
  if (const auto type = argument_type(t)) {
    if (t.numel() > kMaxElements) {
      return tl::unexpected("a tensor may have 2^28 elements at most, has " + std::to_string(t.numel()));
    }
    const at::Tensor dense = t.contiguous();
    const auto* const data = static_cast<const char*>(dense.data_ptr());
    return ModelTensor{*type, dense.sizes().vec(), {data, data + dense.nbytes()}};
  }
  return tl::unexpected(std::string("a tensor must be float32, float64, int64, int32 or uint8, is ") +
                        c10::toString(t.scalar_type()));
}

// Reads the arguments of one call.
tl::expected<ModelInput, std::string> read_input(const c10::IValue& value) {
  ModelInput input;
  std::vector<c10::IValue> arguments{value};
  if (value.isTuple()) arguments = value.toTupleRef().elements().vec();
  for (const c10::IValue& argument : arguments) {
    if (!argument.isTensor()) {
      return tl::unexpected("holds a " + argument.tagKind() +
                            " where a tensor should be: save a tensor, a tuple of them for " +
                            "several arguments, or a list for several inputs");
    }
    auto tensor = read_tensor(argument.toTensor());
    if (!tensor) return tl::unexpected(tensor.error());
    input.arguments.push_back(std::move(*tensor));
  }
  return input;
}

// ---- The model.

class ScriptModel final : public Model {
 public:
  ScriptModel(torch::jit::Module module, Engine engine)
      : module_(std::move(module)), packed_(packed_in(module_)), engine_(engine) {
    for (const auto& [address, value] : packed_.layers) unpacked_.prepare(value);
  }

  ModelResult<ModelRun> run(const ModelInput& input, const ModelObserver& observer) override {
    const WithoutDeprecation quiet;
    guard_tensors(false);
    select({.engine = engine_});
    const c10::InferenceMode inference;
    // The graph runs as written, because an optimizer could fuse operators that record functions should see.
    const torch::jit::GraphOptimizerEnabledGuard as_written(false);
    ModelRun result;
    try {
      std::vector<c10::IValue> arguments;
      for (const ModelTensor& argument : input.arguments) arguments.emplace_back(tensor_of(argument));
      if (!observer.observes()) {
        collect(module_.forward(std::move(arguments)), result.outputs);
        return result;
      }
      const ConvCapture capture(observer, unpacked_, packed_.names);
      const c10::IValue output = module_.forward(std::move(arguments));
      capture.rethrow();
      collect(output, result.outputs);
      result.unverified = capture.unverified();
      result.quantization = capture.quantization();
    } catch (const std::exception& error) {
      return model_error(is_out_of_memory(error) ? Kind::no_memory : Kind::refused, reason_of(error));
    }
    return result;
  }

  std::size_t arguments() const override {
    const auto& schema = module_.get_method("forward").function().getSchema();
    return schema.arguments().size() - 1;  // the first argument is the module itself
  }

  std::int64_t layers() const override { return static_cast<std::int64_t>(packed_.layers.size()); }

 private:
  torch::jit::Module module_;
  PackedLayers packed_;
  UnpackedWeights unpacked_;
  Engine engine_;
};

// Returns advice for a model that cannot be loaded.
std::string advice_on(std::string_view error) {
  if (error.find("quantized_decomposed") != std::string_view::npos) {
    return "quantized_decomposed operators are what PyTorch 2 export quantization (convert_pt2e) leaves: they exist in "
           "python only. Save the model by torch.export.save(torch.export.export(model, inputs), FILE), which Tieout "
           "verifies, or quantize it to quantized::conv operators (torch.ao.quantization: prepare, calibrate, convert) "
           "and save what torch.jit.script makes of it";
  }
  if (error.find("Unknown builtin op") != std::string_view::npos) {
    return "the operator belongs to a library that is not loaded here: only LibTorch's own can be run";
  }
  return "torch.jit.save(torch.jit.script(model), FILE) writes one";
}

// Returns the reason why the file is not unpacked, or an empty string: it claims to unpack to much more than its size.
// torch.save() and torch.jit.save() store tensors uncompressed, and compress little except a model's code. Files that
// are not zip archives pass; a later message reports them.
std::string unpacks_to_too_much(const std::string& file) {
  constexpr std::uintmax_t kMostTimes = 20, kAlwaysAllowed = std::uintmax_t{64} << 20;
  const std::uintmax_t size = std::filesystem::file_size(file);
  std::uintmax_t unpacked = 0;
  try {
    caffe2::serialize::PyTorchStreamReader reader(file);
    for (const std::string& record : reader.getAllRecords()) unpacked += reader.getRecordSize(record);
  } catch (const std::exception&) {
    return {};
  }
  if (unpacked <= kMostTimes * size + kAlwaysAllowed) return {};
  return "its " + std::to_string(size) + " bytes claim to unpack to " + std::to_string(unpacked) + ", more than " +
         std::to_string(kMostTimes) + " times as much: it is not unpacked";
}

}  // namespace

ModelResult<std::unique_ptr<Model>> open_model(const std::string& file, Engine engine) {
  if (const std::string why = find_read_error(file); !why.empty()) return model_error(Kind::unreadable, why);
  if (!has_engine(engine)) return model_error(Kind::absent, "this LibTorch does not have that engine");
  if (const std::string why = unpacks_to_too_much(file); !why.empty()) return model_error(Kind::unreadable, why);
  const WithoutDeprecation quiet;
  try {
    select({.engine = engine});
    guard_tensors(false);
    torch::jit::Module module = torch::jit::load(file, at::kCPU);
    module.eval();
    if (!module.find_method("forward")) return model_error(Kind::unreadable, "a TorchScript module without forward()");
    return std::make_unique<ScriptModel>(std::move(module), engine);
  } catch (const std::exception& error) {
    if (is_out_of_memory(error)) return model_error(Kind::no_memory, reason_of(error));
    return model_error(Kind::unreadable, "not a TorchScript model that this LibTorch reads (" + reason_of(error) +
                                             "); " + advice_on(error.what()));
  }
}

ModelResult<std::vector<ModelInput>> read_inputs(const std::string& file) {
  if (const std::string why = find_read_error(file); !why.empty()) {
    return model_error(Kind::unreadable, why + "; name what torch.save() or numpy.save() wrote, or random:SHAPE");
  }
  if (const std::string why = unpacks_to_too_much(file); !why.empty()) return model_error(Kind::unreadable, why);
  std::vector<ModelInput> inputs;
  try {
    std::ifstream stream(file, std::ios::binary);
    const std::vector<char> bytes{std::istreambuf_iterator<char>(stream), {}};
    const c10::IValue value = torch::jit::pickle_load(bytes);
    std::vector<c10::IValue> each{value};
    if (value.isList()) each = value.toListRef().vec();
    for (const c10::IValue& one : each) {
      auto input = read_input(one);
      if (!input) return model_error(Kind::unreadable, input.error());
      input->name = file;
      inputs.push_back(std::move(*input));
    }
  } catch (const std::exception& error) {
    if (is_out_of_memory(error)) return model_error(Kind::no_memory, reason_of(error));
    return model_error(Kind::unreadable, "not a tensor as torch.save() writes it (" + reason_of(error) +
                                             "); torch.save(x, FILE) writes one");
  }
  if (inputs.empty()) return model_error(Kind::unreadable, "holds an empty list");
  return inputs;
}

}  // namespace tieout
