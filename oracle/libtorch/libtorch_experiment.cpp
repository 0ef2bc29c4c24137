// The document's script in C++, with LibTorch's own operators in the script's order. The observers, which LibTorch has
// only in python, are from observers.h.

#include "oracle/libtorch/libtorch_experiment.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/grad_mode.h>
#include <ATen/native/quantized/PackedParams.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/quantize_per_channel.h>
#include <ATen/ops/quantize_per_tensor.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <fbgemm/Utils.h>
#include <torch/csrc/autograd/function.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "oracle/libtorch/libtorch_capture.h"
#include "oracle/libtorch/libtorch_global_state.h"
#include "oracle/libtorch/observers.h"

namespace tieout {
namespace {

using PackedConv2d = c10::intrusive_ptr<ConvPackedParamsBase<2>>;

template <typename T>
T value_or_throw(tl::expected<T, std::string> result) {
  if (!result) throw std::runtime_error("observer: " + result.error());
  return std::move(*result);
}

void value_or_throw(const tl::expected<void, std::string>& result) {
  if (!result) throw std::runtime_error("observer: " + result.error());
}

template <typename T>
std::vector<T> detached_values(const at::Tensor& t) {
  const at::Tensor dense = t.detach().contiguous();
  const T* const data = dense.const_data_ptr<T>();
  return {data, data + dense.numel()};
}

template <typename T>
Tensor<T> plain_tensor(const at::Tensor& t) {
  return {t.sizes().vec(), detached_values<T>(t)};
}

template <typename T>
Printed<T> printed(const at::Tensor& t) {
  std::string name = t.grad_fn() == nullptr ? "" : t.grad_fn()->name();
  // The name without its namespace, as python prints it.
  return {plain_tensor<T>(t), name.substr(name.rfind(':') + 1)};
}

// Equivalent to torch.nn.Conv2d(1, 1, 1): python draws the weight first, and both numbers from these bounds.
struct Conv {
  at::Tensor weight, bias;

  explicit Conv(const at::Generator& generator) {
    const double slope = std::sqrt(5.0);
    const double gain = std::sqrt(2.0 / (1.0 + slope * slope));  // kaiming_uniform_, over one input
    const double bound = std::sqrt(3.0) * gain;
    weight = at::empty({1, 1, 1, 1}).uniform_(-bound, bound, generator).requires_grad_();
    bias = at::empty({1}).uniform_(-1.0, 1.0, generator).requires_grad_();
  }
};

QuantizationParameters calibrate(const at::Tensor& t) {
  HistogramObserver observer(QuantizedRange::reduced);  // get_default_qconfig('fbgemm')
  value_or_throw(observer.observe(detached_values<float>(t)));
  return observer.parameters();
}

at::Tensor quantize_weight(const at::Tensor& weight) {
  const std::vector<float> scales = value_or_throw(per_channel_scales(detached_values<float>(weight), weight.size(0)));
  return at::quantize_per_channel(weight.detach(), at::tensor(scales, at::kDouble),
                                  at::zeros({weight.size(0)}, at::kLong), 0, at::kQInt8);
}

PackedConv2d prepack(const at::Tensor& weight, const at::Tensor& bias) {
  using Ints = c10::List<int64_t>;
  using Signature = PackedConv2d(at::Tensor, std::optional<at::Tensor>, Ints, Ints, Ints, int64_t);
  const Ints ones({1, 1});
  return c10::Dispatcher::singleton()
      .findSchemaOrThrow("quantized::conv2d_prepack", "")
      .typed<Signature>()
      .call(weight, bias, ones, Ints({0, 0}), ones, 1);
}

at::Tensor conv2d_relu(const at::Tensor& input, const PackedConv2d& packed, const QuantizationParameters& output) {
  using Signature = at::Tensor(at::Tensor, const PackedConv2d&, double, int64_t);
  return c10::Dispatcher::singleton()
      .findSchemaOrThrow("quantized::conv2d_relu", "new")
      .typed<Signature>()
      .call(input, packed, static_cast<double>(output.scale), output.zero_point);
}

// Sets the global state of LibTorch that decides the result: see run_experiment().
void set_ambient() {
  at::globalContext().setQEngine(at::QEngine::FBGEMM);
  fbgemm::fbgemmForceIsa(fbgemm::inst_set_t::anyarch);
  at::set_num_threads(std::min(2, most_threads()));
}

}  // namespace

Experiment run_experiment(std::uint64_t seed) {
  const at::AutoGradMode grad(true);
  set_ambient();

  const at::Generator generator = at::detail::createCPUGenerator(seed);
  const Conv conv(generator);
  const at::Tensor input_fp32 = at::randn({4, 1, 4, 4}, generator);

  const QuantizationParameters input_parameters = calibrate(input_fp32);
  const QuantizationParameters output_parameters = calibrate(at::relu(at::conv2d(input_fp32, conv.weight, conv.bias)));

  const PackedConv2d packed = prepack(quantize_weight(conv.weight), conv.bias);
  const at::Tensor x = at::quantize_per_tensor(input_fp32, static_cast<double>(input_parameters.scale),
                                               input_parameters.zero_point, at::kQUInt8);
  ConvProblem problem;  // what the script's hook captures
  Tensor<std::uint8_t> answer;
  const at::Tensor y = [&] {
    UnpackedWeights unpacked;
    ModelObserver observer;
    observer.conv = [&](CapturedConv&& seen) {
      problem = problem_of(seen.view());
      // With one channel, the order of the elements does not matter.
      answer = {seen.output_shape, {seen.output.begin(), seen.output.end()}};
      return std::optional<std::vector<std::uint8_t>>{};
    };
    const ConvCapture capture(std::move(observer), unpacked);
    at::Tensor output = conv2d_relu(x, packed, output_parameters);
    capture.rethrow();
    return output;
  }();
  problem.spec.activation = {Fill::listed, problem.activation};
  problem.spec.weight = {Fill::listed, problem.weight};
  const auto [w, maybe_bias] = packed->unpack();
  const at::Tensor& bias = maybe_bias.value();
  const auto scale = static_cast<double>(output_parameters.scale);

  // The script's expressions, unchanged.
  const at::Tensor float_input = (x.int_repr().to(at::kInt) - x.q_zero_point()) * x.q_scale();
  const at::Tensor float_weight = w.int_repr() * w.q_per_channel_scales();
  const at::Tensor output_1 = at::relu((float_input * float_weight + bias) / scale).round();
  const at::Tensor output_2 = at::relu(((x.dequantize() * w.dequantize() + bias) / scale).round());

  return {.input_fp32 = plain_tensor<float>(input_fp32),
          .weight_fp32 = plain_tensor<float>(conv.weight),
          .problem = std::move(problem),
          .conv_output = std::move(answer),
          .manual_output_1 = printed<double>(output_1),
          .manual_output_2 = printed<float>(output_2),
          .difference_1 = (output_1 - y.int_repr()).sum().item<double>(),
          .difference_2 = static_cast<double>((output_2 - y.int_repr()).sum().item<float>())};
}

}  // namespace tieout
