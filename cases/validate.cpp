#include "cases/validate.h"

#include <array>
#include <cmath>
#include <cstdio>
#include <limits>
#include <span>
#include <string_view>

#include "cases/case_predicates.h"
#include "cases/strings/case_advice.h"

namespace tieout {
namespace {

using Check = tl::expected<void, CaseError>;

Check fail(std::string_view field, std::string message) {
  return tl::unexpected(CaseError{std::string(field), std::move(message)});
}

Check in_range(std::string_view field, std::int64_t value, std::int64_t low, std::int64_t high) {
  if (low <= value && value <= high) return {};
  const bool is_zero_point = field == "xz" || field == "wz" || field == "oz";
  return fail(field, "must be " + std::to_string(low) + ".." + std::to_string(high) + ", is " + std::to_string(value) +
                         (is_zero_point ? advice_on_int8(field, value) : std::string()));
}

// Checks a zero point in the type that it is stored in. zero_point: as the case holds it.
Check check_zero_point(std::string_view field, std::int64_t zero_point, std::int64_t shift) {
  return in_range(field, zero_point - shift, -shift, 255 - shift);
}

// Return the words that a line has for the channels of the case.
const char* inputs_word(const ConvCase& c) { return is_linear(c) ? "in_features" : "in_channels"; }
const char* outputs_word(const ConvCase& c) { return is_linear(c) ? "out_features" : "out_channels"; }

// Returns "out_channels=8", for messages on lists that have a value for each output channel.
std::string outputs_text(const ConvCase& c) { return outputs_word(c) + ("=" + std::to_string(c.out_channels)); }

constexpr std::int64_t kMaxExtent = std::int64_t{1} << 24;

Check check_spatial(std::string_view field, const Spatial& s, std::int64_t low, std::int64_t neutral, int dims) {
  for (int d = 0; d < 3; ++d) {
    const std::int64_t value = s[static_cast<std::size_t>(d)];
    if (d < 3 - dims && value != neutral) {
      return fail(field, "has more dimensions than conv" + std::to_string(dims) + "d");
    }
    if (Check c = in_range(field, value, low, kMaxExtent); !c) return c;
  }
  return {};
}

// Checks that a scale survives the rounding to float32 that every engine begins with. A scale that exceeds the largest
// float32 but would round down to it is refused as well, because LibTorch does not convert it if it is a channel's
// scale.
Check check_scale(std::string_view field, double scale) {
  constexpr double kLargest = std::numeric_limits<float>::max();
  if (scale > 0 && scale <= kLargest && std::isnormal(static_cast<float>(scale))) return {};
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.9g", scale);
  return fail(field, "must be a positive number that float32 can hold (1.2e-38..3.40282346e38), is " +
                         std::string(text.data()));
}

// True if the product of the extents exceeds kMaxElements.
bool too_many(const Shape& shape) {
  std::int64_t count = 1;
  for (const std::int64_t extent : shape) {
    if (extent != 0 && count > kMaxElements / extent) return true;
    count *= extent;
  }
  return false;
}

// Returns the extents joined, such as "3x5".
std::string extents_text(std::span<const std::int64_t> extents) {
  std::string text;
  for (const std::int64_t extent : extents) text += (text.empty() ? "" : "x") + std::to_string(extent);
  return text;
}

template <typename T>
Check check_contents(std::string_view field, const Contents<T>& contents, const Shape& shape, const char* words) {
  if (too_many(shape)) return fail(field, "would hold more than 2^28 elements; make the shape smaller");
  const auto listed = static_cast<std::int64_t>(contents.values.size());
  if (contents.fill != Fill::listed) {
    return listed == 0 ? Check{} : fail(field, "has values, but is to be drawn from the seed");
  }
  const std::int64_t wanted = element_count(shape);
  if (listed == wanted) return {};
  return fail(field, "must list " + std::to_string(wanted) + (wanted == 1 ? " value" : " values") + " (" + words +
                         ": " + extents_text(shape) + "), lists " + std::to_string(listed));
}

Check check_multiple(std::string_view field, std::int64_t channels, std::int64_t groups) {
  if (channels % groups == 0) return {};
  return fail(field, "must be a multiple of groups=" + std::to_string(groups) + ", is " + std::to_string(channels));
}

Check check_fit(const ConvCase& c) {
  const Spatial padded = padded_size(c);
  Spatial spanned{};
  for (std::size_t d = 0; d < 3; ++d) spanned[d] = c.dilation[d] * (c.kernel[d] - 1) + 1;
  if (spanned[0] <= padded[0] && spanned[1] <= padded[1] && spanned[2] <= padded[2]) return {};
  const auto text = [&](std::span<const std::int64_t> all) {
    return extents_text(all.last(static_cast<std::size_t>(c.dims)));
  };
  return fail("kernel", "spans " + text(spanned) + " with its dilation, which does not fit into the " + text(padded) +
                            " of the padded input; enlarge input or padding");
}

Check check_shape(const ConvCase& c) {
  if (Check r = in_range("conv", c.dims, 1, 3); !r) return r;
  if (Check r = in_range("batch", c.batch, 0, kMaxExtent); !r) return r;
  if (Check r = in_range(inputs_word(c), c.in_channels, 1, kMaxExtent); !r) return r;
  if (Check r = in_range(outputs_word(c), c.out_channels, 1, kMaxExtent); !r) return r;
  if (c.groups < 1 || c.groups > c.in_channels) {
    return fail("groups", "must be at least 1 and divide in_channels=" + std::to_string(c.in_channels) +
                              " and out_channels=" + std::to_string(c.out_channels) + ", is " +
                              std::to_string(c.groups));
  }
  if (Check r = check_multiple("in_channels", c.in_channels, c.groups); !r) return r;
  if (Check r = check_multiple("out_channels", c.out_channels, c.groups); !r) return r;
  if (Check r = check_spatial("input", c.input, 1, 1, c.dims); !r) return r;
  if (Check r = check_spatial("kernel", c.kernel, 1, 1, c.dims); !r) return r;
  if (Check r = check_spatial("stride", c.stride, 1, 1, c.dims); !r) return r;
  if (Check r = check_spatial("padding", c.padding, 0, 0, c.dims); !r) return r;
  if (Check r = check_spatial("padding_end", end_padding(c), 0, 0, c.dims); !r) return r;
  if (Check r = check_spatial("dilation", c.dilation, 1, 1, c.dims); !r) return r;
  if (Check r = check_fit(c); !r) return r;
  if (too_many(output_shape(c)))
    return fail(is_linear(c) ? "batch" : "input", "the output would hold more than 2^28 elements");
  return {};
}

Check check_int32_bias(const ConvCase& c) {
  if (c.int32_bias.empty()) return {};
  if (!c.bias.empty()) return fail("int32_bias", "is given beside bias; a case has one of them");
  if (c.int32_bias.size() != static_cast<std::size_t>(c.out_channels)) {
    return fail("int32_bias", "must list one value for each output channel (" + outputs_text(c) + "), lists " +
                                  std::to_string(c.int32_bias.size()));
  }
  return {};
}

// Checks that a case whose output is the int32 sum asks for nothing that comes after the sum.
Check check_int32_output(const ConvCase& c) {
  if (c.output_type != OutputType::int32) return {};
  constexpr const char* kWhy = "; an int32 output is the sum before requantization: leave the word out";
  if (c.output_scale != 1) return fail("os", std::string("has no effect where ytype=int32") + kWhy);
  if (c.output_zero_point != 0) return fail("oz", std::string("has no effect where ytype=int32") + kWhy);
  if (c.relu == Relu::on) return fail("relu", std::string("has no effect where ytype=int32") + kWhy);
  if (!c.bias.empty())
    return fail("bias", std::string("is not added where ytype=int32") + kWhy + ", or write int32_bias");
  return {};
}

Check check_quantization(const ConvCase& c) {
  if (Check r = check_scale("xs", c.activation_scale); !r) return r;
  if (Check r = check_zero_point("xz", c.activation_zero_point, stored_shift(c.activation_type)); !r) return r;
  const auto channels = static_cast<std::size_t>(c.granularity == Granularity::per_channel ? c.out_channels : 1);
  if (c.weight_scales.size() != channels) {
    return fail("ws", "must be one number, or [" + std::to_string(c.out_channels) + " numbers], one an output channel");
  }
  if (c.weight_zero_points.size() != channels) return fail("wz", "must have as many values as ws");
  for (const double scale : c.weight_scales) {
    if (Check r = check_scale("ws", scale); !r) return r;
  }
  for (const std::int64_t zero_point : c.weight_zero_points) {
    if (Check r = in_range("wz", zero_point, -128, 127); !r) return r;
  }
  if (Check r = check_scale("os", c.output_scale); !r) return r;
  if (Check r = check_int32_output(c); !r) return r;
  if (Check r = check_zero_point("oz", c.output_zero_point, stored_shift(c.output_type)); !r) return r;
  if (!c.bias.empty() && c.bias.size() != static_cast<std::size_t>(c.out_channels)) {
    return fail("bias", "must list one value for each output channel (" + outputs_text(c) + "), lists " +
                            std::to_string(c.bias.size()));
  }
  for (const float bias : c.bias) {
    if (std::isnan(bias)) return fail("bias", "must not be NaN");
  }
  return check_int32_bias(c);
}

// Checks that a linear layer has nothing that only convolutions have. The text of a case cannot give most of it.
Check check_linear(const ConvCase& c) {
  if (!is_linear(c)) return {};
  const Spatial ones{1, 1, 1};
  const bool single = c.dims == 2 && c.groups == 1 && c.input == ones && c.kernel == ones && c.stride == ones &&
                      c.dilation == ones && c.padding == Spatial{} && has_even_padding(c);
  if (!single) return fail("linear", "is a convolution of single positions: 1x1, one group, without padding");
  constexpr const char* kConv = "; write the same layer as conv2d in_channels=.. out_channels=..";
  if (needs_direct_call(c)) {
    return fail(c.int32_bias.empty() ? "ytype" : "int32_bias",
                std::string("only FBGEMM called directly has it, and that call is a convolution") + kConv);
  }
  if (c.execution.engine == Engine::fbgemm_direct) {
    return fail("engine", std::string("FBGEMM called directly has no linear layers") + kConv);
  }
  if (c.execution.memory_format != MemoryFormat::contiguous) {
    return fail("format", "a matrix has one memory format; leave the word out");
  }
  return {};
}

}  // namespace

tl::expected<void, CaseError> validate(const ConvCase& c) {
  if (Check r = check_linear(c); !r) return r;
  if (Check r = check_shape(c); !r) return r;
  if (Check r = check_quantization(c); !r) return r;
  if (Check r = check_contents("x", c.activation, activation_shape(c),
                               is_linear(c) ? "batch x in_features" : "batch x in_channels x input");
      !r)
    return r;
  if (Check r =
          check_contents("w", c.weight, weight_shape(c),
                         is_linear(c) ? "out_features x in_features" : "out_channels x in_channels/groups x kernel");
      !r) {
    return r;
  }
  if (c.execution.memory_format == MemoryFormat::channels_last && c.dims == 1) {
    return fail("format", "channels_last exists for conv2d and conv3d only");
  }
  if (needs_direct_call(c) && c.execution.engine != Engine::fbgemm_direct) {
    return fail("engine", std::string("must be fbgemm_direct where ") +
                              (c.int32_bias.empty() ? "ytype=int32" : "int32_bias is given") +
                              ": PyTorch's operators take a float bias and return bytes; leave the word engine out");
  }
  return in_range("threads", c.execution.threads, 1, 256);
}

}  // namespace tieout
