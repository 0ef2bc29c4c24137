#include "cases/text/case_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <type_traits>

#include "cases/case_predicates.h"

namespace tieout {
namespace {

template <typename T>
void append_number(std::string& out, T value) {
  std::array<char, 64> text;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  out.append(text.data(), end);
}

template <typename T>
bool same_bits(T a, T b) {
  // -0.0 and 0.0 are different contents, and a NaN equals itself.
  if constexpr (std::is_floating_point_v<T>) {
    return std::memcmp(&a, &b, sizeof a) == 0;
  } else {
    return a == b;
  }
}

// shift: subtracted from every value.
template <typename T>
void append_list(std::string& out, const std::vector<T>& values, int shift = 0) {
  out += '[';
  for (std::size_t i = 0; i < values.size();) {
    std::size_t run = 1;
    while (i + run < values.size() && same_bits(values[i], values[i + run])) ++run;
    if (i != 0) out += ',';
    // A run of one is shorter and easier to read without a count.
    if (run > 1) {
      append_number(out, run);
      out += '*';
    }
    if constexpr (sizeof(T) == 1) {
      append_number(out, values[i] - shift);
    } else {
      append_number(out, values[i]);
    }
    i += run;
  }
  out += ']';
}

void append_spatial(std::string& out, const Spatial& spatial, int dims) {
  for (auto d = static_cast<std::size_t>(3 - dims); d < 3; ++d) {
    if (d != static_cast<std::size_t>(3 - dims)) out += 'x';
    append_number(out, spatial[d]);
  }
}

template <typename T>
void print_contents(std::string& out, std::string_view key, const Contents<T>& contents, int shift) {
  out.append(" ").append(key).append("=");
  if (contents.fill == Fill::listed) {
    append_list(out, contents.values, shift);
  } else {
    out += name(contents.fill);
  }
}

}  // namespace

std::string print(const ConvCase& c) {
  static const ConvCase defaults;
  const bool linear = is_linear(c);
  std::string out = linear ? "linear" : "conv" + std::to_string(c.dims) + "d";
  const auto word = [&](std::string_view key) -> std::string& { return out.append(" ").append(key).append("="); };
  const auto number = [&](std::string_view key, auto value, auto absent) {
    if (!same_bits(value, absent)) append_number(word(key), value);
  };
  const auto spatial = [&](std::string_view key, const Spatial& value, const Spatial& absent) {
    if (value != absent) append_spatial(word(key), value, c.dims);
  };
  number("batch", c.batch, defaults.batch);
  number(linear ? "in_features" : "in_channels", c.in_channels, defaults.in_channels);
  number(linear ? "out_features" : "out_channels", c.out_channels, defaults.out_channels);
  number("groups", c.groups, defaults.groups);
  spatial("input", c.input, defaults.input);
  spatial("kernel", c.kernel, defaults.kernel);
  spatial("stride", c.stride, defaults.stride);
  spatial("padding", c.padding, defaults.padding);
  if (!has_even_padding(c)) append_spatial(word("padding_end"), end_padding(c), c.dims);
  spatial("dilation", c.dilation, defaults.dilation);
  const auto choice = [&](std::string_view key, auto value, auto absent) {
    if (value != absent) word(key) += name(value);
  };
  choice("xtype", c.activation_type, defaults.activation_type);
  number("xs", c.activation_scale, defaults.activation_scale);
  number("xz", stored_activation_zero_point(c), std::int64_t{0});
  if (c.granularity == Granularity::per_channel) {
    append_list(word("ws"), c.weight_scales);
    const auto& zero_points = c.weight_zero_points;
    if (std::any_of(zero_points.begin(), zero_points.end(), [](std::int64_t z) { return z != 0; })) {
      append_list(word("wz"), c.weight_zero_points);
    }
  } else {
    number("ws", c.weight_scales.front(), 1.0);
    number("wz", c.weight_zero_points.front(), std::int64_t{0});
  }
  choice("ytype", c.output_type, defaults.output_type);
  number("os", c.output_scale, defaults.output_scale);
  number("oz", stored_output_zero_point(c), std::int64_t{0});
  if (!c.bias.empty()) append_list(word("bias"), c.bias);
  if (!c.int32_bias.empty()) append_list(word("int32_bias"), c.int32_bias);
  if (c.relu == Relu::on) out += " relu";
  print_contents(out, "x", c.activation, stored_shift(c.activation_type));
  print_contents(out, "w", c.weight, 0);
  number("seed", c.seed, defaults.seed);
  choice("engine", c.execution.engine, needs_direct_call(c) ? Engine::fbgemm_direct : defaults.execution.engine);
  choice("isa", c.execution.isa, defaults.execution.isa);
  choice("format", c.execution.memory_format, defaults.execution.memory_format);
  number("threads", c.execution.threads, defaults.execution.threads);
  return out;
}

}  // namespace tieout
