#include "oracle/libtorch/libtorch_capture.h"

#include <ATen/core/Tensor.h>
#include <ATen/core/function_schema.h>
#include <ATen/core/ivalue.h>
#include <ATen/native/quantized/PackedParams.h>
#include <ATen/ops/empty_like.h>
#include <ATen/record_function.h>
#include <c10/util/ScopeExit.h>
#include <torch/csrc/jit/runtime/interpreter.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <exception>
#include <stdexcept>
#include <string_view>

#include "cases/case_predicates.h"
#include "oracle/libtorch/libtorch_global_state.h"
#include "oracle/libtorch/libtorch_operators.h"

namespace tieout {

struct ConvCapture::State {
  ModelObserver observer;
  UnpackedWeights* unpacked = nullptr;
  std::map<const void*, std::string> layers;
  OperatorCounts unverified;
  std::optional<InputQuantization> quantization;
  std::exception_ptr failure;
  std::int64_t calls = 0;           // of convolutions
  std::int64_t operator_calls = 0;  // of other captured operators
  // The nesting depth of running operators. Nested ones are implementation details of the outermost one and are not
  // counted.
  int depth = 0;
  at::CallbackHandle handle = at::INVALID_CALLBACK_HANDLE;
};

namespace {

// A thread-local pointer, because record functions are plain functions without other access to the capture.
ConvCapture::State*& current() {
  thread_local ConvCapture::State* state = nullptr;
  return state;
}

// The data of a call between its start and its end. The tensors are referenced and not copied: no other code of the
// model runs in between.
struct RunningCall final : public at::ObserverContext {
  bool outermost = false;
  bool is_captured = false;
  at::Tensor activation;
  c10::IValue packed;
  // The arguments of an operator that may be captured.
  std::vector<c10::IValue> arguments;
  std::string overload;
};

// An operator that is captured.
struct Captured {
  Call call = Call::conv;
  int dims = 2;
  Relu relu = Relu::off;
};

// Returns nothing for operators that are not captured.
std::optional<Captured> read_operator_name(std::string_view name) {
  constexpr std::string_view kConv = "quantized::conv", kLinear = "quantized::linear";
  Captured found;
  if (name.starts_with(kConv)) {
    name.remove_prefix(kConv.size());
    if (name.size() < 2 || name[0] < '1' || name[0] > '3' || name[1] != 'd') return {};
    found.dims = name[0] - '0';
    name.remove_prefix(2);
  } else if (name.starts_with(kLinear)) {
    found.call = Call::linear;
    name.remove_prefix(kLinear.size());
  } else {
    return {};
  }
  if (name == "_relu") found.relu = Relu::on;
  if (!name.empty() && name != "_relu") return {};
  return found;
}

// Returns the dimensions of the packed weights, by which they are unpacked. conv1d packs as a 2-d convolution of height
// 1.
PackedAs packed_as(const Captured& op) {
  if (op.call == Call::linear) return PackedAs::linear;
  return op.dims == 3 ? PackedAs::conv3d : PackedAs::conv2d;
}

// Returns t in channels-last order: t itself if it is already in that order, as LibTorch's own operators leave it. For
// a linear layer these are the rows of a matrix, of all leading dimensions.
at::Tensor channels_last_of(const at::Tensor& t, Call call) {
  if (call == Call::linear) return t.contiguous().reshape({-1, t.size(-1)});
  if (t.dim() == 3) return t.unsqueeze(2).contiguous(at::MemoryFormat::ChannelsLast);
  return t.contiguous(t.dim() == 5 ? at::MemoryFormat::ChannelsLast3d : at::MemoryFormat::ChannelsLast);
}

std::span<const std::uint8_t> span_of(const at::Tensor& t) {
  return {static_cast<const std::uint8_t*>(t.data_ptr()), static_cast<std::size_t>(t.numel())};
}

// Overwrites the operator's output in place, whatever its strides, because the model continues with it.
void replace(const at::Tensor& y, const std::vector<std::uint8_t>& values) {
  if (values.size() != static_cast<std::size_t>(y.numel())) throw std::logic_error("a replacement of another size");
  const at::Tensor ours = at::empty_like(y, y.options(), at::MemoryFormat::Contiguous);
  std::memcpy(ours.data_ptr(), values.data(), values.size());
  y.copy_(ours);
}

void show(ConvCapture::State& state, const Captured& op, const std::string& name, const RunningCall& call,
          const at::Tensor& y) {
  const UnpackedWeights::Entry& entry = state.unpacked->of(call.packed, packed_as(op));
  const at::Tensor x = channels_last_of(call.activation, op.call), answer = channels_last_of(y, op.call);
  CapturedConv captured{.op = name,
                        .call = state.calls++,
                        .spec = entry.spec,
                        .activation = span_of(x),
                        .weight = entry.weight,
                        .output = span_of(answer),
                        .output_shape = op.call == Call::linear ? answer.sizes().vec() : y.sizes().vec()};
  ConvCase& c = captured.spec;
  c.dims = op.dims;
  c.execution.call = op.call;
  c.relu = op.relu;
  c.batch = x.size(0);
  c.input = trailing({x.sizes().data(), x.sizes().size()});
  c.activation_scale = x.q_scale();
  c.activation_zero_point = x.q_zero_point();
  c.output_scale = y.q_scale();
  c.output_zero_point = y.q_zero_point();
  if (const auto found = state.layers.find(packed_address(call.packed)); found != state.layers.end()) {
    captured.name = found->second;
  }
  if (!state.observer.conv) return;
  if (const auto replacement = state.observer.conv(std::move(captured))) replace(y, *replacement);
}

bool is_quantized(const c10::IValue& value) { return value.isTensor() && value.toTensor().is_quantized(); }

// Returns the number of the operator's own inputs. The interpreter passes its whole value stack as inputs, of which the
// last ones are the operator's.
std::size_t own_inputs(const at::RecordFunction& function) {
  const auto schema = function.operator_schema();
  return schema ? schema->arguments().size() : function.inputs().size();
}

// Overwrites the output of an operator in place. values: in row-major order; of floats their bits.
void replace_output(const at::Tensor& y, const std::vector<std::int32_t>& values) {
  if (y.is_quantized()) return replace(y, {values.begin(), values.end()});
  if (values.size() != static_cast<std::size_t>(y.numel())) throw std::logic_error("a replacement of another size");
  const at::Tensor ours = at::empty_like(y, y.options(), at::MemoryFormat::Contiguous);
  std::memcpy(ours.data_ptr(), values.data(), values.size() * sizeof(float));
  y.copy_(ours);
}

// Returns the name of the module whose code runs, such as "layer1.0.add_relu"; empty if the model has no names.
std::string current_module() {
  std::string path;
  for (const std::string& entry : torch::jit::currentModuleHierarchy()) {
    // An entry is "NAME(Class)::method" or, of the model itself, "TOP(Class)::method" or "SELF(Class)::method".
    const std::string name = entry.substr(0, entry.find('('));
    if (name.empty() || name == "TOP" || name == "SELF" || name.starts_with("CALL_FUNCTION")) continue;
    path += (path.empty() ? "" : ".") + name;
  }
  return path;
}

// Passes the call of an operator to the observer. Returns false if it is none of operator_schemas().
bool show_operator(ConvCapture::State& state, const std::string& name, const RunningCall& call,
                   const c10::IValue& output) {
  if (call.arguments.empty() || !state.observer.op) return false;
  auto c = captured_operator(name, call.overload, call.arguments, output);
  if (!c) return false;
  const at::Tensor& y = output.toTensor();
  CapturedOperator captured{
      .name = {}, .op = name, .call = state.operator_calls++, .spec = std::move(*c), .output = output_of(y)};
  const std::string module = current_module();
  if (!module.empty()) captured.name = module + "." + name.substr(name.rfind(':') + 1);
  if (const auto replacement = state.observer.op(std::move(captured))) replace_output(y, *replacement);
  return true;
}

// Returns the arguments of a call, and copies of the tensors that an operator with a name such as relu_ overwrites.
std::vector<c10::IValue> arguments_of(const at::RecordFunction& function) {
  const auto inputs = function.inputs();
  const std::size_t own = std::min(own_inputs(function), inputs.size());
  std::vector<c10::IValue> arguments(inputs.end() - static_cast<std::ptrdiff_t>(own), inputs.end());
  if (!std::string_view(function.name()).ends_with('_')) return arguments;
  for (c10::IValue& argument : arguments) {
    if (is_quantized(argument)) argument = argument.toTensor().clone();
  }
  return arguments;
}

// False for operators that only move or create elements, which need no verification.
bool computes(std::string_view name) {
  constexpr std::array<std::string_view, 16> kMovers{"aten::quantize_per_tensor",
                                                     "aten::flatten",
                                                     "aten::view",
                                                     "aten::reshape",
                                                     "aten::permute",
                                                     "aten::transpose",
                                                     "aten::contiguous",
                                                     "aten::slice",
                                                     "aten::select",
                                                     "aten::squeeze",
                                                     "aten::unsqueeze",
                                                     "aten::detach",
                                                     "aten::clone",
                                                     "aten::to",
                                                     "aten::expand",
                                                     "aten::alias"};
  return std::find(kMovers.begin(), kMovers.end(), name) == kMovers.end();
}

// True for quantized operators, including those that only other engines have.
bool quantizes(std::string_view name) {
  constexpr std::array<std::string_view, 5> kNamespaces{
      "quantized::", "onednn::", "prepacked::", "xnnpack::", "quantized_decomposed::"};
  return std::any_of(kNamespaces.begin(), kNamespaces.end(), [&](auto prefix) { return name.starts_with(prefix); });
}

// True if the arguments of an operator can be read: a uint8 activation, and packed weights that are not transposed.
bool readable(const c10::IValue& x, const c10::IValue& packed, PackedAs as) {
  if (!is_quantized(x) || x.toTensor().scalar_type() != at::kQUInt8 || !packed.isObject()) return false;
  return as == PackedAs::linear || !transposed(packed, as);
}

std::unique_ptr<at::ObserverContext> on_start(const at::RecordFunction& function) {
  ConvCapture::State* const state = current();
  auto call = std::make_unique<RunningCall>();
  if (state == nullptr) return call;
  call->outermost = state->depth++ == 0;
  const std::optional<Captured> op = read_operator_name(function.name());
  if (state->failure) return call;
  try {
    if (!op) {
      if (!call->outermost || !state->observer.op || !may_capture(function.name())) return call;
      current() = nullptr;  // copies are made by operators, too
      const auto go_on = c10::make_scope_exit([&] { current() = state; });
      call->arguments = arguments_of(function);
      if (const auto full = function.operator_name()) call->overload = full->overload_name;
      return call;
    }
    const auto inputs = function.inputs();
    const std::size_t own = own_inputs(function);
    if (own < 2 || inputs.size() < own) return call;
    const c10::IValue& x = inputs[inputs.size() - own];
    const c10::IValue& packed = inputs[inputs.size() - own + 1];
    if (!readable(x, packed, packed_as(*op))) return call;
    call->is_captured = true;
    call->activation = x.toTensor();
    call->packed = packed;
  } catch (...) {
    state->failure = std::current_exception();
  }
  return call;
}

void on_end(const at::RecordFunction& function, at::ObserverContext* context) {
  ConvCapture::State* const state = current();
  auto* const call = static_cast<RunningCall*>(context);
  if (state == nullptr || call == nullptr) return;
  --state->depth;
  current() = nullptr;  // operators that run from here on belong to the capture, not to the model
  const auto go_on = c10::make_scope_exit([&] { current() = state; });
  if (state->failure || function.outputs().empty()) return;  // no output: the operator threw
  try {
    const c10::IValue& last = function.outputs().back();  // the outputs are the whole value stack, too
    const std::string name = function.name();
    if (const auto op = read_operator_name(name); op && call->is_captured) {
      show(*state, *op, name.substr(name.rfind(':') + 1), *call, last.toTensor());
      return;
    }
    const bool shown = call->outermost && show_operator(*state, name, *call, last);
    if (name == "aten::quantize_per_tensor" && !state->quantization && is_quantized(last)) {
      state->quantization = {last.toTensor().q_scale(), last.toTensor().q_zero_point()};
    } else if (!shown && call->outermost && (quantizes(name) || (is_quantized(last) && computes(name)))) {
      ++state->unverified[name];
    }
  } catch (...) {
    state->failure = std::current_exception();
  }
}

}  // namespace

ConvCapture::ConvCapture(ModelObserver observer, UnpackedWeights& unpacked, std::map<const void*, std::string> layers)
    : state_(std::make_unique<State>(
          State{.observer = std::move(observer), .unpacked = &unpacked, .layers = std::move(layers)})) {
  current() = state_.get();
  state_->handle = at::addThreadLocalCallback(at::RecordFunctionCallback(on_start, on_end)
                                                  .needsInputs(true)
                                                  .needsOutputs(true)
                                                  .scopes({at::RecordScope::FUNCTION}));
}

ConvCapture::~ConvCapture() {
  at::removeCallback(state_->handle);
  current() = nullptr;
}

void ConvCapture::rethrow() const {
  if (state_->failure) std::rethrow_exception(state_->failure);
}

const OperatorCounts& ConvCapture::unverified() const { return state_->unverified; }

const std::optional<InputQuantization>& ConvCapture::quantization() const { return state_->quantization; }

}  // namespace tieout
