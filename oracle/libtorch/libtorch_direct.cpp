// FBGEMM itself: fbgemm::fbgemmConv with ReQuantizeOutput, as quantized::convNd calls it. It also takes an int32 bias,
// which no operator of PyTorch passes on.

#include "oracle/libtorch/libtorch_direct.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <c10/core/InferenceMode.h>
#include <fbgemm/Fbgemm.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <numeric>
#include <type_traits>
#include <vector>

#include "cases/layout.h"
#include "oracle/libtorch/libtorch_global_state.h"

namespace tieout {
namespace {

using fbgemm::QuantizationGranularity;

// Returns the shape of the case. conv1d is a 2-d convolution of height 1, as in quantized::conv1d.
template <int kDims>
fbgemm::conv_param_t<kDims> parameters(const ConvCase& c) {
  using Extents = std::array<int, static_cast<std::size_t>(kDims)>;
  const auto last = [](const Spatial& spatial) {
    Extents extents;
    std::transform(spatial.end() - kDims, spatial.end(), extents.begin(),
                   [](std::int64_t v) { return static_cast<int>(v); });
    return extents;
  };
  const Extents padding = last(c.padding);
  std::array<int, static_cast<std::size_t>(2 * kDims)> both_sides;
  std::copy(padding.begin(), padding.end(), std::copy(padding.begin(), padding.end(), both_sides.begin()));
  return {static_cast<int>(c.batch),
          static_cast<int>(c.in_channels),
          static_cast<int>(c.out_channels),
          last(c.input),
          static_cast<int>(c.groups),
          last(c.kernel),
          last(c.stride),
          both_sides,
          last(c.dilation)};
}

template <int kDims>
FbgemmPath path_of(const ConvCase& c) {
  switch (fbgemm::ConvFastPath<kDims, std::int32_t>(parameters<kDims>(c))) {
    case fbgemm::optimized_conv_t::depthwise: return FbgemmPath::depthwise;
    case fbgemm::optimized_conv_t::groupwise: return FbgemmPath::groupwise;
    case fbgemm::optimized_conv_t::pointwise: return FbgemmPath::pointwise;
    default: return FbgemmPath::im2col;
  }
}

// Returns memory that is allocated as LibTorch's tensors are, and so guarded if these are.
at::Tensor buffer(std::int64_t elements, at::ScalarType type) { return at::empty({elements}, at::TensorOptions(type)); }

template <int kDims>
class Direct final : public PreparedConv {
 public:
  explicit Direct(const ConvProblem& problem)
      : c_(problem.spec),
        parameters_(parameters<kDims>(c_)),
        packed_(parameters_, weight_with_channels_last(problem).data()),
        x_(buffer(element_count(activation_shape(c_)), at::kByte)),
        y_(buffer(element_count(output_shape(c_)), at::kByte)),
        sums_(buffer(element_count(output_shape(c_)), at::kInt)) {
    const std::vector<std::uint8_t> x =
        transposed(problem.activation.data(), c_.batch, c_.in_channels, volume(c_.input));
    std::memcpy(x_.data_ptr(), x.data(), x.size());
    for (std::size_t i = 0; i < c_.weight_scales.size(); ++i) {
      units_.push_back(static_cast<float>(c_.activation_scale) * static_cast<float>(c_.weight_scales[i]));
      multipliers_.push_back(units_.back() / static_cast<float>(c_.output_scale));
      weight_zero_points_.push_back(static_cast<std::int32_t>(c_.weight_zero_points[i]));
    }
    sum_columns(problem.weight);
  }

  void run() override {
    const c10::InferenceMode inference;
    if (c_.granularity == Granularity::per_tensor) {
      run_with_relu<QuantizationGranularity::TENSOR>();
    } else {
      run_with_relu<QuantizationGranularity::OUT_CHANNEL>();
    }
  }

  EngineAnswer answer() const override {
    const auto* const bytes = static_cast<const std::uint8_t*>(y_.data_ptr());
    return {{output_shape(c_), transposed(bytes, c_.batch, volume(output_size(c_)), c_.out_channels)},
            Engine::fbgemm_direct};
  }

 private:
  static std::vector<std::int8_t> weight_with_channels_last(const ConvProblem& problem) {
    const ConvCase& c = problem.spec;
    return transposed(problem.weight.data(), c.out_channels, c.in_channels / c.groups, volume(c.kernel));
  }

  // Sets column_offsets_ to the sums of w - wz, by which FBGEMM takes the activation's zero point out.
  void sum_columns(const std::vector<std::int8_t>& weight) {
    const std::int64_t length = reduction_length(c_);
    for (std::int64_t k = 0; k < c_.out_channels; ++k) {
      const auto begin = weight.begin() + k * length;
      const std::int64_t sum = std::accumulate(begin, begin + length, std::int64_t{0});
      column_offsets_.push_back(static_cast<std::int32_t>(sum - length * weight_zero_point(c_, k)));
    }
  }

  template <QuantizationGranularity kGranularity>
  void run_with_relu() {
    if (c_.relu == Relu::on) {
      run_with_bias<true, kGranularity>();
    } else {
      run_with_bias<false, kGranularity>();
    }
  }

  template <bool kRelu, QuantizationGranularity kGranularity>
  void run_with_bias() {
    if (c_.int32_bias.empty()) {
      run_threads<kRelu, kGranularity>(c_.bias);
    } else {
      run_threads<kRelu, kGranularity>(c_.int32_bias);
    }
  }

  // The parts of all threads run one after the other: they are the same parts, and no element is in two of them.
  template <bool kRelu, QuantizationGranularity kGranularity, typename Bias>
  void run_threads(const std::vector<Bias>& bias) {
    fbgemm::DoNothing<> nothing;
    for (int thread = 0; thread < c_.execution.threads; ++thread) {
      fbgemm::ReQuantizeOutput<kRelu, kGranularity, Bias> output(
          nothing, multipliers_.data(), static_cast<std::int32_t>(c_.output_zero_point),
          static_cast<std::int32_t>(c_.activation_zero_point), weight_zero_points_.data(), nullptr,
          column_offsets_.data(), bias.empty() ? nullptr : bias.data(), static_cast<std::uint32_t>(c_.out_channels),
          static_cast<int>(c_.groups), std::is_same_v<Bias, float> ? units_.data() : nullptr);
      fbgemm::fbgemmConv(parameters_, static_cast<const std::uint8_t*>(x_.data_ptr()), packed_,
                         static_cast<std::uint8_t*>(y_.data_ptr()), static_cast<std::int32_t*>(sums_.data_ptr()),
                         output, thread, c_.execution.threads);
    }
  }

  ConvCase c_;
  fbgemm::conv_param_t<kDims> parameters_;
  fbgemm::PackWeightsForConv<kDims> packed_;
  at::Tensor x_, y_, sums_;
  std::vector<float> units_, multipliers_;
  std::vector<std::int32_t> weight_zero_points_, column_offsets_;
};

}  // namespace

std::unique_ptr<PreparedConv> prepare_direct_conv(const ConvProblem& problem) {
  select(problem.spec.execution);
  if (problem.spec.dims == 3) return std::make_unique<Direct<3>>(problem);
  return std::make_unique<Direct<2>>(problem);
}

FbgemmPath ask_fbgemm_for_path(const ConvCase& c) { return c.dims == 3 ? path_of<3>(c) : path_of<2>(c); }

}  // namespace tieout
