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

#include "cases/strings/case_advice.h"
#include "cases/text/case_text.h"

namespace tieout {
namespace {

using Done = tl::expected<void, CaseError>;

// The limit that validate() sets for extents and channels. Longer lists of scales, zero points and biases would only
// take memory.
constexpr std::int64_t kMostChannels = std::int64_t{1} << 24;

constexpr std::string_view kBlanks = " \t";

tl::unexpected<CaseError> bad(std::string_view field, std::string message) {
  return tl::unexpected(CaseError{std::string(field), std::move(message)});
}

template <typename T>
Done read_number(std::string_view field, std::string_view text, T& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc{} && end == text.data() + text.size()) return {};
  std::string wanted = std::is_integral_v<T> ? "a whole number" : "a number";
  if (std::is_integral_v<T>) wanted.append(" ").append(whole_numbers_of(field));
  if (!std::is_integral_v<T> && error == std::errc::result_out_of_range) wanted += " that float32 can hold";
  return bad(field, "must be " + wanted + ", is '" + excerpt(text) + "'");
}

// Reads the N of N*V. most: the largest N. allowed: `most` as the message shows it.
Done read_times(std::string_view field, std::string_view text, std::int64_t most, const std::string& allowed,
                std::int64_t& times) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), times);
  if (error == std::errc{} && end == text.data() + text.size() && times >= 1 && times <= most) return {};
  return bad(field, "N*V stands for N times V and needs N in 1.." + allowed + ", is '" + excerpt(text) + "'");
}

// Reads one item of a list. Bytes are read as int, so that 256 is reported as out of range and does not wrap to 0.
// shift: added to a byte as it is written.
template <typename T>
Done read_item(std::string_view field, std::string_view text, int shift, T& value) {
  if constexpr (sizeof(T) == 1) {
    const int low = std::numeric_limits<T>::min() - shift;
    const int high = std::numeric_limits<T>::max() - shift;
    int wide = 0;
    if (Done r = read_number(field, text, wide); !r) return r;
    if (wide < low || wide > high) {
      return bad(field, "values must be " + std::to_string(low) + ".." + std::to_string(high) + ", one is " +
                            std::to_string(wide) + advice_on_int8(field, wide));
    }
    value = static_cast<T>(wide + shift);
    return {};
  } else {
    return read_number(field, text, value);
  }
}

std::string_view cut(std::string_view& text, char separator) {
  const std::size_t end = text.find(separator);
  const std::string_view head = text.substr(0, end);
  text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
  return head;
}

std::string_view cut_word(std::string_view& line) {
  const std::size_t end = std::min(line.find_first_of(kBlanks), line.size());
  const std::string_view word = line.substr(0, end);
  line.remove_prefix(std::min(end + 1, line.size()));
  return word;
}

// Returns the line without blanks beside the commas and the brackets of its lists, where they have no meaning. Other
// blanks in a list, as in [1 2], remain and are an error.
std::string without_blanks_in_lists(std::string_view line) {
  std::string text;
  text.reserve(line.size());
  bool in_list = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (in_list && kBlanks.find(c) != std::string_view::npos) {
      const std::size_t next = std::min(line.find_first_not_of(kBlanks, i), line.size());
      const bool beside =
          text.back() == '[' || text.back() == ',' || next == line.size() || line[next] == ',' || line[next] == ']';
      if (!beside) text += ' ';
      i = next - 1;
      continue;
    }
    if (c == '[') in_list = true;
    if (c == ']') in_list = false;
    text += c;
  }
  return text;
}

template <typename T>
Done read_list(std::string_view field, std::string_view text, std::vector<T>& values, int shift = 0) {
  const std::int64_t most = sizeof(T) == 1 ? kMaxElements : kMostChannels;
  const std::string allowed = sizeof(T) == 1 ? "2^28" : "2^24";
  if (text.size() < 2 || text.front() != '[' || text.back() != ']') {
    return bad(field, "must be a list in brackets such as [1,2,3*0], is '" + excerpt(text) + "'");
  }
  values.clear();
  for (std::string_view rest = text.substr(1, text.size() - 2); !rest.empty();) {
    if (rest.back() == ',') return bad(field, "ends with a comma; leave the last comma out");
    std::string_view item = cut(rest, ',');
    if (item.empty())
      return bad(field, "has no value before one of its commas; write one there, or leave the comma out");
    std::int64_t run = 1;
    if (item.find('*') != std::string_view::npos) {
      const std::string_view times = cut(item, '*');
      if (Done r = read_times(field, times, most, allowed, run); !r) return r;
      if (item.empty()) {
        return bad(field, "has no value behind " + std::string(times) + "*; write for example " + std::string(times) +
                              "*1 for " + std::string(times) + " times 1");
      }
    }
    T value{};
    if (Done r = read_item(field, item, shift, value); !r) return r;
    if (std::ssize(values) + run > most) return bad(field, "lists more than " + allowed + " values");
    values.insert(values.end(), static_cast<std::size_t>(run), value);
  }
  return {};
}

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
    if (key == "in_channels") return read_number(key, value, c.in_channels);
    if (key == "out_channels") return read_number(key, value, c.out_channels);
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
    if (c.out_channels < 1 || c.out_channels > kMostChannels) return bad("out_channels", "must be 1..2^24");
    c.granularity = Granularity::per_channel;
    const auto channels = static_cast<std::size_t>(c.out_channels);
    // This check comes before the other list is extended to the same length.
    const std::size_t given = scales_listed ? c.weight_scales.size() : c.weight_zero_points.size();
    if (given != channels) {
      return bad(scales_listed ? "ws" : "wz", "must list one number for each output channel (out_channels=" +
                                                  std::to_string(channels) + "), lists " + std::to_string(given));
    }
    if (!scales_listed) c.weight_scales.assign(channels, c.weight_scales.front());
    if (!zero_points_listed) c.weight_zero_points.assign(channels, c.weight_zero_points.front());
    return {};
  }
};

// Advises on heads such as "Conv2d" and "conv2d_relu", which mean conv2d.
std::string advice_for_head(std::string_view head) {
  if (head.size() < 6 || (head[0] | 0x20) != 'c' || head.substr(1, 3) != "onv" || head[4] < '1' || head[4] > '3')
    return {};
  const std::string word = "conv" + std::string(head.substr(4, 2));
  return head.ends_with("_relu") ? "; write " + word + " ... relu" : "; write " + word;
}

}  // namespace

tl::expected<ConvCase, CaseError> parse(std::string_view line) {
  const std::size_t begin = std::min(line.find_first_not_of(kBlanks), line.size());
  const std::size_t end = line.find_last_not_of(" \t\n\r");
  line =
      begin == line.size() || end == std::string_view::npos ? std::string_view{} : line.substr(begin, end + 1 - begin);
  const std::string plain = without_blanks_in_lists(line);
  line = plain;
  const std::string_view head = cut_word(line);
  Reader reader;
  if (head != "conv1d" && head != "conv2d" && head != "conv3d") {
    return bad("conv", "a case begins with conv1d, conv2d or conv3d, not with '" + excerpt(head) + "'" +
                           advice_for_head(head) +
                           "; an example: conv2d in_channels=3 out_channels=8 input=8x8 kernel=3x3");
  }
  reader.c.dims = head[4] - '0';
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
