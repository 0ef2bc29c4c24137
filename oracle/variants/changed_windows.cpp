// Computes the operators of windows and averages, with changes.

#include <vector>

#include "oracle/variants/quantization_steps.h"

namespace tieout {
namespace {

// The positions of a window along one dimension: begin, begin + step, ..., `count` of them.
struct Taps {
  std::int64_t begin = 0, count = 1, step = 1;
};

// Calls visit(offset) for each element of a window that lies within the input, in row-major order.
template <typename Visit>
void visit_taps(const Shape& input, const std::vector<Taps>& window, Visit visit) {
  Shape counts;
  for (const Taps& taps : window) counts.push_back(taps.count);
  const std::int64_t count = element_count(counts);
  for (std::int64_t i = 0; i < count; ++i) {
    const std::vector<std::int64_t> tap = unravel(i, counts);
    std::int64_t offset = 0;
    bool inside = true;
    for (std::size_t d = 0; d < input.size(); ++d) {
      const std::int64_t at = window[d].begin + tap[d] * window[d].step;
      inside = inside && at >= 0 && at < input[d];
      offset = offset * input[d] + at;
    }
    if (inside) visit(static_cast<std::size_t>(offset));
  }
}

// Computes each output element by element(window). taps(d, at) returns the positions along spatial dimension d.
template <typename TapsOf, typename Element>
OperatorOutput each_window(const OperatorCase& c, TapsOf taps, Element element) {
  OperatorOutput output{.values = {.shape = output_shape(c), .values = {}}};
  const std::int64_t count = element_count(output.values.shape);
  for (std::int64_t i = 0; i < count; ++i) {
    const std::vector<std::int64_t> index = unravel(i, output.values.shape);
    std::vector<Taps> window{{.begin = index[0]}, {.begin = index[1]}};
    for (std::size_t d = 0; d + 2 < index.size(); ++d) window.push_back(taps(d, index[d + 2]));
    output.values.values.push_back(element(window));
  }
  return output;
}

template <typename Real>
OperatorOutput changed_max_pool(const OperatorCase& c, const QuantizationSteps<Real>& s) {
  const OperatorInput& input = c.inputs.front();
  const Shape kernel = extents(c, "kernel"), padding = extents(c, "padding"), dilation = extents(c, "dilation");
  Shape stride = extents(c, "stride");
  if (s.has(Change::strides_swapped)) std::reverse(stride.begin(), stride.end());
  const auto taps = [&](std::size_t d, std::int64_t at) -> Taps {
    return {.begin = at * stride[d] - (s.has(Change::padding_ignored) ? 0 : padding[d]),
            .count = s.has(Change::last_tap_missing) && kernel[d] > 1 ? kernel[d] - 1 : kernel[d],
            .step = s.has(Change::dilation_ignored) ? 1 : dilation[d]};
  };
  const auto zero = static_cast<std::int32_t>(input.quantization.zero_point);
  return each_window(c, taps, [&](const std::vector<Taps>& window) -> std::int32_t {
    std::int32_t largest = s.has(Change::maximum_from_zero_point) ? zero : s.has(Change::signed_bytes) ? -128 : 0;
    std::int64_t inside = 0, all = 1;
    visit_taps(input.shape, window, [&](std::size_t offset) {
      largest = std::max(largest, s.stored(input.contents.values[offset]));
      ++inside;
    });
    for (const Taps& axis : window) all *= axis.count;
    if (s.has(Change::padding_is_zero_point) && inside < all) largest = std::max(largest, zero);
    return static_cast<std::uint8_t>(inside == 0 && s.has(Change::signed_bytes) ? 0 : largest);
  });
}

// Returns the byte of the average of `count` elements.
// offsets: of the elements in the input. padded: the number of further elements that are padding.
template <typename Real>
std::int32_t average_byte(const OperatorCase& c, const QuantizationSteps<Real>& s,
                          const std::vector<std::size_t>& offsets, std::int64_t padded, std::int64_t count) {
  const std::vector<std::uint8_t>& bytes = c.inputs.front().contents.values;
  if (s.has(Change::through_reals)) {
    Real sum = 0;
    for (const std::size_t offset : offsets) sum += s.dequantized(0, bytes[offset]);
    return s.byte(sum / static_cast<Real>(count));
  }
  std::int64_t sum = s.has(Change::padding_is_byte_0) ? -padded * s.zero_point(0) : 0;
  for (const std::size_t offset : offsets) sum += s.difference(0, bytes[offset]);
  if (s.has(Change::count_by_inverse)) {
    return s.byte_of_units(static_cast<float>(sum) * (1.0F / static_cast<float>(count)));
  }
  return s.byte_of_units(static_cast<double>(sum) / static_cast<double>(count));
}

template <typename Real>
std::int32_t window_average(const OperatorCase& c, const QuantizationSteps<Real>& s, const std::vector<Taps>& window,
                            bool counts_padding, std::int64_t with_padding, std::int64_t divisor) {
  std::vector<std::size_t> offsets;
  visit_taps(c.inputs.front().shape, window, [&](std::size_t offset) { offsets.push_back(offset); });
  const std::int64_t inside = std::ssize(offsets), counted = counts_padding ? with_padding : inside;
  return average_byte(c, s, offsets, counts_padding ? with_padding - inside : 0, divisor != 0 ? divisor : counted);
}

template <typename Real>
bool counts_padding(const OperatorCase& c, const QuantizationSteps<Real>& s) {
  if (s.has(Change::padding_never_counted)) return false;
  if (s.has(Change::padding_always_counted)) return true;
  return flag(c, "exclude_pad") == s.has(Change::exclude_pad_reversed);
}

template <typename Real>
OperatorOutput changed_avg_pool(const OperatorCase& c, const QuantizationSteps<Real>& s) {
  const Shape kernel = extents(c, "kernel"), stride = extents(c, "stride"), padding = extents(c, "padding");
  const Shape& input = c.inputs.front().shape;
  const auto taps = [&](std::size_t d, std::int64_t at) -> Taps {
    const std::int64_t begin = at * stride[d] - padding[d];
    return {.begin = begin, .count = std::min(kernel[d], input[d + 2] + padding[d] - begin)};
  };
  const std::int64_t divisor = s.has(Change::divisor_ignored) ? 0 : integer(c, "divisor");
  return each_window(c, taps, [&](const std::vector<Taps>& window) {
    std::int64_t positions = 1;
    for (const Taps& axis : window) positions *= axis.count;
    if (s.has(Change::window_not_clipped)) positions = element_count(kernel);
    return window_average(c, s, window, counts_padding(c, s), positions, divisor);
  });
}

template <typename Real>
OperatorOutput changed_adaptive_avg_pool(const OperatorCase& c, const QuantizationSteps<Real>& s) {
  const Shape size = extents(c, "size");
  const auto taps = [&](std::size_t d, std::int64_t at) -> Taps {
    const std::int64_t extent = c.inputs.front().shape[d + 2];
    if (s.has(Change::equal_windows)) {
      const std::int64_t stride = extent / size[d];
      return {.begin = at * stride, .count = extent - (size[d] - 1) * stride};
    }
    const std::int64_t begin = at * extent / size[d];
    const std::int64_t early = std::max(begin + 1, (at + 1) * extent / size[d]);
    const std::int64_t end = s.has(Change::windows_end_early) ? early : ((at + 1) * extent + size[d] - 1) / size[d];
    return {.begin = begin, .count = end - begin};
  };
  return each_window(c, taps,
                     [&](const std::vector<Taps>& window) { return window_average(c, s, window, false, 0, 0); });
}

template <typename Real>
OperatorOutput changed_mean(const OperatorCase& c, const QuantizationSteps<Real>& s) {
  const Shape& shape = c.inputs.front().shape;
  const std::vector<double>& dims = attribute(c, "dims");
  OperatorOutput output{.values = {.shape = output_shape(c), .values = {}}};
  // The positions along the dimensions that are kept; the averaged ones are taps.
  std::vector<Taps> window(shape.size());
  Shape kept = shape;
  std::int64_t count = 1;
  for (const double dim : dims) {
    const auto d = static_cast<std::size_t>(dim);
    window[d].count = shape[d];
    count *= shape[d];
    kept[d] = 1;
  }
  if (s.has(Change::count_of_last_dimension)) {
    count = shape[static_cast<std::size_t>(*std::max_element(dims.begin(), dims.end()))];
  }
  if (s.has(Change::count_one_less)) count = std::max<std::int64_t>(1, count - 1);
  for (std::int64_t i = 0; i < element_count(kept); ++i) {
    const std::vector<std::int64_t> index = unravel(i, kept);
    for (std::size_t d = 0; d < shape.size(); ++d) window[d].begin = index[d];
    output.values.values.push_back(window_average(c, s, window, false, 0, count));
  }
  return output;
}

}  // namespace

template <typename Real>
OperatorOutput compute_windows(const OperatorCase& c, const QuantizationSteps<Real>& steps) {
  if (c.schema->name == "max_pool") return changed_max_pool(c, steps);
  if (c.schema->name == "avg_pool") return changed_avg_pool(c, steps);
  if (c.schema->name == "adaptive_avg_pool") return changed_adaptive_avg_pool(c, steps);
  if (c.schema->name == "mean") return changed_mean(c, steps);
  return {};
}

template OperatorOutput compute_windows(const OperatorCase& c, const QuantizationSteps<float>& steps);
template OperatorOutput compute_windows(const OperatorCase& c, const QuantizationSteps<double>& steps);

}  // namespace tieout
