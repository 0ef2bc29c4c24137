#include "oracle/operators/joining_models.h"

#include <algorithm>
#include <array>

#include "oracle/operators/libtorch_arithmetic.h"
#include "oracle/operators/tensor_iteration.h"

namespace tieout {
namespace {

namespace lt = libtorch_arithmetic;

// Vector code of qcat_nhwc_kernel takes 32 channels of an input at a time, then 8.
constexpr std::int64_t kChannels = 8;

// True if LibTorch joins the channels of dense channels-last tensors in one pass over the positions. A negative `dim`
// never selects this code.
bool joins_channels(const OperatorCase& c) {
  if (integer(c, "dim") != 1) return false;
  for (std::size_t i = 0; i < c.inputs.size(); ++i) {
    const Shape& shape = c.inputs[i].shape;
    if (shape.size() != 4 || !is_dense(shape, strides_of(c, i), MemoryFormat::channels_last)) return false;
  }
  return true;
}

// Requantizes an element by the code for dense channels-last tensors.
std::int32_t join_channel(const OperatorCase& c, const OperatorInput& input, std::int64_t channel, std::uint8_t q) {
  const bool relu = flag(c, "relu");
  if (!relu && input.quantization == c.output) return q;
  const bool vector = channel < input.shape[1] / kChannels * kChannels;
  float x = vector ? lt::vector_dequantize(q, input.quantization) : lt::scalar_dequantize(q, input.quantization);
  if (relu && x < 0) x = 0;
  return vector ? lt::vector_quantize(x, lt::inverse_in_double(c.output), c.output) : lt::scalar_quantize(x, c.output);
}

// Other tensors are dequantized, joined as floats, and quantized; ReLU applies to the bytes.
std::int32_t join_other(const OperatorCase& c, const OperatorInput& input, std::uint8_t q) {
  const float x = lt::scalar_dequantize(q, input.quantization);
  const std::int32_t y = lt::vector_quantize(x, lt::inverse_in_float(c.output), c.output);
  return flag(c, "relu") ? std::max(y, static_cast<std::int32_t>(c.output.zero_point)) : y;
}

OperatorOutput cat(const OperatorCase& c, const Hardware&) {
  const bool by_channels = joins_channels(c);
  const auto dims = std::ssize(c.inputs.front().shape);
  const auto dim = static_cast<std::size_t>((integer(c, "dim") + dims) % dims);
  OperatorOutput output;
  output.values.shape = output_shape(c);
  const std::int64_t count = element_count(output.values.shape);
  output.values.values.reserve(static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i) {
    std::vector<std::int64_t> index = unravel(i, output.values.shape);
    std::size_t from = 0;
    while (index[dim] >= c.inputs[from].shape[dim]) index[dim] -= c.inputs[from++].shape[dim];
    const OperatorInput& input = c.inputs[from];
    std::int64_t offset = 0;
    for (std::size_t d = 0; d < index.size(); ++d) offset = offset * input.shape[d] + index[d];
    const std::uint8_t q = input.contents.values[static_cast<std::size_t>(offset)];
    output.values.values.push_back(by_channels ? join_channel(c, input, index[1], q) : join_other(c, input, q));
  }
  return output;
}

constexpr std::array kJoiningModels{OperatorModel{"cat", cat}};

}  // namespace

std::span<const OperatorModel> joining_models() { return kJoiningModels; }

}  // namespace tieout
