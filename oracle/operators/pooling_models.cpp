#include "oracle/operators/pooling_models.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "oracle/element/ties_to_even.h"
#include "oracle/operators/float_sum.h"
#include "oracle/operators/libtorch_arithmetic.h"
#include "oracle/operators/tensor_iteration.h"

namespace tieout {
namespace {

namespace lt = libtorch_arithmetic;

// The positions of a window along depth, height and width: from `begin`, `step` apart, before `end`.
struct Window {
  std::array<std::int64_t, 3> begin{}, end{}, step{1, 1, 1};
};

// The input as five dimensions: those that a case does not have have the extent 1.
struct Volume {
  const OperatorInput* input = nullptr;
  std::size_t spatial = 0;  // the number of spatial dimensions that the case has
  std::array<std::int64_t, 3> extents{1, 1, 1};

  explicit Volume(const OperatorCase& c) : input(&c.inputs.front()), spatial(input->shape.size() - 2) {
    std::copy(input->shape.begin() + 2, input->shape.end(), extents.end() - static_cast<std::ptrdiff_t>(spatial));
  }

  // Returns an attribute of the spatial dimensions, `absent` for those that the case does not have.
  [[nodiscard]] std::array<std::int64_t, 3> widened(const Shape& given, std::int64_t absent) const {
    std::array<std::int64_t, 3> wide{absent, absent, absent};
    std::copy(given.begin(), given.end(), wide.end() - static_cast<std::ptrdiff_t>(spatial));
    return wide;
  }

  // Calls visit(byte) for each element of the window. plane: the number of batch element and channel.
  template <typename Visit>
  void visit(std::int64_t plane, const Window& w, Visit visit) const {
    const std::int64_t base = plane * extents[0] * extents[1] * extents[2];
    for (std::int64_t z = w.begin[0]; z < w.end[0]; z += w.step[0]) {
      for (std::int64_t y = w.begin[1]; y < w.end[1]; y += w.step[1]) {
        for (std::int64_t x = w.begin[2]; x < w.end[2]; x += w.step[2]) {
          const std::int64_t offset = base + (z * extents[1] + y) * extents[2] + x;
          visit(input->contents.values[static_cast<std::size_t>(offset)]);
        }
      }
    }
  }

  [[nodiscard]] std::int64_t sum(std::int64_t plane, const Window& w) const {
    std::int64_t sum = 0;
    visit(plane, w, [&](std::uint8_t q) { sum += q; });
    return sum;
  }
};

// A 1-d input is taken for a 2-d one of height 1: returns the shape and the distances in memory of four or five
// dimensions.
std::array<Shape, 2> shape_and_strides(const OperatorCase& c) {
  Shape shape = c.inputs.front().shape, strides = strides_of(c, 0);
  if (shape.size() == 3) {
    strides.insert(strides.begin() + 2, shape[2] * strides[2]);
    shape.insert(shape.begin() + 2, 1);
  }
  return {shape, strides};
}

// True if the code for channels-last tensors computes the windows.
bool has_channels_last(const OperatorCase& c) {
  const auto [shape, strides] = shape_and_strides(c);
  return is_dense(shape, strides, MemoryFormat::channels_last);
}

// True if that code writes an output that is not channels-last as if it were: the distances in memory of the input's
// dimensions of extent 1 decide the layout of the output, but not the code.
bool scrambles(const OperatorCase& c) {
  const auto [shape, strides] = shape_and_strides(c);
  return has_channels_last(c) && suggested_format(shape, strides) == MemoryFormat::contiguous;
}

// Returns what is read from an output whose elements were written in the order of channels-last memory.
std::vector<std::int32_t> scrambled(const std::vector<std::int32_t>& values, const Shape& shape) {
  const std::int64_t channels = shape[1], positions = element_count({shape.begin() + 2, shape.end()});
  std::vector<std::int32_t> memory;
  memory.reserve(values.size());
  for (std::int64_t n = 0; n < shape[0]; ++n) {
    for (std::int64_t position = 0; position < positions; ++position) {
      for (std::int64_t k = 0; k < channels; ++k) {
        memory.push_back(values[static_cast<std::size_t>((n * channels + k) * positions + position)]);
      }
    }
  }
  return memory;
}

// Computes each output element by element(plane, channel, at), at: the output's index in depth, height and width.
template <typename Element>
OperatorOutput for_each_window(const OperatorCase& c, const Volume& volume, Element element) {
  OperatorOutput output;
  output.values.shape = output_shape(c);
  const Shape& shape = output.values.shape;
  const std::array<std::int64_t, 3> extents = volume.widened({shape.begin() + 2, shape.end()}, 1);
  output.values.values.reserve(static_cast<std::size_t>(element_count(shape)));
  for (std::int64_t plane = 0; plane < shape[0] * shape[1]; ++plane) {
    for (std::int64_t z = 0; z < extents[0]; ++z) {
      for (std::int64_t y = 0; y < extents[1]; ++y) {
        for (std::int64_t x = 0; x < extents[2]; ++x) {
          output.values.values.push_back(element(plane, plane % shape[1], std::array{z, y, x}));
        }
      }
    }
  }
  if (scrambles(c)) output.values.values = scrambled(output.values.values, shape);
  return output;
}

// The value is the largest byte, whatever code computes it; 0 for a window without elements.
OperatorOutput max_pool(const OperatorCase& c, const Hardware&) {
  const Volume volume(c);
  const auto kernel = volume.widened(extents(c, "kernel"), 1), stride = volume.widened(extents(c, "stride"), 1);
  const auto padding = volume.widened(extents(c, "padding"), 0), dilation = volume.widened(extents(c, "dilation"), 1);
  return for_each_window(c, volume, [&](std::int64_t plane, std::int64_t, const std::array<std::int64_t, 3>& at) {
    Window w{.step = dilation};
    for (std::size_t d = 0; d < at.size(); ++d) {
      w.begin[d] = at[d] * stride[d] - padding[d];
      w.end[d] = std::min(w.begin[d] + (kernel[d] - 1) * dilation[d] + 1, volume.extents[d]);
      while (w.begin[d] < 0) w.begin[d] += dilation[d];
    }
    std::int32_t largest = 0;
    volume.visit(plane, w, [&](std::uint8_t q) { largest = std::max(largest, std::int32_t{q}); });
    return largest;
  });
}

std::int64_t size_of(const Window& w) {
  return (w.end[0] - w.begin[0]) * (w.end[1] - w.begin[1]) * (w.end[2] - w.begin[2]);
}

// The code for channels-last tensors rounds the scaled difference from the zero point.
std::int32_t average_of_differences(std::int64_t difference, float multiplier, const Quantization& of) {
  return lt::vector_round(static_cast<float>(difference) * multiplier, of);
}

// The code for other tensors adds the zero point before it rounds.
std::int32_t average_with_zero_point(std::int64_t difference, float multiplier, const Quantization& of) {
  const float shifted = static_cast<float>(difference) * multiplier + lt::zero_point_of(of);
  return static_cast<std::int32_t>(std::clamp(ties_to_even(shifted), 0.0F, 255.0F));
}

OperatorOutput avg_pool(const OperatorCase& c, const Hardware& hardware) {
  const Volume volume(c);
  const Quantization& of = volume.input->quantization;
  const auto kernel = volume.widened(extents(c, "kernel"), 1), stride = volume.widened(extents(c, "stride"), 1);
  const auto padding = volume.widened(extents(c, "padding"), 0);
  const std::int64_t channels = volume.input->shape[1];
  // 3-d inputs are converted to channels-last.
  const bool channels_last = volume.spatial == 3 || has_channels_last(c);
  // Channels that vector code computes, as many at a time as fill a register.
  const std::int64_t lanes = hardware.aten_avx512 ? 16 : 8;
  const std::int64_t by_vectors = channels / lanes * lanes;
  const auto element = [&](std::int64_t plane, std::int64_t channel, const std::array<std::int64_t, 3>& at) {
    Window w;
    for (std::size_t d = 0; d < at.size(); ++d) {
      w.begin[d] = at[d] * stride[d] - padding[d];
      w.end[d] = std::min(w.begin[d] + kernel[d], volume.extents[d] + padding[d]);
    }
    const std::int64_t with_padding = size_of(w);
    for (std::size_t d = 0; d < at.size(); ++d) {
      w.begin[d] = std::max<std::int64_t>(w.begin[d], 0);
      w.end[d] = std::min(w.end[d], volume.extents[d]);
    }
    std::int64_t divisor = integer(c, "divisor");
    if (divisor == 0) divisor = flag(c, "exclude_pad") ? size_of(w) : with_padding;
    const std::int64_t difference = volume.sum(plane, w) - size_of(w) * of.zero_point;
    const float multiplier = 1.0F / static_cast<float>(divisor);
    if (!channels_last) return average_with_zero_point(difference, multiplier, of);
    if (channel < by_vectors) return average_of_differences(difference, multiplier, of);
    return average_of_differences(difference, 1.0F / (1.0F / multiplier), of);
  };
  return for_each_window(c, volume, element);
}

// True if the input is contiguous, and its innermost dimensions are averaged.
bool averages_rows(const OperatorCase& c, const std::vector<bool>& averaged) {
  return is_dense(c.inputs.front().shape, strides_of(c, 0), MemoryFormat::contiguous) &&
         std::is_sorted(averaged.begin(), averaged.end());
}

// Averages dense rows of bytes as integers.
std::vector<std::int32_t> averages_of_rows(const std::vector<std::uint8_t>& bytes, std::int64_t count) {
  std::vector<std::int32_t> averages;
  for (auto row = bytes.begin(); row != bytes.end(); row += count) {
    std::int64_t sum = 0;
    std::for_each(row, row + count, [&](std::uint8_t q) { sum += q; });
    averages.push_back(static_cast<std::int32_t>(ties_to_even(static_cast<float>(sum) / static_cast<float>(count))));
  }
  return averages;
}

// Returns the dequantized numbers of the input in the order of memory.
std::vector<float> dequantized(const OperatorInput& input, const Shape& strides) {
  std::vector<float> floats(input.contents.values.size());
  for (std::size_t i = 0; i < floats.size(); ++i) {
    const std::vector<std::int64_t> index = unravel(static_cast<std::int64_t>(i), input.shape);
    std::int64_t offset = 0;
    for (std::size_t d = 0; d < index.size(); ++d) offset += index[d] * strides[d];
    floats[static_cast<std::size_t>(offset)] = lt::scalar_dequantize(input.contents.values[i], input.quantization);
  }
  return floats;
}

// Averages along the dimensions that are set. Inputs that are not averaged as rows are dequantized, averaged as floats,
// and quantized.
OperatorOutput average(const OperatorCase& c, const std::vector<bool>& averaged) {
  const OperatorInput& input = c.inputs.front();
  OperatorOutput output;
  output.values.shape = output_shape(c);
  const std::int64_t count = std::ssize(input.contents.values) / element_count(output.values.shape);
  if (averages_rows(c, averaged)) {
    output.values.values = averages_of_rows(input.contents.values, count);
    return output;
  }
  const Shape dense = dense_strides(input.shape, suggested_format(input.shape, strides_of(c, 0)));
  for (const float sum : float_sum(dequantized(input, dense), input.shape, dense, averaged, c.threads)) {
    const float quotient = sum / static_cast<float>(count);
    output.values.values.push_back(lt::vector_quantize(quotient, lt::inverse_in_float(c.output), c.output));
  }
  return output;
}

std::vector<bool> averaged_dimensions(const OperatorCase& c) {
  std::vector<bool> averaged(c.inputs.front().shape.size());
  for (const double d : attribute(c, "dims")) averaged[static_cast<std::size_t>(d)] = true;
  return averaged;
}

OperatorOutput mean(const OperatorCase& c, const Hardware&) { return average(c, averaged_dimensions(c)); }

OperatorOutput adaptive_avg_pool(const OperatorCase& c, const Hardware&) {
  const Volume volume(c);
  const Quantization& of = volume.input->quantization;
  const auto size = volume.widened(extents(c, "size"), 1);
  // 3-d inputs of which everything is averaged take the code of `mean`.
  if (volume.spatial == 3 && size == std::array<std::int64_t, 3>{1, 1, 1}) {
    return average(c, {false, false, true, true, true});
  }
  const bool channels_last = has_channels_last(c);
  const auto quotient = [](std::int64_t a, std::int64_t b) { return static_cast<float>(a) / static_cast<float>(b); };
  const auto element = [&](std::int64_t plane, std::int64_t, const std::array<std::int64_t, 3>& at) {
    Window w;
    for (std::size_t d = 0; d < at.size(); ++d) {
      w.begin[d] = static_cast<std::int64_t>(std::floor(quotient(at[d] * volume.extents[d], size[d])));
      w.end[d] = static_cast<std::int64_t>(std::ceil(quotient((at[d] + 1) * volume.extents[d], size[d])));
    }
    if (channels_last) {
      const std::int64_t difference = volume.sum(plane, w) - size_of(w) * of.zero_point;
      const float multiplier = 1.0F / static_cast<float>(size_of(w));
      return average_of_differences(difference, 1.0F / (1.0F / multiplier), of);
    }
    // The zero point takes no part in the average; each axis is divided by on its own.
    float multiplier = 1;
    for (std::size_t d = 0; d < at.size(); ++d) multiplier /= static_cast<float>(w.end[d] - w.begin[d]);
    return static_cast<std::int32_t>(ties_to_even(static_cast<float>(volume.sum(plane, w)) * multiplier));
  };
  return for_each_window(c, volume, element);
}

constexpr std::array kPoolingModels{OperatorModel{"max_pool", max_pool}, OperatorModel{"avg_pool", avg_pool},
                                    OperatorModel{"adaptive_avg_pool", adaptive_avg_pool}, OperatorModel{"mean", mean}};

}  // namespace

std::span<const OperatorModel> pooling_models() { return kPoolingModels; }

bool averages_rows(const OperatorCase& c) { return averages_rows(c, averaged_dimensions(c)); }

}  // namespace tieout
