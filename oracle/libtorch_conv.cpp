// The adapter: the only place, with libtorch_experiment.cpp, where torch's types and exceptions occur.

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/native/quantized/PackedParams.h>
#include <c10/core/InferenceMode.h>
#include <c10/util/ScopeExit.h>
#include <fbgemm/Fbgemm.h>
#include <fbgemm/Utils.h>
#include <torch/version.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <optional>
#include <typeinfo>

#include "cases/case_text.h"
#include "oracle/libtorch.h"
#include "oracle/libtorch_ambient.h"
#include "oracle/libtorch_experiment.h"
#include "oracle/libtorch_guard.h"
#include "oracle/libtorch_model.h"

namespace tieout {
namespace {

using fbgemm::inst_set_t;
using Clock = std::chrono::steady_clock;

template <int kDims>
using Packed = c10::intrusive_ptr<ConvPackedParamsBase<kDims>>;
template <int kDims>
using Prepack = Packed<kDims>(at::Tensor, std::optional<at::Tensor>, c10::List<int64_t>, c10::List<int64_t>,
                              c10::List<int64_t>, int64_t);
template <int kDims>
using Apply = at::Tensor(at::Tensor, const Packed<kDims>&, double, int64_t);

// The handle of an operator, as python's torch.ops finds it.
template <typename Signature>
auto find(const std::string& name, const char* overload) {
  return c10::Dispatcher::singleton().findSchemaOrThrow(name.c_str(), overload).typed<Signature>();
}

bool cpu_has(Isa isa) {
  switch (isa) {
    case Isa::native:
    case Isa::avx2: return fbgemm::fbgemmHasAvx2Support();
    case Isa::avx512:
    case Isa::avx512_256: return fbgemm::fbgemmHasAvx512Support();
    case Isa::avx512_vnni:
    case Isa::avx512_vnni_256: return fbgemm::fbgemmHasAvx512VnniSupport();
  }
  return false;
}

at::MemoryFormat memory_format(const ConvCase& c) {
  if (c.execution.memory_format == MemoryFormat::contiguous) return at::MemoryFormat::Contiguous;
  return c.dims == 3 ? at::MemoryFormat::ChannelsLast3d : at::MemoryFormat::ChannelsLast;
}

at::Tensor activation_tensor(const ConvProblem& problem) {
  const ConvCase& c = problem.spec;
  at::Tensor x = at::_empty_affine_quantized(activation_shape(c), at::TensorOptions(at::kQUInt8), c.activation_scale,
                                             c.activation_zero_point);
  std::memcpy(x.data_ptr(), problem.activation.data(), problem.activation.size());
  return x.contiguous(memory_format(c));
}

at::Tensor weight_tensor(const ConvProblem& problem) {
  const ConvCase& c = problem.spec;
  const at::TensorOptions options(at::kQInt8);
  at::Tensor w;
  if (c.granularity == Granularity::per_tensor) {
    w = at::_empty_affine_quantized(weight_shape(c), options, c.weight_scales.front(), c.weight_zero_points.front());
  } else {
    w = at::_empty_per_channel_affine_quantized(weight_shape(c), at::tensor(c.weight_scales, at::kDouble),
                                                at::tensor(c.weight_zero_points, at::kLong), 0, options);
  }
  std::memcpy(w.data_ptr(), problem.weight.data(), problem.weight.size());
  return w;
}

c10::List<int64_t> list_of(const Spatial& spatial, int dims) {
  c10::List<int64_t> list;
  for (auto it = spatial.end() - dims; it != spatial.end(); ++it) list.push_back(*it);
  return list;
}

template <int kDims>
struct Operators {
  c10::TypedOperatorHandle<Prepack<kDims>> prepack;
  c10::TypedOperatorHandle<Apply<kDims>> plain, relu;
};

template <int kDims>
Operators<kDims> find_operators(const std::string& base, const char* overload) {
  return {find<Prepack<kDims>>(base + "_prepack", ""), find<Apply<kDims>>(base, overload),
          find<Apply<kDims>>(base + "_relu", overload)};
}

template <int kDims>
std::pair<at::Tensor, Engine> run(const ConvProblem& problem, const Operators<kDims>& operators) {
  const ConvCase& c = problem.spec;
  std::optional<at::Tensor> bias;
  if (!c.bias.empty()) bias = at::tensor(c.bias, at::kFloat);
  const Packed<kDims> packed =
      operators.prepack.call(weight_tensor(problem), bias, list_of(c.stride, c.dims), list_of(c.padding, c.dims),
                             list_of(c.dilation, c.dims), c.groups);
  const auto& apply = c.relu == Relu::on ? operators.relu : operators.plain;
  const ConvPackedParamsBase<kDims>& base = *packed;
  return {apply.call(activation_tensor(problem), packed, c.output_scale, c.output_zero_point), packed_by(typeid(base))};
}

// conv1d packs as a 2-d convolution of height 1.
std::pair<at::Tensor, Engine> dispatch(const ConvProblem& problem) {
  static const auto conv1d = find_operators<2>("quantized::conv1d", "");
  static const auto conv2d = find_operators<2>("quantized::conv2d", "new");
  static const auto conv3d = find_operators<3>("quantized::conv3d", "new");
  if (problem.spec.dims == 3) return run(problem, conv3d);
  return run(problem, problem.spec.dims == 2 ? conv2d : conv1d);
}

template <int kDims>
using Extents = std::array<int, static_cast<std::size_t>(kDims)>;

template <int kDims>
Extents<kDims> fbgemm_spatial(const Spatial& spatial) {
  Extents<kDims> extents;
  std::transform(spatial.end() - kDims, spatial.end(), extents.begin(), [](int64_t v) { return static_cast<int>(v); });
  return extents;
}

template <int kDims>
FbgemmPath ask_fbgemm(const ConvCase& c) {
  const auto padding = fbgemm_spatial<kDims>(c.padding);
  Extents<2 * kDims> both_sides;
  std::copy(padding.begin(), padding.end(), std::copy(padding.begin(), padding.end(), both_sides.begin()));
  const fbgemm::conv_param_t<kDims> parameters(
      static_cast<int>(c.batch), static_cast<int>(c.in_channels), static_cast<int>(c.out_channels),
      fbgemm_spatial<kDims>(c.input), static_cast<int>(c.groups), fbgemm_spatial<kDims>(c.kernel),
      fbgemm_spatial<kDims>(c.stride), both_sides, fbgemm_spatial<kDims>(c.dilation));
  switch (fbgemm::ConvFastPath<kDims, std::int32_t>(parameters)) {
    case fbgemm::optimized_conv_t::depthwise: return FbgemmPath::depthwise;
    case fbgemm::optimized_conv_t::groupwise: return FbgemmPath::groupwise;
    case fbgemm::optimized_conv_t::pointwise: return FbgemmPath::pointwise;
    default: return FbgemmPath::im2col;
  }
}

class Adapter final : public LibTorch {
 public:
  std::string version() const override { return TORCH_VERSION; }

  std::vector<Engine> engines() const override {
    std::vector<Engine> found;
    for (const Engine engine : {Engine::fbgemm, Engine::onednn, Engine::x86, Engine::qnnpack}) {
      if (has_engine(engine)) found.push_back(engine);
    }
    return found;
  }

  Hardware hardware() const override {
    return {.avx512 = fbgemm::fbgemmHasAvx512Support(), .avx512_vnni = fbgemm::fbgemmHasAvx512VnniSupport()};
  }

  FbgemmPath fbgemm_path(const ConvCase& c) const override { return c.dims == 3 ? ask_fbgemm<3>(c) : ask_fbgemm<2>(c); }

  Isa native_isa() const override { return native_isa_; }

  EngineResult<void> available(const Execution& execution) const override {
    const auto cannot = [](EngineError::Kind kind, const char* what, std::string_view name) {
      return tl::unexpected(EngineError{kind, what + std::string(name)});
    };
    if (!has_engine(execution.engine)) {
      return cannot(EngineError::Kind::absent, "this LibTorch has no engine ", name(execution.engine));
    }
    if (!cpu_has(execution.isa)) {
      return cannot(EngineError::Kind::unsupported, "this CPU has no ", name(execution.isa));
    }
    return {};
  }

  EngineResult<EngineAnswer> conv(const ConvProblem& problem) override {
    if (auto can = available(problem.spec.execution); !can) return tl::unexpected(can.error());
    const auto start = Clock::now();
    const auto count_time = c10::make_scope_exit([&] { inside_ += Clock::now() - start; });
    const WithoutDeprecation quiet;
    try {
      const c10::InferenceMode inference;
      select(problem.spec.execution);
      const auto [y, picked] = dispatch(problem);
      const at::Tensor dense = y.contiguous();
      const auto* const data = static_cast<const std::uint8_t*>(dense.data_ptr());
      return EngineAnswer{{dense.sizes().vec(), {data, data + dense.numel()}}, picked};
    } catch (const c10::Error& error) {
      return tl::unexpected(EngineError{EngineError::Kind::refused, error.what_without_backtrace()});
    } catch (const std::exception& error) {
      return tl::unexpected(EngineError{EngineError::Kind::refused, error.what()});
    }
  }

  void guard_tensors(bool on) override { tieout::guard_tensors(on); }

  double seconds_inside() const override { return std::chrono::duration<double>(inside_).count(); }

  EngineResult<Experiment> experiment(std::uint64_t seed) override {
    const WithoutDeprecation quiet;
    try {
      return run_experiment(seed);
    } catch (const std::exception& error) {
      return tl::unexpected(EngineError{EngineError::Kind::refused, error.what()});
    }
  }

  ModelResult<std::unique_ptr<Model>> open_model(const std::string& file, Engine engine) override {
    return tieout::open_model(file, engine);
  }

  ModelResult<std::vector<ModelInput>> read_inputs(const std::string& file) const override {
    return tieout::read_inputs(file);
  }

 private:
  // Asked once, while nothing is forced.
  static Isa ask_for_isa() {
    switch (fbgemm::fbgemmInstructionSet()) {
      case inst_set_t::avx512_vnni: return Isa::avx512_vnni;
      case inst_set_t::avx512_vnni_ymm: return Isa::avx512_vnni_256;
      case inst_set_t::avx512: return Isa::avx512;
      case inst_set_t::avx512_ymm: return Isa::avx512_256;
      default: return Isa::avx2;
    }
  }

  // FBGEMM answers "no" to every question about the CPU until its cpuinfo has been initialised; its own operators do
  // that only when they first run.
  bool supported_ = fbgemm::fbgemmSupportedCPU();
  Isa native_isa_ = ask_for_isa();
  Clock::duration inside_{};
};

}  // namespace
}  // namespace tieout

extern "C" __attribute__((visibility("default"))) tieout::LibTorch* tieout_libtorch() {
  static tieout::Adapter adapter;
  return &adapter;
}
