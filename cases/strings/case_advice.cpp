#include "cases/strings/case_advice.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "cases/strings/nearest_word.h"

namespace tieout {
namespace {

constexpr std::array<std::string_view, 6> kSpatialWords{"input",   "kernel",      "stride",
                                                        "padding", "padding_end", "dilation"};
constexpr std::array<std::string_view, 6> kListWords{"ws", "wz", "bias", "int32_bias", "x", "w"};

// Lists the names that other notations have for the words of a case.
constexpr std::array<std::pair<std::string_view, std::string_view>, 33> kOtherNames{{
    {"kernel_size", "kernel"},
    {"kernel_shape", "kernel"},
    {"filter", "kernel"},
    {"strides", "stride"},
    {"pad", "padding"},
    {"pads", "padding and padding_end"},
    {"padding_begin", "padding"},
    {"pad_begin", "padding"},
    {"pad_end", "padding_end"},
    {"bias_int32", "int32_bias"},
    {"output_type", "ytype"},
    {"activation_type", "xtype"},
    {"type", "xtype and ytype"},
    {"dilations", "dilation"},
    {"size", "input"},
    {"shape", "input"},
    {"input_size", "input"},
    {"input_channels", "in_channels"},
    {"channels", "in_channels"},
    {"ic", "in_channels"},
    {"cin", "in_channels"},
    {"output_channels", "out_channels"},
    {"oc", "out_channels"},
    {"cout", "out_channels"},
    {"n", "batch"},
    {"batch_size", "batch"},
    {"weight", "w"},
    {"weights", "w"},
    {"activation", "x"},
    {"input_scale", "xs"},
    {"weight_scale", "ws"},
    {"output_scale", "os"},
    {"memory_format", "format"},
}};

// A word that a case line can have.
struct CaseWord {
  std::string_view name;
  std::string_view example;        // a value; empty: the word has none
  std::string_view whole_numbers;  // the whole numbers that it accepts; empty: none
};
constexpr std::array<CaseWord, 30> kCaseWords{{
    {"batch", "2", "0..16777216"},
    {"in_channels", "3", "1..16777216"},
    {"out_channels", "8", "1..16777216"},
    {"in_features", "16", "1..16777216"},
    {"out_features", "8", "1..16777216"},
    {"groups", "1", "that divides in_channels and out_channels"},
    {"input", "8", "1..16777216"},
    {"kernel", "3", "1..16777216"},
    {"stride", "2", "1..16777216"},
    {"dilation", "2", "1..16777216"},
    {"padding", "1", "0..16777216"},
    {"padding_end", "1", "0..16777216"},
    {"xtype", "int8", ""},
    {"ytype", "int8", ""},
    {"xs", "0.05", ""},
    {"xz", "128", "0..255, or -128..127 with xtype=int8"},
    {"ws", "0.1", ""},
    {"wz", "0", "-128..127"},
    {"os", "0.5", ""},
    {"oz", "128", "0..255, or -128..127 with ytype=int8"},
    {"bias", "[0.5]", ""},
    {"int32_bias", "[12]", "-2147483648..2147483647"},
    {"relu", "", ""},
    {"x", "uniform", "0..255, or -128..127 with xtype=int8"},
    {"w", "uniform", "-128..127"},
    {"seed", "7", "0..18446744073709551615"},
    {"engine", "fbgemm", ""},
    {"isa", "native", ""},
    {"format", "contiguous", ""},
    {"threads", "1", "1..256"},
}};

// Returns the entry of a word; nullptr if no case line has the word.
const CaseWord* find_case_word(std::string_view word) {
  const auto* const found = std::ranges::find(kCaseWords, word, &CaseWord::name);
  return found == kCaseWords.end() ? nullptr : found;
}

template <typename Words>
bool has(const Words& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// Joins the parts of a list, which may have any brackets and spaces, commas or semicolons as separators.
std::string joined(std::string_view list, std::string_view separators, char between) {
  std::string text;
  while (true) {
    const std::size_t begin = list.find_first_not_of(separators);
    if (begin == std::string_view::npos) return text;
    list.remove_prefix(begin);
    const std::string_view part = list.substr(0, list.find_first_of(separators));
    if (!text.empty()) text += between;
    text += part;
    list.remove_prefix(part.size());
  }
}

std::string as_list(std::string_view value) { return "[" + joined(value, " \t,;[](){}", ',') + "]"; }
std::string as_extents(std::string_view value) { return joined(value, " \t,;[](){}*X", 'x'); }

std::string write(std::string_view word, const std::string& value) {
  return "; write " + std::string(word) + "=" + excerpt(value);
}

// Returns the parts of a shape in PyTorch's notation, with batch and channels before the extents; empty if the text is
// not such a shape.
std::vector<std::string> parts_of_shape(std::string_view extents, int dims) {
  std::vector<std::string> parts{""};
  for (const char c : extents) {
    if (c == 'x') {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts.size() == static_cast<std::size_t>(dims) + 2 ? parts : std::vector<std::string>();
}

// Returns advice on a tensor's whole shape where only its extents are expected; empty if there is none.
std::string advice_on_shape(std::string_view word, const std::string& extents, int dims) {
  const std::vector<std::string> parts = parts_of_shape(extents, dims);
  if (parts.empty() || (word != "input" && word != "kernel")) return {};
  const bool is_input = word == "input";
  return std::string("; write ") + (is_input ? "batch=" : "out_channels=") + excerpt(parts[0]) +
         " in_channels=" + excerpt(parts[1]) + " " + std::string(word) + "=" +
         excerpt(std::string_view(extents).substr(parts[0].size() + parts[1].size() + 2));
}

std::string in_lower_case(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
  return lower;
}

bool is_number_like(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789+-.eExX,; []()*") == std::string_view::npos;
}

}  // namespace

std::string excerpt(std::string_view text) {
  constexpr std::size_t kMost = 60;
  std::string shown(text.substr(0, kMost));
  std::ranges::replace_if(shown, [](unsigned char c) { return c < 0x20 || c == 0x7f; }, '?');
  return text.size() > kMost ? shown + "..." : shown;
}

std::string advice_on_word(std::string_view word) {
  if (word == "relu6" || word == "hardtanh" || word == "clamp" || word == "clip") {
    return "; write relu: the upper end of a clamp is that of the output's range, os * (255 - oz); for another one "
           "choose os and oz so that it is the clamp's";
  }
  if (word == "scale" || word == "zero_point" || word == "zp") {
    return "; write xs and xz for the activation's, ws and wz for the weight's, os and oz for the output's";
  }
  if (word == "no_relu" || word == "norelu") return "; leave the word relu out";
  for (const auto& [other, ours] : kOtherNames) {
    if (word == other) return "; write " + std::string(ours);
  }
  static const std::vector<std::string> words = [] {
    std::vector<std::string> names;
    for (const CaseWord& one : kCaseWords) names.emplace_back(one.name);
    return names;
  }();
  const auto nearest = nearest_word(word, words);
  return nearest ? "; did you mean " + *nearest + "?" : "; see `tieout check --help`";
}

std::string advice_on_other_operator(std::string_view word, bool linear) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 2> kFeatures{
      {{"in_features", "in_channels"}, {"out_features", "out_channels"}}};
  for (const auto& [of_linear, of_conv] : kFeatures) {
    if (word == (linear ? of_conv : of_linear)) return "; write " + std::string(linear ? of_linear : of_conv);
  }
  if (!linear) return {};
  constexpr std::string_view kConv = "; for a convolution begin the line with conv2d";
  if (has(kSpatialWords, word) || word == "groups") return "; a linear layer has no window" + std::string(kConv);
  if (word == "format") return "; a matrix has one memory format: leave the word out";
  if (word == "int32_bias")
    return "; only engine=fbgemm_direct takes one, which computes convolutions" + std::string(kConv);
  return {};
}

std::string advice_on_value(std::string_view word, std::string_view value, int dims,
                            const std::function<bool(std::string_view)>& is_read) {
  const std::size_t given = value.size();
  while (!value.empty() && (value.front() == '\'' || value.front() == '"')) value.remove_prefix(1);
  while (!value.empty() && (value.back() == '\'' || value.back() == '"')) value.remove_suffix(1);
  const auto write_if_read = [&](const std::string& text) {
    return !text.empty() && is_read(text) ? write(word, text) : std::string();
  };
  if (value.size() != given) {
    if (const std::string unquoted = write_if_read(std::string(value)); !unquoted.empty()) return unquoted;
  }
  const std::string lower = in_lower_case(value);
  if (word == "padding" && (lower == "same_upper" || lower == "same")) return write(word, "same");
  if (word == "padding" && lower == "same_lower") {
    return "; give both sides: padding=1 padding_end=0, for example";
  }
  if (word == "bias" && (lower == "none" || lower == "false" || lower == "off" || lower == "0")) {
    return "; leave the word out where there is no bias";
  }
  if (word == "bias" && lower == "true") return "; list its values: bias=[0.5] where out_channels=1";
  if (!is_number_like(value)) return write_if_read(lower);
  if (has(kSpatialWords, word)) {
    const std::string extents = as_extents(value);
    const std::string advice = advice_on_shape(word, extents, dims);
    return advice.empty() && extents != value ? write_if_read(extents) : advice;
  }
  const bool listed = value.find_first_of("[](){}") != std::string_view::npos;
  if (has(kListWords, word)) {
    const std::string list = as_list(value);
    return list == value ? std::string() : write_if_read(list);
  }
  const std::string parts = joined(value, "[](){} ", ',');
  const bool is_of_tensor = word == "xs" || word == "xz" || word == "os" || word == "oz";
  if (listed && is_of_tensor && parts.find(',') != std::string::npos) {
    return "; it is one number for the whole tensor: only ws and wz may list one for each output channel";
  }
  if (listed) return write_if_read(parts);
  const bool is_scale = word == "xs" || word == "os";
  const bool has_decimal_comma = is_scale && std::ranges::count(parts, ',') == 1;
  return has_decimal_comma ? write_if_read(joined(parts, ",", '.')) : std::string();
}

std::string advice_on_no_value(std::string_view word, std::string_view rest,
                               const std::function<bool(std::string_view)>& is_read) {
  rest.remove_prefix(std::min(rest.find_first_not_of(" \t="), rest.size()));
  const bool is_list = rest.starts_with('[');
  const std::string_view value = rest.substr(0, is_list ? rest.find(']') + 1 : rest.find_first_of(" \t"));
  if (!value.empty() && is_read(value)) return write(word, std::string(value)) + ", without spaces";
  const CaseWord* const found = find_case_word(word);
  if (found == nullptr || found->example.empty()) return {};
  return "; write " + std::string(word) + "=" + std::string(found->example) + ", for example";
}

bool is_case_word(std::string_view word) { return find_case_word(word) != nullptr; }

std::string_view whole_numbers_of(std::string_view word) {
  const CaseWord* const found = find_case_word(word);
  return found == nullptr ? std::string_view() : found->whole_numbers;
}

std::string advice_on_int8(std::string_view word, std::int64_t value) {
  const bool is_weight = word == "w" || word == "wz";
  if (is_weight && value > 127 && value <= 255) return "; weights are int8: of uint8 ones subtract 128 from w and wz";
  if (is_weight || value < -128 || value > 255) return {};
  if (value >= 0) return word == "oz" ? "; for a uint8 output leave ytype out" : "; for uint8 leave xtype out";
  if (word == "oz") return "; for an int8 output write ytype=int8";
  return "; for an int8 activation write xtype=int8";
}

std::string advice_on_spaces(std::string_view word, std::string_view value) {
  return write(word, has(kSpatialWords, word) ? as_extents(value) : as_list(value));
}

}  // namespace tieout
