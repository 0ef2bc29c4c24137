#include "props/generate/case_class.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "cases/case_predicates.h"

namespace tieout {
namespace {

// Returns the exact distance from a float below 2^23 in size to the integer towards zero. It avoids std::floor, which
// is a call to libm.
float beyond_integer(float v) { return std::fabs(v - static_cast<float>(static_cast<std::int32_t>(v))); }

// True if v is not the tie of its unit interval, but at most two floats away from it.
bool beside_tie(float v) {
  const float size = std::fabs(v);
  // Most values are farther away, and end here.
  if (std::fabs(beyond_integer(v) - 0.5F) > size * 0x1p-20F) return false;
  const float tie = std::floor(v) + 0.5F;
  const float ulp = std::nextafter(size, 1e30F) - size;
  return v != tie && std::fabs(v - tie) <= 2 * ulp;
}

void classify_element(const ElementTrace& trace, const ConvCase& c, ClassSet& classes) {
  const auto mark = [&](CaseClass which, bool holds) {
    if (holds) classes.set(static_cast<std::size_t>(which));
  };
  const float s = trace.scaled;
  const float size = std::fabs(s);
  // Larger floats have no fraction.
  const bool fits = size < 0x1p23F;
  mark(CaseClass::tie, fits && beyond_integer(s) == 0.5F);
  mark(CaseClass::beside_tie, fits && beside_tie(s));
  mark(CaseClass::pair_saturation, trace.saturated_pairs > 0);
  mark(CaseClass::sum_beyond_2_24, std::abs(std::int64_t{trace.accumulator}) > (1 << 24));
  mark(CaseClass::int32_wrap, trace.wrapped);
  mark(CaseClass::conversion_overflow, !(s >= -0x1p31F && s < 0x1p31F));
  mark(CaseClass::int16_saturation, size > 32767.5F && size < 0x1p31F);
  const std::int64_t low = c.relu == Relu::on ? c.output_zero_point : 0;
  mark(CaseClass::clamped_low, trace.result == low);
  mark(CaseClass::clamped_high, trace.result == 255);
  mark(CaseClass::interior, low < trace.result && trace.result < 255);
}

}  // namespace

bool of_execution(CaseClass c) { return c >= CaseClass::channels_last; }

bool of_fbgemm_code(CaseClass c) { return c == CaseClass::pair_saturation || c == CaseClass::activation_sum_saturated; }

ClassSet classify(const ConvCase& c, FbgemmPath path, const std::vector<ElementTrace>& traces) {
  ClassSet classes;
  for (const ElementTrace& trace : traces) classify_element(trace, c, classes);
  const auto mark = [&](CaseClass which, bool holds) { classes.set(static_cast<std::size_t>(which), holds); };
  const bool tie = classes.test(static_cast<std::size_t>(CaseClass::tie));
  mark(CaseClass::tie_with_bias, tie && has_bias(c));
  mark(CaseClass::strided, c.stride != Spatial{1, 1, 1});
  mark(CaseClass::one_dimensional, c.dims == 1);
  mark(CaseClass::three_dimensional, c.dims == 3);
  mark(CaseClass::enlarging, c.activation_scale * c.weight_scales.front() > c.output_scale);
  mark(CaseClass::channels_last, c.execution.memory_format == MemoryFormat::channels_last);
  mark(CaseClass::several_threads, c.execution.threads > 1);
  mark(CaseClass::forced_isa, c.execution.isa != Isa::native);
  mark(CaseClass::other_engine, !is_fbgemm(c.execution.engine));
  mark(CaseClass::linear, is_linear(c));
  const auto at_end = [](std::int64_t zero_point) { return zero_point == 0 || zero_point == 255; };
  mark(CaseClass::zero_point_at_end, at_end(c.activation_zero_point) || at_end(c.output_zero_point));
  mark(CaseClass::weight_zero_point, has_weight_zero_point(c));
  mark(CaseClass::bias, has_bias(c));
  mark(CaseClass::padded, padded_size(c) != c.input && c.activation_zero_point != 0);
  mark(CaseClass::dilated, c.dilation != Spatial{1, 1, 1});
  mark(CaseClass::grouped, c.groups > 1);
  mark(CaseClass::per_channel, c.granularity == Granularity::per_channel);
  mark(CaseClass::relu, c.relu == Relu::on);
  mark(CaseClass::odd_channels, c.in_channels % 8 != 0 || c.out_channels % 8 != 0);
  mark(CaseClass::large_batch, c.batch > 1);
  if (path == FbgemmPath::depthwise) {
    mark(CaseClass::large_kernel, c.kernel[2] > 3);
    mark(CaseClass::mixed_kernel, c.dims == 3 && c.kernel[0] != c.kernel[2]);
    mark(CaseClass::two_outputs_a_channel, c.out_channels > c.groups);
    const bool saturated =
        std::any_of(traces.begin(), traces.end(), [](const ElementTrace& t) { return t.activation_sum_saturated; });
    mark(CaseClass::activation_sum_saturated,
         saturated && classes.test(static_cast<std::size_t>(CaseClass::weight_zero_point)));
  }
  return classes;
}

}  // namespace tieout
