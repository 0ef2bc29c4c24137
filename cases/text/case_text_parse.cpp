#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <functional>
#include <limits>
#include <optional>
#include <set>
#include <type_traits>
#include <utility>

#include "cases/case_predicates.h"
#include "cases/strings/case_advice.h"
#include "cases/text/case_text.h"
#include "cases/text/line_words.h"

namespace tieout {
namespace {

using Done = ReadResult;

// Returns what a word with one number per dimension accepts.
std::string extents_wanted(int dims) {
  if (dims == 1) return "one number for conv1d, such as 3";
  return dims == 2 ? "2 numbers for conv2d, height x width, such as 3x3, or one number for both"
                   : "3 numbers for conv3d, depth x height x width, such as 3x3x3, or one number for all";
}

Done read_spatial(std::string_view field, std::string_view text, int dims, Spatial& spatial) {
  std::vector<std::int64_t> extents;
  const std::string whole(text);
  while (!text.empty()) {
    if (text.back() == 'x') return bad(field, "must be " + extents_wanted(dims) + ", ends with an x");
    std::int64_t extent = 0;
    if (Done r = read_number(field, cut(text, 'x'), extent); !r) return r;
    extents.push_back(extent);
  }
  if (extents.size() == 1) extents.assign(static_cast<std::size_t>(dims), extents.front());
  if (extents.size() != static_cast<std::size_t>(dims)) {
    return bad(field, "must be " + extents_wanted(dims) + ", is '" + excerpt(whole) + "'");
  }
  std::copy(extents.begin(), extents.end(), spatial.end() - dims);
  return {};
}

template <typename T>
Done read_contents(std::string_view field, std::string_view text, int shift, Contents<T>& contents) {
  if (!text.empty() && text.front() == '[') {
    contents.fill = Fill::listed;
    return read_list(field, text, contents.values, shift);
  }
  const auto fill = from_name<Fill>(field, text);
  if (!fill) return bad(field, fill.error().message + ", or a list in brackets");
  contents = {*fill, {}};
  return {};
}

// Reads a number, or a list in brackets. The brackets decide the granularity.
template <typename T>
Done read_parameter(std::string_view field, std::string_view text, std::vector<T>& values, bool& is_list) {
  is_list = !text.empty() && text.front() == '[';
  if (is_list) return read_list(field, text, values);
  values.assign(1, T{});
  return read_number(field, text, values.front());
}

// True if validate() accepts the extent. Before that, arithmetic with extents could overflow.
bool is_extent(std::int64_t extent, std::int64_t low) { return low <= extent && extent <= kMostChannels; }

// Sets the padding that gives ceil(input / stride) outputs on each axis; of an odd number of padded positions the end
// has one more.
void set_same_padding(ConvCase& c) {
  for (std::size_t d = 0; d < 3; ++d) {
    // validate() reports extents that are out of range.
    if (!is_extent(c.input[d], 1) || !is_extent(c.stride[d], 1) || !is_extent(c.kernel[d], 1) ||
        !is_extent(c.dilation[d], 1)) {
      return;
    }
    const std::int64_t outputs = (c.input[d] + c.stride[d] - 1) / c.stride[d];
    const std::int64_t reach = (outputs - 1) * c.stride[d] + c.dilation[d] * (c.kernel[d] - 1) + 1;
    const std::int64_t padded = std::max<std::int64_t>(0, reach - c.input[d]);
    c.padding[d] = padded / 2;
    c.extra_end_padding[d] = padded % 2;
  }
}

struct Reader {
  ConvCase c;
  std::set<std::string, std::less<>> seen;
  bool scales_listed = false, zero_points_listed = false;
  bool same_padding = false;
  std::optional<Spatial> padding_end;

  // Reads one word. rest: the rest of the line, to advise on a list that is broken up by spaces.
  Done read_word(std::string_view word, std::string_view rest) {
    const bool has_value = word.find('=') != std::string_view::npos;
    const std::string_view key = cut(word, '=');
    if (key == "relu") {
      if (has_value) return bad(key, "takes no value: write relu, or leave the word out");
      if (c.relu == Relu::on) return bad(key, "is given twice");
      c.relu = Relu::on;
      return {};
    }
    if (const std::string advice = advice_on_other_operator(key, is_linear(c)); !advice.empty()) {
      return bad(key, std::string("is no word of ") + (is_linear(c) ? "linear" : "a convolution") + advice);
    }
    const auto is_read = [&](std::string_view value) { return can_be(key, value); };
    if (word.empty() && is_case_word(key)) return bad(key, "has no value" + advice_on_no_value(key, rest, is_read));
    if (const std::size_t open = word.find_first_of("[("); open != std::string_view::npos) {
      const bool is_closed = word.find_first_of("])") != std::string_view::npos;
      const std::size_t close = rest.find_first_of("])");
      if (!is_closed && close != std::string_view::npos && is_case_word(key)) {
        const std::string whole = std::string(word) + " " + std::string(rest.substr(0, close));
        return bad(key, "has spaces in its list" + advice_on_spaces(key, whole));
      }
    }
    Done done = read(key, word);
    if (!done && done.error().field == key) {
      done.error().message += advice_on_value(key, word, c.dims, is_read);
    }
    return done;
  }

  // Returns true if the word accepts the value, and accepts negative values if this one has a sign.
  [[nodiscard]] bool can_be(std::string_view key, std::string_view value) const {
    Reader reader;
    reader.c.dims = c.dims;
    reader.c.execution.call = c.execution.call;
    reader.c.activation_type = c.activation_type;
    reader.c.output_type = c.output_type;
    const bool has_sign = value.find('-') != std::string_view::npos;
    const bool takes_sign = key == "wz" || key == "w" || key == "bias" || key == "int32_bias" ||
                            ((key == "x" || key == "xz") && stored_shift(c.activation_type) != 0) ||
                            (key == "oz" && stored_shift(c.output_type) != 0);
    return (!has_sign || takes_sign) && reader.read(key, value);
  }

  // NOLINTNEXTLINE(readability-function-size): one line for each word, all alike
  Done read(std::string_view key, std::string_view value) {
    if (!seen.emplace(key).second) return bad(key, "is given twice");
    if (key == "batch") return read_number(key, value, c.batch);
    if (key == "in_channels" || key == "in_features") return read_number(key, value, c.in_channels);
    if (key == "out_channels" || key == "out_features") return read_number(key, value, c.out_channels);
    if (key == "groups") return read_number(key, value, c.groups);
    if (key == "input") return read_spatial(key, value, c.dims, c.input);
    if (key == "kernel") return read_spatial(key, value, c.dims, c.kernel);
    if (key == "stride") return read_spatial(key, value, c.dims, c.stride);
    if (key == "padding") return read_padding(value);
    if (key == "padding_end") return read_spatial(key, value, c.dims, padding_end.emplace());
    if (key == "dilation") return read_spatial(key, value, c.dims, c.dilation);
    if (key == "xs") return read_number(key, value, c.activation_scale);
    if (key == "xtype") return read_enum(key, value, c.activation_type);
    if (key == "ytype") return read_enum(key, value, c.output_type);
    if (key == "xz") return read_zero_point(key, value, stored_shift(c.activation_type), c.activation_zero_point);
    if (key == "ws") return read_parameter(key, value, c.weight_scales, scales_listed);
    if (key == "wz") return read_parameter(key, value, c.weight_zero_points, zero_points_listed);
    if (key == "os") return read_number(key, value, c.output_scale);
    if (key == "oz") return read_zero_point(key, value, stored_shift(c.output_type), c.output_zero_point);
    if (key == "bias") return read_bias(key, value, c.bias);
    if (key == "int32_bias") return read_bias(key, value, c.int32_bias);
    if (key == "x") return read_contents(key, value, stored_shift(c.activation_type), c.activation);
    if (key == "w") return read_contents(key, value, 0, c.weight);
    if (key == "seed") return read_number(key, value, c.seed);
    if (key == "threads") return read_number(key, value, c.execution.threads);
    if (key == "engine") return read_enum(key, value, c.execution.engine);
    if (key == "isa") return read_enum(key, value, c.execution.isa);
    if (key == "format") return read_enum(key, value, c.execution.memory_format);
    return bad(excerpt(key), "is not a word of a case line" + advice_on_word(key));
  }

  template <typename T>
  static Done read_bias(std::string_view key, std::string_view value, std::vector<T>& bias) {
    Done read = read_list(key, value, bias);
    if (read && bias.empty()) return bad(key, "lists nothing; leave the word out where there is no bias");
    return read;
  }

  static Done read_zero_point(std::string_view key, std::string_view value, int shift, std::int64_t& zero_point) {
    Done read = read_number(key, value, zero_point);
    // Numbers that the sum would overflow are out of range in any case.
    if (zero_point <= std::numeric_limits<std::int64_t>::max() - shift) zero_point += shift;
    return read;
  }

  Done read_padding(std::string_view value) {
    same_padding = value == "same";
    if (same_padding || value == "valid") return {};
    return read_spatial("padding", value, c.dims, c.padding);
  }

  [[nodiscard]] std::string outputs_word() const { return is_linear(c) ? "out_features" : "out_channels"; }

  // Sets the types, which decide how other words are read, before any of these.
  void read_types(std::string_view line) {
    while (!line.empty()) {
      std::string_view word = cut_word(line);
      const std::string_view key = cut(word, '=');
      // A wrong value is reported where the word is read in its turn.
      if (key == "xtype") (void)read_enum(key, word, c.activation_type);
      if (key == "ytype") (void)read_enum(key, word, c.output_type);
    }
    c.activation_zero_point = stored_shift(c.activation_type);
    c.output_zero_point = stored_shift(c.output_type);
  }

  // Sets what follows from several words: the padding, and the engine where only one is possible.
  Done complete() {
    if (!seen.contains("engine") && needs_direct_call(c)) c.execution.engine = Engine::fbgemm_direct;
    if (same_padding && padding_end) return bad("padding_end", "is given beside padding=same; leave one of them out");
    if (same_padding) set_same_padding(c);
    for (std::size_t d = 0; d < 3 && padding_end; ++d) {
      const std::int64_t end = (*padding_end)[d];
      if (!is_extent(end, 0)) return bad("padding_end", "must be " + std::string(whole_numbers_of("padding_end")));
      // validate() reports a padding that is out of range.
      if (is_extent(c.padding[d], 0)) c.extra_end_padding[d] = end - c.padding[d];
    }
    return complete_granularity();
  }

  template <typename E>
  static Done read_enum(std::string_view key, std::string_view value, E& target) {
    const auto parsed = from_name<E>(key, value);
    if (!parsed) return tl::unexpected(parsed.error());
    target = *parsed;
    return {};
  }

  // Gives ws and wz the same granularity: if one of them is a list, the other becomes a list of equal values.
  Done complete_granularity() {
    if (!scales_listed && !zero_points_listed) return {};
    if (c.out_channels < 1 || c.out_channels > kMostChannels) return bad(outputs_word(), "must be 1..2^24");
    c.granularity = Granularity::per_channel;
    const auto channels = static_cast<std::size_t>(c.out_channels);
    // This check comes before the other list is extended to the same length.
    const std::size_t given = scales_listed ? c.weight_scales.size() : c.weight_zero_points.size();
    if (given != channels) {
      return bad(scales_listed ? "ws" : "wz", "must list one number for each output channel (" + outputs_word() + "=" +
                                                  std::to_string(channels) + "), lists " + std::to_string(given));
    }
    if (!scales_listed) c.weight_scales.assign(channels, c.weight_scales.front());
    if (!zero_points_listed) c.weight_zero_points.assign(channels, c.weight_zero_points.front());
    return {};
  }
};

// Advises on heads such as "Conv2d" and "conv2d_relu", which mean conv2d.
std::string advice_for_head(std::string_view head) {
  if (head == "Linear" || head == "linear_relu" || head == "fully_connected" || head == "gemm") {
    return head == "linear_relu" ? "; write linear ... relu" : "; write linear";
  }
  if (head.size() < 6 || (head[0] | 0x20) != 'c' || head.substr(1, 3) != "onv" || head[4] < '1' || head[4] > '3')
    return {};
  const std::string word = "conv" + std::string(head.substr(4, 2));
  return head.ends_with("_relu") ? "; write " + word + " ... relu" : "; write " + word;
}

}  // namespace

tl::expected<ConvCase, CaseError> parse(std::string_view line) {
  const std::string plain = plain_line(line);
  line = plain;
  const std::string_view head = cut_word(line);
  Reader reader;
  const bool linear = head == "linear";
  if (!linear && head != "conv1d" && head != "conv2d" && head != "conv3d") {
    return bad("conv", "a case begins with conv1d, conv2d, conv3d or linear, not with '" + excerpt(head) + "'" +
                           advice_for_head(head) +
                           "; an example: conv2d in_channels=3 out_channels=8 input=8x8 kernel=3x3");
  }
  if (linear) {
    reader.c.execution.call = Call::linear;
  } else {
    reader.c.dims = head[4] - '0';
  }
  reader.read_types(line);
  while (!line.empty()) {
    std::string_view word = cut_word(line);
    if (word.empty()) continue;
    if (Done r = reader.read_word(word, line); !r) return tl::unexpected(r.error());
  }
  if (Done r = reader.complete(); !r) return tl::unexpected(r.error());
  if (Done r = validate(reader.c); !r) return tl::unexpected(r.error());
  return reader.c;
}

}  // namespace tieout
